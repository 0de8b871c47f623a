import type { BlockTask } from './blocks.ts';
import { LogoddsError } from './errors.ts';

/*
 * What the threads of one engine share beside their memory: control words, one value for each block under way, and the
 * task as text. A job is: the task is written, the words are set, OPEN is 1, JOB counts up and wakes the workers; blocks
 * are claimed one by one; OPEN is 0, and nothing is written again before no worker is busy.
 */
const JOB = 0;
const OPEN = 1;
const BLOCKS = 2;
const WINDOW = 3;
/** the block to be claimed next */
const NEXT = 4;
/** blocks whose results were taken, in order; block b may begin once b − WINDOW is among them */
const TAKEN = 5;
/** counts up whenever a worker has something to tell the main thread */
const NEWS = 6;
/** workers that failed */
const FAULTS = 7;
const STATES = 8;

const TEXT = 1024;

/** parts a task may be cut into for each thread; more even out threads that are not equally fast */
const PARTS = 8;

export const IDLE = 0;
export const BUSY = 1;
export const FAILED = 2;

/** `claim`: everything is claimed */
export const NONE = -1;
/** `claim`: the block to be claimed next must wait until an earlier one was taken */
export const LATER = -2;

/** One job at a time, handed from the main thread (thread 0) to workers (threads 1 to threads − 1). */
export class Control {
  readonly shared: SharedArrayBuffer;
  /** results that can be under way: the largest window */
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

  /** main thread: opens a job and wakes the workers. @throws ERR_ENGINE for a task whose text has no room */
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

  /** main thread: no block can be claimed any more */
  end(): void {
    Atomics.store(this.#words, OPEN, 0);
    this.taken(-1);
  }

  /** the next block for the thread that asks, or NONE or LATER */
  claim(): number {
    const words = this.#words;
    for (;;) {
      const block = Atomics.load(words, NEXT);
      if (Atomics.load(words, OPEN) === 0 || block >= words[BLOCKS]) return NONE;
      if (block >= Atomics.load(words, TAKEN) + words[WINDOW]) return LATER;
      if (Atomics.compareExchange(words, NEXT, block, block + 1) === block) return block;
    }
  }

  /** a block is done; `value` is its number (a loss) */
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

  /** main thread: the results of so many blocks, from the first on, were taken and their slots are free */
  taken(blocks: number): void {
    Atomics.store(this.#words, TAKEN, blocks);
    Atomics.notify(this.#words, TAKEN);
  }

  /** counts what workers have told; compare before and after */
  get news(): number {
    return Atomics.load(this.#words, NEWS);
  }

  /** main thread: sleeps until there is other news than `known`. @returns false when there was none for that long */
  waitForNews(known: number, timeoutMs: number): boolean {
    return Atomics.wait(this.#words, NEWS, known, timeoutMs) !== 'timed-out';
  }

  state(thread: number): number {
    return Atomics.load(this.#words, STATES + thread);
  }

  get faults(): number {
    return Atomics.load(this.#words, FAULTS);
  }

  /** what the worker that failed last had to say */
  get fault(): string {
    return read(this.#texts[1]);
  }

  /** worker: ends its part for good, and says why */
  fail(thread: number, why: string): void {
    if (this.state(thread) === FAILED) return;
    write(this.#texts[1], why.slice(0, TEXT - 1));
    Atomics.store(this.#words, STATES + thread, FAILED);
    Atomics.add(this.#words, FAULTS, 1);
    this.#tell();
  }

  /** worker: takes part in every job, asleep between them; does not return */
  serve(thread: number, work: (task: BlockTask, block: number, thread: number) => number): never {
    const words = this.#words;
    let job = 0;
    for (;;) {
      Atomics.wait(words, JOB, job);
      job = Atomics.load(words, JOB);
      Atomics.store(words, STATES + thread, BUSY);
      // open after being busy: then the main thread waits, and the task stays as it is
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
