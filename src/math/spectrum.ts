/** A symmetric tridiagonal matrix: its diagonal, and for each entry but the first the entry above it. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly beside: Float64Array;
}

/**
 * Reduces a symmetric matrix to Q·T·Qᵀ by Householder reflections, T tridiagonal. Q is not formed. 4/3·n³ multiplications.
 * @param matrix  n × n, row-major; not changed
 * @see Golub, Van Loan, Matrix Computations, 8.3.1
 */
export function tridiagonal(matrix: Float64Array, n: number): Tridiagonal {
  const a = matrix.slice();
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const v = new Float64Array(n);
  const p = new Float64Array(n);
  for (let k = n - 1; k > 0; k--) {
    // the reflection that leaves of row k, left of the diagonal, one entry
    const row = k * n;
    let largest = 0;
    for (let j = 0; j < k; j++) largest = Math.max(largest, Math.abs(a[row + j]));
    diagonal[k] = a[row + k];
    if (largest === 0) continue;
    let square = 0;
    for (let j = 0; j < k; j++) {
      v[j] = a[row + j] / largest;
      square += v[j] * v[j];
    }
    const norm = v[k - 1] > 0 ? -Math.sqrt(square) : Math.sqrt(square);
    beside[k] = largest * norm;
    square -= v[k - 1] * norm;
    v[k - 1] -= norm;
    // A ← A − v·qᵀ − q·vᵀ,   q = p − (p·v / 2h)·v,   p = A·v/h,   h = v·v/2
    let share = 0;
    for (let i = 0; i < k; i++) {
      let sum = 0;
      for (let j = 0; j < k; j++) sum += a[i * n + j] * v[j];
      p[i] = sum / square;
      share += p[i] * v[i];
    }
    share /= 2 * square;
    for (let i = 0; i < k; i++) p[i] -= share * v[i];
    for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) a[i * n + j] -= v[i] * p[j] + p[i] * v[j];
  }
  if (n > 0) diagonal[0] = a[0];
  return { diagonal, beside };
}

/**
 * The smallest and the largest eigenvalue, by bisection on the number of eigenvalues below a point, up to rounding of the one that is largest in size.
 * @see Golub, Van Loan, Matrix Computations, 8.4.1
 */
export function extremes({ diagonal, beside }: Tridiagonal): { least: number; greatest: number } {
  const n = diagonal.length;
  // Gershgorin's discs hold all of them
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < n; k++) {
    const radius = Math.abs(beside[k]) + (k + 1 < n ? Math.abs(beside[k + 1]) : 0);
    low = Math.min(low, diagonal[k] - radius);
    high = Math.max(high, diagonal[k] + radius);
  }
  const below = (point: number): number => {
    let count = 0;
    let pivot = 1;
    for (let k = 0; k < n; k++) {
      pivot = diagonal[k] - point - (k > 0 ? (beside[k] * beside[k]) / pivot : 0);
      if (pivot === 0) pivot = -Number.MIN_VALUE;
      if (pivot < 0) count++;
    }
    return count;
  };
  const bisect = (count: number): number => {
    let [a, b] = [low, high];
    for (let middle = (a + b) / 2; middle > a && middle < b; middle = (a + b) / 2) {
      if (below(middle) >= count) b = middle;
      else a = middle;
    }
    return b;
  };
  return { least: bisect(1), greatest: bisect(n) };
}

/** log |T|; NaN unless T is positive definite */
export function logDeterminant({ diagonal, beside }: Tridiagonal): number {
  let sum = 0;
  let pivot = 1;
  for (let k = 0; k < diagonal.length; k++) {
    pivot = diagonal[k] - (k > 0 ? (beside[k] * beside[k]) / pivot : 0);
    if (!(pivot > 0)) return Number.NaN;
    sum += Math.log(pivot);
  }
  return sum;
}
