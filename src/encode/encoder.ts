import type { ColumnSpec, ColumnsBatch } from '../../bindings/batch.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { asCoded, asNumeric, cellError, findColumns, MEND, refuseAbsent } from './columns.ts';
import { LABEL_RULE, labelOf } from './label.ts';
import type { CategoricalFeature, NumericFeature, Schema } from './schema.ts';
import type { CodedColumn, NumericColumn, Table } from './table.ts';

/** What one slot (one weight) of the encoded data stands for. */
export interface SlotName {
  /** index into `schema.features` */
  readonly feature: number;
  /** name of that feature */
  readonly name: string;
  /** the level; "(missing)", "(unseen)", "(present)" for slots of that role; null for a number */
  readonly level: string | null;
  readonly role: 'number' | 'level' | 'reference' | 'present' | 'missing' | 'unseen';
}

/** How `Encoder.encode` writes a table into a batch. */
export interface EncodeOptions {
  /** true writes (x − mean)/scale and 0 for a missing cell; false writes x, and the mean for a missing cell */
  readonly standardize: boolean;
  /** number of the table's first row in the whole input, for error messages; 0 when absent */
  readonly firstRow?: number;
}

/** The columns of a batch that a schema asks for, in order. */
export function columnSpecs(schema: Schema): ColumnSpec[] {
  return schema.features.flatMap((feature): ColumnSpec[] => {
    if (feature.kind === 'categorical') return [{ kind: 'coded', slots: feature.levels.length + 2 }];
    return feature.indicator ? [{ kind: 'numeric' }, { kind: 'coded', slots: 2 }] : [{ kind: 'numeric' }];
  });
}

/** Weights that a batch of these columns takes, the intercept not counted. */
export function countSlots(specs: readonly ColumnSpec[]): number {
  return specs.reduce((sum, spec) => sum + (spec.kind === 'numeric' ? 1 : spec.slots), 0);
}

const NULL = 'use null for a missing value';

type Codes = Uint8Array | Uint16Array | Uint32Array;

/**
 * Turns tables and records into what the kernels read, as a schema says: the one encoder of training and scoring.
 *
 * A numeric feature is one numeric column, and one coded column of two slots (present, missing) when it has an indicator.
 * A categorical feature is one coded column of levels.length + 2 slots: the levels, then missing, then unseen.
 */
export class Encoder {
  readonly schema: Schema;
  /** the columns of a batch, in order */
  readonly specs: readonly ColumnSpec[];
  /** slots of all columns; a parameter vector has one more, the intercept */
  readonly slots: number;
  readonly #names: readonly string[];
  /** per feature: level → code, null for a numeric feature */
  readonly #codes: readonly (Map<string, number> | null)[];
  /** per feature: the code of a missing cell */
  readonly #gaps: readonly number[];
  /** per feature: the last `levels` array seen and its codes; tables of one source share the array */
  readonly #tables: { levels: readonly string[]; codes: Uint32Array }[] = [];

  /** The schema is taken as valid: `inferSchema` makes valid ones and `loadModel` checks. */
  constructor(schema: Schema) {
    this.schema = schema;
    this.specs = columnSpecs(schema);
    this.slots = countSlots(this.specs);
    this.#names = schema.features.map((feature) => feature.name);
    this.#codes = schema.features.map((feature) =>
      feature.kind === 'numeric' ? null : new Map(feature.levels.map((level, code) => [level, code])),
    );
    this.#gaps = schema.features.map((feature) => (feature.kind === 'numeric' ? 1 : missingCode(feature)));
  }

  /** What each slot stands for, in slot order; computed anew by each call. */
  get slotNames(): SlotName[] {
    return this.schema.features.flatMap(({ name, ...rest }, feature): SlotName[] => {
      const slot = (role: SlotName['role'], level: string | null): SlotName => ({ feature, name, level, role });
      const missing = slot('missing', '(missing)');
      if (rest.kind === 'categorical') {
        const levels = rest.levels.map((level, code) => slot(code === rest.reference ? 'reference' : 'level', level));
        return [...levels, missing, slot('unseen', '(unseen)')];
      }
      return [slot('number', null), ...(rest.indicator ? [slot('present', '(present)'), missing] : [])];
    });
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
    const firstRow = options.firstRow ?? 0;
    const columns = findColumns(table, this.#names);
    let at = 0;
    this.schema.features.forEach((feature, index) => {
      if (feature.kind === 'numeric') {
        const column = asNumeric(columns[index], rows, firstRow);
        writeNumbers(column, rows, firstRow, batch.numeric(at++), options.standardize ? feature : null, feature.mean);
        if (feature.indicator) writeFlags(column, rows, batch.codes(at++));
      } else {
        this.#writeCodes(index, feature, asCoded(columns[index], rows, firstRow), rows, firstRow, batch.codes(at++));
      }
    });
  }

  /**
   * Writes one entry per spec: the raw number, or the slot of the feature as its offset in the column.
   * null and undefined are missing values. Numbers may be bigint; text is not converted to numbers.
   * @param out  length specs.length
   * @throws ERR_SCHEMA when fields are absent (all are named)
   * @throws ERR_RECORD when a value cannot be used
   */
  encodeRecord(record: Readonly<Record<string, unknown>>, out: Float64Array): void {
    const { features } = this.schema;
    let at = 0;
    for (let index = 0; index < features.length; index++) {
      const feature = features[index];
      const { name } = feature;
      const value = record[name];
      if (value === undefined && !(name in record)) {
        const absent = this.#names.filter((other) => !(other in record));
        refuseAbsent('record', absent, Object.keys(record));
      }
      const missing = value === undefined || value === null;
      if (feature.kind === 'numeric') {
        out[at++] = missing ? feature.mean : recordNumber(name, value);
        if (feature.indicator) out[at++] = missing ? 1 : 0;
      } else {
        out[at++] = missing ? this.#gaps[index] : this.#recordCode(index, feature, value);
      }
    }
  }

  #recordCode(index: number, feature: CategoricalFeature, value: unknown): number {
    const label = labelOf(value);
    if (label === null) throw cellError(null, feature.name, LABEL_RULE, value, NULL);
    const code = this.#codes[index]!.get(label);
    if (code === undefined && feature.unseen === 'error') throw unseenError(null, feature, value);
    return code ?? feature.levels.length + 1;
  }

  #writeCodes(
    index: number,
    feature: CategoricalFeature,
    column: CodedColumn,
    rows: number,
    firstRow: number,
    out: Codes,
  ): void {
    const { codes, levels, missing } = column;
    const unseen = feature.levels.length + 1;
    const strict = feature.unseen === 'error';
    const gap = this.#gaps[index];
    const last = this.#tables[index];
    let table = last?.codes;
    if (last?.levels !== levels || table.length !== levels.length + 1) {
      const codeOf = this.#codes[index]!;
      table = Uint32Array.from([...levels.map((level) => codeOf.get(level) ?? unseen), unseen]);
      this.#tables[index] = { levels, codes: table };
    }
    for (let i = 0; i < rows; i++) {
      if (missing && missing[i] !== 0) {
        out[i] = gap;
        continue;
      }
      const code = codes[i];
      const slot = table[Math.min(code, levels.length)];
      if (strict && slot === unseen) throw unseenError(firstRow + i, feature, levels[code]);
      out[i] = slot;
    }
  }
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
  standard: NumericFeature | null,
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

function writeFlags({ missing }: NumericColumn, rows: number, out: Codes): void {
  for (let i = 0; i < rows; i++) out[i] = missing && missing[i] !== 0 ? 1 : 0;
}

/** The code a missing cell takes: the slot of its own, or the most frequent level (the first of several). */
function missingCode({ missing, levels, counts }: CategoricalFeature): number {
  return missing === 'slot'
    ? levels.length
    : levels.reduce((best, _, code) => (counts[code] > counts[best] ? code : best), 0);
}

function unseenError(row: number | null, { name, levels }: CategoricalFeature, value: unknown): LogoddsError {
  const rule = `one of the ${levels.length} levels seen in training`;
  const got = value === undefined ? 'a level without a name' : value;
  return cellError(row, name, rule, got, `correct it, or train with a slot for unseen values`);
}
