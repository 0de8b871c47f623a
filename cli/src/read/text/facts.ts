/** Facts about the cells of a column, over the whole file. */

import { NUMBER, type NumberReader } from '../../../../src/text.ts';
import { CELL, type RawRecord } from './cell.ts';
import { Dictionary } from './dictionary.ts';
import type { Reading } from './options.ts';
import { readerOf } from './options.ts';

/** Texts of different kinds are different, such as "1" and 1 in JSON. */
export const TEXT_KIND = [0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 5] as const;
/** kinds of the texts in a dictionary */
export const KIND = { text: 0, number: 1, boolean: 2, list: 3, object: 4, special: 5 } as const;

const ZERO = new Int32Array(1);
/** a cell of each of KIND */
const CELL_OF = [CELL.string, CELL.number, CELL.boolean, CELL.list, CELL.object, CELL.special] as const;

/** The distinct text of some cells. */
export interface Found {
  readonly text: string;
  readonly kind: number;
  readonly count: number;
  /** the first row that has it */
  readonly row: number;
}

/** Collects the facts of one column, cell by cell. */
export class Facts {
  /** cells that are there */
  cells = 0;
  /** numbers that are not in the dictionary: all numbers before the first text */
  numbers = 0;
  /** those of them with a leading zero */
  zeros = 0;
  /** whole numbers beyond 2⁵³ among them */
  beyond = 0;
  /** every number so far was whole and greater than the one before it, as in a column of row numbers */
  rising = true;
  #last = Number.NEGATIVE_INFINITY;
  least = Number.POSITIVE_INFINITY;
  most = Number.NEGATIVE_INFINITY;
  readonly dictionary = new Dictionary();
  #counts: Float64Array = new Float64Array(64);
  #rows: Float64Array = new Float64Array(64);
  #all: boolean;
  readonly #reader: NumberReader;
  readonly #tokens: ReadonlySet<string>;

  /** @param all  every cell is needed as a text, numbers too */
  constructor(reading: Reading, all: boolean) {
    this.#reader = readerOf(reading);
    this.#tokens = reading.tokens;
    this.#all = all;
  }

  /** @param slot  of the cell; beyond the record it is missing */
  add({ bytes, starts, ends, kinds }: RawRecord, slot: number, row: number, quote: string): void {
    const kind = kinds[slot];
    if (kind === CELL.none) return;
    this.cells++;
    const start = starts[slot];
    const end = ends[slot];
    if (!this.#all && (kind <= CELL.quoted || kind === CELL.number) && end > start) {
      const number = this.#reader.read(bytes, start, end);
      if (number !== NUMBER.none) {
        this.numbers++;
        if (number === NUMBER.zeros) this.zeros++;
        const { value } = this.#reader;
        if (this.#reader.beyond) this.beyond++;
        if (!(value > this.#last && Number.isInteger(value))) this.rising = false;
        this.#last = value;
        if (value < this.least) this.least = value;
        if (value > this.most) this.most = value;
        return;
      }
    }
    const entry = findCell(this.dictionary, bytes, start, end, kind, quote);
    if (entry === this.#counts.length) {
      this.#counts = doubled(this.#counts);
      this.#rows = doubled(this.#rows);
    }
    if (this.#counts[entry]++ > 0) return;
    this.#rows[entry] = row;
    if (this.#all || TEXT_KIND[kind] === KIND.special || this.#tokens.has(this.dictionary.text(entry))) return;
    // not a column of numbers: from here on texts are counted
    this.#all = true;
  }

  /** A cell taken out of its record. @param kind  one of KIND */
  addText(text: string, kind: number, row: number, json: boolean): void {
    const bytes = Buffer.from(text);
    const record = {
      bytes,
      starts: ZERO,
      ends: Int32Array.of(bytes.length),
      kinds: Uint8Array.of(kind === KIND.text && !json ? CELL.quoted : CELL_OF[kind]),
      line: 0,
    };
    this.add(record, 0, row, '');
  }

  *texts(): Generator<Found> {
    for (let entry = 0; entry < this.dictionary.size; entry++) {
      yield {
        text: this.dictionary.text(entry),
        kind: this.dictionary.kind(entry),
        count: this.#counts[entry],
        row: this.#rows[entry],
      };
    }
  }
}

function doubled(array: Float64Array): Float64Array {
  const more = new Float64Array(2 * array.length);
  more.set(array);
  return more;
}

/** The entry of a cell's text, with its escapes resolved. */
export function findCell(
  dictionary: Dictionary,
  bytes: Buffer,
  start: number,
  end: number,
  kind: number,
  quote: string,
): number {
  if (kind !== CELL.doubled && kind !== CELL.escaped) return dictionary.find(bytes, start, end, TEXT_KIND[kind]);
  const raw = bytes.toString('utf8', start, end);
  const text = Buffer.from(
    kind === CELL.doubled ? raw.replaceAll(quote + quote, quote) : (JSON.parse(`"${raw}"`) as string),
  );
  return dictionary.find(text, 0, text.length, KIND.text);
}
