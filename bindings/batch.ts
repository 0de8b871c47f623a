import { LogoddsError } from './errors.ts';
import type { Heap } from './heap.ts';
import { COLUMN_ENTRY_BYTES, COLUMN_KIND, type ScoringKernels } from './kernels.ts';
import type { SparseBatch } from './sparse.ts';

/** Storage type of a batch and of what is scored from it: 32-bit or 64-bit floating point. */
export type Precision = 'f32' | 'f64';

/** A column of a `columns` batch: a number (one slot), or an integer code below `slots`. */
export type ColumnSpec = { readonly kind: 'numeric' } | { readonly kind: 'coded'; readonly slots: number };

/**
 * A batch of rows in linear memory: `rows` (dense row-major), `columns` (numbers and integer codes by column) or
 * `sparse` (compressed sparse rows).
 */
export type Batch = RowsBatch | ColumnsBatch | SparseBatch;

const MAX_ROWS = 0xfffffff0;

/** bytes behind a column: read side by side, columns a power of two apart would share the sets of the caches */
const STAGGER = 7 * 64;

/** Distance between the logits of two weight vectors: rows, rounded up to a multiple of 4. */
export function planeStride(rows: number): number {
  return Math.ceil(rows / 4) * 4;
}

/** A view of a block of memory, made once and again only after the memory grew. */
function windowOf(heap: Heap, kind: Precision, address: number, length: number): () => Float32Array | Float64Array {
  const start = address / BYTES[kind];
  let view = heap[kind].subarray(0, 0);
  return () => {
    const memory = heap[kind];
    if (view.length !== length || view.buffer !== memory.buffer) view = memory.subarray(start, start + length);
    return view;
  };
}

/**
 * A vector of numbers in linear memory.
 * `view` is zero-copy and renewed after the memory grew: take it anew after any call that may allocate.
 */
export class Vector {
  readonly length: number;
  readonly precision: Precision;
  /** @internal */
  readonly heap: Heap;
  readonly #window: () => Float32Array | Float64Array;
  /** @internal */
  readonly address: number;

  constructor(heap: Heap, length: number, precision: Precision) {
    this.length = size('vector length', length);
    this.precision = precision;
    this.heap = heap;
    this.address = heap.allocate(length * bytesOf(precision), `a vector of ${length} ${precision}`);
    this.#window = windowOf(heap, precision, this.address, length);
  }

  get view(): Float32Array | Float64Array {
    return this.#window();
  }

  /** Gives the memory back to the engine; it must not be used afterwards. */
  free(): void {
    this.heap.release(this.address);
  }
}

/** Dense rows, row-major, zero-padded to `stride` values: row i starts at `view[i · stride]`. */
export class RowsBatch {
  readonly layout = 'rows';
  readonly rows: number;
  readonly precision: Precision;
  /** number of features */
  readonly slots: number;
  /** distance between rows in values: `slots` rounded up to a multiple of 4 */
  readonly stride: number;
  /** @internal */
  readonly heap: Heap;
  readonly #window: () => Float32Array | Float64Array;
  /** @internal */
  readonly address: number;

  /** @throws ERR_RANGE, ERR_MEMORY */
  constructor(heap: Heap, rows: number, features: number, precision: Precision) {
    this.rows = size('rows', rows);
    this.slots = size('features', features);
    this.stride = Math.ceil(features / 4) * 4;
    this.precision = precision;
    this.heap = heap;
    const bytes = rows * this.stride * bytesOf(precision);
    this.address = heap.allocate(bytes, `a batch of ${rows} × ${features} ${precision}`);
    this.#window = windowOf(heap, precision, this.address, rows * this.stride);
    this.view.fill(0);
  }

  /** All values, rows · stride of them; the padding must stay zero. Renewed after the memory grew. */
  get view(): Float32Array | Float64Array {
    return this.#window();
  }

  /**
   * Copies packed rows (row-major, no padding) into the batch, from row `first` on.
   * @param values  a whole number of rows of `slots` values
   * @throws ERR_SHAPE when they do not fit, ERR_RANGE when `first` is no row
   */
  set(values: ArrayLike<number>, first = 0): void {
    const { slots, stride } = this;
    index('first', first, this.rows);
    const rows = values.length / slots;
    if (!Number.isInteger(rows) || first + rows > this.rows) {
      throw new LogoddsError(
        'ERR_SHAPE',
        `rows: expected at most ${this.rows - first} rows of ${slots} values, got ${values.length} values`,
      );
    }
    // the heap's own array: a view of the batch would cost more than copying a row
    const memory = this.heap[this.precision];
    const at = this.address / bytesOf(this.precision) + first * stride;
    if (slots === stride && rows > 4) memory.set(values, at);
    else {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < slots; j++) memory[at + i * stride + j] = values[i * slots + j];
      }
    }
  }

  /** @internal */
  logits(kernels: ScoringKernels, weights: Weights, out: Vector): void {
    const kernel = this.precision === 'f32' ? kernels.logitsRowsF32 : kernels.logitsRowsF64;
    kernel(
      this.address,
      this.stride,
      this.rows,
      weights.address,
      weights.intercepts,
      weights.count,
      out.address,
      planeStride(this.rows),
    );
  }

  /** Gives the memory back to the engine; it must not be used afterwards. */
  free(): void {
    this.heap.release(this.address);
  }
}

/** Numeric and integer-coded columns, each contiguous; one-hot is never expanded. */
export class ColumnsBatch {
  readonly layout = 'columns';
  readonly capacity: number;
  readonly precision: Precision;
  readonly specs: readonly ColumnSpec[];
  /** first slot of each column; a numeric column has one slot, a coded one `slots` */
  readonly offsets: readonly number[];
  /** slots of all columns together */
  readonly slots: number;
  /** @internal */
  readonly heap: Heap;
  readonly #kinds: (keyof typeof COLUMN_KIND)[];
  readonly #addresses: number[] = [];
  /** @internal address of the column table */
  readonly table: number;
  #rows: number;

  /** @throws ERR_RANGE, ERR_MEMORY */
  constructor(heap: Heap, rows: number, specs: readonly ColumnSpec[], precision: Precision) {
    this.capacity = size('rows', rows);
    this.#rows = rows;
    this.precision = precision;
    this.specs = specs;
    this.heap = heap;
    const widths = specs.map((spec) => (spec.kind === 'numeric' ? 1 : size('slots of a coded column', spec.slots)));
    let slots = 0;
    this.offsets = widths.map((width) => {
      slots += width;
      return slots - width;
    });
    this.slots = slots;
    this.#kinds = specs.map((spec) => (spec.kind === 'numeric' ? precision : codeKind(spec.slots)));
    this.table = heap.allocate(specs.length * COLUMN_ENTRY_BYTES, `a table of ${specs.length} columns`);
    try {
      for (const kind of this.#kinds) {
        const bytes = rows * BYTES[kind];
        const address = heap.allocate(bytes + (bytes < 2 ** 16 ? 0 : STAGGER), `a ${kind} column of ${rows} rows`);
        this.#addresses.push(address);
        // codes must be in range even where nothing was written: the kernels trust them
        if (kind !== precision) heap.u8.fill(0, address, address + bytes);
      }
    } catch (error) {
      this.free();
      throw error;
    }
    const u32 = heap.u32;
    specs.forEach((_, j) => {
      const entry = (this.table + j * COLUMN_ENTRY_BYTES) >>> 2;
      u32.set([this.#addresses[j], COLUMN_KIND[this.#kinds[j]], this.offsets[j], 0], entry);
    });
  }

  /** rows in use; at most `capacity` */
  get rows(): number {
    return this.#rows;
  }

  /** @throws ERR_RANGE above the capacity */
  setRows(rows: number): void {
    if (size('rows', rows) > this.capacity) {
      throw new LogoddsError('ERR_RANGE', `rows: expected at most ${this.capacity} (the capacity), got ${rows}`);
    }
    this.#rows = rows;
  }

  /** The values of numeric column j, one a row; renewed after the memory grew. @throws ERR_SHAPE */
  numeric(j: number): Float32Array | Float64Array {
    return this.#view(j, 'numeric') as Float32Array | Float64Array;
  }

  /** The codes of coded column j, one a row, each below its `slots`; renewed after the memory grew. @throws ERR_SHAPE */
  codes(j: number): Uint8Array | Uint16Array | Uint32Array {
    return this.#view(j, 'coded') as Uint8Array | Uint16Array | Uint32Array;
  }

  #view(j: number, wanted: ColumnSpec['kind']) {
    const found = this.specs[j]?.kind ?? 'absent';
    if (found !== wanted) throw new LogoddsError('ERR_SHAPE', `column ${j}: expected a ${wanted} one, got ${found}`);
    const kind = this.#kinds[j];
    const at = this.#addresses[j] / BYTES[kind];
    return this.heap[kind].subarray(at, at + this.#rows);
  }

  /** @internal */
  logits(kernels: ScoringKernels, weights: Weights, out: Vector): void {
    const kernel = this.precision === 'f32' ? kernels.logitsColumnsF32 : kernels.logitsColumnsF64;
    kernel(
      this.table,
      this.specs.length,
      0,
      this.#rows,
      weights.address,
      this.slots,
      weights.intercepts,
      weights.count,
      out.address,
      planeStride(this.#rows),
    );
  }

  /** Gives the memory back to the engine; it must not be used afterwards. */
  free(): void {
    for (const address of this.#addresses) this.heap.release(address);
    this.heap.release(this.table);
  }
}

/** k weight vectors with their intercepts, resident in linear memory in the precision of the batches they score. */
export class Weights {
  readonly count: number;
  readonly slots: number;
  readonly precision: Precision;
  readonly layout: Batch['layout'];
  /** @internal */
  readonly heap: Heap;
  readonly #stride: number;
  /** @internal */
  readonly address: number;

  constructor(heap: Heap, shape: Pick<Batch, 'layout' | 'slots' | 'precision'>, count: number) {
    this.count = size('weight vectors', count);
    this.layout = shape.layout;
    this.slots = shape.slots;
    this.precision = shape.precision;
    this.heap = heap;
    this.#stride = shape.layout === 'rows' ? Math.ceil(shape.slots / 4) * 4 : shape.slots;
    const length = count * (this.#stride + 1);
    this.address = heap.allocate(length * bytesOf(shape.precision), `${count} weight vectors of ${shape.slots}`);
    const at = this.address / bytesOf(shape.precision);
    heap[shape.precision].fill(0, at, at + length);
  }

  /** @internal address of the k intercepts, behind the weights */
  get intercepts(): number {
    return this.address + this.count * this.#stride * bytesOf(this.precision);
  }

  /**
   * Sets weight vector j.
   * @param params  slots weights, then the intercept
   * @throws ERR_SHAPE, ERR_RANGE
   */
  set(j: number, params: ArrayLike<number>): void {
    index('weight vector', j, this.count - 1);
    if (params.length !== this.slots + 1) {
      throw new LogoddsError(
        'ERR_SHAPE',
        `weights: expected ${this.slots + 1} values (slots and intercept), got ${params.length}`,
      );
    }
    const view = this.heap[this.precision];
    const bytes = bytesOf(this.precision);
    const at = this.address / bytes + j * this.#stride;
    for (let i = 0; i < this.slots; i++) view[at + i] = params[i];
    view[this.intercepts / bytes + j] = params[this.slots];
  }

  /** Gives the memory back to the engine; it must not be used afterwards. */
  free(): void {
    this.heap.release(this.address);
  }
}

/** @internal bytes of a value by kind */
export const BYTES = { f32: 4, f64: 8, u8: 1, u16: 2, u32: 4 } as const;

function bytesOf(precision: Precision): number {
  return BYTES[precision];
}

function codeKind(slots: number): 'u8' | 'u16' | 'u32' {
  return slots <= 2 ** 8 ? 'u8' : slots <= 2 ** 16 ? 'u16' : 'u32';
}

/** a count the kernels can take: a whole number that fits 32 bits */
export function size(what: string, value: number): number {
  index(what, value, MAX_ROWS);
  return value;
}

/** a whole number from 0 to `last` */
export function index(what: string, value: number, last: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= last) return;
  throw new LogoddsError('ERR_RANGE', `${what}: expected a whole number from 0 to ${last}, got ${value}`);
}
