/**
 * The likelihood of one encoded data set, as solvers see it: sums, no penalty, no scaling.
 *
 *   binomial      z = X·w + intercept + offset,      loss(y, z) = log(1 + exp(z)) − y·z
 *   multinomial   z_j = X·w_j + intercept_j,         loss(y, z) = log Σ exp(z_j) − z_y
 *
 * `parameters` = classes · (slots + 1), classes = 1 for the binomial; each class has its slots, then its intercept.
 * All vectors are Float64Array in JavaScript memory.
 */
export interface Likelihood {
  readonly rows: number;
  readonly parameters: number;
  /** Σ sᵢ (sample weights) */
  readonly totalWeight: number;
  /** @returns Σ sᵢ·loss(yᵢ, zᵢ) in nats */
  loss(params: Float64Array): number;
  /** Writes the gradient, Xᵀ(s·(p − y)) with the intercepts' sums, to `gradient`. @returns the loss at the same point */
  lossGradient(params: Float64Array, gradient: Float64Array): number;
  /**
   * Writes H·v, H the Hessian at the point of the last `lossGradient`, without forming H: two passes over the data.
   */
  hessianVector(v: Float64Array, out: Float64Array): void;
  /** Releases the memory behind it; other methods must not be called afterwards. */
  free(): void;
}

/** The likelihood of a binary target, whose Hessian is small enough to form. */
export interface BinaryLikelihood extends Likelihood {
  /**
   * Writes XᵀSX with S = diag(sᵢ·σ(zᵢ)·(1 − σ(zᵢ))) at the point of the last `lossGradient`
   * (intercept as last row and column): parameters × parameters, row-major, symmetric, both triangles.
   */
  hessian(out: Float64Array): void;
  /** Writes the logits (offset included) of all rows. */
  logits(params: Float64Array, out: Float64Array): void;
}
