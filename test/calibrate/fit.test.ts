import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyCalibration } from '../../src/calibrate/apply.ts';
import type { Calibration } from '../../src/calibrate/calibration.ts';
import {
  CALIBRATION_METHODS,
  type CalibrationMethod,
  fitCalibration,
  fitCalibrator,
  priorShift,
} from '../../src/calibrate/fit.ts';
import { isotonicRegression, steps } from '../../src/calibrate/regress.ts';

interface Case {
  name: string;
  logits: number[];
  y: number[];
  weight: number[] | null;
  platt: { sklearn: [number, number]; exact: [number, number]; probabilities: number[] };
  isotonic: { logits: number[]; steps: number[]; probabilities: number[] };
  beta: { abc: [number, number, number]; loss: number; probabilities: number[] };
  temperature: { sklearn: number; exact: number } | null;
}
interface Fixture {
  query: number[];
  binary: Case[];
  several: Record<'plain' | 'weighted', { sklearn: number; exact: number }> & {
    planes: number[][];
    y: number[];
    weight: number[];
  };
}
const fixture = JSON.parse(readFileSync(new URL('../fixtures/calibration.json', import.meta.url), 'utf8')) as Fixture;

const relative = (got: number, wanted: number): number => Math.abs(got - wanted) / Math.max(1, Math.abs(wanted));

function apply(calibration: Calibration, logits: ArrayLike<number>, planes = 1, ovr = false): Float64Array {
  const out = new Float64Array(logits.length);
  applyCalibration(calibration, Float64Array.from(logits), out, planes, ovr);
  return out;
}

/** Σ s·loss of labels 0 and 1 */
function lossOf(probabilities: ArrayLike<number>, y: ArrayLike<number>, weight: ArrayLike<number> | null): number {
  let loss = 0;
  for (let i = 0; i < y.length; i++) {
    loss -= (weight ? weight[i] : 1) * Math.log(y[i] === 1 ? probabilities[i] : 1 - probabilities[i]);
  }
  return loss;
}

describe.each(fixture.binary)('scikit-learn and SciPy: $name', (one) => {
  const z = Float64Array.from(one.logits);
  const calibrationOf = (method: CalibrationMethod) => fitCalibration(method, [z], one.y, one.weight);

  test('platt', () => {
    const { a, b } = fitCalibrator('platt', z, one.y, one.weight) as { a: number; b: number };
    expect(relative(a, one.platt.exact[0])).toBeLessThan(1e-12);
    expect(relative(b, one.platt.exact[1])).toBeLessThan(1e-12);
    // the peer's own minimum is one of its tolerance
    expect(relative(a, one.platt.sklearn[0])).toBeLessThan(1e-6);
    expect(relative(b, one.platt.sklearn[1])).toBeLessThan(1e-6);
    apply(calibrationOf('platt'), fixture.query).forEach((p, i) => {
      expect(Math.abs(p - one.platt.probabilities[i])).toBeLessThan(1e-6);
    });
  });

  test('isotonic', () => {
    const calibration = calibrationOf('isotonic');
    const [calibrator] = calibration.calibrators as unknown as [{ logits: number[]; probabilities: number[] }];
    expect(calibrator.logits).toEqual(one.isotonic.logits);
    calibrator.probabilities.forEach((p, i) => {
      expect(Math.abs(p - one.isotonic.steps[i])).toBeLessThan(1e-14);
    });
    apply(calibration, fixture.query).forEach((p, i) => {
      expect(Math.abs(p - one.isotonic.probabilities[i])).toBeLessThan(1e-14);
    });
  });

  test('beta', () => {
    const calibration = calibrationOf('beta');
    const [{ a, b, c }] = calibration.calibrators as unknown as [{ a: number; b: number; c: number }];
    // a ridge of 1e-11 in ours, and how far SciPy was polished
    [a, b, c].forEach((value, i) => {
      expect(relative(value, one.beta.abc[i])).toBeLessThan(1e-9);
    });
    apply(calibration, fixture.query).forEach((p, i) => {
      expect(Math.abs(p - one.beta.probabilities[i])).toBeLessThan(1e-9);
    });
    expect(relative(lossOf(apply(calibration, z), one.y, one.weight), one.beta.loss)).toBeLessThan(1e-12);
  });

  test('temperature', () => {
    const { inverse } = fitCalibrator('temperature', z, one.y, one.weight) as { inverse: number };
    if (one.temperature === null) {
      expect(inverse).toBeLessThan(0.2);
      return;
    }
    expect(relative(inverse, one.temperature.exact)).toBeLessThan(1e-12);
    expect(relative(inverse, one.temperature.sklearn)).toBeLessThan(1e-6);
  });
});

test('scikit-learn: temperature of four classes', () => {
  const { planes, y, weight, plain, weighted } = fixture.several;
  const logits = planes.map((plane) => Float64Array.from(plane));
  for (const [wanted, given] of [
    [plain, null],
    [weighted, weight],
  ] as const) {
    const { inverse } = fitCalibrator('temperature', logits, y, given) as { inverse: number };
    expect(relative(inverse, wanted.exact)).toBeLessThan(1e-12);
    expect(relative(inverse, wanted.sklearn)).toBeLessThan(1e-6);
  }
});

describe('worked by others', () => {
  test('platt: the example of LibSVM, [5, −4, 1]', () => {
    const { a, b } = fitCalibrator('platt', Float64Array.of(5, -4, 1), [1, 0, 0]) as { a: number; b: number };
    // LibSVM stops at 1e-5 of the gradient
    expect(Math.abs(a - 0.20261354391187855)).toBeLessThan(1e-5);
    expect(Math.abs(b + 0.65236314980010512)).toBeLessThan(1e-5);
  });

  test.each([
    [[3, 7, 5, 9, 8, 7, 10], null, [3, 6, 6, 8, 8, 8, 10]],
    [[10, 0, 2], null, [4, 4, 4]],
    // test_isotonic.py: weights 1 to 7, the last five rows are one block
    [[1, 41, 51, 1, 2, 5, 24], [1, 2, 3, 4, 5, 6, 7], null],
  ])('pool adjacent violators of %j', (y, weight, wanted) => {
    const x = Float64Array.from(y, (_, i) => i);
    const s = weight ? Float64Array.from(weight) : x.map(() => 1);
    const { fitted } = isotonicRegression(x, Float64Array.from(y), s);
    // 1; then blocks by hand: (2·41 + 3·51 + 4·1 + 5·2 + 6·5)/20 = 13.95, 24
    const expected = wanted ?? [1, 13.95, 13.95, 13.95, 13.95, 13.95, 24];
    fitted.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 13);
    });
    // any order of the rows
    const order = [4, 2, 6, 0, 1, 5, 3].filter((i) => i < y.length);
    const pick = (values: ArrayLike<number>) => Float64Array.from(order, (i) => values[i]);
    expect(isotonicRegression(pick(x), pick(y), pick(s)).fitted).toEqual(fitted);
  });

  test('equal x are pooled to their mean, and only the ends of steps are kept', () => {
    const curve = isotonicRegression(
      Float64Array.of(0, 1, 1, 2, 3, 4),
      Float64Array.of(0, 0, 1, 0, 0, 1),
      new Float64Array(6).fill(1),
    );
    expect(curve).toEqual({ x: [0, 1, 2, 3, 4], fitted: [0, 0.25, 0.25, 0.25, 1] });
    expect(steps(curve)).toEqual({ x: [0, 1, 3, 4], fitted: [0, 0.25, 0.25, 1] });
    expect(steps({ x: [2], fitted: [0.5] })).toEqual({ x: [2], fitted: [0.5] });
  });

  test('the identity is found where logits are right: p of exactly σ(z) as shares', () => {
    const z = Float64Array.of(-3, -1.5, -0.2, 0, 0.4, 1, 2.5);
    const y = z.map((logit) => 1 / (1 + Math.exp(-logit)));
    expect((fitCalibrator('temperature', z, y) as { inverse: number }).inverse).toBeCloseTo(1, 12);
    const { a, b, c } = fitCalibrator('beta', z, y) as { a: number; b: number; c: number };
    for (const [got, wanted] of [
      [a, 1],
      [b, 1],
      [c, 0],
    ]) {
      expect(got).toBeCloseTo(wanted, 8);
    }
  });

  test('two logits have their two targets, although a full Newton step would overshoot', () => {
    const z = Float64Array.from({ length: 100 }, (_, i) => Number(i === 0));
    const p = apply(fitCalibration('platt', [z], z), [1, 0]);
    expect(p[0]).toBeCloseTo(2 / 3, 14);
    expect(p[1]).toBeCloseTo(1 / 101, 14);
  });

  test('temperature of a hundred classes, one at 0.001 and the rest at 0, of which nine rows in ten are the one', () => {
    const planes = Array.from({ length: 100 }, (_, k) => new Float64Array(10).fill(k === 0 ? 1e-3 : 0));
    const { inverse } = fitCalibrator('temperature', planes, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]) as { inverse: number };
    // exp(t/1000) = 9·99
    expect(inverse / (1000 * Math.log(9 * 99))).toBeCloseTo(1, 12);
  });

  test('prior correction: King and Zeng', () => {
    // half of the training rows are events, one in a hundred is
    expect(priorShift([0.5], [0.01])[0]).toBeCloseTo(Math.log(0.01 / 0.99), 14);
    expect(priorShift([0.3], [0.3])).toEqual([0]);
    const shift = priorShift([0.25, 0.25, 0.5], [0.5, 0.3, 0.2]);
    [2, 1.2, 0.4].forEach((ratio, k) => {
      expect(shift[k]).toBeCloseTo(Math.log(ratio), 14);
    });
    // what it says of two classes is what it says of both
    const both = priorShift([0.8, 0.2], [0.4, 0.6]);
    expect(both[1] - both[0]).toBeCloseTo(priorShift([0.2], [0.6])[0], 14);
  });
});

/** rows with both classes at least `least` times */
const rowsArbitrary = (least: number) =>
  fc
    .array(
      fc.record({
        z: fc.oneof(fc.double({ min: -6, max: 6, noNaN: true }), fc.integer({ min: -3, max: 3 })),
        label: fc.integer({ min: 0, max: 1 }),
        weight: fc.integer({ min: 0, max: 3 }),
      }),
      { minLength: 2, maxLength: 60 },
    )
    .filter((rows) =>
      [0, 1].every((label) => rows.reduce((sum, row) => sum + (row.label === label ? row.weight : 0), 0) >= least),
    );
const unzip = (rows: readonly { z: number; label: number; weight: number }[]) => ({
  z: Float64Array.from(rows, ({ z }) => z),
  y: Float64Array.from(rows, ({ label }) => label),
  weight: Float64Array.from(rows, ({ weight }) => weight),
});
const grid = Float64Array.from({ length: 161 }, (_, i) => (i - 80) / 10);

describe('laws', () => {
  test.each(CALIBRATION_METHODS)('%s: a weight of 2 is a row seen twice, of 0 a row left out', (method) => {
    fc.assert(
      fc.property(rowsArbitrary(method === 'isotonic' ? 10 : 1), (rows) => {
        const { z, y, weight } = unzip(rows);
        const repeated = unzip(rows.flatMap((row) => Array.from({ length: row.weight }, () => row)));
        // what is left out is not looked at
        const hidden = z.map((logit, i) => (weight[i] === 0 ? Number.NaN : logit));
        const weighted = fitCalibration(method, [hidden], y, weight);
        const alone = fitCalibration(method, [repeated.z], repeated.y);
        const spread = new Set(repeated.z).size;
        const got = apply(weighted, repeated.z);
        apply(alone, repeated.z).forEach((p, i) => {
          // separated classes leave coefficients of beta to a ridge of 1e-11
          expect(Math.abs(p - got[i])).toBeLessThan(method === 'beta' || spread < 3 ? 1e-5 : 1e-9);
        });
      }),
      { numRuns: 150 },
    );
  });

  test.each(['temperature', 'beta', 'isotonic'] as const)(
    '%s: the loss of its own rows is never above that of the raw probabilities',
    (method) => {
      fc.assert(
        fc.property(rowsArbitrary(method === 'isotonic' ? 10 : 1), (rows) => {
          const { z, y, weight } = unzip(rows.filter((row) => row.weight > 0));
          const raw = apply({ method: 'none', calibrators: [], shift: [], by: null }, z);
          const calibrated = apply(fitCalibration(method, [z], y, weight), z);
          expect(lossOf(calibrated, y, weight)).toBeLessThanOrEqual(lossOf(raw, y, weight) * (1 + 1e-12) + 1e-10);
        }),
        { numRuns: 200 },
      );
    },
  );

  test('several classes: temperature is never worse than the raw softmax', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 3, maxLength: 3 }),
            fc.integer({ min: 0, max: 2 }),
          ),
          { minLength: 2, maxLength: 40 },
        ),
        (rows) => {
          fc.pre(new Set(rows.map(([, label]) => label)).size > 1);
          const planes = [0, 1, 2].map((k) => Float64Array.from(rows, ([z]) => z[k]));
          const y = rows.map(([, label]) => label);
          const flat = planes.flatMap((plane) => [...plane]);
          const own = (p: Float64Array) => y.map((label, i) => p[label * y.length + i]);
          const ones = y.map(() => 1);
          const raw = own(apply({ method: 'none', calibrators: [], shift: [], by: null }, flat, 3));
          const calibrated = own(apply(fitCalibration('temperature', planes, y), flat, 3));
          const bound = lossOf(raw, ones, null) * (1 + 1e-12) + 1e-12;
          expect(lossOf(calibrated, ones, null)).toBeLessThanOrEqual(bound);
        },
      ),
    );
  });

  test('isotonic: never falls, stays within the shares, and finds itself again', () => {
    fc.assert(
      fc.property(rowsArbitrary(10), (rows) => {
        const { z, y, weight } = unzip(rows);
        const calibration = fitCalibration('isotonic', [z], y, weight);
        const p = apply(calibration, grid);
        for (let i = 0; i < p.length; i++) {
          expect(p[i]).toBeGreaterThanOrEqual(i > 0 ? p[i - 1] : 0);
          expect(p[i]).toBeLessThanOrEqual(1);
        }
        const used = unzip(rows.filter((row) => row.weight > 0));
        const once = apply(calibration, used.z);
        const again = isotonicRegression(used.z, once, used.weight);
        used.z.forEach((logit, i) => {
          expect(Math.abs(again.fitted[again.x.indexOf(logit)] - once[i])).toBeLessThan(1e-14);
        });
        // the mean of the rows is kept
        const mean = (values: Float64Array) => values.reduce((sum, value, i) => sum + value * used.weight[i], 0);
        expect(mean(once)).toBeCloseTo(mean(used.y), 10);
      }),
      { numRuns: 150 },
    );
  });

  test.each(['beta', 'temperature'] as const)('%s never falls', (method) => {
    fc.assert(
      fc.property(rowsArbitrary(1), (rows) => {
        const { z, y, weight } = unzip(rows);
        const p = apply(fitCalibration(method, [z], y, weight), grid);
        for (let i = 1; i < p.length; i++) expect(p[i]).toBeGreaterThanOrEqual(p[i - 1]);
      }),
    );
  });

  test('a row of trials is its successes and its failures', () => {
    const z = Float64Array.of(-2, -1, 0.5, 1, 2, 3);
    const trials = [9, 8, 7, 10, 12, 6];
    const hits = [1, 3, 3, 6, 9, 6];
    const repeat = (count: (i: number) => number) => [...z].flatMap((logit, i) => Array<number>(count(i)).fill(logit));
    const positive = repeat((i) => hits[i]);
    const negative = repeat((i) => trials[i] - hits[i]);
    for (const method of CALIBRATION_METHODS) {
      const grouped = fitCalibration(
        method,
        [z],
        hits.map((count, i) => count / trials[i]),
        trials,
      );
      const single = fitCalibration(
        method,
        [Float64Array.of(...positive, ...negative)],
        [...positive.map(() => 1), ...negative.map(() => 0)],
      );
      const wanted = apply(single, grid);
      apply(grouped, grid).forEach((p, i) => {
        expect(Math.abs(p - wanted[i])).toBeLessThan(1e-9);
      });
    }
  });
});

describe('hard data', () => {
  test('separated classes have a calibrator of every method', () => {
    const z = Float64Array.from({ length: 40 }, (_, i) => (i < 20 ? -3 - i / 10 : 3 + i / 10));
    const y = z.map((logit) => Number(logit > 0));
    for (const method of CALIBRATION_METHODS) {
      const p = apply(fitCalibration(method, [z], y), z);
      p.forEach((value, i) => {
        expect(Math.abs(value - y[i])).toBeLessThan(method === 'platt' ? 0.1 : 1e-6);
      });
    }
  });

  test('one logit for all rows: the share of the class', () => {
    const z = new Float64Array(40).fill(0.1);
    const y = z.map((_, i) => Number(i < 10));
    for (const method of ['isotonic', 'beta'] as const) {
      expect(apply(fitCalibration(method, [z], y), [0.1])[0]).toBeCloseTo(0.25, 14);
    }
    // (10·11/12 + 30·1/32)/40
    expect(apply(fitCalibration('platt', [z], y), [0.1])[0]).toBeCloseTo((10 * (11 / 12) + 30 / 32) / 40, 14);
  });

  test.each([1e-200, 1e-130, 1e-8, 1e8, 1e160, 1e300])('logits of size %d', (size) => {
    const z = Float64Array.from({ length: 50 }, (_, i) => size * Math.sin(3 * i));
    const y = z.map((logit, i) => Number(logit > 0 !== (i % 4 === 0)));
    const unit = apply(
      fitCalibration('platt', [z.map((logit) => logit / size)], y),
      z.map((logit) => logit / size),
    );
    apply(fitCalibration('platt', [z], y), z).forEach((p, i) => {
      // below 1e-140 they are all one logit
      expect(Math.abs(p - unit[i])).toBeLessThan(size > 1e-140 ? 1e-9 : 1);
    });
    for (const method of CALIBRATION_METHODS) {
      expect(apply(fitCalibration(method, [z], y), z).every((p) => p >= 0 && p <= 1)).toBe(true);
    }
  });
});

describe('bad input', () => {
  const z = Float64Array.of(-1, 0, 1, 2);
  test.each([
    [
      'an unknown method',
      () => fitCalibration('sigmoid' as 'platt', [z], [0, 1, 0, 1]),
      'ERR_RANGE',
      /one of platt, isotonic/,
    ],
    ['other lengths', () => fitCalibration('platt', [z], [0, 1, 0]), 'ERR_SHAPE', /one length, got 3 labels and 4/],
    ['two planes', () => fitCalibration('platt', [z, z], [0, 1, 0, 1]), 'ERR_SHAPE', /one array for two classes/],
    ['several planes', () => fitCalibrator('platt', [z, z, z], [0, 1, 2, 1]), 'ERR_SHAPE', /use fitCalibration/],
    [
      'NaN',
      () => fitCalibration('platt', [Float64Array.of(0, Number.NaN)], [0, 1]),
      'ERR_RANGE',
      /logits, row 1: .* NaN/,
    ],
    ['a label', () => fitCalibration('platt', [z], [0, 1, 2, 0]), 'ERR_RANGE', /labels, row 2: .* got 2/],
    ['a class', () => fitCalibration('platt', [z, z, z], [0, 1, 3, 0]), 'ERR_RANGE', /labels, row 2: .*0 to 2, got 3/],
    ['a weight', () => fitCalibration('platt', [z], [0, 1, 0, 1], [1, 1, -1, 1]), 'ERR_RANGE', /weights, row 2: .* -1/],
    ['one class', () => fitCalibration('platt', [z], [1, 1, 1, 1]), 'ERR_DATA', /every class \(0, 1\), got only 1/],
    ['one class by weight', () => fitCalibration('temperature', [z], [1, 1, 1, 0], [1, 1, 1, 0]), 'ERR_DATA', /only 1/],
    ['no rows', () => fitCalibration('beta', [z], [1, 1, 1, 0], [0, 0, 0, 0]), 'ERR_DATA', /got none/],
    [
      'an absent class',
      () => fitCalibration('platt', [z, z, z], [0, 1, 1, 0], null, { classes: ['a', 'b', 'c'] }),
      'ERR_DATA',
      /every class \(a, b, c\), got only a, b/,
    ],
    [
      'too few rows for isotonic',
      () => fitCalibration('isotonic', [z], [0, 1, 0, 1], null, { classes: ['no', 'yes'] }),
      'ERR_DATA',
      /at least 10 rows of each class .* got 2 of no; use platt/,
    ],
    ['a share', () => priorShift([0.5], [1]), 'ERR_RANGE', /between 0 and 1, got 1;/],
    ['shares that do not sum to 1', () => priorShift([0.5, 0.5], [0.3, 0.3]), 'ERR_RANGE', /sum to 1, got 0.3, 0.3/],
    ['shares of other classes', () => priorShift([0.5, 0.5], [0.3]), 'ERR_SHAPE', /expected 2 shares/],
  ])('%s', (_, run, code, message) => {
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  test('a class that no row has may have a temperature', () => {
    const planes = [z, z.map((logit) => -logit), z.map(() => -5)];
    expect(fitCalibration('temperature', planes, [1, 1, 0, 0]).calibrators).toHaveLength(1);
  });
});
