import { unreadable, unsendable } from '../error.ts';

/** Values of a tensor that is sent, in row-major order. */
export type InputData =
  | Float64Array
  | Float32Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | readonly (number | null)[]
  | readonly (string | null)[]
  | readonly boolean[]
  | readonly bigint[]
  | readonly Uint8Array[];

type Typed = Exclude<InputData, readonly unknown[]>;

interface TensorOf<D extends string, A> {
  readonly name: string;
  readonly datatype: D;
  readonly shape: readonly number[];
  /** in row-major order */
  readonly data: A;
}

/** A tensor of an answer: its datatype says what its data are. FP16 and BF16 are widened. @typeParam T  of BYTES */
export type Tensor<T = string> =
  | TensorOf<'FP64', Float64Array>
  | TensorOf<'FP32' | 'FP16' | 'BF16', Float32Array>
  | TensorOf<'INT8', Int8Array>
  | TensorOf<'UINT8', Uint8Array>
  | TensorOf<'INT16', Int16Array>
  | TensorOf<'UINT16', Uint16Array>
  | TensorOf<'INT32', Int32Array>
  | TensorOf<'UINT32', Uint32Array>
  | TensorOf<'INT64', BigInt64Array>
  | TensorOf<'UINT64', BigUint64Array>
  | TensorOf<'BOOL', readonly boolean[]>
  | TensorOf<'BYTES', readonly T[]>;

/** A datatype of Open Inference V2. */
export type Datatype = Tensor['datatype'];

type Kind = 'float' | 'narrow' | 'whole' | 'big' | 'boolean';

interface Maker {
  new (length: number): Typed;
  new (buffer: ArrayBuffer): Typed;
  readonly BYTES_PER_ELEMENT: number;
}

/** The datatypes of fixed length, and what holds their values; of narrow ones their bits. */
const FIXED: Readonly<Record<Exclude<Datatype, 'BYTES'>, readonly [maker: Maker, kind: Kind]>> = {
  FP64: [Float64Array, 'float'],
  FP32: [Float32Array, 'float'],
  FP16: [Uint16Array, 'narrow'],
  BF16: [Uint16Array, 'narrow'],
  INT8: [Int8Array, 'whole'],
  UINT8: [Uint8Array, 'whole'],
  INT16: [Int16Array, 'whole'],
  UINT16: [Uint16Array, 'whole'],
  INT32: [Int32Array, 'whole'],
  UINT32: [Uint32Array, 'whole'],
  INT64: [BigInt64Array, 'big'],
  UINT64: [BigUint64Array, 'big'],
  BOOL: [Uint8Array, 'boolean'],
};
type Fixed = keyof typeof FIXED;

/** Values that are not said to be of another datatype. */
const USUAL: Readonly<Record<string, Datatype>> = { number: 'FP64', string: 'BYTES', boolean: 'BOOL', bigint: 'INT64' };
const UNUSUAL: ReadonlySet<string> = new Set(['FP16', 'BF16', 'BOOL']);

const show = (name: string): string => JSON.stringify(name);

/** A datatype by its name; null: there is none. */
export const datatypeNamed = (name: unknown): Datatype | null =>
  name === 'BYTES' || Object.hasOwn(FIXED, name as string) ? (name as Datatype) : null;

/** The datatype of data: that of its array, or of its first value. @throws ERR_REQUEST */
export function datatypeOf(name: string, data: InputData): Datatype {
  if (!Array.isArray(data)) {
    const found = Object.entries(FIXED).find(([datatype, [maker]]) => !UNUSUAL.has(datatype) && data instanceof maker);
    if (found) return found[0] as Datatype;
  } else {
    const first = data.find((value) => value !== null) ?? 0;
    const found = first instanceof Uint8Array ? 'BYTES' : USUAL[typeof first];
    if (found) return found;
  }
  throw unsendable(
    `input ${show(name)}: expected a typed array, or an array of numbers, texts, booleans, bigints or bytes, got another`,
  );
}

/** A value as its array has it; undefined: it is none of the kind. */
const CONVERT: Readonly<Record<Kind, (value: unknown) => number | bigint | undefined>> = {
  float: (value) => (value === null ? Number.NaN : typeof value === 'number' ? value : undefined),
  narrow: () => undefined,
  whole: (value) => (Number.isInteger(value) ? (value as number) : undefined),
  big: (value) =>
    typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(value as number) : undefined,
  boolean: (value) => (typeof value === 'boolean' || value === 0 || value === 1 ? Number(value) : undefined),
};

/** Values as the array of a datatype, null as NaN. @param fail  makes the error of an element that is no value of it */
function arrayOf(datatype: Fixed, values: ArrayLike<unknown>, fail: (i: number) => Error): Typed {
  const [maker, kind] = FIXED[datatype];
  if (values instanceof maker) return values;
  const convert = CONVERT[kind];
  const array = new maker(values.length);
  const cells = array as { [i: number]: number | bigint };
  for (let i = 0; i < values.length; i++) {
    const value = convert(values[i]);
    if (value === undefined) throw fail(i);
    cells[i] = value;
    // floats are rounded; what is whole is held, or is none of the datatype
    if (kind !== 'float' && cells[i] !== value) throw fail(i);
  }
  return array;
}

const typed = (name: string, datatype: Fixed, data: InputData): Typed =>
  arrayOf(datatype, data, (i) =>
    unsendable(
      `input ${show(name)}, element ${i}: expected ${FIXED[datatype][1] === 'narrow' ? `bits in a Uint16Array for ${datatype}` : `a value of ${datatype}`}, got another; correct it or name another datatype`,
    ),
  );

/** Data as JSON. @throws ERR_REQUEST for what JSON has not */
export function jsonOf(name: string, datatype: Datatype, data: InputData): string {
  if (datatype === 'BYTES') return JSON.stringify(textsOf(name, data));
  const array = typed(name, datatype, data);
  const values = FIXED[datatype][1] === 'narrow' ? widened(datatype, array as Uint16Array) : array;
  const cells = Array.from<number | bigint, string>(values as ArrayLike<number>, (value, i) => {
    if (datatype === 'BOOL') return value ? 'true' : 'false';
    if (Number.isNaN(value)) return 'null';
    if (value === Infinity || value === -Infinity)
      throw unsendable(
        `input ${show(name)}, element ${i}: expected a finite number in JSON, got ${value}; send binary`,
      );
    return `${value}`;
  });
  return `[${cells.join()}]`;
}

/** Data as bytes, little endian as the machines are that hosts run on. @throws ERR_REQUEST */
export function blobOf(name: string, datatype: Datatype, data: InputData): Uint8Array {
  if (datatype === 'BYTES') return bytesOfTexts(name, data);
  const { buffer, byteOffset, byteLength } = typed(name, datatype, data);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

const isMissing = (name: string, i: number) =>
  unsendable(
    `input ${show(name)}, element ${i}: expected a text or bytes, got another; BYTES has no missing value but in JSON`,
  );

function textsOf(name: string, data: InputData): (string | null)[] {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return Array.from<unknown, string | null>(data as ArrayLike<unknown>, (value, i) => {
    if (typeof value === 'string' || value === null) return value;
    if (!(value instanceof Uint8Array)) throw isMissing(name, i);
    try {
      return decoder.decode(value);
    } catch {
      throw unsendable(`input ${show(name)}, element ${i}: expected UTF-8 in JSON, got other bytes; send binary`);
    }
  });
}

/** Each its length in four bytes, then its bytes. */
function bytesOfTexts(name: string, data: InputData): Uint8Array {
  const encoder = new TextEncoder();
  const parts = Array.from<unknown, Uint8Array>(data as ArrayLike<unknown>, (value, i) => {
    if (typeof value === 'string') return encoder.encode(value);
    if (value instanceof Uint8Array) return value;
    throw isMissing(name, i);
  });
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(all.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length, true);
    all.set(part, at + 4);
    at += 4 + part.length;
  }
  return all;
}

/** What the data of an answer become. */
type TensorData = Tensor<string | Uint8Array>['data'];

/** The data of JSON, flat or nested. @throws ERR_RESPONSE */
export function dataOfJson(name: string, datatype: Datatype, data: unknown, count: number): TensorData {
  const cells: unknown[] = Array.isArray(data) ? (data.some(Array.isArray) ? data.flat(Infinity) : data) : [];
  const fail = (i: number) =>
    unreadable(`output ${show(name)}, element ${i}: expected a value of ${datatype}, got another; ask for binary`);
  if (cells.length !== count)
    throw unreadable(
      `output ${show(name)}: expected ${counted(count, 'value')}, as the shape says, got ${cells.length}`,
    );
  if (datatype === 'BYTES') {
    const wrong = cells.findIndex((cell) => typeof cell !== 'string');
    if (wrong >= 0) throw fail(wrong);
    return cells as string[];
  }
  const isNarrow = FIXED[datatype][1] === 'narrow';
  return shown(datatype, arrayOf(isNarrow ? 'FP32' : datatype, cells, fail));
}

/** A count with its noun: 1 value, 2 values. */
export const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** The data of bytes. @param isText  whether BYTES are UTF-8 @throws ERR_RESPONSE */
export function dataOfBlob(
  name: string,
  datatype: Datatype,
  blob: Uint8Array,
  count: number,
  isText: boolean,
): TensorData {
  if (datatype === 'BYTES') return textsOfBytes(name, blob, count, isText);
  const [maker, kind] = FIXED[datatype];
  if (blob.length !== count * maker.BYTES_PER_ELEMENT)
    throw unreadable(
      `output ${show(name)}: expected ${counted(count, 'value')} of ${datatype}, got ${counted(blob.length, 'byte')}`,
    );
  // it begins anywhere: a copy is aligned
  const array = new maker(blob.slice().buffer);
  return kind === 'narrow' ? widened(datatype, array as Uint16Array) : shown(datatype, array);
}

const shown = (datatype: Datatype, array: Typed): TensorData =>
  datatype === 'BOOL' ? Array.from(array as Uint8Array, Boolean) : array;

function textsOfBytes(name: string, blob: Uint8Array, count: number, isText: boolean): (string | Uint8Array)[] {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  let at = 0;
  const values = Array.from({ length: count }, (_, i) => {
    const end = at + 4 <= blob.length ? at + 4 + view.getUint32(at, true) : Infinity;
    if (end > blob.length) throw unreadable(`output ${show(name)}: expected ${counted(count, 'text')}, got ${i}`);
    const bytes = blob.subarray(at + 4, end);
    at = end;
    if (!isText) return bytes.slice();
    try {
      return decoder.decode(bytes);
    } catch {
      throw unreadable(`output ${show(name)}, element ${i}: expected UTF-8, got other bytes; ask with texts: false`);
    }
  });
  if (at === blob.length) return values;
  throw unreadable(
    `output ${show(name)}: expected ${counted(count, 'text')}, got ${counted(blob.length - at, 'byte')} more`,
  );
}

/** Numbers of sixteen bits. */
function widened(datatype: Datatype, bits: Uint16Array): Float32Array {
  if (datatype === 'FP16') return Float32Array.from(bits, half);
  return new Float32Array(Uint32Array.from(bits, (two) => two << 16).buffer);
}

/** @see IEEE 754, binary16 */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
