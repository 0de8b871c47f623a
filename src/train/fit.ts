import { LogoddsError } from '../../bindings/errors.ts';
import { type OptionRule, refuseUnknown } from '../../bindings/names.ts';
import { findings } from '../diagnose/doctor.ts';
import { asWarning } from '../diagnose/finding.ts';
import { Encoder } from '../encode/encoder.ts';
import { list, show } from '../encode/label.ts';
import type { Feature, TokensFeature } from '../encode/schema.ts';
import { slotNames } from '../encode/slots.ts';
import type { Table } from '../encode/table.ts';
import {
  type BootstrapReport,
  FORMAT,
  type InferenceReport,
  type Manifest,
  type ObjectiveReport,
  PRODUCER,
  type Warning,
} from '../model/manifest.ts';
import { Model } from '../model/model.ts';
import { allStages } from '../stages.ts';
import { type Estimated, type EstimateSettings, estimate } from './inference/estimate.ts';
import { inferenceOf } from './inference/infer.ts';
import { type CovarianceKind, readClusters } from './inference/robust.ts';
import { overdispersion } from './inference/statistics.ts';
import { besideData } from './optionNames.ts';
import { type DataOptions, dataOptions } from './problem/options.ts';
import { classShare, type LikelihoodOf, likelihoods, type Problem, prepare, profileRows } from './problem/prepare.ts';
import { slotsOf } from './problem/slots.ts';
import { foldExactly, unfoldParameters } from './problem/standardise.ts';
import type { Task } from './problem/task.ts';
import type { Progress } from './solve/objective.ts';
import type { Screen } from './solve/screen.ts';
import { type Fitted, type Penalty, SOLVERS, type SolverChoice } from './solve/types.ts';

/** How weights are penalised and bounded. */
export interface PenaltyOptions {
  /** inverse strength of the penalty, > 0: C = 1/(λS); 1 unless `lambda` or `penalty` is given; Infinity is no penalty */
  readonly C?: number;
  /** strength λ ≥ 0 of the penalty on the mean loss; 0 is maximum likelihood, whatever `l1Ratio` and `penaltyFactors` say */
  readonly lambda?: number;
  readonly penalty?: 'none';
  /** α in [0, 1]: the share of the penalty on absolute values; 0 (default) is L2, 1 is L1, between them the elastic net */
  readonly l1Ratio?: number;
  /**
   * true (default): the penalty acts on weights of standardised numeric features, and on those of levels, words and tags as they are;
   * false: on raw-scale weights throughout
   */
  readonly standardize?: boolean;
  /** factor f ≥ 0 on the penalty of a feature's weights, 1 where not named; 0: never penalised. They are not rescaled. */
  readonly penaltyFactors?: Readonly<Record<string, number>>;
  /** least and greatest raw-scale weight of a feature, lower ≤ 0 ≤ upper; [0, Infinity] is a weight that is not negative, [0, 0] one that is held at 0 */
  readonly bounds?: Readonly<Record<string, readonly [number, number]>>;
}

/** How the minimum is found. */
export interface SolverOptions {
  /**
   * auto (default) chooses from the shape of the data and the penalty, and the report says which and why: coordinate descent (`cd`) for absolute
   * values and bounds, Newton where its matrix is small, else L-BFGS. `newton-cg` needs no matrix.
   */
  readonly solver?: SolverChoice;
  /** converged when max |∂f/∂wⱼ| on standardised features, or the largest violation of the optimality conditions, is at most this; default 1e-8 */
  readonly tol?: number;
  /** default 100 for Newton, 200 for its variant without a matrix, 300 for coordinate descent, 1000 for L-BFGS */
  readonly maxIter?: number;
  /** where to start: a model of the same features and classes, as of yesterday; default the model of intercepts alone */
  readonly start?: Model;
  /** called after every iteration of the solver, for a progress display */
  readonly onIteration?: (progress: Progress) => void;
}

/** What `fit` is told; everything but `target` may be absent. */
export interface FitOptions extends DataOptions, PenaltyOptions, SolverOptions {
  /** standard errors, deviance, information criteria and tests (`model.manifest.inference`); only without penalty, or with `firth` */
  readonly inference?: boolean;
  /**
   * what the standard errors rest on; asks for inference. `model` (default): the likelihood, weights taken as counts of rows. `robust`: a
   * sandwich (HC0), valid even if the model's variance is wrong, and under class and sampling weights of any scale; a row of trials is one
   * observation. `{cluster}`: also where the rows of one value of that column depend on one another; the column is then no feature unless
   * `features` names it.
   */
  readonly covariance?: 'model' | 'robust' | { readonly cluster: string };
  /** profile-likelihood interval of every coefficient, likelihood-ratio test of every feature; asks for inference. Some ten fits a coefficient. */
  readonly profile?: boolean;
  /**
   * Firth's penalised likelihood in place of any other penalty: less biased, and finite where classes are separated; two classes. Its standard
   * errors are those of the information at the estimate (true, or covariance `information`: brglm2, logistf before 1.24), or of the
   * information of the augmented data (`augmented`: logistf 1.24 and later), which are smaller. Profiles and tests are the same.
   */
  readonly firth?: boolean | FirthOptions;
  /** adds the findings of `diagnose` to the warnings; false when absent, since they may take as long as the fit */
  readonly diagnose?: boolean;
}

/** The names of these options; the compiler misses one that is not here. */
export const fitOptions = (): Readonly<Record<keyof FitOptions, OptionRule>> => ({
  ...dataOptions(),
  ...besideData(),
});

/** Which standard errors belong to Firth's estimates. */
export interface FirthOptions {
  readonly covariance?: 'information' | 'augmented';
}

/** What is asked of a fit beside the model, while its data are at hand. */
export type Ask = (
  problem: Problem,
  fitted: readonly Estimated[],
  tasks: readonly Task[],
  penalty: Penalty,
  settings: EstimateSettings,
) => { readonly bootstrap?: BootstrapReport; readonly warnings: readonly Warning[] };

const DEFAULT_TOL = 1e-8;
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
  return fitAnd(table, options);
}

const isProblem = (data: Table | Problem): data is Problem => 'batch' in Object(data);

/** `fit`, or that of a problem that is prepared, which is freed at the end; and what is asked beside it. @internal */
export function fitAnd(data: Table | Problem, given: FitOptions, ask?: Ask): { model: Model; warnings: Warning[] } {
  refuseUnknown('fit', given, fitOptions());
  checkOptions(given);
  const options = settle(given);
  const problem = isProblem(data) ? data : prepare(data, options, codingOf(options));
  try {
    const { penalty, C } = penaltyOf(options, problem);
    if (options.firth && problem.kind !== 'binomial') {
      throw new LogoddsError(
        'ERR_TARGET',
        `firth: expected a target of two classes, got ${problem.target.classes.length}; penalise (C or lambda) instead`,
      );
    }
    const kind = covarianceKind(data, options, problem);
    const settings = { ...settingsOf(options), covariance: kind };
    return withTasks(problem, (tasks) => {
      const start = options.start && startOf(options.start, problem);
      const asked = settings.inference;
      const fitted = solveAll(tasks, penalty, { ...settings, inference: asked && tasks.length === 1 }, start);
      const inference = asked ? inferenceOf(problem, tasks, fitted, { kind, profile: options.profile ?? false }) : null;
      const more = ask?.(problem, fitted, tasks, penalty, settings);
      // findings look at single rows of a table, which may be in a file
      const found = options.diagnose && !('batch' in data) ? newFindings(data, options, problem, tasks, fitted) : [];
      const model = assemble(problem, options, fitted, {
        inference: more?.bootstrap ? { ...(inference ?? NO_INFERENCE), bootstrap: more.bootstrap } : inference,
        notes: [
          ...overdispersion(inference?.statistics ?? null, inference?.covariance ?? null),
          ...(more?.warnings ?? []),
          ...found,
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
    });
  } finally {
    problem.free();
  }
}

/** What a penalty is the remedy for: good to know beside one, and settled by Firth's. */
const REMEDIED = [...['SEPARATION', 'UNDERDETERMINED', 'RANK_DEFICIENT', 'LOW_EVENTS', 'HIGH_VIF', 'CONDITION_NUMBER']];

/** The findings of `diagnose` on a fit that it has not warned of itself. */
function newFindings(
  table: Table,
  options: FitOptions,
  problem: Problem,
  tasks: readonly Task[],
  fitted: readonly Fitted[],
): Warning[] {
  const examined = tasks.map(({ likelihood, y, profile }, k) => ({ likelihood, y, profile, params: fitted[k].params }));
  const said = new Set(fitted.flatMap(({ warnings }) => warnings.map(({ code }) => code)));
  if (options.firth) said.add('SEPARATION');
  const remedied = isPenalized(options) || options.firth;
  return findings(table, options.target, problem, examined, false)
    .filter(({ code }) => !said.has(code))
    .map((found) => asWarning(remedied && REMEDIED.includes(found.code) ? { ...found, severity: 'info' } : found));
}

/** Opens the likelihoods of a problem for the time of `use`. */
export function withTasks<T>(
  problem: Problem,
  use: (tasks: Task[]) => T,
  weight = problem.weight,
  sampleWeight = problem.sampleWeight,
): T {
  const { batch, slots, standard, offset, unit, y } = problem;
  const totalWeight = sampleWeight ? sampleWeight.reduce((sum, s) => sum + s, 0) : y.length;
  const restore = problem.adapt(sampleWeight);
  let open: LikelihoodOf[] = [];
  try {
    open = likelihoods(problem, weight);
    return use(
      open.map(({ likelihood, y: share }) => ({
        likelihood,
        slots: slotsOf(slots),
        profile: profileRows(problem, share, weight),
        standard,
        y: share ?? y,
        weight,
        offset,
        totalWeight,
        cells: batch.specs.length,
        unit,
        copies: copiesOf(problem),
      })),
    );
  } finally {
    for (const { likelihood } of open) likelihood.free();
    restore();
  }
}

/** How many rows like it a row stands for; null: ones. */
function copiesOf({ weightKind, counts, target: { trials } }: Problem): Float64Array | null {
  if (weightKind !== 'count' || !counts || counts === trials) return null;
  return trials ? counts.map((count, i) => (trials[i] > 0 ? count / trials[i] : 1)) : counts;
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

/** All parameters of several fits, one after another. */
export function joinParams(fitted: readonly Pick<Fitted, 'params'>[]): Float64Array {
  return Float64Array.from(fitted.flatMap(({ params }) => [...params]));
}

/** The model of what was fitted: of one likelihood, or of one a class. */
export function assemble(
  problem: Problem,
  options: DataOptions,
  fitted: readonly Pick<Estimated, 'params' | 'report' | 'warnings' | 'aliased' | 'covariance'>[],
  {
    objective,
    inference = null,
    notes = [],
  }: {
    objective: ObjectiveReport;
    inference?: InferenceReport | null;
    notes?: readonly Warning[];
  },
): Model {
  const { target, schema, slots, standard, kind } = problem;
  const params = joinParams(fitted);
  const width = slots.length + 1;
  const reports = fitted.map(({ report }) => report);
  const sum = (of: (report: Fitted['report']) => number) => reports.reduce((total, report) => total + of(report), 0);
  const worst = reports.find((report) => !report.converged) ?? reports[0];
  const { classes } = target;
  const warnings = [
    ...leftOutClasses(problem),
    ...rareClasses(problem),
    ...fitted.flatMap(({ warnings: found }, k) =>
      fitted.length === 1
        ? found
        : found.map((one) => ({ ...one, message: `${show(classes[k])} against the rest: ${one.message}` })),
    ),
    ...notes,
  ];
  const manifest: Manifest = {
    format: FORMAT,
    producer: PRODUCER,
    classes,
    positive: target.positive,
    multiclass: kind === 'binomial' ? null : kind,
    reference: kind === 'multinomial' && objective.lambda === 0 ? classes[0] : null,
    target: options.target,
    schema,
    objective,
    decision: { threshold: 0.5 },
    offset: options.offset ?? null,
    weight: options.weight ?? null,
    ...(options.weight !== undefined && { weightKind: problem.weightKind }),
    fit: {
      solver: worst.solver,
      choice: worst.choice,
      converged: worst.converged,
      reason: worst.reason,
      iterations: sum((report) => report.iterations),
      gradNorm: Math.max(...reports.map((report) => report.gradNorm ?? 0)),
      objective: sum((report) => report.objective),
      logLik: sum((report) => report.logLik),
      nullLogLik: sum((report) => report.nullLogLik),
      rows: problem.y.length,
      totalWeight: problem.sampleWeight ? problem.sampleWeight.reduce((total, s) => total + s, 0) : problem.y.length,
    },
    aliased: fitted.flatMap(({ aliased }, k) => aliased.map((id) => (fitted.length === 1 ? id : k * width + id))),
    ...(inference && { inference }),
    warnings,
  };
  const { weights, intercept } = foldExactly(params, standard, slotsOf(slots));
  const covariance = fitted.length === 1 ? fitted[0].covariance : null;
  return new Model({ manifest, weights, intercept, covariance, baseline: problem.baseline(), stages: allStages });
}

/** Classes of weight 0 are no classes of the model. */
function leftOutClasses({ target: { leftOut } }: Problem): Warning[] {
  if (!leftOut) return [];
  const rows = leftOut.rows.reduce((sum, gone) => sum + gone, 0);
  return [
    {
      code: 'CLASS_LEFT_OUT',
      message: `${list(leftOut.classes)}: class weight 0, so ${rows} ${rows === 1 ? 'row is' : 'rows are'} left out and the model never gives ${leftOut.classes.length === 1 ? 'this class' : 'these classes'}; give a weight above 0 to keep ${leftOut.classes.length === 1 ? 'it' : 'them'}`,
      features: [],
    },
  ];
}

/** A class that one row stands for has no frequency to learn. */
function rareClasses({ target, counts }: Problem): Warning[] {
  const share = classShare(target, counts);
  const rare = target.classes.filter((_, k) => share[k] <= 1);
  if (rare.length === 0) return [];
  return [
    {
      code: 'RARE_CLASS',
      message: `${list(rare)}: one row of the target, so its probabilities rest on that row; add rows of it, or merge it with another class`,
      features: [],
    },
  ];
}

/** The parameters of a model on the standardised features of a problem. @throws ERR_SCHEMA when it is of other features or classes */
function startOf(start: Model, { slots, standard, target, kind }: Problem): Float64Array {
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

const isAugmented = ({ firth }: Pick<FitOptions, 'firth'>): boolean =>
  typeof firth === 'object' && firth.covariance === 'augmented';

export function settingsOf({
  solver = 'auto',
  tol = DEFAULT_TOL,
  maxIter,
  inference = false,
  covariance,
  profile = false,
  firth,
  onIteration,
}: Omit<FitOptions, 'target'>) {
  return {
    solver,
    tol,
    maxIter,
    inference: inference || profile || covariance !== undefined,
    firth: Boolean(firth),
    firthErrors: isAugmented({ firth }) ? ('augmented' as const) : ('information' as const),
    onIteration,
  };
}

/** What `firth` and a cluster column mean for the other options. */
export function settle(options: FitOptions): FitOptions {
  const { covariance, features, exclude = [], firth } = options;
  const cluster = typeof covariance === 'object' && !features ? [covariance.cluster] : [];
  return { ...options, exclude: [...exclude, ...cluster], ...(firth && { penalty: 'none' }) };
}

function covarianceKind(data: Table | Problem, { covariance = 'model' }: FitOptions, problem: Problem): CovarianceKind {
  if (typeof covariance !== 'object') return covariance;
  if ('batch' in data) {
    throw new LogoddsError(
      'ERR_RANGE',
      `covariance: expected model or robust for rows that stay in a file, got clusters of ${show(covariance.cluster)}; fit with all rows in memory`,
    );
  }
  return { ...readClusters(data, covariance.cluster, problem.weight), batch: problem.batch };
}

/** How categories are coded where the options leave it open. */
export function codingOf(options: PenaltyOptions & Pick<FitOptions, 'firth'>): 'onehot' | 'treatment' {
  return isPenalized(options) && !options.firth ? 'onehot' : 'treatment';
}

/**
 * Units of the penalty by slot: those that a schema declares, and of words and tags the count itself, as it is for levels (a rare word would
 * have next to no penalty in units of its standard deviation); null: the standard deviation throughout.
 */
function unitsOf({ schema, slots }: Problem): Float64Array | null {
  const declared = schema.features.map((feature) =>
    feature.kind === 'curve' ? feature.units : isCounted(feature) ? feature.scales.map((scale) => 1 / scale) : [],
  );
  if (declared.every((units) => units.every((unit) => unit === 1))) return null;
  const next = declared.map(() => 0);
  return Float64Array.from(slots, ({ feature, role }) =>
    role === 'number' && declared[feature].length > 0 ? declared[feature][next[feature]++] : 1,
  );
}

const isCounted = (feature: Feature): feature is TokensFeature => feature.kind === 'tokens' && !feature.scaling;

/** 1: the unit of the slot is no standard deviation, so that a part of the rows has the same. */
function ownUnits({ schema, slots }: Problem, units: Float64Array | null): Uint8Array {
  return Uint8Array.from(slots, ({ feature }, id) =>
    Number(isCounted(schema.features[feature]) || (units !== null && units[id] !== 1)),
  );
}

export function isPenalized({ C, lambda, penalty }: PenaltyOptions): boolean {
  return !(penalty === 'none' || lambda === 0 || C === Number.POSITIVE_INFINITY);
}

/**
 * The penalty by slot; C = 1/(λS), null without one.
 * @throws ERR_SCHEMA for factors or bounds of what is no feature; ERR_RANGE outside their domain
 */
export function penaltyOf(options: PenaltyOptions, problem: Problem): { penalty: Penalty; C: number | null } {
  const { C = 1, lambda, l1Ratio = 0, standardize = true, penaltyFactors, bounds } = options;
  const { slots, schema, sampleWeight, y } = problem;
  const total = sampleWeight ? sampleWeight.reduce((sum, s) => sum + s, 0) : y.length;
  const names = schema.features.map((feature) => feature.name);
  const known = (what: string, named: object = {}) => {
    for (const name of Object.keys(named)) {
      if (names.includes(name)) continue;
      throw new LogoddsError(
        'ERR_SCHEMA',
        `${what}: expected features (${list(names.slice(0, 20))}${names.length > 20 ? ', …' : ''}), got ${show(name)}; correct the name`,
      );
    }
  };
  known('penaltyFactors', penaltyFactors);
  known('bounds', bounds);
  const bySlot = (of: (name: string) => number) => Float64Array.from(slots, ({ name }) => of(name));
  const factors = penaltyFactors && bySlot((name) => (Object.hasOwn(penaltyFactors, name) ? penaltyFactors[name] : 1));
  const bound = (side: 0 | 1, none: number) =>
    bounds ? bySlot((name) => (Object.hasOwn(bounds, name) ? bounds[name][side] : none)) : null;
  const penalized = isPenalized(options);
  if (penalized && factors?.every((factor) => factor === 0)) {
    throw new LogoddsError(
      'ERR_RANGE',
      'penaltyFactors: expected one above 0 at least, got a penalty on nothing; use penalty "none"',
    );
  }
  const units = standardize ? unitsOf(problem) : problem.standard.scale.map((scale) => 1 / scale);
  return {
    penalty: {
      lambda: penalized ? (lambda ?? 1 / (C * total)) : 0,
      l1Ratio: penalized ? l1Ratio : 0,
      unit: units,
      ownUnit: standardize ? ownUnits(problem, units) : new Uint8Array(slots.length).fill(1),
      factors: factors ?? null,
      lower: bound(0, Number.NEGATIVE_INFINITY),
      upper: bound(1, Number.POSITIVE_INFINITY),
    },
    C: penalized ? (lambda === undefined ? C : 1 / (lambda * total)) : null,
  };
}

const isNumber = (value: unknown): value is number => typeof value === 'number';

/** A value in a message: text without quotes, for names of choices. */
const plain = (value: unknown): string => (typeof value === 'string' ? value : show(value));

/** @throws ERR_RANGE */
export function checkOptions({
  C,
  lambda,
  penalty,
  l1Ratio,
  penaltyFactors = {},
  bounds = {},
  tol,
  maxIter,
  solver = 'auto',
  covariance = 'model',
  firth = false,
}: PenaltyOptions & SolverOptions & Pick<FitOptions, 'covariance' | 'firth'>): void {
  const refuse = (what: string, rule: string, got: unknown, next: string): never => {
    throw new LogoddsError('ERR_RANGE', `${what}: expected ${rule}, got ${plain(got)}; ${next}`);
  };
  if (C !== undefined && !(C > 0)) refuse('C', 'a number > 0', C, 'smaller values penalise more');
  if (lambda !== undefined && !(lambda >= 0 && lambda < Number.POSITIVE_INFINITY))
    refuse('lambda', 'a finite number >= 0', lambda, '0 is no penalty');
  if (C !== undefined && lambda !== undefined)
    refuse('penalty', 'C or lambda', `both (C ${C}, lambda ${lambda})`, 'leave one out');
  if (penalty !== undefined && penalty !== 'none')
    refuse('penalty', '"none" or nothing', penalty, 'use C or lambda for its strength');
  if (penalty === 'none' && (C !== undefined || lambda !== undefined)) {
    refuse(
      'penalty',
      'no C and no lambda beside "none"',
      C !== undefined ? `C ${C}` : `lambda ${lambda}`,
      'leave one out',
    );
  }
  if (l1Ratio !== undefined && !(l1Ratio >= 0 && l1Ratio <= 1))
    refuse('l1Ratio', 'a number from 0 (L2) to 1 (L1)', l1Ratio, '0.5 is half of each');
  if (l1Ratio && penalty === 'none')
    refuse('l1Ratio', '0 beside penalty "none"', l1Ratio, 'give a strength (C or lambda), or leave it out');
  const factors = Object.entries(penaltyFactors);
  for (const [name, factor] of factors) {
    if (!(isNumber(factor) && factor >= 0 && factor < Number.POSITIVE_INFINITY))
      refuse(`penaltyFactors of ${show(name)}`, 'a finite number >= 0', factor, '0 is no penalty on it');
  }
  if (factors.length > 0 && penalty === 'none')
    refuse('penaltyFactors', 'a penalty beside them', '"none"', 'give a strength (C or lambda), or leave them out');
  for (const [name, pair] of Object.entries(bounds)) {
    if (
      !(
        Array.isArray(pair) &&
        pair.length === 2 &&
        isNumber(pair[0]) &&
        pair[0] <= 0 &&
        isNumber(pair[1]) &&
        pair[1] >= 0
      )
    )
      refuse(
        `bounds of ${show(name)}`,
        '[lower, upper] with lower <= 0 <= upper',
        Array.isArray(pair) ? `[${pair.map(plain).join(', ')}]` : pair,
        'a weight of 0 must be allowed; [0, 0] holds it there',
      );
  }
  if (
    typeof covariance === 'object' ? typeof covariance?.cluster !== 'string' : !['model', 'robust'].includes(covariance)
  )
    refuse('covariance', 'model, robust or {cluster: column}', covariance, 'leave it out for that of the model');
  if (typeof firth === 'object') {
    refuseUnknown('firth', firth, { covariance: true });
    const { covariance: errors = 'information' } = firth;
    if (errors !== 'information' && errors !== 'augmented')
      refuse(
        'covariance of firth',
        'information or augmented',
        errors,
        'leave it out for the information at the estimate',
      );
  }
  if (firth) {
    const beside: readonly (readonly [string, unknown, boolean])[] = [
      ['C', C, C !== undefined && C !== Number.POSITIVE_INFINITY],
      ['lambda', lambda, lambda !== undefined && lambda !== 0],
      ['l1Ratio', l1Ratio, Boolean(l1Ratio)],
      ['bounds', 'some', Object.keys(bounds).length > 0],
      ['solver', solver, solver !== 'auto' && solver !== 'lbfgs'],
      ['covariance', 'one of another kind', covariance !== 'model'],
    ];
    const found = beside.find(([, , set]) => set);
    if (found)
      refuse('firth', `no ${found[0]} beside it`, found[1], 'it has a penalty, a solver and errors of its own');
  }
  if (!SOLVERS.includes(solver)) refuse('solver', list(SOLVERS), solver, 'leave it out for auto');
  const absolute = l1Ratio && isPenalized({ C, lambda, penalty });
  const smooth = !absolute && Object.values(bounds).every(([low, high]) => low === 0 && high === 0);
  if (!smooth && solver !== 'auto' && solver !== 'cd')
    refuse(
      'solver',
      'auto or cd with bounds or an l1Ratio above 0',
      solver,
      'the others need a smooth objective; leave it out',
    );
  if (tol !== undefined && !(tol > 0 && tol < Number.POSITIVE_INFINITY))
    refuse('tol', 'a finite number > 0', tol, `the default is ${DEFAULT_TOL}`);
  if (maxIter !== undefined && !(Number.isInteger(maxIter) && maxIter > 0))
    refuse('maxIter', 'a whole number > 0', maxIter, 'leave it out for the default');
}
