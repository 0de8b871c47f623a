/** Dictionaries of DuckDB's vectors: codes for texts and numbers, without an object for each cell. */
import { cellError, LABEL_RULE } from '../../../src/internal.ts';

/** A vector of DuckDB's texts: four words each. */
export interface TextVector {
  readonly dataView: DataView;
  getItem(index: number): string | null;
}

/** Longest text that is stored in its vector: the length, then the bytes, then zeros. A longer one has an address. */
export const INLINE = 12;

export const wordsOf = ({ dataView: { buffer, byteOffset, byteLength } }: TextVector) =>
  new Uint32Array(buffer, byteOffset, byteLength / 4);

/** DuckDB's bits of valid cells; null: all are. */
export type Valid = Uint8Array | null;

export const isValid = (bits: Uint8Array, i: number) => ((bits[i >> 3] >> (i & 7)) & 1) !== 0;

/** A table of hashes from texts of at most 12 bytes to codes. */
export class ShortTexts {
  #size = 0;
  #words = new Uint32Array(4 * 16);
  #codes = new Int32Array(16);
  /** place of a text + 1; 0: none */
  #table = new Uint32Array(64);
  /** whether all texts have at most 4 bytes, so that length and first word tell them apart */
  #narrow = true;

  /** @param at  the place of the first word of the text */
  add(words: Uint32Array, at: number, code: number): void {
    if (this.#narrow && words[at] > 4) {
      this.#narrow = false;
      this.#enterAll();
    }
    if (this.#size === this.#codes.length) this.#grow();
    this.#words.set(words.subarray(at, at + 4), 4 * this.#size);
    this.#codes[this.#size] = code;
    this.#enter(this.#size++);
  }

  /**
   * Writes the code of each valid cell, from `from` on.
   * @param unknown  the code of a cell that is long or not in the table, by its place in the vector
   */
  write(
    cells: Uint32Array,
    codes: Uint8Array | Uint16Array | Uint32Array,
    from: number,
    count: number,
    valid: Valid,
    unknown: (place: number) => number,
  ): void {
    for (let i = 0; i < count; i++) {
      i = this.#narrow
        ? this.#writeNarrow(cells, codes, from, i, count, valid)
        : this.#writeWide(cells, codes, from, i, count, valid);
      if (i < count) codes[from + i] = unknown(i);
    }
  }

  /** Writes codes up to a cell that is not in the table. @returns its place, or `count` */
  #writeNarrow(
    cells: Uint32Array,
    codes: Uint8Array | Uint16Array | Uint32Array,
    from: number,
    start: number,
    count: number,
    valid: Valid,
  ): number {
    const words = this.#words;
    const known = this.#codes;
    const table = this.#table;
    const mask = table.length - 1;
    for (let i = start; i < count; i++) {
      if (valid && !isValid(valid, i)) continue;
      const length = cells[4 * i];
      const a = cells[4 * i + 1];
      let slot = narrowHash(length, a) & mask;
      for (;;) {
        const text = table[slot] - 1;
        // a text of more than 4 bytes is longer than all here
        if (text < 0) return i;
        if (words[4 * text + 1] === a && words[4 * text] === length) {
          codes[from + i] = known[text];
          break;
        }
        slot = (slot + 1) & mask;
      }
    }
    return count;
  }

  #writeWide(
    cells: Uint32Array,
    codes: Uint8Array | Uint16Array | Uint32Array,
    from: number,
    start: number,
    count: number,
    valid: Valid,
  ): number {
    const words = this.#words;
    const known = this.#codes;
    const table = this.#table;
    const mask = table.length - 1;
    for (let i = start; i < count; i++) {
      if (valid && !isValid(valid, i)) continue;
      const length = cells[4 * i];
      const a = cells[4 * i + 1];
      const b = cells[4 * i + 2];
      const c = cells[4 * i + 3];
      if (length > INLINE) return i;
      let slot = hash(length, a, b, c) & mask;
      for (;;) {
        const text = table[slot] - 1;
        if (text < 0) return i;
        const at = 4 * text;
        if (words[at] === length && words[at + 1] === a && words[at + 2] === b && words[at + 3] === c) {
          codes[from + i] = known[text];
          break;
        }
        slot = (slot + 1) & mask;
      }
    }
    return count;
  }

  #enter(text: number): void {
    const [words, at, mask] = [this.#words, 4 * text, this.#table.length - 1];
    const full = this.#narrow
      ? narrowHash(words[at], words[at + 1])
      : hash(words[at], words[at + 1], words[at + 2], words[at + 3]);
    let slot = full & mask;
    while (this.#table[slot] > 0) slot = (slot + 1) & mask;
    this.#table[slot] = text + 1;
  }

  /** Doubles the room; a quarter of the table is in use at most. */
  #grow(): void {
    const [words, codes] = [this.#words, this.#codes];
    this.#words = new Uint32Array(2 * words.length);
    this.#words.set(words);
    this.#codes = new Int32Array(2 * codes.length);
    this.#codes.set(codes);
    this.#table = new Uint32Array(2 * this.#table.length);
    this.#enterAll();
  }

  #enterAll(): void {
    this.#table.fill(0);
    for (let text = 0; text < this.#size; text++) this.#enter(text);
  }
}

function narrowHash(length: number, a: number): number {
  const sum = Math.imul(a ^ (length << 24), 0x9e3779b1);
  return sum ^ (sum >>> 15);
}

function hash(length: number, a: number, b: number, c: number): number {
  let sum = Math.imul(a ^ length, 0x9e3779b1);
  sum = Math.imul(sum ^ b ^ (sum >>> 15), 0x85ebca6b);
  sum = Math.imul(sum ^ c ^ (sum >>> 13), 0xc2b2ae35);
  return sum ^ (sum >>> 16);
}

/** Gives cells codes in the order of their first occurrence. */
export class Dictionary {
  readonly levels: string[] = [];
  /** the row in which each level occurs first */
  readonly rows: number[] = [];
  readonly #label: (text: string) => string | null;
  readonly #name: string;
  readonly #byLabel = new Map<string, number>();
  readonly #short = new ShortTexts();
  readonly #long = new Map<string, number>();
  readonly #numbers = new Map<number, number>();
  /** codes of small whole numbers, as most numbers with a label are; −1: none yet */
  readonly #small = new Int32Array(256).fill(-1);

  /** @param label  the label of a text; null: it is none */
  constructor(name: string, label: (text: string) => string | null) {
    this.#name = name;
    this.#label = label;
  }

  /** @throws ERR_RECORD for a text that is no label */
  addTexts(vector: TextVector, codes: Uint32Array, from: number, count: number, valid: Valid, firstRow: number): void {
    const words = wordsOf(vector);
    this.#short.write(words, codes, from, count, valid, (i) => {
      const short = words[4 * i] <= INLINE;
      // what is longer is known by its text
      const text = vector.getItem(i)!;
      const known = short ? undefined : this.#long.get(text);
      if (known !== undefined) return known;
      const code = this.#add(text, firstRow + i);
      if (short) this.#short.add(words, 4 * i, code);
      else this.#long.set(text, code);
      return code;
    });
  }

  /** Numbers, whose texts are JavaScript's. */
  addNumbers(
    cells: Float64Array,
    codes: Uint32Array,
    from: number,
    count: number,
    valid: Valid,
    firstRow: number,
  ): void {
    const small = this.#small;
    let last = Number.NaN;
    let code = 0;
    for (let i = 0; i < count; i++) {
      if (valid && !isValid(valid, i)) continue;
      const byte = cells[i] & 255;
      if (byte === cells[i] && small[byte] >= 0) {
        codes[from + i] = small[byte];
        continue;
      }
      if (cells[i] !== last) {
        last = cells[i];
        const known = this.#numbers.get(last);
        code = known ?? this.#add(String(last), firstRow + i);
        if (known === undefined) this.#numbers.set(last, code);
        if (byte === last) small[byte] = code;
      }
      codes[from + i] = code;
    }
  }

  #add(text: string, row: number): number {
    const label = this.#label(text);
    if (label === null)
      throw cellError(row, this.#name, `${LABEL_RULE}, or a list of these`, text, 'correct it with --query');
    const known = this.#byLabel.get(label);
    if (known !== undefined) return known;
    const code = this.levels.push(label) - 1;
    this.rows.push(row);
    this.#byLabel.set(label, code);
    return code;
  }
}
