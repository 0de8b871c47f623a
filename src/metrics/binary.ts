import { refuseUnknown } from '../../bindings/names.ts';
import {
  type Binning,
  type BinStrategy,
  type BrierParts,
  brierParts,
  calibrationError,
  type ReliabilityBin,
} from './bins.ts';
import type { Labels, Logits, Probabilities, RowScores, Weight, WeightKind } from './check.ts';
import { type ClassPredictions, isOfClasses, meanClassLogLoss } from './classForms.ts';
import { binForm, meanLogLoss, meanSquaredError, type Predictions, shareOfHits } from './forms.ts';
import { eachScore } from './ranking.ts';

export type {
  BinStrategy,
  BrierParts,
  ClassPredictions,
  Labels,
  Logits,
  Predictions,
  Probabilities,
  ReliabilityBin,
  RowScores,
  Weight,
  WeightKind,
};

/** The metrics of a classifier: the result of `evaluate` and, for K classes, of `evaluateClasses`. */
export interface Metrics {
  /** nats per unit of weight */
  readonly logLoss: number;
  /** area under the ROC curve; null when a class has no weight */
  readonly auc: number | null;
  readonly brier: number;
  /** expected calibration error, in 10 bins of equal width */
  readonly ece: number;
  /** share of right labels, 0 to 1 */
  readonly accuracy: number;
}

/** Labels and scores that a classifier of two classes gave beside its predictions. */
export interface Said {
  /** scores for the area under the ROC curve; default the predictions. Logits tie less than probabilities. */
  readonly scores?: RowScores;
  /** the label of each row, 0 or 1; default 1 when the probability is above the threshold */
  readonly labels?: Labels;
  /** default 0.5; without effect where `labels` are given */
  readonly threshold?: number;
}

/**
 * Returns all metrics of a classifier of two classes: `logLoss`, `auc`, `brier`, `ece` in 10 bins of equal width, and `accuracy`.
 *
 * The probabilities of a calibrated model and its logits have different metrics. For more classes use `evaluateClasses`.
 * @param predictions  `{ logits }` or `{ probabilities }`, as for `logLoss`
 * @param y       length n, 0 or 1
 * @param weight  as for `logLoss`
 * @param said  labels and scores of the model's own, or another threshold
 * @throws ERR_SHAPE as `logLoss`, and labels or scores of another length
 * @throws ERR_RANGE as `logLoss`, and a label that is neither 0 nor 1, a score or threshold that is no number, an unknown option
 * @example
 * const found = evaluate({ probabilities: [0.9, 0.4, 0.6, 0.2] }, [1, 1, 0, 0]);
 * found.auc; // 0.75
 * found.accuracy; // 0.5
 */
export function evaluate(predictions: Predictions, y: Labels, weight?: Weight, said: Said = {}): Metrics {
  refuseUnknown('said', said, { scores: true, labels: true, threshold: true });
  return {
    logLoss: meanLogLoss(predictions, y, weight),
    auc: auc(said.scores ?? predictions.logits ?? predictions.probabilities!, y, weight),
    brier: brier(predictions, y, weight),
    ece: ece(predictions, y, weight),
    accuracy: shareOfHits(predictions, y, weight, said),
  };
}

/**
 * Returns the mean log loss, with two classes or more, in nats per unit of weight.
 *
 *   two classes   1/S · Σ sᵢ · −log(yᵢ = 1 ? pᵢ : 1 − pᵢ),   p = σ(z),   S = Σ sᵢ
 *   K classes     1/S · Σ sᵢ · −log p(yᵢ)
 *
 * Nothing is clipped: a certain and wrong logit z costs |z|, a certain and wrong probability costs Infinity (scikit-learn clips at 2⁻⁵²).
 *
 * @param predictions  two classes: `{ logits }` or `{ probabilities }` (of the positive class), length n; logits may be infinite.
 *   K classes: the same with K arrays of length n, and `link` beside logits; logits are finite
 * @param y       length n; two classes: 0 or 1; K classes: 0 to K − 1
 * @param weight  s, length n, finite and ≥ 0; default all 1. An integer weight is a repeated row, weight 0 is no row.
 * @throws ERR_SHAPE lengths that differ, values that are no array, no row of positive weight, fewer than two arrays for K classes
 * @throws ERR_RANGE predictions with neither form or both, a logit that is no number, a probability outside [0, 1], a label that is
 *   no class, a weight that is negative or not finite, a row of K probabilities that are all 0
 * @see scikit-learn: log_loss
 * @example
 * logLoss({ probabilities: [0.9, 0.2] }, [1, 0]); // 0.1643
 * logLoss({ logits: [2, -1000] }, [1, 1]); // 500.0635
 * logLoss({ probabilities: [[0.5, 0.2], [0.3, 0.2], [0.2, 0.6]] }, [0, 2]); // 0.6020
 */
export function logLoss(predictions: Predictions | ClassPredictions, y: Labels, weight?: Weight): number {
  return isOfClasses(predictions)
    ? meanClassLogLoss(predictions, y, weight)
    : meanLogLoss(predictions as Predictions, y, weight);
}

/**
 * Returns the Brier score, the mean squared error of the probabilities: 1/S · Σ sᵢ·(pᵢ − yᵢ)², from 0 to 1.
 *
 * With logits each error is σ(−z) or σ(z), so errors near 0 keep their digits. Parameters and errors are those of `logLoss` for two classes. For more
 * classes use `evaluateClasses`, whose definition gives twice this figure for two classes.
 * @see Brier, Monthly Weather Review 78(1), 1950 (half of its original, two-class form; as scikit-learn's brier_score_loss)
 * @example
 * brier({ probabilities: [0.9, 0.2] }, [1, 0]); // 0.025
 */
export function brier(predictions: Predictions, y: Labels, weight?: Weight): number {
  return meanSquaredError(predictions, y, weight);
}

/**
 * Returns the share of the weight of rows whose label is right. A row is called positive when p > threshold (not at equality).
 *
 * Other parameters and errors are those of `logLoss` for two classes.
 * @param threshold  a probability, for logits too; default 0.5
 * @throws ERR_RANGE a threshold that is no number
 * @see scikit-learn: accuracy_score
 * @example
 * accuracy({ logits: [2, -1, 0.5] }, [1, 0, 0]); // 0.6667
 * accuracy({ logits: [2, -1, 0.5] }, [1, 0, 0], null, 0.7); // 1
 */
export function accuracy(predictions: Predictions, y: Labels, weight?: Weight, threshold = 0.5): number {
  return shareOfHits(predictions, y, weight, { threshold });
}

/**
 * Returns the area under the ROC curve: the chance that a positive row has a greater score than a negative one, where ties count half. It is null
 * when one class has no weight.
 *
 *   Σ_{i: y=1} Σ_{j: y=0} sᵢsⱼ·([zᵢ > zⱼ] + ½[zᵢ = zⱼ]) / (P·N),   P, N: weight of the positive, the negative rows
 *
 * Prefer logits to their probabilities, which saturate and tie. Exact with counts for weights up to 2^53 pairs. O(n).
 * @param scores  z, length n: logits, probabilities or any other real numbers; may be infinite
 * @param y       length n, 0 or 1
 * @param weight  as for `logLoss`
 * @throws ERR_SHAPE lengths that differ, values that are no array, no row of positive weight
 * @throws ERR_RANGE a score that is no number, a label that is neither 0 nor 1, a weight that is negative or not finite
 * @see scikit-learn: roc_auc_score
 * @example
 * auc([0.9, 0.4, 0.6, 0.2], [1, 1, 0, 0]); // 0.75
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
 * Returns the expected calibration error, Σ_k (S_k/S)·|mean probability − share of positives| over bins of probability, from 0 to 1.
 *
 * Parameters and errors are those of `reliability`.
 * @see Naeini, Cooper, Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015
 * @see Nixon et al., Measuring calibration in deep learning, CVPR workshops 2019 (equal mass)
 * @example
 * ece({ probabilities: [0.9, 0.8, 0.3, 0.1] }, [1, 0, 0, 0]); // 0.325
 * ece({ probabilities: [0.9, 0.8, 0.3, 0.1] }, [1, 0, 0, 0], null, 2); // 0.275
 */
export function ece(predictions: Predictions, y: Labels, weight?: Weight, ...binning: Binning): number {
  return calibrationError(reliability(predictions, y, weight, ...binning));
}

/**
 * Returns the bins of a reliability diagram, from the least probability up. Each bin has its edges, its weight, the mean probability of its rows and
 * their share of positives.
 *
 * Edges are those of scikit-learn's `calibration_curve`. Bins without rows stay, with null. Other parameters and errors are those of `logLoss` for two
 * classes.
 * @param binning  in this order: bins, an integer from 1 to 10,000 (default 10); strategy, uniform (equal width, default) or quantile (equal weight,
 *   edges interpolated between probabilities); weightKind, sampling (default; quantiles scale the weights to 1 on average) or count
 * @throws ERR_RANGE bins, a strategy or a kind of weights outside their domain, counts that are not whole
 * @example
 * const bins = reliability({ probabilities: [0.9, 0.8, 0.3, 0.1] }, [1, 0, 0, 0], null, 2);
 * bins.map(({ observed }) => observed); // [0, 0.5]
 */
export function reliability(
  predictions: Predictions,
  y: Labels,
  weight?: Weight,
  ...binning: Binning
): ReliabilityBin[] {
  return binForm(predictions, y, weight, binning).binned.table;
}

/**
 * Returns the Brier score in parts over bins of probability: reliability − resolution + uncertainty + withinBins (formulas at `BrierParts`).
 *
 * Parameters and errors are those of `reliability`.
 * @see Stephenson, Coelho, Jolliffe, Weather and Forecasting 23, 2008
 * @example
 * const parts = brierDecomposition({ probabilities: [0.9, 0.9, 0.2, 0.2] }, [1, 1, 0, 1]);
 * parts.uncertainty; // 0.1875
 * parts.resolution; // 0.0625
 */
export function brierDecomposition(
  predictions: Predictions,
  y: Labels,
  weight?: Weight,
  ...binning: Binning
): BrierParts {
  const { binned, probabilities } = binForm(predictions, y, weight, binning);
  return brierParts(binned, probabilities, y, weight);
}
