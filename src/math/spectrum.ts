import { dotRows } from './cholesky.ts';

/** Relative change of the eigenvalue, over `STEPS` steps, below which it is found. */
const SETTLED = 1e-12;
const STEPS = 8;

/**
 * The largest eigenvalue of a symmetric positive definite matrix A, by Lanczos's method: the matrix is projected on the space of v, A·v, A²·v, …, with
 * full reorthogonalisation, until the largest eigenvalue of the projection stays. A few dozen products with the matrix do, and n of them are exact.
 * @param product  A·v
 * @param n        rows of A
 * @see Golub, Van Loan, Matrix Computations, 10.1 to 10.3
 */
export function largestEigenvalue(product: (v: Float64Array) => Float64Array, n: number): number {
  const diagonal: number[] = [];
  const beside = [0];
  const basis: Float64Array[] = [];
  // a component in every direction
  let next: Float64Array = Float64Array.from({ length: n }, (_, j) => 1 + ((j * 0.618034) % 1));
  let length = Math.sqrt(dotRows(next, 0, next, 0, n));
  let found = Number.NaN;
  for (;;) {
    const v = next.map((value) => value / length);
    basis.push(v);
    next = product(v);
    diagonal.push(dotRows(next, 0, v, 0, n));
    // twice is enough (Kahan, Parlett)
    for (let time = 0; time < 2; time++) {
      for (const one of basis) {
        const share = dotRows(next, 0, one, 0, n);
        for (let j = 0; j < n; j++) next[j] -= share * one[j];
      }
    }
    length = Math.sqrt(dotRows(next, 0, next, 0, n));
    const whole = basis.length === n || !(length > Number.EPSILON * diagonal[0]);
    if (whole || basis.length % STEPS === 0) {
      const before = found;
      found = largestOf(diagonal, beside);
      if (whole || Math.abs(found - before) <= SETTLED * found) return found;
    }
    beside.push(length);
  }
}

/**
 * The largest eigenvalue of a symmetric tridiagonal matrix, by bisection on the number of eigenvalues below a point.
 * @param beside  for each entry of the diagonal but the first, the entry above it
 * @see Golub, Van Loan, Matrix Computations, 8.4.1
 */
function largestOf(diagonal: readonly number[], beside: readonly number[]): number {
  const n = diagonal.length;
  // Gershgorin's discs hold all of them
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < n; k++) {
    const radius = Math.abs(beside[k]) + (k + 1 < n ? Math.abs(beside[k + 1]) : 0);
    low = Math.min(low, diagonal[k] - radius);
    high = Math.max(high, diagonal[k] + radius);
  }
  const allBelow = (point: number): boolean => {
    let pivot = 1;
    for (let k = 0; k < n; k++) {
      pivot = diagonal[k] - point - (k > 0 ? (beside[k] * beside[k]) / pivot : 0);
      if (!(pivot < 0)) return false;
    }
    return true;
  };
  for (let middle = (low + high) / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if (allBelow(middle)) high = middle;
    else low = middle;
  }
  return high;
}
