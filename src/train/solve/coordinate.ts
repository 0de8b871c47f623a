import { factorCholesky, solveCholesky } from '../../math/cholesky.ts';
import {
  ARMIJO,
  addScaled,
  dot,
  HALVINGS,
  type Objective,
  ROUNDING,
  type Solution,
  type SolveOptions,
} from './objective.ts';

/** Passes over the coordinates of one quadratic model; more would not change the step. */
const PASSES = 1000;
/** The quadratic model is solved to this part of the present violation, and better as it falls: the outer steps converge superlinearly. */
const FORCING = 0.1;
/** Relative to its largest entry, added to the diagonal of the Hessian: a coordinate without curvature of its own has a step nevertheless. */
const RIDGE = 1e-12;

/** A Hessian that outlives one call: of the objective it was made for, whose penalty l2 was. */
export interface Curvature {
  /** size × size */
  readonly matrix: Float64Array;
  /** null: nothing in it yet */
  l2: Float64Array | null;
}

/**
 * Proximal Newton with coordinate descent, for an objective with absolute values or bounds.
 *
 *   F(w) = f(w) + Σ l1ⱼ·|wⱼ|,   d = argmin g·d + ½·dᵀHd + Σ l1ⱼ·|wⱼ + dⱼ|  with  lower ≤ w + d ≤ upper,   w ← w + t·d,   t = 1, ½, ¼, …
 *
 * The quadratic model is minimised one coordinate after another by soft-thresholding and clipping, H·d being kept up to date; first over all
 * coordinates, then over those that are not 0 until these have settled, and again over all. F falls by at least 2⁻¹¹·t times what the model
 * promises. The Hessian is kept while the steps that it would still take, at the rate of the last one, are fewer than its making costs.
 *
 * Converged: the largest violation of the optimality conditions (`Objective.violation`) is at most tol. `gradNorm` is that violation.
 * Weights that are 0, or at a bound, are exactly there.
 *
 * @param options  with a Hessian to begin with, which may be of an earlier point or penalty, and how many passes over the data a new one takes
 * @param start    length objective.size, within the bounds; not changed
 * @see Yuan, Ho, Lin, An improved GLMNET for L1-regularized logistic regression, JMLR 13 (2012); Friedman, Hastie, Tibshirani, Regularization
 * paths for generalized linear models via coordinate descent, J. Stat. Softw. 33 (2010)
 */
export function coordinateDescent(
  objective: Objective,
  start: Float64Array,
  options: SolveOptions & { readonly curvature?: Curvature; readonly passes?: number },
): Solution {
  const { size, l1, l2 } = objective;
  const { tol, maxIter, passes = 1 } = options;
  const curvature = options.curvature ?? { matrix: new Float64Array(size * size), l2: null };
  const hessian = curvature.matrix;
  let model = new Float64Array(size);
  const step = new Float64Array(size);
  let quadratic: Quadratic | null = null;
  let w = start.slice();
  let trial = new Float64Array(size);
  let gradient = new Float64Array(size);
  let trialGradient = new Float64Array(size);
  let point = objective.at(w, gradient);
  let value = point.value + objective.absolute(w);
  let violation = objective.worst(w, gradient);
  let iteration = 0;
  /** whether the Hessian is the one at w */
  let fresh = false;
  let known = curvature.l2 !== null;
  if (curvature.l2) for (let j = 0; j < size; j++) hessian[j * size + j] += l2[j] - curvature.l2[j];

  const end = (reason: Solution['reason']): Solution => ({
    w,
    converged: reason === 'converged',
    reason,
    iterations: iteration,
    objective: value,
    gradNorm: violation,
  });
  const refresh = (): void => {
    point.hessian(hessian);
    let largest = 0;
    for (let j = 0; j < size; j++) largest = Math.max(largest, hessian[j * size + j]);
    for (let j = 0; j < size; j++) hessian[j * size + j] += RIDGE * largest;
    curvature.l2 = l2;
    quadratic = null;
    fresh = true;
    known = true;
  };

  if (curvature.l2) curvature.l2 = l2;
  if (!Number.isFinite(value) || !Number.isFinite(violation)) return end('diverged');
  while (violation > tol) {
    if (iteration === maxIter) return end('max_iter');
    if (!known) refresh();
    quadratic ??= eliminate(objective, hessian);
    // an old Hessian makes no better step when its model is solved better
    const forcing = fresh ? Math.min(FORCING, Math.sqrt(violation)) : FORCING;
    minimiseModel(objective, quadratic, w, gradient, violation * forcing, model);
    addScaled(model, -1, w, step);
    // what the model promises, to first order
    let promised = dot(gradient, step);
    for (let j = 0; j < size; j++) promised += l1[j] * (Math.abs(model[j]) - Math.abs(w[j]));
    let t = 1;
    let halvings = 0;
    for (; halvings < HALVINGS; halvings++, t /= 2) {
      if (t === 1) [trial, model] = [model, trial];
      else addScaled(w, t, step, trial);
      const reached = objective.at(trial, trialGradient);
      const trialValue = reached.value + objective.absolute(trial);
      const trialViolation = objective.worst(trial, trialGradient);
      const change = trialValue - value;
      if (
        change <= ARMIJO * t * promised ||
        (Math.abs(change) <= ROUNDING * Math.abs(value) && trialViolation < violation)
      ) {
        // steps still to go with this Hessian, against a new one and the two or three steps after it
        const rate = Math.log(trialViolation / violation);
        known = t === 1 && rate < 0 && Math.log(tol / trialViolation) / rate <= passes + 2;
        fresh = false;
        [w, trial] = [trial, w];
        [gradient, trialGradient] = [trialGradient, gradient];
        point = reached;
        value = trialValue;
        violation = trialViolation;
        iteration++;
        options.onIteration?.({ iteration, objective: value, gradNorm: violation });
        break;
      }
    }
    if (halvings < HALVINGS) continue;
    if (fresh) return end('line_search');
    // an old Hessian may be at fault; the trials were evaluated since
    point = objective.at(w, gradient);
    refresh();
  }
  return end('converged');
}

/** A Hessian without the coordinates that nothing holds, intercepts above all: they take the best value for any of the others. */
interface Quadratic {
  /** the others, ascending */
  readonly held: Int32Array;
  /** H_hh − H_hf·H_ff⁻¹·H_fh, held × held */
  readonly matrix: Float64Array;
  readonly free: Int32Array;
  /** Cholesky factor of H_ff */
  readonly factor: Float64Array;
  /** H_fh, free × held */
  readonly cross: Float64Array;
  /** H_ff⁻¹·H_fh, a row for each held coordinate */
  readonly response: Float64Array[];
}

/** More coordinates than this are left to the descent. */
const MOST_FREE = 64;

function eliminate({ size, l1, l2, lower, upper }: Objective, hessian: Float64Array): Quadratic {
  const loose = (j: number) =>
    l1[j] === 0 && l2[j] === 0 && lower[j] === Number.NEGATIVE_INFINITY && upper[j] === Number.POSITIVE_INFINITY;
  const every = Array.from({ length: size }, (_, j) => j);
  let free = Int32Array.from(every.filter(loose));
  let factor = new Float64Array(0);
  if (free.length <= MOST_FREE) {
    const f = free.length;
    factor = Float64Array.from({ length: f * f }, (_, k) => hessian[free[Math.floor(k / f)] * size + free[k % f]]);
    if (factorCholesky(factor, f).length > 0) free = new Int32Array(0);
  } else free = new Int32Array(0);
  const gone = new Set(free);
  const held = Int32Array.from(every.filter((j) => !gone.has(j)));
  const h = held.length;
  const f = free.length;
  const cross = new Float64Array(f * h);
  for (let a = 0; a < f; a++) for (let k = 0; k < h; k++) cross[a * h + k] = hessian[free[a] * size + held[k]];
  const matrix = new Float64Array(h * h);
  const response: Float64Array[] = [];
  for (let k = 0; k < h; k++) {
    const row = held[k] * size;
    for (let m = 0; m < h; m++) matrix[k * h + m] = hessian[row + held[m]];
    const solved = Float64Array.from({ length: f }, (_, a) => cross[a * h + k]);
    solveCholesky(factor, f, solved);
    response.push(solved);
    for (let a = 0; a < f; a++) {
      const t = solved[a];
      for (let m = 0; m < h; m++) matrix[k * h + m] -= t * cross[a * h + m];
    }
  }
  return { held, matrix, free, factor, cross, response };
}

/** Writes argmin g·d + ½·dᵀHd + Σ l1ⱼ·|wⱼ + dⱼ| as w + d to `at`, to a violation of its optimality conditions of at most `tolerance`. */
function minimiseModel(
  objective: Objective,
  { held, matrix, free, factor, cross, response }: Quadratic,
  w: Float64Array,
  gradient: Float64Array,
  tolerance: number,
  at: Float64Array,
): void {
  const { l1, lower, upper } = objective;
  const size = held.length;
  at.set(w);
  /** slopes of the others where the free coordinates are at their best */
  const slopes = Float64Array.from(held, (j, k) => {
    let slope = gradient[j];
    free.forEach((id, a) => {
      slope -= response[k][a] * gradient[id];
    });
    return slope;
  });
  let all = true;
  for (let pass = 0; pass < PASSES; pass++) {
    let worst = 0;
    for (let k = 0; k < size; k++) {
      const j = held[k];
      if (!all && at[j] === 0) continue;
      const off = objective.violation(j, at[j], slopes[k]);
      if (off > worst) worst = off;
      const line = k * size;
      const curvature = matrix[line + k];
      if (off === 0 || !(curvature > 0)) continue;
      const loose = softThreshold(at[j] - slopes[k] / curvature, l1[j] / curvature);
      const target = Math.min(upper[j], Math.max(lower[j], loose));
      const moved = target - at[j];
      if (moved === 0) continue;
      at[j] = target;
      for (let m = 0; m < size; m++) slopes[m] += moved * matrix[line + m];
    }
    // settled where it is not 0: look at all; settled everywhere: done
    if (worst <= tolerance) {
      if (all) break;
      all = true;
    } else all = false;
  }
  // the free ones: H_ff·d_f = −(g_f + H_fh·d_h)
  const pull = Float64Array.from(free, (id, a) => {
    let sum = -gradient[id];
    for (let k = 0; k < size; k++) sum -= cross[a * size + k] * (at[held[k]] - w[held[k]]);
    return sum;
  });
  solveCholesky(factor, free.length, pull);
  free.forEach((id, a) => {
    at[id] = w[id] + pull[a];
  });
}

/** z − t for z > t, z + t for z < −t, else 0 */
function softThreshold(z: number, t: number): number {
  return z > t ? z - t : z < -t ? z + t : 0;
}
