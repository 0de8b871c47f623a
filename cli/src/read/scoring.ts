import { cellError } from '../../../src/encode/columns.ts';
import { list, show } from '../../../src/encode/label.ts';
import { LogoddsError, type Model, type Table } from '../../../src/index.ts';
import { startRows } from '../terminal/progress.ts';
import { Block, type CellPlan } from './block.ts';
import { type Database, dataError, name, openDatabase, rowsOf, shareDone, streamChunks } from './database.ts';
import { cellText, createLevelType, levelKeys, spell, spellingOf, textCells } from './levels.ts';
import { asNumbers, type Need, needsOf } from './needs.ts';
import { type DataOptions, nearest, openSource, type Source, type SourceColumn, shorten } from './source.ts';
import { refuseText } from './training.ts';

/** What one column is read for. */
interface Wanted {
  readonly name: string;
  /** known labels; null: numbers, or what the needs say */
  readonly levels: readonly string[] | null;
  readonly role: 'feature' | 'offset' | 'target' | 'weight';
  readonly unseen: 'slot' | 'error';
  /** of a column whose labels the model does not list, or that features read in several ways */
  readonly needs?: ReadonlySet<Need>;
}

/** Columns that `eval` reads beside those of the model. */
export interface FurtherColumns {
  readonly target?: string;
  readonly weight?: string;
}

/** Rows handed over at a time: a few of DuckDB's chunks, small enough for the caches; of many classes one chunk. */
const blockRows = (classes: number): number => (classes <= 16 ? 16_384 : 2048);
/** DuckDB spills beyond this, so that the whole process stays well under 1 GiB whatever the size of the input. */
const MEMORY_LIMIT = '512MB';

const ADVICE = 'fill the cell, or leave the row out with --query';

/**
 * Streams the rows of DATA in blocks of typed arrays that fit the model: bounded memory whatever the size of DATA.
 * @param use  called with each block in order; the table is valid during the call
 * @param warn  told once which columns of DATA are not used
 * @returns rows read
 * @throws ERR_SCHEMA absent columns (all named) or columns of a wrong type; ERR_RECORD for a cell that cannot be used
 */
export async function streamTable(
  model: Model,
  data: DataOptions,
  further: FurtherColumns,
  use: (table: Table, firstRow: number) => void,
  warn: (message: string) => void,
): Promise<number> {
  const database = await openDatabase(MEMORY_LIMIT);
  const wanted = wantedColumns(model, further);
  let source: Source | null = null;
  try {
    source = await openFor(database, data, wanted);
    const known = [...wanted.map((one) => one.name), model.manifest.target, model.manifest.weight];
    const extra = source.columns.map((column) => column.name).filter((column) => !known.includes(column));
    if (extra.length > 0) {
      warn(
        `ignored ${extra.length === 1 ? 'a column' : `${extra.length} columns`} the model does not use: ${shorten(extra)}`,
      );
    }
    return await stream(database, source, wanted, use, blockRows(model.manifest.classes.length));
  } finally {
    source?.close();
    database.close();
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

/** Opens DATA; JSON lines are looked at as a whole only when their first part lacks a column. */
async function openFor(database: Database, data: DataOptions, wanted: readonly Wanted[]): Promise<Source> {
  let source = await openSource(database.connection, data, false);
  const absentIn = ({ columns }: Source) => wanted.filter((one) => !columns.some((column) => column.name === one.name));
  if (source.typing === 'jsonl' && absentIn(source).length > 0)
    source = await openSource(database.connection, data, true);
  const absent = absentIn(source);
  if (absent.length > 0) {
    const names = source.columns.map((column) => column.name);
    const guess = absent.length === 1 ? nearest(absent[0].name, names) : null;
    const next = guess
      ? `did you mean ${show(guess)}? rename it`
      : 'add them (empty cells are missing values), or rename the columns that hold them';
    const what =
      absent.length === 1 ? `column ${show(absent[0].name)}` : `columns ${list(absent.map((one) => one.name))}`;
    source.close();
    throw new LogoddsError(
      'ERR_SCHEMA',
      `${source.label}: expected ${what} of the model, got ${shorten(names)}; ${next}`,
    );
  }
  return source;
}

async function stream(
  database: Database,
  source: Source,
  wanted: readonly Wanted[],
  use: (table: Table, firstRow: number) => void,
  capacity: number,
): Promise<number> {
  const loose = source.typing !== 'typed';
  const columnOf = (one: Wanted) => source.columns.find((column) => column.name === one.name)!;
  const numbers = (one: Wanted) => !one.levels || (one.needs && asNumbers(one.needs, source, columnOf(one)));
  const text = (one: Wanted) => (one.needs && source.typing === 'jsonl' ? 'JSON' : 'VARCHAR');
  const types = Object.fromEntries(wanted.map((one) => [one.name, numbers(one) ? 'DOUBLE' : text(one)]));
  const plans: CellPlan[] = [];
  for (const one of wanted) {
    const read = numbers(one) ? { ...one, levels: null, needs: undefined } : one;
    plans.push(await planCells(database, source, read, columnOf(one), loose));
  }

  const from = source.relation(loose ? types : undefined);
  const block = new Block(plans, capacity);
  const phase = startRows('score');
  let firstRow = 0;
  const flush = async () => {
    const table = block.table();
    await refuseUnseen(database, from, wanted, plans, table, firstRow);
    use(table, firstRow);
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
  } catch (error) {
    if (error instanceof LogoddsError) throw error;
    const other = await database.connect();
    for (const one of wanted)
      if (numbers(one))
        await refuseText(other, source, one, 'correct the cell, or leave it empty if the value is missing');
    throw dataError(source.label, error);
  } finally {
    phase.end();
  }
  if (firstRow === 0)
    throw new LogoddsError(
      'ERR_DATA',
      `${source.label}: expected rows, got none (a header only, or an empty result); check how it was made`,
    );
  return firstRow;
}

/** @param loose  cells arrive as DOUBLE or VARCHAR as asked for, else as the type of the column */
async function planCells(
  database: Database,
  { label, typing }: Source,
  one: Wanted,
  column: SourceColumn,
  loose: boolean,
): Promise<CellPlan> {
  const required = one.role === 'feature' ? undefined : ADVICE;
  const wrongType = (rule: string) =>
    new LogoddsError(
      'ERR_SCHEMA',
      `${label}, column ${show(one.name)}: expected ${rule}, got ${column.type}; convert it with --query`,
    );
  const cell = name(one.name);
  if (one.levels === null) {
    if (!loose && !['integer', 'float', 'boolean'].includes(column.kind)) throw wrongType('numbers (as in training)');
    return {
      name: one.name,
      levels: null,
      sql: `cast(${cell} as double)`,
      required,
      least: one.role === 'weight' ? 0 : undefined,
    };
  }
  if ((one.needs || !loose) && column.kind === 'other') throw wrongType('text, numbers or booleans');
  if (one.needs) {
    const spelling = typing === 'csv' && one.needs.has('level') ? spellingOf(one.levels) : 'plain';
    return { name: one.name, levels: null, ...textCells(cell, column.kind, typing, spelling) };
  }
  const kind = loose ? 'text' : column.kind;
  const spelling = kind === 'text' || kind === 'json' ? spellingOf(one.levels) : 'plain';
  const type = await createLevelType(
    database.connection,
    await levelKeys(database.connection, one.levels, kind, spelling),
  );
  return { name: one.name, levels: one.levels, sql: type.code(spell(cellText(cell, kind), spelling)), required };
}

/** Where unseen categories are errors, finds the first one and quotes its value. @throws ERR_RECORD */
async function refuseUnseen(
  database: Database,
  from: string,
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
    const values = `select ${name(column)} as cell from ${from} limit 1 offset ${firstRow + at}`;
    const [found] = await rowsOf(await database.connect(), values);
    const rule = role === 'target' ? `a class of the model (${list(levels)})` : 'a category seen in training';
    const next = role === 'target' ? ADVICE : 'correct it, or train with --unseen slot';
    throw cellError(firstRow + at, plans[index].name, rule, found?.['cell'], next);
  }
}
