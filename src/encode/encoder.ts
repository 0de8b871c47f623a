import type { ColumnSpec, ColumnsBatch } from '../../bindings/batch.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import {
  type Coder,
  type Encoders,
  type FeatureOf,
  missingStage,
  type Part,
  type SlotName,
  type SlotRole,
} from './coder.ts';
import { asCoded, asNumeric, cellError, findColumns, hasField, MEND, refuseAbsent } from './columns.ts';
import { LABEL_RULE, show, textOf } from './label.ts';
import type { CategoricalFeature, Feature, NumericFeature, Schema } from './schema.ts';
import type { Column, NumericColumn, Table } from './table.ts';

export type { SlotName } from './coder.ts';

/** How `Encoder.encode` writes a table into a batch. */
export interface EncodeOptions {
  /** true writes (x − mean)/scale and 0 for a missing cell; false writes x, and the mean for a missing cell */
  readonly standardize: boolean;
  /** number of the table's first row in the whole input, for error messages; 0 when absent */
  readonly firstRow?: number;
  /** length ≥ rows, added to: of each row the features that took a default because a cell was missing, unseen or out of range */
  readonly defaulted?: Uint16Array | null;
}

const NULL = 'use null for a missing value';

type Codes = Uint8Array | Uint16Array | Uint32Array;

/**
 * Turns tables and records into what the kernels read, as a schema says: the one encoder of training and scoring.
 *
 * A numeric feature is one numeric column, and one coded column of two slots (present, missing) when it has an indicator.
 * A categorical feature is one coded column of levels.length + 2 slots: the levels, then missing, then unseen.
 * Other kinds say what they are in `schema.ts`.
 */
export class Encoder {
  readonly schema: Schema;
  /** the columns of a batch, in order */
  readonly specs: readonly ColumnSpec[];
  /** slots of all columns; a parameter vector has one more, the intercept */
  readonly slots: number;
  /** features that may take a default; crosses are made of others */
  readonly sources: number;
  /** per feature, in the order of the schema */
  readonly coders: readonly Coder[];
  /** per feature its first column of a batch */
  readonly firstColumns: readonly number[];
  /** features in the order they are written: crosses last */
  readonly #order: readonly number[];
  /** in this order: the first column, the field of a record (crosses have none), its value in the last one */
  readonly #columns: Int32Array;
  readonly #fields: readonly string[];
  readonly #values: unknown[];
  /** in this order, where an entry is plain to see: the codes of labels, null for a number; undefined for others */
  readonly #known: readonly Coder['codes'][];
  /** columns of a table, fields of a record */
  readonly #names: readonly string[];
  /** per feature the places of its columns among these */
  readonly #places: readonly (readonly number[])[];
  /** fields that every object has from its prototype must be its own */
  readonly #own: readonly string[];

  /**
   * The schema is taken as valid: `inferSchema` makes valid ones and `loadModel` checks.
   * @param encoders  for kinds beyond numeric and categorical
   */
  constructor(schema: Schema, encoders: Encoders = {}) {
    this.schema = schema;
    const { features } = schema;
    const at: number[] = [];
    const index = new Map(features.map(({ name }, i) => [name, i]));
    const featureOf: FeatureOf = (name) => features[index.get(name)!];
    const columnOf = (name: string): number => at[index.get(name)!];
    let columns = 0;
    const coders: Coder[] = [];
    for (const feature of features) {
      const coder = makeCoder(feature, featureOf, encoders, columnOf);
      at.push(columns);
      columns += coder.specs.length;
      coders.push(coder);
    }
    this.coders = coders;
    this.specs = coders.flatMap((coder) => coder.specs);
    this.slots = countSlots(this.specs);
    this.firstColumns = at;
    const cross = (i: number): boolean => coders[i].columns.length === 0;
    const order = features.map((_, i) => i);
    order.sort((i, j) => Number(cross(i)) - Number(cross(j)));
    this.#order = order;
    this.#columns = Int32Array.from(order, (i) => at[i]);
    // the keys of an object are the strings that find a field the fastest
    this.#fields = order.flatMap((i) => coders[i].columns).map((name) => Object.keys({ [name]: 0 })[0]);
    this.#values = order.map(() => null);
    this.#known = order.map((i) => coders[i].codes);
    this.sources = this.#fields.length;
    const names = [...new Set(coders.flatMap((coder) => coder.columns))];
    this.#names = names;
    this.#places = coders.map((coder) => coder.columns.map((name) => names.indexOf(name)));
    this.#own = names.filter((name) => name in Object.prototype);
  }

  /** What each slot stands for, in slot order; computed anew by each call. */
  get slotNames(): SlotName[] {
    return this.coders.flatMap((coder, feature) =>
      coder
        .slots()
        .map(([role, level]): SlotName => ({ feature, name: this.schema.features[feature].name, level, role })),
    );
  }

  /**
   * Writes rows 0 … table.rows − 1 of a batch. Columns are found by name; columns the schema does not know are ignored.
   * A numeric column serves a categorical feature (through `canonicalLabel`), text never serves a numeric one.
   * @param batch  made for `specs`, with at least table.rows rows
   * @throws ERR_SCHEMA absent or duplicate columns, numbers written as text
   * @throws ERR_RECORD a cell that is not finite (in the precision of the batch), not a number, or unseen where the feature says error
   * @throws ERR_SHAPE  a batch with fewer rows than the table, a column shorter than the table
   */
  encode(table: Table, batch: ColumnsBatch, options: EncodeOptions): void {
    const { rows } = table;
    if (batch.rows < rows)
      throw new LogoddsError('ERR_SHAPE', `batch: expected at least ${rows} rows, got ${batch.rows}`);
    const { firstRow = 0, standardize, defaulted = null } = options;
    const columns = findColumns(table, this.#names);
    const part: Part = { rows, firstRow, batch, standardize, defaulted };
    for (const i of this.#order) {
      const own = this.#places[i].map((place) => columns[place]);
      this.coders[i].write(own, part, this.firstColumns[i]);
    }
  }

  /**
   * Writes one entry per spec: the raw number, or the slot of the feature as its offset in the column.
   * null and undefined are missing values. Numbers may be bigint; text is not converted to numbers.
   * @param out  length specs.length
   * @returns how many features took a default because their value was missing, unseen or out of range
   * @throws ERR_SCHEMA when fields are absent (all are named)
   * @throws ERR_RECORD when a value cannot be used
   */
  encodeRecord(record: Readonly<Record<string, unknown>>, out: Float64Array): number {
    const { coders } = this;
    const order = this.#order;
    const columns = this.#columns;
    const known = this.#known;
    const values = this.#values;
    let defaults = 0;
    if (this.#own.length > 0) this.#refuseAbsent(record, this.#own);
    try {
      readFields(record, this.#fields, values);
    } catch (error) {
      throw unreadable(record, this.#fields, error);
    }
    for (let turn = 0; turn < order.length; turn++) {
      const value = values[turn];
      const codes = known[turn];
      const at = columns[turn];
      // most cells are finite numbers, or levels
      if (codes === null) {
        if (typeof value === 'number' && Number.isFinite(value)) {
          out[at] = value;
          continue;
        }
      } else if (codes !== undefined && typeof value === 'string') {
        const code = codes.get(value);
        if (code !== undefined) {
          out[at] = code;
          continue;
        }
      }
      if (value === undefined && !(Object(record) === record && this.#fields[turn] in record))
        this.#refuseAbsent(record, this.#names);
      defaults += coders[order[turn]].writeRecord(value, out, at);
    }
    return defaults;
  }

  #refuseAbsent(record: object, names: readonly string[]): void {
    if (Object(record) !== record) throw noRecord(record);
    refuseAbsent(
      'record',
      names.filter((name) => !hasField(record, name)),
      Object.keys(record),
    );
  }
}

/**
 * values[i] = record[names[i]]. A place of the code that meets one name only remembers where objects of one shape have it.
 */
function readFields(record: Readonly<Record<string, unknown>>, names: readonly string[], values: unknown[]): void {
  const { length } = names;
  let i = 0;
  if (length > 24) for (; i < length - 24; i++) values[i] = record[names[i]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
  if (i < length) values[i] = record[names[i++]];
}

const noRecord = (value: unknown): LogoddsError =>
  new LogoddsError('ERR_RECORD', `record: expected an object, got ${show(value)}; give {field: value, …}`);

/** What is said of a record that threw while it was read. */
function unreadable(record: Readonly<Record<string, unknown>>, names: readonly string[], error: unknown): LogoddsError {
  if (Object(record) !== record) return noRecord(record);
  const name = names.find((field) => {
    try {
      return record[field] && false;
    } catch {
      return true;
    }
  });
  return cellError(null, name ?? names[0], 'a value', error instanceof Error ? error.message : error, 'it cannot be read');
}

/** Weights that a batch of these columns takes, the intercept not counted. */
export function countSlots(specs: readonly ColumnSpec[]): number {
  return specs.reduce((sum, spec) => sum + (spec.kind === 'numeric' ? 1 : spec.slots), 0);
}

function makeCoder(feature: Feature, featureOf: FeatureOf, encoders: Encoders, columnOf: (name: string) => number): Coder {
  if (feature.kind === 'numeric') return new NumericCoder(feature);
  if (feature.kind === 'categorical') return new CategoricalCoder(feature);
  const kind = encoders[feature.kind];
  if (!kind) throw missingStage('encoders', `feature ${show(feature.name)} is ${show(feature.kind)}`);
  return kind.make(feature as never, featureOf, columnOf);
}

class NumericCoder implements Coder {
  readonly columns: readonly string[];
  readonly specs: readonly ColumnSpec[];
  readonly means: readonly number[];
  readonly scales: readonly number[];
  readonly #feature: NumericFeature;
  readonly codes: null | undefined;

  constructor(feature: NumericFeature) {
    this.#feature = feature;
    this.columns = [feature.name];
    this.specs = feature.indicator ? [{ kind: 'numeric' }, { kind: 'coded', slots: 2 }] : [{ kind: 'numeric' }];
    this.means = [feature.mean];
    this.scales = [feature.scale];
    if (!feature.indicator) this.codes = null;
  }

  slots(): [SlotRole, string | null][] {
    return [['number', null], ...(this.#feature.indicator ? INDICATOR : [])];
  }

  write([source]: readonly Column[], { rows, firstRow, batch, standardize, defaulted }: Part, at: number): void {
    const feature = this.#feature;
    const column = asNumeric(source, rows, firstRow);
    writeNumbers(column, rows, firstRow, batch.numeric(at), standardize ? feature : null, feature.mean);
    if (feature.indicator) writeFlags(column, rows, batch.codes(at + 1));
    countMissing(column, rows, defaulted);
  }

  writeRecord(value: unknown, out: Float64Array, at: number): number {
    const { name, mean, indicator } = this.#feature;
    const missing = value === undefined || value === null;
    out[at] = missing ? mean : recordNumber(name, value);
    if (indicator) out[at + 1] = missing ? 1 : 0;
    return missing ? 1 : 0;
  }
}

/** Slots of a column that says whether a cell is missing. */
export const INDICATOR: readonly [SlotRole, string][] = [
  ['present', '(present)'],
  ['missing', '(missing)'],
];

/** Adds 1 to `defaulted` where a cell is missing. */
export function countMissing({ missing }: Column, rows: number, defaulted: Uint16Array | null): void {
  if (missing && defaulted) for (let i = 0; i < rows; i++) defaulted[i] += missing[i];
}

class CategoricalCoder implements Coder {
  readonly columns: readonly string[];
  readonly specs: readonly ColumnSpec[];
  readonly means = [];
  readonly scales = [];
  readonly #feature: CategoricalFeature;
  readonly codes: Map<string, number>;
  /** the code of a missing cell, of an unseen value; −1: an error */
  readonly #gap: number;
  readonly #unseen: number;
  /** the last `levels` array seen and its codes; tables of one source share the array */
  #levels: readonly string[] | null = null;
  #table = new Uint32Array(0);

  constructor(feature: CategoricalFeature) {
    const { levels, rare } = feature;
    this.#feature = feature;
    this.columns = [feature.column ?? feature.name];
    this.specs = [{ kind: 'coded', slots: levels.length + 2 }];
    this.codes = new Map(levels.map((level, code) => [level, code]));
    for (const level of rare ?? []) this.codes.set(level, levels.length + 1);
    this.#gap = defaultCode(feature, 'missing');
    this.#unseen = defaultCode(feature, 'unseen');
  }

  slots(): [SlotRole, string | null][] {
    return levelSlots(this.#feature);
  }

  write([source]: readonly Column[], { rows, firstRow, batch, defaulted }: Part, at: number): void {
    const out = batch.codes(at);
    const { codes, levels, missing } = asCoded(source, rows, firstRow);
    const unseen = this.#unseen;
    const gap = this.#gap;
    // of each level its code, and of a code beyond them −1: unseen
    if (this.#levels !== levels || this.#table.length !== levels.length + 1) {
      this.#table = Uint32Array.from([...levels.map((level) => this.codes.get(level) ?? UNKNOWN), UNKNOWN]);
      this.#levels = levels;
    }
    const table = this.#table;
    for (let i = 0; i < rows; i++) {
      if (missing && missing[i] !== 0) {
        if (gap < 0) throw cellError(firstRow + i, this.columns[0], 'a value', null, MEND);
        out[i] = gap;
        if (defaulted) defaulted[i]++;
        continue;
      }
      const slot = table[Math.min(codes[i], levels.length)];
      if (slot !== UNKNOWN) out[i] = slot;
      else {
        if (unseen < 0) throw unseenError(firstRow + i, this.#feature, levels[codes[i]]);
        out[i] = unseen;
        if (defaulted) defaulted[i]++;
      }
    }
  }

  writeRecord(value: unknown, out: Float64Array, at: number): number {
    if (value === undefined || value === null) {
      if (this.#gap < 0) throw cellError(null, this.columns[0], 'a value', value, 'give one');
      out[at] = this.#gap;
      return 1;
    }
    const label = textOf(value);
    if (label === null) throw cellError(null, this.columns[0], LABEL_RULE, value, NULL);
    const code = this.codes.get(label);
    if (code !== undefined) {
      out[at] = code;
      return 0;
    }
    if (this.#unseen < 0) throw unseenError(null, this.#feature, value);
    out[at] = this.#unseen;
    return 1;
  }
}

/** of a level that the feature does not have */
export const UNKNOWN = 0xffffffff;

/** Slots of a feature of levels. */
export function levelSlots({
  levels,
  reference,
  rare,
}: Pick<CategoricalFeature, 'levels' | 'reference' | 'rare'>): [SlotRole, string | null][] {
  return [
    ...levels.map((level, code): [SlotRole, string] => [code === reference ? 'reference' : 'level', level]),
    ['missing', '(missing)'],
    ['unseen', rare ? '(other)' : '(unseen)'],
  ];
}

/**
 * Copies numbers, optionally standardised; a missing cell takes the mean, or 0 when standardised.
 * @param mean  of a missing cell; NaN makes a missing cell an error
 * @throws ERR_RECORD when a number written is not finite in the precision of `out`
 */
export function writeNumbers(
  column: NumericColumn,
  rows: number,
  firstRow: number,
  out: Float64Array | Float32Array,
  standard: Pick<NumericFeature, 'mean' | 'scale'> | null,
  mean: number,
): void {
  const { values, missing } = column;
  const shift = standard ? standard.mean : 0;
  const scale = standard ? standard.scale : 1;
  for (let i = 0; i < rows; i++) {
    out[i] = ((missing && missing[i] !== 0 ? mean : values[i]) - shift) / scale;
    if (!Number.isFinite(out[i])) {
      const rule = out instanceof Float32Array ? 'a finite number within f32' : 'a finite number';
      throw cellError(firstRow + i, column.name, rule, missing?.[i] ? null : values[i], MEND);
    }
  }
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

export function writeFlags({ missing }: { readonly missing?: Uint8Array | null }, rows: number, out: Codes): void {
  for (let i = 0; i < rows; i++) out[i] = missing && missing[i] !== 0 ? 1 : 0;
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

export function unseenError(
  row: number | null,
  { name, levels, column }: { readonly name: string; readonly levels: readonly string[]; readonly column?: string },
  value: unknown,
): LogoddsError {
  const rule = `one of the ${levels.length} levels seen in training`;
  const got = value === undefined ? 'a level without a name' : value;
  return cellError(row, column ?? name, rule, got, `correct it, or train with a slot for unseen values`);
}
