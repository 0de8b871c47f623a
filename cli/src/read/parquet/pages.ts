/** The pages of a column, one after another. Whatever throws here is left to DuckDB, which reads it or says what is wrong. */
import * as zlib from 'node:zlib';
import { readHybrid, readSnappy } from '../../../../src/text.ts';
import { type Chunk, type FileColumn, readAt } from './footer.ts';
import { isAllOnes } from './hybrid.ts';
import { PAGE } from './shapes.ts';
import { type Struct, Thrift } from './thrift.ts';

/** Bytes that all columns together may hold. */
export class Budget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** @throws RangeError when they would hold more */
  take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new RangeError('pages that are too large together');
  }
}

/** The values of the dictionary of a chunk. */
export type Words = Float64Array | readonly string[];

/** The cells of a page; they are valid until the next one. */
export interface Page {
  readonly rows: number;
  /** places in the dictionary; null: the page has its numbers */
  readonly places: Uint32Array | null;
  readonly numbers: Float64Array;
  /** 1 for a cell that is missing, whose place or number means nothing; null: none is */
  readonly missing: Uint32Array | null;
}

const DATA = 0;
const DICTIONARY = 2;
const DATA_2 = 3;

const PLAIN = 0;
const PLAIN_DICTIONARY = 2;
const RLE = 3;
const BIT_PACKED = 4;
const RLE_DICTIONARY = 8;

/** Bytes that are read at once, at least. */
const AHEAD = 2 ** 18;

/** Most bytes of a header of a page. */
const HEADER = 2 ** 14;

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Inflate = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

/** What undoes the other compressions, where this Node has it. */
const INFLATE: Readonly<Record<number, Inflate | undefined>> = {
  2: zlib.gunzipSync,
  4: zlib.brotliDecompressSync,
  6: (zlib as { zstdDecompressSync?: Inflate }).zstdDecompressSync,
};

export class Pages {
  /** of the chunk of the last page */
  words: Words = [];
  readonly #fd: number;
  readonly #column: FileColumn;
  readonly #budget: Budget;
  #chunk = 0;
  /** the place in the file of the next page */
  #next = 0;
  /** rows of the chunk that are left */
  #left = 0;
  /** bytes of the file from `#from` on */
  #raw = new Uint8Array(0);
  #from = 0;
  #loaded = 0;
  #inflated = new Uint8Array(0);
  /** bytes that words may have */
  #room = 0;
  #places = new Uint32Array(0);
  #numbers = new Float64Array(0);
  #present = new Uint32Array(0);

  constructor(fd: number, column: FileColumn, budget: Budget) {
    this.#fd = fd;
    this.#column = column;
    this.#budget = budget;
  }

  get hasMore(): boolean {
    return this.#left > 0 || this.#chunk < this.#column.chunks.length;
  }

  /** The next page of cells. @throws what DuckDB is left to read */
  next(): Page {
    if (this.#left === 0) {
      const { rows, start } = this.#column.chunks[this.#chunk++];
      this.#left = rows;
      this.#next = start;
      this.words = [];
    }
    for (;;) {
      const header = this.#header();
      const [, type, size, stored, crc, data, , dictionary, data2] = header as readonly [
        ...(number | undefined)[],
      ] as unknown as [unknown, number, number, number, number | undefined, ...(Struct | undefined)[]];
      if (!(stored >= 0 && size >= 0)) throw new RangeError('a page of no size');
      const bytes = this.#load(this.#next, stored);
      if (bytes.length < stored) throw new RangeError('a page that ends beyond its column');
      const page = bytes.subarray(0, stored);
      this.#next += stored;
      if (crc !== undefined && zlib.crc32(page) !== crc >>> 0) throw new RangeError('a page that was changed');
      if (type === DICTIONARY && dictionary && this.words.length === 0) {
        this.#readWords(this.#inflate(page, size), dictionary as [unknown, number, number]);
        continue;
      }
      if (type === DATA && data) return this.#first(this.#inflate(page, size), data as number[]);
      if (type === DATA_2 && data2) return this.#second(page, size, data2 as number[]);
      throw new RangeError('a page of another kind');
    }
  }

  get #of(): Chunk {
    return this.#column.chunks[this.#chunk - 1];
  }

  #header(): Struct {
    const thrift = new Thrift(this.#load(this.#next, HEADER));
    const header = thrift.struct(PAGE);
    this.#next += thrift.at;
    return header;
  }

  /** Bytes from this place of the file on: as many as asked, or fewer at the end of the chunk. */
  #load(place: number, length: number): Uint8Array {
    const end = this.#of.end;
    const most = Math.min(length, end - place);
    if (place < this.#from || place + most > this.#from + this.#loaded) {
      const count = Math.min(Math.max(length, AHEAD), end - place);
      this.#raw = this.#grown(this.#raw, count);
      readAt(this.#fd, this.#raw, 0, count, place);
      this.#from = place;
      this.#loaded = count;
    }
    return this.#raw.subarray(place - this.#from, Math.min(this.#loaded, place - this.#from + length));
  }

  #grown<T extends Uint8Array | Uint32Array | Float64Array>(array: T, length: number): T {
    if (length <= array.length) return array;
    const room = Math.ceil(length * 1.25);
    this.#budget.take((room - array.length) * array.BYTES_PER_ELEMENT);
    return new (array.constructor as new (length: number) => T)(room);
  }

  #inflate(page: Uint8Array, size: number): Uint8Array {
    const { codec } = this.#of;
    if (codec === 0) {
      if (page.length !== size) throw new RangeError('a page of two sizes');
      return page;
    }
    if (codec === 1) {
      this.#inflated = this.#grown(this.#inflated, size);
      readSnappy(page, this.#inflated, size);
      return this.#inflated.subarray(0, size);
    }
    // what a host inflates is not kept, and counts once
    this.#inflated = this.#grown(this.#inflated, size);
    const inflated = INFLATE[codec]!(page, { maxOutputLength: Math.max(size, 1) });
    if (inflated.length !== size) throw new RangeError('a page of another size');
    // no Buffer, whose slices are views
    return new Uint8Array(inflated.buffer, inflated.byteOffset, size);
  }

  #readWords(bytes: Uint8Array, [, count, encoding]: readonly [unknown, number, number]): void {
    if (encoding !== PLAIN && encoding !== PLAIN_DICTIONARY) throw new RangeError('a dictionary of another encoding');
    // each has four bytes at least
    if (!(count >= 0 && 4 * count <= bytes.length)) throw new RangeError('a dictionary that does not fit');
    const most = 4 * bytes.length;
    if (most > this.#room) {
      this.#budget.take(most - this.#room);
      this.#room = most;
    }
    if (this.#column.stored !== 'BYTE_ARRAY') {
      const words = new Float64Array(count);
      this.#plain(bytes, 0, words, count);
      this.words = words;
      return;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const words: string[] = [];
    for (let i = 0, at = 0; i < count; i++) {
      const end = at + 4 + view.getUint32(at, true);
      if (end > bytes.length) throw new RangeError('a text that does not fit');
      words.push(text.decode(bytes.subarray(at + 4, end)));
      at = end;
    }
    this.words = words;
  }

  #first(bytes: Uint8Array, [, rows, encoding, levels, repeats]: readonly number[]): Page {
    // of levels that it does not have, too: DuckDB refuses encodings that there are not
    for (const one of [levels, repeats])
      if (one !== RLE && one !== BIT_PACKED) throw new RangeError('levels of another encoding');
    if (!this.#column.optional) return this.#page(bytes, 0, rows, encoding, null);
    if (levels !== RLE || bytes.length < 4) throw new RangeError('levels of another encoding');
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    return this.#page(bytes, 4 + length, rows, encoding, [4, 4 + length]);
  }

  #second(page: Uint8Array, size: number, header: readonly (number | boolean)[]): Page {
    const [, rows, nulls, records, encoding, defined, repeated, packed = true] = header as number[];
    if (rows !== records || repeated !== 0 || !(defined >= 0 && defined <= page.length))
      throw new RangeError('levels of a list');
    const levels = page.slice(0, defined);
    const rest = page.subarray(defined);
    const values = packed && this.#of.codec !== 0 ? this.#inflate(rest, size - defined) : rest;
    if (values.length !== size - defined) throw new RangeError('a page of another size');
    const place = this.#column.optional ? ([0, defined, levels] as const) : null;
    const found = this.#page(values, 0, rows, encoding, place);
    if ((found.missing?.subarray(0, rows).reduce((sum, one) => sum + one, 0) ?? 0) !== nulls)
      throw new RangeError('other cells are missing than said');
    return found;
  }

  /** @param levels  where the levels are that say which cells are present, of these bytes or of others; null: there are none */
  #page(
    bytes: Uint8Array,
    at: number,
    rows: number,
    encoding: number,
    levels: readonly [start: number, end: number, bytes?: Uint8Array] | null,
  ): Page {
    if (!(rows > 0 && rows <= this.#left)) throw new RangeError('more rows than the chunk has');
    this.#left -= rows;
    const present = levels && this.#levels(levels[2] ?? bytes, levels[0], levels[1], rows);
    let count = rows;
    if (present) {
      count = 0;
      for (let i = 0; i < rows; i++) count += present[i];
    }
    const missing = count < rows ? present : null;
    if (encoding === PLAIN_DICTIONARY || encoding === RLE_DICTIONARY) {
      this.#places = this.#grown(this.#places, rows);
      if (count > 0) {
        const greatest = readHybrid(bytes, at + 1, bytes.length, bytes[at], this.#places, count);
        if (greatest >= this.words.length) throw new RangeError('a place beyond the dictionary');
      }
      if (missing) spread(this.#places, missing, rows, count);
      return { rows, places: this.#places, numbers: this.#numbers, missing: missing && turned(missing, rows) };
    }
    if (encoding === PLAIN && this.#column.stored === 'BYTE_ARRAY' && count === 0 && at === bytes.length) {
      // texts of which none is there
      this.#places = this.#grown(this.#places, rows);
      this.#places.fill(0, 0, rows);
      return { rows, places: this.#places, numbers: this.#numbers, missing: missing && turned(missing, rows) };
    }
    this.#numbers = this.#grown(this.#numbers, rows);
    if (encoding === PLAIN) this.#plain(bytes, at, this.#numbers, count);
    else if (encoding === RLE && this.#column.stored === 'BOOLEAN') this.#flags(bytes, at, count);
    else throw new RangeError('values of another encoding');
    if (missing) spread(this.#numbers, missing, rows, count);
    return { rows, places: null, numbers: this.#numbers, missing: missing && turned(missing, rows) };
  }

  /** Which cells are present: 1, or 0; null: all. */
  #levels(bytes: Uint8Array, start: number, end: number, rows: number): Uint32Array | null {
    if (end > bytes.length) throw new RangeError('levels that do not fit');
    if (isAllOnes(bytes, start, end, rows)) return null;
    this.#present = this.#grown(this.#present, rows);
    if (readHybrid(bytes, start, end, 1, this.#present, rows) > 1) throw new RangeError('levels of a list');
    return this.#present;
  }

  #flags(bytes: Uint8Array, at: number, count: number): void {
    this.#places = this.#grown(this.#places, count);
    if (count > 0) readHybrid(bytes, at + 4, bytes.length, 1, this.#places, count);
    for (let i = 0; i < count; i++) this.#numbers[i] = this.#places[i];
  }

  /** Numbers as they are; whole ones beyond 2⁵³ are rounded to the nearest. */
  #plain(bytes: Uint8Array, at: number, out: Float64Array, count: number): void {
    const { stored } = this.#column;
    const width = { BOOLEAN: 1 / 8, INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8, BYTE_ARRAY: Number.NaN }[stored];
    // a page has the values that its levels say, and no more: where a byte was changed DuckDB may read what is behind them
    if (at + Math.ceil(width * count) !== bytes.length) throw new RangeError('values that do not fit');
    if (stored === 'BOOLEAN') {
      for (let i = 0; i < count; i++) out[i] = (bytes[at + (i >> 3)] >> (i & 7)) & 1;
      return;
    }
    const start = bytes.byteOffset + at;
    if (stored === 'DOUBLE') {
      new Uint8Array(out.buffer, 0, 8 * count).set(bytes.subarray(at, at + 8 * count));
      return;
    }
    // typed arrays begin at multiples of their width
    const { buffer } = start % 4 === 0 ? bytes : bytes.slice(at, at + width * count);
    const from = start % 4 === 0 ? start : 0;
    if (stored === 'FLOAT') out.set(new Float32Array(buffer, from, count));
    else if (stored === 'INT32') out.set(new Int32Array(buffer, from, count));
    else {
      const words = new Int32Array(buffer, from, 2 * count);
      for (let i = 0; i < count; i++) out[i] = words[2 * i + 1] * 2 ** 32 + (words[2 * i] >>> 0);
    }
  }
}

/** Moves the cells that are present to their rows. */
function spread(cells: Uint32Array | Float64Array, present: Uint32Array, rows: number, count: number): void {
  for (let i = rows - 1, from = count; i >= 0; i--) cells[i] = present[i] ? cells[--from] : 0;
}

function turned(present: Uint32Array, rows: number): Uint32Array {
  for (let i = 0; i < rows; i++) present[i] ^= 1;
  return present;
}
