/** Errors about a cell name its place in the file. */
import { LogoddsError } from '../../../src/index.ts';
import { cellError } from '../../../src/internal.ts';
import { scan, type TextSource } from './text/source.ts';

/** The error with its place before it. */
export function placed(error: LogoddsError, label: string, line: number): LogoddsError {
  const place = `${label}, line ${line}, `;
  const { code, message, problems, detail } = error;
  return new LogoddsError(code, place + message, { cause: error, problems }, place + detail);
}

/** ERR_RECORD for one cell of a file: file, line, row, column and cell. */
export const fileCellError = (
  label: string,
  line: number,
  row: number,
  name: string,
  rule: string,
  value: unknown,
  next: string,
) => placed(cellError(row, name, rule, value, next), label, line);

/** The file and line of a row. They are determined only for an error. */
export async function placeOf(source: TextSource, row: number): Promise<{ label: string; line: number } | null> {
  let at = 0;
  let found: { label: string; line: number } | null = null;
  const stop = new AbortController();
  await scan(
    source,
    (record, file) => {
      if (at++ !== row) return;
      found = { label: file.label, line: record.line };
      stop.abort();
    },
    stop.signal,
  ).catch(() => {});
  return found;
}

/** The places where messages of the library name a row: at the beginning, after the column, or after a weight. */
const ROW = /^((?:\w+ "(?:[^"\\]|\\.)*", )?row |weights: [^"]{1,100} at row )(\d+)(?: \(from 0\))?/;

/** The row that an error is about; null if it names none. */
export const rowOf = (error: unknown): number | null => {
  const found = error instanceof LogoddsError ? ROW.exec(error.message) : null;
  return found && Number(found[2]);
};

/** The same error with the number that the row has in the source. */
export function movedTo(row: number, error: LogoddsError): LogoddsError {
  const moved = (text: string) => text.replace(ROW, (_, before: string) => `${before}${row} (from 0)`);
  const problems = error.problems.map((problem) => ('row' in problem ? { ...problem, row } : problem));
  return new LogoddsError(error.code, moved(error.message), { cause: error, problems }, moved(error.detail));
}

/** Adds the line to an error that names a row of the source. */
export async function withPlace(source: TextSource, error: unknown): Promise<unknown> {
  const row = rowOf(error);
  const place = row === null ? null : await placeOf(source, row);
  return place ? placed(movedTo(row!, error as LogoddsError), place.label, place.line) : error;
}
