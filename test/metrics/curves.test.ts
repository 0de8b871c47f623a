import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sortTagged } from '../../src/math/sort.ts';
import { auc } from '../../src/metrics/binary.ts';
import {
  averagePrecision,
  confusionCurve,
  gainCurve,
  ksStatistic,
  liftAtK,
  precisionAtK,
  precisionRecallCurve,
  recallAtK,
  rocCurve,
  thinCurve,
} from '../../src/metrics/curves.ts';
import { alike, columns, error, floats, near, nearAll, oracle, repeats, rows } from './oracle.ts';

const METRICS = {
  auc,
  averagePrecision,
  confusionCurve,
  rocCurve,
  precisionRecallCurve,
  ksStatistic,
  gainCurve,
  precisionAtK: (scores: Float64Array, y: Float64Array, weight?: Float64Array | null) =>
    precisionAtK(scores, y, { share: 0.4 }, weight),
  recallAtK: (scores: Float64Array, y: Float64Array, weight?: Float64Array | null) => recallAtK(scores, y, 1.5, weight),
  liftAtK: (scores: Float64Array, y: Float64Array, weight?: Float64Array | null) =>
    liftAtK(scores, y, { share: 1 / 3 }, weight),
};
const each = Object.entries(METRICS);

describe('scikit-learn and SciPy', () => {
  test.each(oracle.binary)('$name', (expected) => {
    const given = [floats(expected.scores)!, floats(expected.y)!, floats(expected.weight)] as const;
    near(auc(...given), expected.auc);
    near(averagePrecision(...given), expected.averagePrecision);
    const roc = rocCurve(...given)!;
    nearAll(roc.fpr, expected.roc.fpr, 'fpr');
    nearAll(roc.tpr, expected.roc.tpr, 'tpr');
    expect([...roc.thresholds]).toEqual(expected.roc.thresholds.map((one) => (one ?? Number.POSITIVE_INFINITY) + 0));
    const curve = precisionRecallCurve(...given)!;
    nearAll(curve.precision, expected.pr.precision, 'precision');
    nearAll(curve.recall, expected.pr.recall, 'recall');
    expect([...curve.thresholds]).toEqual(expected.pr.thresholds.map((one) => one + 0));
    if (expected.ks !== undefined) near(ksStatistic(...given)!.ks, expected.ks);
  });
});

describe('worked by hand', () => {
  const scores = Float64Array.of(0.9, 0.8, 0.8, 0.4, 0.1);
  const y = Uint8Array.of(1, 0, 1, 1, 0);

  test('confusion at every distinct score', () => {
    expect(confusionCurve(scores, y)).toEqual({
      thresholds: Float64Array.of(0.9, 0.8, 0.4, 0.1),
      truePositives: Float64Array.of(1, 2, 3, 3),
      falsePositives: Float64Array.of(0, 1, 1, 2),
      positives: 3,
      negatives: 2,
    });
    // a score of no weight is no threshold
    expect([...confusionCurve(scores, y, Float64Array.of(1, 1, 1, 0, 1)).thresholds]).toEqual([0.9, 0.8, 0.1]);
  });
  test('average precision', () => {
    expect(averagePrecision(scores, y)).toBeCloseTo((1 * 1 + 1 * (2 / 3) + 1 * (3 / 4)) / 3, 15);
  });
  test('KS, and where', () => {
    expect(ksStatistic(scores, y)).toEqual({ ks: 0.5, threshold: 0.4 });
    // negative rows above the positive ones are as far apart
    expect(
      ksStatistic(
        scores.map((z) => -z),
        y,
      )!.ks,
    ).toBe(0.5);
    expect(ksStatistic(Float64Array.of(1, 2), Uint8Array.of(1, 0))).toEqual({ ks: 1, threshold: 2 });
  });
  test('gain and lift', () => {
    expect(gainCurve(scores, y)).toEqual({
      share: Float64Array.of(0, 0.2, 0.6, 0.8, 1),
      gain: Float64Array.of(0, 1 / 3, 2 / 3, 1, 1),
      lift: Float64Array.of(1 / 3 / 0.2, 1 / 3 / 0.2, 2 / 3 / 0.6, 1 / 0.8, 1),
      thresholds: Float64Array.of(Number.POSITIVE_INFINITY, 0.9, 0.8, 0.4, 0.1),
    });
  });
  test('at k: ties at the cut in equal parts', () => {
    expect(precisionAtK(scores, y, 1)).toBe(1);
    expect(precisionAtK(scores, y, 2)).toBe(0.75);
    expect(recallAtK(scores, y, 2)).toBe(0.5);
    expect(liftAtK(scores, y, 2)).toBeCloseTo(0.75 / 0.6, 15);
    expect(precisionAtK(scores, y, { share: 0.6 })).toBeCloseTo(2 / 3, 15);
    expect(recallAtK(scores, y, 5)).toBe(1);
    expect(precisionAtK(scores, y, { share: 1 })).toBe(0.6);
    expect(precisionAtK(scores, y, 3, Float64Array.of(2, 2, 2, 0, 0))).toBeCloseTo(2.5 / 3, 15);
  });
  test('a class without weight has no curve', () => {
    const none = Float64Array.of(0, 1, 0, 0, 1);
    for (const curve of [rocCurve, precisionRecallCurve, averagePrecision, ksStatistic, gainCurve, auc]) {
      expect((curve as typeof averagePrecision)(scores, y, none)).toBeNull();
    }
    expect(recallAtK(scores, y, 1, none)).toBeNull();
    expect(liftAtK(scores, y, 1, none)).toBeNull();
    expect(precisionAtK(scores, y, 1, none)).toBe(0);
    const only = Float64Array.of(1, 0, 1, 0, 0);
    expect(rocCurve(scores, y, only)).toBeNull();
    expect(ksStatistic(scores, y, only)).toBeNull();
    expect(averagePrecision(scores, y, only)).toBe(1);
  });
  test('infinite scores rank, −0 ties with 0', () => {
    const wide = Float64Array.of(Number.NEGATIVE_INFINITY, -0, 0, Number.POSITIVE_INFINITY);
    expect([...confusionCurve(wide, Uint8Array.of(0, 0, 1, 1)).thresholds]).toEqual([
      Number.POSITIVE_INFINITY,
      0,
      Number.NEGATIVE_INFINITY,
    ]);
  });
});

describe('thinning', () => {
  test('keeps the ends, at most so many points, none left out far from one kept', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 2, max: 30 }),
        (steps, points) => {
          const x = Float64Array.from(steps, ([a]) => a);
          const y = Float64Array.from(steps, ([, b]) => b);
          const along = new Float64Array(x.length);
          for (let k = 1; k < x.length; k++)
            along[k] = along[k - 1] + Math.abs(x[k] - x[k - 1]) + Math.abs(y[k] - y[k - 1]);
          const kept = [...thinCurve(x, y, points)];
          expect(kept.length).toBeLessThanOrEqual(Math.max(points, 1));
          expect([kept[0], kept.at(-1)]).toEqual([0, x.length - 1]);
          expect(new Set(kept).size).toBe(kept.length);
          if (x.length <= points) expect(kept.length).toBe(x.length);
          const far = 2 * (along.at(-1)! / (points - 1));
          for (const here of along)
            expect(Math.min(...kept.map((k) => Math.abs(along[k] - here)))).toBeLessThanOrEqual(far);
        },
      ),
    );
  });
  test('a curve that ends in equal points', () => {
    expect([...thinCurve(Float64Array.of(0, 1, 2, 3, 3), new Float64Array(5), 4)]).toEqual([0, 1, 2, 4]);
  });
  test('the area under a thinned curve is that of the whole', () => {
    const n = 20_000;
    const scores = Float64Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898) * 3);
    const y = Uint8Array.from(scores, (z, i) => (Math.sin(i * 78.233) * 3 < z ? 1 : 0));
    const { fpr, tpr } = rocCurve(scores, y)!;
    const kept = thinCurve(fpr, tpr, 200);
    let area = 0;
    for (let k = 1; k < kept.length; k++) {
      area += ((fpr[kept[k]] - fpr[kept[k - 1]]) * (tpr[kept[k]] + tpr[kept[k - 1]])) / 2;
    }
    expect(fpr.length).toBeGreaterThan(5000);
    expect(Math.abs(area - auc(scores, y)!)).toBeLessThan(1e-3);
  });
});

describe('laws', () => {
  test.each(each)('%s: integer weights are repeated rows, weight 0 is no row', (_, metric) => {
    repeats(({ scores, y }, weight) => metric(scores, y, weight));
  });

  test.each(each)('%s: a rising transform of the scores changes nothing but thresholds', (_, metric) => {
    fc.assert(
      fc.property(rows, (list) => {
        const { y } = columns(list);
        // whole numbers: a transform that rounds must not make ties
        const scores = Float64Array.from(list, ({ z }) => Math.round(z));
        const strip = (result: unknown) =>
          JSON.stringify(result, (key, value) => (key.startsWith('threshold') ? 0 : value));
        expect(
          strip(
            metric(
              scores.map((z) => z ** 3 / 7 - 2),
              y,
            ),
          ),
        ).toBe(strip(metric(scores, y)));
      }),
    );
  });

  test('auc turns over with the scores', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const { scores, y } = columns(list);
        const weight = Float64Array.from(list, ({ s, p }) => s * p + (s > 0 ? 0.1 : 0));
        near(
          1 -
            auc(
              scores.map((z) => -z),
              y,
              weight,
            )!,
          auc(scores, y, weight),
        );
      }),
    );
  });

  test('the ROC curve has the area of auc, its points left out or not', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const { scores, y } = columns(list);
        const { fpr, tpr } = rocCurve(scores, y)!;
        let area = 0;
        for (let k = 1; k < fpr.length; k++) area += ((fpr[k] - fpr[k - 1]) * (tpr[k] + tpr[k - 1])) / 2;
        near(area, auc(scores, y));
      }),
    );
  });

  test('average precision is the step area of the precision-recall curve; gain is recall', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const { scores, y } = columns(list);
        const { precision, recall } = precisionRecallCurve(scores, y)!;
        let area = 0;
        for (let k = 0; k + 1 < recall.length; k++) area += (recall[k] - recall[k + 1]) * precision[k];
        near(area, averagePrecision(scores, y));
        const { share, gain, lift } = gainCurve(scores, y)!;
        nearAll(gain, recall.slice().reverse());
        for (let k = 1; k < share.length; k++) {
          near(recallAtK(scores, y, { share: share[k] }), gain[k]);
          near(liftAtK(scores, y, { share: share[k] }), lift[k]);
        }
      }),
    );
  });

  test.each([3, 1023, 1024, 20_000])('%i scores are sorted as numbers, rows of equal ones in order', (n) => {
    const special = [0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, -5e-324, 1.7e308, -1.7e308];
    const scores = Float64Array.from({ length: n }, (_, i) =>
      i % 7 === 0
        ? special[(i / 7) % 8]
        : Math.sin(i * 12.9898) * 10 ** ((i % 50) - 25) * (i % 3 ? 1 : Math.round(i / 64)),
    );
    for (const given of [
      scores,
      new Float32Array(scores),
      scores.map((z) => Math.round(Math.max(-9, Math.min(9, z)))),
    ]) {
      const order = Array.from(given.keys()).sort((a, b) =>
        given[a] < given[b] ? -1 : given[a] > given[b] ? 1 : a - b,
      );
      const { values, tags } = sortTagged(given, (row) => row);
      expect([...tags]).toEqual(order);
      expect([...values]).toEqual(order.map((row) => given[row] + 0));
    }
  });

  test('many scores: integer weights are repeated rows there too', () => {
    const n = 5000;
    const scores = Float64Array.from({ length: n }, (_, i) => Math.round(Math.sin(i * 12.9898) * 400) / 64);
    const y = Uint8Array.from(scores, (z, i) => (Math.sin(i * 78.233) * 6 < z ? 1 : 0));
    const weight = Float64Array.from(scores, (_, i) => i % 4);
    const repeated = Array.from(scores.keys()).flatMap((i) => Array(weight[i]).fill(i) as number[]);
    const pick = (values: ArrayLike<number>) => Float64Array.from(repeated, (i) => values[i]);
    expect(auc(scores, y, weight)).toBe(auc(pick(scores), pick(y)));
    alike(rocCurve(scores, y, weight), rocCurve(pick(scores), pick(y)));
  });
});

describe('bad input', () => {
  const one = Float64Array.of(1);
  test.each(each)('%s', (_, metric) => {
    expect(() => metric(one, new Float64Array(2))).toThrow(
      error('ERR_SHAPE', 'expected length 1 (as the scores), got 2'),
    );
    expect(() => metric(Float64Array.of(Number.NaN), one)).toThrow(
      error('ERR_RANGE', 'scores: expected numbers, got NaN at row 0'),
    );
    expect(() => metric(one, Float64Array.of(0.5))).toThrow(
      error('ERR_RANGE', 'labels: expected 0 or 1, got 0.5 at row 0'),
    );
    expect(() => metric(one, one, new Float64Array(1))).toThrow(
      error('ERR_SHAPE', 'at least one row of positive weight'),
    );
  });
  test.each([0, -1, 3, Number.NaN])('k of %d among 2 rows', (k) => {
    expect(() => precisionAtK(Float64Array.of(1, 2), Uint8Array.of(0, 1), k)).toThrow(
      error('ERR_RANGE', 'k: expected a number above 0 and at most 2 (the weight of all rows), got'),
    );
  });
  test('a share of more than all', () => {
    expect(() => recallAtK(one, Uint8Array.of(1), { share: 1.5 })).toThrow(
      error('ERR_RANGE', 'share: expected a number above 0 and at most 1, got 1.5'),
    );
  });
  test('points of a thinned curve', () => {
    expect(() => thinCurve(one, one, 1)).toThrow(error('ERR_RANGE', 'points: expected an integer >= 2, got 1'));
    expect(() => thinCurve(one, Float64Array.of(1, 2), 2)).toThrow(
      error('ERR_SHAPE', 'y: expected length 1 (as x), got 2'),
    );
  });
});
