import { refuse } from '../../../bindings/errors.ts';
import { tell } from '../../../bindings/names.ts';
import { chiSquareTail } from '../../math/chiSquare.ts';
import { psiOfShares } from '../psi.ts';
import { sortedOf, steps } from './distances.ts';
import { exactTail, kolmogorovTail, limitTail } from './kolmogorov.ts';

/** How the p-value of a Kolmogorov-Smirnov test is computed. */
export type KsMethod = 'exact' | 'asymp' | 'limit';

/** A Kolmogorov-Smirnov test of two samples. */
export interface KsTest {
  /** sup |F₁ − F₂| */
  readonly d: number;
  readonly p: number;
  readonly method: KsMethod;
}

/**
 * Tests whether two samples have the same distribution, by the greatest difference of their cumulative shares (Kolmogorov-Smirnov).
 * @param options  `method`: `exact`, by lattice paths; `asymp`, the one-sample distribution at N = nm/(n + m); `limit`, Kolmogorov's with the correction of
 *   Stephens; default `auto`, SciPy's: exact up to 10,000 values a sample, else asymp
 * @throws ERR_RANGE no values, one that is no finite number, or another method
 * @see Hodges 1958; Simard, L'Ecuyer 2011; SciPy, `ks_2samp`
 * @example
 * const { d, p, method } = ksTest([1, 2, 3, 4], [3, 4, 5, 6, 7]);
 * d; // 0.6
 * p; // 0.2857
 * method; // 'exact'
 */
export function ksTest(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  options: { readonly method?: KsMethod | 'auto' } = {},
): KsTest {
  const [a, b] = [sortedOf('reference', reference), sortedOf('current', current)];
  const [n, m] = [a.length, b.length];
  let d = 0;
  steps(a, b, (_, below, belowCurrent) => {
    d = Math.max(d, Math.abs(below / n - belowCurrent / m));
  });
  const { method: asked = 'auto' } = options;
  const method = asked === 'auto' ? (Math.max(n, m) <= 10_000 ? 'exact' : 'asymp') : asked;
  const effective = (n / (n + m)) * m;
  if (method === 'exact') return { d, p: exactTail(n, m, d), method };
  if (method === 'asymp') return { d, p: kolmogorovTail(Math.round(effective), d), method };
  if (method === 'limit') return { d, p: limitTail(effective, d), method };
  return refuse('ERR_RANGE', 'method', 'auto, exact, asymp or limit', tell(method), 'leave it out for the default');
}

/** A chi-square test. */
export interface CountsTest {
  readonly chi2: number;
  /** degrees of freedom: categories that occur, less one */
  readonly df: number;
  /** 1 with fewer than two categories */
  readonly p: number;
}

/**
 * Tests whether two rows of counts have the same distribution, without a correction of continuity (Pearson's chi-square of the 2 × K table).
 *
 *   χ² = Σ (observed − expected)²/expected,   expected: row total · column total / total
 * @param reference  counts of each category
 * @param current  as many
 * @throws ERR_SHAPE lengths that differ; ERR_RANGE numbers below 0, or no row on a side
 * @see SciPy, `chi2_contingency(correction=False)`
 * @example
 * const { chi2, df, p } = chiSquareCounts([50, 50, 10], [40, 45, 25]);
 * chi2; // 7.8028
 * df; // 2
 * p; // 0.0202
 */
export function chiSquareCounts(reference: ArrayLike<number>, current: ArrayLike<number>): CountsTest {
  const [n, m] = [totalOf('reference', reference, reference?.length), totalOf('current', current, reference?.length)];
  let [chi2, df] = [0, -1];
  for (let k = 0; k < reference.length; k++) {
    const column = reference[k] + current[k];
    if (column === 0) continue;
    df++;
    for (const [observed, total] of [[reference[k], n] as const, [current[k], m] as const]) {
      const expected = (column * total) / (n + m);
      chi2 += (observed - expected) ** 2 / expected;
    }
  }
  return { chi2, df, p: df > 0 ? chiSquareTail(chi2, df) : 1 };
}

/** A population stability index with its test. */
export interface PsiTest {
  readonly psi: number;
  /** bins that are not empty on both sides */
  readonly bins: number;
  /** what an index of the same distribution is expected to be, (B − 1)·(1/n + 1/m): noise */
  readonly noise: number;
  /** P(χ² with B − 1 degrees of freedom ≥ PSI·nm/(n + m)) */
  readonly p: number;
  /** by convention: below 0.1 stable, above 0.25 major */
  readonly size: 'stable' | 'moderate' | 'major';
}

/**
 * Returns the population stability index of counts, with its p-value: if both sides have the same distribution, PSI·nm/(n + m) is nearly χ² with B − 1 degrees
 * of freedom. So an index of 0.1 is noise in a window of a hundred rows, and a great shift in one of a million.
 *
 * Shares are smoothed as (count + ½)/(total + B/2), so that empty bins have one; with `epsilon` an empty bin has that share instead, as in `psi`.
 * @throws as `chiSquareCounts`
 * @see Yurdakul, Statistical properties of the population stability index, 2018
 * @example
 * const { psi, p, size } = psiTest([100, 100, 100, 100], [70, 90, 110, 130]);
 * psi; // 0.0509
 * p; // 0.0171
 * size; // 'stable'
 */
export function psiTest(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  options: { readonly epsilon?: number } = {},
): PsiTest {
  const [n, m] = [totalOf('reference', reference, reference?.length), totalOf('current', current, reference?.length)];
  const kept = Array.from(reference, (_, k) => k).filter((k) => reference[k] + current[k] > 0);
  const bins = kept.length;
  const { epsilon } = options;
  const add = epsilon === undefined ? 0.5 : 0;
  const shares = [[reference, n] as const, [current, m] as const].map(([counts, total]) =>
    kept.map((k) => (counts[k] + add) / (total + add * bins)),
  );
  const psi = psiOfShares(shares[0], shares[1], epsilon);
  const noise = (bins - 1) * (1 / n + 1 / m);
  const p = bins > 1 ? chiSquareTail((psi * n) / (1 + n / m), bins - 1) : 1;
  return { psi, bins, noise, p, size: psi < 0.1 ? 'stable' : psi <= 0.25 ? 'moderate' : 'major' };
}

function totalOf(what: string, counts: ArrayLike<number>, length: number): number {
  if (!(counts?.length === length))
    refuse('ERR_SHAPE', what, `${length} counts on both sides`, tell(counts?.length), 'give the same bins');
  let total = 0;
  for (let k = 0; k < length; k++) {
    if (!(counts[k] >= 0 && counts[k] < Number.POSITIVE_INFINITY))
      refuse('ERR_RANGE', what, 'finite counts >= 0', `${tell(counts[k])} at bin ${k}`, 'correct it');
    total += counts[k];
  }
  if (!(total > 0)) refuse('ERR_RANGE', what, 'one row or more', 'none', 'wait for rows');
  return total;
}

/** How p-values of several tests are adjusted. */
export type Adjustment = 'benjamini-hochberg' | 'holm' | 'none';

/**
 * Returns p-values that are adjusted for having been looked at together. Those at most alpha are rejected: with `holm` the probability that any true hypothesis
 * is among them is at most alpha; with `benjamini-hochberg` the expected share of true hypotheses among them is.
 * @param p  from 0 to 1; null: no test, which stays null and does not count
 * @throws ERR_RANGE a p-value outside [0, 1], or another method
 * @see Holm 1979; Benjamini, Hochberg 1995
 * @example
 * adjustP([0.01, 0.04, 0.03, null]); // [0.03, 0.04, 0.04, null]
 * adjustP([0.01, 0.04, 0.03], 'holm'); // [0.03, 0.06, 0.06]
 */
export function adjustP<P extends number | null>(p: readonly P[], method: Adjustment = 'benjamini-hochberg'): P[] {
  if (method !== 'benjamini-hochberg' && method !== 'holm' && method !== 'none')
    refuse('ERR_RANGE', 'adjust', 'benjamini-hochberg, holm or none', tell(method), 'leave it out for the default');
  const given = p.flatMap((value, place) => (value === null ? [] : [{ value: value as number, place }]));
  for (const { value } of given)
    if (!(value >= 0 && value <= 1)) refuse('ERR_RANGE', 'p', 'numbers from 0 to 1', tell(value), 'correct it');
  const out: (number | null)[] = [...p];
  const tests = given.length;
  given.sort((a, b) => a.value - b.value || a.place - b.place);
  let worst = 0;
  let best = 1;
  if (method === 'holm')
    given.forEach(({ value, place }, i) => {
      worst = Math.max(worst, Math.min(1, value * (tests - i)));
      out[place] = worst;
    });
  else if (method === 'benjamini-hochberg')
    for (let i = tests - 1; i >= 0; i--) {
      best = Math.min(best, (given[i].value * tests) / (i + 1));
      out[given[i].place] = best;
    }
  return out as P[];
}
