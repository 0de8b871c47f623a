import { refuse } from '../../../bindings/errors.ts';
import { ln } from '../../../bindings/js/math.ts';
import { tell } from '../../../bindings/names.ts';
import { sortTagged } from '../../math/sort.ts';

/** @throws ERR_SHAPE, ERR_RANGE unless both are as long, of numbers ≥ 0, and not all 0 */
function sharesOf(what: string, values: ArrayLike<number>, length: number): Float64Array {
  if (values?.length !== length)
    refuse('ERR_SHAPE', what, `${length} numbers on both sides`, tell(values?.length), 'give the same bins');
  let sum = 0;
  for (let k = 0; k < length; k++) {
    if (!(values[k] >= 0 && values[k] < Number.POSITIVE_INFINITY))
      refuse('ERR_RANGE', what, 'finite numbers >= 0', `${tell(values[k])} at bin ${k}`, 'give counts or shares');
    sum += values[k];
  }
  if (!(sum > 0)) refuse('ERR_RANGE', what, 'one row or more', 'none', 'wait for rows');
  return Float64Array.from(values, (value) => value / sum);
}

/**
 * Returns the Kullback-Leibler divergence of two distributions, in nats.
 *
 *   KL(p‖q) = Σ pₖ·log(pₖ/qₖ),   p, q scaled to sums of 1
 *
 * It is Infinity where q has an empty bin that p has not, as SciPy's `entropy(p, q)`.
 * @param p  counts or shares
 * @param q  as many
 * @throws ERR_SHAPE lengths that differ; ERR_RANGE numbers below 0 or not finite, or none above 0
 * @example
 * klDivergence([0.5, 0.5], [0.25, 0.75]); // 0.1438
 */
export function klDivergence(p: ArrayLike<number>, q: ArrayLike<number>): number {
  const [a, b] = [sharesOf('p', p, p?.length), sharesOf('q', q, p?.length)];
  let sum = 0;
  for (let k = 0; k < a.length; k++) if (a[k] > 0) sum += b[k] > 0 ? a[k] * ln(a[k] / b[k]) : Number.POSITIVE_INFINITY;
  return sum;
}

/**
 * Returns the Jensen-Shannon distance of two distributions: the square root of their divergence.
 *
 *   √(½·KL(p‖m) + ½·KL(q‖m)),   m = (p + q)/2,   p, q scaled to sums of 1
 *
 * Evidently has it in nats, NannyML in bits, SciPy either: their thresholds are not comparable.
 * @param base  of the logarithm: default e
 * @throws as `klDivergence`
 * @example
 * jensenShannon([0.5, 0.5, 0], [0.4, 0.4, 0.2]); // 0.2736
 * jensenShannon([0.5, 0.5, 0], [0.4, 0.4, 0.2], 2); // 0.3287
 */
export function jensenShannon(p: ArrayLike<number>, q: ArrayLike<number>, base?: 2): number {
  const [a, b] = [sharesOf('p', p, p?.length), sharesOf('q', q, p?.length)];
  let sum = 0;
  for (let k = 0; k < a.length; k++) {
    const middle = (a[k] + b[k]) / 2;
    for (const share of [a[k], b[k]]) if (share > 0) sum += share * ln(share / middle);
  }
  return Math.sqrt(Math.max(0, sum) / (base === 2 ? 2 * Math.LN2 : 2));
}

/**
 * Returns the Hellinger distance of two distributions, √(½·Σ (√pₖ − √qₖ)²), from 0 to 1.
 * @throws as `klDivergence`
 * @example
 * hellinger([1, 0], [0, 1]); // 1
 */
export function hellinger(p: ArrayLike<number>, q: ArrayLike<number>): number {
  const [a, b] = [sharesOf('p', p, p?.length), sharesOf('q', q, p?.length)];
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (Math.sqrt(a[k]) - Math.sqrt(b[k])) ** 2;
  return Math.sqrt(sum / 2);
}

/** Values in ascending order. @throws ERR_RANGE no values, or one that is no finite number */
export function sortedOf(what: string, values: ArrayLike<number>): Float64Array {
  if (!(values?.length > 0)) refuse('ERR_RANGE', what, 'one value or more', 'none', 'wait for rows');
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]))
      refuse('ERR_RANGE', what, 'finite numbers', `${tell(values[i])} at row ${i}`, 'leave it out');
  return sortTagged(values, () => 0).values;
}

/**
 * Walks through the steps of two empirical distributions: of each distinct value how many values are at or below it.
 * @param reference  rising
 * @param current  rising
 */
export function steps(
  reference: Float64Array,
  current: Float64Array,
  at: (value: number, below: number, belowCurrent: number, next: number) => void,
): void {
  let [i, j] = [0, 0];
  while (i < reference.length || j < current.length) {
    const value = Math.min(reference[i] ?? Number.POSITIVE_INFINITY, current[j] ?? Number.POSITIVE_INFINITY);
    while (reference[i] === value) i++;
    while (current[j] === value) j++;
    at(value, i, j, Math.min(reference[i] ?? Number.POSITIVE_INFINITY, current[j] ?? Number.POSITIVE_INFINITY));
  }
}

/**
 * Returns the Wasserstein distance (earth mover's, of order 1) of current values from reference values, ∫ |F₁(x) − F₂(x)| dx, in the unit of the values.
 * @param options  `normed`: in standard deviations of the reference (population), at least 0.001, as Evidently has it
 * @throws ERR_RANGE no values, or one that is no finite number
 * @example
 * wasserstein([0, 1, 3], [5, 6, 8]); // 5
 */
export function wasserstein(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  options: { readonly normed?: boolean } = {},
): number {
  const [a, b] = [sortedOf('reference', reference), sortedOf('current', current)];
  let sum = 0;
  steps(a, b, (value, below, belowCurrent, next) => {
    if (next < Number.POSITIVE_INFINITY) sum += Math.abs(below / a.length - belowCurrent / b.length) * (next - value);
  });
  return options.normed ? sum / Math.max(stdOf(a), 0.001) : sum;
}

/** Population standard deviation. */
export function stdOf(values: Float64Array): number {
  let [mean, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const d = values[i] - mean;
    mean += d / (i + 1);
    squares += d * (values[i] - mean);
  }
  return Math.sqrt(squares / values.length);
}
