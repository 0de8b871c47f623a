import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { diagnose } from '../../src/diagnose/doctor.ts';
import { tableFromRecords } from '../../src/encode/records.ts';
import { sliceTable } from '../../src/encode/split.ts';
import { saveModel } from '../../src/model/file.ts';
import { crossValidate } from '../../src/train/crossValidate.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import { outOfFold } from '../../src/train/outOfFold.ts';
import { fitPath } from '../../src/train/path.ts';
import { random } from './oracles.ts';

const next = random(41);
/** a record of a class with getters is one as well */
class Visit {
  readonly age = next() < 0.1 ? null : Math.floor(80 * next());
  readonly city = next() < 0.1 ? undefined : ['Bonn', 'Köln', 'Trier'][Math.floor(3 * next())];
  readonly member = next() < 0.5;
  readonly seen = new Date(Date.UTC(2001, Math.floor(12 * next()), 3));
  readonly tags = next() < 0.5 ? ['x', 'y'] : ['y'];
  readonly amount = BigInt(Math.floor(100 * next()));
  readonly y = next() < (this.member ? 0.7 : 0.3) ? 'yes' : 'no';
}
const records: readonly object[] = Array.from({ length: 160 }, () => new Visit());
const table = tableFromRecords(records);
const schema = {
  features: [
    { name: 'age', kind: 'numeric', spline: 3 },
    { name: 'city', kind: 'categorical' },
    { name: 'member', kind: 'boolean' },
    { name: 'seen', kind: 'date', parts: ['month'] },
    { name: 'tags', kind: 'tags' },
    { name: 'amount', kind: 'numeric' },
  ],
} as const;
const options = { target: 'y', schema, C: 0.5 } as const;

describe('records give the bits of their table', () => {
  it('fit', () => {
    const more = {
      calibrate: 'platt',
      decide: { by: 'fbeta', beta: 1 },
      review: { share: 0.1 },
      diagnose: true,
    } as const;
    const [a, b] = [records, table].map((data) => fitTable(data, { ...options, ...more }));
    expect(saveModel(a.model)).toEqual(saveModel(b.model));
    expect(a.warnings).toEqual(b.warnings);
    expect(a.outOfFold).toEqual(b.outOfFold);
    const inferred = { ...options, C: undefined, penalty: 'none', inference: { covariance: 'robust' } } as const;
    expect(saveModel(fitTable(records, inferred).model)).toEqual(saveModel(fitTable(table, inferred).model));
  });

  it('fitPath and crossValidate', () => {
    const path = { target: 'y', schema, l1Ratio: 0.5, count: 5 } as const;
    const [a, b] = [records, table].map((data) => fitPath(data, path));
    expect([a.steps, a.warnings]).toEqual([b.steps, b.warnings]);
    expect(saveModel(a.model(3))).toEqual(saveModel(b.model(3)));
    const [{ model, ...p }, { model: other, ...q }] = [records, table].map((data) =>
      crossValidate(data, { ...path, folds: 3, rule: '1se' }),
    );
    expect(p).toEqual(q);
    expect(saveModel(model)).toEqual(saveModel(other));
  });

  it('outOfFold and diagnose', () => {
    const folding = { folds: 3, time: 'seen' } as const;
    const own = { target: 'y', exclude: ['tags'], folding } as const;
    expect(outOfFold(records, own)).toEqual(outOfFold(table, own));
    const findings = diagnose(records, { target: 'y', schema });
    expect(findings).toEqual(diagnose(table, { target: 'y', schema }));
  });

  it('scoreTable, which needs the fields of the model alone', () => {
    const { model } = fitTable(table, options);
    const features = records.map((record) => {
      const { y: _, ...rest } = record as Visit;
      return { note: 'of another record', ...rest };
    });
    for (const engine of [pickEngine('js'), pickEngine()])
      for (const precision of ['f64', 'f32'] as const) {
        const expected = model.scoreTable(table, { engine, precision });
        expect(model.scoreTable(records, { engine, precision })).toEqual(expected);
        expect(model.scoreTable(features, { engine, precision })).toEqual(expected);
      }
    expect(model.scoreTable(records)).toEqual(model.scoreTable(table));
    // rows alone differ from their batch in nothing
    records.slice(0, 30).forEach((record, i) => {
      expect(model.scoreTable([record])).toEqual(model.scoreTable(sliceTable(table, i, i + 1)));
    });
    expect(model.scoreTable([])).toMatchObject({ rows: 0 });
  });

  it('an offset is read too', () => {
    const exposed = records.map((record, i) => ({ ...record, exposure: i / 160 }));
    const { model } = fitTable(exposed, { ...options, offset: 'exposure' });
    expect(saveModel(model)).toEqual(
      saveModel(fitTable(tableFromRecords(exposed), { ...options, offset: 'exposure' }).model),
    );
    expect(model.scoreTable(exposed)).toEqual(model.scoreTable(tableFromRecords(exposed)));
  });
});

describe('what are no records is refused', () => {
  const calls: [string, (data: never) => unknown][] = [
    ['fit', (data) => fitTable(data, options)],
    ['fitPath', (data) => fitPath(data, { target: 'y' })],
    ['crossValidate', (data) => crossValidate(data, { target: 'y' })],
    ['outOfFold', (data) => outOfFold(data, options)],
    ['diagnose', (data) => diagnose(data, { target: 'y' })],
    ['scoreTable', (data) => fitTable(table, options).model.scoreTable(data)],
  ];
  it.each(calls)('%s', (_, call) => {
    const refused = (code: string, message: RegExp) =>
      expect.objectContaining({ code, message: expect.stringMatching(message) });
    expect(() => call([...records, null] as never)).toThrow(
      refused('ERR_RECORD', /^record 160 \(from 0\): expected an object/),
    );
    const { y: __, age: ___, ...less } = records[0] as Visit;
    expect(() => call([records[0], less] as never)).toThrow(refused('ERR_SCHEMA', /^record 1 \(from 0\): /));
    for (const wrong of [null, undefined, 3, 'rows', {}, new Set(records)])
      expect(() => call(wrong as never)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_/) }));
  });
});
