/** Thrift's compact protocol, in which Parquet says what it has. */

/** A struct: its values by the numbers of their fields. */
export type Struct = readonly (Value | undefined)[];
export type Value = number | boolean | Uint8Array | readonly Value[] | Struct;

/** More than Parquet has. */
const MOST_FIELDS = 64;
const MOST_DEPTH = 16;

const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

/** The types of a struct's fields by their numbers. Another type, or a field that must be there and is not, is left to DuckDB. */
export interface Shape {
  readonly must?: Readonly<Record<number, Type>>;
  readonly may?: Readonly<Record<number, Type>>;
}
type Type = 'flag' | 'byte' | 'i32' | 'i64' | 'bytes' | readonly [Type] | Shape;

const CODES = { byte: BYTE, i32: 5, i64: I64, bytes: BINARY } as const;

const isCode = (type: Type, code: number) =>
  type === 'flag'
    ? code === TRUE || code === FALSE
    : code === (typeof type === 'string' ? CODES[type] : Array.isArray(type) ? LIST : STRUCT);

/** Reads structs one after another. */
export class Thrift {
  /** the place of the next byte */
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** @throws RangeError for bytes that are no struct of Parquet, or end before it does */
  struct({ must = {}, may = {} }: Shape, depth = 0): Struct {
    if (depth > MOST_DEPTH) throw new RangeError('structs within structs');
    const fields: (Value | undefined)[] = [];
    for (let id = 0; ; ) {
      const head = this.#byte();
      if (head === 0) break;
      id = head >> 4 ? id + (head >> 4) : this.#whole();
      if (!(id >= 0 && id < MOST_FIELDS)) throw new RangeError('a field that Parquet does not have');
      const type = must[id] ?? may[id];
      if (type !== undefined && !isCode(type, head & 15)) throw new RangeError('a field of another type');
      fields[id] = this.#value(head & 15, type, depth);
    }
    for (const id in must) if (fields[id] === undefined) throw new RangeError('a field that is not there');
    return fields;
  }

  #value(type: number, shape: Type | undefined, depth: number): Value {
    if (type === TRUE || type === FALSE) return type === TRUE;
    if (type === BYTE) return (this.#byte() << 24) >> 24;
    if (type > BYTE && type <= I64) return this.#whole();
    if (type === DOUBLE) return this.#take(8);
    if (type === BINARY) return this.#take(this.#unsigned());
    if (type === STRUCT) return this.struct((shape as Shape | undefined) ?? {}, depth + 1);
    if (type !== LIST) throw new RangeError('a type that Parquet does not use');
    const head = this.#byte();
    const size = head >> 4 === 15 ? this.#unsigned() : head >> 4;
    const element = head & 15;
    const inner = (shape as readonly [Type] | undefined)?.[0];
    if (inner !== undefined && !isCode(inner, element)) throw new RangeError('a list of another type');
    const isFlag = element === TRUE || element === FALSE;
    // an element has at least a byte
    if (size > this.#bytes.length - this.at) throw new RangeError('a list that is longer than the bytes');
    const list: Value[] = [];
    for (let i = 0; i < size; i++) list.push(isFlag ? this.#byte() === TRUE : this.#value(element, inner, depth + 1));
    return list;
  }

  #byte(): number {
    if (this.at >= this.#bytes.length) throw new RangeError('no more bytes');
    return this.#bytes[this.at++];
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.at) throw new RangeError('no more bytes');
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  #unsigned(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * unit;
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('a number beyond 2⁵³');
      if (byte < 128) return value;
      if (unit > 2 ** 56) throw new RangeError('a number of more than ten bytes');
    }
  }

  /** Signed, its sign in the lowest bit. */
  #whole(): number {
    const value = this.#unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
