import type { DelayHistogram } from '../labels/delay.ts';

/** How late labels come. */
export interface LabelDelays {
  /** of labels whose time is known */
  readonly count: number;
  /** labels known before their score was made: clocks differ, or the outcome leaked */
  readonly negative: number;
  readonly meanMs: number | null;
  /** upper end of the bin in which the delay of this share of the labels lies; null: there are none, or it lies beyond all bins */
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
  /** upper ends of the bins; the last is open */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  /** of each edge the share of all scores that have their label by that age: young scores say nothing of it (Kaplan and Meier, in bins) */
  readonly labelledBy: readonly number[];
  /** age from which a window is ripe; null: no labels, so none is */
  readonly ripeAfterMs: number | null;
  /** `given`, or by the labels: the least edge by which 95 % of the labels that ever come have come */
  readonly ripeBy: 'given' | 'labels' | null;
}

/** Share of the labels that ever come which a ripe window has. */
const RIPE = 0.95;

/**
 * Returns how late labels come, and when windows are ripe.
 *
 *   labelledBy(t) = 1 − Π_{bins up to t} (1 − d/n),   d: labels with such a delay, n: scores without a label before that are at least as old as the bin
 *
 * @param open  scores without a label: their age in milliseconds, and how many there are
 * @param labelled  labels in all, those without a time too
 */
export function delaysOf(
  delays: DelayHistogram,
  labelled: number,
  open: readonly (readonly [ageMs: number, count: number])[],
  given: number | null,
): LabelDelays {
  const { edges, counts, negative, sumMs } = delays;
  const count = delays.count;
  let without = 1;
  // what came before its score is there from the beginning
  let left = count + negative;
  let atOnce = negative;
  const labelledBy = edges.map((edge, k) => {
    const came = counts[k] + atOnce;
    const atRisk = left + open.reduce((sum, [age, rows]) => sum + (age >= edge ? rows : 0), 0);
    if (came > 0 && atRisk > 0) without *= 1 - came / atRisk;
    left -= came;
    atOnce = 0;
    return 1 - without;
  });
  const most = labelledBy[labelledBy.length - 1];
  const at = labelledBy.findIndex((share) => share >= RIPE * most);
  // labels without times are there
  const byLabels = count + negative === 0 ? (labelled > 0 ? 0 : null) : most > 0 ? edges[at] : edges[edges.length - 1];
  const ripeAfterMs = given ?? byLabels;
  const quantile = (share: number): number | null => {
    const high = count > 0 ? delays.quantile(share)!.high : Number.POSITIVE_INFINITY;
    return Number.isFinite(high) ? high : null;
  };
  return {
    count,
    negative,
    meanMs: count > 0 ? sumMs / count : null,
    medianMs: quantile(0.5),
    p95Ms: quantile(0.95),
    edges,
    counts,
    labelledBy,
    ripeAfterMs,
    ripeBy: given !== null ? 'given' : byLabels === null ? null : 'labels',
  };
}
