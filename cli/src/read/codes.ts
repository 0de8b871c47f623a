/** Codes of levels from DuckDB's vectors. DuckDB's own cast to an ENUM takes three times as long. */
import type { CellKind } from '../../../src/text.ts';
import { INLINE, ShortTexts } from './dictionary.ts';

/** Turns the cells of a vector into codes of levels; a cell that is no level gets the code after the last. Codes of missing cells mean nothing. */
export interface LevelCodes {
  /** the type that the SQL of the column must have */
  readonly type: 'text' | 'number';
  /**
   * @param cells  `text`: DuckDB's strings, four words each; `number`: numbers
   * @param codes  written from `at` on, one a cell
   */
  write(cells: Uint32Array | Float64Array, codes: Codes, at: number, count: number): void;
}

export type Codes = Uint8Array | Uint16Array | Uint32Array;

/** Most entries of a table by number. */
const MOST_NUMBERS = 1 << 16;

/** The words that mean a level though they are none, each with that level. */
export const meanings = (
  levels: readonly string[],
  alike: (text: string) => string | null,
): (readonly [word: string, level: string])[] =>
  ['true', 'false', 't', 'f', 'yes', 'no', 'y', 'n', '1', '0'].flatMap((word) => {
    const level = alike(word);
    return level === null || levels.includes(word) ? [] : [[word, level] as const];
  });

/** Whether a level is a whole number beyond 2⁵³, all of whose digits count. */
export const isBeyondDoubles = (level: string) => /^-?[1-9]\d*$/.test(level) && !Number.isSafeInteger(Number(level));

/**
 * Codes for the keys of levels, if they can be found without DuckDB.
 * @param keys  of each level, in the order of the codes
 * @param alike  the level that a text means if it is no level; null: none
 * @returns null for other kinds of cells, and for keys that are long or far apart, or whole numbers beyond 2⁵³
 */
export function levelCodes(
  keys: readonly string[],
  kind: CellKind,
  alike: (text: string) => string | null = () => null,
): LevelCodes | null {
  const codeOf = (text: string) => keys.indexOf(keys.includes(text) ? text : (alike(text) ?? text));
  if (kind === 'boolean') return byNumber([codeOf('false'), codeOf('true')], 0, keys.length);
  if (kind === 'integer') {
    // a double would make several of them one
    if (keys.some(isBeyondDoubles)) return null;
    const numbers = new Map<number, number>();
    for (const text of [...keys, '0', '1']) {
      const code = codeOf(text);
      if (String(Number(text)) === text && Number.isSafeInteger(Number(text)) && code >= 0)
        numbers.set(Number(text), code);
    }
    if (numbers.size === 0) return byNumber([], 0, keys.length);
    const least = Math.min(...numbers.keys());
    const span = Math.max(...numbers.keys()) - least + 1;
    if (span > MOST_NUMBERS) return null;
    return byNumber(
      Array.from({ length: span }, (_, i) => numbers.get(least + i) ?? -1),
      least,
      keys.length,
    );
  }
  if (kind !== 'text' || meanings(keys, alike).length > 0) return null;
  const bytes = keys.map((key) => Buffer.from(key));
  return bytes.every(({ length }) => length <= INLINE) ? byText(bytes) : null;
}

/** @param table  code of each number from `least` on; −1: none */
function byNumber(table: readonly number[], least: number, unseen: number): LevelCodes {
  const found = Int32Array.from(table, (code) => (code < 0 ? unseen : code));
  return {
    type: 'number',
    write(cells, codes, at, count) {
      for (let i = 0; i < count; i++) {
        const place = cells[i] - least;
        codes[at + i] = place >= 0 && place < found.length ? found[place] : unseen;
      }
    },
  };
}

function byText(keys: readonly Buffer[]): LevelCodes {
  const words = new Uint32Array(4 * keys.length);
  const stored = new Uint8Array(words.buffer);
  const texts = new ShortTexts();
  for (const [code, key] of keys.entries()) {
    words[4 * code] = key.length;
    stored.set(key, 16 * code + 4);
    texts.add(words, 4 * code, code);
  }
  const unseen = () => keys.length;
  return {
    type: 'text',
    write: (cells, codes, at, count) => texts.write(cells as Uint32Array, codes, at, count, null, unseen),
  };
}
