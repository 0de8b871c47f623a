import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitmix32 } from '../../src/math/random.ts';
import { auc } from '../../src/metrics/binary.ts';
import { aucInterval } from '../../src/metrics/interval.ts';
import { columns, error, floats, near, oracle, repeats, rows } from './oracle.ts';

/** weights that count rows */
const COUNTS = { weightKind: 'count' } as const;
const kindOf = (weight: Float64Array | null) =>
  weight?.every(Number.isInteger) ? COUNTS : ({ weightKind: 'sampling' } as const);
const bootstrap = { method: 'bootstrap', replicates: 200 } as const;

describe('DeLong by pairs, and rocauc-comparison', () => {
  test.each(oracle.binary)('$name', ({ scores, y, weight, auc: area, delong }) => {
    const got = aucInterval(floats(scores)!, floats(y)!, floats(weight), kindOf(floats(weight)))!;
    near(got.auc, area);
    for (const key of ['stdError', 'low', 'high'] as const) near(got[key], delong[key], key);
  });
});

test.each(oracle.binary)('bootstrap is near DeLong, and repeats: $name', ({ scores, y, weight, delong }) => {
  const given = [floats(scores)!, floats(y)!, floats(weight)] as const;
  const method = { method: 'bootstrap', replicates: 4000, seed: 7, ...kindOf(floats(weight)) } as const;
  const got = aucInterval(...given, method)!;
  // the standard error of a standard deviation of 4000 draws is 1.1 % of it; the two estimates differ by O(1/n)
  expect(Math.abs(got.stdError / delong.stdError - 1)).toBeLessThan(0.07);
  expect(Math.abs(got.low - delong.low)).toBeLessThan(0.5 * delong.stdError);
  expect(Math.abs(got.high - delong.high)).toBeLessThan(0.5 * delong.stdError);
  expect(aucInterval(...given, method)).toEqual(got);
  expect(aucInterval(...given, { ...method, seed: 8 })).not.toEqual(got);
});

test('two positive and two negative rows, by hand', () => {
  // pairs: 3 > 1, 3 > 2, 1.5 > 1, 1.5 < 2; placements 1 and 1/2 of both classes: variances 1/8, over 2
  const got = aucInterval(Float64Array.of(3, 1.5, 1, 2), Uint8Array.of(1, 1, 0, 0))!;
  expect(got.auc).toBe(0.75);
  expect(got.stdError).toBeCloseTo(Math.sqrt(1 / 8), 15);
  expect(got.high).toBe(1);
});

test('the interval covers at its nominal rate', () => {
  const next = splitmix32(20260104);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  // Φ(1/√2): two normal distributions of distance 1
  const truth = 0.7602499389065233;
  const y = Uint8Array.from({ length: 160 }, (_, i) => i % 2);
  let covered = 0;
  for (let k = 0; k < 2000; k++) {
    const { low, high } = aucInterval(
      Float64Array.from(y, (label) => normal() + label),
      y,
    )!;
    if (low <= truth && truth <= high) covered++;
  }
  // 95 % ± 3 standard errors of the count (1 %) and what the normal approximation misses with 80 rows a class (0.5 %)
  expect(Math.abs(covered / 2000 - 0.95)).toBeLessThan(0.02);
});

describe('laws', () => {
  test.each([{}, bootstrap])('integer weights are repeated rows: %o', (method) => {
    repeats(({ scores, y }, weight) => aucInterval(scores, y, weight, { ...method, ...COUNTS }));
  });
  test.each([{}, bootstrap])('the scale of sampling weights does not matter: %o', (method) => {
    fc.assert(
      fc.property(rows, (list) => {
        const { scores, y } = columns(list);
        const weight = Float64Array.from(list, ({ s }) => s);
        const [a, b] = [weight, weight.map((s) => s / 64)].map((s) => aucInterval(scores, y, s, method));
        expect(a === null).toBe(b === null);
        if (a && b) for (const key of ['auc', 'stdError', 'low', 'high'] as const) near(a[key], b[key], key);
      }),
      { numRuns: 50 },
    );
  });
  test('the area is auc; turning labels over turns the interval over', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const { scores, y } = columns(list);
        const a = aucInterval(scores, y);
        const b = aucInterval(
          scores,
          y.map((label) => 1 - label),
        );
        if (!a || !b) return;
        expect(a.auc).toBe(auc(scores, y));
        near(a.stdError, b.stdError);
        near(a.low, 1 - b.high);
      }),
    );
  });
});

test('fewer than two rows of a class: none', () => {
  const scores = Float64Array.of(1, 2, 3);
  expect(aucInterval(scores, Uint8Array.of(0, 0, 1))).toBeNull();
  expect(aucInterval(scores, Uint8Array.of(0, 0, 1), Float64Array.of(1, 1, 2), COUNTS)).not.toBeNull();
  expect(aucInterval(scores, Uint8Array.of(0, 0, 1), Float64Array.of(1, 0, 2), COUNTS)).toBeNull();
  // of a sample: one row, whatever its weight
  expect(aucInterval(scores, Uint8Array.of(0, 0, 1), Float64Array.of(1, 1, 2))).toBeNull();
  expect(aucInterval(scores, Uint8Array.of(0, 1, 1))).toBeNull();
});

test('bad input', () => {
  const given = [Float64Array.of(1, 2, 3, 4), Uint8Array.of(0, 0, 1, 1), null] as const;
  const of = (method: unknown) => () => aucInterval(...given, method as typeof bootstrap);
  expect(of({ method: 'bootstrap', replicates: 10 })).toThrow(
    error('ERR_RANGE', 'replicates: expected an integer >= 100, got 10'),
  );
  expect(of({ method: 'bootstrap', seed: 0.5 })).toThrow(error('ERR_RANGE', 'seed: expected an integer, got 0.5'));
  expect(of({ method: 'jackknife' })).toThrow(
    error('ERR_RANGE', 'method: expected delong or bootstrap, got jackknife'),
  );
  expect(() => aucInterval(Float64Array.of(Number.NaN), Uint8Array.of(1))).toThrow(
    error('ERR_RANGE', 'scores: expected numbers'),
  );
});
