/** Labels in CSV, line by line: a line that is none is left out by its number, and takes no other with it. */
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { LogoddsError } from '../../../../src/index.ts';
import { list } from '../../../../src/internal.ts';
import { refuseWide } from '../../read/content.ts';
import { unequal } from '../../read/database.ts';
import { isTsv } from '../../read/paths.ts';
import { OutputFile, reason } from '../../write/temporary.ts';
import type { LogCounts } from './counts.ts';

/** Lines that a quoted cell may go over. A quote that is open for longer was never meant to be closed. */
const MOST_LINES = 50;
/** Characters of a line, as of a log in JSON lines. */
const LONGEST = 1_000_000;
/** Lines that are named of each kind of fault. */
const NAMED = 5;
const SEPARATORS = [',', ';', '\t', '|'] as const;

/** The columns of the table that `cleanCsv` writes. */
export const LABEL_COLUMNS = ['id', 'entity', 'label', 'at', 'outcomeAt'] as const;

/** Whether these are the columns of labels. */
export const hasLabels = (columns: readonly string[]): boolean =>
  columns.includes('label') && columns.includes('at') && (columns.includes('id') || columns.includes('entity'));

/** Lines as words: the first ones by number. */
export const linesAsText = (lines: readonly number[], count: number): string =>
  `${count === 1 ? 'line' : 'lines'} ${lines.slice(0, NAMED).join(', ')}${count > NAMED ? ` and ${count - NAMED} more` : ''}`;

/** A record as far as it was read: a quote may be open. */
interface Reading {
  readonly cells: string[];
  /** of the cell whose quote is open; null: none is */
  open: string | null;
}

const QUOTE = '"';

/** Reads on in a line. @returns what is wrong with it; null: nothing yet */
function readOn(reading: Reading, line: string, separator: string): string | null {
  const { cells } = reading;
  let i = 0;
  for (;;) {
    if (reading.open === null) {
      if (line[i] !== QUOTE) {
        const end = line.indexOf(separator, i);
        cells.push(line.slice(i, end < 0 ? line.length : end));
        if (end < 0) return null;
        i = end + 1;
        continue;
      }
      reading.open = '';
      i++;
    }
    const end = line.indexOf(QUOTE, i);
    if (end < 0) {
      reading.open += `${line.slice(i)}\n`;
      return null;
    }
    reading.open += line.slice(i, end);
    i = end + 1;
    if (line[i] === QUOTE) {
      reading.open += QUOTE;
      i++;
      continue;
    }
    cells.push(reading.open!);
    reading.open = null;
    if (i === line.length) return null;
    if (line[i] !== separator) return 'expected a separator behind a quoted cell';
    i++;
  }
}

/** Records of lines that come one by one. */
class Records {
  readonly #take: (cells: readonly string[], line: number) => void;
  readonly #blame: (line: number, what: string) => void;
  readonly #separator: string;
  readonly #width: number;
  /** the lines of a record whose quote is open, and the number of the first */
  #held: string[] = [];
  #first = 0;
  #reading: Reading = { cells: [], open: null };

  constructor(
    separator: string,
    width: number,
    take: (cells: readonly string[], line: number) => void,
    blame: (line: number, what: string) => void,
  ) {
    [this.#separator, this.#width, this.#take, this.#blame] = [separator, width, take, blame];
  }

  add(line: string, number: number): void {
    const isNew = this.#held.length === 0;
    if (isNew && line.trim() === '') return;
    if (isNew && line.length > LONGEST) {
      this.#blame(number, 'expected at most 1,000,000 characters');
      return;
    }
    if (isNew && !line.includes(QUOTE)) {
      this.#judge(line.split(this.#separator), number);
      return;
    }
    if (isNew) {
      this.#first = number;
      this.#reading = { cells: [], open: null };
    }
    this.#held.push(line);
    const fault = readOn(this.#reading, line, this.#separator);
    const { cells, open } = this.#reading;
    if (fault === null && open !== null && open.length <= LONGEST && this.#held.length < MOST_LINES) return;
    const isWhole = fault === null && open === null && (cells.length === this.#width || this.#held.length === 1);
    if (!isWhole) {
      this.#again(open !== null || this.#held.length > 1 ? 'expected quotes in pairs' : fault!);
      return;
    }
    this.#held = [];
    this.#judge(cells, this.#first);
  }

  /** The file ends here. */
  end(): void {
    while (this.#held.length > 0) this.#again('expected quotes in pairs');
  }

  #judge(cells: readonly string[], line: number): void {
    if (cells.length === this.#width) this.#take(cells, line);
    else this.#blame(line, unequal(this.#width, cells.length));
  }

  /** The first line that is held is at fault, and those behind it stand for themselves. */
  #again(what: string): void {
    const [, ...rest] = this.#held;
    const first = this.#first;
    this.#held = [];
    this.#blame(first, what);
    rest.forEach((line, k) => {
      this.add(line, first + 1 + k);
    });
  }
}

/** Lines of a file, some at a time, without their ends. @throws ERR_DATA a file that cannot be read */
async function* linesOf(file: string): AsyncGenerator<readonly string[]> {
  const read = createReadStream(file, { highWaterMark: 1 << 20 });
  const bytes = /\.gz$/i.test(file) ? pipeline(read, createGunzip(), () => {}) : read;
  const decoder = new TextDecoder();
  let rest = '';
  let isFirst = true;
  try {
    for await (const piece of bytes) {
      if (isFirst) refuseWide(file, piece as Uint8Array);
      isFirst = false;
      const lines = (rest + decoder.decode(piece as Uint8Array, { stream: true })).split('\n');
      // of a line that is too long no more is kept than says so
      rest = lines.pop()!.slice(0, LONGEST + 1);
      yield lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
    }
  } catch (error) {
    if (error instanceof LogoddsError) throw error;
    // a file that was cut within its compression has rows before it
    if (!/unexpected end of file/.test(String((error as Error).message)))
      throw new LogoddsError(
        'ERR_DATA',
        `--labels ${file}: expected a log, got an error (${reason(error)}); check the path`,
        { cause: error },
      );
  }
  rest += decoder.decode();
  if (rest !== '') yield [rest.endsWith('\r') ? rest.slice(0, -1) : rest];
}

/** The columns of the first line, and what separates them. */
function headOf(file: string, line: string): { readonly columns: readonly string[]; readonly separator: string } {
  const given = (isTsv(file) ? (['\t'] as const) : SEPARATORS).map((separator) => {
    const reading: Reading = { cells: [], open: null };
    readOn(reading, line, separator);
    return { columns: reading.cells.map((cell) => cell.trim()), separator };
  });
  return (
    given.find(({ columns }) => hasLabels(columns)) ??
    given.reduce((most, one) => (one.columns.length > most.columns.length ? one : most))
  );
}

/** A table of labels, with the line of each in the column `line`. */
export interface CleanLabels {
  /** CSV with quotes around all cells, without a head: `line` and `LABEL_COLUMNS` */
  readonly file: string;
  /** of the file that was read */
  readonly columns: readonly string[];
}

/**
 * Writes the labels of a CSV file as a table that can be read in one way. Lines that are none are counted and named.
 * @param folder  where the table is written
 */
export async function cleanCsv(file: string, folder: string, counts: LogCounts): Promise<CleanLabels> {
  const path = freePath(folder);
  const output = new OutputFile(path);
  const encoder = new TextEncoder();
  const faults = new Map<string, { count: number; readonly lines: number[] }>();
  const blame = (line: number, what: string): void => {
    const found = faults.get(what) ?? { count: 0, lines: [] };
    faults.set(what, found);
    found.count++;
    if (found.lines.length < NAMED) found.lines.push(line);
  };
  let columns: readonly string[] | null = null;
  let records: Records | null = null;
  let number = 0;
  let text = '';
  const begin = (line: string): void => {
    const head = headOf(file, line.replace(/^\ufeff/, ''));
    columns = head.columns;
    const twice = columns.find(
      (column, k) => (LABEL_COLUMNS as readonly string[]).includes(column) && columns!.indexOf(column) !== k,
    );
    if (twice !== undefined)
      throw new LogoddsError(
        'ERR_SCHEMA',
        `--labels ${file}: expected each column once, got ${list([twice])} twice; rename one`,
      );
    const at = LABEL_COLUMNS.map((column) => head.columns.indexOf(column));
    const take = (cells: readonly string[], of: number): void => {
      text += `${of}`;
      for (const k of at)
        text += k < 0 ? ',""' : `,"${cells[k].includes(QUOTE) ? cells[k].replaceAll(QUOTE, '""') : cells[k]}"`;
      text += '\n';
    };
    records = new Records(head.separator, head.columns.length, take, blame);
  };
  try {
    for await (const lines of linesOf(file)) {
      for (const line of lines) {
        number++;
        if (records) (records as Records).add(line, number);
        else if (line.trim() !== '') begin(line);
      }
      output.write(encoder.encode(text));
      text = '';
    }
    (records as Records | null)?.end();
    output.write(encoder.encode(text));
    output.commit();
  } catch (error) {
    output.discard();
    throw error;
  }
  for (const [what, { count, lines }] of faults)
    counts.note(`labels that are no row of CSV, ${what}: left out (${linesAsText(lines, count)} of ${file})`, count);
  return { file: path, columns: columns ?? [] };
}

/** A file of the folder that there is not. */
function freePath(folder: string): string {
  for (let i = 0; ; i++) {
    const path = join(folder, `labels-${i}.csv`);
    if (!existsSync(path)) return path;
  }
}
