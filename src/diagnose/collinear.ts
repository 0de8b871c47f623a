import { dotRows, logDeterminant } from '../math/cholesky.ts';
import { largestEigenvalue } from '../math/spectrum.ts';

/** How nearly the columns of a fit are linear combinations of each other. */
export interface Conditioning {
  /** √(λ_max/λ_min) of XᵀWX with its diagonal scaled to 1 */
  readonly number: number;
  /** share of each parameter's variance that comes from the direction of λ_min, 0 to 1 */
  readonly share: Float64Array;
}

/**
 * Condition number of W^½·X with columns of unit length, and which parameters the worst direction concerns.
 *
 *   share_j = v_j²/λ_min / Σ_k v_jk²/λ_k,   v the eigenvector of λ_min
 *
 * Above 30 the estimates suffer, above 100 strongly. Two or more parameters with a share above ½ are involved.
 *
 * @param information  XᵀWX, size × size, row-major, positive definite
 * @param inverse      its inverse
 * @see Belsley, Kuh, Welsch, Regression Diagnostics, 1980, 3.2
 */
export function conditioning(information: Float64Array, inverse: Float64Array, size: number): Conditioning {
  const length = Float64Array.from({ length: size }, (_, j) => Math.sqrt(information[j * size + j]));
  const scaled = new Float64Array(size * size);
  const solved = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const both = length[i] * length[j];
      scaled[i * size + j] = information[i * size + j] / both;
      solved[i * size + j] = inverse[i * size + j] * both;
    }
  }
  const greatest = largestEigenvalue(scaled, size);
  const least = 1 / largestEigenvalue(solved, size);
  // Inverse iteration: when it matters, λ_min is far below the others, and the start has a component in every direction.
  let v = Float64Array.from({ length: size }, (_, j) => 1 + ((j * 0.618034) % 1));
  for (let step = 0; step < 20; step++) {
    const next = new Float64Array(size);
    let square = 0;
    for (let i = 0; i < size; i++) {
      next[i] = dotRows(solved, i * size, v, 0, size);
      square += next[i] ** 2;
    }
    v = next.map((value) => value / Math.sqrt(square));
  }
  return {
    number: Math.sqrt(greatest / least),
    share: v.map((value, j) => Math.min(1, value ** 2 / least / solved[j * size + j])),
  };
}

/**
 * Generalised variance inflation of a group of parameters (the slots of a feature), without the intercept: how much larger their joint
 * confidence region is than with uncorrelated columns, per parameter and squared. One column gives the usual factor 1/(1 − R²).
 *
 *   (det R₁₁ · det R₂₂ / det R)^(1/d),   R the correlations of the estimates, d the columns of the group
 *
 * Computed as det C₁₁ · det M₁₁, C the inverse of XᵀWX and M the Schur complement of the intercept in XᵀWX.
 *
 * @param information  XᵀWX, size × size, row-major, positive definite, the intercept last
 * @param inverse      its inverse
 * @param group        indices of the group
 * @see Fox, Monette, Generalized collinearity diagnostics, JASA 87, 1992
 */
export function inflation(
  information: Float64Array,
  inverse: Float64Array,
  size: number,
  group: readonly number[],
): number {
  const last = size - 1;
  const d = group.length;
  const block = (cell: (i: number, j: number) => number) => {
    const matrix = new Float64Array(d * d);
    for (let i = 0; i < d; i++) for (let j = 0; j <= i; j++) matrix[i * d + j] = cell(group[i], group[j]);
    return logDeterminant(matrix, d);
  };
  const estimates = block((i, j) => inverse[i * size + j]);
  const columns = block(
    (i, j) =>
      information[i * size + j] -
      (information[i * size + last] * information[j * size + last]) / information[last * size + last],
  );
  return Math.exp((estimates + columns) / d);
}
