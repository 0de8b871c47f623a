import { sigmoid } from '../../../bindings/js/math.ts';
import type { Likelihood } from '../../../bindings/likelihood.ts';
import { factorCholesky, solveCholesky } from '../../math/cholesky.ts';
import { lbfgs } from './lbfgs.ts';
import {
  type Metric,
  Objective,
  type ObjectiveOptions,
  type ObjectivePoint,
  type Solution,
  type SolveOptions,
} from './objective.ts';

/**
 * Firth's penalised likelihood of two classes, negative and as a mean:
 *
 *   f(w) = −1/S · (l(w) + ½·log det I(w)),   I = XᵀVX,   vᵢ = sᵢ·pᵢ(1 − pᵢ)
 *   ∂f/∂w = −1/S · Xᵀ(s·(y − p) + h·(½ − p)),   hᵢ = vᵢ·xᵢᵀI⁻¹xᵢ
 *
 * The penalty is Jeffreys' prior. It removes the bias of order 1/n from the estimates, and they are finite even if the classes are separated.
 * Weights count rows. The determinant is over the free parameters on standardised features; a raw scale adds a constant.
 * `hessian` returns the information I(w)/S, which approximates the second derivatives of f. It is the metric of `lbfgs` and the inverse
 * covariance of the estimate (as in brglm2, and in logistf before 1.24). `augmented` gives the covariance of later logistf.
 *
 * A value costs three passes, a Hessian and, for the leverages h, one pass with a vector for each parameter.
 * @see Firth, Biometrika 80 (1993) 27–38; Heinze, Schemper, Statistics in Medicine 21 (2002) 2409–2419
 */
export class FirthObjective extends Objective {
  readonly #weight: Float64Array | null;
  readonly #factor: Float64Array;
  readonly #inverse: Float64Array;
  readonly #vectors: Float64Array;
  readonly #slope: Float64Array;
  readonly #logits: Float64Array;
  readonly #leverage: Float64Array;

  constructor(likelihood: Likelihood, options: ObjectiveOptions, weight: Float64Array | null) {
    super(likelihood, options);
    const { size } = this;
    this.#weight = weight;
    this.#factor = new Float64Array(size * size);
    this.#inverse = new Float64Array(size * size);
    this.#vectors = new Float64Array(size * likelihood.parameters);
    this.#slope = new Float64Array(likelihood.parameters);
    this.#logits = new Float64Array(likelihood.rows);
    this.#leverage = new Float64Array(likelihood.rows);
  }

  override at(w: Float64Array, gradient: Float64Array): ObjectivePoint {
    const { size, totalWeight, active } = this;
    const point = super.at(w, gradient);
    point.hessian(this.#factor);
    // if the information vanishes, its logarithm is −∞
    if (factorCholesky(this.#factor, size).length > 0) return { ...point, value: Number.POSITIVE_INFINITY };
    let logDet = size * Math.log(totalWeight);
    for (let j = 0; j < size; j++) logDet += 2 * Math.log(this.#factor[j * size + j]);

    this.likelihood.transpose(this.#pulls(w), this.#slope);
    for (let j = 0; j < size; j++) gradient[j] -= this.#slope[active[j]] / totalWeight;
    return { ...point, value: point.value - logDet / (2 * totalWeight) };
  }

  /**
   * The Cholesky factor of the information of the augmented data, in which every row also stands for half a success and half a failure of weight h:
   *
   *   1/S · Xᵀ·diag((sᵢ + hᵢ)·pᵢ(1 − pᵢ))·X,   h the leverages at w
   *
   * @returns size × size
   * @see logistf 1.24 and later (its covariance); Heinze, Puhr, Statistics in Medicine 29 (2010) 770–777
   */
  augmented(w: Float64Array): Float64Array {
    const { size, totalWeight, active, likelihood } = this;
    this.at(w, new Float64Array(size));
    const leverage = this.#leverages(w);
    const weights = leverage.map((h, i) => {
      const variance = sigmoid(this.#logits[i]) * sigmoid(-this.#logits[i]);
      return ((this.#weight ? this.#weight[i] : 1) + h) * variance;
    });
    const { parameters } = likelihood;
    const gram = new Float64Array(parameters ** 2);
    likelihood.gram(weights, gram);
    const factor = Float64Array.from(
      { length: size * size },
      (_, at) => gram[active[Math.floor(at / size)] * parameters + active[at % size]] / totalWeight,
    );
    factorCholesky(factor, size);
    return factor;
  }

  /** h·(½ − p) of every row */
  #pulls(w: Float64Array): Float64Array {
    const leverage = this.#leverages(w);
    for (let i = 0; i < leverage.length; i++) {
      const p = sigmoid(this.#logits[i]);
      leverage[i] *= (sigmoid(-this.#logits[i]) - p) / 2;
    }
    return leverage;
  }

  /** hᵢ = vᵢ·xᵢᵀI⁻¹xᵢ of every row, with the factor of the last value; `#logits` are those at w. */
  #leverages(w: Float64Array): Float64Array {
    const { size, totalWeight, likelihood, active } = this;
    const leverage = this.#leverage;
    invertLower(this.#factor, size, this.#inverse);
    for (let j = 0; j < size; j++) {
      for (let k = 0; k < size; k++) this.#vectors[j * likelihood.parameters + active[k]] = this.#inverse[j * size + k];
    }
    likelihood.squares(this.#vectors, leverage);
    likelihood.logits(this.expand(w), this.#logits);
    for (let i = 0; i < leverage.length; i++) {
      const p = sigmoid(this.#logits[i]);
      const rest = sigmoid(-this.#logits[i]);
      const s = this.#weight ? this.#weight[i] : 1;
      leverage[i] *= (s * p * rest) / totalWeight;
    }
    return leverage;
  }
}

/** Smallest gradient of Firth's likelihood that rounding allows; coefficients then have about ten correct digits. */
const FIRTH_TOL = 1e-12;

/**
 * Minimises Firth's objective or a restriction of it, by L-BFGS with the information as its metric.
 * A search that ends in rounding has converged if the gradient is within `tol`.
 */
export function solveFirth(objective: Objective, start: Float64Array, options: SolveOptions): Solution {
  const { size } = objective;
  const metric = (point: ObjectivePoint): Metric => {
    const factor = new Float64Array(size * size);
    point.hessian(factor);
    // without a factor, the gradient itself
    return factorCholesky(factor, size).length > 0 ? () => {} : (v) => solveCholesky(factor, size, v);
  };
  const solution = lbfgs(objective, start, { ...options, tol: Math.min(options.tol, FIRTH_TOL), metric });
  return solution.reason === 'line_search' && solution.gradNorm <= options.tol
    ? { ...solution, converged: true, reason: 'converged' }
    : solution;
}

/** Writes L⁻¹ of a lower triangular L; zeros above the diagonal. */
function invertLower(factor: Float64Array, n: number, out: Float64Array): void {
  out.fill(0);
  for (let i = 0; i < n; i++) {
    const row = i * n;
    out[row + i] = 1 / factor[row + i];
    for (let k = 0; k < i; k++) {
      const share = factor[row + k] / factor[row + i];
      for (let j = 0; j <= k; j++) out[row + j] -= share * out[k * n + j];
    }
  }
}
