/** Errors about one cell say where it is in the file. */
import { cellError } from '../../../src/encode/columns.ts';
import { LogoddsError } from '../../../src/index.ts';
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

/** The file and line of a row: looked for only when something is wrong there. */
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

/** An error that names a row of the source names its line, too. */
export async function withPlace(source: TextSource, error: unknown): Promise<unknown> {
  if (!(error instanceof LogoddsError)) return error;
  const row = /^row (\d+) \(from 0\)/.exec(error.message);
  const place = row && (await placeOf(source, Number(row[1])));
  return place ? placed(error, place.label, place.line) : error;
}
