import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exp, sigmoid, softmax } from '../../bindings/js/math.ts';
import { applyCalibration, calibratedProbability } from '../../src/calibrate/apply.ts';
import type { Calibration, Calibrator } from '../../src/calibrate/calibration.ts';
import { findWrongCalibration } from '../../src/calibrate/check.ts';
import { fitCalibration } from '../../src/calibrate/fit.ts';

const calibrators: readonly Calibrator[] = [
  { method: 'platt', a: 1.3, b: -0.4 },
  { method: 'beta', a: 0.7, b: 1.6, c: 0.2 },
  { method: 'temperature', inverse: 0.55 },
  { method: 'isotonic', logits: [-2, -1, 0.5, 0.75, 3], probabilities: [0, 0.1, 0.1, 0.6, 1] },
];
const two = (calibrator: Calibrator | null, shift: readonly number[] = []): Calibration => ({
  method: calibrator?.method ?? 'none',
  calibrators: calibrator ? [calibrator] : [],
  shift,
  by: null,
});
const three = (calibrator: Calibrator | null, shift: readonly number[] = []): Calibration => ({
  ...two(calibrator, shift),
  calibrators: !calibrator
    ? []
    : calibrator.method === 'temperature'
      ? [calibrator]
      : [calibrator, calibrator, calibrator],
});
const all: readonly (Calibrator | null)[] = [null, ...calibrators];
const named = all.map((calibrator) => [calibrator?.method ?? 'none', calibrator] as const);

function apply(calibration: Calibration, logits: ArrayLike<number>, planes = 1, ovr = false): Float64Array {
  const out = new Float64Array(logits.length);
  applyCalibration(calibration, Float64Array.from(logits), out, planes, ovr);
  return out;
}
const logit = (p: number) => Math.log(p / (1 - p));
const sigma = (z: number) => 1 / (1 + Math.exp(-z));

describe('by its formula', () => {
  test('two classes', () => {
    for (const z of [-3, -1.5, -0.2, 0, 0.6, 2.9]) {
      const q = sigma(z);
      const of = (calibrator: Calibrator | null, shift?: number[]) => calibratedProbability(two(calibrator, shift), z);
      expect(of(null)).toBe(sigmoid(z));
      expect(of(calibrators[0])).toBeCloseTo(sigma(1.3 * z - 0.4), 15);
      expect(of(calibrators[1])).toBeCloseTo(sigma(0.7 * Math.log(q) - 1.6 * Math.log(1 - q) + 0.2), 15);
      expect(of(calibrators[2])).toBeCloseTo(sigma(0.55 * z), 15);
      // the prior correction multiplies the odds
      for (const calibrator of all) {
        const p = of(calibrator);
        const wanted = p === 0 ? 0 : sigma(logit(p) - 1.2);
        expect(of(calibrator, [-1.2])).toBeCloseTo(wanted, 14);
      }
    }
  });

  test('isotonic is linear between its points, constant outside and on steps', () => {
    const isotonic = two(calibrators[3]);
    const wanted: readonly [number, number][] = [
      [-9, 0],
      [-2, 0],
      [-1.5, 0.05],
      [-1, 0.1],
      [0, 0.1],
      [0.5, 0.1],
      [0.625, 0.35],
      [0.75, 0.6],
      [1.875, 0.8],
      [3, 1],
      [4, 1],
    ];
    for (const [z, p] of wanted) expect(calibratedProbability(isotonic, z)).toBeCloseTo(p, 15);
    const single = two({ method: 'isotonic', logits: [1], probabilities: [0.3] });
    for (const z of [-1, 1, 2]) expect(calibratedProbability(single, z)).toBe(0.3);
  });

  test('several classes', () => {
    const z = [0.4, -1.2, 2];
    const shift = [0.5, -0.25, 0];
    for (const calibrator of all) {
      for (const ovr of [false, true]) {
        const parts = z.map((value) => (calibrator ? calibratedProbability(two(calibrator), value) : sigma(value)));
        const joint = calibrator?.method === 'temperature' || (calibrator === null && !ovr);
        const inverse = calibrator?.method === 'temperature' ? calibrator.inverse : 1;
        for (const by of [[], shift]) {
          const weights = z.map(
            (value, k) => (joint ? Math.exp(value * inverse) : parts[k]) * Math.exp(by.length > 0 ? by[k] : 0),
          );
          const total = weights.reduce((sum, value) => sum + value, 0);
          apply(three(calibrator, by), z, 3, ovr).forEach((p, k) => {
            expect(p).toBeCloseTo(weights[k] / total, 14);
          });
        }
      }
    }
  });

  test('without calibrator and shift, several classes are the bits of softmax', () => {
    const z = Float64Array.from({ length: 30 }, (_, i) => 4 * Math.sin(7 * i));
    for (const ovr of [false, true]) {
      const wanted = z.slice();
      softmax(wanted, 0, 10, 3, 10, exp, ovr);
      expect(apply(three(null), z, 3, ovr)).toEqual(wanted);
    }
  });

  test('where no class has a probability all have the same', () => {
    expect([...apply(three(calibrators[3]), [-5, -6, -7], 3)]).toEqual([1 / 3, 1 / 3, 1 / 3]);
    expect([...apply(three(calibrators[3], [1, 0, -1]), [-5, -6, -7], 3)]).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });
});

const anyLogit = fc.oneof(
  fc.double({ noNaN: true }),
  fc.double({ min: -40, max: 40, noNaN: true }),
  fc.constantFrom(
    0,
    -0,
    1e300,
    -1e300,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ),
);

describe.each(named)('%s', (_, calibrator) => {
  test('a record has the bits of a batch, from f32 logits too', () => {
    fc.assert(
      fc.property(
        fc.array(anyLogit, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        fc.boolean(),
        (z, shifted, ovr) => {
          const calibration = two(calibrator, shifted ? [0.7] : []);
          for (const logits of [Float64Array.from(z), Float32Array.from(z)]) {
            const out = new Float64Array(z.length);
            applyCalibration(calibration, logits, out);
            expect([...out]).toEqual([...logits].map((value) => calibratedProbability(calibration, value)));
          }
          // three planes: z and two rotations
          const planes = [0, 1, 2].map((k) => z.map((_, i) => z[(i + k) % z.length]));
          const several = three(calibrator, shifted ? [0.7, -3, 0.1] : []);
          const batch = apply(several, planes.flat(), 3, ovr);
          z.forEach((_, i) => {
            const record = apply(
              several,
              planes.map((plane) => plane[i]),
              3,
              ovr,
            );
            expect([...record]).toEqual([0, 1, 2].map((k) => batch[k * z.length + i]));
          });
        },
      ),
    );
  });

  test('any logit is a probability, and more is not less', () => {
    fc.assert(
      fc.property(anyLogit, anyLogit, fc.double({ min: -700, max: 700, noNaN: true }), (one, other, shift) => {
        for (const calibration of [two(calibrator), two(calibrator, [shift])]) {
          const [low, high] = [Math.min(one, other), Math.max(one, other)].map((z) =>
            calibratedProbability(calibration, z),
          );
          expect(low >= 0 && low <= high && high <= 1, `${low} ${high}`).toBe(true);
        }
        for (const ovr of [false, true]) {
          for (const by of [[], [shift, 0, -shift]]) {
            const p = apply(three(calibrator, by), [one, other, -one], 3, ovr);
            expect(
              p.every((value) => value >= 0 && value <= 1),
              [...p].join(),
            ).toBe(true);
            expect(p.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(calibratedProbability(two(calibrator), Number.NaN)).toBeNaN();
  });
});

test('flat and steep calibrators meet infinite logits', () => {
  const ends = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, -1e300];
  for (const z of ends) {
    expect(calibratedProbability(two({ method: 'platt', a: 0, b: 0 }), z)).toBe(0.5);
    expect(calibratedProbability(two({ method: 'temperature', inverse: 0 }), z)).toBe(0.5);
    for (const calibrator of [
      { method: 'platt', a: 1e20, b: 0 },
      { method: 'beta', a: 1e20, b: 1e20, c: 0 },
      { method: 'temperature', inverse: 1e20 },
    ] as const) {
      expect(calibratedProbability(two(calibrator), z)).toBe(z > 0 ? 1 : 0);
      // of three that are equally far away each has a third
      expect([...apply(three(calibrator), [z, z, z], 3)]).toEqual([1 / 3, 1 / 3, 1 / 3]);
    }
  }
});

test('isotonic never passes the right end of a step, where rounding would', () => {
  for (let i = 1; i < 100; i++) {
    for (let j = i; j < 100; j++) {
      const [low, high] = [i / 100, j / 100];
      // 0 is so close to 1, seen from -1e17, that the part is 1
      const isotonic = two({ method: 'isotonic', logits: [-1e17, 1], probabilities: [low, high] });
      expect(calibratedProbability(isotonic, 0)).toBeLessThanOrEqual(high);
    }
  }
});

test('probabilities may be written over the logits', () => {
  for (const calibrator of all) {
    const z = Float64Array.of(-1, 0.2, 3, 2, -0.3, 0.5);
    const wanted = apply(three(calibrator), z, 3);
    applyCalibration(three(calibrator), z, z, 3);
    expect(z).toEqual(wanted);
  }
});

describe('in a model file', () => {
  const good: readonly [Calibration, number][] = [
    ...all.map((calibrator): [Calibration, number] => [two(calibrator, [0.3]), 2]),
    ...all.map((calibrator): [Calibration, number] => [three(calibrator, [0.3, 0, -1]), 3]),
    [{ ...two(calibrators[0]), by: { folds: 5, rows: 100 } }, 2],
    [{ ...two(calibrators[1]), by: { folds: null, rows: 100 } }, 2],
  ];
  test('what fits and what is fitted passes', () => {
    for (const [calibration, classes] of good) {
      expect(findWrongCalibration(JSON.parse(JSON.stringify(calibration)), classes)).toBeNull();
    }
    const z = Float64Array.from({ length: 60 }, (_, i) => Math.sin(i));
    const y = z.map((value, i) => Number(value > (i % 5) / 5 - 0.4));
    for (const method of ['platt', 'isotonic', 'beta', 'temperature'] as const) {
      expect(findWrongCalibration(fitCalibration(method, [z], y), 2)).toBeNull();
      const planes = [z, z.map((value) => -value), z.map((value) => value ** 2)];
      expect(
        findWrongCalibration(
          fitCalibration(
            method,
            planes,
            y.map((label, i) => label + Number(i % 3 === 0)),
          ),
          3,
        ),
      ).toBeNull();
    }
  });

  const platt = two(calibrators[0]);
  const beta = calibrators[1] as Extract<Calibrator, { method: 'beta' }>;
  const isotonic = calibrators[3] as Extract<Calibrator, { method: 'isotonic' }>;
  const steps = (changes: object) => ({ ...two(isotonic), calibrators: [{ ...isotonic, ...changes }] });
  test.each([
    [null, ''],
    [[], ''],
    ['platt', ''],
    [{}, '.method'],
    [{ ...platt, method: 'constructor' }, '.method'],
    [{ ...platt, method: 'isotonic' }, '.calibrators.0.method'],
    [{ ...platt, calibrators: null }, '.calibrators'],
    [{ ...platt, calibrators: [] }, '.calibrators'],
    [{ ...platt, calibrators: [calibrators[0], calibrators[0]] }, '.calibrators'],
    [{ ...two(null), calibrators: [calibrators[0]] }, '.calibrators'],
    [{ ...platt, calibrators: [7] }, '.calibrators.0'],
    [{ ...platt, calibrators: [{ method: 'platt', a: '1', b: 0 }] }, '.calibrators.0.a'],
    [{ ...platt, calibrators: [{ method: 'platt', a: 1 }] }, '.calibrators.0.b'],
    [two({ ...beta, b: -1 }), '.calibrators.0.b'],
    [two({ method: 'temperature', inverse: -1 }), '.calibrators.0.inverse'],
    [steps({ logits: [] }), '.calibrators.0.logits'],
    [steps({ logits: [-2, -1, -1, 0.75, 3] }), '.calibrators.0.logits'],
    [steps({ logits: [-2, -1, 0, 1, 1e301] }), '.calibrators.0.logits'],
    [steps({ probabilities: [0, 0.1, 0.1, 0.6] }), '.calibrators.0.probabilities'],
    [steps({ probabilities: [0, 0.1, 0.05, 0.6, 1] }), '.calibrators.0.probabilities'],
    [steps({ probabilities: [0, 0.1, 0.1, 0.6, 1.1] }), '.calibrators.0.probabilities'],
    [{ ...platt, shift: 0 }, '.shift'],
    [{ ...platt, shift: [0, 0] }, '.shift'],
    [{ ...platt, shift: [701] }, '.shift'],
    [{ ...platt, by: undefined }, '.by'],
    [{ ...platt, by: { folds: 5, rows: 1.5 } }, '.by'],
    [{ ...platt, by: { folds: '5', rows: 10 } }, '.by'],
  ])('%j is wrong at "%s"', (value, path) => {
    expect(findWrongCalibration(value, 2)).toBe(path);
  });
  test('several classes have one calibrator each, of temperature one', () => {
    expect(findWrongCalibration(two(calibrators[0]), 3)).toBe('.calibrators');
    expect(findWrongCalibration({ ...three(calibrators[2]), calibrators: Array(3).fill(calibrators[2]) }, 3)).toBe(
      '.calibrators',
    );
    expect(findWrongCalibration(three(calibrators[0], [0.1]), 3)).toBe('.shift');
  });
});
