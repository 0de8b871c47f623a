import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { splitmix32 } from '../../src/math/random.ts';
import { ece } from '../../src/metrics/binary.ts';
import { calibrationLine, eceFloor } from '../../src/metrics/calibrated.ts';
import { error } from './oracle.ts';

interface Line {
  name: string;
  z: number[];
  y: number[];
  weight: number[] | null;
  counts: boolean;
  intercept: [value: number, stdError: number];
  slope: [value: number, stdError: number];
}
const { lines } = JSON.parse(readFileSync('test/fixtures/paired.json', 'utf8')) as { lines: Line[] };

describe('intercept and slope by Newton in numpy', () => {
  test.each(lines)('$name', ({ z, y, weight, counts, intercept, slope }) => {
    const got = calibrationLine({ logits: z }, y, weight, { weightKind: counts ? 'count' : 'sampling' })!;
    // both stop where a step of Newton's method is below 1e-6, whose square is left
    const close = (a: number, b: number) => expect(a).toBeCloseTo(b, 10);
    close(got.intercept.value, intercept[0]);
    close(got.intercept.stdError, intercept[1]);
    close(got.slope!.value, slope[0]);
    close(got.slope!.stdError, slope[1]);
    close(got.slope!.high, slope[0] + 1.959963984540054 * slope[1]);
  });
});

test('probabilities are read as their logits', () => {
  const [{ z, y }] = lines;
  const a = calibrationLine({ logits: z }, y)!;
  const b = calibrationLine({ probabilities: z.map((one) => 1 / (1 + Math.exp(-one))) }, y)!;
  expect(b.slope!.value).toBeCloseTo(a.slope!.value, 9);
});

test('what has no line is null', () => {
  expect(calibrationLine({ logits: [1, 2, 3] }, [1, 1, 1])).toBeNull();
  expect(calibrationLine({ probabilities: [0, 0.5, 0.6] }, [1, 0, 1])).toBeNull();
  // the logits part the classes, or are all equal
  expect(calibrationLine({ logits: [1, 2, 3, 4] }, [0, 0, 1, 1])!.slope).toBeNull();
  expect(calibrationLine({ logits: [2, 2, 2] }, [0, 1, 1])!.slope).toBeNull();
  expect(calibrationLine({ logits: [2, 2, 2] }, [0, 1, 1])!.intercept.value).toBeCloseTo(Math.log(2) - 2, 12);
});

test('extreme logits have a line or none, and end', () => {
  for (const scale of [1e-8, 1e3, 1e8, 1e300]) {
    const got = calibrationLine({ logits: [-2, -1, 1, 2, -1, 1].map((z) => z * scale) }, [0, 1, 0, 1, 0, 1]);
    for (const one of [got?.intercept, got?.slope])
      if (one) expect(Number.isFinite(one.stdError), String(scale)).toBe(true);
  }
});

describe('the floor of the calibration error', () => {
  const next = splitmix32(20261130);
  const p = Array.from({ length: 300 }, () => next());

  test('calibrated predictions exceed it at its rate', () => {
    const { high, median } = eceFloor(p);
    expect(high).toBeGreaterThan(median);
    let above = 0;
    for (let k = 0; k < 1000; k++)
      above += Number(
        ece(
          { probabilities: p },
          p.map((one) => Number(next() < one)),
        ) > high,
      );
    // 5 % of 1000 ± 3 standard errors, of them and of the quantile
    expect(Math.abs(above - 50)).toBeLessThan(30);
  });

  test('more rows have a lower one; it repeats; counts are rows', () => {
    expect(eceFloor([...p, ...p, ...p, ...p]).median).toBeLessThan(eceFloor(p).median * 0.6);
    expect(eceFloor(p, null, { seed: 2 })).toEqual(eceFloor(p, null, { seed: 2 }));
    expect(eceFloor(p, null, { seed: 2 })).not.toEqual(eceFloor(p, null, { seed: 3 }));
  });

  test('bad input', () => {
    expect(() => eceFloor([0.5, 2])).toThrow(error('ERR_RANGE', 'probabilities: expected numbers from 0 to 1'));
    expect(() => eceFloor([0.5], [0])).toThrow(error('ERR_SHAPE', 'expected at least one row of positive weight'));
    expect(() => eceFloor([0.5], null, { replicates: 3 })).toThrow(error('ERR_RANGE', 'replicates'));
  });
});
