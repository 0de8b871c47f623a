import { LogoddsError } from '../../bindings/errors.ts';
import { columnsOf } from './columns.ts';
import type { Column, Table } from './table.ts';

/**
 * Returns two tables: the rows with flag 0 and the rows with flag 1, each in their order. Cells are copied.
 * @param heldOut  one flag for each row; 1 = the row goes to `holdout`
 * @throws ERR_SHAPE when heldOut.length !== table.rows
 * @example
 * const { train, holdout } = splitTable(table, Uint8Array.from(records, (_, i) => Number(i % 3 === 0)));
 * train.rows; // 20
 * holdout.rows; // 10
 */
export function splitTable(table: Table, heldOut: Uint8Array): { train: Table; holdout: Table } {
  if (heldOut.length !== table.rows) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `heldOut: expected length ${table.rows} (rows of the table), got ${heldOut.length}`,
    );
  }
  let held = 0;
  for (let i = 0; i < table.rows; i++) if (heldOut[i] !== 0) held++;
  const parts = [new Uint32Array(table.rows - held), new Uint32Array(held)] as const;
  const [fitted, others] = parts;
  let at = 0;
  for (let i = 0; i < table.rows; i++) {
    if (heldOut[i] === 0) fitted[i - at] = i;
    else others[at++] = i;
  }
  const [train, holdout] = parts.map((rows) => selectRows(table, rows));
  return { train, holdout };
}

/** These rows of a table, in this order. Cells are copied. */
export const selectRows = (table: Table, rows: Uint32Array): Table => ({
  rows: rows.length,
  columns: table.columns.map((column) => mapCells(column, (cells) => pick(cells, rows))),
});

/**
 * Returns rows start … end − 1 of a table. **The result shares the memory of the table:** no cell is copied.
 * @example
 * const part = sliceTable(table, 10, 20);
 * part.rows; // 10
 * part.columns[0].values[0]; // 1990
 */
export function sliceTable(table: Table, start: number, end: number): Table {
  const cut = <T extends Cells>(cells: T): T =>
    // of a detached one nothing can be cut
    (ArrayBuffer.isView(cells) && 'subarray' in cells && cells.length > 0 && cells.length !== end - start
      ? cells.subarray(start, end)
      : cells) as T;
  return { rows: end - start, columns: columnsOf(table).map((column) => mapCells(column, cut)) };
}

type Cells = Float64Array | Float32Array | Uint8Array | Uint16Array | Uint32Array;

function mapCells(column: Column, change: <T extends Cells>(cells: T) => T): Column {
  const missing = column.missing ? change(column.missing) : null;
  return column.kind === 'numeric'
    ? { ...column, values: change(column.values), missing }
    : { ...column, codes: change(column.codes), missing };
}

/** These cells, copied. */
export function pick<T extends Cells>(cells: T, rows: Uint32Array): T {
  const out = new (cells.constructor as new (length: number) => T)(rows.length);
  for (let i = 0; i < rows.length; i++) out[i] = cells[rows[i]];
  return out;
}
