// What a service sees of its own scores: the same as a watch of the same rows, whatever the protocol, version and arm.
import * as api from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { loadModel, saveModel } from 'logodds';
import { modelWatch, withBaseline } from 'logodds/monitor';
import { expect, test } from 'vitest';
import {
  createService,
  Routing,
  type ServiceOptions,
  Watcher,
  type WatchScoresOptions,
  watchApi,
  watchScores,
} from '../../service/src/index.ts';
import { digest, tokens } from './access.ts';
import { bytes, JSON_TYPE, models } from './models.ts';
import { privateModel, RECORD, SECRET, SECRET_NUMBER } from './observation/private.ts';

const DAY = 86_400_000;
const NOW = 20_000 * DAY + 5000;
const RECORDS = Array.from({ length: 40 }, (_, i) => ({ code: String(1 + (i % 2)), x: (i % 7) / 2 }));
const BASED = saveModel(withBaseline(models.codes, RECORDS));
const MODEL = loadModel(BASED);
const LINES = { 'content-type': 'application/x-ndjson' };

/** A service that watches, by a clock that is set. */
function watched(options: WatchScoresOptions = {}, more: ServiceOptions = {}) {
  const clock = { now: NOW };
  const watch = watchScores({ watch: { least: 5 }, now: () => clock.now, ...options });
  const service = createService({
    models: [
      { name: 'codes', version: '1', model: BASED },
      { name: 'bare', version: '1', model: bytes.codes },
    ],
    watch,
    extensions: [watchApi],
    ...more,
  });
  const ask = (path: string, body?: unknown, headers: Record<string, string> = JSON_TYPE) =>
    service.fetch(
      new Request(`http://localhost${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
        headers,
      }),
    );
  const report = async () =>
    (await (await ask('/models/codes/watch')).json()) as Awaited<ReturnType<typeof watch.report>> & {};
  return { watch, service, ask, report, clock };
}

test('rows of every protocol are seen once, as a watch of the same rows sees them', async () => {
  const { ask, report } = watched();
  const tensors = [
    { name: 'code', shape: [2], datatype: 'BYTES', data: ['2', '1'] },
    { name: 'x', shape: [2], datatype: 'FP64', data: [0.5, null] },
  ];
  const [A, B] = [
    { code: '2', x: 0.5 },
    { code: '1', x: null },
  ];
  await ask('/models/codes/score', A);
  await ask('/models/codes/score', [A, { code: '2', x: 'no' }, B]);
  await (await ask('/models/codes/score', `${JSON.stringify(A)}\n${JSON.stringify(B)}\n`, LINES)).text();
  await ask('/v1/models/codes:predict', { instances: [A, B] });
  await ask('/v2/models/codes/infer', { inputs: tensors });
  await (await ask('/models/codes/score', 'code,x\n2,0.5\n', { 'content-type': 'text/csv' })).text();
  const { versions } = await report();
  expect(versions).toHaveLength(1);
  expect(versions[0]).toMatchObject({ name: 'codes', version: '1', route: null, sha256: MODEL.sha256 });
  // nobody has said how CSV is read
  expect(versions[0].counts).toEqual({ rows: 11, refused: 1, left: 0, unread: 1 });
  const [window] = versions[0].watch.windows;
  expect(window).toMatchObject({ rows: 10, drift: { rows: { current: 9 } } });
  const same = modelWatch(MODEL, { least: 5 });
  for (const [i, record] of [A, A, B, A, B, A, B, A, B].entries())
    same.add({ at: NOW, id: `${i}`, entity: null, ...ofModel, ...model(record), inputs: record });
  const [expected] = same.report(NOW).windows;
  expect(window.features).toEqual(expected.features.map((feature) => ({ ...feature })));
});

test('ages of values: of the features that a model has, as counters; of others it is said', async () => {
  const eventTimes = { x: 'x_at', elsewhere: 'y_at' };
  const { ask, report, watch } = watched({ watch: { least: 5, eventTimes, maxAgeMs: 3_600_000 } });
  const aged = (hours: number) => ({ code: '2', x: 0.5, x_at: new Date(NOW - 3_600_000 * hours).toISOString() });
  for (const hours of [0, 0.5, 2, 3]) await ask('/models/codes/score', aged(hours));
  await ask('/models/codes/score', { code: '2', x: 0.5 });
  const found = await report();
  expect(found.versions[0].watch.freshness).toMatchObject([{ feature: 'x', count: 4, stale: 2, untimed: 1 }]);
  expect(found.notes).toContainEqual({
    what: 'features whose age is to be watched that a model does not have',
    count: 1,
  });
  const figures = (await watch.figures()).filter(({ name }) => /_(timed|stale)_rows_total$/.test(name));
  expect(figures.map(({ name, type, values }) => [name, type, values[0].labels['feature'], values[0].value])).toEqual([
    ['lr_feature_timed_rows_total', 'counter', 'x', 4],
    ['lr_feature_stale_rows_total', 'counter', 'x', 2],
  ]);
});

const ofModel = { model: 'codes', version: '1', sha256: MODEL.sha256!, route: null };
const model = (record: object) => {
  const { logit, probability, label } = MODEL.score(record);
  return { logit, probability, label };
};

test('a model without a baseline is not watched unless all are, and the report says so', async () => {
  const { ask } = watched();
  await ask('/models/bare/score', RECORDS);
  const refused = await ask('/models/bare/watch');
  expect(refused.status).toBe(404);
  expect((await refused.json()).code).toBe('ERR_WATCH');
  expect((await ask('/models/none/watch')).status).toBe(404);
  const all = watched({ models: 'all' });
  await all.ask('/models/bare/score', RECORDS);
  const { versions } = await (await all.ask('/models/bare/watch')).json();
  expect(versions[0].watch.windows[0]).toMatchObject({ rows: 40, drift: null });
  expect(versions[0].watch.notes[0].what).toContain('no baseline');
});

test('labels join by id whenever they come: before the score, late, corrected; others wait and are told of', async () => {
  const { ask, report, clock } = watched({ watch: { least: 5, ripeAfterMs: DAY } });
  const label = (id: string, said: string, at = NOW + 1000) =>
    ask('/models/codes/labels', [{ id, label: said, at: new Date(at).toISOString() }]);
  const [no, yes] = MODEL.manifest.classes;
  await label('r/0', yes, NOW);
  await ask('/models/codes/score', RECORDS, { ...JSON_TYPE, 'x-request-id': 'r' });
  for (let i = 1; i < 20; i++) await label(`r/${i}`, i % 3 === 0 ? yes : no);
  await label('r/1', yes, NOW + 2000);
  await label('other', yes);
  clock.now = NOW + 3 * DAY;
  const { versions, notes } = await report();
  const { labels, windows } = versions[0].watch;
  expect(labels).toMatchObject({
    labelled: 20,
    missing: 0.5,
    join: { correctedLabels: 1, labelsWithoutPrediction: 0 },
  });
  expect(windows[0].performance).toMatchObject({ isRipe: true, labelled: 20 });
  expect(windows[0].performance.realised?.baseRate).toBe(8 / 20);
  expect(notes).toEqual([{ what: 'labels without a score', count: 1 }]);
});

test('versions and arms are watched apart, and a shadow is not mixed in', async () => {
  const routing = new Routing();
  const { ask, report, service } = watched({}, { routing });
  const other = saveModel(withBaseline(models.codes, RECORDS.slice(0, 30)));
  service.models.put({ name: 'codes', version: '2', model: other });
  routing.set({
    ...{ name: 'codes', id: '1', salt: '1', key: null },
    champion: { model: 'codes', version: '1' },
    arms: [{ name: 'challenger', model: 'codes', version: '2', share: 0.5 }],
    shadow: { model: 'codes', version: '2' },
  });
  for (let i = 0; i < 60; i++)
    await ask('/models/codes/score', RECORDS[i % 40], { ...JSON_TYPE, 'x-logodds-key': `${i}` });
  const { versions } = await report();
  const rows = Object.fromEntries(versions.map(({ version, route, counts }) => [`${version} ${route}`, counts.rows]));
  expect(Object.keys(rows).sort()).toEqual(['1 champion', '2 challenger']);
  expect(rows['1 champion'] + rows['2 challenger']).toBe(60);
  expect(rows['2 challenger']).toBeGreaterThan(10);
});

test('rows of requests that the sample leaves out are counted, and their labels do not wait', async () => {
  const { ask, report } = watched({ sample: 0.5 });
  for (let i = 0; i < 200; i++)
    await ask('/models/codes/score', RECORDS.slice(0, 2), { ...JSON_TYPE, 'x-request-id': `r${i}` });
  const { versions, sample } = await report();
  const { counts, watch } = versions[0];
  expect(sample).toBe(0.5);
  expect(counts.rows).toBe(400);
  expect(counts.left + watch.rows).toBe(400);
  expect(counts.left).toBeGreaterThan(100);
  const [said] = MODEL.manifest.classes;
  const at = new Date(NOW + 1000).toISOString();
  await ask(
    '/models/codes/labels',
    Array.from({ length: 200 }, (_, i) => ({ id: `r${i}/1`, label: said, at })),
  );
  const after = await report();
  expect(after.versions[0].watch.labels.labelled).toBe(watch.rows / 2);
  // an id with a number behind it may be that of a request whose only row has it: its label waits
  expect(after.notes.map(({ what }) => what)).toEqual([
    'labels without a score',
    'labels of requests that the sample leaves out',
  ]);
  expect(after.notes[0].count + after.notes[1].count).toBe(counts.left / 2);
});

test('the figures are in /metrics by model, version and arm, and are those of the report', async () => {
  const { ask, clock, report } = watched();
  await ask('/models/codes/score', RECORDS);
  clock.now = NOW + DAY;
  const text = await (await ask('/metrics')).text();
  const { drift } = (await report()).versions[0].watch.windows[0];
  const line = `lr_drift_psi{model="codes",version="1",route="",feature="x"} ${drift!.features.find(({ feature }) => feature === 'x')!.tests.psi!.value}\n`;
  expect(text).toContain(line);
  expect(text).toContain('lr_watch_scored_rows_total{model="codes",version="1",route=""} 40\n');
  for (const name of ['lr_drift_psi', 'lr_watch_rows']) expect(text.split(`# TYPE ${name} `)).toHaveLength(2);
  expect(text).not.toMatch(/ (NaN|null|undefined|-?Infinity)\n/);
});

test('four processes that have seen parts are one that has seen all, in any order; a label that came elsewhere finds its score', async () => {
  const whole = watched();
  const parts = Array.from({ length: 4 }, () => watched());
  for (let i = 0; i < 40; i++) {
    const headers = { ...JSON_TYPE, 'x-request-id': `r${i}` };
    for (const { ask } of [whole, parts[i % 4]]) await ask('/models/codes/score', RECORDS[i], headers);
    const label = [{ id: `r${i}`, label: MODEL.manifest.classes[i % 2], at: new Date(NOW + 1000).toISOString() }];
    for (const { ask } of [whole, parts[(i + 1) % 4]]) await ask('/models/codes/labels', label);
  }
  const options = { model: () => MODEL };
  const merged = (order: readonly number[]) => {
    const all = new Watcher(options);
    for (const k of order) all.merge(Watcher.from(JSON.parse(JSON.stringify(parts[k].watch)), options));
    return all.report('codes', NOW + DAY);
  };
  whole.clock.now = NOW + DAY;
  const expected = await whole.report();
  for (const order of [
    [0, 1, 2, 3],
    [3, 1, 0, 2],
  ])
    expect(JSON.parse(JSON.stringify(merged(order)))).toEqual(expected);
});

test('a watch goes on from the state of another one when its model is there', async () => {
  const first = watched();
  await first.ask('/models/codes/score', RECORDS.slice(0, 20), { ...JSON_TYPE, 'x-request-id': 'a' });
  const state = JSON.parse(JSON.stringify(first.watch));
  const second = watched({ state });
  // nothing is lost where it is saved before its model has come
  expect(JSON.parse(JSON.stringify(second.watch)).watches).toEqual(state.watches);
  await second.ask('/models/codes/score', RECORDS.slice(20), { ...JSON_TYPE, 'x-request-id': 'b' });
  const whole = watched();
  await whole.ask('/models/codes/score', RECORDS.slice(0, 20), { ...JSON_TYPE, 'x-request-id': 'a' });
  await whole.ask('/models/codes/score', RECORDS.slice(20), { ...JSON_TYPE, 'x-request-id': 'b' });
  expect(await second.report()).toEqual(await whole.report());
});

test('the description of the API is valid, and answers are as it says', async () => {
  const { ask } = watched();
  await ask('/models/codes/score', RECORDS);
  const described = await (await ask('/openapi.json')).json();
  expect((await new Validator().validate(structuredClone(described))).errors ?? []).toEqual([]);
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema({ $id: 'api', components: described.components });
  for (const [path, template] of [
    ['/models/codes/watch', '/models/{model}/watch'],
    ['/models/codes', '/models/{model}'],
  ]) {
    const { schema } = described.paths[template].get.responses[200].content['application/json'];
    const check = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')));
    const answer = await (await ask(path)).json();
    check(answer);
    expect(check.errors).toBeNull();
  }
  const [drift] = (await (await ask('/models/codes')).json()).drift;
  expect(drift).toMatchObject({ version: '1', route: null, rows: 40, drifted: [] });
  expect(described.paths['/models/{model}/watch'].get.parameters[0].example).toBe('codes');
});

test('a key needs the scope to read a model to see what was watched; the page is open and has nothing of models', async () => {
  const reader = { name: 'own', sha256: digest('key-of-own'), scopes: ['read:codes'] };
  const { ask } = watched({}, { access: { tokens: tokens([reader]) } });
  const by = (name: string) => ({ ...JSON_TYPE, authorization: `Bearer key-of-${name}` });
  await ask('/models/codes/score', RECORDS, by('scorer'));
  expect((await ask('/models/codes/watch', undefined, by('own'))).status).toBe(200);
  expect((await ask('/models/codes/watch', undefined, by('scorer'))).status).toBe(403);
  expect((await ask('/models/codes/watch')).status).toBe(401);
  for (const path of ['/watch', '/watch.js', '/watch.css']) {
    const page = await ask(path);
    expect(page.status).toBe(200);
    expect(await page.text()).not.toContain('codes');
  }
});

test('private inputs are watched and never told', async () => {
  const others = Array.from({ length: 20 }, (_, i) => ({ ...RECORD, person: `p${i}`, income: 1000 + i }));
  const based = saveModel(withBaseline(loadModel(privateModel), others));
  const watch = watchScores({ watch: { least: 1 } });
  const service = createService({ models: [{ name: 'p', model: based }], watch, extensions: [watchApi] });
  const post = (path: string, body?: object) =>
    service.fetch(
      new Request(
        `http://localhost${path}`,
        body ? { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) } : {},
      ),
    );
  expect((await post('/models/p/score', [RECORD, { ...RECORD, income: 5 }])).status).toBe(200);
  const told = (await (await post('/models/p/watch')).text()) + (await (await post('/metrics')).text());
  expect(told).toContain('"rows":2');
  for (const secret of [SECRET, String(SECRET_NUMBER)]) expect(told).not.toContain(secret);
});

test('what cannot be watched is counted, and what is asked is answered', async () => {
  const { watch, ask, report } = watched({ watch: { least: 5, every: { ms: DAY }, keep: 1 } });
  expect((await ask('/models/codes/score', RECORDS)).status).toBe(200);
  expect((await ask('/models/codes/score', [{ x: 'no' }, null, 3])).status).toBe(200);
  expect((await ask('/models/codes/labels', [{ id: 'x', label: 'no class' }, 5])).status).toBe(200);
  const { versions, notes } = await report();
  expect(versions[0].counts).toEqual({ rows: 43, refused: 3, left: 0, unread: 0 });
  expect(notes).toEqual([]);
  expect((await watch.figures()).length).toBeGreaterThan(3);
  const wrong = watched({ watch: { keep: 0 } });
  expect((await wrong.ask('/models/codes/score', RECORDS)).status).toBe(200);
  expect((await wrong.ask('/models/codes/watch')).status).toBe(404);
  expect((await wrong.watch.toJSON()).notes).toEqual({
    'rows of models that cannot be watched: keep: expected a whole number from 1, got 0; give a count': 1,
  });
});

test('a program that exports metrics by OpenTelemetry exports the figures too', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e6 });
  const provider = new MeterProvider({ readers: [reader] });
  const telemetry = { ...api, metrics: { getMeter: (name: string) => provider.getMeter(name) } };
  const { ask, clock, watch } = watched({}, { telemetry });
  await ask('/models/codes/score', RECORDS);
  clock.now = NOW + DAY;
  // the first export sees which figures there are
  await provider.forceFlush();
  exporter.reset();
  await provider.forceFlush();
  const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  const points = (name: string) =>
    metrics
      .find(({ descriptor }) => descriptor.name === name)!
      .dataPoints.map(({ attributes, value }) => [attributes['logodds.feature'], value]);
  const figures = await watch.figures();
  const psi = figures.find(({ name }) => name === 'lr_drift_psi')!.values;
  expect(points('logodds.drift_psi')).toEqual(psi.map(({ labels, value }) => [labels['feature'], value]));
  expect(points('logodds.watch_scored_rows')).toEqual([[undefined, 40]]);
  expect(points('logodds.watch.models')).toEqual([[undefined, 1]]);
  await provider.shutdown();
});
