/** Training rows from any source. */

import { type CodedColumn, LogoddsError, type NumericColumn, type Table, type Warning } from '../../../src/index.ts';
import { cellError, parseDate, selectRows } from '../../../src/internal.ts';
import { counted } from '../figures/wording.ts';
import { startRows } from '../terminal/progress.ts';
import type { CellPlan } from './block.ts';
import type { Database } from './database.ts';
import { Gaps, leavesOut } from './gaps.ts';
import { largestOf } from './largest.ts';
import { fileCellError, movedTo, rowOf, withPlace } from './place.ts';
import { type Part, partsOf, type Roles, type Unreadable } from './roles.ts';
import { isText, openSource, type SourceOptions, type TextSource, type TypedSource } from './source.ts';
import { type ColumnPlan, TableBuilder } from './text/builder.ts';
import { planText } from './text/plan.ts';
import { type RecordUse, Slots, scanning, sizeOf } from './text/source.ts';
import { readOnce } from './typedOnce.ts';
import { copyTyped, type Pause, typedParts } from './typedTraining.ts';

export { type Roles, refuseContradictions } from './roles.ts';
export type { Pause } from './typedTraining.ts';

export interface TrainingData {
  /** features, target, weight and offset, in the order of the source */
  readonly table: Table;
  readonly features: readonly string[];
  /** 1 for rows with the largest values of holdoutBy; null without holdoutBy */
  readonly largest: Uint8Array | null;
  /** notes about rows that are left out */
  readonly leftOut: readonly Warning[];
  /**
   * Turns an error about a row of the table into one about the row of the source, with file and line. @param tableRow  the row of the table
   */
  placed(error: unknown, tableRow?: (row: number) => number): Promise<unknown>;
}

/** How a column is read: its name, its levels if it has any, and whether labels are collected. */
export type ReadPlan = CellPlan | ColumnPlan;

/** Rows whose columns have been judged. They can be read any number of times, all at once or in parts. */
export interface TrainingCopy {
  /** of each column in use, in the order of the source */
  readonly plans: readonly ReadPlan[];
  readonly features: readonly string[];
  /** number of rows in the source, including those that are left out */
  readonly rows: number;
  /** Reads the columns of these plans, the flags of the largest rows, and notes about rows left out. */
  whole(
    plans: readonly ReadPlan[],
    pause?: Pause,
  ): Promise<Pick<TrainingData, 'table' | 'largest' | 'leftOut' | 'placed'>>;
  /**
   * Reads the columns of these plans in parts of at most this many rows (at least a chunk of DuckDB). A part is valid until the next one.
   */
  parts(plans: readonly ReadPlan[], most: number, pause?: Pause): AsyncGenerator<Table>;
  /** removes spooled input */
  close(): void;
}

/** Reads what training needs into typed arrays. @param fraction  of rows that are the largest by `holdoutBy` */
export async function readTraining(
  database: () => Promise<Database>,
  data: SourceOptions,
  roles: Roles,
  fraction: number,
  unreadable?: Unreadable,
): Promise<TrainingData> {
  const copy = await copyTraining(database, data, roles, fraction, unreadable, !unreadable);
  try {
    return { ...(await copy.whole(copy.plans)), features: copy.features };
  } finally {
    copy.close();
  }
}

/**
 * Reads all rows to judge each column. Rows that DuckDB reads are then in a table, which may spill to disk. Text files are read again
 * later.
 * @param once  `whole` is all that will be asked for, once, so rows that DuckDB reads go to memory
 */
export async function copyTraining(
  database: () => Promise<Database>,
  data: SourceOptions,
  roles: Roles,
  fraction: number,
  unreadable?: Unreadable,
  once = false,
): Promise<TrainingCopy> {
  const source = await openSource(database, data);
  try {
    const given = partsOf(source, roles);
    const by: Part[] =
      roles.holdoutBy === undefined
        ? []
        : [{ name: roles.holdoutBy, role: 'feature', read: 'order', needs: null, gaps: 'keep' }];
    const all = [...given, ...by];
    const read = isText(source)
      ? await textRows(source, all, unreadable)
      : once
        ? await typedRowsOnce(await database(), source, all)
        : await typedRows(await database(), source, all, unreadable);
    const parts = read.columns.filter((part) => !by.includes(part));
    const features = parts.filter(({ role }) => role === 'feature').map(({ name }) => name);
    const plans = read.plans.slice(0, parts.length);
    const byPlan = read.plans.slice(parts.length);
    // texts that are dates become instants
    const leaving = leavesOut(parts);
    const leavers = leaving.map((part) => plans[parts.indexOf(part)]);
    let left: LeftOut | null = null;
    /** Decides which rows stay, from this table if it has all the columns that decide; otherwise these columns are read first. */
    const find = async (table: Table | null, given: readonly ReadPlan[], pause?: Pause): Promise<LeftOut> => {
      if (left) return left;
      const gaps = new Gaps(leaving, read.rows);
      if (table && leavers.every((plan) => given.includes(plan)))
        gaps.add(
          table,
          leavers.map((plan) => given.indexOf(plan)),
        );
      else
        for await (const part of read.parts(leavers, GAP_ROWS, pause))
          gaps.add(
            part,
            leavers.map((_, k) => k),
          );
      left = { kept: gaps.finish(source.label), warnings: gaps.warnings() };
      return left;
    };
    const dated = new Set([...parts, ...by].flatMap(({ read: how }, i) => (how === 'order' ? [read.plans[i]] : [])));
    return {
      plans,
      features,
      rows: read.rows,
      async whole(wanted, pause) {
        const given = [...wanted, ...byPlan];
        let table: Table = { rows: read.rows, columns: [] };
        for await (const whole of read.parts(given, read.rows, pause)) table = whole;
        const columns = table.columns.map((column, i) =>
          dated.has(given[i]) && column.kind === 'coded' ? instants(column) : column,
        );
        const { kept, warnings } = await find({ ...table, columns }, given, pause);
        table = kept ? selectRows({ ...table, columns }, kept) : { ...table, columns };
        const { rows } = table;
        const keys = byPlan.length > 0 ? (table.columns[wanted.length] as NumericColumn) : null;
        return {
          table: { rows, columns: table.columns.slice(0, wanted.length) },
          largest: keys && largestOf(keys, rows, fraction),
          leftOut: warnings,
          async placed(error, tableRow = (row) => row) {
            const row = rowOf(error);
            if (row === null) return error;
            const at = tableRow(row);
            const moved = movedTo(kept ? kept[at] : at, error as LogoddsError);
            return isText(source) ? withPlace(source, moved) : moved;
          },
        };
      },
      async *parts(wanted, most, pause) {
        const { kept } = await find(null, [], pause);
        if (!kept) {
          yield* read.parts(wanted, most, pause);
          return;
        }
        let [first, at] = [0, 0];
        for await (const part of read.parts(wanted, most, pause)) {
          const start = at;
          while (at < kept.length && kept[at] < first + part.rows) at++;
          yield selectRows(
            part,
            kept.subarray(start, at).map((row) => row - first),
          );
          first += part.rows;
        }
      },
      close: () => source.close(),
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

/** Rows that stay (null: all), and notes about the others. */
interface LeftOut {
  readonly kept: Uint32Array | null;
  readonly warnings: readonly Warning[];
}

/** Rows of a part if only missing cells are counted. */
const GAP_ROWS = 16_384;

interface Readable {
  /** those of the parts that can be read */
  readonly columns: readonly Part[];
  readonly plans: readonly ReadPlan[];
  readonly rows: number;
  parts(plans: readonly ReadPlan[], most: number, pause?: Pause): AsyncGenerator<Table>;
}

async function typedRows(
  database: Database,
  source: TypedSource,
  all: readonly Part[],
  unreadable?: Unreadable,
): Promise<Readable> {
  const { plans, rows, parts: columns } = await copyTyped(database, source, all, unreadable);
  return {
    columns,
    plans,
    rows,
    parts: (wanted, most, pause) => typedParts(database.connection, wanted as readonly CellPlan[], rows, most, pause),
  };
}

async function typedRowsOnce(database: Database, source: TypedSource, all: readonly Part[]): Promise<Readable> {
  const read = await readOnce(database, source, all);
  const { rows } = read.table;
  let left: Table | null = read.table;
  return {
    columns: all,
    plans: read.plans,
    rows,
    async *parts(wanted) {
      const columns = left!.columns.filter((_, k) => wanted.includes(read.plans[k]));
      left = null;
      yield { rows, columns };
    },
  };
}

async function textRows(source: TextSource, all: readonly Part[], unreadable?: Unreadable): Promise<Readable> {
  const phase = startRows('look');
  const size = sizeOf(source);
  const looked = (rows: number, bytes: number) => phase.update(rows, bytes / size);
  const { plans, rows, parts: columns } = await planText(source, all, looked, unreadable).finally(() => phase.end());
  return {
    columns,
    plans,
    rows,
    parts: (wanted, most, pause) => textParts(source, wanted as readonly ColumnPlan[], rows, most, pause),
  };
}

async function* textParts(
  source: TextSource,
  plans: readonly ColumnPlan[],
  rows: number,
  most: number,
  pause?: Pause,
): AsyncGenerator<Table> {
  const phase = startRows('read');
  const slots = new Slots(plans.map(({ name }) => name));
  let label = source.label;
  const builder = new TableBuilder(plans, Math.min(most, rows), source.reading, (row, line, ...cell) => {
    throw fileCellError(label, line, row, ...cell);
  });
  const ready: Table[] = [];
  let row = 0;
  const use: RecordUse = (record, file) => {
    if (builder.rows === builder.capacity) {
      ready.push(builder.table());
      builder.clear();
    }
    label = file.label;
    builder.add(record, slots.of(file), row++);
  };
  async function* take(): AsyncGenerator<Table> {
    for (let table = ready.shift(); table; table = ready.shift()) {
      yield table;
      await pause?.(table.rows);
    }
    phase.update(row, row / rows);
  }
  try {
    for await (const _ of scanning(source, use)) yield* take();
    yield* take();
    if (row !== rows) {
      throw new LogoddsError(
        'ERR_DATA',
        `${source.label}: expected ${counted(rows, 'row')} as in the first pass, got ${row}; the file changed while it was read`,
      );
    }
    yield builder.table();
    await pause?.(builder.rows);
  } finally {
    phase.end();
  }
}

/** Turns a column of date texts into instants. @throws ERR_RECORD for a text that is not a date */
function instants({ name, codes, levels, missing }: CodedColumn): NumericColumn {
  const times = levels.map((level) => parseDate(level));
  const values = Float64Array.from(codes, (code, row) => {
    if (missing?.[row]) return 0;
    const time = times[code];
    if (time !== null) return time;
    throw cellError(
      row,
      name,
      'a number, or a date as in ISO 8601 (2024-05-03, 2024-05-03T12:30)',
      levels[code],
      `text has no order in time; write ${name} so, or derive a number with --query`,
    );
  });
  return { name, kind: 'numeric', values, missing };
}
