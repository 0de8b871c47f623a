import { refuse } from '../../../bindings/errors.ts';
import { tell } from '../../../bindings/names.ts';
import { finite, whole } from '../check.ts';
import {
  type PerformanceHistogram,
  type PerformanceHistogramState,
  performanceHistogram,
} from '../performance/histogram.ts';
import { ScoreCounts, type ScoreCountsState } from '../performance/scoreCounts.ts';
import type { Summary, SummaryState } from '../summary/summary.ts';

/** A window as `ModelWatch.toJSON` has it. */
export interface WatchWindowState {
  readonly from: number;
  readonly rows: number;
  /** times of the first and the last score; null: there is none */
  readonly first: number | null;
  readonly last: number | null;
  readonly summary: SummaryState | null;
  readonly scores: ScoreCountsState;
  readonly outcomes: OutcomesState;
}

/** Labels of settled scores, as text of JSON has them. */
export interface OutcomesState {
  readonly all: PerformanceHistogramState;
  /** by index of the group; null: no label */
  readonly groups: readonly (PerformanceHistogramState | null)[];
  readonly others: number;
}

/** A score and what is known of it. */
export interface Outcome {
  readonly probability: number;
  readonly called: 0 | 1;
  readonly group: number;
  /** 1: the positive class, or with more than two the class that was said; −1: none of the classes */
  readonly y: 0 | 1 | -1;
}

/** Scores whose labels are known, as counts. */
export class Outcomes {
  readonly all: PerformanceHistogram;
  readonly groups: (PerformanceHistogram | null)[];
  /** labels that are none of the classes */
  others = 0;

  constructor(groups: number, state?: OutcomesState) {
    this.all = performanceHistogram(state?.all);
    this.groups = Array.from({ length: groups }, (_, k) => {
      const own = state?.groups?.[k];
      return own ? performanceHistogram(own) : null;
    });
    this.others = whole('others', state?.others ?? 0);
  }

  add({ probability, called, group, y }: Outcome): void {
    if (y < 0) {
      this.others++;
      return;
    }
    this.all.add(probability, y, called);
    if (this.groups.length === 0) return;
    const own = this.groups[group] ?? performanceHistogram();
    own.add(probability, y, called);
    this.groups[group] = own;
  }

  merge(other: Outcomes): void {
    this.all.merge(other.all);
    this.others += other.others;
    other.groups.forEach((theirs, k) => {
      if (!theirs) return;
      const own = this.groups[k] ?? performanceHistogram();
      own.merge(theirs);
      this.groups[k] = own;
    });
  }

  toJSON(): OutcomesState {
    return { all: this.all.toJSON(), groups: this.groups.map((one) => one?.toJSON() ?? null), others: this.others };
  }
}

/** What is kept of the scores of one window. */
export class WatchWindow {
  /** number of its first row, or the time at which it begins */
  readonly from: number;
  first = Number.POSITIVE_INFINITY;
  last = Number.NEGATIVE_INFINITY;
  /** all of them, refused ones too */
  #rows = 0;
  /** of the inputs; null: there are no bins to count them on */
  readonly summary: Summary | null;
  /** all scores */
  readonly scores: ScoreCounts;
  /** those of them that are settled and have a label */
  readonly outcomes: Outcomes;

  /** @param kind  a summary of the kind that each window has @throws ERR_FORMAT, ERR_RANGE a state that is none */
  constructor(from: number, kind: Summary | null, groups: number, state?: WatchWindowState) {
    if (state && !(Array.isArray(state.scores) && state.outcomes?.all))
      refuse('ERR_FORMAT', 'state', 'windows with scores and outcomes', tell(state.outcomes), 'save it again');
    this.from = finite('from', from);
    this.summary = state?.summary && kind ? kind.restored(state.summary) : (kind?.fresh(0) ?? null);
    this.scores = new ScoreCounts(state?.scores);
    this.outcomes = new Outcomes(groups, state?.outcomes);
    if (!state) return;
    if ((state.first === null) !== (state.last === null))
      refuse('ERR_FORMAT', 'state', 'times of the first and the last score', tell(state.first), 'save it again');
    this.#rows = whole('rows', state.rows);
    if (state.first !== null) this.#stretch(finite('first', state.first));
    if (state.last !== null) this.#stretch(finite('last', state.last));
  }

  get rows(): number {
    return this.#rows;
  }

  saw(at: number): void {
    this.#rows++;
    this.#stretch(at);
  }

  /** These rows of many. */
  sawAll(at: ArrayLike<number>, rows: Uint32Array): void {
    this.#rows += rows.length;
    let { first, last } = this;
    for (let k = 0; k < rows.length; k++) {
      const time = at[rows[k]];
      if (time < first) first = time;
      if (time > last) last = time;
    }
    this.first = first;
    this.last = last;
  }

  #stretch(at: number): void {
    if (at < this.first) this.first = at;
    if (at > this.last) this.last = at;
  }

  merge(other: WatchWindow): void {
    this.#rows += other.#rows;
    this.first = Math.min(this.first, other.first);
    this.last = Math.max(this.last, other.last);
    if (other.summary) this.summary?.merge(other.summary);
    this.scores.merge(other.scores);
    this.outcomes.merge(other.outcomes);
  }

  toJSON(): WatchWindowState {
    const { from, rows, first, last, summary, scores, outcomes } = this;
    const times = Number.isFinite(first) ? { first, last } : { first: null, last: null };
    return {
      from,
      rows,
      ...times,
      summary: summary?.toJSON() ?? null,
      scores: scores.toJSON(),
      outcomes: outcomes.toJSON(),
    };
  }
}
