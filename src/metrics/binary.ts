import { LogoddsError } from '../../bindings/errors.ts';
import { sigmoid, softplus } from '../../bindings/js/math.ts';
import { calibrationError, fillBins, type ReliabilityBin } from './bins.ts';
import { checkLogits, checkRows, type Logits } from './check.ts';

export type { Logits, ReliabilityBin };

/** y = 1 is the positive class, 0 the other one */
export type Labels = Uint8Array | Float64Array;

/** How well logits agree with labels; what `evaluateBinary` returns. */
export interface BinaryMetrics {
  readonly logLoss: number;
  /** null when only one class has weight */
  readonly auc: number | null;
  readonly brier: number;
  readonly ece: number;
  readonly accuracy: number;
}

/** All metrics of a binary classifier. Parameters and errors as of `logLoss`; `threshold` as of `accuracy`. */
export function evaluateBinary(
  logits: Logits,
  y: Labels,
  weight?: Float64Array | null,
  threshold = 0.5,
): BinaryMetrics {
  return {
    logLoss: logLoss(logits, y, weight),
    auc: auc(logits, y, weight),
    brier: brier(logits, y, weight),
    ece: ece(logits, y, weight),
    accuracy: accuracy(logits, y, weight, threshold),
  };
}

/**
 * Mean log loss, from logits: nothing is clipped, a certain and wrong prediction costs what it costs.
 *
 *   1/S · Σ sᵢ · (yᵢ = 1 ? log(1 + exp(−zᵢ)) : log(1 + exp(zᵢ))),   S = Σ sᵢ
 *
 * @param logits  z, length n; may be infinite
 * @param y       length n, 0 or 1
 * @param weight  s, length n, finite and ≥ 0; absent or null: all 1. An integer weight is a repeated row, weight 0 is no row.
 * @returns nats per unit of weight
 * @throws ERR_SHAPE lengths that differ, no row of positive weight
 * @throws ERR_RANGE a logit that is NaN, a label that is neither 0 nor 1, a weight that is negative or not finite
 */
export function logLoss(logits: Logits, y: Labels, weight?: Float64Array | null): number {
  return mean(logits, y, weight, (z, label) => softplus(label === 1 ? -z : z));
}

/**
 * Mean squared error of the probabilities, 1/S · Σ sᵢ·(σ(zᵢ) − yᵢ)². Parameters and errors as of `logLoss`.
 * @see Brier, Monthly Weather Review 78(1), 1950 (half of its original, two-class form; as scikit-learn's)
 */
export function brier(logits: Logits, y: Labels, weight?: Float64Array | null): number {
  return mean(logits, y, weight, (z, label) => sigmoid(label === 1 ? -z : z) ** 2);
}

/**
 * Share of rows whose label is right; the positive class is predicted when σ(z) > threshold (not at equality).
 * Other parameters and errors as of `logLoss`.
 */
export function accuracy(logits: Logits, y: Labels, weight?: Float64Array | null, threshold = 0.5): number {
  return mean(logits, y, weight, (z, label) => (sigmoid(z) > threshold === (label === 1) ? 1 : 0));
}

/**
 * Area under the ROC curve: the chance that a positive row has a greater logit than a negative one, ties counting half.
 *
 *   Σ_{i: y=1} Σ_{j: y=0} sᵢsⱼ·([zᵢ > zⱼ] + ½[zᵢ = zⱼ]) / (P·N),   P, N: weight of the positive, the negative rows
 *
 * By logits, not probabilities: those saturate and tie. Exact without weights up to 2^53 pairs. O(n log n).
 * Parameters and errors as of `logLoss`.
 * @returns null when one class has no weight
 */
export function auc(logits: Logits, y: Labels, weight?: Float64Array | null): number | null {
  check(logits, y, weight);
  const sorted = logits.slice().sort();
  let distinct = 0;
  for (let i = 0; i < sorted.length; i++) {
    if (i === 0 || sorted[i] !== sorted[distinct - 1]) sorted[distinct++] = sorted[i];
  }
  const positives = new Float64Array(distinct);
  const negatives = new Float64Array(distinct);
  for (let i = 0; i < logits.length; i++) {
    let low = 0;
    let high = distinct - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle] < logits[i]) low = middle + 1;
      else high = middle;
    }
    (y[i] === 1 ? positives : negatives)[low] += weight ? weight[i] : 1;
  }
  let area = 0;
  let positive = 0;
  let negative = 0;
  for (let k = 0; k < distinct; k++) {
    area += positives[k] * (negative + negatives[k] / 2);
    positive += positives[k];
    negative += negatives[k];
  }
  return positive > 0 && negative > 0 ? area / (positive * negative) : null;
}

/**
 * Expected calibration error, Σ_k (S_k/S)·|mean probability − share of positives| over equal-width bins of probability.
 * Other parameters and errors as of `logLoss`, `bins` as of `reliability`.
 * @see Naeini, Cooper, Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015
 */
export function ece(logits: Logits, y: Labels, weight?: Float64Array | null, bins = 10): number {
  return calibrationError(reliability(logits, y, weight, bins));
}

/**
 * Predicted and observed frequency in equal-width bins of probability; edges as scikit-learn's `calibration_curve`.
 * Other parameters and errors as of `logLoss`.
 * @param bins  an integer ≥ 1
 * @throws ERR_RANGE when bins is not
 */
export function reliability(logits: Logits, y: Labels, weight?: Float64Array | null, bins = 10): ReliabilityBin[] {
  if (!Number.isInteger(bins) || bins < 1)
    throw new LogoddsError('ERR_RANGE', `bins: expected an integer >= 1, got ${bins}`);
  check(logits, y, weight);
  return fillBins(
    new Float64Array(logits).map((z) => sigmoid(z)),
    y,
    weight,
    bins,
  );
}

/** Σ sᵢ·value(zᵢ, yᵢ) / Σ sᵢ */
function mean(
  logits: Logits,
  y: Labels,
  weight: Float64Array | null | undefined,
  value: (z: number, label: number) => number,
): number {
  const total = check(logits, y, weight);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const share = weight ? weight[i] : 1;
    if (share > 0) sum += share * value(logits[i], y[i]); // 0 · Infinity would be NaN
  }
  return sum / total;
}

/** @returns Σ sᵢ */
function check(logits: Logits, y: Labels, weight: Float64Array | null | undefined): number {
  checkLogits(logits, 'numbers', (z) => !Number.isNaN(z));
  return checkRows(logits.length, y, 2, weight);
}
