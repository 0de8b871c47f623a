import { afterEach, describe, expect, it, vi } from 'vitest';
import { BatchLikelihood } from '../../bindings/batchLikelihood.ts';
import { fit, fitMatrix, type MatrixOptions } from '../../src/index.ts';
import { random } from './oracles.ts';

/** Enough rows for a sample to be worth it, and to have enough of them. */
const ROWS = 60_000;
const COLUMNS = 60;

const next = random(3);
const values = Float64Array.from({ length: ROWS * COLUMNS }, () => 2 * next() - 1);
const outcome = (base: number) =>
  Float64Array.from({ length: ROWS }, (_, i) =>
    Number(next() < 1 / (1 + Math.exp(base - values[i * COLUMNS] + 2 * values[i * COLUMNS + 7]))),
  );
const x = { layout: 'rows', rows: ROWS, columns: COLUMNS, values } as const;
const y = outcome(1);

/** How often a fit evaluated all rows and forms their Hessian, and the sizes of its samples. */
function counted<T>(run: () => T): { result: T; evaluations: number; hessians: number; samples: number[] } {
  const { at, sample } = BatchLikelihood.prototype;
  const count = { evaluations: 0, hessians: 0, samples: [] as number[] };
  const parts = new WeakSet<object>();
  vi.spyOn(BatchLikelihood.prototype, 'at').mockImplementation(function (this: BatchLikelihood, params, gradient) {
    const point = at.call(this, params, gradient);
    if (parts.has(this)) return point;
    count.evaluations++;
    return {
      ...point,
      hessian: (out, most = Number.POSITIVE_INFINITY) => {
        count.hessians += Number(most >= this.rows);
        point.hessian(out, most);
      },
    };
  });
  vi.spyOn(BatchLikelihood.prototype, 'sample').mockImplementation(function (this: BatchLikelihood, most) {
    const part = sample.call(this, most);
    parts.add(part);
    count.samples.push(part.rows);
    return part;
  });
  return { result: run(), ...count };
}

afterEach(() => {
  vi.restoreAllMocks();
});

const apart = (a: Float64Array, b: Float64Array): number =>
  a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0);

describe('a fit of many rows starts from a sample of them', () => {
  it.each([
    ['L2', { C: 1, tol: 1e-6 }, 6],
    ['no penalty', { penalty: 'none', tol: 1e-6 }, 9],
  ] as const)('%s: few evaluations of all rows, and the minimum of all rows', (_, options: MatrixOptions, most) => {
    const { result, evaluations, hessians, samples } = counted(() => fitMatrix(x, y, options));
    expect(samples).toEqual([ROWS / 8]);
    expect(evaluations).toBeLessThanOrEqual(most);
    expect(hessians).toBeLessThanOrEqual(1);
    vi.restoreAllMocks();
    const exact = fitMatrix(x, y, { ...options, solver: 'newton' });
    expect(result.report.converged).toBe(true);
    // the gradient is at most 1e-6, and the curvature of a weight at least a thirtieth
    expect(apart(result.weights, exact.weights)).toBeLessThan(3e-5);
  });

  it.each([
    ['the solver is named', y, { solver: 'lbfgs' }],
    ['too few rows have the rarer class', outcome(8), {}],
    ['too few rows have weight', y, { weight: Float64Array.from({ length: ROWS }, (_, i) => Number(i % 10 === 0)) }],
  ] as [string, Float64Array, MatrixOptions][])('but not if %s', (_, target, options) => {
    const { result, samples } = counted(() => fitMatrix(x, target, options));
    expect(samples).toEqual([]);
    expect(result.report.converged).toBe(true);
  });
});

it('with many levels one Hessian of all rows is enough, rare and empty levels of the sample included', () => {
  const rows = 440_000;
  const levels = Array.from({ length: 440 }, (_, k) => `l${k}`);
  const draw = random(11);
  // the last levels have a few rows each
  const codesOf = () => Uint16Array.from({ length: rows }, () => Math.floor(440 * (1 - draw() ** 0.25)) % 440);
  const [a, b] = [codesOf(), codesOf()];
  const late = Float64Array.from(a, (code, i) =>
    Number(draw() < 1 / (1 + Math.exp(1 - Math.sin(code) - Math.cos(b[i])))),
  );
  const table = {
    rows,
    columns: [
      { name: 'late', kind: 'numeric' as const, values: late },
      { name: 'a', kind: 'coded' as const, codes: a, levels },
      { name: 'b', kind: 'coded' as const, codes: b, levels },
    ],
  };
  const options = { target: 'late', C: 1, tol: 1e-6 } as const;
  const { result, evaluations, hessians, samples } = counted(() => fit(table, options));
  expect(result.model.manifest.fit).toMatchObject({ converged: true, solver: 'lbfgs' });
  expect(result.model.manifest.fit.choice).toMatch(/from a sample of the rows on, one Hessian/);
  expect(samples).toEqual([rows / 8]);
  expect(hessians).toBe(1);
  expect(evaluations).toBeLessThanOrEqual(8);
  vi.restoreAllMocks();
  const exact = fit(table, { ...options, solver: 'newton' }).model;
  expect(result.model.manifest.fit.objective).toBeCloseTo(exact.manifest.fit.objective, 8);
});
