import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { Column, Table } from '../../../src/index.ts';
import { cellError, LABEL_RULE } from '../../../src/internal.ts';
import type { Codes, LevelCodes } from './codes.ts';

/** A column to read: the SQL that computes it (DOUBLE, the code of a level as UINTEGER, or VARCHAR) and the rules for its cells. */
export interface CellPlan {
  readonly name: string;
  /** null: numeric, or by `label` */
  readonly levels: readonly string[] | null;
  /** the SQL gives texts, which are collected in a dictionary of these labels; null: the text is not a label */
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

/** A vector of DuckDB's texts. Each takes 16 bytes: the length, then the text itself if it has at most 12 bytes. */
interface TextVector {
  readonly dataView: DataView;
  readonly validity: RawVector['validity'];
  getItem(index: number): string | null;
}

/** Longest text that is stored in its vector. */
const INLINE = 12;

/** Gives texts codes in the order of their first occurrence. */
class Dictionary {
  readonly levels: string[] = [];
  readonly #label: (text: string) => string | null;
  readonly #byLabel = new Map<string, number>();
  /** by bytes, one character each */
  readonly #short = new Map<string, number>();
  readonly #long = new Map<string, number>();

  constructor(label: (text: string) => string | null) {
    this.#label = label;
  }

  /** @throws ERR_RECORD */
  encode(vector: TextVector, codes: Uint32Array, at: number, count: number, name: string, firstRow: number): void {
    const { buffer, byteOffset, byteLength } = vector.dataView;
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    const valid = vector.validity.data && validityBits(vector.validity.data);
    for (let i = 0; i < count; i++) {
      if (valid && !isValid(valid, i)) continue;
      const length = bytes.readUInt32LE(16 * i);
      const start = 16 * i + 4;
      const short = length <= INLINE;
      const known = short ? this.#short : this.#long;
      const key = short ? bytes.toString('latin1', start, start + length) : vector.getItem(i)!;
      let code = known.get(key);
      if (code === undefined) {
        code = this.#add(short ? bytes.toString('utf8', start, start + length) : key, name, firstRow + i);
        known.set(key, code);
      }
      codes[at + i] = code;
    }
  }

  #add(text: string, name: string, row: number): number {
    const label = this.#label(text);
    if (label === null)
      throw cellError(row, name, `${LABEL_RULE}, or a list of these`, text, 'correct it with --query');
    const code = this.#byLabel.get(label) ?? this.levels.push(label) - 1;
    this.#byLabel.set(label, code);
    return code;
  }
}

const wordsOf = ({ dataView: { buffer, byteOffset, byteLength } }: TextVector) =>
  new Uint32Array(buffer, byteOffset, byteLength / 4);

const validityBits = (mask: BigUint64Array) => new Uint8Array(mask.buffer, mask.byteOffset, mask.byteLength);
const isValid = (bits: Uint8Array, i: number) => ((bits[i >> 3] >> (i & 7)) & 1) !== 0;

/** An array for codes below `values`. */
export const codesFor = (values: number, rows: number): Codes =>
  values <= 256 ? new Uint8Array(rows) : values <= 65536 ? new Uint16Array(rows) : new Uint32Array(rows);

const newDictionary = ({ label }: CellPlan) => (label ? new Dictionary(label) : null);

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

  constructor(plans: readonly CellPlan[], capacity: number) {
    this.plans = plans;
    this.capacity = capacity;
    this.cells = plans.map(({ levels, label }) =>
      levels ? codesFor(levels.length + 1, capacity) : label ? new Uint32Array(capacity) : new Float64Array(capacity),
    );
    this.dictionaries = plans.map(newDictionary);
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
      const { name, codes } = this.plans[column];
      if (codes) {
        codes.write(
          codes.type === 'text' ? wordsOf(vector as TextVector) : (items as Float64Array),
          this.cells[column] as Codes,
          this.rows,
          count,
        );
      } else if (dictionary) {
        dictionary.encode(vector as TextVector, this.cells[column] as Uint32Array, this.rows, count, name, firstRow);
      } else this.cells[column].set(items, this.rows);
      if (validity.data !== null) this.markMissing(column, validity.data, count, firstRow);
      if (!codes && items instanceof Float64Array) this.refuseOutside(column, items, count, firstRow);
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

  private markMissing(column: number, mask: BigUint64Array, count: number, firstRow: number): void {
    const bits = validityBits(mask);
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
