import { describe, expect, it } from 'vitest';
import { lbfgs } from '../../src/train/solve/lbfgs.ts';
import { newton } from '../../src/train/solve/newton.ts';
import { diagonalMetric, Objective } from '../../src/train/solve/objective.ts';
import { denseLikelihood } from './denseLikelihood.ts';
import { random, readFixture } from './oracles.ts';

const TIGHT = { tol: 1e-12, maxIter: 5000 };
const range = (n: number): Int32Array => Int32Array.from({ length: n }, (_, j) => j);

/** Random data with weights and offsets; y follows the model. */
function sample(rows: number, columns: number, seed: number) {
  const next = random(seed);
  const x = Float64Array.from({ length: rows * columns }, () => 2 * next() - 1);
  const truth = Float64Array.from({ length: columns }, () => 2 * next() - 1);
  const y = Float64Array.from({ length: rows }, (_, i) => {
    const z = truth.reduce((sum, w, j) => sum + w * x[i * columns + j], 0.3);
    return Number(next() < 1 / (1 + Math.exp(-z)));
  });
  const weight = Float64Array.from({ length: rows }, () => 0.5 + next());
  const offset = Float64Array.from({ length: rows }, () => next() - 0.5);
  const likelihood = denseLikelihood(x, columns, y, weight, offset);
  const penaltyFactors = Float64Array.from({ length: columns + 1 }, (_, j) => (j < columns ? 0.5 + next() : 0));
  return { likelihood, penaltyFactors };
}

function heartScale(extra: boolean) {
  const lines = readFixture('heart_scale.svm').trim().split('\n');
  const columns = extra ? 14 : 13;
  const x = new Float64Array(lines.length * columns);
  const y = new Float64Array(lines.length);
  lines.forEach((line, i) => {
    const [label, ...cells] = line.trim().split(/\s+/);
    y[i] = Number(Number(label) > 0);
    for (const cell of cells) {
      const [index, value] = cell.split(':').map(Number);
      x[i * columns + index - 1] = value;
    }
    if (extra) x[i * columns + 13] = 1;
  });
  const likelihood = denseLikelihood(x, columns, y);
  // C = 1: λ = 1/S. The intercept, the last parameter, is held at 0: liblinear has none of its own.
  const objective = new Objective(likelihood, {
    active: range(columns),
    totalWeight: lines.length,
    ...ridge(1 / lines.length, new Float64Array(columns + 1).fill(1)),
  });
  return { objective, rows: lines.length };
}

const ridge = (lambda: number, factors: Float64Array) => ({
  l2: factors.map((factor) => lambda * factor),
  l1: new Float64Array(factors.length),
});

describe('objective', () => {
  const { likelihood, penaltyFactors } = sample(30, 5, 1);
  const objective = new Objective(likelihood, {
    active: Int32Array.of(0, 2, 3, 5),
    totalWeight: 29,
    ...ridge(0.1, penaltyFactors),
  });
  const w = Float64Array.of(0.4, -0.7, 0.2, 0.1);
  const at = (j: number, step: number): Float64Array => w.map((value, k) => (k === j ? value + step : value));
  const scratch = new Float64Array(4);

  it('is the formula', () => {
    const full = objective.expand(w);
    expect([...full]).toEqual([0.4, 0, -0.7, 0.2, 0, 0.1]);
    const penalty = full.reduce((sum, value, j) => sum + penaltyFactors[j] * value * value, 0);
    expect(objective.at(w, scratch).value).toBeCloseTo(likelihood.loss(full) / 29 + 0.05 * penalty, 14);
  });

  // Fourth-order central differences with h = 1e-3: truncation h⁴ and rounding eps/h are both below 1e-11.
  const slope = (f: (step: number) => number): number => {
    const h = 1e-3;
    return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
  };

  it('has the gradient of its values', () => {
    const gradient = new Float64Array(4);
    objective.at(w, gradient);
    for (let j = 0; j < 4; j++) {
      expect(gradient[j]).toBeCloseTo(
        slope((step) => objective.at(at(j, step), scratch).value),
        10,
      );
    }
  });

  it('has the Hessian of its gradient', () => {
    const hessian = new Float64Array(16);
    objective.at(w, scratch).hessian(hessian);
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) {
        const numeric = slope((step) => {
          objective.at(at(j, step), scratch);
          return scratch[i];
        });
        expect(hessian[i * 4 + j]).toBeCloseTo(numeric, 10);
      }
    }
  });
});

describe('solvers', () => {
  it.each([
    [40, 3, 0],
    [60, 10, 0.01],
    [200, 20, 0],
    [30, 80, 0.05],
  ])('newton and lbfgs agree on %i × %i with lambda %f', (rows, columns, lambda) => {
    const { likelihood, penaltyFactors } = sample(rows, columns, rows + columns);
    const objective = new Objective(likelihood, {
      active: range(columns + 1),
      totalWeight: likelihood.totalWeight,
      ...ridge(lambda, penaltyFactors),
    });
    const start = new Float64Array(columns + 1);
    const a = newton(objective, start, TIGHT);
    const b = lbfgs(objective, start, TIGHT);
    expect([a.reason, b.reason]).toEqual(['converged', 'converged']);
    expect(a.iterations).toBeLessThan(15);
    // |Δw| ≤ ‖H⁻¹‖·‖Δg‖ with gradients of 1e-12 and a least curvature above 1e-3
    for (let j = 0; j <= columns; j++) expect(Math.abs(a.w[j] - b.w[j])).toBeLessThan(1e-9);
    expect([...start]).toEqual(new Array(columns + 1).fill(0));
  });

  it('a diagonal metric changes the way of lbfgs, not its end', () => {
    const { likelihood, penaltyFactors } = sample(100, 8, 5);
    const objective = new Objective(likelihood, { active: range(9), totalWeight: 100, ...ridge(0.01, penaltyFactors) });
    const plain = lbfgs(objective, new Float64Array(9), TIGHT);
    const diagonal = Float64Array.from({ length: 9 }, (_, j) => 0.01 * (j + 1));
    const scaled = lbfgs(objective, new Float64Array(9), { ...TIGHT, metric: () => diagonalMetric(diagonal) });
    expect(scaled.converged).toBe(true);
    for (let j = 0; j < 9; j++) expect(Math.abs(plain.w[j] - scaled.w[j])).toBeLessThan(1e-9);
  });

  it('both solve heart_scale as liblinear -s 0 -c 1 prints it (six decimals)', () => {
    const { objective, rows } = heartScale(false);
    for (const solution of [
      newton(objective, new Float64Array(13), TIGHT),
      lbfgs(objective, new Float64Array(13), TIGHT),
    ]) {
      expect(solution.converged).toBe(true);
      expect(solution.objective * rows).toBeCloseTo(98.2268, 5);
      [0.350095, 0.679173, 1.157797].forEach((expected, j) => {
        expect(Math.abs(solution.w[j] - expected)).toBeLessThan(1e-5);
      });
    }
  });

  it('a penalised constant feature is the bias of liblinear -s 0 -c 1 -B 1', () => {
    const { objective } = heartScale(true);
    const solution = newton(objective, new Float64Array(14), TIGHT);
    expect(solution.converged).toBe(true);
    expect(Math.abs(solution.w[13] - 1.129571)).toBeLessThan(1e-5);
  });

  it('separated data end newton as diverged, with finite numbers', () => {
    const x = Float64Array.of(-2, -1, -0.5, 0.5, 1, 2);
    const objective = new Objective(denseLikelihood(x, 1, [0, 0, 0, 1, 1, 1]), {
      active: range(2),
      totalWeight: 6,
      ...ridge(0, new Float64Array(2)),
    });
    const solution = newton(objective, new Float64Array(2), { tol: 1e-8, maxIter: 100 });
    expect(solution).toMatchObject({ converged: false, reason: 'diverged' });
    expect([...solution.w, solution.objective, solution.gradNorm].every(Number.isFinite)).toBe(true);
    const other = lbfgs(objective, new Float64Array(2), { tol: 1e-8, maxIter: 1000 });
    expect([...other.w, other.objective, other.gradNorm].every(Number.isFinite)).toBe(true);
  });

  it('a singular Hessian makes newton give up, not fail', () => {
    const objective = new Objective(denseLikelihood(Float64Array.of(1, 1, 2, 2, 3, 3, 4, 4), 2, [0, 1, 0, 1]), {
      active: range(3),
      totalWeight: 4,
      ...ridge(0, new Float64Array(3)),
    });
    const solution = newton(objective, new Float64Array(3), { tol: 1e-8, maxIter: 100 });
    expect(solution).toMatchObject({ converged: false, stuck: 'hessian' });
    expect(lbfgs(objective, solution.w, { tol: 1e-8, maxIter: 100 }).converged).toBe(true);
  });

  it('too few iterations are a result', () => {
    const { likelihood, penaltyFactors } = sample(50, 4, 9);
    const objective = new Objective(likelihood, { active: range(5), totalWeight: 50, ...ridge(0, penaltyFactors) });
    const options = { tol: 1e-10, maxIter: 2 };
    for (const solver of [newton, lbfgs]) {
      expect(solver(objective, new Float64Array(5), options)).toMatchObject({
        converged: false,
        reason: 'max_iter',
        iterations: 2,
      });
    }
  });

  it('a start where f is not finite is a result', () => {
    const { likelihood, penaltyFactors } = sample(50, 4, 9);
    const objective = new Objective(likelihood, { active: range(5), totalWeight: 50, ...ridge(0, penaltyFactors) });
    const start = new Float64Array(5).fill(Number.NaN);
    for (const solver of [newton, lbfgs]) {
      expect(solver(objective, start, TIGHT)).toMatchObject({ converged: false, reason: 'diverged' });
    }
  });

  it('reports each iteration with a falling objective', () => {
    const { likelihood, penaltyFactors } = sample(50, 4, 9);
    const objective = new Objective(likelihood, { active: range(5), totalWeight: 50, ...ridge(0.1, penaltyFactors) });
    for (const solver of [newton, lbfgs]) {
      const seen: number[] = [];
      const solution = solver(objective, new Float64Array(5), {
        tol: 1e-6,
        maxIter: 100,
        onIteration: (progress) => {
          expect(progress.iteration).toBe(seen.length + 1);
          seen.push(progress.objective);
        },
      });
      expect(seen.length).toBe(solution.iterations);
      expect(seen.at(-1)).toBe(solution.objective);
      for (let i = 1; i < seen.length; i++) expect(seen[i]).toBeLessThanOrEqual(seen[i - 1] + 1e-14);
    }
  });
});
