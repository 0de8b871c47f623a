import type { ColumnsBatch } from '../../bindings/columnsBatch.ts';
import { dictionaryOf } from '../../bindings/dictionaryColumns.ts';

/** The rows of a batch, one at a time and without their zeros, in places of some of its slots. */
export class SlotRow {
  /** places of the entries of the row, ascending, the intercept last */
  readonly at: Int32Array;
  /** values of the entries */
  readonly x: Float64Array;
  readonly #columns: readonly {
    readonly cells: ArrayLike<number>;
    readonly first: number;
    readonly numeric: boolean;
    /** of a dictionary column, whose cells are places in it */
    readonly values: Float64Array | null;
  }[];
  readonly #place: Int32Array;
  readonly #intercept: number;

  /** @param active  slots, then the intercept (batch.slots) */
  constructor(batch: ColumnsBatch, active: ArrayLike<number>) {
    const { specs, offsets, slots } = batch;
    this.#place = new Int32Array(slots).fill(-1);
    for (let j = 0; j < active.length; j++) if (active[j] < slots) this.#place[active[j]] = j;
    this.#columns = specs.map((spec, c) => {
      const numeric = spec.kind === 'numeric';
      const found = numeric ? dictionaryOf(batch, c) : null;
      const cells = found ? found.places : numeric ? batch.numeric(c) : batch.codes(c);
      return { cells, first: offsets[c], numeric, values: found?.values ?? null };
    });
    this.at = new Int32Array(specs.length + 1);
    this.x = new Float64Array(specs.length + 1);
    this.#intercept = active.length - 1;
  }

  /** Reads row i into `at` and `x`. @returns the number of entries */
  read(i: number): number {
    const { at, x } = this;
    let count = 0;
    for (const { cells, first, numeric, values } of this.#columns) {
      const place = this.#place[first + (numeric ? 0 : cells[i])];
      if (place < 0) continue;
      at[count] = place;
      x[count++] = numeric ? (values ? values[cells[i]] : cells[i]) : 1;
    }
    at[count] = this.#intercept;
    x[count] = 1;
    return count + 1;
  }

  /** Σ xⱼwⱼ of the row that was read. */
  dot(count: number, w: Float64Array): number {
    let sum = 0;
    for (let k = 0; k < count; k++) sum += this.x[k] * w[this.at[k]];
    return sum;
  }

  /** Adds w·xxᵀ of the row that was read to the lower triangle of a matrix of `size` columns. */
  addSquare(count: number, w: number, matrix: Float64Array, size: number): void {
    const { at, x } = this;
    for (let a = 0; a < count; a++) {
      const own = at[a] * size;
      const value = w * x[a];
      for (let b = 0; b <= a; b++) matrix[own + at[b]] += value * x[b];
    }
  }
}
