import { Handle } from './handle.ts';
import type { Heap } from './heap.ts';
import { writerModule } from './modules/writer.ts';
import { pickScoringEngine } from './pickScoring.ts';

/** The functions of the module that writes text: assembly/write. */
interface WriterKernels {
  writeNumber(out: number, value: number, powers: number): number;
  writeRows(plan: number, from: number, rows: number, first: number, out: number, end: number): number;
}

/** A piece of each row: a text, and behind it a number, one of several texts, the number of the row, or nothing. */
export interface RowPiece {
  readonly before: Uint8Array;
  readonly kind: 'none' | 'number' | 'text' | 'row';
  /** of numbers and texts, which column has them */
  readonly column: number;
  /** what codes mean */
  readonly texts: readonly Uint8Array[];
}

/** Numbers, or which text each is. */
export type RowColumn = Float64Array | Uint32Array;

/** Rows of a block, and what is done with their bytes. */
export interface RowBlock {
  readonly columns: readonly RowColumn[];
  readonly from: number;
  readonly to: number;
  /** number of row 0 */
  readonly first: number;
  /** a row that the kernel leaves, of the same pieces */
  readonly left: (row: number) => Uint8Array;
  /** takes bytes, which are valid during the call */
  readonly full: (bytes: Uint8Array) => void;
}

const KINDS = { none: 0, number: 1, text: 2, row: 3 } as const;
/** Bytes that are collected before they are handed out. */
const SIZE = 2 ** 16;
/** Rows that are handed to the kernel at a time, and cells of their columns, at most. */
const MOST_ROWS = 1024;
const MOST_CELLS = 2 ** 15;
/** Bytes that are read and written beyond an end. */
const BEHIND = 32;
const PLAN_BYTES = 16;
const PIECE_BYTES = 24;
/** Least and greatest exponents, as they are stored, of numbers that the kernel writes. */
const EXPONENTS = [923, 1074] as const;
/** Greatest k of digits.ts: ten units of 2ᵏ⁺¹ are a word. */
const MOST_SHIFT = 59;
const POWER_BYTES = 24;
/** Most bytes of a number that String writes: its sign, 17 digits, point, and zeros or an exponent. */
const MOST_NUMBER = 25;

/** Most bytes of a row. */
export const mostOfRow = (pieces: readonly RowPiece[]): number =>
  pieces.reduce((sum, { before, texts }) => {
    const cell = texts.reduce((most, { length }) => Math.max(most, length), MOST_NUMBER);
    return sum + before.length + cell;
  }, 0);

/** Memory that is replaced where more is needed. */
interface Room {
  readonly address: number;
  readonly size: number;
}
const NO_ROOM: Room = { address: 0, size: 0 };

/** Memory in which text is written: numbers as `String(x)` has them, and rows of the same pieces. */
export class TextMemory extends Handle {
  readonly #kernels: WriterKernels;
  readonly #powers: number;
  readonly #plan: number;
  /** those of the plan */
  #pieces: readonly RowPiece[] = [];
  #out = NO_ROOM;
  #table = NO_ROOM;
  #columns = NO_ROOM;
  /** rows of a column that fit */
  #rows = 0;
  /** columns that the plan reads */
  #read: readonly number[] = [];

  private constructor(heap: Heap) {
    super(heap, 'text');
    const env = { memory: heap.memory as WebAssembly.Memory };
    this.#kernels = new WebAssembly.Instance(writerModule(), { env }).exports as unknown as WriterKernels;
    this.#powers = this.allocate(POWER_BYTES * (EXPONENTS[1] - EXPONENTS[0] + 1), 'text');
    this.#plan = this.allocate(PLAN_BYTES, 'text');
    this.#out = this.#room(this.#out, SIZE);
    this.#writePowers();
  }

  /** @returns null where the host has no WebAssembly SIMD */
  static make(): TextMemory | null {
    const { name, heap } = pickScoringEngine();
    heap.watching = false;
    return name === 'wasm' ? new TextMemory(heap) : null;
  }

  #writePowers(): void {
    const { heap } = this;
    const [first, last] = EXPONENTS;
    const words = new BigUint64Array(heap.u8.buffer, this.#powers, 3 * (last - first + 1));
    for (let i = 0; i <= last - first; i++) {
      // half of the distance to the next number is then from 0.555 to 5.55 units
      const distance = 2 ** (first + i - 1023 - 52);
      const places = Math.ceil(Math.log10(1.11 / distance));
      const shift = 1075 - first - i - places;
      // what is longer than a word loses its end
      const lost = Math.max(0, shift - MOST_SHIFT);
      words[3 * i] = (5n ** BigInt(places)) >> BigInt(lost);
      words[3 * i + 2] = 10n ** BigInt(Math.max(0, 16 - places));
      heap.u32.set([places, shift - lost], this.#powers / 4 + 6 * i + 2);
    }
  }

  #room(given: Room, size: number): Room {
    if (size <= given.size) return given;
    const more = Math.max(size, 2 * given.size);
    return { address: this.allocate(more + BEHIND, 'text', false), size: more };
  }

  /** Text of SIZE bytes; valid until `rows`. */
  get bytes(): Uint8Array {
    return this.heap.u8.subarray(this.#out.address, this.#out.address + SIZE);
  }

  /** Writes a number into `bytes`; returns the place behind it, or 0 for one that the kernel leaves. */
  number(at: number, value: number): number {
    const out = this.#out.address;
    const end = this.#kernels.writeNumber(out + at, value, this.#powers);
    return end === 0 ? 0 : end - out;
  }

  /** Writes rows. */
  rows(pieces: readonly RowPiece[], { columns, from, to, first, left, full }: RowBlock): void {
    if (pieces !== this.#pieces) this.#use(pieces);
    const { u8, u32 } = this.heap;
    const { address } = this.#out;
    const end = address + SIZE;
    let out = address;
    const pass = () => {
      if (out > address) full(u8.subarray(address, out));
      out = address;
    };
    for (let start = from; start < to; start += this.#rows) {
      const rows = this.#lend(columns, start, to);
      for (let i = 0; i < rows; ) {
        i = this.#kernels.writeRows(this.#plan, i, rows, first + start, out, end);
        out = u32[this.#plan / 4 + 3];
        if (out >= end) pass();
        else if (i < rows) {
          const bytes = left(start + i++);
          u8.set(bytes, out);
          out += bytes.length;
        }
      }
    }
    pass();
  }

  /** Takes rows from `from` on: as many as fit, which it returns. */
  #lend(columns: readonly RowColumn[], from: number, to: number): number {
    const until = Math.min(from + this.#rows, to);
    const { f64, u32 } = this.heap;
    for (const j of this.#read) {
      const part = columns[j].subarray(from, until);
      const at = this.#columns.address + 8 * this.#rows * j;
      if (part instanceof Float64Array) f64.set(part, at / 8);
      else u32.set(part, at / 4);
    }
    return until - from;
  }

  /** Makes the plan that of pieces. */
  #use(pieces: readonly RowPiece[]): void {
    this.#pieces = [];
    const all = pieces.flatMap(({ before, texts }) => [before, ...texts]);
    const codes = all.length - pieces.length;
    const read = pieces.flatMap(({ kind, column }) => (kind === 'number' || kind === 'text' ? [column] : []));
    const columns = read.reduce((most, column) => Math.max(most, column + 1), 1);
    const spans = PIECE_BYTES * pieces.length;
    const size = spans + 8 * codes + all.reduce((sum, { length }) => sum + length, 0);
    this.#table = this.#room(this.#table, size);
    this.#out = this.#room(this.#out, SIZE + mostOfRow(pieces));
    this.#rows = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_CELLS / columns)));
    this.#columns = this.#room(this.#columns, 8 * this.#rows * columns);
    const { u8, u32 } = this.heap;
    const table = this.#table.address;
    let at = table + spans + 8 * codes;
    const put = (text: Uint8Array): [address: number, length: number] => {
      u8.set(text, at);
      at += text.length;
      return [at - text.length, text.length];
    };
    let code = table + spans;
    pieces.forEach(({ before, kind, column, texts }, i) => {
      const cells = this.#columns.address + 8 * this.#rows * column;
      u32.set([KINDS[kind], ...put(before), cells, code, texts.length], (table + PIECE_BYTES * i) / 4);
      for (const text of texts) {
        u32.set(put(text), code / 4);
        code += 8;
      }
    });
    u32.set([pieces.length, table, this.#powers], this.#plan / 4);
    this.#read = [...new Set(read)];
    this.#pieces = pieces;
  }
}
