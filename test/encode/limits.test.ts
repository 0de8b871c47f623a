import { describe, expect, test } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import type { DeclaredFeature } from '../../src/encode/declare.ts';
import {
  explain,
  fit as fitTable,
  loadModel,
  type Model,
  reasons,
  saveModel,
  tableFromRecords,
  whatIf,
} from '../../src/index.ts';

const rows = Array.from({ length: 60 }, (_, i) => ({
  y: Number((i * 37) % 11 > 5),
  tags: ['red', 'red,blue', 'blue'][i % 3],
  note: ['call me', 'late delivery'][i % 2],
  member: i % 4 === 0,
  age: (i * 7) % 23,
}));

const train = (...features: DeclaredFeature[]): Model =>
  fitTable(tableFromRecords(rows), { target: 'y', schema: { features }, C: 1 }).model;

const tags = (more = {}) => train({ name: 'tags', kind: 'tags', ...more });
const note = (more = {}) => train({ name: 'note', kind: 'text', buckets: 8, ...more });

describe('the length of a text, and of a list of tags', () => {
  const MOST = 2 ** 20;

  test('is bounded: what is longer is refused before it is read', () => {
    const text = 'ab '.repeat(35e6);
    const list = new Array(1e8);
    const begin = process.cpuUsage();
    for (const value of [text, list, [text], ['a', text]]) {
      expect(() => tags().score({ tags: value })).toThrow(
        `record, field "tags": expected at most ${MOST} characters, separators of a list counted, got`,
      );
      expect(() => note().score({ note: value })).toThrow('record, field "note": expected at most 1048576 characters');
    }
    expect(() => tags().score({ tags: new Array(MOST).fill('red') })).toThrow('expected at most 1048576 characters');
    // reading 100 MB takes ten seconds and more
    expect(process.cpuUsage(begin).user).toBeLessThan(5e6);
  });

  test('is that of the schema, in records, in tables, in training and in the file', () => {
    for (const model of [tags({ maxText: 8 }), loadModel(saveModel(tags({ maxText: 8 })))]) {
      for (const value of ['red,blue', ['red', 'blue'].slice(0, 1), ['red', 'bl'], 'blue'])
        expect(model.score({ tags: value }).logit).toBeTypeOf('number');
      for (const value of ['red, blue', ['red', 'blue'], new Array(9)])
        expect(() => model.score({ tags: value })).toThrow('field "tags": expected at most 8 characters');
      const scorer = model.scorer(pickEngine('js'));
      const table = tableFromRecords([{ tags: 'red' }, { tags: null }, { tags: 'red, blue' }]);
      expect(() => scorer.score(table)).toThrow('row 2 (from 0), column "tags": expected at most 8 characters');
    }
    expect(() => tags({ maxText: 7 })).toThrow(
      'row 1 (from 0), column "tags": expected at most 7 characters, separators of a list counted, got text; shorten it, or train with a greater "maxText" in the schema',
    );
    expect(() => note({ maxText: 0 })).toThrow('field "maxText": expected a whole number from 1');
    const features = [{ ...tags({ maxText: 8 }).manifest.schema.features[0], maxText: 0.5 }];
    const forged = { ...tags().manifest, schema: { features } };
    expect(() => loadModel(saveModel(Object.assign(Object.create(tags()), { manifest: forged })))).toThrow(
      'expected a valid manifest.schema.features.0',
    );
  });
});

test('another spelling of a boolean is an unseen value, counted, and never the other level', () => {
  const model = train({ name: 'member', kind: 'boolean', unseen: 'slot' });
  const [yes, no] = [true, false].map((member) => model.score({ member }));
  expect([yes.defaulted, no.defaulted]).toEqual([0, 0]);
  expect(model.score({ member: 'true' })).toEqual(yes);
  for (const member of [1, 0, '1', 'yes', 'no', 'TRUE', 'True', ' true', 1n]) {
    const { logit, defaulted } = model.score({ member });
    expect([member, logit, defaulted]).toEqual([member, model.intercept[0], 1]);
    const { logits, defaulted: ofTable } = model.scoreTable(tableFromRecords([{ member }]));
    expect([member, logits[0], ofTable[0]]).toEqual([member, model.intercept[0], 1]);
  }
  const strict = train({ name: 'member', kind: 'boolean', unseen: 'error' });
  expect(() => strict.score({ member: 1 })).toThrow('field "member": expected one of the 2 levels seen in training');
});

test('explanations take interfaces and instances of classes', () => {
  interface Person {
    age: number;
    member: boolean;
  }
  class Lazy {
    #age = 7;
    member = true;
    get age(): number {
      return this.#age;
    }
  }
  const model = train({ name: 'age', kind: 'numeric' }, { name: 'member', kind: 'boolean' });
  const person: Person = { age: 7, member: true };
  expect(explain(model, new Lazy())).toEqual(explain(model, person));
  expect(reasons(model, new Lazy())).toEqual(reasons(model, person));
  expect(whatIf(model, new Lazy(), 'member')).toEqual(whatIf(model, person, 'member'));
  expect(whatIf(model, new Lazy(), 'age')).toEqual(whatIf(model, person, 'age'));
});
