/**
 * Cholesky factorisation of symmetric matrices in row-major Float64Array storage, with solves and inverses for Newton steps and covariances.
 * Only the lower triangle is read and written by the factorisation. Rows are contiguous, so every inner loop is dot products of rows.
 */

/** The rows and columns `order` of a matrix of `width` columns. */
export function submatrix(matrix: Float64Array, width: number, order: readonly number[]): Float64Array {
  const size = order.length;
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const row = order[i] * width;
    for (let j = 0; j < size; j++) out[i * size + j] = matrix[row + order[j]];
  }
  return out;
}

/** A·v of a matrix of v.length columns. */
export function multiply(matrix: Float64Array, v: Float64Array): Float64Array {
  const n = v.length;
  const out = new Float64Array(matrix.length / n);
  for (let i = 0; i < out.length; i++) out[i] = dotRows(matrix, i * n, v, 0, n);
  return out;
}

/** Σ a[aStart + k]·b[bStart + k], k in [0, length): four running sums, folded (s0 + s1) + (s2 + s3). */
export function dotRows(a: Float64Array, aStart: number, b: Float64Array, bStart: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 3 < length; k += 4) {
    s0 += a[aStart + k] * b[bStart + k];
    s1 += a[aStart + k + 1] * b[bStart + k + 1];
    s2 += a[aStart + k + 2] * b[bStart + k + 2];
    s3 += a[aStart + k + 3] * b[bStart + k + 3];
  }
  for (; k < length; k++) s0 += a[aStart + k] * b[bStart + k];
  return s0 + s1 + (s2 + s3);
}

/**
 * Factors A = L·Lᵀ in place (lower triangle), in natural order, and returns the columns that depend on earlier ones.
 *
 * Column j is dependent when its pivot, the squared distance of j to the span of the earlier independent columns, is at most `tolerance`
 * times its diagonal (a pivot that is zero, negative or NaN always is). Its row and column of L become zero with a unit diagonal, so that
 * the factor is that of the independent columns alone. With A = XᵀSX and tolerance t this is R's rule for aliased columns: the later
 * column goes.
 *
 * @param a          n × n, row-major; the strict upper triangle is left alone
 * @param tolerance  least pivot relative to the diagonal: 1 − R² of a column on the earlier ones
 * @returns indices of the dependent columns, ascending; empty when A is positive definite
 * @see Golub, Van Loan, Matrix Computations, 4.2
 */
export function factorCholesky(a: Float64Array, n: number, tolerance = 0): number[] {
  const dependent: number[] = [];
  const dropped = new Uint8Array(n);
  for (let first = 0; first < n; first += TILE) {
    const end = Math.min(first + TILE, n);
    const whole = end - first === TILE ? first : 0;
    for (let j = 0; j < whole; j += 2) {
      subtractTile(a, n, first, j);
      const p = a[j * (n + 1)];
      const across = a[(j + 1) * n + j];
      const q = a[(j + 1) * (n + 1)];
      for (let at = first * n + j; at < end * n; at += n) {
        a[at] = dropped[j] ? 0 : a[at] / p;
        a[at + 1] = dropped[j + 1] ? 0 : (a[at + 1] - a[at] * across) / q;
      }
    }
    for (let i = first; i < end; i++) {
      const row = i * n;
      for (let j = whole; j < i; j++) {
        a[row + j] = dropped[j] ? 0 : (a[row + j] - dotRows(a, row, a, j * n, j)) / a[j * n + j];
      }
      const diagonal = a[row + i];
      const pivot = diagonal - dotRows(a, row, a, row, i);
      if (pivot > tolerance * diagonal && pivot < Number.POSITIVE_INFINITY) {
        a[row + i] = Math.sqrt(pivot);
      } else {
        dependent.push(i);
        dropped[i] = 1;
        a.fill(0, row, row + i);
        a[row + i] = 1;
      }
    }
  }
  return dependent;
}

/** Rows that are factored together, so that a row above them is read once for all. */
const TILE = 4;

/** a[i][j] −= Σ a[i][k]·a[j][k], k in [0, j), for four rows from i and two columns from j: eight sums that stay in registers. */
function subtractTile(a: Float64Array, n: number, i: number, j: number): void {
  const p0 = i * n;
  const p1 = p0 + n;
  const p2 = p1 + n;
  const p3 = p2 + n;
  const q0 = j * n;
  const q1 = q0 + n;
  let s00 = 0;
  let s01 = 0;
  let s10 = 0;
  let s11 = 0;
  let s20 = 0;
  let s21 = 0;
  let s30 = 0;
  let s31 = 0;
  for (let k = 0; k < j; k++) {
    const x = a[q0 + k];
    const y = a[q1 + k];
    s00 += a[p0 + k] * x;
    s01 += a[p0 + k] * y;
    s10 += a[p1 + k] * x;
    s11 += a[p1 + k] * y;
    s20 += a[p2 + k] * x;
    s21 += a[p2 + k] * y;
    s30 += a[p3 + k] * x;
    s31 += a[p3 + k] * y;
  }
  a[p0 + j] -= s00;
  a[p0 + j + 1] -= s01;
  a[p1 + j] -= s10;
  a[p1 + j + 1] -= s11;
  a[p2 + j] -= s20;
  a[p2 + j + 1] -= s21;
  a[p3 + j] -= s30;
  a[p3 + j + 1] -= s31;
}

/**
 * Solves L·Lᵀ·x = b in place.
 *
 * @param factor  n × n from `factorCholesky`, of full rank
 * @param b       length n, overwritten with x
 */
export function solveCholesky(factor: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i++) b[i] = (b[i] - dotRows(factor, i * n, b, 0, i)) / factor[i * n + i];
  for (let i = n - 1; i >= 0; i--) {
    const row = i * n;
    const x = b[i] / factor[row + i];
    b[i] = x;
    for (let k = 0; k < i; k++) b[k] -= factor[row + k] * x;
  }
}

/** log |A| of a symmetric matrix, whose lower triangle is overwritten; NaN unless it is positive definite. */
export function logDeterminant(a: Float64Array, n: number): number {
  if (factorCholesky(a, n).length > 0) return Number.NaN;
  let sum = 0;
  for (let j = 0; j < n; j++) sum += 2 * Math.log(a[j * n + j]);
  return sum;
}

/**
 * A⁻¹ = L⁻ᵀ·L⁻¹ from the factor; the factor is left alone.
 *
 * @param factor  n × n from `factorCholesky`, of full rank
 * @returns n × n, row-major, symmetric
 */
export function invertCholesky(factor: Float64Array, n: number): Float64Array {
  // Row j of `columns` holds column j of L⁻¹: entries j..n-1, zeros before.
  const columns = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const row = j * n;
    columns[row + j] = 1 / factor[row + j];
    for (let i = j + 1; i < n; i++) {
      columns[row + i] = -dotRows(factor, i * n + j, columns, row + j, i - j) / factor[i * n + i];
    }
  }
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = dotRows(columns, i * n + i, columns, j * n + i, n - i);
      inverse[i * n + j] = value;
      inverse[j * n + i] = value;
    }
  }
  return inverse;
}
