import { describe, expect, test } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import type { DeclaredFeature } from '../../src/encode/declare.ts';
import { fit as fitTable, loadModel, type Model, saveModel, tableFromRecords, whatIf } from '../../src/index.ts';

const DAY = 86_400_000;
const PARTS = ['month', 'weekday', 'epochDays', 'year'] as const;

/** One date in five days from 2019 to 2024, by what `write` makes of its milliseconds. */
const records = (write: (ms: number) => unknown) =>
  Array.from({ length: 400 }, (_, i) => {
    const ms = Date.UTC(2019, 0, 1) + i * 5 * DAY;
    return { when: write(ms), y: new Date(ms).getUTCMonth() < 6 !== (i % 9 === 0) ? 'a' : 'b' };
  });

function trained(write: (ms: number) => unknown, declared: Partial<DeclaredFeature> = {}): Model {
  const feature = { name: 'when', kind: 'date', parts: PARTS, ...declared } as DeclaredFeature;
  return fitTable(tableFromRecords(records(write)), { target: 'y', schema: { features: [feature] } }).model;
}

const iso = (ms: number) => new Date(ms).toISOString();
const scores = (model: Model, values: readonly unknown[]) => values.map((when) => model.score({ when }).logit);
const AT = Date.UTC(2024, 2, 12);

describe('numbers that stand for dates', () => {
  const model = trained(iso);

  test.each([
    ['milliseconds, the default', (ms: number) => ms, {}],
    ['milliseconds', (ms: number) => ms, { unit: 'ms' }],
    ['seconds', (ms: number) => ms / 1000, { unit: 's' }],
    ['text of seconds, as in CSV', (ms: number) => String(ms / 1000), { unit: 's' }],
    ['text of milliseconds', (ms: number) => String(ms), {}],
    ['text with an exponent', (ms: number) => (ms / 1000).toExponential(), { unit: 's' }],
  ] as const)('%s: the model of ISO dates, and its scores', (_, write, declared) => {
    const numbers = trained(write, declared);
    expect([...numbers.weights]).toEqual([...model.weights]);
    expect(scores(numbers, [write(AT), iso(AT), new Date(AT)])).toEqual(scores(model, [iso(AT), iso(AT), iso(AT)]));
    const loaded = loadModel(saveModel(numbers));
    expect(loaded.score({ when: write(AT) })).toEqual(model.score({ when: iso(AT) }));
    const table = tableFromRecords([{ when: write(AT) }]);
    expect(loaded.scorer(pickEngine('js')).score(table).logits[0]).toBe(model.score({ when: iso(AT) }).logit);
  });

  test('another unit, a year and digits of a date are refused: records and tables, whatever the unit of the model', () => {
    const inSeconds = trained((ms) => ms / 1000, { unit: 's' });
    const wrong: [Model, number[]][] = [
      [model, [1710201600, 2024, 202403, 20240312, 0, 1, -1, 1710201600e6, 20240312120000, 8e12, -4e12]],
      [inSeconds, [1710201600000, 2024, 202403, 20240312, 0, 20240312120000, 8e9, -4e9]],
    ];
    for (const [one, values] of wrong) {
      for (const when of values) {
        const rule =
          /field "when": expected an ISO 8601 date such as "2024-05-03", or a number of (milli)?seconds 1 to/;
        expect([when, () => one.score({ when })][1]).toThrow(rule);
        expect(() => one.scoreTable(tableFromRecords([{ when }]))).toThrow(
          /row 0 \(from 0\), column "when": expected an/,
        );
      }
    }
    for (const text of ['1710201600', '1710201600s', ' 2024', '2024-3-12', '0x18e30000000', '1e999', '-'])
      expect(() => model.score({ when: text })).toThrow('field "when": expected an ISO 8601 date');
    expect(() => inSeconds.score({ when: '20240312' })).toThrow('field "when": expected an ISO 8601 date');
  });

  test('in training too, with the row', () => {
    expect(() => trained((ms) => ms / 1000)).toThrow('row 0 (from 0), column "when": expected an ISO 8601 date');
    expect(() => trained((ms) => ms / 1000, { unit: 'ms' })).toThrow('row 0 (from 0), column "when"');
    expect(() => trained((ms) => ms, { unit: 's' })).toThrow('row 0 (from 0), column "when"');
    expect(() => trained((ms) => Number(iso(ms).slice(0, 10).replaceAll('-', '')))).toThrow('row 0 (from 0)');
    // one that strayed in
    expect(() => trained((ms) => (ms === Date.UTC(2019, 0, 31) ? ms / 1000 : ms), { unit: 'ms' })).toThrow(
      'row 6 (from 0), column "when"',
    );
  });

  test('times within a year of 1970 are dates where training surrounds that year, and the unit is said', () => {
    const born = (ms: number) => (ms - Date.UTC(2019, 0, 1)) * 10 + Date.UTC(1940, 0, 1);
    expect(born(Date.UTC(2024, 0, 1))).toBeGreaterThan(Date.UTC(1985, 0, 1));
    const model = trained(born, { unit: 'ms' });
    expect(model.score({ when: DAY })).toEqual(model.score({ when: '1970-01-02' }));
    expect(() => trained(born)).toThrow('column "when": expected an ISO 8601 date');
    const texts = trained((ms) => iso(born(ms)));
    expect(() => texts.score({ when: 20240312 })).toThrow('field "when"');
  });

  test('a model without a unit and without dates reads milliseconds', () => {
    const { manifest } = model;
    const features = manifest.schema.features.map((feature) => {
      const { dates, ...older } = feature as { dates?: unknown };
      expect(dates).toEqual([Date.UTC(2019, 0, 1), Date.UTC(2019, 0, 1) + 399 * 5 * DAY]);
      return older;
    });
    const older = loadModel(
      saveModel(Object.assign(Object.create(model), { manifest: { ...manifest, schema: { features } } })),
    );
    expect(scores(older, [AT, iso(AT)])).toEqual(scores(model, [AT, AT]));
    for (const when of [1710201600, 2024, 20240312]) expect(() => older.score({ when })).toThrow('field "when"');
  });

  test('a unit is one of two, and of dates only', () => {
    expect(() => trained(iso, { unit: 'us' } as never)).toThrow('field "unit": expected one of "ms", "s", got "us"');
    expect(() => trained(iso, { kind: 'numeric', parts: undefined, unit: 's' } as never)).toThrow(
      'expected no field "unit" without a part of dates',
    );
  });

  test('the range of training leaves out rows of weight 0', () => {
    const rows = records((ms) => ms).map((row, i) => ({ ...row, s: i < 100 ? 0 : 1 }));
    const schema = { features: [{ name: 'when', kind: 'date', parts: ['month'] }] } as const;
    const { model } = fitTable(tableFromRecords(rows), { target: 'y', weight: 's', schema });
    expect(model.manifest.schema.features[0]).toMatchObject({ dates: [rows[100].when, rows[399].when] });
  });

  test('what-if searches dates in the form that the record has', () => {
    const inSeconds = trained((ms) => String(ms / 1000), { unit: 's', parts: ['month'] });
    const found = whatIf(trained(iso, { parts: ['month'] } as never), { when: iso(AT).slice(0, 10) }, 'when');
    const to = Date.parse(found.to as string) / 1000;
    expect(whatIf(inSeconds, { when: AT / 1000 }, 'when').to).toBe(to);
    expect(whatIf(inSeconds, { when: String(AT / 1000) }, 'when').to).toBe(String(to));
  });
});
