import { LogoddsError, type Model, type Table } from '../../../src/index.ts';
import { cellError, list, show } from '../../../src/internal.ts';
import {
  asNumbers,
  likelyTexts,
  type Need,
  needsOf,
  sameMeaning,
  spellingOf as textSpelling,
} from '../../../src/text.ts';
import { startRows } from '../terminal/progress.ts';
import { Block, type CellPlan } from './block.ts';
import { levelCodes } from './codes.ts';
import { type Database, dataError, rowsOf, shareDone, streamChunks } from './database.ts';
import { cellText, codedSql, createLevelType, levelKeys, spell, spellingOf, textCells } from './levels.ts';
import { fileCellError, withPlace } from './place.ts';
import { FILL } from './roles.ts';
import {
  isText,
  lazyDatabase,
  nearest,
  openSource,
  type Source,
  type SourceColumn,
  type SourceOptions,
  shorten,
  type TextSource,
  type TypedSource,
} from './source.ts';
import { RowsAhead } from './text/ahead.ts';
import { type ColumnPlan, TableBuilder } from './text/builder.ts';
import { KIND } from './text/facts.ts';
import { NOTE, Notes } from './text/judge.ts';
import { labelling } from './text/labels.ts';
import { type RecordUse, Slots, scanning, sizeOf } from './text/source.ts';

/** The uses of one column. */
interface Wanted {
  readonly name: string;
  /** known labels; null: numbers, or decided by the needs */
  readonly levels: readonly string[] | null;
  readonly role: 'feature' | 'offset' | 'target' | 'weight';
  readonly unseen: 'slot' | 'error';
  /** set for a column whose labels the model does not list, or which features read in several ways */
  readonly needs?: ReadonlySet<Need>;
}

/** Columns that `eval` reads beside those of the model. */
export interface FurtherColumns {
  readonly target?: string;
  readonly weight?: string;
}

/** The next step for a missing cell. The caller leaves out rows without a target. */
const requirement = (role: Wanted['role']) => (role === 'feature' || role === 'target' ? undefined : FILL);

/** Rows in one block: a few of DuckDB's chunks, small enough for the caches; one chunk if there are many classes. */
const blockRows = (classes: number): number => (classes <= 16 ? 16_384 : 2048);
/** DuckDB spills beyond this, so that the whole process stays well under 1 GiB whatever the size of the input. */
const MEMORY_LIMIT = '512MB';

/** Takes a block of rows; it is valid during the call. A promise asks for a pause. */
type Use = (table: Table, firstRow: number) => Promise<void> | void;

/**
 * Streams the rows of DATA in blocks of typed arrays that fit the model: bounded memory whatever the size of DATA.
 * @param use  called with each block in order; the table is valid during the call
 * @param warn  called once with the unused columns of DATA, and with notes on cells that needed interpretation
 * @returns rows read
 * @throws ERR_SCHEMA absent columns (all named) or columns of a wrong type; ERR_RECORD for a cell that cannot be used
 */
export async function streamTable(
  model: Model,
  data: SourceOptions,
  further: FurtherColumns,
  use: Use,
  warn: (message: string) => void,
): Promise<number> {
  const database = lazyDatabase(MEMORY_LIMIT);
  const wanted = wantedColumns(model, further);
  let source: Source | null = null;
  try {
    source = await openSource(database.get, { ...data, warn }, false);
    const capacity = blockRows(model.manifest.classes.length);
    const rows = isText(source)
      ? await streamText(source, model, wanted, use, capacity)
      : await streamTyped(await database.get(), source, model, wanted, use, capacity);
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

function wantedColumns(model: Model, { target, weight }: FurtherColumns): Wanted[] {
  const { schema, offset, classes } = model.manifest;
  const numeric = (column: string, role: Wanted['role']): Wanted => ({
    name: column,
    levels: null,
    role,
    unseen: 'slot',
  });
  const columns = [...needsOf(schema.features)].map(([column, needs]): Wanted => {
    if (needs.size === 1 && needs.has('number')) return numeric(column, 'feature');
    const listed = schema.features.flatMap((feature) =>
      (feature.kind === 'categorical' || feature.kind === 'target') && (feature.column ?? feature.name) === column
        ? [feature]
        : [],
    );
    const levels = [
      ...new Set(listed.flatMap((feature) => [...feature.levels, ...('rare' in feature ? (feature.rare ?? []) : [])])),
    ];
    const unseen = listed.some((feature) => feature.unseen === 'error') ? 'error' : 'slot';
    return {
      name: column,
      levels,
      role: 'feature',
      unseen,
      ...(!(needs.size === 1 && needs.has('level')) && { needs }),
    };
  });
  if (offset !== null) columns.push(numeric(offset, 'offset'));
  if (target !== undefined) columns.push({ name: target, levels: classes, role: 'target', unseen: 'error' });
  if (weight !== undefined) columns.push(numeric(weight, 'weight'));
  return columns;
}

/** @throws ERR_SCHEMA naming all absent columns */
function refuseAbsent(label: string, names: readonly string[], wanted: readonly Wanted[]): void {
  const absent = wanted.filter((one) => !names.includes(one.name));
  if (absent.length === 0) return;
  const guess = absent.length === 1 ? nearest(absent[0].name, names) : null;
  const next = guess
    ? `did you mean ${show(guess)}? rename it`
    : 'add them (empty cells are missing values), or rename the columns that hold them';
  const what =
    absent.length === 1 ? `column ${show(absent[0].name)}` : `columns ${list(absent.map((one) => one.name))}`;
  throw new LogoddsError('ERR_SCHEMA', `${label}: expected ${what} of the model, got ${shorten(names)}; ${next}`);
}

/** Notes the columns that are not used. */
function sayExtra(source: Source, names: readonly string[], model: Model, wanted: readonly Wanted[]): void {
  const known = new Set([...wanted.map((one) => one.name), model.manifest.target, model.manifest.weight]);
  const extra = names.filter((column) => !known.has(column));
  if (extra.length === 0) return;
  source.reading.warn(
    `ignored ${extra.length === 1 ? 'a column' : `${extra.length} columns`} the model does not use: ${shorten(extra)}`,
  );
}

async function streamText(
  source: TextSource,
  model: Model,
  wanted: readonly Wanted[],
  use: Use,
  capacity: number,
): Promise<number> {
  const { typing, reading } = source;
  const csv = typing === 'csv';
  const names = source.columns.map(({ name }) => name);
  if (csv) {
    refuseAbsent(source.label, names, wanted);
    sayExtra(source, names, model, wanted);
  }
  const notes = new Notes();
  const met = new Map<string, Map<string, string>>();
  const plans = wanted.map((one) =>
    textPlan(one, source, (from, to) => {
      const pairs = met.get(one.name) ?? new Map<string, string>();
      met.set(one.name, pairs.set(from, to));
    }),
  );
  const slots = new Slots(wanted.map(({ name }) => name));
  let label = source.label;
  const builder = new TableBuilder(plans, capacity, reading, (row, line, ...cell) => {
    throw fileCellError(label, line, row, ...cell);
  });
  const phase = startRows('score');
  const size = sizeOf(source);
  let bytes = 0;
  let firstRow = 0;
  let row = 0;
  let seen: readonly string[] = names;
  let full: Table[] = [];
  const cut = () => {
    full.push(builder.table());
    builder.clear();
  };
  const flush = async () => {
    const tables = full;
    full = [];
    for (const table of tables) {
      await use(table, firstRow);
      firstRow += table.rows;
      phase.update(firstRow, bytes / size);
    }
  };
  const add: RecordUse = (record, file) => {
    if (builder.rows === builder.capacity) cut();
    label = file.label;
    seen = file.names();
    builder.add(record, slots.of(file), row++);
  };
  const ahead = RowsAhead.of(plans, reading, (table, from, to) => {
    for (let at = from; at < to; ) {
      if (builder.rows === builder.capacity) cut();
      const next = Math.min(to, at + builder.capacity - builder.rows);
      builder.addRows(table, at, next);
      row += next - at;
      at = next;
    }
  });
  try {
    try {
      for await (const read of scanning(source, add, undefined, ahead)) {
        bytes = read;
        await flush();
      }
    } catch (error) {
      // the first error is about the first rows
      await flush();
      throw error;
    }
    // a field of JSON lines may come late: its absence is known only after all rows
    if (!csv && row > 0) {
      const all = new Set([...names, ...seen]);
      refuseAbsent(source.label, [...all], wanted);
      sayExtra(source, [...all], model, wanted);
    }
    if (builder.rows > 0) {
      cut();
      await flush();
    }
    for (const [column, pairs] of met)
      notes.add(
        NOTE.meaning,
        `${column} (${[...pairs].map(([from, to]) => `${show(from)} as ${show(to)}`).join(', ')})`,
      );
    notes.say(reading.warn);
    return row;
  } finally {
    phase.end();
  }
}

/** How a column of a text file is read for the model. @param heard  called with texts that were read as the label with the same meaning */
function textPlan(one: Wanted, source: TextSource, heard: (from: string, to: string) => void): ColumnPlan {
  const { reading, typing } = source;
  const json = typing === 'jsonl';
  const { name, levels, needs, role, unseen } = one;
  const required = requirement(role);
  const numbers = levels === null || needs?.has('number');
  if (numbers) return { name, levels: null, required, least: role === 'weight' ? 0 : undefined };
  const spelling = json ? 'plain' : textSpelling(levels, reading.style);
  // texts that mean a missing cell if the others are numbers
  const missing = levels.length > 0 && textSpelling(levels, reading.style) === 'number' ? reading.tokens : reading.na;
  const kept = new Set([...missing].filter((text) => !levels.includes(text)));
  const label = labelling(json, reading, kept, spelling);
  if (needs) return { name, levels: null, open: true, label, advice: 'correct it with --query' };
  const known = new Set(levels);
  const alike = sameMeaning(levels);
  const rule = role === 'target' ? `a class of the model (${list(levels)})` : 'a category seen in training';
  const next = role === 'target' ? FILL : 'correct it, or train with --unseen slot';
  const codes = new Map(levels.map((level, code) => [level, code]));
  const texts = new Map<string, number | null>();
  for (const text of json ? levels : [...likelyTexts(levels), ...kept]) {
    const own = label(text, KIND.text);
    if (own === null) texts.set(text, null);
    else if (own !== undefined && codes.has(own)) texts.set(text, codes.get(own)!);
  }
  // another text may be a label in one more spelling; in JSON some are missing as texts only
  const areAll = spelling === 'plain' && alike('yes') === null && !(json && kept.size > 0);
  return {
    name,
    levels,
    required,
    texts: { codes: texts, areAll },
    strict: unseen === 'error' ? { rule, next } : undefined,
    label(text, kind) {
      const own = label(text, kind);
      if (typeof own !== 'string' || known.has(own)) return own;
      const meant = kind === KIND.text || kind === KIND.number || kind === KIND.boolean ? alike(own) : null;
      if (meant !== null) heard(text, meant);
      return meant ?? own;
    },
  };
}

async function streamTyped(
  database: Database,
  source: TypedSource,
  model: Model,
  wanted: readonly Wanted[],
  use: Use,
  capacity: number,
): Promise<number> {
  const names = source.columns.map(({ name }) => name);
  refuseAbsent(source.label, names, wanted);
  sayExtra(source, names, model, wanted);
  const columnOf = (one: Wanted) => source.columns.find((column) => column.name === one.name)!;
  const numbers = (one: Wanted) => !one.levels || (one.needs && asNumbers(one.needs, columnOf(one)));
  const plans: CellPlan[] = [];
  for (const one of wanted) {
    const read = numbers(one) ? { ...one, levels: null, needs: undefined } : one;
    plans.push(await planCells(database, source, read, columnOf(one)));
  }
  const from = source.relation;
  const block = new Block(plans, capacity);
  const phase = startRows('score');
  let firstRow = 0;
  const flush = async () => {
    const table = block.table();
    await refuseUnseen(database, source, wanted, plans, table, firstRow);
    await use(table, firstRow);
    firstRow += block.rows;
    block.clear();
    phase.update(firstRow, shareDone(database.connection));
  };
  try {
    // No column at all (a model of the intercept alone) still has rows.
    const sql = `select ${plans.map((cell) => cell.sql).join(', ') || '1'} from ${from}`;
    for await (const chunk of streamChunks(database.connection, sql)) {
      if (block.rows + chunk.rowCount > block.capacity) await flush();
      block.append(chunk, firstRow + block.rows);
    }
    if (block.rows > 0) await flush();
    return firstRow;
  } catch (error) {
    throw dataError(source.label, error);
  } finally {
    phase.end();
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
  if (kind === 'other' && (one.needs || !/^(TIME|UUID|INTERVAL)/.test(column.type)))
    throw wrongType('text, numbers or booleans');
  if (one.needs) return { name: one.name, levels: null, ...textCells(cell, kind) };
  const spelling = kind === 'text' ? spellingOf(one.levels) : 'plain';
  const alike = sameMeaning(one.levels);
  const pairs = ['true', 'false', 't', 'f', 'yes', 'no', 'y', 'n', '1', '0'].flatMap((word) => {
    const meant = alike(word);
    return meant === null || one.levels!.includes(word) ? [] : [`when '${word}' then ${sqlText(meant)}`];
  });
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
