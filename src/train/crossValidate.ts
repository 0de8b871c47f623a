import { LogoddsError } from '../../bindings/errors.ts';
import { type OptionRule, refuseUnknown } from '../../bindings/names.ts';
import type { Data } from '../encode/checkedTable.ts';
import { list } from '../messages.ts';
import { evaluate } from '../metrics/binary.ts';
import { evaluateClasses } from '../metrics/multiclass.ts';
import type { FittedModel } from '../model/fittedModel.ts';
import { distinct, type Warning } from '../model/manifest.ts';
import { assemble } from './assemble.ts';
import { settingsOf } from './fitOptions.ts';
import {
  checkFolding,
  type FoldingOptions,
  foldingRules,
  foldsOf,
  logitsOf,
  rowsOfFold,
  spreadOf,
  warningsOf,
  withFold,
} from './folding.ts';
import { type EstimateSettings, estimateAll } from './inference/estimate.ts';
import { type Grid, type PathOptions, type PathStep, pathOptions, readPath, stepOf, strengths, walk } from './path.ts';
import { penaltyOf } from './penalty.ts';
import { refuse } from './penaltyOptions.ts';
import { prepare, tableOf } from './problem/prepare.ts';
import type { Problem } from './problem/problem.ts';
import type { RowVectors } from './problem/rows.ts';
import type { Task } from './problem/task.ts';
import type { Fitted, Penalty } from './solve/types.ts';

export const SCORES = ['logLoss', 'brier', 'auc', 'accuracy'] as const;
/** The score by which `crossValidate` compares strengths. */
export type ScoreName = (typeof SCORES)[number];

/** Options of `crossValidate` beside those of the path. */
export interface ValidationOptions extends FoldingOptions {
  /** the score that decides; default logLoss */
  readonly score?: ScoreName;
  /** `min` (default): the best mean score; `1se`: the strongest penalty whose mean is within one standard error of it */
  readonly rule?: 'min' | '1se';
}

/** Options of `crossValidate`: those of `fitPath`, the folds, the score and the rule. */
export type CrossValidationOptions = PathOptions & ValidationOptions;

/** The names of these options; the compiler misses one that is not here. */
export const validationOptions = (): Readonly<Record<keyof CrossValidationOptions, OptionRule>> => ({
  ...pathOptions(),
  ...foldingRules(),
  score: true,
  rule: true,
});

/** How one strength did in a cross-validation. */
export interface ValidatedStep extends PathStep {
  /** mean of the scores of the folds, each weighted by its held-out rows; folds without a score are left out */
  readonly mean: number;
  /** √(Σ wᵢ(scoreᵢ − mean)²/(k − 1)), the standard error of the mean of k scores; null when there is one score */
  readonly stdError: number | null;
  /** score of each fold; null where the held-out rows have none (an AUC with one class) */
  readonly scores: readonly (number | null)[];
  /** number of folds whose fit converged */
  readonly convergedFolds: number;
}

/** The result of `crossValidate`: the score of each strength, and the model with the chosen one. */
export interface CrossValidation {
  /** the score that decided */
  readonly score: ScoreName;
  /** one for each strength, in falling order of λ; figures of the path are those of the fit to all rows */
  readonly steps: readonly ValidatedStep[];
  /** index of the step with the best mean score */
  readonly best: number;
  /** index of the step that the one-standard-error rule chooses */
  readonly oneStdError: number;
  /** `best` or `oneStdError`, as the option `rule` says */
  readonly chosen: number;
  /** fold of each row, 0 to k − 1 (by time its part, 0 to k); −1 for rows of weight 0 */
  readonly fold: Int16Array;
  /** the model fitted to all rows with the chosen strength */
  readonly model: FittedModel;
  readonly warnings: readonly Warning[];
}

/**
 * Chooses the strength of a penalty by k-fold cross-validation over a path, then fits a model with it to all rows.
 *
 * Random folds are stratified: each fold has the same number of rows of every class (for counts, of all rows), up to one. `groups` and `time`
 * make other folds. A held-out row is a row of weight 0, so all folds share the encoded data in memory. The passes over the rows use the threads of
 * the engine. Each fold standardises features by its own training rows, so it equals a fit to a table of these rows. What the schema
 * learns comes from all rows: levels of categories, fills of missing cells, edges of bins, knots of splines, parameters of transforms.
 *
 * With random folds, one row of weight 2 is not the same as two rows of weight 1, because the two could land in different folds. With `groups`
 * they are the same.
 *
 * Warnings: FOLD_WITHOUT_SCORE names a fold whose held-out rows lack a class; it has no AUC and is left out of every mean. GRID_EXTENDED: the best
 * strength of a grid from the data (no `lambdas`, no `ratio`) was its weakest, so the grid was extended, up to three times by 20 strengths.
 * GRID_END: the best strength is still the strongest or the weakest.
 *
 * @param given    a table or records
 * @param options  as for `fitPath`, with `folds`, `score` and `rule`
 * @throws as `fitPath`; ERR_RANGE for folds, a seed, a score or a rule outside their domain; ERR_DATA when a fold has no training row of some class,
 * or no fold has a score; ERR_RECORD for a cell of `time` that is no time
 * @see Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 7.10
 * @example
 * const found = crossValidate(records, { target: 'late', folds: 3 });
 * found.steps[found.chosen].C; // 2.310
 * found.steps[found.chosen].mean; // 0.4935
 * found.model.score(flight).probability; // 0.8357
 */
export function crossValidate(given: Data, options: CrossValidationOptions): CrossValidation {
  refuseUnknown('crossValidate', options, validationOptions());
  const { folds = 5, groups, time, seed = 1, score = 'logLoss', rule = 'min' } = options;
  const spec = readPath(options);
  checkFolding({ folds, groups, time, seed });
  if (!SCORES.includes(score)) refuse('score', `one of ${list(SCORES)}`, score, 'leave it out for logLoss');
  if (rule !== 'min' && rule !== '1se') refuse('rule', 'min or 1se', rule, 'leave it out for min');
  const exclude = [...(options.exclude ?? []), ...[groups, time].filter((name) => name !== undefined)];
  const table = tableOf(given, { ...spec, exclude }, [groups, time]);
  const problem = prepare(table, { ...spec, exclude });
  try {
    const fold = foldsOf(problem.rows, table, { folds, groups, time, seed });
    const penalty = penaltyOf({ ...spec.penalty, lambda: 1 }, problem).penalty;
    const settings = settingsOf(spec);
    const view = problem.view();
    try {
      const { tasks } = view;
      const grid = strengths(tasks, penalty, spec);
      const judges = judgesOf(problem.rows, fold, folds, time !== undefined, score);
      const walks = new Walks(problem, { fold, forward: time !== undefined, penalty, settings }, tasks, judges);
      const sign = score === 'auc' || score === 'accuracy' ? -1 : 1;
      const { best, extended } = search(walks, grid, sign);
      const { steps } = walks;
      const oneStdError = withinOneError(steps, best, sign);
      const chosen = rule === '1se' ? oneStdError : best;
      const { lambda, C } = steps[chosen];
      const { l1Ratio, standardize } = spec.penalty;
      const fitted = estimateAll(tasks, { ...penalty, lambda }, settings);
      const model = assemble(problem.summary(view), spec, fitted, {
        objective: { lambda, l1Ratio, C, standardize },
      });
      return {
        score,
        steps,
        best,
        oneStdError,
        chosen,
        fold,
        model,
        warnings: distinct([
          ...model.manifest.warnings,
          ...judges.warnings,
          ...gridWarnings(steps, best, extended),
          ...walks.warnings,
        ]),
      };
    } finally {
      view.free();
    }
  } finally {
    problem.free();
  }
}

/** Strengths that an extension adds, and how many extensions there may be. */
const EXTENSION = { steps: 20, most: 3 };
/** A mean that changes by less than this part of its standard error over the last steps does not change. */
const FLAT = { steps: 10, part: 1e-3 };

/** The step with the best mean, after the grid has been extended as long as that is its weakest penalty. */
function search(walks: Walks, { lambdas, factor }: Grid, sign: number): { best: number; extended: number } {
  walks.go(lambdas);
  for (let extended = 0; ; extended++) {
    const { steps } = walks;
    const best = bestOf(steps, sign);
    const atEnd = best === steps.length - 1;
    if (!atEnd || factor === null || extended === EXTENSION.most || isFlat(steps)) return { best, extended };
    const { lambda } = steps[best];
    walks.go(Array.from({ length: EXTENSION.steps }, (_, k) => lambda * factor ** (k + 1)));
  }
}

/** @throws ERR_DATA when no step has a mean */
function bestOf(steps: readonly ValidatedStep[], sign: number): number {
  const cost = steps.map(({ mean }) => (Number.isNaN(mean) ? Number.POSITIVE_INFINITY : sign * mean));
  if (steps.every(({ mean }) => Number.isNaN(mean))) {
    throw new LogoddsError(
      'ERR_DATA',
      'cross-validation: expected a score that is a number for some penalty, got NaN for all; use stronger penalties',
    );
  }
  return cost.indexOf(Math.min(...cost));
}

/** The strongest penalty within one standard error of the best; the best where its score has no error. */
function withinOneError(steps: readonly ValidatedStep[], best: number, sign: number): number {
  const most = sign * steps[best].mean + (steps[best].stdError ?? 0);
  const found = steps.findIndex(({ mean }) => sign * mean <= most);
  return found < 0 ? best : found;
}

/** Whether weaker penalties than these would score the same. */
function isFlat(steps: readonly ValidatedStep[]): boolean {
  const last = steps.at(-1)!;
  const before = steps.at(-1 - FLAT.steps);
  return before !== undefined && Math.abs(before.mean - last.mean) <= FLAT.part * (last.stdError ?? 0);
}

function gridWarnings(steps: readonly ValidatedStep[], best: number, extended: number): Warning[] {
  if (steps.length === 1) return [];
  const text = (value: number) => String(Number(value.toPrecision(4)));
  const { lambda, C, nonzero } = steps[best];
  const at = `lambda = ${text(lambda)} (C = ${text(C)})`;
  const warnings: Warning[] = [];
  if (extended > 0) {
    const message = `the best penalty was the weakest tried, so ${extended * EXTENSION.steps} weaker ones were added, down to lambda = ${text(steps.at(-1)!.lambda)}`;
    warnings.push({ code: 'GRID_EXTENDED', severity: 'info', message, features: [] });
  }
  if (best === 0) {
    const message =
      nonzero === 0
        ? `the strongest penalty, ${at}, has the best mean, and there all weights are 0: the features do not help to tell the classes apart`
        : `the strongest penalty tried, ${at}, has the best mean; a stronger one may be better: give lambdas, or fewer features`;
    warnings.push({ code: 'GRID_END', message, features: [] });
  } else if (best === steps.length - 1) {
    const message = isFlat(steps)
      ? `the weakest penalty tried, ${at}, has the best mean, which hardly differs from those before it: no penalty is needed; compare with penalty "none"`
      : `the weakest penalty tried, ${at}, has the best mean; a weaker one may be better: give lambdas, or a smaller ratio`;
    warnings.push({ code: 'GRID_END', message, features: [] });
  }
  return warnings;
}

/** Mean by weight and its standard error, of the folds that have a score. NaN where a score is no number. */
function summarise(all: readonly (number | null)[], allWeights: readonly number[]) {
  const scores = all.filter((score) => score !== null);
  const weights = allWeights.filter((_, k) => all[k] !== null);
  const total = weights.reduce((sum, w) => sum + w, 0);
  const mean = scores.reduce((sum, value, i) => sum + (weights[i] / total) * value, 0);
  const variance = scores.reduce((sum, value, i) => sum + (weights[i] / total) * (value - mean) ** 2, 0);
  const stdError = Math.sqrt(variance / (scores.length - 1));
  return { mean, stdError: Number.isFinite(stdError) ? stdError : null, scores: all };
}

interface WalkOptions {
  readonly fold: Int16Array;
  readonly forward: boolean;
  readonly penalty: Penalty;
  readonly settings: EstimateSettings;
}

/** The paths of all folds and of all rows, which go on from where they ended. */
class Walks {
  readonly steps: ValidatedStep[] = [];
  readonly warnings: Warning[] = [];
  readonly #problem: Problem;
  readonly #how: WalkOptions;
  readonly #tasks: readonly Task[];
  readonly #judges: Judges;
  /** where the path of each fold, then that of all rows, ended */
  readonly #ends: (Float64Array | undefined)[] = [];

  constructor(problem: Problem, how: WalkOptions, tasks: readonly Task[], judges: Judges) {
    this.#problem = problem;
    this.#how = how;
    this.#tasks = tasks;
    this.#judges = judges;
  }

  /** Fits weaker strengths than those before, which become steps. */
  go(lambdas: readonly number[]): void {
    const { penalty, settings } = this.#how;
    const { weights } = this.#judges;
    const results = weights.map((_, k) => this.#fold(k, lambdas));
    const every = weights.length;
    const visit = (fitted: Fitted[], k: number) => {
      this.warnings.push(...fitted.flatMap((one) => one.warnings));
      this.steps.push({
        ...stepOf(fitted, this.#tasks, lambdas[k]),
        ...summarise(
          results.map(({ scores }) => scores[k]),
          weights,
        ),
        convergedFolds: results.filter(({ converged }) => converged[k]).length,
      });
    };
    this.#ends[every] = walk(this.#tasks, penalty, lambdas, settings, visit, this.#ends[every]);
  }

  #fold(k: number, lambdas: readonly number[]): { scores: (number | null)[]; converged: boolean[] } {
    const { fold, forward, penalty, settings } = this.#how;
    return withFold(this.#problem, fold, k, forward, (view) => {
      const { tasks } = view;
      const scores: (number | null)[] = [];
      const converged: boolean[] = [];
      const unit = spreadOf(view, penalty);
      const visit = (fitted: Fitted[]) => {
        scores.push(this.#judges.score(k, tasks, fitted));
        converged.push(fitted.every(({ report }) => report.converged));
        this.warnings.push(...warningsOf(fitted, k));
      };
      this.#ends[k] = walk(tasks, { ...penalty, unit }, lambdas, settings, visit, this.#ends[k]);
      return { scores, converged };
    });
  }
}

/** What scores the fits of the folds. */
interface Judges {
  /** of the held-out rows of each fold */
  readonly weights: readonly number[];
  /** null where the held-out rows of the fold have no score */
  score(fold: number, tasks: readonly Task[], fitted: readonly Fitted[]): number | null;
  readonly warnings: readonly Warning[];
}

/** @throws ERR_DATA when the rows of no fold have this score */
function judgesOf(all: RowVectors, fold: Int16Array, folds: number, forward: boolean, score: ScoreName): Judges {
  const { kind, sampleWeight, target } = all;
  const parts = Array.from({ length: folds }, (_, k) => rowsOfFold(fold, forward ? k + 1 : k));
  const judges = parts.map((rows) => judgeOf(all, rows, score));
  const planes = kind === 'binomial' ? 1 : target.classes.length;
  const scored = judges.map(
    (judge) => judge(Array.from({ length: planes }, () => new Float64Array(fold.length))) !== null,
  );
  const without = scored.flatMap((has, k) => (has ? [] : [k + 1]));
  const lack = kind === 'binomial' ? 'held-out rows of one class only' : 'held-out rows that lack a class';
  if (without.length === folds) {
    throw new LogoddsError(
      'ERR_DATA',
      `score ${score}: expected a fold whose held-out rows have every class, got ${folds} folds with ${lack}; use fewer folds, or score logLoss`,
    );
  }
  const message = `${without.length} of ${folds} folds (${without.slice(0, 10).join(', ')}${without.length > 10 ? ', …' : ''}) have ${lack}, so they have no ${score} and the means leave them out; use fewer folds, or score logLoss`;
  return {
    weights: parts.map((rows) => rows.reduce((sum, i) => sum + (sampleWeight ? sampleWeight[i] : 1), 0)),
    score: (k, tasks, fitted) => (scored[k] ? (judges[k](logitsOf(tasks, fitted)) ?? Number.NaN) : null),
    warnings: without.length === 0 ? [] : [{ code: 'FOLD_WITHOUT_SCORE', message, features: [] }],
  };
}

/**
 * What scores a fit on the held-out rows, by the logits of all rows; null where they have no such score. A row of counts is one of its
 * successes and one of its failures.
 */
function judgeOf({ kind, y, sampleWeight, target }: RowVectors, rows: readonly number[], score: ScoreName) {
  const counts = target.trials !== null;
  const labels = Float64Array.from(counts ? [...rows.map(() => 1), ...rows.map(() => 0)] : rows.map((i) => y[i]));
  const weightOf = (i: number) => (sampleWeight ? sampleWeight[i] : 1);
  const weight = Float64Array.from(
    counts
      ? [...rows.map((i) => weightOf(i) * y[i]), ...rows.map((i) => weightOf(i) * (1 - y[i]))]
      : rows.map(weightOf),
  );
  return (all: readonly Float64Array[]): number | null => {
    const planes = all.map((z) => {
      const logits = Float64Array.from(rows, (i) => z[i]);
      return counts ? Float64Array.of(...logits, ...logits) : logits;
    });
    return kind === 'binomial'
      ? evaluate({ logits: planes[0] }, labels, weight)[score]
      : evaluateClasses({ logits: planes, link: kind }, labels, weight)[score];
  };
}
