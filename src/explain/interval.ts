import { LogoddsError } from '../../bindings/errors.ts';
import { exp, ln, sigmoid, softplus } from '../../bindings/js/math.ts';
import type { Calibration } from '../calibrate/calibration.ts';
import { lostLogit } from '../encode/lostLogit.ts';
import type { Table } from '../encode/table.ts';
import { type Explained, layoutOf, offsetOf, type Row, type Scored, visitRows } from './explained.ts';
import { halfWidth } from './odds.ts';

/** The confidence interval of one probability. */
export interface ProbabilityInterval {
  /** ends of the interval of the probability, calibrated */
  readonly low: number;
  readonly high: number;
  /** ends of the interval of the logit; with more than two classes of the log-odds of the class against all others */
  readonly logitLow: number;
  readonly logitHigh: number;
  /** standard error of that logit, or of those log-odds */
  readonly stdError: number;
}

/**
 * The intervals of the rows of a table. Class k of row i is at k · rows + i; with two classes there is only the positive one.
 */
export interface ProbabilityIntervals {
  readonly rows: number;
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** standard error of the logit; see `ProbabilityInterval` */
  readonly stdError: Float64Array;
}

/** What intervals read of a `Model`. */
export interface Measured<S extends Scored = Scored> extends Explained<S> {
  readonly manifest: Explained['manifest'] & { readonly calibration?: Calibration | null };
  readonly stages: {
    readonly outcomes?: {
      probability(calibration: Calibration, z: number): number;
      apply(calibration: Calibration, logits: Float64Array, out: Float64Array, planes: number, ovr: boolean): void;
    };
  };
}

/**
 * Returns the interval of the probability of each class, for each row of a table.
 * @param level  probability that the interval covers, in (0, 1); default 0.95
 * @param firstRow  number of the first row in the whole input, for error messages
 * @example
 * const { low, high } = interval(model, table, 0.9);
 * low[1]; // 0.2812
 */
export function interval(model: Measured, table: Table, level?: number, firstRow?: number): ProbabilityIntervals;
/**
 * Returns the confidence interval of the probability of the positive class; with more than two classes of the label.
 *
 * It comes from the covariance of the estimates, and says how far off the model may be because it has seen a limited number of rows.
 *
 *   two classes   z ∓ q·√(xᵀΣx), through the sigmoid and the calibration (which is monotone);   q = Φ⁻¹((1 + level)/2)
 *   several       g = log(pₖ/(1 − pₖ)), Var g = ∇gᵀ·(xᵀΣx)·∇g (delta method), g ∓ q·√Var g through the sigmoid
 *
 * x includes the intercept. The offset, the calibration and parameters that were not estimated are taken as known, so a value never seen in
 * training adds nothing. With several classes, each with its own calibrator, the gradient is the slope over ±1 standard error. Every
 * runtime gives the same bits.
 *
 * @param level  probability that the interval covers, in (0, 1); default 0.95
 * @throws ERR_DATA when the model has no covariance; ERR_RANGE for a level outside (0, 1); ERR_SCHEMA, ERR_RECORD as `Model.score`
 * @see Hosmer, Lemeshow, Applied Logistic Regression, 1.4 and 2.5
 * @example
 * const { low, high } = interval(model, flight);
 * low; // 0.5669
 * high; // 0.9878
 */
export function interval(model: Measured, record: Row, level?: number): ProbabilityInterval;
export function interval(
  model: Measured,
  data: Row | Table,
  level = 0.95,
  firstRow = 0,
): ProbabilityInterval | ProbabilityIntervals {
  if (isTable(data)) return tableIntervals(model, data, level, firstRow);
  const measure = measurer(model, level);
  const row = new Float64Array(model.encoder.specs.length);
  model.encoder.encodeRecord(data, row);
  const offset = offsetOf(model, data);
  const intervals = Array.from(model.intercept, (_, k) => measure(row, offset, k, null));
  const { classes } = model.manifest;
  return intervals[intervals.length === 1 ? 0 : classes.indexOf(model.score(data).label)];
}

const isTable = (data: object): data is Table =>
  Array.isArray((data as Partial<Table> | null)?.columns) && typeof (data as Partial<Table>).rows === 'number';

function tableIntervals(model: Measured, table: Table, level: number, firstRow: number): ProbabilityIntervals {
  const measure = measurer(model, level);
  const { rows } = table;
  const row = new Float64Array(model.encoder.specs.length);
  const vectors = model.intercept.length;
  const [low, high, stdError] = [0, 1, 2].map(() => new Float64Array(vectors * rows));
  visitRows(model, table, firstRow, ({ start, rows: count, columns, offsets }) => {
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < columns.length; j++) row[j] = columns[j][i];
      const offset = offsets ? offsets[i] : 0;
      for (let k = 0; k < vectors; k++) {
        const one = measure(row, offset, k, firstRow + start + i);
        const at = k * rows + start + i;
        low[at] = one.low;
        high[at] = one.high;
        stdError[at] = one.stdError;
      }
    }
  });
  return { rows, low, high, stdError };
}

/** Of encoded rows. Classes of one row are asked for in order; the work they share is done for the first. */
function measurer(
  model: Measured,
  level: number,
): (row: Float64Array, offset: number, k: number, rowNumber: number | null) => ProbabilityInterval {
  const { covariance, manifest, encoder, weights, intercept, stages } = model;
  const half = halfWidth(level);
  if (!covariance) {
    throw new LogoddsError(
      'ERR_DATA',
      'interval: expected a model with the covariance of its estimates, got none; train it with inference (--inference)',
    );
  }
  const { first, coded } = layoutOf(model);
  const { slots } = encoder;
  const vectors = intercept.length;
  const width = vectors * (slots + 1);
  // the entries of x that are not 0, the intercept last
  const index = new Uint32Array(coded.length + 1);
  const entry = new Float64Array(coded.length + 1);
  const logits = new Float64Array(vectors);
  const spread = new Float64Array(vectors * vectors);

  const prepare = (row: Float64Array, offset: number): void => {
    let count = 0;
    for (let j = 0; j < coded.length; j++) {
      if (coded[j] === 0 && row[j] === 0) continue;
      index[count] = coded[j] === 0 ? first[j] : first[j] + row[j];
      entry[count++] = coded[j] === 0 ? row[j] : 1;
    }
    index[count] = slots;
    entry[count++] = 1;
    for (let k = 0; k < vectors; k++) {
      let logit = intercept[k];
      for (let a = 0; a < count - 1; a++) logit += entry[a] * weights[k * slots + index[a]];
      logits[k] = logit;
      for (let l = 0; l <= k; l++) {
        let sum = 0;
        for (let a = 0; a < count; a++) {
          const start = (k * (slots + 1) + index[a]) * width + l * (slots + 1);
          let inner = 0;
          for (let b = 0; b < count; b++) inner += covariance[start + index[b]] * entry[b];
          sum += entry[a] * inner;
        }
        spread[k * vectors + l] = sum;
        spread[l * vectors + k] = sum;
      }
    }
    logits[0] += offset;
  };
  const errorOf = (gradient: ArrayLike<number>): number => {
    let variance = 0;
    for (let j = 0; j < vectors; j++) {
      for (let l = 0; l < vectors; l++) variance += gradient[j] * spread[j * vectors + l] * gradient[l];
    }
    return Math.sqrt(Math.max(0, variance));
  };

  const { calibration, multiclass } = manifest;
  const ovr = multiclass === 'ovr';
  const [calibrator] = calibration?.calibrators ?? [];
  const tempered = calibrator?.method === 'temperature';
  /** the logits times this, with shifts, give the probabilities; null: there is no such number */
  const scale = calibrator === undefined ? 1 : tempered ? calibrator.inverse : null;
  const shift = calibration?.shift ?? [];
  const gradient = new Float64Array(vectors);
  const shifted = new Float64Array(vectors);
  const probabilities = new Float64Array(vectors);
  /** log-odds of class k by the calibrated probabilities */
  const calibratedOdds = (z: Float64Array, k: number): number => {
    stages.outcomes!.apply(calibration!, z, probabilities, vectors, ovr);
    const p = Math.min(Math.max(probabilities[k], 1e-15), 1 - 1e-15);
    return ln(p) - ln(1 - p);
  };
  const throughCalibration = (k: number): number => {
    for (let j = 0; j < vectors; j++) {
      const step = Math.sqrt(Math.max(0, spread[j * vectors + j]));
      shifted.set(logits);
      shifted[j] = logits[j] + step;
      const up = calibratedOdds(shifted, k);
      shifted[j] = logits[j] - step;
      gradient[j] = step > 0 ? (up - calibratedOdds(shifted, k)) / (2 * step) : 0;
    }
    return calibratedOdds(logits, k);
  };

  return (row, offset, k, rowNumber) => {
    if (k === 0) prepare(row, offset);
    const centre =
      vectors === 1
        ? logits[0]
        : scale === null
          ? throughCalibration(k)
          : classOdds(logits, k, { ovr: ovr && !tempered, scale, shift }, gradient);
    if (vectors === 1) gradient[0] = 1;
    const stdError = errorOf(gradient);
    // an infinite logit that is infinitely unsure is anything
    if (Number.isNaN(centre + stdError) || (stdError === Number.POSITIVE_INFINITY && !Number.isFinite(centre)))
      throw lostLogit(model, rowNumber, (j) => row[j]);
    const ends = [centre - half * stdError, centre + half * stdError];
    const [a, b] = ends.map((z) =>
      vectors === 1 && calibration ? stages.outcomes!.probability(calibration, z) : sigmoid(z),
    );
    return { low: Math.min(a, b), high: Math.max(a, b), logitLow: ends[0], logitHigh: ends[1], stdError };
  };
}

/** How logits become probabilities without calibrators of their own for each class. */
interface Link {
  readonly ovr: boolean;
  readonly scale: number;
  /** of each class; empty: none */
  readonly shift: readonly number[];
}

/**
 * log(pₖ/(1 − pₖ)) of class k and its gradient with respect to the logits.
 *
 *   uⱼ = scale·zⱼ + shiftⱼ, one-vs-rest log σ(zⱼ) + shiftⱼ,   g = uₖ − log Σ_{j≠k} exp(uⱼ)
 */
function classOdds(z: Float64Array, k: number, { ovr, scale, shift }: Link, gradient: Float64Array): number {
  const u = z.map((logit, j) => (ovr ? -softplus(-logit) : scale * logit) + (shift[j] ?? 0));
  let most = Number.NEGATIVE_INFINITY;
  u.forEach((one, j) => {
    if (j !== k && one > most) most = one;
  });
  let sum = 0;
  u.forEach((one, j) => {
    gradient[j] = j === k ? 0 : exp(one - most);
    sum += gradient[j];
  });
  u.forEach((_, j) => {
    gradient[j] = (j === k ? 1 : -gradient[j] / sum) * (ovr ? sigmoid(-z[j]) : scale);
  });
  return u[k] - (most + ln(sum));
}
