import { expect, test } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { countOutOfRange, fit as fitTable, loadModel, rangesOf, saveModel, tableFromRecords } from '../../src/index.ts';

const engines = [pickEngine('auto'), pickEngine('js')];

/** x from 0 to 9, z from 10 to 19 on a spline, w from 0 to 9 in bins, a category; some numbers missing */
const rows = Array.from({ length: 60 }, (_, i) => ({
  x: i % 7 === 6 ? null : i % 10,
  z: 10 + ((i * 3) % 10),
  w: (i * 7) % 10,
  c: i % 3 ? 'a' : 'b',
  plain: (i % 10) / 10,
  y: (i * 13) % 11 > 5 ? 'yes' : 'no',
}));
const { model } = fitTable(tableFromRecords(rows), {
  target: 'y',
  schema: {
    features: [
      { name: 'x', kind: 'numeric', missing: 'slot' },
      { name: 'z', kind: 'numeric', spline: 3 },
      { name: 'w', kind: 'numeric', bins: 3 },
      { name: 'c', kind: 'categorical' },
      { name: 'plain', kind: 'numeric' },
    ],
  },
});

const inside = { x: 4, z: 12, w: 5, c: 'a', plain: 0.5 };
const CASES: [string, Record<string, unknown>, outOfRange: number, defaulted: number][] = [
  ['all as in training', inside, 0, 0],
  ['the ends', { ...inside, x: 9, z: 19, plain: 0 }, 0, 0],
  ['a little above', { ...inside, plain: 0.9000000000000001 }, 1, 0],
  ['far below', { ...inside, plain: -1e30 }, 1, 0],
  ['with an indicator', { ...inside, x: 1000 }, 1, 0],
  ['on a spline', { ...inside, z: 9.99 }, 1, 0],
  ['several', { ...inside, x: -1, z: 20, plain: 7n }, 3, 0],
  ['a missing number is a default', { ...inside, x: null, plain: 1 }, 1, 1],
  ['bins clip, which is a default', { ...inside, w: 100 }, 0, 1],
];

test.each(CASES)('numbers beyond the range of training are counted: %s', (_, record, outside, defaults) => {
  const expected = { outOfRange: outside / 5, defaulted: defaults / 5 };
  expect(model.score(record)).toMatchObject(expected);
  expect(loadModel(saveModel(model)).score(record)).toMatchObject(expected);
  for (const engine of engines) {
    for (const precision of ['f64', 'f32'] as const) {
      const scorer = model.scorer(engine, { precision, capacity: 2 });
      const scores = scorer.score(tableFromRecords([inside, inside, record, inside]));
      expect([...scores.outOfRange]).toEqual([0, 0, expected.outOfRange, 0]);
      expect([...scores.defaulted]).toEqual([0, 0, expected.defaulted, 0]);
      scorer.free();
    }
  }
});

test('a record of any other shape is counted alike, more than twenty features as well', () => {
  const wide = Array.from({ length: 50 }, (_, i) =>
    Object.fromEntries([...Array.from({ length: 30 }, (_, j) => [`x${j}`, (i * (j + 3)) % 37]), ['y', i % 2]]),
  );
  const { model: many } = fitTable(tableFromRecords(wide), { target: 'y' });
  const far = Object.fromEntries(Array.from({ length: 30 }, (_, j) => [`x${j}`, j % 3 ? 1 : 99]));
  expect(many.score(far).outOfRange).toBe(10 / 30);
  expect(many.score(Object.create(far)).outOfRange).toBe(10 / 30);
});

test('ranges of the columns, and how many numbers lie beyond them', () => {
  expect(rangesOf(model)).toEqual([
    { column: 'x', min: 0, max: 9 },
    { column: 'z', min: 10, max: 19 },
    { column: 'w', min: 0, max: 9 },
    { column: 'plain', min: 0, max: 0.9 },
  ]);
  const table = tableFromRecords([inside, { ...inside, x: null, z: 1e6 }, { ...inside, x: 11, z: -5 }]);
  expect(countOutOfRange(model, table)).toEqual([
    { column: 'x', min: 0, max: 9, numbers: 2, below: 0, above: 1, least: 4, greatest: 11 },
    { column: 'z', min: 10, max: 19, numbers: 3, below: 1, above: 1, least: -5, greatest: 1e6 },
    { column: 'w', min: 0, max: 9, numbers: 3, below: 0, above: 0, least: 5, greatest: 5 },
    { column: 'plain', min: 0, max: 0.9, numbers: 3, below: 0, above: 0, least: 0.5, greatest: 0.5 },
  ]);
});
