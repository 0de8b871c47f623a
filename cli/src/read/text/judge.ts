/** Judges a column by the facts of the whole file: numbers, categories, or an error that shows the cell. */
import { list, parseDate, show } from '../../../../src/internal.ts';
import { NUMBER } from '../../../../src/text.ts';
import { type Facts, type Found, KIND } from './facts.ts';
import { otherNotation } from './notation.ts';
import { type Reading, readerOf } from './options.ts';

/** A cell that does not fit its column. */
export interface BadCell {
  readonly row: number;
  readonly rule: string;
  readonly value: unknown;
  readonly next: string;
  /** number of such cells in the column */
  readonly cells: number;
}

export type Verdict =
  | { readonly kind: 'numeric' }
  | { readonly kind: 'coded' }
  /** one cell is wrong */
  | { readonly kind: 'cell'; readonly cell: BadCell }
  /** the whole column is nothing that a feature is made of without a word on it */
  | { readonly kind: 'column'; readonly got: string; readonly date: boolean };

/** Notes about many columns, each printed once. */
export class Notes {
  readonly #lines = new Map<string, string[]>();

  add(what: string, column: string): void {
    this.#lines.set(what, [...(this.#lines.get(what) ?? []), column]);
  }

  say(warn: (message: string) => void): void {
    for (const [what, columns] of this.#lines) {
      const shown = columns.slice(0, 8).join(', ');
      warn(`${what}: ${columns.length > 8 ? `${shown} and ${columns.length - 8} more` : shown}`);
    }
    this.#lines.clear();
  }
}

export const NOTE = {
  missing: 'cells read as missing in columns of numbers (--na names more)',
  tokens: 'levels that look like missing cells (--na reads them as missing)',
  zeros: 'numbers with leading zeros, so the column is read as text (--numeric reads numbers)',
  beyond: 'whole numbers beyond 2^53, which lose their last digits (--categorical keeps them as they are)',
  few: 'text columns with some numbers in them, read as categories',
  strings: 'strings of JSON that are numbers, read as categories (--numeric reads numbers)',
  notation: 'texts that look like numbers in another notation, read as categories (--decimal, --thousands)',
  variants: 'labels that differ in case or blanks only',
  meaning: 'cells read as the label with the same meaning',
  nan: 'NaN read as missing',
} as const;

/** Number of cells, and of which kind. */
const counted = (found: readonly Found[]) => {
  const sorted = [...found].sort((a, b) => b.count - a.count);
  const shown = sorted
    .slice(0, 4)
    .map(({ text, count }) => `${count} × ${text === '' ? '""' : show(text).slice(1, -1)}`);
  return `${shown.join(' + ')}${sorted.length > 4 ? ` + ${sorted.length - 4} more` : ''}`;
};

/** The texts of a column by kind. */
interface Sorted {
  readonly tokens: Found[];
  readonly numbers: Found[];
  readonly zeros: Found[];
  readonly others: Found[];
}

function sorted(facts: Facts, reading: Reading): Sorted {
  const reader = readerOf(reading);
  const found: Sorted = { tokens: [], numbers: [], zeros: [], others: [] };
  for (const one of facts.texts()) {
    const isText = one.kind === KIND.text;
    const number = isText || one.kind === KIND.number ? reader.readText(one.text) : NUMBER.none;
    if (isText && reading.tokens.has(one.text)) found.tokens.push(one);
    else if (number === NUMBER.plain) found.numbers.push(one);
    else if (number === NUMBER.zeros) found.zeros.push(one);
    else found.others.push(one);
  }
  return found;
}

const sum = (found: readonly Found[]) => found.reduce((total, { count }) => total + count, 0);
const first = (found: readonly Found[]) => found.reduce((a, b) => (b.row < a.row ? b : a));

/** The value that messages show: the parsed value of a JSON cell, else the text. */
export const shownValue = ({ text, kind }: Pick<Found, 'text' | 'kind'>): unknown =>
  kind === KIND.list
    ? []
    : kind === KIND.object
      ? {}
      : kind === KIND.boolean
        ? text === 'true'
        : kind === KIND.number || kind === KIND.special
          ? Number(text)
          : text;

const MEND = 'correct the cell, leave it empty if the value is missing (or say --na)';

/**
 * Judges a column that no option mentions.
 *
 * It has numbers if all cells that are not missing are numbers without a leading zero. Text in which half the cells or more are numbers, in this
 * notation or another one, is a fault.
 * @param json  strings and numbers differ
 */
export function judge(name: string, facts: Facts, reading: Reading, json: boolean, notes: Notes): Verdict {
  const found = sorted(facts, reading);
  return json ? judgeJson(name, facts, found, reading, notes) : judgeText(name, facts, found, reading, notes);
}

function judgeText(name: string, facts: Facts, found: Sorted, reading: Reading, notes: Notes): Verdict {
  const { tokens, others } = found;
  const numbers = facts.numbers + sum(found.numbers) + sum(found.zeros);
  const zeros = facts.zeros + sum(found.zeros);
  if (others.length === 0 && numbers > 0) {
    if (zeros === 0) return numeric(name, facts, tokens, notes);
    notes.add(NOTE.zeros, `${name} (${zeros})`);
    noteTokens(name, tokens, reading, notes);
    return { kind: 'coded' };
  }
  if (others.length > 0) {
    const half = (numbers + sum(others)) / 2;
    const look = others.filter(({ text }) => otherNotation(text, name) !== null);
    if (look.length > 0 && numbers + sum(look) >= half) {
      const { row, text } = first(look);
      return {
        kind: 'cell',
        cell: { row, rule: 'a number', value: text, next: otherNotation(text, name)!, cells: sum(look) },
      };
    }
    if (numbers >= half) return badCell(others, name);
    if (numbers === 0 && others.every(({ text }) => parseDate(text) !== null))
      return { kind: 'column', got: 'dates', date: true };
    if (numbers > 0) notes.add(NOTE.few, `${name} (${numbers} of ${numbers + sum(others)})`);
  }
  noteTokens(name, tokens, reading, notes);
  return { kind: 'coded' };
}

function judgeJson(name: string, facts: Facts, found: Sorted, reading: Reading, notes: Notes): Verdict {
  const texts = [...found.numbers, ...found.zeros, ...found.others].filter(({ kind }) => kind === KIND.text);
  const of = (kind: number) => [...found.others, ...found.numbers, ...found.zeros].filter((one) => one.kind === kind);
  const numbers = facts.numbers + sum(of(KIND.number));
  const kinds = [texts, of(KIND.boolean), of(KIND.list), of(KIND.object)];
  const special = of(KIND.special).filter(({ text }) => !reading.na.has(text));
  if (special.length > 0) {
    const { row, text } = first(special);
    return {
      kind: 'cell',
      cell: {
        row,
        rule: 'a finite number',
        value: Number(text),
        next: `correct it, or say --na ${text} if the value is missing`,
        cells: sum(special),
      },
    };
  }
  const others = kinds.flat();
  if (numbers > 0) {
    if (others.length === 0) return numeric(name, facts, [...found.tokens, ...of(KIND.special)], notes);
    const strings = others.every((one) => one.kind === KIND.text && !found.others.includes(one));
    return badCell(others, name, strings ? `; --numeric ${name} reads strings that are numbers` : '');
  }
  if (others.length === 0) {
    noteTokens(name, found.tokens, reading, notes);
    return { kind: 'coded' };
  }
  if (kinds[3].length > 0 || kinds[2].length > 0) {
    const rest = [...kinds[0], ...kinds[1]];
    if (rest.length > 0 || (kinds[3].length > 0 && kinds[2].length > 0)) {
      const odd = first([...kinds[2], ...kinds[3]]);
      return {
        kind: 'cell',
        cell: {
          row: odd.row,
          rule: 'text, a number or a boolean',
          value: shownValue(odd),
          next: 'correct it',
          cells: sum([...kinds[2], ...kinds[3]]),
        },
      };
    }
    return { kind: 'column', got: kinds[3].length > 0 ? 'objects' : 'lists', date: kinds[3].length === 0 };
  }
  if (kinds[1].length > 0 && texts.length > 0) {
    const odd = first(sum(kinds[1]) < sum(texts) ? kinds[1] : texts);
    return {
      kind: 'cell',
      cell: {
        row: odd.row,
        rule: 'values of one type',
        value: shownValue(odd),
        next: `correct it, or say --categorical ${name}`,
        cells: sum(kinds[1]) < sum(texts) ? sum(kinds[1]) : sum(texts),
      },
    };
  }
  if (texts.length > 0 && texts.every(({ text }) => parseDate(text) !== null))
    return { kind: 'column', got: 'dates', date: true };
  const spelled = texts.filter((one) => found.others.indexOf(one) < 0);
  if (spelled.length > 0) notes.add(NOTE.strings, `${name} (${sum(spelled)} of ${sum(texts)})`);
  const look =
    texts.length <= 10_000
      ? found.others.filter(({ text, kind }) => kind === KIND.text && otherNotation(text, name) !== null)
      : [];
  if (look.length > 0 && 2 * sum(look) >= sum(texts))
    notes.add(NOTE.notation, `${name} (${sum(look)} of ${sum(texts)})`);
  noteTokens(name, found.tokens, reading, notes);
  return { kind: 'coded' };
}

const badCell = (found: readonly Found[], name: string, also = ''): Verdict => ({
  kind: 'cell',
  cell: {
    row: first(found).row,
    rule: 'a number',
    value: shownValue(first(found)),
    next: `${MEND}, or say --categorical ${name}${also}`,
    cells: sum(found),
  },
});

function numeric(name: string, facts: Facts, tokens: readonly Found[], notes: Notes): Verdict {
  noteNumbers(name, facts, tokens, notes);
  return { kind: 'numeric' };
}

export function noteNumbers(name: string, facts: Facts, tokens: readonly Found[], notes: Notes): void {
  if (tokens.length > 0) notes.add(NOTE.missing, `${name} (${counted(tokens)})`);
  if (facts.beyond > 0) notes.add(NOTE.beyond, `${name} (${facts.beyond})`);
}

/** Notes texts that mean a missing cell elsewhere but are labels here. */
function noteTokens(name: string, tokens: readonly Found[], reading: Reading, notes: Notes): void {
  const kept = tokens.filter(({ text }) => text !== '' && !reading.na.has(text));
  if (kept.length > 0) notes.add(NOTE.tokens, `${name} (${counted(kept)})`);
}

/**
 * Checks a column that must have numbers.
 * @returns the first cell that is not a number, or null
 */
export function firstNoNumber(
  name: string,
  facts: Facts,
  reading: Reading,
  notes: Notes,
  next: string,
): BadCell | null {
  const { tokens, others } = sorted(facts, reading);
  const special = others.filter(({ kind, text }) => kind === KIND.special && reading.na.has(text));
  const bad = others.filter((one) => !special.includes(one));
  if (bad.length === 0) {
    noteNumbers(name, facts, [...tokens, ...special], notes);
    return null;
  }
  const worst = first(bad);
  const isSpecial = worst.kind === KIND.special;
  return {
    row: worst.row,
    rule: isSpecial ? 'a finite number' : 'a number',
    value: shownValue(worst),
    next: isSpecial
      ? `correct it, or say --na ${worst.text} if the value is missing`
      : (otherNotation(worst.text, name)?.split(', or say --categorical')[0] ?? next),
    cells: sum(bad),
  };
}

/** Notes about the labels of a target, or of a column that was called categorical. */
export function noteLabels(name: string, labels: readonly string[], notes: Notes): void {
  const { alike, blank } = similarLabels(labels);
  if (alike.length > 0) notes.add(NOTE.variants, `${name} (${alike.slice(0, 3).map(list).join('; ')})`);
  if (blank.length > 0) notes.add(NOTE.variants, `${name} (${list(blank)}, blanks only)`);
}

/**
 * Notes classes that are numbers in another notation, such as 1,5. They become labels unchanged, which is rarely meant in a file with
 * decimal commas.
 */
export function noteNotation(name: string, labels: readonly string[], notes: Notes): void {
  const look = labels.filter((label) => otherNotation(label, name) !== null);
  if (look.length === 0 || 2 * look.length < labels.length) return;
  notes.add(NOTE.notation, `${name} (${look.length} of ${labels.length} classes: ${list(look.slice(0, 4))})`);
}

/** Groups of labels that differ in case or blanks only, and labels of blanks only. */
export function similarLabels(labels: readonly string[]): { alike: string[][]; blank: string[] } {
  const groups = new Map<string, string[]>();
  for (const label of labels) {
    const key = label.trim().replace(/\s+/g, ' ').toLowerCase();
    groups.set(key, [...(groups.get(key) ?? []), label]);
  }
  return {
    alike: [...groups.values()].filter((group) => group.length > 1),
    blank: labels.filter((label) => label !== '' && label.trim() === ''),
  };
}

export { noteTokens };
