/** A clock, and a way to be called after what goes on: a test has others. */
export interface Time {
  /** milliseconds */
  now(): number;
  /** Calls back when the event loop comes round. */
  soon(call: () => void): unknown;
}

/** Node, Deno and Bun have `setImmediate`. Elsewhere a timer ends a turn, which then lasts a millisecond at least. */
const { setImmediate: soon = (call: () => void): unknown => setTimeout(call, 0) } = globalThis as {
  setImmediate?: (call: () => void) => unknown;
};

export const HOST_TIME: Time = { now: () => performance.now(), soon };

/**
 * The turns of an event loop. Work here is done on one thread in microseconds: what waits does so in sockets, and is read, answered and forgotten one after
 * the other when the loop comes to them. What was read late in a turn has waited for all that came before it in that turn.
 */
export class Turns {
  readonly #time: Time;
  readonly #calmMs: number;
  #began = 0;
  #ended = Number.NEGATIVE_INFINITY;
  #isOpen = false;
  /** when the loop was last seen to keep up */
  #calmAt = Number.NEGATIVE_INFINITY;
  readonly #whenOver: () => void;
  readonly #over = (): void => {
    this.#isOpen = false;
    this.#ended = this.#time.now();
    if (this.#ended - this.#began <= this.#calmMs) this.#calmAt = this.#ended;
    this.#whenOver();
  };

  /**
   * @param calmMs  length of a turn, or of a rest between two, by which the loop is seen to keep up
   * @param whenOver  called at the end of each turn in which something was asked
   */
  constructor(time: Time, calmMs: number, whenOver: () => void = () => {}) {
    this.#time = time;
    this.#calmMs = calmMs;
    this.#whenOver = whenOver;
  }

  /** Milliseconds since the turn began: what came with its first request has waited for so long. A timer a turn, however many requests it has. */
  delay(now: number): number {
    if (this.#isOpen) return now - this.#began;
    if (now - this.#ended > this.#calmMs) this.#calmAt = now;
    this.#isOpen = true;
    this.#began = now;
    this.#time.soon(this.#over);
    return 0;
  }

  /** Milliseconds since the loop was last seen to keep up. */
  behind(now: number): number {
    return now - this.#calmAt;
  }
}
