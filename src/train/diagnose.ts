import type { ColumnsBatch } from '../../bindings/batch.ts';
import type { SlotName } from '../encode/encoder.ts';
import { list } from '../encode/label.ts';
import { factorCholesky } from './cholesky.ts';
import { quadraticModel } from './newton.ts';
import { maxAbs, type Objective } from './objective.ts';

/**
 * Least 1 − R² of a standardised column on the earlier ones. Rounding in XᵀSX of millions of rows stays below 1e-12, and correlations that
 * mean something stay far above.
 */
const RANK_TOLERANCE = 1e-11;
/** Coefficients whose part in a runaway step is smaller only follow. */
const RUNAWAY_SHARE = 0.05;

/**
 * What each slot looks like in the rows of positive weight, by one pass over a standardised batch.
 * For a coded slot x is 0 or 1.
 */
export interface SlotProfile {
  /** Σ sᵢxᵢ² */
  readonly square: Float64Array;
  /** 1: the slot has the same value in every row (a numeric column), or no row at all (a coded one) */
  readonly constant: Uint8Array;
  /**
   * 1: the slot separates the classes on its own: a numeric column whose classes do not overlap, a level that only one class has. The
   * likelihood then has no maximum in the slot's coefficient (or, for a reference level, in all others and the intercept).
   */
  readonly separates: Uint8Array;
}

export function profileSlots(batch: ColumnsBatch, y: Float64Array, weight: Float64Array | null): SlotProfile {
  const { specs, offsets, rows, slots } = batch;
  const square = new Float64Array(slots);
  const constant = new Uint8Array(slots);
  const separates = new Uint8Array(slots);
  specs.forEach((spec, column) => {
    const first = offsets[column];
    if (spec.kind === 'numeric') {
      const x = batch.numeric(column);
      const min = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      const max = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        const s = weight ? weight[i] : 1;
        if (s === 0) continue;
        sum += s * x[i] * x[i];
        if (x[i] < min[y[i]]) min[y[i]] = x[i];
        if (x[i] > max[y[i]]) max[y[i]] = x[i];
      }
      square[first] = sum;
      constant[first] = Number(Math.min(...min) === Math.max(...max));
      separates[first] = Number(!constant[first] && (max[0] <= min[1] || max[1] <= min[0]));
    } else {
      const codes = batch.codes(column);
      const share = [new Float64Array(spec.slots), new Float64Array(spec.slots)];
      for (let i = 0; i < rows; i++) share[y[i]][codes[i]] += weight ? weight[i] : 1;
      for (let code = 0; code < spec.slots; code++) {
        const [negative, positive] = [share[0][code], share[1][code]];
        square[first + code] = negative + positive;
        constant[first + code] = Number(negative + positive === 0);
        separates[first + code] = Number(negative > 0 !== positive > 0);
      }
    }
  });
  return { square, constant, separates };
}

/**
 * Free parameters whose columns are linear combinations of earlier ones (the intercept first, then the slots in order), as in R: the later
 * column goes.
 *
 * @param start  where the rows are weighed by s·p(1 − p): a point before a fit has made any of these vanish
 * @returns parameter indices, ascending
 */
export function dependentParameters(objective: Objective, start: Float64Array): number[] {
  const { size, active } = objective;
  const hessian = new Float64Array(size * size);
  objective.valueGradient(start, new Float64Array(size));
  objective.hessian(hessian);
  const order = [size - 1, ...Array.from({ length: size - 1 }, (_, j) => j)];
  const ordered = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) ordered[i * size + j] = hessian[order[i] * size + order[j]];
  }
  return factorCholesky(ordered, size, RANK_TOLERANCE).map((j) => active[order[j]]);
}

/** Parameters that carry the Newton step at w, the end of a fit that diverged; none when the Hessian there is singular. */
export function runawayParameters(objective: Objective, w: Float64Array): number[] {
  const step = quadraticModel(objective, w)?.step;
  if (!step) return [];
  const largest = maxAbs(step);
  return Array.from(objective.active).filter((_, j) => Math.abs(step[j]) >= RUNAWAY_SHARE * largest);
}

/**
 * Whether the fitted logits, without offset, have the sign of the label in every row of positive weight. Then the classes are completely
 * separated by these very weights, and twice the weights would fit better: no maximum exists.
 */
export function separatesAllRows(
  logits: Float64Array,
  y: Float64Array,
  weight: Float64Array | null,
  offset: Float64Array | null,
): boolean {
  for (let i = 0; i < logits.length; i++) {
    if (weight && weight[i] === 0) continue;
    const z = offset ? logits[i] - offset[i] : logits[i];
    if (!(y[i] === 1 ? z > 0 : z < 0)) return false;
  }
  return true;
}

/** Parameters in words: features that are named once each, and a list such as "age", "race: white" for a message. */
export function nameParameters(
  parameters: Iterable<number>,
  names: readonly SlotName[],
): { features: string[]; text: string } {
  const slots = [...new Set(parameters)].sort((a, b) => a - b).flatMap((id) => (id < names.length ? [names[id]] : []));
  return {
    features: [...new Set(slots.map((slot) => slot.name))],
    text: list(slots.map((slot) => (slot.level === null ? slot.name : `${slot.name}: ${slot.level}`))),
  };
}
