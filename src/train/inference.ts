import type { Feature } from '../encode/schema.ts';
import { invertCholesky } from './cholesky.ts';
import type { Objective } from './objective.ts';

/**
 * How the slots of the training batch were standardised: x = (raw − shift) / scale.
 * Both have one entry per slot; a slot of a coded column has shift 0 and scale 1.
 */
export interface Standardisation {
  readonly shift: Float64Array;
  readonly scale: Float64Array;
}

/**
 * @param slots  what each slot stands for, in slot order: index of its feature and its role
 */
export function standardisation(
  features: readonly Feature[],
  slots: readonly { readonly feature: number; readonly role: string }[],
): Standardisation {
  const shift = new Float64Array(slots.length);
  const scale = new Float64Array(slots.length).fill(1);
  slots.forEach((slot, j) => {
    const feature = features[slot.feature];
    if (slot.role !== 'number' || feature.kind !== 'numeric') return;
    shift[j] = feature.mean;
    scale[j] = feature.scale;
  });
  return { shift, scale };
}

/**
 * Parameters for raw features from parameters for standardised ones.
 *
 *   wⱼ = vⱼ / scaleⱼ,   b = c − Σ vⱼ·shiftⱼ / scaleⱼ
 *
 * @param params  slots, then the intercept
 */
export function foldParameters(
  params: Float64Array,
  { shift, scale }: Standardisation,
): { weights: Float64Array; intercept: number } {
  const slots = shift.length;
  const weights = new Float64Array(slots);
  let intercept = params[slots];
  for (let j = 0; j < slots; j++) {
    weights[j] = params[j] / scale[j];
    intercept -= weights[j] * shift[j];
  }
  return { weights, intercept };
}

/**
 * Covariance of the maximum-likelihood estimate for raw features: the inverse of the observed information, folded.
 *
 *   A·(XᵀSX)⁻¹·Aᵀ,   A the linear map of `foldParameters`
 *
 * Sample weights count rows: weight 2 is a row seen twice. Rows and columns of parameters held at 0 are 0.
 *
 * @param factor  Cholesky factor of the Hessian of an objective without penalty at its minimum, size × size
 * @returns parameters × parameters, row-major, symmetric; slots, then the intercept
 */
export function covariance(
  objective: Objective,
  factor: Float64Array,
  { shift, scale }: Standardisation,
): Float64Array {
  const { active, size, totalWeight } = objective;
  const slots = shift.length;
  const parameters = slots + 1;
  const inverse = invertCholesky(factor, size);
  const out = new Float64Array(parameters * parameters);
  // A·C: scale every row, and carry the shifts into the row of the intercept.
  for (let i = 0; i < size; i++) {
    const row = active[i];
    const divisor = row < slots ? scale[row] : 1;
    const carry = row < slots ? shift[row] / scale[row] : 0;
    for (let k = 0; k < size; k++) {
      const value = inverse[i * size + k] / totalWeight;
      out[row * parameters + active[k]] += value / divisor;
      if (carry !== 0) out[slots * parameters + active[k]] -= carry * value;
    }
  }
  // (A·C)·Aᵀ: the same for columns.
  for (let i = 0; i < parameters; i++) {
    const row = i * parameters;
    for (let j = 0; j < slots; j++) {
      const value = out[row + j];
      if (value === 0) continue;
      out[row + j] = value / scale[j];
      out[row + slots] -= value * (shift[j] / scale[j]);
    }
  }
  // Rounding leaves the two triangles apart by an ulp; a covariance is symmetric.
  for (let i = 0; i < parameters; i++) {
    for (let j = 0; j < i; j++) out[j * parameters + i] = out[i * parameters + j];
  }
  return out;
}
