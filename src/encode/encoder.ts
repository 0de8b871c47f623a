import type { ColumnSpec, ColumnsBatch } from '../../bindings/batch.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { type Coder, type Encoders, missingStage, type Part } from './coder.ts';
import { asCoded, asNumeric, cellError, findColumns, hasField, MEND, refuseAbsent } from './columns.ts';
import { LABEL_RULE, show, textOf } from './label.ts';
import type { CategoricalFeature, NumericFeature, Schema } from './schema.ts';
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
  /** per feature, in the order of the schema; null for numeric and categorical ones */
  readonly coders: readonly (Coder | null)[];
  /** per feature its first column of a batch */
  readonly firstColumns: readonly number[];
  /** features in the order they are written: crosses last */
  readonly #order: readonly number[];
  /** in this order: the field of a record (crosses have none), its value in the last one */
  readonly #fields: readonly string[];
  readonly #values: unknown[];
  /** per feature: the codes of labels; null where a record's entry is the number itself; undefined for others */
  readonly #codes: readonly (Map<string, number> | null | undefined)[];
  /** per categorical feature: the codes of a missing cell and of an unseen value; −1: an error */
  readonly #defaults: readonly (readonly [missing: number, unseen: number])[];
  /** per categorical feature: the last `levels` array seen and its codes; tables of one source share the array */
  readonly #tables: { levels: readonly string[]; codes: Uint32Array }[] = [];
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
    const specs: ColumnSpec[] = [];
    const columns: (readonly string[])[] = [];
    this.coders = features.map((feature) => {
      at.push(specs.length);
      if (feature.kind === 'numeric' || feature.kind === 'categorical') {
        columns.push([(feature as CategoricalFeature).column ?? feature.name]);
        if (feature.kind === 'categorical') specs.push({ kind: 'coded', slots: feature.levels.length + 2 });
        else {
          specs.push({ kind: 'numeric' });
          if (feature.indicator) specs.push({ kind: 'coded', slots: 2 });
        }
        return null;
      }
      const kind = encoders[feature.kind];
      if (!kind) throw missingStage('encoders', `feature ${show(feature.name)} is ${show(feature.kind)}`);
      const coder = kind.make(feature as never, schema, at);
      columns.push(coder.columns);
      specs.push(...coder.specs);
      return coder;
    });
    this.specs = specs;
    this.slots = countSlots(specs);
    this.firstColumns = at;
    this.#codes = features.map((feature) => {
      if (feature.kind !== 'categorical') return feature.kind === 'numeric' && !feature.indicator ? null : undefined;
      const { levels, rare = [] } = feature;
      return new Map([
        ...levels.map((level, code) => [level, code] as const),
        ...rare.map((level) => [level, levels.length + 1] as const),
      ]);
    });
    this.#defaults = features.map((feature) =>
      feature.kind === 'categorical' ? [defaultCode(feature, 'missing'), defaultCode(feature, 'unseen')] : [0, 0],
    );
    const order = features.map((_, i) => i);
    order.sort((i, j) => columns[j].length - columns[i].length);
    this.#order = order;
    this.#fields = order.flatMap((i) => columns[i]);
    this.#values = order.map(() => null);
    this.sources = this.#fields.length;
    const places = new Map<string, number>();
    this.#places = columns.map((own) => own.map((name) => places.get(name) ?? places.set(name, places.size).size - 1));
    this.#names = [...places.keys()];
    this.#own = this.#names.filter((name) => name in Object.prototype);
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
      const feature = this.schema.features[i];
      const own = this.#places[i].map((place) => columns[place]);
      const at = this.firstColumns[i];
      if (feature.kind === 'numeric') {
        const column = asNumeric(own[0], rows, firstRow);
        writeNumbers(column, rows, firstRow, batch.numeric(at), standardize ? feature : null, feature.mean);
        if (feature.indicator) {
          const flags = batch.codes(at + 1);
          for (let row = 0; row < rows; row++) flags[row] = column.missing?.[row] ? 1 : 0;
        }
        countMissing(column, rows, defaulted);
      } else if (feature.kind === 'categorical') this.#writeCodes(i, feature, own[0], part, batch.codes(at));
      else this.coders[i]!.write(own, part, at);
    }
  }

  #writeCodes(
    index: number,
    feature: CategoricalFeature,
    column: Column,
    { rows, firstRow, defaulted }: Part,
    out: Uint8Array | Uint16Array | Uint32Array,
  ): void {
    const { codes, levels, missing } = asCoded(column, rows, firstRow);
    const [gap, unseen] = this.#defaults[index];
    const last = this.#tables[index];
    let table = last?.codes;
    if (last?.levels !== levels || table.length !== levels.length + 1) {
      const codeOf = this.#codes[index]!;
      // of each level its code, and of a code beyond them: unseen
      table = Uint32Array.from([...levels.map((level) => codeOf.get(level) ?? UNKNOWN), UNKNOWN]);
      this.#tables[index] = { levels, codes: table };
    }
    for (let i = 0; i < rows; i++) {
      const isMissing = missing ? missing[i] !== 0 : false;
      const slot = isMissing ? UNKNOWN : table[Math.min(codes[i], levels.length)];
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

  /**
   * Writes one entry per spec: the raw number, or the slot of the feature as its offset in the column.
   * null and undefined are missing values. Numbers may be bigint; text is not converted to numbers.
   * @param out  length specs.length
   * @returns how many features took a default because their value was missing, unseen or out of range
   * @throws ERR_SCHEMA when fields are absent (all are named)
   * @throws ERR_RECORD when a value cannot be used
   */
  encodeRecord(record: Readonly<Record<string, unknown>>, out: Float64Array): number {
    const order = this.#order;
    const values = this.#values;
    let defaults = 0;
    if (typeof record !== 'object' || record === null || this.#own.length > 0) this.#refuseAbsent(record, this.#own);
    readFields(record, this.#fields, values);
    for (let turn = 0; turn < order.length; turn++) {
      const value = values[turn];
      const i = order[turn];
      const codes = this.#codes[i];
      const at = this.firstColumns[i];
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
      if (value === undefined && !(this.#fields[turn] in record)) this.#refuseAbsent(record, this.#names);
      const feature = this.schema.features[i];
      const missing = value === undefined || value === null;
      if (feature.kind === 'numeric') {
        out[at] = missing ? feature.mean : recordNumber(feature.name, value);
        if (feature.indicator) out[at + 1] = Number(missing);
        defaults += Number(missing);
      } else if (feature.kind === 'categorical') defaults += this.#writeCode(i, feature, value, missing, out, at);
      else defaults += this.coders[i]!.writeRecord(value, out, at);
    }
    return defaults;
  }

  #writeCode(
    index: number,
    feature: CategoricalFeature,
    value: unknown,
    missing: boolean,
    out: Float64Array,
    at: number,
  ): number {
    const label = missing ? '' : textOf(value);
    if (label === null) throw cellError(null, feature.column ?? feature.name, LABEL_RULE, value, NULL);
    const known = missing ? undefined : this.#codes[index]!.get(label);
    const code = known ?? this.#defaults[index][missing ? 0 : 1];
    if (code < 0) throw defaultError(null, feature, value, missing);
    out[at] = code;
    return known === undefined ? 1 : 0;
  }

  #refuseAbsent(record: object, names: readonly string[]): void {
    if (typeof record !== 'object' || record === null) {
      throw new LogoddsError('ERR_RECORD', `record: expected an object, got ${show(record)}`);
    }
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
  for (; i < length - 20; i++) values[i] = record[names[i]];
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

/** Weights that a batch of these columns takes, the intercept not counted. */
export function countSlots(specs: readonly ColumnSpec[]): number {
  return specs.reduce((sum, spec) => sum + (spec.kind === 'numeric' ? 1 : spec.slots), 0);
}

/** Adds 1 to `defaulted` where a cell is missing. */
export function countMissing({ missing }: Column, rows: number, defaulted: Uint16Array | null): void {
  if (missing && defaulted) for (let i = 0; i < rows; i++) defaulted[i] += missing[i];
}

/** of a level that the feature does not have */
export const UNKNOWN = 0xffffffff;

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
  { name, levels, column }: { readonly name: string; readonly levels: readonly string[]; readonly column?: string },
  value: unknown,
  missing = false,
): LogoddsError {
  if (missing) return cellError(row, column ?? name, 'a value', null, 'give one');
  const rule = `one of the ${levels.length} levels seen in training`;
  return cellError(row, column ?? name, rule, value, 'correct it, or train with a slot for it');
}
