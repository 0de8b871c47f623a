import { cellError } from '../columns.ts';
import { LABEL_RULE, textOf } from '../label.ts';
import type { CodedColumn } from '../table.ts';
import { cellText } from '../tokens.ts';

/** Encoded levels of a column, cached by code while the level stays the same, because tables of one source share levels. */
export class LevelTable<T> {
  readonly #of: (level: string | undefined) => T;
  #seen: string[] = [];
  #table: T[] = [];

  constructor(of: (level: string | undefined) => T) {
    this.#of = of;
  }

  /** The encoded level of each row, or that of no level if the column has none for it. */
  reader({ codes, levels }: CodedColumn): (row: number) => T {
    if (this.#table.length < levels.length) {
      this.#seen = new Array(levels.length);
      this.#table = new Array(levels.length);
    }
    const [seen, table, of] = [this.#seen, this.#table, this.#of];
    return (row) => {
      const code = codes[row];
      const level = levels[code];
      if (level === undefined) return of(level);
      if (seen[code] !== level) {
        table[code] = of(level);
        seen[code] = level;
      }
      return table[code];
    };
  }
}

/** A value of a record as the text of a category. @throws ERR_RECORD */
export const recordLabel = (name: string, value: unknown): string => known(name, value, textOf(value));

/** As above for a text, which may also be a list. @throws ERR_RECORD */
export const recordText = (name: string, value: unknown): string => known(name, value, cellText(value));

function known(name: string, value: unknown, label: string | null): string {
  if (label === null) throw cellError(null, name, LABEL_RULE, value, 'use null for a missing value');
  return label;
}
