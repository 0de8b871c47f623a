import { twoSidedP } from '../../math/normal.ts';
import { DEFAULTED, MISSING } from '../summary/cells.ts';
import { type FeaturePlan, isHidden } from '../summary/layout.ts';
import type { NumberColumn } from '../summary/numberColumn.ts';
import type { Summary } from '../summary/summary.ts';
import { jensenShannon, klDivergence } from './distances.ts';
import { countsP, sharesP } from './few.ts';
import { limitTail } from './kolmogorov.ts';
import { smoothTest } from './smooth.ts';
import { chiSquareCounts, psiTest } from './tests.ts';

/** A figure of drift. */
export interface DriftFigure {
  readonly value: number;
  /** probability of such a value or a greater one if nothing changed; null: it is not known */
  readonly p: number | null;
  /** of an index: what it is expected to be if nothing changed */
  readonly noise?: number;
}

/** The figures of one feature, or of the scores. */
export interface DriftTests {
  readonly psi?: DriftFigure;
  /** greatest difference of the cumulative shares at the edges of the bins */
  readonly ks?: DriftFigure;
  /** χ² of location and spread, on the bins: the smooth test */
  readonly smooth?: DriftFigure;
  readonly chi2?: DriftFigure;
  /** Jensen-Shannon distance, natural logarithm */
  readonly js?: DriftFigure;
  /** KL(current‖reference) of the smoothed shares, in nats */
  readonly kl?: DriftFigure;
  /** Wasserstein distance in standard deviations of the reference, between numbers spread evenly over each bin */
  readonly wasserstein?: DriftFigure;
  /** share of missing cells, current less reference */
  readonly missing?: DriftFigure;
  /** share of cells that training did not have, current less reference */
  readonly unseen?: DriftFigure;
}

/** Bins of the index of a number, at most. */
const PSI_BINS = 10;

/** Figures of a number on the same bins. Null: no values on a side. */
export function compareNumbers(reference: NumberColumn, current: NumberColumn): DriftTests | null {
  const [n, m] = [reference.count, current.count];
  if (!n || !m) return null;
  let [d, below, belowCurrent] = [0, 0, 0];
  for (let k = 0; k < reference.counts.length; k++) {
    below += reference.counts[k];
    belowCurrent += current.counts[k];
    d = Math.max(d, Math.abs(below / n - belowCurrent / m));
  }
  const [a, b] = tenths(reference.counts, current.counts);
  const { psi, p, noise } = psiTest(a, b);
  const smooth = smoothTest(reference.counts, current.counts);
  return {
    psi: { value: psi, p, noise },
    smooth: { value: smooth.chi2, p: smooth.p },
    ks: { value: d, p: limitTail((n / (n + m)) * m, d) },
    js: { value: jensenShannon(a, b), p: null },
    kl: { value: klDivergence(smoothed(b), smoothed(a)), p: null },
    wasserstein: { value: binnedWasserstein(reference, current), p: null },
  };
}

/** Bins joined to tenths of the reference. */
function tenths(reference: Float64Array, current: Float64Array): [number[], number[]] {
  let total = 0;
  for (const count of reference) total += count;
  const out: [number[], number[]] = [[0], [0]];
  let [seen, next] = [0, 1];
  for (let k = 0; k < reference.length; k++) {
    const last = out[0].length - 1;
    out[0][last] += reference[k];
    out[1][last] += current[k];
    seen += reference[k];
    // an edge where k/10 of the reference is reached, as `psi`; none after all of it
    if (seen < (next / PSI_BINS) * total * (1 - 1e-12) || seen >= total) continue;
    while (seen >= (next / PSI_BINS) * total * (1 - 1e-12)) next++;
    out[0].push(0);
    out[1].push(0);
  }
  return out;
}

const smoothed = (counts: readonly number[]): number[] => counts.map((count) => count + 0.5);

/** ∫ |F₁ − F₂| dx with the numbers of each bin spread evenly, in standard deviations of the reference (at least 1e-3 of its unit where that is 0). */
function binnedWasserstein(reference: NumberColumn, current: NumberColumn): number {
  const { edges } = reference.bins;
  const [n, m] = [reference.count, current.count];
  const low = Math.min(reference.min, current.min);
  const high = Math.max(reference.max, current.max);
  let [from, difference, sum] = [low, 0, 0];
  for (let k = 0; k <= edges.length; k++) {
    const to = Math.min(high, Math.max(low, edges[k] ?? high));
    const next = difference + reference.counts[k] / n - current.counts[k] / m;
    const width = to - from;
    if (width > 0 && Number.isFinite(width)) {
      // |a line from difference to next|
      const crosses = difference * next < 0;
      sum +=
        width *
        (crosses ? (difference ** 2 + next ** 2) / (2 * Math.abs(next - difference)) : Math.abs(difference + next) / 2);
    }
    difference = next;
    from = Math.max(from, to);
  }
  return sum / Math.max(reference.std ?? 0, 0.001);
}

/** Figures of a feature. Its tests do not depend on which of its columns moved; null: no rows on a side. */
export function compareFeature(reference: Summary, current: Summary, plan: FeaturePlan): DriftTests {
  const [first] = plan.columns;
  const shares: DriftTests = {
    ...rates(reference, current, plan.index, MISSING, 'missing'),
    ...rates(reference, current, plan.index, DEFAULTED, 'unseen'),
  };
  if (first.kept === 'none') return shares;
  const hides = (reference.hides || current.hides) && isHidden(plan);
  if (first.kept === 'number') {
    const { wasserstein, ...found } = compareNumbers(reference.numbers[first.at]!, current.numbers[first.at]!) ?? {};
    // this distance goes to the least and the greatest number
    return { ...found, ...(wasserstein && !hides && { wasserstein }), ...shares };
  }
  if (first.kept === 'codes') {
    const codes = (summary: Summary): Float64Array =>
      summary.codes.subarray(summary.codesAt[first.at], summary.codesAt[first.at] + first.slots);
    const [a, b] = pooled(codes(reference), codes(current));
    const { psi, p, noise } = psiTest(a, b);
    return {
      psi: { value: psi, p, noise },
      chi2: { value: chiSquareCounts(a, b).chi2, p: countsP(a, b) },
      js: { value: jensenShannon(a, b), p: null },
      kl: { value: klDivergence(smoothed(b), smoothed(a)), p: null },
      ...shares,
    };
  }
  if (hides) return shares;
  return { ...compareSums(reference, current, plan), ...shares };
}

/** A share that is too rare for the approximation of χ² on either side is pooled: expected counts below 5. */
function pooled(reference: Float64Array, current: Float64Array): [number[], number[]] {
  let [n, m] = [0, 0];
  for (let k = 0; k < reference.length; k++) {
    n += reference[k];
    m += current[k];
  }
  const out: [number[], number[]] = [[], []];
  const rare = [0, 0];
  for (let k = 0; k < reference.length; k++) {
    const both = reference[k] + current[k];
    if (both === 0) continue;
    if ((both * Math.min(n, m)) / (n + m) < 5) {
      rare[0] += reference[k];
      rare[1] += current[k];
    } else {
      out[0].push(reference[k]);
      out[1].push(current[k]);
    }
  }
  if (rare[0] + rare[1] > 0 || out[0].length === 0) {
    out[0].push(rare[0]);
    out[1].push(rare[1]);
  }
  return out;
}

/** Means of many sums (tokens): the shares of them, and the greatest difference of a mean, with the p-value of as many tests. */
function compareSums(reference: Summary, current: Summary, { columns }: FeaturePlan): DriftTests {
  const [a, b, ps]: [number[], number[], number[]] = [[], [], []];
  for (const { at } of columns) {
    const [of, now] = [reference, current].map((summary) => sumsOf(summary, at));
    a.push(Math.abs(of.mean) * of.rows);
    b.push(Math.abs(now.mean) * now.rows);
    // of both sides together, as nothing changed by hypothesis: a window of few rows has none of its own
    const both = of.rows + now.rows;
    const apart = ((of.mean - now.mean) ** 2 * of.rows * now.rows) / both ** 2;
    const variance = (of.variance * of.rows + now.variance * now.rows) / both + apart;
    const spread = Math.sqrt(variance * (1 / of.rows + 1 / now.rows));
    ps.push(spread > 0 ? twoSidedP((now.mean - of.mean) / spread) : of.mean === now.mean ? 1 : 0);
  }
  const any = (values: readonly number[]): boolean => values.some((value) => value > 0);
  const js = any(a) && any(b) ? jensenShannon(a, b) : any(a) || any(b) ? Math.sqrt(Math.LN2) : 0;
  return { js: { value: js, p: Math.min(1, Math.min(...ps) * ps.length) } };
}

function sumsOf(summary: Summary, at: number): { rows: number; mean: number; variance: number } {
  const rows = Math.max(1, summary.sampled);
  const column = summary.numbers[at];
  if (!column?.count) return { rows, mean: 0, variance: 0 };
  // the rows that are 0 are not in the column
  const mean = ((column.mean ?? 0) * column.count) / rows;
  const square = (((column.std ?? 0) ** 2 + (column.mean ?? 0) ** 2) * column.count) / rows;
  return { rows, mean, variance: Math.max(0, square - mean ** 2) };
}

/** The difference of a share of rows, with its p-value. Absent: it is 0 on both sides. */
function rates(
  reference: Summary,
  current: Summary,
  index: number,
  which: number,
  name: 'missing' | 'unseen',
): DriftTests {
  const [k, l] = [reference.counts[4 * index + which], current.counts[4 * index + which]];
  const [n, m] = [reference.rows, current.rows];
  if (k + l === 0 || !n || !m) return {};
  return { [name]: { value: l / m - k / n, p: sharesP(k, n, l, m) } };
}

/** Shares of the level that the two tests of a number have: the smooth one finds more, Kolmogorov-Smirnov what it does not see. */
const SMOOTH_SHARE = 0.8;

/**
 * The p-value of a feature: that of its distribution (of numbers by the smooth test and by Kolmogorov-Smirnov, min(p/0.8, p/0.2); of categories by χ²), and those
 * of the shares of missing and unseen cells, times their number.
 */
export function jointP({ smooth, ks, chi2, js, missing, unseen }: DriftTests, coded: boolean): number | null {
  const number =
    smooth && ks ? { p: Math.min(1, smooth.p! / SMOOTH_SHARE, (ks.p ?? 1) / (1 - SMOOTH_SHARE)) } : undefined;
  const own = number ?? chi2 ?? js;
  // a category counts missing and unseen cells among its levels
  const given = [own, ...(coded ? [] : [missing]), unseen].flatMap((one) => (one && one.p !== null ? [one.p] : []));
  return given.length ? Math.min(1, Math.min(...given) * given.length) : null;
}
