/** Buckets in which numbers are counted. */
const BUCKETS = 4096;

/**
 * The numbers at some places of the sorted array, without sorting all of them: they are counted in buckets of equal width, and only buckets
 * with a wanted place are sorted. The slowest case, all numbers in one bucket, is a sort.
 * @param values  finite, at least one
 * @param places  from 0, in any order
 * @returns the number at each place
 */
export function valuesAt(values: Float64Array, places: readonly number[]): number[] {
  let min = values[0];
  let max = values[0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value >= min && value <= max) continue;
    if (value < min) min = value;
    else max = value;
  }
  const perWidth = max > min ? (BUCKETS - 1) / (max - min) : 0;
  const bucketOf = (value: number): number => Math.floor((value - min) * perWidth);
  const count = new Uint32Array(BUCKETS);
  for (let i = 0; i < values.length; i++) count[bucketOf(values[i])]++;
  // first place of each bucket
  const first = new Uint32Array(BUCKETS + 1);
  for (let b = 0; b < BUCKETS; b++) first[b + 1] = first[b] + count[b];
  const bucketAt = (place: number): number => {
    let [low, high] = [0, BUCKETS];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (first[middle] <= place) low = middle;
      else high = middle;
    }
    return low;
  };
  const wanted = new Map<number, Float64Array>();
  for (const place of places) {
    const b = bucketAt(place);
    wanted.set(b, new Float64Array(count[b]));
  }
  const held = new Uint8Array(BUCKETS);
  for (const b of wanted.keys()) held[b] = 1;
  count.fill(0);
  for (let i = 0; i < values.length; i++) {
    const b = bucketOf(values[i]);
    if (held[b]) wanted.get(b)![count[b]++] = values[i];
  }
  for (const bucket of wanted.values()) bucket.sort();
  return places.map((place) => {
    const b = bucketAt(place);
    return wanted.get(b)![place - first[b]];
  });
}

/**
 * The quantile of a share of sorted numbers: linear between the two nearest, at share·(n − 1). R's type 7, numpy's default.
 * @param sorted  rising; NaN when empty
 * @param share  0 to 1
 */
export function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const whole = Math.floor(at);
  return sorted[whole] + (at - whole) * ((sorted[whole + 1] ?? sorted[whole]) - sorted[whole]);
}
