import { expect, test } from 'vitest';
import { splineBasis, splineKnots, splineOf } from '../../src/encode/spline.ts';
import { fixture } from './fixture.ts';

interface Case {
  readonly count: number;
  readonly values: number[];
  readonly weights: number[];
  readonly plainKnots: number[];
  readonly knots: number[];
  readonly x: number[];
  readonly basis: number[][];
  readonly inside: number[];
  readonly cardinal: number[][];
}

const cases = (fixture.splines as Case[]).map((one) => [one.count, one] as const);

function basis(knots: readonly number[], x: number): number[] {
  const out = new Float64Array(knots.length - 1);
  splineBasis(splineOf(knots), x, out, 0);
  return [...out];
}

test.each(cases)('%d knots are the quantiles of Harrell, rows weighted or not', (count, one) => {
  const own = [splineKnots(one.values, null, count), splineKnots(one.values, one.weights, count)];
  // numpy and this library round the probabilities differently: 1 ulp of a quantile
  [one.plainKnots, one.knots].forEach((expected, k) => {
    expect(own[k]).toHaveLength(count);
    expected.forEach((knot, i) => {
      expect(own[k][i]).toBeCloseTo(knot, 12);
    });
  });
});

test.each(cases)('the functions of %d knots are those of Harrell', (_, { knots, x, basis: expected }) => {
  x.forEach((value, i) => {
    // the formula cancels above the last knot: of cubes up to 1e4 some 1e-12 is left
    basis(knots, value).forEach((own, j) => {
      expect(Math.abs(own - expected[i][j])).toBeLessThan(1e-11 * (1 + Math.abs(own)));
    });
  });
});

test.each(cases)('the functions of %d knots are natural cubic splines of SciPy', (_, { knots, inside, cardinal }) => {
  // a natural cubic spline is the sum of those that are 1 at one knot, each times its value there
  const atKnots = knots.map((knot) => basis(knots, knot));
  inside.forEach((value, i) => {
    basis(knots, value).forEach((own, j) => {
      const expected = knots.reduce((sum, _, k) => sum + atKnots[k][j] * cardinal[i][k], 0);
      expect(Math.abs(own - expected)).toBeLessThan(1e-10);
    });
  });
});

test('outside the knots the functions are lines, and join the curve with its value, slope and second derivative 0', () => {
  const knots = [1, 2.5, 4, 7, 8];
  const range = 7;
  const at = (x: number, j: number) => basis(knots, x)[j];
  for (let j = 1; j < 4; j++) {
    const h = 1e-3;
    const slope = at(9, j) - at(8, j);
    expect(at(-1e6, j)).toBe(0);
    // the line is a line to the last digits a million ranges away
    expect(at(8 + 1e6 * range, j)).toBeCloseTo(at(8, j) + slope * 1e6 * range, -Math.log10(slope * 1e-8 * range));
    expect((at(8 + 2e6 * range, j) - at(8 + 1e6 * range, j)) / (1e6 * range)).toBeCloseTo(slope, 9);
    for (const end of [1, 8]) {
      // one-sided differences of a cubic: the error is of the order of h
      const inward = end === 1 ? h : -h;
      const left = (at(end + inward, j) - at(end, j)) / inward;
      const right = (at(end - inward, j) - at(end, j)) / -inward;
      expect(Math.abs(left - right)).toBeLessThan(1e-5);
      const second = (at(end + 2 * inward, j) - 2 * at(end + inward, j) + at(end, j)) / (h * h);
      expect(Math.abs(second)).toBeLessThan(0.01);
    }
  }
});

test('a basis is written where it is asked for, and nowhere else', () => {
  const out = new Float64Array(6).fill(9);
  splineBasis(splineOf([0, 1, 2]), 1, out, 2);
  expect([...out]).toEqual([9, 9, 1, 0.25, 9, 9]);
});

test('quantiles that coincide are one knot; fewer than three are refused', () => {
  const values = Array.from({ length: 100 }, (_, i) => Math.max(0, i - 50));
  // quantiles .05, .275 and .5 are 0
  expect(splineKnots(values, null, 5)).toHaveLength(3);
  expect(splineKnots(values, null, 5)[0]).toBe(0);
  expect(() => splineKnots([1, 1, 1, 2], null, 4)).toThrow(
    expect.objectContaining({
      code: 'ERR_SCHEMA',
      message: expect.stringMatching(/^knots: expected at least 3 distinct quantiles, got \d; /),
    }),
  );
  expect(() => splineKnots([], null, 3)).toThrow('got 0');
  for (const count of [2, 8, 3.5, Number.NaN]) {
    expect(() => splineKnots(values, null, count)).toThrow(expect.objectContaining({ code: 'ERR_RANGE' }));
  }
});

test.each([[[]], [[1, 2]], [[1, 2, 2]], [[3, 2, 1]], [[1, 2, Number.POSITIVE_INFINITY]], [[1, Number.NaN, 2]]])(
  'knots %j are refused',
  (knots) => {
    expect(() => splineOf(knots)).toThrow(/^knots: expected at least 3 rising numbers, got /);
  },
);
