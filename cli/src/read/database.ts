import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { LogoddsError } from '../../../src/index.ts';
import { startPhase } from '../terminal/progress.ts';
import { discard, reason, runFolder } from '../write/temporary.ts';

/** A DuckDB in memory that spills to a folder of its own, gone when it is closed. */
export interface Database {
  readonly connection: DuckDBConnection;
  /** a further connection, for a query while another one streams */
  connect(): Promise<DuckDBConnection>;
  close(): void;
}

/** DuckDB is loaded when it is first needed: help and `inspect` start without it. */
export const loadDuckDB = () => import('@duckdb/node-api');

/**
 * @param memoryLimit  what DuckDB may hold before it spills, e.g. "768MB"; its own default when absent
 * @param threads  as many as there are processors when absent; each takes memory
 */
export async function openDatabase(memoryLimit?: string, threads?: number): Promise<Database> {
  const spill = runFolder();
  const limit: Record<string, string> = {
    ...(memoryLimit && { memory_limit: memoryLimit }),
    ...(threads && { threads: String(threads) }),
  };
  const { DuckDBInstance } = await loadDuckDB();
  const instance = await DuckDBInstance.create(':memory:', { temp_directory: spill, ...limit });
  const connections = [await instance.connect()];
  await connections[0].run(
    'set enable_progress_bar = true; set enable_progress_bar_print = false; set progress_bar_time = 0',
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

/** Share of the running statement that is done, as DuckDB estimates it. */
export const shareDone = (connection: DuckDBConnection) => connection.progress.percentage / 100;

/** Runs a statement that may take long, with a bar of what DuckDB says of its progress. */
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

/** The chunks of a result as it comes; the next one is fetched on another thread while one is used. */
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

/** A name as SQL quotes it. */
export const name = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** A text as SQL quotes it. */
export const text = (value: string) => `'${value.replaceAll("'", "''")}'`;

/** A row that has not as many cells as there are columns. */
export const unequal = (expected: string | number, got: string | number) => `expected ${expected} cells, got ${got}`;

/** What DuckDB says, as one ERR_DATA sentence without its advice about SQL options. */
export function dataError(label: string, error: unknown): LogoddsError {
  if (error instanceof LogoddsError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const line = /CSV Error on Line: (\d+)\r?\n(?:Original Line: [^\n]*\n)?(.+)/.exec(message);
  const cells = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message);
  const json = /(?:JSON transform error|Malformed JSON) in file "[^"]*", (?:at byte \d+ )?in line (\d+): ([^\n]+)/.exec(
    message,
  );
  const place = line ?? json;
  const what = place
    ? `line ${place[1]}: ${cells ? unequal(cells[1], cells[2]) : place[2]!.trim()}`
    : reason(error).replace(/^(Invalid Input|IO) Error: /, '');
  const code = /^Out of Memory/.test(message) ? 'ERR_MEMORY' : 'ERR_DATA';
  return new LogoddsError(code, `${label}: cannot be read: ${what.replace(/[.\s]+$/, '')}; correct it and run again`, {
    cause: error,
  });
}
