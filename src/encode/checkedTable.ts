import { columnsOf, findColumns } from './columns.ts';
import type { Column, Table } from './table.ts';

/** A table whose columns are looked up once: each is checked when it is first asked for, and handed on from then on. */
export class CheckedTable implements Table {
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly #checked = new Map<string, Column>();

  private constructor(table: Table) {
    this.columns = columnsOf(table);
    this.rows = table.rows;
  }

  /** @throws ERR_RANGE, ERR_SHAPE when it is no table */
  static of(table: Table): CheckedTable {
    return table instanceof CheckedTable ? table : new CheckedTable(table);
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
