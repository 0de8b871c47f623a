/**
 * The likelihood of one encoded data set, as solvers use it: sums, without penalty or scaling. `engine.likelihood` and `engine.multinomial` make one.
 *
 *   binomial      z = X·w + intercept + offset,      loss(y, z) = log(1 + exp(z)) − y·z
 *   multinomial   z_j = X·w_j + intercept_j,         loss(y, z) = log Σ exp(z_j) − z_y
 *
 * `parameters` = classes · (slots + 1), where classes is 1 for the binomial. Each class has its slots, then its intercept. All vectors are
 * Float64Array in JavaScript memory. All matrices are row-major and symmetric, with both triangles.
 */
export interface Likelihood {
  readonly rows: number;
  /** number of weight vectors: 1 for the binomial */
  readonly classes: number;
  readonly parameters: number;
  /** Σ sᵢ (sample weights) */
  readonly totalWeight: number;
  /** Returns Σ sᵢ·loss(yᵢ, zᵢ), in nats. */
  loss(params: Float64Array): number;
  /**
   * Evaluates the likelihood at a point. **Writes the gradient**, Xᵀ(s·(p − y)) with the sums for the intercepts.
   * @returns the point with its loss; its Hessian is available until the likelihood is evaluated again
   */
  at(params: Float64Array, gradient: Float64Array): LikelihoodPoint;
  /**
   * Computes XᵀCX, C = diag(c), of the features and the intercept (last). **Writes `out`.**
   * @param c     length rows, of any sign; null: the sample weights
   * @param out   (slots + 1)²
   * @param most  use about this many rows as a sample, as `hessian` does; default all rows
   */
  gram(c: Float64Array | null, out: Float64Array, most?: number): void;
  /**
   * Computes Xᵀr, of the features and the intercept (last). **Writes `out`.**
   * @param r    length rows
   * @param out  slots + 1
   */
  transpose(r: Float64Array, out: Float64Array): void;
  /**
   * Computes Σⱼ (xᵢ·vⱼ)² of every row in one pass over the data; the rows of L⁻¹ give xᵢᵀA⁻¹xᵢ with A = LLᵀ. **Writes `out`.**
   * @param vectors  any number of vⱼ, one after another: for each its slots, then the intercept
   * @param out      length rows
   */
  squares(vectors: Float64Array, out: Float64Array): void;
  /** Computes the logits (offset included), a plane of `rows` values for every class. **Writes `out`.** */
  logits(params: Float64Array, out: Float64Array): void;
  /**
   * Returns the likelihood of the same rows with only some of the columns; the weights of the others are 0. **This likelihood must outlive it.**
   * @param slots  wanted, ascending
   * @returns the likelihood and the slots that it has: for a category of layout `columns` all levels
   */
  select(slots: Int32Array): { readonly likelihood: Likelihood; readonly from: Int32Array };
  /**
   * Returns the likelihood of `most` of the rows, spread evenly over all, with sums of their own: nothing is scaled. It has a copy of the rows.
   * **This likelihood must outlive it.** Absent where the rows are not in memory.
   */
  sample?(most: number): Likelihood;
  /** Sums that are otherwise formed from the logits of all rows. Present where these are not at hand: the rows are on other machines. */
  readonly elsewhere?: SumsElsewhere;
  /**
   * Gives the memory back to the engine. **Other methods throw ERR_ENGINE afterwards,** and also once the batch was freed.
   */
  free(): void;
  /** Calls `free`, at the end of a block that began with `using`. */
  [Symbol.dispose](): void;
}

/** What is asked of rows that are on other machines in place of their logits; `gram` with factors, `transpose`, `squares` and `logits` then throw. */
export interface SumsElsewhere {
  /** Whether the logits without offset are right in every row of positive weight: of the sign of the label, or greatest for the true class. */
  separates(params: Float64Array): boolean;
  /**
   * Computes Σ cᵢ·uᵢ²·r_ij·r_ik·xᵢxᵢᵀ, r = p − y: block (j, k) of the scores' outer products. **Writes `out`,** (slots + 1)².
   */
  scores(params: Float64Array, j: number, k: number, out: Float64Array): void;
}

/**
 * A point at which a likelihood was evaluated. The curvature of every row is kept for one point at a time, that of the last `at`. `loss`, `logits` and
 * `gram` do not change it.
 */
export interface LikelihoodPoint {
  /** Σ sᵢ·loss(yᵢ, zᵢ), in nats */
  readonly loss: number;
  /**
   * Computes the Hessian: block (j, k) is XᵀSX with S = diag(sᵢ·p_ij·([j = k] − p_ik)). **Writes `out`.**
   * @param out   parameters × parameters
   * @param most  with more rows than this it uses about this number of rows, evenly spaced, and scales the result; default all rows
   * @throws ERR_RANGE once the likelihood was evaluated again
   */
  hessian(out: Float64Array, most?: number): void;
  /**
   * Computes block (j, j) of the Hessian, that of class j with itself. **Writes `out`.**
   * @param out   (slots + 1)²
   * @param most  as `hessian`
   */
  classHessian(j: number, out: Float64Array, most?: number): void;
  /**
   * Computes H·v without forming the Hessian H, in two passes over the data. **Writes `out`.** @throws ERR_RANGE as `hessian`
   */
  hessianVector(v: Float64Array, out: Float64Array): void;
}
