import { LogoddsError } from '../../bindings/errors.ts';
import { ln } from '../../bindings/js/math.ts';
import { refuseUnknown, tell } from '../../bindings/names.ts';
import { sortTagged } from '../math/sort.ts';

/** How two distributions are held against each other. */
export interface PsiOptions {
  /** bins of equal frequency in the reference, 2 to 10,000; default 10. Values that tie may leave fewer. */
  readonly bins?: number;
  /** ε: share that stands for that of an empty bin, above 0 and at most 0.01; default 1e-4 */
  readonly epsilon?: number;
  /** weights of the reference and of the current values, finite and ≥ 0; default all 1 */
  readonly weights?: readonly [reference: ArrayLike<number>, current: ArrayLike<number>];
}

/** A population stability index, and what it was computed with. */
export interface Psi {
  readonly psi: number;
  /** bins that were used */
  readonly bins: number;
  /** bins that are empty on one side, whose share is taken as ε: with them the index depends on ε */
  readonly empty: number;
  readonly epsilon: number;
}

/**
 * Returns the population stability index of current values against reference values, over bins of equal frequency in the reference.
 *
 *   PSI = Σ (aₖ − eₖ)·log(aₖ/eₖ),   e, a: shares of the reference and of the current values in bin k, an empty one taken as ε
 *
 * By convention below 0.1 is stable and above 0.25 a major shift. A bin is (edge, next edge], the outer ones are open. Shares that stand for empty bins are
 * not taken off the others, as other programs do it, so that figures can be compared.
 * @param reference  finite or infinite numbers, at least one each
 * @param current  likewise
 * @throws ERR_RANGE a value that is no number, no values, a weight that is negative or not finite, an option outside its domain
 * @throws ERR_SHAPE weights of another length
 * @see Siddiqi, Credit risk scorecards, 2006; Yurdakul, Statistical properties of the population stability index, 2018
 * @example
 * psi([1, 2, 3, 4], [1, 2, 3, 4], { bins: 2 }).psi; // 0
 * psi([1, 2, 3, 4], [3, 4, 4, 4], { bins: 2 }).empty; // 1
 */
export function psi(reference: ArrayLike<number>, current: ArrayLike<number>, options: PsiOptions = {}): Psi {
  refuseUnknown('psi', options, { bins: true, epsilon: true, weights: true });
  const { bins = 10, epsilon = 1e-4, weights } = options;
  if (!(Number.isInteger(bins) && bins >= 2 && bins <= 10_000))
    throw new LogoddsError('ERR_RANGE', `bins: expected an integer from 2 to 10000, got ${tell(bins)}`);
  checkValues('reference', reference, weights?.[0]);
  checkValues('current', current, weights?.[1]);
  const edges = edgesOf(reference, weights?.[0], bins);
  const shares = [reference, current].map((values, side) => sharesOf(values, weights?.[side], edges));
  const [expected, actual] = shares;
  const empty = expected.filter((share, k) => (share === 0) !== (actual[k] === 0)).length;
  return { psi: psiOfShares(expected, actual, epsilon), bins: edges.length + 1, empty, epsilon };
}

/**
 * Returns the population stability index of shares, Σ (aₖ − eₖ)·log(aₖ/eₖ), where a share of 0 is taken as ε.
 * @param expected  shares of the reference and of the current values, as many each, from 0 to 1
 * @param actual  likewise, in the same order
 * @param epsilon  above 0 and at most 0.01; default 1e-4
 * @throws ERR_SHAPE lengths that differ
 * @throws ERR_RANGE a share outside [0, 1], an epsilon outside its domain
 * @example
 * psiOfShares([0.5, 0.5, 0], [0.4, 0.4, 0.2]); // 1.5640
 * psiOfShares([0.5, 0.5, 0], [0.4, 0.4, 0.2], 1e-6); // 2.4858
 */
export function psiOfShares(expected: ArrayLike<number>, actual: ArrayLike<number>, epsilon = 1e-4): number {
  if (!(epsilon > 0 && epsilon <= 0.01))
    throw new LogoddsError('ERR_RANGE', `epsilon: expected a number above 0 and at most 0.01, got ${tell(epsilon)}`);
  if (expected.length !== actual.length)
    throw new LogoddsError('ERR_SHAPE', `shares: expected ${expected.length} on both sides, got ${actual.length}`);
  let sum = 0;
  for (let k = 0; k < expected.length; k++) {
    for (const share of [expected[k], actual[k]])
      if (!(share >= 0 && share <= 1 + 1e-9))
        throw new LogoddsError('ERR_RANGE', `shares: expected numbers from 0 to 1, got ${tell(share)} at bin ${k}`);
    if (expected[k] === 0 && actual[k] === 0) continue;
    const e = expected[k] || epsilon;
    const a = actual[k] || epsilon;
    sum += (a - e) * ln(a / e);
  }
  return sum;
}

function checkValues(what: string, values: ArrayLike<number>, weights?: ArrayLike<number>): void {
  let total = 0;
  if (weights && weights.length !== values.length)
    throw new LogoddsError(
      'ERR_SHAPE',
      `weights: expected length ${values.length} (as ${what}), got ${weights.length}`,
    );
  for (let i = 0; i < values.length; i++) {
    if (!(typeof values[i] === 'number' && !Number.isNaN(values[i])))
      throw new LogoddsError('ERR_RANGE', `${what}: expected numbers, got ${tell(values[i])} at row ${i}`);
    const share = weights ? weights[i] : 1;
    if (!(Number.isFinite(share) && share >= 0))
      throw new LogoddsError('ERR_RANGE', `weights: expected finite numbers >= 0, got ${tell(share)} at row ${i}`);
    total += share;
  }
  if (!(total > 0))
    throw new LogoddsError('ERR_RANGE', `${what}: expected at least one row of positive weight, got none`);
}

/** The inner edges: values of the reference below or at which 1/bins, 2/bins, … of it lie; each once. */
function edgesOf(values: ArrayLike<number>, weights: ArrayLike<number> | undefined, bins: number): Float64Array {
  const { values: sorted, tags } = sortTagged(values, (row) => row);
  const share = (place: number): number => (weights ? weights[tags[place]] : 1);
  let total = 0;
  let last = 0;
  for (let place = 0; place < sorted.length; place++) {
    total += share(place);
    if (share(place) > 0) last = sorted[place];
  }
  const edges: number[] = [];
  let sum = 0;
  let bin = 1;
  for (let place = 0; place < sorted.length; place++) {
    sum += share(place);
    // what rounding makes of bin/bins of the total is not another edge
    if (sum < (bin / bins) * total * (1 - 1e-12)) continue;
    while (sum >= (bin / bins) * total * (1 - 1e-12)) bin++;
    if (sorted[place] < last && sorted[place] !== edges.at(-1)) edges.push(sorted[place]);
  }
  return Float64Array.from(edges);
}

function sharesOf(
  values: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
  edges: Float64Array,
): Float64Array {
  const shares = new Float64Array(edges.length + 1);
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (edges[middle] < values[i]) low = middle + 1;
      else high = middle;
    }
    const share = weights ? weights[i] : 1;
    shares[low] += share;
    total += share;
  }
  return shares.map((share) => share / total);
}
