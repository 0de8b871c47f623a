/** Training rows that DuckDB reads, taken into memory in one pass: levels are found on the way. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Column, LogoddsError, type Table } from '../../../src/index.ts';
import { startRows } from '../terminal/progress.ts';
import { Block, type CellPlan, codesFor, newDictionary } from './block.ts';
import type { Codes } from './codes.ts';
import { type Database, shareDone, streamChunks } from './database.ts';
import { cellText, textCells } from './levels.ts';
import { type Part, requirement } from './roles.ts';
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

/** Rows that are collected at a time, since nobody knows how many there are. */
const PART_ROWS = 131_072;

/** All rows of a source, with the columns of the parts. */
export interface OnceRead {
  readonly plans: readonly CellPlan[];
  readonly table: Table;
}

/** A whole number beyond 2⁵³ has no text of its own as a number of JavaScript. */
class Inexact extends Error {}

/**
 * Reads all rows of a source. Its query runs once, and twice if categories are whole numbers beyond 2⁵³.
 * @throws ERR_DATA, ERR_SCHEMA, ERR_TARGET, ERR_RECORD
 */
export async function readOnce(
  { connection }: Database,
  source: TypedSource,
  parts: readonly Part[],
): Promise<OnceRead> {
  const columns = planParts(source, parts);
  const read = async (exact: boolean) => {
    const plans = columns.map((column) => planOf(column, exact));
    return { plans, ...(await collect(connection, plans, source.relation)) };
  };
  const { plans, rows, columnParts, dictionaries } = await read(false)
    .catch((error) => {
      if (error instanceof Inexact) return read(true);
      throw error;
    })
    .catch(async (error) => {
      throw error instanceof LogoddsError ? error : await readError(connection, source, columns, error);
    });
  refuseNoRows(source.label, rows);
  const notes = new Notes();
  const joined: Column[] = [];
  for (const [k, column] of columns.entries()) {
    const dictionary = dictionaries[k];
    let levels: readonly string[] | null = dictionary?.levels ?? null;
    if (dictionary && isSorted(column))
      levels = await levelsOf(source, column, dictionary.levels, notes, (label) => {
        throw nulError(dictionary.rows[dictionary.levels.indexOf(label)], column.name);
      });
    // parts are let go column by column, so that only one column is there twice
    joined.push(join(columnParts[k].splice(0), rows, levels));
  }
  notes.say(source.reading.warn);
  return { plans, table: { rows, columns: joined } };
}

/** Whether the levels are those of the column, sorted; those that a schema or an order needs are as they occur. */
const isSorted = ({ coded, needs, read }: PlannedColumn): boolean => coded && !needs && read !== 'order';

/** @param exact  whole numbers are read as texts */
function planOf(part: PlannedColumn, exact: boolean): CellPlan {
  const { name, role, read, coded, needs, column } = part;
  const required = requirement(part);
  const sql = copied(part);
  if (!coded) return { name, levels: null, sql, required, least: role === 'weight' ? 0 : undefined };
  if (needs) return { name, levels: null, sql, label: textCells(sql, column.kind).label };
  if (read === 'order' || !isCountable(part)) {
    const label = read === 'order' ? (text: string) => text : textCells(sql, column.kind).label;
    return { name, levels: null, sql, label, required };
  }
  if (exact) return { name, levels: null, sql: cellText(sql, column.kind), label: (text) => text, required };
  return {
    name,
    levels: null,
    sql: `cast(${sql} as double)`,
    label: labelOfNumber(column.kind === 'boolean'),
    required,
  };
}

const labelOfNumber = (boolean: boolean) => (text: string) => {
  if (boolean) return text === '1' ? 'true' : 'false';
  if (!Number.isSafeInteger(Number(text))) throw new Inexact();
  return text;
};

async function collect(connection: DuckDBConnection, plans: readonly CellPlan[], relation: string) {
  const dictionaries = plans.map(newDictionary);
  const columnParts = plans.map((): Column[] => []);
  const phase = startRows('read');
  let block = new Block(plans, PART_ROWS, dictionaries);
  let first = 0;
  const keep = () => {
    for (const [k, column] of block.table().columns.entries()) columnParts[k].push(narrowed(column));
    first += block.rows;
    phase.update(first, shareDone(connection));
  };
  try {
    const sql = `select ${plans.map((cell) => cell.sql).join(', ')} from ${relation}`;
    for await (const chunk of streamChunks(connection, sql)) {
      if (block.rows + chunk.rowCount > PART_ROWS) {
        keep();
        block = new Block(plans, PART_ROWS, dictionaries);
      }
      block.append(chunk, first + block.rows);
    }
    keep();
  } finally {
    phase.end();
  }
  return { rows: first, columnParts, dictionaries };
}

/** The column, with codes of as few bytes as its levels so far need. */
function narrowed(column: Column): Column {
  if (column.kind === 'numeric') return column;
  const codes = codesFor(column.levels.length, column.codes.length);
  codes.set(column.codes);
  return { ...column, codes };
}

/** The parts of a column as one; codes become those of the levels in their order. */
function join(parts: readonly Column[], rows: number, levels: readonly string[] | null): Column {
  const { name } = parts[0];
  const missing = parts.some((part) => part.missing) ? new Uint8Array(rows) : null;
  const values = new Float64Array(levels ? 0 : rows);
  const codes = codesFor(levels ? levels.length + 1 : 0, levels ? rows : 0);
  let places: Uint32Array | null = null;
  let at = 0;
  for (const part of parts) {
    const length = part.kind === 'coded' ? part.codes.length : part.values.length;
    if (part.missing) missing!.set(part.missing, at);
    if (part.kind === 'numeric') values.set(part.values, at);
    else {
      places ??= placesOf(part.levels, levels!);
      recode(part.codes as Codes, places, codes.subarray(at, at + length));
    }
    at += length;
  }
  return levels ? { name, kind: 'coded', codes, levels, missing } : { name, kind: 'numeric', values, missing };
}

/** Where each of the levels is in another order of them. */
function placesOf(levels: readonly string[], order: readonly string[]): Uint32Array {
  const places = new Map(order.map((level, place) => [level, place]));
  return Uint32Array.from(levels, (level) => places.get(level)!);
}

function recode(codes: Codes, places: Uint32Array, into: Codes): void {
  for (let i = 0; i < codes.length; i++) into[i] = places[codes[i]];
}
