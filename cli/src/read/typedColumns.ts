/** The columns that training reads from a typed source: what each is, and its levels. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { LogoddsError } from '../../../src/index.ts';
import { cellError, show } from '../../../src/internal.ts';
import { sortLabels } from '../../../src/kernels.ts';
import { asNumbers } from '../../../src/text.ts';
import { dataError, rowsOf } from './database.ts';
import { cellText, keyToLabel } from './levels.ts';
import { type Part, refuseEmpty, refuseManyClasses, type Unreadable } from './roles.ts';
import { NOTE, type Notes, noteLabels, noteNotation } from './text/judge.ts';
import { isNameable, type SourceColumn, type TypedSource } from './typed.ts';

/** A column of a typed source, and whether it has levels. */
export interface PlannedColumn extends Part {
  readonly coded: boolean;
  readonly column: SourceColumn;
  /** column of the table `training` */
  readonly alias: string;
}

/** @throws ERR_SCHEMA for a type that the column's role cannot have */
function planPart(source: TypedSource, part: Part, column: SourceColumn, alias: string): PlannedColumn {
  const { read, needs, name: own } = part;
  const number = ['integer', 'float', 'boolean'].includes(column.kind);
  if (needs) {
    const numbers = asNumbers(needs, column);
    if (column.kind === 'other' || (numbers && !number)) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `${source.label}, column ${show(own)}: expected ${numbers ? 'numbers, as the schema says' : 'text, numbers, booleans, dates or lists'}, got ${column.type}; convert it with --query, or correct the schema`,
      );
    }
    return { ...part, coded: !numbers, column, alias };
  }
  const what = `${source.label}, column ${show(own)}: expected numbers, text or booleans, got ${column.type}`;
  if (read === 'order') {
    if (number || ['date', 'text'].includes(column.kind))
      return { ...part, coded: column.kind === 'text', column, alias };
    throw new LogoddsError(
      'ERR_SCHEMA',
      `${source.label}, column ${show(own)}: expected numbers, dates or timestamps, which have an order, got ${column.type}; derive one with --query`,
    );
  }
  const nameable = read === 'coded' && (isNameable(column) || column.kind === 'date');
  if (['other', 'date', 'list'].includes(column.kind) && !nameable) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      column.kind === 'other' && !isNameable(column)
        ? `${what}; derive a column from it with --query, or leave it out with --drop ${own}`
        : `${what}; say what it means in a --schema (logodds schema writes one), read it with --categorical ${own}, or leave it out with --drop ${own}`,
    );
  }
  if (read === 'numeric' && column.kind === 'text') {
    return { ...part, coded: false, column, alias };
  }
  const coded = read === 'coded' || (read === 'infer' && column.kind !== 'integer' && column.kind !== 'float');
  return { ...part, coded, column, alias };
}

/** Whether the levels are whole numbers or booleans, which take less than their texts. */
export const isCountable = ({ coded, needs, column }: PlannedColumn): boolean =>
  coded && !needs && (column.kind === 'integer' || column.kind === 'boolean');

/** The form in which a column is copied: numbers as DOUBLE, categories as text or as they are, an order as milliseconds. */
export function copied(part: PlannedColumn): string {
  const { read, coded, column } = part;
  const { sql, kind, type } = column;
  if (read === 'order' && kind === 'date') {
    const instant = type === 'DATE' ? `cast(${sql} as timestamp)` : sql;
    return `epoch_us(${instant}) / 1000.0`;
  }
  if (isCountable(part)) return sql;
  return coded ? cellText(sql, kind) : `cast(${sql} as double)`;
}

/** What each part is. @throws ERR_SCHEMA for a type that its role cannot have, unless it may be unreadable */
export function planParts(source: TypedSource, parts: readonly Part[], unreadable?: Unreadable): PlannedColumn[] {
  const byName = new Map(source.columns.map((column) => [column.name, column]));
  return parts.flatMap((part, i) => {
    try {
      return [planPart(source, part, byName.get(part.name)!, `c${i}`)];
    } catch (error) {
      if (unreadable?.(part, error)) return [];
      throw error;
    }
  });
}

/** The error of a query over these columns: of the first text that is not a number, if there is one. */
export async function readError(
  connection: DuckDBConnection,
  source: TypedSource,
  columns: readonly PlannedColumn[],
  error: unknown,
): Promise<LogoddsError> {
  try {
    for (const column of columns)
      if (!column.coded && column.column.kind === 'text') await refuseText(connection, source, column);
  } catch (found) {
    return found as LogoddsError;
  }
  return dataError(source.label, error);
}

/** @throws ERR_DATA when there are none */
export function refuseNoRows(label: string, rows: number): void {
  if (rows > 0) return;
  throw new LogoddsError(
    'ERR_DATA',
    `${label}: expected rows, got none (a header only, or an empty result); check how it was made`,
  );
}

/** @throws ERR_RECORD naming the first text that is not a number */
async function refuseText(
  connection: DuckDBConnection,
  source: TypedSource,
  { name: own, column }: PlannedColumn,
): Promise<void> {
  const numbered = `select row_number() over () - 1 as row, ${column.sql} as cell from ${source.relation}`;
  const sql = `select row, cell from (${numbered}) where cell is not null and try_cast(cell as double) is null limit 1`;
  const [found] = await rowsOf(connection, sql).catch(() => []);
  if (found)
    throw cellError(
      Number(found['row']),
      own,
      'a number',
      String(found['cell']),
      `correct the cell, or say --categorical ${own}`,
    );
}

/**
 * The levels of a coded column, sorted.
 * @param keys  its distinct cells as text
 * @param nul  throws for a text that contains NUL, which DuckDB's types cannot represent
 * @throws ERR_SCHEMA for none, ERR_TARGET for too many classes
 */
export async function levelsOf(
  source: TypedSource,
  { name: own, role, column }: PlannedColumn,
  keys: readonly string[],
  notes: Notes,
  nul: (key: string) => Promise<never> | never,
): Promise<string[]> {
  if (keys.length === 0) refuseEmpty(source.label, own);
  if (role === 'target') refuseManyClasses(own, keys.length);
  const broken = keys.find((key) => key.includes('\0'));
  if (broken !== undefined) await nul(broken);
  const levels = sortLabels(keys.map((value) => keyToLabel(value, column.kind === 'float')));
  if (column.kind === 'text') {
    const tokens = levels.filter((level) => level !== '' && source.reading.tokens.has(level));
    if (tokens.length > 0) notes.add(NOTE.tokens, `${own} (${tokens.join(', ')})`);
    noteLabels(own, levels, notes);
    if (role === 'target') noteNotation(own, levels, notes);
  }
  return levels;
}

/** A text that contains NUL. */
export const nulError = (row: number, column: string): LogoddsError =>
  cellError(row, column, 'text without a NUL character', 'a text with one', 'remove it with --query');
