import { describe, expect, it } from 'vitest';
import { calibratedProbability } from '../../src/calibrate/apply.ts';
import { type Criterion, chooseThreshold } from '../../src/decide/choose.ts';
import { loadModel } from '../../src/load.ts';
import { saveModel } from '../../src/model/file.ts';
import { chooseDecision, chooseReview } from '../../src/train/decided.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import type { FitOptions } from '../../src/train/fitOptions.ts';
import { outOfFold } from '../../src/train/outOfFold.ts';
import { numeric, random, table } from './oracles.ts';

/** Two overlapping classes; the second is `share` of the rows. */
function classesOf(rows: number, share: number) {
  const next = random(7);
  const y = Array.from({ length: rows }, () => (next() < share ? 1 : 0));
  const x = y.map((label) => label + next() + next() - 1);
  return table(numeric('x', x), numeric('y', y));
}

const CRITERIA: [string, Criterion][] = [
  ['costs', { by: 'cost', costs: { fp: 1, fn: 5 } }],
  ['F1', { by: 'fbeta', beta: 1 }],
  ['precision', { by: 'recall', precision: 0.2 }],
  ['recall', { by: 'precision', recall: 0.8 }],
  ['a budget', { by: 'budget', share: 0.1 }],
];

describe('decisions of a model with a prior', () => {
  const rows = classesOf(2000, 0.5);
  const prior = 0.04;
  const cases: [string, FitOptions][] = [
    ['the second class positive', { target: 'y' }],
    ['the first', { target: 'y', positive: '0' }],
    ['class weights', { target: 'y', classWeight: { 0: 1, 1: 3 } }],
  ];

  it.each(cases)('rows weigh as their classes do where the model is used: %s', (_, options) => {
    const { model } = fitTable(rows, { ...options, prior });
    const judged = outOfFold(rows, options);
    const { calibration } = model.manifest;
    const positives = judged.y.reduce((sum, label) => sum + label, 0);
    const weigh = [(1 - prior) / (judged.y.length - positives), prior / positives];
    const folds = Array.from({ length: judged.folds }, (_, k) => {
      const mine = [...judged.fold.keys()].filter((i) => judged.fold[i] === k);
      return {
        probabilities: Float64Array.from(mine, (i) => calibratedProbability(calibration!, judged.planes[0][i])),
        y: mine.map((i) => judged.y[i]),
        weight: mine.map((i) => weigh[judged.y[i]]),
      };
    });
    for (const [, criterion] of CRITERIA) {
      const want = chooseThreshold(criterion, folds);
      const got = chooseDecision(model, judged, criterion);
      expect(got.threshold).toBe(want.threshold);
      expect(got.chosen!.value).toBeCloseTo(want.chosen.value, 10);
    }
  });

  it('the threshold by cost is near the closed form, as it is without a prior', () => {
    for (const share of [undefined, 0.04, 0.9]) {
      const { model, outOfFold: judged } = fitTable(rows, {
        target: 'y',
        calibrate: { method: 'platt' },
        prior: share,
      });
      const { threshold } = chooseDecision(model, judged!, { by: 'cost', costs: { fp: 1, fn: 5 } });
      expect(threshold).toBeGreaterThan(0.05);
      expect(threshold).toBeLessThan(0.35);
    }
  });

  it('the band for review holds its share of rows as they will come', () => {
    const { model, outOfFold: judged } = fitTable(rows, { target: 'y', calibrate: { method: 'platt' }, prior });
    const { low, high } = chooseReview(model, judged!, 0.1);
    const { y, planes } = judged!;
    const positives = y.reduce((sum, label) => sum + label, 0);
    let found = 0;
    y.forEach((label, i) => {
      const p = calibratedProbability(model.manifest.calibration!, planes[0][i]);
      if (p >= low && p <= high) found += label === 1 ? prior / positives : (1 - prior) / (y.length - positives);
    });
    expect(found).toBeGreaterThan(0.095);
    expect(found).toBeLessThanOrEqual(0.1);
  });

  it('the prior is in the model file', () => {
    const { model } = fitTable(rows, { target: 'y', prior });
    expect(loadModel(saveModel(model)).manifest.calibration!.prior).toEqual([0.96, 0.04]);
  });
});
