import { pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import type { Calibration } from '../calibrate/calibration.ts';
import { type CalibrationMethod, fitCalibration, priorShift } from '../calibrate/fit.ts';
import { CheckedTable, type Data } from '../encode/checkedTable.ts';
import { list } from '../messages.ts';
import type { FittedModel } from '../model/fittedModel.ts';
import type { Model } from '../model/model.ts';
import { checkPrior, type FitSpec, type Prior } from './fitOptions.ts';
import type { OutOfFold } from './outOfFold.ts';
import type { DataOptions } from './problem/options.ts';
import { readTarget, readTrials, readWeight } from './problem/target.ts';

/**
 * The model with its calibrator and prior correction: `manifest.calibration`.
 *
 * The calibrator is estimated from logits of `outOfFold` (as scikit-learn's `CalibratedClassifierCV` does with `ensemble=False`), or from those
 * that the model gives to the rows of a holdout, by sample weights without class weights. A `prior` shifts logits from the shares in these rows
 * to the true ones; without a calibrator from the shares the model was fitted to, class weights included.
 *
 * @param rows   of the folds; null where there are none
 * @param share  of each class in the fitted rows, class weights included
 */
export function calibrated(
  model: FittedModel,
  { calibrate, prior, ...data }: Pick<FitSpec, 'calibrate' | 'prior' | keyof DataOptions>,
  rows: OutOfFold | null,
  share: ArrayLike<number>,
): FittedModel {
  if (!calibrate && prior === undefined) return model;
  const finish = (calibration: Calibration, shares: readonly number[]) =>
    model.with({ calibration: { ...calibration, ...(prior !== undefined && correctionOf(model, shares, prior)) } });
  if (!calibrate) return finish(NONE, Array.from(share));
  const { planes, y, weight } = calibrate.holdout ? scoredRows(model, calibrate.holdout, data) : rows!;
  const calibration = fitCalibration(calibrate.method, planes, y, weight, {
    classes: namesOf(model),
    folds: calibrate.holdout ? null : rows!.folds,
  });
  return finish(calibration, sharesOf(model, y, weight));
}

/** Options of `calibrate`: the method, and which columns of the held-out table are weights and trials. */
export type HoldoutOptions = Pick<DataOptions, 'weight' | 'trials' | 'engine'> & {
  readonly method: CalibrationMethod;
  /** as of `fit` */
  readonly prior?: Prior;
};

/**
 * Returns a copy of the model with a calibrator, estimated from rows that the model was not fitted to.
 *
 * Give it held-out rows: on training rows the probabilities would look better than they are. `fit` with `calibrate` does the same with folds.
 * @param table  a table or records: features, target, and the offset if the model has one
 * @param given  the method, and which columns are weights and trials
 * @throws ERR_SCHEMA, ERR_RECORD as `Scorer.score`; ERR_TARGET labels that are no class of the model; others as `fitCalibration` of `logodds/decide`
 * @example
 * const { train, holdout } = splitTable(table, Uint8Array.from(records, (_, i) => i % 2));
 * const { model } = fit(train, { target: 'late' });
 * model.score(flight).probability; // 0.7337
 * calibrate(model, holdout, { method: 'platt' }).score(flight).probability; // 0.7205
 */
export function calibrate(model: FittedModel, table: Data, given: HoldoutOptions): FittedModel {
  refuseUnknown('calibrate', given, { method: true, prior: true, weight: true, trials: true, engine: true });
  const { method, prior, ...options } = given;
  if (typeof model?.with !== 'function') {
    throw new LogoddsError(
      'ERR_RANGE',
      'calibrate: expected a model of "logodds", got another; load it with loadModel of "logodds"',
    );
  }
  checkPrior(prior);
  const { planes, y, weight } = scoredRows(model, table, { ...options, target: model.manifest.target });
  const calibration = fitCalibration(method, planes, y, weight, { classes: namesOf(model) });
  const correction = prior !== undefined && correctionOf(model, sharesOf(model, y, weight), prior);
  return model.with({ calibration: { ...calibration, ...correction } });
}

/**
 * Returns a copy of the model for places where the classes have other shares than the probabilities are made for, without training.
 *
 *   two classes   logit + log(τ/(1 − τ)) − log(π/(1 − π))        several   logitₖ + log(τₖ/πₖ), for each class
 *
 * That is right where rows of a class are as before and only the classes are more or less frequent (label shift). Where the features drift too, train again. The
 * threshold stays: it is right for costs, and was chosen on other shares where a rate was wanted.
 * @param prior  τ, the shares now: that of the positive class, or one for each class by its label
 * @param from  π, the shares that its probabilities are made for now; default those of an earlier correction, else those of its baseline
 * @throws ERR_RANGE shares that are none, and a model that does not say for which shares it was made; ERR_TARGET labels that are not its classes
 * @see Saerens, Latinne, Decaestecker, Adjusting the outputs of a classifier to new a priori probabilities, Neural Computation 14, 2002
 * @example
 * const { model } = fit(records, { target: 'late' });
 * model.score(flight).probability; // 0.7770
 * correctPrior(model, 0.2, 0.5).score(flight).probability; // 0.4655
 */
export function correctPrior(model: FittedModel, prior: Prior, from?: Prior): FittedModel {
  if (typeof model?.with !== 'function')
    throw new LogoddsError(
      'ERR_RANGE',
      'correctPrior: expected a model of "logodds", got another; load it with loadModel of "logodds"',
    );
  checkPrior(prior);
  checkPrior(from);
  const { classes, positive, calibration } = model.manifest;
  const now = calibration ?? NONE;
  const even = classes.map(() => 1);
  const before = from === undefined ? sharesNow(model) : correctionOf(model, even, from).prior;
  const { shift, prior: shares } = correctionOf(model, before, prior);
  const length = positive === null ? classes.length : 1;
  const old = now.shift.length > 0 ? now.shift : new Array<number>(length).fill(0);
  return model.with({ calibration: { ...now, shift: shift.map((by, k) => old[k] + by), prior: shares } });
}

/** The shares of the classes that the probabilities of a model are made for. */
function sharesNow({ manifest: { classes, calibration, baseline } }: Model): readonly number[] {
  if (calibration?.prior) return calibration.prior;
  const rows = classes.map((label) => baseline?.parts.find((part) => part.label === label)?.rows ?? 0);
  const total = rows.reduce((sum, count) => sum + count, 0);
  if (rows.includes(0))
    throw new LogoddsError(
      'ERR_RANGE',
      'correctPrior: expected a model with a prior or a baseline by class, got one without; say which shares it was made for',
    );
  return rows.map((count) => count / total);
}

const NONE: Calibration = { method: 'none', calibrators: [], shift: [], by: null };
/** Logits and outcomes of a table that the model was not fitted to. */
function scoredRows(model: Model, data: Data, { target, trials, weight, engine = pickEngine() }: DataOptions) {
  const { classes, positive } = model.manifest;
  const table = CheckedTable.of(data);
  const found = trials === undefined ? readTarget(table, target) : readTrials(table, target, trials);
  const unknown = found.classes.filter((label) => !classes.includes(label));
  if (unknown.length > 0) {
    throw new LogoddsError(
      'ERR_TARGET',
      `holdout: expected classes of the model (${list(classes)}), got ${list(unknown)}; leave these rows out, or fit with them`,
    );
  }
  const place = found.classes.map((label) => (positive === null ? classes.indexOf(label) : Number(label === positive)));
  const y = new Float64Array(found.trials ? found.y : found.code.map((code) => place[code]));
  const given = weight === undefined ? null : readWeight(table, weight);
  const scorer = model.scorer(engine);
  try {
    const { logits, rows } = scorer.score(table);
    const planes = Array.from({ length: logits.length / rows }, (_, k) =>
      Float64Array.from(logits.subarray(k * rows, (k + 1) * rows)),
    );
    const one = new Float64Array(rows).fill(1);
    return { planes, y, weight: (found.trials ?? one).map((count, i) => count * (given ? given[i] : 1)) };
  } finally {
    scorer.free();
  }
}

/** As `fitCalibration` has them: of two classes the negative one first. */
function namesOf({ manifest: { classes, positive } }: Model): string[] {
  return positive === null ? [...classes] : [...classes.filter((label) => label !== positive), positive];
}

/** Weight of each class, in the order of the model's classes. */
function sharesOf({ manifest: { classes, positive } }: Model, y: Float64Array, weight: Float64Array): number[] {
  const share = new Array<number>(classes.length).fill(0);
  const one = positive === null ? -1 : classes.indexOf(positive);
  for (let i = 0; i < y.length; i++) {
    if (one < 0) share[y[i]] += weight[i];
    else {
      share[one] += weight[i] * y[i];
      share[1 - one] += weight[i] * (1 - y[i]);
    }
  }
  return share;
}

/**
 * The shift of logits to the true shares, and these.
 * @param weights  of each class in the rows that the probabilities are of
 * @throws ERR_TARGET, ERR_RANGE
 */
function correctionOf(
  { manifest: { classes, positive } }: Model,
  weights: readonly number[],
  prior: Prior,
): Required<Pick<Calibration, 'shift' | 'prior'>> {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (typeof prior === 'number') {
    if (positive === null) {
      throw new LogoddsError(
        'ERR_RANGE',
        `prior: expected the share of each class (${list(classes)}), got ${prior}; give them by label`,
      );
    }
    const shift = priorShift([weights[classes.indexOf(positive)] / total], [prior]);
    return { shift, prior: classes.map((label) => (label === positive ? prior : 1 - prior)) };
  }
  const named = Object.keys(prior);
  if (named.length !== classes.length || !classes.every((label) => Object.hasOwn(prior, label))) {
    throw new LogoddsError(
      'ERR_TARGET',
      `prior: expected a share of each class (${list(classes)}), got ${list(named) || 'none'}; name them all`,
    );
  }
  const shares = classes.map((label) => prior[label]);
  const shift = priorShift(
    weights.map((weight) => weight / total),
    shares,
  );
  if (positive === null) return { shift, prior: shares };
  const one = classes.indexOf(positive);
  return { shift: [shift[one] - shift[1 - one]], prior: shares };
}
