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
   * `auto` (default) chooses by the shape of the data and the penalty, and the report says which and why: coordinate descent (`cd`) for L1 and bounds,
   * Newton where its matrix is small, else L-BFGS. `newton-cg` is Newton's method without a matrix.
   */
  readonly solver?: SolverChoice;
  /**
   * the solver stops when max |∂f/∂wⱼ| on standardised features (or the largest violation of the optimality conditions) is at most this; default 1e-8
   */
  readonly tol?: number;
  /** greatest number of iterations; default 100 for Newton, 200 for `newton-cg`, 300 for `cd`, 1000 for L-BFGS */
  readonly maxIter?: number;
  /** called after every iteration of the solver, for a display of progress */
  readonly onIteration?: (progress: Progress) => void;
}

/**
 * How frequent the classes are where the model is used: the share of the positive class of two, or the share of every class by its label.
 */
export type Prior = number | Readonly<Record<string, number>>;

/**
 * How a calibrator is estimated: by which method, and from a table of held-out rows or, without one, from folds (`folding`).
 */
export interface CalibrateOptions {
  readonly method: CalibrationMethod;
  /** rows that are not in the training table; absent: the folds of `folding` */
  readonly holdout?: Data;
}

/**
 * How a model decides: at a given threshold, by a criterion that chooses a threshold on rows the model was not fitted to, or by a matrix of costs.
 *
 * costs[j][k] is the cost of deciding class k where class j is true, in the order of the classes. With more than two classes only the matrix works.
 */
export type DecideOption =
  | { readonly threshold: number }
  | Criterion
  | { readonly by: 'cost'; readonly costs: readonly (readonly number[])[] };

/**
 * The probabilities that a person should look at: a band with two ends, or the given share of rows, those decided with the least margin.
 */
export type ReviewOption = NonNullable<Decision['abstain']> | { readonly share: number };

/** What `fit` does besides estimating weights: inference, calibration, decisions and reports of progress. */
export interface FitExtras {
  /** standard errors, deviance, information criteria, tests and intervals, in `model.manifest.inference`; default false */
  readonly inference?: boolean | InferenceOptions;
  /**
   * adds a calibrator, estimated from rows that the model was not fitted to; default none: probabilities follow from the logits
   */
  readonly calibrate?: CalibrationMethod | CalibrateOptions;
  /** true shares of the classes, where the rows have others (for example because rare rows were sampled more often) */
  readonly prior?: Prior;
  /** how the model decides; default with two classes a threshold of 0.5, with more the greatest logit */
  readonly decide?: DecideOption;
  /** the band of probabilities that a person should look at; default none */
  readonly review?: ReviewOption;
  /** the folds from which `calibrate`, `decide` and `review` are estimated; default five random ones */
  readonly folding?: FoldingOptions;
  /** a model with the same features and classes whose weights the solver starts from; default intercepts alone */
  readonly start?: Model;
  /** true adds the findings of `diagnose` to the warnings; default false, since they may take as long as the fit */
  readonly diagnose?: boolean;
  /** called when a part of the work begins, for a display of progress */
  readonly onPhase?: (phase: FitPhase) => void;
}

/** The parts of the work of `fit`, in their order: the solver, the bootstrap, the folds, the diagnosis. */
export type FitPhase = 'solve' | 'resample' | 'folds' | 'diagnose';

/** Options of `fit`. Only `target` is required. */
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
  const { prior, target } = given;
  if (typeof target !== 'string') refuse('target', 'the name of a column', target, 'name the column to predict');
  checkPrior(prior);
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

/** @throws ERR_RANGE for what is no prior */
export function checkPrior(prior: unknown): void {
  if (prior !== undefined && typeof prior !== 'number' && (typeof prior !== 'object' || prior === null))
    refuse('prior', 'a share, or the share of each class', prior, 'leave it out for the shares of the rows');
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
