import {
  type Column,
  type Dated,
  type DatePart,
  type Feature,
  LogoddsError,
  type Model,
  type Table,
  type Warning,
} from '../../../src/index.ts';
import { bucketOf, CROSS, codeOfBin, levelsOf, partOf, show, timesOf, tokensOf } from '../../../src/internal.ts';
import { counted, percent, significant, whole, word } from './wording.ts';

/** Values of a feature that its training rows did not have. */
export interface Stranger {
  readonly feature: string;
  /**
   * `unseen`: not a level of the feature; `beyond`: outside the fitted range; `missing`: a missing cell, if no fitted row lacked one (for a feature
   * with levels), or if no row at all has a value
   */
  readonly kind: 'unseen' | 'beyond' | 'missing';
  readonly rows: number;
  /** rows with a value; for `missing`, all rows */
  readonly of: number;
  /** rows / of */
  readonly share: number;
  /** a few of the values, if they are known */
  readonly examples: readonly string[];
  /** for `beyond`: the fitted range */
  readonly range: readonly [number, number] | null;
}

/** Above this share of the values, strangers are a warning. */
export const MANY_STRANGERS = 0.1;
const EXAMPLES = 3;
/** Codes of cells without a level. */
const MISSING = -1;
const UNSEEN = -2;
/** Largest number of combinations of levels that are remembered. */
const MOST_KNOWN = 2 ** 18;

/** What is counted of one feature: rows, cells that are missing, values that training did not have. */
export interface Tally {
  readonly rows: number;
  readonly missing: number;
  readonly strange: number;
  readonly examples: readonly string[];
}

/** The counts of one feature. */
class Count {
  readonly feature: string;
  readonly range: readonly [number, number] | null;
  /** whether a missing cell is a stranger even if other rows have values */
  readonly complete: boolean;
  rows = 0;
  missing = 0;
  strange = 0;
  readonly examples = new Set<string>();

  constructor(feature: string, range: readonly [number, number] | null, complete: boolean) {
    this.feature = feature;
    this.range = range;
    this.complete = complete;
  }

  add(example: string | undefined): void {
    this.strange++;
    if (example !== undefined && this.examples.size < EXAMPLES) this.examples.add(example);
  }

  get tally(): Tally {
    return { rows: this.rows, missing: this.missing, strange: this.strange, examples: [...this.examples] };
  }

  join({ rows, missing, strange, examples }: Tally): void {
    this.rows += rows;
    this.missing += missing;
    this.strange += strange;
    for (const example of examples) if (this.examples.size < EXAMPLES) this.examples.add(example);
  }

  *found(): Generator<Stranger> {
    const { feature, range, rows, missing, strange } = this;
    const of = rows - missing;
    const examples = [...this.examples];
    if (strange > 0)
      yield { feature, kind: range ? 'beyond' : 'unseen', rows: strange, of, share: strange / of, examples, range };
    if (missing > 0 && (this.complete || missing === rows))
      yield { feature, kind: 'missing', rows: missing, of: rows, share: missing / rows, examples: [], range: null };
  }
}

/** Cells of a column as numbers (for a date, one of its parts) or as codes of texts. A code beyond the levels is an unknown text. */
type Cells = { readonly missing: Uint8Array | null } & (
  | { readonly number: (row: number) => number; readonly values?: ArrayLike<number>; readonly codes?: undefined }
  | { readonly number?: undefined; readonly codes: ArrayLike<number>; readonly levels: readonly string[] }
);

/** @param known  whether no row took a default or has a number outside its range */
type Look = (table: Table, known: boolean) => void;

/**
 * Counts values that no training row of a model had, over successive tables: for each feature unseen levels, numbers beyond the fitted range,
 * unseen combinations of a cross, and missing cells if training had none.
 */
export class Strangers {
  readonly #counts: Count[] = [];
  readonly #looks: Look[] = [];
  /** codes of the features with levels in the current table, for crosses */
  readonly #codes = new Map<string, Int32Array>();
  readonly #dates = new Map<string, Float64Array>();
  readonly #crossed: boolean;

  constructor({ manifest: { schema } }: Model) {
    const crosses: Look[] = [];
    for (const feature of schema.features) {
      const look = this.#lookOf(feature, schema.features);
      if (look) (feature.kind === 'cross' ? crosses : this.#looks).push(look);
    }
    // crosses read the codes of other features
    this.#looks.push(...crosses);
    this.#crossed = crosses.length > 0;
  }

  /** @param known  true: a scorer has found that no row took a default or has a number outside its range. Few features need a look then. */
  add(table: Table, known = false): void {
    this.#codes.clear();
    this.#dates.clear();
    for (const look of this.#looks) look(table, known && !this.#crossed);
  }

  /** The counts so far, in the order of the features that have some. */
  tallies(): Tally[] {
    return this.#counts.map((count) => count.tally);
  }

  /** Adds counts of other rows of the same model. */
  join(tallies: readonly Tally[]): void {
    for (const [i, tally] of tallies.entries()) this.#counts[i]?.join(tally);
  }

  /** Sorted by share, the greatest first. */
  finish(): Stranger[] {
    return this.#counts.flatMap((count) => [...count.found()]).sort((a, b) => b.share - a.share || b.rows - a.rows);
  }

  #count(feature: Feature, range: readonly [number, number] | null, complete: boolean): Count {
    const count = new Count(feature.name, range, complete);
    this.#counts.push(count);
    return count;
  }

  #lookOf(feature: Feature, features: readonly Feature[]): Look | null {
    switch (feature.kind) {
      case 'numeric':
        return this.#range(feature, undefined, feature.min, feature.max, false);
      case 'curve':
        return this.#range(feature, feature.part, feature.min, feature.max, false);
      case 'binned':
        return this.#bins(feature);
      case 'date':
      case 'categorical':
      case 'target':
        return this.#leveled(feature);
      case 'hashed':
        return feature.of ? null : this.#hashed(feature);
      case 'tokens':
        return 'buckets' in feature.tokens ? null : this.#tokens(feature, feature.tokens);
      case 'cross':
        return this.#cross(feature, features);
    }
  }

  #range(feature: Feature, part: DatePart | undefined, min: number, max: number, complete: boolean): Look {
    const count = this.#count(feature, [min, max], complete);
    return (table, known) => {
      const cells = this.#cells(table, feature, part);
      if (!cells?.number) return;
      const { number, values, missing } = cells;
      count.rows += table.rows;
      if (known && feature.kind === 'numeric') return;
      if (values && !missing && isWithin(values, table.rows, min, max)) return;
      for (let i = 0; i < table.rows; i++) {
        if (missing?.[i]) count.missing++;
        else {
          const value = number(i);
          if (value < min || value > max) count.add(String(value));
        }
      }
    };
  }

  #bins(feature: Extract<Feature, { kind: 'binned' }>): Look {
    const { edges, levels, counts, range } = feature;
    const count = this.#count(feature, [edges[0], edges.at(-1)!], counts.at(-1) === 0);
    const codeOf = codeOfBin(feature);
    return (table) => {
      const cells = this.#cells(table, feature, feature.part);
      if (!cells?.number) return;
      const { number, missing } = cells;
      const codes = new Int32Array(table.rows);
      count.rows += table.rows;
      for (let i = 0; i < table.rows; i++) {
        codes[i] = missing?.[i] ? MISSING : codeOf(number(i));
        if (missing?.[i]) count.missing++;
        else if (codes[i] < 0) {
          count.add(String(number(i)));
          codes[i] = range === 'clip' ? (codes[i] === -1 ? 0 : levels.length - 1) : UNSEEN;
        }
      }
      this.#codes.set(feature.name, codes);
    };
  }

  #leveled(feature: Extract<Feature, { kind: 'date' | 'categorical' | 'target' }>): Look {
    const count = this.#count(feature, null, feature.counts.at(-1) === 0);
    const known = new Map(feature.levels.map((level, code) => [level, code]));
    // rare levels were seen in training, but share the slot of unseen ones
    const rare = new Set('rare' in feature ? (feature.rare ?? []) : []);
    const part = 'part' in feature ? feature.part : undefined;
    const codeOf = (label: string | undefined): number =>
      label === undefined ? UNSEEN : (known.get(label) ?? (rare.has(label) ? known.size : UNSEEN));
    return (table, seen) => {
      const cells = this.#cells(table, feature, part);
      if (!cells) return;
      count.rows += table.rows;
      if (seen && feature.kind === 'categorical') return;
      const codes = new Int32Array(table.rows);
      this.#codes.set(feature.name, codes);
      if (
        cells.codes &&
        cells.levels.length <= table.rows &&
        !cells.missing &&
        areKnown(cells.codes, cells.levels.map(codeOf), codes)
      )
        return;
      const label = labelReader(cells, table.rows, codeOf);
      for (let i = 0; i < table.rows; i++) {
        if (cells.missing?.[i]) {
          codes[i] = MISSING;
          count.missing++;
          continue;
        }
        codes[i] = label.code(i);
        if (codes[i] === UNSEEN) count.add(count.examples.size < EXAMPLES ? label.text(i) : undefined);
      }
    };
  }

  #hashed(feature: Extract<Feature, { kind: 'hashed' }>): Look {
    const { buckets, counts } = feature;
    const count = this.#count(feature, null, counts.at(-1) === 0);
    const codeOf = (label: string | undefined): number => {
      if (label === undefined) return UNSEEN;
      const { index, sign } = bucketOf(label, buckets);
      return counts[sign < 0 ? buckets + index : index] > 0 ? 0 : UNSEEN;
    };
    return this.#labels(feature, count, codeOf);
  }

  /** Counts the labels of a feature that have the code of unseen labels. */
  #labels(feature: Feature, count: Count, codeOf: (label: string | undefined) => number): Look {
    return (table) => {
      const cells = this.#cells(table, feature, undefined);
      if (!cells) return;
      const label = labelReader(cells, table.rows, codeOf);
      count.rows += table.rows;
      for (let i = 0; i < table.rows; i++) {
        if (cells.missing?.[i]) count.missing++;
        else if (label.code(i) === UNSEEN) count.add(label.text(i));
      }
    };
  }

  /** Counts texts without a known token. */
  #tokens(feature: Extract<Feature, { kind: 'tokens' }>, tokens: readonly string[]): Look {
    const count = this.#count(feature, null, false);
    const known = new Set(tokens);
    const codeOf = (label: string | undefined): number => {
      const found = label === undefined ? [] : tokensOf(feature, label);
      return found.length > 0 && !found.some((token) => known.has(token)) ? UNSEEN : 0;
    };
    return this.#labels(feature, count, codeOf);
  }

  #cross(feature: Extract<Feature, { kind: 'cross' }>, features: readonly Feature[]): Look {
    const count = this.#count(feature, null, false);
    const known = new Set(feature.levels);
    const parts = feature.of.map((name) => ({ name, levels: levelsOf(features.find((one) => one.name === name)!)! }));
    const met = new Map<string, string | null>();
    return (table) => {
      const codes = parts.map(({ name }) => this.#codes.get(name));
      if (codes.some((one) => one === undefined)) return;
      count.rows += table.rows;
      for (let i = 0; i < table.rows; i++) {
        let [key, least] = ['', 0];
        for (const one of codes) {
          key += `${one![i]},`;
          least = least === MISSING || one![i] === MISSING ? MISSING : Math.min(least, one![i]);
        }
        if (least === MISSING) {
          count.missing++;
          continue;
        }
        let strange = met.get(key);
        if (strange === undefined) {
          const name = parts.map(({ levels }, j) => levels[codes[j]![i]] ?? '(unseen)').join(CROSS);
          strange = least === UNSEEN || !known.has(name) ? name : null;
          if (met.size < MOST_KNOWN) met.set(key, strange);
        }
        if (strange !== null) count.add(strange);
      }
    };
  }

  /** The cells of the column that a feature reads; for dates, one of their parts. Null if the table has no such column. */
  #cells(table: Table, feature: Feature, part: DatePart | undefined): Cells | null {
    const name = ('column' in feature && feature.column) || feature.name;
    const column = table.columns.find((one) => one.name === name);
    if (!column) return null;
    const missing = column.missing ?? null;
    if (part !== undefined) {
      const at = this.#instants(column, feature as Dated, table.rows);
      return { number: (row) => partOf(at[row], part), missing };
    }
    if (column.kind === 'numeric') return { number: (row) => column.values[row], values: column.values, missing };
    return { codes: column.codes, levels: column.levels, missing };
  }

  /** The dates of a column in milliseconds, read once for all parts. */
  #instants(column: Column, feature: Dated, rows: number): Float64Array {
    const name = `${column.name}\n${feature.unit}`;
    const known = this.#dates.get(name);
    if (known) return known;
    const time = timesOf(feature, column, rows);
    const at = Float64Array.from({ length: rows }, (_, row) => time(row));
    this.#dates.set(name, at);
    return at;
  }
}

/** Nearly all blocks of rows have nothing strange, which these find in a short loop. */
function isWithin(values: ArrayLike<number>, rows: number, min: number, max: number): boolean {
  for (let i = 0; i < rows; i++) if (values[i] < min || values[i] > max) return false;
  return true;
}

/** Writes the code that each cell has by the code of its level. @returns whether all are levels */
function areKnown(cells: ArrayLike<number>, codeOf: readonly number[], codes: Int32Array): boolean {
  const table = Int32Array.from(codeOf);
  for (let i = 0; i < codes.length; i++) {
    const cell = cells[i];
    if (cell >= table.length || table[cell] < 0) return false;
    codes[i] = table[cell];
  }
  return true;
}

/** The code and the text of the label of a cell. */
function labelReader(cells: Cells, rows: number, codeOf: (label: string | undefined) => number) {
  const { number } = cells;
  if (number === undefined) {
    const { codes, levels } = cells;
    const text = (row: number): string | undefined => levels[codes[row]];
    const table = levels.length <= rows ? levels.map(codeOf) : null;
    return { text, code: table ? (row: number) => table[codes[row]] ?? UNSEEN : (row: number) => codeOf(text(row)) };
  }
  const met = new Map<number, number>();
  const text = (row: number) => String(number(row));
  return {
    text,
    code(row: number): number {
      const value = number(row);
      let code = met.get(value);
      if (code === undefined) {
        code = codeOf(String(value));
        met.set(value, code);
      }
      return code;
    },
  };
}

/** E.g. Home: 300 of 300 values unseen ("RENT") */
export function strangerText({ feature, kind, rows, of, examples, range }: Stranger): string {
  const shown = (values: readonly string[]) =>
    values.map((value) => (kind === 'unseen' ? show(value) : value)).join(', ');
  const some = examples.length > 0 ? ` (${shown(examples)}${rows > examples.length ? ', …' : ''})` : '';
  const what = {
    unseen: 'values unseen in training',
    beyond: `beyond the fitted ${range ? `${significant(range[0])} … ${significant(range[1])}` : 'range'}`,
    missing: 'cells missing, for which the model has no weight',
  }[kind];
  return `${word(feature)}: ${whole(rows)} of ${whole(of)} ${what}${some}`;
}

/** Largest number of lines shown. */
const SHOWN = 10;

/** The strangers as lines of a report; no line if there are none. */
export function strangerLines(strangers: readonly Stranger[], most = SHOWN): string[] {
  const lines = strangers.slice(0, most).map(strangerText);
  const more = strangers.length - lines.length;
  return more > 0
    ? [...lines, `and ${counted(more, 'more feature')} with values that training did not have (--json lists all)`]
    : lines;
}

const CODES = { unseen: 'UNSEEN_VALUES', beyond: 'BEYOND_RANGE', missing: 'MISSING_VALUES' } as const;

/** Warnings of the features with many strangers. @param where  "held-out rows", "rows" */
export function strangerWarnings(strangers: readonly Stranger[], where: string): Warning[] {
  return strangers
    .filter(({ share }) => share > MANY_STRANGERS)
    .map((stranger) => ({
      code: CODES[stranger.kind],
      message: `${strangerText(stranger)}, more than ${percent(MANY_STRANGERS, 0)} of the ${where}: check how the column was made`,
      features: [stranger.feature],
    }));
}

/** @throws ERR_DATA if a feature has more strangers than the job allows */
export function refuseStrangers(strangers: readonly Stranger[], most: number | undefined): void {
  const [worst] = strangers;
  if (most === undefined || !worst || worst.share <= most) return;
  const more = strangers.filter(({ share }) => share > most).length - 1;
  throw new LogoddsError(
    'ERR_DATA',
    `--max-unseen ${most}: expected at most ${significant(100 * most)} % of the values of a feature that training did not have, got ${strangerText(worst)}${more > 0 ? `, and ${counted(more, 'more feature')}` : ''}; check how the column was made`,
  );
}
