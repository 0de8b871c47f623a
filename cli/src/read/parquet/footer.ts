/** What a Parquet file says of its columns, where it says nothing that only DuckDB knows. */
import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { CellKind } from '../../../../src/text.ts';
import { arriving } from '../../stores/arrivals.ts';
import { FOOTER } from './shapes.ts';
import { type Struct, Thrift } from './thrift.ts';

/** A column of the top level. */
export interface FileColumn {
  readonly name: string;
  /** DuckDB's type, and what cells it has; null: of another type, or of several columns */
  readonly type: string | null;
  readonly kind: CellKind;
  /** how many of its units a millisecond has, of times; else 1 */
  readonly perMs: number;
  /** how its values are stored */
  readonly stored: Stored;
  /** whether cells may be missing */
  readonly optional: boolean;
  /** its pages in each group of rows */
  readonly chunks: readonly Chunk[];
}

export type Stored = 'BOOLEAN' | 'INT32' | 'INT64' | 'FLOAT' | 'DOUBLE' | 'BYTE_ARRAY';

/** The pages of a column in a group of rows. */
export interface Chunk {
  readonly codec: number;
  readonly rows: number;
  /** its bytes in the file */
  readonly start: number;
  readonly end: number;
}

export interface ParquetFile {
  readonly path: string;
  readonly fd: number;
  readonly rows: number;
  readonly columns: readonly FileColumn[];
}

const MAGIC = 0x31524150; // PAR1

/** A footer beyond this is left to DuckDB, which does not make an object of each value. */
const MOST_BYTES = 8e6;

const STORED: readonly (Stored | null)[] = ['BOOLEAN', 'INT32', 'INT64', null, 'FLOAT', 'DOUBLE', 'BYTE_ARRAY'];

const UTF8 = 0;

/** DuckDB's type of a value by how it is stored, and which annotation it may have: a converted type, or the width of a whole number. */
const TYPES: Readonly<Record<Stored, readonly [type: string, kind: CellKind, converted?: number, width?: number]>> = {
  BOOLEAN: ['BOOLEAN', 'boolean'],
  INT32: ['INTEGER', 'integer', 17, 32],
  INT64: ['BIGINT', 'integer', 18, 64],
  FLOAT: ['FLOAT', 'float'],
  DOUBLE: ['DOUBLE', 'float'],
  BYTE_ARRAY: ['VARCHAR', 'text', UTF8],
};

/** Of which types (places in `STORED`; 7: bytes of a fixed length) each annotation of a value may be. */
const CONVERTED: readonly (readonly number[])[] = [
  ...[[6, 7], [], [], [], [6], [1, 2, 6, 7], [1], [1], [2], [2], [2]],
  ...[[1], [1], [1], [2], [1], [1], [1], [2], [6], [6], [7]],
];

/**
 * Opens a file and reads its footer. The one who calls closes `fd`.
 * @returns null for a file that is left to DuckDB: damaged, encrypted, of several files, or with names that SQL cannot tell apart
 */
export function openParquetFile(path: string): ParquetFile | null {
  let fd: number | null = null;
  try {
    // to open a pipe would wait for who writes to it
    if (!statSync(path).isFile()) return null;
    fd = openSync(path, 'r');
    const found = readFooter(fd);
    if (found) return { path, fd, ...found };
  } catch {
    // DuckDB says what is wrong
  }
  if (fd !== null) closeSync(fd);
  return null;
}

/** Waits for the footer of a file whose bytes arrive. @throws ERR_STORE */
export async function footerArrived(path: string): Promise<void> {
  const file = arriving(path);
  if (!file) return;
  const { size } = statSync(path);
  await file.need(size - 8, size);
  const length = Buffer.alloc(4);
  const fd = openSync(path, 'r');
  try {
    if (size >= 8) readAt(fd, length, 0, 4, size - 8);
  } finally {
    closeSync(fd);
  }
  const start = size - 8 - length.readUInt32LE(0);
  if (start >= 0 && size - start <= MOST_BYTES) await file.need(start, size);
}

/** Reads all of these bytes. @throws RangeError when the file is shorter */
export function readAt(fd: number, into: Uint8Array, from: number, length: number, position: number): void {
  for (let got = 0; got < length; ) {
    const count = readSync(fd, into, from + got, length - got, position + got);
    if (count === 0) throw new RangeError('the file ends');
    got += count;
  }
}

function readFooter(fd: number): { rows: number; columns: FileColumn[] } | null {
  const stat = fstatSync(fd);
  if (!stat.isFile() || stat.size < 12) return null;
  const ends = Buffer.alloc(12);
  readAt(fd, ends, 0, 4, 0);
  readAt(fd, ends, 4, 8, stat.size - 8);
  const length = ends.readUInt32LE(4);
  const start = stat.size - 8 - length;
  if (ends.readUInt32LE(0) !== MAGIC || ends.readUInt32LE(8) !== MAGIC) return null;
  if (start < 4 || length > MOST_BYTES) return null;
  const bytes = new Uint8Array(length);
  readAt(fd, bytes, 0, length, start);
  const [, , schema, rows, groups, , , , encryption] = new Thrift(bytes).struct(FOOTER);
  if (encryption !== undefined) return null;
  const columns = columnsOf(schema as Struct[]);
  const lists = columns.map((): Chunk[] => []);
  let sum = 0;
  for (const group of groups as Struct[]) {
    const [, chunks, , groupRows] = group as [unknown, Struct[], unknown, number];
    if (!Number.isSafeInteger(groupRows) || groupRows < 0) return null;
    sum += groupRows;
    if (!chunks.every(([, , , meta]) => isKnown(meta as Struct | undefined))) return null;
    if (groupRows === 0) continue;
    for (const [j, { leaf, name, stored, type }] of columns.entries()) {
      if (type === null) continue;
      const chunk = chunkOf(chunks[leaf], name, STORED.indexOf(stored), groupRows, start);
      if (chunk === null) return null;
      lists[j].push(chunk);
    }
  }
  if (sum !== rows || columns.length === 0) return null;
  if (new Set(columns.map(({ name }) => name.toLowerCase())).size < columns.length) return null;
  return { rows: sum, columns: columns.map(({ leaf, ...column }, j) => ({ ...column, chunks: lists[j] })) };
}

const isWithin = (value: number, most: number) => value >= 0 && value <= most;

/** Whether a column, of interest or not, has types, encodings and names that Parquet has. */
const isKnown = (meta: Struct = []) => {
  const [, type = 0, encodings = [], path = [], codec = 0] = meta as [
    unknown,
    number?,
    number[]?,
    Uint8Array[]?,
    number?,
  ];
  const pages = (meta[13] ?? []) as readonly (readonly number[])[];
  return (
    isWithin(type, 7) &&
    isWithin(codec, 7) &&
    encodings.every((one) => isWithin(one, 9)) &&
    pages.every(([, kind, encoding]) => isWithin(kind, 3) && isWithin(encoding, 9)) &&
    path.every((one) => isUtf8(one))
  );
};

/** @throws what DuckDB may refuse */
function checkElement(element: Struct): void {
  const [, type = 0, , repetition = 0, , children = 0, converted] = element as readonly number[];
  text.decode(element[4] as Uint8Array);
  if (!isWithin(type, 7) || !isWithin(repetition, 2)) throw new RangeError('a type that Parquet does not have');
  // of columns of columns: maps and lists
  const fits = children === 0 ? CONVERTED[converted]?.includes(type) : isWithin(converted - 1, 2);
  if (converted !== undefined && !fits) throw new RangeError('an annotation of another type');
}

interface Leaf extends Omit<FileColumn, 'chunks'> {
  /** number of the first column of pages that it has */
  readonly leaf: number;
}

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws what is no schema */
function columnsOf(schema: readonly Struct[]): Leaf[] {
  const columns: Leaf[] = [];
  let [at, leaf] = [1, 0];
  checkElement(schema[0]);
  const pass = (depth: number): void => {
    const element = schema[at++];
    const { 5: children = 0 } = element as readonly number[];
    checkElement(element);
    if (depth > 64) throw new RangeError('columns within columns');
    if (children === 0) leaf++;
    for (let i = 0; i < children; i++) pass(depth + 1);
  };
  for (let i = 0; i < (schema[0][5] as number); i++) {
    const [element, first] = [schema[at], leaf];
    pass(0);
    const stored = STORED[element[1] as number] ?? null;
    const isPlain = stored !== null && element[5] === undefined && (element[3] === 0 || element[3] === 1);
    const perMs = isPlain && stored === 'INT64' ? unitOf(element) : null;
    const typed = perMs !== null ? TIME : isPlain && isNamed(stored, element) ? TYPES[stored] : null;
    columns.push({
      leaf: first,
      name: text.decode(element[4] as Uint8Array),
      type: typed?.[0] ?? null,
      kind: typed?.[1] ?? 'other',
      perMs: perMs ?? 1,
      stored: stored ?? 'BYTE_ARRAY',
      optional: element[3] === 1,
    });
  }
  if (at !== schema.length) throw new RangeError('more columns than the schema has');
  return columns;
}

const TIME = ['TIMESTAMP', 'date'] as const;

/** Places of a time in a union of logical types, and of its units in theirs: units of a millisecond, and the converted type that says the same. */
const LOGICAL_TIME = 8;
const UNITS: readonly (readonly [perMs: number, converted: number] | null)[] = [null, [1, 9], [1000, 10]];

/** How many units a millisecond has, of a time without a zone; null: it is none, or counted in nanoseconds. */
function unitOf([, , , , , , converted, , , , logical]: Struct): number | null {
  const union = logical as Struct | undefined;
  const [, isAdjusted, unit] = (union?.[LOGICAL_TIME] ?? []) as readonly [unknown?, boolean?, Struct?];
  if (isAdjusted !== false || union!.findIndex((one) => one !== undefined) !== LOGICAL_TIME) return null;
  const found = UNITS[unit?.findIndex((one) => one !== undefined) ?? 0];
  return found && (converted === undefined || converted === found[1]) ? found[0] : null;
}

/** Whether the annotations of an element say the type that it has in `TYPES`. */
function isNamed(stored: Stored, [, , , , , , converted, , , , logical]: Struct): boolean {
  const [, kind, own, width] = TYPES[stored];
  const union = logical as Struct | undefined;
  const named = union?.findIndex((one) => one !== undefined) ?? -1;
  if (kind === 'text') return (converted === own && named <= 1) || (converted === undefined && named === 1);
  if (converted !== undefined && converted !== own) return false;
  if (named < 0) return true;
  const [, bits, signed] = union![named] as Struct;
  return kind === 'integer' && named === 10 && bits === width && signed === true;
}

/** @returns null for what no column of this file can be */
function chunkOf(
  [, file, , meta, , , , , crypto, encrypted]: Struct,
  name: string,
  stored: number,
  rows: number,
  most: number,
): Chunk | null {
  if (file !== undefined || crypto !== undefined || encrypted !== undefined) return null;
  const [, type, , path, codec, values, , size, , data, , dictionary, range] = meta as Struct;
  const names = path as Uint8Array[];
  if (type !== stored || values !== rows || names.length !== 1 || text.decode(names[0]) !== name) return null;
  if (!isRange(range as Struct | undefined, stored)) return null;
  const start = Math.min(data as number, ((dictionary as number | undefined) || data) as number);
  const end = start + (size as number);
  if (!(start >= 4 && end > start && end <= most)) return null;
  return { codec: codec as number, rows, start, end };
}

/** Bytes of a number by how it is stored; a text has any. */
const WIDTHS: readonly number[] = [1, 4, 8, 0, 4, 8];

/** Whether the least and the greatest value are values of this type. */
function isRange(range: Struct | undefined, stored: number): boolean {
  return [1, 2, 5, 6].every((id) => {
    const value = range?.[id] as Uint8Array | undefined;
    return value === undefined || (stored === 6 ? isUtf8(value) : value.length === WIDTHS[stored]);
  });
}
