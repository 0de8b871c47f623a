import { LogoddsError } from '../../../bindings/errors.ts';
import type { Encoder, SlotName } from '../../encode/encoder.ts';
import { show } from '../../encode/label.ts';
import { invertCholesky } from '../../math/cholesky.ts';
import type { Warning } from '../../model/manifest.ts';
import { FirthObjective } from '../solve/firth.ts';
import { quadraticModel } from '../solve/newton.ts';
import type { Objective } from '../solve/objective.ts';
import type { Task } from '../solve/solve.ts';
import { type CovarianceKind, sandwich } from './robust.ts';

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
 * @param params  of every class the slots, then the intercept
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

/** Greatest error of a logit, in units of the greatest parameter (1 at least), that folding may add: far below what is reported of a fit. */
const FOLDING_ERROR = 1e-6;

/**
 * `foldParameters`, proven: the folded weights give the logits of the fit.
 *
 *   rounding of x·w beside its mean:  ε·Σⱼ |wⱼ·shiftⱼ| <= 1e-6·max(1, max |vⱼ|)
 *
 * A column far from 0 whose values differ little has a great weight that the intercept takes back, and what is left is rounding.
 * @param slots  what the parameters are called
 * @throws ERR_RANGE naming the column whose weight overflows, or whose rounding is too great
 */
export function foldExactly(
  params: Float64Array,
  standard: Standardisation,
  slots: readonly SlotName[],
): { weights: Float64Array; intercept: Float64Array } {
  const folded = foldParameters(params, standard);
  const { shift, scale } = standard;
  const width = slots.length + 1;
  const refuse = (j: number, rule: string, next: string): never => {
    const figures = `mean ${brief(shift[j])}, standard deviation ${brief(scale[j])}`;
    throw new LogoddsError('ERR_RANGE', `column ${show(slots[j].name)}: expected ${rule}, got ${figures}; ${next}`);
  };
  for (let k = 0; k < folded.intercept.length; k++) {
    let total = 0;
    let greatest = 1;
    let worst = { slot: 0, error: 0 };
    for (let j = 0; j < slots.length; j++) {
      const value = params[k * width + j];
      if (!Number.isFinite(value)) continue;
      const weight = folded.weights[k * slots.length + j];
      if (!Number.isFinite(weight)) refuse(j, 'a spread for which the weight is a finite number', 'rescale the column');
      const error = Number.EPSILON * Math.abs(weight * shift[j]);
      total += error;
      greatest = Math.max(greatest, Math.abs(value));
      if (error > worst.error) worst = { slot: j, error };
    }
    if (total > FOLDING_ERROR * greatest) {
      refuse(
        worst.slot,
        'values whose differences are not lost in rounding beside their mean',
        'centre the column (subtract its mean, or a value near it), or rescale it after that',
      );
    }
  }
  return folded;
}

const brief = (x: number): string => String(Number(x.toPrecision(4)));

/** The other way: parameters for standardised features from weights and intercepts for raw ones. */
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

/**
 * Covariance of the maximum-likelihood estimate for raw features: the inverse of the observed information, folded.
 *
 *   A·(XᵀSX)⁻¹·Aᵀ,   A the linear map of `foldParameters`
 *
 * Weights are taken as counts of rows, whatever they are: those of twice the weights are half of it. Rows and columns of parameters held at 0 are 0.
 *
 * @param factor  Cholesky factor of the Hessian of an objective without penalty at its minimum, size × size
 * @returns parameters × parameters, row-major, symmetric; of every class the slots, then the intercept
 */
export function covariance(objective: Objective, factor: Float64Array, standard: Standardisation): Float64Array {
  const inverse = invertCholesky(factor, objective.size);
  for (let i = 0; i < inverse.length; i++) inverse[i] /= objective.totalWeight;
  return foldCovariance(objective, inverse, standard);
}

/**
 * A·C·Aᵀ of a covariance C of the free parameters of an objective, A the linear map of `foldParameters`.
 *
 * @param inner  C, size × size
 * @returns parameters × parameters, symmetric; zeros where parameters are held
 */
function foldCovariance(
  { active, size, likelihood: { parameters } }: Objective,
  inner: Float64Array,
  { shift, scale }: Standardisation,
): Float64Array {
  const slots = shift.length;
  const interceptOf = (id: number) => id - (id % (slots + 1)) + slots;
  const out = new Float64Array(parameters * parameters);
  // A·C: scale every row, and carry the shifts into the row of the intercept.
  for (let i = 0; i < size; i++) {
    const row = active[i];
    const slot = row % (slots + 1);
    const divisor = slot < slots ? scale[slot] : 1;
    const carry = slot < slots ? shift[slot] / scale[slot] : 0;
    for (let k = 0; k < size; k++) {
      const value = inner[i * size + k];
      out[row * parameters + active[k]] += value / divisor;
      if (carry !== 0) out[interceptOf(row) * parameters + active[k]] -= carry * value;
    }
  }
  // (A·C)·Aᵀ: the same for columns.
  for (let i = 0; i < parameters; i++) {
    const row = i * parameters;
    for (let j = 0; j < parameters; j++) {
      const slot = j % (slots + 1);
      const value = out[row + j];
      if (slot === slots || value === 0) continue;
      out[row + j] = value / scale[slot];
      out[row + interceptOf(j)] -= value * (shift[slot] / scale[slot]);
    }
  }
  // Rounding leaves the two triangles apart by an ulp; a covariance is symmetric.
  for (let i = 0; i < parameters; i++) {
    for (let j = 0; j < i; j++) out[j * parameters + i] = out[i * parameters + j];
  }
  return out;
}

/** A covariance for raw features, or one sentence on why there is none. */
export interface Errors {
  readonly covariance: Float64Array | null;
  readonly reason: string | null;
  readonly warnings: readonly Warning[];
}

/** What decides whether an estimate has a covariance. */
export interface ErrorsOf {
  readonly kind: CovarianceKind;
  /** of Firth's likelihood: the information of the augmented data */
  readonly augmented: boolean;
  readonly penalized: boolean;
  readonly converged: boolean;
  /** most parameters whose matrix is formed */
  readonly limit: number;
}

/**
 * The covariance of the estimate w, of the kind that was asked for: by the model's likelihood, robust, or robust for clusters.
 * Doubts are warnings: INFERENCE_WEIGHTS, FEW_CLUSTERS; and where there is none INFERENCE_PENALIZED, INFERENCE_UNAVAILABLE.
 */
export function errorsOf(task: Task, objective: Objective, w: Float64Array, about: ErrorsOf): Errors {
  const { kind, penalized, converged, limit } = about;
  const { parameters } = task.likelihood;
  const none = (code: string, why: string): Errors => {
    const reason = `no standard errors: ${why}`;
    return { covariance: null, reason, warnings: [{ code, message: reason, features: [] }] };
  };
  if (penalized) {
    return none(
      'INFERENCE_PENALIZED',
      'a penalty biases the weights, and the inverse Hessian is not their covariance; fit with penalty "none", or bootstrap',
    );
  }
  if (!objective.smooth) {
    return none(
      'INFERENCE_PENALIZED',
      'weights at a bound have no normal distribution; fit without bounds, or bootstrap',
    );
  }
  if (parameters > limit) {
    return none(
      'INFERENCE_UNAVAILABLE',
      `they need at most ${limit} parameters, got ${parameters}; use fewer features`,
    );
  }
  if (!converged) {
    return none(
      'INFERENCE_UNAVAILABLE',
      'they hold at the maximum of the likelihood, and it was not reached; see the other warnings',
    );
  }
  const model = quadraticModel(objective, w);
  if (!model) {
    return none(
      'INFERENCE_UNAVAILABLE',
      'the Hessian is not positive definite; drop features that nearly repeat others',
    );
  }
  const warnings: Warning[] = [];
  const found = (matrix: Float64Array): Errors => {
    // of a column whose spread is as small or as great as the square root of the numbers there are
    const lost = objective.active.find((id) => {
      const variance = matrix[id * (parameters + 1)];
      const scale = task.standard.scale[id % (task.slots.length + 1)] ?? 1;
      return !(variance < Number.POSITIVE_INFINITY) || (variance === 0 && scale > 1);
    });
    if (lost === undefined) return { covariance: matrix, reason: null, warnings };
    const slot = task.slots[lost % (task.slots.length + 1)];
    return none(
      'INFERENCE_UNAVAILABLE',
      `the variance of ${slot ? show(slot.name) : 'the intercept'} is beyond the range of numbers; rescale ${slot ? 'the column' : 'the columns'}`,
    );
  };
  if (kind === 'model') {
    if (task.unit) {
      warnings.push({
        code: 'INFERENCE_WEIGHTS',
        message:
          'standard errors of the model take weights as counts of rows, so they depend on the scale of sampling and class weights; ask for robust errors, which do not, or say weightKind "count" where weights count rows',
        features: [],
      });
    }
    const factor = about.augmented && objective instanceof FirthObjective ? objective.augmented(w) : model.factor;
    return found(covariance(objective, factor, task.standard));
  }
  if (kind !== 'robust' && kind.count <= objective.size) {
    warnings.push({
      code: 'FEW_CLUSTERS',
      message: `${kind.count} clusters cannot tell the covariance of ${objective.size} parameters; errors by cluster need some forty clusters, so use fewer features or robust errors`,
      features: [kind.column],
    });
  }
  return found(foldCovariance(objective, sandwich(task, objective, w, model.factor, kind), task.standard));
}
