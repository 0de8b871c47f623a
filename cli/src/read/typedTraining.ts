/** Training rows that DuckDB reads. They are copied once into a table, so that a query runs once. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Table } from '../../../src/index.ts';
import { cellError } from '../../../src/internal.ts';
import { startRows } from '../terminal/progress.ts';
import { Block, type CellPlan } from './block.ts';
import { levelCodes } from './codes.ts';
import { type Database, rowsOf, runWithBar, streamChunks } from './database.ts';
import { cellText, createLevelType, levelKeys, textCells } from './levels.ts';
import { MOST_CLASSES, type Part, requirement, type Unreadable } from './roles.ts';
import { Notes } from './text/judge.ts';
import type { TypedSource } from './typed.ts';
import {
  copied,
  isCountable,
  levelsOf,
  nulError,
  type PlannedColumn,
  planParts,
  readError,
  refuseNoRows,
} from './typedColumns.ts';

/** A callback between chunks; it receives their number of rows. */
export type Pause = (rows: number) => Promise<void> | undefined;

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
  let columns = planParts(source, parts, unreadable);
  const list = columns.map((column) => `${copied(column)} as ${column.alias}`);
  const sql = `create temp table training as select ${list.join(', ')} from ${source.relation}`;
  await runWithBar(connection, 'load', sql).catch(async (error) => {
    throw await readError(connection, source, columns, error);
  });
  const rows = Number((await rowsOf(connection, 'select count(*) as n from training'))[0]['n']);
  refuseNoRows(source.label, rows);
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
  const levels = await levelsOf(source, part, keys, notes, () => refuseNul(connection, alias, own));
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
async function refuseNul(connection: DuckDBConnection, alias: string, column: string): Promise<never> {
  const numbered = `select row_number() over () - 1 as row, ${alias} as cell from training`;
  const [found] = await rowsOf(connection, `select row from (${numbered}) where contains(cell, chr(0)) limit 1`);
  throw nulError(Number(found?.['row'] ?? 0), column);
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
