import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { JSON_TYPE, models, serviceOf, serviceWith } from './models.ts';

const FILES = ['/style.css', '/console.css', '/docs.css', '/dom.js', '/console.js', '/docs.js'];

test('the pages and their files load nothing from elsewhere', async () => {
  const { ask } = serviceOf('codes');
  for (const path of ['/', '/docs', ...FILES]) {
    const response = await ask(path);
    const type = path.endsWith('.css') ? 'text/css' : path.endsWith('.js') ? 'text/javascript' : 'text/html';
    expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/);
    // the names of SVG is no address that is asked
    const text = (await response.text()).replace('http://www.w3.org/2000/svg', '');
    expect(text).not.toMatch(/https?:\/\/|<script>|style="|<[^>]*\son\w+="|innerHTML/);
  }
});

test('below another app all that the pages name is there', async () => {
  const { service } = serviceOf('codes');
  const app = new Hono().route('/scoring', service.app);
  for (const path of ['/scoring/', '/scoring/docs']) {
    const response = await app.request(path);
    const named = [...(await response.text()).matchAll(/(?:href|src)="(?!data:|#)([^"]+)"/g)].map(
      ([, way]) => new URL(way, `http://localhost${path}`).pathname,
    );
    expect(named.length).toBeGreaterThan(4);
    // the path of the mount leads to the one with a slash
    for (const way of named)
      expect([way, (await app.request(way)).status]).toEqual([way, way === '/scoring' ? 308 : 200]);
  }
});

test('the console is told what was counted, of all models and of one', async () => {
  const { ask } = serviceOf('codes', 'rich');
  await ask('/models/codes/score', '{"code":"2","x":1}', JSON_TYPE);
  await ask('/models/codes/score', '{"code":"2","x":"far"}', JSON_TYPE);
  await ask('/models/none/score', '{}', JSON_TYPE);
  const told = await (await ask('/console.json?model=codes')).json();
  expect(told).toMatchObject({ ready: true, failures: [], matches: 2 });
  expect(
    told.models.map(({ name, requests, refused, failed, rows }: Record<string, unknown>) => [
      name,
      requests,
      refused,
      failed,
      rows,
    ]),
  ).toEqual([
    ['codes', 2, 1, 0, 2],
    ['rich', 0, 0, 0, 0],
  ]);
  expect(told.models[0].sha256).toBe(models.codes.sha256);
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const { all, chosen } = told;
  expect([all.requests, all.refused, chosen.requests]).toEqual([3, 2, 2]);
  expect(sum(chosen.times.whole)).toBe(2);
  expect(sum(chosen.times.score)).toBe(1);
  expect(chosen.ends).toHaveLength(chosen.times.whole.length - 1);
  expect(models.codes.score(chosen.example).label).toBeDefined();
});

test('of many models the console is told a page, and those that are searched for', async () => {
  const { service, ask } = serviceWith({});
  for (let i = 0; i < 300; i++) service.models.put({ name: `m${i}`, model: models.codes });
  const names = async (query: string) => {
    const { models: told, matches } = await (await ask(`/console.json?${query}`)).json();
    return [matches, told.length, told[0]?.name ?? null];
  };
  expect(await names('from=40&count=20')).toEqual([300, 20, 'm40']);
  expect(await names('search=M29')).toEqual([11, 11, 'm29']);
  expect(await names('search=none')).toEqual([0, 0, null]);
  expect(await names('from=-1&count=1e9')).toEqual([300, 100, 'm0']);
  // counters of the first hundred begin at 0; to look at models is not to count them
  const counted = (await (await ask('/metrics')).text()).match(/^lr_rows_total\{model="m.*$/gm);
  expect(counted).toHaveLength(100);
  expect(counted!.every((line) => line.endsWith(' 0'))).toBe(true);
});

test('a model is told by its name', async () => {
  const { ask } = serviceOf('codes');
  const told = await (await ask('/models/codes')).json();
  expect(told).toMatchObject({ name: 'codes', sha256: models.codes.sha256, classes: models.codes.manifest.classes });
  expect((await ask('/models/none')).status).toBe(404);
});

test('counts of all models have a path of their own, which no model hides', async () => {
  const { ask } = serviceOf('codes');
  await ask('/models/codes/score', '{"code":"2","x":1}', JSON_TYPE);
  const { model_stats: counts } = await (await ask('/v2/models/stats')).json();
  expect(counts).toMatchObject([{ name: 'codes', inference_count: 1 }]);
  expect(await (await ask('/metrics')).text()).toMatch(
    /lr_request_duration_seconds_count\{model="codes",version="\w+"\} 1\n/,
  );
});
