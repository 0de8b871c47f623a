import { LogoddsError } from '../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../bindings/names.ts';
import { auc, type Metrics } from './binary.ts';
import { binRows, calibrationError } from './bins.ts';
import {
  checkCodes,
  checkPlanes,
  checkRows,
  checkScores,
  type Labels,
  mean,
  type RowScores,
  type Weight,
} from './check.ts';
import { type ClassPredictions, readClasses } from './classForms.ts';

/** Labels and scores that a classifier of K classes gave beside its predictions. */
export interface SaidOfClasses {
  /** K arrays of scores for the areas under the ROC curves; default the predictions */
  readonly scores?: readonly RowScores[];
  /** the label of each row, 0 to K − 1; default the class with the greatest logit or probability, the first if several */
  readonly labels?: Labels;
}

/**
 * Returns all metrics of a classifier of K ≥ 2 classes. Brier score and calibration error have other definitions than in `evaluate`:
 *
 *   logLoss   1/S · Σ sᵢ · −log p(yᵢ); nothing is clipped, so with probabilities it may be Infinity
 *   auc       mean over the classes, each with the same weight, of the area under the ROC curve of the class against the rest
 *             ("one-vs-rest", "macro"); null when a class has no row of positive weight
 *   brier     1/S · Σ sᵢ · Σₖ (pₖ − [yᵢ = k])², from 0 to 2; for two classes twice the figure of `brier`
 *   ece       of the label: its probability in 10 bins of equal width against the share of right labels
 *   accuracy  share of the weight of rows whose label is their class
 *
 * @param predictions  `{ logits, link }` or `{ probabilities }`: K arrays of length n. Logits are finite. Probabilities are from 0 to 1, and those of a row
 *   are divided by their sum
 * @param y       length n, the class of each row, 0 to K − 1
 * @param weight  length n, finite and ≥ 0; default all 1. An integer weight is a repeated row, weight 0 is no row.
 * @param said    labels and scores of the model's own
 * @throws ERR_SHAPE lengths that differ, values that are no array, fewer than two classes, no row of positive weight
 * @throws ERR_RANGE predictions with neither form or both, a logit that is not finite, a probability outside [0, 1], a row whose probabilities are all 0,
 *   a label that is no class, a weight that is negative or not finite, an unknown option
 * @see scikit-learn: log_loss, roc_auc_score(multi_class="ovr", average="macro"), brier_score_loss(scale_by_half=False)
 * @see Hand, Till, A simple generalisation of the area under the ROC curve, Machine Learning 45, 2001
 * @example
 * const found = evaluateClasses({ logits: [[2, 0, 1], [0, 1, 0], [0, 0, 3]] }, [0, 1, 2]);
 * found.logLoss; // 0.3203
 * found.accuracy; // 1
 */
export function evaluateClasses(
  predictions: ClassPredictions,
  y: Labels,
  weight?: Weight,
  said: SaidOfClasses = {},
): Metrics {
  refuseUnknown('said', said, { scores: true, labels: true });
  const { row, classes, rows, total } = readClasses(predictions, y, weight);
  const { labels, scores } = said;
  if (labels) checkCodes('predicted labels', labels, rows, classes);
  if (scores && scores.length !== classes) {
    throw new LogoddsError('ERR_SHAPE', `scores: expected those of ${classes} classes, got ${scores.length}`);
  }
  const ranks = Array.from({ length: classes }, () => new Float64Array(rows));
  const confidence = new Float64Array(rows);
  const right = new Uint8Array(rows);
  const sums = { logLoss: 0, brier: 0, accuracy: 0 };
  for (let i = 0; i < rows; i++) {
    row.read(i);
    const label = labels ? labels[i] : row.top;
    for (let j = 0; j < classes; j++) ranks[j][i] = row.rank(j);
    confidence[i] = row.probability(label);
    right[i] = label === y[i] ? 1 : 0;
    const share = weight ? weight[i] : 1;
    // the loss of a row of weight 0 may be infinite
    if (share === 0) continue;
    sums.logLoss += share * row.loss(y[i]);
    sums.accuracy += share * right[i];
    sums.brier += share * row.squares(y[i]);
  }
  return {
    logLoss: sums.logLoss / total,
    auc: oneVsRestAuc(scores ?? ranks, y, weight).macro,
    brier: sums.brier / total,
    ece: calibrationError(binRows(confidence, right, weight, 10, 'uniform').table),
    accuracy: sums.accuracy / total,
  };
}

/** The areas under the ROC curves of each class against the rest. */
export interface OneVsRestAuc {
  /** one for each class; null where the class, or the rest, has no weight */
  readonly classes: readonly (number | null)[];
  /** mean over the classes, each with the same weight; null when a class has no area */
  readonly macro: number | null;
  /** mean over the classes, weighted by their rows in y; null when a class of positive weight has no area */
  readonly weighted: number | null;
}

/**
 * Returns the areas under the ROC curves of each class against the rest, each as `auc` of its scores, and their means.
 *
 * @param scores  K ≥ 2 arrays of length n: for each class scores of any kind that ranks rows within the class
 * @param y       length n, the class of each row, 0 to K − 1
 * @param weight  as for `evaluateClasses`
 * @throws ERR_SHAPE lengths that differ, values that are no array, fewer than two classes, no row of positive weight
 * @throws ERR_RANGE a score that is no number, a label that is no class, a weight that is negative or not finite
 * @see scikit-learn: roc_auc_score(multi_class="ovr")
 * @example
 * const areas = oneVsRestAuc([[0.6, 0.2, 0.1], [0.3, 0.5, 0.6], [0.1, 0.3, 0.3]], [0, 1, 2]);
 * areas.classes; // [1, 0.5, 0.75]
 * areas.macro; // 0.75
 */
export function oneVsRestAuc(scores: readonly RowScores[], y: Labels, weight?: Weight): OneVsRestAuc {
  const n = checkPlanes(scores, 'scores');
  const total = checkRows(n, y, scores.length, weight, 'scores');
  const shares = new Float64Array(scores.length);
  for (let i = 0; i < n; i++) shares[y[i]] += (weight ? weight[i] : 1) / total;
  const classes = scores.map((values, j) => {
    const mine = new Uint8Array(n);
    for (let i = 0; i < n; i++) mine[i] = y[i] === j ? 1 : 0;
    return auc(values, mine, weight);
  });
  const average = (importance: (j: number) => number): number | null => {
    let sum = 0;
    for (const [j, area] of classes.entries()) {
      if (importance(j) === 0) continue;
      if (area === null) return null;
      sum += importance(j) * area;
    }
    return sum;
  };
  return { classes, macro: average(() => 1 / scores.length), weighted: average((j) => shares[j]) };
}

/**
 * Returns the share of the weight of rows whose class is among the k greatest scores. Of equal scores the earlier class counts as greater.
 *
 * Other parameters and errors are those of `oneVsRestAuc`.
 * @param k  an integer from 1 to K
 * @throws ERR_RANGE another k
 * @see scikit-learn: top_k_accuracy_score
 * @example
 * const scores = [[0.6, 0.2, 0.1], [0.3, 0.5, 0.6], [0.1, 0.3, 0.3]];
 * topKAccuracy(scores, [0, 1, 2], 1); // 0.6667
 * topKAccuracy(scores, [0, 1, 2], 2); // 1
 */
export function topKAccuracy(scores: readonly RowScores[], y: Labels, k: number, weight?: Weight): number {
  const n = checkPlanes(scores, 'scores');
  scores.forEach(checkScores);
  const total = checkRows(n, y, scores.length, weight, 'scores');
  if (!(Number.isInteger(k) && k >= 1 && k <= scores.length)) {
    throw new LogoddsError(
      'ERR_RANGE',
      `k: expected an integer from 1 to ${scores.length} (the classes), got ${tell(k)}`,
    );
  }
  return mean(n, weight, total, (i) => {
    const label = y[i];
    const mine = scores[label][i];
    let ahead = 0;
    for (let j = 0; j < scores.length; j++) {
      if (scores[j][i] > mine || (scores[j][i] === mine && j < label)) ahead++;
    }
    return ahead < k ? 1 : 0;
  });
}
