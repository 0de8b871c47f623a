import { LogoddsError } from '../../bindings/errors.ts';
import { findColumns } from '../encode/columns.ts';
import { list, show } from '../encode/label.ts';
import type { Column, Table } from '../encode/table.ts';
import { evaluateBinary } from '../metrics/binary.ts';
import { evaluateMulticlass } from '../metrics/multiclass.ts';
import type { Warning } from '../model/manifest.ts';
import type { Model } from '../model/model.ts';
import { assemble, settingsOf, solveAll, withTasks } from './fit.ts';
import { stratifiedFolds } from './folds.ts';
import { checkPath, distinct, type PathOptions, type PathStep, stepOf, strengths, templateOf, walk } from './path.ts';
import { classShare, type DataOptions, effectiveWeight, type Problem, prepare } from './prepare.ts';
import type { Fitted, Penalty, Task } from './solve.ts';

export const SCORES = ['logLoss', 'brier', 'auc', 'accuracy'] as const;
export type ScoreName = (typeof SCORES)[number];

/** What `crossValidate` is told beside the path. */
export interface CrossValidationOptions extends PathOptions {
  /** k ≥ 2; default 5 */
  readonly folds?: number;
  /** column whose rows of one value stay in one fold (a customer, a site); it is no feature */
  readonly groups?: string;
  /** column of times (numbers): fold i is trained on the i earliest of k + 1 parts and scored on the next; it is no feature */
  readonly time?: string;
  /** of the random folds; default 1 */
  readonly seed?: number;
  /** what decides; default logLoss */
  readonly score?: ScoreName;
  /** `min` (default): the best mean score; `1se`: the strongest penalty whose mean is within one standard error of it */
  readonly rule?: 'min' | '1se';
}

/** One strength of a cross-validation. */
export interface ValidatedStep extends PathStep {
  /** mean of the folds' scores, each weighing as its held-out rows */
  readonly mean: number;
  /** √(Σ wᵢ(scoreᵢ − mean)²/(k − 1)), the standard error of the mean */
  readonly stdError: number;
  /** score of each fold */
  readonly scores: readonly number[];
  /** folds whose fit converged */
  readonly convergedFolds: number;
}

export interface CrossValidation {
  readonly score: ScoreName;
  /** in falling order of λ; path figures are those of all rows */
  readonly steps: readonly ValidatedStep[];
  /** step of the best mean score */
  readonly best: number;
  /** step of the one-standard-error rule */
  readonly oneStdError: number;
  /** the one of these that `rule` names */
  readonly chosen: number;
  /** fold of each row, 0 to k − 1 (by time the part, 0 to k); −1 for rows of weight 0 */
  readonly fold: Int16Array;
  /** fitted to all rows with the chosen strength */
  readonly model: Model;
  readonly warnings: readonly Warning[];
}

/**
 * k-fold cross-validation over a path of penalties, then a fit to all rows with the one that is chosen.
 *
 * Folds are stratified: of each class (or, for counts, of all rows) every fold has the same number of rows, up to one; `groups` and `time` say
 * otherwise. All folds share the encoded data in memory, a held-out row being a row of weight 0, and their passes run on the threads of the engine.
 * A fold penalises the weights of features standardised by its own training rows, so that it is the fit of a table of these rows; only the
 * levels of categories and the mean that fills missing cells are those of all rows.
 *
 * Options and errors as of `fitPath`. Of rows in random folds a weight of 2 is not two rows, which might fall into two folds; with `groups` it is.
 *
 * @throws ERR_RANGE for a number of folds, a seed, a score or a rule outside their domain; ERR_DATA when a fold has no training row of some class
 * @see Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 7.10
 */
export function crossValidate(table: Table, options: CrossValidationOptions): CrossValidation {
  const { folds = 5, groups, time, seed = 1, score = 'logLoss', rule = 'min' } = options;
  checkPath(options);
  checkCrossValidation(options);
  const exclude = [...(options.exclude ?? []), ...[groups, time].filter((name) => name !== undefined)];
  const problem = prepare(table, { ...options, exclude });
  try {
    const fold = foldsOf(problem, table, { folds, groups, time, seed });
    const penalty = templateOf(options, problem);
    const settings = settingsOf(options);
    return withTasks(problem, (tasks) => {
      const lambdas = strengths(tasks, penalty, options);
      const results = Array.from({ length: folds }, (_, k) =>
        runFold(problem, options, fold, k, time !== undefined, lambdas, penalty, { ...settings, score }),
      );
      const warnings = results.flatMap((result) => result.warnings);
      const steps: ValidatedStep[] = [];
      walk(tasks, penalty, lambdas, settings, (fitted, k) => {
        warnings.push(...fitted.flatMap((one) => one.warnings));
        steps.push({
          ...stepOf(fitted, tasks, lambdas[k]),
          ...summarise(
            results.map(({ scores }) => scores[k]),
            results.map(({ weight }) => weight),
          ),
          convergedFolds: results.filter(({ converged }) => converged[k]).length,
        });
      });
      const sign = score === 'auc' || score === 'accuracy' ? -1 : 1;
      const cost = steps.map(({ mean }) => sign * mean);
      const best = cost.indexOf(Math.min(...cost));
      const oneStdError = cost.findIndex((value) => value <= cost[best] + steps[best].stdError);
      const chosen = rule === '1se' ? oneStdError : best;
      const { lambda, C } = steps[chosen];
      const { l1Ratio = 0, standardize = true } = options;
      const fitted = solveAll(tasks, { ...penalty, lambda }, settings);
      const model = assemble(problem, options, fitted, {
        objective: { lambda, l1Ratio, C, standardize },
        seconds: null,
      });
      return {
        score,
        steps,
        best,
        oneStdError,
        chosen,
        fold,
        model,
        warnings: distinct([...model.manifest.warnings, ...warnings]),
      };
    });
  } finally {
    problem.free();
  }
}

/** Mean by weight and its standard error. */
function summarise(scores: readonly number[], weights: readonly number[]) {
  const total = weights.reduce((sum, w) => sum + w, 0);
  const mean = scores.reduce((sum, value, i) => sum + (weights[i] / total) * value, 0);
  const variance = scores.reduce((sum, value, i) => sum + (weights[i] / total) * (value - mean) ** 2, 0);
  return { mean, stdError: Math.sqrt(variance / (scores.length - 1)), scores };
}

interface FoldResult {
  readonly scores: number[];
  readonly converged: boolean[];
  /** of the held-out rows */
  readonly weight: number;
  readonly warnings: Warning[];
}

function runFold(
  problem: Problem,
  options: DataOptions,
  fold: Int16Array,
  k: number,
  forward: boolean,
  lambdas: readonly number[],
  penalty: Penalty,
  settings: Parameters<typeof walk>[3] & { readonly score: ScoreName },
): FoldResult {
  return withFold(problem, options, fold, k, forward, (tasks, rows, sampleWeight) => {
    const judge = judgeOf(problem, rows, settings.score);
    const scores: number[] = [];
    const converged: boolean[] = [];
    const warnings: Warning[] = [];
    const unit = spreadOf(problem, sampleWeight, penalty.unit);
    walk(tasks, { ...penalty, unit }, lambdas, settings, (fitted) => {
      scores.push(judge(tasks, fitted));
      converged.push(fitted.every(({ report }) => report.converged));
      warnings.push(...warningsOf(fitted, k));
    });
    const weight = rows.reduce((sum, i) => sum + (problem.sampleWeight ? problem.sampleWeight[i] : 1), 0);
    return { scores, converged, weight, warnings };
  });
}

/** What the fits of fold k warn of. */
export function warningsOf(fitted: readonly Fitted[], k: number): Warning[] {
  return fitted.flatMap(({ warnings }) =>
    warnings.map((one) => ({ ...one, message: `fold ${k + 1}: ${one.message}` })),
  );
}

/**
 * Opens fold k: the likelihoods of its training rows, its held-out rows, and the sample weight of each row in training (0 where held out).
 * @throws ERR_DATA when a class has no training row
 */
export function withFold<T>(
  problem: Problem,
  options: DataOptions,
  fold: Int16Array,
  k: number,
  forward: boolean,
  use: (tasks: Task[], heldOut: readonly number[], sampleWeight: Float64Array) => T,
): T {
  const trains = forward ? (part: number) => part >= 0 && part <= k : (part: number) => part >= 0 && part !== k;
  const heldOut = forward ? k + 1 : k;
  const { target, sampleWeight: all } = problem;
  const sampleWeight = Float64Array.from(fold, (part, i) => (trains(part) ? (all ? all[i] : 1) : 0));
  const share = classShare(target, sampleWeight);
  const absent = target.classes.filter((_, c) => !(share[c] > 0));
  if (absent.length > 0) {
    throw new LogoddsError(
      'ERR_DATA',
      `fold ${k + 1}: expected training rows of every class, got none of ${list(absent)}; ${forward ? 'use fewer folds, or a time column whose early rows have every class' : absent.length > 1 ? 'add rows of these classes, or leave them out' : 'add rows of that class, or leave it out'}`,
    );
  }
  const rows: number[] = [];
  fold.forEach((part, i) => {
    if (part === heldOut) rows.push(i);
  });
  return withTasks(
    problem,
    (tasks) => use(tasks, rows, sampleWeight),
    effectiveWeight(target, sampleWeight, options),
    sampleWeight,
  );
}

/** What scores a fit on the held-out rows: by their logits. A row of counts is one of its successes and one of its failures. */
function judgeOf({ kind, y, sampleWeight, target }: Problem, rows: readonly number[], score: ScoreName) {
  const counts = target.trials !== null;
  const labels = Float64Array.from(counts ? [...rows.map(() => 1), ...rows.map(() => 0)] : rows.map((i) => y[i]));
  const weightOf = (i: number) => (sampleWeight ? sampleWeight[i] : 1);
  const weight = Float64Array.from(
    counts
      ? [...rows.map((i) => weightOf(i) * y[i]), ...rows.map((i) => weightOf(i) * (1 - y[i]))]
      : rows.map(weightOf),
  );
  return (tasks: readonly Task[], fitted: readonly Fitted[]): number => {
    const planes = logitsOf(tasks, fitted).map((z) => {
      const logits = Float64Array.from(rows, (i) => z[i]);
      return counts ? Float64Array.of(...logits, ...logits) : logits;
    });
    const value =
      kind === 'binomial'
        ? evaluateBinary(planes[0], labels, weight)[score]
        : evaluateMulticlass(planes, labels, weight, kind)[score];
    return value ?? Number.NaN;
  };
}

/** Logits of all rows, a plane for each weight vector. */
export function logitsOf(tasks: readonly Task[], fitted: readonly Fitted[]): Float64Array[] {
  return tasks.flatMap(({ likelihood }, k) => {
    const { classes, rows } = likelihood;
    const z = new Float64Array(classes * rows);
    likelihood.logits(fitted[k].params, z);
    return Array.from({ length: classes }, (_, j) => z.subarray(j * rows, (j + 1) * rows));
  });
}

/** The unit of the penalty in a fold: for standardised features their spread in its rows, in units of their spread in all rows. */
export function spreadOf({ batch }: Problem, weight: Float64Array, unit: Float64Array | null): Float64Array {
  if (unit) return unit;
  const out = new Float64Array(batch.slots).fill(1);
  const total = weight.reduce((sum, s) => sum + s, 0);
  batch.specs.forEach((spec, column) => {
    if (spec.kind !== 'numeric') return;
    const x = batch.numeric(column);
    let mean = 0;
    for (let i = 0; i < x.length; i++) mean += weight[i] * x[i];
    mean /= total;
    let variance = 0;
    for (let i = 0; i < x.length; i++) variance += weight[i] * (x[i] - mean) ** 2;
    out[batch.offsets[column]] = Math.sqrt(variance / total) || 1;
  });
  return out;
}

export interface FoldOptions {
  readonly folds: number;
  readonly groups?: string;
  readonly time?: string;
  readonly seed: number;
}

/** The fold (by time the part) of each row, −1 for rows of weight 0. @throws ERR_DATA when there are too few rows, groups or times */
export function foldsOf(problem: Problem, table: Table, { folds, groups, time, seed }: FoldOptions): Int16Array {
  const { target, sampleWeight } = problem;
  const rows: number[] = [];
  for (let i = 0; i < table.rows; i++) if (!sampleWeight || sampleWeight[i] > 0) rows.push(i);
  const fold = new Int16Array(table.rows).fill(-1);
  const tooFew = (what: string, got: number, wanted: number, more: string): LogoddsError =>
    new LogoddsError('ERR_DATA', `folds: expected at least ${wanted} ${what}, got ${got}; use ${more} or fewer folds`);
  if (time !== undefined) {
    const at = keysOf(findColumns(table, [time])[0], 'time');
    const sorted = [...rows].sort((a, b) => at[a] - at[b]);
    const parts = folds + 1;
    let part = 0;
    sorted.forEach((i, k) => {
      // rows of one time stay together
      if (k > 0 && at[i] !== at[sorted[k - 1]]) part = Math.max(part, Math.floor((k * parts) / sorted.length));
      fold[i] = part;
    });
    const used = new Set(fold);
    for (let wanted = 0; wanted < parts; wanted++) {
      if (!used.has(wanted))
        throw tooFew(`parts of ${show(time)} with rows of their own`, used.size, parts, 'more times');
    }
    return fold;
  }
  if (groups !== undefined) {
    const key = keysOf(findColumns(table, [groups])[0], 'groups');
    const members = new Map<number, number[]>();
    for (const i of rows) {
      const group = members.get(key[i]);
      if (group) group.push(i);
      else members.set(key[i], [i]);
    }
    if (members.size < folds) throw tooFew(`groups of ${show(groups)}`, members.size, folds, 'more groups');
    const load = new Float64Array(folds);
    const weightOf = (i: number) => (sampleWeight ? sampleWeight[i] : 1);
    // the heaviest group first, each to the fold that has least
    const heavy = [...members.values()]
      .map((group) => ({ group, weight: group.reduce((sum, i) => sum + weightOf(i), 0) }))
      .sort((a, b) => b.weight - a.weight);
    for (const { group, weight } of heavy) {
      const least = load.indexOf(Math.min(...load));
      load[least] += weight;
      for (const i of group) fold[i] = least;
    }
    return fold;
  }
  if (rows.length < folds) throw tooFew('rows', rows.length, folds, 'more rows');
  return stratifiedFolds(target.code, target.classes.length, sampleWeight, folds, seed);
}

/** @throws ERR_RECORD for a missing cell, ERR_SCHEMA for times that are categories */
function keysOf(column: Column, role: 'groups' | 'time'): ArrayLike<number> {
  const { name, missing } = column;
  const gap = missing ? missing.indexOf(1) : -1;
  if (gap >= 0) {
    throw new LogoddsError(
      'ERR_RECORD',
      `${role} ${show(name)}, row ${gap}: expected a value, got none; fill the cell`,
    );
  }
  if (column.kind === 'numeric') return column.values;
  if (role === 'time') {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `time ${show(name)}: expected a numeric column, got categories; convert it to numbers`,
    );
  }
  return column.codes;
}

export function checkCrossValidation({
  folds,
  groups,
  time,
  seed,
  score,
  rule,
}: Partial<CrossValidationOptions>): void {
  const refuse = (what: string, wanted: string, got: unknown): never => {
    throw new LogoddsError(
      'ERR_RANGE',
      `${what}: expected ${wanted}, got ${String(got)}; leave it out for the default`,
    );
  };
  if (folds !== undefined && !(Number.isInteger(folds) && folds >= 2 && folds <= 1000))
    refuse('folds', 'a whole number from 2 to 1000', folds);
  if (seed !== undefined && !Number.isInteger(seed)) refuse('seed', 'a whole number', seed);
  if (groups !== undefined && time !== undefined) refuse('groups', 'no time beside it', 'both');
  if (score !== undefined && !SCORES.includes(score)) refuse('score', `one of ${list(SCORES)}`, score);
  if (rule !== undefined && rule !== 'min' && rule !== '1se') refuse('rule', 'min or 1se', rule);
}
