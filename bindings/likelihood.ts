/**
 * The binomial likelihood of one encoded data set, as solvers see it: sums, no penalty, no scaling.
 *
 *   z = X·w + intercept + offset,   loss(y, z) = log(1 + exp(z)) − y·z
 *
 * `parameters` = slots + 1; the intercept is the last parameter. All vectors are Float64Array in JavaScript memory.
 */
export interface Likelihood {
  readonly rows: number;
  readonly parameters: number;
  /** Σ sᵢ (sample weights) */
  readonly totalWeight: number;
  /** @returns Σ sᵢ·loss(yᵢ, zᵢ) in nats */
  loss(params: Float64Array): number;
  /** Writes Σ sᵢ·(σ(zᵢ) − yᵢ)·(xᵢ, 1) to `gradient`. @returns the loss at the same point */
  lossGradient(params: Float64Array, gradient: Float64Array): number;
  /**
   * Writes XᵀSX with S = diag(sᵢ·σ(zᵢ)·(1 − σ(zᵢ))) at the point of the last `lossGradient`
   * (intercept as last row and column): parameters × parameters, row-major, symmetric, both triangles.
   */
  hessian(out: Float64Array): void;
  /** Writes the logits (offset included) of all rows. */
  logits(params: Float64Array, out: Float64Array): void;
  /** Releases the memory behind it; other methods must not be called afterwards. */
  free(): void;
}
