import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Criterion, chooseThreshold, type JudgedRows } from '../../src/decide/choose.ts';
import { costThreshold } from '../../src/decide/costs.ts';

interface Case {
  readonly name: string;
  readonly folds: { probabilities: number[]; y: number[]; weight: number[] | null }[];
  readonly results: { criterion: Criterion; value: number; stdError: number | null }[];
}
const { cases } = JSON.parse(readFileSync('test/fixtures/decisions.json', 'utf8')) as { cases: Case[] };

const CRITERIA: readonly Criterion[] = [
  { by: 'cost', costs: { fp: 1, fn: 3, tn: -0.5 } },
  { by: 'fbeta', beta: 1 },
  { by: 'recall', precision: 0.3 },
  { by: 'precision', recall: 0.5 },
  { by: 'budget', share: 0.4 },
];

const rowsOf = (p: number[], y: number[], weight: number[] | null = null): JudgedRows => ({
  probabilities: Float64Array.from(p),
  y,
  weight,
});

/** Criteria of the rows above a threshold, counted anew. */
function judge(criterion: Criterion, { probabilities, y, weight }: JudgedRows, threshold: number): number {
  const sums = { tp: 0, fp: 0, fn: 0, tn: 0 };
  probabilities.forEach((p, i) => {
    const key = p > threshold ? (y[i] === 1 ? 'tp' : 'fp') : y[i] === 1 ? 'fn' : 'tn';
    sums[key] += weight ? weight[i] : 1;
  });
  const { tp, fp, fn, tn } = sums;
  const total = tp + fp + fn + tn;
  if (criterion.by === 'cost') {
    const costs = criterion.costs!;
    return (fp * costs.fp + fn * costs.fn + tp * (costs.tp ?? 0) + tn * (costs.tn ?? 0)) / total;
  }
  if (criterion.by === 'fbeta') {
    const square = criterion.beta ** 2;
    return ((1 + square) * tp) / ((1 + square) * tp + square * fn + fp);
  }
  return criterion.by === 'recall'
    ? tp / (tp + fn)
    : criterion.by === 'precision'
      ? tp / (tp + fp || 1)
      : (tp + fp) / total;
}

describe.each(cases)('exhaustive search with scikit-learn: $name', ({ folds, results }) => {
  const judged = folds.map(({ probabilities, y, weight }) => rowsOf(probabilities, y, weight));

  test.each(results)('$criterion', ({ criterion, value, stdError }) => {
    const { threshold, chosen } = chooseThreshold(criterion, judged);
    expect(chosen.value).toBeCloseTo(value, 10);
    if (stdError === null) expect(chosen.stdError).toBe(null);
    else if (criterion.by !== 'recall' && criterion.by !== 'precision')
      expect(chosen.stdError).toBeCloseTo(stdError, 10);
    // the threshold flags what was counted
    const weights = judged.map(({ weight, y }) => (weight ? Array.from(weight).reduce((a, b) => a + b) : y.length));
    const total = weights.reduce((a, b) => a + b);
    const mean = judged.reduce((sum, fold, f) => sum + (weights[f] / total) * judge(criterion, fold, threshold), 0);
    expect(mean).toBeCloseTo(chosen.value, 12);
    expect(chosen.range === null).toBe(judged.length === 1);
    expect(chosen.curve.length).toBeLessThanOrEqual(200);
    expect(chosen.curve).toContainEqual({ threshold, value: chosen.value, stdError: chosen.stdError });
  });
});

const rowLists = fc.array(
  fc.record({
    p: fc.oneof(
      fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ),
    y: fc.constantFrom(0, 1),
    weight: fc.integer({ min: 0, max: 3 }),
  }),
  { minLength: 1, maxLength: 25 },
);
/** the result, or the sentence that refuses it */
const outcome = (criterion: Criterion, folds: JudgedRows[]) => {
  try {
    return chooseThreshold(criterion, folds);
  } catch (error) {
    return String(error);
  }
};

test.each(CRITERIA)('a whole weight is so many rows, 0 is none: $by', (criterion) => {
  fc.assert(
    fc.property(fc.array(rowLists, { minLength: 1, maxLength: 3 }), (lists) => {
      const weighted = lists.map((rows) =>
        rowsOf(
          rows.map(({ p }) => p),
          rows.map(({ y }) => y),
          rows.map(({ weight }) => weight),
        ),
      );
      const repeated = lists.map((rows) => {
        const all = rows.flatMap((row) => Array.from({ length: row.weight }, () => row));
        return rowsOf(
          all.map(({ p }) => p),
          all.map(({ y }) => y),
        );
      });
      expect(outcome(criterion, weighted)).toEqual(outcome(criterion, repeated));
    }),
  );
});

test.each(CRITERIA)('every point of the curve has the value of the rows above its threshold: $by', (criterion) => {
  fc.assert(
    fc.property(rowLists, (rows) => {
      const fold = rowsOf(
        rows.map(({ p }) => p),
        rows.map(({ y }) => y),
      );
      const result = outcome(criterion, [fold]);
      if (typeof result === 'string') return;
      for (const { threshold, value } of result.chosen.curve)
        expect(value).toBeCloseTo(judge(criterion, fold, threshold), 12);
      const thresholds = result.chosen.curve.map(({ threshold }) => threshold);
      expect(thresholds).toEqual([...thresholds].sort((a, b) => a - b));
    }),
  );
});

test('neighbouring doubles are told apart, and 0 can be flagged', () => {
  const p = 0.3;
  const next = p + 2 ** -54;
  const { threshold } = chooseThreshold({ by: 'fbeta', beta: 1 }, [rowsOf([p, next], [0, 1])]);
  expect([p > threshold, next > threshold]).toEqual([false, true]);
  const all = chooseThreshold({ by: 'cost', costs: { fp: 0, fn: 1 } }, [rowsOf([0, 0.5], [1, 0])]);
  expect(0 > all.threshold).toBe(true);
});

test('of calibrated probabilities the empirical threshold of least cost is near the closed form', () => {
  const n = 2000;
  const probabilities = Float64Array.from({ length: n }, (_, i) => (i + 0.5) / n);
  // each row is one positive and one negative of weight p and 1 − p: exactly calibrated
  const rows = rowsOf(
    [...probabilities, ...probabilities],
    [...probabilities.map(() => 1), ...probabilities.map(() => 0)],
    [...probabilities, ...probabilities.map((p) => 1 - p)],
  );
  const costs = { fp: 1, fn: 4, tn: -0.5, tp: 0.25 };
  expect(chooseThreshold({ by: 'cost', costs }, [rows]).threshold).toBeCloseTo(costThreshold(costs), 3);
});

test('costs of each row: least cost worked by hand', () => {
  // flagging from the top: 10 → 10 − 6 = 4 → 4 + 1 = 5 → 5 − 4 = 1 → 1 + 8 = 9
  const rows = { ...rowsOf([0.9, 0.8, 0.7, 0.2], [1, 0, 1, 0]), costs: { fp: [0, 1, 0, 8], fn: [6, 0, 4, 0] } };
  const { threshold, chosen } = chooseThreshold({ by: 'cost' }, [rows]);
  expect(threshold).toBeCloseTo(0.45, 12);
  expect(chosen.value).toBe(1 / 4);
  expect(chosen.curve.map(({ value }) => value * 4)).toEqual([9, 1, 5, 4, 10]);
});

test('of equal means the better side condition, then the one that flags fewer', () => {
  const rows = rowsOf([0.9, 0.7, 0.5, 0.3], [1, 1, 0, 0]);
  const flagged = (criterion: Criterion) =>
    Array.from(rows.probabilities).filter((p) => p > chooseThreshold(criterion, [rows]).threshold).length;
  expect(flagged({ by: 'precision', recall: 0.5 })).toBe(2); // precision 1 with one or two, recall 1 with two
  expect(flagged({ by: 'recall', precision: 0.5 })).toBe(2); // recall 1 with two to four, precision 1 with two
  expect(flagged({ by: 'cost', costs: { fp: 0, fn: 1 } })).toBe(2);
});

test('budget: the k greatest probabilities, tied ones together or not at all', () => {
  const rows = rowsOf([0.9, 0.8, 0.8, 0.3], [1, 0, 1, 0]);
  const flaggedBy = (criterion: Criterion) => {
    const { threshold } = chooseThreshold(criterion, [rows]);
    return Array.from(rows.probabilities, (p) => p > threshold);
  };
  expect(flaggedBy({ by: 'budget', rows: 3 })).toEqual([true, true, true, false]);
  expect(flaggedBy({ by: 'budget', rows: 2 })).toEqual([true, false, false, false]);
  expect(flaggedBy({ by: 'budget', share: 0.75 })).toEqual([true, true, true, false]);
});

test('the range is that of the thresholds each fold would choose', () => {
  const folds = [rowsOf([0.1, 0.2, 0.6, 0.8], [0, 0, 1, 1]), rowsOf([0.1, 0.3, 0.7, 0.9], [0, 1, 1, 1])];
  const own = folds.map((fold) => chooseThreshold({ by: 'fbeta', beta: 1 }, [fold]).threshold);
  expect(chooseThreshold({ by: 'fbeta', beta: 1 }, folds).chosen.range).toEqual([Math.min(...own), Math.max(...own)]);
});

test.each<[string, Criterion, JudgedRows[], string]>([
  ['no folds', CRITERIA[1], [], 'folds: expected at least one'],
  ['one class', CRITERIA[1], [rowsOf([0.2, 0.3], [0, 0])], 'expected rows of both classes, got negative ones only'],
  ['lengths', CRITERIA[1], [rowsOf([0.2, 0.3], [0])], 'expected 2 labels and weights'],
  ['no weight', CRITERIA[0], [rowsOf([0.2], [0], [0])], 'at least one row of positive weight'],
  [
    'probability',
    CRITERIA[0],
    [rowsOf([0.2, 1.5], [0, 1])],
    'probability 1 (from 0): expected a number from 0 to 1, got 1.5',
  ],
  ['label', CRITERIA[0], [rowsOf([0.2, 0.5], [0, 2])], 'label 1 (from 0): expected 0 or 1, got 2'],
  ['weight', CRITERIA[0], [rowsOf([0.2], [0], [-1])], 'weight 0 (from 0): expected a finite number >= 0, got -1'],
  ['beta', { by: 'fbeta', beta: 0 }, [rowsOf([0.2, 0.5], [0, 1])], 'beta: expected a finite number > 0, got 0'],
  ['no costs', { by: 'cost' }, [rowsOf([0.2, 0.5], [0, 1])], 'costs: expected fp and fn, got none'],
  ['cheap mistake', { by: 'cost', costs: { fp: 1, fn: 1, tn: 2 } }, [rowsOf([0.2], [0])], 'got fp 1 below tn 2'],
  [
    'row costs',
    { by: 'cost' },
    [{ ...rowsOf([0.2], [0]), costs: { fp: [1, 2], fn: 1 } }],
    'costs, fp: expected a number or one for each of 1 rows, got 2',
  ],
  [
    'precision out of reach',
    { by: 'recall', precision: 0.9 },
    [rowsOf([0.9, 0.8, 0.7], [0, 1, 0])],
    'precision: expected at most 0.5 (the best that a threshold reaches), got 0.9',
  ],
  [
    'budget below the first ties',
    { by: 'budget', rows: 1 },
    [rowsOf([0.8, 0.8, 0.7], [0, 1, 0])],
    'budget: expected at least 2',
  ],
  [
    'budget of too many rows',
    { by: 'budget', rows: 9 },
    [rowsOf([0.8, 0.7], [0, 1])],
    'budget: expected a number of rows up to 2, got 9',
  ],
  [
    'mistakes that cost nothing',
    { by: 'cost', costs: { fp: 0, fn: 0 } },
    [rowsOf([0.8, 0.7], [0, 1])],
    'costs: expected a mistake that costs more than a hit, got none',
  ],
  [
    'a gain by a mistake, which is of all rows',
    { by: 'cost', costs: { fp: 1, fn: -5 } },
    [rowsOf([0.8, 0.7], [0, 1])],
    'costs: expected no mistake to be cheaper than the hit',
  ],
  [
    'another criterion',
    { by: 'accuracy' } as never,
    [rowsOf([0.8, 0.7], [0, 1])],
    'criterion: expected cost, fbeta, recall, precision or budget, got accuracy',
  ],
])('refused in one sentence: %s', (_, criterion, folds, sentence) => {
  expect(() => chooseThreshold(criterion, folds)).toThrow(sentence);
});
