/** Cells of text as labels of categories. */
import { labelOf } from '../../../../src/internal.ts';
import { KIND } from './facts.ts';
import type { Reading } from './options.ts';
import { Speller, type Spelling, spellingOf } from './spelling.ts';

/** A whole number as JSON has it: its own label, since parsed it would be rounded beyond 2⁵³. */
const WHOLE = /^-?[1-9][0-9]*$/;

/** The label of a JSON cell; undefined of what is none. */
function jsonLabel(text: string, kind: number): string | undefined {
  if (kind === KIND.text || kind === KIND.boolean || kind === KIND.list) return text;
  if (kind !== KIND.number) return undefined;
  return WHOLE.test(text) ? text : (labelOf(Number(text)) ?? undefined);
}

/**
 * How texts of a column become labels.
 * @param missing  texts that are missing cells
 * @param spelling  of CSV, whose cells are all texts
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
