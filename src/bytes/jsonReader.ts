import { ARRAY } from '../../bindings/scanner.ts';
import { type Collector, TOO_LONG } from './collector.ts';
import { behindMark, LF, LINE_END, Pending, wholeCharacters } from './input.ts';
import { endOfJson, skipBlanks } from './json.ts';
import type { Room } from './room.ts';
import { MOST_JSON, PlainRows, scannedRows } from './rows.ts';
import { wrongBytes, wrongJson } from './scores.ts';

const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Finds the rows of JSON, and hands them to a collector. */
export class JsonReader {
  readonly #room: Room | null;
  readonly #collector: Collector;

  constructor(room: Room | null, collector: Collector) {
    this.#room = room;
    this.#collector = collector;
  }

  /** A record, an array of them, or lines. @throws RowError */
  document(bytes: Uint8Array): void {
    const at = skipBlanks(bytes, behindMark(bytes));
    if (at === bytes.length) this.#refuse(at, 'JSON', 'send at least one record');
    const end = bytes.indexOf(LF, at);
    if (bytes[at] === OPEN) this.#array(bytes, at + 1);
    else if (end >= 0 && skipBlanks(bytes, end) < bytes.length && isOne(bytes, at, end))
      this.#collector.take(new PlainRows(bytes, 0).add(at, bytes.length));
    else this.lines(bytes, at, bytes.length, 0);
  }

  /** Whole lines: bytes `from` to `to`. @param base  number of byte 0 in the input @throws RowError */
  lines(bytes: Uint8Array, from: number, to: number, base: number): void {
    const room = this.#room;
    if (!room) {
      this.#plainLines(bytes, from, to, base);
      return;
    }
    const { json: scanner, capacity } = room;
    let at = from;
    while (at < to) {
      let end = Math.min(to, at + scanner.size);
      if (end < to) {
        const last = bytes.lastIndexOf(LF, end - 1);
        if (last >= at) end = last + 1;
        else {
          // a line that does not fit
          const next = bytes.indexOf(LF, end);
          end = next < 0 || next >= to ? to : next + 1;
          if (end - at > MOST_JSON) {
            this.#plainLines(bytes, at, end, base);
            at = end;
            continue;
          }
          scanner.grow(end - at);
        }
      }
      scanner.load(bytes, at, end);
      const valid = scanner.isUtf8();
      let count: number;
      do {
        count = scanner.lines();
        this.#collector.take(scannedRows(scanner, count, base + at, valid));
      } while (count === capacity);
      at = end;
    }
  }

  #plainLines(bytes: Uint8Array, from: number, to: number, base: number): void {
    const rows = new PlainRows(bytes, base);
    for (let at = from; at < to; ) {
      const next = bytes.indexOf(LF, at);
      const end = next < 0 || next > to ? to : next;
      const start = skipBlanks(bytes, at, end);
      if (start < end) rows.add(start, end);
      at = end + 1;
    }
    this.#collector.take(rows);
  }

  /** The elements of an array whose bracket is before `from`. */
  #array(bytes: Uint8Array, from: number): void {
    const room = this.#room;
    if (!room) {
      this.#plainArray(bytes, from);
      return;
    }
    const { json: scanner, capacity } = room;
    let at = from;
    let first = true;
    for (;;) {
      const most = at + scanner.size;
      const end = most < bytes.length ? wholeCharacters(bytes, at, most) : bytes.length;
      const last = end === bytes.length;
      scanner.load(bytes, at, end);
      const valid = scanner.isUtf8();
      let count: number;
      do {
        count = scanner.array(first, last);
        this.#collector.take(scannedRows(scanner, count, at, valid));
        if (count > 0) first = false;
      } while (count === capacity && scanner.state === ARRAY.open);
      if (scanner.used === 0 && scanner.state === ARRAY.open) {
        if (scanner.size >= MOST_JSON) this.#refuse(at, TOO_LONG);
        scanner.grow(2 * scanner.size);
      }
      at += scanner.used;
      if (scanner.state === ARRAY.wrong) this.#refuseArray(bytes, at, first);
      if (scanner.state === ARRAY.closed) {
        this.#endArray(bytes, at);
        return;
      }
    }
  }

  #plainArray(bytes: Uint8Array, from: number): void {
    const rows = new PlainRows(bytes, 0);
    let at = from;
    for (;;) {
      const next = skipBlanks(bytes, at);
      const first = rows.count === 0;
      if (bytes[next] === CLOSE) {
        this.#collector.take(rows);
        this.#endArray(bytes, next + 1);
        return;
      }
      const start = first ? next : skipBlanks(bytes, next + 1);
      const end = endOfJson(bytes, start);
      if (!end.valid || !(first || bytes[next] === COMMA)) {
        this.#collector.take(rows);
        this.#refuseArray(bytes, at, first);
      }
      rows.add(start, end.at);
      at = end.at;
    }
  }

  #endArray(bytes: Uint8Array, at: number): void {
    const end = skipBlanks(bytes, at);
    if (end < bytes.length) this.#refuse(end, 'the end behind the array');
  }

  /** @param at  behind the bracket of an array or an element: where it stops to be JSON is behind that */
  #refuseArray(bytes: Uint8Array, at: number, first: boolean): never {
    let stop = skipBlanks(bytes, at);
    if (first || bytes[stop] === COMMA) stop = endOfJson(bytes, first ? stop : stop + 1).at;
    return this.#collector.refuse(wrongJson(this.#collector.row, stop, stop === bytes.length));
  }

  #refuse(at: number, rule: string, next?: string): never {
    return this.#collector.refuse(wrongBytes(this.#collector.row, at, rule, next));
  }
}

/** Whether the text from `at` on, whose first line ends at `end`, is one record over several lines. */
function isOne(bytes: Uint8Array, at: number, end: number): boolean {
  const line = endOfJson(bytes, at, end);
  if (line.valid && skipBlanks(bytes, line.at, end) === end) return false;
  const whole = endOfJson(bytes, at);
  return whole.valid && skipBlanks(bytes, whole.at) === bytes.length;
}

/** JSON lines in chunks that end anywhere. */
export class JsonLines {
  readonly #reader: JsonReader;
  readonly #collector: Collector;
  /** of the line that goes on, and where it begins */
  readonly #pending = new Pending();
  #offset = 0;

  constructor(room: Room | null, collector: Collector) {
    this.#reader = new JsonReader(room, collector);
    this.#collector = collector;
  }

  /** @throws RowError */
  push(bytes: Uint8Array): void {
    const last = bytes.lastIndexOf(LF);
    let at = 0;
    if (this.#pending.length > 0 || this.#offset === 0) {
      // the line that was begun; the first one may begin with a mark
      at = last < 0 ? bytes.length : bytes.indexOf(LF) + 1;
      this.#wait(bytes.subarray(0, at));
      if (last < 0) return;
      this.end();
    }
    if (last >= at) this.#reader.lines(bytes, at, last + 1, this.#offset - at);
    this.#offset += Math.max(0, last + 1 - at);
    this.#wait(bytes.subarray(Math.max(at, last + 1)));
  }

  /** Scores the line that was begun. @throws RowError */
  end(): void {
    const line = this.#pending.take();
    this.#reader.lines(line, this.#offset === 0 ? behindMark(line) : 0, line.length, this.#offset);
    this.#offset += line.length;
  }

  #wait(piece: Uint8Array): void {
    this.#pending.add(piece);
    if (this.#pending.length > MOST_JSON + LINE_END)
      this.#collector.refuse(wrongBytes(this.#collector.row, this.#offset, TOO_LONG));
  }
}
