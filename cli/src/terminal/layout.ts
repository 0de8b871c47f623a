import { word } from '../figures/wording.ts';

/** Lines "  name   text", the texts in one column. */
export function facts(entries: readonly (readonly [string, string] | null)[]): string {
  const present = entries.flatMap((entry) => (entry === null ? [] : [[word(entry[0]), entry[1]]]));
  const width = Math.max(...present.map(([key]) => key.length));
  return present.map(([key, value]) => `  ${key.padEnd(width)}  ${value}`).join('\n');
}

/** Rows of cells as an aligned table; the first column to the left, the others to the right. A cell is a line: breaks in it are quoted. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(word));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return rows.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd()).join('\n');
}
