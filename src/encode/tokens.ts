import { labelOf, textOf } from './label.ts';
import { withoutYounger } from './unicode.ts';

/** for each UTF-16 unit: 0 unknown yet, 1 not part of a word, 2 part of a word */
const KINDS = /* @__PURE__ */ new Uint8Array(65536);

/**
 * The words of a text in lower case, in order: runs of two or more letters, digits or _ of any script. They are the words that scikit-learn's
 * CountVectorizer finds with `(?u)\b\w\w+\b`. Combining marks, lone surrogates, and letters newer than Unicode 15.0 end a word.
 *
 * One pass without a regular expression, because engines run out of stack in words of some million letters.
 */
export function words(text: string): string[] {
  const lower = withoutYounger(text).toLowerCase();
  const found: string[] = [];
  let start = 0;
  let letters = 0;
  for (let i = 0; i < lower.length; ) {
    const point = lower.codePointAt(i)!;
    if (inWord(point)) {
      if (letters++ === 0) start = i;
    } else {
      if (letters > 1) found.push(lower.slice(start, i));
      letters = 0;
    }
    i += point > 0xffff ? 2 : 1;
  }
  if (letters > 1) found.push(lower.slice(start));
  return found;
}

/** The text without some of its words, given in the form of `words`. Other words and the text between words stay unchanged. */
export function withoutWords(text: string, unwanted: ReadonlySet<string>): string {
  const known = withoutYounger(text);
  let out = '';
  let start = 0;
  const take = (end: number): void => {
    const run = known.slice(start, end);
    const found = words(run);
    const kept = found.filter((word) => !unwanted.has(word));
    out += kept.length === found.length ? run : kept.join(' ');
  };
  for (let i = 0; i < known.length; ) {
    const point = known.codePointAt(i)!;
    const end = i + (point > 0xffff ? 2 : 1);
    if (!inWord(point)) {
      take(i);
      out += known.slice(i, end);
      start = end;
    }
    i = end;
  }
  take(known.length);
  return out;
}

function inWord(point: number): boolean {
  const known = point > 0xffff ? 0 : KINDS[point];
  if (known !== 0) return known === 2;
  const is = /[\p{L}\p{N}_]/u.test(String.fromCodePoint(point));
  if (point <= 0xffff) KINDS[point] = is ? 2 : 1;
  return is;
}

/**
 * The entries of a list in a cell: the texts between separators or, if the cell is a JSON array of scalars (`["a", 2, true]`),
 * its entries as labels of `canonicalLabel`.
 * Entries are trimmed; empty ones, and null, are left out.
 * @param separator  not empty
 */
export function split(text: string, separator: string): string[] {
  return entries(arrayIn(text) ?? text.split(separator)) ?? [];
}

/** A value of a record in the form of a table cell: `textOf`, or JSON for a list of labels and nulls; null for anything else */
export function cellText(value: unknown): string | null {
  if (!Array.isArray(value)) return textOf(value);
  const labels = value.map(labelOf);
  return labels.every((label, i) => label !== null || value[i] === null) ? JSON.stringify(labels) : null;
}

/** The entries of a list in the form of `split`; null if one of them is not a scalar. */
export function entries(list: readonly unknown[]): string[] | null {
  const found: string[] = [];
  for (const entry of list) {
    if (entry === null) continue;
    const label = labelOf(entry)?.trim();
    if (label === undefined) return null;
    if (label !== '') found.push(label);
  }
  return found;
}

/** The JSON array of scalars in a text; null for other texts. */
function arrayIn(text: string): unknown[] | null {
  if (!/^\s*\[/.test(text)) return null;
  try {
    const value: unknown[] = JSON.parse(text);
    return entries(value) ? value : null;
  } catch {
    return null;
  }
}
