import { LogoddsError, refuse } from '../../../bindings/errors.ts';
import { CheckedTable } from '../../encode/checkedTable.ts';
import { asCoded, cellError } from '../../encode/columns.ts';
import { sortLabels } from '../../encode/infer.ts';
import { canonicalLabel } from '../../encode/label.ts';
import type { Column, NumericColumn, Table } from '../../encode/table.ts';
import { list, show } from '../../messages.ts';
import { LARGEST_TOTAL } from '../../metrics/check.ts';

/** A number for each row: codes of classes in bytes, or shares. */
export type TargetNumbers = Uint8Array | Float64Array;

/** The target as numbers. */
export interface Target {
  /** the labels, sorted: numerically when all are numbers, else by code point */
  readonly classes: readonly string[];
  /** null with more than two classes */
  readonly positive: string | null;
  /** index into `classes` of each row; all 1 for counts */
  readonly code: Uint8Array;
  /** two classes: the share of the positive one, 0 to 1; else `code` */
  readonly y: TargetNumbers;
  /** trials of each row, if the target counts successes; else null */
  readonly trials: Float64Array | null;
  /** classes that are left out, and 1 for each of their rows; null: none */
  readonly leftOut: { readonly classes: readonly string[]; readonly rows: Uint8Array } | null;
}

/** A class as `canonicalLabel` takes it. */
export type PositiveLabel = string | number | boolean;

const POSITIVE = ['1', 'true', 'yes'];
/** A target with more values than this is a number to predict, not a class. */
const MOST_CLASSES = 100;

/**
 * Reads a target column, of categories or of numbers.
 *
 * With two classes, the positive one is `positive`; else the only label among 1, true, yes (in any case); else the second of the sorted labels.
 *
 * @param positive  a label as `canonicalLabel` takes it: 1 and "1" are one
 * @param without  classes to leave out: their rows have code 0 and count for nothing
 * @throws ERR_SCHEMA if the column is absent; ERR_TARGET if cells are missing, there are fewer than two classes or more than 100,
 * `positive` is not one of two classes, or a class to leave out does not exist
 */
export function readTarget(
  table: Table,
  name: string,
  positiveClass?: PositiveLabel,
  without: readonly string[] = [],
): Target {
  const positive = positiveClass === undefined ? undefined : canonicalLabel(positiveClass);
  const { rows } = table;
  const column = textOrNumbers(CheckedTable.of(table).column(name), rows);
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
  /** ids of cells that are bytes, as nearly all targets are; 255: not met yet */
  const idOfByte = new Uint8Array(256).fill(255);
  for (let i = 0; i < rows && labels.length <= MOST_CLASSES; i++) {
    const cell = cells[i];
    const known = idOfByte[cell & 255];
    if (known !== 255 && (cell & 255) === cell) {
      ids[i] = known;
      continue;
    }
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
    if ((cell & 255) === cell) idOfByte[cell] = id;
    ids[i] = id;
  }
  const all = sortLabels(labels);
  const stranger = without.find((label) => !all.includes(label));
  if (stranger !== undefined) {
    throw new LogoddsError(
      'ERR_TARGET',
      `classWeight: expected labels among ${list(all)}, got ${show(stranger)}; correct the label`,
    );
  }
  const classes = all.filter((label) => !without.includes(label));
  if (without.length > 0 && classes.length < 2) {
    throw new LogoddsError(
      'ERR_TARGET',
      `classWeight: expected at least two classes with a weight above 0, got ${classes.length} (${list(classes)}); a class of weight 0 is left out`,
    );
  }
  if (classes.length < 2 || classes.length > MOST_CLASSES) {
    const many = classes.length > MOST_CLASSES;
    throw new LogoddsError(
      'ERR_TARGET',
      many
        ? `${what}: expected at most ${MOST_CLASSES} classes, got more (${list(classes.slice(0, 5))}, …); name a target with fewer values, or derive one`
        : `${what}: expected at least two classes, got ${classes.length} (${list(classes)}); keep rows of both outcomes`,
    );
  }
  const place = labels.map((label) => classes.indexOf(label));
  const leftOut =
    without.length > 0
      ? {
          classes: without,
          rows: renamed(
            ids,
            place.map((at) => Number(at < 0)),
          ),
        }
      : null;
  const code = renamed(
    ids,
    place.map((at) => Math.max(0, at)),
  );
  if (positive !== undefined && (classes.length > 2 || !classes.includes(positive))) {
    throw new LogoddsError(
      'ERR_TARGET',
      classes.length > 2
        ? `positive: expected none for ${what} of ${classes.length} classes, got ${show(positive)}; leave it out, since every class has its own probability`
        : `positive: expected a class of ${what} (${list(classes)}), got ${show(positive)}; name one of them`,
    );
  }
  if (classes.length > 2) return { classes, positive: null, code, y: code, trials: null, leftOut };
  const obvious = classes.filter((label) => POSITIVE.includes(label.toLowerCase()));
  const chosen = positive ?? (obvious.length === 1 ? obvious[0] : classes[1]);
  const y = chosen === classes[1] ? code : renamed(code, [1, 0]);
  return { classes, positive: chosen, code, y, trials: null, leftOut };
}

/** names[id] of each id; the ids themselves if they are their names */
function renamed(ids: Uint8Array, names: readonly number[]): Uint8Array {
  if (names.every((name, id) => name === id)) return ids;
  const nameOf = Uint8Array.from(names);
  const out = new Uint8Array(ids.length);
  for (let i = 0; i < ids.length; i++) out[i] = nameOf[ids[i]];
  return out;
}

/**
 * Reads grouped binomial counts: successes of trials. A row without trials has weight 0.
 *
 * @returns the target of classes 0 and 1 with y = successes/trials
 * @throws ERR_SCHEMA when a column is absent or not numeric; ERR_RECORD for a missing cell; ERR_RANGE for counts that are not whole numbers
 * >= 0, or more successes than trials
 */
export function readTrials(table: Table, successes: string, trials: string): Target {
  const give = 'give every row its counts';
  const hits = readNumbers(table, successes, 'target', give);
  const tries = readNumbers(table, trials, 'trials', give);
  const at = (role: string, name: string, row: number) => `${role} ${show(name)}, row ${row}`;
  const y = hits.map((count, i) => {
    const n = tries[i];
    if (!(Number.isInteger(n) && n >= 0))
      refuse('ERR_RANGE', at('trials', trials, i), 'a whole number >= 0', n, 'correct it');
    if (!(Number.isInteger(count) && count >= 0 && count <= n)) {
      const rule = `a whole number from 0 to ${n} (${show(trials)})`;
      refuse('ERR_RANGE', at('target', successes, i), rule, count, 'correct it');
    }
    return n > 0 ? count / n : 0;
  });
  return {
    classes: ['0', '1'],
    positive: '1',
    code: new Uint8Array(y.length).fill(1),
    y,
    trials: tries,
    leftOut: null,
  };
}

/**
 * Reads the column of sample weights: finite, at least 0, not all 0; whole numbers if they count rows.
 *
 * @returns a copy, length table.rows
 * @throws ERR_SCHEMA when absent or not numeric; ERR_RECORD for a missing cell; ERR_RANGE for a negative or non-finite one, or all zero
 */
export function readWeight(table: Table, name: string, kind: 'sampling' | 'count' = 'sampling'): Float64Array {
  const values = readNumbers(table, name, 'weight', 'give every row a weight (0 leaves a row out)');
  let total = 0;
  values.forEach((value, i) => {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      throw new LogoddsError(
        'ERR_RANGE',
        `weight ${show(name)}, row ${i}: expected a finite number >= 0, got ${value}; correct it`,
      );
    }
    if (kind === 'count' && !Number.isInteger(value)) {
      throw new LogoddsError(
        'ERR_RANGE',
        `weight ${show(name)}, row ${i}: expected a whole number (weights count rows), got ${value}; use weightKind "sampling" for weights of a sample`,
      );
    }
    total += value;
  });
  if (!(total > 0 && total <= LARGEST_TOTAL)) {
    const next = total > 0 ? 'divide them all by one number' : 'a row needs a weight above 0 to count';
    throw new LogoddsError(
      'ERR_RANGE',
      `weight ${show(name)}: expected a sum of weights above 0, up to ${LARGEST_TOTAL}, got ${total}; ${next}`,
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
 * The factor of each class, in the order of `classes`.
 *
 * `balanced`: S / (K·S_c), S_c the sample weight of class c of K. All classes then have the same weight, and the total stays S. A map
 * gives factors by label; a label that is not in it has 1. A factor of 0 leaves the class out.
 *
 * @param share  S_c
 * @throws ERR_TARGET for a label that is not a class; ERR_RANGE for a factor that is negative or not finite
 * @see scikit-learn, sklearn.utils.class_weight.compute_class_weight
 */
export function classFactors(
  classWeight: 'balanced' | Readonly<Record<string, number>>,
  { classes }: Target,
  share: Float64Array,
): Float64Array {
  if (classWeight === 'balanced') {
    const total = share.reduce((sum, s) => sum + s, 0);
    return share.map((s) => total / (classes.length * s));
  }
  for (const [label, factor] of Object.entries(classWeight)) {
    if (factor !== 0 && !classes.includes(label)) {
      throw new LogoddsError(
        'ERR_TARGET',
        `classWeight: expected labels among ${list(classes)}, got ${show(label)}; correct the label`,
      );
    }
    if (!(factor >= 0 && factor < Number.POSITIVE_INFINITY)) {
      throw new LogoddsError(
        'ERR_RANGE',
        `classWeight of ${show(label)}: expected a finite number >= 0, got ${factor}`,
      );
    }
  }
  return Float64Array.from(classes, (label) => (Object.hasOwn(classWeight, label) ? classWeight[label] : 1));
}

function readNumbers(table: Table, name: string, role: string, next: string): Float64Array {
  const column = CheckedTable.of(table).column(name);
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

/** A column whose cells may be labels. @throws ERR_RECORD for a list */
const textOrNumbers = (column: Column, rows: number): Column =>
  column.kind === 'coded' ? asCoded(column, rows, 0) : column;

function countMissing({ missing }: Column, rows: number): { count: number; first: number } {
  let count = 0;
  let first = -1;
  for (let i = 0; missing && i < rows; i++) {
    if (missing[i] !== 0 && count++ === 0) first = i;
  }
  return { count, first };
}

/**
 * Sample weights as numbers of rows, for methods that depend on the number of rows (quantiles, rare levels, smoothing). Counting weights are
 * unchanged. Sampling weights are scaled to the number of rows (or trials) with weight, so that their scale has no effect.
 * @param weight  of the rows, times trials; null: ones
 */
export function frequencies(
  weight: Float64Array | null,
  {
    target: { trials },
    weightKind,
  }: { readonly target: Pick<Target, 'trials'>; readonly weightKind: 'sampling' | 'count' },
): Float64Array | null {
  if (!weight || weightKind === 'count') return weight;
  let total = 0;
  let rows = 0;
  for (let i = 0; i < weight.length; i++) {
    if (!(weight[i] > 0)) continue;
    total += weight[i];
    rows += trials ? trials[i] : 1;
  }
  return total === rows ? weight : weight.map((w) => w * (rows / total));
}
