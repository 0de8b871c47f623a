import { sourceOf } from '../encode/coder.ts';
import type { Feature } from '../encode/schema.ts';
import { MISSING_TOKENS } from './csv.ts';
import { type Need, needsOf } from './needs.ts';
import { NUMBER, NumberReader, PLAIN_NUMBERS, textOf } from './number.ts';
import { Speller, sameMeaning, spellingOf } from './spelling.ts';

/** How the cells of a column of text become values of a record. */
export interface TextColumn {
  /** numbers, labels that the model knows, or texts as they are */
  readonly kind: 'number' | 'label' | 'text';
  /** The label that a text stands for, which the model may lack; null: it stands for a missing value. */
  label(text: string): string | null;
  /** whether each text is its own label */
  readonly isPlain: boolean;
}

/** Texts that mean a missing cell in a column of numbers. */
export const TOKENS: ReadonlySet<string> = /* @__PURE__ */ new Set(['', ...MISSING_TOKENS]);

const reader = /* @__PURE__ */ new NumberReader(PLAIN_NUMBERS);
const plain = { label: (text: string) => text, isPlain: true };

/** The columns that the features of a model read, and its offset. */
export function textColumns(features: readonly Feature[], offset: string | null): Map<string, TextColumn> {
  const columns = new Map<string, TextColumn>();
  for (const [name, needs] of needsOf(features)) columns.set(name, columnOf(name, needs, features));
  if (offset !== null) columns.set(offset, { kind: 'number', ...plain });
  return columns;
}

function columnOf(name: string, needs: ReadonlySet<Need>, features: readonly Feature[]): TextColumn {
  if (needs.has('number')) return { kind: 'number', ...plain };
  const levels = new Set<string>();
  for (const feature of features) {
    if ((feature.kind !== 'categorical' && feature.kind !== 'target') || sourceOf(feature) !== name) continue;
    for (const level of feature.levels) levels.add(level);
    for (const level of ('rare' in feature && feature.rare) || []) levels.add(level);
  }
  if (needs.size > 1 || !needs.has('level')) return { kind: 'text', ...plain };
  const spelling = spellingOf(levels, PLAIN_NUMBERS);
  const speller = new Speller(spelling, PLAIN_NUMBERS);
  const alike = sameMeaning([...levels]);
  return {
    kind: 'label',
    isPlain: spelling === 'plain' && alike('yes') === null,
    label(text) {
      if (spelling === 'number' && TOKENS.has(text) && !levels.has(text)) return null;
      const own = speller.spell(text);
      return levels.has(own) ? own : (alike(own) ?? own);
    },
  };
}

/** The value of a cell of numbers: a number, null where it is missing, else its text. */
export function numberOf(bytes: Uint8Array, start: number, end: number): number | string | null {
  if (reader.read(bytes, start, end) !== NUMBER.none) return reader.value;
  const text = textOf(bytes, start, end);
  return TOKENS.has(text) ? null : text;
}

const WORDS = ['true', 'false', 't', 'f', 'yes', 'no', 'y', 'n', '1', '0'];

/** Texts that a column of labels is likely to have: its labels, and other spellings of them. */
export function likelyTexts(labels: Iterable<string>): Set<string> {
  const texts = new Set<string>(TOKENS);
  for (const label of labels) for (const text of [label, `${label}.0`, `+${label}`]) texts.add(text);
  for (const word of WORDS) {
    for (const text of [word, word.toUpperCase(), `${word[0].toUpperCase()}${word.slice(1)}`]) texts.add(text);
  }
  return texts;
}
