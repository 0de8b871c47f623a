import fc from 'fast-check';
import { expect, test } from 'vitest';
import { binOf, quantileEdges, uniformEdges, weightedQuantile } from '../../src/encode/quantile.ts';
import { sweep } from '../full.ts';
import { fixture } from './fixture.ts';

interface Case {
  readonly name: string;
  readonly values: number[];
  readonly weights: number[] | null;
  readonly qs: number[];
  readonly quantiles: number[];
  readonly median: number;
  readonly centre: number;
  readonly iqr: number;
  readonly edges: readonly {
    bins: number;
    quantile: number[];
    uniform: number[];
    probes: number[];
    codes: number[] | null;
  }[];
}

const cases: readonly Case[] = fixture.quantiles;
const named = cases.map((one) => [`${one.name}${one.weights ? ', weighted' : ''}`, one] as const);

test.each(named)('%s: quantiles are those of numpy, bit for bit', (_, { values, weights, qs, quantiles }) => {
  expect([...weightedQuantile(values, weights, qs)]).toEqual(quantiles);
});

test.each(named)('%s: median and quartiles are those of SimpleImputer and RobustScaler', (_, one) => {
  const [low, middle, high] = weightedQuantile(one.values, one.weights, [0.25, 0.5, 0.75]);
  expect(middle).toBe(one.median);
  expect(middle).toBe(one.centre);
  // RobustScaler has 1 for a constant column
  expect(high - low === 0 ? 1 : high - low).toBeCloseTo(one.iqr, 13);
});

test.each(named)('%s: edges and bins are those of KBinsDiscretizer', (_, { values, weights, edges }) => {
  for (const { bins, quantile, uniform, probes, codes } of edges) {
    const own = quantileEdges(values, weights, bins);
    expect([...own]).toEqual(quantile);
    expect([...uniformEdges(values, weights, bins)]).toEqual(uniform);
    if (codes) expect(probes.map((x) => binOf(x, own))).toEqual(codes);
  }
});

const someRows = fc.array(
  fc.tuple(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, min: -1e6, max: 1e6 })), fc.nat(3)),
  { minLength: 1, maxLength: 30 },
);

test('a whole weight is as many rows, and a row of weight 0 is none', () => {
  fc.assert(
    fc.property(
      someRows,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 2, max: 12 }),
      (rows, q, bins) => {
        const values = rows.map(([value]) => value);
        const weights = rows.map(([, weight]) => weight);
        const repeated = rows.flatMap(([value, weight]) => Array<number>(weight).fill(value));
        expect(weightedQuantile(values, weights, [q])).toEqual(weightedQuantile(repeated, null, [q]));
        expect(quantileEdges(values, weights, bins)).toEqual(quantileEdges(repeated, null, bins));
        expect(uniformEdges(values, weights, bins)).toEqual(uniformEdges(repeated, null, bins));
      },
    ),
    { numRuns: 500, seed: 3 },
  );
});

test('with fractional weights the quantile is the mean of the sample over a unit of weight, at 0 and 1 an end', () => {
  // weights 0.5, 1, 0.25, 1.25: S = 3; at q = 0.5 the window is [1, 2]: half of 2, a quarter of 3, a quarter of 4
  expect(weightedQuantile([4, 2, 1, 3], [1.25, 1, 0.5, 0.25], [0, 0.5, 1])).toEqual(
    Float64Array.of(1, 0.5 * 2 + 0.25 * 3 + 0.25 * 4, 4),
  );
  // less than a row in all: its mean, between the ends
  expect(weightedQuantile([1, 2], [0.25, 0.125], [0, 0.5, 1])).toEqual(Float64Array.of(1, (1 + 2 * 0.5) / 1.5, 2));
});

test('fractional weights: quantiles rise with q, stay within the values, and move as little as a weight does', () => {
  const fraction = fc.double({ min: 0.01, max: 3, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fraction), { minLength: 1, maxLength: 20 }),
      (rows) => {
        const values = rows.map(([value]) => value);
        const weights = rows.map(([, weight]) => weight);
        const qs = Array.from({ length: 41 }, (_, i) => i / 40);
        const found = weightedQuantile(values, weights, qs);
        const near = weightedQuantile(
          values,
          weights.map((weight) => weight + 1e-9),
          qs,
        );
        found.forEach((value, i) => {
          expect(value).toBeGreaterThanOrEqual(Math.min(...values) - 1e-12);
          expect(value).toBeLessThanOrEqual(Math.max(...values) + 1e-12);
          if (i > 0) expect(value - found[i - 1]).toBeGreaterThan(-1e-12);
          // at most 20 weights moved, each its end of the window; a window shorter than 1 is at least 0.01 long
          expect(Math.abs(value - near[i])).toBeLessThan(1e-4);
        });
      },
    ),
    { numRuns: 300, seed: 4 },
  );
});

test('NaN is left out, a constant column has one edge, an empty one none', () => {
  expect(weightedQuantile([Number.NaN, 1, 3], null, [0.5])).toEqual(Float64Array.of(2));
  expect(weightedQuantile([1, Number.NaN, 3], [1, 5, 1], [0.5])).toEqual(Float64Array.of(2));
  expect(weightedQuantile([], null, [0.5])[0]).toBeNaN();
  expect(weightedQuantile([1], [0], [0.5])[0]).toBeNaN();
  for (const edges of [quantileEdges, uniformEdges]) {
    expect([...edges([2, 2, Number.NaN], null, 4)]).toEqual([2]);
    expect([...edges([2], [0], 4)]).toEqual([]);
  }
});

const MANY = sweep(500_000, 2_000_000);

test(`${MANY} weighted values take a second or so, in any order`, () => {
  const values = Float64Array.from({ length: MANY }, (_, i) => (i * 7919) % 1999993);
  const weights = new Float64Array(MANY).fill(1);
  expect(weightedQuantile(values, weights, [0.5])).toEqual(weightedQuantile(values, null, [0.5]));
});
