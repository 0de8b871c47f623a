import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import type { Likelihood } from '../../bindings/likelihood.ts';
import { findings } from '../../src/diagnose/doctor.ts';
import { sampleOf, sampleOverlaps } from '../../src/diagnose/fit/sample.ts';
import type { Column, Table } from '../../src/encode/table.ts';
import { BorderedFactor } from '../../src/math/bordered.ts';
import { factorCholesky, invertCholesky, logDeterminant } from '../../src/math/cholesky.ts';
import { prepare } from '../../src/train/problem/prepare.ts';
import { newton } from '../../src/train/solve/newton.ts';
import { Objective } from '../../src/train/solve/objective.ts';
import { coded, numeric, random, table } from '../train/oracles.ts';

/** A table as a fit sees it, at the end of a fit with a slight penalty; and how often the Hessian and the Gram matrix of all rows were formed. */
function fitted(data: Table) {
  const problem = prepare(data, { target: 'y', engine: pickEngine() }, 'onehot');
  const view = problem.view();
  const [{ likelihood, y, profile }] = view.tasks;
  const all = Int32Array.from({ length: likelihood.parameters }, (_, id) => id);
  const l2 = new Float64Array(all.length).fill(1e-6);
  const options = { active: all, totalWeight: likelihood.totalWeight, l2, l1: new Float64Array(all.length) };
  const objective = new Objective(likelihood, options);
  const { w } = newton(objective, new Float64Array(all.length), { tol: 1e-10, maxIter: 50 });
  const sums = { all: 0 };
  const counted: Likelihood = Object.create(likelihood, {
    ...Object.fromEntries(
      (['rows', 'classes', 'parameters', 'totalWeight'] as const).map((name) => [name, { value: likelihood[name] }]),
    ),
    at: {
      value: (...args: Parameters<Likelihood['at']>) => {
        const point = likelihood.at(...args);
        const hessian: typeof point.hessian = (out) => {
          sums.all++;
          point.hessian(out);
        };
        return { ...point, hessian };
      },
    },
    gram: {
      value: (...args: Parameters<Likelihood['gram']>) => {
        sums.all++;
        likelihood.gram(...args);
      },
    },
    logits: { value: likelihood.logits.bind(likelihood) },
  });
  const fit = { likelihood: counted, y, profile, params: objective.expand(w) };
  const free = () => {
    view.free();
    problem.free();
  };
  return { problem, fit, sums, free };
}

const draw = random(31);
const rows = 50_000;
const noise = Array.from({ length: 32 }, (_, j) => numeric(`x${j}`, Array.from({ length: rows }, draw)));
const x0 = (i: number) => (noise[0] as Column & { values: Float64Array }).values[i];
const y = Array.from({ length: rows }, (_, i) => Number(draw() < 0.3 + 0.4 * x0(i)));
const target = numeric('y', y);

describe('findings of a fit to so many rows that samples are looked at first', () => {
  const near = numeric(
    'near',
    y.map((_, i) => x0(i) + 0.02 * draw()),
  );
  const few = numeric(
    'few',
    y.map((_, i) => (i % 5000 === 2600 ? 1000 * x0(i) : draw())),
  );
  const alike = numeric(
    'alike',
    y.map((_, i) => (i % 5000 === 2600 ? 1000 * x0(i) : draw())),
  );
  const twice = numeric(
    'twice',
    y.map((_, i) => 2 * x0(i) + 1),
  );
  const level = coded(
    'c',
    y.map((positive, i) => (positive && i % 9000 < 5 ? 'pure' : 'pq'[i % 2])),
  );

  it.each<[string, Column[], string[], number | null]>([
    ['plain columns: no sum over all rows', [], [], 0],
    ['columns that nearly agree: figures of all rows', [near], ['HIGH_VIF', 'CONDITION_NUMBER'], 1],
    [
      'columns that agree in the few rows which have most of their length',
      [few, alike],
      ['HIGH_VIF', 'CONDITION_NUMBER'],
      1,
    ],
    ['a column that repeats another', [twice], ['RANK_DEFICIENT'], null],
    ['a level of one class', [level], ['SEPARATION'], 1],
  ])('%s', (_, more, codes, sums) => {
    const data = table(...noise, ...more, target);
    const one = fitted(data);
    const found = findings(data, 'y', one.problem, [one.fit], false);
    expect(found.map(({ code }) => code)).toEqual(codes);
    if (sums !== null) expect(one.sums.all).toBe(sums);
    // a linear program of so many rows takes seconds
    if (codes[0] === 'SEPARATION') expect(found[0].features).toEqual(['c']);
    else expect(findings(data, 'y', one.problem, [one.fit], true)).toMatchObject(found);
    one.free();
  });
});

it('classes that two columns separate together, but for rows on the border: beside a fit it is said that nobody looked', () => {
  const a = Array.from({ length: rows }, draw);
  const b = a.map((value, i) => (i % 2 ? 1 - value : draw()));
  const border = numeric(
    'y',
    a.map((value, i) => Number(i % 2 ? draw() < 0.5 : value + b[i] > 1)),
  );
  const data = table(numeric('a', a), numeric('b', b), ...noise.slice(2), border);
  const one = fitted(data);
  const found = findings(data, 'y', one.problem, [one.fit], false);
  expect(found.find(({ code }) => code === 'NOT_CHECKED')).toMatchObject({
    severity: 'info',
    evidence: 'separation by several columns together was not checked: distinct rows × columns² exceed 1.0e+7',
    advice: 'run diagnose, which checks 25 times as many rows',
  });
  one.free();
});

describe('overlap by a sample', () => {
  it('is proved where the classes overlap, and never where they do not', () => {
    const seen = { overlap: 0, separated: 0 };
    for (let round = 0; round < 40; round++) {
      const n = 4000;
      const a = Array.from({ length: n }, draw);
      const b = Array.from({ length: n }, draw);
      const separated = round % 2 === 1;
      const p = (i: number) => (separated ? Number(a[i] + b[i] > 1) : 0.2 + 0.3 * a[i] + 0.3 * b[i]);
      const data = table(
        numeric('a', a),
        numeric('b', b),
        numeric(
          'y',
          a.map((_, i) => Number(draw() < p(i))),
        ),
      );
      const { problem, fit, free } = fitted(data);
      const params = fit.params.map((value) => value * (round % 3 === 2 ? 0.9 : 1));
      const gradient = new Float64Array(params.length);
      fit.likelihood.at(params, gradient);
      const sample = sampleOf(problem, fit, [0, 1, 2], params)!;
      const overlap = sampleOverlaps(problem, sample, gradient);
      if (separated) expect(overlap).toBe(false);
      seen[overlap ? 'overlap' : 'separated']++;
      free();
    }
    expect(seen.overlap).toBeGreaterThan(10);
  });
});

describe('a factor that eliminates columns apart first', () => {
  it.each([0, 1, 5, 8])('%i of nine columns', (count) => {
    const n = 9;
    const apart = Array.from({ length: count }, (_, i) => i + 1);
    const x = Float64Array.from({ length: 40 * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return apart.includes(j) ? Number(i % (count + 1) === j - 1) : draw() - 0.5;
    });
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) for (let k = 0; k < 40; k++) a[i * n + j] += x[k * n + i] * x[k * n + j];
    const factor = BorderedFactor.of(a, n, apart)!;
    const plain = a.slice();
    factorCholesky(plain, n);
    const inverse = invertCholesky(plain, n);
    // both are good to a few ulp times the condition of the matrix, which is below 100
    for (let j = 0; j < n; j++) {
      const solved = factor.solve(Float64Array.from({ length: n }, (_, i) => Number(i === j)));
      solved.forEach((value, i) => {
        expect(value).toBeCloseTo(inverse[i * n + j], 11);
      });
      expect(factor.inverseDiagonal()[j]).toBeCloseTo(inverse[j * (n + 1)], 11);
    }
    expect(factor.logDeterminant).toBeCloseTo(logDeterminant(a.slice(), n), 11);
    expect(factor.pivots().reduce((sum, pivot) => sum + Math.log(pivot), 0)).toBeCloseTo(factor.logDeterminant, 11);
    a[0] = 0;
    expect(BorderedFactor.of(a, n, apart)).toBeNull();
  });
});
