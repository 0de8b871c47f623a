import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Engine, pickEngine } from '../../bindings/engine.ts';
import { sigmoid } from '../../bindings/js/math.ts';
import type { Calibration, Calibrator } from '../../src/calibrate/calibration.ts';
import { tableFromRecords } from '../../src/encode/records.ts';
import type { Schema } from '../../src/encode/schema.ts';
import { explain, explainClasses, explainer } from '../../src/explain/contributions.ts';
import { interval } from '../../src/explain/interval.ts';
import { reasons } from '../../src/explain/reasons.ts';
import { whatIf } from '../../src/explain/whatIf.ts';
import { evaluate, evaluateClasses } from '../../src/metrics.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { Model, type ModelParts } from '../../src/model/model.ts';
import { allStages } from '../../src/stages.ts';
import { CLASSES, manifestOf } from './parts.ts';

const engines: [string, Engine][] = [pickEngine('auto'), pickEngine('js')].map((engine) => [engine.name, engine]);
const error = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

const number = { kind: 'numeric', mean: 0, scale: 1, min: -2, max: 2, indicator: false } as const;
const schema: Schema = {
  features: [
    { name: 'a', ...number },
    { name: 'b', ...number },
  ],
};

/** logit = 3·a − 2·b + 0.5; of three classes the second has −logit + 0.5, the third −1 */
function modelOf(classes: 2 | 3, changes: Partial<Manifest> = {}, parts: Partial<ModelParts> = {}): Model {
  return new Model({
    manifest: manifestOf(schema, { ...(classes === 3 && CLASSES), ...changes }),
    weights: classes === 2 ? Float64Array.of(3, -2) : Float64Array.of(3, -2, -3, 2, 0, 0),
    intercept: classes === 2 ? Float64Array.of(0.5) : Float64Array.of(0.5, 0, -1),
    covariance: null,
    stages: allStages,
    ...parts,
  });
}

const CALIBRATORS: Calibrator[] = [
  { method: 'platt', a: 0.9, b: 0.1 },
  { method: 'beta', a: 0.8, b: 1.2, c: 0.1 },
  { method: 'temperature', inverse: 0.7 },
  { method: 'isotonic', logits: [-1, 0, 2], probabilities: [0.1, 0.4, 0.9] },
];

function calibrationOf(calibrator: Calibrator, planes: number): Calibration {
  const count = calibrator.method === 'temperature' ? 1 : planes;
  return { method: calibrator.method, calibrators: new Array(count).fill(calibrator), shift: [], by: null };
}

const SCORINGS: [string, 2 | 3, Partial<Manifest>][] = ([2, 3] as const).flatMap((classes) => {
  const link = classes === 3 ? (['multinomial', 'ovr'] as const) : [null];
  return link.flatMap((multiclass): [string, 2 | 3, Partial<Manifest>][] => [
    [`${classes} classes, ${multiclass}`, classes, { multiclass }],
    [
      `${classes} classes, ${multiclass}, a band for review`,
      classes,
      { multiclass, decision: { threshold: 0.5, abstain: { low: 0.3, high: 0.7 } } },
    ],
    ...CALIBRATORS.map((calibrator): [string, 2 | 3, Partial<Manifest>] => [
      `${classes} classes, ${multiclass}, ${calibrator.method}`,
      classes,
      { multiclass, calibration: calibrationOf(calibrator, classes === 2 ? 1 : 3) },
    ]),
  ]);
});

const good = { a: 0.5, b: 1 };
const lost = { a: 1e308, b: 1e308 }; // 3e308 − 2e308 is ∞ − ∞
const huge = { a: 1e308, b: 0 }; // +∞
const low = { a: -1e308, b: 0 }; // −∞

describe('a logit that is NaN has no label', () => {
  test.each(SCORINGS)('of a record: %s', (_, classes, changes) => {
    const model = modelOf(classes, changes);
    expect(model.score(good).label).toBeTypeOf('string');
    expect(() => model.score(lost)).toThrow(
      error('ERR_RECORD', 'record, field "a": expected a number whose term in the logit does not overflow'),
    );
  });

  test.each(
    engines.flatMap(([name, engine]) =>
      (['f64', 'f32'] as const).flatMap((precision) =>
        SCORINGS.map(([how, classes, changes]) => [name, precision, how, engine, classes, changes] as const),
      ),
    ),
  )('of a table: %s, %s, %s', (_, precision, __, engine, classes, changes) => {
    const scorer = modelOf(classes, changes).scorer(engine, { precision, capacity: 2 });
    const beyond = precision === 'f64' ? 1e308 : 3e38;
    const table = tableFromRecords([good, good, { a: beyond, b: beyond }, good]);
    expect(() => scorer.score(table, 10)).toThrow(
      error('ERR_RECORD', 'row 12 (from 0), column "a": expected a number whose term'),
    );
    // the scorer goes on
    expect(scorer.score(tableFromRecords([good])).probabilities[0]).toBeGreaterThan(0);
    scorer.free();
  });

  test('the offset counts', () => {
    const model = modelOf(2, { offset: 'o' });
    expect(() => model.score({ ...huge, o: -Number.MAX_VALUE })).not.toThrow();
    const scorer = model.scorer(pickEngine());
    expect(scorer.score(tableFromRecords([{ ...good, o: 1 }])).logits[0]).toBe(1);
    expect(() => scorer.score(tableFromRecords([{ ...lost, o: 1 }]))).toThrow(error('ERR_RECORD', 'column "a"'));
    scorer.free();
  });

  test('explanations, intervals, what-if and metrics refuse it too', () => {
    const covariance = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
    const model = modelOf(2, {}, { covariance });
    const refused = error('ERR_RECORD', 'field "a"');
    for (const say of [
      () => explain(model, lost),
      () => explainClasses(model, lost),
      () => explain(modelOf(3), lost),
      () => reasons(model, lost),
      () => reasons(model, lost, { toward: 'yes' }),
      () => whatIf(model, lost, 'a'),
      () => interval(model, lost),
      () => interval(model, huge), // its error is infinite as well
    ])
      expect(say).toThrow(refused);
    const table = tableFromRecords([good, lost]);
    expect(() => explainer(model).table(table, 1, null, 5)).toThrow(error('ERR_RECORD', 'row 6 (from 0), column "a"'));
    expect(() => interval(model, table, 0.95, 5)).toThrow(error('ERR_RECORD', 'row 6 (from 0), column "a"'));
    expect(whatIf(model, good, 'a').score).not.toBeNull();
    const nan = Float64Array.of(Number.NaN, 1);
    expect(() => evaluate({ logits: nan }, Uint8Array.of(0, 1))).toThrow(error('ERR_RANGE', 'row 0'));
    expect(() => evaluate({ probabilities: nan }, Uint8Array.of(0, 1))).toThrow(error('ERR_RANGE', 'row 0'));
    expect(() => evaluateClasses({ logits: [nan, nan] }, [0, 1])).toThrow(error('ERR_RANGE', 'row 0'));
  });
});

describe('an infinite logit', () => {
  const every = (model: Model, record: Readonly<Record<string, number>>) => {
    const one = model.score(record);
    const all = engines.map(([, engine]) => {
      const scorer = model.scorer(engine);
      const { logits, probabilities, labels } = scorer.score(tableFromRecords([good, record]));
      scorer.free();
      return { logits: logits.slice(), probabilities: probabilities.slice(), label: model.manifest.classes[labels[1]] };
    });
    for (const { probabilities, label } of all) {
      expect(label).toBe(one.label);
      const planes = probabilities.length / 2;
      expect(Array.from({ length: planes }, (_, k) => probabilities[2 * k + 1])).toEqual(
        Array.from(one.probabilities ?? [one.probability]),
      );
    }
    return one;
  };

  test('of two classes is certain', () => {
    for (const decision of [{ threshold: 0.5 }, { threshold: 0.5, abstain: { low: 0.3, high: 0.7 } }]) {
      const model = modelOf(2, { decision });
      expect(every(model, huge)).toMatchObject({ logit: Number.POSITIVE_INFINITY, probability: 1, label: 'yes' });
      expect(every(model, low)).toMatchObject({ logit: Number.NEGATIVE_INFINITY, probability: 0, label: 'no' });
    }
  });

  test.each(CALIBRATORS.map((one) => [one.method, one] as const))(
    '%s: the limit of the calibration',
    (_, calibrator) => {
      const model = modelOf(2, { calibration: calibrationOf(calibrator, 1) });
      const [least, most] = calibrator.method === 'isotonic' ? [0.1, 0.9] : [0, 1];
      expect(every(model, huge)).toMatchObject({ probability: most, label: 'yes' });
      expect(every(model, low)).toMatchObject({ probability: least, label: 'no' });
    },
  );

  test('of several classes: the only +∞ is certain', () => {
    const certain = every(modelOf(3), huge);
    expect(certain.label).toBe('bike');
    expect(certain.probabilities).toEqual(Float64Array.of(1, 0, 0));
    expect(certain.logits).toEqual(Float64Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1));
    expect(every(modelOf(3), low).probabilities).toEqual(Float64Array.of(0, 1, 0));
  });

  test('one-vs-rest: σ is 1 and 0, and they share as always', () => {
    const { probabilities, label } = every(modelOf(3, { multiclass: 'ovr' }), huge);
    const sum = 1 + 0 + sigmoid(-1);
    expect(label).toBe('bike');
    expect(probabilities).toEqual(Float64Array.of(1 / sum, 0, sigmoid(-1) / sum));
  });

  test.each(SCORINGS.filter(([, classes]) => classes === 3))(
    'several +∞, or nothing but −∞, are refused: %s',
    (_, __, changes) => {
      for (const sign of [1, -1]) {
        const weights = Float64Array.of(sign, 0, 2 * sign, 0, sign === 1 ? 0 : -1, 0);
        const model = modelOf(3, changes, { weights: weights.map((w) => 10 * w) });
        const refused = error('ERR_RECORD', 'a number whose term in the logit does not overflow');
        expect(() => model.score(huge)).toThrow(refused);
        for (const [, engine] of engines) {
          const scorer = model.scorer(engine);
          expect(() => scorer.score(tableFromRecords([good, huge]))).toThrow(refused);
          scorer.free();
        }
      }
    },
  );

  test('JSON has null for the logit, and the probability says which', () => {
    expect(JSON.parse(JSON.stringify(modelOf(2).score(huge)))).toMatchObject({
      logit: null,
      probability: 1,
      label: 'yes',
    });
  });

  test('is explained by infinite contributions', () => {
    const { logit, contributions } = explain(modelOf(2), huge);
    expect(logit).toBe(Number.POSITIVE_INFINITY);
    expect(contributions.map(({ contribution }) => contribution)).toEqual([Number.POSITIVE_INFINITY, 0]);
  });
});

test('the handler of the examples answers 422 to a record that has no label, 200 to one of the same set that has', async () => {
  const folder = new URL('../conformance/', import.meta.url);
  const example: string = new URL('../../examples/score-request.mjs', import.meta.url).href;
  const { loadModel } = await import('logodds/score');
  const { scoreHandler } = await import(/* @vite-ignore */ example);
  const model = loadModel(readFileSync(new URL('overflow.safetensors', folder)));
  const { rows, refused } = JSON.parse(readFileSync(new URL('overflow.json', folder), 'utf8'));
  const answer = async (body: unknown) => {
    const response: Response = await scoreHandler(() => model)(
      new Request('http://localhost/', { method: 'POST', body: JSON.stringify(body) }),
    );
    return { status: response.status, body: await response.json() };
  };
  expect((await answer(rows)).status).toBe(200);
  for (const record of refused) {
    expect(await answer(record)).toMatchObject({ status: 422, body: { error: { code: 'ERR_RECORD' } } });
    expect(await answer([rows[0], record])).toMatchObject({ status: 422, body: { error: { code: 'ERR_RECORD' } } });
  }
});
