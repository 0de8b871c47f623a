import { index, numbersOf, precisionOf, size, told } from './check.ts';
import { LogoddsError } from './errors.ts';
import { Handle } from './handle.ts';
import type { Heap } from './heap.ts';
import type { ScoringKernels } from './kernels.ts';
import { BYTES, type NumbersOf, type Precision, planeStride } from './layout.ts';
import { type Vector, windowOf } from './vector.ts';
import type { Weights } from './weights.ts';

/**
 * A batch of dense rows, row-major, padded with zeros to `stride` values: row i starts at `view[i · stride]`. `engine.rows` makes one.
 * **It holds memory of the engine until `free`.**
 * @example
 * const batch = engine.rows(2, 3);
 * batch.set([1, 2, 3, 4, 5, 6]);
 * batch.stride; // 4
 * batch.view; // [1, 2, 3, 0, 4, 5, 6, 0]
 */
export class RowsBatch<P extends Precision = Precision> extends Handle {
  readonly layout = 'rows';
  readonly rows: number;
  readonly precision: P;
  /** number of features */
  readonly slots: number;
  /** number of values from one row to the next: `slots` rounded up to a multiple of 4 */
  readonly stride: number;
  readonly #window: () => NumbersOf<P>;
  /** @internal */
  readonly address: number;

  /** @throws ERR_RANGE, ERR_MEMORY */
  constructor(heap: Heap, rows: number, features: number, precision: P) {
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
   * All rows · stride values. **Keep the padding zero.** Take the view anew after any call that may allocate. A view taken before `free()` is not
   * guarded: afterwards it shows whatever lies there.
   * @throws ERR_ENGINE when the batch was freed
   */
  get view(): NumbersOf<P> {
    return this.#window();
  }

  /**
   * Copies packed rows (row-major, no padding) into the batch, from row `first` on.
   * @param values  a whole number of rows of `slots` values each
   * @param first   default 0
   * @throws ERR_SHAPE when they do not fit or are no numbers; ERR_RANGE when `first` is no row; ERR_ENGINE when the batch was freed
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
