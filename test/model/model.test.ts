import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Engine, pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { exp, sigmoid } from '../../bindings/js/math.ts';
import { pickScoringEngine } from '../../bindings/pickScoring.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';
import { tableFromRecords } from '../../src/encode/records.ts';
import type { CodedColumn, Table } from '../../src/encode/table.ts';
import { Model } from '../../src/model/model.ts';
import { allStages } from '../../src/stages.ts';
import { sweep } from '../full.ts';
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
      outOfRange: 0,
    });
    expect(model.score({ age: 40, city: 'Bonn' })).toEqual({
      logit: 0,
      probability: 0.5,
      label: 'no',
      defaulted: 0,
      outOfRange: 0,
    });
    expect(model.score({ age: null, city: null })).toEqual({
      logit: -1.5,
      probability: sigmoid(-1.5),
      label: 'no',
      defaulted: 1,
      outOfRange: 0,
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
      outOfRange: 0,
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
      outOfRange: 0,
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

test('a record that scores while it is read does not change its own score', () => {
  for (const model of [smallModel(), classModel(), smallModel({ offset: 'exposure' })]) {
    const other = { age: 60, city: 'Köln', exposure: 5 };
    const expected = model.score({ age: 44, city: 'Bonn', exposure: 1 });
    const record = {
      age: 44,
      get city() {
        model.score(other);
        expect(() => model.score({ ...other, age: 'none' })).toThrow(LogoddsError);
        return 'Bonn';
      },
      get exposure() {
        model.score(other);
        return 1;
      },
    };
    expect(model.score(record)).toEqual(expected);
    expect(model.score(record)).toEqual(expected);
    expect(model.score(other)).not.toEqual(expected);
  }
});

test('parts that do not fit together are refused', () => {
  const three = {
    manifest: manifestOf(smallSchema, CLASSES),
    weights: new Float64Array(21),
    intercept: new Float64Array(3),
    covariance: null,
    stages: allStages,
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

  test('the scores are the caller’s: they survive what else the engine does, and further calls', () => {
    const scorer = smallModel().scorer(engine);
    const first = scorer.score(tableFromRecords([{ age: 44, city: 'Köln' }]));
    engine.vector(1_000_000, 'f64').free();
    const second = scorer.score(tableFromRecords([{ age: 40, city: 'Bonn' }]));
    expect(Array.from(first.logits)).toEqual([3]);
    expect([...first.labels, ...second.labels]).toEqual([1, 0]);
  });

  test('requests that share a scorer do not see each other’s scores', async () => {
    const scorer = smallModel().scorer(engine);
    const handler = async (age: number) => {
      const { logits } = scorer.score(tableFromRecords([{ age, city: 'Bonn' }]));
      await null;
      return logits[0];
    };
    expect(await Promise.all([handler(44), handler(48), handler(52)])).toEqual([1, 2, 3]);
  });

  const scorers = sweep(20_000, 100_000);
  test(`${scorers} scorers that nobody frees leave nothing in memory`, () => {
    const model = smallModel();
    const table = tableFromRecords([{ age: 44, city: 'Köln' }]);
    const inUse = engine.bytesInUse;
    const { byteLength } = engine.heap.memory.buffer;
    for (let i = 0; i < scorers; i++) {
      if (model.scorer(engine).score(table).logits[0] !== 3) throw new Error(`request ${i} has another logit`);
      if (engine.bytesInUse !== inUse) throw new Error(`request ${i} keeps memory`);
    }
    expect(engine.heap.memory.buffer.byteLength).toBe(byteLength);
  });

  test('a refused table leaves nothing in memory', () => {
    const inUse = engine.bytesInUse;
    const scorer = smallModel().scorer(engine);
    expect(() => scorer.score(tableFromRecords([{ age: 44 }]))).toThrow(error('ERR_SCHEMA', 'city'));
    expect(engine.bytesInUse).toBe(inUse);
  });

  test('reuse keeps memory and arrays until free', () => {
    const inUse = engine.bytesInUse;
    const scorer = smallModel().scorer(engine, { reuse: true, capacity: 2 });
    const { logits } = scorer.score(tableFromRecords([{ age: 44, city: 'Köln' }]));
    const kept = engine.bytesInUse;
    expect(kept).toBeGreaterThan(inUse);
    const again = scorer.score(tableFromRecords([{ age: 40, city: 'Bonn' }])).logits;
    expect(again.buffer).toBe(logits.buffer);
    expect([logits[0], again[0]]).toEqual([0, 0]);
    // a refused table is not the end
    expect(() => scorer.score(tableFromRecords([{ age: 44 }]))).toThrow(error('ERR_SCHEMA', 'city'));
    scorer.score(tableFromRecords([44, 48, 52].map((age) => ({ age, city: 'Köln' }))));
    expect(engine.bytesInUse).toBe(kept);
    scorer.free();
    expect(engine.bytesInUse).toBe(inUse);
  });

  test.each([true, false])('a freed scorer refuses (reuse %s)', (reuse) => {
    const inUse = engine.bytesInUse;
    const model = smallModel();
    const table = tableFromRecords([{ age: 44, city: 'Köln' }]);
    const scorer = model.scorer(engine, { reuse });
    scorer.score(table);
    scorer.free();
    scorer[Symbol.dispose]();
    // takes its place
    const next = model.scorer(engine, { reuse: true });
    next.score(table);
    scorer.free();
    expect(() => scorer.score(table)).toThrow(
      error('ERR_ENGINE', 'scorer: expected one in use, got one that was freed; make a new one'),
    );
    const other = engine.vector(100);
    other.view.fill(1e9);
    expect(next.score(table).logits[0]).toBe(3);
    for (const part of [next, other]) part.free();
    expect(engine.bytesInUse).toBe(inUse);
  });

  test('a table that scores while it is read does not change its own scores', () => {
    const model = smallModel();
    const far = tableFromRecords(Array.from({ length: 60_000 }, () => ({ age: 60, city: 'Köln' })));
    for (const reuse of [false, true]) {
      const scorer = model.scorer(engine, { reuse });
      const [age, city] = tableFromRecords([{ age: 44, city: 'Köln' }]).columns;
      let depth = 0;
      const levels = new Proxy((city as CodedColumn).levels, {
        get(target, key, receiver) {
          if (key !== 'length' && depth === 0) {
            depth++;
            // more than the memory has, so that it grows
            expect(scorer.score(far).logits[59_999]).toBe(7);
            engine.vector(engine.heap.memory.buffer.byteLength / 8).free();
          }
          return Reflect.get(target, key, receiver);
        },
      });
      const table = { rows: 1, columns: [age, { ...city, levels } as Table['columns'][number]] };
      expect(scorer.score(table).logits[0]).toBe(3);
      expect(depth).toBe(1);
      scorer.free();
    }
  });

  test('scoreTable needs no engine, and takes one', () => {
    const model = smallModel();
    const table = tableFromRecords([
      { age: 44, city: 'Köln' },
      { age: null, city: 'Ulm' },
    ]);
    const own = model.scoreTable(table);
    for (const options of [{ engine }, { engine, capacity: 1 }, {}])
      expect(model.scoreTable(table, options)).toEqual(own);
    expect([...own.logits]).toEqual([3, -1.5]);
    expect(model.scoreTable(table, { precision: 'f32' }).logits).toBeInstanceOf(Float32Array);
  });

  test.each([undefined, null, {}, 'wasm'])('without an engine, a scorer says so: %s', (none) => {
    expect(() => smallModel().scorer(none as never)).toThrow(
      error('ERR_ENGINE', 'scorer: expected an engine, got none; hand it pickEngine()'),
    );
  });

  test('a dictionary that is changed in place is read as it is now', () => {
    const scorer = smallModel().scorer(engine);
    const table = tableFromRecords([{ age: 44, city: 'Köln' }]);
    const levels = (table.columns[1] as CodedColumn).levels as string[];
    expect(scorer.score(table).logits[0]).toBe(3);
    levels[0] = 'Bonn';
    expect(scorer.score(table).logits[0]).toBe(1);
    levels[0] = 'Ulm';
    expect([scorer.score(table).logits[0], scorer.score(table).defaulted[0]]).toEqual([1, 0.5]);
    levels[0] = 'Köln';
    expect(scorer.score(table).logits[0]).toBe(3);
  });

  const coded = (codes: unknown, missing: Uint8Array | null = null): Table => ({
    rows: 3,
    columns: [
      { name: 'age', kind: 'numeric', values: Float64Array.of(40, 40, 40) },
      { name: 'city', kind: 'coded', codes: codes as Uint8Array, levels: ['Köln', 'Bonn'], missing },
    ],
  });

  test.each([
    ['-1', Int32Array.of(0, -1, 1), -1],
    ['NaN', Float64Array.of(0, Number.NaN, 1), Number.NaN],
    ['a half', Float32Array.of(0, 0.5, 1), 0.5],
    ['2³²', Float64Array.of(0, 2 ** 32, 1), 2 ** 32],
  ])('a code that is none is refused by row and column: %s', (_, codes, value) => {
    const scorer = smallModel().scorer(engine, { capacity: 1 });
    expect(() => scorer.score(coded(codes), 10)).toThrow(
      error('ERR_RECORD', 'row 11 (from 0), column "city": expected a whole number from 0 on as code'),
    );
    expect(() => smallModel().scoreTable(coded(codes))).toThrow(error('ERR_RECORD', 'row 1 '));
    expect(Number.isNaN(value) || codes[1] === value).toBe(true);
    // a missing cell has no code
    expect([...scorer.score(coded(codes, Uint8Array.of(0, 1, 0))).logits]).toEqual([2, 0, 0]);
  });

  test('codes beyond the levels are unseen, in arrays of any numbers', () => {
    const scorer = smallModel().scorer(engine);
    for (const codes of [Uint8Array.of(0, 9, 1), Int16Array.of(0, 9, 1), Float64Array.of(0, 9, 1)]) {
      expect([...scorer.score(coded(codes)).logits]).toEqual([2, 0, 0]);
    }
  });

  test.each([
    ['a list', [0, 1, 1]],
    ['text', '011'],
    ['bigints', BigInt64Array.of(0n, 1n, 1n)],
    ['a view of bytes', new DataView(new ArrayBuffer(3))],
    ['what looks like one', { length: 3, [Symbol.toStringTag]: 'Uint8Array' }],
  ])('cells that are no typed array of numbers are refused: %s', (_, codes) => {
    expect(() => smallModel().scorer(engine).score(coded(codes))).toThrow(
      error('ERR_SHAPE', 'column "city": expected'),
    );
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
      error('ERR_RANGE', 'capacity: expected a whole number from 1 to 4294967280, got 0'),
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
    if (!(engine instanceof Engine)) {
      expect(() => score(engine)).toThrow(
        error('ERR_RANGE', 'precision (f32: by pickEngine of "logodds"): expected f64, got f32'),
      );
      return;
    }
    const scores = score(engine);
    expect(scores).toEqual(score(scorers[1][1]));
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

test('a model made of the parts of another, with a schema of its own, encodes by its own schema', () => {
  const model = smallModel();
  const [age, city] = smallSchema.features;
  const schema = { features: [{ ...age, name: 'years' }, city] };
  const renamed = new Model({ ...model, manifest: manifestOf(schema) });
  expect(renamed.score({ years: 44, city: 'Köln' })).toEqual(model.score({ age: 44, city: 'Köln' }));
});
