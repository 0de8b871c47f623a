import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Engine, pickEngine } from '../../bindings/engine.ts';
import { sigmoid } from '../../bindings/js/math.ts';
import { tableFromRecords } from '../../src/encode/records.ts';
import type { Table } from '../../src/encode/table.ts';
import { Model } from '../../src/model/model.ts';
import { manifestOf, smallModel, smallSchema } from './parts.ts';

const error = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });
const engines: [string, Engine][] = [pickEngine('auto'), pickEngine('js')].map((engine) => [engine.name, engine]);

describe('score of a record', () => {
  const model = smallModel();

  test('worked by hand', () => {
    expect(model.score({ age: 44, city: 'Köln' })).toEqual({ logit: 3, probability: sigmoid(3), label: 'yes' });
    expect(model.score({ age: 40, city: 'Bonn' })).toEqual({ logit: 0, probability: 0.5, label: 'no' });
    expect(model.score({ age: null, city: null })).toEqual({ logit: -1.5, probability: sigmoid(-1.5), label: 'no' });
    expect(model.score({ age: 48, city: 'Ulm' }).logit).toBe(2);
  });

  test('the positive class may be the first, the threshold any', () => {
    const rare = smallModel({ positive: 'no', decision: { threshold: 0.9 } });
    expect(rare.score({ age: 44, city: 'Köln' })).toMatchObject({ logit: 3, label: 'no' });
    expect(rare.score({ age: 40, city: 'Bonn' })).toMatchObject({ logit: 0, label: 'yes' });
  });

  test('the offset is added last and must be there', () => {
    const model = smallModel({ offset: 'exposure' });
    expect(model.score({ age: 40, city: 'Bonn', exposure: 0.75 }).logit).toBe(0.75);
    expect(() => model.score({ age: 40, city: 'Bonn' })).toThrow(
      error('ERR_SCHEMA', 'record: expected column "exposure"'),
    );
    expect(() => model.score({ age: 40, city: 'Bonn', exposure: null })).toThrow(
      error('ERR_RECORD', 'record, field "exposure": expected a finite number, got nothing'),
    );
  });
});

test('parts that do not fit together are refused', () => {
  const parts = { manifest: manifestOf(smallSchema), weights: new Float64Array(7), intercept: 0, covariance: null };
  expect(() => new Model({ ...parts, weights: new Float64Array(6) })).toThrow(
    error('ERR_SHAPE', 'model: expected 7 weights (slots of its schema) and 64 covariances or null, got 6 and null'),
  );
  expect(() => new Model({ ...parts, covariance: new Float64Array(63) })).toThrow(error('ERR_SHAPE', 'got 7 and 63'));
});

describe.each(engines)('score of a table by the %s engine', (_, engine) => {
  const value = fc.option(fc.double({ min: -1e9, max: 1e9, noNaN: true }));
  const records = fc.array(
    fc.record({
      age: value,
      city: fc.option(fc.constantFrom('Bonn', 'Köln', 'Ulm')),
      exposure: fc.double({ min: -5, max: 5, noNaN: true }),
    }),
    { maxLength: 40 },
  );
  const names = ['exposure', 'city', 'age'];

  test.each([null, 'exposure'])(
    'has the bits of the record score in f64, whatever the capacity (offset %s)',
    (offset) => {
      const weights = Float64Array.of(0.1, 0, -1 / 3, 0, 1e-3, 0.7, 0);
      const model = smallModel({ offset }, { weights, intercept: -0.2 });
      fc.assert(
        fc.property(records, fc.constantFrom(1, 3, 64), (rows, capacity) => {
          const scorer = model.scorer(engine, { capacity });
          try {
            const scores = scorer.score(tableFromRecords(rows, names));
            const expected = rows.map((row) => model.score(row));
            expect(scores.rows).toBe(rows.length);
            expect(Array.from(scores.logits)).toEqual(expected.map(({ logit }) => logit));
            expect(Array.from(scores.probabilities)).toEqual(expected.map(({ probability }) => probability));
            expect(Array.from(scores.positive)).toEqual(expected.map(({ label }) => (label === 'yes' ? 1 : 0)));
          } finally {
            scorer.free();
          }
        }),
      );
    },
  );

  test('a probability at the threshold is not positive', () => {
    const scorer = smallModel().scorer(engine);
    const { probabilities, positive } = scorer.score(tableFromRecords([{ age: 40, city: 'Bonn' }]));
    expect([probabilities[0], positive[0]]).toEqual([0.5, 0]);
    scorer.free();
  });

  test('f32 is within the rounding of cells, weights and three sums', () => {
    const model = smallModel({ offset: 'exposure' });
    const scorer = model.scorer(engine, { precision: 'f32' });
    const rows = [
      { age: 33.3, city: 'Köln', exposure: 0.1 },
      { age: null, city: 'Ulm', exposure: -0.3 },
    ];
    const scores = scorer.score(tableFromRecords(rows));
    expect(scores.logits).toBeInstanceOf(Float32Array);
    rows.forEach((row, i) => {
      const { logit, probability } = model.score(row);
      expect(Math.abs(scores.logits[i] - logit)).toBeLessThan(10 * 2 ** -22); // terms up to 10, 2^-24 relative each
      expect(Math.abs(scores.probabilities[i] - probability)).toBeLessThan(10 * 2 ** -22);
    });
    scorer.free();
  });

  test('the arrays survive what else the engine does until the next call', () => {
    const model = smallModel();
    const scorer = model.scorer(engine);
    const { logits } = scorer.score(tableFromRecords([{ age: 44, city: 'Köln' }]));
    engine.vector(1_000_000, 'f64').free();
    expect(Array.from(logits)).toEqual([3]);
    scorer.free();
  });

  test('free gives all memory back', () => {
    const before = engine.bytesInUse;
    const scorer = smallModel().scorer(engine);
    expect(engine.bytesInUse).toBeGreaterThan(before);
    scorer.free();
    expect(engine.bytesInUse).toBe(before);
  });

  test('errors name the row of the whole input', () => {
    const scorer = smallModel({ offset: 'exposure' }).scorer(engine, { capacity: 2 });
    const table = (age: number[], exposure: number[]): Table => ({
      rows: age.length,
      columns: [
        { name: 'age', kind: 'numeric', values: Float64Array.from(age) },
        { name: 'city', kind: 'coded', codes: new Uint8Array(age.length), levels: ['Bonn'] },
        {
          name: 'exposure',
          kind: 'numeric',
          values: Float64Array.from(exposure),
          missing: Uint8Array.from(exposure, (x) => (x < 0 ? 1 : 0)),
        },
      ],
    });
    expect(() => scorer.score(table([1, 2, Number.NaN], [0, 0, 0]), 1000)).toThrow(
      error('ERR_RECORD', 'row 1002 (from 0), column "age": expected a finite number, got NaN'),
    );
    expect(() => scorer.score(table([1, 2, 3], [0, 0, -1]), 1000)).toThrow(
      error('ERR_RECORD', 'row 1002 (from 0), column "exposure": expected a finite number, got nothing'),
    );
    expect(() => scorer.score({ rows: 0, columns: [] })).toThrow(
      error('ERR_SCHEMA', 'table: expected columns "age", "city", got no column'),
    );
    scorer.free();
  });

  test('a capacity that is none is refused', () => {
    expect(() => smallModel().scorer(engine, { capacity: 0 })).toThrow(
      error('ERR_RANGE', 'capacity: expected an integer >= 1, got 0'),
    );
  });
});
