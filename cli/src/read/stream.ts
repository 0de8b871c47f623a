import { statSync } from 'node:fs';
import { LogoddsError } from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';
import { reason } from '../write/temporary.ts';
import { formatOf } from './paths.ts';
import { readBytes } from './text/bytes.ts';
import { CELL, type RawRecord, textOf } from './text/cell.ts';
import { TEXT_KIND } from './text/facts.ts';
import { type Reading, type ReadOptions, readingOf } from './text/options.ts';
import { type FileScanner, openFile } from './text/source.ts';

/** Largest number of rows in a block. */
const BLOCK_ROWS = 1024;

/** One row of a stream. */
export interface StreamRow {
  readonly line: number;
  /** by place: the text of a cell, null if it is empty */
  readonly cells: readonly (string | null)[];
  /** by place: what kind of text it is, as in a dictionary */
  readonly kinds: Uint8Array;
}

/** Rows as they arrive. Each is read once, and they are never all in memory. */
export interface RowStream {
  /** for messages: a path or "standard input" */
  readonly label: string;
  readonly format: 'csv' | 'jsonl';
  readonly reading: Reading;
  /** the columns: of the CSV header, or of the JSON objects so far */
  names(): readonly string[];
  /** The place of a column in the rows so far; −1 if it has none (yet). */
  place(name: string): number;
  /** the rows, a block for each piece of the input that arrived */
  readonly blocks: AsyncIterable<readonly StreamRow[]>;
}

/**
 * Opens a file, or "-" for standard input: CSV with a header, or JSON lines (recognised on standard input by a leading brace). The same
 * scanners read files.
 * @param stop  ends the rows early; a record that has not fully arrived is left out
 * @throws ERR_DATA for a missing, empty or unreadable file, also later from `blocks`
 */
export async function openStream(data: string, stop: AbortSignal, options: ReadOptions): Promise<RowStream> {
  const label = data === '-' ? 'standard input' : data;
  const reading = readingOf(options);
  const named = data === '-' ? null : textFormat(data);
  refuseFolder(data, label);
  const pieces = readBytes(data, label, reading.encoding, stop)[Symbol.asyncIterator]();
  const head: Buffer[] = [];
  let begun = '';
  while (begun === '') {
    const next = await pieces.next();
    if (next.done) break;
    head.push(next.value);
    begun = next.value.toString('latin1').trimStart().slice(0, 1);
  }
  if (begun === '' && !stop.aborted) {
    throw new LogoddsError('ERR_DATA', `${label}: expected rows, got nothing; check where they come from`);
  }
  const format = named ?? (begun === '{' ? 'jsonl' : 'csv');
  let rows: StreamRow[] = [];
  const file: FileScanner = openFile({ files: [data], label, typing: format, reading }, data, (record, { names }) =>
    rows.push(rowOf(record, names().length, reading.quote ?? '"')),
  );
  // few rows at a time, so that an error in one of them costs few others
  function* take(): Generator<readonly StreamRow[]> {
    for (let at = 0; at < rows.length; at += BLOCK_ROWS) yield rows.slice(at, at + BLOCK_ROWS);
    rows = [];
  }
  async function* blocks(): AsyncGenerator<readonly StreamRow[]> {
    yield* take();
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
      file.push(next.value);
      yield* take();
    }
    // the last record is complete only if its line has ended; otherwise it is left out
    file.end(!stop.aborted);
    yield* take();
    for (const line of file.said()) reading.warn(line);
  }
  for (const piece of head) file.push(piece);
  while (format === 'csv' && file.names().length === 0) {
    const next = await pieces.next();
    if (next.done) {
      file.end(!stop.aborted);
      break;
    }
    file.push(next.value);
  }
  const places = new Map<string, number>();
  return {
    label,
    format,
    reading,
    names: file.names,
    place(name) {
      const names = file.names();
      for (let i = places.size; i < names.length; i++) places.set(names[i], i);
      return places.get(name) ?? -1;
    },
    blocks: blocks(),
  };
}

function rowOf(record: RawRecord, width: number, quote: string): StreamRow {
  const cells = new Array<string | null>(width);
  const kinds = new Uint8Array(width);
  for (let i = 0; i < width; i++) {
    const kind = record.kinds[i];
    cells[i] = kind === CELL.none ? null : textOf(record, i, quote);
    kinds[i] = TEXT_KIND[kind];
  }
  return { line: record.line, cells, kinds };
}

function textFormat(path: string): RowStream['format'] {
  const format = formatOf(path);
  if (format === 'csv' || format === 'jsonl') return format;
  throw new LogoddsError(
    'ERR_DATA',
    `DATA with --online: expected - or a path that ends in .csv, .tsv, .jsonl or .ndjson, got ${show(path)}; convert it, or pipe its rows as CSV`,
  );
}

function refuseFolder(data: string, label: string): void {
  let why: string | null = null;
  try {
    if (data !== '-' && statSync(data).isDirectory()) why = 'it is a folder';
  } catch (error) {
    why = reason(error);
  }
  if (why !== null) throw new LogoddsError('ERR_DATA', `${label}: cannot be read (${why}); check it and run again`);
}
