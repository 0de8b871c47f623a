import { factorCholesky, invertCholesky, solveCholesky, submatrix } from './cholesky.ts';

/**
 * Factor of a symmetric positive definite matrix with columns that have nothing in common, as the levels of one category in XᵀWX: among
 * themselves they are 0 beside the diagonal.
 *
 *   A = [D B; Bᵀ C],   S = C − BᵀD⁻¹B = L·Lᵀ
 *
 * B is kept without its zeros, so that with many levels most of the work of a plain factor is left out.
 * @see Golub, Van Loan, Matrix Computations, 4.2; Boyd, Vandenberghe, Convex Optimization, C.4
 */
export class BorderedFactor {
  readonly size: number;
  /** log |A| */
  readonly logDeterminant: number;
  readonly #apart: readonly number[];
  readonly #rest: readonly number[];
  readonly #diagonal: Float64Array;
  /** the entries of row i of B from start[i] on: their columns, and their values */
  readonly #start: Int32Array;
  readonly #column: Int32Array;
  readonly #value: Float64Array;
  readonly #factor: Float64Array;

  /**
   * @param a      n × n, row-major, symmetric
   * @param apart  rows and columns of D, ascending
   * @returns null unless the matrix is positive definite
   */
  static of(a: Float64Array, n: number, apart: readonly number[]): BorderedFactor | null {
    const factor = new BorderedFactor(a, n, apart);
    return Number.isNaN(factor.logDeterminant) ? null : factor;
  }

  private constructor(a: Float64Array, n: number, apart: readonly number[]) {
    const own = new Set(apart);
    const rest = Array.from({ length: n }, (_, j) => j).filter((j) => !own.has(j));
    const m = rest.length;
    const start = new Int32Array(apart.length + 1);
    const column = new Int32Array(apart.length * m);
    const value = new Float64Array(apart.length * m);
    const schur = submatrix(a, n, rest);
    this.#diagonal = Float64Array.from(apart, (j) => a[j * (n + 1)]);
    let count = 0;
    let log = 0;
    apart.forEach((id, i) => {
      const d = this.#diagonal[i];
      for (let j = 0; j < m; j++) {
        const cell = a[id * n + rest[j]];
        if (cell === 0) continue;
        column[count] = j;
        value[count++] = cell;
      }
      start[i + 1] = count;
      for (let p = start[i]; p < count; p++) {
        const share = value[p] / d;
        const row = column[p] * m;
        for (let q = start[i]; q <= p; q++) schur[row + column[q]] -= share * value[q];
      }
      // of a number that is not positive no logarithm
      log += d > 0 ? Math.log(d) : Number.NaN;
    });
    if (factorCholesky(schur, m).length > 0) log = Number.NaN;
    for (let j = 0; j < m; j++) log += 2 * Math.log(schur[j * (m + 1)]);
    this.size = n;
    this.logDeterminant = log;
    this.#apart = apart;
    this.#rest = rest;
    this.#start = start;
    this.#column = column;
    this.#value = value;
    this.#factor = schur;
  }

  /** Returns A⁻¹·b. */
  solve(b: Float64Array): Float64Array {
    const apart = this.#apart;
    const rest = this.#rest;
    const inner = new Float64Array(rest.length);
    const x = new Float64Array(this.size);
    for (let j = 0; j < inner.length; j++) inner[j] = b[rest[j]];
    for (let i = 0; i < apart.length; i++) {
      const own = b[apart[i]] / this.#diagonal[i];
      x[apart[i]] = own;
      for (let p = this.#start[i]; p < this.#start[i + 1]; p++) inner[this.#column[p]] -= this.#value[p] * own;
    }
    solveCholesky(this.#factor, inner.length, inner);
    for (let j = 0; j < inner.length; j++) x[rest[j]] = inner[j];
    for (let i = 0; i < apart.length; i++) {
      let sum = 0;
      for (let p = this.#start[i]; p < this.#start[i + 1]; p++) sum += this.#value[p] * inner[this.#column[p]];
      x[apart[i]] -= sum / this.#diagonal[i];
    }
    return x;
  }

  /** Returns the pivots of the elimination of D, then of S: the squared distances of each column to the span of those before it. */
  pivots(): Float64Array {
    const m = this.#rest.length;
    const out = new Float64Array(this.size);
    this.#apart.forEach((id, i) => {
      out[id] = this.#diagonal[i];
    });
    this.#rest.forEach((id, j) => {
      out[id] = this.#factor[j * (m + 1)] ** 2;
    });
    return out;
  }

  /** Returns the diagonal of A⁻¹. */
  inverseDiagonal(): Float64Array {
    const m = this.#rest.length;
    const inverse = invertCholesky(this.#factor, m);
    const out = new Float64Array(this.size);
    this.#rest.forEach((id, j) => {
      out[id] = inverse[j * (m + 1)];
    });
    this.#apart.forEach((id, i) => {
      const d = this.#diagonal[i];
      let sum = 0;
      for (let p = this.#start[i]; p < this.#start[i + 1]; p++) {
        const row = this.#column[p] * m;
        for (let q = this.#start[i]; q < this.#start[i + 1]; q++)
          sum += this.#value[p] * this.#value[q] * inverse[row + this.#column[q]];
      }
      out[id] = 1 / d + sum / (d * d);
    });
    return out;
  }
}

/** The longest of some lists of columns, for which the factor leaves out most; empty if there are none. */
export const longest = (lists: readonly (readonly number[])[]): readonly number[] =>
  lists.reduce((long, list) => (list.length > long.length ? list : long), []);
