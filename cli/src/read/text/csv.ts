import { isUtf8 } from 'node:buffer';
import { LogoddsError } from '../../../../src/index.ts';
import { show } from '../../../../src/internal.ts';
import { CsvError, CsvRecords, likelyDelimiters, namedDelimiter } from '../../../../src/text.ts';
import { unequal } from '../database.ts';
import type { RowsAhead } from './ahead.ts';
import { unfinished } from './bytes.ts';
import { CELL, MOST_BYTES, MOST_TEXT, noCells, type RawRecord, type Scanned, textOf } from './cell.ts';
import type { Reading } from './options.ts';

const LF = 10;
const CR = 13;

/** Records up to this many bytes are scanned again without delay when more bytes arrive. */
const PATIENCE = 1 << 20;

const NAMES: Readonly<Record<string, string>> = { '\t': 'tab', ' ': "' '" };
const spoken = (mark: string) => NAMES[mark] ?? mark;

/**
 * Scans the structure of a CSV file in one pass over its bytes, which may arrive in pieces that end anywhere. No other code judges it.
 *
 * - Cells and records are those of `CsvRecords`. Empty lines are not records; in a file of one column they are missing cells, except at its end.
 * - Every record has as many cells as the header has names, and no record repeats the header.
 */
export class CsvScanner {
  /** of the header, once it was read */
  names: readonly string[] | null = null;
  /** places (from 1) of names that the header leaves empty and that were generated */
  readonly unnamed: number[] = [];
  /** empty lines between records */
  blanks = 0;
  readonly #label: string;
  readonly #reading: Reading;
  readonly #tabs: boolean;
  readonly #use: (record: RawRecord) => void;
  readonly #ahead: RowsAhead | null;
  /** reads ahead */
  #reader: ReturnType<RowsAhead['beginCsv']> = null;
  readonly #record: Scanned = noCells();
  /** once the delimiter is known */
  #records: CsvRecords | null = null;
  #delimiter = '';
  #carry: Buffer = Buffer.alloc(0);
  /** later pieces that wait */
  #waiting: Buffer[] = [];
  #waits = 0;
  #line = 1;
  #afterCr = false;
  #skip: number;
  #width = 0;
  #pendingBlanks = 0;
  /** bytes of the cells of the header */
  #header: Buffer[] = [];
  #suspect = false;

  /**
   * @param label  for messages
   * @param tabs  the ending of the file says that tabs delimit
   * @param ahead  takes the rows that it can read itself
   */
  constructor(
    label: string,
    reading: Reading,
    tabs: boolean,
    use: (record: RawRecord) => void,
    ahead: RowsAhead | null = null,
  ) {
    this.#label = label;
    this.#reading = reading;
    this.#tabs = tabs;
    this.#use = use;
    this.#ahead = ahead;
    this.#skip = reading.skip;
  }

  /** @throws ERR_DATA naming the line */
  push(piece: Buffer): void {
    // a long record is scanned again only when twice as many of its bytes have arrived, so that the total time is linear
    if (this.#carry.length > PATIENCE && this.#waits + piece.length < this.#carry.length) {
      this.#waiting.push(Buffer.from(piece));
      this.#waits += piece.length;
      return;
    }
    this.#scan(this.#gathered(piece), false);
  }

  #gathered(piece?: Buffer): Buffer {
    const all = [this.#carry, ...this.#waiting, ...(piece ? [piece] : [])].filter(({ length }) => length > 0);
    this.#waiting = [];
    this.#waits = 0;
    return all.length === 1 ? all[0] : Buffer.concat(all);
  }

  /** Ends the file. @param whole  false: a record whose line has not ended is left out */
  end(whole = true): void {
    if (whole) this.#scan(this.#gathered(), true);
  }

  #scan(bytes: Buffer, last: boolean): void {
    this.#record.bytes = bytes;
    this.#suspect = !isUtf8(last ? bytes : bytes.subarray(0, bytes.length - unfinished(bytes)));
    let at = 0;
    if (this.#afterCr && bytes.length > 0) {
      if (bytes[0] === LF) at = 1;
      this.#afterCr = false;
    }
    while (at < bytes.length) {
      if (this.#delimiter === '') {
        const begun = this.#begin(bytes, at, last);
        if (begun < 0) break;
        at = begun;
        if (this.#delimiter === '') continue;
      }
      if (this.#reader && this.#ahead!.serves && !this.#suspect) {
        at = this.#readAhead(this.#ahead!, this.#reader, bytes, at, last);
        if (at === bytes.length) break;
      }
      const next = this.#next(bytes, at, last);
      if (next < 0) break;
      if (next - at > MOST_BYTES) this.#refuseLong(at);
      at = next;
    }
    // a copy, because the piece may be overwritten
    this.#carry = Buffer.from(bytes.subarray(at));
    if (this.#carry.length > MOST_BYTES) this.#refuseLong(at);
  }

  /** Has records read ahead, as far as they are complete. @returns where the next one begins */
  #readAhead(
    ahead: RowsAhead,
    reader: NonNullable<ReturnType<RowsAhead['beginCsv']>>,
    bytes: Buffer,
    from: number,
    last: boolean,
  ): number {
    const before = reader.blanks;
    reader.pendingBlanks = this.#pendingBlanks;
    this.#pendingBlanks = 0;
    let at = from;
    while (at < bytes.length && ahead.serves) {
      const end = Math.min(bytes.length, at + reader.size);
      reader.load(bytes, at, end);
      reader.ready();
      /** up to where lines were counted */
      let counted = 0;
      const left = (start: number) => {
        this.#line += reader.lineEnds(counted, start, true);
        counted = this.#next(bytes, at + start, last) - at;
      };
      while (ahead.read(last && end === bytes.length, left) && ahead.serves);
      this.#line += reader.lineEnds(counted, reader.used, true);
      if (reader.used === 0) break;
      at += reader.used;
    }
    this.blanks += reader.blanks - before;
    this.#pendingBlanks = reader.pendingBlanks;
    return at;
  }

  #refuseLong(at: number): never {
    const { bytes, kinds } = this.#record;
    const { quote } = this.#reading;
    const open = quote !== null && kinds.includes(CELL.quoted) && bytes.includes(quote, at);
    const why = open ? ' (is a quote not closed?)' : '';
    throw this.#error(this.#line, `expected a record of at most ${MOST_TEXT}, got a longer one${why}`, 'shorten it');
  }

  /**
   * Reads the first lines: lines to skip, a line that names the delimiter, and enough of the header to choose one. @returns where to
   * continue, or −1
   */
  #begin(bytes: Buffer, from: number, last: boolean): number {
    let end = from;
    while (end < bytes.length && bytes[end] !== LF && bytes[end] !== CR) end++;
    if (end === bytes.length && !last) return -1;
    if (end - from > MOST_BYTES) this.#refuseLong(from);
    let next = Math.min(bytes.length, end + 1);
    if (bytes[end] === CR && bytes[next] === LF) next++;
    else if (bytes[end] === CR && next === bytes.length) this.#afterCr = true;
    const line = bytes.toString('utf8', from, end);
    if (this.#skip > 0) {
      this.#skip--;
      this.#line++;
      return next;
    }
    if (line.trim() === '') {
      this.#line++;
      return next;
    }
    const { delimiter } = this.#reading;
    const said = namedDelimiter(line);
    if (said !== null) {
      this.#line++;
      this.#start(delimiter ?? said);
      return next;
    }
    this.#start(delimiter ?? (this.#tabs ? '\t' : this.#mostFrequent(line)));
    this.#afterCr = false;
    return from;
  }

  #start(delimiter: string): void {
    this.#delimiter = delimiter;
    this.#records = new CsvRecords(delimiter, this.#reading.quote);
  }

  /** The most frequent candidate in the header outside quotes. @throws ERR_DATA for a tie */
  #mostFrequent(line: string): string {
    const found = likelyDelimiters(line, this.#reading.quote);
    if (found.length === 1) return found[0];
    throw this.#error(
      this.#line,
      `expected one mark between the names, got ${found.map(spoken).join(' and ')} equally often`,
      `say --delimiter '${found[0]}'`,
    );
  }

  /** Reads one record. @returns where the next one begins, or −1 if the bytes end first */
  #next(bytes: Buffer, from: number, last: boolean): number {
    const record = this.#record;
    const records = this.#records!;
    record.line = this.#line;
    let at: number;
    try {
      at = records.next(bytes, from, last);
    } catch (error) {
      throw error instanceof CsvError ? this.#faulty(error) : error;
    } finally {
      ({ starts: record.starts, ends: record.ends, kinds: record.kinds } = records);
    }
    if (at < 0) return -1;
    if (records.endsWithCr) this.#afterCr = !last;
    if (at - from > MOST_BYTES) this.#refuseLong(from);
    this.#line += records.lines + 1;
    if (records.isBlank) this.#pendingBlanks++;
    else this.#take(records.cells);
    return at;
  }

  #faulty({ fault, cell, at }: CsvError): LogoddsError {
    if (fault === 'unclosed') return this.#unclosed(cell);
    return fault === 'nul' ? this.#nul(cell) : this.#behindQuote(cell, at);
  }

  #take(cells: number): void {
    const record = this.#record;
    if (this.#suspect) this.#refuseOtherBytes(cells);
    if (this.#pendingBlanks > 0 && this.names) this.#useBlanks();
    this.#pendingBlanks = 0;
    if (!this.names) {
      this.#readHeader(cells);
      return;
    }
    if (cells !== this.#width) throw this.#otherWidth(cells);
    if (this.#isHeader()) {
      throw this.#error(
        record.line,
        'expected a record, got the header again',
        'remove the line (each of the joined files had a header)',
      );
    }
    this.#use(record);
  }

  #useBlanks(): void {
    if (this.#width > 1) {
      this.blanks += this.#pendingBlanks;
      return;
    }
    const { kinds } = this.#record;
    const [kind] = kinds;
    kinds[0] = CELL.none;
    for (let i = 0; i < this.#pendingBlanks; i++) this.#use(this.#record);
    kinds[0] = kind;
  }

  #readHeader(cells: number): void {
    const record = this.#record;
    const quote = this.#reading.quote ?? '"';
    const names: string[] = [];
    for (let i = 0; i < cells; i++) {
      const name = textOf(record, i, quote);
      if (name === '') this.unnamed.push(i + 1);
      names.push(name === '' ? `column${i}` : name);
      this.#header.push(Buffer.from(record.bytes.subarray(record.starts[i], record.ends[i])));
    }
    this.#width = cells;
    refuseTwice(this.#label, names);
    this.names = names;
    this.#reader = this.#ahead?.beginCsv({ delimiter: this.#delimiter, names, first: this.#header[0] }) ?? null;
  }

  #isHeader(): boolean {
    const { bytes, starts, ends } = this.#record;
    const header = this.#header;
    for (let i = 0; i < header.length; i++) {
      if (ends[i] - starts[i] !== header[i].length) return false;
      if (bytes.compare(header[i], 0, header[i].length, starts[i], ends[i]) !== 0) return false;
    }
    return header.some((cell) => cell.length > 0);
  }

  #error(line: number, what: string, next: string): LogoddsError {
    return new LogoddsError('ERR_DATA', `${this.#label}: cannot be read: line ${line}: ${what}; ${next}`);
  }

  /** The name of a column in messages. */
  #column(slot: number): string {
    const name = this.names?.[slot];
    return name === undefined ? `cell ${slot + 1}` : `column ${show(name)}`;
  }

  #otherWidth(cells: number): LogoddsError {
    const { line } = this.#record;
    const width = this.#width;
    if (cells === width + 1 && line <= 2) {
      const [names, values] = [width, cells].map(
        (count, i) => `${count} ${['name', 'cell'][i]}${count === 1 ? '' : 's'}`,
      );
      return this.#error(
        line,
        `the header has ${names}, line ${line} has ${values}`,
        width === 1
          ? `leave out lines before the header (--skip ${line - 1}), or name every column in it`
          : 'name every column in the header (a first column of row names too)',
      );
    }
    const next =
      width === 1
        ? `name the mark between the cells (--delimiter, here ${spoken(this.#delimiter)}), or leave out lines before the header (--skip ${line - 1})`
        : 'correct it and run again';
    return this.#error(line, unequal(width, cells), next);
  }

  #unclosed(slot: number): LogoddsError {
    const { line } = this.#record;
    return this.#error(
      line,
      `expected a closing quote in ${this.#column(slot)}, got the end of the file`,
      'close it, or say --quote none',
    );
  }

  #behindQuote(slot: number, at: number): LogoddsError {
    const { bytes, line } = this.#record;
    const got = bytes.toString('utf8', at, Math.min(bytes.length, at + 20)).split(/[\r\n]/)[0];
    return this.#error(
      line,
      `expected ${spoken(this.#delimiter)} or the end of the line behind the quoted cell of ${this.#column(slot)}, got ${show(got)}`,
      'double the quotes inside the cell, or say --quote none',
    );
  }

  #nul(slot: number): LogoddsError {
    return this.#error(
      this.#record.line,
      `expected text in ${this.#column(slot)}, got a NUL character`,
      'remove it; if the file is UTF-16, say --encoding utf-16le',
    );
  }

  /** Finds the cell of this record that is not UTF-8. */
  #refuseOtherBytes(cells: number): void {
    const { bytes, starts, ends, line } = this.#record;
    for (let i = 0; i < cells; i++) {
      const cell = bytes.subarray(starts[i], ends[i]);
      if (isUtf8(cell)) continue;
      const got = show(cell.toString('latin1'));
      throw this.#error(
        line,
        `expected UTF-8 in ${this.#column(i)}, got other bytes (${got} if they are Latin-1)`,
        'say --encoding latin1, or save the file as UTF-8',
      );
    }
  }
}

/** Names that occur twice. @throws ERR_SCHEMA */
export function refuseTwice(label: string, names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `${label}: expected distinct column names, got ${show(name)} twice; rename one`,
      );
    }
    seen.add(name);
  }
}
