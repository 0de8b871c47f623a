import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type InferOptions, inferSchema } from '../../src/encode/infer.ts';
import type { NumericFeature } from '../../src/encode/schema.ts';
import type { Column, Table } from '../../src/encode/table.ts';

const numeric = (name: string, values: number[], missing?: number[]): Column => ({
  name,
  kind: 'numeric',
  values: Float64Array.from(values),
  missing: missing ? Uint8Array.from(missing) : null,
});
const coded = (name: string, codes: number[], levels: string[], missing?: number[]): Column => ({
  name,
  kind: 'coded',
  codes: Uint8Array.from(codes),
  levels,
  missing: missing ? Uint8Array.from(missing) : null,
});
const table = (...columns: Column[]): Table => {
  const { length } = columns[0].kind === 'numeric' ? columns[0].values : columns[0].codes;
  return { rows: length, columns };
};
const infer = (data: Table, options: Partial<InferOptions> = {}) =>
  inferSchema(data, { exclude: [], coding: 'onehot', ...options }).features;

describe('numeric features', () => {
  test('mean and population standard deviation, worked by hand', () => {
    expect(infer(table(numeric('x', [1, 2, 3, 6])))).toEqual([
      { name: 'x', kind: 'numeric', mean: 3, scale: Math.sqrt(3.5), min: 1, max: 6, indicator: false },
    ]);
  });

  test('missing cells do not count and ask for an indicator', () => {
    const column = numeric('x', [1, Number.NaN, 3], [0, 1, 0]);
    expect(infer(table(column))[0]).toMatchObject({ mean: 2, scale: 1, indicator: true });
    expect(infer(table(column), { missing: 'mode' })[0]).toMatchObject({ mean: 2, indicator: false });
  });

  test('a constant column has its value as mean, exactly, and scale 1', () => {
    expect(infer(table(numeric('x', [0.1, 0.1, 0.1])))[0]).toMatchObject({ mean: 0.1, scale: 1 });
  });

  test('values near the ends of the range of f64 do not overflow', () => {
    const [{ mean, scale }] = infer(table(numeric('x', [-8e307, 8e307]))) as NumericFeature[];
    expect([mean, scale]).toEqual([0, 8e307]);
    expect(infer(table(numeric('x', [0, 5e-324])))[0]).toMatchObject({ min: 0, max: 5e-324 });
  });

  test('integer weights are repeated rows, weight 0 is no row', () => {
    const rows = fc.array(
      fc.record({
        x: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        missing: fc.constantFrom(0, 0, 1),
        s: fc.integer({ min: 0, max: 3 }),
      }),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(rows, (cells) => {
        fc.pre(cells.some(({ s, missing }) => s > 0 && missing === 0));
        const build = (list: typeof cells) =>
          table(
            numeric(
              'x',
              list.map((cell) => cell.x),
              list.map((cell) => cell.missing),
            ),
          );
        const [weighted] = infer(build(cells), {
          weight: Float64Array.from(cells, (cell) => cell.s),
        }) as NumericFeature[];
        const [repeated] = infer(build(cells.flatMap((cell) => Array(cell.s).fill(cell)))) as NumericFeature[];
        const spread = Math.max(repeated.max - repeated.min, Number.MIN_VALUE);
        // sums of at most 300 terms, relative to the spread
        expect(Math.abs(weighted.mean - repeated.mean)).toBeLessThanOrEqual(1e-12 * spread);
        expect(Math.abs(weighted.scale - repeated.scale)).toBeLessThanOrEqual(1e-9 * spread);
        expect({ ...weighted, mean: 0, scale: 0 }).toEqual({ ...repeated, mean: 0, scale: 0 });
      }),
    );
  });

  test('a cell that is not finite is named', () => {
    expect(() => infer(table(numeric('x', [1, Number.NaN])))).toThrow(
      expect.objectContaining({
        code: 'ERR_RECORD',
        message: 'row 1 (from 0), column "x": expected a finite number, got NaN; correct it, or mark it as missing',
      }),
    );
  });
});

describe('categorical features', () => {
  test('levels that occur, sorted, with their counts and the missing cells last', () => {
    const column = coded('c', [2, 0, 2, 9, 2], ['b', 'unused', 'a'], [0, 0, 0, 1, 0]);
    expect(infer(table(column))).toEqual([
      {
        name: 'c',
        kind: 'categorical',
        levels: ['a', 'b'],
        counts: [3, 1, 1],
        coding: 'onehot',
        reference: null,
        missing: 'slot',
        unseen: 'slot',
      },
    ]);
  });

  test('a level of weight 0 does not exist, others count their weight', () => {
    const column = coded('c', [0, 1, 1], ['a', 'b']);
    expect(infer(table(column), { weight: Float64Array.of(0, 2, 0.5) })[0]).toMatchObject({
      levels: ['b'],
      counts: [2.5, 0],
    });
  });

  test('treatment coding takes the first level or the one asked for', () => {
    const column = coded('race', [0, 1, 2], ['white', 'black', 'other']);
    const options = { coding: 'treatment', unseen: 'error', missing: 'mode' } as const;
    expect(infer(table(column), options)[0]).toMatchObject({ reference: 0, unseen: 'error', missing: 'mode' });
    expect(infer(table(column), { ...options, references: { race: 'white' } })[0]).toMatchObject({
      levels: ['black', 'other', 'white'],
      reference: 2,
    });
  });

  test('the order of rows and of codes does not matter', () => {
    const cells = fc.array(fc.constantFrom('a', 'b', 'c', '10', '9'), { minLength: 1 });
    fc.assert(
      fc.property(cells, (values) => {
        const build = (levels: string[], list: string[]) =>
          table(
            coded(
              'c',
              list.map((value) => levels.indexOf(value)),
              levels,
            ),
          );
        const one = infer(build(['a', 'b', 'c', '10', '9'], values));
        expect(infer(build(['9', 'c', 'a', '10', 'b'], values.toReversed()))).toEqual(one);
      }),
    );
  });

  test('numbers are categories when declared', () => {
    expect(infer(table(numeric('hour', [10, 9, 10])), { categorical: ['hour'] })[0]).toMatchObject({
      kind: 'categorical',
      levels: ['9', '10'],
      counts: [1, 2, 0],
    });
  });
});

test('excluded columns are no features, the others keep their order', () => {
  const data = table(numeric('y', [0, 1]), numeric('b', [1, 2]), coded('a', [0, 0], ['x']));
  expect(infer(data, { exclude: ['y'] }).map((feature) => feature.name)).toEqual(['b', 'a']);
});

describe('what cannot be a schema is refused by name', () => {
  const x = numeric('x', [1, 2]);
  const c = coded('c', [0, 1], ['a', 'b']);
  test.each([
    [
      'duplicate columns',
      table(x, x),
      {},
      'ERR_SCHEMA',
      'table: expected distinct column names, got "x" twice; rename one',
    ],
    ['no feature', table(x), { exclude: ['x'] }, 'ERR_SCHEMA', 'expected at least one feature column'],
    [
      'only missing numbers',
      table(numeric('x', [0], [1])),
      {},
      'ERR_SCHEMA',
      'column "x": expected at least one value',
    ],
    [
      'only missing levels',
      table(coded('c', [0], [], [1])),
      {},
      'ERR_SCHEMA',
      'column "c": expected at least one value',
    ],
    [
      'only weight 0',
      table(x),
      { weight: Float64Array.of(0, 0) },
      'ERR_SCHEMA',
      'column "x": expected at least one value',
    ],
    [
      'a code without level',
      table(coded('c', [3], ['a'])),
      {},
      'ERR_RECORD',
      'row 0 (from 0), column "c": expected a code below 1',
    ],
    [
      'a reference that is no level',
      table(c),
      { coding: 'treatment', references: { c: 'z' } },
      'ERR_RANGE',
      'reference of "c": expected one of "a", "b", got "z"',
    ],
    [
      'a reference of no feature',
      table(c),
      { coding: 'treatment', references: { d: 'a' } },
      'ERR_SCHEMA',
      'reference of "d"',
    ],
    ['a reference under one-hot coding', table(c), { references: { c: 'a' } }, 'ERR_SCHEMA', 'reference of "c"'],
    ['weights of another length', table(x), { weight: new Float64Array(3) }, 'ERR_SHAPE', 'weight: expected length 2'],
    [
      'an unknown declared column',
      table(x),
      { categorical: ['q'] },
      'ERR_SCHEMA',
      'table: expected column "q", got "x"',
    ],
    [
      'a spread beyond f64',
      table(numeric('x', [-1.7e308, 1.7e308])),
      {},
      'ERR_RANGE',
      'column "x": expected a spread below',
    ],
  ] as const)('%s', (_, data, options, code, message) => {
    expect(() => infer(data, options)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});
