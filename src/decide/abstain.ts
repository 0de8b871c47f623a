import { LogoddsError } from '../../bindings/errors.ts';
import { greatest } from '../../bindings/js/math.ts';
import { type Costs, costThreshold } from './costs.ts';
import type { Decision } from './decision.ts';

/** A band of probabilities, [low, high], that a person reviews. */
export type Band = NonNullable<Decision['abstain']>;

/**
 * Returns the band of probabilities, with two classes, in which a review is cheaper than the better decision.
 *
 *   p·fn + (1 − p)·tn > review   and   p·tp + (1 − p)·fp > review;   without costs of hits review/fn < p < 1 − review/fp
 *
 * It assumes that the reviewer's answer is right and that the review costs nothing else.
 * @param review  cost of one review
 * @returns null when a review is never cheaper
 * @throws ERR_RANGE costs as `costThreshold`; a review that is cheaper than both hits, so that everything would be reviewed
 * @see Chow, On optimum recognition error and reject tradeoff, IEEE Trans. Information Theory 16, 1970
 * @example
 * abstainByCost({ fp: 1, fn: 4 }, 0.5); // { low: 0.125, high: 0.5 }
 */
export function abstainByCost(costs: Costs, review: number): Band | null {
  costThreshold(costs);
  const { fp, fn, tp = 0, tn = 0 } = costs;
  if (!Number.isFinite(review) || (review < tp && review < tn)) {
    throw new LogoddsError(
      'ERR_RANGE',
      `review: expected a finite cost, at least that of a hit (${Math.min(tp, tn)}), got ${review}; correct it`,
    );
  }
  const [low, high] = [above(tn, fn, review), above(fp, tp, review)].reduce(([a, b], [c, d]) => [
    Math.max(a, c),
    Math.min(b, d),
  ]);
  return low < high ? { low, high } : null;
}

/** The part of [0, 1] where the line from `at0` to `at1` is above the value; its low end is above its high end when there is none. */
function above(at0: number, at1: number, value: number): [low: number, high: number] {
  if (at0 === at1) return at0 > value ? [0, 1] : [1, 0];
  const crossing = (value - at0) / (at1 - at0);
  return at1 > at0 ? [Math.max(0, crossing), 1] : [0, Math.min(1, crossing)];
}

/**
 * Returns the band of the given share of rows, those that are decided with the least margin.
 *
 * With two classes these are the rows nearest to the threshold (where costs decide, the margin is proportional to |p − threshold|). With more they
 * are the rows with the least greatest probability. Tied rows stay together, so the band may hold fewer rows than the share, never more.
 *
 * @param probabilities  with two classes those of the positive one; with more class after class, class k of row i at k·n + i
 * @param share  share of the weight of all rows, in (0, 1)
 * @param options  `classes`: how many, default 2; n is probabilities.length/classes, or probabilities.length for two. `threshold`: for two classes,
 * default 0.5. `weight`: length n, finite and ≥ 0, default all 1.
 * @throws ERR_RANGE a share outside (0, 1), probabilities outside [0, 1], a share so small that the first tied rows exceed it (they are named)
 * @throws ERR_SHAPE lengths that do not fit; ERR_DATA no row of positive weight
 * @example
 * abstainByShare(Float64Array.of(0.1, 0.45, 0.6, 0.9), 0.5); // { low: 0.45, high: 0.6 }
 */
export function abstainByShare(
  probabilities: Float64Array | Float32Array,
  share: number,
  {
    classes = 2,
    threshold = 0.5,
    weight = null,
  }: { classes?: number; threshold?: number; weight?: ArrayLike<number> | null } = {},
): Band {
  if (!(share > 0 && share < 1)) {
    throw new LogoddsError(
      'ERR_RANGE',
      `review share: expected a number above 0 and below 1, got ${share}; correct it`,
    );
  }
  const rows = classes === 2 ? probabilities.length : probabilities.length / classes;
  if (!Number.isInteger(rows) || (weight && weight.length !== rows)) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `probabilities and weights: expected ${classes === 2 ? 1 : classes} probabilities and a weight for each row, got ${probabilities.length} and ${weight?.length ?? 'no'}; pass them for the same rows`,
    );
  }
  const score = (i: number): number =>
    classes === 2 ? probabilities[i] : probabilities[i + rows * greatest(probabilities, i, rows, classes)];
  const margin = new Float64Array(rows);
  const kept: number[] = [];
  let total = 0;
  for (let i = 0; i < rows; i++) {
    if (weight && weight[i] === 0) continue;
    const p = score(i);
    if (!(p >= 0 && p <= 1)) {
      throw new LogoddsError(
        'ERR_RANGE',
        `probability of row ${i} (from 0): expected a number from 0 to 1, got ${p}; correct it`,
      );
    }
    margin[i] = classes === 2 ? Math.abs(p - threshold) : p;
    total += weight ? weight[i] : 1;
    kept.push(i);
  }
  if (!(total > 0))
    throw new LogoddsError('ERR_DATA', 'rows: expected at least one of positive weight, got none; pass more rows');
  kept.sort((a, b) => margin[a] - margin[b]);
  const limit = share * total * (1 + 1e-12);
  let reviewed = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < kept.length; ) {
    const level = margin[kept[k]];
    let tied = 0;
    let end = k;
    for (; end < kept.length && margin[kept[end]] === level; end++) tied += weight ? weight[kept[end]] : 1;
    if (reviewed + tied > limit) {
      if (k === 0) {
        throw new LogoddsError(
          'ERR_RANGE',
          `review share: expected at least ${tied / total} (the rows with the least margin are tied), got ${share}; raise it`,
        );
      }
      // of several classes the band ends before the next row: a greatest probability below `high` is for review
      return classes === 2 ? { low, high } : { low: 0, high: level };
    }
    reviewed += tied;
    for (; k < end; k++) {
      low = Math.min(low, score(kept[k]));
      high = Math.max(high, score(kept[k]));
    }
  }
  return { low, high };
}
