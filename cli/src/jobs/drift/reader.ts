import { type Column, type Engine, LogoddsError, type Model, sliceTable, type Table } from '../../../../src/index.ts';
import { show } from '../../../../src/internal.ts';
import { type Summary, watch } from '../../../../src/monitor.ts';
import { counted } from '../../figures/wording.ts';
import { rowsOf } from '../../read/database.ts';
import type { RowSample } from '../../read/rowSample.ts';
import { streamColumns } from '../../read/scoring.ts';
import { isText, lazyDatabase, openSource, type SourceOptions } from '../../read/source.ts';
import type { Wanted } from '../../read/wanted.ts';
import type { Skipped } from './options.ts';

/** What takes the rows of a pass. */
export interface Taking {
  readonly summary?: Summary;
  readonly sample?: RowSample;
}

/** Rows of a block. */
const BLOCK = 16_384;
const NOT_FINITE = ['NaN', 'Infinity', '-Infinity'];

/**
 * Reads the rows of a side, once or again. What cannot be used is told by name, and the rest goes on: a column that is absent, or has a cell that it may not
 * have, counts as missing cells; so do NaN and infinite numbers; a row that the model refuses is counted as such.
 */
export class SideReader {
  /** columns that count as missing, and why */
  readonly gone = new Map<string, string>();
  /** what was met, one sentence each */
  readonly notes: string[] = [];
  /** the first refusal of a row */
  refusal: string | null = null;
  readonly what: string;
  readonly #source: SourceOptions;
  readonly #engine: Engine;
  readonly #hidden: ReadonlySet<string>;
  #lenient = false;

  /**
   * @param what  for messages
   * @param hidden  columns whose values are personal: no message quotes one
   */
  constructor(what: string, source: SourceOptions, engine: Engine, hidden: ReadonlySet<string> = new Set()) {
    this.#hidden = hidden;
    this.what = what;
    this.#source = source;
    this.#engine = engine;
  }

  /**
   * Reads all rows.
   * @param make  what takes them, made anew where a pass begins again
   * @param model  for a summary
   * @throws the errors of reading that are about no column
   */
  async read<T extends Taking>(wanted: readonly Wanted[], make: () => T, model?: Model): Promise<T & { rows: number }> {
    for (;;) {
      const taking = make();
      try {
        return { ...taking, rows: await this.#pass(wanted, taking, model) };
      } catch (error) {
        await this.#mend(wanted, error);
      }
    }
  }

  async #pass(wanted: readonly Wanted[], { summary, sample }: Taking, model?: Model): Promise<number> {
    const here = wanted.filter(({ name }) => !this.gone.has(name));
    const gone = wanted.filter(({ name }) => this.gone.has(name));
    const scoring = summary && this.scoring(model!, summary);
    try {
      return await streamColumns(
        { ...this.#source, ...(this.#lenient && { na: [...(this.#source.na ?? []), ...NOT_FINITE] }), warn: () => {} },
        // a value that the model refuses is found where rows are scored
        { wanted: here.map((one) => ({ ...one, unseen: 'slot' })), model: null, capacity: BLOCK },
        (table, first) => {
          const rows = gone.length ? withMissing(table, gone) : table;
          scoring?.add(rows, first);
          sample?.add(rows);
        },
        () => {},
      );
    } finally {
      scoring?.end();
    }
  }

  /** Adds tables to a summary. A row that the model refuses is found by halving, and counted. */
  scoring(model: Model, summary: Summary): { add(table: Table, first: number): void; end(): void } {
    const scorer = watch(model, summary).scorer(this.#engine, { reuse: true, capacity: BLOCK });
    const add = (table: Table, first: number): void => {
      const before = summary.refused;
      try {
        scorer.score(table, first);
      } catch (error) {
        if (!(error instanceof LogoddsError) || error.code !== 'ERR_RECORD') throw error;
        summary.refused = before;
        if (table.rows === 1) {
          summary.refused++;
          this.refusal ??= this.told(error);
          return;
        }
        const middle = table.rows >> 1;
        add(sliceTable(table, 0, middle), first);
        add(sliceTable(table, middle, table.rows), first + middle);
      }
    };
    return { add, end: () => scorer.free() };
  }

  /** Decides what is left out after an error. @throws it, where it is about no column that can be left out */
  async #mend(wanted: readonly Wanted[], error: unknown): Promise<void> {
    if (!(error instanceof LogoddsError) || this.#source.data === '-') throw error;
    if (!this.#lenient && /, got (NaN|-?Infinity);/.test(error.detail)) {
      this.#lenient = true;
      await this.#countNotFinite(wanted);
      return;
    }
    const features = wanted.filter(({ role }) => role === 'feature').map(({ name }) => name);
    const bad = [...new Set(error.problems.flatMap(({ field }) => field ?? []))].filter(
      (name) => features.includes(name) && !this.gone.has(name),
    );
    if (bad.length === 0 || (error.code !== 'ERR_RECORD' && error.code !== 'ERR_SCHEMA')) throw error;
    const isAbsent = error.problems.every(({ rule }) => rule === 'a column that is there');
    // missing cells alone would be called drift
    if (isAbsent && bad.length === features.length)
      throw new LogoddsError(
        'ERR_SCHEMA',
        `${this.what}: expected columns of the model (${features.slice(0, 12).map(show).join(', ')}), got none of them; give data of this model`,
      );
    for (const name of bad) this.gone.set(name, isAbsent ? `absent in ${this.what}` : this.told(error));
  }

  /** The sentence of an error, without its value where that is personal. */
  told(error: LogoddsError): string {
    return error.problems.some(({ field }) => field !== undefined && this.#hidden.has(field))
      ? error.message
      : error.detail;
  }

  /** Notes how many cells of each column are NaN or infinite. */
  async #countNotFinite(wanted: readonly Wanted[]): Promise<void> {
    const database = lazyDatabase('512MB');
    try {
      const source = await openSource(database.get, { ...this.#source, warn: () => {} }, false);
      const names = wanted.map(({ name }) => name);
      if (isText(source)) {
        this.notes.push(`NaN and infinite numbers of ${this.what} count as missing`);
        return;
      }
      const columns = source.columns.filter((one) => one.kind === 'float' && names.includes(one.name));
      if (columns.length === 0) return;
      const counts = columns.map(({ sql, type }, k) =>
        type.startsWith('DECIMAL') ? `0 as c${k}` : `count_if(not isfinite(${sql})) as c${k}`,
      );
      const { connection } = await database.get();
      const [found] = await rowsOf(connection, `select ${counts.join(', ')} from ${source.relation}`);
      columns.forEach(({ name }, k) => {
        const cells = Number(found[`c${k}`]);
        if (cells > 0)
          this.notes.push(
            `column ${show(name)} of ${this.what} has ${counted(cells, 'cell that is', 'cells that are')} NaN or infinite; ${cells === 1 ? 'it counts' : 'they count'} as missing`,
          );
      });
    } finally {
      await database.close();
    }
  }

  /** The columns that count as missing. */
  get skipped(): Skipped[] {
    return [...this.gone].map(([name, why]) => ({ name, why: `${why}: all its cells count as missing` }));
  }
}

/** A table with columns of nothing but missing cells. */
const withMissing = (table: Table, gone: readonly Wanted[]): Table => ({
  rows: table.rows,
  columns: [
    ...table.columns,
    ...gone.map(({ name, levels, needs }): Column => {
      const missing = new Uint8Array(table.rows).fill(1);
      return levels === null && !needs
        ? { name, kind: 'numeric', values: new Float64Array(table.rows), missing }
        : { name, kind: 'coded', codes: new Uint8Array(table.rows), levels: [...(levels ?? [])], missing };
    }),
  ],
});
