import {
  ARMIJO,
  addScaled,
  dot,
  HALVINGS,
  type Metric,
  maxAbs,
  type Objective,
  ROUNDING,
  type Solution,
  type SolveOptions,
} from './objective.ts';

/**
 * The Newton equation is solved to this fraction of the gradient, and more exactly as the gradient falls, so convergence is superlinear.
 */
const FORCING = 0.25;
/** Largest number of conjugate-gradient iterations for one step; more would not change it. */
const INNER = 250;

/**
 * Newton's method that solves H·d = −g by preconditioned conjugate gradients, for data with too many parameters for a matrix.
 *
 *   w ← w + t·d,   t = 1, ½, ¼, … until f falls by at least 2⁻¹¹·t·|g·d|;   ‖H·d + g‖ ≤ min(¼, √(‖g‖/‖g₀‖))·‖g‖ in the norm of the metric
 *
 * Every inner step is one product H·v, two passes over the data. Converged: max|gⱼ| ≤ tol.
 *
 * @param start   length objective.size; not changed
 * @param metric  preconditioner
 * @see Lin, Weng, Keerthi, Trust region Newton method for logistic regression, JMLR 9 (2008); Nocedal, Wright, Numerical Optimization, 7.1
 */
export function newtonCg(
  objective: Objective,
  start: Float64Array,
  { tol, maxIter, onIteration, metric }: SolveOptions & { readonly metric: Metric },
): Solution {
  const { size } = objective;
  let w = start.slice();
  let trial = new Float64Array(size);
  let gradient = new Float64Array(size);
  let trialGradient = new Float64Array(size);
  const step = new Float64Array(size);
  const residual = new Float64Array(size);
  const scaled = new Float64Array(size);
  const direction = new Float64Array(size);
  const product = new Float64Array(size);
  let point = objective.at(w, gradient);
  let gradNorm = maxAbs(gradient);
  let first = 0;
  let iteration = 0;

  const end = (reason: Solution['reason']): Solution => ({
    w,
    converged: reason === 'converged',
    reason,
    iterations: iteration,
    objective: point.value,
    gradNorm,
  });

  /** Writes an approximate solution of H·step = −gradient. */
  const solve = (): void => {
    step.fill(0);
    for (let j = 0; j < size; j++) residual[j] = -gradient[j];
    scaled.set(residual);
    metric(scaled);
    let square = dot(residual, scaled);
    first ||= square;
    const enough = square * Math.min(FORCING, Math.sqrt(Math.sqrt(square / first))) ** 2;
    direction.set(scaled);
    for (let k = 0; k < INNER && square > enough; k++) {
      point.hessianVector(direction, product);
      const curvature = dot(direction, product);
      if (!(curvature > 0)) break;
      const alpha = square / curvature;
      addScaled(step, alpha, direction, step);
      addScaled(residual, -alpha, product, residual);
      scaled.set(residual);
      metric(scaled);
      const next = dot(residual, scaled);
      addScaled(scaled, next / square, direction, direction);
      square = next;
    }
    if (maxAbs(step) === 0) step.set(direction);
  };

  if (!Number.isFinite(point.value) || !Number.isFinite(gradNorm)) return end('diverged');
  while (gradNorm > tol) {
    if (iteration === maxIter) return end('max_iter');
    solve();
    const slope = dot(gradient, step);
    let t = 1;
    let halvings = 0;
    for (; halvings < HALVINGS; halvings++, t /= 2) {
      addScaled(w, t, step, trial);
      const reached = objective.at(trial, trialGradient);
      const change = reached.value - point.value;
      const trialNorm = maxAbs(trialGradient);
      if (
        change <= ARMIJO * t * slope ||
        (Math.abs(change) <= ROUNDING * Math.abs(point.value) && trialNorm < gradNorm)
      ) {
        [w, trial] = [trial, w];
        [gradient, trialGradient] = [trialGradient, gradient];
        point = reached;
        gradNorm = trialNorm;
        iteration++;
        onIteration?.({ iteration, objective: point.value, gradNorm });
        break;
      }
    }
    if (halvings === HALVINGS) return end('line_search');
  }
  return end('converged');
}
