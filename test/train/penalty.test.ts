import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fit as fitTable } from '../../src/train/fit.ts';
import type { FitOptions } from '../../src/train/fitOptions.ts';
import type { PenaltyByFeature } from '../../src/train/penaltyOptions.ts';
import { numeric, random, readTable, table, values, withColumns } from './oracles.ts';

const rows = 300;
/** three features that matter, one against its sign, and one that does not */
function data(seed: number) {
  const next = random(seed);
  const x = Array.from({ length: 5 }, () => Array.from({ length: rows }, () => next() - 0.5));
  const y = Array.from({ length: rows }, (_, i) =>
    Number(next() < 1 / (1 + Math.exp(-(2 * x[0][i] - 3 * x[1][i] + x[2][i] + 0.5 * x[3][i])))),
  );
  return table(
    ...x.map((cells, j) =>
      numeric(
        `x${j}`,
        cells.map((v) => v * (j + 1)),
      ),
    ),
    numeric('y', y),
  );
}
const base = data(3);
const shared = { target: 'y', tol: 1e-10 } satisfies FitOptions;
const options: FitOptions = { ...shared, C: 0.2 };
/** `options` with more said of the penalty */
const penalised = (more: PenaltyByFeature): FitOptions => ({ ...shared, penalty: { C: 0.2, ...more } });

/**
 * The optimality conditions, from the definition: on standardised features, slope g of the mean loss, penalty λ·f·((1 − α)w + α·sign w).
 * @returns the largest violation
 */
function violation(
  seed: number,
  { penalty, ...more }: FitOptions & { readonly penalty: PenaltyByFeature & { readonly lambda: number } },
): number {
  const source = data(seed);
  const { model } = fitTable(source, { penalty, ...more });
  const { lambda, l1Ratio } = model.manifest.objective;
  const y = values(source, 'y');
  const x = Array.from({ length: 5 }, (_, j) => values(source, `x${j}`));
  const residual = y.map(
    (label, i) =>
      1 / (1 + Math.exp(-x.reduce((z, cells, j) => z + cells[i] * model.weights[j], model.intercept[0]))) - label,
  );
  let worst = Math.abs(residual.reduce((sum, r) => sum + r, 0)) / rows;
  x.forEach((cells, j) => {
    const mean = cells.reduce((sum, v) => sum + v, 0) / rows;
    const scale = Math.sqrt(cells.reduce((sum, v) => sum + (v - mean) ** 2, 0) / rows);
    const w = model.weights[j] * scale;
    const factor = penalty.factors?.[`x${j}`] ?? 1;
    const [lower, upper] = penalty.bounds?.[`x${j}`] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const slope =
      cells.reduce((sum, v, i) => sum + ((v - mean) / scale) * residual[i], 0) / rows +
      lambda * factor * (1 - l1Ratio) * w;
    const l1 = lambda * factor * l1Ratio;
    expect(model.weights[j]).toBeGreaterThanOrEqual(lower - 1e-15);
    expect(model.weights[j]).toBeLessThanOrEqual(upper + 1e-15);
    const atUpper = model.weights[j] > upper - 1e-12;
    const atLower = model.weights[j] < lower + 1e-12;
    const up = atUpper ? 0 : -(slope + (w < 0 ? -l1 : l1));
    const down = atLower ? 0 : slope + (w > 0 ? l1 : -l1);
    worst = Math.max(worst, up, down);
  });
  return worst;
}

describe('optimality conditions (Karush-Kuhn-Tucker) at every reported optimum', () => {
  it('any penalty, factors and bounds', () => {
    const factor = fc.constantFrom(0, 0.5, 1, 3);
    const bound = fc.constantFrom<[number, number]>(
      [0, 1],
      [-0.1, 0.1],
      [0, Number.POSITIVE_INFINITY],
      [Number.NEGATIVE_INFINITY, 0],
    );
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.integer({ min: 1, max: 1000 }),
          lambda: fc.constantFrom(1e-4, 0.01, 0.05, 0.2),
          l1Ratio: fc.constantFrom(0, 0.3, 1),
          solver: fc.constantFrom('auto' as const, 'cd' as const),
          factors: fc.record({ x0: factor, x1: factor, x2: fc.constant(2) }),
          bounds: fc.oneof(fc.constant({}), fc.record({ x1: bound }), fc.record({ x0: bound, x1: bound })),
        }),
        ({ seed, solver, ...penalty }) => {
          expect(violation(seed, { target: 'y', tol: 1e-9, solver, penalty })).toBeLessThan(1e-8);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('solvers of smooth objectives end at the same place', () => {
  it.each(['newton', 'newton-cg', 'lbfgs', 'cd'] as const)('%s', (solver) => {
    const { model } = fitTable(base, { ...options, solver });
    const { model: reference } = fitTable(base, options);
    expect(model.manifest.fit).toMatchObject({ solver, converged: true, choice: `${solver} was asked for` });
    model.weights.forEach((w, j) => {
      expect(Math.abs(w - reference.weights[j])).toBeLessThan(1e-8);
    });
  });
});

describe('penalty factors', () => {
  it('0: the weight is the one of no penalty on it, in the limit of a penalty that kills the others', () => {
    const { model } = fitTable(base, { target: 'y', penalty: { lambda: 1e6, factors: { x1: 0 } } });
    const alone = fitTable(base, { target: 'y', features: ['x1'], penalty: 'none' }).model;
    expect(model.weights[1]).toBeCloseTo(alone.weights[0], 4);
    expect(Math.abs(model.weights[0])).toBeLessThan(1e-4);
  });

  it('f on every feature is λ·f', () => {
    const every = Object.fromEntries([0, 1, 2, 3, 4].map((j) => [`x${j}`, 3]));
    const a = fitTable(base, { target: 'y', penalty: { lambda: 0.01, factors: every } }).model;
    const b = fitTable(base, { target: 'y', lambda: 0.03 }).model;
    a.weights.forEach((w, j) => {
      expect(Math.abs(w - b.weights[j])).toBeLessThan(1e-12);
    });
  });

  it('what is never penalised is looked at for collinear columns and separation', () => {
    const x0 = values(base, 'x0');
    const twice = withColumns(
      base,
      numeric(
        'again',
        x0.map((v) => 2 * v + 1),
      ),
    );
    const free = { x0: 0, again: 0 };
    expect(fitTable(twice, penalised({ factors: free })).warnings).toMatchObject([
      { code: 'RANK_DEFICIENT', features: ['again'] },
    ]);
    expect(fitTable(twice, penalised({ factors: { x0: 0 } })).warnings).toEqual([]);
    const certain = withColumns(base, numeric('sure', values(base, 'y')));
    expect(fitTable(certain, penalised({ factors: { sure: 0 } })).warnings).toMatchObject([
      { code: 'SEPARATION', features: ['sure'] },
    ]);
  });
});

describe('bounds', () => {
  it('weights that are not negative: the one that would be is exactly 0, and the rest is the fit without it', () => {
    const bounds = Object.fromEntries([0, 1, 2, 3, 4].map((j) => [`x${j}`, [0, Number.POSITIVE_INFINITY] as const]));
    const { model, warnings } = fitTable(base, penalised({ bounds }));
    expect(warnings).toEqual([]);
    expect(model.weights[1]).toBe(0);
    const kept = [0, 2, 3, 4].filter((j) => model.weights[j] > 0);
    const without = fitTable(base, { ...options, features: kept.map((j) => `x${j}`) }).model;
    kept.forEach((j, k) => {
      expect(Math.abs(model.weights[j] - without.weights[k])).toBeLessThan(1e-8);
    });
  });

  it('an upper bound is met exactly, on the raw scale', () => {
    const { model } = fitTable(base, penalised({ bounds: { x0: [-0.25, 0.25] } }));
    expect(Math.abs(model.weights[0] - 0.25)).toBeLessThan(1e-15);
  });

  it('hold without a penalty too, where no standard error is given', () => {
    const { model, warnings } = fitTable(base, {
      target: 'y',
      penalty: { lambda: 0, bounds: { x1: [0, 5] } },
      inference: true,
    });
    expect(model.weights[1]).toBe(0);
    expect(model.covariance).toBeNull();
    expect(warnings.map(({ code }) => code)).toEqual(['INFERENCE_PENALIZED']);
  });
});

describe('counts: successes of trials', () => {
  const menarche = readTable('menarche.csv');

  it('one row of n trials is n rows', () => {
    const { model } = fitTable(menarche, { target: 'Menarche', trials: 'Total', penalty: 'none', inference: true });
    const rowsOf: [number, number][] = [];
    const [age, total, yes] = ['Age', 'Total', 'Menarche'].map((name) => values(menarche, name));
    age.forEach((a, i) => {
      for (let k = 0; k < total[i]; k++) rowsOf.push([a, Number(k < yes[i])]);
    });
    const long = table(
      numeric(
        'Age',
        rowsOf.map(([a]) => a),
      ),
      numeric(
        'y',
        rowsOf.map(([, y]) => y),
      ),
    );
    const expanded = fitTable(long, { target: 'y', penalty: 'none', inference: true }).model;
    expect(Math.abs(model.weights[0] - expanded.weights[0])).toBeLessThan(1e-10);
    model.covariance!.forEach((value, j) => {
      expect(Math.abs(value / expanded.covariance![j] - 1)).toBeLessThan(1e-8);
    });
    expect(model.manifest).toMatchObject({ classes: ['0', '1'], positive: '1', fit: { totalWeight: long.rows } });
    expect(Math.abs(model.manifest.fit.logLik / expanded.manifest.fit.logLik - 1)).toBeLessThan(1e-12);
  });

  it.each([
    [[3, -1], [5, 5], /target "hits", row 1: expected a whole number from 0 to 5 \("tries"\), got -1/],
    [[3, 6], [5, 5], /row 1: expected a whole number from 0 to 5 \("tries"\), got 6/],
    [[3, 1.5], [5, 5], /row 1: .* got 1.5/],
    [[3, 1], [5, -2], /trials "tries", row 1: expected a whole number >= 0, got -2/],
    [[3, 1], [5, Number.NaN], /trials "tries", row 1: .* got NaN/],
    [[0, 0], [5, 5], /expected two classes with positive weight, got only "0"/],
    [[0, 0], [0, 0], /expected two classes with positive weight/],
  ])('%j of %j is refused', (hits, tries, message) => {
    const bad = table(numeric('x', [1, 2]), numeric('hits', hits), numeric('tries', tries));
    expect(() => fitTable(bad, { target: 'hits', trials: 'tries' })).toThrow(message);
  });
});

describe('warm start', () => {
  it.each(['newton', 'lbfgs', 'newton-cg', 'cd'] as const)('from the answer %s has nothing to do', (solver) => {
    const done = fitTable(base, { ...options, solver }).model;
    const again = fitTable(base, { ...options, solver, tol: 1e-9, start: done }).model;
    expect(again.manifest.fit.iterations).toBeLessThanOrEqual(solver === 'newton' ? 1 : 0);
    again.weights.forEach((w, j) => {
      expect(Math.abs(w - done.weights[j])).toBeLessThan(1e-10);
    });
  });

  it('of several classes too', () => {
    const iris = readTable('iris.csv');
    for (const shared of [
      { target: 'Species', C: 1 },
      { target: 'Species', C: 1, multiclass: 'ovr' },
    ] as const) {
      const done = fitTable(iris, { ...shared, solver: 'lbfgs', tol: 1e-10 }).model;
      const again = fitTable(iris, { ...shared, solver: 'lbfgs', start: done }).model;
      expect(again.manifest.fit.iterations).toBe(0);
    }
  });

  it('a model of other features or classes is refused', () => {
    const other = fitTable(base, { ...options, features: ['x0'] }).model;
    expect(() => fitTable(base, { ...options, start: other })).toThrow(/start: expected a model of the same features/);
    const flipped = fitTable(base, { ...options, positive: '0' }).model;
    expect(() => fitTable(base, { ...options, start: flipped })).toThrow(/start: expected/);
  });
});

describe('options that cannot be', () => {
  it.each([
    [
      { penalty: { bounds: { x0: [0.5, 1] } } },
      /bounds of "x0": expected \[lower, upper\] with lower <= 0 <= upper, got \[0.5, 1\]/,
    ],
    [{ penalty: { bounds: { x0: [0, 0, 0] } } }, /bounds of "x0"/],
    [{ penalty: { bounds: { x0: [Number.NaN, 1] } } }, /bounds of "x0"/],
    [{ penalty: { bounds: { nope: [0, 1] } } }, /bounds: expected features .* got "nope"/],
    [{ penalty: { factors: { x0: -1 } } }, /factors of "x0": expected a finite number >= 0, got -1/],
    [{ penalty: { factors: { nope: 1 } } }, /factors: expected features .* got "nope"/],
    [
      { penalty: 'none', factors: { x0: 1 } },
      /options: expected every setting in its option, got factors beside it; write penalty: { factors: … }/,
    ],
    [{ penalty: { factors: { x0: 0, x1: 0, x2: 0, x3: 0, x4: 0 } } }, /got only 0/],
    [{ lambda: -1 }, /lambda: expected a finite number >= 0, got -1/],
    [{ solver: 'newton', penalty: { bounds: { x0: [0, 1] } } }, /solver: expected auto or cd with bounds/],
    [{ solver: 'sgd' }, /solver: expected "auto", "newton"/],
    [{ multiclass: 'both' }, /multiclass: expected multinomial or ovr, got "both"/],
  ] as [object, RegExp][])('%j', (bad, message) => {
    expect(() => fitTable(base, { ...shared, ...bad } as FitOptions)).toThrow(message);
  });
});
