/** Sources that DuckDB reads: Parquet files and queries, whose columns have types. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { LogoddsError } from '../../../src/index.ts';
import { list, show } from '../../../src/internal.ts';
import type { CellKind } from '../../../src/text.ts';
import { dataError, lockForQuery, patternOf, rowsOf } from './database.ts';
import { loadTextFiles } from './queryFiles.ts';
import { name, text } from './sql.ts';
import { refuseTwice } from './text/csv.ts';
import type { Reading } from './text/options.ts';
import { refuseOthers } from './text/source.ts';

export interface SourceColumn {
  readonly name: string;
  /** DuckDB's type */
  readonly type: string;
  readonly kind: CellKind;
  /** the cell as SQL; NaN and the texts of --na are NULL in it */
  readonly sql: string;
}

export interface TypedSource {
  /** for messages: a path or "--query" */
  readonly label: string;
  readonly typing: 'typed';
  readonly reading: Reading;
  readonly columns: readonly SourceColumn[];
  /** the rows as an SQL table expression */
  readonly relation: string;
  close(): void;
}

const KINDS: readonly (readonly [RegExp, CellKind])[] = [
  // a decimal without a fraction is a whole number, all of whose digits count where it is a category
  [/^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|DECIMAL\(\d+,0\))$/, 'integer'],
  [/^(FLOAT|DOUBLE|DECIMAL\(.*\))$/, 'float'],
  [/^BOOLEAN$/, 'boolean'],
  [/^(VARCHAR|ENUM\(.*\))$/s, 'text'],
  [/^(DATE|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?)$/, 'date'],
  [/\[\d*\]$/, 'list'],
];

const kindOf = (type: string): CellKind => KINDS.find(([pattern]) => pattern.test(type))?.[1] ?? 'other';

/** DuckDB's types that are read as text if the column is called categorical. */
export const isNameable = ({ type }: SourceColumn) => /^(TIME( WITH TIME ZONE)?|UUID|INTERVAL)$/.test(type);

interface Described {
  readonly name: string;
  readonly type: string;
}

async function describe(connection: DuckDBConnection, label: string, relation: string): Promise<Described[]> {
  const rows = await rowsOf(connection, `describe from ${relation}`).catch((error) => {
    throw dataError(label, error);
  });
  return rows.map((row) => ({ name: String(row['column_name']), type: String(row['column_type']) }));
}

/** The SQL of a column in which texts for missing cells are NULL. */
function columnOf({ name: own, type }: Described, trueName: string, { na }: Reading): SourceColumn {
  const kind = kindOf(type);
  const cell = name(own);
  const special = (name: string, lower: string, test: string) =>
    na.has(name) || na.has(lower) ? [`${test}(${cell})`] : [];
  const missing =
    kind === 'float' && !type.startsWith('DECIMAL')
      ? [...special('NaN', 'nan', 'isnan'), ...special('Infinity', 'inf', 'isinf')]
      : kind === 'text' && na.size > 0
        ? [`cast(${cell} as varchar) in (${[...na].map(text).join(', ')})`]
        : [];
  const sql = missing.length > 0 ? `case when not (${missing.join(' or ')}) then ${cell} end` : cell;
  return { name: trueName, type, kind, sql };
}

/**
 * Opens Parquet files and keeps the column names of the file: DuckDB renames names that differ in case only.
 * @throws ERR_DATA; ERR_SCHEMA when files have different columns, or a column has different types
 */
export async function openParquet(
  connection: DuckDBConnection,
  label: string,
  files: readonly string[],
  reading: Reading,
): Promise<TypedSource> {
  const options = 'hive_partitioning=false, filename=false';
  const relationOf = (paths: readonly string[], more = '') =>
    `read_parquet([${paths.map((path) => text(patternOf(path))).join(', ')}], ${options}${more})`;
  let first: { names: string[]; columns: Described[] } | null = null;
  for (const path of files) {
    const columns = await describe(connection, path, relationOf([path]));
    const names = await trueNames(connection, path, columns);
    refuseTwice(path, names);
    if (first === null) {
      first = { names, columns };
      continue;
    }
    refuseOthers(files[0], first.names, path, names);
    for (const [i, { type }] of columns.entries()) {
      const other = first.columns[first.names.indexOf(names[i])].type;
      refuseKinds(path, names[i], type, files[0], other);
    }
    if (columns.some((column, i) => column.name !== names[i]) && names.some((one, i) => one !== first!.names[i])) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `${path}: expected columns in the order of ${show(files[0])} (some differ in case only), got another order; read the files apart`,
      );
    }
  }
  const { names, columns } = first!;
  const renamed = columns.some((column, i) => column.name !== names[i]);
  const relation = relationOf(files, files.length > 1 && !renamed ? ', union_by_name=true' : '');
  const described = files.length > 1 ? await describe(connection, label, relation) : columns;
  return {
    label,
    typing: 'typed',
    reading,
    columns: described.map((column, i) => columnOf(column, names[i], reading)),
    relation,
    close() {},
  };
}

/** @throws ERR_SCHEMA when a column has different types in different files */
function refuseKinds(path: string, column: string, type: string, otherPath: string, other: string): void {
  const [here, there] = [kindOf(type), kindOf(other)];
  const numbers = (kind: CellKind) => kind === 'integer' || kind === 'float';
  if (here === there || (numbers(here) && numbers(there))) return;
  throw new LogoddsError(
    'ERR_SCHEMA',
    `${path}, column ${show(column)}: expected ${other} as in ${show(otherPath)}, got ${type}; give the files the same types`,
  );
}

/** The names of the top-level columns as the file has them. */
async function trueNames(connection: DuckDBConnection, path: string, columns: readonly Described[]): Promise<string[]> {
  const own = columns.map((column) => column.name);
  // a renamed column has another column's name followed by a number
  if (!own.some((column) => /_\d+$/.test(column))) return own;
  const rows = await rowsOf(
    connection,
    `select name, num_children from parquet_schema(${text(patternOf(path))})`,
  ).catch((error) => {
    throw dataError(path, error);
  });
  const names: string[] = [];
  let at = 1;
  const pass = () => {
    const children = Number(rows[at++]?.['num_children'] ?? 0);
    for (let i = 0; i < children; i++) pass();
  };
  while (at < rows.length) {
    names.push(String(rows[at]['name']));
    pass();
  }
  return names.length === own.length ? names : own;
}

/** A query is not copied: it runs each time its rows are read. */
export async function openQuery(connection: DuckDBConnection, query: string, reading: Reading): Promise<TypedSource> {
  let end = query.length;
  while (end > 0 && /[;\s]/.test(query[end - 1])) end--;
  const sql = query.slice(0, end).trimStart();
  await loadTextFiles(connection, sql, await lockForQuery(connection, sql), reading);
  const names = await queryNames(connection, sql).catch((error) => {
    throw dataError('--query', error);
  });
  refuseAlike(names);
  const relation = `(${sql}\n)`;
  const columns = await describe(connection, '--query', relation);
  return {
    label: '--query',
    typing: 'typed',
    reading,
    columns: columns.map((column) => columnOf(column, column.name, reading)),
    relation,
    close() {},
  };
}

/** SQL ignores the case of names. */
function refuseAlike(names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const column of names) {
    const other = seen.get(column.toLowerCase());
    if (other !== undefined && column !== '') {
      const got = other === column ? `${show(column)} twice` : `${list([other, column])}, which differ in case only`;
      throw new LogoddsError('ERR_SCHEMA', `--query: expected distinct column names, got ${got}; rename one`);
    }
    seen.set(column.toLowerCase(), column);
  }
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
