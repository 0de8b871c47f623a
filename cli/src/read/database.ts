import { totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { LogoddsError } from '../../../src/index.ts';
import { startPhase } from '../terminal/progress.ts';
import { brief, discard, reason, runFolder } from '../write/temporary.ts';
import { loadDuckDB, SEALED, text } from './sql.ts';

/** A DuckDB in memory that spills to its own folder. Closing it removes the folder. */
export interface Database {
  readonly connection: DuckDBConnection;
  /** a further connection, for a query while another one streams */
  connect(): Promise<DuckDBConnection>;
  close(): void;
}

/** Share of the memory of the machine (or container). The other half is for the rows themselves and the fit. */
const SHARE = 0.5;

/** Rows that a query may have ready, so that threads need not wait for each other. */
const AHEAD = '64MB';

const halfOfMemory = () => {
  const most = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return `${Math.floor((SHARE * Math.min(totalmem(), most)) / 1e6)}MB`;
};

/**
 * @param memoryLimit  memory that DuckDB may hold before it spills, e.g. "768MB"; when absent, half of the machine's, and a query may be
 * further ahead of its reader
 * @param threads  as many as there are processors when absent; each takes memory
 * @param spill  a folder for what it spills; of this run when absent
 */
export async function openDatabase(memoryLimit?: string, threads?: number, spill = runFolder()): Promise<Database> {
  const { DuckDBInstance } = await loadDuckDB();
  const instance = await DuckDBInstance.create(':memory:', {
    ...SEALED,
    temp_directory: spill,
    memory_limit: memoryLimit ?? halfOfMemory(),
    ...(threads && { threads: String(threads) }),
  });
  const connections = [await instance.connect()];
  await connections[0].run(
    `set enable_progress_bar = true; set enable_progress_bar_print = false; set progress_bar_time = 0${memoryLimit === undefined ? `; set streaming_buffer_size = '${AHEAD}'` : ''}`,
  );
  return {
    connection: connections[0]!,
    connect: async () => {
      connections.push(await instance.connect());
      return connections.at(-1)!;
    },
    close() {
      if (connections.length === 0) return;
      for (const connection of connections.splice(0)) connection.closeSync();
      instance.closeSync();
      discard(spill);
    },
  };
}

const locked = new WeakSet<DuckDBConnection>();

/**
 * Locks this database with all its connections: it reads only these files, writes only to the run's own folder, and no setting
 * changes. `openSource` calls it once, before it opens the first file.
 * @param files  paths of files, never patterns; DuckDB may also be given a pattern that matches just this file
 */
export async function lockTo(connection: DuckDBConnection, files: readonly string[]): Promise<void> {
  if (locked.has(connection)) return;
  locked.add(connection);
  const paths = files.map((file) => resolve(file)).flatMap((file) => [file, patternOf(file)]);
  const own = dirname(String((await rowsOf(connection, `select current_setting('temp_directory') as own`))[0]!['own']));
  await connection.run(
    `set allowed_paths = [${paths.map(text).join(', ')}]; set allowed_directories = [${text(own)}]; set enable_external_access = false; ${LOCK}`,
  );
}

const LOCK = 'set lock_configuration = true';

/** The pattern that only this file matches. DuckDB reads every path as a pattern, so it gets this instead of the path. */
export const patternOf = (file: string): string => resolve(file).replace(/[[*?]/g, '[$&]');

/** Functions that write files or run a statement given as text. */
const REFUSED = /"function_name":"(enable_logging|query|query_table|json_execute_serialized_sql)"/i;
const SUSPECT = /\b(enable_logging|json_execute_serialized_sql|query(?:_table)?(?="?\s*(?:\(|\/\*|--)))/i;

/**
 * Locks all settings. A query may read every file that its user can read.
 * @returns the query as a tree; null if it has none
 * @throws ERR_DATA a query that writes a file through a function, or runs a statement given as text
 */
export async function lockForQuery(connection: DuckDBConnection, sql: string): Promise<string | null> {
  const [{ tree }] = (await rowsOf(connection, `select json_serialize_sql(${text(sql)})::varchar as tree`)) as [
    { tree: string },
  ];
  // a query without a tree, such as PIVOT, is examined as text
  const found = tree.startsWith('{"error":true') ? SUSPECT.exec(sql) : REFUSED.exec(tree);
  if (found) {
    const what = 'expected a query that reads only';
    throw new LogoddsError('ERR_DATA', `--query: ${what}, got the function ${found[1]}; leave it out`);
  }
  await connection.run(LOCK);
  return tree.startsWith('{"error":true') ? null : tree;
}

/** Share of the running statement that is done, as DuckDB estimates it. */
export const shareDone = (connection: DuckDBConnection) => connection.progress.percentage / 100;

/** Runs a statement that may take long, with a bar of the progress that DuckDB reports. */
export async function runWithBar(connection: DuckDBConnection, label: string, sql: string): Promise<void> {
  const phase = startPhase(label, true);
  const timer = setInterval(() => phase.update(shareDone(connection)), 100);
  try {
    await connection.run(sql);
  } finally {
    clearInterval(timer);
    phase.end();
  }
}

export type Row = Record<string, unknown>;

/** All rows of a small result as plain objects; numbers beyond 2⁵³ as text. */
export async function rowsOf(connection: DuckDBConnection, sql: string): Promise<Row[]> {
  const reader = await connection.runAndReadAll(sql);
  return (await reader.getRowObjectsJson()) as Row[];
}

/** The chunks of a result as they arrive. While one is used, another thread fetches the next. */
export async function* streamChunks(connection: DuckDBConnection, sql: string): AsyncGenerator<DuckDBDataChunk> {
  const result = await connection.stream(sql);
  let next = result.fetchChunk();
  try {
    for (let chunk = await next; chunk && chunk.rowCount > 0; chunk = await next) {
      next = result.fetchChunk();
      yield chunk;
    }
  } finally {
    await next.catch(() => null);
  }
}

/** A row whose number of cells differs from the number of columns. */
export const unequal = (expected: string | number, got: string | number) => `expected ${expected} cells, got ${got}`;

/** An error of DuckDB as one ERR_DATA sentence, without its advice about SQL options. */
export function dataError(label: string, error: unknown): LogoddsError {
  if (error instanceof LogoddsError) return error;
  // a message may quote the file, so only its beginning is matched
  const message = (error instanceof Error ? error.message : String(error)).slice(0, 10_000);
  const line = /CSV Error on Line: (\d+)\r?\n(?:Original Line: [^\n]*\n)?(.+)/.exec(message);
  const cells = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message);
  const json = /(?:JSON transform error|Malformed JSON) in file "[^"]*", (?:at byte \d+ )?in line (\d+): ([^\n]+)/.exec(
    message,
  );
  const place = line ?? json;
  const what = place
    ? `line ${place[1]}: ${cells ? unequal(cells[1], cells[2]) : brief(place[2]!.trim())}`
    : reason(error).replace(/^(Invalid Input|IO) Error: /, '');
  // httpfs, postgres_scanner and the like are not included and not downloaded
  const extension = /requires the extension (\w+)|exists in the (\w+) extension/.exec(message);
  if (extension) {
    return new LogoddsError(
      'ERR_DATA',
      `${label}: expected files on this machine (CSV, TSV, JSON lines or Parquet), got a source that needs the extension ${extension[1] ?? extension[2]} of DuckDB; nothing is read from the network, from object stores or from other databases: download or export it first`,
      { cause: error },
    );
  }
  const code = /^Out of Memory/.test(message) ? 'ERR_MEMORY' : 'ERR_DATA';
  return new LogoddsError(code, `${label}: cannot be read: ${what}; correct it and run again`, { cause: error });
}
