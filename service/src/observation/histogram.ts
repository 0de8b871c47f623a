/** Counts of values by upper ends, which they may equal. Plain data: the processes of a service send theirs to one another. */
export interface Histogram {
  readonly ends: readonly number[];
  /** one more than ends: the last is for greater values */
  readonly counts: number[];
  sum: number;
}

export const histogram = (ends: readonly number[]): Histogram => ({
  ends,
  counts: new Array(ends.length + 1).fill(0),
  sum: 0,
});

/** @param times  how many values there are of it */
export function observe(to: Histogram, value: number, times = 1): void {
  const { ends, counts } = to;
  let at = 0;
  while (at < ends.length && value > ends[at]) at++;
  counts[at] += times;
  to.sum += value * times;
}

export function addHistogram(to: Histogram, from: Histogram): void {
  from.counts.forEach((count, i) => {
    to.counts[i] += count;
  });
  to.sum += from.sum;
}

export function addCounts(to: Record<string, number>, from: Readonly<Record<string, number>>): void {
  for (const [key, count] of Object.entries(from)) to[key] = (to[key] ?? 0) + count;
}
