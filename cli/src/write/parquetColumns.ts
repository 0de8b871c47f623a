/** The columns of a Parquet file: they collect the cells of a group of rows and encode them. */
import type { Encoding, SchemaElement, Statistics } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import { writePlain } from 'hyparquet-writer/src/plain.js';
import type { FurtherCells } from './block.ts';

/** The cells of a group of rows as bytes, which are valid until the next group. */
export interface Encoded {
  readonly dictionary?: { readonly bytes: Uint8Array; readonly count: number };
  readonly encoding: Encoding;
  readonly cells: Uint8Array;
  readonly statistics: Statistics;
}

/** A column whose cells are never missing, though its schema allows it. */
export interface ParquetColumn {
  readonly element: SchemaElement;
  /** Takes the cells from … end of a block. @param at  their place in the group */
  add(cells: FurtherCells, from: number, end: number, at: number): void;
  /** @param first  number of the first row of the group */
  encode(rows: number, first: number): Encoded;
}

type Numbers = Float64Array | Float32Array;

const optional = (name: string, rest: Partial<SchemaElement>): SchemaElement => ({
  name,
  repetition_type: 'OPTIONAL',
  ...rest,
});

const bytesOf = ({ buffer, byteOffset }: Numbers, length: number) => new Uint8Array(buffer, byteOffset, length);

/** Values of a block of differences. */
const BLOCK = 128;

/** The numbers of the rows, as their differences: 5 bytes for 128 of them. */
export function rowNumbers(name: string): ParquetColumn {
  return {
    element: optional(name, { type: 'INT64', converted_type: 'INT_64' }),
    add() {},
    encode(rows, first) {
      const out = new ByteWriter();
      for (const head of [BLOCK, 4, rows]) out.appendVarInt(head);
      out.appendZigZag(BigInt(first));
      for (let at = 1; at < rows; at += BLOCK) {
        out.appendUint8(2); // the least difference, its sign in the lowest bit: 1
        out.appendUint32(0); // four parts of no bits beyond it
      }
      const statistics = { min_value: BigInt(first), max_value: BigInt(first + rows - 1) };
      return { encoding: 'DELTA_BINARY_PACKED', cells: out.getBytes(), statistics };
    },
  };
}

/** Most different numbers of a dictionary. */
const MOST_NUMBERS = 4096;

export function numbers(name: string, capacity: number, precision: 'f64' | 'f32' = 'f64'): ParquetColumn {
  const values = new (precision === 'f32' ? Float32Array : Float64Array)(capacity);
  return {
    element: optional(name, { type: precision === 'f32' ? 'FLOAT' : 'DOUBLE' }),
    add(cells, from, end, at) {
      values.set((cells as Numbers).subarray(from, end), at);
    },
    encode(rows) {
      const written = values.subarray(0, rows);
      const statistics = rangeOf(written);
      const found = fewNumbers(written);
      if (found === null) {
        return { encoding: 'PLAIN', cells: bytesOf(values, written.byteLength), statistics };
      }
      const { different, codes } = found;
      const bytes = bytesOf(different, different.byteLength);
      const dictionary = { bytes, count: different.length };
      return { dictionary, encoding: 'RLE_DICTIONARY', cells: indices(codes, different.length), statistics };
    },
  };
}

/** @returns nothing if a value is NaN */
function rangeOf(values: Numbers): Statistics {
  let min = values[0];
  let max = min;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    // nearly all are
    if (value >= min && value <= max) continue;
    if (value < min) min = value;
    else if (value > max) max = value;
    else return {};
  }
  // the two zeros are equal, so the range has both
  return { min_value: min === 0 ? -0 : min, max_value: max === 0 ? 0 : max };
}

/** The different numbers, if they are few, and the place of each value among them. */
function fewNumbers(values: Numbers): { readonly different: Numbers; readonly codes: Uint32Array } | null {
  const sample = new Set<number>();
  const step = Math.max(1, Math.floor(values.length / 1024));
  for (let i = 0; i < values.length; i += step) sample.add(values[i]);
  if (2 * sample.size * step > values.length) return null;
  const places = new Map<number, number>();
  const codes = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    // for a map the two zeros are one
    if (value === 0 && Object.is(value, -0)) return null;
    let place = places.get(value);
    if (place === undefined) {
      if (places.size === MOST_NUMBERS) return null;
      place = places.size;
      places.set(value, place);
    }
    codes[i] = place;
  }
  const different = values.slice(0, places.size);
  different.set([...places.keys()]);
  return { different, codes };
}

/** Texts by a dictionary of those of the group. @param known  texts of which the cells are places, instead of texts */
export function texts(name: string, capacity: number, known?: readonly string[]): ParquetColumn {
  const codes = new Uint32Array(capacity);
  const places = new Map(known?.map((text, place) => [text, place]));
  return {
    element: optional(name, { type: 'BYTE_ARRAY', converted_type: 'UTF8' }),
    add(cells, from, end, at) {
      if (known) {
        codes.set((cells as Uint32Array).subarray(from, end), at);
        return;
      }
      for (let i = from; i < end; i++) {
        const text = cells[i] as string;
        let place = places.get(text);
        if (place === undefined) {
          place = places.size;
          places.set(text, place);
        }
        codes[at + i - from] = place;
      }
    },
    encode(rows) {
      const different = [...places.keys()];
      if (!known) places.clear();
      const out = new ByteWriter();
      writePlain(out, different, 'BYTE_ARRAY', undefined);
      const dictionary = { bytes: out.getBytes(), count: different.length };
      const cells = indices(codes.subarray(0, rows), different.length);
      return { dictionary, encoding: 'RLE_DICTIONARY', cells, statistics: {} };
    },
  };
}

/** Places in a dictionary, with as many bits as the last one has. */
function indices(codes: Uint32Array, count: number): Uint8Array {
  const bits = Math.ceil(Math.log2(Math.max(2, count)));
  const out = new ByteWriter();
  out.appendUint8(bits);
  // its declared type lacks typed arrays of 32 bits
  writeRleBitPackedHybrid(out, codes, bits);
  return out.getBytes();
}

export function flags(name: string, capacity: number): ParquetColumn {
  const bits = new Uint8Array(Math.ceil(capacity / 8));
  return {
    element: optional(name, { type: 'BOOLEAN' }),
    add(cells, from, end, at) {
      for (let i = from; i < end; i++) {
        const place = at + i - from;
        if (place % 8 === 0) bits[place >> 3] = 0;
        if (cells[i]) bits[place >> 3] |= 1 << (place % 8);
      }
    },
    encode: (rows) => ({ encoding: 'PLAIN', cells: bits.subarray(0, Math.ceil(rows / 8)), statistics: {} }),
  };
}
