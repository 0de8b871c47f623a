import type { LogLine } from '../hooks.ts';

const APART_MS = 100;

/** Lines of the log that clients can cause: at most one in so many milliseconds, which says how many others there were. */
export class Seldom {
  readonly #log: (line: LogLine) => void;
  #at = Number.NEGATIVE_INFINITY;
  #others = 0;

  constructor(log: (line: LogLine) => void) {
    this.#log = log;
  }

  say(make: () => LogLine): void {
    const now = performance.now();
    if (now - this.#at < APART_MS) {
      this.#others++;
      return;
    }
    this.#log({ ...make(), others: this.#others });
    this.#at = now;
    this.#others = 0;
  }
}
