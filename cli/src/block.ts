import type { DuckDBDataChunk } from '@duckdb/node-api';
import { cellError } from '../../src/encode/columns.ts';
import type { Column, Table } from '../../src/index.ts';

/** One column to read: what SQL computes it (DOUBLE, or the code of a level as UINTEGER) and what its cells must satisfy. */
export interface CellPlan {
  readonly name: string;
  /** null: numeric */
  readonly levels: readonly string[] | null;
  readonly sql: string;
  /** a missing cell is an error with this next step; absent: it may be missing */
  readonly required?: string;
  /** least number allowed; any finite number when absent */
  readonly least?: number;
}

type Codes = Uint8Array | Uint16Array | Uint32Array;
type Cells = Float64Array | Codes;

/** What the vectors of DuckDB hold that are read here: numbers or codes, and which of them are valid. */
interface RawVector {
  readonly items: Cells;
  readonly validity: { readonly data: BigUint64Array | null; readonly offset: number };
}

/** An array for codes below `values`. */
export const codesFor = (values: number, rows: number): Codes =>
  values <= 256 ? new Uint8Array(rows) : values <= 65536 ? new Uint16Array(rows) : new Uint32Array(rows);

/**
 * Rows gathered from DuckDB's chunks straight into typed arrays; no value object is made per cell.
 * Filled up to `capacity`, read through `table()`, emptied by `clear()`.
 */
export class Block {
  rows = 0;
  readonly capacity: number;
  private readonly plans: readonly CellPlan[];
  private readonly cells: Cells[];
  private readonly missing: (Uint8Array | null)[];
  private readonly gaps: boolean[];

  constructor(plans: readonly CellPlan[], capacity: number) {
    this.plans = plans;
    this.capacity = capacity;
    this.cells = plans.map(({ levels }) =>
      levels ? codesFor(levels.length + 1, capacity) : new Float64Array(capacity),
    );
    this.missing = plans.map(() => null);
    this.gaps = plans.map(() => false);
  }

  /**
   * Appends a chunk whose first columns are the plans.
   * @param firstRow  number of the chunk's first row in the input, for errors
   * @throws ERR_RECORD a NaN or infinite number, a missing cell where the plan requires one
   */
  append(chunk: DuckDBDataChunk, firstRow: number): void {
    const count = chunk.rowCount;
    for (let column = 0; column < this.plans.length; column++) {
      const { items, validity } = chunk.getColumnVector(column) as unknown as RawVector;
      this.cells[column].set(items, this.rows);
      if (validity.data !== null) this.markMissing(column, validity.data, count, firstRow);
      if (items instanceof Float64Array) this.refuseOutside(column, items, count, firstRow);
    }
    this.rows += count;
  }

  /** The rows so far; views that hold until the next `clear`. */
  table(): Table {
    const columns = this.plans.map(({ name, levels }, column): Column => {
      const missing = this.gaps[column] ? this.missing[column]!.subarray(0, this.rows) : null;
      const cells = this.cells[column].subarray(0, this.rows);
      return levels
        ? { name, kind: 'coded', codes: cells as Codes, levels, missing }
        : { name, kind: 'numeric', values: cells as Float64Array, missing };
    });
    return { rows: this.rows, columns };
  }

  clear(): void {
    this.rows = 0;
    for (const [column, gap] of this.gaps.entries()) if (gap) this.missing[column]!.fill(0);
    this.gaps.fill(false);
  }

  private markMissing(column: number, mask: BigUint64Array, count: number, firstRow: number): void {
    const bytes = new Uint8Array(mask.buffer, mask.byteOffset, mask.byteLength);
    const { name, required } = this.plans[column];
    for (let i = 0; i < count; i++) {
      if ((bytes[i >> 3] >> (i & 7)) & 1) continue;
      if (required !== undefined) throw cellError(firstRow + i, name, 'a value', null, required);
      this.missing[column] ??= new Uint8Array(this.capacity);
      this.missing[column]![this.rows + i] = 1;
      this.gaps[column] = true;
    }
  }

  private refuseOutside(column: number, items: Float64Array, count: number, firstRow: number): void {
    const { name, least = -Number.MAX_VALUE } = this.plans[column];
    const missing = this.gaps[column] ? this.missing[column] : null;
    for (let i = 0; i < count; i++) {
      if ((items[i] >= least && items[i] <= Number.MAX_VALUE) || missing?.[this.rows + i]) continue;
      const rule = least === 0 ? 'a finite number >= 0' : 'a finite number';
      throw cellError(
        firstRow + i,
        name,
        rule,
        items[i],
        'correct it, or leave the cell empty if the value is missing',
      );
    }
  }
}
