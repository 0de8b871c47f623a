import type { ColumnSpec } from '../../bindings/columnsBatch.ts';
import { type Coder, CROSS, type Part, sourceOf } from '../encode/coder.ts';
import { asNumeric, findColumns, hasField, refuseAbsent } from '../encode/columns.ts';
import { type EncodeOptions, writeNumbers } from '../encode/encoder.ts';
import type { Feature, Schema } from '../encode/schema.ts';
import { sliceTable } from '../encode/split.ts';
import type { Column, Table } from '../encode/table.ts';
import { recordNumber } from '../encode/turn.ts';

/** The part of a record's score that explanations read. */
export interface Scored {
  readonly logit: number;
  readonly probability: number;
  readonly label: string;
  readonly logits?: Float64Array;
  readonly probabilities?: Float64Array;
}

/** The part of a `Model` that explanations read. */
export interface Explained<S extends Scored = Scored> {
  readonly manifest: {
    readonly classes: readonly string[];
    readonly positive: string | null;
    readonly multiclass: 'multinomial' | 'ovr' | null;
    readonly offset: string | null;
  };
  readonly encoder: {
    readonly schema: Schema;
    readonly specs: readonly ColumnSpec[];
    readonly slots: number;
    readonly coders: readonly (Coder | null)[];
    readonly offsets: readonly number[];
    readonly firstColumns: readonly number[];
    encodeRecord(record: Row, out: Float64Array): unknown;
    encode(table: Table, batch: Part['batch'] & { readonly rows: number }, options: EncodeOptions): void;
  };
  readonly weights: Float64Array;
  readonly intercept: Float64Array;
  readonly covariance: Float64Array | null;
  readonly baseline: Float64Array | null;
  score(record: Row): S;
}

/** A record by field names: an object of any type, an interface or a class too. */
export type Row = object;

/** The value of a field. */
export const fieldOf = (record: Row, name: string): unknown => (record as Readonly<Record<string, unknown>>)[name];

/** Features of one source: what a person calls one feature. */
export interface Source {
  /** the column; for a cross its parts, joined by " × " */
  readonly name: string;
  /** columns that make up its value */
  readonly columns: readonly string[];
  /** none: the offset */
  readonly features: readonly Feature[];
}

/**
 * The sources of a model in the order of their first features, then the offset; and the index of the source of each feature.
 * Features of one column are one source; a cross is a source of its own.
 */
export function sourcesOf({ manifest, encoder }: Explained): { sources: Source[]; ofFeature: number[] } {
  const { features } = encoder.schema;
  const sources: { name: string; columns: string[]; features: Feature[] }[] = [];
  const at = new Map<string, number>();
  const ofFeature = features.map((feature) => {
    const parts = partsOf(feature);
    const name = parts ? parts.join(CROSS) : sourceOf(feature);
    const key = `${parts ? 'cross' : 'column'} ${name}`;
    const known = at.get(key);
    if (known !== undefined) {
      sources[known].features.push(feature);
      return known;
    }
    const columns = parts
      ? parts.map((part) => sourceOf(features.find((other) => other.name === part) as Feature))
      : [name];
    at.set(key, sources.length);
    return sources.push({ name, columns, features: [feature] }) - 1;
  });
  if (manifest.offset !== null) sources.push({ name: manifest.offset, columns: [manifest.offset], features: [] });
  return { sources, ofFeature };
}

/** The features of a cross; null for any other feature. */
export function partsOf(feature: Feature): readonly string[] | null {
  return feature.kind === 'cross' || feature.kind === 'hashed' ? feature.of : null;
}

/** The value of a source in a record; for a cross, the text of its parts' values. */
export function sourceValue({ columns }: Source, record: Row): unknown {
  return joinedValue(columns.map((column) => fieldOf(record, column)));
}

/** The value of a source from the values of its columns. */
export function joinedValue(values: readonly unknown[]): unknown {
  return values.length === 1
    ? values[0]
    : values.map((value) => (value === null || value === undefined ? '(missing)' : String(value))).join(CROSS);
}

/** The offset of a record; 0 if the model has none. @throws ERR_SCHEMA, ERR_RECORD as of `Model.score` */
export function offsetOf({ manifest: { offset } }: Explained, record: Row): number {
  if (offset === null) return 0;
  if (!hasField(record, offset)) refuseAbsent('record', [offset], Object.keys(record));
  return recordNumber(offset, fieldOf(record, offset));
}

/** The first slot and the number of slots of each column of a batch; 0 slots for a number, which has one weight. */
export function layoutOf({ encoder: { specs } }: Explained): { first: Uint32Array; coded: Uint32Array } {
  const coded = Uint32Array.from(specs, (spec) => (spec.kind === 'numeric' ? 0 : spec.slots));
  const first = new Uint32Array(coded.length);
  for (let j = 1; j < coded.length; j++) first[j] = first[j - 1] + (coded[j - 1] || 1);
  return { first, coded };
}

/** Encoded rows of a table, valid during one visit. */
export interface EncodedRows {
  /** number of the first of these rows in the table */
  readonly start: number;
  readonly rows: number;
  /** entries of each column of a batch: numbers, or slots as offsets in the column */
  readonly columns: readonly (Float64Array | Uint32Array)[];
  /** null if the model has no offset */
  readonly offsets: Float64Array | null;
}

/** Rows encoded at a time, few enough to stay in the caches. */
export const BLOCK_ROWS = 1024;

/**
 * Encodes the rows of a table as its scorer does, and visits them in blocks.
 * @throws as `Scorer.score`
 */
export function visitRows(model: Explained, table: Table, firstRow: number, visit: (block: EncodedRows) => void): void {
  const { encoder, manifest } = model;
  const numbers = encoder.specs.map(({ kind }) => (kind === 'numeric' ? new Float64Array(BLOCK_ROWS) : EMPTY));
  const codes = encoder.specs.map(({ kind }) => (kind === 'numeric' ? NO_CODES : new Uint32Array(BLOCK_ROWS)));
  const columns = encoder.specs.map(({ kind }, j) => (kind === 'numeric' ? numbers[j] : codes[j]));
  const offsets = manifest.offset === null ? null : new Float64Array(BLOCK_ROWS);
  let start = 0;
  do {
    const part = sliceTable(table, start, Math.min(start + BLOCK_ROWS, table.rows));
    const { rows } = part;
    const first = firstRow + start;
    const batch = { rows, numeric: (j: number) => numbers[j], codes: (j: number) => codes[j] };
    encoder.encode(part, batch, { standardize: false, firstRow: first });
    if (offsets !== null) {
      const column = asNumeric(findColumns(part, [manifest.offset!])[0], rows, first);
      writeNumbers(column, rows, first, offsets, null, Number.NaN);
    }
    visit({ start, rows, columns, offsets });
    start += rows;
  } while (start < table.rows);
}

const EMPTY = /* @__PURE__ */ new Float64Array(0);
const NO_CODES = /* @__PURE__ */ new Uint32Array(0);

/** A cell in the form of a record's value: null if missing, `UNSEEN` for a level that the column does not name. */
export function cellOf(column: Column, row: number): unknown {
  if (column.missing && column.missing[row] !== 0) return null;
  return column.kind === 'numeric' ? column.values[row] : (column.levels[column.codes[row]] ?? UNSEEN);
}

/** Stands for a level that a column does not name. */
export const UNSEEN = '\uffff';
