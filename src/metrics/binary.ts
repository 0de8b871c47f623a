import {
  type Binning,
  type BinStrategy,
  type BrierParts,
  brierParts,
  calibrationError,
  type ReliabilityBin,
} from './bins.ts';
import type { Logits, RowScores, Weight } from './check.ts';
import { binForm, LOGITS, meanLogLoss, meanSquaredError, shareOfHits } from './forms.ts';
import { eachScore } from './ranking.ts';

export type { BinStrategy, BrierParts, Logits, ReliabilityBin, RowScores, Weight };

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
export function evaluateBinary(logits: Logits, y: Labels, weight?: Weight, threshold = 0.5): BinaryMetrics {
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
export function logLoss(logits: Logits, y: Labels, weight?: Weight): number {
  return meanLogLoss(LOGITS, logits, y, weight);
}

/**
 * Mean squared error of the probabilities, 1/S · Σ sᵢ·(σ(zᵢ) − yᵢ)². Parameters and errors as of `logLoss`.
 * @see Brier, Monthly Weather Review 78(1), 1950 (half of its original, two-class form; as scikit-learn's)
 */
export function brier(logits: Logits, y: Labels, weight?: Weight): number {
  return meanSquaredError(LOGITS, logits, y, weight);
}

/**
 * Share of rows whose label is right; the positive class is predicted when σ(z) > threshold (not at equality).
 * Other parameters and errors as of `logLoss`.
 */
export function accuracy(logits: Logits, y: Labels, weight?: Weight, threshold = 0.5): number {
  return shareOfHits(LOGITS, logits, y, weight, threshold);
}

/**
 * Area under the ROC curve: the chance that a positive row has a greater score than a negative one, ties counting half.
 *
 *   Σ_{i: y=1} Σ_{j: y=0} sᵢsⱼ·([zᵢ > zⱼ] + ½[zᵢ = zⱼ]) / (P·N),   P, N: weight of the positive, the negative rows
 *
 * Better by logits than by their probabilities: those saturate and tie. Exact with counts for weights up to 2^53 pairs. O(n).
 * Other parameters and errors as of `logLoss`.
 * @param scores  z, length n: logits or any other real numbers; may be infinite
 * @returns null when one class has no weight
 */
export function auc(scores: RowScores, y: Labels, weight?: Weight): number | null {
  let area = 0;
  let positive = 0;
  let negative = 0;
  eachScore(scores, y, weight, (_, positives, negatives) => {
    area += negatives * (positive + positives / 2);
    positive += positives;
    negative += negatives;
  });
  return positive > 0 && negative > 0 ? area / (positive * negative) : null;
}

/**
 * Expected calibration error, Σ_k (S_k/S)·|mean probability − share of positives| over bins of probability.
 * Other parameters and errors as of `logLoss`, `bins` and `strategy` as of `reliability`.
 * @see Naeini, Cooper, Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015
 * @see Nixon et al., Measuring calibration in deep learning, CVPR workshops 2019 (equal mass)
 */
export function ece(logits: Logits, y: Labels, weight?: Weight, ...binning: Binning): number {
  return calibrationError(reliability(logits, y, weight, ...binning));
}

/**
 * Predicted and observed frequency in bins of probability; edges as scikit-learn's `calibration_curve`.
 * Other parameters and errors as of `logLoss`.
 * @param bins  an integer from 1 to 10,000
 * @param strategy  uniform: equal width; quantile: equal weight, edges interpolated between probabilities (weights that are
 *   no counts are taken as if they were 1 on average)
 * @throws ERR_RANGE bins or strategy that are none
 */
export function reliability(logits: Logits, y: Labels, weight?: Weight, ...binning: Binning): ReliabilityBin[] {
  return binForm(LOGITS, logits, y, weight, binning).binned.table;
}

/** The Brier score by parts. Parameters and errors as of `reliability`. @see Stephenson, Coelho, Jolliffe, Weather and Forecasting 23, 2008 */
export function brierDecomposition(logits: Logits, y: Labels, weight?: Weight, ...binning: Binning): BrierParts {
  const { binned, probabilities } = binForm(LOGITS, logits, y, weight, binning);
  return brierParts(binned, probabilities, y, weight);
}
