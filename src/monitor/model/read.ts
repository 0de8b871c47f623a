import { LogoddsError, refuse } from '../../../bindings/errors.ts';
import { tell } from '../../../bindings/names.ts';
import { findColumns } from '../../encode/columns.ts';
import { selectRows, sliceTable } from '../../encode/split.ts';
import type { Column, Table } from '../../encode/table.ts';
import { fieldsOf } from '../../model/fields.ts';
import type { Model } from '../../model/model.ts';
import type { Scorer } from '../../model/scorer.ts';
import type { RecordScore } from '../../model/scores.ts';
import { finite } from '../check.ts';
import type { Prediction } from '../log/prediction.ts';
import type { FieldRule, RecordQuality } from '../quality/records.ts';
import type { Summary } from '../summary/summary.ts';
import { planesOf, type ScoredRows } from '../summary/watch.ts';
import type { SkewCounts } from './skew.ts';

/** Rows that were scored, column by column. */
export interface WatchedRows {
  /** milliseconds since 1970, of each row */
  readonly at: ArrayLike<number>;
  /**
   * what was answered; absent: the model scores the rows now. `labels`: index of the class. `probabilities` and `logits`: as `Model.scoreTable` returns them; a log of
   * more than two classes has only the probability of the label: length rows, without logits
   */
  readonly scores?: {
    readonly labels: ArrayLike<number>;
    readonly probabilities: ArrayLike<number>;
    readonly logits?: ArrayLike<number>;
  };
  /** by which labels will come; absent: none will */
  readonly id?: ArrayLike<string>;
  readonly entity?: ArrayLike<string | null>;
  /** of features of the option `eventTimes`, when their value was true, milliseconds since 1970; NaN: not known */
  readonly eventTimes?: Readonly<Record<string, ArrayLike<number>>>;
  /** labels that are known already: nothing is held for these rows */
  readonly outcomes?: {
    /** index of the class; −1: no label; −2: a label that is none of the classes */
    readonly codes: ArrayLike<number>;
    /** when it was known, milliseconds since 1970; NaN: not known */
    readonly at?: ArrayLike<number>;
  };
}

/** What reads inputs: into a summary, if there is one. */
export interface Readers {
  readonly model: Model;
  /** the model, or the one that adds what it scores to the summary */
  readonly scoring: Model;
  /** of tables of at most 8192 rows, on an engine; undefined: the JavaScript engine */
  readonly scorer: Scorer | undefined;
  readonly summary: Summary | null;
  readonly scored: ScoredRows;
  readonly refused: RecordQuality;
  readonly skew: SkewCounts;
  readonly rescore: boolean;
  /** fields of the model that are private: what lacks one of them cannot be scored again */
  readonly hidden: readonly string[];
}

/** What was said of rows. */
export class Answers {
  readonly labels: ArrayLike<number>;
  /** of the positive class, or with more than two of the label */
  readonly probability: ArrayLike<number>;
  /** of all classes with more than two, or the logits of two; null: not known */
  readonly planes: ArrayLike<number> | null;

  constructor(labels: ArrayLike<number>, probability: ArrayLike<number>, planes: ArrayLike<number> | null) {
    this.labels = labels;
    this.probability = probability;
    this.planes = planes;
  }

  pick(rows: Uint32Array): Answers {
    const n = this.labels.length;
    const [from, to] = [rows[0], rows[rows.length - 1] + 1];
    // rows that follow one another need no copy
    const isRun = to - from === rows.length;
    const of = (values: ArrayLike<number>): ArrayLike<number> =>
      isRun && 'subarray' in values
        ? (values as Float64Array).subarray(from, to)
        : Float64Array.from(rows, (i) => values[i]);
    if (this.planes?.length === n) return new Answers(of(this.labels), of(this.probability), of(this.planes));
    const count = this.planes ? this.planes.length / n : 0;
    const planes = new Float64Array(count * rows.length);
    for (let k = 0; k < count; k++)
      for (let i = 0; i < rows.length; i++) planes[k * rows.length + i] = this.planes![k * n + rows[i]];
    return new Answers(of(this.labels), of(this.probability), this.planes && planes);
  }
}

/** @throws ERR_RANGE */
export function checkShare(p: number): void {
  if (!(p >= 0 && p <= 1)) refuse('ERR_RANGE', 'probability', 'a number from 0 to 1', tell(p), 'correct it');
}

/** What was said of rows; null: the model is to say it. @throws as `ModelWatch.addTable` */
export function answersOf(model: Model, table: Table | null, rows: WatchedRows): Answers | null {
  const { at, scores, outcomes } = rows;
  const n = at.length;
  const { classes, positive } = model.manifest;
  const lengths: [string, ArrayLike<unknown> | undefined][] = [
    ['id', rows.id],
    ['entity', rows.entity],
    ['outcomes, codes', outcomes?.codes],
    ['outcomes, at', outcomes?.at],
    ['scores, labels', scores?.labels],
    ...Object.entries(rows.eventTimes ?? {}).map(
      ([name, list]) => [`eventTimes, ${name}`, list] as [string, typeof list],
    ),
  ];
  if (table && table.rows !== n)
    refuse('ERR_SHAPE', 'at', `${table.rows} times, one of each row`, n, 'give one of each row');
  for (const [what, list] of lengths)
    if (list && list.length !== n)
      refuse('ERR_SHAPE', what, `length ${n}, one of each row`, list.length, 'give one of each row');
  if (!areFinite(at)) for (let i = 0; i < n; i++) finite('at', at[i]);
  if (outcomes) checkCodes('outcomes, codes', outcomes.codes, -2, classes.length);
  if (table)
    findColumns(
      table,
      fieldsOf(model).map(({ name }) => name),
    );
  if (!scores) {
    if (!table) refuse('ERR_SHAPE', 'rows', 'inputs or scores', 'neither', 'give one of them');
    return null;
  }
  const { labels, probabilities, logits } = scores;
  checkCodes('scores, labels', labels, 0, classes.length);
  const isWhole = positive === null && probabilities.length === classes.length * n;
  if (!isWhole && probabilities.length !== n)
    refuse(
      'ERR_SHAPE',
      'scores, probabilities',
      `length ${n}, one of each row`,
      probabilities.length,
      'give one of each row',
    );
  if (logits && positive !== null && logits.length !== n)
    refuse('ERR_SHAPE', 'scores, logits', `length ${n}, one of each row`, logits.length, 'give one of each row');
  for (let i = 0; i < probabilities.length; i++) checkShare(probabilities[i]);
  if (positive !== null) return new Answers(labels, probabilities, logits ?? null);
  const own = isWhole ? Float64Array.from({ length: n }, (_, i) => probabilities[labels[i] * n + i]) : probabilities;
  return new Answers(labels, own, isWhole ? probabilities : null);
}

/** Whether each is a finite number. */
function areFinite(values: ArrayLike<number>): boolean {
  // of arrays of anything each is looked at
  if (!ArrayBuffer.isView(values)) return false;
  let lost = 0;
  for (let i = 0; i < values.length; i++) lost += values[i] - values[i];
  return lost === 0;
}

function checkCodes(what: string, codes: ArrayLike<number>, from: number, to: number): void {
  let greatest = 0;
  if (codes instanceof Uint8Array) for (let i = 0; i < codes.length; i++) greatest = Math.max(greatest, codes[i]);
  else greatest = Number.POSITIVE_INFINITY;
  if (greatest < to && from <= 0) return;
  for (let i = 0; i < codes.length; i++)
    if (!(Number.isInteger(codes[i]) && codes[i] >= from && codes[i] < to))
      refuse(
        'ERR_RANGE',
        what,
        `indices of classes from ${from}, below ${to}`,
        tell(codes[i]),
        'use the order of the model',
      );
}

/** These rows, in order. */
export function partOf(table: Table, rows: Uint32Array): Table {
  const [first, last] = [rows[0], rows[rows.length - 1]];
  return last - first === rows.length - 1 ? sliceTable(table, first, last + 1) : selectRows(table, rows);
}

/** Rows of a table into the summary of their window. @returns what was said of them; a label of −1: nothing, and the model refuses the row */
export function readPart(
  readers: Readers,
  table: Table,
  said: Answers | null,
  idOf: (row: number) => string | null,
): Answers {
  const { model, scoring, scorer, summary, scored, skew, hidden } = readers;
  const lacks = (name: string): boolean => isEmpty(table.columns.find((column) => column.name === name)!);
  const rescore = readers.rescore && !hidden.some(lacks);
  const two = model.manifest.positive !== null;
  const n = table.rows;
  const labels = said ? said.labels : new Int32Array(n).fill(-1);
  const probability = said ? said.probability : new Float64Array(n);
  const read = (from: number, to: number): void => {
    const piece = to - from === n ? table : sliceTable(table, from, to);
    if (said?.planes && !rescore) {
      if (!summary) return;
      const planes = planesOf(said.planes, n, from, to);
      const own = two ? planesOf(said.probability, n, from, to) : planes;
      const codes = Uint32Array.from(planesOf(said.labels, n, from, to));
      scored.addTable(summary, piece, { logits: planes, probabilities: own, labels: codes });
      return;
    }
    const scores = scorer ? scorer.score(piece) : scoring.scoreTable(piece);
    const ownOf = (k: number): number =>
      two ? scores.probabilities[k] : scores.probabilities[scores.labels[k] * (to - from) + k];
    if (!said) {
      for (let k = 0; k < to - from; k++) {
        (labels as Int32Array)[from + k] = scores.labels[k];
        (probability as Float64Array)[from + k] = ownOf(k);
      }
      return;
    }
    if (!rescore) return;
    let equal = 0;
    for (let k = 0; k < to - from; k++) {
      const logit = two && said.planes ? scores.logits[k] - said.planes[from + k] : 0;
      const apart = ownOf(k) - said.probability[from + k];
      const isOther = scores.labels[k] !== said.labels[from + k];
      if (logit === 0 && apart === 0 && !isOther) equal++;
      else skew.add(idOf(from + k), logit, apart, isOther);
    }
    skew.addEqual(equal);
  };
  const bisect = (from: number, to: number): void => {
    const before = summary?.refused ?? 0;
    try {
      read(from, to);
    } catch (error) {
      if (!isOfRow(error)) throw error;
      if (summary) summary.refused = before;
      if (to - from === 1) {
        refuseRecord(readers, recordOf(table, from));
        return;
      }
      const middle = (from + to) >>> 1;
      bisect(from, middle);
      bisect(middle, to);
    }
  };
  for (let from = 0; from < n; from += PART) bisect(from, Math.min(n, from + PART));
  return new Answers(labels, probability, null);
}

/** Rows that are read at a time, and that a scorer takes: of one that cannot be read halves are tried. */
export const PART = 8192;

const isOfRow = (error: unknown): boolean => error instanceof LogoddsError && error.code === 'ERR_RECORD';

/** A record into the summary of its window. */
export function readRecord(readers: Readers, inputs: Readonly<Record<string, unknown>>, said: Prediction): void {
  const { scoring, summary, scored, skew, model, hidden } = readers;
  const rescore = readers.rescore && hidden.every((name) => Object.hasOwn(inputs, name));
  const { logit, probability, label } = said;
  const two = model.manifest.positive !== null;
  const before = summary?.refused ?? 0;
  try {
    if (!rescore && two) {
      if (summary) scored.addRecord(summary, inputs, { logit: logit as number, probability, label } as RecordScore);
      return;
    }
    if (!rescore && !summary) return;
    const again = scoring.score(inputs);
    if (!rescore) return;
    const mine = typeof logit === 'number' ? [logit] : logit;
    const theirs = again.logits ?? [again.logit];
    // of a label of several classes the log may have its own logit alone
    const apart = mine.reduce((most, z, k) => Math.max(most, Math.abs(z - (theirs[k] ?? Number.NaN))), 0);
    skew.add(said.id, apart, again.probability - probability, again.label !== label);
  } catch (error) {
    if (!(error instanceof LogoddsError)) throw error;
    if (summary) summary.refused = before;
    refuseRecord(readers, inputs);
  }
}

function refuseRecord({ summary, refused }: Readers, record: Readonly<Record<string, unknown>>): void {
  if (summary) summary.refused++;
  refused.add(record);
}

function recordOf(table: Table, row: number): Record<string, unknown> {
  return Object.fromEntries(table.columns.map((column) => [column.name, cellOf(column, row)]));
}

function cellOf(column: Column, row: number): unknown {
  if (column.missing?.[row]) return null;
  return column.kind === 'numeric' ? column.values[row] : column.levels[column.codes[row]];
}

const isEmpty = ({ missing }: Column): boolean => missing?.every((one) => one !== 0) ?? false;

const KINDS: Readonly<Record<string, 'number' | 'any'>> = { number: 'number' };

/** What the fields of a model must be. */
export function rulesOf(model: Model): FieldRule[] {
  return fieldsOf(model).map(({ name, type, levels, strict, low, high }) => ({
    name,
    kind: KINDS[type] ?? 'any',
    ...(low !== undefined && { low }),
    ...(high !== undefined && { high }),
    ...(strict && levels && { levels }),
  }));
}
