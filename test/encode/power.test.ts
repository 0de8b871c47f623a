import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expm1, ln, ln1p } from '../../bindings/js/math.ts';
import { applyTransform, CURVES, fitPower } from '../../src/encode/power.ts';
import { fixture } from './fixture.ts';

interface Fit {
  readonly name: string;
  readonly values: number[];
  readonly weights: number[] | null;
  readonly boxCox?: number;
  readonly yeoJohnson: number;
}

const { fits, values, xs, signed } = fixture.powers as {
  fits: Fit[];
  values: { lambda: number; boxCox: (number | string)[]; yeoJohnson: (number | string)[] }[];
  xs: number[];
  signed: number[];
};

function near(own: number, expected: number, tolerance: number): void {
  if (own === expected) return;
  expect(Math.abs(own - expected) / Math.abs(expected), `${own} for ${expected}`).toBeLessThan(tolerance);
}

test.each([
  ['ln', ln, 1],
  ['ln1p', ln1p, 2],
  ['expm1', expm1, 3],
] as const)('%s is within its bound of 80-bit arithmetic', (name, own, ulps) => {
  const points: [number, number][] = fixture.elementary[name];
  expect(points.length).toBeGreaterThan(100);
  for (const [x, expected] of points) near(own(x), expected, (ulps + 0.5) * 2 ** -52);
});

test('ln, ln1p and expm1 at their ends', () => {
  expect([ln(0), ln(-1), ln(Number.POSITIVE_INFINITY), ln(Number.NaN), ln(1)]).toEqual([
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    0,
  ]);
  expect(ln(5e-324)).toBeCloseTo(-744.4400719213812, 12);
  expect(ln(1.7976931348623157e308)).toBeCloseTo(709.782712893384, 12);
  expect([ln1p(-1), ln1p(-2), ln1p(Number.POSITIVE_INFINITY), ln1p(1e-300), ln1p(0)]).toEqual([
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e-300,
    0,
  ]);
  expect([expm1(-1000), expm1(1000), expm1(0), expm1(1e-300)]).toEqual([-1, Number.POSITIVE_INFINITY, 0, 1e-300]);
});

test.each(values)('values of λ = $lambda are those of SciPy', ({ lambda, boxCox, yeoJohnson }) => {
  xs.forEach((x, i) => {
    const expected = Number(String(boxCox[i]).replace('inf', 'Infinity'));
    near(applyTransform({ name: 'box-cox', lambda }, x), expected, 1e-12);
  });
  signed.forEach((x, i) => {
    const expected = Number(String(yeoJohnson[i]).replace('inf', 'Infinity'));
    near(applyTransform({ name: 'yeo-johnson', lambda }, x), expected, 1e-12);
  });
});

test('a transform is finite as long as its value is, not its exponential', () => {
  // e^709.94 is none, divided by λ it is 1.03e308
  const lambda = 2.0555;
  const expected = Math.exp(lambda * Math.log(1e150) - Math.log(lambda));
  near(applyTransform({ name: 'box-cox', lambda }, 1e150), expected, 1e-12);
  near(applyTransform({ name: 'yeo-johnson', lambda: 2 - lambda }, -1e150), -expected, 1e-12);
});

test('log, log1p and sqrt', () => {
  for (const x of [1e-300, 0.5, 1, 3, 1e300]) {
    near(applyTransform({ name: 'log' }, x), Math.log(x), 3e-16);
    near(applyTransform({ name: 'log1p' }, x), Math.log1p(x), 5e-16);
    expect(applyTransform({ name: 'sqrt' }, x)).toBe(Math.sqrt(x));
  }
});

test.each([
  ['log', 0],
  ['log', -1],
  ['log1p', -1],
  ['sqrt', -1e-9],
  ['box-cox', 0],
] as const)('%s has no value at %d', (name, x) => {
  expect(CURVES[name].takes(x)).toBe(false);
  expect(applyTransform(name === 'box-cox' ? { name, lambda: 2 } : { name }, x)).toBeNaN();
});

test('transforms of NaN are NaN', () => {
  for (const name of ['log', 'log1p', 'sqrt'] as const) expect(applyTransform({ name }, Number.NaN)).toBeNaN();
  for (const name of ['box-cox', 'yeo-johnson'] as const) {
    expect(applyTransform({ name, lambda: 0.5 }, Number.NaN)).toBeNaN();
  }
});

test('transforms rise, whatever λ', () => {
  const number = fc.double({ min: -1e4, max: 1e4, noNaN: true });
  fc.assert(
    fc.property(fc.double({ min: -3, max: 5, noNaN: true }), number, number, (lambda, a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      const yeoJohnson = { name: 'yeo-johnson', lambda } as const;
      const gap = applyTransform(yeoJohnson, high) - applyTransform(yeoJohnson, low);
      expect(gap).toBeGreaterThanOrEqual(-1e-14 * Math.abs(applyTransform(yeoJohnson, high)));
    }),
    { numRuns: 1000, seed: 5 },
  );
});

const named = fits.map((one) => [`${one.name}${one.weights ? ', weighted' : ''}`, one] as const);

test.each(named)('%s: λ is that of PowerTransformer', (_, { values, weights, boxCox, yeoJohnson }) => {
  // the peer compares values of the objective, which do not tell λ apart that are 1e-8 or so from the best
  const off = (own: number, expected: number) => Math.abs(own - expected) / Math.max(1, Math.abs(expected));
  expect(off(fitPower('yeo-johnson', values, weights), yeoJohnson)).toBeLessThan(1e-6);
  if (boxCox !== undefined) expect(off(fitPower('box-cox', values, weights), boxCox)).toBeLessThan(1e-6);
});

/** the log likelihood of λ per unit of weight, from the formula */
function likelihood(values: number[], lambda: number): number {
  const y = values.map((x) => applyTransform({ name: 'yeo-johnson', lambda }, x));
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
  const variance = y.reduce((sum, value) => sum + (value - mean) ** 2, 0) / y.length;
  const jacobian = values.reduce((sum, x) => sum + Math.sign(x) * Math.log1p(Math.abs(x)), 0) / y.length;
  return -0.5 * Math.log(variance) + (lambda - 1) * jacobian;
}

test('no λ beside it is likelier', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 5, maxLength: 40 }), (rows) => {
      fc.pre(new Set(rows.map((x) => x.toFixed(0))).size > 2);
      const lambda = fitPower('yeo-johnson', rows, null);
      const best = likelihood(rows, lambda);
      for (const step of [-0.5, -1e-3, 1e-3, 0.5]) expect(likelihood(rows, lambda + step)).toBeLessThan(best + 1e-9);
    }),
    { numRuns: 200, seed: 6 },
  );
});

test('a whole weight is as many rows, and a row of weight 0 is none', () => {
  const row = fc.tuple(fc.double({ min: 0.01, max: 100, noNaN: true }), fc.nat(3));
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 3, maxLength: 30 }),
      fc.constantFrom('box-cox' as const, 'yeo-johnson' as const),
      (rows, name) => {
        const repeated = rows.flatMap(([value, weight]) => Array<number>(weight).fill(value));
        const spread = Math.max(...repeated) - Math.min(...repeated);
        fc.pre(!(spread < 0.1));
        const weighted = fitPower(
          name,
          rows.map(([value]) => value),
          rows.map(([, weight]) => weight),
        );
        expect(Math.abs(weighted - fitPower(name, repeated, null))).toBeLessThan(1e-8 * (1 + Math.abs(weighted)));
      },
    ),
    { numRuns: 300, seed: 7 },
  );
});

test('a constant column and an empty one have λ = 1', () => {
  for (const name of ['box-cox', 'yeo-johnson'] as const) {
    expect(fitPower(name, [3, 3, Number.NaN, 3], null)).toBe(1);
    expect(fitPower(name, [3, 5], [1, 0])).toBe(1);
    expect(fitPower(name, [], null)).toBe(1);
  }
});

test.each([
  ['huge', [1e300, 1e305, 1e308, 2e304]],
  ['tiny', [1e-300, 1e-305, 1e-308, 5e-324]],
  ['huge and tiny', [1e308, 1e-308, 1, 5]],
  ['years', [1990, 1991, 1991, 2003, 2003, 2024]],
  ['years, the other way', [1990, 2022, 2022, 2023, 2023, 2024]],
  ['shares', [0.001, 0.0010001, 0.0010002, 0.0011]],
])('%s: λ is finite, and the column is neither constant nor infinite afterwards', (_, column) => {
  for (const sign of [1, -1]) {
    const signed = column.map((x) => x * sign);
    for (const name of sign > 0 ? (['box-cox', 'yeo-johnson'] as const) : (['yeo-johnson'] as const)) {
      const lambda = fitPower(name, signed, null);
      expect(lambda).toBeLessThan(Number.POSITIVE_INFINITY);
      const y = signed.map((x) => applyTransform({ name, lambda }, x));
      expect(y.every((value) => Math.abs(value) < 1e154)).toBe(true);
      if (Math.max(...column) > 1e-200) expect(new Set(y).size).toBe(new Set(column).size);
    }
  }
});

test('Box-Cox refuses numbers that are not positive, and both what is infinite', () => {
  expect(() => fitPower('box-cox', [1, 0, 2], null)).toThrow(
    expect.objectContaining({
      code: 'ERR_RANGE',
      message: 'box-cox: expected a number > 0 in every row, got 0; clip the feature from below, or use yeo-johnson',
    }),
  );
  expect(fitPower('box-cox', [1, 0, 2], [1, 0, 1])).toBeTypeOf('number');
  expect(() => fitPower('yeo-johnson', [1, Number.NEGATIVE_INFINITY], null)).toThrow(
    'yeo-johnson: expected finite numbers, got -Infinity; correct it',
  );
});
