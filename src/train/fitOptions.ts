import { type OptionRule, refuseUnknown } from '../../bindings/names.ts';
import { CALIBRATION_METHODS, type CalibrationMethod } from '../calibrate/fit.ts';
import type { Criterion } from '../decide/choose.ts';
import type { Decision } from '../decide/decision.ts';
import type { Data } from '../encode/checkedTable.ts';
import { list } from '../messages.ts';
import type { Model } from '../model/model.ts';
import { checkFolding, type FoldingOptions } from './folding.ts';
import { type InferenceOptions, type InferenceSpec, readInference } from './inferenceOptions.ts';
import { besideData } from './optionNames.ts';
import { isSmooth, type PenaltyOptions, type PenaltySpec, readPenalty, refuse } from './penaltyOptions.ts';
import { type DataOptions, dataOptions } from './problem/options.ts';
import type { Progress } from './solve/objective.ts';
import { SOLVERS, type SolverChoice } from './solve/types.ts';

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
  /** called after every iteration of the solver, for a progress display */
  readonly onIteration?: (progress: Progress) => void;
}

/**
 * How often the classes are where the model is used: of two classes the share of the positive one, or the share of every class by its label.
 */
export type Prior = number | Readonly<Record<string, number>>;

/** A calibrator, estimated from rows that the model was not fitted to: those of folds (`folding`), or of a table of their own. */
export interface CalibrateOptions {
  readonly method: CalibrationMethod;
  readonly holdout?: Data;
}

/**
 * How a model decides: at a threshold, by a criterion that chooses one on rows the model was not fitted to, or by a matrix of costs,
 * costs[j][k] of deciding class k where class j is true, in the order of the classes, which is the way for more than two.
 */
export type DecideOption =
  | { readonly threshold: number }
  | Criterion
  | { readonly by: 'cost'; readonly costs: readonly (readonly number[])[] };

/** A band of probabilities that a person looks at: its ends, or the share of the rows that are decided with the least margin. */
export type ReviewOption = NonNullable<Decision['abstain']> | { readonly share: number };

/** What `fit` does besides estimating weights. */
export interface FitExtras {
  /** standard errors, deviance, information criteria, tests, intervals: `model.manifest.inference` */
  readonly inference?: boolean | InferenceOptions;
  /** a calibrator in the model, estimated from rows that it was not fitted to; absent: probabilities are those of the logits */
  readonly calibrate?: CalibrationMethod | CalibrateOptions;
  /** true shares of the classes, where those of the rows are not (some were sampled more often) */
  readonly prior?: Prior;
  /** how the model decides; absent: of two classes at a probability of 0.5, of more for the greatest logit */
  readonly decide?: DecideOption;
  /** the probabilities that a person looks at */
  readonly review?: ReviewOption;
  /** the folds that `calibrate`, `decide` and `review` rest on; five random ones when absent */
  readonly folding?: FoldingOptions;
  /** where to start: a model of the same features and classes, as of yesterday; default the model of intercepts alone */
  readonly start?: Model;
  /** adds the findings of `diagnose` to the warnings; false when absent, since they may take as long as the fit */
  readonly diagnose?: boolean;
  /** called when a part of the work begins, for a progress display */
  readonly onPhase?: (phase: FitPhase) => void;
}

/** Parts of the work of a fit, in their order. */
export type FitPhase = 'solve' | 'resample' | 'folds' | 'diagnose';

/** What `fit` is told; everything but `target` may be absent. */
export type FitOptions = DataOptions & PenaltyOptions & SolverOptions & FitExtras;

/** The names of these options; the compiler misses one that is not here. */
export const fitOptions = (): Readonly<Record<keyof FitOptions, OptionRule>> => ({
  ...dataOptions(),
  ...besideData(),
});

/** The options of a fit, checked, in one form. */
export interface FitSpec extends DataOptions, SolverOptions, Omit<FitExtras, 'inference' | 'calibrate' | 'folding'> {
  readonly penalty: PenaltySpec;
  readonly inference: InferenceSpec | null;
  readonly calibrate: CalibrateOptions | null;
  readonly folding: FoldingOptions;
}

/** Settings that belong into an option, and are looked for beside it. */
const INSIDE: Readonly<Record<string, string>> = {
  factors: 'penalty: { factors: … }',
  penaltyFactors: 'penalty: { factors: … }',
  bounds: 'penalty: { bounds: … }',
  firth: 'penalty: "firth"',
  covariance: 'inference: { covariance: … }',
  profile: 'inference: { profile: true }',
  bootstrap: 'inference: { bootstrap: … }',
  folds: 'folding: { folds: … }',
  groups: 'folding: { groups: … }',
  time: 'folding: { time: … }',
  seed: 'folding: { seed: … }',
};

/** @throws ERR_RANGE for a setting outside of its option */
function refuseOutside(options: object): void {
  const outside = Object.keys(Object(options)).find((name) => Object.hasOwn(INSIDE, name));
  if (outside !== undefined)
    refuse('options', 'every setting in its option', `${outside} beside it`, `write ${INSIDE[outside]}`);
}

/** Checks options, and says what some of them mean for others. @throws ERR_RANGE */
export function readOptions(given: FitOptions, what = 'fit'): FitSpec {
  refuseOutside(given);
  refuseUnknown(what, given, fitOptions());
  const { C, lambda, l1Ratio, standardize, ...options } = given;
  const penalty = readPenalty(given);
  checkSolver(options, penalty);
  const inference = readInference(given.inference, penalty);
  const calibrate = typeof given.calibrate === 'string' ? { method: given.calibrate } : (given.calibrate ?? null);
  if (calibrate) {
    refuseUnknown('calibrate', calibrate, { method: true, holdout: 'an object' });
    if (!CALIBRATION_METHODS.includes(calibrate.method))
      refuse('calibrate', `one of ${CALIBRATION_METHODS.join(', ')}`, calibrate.method, 'leave it out for none');
  }
  checkDecide(given);
  const { folding = {} } = given;
  checkFolding(folding);
  const { features, exclude = [] } = given;
  const cluster = typeof inference?.covariance === 'object' && !features ? [inference.covariance.cluster] : [];
  const names = [...cluster, folding.groups, folding.time].filter((name) => name !== undefined);
  return { ...options, exclude: [...exclude, ...names], penalty, inference, calibrate, folding };
}

/** What is wrong in a decision at first sight; the rest is told when it is made. @throws ERR_RANGE */
function checkDecide({ decide, review }: Pick<FitExtras, 'decide' | 'review'>): void {
  if (decide !== undefined) {
    refuseUnknown('decide', decide, {
      threshold: 'a number',
      by: true,
      costs: 'an object',
      beta: 'a number',
      precision: 'a number',
      recall: 'a number',
      share: 'a number',
      rows: 'a number',
    });
    const { threshold, by } = decide as { readonly threshold?: number; readonly by?: string };
    if ((threshold === undefined) === (by === undefined))
      refuse('decide', 'a threshold, or by what it is chosen', by === undefined ? 'neither' : 'both', 'give one');
    if (by !== undefined && !CRITERIA.includes(by))
      refuse('decide by', `one of ${CRITERIA.join(', ')}`, by, 'give a threshold to decide by hand');
  }
  if (review !== undefined) {
    refuseUnknown('review', review, { low: 'a number', high: 'a number', share: 'a number' });
    const { low, high, share } = review as { readonly low?: number; readonly high?: number; readonly share?: number };
    if ((share === undefined) === (low === undefined && high === undefined))
      refuse('review', 'low and high, or a share of the rows', share === undefined ? 'neither' : 'both', 'give one');
  }
}

const CRITERIA = ['cost', 'fbeta', 'recall', 'precision', 'budget'];

/** @throws ERR_RANGE */
export function checkSolver({ tol, maxIter, solver = 'auto' }: SolverOptions, penalty: PenaltySpec): void {
  if (penalty.firth && solver !== 'auto' && solver !== 'lbfgs')
    refuse('solver', 'auto or lbfgs with the penalty "firth"', solver, 'leave it out');
  if (!SOLVERS.includes(solver)) refuse('solver', list(SOLVERS), solver, 'leave it out for auto');
  if (!isSmooth(penalty) && solver !== 'auto' && solver !== 'cd')
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

const DEFAULT_TOL = 1e-8;

/** What the solver is told. */
export const settingsOf = (
  { solver = 'auto', tol = DEFAULT_TOL, maxIter, onIteration }: SolverOptions,
  penalty?: Pick<PenaltySpec, 'firth'>,
  inference: InferenceSpec | null = null,
) => ({
  solver,
  tol,
  maxIter,
  onIteration,
  firth: penalty?.firth ?? false,
  firthErrors: inference?.covariance === 'augmented' ? ('augmented' as const) : ('information' as const),
  inference: inference?.likelihood ?? false,
});

/** How categories are coded where the options leave it open. */
export const codingOf = ({ penalized }: Pick<PenaltySpec, 'penalized'>): 'onehot' | 'treatment' =>
  penalized ? 'onehot' : 'treatment';
