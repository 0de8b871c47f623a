import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import type { Schema } from '../../src/encode/schema.ts';
import { fit as fitTable, Model, tableFromRecords } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { allStages } from '../../src/stages.ts';
import { manifestOf, smallModel } from './parts.ts';

const engines = [pickEngine('auto'), pickEngine('js')];

/** Greatest difference of a probability in f32 from that in f64, both engines the same bits; null: f32 is refused. */
function difference(model: Model, records: readonly Record<string, unknown>[]): number | null {
  const table = tableFromRecords(records);
  const exact = model.scorer(engines[0]).score(table).probabilities.slice();
  const found = engines.map((engine) => {
    try {
      const scorer = model.scorer(engine, { precision: 'f32' });
      const probabilities = scorer.score(table).probabilities.slice();
      scorer.free();
      return probabilities;
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_RANGE', message: expect.stringContaining('"f32"') });
      return null;
    }
  });
  expect(found[1]).toEqual(found[0]);
  return found[0] && Math.max(...Array.from(found[0], (p, i) => Math.abs(p - exact[i])));
}

/** n rows whose number is scale·u + shift, u of −2 to 2, and a label that follows u */
function rowsOf(scale: number, shift: number, n = 200) {
  const random = splitmix32(7);
  return Array.from({ length: n }, () => {
    const u = 4 * random() - 2;
    return { x: shift + scale * u, other: random(), y: random() < 1 / (1 + Math.exp(-3 * u)) ? 1 : 0 };
  });
}

describe('scoring in f32', () => {
  test.each([
    ['p-values of 1e-50', 1e-50, 0],
    ['numbers of 1e-300', 1e-300, 0],
    ['numbers of 1e60', 1e60, 0],
    ['times in milliseconds', 3.6e6, 1.7e12],
    ['times in nanoseconds', 1e15, 1.7e18],
    ['years of a decade', 3, 2020],
    ['subnormal weights', 1e39 / 4, 0],
  ])('is that of f64 to 1e-6 for %s', (_, scale, shift) => {
    const rows = rowsOf(scale, shift);
    const { model } = fitTable(tableFromRecords(rows), { target: 'y', C: 100 });
    expect(difference(model, rows)).toBeLessThan(1e-6);
  });

  test('weights that cancel each other are refused by the name of the feature', () => {
    const number = { kind: 'numeric', mean: 0.5, scale: 0.3, min: 0, max: 1, indicator: false } as const;
    const schema: Schema = {
      features: [
        { name: 'u', ...number },
        { name: 'twin', ...number },
      ],
    };
    const model = (weight: number) =>
      new Model({
        manifest: manifestOf(schema),
        weights: Float64Array.of(1, 1 - weight),
        intercept: Float64Array.of(0),
        covariance: null,
        stages: allStages,
      });
    expect(() => model(1e7).scorer(engines[0], { precision: 'f32' })).toThrow(
      expect.objectContaining({
        code: 'ERR_RANGE',
        message: expect.stringMatching(/expected "f64", got "f32".* at feature "twin"; score in f64/),
      }),
    );
    expect(() => model(10).scorer(engines[0], { precision: 'f32' }).free()).not.toThrow();
  });

  test('of any scale and shift is that of f64 to 1e-4, or refused', () => {
    const exponent = fc.integer({ min: -290, max: 290 });
    fc.assert(
      fc.property(exponent, fc.integer({ min: -3, max: 7 }), fc.boolean(), (scale, far, negative) => {
        const shift = far < 0 ? 0 : (negative ? -1 : 1) * 10 ** Math.min(scale + far, 300);
        const rows = rowsOf(10 ** scale, shift, 60);
        const { model } = fitTable(tableFromRecords(rows), { target: 'y', C: 10 });
        const most = difference(model, rows);
        if (most !== null) expect(most).toBeLessThan(1e-4);
      }),
      { numRuns: 150, seed: 11 },
    );
  });

  test('of several classes, splines and bins of times', () => {
    const random = splitmix32(5);
    const rows = Array.from({ length: 300 }, () => {
      const at = 1.7e12 + 1e9 * random();
      return { at, again: at, y: 'abc'[Math.floor(3 * ((at - 1.7e12) / 1e9) ** 2 + random() / 2) % 3] };
    });
    const { model } = fitTable(tableFromRecords(rows), {
      target: 'y',
      schema: {
        features: [
          { name: 'at', kind: 'numeric' },
          { name: 'again', kind: 'numeric', spline: 4 },
        ],
      },
    });
    const most = difference(model, rows);
    expect(most === null || most < 1e-4).toBe(true);
  });

  test('rounds raw cells of ordinary models: the bits stay', () => {
    const scorer = smallModel().scorer(engines[0], { precision: 'f32' });
    const { logits } = scorer.score(tableFromRecords([{ age: 44.1, city: 'Köln' }]));
    const raw = Math.fround(Math.fround(-10 + Math.fround(Math.fround(44.1) * 0.25)) + 2);
    expect(logits[0]).toBe(raw);
  });
});
