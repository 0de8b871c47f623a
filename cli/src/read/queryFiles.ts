/** Text files that a query names become tables by the rules for files, so that DuckDB guesses nothing. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { LogoddsError, type Table } from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';
import { startRows } from '../terminal/progress.ts';
import { rowsOf } from './database.ts';
import { filesOf, formatOf } from './paths.ts';
import type { Part } from './roles.ts';
import { loadDuckDB, name } from './sql.ts';
import { type ColumnPlan, TableBuilder } from './text/builder.ts';
import type { Reading } from './text/options.ts';
import { planAny } from './text/planAny.ts';
import { type RecordUse, readColumns, Slots, scanning, sizeOf, type TextSource } from './text/source.ts';

/** Endings that make DuckDB read a table name as a text file. */
const TEXT = /\.(csv|tsv|json|jsonl|ndjson)(\.gz|\.zst)?$/i;
/** Functions that read text by guessing unless all options are given. */
const READERS = /^(read_csv|read_csv_auto|sniff_csv|read_json|read_json_auto|read_ndjson|read_ndjson_auto)$/i;
/** Rows of a chunk of DuckDB. */
const CHUNK_ROWS = 2048;

type Node = Readonly<Record<string, unknown>>;

/** Every object of a tree. */
function* nodes(tree: unknown): Generator<Node> {
  const open = [tree];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one !== 'object' || one === null) continue;
    if (!Array.isArray(one)) yield one as Node;
    open.push(...Object.values(one));
  }
}

/**
 * Creates a table with the name of each text file that a query reads; DuckDB then reads the table instead.
 * @param tree  of the query, from json_serialize_sql; null if it has none (PIVOT): quoted names are then searched
 * @throws ERR_DATA for functions that guess; the errors of reading
 */
export async function loadTextFiles(
  connection: DuckDBConnection,
  sql: string,
  tree: string | null,
  reading: Reading,
): Promise<void> {
  const files = new Set<string>();
  if (tree === null) {
    const call = /\b((?:read|sniff)_(?:csv|json|ndjson)(?:_auto)?)\s*\(/i.exec(sql);
    if (call) refuseReader(call[1]);
    for (const [, single, double] of sql.matchAll(/'((?:[^']|'')*)'|"((?:[^"]|"")*)"/g)) {
      const path = single?.replaceAll("''", "'") ?? double!.replaceAll('""', '"');
      if (TEXT.test(path)) files.add(path);
    }
  } else {
    for (const node of nodes(JSON.parse(tree))) {
      const { type, table_name: table, function_name: called, children } = node;
      if (type === 'BASE_TABLE' && TEXT.test(String(table))) files.add(String(table));
      if (type === 'FUNCTION' && READERS.test(String(called)) && !isTold(String(called), children as Node[]))
        refuseReader(String(called));
    }
  }
  for (const path of files) await loadTextFile(connection, path, reading);
}

/** Whether a reader guesses nothing: it has auto_detect = false or, for JSON, columns, which turn guessing off. */
function isTold(called: string, args: readonly Node[]): boolean {
  return args.some(({ left, right }) => {
    const option = String((left as Node | undefined)?.['column_names']).toLowerCase();
    if (option === 'columns' && /json/i.test(called)) return true;
    const named = option === 'auto_detect';
    const values = [...nodes(right)].flatMap(({ value }) =>
      typeof value === 'string' ? [value] : value === false ? ['f'] : [],
    );
    return named && values.some((value) => /^f(alse)?$/i.test(value));
  });
}

function refuseReader(called: string): never {
  throw new LogoddsError(
    'ERR_DATA',
    `--query: expected files of text by their names (from 'data.csv'), got ${called}(), which guesses types from a sample; name the file alone, or give it columns and auto_detect = false`,
  );
}

async function loadTextFile(connection: DuckDBConnection, path: string, reading: Reading): Promise<void> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path)) {
    throw new LogoddsError(
      'ERR_DATA',
      `--query: expected files, got the address ${show(path)}; download it first, nothing is read from the network`,
    );
  }
  const format = formatOf(path);
  if (format === null || format === 'parquet') {
    throw new LogoddsError(
      'ERR_DATA',
      `--query: expected files of text that end in .csv, .tsv, .jsonl or .ndjson (.gz too), got ${show(path)}; rename or unpack it`,
    );
  }
  const files = filesOf(path);
  const scanned = { label: path, typing: format, files, reading };
  const columns = (await readColumns(scanned, true)).map((own) => ({ name: own }));
  const source: TextSource = { ...scanned, columns, heard: new Set(), close() {} };
  const lower = columns.map((column) => column.name.toLowerCase());
  const twice = lower.findIndex((own, k) => lower.indexOf(own) < k);
  if (twice >= 0) {
    const pair = [columns[lower.indexOf(lower[twice])], columns[twice]].map((column) => show(column.name));
    throw new LogoddsError(
      'ERR_SCHEMA',
      `--query: expected column names that differ by more than case (SQL ignores case), got ${pair.join(' and ')} in ${path}; rename one, or name the file as DATA`,
    );
  }
  const parts = columns.map(
    (column): Part => ({ name: column.name, role: 'feature', read: 'infer', needs: null, gaps: 'keep' }),
  );
  const plans = await planAny(source, parts);
  const types = plans.map(({ plan }) => (plan.levels || plan.open ? 'varchar' : 'double'));
  const defined = columns.map((column, k) => `${name(column.name)} ${types[k]}`);
  await connection.run(`create temp table ${name(path)} (${defined.join(', ')})`);
  await append(
    connection,
    source,
    plans.map(({ plan }) => plan),
  );
  const whole = (column: string) => `bool_and(${column} = trunc(${column}) and abs(${column}) < 9007199254740992)`;
  for (const [k, { become }] of plans.entries()) {
    const own = name(columns[k].name);
    let sql = become;
    if (types[k] === 'double' && become === null) {
      const [found] = await rowsOf(connection, `select ${whole(own)} as yes from ${name(path)}`);
      sql = found['yes'] === true ? 'bigint using cast(@ as bigint)' : null;
    }
    if (sql !== null)
      await connection.run(`alter table ${name(path)} alter ${own} type ${sql.replaceAll('@', () => own)}`);
  }
}

/** Appends all rows of a file to the table of its name. */
async function append(connection: DuckDBConnection, source: TextSource, plans: readonly ColumnPlan[]): Promise<void> {
  const { DuckDBDataChunk, DOUBLE, VARCHAR } = await loadDuckDB();
  const appender = await connection.createAppender(source.label);
  const slots = new Slots(plans.map((plan) => plan.name));
  const builder = new TableBuilder(plans, CHUNK_ROWS, source.reading, (_row, line, column, rule, value) => {
    throw new LogoddsError(
      'ERR_RECORD',
      `${source.label}, line ${line}, column ${show(column)}: expected ${rule}, got ${show(value)}; correct the cell`,
    );
  });
  const types = plans.map(({ levels, open }) => (levels || open ? VARCHAR : DOUBLE));
  const flush = () => {
    if (builder.rows === 0) return;
    const chunk = DuckDBDataChunk.create(types, builder.rows);
    fill(chunk as unknown as Chunk, builder.table());
    appender.appendDataChunk(chunk);
    builder.clear();
  };
  const phase = startRows('load');
  const size = sizeOf(source);
  let row = 0;
  const use: RecordUse = (record, file) => {
    if (builder.rows === builder.capacity) flush();
    builder.add(record, slots.of(file), row++);
  };
  try {
    for await (const bytes of scanning(source, use)) phase.update(row, bytes / size);
    flush();
    appender.flushSync();
  } finally {
    phase.end();
    appender.closeSync();
  }
}

interface Vector {
  readonly items: Float64Array;
  setItem(row: number, value: string | number | null): void;
  flush(): void;
}

interface Chunk {
  getColumnVector(column: number): Vector;
}

function fill(chunk: Chunk, { rows, columns }: Table): void {
  columns.forEach((column, k) => {
    const vector = chunk.getColumnVector(k);
    const { missing } = column;
    if (column.kind === 'numeric') vector.items.set(column.values.subarray(0, rows));
    for (let i = 0; i < rows; i++) {
      if (missing?.[i]) vector.setItem(i, null);
      else if (column.kind === 'coded') vector.setItem(i, column.levels[column.codes[i]]);
    }
    vector.flush();
  });
}
