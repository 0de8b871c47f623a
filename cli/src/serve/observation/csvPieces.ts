import type { CsvPieces, ScoredBy } from '../../../../service/src/index.ts';
import { CSV_CELL, CsvRecords, likelyDelimiters, MISSING_TOKENS, namedDelimiter } from '../../../../src/text.ts';

const MISSING = new Set<string>(MISSING_TOKENS);
const LF = 10;
const QUOTE = '"';

/** Reads records of CSV a second time, by the rules by which they were scored; numbers of number fields, text else. */
export class CsvReader implements CsvPieces {
  readonly #types: ReadonlyMap<string, string>;
  readonly #decoder = new TextDecoder();
  #rest = Buffer.alloc(0);
  /** the delimiter that a line before the header names */
  #named: string | null = null;
  #reader: CsvRecords | null = null;
  #names: string[] | null = null;

  constructor({ fields }: ScoredBy) {
    this.#types = new Map(fields.map(({ name, type }) => [name, type]));
  }

  records(bytes: Uint8Array): Record<string, unknown>[] {
    const isEnd = bytes.length === 0;
    const all = Buffer.concat([this.#rest, bytes]);
    const found: Record<string, unknown>[] = [];
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
      const next = reader.next(all, at, isEnd);
      if (next < 0 || (reader.endsWithCr && !isEnd)) break;
      const cells = Array.from({ length: reader.cells }, (_, i) => this.#cell(reader, all, i));
      at = next;
      if (!this.#names) {
        if (!reader.isBlank) this.#names = cells.map(({ text }, i) => text || `column${i}`);
      } else if (!reader.isBlank || this.#names.length === 1) found.push(this.#record(this.#names, cells));
    }
    this.#rest = all.subarray(at);
    return found;
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
