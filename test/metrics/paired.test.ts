import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitmix32 } from '../../src/math/random.ts';
import { auc, brier, ece, logLoss } from '../../src/metrics/binary.ts';
import { aucInterval } from '../../src/metrics/interval.ts';
import { evaluateClasses } from '../../src/metrics/multiclass.ts';
import { aucDifference, metricDifferences } from '../../src/metrics/paired.ts';
import { sweep } from '../full.ts';
import { columns, error, near, repeats, rows } from './oracle.ts';

interface Pair {
  name: string;
  first: number[];
  second: number[];
  y: number[];
  weight: number[] | null;
  counts: boolean;
  areas: number[];
  stdErrors: number[];
  difference: number;
  stdError: number;
  low: number;
  high: number;
  p: number;
  logit: number[][];
}
const { pairs } = JSON.parse(readFileSync('test/fixtures/paired.json', 'utf8')) as { pairs: Pair[] };
const kindOf = ({ counts }: Pair) => ({ weightKind: counts ? 'count' : 'sampling' }) as const;

describe('DeLong of two areas by pairs, rocauc-comparison and MLstatkit', () => {
  test.each(pairs)('$name', (pair) => {
    const { first, second, y, weight } = pair;
    const got = aucDifference(first, second, y, weight, kindOf(pair))!;
    near(got.first, pair.areas[0]);
    near(got.second, pair.areas[1]);
    for (const key of ['difference', 'stdError', 'low', 'high', 'p'] as const) near(got[key], pair[key], key);
  });

  test.each(pairs)('one area on the scale of logits: $name', (pair) => {
    [pair.first, pair.second].forEach((scores, k) => {
      const got = aucInterval(scores, pair.y, pair.weight, { scale: 'logit', ...kindOf(pair) })!;
      near(got.stdError, pair.stdErrors[k]);
      near(got.low, pair.logit[k][0]);
      near(got.high, pair.logit[k][1]);
    });
  });
});

test('two positive and two negative rows, by hand', () => {
  // components of the first scores: 1, 1/2 and 1, 1/2 (areas 3/4); of the second all 1. Differences 0, −1/2 in both classes: variances 1/8, over 2
  const got = aucDifference([3, 1.5, 1, 2], [4, 3, 2, 1], [1, 1, 0, 0])!;
  expect([got.first, got.second, got.difference]).toEqual([0.75, 1, -0.25]);
  expect(got.stdError).toBeCloseTo(Math.sqrt(1 / 8), 15);
  expect(got.low).toBeLessThan(-0.9);
});

describe('laws', () => {
  test('a score against itself, or what ranks rows alike, differs by nothing', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const { scores, y } = columns(list);
        const got = aucDifference(
          scores,
          scores.map((z) => 2 * z),
          y,
        );
        if (got) expect([got.difference, got.stdError, got.p]).toEqual([0, 0, 1]);
      }),
    );
  });

  test('the areas are auc, the difference turns over with the scores', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const { scores, p, y } = columns(list);
        const got = aucDifference(scores, p, y);
        if (!got) return;
        near(got.first, auc(scores, y));
        near(got.second, auc(p, y));
        const back = aucDifference(p, scores, y)!;
        near(back.low, -got.high);
        near(back.stdError, got.stdError);
      }),
    );
  });

  test('against a score that is no help the standard error is that of the one area', () => {
    // components of a constant are all 1/2
    fc.assert(
      fc.property(rows, (list) => {
        const { scores, y } = columns(list);
        const got = aucDifference(
          scores,
          scores.map(() => 0),
          y,
        );
        if (got) near(got.stdError, aucInterval(scores, y)!.stdError);
      }),
    );
  });

  test.each(['count', 'sampling'] as const)(
    '%s weights: integers are repeated rows, or their scale is nothing',
    (kind) => {
      if (kind === 'count')
        repeats(({ scores, p, y }, weight) => aucDifference(scores, p, y, weight, { weightKind: 'count' }));
      const [, , , { first, second, y, weight }] = pairs;
      const [a, b] = [1, 64].map(
        (scale) =>
          aucDifference(
            first,
            second,
            y,
            weight!.map((s) => s * scale),
          )!,
      );
      for (const key of ['difference', 'stdError', 'p'] as const) near(a[key], b[key], key);
    },
  );
});

describe('bootstrap of differences', () => {
  const probabilities = (scores: number[]) => ({ logits: scores });

  test('figures are the metrics; the area is near DeLong; it repeats', () => {
    for (const pair of pairs) {
      const { first, second, y, weight } = pair;
      const options = { replicates: sweep(800, 4000), seed: 3, ...kindOf(pair) };
      const got = metricDifferences(probabilities(first), probabilities(second), y, weight, options);
      near(got.logLoss!.first, logLoss({ logits: first }, y, weight));
      near(got.brier!.second, brier({ logits: second }, y, weight));
      near(got.ece!.first, ece({ logits: first }, y, weight));
      near(got.auc!.difference, pair.difference);
      // the standard error of a standard deviation of 800 draws is 2.5 % of it; the two estimates differ by O(1/n)
      expect(Math.abs(got.auc!.stdError / pair.stdError - 1)).toBeLessThan(0.1);
      expect(Math.abs(got.auc!.low - pair.low)).toBeLessThan(0.5 * pair.stdError);
      expect(metricDifferences(probabilities(first), probabilities(second), y, weight, options)).toEqual(got);
    }
  });

  test('a mean difference has the standard error of a mean', () => {
    const { first, second, y } = pairs[0];
    const got = metricDifferences(probabilities(first), probabilities(second), y).logLoss!;
    const loss = (z: number, k: number) => Math.log1p(Math.exp(y[k] === 1 ? -z : z));
    const apart = first.map((z, k) => loss(z, k) - loss(second[k], k));
    const mean = apart.reduce((sum, one) => sum + one, 0) / apart.length;
    const variance = apart.reduce((sum, one) => sum + (one - mean) ** 2, 0) / apart.length;
    // 1000 draws: 2.2 % of a standard deviation, three times
    expect(Math.abs(got.stdError / Math.sqrt(variance / apart.length) - 1)).toBeLessThan(0.07);
  });

  test('clusters of repeated rows: the interval is as wide as that of the rows before they were repeated', () => {
    const { first, second, y } = pairs[0];
    const three = <T>(list: readonly T[]) => list.flatMap((one) => [one, one, one]);
    const clusters = three(y.map((_, k) => k));
    const once = metricDifferences(probabilities(first), probabilities(second), y).auc!;
    const args = [probabilities(three(first)), probabilities(three(second)), three(y), null] as const;
    const apart = metricDifferences(...args).auc!;
    const together = metricDifferences(...args, { clusters });
    expect(together.draws).toBe(y.length);
    expect(Math.abs(together.auc!.stdError / once.stdError - 1)).toBeLessThan(0.1);
    expect(apart.stdError / once.stdError).toBeLessThan(0.7);
  });

  test('K classes: the figures are those of evaluateClasses', () => {
    const next = splitmix32(5);
    const y = Array.from({ length: 90 }, (_, i) => i % 3);
    const planes = (help: number) => [0, 1, 2].map((k) => y.map((label) => help * Number(label === k) + 2 * next()));
    const [first, second] = [planes(1.5), planes(0.3)].map((logits) => ({ logits }));
    const got = metricDifferences(first, second, y, null, { replicates: 200 });
    const [a, b] = [first, second].map((one) => evaluateClasses(one, y));
    for (const key of ['logLoss', 'auc', 'brier', 'ece'] as const) {
      near(got[key]!.first, a[key], key);
      near(got[key]!.second, b[key], key);
    }
    expect(got.auc!.low).toBeGreaterThan(0);
    expect(got.logLoss!.high).toBeLessThan(0);
  });

  test('what has no difference is null', () => {
    const y = [1, 1, 1, 1];
    const none = metricDifferences({ logits: [1, 2, 3, 4] }, { logits: [4, 3, 2, 1] }, y);
    expect([none.auc, none.withoutAuc]).toEqual([null, 1000]);
    expect(none.logLoss).not.toBeNull();
    const infinite = metricDifferences({ probabilities: [0, 0.5, 0.5] }, { probabilities: [0.5, 0.5, 0.4] }, [1, 0, 1]);
    expect(infinite.logLoss).toBeNull();
    expect(
      metricDifferences({ logits: [1, 2] }, { logits: [2, 1] }, [1, 0], null, { clusters: [0, 0] }).brier,
    ).toBeNull();
  });
});

test('bad input', () => {
  const of = (options: object) => () =>
    metricDifferences({ logits: [1, 2] }, { logits: [2, 1] }, [0, 1], null, options);
  expect(of({ replicates: 10 })).toThrow(error('ERR_RANGE', 'replicates: expected an integer >= 100, got 10'));
  expect(of({ clusters: [0] })).toThrow(error('ERR_SHAPE', 'clusters: expected length 2 (as the labels), got 1'));
  expect(of({ clusters: [0, 0.5] })).toThrow(
    error('ERR_RANGE', 'clusters: expected whole numbers >= 0, got 0.5 at row 1'),
  );
  expect(of({ level: 1 })).toThrow(error('ERR_RANGE', 'level: expected a number above 0 and below 1, got 1'));
  expect(of({ sed: 1 })).toThrow(error('ERR_RANGE', 'did you mean "seed"?'));
  expect(() => aucDifference([1, 2], [1], [0, 1])).toThrow(error('ERR_SHAPE', 'expected length 1'));
  expect(() => aucDifference([1, Number.NaN], [1, 2], [0, 1])).toThrow(
    error('ERR_RANGE', 'scores: expected numbers, got NaN at row 1'),
  );
  expect(aucDifference([1, 2, 3], [3, 2, 1], [1, 0, 0])).toBeNull();
  expect(() => aucInterval([1, 2], [0, 1], null, { scale: 'log' as never })).not.toThrow();
  expect(() => aucInterval([1, 2, 3, 4], [0, 1, 0, 1], null, { scale: 'log' as never })).toThrow(
    error('ERR_RANGE', 'scale: expected plain or logit, got "log"'),
  );
});
