import { describe, expect, it } from 'vitest';
import { coefficients } from '../../src/index.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import type { FitOptions } from '../../src/train/fitOptions.ts';
import { coded, numeric, random, readFixture, readTable, table, takeRows, withColumns } from './oracles.ts';

const close = (actual: number, expected: number, relative: number, what: string): void => {
  expect(Math.abs(actual - expected), `${what}: ${actual}, expected ${expected}`).toBeLessThanOrEqual(
    relative * Math.max(1, Math.abs(expected)),
  );
};

const hsbdemo = JSON.parse(readFixture('expected_glm.json'))['hsbdemo_multinom'] as {
  rows: string[];
  cols: string[];
  coef: number[][];
  se: number[][];
  deviance: number;
};

describe('multinomial without penalty: hsbdemo', () => {
  const base = readTable('hsbdemo.csv');
  const options: FitOptions = {
    target: 'prog',
    features: ['ses', 'write'],
    references: { ses: 'low' },
    penalty: 'none',
    inference: true,
  };

  const exact = coefficients(fitTable(base, { ...options, solver: 'newton', tol: 1e-13 }).model);

  it.each(['auto', 'newton', 'lbfgs', 'newton-cg'] as const)('coefficients, errors and deviance, by %s', (solver) => {
    const { model, warnings } = fitTable(base, { ...options, solver, tol: solver === 'auto' ? undefined : 1e-11 });
    expect(warnings).toEqual([]);
    expect(model.manifest).toMatchObject({
      classes: ['academic', 'general', 'vocation'],
      positive: null,
      multiclass: 'multinomial',
      reference: 'academic',
      fit: { converged: true },
    });
    close(-2 * model.manifest.fit.logLik, hsbdemo.deviance, 1e-11, 'deviance');
    const lines = coefficients(model);
    hsbdemo.rows.forEach((name, k) => {
      hsbdemo.cols.forEach((term, j) => {
        const line = lines.find(
          (one) =>
            one.class === name &&
            (one.feature === '(intercept)' ? '(Intercept)' : one.feature + (one.level ?? '')) === term,
        )!;
        // nnet::multinom stopped short: its own coefficients are 2e-8 from the maximum, where all solvers here agree to 1e-10
        close(line.value!, hsbdemo.coef[k][j], 3e-8, `${name} ${term}`);
        close(line.stdError!, hsbdemo.se[k][j], 1e-7, `${name} se ${term}`);
        close(
          line.value!,
          exact.find((one) => one.class === line.class && one.feature === line.feature && one.level === line.level)!
            .value!,
          1e-10,
          `${name} ${term}`,
        );
      });
    });
  });

  it('likelihood of the intercepts alone', () => {
    const { model } = fitTable(base, options);
    const counts = new Map<string, number>();
    const column = base.columns.find(({ name }) => name === 'prog')!;
    if (column.kind === 'coded') {
      for (const code of column.codes) counts.set(column.levels[code], (counts.get(column.levels[code]) ?? 0) + 1);
    }
    const expected = [...counts.values()].reduce((sum, n) => sum + n * Math.log(n / 200), 0);
    close(model.manifest.fit.nullLogLik, expected, 1e-12, 'null');
  });
});

describe('multinomial with L2: iris', () => {
  const iris = readTable('iris.csv');
  const shared = { target: 'Species', C: 1, standardize: false } satisfies FitOptions;
  const weights = [
    [-0.4235099201227, 0.9673505795716, -2.5171523776092, -1.0793366485007],
    [0.5344615089959, -0.3215878551919, -0.2063920712949, -0.9442984653963],
    [-0.1109515888732, -0.6457627243796, 2.7235444489041, 2.0236351138971],
  ];
  const intercepts = [9.8495680504821, 2.2372056322032, -12.0867736826853];

  it.each(['auto', 'newton', 'lbfgs', 'newton-cg'] as const)('weights, intercepts, objective, by %s', (solver) => {
    const { model, warnings } = fitTable(iris, { ...shared, solver, tol: 1e-11 });
    expect(warnings).toEqual([]);
    expect(model.manifest.reference).toBeNull();
    weights.flat().forEach((w, j) => {
      close(model.weights[j], w, 1e-8, `w${j}`);
    });
    intercepts.forEach((b, k) => {
      close(model.intercept[k], b, 1e-8, `b${k}`);
    });
    close(model.manifest.fit.objective * 150, 28.886316604092464, 1e-12, 'objective');
  });

  it('weights and intercepts sum to 0 over the classes', () => {
    const { model } = fitTable(iris, shared);
    for (let j = 0; j < 4; j++) {
      expect(Math.abs(model.weights[j] + model.weights[4 + j] + model.weights[8 + j])).toBeLessThan(1e-11);
    }
    expect(Math.abs(model.intercept.reduce((sum, b) => sum + b, 0))).toBeLessThan(1e-11);
  });

  it('a feature that is never penalised has mean 0 over the classes too, and the fit is the minimum', () => {
    const { target, ...penalty } = shared;
    const options: FitOptions = { target, penalty: { ...penalty, factors: { 'Sepal.Width': 0 } } };
    const { model } = fitTable(iris, options);
    expect(Math.abs(model.weights[1] + model.weights[5] + model.weights[9])).toBeLessThan(1e-11);
    const other = fitTable(iris, { ...options, solver: 'lbfgs', tol: 1e-11 }).model;
    model.weights.forEach((w, j) => {
      close(other.weights[j], w, 1e-6, `w${j}`);
    });
  });

  it('L1 with C = 1: the zeros of saga are exact, the others to its digits', () => {
    const { model } = fitTable(iris, { ...shared, l1Ratio: 1 });
    const expected = [0, 0, -3.84924746, 0, 0.740028581, 0, 0, 0, 0, 0, 4.174712596, 3.992299978];
    model.weights.forEach((w, j) => {
      if (expected[j] === 0) expect(w, `w${j}`).toBe(0);
      else close(w, expected[j], 1e-5, `w${j}`);
    });
    [16.850307, 2.786521, -19.636829].forEach((b, k) => {
      close(model.intercept[k], b, 1e-5, `b${k}`);
    });
  });

  it('two classes are the binary model, whatever is said of more', () => {
    const two = takeRows(
      iris,
      Array.from({ length: 100 }, (_, i) => 50 + i),
    );
    const binary = fitTable(two, { ...shared, multiclass: 'ovr' }).model;
    expect(binary.manifest).toMatchObject({ multiclass: null, positive: 'virginica', reference: null });
    expect(binary.weights.length).toBe(4);
  });
});

describe('one-vs-rest', () => {
  const iris = readTable('iris.csv');
  const column = iris.columns.find(({ name }) => name === 'Species')!;
  const labels = column.kind === 'coded' ? Array.from(column.codes, (code) => column.levels[code]) : [];
  const classes = ['setosa', 'versicolor', 'virginica'];

  it('each weight vector is the binary fit of its class', () => {
    const { model } = fitTable(iris, { target: 'Species', C: 1, multiclass: 'ovr' });
    expect(model.manifest).toMatchObject({ classes, multiclass: 'ovr', positive: null, reference: null });
    classes.forEach((name, k) => {
      const y = numeric(
        'y',
        labels.map((label) => Number(label === name)),
      );
      const binary = fitTable(withColumns(iris, y), { target: 'y', exclude: ['Species'], C: 1 }).model;
      expect([...model.weights.subarray(4 * k, 4 * k + 4), model.intercept[k]]).toEqual([
        ...binary.weights,
        ...binary.intercept,
      ]);
    });
  });

  it('warnings say which class they are about', () => {
    const { warnings } = fitTable(iris, { target: 'Species', multiclass: 'ovr', penalty: 'none' });
    const separated = warnings.filter(({ code }) => code === 'SEPARATION');
    expect(separated.length).toBe(1);
    expect(separated[0].message).toMatch(/^"setosa" against the rest: /);
  });
});

describe('several classes: laws', () => {
  const next = random(5);
  const rows = 240;
  const a = Array.from({ length: rows }, () => next() - 0.5);
  const b = Array.from({ length: rows }, () => next() - 0.5);
  const city = Array.from({ length: rows }, () => ['x', 'y', 'z'][Math.floor(3 * next())]);
  const y = Array.from({ length: rows }, (_, i) => {
    const z = [0, 2 * a[i], b[i] - Number(city[i] === 'x')].map((v) => v - Math.log(-Math.log(next())));
    return ['low', 'mid', 'top'][z.indexOf(Math.max(...z))];
  });
  const base = table(numeric('a', a), numeric('b', b), coded('city', city), coded('y', y));
  const weight = Array.from({ length: rows }, () => Math.floor(3 * next()));

  it.each([
    ['L2', { C: 0.5 }],
    ['none', { penalty: 'none', inference: true }],
    ['elastic net', { C: 0.5, l1Ratio: 0.4 }],
    ['one-vs-rest', { C: 0.5, multiclass: 'ovr' }],
  ] as [string, Partial<FitOptions>][])('integer weights are repeated rows: %s', (_, options) => {
    const weighted = fitTable(withColumns(base, numeric('s', weight)), { target: 'y', weight: 's', ...options }).model;
    const index = weight.flatMap((s, i) => Array<number>(s).fill(i));
    const repeated = fitTable(takeRows(base, index), { target: 'y', ...options }).model;
    [...weighted.weights, ...weighted.intercept].forEach((value, j) => {
      close(value, [...repeated.weights, ...repeated.intercept][j], 1e-8, `${j}`);
    });
    if (options.inference) {
      weighted.covariance!.forEach((value, j) => {
        close(value, repeated.covariance![j], 1e-8, `${j}`);
      });
    }
  });

  it('renaming the classes permutes the fit under a penalty', () => {
    const renamed = y.map((label) => ({ low: 'c', mid: 'b', top: 'a' })[label]!);
    const one = fitTable(base, { target: 'y' }).model;
    const two = fitTable(withColumns(base, coded('y', renamed)), { target: 'y' }).model;
    const slots = one.weights.length / 3;
    for (let k = 0; k < 3; k++) {
      for (let j = 0; j < slots; j++)
        close(two.weights[(2 - k) * slots + j], one.weights[k * slots + j], 1e-8, `${k} ${j}`);
      close(two.intercept[2 - k], one.intercept[k], 1e-8, `b${k}`);
    }
  });

  it('separation and collinear columns are named', () => {
    const double = withColumns(
      base,
      numeric(
        'twice',
        a.map((v) => 2 * v),
      ),
    );
    const { warnings, model } = fitTable(double, { target: 'y', penalty: 'none' });
    expect(warnings.map(({ code, features }) => [code, features])).toEqual([['RANK_DEFICIENT', ['twice']]]);
    expect(model.manifest.aliased.length).toBe(3);
    const certain = fitTable(
      withColumns(
        base,
        numeric(
          'sure',
          y.map((label) => Number(label === 'mid')),
        ),
      ),
      {
        target: 'y',
        penalty: 'none',
      },
    );
    expect(certain.warnings.find(({ code }) => code === 'SEPARATION')?.features).toContain('sure');
    expect([...certain.model.weights].every(Number.isFinite)).toBe(true);
  });

  it('a class of one row is named', () => {
    const rare = y.map((label, i) => (i === 7 ? 'odd' : label));
    const { warnings } = fitTable(withColumns(base, coded('y', rare)), { target: 'y' });
    expect(warnings.map(({ code, message }) => [code, message.includes('"odd"')])).toEqual([['RARE_CLASS', true]]);
  });

  it('refuses an offset, a positive class and a class without weight', () => {
    const more = withColumns(
      base,
      numeric('o', a),
      numeric(
        's',
        y.map((label) => Number(label !== 'mid')),
      ),
    );
    const refusal = (options: Partial<FitOptions>) => {
      try {
        fitTable(more, { target: 'y', ...options });
      } catch (error) {
        return String(error);
      }
      return 'none';
    };
    expect(refusal({ offset: 'o' })).toMatch(/offset "o": expected a target of two classes, got 3/);
    expect(refusal({ positive: 'mid' })).toMatch(/positive: expected none/);
    expect(refusal({ weight: 's' })).toMatch(/got none in "mid"/);
  });
});
