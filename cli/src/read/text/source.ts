/** Text files: CSV and JSON lines, read by our own scanners as often as needed. */

import { statSync } from 'node:fs';
import { LogoddsError } from '../../../../src/index.ts';
import { list, show } from '../../../../src/internal.ts';
import { counted } from '../../figures/wording.ts';
import { shorten } from '../names.ts';
import { isTsv } from '../paths.ts';
import type { RowsAhead } from './ahead.ts';
import { readBytes } from './bytes.ts';
import type { RawRecord } from './cell.ts';
import { CsvScanner } from './csv.ts';
import { JsonScanner } from './json.ts';
import type { Reading } from './options.ts';

/** One of the files while it is read. */
export interface OpenFile {
  readonly label: string;
  /** its columns: those of the header in CSV; those found so far in JSON lines, a list that grows */
  readonly names: () => readonly string[];
}

/** Takes the records of a file in order. */
export type RecordUse = (record: RawRecord, file: OpenFile) => void;

export interface TextSource {
  /** for messages: a path, "standard input" */
  readonly label: string;
  readonly typing: 'csv' | 'jsonl';
  readonly files: readonly string[];
  readonly reading: Reading;
  /** the columns of the header, or of the first record of JSON lines; `judge` finds the others */
  readonly columns: readonly { readonly name: string }[];
  /** notes about the files that were printed already */
  readonly heard: Set<string>;
  close(): void;
}

type Scanned = Pick<TextSource, 'files' | 'label' | 'typing' | 'reading'>;

/**
 * Reads all files, record by record.
 * @param use  the record is valid during the call
 * @param ahead  takes the rows that it can read itself, which `use` then does not get
 * @returns the bytes so far, after each piece of the input, so that the caller can pass on complete rows
 * @throws ERR_DATA naming file and line
 */
export async function* scanning(
  source: Scanned & Pick<TextSource, 'heard'>,
  use: RecordUse,
  stop?: AbortSignal,
  ahead: RowsAhead | null = null,
): AsyncGenerator<number> {
  let bytes = 0;
  for (const path of source.files) {
    const file = openFile(source, path, use, ahead);
    for await (const piece of readBytes(path, file.label, source.reading.encoding, stop)) {
      file.push(piece);
      bytes += piece.length;
      yield bytes;
      if (stop?.aborted) return;
    }
    file.end(true);
    for (const line of file.said()) {
      if (!source.heard.has(line)) source.reading.warn(line);
      source.heard.add(line);
    }
  }
}

/** About the number of bytes to scan; a guess for packed files. */
export const sizeOf = ({ files }: Scanned): number =>
  files.reduce((size, path) => size + statSync(path).size * (/\.gz$/i.test(path) ? 5 : 1), 0);

/** `scanning` to the end. */
export async function scan(...args: Parameters<typeof scanning>): Promise<void> {
  for await (const _ of scanning(...args));
}

/** A scanner of one file. */
export interface FileScanner extends OpenFile {
  push(piece: Buffer): void;
  end(whole: boolean): void;
  /** notes names that the header leaves empty and lines that are skipped */
  said(): string[];
}

export function openFile(
  { files, label: source, typing, reading }: Scanned,
  path: string,
  use: RecordUse,
  ahead: RowsAhead | null = null,
): FileScanner {
  // a spooled path has the name of its source
  const label = files.length === 1 ? source : path;
  if (typing === 'jsonl') {
    const scanner: JsonScanner = new JsonScanner(label, (record) => use(record, file), ahead);
    const file: FileScanner = {
      label,
      names: () => scanner.names,
      push: (piece) => scanner.push(piece),
      end: (whole) => scanner.end(whole),
      said: () => [],
    };
    return file;
  }
  const scanner: CsvScanner = new CsvScanner(label, reading, isTsv(path), (record) => use(record, file), ahead);
  const file: FileScanner = {
    label,
    names: () => scanner.names ?? [],
    push: (piece) => scanner.push(piece),
    end: (whole) => scanner.end(whole),
    said: () => [
      ...(scanner.unnamed.length > 0
        ? [
            `${label}: the header leaves ${scanner.unnamed.length === 1 ? 'a name' : counted(scanner.unnamed.length, 'name')} empty; each is named by its place: ${shorten(scanner.unnamed.map((place) => `column${place - 1}`))}`,
          ]
        : []),
      ...(scanner.blanks > 0 ? [`${label}: skipped ${scanner.blanks} empty lines between records`] : []),
    ],
  };
  return file;
}

/**
 * The columns of the files, which must be the same of all CSV files.
 * @param thorough  for JSON lines, read all records, because a field may come late; otherwise only the first ones
 */
export async function readColumns(source: Scanned, thorough: boolean): Promise<string[]> {
  if (source.typing === 'jsonl' && thorough) {
    const names = new Set<string>();
    let file: OpenFile | null = null;
    const learn = () => {
      for (const name of file?.names() ?? []) names.add(name);
    };
    for await (const _ of scanning({ ...source, heard: new Set() }, (_, own) => {
      if (own !== file) learn();
      file = own;
    }));
    learn();
    return [...names];
  }
  let names: readonly string[] = [];
  for (const [i, path] of source.files.entries()) {
    const own = await headOf(source, path);
    if (i === 0) names = own;
    else if (source.typing === 'csv') refuseOthers(source.files[0], names, path, own);
    else break;
  }
  return [...names];
}

/** The columns of the header of a CSV file, or of the first record of JSON lines. */
async function headOf(source: Scanned, path: string): Promise<readonly string[]> {
  let records = 0;
  const file = openFile(source, path, () => records++);
  for await (const piece of readBytes(path, file.label, source.reading.encoding)) {
    // in small steps: later fields are judged when they are read
    for (let at = 0; at < piece.length; at += HEAD) {
      try {
        file.push(piece.subarray(at, at + HEAD));
      } catch (error) {
        if (file.names().length <= 1 || source.typing === 'jsonl') throw error;
      }
      if (source.typing === 'csv' ? file.names().length > 0 : records > 0) return file.names();
    }
  }
  file.end(true);
  return file.names();
}

const HEAD = 4096;

/** @throws ERR_SCHEMA when a later file of a pattern has other columns */
export function refuseOthers(first: string, names: readonly string[], path: string, own: readonly string[]): void {
  const lacks = names.filter((name) => !own.includes(name));
  const more = own.filter((name) => !names.includes(name));
  if (lacks.length === 0 && more.length === 0) return;
  const got = [
    ...(lacks.length > 0 ? [`no column ${list(lacks)}`] : []),
    ...(more.length > 0 ? [`a further column ${list(more)}`] : []),
  ].join(' and ');
  throw new LogoddsError(
    'ERR_SCHEMA',
    `${path}: expected the columns of ${show(first)}, got ${got}; read such files apart, or give them the same columns`,
  );
}

/** The places of a list of columns in the records of each file. A name may be in the list twice. */
export class Slots {
  readonly places: Int32Array;
  readonly #wanted = new Map<string, number[]>();
  #file: OpenFile | null = null;
  #known = 0;

  constructor(wanted: readonly string[]) {
    this.places = new Int32Array(wanted.length).fill(-1);
    for (const [i, name] of wanted.entries()) this.#wanted.set(name, [...(this.#wanted.get(name) ?? []), i]);
  }

  /** @returns the place of each column in a record of this file; −1 if it is not known (yet) */
  of(file: OpenFile): Int32Array {
    if (file !== this.#file) {
      this.#file = file;
      this.#known = 0;
      this.places.fill(-1);
    }
    const names = file.names();
    for (; this.#known < names.length; this.#known++) {
      for (const at of this.#wanted.get(names[this.#known]) ?? []) this.places[at] = this.#known;
    }
    return this.places;
  }
}
