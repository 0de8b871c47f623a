import { exp } from '../../../bindings/js/math.ts';
import type { Likelihood, LikelihoodPoint } from '../../../bindings/likelihood.ts';
import { classWeights } from '../../encode/tally.ts';
import { BorderedFactor, longest } from '../../math/bordered.ts';
import { factorCholesky, solveCholesky, submatrix } from '../../math/cholesky.ts';
import type { Problem } from '../../train/problem/problem.ts';
import type { SlotProfile } from '../../train/problem/slotProfile.ts';
import type { TargetNumbers } from '../../train/problem/target.ts';
import { Objective } from '../../train/solve/objective.ts';
import { gramOf } from '../../train/solve/untold.ts';

/** 1 − R² below which a column is a combination of others, for the weighted columns of a fit. */
const SINGULAR = 1e-11;

/** A likelihood of a problem, and the point at which it is examined. */
export interface Examined {
  readonly likelihood: Likelihood;
  /** two classes: share of the positive one; more: the class */
  readonly y: TargetNumbers;
  readonly profile: SlotProfile;
  /** a fit, for standardised features; null: the null model */
  readonly params: Float64Array | null;
  /** the likelihood at the parameters, if that is there already; nothing has evaluated it since */
  readonly evaluated?: { readonly point: LikelihoodPoint; readonly gradient: Float64Array } | null;
}

/** The weighted columns of a fit. */
export interface Weighted {
  /** slots, ascending, then the intercept */
  readonly columns: readonly number[];
  /** XᵀWX of the columns, W = s·π(1 − π), of several classes s·(1 − Σπ²) */
  readonly information: Float64Array;
  /** null where it is singular */
  readonly factor: BorderedFactor | null;
  /** places of the levels of each category, which exclude one another */
  readonly levels: readonly (readonly number[])[];
}

/** The likelihood without penalty near a point. */
export interface State extends Weighted {
  readonly objective: Objective;
  readonly w: Float64Array;
  /** the Newton step; null if the Hessian is singular */
  readonly step: Float64Array | null;
}

/** Slots that can have an estimate: slots with rows that are not reference levels, and not the first level of a one-hot feature. */
export function estimable({ slots, schema }: Problem, { constant }: SlotProfile): number[] {
  const seen = new Set<number>();
  return slots.flatMap(({ feature, role }, id) => {
    if (constant[id] || !['number', 'level', 'missing', 'unseen'].includes(role)) return [];
    const shape = schema.features[feature];
    const onehot = 'coding' in shape ? shape.coding === 'onehot' : shape.kind === 'hashed';
    if (role !== 'level' || !onehot || seen.has(feature)) return [id];
    seen.add(feature);
    return [];
  });
}

/** @param columns  slots, ascending, then the intercept */
export function stateOf(problem: Problem, { likelihood, y, params }: Examined, columns: readonly number[]): State {
  const { weight } = problem.rows;
  const { classes, parameters } = likelihood;
  const width = parameters / classes;
  const blocks = Array.from({ length: Math.max(1, classes - 1) }, (_, k) => (classes > 1 ? k + 1 : 0));
  const objective = new Objective(likelihood, {
    active: Int32Array.from(blocks.flatMap((k) => columns.map((id) => k * width + id))),
    totalWeight: likelihood.totalWeight,
    l2: new Float64Array(parameters),
    l1: new Float64Array(parameters),
  });
  const point = params ? toReference(params, problem, columns, classes) : nullPoint(likelihood, y, weight, width);
  const w = objective.restrict(point);
  const step = new Float64Array(objective.size);
  const hessian = new Float64Array(objective.size ** 2);
  objective.at(w, step).hessian(hessian);
  const { totalWeight } = likelihood;
  const own = hessian.map((value) => value * totalWeight);
  const singular = factorCholesky(hessian, objective.size, SINGULAR).length > 0;
  if (!singular) {
    for (let j = 0; j < step.length; j++) step[j] = -step[j];
    solveCholesky(hessian, objective.size, step);
  }
  const weighted =
    classes > 1
      ? factored(problem, columns, gramOf(likelihood, columns, spread(likelihood, point, weight)), true)
      : factored(problem, columns, own, !singular);
  return { ...weighted, objective, w, step: singular ? null : step };
}

/** How many times the tolerance a pivot must be, so that no rounding can have made it so large. */
const CLEAR = 1000;

/**
 * Whether the columns are independent beyond doubt. What some rows prove holds for all of them, because pivots of XᵀWX only grow with the rows.
 * @param square  greatest possible diagonal of XᵀWX of all rows; absent: that of the matrix
 */
export function areIndependent({ information, factor, columns }: Weighted, square?: (j: number) => number): boolean {
  const diagonal = square ?? ((j: number) => information[j * (columns.length + 1)]);
  return factor?.pivots().every((pivot, j) => pivot > CLEAR * SINGULAR * diagonal(j)) ?? false;
}

/** @param regular  whether the matrix may be regular, which is then seen */
export function factored(
  { batch }: Problem,
  columns: readonly number[],
  information: Float64Array,
  regular: boolean,
): Weighted {
  const size = columns.length;
  const place = new Map(columns.map((id, j) => [id, j]));
  const levels = batch.specs.flatMap((spec, c) => {
    if (spec.kind === 'numeric') return [];
    const first = batch.offsets[c];
    return [Array.from({ length: spec.slots }, (_, k) => place.get(first + k)).filter((j) => j !== undefined)];
  });
  const factor = regular ? BorderedFactor.of(information, size, longest(levels)) : null;
  return { columns, information, factor, levels };
}

/** The columns at a point of a likelihood of one weight vector. @param columns  slots, ascending, then the intercept */
export function weightedColumns(problem: Problem, point: LikelihoodPoint, columns: readonly number[]): Weighted {
  const parameters = problem.slots.length + 1;
  const hessian = new Float64Array(parameters * parameters);
  point.hessian(hessian);
  return factored(problem, columns, submatrix(hessian, parameters, columns), true);
}

/**
 * The columns as the null model sees them.
 * @param columns  slots, ascending, then the intercept
 */
export function nullColumns(problem: Problem, fit: Examined, columns: readonly number[]): Weighted {
  const { weight, offset } = problem.rows;
  if (offset || fit.likelihood.classes > 1) return stateOf(problem, { ...fit, params: null }, columns);
  // π is one number, which changes neither condition nor inflation
  const information = gramOf(fit.likelihood, columns, weight ?? new Float64Array(fit.y.length).fill(1));
  return factored(problem, columns, information, true);
}

/**
 * Re-expresses the parameters in reference coding: the first of several classes is 0, and so is the first level of each category if it is not
 * among the columns. Logits change only by a constant common to all classes.
 */
function toReference(
  params: Float64Array,
  { batch, slots }: Problem,
  columns: readonly number[],
  classes: number,
): Float64Array {
  const { specs, offsets } = batch;
  const width = slots.length + 1;
  const point = params.map((value, at) => (classes > 1 ? value - params[at % width] : value));
  specs.forEach((spec, c) => {
    if (spec.kind === 'numeric') return;
    const first = offsets[c];
    const own = Array.from({ length: spec.slots }, (_, k) => first + k);
    const pinned = own.find((slot) => slots[slot].role === 'level' && !columns.includes(slot));
    if (pinned === undefined) return;
    for (let k = 0; k < classes; k++) {
      const shift = point[k * width + pinned];
      for (const slot of own) point[k * width + slot] -= shift;
      point[(k + 1) * width - 1] += shift;
    }
  });
  return point;
}

/** Intercepts that give each class its share of the rows. */
function nullPoint(
  { parameters, classes }: Likelihood,
  y: TargetNumbers,
  weight: Float64Array | null,
  width: number,
): Float64Array {
  const point = new Float64Array(parameters);
  const share = classWeights(Math.max(2, classes), y, weight);
  for (let k = 1; k < share.length; k++) point[(classes > 1 ? k + 1 : 1) * width - 1] = Math.log(share[k] / share[0]);
  return point;
}

/** s·(1 − Σπ²) of each row, the sum of its classes' π(1 − π) */
function spread(likelihood: Likelihood, params: Float64Array, weight: Float64Array | null): Float64Array {
  const { rows, classes } = likelihood;
  const logits = new Float64Array(classes * rows);
  likelihood.logits(params, logits);
  return Float64Array.from({ length: rows }, (_, i) => {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) largest = Math.max(largest, logits[k * rows + i]);
    let [sum, squares] = [0, 0];
    for (let k = 0; k < classes; k++) {
      const part = exp(logits[k * rows + i] - largest);
      sum += part;
      squares += part * part;
    }
    return (weight ? weight[i] : 1) * (1 - squares / (sum * sum));
  });
}
