import { describe, expect, test } from 'vitest';
import { type Compared, diffModels as diffBuilt } from '../../registry/src/diff.ts';
import { coefficients, type Declaration, type FitOptions, fit, type Model, tableFromRecords } from '../../src/index.ts';

/** The registry knows the library by its build. */
const diffModels = (a: Model, b: Model, more: Partial<Compared>[] = []) =>
  diffBuilt({ model: a, ...more[0] } as unknown as Compared, { model: b, ...more[1] } as unknown as Compared);

const records = Array.from({ length: 400 }, (_, k) => {
  const x = ((k * 37) % 100) / 10;
  const group = ['north', 'south', 'west'][k % 3];
  const z = 0.5 * (x - 5) + (group === 'south' ? 1 : 0) + (((k * 7919) % 1000) / 500 - 1) * 2;
  return { x, w: (k * 13) % 50, group, y: z > 0 ? 1 : 0 };
});
const trained = (rows: readonly object[], options: Partial<FitOptions> & { schema?: Declaration } = {}): Model =>
  fit(tableFromRecords(rows as Record<string, unknown>[]), { target: 'y', ...options } as FitOptions).model as Model;
const NONE = { penalty: 'none', inference: true } as const;
const without = (name: string) =>
  records
    .map((record) => ({ ...record, [name]: undefined }))
    .map(({ ...record }) => {
      delete (record as Record<string, unknown>)[name];
      return record;
    });

describe('diffModels', () => {
  test('of a model and itself finds nothing', () => {
    const model = trained(records);
    const found = diffModels(model, model);
    expect(found).toMatchObject({ isSame: true, sentence: 'Nothing that scores has changed.', independence: null });
    expect(found.coefficients.every(({ difference }) => difference === 0)).toBe(true);
    expect(found.settings).toEqual([]);
  });

  test('differences have the error of independent fits, and one scale', () => {
    const a = trained(records.slice(0, 200), NONE);
    const b = trained(records.slice(200), NONE);
    const found = diffModels(a, b);
    const of = (model: Model) => coefficients(model).find(({ feature }) => feature === 'x')!;
    const line = found.coefficients.find(({ feature }) => feature === 'x')!;
    const [one, other] = [of(a), of(b)];
    expect(line.difference).toBe(other.value! - one.value!);
    expect(line.stdError).toBeCloseTo(Math.sqrt(one.stdError! ** 2 + other.stdError! ** 2), 14);
    expect(line.z).toBeCloseTo(line.difference / line.stdError!, 14);
    expect(line.oddsRatioB).toBe(other.oddsRatio);
    // the standard deviation of x in the rows of a, by hand
    const xs = records.slice(0, 200).map(({ x }) => x);
    const mean = xs.reduce((sum, x) => sum + x, 0) / xs.length;
    const deviation = Math.sqrt(xs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / xs.length);
    expect(line.scale).toBeCloseTo(deviation, 10);
    expect(line.standardized!.difference).toBeCloseTo(line.difference * deviation, 10);
    // of a level √(p(1 − p))
    const south = found.coefficients.find(({ level }) => level === 'south')!;
    const p = records.slice(0, 200).filter(({ group }) => group === 'south').length / 200;
    expect(south.scale).toBeCloseTo(Math.sqrt(p * (1 - p)), 12);
    const sizes = found.coefficients.map(({ standardized }) => Math.abs(standardized?.difference ?? 0));
    expect(sizes).toEqual([...sizes].sort((s, t) => t - s));
  });

  test('says what the errors take for granted', () => {
    const model = trained(records, NONE);
    const lineage = (data: string) => ({ lineage: { data } });
    const said = (...data: string[]) => diffModels(model, model, data.map(lineage)).independence;
    expect(said()).toMatch(
      /take the fits as independent; where these share rows, they are too large \(conservative\); where entities recur/,
    );
    expect(said('a', 'a')).toMatch(/^Both models were trained on the same data, .* too large \(conservative\)/);
    expect(said('a', 'b')).toMatch(/^The training data differ; where they share rows/);
  });

  test('names features and levels that came and went, rules that changed, and settings', () => {
    const a = trained(without('w'), { C: 1 });
    const north = records.filter(({ group }) => group !== 'west');
    const b = trained(
      north.map(({ x: _, ...record }) => record),
      {
        C: 2,
        schema: {
          features: [
            { name: 'w', kind: 'numeric' },
            { name: 'group', kind: 'categorical', missing: 'error' },
          ],
        },
      },
    );
    const found = diffModels(a, b);
    expect(found.schema).toMatchObject({ added: ['w'], removed: ['x'] });
    expect(found.schema.changed).toEqual([
      {
        feature: 'group',
        rules: expect.arrayContaining([{ field: 'missing', from: 'slot', to: 'error' }]),
        addedLevels: [],
        removedLevels: ['west'],
      },
    ]);
    expect(found.settings.map(({ field }) => field)).toContain('objective.C');
    expect(found.sentence).toMatch(
      /^The feature w is new; the feature x is gone; the feature group is read otherwise; the weight of/,
    );
    // what a model does not have changes no logit
    const x = found.coefficients.find(({ feature }) => feature === 'x')!;
    expect([x.b, x.oddsRatioB, x.difference]).toEqual([null, null, -x.a!]);
    expect(x.scale).toBeGreaterThan(0);
  });

  test('names threshold, calibration and metrics', () => {
    const a = trained(records);
    const b = trained(records, { calibrate: 'platt', decide: { threshold: 0.3 } });
    const found = diffModels(a, b, [{ metrics: { auc: 0.7, old: 1 } }, { metrics: { auc: 0.75 } }]);
    expect(found.isSame).toBe(false);
    expect(found.sentence).toBe('The calibration is platt instead of none; the threshold went from 0.5 to 0.3.');
    expect(found.metrics).toEqual([
      { metric: 'auc', a: 0.7, b: 0.75, difference: 0.75 - 0.7 },
      { metric: 'old', a: 1, b: null, difference: null },
    ]);
  });

  test('of other classes compares no weights', () => {
    const b = trained(records.map((record) => ({ ...record, y: record.y === 1 ? 'yes' : 'no' })));
    expect(diffModels(trained(records), b).sentence).toMatch(
      /^The classes are no, yes instead of 0, 1, so coefficients do not compare\.$/,
    );
  });
});
