/** What commands tell of their runs. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Model, saveModel } from '../../../../src/index.ts';
import { evaluationJson } from '../../figures/json.ts';
import type { EvalResult } from '../eval.ts';
import type { CvResult, PathResult } from '../path.ts';
import type { TrainOptions, TrainResult } from '../trainOptions.ts';
import type { Outcome } from './record.ts';
import { privateColumns } from './track.ts';

const text = (value: object): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`);

/** How a model was fitted: parameters that the run has chosen itself. */
function fitOf({ manifest }: Model): Outcome['params'] {
  const { objective, fit, classes, multiclass, calibration, schema } = manifest;
  return {
    'fit.lambda': objective.lambda,
    'fit.C': objective.C,
    'fit.l1-ratio': objective.l1Ratio,
    'fit.solver': fit.solver,
    'fit.calibrate': calibration?.method ?? 'none',
    ...(multiclass && { 'fit.multiclass': multiclass }),
    'fit.features': schema.features.length,
    'fit.classes': classes.length,
  };
}

export function trainOutcome(
  options: TrainOptions,
  { model, rows, metrics, evaluation, seconds, iterations = [] }: TrainResult,
): Outcome {
  const { fit, classes, schema } = model.manifest;
  return {
    params: {
      ...fitOf(model),
      sample: metrics ? 'held-out' : 'none',
      'rows.train': rows.train,
      'rows.holdout': rows.holdout,
      ...(options.holdout === false || options.holdoutBy !== undefined ? {} : { seed: options.seed ?? 1 }),
    },
    metrics: {
      ...metrics,
      'fit.objective': fit.objective,
      'fit.logLik': fit.logLik,
      'fit.gradNorm': fit.gradNorm,
      'fit.iterations': fit.iterations,
      'fit.converged': Number(fit.converged),
      ...Object.fromEntries(Object.entries(seconds).map(([phase, value]) => [`seconds.${phase}`, value])),
    },
    ...byStep(
      iterations.map((_, k) => k + 1),
      {
        'fit.objective.byIteration': iterations.map(({ objective }) => objective),
        'fit.gradNorm.byIteration': iterations.map(({ gradNorm }) => gradNorm),
      },
    ),
    model: { bytes: saveModel(model) },
    files: evaluation ? { 'evaluation.json': text(evaluationJson(evaluation(), classes)) } : {},
    hidden: privateColumns(schema.features),
  };
}

/** Curves over the same steps. */
const byStep = (steps: readonly number[], curves: Readonly<Record<string, readonly number[]>>) => ({
  curves,
  steps: Object.fromEntries(Object.keys(curves).map((name) => [name, steps])),
});

/** Progressive log loss by rows learnt. */
export const learnt = ({ rows, logLoss }: NonNullable<TrainResult['curve']>): Pick<Outcome, 'curves' | 'steps'> =>
  byStep(rows, { 'online.logLoss': logLoss });

export function onlineOutcome({ model, rows, seconds, curve }: TrainResult): Outcome {
  const { fit, schema } = model.manifest;
  return {
    params: {
      ...fitOf(model),
      // each row was scored before it was learnt
      sample: 'progressive',
      'rows.train': rows.train,
    },
    metrics: { logLoss: fit.objective, 'fit.logLik': fit.logLik, 'seconds.fit': seconds.fit },
    ...(curve && learnt(curve)),
    model: { bytes: saveModel(model) },
    hidden: privateColumns(schema.features),
  };
}

export function evalOutcome(path: string, result: EvalResult): Outcome {
  const { model, rows, metrics, evaluation, defaulted, seconds } = result;
  return {
    params: {
      model: path,
      // of the file, as a registry has it
      'model.sha256': createHash('sha256').update(readFileSync(path)).digest('hex'),
      sample: 'given',
      rows,
    },
    metrics: { ...metrics, defaulted, seconds },
    files: { 'evaluation.json': text(evaluationJson(evaluation(), model.manifest.classes)) },
    hidden: privateColumns(model.manifest.schema.features),
  };
}

export function pathOutcome({ path: { steps, model }, rows }: PathResult): Outcome {
  const last = steps.at(-1)!;
  const curve = (value: (step: (typeof steps)[number]) => number | null) =>
    steps.map((step) => value(step) ?? Number.NaN);
  return {
    params: { 'rows.train': rows, steps: steps.length, sample: 'fitted' },
    metrics: { devianceRatio: last.devianceRatio, nonzero: last.nonzero, lambda: last.lambda },
    curves: {
      'path.lambda': curve(({ lambda }) => lambda),
      'path.devianceRatio': curve(({ devianceRatio }) => devianceRatio),
      'path.nonzero': curve(({ nonzero }) => nonzero),
      'path.iterations': curve(({ iterations }) => iterations),
    },
    hidden: privateColumns(model(steps.length - 1).manifest.schema.features),
  };
}

export function cvOutcome({ validation, rows }: CvResult): Outcome {
  const { steps, chosen, best, score, model } = validation;
  const at = steps[chosen]!;
  const curve = (value: (step: (typeof steps)[number]) => number | null) =>
    steps.map((step) => value(step) ?? Number.NaN);
  return {
    params: {
      ...fitOf(model),
      ...{ score, sample: 'cross-validation', 'rows.train': rows, steps: steps.length, folds: at.scores.length },
    },
    metrics: {
      [score]: at.mean,
      [`${score}.stdError`]: at.stdError,
      nonzero: at.nonzero,
      ...{ chosen, best },
    },
    curves: {
      'cv.lambda': curve(({ lambda }) => lambda),
      [`cv.${score}`]: curve(({ mean }) => mean),
      [`cv.${score}.stdError`]: curve(({ stdError }) => stdError),
      'cv.nonzero': curve(({ nonzero }) => nonzero),
    },
    model: { bytes: saveModel(model) },
    hidden: privateColumns(model.manifest.schema.features),
  };
}
