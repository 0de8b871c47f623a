import { index } from '../../bindings/check.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { joinedBytes } from '../../bindings/joined.ts';
import { mostOfRow, type RowBlock, type RowColumn, type RowPiece, TextMemory } from '../../bindings/writer.ts';

/**
 * A part of each row: a text as it is; the number of a column; one of the texts `of`, by the codes of a column; or the number of the row, from 0.
 */
export type RowPart =
  | string
  | { readonly number: number }
  | { readonly text: number; readonly of: readonly string[] }
  | { readonly row: true };

/** Which rows of the columns are written. */
export interface RowRange {
  /** default 0 */
  readonly from?: number;
  /** default: as many as the first column has */
  readonly to?: number;
  /** what is added to the numbers of rows; default 0 */
  readonly first?: number;
}

/** Writes rows of text. It has no memory that must be freed. */
export interface RowWriter {
  /**
   * Returns rows as UTF-8.
   * @param columns  numbers as Float64Array, codes as Uint32Array
   * @throws ERR_SHAPE for a column that is missing, too short, or of the other kind; ERR_RANGE for a code without a text
   */
  write(columns: readonly RowColumn[], range?: RowRange): Uint8Array;
}

/** A longer row is written without WebAssembly, whose memory does not shrink. */
const MOST_ROW = 2 ** 20;
const MOST_ROWS = 2 ** 32 - 1;
/** Rows that are one text, without WebAssembly. */
const ROWS = 1024;
const NO_TEXTS: readonly Uint8Array[] = [];

const encoder = /* @__PURE__ */ new TextEncoder();

/** of all writers; undefined: not made yet */
let memory: TextMemory | null | undefined;

/**
 * Returns a writer of rows of JSON, CSV or other text, all of the same parts, without a string for each. Numbers have the characters of `String(x)`; those
 * that are not finite are `null`, as in JSON. In WebAssembly it is several times as fast as strings, to the same bytes.
 * @param parts  in their order; texts are not escaped
 * @example
 * const writer = rowWriter(['{"p":', { number: 0 }, ',"label":', { text: 1, of: ['"no"', '"yes"'] }, '}\n']);
 * const bytes = writer.write([Float64Array.of(0.25, 1e-7), Uint32Array.of(1, 0)]);
 * new TextDecoder().decode(bytes); // '{"p":0.25,"label":"yes"}\n{"p":1e-7,"label":"no"}\n'
 */
export function rowWriter(parts: readonly RowPart[]): RowWriter {
  const rows = new Rows(parts);
  return { write: (columns, range) => rows.write(columns, range) };
}

/** @internal */
export class Rows implements RowWriter {
  readonly #parts: readonly RowPart[];
  readonly #pieces: readonly RowPiece[];
  readonly #isLong: boolean;

  constructor(parts: readonly RowPart[]) {
    this.#parts = parts;
    this.#pieces = piecesOf(parts);
    this.#isLong = mostOfRow(this.#pieces) > MOST_ROW;
  }

  write(columns: readonly RowColumn[], range?: RowRange): Uint8Array {
    const all: Uint8Array[] = [];
    this.pass(columns, (bytes) => all.push(bytes.slice()), range);
    return all.length === 1 ? all[0] : joinedBytes(all);
  }

  /** Hands rows out piece by piece. @param full  takes bytes, which are valid during the call */
  pass(columns: readonly RowColumn[], full: RowBlock['full'], range: RowRange = {}): void {
    const to = index('to', range.to ?? columns[0]?.length ?? 0, MOST_ROWS);
    const from = index('from', range.from ?? 0, to);
    const first = index('first', range.first ?? 0, Number.MAX_SAFE_INTEGER);
    this.#check(columns, to);
    const text = (row: number): string => this.#parts.map((part) => textOf(part, columns, row, first)).join('');
    memory = memory === undefined ? TextMemory.make() : memory;
    if (memory && !this.#isLong) {
      const left = (row: number) => encoder.encode(text(row));
      memory.rows(this.#pieces, { columns, from, to, first, left, full });
      return;
    }
    for (let start = from; start < to; start += ROWS) {
      let some = '';
      for (let row = start; row < Math.min(to, start + ROWS); row++) some += text(row);
      full(encoder.encode(some));
    }
  }

  /** @throws ERR_SHAPE */
  #check(columns: readonly RowColumn[], to: number): void {
    for (const { kind, column } of this.#pieces) {
      if (kind !== 'number' && kind !== 'text') continue;
      const given = columns[column];
      const [type, isRight] =
        kind === 'number'
          ? ['Float64Array', given instanceof Float64Array]
          : ['Uint32Array', given instanceof Uint32Array];
      if (!isRight || given.length < to)
        throw new LogoddsError(
          'ERR_SHAPE',
          `columns: expected at ${column} a ${type} of ${to} values at least, got ${isRight ? given.length : 'something else'}; hand over one column for each part`,
        );
    }
  }
}

/** Each text with the cell behind it. */
function piecesOf(parts: readonly RowPart[]): RowPiece[] {
  const pieces: RowPiece[] = [];
  let before = '';
  const add = (kind: RowPiece['kind'], column = -1, texts = NO_TEXTS) => {
    pieces.push({ before: encoder.encode(before), kind, column, texts });
    before = '';
  };
  for (const part of parts) {
    if (typeof part === 'string') before += part;
    else if ('number' in part) add('number', part.number);
    else if ('text' in part)
      add(
        'text',
        part.text,
        part.of.map((text) => encoder.encode(text)),
      );
    else add('row');
  }
  if (before !== '') add('none');
  return pieces;
}

function textOf(part: RowPart, columns: readonly RowColumn[], row: number, first: number): string {
  if (typeof part === 'string') return part;
  if ('row' in part) return `${first + row}`;
  if ('number' in part) {
    const value = columns[part.number][row];
    return Number.isFinite(value) ? `${value}` : 'null';
  }
  const code = columns[part.text][row];
  const text = part.of[code];
  if (text !== undefined) return text;
  throw new LogoddsError(
    'ERR_RANGE',
    `columns, row ${row} (from 0): expected a code below ${part.of.length}, got ${code}; give each code a text`,
  );
}
