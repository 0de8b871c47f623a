import { countClasses } from './encode/tally.ts';

/**
 * S_c, the weight of the rows of each class.
 * @param y  of two classes the share of each row that belongs to the second one (0, 1, or between where a row counts trials); of more its class
 * @param weight  absent: ones
 */
export function classWeights(
  classes: number,
  y: ArrayLike<number>,
  weight: ArrayLike<number> | null | undefined,
): Float64Array {
  if (!weight && y instanceof Uint8Array) return countClasses(y, classes);
  const sums = new Float64Array(classes);
  for (let i = 0; i < y.length; i++) {
    const s = weight ? weight[i] : 1;
    if (classes > 2) sums[y[i]] += s;
    else {
      sums[0] += s * (1 - y[i]);
      sums[1] += s * y[i];
    }
  }
  return sums;
}
