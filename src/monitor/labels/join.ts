import { refuse } from '../../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import { finite, stateOf, whole } from '../check.ts';
import type { OutcomeLabel } from '../log/prediction.ts';
import { Tally } from '../log/tally.ts';
import { Newest, type NewestState } from './newest.ts';

/** What a score must have to be joined with its label; all else that it has stays with it. */
export interface Joinable {
  /** milliseconds since 1970 */
  readonly at: number;
  readonly id: string;
  readonly entity?: string | null;
  readonly sha256?: string;
}

/** A score and its label. */
export interface JoinedRow<P extends Joinable> {
  readonly prediction: P;
  /** null: there is none yet */
  readonly label: OutcomeLabel | null;
  /** from the score to when its label was known, in milliseconds; negative where clocks differ; null without a label */
  readonly delayMs: number | null;
}

/** How scores and labels are joined. */
export interface LabelJoinOptions {
  /** the most scores, and the most labels, that are held: the oldest are dropped and counted; default 1,000,000 */
  readonly capacity?: number;
  /** how old a score of the entity may be when the outcome happens, in milliseconds, for labels without an id; default no bound */
  readonly withinMs?: number;
  /** how far clocks may differ before a label from before its score, or a time after `now`, is counted as skew, in milliseconds; default 1000 */
  readonly skewMs?: number;
  /** digests of the models whose scores are wanted: others are counted and left out; default all */
  readonly known?: readonly string[];
}

/** What became of scores and labels. */
export interface JoinCounts {
  /** held, with and without a label */
  readonly predictions: number;
  readonly labelled: number;
  readonly predictionsWithoutLabel: number;
  /** held */
  readonly labels: number;
  readonly labelsWithoutPrediction: number;
  /** labels of a score that has a later one, or one by its id */
  readonly labelsSuperseded: number;
  /** scores that came with an id that was held already; the later one counts */
  readonly duplicatePredictions: number;
  /** ids of which scores differ */
  readonly conflictingPredictions: number;
  readonly duplicateLabels: number;
  /** scores or outcomes whose label was another one before */
  readonly correctedLabels: number;
  /** scores or outcomes with different labels from one time, the newest: the one whose text is greater counts; they are not corrected */
  readonly conflictingLabels: number;
  /** labels known before their score was made, by more than the skew */
  readonly labelsBeforePrediction: number;
  /** with a time after `now`, by more than the skew: left out */
  readonly predictionsFromFuture: number;
  readonly labelsFromFuture: number;
  /** dropped for room */
  readonly predictionsDropped: number;
  readonly labelsDropped: number;
  /** older than what had expired when they came */
  readonly predictionsTooLate: number;
  readonly labelsTooLate: number;
  /** by digest; at most a hundred are named */
  readonly unknownModels: Readonly<Record<string, number>>;
}

/** What `LabelJoin.toJSON` returns. */
export interface LabelJoinState<P extends Joinable = Joinable> {
  readonly kind: 'labelJoin';
  readonly options: LabelJoinOptions;
  readonly predictions: NewestState<P>;
  readonly labels: NewestState<OutcomeLabel>;
  readonly unknownModels: Readonly<Record<string, number>>;
}

/** Scores with their labels, by the time of the score, and what became of all. */
export interface Joined<P extends Joinable> {
  readonly rows: readonly JoinedRow<P>[];
  readonly counts: JoinCounts;
}

/**
 * Joins scores and labels that come in any order; made by `labelJoin`. Its size is bounded.
 * @example
 * const join = labelJoin();
 * join.addLabel({ id: 'a', label: 'yes', at: 5000 });
 * join.addPrediction({ id: 'a', at: 1000 });
 * join.joined({ now: 9000 }).rows[0].delayMs; // 4000
 */
export class LabelJoin<P extends Joinable = Joinable> {
  readonly #predictions: Newest<P>;
  readonly #labels: Newest<OutcomeLabel>;
  readonly #withinMs: number;
  readonly #skewMs: number;
  readonly #known: ReadonlySet<unknown> | null;
  readonly #unknown = new Tally(100);
  readonly #options: LabelJoinOptions;

  /** @internal */
  constructor(given: LabelJoinOptions | LabelJoinState<P>) {
    const state = stateOf<LabelJoinState<P>>('labelJoin', given);
    const options = state ? state.options : (given as LabelJoinOptions);
    refuseUnknown('labelJoin', options, { capacity: true, withinMs: true, skewMs: true, known: true });
    const capacity = whole('capacity', options.capacity ?? 1_000_000, 1);
    this.#predictions = new Newest(capacity, (one) => JSON.stringify({ ...one, at: 0 }));
    this.#labels = new Newest(capacity, ({ label }) => label);
    this.#withinMs = atLeast0('withinMs', options.withinMs ?? Number.POSITIVE_INFINITY);
    this.#skewMs = atLeast0('skewMs', options.skewMs ?? 1000);
    this.#known = options.known ? new Set(options.known) : null;
    this.#options = options;
    if (!state) return;
    this.#predictions.restore(state.predictions, (one, differs, isTied) => {
      this.#check(one);
      this.#predictions.add(one.id, one, differs, isTied);
    });
    this.#labels.restore(state.labels, (label, differs, isTied) => {
      this.#checkLabel(label);
      this.#labels.add(keyOf(label), label, differs, isTied);
    });
    this.#unknown.addAll(state.unknownModels);
  }

  /** Scores that are held. */
  get size(): number {
    return this.#predictions.size;
  }

  #check({ at, id }: P): void {
    finite('at', at);
    if (typeof id !== 'string' || id === '')
      refuse('ERR_RANGE', 'id', 'a text that is not empty', typeof id, 'give it');
  }

  #checkLabel(label: OutcomeLabel): void {
    finite('at', label?.at);
    if (label.outcomeAt !== undefined) finite('outcomeAt', label.outcomeAt);
    if (!label.id && !label.entity) refuse('ERR_RANGE', 'label', 'an id or an entity', 'neither', 'give one of them');
  }

  /** @throws ERR_RANGE without an id, or a time that is no finite number */
  addPrediction(prediction: P): void {
    this.#check(prediction);
    const { id, sha256 } = prediction;
    if (this.#known && !this.#known.has(sha256)) this.#unknown.add(String(sha256));
    else this.#predictions.add(id, prediction);
  }

  /** @throws ERR_RANGE without an id and an entity, or a time that is no finite number */
  addLabel(label: OutcomeLabel): void {
    this.#checkLabel(label);
    this.#labels.add(keyOf(label), label);
  }

  /** Whether a score of this id is held. */
  holds(id: string): boolean {
    return this.#predictions.has(id);
  }

  /** Takes all that another one holds: the result is that of one that was given both. */
  merge(other: LabelJoin<P>): void {
    this.#predictions.merge(other.#predictions);
    this.#labels.merge(other.#labels);
    this.#unknown.addAll(other.#unknown.counts);
  }

  /** Removes the oldest scores until at most so many are held, as `expire`. Scores of one time stay together. */
  settle(keep: number): readonly JoinedRow<P>[] {
    const before = this.#predictions.cut(whole('keep', keep, 1));
    return before === null ? [] : this.expire(before);
  }

  /** The state, for `JSON.stringify` and `labelJoin`: all that is held. Equal contents give equal text. */
  toJSON(): LabelJoinState<P> {
    return {
      kind: 'labelJoin',
      options: this.#options,
      predictions: this.#predictions.toJSON(),
      labels: this.#labels.toJSON(),
      unknownModels: this.#unknown.counts,
    };
  }

  /**
   * Removes scores and labels from before a time, **for good**: whatever comes later with such a time is counted as too late and left out.
   * @returns the scores that were removed with their labels, by time: add them to a `PerformanceHistogram` to keep their figures
   * @throws ERR_RANGE a time that is no finite number
   */
  expire(before: number): readonly JoinedRow<P>[] {
    finite('before', before);
    const gone = this.#match(Number.POSITIVE_INFINITY).rows.filter(({ prediction }) => prediction.at < before);
    this.#predictions.expire(before);
    // a label may bear an earlier time than its score, as far as clocks differ
    this.#labels.expire(before - this.#skewMs);
    for (const { label } of gone) if (label) this.#labels.remove(keyOf(label));
    return gone;
  }

  /**
   * The scores with their labels as they are known at a time: the same for every order in which they came.
   * @param now  milliseconds since 1970; scores and labels from later, by more than the skew, are counted and left out
   * @throws ERR_RANGE a time that is none
   */
  joined({ now }: { readonly now: number }): Joined<P> {
    finite('now', now);
    return this.#match(now + this.#skewMs);
  }

  #match(latest: number): Joined<P> {
    const predictions: P[] = [];
    for (const one of this.#predictions.values()) if (one.at <= latest) predictions.push(one);
    predictions.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
    const byId = new Map<string, OutcomeLabel>();
    const ofEntities: OutcomeLabel[] = [];
    for (const label of this.#labels.values()) {
      if (label.at > latest) continue;
      if (label.id) byId.set(label.id, label);
      else ofEntities.push(label);
    }
    const byEntity = this.#matchEntities(predictions, ofEntities);
    let [labelled, withId, early] = [0, 0, 0];
    const rows = predictions.map((prediction) => {
      const own = byId.get(prediction.id);
      const label = own ?? byEntity.best.get(prediction.id) ?? null;
      if (own) withId++;
      if (label) labelled++;
      const delayMs = label && label.at - prediction.at;
      if (delayMs !== null && delayMs < -this.#skewMs) early++;
      return { prediction, label, delayMs };
    });
    const labels = byId.size + ofEntities.length;
    const used = withId + byEntity.matched;
    return {
      rows,
      counts: {
        predictions: rows.length,
        labelled,
        predictionsWithoutLabel: rows.length - labelled,
        labels,
        labelsWithoutPrediction: labels - used,
        labelsSuperseded: used - labelled,
        duplicatePredictions: this.#predictions.duplicates,
        conflictingPredictions: this.#predictions.differing,
        duplicateLabels: this.#labels.duplicates,
        correctedLabels: this.#labels.differing - this.#labels.tied,
        conflictingLabels: this.#labels.tied,
        labelsBeforePrediction: early,
        predictionsFromFuture: this.#predictions.size - rows.length,
        labelsFromFuture: this.#labels.size - labels,
        predictionsDropped: this.#predictions.dropped,
        labelsDropped: this.#labels.dropped,
        predictionsTooLate: this.#predictions.late,
        labelsTooLate: this.#labels.late,
        unknownModels: this.#unknown.counts,
      },
    };
  }

  /** Labels without an id: each is of the last score of its entity that is not after the outcome; of several for one score the one known last counts. */
  #matchEntities(sorted: readonly P[], labels: readonly OutcomeLabel[]) {
    const best = new Map<string, OutcomeLabel>();
    const of = new Map<string, P[]>();
    let matched = 0;
    if (labels.length === 0) return { best, matched };
    for (const prediction of sorted) {
      const { entity } = prediction;
      if (typeof entity !== 'string') continue;
      const list = of.get(entity);
      if (list) list.push(prediction);
      else of.set(entity, [prediction]);
    }
    for (const label of labels) {
      const list = of.get(label.entity!) ?? [];
      const time = label.outcomeAt ?? label.at;
      let low = 0;
      let high = list.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (list[middle].at <= time) low = middle + 1;
        else high = middle;
      }
      const prediction = list[low - 1];
      if (!prediction || time - prediction.at > this.#withinMs) continue;
      matched++;
      const other = best.get(prediction.id);
      if (!other || isLater(label, other)) best.set(prediction.id, label);
    }
    return { best, matched };
  }
}

/** What tells labels apart: the score they are of, or the entity and when the outcome happened. */
const keyOf = ({ id, entity, outcomeAt, at }: OutcomeLabel): string =>
  id ? `i${id}` : `e${outcomeAt ?? at} ${entity}`;

/** Whether one label was known after another one of the same score. The order is total, so that it does not matter which one came first. */
function isLater(a: OutcomeLabel, b: OutcomeLabel): boolean {
  const order = a.at - b.at || (a.outcomeAt ?? a.at) - (b.outcomeAt ?? b.at);
  return order > 0 || (order === 0 && a.label > b.label);
}

function atLeast0(what: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0) return value;
  return refuse('ERR_RANGE', what, 'a number of milliseconds from 0', tell(value), 'leave it out for the default');
}

/**
 * Makes a join of scores and labels by request id, or by entity key and time. Both may come late, out of order, twice and corrected: what it says is that of a join
 * of everything at once.
 *
 *   by id        the label of the id; of several the one known last (`at`), of two at one time the one whose text is greater
 *   by entity    the label is of the last score of the entity with score.at ≤ outcomeAt (default: at) and outcomeAt − score.at ≤ withinMs
 *   scores       of several with one id the last one counts, as it is what the caller was told last
 *
 * A label by id goes before one by entity. Nothing is dropped below `capacity`; beyond it the oldest scores and labels go, by their own times and not in the order
 * they came, and `expire` removes what is older than a time. All is counted. Joins of processes merge in any order.
 * @param options  options of a new one, or the state that `toJSON` returned
 * @throws ERR_RANGE an option outside its range; ERR_FORMAT a state of another kind
 * @see pandas: merge_asof (direction backward, tolerance)
 * @example
 * const join = labelJoin();
 * join.addPrediction({ id: 'a', entity: 'c7', at: 1000 });
 * join.addLabel({ entity: 'c7', label: 'no', at: 5000, outcomeAt: 2000 });
 * join.addLabel({ entity: 'c7', label: 'yes', at: 6000, outcomeAt: 2000 });
 * const { rows, counts } = join.joined({ now: 9000 });
 * rows[0].label.label; // 'yes'
 * counts.correctedLabels; // 1
 */
export const labelJoin = <P extends Joinable = Joinable>(
  options: LabelJoinOptions | LabelJoinState<P> = {},
): LabelJoin<P> => new LabelJoin<P>(options);
