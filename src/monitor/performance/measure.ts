import { LogoddsError } from '../../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import { brier, ece, logLoss } from '../../metrics/binary.ts';
import { calibrationLine, type Estimate } from '../../metrics/calibrated.ts';
import { checkArray, checkCodes, type Labels, type Weight, type WeightKind } from '../../metrics/check.ts';
import { type Counts, confusion } from '../../metrics/confusion.ts';
import { precisionAtK, recallAtK, type Top } from '../../metrics/curves.ts';
import { figuresOfRows, labelsOf, type Predictions } from '../../metrics/forms.ts';
import { type AucInterval, aucInterval } from '../../metrics/interval.ts';
import { finite } from '../check.ts';
import { calibrationFloor } from './floor.ts';

/** The cost of each outcome of a decision; a gain is negative. Hits cost 0 by default. */
export interface OutcomeCosts {
  /** a negative row called positive */
  readonly fp: number;
  /** a positive row called negative */
  readonly fn: number;
  readonly tp?: number;
  readonly tn?: number;
}

/** What is measured, and how. */
export interface PerformanceOptions {
  /** a row is called positive when its probability is above it; default 0.5 */
  readonly threshold?: number;
  /** what rows were called, 1 or 0, instead of by the threshold */
  readonly called?: Labels;
  /** top rows of which precision and recall are wanted: numbers of rows, or shares; default none */
  readonly top?: readonly Top[];
  readonly costs?: OutcomeCosts;
  /** share of the intervals that have the true value; default 0.95 */
  readonly level?: number;
  /** what the weights are; default sampling */
  readonly weightKind?: WeightKind;
  /** bins of equal width of the calibration error; default 10 */
  readonly bins?: number;
  /** simulated errors of a calibrated model for the floor of the calibration error, from 100; false: no floor; default 200 */
  readonly replicates?: number | false;
  /** default 1 */
  readonly seed?: number;
}

/** Precision and recall among the top rows. */
export interface AtTop {
  readonly top: Top;
  readonly precision: number | null;
  readonly recall: number | null;
}

/** Figures of scores whose labels are known. A figure that does not exist is null, and `absent` says why. */
export interface RealisedPerformance {
  readonly rows: number;
  /** Σ of the weights; the number of rows without */
  readonly weight: number;
  /** share of positive rows, and the mean probability */
  readonly baseRate: number | null;
  readonly meanProbability: number | null;
  /** mean, in nats */
  readonly logLoss: number | null;
  readonly brier: number | null;
  /** with DeLong's interval */
  readonly auc: AucInterval | null;
  /** expected calibration error */
  readonly ece: number | null;
  /** what the calibration error of a calibrated model would be: its median, and a value that 95 % of errors do not exceed */
  readonly eceFloor: { readonly median: number; readonly high: number } | null;
  /** of recalibration: 0 and 1 when calibrated */
  readonly intercept: Estimate | null;
  readonly slope: Estimate | null;
  readonly counts: Counts;
  readonly accuracy: number | null;
  readonly precision: number | null;
  readonly recall: number | null;
  /** false positive rate, FP/(FP + TN), and false negative rate, FN/(FN + TP) */
  readonly fpr: number | null;
  readonly fnr: number | null;
  readonly top: readonly AtTop[];
  /** of all rows, and of a row; null without `costs` */
  readonly cost: { readonly total: number; readonly mean: number } | null;
  /** figures that are null, and why */
  readonly absent: readonly { readonly figure: string; readonly why: string }[];
}

/**
 * Returns the figures of scores whose labels are known: log loss, Brier score, area under the ROC curve with DeLong's interval, calibration error with the floor that
 * a calibrated model would have, intercept and slope of recalibration, precision, recall, false positive and false negative rate at the threshold, precision and
 * recall among top rows, and cost.
 *
 *   cost   Σ sᵢ·(tp, fp, fn or tn of row i),   s: weights
 *
 * Each is that of the function of `logodds/metrics` with its name. Rows of one class, rows whose scores are all equal and no rows at all are no error: what does not
 * exist then is null, and `absent` says why. No figure is NaN or infinite.
 * @param predictions  `{ logits }` or `{ probabilities }`, length n
 * @param y       length n, 0 or 1
 * @param weight  length n, finite and ≥ 0, for example those of `labelSelection`; default all 1
 * @throws ERR_SHAPE lengths that differ; ERR_RANGE a value or an option outside its range
 * @example
 * const found = performanceOf({ probabilities: [0.9, 0.6, 0.4, 0.2] }, [1, 0, 1, 0], null, { costs: { fp: 1, fn: 5 } });
 * found.auc.auc; // 0.75
 * found.fnr; // 0.5
 * found.cost.total; // 6
 */
export function performanceOf(
  predictions: Predictions,
  y: Labels,
  weight?: Weight,
  options: PerformanceOptions = {},
): RealisedPerformance {
  const settings = settingsOf(options);
  const { threshold, called, top, costs, level, weightKind, bins, replicates, seed } = settings;
  checkArray('labels', y);
  const isEmpty = y.length === 0 || (weight && Array.from(weight).every((share) => share === 0));
  if (isEmpty) return nothing(top);
  const absent: { figure: string; why: string }[] = [];
  const or = <T>(figure: string, value: T | null, why: string): T | null => {
    if (value === null) absent.push({ figure, why });
    return value;
  };
  const { probabilities, losses } = figuresOfRows(predictions, y, weight);
  const scores = predictions.logits ?? probabilities;
  const share = (i: number): number => (weight ? weight[i] : 1);
  let [total, positive, mean, infinite, rows] = [0, 0, 0, 0, 0];
  let isConstant = true;
  let first = -1;
  for (let i = 0; i < probabilities.length; i++) {
    if (!(share(i) > 0)) continue;
    if (first < 0) first = i;
    rows++;
    total += share(i);
    positive += share(i) * y[i];
    mean += share(i) * probabilities[i];
    if (losses[i] === Number.POSITIVE_INFINITY) infinite++;
    if (scores[i] !== scores[first]) isConstant = false;
  }
  const oneClass = !(positive > 0 && positive < total);
  const said = labelsOf(predictions, y, weight, called ? { labels: called } : { threshold });
  const matrix = confusion(said, y, 0.5, weight);
  const line = calibrationLine(predictions, y, weight, { level, ...(weightKind && { weightKind }) });
  const why = oneClass ? 'all rows have one class' : 'a class has fewer than two rows';
  const auc = aucInterval(scores, y, weight, { level, ...(weightKind && { weightKind }) });
  const noLine = oneClass ? 'all rows have one class' : 'a probability is 0 or 1';
  const noSlope = isConstant ? 'all scores are equal' : line ? 'the scores part the classes' : noLine;
  const bin = { bins };
  return {
    rows,
    weight: total,
    baseRate: positive / total,
    meanProbability: mean / total,
    logLoss: or(
      'logLoss',
      infinite > 0 ? null : logLoss(predictions, y, weight),
      `${infinite} ${infinite === 1 ? 'row has' : 'rows have'} probability 0 of what happened`,
    ),
    brier: brier(predictions, y, weight),
    auc: or('auc', auc, why),
    ece: ece(predictions, y, weight, bins),
    eceFloor:
      replicates === false
        ? null
        : calibrationFloor({ probabilities }, weight, { ...bin, replicates, seed, level: 0.95 }),
    intercept: or('intercept', line?.intercept ?? null, noLine),
    slope: or('slope', line?.slope ?? null, noSlope),
    ...ratesOf(matrix, or),
    top: top.map((one) => atTop(scores, y, one, weight, total)),
    cost: costs ? costOf(matrix, costs, total) : null,
    absent,
  };
}

type Or = <T>(figure: string, value: T | null, why: string) => T | null;

/** The figures that follow from the four counts. */
export function ratesOf({ truePositives, falsePositives, falseNegatives, trueNegatives }: Counts, or: Or) {
  const counts = { truePositives, falsePositives, falseNegatives, trueNegatives };
  const quotient = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);
  const [positives, negatives] = [truePositives + falseNegatives, trueNegatives + falsePositives];
  const called = truePositives + falsePositives;
  return {
    counts,
    accuracy: quotient(truePositives + trueNegatives, positives + negatives),
    precision: or('precision', quotient(truePositives, called), 'no row was called positive'),
    recall: or('recall', quotient(truePositives, positives), 'no row is positive'),
    fpr: or('fpr', quotient(falsePositives, negatives), 'no row is negative'),
    fnr: or('fnr', quotient(falseNegatives, positives), 'no row is positive'),
  };
}

/** @returns the total cost of decisions, and that of a row */
export function costOf(counts: Counts, { fp, fn, tp = 0, tn = 0 }: OutcomeCosts, rows: number) {
  const total =
    counts.falsePositives * fp + counts.falseNegatives * fn + counts.truePositives * tp + counts.trueNegatives * tn;
  return { total, mean: total / rows };
}

/** A number of top rows beyond all rows has no precision: null. */
export function atTop(scores: ArrayLike<number>, y: Labels, top: Top, weight: Weight, total: number): AtTop {
  if (typeof top === 'number' && top > total) return { top, precision: null, recall: null };
  return { top, precision: precisionAtK(scores, y, top, weight), recall: recallAtK(scores, y, top, weight) };
}

/** The figures of no row. */
export function nothing(top: readonly Top[]): RealisedPerformance {
  return {
    rows: 0,
    weight: 0,
    baseRate: null,
    meanProbability: null,
    logLoss: null,
    brier: null,
    auc: null,
    ece: null,
    eceFloor: null,
    intercept: null,
    slope: null,
    counts: { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 },
    accuracy: null,
    precision: null,
    recall: null,
    fpr: null,
    fnr: null,
    top: top.map((one) => ({ top: one, precision: null, recall: null })),
    cost: null,
    absent: [{ figure: 'all', why: 'no row has a label' }],
  };
}

/** The options with their defaults. @throws ERR_RANGE */
export function settingsOf(options: PerformanceOptions) {
  refuseUnknown('performanceOf', options, {
    threshold: true,
    called: true,
    top: true,
    costs: true,
    level: true,
    weightKind: true,
    bins: true,
    replicates: true,
    seed: true,
  });
  const { threshold = 0.5, called, top = [], costs, level = 0.95, weightKind, bins = 10 } = options;
  const { replicates = 200, seed = 1 } = options;
  finite('threshold', threshold);
  if (costs) {
    refuseUnknown('costs', costs, { fp: true, fn: true, tp: true, tn: true });
    for (const [name, cost] of Object.entries({ fp: costs.fp, fn: costs.fn, tp: costs.tp ?? 0, tn: costs.tn ?? 0 }))
      finite(`costs, ${name}`, cost);
  }
  if (!Array.isArray(top))
    throw new LogoddsError('ERR_RANGE', `top: expected a list of numbers or shares, got ${tell(top)}`);
  return { threshold, called, top: top as readonly Top[], costs, level, weightKind, bins, replicates, seed };
}

/** Figures of each group, and of how many groups there were. */
export interface GroupPerformance {
  readonly groups: readonly (RealisedPerformance & { readonly name: string })[];
  /** rows of groups beyond the first hundred by number of rows; they are in one group, `others` */
  readonly pooled: number;
}

/** Groups whose figures are given. */
const GROUPS = 100;

/**
 * Returns the figures of `performanceOf` for each group of rows. Of more than a hundred groups the smallest are pooled as `others`.
 * @param groups  `codes[i]` is the group of row i, and `names` has a name for each code
 * @throws as `performanceOf`, and ERR_RANGE a code outside its range
 * @example
 * const groups = { codes: [0, 0, 1, 1], names: ['north', 'south'] };
 * performanceByGroup({ probabilities: [0.9, 0.2, 0.8, 0.3] }, [1, 0, 0, 1], groups).groups[1].accuracy; // 0
 */
export function performanceByGroup(
  predictions: Predictions,
  y: Labels,
  groups: { readonly codes: ArrayLike<number>; readonly names: readonly string[] },
  weight?: Weight,
  options: PerformanceOptions = {},
): GroupPerformance {
  const { names, codes } = groups;
  checkArray('names', names);
  checkCodes('group codes', codes, y.length, names.length);
  const rows = names.map((): number[] => []);
  for (let i = 0; i < y.length; i++) rows[codes[i]].push(i);
  const order = [...names.keys()].sort((a, b) => rows[b].length - rows[a].length || a - b);
  const kept = new Set(order.slice(0, names.length > GROUPS ? GROUPS - 1 : GROUPS));
  const others = order.filter((k) => !kept.has(k)).flatMap((k) => rows[k]);
  const parts = names.flatMap((name, k) => (kept.has(k) ? [{ name, rows: rows[k] }] : []));
  if (others.length > 0) parts.push({ name: 'others', rows: others.sort((a, b) => a - b) });
  return {
    groups: parts.map(({ name, rows: mine }) => {
      const pick = (values: ArrayLike<number>) => Float64Array.from(mine, (i) => values[i]);
      const part = predictions.logits
        ? { logits: pick(predictions.logits) }
        : { probabilities: pick(predictions.probabilities!) };
      const called = options.called && { called: pick(options.called) };
      return { name, ...performanceOf(part, pick(y), weight ? pick(weight) : null, { ...options, ...called }) };
    }),
    pooled: others.length,
  };
}
