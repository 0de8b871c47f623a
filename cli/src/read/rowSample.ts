import type { CodedColumn, Column, Table } from '../../../src/index.ts';
import { selectRows, splitmix32 } from '../../../src/internal.ts';

/** Rows of a part that were taken, their keys and their numbers. */
interface Taken {
  readonly table: Table;
  readonly keys: Float64Array;
  readonly numbers: Float64Array;
}

/**
 * A sample of rows without replacement, of tables as they come: those with the least random keys. Every set of as many rows is equally likely; the same seed and
 * rows give the same sample, however they are cut into tables. At most twice as many rows are in memory.
 */
export class RowSample {
  /** rows that came */
  rows = 0;
  readonly #most: number;
  readonly #random: () => number;
  #taken: Taken[] = [];
  #held = 0;
  #limit = Number.POSITIVE_INFINITY;

  constructor(most: number, seed: number) {
    this.#most = most;
    this.#random = splitmix32(seed);
  }

  add(table: Table): void {
    const chosen: number[] = [];
    const keys: number[] = [];
    for (let i = 0; i < table.rows; i++) {
      const key = this.#random();
      if (key >= this.#limit) continue;
      chosen.push(i);
      keys.push(key);
    }
    const first = this.rows;
    this.rows += table.rows;
    if (chosen.length === 0) return;
    this.#taken.push({
      table: selectRows(table, Uint32Array.from(chosen)),
      keys: Float64Array.from(keys),
      numbers: Float64Array.from(chosen, (row) => first + row),
    });
    this.#held += chosen.length;
    if (this.#held > 2 * this.#most) this.#settle();
  }

  #settle(): void {
    if (this.#taken.length > 1) {
      const tables = this.#taken.map(({ table }) => table);
      this.#taken = [
        {
          table: joinTables(tables),
          keys: joined(this.#taken.map(({ keys }) => keys)),
          numbers: joined(this.#taken.map(({ numbers }) => numbers)),
        },
      ];
    }
    const [one] = this.#taken;
    if (!one || one.keys.length <= this.#most) return;
    const least = Float64Array.from(one.keys).sort();
    this.#limit = least[this.#most];
    const kept = Uint32Array.from(one.keys.keys()).filter((i) => one.keys[i] < this.#limit);
    const pick = (values: Float64Array): Float64Array => Float64Array.from(kept, (i) => values[i]);
    this.#taken = [{ table: selectRows(one.table, kept), keys: pick(one.keys), numbers: pick(one.numbers) }];
    this.#held = kept.length;
  }

  /** The sample, in the order of the rows, and the number of each. Null: no row came. */
  finish(): { readonly table: Table; readonly numbers: Float64Array } | null {
    this.#settle();
    return this.#taken[0] ?? null;
  }
}

function joined(lists: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    out.set(list, at);
    at += list.length;
  }
  return out;
}

/** Tables of the same columns, one below the other. Codes of other levels are those of the levels of all. */
function joinTables(tables: readonly Table[]): Table {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return { rows, columns: tables[0].columns.map((_, k) => joinColumns(tables, k, rows)) };
}

function joinColumns(tables: readonly Table[], k: number, rows: number): Column {
  const columns = tables.map((table) => table.columns[k]);
  const [first] = columns;
  const missing = columns.some((column) => column.missing) ? new Uint8Array(rows) : null;
  let at = 0;
  const each = (use: (column: Column, n: number, from: number) => void): void => {
    at = 0;
    columns.forEach((column, i) => {
      use(column, tables[i].rows, at);
      at += tables[i].rows;
    });
  };
  if (missing)
    each((column, n, from) => {
      if (column.missing) missing.set(column.missing.subarray(0, n), from);
    });
  if (first.kind === 'numeric') {
    const values = new Float64Array(rows);
    each((column, n, from) => {
      if (column.kind === 'numeric') values.set(column.values.subarray(0, n), from);
    });
    return { ...first, values, missing };
  }
  const codes = new Uint32Array(rows);
  const own = columns.map((column) => (column as CodedColumn).levels);
  if (own.every((levels) => levels === own[0])) {
    each((column, n, from) => codes.set((column as CodedColumn).codes.subarray(0, n), from));
    return { ...first, codes, missing };
  }
  const places = new Map<string, number>();
  const place = (level: string): number => {
    const found = places.get(level) ?? places.size;
    places.set(level, found);
    return found;
  };
  each((column, n, from) => {
    const { codes: cells, levels } = column as CodedColumn;
    const moved = new Int32Array(levels.length).fill(-1);
    for (let i = 0; i < n; i++) {
      const code = cells[i];
      // beyond the levels: unseen, as it stays
      if (code >= levels.length) codes[from + i] = UNSEEN;
      else if (!column.missing?.[i]) {
        if (moved[code] < 0) moved[code] = place(levels[code]);
        codes[from + i] = moved[code];
      }
    }
  });
  const hasLists = columns.some((column) => (column as CodedColumn).lists);
  return { ...first, codes, levels: [...places.keys()], missing, ...(hasLists && { lists: true }) };
}

/** A code that no level has. */
const UNSEEN = 0xffffffff;
