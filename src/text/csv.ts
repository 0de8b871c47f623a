/** The records of CSV, as places in its bytes. No other code judges where a cell ends. */

/** What a cell is; the command has further kinds from 4 on. */
export const CSV_CELL = {
  /** no value: an empty cell without quotes */
  none: 0,
  /** text without quotes, without the blanks around it */
  bare: 1,
  /** text in quotes, without the quotes */
  quoted: 2,
  /** the same with quotes in it, each written twice */
  doubled: 3,
} as const;

/** What ends a cell without quotes, or must not be in it. */
const BYTE = { other: 0, delimiter: 1, lf: 2, cr: 3, nul: 4 } as const;
const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;

/** Why bytes are no record: a quote that is not closed, something behind one that is, a NUL. */
export type CsvFault = 'unclosed' | 'behind' | 'nul';

/** Thrown where bytes are no record. */
export class CsvError extends Error {
  readonly fault: CsvFault;
  /** number of the cell, from 0 */
  readonly cell: number;
  /** place of the byte */
  readonly at: number;

  constructor(fault: CsvFault, cell: number, at: number) {
    super(fault);
    this.fault = fault;
    this.cell = cell;
    this.at = at;
  }
}

/**
 * Reads records one by one.
 *
 * - A cell in quotes ends at the next quote that is not doubled. Blanks around it are ignored; anything else after it is an error. In a cell
 *   without quotes a quote is an ordinary character.
 * - Blanks (spaces and, unless they delimit, tabs) around a cell without quotes are not part of it.
 * - A record ends at LF, CRLF or CR, also mixed.
 */
export class CsvRecords {
  /** of the last record: where its cells begin and end, and what they are (`CSV_CELL`) */
  starts = new Int32Array(256);
  ends = new Int32Array(256);
  kinds = new Uint8Array(256);
  /** number of its cells */
  cells = 0;
  /** line ends inside it */
  lines = 0;
  /** whether it ended with a CR that is the last byte, which an LF may follow */
  endsWithCr = false;
  readonly #classes = new Uint8Array(256);
  readonly #quote: number;
  readonly #tab: number;

  /** @param quote  null: none */
  constructor(delimiter: string, quote: string | null) {
    this.#classes[LF] = BYTE.lf;
    this.#classes[CR] = BYTE.cr;
    this.#classes[0] = BYTE.nul;
    this.#classes[delimiter.charCodeAt(0)] = BYTE.delimiter;
    this.#quote = quote === null ? -1 : quote.charCodeAt(0);
    this.#tab = delimiter === '\t' ? -1 : TAB;
  }

  /**
   * Reads the record at `from`.
   * @param last  the input ends with these bytes
   * @returns where the next one begins, or −1 if the bytes end first
   * @throws CsvError
   */
  next(bytes: Uint8Array, from: number, last: boolean): number {
    const classes = this.#classes;
    const quote = this.#quote;
    const tab = this.#tab;
    const { length } = bytes;
    let { starts, ends, kinds } = this;
    let cells = 0;
    let at = from;
    this.lines = 0;
    this.endsWithCr = false;
    for (;;) {
      if (cells === starts.length) {
        grow(this);
        ({ starts, ends, kinds } = this);
      }
      let byte = bytes[at];
      while (at < length && (byte === SPACE || byte === tab)) byte = bytes[++at];
      if (byte === quote && at < length) {
        starts[cells] = ++at;
        kinds[cells] = CSV_CELL.quoted;
        at = this.#endOfQuoted(bytes, at, cells, last);
        if (at < 0) return -1;
        ends[cells] = at;
        byte = bytes[++at];
        while (at < length && (byte === SPACE || byte === tab)) byte = bytes[++at];
        if (at < length && classes[byte] === BYTE.other) throw new CsvError('behind', cells, at);
      } else {
        const start = at;
        while (at < length && classes[bytes[at]] === BYTE.other) at++;
        let end = at;
        while (end > start && (bytes[end - 1] === SPACE || bytes[end - 1] === tab)) end--;
        starts[cells] = start;
        ends[cells] = end;
        kinds[cells] = end > start ? CSV_CELL.bare : CSV_CELL.none;
        byte = bytes[at];
      }
      if (at >= length) {
        if (!last) return -1;
        cells++;
        break;
      }
      const what = classes[byte];
      if (what === BYTE.nul) throw new CsvError('nul', cells, at);
      cells++;
      at++;
      if (what === BYTE.delimiter) continue;
      if (what === BYTE.cr) {
        if (at >= length) this.endsWithCr = true;
        else if (bytes[at] === LF) at++;
      }
      break;
    }
    this.cells = cells;
    return at;
  }

  /** Where the quote is that closes a cell; −1 if the bytes end first. */
  #endOfQuoted(bytes: Uint8Array, from: number, cell: number, last: boolean): number {
    const quote = this.#quote;
    const { length } = bytes;
    let at = from;
    for (;;) {
      if (at >= length) {
        if (last) throw new CsvError('unclosed', cell, from - 1);
        return -1;
      }
      const byte = bytes[at];
      if (byte === quote) {
        if (at + 1 >= length && !last) return -1;
        if (bytes[at + 1] !== quote) return at;
        this.kinds[cell] = CSV_CELL.doubled;
        at++;
      } else if (byte === LF) this.lines++;
      else if (byte === CR) {
        if (bytes[at + 1] !== LF) this.lines++;
      } else if (byte === 0) throw new CsvError('nul', cell, at);
      at++;
    }
  }

  /** Whether the last record is an empty line, or one of blanks. */
  get isBlank(): boolean {
    return this.cells === 1 && this.kinds[0] === CSV_CELL.none;
  }
}

/** Places of cells, as typed arrays of one length. */
interface Cells {
  starts: Int32Array;
  ends: Int32Array;
  kinds: Uint8Array;
}

/** Makes room for twice as many cells. */
export function grow(cells: Cells): void {
  const more = <T extends Int32Array | Uint8Array>(array: T): T => {
    const bigger = new (array.constructor as new (length: number) => T)(2 * array.length);
    bigger.set(array);
    return bigger;
  };
  cells.starts = more(cells.starts);
  cells.ends = more(cells.ends);
  cells.kinds = more(cells.kinds);
}

/** Candidate delimiters if none is given. */
const DELIMITERS = [',', ';', '\t', '|'];

/** What a header says of its delimiter: the candidates that are in it most often, outside quotes; a comma where there is none of them. */
export function likelyDelimiters(header: string, quote: string | null): string[] {
  const outside =
    quote === null
      ? header
      : header
          .split(quote)
          .filter((_, i) => i % 2 === 0)
          .join('');
  const counts = DELIMITERS.map((mark) => outside.split(mark).length - 1);
  const most = Math.max(...counts);
  return most === 0 ? [','] : DELIMITERS.filter((_, i) => counts[i] === most);
}

/** The delimiter of a line that Excel writes to name it; null for any other line. */
export const namedDelimiter = (line: string): string | null => /^\s*"?sep=(.)"?\s*$/i.exec(line)?.[1] ?? null;

/** Texts that mean a missing cell in a column whose other cells are numbers. */
export const MISSING_TOKENS = [
  ...['NA', 'N/A', '#N/A', 'NaN', 'nan', 'null', 'NULL', 'None', '.', '-', '?', 'unknown'],
] as const;
