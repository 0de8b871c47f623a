/**
 * The kernels that scoring needs: pure functions over one linear memory. Addresses are byte offsets; the contract of each function
 * (shapes, alignment, order of summation) stands above it in assembly/. The WebAssembly modules and bindings/js/
 * implement these tables with the same operations in the same order.
 */
export interface ScoringKernels {
  heapBase(): number;
  sigmoidF32(z: number, n: number, out: number): void;
  sigmoidF64(z: number, n: number, out: number): void;
  logitsRowsF32: LogitsRows;
  logitsRowsF64: LogitsRows;
  logitsColumnsF32: LogitsColumns;
  logitsColumnsF64: LogitsColumns;
}

/** All kernels: scoring and training. */
export interface Kernels extends ScoringKernels {
  binomialLoss(z: number, y: number, s: number, n: number, residual: number, curvature: number): number;
  sumF64(x: number, n: number): number;
  addF64(x: number, n: number, y: number): void;
  lossGradientRowsF32: LossGradientRows;
  lossGradientRowsF64: LossGradientRows;
  hessianRowsF32: HessianRows;
  hessianRowsF64: HessianRows;
  lossGradientColumns(
    table: number,
    columns: number,
    first: number,
    n: number,
    w: number,
    slots: number,
    offset: number,
    y: number,
    s: number,
    g: number,
    curvature: number,
    z: number,
  ): number;
  hessianColumns(
    table: number,
    columns: number,
    first: number,
    n: number,
    c: number,
    h: number,
    slots: number,
    ld: number,
    scratch: number,
  ): void;
}

export type LogitsRows = (
  x: number,
  stride: number,
  n: number,
  w: number,
  b: number,
  k: number,
  z: number,
  zStride: number,
) => void;

export type LossGradientRows = (
  x: number,
  stride: number,
  n: number,
  w: number,
  offset: number,
  y: number,
  s: number,
  g: number,
  curvature: number,
  z: number,
) => number;

export type HessianRows = (
  x: number,
  stride: number,
  n: number,
  c: number,
  h: number,
  ld: number,
  scratch: number,
) => void;

export type LogitsColumns = (
  table: number,
  columns: number,
  first: number,
  n: number,
  w: number,
  wStride: number,
  b: number,
  k: number,
  z: number,
  zStride: number,
) => void;

/** Kinds of a column as its table entry names them; the entry is address, kind, first slot, reserved (u32 each). */
export const COLUMN_KIND = { f32: 0, f64: 1, u8: 2, u16: 3, u32: 4 } as const;
export const COLUMN_ENTRY_BYTES = 16;
/** rows of a block of `lossGradientColumns`: its scratch is 8 bytes a row */
export const COLUMNS_BLOCK = 1024;
/** rows of a block of `hessianColumns`: its scratch is 12 bytes a row */
export const HESSIAN_BLOCK = 4096;
/** rows of a block of `lossGradientRows` */
export const ROWS_BLOCK = 64;
/** rows of a panel of `hessianRows`: its scratch is 2 · 8 · stride bytes a row */
export const PANEL = 64;
