import type { DuckDBConnection } from '@duckdb/node-api';
import { cellError } from '../../../src/encode/columns.ts';
import type { Declaration } from '../../../src/encode/declare.ts';
import { sortLabels } from '../../../src/encode/infer.ts';
import { show } from '../../../src/encode/label.ts';
import { LogoddsError, type Table } from '../../../src/index.ts';
import { startRows } from '../terminal/progress.ts';
import { Block, type CellPlan } from './block.ts';
import { dataError, name, rowsOf, runWithBar, streamChunks } from './database.ts';
import {
  cellText,
  createLevelType,
  keyToLabel,
  levelKeys,
  spell,
  spellingIn,
  spellingOf,
  textCells,
} from './levels.ts';
import { asNumbers, type Need, needsOf } from './needs.ts';
import {
  type CellKind,
  type DataOptions,
  openSource,
  requireColumns,
  type Source,
  type SourceColumn,
} from './source.ts';

/** Which column plays which part. */
export interface Roles {
  readonly target: string;
  readonly weight?: string;
  readonly offset?: string;
  /** of a target that counts successes: how many trials there were */
  readonly trials?: string;
  /** default: every column that has no other part */
  readonly features?: readonly string[];
  readonly drop?: readonly string[];
  readonly categorical?: readonly string[];
  readonly numeric?: readonly string[];
  /** rows with the largest values of this column are held out */
  readonly holdoutBy?: string;
  /** rows with one value of this column depend on one another */
  readonly cluster?: string;
  /** rows with one value of this column stay in one fold */
  readonly groups?: string;
  /** order of the rows, for folds by time */
  readonly time?: string;
  /** how columns become features; with it no other word on them but `drop` */
  readonly schema?: Declaration;
}

export interface TrainingData {
  /** features, target, weight and offset, in the order of the source */
  readonly table: Table;
  readonly features: readonly string[];
  /** 1 where holdoutBy is among its largest values; null without holdoutBy */
  readonly largest: Uint8Array | null;
}

/** A target of more values than this is none; no need to list them. */
const MOST_CLASSES = 100;

/**
 * Reads what training needs into typed arrays. The rows are first copied into a DuckDB table of the columns in use, so that a
 * query or standard input is read once; categories become ENUM codes there.
 * @param fraction  of rows that are the largest by `holdoutBy`
 */
export async function readTraining(
  connection: DuckDBConnection,
  data: DataOptions,
  roles: Roles,
  fraction: number,
): Promise<TrainingData> {
  const { plans, by, rows, features } = await copyTraining(connection, data, roles, fraction);
  return { ...(await readRows(connection, plans, by, rows)), features };
}

/** The rows in DuckDB, and how to read them. */
export interface TrainingCopy {
  /** of each column in use, in the order of the source */
  readonly plans: readonly CellPlan[];
  readonly features: readonly string[];
  /** SQL that is true for the rows that are the largest by `holdoutBy`; null without it */
  readonly by: string | null;
  readonly rows: number;
}

/** The first half of `readTraining`: the rows are in the DuckDB table `training`, where they may spill to disk. */
export async function copyTraining(
  connection: DuckDBConnection,
  data: DataOptions,
  roles: Roles,
  fraction: number,
): Promise<TrainingCopy> {
  const source = await openSource(connection, data);
  try {
    const columns = plan(source, roles);
    await copyColumns(connection, source, columns, roles);
    source.close();
    const rows = Number((await rowsOf(connection, 'select count(*) as n from training'))[0]['n']);
    if (rows === 0)
      throw new LogoddsError(
        'ERR_DATA',
        `${source.label}: expected rows, got none (a header only, or an empty result); check how it was made`,
      );
    const plans: CellPlan[] = [];
    for (const column of columns) plans.push(await planCells(connection, source, column, rows));
    const by = roles.holdoutBy ? await largestCondition(connection, roles.holdoutBy, rows, fraction) : null;
    return { plans, features: columns.filter((c) => c.role === 'feature').map((c) => c.name), by, rows };
  } finally {
    source.close();
  }
}

type Role = 'feature' | 'target' | 'weight' | 'offset' | 'trials' | 'cluster' | 'groups' | 'time';

/** How the columns that are no features are read. */
const READ: Readonly<Record<Exclude<Role, 'feature' | 'target'>, 'coded' | 'numeric'>> = {
  weight: 'numeric',
  offset: 'numeric',
  trials: 'numeric',
  time: 'numeric',
  cluster: 'coded',
  groups: 'coded',
};

interface PlannedColumn {
  readonly name: string;
  readonly role: Role;
  readonly coded: boolean;
  /** was it said on the command line what this column is */
  readonly declared: boolean;
  /** how the cell arrives after `relation(types)` */
  readonly kind: CellKind;
  readonly type: string;
  /** column of the table `training` */
  readonly alias: string;
  /** what the features of a schema need of it; null: it is read as what it holds */
  readonly needs: ReadonlySet<Need> | null;
}

/** Every column in use with its part and whether it is read as numbers or as categories. */
function plan(source: Source, roles: Roles): PlannedColumn[] {
  const { schema } = roles;
  const needs = needsOf(schema?.features ?? []);
  const named = (role: string, names: readonly (string | undefined)[] = []) =>
    names.flatMap((column) => (column === undefined ? [] : [{ name: column, role }]));
  requireColumns(source, [
    ...named('target column', [roles.target]),
    ...named('weight column', [roles.weight]),
    ...named('offset column', [roles.offset]),
    ...named('trials column', [roles.trials]),
    ...named('cluster column', [roles.cluster]),
    ...named('group column', [roles.groups]),
    ...named('time column', [roles.time]),
    ...named('column to hold out by', [roles.holdoutBy]),
    ...named('feature', roles.features),
    ...named('column to drop', roles.drop),
    ...named('categorical column', roles.categorical),
    ...named('numeric column', roles.numeric),
    ...named('schema column', [...needs.keys()]),
  ]);
  const parts = new Map<string, Role>([[roles.target, 'target']]);
  for (const role of Object.keys(READ) as (keyof typeof READ)[]) {
    const column = roles[role];
    if (column !== undefined) parts.set(column, role);
  }
  refuseContradictions(roles);
  for (const feature of roles.features ?? []) {
    if (!parts.has(feature)) continue;
    throw new LogoddsError(
      'ERR_SCHEMA',
      `--features: expected columns besides the ${parts.get(feature)}, got ${show(feature)}; remove it from the list`,
    );
  }
  const rest = !schema || schema.others === 'infer';
  const isFeature = (column: string) =>
    needs.has(column) ||
    (roles.features
      ? roles.features.includes(column)
      : rest && column !== roles.holdoutBy && !roles.drop?.includes(column));
  return source.columns
    .filter((column) => parts.has(column.name) || isFeature(column.name))
    .map((column, index) => {
      const role = parts.get(column.name) ?? 'feature';
      const needed = role === 'feature' ? needs.get(column.name) : undefined;
      return needed
        ? planNeeded(source, column, needed, `c${index}`)
        : planColumn(source, column, role, roles, `c${index}`);
    });
}

/**
 * Words on a column that other words on it make void.
 * @throws ERR_SCHEMA
 */
export function refuseContradictions(roles: Roles): void {
  const { features, drop = [], categorical = [], numeric = [] } = roles;
  const parts = ['target', ...Object.keys(READ)].map((role) => roles[role as keyof Roles]);
  const refuse = (option: string, rule: string, column: string | undefined, next: string) => {
    if (column === undefined) return;
    throw new LogoddsError('ERR_SCHEMA', `${option}: expected ${rule}, got ${show(column)}; ${next}`);
  };
  const both = numeric.find((column) => categorical.includes(column));
  refuse('--numeric', 'columns that are not --categorical', both, 'remove it from one of the two');
  for (const [option, names] of Object.entries({ '--categorical': categorical, '--numeric': numeric })) {
    const unused = names.find((column) => features && !features.includes(column) && !parts.includes(column));
    refuse(option, 'columns among --features', unused, 'add it there, or remove it here');
    const dropped = names.find((column) => drop.includes(column));
    refuse(option, 'columns that are not to --drop', dropped, 'remove it from one of the two');
  }
}

/** A column that features of a schema read. @throws ERR_SCHEMA for what cannot be read so */
function planNeeded(source: Source, column: SourceColumn, needs: ReadonlySet<Need>, alias: string): PlannedColumn {
  const numbers = asNumbers(needs, source, column);
  const number = ['integer', 'float', 'boolean'].includes(column.kind);
  if (column.kind === 'other' || (numbers && source.typing === 'typed' && !number)) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `${source.label}, column ${show(column.name)}: expected ${numbers ? 'numbers, as the schema says' : 'text, numbers, booleans, dates or lists'}, got ${column.type}; convert it with --query, or correct the schema`,
    );
  }
  const kind = source.typing === 'csv' && !numbers ? 'text' : column.kind;
  const { name: column_, type } = column;
  return { name: column_, role: 'feature', coded: !numbers, declared: true, kind, type, alias, needs };
}

function planColumn(source: Source, column: SourceColumn, role: Role, roles: Roles, alias: string): PlannedColumn {
  const given = (kind: 'numeric' | 'coded', names: readonly string[] = []) => {
    if (role === 'feature') return names.includes(column.name);
    if (role === 'target') return (kind === 'numeric') === (roles.trials !== undefined);
    return READ[role] === kind;
  };
  const numeric = given('numeric', roles.numeric);
  const categorical = given('coded', roles.categorical);
  if (['other', 'date', 'list'].includes(column.kind)) {
    const what = `${source.label}, column ${show(column.name)}: expected numbers, text or booleans, got ${column.type}`;
    throw new LogoddsError(
      'ERR_SCHEMA',
      column.kind === 'other'
        ? `${what}; derive a column from it with --query, or leave it out with --drop ${column.name}`
        : `${what}; say what it means in a --schema (logodds schema writes one), or leave it out with --drop ${column.name}`,
    );
  }
  const coded = categorical || !(numeric || column.kind === 'integer' || column.kind === 'float');
  // CSV cells that become categories, and guessed booleans ("Yes", "t"), are read as the text that stands in the file.
  const kind = source.typing === 'csv' && (coded || column.kind === 'boolean') ? 'text' : column.kind;
  return {
    name: column.name,
    role,
    coded,
    declared: numeric || categorical,
    kind,
    type: column.type,
    alias,
    needs: null,
  };
}

/** `create table training`: one row per row of the source, in order; numbers as DOUBLE, categories as text. */
async function copyColumns(
  connection: DuckDBConnection,
  source: Source,
  columns: readonly PlannedColumn[],
  roles: Roles,
): Promise<void> {
  const list = columns.map(({ name: column, kind, coded, alias, needs }) => {
    const cell = name(column);
    if (needs && coded) return `${textCells(cell, kind, source.typing, 'plain').sql} as ${alias}`;
    return `${coded || kind === 'json' ? cellText(cell, kind) : `cast(${cell} as double)`} as ${alias}`;
  });
  const by = source.columns.find((column) => column.name === roles.holdoutBy);
  const ordered = by?.kind === 'integer' || by?.kind === 'float';
  if (by) list.push(`${ordered ? `cast(${name(by.name)} as double)` : name(by.name)} as held_by`);
  // DuckDB guesses types from the first rows of a CSV file: a column of whole numbers may have fractions later.
  const types = Object.fromEntries([
    ...(ordered ? [[by.name, 'DOUBLE']] : []),
    ...columns.map((column) => [column.name, column.kind === 'text' ? 'VARCHAR' : 'DOUBLE']),
  ]);
  // what a date or a list of JSON lines was, is in its text alone
  const written = columns.filter(({ needs, coded }) => needs && coded).map((column) => column.name);
  const json = Object.fromEntries([
    ...(by ? [[by.name, by.type]] : []),
    ...columns.map((column) => [column.name, written.includes(column.name) ? 'JSON' : column.type]),
  ]);
  const given = { csv: types, jsonl: written.length > 0 ? json : undefined, typed: undefined }[source.typing];
  const sql = `create temp table training as select ${list.join(', ')} from ${source.relation(given)}`;
  await runWithBar(connection, 'load', sql).catch(async (error) => {
    for (const column of columns) {
      if (!column.coded) await refuseText(connection, source, column, adviceOf(column));
    }
    throw dataError(source.label, error);
  });
}

/**
 * Looks for a cell that is no number in a column that should have numbers.
 * @throws ERR_RECORD naming the first one by row and column
 */
export async function refuseText(
  connection: DuckDBConnection,
  source: Source,
  column: { readonly name: string },
  advice?: string,
): Promise<void> {
  const type = { csv: 'VARCHAR', jsonl: 'JSON', typed: '' }[source.typing];
  const cell = source.typing === 'jsonl' ? `(${name(column.name)} ->> '$')` : `cast(${name(column.name)} as varchar)`;
  const from = source.relation({ [column.name]: type });
  const numbered = `select row_number() over () - 1 as row, ${cell} as cell from ${from}`;
  const sql = `select row, cell from (${numbered}) where cell is not null and try_cast(cell as double) is null limit 1`;
  const [found] = await rowsOf(connection, sql).catch(() => []);
  if (found)
    throw cellError(
      Number(found['row']),
      column.name,
      'a number',
      String(found['cell']),
      advice ?? textAdvice(column.name),
    );
}

const SCHEMA_ADVICE =
  'correct the cell, leave it empty if the value is missing, or declare the feature categorical in the schema';

/** What to do with a cell that is no number. */
const adviceOf = ({ name: column, role, needs }: PlannedColumn) =>
  needs ? SCHEMA_ADVICE : role === 'feature' ? textAdvice(column) : `correct the cell, or name another ${role} column`;

const textAdvice = (column: string) =>
  `correct the cell, leave it empty if the value is missing, or say --categorical ${column}`;

/** Levels of a coded column, and the SQL that makes its codes. */
async function planCells(
  connection: DuckDBConnection,
  source: Source,
  column: PlannedColumn,
  rows: number,
): Promise<CellPlan> {
  const { name: column_, alias, role, kind } = column;
  const required = role === 'feature' ? undefined : 'fill the cell, or leave the row out with --query';
  if (!column.coded)
    return { name: column_, levels: null, sql: alias, required, least: role === 'weight' ? 0 : undefined };
  if (column.needs) {
    const levels = source.typing === 'csv' && column.needs.has('level');
    const spelling = levels ? await spellingIn(connection, 'training', alias) : 'plain';
    const { label } = textCells(alias, kind, source.typing, spelling);
    return { name: column_, levels: null, label, sql: spell(alias, spelling) };
  }
  if (source.typing !== 'typed' && !column.declared && (kind === 'text' || kind === 'json'))
    await refuseMixed(connection, source, column);
  const limit = role === 'target' ? ` limit ${MOST_CLASSES + 1}` : '';
  const distinct = async (key: string) =>
    (await rowsOf(connection, `select distinct ${key} as key from training where ${alias} is not null${limit}`)).map(
      (row) => String(row['key']),
    );
  const raw = await distinct(alias);
  if (raw.length === 0 && rows > 0) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `${source.label}, column ${show(column_)}: expected values, got missing cells only; leave it out with --drop ${column_}`,
    );
  }
  if (role === 'target' && raw.length > MOST_CLASSES) {
    const next = 'name a target with fewer values, or derive one with --query';
    throw new LogoddsError(
      'ERR_TARGET',
      `target ${show(column_)}: expected at most ${MOST_CLASSES} classes, got more; ${next}`,
    );
  }
  const spelling = source.typing === 'csv' ? spellingOf(raw) : 'plain';
  const key = spell(alias, spelling);
  const keys = spelling === 'plain' ? raw : await distinct(key);
  const numeric = kind === 'float' || spelling === 'number';
  const levels = sortLabels(keys.map((value) => keyToLabel(value, numeric)));
  const type = await createLevelType(connection, await levelKeys(connection, levels, kind, spelling));
  return { name: column_, levels, sql: type.code(key), required };
}

/**
 * A text column of which half the cells or more are numbers is a numeric column with a fault in it, not a category.
 * @throws ERR_RECORD naming the first cell that is no number
 */
async function refuseMixed(
  connection: DuckDBConnection,
  source: Source,
  { name: column, alias }: PlannedColumn,
): Promise<void> {
  const numbers = `count(try_cast(${alias} as double))`;
  const [counts] = await rowsOf(connection, `select ${numbers} as numbers, count(${alias}) as cells from training`);
  const cells = Number(counts['cells']);
  const share = Number(counts['numbers']) / cells;
  if (cells === 0 || share < 0.5 || share === 1) return;
  await refuseText(connection, source, { name: column });
}

/**
 * SQL that is true for about `fraction` of the rows, those with the largest values. Equal values stay together, on the side that
 * comes closer to the fraction; a missing value is not held out.
 */
async function largestCondition(
  connection: DuckDBConnection,
  column: string,
  rows: number,
  fraction: number,
): Promise<string> {
  const known = Number((await rowsOf(connection, 'select count(held_by) as n from training'))[0]['n']);
  const cut = `(select quantile_disc(held_by, ${Math.max(0, 1 - (fraction * rows) / known)}) from training)`;
  const counts = `select count(*) filter (held_by > ${cut}) as above, count(*) filter (held_by >= ${cut}) as from_cut from training`;
  const [found] = await rowsOf(connection, counts).catch((error) => {
    throw dataError(`--holdout-by ${column}`, error);
  });
  const [above, fromCut] = [Number(found['above']), Number(found['from_cut'])];
  const distance = (held: number) =>
    held === 0 || held === rows ? Number.POSITIVE_INFINITY : Math.abs(held - fraction * rows);
  if (Math.min(distance(above), distance(fromCut)) === Number.POSITIVE_INFINITY) {
    throw new LogoddsError(
      'ERR_DATA',
      `--holdout-by ${column}: expected values that differ, got one value in all rows; name another column or --no-holdout`,
    );
  }
  return `coalesce(held_by ${distance(above) <= distance(fromCut) ? '>' : '>='} ${cut}, false)`;
}

/** Something to do between chunks of so many rows. */
export type Pause = (rows: number) => Promise<void> | undefined;

/** A flag column reads as a category of two levels; its codes are the flags. */
const FLAG = ['no', 'yes'];

export async function readRows(
  connection: DuckDBConnection,
  plans: readonly CellPlan[],
  largest: string | null,
  rows: number,
  pause?: Pause,
): Promise<Pick<TrainingData, 'table' | 'largest'>> {
  const flag: CellPlan[] = [];
  if (largest !== null) {
    const type = await createLevelType(connection, FLAG);
    flag.push({ name: '', levels: FLAG, sql: type.code(`case when ${largest} then 'yes' else 'no' end`) });
  }
  const all = [...plans, ...flag];
  let table: Table = { rows: 0, columns: [] };
  for await (const whole of readParts(connection, all, rows, rows, pause)) table = whole;
  const flags = largest === null ? null : table.columns[plans.length];
  return {
    table: { rows, columns: table.columns.slice(0, plans.length) },
    largest: flags?.kind === 'coded' ? (flags.codes as Uint8Array) : null,
  };
}

/**
 * Reads columns of the table `training` in parts, in the order of the rows.
 * @param rows  how many there are
 * @param most  of a part; at least those of a chunk of DuckDB (2048), or all
 * @param pause  called after every chunk
 * @returns tables whose cells hold until the next one
 */
export async function* readParts(
  connection: DuckDBConnection,
  plans: readonly CellPlan[],
  rows: number,
  most: number,
  pause?: Pause,
): AsyncGenerator<Table> {
  const block = new Block(plans, most);
  const phase = startRows('read');
  let first = 0;
  try {
    const sql = `select ${plans.map((cell) => cell.sql).join(', ')} from training`;
    for await (const chunk of streamChunks(connection, sql)) {
      if (block.rows + chunk.rowCount > most) {
        yield block.table();
        first += block.rows;
        block.clear();
      }
      block.append(chunk, first + block.rows);
      phase.update(first + block.rows, (first + block.rows) / rows);
      await pause?.(chunk.rowCount);
    }
    yield block.table();
  } finally {
    phase.end();
  }
}
