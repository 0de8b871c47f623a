/** Training rows that DuckDB reads. They are copied once into a table, so that a query runs once. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { LogoddsError, type Table } from '../../../src/index.ts';
import { cellError, show } from '../../../src/internal.ts';
import { sortLabels } from '../../../src/kernels.ts';
import { asNumbers } from '../../../src/text.ts';
import { startRows } from '../terminal/progress.ts';
import { Block, type CellPlan } from './block.ts';
import { levelCodes } from './codes.ts';
import { type Database, dataError, rowsOf, runWithBar, streamChunks } from './database.ts';
import { cellText, createLevelType, keyToLabel, levelKeys, textCells } from './levels.ts';
import { MOST_CLASSES, type Part, refuseEmpty, refuseManyClasses, requirement, type Unreadable } from './roles.ts';
import { NOTE, Notes, noteLabels, noteNotation } from './text/judge.ts';
import { isNameable, type SourceColumn, type TypedSource } from './typed.ts';

/** A callback between chunks; it receives their number of rows. */
export type Pause = (rows: number) => Promise<void> | undefined;

interface PlannedColumn extends Part {
  readonly coded: boolean;
  readonly column: SourceColumn;
  /** column of the table `training` */
  readonly alias: string;
}

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
const isCountable = ({ coded, needs, column }: PlannedColumn): boolean =>
  coded && !needs && (column.kind === 'integer' || column.kind === 'boolean');

/** The form in which a column is copied: numbers as DOUBLE, categories as text or as they are, an order as milliseconds. */
function copied(part: PlannedColumn): string {
  const { read, coded, column } = part;
  const { sql, kind, type } = column;
  if (read === 'order' && kind === 'date') {
    const instant = type === 'DATE' ? `cast(${sql} as timestamp)` : sql;
    return `epoch_us(${instant}) / 1000.0`;
  }
  if (isCountable(part)) return sql;
  return coded ? cellText(sql, kind) : `cast(${sql} as double)`;
}

/** The rows in DuckDB, and how to read them. */
export interface TypedRows {
  /** the columns that are read: all, or those that could be */
  readonly parts: readonly Part[];
  /** of each part, in order */
  readonly plans: readonly CellPlan[];
  readonly rows: number;
}

/** `create table training`: one row per row of the source, in order. */
export async function copyTyped(
  { connection }: Database,
  source: TypedSource,
  parts: readonly Part[],
  unreadable?: Unreadable,
): Promise<TypedRows> {
  const byName = new Map(source.columns.map((column) => [column.name, column]));
  let columns = parts.flatMap((part, i) => {
    try {
      return [planPart(source, part, byName.get(part.name)!, `c${i}`)];
    } catch (error) {
      if (unreadable?.(part, error)) return [];
      throw error;
    }
  });
  const list = columns.map((column) => `${copied(column)} as ${column.alias}`);
  const sql = `create temp table training as select ${list.join(', ')} from ${source.relation}`;
  await runWithBar(connection, 'load', sql).catch(async (error) => {
    for (const column of columns)
      if (!column.coded && column.column.kind === 'text') await refuseText(connection, source, column);
    throw dataError(source.label, error);
  });
  const rows = Number((await rowsOf(connection, 'select count(*) as n from training'))[0]['n']);
  if (rows === 0)
    throw new LogoddsError(
      'ERR_DATA',
      `${source.label}: expected rows, got none (a header only, or an empty result); check how it was made`,
    );
  const notes = new Notes();
  const plans: CellPlan[] = [];
  for (const column of columns) {
    try {
      if (unreadable) await refuseNoNumbers(connection, column);
      plans.push(await planCells(connection, source, column, notes));
    } catch (error) {
      if (!unreadable?.(column, error)) throw error;
      columns = columns.filter((one) => one !== column);
    }
  }
  notes.say(source.reading.warn);
  return { parts: columns.map(({ alias }) => parts[Number(alias.slice(1))]), plans, rows };
}

/** @throws ERR_RECORD for NaN and Infinity, with the number of such cells; not needed for a reading that ends at the first one */
async function refuseNoNumbers(
  connection: DuckDBConnection,
  { alias, coded, name: own }: PlannedColumn,
): Promise<void> {
  if (coded) return;
  const numbered = `select row_number() over () - 1 as row, ${alias} as cell from training`;
  const sql = `select count(*) as n, min(row) as row, arg_min(cell, row)::varchar as cell from (${numbered}) where not isfinite(cell)`;
  const [found] = await rowsOf(connection, sql);
  const cells = Number(found['n']);
  if (cells === 0) return;
  const value = Number(String(found['cell']).replace('inf', 'Infinity').replace('nan', 'NaN'));
  const next = 'correct it, or leave the cell empty if the value is missing (--na NaN reads NaN as missing)';
  throw Object.assign(cellError(Number(found['row']), own, 'a finite number', value, next), { cells });
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

/** Levels of a coded column, and the SQL that makes its codes. */
async function planCells(
  connection: DuckDBConnection,
  source: TypedSource,
  part: PlannedColumn,
  notes: Notes,
): Promise<CellPlan> {
  const { name: own, alias, role, read, coded, needs, column } = part;
  const required = requirement(part);
  if (read === 'order') {
    const label = coded ? (text: string) => text : undefined;
    return { name: own, levels: null, label, sql: alias, required };
  }
  if (!coded) return { name: own, levels: null, sql: alias, required, least: role === 'weight' ? 0 : undefined };
  if (needs) return { name: own, levels: null, label: textCells(alias, column.kind).label, sql: alias };
  const limit = role === 'target' ? ` limit ${MOST_CLASSES + 1}` : '';
  const countable = isCountable(part);
  const distinct = `select distinct ${alias} as key from training where ${alias} is not null${limit}`;
  const label = countable ? cellText('key', column.kind) : 'key';
  const keys = (await rowsOf(connection, `select ${label} as key from (${distinct})`)).map((row) => String(row['key']));
  if (keys.length === 0) refuseEmpty(source.label, own);
  if (role === 'target') refuseManyClasses(own, keys.length);
  const nul = keys.find((key) => key.includes('\0'));
  if (nul !== undefined) await refuseNul(connection, alias, own);
  const levels = sortLabels(keys.map((value) => keyToLabel(value, column.kind === 'float')));
  if (column.kind === 'text') {
    const tokens = levels.filter((level) => level !== '' && source.reading.tokens.has(level));
    if (tokens.length > 0) notes.add(NOTE.tokens, `${own} (${tokens.join(', ')})`);
    noteLabels(own, levels, notes);
    if (role === 'target') noteNotation(own, levels, notes);
  }
  const exact =
    countable && (column.kind === 'boolean' || levels.every((level) => Number.isSafeInteger(Number(level))));
  const byNumber = exact ? levelCodes(levels, column.kind) : null;
  if (byNumber) return { name: own, levels, codes: byNumber, sql: `cast(${alias} as double)`, required };
  // elsewhere cells have their texts, dates included
  const cell = countable ? cellText(alias, column.kind) : alias;
  const codes = column.kind === 'float' ? null : levelCodes(levels, 'text');
  if (codes) return { name: own, levels, codes, sql: cell, required };
  const type = await createLevelType(connection, await levelKeys(connection, levels, column.kind, 'plain'));
  return { name: own, levels, sql: type.code(cell), required };
}

/** @throws ERR_RECORD for the first text that contains NUL, which DuckDB's types cannot represent */
async function refuseNul(connection: DuckDBConnection, alias: string, column: string): Promise<void> {
  const numbered = `select row_number() over () - 1 as row, ${alias} as cell from training`;
  const [found] = await rowsOf(connection, `select row from (${numbered}) where contains(cell, chr(0)) limit 1`);
  throw cellError(
    Number(found?.['row'] ?? 0),
    column,
    'text without a NUL character',
    'a text with one',
    'remove it with --query',
  );
}

/**
 * Reads columns of the table `training` in parts, in the order of the rows.
 * @param rows  how many there are
 * @param most  of a part; at least those of a chunk of DuckDB (2048), or all
 * @param pause  called after every chunk
 * @returns tables whose cells hold until the next one
 */
export async function* typedParts(
  connection: DuckDBConnection,
  plans: readonly CellPlan[],
  rows: number,
  most: number,
  pause?: Pause,
): AsyncGenerator<Table> {
  const block = new Block(plans, most);
  const phase = startRows('read');
  let first = 0;
  try {
    const sql = `select ${plans.map((cell) => cell.sql).join(', ')} from training`;
    for await (const chunk of streamChunks(connection, sql)) {
      if (block.rows + chunk.rowCount > most) {
        yield block.table();
        first += block.rows;
        block.clear();
      }
      block.append(chunk, first + block.rows);
      phase.update(first + block.rows, (first + block.rows) / rows);
      await pause?.(chunk.rowCount);
    }
    yield block.table();
  } finally {
    phase.end();
  }
}
