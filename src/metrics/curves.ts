import { LogoddsError } from '../../bindings/errors.ts';
import { tell } from '../../bindings/names.ts';
import type { Labels, RowScores, Weight } from './check.ts';
import { eachScore } from './ranking.ts';

/**
 * The weights of true and false positives at each distinct score as a threshold. Entry k is for "positive when score ≥ thresholds[k]", from the
 * greatest score to the least; at the last entry all rows are called positive.
 */
export interface ConfusionCurve {
  readonly thresholds: Float64Array;
  readonly truePositives: Float64Array;
  readonly falsePositives: Float64Array;
  /** weight of the positive rows; false negatives are positives − truePositives */
  readonly positives: number;
  /** weight of the negative rows; true negatives are negatives − falsePositives */
  readonly negatives: number;
}

/** The ROC curve, from (0, 0) to (1, 1). Thresholds descend; the first is Infinity, where no row is called positive. */
export interface RocCurve {
  /** false positive rate */
  readonly fpr: Float64Array;
  /** true positive rate */
  readonly tpr: Float64Array;
  /** positive when score ≥ threshold */
  readonly thresholds: Float64Array;
}

/** Precision and recall along ascending thresholds. After the last threshold one more point has recall 0 and precision 1. */
export interface PrecisionRecallCurve {
  readonly precision: Float64Array;
  readonly recall: Float64Array;
  /** positive when score ≥ threshold; one shorter than the others */
  readonly thresholds: Float64Array;
}

/** The gain of taking the rows with the greatest scores, from no row (share 0) to all rows (share 1). */
export interface GainCurve {
  /** share of the weight of all rows that is taken */
  readonly share: Float64Array;
  /** share of the positive rows among them: recall */
  readonly gain: Float64Array;
  /** gain/share: the ratio of positive rows to a random choice of rows; at share 0 it is that of the first point */
  readonly lift: Float64Array;
  /** rows with score ≥ threshold are taken; the first is Infinity */
  readonly thresholds: Float64Array;
}

/** The number of top rows, or their share of all rows. */
export type Top = number | { readonly share: number };

/**
 * Returns the weights of true and of false positives at every distinct score as a threshold, from the greatest score down.
 *
 * @param scores  length n: logits, probabilities or any other real numbers; may be infinite
 * @param y       length n, 0 or 1
 * @param weight  length n, finite and ≥ 0; default all 1. An integer weight is a repeated row, weight 0 is no row.
 * @throws ERR_SHAPE lengths that differ, values that are no array, no row of positive weight
 * @throws ERR_RANGE a score that is no number, a label that is neither 0 nor 1, a weight that is negative or not finite
 * @see scikit-learn: confusion_matrix_at_thresholds
 * @example
 * const curve = confusionCurve([0.9, 0.6, 0.6, 0.1], [1, 0, 1, 0]);
 * curve.thresholds; // [0.9, 0.6, 0.1]
 * curve.truePositives; // [1, 2, 2]
 */
export function confusionCurve(scores: RowScores, y: Labels, weight?: Weight): ConfusionCurve {
  const thresholds = new Float64Array(scores.length);
  const truePositives = new Float64Array(scores.length);
  const falsePositives = new Float64Array(scores.length);
  let length = 0;
  let positives = 0;
  let negatives = 0;
  eachScore(scores, y, weight, (score, positive, negative) => {
    positives += positive;
    negatives += negative;
    thresholds[length] = score;
    truePositives[length] = positives;
    falsePositives[length++] = negatives;
  });
  return {
    thresholds: thresholds.subarray(0, length),
    truePositives: truePositives.subarray(0, length),
    falsePositives: falsePositives.subarray(0, length),
    positives,
    negatives,
  };
}

/**
 * Returns the ROC curve, the false against the true positive rate along the thresholds; null when one class has no weight.
 *
 * Points on a straight line between two others at equal steps are left out, as by scikit-learn's `drop_intermediate`; the curve is the same. Parameters
 * and errors are those of `confusionCurve`.
 * @see scikit-learn: roc_curve
 * @example
 * const curve = rocCurve([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0]);
 * curve.fpr; // [0, 0, 0.5, 0.5, 1]
 * curve.tpr; // [0, 0.5, 0.5, 1, 1]
 */
export function rocCurve(scores: RowScores, y: Labels, weight?: Weight): RocCurve | null {
  const { thresholds, truePositives, falsePositives, positives, negatives } = confusionCurve(scores, y, weight);
  if (!(positives > 0 && negatives > 0)) return null;
  const last = thresholds.length - 1;
  const corner = (counts: Float64Array, k: number) => counts[k + 1] - counts[k] - (counts[k] - counts[k - 1]) !== 0;
  const kept = thresholds
    .map((_, k) => k)
    .filter((k) => k === 0 || k === last || corner(falsePositives, k) || corner(truePositives, k));
  return {
    fpr: prepend(0, kept, (k) => falsePositives[k] / negatives),
    tpr: prepend(0, kept, (k) => truePositives[k] / positives),
    thresholds: prepend(Number.POSITIVE_INFINITY, kept, (k) => thresholds[k]),
  };
}

/**
 * Returns precision against recall along the thresholds; null when no positive row has weight.
 *
 * Parameters and errors are those of `confusionCurve`.
 * @see scikit-learn: precision_recall_curve
 * @example
 * const curve = precisionRecallCurve([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0]);
 * curve.precision; // [0.5, 0.6667, 0.5, 1, 1]
 * curve.recall; // [1, 1, 0.5, 0.5, 0]
 */
export function precisionRecallCurve(scores: RowScores, y: Labels, weight?: Weight): PrecisionRecallCurve | null {
  const { thresholds, truePositives, falsePositives, positives } = confusionCurve(scores, y, weight);
  if (!(positives > 0)) return null;
  const precision = truePositives.map((hits, k) => hits / (hits + falsePositives[k]));
  const recall = truePositives.map((hits) => hits / positives);
  return {
    precision: prepend(1, precision).reverse(),
    recall: prepend(0, recall).reverse(),
    thresholds: thresholds.slice().reverse(),
  };
}

/**
 * Returns the average precision, Σ (recall_k − recall_{k−1})·precision_k over the thresholds from the greatest down. It is null when no positive row
 * has weight.
 *
 * It is the area under the precision-recall curve as steps, which is not optimistic as trapezoids are. Parameters and errors are those of
 * `confusionCurve`.
 * @see scikit-learn: average_precision_score
 * @example
 * averagePrecision([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0]); // 0.8333
 */
export function averagePrecision(scores: RowScores, y: Labels, weight?: Weight): number | null {
  let sum = 0;
  let hits = 0;
  let taken = 0;
  eachScore(scores, y, weight, (_, positive, negative) => {
    hits += positive;
    taken += positive + negative;
    sum += (positive * hits) / taken;
  });
  return hits > 0 ? sum / hits : null;
}

/**
 * Returns the Kolmogorov–Smirnov statistic, max |TPR − FPR|, and the greatest threshold (positive when score ≥ it) that reaches it. It says how far apart
 * the scores of the two classes are. It is null when one class has no weight.
 *
 * Parameters and errors are those of `confusionCurve`.
 * @see SciPy: scipy.stats.ks_2samp, its statistic
 * @example
 * ksStatistic([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0]); // { ks: 0.5, threshold: 0.9 }
 */
export function ksStatistic(
  scores: RowScores,
  y: Labels,
  weight?: Weight,
): { readonly ks: number; readonly threshold: number } | null {
  const { thresholds, truePositives, falsePositives, positives, negatives } = confusionCurve(scores, y, weight);
  if (!(positives > 0 && negatives > 0)) return null;
  let best = 0;
  const apart = truePositives.map((hits, k) => Math.abs(hits / positives - falsePositives[k] / negatives));
  for (let k = 1; k < apart.length; k++) if (apart[k] > apart[best]) best = k;
  return { ks: apart[best], threshold: thresholds[best] };
}

/**
 * Returns cumulative gain and lift: the share of the positive rows among the rows with the greatest scores. It is null when no positive row has weight.
 *
 * Parameters and errors are those of `confusionCurve`.
 * @example
 * const curve = gainCurve([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0]);
 * curve.gain; // [0, 0.5, 0.5, 1, 1]
 * curve.lift; // [2, 2, 1, 1.3333, 1]
 */
export function gainCurve(scores: RowScores, y: Labels, weight?: Weight): GainCurve | null {
  const { thresholds, truePositives, falsePositives, positives, negatives } = confusionCurve(scores, y, weight);
  if (!(positives > 0)) return null;
  const share = truePositives.map((hits, k) => (hits + falsePositives[k]) / (positives + negatives));
  const gain = truePositives.map((hits) => hits / positives);
  const lift = gain.map((part, k) => part / share[k]);
  return {
    share: prepend(0, share),
    gain: prepend(0, gain),
    lift: prepend(lift[0], lift),
    thresholds: prepend(Number.POSITIVE_INFINITY, thresholds),
  };
}

/**
 * Returns the share of positive rows among the top ones, by weight.
 *
 * Rows with equal scores at the cut are taken in equal parts, which is the mean over all orders they could have. Other parameters and errors are those of
 * `confusionCurve`.
 * @param top  a number of rows, above 0 and at most the weight of all rows; or a share of that weight, above 0 and at most 1
 * @throws ERR_RANGE a top outside its domain
 * @example
 * precisionAtK([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0], 3); // 0.6667
 * precisionAtK([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0], { share: 0.25 }); // 1
 */
export function precisionAtK(scores: RowScores, y: Labels, top: Top, weight?: Weight): number {
  const { hits, size } = take(scores, y, top, weight);
  return hits / size;
}

/**
 * Returns the share of the positive rows that is among the top ones; null when no positive row has weight. Parameters and errors are those of
 * `precisionAtK`.
 * @example
 * recallAtK([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0], 2); // 0.5
 */
export function recallAtK(scores: RowScores, y: Labels, top: Top, weight?: Weight): number | null {
  const { hits, positives } = take(scores, y, top, weight);
  return positives > 0 ? hits / positives : null;
}

/**
 * Returns precision among the top rows divided by precision among all; null when no positive row has weight. Parameters and errors are those of
 * `precisionAtK`.
 * @example
 * liftAtK([0.9, 0.6, 0.4, 0.1], [1, 0, 1, 0], 1); // 2
 */
export function liftAtK(scores: RowScores, y: Labels, top: Top, weight?: Weight): number | null {
  const { hits, size, positives, total } = take(scores, y, top, weight);
  return positives > 0 ? hits / size / (positives / total) : null;
}

/** The weight of positive rows among the top ones. */
function take(scores: RowScores, y: Labels, top: Top, weight: Weight) {
  const { truePositives, falsePositives, positives, negatives } = confusionCurve(scores, y, weight);
  const total = positives + negatives;
  const [what, given, most] = typeof top === 'object' && top !== null ? ['share', top.share, 1] : ['k', top, total];
  if (!(typeof given === 'number' && given > 0 && given <= most)) {
    const why = what === 'k' ? ' (the weight of all rows)' : '';
    throw new LogoddsError(
      'ERR_RANGE',
      `${what}: expected a number above 0 and at most ${most}${why}, got ${tell(given)}`,
    );
  }
  const size = what === 'k' ? given : given * total;
  let hits = 0;
  let taken = 0;
  for (let k = 0; taken < size && k < truePositives.length; k++) {
    const before = taken;
    taken = truePositives[k] + falsePositives[k];
    hits += (truePositives[k] - hits) * Math.min(1, (size - before) / (taken - before));
  }
  return { hits, size, positives, total };
}

/**
 * Returns the indices of the points of a curve that are worth drawing: its ends, and others spread evenly along its length |Δx| + |Δy|.
 *
 * No omitted point is farther than 2/(points − 1) of that length from a kept one.
 * @param x  of the points, in order; y has the same length
 * @param points  greatest number of points, an integer ≥ 2
 * @returns ascending; all indices when the curve has at most `points` points
 * @throws ERR_SHAPE x and y of different lengths
 * @throws ERR_RANGE points that is no integer ≥ 2
 * @example
 * const along = Float64Array.of(0, 1, 2, 3, 4);
 * thinCurve(along, along, 3); // [0, 2, 4]
 */
export function thinCurve(x: Float64Array, y: Float64Array, points: number): Uint32Array {
  if (x.length !== y.length)
    throw new LogoddsError('ERR_SHAPE', `y: expected length ${x.length} (as x), got ${y.length}`);
  if (!(Number.isInteger(points) && points >= 2)) {
    throw new LogoddsError('ERR_RANGE', `points: expected an integer >= 2, got ${points}`);
  }
  if (x.length <= points) return Uint32Array.from(x.keys());
  const along = new Float64Array(x.length);
  for (let k = 1; k < x.length; k++) along[k] = along[k - 1] + Math.abs(x[k] - x[k - 1]) + Math.abs(y[k] - y[k - 1]);
  const last = x.length - 1;
  const step = along[last] / (points - 1);
  const kept = new Uint32Array(points);
  let length = 1;
  for (let k = 1; k < last; k++) {
    // the first point of each step
    if (Math.floor(along[k] / step) > Math.floor(along[kept[length - 1]] / step) && length < points - 1)
      kept[length++] = k;
  }
  kept[length++] = last;
  return kept.slice(0, length);
}

/** [first, ...values], or of `value` of them */
function prepend(first: number, values: Float64Array, value: (one: number) => number = (one) => one): Float64Array {
  const all = new Float64Array(values.length + 1);
  all[0] = first;
  for (let k = 0; k < values.length; k++) all[k + 1] = value(values[k]);
  return all;
}
