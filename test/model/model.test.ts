import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Engine, pickEngine } from '../../bindings/engine.ts';
import { exp, sigmoid } from '../../bindings/js/math.ts';
import { pickScoringEngine } from '../../bindings/pickScoring.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';
import { tableFromRecords } from '../../src/encode/records.ts';
import type { Table } from '../../src/encode/table.ts';
import { Model } from '../../src/model/model.ts';
import { CLASSES, classModel, manifestOf, smallModel, smallSchema } from './parts.ts';

const error = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });
const engines: [string, Engine][] = [pickEngine('auto'), pickEngine('js')].map((engine) => [engine.name, engine]);

describe('score of a record', () => {
  const model = smallModel();

  test('worked by hand', () => {
    expect(model.score({ age: 44, city: 'Köln' })).toEqual({
      logit: 3,
      probability: sigmoid(3),
      label: 'yes',
      defaulted: 0,
    });
    expect(model.score({ age: 40, city: 'Bonn' })).toEqual({ logit: 0, probability: 0.5, label: 'no', defaulted: 0 });
    expect(model.score({ age: null, city: null })).toEqual({
      logit: -1.5,
      probability: sigmoid(-1.5),
      label: 'no',
      defaulted: 1,
    });
    expect(model.score({ age: 48, city: 'Ulm' })).toMatchObject({ logit: 2, defaulted: 0.5 });
  });

  test('the positive class may be the first, the threshold any', () => {
    const rare = smallModel({ positive: 'no', decision: { threshold: 0.9 } });
    expect(rare.score({ age: 44, city: 'Köln' })).toMatchObject({ logit: 3, label: 'no' });
    expect(rare.score({ age: 40, city: 'Bonn' })).toMatchObject({ logit: 0, label: 'yes' });
  });

  test('the offset is added last and must be there', () => {
    const model = smallModel({ offset: 'exposure' });
    expect(model.score({ age: 40, city: 'Bonn', exposure: 0.75 }).logit).toBe(0.75);
    expect(() => model.score({ age: 40, city: 'Bonn' })).toThrow(
      error('ERR_SCHEMA', 'record: expected column "exposure"'),
    );
    expect(() => model.score({ age: 40, city: 'Bonn', exposure: null })).toThrow(
      error('ERR_RECORD', 'record, field "exposure": expected a finite number, got nothing'),
    );
  });
});

describe('score of a record, three classes', () => {
  const record = { age: 44, city: 'Köln' }; // logits 9 − 11 + 1, −5 + 5.5 − 2, −10.5 + 11 + 0.5

  test('multinomial, worked by hand', () => {
    const [a, b, c] = [exp(-2), exp(-2.5), 1];
    const sum = a + b + c;
    expect(classModel().score(record)).toEqual({
      logit: 1,
      probability: c / sum,
      label: 'car',
      defaulted: 0,
      logits: Float64Array.of(-1, -1.5, 1),
      probabilities: Float64Array.of(a / sum, b / sum, c / sum),
    });
  });

  test('one-vs-rest, worked by hand', () => {
    const [a, b, c] = [sigmoid(-1), sigmoid(-1.5), sigmoid(1)];
    const sum = a + b + c;
    expect(classModel({ multiclass: 'ovr' }).score(record)).toEqual({
      logit: 1,
      probability: c / sum,
      label: 'car',
      defaulted: 0,
      logits: Float64Array.of(-1, -1.5, 1),
      probabilities: Float64Array.of(a / sum, b / sum, c / sum),
    });
  });

  test.each(['multinomial', 'ovr'] as const)('equal logits: the first class, %s', (multiclass) => {
    const model = classModel({ multiclass }, { weights: new Float64Array(21), intercept: Float64Array.of(-1, 2, 2) });
    const { label, probabilities } = model.score(record);
    expect(label).toBe('bus');
    expect(probabilities![1]).toBe(probabilities![2]);
  });

  test.each(['multinomial', 'ovr'] as const)('logits of any size give probabilities of sum 1, %s', (multiclass) => {
    const weights = new Float64Array(21);
    const value = fc.oneof(
      fc.double({ min: -40, max: 40, noNaN: true }),
      fc.double({ min: -2e3, max: 2e3, noNaN: true }),
      fc.constantFrom(-1e300, 1e300),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 3, maxLength: 3 }), (intercept) => {
        const { probabilities, logit, probability } = classModel(
          { multiclass },
          { weights, intercept: Float64Array.from(intercept) },
        ).score(record);
        expect(Math.abs(probabilities!.reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(4 * 2 ** -52); // three quotients rounded
        expect(logit + 0).toBe(Math.max(...intercept) + 0); // −0 is 0
        expect(probability).toBe(Math.max(...probabilities!));
      }),
    );
  });

  test('one-vs-rest far below 0 is the softmax, as the limit is; above, σ over the sum of σ', () => {
    const scores = (intercept: number[], multiclass: 'ovr' | 'multinomial') =>
      classModel({ multiclass }, { weights: new Float64Array(21), intercept: Float64Array.from(intercept) }).score(
        record,
      ).probabilities!;
    expect(scores([-900, -901, -902], 'ovr')).toEqual(scores([-900, -901, -902], 'multinomial'));
    // on both sides of the border the two ways agree: σ(z) is exp(z) to 2^-53
    for (const z of [-37, -36.99]) {
      const sum = sigmoid(z) + sigmoid(z - 1) + sigmoid(z - 3);
      scores([z, z - 1, z - 3], 'ovr').forEach((p, k) => {
        expect(Math.abs(p / (sigmoid(z - [0, 1, 3][k]) / sum) - 1)).toBeLessThan(2 ** -48); // exp(z) for z near −37: 1 ulp each, three of them and two quotients
      });
    }
  });
});

test('parts that do not fit together are refused', () => {
  const three = {
    manifest: manifestOf(smallSchema, CLASSES),
    weights: new Float64Array(21),
    intercept: new Float64Array(3),
    covariance: null,
  };
  expect(new Model({ ...three, covariance: new Float64Array(24 * 24) }).intercept.length).toBe(3);
  expect(() => new Model({ ...three, weights: new Float64Array(7) })).toThrow(
    error('ERR_SHAPE', 'expected 21 weights'),
  );
  expect(() => new Model({ ...three, intercept: new Float64Array(1) })).toThrow(error('ERR_SHAPE', '3 intercepts'));
  expect(() => new Model({ ...three, covariance: new Float64Array(64) })).toThrow(error('ERR_SHAPE', 'got 21, 3, 64'));

  const parts = {
    manifest: manifestOf(smallSchema),
    weights: new Float64Array(7),
    intercept: Float64Array.of(0),
    covariance: null,
  };
  expect(() => new Model({ ...parts, weights: new Float64Array(6) })).toThrow(
    error('ERR_SHAPE', 'model: expected 7 weights, 1 intercepts and covariances, got 6, 1, 0'),
  );
  expect(() => new Model({ ...parts, covariance: new Float64Array(63) })).toThrow(error('ERR_SHAPE', 'got 7, 1, 63'));
});

describe.each(engines)('score of a table by the %s engine', (_, engine) => {
  const value = fc.option(fc.double({ min: -1e9, max: 1e9, noNaN: true }));
  const records = fc.array(
    fc.record({
      age: value,
      city: fc.option(fc.constantFrom('Bonn', 'Köln', 'Ulm')),
      exposure: fc.double({ min: -5, max: 5, noNaN: true }),
    }),
    { maxLength: 40 },
  );
  const names = ['exposure', 'city', 'age'];

  test.each([null, 'exposure'])(
    'has the bits of the record score in f64, whatever the capacity (offset %s)',
    (offset) => {
      const weights = Float64Array.of(0.1, 0, -1 / 3, 0, 1e-3, 0.7, 0);
      const model = smallModel({ offset }, { weights, intercept: Float64Array.of(-0.2) });
      fc.assert(
        fc.property(records, fc.constantFrom(1, 3, 64), (rows, capacity) => {
          const scorer = model.scorer(engine, { capacity });
          try {
            const scores = scorer.score(tableFromRecords(rows, names));
            const expected = rows.map((row) => model.score(row));
            expect(scores.rows).toBe(rows.length);
            expect(Array.from(scores.logits)).toEqual(expected.map(({ logit }) => logit));
            expect(Array.from(scores.probabilities)).toEqual(expected.map(({ probability }) => probability));
            expect(Array.from(scores.labels)).toEqual(expected.map(({ label }) => (label === 'yes' ? 1 : 0)));
          } finally {
            scorer.free();
          }
        }),
      );
    },
  );

  test('a probability at the threshold is not positive', () => {
    const scorer = smallModel().scorer(engine);
    const { probabilities, labels } = scorer.score(tableFromRecords([{ age: 40, city: 'Bonn' }]));
    expect([probabilities[0], labels[0]]).toEqual([0.5, 0]);
    scorer.free();
  });

  test('f32 is within the rounding of cells, weights and three sums', () => {
    const model = smallModel({ offset: 'exposure' });
    const scorer = model.scorer(engine, { precision: 'f32' });
    const rows = [
      { age: 33.3, city: 'Köln', exposure: 0.1 },
      { age: null, city: 'Ulm', exposure: -0.3 },
    ];
    const scores = scorer.score(tableFromRecords(rows));
    expect(scores.logits).toBeInstanceOf(Float32Array);
    rows.forEach((row, i) => {
      const { logit, probability } = model.score(row);
      expect(Math.abs(scores.logits[i] - logit)).toBeLessThan(10 * 2 ** -22); // terms up to 10, 2^-24 relative each
      expect(Math.abs(scores.probabilities[i] - probability)).toBeLessThan(10 * 2 ** -22);
    });
    scorer.free();
  });

  test('the arrays survive what else the engine does until the next call', () => {
    const model = smallModel();
    const scorer = model.scorer(engine);
    const { logits } = scorer.score(tableFromRecords([{ age: 44, city: 'Köln' }]));
    engine.vector(1_000_000, 'f64').free();
    expect(Array.from(logits)).toEqual([3]);
    scorer.free();
  });

  test('free gives all memory back', () => {
    const before = engine.bytesInUse;
    const scorer = smallModel().scorer(engine);
    expect(engine.bytesInUse).toBeGreaterThan(before);
    scorer.free();
    expect(engine.bytesInUse).toBe(before);
  });

  test('errors name the row of the whole input', () => {
    const scorer = smallModel({ offset: 'exposure' }).scorer(engine, { capacity: 2 });
    const table = (age: number[], exposure: number[]): Table => ({
      rows: age.length,
      columns: [
        { name: 'age', kind: 'numeric', values: Float64Array.from(age) },
        { name: 'city', kind: 'coded', codes: new Uint8Array(age.length), levels: ['Bonn'] },
        {
          name: 'exposure',
          kind: 'numeric',
          values: Float64Array.from(exposure),
          missing: Uint8Array.from(exposure, (x) => (x < 0 ? 1 : 0)),
        },
      ],
    });
    expect(() => scorer.score(table([1, 2, Number.NaN], [0, 0, 0]), 1000)).toThrow(
      error('ERR_RECORD', 'row 1002 (from 0), column "age": expected a finite number, got NaN'),
    );
    expect(() => scorer.score(table([1, 2, 3], [0, 0, -1]), 1000)).toThrow(
      error('ERR_RECORD', 'row 1002 (from 0), column "exposure": expected a finite number, got nothing'),
    );
    expect(() => scorer.score({ rows: 0, columns: [] })).toThrow(
      error('ERR_SCHEMA', 'table: expected columns "age", "city", got no column'),
    );
    scorer.free();
  });

  test('a capacity that is none is refused', () => {
    expect(() => smallModel().scorer(engine, { capacity: 0 })).toThrow(
      error('ERR_RANGE', 'capacity: expected an integer >= 1, got 0'),
    );
  });
});

const scorers: [string, ScoringEngine][] = [
  ['wasm with training', pickEngine('wasm')],
  ['js with training', pickEngine('js')],
  ['wasm for scoring', pickScoringEngine('wasm')],
  ['js for scoring', pickScoringEngine('js')],
];

describe.each(scorers)('three classes in a table, %s', (_, engine) => {
  const records = fc.array(
    fc.record({
      age: fc.option(fc.oneof(fc.integer({ min: 0, max: 99 }), fc.double({ min: -1e5, max: 1e5, noNaN: true }))),
      city: fc.option(fc.constantFrom('Bonn', 'Köln', 'Ulm')),
    }),
    { maxLength: 40 },
  );

  test.each(['multinomial', 'ovr'] as const)(
    'the bits of the record score in f64, whatever the capacity (%s)',
    (multiclass) => {
      const model = classModel({ multiclass });
      fc.assert(
        fc.property(records, fc.constantFrom(1, 3, 64), (rows, capacity) => {
          const scorer = model.scorer(engine, { capacity });
          try {
            scorer.score(tableFromRecords([{ age: 1, city: 'Bonn' }])); // the arrays are used again
            const scores = scorer.score(tableFromRecords(rows, ['age', 'city']));
            const expected = rows.map((row) => model.score(row));
            const planes = (of: 'logits' | 'probabilities') =>
              [0, 1, 2].flatMap((k) => expected.map((row) => row[of]![k]));
            expect(scores.rows).toBe(rows.length);
            expect(Array.from(scores.logits)).toEqual(planes('logits'));
            expect(Array.from(scores.probabilities)).toEqual(planes('probabilities'));
            expect(Array.from(scores.labels, (label) => model.manifest.classes[label])).toEqual(
              expected.map(({ label }) => label),
            );
          } finally {
            scorer.free();
          }
        }),
      );
    },
  );

  test.each(['multinomial', 'ovr'] as const)('f32 is the same on every engine, and near (%s)', (multiclass) => {
    const rows = Array.from({ length: 50 }, (_, i) => ({ age: 20 + i * 0.9, city: ['Bonn', 'Köln', null][i % 3] }));
    const score = (on: ScoringEngine) => {
      const scorer = classModel({ multiclass }).scorer(on, { precision: 'f32', capacity: 16 });
      const { logits, probabilities, labels } = scorer.score(tableFromRecords(rows));
      scorer.free();
      return { logits: [...logits], probabilities: [...probabilities], labels: [...labels] };
    };
    const scores = score(engine);
    expect(scores).toEqual(score(scorers[3][1]));
    rows.forEach((row, i) => {
      classModel({ multiclass })
        .score(row)
        .probabilities!.forEach((p, k) => {
          expect(Math.abs(scores.probabilities[k * rows.length + i] - p)).toBeLessThan(30 * 2 ** -23); // logits up to 30, some roundings of 2^-24
        });
    });
  });

  test('free gives all memory back', () => {
    const before = engine.bytesInUse;
    const scorer = classModel().scorer(engine);
    scorer.score(tableFromRecords([{ age: 1, city: 'Bonn' }]));
    scorer.free();
    expect(engine.bytesInUse).toBe(before);
  });
});
