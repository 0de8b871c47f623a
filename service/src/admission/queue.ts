import type { Asked, Gate } from '../hooks.ts';
import type { Metrics } from '../observation/metrics.ts';
import { Refusal } from '../refusal.ts';
import { tooLate } from '../requests/deadline.ts';
import { OVERLOADED } from './door.ts';
import { longBytes } from './long.ts';
import type { Time, Turns } from './turns.ts';

/** A long body that waits: it is not read, so it costs nothing but its connection. */
interface Waiting {
  readonly asked: Asked;
  readonly bytes: number;
  readonly since: number;
  readonly go: (refusal: Refusal | null) => void;
}

/**
 * Lets one long body in for each turn of the event loop, in the order in which they came; short ones pass. So what is short waits for one long body at
 * most, however many of them there are.
 */
export class Queue implements Gate {
  readonly #time: Time;
  readonly #turns: Turns;
  readonly #most: number;
  readonly #metrics: Metrics;
  #waiting: Waiting[] = [];
  /** a long body was let in, in this turn */
  #isTaken = false;

  /** @param mostMs  how long a body may wait */
  constructor(time: Time, turns: Turns, mostMs: number, metrics: Metrics) {
    this.#time = time;
    this.#turns = turns;
    this.#most = mostMs;
    this.#metrics = metrics;
  }

  /** @throws Refusal 503 */
  enter(asked: Asked): Promise<void> | undefined {
    const bytes = longBytes(asked.request);
    if (bytes === 0) return undefined;
    if (!this.#isTaken) {
      this.#isTaken = true;
      return undefined;
    }
    const now = this.#time.now();
    if (this.#waiting.length > 0 && now - this.#waiting[0].since > this.#most) throw this.#refusal('queue');
    return new Promise((resolve, reject) => {
      const go = (refusal: Refusal | null) => (refusal ? reject(refusal) : resolve());
      this.#waiting.push({ asked, bytes, since: now, go });
      this.#count(1, bytes);
    });
  }

  /** A turn is over. */
  turn(): void {
    this.#isTaken = false;
    const now = this.#time.now();
    let passed = 0;
    for (; passed < this.#waiting.length && !this.#isTaken; passed++) this.#leave(this.#waiting[passed], now);
    if (passed > 0) this.#waiting = this.#waiting.slice(passed);
    // another turn is told of only where something is asked
    if (this.#isTaken) this.#turns.delay(now);
  }

  #leave({ asked, bytes, since, go }: Waiting, now: number): void {
    this.#count(-1, -bytes);
    this.#metrics.waited(now - since);
    if (asked.request.signal.aborted) go(new Refusal(499, 'ERR_LEFT', 'client: expected it to wait, got none'));
    else if (now >= asked.deadline) go(this.#refusal('deadline'));
    else if (now - since > this.#most) go(this.#refusal('queue'));
    else {
      this.#isTaken = true;
      go(null);
    }
  }

  #refusal(reason: 'queue' | 'deadline'): Refusal {
    this.#metrics.turnedAway(reason);
    return reason === 'deadline' ? tooLate() : OVERLOADED;
  }

  #count(requests: number, bytes: number): void {
    this.#metrics.load.queued += requests;
    this.#metrics.load.queuedBytes += bytes;
  }
}
