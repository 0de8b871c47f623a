/** A clock, and two ways to be called after what goes on: a test has others. */
export interface Time {
  /** milliseconds */
  now(): number;
  /** Calls back when the event loop comes round. */
  soon(call: () => void): unknown;
  /** Calls back when the event loop has read what was there to be read, which may be long before it comes round. */
  round(call: () => void): void;
}

/** Node, Deno and Bun have `setImmediate`. Elsewhere a timer ends a turn, which then lasts a millisecond at least. */
const { setImmediate: soon = (call: () => void): unknown => setTimeout(call, 0) } = globalThis as {
  setImmediate?: (call: () => void) => unknown;
};

/**
 * A message to this thread stands in the same row as the requests in the sockets, behind those that were there before it. libuv reads up to 48 times 1024
 * sockets before it comes round, so that with more clients than that a turn has no end while they ask again.
 */
function messages(): (call: () => void) => void {
  if (typeof MessageChannel === 'undefined') return () => {};
  let ports: MessageChannel | null = null;
  let call = (): void => {};
  return (next) => {
    call = next;
    if (!ports) {
      ports = new MessageChannel();
      ports.port1.onmessage = () => call();
      // Node: it is no reason to stay
      (ports.port1 as { unref?: () => void }).unref?.();
    }
    ports.port2.postMessage(0);
  };
}

export const HOST_TIME: Time = { now: () => performance.now(), soon, round: messages() };

/**
 * The turns of an event loop. Work here is done on one thread in microseconds: what waits does so in sockets, and is read, answered and forgotten one after
 * the other when the loop comes to them. What was read late in a turn has waited for all that came before it in that turn. A turn that is long has rounds: in
 * each the loop reads what was there when the round began, and what was read late in one has waited since then.
 */
export class Turns {
  readonly #time: Time;
  readonly #calmMs: number;
  #began = 0;
  #ended = Number.NEGATIVE_INFINITY;
  #isOpen = false;
  /** somebody tells of the end of the round */
  #isTold = false;
  /** when the loop was last seen to keep up */
  #calmAt = Number.NEGATIVE_INFINITY;
  readonly #whenOver: () => void;
  readonly #over = (): void => {
    this.#isOpen = false;
    this.#end();
  };
  readonly #round = (): void => {
    this.#isTold = false;
    if (!this.#isOpen) return;
    this.#end();
    this.#began = this.#ended;
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

  /** Milliseconds since the turn, or its round, began: what came with its first request has waited for so long. A timer a turn, however many requests it has. */
  delay(now: number): number {
    if (this.#isOpen) {
      const delay = now - this.#began;
      if (delay > this.#calmMs && !this.#isTold) {
        this.#isTold = true;
        this.#time.round(this.#round);
      }
      return delay;
    }
    if (now - this.#ended > this.#calmMs) this.#calmAt = now;
    this.#isOpen = true;
    this.#began = now;
    this.#time.soon(this.#over);
    return 0;
  }

  #end(): void {
    this.#ended = this.#time.now();
    if (this.#ended - this.#began <= this.#calmMs) this.#calmAt = this.#ended;
    this.#whenOver();
  }

  /** Milliseconds since the loop was last seen to keep up. */
  behind(now: number): number {
    return now - this.#calmAt;
  }
}
