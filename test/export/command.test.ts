import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { loadModel } from '../../src/index.ts';
import { oracle, workspace } from '../cli/run.ts';

const { run, json, path } = workspace();
beforeAll(() => {
  run(['train', oracle('lbw.csv'), '--target', 'low', '--drop', 'id,bwt,ftv', '--out', 'low.safetensors']);
});

const wanted = () => loadModel(readFileSync(path('low.safetensors'))).score(record());

/** A record of the fields that the model reads. */
function record(): Record<string, unknown> {
  const { features } = loadModel(readFileSync(path('low.safetensors'))).manifest.schema;
  return Object.fromEntries(
    features.map((feature) => [feature.name, feature.kind === 'categorical' ? feature.levels[0] : 1]),
  );
}

test('js with its types, and Python: the score is that of the model', async () => {
  expect(json(['export', 'low.safetensors', '--to', 'js', '--out', 'low.js'])).toMatchObject({
    files: ['low.js', 'low.d.ts'],
    exact: 'bits',
  });
  const { score } = await import(/* @vite-ignore */ pathToFileURL(path('low.js')).href);
  expect(score(record())).toEqual(wanted());
  expect(readFileSync(path('low.d.ts'), 'utf8')).toContain('export declare function score(record: object): Score;');
  expect(run(['export', 'low.safetensors', '--to', 'python', '--out', 'low.py']).stdout).toMatch(
    /^low\.py: [\d.]+ kB, the bits of logodds\n$/,
  );
  const program = `import json, low\nprint(json.dumps(low.score(json.loads(${JSON.stringify(JSON.stringify(record()))}))))`;
  const { stdout } = spawnSync('python3', ['-c', program], { cwd: path('.'), encoding: 'utf8' });
  expect(JSON.parse(stdout)).toMatchObject({ probability: wanted().probability, label: wanted().label });
});

test('names are of the language, and a query says its database', () => {
  expect(run(['export', 'low.safetensors', '--to', 'c', '--out', '7 low.h']).status).toBe(0);
  expect(readFileSync(path('7 low.h'), 'utf8')).toContain('model_7_low_score_of(const model_7_low_record *record');
  for (const [file, name] of [
    ['Low.go', 'low'],
    ['type.go', 'model_type'],
  ]) {
    expect(run(['export', 'low.safetensors', '--to', 'go', '--out', file]).status).toBe(0);
    expect(readFileSync(path(file), 'utf8')).toMatch(new RegExp(`^package ${name}$`, 'm'));
  }
  expect(run(['export', 'low.safetensors', '--to', 'java', '--out', 'Low.java']).status).toBe(0);
  expect(readFileSync(path('Low.java'), 'utf8')).toContain('public final class Low {');
  const sql = run(['export', 'low.safetensors', '--to', 'sql', '--out', 'low.sql']);
  expect(sql.stderr).toBe('note: the query is for DuckDB; name another database by --dialect\n');
  expect(sql.stdout).toContain('probabilities within 2e-15');
  const flags = ['--dialect', 'postgres', '--table', 'births', '--view', 'scored', '--keep', 'id', '--prefix', 'low_'];
  expect(run(['export', 'low.safetensors', '--to', 'sql', '--out', 'low.sql', ...flags])).toMatchObject({
    status: 0,
    stderr: '',
  });
  const text = readFileSync(path('low.sql'), 'utf8');
  for (const part of ['CREATE VIEW scored AS', 'FROM births AS r', 'k0 AS "id"', 'p0 AS "low_probability"'])
    expect(text).toContain(part);
});

test.each([
  ['another ending', ['--to', 'sql', '--out', 'x.txt'], 1, /^ERR_OUTPUT x\.txt: expected a name that ends in \.sql/],
  [
    'an option of queries',
    ['--to', 'c', '--out', 'x.h', '--table', 't'],
    2,
    /^ERR_RANGE --table: expected with --to sql/,
  ],
  [
    'a class of another name',
    ['--to', 'java', '--out', 'my-x.java'],
    2,
    /^ERR_RANGE --out: expected a name of a class/,
  ],
  [
    'a class that Java has',
    ['--to', 'java', '--out', 'Map.java'],
    1,
    /^ERR_OUTPUT Map\.java: expected a name that Java/,
  ],
  [
    'a name for SQL',
    ['--to', 'sql', '--out', 'x.sql', '--name', 'a'],
    2,
    /^ERR_RANGE --name: expected with --to c or go/,
  ],
  ['a name that is none', ['--to', 'c', '--out', 'x.h', '--name', '1 a'], 2, /^ERR_RANGE --name: expected a letter/],
  ['a format that there is not', ['--to', 'cobol', '--out', 'x.cbl'], 2, /Allowed choices are/],
  [
    'a column twice',
    ['--to', 'sql', '--out', 'x.sql', '--keep', 'logit'],
    1,
    /^ERR_FORMAT column "logit": expected a name of its own/,
  ],
  ['a place that cannot be written', ['--to', 'js', '--out', 'no/x.js'], 1, /^ERR_OUTPUT no\/x\.js/],
])('%s is refused, and nothing is written', (_, flags, status, error) => {
  const found = run(['export', 'low.safetensors', ...flags]);
  expect(found.stderr).toMatch(error);
  expect(found.status).toBe(status);
  for (const file of ['x.txt', 'x.h', 'my-x.java', 'Map.java', 'x.cbl', 'x.sql', 'x.js'])
    expect(existsSync(path(file))).toBe(false);
});

test('a kind of feature that a language does not have is refused by name; js has all', () => {
  writeFileSync(
    path('words.jsonl'),
    [...'abcdefghij']
      .map((c, i) => JSON.stringify({ text: `${c} word ${i % 3 ? 'good' : 'bad'} ${c}`, y: i % 2 }))
      .join('\n'),
  );
  writeFileSync(path('words.json'), JSON.stringify({ features: [{ name: 'text', kind: 'text' }] }));
  const trained = run([
    'train',
    'words.jsonl',
    '--target',
    'y',
    '--schema',
    'words.json',
    '--out',
    'words.safetensors',
  ]);
  expect(trained.status, trained.stderr).toBe(0);
  expect(run(['export', 'words.safetensors', '--to', 'python', '--out', 'words.py']).stderr).toBe(
    'ERR_FORMAT feature "text": expected a kind that straight arithmetic has, got tokens; export to js, or leave it out of the model\n',
  );
  expect(run(['export', 'words.safetensors', '--to', 'js', '--out', 'words.js']).status).toBe(0);
});

test('the model is not replaced, by whatever name', () => {
  copyFileSync(path('low.safetensors'), path('own.safetensors'));
  symlinkSync('own.safetensors', path('own.h'));
  expect(run(['export', 'own.safetensors', '--to', 'c', '--out', 'own.h']).stderr).toMatch(
    /^ERR_OUTPUT own\.h: expected a path that the run does not use otherwise/,
  );
  expect(readFileSync(path('own.safetensors'))).toEqual(readFileSync(path('low.safetensors')));
});
