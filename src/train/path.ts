import { told } from '../../bindings/check.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { type OptionRule, refuseUnknown } from '../../bindings/names.ts';
import type { Data } from '../encode/checkedTable.ts';
import { show } from '../messages.ts';
import type { FittedModel } from '../model/fittedModel.ts';
import { distinct, type FitReason, type Warning } from '../model/manifest.ts';
import { assemble, joinParams } from './assemble.ts';
import { checkSolver, type SolverOptions, settingsOf } from './fitOptions.ts';
import { type EstimateSettings, estimateAll } from './inference/estimate.ts';
import { penaltyOf } from './penalty.ts';
import {
  type GivenPenalty,
  kindRules,
  type PenaltyByFeature,
  type PenaltyKind,
  type PenaltySpec,
  readPenalty,
  refuse,
} from './penaltyOptions.ts';
import { type DataOptions, dataOptions } from './problem/options.ts';
import { prepare } from './problem/prepare.ts';
import type { Task } from './problem/task.ts';
import { Screen } from './solve/screen.ts';
import { largestLambda } from './solve/solve.ts';
import type { Fitted, Penalty } from './solve/types.ts';

/** The strengths of a path. */
export interface StrengthsOptions {
  /**
   * strengths, each > 0, which are sorted in falling order. Default: `count` strengths, evenly on a logarithmic scale, from the least that makes all
   * weights 0 down to `ratio` times it; with `l1Ratio` 0 and no `ratio` they cover C from 1e-4 to 1e4
   */
  readonly lambdas?: readonly number[];
  /** number of strengths; default 100 */
  readonly count?: number;
  /** last strength divided by the first, in (0, 1); default 1e-4, or 1e-2 with more parameters than rows */
  readonly ratio?: number;
}

/** A penalty without its strength: inside `penalty`, or, except for factors and bounds, beside the other options. */
export type PathPenaltyOptions =
  | ({ readonly penalty?: PenaltyKind & PenaltyByFeature } & { readonly [setting in keyof PenaltyKind]?: undefined })
  | ({ readonly penalty?: undefined } & PenaltyKind);

/** Options of `fitPath`: those of `fit` without inference and calibration, with a sequence of strengths in place of one. */
export type PathOptions = DataOptions & PathPenaltyOptions & SolverOptions & StrengthsOptions;

/** The names of these options; the compiler misses one that is not here. */
export const pathOptions = (): Readonly<Record<keyof PathOptions, OptionRule>> => ({
  ...dataOptions(),
  ...kindRules,
  penalty: 'an object',
  solver: true,
  tol: 'a number',
  maxIter: 'a number',
  onIteration: 'a function',
  lambdas: 'a list of numbers',
  count: 'a number',
  ratio: 'a number',
});

/** The options of a path, checked, in one form. */
export type PathSpec = DataOptions & SolverOptions & StrengthsOptions & { readonly penalty: PenaltySpec };

/** How the fit with one strength went. */
export interface PathStep {
  /** strength of the penalty on the mean loss */
  readonly lambda: number;
  /** 1/(λS) */
  readonly C: number;
  readonly converged: boolean;
  readonly reason: FitReason;
  readonly iterations: number;
  /** largest violation of the optimality conditions */
  readonly gradNorm: number;
  /** f(w, b) of `fit`, penalty included */
  readonly objective: number;
  /** log-likelihood, in nats */
  readonly logLik: number;
  /** 1 − logLik/nullLogLik, the share of the deviance that the model explains */
  readonly devianceRatio: number;
  /** number of weights that are not 0 */
  readonly nonzero: number;
}

/** The result of `fitPath`: one fit for each strength. */
export interface RegularizationPath {
  /** one for each strength, in falling order of λ */
  readonly steps: readonly PathStep[];
  /** Returns the model of step k. @throws ERR_RANGE when there is no such step */
  model(k: number): FittedModel;
  /** warnings of all steps, each once */
  readonly warnings: readonly Warning[];
}

/**
 * Fits a falling sequence of penalties, each from the solution before it.
 *
 *   λₖ = λ_max·ratio^(k/(count − 1)),   k = 0 … count − 1
 *
 * λ_max is the least λ that makes all weights 0, as in glmnet. With L2 alone (`l1Ratio` 0) no finite λ does that, and such a grid would end far above
 * the best λ. Its default grid therefore goes on to C = 1e4, and begins at C = 1e-4 where that is stronger, so it includes scikit-learn's grid. No
 * step ends the path early: each has its own status.
 *
 * @param table    a table or records
 * @param options  as for `fit`, with `lambdas`, or `count` and `ratio`, in place of C and lambda
 * @throws as `fit`; ERR_RANGE for strengths, a count or a ratio outside their domain
 * @see Friedman, Hastie, Tibshirani, Regularization paths for generalized linear models via coordinate descent, J. Stat. Softw. 33 (2010)
 * @example
 * const path = fitPath(records, { target: 'late', l1Ratio: 1, count: 3 });
 * path.steps.map(({ nonzero }) => nonzero); // [0, 3, 3]
 * path.model(2).score(flight).probability; // 0.9113
 */
export function fitPath(table: Data, options: PathOptions): RegularizationPath {
  refuseUnknown('fitPath', options, pathOptions());
  const spec = readPath(options);
  const problem = prepare(table, spec);
  try {
    const { penalty } = penaltyOf({ ...spec.penalty, lambda: 1 }, problem);
    const view = problem.view();
    try {
      const { tasks } = view;
      const { lambdas } = strengths(tasks, penalty, spec);
      const steps: PathStep[] = [];
      const kept: Pick<Fitted, 'params' | 'report' | 'warnings' | 'aliased'>[][] = [];
      walk(tasks, penalty, lambdas, settingsOf(spec), (fitted, k) => {
        steps.push(stepOf(fitted, tasks, lambdas[k]));
        kept.push(fitted.map(({ params, report, warnings, aliased }) => ({ params, report, warnings, aliased })));
      });
      // the rows are gone when a model is asked for
      const summary = problem.summary(view);
      return {
        steps,
        model(k) {
          if (typeof k !== 'number' || !steps[k]) {
            throw new LogoddsError(
              'ERR_RANGE',
              `step: expected 0 to ${steps.length - 1} (steps of the path), got ${told(k)}`,
            );
          }
          const { lambda, C } = steps[k];
          const { l1Ratio, standardize } = spec.penalty;
          const fitted = kept[k].map((one) => ({ ...one, covariance: null }));
          return assemble(summary, spec, fitted, {
            objective: { lambda, l1Ratio, C, standardize },
          });
        },
        warnings: distinct(kept.flat().flatMap(({ warnings }) => warnings)),
      };
    } finally {
      view.free();
    }
  } finally {
    problem.free();
  }
}

/** Falling strengths. */
export interface Grid {
  readonly lambdas: readonly number[];
  /** from one strength to the next, below 1; null where the user chose the end, so that it must not be moved */
  readonly factor: number | null;
}

/** Inverse strengths that a grid of L2 penalties has within it: scikit-learn's. */
const RIDGE = { strongest: 1e-4, weakest: 1e4 };

/** Strengths as asked for or from the data. @throws ERR_DATA when no strength makes a difference */
export function strengths(tasks: readonly Task[], penalty: Penalty, options: StrengthsOptions): Grid {
  if (options.lambdas) return { lambdas: [...options.lambdas].sort((a, b) => b - a), factor: null };
  const largest = Math.max(...tasks.map((task) => largestLambda(task, penalty)));
  if (!(largest > 0)) {
    throw new LogoddsError(
      'ERR_DATA',
      'path: expected a feature that the penalty acts on, got none (each is constant, unpenalised or held by bounds); give the strengths with lambdas',
    );
  }
  const { totalWeight, likelihood } = tasks[0];
  const { count = 100, ratio = likelihood.parameters > likelihood.rows ? 1e-2 : 1e-4 } = options;
  let [first, last] = [largest, largest * ratio];
  if (penalty.l1Ratio === 0 && options.ratio === undefined) {
    first = Math.max(first, 1 / (RIDGE.strongest * totalWeight));
    last = Math.min(last, 1 / (RIDGE.weakest * totalWeight));
  }
  const lambdas = Array.from(
    { length: count },
    (_, k) => first * (last / first) ** (count === 1 ? 0 : k / (count - 1)),
  );
  const open = options.ratio === undefined && count > 1;
  return { lambdas, factor: open ? (last / first) ** (1 / (count - 1)) : null };
}

/**
 * Fits one strength after another, each from the solution before.
 * @param from  parameters to start the first one from
 * @returns parameters of the last one
 */
export function walk(
  tasks: readonly Task[],
  penalty: Penalty,
  lambdas: readonly number[],
  settings: EstimateSettings,
  visit: (fitted: Fitted[], k: number) => void,
  from?: Float64Array,
): Float64Array | undefined {
  const screens = tasks.map(() => new Screen());
  let start = from;
  try {
    lambdas.forEach((lambda, k) => {
      const fitted = estimateAll(tasks, { ...penalty, lambda }, settings, start, screens);
      start = joinParams(fitted);
      visit(fitted, k);
    });
    return start;
  } finally {
    for (const screen of screens) screen.free();
  }
}

export function stepOf(fitted: readonly Fitted[], tasks: readonly Task[], lambda: number): PathStep {
  const sum = (of: (report: Fitted['report']) => number) => fitted.reduce((total, { report }) => total + of(report), 0);
  const worst = (fitted.find(({ report }) => !report.converged) ?? fitted[0]).report;
  const width = tasks[0].slots.count + 1;
  const logLik = sum((report) => report.logLik);
  return {
    lambda,
    C: 1 / (lambda * tasks[0].totalWeight),
    converged: worst.converged,
    reason: worst.reason,
    iterations: sum((report) => report.iterations),
    gradNorm: Math.max(...fitted.map(({ report }) => report.gradNorm ?? 0)),
    objective: sum((report) => report.objective),
    logLik,
    devianceRatio: 1 - logLik / sum((report) => report.nullLogLik),
    nonzero: fitted.reduce(
      (total, { params }) => total + params.reduce((n, w, id) => n + Number(w !== 0 && id % width < width - 1), 0),
      0,
    ),
  };
}

/** Checks the options of a path. @throws ERR_RANGE */
export function readPath(options: PathOptions): PathSpec {
  const { l1Ratio, standardize, ...rest } = options;
  const given = options as GivenPenalty;
  const inBraces = (typeof given.penalty === 'object' && given.penalty) || {};
  for (const strength of ['C', 'lambda'])
    if ((inBraces as Record<string, unknown>)[strength] !== undefined)
      refuse('penalty', 'a penalty without a strength (a path has many)', strength, 'give strengths with lambdas');
  const penalty = readPenalty(given);
  if (penalty.firth || (!penalty.penalized && given.penalty !== undefined))
    refuse('penalty', 'settings of a penalty', show(given.penalty), 'use fit for no penalty');
  checkSolver(options, penalty);
  const { lambdas, count, ratio } = options;
  if (lambdas) {
    if (lambdas.length === 0) refuse('lambdas', 'one strength at least', 'none', 'leave them out for a default path');
    const bad = lambdas.find((lambda) => !(lambda > 0 && lambda < Number.POSITIVE_INFINITY));
    if (bad !== undefined) refuse('lambdas', 'finite numbers > 0', bad, 'use fit with penalty "none" for no penalty');
    if (count !== undefined || ratio !== undefined)
      refuse('lambdas', 'neither count nor ratio beside them', 'both', 'leave one out');
  }
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= 10_000))
    refuse('count', 'a whole number from 1 to 10000', count, 'the default is 100');
  if (ratio !== undefined && !(ratio > 0 && ratio < 1))
    refuse('ratio', 'a number between 0 and 1', ratio, 'the default is 1e-4');
  return { ...rest, penalty };
}
