import { afterEach, describe, expect, it, vi } from 'vitest';
import { BatchLikelihood } from '../../bindings/batchLikelihood.ts';
import { fitMatrix, type MatrixOptions } from '../../src/train/matrix.ts';
import type { DenseMatrix } from '../../src/train/matrixData.ts';
import { random } from './oracles.ts';

/** Enough that a Hessian costs more than the passes it would save. */
const ROWS = 24_000;
const COLUMNS = 100;

/** Rows with neighbouring columns correlated, sorted by the first; a column of its own for the last row. */
function data(classes: number) {
  const next = random(7);
  const values = new Float64Array(ROWS * COLUMNS);
  const y = new Float64Array(ROWS);
  for (let i = 0; i < ROWS; i++) {
    const row = values.subarray(i * COLUMNS, (i + 1) * COLUMNS);
    for (let j = 0; j < COLUMNS; j++) row[j] = 2 * next() - 1 + (j > 0 ? row[j - 1] / 2 : 0);
    row[0] = i / ROWS;
    const scores = Array.from({ length: classes }, (_, k) => row[k + 1] * (k + 1) - Math.log(-Math.log(next())));
    y[i] = scores.indexOf(Math.max(...scores));
  }
  return { x: { layout: 'rows', rows: ROWS, columns: COLUMNS, values } satisfies DenseMatrix, y };
}

const binary = data(2);

/** What a fit asks of the likelihood: Hessians and Gram matrices, of all rows and of samples. */
function counted<T>(fit: () => T): {
  result: T;
  hessians: number;
  samples: number;
  grams: number;
  evaluations: number;
} {
  const { at, gram } = BatchLikelihood.prototype;
  const count = { hessians: 0, samples: 0, grams: 0, evaluations: 0 };
  vi.spyOn(BatchLikelihood.prototype, 'at').mockImplementation(function (this: BatchLikelihood, params, gradient) {
    count.evaluations++;
    const point = at.call(this, params, gradient);
    return {
      ...point,
      hessian: (out, most) => {
        count[most === undefined ? 'hessians' : 'samples']++;
        point.hessian(out, most);
      },
      classHessian: (j, out, most) => {
        count.samples++;
        point.classHessian(j, out, most);
      },
    };
  });
  vi.spyOn(BatchLikelihood.prototype, 'gram').mockImplementation(function (this: BatchLikelihood, c, out, most) {
    if (most === undefined) count.grams++;
    gram.call(this, c, out, most);
  });
  return { result: fit(), ...count };
}

afterEach(() => {
  vi.restoreAllMocks();
});

const apart = (a: Float64Array, b: Float64Array, scale: (i: number) => number): number =>
  a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]) / scale(i)), 0);

describe('without a penalty', () => {
  const options: MatrixOptions = { penalty: 'none', inference: true };

  it('one Hessian of all rows is enough, and gives what eight of Newton do', () => {
    const { result, hessians, samples, grams, evaluations } = counted(() => fitMatrix(binary.x, binary.y, options));
    expect({ hessians, grams }).toEqual({ hessians: 1, grams: 0 });
    expect(samples).toBeLessThan(5);
    expect(evaluations).toBeLessThan(24);
    expect(result.report).toMatchObject({ converged: true, solver: 'newton' });
    expect(result.report.choice).toMatch(/metric of a sample/);
    vi.restoreAllMocks();
    const exact = fitMatrix(binary.x, binary.y, { ...options, solver: 'newton' });
    // Both ends are a Newton step from a point where the step was below 1e-7: only rounding is left.
    expect(apart(result.weights, exact.weights, () => 1)).toBeLessThan(1e-11);
    const size = COLUMNS + 1;
    const se = (i: number) => Math.sqrt(exact.covariance![i * (size + 1)]);
    // The curvature of a row changes relatively by at most its logit's change, here below 1e-7.
    const scale = (at: number) => se(Math.floor(at / size)) * se(at % size);
    expect(apart(result.covariance!, exact.covariance!, scale)).toBeLessThan(1e-7);
  });

  it('iterations are counted through, and end where they are told', () => {
    const seen: number[] = [];
    const { report } = fitMatrix(binary.x, binary.y, {
      ...options,
      onIteration: ({ iteration }) => seen.push(iteration),
    });
    expect(seen).toEqual(Array.from({ length: report.iterations }, (_, k) => k + 1));
    const short = fitMatrix(binary.x, binary.y, { ...options, maxIter: 3 });
    expect(short.report).toMatchObject({ converged: false, reason: 'max_iter', iterations: 3 });
  });

  it('separated classes are found', () => {
    const y = Float64Array.from({ length: ROWS }, (_, i) => Number(binary.x.values[i * COLUMNS + 5] > 0.1));
    const { warnings, report } = fitMatrix(binary.x, y, options);
    expect(report.reason).toBe('diverged');
    expect(warnings.map(({ code }) => code)).toContain('SEPARATION');
  });

  it.each([
    ['repeats two others', true, (row: Float64Array) => row[2] - row[3]],
    ['is not 0 in one row, which no sample has', false, (_: Float64Array, i: number) => Number(i === ROWS - 1)],
  ])('a column that %s is looked at in all rows', (_, isDependent, cell) => {
    const values = binary.x.values.slice();
    for (let i = 0; i < ROWS; i++) {
      const row = values.subarray(i * COLUMNS, (i + 1) * COLUMNS);
      row[COLUMNS - 1] = cell(row, i);
    }
    const { result, grams } = counted(() => fitMatrix({ ...binary.x, values }, binary.y, { penalty: 'none' }));
    expect(grams).toBe(1);
    const codes = result.warnings.map(({ code }) => code);
    expect(codes.includes('RANK_DEFICIENT')).toBe(isDependent);
  });
});

describe('several classes', () => {
  const { x, y } = data(4);
  const options: MatrixOptions = { classes: 4, C: 1, tol: 1e-8 };

  it('need few evaluations and no Hessian', () => {
    const { result, hessians, evaluations, samples } = counted(() => fitMatrix(x, y, options));
    expect(result.report).toMatchObject({ converged: true, solver: 'lbfgs' });
    expect(hessians).toBe(0);
    expect(samples % 4).toBe(0);
    expect(evaluations).toBeLessThan(25);
  });

  it('a start with something that all classes have in common ends at the same optimum', () => {
    const from = fitMatrix(x, y, options);
    const weights = Float64Array.from(from.weights, (value, at) => value + Math.sin(at % COLUMNS));
    const moved = fitMatrix(x, y, { ...options, start: { weights, intercept: from.intercept } });
    expect(moved.report.converged).toBe(true);
    expect(moved.report.iterations).toBeLessThan(12);
    // |Δw| ≤ ‖H⁻¹‖·‖Δg‖: gradients of 1e-8, and a least curvature of λ = 1 / ROWS where all classes move together
    expect(apart(moved.weights, from.weights, () => 1)).toBeLessThan(2 * 1e-8 * ROWS);
  });
});
