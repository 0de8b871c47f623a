/** Rows that a thread reads while this one uses those before them. */
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ErrorParts, LogoddsError, sliceTable, type Table } from '../../../src/index.ts';
import { discard, runFolder } from '../write/temporary.ts';
import { filesOf, formatOf } from './paths.ts';
import type { SourceOptions } from './source.ts';
import type { ReadColumns, UseShare } from './wanted.ts';

/** What the thread gets at its start. */
export interface ToReader {
  readonly data: SourceOptions;
  readonly columns: ReadColumns;
  /** a folder for DuckDB, which a signal removes */
  readonly spill: string;
}

/** An error on its way between threads; `error` is absent where it is none of ours. */
export interface SentError {
  readonly message: string;
  readonly error?: Pick<LogoddsError, 'code' | 'detail' | 'problems' | 'reason'>;
}

/** What the thread says. Levels that are those of the wanted column are null. */
export type FromReader =
  | { readonly table: Table; readonly own: readonly boolean[]; readonly firstRow: number; readonly share: number }
  | { readonly warn: string }
  | { readonly failure: SentError }
  | { readonly rows: number };

/** What it hears of each table: the error with which it was used, or null. */
export type ToldOfTable = SentError | null;

/** Bytes from which a second thread is worth its start, a twentieth of a second. */
const LARGE = { parquet: 2 ** 21, csv: 2 ** 24, jsonl: 2 ** 24 };

/** Whether DATA is files so large that a thread should read them. */
export function isApart({ data, query }: SourceOptions): boolean {
  const format = data === undefined || query !== undefined ? null : formatOf(data);
  // where Node runs under --permission, threads may be forbidden
  if (format === null || availableParallelism() === 1 || process.permission?.has('worker') === false) return false;
  const bytes = filesOf(data!).reduce((sum, file) => sum + statSync(file).size, 0);
  return bytes >= LARGE[format];
}

/** Blocks that are sent together: each message takes a tenth of a millisecond. */
const TOGETHER = 4;

/** The program stands beside the command; tests run the command from its sources. */
const PROGRAM = new URL(import.meta.url.endsWith('.ts') ? '../../dist/reader.js' : './reader.js', import.meta.url);

/** As `readRows`, in a thread. */
export async function readApart(data: SourceOptions, columns: ReadColumns, use: UseShare): Promise<number> {
  const { encoding, delimiter, quote, skip, decimal, thousands, na, data: path, query } = data;
  const options = { encoding, delimiter, quote, skip, decimal, thousands, na, data: path, query };
  const spill = runFolder();
  const { capacity } = columns;
  const start: ToReader = { data: options, columns: { ...columns, capacity: TOGETHER * capacity }, spill };
  const worker = new Worker(PROGRAM, { workerData: start, execArgv: [], name: 'logodds' });
  /** what went wrong here */
  let failed: unknown = null;
  const take = async ({ table, own, firstRow, share }: Extract<FromReader, { table: Table }>): Promise<void> => {
    let told: ToldOfTable = null;
    // of what was on its way when something went wrong nothing is used
    if (failed === null) {
      try {
        const whole = { rows: table.rows, columns: withLevels(table, own, columns) };
        for (let at = 0; at < table.rows; at += capacity)
          await use(sliceTable(whole, at, Math.min(table.rows, at + capacity)), firstRow + at, share);
      } catch (error) {
        failed = error;
        told = sentError(error);
      }
    }
    worker.postMessage(told);
  };
  try {
    return await new Promise<number>((resolve, reject) => {
      let end = (): void => reject(new Error('the thread that reads rows has ended'));
      let turn = Promise.resolve();
      worker.on('message', (message: FromReader) => {
        if ('table' in message) turn = turn.then(() => take(message));
        else if ('warn' in message) data.warn?.(message.warn);
        else if ('rows' in message) end = () => resolve(message.rows);
        else end = () => reject(isSame(message.failure, failed) ? failed : receivedError(message.failure));
      });
      worker.on('error', reject);
      worker.on('exit', () => end());
    });
  } finally {
    discard(spill);
  }
}

const withLevels = (table: Table, own: readonly boolean[], { wanted }: ReadColumns): Table['columns'] =>
  table.columns.map((column, j) =>
    column.kind === 'coded' && !own[j] ? { ...column, levels: wanted[j].levels! } : column,
  );

export function sentError(error: unknown): SentError {
  if (!(error instanceof LogoddsError)) return { message: error instanceof Error ? error.message : String(error) };
  const { message, code, detail, problems, reason } = error;
  return { message, error: { code, detail, problems, reason } };
}

export function receivedError({ message, error }: SentError): Error {
  if (!error) return new Error(message);
  const { code, detail, problems, reason } = error;
  const parts: ErrorParts = reason ? { problems, reason } : { problems };
  return new LogoddsError(code, message, parts, detail);
}

/** Whether the thread gives back the error that it was told of. */
const isSame = (sent: SentError, error: unknown): boolean =>
  error instanceof Error && sent.message === error.message && sent.error?.code === (error as LogoddsError).code;
