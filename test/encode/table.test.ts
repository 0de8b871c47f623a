import { describe, expect, test } from 'vitest';
import { tableFromRecords } from '../../src/encode/records.ts';
import { sliceTable, splitTable } from '../../src/encode/split.ts';
import type { Table } from '../../src/encode/table.ts';

const error = (code: string, message: string) =>
  expect.objectContaining({ code, detail: expect.stringContaining(message) });

const data: Table = {
  rows: 4,
  columns: [
    { name: 'x', kind: 'numeric', values: Float32Array.of(1, 2, 3, 4), missing: Uint8Array.of(0, 1, 0, 0) },
    { name: 'c', kind: 'coded', codes: Uint16Array.of(0, 1, 1, 0), levels: ['a', 'b'] },
  ],
};

describe('splitTable', () => {
  test('rows go to one side or the other, in their order, with their types', () => {
    const { train, holdout } = splitTable(data, Uint8Array.of(0, 1, 0, 1));
    expect(train).toEqual({
      rows: 2,
      columns: [
        { name: 'x', kind: 'numeric', values: Float32Array.of(1, 3), missing: Uint8Array.of(0, 0) },
        { name: 'c', kind: 'coded', codes: Uint16Array.of(0, 1), levels: ['a', 'b'], missing: null },
      ],
    });
    expect(holdout).toEqual({
      rows: 2,
      columns: [
        { name: 'x', kind: 'numeric', values: Float32Array.of(2, 4), missing: Uint8Array.of(1, 0) },
        { name: 'c', kind: 'coded', codes: Uint16Array.of(1, 0), levels: ['a', 'b'], missing: null },
      ],
    });
  });

  test('flags of another length are refused', () => {
    expect(() => splitTable(data, new Uint8Array(3))).toThrow(
      error('ERR_SHAPE', 'heldOut: expected length 4 (rows of the table), got 3'),
    );
  });
});

test('sliceTable gives views of the same memory', () => {
  const part = sliceTable(data, 1, 3);
  expect(part.rows).toBe(2);
  const [x, c] = part.columns;
  expect(x.kind === 'numeric' && [...x.values, ...x.missing!]).toEqual([2, 3, 1, 0]);
  expect(c.kind === 'coded' && c.codes.buffer === (data.columns[1] as { codes: Uint16Array }).codes.buffer).toBe(true);
});

describe('tableFromRecords', () => {
  test('numbers and bigints are numeric, text and booleans are coded, null is missing', () => {
    const table = tableFromRecords([
      { n: 1, b: 2n, t: 'x', f: true, gap: null, e: null },
      { n: null, b: 3, t: 'y', f: false, gap: 'z', e: undefined },
      { n: 2.5, b: 4, t: 'x', f: true, gap: null, e: null },
    ]);
    expect(table.rows).toBe(3);
    expect(table.columns).toEqual([
      { name: 'n', kind: 'numeric', values: Float64Array.of(1, 0, 2.5), missing: Uint8Array.of(0, 1, 0) },
      { name: 'b', kind: 'numeric', values: Float64Array.of(2, 3, 4), missing: null },
      { name: 't', kind: 'coded', codes: Uint32Array.of(0, 1, 0), levels: ['x', 'y'], missing: null },
      { name: 'f', kind: 'coded', codes: Uint32Array.of(0, 1, 0), levels: ['true', 'false'], missing: null },
      { name: 'gap', kind: 'coded', codes: Uint32Array.of(0, 0, 0), levels: ['z'], missing: Uint8Array.of(1, 0, 1) },
      { name: 'e', kind: 'numeric', values: new Float64Array(3), missing: Uint8Array.of(1, 1, 1) },
    ]);
  });

  test('names take a part of the fields', () => {
    expect(tableFromRecords([{ a: 1 }, { b: 2, a: 3 }], ['a']).columns.map((column) => column.name)).toEqual(['a']);
    expect(tableFromRecords([])).toEqual({ rows: 0, columns: [] });
  });

  test.each([
    [[{ a: 1, b: 2 }, { a: 1 }], 'ERR_SCHEMA', 'record 1 (from 0): expected column "b", got "a"'],
    [[{ a: 1 }, { a: 1, b: 2 }], 'ERR_SCHEMA', 'record 1 (from 0): expected the fields of record 0, got "b" too'],
    [
      [{ a: 1 }, { a: 'n/a' }],
      'ERR_RECORD',
      'row 1 (from 0), column "a": expected a number as in row 0, got "n/a"; write all values as numbers, or all as text',
    ],
    [
      [{ a: 'n/a' }, { a: null }, { a: 1 }],
      'ERR_RECORD',
      'row 0 (from 0), column "a": expected a number as in row 2, got "n/a"',
    ],
    [
      [{ a: 1 }, { a: Number.NaN }],
      'ERR_RECORD',
      'row 1 (from 0), column "a": expected a string, finite number or boolean, got NaN',
    ],
    [[{ a: { b: 1 } }], 'ERR_RECORD', 'row 0 (from 0), column "a"'],
    [[{ a: new Date(Number.NaN) }], 'ERR_RECORD', 'row 0 (from 0), column "a"'],
    [[{ a: [['deep']] }], 'ERR_RECORD', 'row 0 (from 0), column "a"'],
    [[{ constructor: 1 }, {} as never], 'ERR_SCHEMA', 'record 1 (from 0): expected column "constructor"'],
    [[{ a: 1 }, null as never], 'ERR_RECORD', 'record 1 (from 0): expected an object, got null; leave it out'],
    [[5 as never], 'ERR_RECORD', 'record 0 (from 0): expected an object, got number; leave it out'],
  ])('%j is refused', (records, code, message) => {
    expect(() => tableFromRecords(records)).toThrow(error(code, message));
  });

  test.each([
    ['nothing', undefined, 'undefined'],
    ['one record', { a: 1 }, 'object'],
    ['a set', new Set([{ a: 1 }]), 'object'],
    ['text', '[{"a":1}]', 'string'],
  ])('%s instead of an array is refused', (_, records, got) => {
    const next = 'hand over one, such as [...records]';
    expect(() => tableFromRecords(records as never)).toThrow(
      error('ERR_SHAPE', `records: expected an array of objects, got a value of type ${got}; ${next}`),
    );
    expect(() => tableFromRecords([{ a: 1 }], (records ?? 5) as never)).toThrow(
      error('ERR_SHAPE', `names: expected an array of fields, got a value of type ${records ? got : 'number'}`),
    );
  });

  test('an error has the first problem of every column', () => {
    const records = [
      { a: '1', b: 1, c: 1 },
      { a: 2, b: 2, c: Number.NaN },
    ];
    expect(() => tableFromRecords(records)).toThrow(
      expect.objectContaining({
        problems: [
          { field: 'a', row: 0, rule: 'a number as in row 1' },
          { field: 'c', row: 1, rule: 'a string, finite number or boolean' },
        ],
      }),
    );
  });
});
