import { FirthObjective, solveFirth } from '../solve/firth.ts';
import { newton } from '../solve/newton.ts';
import { Objective, type ObjectivePoint, type Solution } from '../solve/objective.ts';

/**
 * An objective restricted to a plane: parameters held at 0, or a linear function of them held at a value.
 *
 *   some w are 0;   or   a·w = value, so that w_pivot = (value − Σ aⱼ·wⱼ)/a_pivot
 *
 * Its parameters are the kept ones of `base`. Solvers minimise it as any `Objective`.
 */
export class Restricted extends Objective {
  readonly #base: Objective;
  /** index in `base` of each parameter */
  readonly #kept: Int32Array;
  /** −1: none */
  readonly #pivot: number;
  /** −aⱼ/a_pivot */
  readonly #slope: Float64Array;
  readonly #constant: number;
  readonly #full: Float64Array;
  readonly #fullGradient: Float64Array;
  #fullHessian: Float64Array | null = null;

  private constructor(base: Objective, kept: Int32Array, pivot: number, slope: Float64Array, constant: number) {
    const { likelihood, totalWeight } = base;
    const none = new Float64Array(likelihood.parameters);
    super(likelihood, { active: kept.map((j) => base.active[j]), totalWeight, l2: none, l1: none });
    this.#base = base;
    this.#kept = kept;
    this.#pivot = pivot;
    this.#slope = slope;
    this.#constant = constant;
    this.#full = new Float64Array(base.size);
    this.#fullGradient = new Float64Array(base.size);
  }

  /** Holds at 0 the parameters whose index in `base` is not in `kept`. */
  static to(base: Objective, kept: Int32Array): Restricted {
    return new Restricted(base, kept, -1, new Float64Array(kept.length), 0);
  }

  /** Holds a·w = value; it eliminates the parameter with the greatest |aⱼ|. */
  static holding(base: Objective, a: Float64Array, value: number): Restricted {
    let pivot = 0;
    for (let j = 1; j < a.length; j++) if (Math.abs(a[j]) > Math.abs(a[pivot])) pivot = j;
    const kept = Int32Array.from({ length: base.size - 1 }, (_, j) => (j < pivot ? j : j + 1));
    const slope = Float64Array.from(kept, (j) => -a[j] / a[pivot]);
    return new Restricted(base, kept, pivot, slope, value / a[pivot]);
  }

  /** The full parameters of `base`; valid until the next call. */
  lift(u: Float64Array): Float64Array {
    const full = this.#full;
    let rest = this.#constant;
    for (let i = 0; i < u.length; i++) {
      full[this.#kept[i]] = u[i];
      rest += this.#slope[i] * u[i];
    }
    if (this.#pivot >= 0) full[this.#pivot] = rest;
    return full;
  }

  /** Selects the kept parameters from those of `base`. */
  project(w: Float64Array): Float64Array {
    return Float64Array.from(this.#kept, (j) => w[j]);
  }

  override at(u: Float64Array, gradient: Float64Array): ObjectivePoint {
    const full = this.#fullGradient;
    const point = this.#base.at(this.lift(u), full);
    const pull = this.#pivot < 0 ? 0 : full[this.#pivot];
    for (let i = 0; i < u.length; i++) gradient[i] = full[this.#kept[i]] + this.#slope[i] * pull;
    return {
      value: point.value,
      likelihood: point.likelihood,
      hessian: (out, most) => this.#hessian(point, out, most),
      hessianVector: (v, out) => {
        const { length } = this.#kept;
        const h = new Float64Array(length * length);
        this.#hessian(point, h);
        for (let i = 0; i < length; i++) {
          out[i] = 0;
          for (let j = 0; j < length; j++) out[i] += h[i * length + j] * v[j];
        }
      },
    };
  }

  #hessian(point: ObjectivePoint, out: Float64Array, most?: number): void {
    const { size } = this.#base;
    const { length } = this.#kept;
    this.#fullHessian ??= new Float64Array(size * size);
    const full = this.#fullHessian;
    point.hessian(full, most);
    const kept = this.#kept;
    const slope = this.#slope;
    const pivot = Math.max(0, this.#pivot) * size;
    const own = full[pivot + pivot / size];
    for (let i = 0; i < length; i++) {
      for (let j = 0; j < length; j++) {
        out[i * length + j] =
          full[kept[i] * size + kept[j]] +
          slope[i] * full[pivot + kept[j]] +
          slope[j] * full[pivot + kept[i]] +
          slope[i] * slope[j] * own;
      }
    }
  }

  override expand(u: Float64Array): Float64Array {
    return this.#base.expand(this.lift(u));
  }

  get isFirth(): boolean {
    return this.#base instanceof FirthObjective;
  }
}

/** Minimises an objective that differs little from one just solved. */
export function refit(objective: Objective, start: Float64Array): Solution {
  if (objective.size === 0) {
    const { value } = objective.at(start, new Float64Array(0));
    return { w: start, converged: true, reason: 'converged', iterations: 0, objective: value, gradNorm: 0 };
  }
  const firth = objective instanceof FirthObjective || (objective instanceof Restricted && objective.isFirth);
  return firth
    ? solveFirth(objective, start, { tol: 1e-8, maxIter: 1000 })
    : newton(objective, start, { tol: 1e-8, maxIter: 100 });
}
