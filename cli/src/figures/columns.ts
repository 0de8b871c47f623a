import type { CodedColumn, NumericColumn, Table } from '../../../src/index.ts';
import { parseDate } from '../../../src/internal.ts';

/** Facts about a column of the data; shares are by weight. */
export type ColumnSummary = {
  readonly name: string;
  /** share of the rows where it is missing */
  readonly missing: number;
} & (
  | {
      readonly kind: 'numeric';
      /** over the cells that are not missing; null if all are missing */
      readonly range: {
        readonly min: number;
        readonly mean: number;
        readonly max: number;
        readonly deviation: number;
      } | null;
    }
  | {
      readonly kind: 'coded';
      /** levels that occur */
      readonly distinct: number;
      /** the most frequent ones, with their shares of all rows */
      readonly top: readonly { readonly level: string; readonly share: number }[];
      /** share of values that the model does not know */
      readonly unseen: number;
      /** the first and the last date, if all levels are dates in ISO 8601 */
      readonly dates?: readonly [first: string, last: string];
    }
);

const TOP_LEVELS = 4;

interface Moments {
  kind: 'numeric';
  weight: number;
  missing: number;
  mean: number;
  squares: number;
  min: number;
  max: number;
}

interface Counts {
  kind: 'coded';
  missing: number;
  unseen: number;
  readonly counts: Map<string, number>;
}

/** Collects facts about columns over successive tables. Rows of weight 0 are ignored. */
export class ColumnSummaries {
  readonly #found = new Map<string, Moments | Counts>();
  readonly #skipped: ReadonlySet<string>;
  #weight = 0;

  /** @param skip  columns that are not features */
  constructor(skip: readonly (string | null | undefined)[]) {
    this.#skipped = new Set(skip.filter((name) => typeof name === 'string'));
  }

  /** @param weight  of the rows; absent: all 1 */
  add(table: Table, weight?: ArrayLike<number> | null): void {
    for (let i = 0; i < table.rows; i++) this.#weight += weight ? weight[i] : 1;
    for (const column of table.columns) {
      if (this.#skipped.has(column.name)) continue;
      if (column.kind === 'numeric') addNumbers(this.#of(column.name, noMoments), column, table.rows, weight);
      else addCodes(this.#of(column.name, noCounts), column, table.rows, weight);
    }
  }

  #of<T extends Moments | Counts>(name: string, make: () => T): T {
    const found = (this.#found.get(name) as T | undefined) ?? make();
    this.#found.set(name, found);
    return found;
  }

  finish(): ColumnSummary[] {
    const total = this.#weight;
    return [...this.#found].map(([name, found]) => {
      const missing = found.missing / total;
      if (found.kind === 'numeric') {
        const { weight, mean, squares, min, max } = found;
        const range = weight > 0 ? { min, mean, max, deviation: Math.sqrt(squares / weight) } : null;
        return { name, missing, kind: 'numeric', range };
      }
      const present = Array.from(found.counts, ([level, weight]) => ({ level, share: weight / total }))
        .filter(({ share }) => share > 0)
        .sort((a, b) => b.share - a.share);
      const top = present.slice(0, TOP_LEVELS);
      const unseen = found.unseen / total;
      const dates = datesOf(present);
      return { name, missing, kind: 'coded', distinct: present.length, top, unseen, ...(dates && { dates }) };
    });
  }
}

/** The first and the last level, if all levels are dates. */
function datesOf(present: readonly { readonly level: string }[]): readonly [string, string] | null {
  let [first, last] = ['', ''];
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { level } of present) {
    const time = parseDate(level);
    if (time === null) return null;
    if (time < least) [least, first] = [time, level];
    if (time > most) [most, last] = [time, level];
  }
  return present.length > 0 ? [first, last] : null;
}

const noMoments = (): Moments => ({
  kind: 'numeric',
  weight: 0,
  missing: 0,
  mean: 0,
  squares: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
});

const noCounts = (): Counts => ({ kind: 'coded', missing: 0, unseen: 0, counts: new Map() });

/** Running mean and sum of squared deviations. @see West, Communications of the ACM 22(9), 1979 */
function addNumbers(
  found: Moments,
  { values, missing }: NumericColumn,
  rows: number,
  weight?: ArrayLike<number> | null,
): void {
  for (let i = 0; i < rows; i++) {
    const share = weight ? weight[i] : 1;
    if (share === 0) continue;
    if (missing?.[i]) {
      found.missing += share;
      continue;
    }
    const value = values[i];
    found.weight += share;
    const away = value - found.mean;
    found.mean += (away * share) / found.weight;
    found.squares += share * away * (value - found.mean);
    found.min = Math.min(found.min, value);
    found.max = Math.max(found.max, value);
  }
}

function addCodes(
  found: Counts,
  { codes, levels, missing }: CodedColumn,
  rows: number,
  weight?: ArrayLike<number> | null,
): void {
  // tables may have different levels
  const counts = new Float64Array(levels.length);
  for (let i = 0; i < rows; i++) {
    const share = weight ? weight[i] : 1;
    if (missing?.[i]) found.missing += share;
    else if (codes[i] < levels.length) counts[codes[i]] += share;
    else found.unseen += share;
  }
  levels.forEach((level, code) => {
    if (counts[code] > 0) found.counts.set(level, (found.counts.get(level) ?? 0) + counts[code]);
  });
}
