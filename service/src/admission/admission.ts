import type { Gate, LogLine } from '../hooks.ts';
import type { Metrics } from '../observation/metrics.ts';
import { Door } from './door.ts';
import { Queue } from './queue.ts';
import { CallerRates, RateLimit, type RateOptions } from './rate.ts';
import { HOST_TIME, type Time, Turns } from './turns.ts';

/** How much is let in at a time. */
export interface AdmissionOptions {
  /**
   * milliseconds that a request with a body of 64 KiB or more may have waited when its turn comes, in an event loop that does not keep up or in the queue;
   * later ones are refused by 503. Shorter bodies may wait ten times as long, and of later ones more and more are refused. Default: none is refused. Where
   * clocks stand still while work is done, as in Workers, nothing is seen to wait, and nothing is refused.
   */
  readonly maxDelayMs?: number;
  /** how much each caller may ask */
  readonly rate?: RateOptions;
}

/**
 * The gates of admission: those before who asks is known, and those after. `hasKeys`: callers may have a rate of their own. Health, numbers and pages ask no model, and pass no gate.
 * @internal
 */
export function gatesOf(
  { maxDelayMs, rate }: AdmissionOptions,
  metrics: Metrics,
  log: (line: LogLine) => void,
  hasKeys = false,
  time: Time = HOST_TIME,
): { readonly before: readonly Gate[]; readonly after: readonly Gate[] } {
  const all = rate ? new RateLimit(rate, time, metrics) : null;
  const limit = hasKeys ? [new CallerRates(all, time, metrics)] : all ? [all] : [];
  if (maxDelayMs === undefined) return { before: [], after: limit };
  const turns = new Turns(time, maxDelayMs, () => queue.turn());
  const queue = new Queue(time, turns, maxDelayMs, metrics);
  return { before: [new Door(turns, maxDelayMs, metrics, log)], after: [...limit, queue] };
}
