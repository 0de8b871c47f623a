import { size } from '../../bindings/check.ts';
import { joined, LogoddsError } from '../../bindings/errors.ts';
import { list, show } from '../messages.ts';
import { LABEL_RULE } from './label.ts';
import type { CodedColumn, Column, NumericColumn, Table } from './table.ts';

/** The columns of a table. @throws ERR_RANGE, ERR_SHAPE */
export function columnsOf(table: Table): readonly Column[] {
  size('rows of the table', table?.rows);
  const { columns } = table;
  if (Array.isArray(columns) && columns.every(Boolean)) return columns;
  throw new LogoddsError('ERR_SHAPE', 'table: expected a list of columns, got something else');
}

/**
 * The columns of a table by name, in the order of `names`. Columns of other names are ignored.
 * @throws ERR_SCHEMA when columns are absent (all of them are named) or two columns share a name
 * @param firstRow  number of the first row, for messages
 * @throws ERR_SHAPE when a column is shorter than the table, or is no typed array
 * @throws ERR_RECORD for a code that is no whole number of at least 0
 */
export function findColumns(table: Table, names: readonly string[], firstRow = 0): Column[] {
  const byName = new Map<string, Column>();
  for (const column of columnsOf(table)) {
    const { name } = column;
    if (byName.has(name)) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `table: expected distinct column names, got ${show(name)} twice; rename one`,
      );
    }
    byName.set(name, column);
  }
  refuseAbsent(
    'table',
    names.filter((name) => !byName.has(name)),
    [...byName.keys()],
  );
  return names.map((name) => checkCells(byName.get(name) as Column, table.rows, firstRow));
}

/** What a caller gives in the place of typed arrays, and codes that these may hold. */
function checkCells(column: Column, rows: number, firstRow: number): Column {
  const { name, missing } = column;
  const coded = column.kind !== 'numeric';
  const cells = coded ? column.codes : column.values;
  // of levels the first: dictionaries are long
  const { kind, levels } = column as CodedColumn;
  const other =
    coded && !(kind === 'coded' && Array.isArray(levels) && (!levels.length || typeof levels[0] === 'string'));
  for (const values of [cells, missing ?? cells]) {
    const length =
      ArrayBuffer.isView(values) && typeof values[0] !== 'bigint' ? values.length : 'no typed array of numbers';
    if (other || !(Number(length) >= rows)) {
      const rule = other ? 'text as levels' : `${rows} rows (as the table)`;
      throw new LogoddsError(
        'ERR_SHAPE',
        `column ${show(name)}: expected ${rule}, got ${other ? 'something else' : length}`,
      );
    }
  }
  // unsigned arrays hold nothing else
  const signed = coded && cells[Symbol.toStringTag][0] !== 'U';
  for (let i = 0; signed && i < rows; i++) {
    if (cells[i] >>> 0 !== cells[i] && !missing?.[i]) {
      throw cellError(firstRow + i, name, 'a whole number from 0 on as code', cells[i], MEND);
    }
  }
  return column;
}

/** Whether a record has a field; what every object inherits (`constructor`, `__proto__`) counts when it is the record's own. */
export const hasField = (record: object, name: string): boolean =>
  name in record && (!(name in Object.prototype) || Object.hasOwn(record, name));

/** @throws ERR_SCHEMA when `absent` is not empty: names all absent columns, and those that were found */
export function refuseAbsent(where: string, absent: readonly string[], found: readonly string[]): void {
  const names = [...new Set(absent)];
  if (names.length > 0) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `${where}: expected ${names.length > 1 ? 'columns' : 'column'} ${list(names)}, got ${list(found) || 'no column'}; ` +
        'add what is absent under that name (null for a missing value)',
      { problems: names.map((field) => ({ field, rule: 'a field that is there' })) },
    );
  }
}

/**
 * The column as numbers. A coded column passes only when all its cells are missing: text is never silently converted.
 * @throws ERR_RECORD naming row and value of a text cell: the first that is no number, else the first
 */
export function asNumeric(column: Column, rows: number, firstRow: number): NumericColumn {
  if (column.kind === 'numeric') return column;
  const { name, codes, levels, missing } = column;
  for (const named of [(text = '') => !Number.isFinite(Number(text.trim() || Number.NaN)), () => true]) {
    for (let i = 0; i < rows; i++) {
      if (!missing?.[i] && named(levels[codes[i]]))
        throw cellError(firstRow + i, name, 'a number', levels[codes[i]], MEND);
    }
  }
  return { name, kind: 'numeric', values: new Float64Array(rows), missing };
}

/**
 * The column as codes. Numbers become categories by `canonicalLabel`, levels in order of appearance.
 * @param lists  whether levels may be lists
 * @throws ERR_RECORD naming row and value of a cell that is not finite, or a list
 */
export function asCoded(column: Column, rows: number, firstRow: number, lists = false): CodedColumn {
  if (column.kind !== 'numeric') {
    if (lists || !column.lists) return column;
    // the rows may be a part of those that the lists are in
    const row = column.codes.findIndex((code, i) => !column.missing?.[i] && column.levels[code]?.[0] === '[');
    if (row < 0 || row >= rows) return column;
    throw cellError(firstRow + row, column.name, LABEL_RULE, [], MEND);
  }
  const { name, values, missing } = column;
  const codes = new Uint32Array(rows);
  const levels: string[] = [];
  const codeOf = new Map<number, number>();
  for (let i = 0; i < rows; i++) {
    if (missing?.[i]) continue;
    const value = values[i];
    let code = codeOf.get(value);
    if (code === undefined) {
      if (!Number.isFinite(value)) throw cellError(firstRow + i, name, 'a finite number', value, MEND);
      code = levels.length;
      levels.push(String(value));
      codeOf.set(value, code);
    }
    codes[i] = code;
  }
  return { name, kind: 'coded', codes, levels, missing };
}

/** the next step after a cell that cannot be used */
export const MEND = 'correct it, or mark it as missing';

/** ERR_RECORD for one cell of a table; rows are counted from 0. `row` null is a single record. Only `detail` quotes the value. */
export function cellError(row: number | null, name: string, rule: string, value: unknown, next: string): LogoddsError {
  const where = row === null ? `record, field ${show(name)}` : `row ${row} (from 0), column ${show(name)}`;
  const say = (got: string): string => `${where}: expected ${rule}, got ${got}; ${next}`;
  const problems = [{ field: name, ...(row !== null && { row }), rule }];
  return new LogoddsError('ERR_RECORD', say(kindOf(value)), { problems }, say(show(value)));
}

/** What a value is, without saying it. */
const kindOf = (value: unknown): string =>
  typeof value === 'string'
    ? 'text'
    : typeof value === 'bigint' || Number.isFinite(value)
      ? 'another number'
      : show(value);

/** Does a step for each item; when some refuse, throws one error with all that is wrong. @throws ERR_RECORD, ERR_SCHEMA */
export function all<T>(items: readonly T[], step: (item: T, i: number) => void): void {
  const errors: LogoddsError[] = [];
  items.forEach((item, i) => {
    try {
      step(item, i);
    } catch (error) {
      if (!(error instanceof LogoddsError)) throw error;
      errors.push(error);
    }
  });
  if (errors.length > 0) throw joined(errors);
}
