/** Rows to hold out by the order of a column. */
import { LogoddsError, type NumericColumn } from '../../../src/index.ts';

/**
 * Flags about `fraction` of the rows, those with the largest values. Equal values stay together, on the side that comes closer to the
 * fraction. A missing value is not held out.
 * @throws ERR_DATA when all values are equal
 */
export function largestOf({ name, values, missing }: NumericColumn, rows: number, fraction: number): Uint8Array {
  const all = values instanceof Float64Array ? values.subarray(0, rows) : new Float64Array(values.subarray(0, rows));
  const known = missing ? all.filter((_, row) => !missing[row]) : all;
  const below = Math.max(1, Math.ceil(Math.max(0, 1 - (fraction * rows) / known.length) * known.length)) - 1;
  const cut = nthSmallest(known, below);
  let [above, fromCut] = [0, 0];
  for (let i = 0; i < known.length; i++) {
    if (known[i] > cut) above++;
    if (known[i] >= cut) fromCut++;
  }
  const distance = (held: number) =>
    held === 0 || held === rows ? Number.POSITIVE_INFINITY : Math.abs(held - fraction * rows);
  if (Math.min(distance(above), distance(fromCut)) === Number.POSITIVE_INFINITY) {
    throw new LogoddsError(
      'ERR_DATA',
      `--holdout-by ${name}: expected values that differ, got one value in all rows; name another column or --no-holdout`,
    );
  }
  const open = distance(above) <= distance(fromCut);
  const flags = new Uint8Array(rows);
  if (open) for (let row = 0; row < rows; row++) flags[row] = all[row] > cut ? 1 : 0;
  else for (let row = 0; row < rows; row++) flags[row] = all[row] >= cut ? 1 : 0;
  if (missing) for (let row = 0; row < rows; row++) if (missing[row]) flags[row] = 0;
  return flags;
}

/** Parts of the range of values, of which one is searched. */
const PARTS = 2 ** 16;

/** The value that would be at place n in ascending order: the values of its part of the range are counted, and only they are ordered. */
function nthSmallest(values: Float64Array, n: number): number {
  let least = values[0];
  let greatest = least;
  let sorted = 1;
  while (sorted < values.length && values[sorted] >= values[sorted - 1]) sorted++;
  if (sorted === values.length) return values[n];
  for (let i = 1; i < values.length; i++) {
    const value = values[i];
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const scale = PARTS / (greatest - least);
  // a range beyond the numbers is one part
  const partOf = (value: number): number => Math.min(PARTS - 1, ((value - least) * scale) | 0);
  const counts = new Int32Array(PARTS);
  for (let i = 0; i < values.length; i++) counts[partOf(values[i])]++;
  let part = 0;
  let before = 0;
  while (before + counts[part] <= n) before += counts[part++];
  const inside = values.filter((value) => partOf(value) === part);
  return nthOfFew(inside, n - before);
}

/** The same for values that it reorders. @see Hoare, Algorithm 65: FIND, 1961 */
function nthOfFew(values: Float64Array, n: number): number {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const pivot = values[(low + high) >>> 1];
    let [i, j] = [low, high];
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i > j) break;
      const value = values[i];
      values[i++] = values[j];
      values[j--] = value;
    }
    if (n <= j) high = j;
    else if (n >= i) low = i;
    else break;
  }
  return values[n];
}
