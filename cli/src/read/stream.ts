import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { show } from '../../../src/encode/label.ts';
import { LogoddsError } from '../../../src/index.ts';
import { reason } from '../write/temporary.ts';
import { unequal } from './database.ts';

/** One row as its format has it: cells of a CSV record, or a JSON object. */
export type StreamRow = readonly string[] | Readonly<Record<string, unknown>>;

/** Rows as they come, none of them twice, the whole never in memory. */
export interface RowStream {
  /** for messages: a path or "standard input" */
  readonly label: string;
  /** csv: every cell is a text; jsonl: cells have types */
  readonly format: 'csv' | 'jsonl';
  /** The columns: of the CSV header, or of these rows. */
  names(rows: readonly StreamRow[]): readonly string[];
  /** A reader of the column's cells; undefined where a JSON object lacks it. @throws nothing; an absent CSV column reads as undefined */
  cell(name: string): (row: StreamRow) => unknown;
  /** the rows, a block for each piece of the input that arrived */
  readonly blocks: AsyncIterable<readonly StreamRow[]>;
}

const FORMATS: readonly (readonly [RegExp, RowStream['format']])[] = [
  [/\.(csv|tsv)(\.gz)?$/i, 'csv'],
  [/\.(jsonl|ndjson)(\.gz)?$/i, 'jsonl'],
];

const NEWLINE = 10;
const DELIMITERS = [',', ';', '\t', '|'];

/**
 * Opens a file, or "-" for standard input: CSV with a header, or JSON lines (on standard input told by a leading brace).
 * @param stop  ends the rows early; a record that has not fully arrived is left out
 * @throws ERR_DATA for a missing, empty or unreadable file, also later from `blocks`
 */
export async function openStream(data: string, stop: AbortSignal): Promise<RowStream> {
  const label = data === '-' ? 'standard input' : data;
  const named = data === '-' ? null : formatOf(data);
  const pieces = readPieces(data, label, stop);
  const head = await readHead(pieces);
  if (head.text.trim() === '' && !stop.aborted) {
    throw new LogoddsError('ERR_DATA', `${label}: expected rows, got nothing; check where they come from`);
  }
  const format = named ?? (/^\s*\{/.test(head.text) ? 'jsonl' : 'csv');
  const rest = (async function* () {
    yield* head.pieces;
    yield* pieces;
  })();
  if (format === 'jsonl') {
    return {
      label,
      format,
      names: (rows) => [...new Set(rows.flatMap((row) => Object.keys(row)))],
      cell: (name) => (row) => (row as Readonly<Record<string, unknown>>)[name],
      blocks: jsonBlocks(label, rest, stop),
    };
  }
  const line = head.text.replace(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((candidate) => line.split(candidate).length);
  const delimiter = /\.tsv(\.gz)?$/i.test(data) ? '\t' : DELIMITERS[counts.indexOf(Math.max(...counts))];
  const blocks = csvBlocks(label, delimiter, rest, stop);
  const first = await blocks.next();
  const header = ((first.value?.[0] ?? []) as readonly string[]).map((name) => name.trim());
  const twice = header.find((name, i) => header.indexOf(name) < i);
  if (twice !== undefined) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `${label}: expected distinct column names, got ${show(twice)} twice; rename one`,
    );
  }
  return {
    label,
    format,
    names: () => header,
    cell: (name) => {
      const index = header.indexOf(name);
      return (row) => (row as readonly string[])[index];
    },
    blocks: (async function* () {
      if (first.value && first.value.length > 1) yield first.value.slice(1);
      yield* blocks;
    })(),
  };
}

function formatOf(path: string): RowStream['format'] {
  const format = FORMATS.find(([pattern]) => pattern.test(path))?.[1];
  if (format) return format;
  throw new LogoddsError(
    'ERR_DATA',
    `DATA with --online: expected - or a path that ends in .csv, .tsv, .jsonl or .ndjson, got ${show(path)}; convert it, or pipe its rows as CSV`,
  );
}

async function* readPieces(data: string, label: string, stop: AbortSignal): AsyncGenerator<Buffer> {
  try {
    if (data !== '-' && statSync(data).isDirectory()) throw new Error('it is a folder');
    const raw: Readable = data === '-' ? process.stdin : createReadStream(data);
    const input = /\.gz$/i.test(data) ? raw.on('error', (error) => input.destroy(error)).pipe(createGunzip()) : raw;
    const end = () => input.destroy();
    stop.addEventListener('abort', end);
    try {
      for await (const piece of input) yield piece as Buffer;
    } finally {
      stop.removeEventListener('abort', end);
    }
  } catch (error) {
    if (stop.aborted || error instanceof LogoddsError) return;
    throw new LogoddsError('ERR_DATA', `${label}: cannot be read (${reason(error)}); check it and run again`, {
      cause: error,
    });
  }
}

/** The pieces up to the end of the first line, and that line. */
async function readHead(pieces: AsyncGenerator<Buffer>): Promise<{ pieces: Buffer[]; text: string }> {
  const held: Buffer[] = [];
  for (;;) {
    const next = await pieces.next();
    if (!next.done) held.push(next.value);
    const text = Buffer.concat(held)
      .toString('utf8')
      .replace(/^\uFEFF/, '');
    const start = text.search(/\S/);
    const end = start < 0 ? -1 : text.indexOf('\n', start);
    if (next.done || end >= 0) return { pieces: held, text: end < 0 ? text : text.slice(0, end) };
  }
}

async function* csvBlocks(
  label: string,
  delimiter: string,
  pieces: AsyncIterable<Buffer>,
  stop: AbortSignal,
): AsyncGenerator<readonly StreamRow[]> {
  // loaded when it is first needed, as DuckDB is
  const { parse } = await import('csv-parse');
  const parser = parse({ bom: true, delimiter, record_delimiter: ['\r\n', '\n'], skip_empty_lines: true });
  let rows: StreamRow[] = [];
  parser.on('readable', () => {
    for (let row = parser.read(); row !== null; row = parser.read()) rows.push(row);
  });
  const failed = once(parser, 'end');
  failed.catch(() => {});
  const take = () => {
    const block = rows;
    rows = [];
    return block;
  };
  let last: number | undefined;
  try {
    for await (const piece of pieces) {
      last = piece.at(-1);
      if (!parser.write(piece)) await Promise.race([once(parser, 'drain'), failed]);
      await setImmediate();
      if (parser.errored) throw parser.errored;
      if (rows.length > 0) yield take();
    }
    // the parser looks ahead: the last record is whole when its line has ended, and left out when not
    if (stop.aborted && last !== NEWLINE) return;
    parser.end();
    await failed;
  } catch (error) {
    if (stop.aborted) return;
    if (error instanceof LogoddsError) throw error;
    const cells = /^Invalid Record Length: .*?(\d+), got (\d+) on line (\d+)/.exec(reason(error));
    const what = cells ? `line ${cells[3]}: ${unequal(cells[1], cells[2])}` : reason(error);
    throw new LogoddsError('ERR_DATA', `${label}: cannot be read: ${what}; correct it and run again`, {
      cause: error,
    });
  }
  if (rows.length > 0) yield take();
}

async function* jsonBlocks(
  label: string,
  pieces: AsyncIterable<Buffer>,
  stop: AbortSignal,
): AsyncGenerator<readonly StreamRow[]> {
  const decoder = new TextDecoder('utf-8');
  let line = 0;
  let begun = '';
  const parseLines = (lines: readonly string[]): StreamRow[] =>
    lines.flatMap((text) => {
      line++;
      if (text.trim() === '') return [];
      const row = parseJson(text);
      if (typeof row === 'object' && row !== null && !Array.isArray(row)) return [row as StreamRow];
      throw new LogoddsError(
        'ERR_DATA',
        `${label}, line ${line}: expected a JSON object, got ${show(text)}; correct it and run again`,
      );
    });
  for await (const piece of pieces) {
    const lines = (begun + decoder.decode(piece, { stream: true })).split('\n');
    begun = lines.pop()!;
    const rows = parseLines(lines);
    if (rows.length > 0) yield rows;
  }
  if (stop.aborted) return;
  const rows = parseLines([begun]);
  if (rows.length > 0) yield rows;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
