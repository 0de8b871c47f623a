import type { ColumnSpec, ColumnsBatch } from '../../bindings/columnsBatch.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { show } from '../messages.ts';
import { type Coder, type Counts, type Encoders, missingStage, OUTSIDE, type Part, sourceOf } from './coder.ts';
import { all, asCoded, asNumeric, cellError, findColumns, hasField, MEND, refuseAbsent } from './columns.ts';
import { LABEL_RULE, textOf } from './label.ts';
import { readRecord } from './recordReads.ts';
import type { CategoricalFeature, Feature, NumericFeature, Schema } from './schema.ts';
import type { Column, NumericColumn, Table } from './table.ts';
import type { Turn } from './turn.ts';

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

const NULL = 'use null for a missing value';

const PLACES = 128;

// shared by all that have none: a model of numbers makes hundreds
const NO_CODES: Turn['codes'] = new Map();
const NONE: never[] = [];
const NO_SLOTS = new Uint32Array(0);

/** A place from the length of a label and its last character. */
const placeOf = (label: string): number => (label.charCodeAt(label.length - 1) + 16 * label.length) & (PLACES - 1);

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
export class Encoder {
  readonly schema: Schema;
  /** the columns of a batch, in order */
  readonly specs: readonly ColumnSpec[];
  /** number of slots of all columns; a parameter vector has one more number, the intercept */
  readonly slots: number;
  /** number of features that can take a default; crosses are made of other features and do not count */
  readonly sources: number;
  /** for each feature of the schema its coder; null for numeric and categorical features */
  readonly coders: readonly (Coder | null)[];
  /** for each feature of the schema its first column in a batch */
  readonly firstColumns: readonly number[];
  /** the features that read a field @internal */
  readonly turns: readonly Turn[];
  /** crosses, which read what the others wrote: they are written last @internal */
  readonly crosses: readonly Turn[];
  /** the fields of `turns` */
  readonly #fields: readonly string[];
  /** fields that every object has from its prototype must be its own */
  readonly #own: readonly string[];
  /** whether it read a record: for the first alone, compiling `readRecord` takes longer than it saves */
  #read: boolean | undefined;

  /**
   * The schema is not checked: `inferSchema` makes valid ones, and `loadModel` checks.
   * @param encoders  coders of kinds beyond numeric and categorical
   */
  constructor(schema: Schema, encoders: Encoders = {}) {
    this.schema = schema;
    const specs: ColumnSpec[] = [];
    const firstColumns: number[] = [];
    const turns = schema.features.map((feature): Turn => {
      const at = specs.length;
      firstColumns.push(at);
      const { kind, name } = feature;
      let field = sourceOf(feature);
      let coder: Coder | null = null;
      let codes = NO_CODES;
      let guesses: [label: string, code: number][] = NONE;
      let gap = 0;
      let unseen = 0;
      if (kind === 'numeric') {
        specs.push({ kind });
        if (feature.indicator) specs.push({ kind: 'coded', slots: 2 });
      } else if (kind === 'categorical') {
        const { length } = feature.levels;
        specs.push({ kind: 'coded', slots: length + 2 });
        const levels = feature.levels.map((level, code): [string, number] => [level, code]);
        for (const level of feature.rare ?? []) levels.push([level, length + 1]);
        codes = new Map(levels);
        guesses = new Array(PLACES);
        for (const pair of levels) guesses[placeOf(pair[0])] ??= pair;
        gap = defaultCode(feature, 'missing');
        unseen = defaultCode(feature, 'unseen');
      } else {
        const encoder = encoders[kind];
        if (!encoder?.make) throw missingStage('encoders', `feature ${show(name)} is ${show(kind)}`);
        coder = encoder.make(feature as never, schema, firstColumns);
        [field] = coder.columns;
        specs.push(...coder.specs);
      }
      const plain = kind === 'numeric' && !feature.indicator;
      const low = plain ? feature.min : 1;
      const high = plain ? feature.max : 0;
      return { guesses, feature, coder, at, field, low, high, codes, gap, unseen, seen: NONE, table: NO_SLOTS };
    });
    this.specs = Object.freeze(specs);
    this.slots = countSlots(specs);
    this.firstColumns = firstColumns;
    this.coders = turns.map(({ coder }) => coder);
    const reads = ({ field }: Turn): boolean => field !== undefined;
    this.turns = turns.filter(reads);
    this.crosses = turns.filter((turn) => !reads(turn));
    this.#fields = this.turns.map(({ field }) => field);
    this.sources = this.#fields.length;
    this.#own = this.#fields.filter((name) => name in Object.prototype);
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
    const found = findColumns(table, this.#fields, firstRow);
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
  encodeRecord(record: Readonly<Record<string, unknown>>, out: Float64Array): number {
    if (typeof record !== 'object' || record === null || this.#own.length > 0) this.expect(record, this.#own);
    let defaults = 0;
    try {
      defaults = this.#read ? readRecord(this, this.turns, record, out) : this.#first(record, out);
      const crosses = this.crosses;
      // for…of takes 2 % of the time of a record
      for (let i = 0; i < crosses.length; i++) defaults += crosses[i].coder!.writeRecord(null, out, crosses[i].at);
    } catch (error) {
      // all that is wrong with it, not the first field only
      if ((error as LogoddsError).code === 'ERR_RECORD')
        all(this.turns, (turn) => this.put(turn, record, record[turn.field], out));
      throw error;
    }
    // most records have none
    const outside = defaults < OUTSIDE ? 0 : Math.floor(defaults / OUTSIDE);
    out[this.specs.length] = outside;
    return defaults - outside * OUTSIDE;
  }

  /** As `readRecord`. */
  #first(record: Readonly<Record<string, unknown>>, out: Float64Array): number {
    this.#read = true;
    return this.turns.reduce((defaults, turn) => defaults + this.put(turn, record, record[turn.field], out), 0);
  }

  /** @returns as `Coder.writeRecord` @internal */
  put(turn: Turn, record: object, value: unknown, out: Float64Array): number {
    const { codes, at } = turn;
    let code: number | undefined;
    if (typeof value === 'string') {
      const guess = turn.guesses[placeOf(value)];
      code = guess?.[0] === value ? guess[1] : codes.get(value);
    }
    if (code !== undefined) {
      out[at] = code;
      return 0;
    }
    const { feature, coder, field } = turn;
    const missing = value == null;
    if (value === undefined && !(field in record)) this.expect(record, this.#fields);
    if (coder) return coder.writeRecord(value, out, at);
    if (feature.kind === 'numeric') {
      const x = missing ? feature.mean : recordNumber(field, value);
      out[at] = x;
      if (feature.indicator) out[at + 1] = Number(missing);
      return missing ? 1 : x < feature.min || x > feature.max ? OUTSIDE : 0;
    }
    const label = missing ? '' : textOf(value);
    if (label === null) throw cellError(null, field, LABEL_RULE, value, NULL);
    code = missing ? undefined : codes.get(label);
    out[at] = code ?? (missing ? turn.gap : turn.unseen);
    if (out[at] < 0) throw defaultError(null, feature as CategoricalFeature, value, missing);
    return code === undefined ? 1 : 0;
  }

  /** @throws ERR_SCHEMA when a record lacks some of these fields, ERR_RECORD when it is none @internal */
  expect(record: object, names: readonly string[]): void {
    if (typeof record !== 'object' || record === null) {
      throw new LogoddsError(
        'ERR_RECORD',
        `record: expected an object, got ${record === null ? record : typeof record}`,
      );
    }
    refuseAbsent(
      'record',
      names.filter((name) => !hasField(record, name)),
      Object.keys(record),
    );
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
  for (let k = few ? rows : length; k-- > 0; ) {
    const at = few ? Math.min(codes[k], length) : k;
    const level = levels[at];
    if (seen[at] === level) continue;
    table[at] = turn.codes.get(level) ?? UNKNOWN;
    seen[at] = level;
  }
  // of a code beyond the levels
  table[length] = UNKNOWN;
  seen[length] = undefined;
  const out = batch.codes(turn.at);
  for (let i = 0; i < rows; i++) {
    const isMissing = missing ? missing[i] !== 0 : false;
    const slot = isMissing ? UNKNOWN : table[Math.min(codes[i], length)];
    if (slot !== UNKNOWN) {
      out[i] = slot;
      continue;
    }
    const code = isMissing ? gap : unseen;
    if (code < 0) throw defaultError(firstRow + i, feature, isMissing ? null : levels[codes[i]], isMissing);
    out[i] = code;
    if (defaulted) defaulted[i]++;
  }
}

/** Weights that a batch of these columns takes, the intercept not counted. */
export function countSlots(specs: readonly ColumnSpec[]): number {
  return specs.reduce((sum, { slots = 1 }) => sum + slots, 0);
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
  const shift = standard ? standard.mean : 0;
  const scale = standard ? standard.scale : 1;
  const wide = out instanceof Float64Array;
  const plain = wide && !standard;
  let outside = false;
  for (let i = 0; i < rows; i++) {
    const x = missing && missing[i] !== 0 ? mean : values[i];
    out[i] = (x - shift) / scale;
    // nearly all are, and finite
    if (plain && x >= min && x <= max) continue;
    outside = true;
    if (!Number.isFinite(out[i])) {
      const rule = `a finite number${wide ? '' : ' within f32'}`;
      throw cellError(firstRow + i, column.name, rule, missing?.[i] ? null : values[i], MEND);
    }
  }
  // most tables have none
  if (!outOfRange || !outside) return;
  for (let i = 0; i < rows; i++) if ((values[i] < min || values[i] > max) && !missing?.[i]) outOfRange[i]++;
}

/**
 * One number of a record.
 * @throws ERR_RECORD when it is neither a finite number nor a bigint
 */
export function recordNumber(name: string, value: unknown): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw cellError(null, name, 'a finite number', value, NULL);
}

/** The code that a missing cell or an unseen value takes: a slot of its own, the reference level, the most frequent one (the first of several); −1: an error. */
export function defaultCode(
  feature: Pick<CategoricalFeature, 'missing' | 'unseen' | 'reference' | 'counts'> & {
    readonly levels: { readonly length: number };
  },
  of: 'missing' | 'unseen',
): number {
  const { counts, reference } = feature;
  const slots = feature.levels.length;
  const policy = feature[of];
  if (policy === 'error') return -1;
  if (policy === 'slot') return slots + Number(of === 'unseen');
  if (policy === 'baseline' && reference !== null) return reference;
  let most = 0;
  for (let code = 1; code < slots; code++) if (counts[code] > counts[most]) most = code;
  return most;
}

/** ERR_RECORD for a cell where the feature has no default: it is missing, or not among its levels. `row` null is a single record. */
export function defaultError(
  row: number | null,
  feature: Feature & { readonly levels: readonly string[] },
  value: unknown,
  missing = false,
): LogoddsError {
  const field = sourceOf(feature);
  if (missing) return cellError(row, field, 'a value', null, 'give one');
  const rule = `one of the ${feature.levels.length} levels seen in training`;
  return cellError(row, field, rule, value, 'correct it, or train with a slot for it');
}
