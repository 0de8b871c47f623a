import { LogoddsError, refuse } from '../../../bindings/errors.ts';
import { tell } from '../../../bindings/names.ts';
import { labelOf } from '../../encode/label.ts';
import type { Table } from '../../encode/table.ts';
import { fieldsOf } from '../../model/fields.ts';
import type { Model } from '../../model/model.ts';
import type { Scorer, TableOptions } from '../../model/scorer.ts';
import { finite, stateOf, whole } from '../check.ts';
import { type DelayHistogram, type DelayHistogramState, delayHistogram } from '../labels/delay.ts';
import { type JoinedRow, type LabelJoin, type LabelJoinState, labelJoin } from '../labels/join.ts';
import type { OutcomeLabel, Prediction } from '../log/prediction.ts';
import { Tally } from '../log/tally.ts';
import { type RecordQuality, type RecordQualityState, recordQuality } from '../quality/records.ts';
import type { Summary } from '../summary/summary.ts';
import { ScoredRows, WatchedModel } from '../summary/watch.ts';
import { figuresOf, type WatchFigure } from './figures.ts';
import { Freshness, type FreshnessState } from './freshness.ts';
import {
  answersOf,
  checkShare,
  PART,
  partOf,
  type Readers,
  readPart,
  readRecord,
  rulesOf,
  type WatchedRows,
} from './read.ts';
import { reportOf } from './report.ts';
import type { WatchReport } from './reported.ts';
import { type ModelWatchOptions, optionsOf, type SavedOptions, type Settings, settingsOf } from './settings.ts';
import { SkewCounts, type SkewState } from './skew.ts';
import type { HeldScore } from './watched.ts';
import { type Outcome, WatchWindow, type WatchWindowState } from './window.ts';

/** What `ModelWatch.toJSON` returns; `modelWatch` takes it. */
export interface ModelWatchState {
  readonly kind: 'modelWatch';
  /** digest of the model; null: it comes from no file */
  readonly sha256: string | null;
  readonly options: SavedOptions;
  readonly rows: number;
  readonly withoutInputs: number;
  readonly dropped: number;
  /** absent: none */
  readonly fromFuture?: number;
  readonly unknownModels: Readonly<Record<string, number>>;
  readonly windows: readonly WatchWindowState[];
  readonly join: LabelJoinState<HeldScore>;
  readonly delays: DelayHistogramState;
  readonly refused: RecordQualityState;
  readonly skew: SkewState;
  /** absent: no event times are asked for */
  readonly freshness?: Readonly<Record<string, FreshnessState>>;
}

/**
 * Watches one model: what its inputs and scores are like window by window, against the training data, and how right it was once labels come; made by `modelWatch`.
 * @example
 * const watched = modelWatch(withBaseline(model, records), { least: 20 });
 * const rows = { at: records.map((_, i) => 1000 * i), id: records.map((_, i) => `${i}`) };
 * watched.addTable(table, rows);
 * watched.addLabel({ id: '3', label: 'yes', at: 90_000 });
 * const { windows, labels } = watched.report(200_000_000);
 * windows[0].rows; // 30
 * labels.labelled; // 1
 */
export class ModelWatch {
  /** rows that were added */
  rows = 0;
  /** of them, without inputs: they are in no summary */
  withoutInputs = 0;
  /** rows of windows that are no longer kept */
  dropped = 0;
  /** rows from after `until`: they are in no other count */
  fromFuture = 0;
  readonly model: Model;
  /** @internal */
  readonly settings: Settings;
  /** scores and labels that wait for each other @internal */
  readonly join: LabelJoin<HeldScore>;
  /** of settled labels @internal */
  readonly delays: DelayHistogram;
  /** records that the model refuses, by field @internal */
  readonly refused: RecordQuality;
  /** @internal */
  readonly skew: SkewCounts;
  /** null: no event times are asked for @internal */
  readonly freshness: Freshness | null;
  readonly #unknown = new Tally(100);
  readonly #kept = new Map<number, WatchWindow>();
  readonly #kind: Summary | null;
  readonly #scored: ScoredRows;
  readonly #watched: WatchedModel;
  #summary: Summary | null = null;
  readonly #hidden: readonly string[];
  readonly #positive: number;

  /** @internal */
  constructor(model: Model, given: ModelWatchOptions | ModelWatchState) {
    const state = stateOf<ModelWatchState>('modelWatch', given);
    if (state && state.sha256 !== null && model.sha256 && state.sha256 !== model.sha256)
      refuse(
        'ERR_SCHEMA',
        'state',
        `one of the model ${model.sha256}`,
        tell(state.sha256),
        'restore it with its own model',
      );
    for (const part of ['options', 'join', 'delays', 'refused', 'skew', 'windows'] as const)
      if (state && !state[part]) refuse('ERR_FORMAT', 'state', `${part}`, 'none', 'save it again');
    this.model = model;
    this.settings = settingsOf(model, state ? optionsOf(model, state.options) : (given as ModelWatchOptions));
    const { reference, saved, groups } = this.settings;
    const { sample = 1, seed = 0, withinMs, skewMs } = saved;
    // states and reports go where records of private fields must not
    this.#kind = reference?.like({ sample, seed }, true) ?? null;
    this.#scored = new ScoredRows(model);
    this.#hidden = fieldsOf(model).flatMap((field) => (field.private ? [field.name] : []));
    this.#watched = new WatchedModel(model, () => this.#summary!);
    this.#positive = model.manifest.positive === null ? -1 : model.manifest.classes.indexOf(model.manifest.positive);
    const joined = { ...(withinMs !== undefined && { withinMs }), ...(skewMs !== undefined && { skewMs }) };
    this.join = labelJoin<HeldScore>(state?.join ?? { capacity: 2 * this.settings.capacity, ...joined });
    this.delays = delayHistogram(state?.delays);
    this.refused = recordQuality(state?.refused ?? { fields: rulesOf(model), remembered: 1 });
    this.skew = new SkewCounts(state?.skew);
    const { eventTimes, maxAgeMs } = this.settings;
    this.freshness = eventTimes && new Freshness(eventTimes, maxAgeMs, state?.freshness);
    if (!state) return;
    this.rows = whole('rows', state.rows);
    this.withoutInputs = whole('withoutInputs', state.withoutInputs);
    this.dropped = whole('dropped', state.dropped);
    this.fromFuture = whole('fromFuture', state.fromFuture ?? 0);
    this.#unknown.addAll(state.unknownModels);
    for (const one of state.windows)
      this.#kept.set(one.from, new WatchWindow(one.from, this.#kind, groups?.names.length ?? 0, one));
  }

  /** Rows of other models, by digest: they are in no other count. */
  get unknownModels(): Readonly<Record<string, number>> {
    return this.#unknown.counts;
  }

  /** The windows that are kept, the earliest first. @internal */
  get windows(): WatchWindow[] {
    return [...this.#kept.values()].sort((a, b) => a.from - b.from);
  }

  /**
   * Adds a score of a log or a service. One of another digest is counted and left out; one whose inputs the model refuses, or that has none, counts for the scores alone.
   * @throws ERR_RANGE no id, a time that is no finite number, a probability outside [0, 1] or a label that is no class; nothing is counted then
   */
  add(prediction: Prediction): void {
    const { at, id, entity, sha256, probability, label, inputs } = prediction;
    const { model } = this;
    if (sha256 && model.sha256 && sha256 !== model.sha256) {
      this.#unknown.add(sha256);
      return;
    }
    finite('at', at);
    if (typeof id !== 'string' || id === '') refuse('ERR_RANGE', 'id', 'a text that is not empty', tell(id), 'give it');
    checkShare(probability);
    const code = model.manifest.classes.indexOf(label);
    if (code < 0)
      refuse(
        'ERR_RANGE',
        'label',
        `one of ${model.manifest.classes.join(', ')}`,
        'another',
        'give the model that said it',
      );
    if (at > this.settings.until) {
      this.fromFuture++;
      return;
    }
    const from = this.#fromOf(at, this.rows);
    const window = this.#windowAt(from, 1);
    this.rows++;
    if (!window) return;
    window.saw(at);
    if (inputs) readRecord(this.#readers(window), inputs, prediction);
    else this.withoutInputs++;
    if (inputs) this.freshness?.addRecord(at, inputs);
    window.scores.add(probability, this.#calledOf(code));
    const group = inputs && this.settings.groups ? this.#groupOf(inputs[this.settings.groups.field]) : -1;
    this.join.addPrediction({ at, id, entity, probability, label: code, group, window: from });
    this.#settle();
  }

  /**
   * Adds rows of a table: as `add` of each, in a fraction of the time. Rows that the model refuses count for the scores alone, if there are any.
   * @param table  inputs of the rows, as `Model.scoreTable` takes them; null: there are none
   * @param options  `engine`: what scores the rows; default the JavaScript engine, which gives the same bits
   * @throws ERR_SHAPE arrays of other lengths; ERR_RANGE a time that is no finite number, a probability outside [0, 1], a code that is none; ERR_SCHEMA absent columns;
   *   nothing is counted then
   */
  addTable(table: Table | null, rows: WatchedRows, { engine }: Pick<TableOptions, 'engine'> = {}): void {
    const scoring = this.#kind ? this.#watched : this.model;
    const scorer = engine && table ? scoring.scorer(engine, { reuse: true, capacity: PART }) : undefined;
    try {
      this.#addRows(table, rows, scorer);
    } finally {
      scorer?.free();
    }
  }

  #addRows(table: Table | null, rows: WatchedRows, scorer: Scorer | undefined): void {
    const { at, id, entity, outcomes } = rows;
    const said = answersOf(this.model, table, rows);
    for (const [from, own] of this.#byWindow(at)) {
      const window = this.#windowAt(from, own.length);
      this.rows += own.length;
      if (!window) continue;
      const part = table && (own.length === at.length ? table : partOf(table, own));
      if (!part) this.withoutInputs += own.length;
      for (const [feature, times] of Object.entries(rows.eventTimes ?? {}))
        for (const i of own) this.freshness?.add(feature, at[i], times[i]);
      const answers = said && (own.length === at.length ? said : said.pick(own));
      const found = part
        ? readPart(this.#readers(window, scorer), part, answers, (k) => id?.[own[k]] ?? null)
        : answers!;
      const groups = part && this.settings.groups ? this.#groupsOf(part) : null;
      window.sawAll(at, own);
      // one of −1: the model refuses the row, and nothing else says what it was
      const calledAs = new Int8Array(own.length);
      for (let k = 0; k < own.length; k++) calledAs[k] = found.labels[k] < 0 ? -1 : this.#calledOf(found.labels[k]);
      window.scores.addAll(found.probability, calledAs);
      if (!outcomes && !id) continue;
      for (let k = 0; k < own.length; k++) {
        if (calledAs[k] < 0) continue;
        const called = calledAs[k] as 0 | 1;
        const i = own[k];
        const label = found.labels[k];
        const probability = found.probability[k];
        const group = groups ? groups[k] : -1;
        if (outcomes) {
          const known = outcomes.codes[i];
          if (known === -1) continue;
          window.outcomes.add({ probability, called, group, y: this.#yOf(known, label) });
          const when = outcomes.at?.[i];
          if (when !== undefined && !Number.isNaN(when)) this.delays.add(when - at[i]);
        } else if (id)
          this.join.addPrediction({
            at: at[i],
            id: id[i],
            entity: entity?.[i] ?? null,
            probability,
            label,
            group,
            window: from,
          });
      }
      if (id && !outcomes) this.#settle();
    }
  }

  /** Adds a label: of a score that came before or will come. @throws ERR_RANGE as `LabelJoin.addLabel` */
  addLabel(label: OutcomeLabel): void {
    this.join.addLabel(label);
  }

  /** Whether a score of this id waits for its label: which of several watches a label is for. */
  holds(id: string): boolean {
    return this.join.holds(id);
  }

  /**
   * Adds all that another one has seen of the same model. As long as none holds more scores than `capacity`, the result is that of one that saw all, to the bit and in
   * any order.
   * @throws ERR_SCHEMA a watch of another model or with other options
   */
  merge(other: ModelWatch): void {
    const isSame =
      other instanceof ModelWatch &&
      (other.model.sha256 ?? null) === (this.model.sha256 ?? null) &&
      JSON.stringify(other.settings.saved) === JSON.stringify(this.settings.saved);
    if (!isSame)
      refuse('ERR_SCHEMA', 'merge', 'a watch of the same model and options', 'another', 'merge those of one model');
    this.rows += other.rows;
    this.withoutInputs += other.withoutInputs;
    this.dropped += other.dropped;
    this.fromFuture += other.fromFuture;
    this.#unknown.addAll(other.#unknown.counts);
    for (const theirs of other.windows) this.#windowAt(theirs.from, theirs.rows)?.merge(theirs);
    this.join.merge(other.join);
    this.delays.merge(other.delays);
    this.refused.merge(other.refused);
    this.skew.merge(other.skew);
    if (other.freshness) this.freshness?.merge(other.freshness);
    this.#settle();
  }

  /**
   * What can be said now: drift of each window, what changed since when, performance where labels are ripe, and what was left out.
   * @param now  milliseconds since 1970
   * @example
   * const watched = modelWatch(model);
   * watched.report(0).notes[0].what; // 'no baseline in the model: rows are compared with nothing; train it again, or give a reference'
   */
  report(now: number): WatchReport {
    return reportOf(this, finite('now', now));
  }

  /** The figures of the newest complete window and of the newest with ripe labels, as a Prometheus page has them. @param now  milliseconds since 1970 */
  figures(now: number): WatchFigure[] {
    return figuresOf(this, finite('now', now));
  }

  /** What is known of a held score and its label. @internal */
  outcomeOf({ prediction, label }: JoinedRow<HeldScore>): Outcome | null {
    if (!label) return null;
    const { probability, label: code, group } = prediction;
    const y = this.#yOf(this.model.manifest.classes.indexOf(label.label), code);
    return { probability, called: this.#calledOf(code), group, y };
  }

  /** The state, for `JSON.stringify` and `modelWatch`. Equal contents give equal text. */
  toJSON(): ModelWatchState {
    const { rows, withoutInputs, dropped, fromFuture } = this;
    const unknown = Object.entries(this.unknownModels).sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      kind: 'modelWatch',
      sha256: this.model.sha256 ?? null,
      options: this.settings.saved,
      rows,
      withoutInputs,
      dropped,
      ...(fromFuture > 0 && { fromFuture }),
      unknownModels: Object.fromEntries(unknown),
      windows: this.windows.map((window) => window.toJSON()),
      join: this.join.toJSON(),
      delays: this.delays.toJSON(),
      refused: this.refused.toJSON(),
      skew: this.skew.toJSON(),
      ...(this.freshness && { freshness: this.freshness.toJSON() }),
    };
  }

  #fromOf(at: number, row: number): number {
    const { every, length } = this.settings;
    return Math.floor(('rows' in every ? row : at) / length) * length;
  }

  /** The rows of each window, by its `from`; those from after `until` are counted. */
  #byWindow(at: ArrayLike<number>): Map<number, Uint32Array> {
    const { until, every, length } = this.settings;
    const isTimed = 'ms' in every;
    let first = this.rows;
    /** beginning and end of each run of rows that are in one window, by window */
    const found = new Map<number, number[]>();
    for (let i = 0; i < at.length; ) {
      if (at[i] > until) {
        this.fromFuture++;
        first--;
        i++;
        continue;
      }
      const from = this.#fromOf(at[i], first + i);
      const begin = i++;
      // well within a window no quotient is needed
      const isExact = isTimed && Math.abs(from) < 2 ** 50;
      while (i < at.length && !(at[i] > until)) {
        const within = at[i] - from;
        if (!(isExact && within >= 0 && within <= length - 1) && this.#fromOf(at[i], first + i) !== from) break;
        i++;
      }
      const runs = found.get(from) ?? [];
      runs.push(begin, i);
      found.set(from, runs);
    }
    return new Map([...found].map(([from, runs]) => [from, rowsOf(runs)]));
  }

  /** The window; null: it is no longer kept, and its rows are counted as dropped. */
  #windowAt(from: number, rows: number): WatchWindow | null {
    const found = this.#kept.get(from);
    if (found) return found;
    const oldest = Math.min(...this.#kept.keys());
    if (this.#kept.size >= this.settings.keep) {
      if (from < oldest) {
        this.dropped += rows;
        return null;
      }
      this.dropped += this.#kept.get(oldest)!.rows;
      this.#kept.delete(oldest);
    }
    const made = new WatchWindow(from, this.#kind, this.settings.groups?.names.length ?? 0);
    this.#kept.set(from, made);
    return made;
  }

  /** What reads inputs into a window. */
  #readers({ summary }: WatchWindow, scorer?: Scorer): Readers {
    const { model, refused, skew } = this;
    this.#summary = summary;
    const scoring = summary ? this.#watched : model;
    const { rescore } = this.settings;
    return { model, scoring, scorer, summary, scored: this.#scored, refused, skew, rescore, hidden: this.#hidden };
  }

  #calledOf(label: number): 0 | 1 {
    return this.#positive < 0 || label === this.#positive ? 1 : 0;
  }

  /** Of a label by its class: whether it is positive, or with more than two classes what was said. */
  #yOf(known: number, said: number): 0 | 1 | -1 {
    if (known < 0) return -1;
    return known === (this.#positive < 0 ? said : this.#positive) ? 1 : 0;
  }

  #groupOf(value: unknown): number {
    const { names } = this.settings.groups!;
    const at = names.indexOf(labelOf(value) ?? 'others');
    return at < 0 ? names.length - 1 : at;
  }

  #groupsOf(table: Table): Uint8Array {
    const column = table.columns.find(({ name }) => name === this.settings.groups!.field)!;
    const byCode = column.kind === 'coded' ? column.levels.map((level) => this.#groupOf(level)) : null;
    return Uint8Array.from({ length: table.rows }, (_, i) => {
      if (column.missing?.[i]) return this.#groupOf(null);
      return column.kind === 'coded' ? byCode![column.codes[i]] : this.#groupOf(column.values[i]);
    });
  }

  /** Settles the oldest scores where more are held than may be: a quarter more than fit are, so that it is seldom. */
  #settle(): void {
    const { capacity } = this.settings;
    if (this.join.size <= 1.25 * capacity) return;
    for (const row of this.join.settle(capacity)) {
      const outcome = this.outcomeOf(row);
      if (!outcome) continue;
      this.#kept.get(row.prediction.window)?.outcomes.add(outcome);
      this.delays.add(row.delayMs!);
    }
  }
}

/** The rows of runs: beginning and end of each. */
function rowsOf(runs: readonly number[]): Uint32Array {
  let length = 0;
  for (let k = 0; k < runs.length; k += 2) length += runs[k + 1] - runs[k];
  const rows = new Uint32Array(length);
  let at = 0;
  for (let k = 0; k < runs.length; k += 2) for (let i = runs[k]; i < runs[k + 1]; i++) rows[at++] = i;
  return rows;
}

/**
 * Makes a watch of one model: everything that `logodds/monitor` can say of its inputs, scores and labels, window by window.
 *
 *   drift        of each window against the reference (default the baseline of the model): see `drift`
 *   performance  of windows whose labels are ripe, and as it is expected without labels: see `performanceHistogram`, `estimatePerformance`
 *   change       since when a feature or the scores have drifted, and since when the model is wrong more often than it says: see `changeTest`
 *   labels       joined by id or entity, late, twice and corrected: see `labelJoin`; how late they come, and which scores have none: see `labelSelection`
 *
 * Memory is bounded: of each window counts alone are kept (about 300 bytes for a bin of scores that has rows, 600 for a feature), and scores wait for their labels until
 * `capacity` of them are held; then the oldest are settled with the labels they have. Counts and sums are exact, so watches of processes and of parts of a log merge
 * into that of all. There is no clock in it: times are those of the scores, and `now` is given.
 *
 * With more than two classes performance is that of the label that was said: y is whether it came true, with the probability of it.
 * @param options  options of a new one, or the state that `toJSON` returned
 * @throws ERR_RANGE an option outside its range; ERR_SCHEMA a reference or state of another model; ERR_FORMAT a state that is none
 * @example
 * const watched = modelWatch(withBaseline(model, records), { every: { ms: 3_600_000 }, least: 20 });
 * const { logit, probability, label } = model.score(flight);
 * watched.add({ at: 1000, id: 'a', entity: null, model: 'flights', version: '1', sha256: '', route: null, logit, probability, label, inputs: flight });
 * watched.report(2000).rows; // 1
 * modelWatch(withBaseline(model, records), watched.toJSON()).rows; // 1
 */
export function modelWatch(model: Model, options: ModelWatchOptions | ModelWatchState = {}): ModelWatch {
  try {
    return new ModelWatch(model, options);
  } catch (error) {
    // a state that lacks something
    if (error instanceof LogoddsError || !('kind' in options)) throw error;
    return refuse('ERR_FORMAT', 'state', 'what toJSON returned', 'another form', 'save it again');
  }
}
