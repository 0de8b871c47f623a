import { CHI_SQUARE_95, chiSquareTest } from '../../math/chiSquare.ts';
import { solveCholesky } from '../../math/cholesky.ts';
import { twoSidedP } from '../../math/normal.ts';
import type { FeatureTest, ProfileInterval } from '../../model/manifest.ts';
import type { Task } from '../problem/task.ts';
import { FirthObjective } from '../solve/firth.ts';
import { quadraticModel } from '../solve/newton.ts';
import { addScaled, dot, Objective } from '../solve/objective.ts';
import type { Fitted } from '../solve/types.ts';
import { dependentSlots } from '../solve/untold.ts';
import { Restricted, refit } from './restricted.ts';

/** Largest number of steps in the search for an end; four are usual. */
const STEPS = 60;
/** Beyond this many standard errors the interval is reported as unbounded. */
const FAR = 1e4;
/** Tolerance of the signed root of the deviance at an end. */
const ROOT_TOL = 1e-9;

/**
 * Profile-likelihood intervals of the coefficients β for raw features, intercepts included.
 *
 *   r(v)² = 2·(max l − max {l : βⱼ = v}),   ends: r(v) = Φ⁻¹(0.975),   chi2 = r(0)²
 *
 * The ends are roots to nine digits, found by Newton's method on r, which is nearly linear. Each value of r is a fit of all other coefficients
 * that starts from the previous fit; a coefficient takes about ten fits. (R's `confint` interpolates between about ten values of r, so it
 * differs in the fourth digit.) If the classes are separated, max l is a limit, and an end towards which the likelihood keeps rising is
 * infinite. For Firth's likelihood the penalised likelihood is profiled, with the determinant over all columns, as in R's logistf.
 *
 * @see Venzon, Moolgavkar, Applied Statistics 37 (1988) 87–94; Heinze, Schemper, Statistics in Medicine 21 (2002) 2409–2419
 */
export function profileIntervals({ standard, slots }: Task, { objective, w, report }: Fitted): ProfileInterval[] {
  const { size, active, totalWeight } = objective;
  const width = slots.count + 1;
  const model = report.converged ? quadraticModel(objective, w) : null;
  const gradient = new Float64Array(size);
  const top = objective.at(w, gradient).value;
  return Array.from(active, (parameter, own): ProfileInterval => {
    // β = a·w
    const a = new Float64Array(size);
    const slot = parameter % width;
    if (slot < slots.count) a[own] = 1 / standard.scale[slot];
    else {
      a[own] = 1;
      active.forEach((id, j) => {
        if (id < parameter && id > parameter - width) a[j] = -standard.shift[id % width] / standard.scale[id % width];
      });
    }
    const estimate = dot(a, w);
    // the direction in which the parameters follow β, and its standard error
    const tangent = model ? a.slice() : alone(objective, own, standard);
    if (model) solveCholesky(model.factor, size, tangent);
    const variance = model ? dot(a, tangent) : 1;
    // without a maximum, use a unit of the standardised feature
    const error = model ? Math.sqrt(variance / totalWeight) : Math.abs(a[own]);

    const from = new Float64Array(size);
    const root = (near: { w: Float64Array; v: number }, v: number) => {
      const plane = Restricted.holding(objective, a, v);
      addScaled(near.w, (v - near.v) / variance, tangent, from);
      const solution = refit(plane, plane.project(from));
      const at = plane.lift(solution.w).slice();
      const { value } = objective.at(at, gradient);
      let pivot = 0;
      for (let j = 1; j < size; j++) if (Math.abs(a[j]) > Math.abs(a[pivot])) pivot = j;
      const r = Math.sqrt(Math.max(0, 2 * totalWeight * (value - top)));
      return { r, slope: (totalWeight * Math.abs(gradient[pivot] / a[pivot])) / r, w: at, v };
    };
    const end = (side: 1 | -1): number | null => {
      const target = Math.sqrt(CHI_SQUARE_95);
      // distances from the estimate that are too small, and too large
      let short = 0;
      let long = Number.POSITIVE_INFINITY;
      let t = target * error;
      let near: { w: Float64Array; v: number } = { w, v: estimate };
      for (let k = 0; k < STEPS && t < FAR * error; k++) {
        const point = root(near, estimate + side * t);
        near = point;
        if (point.r < target) short = t;
        else long = t;
        let next = t + (target - point.r) / point.slope;
        // in large samples, rounding of the deviance ends the search before the tolerance is reached
        const close = Math.abs(point.r - target) <= ROOT_TOL || (long - short) / long <= Number.EPSILON;
        if (close) return estimate + side * next;
        if (!(next > short && next < long)) next = long < Number.POSITIVE_INFINITY ? (short + long) / 2 : 2 * t;
        t = Math.min(next, 4 * t);
      }
      return long < Number.POSITIVE_INFINITY ? estimate + side * t : null;
    };
    const { r } = root({ w, v: estimate }, 0);
    return { parameter, low: end(-1), high: end(1), chi2: r * r, p: twoSidedP(r) };
  });
}

/** The change of the parameters for a unit change of one coefficient of raw features. */
function alone({ active, size }: Objective, own: number, { shift, scale }: Task['standard']): Float64Array {
  const slots = shift.length;
  const slot = active[own] % (slots + 1);
  const out = new Float64Array(size);
  if (slot < slots) out[active.indexOf(active[own] - slot + slots)] = shift[slot];
  out[own] = slot < slots ? scale[slot] : 1;
  return out;
}

/**
 * Likelihood-ratio test of each feature: twice the loss of log-likelihood without its slots; df is the number of free parameters removed.
 * Columns that repeated those of the feature take their place, so each of two equal columns has df 0.
 * With Firth's likelihood the slots are held at 0, and the determinant remains that of all columns.
 */
export function featureTests(task: Task, fitted: Fitted): FeatureTest[] {
  const { objective } = fitted;
  const width = task.slots.count + 1;
  const features = new Map<number, string>();
  for (let id = 0; id < task.slots.count; id++) features.set(task.slots.at(id).feature, task.slots.at(id).name);
  return Array.from(features, ([feature, name]): FeatureTest => {
    const isOwn = (id: number) => id % width < task.slots.count && task.slots.at(id % width).feature === feature;
    const without =
      objective instanceof FirthObjective
        ? Restricted.to(
            objective,
            Int32Array.from(objective.active.keys()).filter((j) => !isOwn(objective.active[j])),
          )
        : withoutSlots(task, fitted, isOwn);
    if (without.size === objective.size) return { feature: name, ...chiSquareTest(0, 0) };
    const { objective: value } = refit(without, without.restrict(fitted.params));
    const loss = 2 * objective.totalWeight * (value - fitted.report.objective);
    return { feature: name, ...chiSquareTest(loss, objective.size - without.size) };
  });
}

function withoutSlots(
  { likelihood, slots, weight, profile }: Task,
  { objective, aliased }: Fitted,
  isOwn: (id: number) => boolean,
): Objective {
  const width = slots.count + 1;
  const rest = Array.from(objective.active).filter((id) => !isOwn(id));
  let active = rest;
  const back = aliased.filter((id) => !isOwn(id) && id < width);
  if (back.length > 0) {
    const intercepts = rest.filter((id) => id % width === slots.count);
    const candidates = [...new Set([...rest.map((id) => id % width), ...back])]
      .filter((slot) => slot < slots.count)
      .sort((a, b) => a - b);
    const dependent = new Set(dependentSlots(likelihood, candidates, weight, profile.square));
    const kept = candidates.filter((slot) => !dependent.has(slot));
    active = intercepts.flatMap((id) => [...kept.map((slot) => id - slots.count + slot), id]);
  }
  const none = new Float64Array(likelihood.parameters);
  return new Objective(likelihood, {
    active: Int32Array.from(active),
    totalWeight: objective.totalWeight,
    l2: none,
    l1: none,
  });
}
