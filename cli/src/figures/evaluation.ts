import type { Costs } from '../../../src/decide.ts';
import { type ChosenThreshold, fitMatrix, LogoddsError, type Model } from '../../../src/index.ts';
import { costsOfMatrix, softmax, sortTagged, Z95 } from '../../../src/internal.ts';
import { exp, sigmoid, thinCurve } from '../../../src/kernels.ts';
import {
  type AucInterval,
  auc,
  aucInterval,
  averagePrecision,
  type BrierParts,
  brierDecomposition,
  type Confusion,
  confusion,
  gainCurve,
  ksStatistic,
  type Metrics,
  precisionRecallCurve,
  type ReliabilityBin,
  reliability,
  rocCurve,
} from '../../../src/metrics.ts';
import { type Ranked, rankedRows, type ScoredRows } from './ranked.ts';
import { budget } from './wording.ts';

/** A curve as points in order. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A figure with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly interval: Interval;
}

/** One class against the rest; with two classes it is the positive one. */
export interface ClassFigures {
  readonly name: string;
  /** share of the rows, by weight */
  readonly share: number;
  /** null if all rows or no rows have the class */
  readonly auc: {
    readonly value: number;
    /** null if the rows do not determine it */
    readonly interval: Interval | null;
  } | null;
  readonly averagePrecision: number | null;
  /** x: share of the other rows that are flagged, y: share of its own */
  readonly roc: readonly Point[];
  /** x: recall, y: precision */
  readonly precisionRecall: readonly Point[];
  readonly reliability: readonly ReliabilityBin[];
  /** before calibration; null if the model is not calibrated */
  readonly uncalibrated: readonly ReliabilityBin[] | null;
}

/** Weight of the rows in equal-width bins of probability, in two groups. */
export interface Histogram {
  readonly upper: { readonly name: string; readonly weights: Float64Array };
  readonly lower: { readonly name: string; readonly weights: Float64Array };
}

/** The value of a criterion at each threshold. */
export interface ThresholdCurve {
  /** e.g. "mean cost" */
  readonly criterion: string;
  /** is a small value good */
  readonly least: boolean;
  /** its source, in one sentence */
  readonly source: string;
  readonly points: readonly { readonly threshold: number; readonly value: number; readonly stdError: number | null }[];
  /** the range of possible values */
  readonly bounds: readonly [number, number];
  /** threshold with the best value */
  readonly best: number;
  /** range of thresholds that cannot be told apart from the best: those of the folds, or those within one standard error */
  readonly range: readonly [number, number] | null;
}

/** Figures that exist for two classes only. */
export interface BinaryFigures {
  readonly threshold: number;
  /** at the threshold */
  readonly confusion: Confusion;
  readonly ks: number | null;
  readonly brier: BrierParts;
  /** slope of the logit of the probability: 1 is calibrated, less is overconfident; null if it cannot be estimated */
  readonly slope: Estimate | null;
  /** calibration in the large: mean probability, share of the class, and the constant that added to all logits makes them equal */
  readonly large: { readonly predicted: number; readonly observed: number; readonly intercept: Estimate | null };
  /** mean cost of a row by the model's decision, with every row flagged, and with none; null without costs */
  readonly cost: { readonly decided: number; readonly everybody: number; readonly nobody: number } | null;
  readonly curve: ThresholdCurve;
  /** x: share of the rows, greatest scores first; y: share of the positive rows among them */
  readonly gain: readonly Point[];
}

/** The evaluation of a model on rows of known class: everything that the report draws of them. */
export interface Evaluation {
  readonly rows: number;
  /** sum of the sample weights; without weights, the number of rows */
  readonly weight: number;
  readonly metrics: Metrics;
  /** log loss of a model that always predicts the class shares */
  readonly baseLogLoss: number;
  readonly classes: readonly ClassFigures[];
  /** weight of the rows, [true class][decided class] */
  readonly confusion: readonly Float64Array[];
  readonly histogram: Histogram;
  /**
   * mean cost of a row by the model's decision, by the most probable class, and by one class for all rows; null unless costs decide among
   * several classes
   */
  readonly costs: {
    readonly decided: number;
    readonly mostProbable: number;
    /** the cheapest single class for all rows */
    readonly constant: number;
  } | null;
  /** null for more than two classes */
  readonly binary: BinaryFigures | null;
}

/** Bins of the reliability diagram and of the histogram. */
const BINS = 10;
const HISTOGRAM_BINS = 25;

/**
 * Computes all figures of the report about rows. Rows count by weight, and weight 0 leaves a row out. The interval of an AUC depends on the
 * meaning of the weights.
 * @param metrics  of the same rows
 */
export function evaluateRows(model: Model, rows: ScoredRows, metrics: Metrics): Evaluation {
  const { classes, positive, multiclass } = model.manifest;
  const { codes, labels, weight } = rows;
  const confusion = classes.map(() => new Float64Array(classes.length));
  for (let i = 0; i < codes.length; i++) confusion[codes[i]][labels[i]] += weight ? weight[i] : 1;
  const shares = confusion.map((row) => row.reduce((sum, cell) => sum + cell, 0));
  const total = shares.reduce((sum, share) => sum + share, 0);
  const entropy = shares.reduce((sum, share) => sum - (share > 0 ? (share / total) * Math.log(share / total) : 0), 0);
  const of = (code: number, plane: number): ClassFigures =>
    classFigures(
      classes[code],
      indicator(codes, code),
      rankedRows(rows, code, plane),
      rows,
      plane,
      shares[code] / total,
      uncalibrated(model, rows, plane),
    );
  const code = classes.indexOf(positive!);
  return {
    rows: codes.length,
    weight: total,
    metrics,
    baseLogLoss: entropy,
    classes: multiclass === null ? [of(code, 0)] : classes.map((_, k) => of(k, k)),
    confusion,
    histogram: histogram(model, rows),
    costs: multiclass === null ? null : meanCosts(model, rows, confusion, total),
    binary:
      multiclass === null
        ? binaryFigures(model, rows, indicator(codes, code), rankedRows(rows, code, 0), shares[code] / total)
        : null,
  };
}

/** Calls `evaluateRows` at the first request. */
export function lazyEvaluation(...of: Parameters<typeof evaluateRows>): () => Evaluation {
  let found: Evaluation | undefined;
  return () => {
    found ??= evaluateRows(...of);
    return found;
  };
}

function meanCosts(
  { manifest: { decision } }: Model,
  { probabilities, codes, weight }: ScoredRows,
  confusion: readonly Float64Array[],
  total: number,
): Evaluation['costs'] {
  const { costs } = decision;
  if (costs === undefined) return null;
  let mostProbable = 0;
  for (let i = 0; i < codes.length; i++) {
    const best = probabilities.reduce((found, plane, k) => (plane[i] > probabilities[found][i] ? k : found), 0);
    mostProbable += costs[codes[i]][best] * (weight ? weight[i] : 1);
  }
  const decided = confusion.reduce(
    (sum, row, actual) => row.reduce((part, cell, k) => part + costs[actual][k] * cell, sum),
    0,
  );
  const always = confusion.map((_, k) =>
    confusion.reduce((sum, row, actual) => sum + costs[actual][k] * row.reduce((all, cell) => all + cell, 0), 0),
  );
  return { decided: decided / total, mostProbable: mostProbable / total, constant: Math.min(...always) / total };
}

function indicator(codes: ArrayLike<number>, code: number): Uint8Array {
  const marks = new Uint8Array(codes.length);
  for (let i = 0; i < marks.length; i++) marks[i] = codes[i] === code ? 1 : 0;
  return marks;
}

function classFigures(
  name: string,
  y: Uint8Array,
  ranked: Ranked,
  { probabilities, weight, weightKind }: ScoredRows,
  plane: number,
  share: number,
  before: Float64Array | null,
): ClassFigures {
  const binsOf = (values: Float64Array) => reliability({ probabilities: values }, y, weight, BINS);
  const rankedBy = [ranked.scores, ranked.y, ranked.weight] as const;
  const roc = rocCurve(...rankedBy);
  const curve = roc && precisionRecallCurve(...rankedBy);
  const interval = roc && aucInterval(...rankedBy, { weightKind });
  return {
    name,
    share,
    auc: roc && {
      value: interval ? interval.auc : auc(...rankedBy)!,
      interval: tells(interval) ? interval : null,
    },
    averagePrecision: roc && averagePrecision(...rankedBy),
    roc: roc ? points(roc.fpr, roc.tpr) : [],
    precisionRecall: curve ? points(curve.recall.reverse(), curve.precision.reverse()) : [],
    reliability: binsOf(probabilities[plane]),
    uncalibrated: before && binsOf(before),
  };
}

/** Rows without overlap, or very few rows, give an interval that is a point or [0, 1]. */
const tells = (found: AucInterval | null): boolean =>
  found !== null && found.low < found.high && found.high - found.low < 1;

/** Thins a curve to the points that a drawing can show. */
function points(x: Float64Array, y: Float64Array): Point[] {
  return Array.from(thinCurve(x, y, CURVE_POINTS), (k) => ({ x: x[k], y: y[k] }));
}

/** Probabilities of a class before calibration; null if the model is not calibrated. */
function uncalibrated(model: Model, { logits }: ScoredRows, plane: number): Float64Array | null {
  const { multiclass } = model.manifest;
  if (!isCalibrated(model)) return null;
  if (multiclass === null) return logits[0].map((z) => sigmoid(z));
  const rows = logits[0].length;
  const all = new Float64Array(logits.length * rows);
  logits.forEach((one, k) => {
    all.set(one, k * rows);
  });
  softmax(all, 0, rows, logits.length, rows, exp, multiclass === 'ovr');
  return all.subarray(plane * rows, (plane + 1) * rows);
}

const isCalibrated = ({ manifest }: Model): boolean => {
  const { calibration } = manifest;
  return !!calibration && (calibration.method !== 'none' || calibration.shift.length > 0);
};

/** Two classes: the probability by class. More classes: the probability of the decided class, by whether it is right. */
function histogram(model: Model, { probabilities, codes, labels, weight }: ScoredRows): Histogram {
  const { classes, positive, multiclass } = model.manifest;
  const code = classes.indexOf(positive!);
  const upper = new Float64Array(HISTOGRAM_BINS);
  const lower = new Float64Array(HISTOGRAM_BINS);
  for (let i = 0; i < codes.length; i++) {
    const probability = probabilities[multiclass === null ? 0 : labels[i]][i];
    const group = codes[i] === (multiclass === null ? code : labels[i]) ? upper : lower;
    group[Math.min(Math.floor(probability * HISTOGRAM_BINS), HISTOGRAM_BINS - 1)] += weight ? weight[i] : 1;
  }
  const names = multiclass === null ? [classes[code], classes[1 - code]] : ['right', 'wrong'];
  return { upper: { name: names[0], weights: upper }, lower: { name: names[1], weights: lower } };
}

function binaryFigures(model: Model, rows: ScoredRows, y: Uint8Array, ranked: Ranked, share: number): BinaryFigures {
  const { threshold } = model.manifest.decision;
  const { logits, weight } = rows;
  const probabilities = rows.probabilities[0];
  const both = share > 0 && share < 1;
  const z = isCalibrated(model) ? probabilities.map(logit) : logits[0];
  const table = confusion(probabilities, y, threshold, weight);
  const gain = both ? gainCurve(ranked.scores, ranked.y, ranked.weight) : null;
  return {
    threshold,
    confusion: table,
    ks: ksStatistic(ranked.scores, ranked.y, ranked.weight)?.ks ?? null,
    brier: brierDecomposition({ probabilities }, y, weight, BINS),
    slope: both ? calibrationSlope(z, y, weight) : null,
    large: {
      predicted: weightedMean(probabilities, weight),
      observed: share,
      intercept: both ? calibrationIntercept(z, y, weight) : null,
    },
    cost: costOf(model, table),
    curve: thresholdCurve(model, ranked.ordered(probabilities), ranked),
    gain: gain ? points(gain.share, gain.gain) : [],
  };
}

function weightedMean(values: Float64Array, weight?: Float64Array): number {
  let [sum, total] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const s = weight ? weight[i] : 1;
    sum += s * values[i];
    total += s;
  }
  return sum / total;
}

/** Costs of a confusion matrix with the costs in the model's decision. */
function costOf({ manifest: { decision, classes, positive } }: Model, table: Confusion): BinaryFigures['cost'] {
  const given = decision.chosen?.costs;
  const matrix = decision.costs && costsOfMatrix(decision.costs, classes.indexOf(positive!));
  const costs = given ? { tp: 0, tn: 0, ...given } : matrix;
  if (!costs || !Object.values(costs).every(Number.isFinite)) return null;
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = table;
  const [hits, others] = [truePositives + falseNegatives, falsePositives + trueNegatives];
  const total = hits + others;
  const { tp, fp, fn, tn } = costs;
  return {
    decided: (tp * truePositives + fp * falsePositives + fn * falseNegatives + tn * trueNegatives) / total,
    everybody: (tp * hits + fp * others) / total,
    nobody: (fn * hits + tn * others) / total,
  };
}

/** Largest number of Newton steps. */
const STEPS = 50;

/**
 * The intercept of the outcome on the logits with slope 1, with its 95 % interval. It is 0 if the mean probability equals the share of the class.
 * Null if there is no estimate.
 * @see Cox, Biometrika 45, 1958; Steyerberg, Clinical Prediction Models, 15.3
 */
function calibrationIntercept(logits: Float64Array, y: Uint8Array, weight?: Float64Array): Estimate | null {
  // σ(z + v) = 1/(1 + e⁻ᶻ·e⁻ᵛ)
  const odds = logits.map((z) => exp(-z));
  let value = 0;
  for (let step = 0; step < STEPS; step++) {
    const factor = exp(-value);
    let [slope, curvature] = [0, 0];
    for (let i = 0; i < y.length; i++) {
      const s = weight ? weight[i] : 1;
      const p = 1 / (1 + odds[i] * factor);
      slope += s * (y[i] - p);
      curvature += s * p * (1 - p);
    }
    if (!(curvature > 0) || !Number.isFinite(slope)) return null;
    const change = Math.max(-2, Math.min(2, slope / curvature));
    value += change;
    if (Math.abs(change) < 1e-10) {
      const half = Z95 / Math.sqrt(curvature);
      return { value, interval: { low: value - half, high: value + half } };
    }
  }
  return null;
}

const logit = (probability: number): number => Math.log(probability) - Math.log1p(-probability);

/**
 * Slope of the regression of the outcome on the logit, with its 95 % interval; null if there is no estimate.
 * @see Cox, Two further applications of a model for binary regression, Biometrika 45, 1958
 */
function calibrationSlope(logits: Float64Array, y: Uint8Array, weight?: Float64Array): Estimate | null {
  try {
    const x = { layout: 'rows', rows: logits.length, columns: 1, values: logits } as const;
    const { weights, covariance, report } = fitMatrix(x, y, { weight, penalty: 'none', inference: true });
    const half = covariance ? Z95 * Math.sqrt(covariance[0]) : Number.NaN;
    const [value] = weights;
    return report.converged && half > 0 ? { value, interval: { low: value - half, high: value + half } } : null;
  } catch (error) {
    if (error instanceof LogoddsError) return null; // infinite logits, classes apart
    throw error;
  }
}

/** Φ⁻¹(0.975) */

/** The meaning of the values on a chosen threshold's curve. Small costs are good; the others are shares, of which large ones are good. */
const CRITERIA: Readonly<Record<ChosenThreshold['by'], (parameter: number | null) => string>> = {
  cost: () => 'mean cost',
  fbeta: (beta) => `F${beta} score`,
  recall: (least) => `recall, where precision is at least ${least}`,
  precision: (least) => `precision, where recall is at least ${least}`,
  budget: (most) => `share of the rows flagged, of a budget of ${budget(most!)}`,
};
const SHARE = [0, 1] as const;
const ANY = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** @param probabilities  of the ranked rows */
function thresholdCurve(model: Model, probabilities: Float64Array, { y, weight }: Ranked): ThresholdCurve {
  const { decision, classes, positive } = model.manifest;
  const { chosen, threshold, costs = MISTAKES } = decision;
  if (chosen && chosen.curve.length > 1) {
    const criterion = CRITERIA[chosen.by](chosen.parameter);
    const least = chosen.by === 'cost';
    const source = 'Chosen in training by cross-validation: mean over the folds and its 95 % interval.';
    return {
      criterion,
      least,
      source,
      points: chosen.curve,
      bounds: least ? ANY : SHARE,
      best: threshold,
      range: chosen.range,
    };
  }
  const points = costCurve(probabilities, y, weight, costsOfMatrix(costs, classes.indexOf(positive!)));
  const best = points.reduce((a, b) => (b.value < a.value ? b : a));
  const near = points.filter(({ value }) => value <= best.value + best.stdError);
  return {
    criterion: costs === MISTAKES ? 'share of wrong labels' : 'mean cost',
    least: true,
    source:
      costs === MISTAKES
        ? 'On these rows. No costs were given, so every mistake counts the same.'
        : 'On these rows, with the costs in the model.',
    points,
    bounds: [Math.min(...costs.flat()), Math.max(...costs.flat())],
    best: best.threshold,
    range: [near[0].threshold, near[near.length - 1].threshold],
  };
}

/** A mistake costs 1, a hit nothing. */
const MISTAKES: readonly (readonly number[])[] = [
  [0, 1],
  [1, 0],
];

/** Mean cost along thresholds, evenly spaced and at quantiles of the probabilities, with its standard error. */
function costCurve(
  probabilities: Float64Array,
  y: Uint8Array,
  weight: Float64Array | undefined,
  cost: Required<Costs>,
) {
  const { values: sorted, tags } = sortTagged(probabilities, (row) => 2 * row + y[row]);
  const thresholds = new Set<number>();
  for (let k = 0; k <= CURVE_POINTS / 2; k++) {
    thresholds.add(k / (CURVE_POINTS / 2));
    thresholds.add(sorted[Math.round((k / (CURVE_POINTS / 2)) * (sorted.length - 1))]);
  }
  const at = Float64Array.from(thresholds).sort();
  // over the rows that threshold k is the first not to flag
  const positives = new Float64Array(at.length + 1);
  const negatives = new Float64Array(at.length + 1);
  for (let i = 0, k = 0; i < sorted.length; i++) {
    while (k < at.length && at[k] < sorted[i]) k++;
    (tags[i] & 1 ? positives : negatives)[k] += weight ? weight[tags[i] >>> 1] : 1;
  }
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  const [all, others] = [sum(positives), sum(negatives)];
  let missed = 0;
  let rest = 0;
  return Array.from(at, (threshold, k) => {
    missed += positives[k];
    rest += negatives[k];
    const mean = (power: number) =>
      (missed * cost.fn ** power +
        (all - missed) * cost.tp ** power +
        rest * cost.tn ** power +
        (others - rest) * cost.fp ** power) /
      (all + others);
    const value = mean(1);
    return { threshold, value, stdError: Math.sqrt(Math.max(0, mean(2) - value ** 2) / (all + others)) };
  });
}

const CURVE_POINTS = 200;
