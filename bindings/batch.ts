import { LogoddsError } from './errors.ts';
import { Handle } from './handle.ts';
import type { Heap } from './heap.ts';
import { BYTES, COLUMN_ENTRY_BYTES, KINDS, type Kind, type ScoringKernels } from './kernels.ts';
import type { SparseBatch } from './sparseBatch.ts';

/** Storage type of a batch and of what is scored from it: 32-bit or 64-bit floating point. */
export type Precision = 'f32' | 'f64';

/** A column of a `columns` batch: a number (one slot), or an integer code below `slots`. */
export type ColumnSpec =
  | { readonly kind: 'numeric'; readonly slots?: undefined }
  | { readonly kind: 'coded'; readonly slots: number };

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
function windowOf(handle: Handle, kind: Precision, address: number, length: number): () => Float32Array | Float64Array {
  const start = address / BYTES[kind];
  let memory: Float32Array | Float64Array;
  let view: Float32Array | Float64Array;
  return () => {
    const now = handle.heap[kind];
    if (now !== memory) {
      memory = now;
      view = memory.subarray(start, start + length);
      owners.set(view, handle);
    }
    return view;
  };
}

/** of views: what they are a view of is not lost while they are in use */
const owners = /* @__PURE__ */ new WeakMap<object, Handle>();

/**
 * A vector of numbers in linear memory.
 * `view` is zero-copy and renewed after the memory grew: take it anew after any call that may allocate.
 */
export class Vector extends Handle {
  readonly length: number;
  readonly precision: Precision;
  readonly #window: () => Float32Array | Float64Array;
  /** @internal */
  readonly address: number;

  constructor(heap: Heap, length: number, precision: Precision) {
    super(heap, 'vector');
    this.length = size('vector length', length);
    this.precision = precisionOf(heap, precision);
    this.address = this.allocate(length * BYTES[precision], `a vector of ${length} ${precision}`);
    this.#window = windowOf(this, precision, this.address, length);
    Object.freeze(this);
  }

  /** Its numbers. A view that was taken before `free()` is not guarded: it then shows whatever lies there. @throws ERR_ENGINE when it was freed */
  get view(): Float32Array | Float64Array {
    return this.#window();
  }
}

/** Dense rows, row-major, zero-padded to `stride` values: row i starts at `view[i · stride]`. */
export class RowsBatch extends Handle {
  readonly layout = 'rows';
  readonly rows: number;
  readonly precision: Precision;
  /** number of features */
  readonly slots: number;
  /** distance between rows in values: `slots` rounded up to a multiple of 4 */
  readonly stride: number;
  readonly #window: () => Float32Array | Float64Array;
  /** @internal */
  readonly address: number;

  /** @throws ERR_RANGE, ERR_MEMORY */
  constructor(heap: Heap, rows: number, features: number, precision: Precision) {
    super(heap, 'batch');
    this.rows = size('rows', rows);
    this.slots = size('features', features);
    this.stride = planeStride(features);
    this.precision = precisionOf(heap, precision);
    const bytes = rows * this.stride * BYTES[precision];
    this.address = this.allocate(bytes, `a batch of ${rows} × ${features} ${precision}`);
    this.#window = windowOf(this, precision, this.address, rows * this.stride);
    Object.freeze(this);
  }

  /**
   * All values, rows · stride of them; the padding must stay zero. Renewed after the memory grew. A view that was taken before `free()` is
   * not guarded: it then shows whatever lies there.
   * @throws ERR_ENGINE when it was freed
   */
  get view(): Float32Array | Float64Array {
    return this.#window();
  }

  /**
   * Copies packed rows (row-major, no padding) into the batch, from row `first` on.
   * @param values  a whole number of rows of `slots` values
   * @throws ERR_SHAPE when they do not fit or are no numbers, ERR_RANGE when `first` is no row, ERR_ENGINE when it was freed
   */
  set(values: ArrayLike<number>, first = 0): void {
    const { slots, stride } = this;
    index('first', first, this.rows);
    const found = told(values?.length);
    const rows = (found as number) / slots;
    if (!Number.isInteger(rows) || first + rows > this.rows) {
      throw new LogoddsError(
        'ERR_SHAPE',
        `rows: expected at most ${this.rows - first} rows of ${slots} values, got ${found} values`,
      );
    }
    const numbers = numbersOf('rows', values, rows * slots);
    // the heap's own array: a view of the batch would cost more than copying a row
    const memory = this.heap[this.precision];
    const at = this.address / BYTES[this.precision] + first * stride;
    if (slots === stride && rows > 4) {
      try {
        memory.subarray(at, at + rows * stride).set(numbers);
        return;
      } catch {
        // an array that is longer than it says: one by one
      }
    }
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < slots; j++) memory[at + i * stride + j] = numbers[i * slots + j];
    }
  }

  /** @internal */
  logits(kernels: ScoringKernels, weights: Weights, out: Vector): void {
    const kernel = this.precision === 'f32' ? kernels.logitsRowsF32! : kernels.logitsRowsF64;
    kernel(
      this.address,
      this.stride,
      this.rows,
      weights.address,
      weights.intercept,
      weights.count,
      out.address,
      planeStride(this.rows),
    );
  }
}

/** Numeric and integer-coded columns, each contiguous; one-hot is never expanded. This one an encoder fills. @see OpenColumns */
export class ColumnsBatch extends Handle {
  readonly layout = 'columns';
  readonly capacity: number;
  readonly precision: Precision;
  readonly specs: readonly ColumnSpec[];
  /** first slot of each column; a numeric column has one slot, a coded one `slots` */
  readonly offsets: readonly number[];
  /** slots of all columns together */
  readonly slots: number;
  /** of each its kind, and where it starts behind the table */
  readonly #places: readonly (readonly [kind: Kind, place: number])[];
  /** @internal address of the column table */
  readonly table: number;
  #rows: number;

  /**
   * @param clear  false leaves what others left in it, for an encoder that writes all it reads
   * @throws ERR_RANGE, ERR_SHAPE, ERR_MEMORY
   */
  constructor(heap: Heap, rows: number, specs: readonly ColumnSpec[], precision: Precision, clear = false) {
    super(heap, 'batch');
    this.capacity = size('rows', rows);
    this.#rows = rows;
    this.precision = precisionOf(heap, precision);
    this.specs = specs;
    const offsets: number[] = [];
    let slots = 0;
    let bytes = specs.length * COLUMN_ENTRY_BYTES;
    this.#places = specs.map((spec) => {
      const coded = spec.kind === 'coded';
      const kind = coded ? codeKind(spec.slots) : precision;
      const place = bytes;
      const own = rows * BYTES[kind];
      bytes = Math.ceil((place + own) / 16) * 16 + (own < 2 ** 16 ? 0 : STAGGER);
      offsets.push(slots);
      slots += coded ? spec.slots : 1;
      return [kind, place];
    });
    this.offsets = offsets;
    this.slots = slots;
    this.table = this.allocate(bytes, `a batch of ${rows} rows and ${specs.length} columns`, clear);
    this.#places.forEach(([kind, place], j) => {
      heap.u32.set([this.table + place, KINDS.indexOf(kind), offsets[j]], (this.table + j * COLUMN_ENTRY_BYTES) / 4);
    });
    Object.freeze(this);
  }

  /** rows in use; at most `capacity` */
  get rows(): number {
    return this.#rows;
  }

  /** @throws ERR_RANGE above the capacity, ERR_ENGINE when it was freed */
  setRows(rows: number): void {
    this.#rows = rows;
  }

  /** The values of numeric column j, one a row; renewed after the memory grew. @throws ERR_SHAPE, ERR_ENGINE when it was freed */
  numeric(j: number): Float32Array | Float64Array {
    return this.cells(j) as Float32Array | Float64Array;
  }

  /**
   * The codes of coded column j, one a row, each below its `slots`: whatever computes with them checks them. Renewed after the memory grew.
   * @throws ERR_SHAPE, ERR_ENGINE when it was freed
   */
  codes(j: number): Uint8Array | Uint16Array | Uint32Array {
    return this.cells(j) as Uint8Array | Uint16Array | Uint32Array;
  }

  /** @internal */
  protected cells(j: number, rows = this.#rows) {
    const [kind, place] = this.#places[j];
    const at = (this.table + place) / BYTES[kind];
    return this.heap[kind].subarray(at, at + rows);
  }

  /** A view that keeps its batch from being lost. @internal */
  protected viewed<V extends object>(view: V): V {
    owners.set(view, this);
    return view;
  }

  /**
   * Sees that the codes of `count` rows are below the slots of their columns: those of an encoder are.
   * @throws ERR_RANGE naming column and row
   * @internal
   */
  check(_kernels: ScoringKernels, _count: number, _first?: number): void {}

  /** @internal */
  logits(kernels: ScoringKernels, weights: Weights, out: Vector, first = 0, count = this.#rows): void {
    const kernel = this.precision === 'f32' ? kernels.logitsColumnsF32! : kernels.logitsColumnsF64;
    kernel(
      this.table,
      this.specs.length,
      first,
      count,
      weights.address,
      this.slots,
      weights.intercept,
      weights.count,
      out.address + first * BYTES[this.precision],
      planeStride(this.#rows),
    );
  }
}

/** k weight vectors with their intercepts, resident in linear memory in the precision of the batches they score. */
export class Weights extends Handle {
  readonly count: number;
  readonly slots: number;
  readonly precision: Precision;
  readonly layout: Batch['layout'];
  readonly #stride: number;
  /** @internal */
  readonly address: number;
  /** @internal address of the k intercepts, behind the weights */
  readonly intercept: number;

  constructor(heap: Heap, shape: Pick<Batch, 'layout' | 'slots' | 'precision'>, count: number) {
    super(heap, 'weights');
    const { layout, slots, precision } = shape ?? {};
    this.count = size('weight vectors', count);
    this.layout = among('layout', layout, 'rows', 'columns', 'sparse');
    this.slots = index('slots', slots, 2 ** 53 - 1);
    this.precision = precisionOf(heap, precision);
    this.#stride = layout === 'rows' ? planeStride(slots) : slots;
    const length = count * (this.#stride + 1);
    const bytes = BYTES[precision];
    this.address = this.allocate(length * bytes, `${count} weight vectors of ${slots}`);
    this.intercept = this.address + count * this.#stride * bytes;
    Object.freeze(this);
  }

  /**
   * Sets weight vector j.
   * @param params  slots weights, then the intercept
   * @throws ERR_SHAPE, ERR_RANGE, ERR_ENGINE when they were freed
   */
  set(j: number, params: ArrayLike<number>): void {
    index('weight vector', j, this.count - 1);
    const numbers = numbersOf('weights and intercept', params, this.slots + 1);
    const view = this.heap[this.precision];
    const bytes = BYTES[this.precision];
    const at = this.address / bytes + j * this.#stride;
    for (let i = 0; i < this.slots; i++) view[at + i] = numbers[i];
    view[this.intercept / bytes + j] = numbers[this.slots];
  }
}

function codeKind(slots: number): 'u8' | 'u16' | 'u32' {
  return slots <= 2 ** 8 ? 'u8' : slots <= 2 ** 16 ? 'u16' : 'u32';
}

/** A value in a message: a number as it is, of anything else its type. */
export const told = (value: unknown): unknown => (typeof value === 'number' ? value : typeof value);

/** One of some names. @throws ERR_RANGE */
export function among<T extends string>(what: string, value: T, ...names: readonly T[]): T {
  if (names.includes(value)) return value;
  const got = typeof value === 'string' ? value : typeof value;
  throw new LogoddsError('ERR_RANGE', `${what}: expected ${names.join(' or ')}, got ${got}`);
}

/** @throws ERR_RANGE */
export const precisionOf = (heap: Heap, precision: Precision): Precision =>
  among(`precision${heap.precisions[1] ? '' : ' (f32: by pickEngine of "logodds")'}`, precision, ...heap.precisions);

/**
 * The numbers of a caller: of an array that is no typed one a copy, so that what is checked is what is read. Of a typed one nothing but
 * its places is to be trusted: it may be of a class that says another length.
 * @throws ERR_SHAPE for another length, and for what is no number
 */
export function numbersOf(what: string, values: ArrayLike<number>, length: number): ArrayLike<number> {
  const found = told(values?.length);
  if (found === length) {
    if (ArrayBuffer.isView(values) && typeof values[0] === 'number') return values;
    const copy: number[] = [];
    // one at a time: what only says that it is long is found out at once
    for (let i = 0; i < length; i++) {
      const value = values[i];
      if (typeof value !== 'number') break;
      copy.push(value);
    }
    if (copy.length === length) return copy;
  }
  throw new LogoddsError(
    'ERR_SHAPE',
    `${what}: expected ${length} numbers, got ${found === length ? 'others' : found}`,
  );
}

/** As `numbersOf`, from `least` to `most`. @throws ERR_SHAPE, ERR_RANGE naming the first number outside */
export function numbersIn(
  what: string,
  values: ArrayLike<number>,
  length: number,
  least = -Number.MAX_VALUE,
  most = Number.MAX_VALUE,
): ArrayLike<number> {
  const numbers = numbersOf(what, values, length);
  for (let i = 0; i < length; i++) {
    if (numbers[i] >= least && numbers[i] <= most) continue;
    throw new LogoddsError(
      'ERR_RANGE',
      `${what}: expected numbers from ${least} to ${most}, got ${numbers[i]} at ${i}; correct it or leave the row out`,
    );
  }
  return numbers;
}

/** a count the kernels can take: a whole number that fits 32 bits */
export function size(what: string, value: number, least = 0): number {
  return index(what, value, MAX_ROWS, least);
}

/** a whole number from `least` to `last` */
export function index(what: string, value: number, last: number, least = 0): number {
  if (Number.isInteger(value) && value >= least && value <= last) return value;
  throw new LogoddsError('ERR_RANGE', `${what}: expected a whole number from ${least} to ${last}, got ${told(value)}`);
}
