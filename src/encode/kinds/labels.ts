import { cellError } from '../columns.ts';
import { LABEL_RULE, textOf } from '../label.ts';
import type { CodedColumn } from '../table.ts';

/** What the levels of a column become, kept while the same `levels` array comes: tables of one source share it. */
export class LevelTable<T> {
  readonly #of: (level: string | undefined) => T;
  #levels: readonly string[] | null = null;
  #table: T[] = [];

  constructor(of: (level: string | undefined) => T) {
    this.#of = of;
  }

  /** of each level, then of a code beyond them */
  read({ levels }: CodedColumn): readonly T[] {
    if (this.#levels !== levels || this.#table.length !== levels.length + 1) {
      this.#table = [...levels, undefined].map((level) => this.#of(level));
      this.#levels = levels;
    }
    return this.#table;
  }
}

/** A value of a record as the text of a category. @throws ERR_RECORD */
export function recordLabel(name: string, value: unknown): string {
  const label = typeof value === 'string' ? value : textOf(value);
  if (label === null) throw cellError(null, name, LABEL_RULE, value, 'use null for a missing value');
  return label;
}
