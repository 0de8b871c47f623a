/** Rows of Parquet files that are read here, by the codes of their dictionaries; what is unusual in them is left to DuckDB. */
import { closeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Table } from '../../../../src/index.ts';
import { arriving } from '../../stores/arrivals.ts';
import type { Reading } from '../text/options.ts';
import { type ReadColumns, sayExtra, type UseShare } from '../wanted.ts';
import { Cells, type Plan, planOf } from './column.ts';
import { footerArrived, openParquetFile, type ParquetFile } from './footer.ts';
import { Budget, Pages } from './pages.ts';

/** Most files that are open at once. */
const MOST_FILES = 64;

/** Bytes of the pages that are in memory. */
const MOST_BYTES = 2 ** 27;

/** The rows of Parquet files. */
export class ParquetRows {
  readonly rows: number;
  readonly #files: readonly ParquetFile[];
  readonly #cells: readonly Cells[];
  readonly #capacity: number;
  /** of files whose bytes arrive: what rows need, in their order */
  readonly #groups: readonly Group[];
  #arrived = 0;

  private constructor(files: readonly ParquetFile[], plans: readonly Plan[], capacity: number) {
    this.rows = files.reduce((sum, file) => sum + file.rows, 0);
    this.#files = files;
    this.#capacity = capacity;
    const budget = new Budget(MOST_BYTES);
    this.#groups = groupsOf(files, new Set(plans.map(({ name }) => name)));
    this.#cells = plans.map((plan) => {
      const pages = files.map(
        ({ fd, columns }) => new Pages(fd, columns.find(({ name }) => name === plan.column)!, budget),
      );
      return new Cells(plan, pages, capacity);
    });
  }

  /**
   * @returns null for files or columns that are left to DuckDB altogether; nothing has then been said
   */
  static async open(
    paths: readonly string[],
    { wanted, known, capacity }: ReadColumns,
    reading: Reading,
  ): Promise<ParquetRows | null> {
    if (paths.length > MOST_FILES || wanted.length === 0) return null;
    const files: ParquetFile[] = [];
    const left = () => {
      for (const { fd } of files) closeSync(fd);
      return null;
    };
    await Promise.all(paths.map(footerArrived));
    for (const path of paths) {
      const file = openParquetFile(path);
      if (file === null) return left();
      files.push(file);
      if (shapeOf(file) !== shapeOf(files[0])) return left();
    }
    const [{ columns }] = files;
    const names = columns.map(({ name }) => name);
    // DuckDB's reader says what is absent
    if (!wanted.every(({ name, column }) => names.includes(column ?? name))) return left();
    const plans = wanted.map((one) =>
      planOf(one, columns.find(({ name }) => name === (one.column ?? one.name))!, reading),
    );
    const rows = new ParquetRows(
      files,
      plans.filter((plan) => plan !== null),
      capacity,
    );
    if (rows.rows === 0 || plans.includes(null)) return left();
    sayExtra({ reading }, names, known, wanted);
    for (const plan of plans) if (plan!.note) reading.warn(plan!.note);
    return rows;
  }

  /**
   * @returns how many rows were used; fewer than there are when the rest is left to DuckDB
   * @throws what `use` throws
   */
  async stream(use: UseShare): Promise<number> {
    try {
      for (let first = 0; first < this.rows; ) {
        const count = Math.min(this.#capacity, this.rows - first);
        await this.#arrive(first + count);
        const table = this.#next(count);
        if (table === null) return first;
        await use(table, first, (first + table.rows) / this.rows);
        first += table.rows;
        // reading does not wait for anything, so that signals would
        await setImmediate();
      }
      return this.rows;
    } finally {
      this.close();
    }
  }

  close(): void {
    for (const { fd } of this.#files) closeSync(fd);
  }

  /** Waits for what the rows up to this one need, and begins to fetch what the next group does. @throws ERR_STORE */
  async #arrive(end: number): Promise<void> {
    for (; this.#arrived < this.#groups.length && this.#groups[this.#arrived].first < end; this.#arrived++) {
      const group = this.#groups[this.#arrived];
      const next = this.#groups[this.#arrived + 1];
      const waits = group.ranges.map(([from, to]) => arriving(group.path)!.need(from, to));
      for (const [from, to] of next?.ranges ?? []) arriving(next.path)!.ahead(from, to);
      await Promise.all(waits);
    }
  }

  #next(rows: number): Table | null {
    try {
      for (const cells of this.#cells) cells.fill(rows);
    } catch {
      return null;
    }
    return { rows, columns: this.#cells.map((cells) => cells.column(rows)) };
  }
}

/** A group of rows of a file whose bytes arrive. */
interface Group {
  readonly path: string;
  /** number of its first row */
  readonly first: number;
  /** the bytes of the columns that are read */
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

function groupsOf(files: readonly ParquetFile[], names: ReadonlySet<string>): Group[] {
  const groups: Group[] = [];
  let first = 0;
  for (const { path, columns, rows } of files) {
    const own = columns.filter(({ name }) => names.has(name));
    if (arriving(path)) {
      let at = first;
      for (const [k, chunk] of own[0].chunks.entries()) {
        groups.push({ path, first: at, ranges: own.map(({ chunks }) => [chunks[k].start, chunks[k].end]) });
        at += chunk.rows;
      }
    }
    first += rows;
  }
  return groups;
}

/** What files must have in common. */
const shapeOf = ({ columns }: ParquetFile) => JSON.stringify(columns.map(({ name, type }) => [name, type]));
