import { expect, test } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import type { DeclaredFeature } from '../../src/encode/declare.ts';
import { sliceTable } from '../../src/encode/split.ts';
import { fit as fitTable, type Model, tableFromRecords } from '../../src/index.ts';

const rows = Array.from({ length: 60 }, (_, i) => ({
  y: Number((i * 37) % 11 > 5),
  region: ['north', 'south'][i % 2],
  tags: ['red', 'red,blue', 'blue'][i % 3],
  age: (i * 7) % 23,
}));
const train = (...features: DeclaredFeature[]): Model =>
  fitTable(tableFromRecords(rows), { target: 'y', schema: { features }, C: 1 }).model;
const plain = fitTable(tableFromRecords(rows, ['y', 'region', 'age']), { target: 'y', C: 1 }).model;
const base = { region: 'south', age: 3 };
const RULE = 'expected a string, finite number or boolean, got a value of type object';

test.each([
  ['plain', plain],
  ['target-encoded', train({ name: 'region', kind: 'categorical', encoding: 'target' })],
  ['hashed', train({ name: 'region', kind: 'categorical', encoding: 'hash', buckets: 8 })],
])('a list is no category of a record or table: %s', (_, model) => {
  for (const region of [['south'], [], ['south', 'north'], [null]]) {
    expect(() => model.score({ ...base, region })).toThrow(`record, field "region": ${RULE}`);
    expect(() => model.scoreTable(tableFromRecords([base, { ...base, region }]))).toThrow(
      `row 1 (from 0), column "region": ${RULE}`,
    );
  }
  // the text of a list is a text
  expect(() => model.score({ ...base, region: '["south"]' })).not.toThrow();
});

test('rows without a list are taken where others have one, and the list is named by its row', () => {
  const table = tableFromRecords(rows.map((row, i) => (i === 20 ? { ...row, region: ['south'] } : row)));
  expect(plain.scoreTable(sliceTable(table, 0, 20)).rows).toBe(20);
  const scorer = plain.scorer(pickEngine('js'), { capacity: 7 });
  expect(() => scorer.score(table, 100)).toThrow(`row 120 (from 0), column "region": ${RULE}`);
});

test('a list is no category of a training', () => {
  const table = tableFromRecords(rows.map((row, i) => (i === 4 ? { ...row, region: ['north'] } : row)));
  expect(() => fitTable(table, { target: 'y' })).toThrow(`row 4 (from 0), column "region": ${RULE}`);
});

test('a list is tags, and the words of its text', () => {
  for (const feature of [
    { name: 'tags', kind: 'tags' },
    { name: 'tags', kind: 'text', buckets: 8 },
  ] as const) {
    const model = train(feature);
    const record = { tags: ['red', 'blue'] };
    expect(model.score(record).logit).toBe(model.score({ tags: '["red","blue"]' }).logit);
    expect(model.scoreTable(tableFromRecords([record])).logits[0]).toBe(model.score(record).logit);
  }
});
