import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CurveFeature, Schema } from '../../src/encode/schema.ts';
import { whatIf } from '../../src/explain/whatIf.ts';
import { outcomes } from '../../src/model/outcomes.ts';
import { classModel, smallModel } from '../model/parts.ts';
import { RICH, seededModel } from './models.ts';

/** the double next to x in a direction */
function next(x: number, up: boolean): number {
  const [float, bits] = [new Float64Array(1), new BigInt64Array(1)];
  const view = new DataView(bits.buffer);
  float[0] = x === 0 ? (up ? Number.MIN_VALUE : -Number.MIN_VALUE) : x;
  if (x === 0) return float[0];
  view.setFloat64(0, x);
  view.setBigInt64(0, view.getBigInt64(0) + (x > 0 === up ? 1n : -1n));
  return view.getFloat64(0);
}

describe('a straight line', () => {
  const records = fc.record({
    age: fc.double({ min: -200, max: 200, noNaN: true }),
    city: fc.constantFrom('Bonn', 'Köln'),
  });

  test('the double before the answer does not flip, the answer does', () => {
    fc.assert(
      fc.property(records, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (record, threshold) => {
        const model = smallModel({ decision: { threshold } });
        const { to, score, from, extrapolated, reason } = whatIf(model, record, 'age');
        const { label } = model.score(record);
        expect(from).toBe(record.age);
        expect(reason).toBe(null);
        expect(score).toEqual(model.score({ ...record, age: to }));
        expect(score!.label).not.toBe(label);
        expect(model.score({ ...record, age: next(to as number, (to as number) < record.age) }).label).toBe(label);
        expect(extrapolated).toBe((to as number) < 20 || (to as number) > 60);
        // the closed form: (log(t/(1 − t)) − z)/w
        const line = record.age + (Math.log(threshold / (1 - threshold)) - model.score(record).logit) / 0.25;
        expect(Math.abs((to as number) - line)).toBeLessThan(1e-11 * (1 + Math.abs(line) + Math.abs(record.age)));
      }),
    );
  });

  test('of three classes the nearest other one', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 80, noNaN: true }), (age) => {
        const model = classModel();
        const record = { age, city: 'Bonn' };
        const { label } = model.score(record);
        const to = whatIf(model, record, 'age').to as number;
        expect(model.score({ ...record, age: to }).label).not.toBe(label);
        for (let part = 0; part < 50; part++) {
          const between = age + ((to - age) * part) / 50;
          for (const place of [between, 2 * age - between])
            expect(model.score({ ...record, age: place }).label).toBe(label);
        }
      }),
    );
  });

  test('through a calibration', () => {
    const isotonic = { method: 'isotonic', logits: [-4, -1, 1, 3], probabilities: [0, 0.2, 0.6, 0.9] } as const;
    const model = smallModel(
      { calibration: { method: 'isotonic', calibrators: [isotonic], shift: [], by: null } },
      { stages: { outcomes } },
    );
    // p = 0.5 at z = 0.5: age 42
    expect(whatIf(model, { age: 30, city: 'Bonn' }, 'age').to).toBeCloseTo(42, 10);
    const never = smallModel(
      {
        calibration: { method: 'isotonic', calibrators: [isotonic], shift: [], by: null },
        decision: { threshold: 0.95 },
      },
      { stages: { outcomes } },
    );
    const none = whatIf(never, { age: 30, city: 'Bonn' }, 'age');
    expect([none.to, none.score, none.reason]).toEqual([null, null, 'no value of "age" changes the label']);
  });

  test('a weight of 0, a missing number, an offset', () => {
    const weightless = smallModel({}, { weights: new Float64Array(7) });
    expect(whatIf(weightless, { age: 30, city: 'Bonn' }, 'age').reason).toBe('no value of "age" changes the label');
    // filled in with the mean the logit is 0, not above the threshold; just above it the label changes
    const filled = whatIf(smallModel(), { age: null, city: 'Bonn' }, 'age');
    expect([filled.from, filled.to]).toEqual([null, next(40, true)]);
    const offset = smallModel({ offset: 'exposure' });
    expect(whatIf(offset, { age: 30, city: 'Bonn', exposure: -1 }, 'exposure').to).toBeCloseTo(2.5, 12);
  });
});

describe('categories', () => {
  test('the level of the smallest change of the logit', () => {
    const features: Schema['features'] = [
      { name: 'x', kind: 'numeric', mean: 0, scale: 1, min: -1, max: 1, indicator: false },
      {
        name: 'code',
        kind: 'categorical',
        column: 'city',
        levels: ['a', 'b', 'c', '7'],
        rare: ['d'],
        counts: [1, 1, 1, 1, 0],
        coding: 'onehot',
        reference: null,
        missing: 'slot',
        unseen: 'slot',
      },
    ];
    // x, a, b, c, 7, missing, unseen
    const parts = {
      weights: Float64Array.of(1, -1, 2, 0.5, 1, 9, 0.25),
      intercept: Float64Array.of(0),
      baseline: null,
    };
    const model = seededModel({ features }, 1, parts);
    const whatIfCity = (record: Record<string, unknown>) => whatIf(model, record, 'city').to;
    expect(whatIfCity({ x: 0, city: 'a' })).toBe('d'); // the rare level, +1.25
    expect(whatIfCity({ x: -0.3, city: 'a' })).toBe('c');
    expect(whatIfCity({ x: -0.5, city: 7.5 })).toBe(7); // as the record writes it
    expect(whatIfCity({ x: 0, city: 'b' })).toBe('a');
    expect(whatIfCity({ x: 0, city: null })).toBe('a'); // missing is no answer, only a start
    const none = whatIf(model, { x: 5, city: 'b' }, 'city');
    expect([none.to, none.reason]).toEqual([null, 'no level of "city" changes the label']);
  });

  test('with crosses and bins of other columns: exhaustive search agrees', () => {
    const record = fc.record({
      seed: fc.nat(100),
      age: fc.double({ min: 20, max: 60, noNaN: true }),
      income: fc.double({ min: 0, max: 50, noNaN: true }),
      city: fc.constantFrom('Bonn', 'Köln'),
    });
    let found = 0;
    fc.assert(
      fc.property(record, ({ seed, ...one }) => {
        const model = seededModel(RICH, seed);
        const now = model.score(one);
        const other = one.city === 'Bonn' ? 'Köln' : 'Bonn';
        const flips = model.score({ ...one, city: other }).label !== now.label;
        if (flips) found++;
        expect(whatIf(model, one, 'city').to).toBe(flips ? other : null);
      }),
    );
    expect(found).toBeGreaterThan(0);
  });
});

describe('bins, splines and several features of one column', () => {
  const inputs = fc.record({
    age: fc.double({ min: 15, max: 65, noNaN: true }),
    income: fc.double({ min: -3, max: 55, noNaN: true }),
    city: fc.constantFrom('Bonn', 'Köln'),
  });

  /** nearest of a fine grid that flips */
  const byGrid = (
    model: ReturnType<typeof seededModel>,
    record: Record<string, unknown>,
    column: string,
    low: number,
    high: number,
  ) => {
    const now = model.score(record).label;
    const start = record[column] as number;
    let best: number | null = null;
    for (let part = 0; part <= 4000; part++) {
      const x = low + ((high - low) * part) / 4000;
      if (model.score({ ...record, [column]: x }).label === now) continue;
      if (best === null || Math.abs(x - start) < Math.abs(best - start)) best = x;
    }
    return best;
  };

  test.each(['age', 'income'])('nothing on a fine grid is nearer: %s', (column) => {
    let answers = 0;
    fc.assert(
      fc.property(inputs, fc.integer({ min: 1, max: 500 }), (record, seed) => {
        const model = seededModel(RICH, seed);
        const start = record[column as 'age'];
        const { to, score } = whatIf(model, record, column);
        const grid = byGrid(model, record, column, -50, 130);
        if (grid !== null) {
          expect(to).not.toBe(null);
          expect(Math.abs((to as number) - start)).toBeLessThanOrEqual(Math.abs(grid - start));
        }
        if (to !== null) {
          answers++;
          expect(score!.label).not.toBe(model.score(record).label);
          expect(model.score({ ...record, [column]: next(to as number, (to as number) < start) }).label).toBe(
            model.score(record).label,
          );
        }
      }),
      { numRuns: 60 },
    );
    expect(answers).toBeGreaterThan(3);
  });

  test('a bin is left at its edge: upwards at the edge itself, downwards just below it', () => {
    const features = RICH.features.filter(({ name }) => name === 'income bins');
    const parts = { weights: Float64Array.of(-1, 1, -1, 0, 0), intercept: Float64Array.of(0), baseline: null };
    const model = seededModel({ features }, 1, parts);
    expect(whatIf(model, { income: 8 }, 'income').to).toBe(10);
    expect(whatIf(model, { income: 19 }, 'income').to).toBe(20);
    expect(whatIf(model, { income: 11 }, 'income').to).toBe(next(10, false));
    expect(whatIf(model, { income: 49 }, 'income').to).toBe(next(20, false));
  });

  test('a turn of a spline between two places is found', () => {
    const curve = { ...(RICH.features[1] as CurveFeature), knots: [20, 40, 60] };
    // rises, then falls: the top is at one place only, and the threshold just below it
    const weights = Float64Array.of(0.1, -0.4);
    const schema = { features: [curve] };
    const plain = seededModel(schema, 1, { weights, intercept: Float64Array.of(0), baseline: null });
    const logit = (age: number) => plain.score({ age }).logit;
    let top = 20;
    for (let age = 20; age < 60; age += 0.001) if (logit(age) > logit(top)) top = age;
    const model = seededModel(schema, 1, { weights, intercept: Float64Array.of(-logit(top) + 1e-6), baseline: null });
    for (const age of [20, 59]) {
      const { to } = whatIf(model, { age }, 'age');
      expect(Math.abs((to as number) - top)).toBeLessThan(0.1);
    }
  });

  test('nothing on a fine grid is nearer: splines of many turns', () => {
    const curve = { ...(RICH.features[1] as CurveFeature), knots: [20, 22, 40, 58, 60] };
    const weight = fc.integer({ min: -100, max: 100 });
    fc.assert(
      fc.property(
        fc.tuple(weight, weight, weight, weight),
        fc.integer({ min: 20, max: 60 }),
        fc.integer({ min: 20, max: 60 }),
        ([a, b, c, d], from, pivot) => {
          const weights = Float64Array.of(a / 40, b / 20, c / 20, d / 20);
          const make = (intercept: number) =>
            seededModel({ features: [curve] }, 1, { weights, intercept: Float64Array.of(intercept), baseline: null });
          // the logit is 0 at the pivot
          const model = make(-make(0).score({ age: pivot }).logit);
          const { to } = whatIf(model, { age: from }, 'age');
          const grid = byGrid(model, { age: from }, 'age', 10, 70);
          if (grid !== null) expect(Math.abs((to as number) - from)).toBeLessThanOrEqual(Math.abs(grid - from));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a dip between knots is found though the places around it rise', () => {
    // second derivative 0, −1, 1, 0 at the knots, slope 1.7 at 10: up to 12.2, down to 17.8, up again; below 9.8 nothing changes
    const curve: CurveFeature = {
      ...(RICH.features[1] as CurveFeature),
      knots: [0, 10, 20, 30],
      low: 9.8,
      min: 9.8,
      max: 30,
    };
    const make = (intercept: number) =>
      seededModel({ features: [curve] }, 1, {
        weights: Float64Array.of(6.7, -15, 45),
        intercept: Float64Array.of(intercept),
        baseline: null,
      });
    const model = make(1 - make(0).score({ age: 10 }).logit);
    const { to } = whatIf(model, { age: 9.9 }, 'age');
    const grid = byGrid(model, { age: 9.9 }, 'age', 0, 60) as number;
    expect(grid).toBeGreaterThan(15);
    expect(to).toBeLessThanOrEqual(grid);
    expect(model.score({ age: to }).label).toBe('no');
  });

  test('knots behind a transform, and ends that refuse', () => {
    const curve: CurveFeature = {
      ...(RICH.features[1] as CurveFeature),
      transform: { name: 'log' },
      knots: [1, 3, 5],
      low: 1,
      high: 500,
      min: 1,
      max: 500,
      range: 'error',
    };
    const schema = { features: [curve] };
    const model = seededModel(schema, 1, {
      weights: Float64Array.of(1, 0.1),
      intercept: Float64Array.of(-3),
      baseline: null,
    });
    const { to } = whatIf(model, { age: 2 }, 'age');
    expect(model.score({ age: to }).label).toBe('yes');
    expect(model.score({ age: next(to as number, false) }).label).toBe('no');
    const out = seededModel(schema, 1, {
      weights: Float64Array.of(1, 0.1),
      intercept: Float64Array.of(-300),
      baseline: null,
    });
    expect(whatIf(out, { age: 2 }, 'age').reason).toBe('no value of "age" changes the label');
  });
});

test('what cannot be searched says why, and a column that is none is refused', () => {
  const features: Schema['features'] = [
    {
      name: 'weekday',
      kind: 'date',
      column: 'day',
      part: 'weekday',
      levels: ['1', '2'],
      counts: [1, 1, 0],
      coding: 'onehot',
      reference: null,
      missing: 'slot',
      unseen: 'slot',
    },
  ];
  const model = seededModel({ features }, 1, { weights: new Float64Array(4), baseline: null });
  expect(whatIf(model, { day: '2024-05-06' }, 'day').reason).toBe(
    'values of "day" are not searched: the model does not list them (date)',
  );
  expect(() => whatIf(smallModel(), { age: 1, city: 'Bonn' }, 'town')).toThrow(
    'feature: expected one of the columns "age", "city", got "town"',
  );
  expect(() => whatIf(smallModel(), { age: 'x', city: 'Bonn' }, 'age')).toThrow('field "age"');
});
