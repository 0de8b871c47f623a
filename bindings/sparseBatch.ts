import { precisionOf, size, told } from './check.ts';
import { LogoddsError } from './errors.ts';
import { Handle } from './handle.ts';
import type { Heap } from './heap.ts';
import type { Kernels, ScoringKernels } from './kernels.ts';
import type { BatchPlace } from './layout.ts';
import { BYTES, type Precision, planeStride } from './layout.ts';
import { numbersTogether } from './lent.ts';
import type { Vector } from './vector.ts';
import type { Weights } from './weights.ts';

/** Compressed sparse rows: row i has the entries rowPtr[i] to rowPtr[i + 1] − 1. */
export interface SparseRows {
  /** length rows + 1, from 0, never falling */
  readonly rowPtr: ArrayLike<number>;
  /** column of each entry, below the number of columns; entries of one row in the same column add up */
  readonly colIdx: ArrayLike<number>;
  /** value of each entry; default all 1 */
  readonly values?: ArrayLike<number> | null;
}

/**
 * A batch of sparse rows (hashed text, click logs), copied from arrays and checked. `engine.sparse` makes one. **It holds memory of the engine until
 * `free`.**
 * @example
 * const batch = engine.sparse({ rowPtr: [0, 2, 3], colIdx: [0, 7, 7], values: [1, 2, 3] }, 10);
 * batch.rows; // 2
 * batch.entries; // 3
 */
export class SparseBatch extends Handle {
  readonly layout = 'sparse';
  readonly rows: number;
  /** number of columns */
  readonly slots: number;
  readonly precision: Precision;
  /** number of entries */
  readonly entries: number;
  readonly #rowPtr: number;
  readonly #colIdx: number;
  readonly #values: number;

  /** @throws ERR_SHAPE when the arrays do not fit together, ERR_RANGE for an entry outside the columns, ERR_MEMORY */
  constructor(heap: Heap, data: SparseRows, columns: number, precision: Precision) {
    super(heap, 'batch');
    const { rowPtr, colIdx, values } = data ?? {};
    this.rows = size('rows', (told(rowPtr?.length) as number) - 1);
    this.slots = size('columns', columns);
    this.precision = precisionOf(heap, precision);
    this.entries = size('entries', colIdx?.length);
    // copied before memory is allocated: the values checked below are read once, without getters
    const count = values ? size('length of values', values.length) : 0;
    const [offsets, indices, numbers] = numbersTogether(heap, [
      ['rowPtr', rowPtr, this.rows + 1],
      ['colIdx', colIdx, this.entries],
      ['values', values ?? null, count],
    ]) as [ArrayLike<number>, ArrayLike<number>, ArrayLike<number> | null];
    checkLengths(offsets, this.rows, this.entries, numbers ? count : null);
    const put = (length: number, kind: keyof typeof BYTES, what: string) => this.allocate(length * BYTES[kind], what);
    try {
      this.#rowPtr = put(this.rows + 1, 'u32', `offsets of ${this.rows} sparse rows`);
      this.#colIdx = put(this.entries, 'u32', `columns of ${this.entries} entries`);
      this.#values = numbers ? put(this.entries, precision, `values of ${this.entries} entries`) : 0;
      copyOffsets(offsets, this.rows, this.entries, heap.u32, this.#rowPtr / 4);
      copyColumns(indices, this.entries, columns, heap.u32, this.#colIdx / 4);
      if (numbers) heap[precision].set(numbers, this.#values / BYTES[precision]);
    } catch (error) {
      this.free();
      throw error;
    }
    Object.freeze(this);
  }

  /** A copy of the rows + 1 offsets. @throws ERR_ENGINE when the batch was freed */
  get rowPtr(): Uint32Array {
    return this.heap.u32.slice(this.#rowPtr / 4, this.#rowPtr / 4 + this.rows + 1);
  }

  /** A copy of the columns of the entries. @throws ERR_ENGINE when the batch was freed */
  get colIdx(): Uint32Array {
    return this.heap.u32.slice(this.#colIdx / 4, this.#colIdx / 4 + this.entries);
  }

  /** A copy of the values of the entries; null when all are 1. @throws ERR_ENGINE when the batch was freed */
  get values(): Float64Array | Float32Array | null {
    const at = this.#values / BYTES[this.precision];
    const { heap } = this;
    return at === 0 ? null : heap[this.precision].slice(at, at + this.entries);
  }

  /** @internal */
  get place(): BatchPlace {
    const { slots, precision } = this;
    const wide = precision === 'f64';
    const extent = this.#colIdx;
    const values = this.#values;
    return { layout: 'sparse', address: this.#rowPtr, extent, values, slots, wide, dictionaries: 0 };
  }

  /** @internal */
  logits(kernels: ScoringKernels, weights: Weights, out: Vector): void {
    // an engine with sparse batches has all kernels
    const all = kernels as Kernels;
    const kernel = this.precision === 'f32' ? all.logitsSparseF32 : all.logitsSparseF64;
    const { address, intercept, count } = weights;
    const { rows, slots } = this;
    const plane = planeStride(rows);
    kernel(this.#rowPtr, this.#colIdx, this.#values, rows, address, slots, intercept, count, out.address, plane);
  }
}

/** @throws ERR_SHAPE */
function checkLengths(rowPtr: ArrayLike<number>, last: number, entries: number, values: number | null): void {
  if (values !== null && values !== entries) {
    throw new LogoddsError('ERR_SHAPE', `values: expected ${entries} (one per entry of colIdx), got ${values}`);
  }
  if (rowPtr[0] !== 0 || rowPtr[last] !== entries) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `rowPtr: expected 0 first and ${entries} (entries of colIdx) last, got ${rowPtr[0]} and ${rowPtr[last]}`,
    );
  }
}

/** The kernels trust them: each is read once, checked and written. */
function copyOffsets(rowPtr: ArrayLike<number>, rows: number, entries: number, to: Uint32Array, at: number): void {
  let before = 0;
  for (let i = 0; i <= rows; i++) {
    // the ends were checked before and cannot have changed
    const offset = i === 0 ? 0 : i === rows ? entries : rowPtr[i];
    if (!(Number.isInteger(offset) && offset >= before)) {
      throw new LogoddsError(
        'ERR_SHAPE',
        `rowPtr: expected whole offsets that never fall, got ${before} then ${offset} at row ${i - 1}`,
      );
    }
    to[at + i] = offset;
    before = offset;
  }
}

/** As `copyOffsets`. */
function copyColumns(colIdx: ArrayLike<number>, entries: number, columns: number, to: Uint32Array, at: number): void {
  for (let e = 0; e < entries; e++) {
    const column = colIdx[e];
    if (!(Number.isInteger(column) && column >= 0 && column < columns)) {
      throw new LogoddsError(
        'ERR_RANGE',
        `colIdx: expected columns from 0 to ${columns - 1}, got ${column} at entry ${e}; hash into fewer columns or widen the weights`,
      );
    }
    to[at + e] = column;
  }
}
