import { LogoddsError } from '../../bindings/errors.ts';
import { tell } from '../../bindings/names.ts';
import {
  checkArray,
  checkCodes,
  checkRows,
  checkScores,
  isArray,
  isNumber,
  type Labels,
  type RowScores,
  type Weight,
} from './check.ts';

/** Weights of rows by their class and by the label they were given. */
export interface Counts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/**
 * A confusion matrix of two classes and the figures that follow from it. A figure that would be 0/0 is null (scikit-learn: 0 and a warning).
 */
export interface Confusion extends Counts {
  /** (TP + TN)/all */
  readonly accuracy: number;
  /** TP/(TP + FP) */
  readonly precision: number | null;
  /** TP/(TP + FN), the true positive rate */
  readonly recall: number | null;
  /** TN/(TN + FP), the true negative rate */
  readonly specificity: number | null;
  /** `fbeta` with β = 1 */
  readonly f1: number | null;
  /** mean of those of recall and specificity that exist */
  readonly balancedAccuracy: number;
  /** Matthews correlation, (TP·TN − FP·FN)/√((TP+FP)(TP+FN)(TN+FP)(TN+FN)) */
  readonly mcc: number | null;
}

/**
 * Returns the confusion matrix of two classes and the figures that follow from it, from scores and a threshold, or from four counts.
 *
 * A row is called positive when its score > threshold (not at equality, as in a model's decision).
 *
 * @param scores  length n, logits or probabilities or any other real numbers
 * @param y       length n, 0 or 1
 * @param threshold  on the scale of the scores; default 0.5, which is for probabilities; with logits use 0
 * @param weight  length n, finite and ≥ 0; default all 1. An integer weight is a repeated row, weight 0 is no row.
 * @throws ERR_SHAPE lengths that differ, values that are no array, no row of positive weight
 * @throws ERR_RANGE a score or threshold that is no number, a label that is neither 0 nor 1, a weight or count that is negative or not finite
 * @see scikit-learn: confusion_matrix, precision_score, recall_score, f1_score, balanced_accuracy_score, matthews_corrcoef
 * @example
 * const found = confusion([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0]);
 * found.recall; // 0.5
 * confusion({ truePositives: 6, falsePositives: 2, falseNegatives: 6, trueNegatives: 1 }).precision; // 0.75
 */
export function confusion(scores: RowScores, y: Labels, threshold?: number, weight?: Weight): Confusion;
export function confusion(counts: Counts): Confusion;
export function confusion(of: RowScores | Counts, y?: Labels, threshold = 0.5, weight?: Weight): Confusion {
  if (isCounts(of)) {
    checkCounts(of);
    return ratesOf(of);
  }
  checkScores(of);
  checkRows(of.length, y as Labels, 2, weight, 'scores');
  if (!isNumber(threshold)) {
    throw new LogoddsError('ERR_RANGE', `threshold: expected a number, got ${tell(threshold)}`);
  }
  const cells = new Float64Array(4);
  for (let i = 0; i < of.length; i++) cells[2 * y![i] + Number(of[i] > threshold)] += weight ? weight[i] : 1;
  const [trueNegatives, falsePositives, falseNegatives, truePositives] = cells;
  return ratesOf({ truePositives, falsePositives, falseNegatives, trueNegatives });
}

const isCounts = (of: RowScores | Counts): of is Counts => typeof of === 'object' && of !== null && !isArray(of);

/** @throws ERR_SHAPE, ERR_RANGE */
function checkCounts(counts: Counts): void {
  const names = ['truePositives', 'falsePositives', 'falseNegatives', 'trueNegatives'] as const;
  for (const name of names) {
    if (!(Number.isFinite(counts[name]) && counts[name] >= 0)) {
      throw new LogoddsError('ERR_RANGE', `${name}: expected a finite number >= 0, got ${tell(counts[name])}`);
    }
  }
  if (names.every((name) => counts[name] === 0)) {
    throw new LogoddsError('ERR_SHAPE', 'counts: expected at least one row, got none');
  }
}

/** What follows from the four weights of rows. */
function ratesOf({ truePositives, falsePositives, falseNegatives, trueNegatives }: Counts): Confusion {
  const counts = { truePositives, falsePositives, falseNegatives, trueNegatives };
  const recall = quotient(truePositives, truePositives + falseNegatives);
  const specificity = quotient(trueNegatives, trueNegatives + falsePositives);
  const matrix = [
    [trueNegatives, falsePositives],
    [falseNegatives, truePositives],
  ];
  return {
    ...counts,
    accuracy: (truePositives + trueNegatives) / (truePositives + falsePositives + falseNegatives + trueNegatives),
    precision: quotient(truePositives, truePositives + falsePositives),
    recall,
    specificity,
    f1: fbeta(counts, 1),
    balancedAccuracy: meanOfThose([recall, specificity]),
    mcc: matthews(matrix),
  };
}

/**
 * Returns the F score, (1 + β²)·TP/((1 + β²)·TP + β²·FN + FP), in which recall counts β times as much as precision; null when it would be 0/0.
 *
 * @param counts  weights of rows, as `confusion` returns them
 * @param beta  β, finite, ≥ 0; 0 gives precision
 * @throws ERR_RANGE another beta
 * @see scikit-learn: fbeta_score
 * @example
 * fbeta({ truePositives: 6, falsePositives: 2, falseNegatives: 6 }, 2); // 0.5357
 */
export function fbeta(
  counts: Pick<Counts, 'truePositives' | 'falsePositives' | 'falseNegatives'>,
  beta: number,
): number | null {
  if (!(beta >= 0 && beta < Number.POSITIVE_INFINITY)) {
    throw new LogoddsError('ERR_RANGE', `beta: expected a finite number >= 0, got ${tell(beta)}`);
  }
  const square = beta * beta;
  const hits = (1 + square) * counts.truePositives;
  return quotient(hits, hits + square * counts.falseNegatives + counts.falsePositives);
}

/** The precision, recall and F of one class, or a mean of them. */
export interface ClassScores {
  /** share of right labels among the rows with this label; null when there are none */
  readonly precision: number | null;
  /** share of right labels among the rows of this class; null when there are none */
  readonly recall: number | null;
  /** F of both; null when it would be 0/0 */
  readonly fscore: number | null;
}

/** The result of `classificationReport`: how labels agree with the classes of rows. */
export interface ClassificationReport {
  /** matrix[j][k]: weight of the rows of class j with label k */
  readonly matrix: readonly Float64Array[];
  /** one for each class; `support` is the weight of its rows */
  readonly classes: readonly (ClassScores & { readonly support: number })[];
  /**
   * mean over the classes that occur in y or among the labels, each with the same weight; a figure that is null counts 0, as in scikit-learn
   */
  readonly macro: Readonly<Record<keyof ClassScores, number>>;
  /** mean over the same classes, each weighted by its support */
  readonly weighted: Readonly<Record<keyof ClassScores, number>>;
  /** figures over all rows: all three equal the accuracy */
  readonly micro: Readonly<Record<keyof ClassScores, number>>;
  readonly accuracy: number;
  /** mean recall of the classes that have rows */
  readonly balancedAccuracy: number;
  /** Matthews correlation of several classes; null when all rows have one class, or one label */
  readonly mcc: number | null;
}

/**
 * Returns the confusion matrix of several classes, the precision, recall and F of each class, their means, and figures over all rows.
 *
 * @param predicted  the label of each row, 0 to classes − 1; length n
 * @param y          the class of each row, 0 to classes − 1; length n
 * @param classes    number of classes, an integer ≥ 2
 * @param weight     as for `confusion`
 * @param beta       β of the F scores, as for `fbeta`; default 1
 * @throws ERR_SHAPE lengths that differ, values that are no array, no row of positive weight
 * @throws ERR_RANGE a label or class outside its domain, fewer than two classes, a weight that is negative or not finite, another beta
 * @see scikit-learn: confusion_matrix, classification_report, balanced_accuracy_score, matthews_corrcoef
 * @see Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, Computational Biology and Chemistry 28, 2004
 * @example
 * const report = classificationReport([0, 1, 1, 2], [0, 1, 2, 2], 3);
 * report.accuracy; // 0.75
 * report.classes[1].precision; // 0.5
 * report.macro.recall; // 0.8333
 */
export function classificationReport(
  predicted: Labels,
  y: Labels,
  classes: number,
  weight?: Weight,
  beta = 1,
): ClassificationReport {
  if (!(Number.isInteger(classes) && classes >= 2)) {
    throw new LogoddsError('ERR_RANGE', `classes: expected an integer >= 2, got ${tell(classes)}`);
  }
  checkArray('predicted labels', predicted);
  const total = checkRows(predicted.length, y, classes, weight, 'predicted labels');
  checkCodes('predicted labels', predicted, y.length, classes);
  const matrix = Array.from({ length: classes }, () => new Float64Array(classes));
  for (let i = 0; i < y.length; i++) matrix[y[i]][predicted[i]] += weight ? weight[i] : 1;
  const called = matrix.map((_, k) => matrix.reduce((sum, row) => sum + row[k], 0));
  const scores = matrix.map((row, k) => {
    const support = row.reduce((sum, one) => sum + one);
    const truePositives = row[k];
    const counts = {
      truePositives,
      falsePositives: called[k] - truePositives,
      falseNegatives: support - truePositives,
    };
    return {
      precision: quotient(truePositives, called[k]),
      recall: quotient(truePositives, support),
      fscore: fbeta(counts, beta),
      support,
    };
  });
  const occurring = scores.filter(({ support }, k) => support > 0 || called[k] > 0);
  const means = (importance: (support: number) => number) => {
    const over = (key: keyof ClassScores) =>
      occurring.reduce((sum, one) => sum + importance(one.support) * (one[key] ?? 0), 0);
    return { precision: over('precision'), recall: over('recall'), fscore: over('fscore') };
  };
  const accuracy = matrix.reduce((sum, row, k) => sum + row[k], 0) / total;
  return {
    matrix,
    classes: scores,
    macro: means(() => 1 / occurring.length),
    weighted: means((support) => support / total),
    micro: { precision: accuracy, recall: accuracy, fscore: accuracy },
    accuracy,
    balancedAccuracy: meanOfThose(scores.map(({ recall }) => recall)),
    mcc: matthews(matrix),
  };
}

/**
 * (c·s − Σ pₖtₖ)/√((s² − Σ pₖ²)(s² − Σ tₖ²)):  s all, c right, tₖ of class k, pₖ called class k. Sums of products of different classes, which do
 * not cancel: s² − Σ pₖ² = Σ_{k≠l} pₖp_l.
 */
function matthews(matrix: readonly ArrayLike<number>[]): number | null {
  const k = matrix.length;
  const truth = new Float64Array(k);
  const called = new Float64Array(k);
  let total = 0;
  let right = 0;
  for (let j = 0; j < k; j++) {
    right += matrix[j][j];
    for (let l = 0; l < k; l++) {
      truth[j] += matrix[j][l];
      called[l] += matrix[j][l];
      total += matrix[j][l];
    }
  }
  const spread = (sums: Float64Array) => sums.reduce((sum, one) => sum + one * (total - one), 0);
  const scale = Math.sqrt(spread(called)) * Math.sqrt(spread(truth));
  const covariance = right * total - truth.reduce((sum, one, j) => sum + one * called[j], 0);
  return quotient(covariance, scale);
}

function meanOfThose(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null);
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** null for 0/0 and whatever is divided by 0 */
function quotient(dividend: number, divisor: number): number | null {
  return divisor > 0 ? dividend / divisor : null;
}
