/** A column of Parquet files as cells of a table: numbers, or codes of levels. */
import type { Column } from '../../../../src/index.ts';
import { list } from '../../../../src/internal.ts';
import { asNumbers, sameMeaning } from '../../../../src/text.ts';
import { codesFor } from '../block.ts';
import { type Codes, type LevelCodes, levelCodes, meanings } from '../codes.ts';
import { spellingOf } from '../levels.ts';
import { NOTE } from '../text/judge.ts';
import type { Reading } from '../text/options.ts';
import { requirement, type Wanted } from '../wanted.ts';
import type { FileColumn } from './footer.ts';
import type { Page, Pages, Words } from './pages.ts';

/** How cells become those of a table. */
export interface Plan {
  readonly name: string;
  /** in the files */
  readonly column: string;
  /** null: numbers */
  readonly levels: readonly string[] | null;
  /** codes of texts that are levels */
  readonly texts: Map<string, number> | null;
  /** whether a text becomes a level when it occurs */
  readonly open: boolean;
  /** what numbers are divided by */
  readonly per: number;
  /** codes of numbers that are levels */
  readonly codes: LevelCodes | null;
  /** texts that stand for a missing cell */
  readonly na: ReadonlySet<string>;
  /** numbers that stand for a missing cell */
  readonly gaps: { readonly nan: boolean; readonly infinite: boolean };
  /** least number */
  readonly least: number;
  /** whether a cell must be there, and whether it must be a level */
  readonly required: boolean;
  readonly strict: boolean;
  /** what is said of the column; null: nothing */
  readonly note: string | null;
}

/** @returns null for a column whose cells only DuckDB can read */
export function planOf(one: Wanted, { type, kind, perMs }: FileColumn, { na }: Reading): Plan | null {
  if (type === null || (kind === 'date' && one.read !== 'time')) return null;
  const isFloat = kind === 'float';
  const shared = {
    name: one.name,
    column: one.column ?? one.name,
    open: false,
    per: perMs,
    na: kind === 'text' ? na : new Set<string>(),
    gaps: { nan: isFloat && hasAny(na, 'NaN', 'nan'), infinite: isFloat && hasAny(na, 'Infinity', 'inf') },
    least: one.role === 'weight' ? 0 : -Number.MAX_VALUE,
    required: requirement(one.role) !== undefined,
    strict: one.unseen === 'error',
    note: null,
  };
  if (one.levels === null || (one.needs && asNumbers(one.needs, { kind })))
    return kind === 'text' ? null : { ...shared, levels: null, texts: null, codes: null };
  const { levels } = one;
  const codesOf = (): Map<string, number> => new Map(levels.map((level, code) => [level, code]));
  if (one.read === 'text') {
    const open = levels.length === 0;
    const own = open ? [] : levels;
    return kind === 'text' ? { ...shared, na: NONE, levels: own, texts: codesOf(), codes: null, open } : null;
  }
  const alike = sameMeaning(levels);
  const others = meanings(levels, alike).length > 0;
  if (one.needs) return null;
  if (kind === 'text') {
    if (others || spellingOf(levels) !== 'plain') return null;
    return { ...shared, levels, texts: codesOf(), codes: null };
  }
  const codes = levelCodes(levels, kind, alike);
  const note = others ? `${NOTE.meaning}: ${one.name} (${type} as ${list(levels)})` : null;
  return codes && { ...shared, levels, texts: null, codes, note };
}

const NONE: ReadonlySet<string> = new Set();

/** Levels that may occur: more are left to DuckDB. */
const MOST_OPEN = 2 ** 16;

const hasAny = (na: ReadonlySet<string>, ...texts: readonly string[]) => texts.some((text) => na.has(text));

/** Fills a block of cells from pages. */
export class Cells {
  readonly #plan: Plan;
  readonly #pages: Iterator<Pages>;
  readonly #cells: Codes | Float64Array;
  #missing: Uint8Array | null = null;
  #hasGaps = false;
  #source: Pages | null = null;
  #page: Page | null = null;
  /** rows of the page that are taken */
  #taken = 0;
  #words: Words = [];
  /** the number or code of each word */
  #ofWord: Float64Array | Uint32Array = new Uint32Array(0);
  /** 1 for a word that stands for a missing cell; null: none does */
  #gapWords: Uint8Array | null = null;
  /** whether a word is a number that may be refused, and whether the cells have such a word or numbers of no dictionary */
  #oddWords = false;
  #odd = false;

  /** @param pages  of each file, in the order of the files */
  constructor(plan: Plan, pages: Iterable<Pages>, capacity: number) {
    this.#plan = plan;
    this.#pages = pages[Symbol.iterator]();
    const { levels, open } = plan;
    this.#cells = levels ? codesFor(open ? MOST_OPEN : levels.length + 1, capacity) : new Float64Array(capacity);
  }

  /**
   * Takes the next rows, instead of those before.
   * @throws what DuckDB is left to read, or to refuse
   */
  fill(rows: number): void {
    if (this.#hasGaps) this.#missing!.fill(0);
    this.#hasGaps = false;
    this.#odd = false;
    for (let at = 0; at < rows; ) {
      const page = this.#atPage();
      const count = Math.min(rows - at, page.rows - this.#taken);
      this.#take(page, at, count);
      this.#taken += count;
      at += count;
    }
    this.#check(rows);
  }

  /** The rows of the last `fill`; they are valid until the next one. */
  column(rows: number): Column {
    const { name, levels } = this.#plan;
    const missing = this.#hasGaps ? this.#missing!.subarray(0, rows) : null;
    const cells = this.#cells.subarray(0, rows);
    return levels
      ? { name, kind: 'coded', codes: cells as Codes, levels, missing }
      : { name, kind: 'numeric', values: cells as Float64Array, missing };
  }

  #atPage(): Page {
    if (this.#page && this.#taken < this.#page.rows) return this.#page;
    while (!this.#source?.hasMore) {
      const next = this.#pages.next();
      if (next.done) throw new RangeError('no more pages');
      this.#source = next.value;
    }
    this.#page = this.#source.next();
    this.#taken = 0;
    if (this.#page.places && this.#source.words !== this.#words) this.#learn(this.#source.words);
    return this.#page;
  }

  /** What the words of a dictionary are here. */
  #learn(words: Words): void {
    const { levels, codes, texts, na, open, per } = this.#plan;
    this.#words = words;
    this.#gapWords = null;
    if (!levels) {
      this.#ofWord = per === 1 ? (words as Float64Array) : (words as Float64Array).map((word) => word / per);
      this.#oddWords = !this.#areFine(this.#ofWord as Float64Array, words.length);
      return;
    }
    this.#ofWord = new Uint32Array(words.length);
    if (codes) codes.write(words as Float64Array, this.#ofWord, 0, words.length);
    if (!texts) return;
    for (const [i, word] of (words as readonly string[]).entries()) {
      if (open && !texts.has(word)) {
        texts.set(word, levels.length);
        (levels as string[]).push(word);
        if (levels.length > MOST_OPEN) throw new RangeError('more texts than are told apart');
      }
      this.#ofWord[i] = texts.get(word) ?? levels.length;
      if (!na.has(word)) continue;
      this.#gapWords ??= new Uint8Array(words.length);
      this.#gapWords[i] = 1;
    }
  }

  #take({ places, numbers, missing }: Page, at: number, count: number): void {
    const [cells, from] = [this.#cells, this.#taken];
    if (places) {
      const ofWord = this.#ofWord;
      this.#odd ||= this.#oddWords;
      // a place of a missing cell may be beyond a dictionary without words
      if (ofWord.length === 0) cells.fill(0, at, at + count);
      else if (cells instanceof Float64Array) numbersAt(places, from, ofWord as Float64Array, cells, at, count);
      else codesAt(places, from, ofWord as Uint32Array, cells, at, count);
      const gaps = this.#gapWords;
      if (gaps) for (let i = 0; i < count; i++) if (gaps[places[from + i]]) this.#miss(at + i);
    } else if (this.#plan.codes) this.#plan.codes.write(numbers.subarray(from), cells as Codes, at, count);
    else if (this.#plan.levels) throw new RangeError('texts without a dictionary');
    else {
      cells.set(numbers.subarray(from, from + count), at);
      this.#odd = true;
      if (this.#plan.per > 1) for (let i = at; i < at + count; i++) cells[i] /= this.#plan.per;
    }
    if (!missing) return;
    this.#missing ??= new Uint8Array(this.#cells.length);
    const into = this.#missing;
    let any = 0;
    for (let i = 0; i < count; i++) {
      into[at + i] |= missing[from + i];
      any |= missing[from + i];
    }
    this.#hasGaps ||= any !== 0;
  }

  #miss(row: number): void {
    this.#missing ??= new Uint8Array(this.#cells.length);
    this.#missing[row] = 1;
    this.#hasGaps = true;
  }

  /** @throws RangeError for cells that are refused, which DuckDB's reader says */
  #check(rows: number): void {
    const { levels, least, gaps, required, strict } = this.#plan;
    const cells = this.#cells;
    if (!levels) {
      const isFine = !this.#odd || this.#areFine(cells as Float64Array, rows);
      for (let i = 0; !isFine && i < rows; i++) {
        const value = cells[i];
        if ((value >= least && value <= Number.MAX_VALUE) || (this.#hasGaps && this.#missing![i])) continue;
        if (!(Number.isNaN(value) ? gaps.nan : gaps.infinite && !Number.isFinite(value)))
          throw new RangeError('a number that is refused');
        this.#miss(i);
      }
    } else if (strict) {
      for (let i = 0; i < rows; i++)
        if (cells[i] >= levels.length && !(this.#hasGaps && this.#missing![i]))
          throw new RangeError('a level that is refused');
    }
    if (required && this.#hasGaps) throw new RangeError('a cell that must be there');
  }

  /** Whether all of these numbers are taken as they are. */
  #areFine(numbers: Float64Array, count: number): boolean {
    const { least } = this.#plan;
    let lost = 0;
    let below = 0;
    for (let i = 0; i < count; i++) {
      lost += numbers[i] - numbers[i];
      below += numbers[i] < least ? 1 : 0;
    }
    return lost === 0 && below === 0;
  }
}

function numbersAt(
  places: Uint32Array,
  from: number,
  words: Float64Array,
  out: Float64Array,
  at: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[at + i] = words[places[from + i]];
}

function codesAt(places: Uint32Array, from: number, words: Uint32Array, out: Codes, at: number, count: number): void {
  for (let i = 0; i < count; i++) out[at + i] = words[places[from + i]];
}
