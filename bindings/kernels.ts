/**
 * The kernels that scoring needs: pure functions over one linear memory. Addresses are byte offsets; the contract of each
 * function (shapes, alignment, order of summation) stands above it in assembly/. The WebAssembly modules and bindings/js/
 * implement these tables with the same operations in the same order.
 */
export interface ScoringKernels {
  /** of a module */
  heapBase?(): number;
  /** of a module; the JavaScript engine has none */
  abiVersion?(): number;
  sigmoidF64: Elementwise;
  logitsRowsF64: LogitsRows;
  logitsColumnsF64: LogitsColumns;
  /** these of the module with training */
  sigmoidF32?: Elementwise;
  logitsRowsF32?: LogitsRows;
  logitsColumnsF32?: LogitsColumns;
  /** without it softmax runs in JavaScript, with the same bits */
  softmaxF64?: Softmax;
}

/** All kernels: those of scoring, of f32, of codes that a caller wrote, of sparse rows, of several classes, and of training. */
export interface Kernels extends ScoringKernels {
  sigmoidF32: Elementwise;
  logitsRowsF32: LogitsRows;
  logitsColumnsF32: LogitsColumns;
  /** whether one of the codes of n rows is above the limit of its column */
  exceeds(table: number, columns: number, first: number, n: number): number | boolean;
  /** writes a table of n rows and its numbers, without dictionaries */
  decodeColumns(table: number, columns: number, first: number, n: number, out: number): void;
  softmaxF32: Softmax;
  softmaxF64: Softmax;
  logitsSparseF32: LogitsSparse;
  logitsSparseF64: LogitsSparse;
  expF32: Elementwise;
  expF64: Elementwise;
  softplusF32: Elementwise;
  softplusF64: Elementwise;
  sumF64(x: number, n: number): number;
  widenU8(x: number, n: number, out: number): void;
  addF64(x: number, n: number, y: number): void;
  multiplyF64(c: number, n: number, z: number): void;
  binomialLoss(z: number, y: number, s: number, n: number, residual: number, curvature: number): number;
  multinomialLoss(
    z: number,
    plane: number,
    k: number,
    y: number,
    s: number,
    n: number,
    p: number,
    pPlane: number,
  ): number;
  multinomialCurvature(p: number, pPlane: number, k: number, s: number, n: number, q: number, plane: number): void;
  logitsRowsWide: LogitsRows;
  logitsSparseWide: LogitsSparse;
  transposeRowsF32: TransposeRows;
  transposeRowsF64: TransposeRows;
  hessianRowsF32: HessianRows;
  hessianRowsF64: HessianRows;
  momentsRowsF32: MomentsRows;
  momentsRowsF64: MomentsRows;
  scaleRowsF32: ScaleRows;
  scaleRowsF64: ScaleRows;
  transposeColumns: (
    table: number,
    columns: number,
    first: number,
    n: number,
    r: number,
    rStride: number,
    k: number,
    g: number,
    gStride: number,
    slots: number,
  ) => void;
  hessianColumns: (
    table: number,
    columns: number,
    first: number,
    n: number,
    c: number,
    h: number,
    slots: number,
    ld: number,
    scratch: number,
  ) => void;
  transposeSparse: (
    rowPtr: number,
    colIdx: number,
    values: number,
    kind: number,
    n: number,
    r: number,
    rStride: number,
    k: number,
    g: number,
    gStride: number,
    slots: number,
  ) => void;
  hessianSparse: (
    rowPtr: number,
    colIdx: number,
    values: number,
    kind: number,
    n: number,
    c: number,
    h: number,
    slots: number,
    ld: number,
  ) => void;
  ftrlSparse(
    rowPtr: number,
    colIdx: number,
    values: number,
    kind: number,
    n: number,
    y: number,
    s: number,
    offset: number,
    state: number,
    slots: number,
    alpha: number,
    beta: number,
    l1: number,
    l2: number,
    loss: number,
    scratch: number,
  ): number;
  ftrlColumns(
    table: number,
    columns: number,
    n: number,
    y: number,
    s: number,
    offset: number,
    state: number,
    slots: number,
    alpha: number,
    beta: number,
    l1: number,
    l2: number,
    loss: number,
    scratch: number,
  ): number;
}

export type Elementwise = (z: number, n: number, out: number) => void;

/** in place, over k planes */
export type Softmax = (z: number, plane: number, k: number, n: number) => void;

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

export type TransposeRows = (
  x: number,
  stride: number,
  n: number,
  r: number,
  rStride: number,
  k: number,
  g: number,
  gStride: number,
) => void;

export type MomentsRows = (x: number, stride: number, n: number, s: number, origin: number, out: number) => void;

export type ScaleRows = (x: number, stride: number, n: number, shift: number, factor: number) => void;

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

export type LogitsSparse = (
  rowPtr: number,
  colIdx: number,
  values: number,
  n: number,
  w: number,
  wStride: number,
  b: number,
  k: number,
  z: number,
  zStride: number,
) => void;

/** rows of a block of `hessianColumns`: its sums depend on it, and its scratch: 16 + 4 · coded columns bytes a row */
export const HESSIAN_BLOCK = 1024;
/** rows of a panel of `hessianRows`: its sums depend on it, and its scratch: one panel */
export const PANEL = 64;
/** rows of `binomialLoss` whose logarithms are taken as one, of a product: its loss depends on it */
export const PRODUCT = 64;
/** scratch bytes of the FTRL kernels for two entries of a row */
export const FTRL_PAIR_BYTES = 64;
/** version of the functions and layouts of the modules: assembly/host.ts, docs/ABI.md */
export const ABI_VERSION = 1;
