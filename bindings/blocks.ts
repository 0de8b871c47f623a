import type { Batch } from './batch.ts';
import { DictionaryColumns } from './dictionaryColumns.ts';
import { HESSIAN_BLOCK, type Kernels, PANEL } from './kernels.ts';
import type { BatchPlace } from './layout.ts';

/** Not methods of the batches, because scoring ships the batches but never calls these. */
export function placeOf(batch: Batch): BatchPlace {
  const wide = batch.precision === 'f64';
  const { layout, slots } = batch;
  if (layout === 'sparse') return batch.place;
  return layout === 'rows'
    ? { layout, address: batch.address, extent: batch.stride, values: 0, slots: batch.stride, wide, dictionaries: 0 }
    : {
        layout,
        address: batch.table,
        extent: batch.specs.length,
        values: 0,
        slots,
        wide,
        dictionaries: batch instanceof DictionaryColumns ? batch.dictionaries : 0,
      };
}

/** Target and row vectors of a likelihood, by address; 0 = absent. */
export interface RowData {
  /** f64, or bytes */
  readonly y: number;
  readonly bytes: boolean;
  readonly s: number;
  readonly offset: number;
  /**
   * binomial: curvature of each row, 0: computed where it is needed (columns alone);
   * multinomial: `classes` planes of probabilities, `plane` apart
   */
  readonly curvature: number;
  /** classes of a multinomial target, else 1 */
  readonly classes: number;
  readonly plane: number;
}

/**
 * Number of rows that are summed separately; the sums are then added in order to the total. It is the smallest unit of a
 * reduction that another thread can compute without changing a bit of the result.
 */
export const REDUCTION_BLOCK = 32768;

/** Work in numbered blocks, described by plain numbers and names, so that it can be sent to other threads as JSON. */
export type BlockTask = Reduction | RowCall;

/** Smallest number of blocks of a reduction with enough rows, so that several threads have work. */
const BLOCKS = 8;

/** number of cells that one row adds to a result; an estimate, because the entries of sparse rows are not counted */
const CELLS_OF_ROW = {
  rows: ({ slots }: BatchPlace) => slots,
  columns: ({ extent }: BatchPlace) => extent + 1,
  sparse: () => 8,
};

/**
 * Rows in a block of a reduction. Blocks with a large result have more rows, so that clearing and adding the result costs
 * little compared with the rows. It depends only on the shape of the data, so the bits do not depend on the threads.
 */
export function reductionRows(kind: Reduction['kind'], batch: BatchPlace, classes: number, rows: number): number {
  const power = kind === 'hessian' ? 2 : 1;
  const cells = kind === 'loss' || kind === 'curvature' ? 0 : classes * (batch.slots + 1) ** power;
  const cellsOfRow = (classes * CELLS_OF_ROW[batch.layout](batch) ** power) / power;
  const enough = Math.min((32 * cells) / cellsOfRow, rows / BLOCKS);
  return Math.max(1, Math.ceil(enough / REDUCTION_BLOCK)) * REDUCTION_BLOCK;
}

/** A sum over the rows of a likelihood, in blocks of `block` rows. @see reductionRows */
export interface Reduction {
  /** `curvature` writes that of each row and sums the losses */
  readonly kind: 'loss' | 'curvature' | 'lossGradient' | 'hessianVector' | 'hessian';
  readonly batch: BatchPlace;
  readonly data: RowData;
  readonly rows: number;
  readonly block: number;
  /** rows from the start of a block to the start of the next: `block`, or more if rows between them are left out */
  readonly spacing: number;
  /** parameters, or the vector to multiply with */
  readonly operand: number;
  /** cleared space for the results of `window` blocks, `partialBytes` apart: block b adds to number b mod window */
  readonly partial: number;
  readonly partialBytes: number;
  /** block b begins only after the result of block b − window was taken */
  readonly window: number;
  /** row length of the Hessian */
  readonly ld: number;
  /** scratch space of thread 0; that of the next thread is `scratchBytes` further */
  readonly scratch: number;
  readonly scratchBytes: number;
}

/** One call of a kernel that treats every row independently, split into calls of `part` rows. */
export interface RowCall {
  readonly kind: 'rows';
  readonly kernel: keyof Kernels;
  readonly args: readonly number[];
  /** how far each argument moves with a row */
  readonly steps: readonly number[];
  /** which argument is the number of rows */
  readonly count: number;
  readonly part: number;
}

/** The threads that compute the blocks of a task. */
export interface Crew {
  readonly threads: number;
  /** @param take  called for each finished block, in the order of the blocks, with its value (a loss, or 0) */
  run(task: BlockTask, blocks: number, take: (block: number, value: number) => void): void;
}

/** The crew of one. */
export function solo(kernels: Kernels): Crew {
  return {
    threads: 1,
    run(task, blocks, take) {
      for (let block = 0; block < blocks; block++) take(block, runBlock(kernels, task, block, 0));
    },
  };
}

/** Computes one block of a task. @returns its loss, if the task sums losses */
export function runBlock(kernels: Kernels, task: BlockTask, block: number, thread: number): number {
  if (task.kind === 'rows') {
    const { kernel, args, steps, count, part } = task;
    const first = block * part;
    const moved = args.map((value, i) => value + first * steps[i]);
    moved[count] = Math.min(part, args[count] - first);
    (kernels[kernel] as (...args: number[]) => void)(...moved);
    return 0;
  }
  const { kind, batch, data, operand, ld } = task;
  const first = block * task.spacing;
  const n = Math.min(task.block, task.rows - first);
  const partial = task.partial + (block % task.window) * task.partialBytes;
  const scratch = task.scratch + thread * task.scratchBytes;
  if (kind === 'hessian') hessian(kernels, batch, data, first, n, operand, partial, ld, scratch);
  else if (kind === 'hessianVector') hessianVector(kernels, batch, data, first, n, operand, partial, scratch);
  else {
    const g = kind === 'lossGradient' ? partial : 0;
    return lossGradient(
      kernels,
      batch,
      kind === 'loss' ? { ...data, curvature: 0 } : data,
      first,
      n,
      operand,
      g,
      scratch,
    );
  }
  return 0;
}

/**
 * Rows between the first and the second read of the data, few enough to stay in the second-level cache. A multiple of 4 (see
 * the kernels' order), and the same for both storage types, so that f32 data give the sums of their widened values.
 */
export function blockRows({ layout, slots }: BatchPlace): number {
  return layout === 'rows' ? Math.max(16, Math.min(1024, Math.floor(16384 / slots / 16) * 16)) : 1024;
}

/** number of f64 values of scratch space for one block */
export function scratchLength(batch: BatchPlace, classes: number): number {
  const { layout, extent, slots } = batch;
  const hessian = layout === 'columns' ? HESSIAN_BLOCK * (2 + extent / 2) : layout === 'rows' ? PANEL * slots : 0;
  const own = ownScratch(batch, classes);
  return layout === 'columns' ? own + Math.ceil(hessian) : Math.max(own, Math.ceil(hessian));
}

/** Of these the ones before the scratch space of a Hessian of columns: logits of the classes, a target that was bytes, curvature, decoded columns. */
function ownScratch(batch: BatchPlace, classes: number): number {
  const { layout, extent, dictionaries } = batch;
  const rows = (classes + 1) * blockRows(batch);
  return layout === 'columns' ? rows + (1 + dictionaries) * DECODED_ROWS + extent * 2 : rows;
}

/** Rows of a Hessian that are decoded together: a multiple of HESSIAN_BLOCK, and many, because each call copies the diagonal of the result. */
const DECODED_ROWS = 8192;

/**
 * Where kernels find rows that `decode` has written, the first of them as row 0; the batch itself where no column has a dictionary.
 * @param space  `decodedLength` f64 for blockRows
 */
export const decodedIn = (space: number, batch: BatchPlace): BatchPlace =>
  batch.dictionaries ? { ...batch, address: space, dictionaries: 0 } : batch;

/** Decodes the rows [first, first + n) of a batch into `part` of it. @returns the number of row `first` there */
export function decode(kernels: Kernels, batch: BatchPlace, first: number, n: number, part: BatchPlace): number {
  if (part === batch) return first;
  kernels.decodeColumns(batch.address, batch.extent, first, n, part.address);
  return 0;
}

/** number of f64 values that a decoded block needs */
export const decodedLength = (batch: BatchPlace): number => batch.extent * 2 + batch.dictionaries * blockRows(batch);

/**
 * z[j·zStride + i] = logit in f64 of row first + i under weight vector j.
 * w  k × batch.slots f64, then the k intercepts
 */
export function logits(
  kernels: Kernels,
  batch: BatchPlace,
  first: number,
  n: number,
  w: number,
  k: number,
  z: number,
  zStride: number,
): void {
  const { address, extent, values, slots, wide } = batch;
  const b = w + k * slots * 8;
  if (batch.layout === 'columns') kernels.logitsColumnsF64(address, extent, first, n, w, slots, b, k, z, zStride);
  else if (batch.layout === 'sparse') {
    const kernel = wide ? kernels.logitsSparseF64 : kernels.logitsSparseWide;
    kernel(address + first * 4, extent, values, n, w, slots, b, k, z, zStride);
  } else {
    const kernel = wide ? kernels.logitsRowsF64 : kernels.logitsRowsWide;
    kernel(address + first * slots * (wide ? 8 : 4), slots, n, w, b, k, z, zStride);
  }
}

/** g[j · (slots + 1)] += Xᵀr_j over the rows [first, first + n), intercepts last; r  k planes of rStride, entry 0 is row first */
export function transpose(
  kernels: Kernels,
  batch: BatchPlace,
  first: number,
  n: number,
  r: number,
  rStride: number,
  k: number,
  g: number,
): void {
  const { address, extent, values, slots, wide } = batch;
  const gStride = slots + 1;
  if (batch.layout === 'columns') kernels.transposeColumns(address, extent, first, n, r, rStride, k, g, gStride, slots);
  else if (batch.layout === 'sparse') {
    kernels.transposeSparse(address + first * 4, extent, values, wide ? 1 : 0, n, r, rStride, k, g, gStride, slots);
  } else {
    const kernel = wide ? kernels.transposeRowsF64 : kernels.transposeRowsF32;
    kernel(address + first * slots * (wide ? 8 : 4), slots, n, r, rStride, k, g, gStride);
  }
}

/**
 * The loss of the rows [first, first + n) and, unless g is 0, their part of the gradient and their curvature.
 * w  weights and intercepts of all classes   g  classes × (slots + 1) f64, added to   scratch  see `scratchLength`
 */
function lossGradient(
  kernels: Kernels,
  batch: BatchPlace,
  data: RowData,
  first: number,
  n: number,
  w: number,
  g: number,
  scratch: number,
): number {
  const rows = blockRows(batch);
  const { y, bytes, s, offset, curvature, classes, plane } = data;
  const widened = scratch + classes * rows * 8;
  // what nothing reads: the kernel is faster when it writes all
  const unread = widened + rows * 8;
  const part = decodedIn(unread + rows * 8, batch);
  const at = (base: number, row: number) => (base ? base + row * 8 : 0);
  let loss = 0;
  for (let row = first; row < first + n; row += rows) {
    const m = Math.min(rows, first + n - row);
    if (bytes) kernels.widenU8(y + row, m, widened);
    const target = bytes ? widened : at(y, row);
    const from = decode(kernels, batch, row, m, part);
    logits(kernels, part, from, m, w, classes, scratch, rows);
    if (classes > 1) {
      loss += kernels.multinomialLoss(scratch, rows, classes, target, at(s, row), m, at(curvature, row), plane);
    } else {
      if (offset) kernels.addF64(at(offset, row), m, scratch);
      const all = g || curvature;
      const c = curvature ? at(curvature, row) : unread;
      loss += kernels.binomialLoss(scratch, target, at(s, row), m, all ? scratch : 0, all ? c : 0);
    }
    if (g) transpose(kernels, part, from, m, scratch, rows, classes, g);
  }
  return loss;
}

/** g += XᵀS(X·v) over the rows [first, first + n): their part of the Hessian times v; v and g as w and g above */
function hessianVector(
  kernels: Kernels,
  batch: BatchPlace,
  data: RowData,
  first: number,
  n: number,
  v: number,
  g: number,
  scratch: number,
): void {
  const rows = blockRows(batch);
  const { s, curvature, classes, plane } = data;
  const part = decodedIn(scratch + (classes + 2) * rows * 8, batch);
  for (let row = first; row < first + n; row += rows) {
    const m = Math.min(rows, first + n - row);
    const from = decode(kernels, batch, row, m, part);
    logits(kernels, part, from, m, v, classes, scratch, rows);
    const c = curvature + row * 8;
    if (classes > 1) kernels.multinomialCurvature(c, plane, classes, s ? s + row * 8 : 0, m, scratch, rows);
    else kernels.multiplyF64(c, m, scratch);
    transpose(kernels, part, from, m, scratch, rows, classes, g);
  }
}

/** H += XᵀSX over the rows [first, first + n), lower triangle; h  (slots + 1) × ld f64   w  of the point, for a curvature that is not kept */
function hessian(
  kernels: Kernels,
  batch: BatchPlace,
  data: RowData,
  first: number,
  n: number,
  w: number,
  h: number,
  ld: number,
  scratch: number,
): void {
  const { address, extent, values, slots, wide, dictionaries } = batch;
  const { curvature, classes } = data;
  const c = curvature + first * 8;
  if (batch.layout === 'columns') {
    const free = scratch + ownScratch(batch, classes) * 8;
    if (curvature && !dictionaries) kernels.hessianColumns(address, extent, first, n, curvature, h, slots, ld, free);
    else hessianByBlocks(kernels, batch, data, first, n, w, h, ld, scratch, free);
  } else if (batch.layout === 'sparse') {
    kernels.hessianSparse(address + first * 4, extent, values, wide ? 1 : 0, n, c, h, slots, ld);
  } else {
    const kernel = wide ? kernels.hessianRowsF64 : kernels.hessianRowsF32;
    kernel(address + first * slots * (wide ? 8 : 4), slots, n, c, h, ld, scratch);
  }
}

/**
 * The same of columns, with dictionaries or a curvature that is not kept. The kernel sums in blocks of these rows and adds each to the result
 * by itself, so the bits are those of one call.
 */
function hessianByBlocks(
  kernels: Kernels,
  batch: BatchPlace,
  data: RowData,
  first: number,
  n: number,
  w: number,
  h: number,
  ld: number,
  scratch: number,
  free: number,
): void {
  const block = blockRows(batch);
  const { y, bytes, s, offset, curvature, classes } = data;
  const widened = scratch + classes * block * 8;
  const c = widened + block * 8;
  const { extent, slots } = batch;
  const part = { ...batch, address: c + DECODED_ROWS * 8, dictionaries: 0 };
  for (let from = first; from < first + n; from += DECODED_ROWS) {
    const count = Math.min(DECODED_ROWS, first + n - from);
    // without dictionaries too: rows then begin with 0, as c does
    decode(kernels, batch, from, count, part);
    for (let at = 0; at < count && !curvature; at += block) {
      const m = Math.min(block, count - at);
      const row = from + at;
      if (bytes) kernels.widenU8(y + row, m, widened);
      logits(kernels, part, at, m, w, 1, scratch, block);
      if (offset) kernels.addF64(offset + row * 8, m, scratch);
      kernels.binomialLoss(scratch, bytes ? widened : y + row * 8, s ? s + row * 8 : 0, m, scratch, c + at * 8);
    }
    kernels.hessianColumns(part.address, extent, 0, count, curvature ? curvature + from * 8 : c, h, slots, ld, free);
  }
}
