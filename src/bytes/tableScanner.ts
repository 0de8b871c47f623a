import { type ColumnSpec, ColumnsBatch } from '../../bindings/columnsBatch.ts';
import { pickScoringEngine } from '../../bindings/pickScoring.ts';
import {
  CSV_DELIMITERS,
  CsvScanner,
  JsonScanner,
  NOTHING,
  type ScannedField,
  type Scanner,
  type ScannerKernels,
  scannerOver,
} from '../../bindings/scanner.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';

/** A column that a scanner reads into a table. */
export interface ScannedColumn {
  readonly name: string;
  /** texts and their codes, in the spellings of the file; `number`: it has numbers; `place`: the caller reads its cells, which are of CSV */
  readonly labels: Iterable<readonly [text: string, code: number]> | 'number' | 'place';
  /** number of codes */
  readonly codes: number;
  /** code of a missing cell, of a number any other number; −1: such a row is left */
  readonly gap: number;
  /** code of a text that `labels` lacks; −1: such a row is left */
  readonly unseen: number;
}

/** What the scanner knows of CSV. */
export interface CsvHeader {
  readonly delimiter: string;
  readonly names: readonly string[];
  /** bytes of the first cell */
  readonly first: Uint8Array;
  /** texts that mean a missing number */
  readonly tokens: Iterable<string>;
}

/** Rows that are read at a time, and cells. */
const MOST_ROWS = 1000;
const MOST_CELLS = 2 ** 20;
/** Bytes that are read at a time; a longer record is left. */
const WINDOW = 2 ** 17;

/**
 * Reads rows of text into columns, as far as it is sure what they say; other rows are left to the caller. It has memory of its own.
 *
 * Of each column there is a batch of values or codes, and of numbers one of flags behind it, 1 where the number is missing.
 */
export class TableScanner {
  /** Greatest number of rows that one call reads. */
  readonly capacity: number;
  readonly #engine: ScoringEngine;
  readonly #kernels: ScannerKernels;
  readonly #batch: ColumnsBatch<'f64'>;
  readonly #fields: readonly ScannedField[];
  readonly #places: readonly number[];
  #scanner: Scanner | null = null;
  #read: (last: boolean) => number = () => 0;

  private constructor(engine: ScoringEngine, columns: readonly ScannedColumn[]) {
    this.#engine = engine;
    this.#kernels = scannerOver(engine.heap);
    this.capacity = Math.max(16, Math.min(MOST_ROWS, Math.floor(MOST_CELLS / columns.length)));
    const specs: ColumnSpec[] = [];
    this.#places = columns.map(({ labels, codes }) => {
      const place = specs.length;
      if (labels === 'number') specs.push({ kind: 'numeric' }, { kind: 'coded', slots: 2 });
      else if (labels !== 'place') specs.push({ kind: 'coded', slots: codes });
      return place;
    });
    this.#fields = columns.map(({ name, labels, gap, unseen }, j): ScannedField => {
      const column = this.#places[j];
      if (labels === 'place') return { name, kind: 'any', column: null };
      if (labels !== 'number') return { name, kind: 'label', column, labels, gap, unseen };
      return { name, kind: 'number', column, indicator: column + 1, mean: gap < 0 ? null : 0 };
    });
    this.#batch = new ColumnsBatch(engine.heap, this.capacity, specs, 'f64', true);
  }

  /** @returns null where the host has no WebAssembly SIMD, and for columns of one name */
  static over(columns: readonly ScannedColumn[]): TableScanner | null {
    const names = new Set(columns.map(({ name }) => name));
    if (names.size < columns.length || names.size === 0) return null;
    const engine = pickScoringEngine();
    engine.heap.watching = false;
    return engine.name === 'wasm' ? new TableScanner(engine, columns) : null;
  }

  /** A reader of a file of CSV, until the next file begins; null where none can read it. */
  beginCsv({ delimiter, names, first, tokens }: CsvHeader): CsvScanner | null {
    this.#scanner?.free();
    this.#scanner = null;
    if (names.length < 2 || !CSV_DELIMITERS.includes(delimiter)) return null;
    const numbers = new Map(this.#fields.map(({ name }, i) => [name, i]));
    const cells = names.map((name) => numbers.get(name) ?? -1);
    const scanner = new CsvScanner({ delimiter, cells, first, tokens }, ...this.#parts());
    this.#scanner = scanner;
    this.#read = (last) => scanner.records(last);
    return scanner;
  }

  /** A reader of JSON lines, until the next file begins. */
  beginLines(): JsonScanner {
    this.#scanner?.free();
    const scanner = new JsonScanner(...this.#parts());
    scanner.beStrict();
    this.#scanner = scanner;
    this.#read = () => scanner.lines();
    return scanner;
  }

  #parts(): ConstructorParameters<typeof Scanner> {
    return [this.#engine.heap, this.#kernels, this.#batch, this.#fields, 1, WINDOW];
  }

  /** Reads rows of what its reader has loaded. @param last  the input ends with it */
  read(last: boolean): number {
    return this.#read(last);
  }

  /** The numbers of a column, of all rows that fit. */
  numbers(column: number): Float64Array {
    return this.#batch.numeric(this.#places[column]);
  }

  /** Of a column of numbers 1 where it is missing. */
  missing(column: number): Uint8Array {
    return this.#batch.codes(this.#places[column] + 1) as Uint8Array;
  }

  /**
   * Calls `use` with each cell of a column of places: where it is in `bytes`, and whether it is in quotes. A cell without a value has −1 for its start.
   */
  cells(
    column: number,
    from: number,
    to: number,
    use: (row: number, start: number, end: number, quoted: boolean) => void,
  ): void {
    const cells = this.#scanner!.cells(column);
    for (let row = from; row < to; row++) {
      const [start, what] = [cells[4 * row + 2], cells[4 * row + 3]];
      if (what === NOTHING) use(row, -1, -1, false);
      else use(row, start, start + (what >>> 1), (what & 1) === 1);
    }
  }

  /** The memory in which cells are. */
  get bytes(): Uint8Array {
    return this.#engine.heap.u8;
  }

  codes(column: number): Uint8Array | Uint16Array | Uint32Array {
    return this.#batch.codes(this.#places[column]);
  }
}
