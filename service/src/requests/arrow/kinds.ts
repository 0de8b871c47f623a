import type { Cell } from '../columns.ts';
import { half } from '../half.ts';
import type { Flat } from './flat.ts';

/** Reads values. @param buffers  those behind the marks of missing values */
type Read = (buffers: readonly Uint8Array[], length: number) => (row: number) => Cell;

/** How the values of a type lie in a batch. */
export interface Kind {
  /** its name, for messages */
  readonly name: string;
  /** number of buffers of a batch, with that of the marks of missing values */
  readonly buffers: number;
  /** further buffers have texts, by a count of the batch */
  readonly isView: boolean;
  readonly isText: boolean;
  /** null: a type that no field has */
  readonly read: Read | null;
}

type Get = (view: DataView, at: number) => number | bigint;

const plain = (name: string, buffers: number): Kind => ({ name, buffers, isView: false, isText: false, read: null });

/** Values of a fixed number of bytes. */
const fixed = (name: string, size: number, get: Get): Kind => ({
  ...plain(name, 2),
  read: ([values], length) => {
    const view = viewOf(values, length * size);
    return (row) => get(view, row * size);
  },
});

function viewOf(bytes: Uint8Array, least: number): DataView {
  if (bytes.length < least) throw new RangeError('buffer');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

const BOOL: Kind = {
  ...plain('Bool', 2),
  read: ([bits], length) => {
    viewOf(bits, Math.ceil(length / 8));
    return (row) => isSet(bits, row);
  },
};

export const isSet = (bits: Uint8Array, row: number): boolean => ((bits[row >> 3] >> (row & 7)) & 1) === 1;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Texts one behind another, by where they end. */
const texts = (name: string, size: 4 | 8): Kind => ({
  ...plain(name, 3),
  isText: true,
  read: ([offsets, bytes], length) => {
    // no rows may have no offsets
    const view = viewOf(offsets, length === 0 ? 0 : (length + 1) * size);
    const at = (row: number): number =>
      size === 4 ? view.getInt32(4 * row, true) : Number(view.getBigInt64(8 * row, true));
    return (row) => {
      const [from, to] = [at(row), at(row + 1)];
      if (!(from >= 0 && from <= to && to <= bytes.length)) throw new RangeError('text');
      return decoder.decode(bytes.subarray(from, to));
    };
  },
});

/** Texts of up to 12 bytes in 16, longer ones by their buffer and place. */
const VIEWS: Kind = {
  ...plain('Utf8View', 2),
  isView: true,
  isText: true,
  read: ([views, ...buffers], length) => {
    const view = viewOf(views, 16 * length);
    return (row) => {
      const size = view.getInt32(16 * row, true);
      if (size <= 12) return decoder.decode(views.subarray(16 * row + 4, 16 * row + 4 + Math.max(0, size)));
      const bytes = buffers[view.getInt32(16 * row + 8, true)];
      const from = view.getInt32(16 * row + 12, true);
      if (!bytes || from < 0 || from + size > bytes.length) throw new RangeError('text');
      return decoder.decode(bytes.subarray(from, from + size));
    };
  },
};

const NULL: Kind = { ...plain('Null', 0), read: () => () => null };

/** Whole numbers by their bits; unsigned ones first. */
const INTS: Readonly<Record<number, readonly [Get, Get]>> = {
  8: [(view, at) => view.getUint8(at), (view, at) => view.getInt8(at)],
  16: [(view, at) => view.getUint16(at, true), (view, at) => view.getInt16(at, true)],
  32: [(view, at) => view.getUint32(at, true), (view, at) => view.getInt32(at, true)],
  64: [(view, at) => view.getBigUint64(at, true), (view, at) => view.getBigInt64(at, true)],
};

function intOf(type: Flat | null): Kind {
  const bits = type?.int(0) ?? 32;
  const gets = INTS[bits];
  if (!gets) throw new RangeError('bits');
  return fixed('Int', bits / 8, gets[type?.byte(1) ?? 1]);
}

/** Real numbers by their precision. */
const REALS = [
  fixed('Float', 2, (view, at) => half(view.getUint16(at, true))),
  fixed('Float', 4, (view, at) => view.getFloat32(at, true)),
  fixed('Float', 8, (view, at) => view.getFloat64(at, true)),
];

const DAY_MS = 86_400_000;
/** Days, then milliseconds. */
const DATES = [
  fixed('Date', 4, (view, at) => view.getInt32(at, true) * DAY_MS),
  fixed('Date', 8, (view, at) => Number(view.getBigInt64(at, true))),
];
/** Instants in milliseconds, from seconds and their parts. */
const INSTANTS = [1000, 1, 1 / 1000, 1 / 1_000_000].map((ms) =>
  fixed('Timestamp', 8, (view, at) => Number(view.getBigInt64(at, true)) * ms),
);

/** Types by their numbers in Arrow's Schema.fbs. Those that no field has are known by the number of their buffers. */
const KINDS: readonly (((type: Flat | null) => Kind | undefined) | Kind | null)[] = [
  null,
  NULL,
  intOf,
  (type) => REALS[type?.short(0) ?? 0],
  plain('Binary', 3),
  texts('Utf8', 4),
  BOOL,
  plain('Decimal', 2),
  (type) => DATES[type?.short(0, 1) ?? 1],
  plain('Time', 2),
  (type) => INSTANTS[type?.short(0) ?? 0],
  plain('Interval', 2),
  plain('List', 2),
  plain('Struct', 1),
  (type) => plain('Union', type?.short(0) === 1 ? 2 : 1),
  plain('FixedSizeBinary', 2),
  plain('FixedSizeList', 1),
  plain('Map', 2),
  plain('Duration', 2),
  plain('LargeBinary', 3),
  texts('LargeUtf8', 8),
  plain('LargeList', 2),
  plain('RunEndEncoded', 0),
  { ...VIEWS, name: 'BinaryView', isText: false, read: null },
  VIEWS,
  plain('ListView', 3),
  plain('LargeListView', 3),
];

/** How the values of a type lie in a batch. @throws RangeError for a type that is unknown */
export function kindOf(number: number, type: Flat | null): Kind {
  const made = KINDS[number];
  const kind = typeof made === 'function' ? made(type) : made;
  if (!kind) throw new RangeError('type');
  return kind;
}
