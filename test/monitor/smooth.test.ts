import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitmix32 } from '../../src/math/random.ts';
import { smoothTest } from '../../src/monitor/drift/smooth.ts';

const counts = fc
  .integer({ min: 2, max: 12 })
  .chain((bins) => fc.tuple(...[0, 1].map(() => fc.array(fc.nat(50), { minLength: bins, maxLength: bins }))))
  .filter((sides) => sides.every((side) => side.some((count) => count > 0)));

/** The H of Kruskal and Wallis with its correction for ties, as `scipy.stats.kruskal` has it. */
function kruskal(sides: readonly (readonly number[])[]): number {
  const rows = sides.flatMap((side, s) =>
    side.flatMap((count, bin) => Array.from({ length: count }, () => ({ s, bin }))),
  );
  const all = rows.length;
  let [before, ties] = [0, 0];
  const rank = sides[0].map((_, bin) => {
    const both = sides[0][bin] + sides[1][bin];
    ties += both ** 3 - both;
    before += both;
    return before - both / 2 + 0.5;
  });
  const sums = [0, 1].map((s) => rows.filter((row) => row.s === s).reduce((sum, { bin }) => sum + rank[bin], 0));
  const sizes = sides.map((side) => side.reduce((sum, count) => sum + count, 0));
  const h = (12 / (all * (all + 1))) * sums.reduce((sum, own, s) => sum + own ** 2 / sizes[s], 0) - 3 * (all + 1);
  return h / (1 - ties / (all ** 3 - all));
}

describe('the smooth test', () => {
  test('of two bins is that of Kruskal and Wallis, whose variance has one row less', () => {
    fc.assert(
      fc.property(counts, ([a, b]) => {
        const two = [a, b].map((side) => [side[0], side.slice(1).reduce((sum, count) => sum + count, 0)]);
        const all = two.flat().reduce((sum, count) => sum + count, 0);
        const found = smoothTest(two[0], two[1]);
        if (two[0][0] + two[1][0] === 0 || two[0][1] + two[1][1] === 0) expect(found).toEqual({ chi2: 0, df: 0, p: 1 });
        else expect((found.chi2 * (all - 1)) / all).toBeCloseTo(kruskal(two), 9);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('of scipy.stats.kruskal, and of numpy for the second component', () => {
    // the orthonormal polynomials by numpy.linalg.qr of the weighted powers
    const [a, b] = [
      [10, 20, 40, 20, 10],
      [5, 15, 30, 30, 20],
    ];
    const found = smoothTest(a, b);
    expect(found.df).toBe(2);
    expect(found.chi2).toBeCloseTo(8.498812159076138, 11);
    expect(kruskal([a, b])).toBeCloseTo(8.104072398190084, 11);
    // the same shares, wider: location says nothing
    const wide = smoothTest([10, 20, 40, 20, 10], [20, 20, 20, 20, 20]);
    expect(kruskal([a, [20, 20, 20, 20, 20]])).toBeCloseTo(0, 12);
    expect(wide.p).toBeLessThan(0.01);
  });

  test('the sides may change places, bins may be read backwards or be empty: the same figure', () => {
    fc.assert(
      fc.property(counts, ([a, b]) => {
        const { chi2 } = smoothTest(a, b);
        const same = [
          smoothTest(b, a),
          smoothTest([...a].reverse(), [...b].reverse()),
          smoothTest([0, ...a, 0], [0, ...b, 0]),
          smoothTest(
            a.flatMap((count) => [count, 0]),
            b.flatMap((count) => [count, 0]),
          ),
        ];
        for (const other of same) expect(Math.abs(other.chi2 - chi2)).toBeLessThanOrEqual(1e-9 * (1 + chi2));
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  test('equal shares are 0, one bin says nothing, p is never NaN', () => {
    expect(smoothTest([1, 2, 3], [10, 20, 30]).chi2).toBeCloseTo(0, 12);
    expect(smoothTest([5], [7])).toEqual({ chi2: 0, df: 0, p: 1 });
    fc.assert(
      fc.property(counts, ([a, b]) => {
        const { p } = smoothTest(a, b);
        expect(p >= 0 && p <= 1).toBe(true);
      }),
      { seed: 3 },
    );
  });

  test('a level is kept: of 2,000 pairs without a difference as many are below 5 % as chance allows', () => {
    let below = 0;
    const random = splitmix32(4);
    const shares = [0.02, 0.08, 0.2, 0.3, 0.25, 0.1, 0.05];
    const draw = (rows: number) => {
      const out = shares.map(() => 0);
      for (let i = 0; i < rows; i++) {
        let [u, k] = [random(), 0];
        while (k < 6 && u >= shares[k]) u -= shares[k++];
        out[k]++;
      }
      return out;
    };
    for (let i = 0; i < 2000; i++) if (smoothTest(draw(400), draw(150)).p < 0.05) below++;
    expect(Math.abs(below / 2000 - 0.05)).toBeLessThan(3 * Math.sqrt((0.05 * 0.95) / 2000));
  });
});
