import { columnsOf, findColumns } from './columns.ts';
import { tableFromRecords } from './records.ts';
import type { Column, Table } from './table.ts';

/** Rows of data: a table, or an array of records that `tableFromRecords` can read. */
export type Data = Table | readonly object[];

/** A table whose columns are looked up once: each is checked when it is first asked for, and handed on from then on. */
export class CheckedTable implements Table {
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly #checked = new Map<string, Column>();

  private constructor(table: Table) {
    this.columns = columnsOf(table);
    this.rows = table.rows;
  }

  /** @throws ERR_RANGE, ERR_SHAPE when it is no table; of records as `tableFromRecords` */
  static of(data: Data): CheckedTable {
    if (data instanceof CheckedTable) return data;
    return new CheckedTable(Array.isArray(data) ? tableFromRecords(data) : (data as Table));
  }

  get names(): string[] {
    return this.columns.map(({ name }) => name);
  }

  /** The columns of these names. @throws ERR_SCHEMA, ERR_SHAPE, ERR_RECORD as `findColumns` */
  all(names: readonly string[], firstRow = 0): readonly Column[] {
    const unknown = names.filter((name) => !this.#checked.has(name));
    if (unknown.length > 0)
      findColumns(this, unknown, firstRow).forEach((column, k) => {
        this.#checked.set(unknown[k], column);
      });
    return names.map((name) => this.#checked.get(name)!);
  }

  /** One of them. */
  column(name: string): Column {
    return this.all([name])[0];
  }
}
