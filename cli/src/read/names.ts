/** Column names that the user asks for, and the error if they are absent. */

import { LogoddsError } from '../../../src/index.ts';
import { nearest, show } from '../../../src/internal.ts';

/** A list of names from an option: each given text, and the names in it, which are used if the whole text is not a column. */
export class Names extends Array<string> {
  given: readonly { readonly text: string; readonly names: readonly string[] }[] = [];

  // lists derived from this one are plain arrays
  static override get [Symbol.species]() {
    return Array;
  }

  static fromTexts(given: Names['given']): Names {
    const list = new Names();
    list.push(...given.flatMap(({ names }) => names));
    list.given = given;
    return list;
  }

  /** The names, given these columns: the text `price, net` is one name if a column is called so. */
  static among(list: readonly string[] | undefined, columns: readonly string[]): readonly string[] | undefined {
    if (!(list instanceof Names)) return list;
    return list.given.flatMap(({ text, names }) => (columns.includes(text) ? [text] : names));
  }
}

export { nearest };

/** A name in a list, in quotes if a comma or a blank would make its ends unclear. */
const listed = (name: string) => (name === '' || /[,"\s=]/.test(name) ? JSON.stringify(name) : name);

export const shorten = (names: readonly string[]) => {
  const shown = names.slice(0, 12).map((name) => listed(name.length > 60 ? `${name.slice(0, 60)}…` : name));
  return names.length > 12 ? `${shown.join(', ')} and ${names.length - 12} more` : shown.join(', ');
};

/** @throws ERR_SCHEMA naming every wanted column that the source lacks, with the nearest name */
export function requireColumns(
  source: { readonly label: string; readonly columns: readonly { readonly name: string }[]; readonly typing?: string },
  wanted: readonly { readonly name: string; readonly role: string }[],
): void {
  const names = source.columns.map((column) => column.name);
  const known = new Set(names);
  const absent = wanted.filter((column) => !known.has(column.name));
  if (absent.length === 0) return;
  const list = absent.map((column) => `${column.role} ${show(column.name)}`).join(', ');
  const guess = absent.length === 1 ? nearest(absent[0]!.name, names) : null;
  const single =
    names.length === 1 && source.typing === 'csv'
      ? `the file has one column, ${listed(names[0])}: name the mark between the cells with --delimiter`
      : null;
  const next = guess ? `did you mean ${show(guess)}?` : (single ?? `the columns are ${shorten(names)}`);
  throw new LogoddsError(
    'ERR_SCHEMA',
    `${source.label}: expected ${list}, got no column of ${absent.length > 1 ? 'these names' : 'that name'}; ${next}`,
  );
}
