import type { ColumnSpec } from '../../bindings/batch.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { type Coder, sourceOf } from '../encode/coder.ts';
import { findColumns, hasField, refuseAbsent } from '../encode/columns.ts';
import { recordNumber } from '../encode/encoder.ts';
import type { Feature, Schema } from '../encode/schema.ts';
import type { Table } from '../encode/table.ts';

/** What a `Model` says about one record, as far as explanations read it. */
export interface Scored {
  readonly logit: number;
  readonly probability: number;
  readonly label: string;
  readonly logits?: Float64Array;
  readonly probabilities?: Float64Array;
}

/** What explanations read of a `Model`. */
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
    encodeRecord(record: Row, out: Float64Array): unknown;
  };
  readonly weights: Float64Array;
  readonly intercept: Float64Array;
  readonly covariance: Float64Array | null;
  readonly baseline: Float64Array | null;
  score(record: Row): S;
}

/** A record by field names. */
export type Row = Readonly<Record<string, unknown>>;

/** Features of one source: what a person calls one feature. */
export interface Source {
  /** the column; of a cross its parts, joined by " × " */
  readonly name: string;
  /** columns that its value is made of */
  readonly columns: readonly string[];
  /** none: the offset */
  readonly features: readonly Feature[];
}

/**
 * The sources of a model in the order of their first features, then the offset, and of each feature the index of its source.
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

/** Joins the parts of a cross. */
const CROSS = ' × ';

/** The features that a cross is made of; null of any other feature. */
export function partsOf(feature: Feature): readonly string[] | null {
  return feature.kind === 'cross' || feature.kind === 'hashed' ? feature.of : null;
}

/** The value of a source in a record: of a cross the text of its parts' values. */
export function sourceValue({ columns }: Source, record: Row): unknown {
  return columns.length === 1
    ? record[columns[0]]
    : columns.map((column) => (record[column] == null ? '(missing)' : String(record[column]))).join(CROSS);
}

/** The offset of a record; 0 of a model without. @throws ERR_SCHEMA, ERR_RECORD as of `Model.score` */
export function offsetOf({ manifest: { offset } }: Explained, record: Row): number {
  if (offset === null) return 0;
  if (!hasField(record, offset)) refuseAbsent('record', [offset], Object.keys(record));
  return recordNumber(offset, record[offset]);
}

/** Of each column of a batch its first slot and its slots; 0 for a number, which has one. */
export function layoutOf({ encoder: { specs } }: Explained): { first: Uint32Array; coded: Uint32Array } {
  const coded = Uint32Array.from(specs, (spec) => (spec.kind === 'numeric' ? 0 : spec.slots));
  const first = new Uint32Array(coded.length);
  for (let j = 1; j < coded.length; j++) first[j] = first[j - 1] + (coded[j - 1] || 1);
  return { first, coded };
}

/**
 * Visits the rows of a table as records; it is one object, whose fields change from row to row.
 * A level beyond those of its column is a text that no feature knows.
 * @throws ERR_SCHEMA absent columns; what `visit` throws of a record, with the number of its row
 */
export function visitRecords(
  model: Explained,
  table: Table,
  firstRow: number,
  visit: (record: Row, row: number) => void,
): void {
  const names = [...new Set(sourcesOf(model).sources.flatMap(({ columns }) => columns))];
  const columns = findColumns(table, names);
  const record: Record<string, unknown> = Object.create(null);
  for (let i = 0; i < table.rows; i++) {
    for (const column of columns) {
      const cell = column.kind === 'numeric' ? column.values[i] : (column.levels[column.codes[i]] ?? UNSEEN);
      record[column.name] = column.missing?.[i] ? null : cell;
    }
    try {
      visit(record, i);
    } catch (error) {
      if (!(error instanceof LogoddsError)) throw error;
      throw new LogoddsError(error.code, `row ${firstRow + i} (from 0), ${error.message}`, { cause: error });
    }
  }
}

/** Stands for a level that a column does not name. */
export const UNSEEN = '\uffff';
