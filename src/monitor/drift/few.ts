/** Tests of shares that hold where counts are few. */

import { chiSquareTail } from '../../math/chiSquare.ts';
import { chiSquareCounts } from './tests.ts';

/** Expected counts below this are too few for the approximation of χ². */
const FEW = 5;

/** The least expected count of a 2 × 2 table: k of n rows, and l of m. */
const leastExpected = (k: number, n: number, l: number, m: number): number =>
  (Math.min(k + l, n + m - k - l) * Math.min(n, m)) / (n + m);

/**
 * The p-value of two shares, k of n rows and l of m: χ² with 1 degree of freedom, or Fisher's exact test where an expected count is below 5. χ² would call one empty cell of 40
 * rows beside none of 2,400 a matter of 1e-14, where it is one of 1/61.
 *
 *   p = Σ P(x) over the x with P(x) ≤ P(l),   x hypergeometric: rows of the m among k + l
 * @see Fisher 1935; Cochran 1954 (expected counts); R, `fisher.test`
 */
export function sharesP(k: number, n: number, l: number, m: number): number {
  const both = k + l;
  if (both === 0 || both === n + m) return 1;
  if (leastExpected(k, n, l, m) >= FEW) return chiSquareTail(chiSquareCounts([k, n - k], [l, m - l]).chi2, 1);
  // weights from the mode on, so that none overflows
  const [low, high] = [Math.max(0, both - n), Math.min(both, m)];
  const mode = Math.min(high, Math.max(low, Math.floor(((both + 1) * (m + 1)) / (n + m + 2))));
  const up = (x: number): number => ((both - x) * (m - x)) / ((x + 1) * (n - both + x + 1));
  const weights = new Map([[mode, 1]]);
  for (let x = mode; x < high && weights.get(x)! > 0; x++) weights.set(x + 1, weights.get(x)! * up(x));
  for (let x = mode; x > low && weights.get(x)! > 0; x--) weights.set(x - 1, weights.get(x)! / up(x - 1));
  const own = (weights.get(l) ?? 0) * (1 + 1e-7);
  let [all, beyond] = [0, 0];
  for (const weight of weights.values()) {
    all += weight;
    if (weight <= own) beyond += weight;
  }
  return Math.min(1, beyond / all);
}

/**
 * The p-value of categories whose last one is the rare ones together: χ², or where these are still too few twice the lesser of χ² without them and of the exact test of their
 * share.
 */
export function countsP(reference: readonly number[], current: readonly number[]): number {
  const { p } = chiSquareCounts(reference, current);
  const last = reference.length - 1;
  if (last < 1) return p;
  const [n, m] = [reference, current].map((counts) => counts.reduce((sum, count) => sum + count, 0));
  const [k, l] = [reference[last], current[last]];
  if (last === 1) return sharesP(k, n, l, m);
  if (leastExpected(k, n, l, m) >= FEW) return p;
  if (n === k || m === l) return sharesP(k, n, l, m);
  const others = chiSquareCounts(reference.slice(0, last), current.slice(0, last)).p;
  return Math.min(1, 2 * Math.min(others, sharesP(k, n, l, m)));
}
