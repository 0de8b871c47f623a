import type { ColumnsBatch } from './columnsBatch.ts';
import { Handle } from './handle.ts';
import type { Block, Heap } from './heap.ts';
import { scannerModule } from './modules/scanner.ts';

/** The functions of the module of readers, over the memory of an engine: assembly/scan. */
export interface ScannerKernels {
  endWith0(at: number): void;
  scanJsonLines(plan: number, from: number, to: number): number;
  scanJsonArray(plan: number, from: number, to: number, first: number, last: number): number;
  scanCsv(plan: number, from: number, to: number, last: number): number;
  scanJsonRecord(plan: number, from: number, to: number): number;
  countLines(from: number, to: number, cr: number): number;
  fillLabels(table: number, masks: number, list: number, count: number, entries: number, bits: number): void;
  isUtf8(from: number, to: number): number;
  checkJson(state: number, from: number, to: number): number;
  findArray(from: number, to: number, key: number, length: number): number;
  scanNumbers(plan: number, from: number, out: number): number;
}

/** What a field of a record becomes. */
export interface ScannedField {
  readonly name: string;
  /** `number`: it is a number, as it is. `label`: it is a code. `any`: the host encodes it. */
  readonly kind: 'number' | 'label' | 'any';
  /** its column of the batch; null: of the offset, which is kept apart */
  readonly column: number | null;
  /** the column of the batch that says whether it is missing */
  readonly indicator?: number | null;
  /** what a missing number is; null: it is refused */
  readonly mean?: number | null;
  /** range of training */
  readonly min?: number;
  readonly max?: number;
  /** texts and their codes */
  readonly labels?: Iterable<readonly [label: string, code: number]>;
  /** codes of a missing cell and of an unseen value; −1: it is refused */
  readonly gap?: number;
  readonly unseen?: number;
}

/** The code of a text that means a missing cell. */
export const MISSING = 0xfffffffe;

/** Whether an array has more elements, has ended, or is wrong. */
export const ARRAY = { open: 0, closed: 1, wrong: 2 } as const;

/** What is read behind the input, as zeros. */
export const BEHIND = 128;
export const PLAN_BYTES = 344;
const MASKS = 160;
const TENS = 192;
const FIELD_BYTES = 64;
const KEY_BYTES = 128;
const SPAN_BYTES = 8;
const ANY_BYTES = 16;
const MOST_POWER = 64;
/** of the tables that numbers take */
export const POWERS_BYTES = 23 * 8 + (2 * MOST_POWER + 1) * 16;
const MASK = (1n << 64n) - 1n;
/** places of a table of labels for each of them, at least */
const SPARE = 3;

/** Keys that are remembered in their order beside those of the fields. */
const OTHER_KEYS = 64;

const encoder = /* @__PURE__ */ new TextEncoder();

/** The readers over a memory. @throws what the host throws when it lacks WebAssembly SIMD, or the memory is shared */
export function scannerOver(heap: Heap): ScannerKernels {
  const env = { memory: heap.memory as WebAssembly.Memory };
  return new WebAssembly.Instance(scannerModule(), { env }).exports as unknown as ScannerKernels;
}

/**
 * Reads records into the columns of a batch, part after part: `load` bytes, then a method of the format until they are used up. Of each row it knows
 * where it began and ended, and whether it was read or is left to the host.
 */
export abstract class Scanner extends Handle {
  /** @internal */
  protected readonly kernels: ScannerKernels;
  /** address of what the kernels know @internal */
  protected readonly plan: number;
  /** address of each field @internal */
  protected readonly places: readonly number[];
  /** by field, for those that the host encodes */
  readonly #any: readonly number[];
  readonly #spans: number;
  readonly #flags: number;
  readonly #defaulted: number;
  readonly #outside: number;
  readonly #offsets: number;
  /** input, what is read behind it, stack */
  #window: Block | null = null;
  /** bytes of input that fit */
  size = 0;
  /** bytes of input that are loaded, and used */
  loaded = 0;
  used = 0;
  /**
   * @param batch  its capacity is the number of rows of a part
   * @param features  that can take a default
   * @param size  bytes of input that fit at first
   * @throws ERR_MEMORY
   */
  constructor(
    heap: Heap,
    kernels: ScannerKernels,
    batch: ColumnsBatch,
    fields: readonly ScannedField[],
    features: number,
    size: number,
  ) {
    super(heap, 'scanner');
    this.kernels = kernels;
    const rows = batch.capacity;
    const allocate = (bytes: number) => this.allocate(bytes, 'a reader of bytes');
    this.plan = allocate(PLAN_BYTES);
    heap.u8.fill(0xff, this.plan + MASKS, this.plan + MASKS + 16);
    this.#spans = allocate(rows * SPAN_BYTES);
    this.#flags = allocate(rows);
    this.#defaulted = allocate(rows * 8);
    this.#outside = allocate(rows * 8);
    this.#offsets = allocate(rows * 8);
    this.#any = fields.map(({ kind }) => (kind === 'any' ? allocate(rows * ANY_BYTES) : 0));
    const at = allocate(fields.length * FIELD_BYTES);
    this.places = fields.map((_, i) => at + i * FIELD_BYTES);
    fields.forEach((field, i) => {
      this.#writeField(this.places[i], field, batch, this.#any[i]);
    });
    const words = [at, fields.length, 0, 0, 0, 0, 0, this.#spans, this.#flags, rows, this.#defaulted, this.#outside];
    heap.u32.set(words, this.plan / 4);
    putConstants(heap, this.plan, allocate(POWERS_BYTES));
    heap.f64[this.plan / 8 + 8] = features;
    this.grow(size);
  }

  /** Writes words of the plan, from a byte of it on. @internal */
  protected words(from: number, words: readonly number[]): void {
    this.heap.u32.set(words, (this.plan + from) / 4);
  }

  /** A word of the plan. @internal */
  protected word(from: number): number {
    return this.heap.u32[(this.plan + from) / 4];
  }

  /** Writes vectors of equal bytes into the plan. @internal */
  protected bytesFrom(from: number, bytes: readonly number[]): void {
    putBytes(this.heap, this.plan + from, bytes);
  }

  #writeField(at: number, field: ScannedField, batch: ColumnsBatch, any: number): void {
    const { kind, column, indicator = null, mean = null, min = Number.NEGATIVE_INFINITY } = field;
    const { labels, gap = -1, unseen = -1, max = Number.POSITIVE_INFINITY } = field;
    const cells = (j: number) => (batch.specs[j].kind === 'coded' ? batch.codes(j) : batch.numeric(j));
    const place = kind === 'any' ? any : column === null ? this.#offsets : cells(column).byteOffset;
    const code = kind === 'any' ? 8 : kind === 'label' ? cells(column!).BYTES_PER_ELEMENT : 0;
    const table = labels ? this.labels(labels) : 0;
    const { u32, f64 } = this.heap;
    u32.set([code, place, indicator === null ? 0 : cells(indicator).byteOffset, 0], at / 4);
    f64.set([mean ?? 0, min, max], at / 8 + 2);
    u32.set([table, kind === 'label' ? gap : mean === null ? -1 : 0, unseen, 0], at / 4 + 10);
  }

  /** A table of texts and their codes in memory; its address. @internal */
  protected labels(labels: Iterable<readonly [label: string, code: number]>): number {
    // no text in UTF-8 is a label with half a character in it, and none that is read has a NUL
    const whole = [...labels].filter(([label]) => !/\p{Surrogate}/u.test(label) && !label.includes('\0'));
    const texts = whole.map(([label, code]) => [encoder.encode(label), code] as const);
    const count = texts.length;
    const bits = Math.max(1, Math.ceil(Math.log2(SPARE * (count + 1))));
    const bytes = texts.reduce((sum, [text]) => sum + text.length, 16);
    const what = 'a table of labels';
    const table = this.allocate(16, what);
    const entries = this.allocate((2 ** bits + count + 1) * 32, what);
    let at = this.allocate(bytes, what);
    const list = this.heap.allocate(count * 12, what);
    texts.forEach(([text, code], i) => {
      this.heap.u8.set(text, at);
      this.heap.u32.set([at, text.length, code], list.address / 4 + 3 * i);
      at += text.length;
    });
    this.kernels.fillLabels(table, this.plan + MASKS, list.address, count, entries, bits);
    this.heap.release(list);
    return table;
  }

  /** Makes room for that many bytes of input. What was loaded is lost. @throws ERR_MEMORY */
  grow(size: number): void {
    if (this.#window) this.heap.release(this.#window);
    const { heap } = this;
    const what = `${size} bytes of input`;
    this.#window = heap.allocate(size + BEHIND + size / 8 + 1, what, false);
    this.keep([this.#window]);
    this.size = size;
  }

  /** address of the input @internal */
  protected get window(): number {
    return this.#window!.address;
  }

  /** address of a bit for each byte of input @internal */
  protected get stack(): number {
    return this.window + this.size + BEHIND;
  }

  /** Copies bytes `from` to `to` into memory; `isUtf8` must follow. */
  load(bytes: Uint8Array, from: number, to: number): void {
    const { u8 } = this.heap;
    const at = this.window;
    const length = to - from;
    if (length < 64) for (let i = 0; i < length; i++) u8[at + i] = bytes[from + i];
    else u8.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), at);
    this.loaded = length;
    this.used = 0;
  }

  /** Makes the memory ready for what reads, as `isUtf8` does. */
  ready(): void {
    this.kernels.endWith0(this.window + this.loaded);
  }

  /** Whether what is loaded is UTF-8. It makes the memory ready for `lines`, `array` and `records`. */
  isUtf8(): boolean {
    const at = this.window;
    this.ready();
    return this.kernels.isUtf8(at, at + this.loaded) !== 0;
  }

  /** Runs a kernel over what is loaded and not used; returns the number of rows. @internal */
  protected run(kernel: (plan: number, from: number, to: number) => number): number {
    const at = this.window;
    this.used = kernel(this.plan, at + this.used, at + this.loaded) - at;
    return this.word(56);
  }

  /** Number of lines that end in bytes `from` to `to` of what is loaded. @param cr  a CR alone ends a line too */
  lineEnds(from: number, to: number, cr: boolean): number {
    const at = this.window;
    return this.kernels.countLines(at + from, at + to, Number(cr));
  }

  /** Position of the first byte of a row in what is loaded. */
  start(row: number): number {
    return this.heap.u32[this.#spans / 4 + 2 * row] - this.window;
  }

  /** Position behind the last byte of a row. */
  end(row: number): number {
    return this.heap.u32[this.#spans / 4 + 2 * row + 1] - this.window;
  }

  /** The bytes of a row, valid until the next load. */
  bytes(row: number): Uint8Array {
    const at = this.#spans / 4 + 2 * row;
    return this.heap.u8.subarray(this.heap.u32[at], this.heap.u32[at + 1]);
  }

  /** Number of rows that are left to the host. */
  get left(): number {
    return this.word(72);
  }

  /** Whether a row is left to the host. */
  isLeft(row: number): boolean {
    return this.heap.u8[this.#flags + row] !== 0;
  }

  /** Leaves a row to the host. */
  leave(row: number): void {
    this.heap.u32[this.plan / 4 + 18]++;
    this.heap.u8[this.#flags + row] = 1;
  }

  /** Writes for each row the shares of features that took a default, and that are out of the range of training. */
  shares(rows: number, defaulted: Float64Array, outOfRange: Float64Array): void {
    copy(this.heap.f64, this.#defaulted / 8, rows, defaulted);
    copy(this.heap.f64, this.#outside / 8, rows, outOfRange);
  }

  /** The share of features of a row that took a default. */
  defaulted(row: number): number {
    return this.heap.f64[this.#defaulted / 8 + row];
  }

  /** The share of features of a row that are out of the range of training. */
  outOfRange(row: number): number {
    return this.heap.f64[this.#outside / 8 + row];
  }

  /** The offset of a row that was read. */
  offset(row: number): number {
    return this.heap.f64[this.#offsets / 8 + row];
  }

  /** Sets the offset of a row, where features read it too. */
  setOffset(row: number, offset: number): void {
    this.heap.f64[this.#offsets / 8 + row] = offset;
  }

  /** Of field i, whose kind is `any`, four words a row; the third is the position of a cell in the memory, the fourth what is there. @internal */
  cells(i: number): Uint32Array {
    const at = this.#any[i] / 4;
    return this.heap.u32.subarray(at, at + (this.word(36) * ANY_BYTES) / 4);
  }

  /** Of field i of a row that was read, whose kind is `any`: the number, the place of what is there, and what the reader says of it. @internal */
  protected any(i: number, row: number): readonly [number: number, start: number, what: number] {
    const at = this.#any[i] + row * ANY_BYTES;
    const { u32, f64 } = this.heap;
    return [f64[at / 8], u32[at / 4 + 2], u32[at / 4 + 3]];
  }

  /** The value of field i of a row that was read, whose kind is `any`. */
  abstract value(i: number, row: number): unknown;
}

/** Reads JSON: lines, the elements of an array, one record. */
export class JsonScanner extends Scanner {
  /** one of ARRAY */
  state: number = ARRAY.open;

  /** @param fields  with their labels as they are */
  constructor(...[heap, kernels, batch, fields, features, size]: ConstructorParameters<typeof Scanner>) {
    super(heap, kernels, batch, fields.map(spelled), features, size);
    const keys = this.labels(fields.map(({ name }, i) => [name, this.places[i]]));
    const most = 2 * fields.length + OTHER_KEYS;
    this.words(8, [keys, this.allocate(most * KEY_BYTES, 'keys in order'), 0, most]);
  }

  /**
   * Leaves more rows to the host, which judges with more care than `JSON.parse`: those whose keys are not in the order of a row before them that was
   * left too, and those whose other fields have escapes or deep brackets.
   */
  beStrict(): void {
    this.words(280, [1]);
  }

  override load(bytes: Uint8Array, from: number, to: number): void {
    super.load(bytes, from, to);
    this.state = ARRAY.open;
  }

  override grow(size: number): void {
    super.grow(size);
    this.words(52, [this.stack]);
  }

  /** Reads bytes as one record. Returns whether it could: a record that must be left to the host is none. What was loaded is lost. */
  record(bytes: Uint8Array): boolean {
    const { length } = bytes;
    if (length > this.size) return false;
    const at = this.window;
    this.heap.u8.set(bytes, at);
    return this.kernels.scanJsonRecord(this.plan, at, at + length) !== 0;
  }

  /** Reads lines. Returns the number of rows, which is the capacity where lines are left. */
  lines(): number {
    return this.run(this.kernels.scanJsonLines);
  }

  /**
   * Reads elements of an array, behind its bracket or behind an element. Returns the number of rows.
   * @param last  the input ends with what is loaded
   */
  array(first: boolean, last: boolean): number {
    const rows = this.run((plan, from, to) => this.kernels.scanJsonArray(plan, from, to, Number(first), Number(last)));
    this.state = this.word(60);
    return rows;
  }

  value(i: number, row: number): unknown {
    const [number, start, length] = this.any(i, row);
    return length === 0 ? number : JSON.parse(decoder.decode(this.heap.u8.subarray(start, start + length)));
  }
}

/** What a reader of CSV knows beside the fields. */
export interface CsvLayout {
  readonly delimiter: string;
  /** of each cell of a record the number of its field; −1: nobody reads it */
  readonly cells: readonly number[];
  /** bytes of the first cell of the header */
  readonly first: Uint8Array;
  /** texts that mean a missing number */
  readonly tokens: Iterable<string>;
}

/** Delimiters that the reader of CSV knows. */
export const CSV_DELIMITERS = ',;\t|';

/** Reads the records of CSV. */
export class CsvScanner extends Scanner {
  /** `fields` have their labels in every spelling */
  constructor(layout: CsvLayout, ...parts: ConstructorParameters<typeof Scanner>) {
    super(...parts);
    const { delimiter, cells, first, tokens } = layout;
    const places = this.allocate(4 * cells.length, 'cells');
    const header = this.allocate(first.length + 16, 'a header');
    const missing = this.labels([...tokens].map((token) => [token, 0]));
    const { u32, u8 } = this.heap;
    u32.set(
      cells.map((field) => (field < 0 ? 0 : this.places[field])),
      places / 4,
    );
    u8.set(first, header);
    this.words(8, [places, cells.length, delimiter === '\t' ? 0x20 : 0x09, header, first.length]);
    this.words(52, [missing]);
    this.bytesFrom(272, [delimiter.charCodeAt(0), 10, 13, 0]);
  }

  /**
   * Reads records. Returns the number of rows; with fewer than fit, what is not used is the begin of another.
   * @param last  the input ends with what is loaded
   */
  records(last: boolean): number {
    return this.run((plan, from, to) => this.kernels.scanCsv(plan, from, to, Number(last)));
  }

  /** Empty lines before rows, of all that was read. */
  get blanks(): number {
    return this.word(336);
  }

  /** Empty lines behind the last row, or before what is read next. */
  get pendingBlanks(): number {
    return this.word(340);
  }

  set pendingBlanks(count: number) {
    this.words(340, [count]);
  }

  /** The bytes of a cell, with whether they are in quotes; null: it has no value. */
  value(i: number, row: number): { readonly bytes: Uint8Array; readonly quoted: boolean } | null {
    const [, start, what] = this.any(i, row);
    if (what === NOTHING) return null;
    return { bytes: this.heap.u8.subarray(start, start + (what >>> 1)), quoted: (what & 1) === 1 };
  }
}

/** What is there of a cell of CSV without a value; of others their length times 2, and 1 more in quotes. */
export const NOTHING = 0xffffffff;

/** Copies values: few of them without a view. */
export function copy(from: Float64Array, start: number, count: number, to: Float64Array, at = 0): void {
  if (count > 32) to.set(from.subarray(start, start + count), at);
  else for (let i = 0; i < count; i++) to[at + i] = from[start + i];
}

const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });

/** A field of JSON, with its labels in the spellings of JSON. */
const spelled = (field: ScannedField): ScannedField =>
  field.labels
    ? {
        ...field,
        labels: [...field.labels].flatMap(([label, code]) =>
          [...spellings(label)].map((text) => [text, code] as const),
        ),
      }
    : field;

/** How writers of JSON spell a text: with the escapes that it needs, and in ASCII. */
function spellings(text: string): Set<string> {
  const plain = JSON.stringify(text).slice(1, -1);
  return new Set([
    plain,
    plain.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  ]);
}

/**
 * Writes the constants of a plan: tables of assembly/scan/number.ts among them.
 * @param powers  address of POWERS_BYTES for those
 */
export function putConstants(heap: Heap, plan: number, powers: number): void {
  heap.u32[plan / 4 + 12] = powers;
  new BigUint64Array(heap.u8.buffer, plan + TENS, 9).set(Array.from({ length: 9 }, (_, q) => 10n ** BigInt(q)));
  putBytes(heap, plan + 80, [0x22, 0x5c, 0x1f, 0x30, 9]);
  for (let q = 0; q < 23; q++) heap.f64[powers / 8 + q] = Number(`1e${q}`);
  fives ??= powersOfFive();
  new BigUint64Array(heap.u8.buffer, powers + 23 * 8, fives.length).set(fives);
}

/** Writes vectors of equal bytes. */
function putBytes(heap: Heap, at: number, bytes: readonly number[]): void {
  bytes.forEach((byte, i) => {
    heap.u8.fill(byte, at + 16 * i, at + 16 * (i + 1));
  });
}

/** of every scanner; computing them takes as long as a thousand records */
let fives: BigUint64Array | undefined;

function powersOfFive(): BigUint64Array {
  const bits = new BigUint64Array(2 * (2 * MOST_POWER + 1));
  for (let q = -MOST_POWER; q <= MOST_POWER; q++) {
    const value = powerOfFive(q);
    bits[2 * (q + MOST_POWER)] = value & MASK;
    bits[2 * (q + MOST_POWER) + 1] = value >> 64n;
  }
  return bits;
}

/** 128 bits of 5^q from its first one on; of a negative power truncated, and one more where the inverse is not longer than that. */
function powerOfFive(q: number): bigint {
  const power = 5n ** BigInt(Math.abs(q));
  const length = BigInt(power.toString(2).length);
  if (q >= 0) return length <= 128n ? power << (128n - length) : power >> (length - 128n);
  if (q >= -27) return (1n << (length + 127n)) / power + 1n;
  const inverse = (1n << (2n * length + 128n)) / power + 1n;
  return inverse >> BigInt(inverse.toString(2).length - 128);
}
