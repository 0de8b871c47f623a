import { plain } from '../html.ts';

/** Width of a text in letters; East Asian characters are twice as wide. */
export const lettersOf = (text: string) =>
  Array.from(text).reduce((sum, letter) => sum + (letter >= '\u1100' ? 2 : 1), 0);
/** Width of a letter relative to the font size: slightly above the average of sans-serif fonts. */
export const LETTER = 0.57;

/** A name as a label of an axis, cut to a width in letters. */
export function fitted(name: string, most: number): string {
  const start = plain(name.slice(0, 2 * most));
  if (name.length <= 2 * most && lettersOf(start) <= most) return start;
  let kept = '';
  for (const letter of start) {
    if (lettersOf(kept + letter) >= most) break;
    kept += letter;
  }
  return `${kept}…`;
}
