/** The structs of Parquet, as its definition in Thrift has them (apache/parquet-format, parquet.thrift). */
import type { Shape } from './thrift.ts';

const KEY_VALUE: Shape = { must: { 1: 'bytes' }, may: { 2: 'bytes' } };

const STATISTICS: Shape = {
  may: { 1: 'bytes', 2: 'bytes', 3: 'i64', 4: 'i64', 5: 'bytes', 6: 'bytes', 7: 'flag', 8: 'flag' },
};

const COLUMN: Shape = {
  // type, encodings, path, codec, values, size, size in the file, place of the first page of data
  must: { 1: 'i32', 2: ['i32'], 3: ['bytes'], 4: 'i32', 5: 'i64', 6: 'i64', 7: 'i64', 9: 'i64' },
  may: {
    8: [KEY_VALUE],
    10: 'i64',
    11: 'i64', // place of the dictionary
    12: STATISTICS,
    13: [{ must: { 1: 'i32', 2: 'i32', 3: 'i32' } }],
    14: 'i64',
    15: 'i32',
    16: { may: { 1: 'i64', 2: ['i64'], 3: ['i64'] } },
  },
};

const CHUNK: Shape = {
  must: { 2: 'i64' },
  may: { 1: 'bytes', 3: COLUMN, 4: 'i64', 5: 'i32', 6: 'i64', 7: 'i32', 8: {}, 9: 'bytes' },
};

const GROUP: Shape = {
  // columns, size, rows
  must: { 1: [CHUNK], 2: 'i64', 3: 'i64' },
  may: { 4: [{ must: { 1: 'i32', 2: 'flag', 3: 'flag' } }], 5: 'i64', 6: 'i64' },
};

const ELEMENT: Shape = {
  must: { 4: 'bytes' },
  // type, its length, repetition, children, converted type, scale, precision, number, logical type
  may: { 1: 'i32', 2: 'i32', 3: 'i32', 5: 'i32', 6: 'i32', 7: 'i32', 8: 'i32', 9: 'i32', 10: { may: logical() } },
};

/** The kinds of logical types; what stands in them is of interest for whole numbers alone. */
function logical(): Shape['may'] {
  const any: Shape = {};
  const kinds = Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15].map((id) => [id, any]));
  return { ...kinds, 10: { must: { 1: 'byte', 2: 'flag' } } };
}

/** version, schema, rows, groups */
export const FOOTER: Shape = {
  must: { 1: 'i32', 2: [ELEMENT], 3: 'i64', 4: [GROUP] },
  may: { 5: [KEY_VALUE], 6: 'bytes', 7: [{ may: { 1: {} } }], 8: {}, 9: 'bytes' },
};

/** kind, size, size in the file, CRC, page of data, index, dictionary, page of data of version 2 */
export const PAGE: Shape = {
  must: { 1: 'i32', 2: 'i32', 3: 'i32' },
  may: {
    4: 'i32',
    5: { must: { 1: 'i32', 2: 'i32', 3: 'i32', 4: 'i32' }, may: { 5: STATISTICS } },
    6: {},
    7: { must: { 1: 'i32', 2: 'i32' }, may: { 3: 'flag' } },
    8: { must: { 1: 'i32', 2: 'i32', 3: 'i32', 4: 'i32', 5: 'i32', 6: 'i32' }, may: { 7: 'flag', 8: STATISTICS } },
  },
};
