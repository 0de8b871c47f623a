import { createWriteStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LogoddsError } from '../../../src/index.ts';
import { arrived } from '../stores/arrivals.ts';
import { discard, runFolder } from '../write/temporary.ts';
import { type Database, lockTo, openDatabase } from './database.ts';
import { footerArrived } from './parquet/footer.ts';
import { filesOf, requireFormat } from './paths.ts';
import { type Reading, type ReadOptions, readingOf } from './text/options.ts';
import { readColumns, type TextSource } from './text/source.ts';
import { openParquet, openQuery, type TypedSource } from './typed.ts';

export type { CellKind } from '../../../src/text.ts';
export { nearest, requireColumns, shorten } from './names.ts';
export type { SourceColumn, TypedSource } from './typed.ts';
export type { TextSource };

/** The source of rows: text files, or Parquet files and queries that DuckDB reads. */
export type Source = TextSource | TypedSource;

export const isText = (source: Source): source is TextSource => source.typing !== 'typed';

/** The options about DATA. */
export interface SourceOptions extends ReadOptions {
  readonly data?: string;
  readonly query?: string;
}

/**
 * Opens DATA: a file, a pattern, "-" for CSV on standard input, or a query.
 * @param database  opened when it is needed; text files do not need it
 * @param thorough  for JSON lines, find the fields of all records, not only of the first ones
 * @param isCheck  true: its columns are asked for, and no rows will be
 * @throws ERR_DATA missing, empty or unreadable files; ERR_SCHEMA duplicate column names
 */
export async function openSource(
  database: () => Promise<Database>,
  options: SourceOptions,
  thorough = true,
  isCheck = false,
): Promise<Source> {
  const reading = readingOf(options);
  if (options.query !== undefined) return openQuery((await database()).connection, options.query, reading);
  if (options.data === '-') return openStandardInput(reading);
  const path = options.data!;
  const format = requireFormat(path);
  const files = filesOf(path);
  if (format === 'parquet') {
    await Promise.all(files.map(isCheck ? footerArrived : (file) => arrived(file)));
    const { connection } = await database();
    await lockTo(connection, files);
    return openParquet(connection, path, files, reading);
  }
  return openText(path, files, format, reading, thorough);
}

async function openText(
  label: string,
  files: readonly string[],
  typing: TextSource['typing'],
  reading: Reading,
  thorough: boolean,
  close = () => {},
): Promise<TextSource> {
  const source = { label, typing, files, reading };
  const columns = (await readColumns(source, thorough)).map((name) => ({ name }));
  if (columns.length === 0) {
    throw new LogoddsError('ERR_DATA', `${label}: expected rows, got nothing but empty lines; check how it was made`);
  }
  return { ...source, columns, heard: new Set(), close };
}

/** Spools standard input to a file, because it is read twice: once to judge its columns, once for its rows. */
async function openStandardInput(reading: Reading): Promise<TextSource> {
  const folder = runFolder();
  const file = join(folder, 'stdin.csv');
  try {
    await pipeline(process.stdin, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
    if (statSync(file).size === 0)
      throw new LogoddsError(
        'ERR_DATA',
        'standard input: expected CSV, got nothing; check the command before the pipe',
      );
    return await openText('standard input', [file], 'csv', reading, true, () => discard(folder));
  } catch (error) {
    discard(folder);
    throw error;
  }
}

/** A database that is opened once, at its first use. */
export function lazyDatabase(...args: Parameters<typeof openDatabase>) {
  let opened: Promise<Database> | null = null;
  return {
    get: () => {
      opened ??= openDatabase(...args);
      return opened;
    },
    async close() {
      (await opened)?.close();
    },
  };
}
