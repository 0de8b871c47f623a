import {
  ARMIJO,
  addScaled,
  dot,
  HALVINGS,
  maxAbs,
  type Objective,
  ROUNDING,
  type Solution,
  type SolverOptions,
} from './objective.ts';

/** Passes over the coordinates of one quadratic model; more would not change the step. */
const PASSES = 1000;
/** The quadratic model is solved to this part of the present residual, and better as it falls: the outer steps converge superlinearly. */
const FORCING = 0.1;
/** Relative to its largest entry, added to the diagonal of the Hessian: a coordinate without curvature of its own has a step nevertheless. */
const RIDGE = 1e-12;

/**
 * Proximal Newton with coordinate descent, for an objective with absolute values.
 *
 *   F(w) = f(w) + Σ l1ⱼ·|wⱼ|,   d = argmin g·d + ½·dᵀHd + Σ l1ⱼ·|wⱼ + dⱼ|,   w ← w + t·d,   t = 1, ½, ¼, …
 *
 * The quadratic model is minimised one coordinate after another by soft-thresholding, H·d being kept up to date; first over all coordinates,
 * then over those that are not 0 until these have settled, and again over all. F falls by at least 2⁻¹¹·t times what the model promises.
 *
 * Converged: the largest violation of the optimality conditions is at most tol, that is |gⱼ + l1ⱼ·sign(wⱼ)| where wⱼ ≠ 0 and
 * |gⱼ| − l1ⱼ where wⱼ = 0. `gradNorm` is that violation. Weights that are 0 are exactly 0.
 *
 * @param start  length objective.size; not changed
 * @see Yuan, Ho, Lin, An improved GLMNET for L1-regularized logistic regression, JMLR 13 (2012); Friedman, Hastie, Tibshirani, Regularization
 * paths for generalized linear models via coordinate descent, J. Stat. Softw. 33 (2010)
 */
export function coordinateDescent(objective: Objective, start: Float64Array, options: SolverOptions): Solution {
  const { size, l1 } = objective;
  const { tol, maxIter } = options;
  const hessian = new Float64Array(size * size);
  const step = new Float64Array(size);
  /** H·step */
  const product = new Float64Array(size);
  let w = start.slice();
  let trial = new Float64Array(size);
  let gradient = new Float64Array(size);
  let trialGradient = new Float64Array(size);
  let value = objective.valueGradient(w, gradient) + absolute(w, l1);
  let violation = violationOf(w, gradient, l1);
  let iteration = 0;

  const end = (reason: Solution['reason']): Solution => ({
    w,
    converged: reason === 'converged',
    reason,
    iterations: iteration,
    objective: value,
    gradNorm: violation,
  });

  if (!Number.isFinite(value) || !Number.isFinite(violation)) return end('diverged');
  while (violation > tol) {
    if (iteration === maxIter) return end('max_iter');
    objective.hessian(hessian);
    let largest = 0;
    for (let j = 0; j < size; j++) largest = Math.max(largest, hessian[j * size + j]);
    for (let j = 0; j < size; j++) hessian[j * size + j] += RIDGE * largest;
    minimiseModel(w, gradient, hessian, l1, violation * Math.min(FORCING, Math.sqrt(violation)), step, product);

    // what the model promises, to first order
    let promised = dot(gradient, step);
    for (let j = 0; j < size; j++) promised += l1[j] * (Math.abs(w[j] + step[j]) - Math.abs(w[j]));
    let t = 1;
    let halvings = 0;
    for (; halvings < HALVINGS; halvings++, t /= 2) {
      addScaled(w, t, step, trial);
      const trialValue = objective.valueGradient(trial, trialGradient) + absolute(trial, l1);
      const trialViolation = violationOf(trial, trialGradient, l1);
      const change = trialValue - value;
      if (
        change <= ARMIJO * t * promised ||
        (Math.abs(change) <= ROUNDING * Math.abs(value) && trialViolation < violation)
      ) {
        [w, trial] = [trial, w];
        [gradient, trialGradient] = [trialGradient, gradient];
        value = trialValue;
        violation = trialViolation;
        iteration++;
        options.onIteration?.({ iteration, objective: value, gradNorm: violation });
        break;
      }
    }
    if (halvings === HALVINGS) return end('line_search');
  }
  return end('converged');
}

/**
 * Writes argmin g·d + ½·dᵀHd + Σ l1ⱼ·|wⱼ + dⱼ| to `step`, to a violation of its optimality conditions of at most `tolerance`.
 * Where wⱼ + stepⱼ is 0, stepⱼ is −wⱼ exactly.
 */
function minimiseModel(
  w: Float64Array,
  gradient: Float64Array,
  hessian: Float64Array,
  l1: Float64Array,
  tolerance: number,
  step: Float64Array,
  product: Float64Array,
): void {
  const size = w.length;
  step.fill(0);
  product.fill(0);
  let all = true;
  for (let pass = 0; pass < PASSES; pass++) {
    let worst = 0;
    for (let j = 0; j < size; j++) {
      const at = w[j] + step[j];
      if (!all && at === 0) continue;
      const curvature = hessian[j * size + j];
      const slope = gradient[j] + product[j];
      const off = at === 0 ? Math.max(0, Math.abs(slope) - l1[j]) : Math.abs(slope + l1[j] * Math.sign(at));
      if (off > worst) worst = off;
      if (off === 0 || !(curvature > 0)) continue;
      const target = softThreshold(at - slope / curvature, l1[j] / curvature);
      const moved = (target === 0 ? -w[j] : target - w[j]) - step[j];
      if (moved === 0) continue;
      step[j] += moved;
      if (target === 0) step[j] = -w[j];
      const line = j * size;
      for (let k = 0; k < size; k++) product[k] += moved * hessian[line + k];
    }
    // settled where it is not 0: look at all; settled everywhere: done
    if (worst <= tolerance) {
      if (all) return;
      all = true;
    } else all = false;
  }
}

/** z − t for z > t, z + t for z < −t, else 0 */
function softThreshold(z: number, t: number): number {
  return z > t ? z - t : z < -t ? z + t : 0;
}

/** Σ l1ⱼ·|wⱼ| */
function absolute(w: Float64Array, l1: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < w.length; j++) sum += l1[j] * Math.abs(w[j]);
  return sum;
}

/** Largest violation of the optimality conditions of f(w) + Σ l1ⱼ·|wⱼ|. */
function violationOf(w: Float64Array, gradient: Float64Array, l1: Float64Array): number {
  return maxAbs(gradient.map((g, j) => (w[j] === 0 ? Math.max(0, Math.abs(g) - l1[j]) : g + l1[j] * Math.sign(w[j]))));
}
