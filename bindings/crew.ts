import { type BlockTask, type Crew, runBlock, solo } from './blocks.ts';
import { BUSY, Control } from './control.ts';
import { LogoddsError } from './errors.ts';
import type { Kernels } from './kernels.ts';
import type { WorkerStart } from './worker.ts';

/** One worker, in the same form on every host. */
export interface Spawned {
  /** Sends the worker a message. */
  postMessage(message: unknown): void;
  /** Ends the worker. */
  terminate(): unknown;
  /** Keeps the program running while the worker lives; absent where workers never do so. */
  ref?(): void;
  /** Lets the program end while the worker waits; absent where workers never prevent that. */
  unref?(): void;
}

/**
 * Starts a worker that runs `source`, a classic script.
 * @param onUp  call it at the worker's first message
 * @param onEnd  call it with the reason when the worker ended or failed
 */
export type Spawn = (source: string, onUp: () => void, onEnd: (why: string) => void) => Spawned;

/** A waiting thread wakes up this often to check for news. */
const LOOK_UP_MS = 1000;
/** After this many wake-ups without news, plus those that the largest block may need, a busy worker is treated as lost. */
const PATIENCE = 60;
/** Multiply-adds that the slowest host does between two wake-ups. */
const SLOWEST = 1e8;

/** Wake-ups to wait for news of a task. Its largest block may take minutes. */
export function patienceOf(task: BlockTask): number {
  if (task.kind === 'rows') return PATIENCE;
  const { layout, extent, slots } = task.batch;
  const cells = layout === 'columns' ? extent + 1 : slots + 1;
  const work = task.block * task.data.classes * cells ** (task.kind === 'hessian' ? 2 : 1);
  return PATIENCE + Math.ceil(work / SLOWEST);
}

/**
 * The main thread and its workers over one shared memory. A free thread claims the next block. The main thread takes
 * the results in order, so the sums do not depend on which thread computed a block. It does not wait for workers that are still starting.
 */
export class Team implements Crew {
  readonly #threads: number;
  readonly #onStuck: () => void;
  readonly #alone: Crew;
  readonly #kernels: Kernels;
  readonly #control: Control;
  readonly #workers: Spawned[] = [];
  readonly #up: Promise<void>[] = [];
  /** why the team cannot go on */
  #lost: string | null = null;
  /** a busy worker gave no news for too long */
  #stuck = false;
  #closed = false;

  /**
   * @param onStuck  called when a lost worker may still write to the memory
   * @throws the host's error if it cannot start a worker or share the memory
   */
  constructor(
    threads: number,
    spawn: Spawn,
    source: string,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    kernels: Kernels,
    onStuck: () => void = () => {},
  ) {
    this.#threads = threads;
    this.#onStuck = onStuck;
    this.#alone = solo(kernels);
    this.#kernels = kernels;
    this.#control = new Control(threads);
    try {
      for (let thread = 1; thread < threads; thread++) {
        let resolve = () => {};
        let reject = (_: unknown) => {};
        const up = new Promise<void>((...both) => {
          [resolve, reject] = both;
        });
        // a caller that does not await it gets the error with the next job
        up.catch(() => {});
        this.#up.push(up);
        const worker = spawn(source, resolve, (why) => {
          this.#lost ??= `worker ${thread} has ended (${why})`;
          reject(this.#error());
        });
        this.#workers.push(worker);
        worker.unref?.();
        const { shared } = this.#control;
        worker.postMessage({ module, memory, control: shared, thread, threads } satisfies WorkerStart);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** number of threads in use: only the main thread once it is closed */
  get threads(): number {
    return this.#closed ? 1 : this.#threads;
  }

  /** Resolves when every worker has started. @throws ERR_ENGINE if one cannot start */
  async ready(): Promise<void> {
    for (const worker of this.#workers) worker.ref?.();
    try {
      await Promise.all(this.#up);
    } finally {
      for (const worker of this.#workers) worker.unref?.();
    }
  }

  run(task: BlockTask, blocks: number, take: (block: number, value: number) => void): void {
    if (blocks < 2 || this.#closed) {
      this.#alone.run(task, blocks, take);
      return;
    }
    this.#check();
    const control = this.#control;
    const patience = patienceOf(task);
    const window = 'window' in task ? task.window : control.slots;
    control.begin(task, blocks, window);
    try {
      let taken = 0;
      while (taken < blocks) {
        const known = control.news;
        this.#check();
        for (let value = control.result(taken); value !== undefined; value = control.result(taken)) {
          take(taken, value);
          control.taken(++taken);
          if (taken === blocks) return;
        }
        const block = control.claim();
        if (block >= 0) control.finish(block, runBlock(this.#kernels, task, block, 0));
        else this.#wait(known, patience);
      }
    } finally {
      control.end();
      this.#settle(patience);
    }
  }

  /** Ends the workers; from then on the main thread does everything. */
  close(): void {
    this.#closed = true;
    for (const worker of this.#workers) worker.terminate();
  }

  #error(): LogoddsError {
    const next = 'close this engine and take a new one';
    return new LogoddsError('ERR_ENGINE', `threads: expected ${this.#threads}, got fewer: ${this.#lost}; ${next}`);
  }

  /** @throws ERR_ENGINE when a worker is lost */
  #check(): void {
    if (this.#control.faults > 0) this.#lost ??= `a worker has failed (${this.#control.fault})`;
    if (this.#lost !== null) throw this.#error();
  }

  #busy(): number {
    let busy = 0;
    for (let thread = 1; thread < this.#threads; thread++) if (this.#control.state(thread) === BUSY) busy++;
    return busy;
  }

  /** Sleeps until the news differs from `known`. If it does not change for too long, a worker is lost. */
  #wait(known: number, patience: number): void {
    for (let looks = 0; looks < patience; looks++) {
      if (this.#control.waitForNews(known, LOOK_UP_MS)) return;
    }
    this.#stuck = true;
    this.#onStuck();
    this.#lost ??= `a worker has not moved for ${patience} seconds`;
  }

  /** Waits until no worker reads the task or writes to the memory. */
  #settle(patience: number): void {
    for (;;) {
      const known = this.#control.news;
      if (this.#stuck || this.#busy() === 0) return;
      this.#wait(known, patience);
    }
  }
}
