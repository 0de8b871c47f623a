import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exp } from '../../bindings/js/math.ts';
import type { Declaration } from '../../src/encode/declare.ts';
import { fit as fitTable, tableFromRecords } from '../../src/index.ts';
import { twoSidedP } from '../../src/math/normal.ts';
import { coefficients } from '../../src/model/coefficients.ts';
import { classModel, smallCovariance, smallModel, smallSchema } from './parts.ts';

const load = (path: string) => JSON.parse(readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8'));

describe('coefficients', () => {
  test('lists the intercept, then what was estimated', () => {
    const lines = coefficients(smallModel({}, { covariance: smallCovariance() }));
    expect(lines.map(({ feature, level, value, stdError }) => [feature, level, value, stdError])).toEqual([
      ['(intercept)', null, -10, 2],
      ['age', null, 0.25, 0.1],
      ['age', '(missing)', -1.5, 0.5],
      ['city', 'Köln', 2, 1],
    ]);
  });

  test('z, p, interval and odds ratio, worked by hand', () => {
    const [, , , koeln] = coefficients(smallModel({}, { covariance: smallCovariance() }));
    expect(koeln).toMatchObject({ class: 'yes', z: 2, ciLow: 2 - 1.959963984540054, ciHigh: 2 + 1.959963984540054 });
    expect(koeln.oddsRatio).toBeCloseTo(7.38905609893065, 13);
    expect(koeln.p).toBeCloseTo(0.04550026389635842, 15);
  });

  test('odds ratios have the bits of the exponential of every runtime', () => {
    // weights at which the exponentials of JavaScript engines differ
    for (const value of [0.37, 0.39, 0.41, 1, 1.15]) {
      expect(coefficients(smallModel({}, { weights: new Float64Array(7).fill(value) }))[1].oddsRatio).toBe(exp(value));
    }
  });

  test('buckets that no training row has are not listed', () => {
    const table = tableFromRecords(
      Array.from({ length: 60 }, (_, i) => ({
        shop: `shop ${i % 3}`,
        note: `word${i % 4} all`,
        y: i % 5 < 2 ? 'no' : 'yes',
      })),
    );
    const schema: Declaration = {
      features: [
        { name: 'shop', kind: 'categorical', encoding: 'hash', buckets: 512 },
        { name: 'note', kind: 'text', buckets: 512 },
      ],
    };
    const { model } = fitTable(table, { target: 'y', schema });
    const count = (name: string) => coefficients(model).filter(({ feature }) => feature === name).length;
    expect([count('shop'), count('note')]).toEqual([3, 5]);
  });

  test('a bucket of two words that cancel is listed with its weight', () => {
    const table = tableFromRecords(
      Array.from({ length: 400 }, (_, i) => ({
        note: i % 2 === 0 ? 'cat' : 'dog',
        y: (i * 7) % 10 < (i % 2 === 0 ? 7 : 3) ? 'yes' : 'no',
      })),
    );
    const { model } = fitTable(table, {
      target: 'y',
      schema: { features: [{ name: 'note', kind: 'text', buckets: 2 }] },
    });
    expect(model.manifest.schema.features[0]).toMatchObject({ means: [0, 0], scales: [1, 1] });
    expect(coefficients(model).map(({ level, value }) => [level, value])).toEqual([
      [null, model.intercept[0]],
      ['#1', model.weights[1]],
    ]);
  });

  test('the slot of missing categories is listed when training had some', () => {
    const [age, city] = smallSchema.features;
    const schema = { features: [age, { ...city, counts: [60, 40, 3] }] } as typeof smallSchema;
    expect(coefficients(smallModel({ schema })).map(({ feature, level }) => [feature, level])).toContainEqual([
      'city',
      '(missing)',
    ]);
  });

  test('without inference there are values only', () => {
    expect(coefficients(smallModel())[1]).toEqual({
      class: 'yes',
      feature: 'age',
      level: null,
      value: 0.25,
      stdError: null,
      z: null,
      p: null,
      ciLow: null,
      ciHigh: null,
      oddsRatio: exp(0.25),
    });
  });

  test('what could not be estimated has no figures', () => {
    const [intercept, age] = coefficients(smallModel({ aliased: [0, 7] }, { covariance: smallCovariance() }));
    for (const line of [intercept, age]) {
      expect(line).toMatchObject({
        value: null,
        stdError: null,
        z: null,
        p: null,
        ciLow: null,
        ciHigh: null,
        oddsRatio: null,
      });
    }
  });
});

describe('coefficients of three classes', () => {
  const covariance = new Float64Array(24 * 24);
  for (let i = 0; i < 24; i++)
    covariance[25 * i] = [0.01, 0, 0.25, 0, 1, 0, 0, 4][i % 8] * (1 + Math.floor(i / 8)) ** 2;
  const seen = (model: ReturnType<typeof classModel>) =>
    coefficients(model).map(({ class: name, feature, level, value, stdError }) => [
      name,
      feature,
      level,
      value,
      stdError,
    ]);

  test('the lines of each class, in order', () => {
    expect(seen(classModel({}, { covariance }))).toEqual([
      ['bike', '(intercept)', null, 9, 2],
      ['bike', 'age', null, -0.25, 0.1],
      ['bike', 'age', '(missing)', 0.5, 0.5],
      ['bike', 'city', 'Köln', 1, 1],
      ['bus', '(intercept)', null, -5, 4],
      ['bus', 'age', null, 0.125, 0.2],
      ['bus', 'age', '(missing)', -1.5, 1],
      ['bus', 'city', 'Köln', -2, 2],
      ['car', '(intercept)', null, -10.5, 6],
      ['car', 'age', null, 0.25, 0.3],
      ['car', 'age', '(missing)', 1, 1.5],
      ['car', 'city', 'Köln', 0.5, 3],
    ]);
  });

  test('none of the reference class', () => {
    expect(seen(classModel({ reference: 'bus' })).map(([name]) => name)).toEqual([
      ...Array(4).fill('bike'),
      ...Array(4).fill('car'),
    ]);
  });

  test('what could not be estimated is of one class', () => {
    const lines = seen(classModel({ aliased: [8, 23] }));
    expect(lines.filter(([, , , value]) => value === null)).toEqual([
      ['bus', 'age', null, null, null],
      ['car', '(intercept)', null, null, null],
    ]);
  });
});

describe('twoSidedP', () => {
  test('agrees with mpmath to 2e-14 relative down to 1e-307', () => {
    const { points } = load('normal.json') as { points: [number, number][] };
    expect(points.length).toBeGreaterThan(590);
    for (const [z, p] of points) {
      // the sums carry some roundings of 1e-16, larger by 1/p where the body is 1 − …
      expect(Math.abs(twoSidedP(z) - p) / p, `z = ${z}`).toBeLessThan(2e-14);
      expect(twoSidedP(-z)).toBe(twoSidedP(z));
    }
  });

  test("agrees with R's z and p of every fixture fit", () => {
    const fits = Object.values(load('oracles/expected_glm.json')) as { z?: unknown; p?: unknown }[];
    const flat = (value: unknown): number[] => (Array.isArray(value) ? value.flat(2) : []) as number[];
    let count = 0;
    for (const fit of fits) {
      const p = flat(fit.p);
      flat(fit.z).forEach((z, i) => {
        if (!(p[i] > 1e-300)) return;
        count++;
        // R prints 15 digits of z: p moves by z² times that
        expect(Math.abs(twoSidedP(z) - p[i]) / p[i], `z = ${z}`).toBeLessThan(1e-14 * Math.max(1, z * z));
      });
    }
    expect(count).toBeGreaterThan(30);
  });

  test('decreases, is 1 at 0, 0 in the far tail, NaN for NaN', () => {
    expect(twoSidedP(0)).toBe(1);
    expect([39, 1e9, Number.NEGATIVE_INFINITY].map(twoSidedP)).toEqual([0, 0, 0]);
    expect(twoSidedP(Number.NaN)).toBeNaN();
    let last = 1;
    for (let z = 0.001; z < 38; z += 0.001) {
      const p = twoSidedP(z);
      expect(p < last, `z = ${z}`).toBe(true);
      last = p;
    }
  });
});
