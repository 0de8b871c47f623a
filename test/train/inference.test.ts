import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import type { Table } from '../../src/encode/table.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { coefficients } from '../../src/model/coefficients.ts';
import { loadModel, saveModel } from '../../src/model/file.ts';
import type { Model } from '../../src/model/model.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import type { FitOptions } from '../../src/train/fitOptions.ts';
import { Restricted } from '../../src/train/inference/restricted.ts';
import { hosmerLemeshow } from '../../src/train/inference/statistics.ts';
import type { InferenceOptions } from '../../src/train/inferenceOptions.ts';
import type { PenaltyOption } from '../../src/train/penaltyOptions.ts';
import { FirthObjective } from '../../src/train/solve/firth.ts';
import { Objective } from '../../src/train/solve/objective.ts';
import { denseLikelihood } from './denseLikelihood.ts';
import { coded, numeric, random, readTable, table, takeRows, values, withColumns } from './oracles.ts';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Numbers, categories, counts as weights, clusters that share a shift; y of two or three classes. */
function mixed(rows: number, seed: number, classes = ['no', 'yes']): Table {
  const next = random(seed);
  const a = range(rows).map(() => 100 + 20 * next());
  const b = range(rows).map(() => next() - 0.5);
  const levels = ['red', 'green', 'blue'];
  const colour = range(rows).map(() => levels[Math.floor(next() * 3)]);
  const school = range(rows).map((i) => Math.floor(i / 8));
  const shift = range(rows / 8 + 1).map(() => next() - 0.5);
  const y = range(rows).map((i) => {
    const z = 0.05 * (a[i] - 110) + b[i] + (colour[i] === 'red' ? 0.8 : 0) + shift[school[i]];
    const share = 1 / (1 + Math.exp(-z));
    return next() < share ? classes.at(-1)! : classes[Math.floor(next() * (classes.length - 1))];
  });
  return table(
    numeric('a', a),
    numeric('b', b),
    coded('colour', colour),
    numeric('school', school),
    numeric(
      'count',
      range(rows).map(() => Math.floor(next() * 4)),
    ),
    coded('y', y),
  );
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, relative: number): void {
  expect(actual.length).toBe(expected.length);
  for (let j = 0; j < actual.length; j++) {
    const bound = relative * Math.max(1, Math.abs(expected[j]));
    expect(Math.abs(actual[j] - expected[j]), `${j}: ${actual[j]}, expected ${expected[j]}`).toBeLessThanOrEqual(bound);
  }
}

/** All numbers of a value, in the order of its fields. */
const numbers = (value: unknown): number[] =>
  typeof value === 'number'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(numbers)
      : [];

function failure(run: () => unknown): LogoddsError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(LogoddsError);
    return error as LogoddsError;
  }
  throw new Error('expected an error');
}

const codes = (warnings: readonly { code: string }[]): string[] => warnings.map((warning) => warning.code);

/** Each row as often as its count says, its copies side by side. */
function repeat(base: Table): Table {
  const counts = values(base, 'count');
  const rows = takeRows(
    base,
    range(base.rows).flatMap((i) => new Array<number>(counts[i]).fill(i)),
  );
  return { rows: rows.rows, columns: rows.columns.filter((column) => column.name !== 'count') };
}

const ML = { target: 'y', penalty: 'none', features: ['a', 'b', 'colour'] } satisfies FitOptions;
const CLUSTER = { cluster: 'school' };

/** Trials in rows, and one row each. */
function trials(): { grouped: Table; single: Table } {
  const next = random(9);
  const count = range(30).map(() => Math.floor(next() * 9));
  const x = range(30).map(() => next());
  const hits = count.map((n, i) => range(n).filter(() => next() < 0.2 + 0.6 * x[i]).length);
  const grouped = table(numeric('x', x), numeric('hits', hits), numeric('n', count));
  const single = table(
    numeric(
      'x',
      count.flatMap((n, i) => new Array<number>(n).fill(x[i])),
    ),
    // successes first, as the draw counts them last
    numeric(
      'hits',
      count.flatMap((n, i) => range(n).map((k) => Number(k >= n - hits[i]))),
    ),
  );
  return { grouped, single };
}

describe('integer weights are repeated rows, and weight 0 is a removed row', () => {
  const KINDS: [string, string[], InferenceOptions, ('none' | 'firth')?][] = [
    ['model, statistics, tests and profiles', ['no', 'yes'], { profile: true }],
    ['robust', ['no', 'yes'], { covariance: 'robust' }],
    ['cluster', ['no', 'yes'], { covariance: CLUSTER }],
    ['Firth', ['no', 'yes'], { profile: true }, 'firth'],
    ['robust, three classes', ['lo', 'mid', 'hi'], { covariance: 'robust' }],
    ['cluster, three classes', ['lo', 'mid', 'hi'], { covariance: CLUSTER }],
    ['statistics, tests and profiles, three classes', ['lo', 'mid', 'hi'], { profile: true }],
  ];
  it.each(KINDS)('%s', (_, classes, inference, penalty = 'none') => {
    const base = mixed(160, 1, classes);
    const options: FitOptions = { ...ML, penalty, inference };
    const weighted = fitTable(base, { ...options, weight: 'count', weightKind: 'count' }).model;
    const repeated = fitTable(repeat(base), options).model;
    expect(repeated.covariance).not.toBeNull();
    expectClose(weighted.covariance!, repeated.covariance!, 1e-8);
    const [a, b] = [weighted, repeated].map((model) => numbers(model.manifest.inference));
    expect(a.length).toBeGreaterThan(classes.length === 2 || inference.profile ? 9 : 8);
    expectClose(a, b, 1e-7);
  });

  it('robust, with class weights as well', () => {
    const base = mixed(160, 1);
    const options: FitOptions = { ...ML, inference: { covariance: 'robust' }, classWeight: { yes: 2.5 } };
    const weighted = fitTable(base, { ...options, weight: 'count', weightKind: 'count' }).model;
    expectClose(weighted.covariance!, fitTable(repeat(base), options).model.covariance!, 1e-8);
  });

  it.each([
    ['no penalty', ML],
    ['L2', { ...ML, penalty: undefined, C: 1 }],
    ['L1', { ...ML, penalty: undefined, C: 1, l1Ratio: 1 }],
    ['three classes', { ...ML, target: 'three' }],
    ['one class against the rest', { ...ML, target: 'three', multiclass: 'ovr' }],
  ] as [string, FitOptions][])('bootstrap with one seed: %s', (_, options) => {
    const two = mixed(120, 2);
    const three = mixed(120, 2, ['lo', 'mid', 'hi']).columns.find((column) => column.name === 'y')!;
    const base = withColumns(two, { ...three, name: 'three' });
    const settings = { replicates: 20, seed: 3 };
    const resampled: FitOptions = { ...options, inference: { bootstrap: settings } };
    const weighted = fitTable(base, { ...resampled, weight: 'count', weightKind: 'count' }).model;
    const repeated = fitTable(repeat(base), resampled).model;
    const [a, b] = [weighted, repeated].map((model) => model.manifest.inference!.bootstrap!);
    expect(a.intervals.length).toBeGreaterThan(3);
    expectClose(numbers(a), numbers(b), 1e-5);
  });

  it('errors, profiles and tests of trials are those of their single rows', () => {
    const inference = { covariance: 'model', profile: true } as const;
    const { grouped, single } = trials();
    const a = fitTable(grouped, { target: 'hits', trials: 'n', penalty: 'none', inference }).model;
    const b = fitTable(single, { target: 'hits', penalty: 'none', inference }).model;
    expectClose(a.covariance!, b.covariance!, 1e-9);
    for (const key of ['profile', 'tests'] as const) {
      expectClose(numbers(a.manifest.inference![key]), numbers(b.manifest.inference![key]), 1e-7);
    }
    const [p, q] = [a, b].map((model) => model.manifest.inference!.statistics!);
    expectClose([p.aic, p.mcFadden, p.likelihoodRatio.chi2], [q.aic, q.mcFadden, q.likelihoodRatio.chi2], 1e-9);
    expectClose(numbers(p.hosmerLemeshow), numbers(q.hosmerLemeshow), 1e-9);
  });

  it('bootstrap of trials is that of their single rows', () => {
    const { grouped, single } = trials();
    const inference = { bootstrap: { replicates: 25, seed: 5 } };
    const a = fitTable(grouped, { target: 'hits', trials: 'n', penalty: 'none', inference }).model;
    const b = fitTable(single, { target: 'hits', penalty: 'none', inference }).model;
    expectClose(numbers(a.manifest.inference!.bootstrap), numbers(b.manifest.inference!.bootstrap), 1e-6);
  });
});

describe('sandwich', () => {
  /** H⁻¹·M·H⁻¹ of a binary fit on raw columns a and b, as the formula reads. */
  function literal(base: Table, model: Model, u: (i: number) => number): number[] {
    const [a, b] = [values(base, 'a'), values(base, 'b')];
    const y = base.columns.find((column) => column.name === 'y')!;
    const size = 3;
    const h = new Float64Array(9);
    const m = new Float64Array(9);
    for (let i = 0; i < base.rows; i++) {
      const x = [a[i], b[i], 1];
      const z = model.intercept[0] + a[i] * model.weights[0] + b[i] * model.weights[1];
      const p = 1 / (1 + Math.exp(-z));
      const r = p - Number(y.kind === 'coded' && y.levels[y.codes[i]] === 'yes');
      for (let j = 0; j < size; j++) {
        for (let k = 0; k < size; k++) {
          h[j * size + k] += u(i) * p * (1 - p) * x[j] * x[k];
          m[j * size + k] += (u(i) * r) ** 2 * x[j] * x[k];
        }
      }
    }
    const inverse = invert(h, size);
    const times = (p: Float64Array, q: Float64Array) =>
      Float64Array.from({ length: 9 }, (_, at) =>
        range(3).reduce((sum, k) => sum + p[Math.floor(at / 3) * 3 + k] * q[k * 3 + (at % 3)], 0),
      );
    return [...times(times(inverse, m), inverse)];
  }

  const base = mixed(200, 4);
  const options: FitOptions = { ...ML, features: ['a', 'b'] };

  it('class weights: each score is weighed, and no warning is left', () => {
    const { model, warnings } = fitTable(base, {
      ...options,
      classWeight: { yes: 2.5 },
      inference: { covariance: 'robust' },
    });
    const y = base.columns.find((column) => column.name === 'y')!;
    const expected = literal(base, model, (i) => (y.kind === 'coded' && y.levels[y.codes[i]] === 'yes' ? 2.5 : 1));
    expectClose(
      Float64Array.from(model.covariance!, (v, j) => v / expected[j]),
      new Float64Array(9).fill(1),
      1e-8,
    );
    expect(warnings).toEqual([]);
    expect(codes(fitTable(base, { ...options, classWeight: { yes: 2.5 }, inference: true }).warnings)).toEqual([
      'INFERENCE_WEIGHTS',
    ]);
    expect(model.manifest.inference).toMatchObject({ covariance: 'robust', statistics: null, tests: null });
    expect(model.manifest.inference!.reason).toMatch(/class weights/);
  });

  it('weights with fractions are sampling weights: their unit does not matter', () => {
    const share = values(base, 'count').map((count, i) => 0.3 + count + (i % 7) / 7);
    const robust = (factor: number) => {
      const weighted = withColumns(
        base,
        numeric(
          'w',
          share.map((w) => w * factor),
        ),
      );
      return fitTable(weighted, { ...options, weight: 'w', inference: { covariance: 'robust' } });
    };
    const { model, warnings } = robust(1);
    expect(warnings).toEqual([]);
    const expected = literal(base, model, (i) => share[i]);
    expectClose(
      Float64Array.from(model.covariance!, (v, j) => v / expected[j]),
      new Float64Array(9).fill(1),
      1e-8,
    );
    expectClose(robust(0.37).model.covariance!, model.covariance!, 1e-8);
  });

  it.each([
    ['two classes', ['no', 'yes']],
    ['three classes', ['lo', 'mid', 'hi']],
  ])('every row a cluster of its own is the robust one but for n/(n − 1): %s', (_, classes) => {
    const own = withColumns(mixed(200, 4, classes), numeric('id', range(200)));
    const a = fitTable(own, { ...ML, inference: { covariance: { cluster: 'id' } } }).model.covariance!;
    const b = fitTable(own, { ...ML, inference: { covariance: 'robust' } }).model.covariance!;
    expectClose(
      a,
      b.map((v) => (v * 200) / 199),
      1e-10,
    );
  });

  it('rows of a cluster that depend on one another widen the errors', () => {
    const many = mixed(1600, 5);
    const twice = takeRows(
      many,
      range(3200).map((i) => i >> 1),
    );
    const [by, plain] = [{ cluster: 'id' }, 'model' as const].map(
      (covariance) =>
        fitTable(
          withColumns(
            twice,
            numeric(
              'id',
              range(3200).map((i) => i >> 1),
            ),
          ),
          { ...ML, inference: { covariance } },
        ).model.covariance!,
    );
    // a row seen twice holds no news
    const width = Math.sqrt(by.length);
    expect(by[width + 1] / plain[width + 1]).toBeGreaterThan(1.7);
    expect(by[width + 1] / plain[width + 1]).toBeLessThan(2.3);
  });

  it('fewer clusters than parameters are warned of', () => {
    const few = withColumns(
      base,
      numeric(
        'school',
        range(200).map((i) => i % 3),
      ),
    );
    expect(codes(fitTable(few, { ...ML, inference: { covariance: CLUSTER } }).warnings)).toEqual(['FEW_CLUSTERS']);
  });

  it('a cluster of rows of weight 0 is none', () => {
    const counts = values(base, 'count').map((count, i) => (i < 24 ? 0 : count));
    const { model } = fitTable(withColumns(base, numeric('count', counts)), {
      ...ML,
      weight: 'count',
      inference: { covariance: CLUSTER },
    });
    expect(model.manifest.inference!.cluster).toEqual({ column: 'school', count: 22 });
  });

  it('the cluster column is no feature unless it is named', () => {
    const names = (options: Pick<FitOptions, 'features'>) =>
      fitTable(base, {
        target: 'y',
        penalty: 'none',
        inference: { covariance: CLUSTER },
        ...options,
      }).model.manifest.schema.features.map((feature) => feature.name);
    expect(names({})).toEqual(['a', 'b', 'colour', 'count']);
    expect(names({ features: ['a', 'school'] })).toEqual(['a', 'school']);
  });
});

function invert(h: Float64Array, n: number): Float64Array {
  const a = Array.from({ length: n }, (_, i) => [
    ...h.subarray(i * n, i * n + n),
    ...range(n).map((j) => Number(i === j)),
  ]);
  for (let i = 0; i < n; i++) {
    const pivot = a[i][i];
    a[i] = a[i].map((v) => v / pivot);
    for (let k = 0; k < n; k++) {
      const factor = a[k][i];
      if (k !== i) a[k] = a[k].map((v, j) => v - factor * a[i][j]);
    }
  }
  return Float64Array.from(a.flatMap((row) => row.slice(n)));
}

/** made by test/fixtures/make_inference.R */
const { hsbdemo } = JSON.parse(readFileSync(new URL('../fixtures/inference.json', import.meta.url), 'utf8')).fits;

describe('several classes', () => {
  it('hsbdemo: deviance of nnet, a likelihood-ratio test of each feature, and profiles about the estimates', () => {
    const { model, warnings } = fitTable(readTable('hsbdemo.csv'), {
      target: 'prog',
      features: ['ses', 'write'],
      penalty: 'none',
      inference: { profile: true },
    });
    expect(warnings).toEqual([]);
    const { statistics, tests, profile, reason } = model.manifest.inference!;
    expect(reason).toBeNull();
    expectClose([statistics!.deviance, statistics!.aic], [hsbdemo.deviance, hsbdemo.deviance + 16], 1e-9);
    expect(statistics!.hosmerLemeshow).toBeNull();
    expect(statistics!.likelihoodRatio.df).toBe(6);
    expect(tests!.map(({ feature, df }) => [feature, df])).toEqual([
      ['ses', 4],
      ['write', 2],
    ]);
    // nnet's optimizer ends some 1e-9 above the minimum
    expectClose(
      tests!.map(({ chi2 }) => chi2),
      hsbdemo.chi2,
      1e-8,
    );
    expectClose([statistics!.nullDeviance], [hsbdemo.nullDeviance], 1e-10);
    expect(profile).toHaveLength(8);
    const lines = coefficients(model);
    expect(lines).toHaveLength(8);
    for (const { value, profile: found, stdError } of lines) {
      expect(found!.low!).toBeLessThan(value!);
      expect(found!.high!).toBeGreaterThan(value!);
      expect((found!.high! - found!.low!) / (2 * 1.96 * stdError!)).toBeCloseTo(1, 1);
    }
  });

  it('the profile of a class is that of the other way round', () => {
    const base = mixed(200, 6, ['lo', 'mid', 'hi']);
    const y = base.columns.find((column) => column.name === 'y')!;
    if (y.kind !== 'coded') throw new Error('coded');
    // hi < lo < mid: the reference is the first of the sorted labels
    const renamed = (names: Record<string, string>) =>
      withColumns(base, { ...y, levels: y.levels.map((level) => names[level]) });
    const line = (names: Record<string, string>, of: string) =>
      coefficients(fitTable(renamed(names), { ...ML, features: ['a', 'b'], inference: { profile: true } }).model).find(
        (one) => one.class === of && one.feature === 'b',
      )!;
    const a = line({ hi: '1', lo: '2', mid: '3' }, '2');
    const b = line({ hi: '2', lo: '1', mid: '3' }, '2');
    expectClose([a.profile!.low!, a.profile!.high!], [-b.profile!.high!, -b.profile!.low!], 1e-8);
  });

  it('one class against the rest has no common likelihood, and says so', () => {
    const { model } = fitTable(mixed(200, 6, ['lo', 'mid', 'hi']), { ...ML, multiclass: 'ovr', inference: true });
    expect(model.covariance).toBeNull();
    expect(model.manifest.inference!.statistics).toBeNull();
    expect(model.manifest.inference!.reason).toMatch(/no common likelihood; fit multinomial/);
  });
});

describe('likelihood-ratio tests and profiles', () => {
  it('of two columns that say the same neither is missed', () => {
    const base = mixed(200, 7);
    const copy = withColumns(
      base,
      numeric(
        'c',
        values(base, 'b').map((v) => 3 * v + 1),
      ),
    );
    const { model } = fitTable(copy, { ...ML, features: ['a', 'b', 'c'], inference: { profile: true } });
    const alone = fitTable(base, { ...ML, features: ['a', 'b'], inference: { profile: true } }).model.manifest
      .inference!;
    const tests = model.manifest.inference!.tests!;
    expect(tests.map(({ feature, df }) => [feature, df])).toEqual([
      ['a', 1],
      ['b', 0],
      ['c', 0],
    ]);
    expect(tests[1]).toEqual({ feature: 'b', chi2: 0, df: 0, p: null });
    expectClose([tests[0].chi2], [alone.tests![0].chi2], 1e-9);
  });

  it('the deviance at an end of the interval is 3.84 more, the intercept included', () => {
    const base = mixed(300, 8);
    const options: FitOptions = { ...ML, features: ['a', 'b'] };
    const { model } = fitTable(base, { ...options, inference: { profile: true } });
    const line = coefficients(model).find((one) => one.feature === 'b')!;
    for (const end of [line.profile!.low!, line.profile!.high!]) {
      const held = withColumns(
        base,
        numeric(
          'o',
          values(base, 'b').map((v) => v * end),
        ),
      );
      const { fit } = fitTable(held, { ...options, features: ['a'], offset: 'o' }).model.manifest;
      expectClose([2 * (model.manifest.fit.logLik - fit.logLik)], [3.841458820694124], 1e-8);
    }
  });

  it('where classes are separated the end is infinite on one side, and 3.84 below the limit on the other', () => {
    const base = readTable('endometrial.csv');
    const options: FitOptions = { target: 'HG', penalty: 'none' };
    const { model, warnings } = fitTable(base, { ...options, inference: { profile: true } });
    expect(codes(warnings)).toContain('SEPARATION');
    const { covariance, statistics, reason } = model.manifest.inference!;
    expect([covariance, statistics]).toEqual([null, null]);
    expect(reason).toMatch(/not reached/);
    const lines = coefficients(model);
    const profile = (feature: string) => lines.find((one) => one.feature === feature)!.profile!;
    expect(profile('NV').high).toBeNull();
    const ends: [string, number][] = [
      ['NV', profile('NV').low!],
      ['PI', profile('PI').low!],
      ['PI', profile('PI').high!],
      ['EH', profile('EH').low!],
      ['EH', profile('EH').high!],
    ];
    for (const [feature, end] of ends) {
      const held = withColumns(
        base,
        numeric(
          'o',
          values(base, feature).map((v) => v * end),
        ),
      );
      const features = ['NV', 'PI', 'EH'].filter((name) => name !== feature);
      const { fit } = fitTable(held, { ...options, features, offset: 'o' }).model.manifest;
      // both limits are approached to 1e-8 of the mean log-likelihood
      expectClose([2 * (model.manifest.fit.logLik - fit.logLik)], [3.841458820694124], 1e-5);
    }
    expect(loadModel(saveModel(model)).manifest.inference).toEqual(model.manifest.inference);
  });

  it('what is not asked for is null, and the file keeps what is there', () => {
    const { model } = fitTable(mixed(100, 8), { ...ML, inference: true });
    expect(model.manifest.inference).toMatchObject({
      covariance: 'model',
      tests: null,
      profile: null,
      bootstrap: null,
    });
    expect(loadModel(saveModel(model)).manifest.inference).toEqual(model.manifest.inference);
    const full = fitTable(mixed(100, 8), { ...ML, inference: { profile: true, bootstrap: { replicates: 10 } } }).model;
    expect(coefficients(loadModel(saveModel(full)))).toEqual(coefficients(full));
    expect(coefficients(full)[1].bootstrap!.replicates).toBe(10);
    expect(fitTable(mixed(100, 8), ML).model.manifest.inference).toBeUndefined();
  });

  it('Hosmer-Lemeshow: three groups by hand, and too few groups are null', () => {
    const p = Float64Array.of(0.1, 0.1, 0.4, 0.4, 0.8, 0.8);
    const y = Float64Array.of(0, 0, 1, 0, 1, 1);
    // quantiles at thirds: 0.3, 0.5333; expected 0.2, 0.8, 1.6 of two each
    const expected =
      0.2 ** 2 / 0.2 + 0.2 ** 2 / 1.8 + 0.2 ** 2 / 0.8 + 0.2 ** 2 / 1.2 + 0.4 ** 2 / 1.6 + 0.4 ** 2 / 0.4;
    const found = hosmerLemeshow(p, y, null, 3)!;
    expectClose([found.chi2, found.df], [expected, 1], 1e-12);
    const counted = hosmerLemeshow(
      Float64Array.of(0.1, 0.4, 0.4, 0.8, 0.2),
      Float64Array.of(0, 1, 0, 1, 1),
      Float64Array.of(2, 1, 1, 2, 0),
      3,
    )!;
    expectClose([counted.chi2, counted.df], [expected, 1], 1e-12);
    expect(hosmerLemeshow(Float64Array.of(0.5, 0.5, 0.6), Float64Array.of(0, 1, 1), null)).toBeNull();
  });
});

describe('Firth', () => {
  const next = random(11);
  const x = Float64Array.from({ length: 40 * 3 }, () => next() - 0.5);
  const y = Float64Array.from({ length: 40 }, () => Number(next() < 0.4));
  const weight = Float64Array.from({ length: 40 }, () => Math.floor(next() * 3));
  const offset = Float64Array.from({ length: 40 }, () => next());
  const none = new Float64Array(4);
  const total = weight.reduce((sum, s) => sum + s, 0);
  const options = { active: Int32Array.of(0, 1, 2, 3), totalWeight: total, l2: none, l1: none };
  const likelihood = denseLikelihood(x, 3, y, weight, offset);
  const slope = (objective: Objective, w: Float64Array, j: number): number => {
    const at = (h: number) => {
      const moved = w.slice();
      moved[j] += h;
      return objective.at(moved, new Float64Array(w.length)).value;
    };
    return (8 * (at(1e-4) - at(-1e-4)) - (at(2e-4) - at(-2e-4))) / 12e-4;
  };
  const OBJECTIVES: [string, Objective, Float64Array][] = [
    ['Firth', new FirthObjective(likelihood, options, weight), Float64Array.of(0.3, -0.8, 0.5, 0.2)],
    [
      'Firth, two weights free',
      Restricted.to(new FirthObjective(likelihood, options, weight), Int32Array.of(1, 3)),
      Float64Array.of(0.4, -0.3),
    ],
    [
      'on a plane',
      Restricted.holding(new Objective(likelihood, options), Float64Array.of(0.5, -2, 0, 1), 0.7),
      Float64Array.of(0.4, -0.3, 0.1),
    ],
  ];

  it.each(OBJECTIVES)('gradient against finite differences: %s', (_, objective, w) => {
    const gradient = new Float64Array(w.length);
    objective.at(w, gradient);
    // 4th-order central differences of step 1e-4: rounding 1e-12, truncation 1e-15
    expectClose(
      gradient,
      w.map((_, j) => slope(objective, w, j)),
      1e-10,
    );
  });

  it('Hessian and its product on a plane against finite differences', () => {
    const [, , [, plane, w]] = OBJECTIVES;
    const size = w.length;
    const h = new Float64Array(size * size);
    const point = plane.at(w, new Float64Array(size));
    point.hessian(h);
    const product = new Float64Array(size);
    point.hessianVector(Float64Array.of(1, 2, 3), product);
    expectClose(
      product,
      range(size).map((i) => h[i * size] + 2 * h[i * size + 1] + 3 * h[i * size + 2]),
      1e-12,
    );
    for (let j = 0; j < size; j++) {
      const [up, down] = [1e-5, -1e-5].map((step) => {
        const moved = w.slice();
        moved[j] += step;
        const gradient = new Float64Array(size);
        plane.at(moved, gradient);
        return gradient;
      });
      expectClose(
        range(size).map((i) => (up[i] - down[i]) / 2e-5),
        range(size).map((i) => h[i * size + j]),
        1e-8,
      );
    }
    const lifted = plane instanceof Restricted ? plane.lift(w) : w;
    expectClose([0.5 * lifted[0] - 2 * lifted[1] + lifted[3]], [0.7], 1e-14);
  });

  it('classes that are separated completely have finite weights, and no warning', () => {
    const rows = range(20);
    const base = table(
      numeric('x', rows),
      numeric(
        'y',
        rows.map((i) => Number(i >= 10)),
      ),
    );
    expect(codes(fitTable(base, { target: 'y', penalty: 'none' }).warnings)).toContain('SEPARATION');
    const { model, warnings } = fitTable(base, { target: 'y', penalty: 'firth', inference: { profile: true } });
    expect(warnings).toEqual([]);
    expect(model.manifest.fit.converged).toBe(true);
    const line = coefficients(model).find((one) => one.feature === 'x')!;
    expect(line.value).toBeGreaterThan(0.3);
    expect(line.value).toBeLessThan(2);
    expect(line.profile!.low).toBeGreaterThan(0);
    expect(line.profile!.p).toBeLessThan(1e-4);
    // by symmetry half of the rows are positive where x is 9.5
    expectClose([model.score({ x: 9.5 }).probability], [0.5], 1e-9);
  });

  it('a saturated 2 × 2 table: half a row added to each cell', () => {
    const base = table(coded('g', ['a', 'b', 'a', 'b']), numeric('n', [3, 0, 7, 10]), numeric('y', [1, 1, 0, 0]));
    const { model } = fitTable(base, {
      target: 'y',
      penalty: 'firth',
      weight: 'n',
      weightKind: 'count',
      inference: true,
    });
    expectClose(
      [model.score({ g: 'a' }).logit, model.score({ g: 'b' }).logit],
      [Math.log(3.5 / 7.5), Math.log(0.5 / 10.5)],
      1e-9,
    );
  });

  it('gives each engine the same bits', () => {
    const base = mixed(120, 12);
    const [a, b] = (['wasm', 'js'] as const).map(
      (name) =>
        fitTable(base, { ...ML, penalty: 'firth', inference: { profile: true }, engine: pickEngine(name) }).model,
    );
    expect(b.weights).toEqual(a.weights);
    expect(b.covariance).toEqual(a.covariance);
    expect(b.manifest.inference).toEqual(a.manifest.inference);
  });
});

describe('under a penalty', () => {
  it.each([
    ['L2', { C: 1 }, 'penalty'],
    ['L1', { C: 1, l1Ratio: 1 }, 'penalty'],
    ['bounds', { lambda: 0, bounds: { b: [0, 10] } }, 'bound'],
  ] as [string, PenaltyOption, string][])(
    'all figures of the likelihood are null with the reason: %s',
    (_, penalty, why) => {
      const { model, warnings } = fitTable(mixed(200, 13), { ...ML, penalty, inference: { profile: true } });
      expect(codes(warnings)).toEqual(['INFERENCE_PENALIZED']);
      const { reason, ...figures } = model.manifest.inference!;
      expect(Object.values(figures).every((figure) => figure === null)).toBe(true);
      expect(reason).toContain(why);
      for (const line of coefficients(model))
        expect([line.stdError, line.z, line.p, line.ciLow]).toEqual([null, null, null, null]);
    },
  );

  it('a bootstrap gives intervals', () => {
    const { model } = fitTable(mixed(200, 13), {
      ...ML,
      penalty: { C: 1 },
      inference: { bootstrap: { replicates: 60 } },
    });
    expect(model.manifest.inference).toMatchObject({
      covariance: null,
      bootstrap: { replicates: 60, failed: 0, seed: 1 },
    });
    for (const { value, bootstrap: found } of coefficients(model)) {
      expect(found!.low).toBeLessThan(value!);
      expect(found!.high).toBeGreaterThan(value!);
      expect(found!.bcaHigh!).toBeGreaterThan(found!.bcaLow!);
    }
  });
});

describe('bootstrap', () => {
  it('is fits to the rows that splitmix32 draws, weighed by fractions; BCa is that of a jackknife', () => {
    // a long tail: bias and acceleration matter
    const next01 = random(14);
    const x = range(80).map(() => Math.exp(2.5 * next01()));
    const base = table(
      numeric(
        'a',
        range(80).map(() => next01()),
      ),
      numeric('b', x),
      numeric(
        'w',
        range(80).map((i) => 0.3 + (i % 5) / 2),
      ),
      numeric(
        'y',
        x.map((v) => Number(next01() < 1 / (1 + Math.exp(2 - 0.5 * v)))),
      ),
    );
    const options: FitOptions = { ...ML, features: ['a', 'b'], weight: 'w' };
    const replicates = 400;
    const { model } = fitTable(base, { ...options, inference: { bootstrap: { replicates, seed: 7 } } });
    const next = splitmix32(7);
    const draw = () => Math.floor((Math.floor(next() * 2 ** 21) / 2 ** 21 + next() / 2 ** 21) * 80);
    const slopeOf = (rows: Table) => fitTable(rows, options).model.weights[1];
    const found = range(replicates)
      .map(() => slopeOf(takeRows(base, range(80).map(draw))))
      .sort((p, q) => p - q);
    const at = (share: number) => {
      const h = share * (replicates - 1);
      return (
        found[Math.floor(h)] + (h % 1) * (found[Math.min(replicates - 1, Math.floor(h) + 1)] - found[Math.floor(h)])
      );
    };
    const line = coefficients(model).find((one) => one.feature === 'b')!;
    const mean = found.reduce((sum, v) => sum + v, 0) / replicates;
    const sd = Math.sqrt(found.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (replicates - 1));
    expectClose(
      [line.bootstrap!.low, line.bootstrap!.high, line.bootstrap!.stdError],
      [at(0.025), at(0.975), sd],
      1e-7,
    );
    const left = range(80).map((i) =>
      slopeOf(
        takeRows(
          base,
          range(80).filter((k) => k !== i),
        ),
      ),
    );
    const centre = left.reduce((sum, v) => sum + v, 0) / 80;
    const u = left.map((v) => centre - v);
    const a = u.reduce((s, v) => s + v ** 3, 0) / (6 * u.reduce((s, v) => s + v ** 2, 0) ** 1.5);
    const phi = (z: number) => 0.5 * (1 + Math.sign(z) * (1 - tail(Math.abs(z))));
    const share = found.filter((v) => v < line.value!).length / replicates;
    let [bias, above] = [-5, 5];
    for (let k = 0; k < 40; k++) {
      const middle = (bias + above) / 2;
      if (phi(middle) < share) bias = middle;
      else above = middle;
    }
    const [low, high] = [-1.959963984540054, 1.959963984540054].map((z) =>
      at(phi(bias + (bias + z) / (1 - a * (bias + z)))),
    );
    // the infinitesimal jackknife differs from leaving rows out by order 1/n, the percentile interval by more
    expect(Math.abs(line.bootstrap!.bcaLow! - low) / sd).toBeLessThan(0.05);
    expect(Math.abs(line.bootstrap!.bcaHigh! - high) / sd).toBeLessThan(0.05);
  });

  it('standard errors are those of the sandwich in large samples, by row and by cluster', () => {
    const base = mixed(2000, 15);
    for (const covariance of ['robust', CLUSTER] as const) {
      const { model } = fitTable(base, { ...ML, inference: { covariance, bootstrap: { replicates: 300 } } });
      for (const line of coefficients(model)) {
        // the standard error of a standard error from 300 draws is 4 %
        expect(Math.abs(line.bootstrap!.stdError / line.stdError! - 1), line.feature).toBeLessThan(0.16);
      }
      expect(model.manifest.inference!.bootstrap!.cluster).toBe(covariance === 'robust' ? null : 'school');
    }
  });

  it('weights with fractions draw rows: their unit does not matter', () => {
    const share = values(mixed(120, 16), 'count').map((count, i) => 0.3 + count + (i % 7) / 7);
    const run = (factor: number) =>
      fitTable(
        withColumns(
          mixed(120, 16),
          numeric(
            'w',
            share.map((w) => w * factor),
          ),
        ),
        { ...ML, weight: 'w', inference: { bootstrap: { replicates: 20 } } },
      );
    expectClose(
      numbers(run(1).model.manifest.inference!.bootstrap),
      numbers(run(0.31).model.manifest.inference!.bootstrap),
      1e-6,
    );
  });

  it('leaves replicates without an estimate out, counts them and warns', () => {
    const { model, warnings } = fitTable(readTable('iris.csv'), {
      target: 'Species',
      C: 1,
      inference: { bootstrap: { replicates: 5 } },
    });
    expect([model.manifest.inference!.bootstrap!.failed, warnings]).toEqual([0, []]);
    const near = table(numeric('x', [1, 2, 3, 4, 5, 6]), numeric('y', [0, 0, 1, 0, 1, 1]));
    const found = fitTable(near, { target: 'y', penalty: 'none', inference: { bootstrap: { replicates: 50 } } });
    expect(found.model.manifest.inference!.bootstrap!.failed).toBeGreaterThan(10);
    expect(codes(found.warnings)).toContain('BOOTSTRAP_FAILED');
  });
});

describe('bad input is one clear sentence', () => {
  const base = mixed(80, 17);
  const gap = withColumns(base, numeric('school', values(base, 'school'), [3]));
  const one = withColumns(base, numeric('school', new Float64Array(80).fill(4)));
  it.each([
    ['firth and C', base, { penalty: 'firth', C: 2 }, 'ERR_RANGE', /penalty: expected nothing beside "firth", got C 2/],
    ['firth and lambda', base, { penalty: 'firth', lambda: 0.1 }, 'ERR_RANGE', /beside "firth", got lambda 0.1/],
    [
      'firth and bounds',
      base,
      { penalty: 'firth', bounds: { a: [0, 1] } },
      'ERR_RANGE',
      /write penalty: { bounds: … }/,
    ],
    [
      'firth and robust',
      base,
      { penalty: 'firth', inference: { covariance: 'robust' } },
      'ERR_RANGE',
      /covariance: expected model or augmented with the penalty "firth", got robust/,
    ],
    [
      'firth by newton',
      base,
      { penalty: 'firth', solver: 'newton' },
      'ERR_RANGE',
      /solver: expected auto or lbfgs with the penalty "firth", got newton/,
    ],
    [
      'firth, three classes',
      mixed(80, 17, ['lo', 'mid', 'hi']),
      { penalty: 'firth' },
      'ERR_TARGET',
      /firth: expected a target of two classes, got 3/,
    ],
    [
      'one cluster',
      one,
      { penalty: 'none', inference: { covariance: CLUSTER } },
      'ERR_DATA',
      /cluster "school": expected at least two clusters, got one \("4"\)/,
    ],
    [
      'a missing cluster',
      gap,
      { penalty: 'none', inference: { covariance: CLUSTER } },
      'ERR_RECORD',
      /row 3 \(from 0\), column "school"/,
    ],
    [
      'an absent cluster',
      base,
      { penalty: 'none', inference: { covariance: { cluster: 'shcool' } } },
      'ERR_SCHEMA',
      /shcool/,
    ],
    [
      'a kind that is none',
      base,
      { inference: { covariance: 'huber' } },
      'ERR_RANGE',
      /covariance: expected model, augmented, robust or \{cluster: column\}, got huber/,
    ],
  ] as [string, Table, object, string, RegExp][])('%s', (_, data, options, code, message) => {
    const error = failure(() => fitTable(data, { target: 'y', ...options }));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
  });

  it.each([
    [{ replicates: 1 }, /replicates: expected a whole number >= 2, got 1/],
    [{ seed: 0.5 }, /seed: expected a whole number, got 0.5/],
  ])('bootstrap %o', (bootstrap, message) => {
    expect(failure(() => fitTable(base, { ...ML, inference: { bootstrap } })).message).toMatch(message);
  });
});

/** 2·(1 − Φ(x)) by its integral, Simpson's rule */
function tail(x: number): number {
  const n = 2000;
  const h = x / n;
  let sum = 0;
  for (let i = 0; i <= n; i++) {
    sum += (i === 0 || i === n ? 1 : i % 2 ? 4 : 2) * Math.exp(-((i * h) ** 2) / 2);
  }
  return 1 - (2 * (sum * h)) / 3 / Math.sqrt(2 * Math.PI);
}
