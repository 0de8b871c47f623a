import { precisionOf, size } from './check.ts';
import { Handle } from './handle.ts';
import type { Heap } from './heap.ts';
import type { ScoringKernels } from './kernels.ts';
import { BYTES, COLUMN_ENTRY_BYTES, KINDS, type Kind, type NumbersOf, type Precision, planeStride } from './layout.ts';
import type { Vector } from './vector.ts';
import type { Weights } from './weights.ts';

/** One column of a `columns` batch: a number, which has one slot, or an integer code below `slots`. */
export type ColumnSpec =
  | {
      readonly kind: 'numeric';
      readonly slots?: undefined;
      /** of a dictionary column @internal */
      readonly store?: 'u16';
    }
  | { readonly kind: 'coded'; readonly slots: number };

/** padding bytes after a column: columns that are a power of two apart would share cache sets when they are read together */
const STAGGER = 7 * 64;

/**
 * A batch of columns, each contiguous: numbers, and integer codes that are never expanded to one-hot. An encoder fills it, or a caller who
 * made it with `engine.columns`. **It holds memory of the engine until `free`.**
 * @example
 * const batch = engine.columns(2, [{ kind: 'numeric' }, { kind: 'coded', slots: 3 }]);
 * batch.numeric(0).set([0.5, 1.5]);
 * batch.codes(1).set([2, 0]);
 * batch.slots; // 4
 * batch.offsets; // [0, 1]
 */
export class ColumnsBatch<P extends Precision = Precision> extends Handle {
  readonly layout = 'columns';
  /** greatest number of rows that fit */
  readonly capacity: number;
  readonly precision: P;
  readonly specs: readonly ColumnSpec[];
  /** first slot of each column; a numeric column has one slot, a coded one `slots` */
  readonly offsets: readonly number[];
  /** number of slots of all columns */
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
      const kind = coded ? codeKind(spec.slots) : (spec.store ?? precision);
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

  /** Number of rows in use, at most `capacity`. */
  get rows(): number {
    return this.#rows;
  }

  /** Sets the number of rows in use. @throws ERR_RANGE above the capacity; ERR_ENGINE when the batch was freed */
  setRows(rows: number): void {
    this.#rows = rows;
  }

  /**
   * Returns a view of the values of numeric column j, one for each row. Take it anew after any call that may allocate.
   * @throws ERR_SHAPE when column j is not numeric; ERR_ENGINE when the batch was freed
   */
  numeric(j: number): NumbersOf<P> {
    return this.cells(j) as NumbersOf<P>;
  }

  /**
   * Returns a view of the codes of coded column j, one for each row, each below the column's `slots`. Codes are checked whenever they are used.
   * Take the view anew after any call that may allocate.
   * @throws ERR_SHAPE when column j is not coded; ERR_ENGINE when the batch was freed
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
