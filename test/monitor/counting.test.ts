import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numberCounter } from '../../bindings/counting.ts';
import { ln, ln1p, sigmoid } from '../../bindings/js/math.ts';
import { fit, tableFromRecords } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { binOfLogit, ScoreCounts } from '../../src/monitor/performance/scoreCounts.ts';
import { binsOf, type NumberBins } from '../../src/monitor/summary/bins.ts';
import { countCodes } from '../../src/monitor/summary/countCodes.ts';
import { NumberColumn } from '../../src/monitor/summary/numberColumn.ts';
import { binsOfData, summary, watch } from '../../src/monitor.ts';

const random = splitmix32(3);
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const draws = (of: () => number, n = 3000): Float64Array => Float64Array.from({ length: n }, of);

/** what numbers of training are like */
const KINDS: Readonly<Record<string, () => number>> = {
  normal,
  uniform: () => 20_000 + 40_000 * random(),
  whole: () => Math.floor(50 * random()),
  skewed: () => Math.round(100 * Math.exp(3 + 2 * normal())) / 100,
  constant: () => 7,
  two: () => (random() < 0.5 ? -1 : 1),
  tiny: () => 1e-300 * random(),
  huge: () => 1e300 * normal(),
};

const stateOf = (column: NumberColumn): string => JSON.stringify(column);

describe('the kernel counts as `add` does, to the bit', () => {
  test('there is one', () => expect(numberCounter(40)).not.toBeNull());

  test.each(Object.keys(KINDS))('%s', (kind) => {
    const bins = binsOf(draws(KINDS[kind]));
    const odd = [Infinity, -Infinity, 0, -0, 1e308, -1e308, 5e-324, bins.low, bins.high, ...bins.edges];
    for (const n of [256, 257, 1000, 8192, 8193, 20_001]) {
      const values = draws(() => {
        const r = random();
        return r < 0.02 ? odd[Math.floor(odd.length * random())] : r < 0.1 ? 3 * KINDS[kind]() : KINDS[kind]();
      }, n);
      const skip = Uint8Array.from(values, () => (random() < 0.1 ? 1 : 0));
      for (const left of [null, skip]) {
        const [one, all] = [new NumberColumn(bins), new NumberColumn(bins)];
        values.forEach((x, i) => {
          if (!left?.[i]) one.add(x);
        });
        all.addAll(values, 0, n, left);
        expect(stateOf(all)).toBe(stateOf(one));
      }
    }
  });

  test('with any edges', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 2, maxLength: 127 }),
        fc.integer(),
        (list, seed) => {
          const edges = [...new Set(list.map((x) => x + 0))].sort((a, b) => a - b);
          const bins: NumberBins = { edges, low: edges[0], high: edges.at(-1)!, centre: edges[edges.length >> 1] };
          const own = splitmix32(seed);
          const near = (x: number): number => x * (1 + 1e-15 * (own() - 0.5));
          const values = Float64Array.from({ length: 600 }, () => near(edges[Math.floor(edges.length * own())]));
          const [one, all] = [new NumberColumn(bins), new NumberColumn(bins)];
          for (const x of values) one.add(x);
          all.addAll(values, 0, values.length, null);
          expect(stateOf(all)).toBe(stateOf(one));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('of more edges than it reaches there is none', () => {
    expect(numberCounter(127)).not.toBeNull();
    expect(numberCounter(128)).toBeNull();
  });

  test('sums stay exact over millions of values, in calls of any size', () => {
    const values = draws(KINDS['normal'], 1 << 16);
    const bins = binsOf(values);
    const [one, all] = [new NumberColumn(bins), new NumberColumn(bins)];
    for (let k = 0; k < 70; k++) {
      for (const x of values) one.add(x);
      all.addAll(values, 0, values.length, null);
    }
    expect(stateOf(all)).toBe(stateOf(one));
  });
});

test.each([2, 3, 52, 64, 255, 256, 1024])('codes of %i slots are counted as one by one', (slots) => {
  for (const n of [1, 63, 511, 512, 513, 519, 8192, 70_001]) {
    const codes = new (slots > 256 ? Uint16Array : Uint8Array)(n).map(() => Math.floor(slots * random()));
    const [one, all] = [new Float64Array(slots + 4), new Float64Array(slots + 4)];
    for (const code of codes) one[2 + code]++;
    countCodes(all, 2, codes, slots);
    expect(all).toEqual(one);
  }
});

test('runs of a sample are added as one by one', () => {
  const bins = binsOf(draws(normal));
  const values = draws(normal, 8192);
  const runs = Uint32Array.from(Array.from({ length: 32 }, (_, k) => [256 * k, 256 * k + 7 * k]).flat());
  const skip = Uint8Array.from(values, () => (random() < 0.1 ? 1 : 0));
  for (const left of [null, skip]) {
    const [one, all] = [new NumberColumn(bins), new NumberColumn(bins)];
    for (let k = 0; k < runs.length; k += 2)
      for (let i = runs[k]; i < runs[k + 1]; i++) if (!left?.[i]) one.add(values[i]);
    all.addRuns(values, runs, left);
    expect(stateOf(all)).toBe(stateOf(one));
  }
});

test('scores that are added together are in the bins and sums of those that are added one by one', () => {
  const edges = Array.from({ length: 257 }, (_, k) => sigmoid(k / 8 - 16));
  const ulps = edges.flatMap((p) => [-3, -1, 0, 1, 3].map((k) => Math.min(1, Math.max(0, p * (1 + k * 2 ** -52)))));
  const uniform = Array.from({ length: 20_000 }, () => random());
  const logits = Array.from({ length: 20_000 }, () => sigmoid(12 * normal()));
  const p = [0, 1, 0.5, Number.MIN_VALUE, 1 - 2 ** -53, ...ulps, ...uniform, ...logits];
  const called = Int8Array.from(p, () => Math.floor(3 * random()) - 1);
  const bins = new Map<number, number>();
  p.forEach((share, i) => {
    const bin = binOfLogit(ln(share) - ln1p(-share));
    if (called[i] >= 0) bins.set(bin, 1 + (bins.get(bin) ?? 0));
  });
  const [one, all] = [new ScoreCounts(), new ScoreCounts()];
  p.forEach((share, i) => {
    if (called[i] >= 0) one.add(share, called[i]);
  });
  all.addAll(p, called);
  expect(JSON.stringify(all)).toBe(JSON.stringify(one));
  const found = new Map<number, number>();
  for (const { bin, rows } of all.cells) found.set(bin, rows + (found.get(bin) ?? 0));
  expect(found).toEqual(bins);
});

describe('records that wait to be counted', () => {
  const records = Array.from({ length: 1300 }, (_, i) => ({
    age: i % 17 === 0 ? null : Math.floor(20 + 50 * random()),
    city: ['Bern', 'Basel', 'Chur', 'Genf'][Math.floor(4 * random())],
    bad: random() < 0.4 ? 'yes' : 'no',
  }));
  const { model } = fit(records, { target: 'bad' });
  const inputs = records.map(({ bad: _, ...rest }) => rest);
  const bins = binsOfData(model, inputs);

  test.each([{}, { sample: 3, seed: 2 }])('are in what is read, whenever it is: %j', (options) => {
    const [quiet, asked, table] = Array.from({ length: 3 }, () => summary(model, bins, options));
    const [a, b] = [watch(model, quiet), watch(model, asked)];
    inputs.forEach((record, i) => {
      a.score(record);
      b.score(record);
      if (i % 7 === 0) expect(asked.planes[0].count).toBe(asked.sampled);
      if (i % 11 === 0) expect(asked.features[0].missing).toBe(Math.floor(i / 17) + 1);
    });
    watch(model, table).scoreTable(tableFromRecords(inputs));
    expect(JSON.stringify(asked)).toBe(JSON.stringify(quiet));
    expect(JSON.stringify(table)).toBe(JSON.stringify(quiet));
  });

  test('a cell that is missing is told from one that is what a missing one counts as', () => {
    const [{ mean }] = model.manifest.schema.features as unknown as readonly { mean: number }[];
    const seen = summary(model, bins);
    const watched = watch(model, seen);
    const cells = [mean, null, 10, mean, 1000, null, 45];
    for (const [i, age] of cells.entries()) watched.score({ age, city: i % 2 ? null : 'Bern' });
    const table = summary(model, bins);
    watch(model, table).scoreTable(tableFromRecords(cells.map((age, i) => ({ age, city: i % 2 ? null : 'Bern' }))));
    expect(seen.features.map(({ missing, below, above }) => [missing, below, above])).toEqual([
      [2, 1, 1],
      [3, 0, 0],
    ]);
    expect(JSON.stringify(seen)).toBe(JSON.stringify(table));
  });

  test('are merged', () => {
    const [whole, first, second] = Array.from({ length: 3 }, () => summary(model, bins));
    for (const record of inputs) watch(model, whole).score(record);
    inputs.forEach((record, i) => {
      watch(model, i < 700 ? first : second).score(record);
    });
    first.merge(second);
    const { next: _, ...merged } = first.toJSON();
    const { next: __, ...expected } = whole.toJSON();
    expect(merged).toEqual(expected);
  });
});
