import {
  type Inputs,
  type Label,
  type Scored,
  type ScoredBy,
  Watcher,
  type WatcherOptions,
  type WatcherState,
} from '../../../../../service/src/index.ts';
import { loadModel } from '../../../../../src/index.ts';
import { counted } from '../../../figures/wording.ts';
import { brief, reason } from '../../../write/temporary.ts';
import { type Found, StateFile } from './stateFile.ts';

/** As the service has it by the name of the library, which is one with its sources. */
type Model = NonNullable<ReturnType<WatcherOptions['model']>>;
const loaded = (bytes: Uint8Array): Model => loadModel(bytes) as unknown as Model;

/** How a process watches. Plain data: a thread gets it. */
export interface WatchKeeperOptions {
  /** where its state is; null: it has none, and ends with the process */
  readonly folder: string | null;
  /** whether the folder was asked for: what is wrong with it is said at the start */
  readonly isAsked: boolean;
  /** number of the process, from 1 on, of `slots` that share the folder */
  readonly slot: number;
  readonly slots: number;
  readonly sample: number;
  readonly watch: NonNullable<WatcherOptions['watch']>;
}

/** What comes to it beside scores. */
export type WatchItem =
  | { readonly kind: 'model'; readonly sha256: string; readonly bytes: Uint8Array }
  | {
      readonly kind: 'left';
      readonly by: ScoredBy;
      readonly route: string | null;
      readonly rows: number;
      readonly refused: number;
    };

/** What it is asked. */
export type WatchQuestion =
  | { readonly kind: 'report'; readonly model: string; readonly now: number }
  | { readonly kind: 'figures'; readonly now: number };

/** Time between two states, at least, and how many times that of writing one. */
const SAVE_MS = 1000;
const SHARE = 20;
/** Models at hand, before those are forgotten of which nothing is known. */
const MOST_MODELS = 32;
/** How long the figures of several processes are good. */
const TOTAL_MS = 5000;

/** Watches in a thread, and keeps its state in a folder. */
export class WatchKeeper {
  readonly #options: WatchKeeperOptions;
  readonly #files: StateFile | null;
  readonly #models = new Map<string, Model>();
  /** digests of models that are not watched */
  readonly #unknown = new Set<string>();
  #watcher: Watcher;
  /** rows that were taken, since the folder was begun */
  #rows: number;
  #saveAfter = 0;
  #isChanged = false;
  #adopted = false;
  #total: { readonly at: number; readonly watcher: Watcher } | null = null;

  /** @throws Taken where another process has the slot, or the error of the system */
  static async open(options: WatchKeeperOptions): Promise<{ keeper: WatchKeeper; said: string[] }> {
    const { folder, slot, slots } = options;
    const files = folder === null ? null : await StateFile.open(folder, slot);
    const adopted = slot === 1 && files ? await files.adopt(slots) : [];
    const keeper = new WatchKeeper(options, files);
    return { keeper, said: keeper.#begin(files?.found ?? null, adopted) };
  }

  private constructor(options: WatchKeeperOptions, files: StateFile | null) {
    this.#options = options;
    this.#files = files;
    this.#watcher = new Watcher(this.#watching());
    this.#rows = files?.found.saved?.rows ?? 0;
  }

  #watching(): WatcherOptions {
    const { sample, watch } = this.#options;
    return { sample, watch, model: (sha256) => this.#model(sha256) };
  }

  /** Goes on from what was found. @returns what is to be said of it */
  #begin(found: Found | null, adopted: readonly WatcherState[]): string[] {
    const said: string[] = [];
    if (!found) return said;
    const { saved, labels, lost, damaged, isUnkept } = found;
    if (damaged !== null)
      said.push(`expected the state of a watch, got something else; it is kept as ${damaged}, and a new one begins`);
    try {
      if (saved) this.#watcher = Watcher.from(saved.state, this.#watching());
      for (const state of adopted) this.#watcher.merge(Watcher.from(state, this.#watching()));
      this.#adopted = adopted.length > 0;
    } catch (error) {
      said.push(
        `expected a state that fits these options, got another (${brief((error as Error).message)}); a new one begins`,
      );
    }
    for (const label of labels) this.#watcher.label(label);
    if (lost > 0) {
      const when = isUnkept ? 'the state could not be written' : 'the process was killed';
      this.#watcher.note(`rows lost when ${when}`, lost);
      said.push(
        `${counted(lost, 'row was', 'rows were')} lost when ${when}: ${lost === 1 ? 'it' : 'they'} came after its last state`,
      );
    }
    this.#isChanged = labels.length > 0 || lost > 0 || this.#adopted;
    return said;
  }

  #model(sha256: string): Model | null {
    const known = this.#models.get(sha256);
    if (known) return known;
    if (this.#unknown.has(sha256)) return null;
    // until it comes
    this.#unknown.add(sha256);
    const bytes = this.#files?.model(sha256);
    if (!bytes) return null;
    try {
      const model = loaded(bytes);
      if (model.sha256 !== sha256) return null;
      this.#models.set(sha256, model);
      return model;
    } catch {
      return null;
    }
  }

  /** Takes rows. @param inputs  of each item */
  scored(items: readonly Scored[], inputs: (item: Scored) => ReturnType<Inputs['of']>): void {
    let rows = 0;
    for (const { count } of items) rows += count;
    const failure = this.#took(rows);
    for (const item of items) this.#watcher.scored(item, inputs(item));
    if (failure !== null) throw failure;
  }

  take(item: WatchItem): void {
    if (item.kind === 'model') {
      this.#unknown.delete(item.sha256);
      this.#files?.putModel(item.sha256, item.bytes);
      if (this.#models.has(item.sha256)) return;
      this.#models.set(item.sha256, loaded(item.bytes));
      if (this.#models.size > MOST_MODELS) this.#tidy(item.sha256);
      return;
    }
    const failure = this.#took(item.rows);
    this.#watcher.left(item.by, item.route, item.rows, item.refused);
    if (failure !== null) throw failure;
  }

  /** Forgets models that nothing is known of any more: a service may have a new one each minute. */
  #tidy(newest: string): void {
    const used = new Set([...this.#watcher.digests, newest]);
    for (const sha256 of [...this.#models.keys()]) if (!used.has(sha256)) this.#models.delete(sha256);
    if (this.#options.slot === 1) this.#files?.keepModels(used);
  }

  /** Counts rows of a request that the sample leaves out. */
  left({ by, route, count, refused }: Scored): void {
    this.take({ kind: 'left', by, route, rows: count, refused: refused.length });
  }

  labels(labels: readonly Label[]): void {
    this.#files?.addLabels(labels);
    for (const label of labels) this.#watcher.label(label);
    this.#isChanged = true;
  }

  /** @returns why it could not be noted: a disk that is full stops no watch */
  #took(rows: number): unknown {
    this.#rows += rows;
    this.#isChanged = true;
    try {
      // before they are counted: a kill loses none unseen
      this.#files?.took(this.#rows);
      return null;
    } catch (error) {
      return error;
    }
  }

  /** Writes the state, if it is time. */
  tick(): void {
    this.#files?.touch();
    if (this.#isChanged && Date.now() >= this.#saveAfter) this.#save();
  }

  #save(): void {
    if (!this.#files) return;
    const began = performance.now();
    try {
      this.#files.save(this.#rows, this.#watcher.toJSON());
    } catch (error) {
      throw new Error(
        `the state of the watch in ${this.#options.folder} cannot be written (${reason(error)}); make room, or it is lost at the end`,
        { cause: error },
      );
    }
    this.#isChanged = false;
    if (this.#adopted) this.#files.forget(this.#options.slots);
    this.#adopted = false;
    this.#saveAfter = Date.now() + Math.max(SAVE_MS, SHARE * (performance.now() - began)) - SAVE_MS / 2;
  }

  /** Answers from what all processes have watched. */
  ask(question: WatchQuestion): unknown {
    const all = this.#all(question.now);
    if (question.kind === 'figures') return all.figures(question.now);
    return all.report(question.model, question.now);
  }

  #all(now: number): Watcher {
    if (this.#options.slots === 1 || !this.#files) return this.#watcher;
    if (this.#total && now - this.#total.at < TOTAL_MS && now >= this.#total.at) return this.#total.watcher;
    const watcher = Watcher.from(this.#watcher.toJSON(), this.#watching());
    for (const state of this.#files.others()) watcher.merge(Watcher.from(state, this.#watching()));
    this.#total = { at: now, watcher };
    return watcher;
  }

  /** @throws where the state cannot be written: the next process is told that it was not */
  close(): void {
    try {
      if (this.#isChanged) this.#save();
    } catch (error) {
      this.#files?.took(this.#rows, true);
      throw error;
    } finally {
      this.#files?.close();
    }
  }
}
