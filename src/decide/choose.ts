import { LogoddsError, refuse } from '../../bindings/errors.ts';
import { sortTagged } from '../math/sort.ts';
import { type Costs, checkRowCosts, costAt, costThreshold, type RowCosts } from './costs.ts';
import type { ChosenThreshold } from './decision.ts';

/**
 * The criterion by which a threshold is chosen. A row is called positive when its probability is above the threshold.
 *
 *   cost       least mean cost per unit of weight; each row may have its own costs
 *   fbeta      greatest Fβ = (1 + β²)·TP/((1 + β²)·TP + β²·FN + FP)
 *   recall     greatest recall TP/(TP + FN) where precision is at least `precision`
 *   precision  greatest precision TP/(TP + FP) where recall is at least `recall`
 *   budget     most rows called positive, but at most the given share, or number, of them
 */
export type Criterion =
  | { readonly by: 'cost'; readonly costs?: Costs }
  | { readonly by: 'fbeta'; readonly beta: number }
  | { readonly by: 'recall'; readonly precision: number }
  | { readonly by: 'precision'; readonly recall: number }
  | { readonly by: 'budget'; readonly share: number }
  | { readonly by: 'budget'; readonly rows: number };

/** Rows that a model was not fitted to: one fold of a cross-validation, or held-out rows. */
export interface JudgedRows {
  /** probability of the positive class for each row, in [0, 1] */
  readonly probabilities: Float64Array | Float32Array;
  /** 1 for a positive row, 0 for a negative one */
  readonly y: ArrayLike<number>;
  /** finite and ≥ 0; default all 1. An integer weight w counts as w identical rows; 0 drops the row. */
  readonly weight?: ArrayLike<number> | null;
  /** by cost: the costs of these rows, instead of those of the criterion */
  readonly costs?: RowCosts;
}

/** largest number of points in a stored curve */
const POINTS = 200;
/** values that differ by less than this (relative) are equal up to rounding */
const SLACK = 1e-12;

/** Weights flagged at some threshold in one fold. */
interface Counts {
  tp: number;
  fp: number;
  cost: number;
  readonly positives: number;
  readonly total: number;
}

/** `value` is maximised while `side` is at least `least`. Ties go to the greater `side`, then to the threshold that flags fewer rows. */
interface Rule {
  readonly parameter: number | null;
  readonly sign: 1 | -1;
  readonly value: (counts: Counts) => number;
  readonly side: (counts: Counts) => number;
  readonly least: number;
  readonly bothClasses: boolean;
  /** message of the error when no threshold qualifies; `reached`: the greatest side found */
  readonly refusal: (reached: number) => string;
}

const recall = ({ tp, positives }: Counts): number => tp / positives;
/** 0 where nothing is flagged, as scikit-learn's zero_division=0 */
const precision = ({ tp, fp }: Counts): number => (tp + fp > 0 ? tp / (tp + fp) : 0);
const flagged = ({ tp, fp, total }: Counts): number => (tp + fp) / total;
const free = { side: () => 0, least: 0, refusal: () => '' };

function ruleOf(criterion: Criterion, total: number): Rule {
  const { by } = criterion;
  if (by === 'cost') {
    const value = ({ cost, total: weight }: Counts): number => cost / weight;
    return { ...free, parameter: null, sign: -1, value, bothClasses: false };
  }
  if (by === 'fbeta') {
    const { beta } = criterion;
    must(beta > 0 && beta < Number.POSITIVE_INFINITY, 'beta', 'a finite number > 0', beta);
    const square = beta * beta;
    const value = ({ tp, fp, positives }: Counts): number => ((1 + square) * tp) / (square * positives + tp + fp);
    return { ...free, parameter: beta, sign: 1, value, bothClasses: true };
  }
  if (by === 'budget') {
    const inRows = 'rows' in criterion;
    const asked = inRows ? criterion.rows : criterion.share;
    if (inRows) must(asked > 0 && asked <= total, 'budget', `a number of rows up to ${total}`, asked);
    else must(asked > 0 && asked <= 1, 'budget', 'a share above 0, at most 1', asked);
    const unit = inRows ? total : 1;
    return {
      parameter: asked,
      sign: 1,
      value: flagged,
      side: (counts) => (counts.tp + counts.fp > 0 ? -flagged(counts) : Number.NEGATIVE_INFINITY),
      least: -asked / unit,
      bothClasses: false,
      refusal: (reached) =>
        `budget: expected at least ${-reached * unit} (the rows with the greatest probability are tied), got ${asked}; raise it`,
    };
  }
  if (by !== 'recall' && by !== 'precision') must(false, 'criterion', 'cost, fbeta, recall, precision or budget', by);
  const [least, name, value, side] =
    by === 'recall'
      ? ([criterion.precision, 'precision', recall, precision] as const)
      : ([criterion.recall, 'recall', precision, recall] as const);
  must(least > 0 && least <= 1, name, 'a number above 0, at most 1', least);
  const refusal = (reached: number): string =>
    `${name}: expected at most ${reached} (the best that a threshold reaches), got ${least}; lower it`;
  return { parameter: least, sign: 1, value, side, least, bothClasses: true, refusal };
}

/**
 * Chooses the threshold of two classes from rows that the model was not fitted to.
 *
 * In each fold the criterion is a step function of the threshold. Its mean over the folds, each weighted by its rows, is computed exactly at every
 * step. The threshold is the middle of the best step, so probability > threshold selects exactly the rows that were counted, tied ones together.
 * Side conditions apply to the mean over the folds. Among equal means the better side condition wins, then the threshold that selects fewer rows.
 *
 *   mean = Σ w_f·value_f,   stdError = √(Σ w_f·(value_f − mean)²/(folds − 1)),   w_f share of the weight in fold f
 *
 * `range` has the thresholds that each fold alone would have chosen, without folds in which no threshold meets the condition. A threshold of 1
 * calls no row positive, and one that is not above 0 calls every row positive. O(n log n).
 *
 * @param folds  one (held-out rows, which give no standard error) or more
 * @throws ERR_SHAPE lengths that differ
 * @throws ERR_DATA no rows of positive weight in a fold, or of one class only where the criterion needs both
 * @throws ERR_RANGE a value outside its domain, costs as `costThreshold`, a condition no threshold meets (the message names the best that is possible)
 * @see scikit-learn's TunedThresholdClassifierCV
 * @example
 * const rows = { probabilities: Float64Array.of(0.1, 0.45, 0.6, 0.9), y: [0, 1, 0, 1] };
 * const { threshold, chosen } = chooseThreshold({ by: 'cost', costs: { fp: 1, fn: 4 } }, [rows]);
 * threshold; // 0.275
 * chosen.value; // 0.25
 */
export function chooseThreshold(
  criterion: Criterion,
  folds: readonly JudgedRows[],
): { readonly threshold: number; readonly chosen: ChosenThreshold } {
  if (folds.length === 0)
    throw new LogoddsError('ERR_DATA', 'folds: expected at least one, got none; pass held-out rows');
  if (criterion.by === 'cost' && criterion.costs) costThreshold(criterion.costs);
  const counts = folds.map((fold, f) => startOf(criterion, fold, folds.length > 1 ? `fold ${f + 1}` : 'rows'));
  const total = counts.reduce((sum, fold) => sum + fold.total, 0);
  const rule = ruleOf(criterion, total);
  counts.forEach(({ positives, total: weight }, f) => {
    if (rule.bothClasses && !(positives > 0 && positives < weight)) {
      throw new LogoddsError(
        'ERR_DATA',
        `fold ${f + 1}: expected rows of both classes, got ${positives > 0 ? 'positive' : 'negative'} ones only; use more rows or fewer folds`,
      );
    }
  });
  const steps = sweep(criterion, rule, folds, counts, total);
  const best = optimum(rule, steps);
  if (best < 0) throw new LogoddsError('ERR_RANGE', rule.refusal(steps.side.reduce((a, b) => Math.max(a, b))));
  const own =
    folds.length < 2
      ? []
      : folds.flatMap((fold, f) => {
          const alone = sweep(criterion, rule, [fold], [counts[f]], counts[f].total);
          const at = optimum(rule, alone);
          return at < 0 ? [] : [alone.thresholds[at]];
        });
  const point = (at: number) => ({
    threshold: steps.thresholds[at],
    value: steps.value[at],
    stdError: steps.stdError ? steps.stdError[at] : null,
  });
  const { threshold, value, stdError } = point(best);
  return {
    threshold,
    chosen: {
      by: criterion.by,
      parameter: rule.parameter,
      value,
      stdError,
      range: own.length > 0 ? [Math.min(...own), Math.max(...own)] : null,
      curve: spread(steps.value.length, best).map(point),
    },
  };
}

/** Step i flags the rows of the i greatest probabilities; threshold and mean figures of each. */
interface Steps {
  readonly thresholds: Float64Array;
  readonly value: Float64Array;
  readonly side: Float64Array;
  /** null of one fold */
  readonly stdError: Float64Array | null;
}

function sweep(
  criterion: Criterion,
  rule: Rule,
  folds: readonly JudgedRows[],
  starts: readonly Counts[],
  total: number,
): Steps {
  const counts = starts.map((start) => ({ ...start }));
  const shares = counts.map((fold) => fold.total / total);
  const size = folds.reduce((sum, { probabilities }) => sum + probabilities.length, 0);
  const p = new Float64Array(size);
  const foldOf = new Uint32Array(size);
  const rowOf = new Uint32Array(size);
  let kept = 0;
  folds.forEach(({ probabilities, weight }, f) => {
    for (let i = 0; i < probabilities.length; i++) {
      if (weight && !(weight[i] > 0)) continue;
      p[kept] = probabilities[i];
      foldOf[kept] = f;
      rowOf[kept++] = i;
    }
  });
  const order = sortTagged(p.subarray(0, kept), (place) => place).tags.reverse();
  const [thresholds, value, side, stdError] = [0, 1, 2, 3].map(() => new Float64Array(kept + 1));
  const values = new Float64Array(counts.length);
  let steps = 0;
  const record = (threshold: number): void => {
    let [mean, mild, variance] = [0, 0, 0];
    for (let f = 0; f < counts.length; f++) {
      values[f] = rule.value(counts[f]);
      mean += shares[f] * values[f];
      mild += shares[f] * rule.side(counts[f]);
    }
    for (let f = 0; f < counts.length; f++) variance += shares[f] * (values[f] - mean) ** 2;
    thresholds[steps] = threshold;
    value[steps] = mean;
    side[steps] = mild;
    stdError[steps++] = Math.sqrt(variance / (counts.length - 1));
  };
  record(1);
  for (let k = 0; k < kept; ) {
    const level = p[order[k]];
    for (; k < kept && p[order[k]] === level; k++) {
      const f = foldOf[order[k]];
      flag(criterion, folds[f], rowOf[order[k]], counts[f]);
    }
    record(k < kept ? between(p[order[k]], level) : level > 0 ? 0 : -Number.MIN_VALUE);
  }
  return {
    thresholds: thresholds.subarray(0, steps),
    value: value.subarray(0, steps),
    side: side.subarray(0, steps),
    stdError: counts.length > 1 ? stdError.subarray(0, steps) : null,
  };
}

/** A number t with low ≤ t < high, half way where there is one. */
function between(low: number, high: number): number {
  const middle = low + (high - low) / 2;
  return middle < high ? middle : low;
}

/** The counts of a fold where nothing is flagged. @throws ERR_SHAPE, ERR_RANGE, ERR_DATA */
function startOf(criterion: Criterion, fold: JudgedRows, name: string): Counts {
  const { probabilities, y, weight } = fold;
  const rows = probabilities.length;
  if (y.length !== rows || (weight ?? y).length !== rows) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `${name}: expected ${rows} labels and weights (as probabilities), got ${y.length} and ${weight?.length ?? 'none'}; pass one for each row`,
    );
  }
  const costs = costsOf(criterion, fold);
  if (costs) checkRowCosts(costs, rows);
  let positives = 0;
  let total = 0;
  let cost = 0;
  for (let i = 0; i < rows; i++) {
    const share = weight ? weight[i] : 1;
    const p = probabilities[i];
    must(p >= 0 && p <= 1, `${name}, probability ${i} (from 0)`, 'a number from 0 to 1', p);
    must(y[i] === 0 || y[i] === 1, `${name}, label ${i} (from 0)`, '0 or 1', y[i]);
    must(
      share >= 0 && share < Number.POSITIVE_INFINITY,
      `${name}, weight ${i} (from 0)`,
      'a finite number >= 0',
      share,
    );
    total += share;
    if (y[i] === 1) positives += share;
    if (costs && share > 0) cost += share * costAt(y[i] === 1 ? costs.fn : costs.tn, i);
  }
  if (!(total > 0)) {
    throw new LogoddsError(
      'ERR_DATA',
      `${name}: expected at least one row of positive weight, got none; use more rows or fewer folds`,
    );
  }
  return { tp: 0, fp: 0, cost, positives, total };
}

function flag(criterion: Criterion, fold: JudgedRows, row: number, counts: Counts): void {
  const share = fold.weight ? fold.weight[row] : 1;
  const positive = fold.y[row] === 1;
  if (positive) counts.tp += share;
  else counts.fp += share;
  const costs = costsOf(criterion, fold);
  if (!costs) return;
  const { fp, fn, tp, tn } = costs;
  counts.cost += share * (positive ? costAt(tp, row) - costAt(fn, row) : costAt(fp, row) - costAt(tn, row));
}

/** null where the criterion is another. @throws ERR_RANGE when there are none */
function costsOf(criterion: Criterion, fold: JudgedRows): RowCosts | null {
  if (criterion.by !== 'cost') return null;
  const costs = fold.costs ?? criterion.costs;
  if (!costs) {
    throw new LogoddsError(
      'ERR_RANGE',
      'costs: expected fp and fn, got none; name them in the criterion or with the rows',
    );
  }
  return costs;
}

/** The best step; −1 when none meets the side condition. */
function optimum({ sign, least }: Rule, { value, side }: Steps): number {
  const near = (a: number): number => SLACK * Math.max(1, Math.abs(a));
  const slack = SLACK * value.reduce((size, one) => Math.max(size, Math.abs(one)), 0);
  let best = -1;
  for (let i = 0; i < value.length; i++) {
    if (side[i] < least - near(least)) continue;
    const gain = best < 0 ? 1 : sign * (value[i] - value[best]);
    if (best < 0 || gain > slack || (gain >= -slack && side[i] > side[best] + SLACK)) best = i;
  }
  return best;
}

/** At most POINTS of the indices 0 … count − 1, rising in threshold (falling in index), ends and `best` among them. */
function spread(count: number, best: number): number[] {
  const taken = new Set([best]);
  const points = Math.min(count, POINTS - 1);
  for (let i = 0; i < points; i++) taken.add(Math.round((i * (count - 1)) / Math.max(1, points - 1)));
  return [...taken].sort((a, b) => b - a);
}

function must(valid: boolean, what: string, rule: string, got: unknown): void {
  if (!valid) refuse('ERR_RANGE', what, rule, got, 'correct it');
}
