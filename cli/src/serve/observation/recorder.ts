import { Worker } from 'node:worker_threads';
import type { AuditFileOptions } from './auditFile.ts';
import type { PredictionFilesOptions } from './predictionFiles.ts';
import type { WatchKeeperOptions } from './watch/keeper.ts';

/** What a thread keeps. */
export type RecorderStart =
  | {
      readonly kind: 'predictions';
      /** null: none is written */
      readonly log: PredictionFilesOptions | null;
      /** null: nobody watches */
      readonly watch: WatchKeeperOptions | null;
      /** shares of the requests that they take */
      readonly samples: { readonly log: number; readonly watch: number };
    }
  | { readonly kind: 'audit'; readonly options: AuditFileOptions };

/** What the thread says first. */
export interface RecorderOpened {
  /** why it could not open its files */
  readonly failure: { readonly name: string; readonly message: string } | null;
  /** bytes of a line that a crash has torn */
  readonly torn: number;
  /** who has left a lock of the file; null: nobody */
  readonly left: string | null;
}

/** What the thread gets. */
export interface ToRecorder {
  readonly number: number;
  readonly items: readonly unknown[];
  /** items that were dropped before these */
  readonly lost: number;
}

/** What the thread is asked: it answers when it has taken what came before. */
export interface AskRecorder {
  readonly number: number;
  readonly ask: unknown;
}

/** What it answers. */
export interface ToldByRecorder {
  readonly number: number;
  readonly told: unknown;
}

/** What it says by itself. */
export interface SaidByRecorder {
  readonly kind: 'said';
  readonly said: readonly string[];
  /** whether nothing is watched though it was to be */
  readonly isOff: boolean;
}

/** What the thread answers to it. */
export interface FromRecorder {
  readonly number: number;
  readonly written: number;
  readonly dropped: number;
  readonly unmatched: number;
  readonly failure: string | null;
}

/** Bytes that may wait for the disk. */
const MOST_WAITING = 2 ** 26;
/** How long items wait for others, and how many of them are sent at once. */
const GATHER_MS = 20;
const MOST_GATHERED = 256;
/** How long is waited for the disk where somebody waits, and at the end. */
const KEEP_MS = 10_000;

/** The program stands beside the command; tests run the command from its sources. */
const PROGRAM = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/recorder.js' : './recorder.js',
  import.meta.url,
);

/** What happens to items, for metrics and the log. */
export interface RecorderHooks {
  onTaken(taken: FromRecorder): void;
  /** items were dropped since the thread could not keep up, or has ended */
  onLost(count: number): void;
  /** a crash had torn a line of so many bytes */
  onTorn?(bytes: number): void;
  /** a process that did not end by itself had left a lock of the file */
  onLeft?(by: string): void;
  /** the thread has something to say. @param isOff  nothing is watched though it was to be */
  onSaid?(what: string, isOff: boolean): void;
}

/** Gives items to a thread that writes them, so that no request waits for a disk. What the disk cannot take is dropped and told. */
export class Recorder<Item> {
  readonly #worker: Worker;
  readonly #hooks: RecorderHooks;
  #batch: Item[] = [];
  #batchBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #isScheduled = false;
  #number = 0;
  #waiting = 0;
  #lost = 0;
  #isEnded = false;
  /** by number of a message its bytes, and who waits for it */
  readonly #sent = new Map<number, { readonly bytes: number; readonly settle: (failure: string | null) => void }>();
  /** by number of a question who waits for its answer */
  readonly #asked = new Map<number, (told: unknown) => void>();
  /** who waits for the items that are gathered */
  #keeping: { readonly done: Promise<void>; readonly settle: (failure: string | null) => void } | null = null;

  /** Resolves when the thread has opened its files. @throws what it could not open */
  static async start<Item>(start: RecorderStart, hooks: RecorderHooks): Promise<Recorder<Item>> {
    const worker = new Worker(PROGRAM, { workerData: start, execArgv: [], name: 'logodds' });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', ({ failure, torn, left }: RecorderOpened) => {
        if (failure !== null) reject(Object.assign(new Error(failure.message), { name: failure.name }));
        else resolve();
        if (left !== null) hooks.onLeft?.(left);
        if (torn > 0) hooks.onTorn?.(torn);
      });
      worker.once('error', reject);
    });
    return new Recorder<Item>(worker, hooks);
  }

  private constructor(worker: Worker, hooks: RecorderHooks) {
    this.#worker = worker;
    this.#hooks = hooks;
    worker.on('message', (answer: FromRecorder | ToldByRecorder | SaidByRecorder) => {
      if ('kind' in answer) for (const what of answer.said) hooks.onSaid?.(what, answer.isOff);
      else if ('told' in answer) this.#told(answer);
      else this.#taken(answer);
    });
    worker.on('error', () => this.#end());
    worker.on('exit', () => this.#end());
    // requests keep the process alive, not this
    worker.unref();
  }

  /** Takes an item, or drops it. @param bytes  about how much memory it takes @param count  how many it stands for */
  put(item: Item, bytes: number, count = 1): boolean {
    if (this.#isEnded || this.#waiting + bytes > MOST_WAITING) {
      this.#lost += count;
      this.#hooks.onLost(count);
      return false;
    }
    this.#batch.push(item);
    this.#batchBytes += bytes;
    this.#waiting += bytes;
    if (this.#batch.length >= MOST_GATHERED || this.#batchBytes > 2 ** 20) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), GATHER_MS).unref();
    return true;
  }

  /** Resolves when what was put is written. Rejects where it is not, or not in time. */
  kept(): Promise<void> {
    if (this.#isEnded || this.#lost > 0) {
      // the next message says so
      if (!this.#isEnded) this.#soon();
      return Promise.reject(new Error('dropped'));
    }
    if (!this.#keeping) {
      let settle!: (failure: string | null) => void;
      const done = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('late')), KEEP_MS).unref();
        settle = (failure) => {
          clearTimeout(timer);
          if (failure === null) resolve();
          else reject(new Error(failure));
        };
      });
      this.#keeping = { done, settle };
    }
    this.#soon();
    return this.#keeping.done;
  }

  /** Asks the thread, which has taken then what was put before. Resolves with null where it has ended, or does not answer in time. */
  ask(question: unknown): Promise<unknown> {
    this.#send();
    if (this.#isEnded) return Promise.resolve(null);
    const number = ++this.#number;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#told({ number, told: null }), KEEP_MS).unref();
      this.#asked.set(number, (told) => {
        clearTimeout(timer);
        resolve(told);
      });
      this.#worker.postMessage({ number, ask: question } satisfies AskRecorder);
    });
  }

  #told({ number, told }: ToldByRecorder): void {
    this.#asked.get(number)?.(told);
    this.#asked.delete(number);
  }

  /** Items of the same turn go together. */
  #soon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#send());
  }

  #send(): void {
    this.#isScheduled = false;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const settle = this.#keeping?.settle ?? (() => {});
    this.#keeping = null;
    if (this.#isEnded || (this.#batch.length === 0 && this.#lost === 0)) {
      settle(this.#isEnded ? 'ended' : null);
      return;
    }
    const message: ToRecorder = { number: ++this.#number, items: this.#batch, lost: this.#lost };
    this.#sent.set(message.number, { bytes: this.#batchBytes, settle });
    this.#batch = [];
    this.#batchBytes = 0;
    this.#lost = 0;
    try {
      this.#worker.postMessage(message);
    } catch {
      // a request must not fail for what cannot be sent
      this.#taken({
        number: message.number,
        written: 0,
        dropped: message.items.length,
        unmatched: 0,
        failure: 'CLONE',
      });
    }
  }

  #taken(taken: FromRecorder): void {
    const sent = this.#sent.get(taken.number);
    this.#sent.delete(taken.number);
    this.#waiting -= sent?.bytes ?? 0;
    this.#hooks.onTaken(taken);
    sent?.settle(taken.failure);
  }

  /** The thread has ended: nothing is kept any more. */
  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const { settle } of this.#sent.values()) settle('ended');
    this.#sent.clear();
    this.#keeping?.settle('ended');
    for (const number of [...this.#asked.keys()]) this.#told({ number, told: null });
  }

  /** Writes what waits, and ends; after some seconds it does not wait for the disk any more. */
  async close(): Promise<void> {
    this.#send();
    if (this.#isEnded) return;
    this.#worker.ref();
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.postMessage('end');
    const timer = setTimeout(() => this.#worker.terminate(), KEEP_MS);
    await ended;
    clearTimeout(timer);
  }
}

/** A recorder that begins when it is needed. */
export class LateRecorder<Item> {
  readonly #start: () => Promise<Recorder<Item>>;
  readonly #onFailure: (error: unknown) => void;
  #recorder: Recorder<Item> | null = null;
  #beginning: Promise<void> | null = null;
  #hasFailed = false;
  /** what came before it had begun */
  #early: (readonly [item: Item, bytes: number, count: number])[] = [];

  constructor(start: () => Promise<Recorder<Item>>, onFailure: (error: unknown) => void) {
    this.#start = start;
    this.#onFailure = onFailure;
  }

  /** Resolves when it has begun. @throws what the thread could not open */
  begin(): Promise<void> {
    this.#beginning ??= this.#start().then((recorder) => {
      this.#recorder = recorder;
      for (const args of this.#early) recorder.put(...args);
      this.#early = [];
    });
    return this.#beginning;
  }

  get hasBegun(): boolean {
    return this.#beginning !== null;
  }

  put(item: Item, bytes: number, count = 1): void {
    if (this.#recorder) {
      this.#recorder.put(item, bytes, count);
      return;
    }
    if (this.#hasFailed) return;
    // a thread begins in a tenth of a second
    if (this.#early.length < MOST_EARLY) this.#early.push([item, bytes, count]);
    if (!this.#beginning)
      this.begin().catch((error) => {
        this.#hasFailed = true;
        this.#early = [];
        this.#onFailure(error);
      });
  }

  /** Resolves when what was put is written. Rejects where it is not. */
  async kept(): Promise<void> {
    await this.begin();
    return this.#recorder!.kept();
  }

  /** Asks the thread; null where there is none. */
  async ask(question: unknown): Promise<unknown> {
    if (!this.#beginning) return null;
    try {
      await this.#beginning;
      return await this.#recorder!.ask(question);
    } catch {
      return null;
    }
  }

  async close(): Promise<void> {
    try {
      await this.#beginning;
    } catch {
      // it was told
    }
    await this.#recorder?.close();
  }
}

const MOST_EARLY = 10_000;
