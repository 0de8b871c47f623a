import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accuracy, auc, brier, ece, evaluate, logLoss, reliability } from '../../src/metrics/binary.ts';

interface Case {
  name: string;
  logits: number[];
  y: number[];
  weight: number[] | null;
  logLoss: number;
  auc: number;
  brier: number;
  ece: number;
  accuracy: number;
}
const { cases } = JSON.parse(readFileSync(new URL('../fixtures/metrics.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};

describe('scikit-learn', () => {
  test.each(cases)('$name', ({ logits, y, weight, name: _, ...expected }) => {
    const got = evaluate(
      { logits: Float64Array.from(logits) },
      Uint8Array.from(y),
      weight && Float64Array.from(weight),
    );
    for (const key of ['logLoss', 'auc', 'brier', 'ece', 'accuracy'] as const) {
      // 500 terms summed in another order: some 1e-16 each, relative
      expect(Math.abs(got[key]! - expected[key]), key).toBeLessThanOrEqual(1e-13 * Math.max(expected[key], 0.01));
    }
  });
});

describe('worked by hand', () => {
  const ln3 = Math.log(3); // probability 3/4
  const logits = Float64Array.of(ln3, -ln3, 0, ln3);
  const y = Uint8Array.of(1, 0, 1, 0);

  test('log loss', () => {
    // −(ln 3/4 + ln 3/4 + ln 1/2 + ln 1/4)/4
    expect(logLoss({ logits }, y)).toBeCloseTo(-(2 * Math.log(0.75) + Math.log(0.5) + Math.log(0.25)) / 4, 15);
  });
  test('brier', () => {
    expect(brier({ logits }, y)).toBeCloseTo((1 / 16 + 1 / 16 + 1 / 4 + 9 / 16) / 4, 15);
  });
  test('accuracy: a probability at the threshold is not positive', () => {
    expect(accuracy({ logits }, y)).toBe(0.5);
    expect(accuracy({ logits }, y, null, 0.49)).toBe(0.75);
    expect(accuracy({ logits: Float64Array.of(0) }, Uint8Array.of(0))).toBe(1);
  });
  test('auc counts a tie half', () => {
    // pairs (positive, negative): (ln 3, −ln 3) 1, (ln 3, ln 3) ½, (0, −ln 3) 1, (0, ln 3) 0
    expect(auc(logits, y)).toBe(0.625);
    expect(auc(Float64Array.of(-0, 0), Uint8Array.of(0, 1))).toBe(0.5);
    expect(auc(logits, y, Float64Array.of(2, 1, 0, 3))).toBe((2 * 1 + 2 * 3 * 0.5) / (2 * 4));
  });
  test('ece', () => {
    // bins (0.2, 0.3]: predicted 1/4, observed 0; (0.4, 0.5]: 1/2, 1; (0.7, 0.8]: 3/4, 1/2
    expect(ece({ logits }, y)).toBeCloseTo((0.25 + 0.5 + 2 * 0.25) / 4, 15);
  });
  test('reliability', () => {
    const bins = reliability({ logits }, y, null, 2);
    expect(bins).toEqual([
      { low: 0, high: 0.5, weight: 2, predicted: expect.closeTo(0.375, 15), observed: 0.5 },
      { low: 0.5, high: 1, weight: 2, predicted: expect.closeTo(0.75, 15), observed: 0.5 },
    ]);
    expect(reliability({ logits: Float64Array.of(-800, 800) }, Uint8Array.of(0, 1)).map((bin) => bin.weight)).toEqual([
      1, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    ]);
    expect(reliability({ logits: Float64Array.of(0) }, Uint8Array.of(1))[4]).toEqual({
      low: 0.4,
      high: 0.5,
      weight: 1,
      predicted: 0.5,
      observed: 1,
    });
    expect(reliability({ logits: Float64Array.of(0) }, Uint8Array.of(1))[0]).toMatchObject({
      weight: 0,
      predicted: null,
      observed: null,
    });
  });
});

describe('extremes', () => {
  test('nothing is clipped: a sure and wrong prediction costs its logit, an infinite one is infinite', () => {
    expect(logLoss({ logits: Float64Array.of(1000) }, Uint8Array.of(0))).toBe(1000);
    expect(logLoss({ logits: Float64Array.of(-37) }, Uint8Array.of(0))).toBeCloseTo(8.533047625744065e-17, 30);
    expect(logLoss({ logits: Float64Array.of(Number.NEGATIVE_INFINITY) }, Uint8Array.of(1))).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(logLoss({ logits: Float64Array.of(Number.POSITIVE_INFINITY) }, Uint8Array.of(1))).toBe(0);
  });
  test('a row of weight 0 is no row, even where it would cost infinitely much', () => {
    const logits = Float64Array.of(0, Number.POSITIVE_INFINITY);
    expect(logLoss({ logits }, Uint8Array.of(1, 0), Float64Array.of(1, 0))).toBeCloseTo(Math.LN2, 15);
  });
  test('auc of saturated probabilities still ranks', () => {
    expect(auc(Float64Array.of(50, 60), Uint8Array.of(0, 1))).toBe(1);
    expect(auc(Float64Array.of(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY), Uint8Array.of(0, 1))).toBe(1);
  });
  test('auc of one class does not exist', () => {
    expect(auc(Float64Array.of(1, 2), Uint8Array.of(1, 1))).toBeNull();
    expect(auc(Float64Array.of(1, 2), Uint8Array.of(0, 1), Float64Array.of(0, 1))).toBeNull();
    expect(evaluate({ logits: Float64Array.of(1) }, Uint8Array.of(1)).auc).toBeNull();
  });
});

describe('laws', () => {
  const rows = fc.array(
    fc.record({
      z: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ min: -40, max: 40, noNaN: true })),
      y: fc.constantFrom(0, 1),
      s: fc.integer({ min: 0, max: 4 }),
    }),
    { minLength: 1, maxLength: 60 },
  );
  type Row = { z: number; y: number; s: number };
  const of = (list: Row[], weighted: boolean) =>
    evaluate(
      { logits: Float64Array.from(list, (row) => row.z) },
      Float64Array.from(list, (row) => row.y),
      weighted ? Float64Array.from(list, (row) => row.s) : null,
    );
  // sums of at most 240 terms in another order
  const close = (a: ReturnType<typeof of>, b: ReturnType<typeof of>) => {
    for (const key of ['logLoss', 'brier', 'ece', 'accuracy'] as const) {
      expect(Math.abs(a[key] - b[key]), key).toBeLessThanOrEqual(1e-13 * Math.max(1, b[key]));
    }
    expect(a.auc).toBe(b.auc);
  };

  test('integer weights are repeated rows, weight 0 is no row; auc even to the bit', () => {
    fc.assert(
      fc.property(rows, (list) => {
        fc.pre(list.some(({ s }) => s > 0));
        close(
          of(list, true),
          of(
            list.flatMap((row) => Array<Row>(row.s).fill(row)),
            false,
          ),
        );
      }),
    );
  });

  test('the order of rows does not matter', () => {
    fc.assert(
      fc.property(rows, fc.integer(), (list, seed) => {
        const shuffled = list
          .map((row, i) => ({ row, key: Math.imul(i + 1, seed | 1) }))
          .sort((a, b) => a.key - b.key)
          .map(({ row }) => row);
        close(of(shuffled, false), of(list, false));
      }),
    );
  });

  test('auc is the share of pairs in order, and turns over with the labels', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const positives = list.filter((row) => row.y === 1);
        const negatives = list.filter((row) => row.y === 0);
        fc.pre(positives.length > 0 && negatives.length > 0);
        let pairs = 0;
        for (const a of positives) for (const b of negatives) pairs += a.z > b.z ? 1 : a.z === b.z ? 0.5 : 0;
        expect(of(list, false).auc).toBe(pairs / (positives.length * negatives.length));
        const turned = of(
          list.map((row) => ({ ...row, y: 1 - row.y })),
          false,
        ).auc!;
        expect(turned + of(list, false).auc!).toBeCloseTo(1, 15);
      }),
    );
  });
});

describe('what cannot be measured is refused', () => {
  const one = Float64Array.of(1);
  const error = (code: string, message: string) =>
    expect.objectContaining({ code, message: expect.stringContaining(message) });
  type OfRows = (values: Float64Array, y: Uint8Array, weight?: Float64Array) => unknown;
  const ofLogits =
    (metric: typeof brier | typeof reliability): OfRows =>
    (logits, ...rest) =>
      metric({ logits }, ...rest);
  test.each<[name: string, metric: OfRows, what: string]>([
    ['logLoss', ofLogits(logLoss), 'logits'],
    ['auc', auc, 'scores'],
    ['brier', ofLogits(brier), 'logits'],
    ['ece', ofLogits(ece), 'logits'],
    ['accuracy', ofLogits(accuracy), 'logits'],
  ])('%s', (_, metric, what) => {
    expect(() => metric(one, new Uint8Array(2))).toThrow(
      error('ERR_SHAPE', `labels and weights: expected length 1 (as the ${what}), got 2`),
    );
    expect(() => metric(one, new Uint8Array(1), new Float64Array(3))).toThrow(error('ERR_SHAPE', 'got 1 and 3'));
    expect(() => metric(new Float64Array(0), new Uint8Array(0))).toThrow(
      error('ERR_SHAPE', 'at least one row of positive weight'),
    );
    expect(() => metric(one, new Uint8Array(1), new Float64Array(1))).toThrow(
      error('ERR_SHAPE', 'at least one row of positive weight'),
    );
    expect(() => metric(Float64Array.of(Number.NaN), new Uint8Array(1))).toThrow(
      error('ERR_RANGE', `${what}: expected numbers, got NaN at row 0`),
    );
    expect(() => metric(one, Uint8Array.of(2))).toThrow(error('ERR_RANGE', 'labels: expected 0 or 1, got 2 at row 0'));
    expect(() => metric(one, Uint8Array.of(1), Float64Array.of(1e151))).toThrow(
      error('ERR_RANGE', 'weights: expected a sum up to 1e+150, got 1e+151'),
    );
    expect(() => metric(one, Uint8Array.of(1), Float64Array.of(-1))).toThrow(
      error('ERR_RANGE', 'weights: expected finite numbers >= 0, got -1 at row 0'),
    );
  });
  test('a number of bins that is none', () => {
    expect(() => ece({ logits: one }, Uint8Array.of(1), null, 0)).toThrow(
      error('ERR_RANGE', 'bins: expected an integer from 1 to 10000, got 0'),
    );
  });
});
