import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fit, loadModel, pickEngine, saveModel, splitTable, tableFromRecords } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { binsOf } from '../../src/monitor/summary/bins.ts';
import { quotient, textOfUnits, unitsOf, unitsOfText } from '../../src/monitor/summary/exactSum.ts';
import { hashOfRow, LabelSample } from '../../src/monitor/summary/labels.ts';
import { NumberColumn } from '../../src/monitor/summary/numberColumn.ts';
import { baselineOf, binsOfData, type Summary, summarise, summary, watch, withBaseline } from '../../src/monitor.ts';
import { error } from '../metrics/oracle.ts';

type Row = Record<string, unknown>;

function rowsOf(count: number, seed: number, shift = 0): Row[] {
  const random = splitmix32(seed);
  return Array.from({ length: count }, () => {
    const age = random() < 0.1 ? null : 20 + 60 * random() + shift;
    const amount = Math.exp(3 * random());
    const city = random() < 0.05 ? null : ['Bern', 'Basel', 'Chur', 'Genf'][Math.floor(random() * random() * 4)];
    const words = random() < 0.5 ? 'late train' : 'cold late station';
    return { age, amount, city, words, bad: random() < 0.3 ? 'yes' : 'no' };
  });
}

const schema = {
  features: [
    { name: 'age', kind: 'numeric' },
    { name: 'amount', kind: 'numeric', transform: 'log', low: 1, high: 15 },
    { name: 'city', kind: 'categorical' },
    { name: 'words', kind: 'text', buckets: 8 },
  ],
} as const;
const train = rowsOf(600, 1);
const { model } = fit(train, { target: 'bad', schema });
const bins = binsOfData(model, train);
const json = (one: Summary): string => JSON.stringify({ ...one.toJSON(), next: 0 });

/** rows of a stream, some with what training did not have */
const stream: Row[] = rowsOf(500, 7, 5).map((row, i) => ({
  ...row,
  ...(i % 11 === 0 && { city: `new ${i % 33}` }),
  ...(i % 13 === 0 && { age: 200 + i }),
  ...(i % 17 === 0 && { amount: 40 }),
}));

function recorded(rows: readonly Row[], first: number, options = {}): Summary {
  const seen = summary(model, bins, { ...options, first });
  const watched = watch(model, seen);
  for (const row of rows) watched.score(row);
  return seen;
}

describe('exact sums', () => {
  test('units and text are exact, and quotients are rounded once', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(quotient(unitsOf(x), 1n)).toBe(x + 0);
        expect(unitsOfText(textOfUnits(unitsOf(x)))).toBe(unitsOf(x));
      }),
    );
    expect(quotient(unitsOf(1), 3n)).toBe(1 / 3);
    expect(quotient(unitsOf(2 ** 1000), 7n)).toBe(2 ** 1000 / 7);
    expect(quotient(unitsOf(5e-324), 2n)).toBe(0);
  });

  test('mean and standard deviation of any order are those of exact arithmetic', () => {
    const values = [1e16, 1, -1e16, 3, 0.1, 0.2, 1e300, -1e300];
    const of = (list: readonly number[]): NumberColumn => {
      const column = new NumberColumn(binsOf([0, 1, 2, 3]));
      for (const x of list) column.add(x);
      return column;
    };
    expect(of(values).mean).toBe(of([...values].reverse()).mean);
    expect(of(values).mean).toBeCloseTo(4.3 / 8, 14);
    expect(of([1, 2, 3, 4]).std).toBe(Math.sqrt(1.25));
    expect(of([7, 7, 7]).std).toBe(0);
    expect(of([1e200, -1e200]).std).toBeGreaterThan(1e150);
  });
});

describe('bins', () => {
  test('a number is in the bin whose edges enclose it, as a search through all of them finds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 200 }),
        fc.array(fc.double({ noNaN: true }), { maxLength: 50 }),
        (training, given) => {
          const column = new NumberColumn(binsOf(training));
          const { edges } = column.bins;
          const wanted = new Array(edges.length + 1).fill(0);
          for (const x of [...given, ...edges, ...training]) {
            column.add(x);
            const k = edges.findIndex((edge) => x <= edge);
            wanted[k < 0 ? edges.length : k]++;
          }
          expect([...column.counts]).toEqual(wanted);
        },
      ),
    );
  });

  test('have the deciles of training among their edges, at most 40 of them, and few values one bin each', () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i + 1) ** 2);
    const { edges } = binsOf(values);
    for (let k = 1; k < 10; k++) expect(edges).toContain((k * 100) ** 2);
    expect(edges.length).toBeLessThanOrEqual(40);
    expect(binsOf([1, 2, 2, 5]).edges.filter((x) => x >= 1 && x <= 5)).toEqual([1, 2, 5]);
  });
});

describe('a summary', () => {
  test('of records is that of the table, and of 16 shards merged in any order, to the bit', () => {
    for (const sample of [1, 3]) {
      const whole = json(recorded(stream, 0, { sample }));
      const byTable = summary(model, bins, { sample });
      watch(model, byTable).scoreTable(tableFromRecords(stream.map(({ bad, ...row }) => row)), {
        engine: pickEngine(),
        capacity: 64,
      });
      expect(JSON.parse(json(byTable))).toEqual(JSON.parse(whole));
      expect(json(byTable)).toBe(whole);
      const shards = Array.from({ length: 16 }, (_, k) => [
        Math.floor((k * 500) / 16),
        Math.floor(((k + 1) * 500) / 16),
      ]);
      fc.assert(
        fc.property(fc.shuffledSubarray(shards, { minLength: 16, maxLength: 16 }), (order) => {
          const parts = order.map(([from, to]) => recorded(stream.slice(from, to), from, { sample }));
          for (const part of parts.slice(1)) parts[0].merge(part);
          expect(json(parts[0])).toBe(whole);
        }),
        { numRuns: 20 },
      );
    }
  });

  test('counts what is missing, unseen and outside, and keeps the labels', () => {
    const [age, amount, city] = recorded(stream, 0).features;
    expect(age.missing).toBe(stream.filter((row) => row['age'] === null).length);
    expect(age.above).toBe(stream.filter((row) => Number(row['age']) > model.fields[0].max!).length);
    expect(amount.unseen).toBe(stream.filter((row) => Number(row['amount']) > 15).length);
    expect(city.missing).toBe(stream.filter((row) => row['city'] === null).length);
    expect(city.unseen).toBe(stream.filter((row) => String(row['city']).startsWith('new')).length);
    expect(city.labels.map(({ label }) => label).sort()).toEqual(['new 0', 'new 11', 'new 22']);
    const present = stream.filter((row) => row['age'] !== null).map((row) => Number(row['age']));
    expect(age.mean).toBeCloseTo(present.reduce((a, b) => a + b) / present.length, 10);
  });

  test('scores are those of the model; what is refused is counted and nowhere else', () => {
    const seen = summary(model, bins);
    const watched = watch(model, seen);
    expect(watched.score(stream[0])).toEqual(model.score(stream[0]));
    expect(() => watched.score({ age: 'old' })).toThrow();
    expect(() => watched.scoreTable(tableFromRecords([{ age: 1 }]))).toThrow();
    const table = tableFromRecords(stream.slice(1, 22));
    const amounts = table.columns.find(({ name }) => name === 'amount') as
      | { readonly values?: Float64Array }
      | undefined;
    amounts!.values![20] = Number.NaN;
    expect(() => watched.scoreTable(table, { capacity: 8 })).toThrow();
    expect([seen.rows, seen.scored, seen.refused]).toEqual([1, 1, 23]);
  });

  test('goes through JSON, and a state that is none is refused', () => {
    const seen = recorded(stream, 0);
    const state = JSON.parse(JSON.stringify(seen));
    expect(json(summary(model, bins, state))).toBe(json(seen));
    expect(() => summary(model, bins, { ...state, kind: 'other' })).toThrow(error('ERR_FORMAT', 'state'));
    expect(() => summary(model, bins, { ...state, rows: -1 })).toThrow(error('ERR_RANGE', 'rows'));
    expect(() => summary(model, bins, { ...state, columns: [] })).toThrow(error('ERR_FORMAT', 'columns of this model'));
    expect(() => summary(model, { columns: [], scores: [] })).toThrow(error('ERR_SCHEMA', 'bins'));
    expect(() => seen.merge(summary(model, bins, { sample: 2 }))).toThrow(error('ERR_SCHEMA', 'merge'));
  });

  test('a million labels take the place of 64, and a frequent one is found', () => {
    const sample = new LabelSample();
    for (let i = 0; i < 1_000_000; i++) sample.add(hashOfRow(i, 0), i % 4 === 0 ? 'often' : `rare ${i}`);
    expect(JSON.stringify(sample).length).toBeLessThan(2500);
    const [first] = sample.shares(1_000_000);
    expect(first.label).toBe('often');
    expect(Math.abs(first.share - 0.25)).toBeLessThan(4 * first.stdError);
  });
});

describe('the baseline', () => {
  const based = withBaseline(model, train);

  test('is in the file, by class, and scores stay the same', () => {
    const bytes = saveModel(based);
    const read = loadModel(bytes);
    expect(read.score(stream[0])).toEqual(model.score(stream[0]));
    const { whole, classes, isCurrent } = baselineOf(read);
    expect(isCurrent).toBe(true);
    expect(json(whole)).toBe(json(summarise(model, train, bins)));
    expect(classes.get('yes')!.rows + classes.get('no')!.rows).toBe(600);
    expect(saveModel(read)).toEqual(bytes);
    const { holdout } = splitTable(
      tableFromRecords(train),
      Uint8Array.from(train, (row) => Number(row['bad'] === 'yes')),
    );
    expect(classes.get('yes')!.features[0].missing).toBe(summarise(model, holdout).features[0].missing);
    // some hundred bytes a feature
    expect(bytes.length - saveModel(model).length).toBeLessThan(1200 * 6);
  });

  test('of another calibration is not current; a model without one is named', () => {
    expect(baselineOf(based.with({ decision: { threshold: 0.2 } })).isCurrent).toBe(false);
    expect(() => baselineOf(model)).toThrow(error('ERR_DATA', 'model: expected one with a baseline, got none'));
    expect(() => withBaseline(model, [])).toThrow();
    expect(() => withBaseline(model, [{ ...train[0], bad: 'perhaps' }])).toThrow(error('ERR_TARGET', 'another label'));
  });

  test('a constant feature and one class have one', () => {
    const rows = train.slice(0, 50).map((row) => ({ ...row, age: 5, bad: 'yes' }));
    const { whole, classes } = baselineOf(withBaseline(model, rows));
    expect(whole.features[0]).toMatchObject({ mean: 5, std: 0, min: 5, max: 5 });
    expect(classes.get('no')!.rows).toBe(0);
  });
});
