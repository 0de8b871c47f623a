import type { Likelihood, LikelihoodPoint } from '../../../bindings/likelihood.ts';
import type { FitReason } from '../../model/manifest.ts';

/** The inputs of an `Objective` beside the likelihood. Vectors have one entry per parameter of the likelihood. */
export interface ObjectiveOptions {
  /** parameters that are free, ascending; the others are held at 0 */
  readonly active: Int32Array;
  /** S: sum of the sample weights before class weights, which makes the objective a mean */
  readonly totalWeight: number;
  /** λ(1 − α) ≥ 0, times the penalty factor and scale of the parameter */
  readonly l2: Float64Array;
  /** λα ≥ 0, likewise */
  readonly l1: Float64Array;
  /** ≤ 0; absent: −∞ */
  readonly lower?: Float64Array | null;
  /** ≥ 0; absent: ∞ */
  readonly upper?: Float64Array | null;
}

/**
 * The function to minimise, over the free parameters only. A solver sees nothing else.
 *
 *   F(w) = f(w) + Σ l1ⱼ·|wⱼ|,   f(w) = 1/S · Σ sᵢ·loss(yᵢ, zᵢ) + ½ · Σ l2ⱼ·wⱼ²,   lowerⱼ ≤ wⱼ ≤ upperⱼ
 *
 * A likelihood gives sums over all its parameters; this class takes the mean, adds the penalty and hides the parameters that are held at 0
 * (reference levels, slots that no training row switches on, aliased columns). f is smooth; absolute values and bounds are separate.
 * The intercept is a parameter without penalty. Vectors have length `size` unless stated otherwise.
 */
export class Objective {
  readonly likelihood: Likelihood;
  readonly active: Int32Array;
  readonly totalWeight: number;
  /** number of free parameters */
  readonly size: number;
  /** l1ⱼ of the free parameters */
  readonly l1: Float64Array;
  readonly l2: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** true if there are no absolute values and no bounds */
  readonly smooth: boolean;
  readonly #full: Float64Array;
  readonly #fullOut: Float64Array;
  /** the last evaluation: its parameters, and its gradient while that is in `#fullOut` */
  #last: { readonly params: Float64Array; readonly point: LikelihoodPoint } | null = null;
  /** shared with the objectives of samples: a Hessian of all parameters, read as soon as it is written, and the factor of the newest metric */
  #shared: { hessian?: Float64Array; factor?: Float64Array } = {};

  constructor(likelihood: Likelihood, options: ObjectiveOptions) {
    const { active, totalWeight, l2, l1, lower, upper } = options;
    this.likelihood = likelihood;
    this.active = active;
    this.totalWeight = totalWeight;
    this.size = active.length;
    this.l2 = Float64Array.from(active, (id) => l2[id]);
    this.l1 = Float64Array.from(active, (id) => l1[id]);
    this.lower = Float64Array.from(active, (id) => lower?.[id] ?? Number.NEGATIVE_INFINITY);
    this.upper = Float64Array.from(active, (id) => upper?.[id] ?? Number.POSITIVE_INFINITY);
    this.smooth =
      this.l1.every((strength) => strength === 0) &&
      this.lower.every((bound) => bound === Number.NEGATIVE_INFINITY) &&
      this.upper.every((bound) => bound === Number.POSITIVE_INFINITY);
    this.#full = new Float64Array(likelihood.parameters);
    this.#fullOut = new Float64Array(likelihood.parameters);
  }

  /**
   * The smooth objective of a likelihood of some of the rows, with more penalty: l2ⱼ + ridge/rows for each parameter but the intercepts.
   */
  over(likelihood: Likelihood, ridge: number): Objective {
    const totalWeight = this.totalWeight * (likelihood.totalWeight / this.likelihood.totalWeight);
    const { active } = this;
    const l2 = new Float64Array(likelihood.parameters);
    const width = likelihood.parameters / likelihood.classes;
    active.forEach((id, j) => {
      l2[id] = this.l2[j] + ((id + 1) % width === 0 ? 0 : ridge / likelihood.rows);
    });
    const l1 = new Float64Array(likelihood.parameters);
    const part = new Objective(likelihood, { active, totalWeight, l2, l1 });
    part.#shared = this.#shared;
    return part;
  }

  /** size × size for the factor of a metric. **The one before it, of a sample too, is overwritten:** a new metric is made when it is done with. */
  get factor(): Float64Array {
    this.#shared.factor ??= new Float64Array(this.size * this.size);
    return this.#shared.factor;
  }

  /** Evaluates f at w, and writes ∂f/∂w to `gradient`. */
  at(w: Float64Array, gradient: Float64Array): ObjectivePoint {
    const { active, totalWeight, l2 } = this;
    const params = this.#spread(w);
    const point = this.likelihood.at(params, this.#fullOut);
    this.#last = { params: params.slice(), point };
    let penalty = 0;
    for (let j = 0; j < active.length; j++) {
      const pull = l2[j] * w[j];
      gradient[j] = this.#fullOut[active[j]] / totalWeight + pull;
      penalty += pull * w[j];
    }
    return {
      value: point.loss / totalWeight + penalty / 2,
      likelihood: point,
      hessian: (out, most) => this.#hessian(point, out, most),
      hessianVector: (v, out) => this.#hessianVector(point, v, out),
    };
  }

  #hessian(point: LikelihoodPoint, out: Float64Array, most?: number): void {
    const { active, size, totalWeight } = this;
    const { parameters } = this.likelihood;
    this.#shared.hessian ??= new Float64Array(parameters * parameters);
    const full = this.#shared.hessian;
    point.hessian(full, most);
    for (let i = 0; i < size; i++) {
      const from = active[i] * parameters;
      const to = i * size;
      for (let j = 0; j < size; j++) out[to + j] = full[from + active[j]] / totalWeight;
      out[to + i] += this.l2[i];
    }
  }

  #hessianVector(point: LikelihoodPoint, v: Float64Array, out: Float64Array): void {
    const { active, totalWeight, l2 } = this;
    this.#last = null;
    point.hessianVector(this.#spread(v), this.#fullOut);
    for (let j = 0; j < active.length; j++) out[j] = this.#fullOut[active[j]] / totalWeight + l2[j] * v[j];
  }

  /**
   * The evaluation of the likelihood at these parameters, if it was the last one through this objective; else null.
   * @returns the point, whose Hessian is there only while nothing else evaluates the likelihood, and the gradient without penalty
   */
  evaluated(params: Float64Array): { readonly point: LikelihoodPoint; readonly gradient: Float64Array } | null {
    const last = this.#last;
    if (!last?.params.every((value, j) => Object.is(value, params[j]))) return null;
    return { point: last.point, gradient: this.#fullOut.slice() };
  }

  /** Σ l1ⱼ·|wⱼ| */
  absolute(w: Float64Array): number {
    let sum = 0;
    for (let j = 0; j < w.length; j++) sum += this.l1[j] * Math.abs(w[j]);
    return sum;
  }

  /**
   * The fastest decrease of F per unit of wⱼ: 0 if the optimality (Karush-Kuhn-Tucker) condition of the coordinate holds.
   * Without absolute values and bounds it is |slope|.
   * @param slope  ∂f/∂wⱼ
   */
  violation(j: number, w: number, slope: number): number {
    const l1 = this.l1[j];
    const up = w < this.upper[j] ? -(slope + (w < 0 ? -l1 : l1)) : 0;
    const down = w > this.lower[j] ? slope + (w > 0 ? l1 : -l1) : 0;
    return Number.isNaN(slope) ? slope : Math.max(0, up, down);
  }

  /** maximum over the coordinates; NaN if a slope is NaN */
  worst(w: Float64Array, gradient: Float64Array): number {
    let largest = 0;
    for (let j = 0; j < w.length; j++) {
      const off = this.violation(j, w[j], gradient[j]);
      if (!(off <= largest)) largest = off;
    }
    return largest;
  }

  /** @returns all parameters of the likelihood, zeros where held */
  expand(w: Float64Array): Float64Array {
    return this.#spread(w).slice();
  }

  /** @returns the free ones of all parameters of the likelihood, within their bounds */
  restrict(params: Float64Array): Float64Array {
    return Float64Array.from(this.active, (id, j) => Math.min(this.upper[j], Math.max(this.lower[j], params[id])));
  }

  #spread(v: Float64Array): Float64Array {
    const { active } = this;
    for (let j = 0; j < active.length; j++) this.#full[active[j]] = v[j];
    return this.#full;
  }
}

/** A point at which an objective was evaluated. Its derivatives are available until the next evaluation. @see LikelihoodPoint */
export interface ObjectivePoint {
  /** f(w), the smooth part */
  readonly value: number;
  /** the point of the likelihood, without mean and penalty */
  readonly likelihood: LikelihoodPoint;
  /**
   * Writes ∂²f/∂w²: size × size, row-major, symmetric.
   * @param most  use about this many rows as a sample if there are more
   */
  hessian(out: Float64Array, most?: number): void;
  /** Writes ∂²f/∂w²·v. */
  hessianVector(v: Float64Array, out: Float64Array): void;
}

/** A point, and the gradient there. */
export interface Evaluated {
  readonly point: ObjectivePoint;
  readonly gradient: Float64Array;
}

/** The state of a solver, passed to `onIteration` after every step. */
export interface Progress {
  readonly iteration: number;
  /** F(w) */
  readonly objective: number;
  /** max |∂f/∂wⱼ|, or the largest violation of the optimality conditions */
  readonly gradNorm: number;
}

export interface SolveOptions {
  /**
   * converged when the largest violation of the optimality conditions is ≤ tol; Newton's method also needs half the squared decrement ≤ tol
   */
  readonly tol: number;
  readonly maxIter: number;
  readonly onIteration?: (progress: Progress) => void;
}

/** A symmetric positive definite approximation M of ∂²f/∂w². It overwrites v with M⁻¹·v. */
export type Metric = (v: Float64Array) => void;

/** M = diag(d), dⱼ > 0 */
export const diagonalMetric =
  (d: Float64Array): Metric =>
  (v) => {
    for (let j = 0; j < v.length; j++) v[j] /= d[j];
  };

/** The result of a solver. Not converging is a result, too: every number in it is finite if the start was. */
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
/** Largest number of halvings of a step before a line search gives up. */
export const HALVINGS = 21;
/** Relative changes of the objective below this are rounding errors. */
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
