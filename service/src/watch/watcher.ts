import {
  type ModelWatch,
  type ModelWatchOptions,
  type ModelWatchState,
  modelWatch,
  type Prediction,
} from 'logodds/monitor';
import type { Model } from 'logodds/score';
import type { Figure } from '../observation/figures.ts';
import type { Inputs } from '../observation/inputs.ts';
import type { Label } from '../observation/labels.ts';
import type { Scored, ScoredBy } from '../observation/predictionLog.ts';
import { unitOf } from '../requests/unit.ts';

/** What is watched by itself: a version of a model as an arm of a rollout. */
interface Subject {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** null: there is no rollout */
  readonly route: string | null;
}

/** Rows of a subject. */
interface RowCounts {
  /** scored or refused */
  rows: number;
  refused: number;
  /** of requests that the sample leaves out */
  left: number;
  /** whose inputs could not be read a second time: their scores are watched without them */
  unread: number;
}

interface Entry extends Subject {
  /** names that were asked, behind which it has answered */
  readonly fronts: Set<string>;
  readonly counts: RowCounts;
  /** time of its newest row, milliseconds since 1970 */
  last: number;
  readonly watch: ModelWatch;
}

/** What `Watcher.toJSON` returns. */
export interface WatcherState {
  readonly kind: 'watcher';
  readonly watches: readonly (Subject & {
    readonly fronts: readonly string[];
    readonly counts: RowCounts;
    readonly last: number;
    readonly state: ModelWatchState;
  })[];
  readonly waiting: readonly Label[];
  readonly notes: Readonly<Record<string, number>>;
}

/** How a watcher watches. */
export interface WatcherOptions {
  /** the model of a digest; null: it is not to be watched */
  readonly model: (sha256: string) => Model | null;
  /** share of the requests that are watched; default 1 */
  readonly sample?: number;
  /** as `modelWatch` takes them */
  readonly watch?: ModelWatchOptions;
}

/** What is known of a model, by version and arm of a rollout. */
export interface ScoreWatchReport {
  readonly model: string;
  /** in ISO 8601 */
  readonly at: string;
  /** share of the requests that are watched */
  readonly sample: number;
  readonly versions: readonly (Subject & {
    readonly counts: RowCounts;
    readonly watch: ReturnType<ModelWatch['report']>;
  })[];
  /** what was left out, of all models */
  readonly notes: readonly { readonly what: string; readonly count: number }[];
}

/** Versions and arms of a model, and of all models, that are kept: those without new rows longest are dropped. */
const MOST_OF_MODEL = 8;
const MOST = 128;
/** Labels that wait for their score, of all models. */
const MOST_WAITING = 100_000;

/** Watches all models of a service, from what it scores and what becomes true of it. No clock: times are those of its callers. */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #sample: number;
  readonly #entries = new Map<string, Entry>();
  /** labels whose score no watch has, by model and id */
  readonly #waiting = new Map<string, Label>();
  readonly #notes = new Map<string, number>();

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#sample = options.sample ?? 1;
  }

  /** @param inputs  of its rows, as `Inputs.of` gives them */
  scored(item: Scored, inputs: ReturnType<Inputs['of']>): void {
    const { by, route, front, at, count, logits, probabilities, labels } = item;
    const entry = this.#entry({ ...by, route });
    if (!entry) return;
    const { counts, watch, fronts } = entry;
    counts.rows += count;
    counts.refused += item.refused.length;
    if (front !== null) fronts.add(front);
    entry.last = Math.max(entry.last, at);
    const { rows } = item;
    const scores = { labels, probabilities, logits };
    if (rows.kind === 'table' && item.refused.length === 0 && count > 0) {
      const ids = Array.from({ length: count }, (_, i) => idOf(item, i));
      this.#add(count, () => watch.addTable(rows.table, { at: new Float64Array(count).fill(at), id: ids, scores }));
      for (const own of ids) this.#meet(entry, own);
      return;
    }
    const refused = new Set(item.refused);
    const vectors = count > 0 ? logits.length / count : 1;
    for (let i = 0; i < count; i++) {
      if (refused.has(i)) continue;
      const record = inputs?.[i] ?? null;
      if (!record) counts.unread++;
      const k = labels[i];
      const row: Prediction = {
        at,
        id: idOf(item, i),
        entity: null,
        model: by.name,
        version: by.version,
        sha256: by.sha256,
        route,
        logit: vectors === 1 ? logits[i] : Array.from({ length: vectors }, (_, j) => logits[j * count + i]),
        probability: vectors === 1 ? probabilities[i] : probabilities[k * count + i],
        label: by.classes[k],
        inputs: record,
      };
      this.#add(1, () => watch.add(row));
      this.#meet(entry, row.id);
    }
  }

  /** Adds rows; the others go on where they cannot be watched. */
  #add(rows: number, add: () => void): void {
    try {
      add();
    } catch {
      this.note('rows that could not be watched', rows);
    }
  }

  /** Counts rows of requests that the sample leaves out. */
  left(by: ScoredBy, route: string | null, rows: number, refused: number): void {
    const entry = this.#entry({ ...by, route });
    if (!entry) return;
    entry.counts.rows += rows;
    entry.counts.refused += refused;
    entry.counts.left += rows - refused;
  }

  /** Gives a label to the watch that has its score, or keeps it until one has. */
  label(label: Label): void {
    const { id, model } = label;
    let isHeld = false;
    for (const entry of this.#entries.values()) {
      if (entry.name !== model && !entry.fronts.has(model)) continue;
      if (!entry.watch.holds(id)) continue;
      entry.watch.addLabel(outcomeOf(label));
      isHeld = true;
    }
    if (isHeld) return;
    if (this.#isLeft(id)) {
      this.note('labels of requests that the sample leaves out');
      return;
    }
    const key = keyOf(model, id);
    const before = this.#waiting.get(key);
    // the one that was known last counts
    if (!before || before.at < label.at || (before.at === label.at && before.label < label.label))
      this.#waiting.set(key, label);
    if (before) this.note('labels that came twice before their score');
    if (this.#waiting.size <= MOST_WAITING) return;
    this.#waiting.delete(this.#waiting.keys().next().value!);
    this.note('labels dropped: no score came');
  }

  /** Whether the sample leaves out the request of a score. Several rows are numbered behind its id. */
  #isLeft(id: string): boolean {
    if (this.#sample >= 1) return false;
    const request = /^(.+)\/\d+$/.exec(id)?.[1];
    return unitOf(id) >= this.#sample && (request === undefined || unitOf(request) >= this.#sample);
  }

  /** A label may have come before its score. */
  #meet({ name, fronts }: Entry, id: string): void {
    if (this.#waiting.size === 0) return;
    for (const model of [name, ...fronts]) {
      const key = keyOf(model, id);
      const label = this.#waiting.get(key);
      if (!label) continue;
      this.#waiting.delete(key);
      this.label(label);
    }
  }

  /** The watch of a subject; null: it is not watched. */
  #entry({ name, version, sha256, route }: Subject): Entry | null {
    const key = keyOf(name, version, sha256, route ?? '');
    const found = this.#entries.get(key);
    if (found) return found;
    const model = this.#options.model(sha256);
    if (!model) return null;
    let watch: ModelWatch;
    try {
      watch = modelWatch(model, this.#settingsOf(model));
    } catch (error) {
      this.note(`rows of models that cannot be watched: ${(error as Error).message}`);
      return null;
    }
    const entry: Entry = { ...{ name, version, sha256, route }, ...empty(), watch };
    this.#put(key, entry);
    return entry;
  }

  /** One setting is for all models: each has the times of features that are its own. */
  #settingsOf(model: Model): ModelWatchOptions {
    const { eventTimes, ...watch } = this.#options.watch ?? {};
    if (!eventTimes) return watch;
    const known = new Set(model.manifest.schema.features.map(({ name }) => name));
    const own = Object.entries(eventTimes).filter(([feature]) => known.has(feature));
    const others = Object.keys(eventTimes).length - own.length;
    if (others > 0) this.note('features whose age is to be watched that a model does not have', others);
    return own.length > 0 ? { ...watch, eventTimes: Object.fromEntries(own) } : watch;
  }

  #put(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    const own = [...this.#entries].filter(([, { name }]) => name === entry.name);
    if (own.length > MOST_OF_MODEL) this.#drop(own, key);
    if (this.#entries.size > MOST) this.#drop([...this.#entries], key);
  }

  /** Drops the one without new rows longest. */
  #drop(among: readonly (readonly [string, Entry])[], but: string): void {
    const [[key, { counts }]] = among.filter(([key]) => key !== but).sort(([, a], [, b]) => a.last - b.last);
    this.#entries.delete(key);
    this.note('versions dropped for room');
    this.note('rows of versions dropped for room', counts.rows);
  }

  /** Counts what was left out. */
  note(what: string, count = 1): void {
    this.#notes.set(what, (this.#notes.get(what) ?? 0) + count);
  }

  /** digests of the models of which something is known */
  get digests(): string[] {
    return [...this.#entries.values()].map(({ sha256 }) => sha256);
  }

  /** @param now  milliseconds since 1970 */
  report(model: string, now: number): ScoreWatchReport | null {
    const own = [...this.#entries.values()].filter(({ name, fronts }) => name === model || fronts.has(model));
    if (own.length === 0) return null;
    own.sort((a, b) => b.last - a.last);
    const waiting = [...this.#waiting.values()].filter((label) => label.model === model).length;
    return {
      model,
      at: new Date(now).toISOString(),
      sample: this.#sample,
      versions: own.map(({ name, version, sha256, route, counts, watch }) => ({
        ...{ name, version, sha256, route },
        counts: { ...counts },
        watch: watch.report(now),
      })),
      notes: [
        ...(waiting > 0 ? [{ what: 'labels without a score', count: waiting }] : []),
        ...[...this.#notes].map(([what, count]) => ({ what, count })),
      ],
    };
  }

  /** Figures of all models. @param now  milliseconds since 1970 */
  figures(now: number): Figure[] {
    const figures = new Map<string, Figure & { values: Figure['values'][number][] }>();
    for (const { name: model, version, route, counts, watch } of this.#entries.values()) {
      const own = { model, version, route: route ?? '' };
      const put = (name: string, help: string, type: Figure['type'], values: Figure['values']): void => {
        const figure = figures.get(name) ?? { name, help, type, values: [] };
        figures.set(name, figure);
        for (const { labels, value } of values) figure.values.push({ labels: { ...own, ...labels }, value });
      };
      for (const [name, [help, of]] of Object.entries(OWN))
        put(name, help, 'counter', [{ labels: {}, value: counts[of] }]);
      for (const { name, help, type, values } of watch.figures(now)) put(name, help, type, values);
    }
    return [...figures.values()];
  }

  /** Adds another one of the same models, such as that of another process. */
  merge(other: Watcher): void {
    for (const [key, entry] of other.#entries) {
      const own = this.#entries.get(key);
      if (!own) {
        this.#put(key, entry);
        continue;
      }
      own.watch.merge(entry.watch);
      for (const name of Object.keys(own.counts) as (keyof RowCounts)[]) own.counts[name] += entry.counts[name];
      for (const front of entry.fronts) own.fronts.add(front);
      own.last = Math.max(own.last, entry.last);
    }
    for (const [what, count] of other.#notes) this.note(what, count);
    // a label may have come to one process, and its score to another
    const waiting = [...this.#waiting.values(), ...other.#waiting.values()];
    this.#waiting.clear();
    for (const label of waiting) this.label(label);
  }

  toJSON(): WatcherState {
    return {
      kind: 'watcher',
      watches: [...this.#entries.values()].map(({ watch, fronts, ...entry }) => ({
        ...entry,
        fronts: [...fronts],
        state: watch.toJSON(),
      })),
      waiting: [...this.#waiting.values()],
      notes: Object.fromEntries(this.#notes),
    };
  }

  /**
   * A watcher that goes on from a state. Versions whose model is not known are counted and left out.
   * @throws LogoddsError for what is no state
   */
  static from(state: WatcherState, options: WatcherOptions): Watcher {
    const made = new Watcher(options);
    for (const { state: of, fronts, counts, name, version, sha256, route, last } of state.watches) {
      const model = options.model(sha256);
      if (!model) {
        made.note('versions left out: their model is gone');
        continue;
      }
      const watch = modelWatch(model, of);
      const entry = {
        ...{ name, version, sha256, route, last },
        fronts: new Set(fronts),
        counts: { ...counts },
        watch,
      };
      made.#entries.set(keyOf(name, version, sha256, route ?? ''), entry);
    }
    for (const label of state.waiting) made.#waiting.set(keyOf(label.model, label.id), label);
    for (const [what, count] of Object.entries(state.notes)) made.note(what, count);
    return made;
  }
}

/** The id of a row, as its prediction log and its labels have it. */
const idOf = ({ id, first, index }: Scored, row: number): string =>
  first === null ? id : `${id}/${first + (index ? index[row] : row)}`;

const empty = () => ({ fronts: new Set<string>(), counts: { rows: 0, refused: 0, left: 0, unread: 0 }, last: 0 });

const keyOf = (...parts: readonly string[]): string => parts.join('\n');

const outcomeOf = ({ id, label, at }: Label) => ({ id, label, at: Date.parse(at) });

/** Figures of what was left out. */
const OWN: Readonly<Record<string, readonly [help: string, of: keyof RowCounts]>> = {
  lr_watch_scored_rows_total: ['Rows scored or refused, watched or not.', 'rows'],
  lr_watch_left_rows_total: ['Rows of requests that the sample of the watch leaves out.', 'left'],
  lr_watch_unread_rows_total: ['Rows watched without their inputs, which could not be read a second time.', 'unread'],
};
