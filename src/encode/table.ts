/**
 * A table by columns. Files, queries and arrays become one before they are encoded. All columns have the same number of rows.
 */
export interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
}

/** One column of a table; `kind` says which type. */
export type Column = NumericColumn | CodedColumn;

/** A column of numbers. The value of a missing cell is ignored; all others must be finite. */
export interface NumericColumn {
  readonly name: string;
  readonly kind: 'numeric';
  readonly values: Float64Array | Float32Array;
  /** length rows, 1 = missing; null or absent: no cell is missing */
  readonly missing?: Uint8Array | null;
  /** never true for numbers; declared so that `lists` can be read from any column */
  readonly lists?: boolean;
}

/**
 * A column of categories: one integer code for each row, which is an index into `levels`. A code of levels.length or more stands for a value that is
 * not among the levels (unseen).
 */
export interface CodedColumn {
  readonly name: string;
  readonly kind: 'coded';
  readonly codes: Uint8Array | Uint16Array | Uint32Array;
  readonly levels: readonly string[];
  /** length rows, 1 = missing (the code is ignored); null or absent: no cell is missing */
  readonly missing?: Uint8Array | null;
  /** true: some levels are lists, written as JSON; text and tags take them, a category does not */
  readonly lists?: boolean;
}
