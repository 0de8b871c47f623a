/** Cells of text as labels of categories. */
import { labelOf } from '../../../../src/internal.ts';
import { Speller, type Spelling, spellingOf } from '../../../../src/text.ts';
import { KIND } from './facts.ts';
import type { Reading } from './options.ts';

/** A whole number of JSON. Its text is the label, because parsing would round it beyond 2⁵³. */
const WHOLE = /^-?[1-9][0-9]*$/;

/** The label of a JSON cell; undefined if it cannot be one. */
function jsonLabel(text: string, kind: number): string | undefined {
  if (kind === KIND.text || kind === KIND.boolean || kind === KIND.list) return text;
  if (kind !== KIND.number) return undefined;
  return WHOLE.test(text) ? text : (labelOf(Number(text)) ?? undefined);
}

/**
 * How texts of a column become labels.
 * @param missing  texts that are missing cells
 * @param spelling  for CSV, whose cells are all texts
 */
export function labelling(
  json: boolean,
  reading: Reading,
  missing: ReadonlySet<string>,
  spelling: Spelling,
): (text: string, kind: number) => string | null | undefined {
  const speller = new Speller(spelling, reading.style);
  return (text, kind) => {
    if ((kind === KIND.text || kind === KIND.special) && missing.has(text)) return null;
    return json ? jsonLabel(text, kind) : speller.spell(text);
  };
}

export { spellingOf };
