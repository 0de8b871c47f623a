import { LogoddsError } from '../../bindings/errors.ts';
import { cellError, findColumns } from '../encode/columns.ts';
import { sortLabels } from '../encode/infer.ts';
import { canonicalLabel, list, show } from '../encode/label.ts';
import type { Column, NumericColumn, Table } from '../encode/table.ts';

/** The target as numbers: y is 1 for the positive class and 0 for the other. */
export interface Target {
  readonly y: Float64Array;
  /** both labels, sorted: numerically when both are numbers, else by code point */
  readonly classes: readonly [string, string];
  readonly positive: string;
}

const POSITIVE = ['1', 'true', 'yes'];
/** Labels are collected up to here: a target of a million values is named as such without a list of them. */
const MOST_LABELS = 10;

/**
 * Reads a binary target column, of categories or of numbers.
 *
 * The positive class is `positive`, else the one label among 1, true, yes (in any case), else the second of the two sorted labels.
 *
 * @throws ERR_SCHEMA when the column is absent; ERR_TARGET when cells are missing, the classes are not two, or `positive` is neither
 */
export function readTarget(table: Table, name: string, positive?: string): Target {
  const { rows } = table;
  const [column] = findColumns(table, [name]);
  const what = `target ${show(name)}`;
  const gaps = countMissing(column, rows);
  if (gaps.count > 0) {
    throw new LogoddsError(
      'ERR_TARGET',
      `${what}: expected a label in every row, got ${gaps.count} missing, the first in row ${gaps.first}; remove these rows or label them`,
    );
  }
  const cells = column.kind === 'coded' ? column.codes : column.values;
  const idOf = new Map<number, number>();
  const labels: string[] = [];
  const ids = new Uint8Array(rows);
  for (let i = 0; i < rows && labels.length <= MOST_LABELS; i++) {
    const cell = cells[i];
    let id = idOf.get(cell);
    if (id === undefined) {
      const value = column.kind === 'coded' ? column.levels[cell] : cell;
      if (value === undefined || !(column.kind === 'coded' || Number.isFinite(cell))) {
        throw new LogoddsError(
          'ERR_TARGET',
          `${what}, row ${i}: expected a label, got ${show(value)}; remove the row or label it`,
        );
      }
      const label = canonicalLabel(value);
      id = labels.indexOf(label);
      if (id < 0) id = labels.push(label) - 1;
      idOf.set(cell, id);
    }
    ids[i] = id;
  }
  const sorted = sortLabels(labels);
  if (sorted.length !== 2) {
    const many = sorted.length > MOST_LABELS;
    const next =
      sorted.length < 2 ? 'keep rows of both outcomes' : 'name a target with two values, or derive one that has two';
    throw new LogoddsError(
      'ERR_TARGET',
      `${what}: expected exactly two classes, got ${many ? `more than ${MOST_LABELS}` : sorted.length} (${list(sorted.slice(0, MOST_LABELS))}${many ? ', …' : ''}); ${next}`,
    );
  }
  const classes: [string, string] = [sorted[0], sorted[1]];
  if (positive !== undefined && !classes.includes(positive)) {
    throw new LogoddsError(
      'ERR_TARGET',
      `positive: expected a class of ${what} (${list(classes)}), got ${show(positive)}`,
    );
  }
  const obvious = classes.filter((label) => POSITIVE.includes(label.toLowerCase()));
  const chosen = positive ?? (obvious.length === 1 ? obvious[0] : classes[1]);
  const chosenId = labels.indexOf(chosen);
  return { y: Float64Array.from(ids, (id) => (id === chosenId ? 1 : 0)), classes, positive: chosen };
}

/**
 * Reads the column of sample weights: finite, at least 0, not all 0.
 *
 * @returns a copy, length table.rows
 * @throws ERR_SCHEMA when absent or not numeric; ERR_RECORD for a missing cell; ERR_RANGE for a negative or non-finite one, or all zero
 */
export function readWeight(table: Table, name: string): Float64Array {
  const values = readNumbers(table, name, 'weight', 'give every row a weight (0 leaves a row out)');
  let total = 0;
  values.forEach((value, i) => {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      throw new LogoddsError(
        'ERR_RANGE',
        `weight ${show(name)}, row ${i}: expected a finite number >= 0, got ${value}; correct it`,
      );
    }
    total += value;
  });
  if (!(total > 0 && total < Number.POSITIVE_INFINITY)) {
    throw new LogoddsError(
      'ERR_RANGE',
      `weight ${show(name)}: expected a positive finite sum of weights, got ${total}; a row needs a weight above 0 to count`,
    );
  }
  return values;
}

/**
 * Reads the column that is added to the logit.
 *
 * @returns a copy, length table.rows
 * @throws ERR_SCHEMA when absent or not numeric; ERR_RECORD for a missing or non-finite cell
 */
export function readOffset(table: Table, name: string): Float64Array {
  const values = readNumbers(table, name, 'offset', 'give every row an offset');
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) throw cellError(i, name, 'a finite number (it is the offset)', value, 'correct it');
  });
  return values;
}

/**
 * The factors of the negative and the positive class.
 *
 * `balanced`: S / (2·S_c), S_c the sample weight of class c: both classes weigh the same and the total stays S. A map gives factors by label;
 * a label that is not in it has 1.
 *
 * @param share  S_c of the negative and the positive class
 * @throws ERR_TARGET for a label that is no class; ERR_RANGE for a factor that is not positive and finite
 * @see scikit-learn, sklearn.utils.class_weight.compute_class_weight
 */
export function classFactors(
  classWeight: 'balanced' | Readonly<Record<string, number>>,
  { classes, positive }: Target,
  share: readonly [number, number],
): [number, number] {
  const total = share[0] + share[1];
  if (classWeight === 'balanced') return [total / (2 * share[0]), total / (2 * share[1])];
  for (const [label, factor] of Object.entries(classWeight)) {
    if (!classes.includes(label)) {
      throw new LogoddsError('ERR_TARGET', `classWeight: expected labels among ${list(classes)}, got ${show(label)}`);
    }
    if (!(factor > 0 && factor < Number.POSITIVE_INFINITY)) {
      throw new LogoddsError('ERR_RANGE', `classWeight of ${show(label)}: expected a finite number > 0, got ${factor}`);
    }
  }
  const factorOf = (label: string) => (Object.hasOwn(classWeight, label) ? classWeight[label] : 1);
  return [factorOf(classes[0] === positive ? classes[1] : classes[0]), factorOf(positive)];
}

function readNumbers(table: Table, name: string, role: string, next: string): Float64Array {
  const [column] = findColumns(table, [name]);
  if (column.kind !== 'numeric') {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `${role} ${show(name)}: expected a numeric column, got categories; convert it to numbers`,
    );
  }
  const gaps = countMissing(column, table.rows);
  if (gaps.count > 0) {
    throw new LogoddsError(
      'ERR_RECORD',
      `${role} ${show(name)}: expected a number in every row, got ${gaps.count} missing, the first in row ${gaps.first}; ${next}`,
    );
  }
  return Float64Array.from((column as NumericColumn).values.subarray(0, table.rows));
}

function countMissing({ missing }: Column, rows: number): { count: number; first: number } {
  let count = 0;
  let first = -1;
  for (let i = 0; missing && i < rows; i++) {
    if (missing[i] !== 0 && count++ === 0) first = i;
  }
  return { count, first };
}
