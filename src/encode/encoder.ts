import type { ColumnSpec, ColumnsBatch } from '../../bindings/columnsBatch.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { type Coder, type Counts, type Encoders, OUTSIDE, type Part } from './coder.ts';
import { all, asCoded, asNumeric, cellError, findColumns, MEND } from './columns.ts';
import { readRecord } from './recordReads.ts';
import type { CategoricalFeature, NumericFeature, Schema } from './schema.ts';
import type { Column, NumericColumn, Table } from './table.ts';
import { defaultError, expectFields, type Fields, put, type Turn, type Turns, turnsOf } from './turn.ts';

export type { SlotName } from './coder.ts';

/** How `Encoder.encode` writes a table into a batch. */
export interface EncodeOptions {
  /** true writes (x − mean)/scale, and 0 for a missing cell; false writes x, and the mean for a missing cell */
  readonly standardize: boolean;
  /** number of the table's first row in the whole input, for error messages; default 0 */
  readonly firstRow?: number;
  /**
   * length ≥ rows. **It is added to:** each row's number of features that took a default because a cell was missing, unseen or out of range.
   */
  readonly defaulted?: Counts | null;
  /**
   * length ≥ rows. **It is added to:** each row's number of features whose number is taken as it is but lies outside the training range.
   */
  readonly outOfRange?: Counts | null;
}

/**
 * Turns tables and records into what the kernels read, as a schema says. Training and scoring use the same encoder.
 *
 * A numeric feature is one numeric column, and one more coded column of two slots (present, missing) when it has an indicator. A categorical
 * feature is one coded column of levels.length + 2 slots: the levels, then missing, then unseen. The types of `Feature` describe other kinds.
 * @example
 * const encoder = new Encoder(inferSchema(table, { exclude: ['late'], coding: 'onehot' }));
 * const out = new Float64Array(encoder.specs.length);
 * encoder.encodeRecord(flight, out); // 0
 * out; // [1200, 1]
 * encoder.slots; // 6
 */
export class Encoder implements Turns {
  readonly schema!: Schema;
  readonly specs!: readonly ColumnSpec[];
  readonly slots!: number;
  readonly offsets!: readonly number[];
  readonly firstColumns!: readonly number[];
  readonly coders!: readonly (Coder | null)[];
  readonly sources!: number;
  /** @internal */
  readonly turns!: readonly Turn[];
  /** @internal */
  readonly fields!: readonly string[];
  /** @internal */
  readonly crosses!: readonly Turn[];
  /** fields that every object has from its prototype must be its own */
  readonly #own: readonly string[];
  /** whether it read a record: for the first alone, compiling `readRecord` takes longer than it saves */
  #read: boolean | undefined;

  /**
   * The schema is not checked: `inferSchema` makes valid ones, and `loadModel` checks.
   * @param encoders  coders of kinds beyond numeric and categorical
   */
  constructor(schema: Schema, encoders: Encoders = {}) {
    Object.assign(this, turnsOf(schema, encoders));
    this.#own = this.fields.filter((name) => name in Object.prototype);
  }

  /**
   * Writes the rows of a table into rows 0 … table.rows − 1 of a batch. Columns are found by name; columns that the schema does not have are ignored.
   * A numeric column serves a categorical feature (through `canonicalLabel`); text never serves a numeric feature.
   * @param batch  made for `specs`, with at least table.rows rows
   * @throws ERR_SCHEMA absent or duplicate columns, numbers written as text
   * @throws ERR_RECORD a cell that is not finite (in the precision of the batch), is not a number, or is unseen where the feature forbids it
   * @throws ERR_SHAPE  a batch with fewer rows than the table, a column shorter than the table
   */
  encode(table: Table, batch: ColumnsBatch, options: EncodeOptions): void {
    const { rows } = table;
    if (batch.rows < rows)
      throw new LogoddsError('ERR_SHAPE', `batch: expected at least ${rows} rows, got ${batch.rows}`);
    const { firstRow = 0, standardize, defaulted = null, outOfRange = null } = options;
    const found = findColumns(table, this.fields, firstRow);
    const part: Part = { rows, firstRow, batch, standardize, defaulted, outOfRange };
    const write = (turn: Turn, i: number): void => {
      const { feature, at } = turn;
      if (feature.kind === 'numeric') {
        const column = asNumeric(found[i], rows, firstRow);
        const standard = standardize ? feature : null;
        writeNumbers(column, rows, firstRow, batch.numeric(at), standard, feature.mean, feature, outOfRange);
        if (feature.indicator) {
          const flags = batch.codes(at + 1);
          for (let row = 0; row < rows; row++) flags[row] = column.missing?.[row] ? 1 : 0;
        }
        countMissing(column, rows, defaulted);
      } else if (feature.kind === 'categorical') writeCodes(turn, feature, found[i], part);
      else turn.coder!.write([found[i]], part, at);
    };
    all(this.turns, write);
    all(this.crosses, write);
  }

  /**
   * Writes one number for each column of `specs`: the raw number, or the code, which is the slot counted from the column's first one.
   * null and undefined are missing values. Numbers may be bigints. Text is not converted to numbers.
   * @param out  **written;** length specs.length; one more entry, if present, takes the number of values outside the training range
   * @returns the number of features that took a default because their value was missing, unseen or outside the range of the schema
   * @throws ERR_SCHEMA when fields are absent (all are named)
   * @throws ERR_RECORD when values cannot be used; its `problems` name all of them
   */
  encodeRecord(record: Fields, out: Float64Array): number {
    if (typeof record !== 'object' || record === null || this.#own.length > 0) expectFields(record, this.#own);
    let defaults = 0;
    try {
      defaults = this.#read ? readRecord(this.turns, record, out) : this.#first(record, out);
      const crosses = this.crosses;
      // for…of takes 2 % of the time of a record
      for (let i = 0; i < crosses.length; i++) crosses[i].coder!.writeRecord(null, out, crosses[i].at);
    } catch (error) {
      // all that is wrong with it, not the first field only
      if ((error as LogoddsError).code === 'ERR_RECORD')
        all(this.turns, (turn) => put(turn, record, record[turn.field], out));
      throw error;
    }
    const outside = Math.floor(defaults / OUTSIDE);
    out[this.specs.length] = outside;
    return defaults - outside * OUTSIDE;
  }

  /** As `readRecord`. */
  #first(record: Fields, out: Float64Array): number {
    this.#read = true;
    return this.turns.reduce((defaults, turn) => defaults + put(turn, record, record[turn.field], out), 0);
  }
}

function writeCodes(
  turn: Turn,
  feature: CategoricalFeature,
  column: Column,
  { rows, firstRow, batch, defaulted }: Part,
): void {
  const { codes, levels, missing } = asCoded(column, rows, firstRow);
  const { gap, unseen } = turn;
  const { length } = levels;
  if (turn.table.length <= length) {
    turn.seen = new Array(length + 1);
    turn.table = new Uint32Array(length + 1).fill(UNKNOWN);
  }
  const { seen, table } = turn;
  // by what the levels are now: dictionaries are shared, and changed in place. Of a long one those that the rows have
  const few = rows < length;
  // whether each code is the slot of its level, as the command reads them
  let same = !missing;
  for (let k = few ? rows : length; k-- > 0; ) {
    const at = few ? Math.min(codes[k], length) : k;
    const level = levels[at];
    if (seen[at] !== level) {
      table[at] = turn.codes.get(level) ?? UNKNOWN;
      seen[at] = level;
    }
    if (table[at] !== at) same = false;
  }
  // of a code beyond the levels
  table[length] = UNKNOWN;
  seen[length] = undefined;
  const out = batch.codes(turn.at);
  let i = 0;
  if (same) {
    while (i < rows && codes[i] < length) i++;
    out.set(codes.subarray(0, i));
  }
  for (; i < rows; i++) {
    const isMissing = !!missing?.[i];
    let slot = isMissing ? UNKNOWN : table[Math.min(codes[i], length)];
    if (slot === UNKNOWN) {
      slot = isMissing ? gap : unseen;
      if (slot < 0) throw defaultError(firstRow + i, feature, isMissing ? null : levels[codes[i]], isMissing);
      if (defaulted) defaulted[i]++;
    }
    out[i] = slot;
  }
}

/** Adds 1 to `defaulted` where a cell is missing. */
export function countMissing({ missing }: Column, rows: number, defaulted: Counts | null): void {
  if (missing && defaulted) for (let i = 0; i < rows; i++) defaulted[i] += missing[i];
}

/** of a level that the feature does not have */
export const UNKNOWN = 0xffffffff;

/** nothing is below or above */
const NOWHERE = { min: Number.NaN, max: Number.NaN };

/**
 * Copies numbers, optionally standardised; a missing cell takes the mean, or 0 when standardised.
 * @param mean  of a missing cell; NaN makes a missing cell an error
 * @param range  of training; absent: none
 * @param outOfRange  length ≥ rows, added to: numbers beyond it
 * @throws ERR_RECORD when a number written is not finite in the precision of `out`
 */
export function writeNumbers(
  column: NumericColumn,
  rows: number,
  firstRow: number,
  out: Float64Array | Float32Array,
  standard: Pick<NumericFeature, 'mean' | 'scale'> | null,
  mean: number,
  { min, max }: Pick<NumericFeature, 'min' | 'max'> = NOWHERE,
  outOfRange: Counts | null = null,
): void {
  const { values, missing } = column;
  // 0 while all are finite
  let lost = 0;
  for (let i = 0; i < rows; i++) {
    const x = missing?.[i] ? mean : values[i];
    out[i] = standard ? (x - standard.mean) / standard.scale : x;
    lost += out[i] - out[i];
    if ((x < min || x > max) && outOfRange && !missing?.[i]) outOfRange[i]++;
  }
  if (lost !== 0) {
    const i = out.findIndex((x) => x - x !== 0);
    const rule = `a finite number${out instanceof Float64Array ? '' : ' within f32'}`;
    throw cellError(firstRow + i, column.name, rule, missing?.[i] ? null : values[i], MEND);
  }
}
