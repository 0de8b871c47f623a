import { pickEngine } from 'logodds';
import { jsonScan } from 'logodds/bytes';
import { describe, expect, test } from 'vitest';
import { Served } from '../../service/src/models/served.ts';
import { numberTable } from '../../service/src/protocols/numberRows.ts';
import { inferenceOf } from '../../service/src/protocols/v2/body.ts';
import { tableOf } from '../../service/src/protocols/v2/tensors.ts';
import { checkJson, LIMITS, type Limits } from '../../service/src/requests/limits.ts';
import { sweep } from '../full.ts';
import { Chance, damaged, inferBody, rowsBody } from './jsonBodies.ts';
import { JSON_TYPE, models, serviceOf } from './models.ts';

const scan = jsonScan()!;
const served = (['numeric', 'codes'] as const).map((name) => new Served(name, '1', models[name], pickEngine()));

/** What a call gives, or how it refuses. */
function told<T>(call: () => T): unknown {
  try {
    return call();
  } catch (error) {
    const { status, code, message } = error as Error & { status?: number; code?: string };
    return { status, code, message };
  }
}

/** Bodies of less are parsed whole. */
const LONG = 2048;

/** Blanks before a body make it long enough. */
function padded(bytes: Uint8Array): Uint8Array {
  const isMarked = bytes[0] === 0xef;
  const all = new Uint8Array(LONG + bytes.length).fill(0x20);
  if (isMarked) all.set(bytes.subarray(0, 3));
  all.set(isMarked ? bytes.subarray(3) : bytes, LONG);
  return all;
}

describe('what the kernels look through is what JavaScript reads', () => {
  const COUNT = sweep(3000, 60_000);
  test('tensors of V2, every bit of them, and every refusal', () => {
    let answered = 0;
    for (let seed = 0; seed < COUNT; seed++) {
      const chance = new Chance(seed);
      const model = chance.of(served);
      const names = model.fields.map(({ name }) => name);
      const bytes = padded(damaged(chance, inferBody(chance, names)));
      const read = (with_: typeof scan | null) =>
        told(() => {
          const { tensors, ...asked } = inferenceOf(bytes, null, LIMITS, with_);
          return { ...asked, table: tableOf(model, tensors) };
        });
      const expected = read(null);
      expect(read(scan), `seed ${seed}: ${new TextDecoder().decode(bytes).trim()}`).toStrictEqual(expected);
      if ((expected as { table?: object }).table) answered++;
    }
    expect(answered).toBeGreaterThan(COUNT / 10);
  });

  test('limits of JSON, the first that is passed', () => {
    const refused = new Map<unknown, number>();
    for (let seed = 0; seed < COUNT; seed++) {
      const chance = new Chance(seed);
      const body = chance.is(2) ? inferBody(chance, ['a', 'b', 'c']) : rowsBody(chance, ['a', 'b', 'c']);
      const bytes = damaged(chance, body);
      const most = () => chance.of([1, 2, 3, 4, 5, 7, 12, 40, 0, 2.5, Number.POSITIVE_INFINITY]);
      const limits: Limits = { ...LIMITS, depth: most(), features: most(), rows: most() };
      const found = (with_: typeof scan | null) => told(() => checkJson(bytes, limits, with_));
      const expected = found(null);
      expect(found(scan), `seed ${seed}: ${body}`).toEqual(expected);
      const { message = 'none' } = (expected ?? {}) as { message?: string };
      const kind = message.replace(/\d.*/, '');
      refused.set(kind, (refused.get(kind) ?? 0) + 1);
    }
    expect(refused.size).toBe(4);
    expect(Math.min(...refused.values())).toBeGreaterThan(COUNT / 30);
  });

  test.each(['/v1/models/numeric:predict', '/invocations'])('rows of numbers of %s', async (path) => {
    const { ask, lines } = serviceOf('numeric');
    const names = served[0].fields.map(({ name }) => name);
    const headers = { ...JSON_TYPE, 'x-request-id': 'one' };
    let answered = 0;
    for (let seed = 0; seed < COUNT / 10; seed++) {
      const bytes = damaged(new Chance(seed), rowsBody(new Chance(seed), names));
      // bodies of less are parsed whole
      const long = new Uint8Array(Math.max(1024, bytes.length)).fill(0x20);
      long.set(bytes);
      const [whole, apart] = await Promise.all(
        [bytes, long].map(async (body) => {
          const response = await ask(path, body as BodyInit, headers);
          return [response.status, await response.text()];
        }),
      );
      expect(apart, `seed ${seed}: ${new TextDecoder().decode(bytes)}`).toEqual(whole);
      if (whole[0] === 200) answered++;
      lines.length = 0;
    }
    expect(answered).toBeGreaterThan(COUNT / 200);
  });
});

test('a table of a data frame keeps a column that the model does not read: it may name the entity of a row', () => {
  const [numeric] = served;
  const columns = ['customer', ...numeric.fields.map(({ name }) => name)];
  const data = Array.from({ length: 100 }, (_, i) => columns.map((_, j) => 100 * j + i));
  const bytes = new TextEncoder().encode(JSON.stringify({ columns, data }));
  const form = {
    key: 'data',
    in: (body: Readonly<Record<string, unknown>>) => ({ rows: body.data, names: body.columns }),
  };
  const table = numberTable(bytes, numeric, LIMITS, [form])!;
  expect(table.columns.map(({ name }) => name)).toEqual(columns);
  expect(table.columns[0]).toMatchObject({ values: Float64Array.from(data, ([customer]) => customer) });
  expect(numeric.model.scoreTable(table).rows).toBe(100);
});
