import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type Column,
  type Engine,
  type DataOptions as FitColumns,
  LogoddsError,
  sliceTable,
  splitTable,
  type Table,
  type Warning,
} from '../../../src/index.ts';
import { type Cells, type RowStore, selectRows, TableInParts, type TrainingProblem } from '../../../src/internal.ts';
import { commandError } from '../errors.ts';
import { counted } from '../figures/wording.ts';
import { discard, reason, runFolder } from '../write/temporary.ts';
import { codesFor } from './block.ts';
import { nthOf } from './gaps.ts';
import { RowSample } from './rowSample.ts';
import { lazyDatabase, type SourceOptions } from './source.ts';
import { copyTraining, type Pause, type ReadPlan, type Roles, type TrainingCopy } from './training.ts';

/** Shares of the limit: for DuckDB while it is open, for one part of the rows in transit, and for memory that is not counted. */
const DATABASE = 0.4;
const PART = 0.04;
const SLACK = 0.1;
/** Share of the limit for a sample of the rows, and its largest number of rows. */
const SAMPLE = 0.02;
const SAMPLE_ROWS = 50_000;
/** Largest number of rows in a part: a few chunks of DuckDB, and at least one. */
const PART_ROWS = 16_384;
const CHUNK_ROWS = 2048;
/** Rows of one block of a sum. Windows are a multiple of it if possible. */
const BLOCK_ROWS = 32_768;
/** Largest number of parameters for which a fit forms matrices, and about how many it has at a time. */
const MATRIX_PARAMETERS = 2000;
const MATRICES = 10;
/** Bytes of the limit for each thread of DuckDB, because each reads a piece of the file. */
const THREAD = 1e9;
/** Largest size of a window in bytes: linear memory has 4 GiB. */
const MOST_WINDOW = 3e9;
/** Smallest limit: DuckDB needs about forty megabytes to work at all. */
const LEAST = 100e6;

/**
 * Rows in a scratch file, each column contiguous. A signal removes the file. After `release` it has no name, so nothing remains however the
 * program ends.
 *
 *   | column 0: rows × its width | column 1 | …
 */
export class Spill implements RowStore {
  readonly #fd: number;
  readonly #folder = runFolder();
  readonly #path = join(this.#folder, 'spill.rows');
  readonly #bases: readonly number[];
  readonly #widths: readonly number[];
  readonly #bytes: number;

  /**
   * @param widths  bytes of a cell of each column
   * @throws ERR_OUTPUT
   */
  constructor(rows: number, widths: readonly number[]) {
    let bytes = 0;
    this.#bases = widths.map((width) => {
      bytes += width * rows;
      return bytes - width * rows;
    });
    this.#widths = widths;
    this.#bytes = bytes;
    try {
      this.#fd = openSync(this.#path, 'wx+', 0o600);
    } catch (error) {
      discard(this.#folder);
      throw this.#error(error);
    }
  }

  /** Removes the name, so that a signal may end the program at once. */
  release(): void {
    discard(this.#folder);
  }

  write(column: number, first: number, cells: Cells): void {
    const bytes = bytesOf(cells);
    const start = this.#bases[column] + first * this.#widths[column];
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at, start + at);
    } catch (error) {
      throw this.#error(error);
    }
  }

  read(column: number, first: number, cells: Cells): void {
    const bytes = bytesOf(cells);
    const start = this.#bases[column] + first * this.#widths[column];
    try {
      for (let at = 0; at < bytes.length; ) {
        const count = readSync(this.#fd, bytes, at, bytes.length - at, start + at);
        if (count === 0) throw new Error('it ended early');
        at += count;
      }
    } catch (error) {
      throw this.#error(error);
    }
  }

  close(): void {
    this.release();
    closeSync(this.#fd);
  }

  #error(error: unknown): LogoddsError {
    return commandError(
      'ERR_OUTPUT',
      `scratch file ${this.#path}: cannot be used (${reason(error)}); free ${megabytes(this.#bytes)} there, or set TMPDIR to a folder that has as much`,
      { cause: error },
    );
  }
}

const bytesOf = (cells: Cells) => new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);
const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)}MB`;

/** The rows that `train` fits and holds out, from a file that need not fit into memory. */
export interface SpilledSplit {
  readonly train: TrainingProblem;
  /** held-out rows with at least the columns that are not features; null if there are none */
  readonly holdout: Table | null;
  /** held-out rows from start to end − 1, all columns */
  readonly part: (start: number, end: number) => Table;
  /** of a part at most */
  readonly partRows: number;
  /** all rows of `train`, or a sample of them and of how many, with the target */
  readonly sample: { readonly table: Table; readonly of?: number };
  readonly features: readonly string[];
  /** notes about rows that are left out */
  readonly leftOut: readonly Warning[];
  /** Turns an error about a row of `train` (or `holdout`) into one about the row of the source, with file and line if they are known. */
  placed(error: unknown, which?: 'train' | 'holdout'): Promise<unknown>;
  close(): void;
}

/** How rows are read, split and fitted. */
export interface SpillOptions {
  readonly data: SourceOptions;
  readonly roles: Roles;
  /** share of the rows that `roles.holdoutBy` holds out */
  readonly fraction: number;
  /** without `roles.holdoutBy`: 1 for each row to hold out, from the columns that are not features; null: hold out none */
  readonly flags: (roles: Table) => Uint8Array | null;
  readonly columns: FitColumns;
  readonly coding: 'onehot' | 'treatment';
  /** number of float64 vectors over the rows that the fit adds to those it is given, for this many classes */
  readonly vectors: (classes: number) => number;
}

/**
 * Reads DATA once, within a limit of memory, and writes the encoded rows to a scratch file. DuckDB copies the rows to a table that spills. That
 * table is read twice in parts: for the schema, then to encode the rows. The class, weight and offset of every row stay in memory.
 *
 * @param limit  bytes above those of the program without data; DuckDB closes before the fit begins, so each may use all of it
 * @throws ERR_MEMORY for a limit that is too low, naming one that suffices; the errors of reading; ERR_OUTPUT when the disk is full
 */
export async function readWithin(limit: number, engine: Engine, options: SpillOptions): Promise<SpilledSplit> {
  if (limit < LEAST) throw tooLittle(limit, LEAST, 'to read a file');
  const threads = Math.min(availableParallelism(), Math.max(1, Math.floor(limit / THREAD)));
  // a file of text needs none
  const database = lazyDatabase(`${Math.floor((DATABASE * limit) / 1e6)}MB`, threads);
  let copy: TrainingCopy | null = null;
  const files: Spill[] = [];
  let placing: SpilledSplit['placed'] = async (error) => error;
  const close = () => {
    for (const file of files.splice(0)) file.close();
  };
  try {
    copy = await copyTraining(database.get, options.data, options.roles, options.fraction);
    const { plans, features, rows: all } = copy;
    const isFeature = ({ name }: ReadPlan) => features.includes(name);
    const [given, cells] = [plans.filter((plan) => !isFeature(plan)), plans.filter(isFeature)];
    const shape = `for ${all.toLocaleString('en-US')} rows of ${counted(cells.length, 'feature')}`;
    // each number three times (as read, split and checked), each class with its flags and as two vectors
    const bytesRead = 24 * all * given.length;
    if (bytesRead > (1 - DATABASE - SLACK) * limit) throw tooLittle(limit, bytesRead / (1 - DATABASE - SLACK), shape);
    const { table, largest, leftOut, placed } = await copy.whole(given, collector(PART * limit, 64));
    const { rows } = table;
    placing = (error) => placed(error);
    const heldOut = largest ?? options.flags(table);
    placing = (error, which = 'train') =>
      placed(error, (row) => (heldOut ? nthOf(heldOut, which === 'train' ? 0 : 1, row) : row));
    const split = heldOut && splitTable(table, heldOut);
    const holdout = split && split.holdout.rows > 0 ? split.holdout : null;
    const draft = new TableInParts(split ? split.train : table, options.columns, options.coding, engine);
    const held = holdout?.rows ?? 0;

    const rowBytes = cells.reduce((sum, plan) => sum + widthOf(plan) + 1, 0);
    const partRows = Math.floor(Math.min(PART_ROWS, Math.max(CHUNK_ROWS, (PART * limit) / rowBytes)));
    const parts = async (use: (part: Table, held: Table | null) => void) => {
      let first = 0;
      for await (const part of copy!.parts(cells, partRows, collector(PART * limit, rowBytes + 64))) {
        const two = holdout ? splitTable(part, heldOut!.subarray(first, first + part.rows)) : null;
        use(two?.train ?? part, two?.holdout ?? null);
        first += part.rows;
      }
    };
    const sample = new RowSample(Math.max(1000, Math.min(SAMPLE_ROWS, Math.floor((SAMPLE * limit) / rowBytes))), 1);
    await parts((part) => {
      draft.learn(part);
      sample.add(part);
    });
    const { widths, schema } = draft.open(partRows);
    const store = new Spill(rows - held, widths);
    files.push(store);
    const raw = new Spill(
      held,
      cells.flatMap((plan) => [widthOf(plan), 1]),
    );
    files.push(raw);
    let written = 0;
    const none = new Uint8Array(partRows);
    await parts((part, others) => {
      draft.encode(part, store);
      others?.columns.forEach((column, j) => {
        raw.write(2 * j, written, column.kind === 'numeric' ? column.values : column.codes);
        raw.write(2 * j + 1, written, column.missing ?? none.subarray(0, others.rows));
      });
      written += others?.rows ?? 0;
    });
    copy.close();
    await database.close();
    // handle pending signals now, because the fit does not see them
    await collect();
    for (const file of files) file.release();

    const { classes } = draft.rows.target;
    const weights = draft.rows.kind === 'binomial' ? 1 : classes.length;
    const together = draft.rows.kind === 'multinomial' ? weights : 1;
    const slots = schema.features.reduce(
      (sum, feature) => sum + (feature.kind === 'categorical' ? feature.levels.length + 2 : 3),
      0,
    );
    const parameters = together * (slots + 1);
    const matrices = parameters <= MATRIX_PARAMETERS ? (MATRICES + 2 * engine.threads) * 8 * parameters ** 2 : 0;
    const vectors =
      vectorBytes(draft) + 8 * (rows - held) * (options.vectors(weights) + (weights > together ? weights : 0));
    // logits of the held-out rows, and the arrays that their metrics sort
    const scored = held * (16 * weights + 48);
    const fixed = matrices + vectors + scored;
    // y, weight, offset, curvature, factors and the copies of a selection
    const windowBytes = widths.reduce((sum, width) => sum + width, 0) + 8 * (7 + together);
    const room = (1 - SLACK) * limit - fixed;
    const capacity = Math.floor(Math.min(room, MOST_WINDOW) / windowBytes);
    if (capacity < CHUNK_ROWS) throw tooLittle(limit, (fixed + CHUNK_ROWS * windowBytes) / (1 - SLACK), shape);
    const whole = capacity < BLOCK_ROWS ? capacity : capacity - (capacity % BLOCK_ROWS);
    return {
      train: draft.problem(store, whole),
      holdout,
      part: (start, end) => ({
        rows: end - start,
        columns: [...sliceTable(holdout!, start, end).columns, ...readCells(raw, cells, start, end)],
      }),
      partRows,
      sample: withRoles(sample, split ? split.train : table),
      features,
      leftOut,
      placed: placing,
      close,
    };
  } catch (error) {
    close();
    const { message, cause } = error as Error;
    if (!/Out of Memory/.test(`${message} ${cause}`)) throw await placing(error);
    throw new LogoddsError(
      'ERR_MEMORY',
      `--memory: expected more for DuckDB to read the columns (CSV files and many columns need more), got ${megabytes(limit)}; raise it, or name fewer --features`,
      { cause: error },
    );
  } finally {
    copy?.close();
    await database.close();
  }
}

/** The sample with the columns that are not features. @param roles  these columns of all rows */
function withRoles(sample: RowSample, roles: Table): { readonly table: Table; readonly of: number } {
  const { table, numbers } = sample.finish()!;
  const own = selectRows(roles, Uint32Array.from(numbers));
  return { table: { rows: table.rows, columns: [...own.columns, ...table.columns] }, of: sample.rows };
}

/** Bytes of the vectors over the rows; a shared vector counts once. */
function vectorBytes({ rows: { target, y, sampleWeight, weight, offset, counts, unit } }: TableInParts): number {
  const vectors = new Set([target.code, target.trials, y, sampleWeight, weight, offset, counts, unit]);
  let bytes = 0;
  for (const vector of vectors) bytes += vector?.byteLength ?? 0;
  return bytes;
}

/** Cells before they are encoded. */
const emptyCells = ({ levels }: ReadPlan, rows: number): Cells =>
  levels ? codesFor(levels.length + 1, rows) : new Float64Array(rows);
const widthOf = (plan: ReadPlan) => emptyCells(plan, 0).BYTES_PER_ELEMENT;

function readCells(raw: Spill, plans: readonly ReadPlan[], start: number, end: number): Column[] {
  return plans.map((plan, j): Column => {
    const { name, levels } = plan;
    const cells = emptyCells(plan, end - start);
    const missing = new Uint8Array(end - start);
    raw.read(2 * j, start, cells);
    raw.read(2 * j + 1, start, missing);
    return levels
      ? { name, kind: 'coded', codes: cells as Uint8Array | Uint16Array | Uint32Array, levels, missing }
      : { name, kind: 'numeric', values: cells as Float64Array, missing };
  });
}

function tooLittle(limit: number, needed: number, what: string): LogoddsError {
  return new LogoddsError(
    'ERR_MEMORY',
    `--memory: expected at least ${megabytes(needed)} ${what}, got ${megabytes(limit)}; raise it`,
  );
}

/**
 * Frees DuckDB's chunks and their copies. Only the garbage collector can free them, and it does not know their size.
 * @param most  bytes after which it is run
 * @param rowBytes  bytes of a row in a chunk
 */
function collector(most: number, rowBytes: number): Pause {
  let bytes = 0;
  return (rows) => {
    bytes += rows * rowBytes;
    if (bytes < most) return undefined;
    bytes = 0;
    return collect();
  };
}

let gc: (() => void) | undefined;

/** Frees objects without references. */
export async function collect(): Promise<void> {
  if (!gc) {
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as () => void;
  }
  gc();
  // finalizers run between two tasks
  await new Promise((resolve) => setImmediate(resolve));
}
