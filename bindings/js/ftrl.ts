import type { Heap } from '../heap.ts';
import type { Kernels } from '../kernels.ts';
import { expOfMinus, log1p } from './math.ts';
import { readColumn } from './scoring.ts';

/** The kernels of assembly/ftrl.ts in JavaScript: the same operations in the same order. */
export function jsFtrl(heap: Heap): Pick<Kernels, 'ftrlSparse' | 'ftrlColumns'> {
  return {
    ftrlSparse(rowPtr, colIdx, values, kind, n, y, s, offset, state, slots, alpha, beta, l1, l2, loss, _scratch) {
      const { u32 } = heap;
      const data = kind ? heap.f64 : heap.f32;
      const row = new Row(heap, state, slots, alpha, beta, l1, l2);
      let sum = loss;
      for (let i = 0; i < n; i++) {
        const from = u32[(rowPtr >>> 2) + i];
        row.count = u32[(rowPtr >>> 2) + i + 1] - from;
        for (let e = 0; e < row.count; e++) {
          row.column[e] = u32[(colIdx >>> 2) + from + e];
          row.x[e] = values ? data[(values >>> (kind ? 3 : 2)) + from + e] : 1;
        }
        sum += row.learn(y, s, offset, i);
      }
      return sum;
    },

    ftrlColumns(table, columns, n, y, s, offset, state, slots, alpha, beta, l1, l2, loss, _scratch) {
      const row = new Row(heap, state, slots, alpha, beta, l1, l2);
      const all = Array.from({ length: columns }, (_, j) => readColumn(heap, table, j, 0));
      row.count = columns;
      let sum = loss;
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < columns; j++) {
          const { coded, slot, data } = all[j];
          row.column[j] = coded ? slot + data[i] : slot;
          row.x[j] = coded ? 1 : data[i];
        }
        sum += row.learn(y, s, offset, i);
      }
      return sum;
    },
  };
}

/** One row at work; its arrays have an entry for each of the row, and the intercept's last. */
class Row {
  count = 0;
  readonly column: number[] = [];
  readonly x: number[] = [];
  readonly #q: number[] = [];
  readonly #w: number[] = [];
  readonly #f64: Float64Array;
  readonly #state: number;
  readonly #slots: number;
  readonly #rate: number;
  readonly #base: number;
  readonly #l1: number;
  readonly #l2: number;

  constructor(heap: Heap, state: number, slots: number, alpha: number, beta: number, l1: number, l2: number) {
    this.#f64 = heap.f64;
    this.#state = state >>> 3;
    this.#slots = slots;
    this.#rate = 1 / alpha;
    this.#base = beta * this.#rate;
    this.#l1 = l1;
    this.#l2 = l2;
  }

  /** Learns the `count` entries of row i. @returns its loss before */
  learn(y: number, s: number, offset: number, i: number): number {
    const { count, column, x } = this;
    const f64 = this.#f64;
    let even = 0;
    let odd = 0;
    for (let e = 0; e < count; e++) {
      // a coordinate read holds −1 − (its entry) as q until it is written: one that repeats finds the first
      const mark = this.#state + 2 * column[e] + 1;
      const first = f64[mark] < 0 ? -1 - f64[mark] : e;
      const w = first < e ? this.#w[first] : this.#derive(e, column[e], this.#base + this.#l2, this.#l1);
      if (e & 1) odd += x[e] * w;
      else even += x[e] * w;
      if (first < e) {
        x[first] += x[e];
        column[e] = -1;
      } else f64[mark] = -1 - e;
    }
    odd += this.#derive(count, this.#slots, this.#base, 0);
    const logit = even + odd + (offset ? f64[(offset >>> 3) + i] : 0);

    const yi = f64[(y >>> 3) + i];
    const si = s ? f64[(s >>> 3) + i] : 1;
    const t = expOfMinus(Math.abs(logit));
    const rest = 1 - yi;
    const positive = logit > 0;
    const residual = si * ((positive ? rest - yi * t : rest * t - yi) * (1 / (1 + t)));
    for (let e = 0; e < count; e++) if (column[e] >= 0) this.#move(e, column[e], residual * x[e]);
    this.#move(count, this.#slots, residual);
    return si * (log1p(t) + (positive ? rest : -yi) * logit);
  }

  /** The weight of a coordinate, kept with q at `e`. */
  #derive(e: number, index: number, base: number, l1: number): number {
    const z = this.#f64[this.#state + 2 * index];
    const q = this.#f64[this.#state + 2 * index + 1];
    const over = Math.abs(z) - l1;
    const size = over > 0 ? over : 0;
    const w = (z < 0 ? size : -size) / (q * this.#rate + base);
    this.#q[e] = q;
    this.#w[e] = w;
    return w;
  }

  #move(e: number, index: number, g: number): void {
    const q = this.#q[e];
    const next = Math.sqrt(q * q + g * g);
    const sigma = (next - q) * this.#rate;
    this.#f64[this.#state + 2 * index] += g - sigma * this.#w[e];
    this.#f64[this.#state + 2 * index + 1] = next;
  }
}
