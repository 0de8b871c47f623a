/** The distinct values of a sample in rising order, and the cumulative weight up to each. */
interface Sample {
  readonly values: Float64Array;
  readonly upTo: Float64Array;
}

/**
 * Quantiles of a weighted sample, with v the sorted sample in which each value is as long as its weight:
 *
 *   quantile(q) = ∫ v over [h, h + 1],   h = q·(S − 1),   S = Σ weights
 *
 * For q of 0 and 1 it is the least and the greatest value. For whole weights it equals numpy's default method ('linear') on repeated rows. So
 * without weights it equals numpy, and scikit-learn's median (SimpleImputer) and quartiles (RobustScaler). It is continuous in fractional
 * weights. S is a number of rows: scale other weights to it first (`frequencies`).
 *
 * @param values  NaN is left out
 * @param weights  null: all 1; rows of weight 0 are left out
 * @param qs  each from 0 to 1
 * @returns one for each of qs; NaN without any value of positive weight
 * @see Hyndman, Fan, "Sample Quantiles in Statistical Packages", 1996, type 7
 */
export function weightedQuantile(
  values: ArrayLike<number>,
  weights: ArrayLike<number> | null,
  qs: ArrayLike<number>,
): Float64Array {
  const sample = sampleOf(values, weights);
  return Float64Array.from(qs, (q) => quantileOf(sample, q));
}

/**
 * Edges of bins of equal weight, as in scikit-learn's KBinsDiscretizer(strategy="quantile", quantile_method="linear"): the
 * quantiles i/bins, without those that are at most 1e-8 above the previous one.
 * @returns up to bins + 1 rising edges; one for a constant column, none for an empty one
 */
export function quantileEdges(
  values: ArrayLike<number>,
  weights: ArrayLike<number> | null,
  bins: number,
): Float64Array {
  const sample = sampleOf(values, weights);
  if (sample.values.length === 0) return new Float64Array(0);
  const percent = 100 / bins;
  const edges = Float64Array.from({ length: bins + 1 }, (_, i) =>
    quantileOf(sample, i === bins ? 1 : (i * percent) / 100),
  );
  return edges.filter((edge, i) => i === 0 || edge - edges[i - 1] > 1e-8);
}

/**
 * Edges of bins of equal width from the least to the greatest value of positive weight, as KBinsDiscretizer(strategy="uniform").
 * @returns bins + 1 rising edges; one for a constant column, none for an empty one
 */
export function uniformEdges(values: ArrayLike<number>, weights: ArrayLike<number> | null, bins: number): Float64Array {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    if (weights && !(weights[i] > 0)) continue;
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  if (!(low < high)) return low === high ? Float64Array.of(low) : new Float64Array(0);
  const width = (high - low) / bins;
  const edges = Float64Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : i * width + low));
  return edges.filter((edge, i) => i === 0 || edge > edges[i - 1]);
}

/** The bin a number falls into: i where edges[i] <= x < edges[i + 1], the first or last bin for numbers outside the edges. */
export function binOf(x: number, edges: ArrayLike<number>): number {
  let low = 0;
  let high = edges.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (x >= edges[middle]) low = middle;
    else high = middle - 1;
  }
  return low;
}

function sampleOf(values: ArrayLike<number>, weights: ArrayLike<number> | null): Sample {
  const sorted = new Float64Array(values).sort();
  let count = 0;
  for (let i = 0; i < sorted.length; i++) {
    // NaN is sorted to the end and equals nothing
    if (!Number.isNaN(sorted[i]) && (count === 0 || sorted[i] !== sorted[count - 1])) sorted[count++] = sorted[i];
  }
  const distinct = sorted.subarray(0, count);
  const share = new Float64Array(count);
  for (let i = 0; i < values.length; i++) {
    const weight = weights ? weights[i] : 1;
    if (weight > 0 && !Number.isNaN(values[i])) share[placeOf(values[i], distinct)] += weight;
  }
  let used = 0;
  let total = 0;
  for (let i = 0; i < count; i++) {
    if (share[i] === 0) continue;
    total += share[i];
    distinct[used] = distinct[i];
    share[used++] = total;
  }
  return { values: distinct.subarray(0, used), upTo: share.subarray(0, used) };
}

/** Index of a value in a rising array that contains it. */
function placeOf(value: number, rising: Float64Array): number {
  let low = 0;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rising[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function quantileOf({ values, upTo }: Sample, q: number): number {
  const last = values.length - 1;
  if (last < 0) return Number.NaN;
  if (q <= 0 || q >= 1) return values[q <= 0 ? 0 : last];
  const total = upTo[last];
  const start = Math.max(0, q * (total - 1));
  const length = Math.min(1, total);
  let i = 0;
  for (let high = last; i < high; ) {
    const middle = (i + high) >>> 1;
    if (upTo[middle] > start) high = middle;
    else i = middle + 1;
  }
  if (i === last) return values[last];
  // the part of the window beyond value i
  const beyond = (start - (upTo[i] - length)) / length;
  if (beyond <= 0) return values[i];
  if (upTo[i + 1] >= start + length || i + 1 === last) return between(values[i], values[i + 1], beyond);
  let sum = 0;
  for (let j = i + 1, from = upTo[i]; j <= last && from < start + length; from = upTo[j++]) {
    sum += (values[j] - values[i]) * (Math.min(upTo[j], start + length) - from);
  }
  return values[i] + sum / length;
}

/** numpy's lerp: from the nearer end, so that it is exact at both and monotone */
function between(a: number, b: number, t: number): number {
  return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
}
