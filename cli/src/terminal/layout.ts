import { brief, word } from '../figures/wording.ts';

/** Largest width of a cell in characters, because a column is as wide as its longest cell. */
const CELL = 200;

const cellText = (text: string): string => word(brief(text, CELL));

/** Lines "  name   text" with aligned texts. Each entry is one line: line breaks in it are quoted or become blanks. */
export function facts(entries: readonly (readonly [string, string] | null)[]): string {
  const present = entries.flatMap((entry) =>
    entry === null ? [] : [[cellText(entry[0]), entry[1].replaceAll('\n', ' ')]],
  );
  const width = Math.max(...present.map(([key]) => key.length));
  return present.map(([key, value]) => `  ${key.padEnd(width)}  ${value}`).join('\n');
}

/** Rows of cells as an aligned table; the first column is left-aligned, the others are right-aligned. Line breaks in a cell are quoted. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(cellText));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return rows.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd()).join('\n');
}
