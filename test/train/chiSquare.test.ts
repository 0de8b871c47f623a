import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHI_SQUARE_95, chiSquareTail, chiSquareTest } from '../../src/math/chiSquare.ts';

const { points } = JSON.parse(readFileSync(new URL('../fixtures/chiSquare.json', import.meta.url), 'utf8')) as {
  points: [number, number, number][];
};

describe('tail of the chi-square distribution', () => {
  it('has a relative error below 1e-12 down to 1e-300, against 60 digits', () => {
    expect(points.length).toBeGreaterThan(100);
    for (const [x, df, p] of points) {
      expect(Math.abs(chiSquareTail(x, df) / p - 1), `x ${x}, df ${df}: ${chiSquareTail(x, df)}`).toBeLessThan(1e-12);
    }
  });

  it('is exp(−x/2) for two degrees of freedom, 1 at 0, 0 far out, and NaN for NaN', () => {
    expect(chiSquareTail(3, 2)).toBe(Math.exp(-1.5));
    expect(chiSquareTail(0, 7)).toBe(1);
    expect(chiSquareTail(1e6, 7)).toBe(0);
    expect(chiSquareTail(Number.NaN, 7)).toBeNaN();
    expect(Math.abs(chiSquareTail(CHI_SQUARE_95, 1) - 0.05)).toBeLessThan(1e-15);
  });

  it('a statistic that rounding left below 0 is 0; without degrees of freedom there is no p', () => {
    expect(chiSquareTest(-1e-14, 2)).toEqual({ chi2: 0, df: 2, p: 1 });
    expect(chiSquareTest(0, 0)).toEqual({ chi2: 0, df: 0, p: null });
  });
});
