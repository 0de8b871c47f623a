import type { Coder } from './coder.ts';
import type { Feature } from './schema.ts';

/** A feature with precomputed facts for encoding records. */
export interface Turn {
  readonly feature: Feature;
  /** null for numeric and categorical features */
  readonly coder: Coder | null;
  /** its first column of a batch */
  readonly at: number;
  /** the column of a table, or field of a record, that it reads; undefined for crosses, which come last and do not use it */
  readonly field: string;
  /** a number of a record from `low` to `high` is its entry unchanged: the range of training, or an empty range */
  readonly low: number;
  readonly high: number;
  /** for a categorical feature: the codes of labels */
  readonly codes: ReadonlyMap<string, number>;
  /** some of these codes by `placeOf` the label: looking here first is faster than hashing the text */
  readonly guesses: readonly (readonly [label: string, code: number])[];
  /** for a categorical feature: the codes of a missing cell and of an unseen value; −1: an error */
  readonly gap: number;
  readonly unseen: number;
  /** for a categorical feature: for each code of earlier tables, its level and its slot */
  seen: (string | undefined)[];
  table: Uint32Array;
}

/** The writer of record values that are not plain numbers within the range of training. */
export interface RecordWriter {
  /** @returns as `Coder.writeRecord` */
  put(turn: Turn, record: object, value: unknown, out: Float64Array): number;
}
