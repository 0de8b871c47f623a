import { brief, word } from '../figures/wording.ts';

/** Characters of a cell at most: columns are as wide as their longest. */
const CELL = 200;

const cellText = (text: string): string => word(brief(text, CELL));

/** Lines "  name   text", the texts in one column. An entry is a line: breaks in it are quoted or become blanks. */
export function facts(entries: readonly (readonly [string, string] | null)[]): string {
  const present = entries.flatMap((entry) =>
    entry === null ? [] : [[cellText(entry[0]), entry[1].replaceAll('\n', ' ')]],
  );
  const width = Math.max(...present.map(([key]) => key.length));
  return present.map(([key, value]) => `  ${key.padEnd(width)}  ${value}`).join('\n');
}

/** Rows of cells as an aligned table; the first column to the left, the others to the right. A cell is a line: breaks in it are quoted. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(cellText));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return rows.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd()).join('\n');
}
