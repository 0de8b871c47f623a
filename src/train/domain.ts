import { refuse } from '../../bindings/errors.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import { CheckedTable, type Data } from '../encode/checkedTable.ts';
import { asCoded } from '../encode/columns.ts';
import type { Column, Table } from '../encode/table.ts';
import { twoSidedP } from '../math/normal.ts';
import { aucInterval } from '../metrics/interval.ts';
import { outOfFold } from './outOfFold.ts';

/** Options of `domainShift`. */
export interface DomainOptions {
  /** the columns that are compared; default: those that both have */
  readonly features?: readonly string[];
  /** default 5 */
  readonly folds?: number;
  /** of the folds; default 1 */
  readonly seed?: number;
}

/** How well a model tells current rows from reference rows. */
export interface DomainShift {
  /** area under the ROC curve of rows that the model was not fitted to: 0.5 when nothing changed that it can see */
  readonly auc: number;
  readonly low: number;
  readonly high: number;
  /** P(an area as far from 0.5 or farther), normal */
  readonly p: number;
  readonly rows: { readonly reference: number; readonly current: number };
  readonly features: readonly string[];
}

/** The name of the target. */
const ORIGIN = '(current)';

/**
 * Tells whether two data sets differ in all features together: fits a logistic regression of which of the two a row is from, and returns the area under the ROC
 * curve of rows that were not fitted (cross-fitted), with DeLong's interval. Classes are weighted as balanced, the penalty is the default one.
 *
 * It sees shifts of means, of shares of levels and of missing cells, and their combination; a change of correlation alone it does not see.
 * @param reference  a table or records
 * @param current  likewise
 * @throws ERR_DATA fewer than 2 rows for each fold on a side, or no column in common; others as `fit`
 * @see Lopez-Paz, Oquab, Revisiting classifier two-sample tests, 2017
 * @example
 * const { auc } = domainShift(records.slice(0, 15), records.slice(15), { features: ['distance'] });
 * auc < 0.9; // true
 */
export function domainShift(reference: Data, current: Data, options: DomainOptions = {}): DomainShift {
  refuseUnknown('domainShift', options, { features: true, folds: true, seed: true });
  const { folds = 5, seed = 1 } = options;
  const [a, b] = [CheckedTable.of(reference), CheckedTable.of(current)];
  for (const [what, { rows }] of [['reference', a] as const, ['current', b] as const])
    if (rows < 2 * folds)
      refuse('ERR_DATA', what, `${2 * folds} rows or more (two a fold)`, rows, 'wait for rows, or take fewer folds');
  const features = options.features ?? a.names.filter((name) => b.names.includes(name));
  if (features.length === 0)
    refuse('ERR_DATA', 'features', 'a column that both have', 'none', 'compare data of the same columns');
  const columns = features.map((name) => joined(a.column(name), b.column(name), a.rows, b.rows));
  const rows = a.rows + b.rows;
  const origin: Column = {
    name: ORIGIN,
    kind: 'coded',
    codes: new Uint8Array(rows).fill(1, a.rows),
    levels: ['0', '1'],
  };
  const table: Table = { rows, columns: [...columns, origin] };
  const found = outOfFold(table, { target: ORIGIN, classWeight: 'balanced', folding: { folds, seed } });
  const area = aucInterval(found.planes[0], found.y)!;
  const { auc, low, high, stdError } = area;
  const p = stdError > 0 ? twoSidedP((auc - 0.5) / stdError) : auc === 0.5 ? 1 : 0;
  return { auc, low, high, p, rows: { reference: a.rows, current: b.rows }, features };
}

/** The cells of two columns, one after the other. Numbers beside text are labels. */
function joined(a: Column, b: Column, n: number, m: number): Column {
  const { name } = a;
  const missing = new Uint8Array(n + m);
  if (a.missing) missing.set(a.missing.subarray(0, n));
  if (b.missing) missing.set(b.missing.subarray(0, m), n);
  if (a.kind === 'numeric' && b.kind === 'numeric') {
    const values = new Float64Array(n + m);
    values.set(a.values.subarray(0, n));
    values.set(b.values.subarray(0, m), n);
    return { name, kind: 'numeric', values, missing };
  }
  const [first, second] = [asCoded(a, n, 0, true), asCoded(b, m, 0, true)];
  const places = new Map<string, number>();
  const codes = new Uint32Array(n + m);
  const put = ({ codes: own, levels, missing: gaps }: typeof first, from: number, rows: number): void => {
    for (let i = 0; i < rows; i++) {
      const level = levels[own[i]];
      if (gaps?.[i] || level === undefined) {
        missing[from + i] = 1;
        continue;
      }
      let place = places.get(level);
      if (place === undefined) {
        place = places.size;
        places.set(level, place);
      }
      codes[from + i] = place;
    }
  };
  put(first, 0, n);
  put(second, n, m);
  return {
    name,
    kind: 'coded',
    codes,
    levels: [...places.keys()],
    missing,
    ...((first.lists || second.lists) && { lists: true }),
  };
}
