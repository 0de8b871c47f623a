import { describe, expect, test } from 'vitest';
import type { CodedColumn, NumericColumn, Table } from '../../src/index.ts';
import { fit, pickEngine, tableFromRecords } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { binsOf } from '../../src/monitor/summary/bins.ts';
import { NumberColumn } from '../../src/monitor/summary/numberColumn.ts';
import { binsOfData, summary, watch } from '../../src/monitor.ts';

const random = splitmix32(5);
const rows = Array.from({ length: 700 }, () => ({
  age: random() < 0.1 ? null : 20 + 60 * random(),
  amount: Math.exp(3 * random()),
  city: random() < 0.05 ? null : ['Bern', 'Basel', 'Chur'][Math.floor(3 * random())],
  words: random() < 0.5 ? 'late train' : 'cold station',
  bad: random() < 0.3 ? 'yes' : 'no',
}));
const plain = {
  features: [
    { name: 'age', kind: 'numeric' },
    { name: 'amount', kind: 'numeric' },
    { name: 'city', kind: 'categorical' },
  ],
} as const;
const rich = { features: [...plain.features, { name: 'words', kind: 'text', buckets: 8 }] } as const;
const strict = { features: [plain.features[0], { name: 'city', kind: 'categorical', unseen: 'error' }] } as const;
const models = [plain, rich, strict].map((schema) => fit(rows, { target: 'bad', schema }).model);
const known = tableFromRecords(rows);
/** the levels in the order of the models, whose codes are slots already */
const own = (models[0].manifest.schema.features[2] as { readonly levels: readonly string[] }).levels;

/** The table with one column replaced. */
const withColumn = (name: string, change: (column: never) => object): Table => ({
  rows: known.rows,
  columns: known.columns.map((one) => (one.name === name ? ({ ...one, ...change(one as never) } as typeof one) : one)),
});
const numbers = (change: (x: number, i: number) => number) =>
  withColumn('amount', ({ values }: NumericColumn) => ({ values: Float64Array.from(values, change) }));
const cities = (change: (column: CodedColumn) => object) => withColumn('city', change as never);

const tables: readonly (readonly [string, Table])[] = [
  ['as in training', known],
  ['numbers beyond the range of training', numbers((x, i) => (i % 7 === 0 ? 1e6 : i % 5 === 0 ? -3 : x))],
  ['a number that is not finite', numbers((x, i) => (i === 300 ? Number.NaN : x))],
  ['an infinite number', numbers((x, i) => (i === 300 ? Number.POSITIVE_INFINITY : x))],
  [
    'numbers in another array',
    withColumn('amount', ({ values }: NumericColumn) => ({ values: Float32Array.from(values) })),
  ],
  ['levels in another order', cities(({ levels }) => ({ levels: [...levels].reverse() }))],
  ['levels that training did not have', cities(({ levels }) => ({ levels: ['Genf', ...levels.slice(1)] }))],
  [
    'codes beyond the levels',
    cities(({ codes }) => ({ codes: Uint8Array.from(codes, (code, i) => (i % 9 === 0 ? 200 : code)) })),
  ],
  [
    'codes beyond the levels in a column without gaps',
    cities(({ codes }) => ({
      codes: Uint8Array.from(codes, (code, i) => (i % 9 === 0 ? 200 : code)),
      levels: own,
      missing: null,
    })),
  ],
  ['codes in another array', cities(({ codes }) => ({ codes: Uint32Array.from(codes) }))],
  [
    'more levels than rows',
    cities(({ levels }) => ({ levels: [...levels, ...Array.from({ length: 900 }, (_, k) => `no ${k}`)] })),
  ],
  ['no city at all', cities(() => ({ missing: new Uint8Array(known.rows).fill(1) }))],
  ['no amount at all', withColumn('amount', () => ({ missing: new Uint8Array(known.rows).fill(1) }))],
  ['an array that is longer than the table', numbers((x) => x)],
];

/** What a call gives: scores, or the error. */
function told(call: () => { logits: ArrayLike<number>; defaulted: ArrayLike<number>; outOfRange: ArrayLike<number> }) {
  try {
    const { logits, defaulted, outOfRange } = call();
    return [logits, defaulted, outOfRange].map((list) => [...(list as Float64Array)]);
  } catch (error) {
    return String(error);
  }
}

describe('a watched model writes tables as others do', () => {
  test.each(tables)('%s', (_, table) => {
    const engine = pickEngine();
    for (const model of models) {
      const seen = summary(model, binsOfData(model, rows));
      for (const capacity of [97, 8192]) {
        const options = { engine, capacity };
        expect(told(() => watch(model, seen).scoreTable(table, options))).toEqual(
          told(() => model.scoreTable(table, options)),
        );
      }
    }
  });

  test('levels that change in place are read anew', () => {
    const [model] = models;
    const watched = watch(model, summary(model, binsOfData(model, rows)));
    const levels = [...(known.columns.find(({ name }) => name === 'city') as CodedColumn).levels];
    const table = cities(() => ({ levels }));
    watched.scoreTable(table);
    levels.reverse();
    expect([...watched.scoreTable(table).logits]).toEqual([...model.scoreTable(table).logits]);
  });
});

describe('numbers that are left out', () => {
  test.each([0, 1, 2, 3, 4, 5, 700])(
    'are in no count, sum or end, among %i others of every bin and beyond',
    (present) => {
      const bins = binsOf([...Array(50).keys()]);
      for (const odd of [0, 1]) {
        const n = 1000 + odd;
        // gaps at both ends, in both halves of a pair; numbers below all bins, far away, infinite
        const values = Float64Array.from(
          { length: n },
          (_, i) => [i % 60, -1e9, 1e300, Number.POSITIVE_INFINITY][i % 17 < 4 ? i % 4 : 0],
        );
        const skip = new Uint8Array(n).fill(1);
        for (let i = 0; i < present; i++) skip[(i * 377) % n] = 0;
        const all = new NumberColumn(bins);
        all.addAll(values, 0, n, skip);
        const each = new NumberColumn(bins);
        for (let i = 0; i < n; i++) if (skip[i] === 0) each.add(values[i]);
        expect(all.toJSON()).toEqual(each.toJSON());
      }
    },
  );
});
