import { LogoddsError } from '../../bindings/errors.ts';
import { type OptionRule, refuseUnknown } from '../../bindings/names.ts';
import type { CheckedTable } from '../encode/checkedTable.ts';
import { asCoded, cellError } from '../encode/columns.ts';
import { parseDate } from '../encode/date.ts';
import type { Column } from '../encode/table.ts';
import { list, show } from '../messages.ts';
import type { Warning } from '../model/manifest.ts';
import { refuse } from './penaltyOptions.ts';
import { stratifiedFolds } from './problem/folds.ts';
import type { Problem, View } from './problem/problem.ts';
import { classShare, type RowVectors, reweighted } from './problem/rows.ts';
import type { Task } from './problem/task.ts';
import type { Fitted, Penalty } from './solve/types.ts';

/** How rows are put into folds. */
export interface FoldingOptions {
  /** number of folds k ≥ 2; default 5 */
  readonly folds?: number;
  /** column, for example of a customer or a site: rows with the same value stay in one fold; it is no feature */
  readonly groups?: string;
  /**
   * column of times, as numbers or ISO 8601 text. Rows are cut by time into k + 1 parts; fold i is trained on the i earliest parts and scored on the
   * next one. The column is no feature.
   */
  readonly time?: string;
  /** seed of the random folds; default 1 */
  readonly seed?: number;
}

/** The names of these options; the compiler misses one that is not here. */
export const foldingRules = (): Readonly<Record<keyof FoldingOptions, OptionRule>> => ({
  folds: true,
  groups: true,
  time: true,
  seed: true,
});

/** @throws ERR_RANGE for names that do not exist, and values outside their domain */
export function checkFolding(options: FoldingOptions): void {
  refuseUnknown('folding', options, foldingRules());
  const { folds, groups, time, seed } = options;
  const next = 'leave it out for the default';
  if (folds !== undefined && !(Number.isInteger(folds) && folds >= 2 && folds <= 1000))
    refuse('folds', 'a whole number from 2 to 1000', folds, next);
  if (seed !== undefined && !Number.isInteger(seed)) refuse('seed', 'a whole number', seed, next);
  if (groups !== undefined && time !== undefined) refuse('groups', 'no time beside it', 'both', next);
}

/** The fold (by time the part) of each row, −1 for rows of weight 0. @throws ERR_DATA when there are too few rows, groups or times */
export function foldsOf(
  vectors: RowVectors,
  table: CheckedTable,
  { folds = 5, groups, time, seed = 1 }: FoldingOptions,
): Int16Array {
  const { target, sampleWeight } = vectors;
  const rows: number[] = [];
  for (let i = 0; i < table.rows; i++) if (!sampleWeight || sampleWeight[i] > 0) rows.push(i);
  const fold = new Int16Array(table.rows).fill(-1);
  const tooFew = (what: string, got: number, wanted: number, more: string): LogoddsError =>
    new LogoddsError('ERR_DATA', `folds: expected at least ${wanted} ${what}, got ${got}; use ${more} or fewer folds`);
  if (time !== undefined) {
    const at = keysOf(table.column(time), 'time');
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
    const key = keysOf(table.column(groups), 'groups');
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

/** @throws ERR_RECORD for a missing cell, and for a time that is neither a number nor a date */
function keysOf(column: Column, role: 'groups' | 'time'): ArrayLike<number> {
  const { name, missing } = column;
  const gap = missing ? missing.indexOf(1) : -1;
  if (gap >= 0) throw cellError(gap, name, `a value (${role})`, null, 'fill the cell, or leave the row out');
  if (column.kind === 'numeric') return column.values;
  if (role === 'groups') return asCoded(column, column.codes.length, 0).codes;
  const { codes, levels } = column;
  const times = levels.map(parseDate);
  return Float64Array.from({ length: codes.length }, (_, i) => {
    const at = times[codes[i]];
    if (at === null || at === undefined) {
      const rule = 'a number or a date in ISO 8601 (2024-05-03, 2024-05-03T12:30) to order the rows by';
      throw cellError(i, name, rule, levels[codes[i]], 'convert the column');
    }
    return at;
  });
}

export const rowsOfFold = (fold: Int16Array, wanted: number): number[] => {
  const rows: number[] = [];
  fold.forEach((part, i) => {
    if (part === wanted) rows.push(i);
  });
  return rows;
};

/** What the fits of fold k warn of. */
export function warningsOf(fitted: readonly Fitted[], k: number): Warning[] {
  return fitted.flatMap(({ warnings }) =>
    warnings.map((one) => ({ ...one, message: `fold ${k + 1}: ${one.message}` })),
  );
}

/**
 * Opens fold k for the time of `use`: a view of the problem in which rows weigh 0 but for its training rows, and its held-out rows.
 * @throws ERR_DATA when a class has no training row
 */
export function withFold<T>(
  problem: Problem,
  fold: Int16Array,
  k: number,
  forward: boolean,
  use: (view: View, heldOut: readonly number[]) => T,
): T {
  const trains = forward ? (part: number) => part >= 0 && part <= k : (part: number) => part >= 0 && part !== k;
  const heldOut = forward ? k + 1 : k;
  const { target, sampleWeight: all } = problem.rows;
  const sampleWeight = Float64Array.from(fold, (part, i) => (trains(part) ? (all ? all[i] : 1) : 0));
  const share = classShare(target, sampleWeight);
  const absent = target.classes.filter((_, c) => !(share[c] > 0));
  if (absent.length > 0) {
    throw new LogoddsError(
      'ERR_DATA',
      `fold ${k + 1}: expected training rows of every class, got none of ${list(absent)}; ${forward ? 'use fewer folds, or a time column whose early rows have every class' : absent.length > 1 ? 'add rows of these classes, or leave them out' : 'add rows of that class, or leave it out'}`,
    );
  }
  const view = problem.view(reweighted(problem.rows, sampleWeight));
  try {
    return use(view, rowsOfFold(fold, heldOut));
  } finally {
    view.free();
  }
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
export function spreadOf(
  { batch, sampleWeight, totalWeight }: View,
  { unit, ownUnit }: Pick<Penalty, 'unit' | 'ownUnit'>,
): Float64Array {
  const out = unit ? unit.slice() : new Float64Array(batch.slots).fill(1);
  const weight = sampleWeight!;
  const total = totalWeight;
  batch.specs.forEach((spec, column) => {
    if (spec.kind !== 'numeric' || ownUnit?.[batch.offsets[column]]) return;
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
