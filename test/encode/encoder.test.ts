import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import type { LogoddsError } from '../../bindings/errors.ts';
import type { Precision } from '../../bindings/layout.ts';
import { Encoder } from '../../src/encode/encoder.ts';
import { inferSchema } from '../../src/encode/infer.ts';
import { tableFromRecords } from '../../src/encode/records.ts';
import type { CategoricalFeature, NumericFeature, Schema } from '../../src/encode/schema.ts';
import { slotNames } from '../../src/encode/slots.ts';
import type { Column, Table } from '../../src/encode/table.ts';

const age: NumericFeature = { name: 'age', kind: 'numeric', mean: 40, scale: 10, min: 20, max: 60, indicator: false };
const pay: NumericFeature = { ...age, name: 'pay', mean: 5, scale: 2, indicator: true };
const city: CategoricalFeature = {
  name: 'city',
  kind: 'categorical',
  levels: ['Bonn', 'Köln', '7'],
  counts: [1, 5, 5, 0],
  coding: 'treatment',
  reference: 1,
  missing: 'slot',
  unseen: 'slot',
};
const engine = pickEngine('js');

function encode(schema: Schema, table: Table, standardize = false, precision: Precision = 'f64', firstRow?: number) {
  const encoder = new Encoder(schema);
  const batch = engine.columns(table.rows, encoder.specs, precision);
  try {
    encoder.encode(table, batch, { standardize, firstRow });
    return encoder.specs.map((spec, j) => Array.from(spec.kind === 'numeric' ? batch.numeric(j) : batch.codes(j)));
  } finally {
    batch.free();
  }
}

const numbers = (name: string, values: number[], missing?: number[]): Column => ({
  name,
  kind: 'numeric',
  values: Float64Array.from(values),
  missing: missing && Uint8Array.from(missing),
});
const codes = (name: string, cells: number[], levels: string[], missing?: number[]): Column => ({
  name,
  kind: 'coded',
  codes: Uint8Array.from(cells),
  levels,
  missing: missing && Uint8Array.from(missing),
});
const table = (rows: number, ...columns: Column[]): Table => ({ rows, columns });
const error = (code: string, message: string) =>
  expect.objectContaining({ code, detail: expect.stringContaining(message) });

describe('the layout of a schema', () => {
  const encoder = new Encoder({ features: [age, pay, city] });

  test('one column per number, one of two slots per indicator, levels + 2 slots per category', () => {
    expect(encoder.specs).toEqual([
      { kind: 'numeric' },
      { kind: 'numeric' },
      { kind: 'coded', slots: 2 },
      { kind: 'coded', slots: 5 },
    ]);
    expect(encoder.slots).toBe(9);
  });

  test('every slot has a name and a role', () => {
    expect(slotNames(encoder).map(({ name, level, role }) => [name, level, role])).toEqual([
      ['age', null, 'number'],
      ['pay', null, 'number'],
      ['pay', '(present)', 'present'],
      ['pay', '(missing)', 'missing'],
      ['city', 'Bonn', 'level'],
      ['city', 'Köln', 'reference'],
      ['city', '7', 'level'],
      ['city', '(missing)', 'missing'],
      ['city', '(unseen)', 'unseen'],
    ]);
    expect(slotNames(encoder).map(({ feature }) => feature)).toEqual([0, 1, 1, 1, 2, 2, 2, 2, 2]);
  });
});

describe('tables', () => {
  test('columns are found by name, in any order, and others are ignored', () => {
    const data = table(
      2,
      codes('city', [1, 0], ['Köln', 'Bonn']),
      numbers('other', [Number.NaN, 0]),
      numbers('age', [30, 50]),
    );
    expect(encode({ features: [age, city] }, data)).toEqual([
      [30, 50],
      [0, 1],
    ]);
  });

  test('a missing number takes the mean and sets its indicator', () => {
    const data = table(3, numbers('pay', [9, Number.NaN, 5], [0, 1, 0]));
    expect(encode({ features: [pay] }, data)).toEqual([
      [9, 5, 5],
      [0, 1, 0],
    ]);
    expect(encode({ features: [pay] }, data, true)).toEqual([
      [2, 0, 0],
      [0, 1, 0],
    ]);
  });

  test('missing, unseen and codes without a level take their slots', () => {
    const data = table(5, codes('city', [0, 1, 2, 0, 200], ['Köln', 'Ulm', '7'], [0, 0, 0, 1, 0]));
    expect(encode({ features: [city] }, data)).toEqual([[1, 4, 2, 3, 4]]);
    const mode = { ...city, missing: 'mode' } as const;
    expect(encode({ features: [mode] }, data)).toEqual([[1, 4, 2, 1, 4]]);
  });

  test('another array of levels is another meaning of the codes', () => {
    const encoder = new Encoder({ features: [city] });
    const batch = engine.columns(1, encoder.specs, 'f64');
    const got = [['Köln'], ['Bonn'], ['x'], ['Köln']].map((levels) => {
      encoder.encode(table(1, codes('city', [0], levels)), batch, { standardize: false });
      return batch.codes(0)[0];
    });
    batch.free();
    expect(got).toEqual([1, 0, 4, 1]);
  });

  test('a numeric column serves a categorical feature by its canonical labels', () => {
    expect(encode({ features: [city] }, table(3, numbers('city', [7, 8, Number.NaN], [0, 0, 1])))).toEqual([[2, 4, 3]]);
  });

  test('a coded column whose cells are all missing serves a numeric feature', () => {
    expect(encode({ features: [age] }, table(2, codes('age', [0, 0], [], [1, 1])))).toEqual([[40, 40]]);
  });

  test('more than 65,534 levels', () => {
    const levels = Array.from({ length: 70_000 }, (_, i) => `level ${i}`);
    const wide: CategoricalFeature = { ...city, name: 'id', levels, counts: [...levels.map(() => 1), 0] };
    const column: Column = { name: 'id', kind: 'coded', codes: Uint32Array.of(69_999, 0), levels: levels.toReversed() };
    expect(encode({ features: [wide] }, table(2, column))).toEqual([[0, 69_999]]);
  });

  test('no rows', () => {
    expect(encode({ features: [age, city] }, table(0, numbers('age', []), codes('city', [], [])))).toEqual([[], []]);
  });

  describe('what cannot be encoded is named', () => {
    const schema: Schema = { features: [age, pay, city] };
    test('all absent columns at once', () => {
      expect(() => encode(schema, table(1, numbers('age', [1]), numbers('x', [1])))).toThrow(
        error('ERR_SCHEMA', 'table: expected columns "pay", "city", got "age", "x"; add what is absent'),
      );
    });
    test('duplicate columns', () => {
      expect(() => encode({ features: [age] }, table(1, numbers('age', [1]), numbers('age', [2])))).toThrow(
        error('ERR_SCHEMA', 'expected distinct column names, got "age" twice'),
      );
    });
    test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('the cell %d', (value) => {
      expect(() => encode({ features: [age] }, table(2, numbers('age', [1, value])), false, 'f64', 100)).toThrow(
        error('ERR_RECORD', `row 101 (from 0), column "age": expected a finite number, got ${value}; correct it`),
      );
    });
    test('a number beyond f32 in an f32 batch', () => {
      expect(() => encode({ features: [age] }, table(1, numbers('age', [1e300])), false, 'f32')).toThrow(
        error('ERR_RECORD', 'row 0 (from 0), column "age": expected a finite number within f32, got 1e+300'),
      );
    });
    test('text in a numeric column: the first cell that is no number', () => {
      const data = table(4, codes('age', [0, 1, 2, 1], ['1', 'n/a', ''], [0, 0, 1, 0]));
      expect(() => encode({ features: [age] }, data, false, 'f64', 10)).toThrow(
        error(
          'ERR_RECORD',
          'row 11 (from 0), column "age": expected a number, got "n/a"; correct it, or mark it as missing',
        ),
      );
    });
    test('numbers written as text', () => {
      expect(() => encode({ features: [age] }, table(2, codes('age', [0, 1], ['41', '42'])))).toThrow(
        error('ERR_RECORD', 'row 0 (from 0), column "age": expected a number, got "41"'),
      );
    });
    test('an unseen value where the feature says error', () => {
      const strict = { ...city, unseen: 'error' } as const;
      const data = table(2, codes('city', [0, 1], ['Bonn', 'Ulm']));
      expect(() => encode({ features: [strict] }, data, false, 'f64', 5)).toThrow(
        error(
          'ERR_RECORD',
          'row 6 (from 0), column "city": expected one of the 3 levels seen in training, got "Ulm"; correct it',
        ),
      );
      expect(() => encode({ features: [strict] }, table(1, codes('city', [9], ['Bonn'])))).toThrow(
        error('ERR_RECORD', 'got nothing'),
      );
    });
    test('levels that are no text, or no list', () => {
      for (const levels of [[12, 36], [null, 'Bonn'], 'Bonn', undefined])
        expect(() => encode({ features: [city] }, table(1, codes('city', [0], levels as never)))).toThrow(
          error('ERR_SHAPE', 'column "city": expected text as levels, got something else'),
        );
    });
    test('a column shorter than the table, and a batch that is', () => {
      expect(() => encode({ features: [age] }, table(2, numbers('age', [1])))).toThrow(
        error('ERR_SHAPE', 'column "age": expected 2 rows (as the table), got 1'),
      );
      const encoder = new Encoder({ features: [age] });
      const batch = engine.columns(1, encoder.specs, 'f64');
      expect(() => encoder.encode(table(2, numbers('age', [1, 2])), batch, { standardize: false })).toThrow(
        error('ERR_SHAPE', 'batch: expected at least 2 rows, got 1'),
      );
      batch.free();
    });
  });

  test.each([[[1, Number.NaN, 2]], [[1, Number.NEGATIVE_INFINITY, 2]], [[1, 2, Number.POSITIVE_INFINITY]]])(
    'standardised numbers %j are refused by their first row that is not finite',
    (values) => {
      const bad = values.findIndex((value) => !Number.isFinite(value));
      const encoded = (standardize: boolean) => () =>
        encode({ features: [age] }, table(3, numbers('age', values)), standardize, 'f64', 10);
      for (const standardize of [true, false])
        expect(encoded(standardize)).toThrow(error('ERR_RECORD', `row ${10 + bad} (from 0), column "age"`));
      expect(encode({ features: [age] }, table(3, numbers('age', [30, 40, 55])), true)).toEqual([[-1, 0, 1.5]]);
    },
  );

  test('codes in the order of the slots: those beyond the levels, missing cells, and levels that are changed in place', () => {
    const schema = { features: [city] };
    const levels = [...city.levels];
    expect(encode(schema, table(4, codes('city', [0, 1, 2, 1, 9], levels)))).toEqual([[0, 1, 2, 1]]);
    expect(encode(schema, table(4, codes('city', [0, 1, 3, 2], levels)))).toEqual([[0, 1, 4, 2]]);
    expect(encode(schema, table(4, codes('city', [0, 1, 4, 255], levels)))).toEqual([[0, 1, 4, 4]]);
    expect(encode(schema, table(4, codes('city', [0, 1, 2, 1], levels, [0, 1, 0, 0])))).toEqual([[0, 3, 2, 1]]);
    const encoder = new Encoder(schema);
    const batch = engine.columns(4, encoder.specs, 'f64');
    const column = codes('city', [0, 1, 2, 1], levels);
    const written = () => {
      encoder.encode(table(4, column), batch, { standardize: false });
      return Array.from(batch.codes(0));
    };
    expect(written()).toEqual([0, 1, 2, 1]);
    levels[1] = 'Ulm';
    expect(written()).toEqual([0, 4, 2, 4]);
    levels.push('Köln');
    expect(written()).toEqual([0, 4, 2, 4]);
    batch.free();
  });
});

describe('records', () => {
  const encoder = new Encoder({ features: [age, pay, city] });
  const record = (value: Record<string, unknown>, by = encoder) => {
    const out = new Float64Array(by.specs.length);
    by.encodeRecord(value, out);
    return Array.from(out);
  };

  test('values by name, null and undefined are missing', () => {
    expect(record({ city: 'Bonn', pay: 3, age: 20, other: {} })).toEqual([20, 3, 0, 0]);
    expect(record({ city: null, pay: undefined, age: null })).toEqual([40, 5, 1, 3]);
    expect(record({ city: 7, pay: 3n, age: -0 })).toEqual([-0, 3, 0, 2]);
    expect(record({ city: 'Ulm', pay: 1, age: 1 })).toEqual([1, 1, 0, 4]);
  });

  test.each([
    [
      { age: 'n/a', pay: 1, city: 'Bonn' },
      'ERR_RECORD',
      'record, field "age": expected a finite number, got "n/a"; use null for a missing value',
    ],
    [{ age: '41', pay: 1, city: 'Bonn' }, 'ERR_RECORD', 'record, field "age": expected a finite number, got "41"'],
    [{ age: Number.NaN, pay: 1, city: 'Bonn' }, 'ERR_RECORD', 'record, field "age": expected a finite number, got NaN'],
    [{ age: true, pay: 1, city: 'Bonn' }, 'ERR_RECORD', 'record, field "age": expected a finite number, got true'],
    [
      { age: 1, pay: 1, city: [['Bonn']] },
      'ERR_RECORD',
      'record, field "city": expected a string, finite number or boolean, got a value of type object',
    ],
    [
      { age: 1, pay: 1, city: Number.NaN },
      'ERR_RECORD',
      'record, field "city": expected a string, finite number or boolean, got NaN',
    ],
    [
      { age: 1 },
      'ERR_SCHEMA',
      'record: expected columns "pay", "city", got "age"; add what is absent under that name (null for a missing value)',
    ],
    [{}, 'ERR_SCHEMA', 'record: expected columns "age", "pay", "city", got no column'],
  ])('%j is refused', (value, code, message) => {
    expect(() => record(value)).toThrow(error(code, message));
  });

  test('an unseen value where the feature says error', () => {
    const strict = new Encoder({ features: [{ ...city, unseen: 'error' }] });
    expect(() => record({ city: 'Ulm' }, strict)).toThrow(
      error('ERR_RECORD', 'record, field "city": expected one of the 3 levels seen in training, got "Ulm"'),
    );
  });

  test('a record and the same row of a table are encoded alike', () => {
    const features = [age, pay, city];
    const cell = fc.record({
      age: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      pay: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      city: fc.option(fc.constantFrom('Bonn', 'Köln', '7', 'Ulm')),
    });
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1 }), (records) => {
        const levels = ['Ulm', '7', 'Köln', 'Bonn'];
        const flags = (name: 'age' | 'pay' | 'city') => records.map((row) => (row[name] === null ? 1 : 0));
        const data = table(
          records.length,
          numbers(
            'age',
            records.map((row) => row.age ?? Number.NaN),
            flags('age'),
          ),
          numbers(
            'pay',
            records.map((row) => row.pay ?? Number.NaN),
            flags('pay'),
          ),
          codes(
            'city',
            records.map((row) => levels.indexOf(row.city ?? 'Ulm')),
            levels,
            flags('city'),
          ),
        );
        const columns = encode({ features }, data);
        records.forEach((row, i) => {
          expect(columns.map((column) => column[i])).toEqual(record(row));
        });
      }),
    );
  });
});

test.each([1, 23, 24, 25, 60])('a record of %i fields, in any order of its fields, is the row of a table', (count) => {
  const names = Array.from({ length: count }, (_, j) => `x${j}`);
  const of = (i: number) =>
    names.map(
      (name, j) =>
        [name, j % 3 ? [-0, 1.5, null, `7`, 'seen', 'unseen'][(i + j) % (j % 3 === 1 ? 3 : 6)] : i / (j + 1)] as const,
    );
  const training = [0, 1, 2, 3, 4].map((i) =>
    Object.fromEntries(of(i).map(([name, value], j) => [name, j % 3 === 2 ? `${value ?? 'none'}` : value])),
  );
  const encoder = new Encoder(inferSchema(tableFromRecords(training), { exclude: [], coding: 'onehot' }));
  const out = new Float64Array(encoder.specs.length);
  const again = new Float64Array(encoder.specs.length);
  for (let i = 0; i < 12; i++) {
    const fields = of(i);
    const record = Object.fromEntries(fields);
    expect(encoder.encodeRecord(record, out)).toBe(encoder.encodeRecord(Object.fromEntries(fields.reverse()), again));
    expect(again).toEqual(out);
    encoder.schema.features.forEach((feature, j) => {
      const value = record[feature.name];
      const at = encoder.firstColumns[j];
      if (feature.kind === 'numeric') {
        expect(out[at]).toBe(value === null ? feature.mean : value);
      } else if (feature.kind === 'categorical') {
        const code = feature.levels.indexOf(String(value));
        const unseen = code < 0 ? feature.levels.length + 1 : code;
        expect(out[at]).toBe(value === null ? feature.levels.length : unseen);
      }
    });
  }
});

test('the first record, which is read another way than those after it, gives the same entries and counts', () => {
  const schema: Schema = { features: [age, pay, city] };
  const records = [
    { age: 44, pay: 3, city: 'Bonn' },
    { age: null, pay: null, city: null },
    { age: 61, pay: 5n, city: 7 },
    { age: 19, pay: 4, city: 'Ulm' },
  ];
  const used = new Encoder(schema);
  used.encodeRecord(records[0], new Float64Array(5));
  for (const record of records) {
    const [first, later] = [new Float64Array(5), new Float64Array(5)];
    expect(new Encoder(schema).encodeRecord(record, first)).toBe(used.encodeRecord(record, later));
    expect(first).toEqual(later);
  }
  const bad = { age: 'x', pay: 1, city: {} };
  const problems = (encoder: Encoder) => {
    try {
      return encoder.encodeRecord(bad, new Float64Array(5));
    } catch (error) {
      return (error as LogoddsError).problems;
    }
  };
  expect(problems(new Encoder(schema))).toHaveLength(2);
  expect(problems(new Encoder(schema))).toEqual(problems(used));
});
