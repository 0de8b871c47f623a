/** The longest time that a timer can have. */
const MOST_MS = 2 ** 31 - 1;

/** How long a call may take, all its attempts and waits together; it is over before where the caller's signal is raised. */
export class Deadline {
  readonly timeoutMs: number;
  readonly #controller = new AbortController();
  readonly #end: number;
  readonly #release: () => void;
  #isOver = false;

  /** @param timeoutMs  Infinity: none */
  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    this.timeoutMs = timeoutMs;
    this.#end = performance.now() + timeoutMs;
    const abort = () => this.#controller.abort(signal?.reason);
    const expire = () => {
      this.#isOver = true;
      this.#controller.abort();
    };
    const timer = timeoutMs <= MOST_MS ? setTimeout(expire, timeoutMs) : undefined;
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort);
    this.#release = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether time ran out, rather than that the caller has left. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get remainingMs(): number {
    return this.#end - performance.now();
  }

  /** The call is over. */
  end(): void {
    this.#release();
  }

  /** The call is over, and what is still sent or received of it. */
  abort(): void {
    this.end();
    this.#controller.abort();
  }

  /** Resolves after some time, or when the call is over. */
  wait(ms: number): Promise<void> {
    const { signal } = this;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
    });
  }
}
