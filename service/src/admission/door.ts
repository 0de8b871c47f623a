import type { Asked, Gate, LogLine } from '../hooks.ts';
import type { Metrics } from '../observation/metrics.ts';
import { Refusal } from '../refusal.ts';
import { tooLate } from '../requests/deadline.ts';
import { isLong } from './long.ts';
import type { Turns } from './turns.ts';

/** How many times as long a request may wait while the loop was seen to keep up in as long a time. */
const PATIENCE = 10;
/** Of so many short requests one is turned away that have waited less than so many times as long as they may; of later ones all. */
const TURNED: readonly (readonly [times: number, oneOf: number])[] = [
  [2, 4],
  [4, 2],
];
/** Without a request turned away for so long an overload is over. */
const CALM_MS = 1000;

/** One for all: an error costs as much as a score. */
export const OVERLOADED = new Refusal(
  503,
  'ERR_OVERLOAD',
  'service: expected fewer rows at a time, got more; ask again after a second',
  { headers: { 'retry-after': '1' } },
);

/**
 * Turns requests away that have waited too long before any work is done on them. A turn may be long for once: memory is collected, a container has used up
 * its share of the processor. Only where the loop has not kept up for a while requests may wait no longer than they should; until then ten times as long.
 * (Maurer, "Fail at Scale", ACM Queue 2015, 13(8).) A request of a short body may always wait ten times as long, and of
 * those that have waited longer each fourth is refused at first: to refuse it costs about as much as to answer it, and where all are late and ask again at
 * once, whoever refuses them all does nothing else.
 */
export class Door implements Gate {
  readonly #turns: Turns;
  readonly #most: number;
  readonly #metrics: Metrics;
  readonly #log: (line: LogLine) => void;
  /** requests turned away in the overload that goes on, and when the last was */
  #shed = 0;
  #last = 0;
  /** short ones that were too late */
  #late = 0;

  /** @param mostMs  how long a request may wait while the loop does not keep up */
  constructor(turns: Turns, mostMs: number, metrics: Metrics, log: (line: LogLine) => void) {
    this.#turns = turns;
    this.#most = mostMs;
    this.#metrics = metrics;
    this.#log = log;
  }

  /** @throws Refusal 503, 504 */
  enter({ request, began, deadline }: Asked): undefined {
    const delay = this.#turns.delay(began);
    this.#metrics.waited(delay);
    // the client began to wait before the request was read
    if (began + delay >= deadline) throw this.#shut('deadline', began, delay);
    if (delay > this.#most && this.#isTooLate(request, began, delay)) throw this.#shut('overload', began, delay);
    if (this.#shed > 0 && began - this.#last > CALM_MS) this.#over();
    return undefined;
  }

  #isTooLate(request: Request, now: number, delay: number): boolean {
    const patience = PATIENCE * this.#most;
    if (isLong(request)) return delay > (this.#turns.behind(now) > patience ? this.#most : patience);
    if (delay <= patience) return false;
    const [, oneOf] = TURNED.find(([times]) => delay < times * patience) ?? [0, 1];
    return ++this.#late % oneOf === 0;
  }

  #shut(reason: 'overload' | 'deadline', now: number, delay: number): Refusal {
    this.#metrics.turnedAway(reason);
    if (reason === 'deadline') return tooLate();
    if (this.#shed === 0) this.#log({ level: 'warn', event: 'overload', delayMs: Math.round(delay) });
    this.#shed++;
    this.#last = now;
    return OVERLOADED;
  }

  #over(): void {
    this.#log({ level: 'warn', event: 'overload over', requests: this.#shed });
    this.#shed = 0;
  }
}
