/** Two distributions on the same bins, as what a drawing or a table shows. */
import type { Distribution, LevelDistribution, NumberDistribution } from '../../../src/monitor.ts';
import { significant } from './wording.ts';

/** Shares of one bar on both sides. */
export interface Bar {
  /** a level, a value, or a range */
  readonly label: string;
  readonly reference: number;
  readonly current: number;
}

/** A stretch of numbers with the shares of both sides in it. */
export interface Stretch extends Bar {
  readonly from: number;
  readonly to: number;
}

/** Two distributions: bars of levels or of few values, or stretches of equal width; and what lies outside of the drawn ones. */
export interface Compared {
  readonly bars: readonly Bar[] | null;
  readonly stretches: readonly Stretch[] | null;
  /** shares below and above what is drawn, or of further levels */
  readonly outside: readonly Bar[];
}

/** Levels that are drawn, and values that are drawn as levels. */
const LEVELS = 12;
const VALUES = 14;
/** Stretches of a number. */
const STRETCHES = 24;
/** Share of the reference and the current rows on each side that stretches leave out. */
const TAIL = 0.005;

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/**
 * Puts two distributions of the same bins beside each other, as shares.
 */
export function compareDistributions(reference: Distribution, current: Distribution): Compared {
  if (reference.kind === 'levels') return ofLevels(reference, current as LevelDistribution);
  return ofNumbers(reference, current as NumberDistribution);
}

function ofLevels({ levels, counts }: LevelDistribution, { counts: others }: LevelDistribution): Compared {
  const [n, m] = [sum(counts) || 1, sum(others) || 1];
  const all = levels.map((label, k) => ({ label, reference: counts[k] / n, current: others[k] / m }));
  const size = (bar: Bar): number => Math.max(bar.reference, bar.current);
  const found = all.filter((bar) => size(bar) > 0);
  const kept = new Set([...found].sort((a, b) => size(b) - size(a)).slice(0, LEVELS));
  const rest = found.filter((bar) => !kept.has(bar));
  // many levels: the most frequent first; few: in their order
  const bars = found.length > LEVELS ? [...kept] : found;
  return { bars, stretches: null, outside: rest.length > 0 ? [together(`${rest.length} other levels`, rest)] : [] };
}

const together = (label: string, bars: readonly Bar[]): Bar => ({
  label,
  reference: sum(bars.map((bar) => bar.reference)),
  current: sum(bars.map((bar) => bar.current)),
});

function ofNumbers(before: NumberDistribution, now: NumberDistribution): Compared {
  const { edges, low, high } = before;
  const [n, m] = [sum(before.counts) || 1, sum(now.counts) || 1];
  const shares = before.counts.map((count, k) => ({ reference: count / n, current: now.counts[k] / m }));
  const inner = edges.filter((edge) => edge >= low && edge <= high);
  // bins of few values end at these values
  if (inner.length <= VALUES) {
    const bars = shares.map(
      (one, k): Bar => ({
        label: k === edges.length ? `above ${significant(edges[k - 1])}` : labelOf(edges[k], low, high),
        ...one,
      }),
    );
    return {
      bars: bars.filter((bar) => bar.reference + bar.current > 0),
      stretches: null,
      outside: [],
    };
  }
  const [from, to] = endsOf(edges, shares);
  const width = (to - from) / STRETCHES;
  const stretches: Stretch[] = Array.from({ length: STRETCHES }, (_, i) => {
    const [start, end] = [from + i * width, i === STRETCHES - 1 ? to : from + (i + 1) * width];
    return {
      label: `${significant(start)} to ${significant(end)}`,
      from: start,
      to: end,
      ...shareIn(edges, shares, start, end),
    };
  });
  const outside = [
    { label: `below ${significant(from)}`, ...shareIn(edges, shares, Number.NEGATIVE_INFINITY, from) },
    { label: `above ${significant(to)}`, ...shareIn(edges, shares, to, Number.POSITIVE_INFINITY) },
  ].filter((bar) => bar.reference + bar.current > 1e-9);
  return { bars: null, stretches, outside };
}

const labelOf = (edge: number, low: number, high: number): string =>
  edge < low ? `below ${significant(low)}` : edge > high ? `above ${significant(high)}` : significant(edge);

type Shares = readonly { readonly reference: number; readonly current: number }[];

/** Between which edges all but the tails of both sides lie. */
function endsOf(edges: readonly number[], shares: Shares): [number, number] {
  const last = edges.length - 1;
  let [first, end] = [0, last];
  let [a, b] = [0, 0];
  for (let k = 0; k < last; k++) {
    a += shares[k].reference;
    b += shares[k].current;
    if (Math.max(a, b) > TAIL) break;
    first = k;
  }
  [a, b] = [0, 0];
  for (let k = last + 1; k > first + 1; k--) {
    a += shares[k].reference;
    b += shares[k].current;
    if (Math.max(a, b) > TAIL) break;
    end = k - 1;
  }
  return [edges[first], Math.max(edges[end], edges[first + 1])];
}

/** The shares from one number to another, those of a bin spread evenly over it. */
function shareIn(
  edges: readonly number[],
  shares: Shares,
  from: number,
  to: number,
): { reference: number; current: number } {
  let [reference, current] = [0, 0];
  shares.forEach((one, k) => {
    const [start, end] = [k === 0 ? edges[0] : edges[k - 1], edges[Math.min(k, edges.length - 1)]];
    const width = end - start;
    // the outer bins lie at their only edge
    const isIn = k === 0 ? from < start : k === edges.length ? to > end : false;
    const part = width > 0 ? Math.max(0, Math.min(to, end) - Math.max(from, start)) / width : isIn ? 1 : 0;
    reference += part * one.reference;
    current += part * one.current;
  });
  return { reference, current };
}
