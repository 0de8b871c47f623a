import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { Column, Table } from '../../../src/index.ts';
import { cellError } from '../../../src/internal.ts';
import type { Codes, LevelCodes } from './codes.ts';
import { Dictionary, isValid, type TextVector, wordsOf } from './dictionary.ts';

/** A column to read: the SQL that computes it (DOUBLE, the code of a level as UINTEGER, or VARCHAR) and the rules for its cells. */
export interface CellPlan {
  readonly name: string;
  /** null: numeric, or by `label` */
  readonly levels: readonly string[] | null;
  /** the SQL gives texts or numbers, which are collected in a dictionary of these labels; null: the text is not a label */
  readonly label?: (text: string) => string | null;
  /** the SQL gives numbers or texts, which these turn into codes of the levels */
  readonly codes?: LevelCodes | null;
  readonly sql: string;
  /** a missing cell is an error with this next step; absent: it may be missing */
  readonly required?: string;
  /** least number allowed; any finite number when absent */
  readonly least?: number;
}

type Cells = Float64Array | Codes;

/** A vector of DuckDB: its numbers or codes, and which of them are valid. */
interface RawVector {
  readonly items: Cells;
  readonly validity: { readonly data: BigUint64Array | null; readonly offset: number };
}

const validityBits = (mask: BigUint64Array) => new Uint8Array(mask.buffer, mask.byteOffset, mask.byteLength);

/** An array for codes below `values`. */
export const codesFor = (values: number, rows: number): Codes =>
  values <= 256 ? new Uint8Array(rows) : values <= 65536 ? new Uint16Array(rows) : new Uint32Array(rows);

/** A dictionary if the plan has none of its levels. */
export const newDictionary = ({ name, label }: CellPlan) => (label ? new Dictionary(name, label) : null);

/**
 * Collects rows from DuckDB's chunks directly in typed arrays, without an object for each cell.
 * It holds up to `capacity` rows; `table()` returns them and `clear()` empties it.
 */
export class Block {
  rows = 0;
  readonly capacity: number;
  private readonly plans: readonly CellPlan[];
  private readonly cells: Cells[];
  private readonly dictionaries: (Dictionary | null)[];
  private readonly missing: (Uint8Array | null)[];
  private readonly gaps: boolean[];

  /** @param dictionaries  of the plans with `label`, shared with other blocks */
  constructor(plans: readonly CellPlan[], capacity: number, dictionaries = plans.map(newDictionary)) {
    this.plans = plans;
    this.capacity = capacity;
    this.cells = plans.map(({ levels, label }) =>
      levels ? codesFor(levels.length + 1, capacity) : label ? new Uint32Array(capacity) : new Float64Array(capacity),
    );
    this.dictionaries = dictionaries;
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
      const vector = chunk.getColumnVector(column) as unknown;
      const { items, validity } = vector as RawVector;
      const dictionary = this.dictionaries[column];
      const { codes } = this.plans[column];
      const valid = validity.data && validityBits(validity.data);
      if (codes) {
        codes.write(
          codes.type === 'text' ? wordsOf(vector as TextVector) : (items as Float64Array),
          this.cells[column] as Codes,
          this.rows,
          count,
        );
      } else if (dictionary) {
        const into = this.cells[column] as Uint32Array;
        if (items instanceof Float64Array) dictionary.addNumbers(items, into, this.rows, count, valid, firstRow);
        else dictionary.addTexts(vector as TextVector, into, this.rows, count, valid, firstRow);
      } else this.cells[column].set(items, this.rows);
      if (valid) this.markMissing(column, valid, count, firstRow);
      if (!codes && !dictionary && items instanceof Float64Array) this.refuseOutside(column, items, count, firstRow);
    }
    this.rows += count;
  }

  /** The rows so far, as views that are valid until the next `clear`. */
  table(): Table {
    const columns = this.plans.map((plan, column): Column => {
      const { name } = plan;
      const levels = this.dictionaries[column]?.levels ?? plan.levels;
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
    // a dictionary serves the rows of one table, so that it stays small
    this.plans.forEach((plan, column) => {
      if (plan.label) this.dictionaries[column] = newDictionary(plan);
    });
    for (const [column, gap] of this.gaps.entries()) if (gap) this.missing[column]!.fill(0);
    this.gaps.fill(false);
  }

  private markMissing(column: number, bits: Uint8Array, count: number, firstRow: number): void {
    const { name, required } = this.plans[column];
    for (let i = 0; i < count; i++) {
      if (isValid(bits, i)) continue;
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
      const next = Number.isNaN(items[i]) ? 'say --na NaN' : 'leave the cell empty';
      throw cellError(firstRow + i, name, rule, items[i], `correct it, or ${next} if the value is missing`);
    }
  }
}
