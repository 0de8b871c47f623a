import { describe, expect, it } from 'vitest';
import { interval } from '../../src/explain/interval.ts';
import { reasons } from '../../src/explain/reasons.ts';
import { inputType } from '../../src/model/fields.ts';
import { calibrate } from '../../src/train/calibrated.ts';
import { crossValidate } from '../../src/train/crossValidate.ts';
import { fit } from '../../src/train/fit.ts';
import { outOfFold } from '../../src/train/outOfFold.ts';

const rows = Array.from({ length: 120 }, (_, i) => ({
  y: (i * 7) % 11 > 5 ? 'yes' : 'no',
  a: Math.sin(i),
  g: 'abcd'[(i * 5) % 4],
  three: 'xyz'[(i * 13) % 3],
}));

describe('a model keeps nothing of its caller', () => {
  it('declarations, costs, bands and calibrations are copied', () => {
    const schema = {
      features: [
        { name: 'a', kind: 'numeric', bins: [-1, 0, 1] },
        { name: 'g', kind: 'categorical', levels: ['a', 'b', 'c', 'd'] },
      ],
      others: 'drop',
    } as const;
    const declared = structuredClone(schema) as unknown as { features: { bins?: number[]; levels?: string[] }[] };
    const { model } = fit(rows, { target: 'y', schema: declared as never });
    const before = model.score(rows[0]);
    declared.features[0].bins![1] = 0.9;
    declared.features[1].levels!.reverse();
    expect(model.score(rows[0])).toEqual(before);

    const costs = [
      [0, 1, 1],
      [5, 0, 1],
      [1, 1, 0],
    ];
    const several = fit(rows, { target: 'three', features: ['a', 'g'], decide: { by: 'cost', costs } }).model;
    costs[0] = [9, 0, 0];
    expect(several.manifest.decision.costs?.[0]).toEqual([0, 1, 1]);

    const band = { low: 0.1, high: 0.4 };
    const careful = model.with({ review: band });
    band.low = 0.3;
    expect(careful.manifest.decision.abstain).toEqual({ low: 0.1, high: 0.4 });
    careful.weights[0] = 1e9;
    expect(model.score(rows[0])).toEqual(before);
  });

  it('another decision keeps the band', () => {
    const { model } = fit(rows, { target: 'y', features: ['a', 'g'], review: { low: 0.2, high: 0.4 } });
    expect(model.with({ decision: { threshold: 0.3 } }).manifest.decision).toEqual({
      threshold: 0.3,
      abstain: { low: 0.2, high: 0.4 },
    });
    expect(model.with({ review: null }).manifest.decision).toEqual({ threshold: 0.5 });
  });
});

describe('records', () => {
  const loaded = rows.map((row) => ({ ...row, meta: { deep: 1 } }));
  it('may have fields that nobody reads, of any kind', () => {
    const plain = fit(rows, { target: 'y', features: ['a', 'g'] }).model.weights;
    for (const options of [{ features: ['a', 'g'] }, { exclude: ['meta', 'three'] }])
      expect(fit(loaded, { target: 'y', ...options }).model.weights).toEqual(plain);
    const schema = { features: [{ name: 'a', kind: 'numeric' }], others: 'drop' } as const;
    expect(fit(loaded, { target: 'y', schema }).model.fields.map(({ name }) => name)).toEqual(['a']);
    const folding = { folds: 3, groups: 'g' };
    expect(outOfFold(loaded, { target: 'y', features: ['a'], folding }).folds).toBe(3);
    expect(crossValidate(loaded, { target: 'y', features: ['a'], folds: 3, groups: 'g', count: 3 }).steps).toHaveLength(
      3,
    );
    expect(() => fit(loaded, { target: 'y' })).toThrow(/column "meta"/);
  });

  it('a list is no label', () => {
    const dirty = rows.map((row, i) => (i === 5 ? { ...row, y: ['yes'] } : row));
    expect(() => fit(dirty, { target: 'y', features: ['a'] })).toThrow(
      /row 5 \(from 0\), column "y": expected a string/,
    );
  });
});

describe('what is no option', () => {
  it.each([
    [() => fit(rows, {} as never), 'target: expected the name of a column, got nothing'],
    [() => fit(rows, { target: 'y', prior: null } as never), 'prior: expected a share'],
    [() => crossValidate(rows, undefined as never), 'crossValidate: expected an object of options'],
  ])('%#', (run, message) => {
    expect(run).toThrow(message);
  });

  it('one-vs-rest says that it has no standard errors', () => {
    const options = { target: 'three', features: ['a'], multiclass: 'ovr', penalty: 'none', inference: true } as const;
    expect(fit(rows, options).warnings.map(({ code }) => code)).toContain('INFERENCE_UNAVAILABLE');
  });
});

describe('what is no model, prior, record or name of a type', () => {
  const { model } = fit(rows, { target: 'y', features: ['a', 'g'], penalty: 'none', inference: true });
  it.each([
    [() => calibrate({ manifest: model.manifest } as never, rows, { method: 'platt' }), 'calibrate: expected a model'],
    [() => calibrate(model, rows, { method: 'platt', prior: null } as never), 'prior: expected a share'],
    [() => interval(model, null as never), 'record: expected an object'],
    [() => inputType(model, 'a b'), 'name: expected the name of a type, got "a b"'],
  ])('%#', (run, message) => {
    expect(run).toThrow(message);
  });

  it('reasons take no options', () => {
    expect(reasons(model, rows[0], null as never)).toEqual(reasons(model, rows[0]));
  });
});
