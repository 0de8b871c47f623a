import type { Asked, Gate } from '../hooks.ts';
import type { Metrics } from '../observation/metrics.ts';
import { Refusal } from '../refusal.ts';
import { callerOf } from '../requests/caller.ts';
import { peerOf } from '../requests/peer.ts';
import { Buckets } from './buckets.ts';
import type { Time } from './turns.ts';

/** How much each caller may ask. */
export interface RateOptions {
  /** what is counted; rows when they were scored, so that a caller may owe the rows of its last request */
  readonly of: 'requests' | 'rows';
  readonly perSecond: number;
  /** how many at once after a rest; default those of a second, at least 1 */
  readonly burst?: number;
  /** who asks; default whom access has let in, else the address of the peer. Those of whom nothing is known are one caller. */
  readonly keyOf?: (asked: Asked) => string | null;
  /** callers that are known at a time, a power of two; default 2^20, for which 16 MiB are taken */
  readonly callers?: number;
}

const CALLERS = 2 ** 20;

/** Holds each caller to a rate. */
export class RateLimit implements Gate {
  readonly #buckets: Buckets;
  readonly #of: RateOptions['of'];
  readonly #keyOf: (asked: Asked) => string | null;
  readonly #time: Time;
  readonly #metrics: Metrics;
  readonly #policy: string;
  readonly #said: string;

  constructor(options: RateOptions, time: Time, metrics: Metrics) {
    const { of, perSecond, burst = Math.max(1, perSecond), callers = CALLERS } = options;
    this.#buckets = new Buckets(perSecond / 1000, burst, callers);
    this.#of = of;
    this.#keyOf = options.keyOf ?? (({ request }) => callerOf(request)?.name ?? peerOf(request)?.address ?? null);
    this.#time = time;
    this.#metrics = metrics;
    this.#policy = `"${of}";q=${Math.floor(burst)};w=${Math.max(1, Math.ceil(burst / perSecond))}`;
    this.#said = `${of}: expected at most ${perSecond} a second (${burst} at once), got more`;
  }

  /** @throws Refusal 429 */
  enter(asked: Asked): undefined {
    const caller = this.#keyOf(asked) ?? '';
    const { isAllowed, left, fullMs, waitMs } = this.#buckets.take(caller, 1, this.#time.now());
    this.#metrics.load.forgotten = this.#buckets.forgotten;
    asked.header('ratelimit-policy', this.#policy);
    asked.header('ratelimit', `"${this.#of}";r=${left};t=${Math.ceil(fullMs / 1000)}`);
    if (!isAllowed) {
      this.#metrics.turnedAway('rate');
      const seconds = Math.max(1, Math.ceil(waitMs / 1000));
      throw new Refusal(429, 'ERR_RATE', `${this.#said}; ask again after ${seconds} s`, {
        headers: { 'retry-after': `${seconds}` },
      });
    }
    // one was taken when it came
    if (this.#of === 'rows')
      asked.onEnd(() => asked.rows > 1 && this.#buckets.charge(caller, asked.rows - 1, this.#time.now()));
    return undefined;
  }
}

/** Callers of one rate that are known at a time, and rates. */
const SOME = 2 ** 10;

/** Holds callers whose keys have a rate of their own to it, all others to that of all, where there is one. */
export class CallerRates implements Gate {
  readonly #all: RateLimit | null;
  readonly #own = new Map<number, RateLimit>();
  readonly #time: Time;
  readonly #metrics: Metrics;

  /** @param all  null: the others have no rate */
  constructor(all: RateLimit | null, time: Time, metrics: Metrics) {
    this.#all = all;
    this.#time = time;
    this.#metrics = metrics;
  }

  /** @throws Refusal 429 */
  enter(asked: Asked): undefined {
    const perSecond = callerOf(asked.request)?.rate ?? null;
    if (perSecond === null) return this.#all?.enter(asked);
    let limit = this.#own.get(perSecond);
    if (!limit) {
      // keys change while a service runs
      if (this.#own.size === SOME) this.#own.clear();
      limit = new RateLimit({ of: 'requests', perSecond, callers: SOME }, this.#time, this.#metrics);
      this.#own.set(perSecond, limit);
    }
    return limit.enter(asked);
  }
}
