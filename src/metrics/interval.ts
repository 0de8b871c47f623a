import { LogoddsError } from '../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../bindings/names.ts';
import { quantile } from '../math/quantile.ts';
import { splitmix32 } from '../math/random.ts';
import { sortTagged } from '../math/sort.ts';
import {
  areCounts,
  checkRows,
  checkScores,
  type Labels,
  type RowScores,
  type Weight,
  type WeightKind,
} from './check.ts';
import { components, halfWidth, logitEnds, momentsOf } from './delong.ts';

/**
 * How an interval is estimated: by DeLong's variance and the normal distribution, or from resampled rows with a number of replicates and a seed.
 */
export type IntervalMethod = (
  | {
      readonly method?: 'delong';
      /** `plain` (default): symmetric about the area, cut at 0 and 1; `logit`: symmetric in log(a/(1 − a)), within 0 and 1 by itself */
      readonly scale?: 'plain' | 'logit';
    }
  | { readonly method: 'bootstrap'; readonly replicates?: number; readonly seed?: number }
) & {
  /** share of the intervals that have the true area; default 0.95 */
  readonly level?: number;
  /** what the weights are; default sampling */
  readonly weightKind?: WeightKind;
};

/** An area under the ROC curve with its standard error and interval. */
export interface AucInterval {
  readonly auc: number;
  readonly stdError: number;
  /** ends of the interval, within [0, 1] */
  readonly low: number;
  readonly high: number;
}

/**
 * Returns the area under the ROC curve with its 95 % interval (or that of another `level`); null when a class has fewer than two rows of positive weight.
 *
 *   delong     auc ± 1.96·√(Var(vᵢ)/m + Var(vⱼ)/n), cut at 0 and 1.   vᵢ: share of the negative rows below positive row i, ties counting half;
 *              vⱼ: share of the positive rows above negative row j;   m, n: number of positive and negative rows
 *              with `scale: 'logit'` the ends are σ(log(auc/(1 − auc)) ∓ 1.96·stdError/(auc·(1 − auc))), better where an area is near 1
 *   bootstrap  2.5 % and 97.5 % points of the areas of resampled rows (interpolated, as numpy's), positive and negative rows drawn apart
 *
 * Weights of `weightKind` count are numbers of rows: m = Σ s, and a row of weight 2 is two rows. Sampling weights (default) say how much a row stands for,
 * at any scale. A row is then one draw, and Var(vᵢ)/m becomes m/(m − 1)·Σ s²ᵢ(vᵢ − auc)²/(Σ s)².
 *
 * At an area of 1 both intervals are [1, 1], because rows that do not overlap cannot say how nearly they did. Other parameters and errors are those of `auc`.
 * The bootstrap takes replicates × rows steps.
 * @param method  `{ method: 'delong' }` (default), or `{ method: 'bootstrap', replicates, seed }` (default 1000 and 1); `weightKind` and
 *   `level` with both, `scale` with delong
 * @throws ERR_RANGE options that the method does not have, a level outside (0, 1), replicates that are no integer ≥ 100, a seed that is no integer, another method
 * @see DeLong, DeLong, Clarke-Pearson, Biometrics 44, 1988; Sun, Xu, IEEE Signal Processing Letters 21, 2014 (by ranks)
 * @example
 * const found = aucInterval([3, 1.5, 1, 2], [1, 1, 0, 0]);
 * found.auc; // 0.75
 * found.stdError; // 0.3536
 * found.low; // 0.0570
 */
export function aucInterval(
  scores: RowScores,
  y: Labels,
  weight?: Weight,
  method: IntervalMethod = {},
): AucInterval | null {
  const drawn = method?.method === 'bootstrap';
  const known = { method: true, weightKind: true, level: true } as const;
  refuseUnknown('aucInterval', method, drawn ? { ...known, replicates: true, seed: true } : { ...known, scale: true });
  const level = checkLevel(method.level);
  checkScores(scores);
  checkRows(scores.length, y, 2, weight, 'scores');
  const [positive, negative] = sides(scores, y, weight, method.weightKind);
  if (positive.draws < 2 || negative.draws < 2) return null;
  switch (method.method) {
    case undefined:
    case 'delong':
      return delong(areaOf(positive, negative), scores, y, weight, method, level);
    case 'bootstrap':
      return bootstrap(positive, negative, method, level);
    default:
      throw new LogoddsError(
        'ERR_RANGE',
        `method: expected delong or bootstrap, got ${(method as { method: unknown }).method}`,
      );
  }
}

/** The rows of one class of positive weight. */
interface Side {
  /** of each row which of the distinct scores it has, ascending */
  readonly ranks: Uint32Array;
  /** of each row, as `ranks` */
  readonly weights: Float64Array;
  readonly total: number;
  /** how many rows it stands for */
  readonly draws: number;
  /** whether weights count rows */
  readonly counts: boolean;
  /** how many distinct scores both classes have */
  readonly distinct: number;
}

function sides(scores: RowScores, y: Labels, weight: Weight, kind?: WeightKind): [positive: Side, negative: Side] {
  const { values, tags: rows } = sortTagged(scores, (row) => row);
  const counts = areCounts(weight, kind);
  const ranks = new Uint32Array(rows.length);
  for (let k = 1; k < rows.length; k++) ranks[k] = ranks[k - 1] + (values[k] === values[k - 1] ? 0 : 1);
  const distinct = ranks[ranks.length - 1] + 1;
  const side = (label: number): Side => {
    const own = new Uint32Array(rows.length);
    const weights = new Float64Array(rows.length);
    let size = 0;
    let total = 0;
    for (let k = 0; k < rows.length; k++) {
      const one = weight ? weight[rows[k]] : 1;
      if (y[rows[k]] !== label || !(one > 0)) continue;
      own[size] = ranks[k];
      weights[size++] = one;
      total += one;
    }
    return {
      ranks: own.slice(0, size),
      weights: weights.slice(0, size),
      total,
      draws: counts ? total : size,
      counts,
      distinct,
    };
  };
  return [side(1), side(0)];
}

/** @returns the level, default 0.95 @throws ERR_RANGE */
export function checkLevel(level = 0.95): number {
  if (typeof level === 'number' && level > 0 && level < 1) return level;
  throw new LogoddsError('ERR_RANGE', `level: expected a number above 0 and below 1, got ${tell(level)}`);
}

/** What is drawn: 1000 replicates from seed 1 by default. @throws ERR_RANGE */
export function checkDrawn({ replicates = 1000, seed = 1 }: { readonly replicates?: number; readonly seed?: number }): {
  replicates: number;
  seed: number;
} {
  if (!(Number.isInteger(replicates) && replicates >= 100)) {
    throw new LogoddsError('ERR_RANGE', `replicates: expected an integer >= 100, got ${replicates}`);
  }
  if (!Number.isInteger(seed)) throw new LogoddsError('ERR_RANGE', `seed: expected an integer, got ${seed}`);
  return { replicates, seed };
}

function delong(
  auc: number,
  scores: RowScores,
  y: Labels,
  weight: Weight,
  { weightKind, scale = 'plain' }: Extract<IntervalMethod, { method?: 'delong' }>,
  level: number,
): AucInterval {
  if (scale !== 'plain' && scale !== 'logit')
    throw new LogoddsError('ERR_RANGE', `scale: expected plain or logit, got ${tell(scale)}`);
  const sampled = { y, weight, counts: areCounts(weight, weightKind) };
  const stdError = Math.sqrt(momentsOf(components(scores, sampled), sampled)!.variance);
  if (scale === 'logit') return { auc, stdError, ...logitEnds(auc, stdError, level) };
  const half = halfWidth(level) * stdError;
  return { auc, stdError, low: Math.max(0, auc - half), high: Math.min(1, auc + half) };
}

function bootstrap(
  positive: Side,
  negative: Side,
  options: { readonly replicates?: number; readonly seed?: number },
  level: number,
): AucInterval {
  const { replicates, seed } = checkDrawn(options);
  const next = splitmix32(seed);
  const draws = [positive, negative].map(sampler);
  const areas = new Float64Array(replicates).map(() => area(draws[0](next), draws[1](next)));
  const mean = areas.reduce((sum, one) => sum + one, 0) / replicates;
  const squares = areas.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  areas.sort();
  return {
    auc: areaOf(positive, negative),
    stdError: Math.sqrt(squares / (replicates - 1)),
    low: quantile(areas, (1 - level) / 2),
    high: quantile(areas, (1 + level) / 2),
  };
}

/** Draws as many rows as there are, with replacement. @returns weight drawn at each distinct score */
function sampler({ ranks, weights, counts, draws, distinct }: Side): (next: () => number) => Float64Array {
  // a count is drawn as often as it says, each time for one row; any other weight like all rows, each time whole
  const ends = new Float64Array(weights.length);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += counts ? weights[i] : 1;
    ends[i] = sum;
  }
  return (next) => {
    const drawn = new Float64Array(distinct);
    for (let draw = 0; draw < draws; draw++) {
      const unit = next() * draws;
      let low = 0;
      let high = ends.length - 1;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (ends[middle] > unit) high = middle;
        else low = middle + 1;
      }
      drawn[ranks[low]] += counts ? 1 : weights[low];
    }
    return drawn;
  };
}

/** The area under the ROC curve from the weights of the classes at each distinct score, ascending. */
function area(positives: Float64Array, negatives: Float64Array): number {
  let sum = 0;
  let positive = 0;
  let negative = 0;
  for (let rank = 0; rank < positives.length; rank++) {
    sum += positives[rank] * (negative + negatives[rank] / 2);
    positive += positives[rank];
    negative += negatives[rank];
  }
  return sum / (positive * negative);
}

function areaOf(...both: [positive: Side, negative: Side]): number {
  const [positives, negatives] = both.map(({ ranks, weights, distinct }) => tally(ranks, weights, distinct));
  return area(positives, negatives);
}

function tally(ranks: Uint32Array, weights: Float64Array, distinct: number): Float64Array {
  const sums = new Float64Array(distinct);
  for (let i = 0; i < ranks.length; i++) sums[ranks[i]] += weights[i];
  return sums;
}
