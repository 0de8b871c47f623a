import { LogoddsError } from '../../bindings/errors.ts';
import { CSV_DELIMITERS, type CsvLayout, MISSING, type ScannedField } from '../../bindings/scanner.ts';
import { refuseAbsent } from '../encode/columns.ts';
import { show } from '../messages.ts';
import type { Model } from '../model/model.ts';
import { likelyTexts, numberOf, type TextColumn, TOKENS, textColumns } from '../text/columns.ts';
import { CSV_CELL, CsvError, type CsvFault, CsvRecords, likelyDelimiters, namedDelimiter } from '../text/csv.ts';
import { textOf } from '../text/number.ts';
import { notUtf8 } from './json.ts';
import { RowError, wrongBytes } from './scores.ts';

const LF = 10;
const CR = 13;
const QUOTE = '"';

/** What was expected where bytes are no record, and what is there. */
const RULES: Readonly<Record<CsvFault, readonly [rule: string, got: string]>> = {
  unclosed: ['a closing quote', 'the end'],
  behind: ['a delimiter or the end of the line behind the quoted cell', 'something else'],
  nul: ['no NUL character', 'one'],
};

/** @param place  where it is, beside the row */
function wrongRecord(row: number, offset: number, { fault, at }: CsvError, place = ''): RowError {
  const [rule, got] = RULES[fault];
  return wrongBytes(row, offset + at, `${rule}${place}`, undefined, got);
}

/** Where a row is in bytes, and where the next one begins. */
export interface Extent {
  readonly start: number;
  readonly end: number;
  readonly next: number;
}

/** CSV for a model: its header, where its rows are, what their cells are. */
export class CsvInput {
  /** once the header was read */
  delimiter: string | null = null;
  /** names of the header */
  names: string[] = [];
  readonly #columns: ReadonlyMap<string, TextColumn>;
  #records!: CsvRecords;
  #header: Uint8Array[] = [];
  /** of each column the number of its cell */
  #places: number[] = [];

  constructor({ encoder, manifest }: Model) {
    this.#columns = textColumns(encoder.schema.features, manifest.offset);
  }

  /**
   * Reads the header, and what may stand before it: blank lines, and a line that names the delimiter.
   * @returns where the rows begin; −1: more bytes are needed
   * @throws RowError
   */
  begin(bytes: Uint8Array, from: number, last: boolean, base: number): number {
    let at = from;
    let named: string | null = null;
    for (;;) {
      const end = lineEnd(bytes, at);
      if (isCut(bytes, end) && !last) return -1;
      const line = textOf(bytes, at, end);
      if (line.trim() !== '') {
        const said: string | null = named === null ? namedDelimiter(line) : null;
        if (said === null) {
          this.#start(named ?? delimiterOf(line, base + at));
          return this.#readHeader(bytes, at, last, base);
        }
        named = said;
      } else if (end === bytes.length)
        throw wrongBytes(0, base + at, 'a header', 'write the names of the columns in the first line');
      at = behindLine(bytes, end);
    }
  }

  #start(delimiter: string): void {
    this.#records = new CsvRecords(delimiter, QUOTE);
    this.delimiter = delimiter;
  }

  #readHeader(bytes: Uint8Array, at: number, last: boolean, base: number): number {
    const records = this.#records;
    let next: number;
    try {
      next = records.next(bytes, at, last);
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      throw wrongRecord(0, base, error, ' in the header');
    }
    if (next < 0 || (records.endsWithCr && !last)) {
      this.delimiter = null;
      return -1;
    }
    const invalid = notUtf8(bytes.subarray(at, next));
    if (invalid >= 0) throw wrongBytes(0, base + at + invalid, 'UTF-8 in the header');
    this.#header = Array.from({ length: records.cells }, (_, i) => bytes.slice(records.starts[i], records.ends[i]));
    this.names = this.#header.map((_, i) => this.#text(bytes, i) || `column${i}`);
    const refuse = (error: LogoddsError) => {
      throw new RowError(0, base + at, error);
    };
    const places = new Map(this.names.map((name, i) => [name, i]));
    const twice = places.size < this.names.length ? this.names.find((name, i) => places.get(name) !== i) : undefined;
    if (twice !== undefined) {
      refuse(
        new LogoddsError('ERR_SCHEMA', `header: expected distinct column names, got ${show(twice)} twice; rename one`),
      );
    }
    const wanted = [...this.#columns.keys()];
    try {
      refuseAbsent(
        'header',
        wanted.filter((name) => !places.has(name)),
        this.names,
      );
    } catch (error) {
      refuse(error as LogoddsError);
    }
    this.#places = wanted.map((name) => places.get(name)!);
    return next;
  }

  /** The text of a cell of the last record. */
  #text(bytes: Uint8Array, cell: number): string {
    const { starts, ends, kinds } = this.#records;
    const text = textOf(bytes, starts[cell], ends[cell]);
    return kinds[cell] === CSV_CELL.doubled ? text.replaceAll('""', '"') : text;
  }

  /** The layout for a scanner; null where it cannot read such CSV. @param fields  of the scanner */
  layout(fields: readonly ScannedField[]): CsvLayout | null {
    const { names, delimiter } = this;
    if (names.length < 2 || !CSV_DELIMITERS.includes(delimiter!)) return null;
    const numbers = new Map(fields.map((field, i) => [field.name, i]));
    const cells = names.map((name) => numbers.get(name) ?? -1);
    return { delimiter: delimiter!, cells, first: this.#header[0], tokens: TOKENS };
  }

  /** Fields of records as those of CSV: labels in every likely spelling. */
  fields(fields: readonly ScannedField[]): ScannedField[] {
    return fields.map((field): ScannedField => {
      const column = this.#columns.get(field.name)!;
      if (field.kind !== 'label' || !field.labels) return field;
      const codes = new Map(field.labels);
      const labels: [string, number][] = [];
      for (const text of likelyTexts(codes.keys())) {
        const label = column.label(text);
        const code = label === null ? MISSING : codes.get(label);
        if (code !== undefined) labels.push([text, code]);
      }
      // another text may be a label in one more spelling
      return { ...field, labels, unseen: column.isPlain ? (field.unseen ?? -1) : -1 };
    });
  }

  /** The value of a cell that a scanner has read. */
  value(name: string, cell: { readonly bytes: Uint8Array } | null): unknown {
    if (cell === null) return null;
    const { bytes } = cell;
    const column = this.#columns.get(name)!;
    return column.kind === 'number' ? numberOf(bytes, 0, bytes.length) : column.label(textOf(bytes, 0, bytes.length));
  }

  /**
   * The row at `from`, empty lines before it skipped; null: the bytes end first, or there is no more row.
   *
   * A row that is wrong ends with the line in which it is.
   */
  extent(bytes: Uint8Array, from: number, last: boolean): Extent | null {
    const records = this.#records;
    let start = from;
    while (start < bytes.length) {
      let next: number;
      try {
        next = records.next(bytes, start, last);
      } catch (error) {
        if (!(error instanceof CsvError)) throw error;
        const end = error.fault === 'unclosed' ? bytes.length : lineEnd(bytes, error.at);
        if (isCut(bytes, end) && !last) return null;
        return { start, end, next: behindLine(bytes, end) };
      }
      if (next < 0 || (records.endsWithCr && !last)) return null;
      // in a file of one column an empty line is a missing value, but at the end
      const isRow = !records.isBlank || (this.names.length === 1 && skipLines(bytes, next) < bytes.length);
      if (isRow) return { start, end: beforeLineEnd(bytes, start, next), next };
      if (records.isBlank && this.names.length === 1 && !last) return null;
      start = next;
    }
    return null;
  }

  /** The record of a row. @throws RowError where it is none */
  record(bytes: Uint8Array, row: number, offset: number): object {
    const invalid = notUtf8(bytes);
    if (invalid >= 0) throw wrongBytes(row, offset + invalid, 'UTF-8');
    const records = this.#records;
    try {
      records.next(bytes, 0, true);
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      throw wrongRecord(row, offset, error);
    }
    const { cells, starts, ends, kinds } = records;
    const width = this.names.length;
    if (cells !== width) {
      const message = `row ${row} (from 0), byte ${offset} (from 0): expected ${width} cells, got ${cells}; correct it and send it again`;
      throw new RowError(
        row,
        offset,
        new LogoddsError('ERR_DATA', message, { problems: [{ rule: `${width} cells` }] }),
      );
    }
    if (this.#isHeader(bytes)) throw wrongBytes(row, offset, 'a record behind the header', 'remove the second header');
    const columns = [...this.#columns];
    return Object.fromEntries(
      columns.map(([name, column], i) => {
        const cell = this.#places[i];
        if (kinds[cell] === CSV_CELL.none) return [name, null];
        const isNumber = column.kind === 'number' && kinds[cell] !== CSV_CELL.doubled;
        return [name, isNumber ? numberOf(bytes, starts[cell], ends[cell]) : column.label(this.#text(bytes, cell))];
      }),
    );
  }

  #isHeader(bytes: Uint8Array): boolean {
    const { starts, ends } = this.#records;
    return (
      this.#header.some(({ length }) => length > 0) &&
      this.#header.every(
        (cell, i) => cell.length === ends[i] - starts[i] && cell.every((byte, k) => byte === bytes[starts[i] + k]),
      )
    );
  }
}

/** Where the line at `from` ends: at its LF or CR, or with the bytes. */
function lineEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR) at++;
  return at;
}

/** Whether a line that ends there may go on: a CR may be half of its end. */
const isCut = (bytes: Uint8Array, end: number): boolean =>
  end >= bytes.length || (bytes[end] === CR && end + 1 === bytes.length);

const behindLine = (bytes: Uint8Array, end: number): number =>
  Math.min(bytes.length, bytes[end] === CR && bytes[end + 1] === LF ? end + 2 : end + 1);

/** A row without its line end. */
function beforeLineEnd(bytes: Uint8Array, start: number, next: number): number {
  let end = next;
  if (end > start && bytes[end - 1] === LF) end--;
  if (end > start && bytes[end - 1] === CR && (end === next || bytes[end] === LF)) end--;
  return end;
}

/** Behind lines of blanks. */
function skipLines(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] === LF || bytes[at] === CR || bytes[at] === 32 || bytes[at] === 9)) at++;
  return at;
}

/** The delimiter that a header has most often. @throws RowError for a tie */
function delimiterOf(line: string, offset: number): string {
  const [mark, ...others] = likelyDelimiters(line, QUOTE);
  if (others.length === 0) return mark;
  throw wrongBytes(
    0,
    offset,
    'one mark between the names, not several equally often',
    `write the line sep=${mark} before it`,
  );
}
