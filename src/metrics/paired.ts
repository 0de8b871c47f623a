import { refuseUnknown } from '../../bindings/names.ts';
import { twoSidedP } from '../math/normal.ts';
import { quantile } from '../math/quantile.ts';
import {
  areCounts,
  checkRows,
  checkScores,
  type Labels,
  type RowScores,
  type Weight,
  type WeightKind,
} from './check.ts';
import type { ClassPredictions } from './classForms.ts';
import { components, halfWidth, momentsOf } from './delong.ts';
import type { Predictions } from './forms.ts';
import { checkDrawn, checkLevel } from './interval.ts';
import { resampler } from './resample.ts';
import { COMPARED, type Compared, prepare } from './weighted.ts';

/** Two figures of the same rows and the interval of their difference. */
export interface Difference {
  readonly first: number;
  readonly second: number;
  /** first − second */
  readonly difference: number;
  readonly stdError: number;
  /** ends of the interval of the difference */
  readonly low: number;
  readonly high: number;
}

/** How the difference of two areas is judged. */
export interface AucDifferenceOptions {
  /** what the weights are; default sampling */
  readonly weightKind?: WeightKind;
  /** share of the intervals that have the true difference; default 0.95 */
  readonly level?: number;
}

/**
 * Returns the difference of the areas under the ROC curves of two scores of the same rows, with its interval and test; null when a class has fewer than two
 * rows of positive weight.
 *
 *   stdError² = Var(dᵢ)/m + Var(dⱼ)/n,   d: of each row the difference of its two components
 *   low, high = difference ∓ z·stdError, not cut at −1 and 1,   p: two-sided, of difference/stdError under the standard normal
 *
 * The component of a positive row is the share of the negative rows below it, of a negative row that of the positive rows above it, ties counting half.
 * Var(dᵢ) = Var(first) + Var(second) − 2·Cov, so that what two scores have in common is not counted. Weights are read as by `aucInterval`. Scores that rank
 * all rows alike have a difference of 0, a standard error of 0 and p = 1. O(n log n).
 * @param first  length n, as for `auc`
 * @param second  likewise, in the same order
 * @param y       length n, 0 or 1
 * @param weight  length n, finite and ≥ 0; default all 1
 * @throws ERR_SHAPE lengths that differ, values that are no array, no row of positive weight
 * @throws ERR_RANGE a score that is no number, a label that is neither 0 nor 1, a weight that is negative or not finite, an option or level that is none
 * @see DeLong, DeLong, Clarke-Pearson, Biometrics 44, 1988; Sun, Xu, IEEE Signal Processing Letters 21, 2014
 * @example
 * const found = aucDifference([3, 1.5, 1, 2], [4, 3, 2, 1], [1, 1, 0, 0]);
 * found.difference; // -0.25
 * found.stdError; // 0.3536
 */
export function aucDifference(
  first: RowScores,
  second: RowScores,
  y: Labels,
  weight?: Weight,
  options: AucDifferenceOptions = {},
): (Difference & { readonly p: number }) | null {
  refuseUnknown('aucDifference', options, { weightKind: true, level: true });
  const level = checkLevel(options.level);
  for (const scores of [first, second]) {
    checkScores(scores);
    checkRows(scores.length, y, 2, weight, 'scores');
  }
  const sampled = { y, weight, counts: areCounts(weight, options.weightKind) };
  const [own, other] = [first, second].map((scores) => components(scores, sampled));
  const [a, b] = [own, other].map((values) => momentsOf(values, sampled));
  if (!a || !b) return null;
  const { variance } = momentsOf(
    own.map((value, row) => value - other[row]),
    sampled,
  )!;
  const difference = a.mean - b.mean;
  const stdError = Math.sqrt(variance);
  const half = halfWidth(level) * stdError;
  return {
    first: a.mean,
    second: b.mean,
    difference,
    stdError,
    low: difference - half,
    high: difference + half,
    p: difference === 0 ? 1 : twoSidedP(difference / stdError),
  };
}

/** How rows are drawn again. */
export interface DifferenceOptions extends AucDifferenceOptions {
  /** number of resamples, at least 100; default 1000 */
  readonly replicates?: number;
  /** default 1 */
  readonly seed?: number;
  /** of each row the code of its cluster, a whole number: rows of one cluster depend on one another, and are drawn together */
  readonly clusters?: ArrayLike<number> | null;
}

/** What `metricDifferences` finds. A figure that does not exist is null. */
export interface MetricDifferences extends Readonly<Record<Compared, Difference | null>> {
  readonly replicates: number;
  /** how many rows or clusters are drawn for each */
  readonly draws: number;
  /** resamples in which a class had no row, so that they have no area */
  readonly withoutAuc: number;
}

/**
 * Returns the differences of log loss, area under the ROC curve, Brier score and calibration error (10 bins of equal width) of two predictions of the same
 * rows, each with its bootstrap interval: quantiles of the differences in resampled rows.
 *
 * Rows are drawn with replacement, as many as there are; both predictions see the same draw, so that what they have in common is not counted. With `clusters`
 * all rows of a cluster are drawn together. Weights are read as by `aucInterval`: a count is drawn as often as it says, any other weight like all rows, whole.
 *
 * A difference is null where a log loss is infinite, where a class has no row, where fewer than two rows or clusters can be drawn, and for the area where more
 * than one resample in ten lacks a class. Calibration errors are biased upwards, in resamples more than in the rows. With K classes the figures are those
 * of `evaluateClasses`. Takes replicates × rows steps.
 * @param first  as for `logLoss`; both of two classes, or both of K
 * @param second  likewise, in the same order
 * @param y       length n, as for `logLoss`
 * @param weight  length n, finite and ≥ 0; default all 1
 * @throws ERR_SHAPE, ERR_RANGE as `logLoss`, and clusters of another length or that are no whole numbers ≥ 0, an option that is none
 * @see Efron, Tibshirani, An introduction to the bootstrap, 1993, 13.3 (percentiles); Field, Welsh, JRSS B 69, 2007 (clusters)
 * @example
 * const y = [1, 0, 1, 0, 1, 0, 1, 0];
 * const first = { probabilities: [0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6, 0.1] };
 * const found = metricDifferences(first, { probabilities: y.map(() => 0.5) }, y);
 * found.logLoss.difference; // -0.3941
 * found.logLoss.high < 0; // true
 */
export function metricDifferences(
  first: Predictions | ClassPredictions,
  second: Predictions | ClassPredictions,
  y: Labels,
  weight?: Weight,
  options: DifferenceOptions = {},
): MetricDifferences {
  refuseUnknown('metricDifferences', options, {
    weightKind: true,
    level: true,
    replicates: true,
    seed: true,
    clusters: true,
  });
  const level = checkLevel(options.level);
  const { replicates, seed } = checkDrawn(options);
  const measures = [first, second].map((predictions) => prepare(predictions, y, weight));
  const counts = areCounts(weight, options.weightKind);
  const { draws, next } = resampler({ rows: y.length, weight, counts, clusters: options.clusters ?? null, seed });
  const weights = Float64Array.from({ length: y.length }, (_, row) => (weight ? weight[row] : 1));
  const [own, other] = measures.map((measure) => measure(weights));
  const drawn = COMPARED.map(() => new Float64Array(replicates));
  for (let replicate = 0; replicate < replicates; replicate++) {
    next(weights);
    const [a, b] = measures.map((measure) => measure(weights));
    COMPARED.forEach((name, k) => {
      drawn[k][replicate] = a[name] - b[name];
    });
  }
  const withoutAuc = drawn[COMPARED.indexOf('auc')].filter(Number.isNaN).length;
  const found = COMPARED.map((name, k): [Compared, Difference | null] => {
    const values = drawn[k].filter((value) => !Number.isNaN(value)).sort();
    const difference = own[name] - other[name];
    const isLost = !Number.isFinite(difference) || draws < 2 || values.length < 0.9 * replicates;
    if (isLost) return [name, null];
    const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
    const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
    return [
      name,
      {
        first: own[name],
        second: other[name],
        difference,
        stdError: Math.sqrt(squares / (values.length - 1)),
        low: quantile(values, (1 - level) / 2),
        high: quantile(values, (1 + level) / 2),
      },
    ];
  });
  return { ...(Object.fromEntries(found) as Record<Compared, Difference | null>), replicates, draws, withoutAuc };
}
