import { LogoddsError, refuse } from '../../bindings/errors.ts';
import { ln, softplus } from '../../bindings/js/math.ts';
import type { Calibration, Calibrator } from './calibration.ts';
import { inverseTemperature, isotonicRegression, type Line, logistic, steps } from './regress.ts';

/** The names of the calibration methods. */
export const CALIBRATION_METHODS = ['platt', 'isotonic', 'beta', 'temperature'] as const;
/** The name of a calibration method; `fitCalibrator` has their formulas. */
export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

type Logits = Float64Array | Float32Array;

/** Isotonic calibration wants so many rows of each class, by weight; below it would repeat the rows. */
const ISOTONIC_ROWS = 10;
/** On ½(a² + b²) of beta: separated classes have a calibrator too. That of the authors' betacal. */
const BETA_RIDGE = 1e-11;
const LARGEST = 1e300;

/** The origin of a calibration's rows, and the names of its classes for errors. */
export interface CalibrationSource {
  /** labels of the classes, with two classes the negative one first; default their numbers */
  readonly classes?: readonly string[];
  /** number of folds whose fits gave the logits; null (default): held-out rows */
  readonly folds?: number | null;
}

/**
 * Estimates how logits become probabilities, from logits of rows that the model was not fitted to.
 *
 * Two classes have one calibrator. More have one for each class against the rest, and their probabilities are divided by the sum; `temperature` has
 * one for all. A row of weight 2 counts as two rows. A row of weight 0 is left out, and its logits are not read.
 *
 * @param planes  logits: one array for two classes, one for each class with more, each of n rows
 * @param y  two classes: 1 (or the share) for the positive one; more: the class, 0 to K − 1
 * @param weight  n weights ≥ 0; default all 1
 * @throws ERR_SHAPE lengths that differ; ERR_RANGE a method, logit, label or weight outside its domain
 * @throws ERR_DATA rows of one class only, a class without rows, fewer than 10 rows of a class for isotonic
 * @see `fitCalibrator` for the methods; Zadrozny, Elkan, Transforming classifier scores into accurate multiclass probability estimates (2002)
 * @example
 * const calibration = fitCalibration('platt', [Float64Array.of(-2, -1, 0.5, 3)], [0, 1, 0, 1]);
 * calibration.calibrators; // [{ method: 'platt', a: 0.2552, b: -0.0276 }]
 * model.with({ calibration }).score(flight).probability; // 0.6381
 */
export function fitCalibration(
  method: CalibrationMethod,
  planes: readonly Logits[],
  y: ArrayLike<number>,
  weight: ArrayLike<number> | null = null,
  { classes, folds = null }: CalibrationSource = {},
): Calibration {
  const rows = usedRows(method, planes, y, weight);
  const calibrators = calibratorsOf(method, rows, classes ?? Array.from({ length: rows.classes }, (_, k) => String(k)));
  return { method, calibrators, shift: [], by: { folds, rows: rows.y.length } };
}

/**
 * Estimates the calibrator of two classes, or the `temperature` of several.
 *
 *   platt        p = σ(a·z + b) by maximum likelihood, with targets (N₊ + 1)/(N₊ + 2) and 1/(N₋ + 2) instead of 1 and 0
 *   isotonic     the p that never falls in z with least Σ s(y − p)² (equal logits are pooled), linear between its steps
 *   beta         p = σ(a·log q − b·log(1 − q) + c), q = σ(z), by maximum likelihood subject to a ≥ 0 and b ≥ 0
 *   temperature  p = σ(z·t), with several classes softmax(z·t), by maximum likelihood, t in [exp(−10), exp(10)]
 *
 * N₊ and N₋ are sums of weights. Minima are exact up to rounding (Newton's method).
 *
 * @param logits  n numbers, or for several classes one array of n for each
 * @throws as `fitCalibration`
 * @see Platt (1999) with the Newton method of Lin, Lin, Weng, Mach. Learn. 68 (2007); Zadrozny, Elkan (2002); Kull, Silva Filho, Flach,
 * Beta calibration (AISTATS 2017); Guo et al., On calibration of modern neural networks (ICML 2017)
 * @example
 * fitCalibrator('platt', Float64Array.of(-2, -1, 0.5, 3), [0, 1, 0, 1]); // { method: 'platt', a: 0.2552, b: -0.0276 }
 */
export function fitCalibrator(
  method: CalibrationMethod,
  logits: Logits | readonly Logits[],
  y: ArrayLike<number>,
  weight: ArrayLike<number> | null = null,
): Calibrator {
  const planes = 'BYTES_PER_ELEMENT' in logits ? [logits] : logits;
  if (planes.length > 1 && method !== 'temperature') {
    throw new LogoddsError(
      'ERR_SHAPE',
      `logits: expected one array for ${method}, got ${planes.length}; use fitCalibration for several classes`,
    );
  }
  return fitCalibration(method, planes, y, weight).calibrators[0];
}

/**
 * Returns the log-odds to add to calibrated logits when the classes are as frequent as `trueShare` where the model is used, and not as in training.
 *
 *   two classes   log(τ/(1 − τ)) − log(ȳ/(1 − ȳ))        several   log(τₖ/ȳₖ), for each class
 *
 * @param trainingShare  ȳ: with two classes the share of the positive one, with more the share of each
 * @param trueShare  τ, in the same form
 * @throws ERR_SHAPE different lengths; ERR_RANGE shares that are not between 0 and 1, or with several classes do not sum to 1
 * @see King, Zeng, Logistic regression in rare events data, Political Analysis 9 (2001), 4.1
 * @example
 * priorShift([0.5], [0.1]); // [-2.1972]
 */
export function priorShift(trainingShare: readonly number[], trueShare: readonly number[]): number[] {
  if (trainingShare.length !== trueShare.length) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `prior: expected ${trainingShare.length} shares (as of the training rows), got ${trueShare.length}`,
    );
  }
  for (const shares of [trainingShare, trueShare]) {
    const bad = shares.find((share) => !(share > 0 && share < 1));
    const total = shares.reduce((sum, share) => sum + share, 0);
    if (bad !== undefined || (shares.length > 1 && !(Math.abs(total - 1) <= 1e-9))) {
      throw new LogoddsError(
        'ERR_RANGE',
        `prior: expected shares between 0 and 1${shares.length > 1 ? ' that sum to 1' : ''}, got ${[...shares].join(', ')}; correct them`,
      );
    }
  }
  const single = trueShare.length === 1;
  return trueShare.map((share, k) => {
    const trained = trainingShare[k];
    return single ? ln((share * (1 - trained)) / (trained * (1 - share))) : ln(share / trained);
  });
}

interface Rows {
  readonly planes: readonly Float64Array[];
  readonly y: Float64Array;
  readonly weight: Float64Array;
  /** 2, or the number of planes */
  readonly classes: number;
}

/** The rows of positive weight, checked. */
function usedRows(
  method: CalibrationMethod,
  planes: readonly Logits[],
  y: ArrayLike<number>,
  weight: ArrayLike<number> | null,
): Rows {
  if (!CALIBRATION_METHODS.includes(method))
    refuse('ERR_RANGE', 'calibration', `one of ${CALIBRATION_METHODS.join(', ')}`, method, 'choose one');
  if (planes.length === 0 || planes.length === 2) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `logits: expected one array for two classes, or one a class for more, got ${planes.length}; give the logits of the positive class`,
    );
  }
  const lengths = [...planes.map(({ length }) => length), ...(weight ? [weight.length] : [])];
  const other = lengths.find((length) => length !== y.length);
  if (other !== undefined) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `logits, labels and weights: expected one length, got ${y.length} labels and ${other}`,
    );
  }
  const classes = Math.max(2, planes.length);
  const shares = planes.length === 1;
  const index = new Uint32Array(y.length);
  let count = 0;
  for (let i = 0; i < y.length; i++) {
    const s = weight ? weight[i] : 1;
    if (!(s >= 0 && s < Number.POSITIVE_INFINITY))
      refuse('ERR_RANGE', `weights, row ${i}`, 'a finite number >= 0', s, 'correct it');
    if (s === 0) continue;
    index[count++] = i;
    const label = y[i];
    const known = shares ? label >= 0 && label <= 1 : Number.isInteger(label) && label >= 0 && label < classes;
    if (!known) {
      const rule = shares ? 'a share of the positive class from 0 to 1' : `a whole number from 0 to ${classes - 1}`;
      refuse('ERR_RANGE', `labels, row ${i}`, rule, label, 'correct it');
    }
  }
  const pick = (values: ArrayLike<number> | null): Float64Array => {
    const out = new Float64Array(count).fill(1);
    for (let i = 0; values && i < count; i++) out[i] = values[index[i]];
    return out;
  };
  const used = planes.map((plane) => {
    const logits = pick(plane);
    const bad = logits.findIndex((z) => !Number.isFinite(z));
    if (bad >= 0)
      refuse(
        'ERR_RANGE',
        `logits, row ${index[bad]}`,
        'a finite number',
        logits[bad],
        'give the row weight 0 to leave it out',
      );
    return logits.map((z) => Math.max(-LARGEST, Math.min(LARGEST, z)));
  });
  return { planes: used, y: pick(y), weight: pick(weight), classes };
}

function calibratorsOf(
  method: CalibrationMethod,
  { planes, y, weight, classes }: Rows,
  names: readonly string[],
): Calibrator[] {
  const binary = planes.length === 1;
  const total = new Float64Array(classes);
  y.forEach((label, i) => {
    if (binary) {
      total[0] += weight[i] * (1 - label);
      total[1] += weight[i] * label;
    } else total[label] += weight[i];
  });
  checkClasses(method, total, names);
  if (method === 'temperature') {
    const all = binary ? [new Float64Array(y.length), planes[0]] : planes;
    return [{ method, inverse: inverseTemperature(all, y, weight) }];
  }
  return planes.map((z, k) => FITS[method](z, binary ? y : y.map((label) => Number(label === k)), weight));
}

/** @throws ERR_DATA */
function checkClasses(method: CalibrationMethod, total: Float64Array, names: readonly string[]): void {
  const least = method === 'isotonic' ? ISOTONIC_ROWS : 0;
  const rarest = total.indexOf(Math.min(...total));
  const present = names.filter((_, k) => total[k] > 0);
  if (present.length < 2 || (method !== 'temperature' && present.length < names.length)) {
    throw new LogoddsError(
      'ERR_DATA',
      `calibration: expected rows of every class (${names.join(', ')}), got ${present.length > 0 ? `only ${present.join(', ')}` : 'none'}; use more rows, or other folds`,
    );
  }
  if (total[rarest] < least) {
    throw new LogoddsError(
      'ERR_DATA',
      `isotonic calibration: expected at least ${least} rows of each class (by weight; a thousand are better), got ${total[rarest]} of ${names[rarest]}; use platt or temperature, or more rows`,
    );
  }
}

type Fit = (z: Float64Array, y: Float64Array, weight: Float64Array) => Calibrator;

const FITS: Readonly<Record<Exclude<CalibrationMethod, 'temperature'>, Fit>> = {
  platt(z, y, weight) {
    let positive = 0;
    let negative = 0;
    y.forEach((label, i) => {
      positive += weight[i] * label;
      negative += weight[i] * (1 - label);
    });
    const low = 1 / (negative + 2);
    const high = (positive + 1) / (positive + 2);
    const target = y.map((label) => label * high + (1 - label) * low);
    const { slopes, intercept } = logistic([z], target, weight, 0);
    return { method: 'platt', a: slopes[0], b: intercept };
  },
  isotonic(z, y, weight) {
    const { x, fitted } = steps(isotonicRegression(z, y, weight));
    return { method: 'isotonic', logits: x, probabilities: fitted };
  },
  beta(z, y, weight) {
    const none = new Float64Array(z.length);
    const logarithm = z.map((logit) => -softplus(-logit));
    const complement = z.map(softplus);
    const line = (first: Float64Array, second: Float64Array) => logistic([first, second], y, weight, BETA_RIDGE);
    const allowed = ({ slopes }: Line) => slopes.every((slope) => slope >= 0);
    // convex: the best of all where it is allowed, else the best of those with one term or none
    const both = line(logarithm, complement);
    const fits = allowed(both)
      ? [both]
      : [line(logarithm, none), line(none, complement), line(none, none)].filter(allowed);
    const { slopes, intercept } = fits.reduce((best, one) => (one.loss < best.loss ? one : best));
    return { method: 'beta', a: slopes[0], b: slopes[1], c: intercept };
  },
};
