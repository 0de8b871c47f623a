import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { Inputs, type Scored, unitOf } from '../../../../service/src/index.ts';
import { CsvReader } from './csvPieces.ts';
import { PredictionFiles, type PredictionItem, said, type Taken } from './predictionFiles.ts';
import type { RecorderStart } from './recorder.ts';
import type { WatchItem, WatchKeeper, WatchKeeperOptions, WatchQuestion } from './watch/keeper.ts';

type Start = RecorderStart & { readonly kind: 'predictions' };

/** What comes to who logs and watches scores. */
export type RecordedItem = PredictionItem | WatchItem;

/** Logs and watches scores in a thread. Their inputs are read once for both. */
export class Predictions {
  readonly #inputs = new Inputs((by) => new CsvReader(by));
  readonly #files: PredictionFiles | null;
  /** null: nothing is watched yet */
  #watch: WatchKeeper | null = null;
  /** whether the log takes a request: the watch may take others */
  readonly #isLogged: (item: Scored) => boolean;
  readonly #isWatched: (item: Scored) => boolean;
  readonly #opening: WatchKeeperOptions | null;
  #failure: string | null = null;
  #said: string[] = [];
  /** whether nothing is watched though it was to be */
  #isOff = false;

  /** @throws Taken, or the error of the system */
  static async open(start: Start): Promise<Predictions> {
    const { log, watch } = start;
    if (log) {
      mkdirSync(log.folder, { recursive: true });
      accessSync(log.folder, constants.W_OK);
    }
    const predictions = new Predictions(start);
    // a folder is made when there is something to keep in it
    if (watch?.isAsked) await predictions.#open(watch);
    else if (watch && watch.folder !== null && existsSync(watch.folder)) await predictions.#begin(watch);
    return predictions;
  }

  private constructor({ log, watch, samples }: Start) {
    this.#files = log && new PredictionFiles(log);
    this.#opening = watch;
    this.#isLogged = within(samples.log);
    this.#isWatched = within(samples.watch);
  }

  async #open(options: WatchKeeperOptions): Promise<void> {
    // what a log alone does not need
    const { WatchKeeper } = await import('./watch/keeper.ts');
    const { keeper, said } = await WatchKeeper.open(options);
    this.#watch = keeper;
    this.#said.push(...said);
  }

  /** Takes items, of which those of a stream come in order. It never rejects. */
  async take(items: readonly RecordedItem[]): Promise<Taken> {
    if (!this.#watch && this.#opening && items.some(({ kind }) => kind === 'model')) await this.#begin(this.#opening);
    const read = new Map<Scored, ReturnType<Inputs['of']>>();
    const logged: PredictionItem[] = [];
    const watched: Scored[] = [];
    for (const item of items) {
      if (item.kind === 'scored') {
        read.set(item, this.#inputs.of(item));
        if (this.#isLogged(item)) logged.push(item);
        if (this.#isWatched(item)) watched.push(item);
        else this.#watching(() => this.#watch?.left(item));
      } else if (item.kind === 'end') this.#inputs.end(item);
      else if (item.kind === 'labels') {
        logged.push(item);
        this.#watching(() => this.#watch?.labels(item.labels));
      } else this.#watching(() => this.#watch?.take(item));
    }
    const inputs = (item: Scored) => read.get(item)!;
    if (watched.length > 0) this.#watching(() => this.#watch?.scored(watched, inputs));
    const failure = this.#failure;
    this.#failure = null;
    const taken = this.#files?.take(logged, inputs) ?? { written: 0, dropped: 0, unmatched: 0, failure: null };
    return failure === null ? taken : { ...taken, failure };
  }

  async #begin(options: WatchKeeperOptions): Promise<void> {
    try {
      await this.#open(options);
      if (this.#isOff) this.#said.push(`${options.folder}: it is watched from now on`);
      this.#isOff = false;
    } catch (error) {
      const { message, name } = error as Error;
      const why = name === 'Taken' ? message : said(error);
      this.#said.push(`nothing is watched by this process: ${options.folder}: ${why}`);
      this.#isOff = true;
    }
  }

  /** A log goes on when a watch cannot, and says so. */
  #watching(work: () => void): void {
    try {
      work();
    } catch (error) {
      const { message, cause } = error as Error;
      this.#failure = said(cause ?? error);
      this.#said.push(cause ? message : `the watch cannot write (${said(error)})`);
    }
  }

  /** What is to be said since it was asked last. */
  tell(): { readonly said: readonly string[]; readonly isOff: boolean } {
    return { said: this.#said.splice(0), isOff: this.#isOff };
  }

  ask(question: unknown): unknown {
    return this.#watch?.ask(question as WatchQuestion) ?? null;
  }

  tick(): void {
    this.#files?.tick();
    this.#watching(() => this.#watch?.tick());
  }

  async close(): Promise<void> {
    this.#watching(() => this.#watch?.close());
    await this.#files?.close();
  }
}

/** Whether a share of the requests has that of a score. */
const within =
  (share: number) =>
  ({ id }: Scored): boolean =>
    share >= 1 || unitOf(id) < share;
