import type { ColumnSpec, ColumnsBatch } from '../../bindings/columnsBatch.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import type { Feature, Schema } from './schema.ts';
import type { Column } from './table.ts';

/** The meaning of one slot (one weight) of the encoded data. */
export interface SlotName {
  /** index into `schema.features` */
  readonly feature: number;
  /** name of that feature */
  readonly name: string;
  /** the level; "(missing)", "(unseen)" or "(present)" for slots with that role; null for a number */
  readonly level: string | null;
  readonly role: SlotRole;
}

export type SlotRole = 'number' | 'level' | 'reference' | 'present' | 'missing' | 'unseen';

/** What a slot is within its feature. */
export type Slot = readonly [role: SlotRole, level: string | null];

/** Counts of each row, in what the caller goes on computing with. */
export type Counts = Uint16Array | Float64Array;

/** Rows of a table on their way into a batch. */
export interface Part {
  readonly rows: number;
  /** number of the first row in the whole input, for error messages */
  readonly firstRow: number;
  readonly batch: Pick<ColumnsBatch, 'numeric' | 'codes'>;
  readonly standardize: boolean;
  /** of each row the features that took a default; null: nobody asks */
  readonly defaulted: Counts | null;
  /** of each row the numbers that are taken as they are, outside the range of training; null: nobody asks */
  readonly outOfRange: Counts | null;
}

/** Added up beside defaults: more than there are features. */
export const OUTSIDE = 2 ** 26;

/** A feature of a further kind made ready: how cells become entries of its columns of a batch. */
export interface Coder {
  /** columns of a batch, in order */
  readonly specs: readonly ColumnSpec[];
  /** columns of a table, and fields of a record, that it reads; a cross reads none */
  readonly columns: readonly string[];
  slots(): readonly Slot[];
  /** of each numeric column of the batch: what standardising subtracts and divides by */
  readonly means: readonly number[];
  readonly scales: readonly number[];
  /** Writes rows 0 … part.rows − 1 of the columns at, at + 1, … of the batch. */
  write(columns: readonly Column[], part: Part, at: number): void;
  /**
   * Writes one entry per spec, at, at + 1, …: a number, or the slot as its offset in the column.
   * @param value  of the record; null and undefined are missing
   * @returns 1 when a default was taken: the value was missing, unseen or out of the range of the schema; `OUTSIDE` for a number that is taken
   *   as it is, outside the range of training
   */
  writeRecord(value: unknown, out: Float64Array, at: number): number;
}

/** Makes and checks features of one kind. */
export interface CoderKind<F extends Feature = Feature> {
  /**
   * @param schema  for features made of others
   * @param columns  of each feature its first batch column; filled in by the time that anything is written
   */
  make(feature: F, schema: Schema, columns: readonly number[]): Coder;
  /** Whether a feature read from a file is one; JSON that has a name and this kind is all that is known of it, and of the others. */
  valid(feature: F, schema: Schema): boolean;
}

/** Kinds of features beyond those that every scorer knows, by name. */
export type Encoders = Readonly<Partial<Record<Feature['kind'], CoderKind<never>>>>;

/** Joins the names of a cross's parts, and their levels. */
export const CROSS = ' × ';

/** The columns a feature reads. */
export const sourceOf = (feature: Feature): string => (feature as { readonly column?: string }).column ?? feature.name;

/** What is said where a model needs a stage that a program did not ship. */
export const missingStage = (stage: 'encoders' | 'outcomes' | 'f32', why: string): LogoddsError =>
  new LogoddsError(
    'ERR_FORMAT',
    `model: expected the stage "${stage}" (${why}) of "logodds/stages", got none; hand it to loadModel`,
    { reason: 'stage' },
  );
