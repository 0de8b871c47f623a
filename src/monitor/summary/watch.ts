import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import type { Precision } from '../../../bindings/layout.ts';
import type { ScoringEngine } from '../../../bindings/scoring.ts';
import type { Counts } from '../../encode/coder.ts';
import { type EncodeOptions, Encoder } from '../../encode/encoder.ts';
import type { Table } from '../../encode/table.ts';
import type { Fields } from '../../encode/turn.ts';
import { FittedModel } from '../../model/fittedModel.ts';
import type { Model } from '../../model/model.ts';
import type { Scorer, ScorerOptions } from '../../model/scorer.ts';
import type { RecordScore, Scores } from '../../model/scores.ts';
import { plainBatch } from './plainBatch.ts';
import type { Summary } from './summary.ts';
import type { PartOfTable } from './tables.ts';
import { writeTable } from './writeTable.ts';

const NOTHING = new Float64Array(0);

/** An encoder that keeps what it encoded last. */
class WatchedEncoder extends Encoder {
  row: Float64Array = NOTHING;
  defaults = 0;
  /** where parts of a table go; null: nobody asks */
  summary: Summary | null = null;
  /** number in the stream of row 0 of the input */
  shift = 0;
  #part: PartOfTable | null = null;
  #kept = NOTHING;

  override encodeRecord(record: Fields, out: Float64Array): number {
    this.row = out;
    this.defaults = super.encodeRecord(record, out);
    return this.defaults;
  }

  override encode(table: Table, batch: ColumnsBatch, options: EncodeOptions): void {
    const { summary } = this;
    if (!summary) {
      super.encode(table, batch, options);
      return;
    }
    const { firstRow = 0, standardize } = options;
    const first = firstRow + this.shift;
    // the same part again replaces itself
    if (this.#part && this.#part.first !== first) {
      const { rows } = batch;
      batch.setRows(this.#part.table.rows);
      this.flush();
      batch.setRows(rows);
    }
    this.#part = null;
    const counts = [options.defaulted, options.outOfRange].map((given) =>
      given instanceof Float64Array && !hasAny(given, table.rows) ? given : new Float64Array(table.rows),
    );
    const [defaulted, outOfRange] = counts;
    const part = { rows: table.rows, firstRow, batch, standardize: false as const, defaulted, outOfRange };
    if (standardize || !writeTable(this, table, part)) {
      for (const one of counts) one.fill(0, 0, table.rows);
      super.encode(table, batch, { standardize, firstRow, defaulted, outOfRange });
    }
    addTo(options.defaulted, defaulted, table.rows);
    addTo(options.outOfRange, outOfRange, table.rows);
    // the scorer goes on computing with its own arrays
    const isOutside = hasAny(outOfRange, table.rows);
    this.#part = {
      table,
      batch,
      standardize,
      defaulted: hasAny(defaulted, table.rows) ? this.#copyOf(defaulted, table.rows) : null,
      outOfRange: isOutside,
      first,
    };
  }

  /** Counts of the last part: valid until the next one, before which it is flushed. */
  #copyOf(counts: Float64Array, rows: number): Float64Array {
    if (this.#kept.length < rows) this.#kept = new Float64Array(rows);
    this.#kept.set(counts.length === rows ? counts : counts.subarray(0, rows));
    return this.#kept.subarray(0, rows);
  }

  /** Adds the last part to the summary. */
  flush(): void {
    const part = this.#part;
    this.#part = null;
    if (part) this.summary!.addTable(part);
  }

  /** Forgets the last part. */
  drop(): void {
    this.#part = null;
  }
}

function hasAny(counts: Counts, rows: number): boolean {
  let any = 0;
  for (let i = 0; i < rows; i++) any += counts[i];
  return any > 0;
}

/** Adds the counts of an array to another, which may be the same. */
function addTo(to: Counts | null | undefined, from: Counts, rows: number): void {
  if (to && to !== from) for (let i = 0; i < rows; i++) to[i] += from[i];
}

/**
 * A model that adds what it scores to a summary; made by `watch`. Its scores are those of the model.
 * @example
 * const seen = summary(model, binsOfData(model, records));
 * watch(model, seen).scoreTable(table);
 * seen.rows; // 30
 */
export class WatchedModel extends FittedModel {
  readonly #seen: WatchedEncoder;
  readonly #summary: () => Summary;

  /** @internal */
  constructor(model: Model, of: () => Summary) {
    const encoder = new WatchedEncoder(model.manifest.schema, model.stages.encoders);
    super(model, encoder);
    this.#seen = encoder;
    this.#summary = of;
  }

  override score(record: object): RecordScore {
    const summary = this.#summary();
    let score: RecordScore;
    try {
      score = super.score(record);
    } catch (error) {
      summary.refused++;
      throw error;
    }
    summary.addRow(record, this.#seen.row, this.#seen.defaults);
    summary.addScore(score);
    return score;
  }

  override scorer<P extends Precision = 'f64'>(engine: ScoringEngine, options?: ScorerOptions<P>): Scorer<P> {
    const { reuse = false, capacity = 8192 } = options ?? {};
    // the cells of a part are read after it was scored: their memory must still be there
    const open = (rows: number): Scorer<P> => super.scorer(engine, { ...options, capacity: rows, reuse: true });
    const kept = open(capacity);
    const seen = this.#seen;
    const score = (table: Table, firstRow = 0): Scores<P> => {
      const whole = this.#summary();
      const first = whole.next;
      // a table of several parts may be refused after the first: nothing of it is counted then
      const summary = table?.rows > capacity ? whole.fresh() : whole;
      const before = seen.summary;
      seen.summary = summary;
      // rows of a stream are numbered by the summary
      seen.shift = first - firstRow;
      const inner = reuse ? kept : open(Math.max(1, Math.min(capacity, table?.rows || 1)));
      try {
        const scores = inner.score(table, firstRow);
        seen.flush();
        summary.addScores(scores, first);
        if (summary !== whole) whole.merge(summary);
        return scores;
      } catch (error) {
        whole.refused += table?.rows || 0;
        throw error;
      } finally {
        seen.drop();
        seen.summary = before;
        if (!reuse) inner.free();
      }
    };
    return { ...kept, score };
  }
}

/**
 * Returns a model that scores as the given one and adds every row and score to a summary.
 *
 * A record costs a fraction of its score, because the summary takes the cells that scoring has just encoded. Records and the rows of tables that are refused are
 * counted in `refused` and nowhere else.
 * @param summary  or a function that returns the one to add to, such as that of a window
 * @example
 * const seen = summary(model, binsOfData(model, records));
 * const watched = watch(model, seen);
 * watched.score(flight).label; // 'yes'
 * seen.rows; // 1
 */
export const watch = (model: Model, summary: Summary | (() => Summary)): WatchedModel =>
  new WatchedModel(model, typeof summary === 'function' ? summary : () => summary);

/** Adds rows that were scored elsewhere to a summary: they are encoded, and not scored again. */
export class ScoredRows {
  readonly #encoder: WatchedEncoder;
  readonly #batch: ColumnsBatch;
  readonly #row: Float64Array;

  constructor({ manifest, stages }: Model) {
    this.#encoder = new WatchedEncoder(manifest.schema, stages.encoders);
    this.#batch = plainBatch(this.#encoder.specs, PART);
    this.#row = new Float64Array(this.#encoder.specs.length + 1);
  }

  /** @throws ERR_SCHEMA, ERR_RECORD as `Encoder.encodeRecord`; nothing is added then */
  addRecord(summary: Summary, record: object, score: RecordScore): void {
    const defaults = this.#encoder.encodeRecord(record as Fields, this.#row);
    summary.addRow(record, this.#row, defaults);
    summary.addScore(score);
  }

  /**
   * @param table  of at most 8192 rows
   * @throws ERR_SCHEMA, ERR_RECORD, ERR_SHAPE as `Encoder.encode`; nothing is added then
   */
  addTable(summary: Summary, table: Table, scores: Pick<Scores, 'logits' | 'probabilities' | 'labels'>): void {
    const encoder = this.#encoder;
    const first = summary.next;
    encoder.summary = summary;
    encoder.shift = first;
    try {
      encoder.encode(table, this.#batch, { standardize: false, firstRow: 0 });
      encoder.flush();
    } finally {
      encoder.drop();
      encoder.summary = null;
    }
    summary.addScores({ rows: table.rows, ...scores }, first);
  }
}

/** Rows that are encoded at a time. */
const PART = 8192;

/** Rows `from` to `to` of all planes of `rows` numbers each. */
export function planesOf(values: ArrayLike<number>, rows: number, from: number, to: number): Float64Array {
  const planes = values.length / rows;
  const out = new Float64Array(planes * (to - from));
  for (let k = 0; k < planes; k++)
    for (let i = from; i < to; i++) out[k * (to - from) + i - from] = values[k * rows + i];
  return out;
}
