import { describe, expect, it } from 'vitest';
import { type CalibrationMethod, fitCalibration, priorShift } from '../../src/calibrate/fit.ts';
import { decisionByCosts } from '../../src/decide/costs.ts';
import { saveModel } from '../../src/model/file.ts';
import type { FittedModel } from '../../src/model/fittedModel.ts';
import { calibrate } from '../../src/train/calibrated.ts';
import { chooseDecision, chooseReview } from '../../src/train/decided.ts';
import { type FitResult, fit as fitTable } from '../../src/train/fit.ts';
import type { DecideOption, FitOptions } from '../../src/train/fitOptions.ts';
import { type OutOfFold, outOfFold } from '../../src/train/outOfFold.ts';
import { coded, numeric, random, table, takeRows } from './oracles.ts';

function simulate(count: number, seed: number) {
  const next = random(seed);
  const x = Array.from({ length: count }, () => 4 * next() - 2);
  const g = x.map((_, i) => i >> 2);
  const y = x.map((value) => (next() < 1 / (1 + Math.exp(-value)) ? 'yes' : 'no'));
  const k = x.map((value) => 'abc'[Math.min(2, Math.max(0, Math.floor(value + 1 + next())))]);
  return table(
    numeric('x', x),
    coded(
      'city',
      x.map(() => ['Bonn', 'Köln'][Math.floor(2 * next())]),
    ),
    numeric('g', g),
    numeric(
      's',
      x.map(() => Math.floor(3 * next())),
    ),
    coded('y', y),
    coded('k', k),
  );
}
const rows = simulate(320, 3);
const holdout = simulate(240, 4);

const two = { target: 'y', weight: 's', exclude: ['k', 'g'], C: 0.2 } satisfies FitOptions;
const three = { target: 'k', weight: 's', exclude: ['y', 'g'], C: 0.2 } satisfies FitOptions;
const costs = [
  [0, 2, 4],
  [1, 0, 1],
  [9, 3, 0],
];
/** of deciding "yes" and "no" */
const matrix = [
  [0, 1],
  [5, 0],
];

/** Classes as calibrators have them: of two the negative one first. */
const classesOf = ({ manifest: { classes, positive } }: FittedModel) =>
  positive === null ? classes : [...classes.filter((name) => name !== positive), positive];

/** The former way to a calibrator: out of fold, then put into the model. */
function calibratedByHand(options: FitOptions, held: OutOfFold, method: CalibrationMethod): FittedModel {
  const { model } = fitTable(rows, options);
  const { planes, y, weight, folds } = held;
  return model.with({ calibration: fitCalibration(method, planes, y, weight, { classes: classesOf(model), folds }) });
}

const same = (found: FitResult, model: FittedModel, held: OutOfFold | null) => {
  expect(found.model.manifest).toEqual(model.manifest);
  expect(saveModel(found.model)).toEqual(saveModel(model));
  expect(found.warnings).toEqual(found.model.manifest.warnings);
  expect(found.outOfFold).toEqual(held);
};

const CRITERIA: [string, Exclude<DecideOption, { threshold: number }>][] = [
  ['costs', { by: 'cost', costs: { fp: 1, fn: 5 } }],
  ['F1', { by: 'fbeta', beta: 1 }],
  ['recall', { by: 'precision', recall: 0.8 }],
  ['a budget', { by: 'budget', share: 0.2 }],
];

describe('fit with calibrate, decide and review is, by bits, what is done by hand', () => {
  describe.each([
    ['five random folds', undefined],
    ['of another seed', { folds: 4, seed: 9 }],
    ['of groups', { folds: 3, groups: 'g' }],
    ['by time', { folds: 3, time: 'g' }],
  ] as const)('%s', (_, folding) => {
    it.each(['platt', 'isotonic', 'beta', 'temperature'] as const)('two classes, %s', (method) => {
      const held = outOfFold(rows, { ...two, folding });
      const calibrated = calibratedByHand(two, held, method);
      same(fitTable(rows, { ...two, folding, calibrate: method }), calibrated, held);
      same(fitTable(rows, { ...two, folding, calibrate: { method } }), calibrated, held);
      for (const [, decide] of CRITERIA) {
        const chosen = chooseDecision(calibrated, held, decide as never);
        const asked = decide.by === 'cost' ? decide.costs : null;
        const decision = asked ? { ...chosen, chosen: { ...chosen.chosen!, costs: asked as never } } : chosen;
        const decided = calibrated.with({ decision });
        same(fitTable(rows, { ...two, folding, calibrate: method, decide }), decided, held);
        const band = chooseReview(decided, held, 0.4);
        same(
          fitTable(rows, { ...two, folding, calibrate: method, decide, review: { share: 0.4 } }),
          decided.with({ review: band }),
          held,
        );
      }
    });
  });

  it('without a calibrator', () => {
    const held = outOfFold(rows, two);
    const { model } = fitTable(rows, two);
    const decide = { by: 'fbeta', beta: 2 } as const;
    const decided = model.with({ decision: chooseDecision(model, held, decide) });
    same(fitTable(rows, { ...two, decide }), decided, held);
    const review = { share: 0.15 };
    const reviewed = decided.with({ review: chooseReview(decided, held, 0.15) });
    same(fitTable(rows, { ...two, decide, review }), reviewed, held);
    same(fitTable(rows, { ...two, review }), model.with({ review: chooseReview(model, held, 0.15) }), held);
  });

  it('what needs no rows asks for no folds', () => {
    const { model } = fitTable(rows, two);
    const options = { ...two, decide: { threshold: 0.3 }, review: { low: 0.2, high: 0.4 } };
    const changed = { decision: { threshold: 0.3 }, review: { low: 0.2, high: 0.4 } };
    same(fitTable(rows, options), model.with(changed), null);
    const several = fitTable(rows, three).model;
    same(
      fitTable(rows, { ...three, decide: { by: 'cost', costs }, review: { low: 0, high: 0.5 } }),
      several.with({
        decision: decisionByCosts(costs, several.manifest.classes, null)!,
        review: { low: 0, high: 0.5 },
      }),
      null,
    );
  });

  it('a matrix of costs of two classes is their costs', () => {
    const byMatrix = fitTable(rows, { ...two, calibrate: 'platt', decide: { by: 'cost', costs: matrix } });
    const byNames = fitTable(rows, { ...two, calibrate: 'platt', decide: { by: 'cost', costs: { fp: 1, fn: 5 } } });
    expect(byMatrix.model.manifest.decision.threshold).toBe(byNames.model.manifest.decision.threshold);
  });

  it.each(['multinomial', 'ovr'] as const)('several classes: %s', (multiclass) => {
    const options = { ...three, multiclass };
    const held = outOfFold(rows, options);
    for (const method of ['platt', 'temperature'] as const) {
      const calibrated = calibratedByHand(options, held, method);
      const decision = decisionByCosts(costs, calibrated.manifest.classes, null)!;
      const decided = calibrated.with({ decision });
      same(
        fitTable(rows, {
          ...{ ...options, calibrate: method },
          ...{ decide: { by: 'cost', costs }, review: { share: 0.2 } },
        }),
        decided.with({ review: chooseReview(decided, held, 0.2) }),
        held,
      );
    }
  });

  it('by a table of held-out rows', () => {
    const { model } = fitTable(rows, two);
    const held = outOfFold(rows, two);
    for (const method of ['platt', 'isotonic'] as const) {
      const calibrated = calibrate(model, holdout, { method, weight: 's' });
      same(fitTable(rows, { ...two, calibrate: { method, holdout } }), calibrated, null);
      const corrected = calibrate(model, holdout, { method, weight: 's', prior: 0.1 });
      expect(corrected.manifest.calibration!.prior).toBeDefined();
      same(fitTable(rows, { ...two, calibrate: { method, holdout }, prior: 0.1 }), corrected, null);
      const decide = { by: 'precision', recall: 0.7 } as const;
      const decided = corrected.with({ decision: chooseDecision(corrected, held, decide) });
      same(fitTable(rows, { ...two, calibrate: { method, holdout }, prior: 0.1, decide }), decided, held);
    }
    const several = fitTable(rows, three).model;
    same(
      fitTable(rows, { ...three, calibrate: { method: 'beta', holdout } }),
      calibrate(several, holdout, { method: 'beta', weight: 's' }),
      null,
    );
  });

  it('a prior alone shifts from the shares of the rows', () => {
    const { model } = fitTable(rows, two);
    const found = fitTable(rows, { ...two, prior: 0.1 });
    const held = outOfFold(rows, two);
    const weight = held.weight.reduce((sum, s) => sum + s, 0);
    const share = held.y.reduce((sum, label, i) => sum + label * held.weight[i], 0) / weight;
    const calibration = {
      method: 'none',
      calibrators: [],
      shift: priorShift([share], [0.1]),
      by: null,
      prior: [0.9, 0.1],
    } as const;
    same(found, model.with({ calibration }), null);
  });

  it('says what it does, and the model itself is that of the options alone', () => {
    const phases: string[] = [];
    const { model } = fitTable(rows, {
      ...{ ...two, penalty: undefined, calibrate: 'platt', decide: { by: 'fbeta', beta: 1 }, diagnose: true },
      ...{ inference: { bootstrap: { replicates: 3 } }, onPhase: (phase) => phases.push(phase) },
    });
    expect(phases).toEqual(['solve', 'resample', 'folds', 'diagnose']);
    expect(model.weights).toEqual(fitTable(rows, two).model.weights);
    phases.length = 0;
    fitTable(rows, { ...two, onPhase: (phase) => phases.push(phase) });
    expect(phases).toEqual(['solve']);
  });
});

describe('what cannot be decided or calibrated', () => {
  const few = takeRows(rows, [...Array(30).keys()]);
  it.each<[string, () => unknown, string, RegExp]>([
    [
      'a threshold of three classes',
      () => fitTable(rows, { ...three, decide: { by: 'fbeta', beta: 1 } }),
      'ERR_TARGET',
      /threshold: expected a model of two classes, got 3/,
    ],
    [
      'no threshold',
      () => fitTable(rows, { ...two, decide: { threshold: 'high' as never } }),
      'ERR_RANGE',
      /^threshold: expected a number/,
    ],
    ['no decision', () => fitTable(rows, { ...two, decide: { by: 'luck' } as never }), 'ERR_RANGE', /luck/],
    [
      'costs of other classes',
      () => fitTable(rows, { ...three, decide: { by: 'cost', costs: matrix } }),
      'ERR_SHAPE',
      /3/,
    ],
    ['a share above 1', () => fitTable(rows, { ...two, review: { share: 2 } }), 'ERR_RANGE', /share/],
    [
      'a band in no order',
      () => fitTable(rows, { ...two, review: { low: 0.7, high: 0.2 } }),
      'ERR_RANGE',
      /^decision\.abstain/,
    ],
    [
      'a fold too many',
      () => fitTable(few, { ...two, calibrate: 'platt', folding: { folds: 50 } }),
      'ERR_DATA',
      /^folds/,
    ],
    [
      'folds beside a holdout',
      () => fitTable(rows, { ...two, calibrate: { method: 'platt', folds: 3 } as never }),
      'ERR_RANGE',
      /got "folds"/,
    ],
    ['an unknown method', () => fitTable(rows, { ...two, calibrate: 'sigmoid' as never }), 'ERR_RANGE', /one of platt/],
    ['a method of another type', () => fitTable(rows, { ...two, calibrate: 3 as never }), 'ERR_RANGE', /calibrate/],
    [
      'groups and time',
      () => fitTable(rows, { ...two, calibrate: 'platt', folding: { groups: 'g', time: 'g' } }),
      'ERR_RANGE',
      /no time beside it/,
    ],
    [
      'folds of no column',
      () => fitTable(rows, { ...two, calibrate: 'platt', folding: { groups: 'h' } }),
      'ERR_SCHEMA',
      /"h"/,
    ],
  ])('%s', (_, run, code, message) => {
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});
