import { isUtf8 } from 'node:buffer';
import { LogoddsError } from '../../../../src/index.ts';
import { show } from '../../../../src/internal.ts';
import { grow } from '../../../../src/text.ts';
import type { RowsAhead } from './ahead.ts';
import { CELL, MOST_BYTES, MOST_TEXT, noCells, type RawRecord, type Scanned } from './cell.ts';

const LF = 10;
const QUOTE = 34;
const BACKSLASH = 92;
const MOST_DEPTH = 200;
/** Half a surrogate pair. */
const LONE = /\p{Surrogate}/u;

/**
 * Scans JSON lines: one object a line, its top-level fields as places in the bytes. A byte order mark and empty lines are skipped.
 * It refuses by line: bytes that are not UTF-8, anything but one object, a field twice in one object, brackets deeper than 200, and half a
 * surrogate pair. No other code judges these lines.
 */
export class JsonScanner {
  /** fields by slot, in the order of their first occurrence */
  readonly names: string[] = [];
  readonly #label: string;
  readonly #use: (record: RawRecord) => void;
  readonly #ahead: RowsAhead | null;
  /** reads ahead */
  readonly #reader: ReturnType<RowsAhead['beginLines']> | null;
  readonly #slots = new Map<string, number>();
  readonly #keys: Buffer[] = [];
  readonly #record: Scanned = noCells();
  /** slots of the fields of the last record, in its order */
  #order: number[] = [];
  #carry: Buffer[] = [];
  #carried = 0;
  #line = 0;
  #suspect = false;
  #at = 0;
  #end = 0;

  /** @param ahead  takes the rows that it can read itself */
  constructor(label: string, use: (record: RawRecord) => void, ahead: RowsAhead | null = null) {
    this.#label = label;
    this.#use = use;
    this.#ahead = ahead;
    this.#reader = ahead?.beginLines() ?? null;
  }

  /** @throws ERR_DATA naming the line */
  push(piece: Buffer): void {
    const lastEnd = piece.lastIndexOf(LF);
    if (lastEnd < 0) {
      // a copy, because the piece may be overwritten
      this.#carry.push(Buffer.from(piece));
      this.#carried += piece.length;
      if (this.#carried > MOST_BYTES) this.#refuseLong();
      return;
    }
    const bytes = this.#carried > 0 ? Buffer.concat([...this.#carry, piece]) : piece;
    const end = this.#carried + lastEnd + 1;
    this.#lines(bytes, end);
    this.#carry = [Buffer.from(bytes.subarray(end))];
    this.#carried = bytes.length - end;
    if (this.#carried > MOST_BYTES) this.#refuseLong();
  }

  /** @param whole  false: a line that has not ended is left out */
  end(whole = true): void {
    if (!whole || this.#carried === 0) return;
    const bytes = Buffer.concat(this.#carry);
    this.#carry = [];
    this.#carried = 0;
    this.#lines(bytes, bytes.length);
  }

  #refuseLong(): never {
    throw this.#error(`expected an object of at most ${MOST_TEXT}, got a longer line`, 'shorten it', this.#line + 1);
  }

  #lines(bytes: Buffer, end: number): void {
    this.#record.bytes = bytes;
    this.#suspect = !isUtf8(bytes.subarray(0, end));
    for (let from = 0; from < end; ) {
      if (this.#reader && this.#ahead!.serves && !this.#suspect) {
        from = this.#readAhead(this.#ahead!, this.#reader, bytes, from, end);
        if (from === end) break;
      }
      let to = bytes.indexOf(LF, from);
      if (to < 0 || to > end) to = end;
      this.#line++;
      if (to - from > MOST_BYTES)
        throw this.#error(`expected an object of at most ${MOST_TEXT}, got a longer line`, 'shorten it');
      if (this.#suspect && !isUtf8(bytes.subarray(from, to))) {
        throw this.#error('expected UTF-8, got other bytes', 'say --encoding latin1, or save the file as UTF-8');
      }
      this.#object(bytes, from, to);
      from = to + 1;
    }
  }

  /** Has lines read ahead. @returns where the next one begins, which is too long for that, or `end` */
  #readAhead(
    ahead: RowsAhead,
    reader: ReturnType<RowsAhead['beginLines']>,
    bytes: Buffer,
    from: number,
    end: number,
  ): number {
    let at = from;
    while (at < end && ahead.serves) {
      let to = Math.min(end, at + reader.size);
      if (to < end) to = bytes.lastIndexOf(LF, to - 1) + 1;
      if (to <= at) break;
      reader.load(bytes, at, to);
      reader.ready();
      /** up to where lines were counted */
      let counted = 0;
      const left = (first: number, behind: number) => {
        this.#line += reader.lineEnds(counted, first, false) + 1;
        this.#object(bytes, at + first, at + behind);
        // its own end is counted with the next ones
        this.#line--;
        counted = first;
      };
      while (ahead.read(true, left) && ahead.serves);
      this.#line += reader.lineEnds(counted, reader.used, false);
      at += reader.used;
    }
    return at;
  }

  #error(what: string, next: string, line = this.#line): LogoddsError {
    return new LogoddsError('ERR_DATA', `${this.#label}: cannot be read: line ${line}: ${what}; ${next}`);
  }

  #syntax(rule: string): LogoddsError {
    const { bytes } = this.#record;
    const got =
      this.#at >= this.#end
        ? 'the end of the line'
        : show(bytes.toString('utf8', this.#at, Math.min(this.#end, this.#at + 20)));
    return this.#error(`expected ${rule}, got ${got}`, 'correct it and run again');
  }

  #blanks(): number {
    const { bytes } = this.#record;
    let byte = bytes[this.#at];
    while (this.#at < this.#end && (byte === 32 || byte === 9 || byte === 13 || byte === LF)) byte = bytes[++this.#at];
    return this.#at < this.#end ? byte : -1;
  }

  #object(bytes: Buffer, from: number, to: number): void {
    const record = this.#record;
    this.#at = from;
    this.#end = to;
    const first = this.#blanks();
    if (first < 0) return;
    if (first !== 123) throw this.#syntax('a JSON object');
    record.line = this.#line;
    const before = this.#order;
    for (const slot of before) record.kinds[slot] = CELL.none;
    const order: number[] = [];
    const met = this.#met;
    const stamp = ++this.#stamp;
    this.#at++;
    if (this.#blanks() === 125) this.#at++;
    else {
      for (;;) {
        if (this.#blanks() !== QUOTE) throw this.#syntax('the name of a field in quotes');
        const start = this.#at + 1;
        const escapes = this.#string();
        const slot = this.#slot(bytes, start, this.#at - 1, escapes, before[order.length]);
        if (met[slot] === stamp) {
          throw this.#error(
            `expected distinct fields, got ${show(this.names[slot])} twice in one object`,
            'rename one',
          );
        }
        met[slot] = stamp;
        order.push(slot);
        if (this.#blanks() !== 58) throw this.#syntax(`a colon behind the name ${show(this.names[slot])}`);
        this.#at++;
        this.#blanks();
        this.#value(slot);
        const next = this.#blanks();
        this.#at++;
        if (next === 44) continue;
        if (next === 125) break;
        this.#at--;
        throw this.#syntax('a comma or the end of the object');
      }
    }
    if (this.#blanks() >= 0) throw this.#syntax('one object a line');
    this.#order = order;
    this.#use(record);
  }

  #met: number[] = [];
  #stamp = 0;

  #slot(bytes: Buffer, start: number, end: number, escapes: boolean, guess: number | undefined): number {
    if (guess !== undefined && !escapes) {
      const key = this.#keys[guess];
      if (key.length === end - start && isAt(bytes, start, key)) return guess;
    }
    const name = escapes ? this.#unescape(start, end) : bytes.toString('utf8', start, end);
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot = this.names.length;
    this.names.push(name);
    this.#keys.push(Buffer.from(name));
    this.#slots.set(name, slot);
    const record = this.#record;
    if (slot === record.starts.length) grow(record);
    return slot;
  }

  /** Skips a string that begins here. @returns whether it has escapes */
  #string(): boolean {
    const { bytes } = this.#record;
    let escapes = false;
    for (let at = this.#at + 1; at < this.#end; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        this.#at = at + 1;
        return escapes;
      }
      if (byte === BACKSLASH) {
        escapes = true;
        at++;
      } else if (byte < 32) {
        this.#at = at;
        throw this.#syntax('text without control characters');
      }
    }
    this.#at = this.#end;
    throw this.#syntax('a closing quote');
  }

  #unescape(start: number, end: number): string {
    const { bytes } = this.#record;
    const text = bytes.toString('utf8', start, end);
    let value: string;
    try {
      value = JSON.parse(`"${text}"`) as string;
    } catch {
      throw this.#error(`expected escapes of JSON, got ${show(text)}`, 'correct it and run again');
    }
    if (LONE.test(value)) {
      throw this.#error(
        `expected whole characters, got half a surrogate pair in ${show(text)}`,
        'correct it and run again',
      );
    }
    return value;
  }

  #value(slot: number): void {
    const { bytes, starts, ends, kinds } = this.#record;
    const start = this.#at;
    const byte = bytes[start];
    starts[slot] = start;
    if (start >= this.#end) throw this.#syntax('a value');
    if (byte === QUOTE) {
      const escapes = this.#string();
      starts[slot] = start + 1;
      ends[slot] = this.#at - 1;
      if (escapes) this.#unescape(start + 1, this.#at - 1);
      kinds[slot] = escapes ? CELL.escaped : CELL.string;
      return;
    }
    if (byte === 123 || byte === 91) {
      this.#nested();
      kinds[slot] = byte === 91 ? CELL.list : CELL.object;
    } else if (byte === 116) kinds[slot] = this.#word('true', CELL.boolean);
    else if (byte === 102) kinds[slot] = this.#word('false', CELL.boolean);
    else if (byte === 110) kinds[slot] = this.#word('null', CELL.none);
    else if (byte === 78) kinds[slot] = this.#word('NaN', CELL.special);
    else if (byte === 73) kinds[slot] = this.#word('Infinity', CELL.special);
    else if (byte === 45 && bytes[start + 1] === 73) kinds[slot] = this.#word('-Infinity', CELL.special);
    else {
      this.#number();
      kinds[slot] = CELL.number;
    }
    ends[slot] = this.#at;
  }

  /** Skips -?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)? up to a comma, a bracket or a blank. */
  #number(): void {
    const { bytes } = this.#record;
    const end = this.#end;
    let at = this.#at;
    if (bytes[at] === 45) at++;
    const whole = at;
    at = digitsEnd(bytes, at, end);
    let valid = at > whole && (bytes[whole] !== 48 || at === whole + 1);
    if (at < end && bytes[at] === 46) {
      const fraction = at + 1;
      at = digitsEnd(bytes, fraction, end);
      valid &&= at > fraction;
    }
    if (at < end && (bytes[at] | 32) === 101) {
      const sign = bytes[at + 1];
      const power = at + (sign === 43 || sign === 45 ? 2 : 1);
      at = digitsEnd(bytes, power, end);
      valid &&= at > power;
    }
    if (!valid || (at < end && bytes[at] !== 44 && bytes[at] !== 125 && bytes[at] > 32))
      throw this.#syntax('a value of JSON');
    this.#at = at;
  }

  #word(word: string, kind: number): number {
    const { bytes } = this.#record;
    if (bytes.toString('latin1', this.#at, Math.min(this.#end, this.#at + word.length)) !== word)
      throw this.#syntax('a value of JSON');
    this.#at += word.length;
    return kind;
  }

  /** Skips a list or object, which must be valid JSON and not too deep. */
  #nested(): void {
    const { bytes } = this.#record;
    const start = this.#at;
    let depth = 0;
    while (this.#at < this.#end) {
      const byte = bytes[this.#at];
      if (byte === QUOTE) {
        this.#string();
        continue;
      }
      this.#at++;
      if (byte === 123 || byte === 91) {
        if (++depth > MOST_DEPTH)
          throw this.#error(
            `expected brackets of a depth of at most ${MOST_DEPTH}, got deeper ones`,
            'flatten the field',
          );
      } else if ((byte === 125 || byte === 93) && --depth === 0) break;
    }
    if (depth > 0) throw this.#syntax('a closing bracket');
    const text = bytes.toString('utf8', start, this.#at);
    try {
      JSON.parse(text);
    } catch {
      throw this.#error(`expected a value of JSON, got ${show(text)}`, 'correct it and run again');
    }
  }
}

/** Where the digits that begin at `at` end. */
function digitsEnd(bytes: Uint8Array, at: number, end: number): number {
  let behind = at;
  while (behind < end && bytes[behind] >= 48 && bytes[behind] <= 57) behind++;
  return behind;
}

/** Whether `key` is at this place. A loop, because names are short and a call into the host costs more. */
function isAt(bytes: Uint8Array, start: number, key: Uint8Array): boolean {
  for (let i = 0; i < key.length; i++) if (bytes[start + i] !== key[i]) return false;
  return true;
}
