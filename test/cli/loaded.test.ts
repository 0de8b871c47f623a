import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { oracle, workspace } from './run.ts';

const { run, path } = workspace();
const hook = new URL('loaded.mjs', import.meta.url).href;
const training = ['train', 'data.csv', '--target', 'type', '--out', 'm.safetensors'];

/** The packages that a run of the command loads files of. */
function loadedBy(args: readonly string[]): string[] {
  const list = path('loaded.txt');
  if (existsSync(list)) rmSync(list);
  const { status, stderr } = run(args, { node: ['--import', hook], env: { LOGODDS_LOADED: list } });
  expect(status, stderr).toBe(0);
  const names = [...readFileSync(list, 'utf8').matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)\//g)].map(
    ([, name]) => name,
  );
  return [...new Set(names)];
}

test('a CSV is trained on, scored and measured without the plotting library and without DuckDB', () => {
  copyFileSync(oracle('pima_train.csv'), path('data.csv'));
  for (const args of [
    training,
    ['score', 'm.safetensors', 'data.csv', '--out', 'scores.csv'],
    ['eval', 'm.safetensors', 'data.csv', '--target', 'type'],
    ['inspect', 'm.safetensors'],
  ]) {
    const loaded = loadedBy(args);
    expect(loaded, args[0]).toContain('commander');
    expect(
      loaded.filter((name) => /^vega|^d3|duckdb/.test(name)),
      args[0],
    ).toEqual([]);
  }
});

test('a report loads the plotting library, a query DuckDB', () => {
  copyFileSync(oracle('pima_train.csv'), path('data.csv'));
  const withReport = loadedBy([...training, '--report', 'r.html']);
  expect(withReport).toEqual(expect.arrayContaining(['vega', 'vega-lite']));
  expect(withReport.filter((name) => name.includes('duckdb'))).toEqual([]);
  const query = ['train', '--query', "select * from 'data.csv'", '--target', 'type', '--out', 'q.safetensors'];
  expect(loadedBy(query)).toContain('@duckdb/node-bindings');
});
