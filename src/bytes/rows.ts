import type { Scanner } from '../../bindings/scanner.ts';
import type { CsvInput } from './csv.ts';

/** Greatest number of bytes of one record. */
export const MOST_JSON = 2 ** 26;
/** as in the command */
export const MOST_CSV = 2 ** 21;

/** Rows in bytes that are at hand. */
export interface Rows {
  readonly count: number;
  bytes(i: number): Uint8Array;
  /** of the first byte, in the whole input */
  offset(i: number): number;
  /** the CSV that they are rows of; null: they are JSON */
  readonly csv: CsvInput | null;
  /** what has read them, if anything has */
  readonly scanner: Scanner | null;
  /** whether the scanner has read row i; it leaves others to the host */
  isRead(i: number): boolean;
  /** whether it has read all rows */
  readonly read: boolean;
}

/** Rows of the scanner, whose input begins at `base`. */
export function scannedRows(
  scanner: Scanner,
  count: number,
  base: number,
  valid: boolean,
  csv: CsvInput | null = null,
): Rows {
  // a record that is too long may fit with its line end
  const fits = (i: number): boolean => !csv || scanner.bytes(i).length <= MOST_CSV;
  return {
    count,
    bytes: (i) => scanner.bytes(i),
    offset: (i) => base + scanner.start(i),
    isRead: (i) => valid && !scanner.isLeft(i) && fits(i),
    read: valid && scanner.left === 0 && (count > 1 || fits(0)),
    csv,
    scanner,
  };
}

/** Where rows are that nothing has read. */
export class PlainRows implements Rows {
  readonly #bytes: Uint8Array;
  readonly #base: number;
  readonly #spans: (readonly [start: number, end: number])[] = [];
  readonly csv: CsvInput | null;
  readonly scanner = null;
  readonly read = false;

  /** @param base  number of the first byte in the whole input */
  constructor(bytes: Uint8Array, base: number, csv: CsvInput | null = null) {
    this.#bytes = bytes;
    this.#base = base;
    this.csv = csv;
  }

  add(start: number, end: number): this {
    this.#spans.push([start, end]);
    return this;
  }

  get count(): number {
    return this.#spans.length;
  }

  bytes(i: number): Uint8Array {
    return this.#bytes.subarray(...this.#spans[i]);
  }

  offset(i: number): number {
    return this.#base + this.#spans[i][0];
  }

  isRead(): boolean {
    return false;
  }
}
