// The watch of real processes: it outlives them, several are one, and what a kill has lost is said.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { loadModel, saveModel } from 'logodds';
import { withBaseline } from 'logodds/monitor';
import { expect, test } from 'vitest';
import { sweep } from '../full.ts';
import { ask, MODEL, metric, services } from './serve.ts';

const { serve, path } = services();
const RECORDS = Array.from({ length: 40 }, (_, i) => ({ code: String(1 + (i % 2)), x: (i % 7) / 2 }));
const bare = loadModel(readFileSync(MODEL));
const [no, yes] = bare.manifest.classes;
const based = path('based.safetensors');
writeFileSync(based, saveModel(withBaseline(bare, RECORDS)));

const M = `codes=${based}`;
const score = (url: string, rows: unknown = RECORDS, model = 'codes') =>
  ask(`${url}/models/${model}/score`, { body: JSON.stringify(rows) });
const report = async (url: string, model = 'codes') => JSON.parse((await ask(`${url}/models/${model}/watch`)).body);
const rowsOf = ({ versions }: { versions: { counts: { rows: number } }[] }) =>
  versions.reduce((sum, { counts }) => sum + counts.rows, 0);
/** Looks until something is so. */
async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('without a flag a tenth of the requests to a model with a baseline is watched, and rows are counted of all', async () => {
  const { url } = await serve([M, `bare=${MODEL}`, '--no-grpc']);
  for (let i = 0; i < 60; i++) await score(url, RECORDS.slice(0, 2));
  await score(url, RECORDS, 'bare');
  const { versions, sample } = await report(url);
  expect(sample).toBe(0.1);
  const [{ counts, watch }] = versions;
  expect(counts.rows).toBe(120);
  expect(counts.left + watch.rows).toBe(120);
  expect(counts.left).toBeGreaterThan(60);
  expect((await ask(`${url}/models/bare/watch`)).status).toBe(404);
});

test('--no-watch has no route of it, and labels that nobody keeps are refused', async () => {
  const { url } = await serve([M, '--no-grpc', '--no-watch']);
  await score(url);
  expect((await ask(`${url}/models/codes/watch`)).status).toBe(404);
  expect((await ask(`${url}/watch`)).status).toBe(404);
  const refused = await ask(`${url}/models/codes/labels`, { body: JSON.stringify([{ id: 'a', label: yes }]) });
  expect(refused.status).toBe(501);
  expect((await ask(`${url}/metrics`)).body).not.toContain('lr_watch_');
});

test('a watch goes on after the end of its process; labels find scores of the process before', async () => {
  const args = [M, '--no-grpc', '--watch', '--watch-state', path('kept'), '--watch-ripe', '0'];
  const first = await serve(args);
  const { id } = JSON.parse((await score(first.url)).body);
  first.child.kill('SIGTERM');
  expect((await first.ended).code).toBe(0);
  const { url } = await serve(args);
  const labels = RECORDS.map((_, i) => ({ id: `${id}/${i}`, label: i % 2 ? yes : no }));
  expect(JSON.parse((await ask(`${url}/models/codes/labels`, { body: JSON.stringify(labels) })).body).accepted).toBe(
    40,
  );
  await score(url);
  const seen = await report(url);
  expect(rowsOf(seen)).toBe(80);
  expect(seen.versions[0].watch.labels).toMatchObject({ labelled: 40, missing: 0.5 });
  expect(seen.notes).toEqual([]);
  expect(await metric(url, 'lr_watch_scored_rows_total')).toBe(80);
});

test.each(Array.from({ length: sweep(2, 6) }, (_, i) => i))(
  'killed at any time, it loses at most what came after its last state, says how much, and no label (%i)',
  async (round) => {
    const folder = path(`killed${round}`);
    const args = [M, '--no-grpc', '--watch', '--watch-state', folder];
    const first = await serve(args);
    const { id } = JSON.parse((await score(first.url)).body);
    const whole = () => JSON.parse(readFileSync(`${folder}/watch-1.json`, 'utf8')).rows;
    await until(
      async () => readdirSync(folder),
      (names) => names.includes('watch-1.json'),
    );
    await until(
      async () => whole(),
      (rows) => rows === 40,
    );
    let sent = 40;
    for (let i = 0; i < 10 * round + 5; i++) sent += JSON.parse((await score(first.url)).body).scores.length;
    const label = [{ id: `${id}/0`, label: yes }];
    expect((await ask(`${first.url}/models/codes/labels`, { body: JSON.stringify(label) })).status).toBe(200);
    first.child.kill('SIGKILL');
    await first.ended;
    const saved = whole();
    const { url, log } = await serve(args);
    const seen = await report(url);
    expect(rowsOf(seen)).toBe(saved);
    const lost = sent - saved;
    const said = { what: 'rows lost when the process was killed', count: lost };
    expect(seen.notes).toEqual(lost > 0 ? [said] : []);
    if (lost > 0) expect(log()).toContain(`${lost.toLocaleString('en-US')} rows were lost when the process was killed`);
    // an answer was given: it is kept
    expect(seen.versions[0].watch.labels.labelled).toBe(1);
  },
);

test('several processes are one: any of them says the same, and a label finds the score of another one', async () => {
  const { url, child, ended } = await serve([M, '--no-grpc', '--watch', '--workers', '2']);
  const ids: string[] = [];
  // each question has a connection of its own, which either process may take
  for (let i = 0; i < 60; i++) ids.push(JSON.parse((await score(url, RECORDS[i % 40])).body).id);
  for (const id of ids) await ask(`${url}/models/codes/labels`, { body: JSON.stringify([{ id, label: yes }]) });
  const isAll = (seen: { versions?: { counts: { rows: number }; watch: { labels: { labelled: number } } }[] }) =>
    seen.versions?.length === 1 && seen.versions[0].counts.rows === 60 && seen.versions[0].watch.labels.labelled === 60;
  for (let i = 0; i < 6; i++) await until(() => report(url), isAll);
  for (let i = 0; i < 6; i++) expect(await metric(url, 'lr_watch_scored_rows_total')).toBe(60);
  child.kill('SIGTERM');
  expect((await ended).code).toBe(0);
});

test('fewer processes than before take over what the others have seen', async () => {
  const folder = path('fewer');
  const args = [M, '--no-grpc', '--watch', '--watch-state', folder];
  const several = await serve([...args, '--workers', '3']);
  for (let i = 0; i < 40; i++) await score(several.url, RECORDS[i]);
  await until(
    () => report(several.url),
    (seen) => rowsOf(seen) === 40,
  );
  several.child.kill('SIGTERM');
  await several.ended;
  const { url } = await serve(args);
  expect(rowsOf(await report(url))).toBe(40);
  await score(url, RECORDS[0]);
  const names = await until(
    async () => readdirSync(folder),
    (found) => !['watch-2.json', 'watch-3.json'].some((name) => found.includes(name)),
  );
  expect(names.filter((name) => /^watch-\d+\.json$/.test(name))).toEqual(['watch-1.json']);
  expect(rowsOf(await report(url))).toBe(41);
});

test('a state that is none is kept under another name and said; the service answers', async () => {
  const folder = path('damaged');
  mkdirSync(folder);
  for (const [text, name] of [
    ['{"format":1', 'half'],
    ['{"format":1,"rows":3,"state":{"kind":"watcher","watches":[{"sha256":"x"}],"waiting":[],"notes":{}}}', 'other'],
  ]) {
    writeFileSync(`${folder}/watch-1.json`, text);
    const { url, log, child, ended } = await serve([M, '--no-grpc', '--watch', '--watch-state', folder]);
    await score(url);
    expect(rowsOf(await report(url)), name).toBe(40);
    if (name === 'half') {
      expect(log()).toContain('watch-1.json.damaged');
      expect(readFileSync(`${folder}/watch-1.json.damaged`, 'utf8')).toBe(text);
    }
    child.kill('SIGKILL');
    await ended;
  }
  // a second one does not replace the first
  writeFileSync(`${folder}/watch-1.json`, '{"format":2');
  const { log } = await serve([M, '--no-grpc', '--watch', '--watch-state', folder]);
  await until(
    async () => log(),
    (said) => said.includes('watch-1.json.damaged-2'),
  );
  expect(readFileSync(`${folder}/watch-1.json.damaged`, 'utf8')).toBe('{"format":1');
  expect(readFileSync(`${folder}/watch-1.json.damaged-2`, 'utf8')).toBe('{"format":2');
});

test('a folder that another service writes is refused when it was asked for; beside a log the service goes on without, and says so', async () => {
  const folder = path('log');
  await serve([M, '--no-grpc', '--log', folder, '--watch']).then(({ url }) => score(url));
  await until(async () => existsSync(`${folder}/watch/watch-1.json`), Boolean);
  const refused = await serve([M, '--no-grpc', '--watch-state', `${folder}/watch`]).catch((error) => error.message);
  expect(refused).toContain('--watch-state');
  const { url, log } = await serve([M, '--no-grpc', '--log', folder, '--watch']);
  expect((await score(url)).status).toBe(200);
  expect((await ask(`${url}/models/codes/watch`)).status).toBe(404);
  expect(log()).toContain(
    `nothing is watched by this process: ${folder}/watch: expected a file that nobody else writes`,
  );
  expect(await metric(url, 'lr_watch_off')).toBe(1);
});

test('of two services that begin with one log at once the second says that it does not watch', async () => {
  const folder = path('twice');
  const [one, two] = [
    await serve([M, '--no-grpc', '--log', folder, '--watch']),
    await serve([M, '--no-grpc', '--log', folder, '--watch']),
  ];
  await score(one.url);
  await until(async () => existsSync(`${folder}/watch/watch-1.json`), Boolean);
  await score(two.url);
  await until(
    async () => two.log(),
    (said) => said.includes('nothing is watched by this process'),
  );
  expect(await metric(one.url, 'lr_watch_off')).toBe(0);
  expect(await metric(two.url, 'lr_watch_off')).toBe(1);
});

test('a state that cannot be written is said by its folder, and the next process does not call it a kill', async () => {
  const folder = path('unwritable');
  const args = [M, '--no-grpc', '--watch', '--watch-state', folder];
  const first = await serve(args);
  // what a full disk does: the file cannot be written
  mkdirSync(`${folder}/watch-1.json.part`);
  await score(first.url);
  await until(
    async () => first.log(),
    (said) => said.includes(`the state of the watch in ${folder} cannot be written`),
  );
  first.child.kill('SIGTERM');
  expect((await first.ended).code).toBe(0);
  rmdirSync(`${folder}/watch-1.json.part`);
  const { log } = await serve(args);
  await until(
    async () => log(),
    (said) => said.includes('40 rows were lost when the state could not be written'),
  );
  expect(log()).not.toContain('killed');
});

test('the age of a feature that a model does not have is said when it is scored', async () => {
  const { url, log } = await serve([M, '--no-grpc', '--watch', '--watch-age', 'y=y_at']);
  await score(url);
  await until(
    async () => log(),
    (said) => said.includes('--watch-age: expected features of codes'),
  );
  expect(
    JSON.parse(
      log()
        .split('\n')
        .find((line) => line.includes('--watch-age'))!,
    ).reason,
  ).toContain('got "y"; their age is not watched');
});

test('options that are none are refused by name', async () => {
  const wrong = [
    ['--watch-sample', '2'],
    ['--watch-window', '1'],
    ['--watch-keep', '0'],
  ];
  for (const [flag, value] of wrong) {
    const failed = await serve([M, '--no-grpc', flag, value]).catch((error) => error.message);
    expect(failed).toContain(flag);
  }
});

test.each([1, 2])('alerts inside are about what the watch has seen, in %i processes', async (workers) => {
  const slo = path(`slo-${workers}.json`);
  writeFileSync(
    slo,
    JSON.stringify({
      period: '12h',
      objectives: { availability: {} },
      conditions: { featureDrift: { lasting: '0s' } },
    }),
  );
  const { url } = await serve([
    ...[M, '--no-grpc', '--watch', '--watch-state', path(`alerts-${workers}`), '--watch-window', '2'],
    ...['--slo', slo, '--workers', String(workers)],
  ]);
  // x has moved by far
  const moved = Array.from({ length: 400 }, (_, i) => ({ code: String(1 + (i % 2)), x: 20 + (i % 7) / 2 }));
  await score(url, moved);
  const alerts = await until(
    async () => JSON.parse((await ask(`${url}/alerts`)).body).alerts as { alert: string; labels: object }[],
    (seen) => seen.some(({ alert }) => alert === 'LogoddsFeatureDrift'),
  );
  expect(alerts).toContainEqual(
    expect.objectContaining({
      alert: 'LogoddsFeatureDrift',
      labels: expect.objectContaining({ model: 'codes', feature: 'x' }),
    }),
  );
});
