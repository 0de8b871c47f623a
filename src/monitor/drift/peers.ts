import { refuse } from '../../../bindings/errors.ts';
import { ln } from '../../../bindings/js/math.ts';
import { tell } from '../../../bindings/names.ts';
import { chiSquareTail } from '../../math/chiSquare.ts';
import { twoSidedP } from '../../math/normal.ts';
import { hellinger, jensenShannon, klDivergence, sortedOf, stdOf, wasserstein } from './distances.ts';
import { chiSquareCounts, ksTest } from './tests.ts';

/** Whose conventions a figure follows. */
export type Convention = 'evidently' | 'nannyml';

/** A figure of another program. */
export interface PeerFigure {
  readonly value: number;
  /** whether that program calls it drift by its default threshold; null: the threshold depends on more than these values */
  readonly drifted: boolean | null;
}

/** Values of a column: numbers, or categories as labels. */
export type PeerColumn = readonly number[] | Float64Array | readonly string[];

/** Edges of bins of equal width, and their counts as numpy has them: [from, to), the last with its end. */
function histogram(values: Float64Array, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length - 1).fill(0);
  const last = edges.length - 1;
  for (const x of values) {
    if (!(x >= edges[0] && x <= edges[last])) continue;
    let [low, high] = [0, last];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (edges[middle] <= x) low = middle;
      else high = middle;
    }
    counts[low]++;
  }
  return counts;
}

function edgesOf(from: number, to: number, width: number): number[] {
  const [low, high] = from === to ? [from - 0.5, to + 0.5] : [from, to];
  const bins = width > 0 ? Math.ceil((high - low) / width) : 1;
  const step = (high - low) / bins;
  return Array.from({ length: bins + 1 }, (_, k) => (k === bins ? high : k * step + low));
}

/** numpy's `sturges`: width range/(1 + log₂ n) */
function sturges(values: Float64Array): number[] {
  const [from, to] = [values[0], values[values.length - 1]];
  return edgesOf(from, to, (to - from) / (Math.log2(values.length) + 1));
}

/** numpy's `doane`: width range/(1 + log₂ n + log₂(1 + |g₁|/σ(g₁))), g₁ the skewness */
function doane(values: Float64Array): number[] {
  const n = values.length;
  const [from, to] = [values[0], values[n - 1]];
  const sigma = stdOf(values);
  if (n <= 2 || !(sigma > 0)) return edgesOf(from, to, 0);
  const spread = Math.sqrt((6 * (n - 2)) / ((n + 1) * (n + 3)));
  let mean = 0;
  for (const x of values) mean += x / n;
  let skew = 0;
  for (const x of values) skew += ((x - mean) / sigma) ** 3 / n;
  return edgesOf(from, to, (to - from) / (1 + Math.log2(n) + Math.log2(1 + Math.abs(skew) / spread)));
}

/** Counts of each distinct value, in the order of the first side. */
function tally(reference: ArrayLike<number | string>, current: ArrayLike<number | string>): [number[], number[]] {
  const sides = [reference, current].map((values) => {
    const counts = new Map<number | string, number>();
    for (let i = 0; i < values.length; i++) counts.set(values[i], (counts.get(values[i]) ?? 0) + 1);
    return counts;
  });
  const keys = [...new Set([...sides[0].keys(), ...sides[1].keys()])];
  return [keys.map((key) => sides[0].get(key) ?? 0), keys.map((key) => sides[1].get(key) ?? 0)];
}

const isNumeric = (values: PeerColumn): values is Float64Array => typeof values[0] === 'number';
const distinct = (...sides: PeerColumn[]): number =>
  new Set(sides.flatMap((side) => [...side] as (number | string)[])).size;

/** Shares of bins, as Evidently has them: Sturges' of both sides together, or each value of its own up to 20 of them; empty ones filled where asked. */
function evidentlyShares(reference: PeerColumn, current: PeerColumn, fill: boolean): [number[], number[]] {
  let counts: [number[], number[]];
  if (isNumeric(reference) && distinct(reference) > 20) {
    const [a, b] = [sortedOf('reference', reference), sortedOf('current', current as Float64Array)];
    const edges = sturges(sortedOf('values', Float64Array.of(...a, ...b)));
    counts = [histogram(a, edges), histogram(b, edges)];
  } else counts = tally(reference, current);
  return [counts[0].map((k) => k / reference.length), counts[1].map((k) => k / current.length)].map((shares) => {
    if (!fill) return shares;
    const least = Math.min(...shares.filter((share) => share > 0));
    return shares.map((share) => share || (least <= 1e-4 ? least / 1e6 : 1e-4));
  }) as [number[], number[]];
}

const EVIDENTLY = {
  psi: (a: PeerColumn, b: PeerColumn) => {
    const [e, c] = evidentlyShares(a, b, true);
    return e.reduce((sum, share, k) => sum + (share - c[k]) * ln(share / c[k]), 0);
  },
  jensenshannon: (a: PeerColumn, b: PeerColumn) => jensenShannon(...evidentlyShares(a, b, false)),
  kl_div: (a: PeerColumn, b: PeerColumn) => klDivergence(...evidentlyShares(a, b, true)),
  wasserstein: (a: PeerColumn, b: PeerColumn) => wasserstein(a as Float64Array, b as Float64Array, { normed: true }),
  ks: (a: PeerColumn, b: PeerColumn) => ksTest(a as Float64Array, b as Float64Array).p,
  // the counts of the reference, scaled, are taken as expected
  chisquare: (a: PeerColumn, b: PeerColumn) => {
    const [expected, observed] = tally(a, b);
    const scale = b.length / a.length;
    const chi2 = observed.reduce((sum, count, k) => {
      const of = expected[k] * scale;
      return sum + (of > 0 ? (count - of) ** 2 / of : Number.POSITIVE_INFINITY);
    }, 0);
    return chi2 === Number.POSITIVE_INFINITY ? 0 : chiSquareTail(chi2, expected.length - 1);
  },
  z: (a: PeerColumn, b: PeerColumn) => {
    const [first] = [...new Set([...a, ...b] as (number | string)[])].sort((x, y) => (x < y ? -1 : 1));
    const [n, m] = [a.length, b.length];
    const count = (side: PeerColumn): number =>
      ([...side] as (number | string)[]).filter((value) => value !== first).length;
    const pooled = (count(a) + count(b)) / (n + m);
    const spread = Math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
    return spread > 0 ? twoSidedP((count(a) / n - count(b) / m) / spread) : 1;
  },
} as const;

const NANNYML = {
  jensen_shannon: (a: PeerColumn, b: PeerColumn) => jensenShannon(...nannyShares(a, b), 2),
  hellinger: (a: PeerColumn, b: PeerColumn) => hellinger(...nannyShares(a, b)),
  kolmogorov_smirnov: (a: PeerColumn, b: PeerColumn) =>
    ksTest(a as Float64Array, b as Float64Array, { method: 'limit' }).d,
  wasserstein: (a: PeerColumn, b: PeerColumn) => wasserstein(a as Float64Array, b as Float64Array),
  chi2: (a: PeerColumn, b: PeerColumn) => corrected(...tally(a, b)).chi2,
  l_infinity: (a: PeerColumn, b: PeerColumn) => {
    const [r, c] = tally(a, b);
    return Math.max(...r.map((count, k) => Math.abs(count / a.length - c[k] / b.length)));
  },
} as const;

/** χ² of counts, of two categories with the correction of Yates, as `chi2_contingency` has it unless told otherwise. */
function corrected(reference: number[], current: number[]): { readonly chi2: number; readonly p: number } {
  if (reference.length !== 2) return chiSquareCounts(reference, current);
  const [n, m] = [reference, current].map(([k, l]) => k + l);
  let chi2 = 0;
  for (let k = 0; k < 2; k++)
    for (const [observed, total] of [[reference[k], n] as const, [current[k], m] as const]) {
      const expected = ((reference[k] + current[k]) * total) / (n + m);
      const away = Math.abs(observed - expected);
      chi2 += (away - Math.min(0.5, away)) ** 2 / expected;
    }
  return { chi2, p: chiSquareTail(chi2, 1) };
}

/** Shares of bins, as NannyML has them: Doane's of the reference, or each of its values, and one of all others. */
function nannyShares(reference: PeerColumn, current: PeerColumn): [number[], number[]] {
  let counts: [number[], number[]];
  if (isNumeric(reference)) {
    const [a, b] = [sortedOf('reference', reference), sortedOf('current', current as Float64Array)];
    const edges = doane(a);
    counts = [histogram(a, edges), histogram(b, edges)];
  } else {
    const [r, c] = tally(reference, current);
    counts = [r.filter((count) => count > 0), c.filter((_, k) => r[k] > 0)];
  }
  const shares = [counts[0].map((k) => k / reference.length), counts[1].map((k) => k / current.length)] as [
    number[],
    number[],
  ];
  const leftover = 1 - shares[1].reduce((sum, share) => sum + share, 0);
  if (leftover > 1e-12) {
    shares[0].push(0);
    shares[1].push(leftover);
  }
  return shares;
}

/** Figures by the conventions of other programs, by the names that they have there. */
const FIGURES = { evidently: EVIDENTLY, nannyml: NANNYML } as const;

/** Names of the figures of a program. */
export type PeerFigureName<C extends Convention> = keyof (typeof FIGURES)[C] & string;

/**
 * Returns a figure of drift as another program computes it, with its bins and its treatment of empty ones, and whether that program calls it drift.
 *
 *   evidently   psi, jensenshannon, kl_div, wasserstein (drift from 0.1 on), ks, chisquare, z (p-values: drift below 0.05)
 *   nannyml     jensen_shannon, hellinger, l_infinity (drift above 0.1), chi2 (a statistic: drift where p < 0.05), kolmogorov_smirnov, wasserstein (drift beyond 3
 *               standard deviations of chunks of the reference: not told here)
 *
 * Columns have no missing cells: both programs leave them out. Evidently 0.7.23, NannyML 0.13.1; NannyML's estimates of Kolmogorov-Smirnov and Wasserstein for
 * references of 10,000 rows and more are not computed, but the exact figures.
 * @throws ERR_RANGE another name; as the functions themselves
 * @example
 * peerFigure('evidently', 'psi', ['a', 'a', 'b'], ['a', 'b', 'b']).value; // 0.4621
 */
export function peerFigure<C extends Convention>(
  convention: C,
  name: PeerFigureName<C>,
  reference: PeerColumn,
  current: PeerColumn,
): PeerFigure {
  const known: Readonly<Record<string, (a: PeerColumn, b: PeerColumn) => number>> | undefined = FIGURES[convention];
  if (!known || !Object.hasOwn(known, name))
    refuse(
      'ERR_RANGE',
      'figure',
      `one of ${Object.keys(known ?? FIGURES).join(', ')}`,
      tell(known ? name : convention),
      'correct the name',
    );
  const value = known[name](reference, current);
  if (convention === 'evidently')
    return { value, drifted: ['ks', 'chisquare', 'z'].includes(name) ? value < 0.05 : value >= 0.1 };
  if (name === 'chi2') return { value, drifted: corrected(...tally(reference, current)).p < 0.05 };
  // by the spread over chunks of the reference, which are not known here
  if (name === 'kolmogorov_smirnov' || name === 'wasserstein') return { value, drifted: null };
  return { value, drifted: value > 0.1 };
}

/**
 * Returns the figure that Evidently chooses by default for a column: by the rows of the reference and the distinct values.
 * @example
 * evidentlyDefault(['a', 'a', 'b', 'c'], ['a', 'b', 'b', 'c']); // 'chisquare'
 */
export function evidentlyDefault(reference: PeerColumn, current: PeerColumn): PeerFigureName<'evidently'> {
  const values = distinct(reference, current);
  const numeric = isNumeric(reference);
  if (reference.length <= 1000) return numeric && values > 5 ? 'ks' : values > 2 ? 'chisquare' : 'z';
  return numeric && values > 5 ? 'wasserstein' : 'jensenshannon';
}
