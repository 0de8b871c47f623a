/** How text cells become labels: 2, 2.0 and 2e0 are one level, 02139 is kept unchanged, and TRUE is true. */
import { NUMBER, NumberReader, type NumberStyle } from './number.ts';

/** The spelling of a column's labels: all numbers, all booleans, or unchanged texts. */
export type Spelling = 'number' | 'boolean' | 'plain';

const BOOLEAN = /^(true|false)$/i;
const WHOLE = /^-?\d+$/;

/** Spells labels of a column. */
export class Speller {
  readonly spelling: Spelling;
  readonly #reader: NumberReader;

  constructor(spelling: Spelling, style: NumberStyle) {
    this.spelling = spelling;
    this.#reader = new NumberReader(style);
  }

  spell(text: string): string {
    if (this.spelling === 'boolean') return text.toLowerCase();
    if (this.spelling === 'plain' || this.#reader.readText(text) !== NUMBER.plain) return text;
    const { value } = this.#reader;
    // all digits of a whole number count; parsing would round it beyond 2⁵³
    if (WHOLE.test(text) && text !== '-0') return text;
    if (this.#reader.beyond) return text.replace(/^\+/, '');
    return Number.isFinite(value) ? String(value) : text;
  }
}

/** The spelling of a set of texts: `number` and `boolean` only when all of them are. */
export function spellingOf(texts: Iterable<string>, style: NumberStyle): Spelling {
  const reader = new NumberReader(style);
  let [numbers, booleans, any] = [true, true, false];
  for (const text of texts) {
    any = true;
    numbers &&= reader.readText(text) === NUMBER.plain;
    booleans &&= BOOLEAN.test(text);
    if (!numbers && !booleans) return 'plain';
  }
  return any ? (numbers ? 'number' : booleans ? 'boolean' : 'plain') : 'plain';
}

const MEANING: Readonly<Record<string, boolean>> = {
  ...{ true: true, t: true, yes: true, y: true, 1: true },
  ...{ false: false, f: false, no: false, n: false, 0: false },
};

/** yes and no in any spelling; null for other texts */
const meaningOf = (text: string): boolean | null => {
  const key = text.toLowerCase();
  return Object.hasOwn(MEANING, key) ? MEANING[key] : null;
};

/**
 * Given two labels that mean yes and no (true and false, 1 and 0, yes and no, t and f), returns the label that another such text means.
 * @returns null when the labels are others, or the text means neither
 */
export function sameMeaning(labels: readonly string[]): (text: string) => string | null {
  if (labels.length !== 2) return () => null;
  const [first, second] = labels.map(meaningOf);
  if (first === null || second === null || first === second) return () => null;
  return (text) => {
    const meaning = meaningOf(text);
    return meaning === null ? null : labels[meaning === first ? 0 : 1];
  };
}
