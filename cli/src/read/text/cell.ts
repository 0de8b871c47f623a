/** The output of the scanners: the cells of one record as places in the bytes of the input. */

/** What a cell is. */
export const CELL = {
  /** no value: an empty cell of CSV without quotes, or null or an absent field in JSON */
  none: 0,
  /** text of CSV without quotes, without the blanks around it */
  bare: 1,
  /** text of CSV in quotes, without the quotes */
  quoted: 2,
  /** the same with quotes in it, each written twice */
  doubled: 3,
  /** a number of JSON */
  number: 4,
  /** true and false of JSON */
  boolean: 5,
  /** a string of JSON, without the quotes */
  string: 6,
  /** the same with escapes in it */
  escaped: 7,
  /** a list of JSON */
  list: 8,
  /** an object of JSON */
  object: 9,
  /** NaN, Infinity or -Infinity, which Python writes but JSON lacks */
  special: 10,
} as const;

/** The cells of a record, by slot. They are valid until the next record is read. */
export interface RawRecord {
  readonly bytes: Buffer;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly kinds: Uint8Array;
  /** the line on which it begins, from 1 */
  readonly line: number;
}

/** The record of a scanner, which overwrites it for each record. */
export type Scanned = { -readonly [K in keyof RawRecord]: RawRecord[K] };

export const noCells = (): Scanned => ({
  bytes: Buffer.alloc(0),
  starts: new Int32Array(256),
  ends: new Int32Array(256),
  kinds: new Uint8Array(256),
  line: 1,
});

/** Most bytes of one record, as in DuckDB. */
export const MOST_BYTES = 2_097_152;
export const MOST_TEXT = '2 MB';

/** The text of a cell. */
export function textOf({ bytes, starts, ends, kinds }: RawRecord, slot: number, quote = '"'): string {
  const text = bytes.toString('utf8', starts[slot], ends[slot]);
  if (kinds[slot] === CELL.doubled) return text.replaceAll(quote + quote, quote);
  return kinds[slot] === CELL.escaped ? (JSON.parse(`"${text}"`) as string) : text;
}
