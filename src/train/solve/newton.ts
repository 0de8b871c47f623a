import { factorCholesky, solveCholesky } from '../../math/cholesky.ts';
import {
  ARMIJO,
  addScaled,
  dot,
  type Evaluated,
  HALVINGS,
  maxAbs,
  type Objective,
  type ObjectivePoint,
  ROUNDING,
  type Solution,
  type SolveOptions,
} from './objective.ts';

/** Newton steps that stop shrinking below this size are rounding errors. Above it a coefficient goes to infinity. */
const RUNAWAY_STEP = 1e-3;
/**
 * Number of such consecutive steps, with tiny gradient and decrement, that prove divergence: towards a finite end they would have shrunk.
 */
const RUNAWAY_COUNT = 3;
const RUNAWAY_FLAT = 1e-8;
/**
 * Largest step, in standardised weights, after which the Hessian counts as that of the new point. The logarithm of p(1 − p) changes no more than
 * the logit, and standard errors half as much.
 */
const SAME_POINT = 1e-7;

export interface NewtonSolution extends Solution {
  /** why Newton's method stopped although another solver may continue: the Hessian is not positive definite, or no step decreases f */
  readonly stuck: 'hessian' | 'line_search' | null;
  /** Cholesky factor of the Hessian at w, if the last step was too small to change it; else null */
  readonly factor: Float64Array | null;
}

/**
 * Newton's method with a Cholesky factorisation and a backtracking line search.
 *
 *   w ← w − t·H⁻¹g,   t = 1, ½, ¼, … until f falls by at least 2⁻¹¹·t·|g·H⁻¹g|, or moves by rounding only while Σ|gⱼ| falls
 *
 * Converged: max|gⱼ| ≤ tol, ½·g·H⁻¹g ≤ tol and max|step| ≤ √tol/1000; the full step is still taken then. The error after a Newton step
 * is of the order of its square, so with the default tol the coefficients are exact up to rounding.
 * When gradient and decrement fall below 1e-8 while steps stay large, the coefficients run to infinity along a flat direction of the
 * likelihood (separated data): reason `diverged`.
 *
 * @param start  length objective.size; not changed
 * @param options  `last`: the start, if it was evaluated last
 * @see Nocedal, Wright, Numerical Optimization, 3.3; the rules of acceptance are those of scikit-learn's NewtonCholeskySolver
 */
export function newton(
  objective: Objective,
  start: Float64Array,
  options: SolveOptions & { readonly last?: Evaluated | null },
): NewtonSolution {
  const { size } = objective;
  const { tol, maxIter } = options;
  const settled = Math.sqrt(tol) / 1000;
  const hessian = new Float64Array(size * size);
  const step = new Float64Array(size);
  let w = start.slice();
  let trial = new Float64Array(size);
  let gradient = options.last?.gradient.slice() ?? new Float64Array(size);
  let trialGradient = new Float64Array(size);
  let point = options.last?.point ?? objective.at(w, gradient);
  let gradNorm = maxAbs(gradient);
  let previousStep = Number.POSITIVE_INFINITY;
  let runaway = 0;
  let iteration = 0;

  const end = (
    reason: Solution['reason'],
    stuck: NewtonSolution['stuck'] = null,
    factor: Float64Array | null = null,
  ): NewtonSolution => ({
    w,
    converged: reason === 'converged',
    reason,
    iterations: iteration,
    objective: point.value,
    gradNorm,
    stuck,
    factor,
  });
  const accept = (reached: ObjectivePoint): void => {
    [w, trial] = [trial, w];
    [gradient, trialGradient] = [trialGradient, gradient];
    point = reached;
    gradNorm = maxAbs(gradient);
    iteration++;
    options.onIteration?.({ iteration, objective: point.value, gradNorm });
  };

  if (!Number.isFinite(point.value) || !Number.isFinite(gradNorm)) return end('diverged');
  for (;;) {
    point.hessian(hessian);
    if (factorCholesky(hessian, size).length > 0) {
      return gradNorm <= tol ? end('diverged', 'hessian') : end('line_search', 'hessian');
    }
    for (let j = 0; j < size; j++) step[j] = -gradient[j];
    solveCholesky(hessian, size, step);
    const slope = dot(gradient, step);
    const largest = maxAbs(step);
    const flat = gradNorm <= tol && -slope / 2 <= tol;
    const shrinks = largest <= previousStep / 2;
    if (!shrinks && flat && largest > settled && largest <= RUNAWAY_STEP) return end('converged');
    const runs = !shrinks && largest > RUNAWAY_STEP && Math.max(gradNorm, -slope / 2) <= RUNAWAY_FLAT;
    runaway = runs ? runaway + 1 : 0;
    if (runaway === RUNAWAY_COUNT) return end('diverged');
    previousStep = largest;
    if (flat && largest <= settled) {
      addScaled(w, 1, step, trial);
      const reached = objective.at(trial, trialGradient);
      if (largest > 0 && maxAbs(trialGradient) <= tol) accept(reached);
      return end('converged', null, largest <= SAME_POINT ? hessian : null);
    }
    if (iteration === maxIter) return end('max_iter');

    let t = 1;
    let halvings = 0;
    for (; halvings < HALVINGS; halvings++, t /= 2) {
      addScaled(w, t, step, trial);
      const reached = objective.at(trial, trialGradient);
      const change = reached.value - point.value;
      if (
        change <= ARMIJO * t * slope ||
        (Math.abs(change) <= ROUNDING * Math.abs(point.value) && sumAbs(trialGradient) < sumAbs(gradient))
      ) {
        accept(reached);
        break;
      }
    }
    if (halvings === HALVINGS) return flat ? end('converged') : end('line_search', 'line_search');
  }
}

/**
 * The quadratic model of the objective at w: the factor of its Hessian and the Newton step; null when the Hessian is not positive definite.
 */
export function quadraticModel(
  objective: Objective,
  w: Float64Array,
): { readonly factor: Float64Array; readonly step: Float64Array } | null {
  const { size } = objective;
  const step = new Float64Array(size);
  const factor = new Float64Array(size * size);
  objective.at(w, step).hessian(factor);
  if (factorCholesky(factor, size).length > 0) return null;
  for (let j = 0; j < size; j++) step[j] = -step[j];
  solveCholesky(factor, size, step);
  return { factor, step };
}

function sumAbs(v: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < v.length; j++) sum += Math.abs(v[j]);
  return sum;
}
