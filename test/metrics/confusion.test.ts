import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classificationReport, confusion, fbeta } from '../../src/metrics/confusion.ts';
import { evaluateClasses, oneVsRestAuc, topKAccuracy } from '../../src/metrics/multiclass.ts';
import { columns, error, floats, near, nearAll, oracle, repeats, rows } from './oracle.ts';

const planes = (of: readonly (readonly number[])[]) => of.map((one) => Float64Array.from(one));
const greatest = (of: readonly Float64Array[], n: number) =>
  Array.from({ length: n }, (_, i) => of.reduce((best, one, j) => (one[i] > of[best][i] ? j : best), 0));

describe('scikit-learn', () => {
  test.each(oracle.binary)('$name', ({ scores, y, weight, confusion: all }) => {
    for (const { threshold, fbeta: scoresOfF, ...expected } of all) {
      // the same rows are positive: no logit lies that near
      const cut = Math.log(threshold / (1 - threshold));
      const got = confusion(floats(scores)!, floats(y)!, cut, floats(weight));
      for (const [key, value] of Object.entries(expected)) near(got[key as keyof typeof got], value, key);
      oracle.betas.forEach((beta, k) => {
        near(fbeta(got, beta), scoresOfF[k], `F of ${beta}`);
      });
    }
  });

  test.each(oracle.multiclass)('$name', (expected) => {
    const { y, weight } = { y: expected.y, weight: floats(expected.weight) };
    const p = planes(expected.p);
    const got = classificationReport(greatest(p, y.length), y, p.length, weight, 2);
    got.matrix.forEach((row, j) => {
      nearAll(row, expected.matrix[j]);
    });
    got.classes.forEach(({ precision, recall, fscore, support }, j) => {
      nearAll([precision!, recall!, fscore!, support], expected.classes[j], `class ${j}`);
    });
    for (const key of ['macro', 'weighted', 'micro'] as const) {
      nearAll([got[key].precision, got[key].recall, got[key].fscore], expected.means[key], key);
    }
    for (const key of ['accuracy', 'balancedAccuracy', 'mcc'] as const) near(got[key], expected[key], key);
    const areas = oneVsRestAuc(p, y, weight);
    near(areas.macro, expected.auc.macro);
    near(areas.weighted, expected.auc.weighted);
    nearAll(areas.classes as number[], expected.auc.classes);
    expected.topK.forEach((share, k) => {
      near(topKAccuracy(p, y, k + 1, weight), share);
    });
    const metrics = evaluateClasses({ probabilities: p }, y, weight);
    near(metrics.logLoss, expected.logLoss);
    near(metrics.brier, expected.brier);
    near(metrics.accuracy, expected.accuracy);
    near(metrics.auc, expected.auc.macro);
  });

  test("classification_report's own example", () => {
    const matrix = [
      [19, 4, 1],
      [4, 3, 24],
      [0, 2, 18],
    ];
    const cells = matrix.flatMap((row, j) => row.map((weight, k) => ({ j, k, weight })));
    const { classes, accuracy, macro } = classificationReport(
      cells.map(({ k }) => k),
      cells.map(({ j }) => j),
      3,
      Float64Array.from(cells, ({ weight }) => weight),
    );
    near(classes[0].precision, 0.82608695652173914);
    near(classes[0].recall, 0.79166666666666663);
    near(classes[0].fscore, 0.8085106382978724);
    near(classes[1].fscore, 0.15);
    near(accuracy, 40 / 75);
    near(macro.fscore, 0.5099797365754813);
    near(macro.precision, 0.5260083136726211);
  });
});

describe('worked by hand', () => {
  test('a score at the threshold is not positive', () => {
    const at = confusion(Float64Array.of(0.5, 0.6, 0.4), Uint8Array.of(1, 1, 0));
    expect(at).toMatchObject({ truePositives: 1, falseNegatives: 1, trueNegatives: 1, falsePositives: 0 });
    expect(at).toMatchObject({ precision: 1, recall: 0.5, specificity: 1, balancedAccuracy: 0.75, mcc: 0.5 });
  });
  test('what would be 0/0 is null', () => {
    const none = confusion(Float64Array.of(0, 0), Uint8Array.of(0, 0));
    expect(none).toMatchObject({ precision: null, recall: null, f1: null, mcc: null, specificity: 1, accuracy: 1 });
    expect(none.balancedAccuracy).toBe(1);
    expect(confusion(Float64Array.of(0, 0), Uint8Array.of(1, 0))).toMatchObject({ precision: null, recall: 0, f1: 0 });
  });
  test('F of 0 is precision, of many nearly recall', () => {
    const counts = { truePositives: 6, falsePositives: 2, falseNegatives: 6, trueNegatives: 1 };
    expect(fbeta(counts, 0)).toBe(0.75);
    expect(fbeta(counts, 1e6)).toBeCloseTo(0.5, 10);
    expect(confusion(counts).f1).toBe(12 / 20);
  });
  test('a class that occurs nowhere is in no mean; one never called counts 0', () => {
    const { macro, classes, balancedAccuracy } = classificationReport([0, 0, 1], [0, 1, 1], 4);
    expect(classes[3]).toEqual({ precision: null, recall: null, fscore: null, support: 0 });
    expect(macro).toEqual({ precision: (0.5 + 1) / 2, recall: (1 + 0.5) / 2, fscore: (2 / 3 + 2 / 3) / 2 });
    expect(balancedAccuracy).toBe(0.75);
    expect(classificationReport([0, 0], [0, 1], 2)).toMatchObject({ mcc: null, macro: { precision: 0.25 } });
  });
  test('of equal scores the earlier class is the greater', () => {
    const tied = planes([[1], [1], [0]]);
    expect([1, 2, 3].map((k) => topKAccuracy(tied, [1], k))).toEqual([0, 1, 1]);
  });
  test('areas of classes: the weighted mean needs those with weight only', () => {
    const scores = planes([
      [1, 0, 0],
      [0, 1, 2],
      [0, 0, 0],
    ]);
    expect(oneVsRestAuc(scores, [0, 1, 1])).toEqual({ classes: [1, 1, null], macro: null, weighted: 1 });
  });
});

describe('laws', () => {
  test('confusion: integer weights are repeated rows', () => {
    repeats(({ scores, y }, weight) => confusion(scores, y, 0.2, weight));
  });
  test('several classes: integer weights are repeated rows', () => {
    repeats(({ scores, p, y, codes }, weight) => {
      const truth = codes.map((code, i) => (p[i] > 0.7 ? code : y[i]));
      const of = [scores, p, scores.map((z) => -z)];
      return [
        classificationReport(greatest(of, truth.length), truth, 3, weight, 0.5),
        oneVsRestAuc(of, truth, weight),
        topKAccuracy(of, truth, 2, weight),
      ];
    });
  });
  test('two classes: the report is the confusion', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const { scores, y } = columns(list);
        const two = confusion(scores, y, 0);
        const report = classificationReport(
          Array.from(scores, (z) => (z > 0 ? 1 : 0)),
          y,
          2,
        );
        expect(report.matrix.map((row) => [...row])).toEqual([
          [two.trueNegatives, two.falsePositives],
          [two.falseNegatives, two.truePositives],
        ]);
        expect([report.mcc, report.accuracy, report.balancedAccuracy]).toEqual([
          two.mcc,
          two.accuracy,
          two.balancedAccuracy,
        ]);
        expect(report.classes[1]).toMatchObject({ precision: two.precision, recall: two.recall, fscore: two.f1 });
        if (two.mcc !== null) expect(Math.abs(two.mcc)).toBeLessThanOrEqual(1 + 1e-15);
      }),
    );
  });
});

describe('bad input', () => {
  const one = Float64Array.of(1);
  test.each<[string, () => unknown, string, string]>([
    ['a threshold', () => confusion(one, one, Number.NaN), 'ERR_RANGE', 'threshold: expected a number, got NaN'],
    [
      'scores',
      () => confusion(Float64Array.of(Number.NaN), one),
      'ERR_RANGE',
      'scores: expected numbers, got NaN at row 0',
    ],
    ['lengths', () => confusion(one, new Uint8Array(2)), 'ERR_SHAPE', 'expected length 1 (as the scores), got 2'],
    ['beta', () => fbeta(confusion(one, one), -1), 'ERR_RANGE', 'beta: expected a finite number >= 0, got -1'],
    ['classes', () => classificationReport([0], [0], 1), 'ERR_RANGE', 'classes: expected an integer >= 2, got 1'],
    [
      'labels',
      () => classificationReport([3], [0], 3),
      'ERR_RANGE',
      'predicted labels: expected whole numbers from 0 to 2, got 3 at row 0',
    ],
    [
      'a class',
      () => classificationReport([0], [3], 3),
      'ERR_RANGE',
      'labels: expected whole numbers from 0 to 2, got 3 at row 0',
    ],
    ['no rows', () => classificationReport([], [], 3), 'ERR_SHAPE', 'at least one row of positive weight'],
    [
      'k',
      () => topKAccuracy([one, one], [0], 3),
      'ERR_RANGE',
      'k: expected an integer from 1 to 2 (the classes), got 3',
    ],
    [
      'a NaN',
      () => topKAccuracy([one, Float64Array.of(Number.NaN)], [0], 1),
      'ERR_RANGE',
      'scores: expected numbers, got NaN',
    ],
    ['one class', () => oneVsRestAuc([one], [0]), 'ERR_SHAPE', 'scores: expected those of at least two classes, got 1'],
  ])('%s', (_, call, code, message) => {
    expect(call).toThrow(error(code, message));
  });
});
