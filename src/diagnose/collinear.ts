import { BorderedFactor, longest } from '../math/bordered.ts';
import { dotRows, logDeterminant, multiply, submatrix } from '../math/cholesky.ts';
import { largestEigenvalue } from '../math/spectrum.ts';

/** Largest change of an entry of a unit vector in a step, below which the vector is found. */
const SETTLED = 1e-9;

/** How nearly the columns of a fit are linear combinations of each other. */
export interface Conditioning {
  /** √(λ_max/λ_min) of XᵀWX with its diagonal scaled to 1 */
  readonly number: number;
  /** share of each parameter's variance that comes from the direction of λ_min, 0 to 1; computed when it is asked for, which costs as much again */
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
 * @param factor       its factor
 * @see Belsley, Kuh, Welsch, Regression Diagnostics, 1980, 3.2
 */
export function conditioning(information: Float64Array, factor: BorderedFactor): Conditioning {
  const { size } = factor;
  const length = Float64Array.from({ length: size }, (_, j) => Math.sqrt(information[j * (size + 1)]));
  const over = (v: Float64Array) => {
    const out = new Float64Array(size);
    for (let j = 0; j < size; j++) out[j] = v[j] / length[j];
    return out;
  };
  const times = (v: Float64Array) => {
    const out = new Float64Array(size);
    for (let j = 0; j < size; j++) out[j] = v[j] * length[j];
    return out;
  };
  const solve = (v: Float64Array) => times(factor.solve(times(v)));
  const greatest = largestEigenvalue((v) => over(multiply(information, over(v))), size);
  const least = 1 / largestEigenvalue(solve, size);
  return {
    number: Math.sqrt(greatest / least),
    get share() {
      const variance = factor.inverseDiagonal();
      return worstDirection(solve, size).map((value, j) =>
        Math.min(1, value ** 2 / least / (variance[j] * length[j] ** 2)),
      );
    },
  };
}

/** Inverse iteration: when it matters, λ_min is far below the others, and the start has a component in every direction. */
function worstDirection(solve: (v: Float64Array) => Float64Array, size: number): Float64Array {
  let v: Float64Array = Float64Array.from({ length: size }, (_, j) => 1 + ((j * 0.618034) % 1));
  for (let step = 0, change = 1; step < 20 && change > SETTLED; step++) {
    const next = solve(v);
    const norm = Math.sqrt(dotRows(next, 0, next, 0, size));
    change = 0;
    for (let j = 0; j < size; j++) {
      next[j] /= norm;
      change = Math.max(change, Math.abs(next[j] - v[j]));
    }
    v = next;
  }
  return v;
}

/**
 * Generalised variance inflation of a group of parameters (the slots of a feature), without the intercept: how much larger their joint
 * confidence region is than with uncorrelated columns, per parameter and squared. One column gives the usual factor 1/(1 − R²).
 *
 *   (det R₁₁ · det R₂₂ / det R)^(1/d),   R the correlations of the estimates, d the columns of the group
 *
 * Computed as det C₁₁ · det M₁₁, C the inverse of XᵀWX and M the Schur complement of the intercept in XᵀWX; det C₁₁ = det A₂₂ / det A is that of
 * the matrix without the group.
 *
 * @param information  XᵀWX, size × size, row-major, positive definite, the intercept last
 * @param factor       its factor
 * @param group        indices of the group
 * @param levels       indices of columns that exclude one another, for each category
 * @see Fox, Monette, Generalized collinearity diagnostics, JASA 87, 1992
 */
export function inflation(
  information: Float64Array,
  factor: BorderedFactor,
  group: readonly number[],
  levels: readonly (readonly number[])[],
): number {
  const { size } = factor;
  const last = size - 1;
  const d = group.length;
  const columns = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    const row = group[i] * size;
    const share = information[row + last] / information[last * size + last];
    for (let j = 0; j <= i; j++)
      columns[i * d + j] = information[row + group[j]] - share * information[group[j] * size + last];
  }
  return Math.exp((logVariance(information, factor, group, levels) + logDeterminant(columns, d)) / d);
}

/** log det C₁₁: of a few columns from those of the inverse, of many from the matrix without them. */
function logVariance(
  information: Float64Array,
  factor: BorderedFactor,
  group: readonly number[],
  levels: readonly (readonly number[])[],
): number {
  const { size } = factor;
  const d = group.length;
  if (d * d <= size) {
    const estimates = new Float64Array(d * d);
    group.forEach((id, i) => {
      const unit = new Float64Array(size);
      unit[id] = 1;
      const solved = factor.solve(unit);
      for (let j = 0; j <= i; j++) estimates[i * d + j] = solved[group[j]];
    });
    return logDeterminant(estimates, d);
  }
  const own = new Set(group);
  const others = Array.from({ length: size }, (_, j) => j).filter((j) => !own.has(j));
  const place = new Map(others.map((id, at) => [id, at]));
  const apart = levels.map((ids) => ids.flatMap((id) => place.get(id) ?? []));
  const without = BorderedFactor.of(submatrix(information, size, others), others.length, longest(apart));
  return without ? without.logDeterminant - factor.logDeterminant : Number.NaN;
}
