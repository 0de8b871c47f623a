/** Parameters that the data cannot determine (dependent columns, separated classes), and their names in messages. */

import { sampledRows } from '../../../bindings/batchLikelihood.ts';
import type { Likelihood } from '../../../bindings/likelihood.ts';
import { factorCholesky, submatrix } from '../../math/cholesky.ts';
import { list } from '../../messages.ts';
import type { Slots } from '../problem/slots.ts';
import type { TargetNumbers } from '../problem/target.ts';
import { quadraticModel } from './newton.ts';
import { maxAbs, type Objective } from './objective.ts';

/**
 * Smallest 1 − R² of a standardised column on the earlier ones. With sums in f64, rounding in XᵀSX of millions of rows stays below 1e-12, and
 * columns that truly differ stay far above. Matrices in f32 need `F32_TOLERANCE`.
 */
export const RANK_TOLERANCE = 1e-11;
/** Rows of a sample for each column, with which independence is proved if it can be. */
const SAMPLE = 100;
/** How many times the tolerance a pivot of the sample must be, so that no rounding can have made it so large. */
const CLEAR = 1000;
/** Coefficients with a smaller share of a runaway step only follow the others. */
const RUNAWAY_SHARE = 0.05;

/**
 * Finds slots whose columns are linear combinations of the intercept and earlier columns. As in R, the later column is dropped.
 *
 * A sample of the rows can prove that there are none: the squared distance of a column to the span of earlier ones only grows with the rows,
 *
 *   pivot over all rows ≥ pivot over the sample > tolerance · Σ sᵢxᵢ²
 *
 * @param slots   the candidates, ascending
 * @param weight  of the rows; null: those of the likelihood
 * @param squares  Σ sᵢxᵢ² of each slot
 * @param tolerance  least 1 − R² of a column on the earlier ones
 * @returns slot indices, ascending
 */
export function dependentSlots(
  likelihood: Likelihood,
  slots: readonly number[],
  weight: Float64Array | null,
  squares: Float64Array,
  tolerance = RANK_TOLERANCE,
): number[] {
  const { rows, classes, parameters } = likelihood;
  const order = [parameters / classes - 1, ...slots];
  const size = order.length;
  const most = SAMPLE * size;
  if (rows > 2 * most) {
    // `gram` multiplies the sums of a sample by rows / sampled
    const least = (CLEAR * tolerance * rows) / sampledRows(rows, most);
    const sample = gramOf(likelihood, order, weight, most);
    const proved =
      factorCholesky(sample, size).length === 0 &&
      slots.every((slot, k) => sample[(k + 1) * (size + 1)] ** 2 > least * squares[slot]);
    if (proved) return [];
  }
  return factorCholesky(gramOf(likelihood, order, weight), size, tolerance).map((j) => order[j]);
}

/**
 * XᵀCX of these columns in their order, C = diag(c), null for the sample weights.
 * @param order  slots, and the intercept (the number of slots)
 * @param most   as of `Likelihood.gram`
 */
export function gramOf(
  likelihood: Likelihood,
  order: readonly number[],
  c: Float64Array | null,
  most?: number,
): Float64Array {
  const width = likelihood.parameters / likelihood.classes;
  const gram = new Float64Array(width * width);
  likelihood.gram(c, gram, most);
  return submatrix(gram, width, order);
}

/** Parameters that dominate the Newton step at w, the end of a fit that diverged; none if the Hessian there is singular. */
export function runawayParameters(objective: Objective, w: Float64Array): number[] {
  const step = quadraticModel(objective, w)?.step;
  if (!step) return [];
  const largest = maxAbs(step);
  return Array.from(objective.active).filter((_, j) => Math.abs(step[j]) >= RUNAWAY_SHARE * largest);
}

/**
 * Whether the fitted logits, without offset, are right in every row of positive weight: they have the sign of the label, or are greatest for the
 * true class. Then these weights separate the classes completely, and twice the weights would fit better, so no maximum exists.
 *
 * @param logits  one plane of rows, or one for each class
 * @param y       share of the positive class, or the class
 */
export function separatesAllRows(
  logits: Float64Array,
  y: TargetNumbers,
  weight: Float64Array | null,
  offset: Float64Array | null,
): boolean {
  const rows = y.length;
  const classes = logits.length / rows;
  for (let i = 0; i < rows; i++) {
    if (weight && weight[i] === 0) continue;
    if (classes === 1) {
      const z = offset ? logits[i] - offset[i] : logits[i];
      if (!(y[i] === 1 ? z > 0 : y[i] === 0 && z < 0)) return false;
      continue;
    }
    for (let k = 0; k < classes; k++) {
      if (k !== y[i] && !(logits[y[i] * rows + i] > logits[k * rows + i])) return false;
    }
  }
  return true;
}

/** Names parameters for a message: the features, each once, and a list such as "age", "race: white". */
export function nameParameters(parameters: Iterable<number>, slots: Slots): { features: string[]; text: string } {
  const ids = [...new Set(parameters)].sort((a, b) => a - b);
  const named = ids.filter((id) => id < slots.count).map((id) => slots.at(id));
  return {
    features: [...new Set(named.map(({ name }) => name))],
    text: list(named.map(({ name, level }) => (level === null ? name : `${name}: ${level}`))),
  };
}
