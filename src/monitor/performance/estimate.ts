import { LogoddsError } from '../../../bindings/errors.ts';
import { ln, ln1p } from '../../../bindings/js/math.ts';
import { refuseUnknown } from '../../../bindings/names.ts';
import { isotonicRegression } from '../../calibrate/regress.ts';
import { sortTagged } from '../../math/sort.ts';
import {
  checkArray,
  checkCodes,
  checkProbabilities,
  checkRows,
  checkScores,
  type Labels,
  type Probabilities,
  type RowScores,
  type Weight,
} from '../../metrics/check.ts';
import { halfWidth } from '../../metrics/delong.ts';
import { checkLevel } from '../../metrics/interval.ts';
import { finite, whole } from '../check.ts';
import type { OutcomeCosts } from './measure.ts';

/** An estimate of what a figure would be if labels were known, and the interval in which that figure lies if the probabilities are right. */
export interface Estimated {
  readonly value: number;
  /** standard deviation of the figure over outcomes drawn with the probabilities */
  readonly stdError: number;
  readonly low: number;
  readonly high: number;
}

/** Figures estimated without labels. One that does not exist is null. */
export interface EstimatedPerformance {
  readonly rows: number;
  /** expected numbers of rows */
  readonly counts: {
    readonly truePositives: number;
    readonly falsePositives: number;
    readonly falseNegatives: number;
    readonly trueNegatives: number;
  };
  readonly baseRate: Estimated;
  readonly accuracy: Estimated;
  readonly precision: Estimated | null;
  readonly recall: Estimated | null;
  readonly specificity: Estimated | null;
  readonly f1: Estimated | null;
  readonly auc: Estimated | null;
  /** no interval */
  readonly averagePrecision: number | null;
  readonly logLoss: Estimated | null;
  readonly brier: Estimated;
  /** of all rows; null without `costs` */
  readonly cost: Estimated | null;
}

/** How performance is estimated. */
export interface EstimateOptions {
  /** what rows were called, 1 or 0; default 1 where the score is above the threshold */
  readonly called?: Labels;
  /** on the scale of the scores; default 0.5 */
  readonly threshold?: number;
  /** maps scores to calibrated probabilities, as `fitEstimator` makes it; default: the scores are calibrated probabilities */
  readonly estimator?: Estimator;
  readonly costs?: OutcomeCosts;
  /** default 0.95 */
  readonly level?: number;
  /** rows that each score stands for, such as those of a bin: whole numbers; default 1 each */
  readonly counts?: ArrayLike<number>;
}

/** The non-decreasing map from scores to probabilities that labelled reference rows have. Plain data. */
export interface Estimator {
  /** scores, rising, and the probability at each; linear between them, flat beyond them */
  readonly x: readonly number[];
  readonly probability: readonly number[];
}

/**
 * Fits the calibration that estimates of performance need: an isotonic regression of the labels of reference rows on their scores, linear between its points.
 *
 * With weights that make the reference like the rows to be estimated, such as odds of a domain classifier, it is the calibration for those rows (M-CBPE); without it
 * is that of CBPE.
 * @param scores  length n: probabilities of the model, or other finite numbers
 * @param y  length n, 0 or 1
 * @param weight  length n, finite and ≥ 0; default all 1
 * @throws ERR_SHAPE lengths that differ, no row of positive weight; ERR_RANGE a score that is not finite, a label that is neither 0 nor 1
 * @see scikit-learn: IsotonicRegression(out_of_bounds="clip"); NannyML: IsotonicCalibrator
 * @example
 * fitEstimator([0.1, 0.4, 0.6, 0.9], [0, 1, 0, 1]).probability; // [0, 0.5, 0.5, 1]
 */
export function fitEstimator(scores: RowScores, y: Labels, weight?: Weight): Estimator {
  checkScores(scores);
  checkRows(scores.length, y, 2, weight, 'scores');
  const rows = Array.from(y, (_, i) => i).filter((i) => !weight || weight[i] > 0);
  const pick = (values: ArrayLike<number>) => Float64Array.from(rows, (i) => values[i]);
  const x = pick(scores);
  for (const score of x) finite('scores', score);
  const { x: points, fitted } = isotonicRegression(
    x,
    pick(y),
    weight ? pick(weight) : new Float64Array(x.length).fill(1),
  );
  // the ends of a step say as much as all its points
  const isEnd = (i: number): boolean => fitted[i] !== fitted[i - 1] || fitted[i] !== fitted[i + 1];
  return { x: points.filter((_, i) => isEnd(i)), probability: fitted.filter((_, i) => isEnd(i)) };
}

/** @returns the calibrated probability of a score */
function calibrated({ x, probability }: Estimator, score: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle] <= score) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return probability[0];
  if (low === x.length) return probability[x.length - 1];
  const [x0, x1, p0, p1] = [x[low - 1], x[low], probability[low - 1], probability[low]];
  return p0 + ((score - x0) / (x1 - x0)) * (p1 - p0);
}

/**
 * Estimates performance without labels, from calibrated probabilities alone (confidence-based performance estimation, CBPE): each row is expected to be positive with
 * its probability.
 *
 *   TP = Σ_{called} pᵢ,   FP = Σ_{called} (1 − pᵢ),   FN = Σ_{not called} pᵢ,   TN = Σ_{not called} (1 − pᵢ);   figures as of these counts
 *   auc        Σᵢ Σⱼ pᵢ(1 − pⱼ)([zᵢ > zⱼ] + ½[zᵢ = zⱼ]) / (Σ pᵢ·Σ (1 − pⱼ)),   over all pairs with i = j as a tie: z are the scores, p the probabilities
 *   logLoss    mean of pᵢ·(−log qᵢ) + (1 − pᵢ)·(−log(1 − qᵢ)),   q: the scores, as the model states them;   brier likewise
 *   interval   value ∓ 1.96·stdError, the standard deviation of the realised figure when labels are drawn with p (delta method)
 *
 * It holds as long as P(y | score) does not change: a shift of the features within what the calibration covers is followed, a change of what the features mean is
 * not. Compare with the realised figures once labels come. The interval is of chance in the labels; a wrong calibration is not in it.
 *
 * NannyML takes rows of equal scores in the order of its sort, and rounds sums to five digits; here equal scores count half. Log loss and Brier score are null and
 * wrong, respectively, when scores are no probabilities: give probabilities for them.
 * @param scores  length n: what the model said, probabilities; with an `estimator` any finite numbers
 * @throws ERR_SHAPE no rows, lengths that differ; ERR_RANGE a value or an option outside its range
 * @see NannyML: CBPE; Białek et al., Estimating model performance under covariate shift without labels, 2024
 * @example
 * const found = estimatePerformance([0.9, 0.8, 0.3, 0.2]);
 * found.accuracy.value; // 0.8
 * found.recall.value; // 0.7727
 */
export function estimatePerformance(scores: RowScores, options: EstimateOptions = {}): EstimatedPerformance {
  refuseUnknown('estimatePerformance', options, {
    called: true,
    threshold: true,
    estimator: true,
    costs: true,
    level: true,
    counts: true,
  });
  const { called, threshold = 0.5, estimator, costs, counts = null } = options;
  const level = checkLevel(options.level);
  finite('threshold', threshold);
  checkScores(scores);
  const { length } = scores;
  if (counts) checkCounts(counts, length);
  const times = (i: number): number => (counts ? counts[i] : 1);
  let n = 0;
  for (let i = 0; i < length; i++) n += times(i);
  if (n === 0) throw new LogoddsError('ERR_SHAPE', 'scores: expected at least one row, got none; take a longer window');
  if (called) checkCodes('called', called, length, 2);
  if (estimator) checkEstimator(estimator);
  const isShare = Array.from(scores).every((score) => score >= 0 && score <= 1);
  if (!estimator) checkProbabilities(scores as Probabilities);
  const p = Float64Array.from(scores, (score) => (estimator ? calibrated(estimator, score) : score));
  const said = Uint8Array.from(p, (_, i) => (called ? called[i] : scores[i] > threshold ? 1 : 0));
  const sums = { tp: 0, fp: 0, fn: 0, tn: 0, called: 0, vCalled: 0, vNot: 0, v: 0 };
  for (let i = 0; i < length; i++) {
    const v = p[i] * (1 - p[i]) * times(i);
    const [yes, no] = [p[i] * times(i), (1 - p[i]) * times(i)];
    sums.v += v;
    if (said[i]) {
      sums.called += times(i);
      sums.tp += yes;
      sums.fp += no;
      sums.vCalled += v;
    } else {
      sums.fn += yes;
      sums.tn += no;
      sums.vNot += v;
    }
  }
  const { tp, fp, fn, tn, v, vCalled, vNot } = sums;
  const z = halfWidth(level);
  const share = (value: number, variance: number): Estimated => ends(value, variance, z, 0, 1);
  const open = (value: number, variance: number): Estimated => ends(value, variance, z, -Infinity, Infinity);
  const [positives, negatives] = [tp + fn, fp + tn];
  // figures are ratios of sums of the labels: variances by their derivatives in the labels of rows called positive, and of the others
  const recall = positives > 0 ? tp / positives : 0;
  const specificity = negatives > 0 ? tn / negatives : 0;
  const f1 = tp + (fp + fn) / 2;
  const expected = (loss: (q: number, y: 0 | 1) => number, of: (value: number, variance: number) => Estimated) => {
    let [sum, variance] = [0, 0];
    for (let i = 0; i < length; i++) {
      const [yes, no] = [loss(scores[i], 1), loss(scores[i], 0)];
      // what cannot happen costs nothing, even where its loss is infinite
      sum += times(i) * ((p[i] > 0 ? p[i] * yes : 0) + (p[i] < 1 ? (1 - p[i]) * no : 0));
      if (p[i] > 0 && p[i] < 1) variance += times(i) * p[i] * (1 - p[i]) * (yes - no) ** 2;
    }
    return of(sum / n, variance / n / n);
  };
  const logLoss = isShare ? expected((q, y) => (y ? -ln(q) : -ln1p(-q)), open) : null;
  return {
    rows: n,
    counts: { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn },
    baseRate: share(positives / n, v / n / n),
    accuracy: share((tp + tn) / n, v / n / n),
    precision: sums.called > 0 ? share(tp / sums.called, vCalled / sums.called ** 2) : null,
    recall: positives > 0 ? share(recall, ((1 - recall) ** 2 * vCalled + recall ** 2 * vNot) / positives ** 2) : null,
    specificity:
      negatives > 0
        ? share(specificity, (specificity ** 2 * vCalled + (1 - specificity) ** 2 * vNot) / negatives ** 2)
        : null,
    // tp/f1 with f1 = (called + positives)/2
    f1: f1 > 0 ? share(tp / f1, ((f1 - tp / 2) ** 2 * vCalled + (tp / 2) ** 2 * vNot) / f1 ** 4) : null,
    ...ranked(scores, p, times, n, share),
    logLoss: logLoss && Number.isFinite(logLoss.value) ? logLoss : null,
    brier: expected((q, y) => (q - y) ** 2, open),
    cost: costs ? costOf(sums, costs, open) : null,
  };
}

function ends(value: number, variance: number, z: number, least: number, most: number): Estimated {
  const stdError = Math.sqrt(variance);
  return { value, stdError, low: Math.max(least, value - z * stdError), high: Math.min(most, value + z * stdError) };
}

function costOf(
  sums: Readonly<Record<'tp' | 'fp' | 'fn' | 'tn' | 'vCalled' | 'vNot', number>>,
  { fp, fn, tp = 0, tn = 0 }: OutcomeCosts,
  of: (value: number, variance: number) => Estimated,
): Estimated {
  for (const [name, cost] of Object.entries({ fp, fn, tp, tn })) finite(`costs, ${name}`, cost);
  const total = sums.tp * tp + sums.fp * fp + sums.fn * fn + sums.tn * tn;
  return of(total, (tp - fp) ** 2 * sums.vCalled + (fn - tn) ** 2 * sums.vNot);
}

/** Area under the ROC curve and average precision, with rows of equal scores as one step. */
function ranked(
  scores: RowScores,
  p: Float64Array,
  times: (row: number) => number,
  n: number,
  share: (value: number, variance: number) => Estimated,
) {
  const { values, tags: rows } = sortTagged(scores, (row) => row);
  const positives = p.reduce((sum, one, i) => sum + one * times(i), 0);
  const negatives = n - positives;
  if (!(positives > 0)) return { auc: null, averagePrecision: null };
  let [area, precision, hits, misses] = [0, 0, 0, 0];
  const apart = new Float64Array(p.length);
  for (let end = rows.length; end > 0; ) {
    let start = end - 1;
    while (start > 0 && values[start - 1] === values[start]) start--;
    let [own, of] = [0, 0];
    for (let k = start; k < end; k++) {
      own += p[rows[k]] * times(rows[k]);
      of += times(rows[k]);
    }
    const ownMisses = of - own;
    area += ownMisses * (hits + own / 2);
    // of a row of this score: the negative weight below it less the positive weight above it, ties counting half
    const between = negatives - misses - ownMisses / 2 - (hits + own / 2);
    for (let k = start; k < end; k++) apart[rows[k]] = between;
    hits += own;
    misses += ownMisses;
    if (own > 0) precision += (own * hits) / (hits + misses);
    end = start;
  }
  const averagePrecision = precision / positives;
  if (!(negatives > 1e-12 * n)) return { auc: null, averagePrecision };
  const auc = area / (positives * negatives);
  // ∂auc/∂yᵢ of U/(P·N), where U counts pairs
  let variance = 0;
  for (let i = 0; i < p.length; i++) {
    const slope = (apart[i] - auc * (negatives - positives)) / (positives * negatives);
    variance += times(i) * p[i] * (1 - p[i]) * slope * slope;
  }
  return { auc: share(auc, variance), averagePrecision };
}

/** @throws ERR_SHAPE, ERR_RANGE */
function checkCounts(counts: ArrayLike<number>, length: number): void {
  checkArray('counts', counts);
  if (counts.length !== length)
    throw new LogoddsError('ERR_SHAPE', `counts: expected one for each of ${length} scores, got ${counts.length}`);
  for (let i = 0; i < length; i++) whole('counts', counts[i]);
}

/** @throws ERR_FORMAT */
function checkEstimator({ x, probability }: Estimator): void {
  checkArray('estimator, x', x);
  const isOne =
    x.length > 0 &&
    x.length === probability?.length &&
    x.every((value, i) => Number.isFinite(value) && (i === 0 || value > x[i - 1])) &&
    probability.every((value) => value >= 0 && value <= 1);
  if (!isOne)
    throw new LogoddsError(
      'ERR_FORMAT',
      'estimator: expected rising scores and a probability at each, got others; give what fitEstimator returned',
    );
}
