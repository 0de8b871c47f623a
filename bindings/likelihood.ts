/**
 * The likelihood of one encoded data set, as solvers see it: sums, no penalty, no scaling.
 *
 *   binomial      z = X·w + intercept + offset,      loss(y, z) = log(1 + exp(z)) − y·z
 *   multinomial   z_j = X·w_j + intercept_j,         loss(y, z) = log Σ exp(z_j) − z_y
 *
 * `parameters` = classes · (slots + 1), classes = 1 for the binomial; each class has its slots, then its intercept.
 * All vectors are Float64Array in JavaScript memory, all matrices row-major and symmetric with both triangles.
 */
export interface Likelihood {
  readonly rows: number;
  /** weight vectors: 1 for the binomial */
  readonly classes: number;
  readonly parameters: number;
  /** Σ sᵢ (sample weights) */
  readonly totalWeight: number;
  /** @returns Σ sᵢ·loss(yᵢ, zᵢ) in nats */
  loss(params: Float64Array): number;
  /**
   * Evaluates at a point: writes the gradient, Xᵀ(s·(p − y)) with the intercepts' sums.
   * @returns the point, which has the loss, and the Hessian until the likelihood is evaluated again
   */
  at(params: Float64Array, gradient: Float64Array): LikelihoodPoint;
  /**
   * Writes XᵀCX, C = diag(c), of the features and the intercept (last).
   * @param c    length rows, of any sign
   * @param out  (slots + 1)²
   */
  gram(c: Float64Array, out: Float64Array): void;
  /** Writes the logits (offset included): a plane of `rows` values for every class. */
  logits(params: Float64Array, out: Float64Array): void;
  /**
   * The likelihood of the same rows with some of the columns only, the others' weights being 0. This one must outlive it.
   * @param slots  wanted, ascending
   * @returns with it the slots that it has: of a category of layout `columns` all levels
   */
  select(slots: Int32Array): { readonly likelihood: Likelihood; readonly from: Int32Array };
  /** Gives the memory back to the engine. Other methods refuse afterwards, and once the batch was freed (ERR_ENGINE). */
  free(): void;
  [Symbol.dispose](): void;
}

/**
 * A point at which a likelihood was evaluated. The curvature of every row is kept for one point at a time: that of the last `at`.
 * `loss`, `logits` and `gram` leave it.
 */
export interface LikelihoodPoint {
  /** Σ sᵢ·loss(yᵢ, zᵢ) in nats */
  readonly loss: number;
  /**
   * Writes the Hessian: block (j, k) is XᵀSX with S = diag(sᵢ·p_ij·([j = k] − p_ik)).
   * @param out   parameters × parameters
   * @param most  where there are more rows: about so many of them, evenly spaced, in place of all (scaled accordingly)
   * @throws ERR_RANGE once the likelihood was evaluated again
   */
  hessian(out: Float64Array, most?: number): void;
  /** Writes H·v without forming the Hessian H: two passes over the data. @throws ERR_RANGE as `hessian` */
  hessianVector(v: Float64Array, out: Float64Array): void;
}
