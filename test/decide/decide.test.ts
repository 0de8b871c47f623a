import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { abstainByCost, abstainByShare } from '../../src/decide/abstain.ts';
import { decide, decideAll, needsReview, wrongInDecision } from '../../src/decide/apply.ts';
import { costThreshold, decideByRowCosts, decisionByCosts } from '../../src/decide/costs.ts';
import type { Decision } from '../../src/decide/decision.ts';

const unit = fc.double({ min: 0, max: 1, noNaN: true });

/** planes of rows of three probabilities */
const planesOf = (rows: number[][]) => Float64Array.from([0, 1, 2].flatMap((k) => rows.map((row) => row[k])));

test('two classes: positive above the threshold, not at it, whichever class is the positive one', () => {
  const p = Float64Array.of(0.2, 0.3, 0.4);
  const labels = (positive: number) => [0, 1, 2].map((i) => decide({ threshold: 0.3 }, positive, p, p, i, 3, 2));
  expect(labels(1)).toEqual([0, 0, 1]);
  expect(labels(0)).toEqual([1, 1, 0]);
});

describe('closed form of two classes', () => {
  test('worked by hand', () => {
    expect(costThreshold({ fp: 1, fn: 4 })).toBe(0.2);
    expect(costThreshold({ fp: 3, fn: 2, tp: -1, tn: 1 })).toBe(0.4);
  });

  test('below it a negative, above it a positive is the cheaper decision', () => {
    const cost = fc.integer({ min: 0, max: 50 });
    fc.assert(
      fc.property(
        cost,
        cost,
        fc.integer({ min: -20, max: 20 }),
        fc.integer({ min: -20, max: 20 }),
        unit,
        (a, b, tp, tn, p) => {
          fc.pre(a + b > 0);
          const fp = tn + a;
          const fn = tp + b;
          const difference = p * fn + (1 - p) * tn - (p * tp + (1 - p) * fp);
          if (Math.abs(difference) > 1e-9) expect(p > costThreshold({ fp, fn, tp, tn })).toBe(difference > 0);
        },
      ),
    );
  });
});

test('several classes: the least expected cost, the first if several; without costs the greatest score', () => {
  const costs = [
    [0, 1, 10],
    [4, 0, 1],
    [8, 2, 0],
  ];
  const rows = planesOf([
    [0.6, 0.3, 0.1], // expected 2, 0.8, 6.3
    [0.9, 0.05, 0.05], // 0.6, 1, 9.05
    [0.1, 0.1, 0.8], // 6.8, 1.7, 1.1
    [0.3, 0.4, 0.3], // 4, 0.9, 3.4
  ]);
  const labels = [0, 1, 2, 3].map((i) => decide({ threshold: 0.5, costs }, -1, rows, rows, i, 4, 3));
  expect(labels).toEqual([1, 0, 2, 1]);
  expect([0, 1, 2, 3].map((i) => decide({ threshold: 0.5 }, -1, rows, rows, i, 4, 3))).toEqual([0, 0, 2, 1]);
  const ties = planesOf([[0.5, 0, 0.5]]);
  expect(
    decide(
      {
        threshold: 0.5,
        costs: [
          [0, 1, 1],
          [1, 0, 1],
          [1, 1, 0],
        ],
      },
      -1,
      ties,
      ties,
      0,
      1,
      3,
    ),
  ).toBe(0);
});

test('two classes by a matrix are two classes by the threshold that follows', () => {
  const costs = [
    [-0.5, 4],
    [1.5, 0.25],
  ];
  fc.assert(
    fc.property(unit, (p) => {
      const pair = Float64Array.of(1 - p, p);
      const expected = [0, 1].map((k) => pair[0] * costs[0][k] + pair[1] * costs[1][k]);
      const { threshold } = decisionByCosts(costs, ['no', 'yes'], 'yes');
      if (Math.abs(expected[0] - expected[1]) > 1e-12) {
        const label = decide({ threshold }, 1, pair, pair, 1, 1, 2);
        expect(label).toBe(decide({ threshold, costs }, -1, pair, pair, 0, 1, 2));
      }
      // 'no' as the positive class is the same decision
      const other = decisionByCosts(costs, ['no', 'yes'], 'no').threshold;
      expect(other + threshold).toBeCloseTo(1, 12);
    }),
  );
});

test('review: two classes within the band, ends included; several below a greatest probability', () => {
  const band: Decision = { threshold: 0.5, abstain: { low: 0.4, high: 0.6 } };
  const p = Float64Array.of(0.39, 0.4, 0.5, 0.6, 0.61);
  const labels = new Uint32Array(5);
  const review = new Uint8Array(5);
  decideAll(band, 1, p, p, 5, 2, 5, labels, review);
  expect([...review]).toEqual([0, 1, 1, 1, 0]);
  expect([...labels]).toEqual([0, 0, 0, 1, 1]);
  const rows = planesOf([
    [0.5, 0.3, 0.2],
    [0.6, 0.2, 0.2],
  ]);
  expect([0, 1].map((i) => needsReview(band, -1, rows, i, 2, 3))).toEqual([true, false]);
  expect(needsReview({ threshold: 0.5 }, 1, p, 2, 5, 2)).toBe(false);
});

test('decideAll is decide and needsReview row by row', () => {
  const decision: Decision = {
    threshold: 0.3,
    abstain: { low: 0.2, high: 0.7 },
    costs: [
      [0, 2, 3],
      [1, 0, 4],
      [9, 1, 0],
    ],
  };
  fc.assert(
    fc.property(fc.array(fc.tuple(unit, unit, unit), { maxLength: 9 }), (rows) => {
      const planes = planesOf(rows);
      const n = rows.length;
      for (const [positive, classes] of [
        [0, 2],
        [1, 2],
        [-1, 3],
      ]) {
        const labels = new Uint32Array(n);
        const review = new Uint8Array(n);
        decideAll(decision, positive, planes, planes, n, classes, n, labels, review);
        rows.forEach((_, i) => {
          expect(labels[i]).toBe(decide(decision, positive, planes, planes, i, n, classes));
          expect(review[i] === 1).toBe(needsReview(decision, positive, planes, i, n, classes));
        });
      }
    }),
  );
});

describe('costs of each row', () => {
  test('worked by hand', () => {
    const p = Float64Array.of(0.5, 0.5, 0.1, 0.1);
    const { positive, expectedCost, cost } = decideByRowCosts(p, { fp: 2, fn: [1, 4, 1, 100] }, [1, 0, 0, 1]);
    expect([...positive]).toEqual([0, 1, 0, 1]);
    expect(expectedCost).toBeCloseTo(0.5 + 1 + 0.1 + 1.8, 12);
    expect(cost).toBe(1 + 2);
  });

  test('a whole weight is so many rows, no single threshold costs less, and rows without stakes are negative', () => {
    const rows = fc.array(
      fc.record({ p: unit, fp: fc.nat(9), fn: fc.nat(9), y: fc.constantFrom(0, 1), weight: fc.nat(3) }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(rows, unit, (all, threshold) => {
        const run = (list: typeof all, weight: number[] | null) =>
          decideByRowCosts(
            Float64Array.from(list, ({ p }) => p),
            { fp: list.map(({ fp }) => fp), fn: list.map(({ fn }) => fn) },
            list.map(({ y }) => y),
            weight,
          );
        const repeated = all.flatMap((row) => Array.from({ length: row.weight }, () => row));
        const weighted = run(
          all,
          all.map(({ weight }) => weight),
        );
        expect(weighted.expectedCost).toBeCloseTo(run(repeated, null).expectedCost, 9);
        expect(weighted.cost).toBe(run(repeated, null).cost);
        const single = repeated.reduce((sum, { p, fp, fn }) => sum + (p > threshold ? (1 - p) * fp : p * fn), 0);
        expect(weighted.expectedCost).toBeLessThanOrEqual(single + 1e-9);
        all.forEach(({ fp, fn }, i) => {
          if (fp === 0 && fn === 0) expect(weighted.positive[i]).toBe(0);
        });
      }),
    );
  });
});

describe('abstaining', () => {
  test('by the cost of a review: reviewed where it is cheaper than both decisions', () => {
    const cost = fc.integer({ min: 0, max: 12 });
    fc.assert(
      fc.property(cost, cost, cost, cost, fc.integer({ min: 0, max: 20 }), unit, (a, b, tp, tn, review, p) => {
        fc.pre(a + b > 0 && review >= Math.min(tp, tn));
        const [fp, fn] = [tn + a, tp + b];
        const band = abstainByCost({ fp, fn, tp, tn }, review);
        const cheapest = Math.min(p * tp + (1 - p) * fp, p * fn + (1 - p) * tn);
        if (Math.abs(cheapest - review) < 1e-9) return;
        expect(band !== null && p >= band.low && p <= band.high).toBe(review < cheapest);
      }),
      { numRuns: 1000 },
    );
    expect(abstainByCost({ fp: 1, fn: 1 }, 0.25)).toEqual({ low: 0.25, high: 0.75 });
    expect(abstainByCost({ fp: 1, fn: 1 }, 0.6)).toBe(null);
  });

  const rows = fc.array(fc.record({ p: unit, weight: fc.nat(3) }), { minLength: 2, maxLength: 30 });

  test('by a share: never more than it, the rows nearest to the threshold, and whole weights are rows', () => {
    fc.assert(
      fc.property(rows, fc.double({ min: 0.01, max: 0.99, noNaN: true }), unit, (all, share, threshold) => {
        const repeated = all.flatMap(({ p, weight }) => Array.from({ length: weight }, () => p));
        fc.pre(repeated.length > 0);
        const band = (p: number[], weight: number[] | null) => {
          try {
            return abstainByShare(Float64Array.from(p), share, { threshold, weight });
          } catch (error) {
            return String(error);
          }
        };
        const found = band(repeated, null);
        expect(
          band(
            all.map(({ p }) => p),
            all.map(({ weight }) => weight),
          ),
        ).toEqual(found);
        if (typeof found === 'string') return;
        const isIn = (p: number) => p >= found.low && p <= found.high;
        const reviewed = repeated.filter(isIn);
        expect(reviewed.length).toBeLessThanOrEqual(share * repeated.length * (1 + 1e-9));
        const furthest = Math.max(...reviewed.map((p) => Math.abs(p - threshold)));
        for (const p of repeated) if (!isIn(p)) expect(Math.abs(p - threshold)).toBeGreaterThan(furthest);
        // the next row, or those tied with it, would be too many
        const left = repeated.filter((p) => !isIn(p)).map((p) => Math.abs(p - threshold));
        const next = left.filter((margin) => margin === Math.min(...left)).length;
        expect(reviewed.length + next).toBeGreaterThan(share * repeated.length);
      }),
    );
  });

  test('by a share of several classes: those whose greatest probability is least', () => {
    const planes = planesOf([
      [0.4, 0.3, 0.3],
      [0.9, 0.05, 0.05],
      [0.2, 0.5, 0.3],
      [0.1, 0.1, 0.8],
    ]);
    const abstain = abstainByShare(planes, 0.5, { classes: 3 });
    expect([0, 1, 2, 3].map((i) => needsReview({ threshold: 0.5, abstain }, -1, planes, i, 4, 3))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test.each([
    [
      () => abstainByCost({ fp: 1, fn: 1, tp: 0.5, tn: 0.5 }, 0.1),
      'review: expected a finite cost, at least that of a hit (0.5), got 0.1',
    ],
    [() => abstainByShare(Float64Array.of(0.5), 1), 'review share: expected a number above 0 and below 1, got 1'],
    [() => abstainByShare(Float64Array.of(0.5, 0.5, 0.9), 0.5), 'review share: expected at least 0.6666666666666666'],
    [
      () => abstainByShare(Float64Array.of(0.5, 0.5), 0.5, { weight: [1] }),
      'expected 1 probabilities and a weight for each row',
    ],
    [
      () => abstainByShare(Float64Array.of(2, 0.5), 0.5),
      'probability of row 0 (from 0): expected a number from 0 to 1, got 2',
    ],
  ])('refused in one sentence: %#', (call, sentence) => {
    expect(call).toThrow(sentence);
  });
});

test.each([
  [
    () => decisionByCosts([[0, 1]], ['a', 'b'], 'b'),
    'costs: expected 2 × 2 numbers (true class × decided class), got 1 rows of 2 numbers',
  ],
  [
    () =>
      decisionByCosts(
        [
          [0, 1],
          [1, 0, 2],
        ],
        ['a', 'b'],
        'b',
      ),
    'got 2 rows of 2, 3 numbers',
  ],
  [
    () =>
      decisionByCosts(
        [
          [0, 1],
          [1, 2],
        ],
        ['a', 'b'],
        'b',
      ),
    'costs, true "b" decided "a": expected at least 2 (the cost of the hit), got 1',
  ],
  [
    () =>
      decisionByCosts(
        [
          [0, Number.NaN],
          [1, 0],
        ],
        ['a', 'b'],
        'b',
      ),
    'costs, true "a" decided "b": expected a finite number, got NaN',
  ],
  [() => costThreshold({ fp: 1, fn: 0, tp: 2 }), 'got fn 0 below tp 2'],
  [() => costThreshold({ fp: 0, fn: 0 }), 'expected a mistake that costs more than a hit'],
  [
    () => decideByRowCosts(Float64Array.of(0.5, 0.5), { fp: 1, fn: [1, -1] }),
    'costs of row 1 (from 0): expected no mistake to be cheaper',
  ],
  [
    () => decideByRowCosts(Float64Array.of(0.5), { fp: 1, fn: 1 }, [1, 0]),
    'expected length 1 (as the probabilities), got 2',
  ],
  [
    () => decideByRowCosts(Float64Array.of(0.5, Number.NaN), { fp: 1, fn: 1 }),
    'row 1 (from 0), probability: expected a number from 0 to 1, got NaN',
  ],
  [
    () => decideByRowCosts(Float64Array.of(0.5), { fp: 1, fn: 1 }, [2]),
    'row 0 (from 0), label: expected 0 or 1, got 2',
  ],
  [
    () => decideByRowCosts(Float64Array.of(0.5), { fp: 1, fn: 1 }, null, [-1]),
    'row 0 (from 0), weight: expected a finite number >= 0, got -1',
  ],
  [() => decisionByCosts(null as never, ['a', 'b'], 'b'), 'costs: expected 2 × 2 numbers'],
])('refused in one sentence: %#', (call, sentence) => {
  expect(call).toThrow(sentence);
});

test('the decision of a model file is checked field by field', () => {
  const costs = [
    [0, 1],
    [2, 0],
  ];
  const good: Decision = { threshold: 0.5, costs, abstain: { low: 0.4, high: 0.6 } };
  expect(wrongInDecision(good, 2)).toBe(null);
  expect(wrongInDecision({ threshold: -Number.MIN_VALUE }, 3)).toBe(null);
  const wrong: [unknown, string][] = [
    [null, ''],
    [[], ''],
    [{}, '.threshold'],
    [{ ...good, threshold: '0.5' }, '.threshold'],
    [{ ...good, costs: [[0, 1]] }, '.costs'],
    [{ ...good, costs: [[0, 1], [2]] }, '.costs'],
    [
      {
        ...good,
        costs: [
          [0, 1],
          [2, 3],
        ],
      },
      '.costs',
    ],
    [
      {
        ...good,
        costs: [
          [0, null],
          [2, 0],
        ],
      },
      '.costs',
    ],
    [{ ...good, costs: null }, '.costs'],
    [{ ...good, abstain: { low: 0.7, high: 0.6 } }, '.abstain'],
    [{ ...good, abstain: null }, '.abstain'],
    [{ ...good, chosen: 5 }, '.chosen'],
  ];
  for (const cell of [{ toString: 1 }, Object.create(null), '1', null, [2]])
    expect(
      wrongInDecision(
        {
          threshold: 0.5,
          costs: [
            [0, 1],
            [1, cell],
          ],
        },
        2,
      ),
    ).toBe('.costs');
  for (const [value, path] of wrong) expect(wrongInDecision(value, 2)).toBe(path);
});
