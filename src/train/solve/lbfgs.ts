import {
  addScaled,
  dot,
  type Evaluated,
  type Metric,
  maxAbs,
  type Objective,
  type ObjectivePoint,
  ROUNDING,
  type Solution,
  type SolveOptions,
} from './objective.ts';

/** Number of pairs of step and gradient change that are stored. */
const MEMORY = 10;
/** Sufficient decrease (c₁) and curvature (c₂) of the strong Wolfe conditions. */
const DECREASE = 1e-4;
const CURVATURE = 0.9;
const EVALUATIONS = 40;
/** Part of the objective; after such a decrease logits differ by tenths, and curvatures of rows by a few per cent. */
const MOVED = 0.02;

export interface LbfgsOptions extends SolveOptions {
  /**
   * Makes a metric at the start, which saves the iterations that would find it. It is asked again whenever the objective has fallen by a
   * fiftieth since it made the last one; a new metric replaces the stored pairs.
   */
  readonly metric?: (point: ObjectivePoint) => Metric;
  /** The metric of the first step, after which `metric` is asked. Default: `metric` is asked at the start. */
  readonly first?: Metric | null;
  /** Ends with a step that is not evaluated, once half its slope is at most this: about what it lowers f. Default: no such end. */
  readonly enough?: number;
}

export interface LbfgsSolution extends Solution {
  /** w as it was evaluated last; null if a line search went on without success */
  readonly last: Evaluated | null;
}

/**
 * Limited-memory BFGS with 10 pairs and a strong Wolfe line search: O(rows·row length + 40·size) per iteration and no matrix, for data with
 * too many parameters for Newton's method.
 *
 * Converged: max|gⱼ| ≤ tol. When no point along a direction is better, the memory is dropped once for a scaled gradient step;
 * if that fails too the reason is `line_search`.
 *
 * @param start  length objective.size; not changed
 * @see Nocedal, Wright, Numerical Optimization, algorithms 7.4, 7.5 and 3.5, 3.6; near the optimum, where differences of f are rounding errors, the
 *   approximate Wolfe condition of Hager, Zhang, SIAM J. Optim. 16 (2005) 170–192 is used
 */
export function lbfgs(objective: Objective, start: Float64Array, options: LbfgsOptions): LbfgsSolution {
  const { size } = objective;
  const { tol, maxIter, enough = 0 } = options;
  const steps: Float64Array[] = [];
  const changes: Float64Array[] = [];
  let w = start.slice();
  let gradient = new Float64Array(size);
  let trial = new Float64Array(size);
  let trialGradient = new Float64Array(size);
  const direction = new Float64Array(size);
  let point = objective.at(w, gradient);
  let { value } = point;
  let gradNorm = maxAbs(gradient);
  let metric = gradNorm > tol ? (options.first ?? options.metric?.(point)) : undefined;
  let measured = value;
  let iteration = 0;

  const end = (reason: Solution['reason']): LbfgsSolution => ({
    w,
    converged: reason === 'converged',
    reason,
    iterations: iteration,
    objective: value,
    gradNorm,
    last: reason === 'line_search' || enough > 0 ? null : { point, gradient },
  });

  if (!Number.isFinite(value) || !Number.isFinite(gradNorm)) return end('diverged');
  while (gradNorm > tol) {
    if (iteration === maxIter) return end('max_iter');
    descend(direction, gradient, steps, changes, metric);
    let slope = dot(gradient, direction);
    if (!(slope < 0)) {
      steps.length = 0;
      changes.length = 0;
      descend(direction, gradient, steps, changes, metric);
      slope = dot(gradient, direction);
    }
    if (-slope / 2 <= enough) {
      addScaled(w, 1, direction, trial);
      w = trial;
      return end('converged');
    }
    const first = steps.length > 0 || metric ? 1 : Math.min(1, 1 / gradNorm);
    let reached = point;
    const found = wolfe({ t: 0, value, slope }, first, (t) => {
      addScaled(w, t, direction, trial);
      reached = objective.at(trial, trialGradient);
      return { t, value: reached.value, slope: dot(trialGradient, direction) };
    });
    if (!found) {
      if (steps.length === 0) return end('line_search');
      steps.length = 0;
      changes.length = 0;
      continue;
    }
    const full = steps.length === MEMORY;
    const step = full ? steps.shift()! : new Float64Array(size);
    const change = full ? changes.shift()! : new Float64Array(size);
    addScaled(trial, -1, w, step);
    addScaled(trialGradient, -1, gradient, change);
    if (dot(step, change) > 0) {
      steps.push(step);
      changes.push(change);
    }
    [w, trial] = [trial, w];
    [gradient, trialGradient] = [trialGradient, gradient];
    point = reached;
    value = found.value;
    gradNorm = maxAbs(gradient);
    iteration++;
    options.onIteration?.({ iteration, objective: value, gradNorm });
    const stale = (options.first && iteration === 1) || measured - value > MOVED * Math.abs(value);
    if (metric && gradNorm > tol && stale) {
      const renewed = options.metric!(point);
      measured = value;
      if (renewed !== metric) {
        metric = renewed;
        steps.length = 0;
        changes.length = 0;
      }
    }
  }
  return end('converged');
}

/** Writes −B·g, B the inverse Hessian that the pairs describe (two-loop recursion). */
function descend(
  direction: Float64Array,
  gradient: Float64Array,
  steps: readonly Float64Array[],
  changes: readonly Float64Array[],
  metric: Metric | undefined,
): void {
  const last = steps.length - 1;
  const alphas = new Float64Array(steps.length);
  for (let j = 0; j < gradient.length; j++) direction[j] = -gradient[j];
  for (let k = last; k >= 0; k--) {
    alphas[k] = dot(steps[k], direction) / dot(steps[k], changes[k]);
    addScaled(direction, -alphas[k], changes[k], direction);
  }
  if (last >= 0) {
    const change = changes[last].slice();
    metric?.(change);
    const norm = dot(changes[last], change);
    const scale = norm > 0 ? dot(steps[last], changes[last]) / norm : 1;
    for (let j = 0; j < direction.length; j++) direction[j] *= scale;
  }
  metric?.(direction);
  for (let k = 0; k <= last; k++) {
    const beta = dot(changes[k], direction) / dot(steps[k], changes[k]);
    addScaled(direction, alphas[k] - beta, steps[k], direction);
  }
}

interface Point {
  readonly t: number;
  readonly value: number;
  readonly slope: number;
}

/**
 * A step that satisfies the strong (or, within rounding of f, the approximate) Wolfe conditions; null when none is found.
 * `low` is the best point so far that decreases enough, `high` the other end of an interval that holds an acceptable step.
 */
function wolfe(origin: Point, first: number, evaluate: (t: number) => Point): Point | null {
  const rounding = ROUNDING * Math.abs(origin.value);
  let low = origin;
  let high: Point | null = null;
  let t = first;
  for (let k = 0; k < EVALUATIONS; k++) {
    const point = evaluate(t);
    const finite = Number.isFinite(point.value) && Number.isFinite(point.slope);
    const enough = point.value <= origin.value + DECREASE * t * origin.slope;
    if (finite) {
      const level = point.value <= origin.value + rounding && point.slope <= (2 * DECREASE - 1) * origin.slope;
      if (enough && Math.abs(point.slope) <= -CURVATURE * origin.slope) return point;
      if (level && point.slope >= CURVATURE * origin.slope) return point;
    }
    const tooHigh: boolean =
      !finite || (!enough && point.value > origin.value + rounding) || point.value > low.value + rounding;
    if (tooHigh) {
      high = point;
    } else {
      if (point.slope * (high ? high.t - low.t : 1) >= 0) high = low;
      low = point;
    }
    t = high ? between(low, high) : 4 * t;
    if (high && Math.abs(high.t - low.t) <= Number.EPSILON * low.t) return null;
  }
  return null;
}

/** Minimiser of the cubic through both points and slopes, kept within the middle four fifths of the interval. */
function between(low: Point, high: Point): number {
  const width = high.t - low.t;
  const middle = low.t + width / 2;
  if (!Number.isFinite(high.value) || !Number.isFinite(high.slope)) return middle;
  const d1 = low.slope + high.slope - (3 * (high.value - low.value)) / width;
  const d2 = Math.sign(width) * Math.sqrt(d1 * d1 - low.slope * high.slope);
  const t = high.t - (width * (high.slope + d2 - d1)) / (high.slope - low.slope + 2 * d2);
  const share = (t - low.t) / width;
  return share >= 0.1 && share <= 0.9
    ? t
    : share < 0.1
      ? low.t + 0.1 * width
      : share > 0.9
        ? low.t + 0.9 * width
        : middle;
}
