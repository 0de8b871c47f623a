import { addCounts, addHistogram, type Histogram, histogram } from './histogram.ts';

/** Upper ends of waiting, in seconds. */
const SECONDS = [1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Why a request was turned away before work was done. */
export type Shed = 'overload' | 'queue' | 'deadline' | 'rate';

/** What admission counts. Plain data: the processes of a service send theirs to one another. */
export interface Load {
  /** requests that were turned away, by reason */
  readonly shed: Record<Shed, number>;
  /** how long requests waited for the event loop, and in the queue */
  readonly delay: Histogram;
  /** long bodies that wait, and their bytes */
  queued: number;
  queuedBytes: number;
  /** callers whose count was forgotten before its time */
  forgotten: number;
}

export const emptyLoad = (): Load => ({
  shed: { overload: 0, queue: 0, deadline: 0, rate: 0 },
  delay: histogram(SECONDS),
  queued: 0,
  queuedBytes: 0,
  forgotten: 0,
});

export function addLoad(to: Load, from: Load): void {
  addCounts(to.shed, from.shed);
  addHistogram(to.delay, from.delay);
  for (const key of ['queued', 'queuedBytes', 'forgotten'] as const) to[key] += from[key];
}
