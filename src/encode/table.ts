/**
 * A table by columns: what files, queries and arrays are turned into before they are encoded.
 * All columns have the same number of rows.
 */
export interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
}

/** One column of a table; `kind` says which. */
export type Column = NumericColumn | CodedColumn;

/** Numbers; a cell whose `missing` flag is 1 is missing and its value is ignored. Other cells must be finite. */
export interface NumericColumn {
  readonly name: string;
  readonly kind: 'numeric';
  readonly values: Float64Array | Float32Array;
  /** length rows, 1 = missing; null or absent when no cell is missing */
  readonly missing?: Uint8Array | null;
  /** some levels are lists, as JSON: text and tags take them, a category does not */
  readonly lists?: boolean;
}

/**
 * Categories as integer codes into `levels`, never a string per cell.
 * A code of levels.length or more stands for a value that is not among `levels` (unseen).
 */
export interface CodedColumn {
  readonly name: string;
  readonly kind: 'coded';
  readonly codes: Uint8Array | Uint16Array | Uint32Array;
  readonly levels: readonly string[];
  /** length rows, 1 = missing (the code is ignored); null or absent when no cell is missing */
  readonly missing?: Uint8Array | null;
  /** some levels are lists, as JSON: text and tags take them, a category does not */
  readonly lists?: boolean;
}
