import { LogoddsError } from '../../bindings/errors.ts';
import { findings } from '../diagnose/doctor.ts';
import { asWarning } from '../diagnose/finding.ts';
import type { CheckedTable, Data } from '../encode/checkedTable.ts';
import { Encoder } from '../encode/encoder.ts';
import { slotNames } from '../encode/slots.ts';
import { show } from '../messages.ts';
import type { FittedModel } from '../model/fittedModel.ts';
import type { InferenceReport, Warning } from '../model/manifest.ts';
import type { Model } from '../model/model.ts';
import type { Ask, Fit } from './ask.ts';
import { assemble } from './assemble.ts';
import { resample } from './bootstrap.ts';
import { calibrated } from './calibrated.ts';
import { decided, refuseThreshold } from './decided.ts';
import { codingOf, type FitOptions, type FitSpec, readOptions, settingsOf } from './fitOptions.ts';
import { estimateAll } from './inference/estimate.ts';
import { inferenceOf } from './inference/infer.ts';
import { type Clusters, readClusters } from './inference/robust.ts';
import { overdispersion } from './inference/statistics.ts';
import { type OutOfFold, outOfFoldOf } from './outOfFold.ts';
import { penaltyOf } from './penalty.ts';
import { prepare, tableOf } from './problem/prepare.ts';
import type { Problem, View } from './problem/problem.ts';
import { classShare } from './problem/rows.ts';
import { unfoldParameters } from './problem/standardise.ts';
import type { RemoteProblem, RemoteView } from './remote/problem.ts';

/** The result of `fit`: the model and what should be known about it. */
export interface FitResult {
  readonly model: FittedModel;
  /** the warnings of the model's manifest */
  readonly warnings: Warning[];
  /** logits of each row by a fit that did not see it; null unless folds chose a calibrator, a threshold or a band */
  readonly outOfFold: OutOfFold | null;
}

const NO_INFERENCE: InferenceReport = {
  covariance: null,
  cluster: null,
  reason: null,
  statistics: null,
  tests: null,
  profile: null,
  bootstrap: null,
};

/**
 * Fits a logistic regression to a table, or to records.
 *
 *   minimise  1/S · Σ sᵢ·cᵢ·loss(yᵢ, zᵢ) + λ·Σ fⱼ·((1 − α)/2·wⱼ² + α·|wⱼ|),   zᵢ = xᵢ·w + b + offsetᵢ,   S = Σ sᵢ,   lⱼ ≤ wⱼ ≤ uⱼ
 *
 *   two classes   loss(y, z) = log(1 + exp(z)) − y·z        several   loss(y, z) = log Σ exp(zₖ) − z_y, or two classes each against the rest
 *
 * s are the sample weights (times trials), c the class weights, α is l1Ratio, f are the penalty's factors, l and u its bounds. With the penalty
 * `firth` it minimises 1/S · (Σ sᵢ·loss − ½·log det I), where I is the information.
 *
 * Numeric features are standardised inside, and the penalty acts on the standardised weights; with `standardize: false` it acts on raw-scale
 * weights. The intercept is never penalised. The model holds weights for raw features. Calibrators, thresholds and bands for review are
 * estimated from rows that the model was not fitted to: those of `folding`, or a holdout.
 *
 * The default penalty is L2 with C = 1. Convergence failures, separation, and collinear or constant columns are results, not errors. They are
 * fields of `model.manifest.fit` and warnings that name the features: CONSTANT_COLUMN, RANK_DEFICIENT, RANK_UNCHECKED, UNDERDETERMINED, SEPARATION,
 * NOT_CONVERGED, INFERENCE_PENALIZED, INFERENCE_WEIGHTS, INFERENCE_UNAVAILABLE, FEW_CLUSTERS, OVERDISPERSION, RARE_CLASS, CLASS_LEFT_OUT. The option
 * `diagnose` adds those of `diagnose`.
 *
 * @param given    a table or records
 * @param options  `target` is required; everything else has a default
 * @throws ERR_RANGE options outside their domain; weights that are negative or all zero
 * @throws ERR_SCHEMA columns that are absent, duplicate or of the wrong type, or no feature at all
 * @throws ERR_TARGET a target with missing cells, with one class or more than 100; an option that exists for two classes only
 * @throws ERR_RECORD a cell that cannot be used
 * @throws ERR_DATA a table without rows
 * @see Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 4.4; scikit-learn, LogisticRegression (for C and class weights)
 * @example
 * const { model, warnings } = fit(records, { target: 'late' });
 * model.score(flight).probability; // 0.7770
 * warnings; // []
 * const plain = fit(records, { target: 'late', penalty: 'none', inference: true });
 * plain.model.manifest.inference.statistics.aic; // 34.24
 * const careful = fit(records, { target: 'late', decide: { by: 'cost', costs: { fp: 1, fn: 4 } } });
 * careful.model.manifest.decision.threshold < 0.5; // true
 */
export function fit(given: Data, options: FitOptions): FitResult {
  const spec = readOptions(options);
  const covariance = spec.inference?.covariance;
  const { groups, time } = spec.folding;
  const table = tableOf(given, spec, [groups, time, typeof covariance === 'object' ? covariance.cluster : undefined]);
  const problem = prepare(table, spec, codingOf(spec.penalty));
  try {
    const clusters =
      typeof covariance === 'object' ? readClusters(table, covariance.cluster, problem.rows.weight) : null;
    let outOfFold: OutOfFold | null = null;
    const asks: Ask[] = [];
    if (restsOnFolds(spec, problem))
      asks.push(() => {
        spec.onPhase?.('folds');
        outOfFold = outOfFoldOf(problem, table, spec);
        return outOfFold;
      });
    // findings look at single rows of the table
    if (spec.diagnose)
      asks.push((found) => {
        spec.onPhase?.('diagnose');
        return { warnings: newFindings(table, spec, found) };
      });
    const plain = fitProblem(problem, spec, clusters, asks);
    const { target, weight } = problem.rows;
    const model = decided(calibrated(plain, spec, outOfFold, classShare(target, weight)), spec, () => outOfFold!);
    return { model, warnings: [...model.manifest.warnings], outOfFold };
  } finally {
    problem.free();
  }
}

/** Whether a calibrator, a threshold or a band is estimated from folds. @throws ERR_TARGET a threshold to choose for more than two classes */
function restsOnFolds({ calibrate, decide, review }: FitSpec, { rows }: Problem): boolean {
  const { classes } = rows.target;
  const chosen = decide && !('threshold' in decide);
  if (chosen && classes.length > 2 && !(decide.by === 'cost' && Array.isArray(decide.costs))) refuseThreshold(classes);
  return Boolean(
    (calibrate && !calibrate.holdout) || (chosen && classes.length === 2) || (review && 'share' in review),
  );
}

/**
 * Fits a prepared problem, which stays as it is: the model without calibrator and decision.
 * @param clusters  of the rows, where the covariance asks for them
 * @param asks      besides what the options ask for
 */
export function fitProblem(
  problem: Problem | RemoteProblem,
  spec: FitSpec,
  clusters: Omit<Clusters, 'batch'> | null = null,
  asks: readonly Ask[] = [],
): FittedModel {
  const { rows } = problem;
  const local = 'batch' in problem ? problem : null;
  const { firth, standardize } = spec.penalty;
  const { inference: asked, onPhase } = spec;
  const { covariance = 'model', profile = false, bootstrap = null } = asked ?? {};
  const { penalty, C } = penaltyOf(spec.penalty, problem);
  if (!local && (firth || clusters || profile || bootstrap || asks.length > 0)) refuseElsewhere(spec);
  if (firth && rows.kind !== 'binomial') {
    throw new LogoddsError(
      'ERR_TARGET',
      `firth: expected a target of two classes, got ${rows.target.classes.length}; penalise (C or lambda) instead`,
    );
  }
  if (typeof covariance === 'object' && !clusters) {
    throw new LogoddsError(
      'ERR_RANGE',
      `covariance: expected model or robust for rows that stay in a file, got clusters of ${show(covariance.cluster)}; fit with all rows in memory`,
    );
  }
  const augmented = covariance === 'augmented';
  const kind = clusters && local ? { ...clusters, batch: local.batch } : covariance === 'robust' ? 'robust' : 'model';
  const settings = { ...settingsOf(spec, spec.penalty, asked), covariance: kind } as const;
  const start = spec.start && startOf(spec.start, problem);
  onPhase?.('solve');
  const view: View | RemoteView = problem.view();
  try {
    const { tasks } = view;
    const { inference: errors } = settings;
    const fitted = estimateAll(tasks, penalty, { ...settings, inference: errors && tasks.length === 1 }, start);
    const inference = errors ? inferenceOf(view, fitted, { kind, profile }) : null;
    const found: Fit | null = local && 'batch' in view ? { problem: local, view, fitted, penalty, settings } : null;
    if (bootstrap) onPhase?.('resample');
    const resampled = bootstrap && found && resample(found, bootstrap);
    const notes = found ? asks.flatMap((ask) => ask(found).warnings) : [];
    return assemble(found ? found.problem.summary(found.view) : problem.summary(), spec, fitted, {
      inference: resampled ? { ...(inference ?? NO_INFERENCE), bootstrap: resampled.report } : inference,
      notes: [
        ...(inference && tasks.length > 1 ? [unavailable(inference)] : []),
        ...overdispersion(inference?.statistics ?? null, inference?.covariance ?? null),
        ...(resampled?.warnings ?? []),
        ...notes,
      ],
      objective: {
        lambda: penalty.lambda,
        l1Ratio: penalty.l1Ratio,
        C,
        standardize,
        ...(firth && { firth: true, ...(augmented && { firthErrors: 'augmented' as const }) }),
      },
    });
  } finally {
    view.free();
  }
}

/** @throws ERR_RANGE naming what needs every row here */
function refuseElsewhere({ penalty, inference }: FitSpec): never {
  const what = penalty.firth
    ? 'firth'
    : inference?.bootstrap
      ? 'bootstrap'
      : inference?.profile
        ? 'profile'
        : 'clusters';
  throw new LogoddsError(
    'ERR_RANGE',
    `${what}: expected rows in memory (each evaluation needs a number for every row), got rows on other machines; leave it out, or fit a sample in memory`,
  );
}

/** Models of one class against the rest have no errors. */
const unavailable = ({ reason }: InferenceReport): Warning => ({
  code: 'INFERENCE_UNAVAILABLE',
  message: `no standard errors: ${reason}`,
  features: [],
});

/** What a penalty is the remedy for: good to know beside one, and settled by Firth's. */
const REMEDIED = ['SEPARATION', 'UNDERDETERMINED', 'RANK_DEFICIENT', 'LOW_EVENTS', 'HIGH_VIF', 'CONDITION_NUMBER'];

/** The findings of `diagnose` on a fit that it has not warned of itself. */
function newFindings(
  table: CheckedTable,
  { target, penalty, inference }: FitSpec,
  { problem, view, fitted }: Fit,
): Warning[] {
  const { firth, penalized } = penalty;
  const examined = view.tasks.map(({ likelihood, y, profile }, k) => ({
    likelihood,
    y,
    profile,
    params: fitted[k].params,
    // errors may have evaluated the likelihood since
    evaluated: inference || firth ? null : fitted[k].objective.evaluated(fitted[k].params),
  }));
  const said = new Set(fitted.flatMap(({ warnings }) => warnings.map(({ code }) => code)));
  if (firth) said.add('SEPARATION');
  return findings(table, target, problem, examined, false)
    .filter(({ code }) => !said.has(code))
    .map((found) =>
      asWarning((penalized || firth) && REMEDIED.includes(found.code) ? { ...found, severity: 'info' } : found),
    );
}

/** The parameters of a model on the standardised features of a problem. @throws ERR_SCHEMA when it is of other features or classes */
function startOf(start: Model, { slots, standard, rows: { target, kind } }: Problem | RemoteProblem): Float64Array {
  const { manifest, encoder } = start;
  const names = encoder instanceof Encoder ? slotNames(encoder) : [];
  const { classes, multiclass } = manifest ?? {};
  const same =
    classes &&
    names.length === slots.length &&
    names.every((one, j) => one.name === slots[j].name && one.level === slots[j].level) &&
    classes.join('\n') === target.classes.join('\n') &&
    (kind === 'binomial' ? manifest.positive === target.positive : multiclass === kind);
  if (!same) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      'start: expected a model of the same features, levels and classes, got another; leave it out, or fit on the columns it was trained on',
    );
  }
  return unfoldParameters(start.weights, start.intercept, standard);
}
