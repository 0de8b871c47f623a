import { LogoddsError } from '../../bindings/errors.ts';
import { auc, type BinaryMetrics, type Labels } from './binary.ts';
import { type Binning, type BrierParts, binRows, brierParts, calibrationError, type ReliabilityBin } from './bins.ts';
import { checkCodes, checkPlanes, checkProbabilities, checkRows, mean, type RowScores, type Weight } from './check.ts';
import { binForm, checkForm, meanLogLoss, meanSquaredError, PROBABILITIES, shareOfHits, surprise } from './forms.ts';
import { type MulticlassMetrics, oneVsRestAuc } from './multiclass.ts';

/** Probabilities of the positive class, from 0 to 1. */
export type Probabilities = Float64Array | Float32Array;

/** What a classifier of two classes said beside its probabilities. */
export interface Said {
  /** what the area under the ROC curve is of; absent: the probabilities. Logits tie less. */
  readonly scores?: RowScores;
  /** the label of each row, 0 or 1; absent: 1 when probability > threshold */
  readonly labels?: ArrayLike<number>;
  /** 0.5 when absent */
  readonly threshold?: number;
}

/**
 * All metrics of a binary classifier from probabilities: of a calibrated model those of its logits are others.
 * Parameters and errors as of `logLossOfProbabilities`; the labels and scores of `said` as y and probabilities.
 */
export function evaluateProbabilities(
  probabilities: Probabilities,
  y: Labels,
  weight?: Weight,
  said: Said = {},
): BinaryMetrics {
  const { scores = probabilities, labels, threshold } = said;
  if (labels) checkCodes('predicted labels', labels, y.length, 2);
  return {
    logLoss: logLossOfProbabilities(probabilities, y, weight),
    auc: auc(scores, y, weight),
    brier: brierOfProbabilities(probabilities, y, weight),
    ece: eceOfProbabilities(probabilities, y, weight),
    accuracy: labels
      ? mean(y.length, weight, checkForm(PROBABILITIES, probabilities, y, weight), (i) => (labels[i] === y[i] ? 1 : 0))
      : accuracyOfProbabilities(probabilities, y, weight, threshold),
  };
}

/**
 * Mean log loss from probabilities, 1/S · Σ sᵢ · −log(yᵢ = 1 ? pᵢ : 1 − pᵢ). Nothing is clipped (scikit-learn clips at 2⁻⁵²): a certain and wrong
 * probability costs Infinity.
 *
 * @param probabilities  p of the positive class, length n, from 0 to 1
 * @param y       length n, 0 or 1
 * @param weight  s, length n, finite and ≥ 0; absent or null: all 1. An integer weight is a repeated row, weight 0 is no row.
 * @returns nats per unit of weight
 * @throws ERR_SHAPE lengths that differ, no row of positive weight
 * @throws ERR_RANGE a probability, label or weight that is none
 */
export function logLossOfProbabilities(probabilities: Probabilities, y: Labels, weight?: Weight): number {
  return meanLogLoss(PROBABILITIES, probabilities, y, weight);
}

/** Mean squared error, 1/S · Σ sᵢ·(pᵢ − yᵢ)². Parameters and errors as of `logLossOfProbabilities`. */
export function brierOfProbabilities(probabilities: Probabilities, y: Labels, weight?: Weight): number {
  return meanSquaredError(PROBABILITIES, probabilities, y, weight);
}

/** `accuracy` from probabilities: the positive class is predicted when p > threshold. Other parameters and errors as of `logLossOfProbabilities`. */
export function accuracyOfProbabilities(
  probabilities: Probabilities,
  y: Labels,
  weight?: Weight,
  threshold = 0.5,
): number {
  return shareOfHits(PROBABILITIES, probabilities, y, weight, threshold);
}

/** `ece` from probabilities. Parameters and errors as of `reliabilityOfProbabilities`. */
export function eceOfProbabilities(
  probabilities: Probabilities,
  y: Labels,
  weight?: Weight,
  ...binning: Binning
): number {
  return calibrationError(reliabilityOfProbabilities(probabilities, y, weight, ...binning));
}

/** `reliability` from probabilities. Parameters and errors as of `logLossOfProbabilities`, bins and strategy as of `reliability`. */
export function reliabilityOfProbabilities(
  probabilities: Probabilities,
  y: Labels,
  weight?: Weight,
  ...binning: Binning
): ReliabilityBin[] {
  return binForm(PROBABILITIES, probabilities, y, weight, binning).binned.table;
}

/** `brierDecomposition` from probabilities. Parameters and errors as of `reliabilityOfProbabilities`. */
export function brierDecompositionOfProbabilities(
  probabilities: Probabilities,
  y: Labels,
  weight?: Weight,
  ...binning: Binning
): BrierParts {
  const { binned, probabilities: values } = binForm(PROBABILITIES, probabilities, y, weight, binning);
  return brierParts(binned, values, y, weight);
}

/** What a classifier of K classes said beside its probabilities. */
export interface SaidOfClasses {
  /** what the areas under the ROC curves are of, K arrays; absent: the probabilities */
  readonly scores?: readonly RowScores[];
  /** the class of each row, 0 to K − 1; absent: that of the greatest probability, the first if several */
  readonly labels?: ArrayLike<number>;
}

/**
 * All metrics of a classifier of two or more classes from probabilities; what each is, `MulticlassMetrics` says. ECE is of the label: its probability
 * against the share of right labels. Nothing is clipped: log loss may be Infinity.
 *
 * @param probabilities  K ≥ 2 arrays of length n, from 0 to 1; those of a row are divided by their sum
 * @param y       length n, the class of each row, 0 to K − 1
 * @param weight  as of `logLossOfProbabilities`
 * @throws ERR_SHAPE lengths that differ, fewer than two classes, no row of positive weight
 * @throws ERR_RANGE a probability, label or weight that is none, a row whose probabilities are all 0
 */
export function evaluateClassProbabilities(
  probabilities: readonly Probabilities[],
  y: ArrayLike<number>,
  weight?: Weight,
  said: SaidOfClasses = {},
): MulticlassMetrics {
  const n = checkPlanes(probabilities, 'probabilities');
  probabilities.forEach(checkProbabilities);
  const k = probabilities.length;
  const total = checkRows(n, y, k, weight, 'probabilities');
  if (said.labels) checkCodes('predicted labels', said.labels, n, k);
  if (said.scores && said.scores.length !== k) {
    throw new LogoddsError('ERR_SHAPE', `scores: expected those of ${k} classes, got ${said.scores.length}`);
  }
  const p = probabilities.map(() => new Float64Array(n));
  const confidence = new Float64Array(n);
  const right = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    let label = 0;
    for (let j = 0; j < k; j++) {
      sum += probabilities[j][i];
      if (probabilities[j][i] > probabilities[label][i]) label = j;
    }
    if (sum === 0) {
      throw new LogoddsError('ERR_RANGE', `probabilities: expected one above 0 in every row, got none in row ${i}`);
    }
    for (let j = 0; j < k; j++) p[j][i] = probabilities[j][i] / sum;
    if (said.labels) label = said.labels[i];
    confidence[i] = p[label][i];
    right[i] = label === y[i] ? 1 : 0;
  }
  return {
    logLoss: mean(n, weight, total, (i) => surprise(p[y[i]][i], 1 - p[y[i]][i])),
    auc: oneVsRestAuc(said.scores ?? p, y, weight).macro,
    brier: mean(n, weight, total, (i) => p.reduce((sum, one, j) => sum + (one[i] - (y[i] === j ? 1 : 0)) ** 2, 0)),
    ece: calibrationError(binRows(confidence, right, weight, 10, 'uniform').table),
    accuracy: mean(n, weight, total, (i) => right[i]),
  };
}
