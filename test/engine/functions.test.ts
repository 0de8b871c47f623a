import { describe, expect, test } from 'vitest';
import { type Precision, planeStride } from '../../bindings/layout.ts';
import { expectNear, expectWorking, thrown } from './checks.ts';
import { engines, numbers } from './engines.ts';
import { bits } from './kernels.ts';

const precisions: Precision[] = ['f64', 'f32'];

describe.each(engines)('%s', (_, make) => {
  describe.each(precisions)('%s', (precision) => {
    const round = precision === 'f32' ? Math.fround : (value: number) => value;
    const epsilon = precision === 'f32' ? 2 ** -23 : 2 ** -52;

    test('exp: exact where the result is, both ends, in place or not, as many as asked for', () => {
      const engine = make();
      const z = engine.vector(6, precision);
      const out = engine.vector(6, precision);
      z.view.set([0, -0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN, -1e6]);
      engine.exp(z, out);
      expect([...out.view]).toEqual([1, 1, 0, Number.POSITIVE_INFINITY, Number.NaN, 0]);
      engine.exp(z, z);
      expect(bits(z.view)).toEqual(bits(out.view));
      z.view[0] = 7;
      engine.exp(z, z, 0);
      expect(z.view[0]).toBe(7);
      z.view.fill(1);
      engine.exp(z, out, 4);
      // at most one unit off
      for (const value of out.view.subarray(0, 4)) expect(Math.abs(value - Math.E)).toBeLessThanOrEqual(2 * epsilon);
      expect(out.view[5]).toBe(0);
    });

    test('softplus: ln 2 at 0, z far to the right, exp(z) far to the left', () => {
      const engine = make();
      const z = engine.vector(8, precision);
      z.view.set([0, -0, 1e30, -1e30, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -80]);
      const out = engine.vector(8, precision);
      engine.softplus(z, out);
      const infinity = Number.POSITIVE_INFINITY;
      // mpmath, 60 digits: exp(−80)
      const tail = 1.8048513878454153e-35;
      expect(Math.abs(out.view[7] - tail)).toBeLessThanOrEqual(epsilon * tail);
      const ln2 = round(Math.LN2);
      expect([...out.view.subarray(0, 7)]).toEqual([ln2, ln2, round(1e30), 0, infinity, 0, Number.NaN]);
      engine.softplus(z, z);
      expect(bits(z.view)).toEqual(bits(out.view));
    });

    test('softplus(z) − softplus(−z) = z, and its slope is σ', () => {
      const engine = make();
      const x = Array.from({ length: 401 }, (_v, i) => round((i - 200) / 8));
      const [z, negative, p] = [0, 1, 2].map(() => engine.vector(401, precision));
      z.view.set(x);
      negative.view.set(x.map((value) => -value));
      engine.sigmoid(z, p);
      engine.softplus(z, z);
      engine.softplus(negative, negative);
      x.forEach((value, i) => {
        // each side is a unit or two off
        expect(Math.abs(z.view[i] - negative.view[i] - value)).toBeLessThanOrEqual(
          4 * epsilon * Math.max(1, z.view[i]),
        );
      });
      if (precision === 'f32') return;
      const h = 1e-3;
      const at = (by: number) => {
        const moved = engine.vector(401, precision);
        moved.view.set(x.map((value) => value + by * h));
        engine.softplus(moved, moved);
        return moved.view;
      };
      const [a, b, c, d] = [-2, -1, 1, 2].map(at);
      // the rule is off by h⁴·f⁽⁵⁾/30 < 1e-13, its differences by 2e-16 · 27 / h
      p.view.forEach((value, i) => {
        expect(Math.abs((a[i] - 8 * b[i] + 8 * c[i] - d[i]) / (12 * h) - value)).toBeLessThanOrEqual(2e-11);
      });
    });

    test('softmax worked by hand: three classes, three rows, in planes of four', () => {
      const engine = make();
      const z = engine.vector(11, precision);
      // row 0: ln of 1, 2, 5; row 1 equal; row 2 certain
      z.view.set([0, 300, 1e30, 0, Math.log(2), 300, -1e30, 0, Math.log(5), 300, 0]);
      engine.softmax(z, 3, 3);
      const p = z.view;
      const near = [p[0], p[4], p[8]];
      // the logits are logarithms rounded: half a unit of 1.6
      expectNear(near, [1 / 8, 2 / 8, 5 / 8], 2 * epsilon);
      expect([p[1], p[5], p[9]]).toEqual(new Array(3).fill(round(1 / 3)));
      expect([p[2], p[6], p[10]]).toEqual([1, 0, 0]);
    });

    test('softmax: sums to one, does not change when all logits move, follows the order of the classes', () => {
      const engine = make();
      const [rows, k] = [37, 5];
      const plane = planeStride(rows);
      const next = numbers(19);
      const logits = Float64Array.from({ length: k * plane }, () => Math.round(80 * next()) / 8);
      const run = (values: Float64Array) => {
        const z = engine.vector(k * plane, precision);
        z.view.set(values);
        engine.softmax(z, rows, k);
        return z.view.slice();
      };
      const p = run(logits);
      // eighths plus 64 are exact in both storages: the same differences, the same bits
      const moved = run(logits.map((value) => value + 64));
      const reversed = run(logits.map((_v, i) => logits[(k - 1 - Math.floor(i / plane)) * plane + (i % plane)]));
      for (let i = 0; i < rows; i++) {
        const row = Array.from({ length: k }, (_v, j) => p[j * plane + i]);
        // k terms, each off by a few units of at most one
        expect(Math.abs(row.reduce((sum, value) => sum + value, 0) - 1)).toBeLessThanOrEqual(2 * k * epsilon);
        expect(row).toEqual(Array.from({ length: k }, (_v, j) => moved[j * plane + i]));
        expectNear(
          row,
          Array.from({ length: k }, (_v, j) => reversed[(k - 1 - j) * plane + i]),
          4 * epsilon,
        );
        const order = (values: ArrayLike<number>) => [0, 1, 2, 3, 4].sort((a, b) => values[a] - values[b] || a - b);
        expect(order(row)).toEqual(order(Array.from({ length: k }, (_v, j) => logits[j * plane + i])));
      }
    });

    test('softmax of z and 0 is σ(z) and σ(−z)', () => {
      const engine = make();
      const x = Array.from({ length: 400 }, (_v, i) => round((i - 200) / 8));
      const z = engine.vector(800, precision);
      const p = engine.vector(800, precision);
      z.view.set(x);
      p.view.set(x);
      p.view.set(
        x.map((value) => -value),
        400,
      );
      z.view.fill(0, 400);
      engine.softmax(z, 400, 2);
      engine.sigmoid(p, p);
      // both are at most 2.5 units off
      for (let i = 0; i < 800; i++) {
        expect(Math.abs(z.view[i] - p.view[i])).toBeLessThanOrEqual(5 * epsilon * p.view[i]);
      }
    });

    test('softmax of one class is certainty; of none, or of no rows, nothing is written', () => {
      const engine = make();
      const z = engine.vector(4, precision);
      z.view.set([-3, 0, 1e20, 5]);
      engine.softmax(z, 0, 2);
      engine.softmax(z, 4, 0);
      expect([...z.view]).toEqual([-3, 0, round(1e20), 5]);
      engine.softmax(z, 4, 1);
      expect([...z.view]).toEqual([1, 1, 1, 1]);
    });

    test('softmax after logits of k weight vectors: the planes fit', () => {
      const engine = make();
      const x = engine.rows(5, 2, precision);
      x.set([1, 0, 0, 1, 1, 1, 0, 0, -1, 2]);
      const weights = engine.weights(x, 3);
      weights.set(0, [1, 2, 0]);
      weights.set(1, [0, -1, 1]);
      weights.set(2, [0, 0, 0.5]);
      const z = engine.vector(2 * planeStride(5) + 5, precision);
      engine.logits(x, weights, z);
      engine.softmax(z, 5, 3);
      const logits = [
        [1, 1, 0.5],
        [2, 0, 0.5],
        [3, 0, 0.5],
        [0, 1, 0.5],
        [3, -1, 0.5],
      ];
      logits.forEach((row, i) => {
        const sum = row.reduce((total, value) => total + Math.exp(value), 0);
        expectNear(
          row.map((_v, j) => z.view[j * 8 + i]),
          row.map((value) => Math.exp(value) / sum),
          4 * epsilon,
        );
      });
    });
  });

  describe('says what is wrong and stays usable', () => {
    const engine = make();
    const z = engine.vector(11);
    const five = engine.vector(5);
    const range = (what: string, last: number, got: number) =>
      `${what}: expected a whole number from 0 to ${last}, got ${got}`;
    const cases: [string, () => unknown, string, string][] = [
      ['more rows than values', () => engine.softmax(z, 12, 1), 'ERR_RANGE', range('rows', 11, 12)],
      ['half a row', () => engine.softmax(z, 0.5, 1), 'ERR_RANGE', range('rows', 11, 0.5)],
      ['a negative number of classes', () => engine.softmax(z, 1, -1), 'ERR_RANGE', range('k', 11, -1)],
      [
        'planes that do not fit: two of eight, the second of five',
        () => engine.softmax(z, 5, 2),
        'ERR_SHAPE',
        'z: expected at least 13 f64 values, got 11 f64',
      ],
      ['more than there are, exp', () => engine.exp(five, z, 6), 'ERR_RANGE', range('count', 5, 6)],
      ['a negative count, softplus', () => engine.softplus(five, z, -1), 'ERR_RANGE', range('count', 5, -1)],
      [
        'too short an out, exp',
        () => engine.exp(z, five),
        'ERR_SHAPE',
        'out: expected at least 11 f64 values, got 5 f64',
      ],
      [
        'an out of another precision, softplus',
        () => engine.softplus(five, engine.vector(5, 'f32')),
        'ERR_SHAPE',
        'out: expected at least 5 f64 values, got 5 f32',
      ],
      [
        'memory of another engine, softmax',
        () => engine.softmax(make().vector(4), 4, 1),
        'ERR_ENGINE',
        'z: expected memory of this engine, got that of another',
      ],
      [
        'memory of another engine, exp',
        () => engine.exp(make().vector(4), z),
        'ERR_ENGINE',
        'z: expected memory of this engine, got that of another',
      ],
      [
        'an out of another engine, softplus',
        () => engine.softplus(five, make().vector(5)),
        'ERR_ENGINE',
        'out: expected memory of this engine, got that of another',
      ],
    ];
    test.each(cases)('%s', (_, call, code, message) => {
      z.view.fill(3);
      expect(thrown(call)).toEqual({ code, message });
      expect([...z.view]).toEqual(new Array(11).fill(3));
      expectWorking(engine);
    });
  });
});
