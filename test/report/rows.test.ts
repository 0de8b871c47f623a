import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ColumnSummaries } from '../../cli/src/figures/columns.ts';
import { type Evaluation, evaluateRows } from '../../cli/src/figures/evaluation.ts';
import type { ScoredRows } from '../../cli/src/figures/ranked.ts';
import { rocPlot } from '../../cli/src/report/plots/ranking.ts';
import { thresholdPlot } from '../../cli/src/report/plots/threshold.ts';
import { bar, evaluationText } from '../../cli/src/terminal/evaluation.ts';
import { fit as fitTable, type Model, type Table } from '../../src/index.ts';
import { sigmoid } from '../../src/kernels.ts';
import { evaluate, evaluateClasses } from '../../src/metrics.ts';

/** A model of one number, trained on a handful of rows; its rows are replaced by those of each test. */
function smallModel(decision?: object): Model {
  const values = Float64Array.from({ length: 40 }, (_, i) => (i % 10) - 4.5);
  const codes = Uint8Array.from(values, (x, i) => (x + ((i * 7) % 5) - 2 > 0 ? 1 : 0));
  const table: Table = {
    rows: 40,
    columns: [
      { name: 'x', kind: 'numeric', values },
      { name: 'y', kind: 'coded', codes, levels: ['no', 'yes'] },
    ],
  };
  const { model } = fitTable(table, { target: 'y' });
  if (decision) Object.assign(model.manifest, { decision: { ...model.manifest.decision, ...decision } });
  return model;
}

function scored(
  logits: readonly number[],
  codes: readonly number[],
  weight?: readonly number[],
  threshold = 0.5,
  weightKind?: 'count',
): ScoredRows {
  const z = Float64Array.from(logits);
  const probabilities = z.map((one) => sigmoid(one));
  return {
    logits: [z],
    probabilities: [probabilities],
    codes: Uint8Array.from(codes),
    labels: Uint8Array.from(probabilities, (p) => (p > threshold ? 1 : 0)),
    weight: weight && Float64Array.from(weight),
    weightKind,
  };
}

const judge = (model: Model, rows: ScoredRows): Evaluation =>
  evaluateRows(model, rows, evaluate({ logits: rows.logits[0] }, Uint8Array.from(rows.codes), rows.weight));

/** Numbers of an evaluation that do not depend on which rows are where. */
const flat = ({ metrics, weight, baseLogLoss, classes: [one], confusion, histogram, binary }: Evaluation) => [
  weight,
  baseLogLoss,
  ...Object.values(metrics).map((value) => value ?? -1),
  one.share,
  one.auc?.value ?? -1,
  one.auc?.interval?.low ?? -1,
  one.averagePrecision ?? -1,
  ...one.reliability.flatMap((bin) => [bin.weight, bin.predicted ?? -1, bin.observed ?? -1]),
  ...confusion.flatMap((row) => [...row]),
  ...histogram.upper.weights,
  ...histogram.lower.weights,
  binary!.ks ?? -1,
  binary!.confusion.truePositives,
  binary!.brier.resolution,
  binary!.slope?.value ?? -1,
];

const close = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(expected[i])));
  });
};

const model = smallModel();
const row = fc.record({
  z: fc.integer({ min: -30, max: 30 }).map((value) => value / 8),
  code: fc.integer({ min: 0, max: 1 }),
  weight: fc.integer({ min: 0, max: 3 }),
});
const someRows = fc
  .array(row, { minLength: 6, maxLength: 40 })
  .filter((list) => [0, 1].every((code) => list.some((one) => one.code === code && one.weight > 0)));

describe('evaluateRows', () => {
  it('a weight that counts is a repeated row, weight 0 is no row', () => {
    fc.assert(
      fc.property(someRows, (list) => {
        const weighted = scored(
          list.map(({ z }) => z),
          list.map(({ code }) => code),
          list.map(({ weight }) => weight),
          0.5,
          'count',
        );
        const many = list.flatMap((one) => Array.from({ length: one.weight }, () => one));
        const repeated = scored(
          many.map(({ z }) => z),
          many.map(({ code }) => code),
        );
        close(flat(judge(model, weighted)), flat(judge(model, repeated)));
      }),
      { numRuns: 60 },
    );
  });

  it('the cost curve is the mean cost of the labels at each threshold, ties included', () => {
    const costs = [
      [1, 5],
      [9, 0.5],
    ];
    const costly = smallModel({ costs });
    fc.assert(
      fc.property(someRows, (list) => {
        const rows = scored(
          list.map(({ z }) => z),
          list.map(({ code }) => code),
          list.map(({ weight }) => weight),
        );
        const total = list.reduce((sum, { weight }) => sum + weight, 0);
        for (const { threshold, value, stdError } of judge(costly, rows).binary!.curve.points) {
          const cells = list.map(({ code }, i) => costs[code][rows.probabilities[0][i] > threshold ? 1 : 0]);
          const mean = list.reduce((sum, { weight }, i) => sum + weight * cells[i], 0) / total;
          const variance = list.reduce((sum, { weight }, i) => sum + weight * (cells[i] - mean) ** 2, 0) / total;
          expect(value).toBeCloseTo(mean, 10);
          expect(stdError!).toBeCloseTo(Math.sqrt(variance / total), 6);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('shows the curve of the threshold that was chosen in training, as it was kept', () => {
    const curve = [0.2, 0.4, 0.6].map((threshold) => ({ threshold, value: threshold / 2, stdError: 0.01 }));
    const chosen = { by: 'fbeta', parameter: 2, value: 0.2, stdError: 0.01, range: [0.3, 0.5], curve };
    const { curve: shown } = judge(smallModel({ threshold: 0.4, chosen }), scored([1, -1, 2], [1, 0, 0])).binary!;
    expect(shown).toMatchObject({ criterion: 'F2 score', least: false, points: curve, best: 0.4, range: [0.3, 0.5] });
  });

  it('shows reliability before calibration as well when the model is calibrated', () => {
    const calibrated = smallModel();
    Object.assign(calibrated.manifest, {
      calibration: { method: 'platt', calibrators: [{ method: 'platt', a: 2, b: 0 }], shift: [], by: null },
    });
    const rows = scored([-2, -1, 1, 2], [0, 0, 1, 1]);
    const own: ScoredRows = { ...rows, probabilities: [rows.logits[0].map((z) => sigmoid(2 * z))] };
    const [{ reliability, uncalibrated }] = judge(calibrated, own).classes;
    expect(uncalibrated!.find(({ weight }) => weight > 0)!.predicted).toBeCloseTo(sigmoid(-2), 12);
    expect(reliability.find(({ weight }) => weight > 0)!.predicted).toBeCloseTo(sigmoid(-4), 12);
    expect(judge(model, rows).classes[0].uncalibrated).toBeNull();
  });

  it('an area has an interval where the rows tell one', () => {
    const area = (...args: Parameters<typeof scored>) => judge(model, scored(...args)).classes[0].auc;
    expect(area([-1, 1], [0, 1])).toEqual({ value: 1, interval: null });
    expect(area([-3, -2, 2, 3], [0, 0, 1, 1])).toEqual({ value: 1, interval: null });
    expect(area([-3, -2, 2, 3], [1, 0, 0, 1])).toEqual({ value: 0.5, interval: null });
    const { value, interval } = area([-3, -2, -1, 0, 1, 2, 3, 4], [0, 0, 0, 1, 0, 1, 1, 1])!;
    expect(value).toBe(0.9375);
    expect(interval!.low).toBeGreaterThan(0.5);
    expect(interval!.high).toBe(1);
    const text = evaluationText(judge(model, scored([-3, -2, 2, 3], [0, 0, 1, 1])));
    expect(text).toMatch(/AUC +1\.0000\n/);
    expect(rocPlot(judge(model, scored([-3, -2, 2, 3], [0, 0, 1, 1])).classes).finding).toMatch(
      /^AUC 1\.000 \(0\.5 is/,
    );
  });

  it('the band of a curve of shares is within 0 and 1, and a curve of costs within the costs', () => {
    const band = (decision?: object) => {
      const { curve, threshold } = judge(smallModel(decision), scored([-1, 1, 2], [0, 1, 0])).binary!;
      const { spec } = thresholdPlot(curve, threshold);
      const points = (spec as unknown as { layer: { data: { values: { low: number; high: number }[] } }[] }).layer
        .flatMap(({ data }) => data.values)
        .filter(({ low }) => low !== undefined);
      expect(points.some(({ low, high }) => low < high)).toBe(true);
      return [Math.min(...points.map(({ low }) => low)), Math.max(...points.map(({ high }) => high))];
    };
    expect(band()).toEqual([0, 1]);
    const costs = [
      [-1, 5],
      [9, 0],
    ];
    const [least, most] = band({ costs });
    expect(least).toBe(-1);
    expect(most).toBeGreaterThan(1);
    const curve = [0.2, 0.6].map((threshold) => ({ threshold, value: 0.95, stdError: 0.2 }));
    const chosen = { by: 'recall', parameter: 0.5, value: 0.95, stdError: 0.2, range: null, curve };
    expect(band({ chosen })[1]).toBe(1);
    expect(band({ chosen: { ...chosen, by: 'cost' } })[1]).toBeCloseTo(0.95 + 1.96 * 0.2, 12);
  });

  it('a budget of rows is called one', () => {
    const curve = [0.2, 0.6].map((threshold) => ({ threshold, value: 0.2, stdError: 0.01 }));
    const criterion = (parameter: number) => {
      const chosen = { by: 'budget', parameter, value: 0.2, stdError: 0.01, range: null, curve };
      return judge(smallModel({ chosen }), scored([-1, 1], [0, 1])).binary!.curve.criterion;
    };
    expect(criterion(100)).toBe('share of the rows flagged, of a budget of 100 rows');
    expect(criterion(0.05)).toBe('share of the rows flagged, of a budget of 5 %');
  });

  it('mean costs of several classes by hand: as decided, and of the most probable class', () => {
    const values = Float64Array.from({ length: 30 }, (_, i) => i % 7);
    const codes = Uint8Array.from(values, (_, i) => i % 3);
    const table: Table = {
      rows: 30,
      columns: [
        { name: 'x', kind: 'numeric', values },
        { name: 'k', kind: 'coded', codes, levels: ['u', 'v', 'w'] },
      ],
    };
    const { model: several } = fitTable(table, { target: 'k' });
    const probabilities = [
      [0.5, 0.4, 0.1],
      [0.2, 0.1, 0.7],
      [0.6, 0.3, 0.1],
      [0.3, 0.4, 0.3],
    ];
    const planes = [0, 1, 2].map((k) => Float64Array.from(probabilities, (row) => row[k]));
    const rows: ScoredRows = {
      logits: planes.map((plane) => plane.map(Math.log)),
      probabilities: planes,
      codes: [0, 1, 1, 2],
      labels: [1, 2, 1, 0],
      weight: Float64Array.of(1, 2, 3, 4),
    };
    const metrics = evaluateClasses({ logits: rows.logits }, rows.codes, rows.weight);
    expect(evaluateRows(several, rows, metrics).costs).toBeNull();
    const costs = [
      [0, 1, 2],
      [8, 0.5, 4],
      [3, 5, 0],
    ];
    Object.assign(several.manifest, { decision: { threshold: 0.5, costs } });
    const found = evaluateRows(several, rows, metrics).costs!;
    expect(found.decided).toBeCloseTo((1 * 1 + 2 * 4 + 3 * 0.5 + 4 * 3) / 10, 12);
    expect(found.mostProbable).toBeCloseTo((1 * 0 + 2 * 4 + 3 * 8 + 4 * 5) / 10, 12);
  });

  it('rows of one class have no curves, and no error', () => {
    const { classes, binary } = judge(model, scored([1, 2, -3], [1, 1, 1]));
    expect(classes[0]).toMatchObject({ auc: null, averagePrecision: null, roc: [], precisionRecall: [] });
    expect(binary).toMatchObject({ ks: null, slope: null, gain: [] });
  });

  it('classes that are apart have no calibration slope, nor have equal logits', () => {
    expect(judge(model, scored([-3, -2, 2, 3], [0, 0, 1, 1])).binary!.slope).toBeNull();
    expect(judge(model, scored([1, 1, 1, 1], [0, 1, 0, 1])).binary!.slope).toBeNull();
  });
});

describe('the terminal', () => {
  it('bars are to an eighth of a character', () => {
    expect([0, 1, 0.5, 1 / 160, 13 / 160].map(bar)).toEqual(['', '█'.repeat(20), '█'.repeat(10), '▏', '█▋']);
  });

  it('says what the report says', () => {
    const text = evaluationText(judge(model, scored([-2, -1, 0.5, 1, 2, -0.5], [0, 0, 0, 1, 1, 1])));
    expect(text).toMatch(/AUC +0\.8889 +\(95 % interval/);
    expect(text).toMatch(/above 0\.5 +50\.0 % of the rows, precision 0\.6667, recall 0\.6667, F1 0\.6667/);
    expect(text).toMatch(/is yes +2 +1\n +is otherwise +1 +2\n/);
    expect(text).toMatch(/30–40 % +1 +37\.8 % +100\.0 % {2}█{20}\n/);
  });
});

describe('ColumnSummaries', () => {
  const part = (values: number[], missing: number[], codes: number[]): Table => ({
    rows: values.length,
    columns: [
      { name: 'x', kind: 'numeric', values: Float64Array.from(values), missing: Uint8Array.from(missing) },
      { name: 'g', kind: 'coded', codes: Uint8Array.from(codes), levels: ['a', 'b'], missing: null },
      { name: 'y', kind: 'numeric', values: Float64Array.from(values) },
    ],
  });

  it('by hand, in parts', () => {
    const columns = new ColumnSummaries(['y']);
    columns.add(part([1, 3], [0, 0], [0, 1]));
    columns.add(part([99, 5], [1, 0], [0, 7]));
    expect(columns.finish()).toEqual([
      { name: 'x', kind: 'numeric', missing: 0.25, range: { min: 1, mean: 3, max: 5, deviation: Math.sqrt(8 / 3) } },
      {
        name: 'g',
        kind: 'coded',
        missing: 0,
        distinct: 2,
        unseen: 0.25,
        top: [
          { level: 'a', share: 0.5 },
          { level: 'b', share: 0.25 },
        ],
      },
    ]);
  });

  it('a column of dates has the first and the last, by instant, of rows that count', () => {
    const levels = ['2024-05-03T01:00+05:00', '2024-05-02', '2024-05-02T23:00Z', '2019-01-01'];
    const column = (texts: readonly string[]) => {
      const columns = new ColumnSummaries([]);
      const codes = Uint8Array.from(texts, (_, k) => k);
      const table: Table = { rows: texts.length, columns: [{ name: 'd', kind: 'coded', codes, levels: texts }] };
      columns.add(table, [1, 1, 1, 0]);
      return columns.finish()[0];
    };
    expect(column(levels)).toMatchObject({ distinct: 3, dates: ['2024-05-02', '2024-05-02T23:00Z'] });
    expect(column([...levels.slice(0, 2), 'soon', levels[3]])).not.toHaveProperty('dates');
    expect(column(levels.map((level, k) => (k === 3 ? 'soon' : level)))).toHaveProperty('dates');
  });

  it('a weight that counts is a repeated row, weight 0 is no row', () => {
    const cell = fc.tuple(
      fc.integer({ min: -9, max: 9 }),
      fc.integer({ min: 0, max: 1 }),
      fc.integer({ min: 0, max: 2 }),
      fc.integer({ min: 0, max: 3 }),
    );
    fc.assert(
      fc.property(
        fc.array(cell, { minLength: 1 }).filter((list) => list.some(([, , , weight]) => weight > 0)),
        (list) => {
          const of = (rows: typeof list) =>
            part(
              rows.map(([x]) => x),
              rows.map(([, one]) => one),
              rows.map(([, , code]) => code),
            );
          const weighted = new ColumnSummaries(['y']);
          weighted.add(
            of(list),
            list.map(([, , , weight]) => weight),
          );
          const repeated = new ColumnSummaries(['y']);
          repeated.add(of(list.flatMap((one) => Array.from({ length: one[3] }, () => one))));
          const numbers = (columns: ColumnSummaries) =>
            JSON.stringify(columns.finish(), (_, value) =>
              typeof value === 'number' ? Number(value.toFixed(9)) + 0 : value,
            );
          expect(numbers(weighted)).toBe(numbers(repeated));
        },
      ),
    );
  });
});
