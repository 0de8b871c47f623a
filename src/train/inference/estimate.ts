import { invertCholesky } from '../../math/cholesky.ts';
import { show } from '../../messages.ts';
import type { Warning } from '../../model/manifest.ts';
import type { Standardisation } from '../problem/standardise.ts';
import type { Task } from '../problem/task.ts';
import { FirthObjective } from '../solve/firth.ts';
import { quadraticModel } from '../solve/newton.ts';
import type { Objective } from '../solve/objective.ts';
import type { Screen } from '../solve/screen.ts';
import { HESSIAN_LIMIT, solve } from '../solve/solve.ts';
import type { Fitted, Penalty, SolveSettings } from '../solve/types.ts';
import { type CovarianceKind, sandwich } from './robust.ts';

/**
 * Covariance of the maximum-likelihood estimate for raw features: the inverse of the observed information, folded.
 *
 *   A·(XᵀSX)⁻¹·Aᵀ,   A the linear map of `foldParameters`
 *
 * Weights are always treated as counts of rows, so twice the weights give half the covariance. Rows and columns of parameters held at 0 are 0.
 *
 * @param factor  Cholesky factor of the Hessian of an objective without penalty at its minimum, size × size
 * @returns parameters × parameters, row-major, symmetric; for every class its slots, then its intercept
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
  // Rounding makes the two triangles differ by an ulp; a covariance is symmetric.
  for (let i = 0; i < parameters; i++) {
    for (let j = 0; j < i; j++) out[j * parameters + i] = out[i * parameters + j];
  }
  return out;
}

/** A covariance for raw features, or one sentence that says why it is missing. */
interface Errors {
  readonly covariance: Float64Array | null;
  readonly reason: string | null;
  readonly warnings: readonly Warning[];
}

/** Properties of a fit that decide whether it has a covariance. */
interface ErrorsOf {
  readonly kind: CovarianceKind;
  /** with Firth's likelihood: use the information of the augmented data */
  readonly augmented: boolean;
  readonly penalized: boolean;
  readonly converged: boolean;
}

/**
 * The covariance of an estimate, of the requested kind: model-based, robust, or cluster-robust.
 * Warns INFERENCE_WEIGHTS or FEW_CLUSTERS when the covariance is doubtful, and INFERENCE_PENALIZED or INFERENCE_UNAVAILABLE when there is no
 * covariance.
 */
function errorsOf(task: Task, { objective, w, factor: known }: Fitted, about: ErrorsOf): Errors {
  const { kind, penalized, converged } = about;
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
  if (parameters > HESSIAN_LIMIT) {
    return none(
      'INFERENCE_UNAVAILABLE',
      `they need at most ${HESSIAN_LIMIT} parameters, got ${parameters}; use fewer features`,
    );
  }
  if (!converged) {
    return none(
      'INFERENCE_UNAVAILABLE',
      'they are valid only at the maximum of the likelihood, which was not reached; see the other warnings',
    );
  }
  const information = known ?? quadraticModel(objective, w)?.factor;
  if (!information) {
    return none(
      'INFERENCE_UNAVAILABLE',
      'the Hessian is not positive definite; drop features that nearly repeat others',
    );
  }
  const warnings: Warning[] = [];
  const found = (matrix: Float64Array): Errors => {
    // happens for a column whose spread is near the square root of the smallest or largest double
    const lost = objective.active.find((id) => {
      const variance = matrix[id * (parameters + 1)];
      const scale = task.standard.scale[id % (task.slots.count + 1)] ?? 1;
      return !(variance < Number.POSITIVE_INFINITY) || (variance === 0 && scale > 1);
    });
    if (lost === undefined) return { covariance: matrix, reason: null, warnings };
    const slot = task.slots.at(lost % (task.slots.count + 1));
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
          'standard errors of the model treat weights as counts of rows, so they change with the scale of the weights; ask for robust errors, which do not, or say weightKind "count" if weights count rows',
        features: [],
      });
    }
    const factor = about.augmented && objective instanceof FirthObjective ? objective.augmented(w) : information;
    return found(covariance(objective, factor, task.standard));
  }
  if (kind !== 'robust' && kind.count <= objective.size) {
    warnings.push({
      code: 'FEW_CLUSTERS',
      message: `${kind.count} clusters are too few to estimate the covariance of ${objective.size} parameters; cluster-robust errors need about forty clusters, so use fewer features or robust errors`,
      features: [kind.column],
    });
  }
  return found(foldCovariance(objective, sandwich(task, objective, w, information, kind), task.standard));
}

/** Settings of the minimisation, and the requested standard errors. */
export interface EstimateSettings extends SolveSettings {
  readonly inference: boolean;
  /** of the errors that `inference` asks for; default 'model' */
  readonly covariance?: CovarianceKind;
  readonly firthErrors?: 'information' | 'augmented';
}

/** Estimates, and their covariance. */
export interface Estimated extends Fitted {
  /** for raw features, parameters × parameters; null without inference or if it does not exist */
  readonly covariance: Float64Array | null;
  /** the reason if it is null although it was asked for: one sentence */
  readonly noErrors: string | null;
}

/** Calls `solve` and, if inference is asked for, adds the covariance of the estimates. */
export function estimate(task: Task, penalty: Penalty, settings: EstimateSettings, start?: Float64Array): Estimated {
  const fitted = solve(task, penalty, settings, start);
  if (!settings.inference) return { ...fitted, covariance: null, noErrors: null };
  const errors = errorsOf(task, fitted, {
    kind: settings.covariance ?? 'model',
    augmented: settings.firthErrors === 'augmented',
    penalized: penalty.lambda > 0,
    converged: fitted.report.converged,
  });
  const warnings = [...fitted.warnings, ...errors.warnings];
  return { ...fitted, covariance: errors.covariance, noErrors: errors.reason, warnings };
}

/** Calls `estimate` for each task. `start` has the parameters of all tasks, one after another. */
export function estimateAll(
  tasks: readonly Task[],
  penalty: Penalty,
  settings: EstimateSettings,
  start?: Float64Array,
  screens?: readonly Screen[],
): Estimated[] {
  return tasks.map((task, k) => {
    const { parameters } = task.likelihood;
    const from = start?.subarray(k * parameters, (k + 1) * parameters);
    return estimate(task, penalty, { ...settings, screen: screens?.[k] }, from);
  });
}
