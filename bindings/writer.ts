import { Handle } from './handle.ts';
import type { Heap } from './heap.ts';
import { writerModule } from './modules/writer.ts';
import { pickScoringEngine } from './pickScoring.ts';

/** The functions of the module that writes text: assembly/write. */
interface WriterKernels {
  writeNumber(out: number, value: number, powers: number): number;
  writeLines(plan: number, from: number, rows: number, first: number, out: number, end: number): number;
}

/** The texts of a row of scores. */
export interface LineTexts {
  /** before its number */
  readonly begin: Uint8Array;
  /** before the probability of each class */
  readonly before: readonly Uint8Array[];
  /** of each class, with the end of the row */
  readonly labels: readonly Uint8Array[];
}

/** Rows that are handed to the kernel at a time. */
const ROWS = 1024;
/** Bytes that are read and written beyond an end. */
const BEHIND = 32;
const WORDS = 6;
/** Least and greatest exponents, as they are stored, of numbers that the kernel writes. */
const EXPONENTS = [1003, 1022] as const;

/**
 * Memory in which text is written: numbers with the shortest digits that read back as the same bits, as String(value) has them, and whole rows of
 * scores.
 */
export class TextMemory extends Handle {
  /** the text; valid as long as the handle */
  readonly bytes: Uint8Array;
  readonly #kernels: WriterKernels;
  readonly #out: number;
  readonly #powers: number;
  readonly #plan: number = 0;
  readonly #columns: readonly number[] = [];
  readonly #labels: number = 0;

  /** @param size  bytes of text @param texts  of rows, for `lines` */
  private constructor(heap: Heap, size: number, texts: LineTexts | null) {
    super(heap, 'text');
    const env = { memory: heap.memory as WebAssembly.Memory };
    this.#kernels = new WebAssembly.Instance(writerModule(), { env }).exports as unknown as WriterKernels;
    const allocate = (bytes: number) => this.allocate(bytes, 'text');
    this.#out = allocate(size + BEHIND);
    this.#powers = allocate(16 * (EXPONENTS[1] - EXPONENTS[0] + 1));
    if (texts) {
      const { begin, before, labels } = texts;
      this.#columns = before.map(() => allocate(8 * ROWS));
      this.#labels = allocate(4 * ROWS);
      const columns = allocate(4 * before.length);
      const all = [begin, ...before, ...labels];
      const table = allocate(8 * all.length);
      const places = all.map((text) => allocate(text.length + BEHIND));
      this.#plan = allocate(4 * WORDS);
      heap.u32.set(this.#columns, columns / 4);
      all.forEach((text, i) => {
        heap.u8.set(text, places[i]);
        heap.u32.set([places[i], text.length], table / 4 + 2 * i);
      });
      heap.u32.set([before.length, columns, this.#labels, table, this.#powers], this.#plan / 4);
    }
    this.bytes = heap.u8.subarray(this.#out, this.#out + size);
    this.#writePowers();
  }

  /** @returns null where the host has no WebAssembly SIMD */
  static make(size: number, texts: LineTexts | null): TextMemory | null {
    const { name, heap } = pickScoringEngine();
    heap.watching = false;
    return name === 'wasm' ? new TextMemory(heap, size, texts) : null;
  }

  #writePowers(): void {
    const { heap } = this;
    const [first, last] = EXPONENTS;
    const fives = new BigUint64Array(heap.u8.buffer, this.#powers, 2 * (last - first + 1));
    for (let i = 0; i <= last - first; i++) {
      // half of the distance to the next number is then from 0.555 to 5.55 units
      const distance = 2 ** (first + i - 1023 - 52);
      const places = Math.ceil(Math.log10(1.11 / distance));
      fives[2 * i] = 5n ** BigInt(places);
      heap.u32.set([places, 1075 - first - i - places], this.#powers / 4 + 4 * i + 2);
    }
  }

  /** Writes a number; returns the place behind it, or 0 for one that is not from 10⁻⁶ to 1, or as near to one text as to another. */
  number(at: number, value: number): number {
    const end = this.#kernels.writeNumber(this.#out + at, value, this.#powers);
    return end === 0 ? 0 : end - this.#out;
  }

  /**
   * Writes rows from `row` on, up to one that begins at `end` or behind it, or has a probability that `number` leaves.
   * @param columns  a probability of each class, which `lend` has taken
   * @param first  number of row 0
   * @returns the row up to which it has written, and the place behind it
   */
  lines(row: number, rows: number, first: number, at: number, end: number): readonly [row: number, at: number] {
    const next = this.#kernels.writeLines(this.#plan, row, rows, first, this.#out + at, this.#out + end);
    return [next, this.heap.u32[this.#plan / 4 + 5] - this.#out];
  }

  /** Takes rows from `from` on: as many as fit, which it returns. */
  lend(columns: readonly Float64Array[], labels: Uint32Array, from: number): number {
    const to = Math.min(from + ROWS, labels.length);
    const { f64, u32 } = this.heap;
    columns.forEach((column, k) => {
      f64.set(column.subarray(from, to), this.#columns[k] / 8);
    });
    u32.set(labels.subarray(from, to), this.#labels / 4);
    return to - from;
  }
}
