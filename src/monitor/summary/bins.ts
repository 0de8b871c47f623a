import { refuse } from '../../../bindings/errors.ts';
import { tell } from '../../../bindings/names.ts';

/** Inner bins of a number. With the outer ones it has 8 more. */
const INNER = 32;
/** Quantiles of training among their edges: every 20th. */
const QUANTILES = 20;
/** Distances beyond the training range, in units of its width, at which outer bins begin. */
const BEYOND = [0.125, 1, 8];

/**
 * The bins of a number, from its training values. Bin k is (edges[k − 1], edges[k]]; the first and the last are open.
 *
 * The edges between `low` and `high` are the 5 % quantiles, and points that halve the widest bins until there are 32. So a quantile is known to within 1/20 of the
 * rows and to within a fraction of the range, and merging is adding counts. Beyond the range bins begin at 1/8, 1 and 8 times its width.
 */
export interface NumberBins {
  /** rising */
  readonly edges: readonly number[];
  /** least and greatest training value: both are edges, but the range may be a point */
  readonly low: number;
  readonly high: number;
  /** mean of training, from which sums are taken */
  readonly centre: number;
}

/**
 * Returns the bins of training values.
 * @param values  finite ones count; without any the bins are those of 0
 * @param range  least and greatest value of the rows that these are a sample of; null: theirs
 */
export function binsOf(values: ArrayLike<number>, range: readonly [number, number] | null = null): NumberBins {
  const sorted = Float64Array.from(values as ArrayLike<number>)
    .filter(Number.isFinite)
    .sort();
  const n = sorted.length;
  const [least, most] = n ? [sorted[0] + 0, sorted[n - 1] + 0] : [0, 0];
  const [low, high] = n && range ? [Math.min(least, range[0] + 0), Math.max(most, range[1] + 0)] : [least, most];
  let mean = low;
  for (let i = 0; i < n; i++) mean += (sorted[i] - mean) / (i + 1);
  const centre = Math.min(high, Math.max(low, Number(mean.toPrecision(6))));
  const inner = new Set<number>([low]);
  // as `psi`: at or below the edge lies k/20 of the values
  for (let k = 1; k < QUANTILES && n > 0; k++) inner.add(sorted[Math.ceil((k * n) / QUANTILES - 1e-9) - 1] + 0);
  inner.add(high);
  const rising = [...inner].sort((a, b) => a - b);
  // few values: bins between them would be empty
  let distinct = n ? 1 : 0;
  for (let i = 1; i < n && distinct <= INNER; i++) if (sorted[i] !== sorted[i - 1]) distinct++;
  if (distinct <= INNER) rising.splice(0, rising.length, ...new Set([low, ...sorted.map((x) => x + 0), high]));
  else halve(rising);
  if (rising.length === 0) rising.push(0);
  return { edges: around(rising, low, high), low, high, centre };
}

/**
 * Returns bins that are spaced by a mean and a standard deviation, in steps of a quarter of it to 2½ on both sides. No value of a row is among the edges.
 * @param range  least and greatest value, both edges; null: 4 standard deviations around the mean
 */
export function spacedBins(mean: number, scale: number, range: readonly [number, number] | null = null): NumberBins {
  const near = (steps: number): number => Number((mean + (steps / 4) * scale).toPrecision(6));
  const [low, high] = (range ?? [near(-16), near(16)]).map((x) => x + 0);
  const inner = Array.from({ length: 21 }, (_, k) => near(k - 10)).filter((edge) => edge > low && edge < high);
  const centre = Math.min(high, Math.max(low, near(0)));
  return { edges: around([...new Set([low, ...inner, high])], low, high), low, high, centre };
}

/** Halves the widest bins until there are as many as there may be. */
function halve(rising: number[]): void {
  while (rising.length <= INNER) {
    let widest = 1;
    for (let k = 2; k < rising.length; k++)
      if (rising[k] - rising[k - 1] > rising[widest] - rising[widest - 1]) widest = k;
    const [from, to] = [rising[widest - 1], rising[widest]];
    const exact = from / 2 + to / 2;
    const short = Number(exact.toPrecision(5));
    const middle = short > from && short < to ? short : exact;
    if (!(middle > from && middle < to)) return;
    rising.splice(widest, 0, middle);
  }
}

/** These edges and those beyond the range. */
function around(inner: readonly number[], low: number, high: number): number[] {
  const width = widthOf(low, high);
  const out = (from: number, distance: number): number => {
    const far = Number((from + distance * width).toPrecision(5));
    return Number.isFinite(far) ? far : from;
  };
  const below = BEYOND.map((distance) => out(low, -distance)).filter((edge) => edge < low);
  const above = BEYOND.map((distance) => out(high, distance)).filter((edge) => edge > high);
  // a value below `low` is not in the bin that ends there
  return [...new Set([...below.reverse(), before(low), ...inner, ...above])].sort((a, b) => a - b);
}

/** Width of the training range; of a point its size, or 1. */
export const widthOf = (low: number, high: number): number => {
  const width = high - low;
  return Number.isFinite(width) ? width || Math.abs(low) || 1 : Number.MAX_VALUE;
};

const view = new DataView(new ArrayBuffer(8));

/** The next smaller double. */
function before(x: number): number {
  if (x === 0) return -Number.MIN_VALUE;
  view.setFloat64(0, x);
  view.setBigInt64(0, view.getBigInt64(0) + (x > 0 ? -1n : 1n));
  const found = view.getFloat64(0);
  return Number.isFinite(found) ? found : x;
}

/** @throws ERR_FORMAT what are no bins */
export function checkBins(given: unknown): NumberBins {
  const { edges, low, high, centre } = Object(given) as NumberBins;
  const rises =
    Array.isArray(edges) &&
    edges.length > 0 &&
    edges.length <= 4 * INNER &&
    edges.every((edge, k) => Number.isFinite(edge) && (k === 0 || edge > edges[k - 1])) &&
    [low, high, centre].every(Number.isFinite) &&
    low <= high;
  if (!rises) refuse('ERR_FORMAT', 'bins', 'rising edges and a range', tell(edges), 'train the model again');
  return { edges, low, high, centre };
}
