import { refuse } from '../../../bindings/errors.ts';
import type { Encoder } from '../../encode/encoder.ts';
import { show } from '../../messages.ts';
import type { Slots } from './slots.ts';

/**
 * How the slots of the training batch were standardised: x = (raw − shift) / scale.
 * Both have one entry per slot; a slot of a coded column has shift 0 and scale 1.
 */
export interface Standardisation {
  readonly shift: Float64Array;
  readonly scale: Float64Array;
}

export function standardisation({ schema, coders, specs, slots }: Encoder): Standardisation {
  const shift = new Float64Array(slots);
  const scale = new Float64Array(slots).fill(1);
  const moments = schema.features.flatMap((feature, i) => {
    if (feature.kind === 'numeric') return [feature];
    const { means = [], scales = [] } = coders[i] ?? {};
    return means.map((mean, j) => ({ mean, scale: scales[j] }));
  });
  let slot = 0;
  let number = 0;
  for (const spec of specs) {
    if (spec.kind === 'numeric') {
      shift[slot] = moments[number].mean;
      scale[slot] = moments[number++].scale;
    }
    slot += spec.kind === 'numeric' ? 1 : spec.slots;
  }
  return { shift, scale };
}

/**
 * Parameters for raw features from parameters for standardised ones, class by class.
 *
 *   wⱼ = vⱼ / scaleⱼ,   b = c − Σ vⱼ·shiftⱼ / scaleⱼ
 *
 * @param params  for every class its slots, then its intercept
 * @returns weights of every class, and their intercepts
 */
export function foldParameters(
  params: Float64Array,
  { shift, scale }: Standardisation,
): { weights: Float64Array; intercept: Float64Array } {
  const slots = shift.length;
  const classes = params.length / (slots + 1);
  const weights = new Float64Array(classes * slots);
  const intercept = new Float64Array(classes);
  for (let k = 0; k < classes; k++) {
    const from = k * (slots + 1);
    intercept[k] = params[from + slots];
    for (let j = 0; j < slots; j++) {
      const weight = params[from + j] / scale[j];
      weights[k * slots + j] = weight;
      intercept[k] -= weight * shift[j];
    }
  }
  return { weights, intercept };
}

/**
 * Largest error of a logit that folding may add, in units of the greatest parameter (at least 1). It is far below the reported precision.
 */
const FOLDING_ERROR = 1e-6;

/**
 * `foldParameters` with a check that the folded weights give the logits of the fit.
 *
 *   rounding of x·w relative to its mean:  ε·Σⱼ |wⱼ·shiftⱼ| <= 1e-6·max(1, max |vⱼ|)
 *
 * A column far from 0 with a small spread has a large weight, which the intercept cancels; the rounding error remains.
 * @param slots  names of the parameters
 * @throws ERR_RANGE naming the column whose weight overflows, or whose rounding is too great
 */
export function foldExactly(
  params: Float64Array,
  standard: Standardisation,
  slots: Slots,
): { weights: Float64Array; intercept: Float64Array } {
  const folded = foldParameters(params, standard);
  const { shift, scale } = standard;
  const width = slots.count + 1;
  const refuseSlot = (j: number, rule: string, next: string): never => {
    const figures = `mean ${brief(shift[j])}, standard deviation ${brief(scale[j])}`;
    return refuse('ERR_RANGE', `column ${show(slots.at(j).name)}`, rule, figures, next);
  };
  for (let k = 0; k < folded.intercept.length; k++) {
    let total = 0;
    let greatest = 1;
    let worst = { slot: 0, error: 0 };
    for (let j = 0; j < slots.count; j++) {
      const value = params[k * width + j];
      if (!Number.isFinite(value)) continue;
      const weight = folded.weights[k * slots.count + j];
      if (!Number.isFinite(weight)) refuseSlot(j, 'a spread that gives a finite weight', 'rescale the column');
      const error = Number.EPSILON * Math.abs(weight * shift[j]);
      total += error;
      greatest = Math.max(greatest, Math.abs(value));
      if (error > worst.error) worst = { slot: j, error };
    }
    if (total > FOLDING_ERROR * greatest) {
      refuseSlot(
        worst.slot,
        'values whose differences are not lost to rounding next to their mean',
        'centre the column (subtract its mean or a value near it), then rescale it if needed',
      );
    }
  }
  return folded;
}

const brief = (x: number): string => String(Number(x.toPrecision(4)));

/** The inverse: parameters for standardised features from weights and intercepts for raw ones. */
export function unfoldParameters(
  weights: Float64Array,
  intercept: Float64Array,
  { shift, scale }: Standardisation,
): Float64Array {
  const slots = shift.length;
  const params = new Float64Array(intercept.length * (slots + 1));
  intercept.forEach((b, k) => {
    const to = k * (slots + 1);
    params[to + slots] = b;
    for (let j = 0; j < slots; j++) {
      const weight = weights[k * slots + j];
      params[to + j] = weight * scale[j];
      params[to + slots] += weight * shift[j];
    }
  });
  return params;
}
