import { existsSync } from 'node:fs';
import type {
  Figure,
  PredictionLogOptions,
  ScoredBy,
  ScoreWatch,
  ScoreWatchReport,
} from '../../../../../service/src/index.ts';
import { saveModel } from '../../../../../src/index.ts';
import { list } from '../../../../../src/internal.ts';
import type { Slot } from '../flags.ts';
import type { RecordedItem } from '../predictions.ts';
import type { LateRecorder } from '../recorder.ts';
import type { WatchQuestion } from './keeper.ts';

/** How long counts of rows wait that are not watched. */
const LEFT_MS = 1000;

type Model = Parameters<NonNullable<PredictionLogOptions['wants']>>[1];

interface Left {
  readonly by: ScoredBy;
  readonly route: string | null;
  rows: number;
  refused: number;
}

/** A watch that a thread has: what it is asked goes there, and what is known comes from there. */
export class ThreadWatch implements ScoreWatch {
  readonly #recorder: LateRecorder<RecordedItem>;
  readonly #folder: string | null;
  readonly #among: Slot | null;
  readonly #isOfAll: boolean;
  readonly #isLogged: boolean;
  readonly #say: (what: string) => void;
  /** whose age is watched */
  #features: readonly string[] = [];
  readonly #sent = new Set<string>();
  /** rows of requests that are not watched, by model and arm */
  readonly #left = new Map<ScoredBy, Map<string | null, Left>>();
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param folder  of its state; null: it has none
   * @param isOfAll  whether models are watched that have no baseline
   * @param isLogged  whether scores of other models are taken too
   * @param among  the other processes; null: there are none
   * @param say  takes what is to be said
   */
  constructor(
    recorder: LateRecorder<RecordedItem>,
    folder: string | null,
    isOfAll: boolean,
    isLogged: boolean,
    among: Slot | null,
    say: (what: string) => void,
  ) {
    this.#say = say;
    this.#among = among;
    this.#folder = folder;
    this.#recorder = recorder;
    this.#isOfAll = isOfAll;
    this.#isLogged = isLogged;
  }

  /** Says of each model which of these features it does not have: their age cannot be watched. */
  wantFeatures(features: readonly string[]): void {
    this.#features = features;
  }

  #tellAbsent(name: string, { manifest: { schema } }: Model): void {
    const known = schema.features.map((feature) => feature.name);
    const absent = this.#features.filter((feature) => !known.includes(feature));
    if (absent.length > 0)
      this.#say(
        `--watch-age: expected features of ${name} (${list(known)}), got ${list(absent)}; their age is not watched`,
      );
  }

  /** Whether scores of a model are taken. The thread gets the model before the first of them. */
  wants({ name, sha256 }: ScoredBy, model: Model): boolean {
    if (!this.#isOfAll && !model.manifest.baseline) return this.#isLogged;
    if (!this.#sent.has(sha256)) this.#tellAbsent(name, model);
    this.#sent.add(sha256);
    // the service has the library by its name, the command has its sources: they are one
    const bytes = saveModel(model as unknown as Parameters<typeof saveModel>[0]);
    // again when it is back: it may have been forgotten
    this.#recorder.put({ kind: 'model', sha256, bytes }, bytes.length, 0);
    return true;
  }

  left(by: ScoredBy, route: string | null, rows: number, refused: number): void {
    if (!this.#sent.has(by.sha256)) return;
    let routes = this.#left.get(by);
    if (!routes) {
      routes = new Map();
      this.#left.set(by, routes);
    }
    const left = routes.get(route);
    if (left) {
      left.rows += rows;
      left.refused += refused;
    } else routes.set(route, { by, route, rows, refused });
    this.#timer ??= setTimeout(() => this.#flush(), LEFT_MS).unref();
  }

  #flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    for (const routes of this.#left.values())
      for (const left of routes.values()) this.#recorder.put({ kind: 'left', ...left }, 200, 0);
    this.#left.clear();
  }

  async report(model: string): Promise<ScoreWatchReport | null> {
    return (await this.#askAll({ kind: 'report', model, now: Date.now() })) as ScoreWatchReport | null;
  }

  async figures(): Promise<readonly Figure[]> {
    return ((await this.#askAll({ kind: 'figures', now: Date.now() })) as readonly Figure[] | null) ?? [];
  }

  /** Asks who answers for all processes: what it says never falls, whichever of them was asked. */
  #askAll(question: WatchQuestion): Promise<unknown> {
    return this.#among ? this.#among.askFirst(question) : this.ask(question);
  }

  /** What the thread of this process says; null: there is none. */
  async ask(question: WatchQuestion): Promise<unknown> {
    this.#flush();
    // another process may have seen what this one has not
    if (!this.#recorder.hasBegun && this.#folder !== null && existsSync(this.#folder)) await this.#recorder.begin();
    return this.#recorder.ask(question);
  }

  close(): void {
    this.#flush();
  }
}
