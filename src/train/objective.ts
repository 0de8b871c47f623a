import type { BinaryLikelihood } from '../../bindings/likelihood.ts';
import type { FitReason } from '../model/manifest.ts';

/** What an `Objective` needs beside the likelihood. */
export interface ObjectiveOptions {
  /** parameters that are free, ascending; the others are held at 0 */
  readonly active: Int32Array;
  /** S: sum of the sample weights before class weights, which makes the objective a mean */
  readonly totalWeight: number;
  /** λ(1 − α)·pfⱼ ≥ 0 of every parameter of the likelihood */
  readonly l2: Float64Array;
  /** λα·√pfⱼ ≥ 0 of every parameter of the likelihood */
  readonly l1: Float64Array;
}

/**
 * The function that is minimised, over the free parameters only.
 *
 *   f(w) = 1/S · Σ sᵢ·loss(yᵢ, zᵢ) + ½ · Σ l2ⱼ·wⱼ²        (and Σ l1ⱼ·|wⱼ|, which is not smooth, beside it)
 *
 * A likelihood gives sums over all its parameters; this class takes the mean, adds the penalty and hides the parameters that are held at 0
 * (reference levels, slots that no training row switches on, aliased columns), so that a solver sees a plain smooth function.
 * The intercept is a parameter without penalty. Vectors have length `size` unless said.
 */
export class Objective {
  readonly likelihood: BinaryLikelihood;
  readonly active: Int32Array;
  readonly totalWeight: number;
  /** number of free parameters */
  readonly size: number;
  /** l1ⱼ of the free parameters */
  readonly l1: Float64Array;
  readonly #l2: Float64Array;
  readonly #full: Float64Array;
  readonly #fullGradient: Float64Array;
  #fullHessian: Float64Array | null = null;

  constructor(likelihood: BinaryLikelihood, options: ObjectiveOptions) {
    this.likelihood = likelihood;
    this.active = options.active;
    this.totalWeight = options.totalWeight;
    this.size = options.active.length;
    this.#l2 = Float64Array.from(options.active, (id) => options.l2[id]);
    this.l1 = Float64Array.from(options.active, (id) => options.l1[id]);
    this.#full = new Float64Array(likelihood.parameters);
    this.#fullGradient = new Float64Array(likelihood.parameters);
  }

  /** Writes ∂f/∂w to `gradient`. @returns f(w), the smooth part */
  valueGradient(w: Float64Array, gradient: Float64Array): number {
    const { active, totalWeight } = this;
    for (let j = 0; j < active.length; j++) this.#full[active[j]] = w[j];
    const loss = this.likelihood.lossGradient(this.#full, this.#fullGradient);
    let penalty = 0;
    for (let j = 0; j < active.length; j++) {
      const pull = this.#l2[j] * w[j];
      gradient[j] = this.#fullGradient[active[j]] / totalWeight + pull;
      penalty += pull * w[j];
    }
    return loss / totalWeight + penalty / 2;
  }

  /** Writes ∂²f/∂w² at the point of the last `valueGradient`: size × size, row-major, symmetric. */
  hessian(out: Float64Array): void {
    const { active, size, totalWeight } = this;
    const parameters = this.likelihood.parameters;
    this.#fullHessian ??= new Float64Array(parameters * parameters);
    this.likelihood.hessian(this.#fullHessian);
    for (let i = 0; i < size; i++) {
      const from = active[i] * parameters;
      const to = i * size;
      for (let j = 0; j < size; j++) out[to + j] = this.#fullHessian[from + active[j]] / totalWeight;
      out[to + i] += this.#l2[i];
    }
  }

  /** @returns all parameters of the likelihood, zeros where held */
  expand(w: Float64Array): Float64Array {
    const full = new Float64Array(this.likelihood.parameters);
    for (let j = 0; j < this.size; j++) full[this.active[j]] = w[j];
    return full;
  }
}

/** Where a solver stands; handed to `onIteration` after every step. */
export interface Progress {
  readonly iteration: number;
  /** f(w) */
  readonly objective: number;
  /** max |∂f/∂wⱼ| */
  readonly gradNorm: number;
}

export interface SolverOptions {
  /** converged when max |∂f/∂wⱼ| ≤ tol (and, for Newton, half the squared Newton decrement is too) */
  readonly tol: number;
  readonly maxIter: number;
  readonly onIteration?: (progress: Progress) => void;
}

/** How a solver ended. Not converging is a result: every number in it is finite as long as the start was. */
export interface Solution {
  /** the free parameters */
  readonly w: Float64Array;
  readonly converged: boolean;
  readonly reason: FitReason;
  readonly iterations: number;
  readonly objective: number;
  readonly gradNorm: number;
}

/** Sufficient decrease of the Armijo rule, 2⁻¹¹. */
export const ARMIJO = 2 ** -11;
/** of a step before a line search gives up */
export const HALVINGS = 21;
/** Changes of the objective below this, relative to it, are rounding. */
export const ROUNDING = 16 * Number.EPSILON;

/** max |vⱼ|; 0 for an empty vector, NaN when an entry is. */
export function maxAbs(v: Float64Array): number {
  let largest = 0;
  for (let j = 0; j < v.length; j++) {
    const size = Math.abs(v[j]);
    if (!(size <= largest)) largest = size;
  }
  return largest;
}

/** Σ aⱼ·bⱼ */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}

/** Writes a + t·b to `out`. */
export function addScaled(a: Float64Array, t: number, b: Float64Array, out: Float64Array): void {
  for (let j = 0; j < a.length; j++) out[j] = a[j] + t * b[j];
}
