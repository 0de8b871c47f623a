import { LogoddsError } from '../../bindings/errors.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import { findings } from '../diagnose/doctor.ts';
import { asWarning } from '../diagnose/finding.ts';
import { CheckedTable } from '../encode/checkedTable.ts';
import { Encoder } from '../encode/encoder.ts';
import { show } from '../encode/label.ts';
import { slotNames } from '../encode/slots.ts';
import type { Table } from '../encode/table.ts';
import type { BootstrapReport, InferenceReport, Warning } from '../model/manifest.ts';
import type { Model } from '../model/model.ts';
import { assemble } from './assemble.ts';
import {
  checkOptions,
  codingOf,
  type FitOptions,
  fitOptions,
  isAugmented,
  isPenalized,
  settingsOf,
  settle,
} from './fitOptions.ts';
import { type Estimated, type EstimateSettings, estimate } from './inference/estimate.ts';
import { inferenceOf } from './inference/infer.ts';
import { type Clusters, readClusters } from './inference/robust.ts';
import { overdispersion } from './inference/statistics.ts';
import { penaltyOf } from './penalty.ts';
import { prepare } from './problem/prepare.ts';
import type { Problem, View } from './problem/problem.ts';
import { unfoldParameters } from './problem/standardise.ts';
import type { Task } from './problem/task.ts';
import type { Screen } from './solve/screen.ts';
import type { Penalty } from './solve/types.ts';

/** A fit while its data are at hand. */
export interface Fit {
  readonly problem: Problem;
  readonly view: View;
  readonly fitted: readonly Estimated[];
  readonly penalty: Penalty;
  readonly settings: EstimateSettings;
}

/** What is asked of a fit beside the model. */
export type Ask = (fit: Fit) => { readonly bootstrap?: BootstrapReport; readonly warnings: readonly Warning[] };

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
 * Fits a logistic regression to a table.
 *
 *   minimise  1/S · Σ sᵢ·cᵢ·loss(yᵢ, zᵢ) + λ·Σ fⱼ·((1 − α)/2·wⱼ² + α·|wⱼ|),   zᵢ = xᵢ·w + b + offsetᵢ,   S = Σ sᵢ,   lⱼ ≤ wⱼ ≤ uⱼ
 *
 *   two classes   loss(y, z) = log(1 + exp(z)) − y·z        several   loss(y, z) = log Σ exp(zₖ) − z_y, or two classes each against the rest
 *
 * s are the sample weights (times trials), c the class weights, α is l1Ratio, f are penaltyFactors, l and u bounds. Numeric
 * features are standardised inside and w are their weights; with `standardize: false` the penalty acts on raw-scale weights. The intercept is not penalised. The model holds weights for raw features.
 *
 * Not converging, separation, collinear and constant columns are results: fields of `model.manifest.fit`, and warnings that name the features:
 * CONSTANT_COLUMN, RANK_DEFICIENT, RANK_UNCHECKED, UNDERDETERMINED, SEPARATION, NOT_CONVERGED, INFERENCE_PENALIZED, INFERENCE_WEIGHTS,
 * INFERENCE_UNAVAILABLE, FEW_CLUSTERS, OVERDISPERSION, RARE_CLASS, CLASS_LEFT_OUT; with `diagnose` also those of `diagnose`.
 *
 * With `firth` it minimises 1/S · (Σ sᵢ·loss − ½·log det I), I the information.
 *
 * @throws ERR_RANGE options outside their domain; weights that are negative or all zero
 * @throws ERR_SCHEMA columns that are absent, duplicate, of the wrong type, or no feature at all
 * @throws ERR_TARGET a target with missing cells, with one class or more than 100; what goes with two classes only
 * @throws ERR_RECORD a cell that cannot be used
 * @throws ERR_DATA a table without rows
 * @see Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 4.4; scikit-learn, LogisticRegression (for C and class weights)
 */
export function fit(table: Table, options: FitOptions): { model: Model; warnings: Warning[] } {
  return fitTable(table, options);
}

/** `fit`, and what is asked beside it. @internal */
export function fitTable(given: Table, options: FitOptions, ask?: Ask): { model: Model; warnings: Warning[] } {
  const table = CheckedTable.of(given);
  const settled = readOptions(options);
  const { covariance } = settled;
  const problem = prepare(table, settled, codingOf(settled));
  try {
    return fitProblem(problem, settled, {
      clusters: typeof covariance === 'object' ? readClusters(table, covariance.cluster, problem.rows.weight) : null,
      asks: [
        ...(ask ? [ask] : []),
        // findings look at single rows of the table
        ...(settled.diagnose ? [(found: Fit) => ({ warnings: newFindings(table, settled, found) })] : []),
      ],
    });
  } finally {
    problem.free();
  }
}

/** Options that were checked, and what some mean for others. @throws ERR_RANGE */
export function readOptions(options: FitOptions): FitOptions {
  refuseUnknown('fit', options, fitOptions());
  checkOptions(options);
  return settle(options);
}

/** Fits a prepared problem, which stays as it is. @param options  as of `readOptions` */
export function fitProblem(
  problem: Problem,
  options: FitOptions,
  {
    clusters = null,
    asks = [],
  }: { readonly clusters?: Omit<Clusters, 'batch'> | null; readonly asks?: readonly Ask[] },
): { model: Model; warnings: Warning[] } {
  const { rows, batch } = problem;
  const { penalty, C } = penaltyOf(options, problem);
  if (options.firth && rows.kind !== 'binomial') {
    throw new LogoddsError(
      'ERR_TARGET',
      `firth: expected a target of two classes, got ${rows.target.classes.length}; penalise (C or lambda) instead`,
    );
  }
  const { covariance = 'model', profile = false } = options;
  if (typeof covariance === 'object' && !clusters) {
    throw new LogoddsError(
      'ERR_RANGE',
      `covariance: expected model or robust for rows that stay in a file, got clusters of ${show(covariance.cluster)}; fit with all rows in memory`,
    );
  }
  const kind = clusters ? { ...clusters, batch } : (covariance as 'model' | 'robust');
  const settings = { ...settingsOf(options), covariance: kind };
  const start = options.start && startOf(options.start, problem);
  const view = problem.view();
  try {
    const { tasks } = view;
    const asked = settings.inference;
    const fitted = solveAll(tasks, penalty, { ...settings, inference: asked && tasks.length === 1 }, start);
    const inference = asked ? inferenceOf(view, fitted, { kind, profile }) : null;
    const answers = asks.map((ask) => ask({ problem, view, fitted, penalty, settings }));
    const bootstrap = answers.find((answer) => answer.bootstrap)?.bootstrap;
    const model = assemble(problem.summary(), options, fitted, {
      inference: bootstrap ? { ...(inference ?? NO_INFERENCE), bootstrap } : inference,
      notes: [
        ...overdispersion(inference?.statistics ?? null, inference?.covariance ?? null),
        ...answers.flatMap(({ warnings }) => warnings),
      ],
      objective: {
        lambda: penalty.lambda,
        l1Ratio: penalty.l1Ratio,
        C,
        standardize: options.standardize ?? true,
        ...(options.firth && { firth: true, ...(isAugmented(options) && { firthErrors: 'augmented' as const }) }),
      },
    });
    return { model, warnings: [...model.manifest.warnings] };
  } finally {
    view.free();
  }
}

/** What a penalty is the remedy for: good to know beside one, and settled by Firth's. */
const REMEDIED = ['SEPARATION', 'UNDERDETERMINED', 'RANK_DEFICIENT', 'LOW_EVENTS', 'HIGH_VIF', 'CONDITION_NUMBER'];

/** The findings of `diagnose` on a fit that it has not warned of itself. */
function newFindings(table: CheckedTable, options: FitOptions, { problem, view, fitted }: Fit): Warning[] {
  const examined = view.tasks.map(({ likelihood, y, profile }, k) => ({
    likelihood,
    y,
    profile,
    params: fitted[k].params,
  }));
  const said = new Set(fitted.flatMap(({ warnings }) => warnings.map(({ code }) => code)));
  if (options.firth) said.add('SEPARATION');
  const remedied = isPenalized(options) || options.firth;
  return findings(table, options.target, problem, examined, false)
    .filter(({ code }) => !said.has(code))
    .map((found) => asWarning(remedied && REMEDIED.includes(found.code) ? { ...found, severity: 'info' } : found));
}

/** `estimate` of each task; `start` has the parameters of all, one after another. */
export function solveAll(
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

/** The parameters of a model on the standardised features of a problem. @throws ERR_SCHEMA when it is of other features or classes */
function startOf(start: Model, { slots, standard, rows: { target, kind } }: Problem): Float64Array {
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
