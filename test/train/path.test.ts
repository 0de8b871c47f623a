import { describe, expect, it, vi } from 'vitest';
import { BatchLikelihood } from '../../bindings/batchLikelihood.ts';
import { logLoss } from '../../src/metrics/binary.ts';
import { type CrossValidationOptions, crossValidate } from '../../src/train/crossValidate.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import { fitPath } from '../../src/train/path.ts';
import type { PenaltyByFeature, PenaltyKind } from '../../src/train/penaltyOptions.ts';
import { sweep } from '../full.ts';
import { coded, numeric, random, readTable, table, takeRows, values, withColumns } from './oracles.ts';

function data(rows: number, columns: number, relevant: number, seed: number) {
  const next = random(seed);
  const x = Array.from({ length: columns }, () => Array.from({ length: rows }, () => next() + next() - 1));
  const y = Array.from({ length: rows }, (_, i) => {
    let z = 0.2;
    for (let j = 0; j < relevant; j++) z += (j % 2 ? -3 : 3) * x[j][i];
    return Number(next() < 1 / (1 + Math.exp(-z)));
  });
  return { x, y, table: table(...x.map((cells, j) => numeric(`x${j}`, cells)), numeric('y', y)) };
}

/** largest violation of the optimality conditions, from their definition; L1 on standardised features */
function violation(
  { x, y }: ReturnType<typeof data>,
  weights: Float64Array,
  intercept: number,
  lambda: number,
): number {
  const rows = y.length;
  const z = new Float64Array(rows).fill(intercept);
  x.forEach((cells, j) => {
    if (weights[j] !== 0) for (let i = 0; i < rows; i++) z[i] += weights[j] * cells[i];
  });
  const residual = z.map((value, i) => 1 / (1 + Math.exp(-value)) - y[i]);
  let worst = Math.abs(residual.reduce((sum, r) => sum + r, 0)) / rows;
  x.forEach((cells, j) => {
    const mean = cells.reduce((sum, v) => sum + v, 0) / rows;
    const scale = Math.sqrt(cells.reduce((sum, v) => sum + (v - mean) ** 2, 0) / rows);
    const slope = cells.reduce((sum, v, i) => sum + ((v - mean) / scale) * residual[i], 0) / rows;
    const off = weights[j] === 0 ? Math.abs(slope) - lambda : Math.abs(slope + lambda * Math.sign(weights[j]));
    worst = Math.max(worst, off);
  });
  return worst;
}

describe('path', () => {
  const source = data(400, 30, 5, 1);
  const options = { target: 'y', l1Ratio: 1, tol: 1e-9 };

  it('has every step, each at its own optimum, the same as a fit of its own', () => {
    const path = fitPath(source.table, { ...options, count: 25 });
    expect(path.steps.length).toBe(25);
    expect(path.warnings).toEqual([]);
    path.steps.forEach((step, k) => {
      const model = path.model(k);
      expect(violation(source, model.weights, model.intercept[0], step.lambda), `step ${k}`).toBeLessThan(1e-8);
      expect(step).toMatchObject({ converged: true, reason: 'converged' });
      expect(step.nonzero).toBe(model.weights.filter((w) => w !== 0).length);
      expect(step.C).toBeCloseTo(1 / (step.lambda * 400), 12);
      if (k % 6 !== 0) return;
      const alone = fitTable(source.table, { ...options, lambda: step.lambda }).model;
      model.weights.forEach((w, j) => {
        expect(Math.abs(w - alone.weights[j])).toBeLessThan(1e-6);
      });
      expect(Math.abs(model.manifest.fit.logLik - alone.manifest.fit.logLik)).toBeLessThan(1e-5);
      expect(model.manifest.objective).toEqual(alone.manifest.objective);
    });
  });

  it.each([1, 0.8])(
    'evaluates the likelihood three times a step, and forms a Hessian for one step in ten, l1Ratio %s',
    (l1Ratio) => {
      const { at } = BatchLikelihood.prototype;
      let evaluations = 0;
      let hessians = 0;
      vi.spyOn(BatchLikelihood.prototype, 'at').mockImplementation(function (this: BatchLikelihood, params, gradient) {
        evaluations++;
        const point = at.call(this, params, gradient);
        return {
          ...point,
          hessian: (out) => {
            hessians++;
            point.hessian(out);
          },
        };
      });
      try {
        const { steps } = fitPath(source.table, { ...options, l1Ratio, tol: 1e-7 });
        expect(steps.every(({ converged }) => converged)).toBe(true);
        expect(evaluations / steps.length).toBeCloseTo(3, 0);
        expect(hessians).toBeLessThanOrEqual(11);
      } finally {
        vi.restoreAllMocks();
      }
    },
  );

  it('begins where every weight is 0, just below which one is not, and ends at the ratio', () => {
    const path = fitPath(source.table, { ...options, count: 4, ratio: 0.01 });
    const largest = path.steps[0].lambda;
    expect(path.steps.map(({ nonzero }) => nonzero)[0]).toBe(0);
    expect(path.steps[3].lambda / largest).toBeCloseTo(0.01, 12);
    const below = fitPath(source.table, { ...options, lambdas: [largest * 0.99999] });
    expect(below.steps[0].nonzero).toBe(1);
    // iris: glmnet's first lambda to 14 digits
    const iris = readTable('iris.csv');
    const virginica = numeric(
      'v',
      Array.from({ length: 150 }, (_, i) => Number(i >= 100)),
    );
    const first = fitPath(withColumns(iris, virginica), { target: 'v', exclude: ['Species'], l1Ratio: 1, count: 1 });
    expect(Math.abs(first.steps[0].lambda / 0.36271979671105 - 1)).toBeLessThan(1e-12);
  });

  it('of more parameters than rows: optimal everywhere although most columns are never read', () => {
    const wide = data(120, sweep(1000, 2500), 4, 7);
    const path = fitPath(wide.table, { ...options, count: 12, tol: 1e-8 });
    path.steps.forEach((step, k) => {
      const model = path.model(k);
      expect(violation(wide, model.weights, model.intercept[0], step.lambda), `step ${k}`).toBeLessThan(2e-8);
    });
    expect(path.steps.at(-1)!.nonzero).toBeGreaterThan(20);
  });

  it.each([
    ['L2', { l1Ratio: 0 }],
    ['elastic net on raw weights', { l1Ratio: 0.5, standardize: false }],
    ['with a feature never penalised', { l1Ratio: 1, factors: { x3: 0 } }],
    ['of weights that are not negative', { l1Ratio: 1, bounds: { x1: [0, Number.POSITIVE_INFINITY] as const } }],
  ])('%s: steps are the fits', (_, more) => {
    const { target, tol } = options;
    const penalty: PenaltyKind & PenaltyByFeature = more;
    const path = fitPath(source.table, { target, tol, penalty, count: 8 });
    for (const k of [0, 3, 7]) {
      const alone = fitTable(source.table, {
        target,
        tol,
        penalty: { ...penalty, lambda: path.steps[k].lambda },
      }).model;
      path.model(k).weights.forEach((w, j) => {
        expect(Math.abs(w - alone.weights[j])).toBeLessThan(1e-6);
      });
    }
    if (!penalty.factors && penalty.l1Ratio! > 0) expect(path.steps[0].nonzero).toBe(0);
  });

  it.each(['multinomial', 'ovr'] as const)('of several classes: %s', (multiclass) => {
    const iris = readTable('iris.csv');
    const shared = { target: 'Species', l1Ratio: 0.7, multiclass, tol: 1e-9 };
    const path = fitPath(iris, { ...shared, count: 6, ratio: 0.05 });
    expect(path.steps[0].nonzero).toBe(0);
    const alone = fitTable(iris, { ...shared, lambda: path.steps[5].lambda }).model;
    path.model(5).weights.forEach((w, j) => {
      expect(Math.abs(w - alone.weights[j])).toBeLessThan(1e-6);
    });
  });

  it('a step that does not converge says so, and the path goes on', () => {
    const path = fitPath(source.table, { ...options, count: 10, maxIter: 1 });
    expect(path.steps.length).toBe(10);
    expect(path.steps.some(({ reason }) => reason === 'max_iter')).toBe(true);
    expect(path.warnings.map(({ code }) => code)).toContain('NOT_CONVERGED');
  });

  it.each([
    [{ lambdas: [] }, /lambdas: expected one strength at least/],
    [{ lambdas: [0.1, -1] }, /lambdas: expected finite numbers > 0, got -1/],
    [{ lambdas: [0.1], count: 3 }, /lambdas: expected neither count/],
    [{ count: 0 }, /count: expected a whole number/],
    [{ ratio: 1 }, /ratio: expected a number between 0 and 1/],
  ])('%j is refused', (bad, message) => {
    expect(() => fitPath(source.table, { ...options, ...bad })).toThrow(message);
  });
  it('nothing to penalise is refused', () => {
    const flat = table(numeric('x', [1, 1, 1, 1]), numeric('y', [0, 1, 0, 1]));
    expect(() => fitPath(flat, { target: 'y', l1Ratio: 1 })).toThrow(
      /ERR_DATA|expected a feature that the penalty acts on/,
    );
    expect(() => fitPath(source.table, options).model(1000)).toThrow(/step: expected 0 to 99/);
  });
});

describe('cross-validation', () => {
  const source = data(150, 4, 2, 3);
  const groups = numeric(
    'g',
    Array.from({ length: 150 }, (_, i) => (i * 7) % 10),
  );
  const base = withColumns(source.table, groups);
  const lambdas = [0.2, 0.05, 0.01];
  const options: CrossValidationOptions = { target: 'y', l1Ratio: 1, tol: 1e-10, lambdas, folds: 5 };

  it('each fold is the fit of a table of its training rows, scored on the others', () => {
    for (const standardize of [true, false]) {
      const result = crossValidate(base, { ...options, groups: 'g', standardize });
      for (let k = 0; k < 5; k++) {
        const index = Array.from({ length: 150 }, (_, i) => i);
        const train = takeRows(
          base,
          index.filter((i) => result.fold[i] !== k),
        );
        const rest = takeRows(
          base,
          index.filter((i) => result.fold[i] === k),
        );
        lambdas.forEach((lambda, step) => {
          const { model } = fitTable(train, {
            target: 'y',
            exclude: ['g'],
            l1Ratio: 1,
            tol: 1e-10,
            lambda,
            standardize,
          });
          const z = values(rest, 'y').map((_, i) =>
            [0, 1, 2, 3].reduce((sum, j) => sum + model.weights[j] * values(rest, `x${j}`)[i], model.intercept[0]),
          );
          expect(Math.abs(result.steps[step].scores[k]! - logLoss({ logits: z }, values(rest, 'y')))).toBeLessThan(
            1e-8,
          );
        });
      }
    }
  });

  it('rows of a group stay together, and the group column is no feature', () => {
    const result = crossValidate(base, { ...options, groups: 'g' });
    const foldOf = new Map<number, number>();
    values(base, 'g').forEach((group, i) => {
      if (!foldOf.has(group)) foldOf.set(group, result.fold[i]);
      expect(result.fold[i]).toBe(foldOf.get(group));
    });
    expect(result.model.manifest.schema.features.map(({ name }) => name)).toEqual(['x0', 'x1', 'x2', 'x3']);
  });

  it('is stratified by default: class counts of folds differ by one at most', () => {
    const { fold } = crossValidate(source.table, options);
    for (const label of [0, 1]) {
      const counts = [0, 1, 2, 3, 4].map((k) => source.y.filter((y, i) => y === label && fold[i] === k).length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
    expect(crossValidate(source.table, options).fold).toEqual(fold);
    expect(crossValidate(source.table, { ...options, seed: 2 }).fold).not.toEqual(fold);
  });

  it('by time: only earlier rows train', () => {
    const when = numeric(
      'when',
      Array.from({ length: 150 }, (_, i) => ((i * 37) % 150) >> 1),
    );
    const result = crossValidate(withColumns(source.table, when), { ...options, folds: 4, time: 'when' });
    expect(new Set(result.fold)).toEqual(new Set([0, 1, 2, 3, 4]));
    const at = when.values;
    for (let i = 0; i < 150; i++) {
      for (let j = 0; j < 150; j++) if (result.fold[i] < result.fold[j]) expect(at[i]).toBeLessThan(at[j]);
    }
    const train = takeRows(
      source.table,
      Array.from({ length: 150 }, (_, i) => i).filter((i) => result.fold[i] <= 1),
    );
    const rest = takeRows(
      source.table,
      Array.from({ length: 150 }, (_, i) => i).filter((i) => result.fold[i] === 2),
    );
    const { model } = fitTable(train, { target: 'y', l1Ratio: 1, tol: 1e-10, lambda: 0.05 });
    const z = values(rest, 'y').map((_, i) =>
      [0, 1, 2, 3].reduce((sum, j) => sum + model.weights[j] * values(rest, `x${j}`)[i], model.intercept[0]),
    );
    expect(Math.abs(result.steps[1].scores[1]! - logLoss({ logits: z }, values(rest, 'y')))).toBeLessThan(1e-8);
  });

  it('chooses the best mean, or the strongest penalty within one standard error, and refits with it', () => {
    const result = crossValidate(source.table, { ...options, lambdas: undefined, count: 30 });
    const { steps, best, oneStdError } = result;
    expect(steps[best].mean).toBe(Math.min(...steps.map(({ mean }) => mean)));
    expect(oneStdError).toBe(steps.findIndex(({ mean }) => mean <= steps[best].mean + steps[best].stdError!));
    expect(oneStdError).toBeLessThan(best);
    expect(result.chosen).toBe(best);
    const strong = crossValidate(source.table, { ...options, lambdas: undefined, count: 30, rule: '1se' });
    expect(strong.chosen).toBe(oneStdError);
    const alone = fitTable(source.table, { target: 'y', l1Ratio: 1, tol: 1e-10, lambda: steps[oneStdError].lambda });
    expect(strong.model.weights).toEqual(alone.model.weights);
    const { scores, mean, stdError } = steps[best];
    expect(mean).toBeCloseTo(scores.reduce<number>((sum, s) => sum + s!, 0) / 5, 12);
    const spread = Math.sqrt(scores.reduce<number>((sum, s) => sum + (s! - mean) ** 2, 0) / 5 / 4);
    expect(stdError).toBeCloseTo(spread, 12);
  });

  it.each(['logLoss', 'brier', 'auc', 'accuracy'] as const)(
    'integer weights are repeated rows where groups hold them: %s',
    (score) => {
      const weight = Array.from({ length: 150 }, (_, i) => (i * 13) % 3);
      const shared = { ...options, groups: 'g', score };
      const weighted = crossValidate(withColumns(base, numeric('s', weight)), { ...shared, weight: 's' });
      const repeated = crossValidate(
        takeRows(
          base,
          weight.flatMap((s, i) => Array<number>(s).fill(i)),
        ),
        shared,
      );
      weighted.steps.forEach((step, k) => {
        step.scores.forEach((value, j) => {
          expect(Math.abs(value! - repeated.steps[k].scores[j]!)).toBeLessThan(1e-8);
        });
        expect(Math.abs(step.stdError! - repeated.steps[k].stdError!)).toBeLessThan(1e-8);
      });
      expect(weighted.chosen).toBe(repeated.chosen);
    },
  );

  it('counts are scored as their rows', () => {
    const menarche = withColumns(
      readTable('menarche.csv'),
      numeric(
        'g',
        Array.from({ length: 25 }, (_, i) => i % 5),
      ),
    );
    const result = crossValidate(menarche, { target: 'Menarche', trials: 'Total', groups: 'g', lambdas: [0.001] });
    const [age, total, yes, g] = ['Age', 'Total', 'Menarche', 'g'].map((name) => values(menarche, name));
    const index = Array.from(total).flatMap((n, i) => Array<number>(n).fill(i));
    const seen = new Float64Array(25);
    const long = table(
      numeric(
        'Age',
        index.map((i) => age[i]),
      ),
      numeric(
        'g',
        index.map((i) => g[i]),
      ),
      numeric(
        'y',
        index.map((i) => Number(seen[i]++ < yes[i])),
      ),
    );
    const rows = crossValidate(long, { target: 'y', groups: 'g', lambdas: [0.001] });
    result.steps[0].scores.forEach((value, k) => {
      expect(Math.abs(value! - rows.steps[0].scores[k]!)).toBeLessThan(1e-7);
    });
  });

  it.each(['multinomial', 'ovr'] as const)('several classes: %s', (multiclass) => {
    const result = crossValidate(readTable('iris.csv'), { target: 'Species', multiclass, count: 10, ratio: 1e-6 });
    expect(result.steps[result.best].mean).toBeLessThan(multiclass === 'ovr' ? 0.5 : 0.2);
    expect(result.model.manifest.multiclass).toBe(multiclass);
  });

  it('a held-out fold of one class has no AUC: it is left out of the mean and named', () => {
    // group 0 has one class; by time the last part has one
    const y = numeric(
      'y',
      Array.from({ length: 60 }, (_, i) => (i % 6 === 0 || i >= 48 ? 0 : Number(Math.floor(i / 6) % 2 === i % 2))),
    );
    const x = numeric(
      'x0',
      Array.from({ length: 60 }, (_, i) => Math.sin(i)),
    );
    const shared = { target: 'y', score: 'auc' as const, lambdas: [0.1, 0.01] };
    const sixths = numeric(
      'six',
      Array.from({ length: 60 }, (_, i) => i % 6),
    );
    const result = crossValidate(table(x, sixths, y), { ...shared, groups: 'six', folds: 6 });
    const without = result.steps[0].scores.indexOf(null);
    expect(result.steps[0].scores.filter((value) => value === null).length).toBe(1);
    const others = result.steps[0].scores.filter((value) => value !== null);
    expect(result.steps[0].mean).toBeCloseTo(others.reduce((sum, value) => sum + value, 0) / 5, 12);
    expect(result.steps[0].stdError).toBeGreaterThan(0);
    expect(result.warnings).toContainEqual(
      expect.objectContaining({
        code: 'FOLD_WITHOUT_SCORE',
        message: expect.stringContaining(
          `1 of 6 folds (${without + 1}) have held-out rows of one class only, so they have no auc`,
        ),
      }),
    );
    const when = numeric(
      'when',
      Array.from({ length: 60 }, (_, i) => i),
    );
    const forward = crossValidate(table(x, when, y), { ...shared, time: 'when', folds: 4 });
    expect(forward.steps[0].scores[3]).toBe(null);
    // a fold of one class has a log loss
    const losses = crossValidate(table(x, sixths, y), { ...shared, score: 'logLoss', groups: 'six', folds: 6 });
    expect(losses.warnings.map(({ code }) => code)).not.toContain('FOLD_WITHOUT_SCORE');
  });

  it('a class of several that a held-out fold lacks is no TypeError either; where no fold has a score it is ERR_DATA', () => {
    const kinds = coded(
      'y',
      Array.from({ length: 60 }, (_, i) => (i % 6 === 0 ? 'ab'[Math.floor(i / 6) % 2] : 'abc'[i % 3])),
    );
    const x = numeric(
      'x0',
      Array.from({ length: 60 }, (_, i) => Math.sin(i)),
    );
    const sixths = numeric(
      'six',
      Array.from({ length: 60 }, (_, i) => i % 6),
    );
    const shared = { target: 'y', score: 'auc' as const, lambdas: [0.1, 0.01], groups: 'six', rule: '1se' as const };
    expect(() => crossValidate(table(x, sixths, kinds), { ...shared, folds: 6 })).toThrow(
      /^score auc: expected a fold whose held-out rows have every class, got 6 folds/,
    );
    const rare = coded(
      'y',
      Array.from({ length: 60 }, (_, i) => (i === 7 || i === 20 ? 'c' : 'ab'[(i >> 1) % 2])),
    );
    const { steps, warnings } = crossValidate(table(x, rare), { ...shared, groups: undefined, folds: 5 });
    expect(steps[0].scores.filter((value) => value === null).length).toBe(3);
    expect(warnings.map(({ message }) => message).join()).toMatch(
      /3 of 5 folds .* that lack a class, so they have no auc/,
    );
  });

  it('the grid of a ridge spans C from 1e-4 to 1e4 and finds no worse than C = 1', () => {
    const { steps, best, warnings } = crossValidate(source.table, { target: 'y', folds: 5 });
    expect(steps.length).toBe(100);
    expect(steps[0].C).toBeLessThan(1.0001e-4);
    expect(steps[99].C).toBeGreaterThan(0.9999e4);
    expect(best).toBeGreaterThan(0);
    expect(best).toBeLessThan(99);
    expect(warnings.map(({ code }) => code)).not.toContain('GRID_END');
    const plain = crossValidate(source.table, { target: 'y', folds: 5, lambdas: [1 / 150] });
    expect(steps[best].mean).toBeLessThanOrEqual(plain.steps[0].mean + 1e-6);
    // a ratio is the user's own end, and glmnet's beginning
    const own = fitPath(source.table, { target: 'y', ratio: 1e-4, count: 3 });
    expect(own.steps[2].lambda / own.steps[0].lambda).toBeCloseTo(1e-4, 12);
  });

  it('a grid whose best is its weakest penalty is extended, and says so; ends that were asked for are not moved', () => {
    // of classes nearly told apart: every weaker penalty is better for long
    const next = random(11);
    const cells = Array.from({ length: 400 }, () => 2 * next() - 1);
    const steep = table(
      numeric('x0', cells),
      numeric(
        'y',
        cells.map((value) => Number(next() < 1 / (1 + Math.exp(-300 * value)))),
      ),
    );
    const shared = { target: 'y', l1Ratio: 1, count: 20, tol: 1e-11 };
    const result = crossValidate(steep, shared);
    const codes = result.warnings.map(({ code }) => code);
    expect(result.steps.length).toBeGreaterThan(20);
    expect((result.steps.length - 20) % 20).toBe(0);
    expect(codes).toContain('GRID_EXTENDED');
    const { steps } = result;
    for (let k = 1; k < steps.length; k++) {
      expect(steps[k].lambda / steps[k - 1].lambda).toBeCloseTo(steps[1].lambda / steps[0].lambda, 10);
    }
    // each step is still the fit of its own strength
    const alone = fitTable(steep, { target: 'y', l1Ratio: 1, lambda: steps[25].lambda, tol: 1e-10 }).model;
    const given = crossValidate(steep, { ...shared, count: undefined, lambdas: steps.map(({ lambda }) => lambda) });
    given.steps.forEach((step, k) => {
      // both end within tol of one optimum; at the weakest penalties its curvature is near 1e-6
      expect(Math.abs(step.mean - steps[k].mean)).toBeLessThan(1e-5);
    });
    expect(Math.abs(alone.manifest.fit.logLik - steps[25].logLik)).toBeLessThan(1e-4);
    const fixed = crossValidate(steep, { ...shared, ratio: 1e-2 });
    expect(fixed.steps.length).toBe(20);
    expect(fixed.warnings).toContainEqual(
      expect.objectContaining({ code: 'GRID_END', message: expect.stringContaining('a weaker one may be better') }),
    );
    const few = crossValidate(steep, { ...shared, count: undefined, lambdas: [1e-3, 0.1] });
    expect(few.warnings.map(({ code }) => code)).toContain('GRID_END');
  });

  it('features that say nothing: the best penalty is the strongest, with a warning', () => {
    const next = random(7);
    const noise = table(
      ...[0, 1, 2].map((j) =>
        numeric(
          `x${j}`,
          Array.from({ length: 200 }, () => next()),
        ),
      ),
      numeric(
        'y',
        Array.from({ length: 200 }, (_, i) => i % 2),
      ),
    );
    const { warnings, best } = crossValidate(noise, { target: 'y', l1Ratio: 1, count: 15 });
    expect(best).toBe(0);
    expect(warnings).toContainEqual(
      expect.objectContaining({ code: 'GRID_END', message: expect.stringContaining('all weights are 0') }),
    );
  });

  it('by time takes dates and times as instants, and refuses what is none', () => {
    const day = (i: number) => new Date(Date.UTC(2023, 0, 1) + i * 86_400_000).toISOString();
    const order = Array.from({ length: 150 }, (_, i) => (i * 37) % 150);
    const shared = { ...options, folds: 4, time: 'when' };
    const numbers = crossValidate(withColumns(source.table, numeric('when', order)), shared);
    const dates = coded(
      'when',
      order.map((i) => (i % 2 ? day(i) : day(i).slice(0, 10))),
    );
    const result = crossValidate(withColumns(source.table, dates), shared);
    expect(result.fold).toEqual(numbers.fold);
    expect(result.steps).toEqual(numbers.steps);
    const months = coded(
      'when',
      order.map((i) => `Mar-${2000 + i}`),
    );
    expect(() => crossValidate(withColumns(source.table, months), shared)).toThrow(
      /row 0 \(from 0\), column "when": expected a number or a date in ISO 8601/,
    );
  });

  it('a class missing from a fold, too many folds, and options outside their domain are refused', () => {
    const rare = withColumns(
      base,
      coded(
        'y',
        Array.from({ length: 150 }, (_, i) => (i === 3 ? 'odd' : i % 2 ? 'a' : 'b')),
      ),
    );
    expect(() => crossValidate(rare, options)).toThrow(
      /fold \d: expected training rows of every class, got none of "odd"/,
    );
    expect(() => crossValidate(base, { ...options, groups: 'g', folds: 11 })).toThrow(/groups of "g", got 10/);
    expect(() => crossValidate(base, { ...options, time: 'g', folds: 20 })).toThrow(/parts of "g"/);
    expect(() => crossValidate(base, { ...options, folds: 1 })).toThrow(/folds: expected a whole number from 2/);
    expect(() => crossValidate(base, { ...options, groups: 'g', time: 'x0' })).toThrow(/groups: expected no time/);
    expect(() => crossValidate(base, { ...options, score: 'f1' as 'auc' })).toThrow(/score: expected one of "logLoss"/);
    expect(() => crossValidate(base, { ...options, rule: '2se' as '1se' })).toThrow(/rule: expected min or 1se/);
  });
});
