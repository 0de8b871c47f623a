import type { BlockTask } from './blocks.ts';
import { LogoddsError } from './errors.ts';

/*
 * Shared state of an engine's threads, beside their memory: control words, one value for each block in progress, and the
 * task as text. A job runs like this: the task is written and the words are set; OPEN becomes 1; JOB is incremented and wakes
 * the workers; blocks are claimed one by one; OPEN becomes 0. Nothing is written again until no worker is busy.
 */
const JOB = 0;
const OPEN = 1;
const BLOCKS = 2;
const WINDOW = 3;
/** the block to be claimed next */
const NEXT = 4;
/** number of blocks whose results were taken, in order; block b may begin once block b − WINDOW was taken */
const TAKEN = 5;
/** incremented whenever a worker has news for the main thread */
const NEWS = 6;
/** workers that failed */
const FAULTS = 7;
const STATES = 8;

const TEXT = 1024;

/** parts of a task for each thread; more parts balance threads of different speed */
const PARTS = 8;

export const IDLE = 0;
export const BUSY = 1;
export const FAILED = 2;

/** result of `claim`: all blocks are claimed */
export const NONE = -1;
/** result of `claim`: the next block must wait until an earlier result was taken */
export const LATER = -2;

/** Passes one job at a time from the main thread (thread 0) to workers (threads 1 to threads − 1). */
export class Control {
  readonly shared: SharedArrayBuffer;
  /** largest window: number of results that can be in progress */
  readonly slots: number;
  readonly #words: Int32Array;
  readonly #done: Int32Array;
  readonly #values: Float64Array;
  readonly #texts: Uint16Array[];

  /** @param shared  of another thread; absent: a new one */
  constructor(threads: number, shared?: SharedArrayBuffer) {
    this.slots = PARTS * threads;
    const head = Math.ceil((STATES + threads + this.slots) / 2) * 8;
    this.shared = shared ?? new SharedArrayBuffer(head + this.slots * 8 + 4 * TEXT);
    this.#words = new Int32Array(this.shared, 0, STATES + threads);
    this.#done = new Int32Array(this.shared, (STATES + threads) * 4, this.slots);
    this.#values = new Float64Array(this.shared, head, this.slots);
    const text = head + this.slots * 8;
    this.#texts = [text, text + 2 * TEXT].map((at) => new Uint16Array(this.shared, at, TEXT));
  }

  /** main thread: opens a job and wakes the workers. @throws ERR_ENGINE for a task whose text is too long */
  begin(task: BlockTask, blocks: number, window: number): void {
    const words = this.#words;
    const text = JSON.stringify(task);
    if (text.length >= TEXT) {
      throw new LogoddsError(
        'ERR_ENGINE',
        `task: expected at most ${TEXT - 1} characters, got ${text.length}; use one thread`,
      );
    }
    write(this.#texts[0], text);
    this.#done.fill(0);
    words.set([blocks, window, 0, 0], BLOCKS);
    Atomics.store(words, OPEN, 1);
    Atomics.add(words, JOB, 1);
    Atomics.notify(words, JOB);
  }

  /** main thread: ends claiming of blocks */
  end(): void {
    Atomics.store(this.#words, OPEN, 0);
    this.taken(-1);
  }

  /** the next block for the calling thread, or NONE or LATER */
  claim(): number {
    const words = this.#words;
    for (;;) {
      const block = Atomics.load(words, NEXT);
      if (Atomics.load(words, OPEN) === 0 || block >= words[BLOCKS]) return NONE;
      if (block >= Atomics.load(words, TAKEN) + words[WINDOW]) return LATER;
      if (Atomics.compareExchange(words, NEXT, block, block + 1) === block) return block;
    }
  }

  /** marks a block as done; `value` is its result (a loss) */
  finish(block: number, value: number): void {
    const slot = block % this.#words[WINDOW];
    this.#values[slot] = value;
    Atomics.store(this.#done, slot, block + 1);
    this.#tell();
  }

  /** the value of a block, or undefined while it is not done */
  result(block: number): number | undefined {
    const slot = block % this.#words[WINDOW];
    return Atomics.load(this.#done, slot) === block + 1 ? this.#values[slot] : undefined;
  }

  /** main thread: the results of this many first blocks were taken, so their slots are free */
  taken(blocks: number): void {
    Atomics.store(this.#words, TAKEN, blocks);
    Atomics.notify(this.#words, TAKEN);
  }

  /** counter of the workers' news, to compare before and after */
  get news(): number {
    return Atomics.load(this.#words, NEWS);
  }

  /** main thread: sleeps until the news differs from `known`. @returns false after a timeout */
  waitForNews(known: number, timeoutMs: number): boolean {
    return Atomics.wait(this.#words, NEWS, known, timeoutMs) !== 'timed-out';
  }

  state(thread: number): number {
    return Atomics.load(this.#words, STATES + thread);
  }

  get faults(): number {
    return Atomics.load(this.#words, FAULTS);
  }

  /** message of the last worker that failed */
  get fault(): string {
    return read(this.#texts[1]);
  }

  /** worker: stops for good, with a reason */
  fail(thread: number, why: string): void {
    if (this.state(thread) === FAILED) return;
    write(this.#texts[1], why.slice(0, TEXT - 1));
    Atomics.store(this.#words, STATES + thread, FAILED);
    Atomics.add(this.#words, FAULTS, 1);
    this.#tell();
  }

  /** worker: works on every job and sleeps between jobs; does not return */
  serve(thread: number, work: (task: BlockTask, block: number, thread: number) => number): never {
    const words = this.#words;
    let job = 0;
    for (;;) {
      Atomics.wait(words, JOB, job);
      job = Atomics.load(words, JOB);
      Atomics.store(words, STATES + thread, BUSY);
      // still open after BUSY was set: the main thread now waits, and the task does not change
      const task: BlockTask | null = Atomics.load(words, OPEN) ? JSON.parse(read(this.#texts[0])) : null;
      while (task) {
        const taken = Atomics.load(words, TAKEN);
        const block = this.claim();
        if (block === NONE) break;
        if (block === LATER) Atomics.wait(words, TAKEN, taken);
        else this.finish(block, work(task, block, thread));
      }
      Atomics.store(words, STATES + thread, IDLE);
      this.#tell();
    }
  }

  #tell(): void {
    Atomics.add(this.#words, NEWS, 1);
    Atomics.notify(this.#words, NEWS);
  }
}

function write(to: Uint16Array, text: string): void {
  for (let i = 0; i < text.length; i++) to[i + 1] = text.charCodeAt(i);
  to[0] = text.length;
}

function read(from: Uint16Array): string {
  return String.fromCharCode(...from.subarray(1, 1 + from[0]));
}
