import { LogoddsError } from '../../bindings/errors.ts';
import { ln, ln1p, sigmoid, softplus } from '../../bindings/js/math.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import { quantile } from '../math/quantile.ts';
import { splitmix32 } from '../math/random.ts';
import { type BinStrategy, binRows, calibrationError } from './bins.ts';
import {
  areCounts,
  checkArray,
  checkProbabilities,
  checkRows,
  type Labels,
  type Probabilities,
  type Weight,
} from './check.ts';
import { halfWidth } from './delong.ts';
import { formOf, type Predictions } from './forms.ts';
import { checkDrawn, checkLevel } from './interval.ts';
import type { AucDifferenceOptions } from './paired.ts';

/** An estimate with its interval. */
export interface Estimate {
  readonly value: number;
  readonly stdError: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Returns the intercept and the slope of recalibration: what a logistic regression of the labels on the logits says. Calibrated predictions have intercept 0
 * and slope 1.
 *
 *   intercept   a of log-odds(y) = a + z: above 0 the probabilities are too low on the whole ("calibration in the large")
 *   slope       b of log-odds(y) = a + b·z: below 1 the probabilities are too extreme, as those of an overfitted model are
 *   interval    value ∓ 1.96·stdError; standard errors of the information matrix, for sampling weights the sandwich Σ s²(y − p)²xxᵀ about its inverse
 *
 * It is null when a class has no weight or a logit is infinite; the slope alone is null when the logits are all equal or part the classes.
 * @param predictions  `{ logits }` or `{ probabilities }`, whose logits are log(p/(1 − p)), length n
 * @param y       length n, 0 or 1
 * @param weight  length n, finite and ≥ 0; default all 1
 * @throws ERR_SHAPE, ERR_RANGE as `logLoss` for two classes, and an option or level that is none
 * @see Cox, Two further applications of a model for binary regression, Biometrika 45, 1958; Van Calster et al., BMC Medicine 17, 2019
 * @example
 * const found = calibrationLine({ probabilities: [0.9, 0.8, 0.6, 0.4, 0.3, 0.2] }, [1, 1, 0, 1, 0, 0]);
 * found.intercept.value; // -0.1822
 * found.slope.value; // 1.5564
 */
export function calibrationLine(
  predictions: Predictions,
  y: Labels,
  weight?: Weight,
  options: AucDifferenceOptions = {},
): { readonly intercept: Estimate; readonly slope: Estimate | null } | null {
  refuseUnknown('calibrationLine', options, { weightKind: true, level: true });
  const level = checkLevel(options.level);
  const { name, values } = formOf<ArrayLike<number>>(predictions, 'two');
  checkArray(name, values);
  if (name === 'probabilities') checkProbabilities(values);
  checkRows(values.length, y, 2, weight, name);
  const z = Float64Array.from(values, name === 'logits' ? (one) => one : (p) => ln(p) - ln1p(-p));
  if (!z.every(Number.isFinite)) {
    const row = z.findIndex(Number.isNaN);
    if (row < 0) return null;
    throw new LogoddsError('ERR_RANGE', `logits: expected numbers, got NaN at row ${row}`);
  }
  const robust = !!weight && !areCounts(weight, options.weightKind);
  const rows = { z, y, weight: weight ?? null, robust };
  const intercept = newton(rows, 0);
  const line = intercept && newton(rows, 1);
  const ends = ({ value, stdError }: Found): Estimate => {
    const half = halfWidth(level) * stdError;
    return { value, stdError, low: value - half, high: value + half };
  };
  return intercept && { intercept: ends(intercept), slope: line && ends(line) };
}

interface Rows {
  readonly z: Float64Array;
  readonly y: Labels;
  readonly weight: Weight;
  readonly robust: boolean;
}

interface Found {
  readonly value: number;
  readonly stdError: number;
}

/**
 * The last parameter of a + z (`slopes` 0) or a + b·z (1) by Newton's method with halved steps; null when there is no estimate.
 */
function newton({ z, y, weight, robust }: Rows, slopes: 0 | 1): Found | null {
  // the logits about their mean, so that a and b are nearly independent
  let total = 0;
  let mean = 0;
  let positive = 0;
  for (let i = 0; i < z.length; i++) {
    const share = weight ? weight[i] : 1;
    total += share;
    mean += share * z[i];
    positive += share * y[i];
  }
  mean /= total;
  if (!(positive > 0 && positive < total)) return null;
  let [a, b] = [slopes ? mean : 0, 1];
  /** loss, gradient, information, and the middle of the sandwich, at a point */
  const at = (a: number, b: number) => {
    const sums = { loss: 0, ga: 0, gb: 0, aa: 0, ab: 0, bb: 0, maa: 0, mab: 0, mbb: 0 };
    for (let i = 0; i < z.length; i++) {
      const share = weight ? weight[i] : 1;
      if (!(share > 0)) continue;
      const x = slopes ? z[i] - mean : 0;
      const eta = slopes ? a + b * x : a + z[i];
      const p = sigmoid(eta);
      const q = sigmoid(-eta);
      sums.loss += share * softplus(y[i] === 1 ? -eta : eta);
      const r = share * (y[i] === 1 ? q : -p);
      const h = share * p * q;
      sums.ga += r;
      sums.gb += r * x;
      sums.aa += h;
      sums.ab += h * x;
      sums.bb += h * x * x;
      sums.maa += r * r;
      sums.mab += r * r * x;
      sums.mbb += r * r * x * x;
    }
    return sums;
  };
  const solve = ({ aa, ab, bb }: ReturnType<typeof at>, va: number, vb: number): [number, number] | null => {
    if (!slopes) return aa > 0 ? [va / aa, 0] : null;
    const determinant = aa * bb - ab * ab;
    return determinant > 1e-12 * aa * bb
      ? [(bb * va - ab * vb) / determinant, (aa * vb - ab * va) / determinant]
      : null;
  };
  let now = at(a, b);
  for (let iteration = 0; iteration < 100; iteration++) {
    const step = solve(now, now.ga, now.gb);
    if (!step) return null;
    // Newton steps this small square to rounding, where losses say nothing
    const isSmall = Math.abs(step[0]) < 1e-6 * (1 + Math.abs(a)) && Math.abs(step[1]) < 1e-6 * (1 + Math.abs(b));
    let part = 1;
    let next = at(a + step[0], b + step[1]);
    for (; !isSmall && !(next.loss <= now.loss) && part > 1e-9; next = at(a + part * step[0], b + part * step[1]))
      part /= 2;
    [a, b] = [a + part * step[0], b + part * step[1]];
    now = next;
    if (!isSmall) continue;
    // the row of the inverse information that belongs to the parameter
    const row = slopes ? solve(now, 0, 1) : solve(now, 1, 0);
    if (!row) return null;
    const [ra, rb] = row;
    const variance = robust ? ra * ra * now.maa + 2 * ra * rb * now.mab + rb * rb * now.mbb : slopes ? rb : ra;
    return { value: slopes ? b : a, stdError: Math.sqrt(variance) };
  }
  return null;
}

/** How the calibration error of calibrated predictions is simulated. */
export interface FloorOptions {
  /** number of simulated outcomes, at least 100; default 1000 */
  readonly replicates?: number;
  /** default 1 */
  readonly seed?: number;
  /** share of the simulated errors that are at most `high`; default 0.95 */
  readonly level?: number;
  /** as for `ece` */
  readonly bins?: number;
  readonly strategy?: BinStrategy;
}

/**
 * Returns what the calibration error of these rows would be if the predictions were perfectly calibrated: its median, and a `high` value that 95 % of
 * simulated errors do not exceed. An error below `high` is no evidence of a wrong calibration.
 *
 * Outcomes are drawn with the probabilities given, and the error is taken as by `ece`. It is above 0, because shares of few rows differ from their
 * probabilities. Takes replicates × rows steps.
 * @param probabilities  of each row the probability of what is counted: of the positive class, or with K classes of the label
 * @param weight  length n, finite and ≥ 0; default all 1
 * @throws ERR_SHAPE lengths that differ, values that are no array, no row of positive weight
 * @throws ERR_RANGE a probability outside [0, 1], a weight that is negative or not finite, an option that is none
 * @see Bröcker, Smith, Increasing the reliability of reliability diagrams, Weather and Forecasting 22, 2007
 * @example
 * const found = eceFloor(Array.from({ length: 200 }, (_, i) => (i + 0.5) / 200));
 * found.median > 0.05; // true
 * found.high > found.median; // true
 */
export function eceFloor(
  probabilities: Probabilities,
  weight?: Weight,
  options: FloorOptions = {},
): { readonly median: number; readonly high: number } {
  refuseUnknown('eceFloor', options, { replicates: true, seed: true, level: true, bins: true, strategy: true });
  const level = checkLevel(options.level);
  const { replicates, seed } = checkDrawn(options);
  checkArray('probabilities', probabilities);
  checkProbabilities(probabilities);
  const outcomes = new Uint8Array(probabilities.length);
  checkRows(probabilities.length, outcomes, 2, weight, 'probabilities');
  const given = Float64Array.from(probabilities);
  const { of, table } = binRows(given, outcomes, weight, options.bins, options.strategy);
  const next = splitmix32(seed);
  const found = new Float64Array(replicates);
  const observed = new Float64Array(table.length);
  for (let replicate = 0; replicate < replicates; replicate++) {
    observed.fill(0);
    for (let i = 0; i < given.length; i++) if (next() < given[i]) observed[of[i]] += weight ? weight[i] : 1;
    found[replicate] = calibrationError(
      table.map((bin, k) => ({ ...bin, observed: bin.weight > 0 ? observed[k] / bin.weight : null })),
    );
  }
  found.sort();
  return { median: quantile(found, 0.5), high: quantile(found, level) };
}
