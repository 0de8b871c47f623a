import { describe, expect, it } from 'vitest';
import { factorCholesky, invertCholesky, solveCholesky } from '../../src/math/cholesky.ts';
import { random } from './oracles.ts';

/** XᵀX of n + 5 random rows: positive definite. */
function gram(n: number, seed: number): Float64Array {
  const next = random(seed);
  const a = new Float64Array(n * n);
  for (let row = 0; row < n + 5; row++) {
    const x = Array.from({ length: n }, () => next() - 0.5);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) a[i * n + j] += x[i] * x[j];
  }
  return a;
}

describe('cholesky', () => {
  it('factors a matrix worked by hand', () => {
    const a = Float64Array.of(4, 9, 9, 12, 37, 9, -16, -43, 98);
    expect(factorCholesky(a, 3)).toEqual([]);
    expect([a[0], a[3], a[4], a[6], a[7], a[8]]).toEqual([2, 6, 1, -8, 5, 3]);
  });

  it.each([0, 1, 2, 3, 7, 40])('inverts and solves %i × %i', (n) => {
    const a = gram(n, n + 1);
    const factor = a.slice();
    expect(factorCholesky(factor, n)).toEqual([]);
    const inverse = invertCholesky(factor, n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += a[i * n + k] * inverse[k * n + j];
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 9);
        expect(inverse[i * n + j]).toBe(inverse[j * n + i]);
      }
    }
    const x = Float64Array.from({ length: n }, (_, j) => j - 2);
    const b = new Float64Array(n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) b[i] += a[i * n + j] * x[j];
    solveCholesky(factor, n, b);
    for (let j = 0; j < n; j++) expect(b[j]).toBeCloseTo(x[j], 9);
  });

  it('names the later of dependent columns and factors the rest as if they were absent', () => {
    const n = 6;
    const next = random(3);
    const x = Array.from({ length: 20 }, () => {
      const [a, b, c, d] = [next(), next(), next(), next()];
      return [a, b, a + b, c, d, 2 * c - a];
    });
    const full = new Float64Array(n * n);
    for (const row of x) for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) full[i * n + j] += row[i] * row[j];
    expect(factorCholesky(full, n, 1e-11)).toEqual([2, 5]);
    const kept = [0, 1, 3, 4];
    const part = new Float64Array(16);
    for (const row of x) {
      for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) part[i * 4 + j] += row[kept[i]] * row[kept[j]];
    }
    expect(factorCholesky(part, 4)).toEqual([]);
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j <= i; j++) expect(full[kept[i] * n + kept[j]]).toBeCloseTo(part[i * 4 + j], 12);
    }
  });

  it.each([
    ['zero', [0]],
    ['negative', [-1]],
    ['NaN', [Number.NaN]],
    ['infinite', [Number.POSITIVE_INFINITY]],
  ])('a %s pivot is dependent', (_, a) => {
    expect(factorCholesky(Float64Array.from(a), 1)).toEqual([0]);
  });
});
