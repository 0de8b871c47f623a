import type { CsvPieces, RowPieces, ScoredBy, StreamRow } from '../../../../service/src/index.ts';
import {
  CSV_CELL,
  CsvError,
  CsvRecords,
  likelyDelimiters,
  MISSING_TOKENS,
  namedDelimiter,
} from '../../../../src/text.ts';

const MISSING = new Set<string>(MISSING_TOKENS);
const LF = 10;
const CR = 13;
const QUOTE = '"';

/** Takes CSV apart by the rules by which it is scored: numbers of number fields, text else. */
export class CsvReader implements CsvPieces, RowPieces {
  /** what stands before the first row */
  header: Uint8Array | null = null;
  readonly #types: ReadonlyMap<string, string>;
  readonly #decoder = new TextDecoder();
  #rest = Buffer.alloc(0);
  /** the delimiter that a line before the header names */
  #named: string | null = null;
  #reader: CsvRecords | null = null;
  #names: string[] | null = null;

  constructor({ fields }: Pick<ScoredBy, 'fields'>) {
    this.#types = new Map(fields.map(({ name, type }) => [name, type]));
  }

  records(bytes: Uint8Array): Record<string, unknown>[] {
    return this.rows(bytes).map(({ record }) => (record ?? {}) as Record<string, unknown>);
  }

  /** The rows that a piece completes. Empty lines stand before the row that follows. */
  rows(bytes: Uint8Array): StreamRow[] {
    const isEnd = bytes.length === 0;
    const all = Buffer.concat([this.#rest, bytes]);
    const found: StreamRow[] = [];
    // of what no row has yet, and of what is read
    let from = 0;
    let at = 0;
    while (at < all.length) {
      if (!this.#reader) {
        const end = all.indexOf(LF, at);
        if (end < 0 && !isEnd) break;
        const behind = end < 0 ? all.length : end + 1;
        if (!this.#begin(this.#decoder.decode(all.subarray(at, behind)).trim())) {
          at = behind;
          continue;
        }
      }
      const reader = this.#reader!;
      const next = nextOf(reader, all, at, isEnd);
      if (next === null) break;
      at = next.at;
      const isRow = next.isWrong || !reader.isBlank || this.#names?.length === 1;
      if (!isRow) continue;
      if (this.#names) {
        const record = next.isWrong ? null : this.#record(this.#names, this.#cells(reader, all));
        found.push({ bytes: all.subarray(from, at), record });
      } else {
        this.#names = this.#cells(reader, all).map(({ text }, i) => text || `column${i}`);
        this.header = all.subarray(0, at);
      }
      from = at;
    }
    // the marks of a header that is not whole are read once more
    if (!this.#names && !isEnd) this.#reset();
    this.#rest = all.subarray(from);
    return found;
  }

  #reset(): void {
    this.#reader = null;
    this.#named = null;
  }

  #cells(reader: CsvRecords, bytes: Buffer) {
    return Array.from({ length: reader.cells }, (_, i) => this.#cell(reader, bytes, i));
  }

  /** Makes the reader by the header. Returns whether the line is that: blank ones, and one that names the delimiter, may stand before it. */
  #begin(line: string): boolean {
    if (line === '') return false;
    const named = this.#named === null ? namedDelimiter(line) : null;
    if (named !== null) {
      this.#named = named;
      return false;
    }
    this.#reader = new CsvRecords(this.#named ?? likelyDelimiters(line, QUOTE)[0], QUOTE);
    return true;
  }

  #cell(reader: CsvRecords, bytes: Buffer, i: number): { readonly text: string; readonly kind: number } {
    const kind = reader.kinds[i];
    const text = this.#decoder.decode(bytes.subarray(reader.starts[i], reader.ends[i]));
    return { kind, text: kind === CSV_CELL.doubled ? text.replaceAll('""', '"') : text };
  }

  #record(
    names: readonly string[],
    cells: readonly { readonly text: string; readonly kind: number }[],
  ): Record<string, unknown> {
    return Object.fromEntries(
      names.map((name, i) => {
        const { text, kind } = cells[i] ?? { text: '', kind: CSV_CELL.none };
        if (kind === CSV_CELL.none || (kind === CSV_CELL.bare && MISSING.has(text))) return [name, null];
        const value = this.#types.get(name) === 'number' ? Number(text) : Number.NaN;
        return [name, Number.isNaN(value) ? text : value];
      }),
    );
  }
}

/** Where the next record ends; one that is wrong ends with its line. null: it is not whole yet. */
function nextOf(
  reader: CsvRecords,
  bytes: Buffer,
  at: number,
  isEnd: boolean,
): { readonly at: number; readonly isWrong: boolean } | null {
  try {
    const next = reader.next(bytes, at, isEnd);
    return next < 0 || (reader.endsWithCr && !isEnd) ? null : { at: next, isWrong: false };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    let end = error.fault === 'unclosed' ? bytes.length : error.at;
    while (end < bytes.length && bytes[end] !== LF && bytes[end] !== CR) end++;
    if (bytes[end] === CR && (bytes[end + 1] === LF || end + 1 === bytes.length)) end++;
    return end >= bytes.length && !isEnd ? null : { at: Math.min(end + 1, bytes.length), isWrong: true };
  }
}
