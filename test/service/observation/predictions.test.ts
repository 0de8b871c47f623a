import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { CsvReader } from '../../../cli/src/serve/observation/csvPieces.ts';
import { PredictionFiles } from '../../../cli/src/serve/observation/predictionFiles.ts';
import { RotatingLines } from '../../../cli/src/serve/observation/rotating.ts';
import { placeHere } from '../../../cli/src/write/temporary.ts';
import {
  createService,
  PredictionLines,
  type PredictionLogOptions,
  Routing,
  type Scored,
  type StreamEnd,
} from '../../../service/src/index.ts';
import { bytes, JSON_TYPE, models, serviceWith } from '../models.ts';
import { privateModel, RECORD, SECRET, SECRET_NUMBER } from './private.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A service, and the lines of what it has scored. */
function logged(options: Omit<PredictionLogOptions, 'sink'> = {}) {
  const items: (Scored | StreamEnd)[] = [];
  const made = serviceWith(
    { predictions: { sink: { take: (item) => items.push(item) }, ...options } },
    'codes',
    'classes',
  );
  const lines = () => {
    const of = new PredictionLines({ entity: options.entity ?? null, csv: (by) => new CsvReader(by) });
    // as another thread gets them
    const all = items.flatMap((item) => of.of(structuredClone(item)));
    expect(of.unmatched).toBe(0);
    return all;
  };
  return { ...made, items, lines };
}

const ID = { 'x-request-id': 'r1' };
const CSV = { 'content-type': 'text/csv', ...ID };
const LINES = { 'content-type': 'application/x-ndjson', ...ID };
const [A, B] = [
  { code: '2', x: 0.5 },
  { code: '1', x: null },
];
const expected = (id: string, record: object, inputs: object = record) => {
  const { logit, probability, label } = models.codes.score(record);
  return {
    id,
    logit,
    probability,
    label,
    inputs,
    model: 'codes',
    sha256: models.codes.sha256,
    entity: null,
    route: null,
  };
};

/** A body in pieces. */
const pieces = (text: string, size: number) =>
  new ReadableStream({
    start(controller) {
      const all = new TextEncoder().encode(text);
      for (let at = 0; at < all.length; at += size) controller.enqueue(all.slice(at, at + size));
      controller.close();
    },
  });

test('a line has the rollout that its arm is of; without one it has none', async () => {
  const items: (Scored | StreamEnd)[] = [];
  const routing = new Routing();
  const service = createService({
    routing,
    predictions: { sink: { take: (item) => items.push(item) } },
    models: [{ name: 'codes', version: '1', model: bytes.codes }],
  });
  const champion = { model: 'codes', version: '1' };
  const plain = { name: 'codes', champion, arms: [], salt: 's', key: null };
  for (const route of [
    { ...plain, id: 'version 1' },
    { ...plain, id: '7', shadow: champion },
  ]) {
    routing.set(route);
    const request = { method: 'POST', body: JSON.stringify(A), headers: JSON_TYPE };
    await service.fetch(new Request('http://localhost/models/codes/score', request));
  }
  const of = new PredictionLines();
  const lines = items.flatMap((item) => of.of(structuredClone(item)));
  expect(lines.map(({ route, rollout }) => [route, rollout])).toEqual([
    ['champion', undefined],
    ['champion', '7'],
  ]);
  routing.close();
});

test('a line has the scores of model.score, whatever the protocol; a row among several has its number', async () => {
  const { ask, lines, items } = logged();
  await ask('/models/codes/score', JSON.stringify(A), { ...JSON_TYPE, ...ID });
  await ask('/models/codes/score', JSON.stringify([A, { code: '2', x: 'no' }, B]), { ...JSON_TYPE, ...ID });
  await ask('/models/codes/score', JSON.stringify({ records: [A] }), { ...JSON_TYPE, ...ID });
  await ask('/invocations?x', JSON.stringify({ instances: [A] }), { ...JSON_TYPE, ...ID });
  await ask('/v1/models/codes:predict', JSON.stringify({ instances: [A, B] }), { ...JSON_TYPE, ...ID });
  const tensors = [
    { name: 'code', shape: [2], datatype: 'BYTES', data: ['2', '1'] },
    { name: 'x', shape: [2], datatype: 'FP64', data: [0.5, null] },
  ];
  await ask('/v2/models/codes/infer', JSON.stringify({ inputs: tensors }), ID);
  expect(lines()).toMatchObject([
    expected('r1', A),
    expected('r1/0', A),
    expected('r1/2', B),
    expected('r1', A),
    ...[expected('r1/0', A), expected('r1/1', B)],
    ...[expected('r1/0', A), expected('r1/1', B)],
  ]);
  expect(items.every((item) => item.kind === 'scored')).toBe(true);
});

test('scores of a table are copied: the next request writes where they were', async () => {
  const { ask, lines } = logged();
  for (const x of [0.5, 1.5]) {
    const inputs = [
      { name: 'code', shape: [1], datatype: 'BYTES', data: ['2'] },
      { name: 'x', shape: [1], datatype: 'FP64', data: [x] },
    ];
    await ask('/v2/models/codes/infer', JSON.stringify({ inputs }), ID);
  }
  expect(lines()).toMatchObject([expected('r1', { code: '2', x: 0.5 }), expected('r1', { code: '2', x: 1.5 })]);
});

test.each([1, 3, 7, 1000])('streams whose pieces have %i bytes: each row has its inputs', async (size) => {
  const { service, lines, items } = logged();
  const ask = async (body: string, headers: Record<string, string>) => {
    const init = { method: 'POST', body: pieces(body, size), headers, duplex: 'half' };
    await (await service.fetch(new Request('http://x/models/codes/score', init as RequestInit))).text();
  };
  await ask(`${JSON.stringify(A)}\n\n{"code":"2","x":"no"}\nnone\n${JSON.stringify(B)}`, LINES);
  await ask('sep=;\nx;"code";more\r\n0.5;"2";"a\nb ""c"""\r\nNA;1;\n', CSV);
  expect(lines()).toMatchObject([
    expected('r1/0', A),
    expected('r1/3', B),
    ...[expected('r1/0', A), expected('r1/1', B)],
  ]);
  expect(items.filter(({ kind }) => kind === 'end')).toHaveLength(2);
});

test('a piece may have more lines than a call may have arguments', async () => {
  const { ask, lines } = logged();
  const count = 200_000;
  const response = await ask('/models/codes/score', '{"code":"2","x":1}\n'.repeat(count), LINES);
  await response.text();
  expect(lines().length).toBe(count);
});

test('with several classes: a logit for each, the probability of the label', async () => {
  const { ask, lines } = logged();
  const { fields } = (await (await ask('/models/classes')).json()) as {
    fields: { name: string; type: string; levels?: string[] }[];
  };
  const record = Object.fromEntries(
    fields.map(({ name, type, levels }) => [name, levels?.[0] ?? (type === 'date' ? '2024-05-03' : 1)]),
  );
  await ask('/models/classes/score', JSON.stringify(record), JSON_TYPE);
  const { logits, probability, label } = models.classes.score(record);
  expect(lines()).toMatchObject([{ logit: logits, probability, label }]);
});

test('a sample has the same requests in every replica', async () => {
  const taken = async () => {
    const { ask, lines } = logged({ sample: 0.25 });
    for (let i = 0; i < 400; i++)
      await ask('/models/codes/score', JSON.stringify(A), { ...JSON_TYPE, 'x-request-id': `req-${i}` });
    return lines().map(({ id }) => id);
  };
  const first = await taken();
  expect(first.length).toBeGreaterThan(70);
  expect(first.length).toBeLessThan(130);
  expect(await taken()).toEqual(first);
});

test('private fields and fields that are none of the model are left out; the entity is a field or a header', async () => {
  for (const [entity, wanted] of [
    [{ field: 'note' }, 'not of the model'],
    [{ field: 'person' }, null],
    [{ header: 'x-customer' }, 'c-9'],
  ] as const) {
    const items: (Scored | StreamEnd)[] = [];
    const service = createService({
      models: [{ name: 'm', model: privateModel }],
      predictions: { sink: { take: (item) => items.push(item) }, entity },
    });
    const headers = { ...JSON_TYPE, 'x-customer': 'c-9' };
    const body = JSON.stringify(RECORD);
    expect(
      (await service.fetch(new Request('http://x/models/m/score', { method: 'POST', body, headers }))).status,
    ).toBe(200);
    const of = new PredictionLines({ entity });
    const lines = items.flatMap((item) => of.of(item));
    expect(lines).toMatchObject([{ entity: wanted, inputs: { city: 'b' } }]);
    expect(Object.keys(lines[0].inputs!)).toEqual(['city']);
    for (const secret of [SECRET, String(SECRET_NUMBER)]) expect(JSON.stringify(lines)).not.toContain(secret);
  }
});

const scored = async (count: number): Promise<Scored[]> => {
  const items: (Scored | StreamEnd)[] = [];
  const service = createService({
    models: [{ name: 'codes', model: bytes.codes }],
    predictions: { sink: { take: (item) => items.push(item) } },
  });
  for (let i = 0; i < count; i++)
    await service.fetch(
      new Request('http://x/models/codes/score', { method: 'POST', body: JSON.stringify(A), headers: JSON_TYPE }),
    );
  return items as Scored[];
};

test('files end by size and by age, and a file that was taken away is begun again', () => {
  let now = 0;
  const place = join(folder, 'rotating');
  const lines = new RotatingLines({ folder: place, stem: 'p', size: 20, ageMs: 1000, now: () => now });
  for (const text of ['12345678901\n', '12345678901\n', 'third\n']) lines.write(text);
  expect(readdirSync(place)).toHaveLength(2);
  now = 1001;
  lines.write('fourth\n');
  expect(readdirSync(place)).toHaveLength(3);
  for (const name of readdirSync(place)) rmSync(join(place, name));
  lines.write('fifth\n');
  expect(readdirSync(place).map((name) => readFileSync(join(place, name), 'utf8'))).toEqual(['fifth\n']);
  rmSync(place, { recursive: true });
  lines.write('sixth\n');
  expect(readdirSync(place)).toHaveLength(1);
  lines.close();
});

test('a folder that cannot be written: what comes is dropped and told, and later lines are written again', async () => {
  const place = join(folder, 'away');
  const options = { folder: place, format: 'jsonl', entity: null, size: 1e6, ageMs: 1e6 } as const;
  const files = new PredictionFiles(options);
  const items = await scored(3);
  writeFileSync(place, 'a file in its place');
  expect(files.take(items)).toMatchObject({
    written: 0,
    dropped: 3,
    failure: expect.stringMatching(/^E(EXIST|NOTDIR)$/),
  });
  rmSync(place);
  expect(files.take(items)).toMatchObject({ written: 3, dropped: 0, failure: null });
  await files.close();
  expect(readdirSync(place)).toHaveLength(1);
});

test('a Parquet file has its name when it is whole, and the same cells', async () => {
  const place = join(folder, 'parquet');
  const files = new PredictionFiles({ folder: place, format: 'parquet', entity: null, size: 1e6, ageMs: 1e6 });
  expect(files.take(await scored(5)).written).toBe(5);
  expect(readdirSync(place).every((name) => name.startsWith('.'))).toBe(true);
  await files.close();
  const [name, ...others] = readdirSync(place);
  expect(others).toEqual([]);
  expect(name).toMatch(/^predictions-.*\.parquet$/);
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const read = await connection.runAndReadAll(
    `select probability, label, logit, inputs, entity from '${join(place, name)}'`,
  );
  const { probability, label, logit } = models.codes.score(A);
  expect(read.getRowObjects()).toEqual(
    Array.from({ length: 5 }, () => ({ probability, label, logit, inputs: JSON.stringify(A), entity: null })),
  );
  connection.closeSync();
  instance.closeSync();
});

test('lines that a killed process has left become Parquet once; those of a process that may live elsewhere stay', async () => {
  const place = join(folder, 'left');
  mkdirSync(place);
  const options = { folder: place, format: 'parquet', entity: null, size: 1e6, ageMs: 1000 } as const;
  const text = readFileSync(await whole(), 'utf8');
  const ended = spawnSync(process.execPath, ['-e', '0']).pid;
  const stamp = '20260101T000000Z';
  const put = (name: string, seconds: number) => {
    writeFileSync(join(place, name), text);
    utimesSync(join(place, name), seconds, seconds);
  };
  const now = Date.now() / 1000;
  put(`.predictions-${stamp}-${placeHere()}-${ended}-1.jsonl`, now);
  // another container has the same process ids
  put(`.predictions-${stamp}-00000000-${process.pid}-1.jsonl`, now);
  put(`.predictions-${stamp}-00000000-${process.pid}-2.jsonl`, now - 100_000);
  const two = [new PredictionFiles(options), new PredictionFiles(options)];
  for (const files of two) await files.close();
  const names = readdirSync(place).sort();
  expect(names.filter((name) => name.startsWith('.'))).toEqual([
    `.predictions-${stamp}-00000000-${process.pid}-1.jsonl`,
  ]);
  expect(names.filter((name) => name.endsWith('.parquet'))).toHaveLength(2);
});

/** A file of lines. */
async function whole(): Promise<string> {
  const place = join(folder, 'whole');
  const files = new PredictionFiles({ folder: place, format: 'jsonl', entity: null, size: 1e6, ageMs: 1e6 });
  files.take(await scored(2));
  await files.close();
  return join(place, readdirSync(place)[0]);
}
