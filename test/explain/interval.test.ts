import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sigmoid } from '../../bindings/js/math.ts';
import { calibratedProbability } from '../../src/calibrate/apply.ts';
import type { Calibration } from '../../src/calibrate/calibration.ts';
import { tableFromRecords } from '../../src/encode/records.ts';
import { interval, type ProbabilityInterval } from '../../src/explain/interval.ts';
import { oddsRatios } from '../../src/explain/odds.ts';
import { normalQuantile } from '../../src/math/normal.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { Model } from '../../src/model/model.ts';
import { outcomes } from '../../src/model/outcomes.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import { sweep } from '../full.ts';
import { classModel, smallCovariance, smallModel } from '../model/parts.ts';
import { RICH, seededModel } from './models.ts';

const oracle = JSON.parse(readFileSync('test/fixtures/explain.json', 'utf8'));

const recordOf = (x: number[]) => Object.fromEntries(x.map((value, j) => [`x${j}`, value]));
const fitted = (x: number[][], y: number[], name: (code: number) => string) =>
  fitTable(tableFromRecords(x.map((row, i) => ({ ...recordOf(row), y: name(y[i]) }))), {
    target: 'y',
    penalty: 'none',
    inference: true,
    tol: 1e-12,
  }).model;

/** The interval of each class: a record has that of its label, so each class is the label once. */
const classIntervals = (model: Model, record: object, level?: number): ProbabilityInterval[] => {
  const { manifest, encoder, weights, intercept, covariance, baseline, stages } = model;
  const parts = { manifest, encoder, weights, intercept, covariance, baseline, stages };
  return Array.from(intercept, (_, k) =>
    interval({ ...parts, score: () => ({ ...model.score(record), label: manifest.classes[k] }) }, record, level),
  );
};

test('normal quantiles as mpmath has them', () => {
  for (const [p, z] of oracle.quantiles)
    expect(Math.abs(normalQuantile(p) - z)).toBeLessThanOrEqual(1e-15 + 1e-14 * Math.abs(z));
  expect(normalQuantile(0.025)).toBeCloseTo(-1.959963984540054, 14);
  expect([0, 1, -0.1, 1.1, Number.NaN].map(normalQuantile)).toEqual([
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    Number.NaN,
    Number.NaN,
  ]);
});

describe('statsmodels', () => {
  const { x, y, rows, level, stdError, low, high, deltas, oddsRatios: ratios } = oracle.twoClasses;
  const model = fitted(x, y, (code) => ['no', 'yes'][code]);

  test('intervals of probabilities of two classes (1e-8: both fits iterate)', () => {
    rows.forEach((row: number[], i: number) => {
      const one = interval(model, recordOf(row), level);
      expect(Math.abs(one.stdError / stdError[i] - 1)).toBeLessThan(1e-8);
      expect(Math.abs(one.low - low[i])).toBeLessThan(1e-8);
      expect(Math.abs(one.high - high[i])).toBeLessThan(1e-8);
      expect([one.low, one.high]).toEqual([sigmoid(one.logitLow), sigmoid(one.logitHigh)]);
    });
  });

  test('odds ratios of changes with intervals', () => {
    const found = oddsRatios(model, recordOf(deltas) as Record<string, number>);
    found.forEach(({ class: of, feature, delta, oddsRatio, low, high }, j) => {
      expect([of, feature, delta]).toEqual(['yes', `x${j}`, deltas[j]]);
      [oddsRatio, low!, high!].forEach((value, end) => {
        expect(Math.abs(value / ratios[j][end] - 1)).toBeLessThan(1e-7);
      });
    });
  });

  test('three classes by the delta method (1e-7: both fits iterate)', () => {
    const { x, y, rows, odds } = oracle.threeClasses;
    const model = fitted(x, y, (code) => 'abc'[code]);
    rows.forEach((row: number[], i: number) => {
      classIntervals(model, recordOf(row)).forEach(({ logitLow, logitHigh, stdError, low }, k) => {
        const [centre, error] = odds[3 * i + k];
        expect(Math.abs((logitLow + logitHigh) / 2 - centre)).toBeLessThan(1e-7);
        expect(Math.abs(stdError - error)).toBeLessThan(1e-7);
        expect(low).toBe(sigmoid(logitLow));
      });
    });
  });
});

/** A positive definite matrix, but for a parameter that is pinned. */
function seededCovariance(size: number, seed: number, pinned: number): Float64Array {
  const random = splitmix32(seed);
  const root = Float64Array.from({ length: size * size }, () => random() - 0.5);
  const out = new Float64Array(size * size);
  for (let a = 0; a < size; a++) {
    for (let b = 0; b < size; b++) {
      if (a === pinned || b === pinned) continue;
      for (let c = 0; c < size; c++) out[a * size + b] += 0.01 * root[a * size + c] * root[b * size + c];
    }
  }
  return out;
}

const records = fc.record({
  age: fc.option(fc.double({ min: 20, max: 60, noNaN: true })),
  income: fc.option(fc.double({ min: 0, max: 50, noNaN: true })),
  city: fc.option(fc.constantFrom('Bonn', 'Köln', 'Ulm')),
  exposure: fc.double({ min: -2, max: 2, noNaN: true }),
});

/** x of a record: of each slot its entry, then 1 */
function designOf({ encoder }: Model, record: Readonly<Record<string, unknown>>): Float64Array {
  const row = new Float64Array(encoder.specs.length);
  encoder.encodeRecord(record, row);
  const x = new Float64Array(encoder.slots + 1);
  let first = 0;
  encoder.specs.forEach((spec, j) => {
    x[first + (spec.kind === 'numeric' ? 0 : row[j])] = spec.kind === 'numeric' ? row[j] : 1;
    first += spec.kind === 'numeric' ? 1 : spec.slots;
  });
  x[encoder.slots] = 1;
  return x;
}

test('rich features: the variance is xᵀΣx over all slots, the centre the logit with its offset', () => {
  const model = seededModel(RICH, 5, { covariance: seededCovariance(19, 8, 10) }, { offset: 'exposure' });
  fc.assert(
    fc.property(records, (record) => {
      const x = designOf(model, record);
      let variance = 0;
      for (let a = 0; a < 19; a++) for (let b = 0; b < 19; b++) variance += x[a] * model.covariance![a * 19 + b] * x[b];
      const { stdError, logitLow, logitHigh, low, high } = interval(model, record, 0.8);
      expect(stdError).toBeCloseTo(Math.sqrt(variance), 9);
      expect((logitLow + logitHigh) / 2).toBeCloseTo(model.score(record).logit, 9);
      expect(logitHigh - logitLow).toBeCloseTo(2 * 1.2815515655446004 * stdError, 9);
      const { probability } = model.score(record);
      expect(low <= probability && probability <= high).toBe(true);
    }),
  );
});

test.each(['multinomial', 'ovr'] as const)(
  'three classes: the gradient of the log-odds by finite differences (%s)',
  (multiclass) => {
    const covariance = seededCovariance(3 * 8, 4, 9);
    const model = classModel({ multiclass }, { covariance, intercept: Float64Array.of(9, -4, -9) });
    const odds = (parameters: Float64Array, record: Record<string, unknown>, k: number) => {
      const weights = Float64Array.from({ length: 21 }, (_, i) => parameters[Math.floor(i / 7) * 8 + (i % 7)]);
      const intercept = Float64Array.of(parameters[7], parameters[15], parameters[23]);
      const p = new Model({ ...model, weights, intercept }).score(record).probabilities![k];
      return Math.log(p / (1 - p));
    };
    for (const record of [
      { age: 38, city: 'Bonn' },
      { age: null, city: 'Köln' },
      { age: 36.5, city: null },
    ]) {
      const start = Float64Array.from({ length: 24 }, (_, i) =>
        i % 8 === 7 ? model.intercept[(i - 7) / 8] : model.weights[Math.floor(i / 8) * 7 + (i % 8)],
      );
      classIntervals(model, record).forEach(({ stdError, logitLow, logitHigh }, k) => {
        const gradient = start.map((_, i) => {
          const moved = (by: number) =>
            odds(
              start.map((value, j) => (j === i ? value + by : value)),
              record,
              k,
            );
          return (moved(1e-5) - moved(-1e-5)) / 2e-5;
        });
        let variance = 0;
        gradient.forEach((a, i) => {
          gradient.forEach((b, j) => {
            variance += a * covariance[i * 24 + j] * b;
          });
        });
        expect(stdError / Math.sqrt(variance)).toBeCloseTo(1, 5); // differences of 1e-5 in doubles
        expect((logitLow + logitHigh) / 2).toBeCloseTo(odds(start, record, k), 8);
      });
      const { label } = model.score(record);
      expect(interval(model, record)).toEqual(classIntervals(model, record)[model.manifest.classes.indexOf(label)]);
    }
  },
);

describe('calibrated', () => {
  const by = null;

  test('two classes: the ends of the logit go through the calibration, whichever way it runs', () => {
    const calibrations: Calibration[] = [
      { method: 'platt', calibrators: [{ method: 'platt', a: -0.5, b: 1 }], shift: [0.25], by },
      {
        method: 'isotonic',
        calibrators: [{ method: 'isotonic', logits: [-1, 0, 2], probabilities: [0.1, 0.4, 0.8] }],
        shift: [],
        by,
      },
    ];
    for (const one of calibrations) {
      const model = smallModel({ calibration: one }, { covariance: smallCovariance(), stages: { outcomes } });
      const { low, high, logitLow, logitHigh } = interval(model, { age: 40.5, city: 'Bonn' });
      const ends = [logitLow, logitHigh].map((z) => calibratedProbability(one, z));
      expect([low, high]).toEqual(ends.sort((a, b) => a - b));
      expect(low).toBeLessThan(high);
    }
  });

  test('several classes: a prior correction is a shift of the intercepts, a temperature a scale of all estimates', () => {
    const covariance = seededCovariance(24, 4, 9);
    const parts = { covariance, stages: { outcomes } };
    const { weights, intercept } = classModel();
    const shift = [0.5, -1.25, 2];
    const inverse = 0.75;
    const calibration: Calibration = {
      method: 'temperature',
      calibrators: [{ method: 'temperature', inverse }],
      shift,
      by,
    };
    const pairs = [
      [
        classModel({ calibration: { method: 'none', calibrators: [], shift, by } }, parts),
        classModel({}, { ...parts, intercept: intercept.map((value, k) => value + shift[k]) }),
      ],
      [
        classModel({ calibration }, parts),
        classModel(
          {},
          {
            covariance: covariance.map((value) => value * inverse * inverse),
            weights: weights.map((weight) => weight * inverse),
            intercept: intercept.map((value, k) => value * inverse + shift[k]),
          },
        ),
      ],
    ];
    for (const [calibrated, plain] of pairs) {
      for (const record of [
        { age: 38, city: 'Bonn' },
        { age: null, city: 'Köln' },
      ]) {
        const expected = classIntervals(plain, record);
        classIntervals(calibrated, record).forEach((one, k) => {
          for (const end of ['low', 'high', 'logitLow', 'logitHigh', 'stdError'] as const)
            expect(one[end]).toBeCloseTo(expected[k][end], 10);
        });
      }
    }
    // one-vs-rest: odds of the shares that are multiplied by exp(shift)
    const ovr = { multiclass: 'ovr' } as const;
    const corrected = classModel({ ...ovr, calibration: { method: 'none', calibrators: [], shift, by } }, parts);
    const record = { age: 36.5, city: 'Bonn' };
    const z = corrected.score(record).logits!;
    const odds = (logits: readonly number[], k: number) => {
      const shares = logits.map((logit, j) => Math.exp(shift[j]) / (1 + Math.exp(-logit)));
      return Math.log(shares[k] / shares.reduce((sum, share, j) => (j === k ? sum : sum + share), 0));
    };
    const x = designOf(corrected, record);
    classIntervals(corrected, record).forEach(({ stdError, logitLow, logitHigh }, k) => {
      const gradient = Array.from(z, (_, j) => {
        const moved = (by: number) =>
          odds(
            Array.from(z, (logit, l) => (l === j ? logit + by : logit)),
            k,
          );
        return (moved(1e-5) - moved(-1e-5)) / 2e-5;
      });
      let variance = 0;
      for (let a = 0; a < 24; a++)
        for (let b = 0; b < 24; b++)
          variance += gradient[a >> 3] * x[a & 7] * covariance[a * 24 + b] * x[b & 7] * gradient[b >> 3];
      expect(stdError / Math.sqrt(variance)).toBeCloseTo(1, 6); // differences of 1e-5 in doubles
      expect((logitLow + logitHigh) / 2).toBeCloseTo(odds([...z], k), 10);
    });
  });

  test('several classes: calibrators of each, a slope of 1 changes nothing, one of a half halves the logits', () => {
    const platt = (slope: number): Calibration => ({
      method: 'platt',
      calibrators: [0, 1, 2].map(() => ({ method: 'platt', a: slope, b: 0 })),
      shift: [],
      by,
    });
    const model = (one: Calibration | null, scale = 1) =>
      classModel(
        { calibration: one, multiclass: 'ovr' },
        {
          covariance: seededCovariance(24, 4, 9).map((value) => 1e-6 * value * scale * scale),
          weights: classModel().weights.map((weight) => weight * scale),
          intercept: classModel().intercept.map((value) => value * scale),
          stages: { outcomes },
        },
      );
    const record = { age: 37, city: 'Bonn' };
    for (const [calibrated, plain] of [
      [model(platt(1)), model(null)],
      [model(platt(0.5)), model(null, 0.5)],
    ]) {
      const expected = classIntervals(plain, record);
      classIntervals(calibrated, record).forEach(({ stdError, logitLow }, k) => {
        expect(stdError / expected[k].stdError).toBeCloseTo(1, 3); // slope over ±1 standard error instead of at the point
        expect(logitLow).toBeCloseTo(expected[k].logitLow, 5);
      });
    }
  });
});

test('a long table gives the intervals of its records, with their offsets', () => {
  const model = seededModel(RICH, 5, { covariance: seededCovariance(19, 8, 10) }, { offset: 'exposure' });
  const rows = Array.from({ length: 2100 }, (_, i) => ({
    age: 20 + (i % 41),
    income: i % 50,
    city: i % 3 === 0 ? null : 'Bonn',
    exposure: i / 2100,
  }));
  const { low, high, stdError } = interval(model, tableFromRecords(rows));
  rows.forEach((row, i) => {
    const one = interval(model, row);
    expect([low[i], high[i], stdError[i]]).toEqual([one.low, one.high, one.stdError]);
  });
});

test.each([false, true])('a table gives the intervals of its records (three classes: %s)', (classes) => {
  const size = (classes ? 3 : 1) * 19;
  const model = seededModel(RICH, 5, { classes, covariance: seededCovariance(size, 8, 10) });
  fc.assert(
    fc.property(fc.array(records, { minLength: 1, maxLength: 6 }), (rows) => {
      const { low, high, stdError } = interval(model, tableFromRecords(rows, ['age', 'income', 'city']), 0.9);
      rows.forEach((row, i) => {
        classIntervals(model, row, 0.9).forEach((one, k) => {
          const at = k * rows.length + i;
          expect([low[at], high[at], stdError[at]]).toEqual([one.low, one.high, one.stdError]);
        });
      });
    }),
  );
});

test('refused in one sentence', () => {
  const record = { age: 1, city: 'Bonn' };
  expect(() => interval(smallModel(), record)).toThrow(
    'interval: expected a model with the covariance of its estimates, got none',
  );
  const model = smallModel({}, { covariance: smallCovariance() });
  expect(() => interval(model, record, 95)).toThrow('level: expected a number above 0 and below 1, got 95');
  expect(() => oddsRatios(model, { city: 1 })).toThrow(
    'odds ratio of "city": expected a numeric feature without a transform, got categorical',
  );
  expect(() => oddsRatios(model, { town: 1 })).toThrow(
    'feature: expected one of the columns "age", "city", got "town"',
  );
  expect(() => oddsRatios(model, { age: Number.NaN })).toThrow('change of "age": expected a finite number, got NaN');
  expect(() => oddsRatios(seededModel(RICH, 1), { age: 1 })).toThrow('got numeric, curve');
  expect(oddsRatios(smallModel(), { age: 2 })).toEqual([
    { class: 'yes', feature: 'age', delta: 2, oddsRatio: expect.closeTo(Math.exp(0.5), 12), low: null, high: null },
  ]);
});

test('95 % intervals cover the true probability in 95 % ± 1 of seeded samples', () => {
  const random = splitmix32(20260613);
  const normal = () => normalQuantile((random() * 4294967295 + 0.5) / 4294967296);
  const truth = [-0.4, 0.8, -0.5];
  const targets = [
    [0, 0],
    [1, 1],
    [-1.5, 0.5],
    [0.5, -1],
  ];
  const replicates = sweep(500, 1500);
  const rows = 400;
  let covered = 0;
  for (let replicate = 0; replicate < replicates; replicate++) {
    const x0 = new Float64Array(rows);
    const x1 = new Float64Array(rows);
    const codes = new Uint8Array(rows);
    for (let i = 0; i < rows; i++) {
      x0[i] = normal();
      x1[i] = normal();
      codes[i] = random() < sigmoid(truth[0] + truth[1] * x0[i] + truth[2] * x1[i]) ? 1 : 0;
    }
    const { model } = fitTable(
      {
        rows,
        columns: [
          { name: 'x0', kind: 'numeric', values: x0 },
          { name: 'x1', kind: 'numeric', values: x1 },
          { name: 'y', kind: 'coded', codes, levels: ['no', 'yes'] },
        ],
      },
      { target: 'y', penalty: 'none', inference: true },
    );
    for (const [a, b] of targets) {
      const { low, high } = interval(model, { x0: a, x1: b });
      const p = sigmoid(truth[0] + truth[1] * a + truth[2] * b);
      if (low <= p && p <= high) covered++;
    }
  }
  expect(Math.abs(covered / (replicates * targets.length) - 0.95)).toBeLessThanOrEqual(0.01);
}, 60_000);
