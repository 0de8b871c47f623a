import { pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import type { Calibration } from '../calibrate/calibration.ts';
import { type CalibrationMethod, fitCalibration, priorShift } from '../calibrate/fit.ts';
import { CheckedTable } from '../encode/checkedTable.ts';
import { list } from '../encode/label.ts';
import type { Table } from '../encode/table.ts';
import type { Warning } from '../model/manifest.ts';
import { Model } from '../model/model.ts';
import { allStages } from '../stages.ts';
import { checkCrossValidation } from './crossValidate.ts';
import { fitTable } from './fit.ts';
import { type FitOptions, fitOptions, settle } from './fitOptions.ts';
import { type FoldingOptions, type OutOfFold, outOfFoldOf, withoutFeatures } from './outOfFold.ts';
import { distinct } from './path.ts';
import type { DataOptions } from './problem/options.ts';
import { classShare } from './problem/rows.ts';
import { readTarget, readTrials, readWeight } from './problem/target.ts';

/** Fewer rows than this make an isotonic calibrator that follows chance. */
const ENOUGH_FOR_ISOTONIC = 1000;

/**
 * How often the classes are where the model is used: of two classes the share of the positive one, or the share of every class by its label.
 */
export type Prior = number | Readonly<Record<string, number>>;

/** By which rows a calibrator is estimated: by folds (five, when nothing is said), or by a table of rows that are in no fold. */
export type CalibrateOptions = { readonly method: CalibrationMethod } & (
  | (FoldingOptions & { readonly holdout?: undefined })
  | { readonly holdout: Table }
);

export interface CalibratedOptions extends FitOptions {
  /** absent: probabilities are those of the logits */
  readonly calibrate?: CalibrateOptions;
  /** true shares of the classes, where those of the rows are not (some were sampled more often) */
  readonly prior?: Prior;
}

/**
 * `fit`, with a calibrator and a prior correction in the model: `manifest.calibration`.
 *
 * The model is fitted to all rows. The calibrator is estimated from logits of `outOfFold` (as scikit-learn's `CalibratedClassifierCV` does with
 * `ensemble=False`), or from those that the model gives to the rows of `holdout`, by sample weights without class weights. A `prior` shifts
 * logits from the shares in these rows to the true ones; without a calibrator from the shares the model was fitted to, class weights included.
 *
 * Warns as `fit` does, and of isotonic calibration by fewer than 1000 rows (CALIBRATION_ROWS).
 *
 * @returns outOfFold  the rows that calibrated it; null without folds
 * @throws as `fit`, `outOfFold`, `fitCalibration`; of a holdout as `calibrateModel`
 */
export function fitCalibrated(
  rows: Table,
  { calibrate, prior, ...given }: CalibratedOptions,
): { model: Model; warnings: Warning[]; outOfFold: OutOfFold | null } {
  refuseUnknown('fitCalibrated', given, fitOptions());
  const table = CheckedTable.of(rows);
  if (calibrate)
    refuseUnknown('calibrate', calibrate, {
      method: true,
      holdout: true,
      folds: true,
      groups: true,
      time: true,
      seed: true,
    });
  const folding = calibrate && !calibrate.holdout ? calibrate : null;
  if (folding) checkCrossValidation(folding);
  const options = folding ? withoutFeatures(given, folding) : given;
  let outOfFold: OutOfFold | null = null;
  let share: number[] = [];
  const { model } = fitTable(table, options, ({ problem }) => {
    const { target, weight } = problem.rows;
    share = [...classShare(target, weight)];
    outOfFold = folding && outOfFoldOf(problem, table, settle(options), folding);
    return { warnings: outOfFold?.warnings ?? [] };
  });
  const finish = (calibration: Calibration, shares: readonly number[]) => {
    const calibrated = withCalibration(model, {
      ...calibration,
      ...(prior !== undefined && correctionOf(model, shares, prior)),
    });
    return { model: calibrated, warnings: [...calibrated.manifest.warnings], outOfFold };
  };
  if (!calibrate) return finish(NONE, share);
  const { planes, y, weight } = outOfFold ?? scoredRows(model, calibrate.holdout!, options);
  const calibration = fitCalibration(calibrate.method, planes, y, weight, {
    classes: namesOf(model),
    folds: folding ? (folding.folds ?? 5) : null,
  });
  return finish(calibration, sharesOf(model, y, weight));
}

/** What a table of held-out rows says beside its features. */
export type HoldoutOptions = Pick<DataOptions, 'weight' | 'trials' | 'engine'> & {
  readonly method: CalibrationMethod;
  /** as of `fitCalibrated` */
  readonly prior?: Prior;
};

/**
 * A fitted model with a calibrator, estimated from rows that it was not fitted to.
 *
 * @param table  features, target, and the model's offset
 * @throws ERR_SCHEMA, ERR_RECORD as a scorer; ERR_TARGET labels that are no class of the model; as `fitCalibration`
 */
export function calibrateModel(model: Model, table: Table, given: HoldoutOptions): Model {
  refuseUnknown('calibrateModel', given, { method: true, prior: true, weight: true, trials: true, engine: true });
  const { method, prior, ...options } = given;
  const { planes, y, weight } = scoredRows(model, table, { ...options, target: model.manifest.target });
  const calibration = fitCalibration(method, planes, y, weight, { classes: namesOf(model) });
  const correction = prior !== undefined && correctionOf(model, sharesOf(model, y, weight), prior);
  return withCalibration(model, { ...calibration, ...correction });
}

/** The model with this calibration in place of its own; it comes from no file. Its threshold is on calibrated probabilities from then on. */
export function withCalibration(model: Model, calibration: Calibration): Model {
  const { manifest, weights, intercept, covariance, baseline } = model;
  const warnings = distinct([...manifest.warnings.filter(({ code }) => code !== FEW_ROWS), ...fewRows(calibration)]);
  const parts = { weights, intercept, covariance, baseline, stages: allStages };
  return new Model({ ...parts, manifest: { ...manifest, calibration, warnings } });
}

const NONE: Calibration = { method: 'none', calibrators: [], shift: [], by: null };
const FEW_ROWS = 'CALIBRATION_ROWS';

function fewRows({ method, by }: Calibration): Warning[] {
  if (method !== 'isotonic' || by === null || by.rows >= ENOUGH_FOR_ISOTONIC) return [];
  return [
    {
      code: FEW_ROWS,
      message: `isotonic calibration by ${by.rows} rows follows chance; use platt or beta below ${ENOUGH_FOR_ISOTONIC} rows`,
      features: [],
    },
  ];
}

/** Logits and outcomes of a table that the model was not fitted to. */
function scoredRows(model: Model, table: Table, { target, trials, weight, engine = pickEngine() }: DataOptions) {
  const { classes, positive } = model.manifest;
  const found = trials === undefined ? readTarget(table, target) : readTrials(table, target, trials);
  const unknown = found.classes.filter((label) => !classes.includes(label));
  if (unknown.length > 0) {
    throw new LogoddsError(
      'ERR_TARGET',
      `holdout: expected classes of the model (${list(classes)}), got ${list(unknown)}; leave these rows out, or fit with them`,
    );
  }
  const place = found.classes.map((label) => (positive === null ? classes.indexOf(label) : Number(label === positive)));
  const y = found.trials ? found.y : found.code.map((code) => place[code]);
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
