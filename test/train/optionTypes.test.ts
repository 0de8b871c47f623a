import { describe, expect, it } from 'vitest';
import { interval } from '../../src/explain/interval.ts';
import type { FittedModel } from '../../src/model/fittedModel.ts';
import { crossValidate } from '../../src/train/crossValidate.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import { fitMatrix } from '../../src/train/matrix.ts';
import { outOfFold } from '../../src/train/outOfFold.ts';
import { fitPath } from '../../src/train/path.ts';
import { numeric, random, table } from './oracles.ts';

const next = random(51);
const x = Array.from({ length: 60 }, () => 2 * next() - 1);
const y = x.map((value) => Number(next() < 1 / (1 + Math.exp(-value))));
const data = table(numeric('x', x), numeric('y', y));
const matrix = { layout: 'rows', rows: 60, columns: 1, values: Float64Array.from(x) } as const;
const target = 'y';

const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'ERR_RANGE', message: expect.stringMatching(message) });

describe('a penalty is one choice', () => {
  /** the compiler refuses each, and so does the function */
  // biome-ignore format: a directive is of the line below it
  const CALLS: [string, () => unknown, RegExp][] = [
    // @ts-expect-error
    ['none and C', () => fitTable(data, { target, penalty: 'none', C: 1 }), /^penalty: expected nothing beside "none", got C 1; leave one out/],
    // @ts-expect-error
    ['none and lambda', () => fitTable(data, { target, penalty: 'none', lambda: 1 }), /nothing beside "none", got lambda 1/],
    // @ts-expect-error
    ['none and l1Ratio', () => fitTable(data, { target, penalty: 'none', l1Ratio: 1 }), /nothing beside "none", got l1Ratio 1/],
    // @ts-expect-error
    ['none and standardize', () => fitTable(data, { target, penalty: 'none', standardize: true }), /beside "none", got standardize true/],
    // @ts-expect-error
    ['Firth and C', () => fitTable(data, { target, penalty: 'firth', C: 1 }), /^penalty: expected nothing beside "firth", got C 1/],
    // @ts-expect-error
    ['braces and C', () => fitTable(data, { target, penalty: { l1Ratio: 1 }, C: 1 }), /^penalty: expected its settings in it, got C 1 beside it; write penalty: \{ C: … \}/],
    // @ts-expect-error
    ['braces and standardize', () => fitTable(data, { target, penalty: {}, standardize: false }), /got standardize false beside it/],
    // @ts-expect-error
    ['C and lambda', () => fitTable(data, { target, C: 1, lambda: 1 }), /^penalty: expected C or lambda, got both \(C 1, lambda 1\)/],
    // @ts-expect-error
    ['C and lambda in braces', () => fitTable(data, { target, penalty: { C: 1, lambda: 1 } }), /^penalty: expected C or lambda, got both/],
    // @ts-expect-error
    ['another word', () => fitTable(data, { target, penalty: 'l2' }), /^penalty: expected none, firth or an object of settings, got l2/],
    // @ts-expect-error
    ['a number', () => fitTable(data, { target, penalty: 1 }), /^penalty: expected none, firth or an object of settings, got 1/],
    // @ts-expect-error
    ['null', () => fitTable(data, { target, penalty: null }), /^penalty: expected none, firth or an object of settings, got nothing/],
    // @ts-expect-error
    ['factors without braces', () => fitTable(data, { target, factors: { x: 1 } }), /write penalty: { factors: … }/],
    // @ts-expect-error
    ['the former factors', () => fitTable(data, { target, penaltyFactors: { x: 1 } }), /write penalty: { factors: … }/],
    // @ts-expect-error
    ['the former bounds', () => fitTable(data, { target, bounds: { x: [0, 1] } }), /write penalty: { bounds: … }/],
    // @ts-expect-error
    ['the former Firth', () => fitTable(data, { target, firth: true }), /write penalty: "firth"/],
    // @ts-expect-error
    ['a setting that is none', () => fitTable(data, { target, penalty: { strength: 1 } }), /^penalty: expected an option that exists, got "strength"/],
    // @ts-expect-error
    ['out of fold', () => outOfFold(data, { target, penalty: 'none', C: 1 }), /nothing beside "none", got C 1/],
    // @ts-expect-error
    ['a path of Firth', () => fitPath(data, { target, penalty: 'firth' }), /penalty/],
    // @ts-expect-error
    ['a path of none', () => fitPath(data, { target, penalty: 'none' }), /penalty/],
    // @ts-expect-error
    ['a path with a strength', () => fitPath(data, { target, penalty: { C: 1 } }), /^penalty: expected a penalty without a strength \(a path has many\), got C/],
    // @ts-expect-error
    ['a path with C', () => fitPath(data, { target, C: 1 }), /^fitPath: expected an option that exists, got "C"/],
    // @ts-expect-error
    ['braces and l1Ratio of a path', () => fitPath(data, { target, penalty: { factors: { x: 1 } }, l1Ratio: 1 }), /got l1Ratio 1 beside it/],
    // @ts-expect-error
    ['folds with a strength', () => crossValidate(data, { target, penalty: { lambda: 1 } }), /^penalty: expected a penalty without a strength \(a path has many\), got lambda/],
    // @ts-expect-error
    ['a matrix, none and C', () => fitMatrix(matrix, y, { penalty: 'none', C: 1 }), /nothing beside "none", got C 1/],
    // @ts-expect-error
    ['a matrix of Firth', () => fitMatrix(matrix, y, { penalty: 'firth' }), /^penalty: expected none or an object of settings, got firth; use fit with a table/],
    // @ts-expect-error
    ['a matrix, bounds by name', () => fitMatrix(matrix, y, { penalty: { bounds: { x: [0, 1] } } }), /got "bounds"/],
    // @ts-expect-error
    ['a matrix, the former bounds', () => fitMatrix(matrix, y, { lower: [0] }), /^fitMatrix: .* got "lower"/],
  ];
  it.each(CALLS)('%s', (_, call, message) => {
    expect(call).toThrow(refused(message));
  });

  it('with braces or without it is the same', () => {
    for (const setting of [{ C: 0.3 }, { lambda: 0.1, l1Ratio: 0.5 }, { standardize: false }, { C: 2, l1Ratio: 1 }]) {
      const [a, b] = [fitTable(data, { target, ...setting }), fitTable(data, { target, penalty: setting })];
      expect([b.model.weights, b.model.manifest]).toEqual([a.model.weights, a.model.manifest]);
      const [p, q] = [fitMatrix(matrix, y, setting), fitMatrix(matrix, y, { penalty: setting })];
      expect([q.weights, q.report]).toEqual([p.weights, p.report]);
    }
    const [a, b] = [fitPath(data, { target, l1Ratio: 1 }), fitPath(data, { target, penalty: { l1Ratio: 1 } })];
    expect(b.steps).toEqual(a.steps);
    // absent is absent
    expect(fitTable(data, { target, penalty: 'none', C: undefined }).model.manifest.objective.C).toBeNull();
    expect(fitTable(data, { target, penalty: undefined, C: 2 }).model.manifest.objective.C).toBe(2);
  });
});

describe('inference is one choice', () => {
  // biome-ignore format: a directive is of the line below it
  const CALLS: [string, () => unknown, RegExp][] = [
    // @ts-expect-error
    ['the former covariance', () => fitTable(data, { target, covariance: 'robust' }), /write inference: { covariance: … }/],
    // @ts-expect-error
    ['the former profile', () => fitTable(data, { target, profile: true }), /write inference: { profile: true }/],
    // @ts-expect-error
    ['a word', () => fitTable(data, { target, inference: 'robust' }), /^inference: expected true, false or an object, got "robust"/],
    // @ts-expect-error
    ['another covariance', () => fitTable(data, { target, inference: { covariance: 'huber' } }), /^covariance: expected model, augmented, robust or \{cluster: column\}, got huber/],
    // @ts-expect-error
    ['a cluster that is no name', () => fitTable(data, { target, inference: { covariance: { cluster: 3 } } }), /^covariance: expected/],
    // @ts-expect-error
    ['a profile that is none', () => fitTable(data, { target, inference: { profile: 'yes' } }), /^profile: expected true or false/],
    // @ts-expect-error
    ['replicates without braces', () => fitTable(data, { target, inference: { replicates: 10 } }), /^inference: .* got "replicates"/],
    // @ts-expect-error
    ['a bootstrap by its number', () => fitTable(data, { target, inference: { bootstrap: 100 } }), /^bootstrap: expected an object/],
    // @ts-expect-error
    ['of a path', () => fitPath(data, { target, inference: true }), /^fitPath: .* got "inference"/],
    // @ts-expect-error
    ['of a matrix, in braces', () => fitMatrix(matrix, y, { inference: { covariance: 'robust' } }), /^inference: expected true or false/],
    // what types do not say
    ['augmented without Firth', () => fitTable(data, { target, penalty: 'none', inference: { covariance: 'augmented' } }), /^covariance: expected the penalty "firth" with "augmented"/],
    ['Firth and robust', () => fitTable(data, { target, penalty: 'firth', inference: { covariance: 'robust' } }), /^covariance: expected model or augmented with the penalty "firth", got robust/],
    ['Firth and clusters', () => fitTable(data, { target, penalty: 'firth', inference: { covariance: { cluster: 'x' } } }), /with the penalty "firth", got clusters/],
  ];
  it.each(CALLS)('%s', (_, call, message) => {
    expect(call).toThrow(refused(message));
  });

  it('is asked for by its braces, and the bootstrap stands alone unless more is asked for', () => {
    const of = (inference: Parameters<typeof fitTable>[1]['inference']) =>
      fitTable(data, { target, penalty: 'none', inference }).model.manifest.inference;
    const bootstrap = { replicates: 5 };
    expect([of(undefined), of(false)]).toEqual([undefined, undefined]);
    for (const asked of [true, {}, { covariance: 'model' }] as const)
      expect(of(asked)).toMatchObject({ covariance: 'model', profile: null, bootstrap: null });
    expect(of({ bootstrap })).toMatchObject({
      covariance: null,
      statistics: null,
      bootstrap: { replicates: 5, seed: 1 },
    });
    for (const more of [{ covariance: 'model' }, { profile: true }] as const) {
      const found = of({ bootstrap, ...more })!;
      expect(found).toMatchObject({ covariance: 'model', bootstrap: { replicates: 5, seed: 1 } });
      expect(found.statistics).not.toBeNull();
    }
  });
});

it('what functions return has the type of what they were given', () => {
  const { model } = fitTable(data, { target, penalty: 'none', inference: true });
  const own: FittedModel = model;
  const { low } = interval(own, { x: 1 });
  const lows = interval(own, data).low;
  // the compiler knows a number, and numbers
  expect([low.toFixed(3), lows.subarray(0, 1).length]).toEqual([expect.any(String), 1]);
  expect(lows).toHaveLength(60);
});
