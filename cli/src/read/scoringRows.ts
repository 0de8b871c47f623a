/** Rows of DATA for a model, or for columns of no model: read in this thread. */
import { LogoddsError, type Table } from '../../../src/index.ts';
import { cellError, list, show } from '../../../src/internal.ts';
import { asNumbers, sameMeaning } from '../../../src/text.ts';
import { Block, type CellPlan } from './block.ts';
import { levelCodes, meanings } from './codes.ts';
import { type Database, dataError, rowsOf, shareDone, streamChunks } from './database.ts';
import { cellText, codedSql, createLevelType, levelKeys, spell, spellingOf, textCells } from './levels.ts';
import type { ParquetRows } from './parquet/rows.ts';
import { filesOf, requireFormat } from './paths.ts';
import { withPlace } from './place.ts';
import { FILL } from './roles.ts';
import { streamText } from './scoringText.ts';
import {
  isText,
  lazyDatabase,
  openSource,
  type Source,
  type SourceColumn,
  type SourceOptions,
  type TypedSource,
} from './source.ts';
import { NOTE } from './text/judge.ts';
import { readingOf } from './text/options.ts';
import { type ReadColumns, refuseAbsent, requirement, sayExtra, type UseShare, type Wanted } from './wanted.ts';

/** DuckDB spills beyond this, so that the whole process stays well under 1 GiB whatever the size of the input. */
const MEMORY_LIMIT = '512MB';

/** How rows are read. */
export interface ReadHow {
  /** false: our scanners read all rows of text, and DuckDB all of Parquet, for tests */
  readonly isAhead?: boolean;
  /** true: columns and their types are checked, and no rows are read; of JSON lines nothing is known before its rows */
  readonly isCheck?: boolean;
}

/**
 * Reads some columns of DATA, in this thread.
 * @param use  called with each block in order, and the share of DATA that is read; the table is valid during the call
 * @returns rows read
 * @throws as `streamTable`
 */
export async function readRows(
  data: SourceOptions,
  columns: ReadColumns,
  use: UseShare,
  { isAhead = true, isCheck = false }: ReadHow = {},
): Promise<number> {
  const ahead = isAhead ? await openAhead(data, columns) : null;
  if (isCheck && ahead) {
    ahead.close();
    return 0;
  }
  const first = ahead ? await ahead.stream(use) : 0;
  if (first === ahead?.rows) return first;
  const database = lazyDatabase(MEMORY_LIMIT);
  let source: Source | null = null;
  try {
    // what is to say of the columns has been said
    source = await openSource(database.get, ahead ? { ...data, warn: undefined } : data, false, isCheck);
    if (isCheck) {
      await checkColumns(await (isText(source) ? null : database.get()), source, columns);
      return 0;
    }
    const rows = isText(source)
      ? await streamText(source, columns, use, isAhead)
      : await streamTyped(await database.get(), source, columns, use, first);
    if (rows === 0)
      throw new LogoddsError(
        'ERR_DATA',
        `${source.label}: expected rows, got none (a header only, or an empty result); check how it was made`,
      );
    return rows;
  } catch (error) {
    throw source && isText(source) ? await withPlace(source, error) : error;
  } finally {
    source?.close();
    await database.close();
  }
}

/** Checks columns and types before any rows. @param database  of a source that is no text */
async function checkColumns(database: Database | null, source: Source, { wanted, known }: ReadColumns): Promise<void> {
  const names = source.columns.map(({ name }) => name);
  // a field of JSON lines may come late
  if (source.typing === 'jsonl') return;
  refuseAbsent(source.label, names, wanted, known !== null);
  if (isText(source)) return;
  for (const one of wanted)
    await planCells(database!, source, asRead(source, one), source.columns.find(({ name }) => name === one.name)!);
}

/** Columns with levels that are numbers, read as numbers. */
function asRead(source: TypedSource, one: Wanted): Wanted {
  const column = source.columns.find(({ name }) => name === one.name)!;
  const isNumber = !one.levels || (one.needs && asNumbers(one.needs, column));
  return isNumber ? { ...one, levels: null, needs: undefined } : one;
}

/** The rows of Parquet files that are read without DuckDB; null: DATA is something else, or left to DuckDB. */
async function openAhead(data: SourceOptions, columns: ReadColumns): Promise<ParquetRows | null> {
  const { data: path, query } = data;
  if (query !== undefined || path === undefined || path === '-') return null;
  const reading = readingOf(data);
  if (requireFormat(path) !== 'parquet') return null;
  const files = filesOf(path);
  const { ParquetRows } = await import('./parquet/rows.ts');
  return ParquetRows.open(files, columns, reading);
}

/** @param start  rows that were used before */
async function streamTyped(
  database: Database,
  source: TypedSource,
  { wanted, known, capacity }: ReadColumns,
  use: UseShare,
  start: number,
): Promise<number> {
  const names = source.columns.map(({ name }) => name);
  refuseAbsent(source.label, names, wanted, known !== null);
  sayExtra(source, names, known, wanted);
  const columnOf = (one: Wanted) => source.columns.find((column) => column.name === one.name)!;
  const plans: CellPlan[] = [];
  for (const one of wanted) plans.push(await planCells(database, source, asRead(source, one), columnOf(one)));
  const from = source.relation;
  const block = new Block(plans, capacity);
  let firstRow = start;
  const flush = async () => {
    const table = block.table();
    await refuseUnseen(database, source, wanted, plans, table, firstRow);
    await use(table, firstRow, shareDone(database.connection));
    firstRow += block.rows;
    block.clear();
  };
  try {
    // No column at all (a model of the intercept alone) still has rows.
    const sql = `select ${plans.map((cell) => cell.sql).join(', ') || '1'} from ${from}${start > 0 ? ` offset ${start}` : ''}`;
    for await (const chunk of streamChunks(database.connection, sql)) {
      if (block.rows + chunk.rowCount > block.capacity) await flush();
      block.append(chunk, firstRow + block.rows);
    }
    if (block.rows > 0) await flush();
    return firstRow;
  } catch (error) {
    throw dataError(source.label, error);
  }
}

async function planCells(
  database: Database,
  { label, reading }: TypedSource,
  one: Wanted,
  column: SourceColumn,
): Promise<CellPlan> {
  const required = requirement(one.role);
  const wrongType = (rule: string) =>
    new LogoddsError(
      'ERR_SCHEMA',
      `${label}, column ${show(one.name)}: expected ${rule}, got ${column.type}; convert it with --query`,
      { problems: [{ field: one.name, rule }] },
    );
  const { sql: cell, kind } = column;
  if (one.levels === null) {
    if (!['integer', 'float', 'boolean'].includes(kind)) throw wrongType('numbers (as in training)');
    return {
      name: one.name,
      levels: null,
      sql: `cast(${cell} as double)`,
      required,
      least: one.role === 'weight' ? 0 : undefined,
    };
  }
  if (kind === 'list' && !one.needs) throw wrongType('text, numbers or booleans');
  if (kind === 'other' && (one.needs || !/^(TIME|UUID|INTERVAL)/.test(column.type)))
    throw wrongType('text, numbers or booleans');
  if (one.needs) return { name: one.name, levels: null, ...textCells(cell, kind) };
  const spelling = kind === 'text' ? spellingOf(one.levels) : 'plain';
  const alike = sameMeaning(one.levels);
  const pairs = meanings(one.levels, alike).map(([word, level]) => `when '${word}' then ${sqlText(level)}`);
  if (pairs.length > 0 && (kind === 'boolean' || kind === 'integer'))
    reading.warn(`${NOTE.meaning}: ${one.name} (${column.type} as ${list(one.levels)})`);
  const codes = spelling === 'plain' ? levelCodes(one.levels, kind, alike) : null;
  if (codes) return { name: one.name, levels: one.levels, codes, sql: codedSql(codes, cell, kind), required };
  const type = await createLevelType(
    database.connection,
    await levelKeys(database.connection, one.levels, kind, spelling),
  );
  let key = spell(cellText(cell, kind), spelling);
  if (pairs.length > 0 && (kind === 'integer' || kind === 'text')) {
    const known = one.levels.map(sqlText).join(', ');
    const own = key;
    key = `case when ${own} in (${known}) then ${own} else coalesce(case lower(${own}) ${pairs.join(' ')} end, ${own}) end`;
  }
  return { name: one.name, levels: one.levels, sql: type.code(key), required };
}

const sqlText = (value: string) => `'${value.replaceAll("'", "''")}'`;

/** If unseen categories are errors, finds the first one and quotes its value. @throws ERR_RECORD */
async function refuseUnseen(
  database: Database,
  source: TypedSource,
  wanted: readonly Wanted[],
  plans: readonly CellPlan[],
  table: Table,
  firstRow: number,
): Promise<void> {
  for (const [index, { name: column, unseen, levels, role, needs }] of wanted.entries()) {
    const cells = table.columns[index];
    // the encoder names a value that is in a dictionary
    if (unseen !== 'error' || needs || cells.kind !== 'coded' || levels === null) continue;
    const at = cells.codes.findIndex((code, row) => code >= levels.length && !cells.missing?.[row]);
    if (at < 0) continue;
    const { sql } = source.columns.find((one) => one.name === column)!;
    const values = `select ${sql} as cell from ${source.relation} limit 1 offset ${firstRow + at}`;
    const [found] = await rowsOf(await database.connect(), values);
    const rule = role === 'target' ? `a class of the model (${list(levels)})` : 'a category seen in training';
    const next = role === 'target' ? FILL : 'correct it, or train with --unseen slot';
    throw cellError(firstRow + at, plans[index].name, rule, found?.['cell'], next);
  }
}
