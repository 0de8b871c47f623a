import { ln, ln1p, sigmoid } from '../../bindings/js/math.ts';
import { normalQuantile } from '../math/normal.ts';
import { sortTagged } from '../math/sort.ts';
import type { Labels, RowScores, Weight } from './check.ts';

/** How weights enter a variance: `counts`, whether they are numbers of rows. */
export interface Sampled {
  readonly y: Labels;
  readonly weight: Weight;
  readonly counts: boolean;
}

/**
 * DeLong's components of an area under the ROC curve, a value for each row: of a positive row the share of the negative weight below it, of a negative row
 * the share of the positive weight above it, ties counting half. The mean of each class is the area. One sort: O(n log n), here O(n) by radix.
 * @see Sun, Xu, IEEE Signal Processing Letters 21, 2014
 */
export function components(scores: RowScores, { y, weight }: Omit<Sampled, 'counts'>): Float64Array {
  const { values, tags: rows } = sortTagged(scores, (row) => row);
  const share = (row: number): number => (weight ? weight[row] : 1);
  const totals = [0, 0];
  for (let row = 0; row < rows.length; row++) totals[y[row]] += share(row);
  const found = new Float64Array(rows.length);
  const below = [0, 0];
  for (let start = 0, end = 0; start < rows.length; start = end) {
    const here = [0, 0];
    for (; end < rows.length && values[end] === values[start]; end++) here[y[rows[end]]] += share(rows[end]);
    const positive = (below[0] + here[0] / 2) / totals[0];
    const negative = (totals[1] - below[1] - here[1] / 2) / totals[1];
    for (let k = start; k < end; k++) found[rows[k]] = y[rows[k]] === 1 ? positive : negative;
    below[0] += here[0];
    below[1] += here[1];
  }
  return found;
}

/** What the components of an area, or the differences of the components of two areas, say: their mean, and the variance of it. */
export interface Moments {
  readonly mean: number;
  readonly variance: number;
}

/**
 * Σ over the classes of the variance of the mean of their values. It is null when a class has fewer than two draws.
 *
 *   counts     Σ s(v − v̄)² / (S·(S − 1))
 *   sampling   m/(m − 1) · Σ s²(v − v̄)² / S²,   m: rows of positive weight
 */
export function momentsOf(values: Float64Array, { y, weight, counts }: Sampled): Moments | null {
  const sums = [0, 1].map((label) => {
    let total = 0;
    let rows = 0;
    let sum = 0;
    for (let i = 0; i < values.length; i++) {
      const share = weight ? weight[i] : 1;
      if (y[i] !== label || !(share > 0)) continue;
      rows++;
      total += share;
      sum += share * values[i];
    }
    const mean = sum / total;
    let squares = 0;
    for (let i = 0; i < values.length; i++) {
      const share = weight ? weight[i] : 1;
      if (y[i] === label && share > 0) squares += (counts ? share : share ** 2) * (values[i] - mean) ** 2;
    }
    const draws = counts ? total : rows;
    return {
      mean,
      draws,
      variance: counts ? squares / (total * (draws - 1)) : (squares * draws) / (draws - 1) / total ** 2,
    };
  });
  const [negative, positive] = sums;
  if (negative.draws < 2 || positive.draws < 2) return null;
  return { mean: positive.mean, variance: positive.variance + negative.variance };
}

/** Half the width of an interval of this level, in standard errors. */
export const halfWidth = (level: number): number => -normalQuantile((1 - level) / 2);

/**
 * The ends of an interval of a share between 0 and 1, symmetric in log(a/(1 − a)), so that it stays inside and is wider towards the middle. At 0 and 1 it is
 * that point.
 */
export function logitEnds(share: number, stdError: number, level: number): { low: number; high: number } {
  if (!(share > 0 && share < 1)) return { low: share, high: share };
  const logit = ln(share) - ln1p(-share);
  const move = (halfWidth(level) * stdError) / (share * (1 - share));
  return { low: sigmoid(logit - move), high: sigmoid(logit + move) };
}
