import { describe, expect, test } from 'vitest';
import { psi, psiOfShares } from '../../src/monitor/psi.ts';
import { error } from '../metrics/oracle.ts';

describe('shares, computed with numpy', () => {
  const ten = Array.from({ length: 10 }, () => 0.1);
  test.each([
    [ten, [0.08, 0.09, 0.095, 0.1, 0.1, 0.105, 0.11, 0.11, 0.11, 0.1], 1e-4, 0.008876198869777117],
    [[0.5, 0.5, 0], [0.4, 0.4, 0.2], 1e-4, 1.5640491119253044],
    [[0.5, 0.5, 0], [0.4, 0.4, 0.2], 1e-6, 2.4858310332962312],
  ])('%j against %j, ε %d', (expected, actual, epsilon, value) => {
    expect(psiOfShares(expected, actual, epsilon)).toBeCloseTo(value, 14);
    expect(psiOfShares(actual, expected, epsilon)).toBeCloseTo(value, 14);
  });
});

test('values: bins of equal frequency of the reference, upper edges included', () => {
  const reference = Array.from({ length: 100 }, (_, i) => i + 1);
  expect(psi(reference, reference)).toEqual({ psi: 0, bins: 10, empty: 0, epsilon: 1e-4 });
  // 1 to 5 become 200: bins (…, 10] and (90, …) have 5 and 15 of 100
  const moved = reference.map((value) => (value <= 5 ? 200 : value));
  expect(psi(reference, moved).psi).toBeCloseTo(-0.05 * Math.log(0.5) + 0.05 * Math.log(1.5), 14);
  expect(psi(reference, [1, 2, 3]).empty).toBe(9);
});

test('ties leave fewer bins, and integer weights are repeated rows', () => {
  expect(psi([0, 0, 0, 0, 1], [0, 1], { bins: 5 }).bins).toBe(2);
  expect(psi([7, 7], [7, 7, 7])).toMatchObject({ psi: 0, bins: 1 });
  const weights = [
    [1, 2, 0, 3, 1, 2],
    [2, 0, 1, 1, 3, 1],
  ] as const;
  const [a, b] = [
    [1, 2, 9, 3, 4, 5],
    [1, 2, 3, 3, 5, 6],
  ];
  const repeated = (values: number[], times: readonly number[]) =>
    values.flatMap((value, k) => Array(times[k]).fill(value));
  expect(psi(a, b, { bins: 3, weights })).toEqual(psi(repeated(a, weights[0]), repeated(b, weights[1]), { bins: 3 }));
});

test('infinite scores have bins', () => {
  expect(psi([Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY], [0, 0, 0], { bins: 3 }).empty).toBe(2);
});

test('bad input', () => {
  expect(() => psi([], [1])).toThrow(error('ERR_RANGE', 'reference: expected at least one row'));
  expect(() => psi([1], [Number.NaN])).toThrow(error('ERR_RANGE', 'current: expected numbers, got NaN at row 0'));
  expect(() => psi([1], [1], { epsilon: 0 })).toThrow(error('ERR_RANGE', 'epsilon'));
  expect(() => psi([1], [1], { bins: 1 })).toThrow(error('ERR_RANGE', 'bins'));
  expect(() => psiOfShares([1], [0.5, 0.5])).toThrow(error('ERR_SHAPE', 'shares: expected 1'));
  expect(() => psiOfShares([-1], [1])).toThrow(error('ERR_RANGE', 'shares'));
});
