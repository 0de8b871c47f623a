/** How batches lie in memory. */

/** Floating-point precision of a batch and of its scores: 32-bit or 64-bit. */
export type Precision = 'f32' | 'f64';

/** The typed array of a precision: Float32Array for f32, Float64Array for f64. */
export type NumbersOf<P extends Precision> = P extends 'f32' ? Float32Array : Float64Array;

/** How the cells of a batch lie: dense row-major, by column, or compressed sparse rows. */
export type Layout = 'rows' | 'columns' | 'sparse';

/** What weights are made for. */
export interface BatchShape {
  readonly layout: Layout;
  /** weights without the intercept */
  readonly slots: number;
  readonly precision: Precision;
}

/** Bytes of a value by kind. The entry of a column in a table is address, number of the kind in this order, first slot, greatest code (u32 each). */
export const BYTES = { f32: 4, f64: 8, u8: 1, u16: 2, u32: 4 } as const;
export type Kind = keyof typeof BYTES;
export const KINDS = /* @__PURE__ */ Object.keys(BYTES) as Kind[];
export const COLUMN_ENTRY_BYTES = 16;
/** Number of the kind of a dictionary column: u16 places in the f64 values that the fourth word of its entry points to. */
export const DICTIONARY = 5;

/**
 * Returns the distance between the logits of two weight vectors: the number of rows, rounded up to a multiple of 4.
 * @example
 * planeStride(5); // 8
 */
export function planeStride(rows: number): number {
  return Math.ceil(rows / 4) * 4;
}

/**
 * Where a batch lies, in plain numbers: what a kernel call needs, and what another thread can be told.
 *
 *              rows     columns             sparse
 *   address    x        column table        rowPtr
 *   extent     stride   number of columns   address of colIdx
 *   values     0        0                   address of the values, 0 when all are one
 *   slots      stride   slots               slots: where the intercept stands in a parameter vector in memory
 */
export interface BatchPlace {
  readonly layout: Layout;
  readonly address: number;
  readonly extent: number;
  readonly values: number;
  readonly slots: number;
  /** storage is f64 */
  readonly wide: boolean;
  /** number of dictionary columns, of which blocks of rows are decoded before a kernel reads them */
  readonly dictionaries: number;
}
