import type { Coder } from './coder.ts';
import type { Feature } from './schema.ts';

/** A feature, and what is known of it before any row comes. */
export interface Turn {
  readonly feature: Feature;
  /** null for numeric and categorical features */
  readonly coder: Coder | null;
  /** its first column of a batch */
  readonly at: number;
  /** the column of a table, and field of a record, that it reads; undefined of crosses, which come last and are never asked for it */
  readonly field: string;
  /** a number of a record that is neither below nor above is its entry as it is: the range of training, or no number at all */
  readonly low: number;
  readonly high: number;
  /** of a categorical feature: the codes of labels */
  readonly codes: ReadonlyMap<string, number>;
  /** some of these by `placeOf` the label: to look there first takes less time than to hash the text */
  readonly guesses: readonly (readonly [label: string, code: number])[];
  /** of a categorical feature: the codes of a missing cell and of an unseen value; −1: an error */
  readonly gap: number;
  readonly unseen: number;
  /** of a categorical feature: by code of the tables before, the level that it stood for and its slot */
  seen: (string | undefined)[];
  table: Uint32Array;
}

/** What writes a value of a record that is no plain number within the range of training. */
export interface RecordWriter {
  /** @returns as `Coder.writeRecord` */
  put(turn: Turn, record: object, value: unknown, out: Float64Array): number;
}
