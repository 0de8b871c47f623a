import type { CsvScanner } from '../../bindings/scanner.ts';
import type { Model } from '../model/model.ts';
import { type Collector, TOO_LONG_CSV } from './collector.ts';
import { CsvInput } from './csv.ts';
import { behindMark, CR, LF, LINE_END, Pending, wholeCharacters } from './input.ts';
import type { Room } from './room.ts';
import { MOST_CSV, PlainRows, scannedRows } from './rows.ts';
import { RowError, wrongBytes } from './scores.ts';

/** How often a record is tried at each line end that arrives. */
const MOST_TRIES = 64;

/** CSV in chunks that end anywhere. */
export class CsvChunks {
  readonly #model: Model;
  readonly #room: Room | null;
  readonly #collector: Collector;
  /** once the header was read */
  #input: CsvInput | null = null;
  #scanner: CsvScanner | null = null;
  /** of what was not scored, and where it begins */
  readonly #pending = new Pending();
  #offset = 0;
  /** whether the last chunk ended with a CR, which an LF may follow */
  #afterCr = false;
  /** how often a record was tried and not complete, and with how many bytes the last time */
  #tries = 0;
  #tried = 0;

  constructor(model: Model, room: Room | null, collector: Collector) {
    this.#model = model;
    this.#room = room;
    this.#collector = collector;
  }

  /** @throws RowError */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pending.add(bytes);
    const { length } = this.#pending;
    // a record ends with a line; one in many pieces is tried again when twice as many of its bytes have arrived
    const mayEnd = this.#afterCr || bytes.includes(LF) || bytes.includes(CR);
    this.#afterCr = bytes[bytes.length - 1] === CR;
    if ((this.#tries < MOST_TRIES ? mayEnd : length >= 2 * this.#tried) || length > MOST_CSV + LINE_END)
      this.#score(false);
  }

  /** @throws RowError */
  end(): void {
    this.#score(true);
  }

  /** Scores the rows that are complete in what waits. */
  #score(last: boolean): void {
    const bytes = this.#pending.take();
    const begin = this.#input ? 0 : this.#begin(bytes, last);
    const used = begin < 0 ? 0 : this.#rows(bytes, begin, last);
    this.#pending.add(bytes.subarray(used));
    const { length } = this.#pending;
    this.#offset += used;
    this.#tries = used > 0 ? 0 : this.#tries + 1;
    this.#tried = length;
    if (length > MOST_CSV + LINE_END)
      this.#collector.refuse(wrongBytes(this.#collector.row, this.#offset, TOO_LONG_CSV));
  }

  /** Reads the header. Returns where the rows begin; −1: it is not complete. */
  #begin(bytes: Uint8Array, last: boolean): number {
    const input = new CsvInput(this.#model);
    let behind: number;
    try {
      behind = input.begin(bytes, behindMark(bytes), last, this.#offset);
    } catch (error) {
      throw error instanceof RowError ? this.#collector.refuse(error) : error;
    }
    if (behind >= 0) {
      this.#input = input;
      this.#scanner = this.#room?.csv(input) ?? null;
    }
    return behind;
  }

  /** Scores rows; returns where the first one begins that is not complete. */
  #rows(bytes: Uint8Array, from: number, last: boolean): number {
    const input = this.#input!;
    const scanner = this.#scanner;
    if (!scanner) return this.#plainRows(input, bytes, from, last);
    const { capacity } = this.#room!;
    let at = from;
    while (at < bytes.length) {
      const most = Math.min(bytes.length, at + scanner.size);
      const isEnd = last && most === bytes.length;
      scanner.load(bytes, at, isEnd ? most : wholeCharacters(bytes, at, most));
      const valid = scanner.isUtf8();
      let count: number;
      do {
        count = scanner.records(isEnd);
        this.#collector.take(scannedRows(scanner, count, this.#offset + at, valid, input));
      } while (count === capacity);
      at += scanner.used;
      if (most === bytes.length) break;
      if (scanner.used === 0) {
        if (scanner.size <= MOST_CSV) scanner.grow(Math.min(MOST_CSV + LINE_END, 2 * scanner.size));
        else {
          // it is refused, and what is behind it is read
          const long = input.extent(bytes, at, last);
          if (!long) break;
          this.#collector.take(new PlainRows(bytes, this.#offset, input).add(long.start, long.end));
          at = long.next;
        }
      }
    }
    return at;
  }

  #plainRows(input: CsvInput, bytes: Uint8Array, from: number, last: boolean): number {
    const rows = new PlainRows(bytes, this.#offset, input);
    // of a character that is cut off nothing is known, as for the scanner: a CR before it may be half of a line end
    const known = last ? bytes : bytes.subarray(0, wholeCharacters(bytes, from, bytes.length));
    let at = from;
    for (let row = input.extent(known, at, last); row; row = input.extent(known, at, last)) {
      rows.add(row.start, row.end);
      at = row.next;
    }
    this.#collector.take(rows);
    return last ? bytes.length : at;
  }
}
