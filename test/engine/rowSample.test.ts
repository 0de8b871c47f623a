import { describe, expect, test } from 'vitest';
import { spreadRows } from '../../bindings/sample.ts';
import { engines, numbers } from './engines.ts';
import { batch, LAYOUTS, mixed } from './layouts.ts';

const ROWS = 500;
const MOST = 60;

describe('rows of a sample', () => {
  test.each([
    [7, 7],
    [500, 60],
    [3_000_000, 1000],
  ])('are one of each part: of %d rows %d', (rows, count) => {
    const picked = spreadRows(rows, count);
    expect(picked).toHaveLength(count);
    picked.forEach((row, k) => {
      expect(row).toBeGreaterThanOrEqual(Math.floor((k * rows) / count));
      expect(row).toBeLessThan(((k + 1) * rows) / count);
    });
  });

  test('have no period: of rows of two kinds in turn, about half are of each', () => {
    const odd = spreadRows(8000, 1000).reduce((sum, row) => sum + (row & 1), 0);
    expect(Math.abs(odd - 500)).toBeLessThan(20);
  });
});

describe.each(engines)('%s', (_, make) => {
  const all = mixed(ROWS);
  const picked = spreadRows(ROWS, MOST);
  const of = (values: ArrayLike<number>) => Float64Array.from(picked, (row) => values[row]);
  const offset = Float64Array.from({ length: ROWS }, (_, i) => (i % 11) / 10);

  test.each(LAYOUTS)('a sample of layout %s is the likelihood of its rows alone', (layout) => {
    const engine = make();
    const whole = batch(engine, all, layout);
    const parts = Array.from(picked, (row) => mixed(1, row));
    const dense = Float64Array.from(parts.flatMap((part) => [...part.dense]));
    const codes = [0, 1].map((k) => Uint8Array.from(parts, (part) => part.codes[k][0]));
    const alone = batch(
      engine,
      { rows: MOST, dense, codes, y: of(all.y), weight: of(all.weight), classes: of(all.classes) },
      layout,
    );
    const binomial = [whole, alone].map((rows, k) => {
      const pick = k === 0 ? (values: Float64Array) => values : of;
      const target = { y: pick(all.y), weight: pick(all.weight), offset: pick(offset) };
      return engine.likelihood(rows, target);
    });
    const multinomial = [whole, alone].map((rows, k) => {
      const pick = k === 0 ? (values: Float64Array) => values : of;
      return engine.multinomial(rows, { y: pick(all.classes), classes: 3, weight: pick(all.weight) });
    });
    for (const [from, expected] of [binomial, multinomial]) {
      const sample = from.sample!(MOST);
      const next = numbers(5);
      const params = Float64Array.from({ length: sample.parameters }, next);
      const sums = [sample, expected].map((likelihood) => {
        const gradient = new Float64Array(likelihood.parameters);
        const hessian = new Float64Array(likelihood.parameters ** 2);
        const point = likelihood.at(params, gradient);
        point.hessian(hessian);
        return [likelihood.rows, likelihood.totalWeight, point.loss, ...gradient, ...hessian];
      });
      expect(sums[0]).toEqual(sums[1]);
      sample.free();
      expect(() => sample.loss(params)).toThrow(/freed/);
      expect(from.sample!(10 * ROWS).rows).toBe(ROWS);
    }
  });

  test('a number of rows that is none is refused', () => {
    const engine = make();
    const likelihood = engine.likelihood(batch(engine, all, 'rows'), { y: all.y });
    expect(() => likelihood.sample!(0)).toThrow(/most: expected a number of rows above 0, got 0/);
  });
});
