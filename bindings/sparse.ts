import { BYTES, type Precision, planeStride, size, type Vector, type Weights } from './batch.ts';
import type { BatchPlace } from './blocks.ts';
import { LogoddsError } from './errors.ts';
import type { Heap } from './heap.ts';
import type { Kernels, ScoringKernels } from './kernels.ts';

/** Compressed sparse rows: row i has the entries rowPtr[i] to rowPtr[i + 1] − 1. */
export interface SparseRows {
  /** rows + 1 offsets, from 0, never falling */
  readonly rowPtr: ArrayLike<number>;
  /** column of each entry, below the number of columns; repeats within a row add up */
  readonly colIdx: ArrayLike<number>;
  /** value of each entry; absent: all are one */
  readonly values?: ArrayLike<number> | null;
}

/** Rows of which most entries are zero (hashed text, click logs), copied from arrays and checked. */
export class SparseBatch {
  readonly layout = 'sparse';
  readonly rows: number;
  /** number of columns */
  readonly slots: number;
  readonly precision: Precision;
  /** @internal */
  readonly heap: Heap;
  readonly #rowPtr: number;
  readonly #colIdx: number;
  readonly #values: number;

  /** @throws ERR_SHAPE when the arrays do not fit together, ERR_RANGE for an entry outside the columns, ERR_MEMORY */
  constructor(heap: Heap, data: SparseRows, columns: number, precision: Precision) {
    const { rowPtr, colIdx, values } = data;
    this.heap = heap;
    this.rows = size('rows', rowPtr.length - 1);
    this.slots = size('columns', columns);
    this.precision = precision;
    checkSparse(data, columns);
    const put = (numbers: ArrayLike<number>, kind: keyof typeof BYTES, what: string) => {
      const address = heap.allocate(numbers.length * BYTES[kind], what);
      heap[kind].set(numbers, address / BYTES[kind]);
      return address;
    };
    this.#rowPtr = put(rowPtr, 'u32', `offsets of ${this.rows} sparse rows`);
    try {
      this.#colIdx = put(colIdx, 'u32', `columns of ${colIdx.length} entries`);
      this.#values = values ? put(values, precision, `values of ${values.length} entries`) : 0;
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** rows + 1 offsets; a view that holds until the memory grows */
  get rowPtr(): Uint32Array {
    return this.heap.u32.subarray(this.#rowPtr / 4, this.#rowPtr / 4 + this.rows + 1);
  }

  /** column of each entry; a view that holds until the memory grows */
  get colIdx(): Uint32Array {
    return this.heap.u32.subarray(this.#colIdx / 4, this.#colIdx / 4 + this.rowPtr[this.rows]);
  }

  /** value of each entry, null when all are one; a view that holds until the memory grows */
  get values(): Float64Array | Float32Array | null {
    if (this.#values === 0) return null;
    const at = this.#values / BYTES[this.precision];
    return this.heap[this.precision].subarray(at, at + this.rowPtr[this.rows]);
  }

  /** @internal */
  get place(): BatchPlace {
    const { slots, precision } = this;
    const wide = precision === 'f64';
    return { layout: 'sparse', address: this.#rowPtr, extent: this.#colIdx, values: this.#values, slots, wide };
  }

  /** @internal */
  logits(kernels: ScoringKernels, weights: Weights, out: Vector): void {
    // a sparse batch lies in the memory of an engine that has all kernels
    const all = kernels as Kernels;
    const kernel = this.precision === 'f32' ? all.logitsSparseF32 : all.logitsSparseF64;
    const { address, intercepts, count } = weights;
    const { rows, slots } = this;
    const plane = planeStride(rows);
    kernel(this.#rowPtr, this.#colIdx, this.#values, rows, address, slots, intercepts, count, out.address, plane);
  }

  /** Gives the memory back to the engine; it must not be used afterwards. */
  free(): void {
    for (const address of [this.#rowPtr, this.#colIdx, this.#values]) this.heap.release(address);
  }
}

/** The kernels trust these: every offset in order, every column in range. */
function checkSparse({ rowPtr, colIdx, values }: SparseRows, columns: number): void {
  const rows = rowPtr.length - 1;
  const entries = colIdx.length;
  if (values && values.length !== entries) {
    throw new LogoddsError('ERR_SHAPE', `values: expected ${entries} (one per entry of colIdx), got ${values.length}`);
  }
  if (rowPtr[0] !== 0 || rowPtr[rows] !== entries) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `rowPtr: expected 0 first and ${entries} (entries of colIdx) last, got ${rowPtr[0]} and ${rowPtr[rows]}`,
    );
  }
  for (let i = 0; i < rows; i++) {
    if (!(Number.isInteger(rowPtr[i + 1]) && rowPtr[i + 1] >= rowPtr[i])) {
      throw new LogoddsError(
        'ERR_SHAPE',
        `rowPtr: expected whole offsets that never fall, got ${rowPtr[i]} then ${rowPtr[i + 1]} at row ${i}`,
      );
    }
  }
  for (let e = 0; e < entries; e++) {
    const column = colIdx[e];
    if (!(Number.isInteger(column) && column >= 0 && column < columns)) {
      throw new LogoddsError(
        'ERR_RANGE',
        `colIdx: expected columns from 0 to ${columns - 1}, got ${column} at entry ${e}; hash into fewer columns or widen the weights`,
      );
    }
  }
}
