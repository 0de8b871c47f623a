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

/** Largest number of passes over the coordinates of one quadratic model; more would not change the step. */
const PASSES = 1000;
/**
 * The quadratic model is solved to this fraction of the current violation, and more exactly as the violation falls, so outer steps converge
 * superlinearly.
 */
const FORCING = 0.1;
/** Added to the diagonal of the Hessian, relative to its largest entry, so that a coordinate without curvature has a finite step. */
const RIDGE = 1e-12;

/** A Hessian kept between calls, changed by what was seen since, and the l2 of the objective that it was made for. */
export interface Curvature {
  /** size × size */
  readonly matrix: Float64Array;
  /** null: not computed yet */
  l2: Float64Array | null;
}

/** f and its gradient at a point. */
export interface Known {
  readonly value: number;
  readonly gradient: Float64Array;
}

/**
 * Proximal Newton with coordinate descent, for an objective with absolute values or bounds.
 *
 *   F(w) = f(w) + Σ l1ⱼ·|wⱼ|,   d = argmin g·d + ½·dᵀHd + Σ l1ⱼ·|wⱼ + dⱼ|  with  lower ≤ w + d ≤ upper,   w ← w + t·d,   t = 1, ½, ¼, …
 *
 * The quadratic model is minimised one coordinate at a time by soft-thresholding and clipping, with H·d kept up to date: first over all
 * coordinates, then over those that are not 0 until they settle, and again over all. F falls by at least 2⁻¹¹·t times the decrease that the
 * model predicts. The Hessian is reused while the remaining steps, at the rate of the last one, cost less than a new Hessian; `learn` brings it
 * nearer to that of the new point.
 *
 * Converged: the largest violation of the optimality conditions (`Objective.violation`) is at most tol. `gradNorm` is that violation.
 * Weights at 0 or at a bound have exactly that value.
 *
 * @param options  with an initial Hessian, possibly of an earlier point or penalty, the cost of a new one in passes over the data, and f and its
 * gradient at the start where they are known
 * @param start    length objective.size, within the bounds; not changed
 * @see Yuan, Ho, Lin, An improved GLMNET for L1-regularized logistic regression, JMLR 13 (2012); Friedman, Hastie, Tibshirani, Regularization
 * paths for generalized linear models via coordinate descent, J. Stat. Softw. 33 (2010)
 */
export function coordinateDescent(
  objective: Objective,
  start: Float64Array,
  options: SolveOptions & { readonly curvature?: Curvature; readonly passes?: number; readonly known?: Known | null },
): Solution & Known {
  const { size, l1, l2 } = objective;
  const { tol, maxIter, passes = 1 } = options;
  const curvature = options.curvature ?? { matrix: new Float64Array(size * size), l2: null };
  const hessian = curvature.matrix;
  let model = new Float64Array(size);
  const step = new Float64Array(size);
  let quadratic: Quadratic | undefined;
  /** whether it is that of the Hessian */
  let current = false;
  let w = start.slice();
  let trial = new Float64Array(size);
  let gradient = options.known?.gradient.slice() ?? new Float64Array(size);
  let trialGradient = new Float64Array(size);
  /** null: the likelihood was evaluated elsewhere */
  let point = options.known ? null : objective.at(w, gradient);
  let value = (point ?? options.known!).value + objective.absolute(w);
  let violation = objective.worst(w, gradient);
  let iteration = 0;
  /** whether the Hessian is the one at w */
  let fresh = false;
  let known = curvature.l2 !== null;
  if (curvature.l2) for (let j = 0; j < size; j++) hessian[j * size + j] += l2[j] - curvature.l2[j];

  const end = (reason: Solution['reason']): Solution & Known => ({
    w,
    converged: reason === 'converged',
    reason,
    iterations: iteration,
    objective: value,
    gradNorm: violation,
    value: value - objective.absolute(w),
    gradient,
  });
  const refresh = (): void => {
    point ??= objective.at(w, gradient);
    point.hessian(hessian);
    let largest = 0;
    for (let j = 0; j < size; j++) largest = Math.max(largest, hessian[j * size + j]);
    for (let j = 0; j < size; j++) hessian[j * size + j] += RIDGE * largest;
    curvature.l2 = l2;
    current = false;
    fresh = true;
    known = true;
  };

  if (curvature.l2) curvature.l2 = l2;
  if (!Number.isFinite(value) || !Number.isFinite(violation)) return end('diverged');
  while (violation > tol) {
    if (iteration === maxIter) return end('max_iter');
    if (!known) refresh();
    if (!current) quadratic = eliminate(objective, hessian, quadratic?.matrix ?? new Float64Array(0));
    current = true;
    // with an old Hessian, a more exact solution of the model gives no better step
    const forcing = fresh ? Math.min(FORCING, Math.sqrt(violation)) : FORCING;
    minimiseModel(objective, quadratic!, w, gradient, violation * forcing, model);
    addScaled(model, -1, w, step);
    // the decrease that the model predicts, to first order
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
        // compare the remaining steps with this Hessian to a new Hessian and two or three steps after it
        const rate = Math.log(trialViolation / violation);
        known = t === 1 && rate < 0 && Math.log(tol / trialViolation) / rate <= passes + 2;
        fresh = false;
        [w, trial] = [trial, w];
        [gradient, trialGradient] = [trialGradient, gradient];
        if (known) {
          addScaled(w, -1, trial, step);
          addScaled(gradient, -1, trialGradient, trialGradient);
          if (learn(hessian, l2, step, trialGradient)) current = false;
        }
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
    // an old Hessian may be the cause; evaluate again, because the trials have moved the point
    point = null;
    refresh();
  }
  return end('converged');
}

/**
 * Changes H = A + diag(l2) so that it maps a step s to the change y of the gradient along it. The likelihood's part A is scaled to the curvature
 * along s first, because along a path all curvatures fall alike. Writes both triangles.
 *
 *   c = (y − l2·s)·s / sᵀAs,   H ← cA + diag(l2),   H ← H + yyᵀ/(y·s) − (Hs)(Hs)ᵀ/sᵀHs
 *
 * @returns false, and changes nothing, where a curvature is not positive
 * @see Nocedal, Wright, Numerical Optimization, (6.19) and (6.20)
 */
function learn(hessian: Float64Array, l2: Float64Array, step: Float64Array, change: Float64Array): boolean {
  const size = step.length;
  const image = new Float64Array(size);
  let penalty = 0;
  for (let i = 0; i < size; i++) {
    const s = step[i];
    penalty += l2[i] * s * s;
    if (s === 0) continue;
    const line = i * size;
    for (let j = 0; j < size; j++) image[j] += s * hessian[line + j];
  }
  const along = dot(step, change);
  const scale = (along - penalty) / (dot(step, image) - penalty);
  if (!(along > 0 && scale > 0 && scale < Number.POSITIVE_INFINITY)) return false;
  for (let j = 0; j < size; j++) {
    const pull = l2[j] * step[j];
    image[j] = scale * (image[j] - pull) + pull;
  }
  const curvature = dot(step, image);
  for (let i = 0; i < size; i++) {
    const line = i * size;
    const a = change[i] / along;
    const b = image[i] / curvature;
    hessian[line + i] += (1 / scale - 1) * l2[i];
    for (let j = 0; j < size; j++) hessian[line + j] = scale * hessian[line + j] + a * change[j] - b * image[j];
  }
  return true;
}

/**
 * A Hessian from which the free coordinates (mainly intercepts) are eliminated: they take their best value for any values of the others.
 */
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

/** With more free coordinates than this, none are eliminated. */
const MOST_FREE = 64;

/** @param room  for the matrix, if it has the right length */
function eliminate({ size, l1, l2, lower, upper }: Objective, hessian: Float64Array, room: Float64Array): Quadratic {
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
  const matrix = room.length === h * h ? room : new Float64Array(h * h);
  const response: Float64Array[] = [];
  for (let k = 0; k < h; k++) {
    const row = held[k] * size;
    const line = k * h;
    const solved = Float64Array.from({ length: f }, (_, a) => cross[a * h + k]);
    solveCholesky(factor, f, solved);
    response.push(solved);
    for (let m = 0; m < h; m++) {
      let value = hessian[row + held[m]];
      for (let a = 0; a < f; a++) value -= solved[a] * cross[a * h + m];
      matrix[line + m] = value;
    }
  }
  return { held, matrix, free, factor, cross, response };
}

/** Writes w + d to `at`, with d = argmin g·d + ½·dᵀHd + Σ l1ⱼ·|wⱼ + dⱼ| up to a violation of the optimality conditions of `tolerance`. */
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
  /** slopes of the others with the free coordinates at their best values */
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
      addRow(matrix, line, moved, slopes);
    }
    // settled on the coordinates that are not 0: check all; settled on all: done
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

/** sum[m] += t·matrix[line + m]; four at a time, which takes 0.7 of the time */
function addRow(matrix: Float64Array, line: number, t: number, sum: Float64Array): void {
  const size = sum.length;
  let m = 0;
  for (let at = line; m < size - 3; m += 4, at += 4) {
    const a = matrix[at];
    const b = matrix[at + 1];
    const c = matrix[at + 2];
    const d = matrix[at + 3];
    sum[m] += t * a;
    sum[m + 1] += t * b;
    sum[m + 2] += t * c;
    sum[m + 3] += t * d;
  }
  for (; m < size; m++) sum[m] += t * matrix[line + m];
}

/** z − t for z > t, z + t for z < −t, else 0 */
function softThreshold(z: number, t: number): number {
  return z > t ? z - t : z < -t ? z + t : 0;
}
