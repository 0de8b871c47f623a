import type { Column } from 'logodds/score';
import type { Field } from 'logodds/stages';
import { badRequest } from '../refusal.ts';

/** What a cell of a column may be. */
export type Cell = number | bigint | boolean | string | null;

/** The cells of a field. */
export interface Cells {
  /** what it is called where it came from */
  readonly what: string;
  readonly cells: ArrayLike<Cell>;
  readonly isText: boolean;
  /** rows that are missing, beside those that are null or NaN */
  readonly missing: readonly number[];
}

export const quote = (name: string): string => JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
const LARGEST = Number.MAX_SAFE_INTEGER;

/** The column of a field. @throws Refusal for texts where numbers are asked for, and whole numbers that no double is */
export function columnOf({ name, type }: Field, { what, cells, isText, missing }: Cells, rows: number): Column {
  if (type === 'number' && isText)
    throw badRequest(`${what} ${quote(name)}: expected numbers, got texts; send doubles`);
  if (type === 'number' || (type === 'date' && !isText)) {
    const whole = missing.length === 0 && cells instanceof Float64Array ? columnsOf(cells, rows, 1) : null;
    if (whole?.areFinite[0]) return { name, kind: 'numeric', values: whole.columns[0], missing: null };
    const values = new Float64Array(rows);
    const lost = new Uint8Array(rows);
    for (let i = 0; i < rows; i++) putNumber(what, name, i, cells[i], values, lost);
    return { name, kind: 'numeric', values, missing: marked(lost, missing) };
  }
  const codes = new Uint32Array(rows);
  const lost = new Uint8Array(rows);
  const levels = new Map<Cell, number>();
  for (let i = 0; i < rows; i++) {
    const cell = cells[i];
    if (cell === null || Number.isNaN(cell)) lost[i] = 1;
    else {
      const code = levels.get(cell) ?? levels.size;
      if (code === levels.size) levels.set(cell, code);
      codes[i] = code;
    }
  }
  const texts = [...levels.keys()].map(String);
  const lists = type === 'tags' && texts.some((text) => text.startsWith('['));
  return { name, kind: 'coded', codes, levels: texts, missing: marked(lost, missing), ...(lists && { lists }) };
}

/** Rows that are turned into columns at a time: those of a few dozen numbers stay in the nearest cache. */
const BLOCK = 64;

/** The columns of rows of numbers, and which of them have finite numbers alone. */
export function columnsOf(
  cells: Float32Array | Float64Array,
  rows: number,
  width: number,
): { readonly columns: readonly Float64Array[]; readonly areFinite: readonly boolean[] } {
  const columns = Array.from({ length: width }, () => new Float64Array(rows));
  const sums = new Float64Array(width);
  for (let from = 0; from < rows; from += BLOCK) {
    const to = Math.min(rows, from + BLOCK);
    for (let j = 0; j < width; j++) {
      const column = columns[j];
      let sum = 0;
      for (let i = from, at = from * width + j; i < to; i++, at += width) {
        const cell = cells[at];
        column[i] = cell;
        // 0, and NaN for what is not finite
        sum += cell * 0;
      }
      sums[j] += sum;
    }
  }
  return { columns, areFinite: Array.from(sums, (sum) => sum === 0) };
}

/** Writes a number, or marks it as missing. @throws Refusal for what no double is */
export function putNumber(
  what: string,
  name: string,
  row: number,
  cell: Cell,
  values: Float64Array,
  lost: Uint8Array,
): void {
  const value = Number(cell);
  if (cell === null || Number.isNaN(value)) {
    lost[row] = 1;
    values[row] = 0;
  } else if (typeof cell === 'bigint' && !(value <= LARGEST && value >= -LARGEST))
    throw badRequest(
      `${what} ${quote(name)}, row ${row} (from 0): expected a whole number within ±2^53, got a greater one; send doubles`,
    );
  else values[row] = value;
}

/** Marks of missing cells; null where there are none. */
export function marked(lost: Uint8Array, rows: readonly number[]): Uint8Array | null {
  for (const row of rows) lost[row] = 1;
  return lost.includes(1) ? lost : null;
}
