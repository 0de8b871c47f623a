import { closeSync, createWriteStream, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, gunzipSync } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { show } from '../../../src/encode/label.ts';
import { nearest } from '../../../src/encode/names.ts';
import { LogoddsError } from '../../../src/index.ts';
import { discard, runFolder } from '../write/temporary.ts';
import { dataError, lockForQuery, lockTo, name, rowsOf, text } from './database.ts';

/** How a cell is stored, as far as reading features goes; a date or list is one by a schema only, `other` (structs, blobs) never. */
export type CellKind = 'integer' | 'float' | 'boolean' | 'text' | 'json' | 'date' | 'list' | 'other';

export interface SourceColumn {
  readonly name: string;
  /** DuckDB's type */
  readonly type: string;
  readonly kind: CellKind;
}

/** Where rows come from: files of one format, or a query. */
export interface Source {
  /** for messages: a path, "standard input" or "query" */
  readonly label: string;
  readonly columns: readonly SourceColumn[];
  /** csv and jsonl: types were guessed from a sample and can be set with `relation(types)`; typed: they are what they are */
  readonly typing: 'csv' | 'jsonl' | 'typed';
  /** The rows as an SQL table expression. `types` (column → DuckDB type) counts for csv and jsonl; jsonl then has these columns only. */
  relation(types?: Readonly<Record<string, string>>): string;
  /** removes what was spooled */
  close(): void;
}

/** What the command line says about DATA. */
export interface DataOptions {
  readonly data?: string;
  readonly query?: string;
}

const KINDS: readonly (readonly [RegExp, CellKind])[] = [
  [/^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/, 'integer'],
  [/^(FLOAT|DOUBLE|DECIMAL\(.*\))$/, 'float'],
  [/^BOOLEAN$/, 'boolean'],
  [/^(VARCHAR|ENUM\(.*\))$/s, 'text'],
  [/^JSON$/, 'json'],
  [/^(DATE|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?)$/, 'date'],
  [/\[\d*\]$/, 'list'],
];

const kindOf = (type: string): CellKind => KINDS.find(([pattern]) => pattern.test(type))?.[1] ?? 'other';

/** Formats by the ending of the path. */
const FORMATS: readonly (readonly [RegExp, 'csv' | 'parquet' | 'jsonl'])[] = [
  [/\.(csv|tsv)(\.gz)?$/i, 'csv'],
  [/\.parquet$/i, 'parquet'],
  [/\.(jsonl|ndjson)(\.gz)?$/i, 'jsonl'],
];

/**
 * Opens DATA: a file, a glob, "-" for CSV on standard input, or a query.
 * @param thorough  jsonl only: learn the columns from every line, not from a sample
 * @throws ERR_DATA missing, empty or unreadable files; ERR_SCHEMA duplicate column names
 */
export async function openSource(connection: DuckDBConnection, options: DataOptions, thorough = true): Promise<Source> {
  if (options.query !== undefined) return openQuery(connection, options.query);
  if (options.data === '-') return openStandardInput(connection);
  const path = options.data!;
  const format = FORMATS.find(([pattern]) => pattern.test(path))?.[1];
  if (/\.(arrow|feather|ipc)$/i.test(path)) {
    throw new LogoddsError(
      'ERR_DATA',
      `${path}: expected CSV, TSV, Parquet or JSON lines, got Arrow; save the table as Parquet and use that`,
    );
  }
  if (!format) {
    const rule = 'a path that ends in .csv, .tsv, .parquet, .jsonl or .ndjson';
    throw new LogoddsError(
      'ERR_DATA',
      `DATA: expected ${rule}, got ${show(path)}; rename it, or read it with --query "from ..."`,
    );
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path) && !existsSync(path)) {
    throw new LogoddsError(
      'ERR_DATA',
      `DATA: expected a file, got the address ${show(path)}; download it first, nothing is read from the network`,
    );
  }
  const files = await filesOf(connection, path);
  await lockTo(connection, files);
  if (format === 'csv') return openCsv(connection, path, files);
  const list = `[${files.map(text).join(', ')}]`;
  if (format === 'parquet') return openTyped(connection, path, `read_parquet(${list})`);
  const sample = thorough ? ', sample_size=-1' : '';
  const json = (types?: Readonly<Record<string, string>>) =>
    `read_json(${list}, format='newline_delimited'${types ? `, columns=${struct(types)}` : sample})`;
  const columns = await describe(connection, path, json());
  return { label: path, columns, typing: 'jsonl', relation: json, close() {} };
}

const struct = (types: Readonly<Record<string, string>>) =>
  `{${Object.entries(types)
    .map(([column, type]) => `${text(column)}: ${text(type)}`)
    .join(', ')}}`;

/** The files behind a path or glob, sorted by name; each exists and has bytes. */
async function filesOf(connection: DuckDBConnection, path: string): Promise<string[]> {
  const files = existsSync(path)
    ? [path]
    : (await rowsOf(connection, `select file from glob(${text(path)}) order by file`)).map((row) =>
        String(row['file']),
      );
  if (files.length === 0)
    throw new LogoddsError('ERR_DATA', `${path}: expected a file, got none of that name; check the path`);
  for (const file of files) {
    const stat = statSync(file);
    if (stat.isDirectory())
      throw new LogoddsError(
        'ERR_DATA',
        `${file}: expected a file, got a folder; name its files, e.g. "${file}/*.parquet"`,
      );
    if (stat.isFile() && stat.size === 0)
      throw new LogoddsError('ERR_DATA', `${file}: expected rows, got an empty file; check how it was made`);
  }
  return files;
}

async function describe(connection: DuckDBConnection, label: string, relation: string): Promise<SourceColumn[]> {
  const rows = await rowsOf(connection, `describe from ${relation}`).catch((error) => {
    throw dataError(label, error);
  });
  return rows.map((row) => {
    const type = String(row['column_type']);
    return { name: String(row['column_name']), type, kind: kindOf(type) };
  });
}

async function openTyped(connection: DuckDBConnection, label: string, relation: string): Promise<Source> {
  const columns = await describe(connection, label, relation);
  return { label, columns, typing: 'typed', relation: () => relation, close() {} };
}

/** A query stays a query: it is run once for each time its rows are read. */
async function openQuery(connection: DuckDBConnection, query: string): Promise<Source> {
  const sql = query.trim().replace(/;+\s*$/, '');
  await lockForQuery(connection, sql);
  const names = await queryNames(connection, sql).catch((error) => {
    throw dataError('--query', error);
  });
  refuseDuplicates('--query', names);
  return openTyped(connection, '--query', `(${sql}\n)`);
}

async function queryNames(connection: DuckDBConnection, sql: string): Promise<string[]> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1)
    throw new LogoddsError('ERR_DATA', `--query: expected one SELECT, got ${statements.count} statements; keep one`);
  const statement = await statements.prepare(0);
  try {
    return Array.from({ length: statement.columnCount }, (_, index) => statement.columnName(index));
  } finally {
    statement.destroySync();
  }
}

/** Standard input is spooled to a file: its types are guessed first and its rows read after that. */
async function openStandardInput(connection: DuckDBConnection): Promise<Source> {
  const folder = runFolder();
  const file = join(folder, 'stdin.csv');
  await pipeline(process.stdin, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
  await lockTo(connection, []);
  if (statSync(file).size === 0)
    throw new LogoddsError('ERR_DATA', 'standard input: expected CSV, got nothing; check the command before the pipe');
  return { ...(await openCsv(connection, 'standard input', [file])), close: () => discard(folder) };
}

async function openCsv(connection: DuckDBConnection, label: string, files: readonly string[]): Promise<Source> {
  const head = readHead(files[0]!);
  const delimiter = /\.tsv(\.gz)?$/i.test(files[0]!) ? '\t' : mostFrequent(head, [',', ';', '\t', '|']);
  const header = parseHeader(head, delimiter);
  refuseDuplicates(label, header);
  const list = `[${files.map(text).join(', ')}]`;
  // DuckDB finds no dialect where a name in the header has a line break that is not the one between rows
  const lines = head.includes('\r\n') && header.some((column) => /[^\r]\n/.test(column)) ? ", new_line='\\r\\n'" : '';
  const dialect = `header=true, delim=${text(delimiter)}, quote='"', escape='"', comment=''${lines}`;
  const relation = (types?: Readonly<Record<string, string>>) =>
    `read_csv(${list}, ${dialect}${types && Object.keys(types).length > 0 ? `, types=${struct(types)}` : ''})`;
  const columns = await describe(connection, label, relation()).catch(async (error) => {
    // a guess that fails names no line; reading everything as text does
    const names = Object.fromEntries(header.map((column, index) => [column || `column${index}`, 'VARCHAR']));
    await connection
      .run(`select count(*) from read_csv(${list}, ${dialect}, auto_detect=false, columns=${struct(names)})`)
      .catch((precise) => {
        throw dataError(label, precise);
      });
    throw error;
  });
  return { label, columns, typing: 'csv', relation, close() {} };
}

/** The first bytes of a CSV file, unpacked: enough for its header. */
function readHead(file: string): string {
  const buffer = Buffer.alloc(1 << 18);
  const fd = openSync(file, 'r');
  try {
    let head = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0));
    if (/\.gz$/i.test(file)) head = gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
    return head.toString('utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw dataError(file, error);
  } finally {
    closeSync(fd);
  }
}

/** The delimiter that occurs most in the first line outside quotes; the first of `candidates` on a tie. */
function mostFrequent(head: string, candidates: readonly string[]): string {
  const line = head.replace(/"[^"]*"/g, '').split(/\r?\n/, 1)[0]!;
  const counts = candidates.map((candidate) => line.split(candidate).length);
  return candidates[counts.indexOf(Math.max(...counts))]!;
}

/** The names in the first record, unquoted. */
function parseHeader(head: string, delimiter: string): string[] {
  const names: string[] = [];
  const field = new RegExp(
    `(?:"((?:[^"]|"")*)"|([^${delimiter === '|' ? '\\|' : delimiter}\\r\\n]*))(.|\\r?\\n|$)`,
    'gsy',
  );
  for (;;) {
    const match = field.exec(head);
    if (!match) return names;
    names.push((match[1]?.replaceAll('""', '"') ?? match[2]!).trim());
    if (match[3] !== delimiter) return names;
  }
}

/** Names are compared without regard to case, as DuckDB does. A blank name is no duplicate. */
function refuseDuplicates(label: string, names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const column of names) {
    if (column === '') continue;
    const key = column.toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      const got =
        other === column ? `${show(column)} twice` : `${show(other)} and ${show(column)}, which differ in case only`;
      throw new LogoddsError('ERR_SCHEMA', `${label}: expected distinct column names, got ${got}; rename one`);
    }
    seen.set(key, column);
  }
}

export { nearest };

/** @throws ERR_SCHEMA naming every wanted column that the source lacks, with the nearest name */
export function requireColumns(
  source: Source,
  wanted: readonly { readonly name: string; readonly role: string }[],
): void {
  const names = source.columns.map((column) => column.name);
  const absent = wanted.filter((column) => !names.includes(column.name));
  if (absent.length === 0) return;
  const list = absent.map((column) => `${column.role} ${show(column.name)}`).join(', ');
  const guess = absent.length === 1 ? nearest(absent[0]!.name, names) : null;
  const single =
    names.length === 1 && source.typing === 'csv'
      ? 'only one column was found: name another delimiter with --query "from read_csv(...)"'
      : null;
  const next = guess ? `did you mean ${show(guess)}?` : (single ?? `the columns are ${shorten(names)}`);
  throw new LogoddsError(
    'ERR_SCHEMA',
    `${source.label}: expected ${list}, got no column of ${absent.length > 1 ? 'these names' : 'that name'}; ${next}`,
  );
}

export const shorten = (names: readonly string[]) =>
  names.length > 12 ? `${names.slice(0, 12).join(', ')} and ${names.length - 12} more` : names.join(', ');

/** The column as SQL names it. */
export const reference = (column: { readonly name: string }) => name(column.name);
