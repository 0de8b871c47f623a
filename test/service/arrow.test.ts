import {
  Table as ArrowTable,
  Binary,
  Bool,
  Dictionary,
  Float64,
  Int8,
  Int64,
  tableFromIPC,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import { expect, test } from 'vitest';
import { JSON_TYPE, models, serviceOf } from './models.ts';

const ARROW = { 'content-type': 'application/vnd.apache.arrow.stream' };
const stream = (columns: Record<string, Vector>) => tableToIPC(new ArrowTable(columns as never), 'stream');
const numbers = (values: readonly (number | null)[]) => vectorFromArray(values, new Float64());

const records = [
  { code: '2', x: 0.5 },
  { code: '1', x: null },
  { code: '7', x: -3.25 },
];
const x = numbers(records.map((record) => record.x));
const texts = vectorFromArray(
  records.map(({ code }) => code),
  new Utf8(),
);

test.each([
  ['texts', texts],
  [
    'a dictionary',
    vectorFromArray(
      records.map(({ code }) => code),
      new Dictionary(new Utf8(), new Int8()),
    ),
  ],
  [
    'whole numbers of 64 bits',
    vectorFromArray(
      records.map(({ code }) => BigInt(code)),
      new Int64(),
    ),
  ],
])('an Arrow stream with %s is answered by one, with the bits of model.score', async (_, code) => {
  const { ask, lines } = serviceOf('codes');
  const response = await ask('/models/codes/score', stream({ x, other: x, code }) as BodyInit, ARROW);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe(ARROW['content-type']);
  expect(response.headers.get('x-model-sha256')).toBe(models.codes.sha256);
  const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
  expect(table.schema.fields.map(({ name }) => name)).toEqual(['p_no', 'p_yes', 'label', 'logit', 'defaulted']);
  const rows = table.toArray().map((row) => [row.p_yes, row.label, row.logit, row.defaulted]);
  const scores = records.map((record) => models.codes.score(record));
  expect(rows).toEqual(scores.map((s) => [s.probability, s.label, s.logit, s.defaulted]));
  expect(lines.at(-1)).toMatchObject({ rows: 3, status: 200 });
});

test('several classes have a probability each, and no logit', async () => {
  const { ask } = serviceOf('classes');
  const record = { length: 3.5, width: null, place: '丘', tags: '["a","c"]', seen: '2026-03-01' };
  const columns = Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      typeof value === 'string' ? vectorFromArray([value], new Utf8()) : numbers([value]),
    ]),
  );
  const response = await ask('/models/classes/score', stream(columns) as BodyInit, ARROW);
  const [row] = tableFromIPC(new Uint8Array(await response.arrayBuffer())).toArray();
  const { probabilities, label } = models.classes.score({ ...record, tags: ['a', 'c'] });
  expect(models.classes.manifest.classes.map((name) => row[`p_${name}`])).toEqual([...probabilities!]);
  expect([row.label, 'logit' in row.toJSON()]).toEqual([label, false]);
});

const whole = stream({ x, code: texts });
test.each([
  ['no stream', new Uint8Array([1, 2, 3]), /expected an Arrow IPC stream/],
  ['a stream that is cut', whole.subarray(0, whole.length - 100), /expected an Arrow IPC stream|expected the columns/],
  ['a column that is missing', stream({ x }), /^body: expected the columns "code", got none/],
  ['texts for numbers', stream({ x: texts, code: texts }), /^column "x": expected numbers, got texts/],
  ['bytes', stream({ x, code: vectorFromArray([new Uint8Array(1)], new Binary()) }), /^column "code": .*\(Binary\)/],
  [
    'a whole number beyond 2^53',
    stream({ x: vectorFromArray([2n ** 60n], new Int64()), code: vectorFromArray(['2'], new Utf8()) }),
    /^column "x", row 0 \(from 0\): expected a whole number within/,
  ],
])('%s is refused by its name', async (_, body, message) => {
  const { ask } = serviceOf('codes');
  const response = await ask('/models/codes/score', body as BodyInit, ARROW);
  expect(response.status).toBe(400);
  expect((await response.json()).error).toMatch(message);
});

test('details are refused, truth values are numbers, and bytes that were changed never fail the service', async () => {
  const { ask } = serviceOf('codes');
  const explained = await ask('/models/codes/score?explain=1', whole as BodyInit, ARROW);
  expect(explained.status).toBe(400);
  const flags = stream({ x: vectorFromArray([true], new Bool()), code: vectorFromArray(['2'], new Utf8()) });
  const [row] = tableFromIPC(
    new Uint8Array(await (await ask('/models/codes/score', flags as BodyInit, ARROW)).arrayBuffer()),
  ).toArray();
  const one = await (await ask('/models/codes/score', '{"x":1,"code":"2"}', JSON_TYPE)).json();
  expect(row.p_yes).toBe(one.scores[0].probability);
  let seed = 7;
  const next = (most: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * most);
  };
  const counts: Record<number, number> = {};
  for (let i = 0; i < 1500; i++) {
    const changed = whole.slice();
    for (let k = 0; k <= next(3); k++) changed[next(changed.length)] = next(256);
    const { status } = await ask('/models/codes/score', changed as BodyInit, ARROW);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  expect(Object.keys(counts)).toEqual(['200', '400']);
});
