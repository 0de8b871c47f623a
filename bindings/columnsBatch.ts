import { precisionOf, size } from './check.ts';
import { Handle } from './handle.ts';
import type { Heap } from './heap.ts';
import type { ScoringKernels } from './kernels.ts';
import { BYTES, COLUMN_ENTRY_BYTES, KINDS, type Kind, type NumbersOf, type Precision, planeStride } from './layout.ts';
import type { Vector } from './vector.ts';
import type { Weights } from './weights.ts';

/** A column of a `columns` batch: a number (one slot), or an integer code below `slots`. */
export type ColumnSpec =
  | { readonly kind: 'numeric'; readonly slots?: undefined }
  | { readonly kind: 'coded'; readonly slots: number };

/** padding bytes after a column: columns that are a power of two apart would share cache sets when they are read together */
const STAGGER = 7 * 64;

/** Numeric and integer-coded columns, each contiguous; one-hot is never expanded. This one an encoder fills. @see OpenColumns */
export class ColumnsBatch<P extends Precision = Precision> extends Handle {
  readonly layout = 'columns';
  readonly capacity: number;
  readonly precision: P;
  readonly specs: readonly ColumnSpec[];
  /** first slot of each column; a numeric column has one slot, a coded one `slots` */
  readonly offsets: readonly number[];
  /** slots of all columns together */
  readonly slots: number;
  /** kind of each column, and its offset after the table */
  readonly #places: readonly (readonly [kind: Kind, place: number])[];
  /** @internal address of the column table */
  readonly table: number;
  #rows: number;

  /**
   * @param clear  false leaves what others left in it, for an encoder that writes all it reads
   * @throws ERR_RANGE, ERR_SHAPE, ERR_MEMORY
   */
  constructor(heap: Heap, rows: number, specs: readonly ColumnSpec[], precision: P, clear = false) {
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
  numeric(j: number): NumbersOf<P> {
    return this.cells(j) as NumbersOf<P>;
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

function codeKind(slots: number): 'u8' | 'u16' | 'u32' {
  return slots <= 2 ** 8 ? 'u8' : slots <= 2 ** 16 ? 'u16' : 'u32';
}
