import type { DuckDBConnection } from '@duckdb/node-api';
import type { CellKind } from '../../../src/text.ts';
import { isBeyondDoubles, type LevelCodes } from './codes.ts';
import { rowsOf } from './database.ts';
import { text } from './sql.ts';

/**
 * The spelling of a category's texts, so that 2, 2.0 and "2" of a CSV file are one level and 02139 is kept unchanged.
 * It decides how text cells are normalised before they are compared with levels.
 */
export type Spelling = 'number' | 'boolean' | 'plain';

/** A plain number; a leading zero, a sign or an exponent makes it a text. */
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/;
const BOOLEAN = /^(true|false)$/i;

/** The spelling of a set of texts: `number` and `boolean` only when all of them are. */
export function spellingOf(texts: readonly string[]): Spelling {
  if (texts.length === 0) return 'plain';
  if (texts.every((value) => NUMBER.test(value))) return 'number';
  return texts.every((value) => BOOLEAN.test(value)) ? 'boolean' : 'plain';
}

const double = (sql: string) => `regexp_replace(cast(cast(${sql} as double) + 0.0 as varchar), '\\.0$', '')`;

/** A cell as text, by how it is stored. */
const CELL_TEXT: Readonly<Record<CellKind, (sql: string) => string>> = {
  integer: (sql) => `cast(${sql} as varchar)`,
  float: double,
  boolean: (sql) => `cast(${sql} as varchar)`,
  text: (sql) => `cast(${sql} as varchar)`,
  date: (sql) => `cast(${sql} as varchar)`,
  list: (sql) => `cast(to_json(${sql}) as varchar)`,
  other: (sql) => `cast(${sql} as varchar)`,
};

export const cellText = (sql: string, kind: CellKind) => CELL_TEXT[kind](sql);

/** The SQL of a column whose codes are found without an ENUM. */
export const codedSql = ({ type }: LevelCodes, sql: string, kind: CellKind) =>
  type === 'text' ? cellText(sql, kind) : `cast(${sql} as double)`;

const SPELL: Readonly<Record<Spelling, (sql: string) => string>> = {
  number: (sql) =>
    `case when regexp_full_match(${sql}, '-?(0|[1-9][0-9]*)\\.[0-9]+') then ${double(sql)} else ${sql} end`,
  boolean: (sql) => `lower(${sql})`,
  plain: (sql) => sql,
};

export const spell = (sql: string, spelling: Spelling) => SPELL[spelling](sql);

/** A text column that is read into a dictionary: the SQL of its texts, and the label of each text. */
export interface TextCells {
  readonly sql: string;
  /** null: neither text, number, boolean nor list */
  readonly label: (text: string) => string | null;
}

/** The cells of a column as labels, the same that a record of these cells has. */
export const textCells = (sql: string, kind: CellKind): TextCells => ({
  sql: cellText(sql, kind),
  label: (text) => keyToLabel(text, kind === 'float'),
});

/** A text key of DuckDB as the label JavaScript's String(value) gives: 1e-05 → 0.00001. */
export const keyToLabel = (key: string, numeric: boolean) => (numeric && /[.e]/.test(key) ? String(Number(key)) : key);

/** An ENUM type of DuckDB. */
export interface LevelType {
  /** the code of the cell with this key: of its level, levels.length when unseen, NULL when missing */
  code(key: string): string;
}

let created = 0;

/** Creates the ENUM of `keys`, in order. */
export async function createLevelType(connection: DuckDBConnection, keys: readonly string[]): Promise<LevelType> {
  const sqlName = `levels_${++created}`;
  await connection.run(`create type ${sqlName} as enum (${keys.map(text).join(', ')})`);
  // The code alone: a chunk with an ENUM vector would carry all names of the levels.
  return {
    code: (key) =>
      `case when ${key} is not null then coalesce(enum_code(try_cast(${key} as ${sqlName})), ${keys.length}) end::uinteger`,
  };
}

/** The keys of cells of this kind and spelling, for each label in `levels`, in the same order. */
export async function levelKeys(
  connection: DuckDBConnection,
  levels: readonly string[],
  kind: CellKind,
  spelling: Spelling,
): Promise<string[]> {
  const numeric = kind === 'float' ? /^-?[0-9.]+(e[+-]?[0-9]+)?$/ : spelling === 'number' ? /[.]/ : null;
  // a whole number that is no double's text is the level of no cell of doubles
  const isOwn = (level: string) => isBeyondDoubles(level) && String(Number(level)) !== level;
  const affected = levels.flatMap((level, index) => (numeric?.test(level) && !isOwn(level) ? [index] : []));
  const keys = [...levels];
  if (affected.length === 0) return keys;
  const list = affected.map((index) => text(levels[index])).join(', ');
  const rows = await rowsOf(connection, `select ${double('level')} as key from (select unnest([${list}]) as level)`);
  for (const [at, index] of affected.entries()) keys[index] = String(rows[at]['key']);
  return keys;
}
