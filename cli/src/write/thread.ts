import { Worker } from 'node:worker_threads';
import { buffersOf, type ScoreBlock } from './block.ts';
import type { FromWriter, ToWriter, WriterStart } from './worker.ts';

/** Blocks that may wait for the thread. */
const MOST_WAITING = 4;

/** The program stands beside the command; tests run the command from its sources. */
const PROGRAM = new URL(import.meta.url.endsWith('.ts') ? '../../dist/worker.js' : './worker.js', import.meta.url);

/** A thread that writes blocks of scores into a Parquet file. End it with `finish` or `stop`. */
export class WriterThread {
  readonly #worker: Worker;
  readonly #sent = new Int32Array(new SharedArrayBuffer(4));
  readonly #ended: Promise<void>;
  #waiting = 0;
  #failure: unknown = null;
  #wake = () => {};

  constructor(start: Omit<WriterStart, 'sent'>) {
    const data: WriterStart = { ...start, sent: this.#sent };
    // without the program's own loaders and preloaded modules
    this.#worker = new Worker(PROGRAM, { workerData: data, execArgv: [], name: 'logodds' });
    this.#ended = new Promise((resolve) => {
      let done = false;
      const fail = (error: unknown) => {
        this.#failure ??= error;
        this.#wake();
      };
      this.#worker.on('message', (message: FromWriter) => {
        if (message === 'taken') {
          this.#waiting--;
          this.#wake();
        } else done = true;
      });
      this.#worker.on('error', fail);
      this.#worker.on('exit', () => {
        if (!done) fail(new Error('the thread that writes has ended'));
        resolve();
      });
    });
  }

  /** Resolves when there is room for another block. @throws what went wrong in the thread */
  async write(block: ScoreBlock): Promise<void> {
    this.#waiting++;
    this.#send({ block }, buffersOf(block));
    while (this.#waiting > MOST_WAITING && this.#failure === null) await this.#news();
    this.#check();
  }

  /** Resolves when all blocks are written. @throws what went wrong in the thread */
  async finish(): Promise<void> {
    this.#send('end');
    await this.#ended;
    this.#check();
  }

  /** Ends the thread, whatever is written. */
  async stop(): Promise<void> {
    this.#failure ??= new Error('stopped');
    this.#send('stop');
    await this.#ended;
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #send(message: ToWriter, memory: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, memory);
    Atomics.add(this.#sent, 0, 1);
    Atomics.notify(this.#sent, 0);
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure;
  }
}
