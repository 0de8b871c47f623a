import { describe, expect, it } from 'vitest';
import { calibratedProbability } from '../../src/calibrate/apply.ts';
import type { Calibration } from '../../src/calibrate/calibration.ts';
import type { Decision } from '../../src/decide/decision.ts';
import { loadModel } from '../../src/load.ts';
import { saveModel } from '../../src/model/file.ts';
import { FittedModel } from '../../src/model/fittedModel.ts';
import { fit as fitTable } from '../../src/train/fit.ts';

const records = Array.from({ length: 90 }, (_, i) => ({
  x: ((i * 7) % 31) / 10,
  y: Number((i * 7) % 31 > 12 + ((i * 5) % 9)),
  k: 'abc'[Math.min(2, Math.floor(((i * 7) % 31) / 10))],
}));
const two = loadModel(saveModel(fitTable(records, { target: 'y', features: ['x'] }).model));
const three = loadModel(saveModel(fitTable(records, { target: 'k', features: ['x'] }).model));
const platt: Calibration = { method: 'platt', calibrators: [{ method: 'platt', a: 0.5, b: 0.2 }], shift: [], by: null };
const few = { method: 'isotonic', by: { folds: null, rows: 40 }, shift: [] } as const;
const isotonic: Calibration = {
  ...few,
  calibrators: [{ method: 'isotonic', logits: [-1, 1], probabilities: [0.2, 0.7] }],
};

describe('a model with something else', () => {
  it('keeps the type that its labels have in other runtimes', () => {
    const { weights, intercept } = two;
    const typed = new FittedModel({
      manifest: { ...two.manifest, labelType: 'integer' },
      weights,
      intercept,
      covariance: null,
    });
    const changed = loadModel(saveModel(typed.with({ decision: { threshold: 0.4 } })));
    expect(changed.manifest.labelType).toBe('integer');
    expect(changed.score(records[3]).probability).toBe(two.score(records[3]).probability);
  });

  it('is another model, and the first stays what it was', () => {
    const before = JSON.stringify(two.manifest);
    const bytes = saveModel(two);
    const changed = two.with({ calibration: isotonic, decision: { threshold: 0.4 }, review: { low: 0.3, high: 0.5 } });
    expect(changed).toBeInstanceOf(FittedModel);
    expect(changed).not.toBe(two);
    expect([JSON.stringify(two.manifest), saveModel(two)]).toEqual([before, bytes]);
    expect(two.sha256).not.toBeNull();
    expect(changed.sha256).toBeNull();
    expect([changed.weights, changed.intercept, changed.baseline]).toEqual([two.weights, two.intercept, two.baseline]);
    const loaded = loadModel(saveModel(changed));
    expect(loaded.manifest).toEqual(changed.manifest);
    expect(loaded.score(records[3])).toEqual(changed.score(records[3]));
    expect(two.with({}).manifest).toEqual(two.manifest);
  });

  it('a threshold', () => {
    for (const record of records.slice(0, 30)) {
      const { probability } = two.score(record);
      for (const threshold of [0, 0.3, probability, 0.9, 1])
        expect(two.with({ decision: { threshold } }).score(record)).toEqual({
          ...two.score(record),
          label: probability > threshold ? '1' : '0',
        });
    }
  });

  it('a calibration: its probabilities, and the threshold is one on them', () => {
    const model = two.with({ decision: { threshold: 0.6 } }).with({ calibration: platt });
    expect(model.manifest.decision).toEqual({ threshold: 0.6 });
    for (const record of records.slice(0, 30)) {
      const { logit, probability, label } = model.score(record);
      expect(logit).toBe(two.score(record).logit);
      expect(probability).toBe(calibratedProbability(platt, logit));
      expect(label).toBe(probability > 0.6 ? '1' : '0');
    }
  });

  it('a second calibration takes the place of the first, and of its warning', () => {
    const codes = ({ manifest }: FittedModel) => manifest.warnings.map(({ code }) => code);
    const first = two.with({ calibration: isotonic });
    expect(codes(first)).toEqual([...codes(two), 'CALIBRATION_ROWS']);
    expect(codes(first.with({ calibration: isotonic }))).toEqual(codes(first));
    const second = first.with({ calibration: platt });
    expect([second.manifest.calibration, codes(second)]).toEqual([platt, codes(two)]);
  });

  it('a band for review, which null takes away', () => {
    const review = { low: 0.4, high: 0.6 };
    const model = two.with({ review });
    expect(model.manifest.decision).toEqual({ ...two.manifest.decision, abstain: review });
    for (const record of records.slice(0, 30)) {
      const { probability } = two.score(record);
      expect(model.score(record)).toEqual({ ...two.score(record), review: probability >= 0.4 && probability <= 0.6 });
    }
    const without = model.with({ review: null });
    expect(without.manifest).toEqual(two.manifest);
    expect('abstain' in without.manifest.decision).toBe(false);
    // of a decision that has one of its own
    const decision = { threshold: 0.7, abstain: review };
    expect(two.with({ decision }).manifest.decision).toEqual(decision);
    expect(two.with({ decision, review: null }).manifest.decision).toEqual({ threshold: 0.7 });
    expect(two.with({ decision, review: { low: 0, high: 1 } }).manifest.decision.abstain).toEqual({ low: 0, high: 1 });
    // nothing takes a band away in silence
    expect(model.with({ decision: { threshold: 0.2 } }).manifest.decision).toEqual({ threshold: 0.2, abstain: review });
    expect(model.with({ calibration: platt }).manifest.decision.abstain).toEqual(review);
  });

  it('costs of several classes', () => {
    const costs = [
      [0, 1, 9],
      [1, 0, 9],
      [1, 1, 0],
    ];
    const model = three.with({ decision: { threshold: 0.5, costs } });
    for (const record of records.slice(0, 30)) {
      const { probabilities, label } = model.score(record);
      const expected = [0, 1, 2].map((k) => costs.reduce((sum, row, j) => sum + probabilities![j] * row[k], 0));
      expect(label).toBe('abc'[expected.indexOf(Math.min(...expected))]);
    }
  });
});

describe('what no file could hold is refused', () => {
  const refused = (message: RegExp) =>
    expect.objectContaining({ code: 'ERR_RANGE', message: expect.stringMatching(message) });
  const square = (costs: readonly (readonly number[])[]): Decision => ({ threshold: 0.5, costs });
  it.each<[string, () => unknown, RegExp]>([
    ['a threshold that is none', () => two.with({ decision: { threshold: Number.NaN } }), /^decision\.threshold: /],
    ['no threshold', () => two.with({ decision: {} as Decision }), /^decision\.threshold: /],
    ['a band in no order', () => two.with({ review: { low: 0.6, high: 0.4 } }), /^decision\.abstain/],
    ['a band with one end', () => two.with({ review: { low: 0.6 } as never }), /^decision\.abstain/],
    ['a share', () => two.with({ review: { share: 0.1 } as never }), /^decision\.abstain/],
    [
      'costs of another shape',
      () =>
        three.with({
          decision: square([
            [0, 1],
            [1, 0],
          ]),
        }),
      /^decision\.costs.* 3 classes/,
    ],
    [
      'a mistake cheaper than the hit',
      () =>
        three.with({
          decision: square([
            [1, 0, 0],
            [1, 0, 1],
            [1, 1, 0],
          ]),
        }),
      /^decision\.costs/,
    ],
    [
      'a calibration of other classes',
      () => three.with({ calibration: platt }),
      /^calibration\.calibrators: .*3 classes/,
    ],
    [
      'a calibrator that is none',
      () => two.with({ calibration: { ...platt, calibrators: [{ method: 'platt', a: Number.NaN, b: 0 }] } }),
      /^calibration\.calibrators\.0\.a: /,
    ],
    [
      'an unknown method',
      () => two.with({ calibration: { ...platt, method: 'sigmoid' as 'platt' } }),
      /^calibration\.method: /,
    ],
    ['a calibration by its name', () => two.with({ calibration: 'platt' as never }), /^calibration: /],
    [
      'another change',
      () => two.with({ threshold: 0.3 } as never),
      /^with: expected calibration, decision or review, got "threshold"/,
    ],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(refused(message));
  });
});
