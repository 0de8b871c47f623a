import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { slotNames } from '../../src/encode/slots.ts';
import type { Table } from '../../src/encode/table.ts';
import { coefficients } from '../../src/model/coefficients.ts';
import type { Model } from '../../src/model/model.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import type { FitOptions } from '../../src/train/fitOptions.ts';
import { sweep } from '../full.ts';
import { denseEngine } from './denseLikelihood.ts';
import { coded, numeric, random, readTable, table, takeRows, values, withColumns } from './oracles.ts';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Numbers with gaps, categories with gaps, counts as weights, an offset; y follows a model of them. */
function mixed(rows: number, seed: number): Table {
  const next = random(seed);
  const a = range(rows).map(() => 100 + 20 * next());
  const b = range(rows).map(() => next() - 0.5);
  const gaps = range(rows).filter(() => next() < 0.1);
  const levels = ['red', 'green', 'blue', 'white'];
  const colour = range(rows).map(() => (next() < 0.1 ? null : levels[Math.floor(next() * 4)]));
  const offset = range(rows).map(() => next() - 0.5);
  const y = range(rows).map((i) => {
    const z = 0.05 * (a[i] - 110) + b[i] + (colour[i] === 'red' ? 0.8 : 0) + offset[i];
    return next() < 1 / (1 + Math.exp(-z)) ? 'yes' : 'no';
  });
  return table(
    numeric('a', a, gaps),
    numeric('b', b),
    coded('colour', colour),
    numeric(
      'count',
      range(rows).map(() => Math.floor(next() * 4)),
    ),
    numeric('shift', offset),
    coded('y', y),
  );
}

const params = (model: Model): number[] => [...model.weights, ...model.intercept];
const logits = (model: Model, rows: number, record: (i: number) => Record<string, unknown>): number[] =>
  range(rows).map((i) => model.score(record(i)).logit);

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, relative = 1e-9): void {
  expect(actual.length).toBe(expected.length);
  for (let j = 0; j < actual.length; j++) {
    const bound = relative * Math.max(1, Math.abs(expected[j]));
    expect(Math.abs(actual[j] - expected[j]), `${j}: ${actual[j]}, expected ${expected[j]}`).toBeLessThanOrEqual(bound);
  }
}

const codes = (warnings: readonly { code: string }[]): string[] => warnings.map((warning) => warning.code);

function failure(run: () => unknown): LogoddsError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(LogoddsError);
    return error as LogoddsError;
  }
  throw new Error('expected an error');
}

const SETTINGS: [string, Partial<FitOptions>][] = [
  ['L2', { C: 2 }],
  ['L2 on raw weights', { C: 2, standardize: false }],
  ['no penalty', { penalty: 'none', inference: true }],
  ['no penalty by lbfgs', { penalty: 'none', inference: true, solver: 'lbfgs', tol: 1e-12 }],
];

describe.each(SETTINGS)('laws: %s', (_, setting) => {
  const base = mixed(400, 1);
  const options: FitOptions = { target: 'y', offset: 'shift', ...setting };
  // lbfgs at a gradient of 1e-12 leaves 1e-12·‖H⁻¹‖ in the weights; newton leaves rounding
  const tolerance = 1e-8;

  it('integer weights are repeated rows, and weight 0 is a removed row', () => {
    const counts = values(base, 'count');
    const index = range(base.rows).flatMap((i) => new Array<number>(counts[i]).fill(i));
    const weighted = fitTable(base, { ...options, weight: 'count' }).model;
    const repeated = fitTable(takeRows(base, index), { ...options, exclude: ['count'] }).model;
    expectClose(params(weighted), params(repeated), tolerance);
    expect(weighted.manifest.fit.totalWeight).toBe(index.length);
    expect(weighted.manifest.objective.lambda).toBe(repeated.manifest.objective.lambda);
    for (const key of ['objective', 'logLik', 'nullLogLik'] as const) {
      expectClose([weighted.manifest.fit[key]], [repeated.manifest.fit[key]], 1e-12);
    }
    if (options.inference) expectClose(weighted.covariance!, repeated.covariance!, tolerance);
  });

  it('the order of rows does not matter', () => {
    const next = random(2);
    const order = range(base.rows)
      .map((i) => [next(), i])
      .sort((p, q) => p[0] - q[0])
      .map(([, i]) => i);
    const a = fitTable(base, { ...options, weight: 'count' }).model;
    const b = fitTable(takeRows(base, order), { ...options, weight: 'count' }).model;
    expectClose(params(b), params(a), tolerance);
  });

  it('the positive class may be swapped: all signs turn', () => {
    const a = fitTable(base, { ...options, exclude: ['count'], offset: undefined }).model;
    const b = fitTable(base, { ...options, exclude: ['count'], offset: undefined, positive: 'no' }).model;
    expect(b.manifest.positive).toBe('no');
    expect(b.manifest.classes).toEqual(['no', 'yes']);
    expectClose(
      params(b).map((w) => -w),
      params(a),
      tolerance,
    );
  });

  it('an offset that grows by 1 lowers the intercept by 1', () => {
    const shifted = withColumns(
      base,
      numeric(
        'shift',
        values(base, 'shift').map((z) => z + 1),
      ),
    );
    const a = fitTable(base, { ...options, exclude: ['count'] }).model;
    const b = fitTable(shifted, { ...options, exclude: ['count'] }).model;
    expectClose(b.weights, a.weights, tolerance);
    expectClose([b.intercept[0] + 1], [a.intercept[0]], tolerance);
    expectClose([b.manifest.fit.nullLogLik], [a.manifest.fit.nullLogLik], 1e-12);
  });

  it('the engines agree', () => {
    const [wasm, js, reference] = [pickEngine('wasm'), pickEngine('js'), denseEngine()].map(
      (engine) => fitTable(base, { ...options, weight: 'count', engine }).model,
    );
    expect(js.weights).toEqual(wasm.weights);
    expect(js.intercept).toEqual(wasm.intercept);
    expect(js.covariance).toEqual(wasm.covariance);
    expectClose(params(reference), params(wasm), tolerance);
  });

  it('sits where the gradient of the folded model vanishes', () => {
    const { model } = fitTable(base, { ...options, exclude: ['count'] });
    expect(model.manifest.fit.gradNorm).toBeLessThan(1e-8);
    // Σ (p − y) = 0 belongs to the intercept, whatever the penalty
    const columns = new Map(base.columns.map((column) => [column.name, column]));
    const cell = (name: string, i: number): unknown => {
      const column = columns.get(name)!;
      if (column.missing?.[i]) return null;
      return column.kind === 'numeric' ? column.values[i] : column.levels[column.codes[i]];
    };
    let sum = 0;
    for (let i = 0; i < base.rows; i++) {
      const record = Object.fromEntries(['a', 'b', 'colour', 'shift'].map((name) => [name, cell(name, i)]));
      sum += model.score(record).probability - Number(cell('y', i) === 'yes');
    }
    expect(Math.abs(sum)).toBeLessThan(1e-6);
  });
});

describe('penalty', () => {
  const base = mixed(300, 3);
  const plain = { target: 'y', features: ['b', 'colour'] } satisfies FitOptions;

  it('newton and lbfgs find one minimum', () => {
    const a = fitTable(base, { ...plain, C: 5, solver: 'newton' }).model;
    const b = fitTable(base, { ...plain, C: 5, solver: 'lbfgs', tol: 1e-12 }).model;
    expect([a.manifest.fit.solver, b.manifest.fit.solver]).toEqual(['newton', 'lbfgs']);
    expectClose(params(b), params(a), 1e-9);
  });

  it('standardize: false penalises raw weights: a rescaled feature with the same raw weight in its new unit costs another amount', () => {
    const scaled = withColumns(
      base,
      numeric(
        'b',
        values(base, 'b').map((value) => value * 1000),
      ),
    );
    const b = (model: Model): number => model.weights[slotNames(model.encoder).findIndex((slot) => slot.name === 'b')];
    const unit = b(fitTable(base, { ...plain, C: 0.1 }).model);
    expectClose([b(fitTable(scaled, { ...plain, C: 0.1 }).model) * 1000], [unit], 1e-9);
    const raw = b(fitTable(base, { ...plain, C: 0.1, standardize: false }).model);
    const rawScaled = b(fitTable(scaled, { ...plain, C: 0.1, standardize: false }).model) * 1000;
    expect(Math.abs(rawScaled)).toBeGreaterThan(Math.abs(raw) * 1.5);
  });

  it('standardize: false is a fit of raw columns that happen to have scale 1', () => {
    const z = values(base, 'b');
    const mean = z.reduce((sum, value) => sum + value, 0) / z.length;
    const sd = Math.sqrt(z.reduce((sum, value) => sum + (value - mean) ** 2, 0) / z.length);
    const unit = withColumns(
      base,
      numeric(
        'b',
        z.map((value) => (value - mean) / sd),
      ),
    );
    const a = fitTable(unit, { ...plain, C: 0.3, standardize: false }).model;
    const b = fitTable(unit, { ...plain, C: 0.3, standardize: true }).model;
    expectClose(params(a), params(b), 1e-9);
  });

  it('C = 1 stands when nothing is said; C = Infinity, lambda = 0 and "none" are no penalty', () => {
    expect(fitTable(base, plain).model.manifest.objective).toEqual({
      lambda: 1 / 300,
      l1Ratio: 0,
      C: 1,
      standardize: true,
    });
    const none = fitTable(base, { ...plain, penalty: 'none' }).model;
    expect(none.manifest.objective).toMatchObject({ lambda: 0, C: null });
    for (const option of [{ C: Number.POSITIVE_INFINITY }, { lambda: 0 }]) {
      const { model } = fitTable(base, { ...plain, ...option });
      expect(model.weights).toEqual(none.weights);
      expect(model.manifest.objective).toEqual(none.manifest.objective);
    }
  });

  it('coding follows the penalty unless said', () => {
    const coding = (option: Pick<FitOptions, 'penalty' | 'coding'>) => {
      const feature = fitTable(base, { ...plain, ...option }).model.manifest.schema.features[1];
      return feature.kind === 'categorical' && feature.coding;
    };
    expect(coding({})).toBe('onehot');
    expect(coding({ penalty: 'none' })).toBe('treatment');
    expect(coding({ coding: 'treatment' })).toBe('treatment');
  });

  it('class weights are sample weights by class; the penalty stays where the plain weights put it', () => {
    const yes = base.columns.find((column) => column.name === 'y')!;
    const label = (i: number) => (yes.kind === 'coded' ? yes.levels[yes.codes[i]] : '');
    const weighted = withColumns(
      base,
      numeric(
        's',
        range(300).map((i) => (label(i) === 'yes' ? 3 : 0.5)),
      ),
    );
    const raw = { ...plain, standardize: false };
    const a = fitTable(base, { ...raw, lambda: 0.02, classWeight: { yes: 3, no: 0.5 } }).model;
    const S = values(weighted, 's').reduce((sum, s) => sum + s, 0);
    const b = fitTable(weighted, { ...raw, lambda: (0.02 * 300) / S, weight: 's' }).model;
    expectClose(params(a), params(b), 1e-9);
    expect(a.manifest.fit.totalWeight).toBe(300);
  });

  it('class weights multiply sample weights', () => {
    const counts = values(base, 'count');
    const column = base.columns.find((other) => other.name === 'y')!;
    const factor = (i: number) => (column.kind === 'coded' && column.levels[column.codes[i]] === 'yes' ? 2 : 1);
    const product = withColumns(
      base,
      numeric(
        's',
        counts.map((count, i) => count * factor(i)),
      ),
    );
    const none: FitOptions = { ...plain, penalty: 'none' };
    const a = fitTable(base, { ...none, weight: 'count', classWeight: { yes: 2 } }).model;
    const b = fitTable(product, { ...none, weight: 's' }).model;
    expectClose(params(a), params(b), 1e-9);
  });

  it.each([true, false])('objective = −logLik/S + penalty, with standardize %s', (standardize) => {
    const { model } = fitTable(base, { ...plain, C: 0.1, standardize });
    const { objective, logLik, totalWeight } = model.manifest.fit;
    const scale = model.manifest.schema.features.flatMap((feature) =>
      feature.kind === 'numeric' ? [feature.scale] : [],
    );
    let norm = 0;
    slotNames(model.encoder).forEach((slot, id) => {
      const unit = slot.role === 'number' && standardize ? scale[slot.feature] : 1;
      norm += (model.weights[id] * unit) ** 2;
    });
    expectClose([objective], [-logLik / totalWeight + (model.manifest.objective.lambda / 2) * norm], 1e-13);
    expect(norm).toBeGreaterThan(1e-3);
  });

  it('wide data go to lbfgs by themselves, and it says why', () => {
    const next = random(11);
    const rows = 60;
    const wide = table(
      ...range(1100).map((j) =>
        numeric(
          `x${j}`,
          range(rows).map(() => next()),
        ),
      ),
      numeric(
        'y',
        range(rows).map(() => Number(next() < 0.5)),
      ),
    );
    const { model, warnings } = fitTable(wide, { target: 'y', C: 0.1 });
    expect(model.manifest.fit).toMatchObject({ solver: 'lbfgs', converged: true, reason: 'converged' });
    expect(model.manifest.fit.choice).toMatch(/1101 free parameters/);
    expect(warnings).toEqual([]);
    const solver = sweep('newton-cg', 'newton');
    const other = fitTable(wide, { target: 'y', C: 0.1, solver }).model;
    expectClose(model.weights, other.weights, 1e-7);
  });

  it('reports progress', () => {
    const seen: number[] = [];
    const { model } = fitTable(base, {
      ...plain,
      onIteration: ({ iteration }) => seen.push(iteration),
    });
    expect(seen).toEqual(range(model.manifest.fit.iterations).map((i) => i + 1));
  });

  it('too few iterations are a result and a warning', () => {
    const { model, warnings } = fitTable(base, { ...plain, maxIter: 1 });
    expect(model.manifest.fit).toMatchObject({ converged: false, reason: 'max_iter', iterations: 1 });
    expect(codes(warnings)).toEqual(['NOT_CONVERGED']);
    expect(model.manifest.warnings).toEqual(warnings);
  });
});

describe('null model', () => {
  it('has the intercept that balances residuals, with an offset too', () => {
    const base = mixed(200, 4);
    const { model } = fitTable(base, { target: 'y', offset: 'shift', features: ['b'], penalty: 'none' });
    const shift = values(base, 'shift');
    const column = base.columns.find((other) => other.name === 'y')!;
    const y = range(200).map((i) => Number(column.kind === 'coded' && column.levels[column.codes[i]] === 'yes'));
    // bisection on Σ (σ(b + offset) − y) = 0
    let [low, high] = [-10, 10];
    for (let k = 0; k < 100; k++) {
      const b = (low + high) / 2;
      const sum = y.reduce((total, label, i) => total + 1 / (1 + Math.exp(-b - shift[i])) - label, 0);
      if (sum > 0) high = b;
      else low = b;
    }
    const loss = y.reduce(
      (total, label, i) => total + Math.log1p(Math.exp(low + shift[i])) - label * (low + shift[i]),
      0,
    );
    expectClose([model.manifest.fit.nullLogLik], [-loss], 1e-12);
    expect(model.manifest.fit.logLik).toBeGreaterThanOrEqual(model.manifest.fit.nullLogLik);
  });
});

describe('inference', () => {
  const base = mixed(300, 5);

  it('a penalty has no standard errors, and says why', () => {
    const { model, warnings } = fitTable(base, { target: 'y', inference: true });
    expect(model.covariance).toBeNull();
    expect(codes(warnings)).toEqual(['INFERENCE_PENALIZED']);
  });

  it('is absent unless asked for', () => {
    const { model, warnings } = fitTable(base, { target: 'y', penalty: 'none' });
    expect(model.covariance).toBeNull();
    expect(warnings).toEqual([]);
  });

  it('weights that are no counts get a warning', () => {
    const halves = withColumns(
      base,
      numeric(
        'count',
        values(base, 'count').map((count) => count / 2),
      ),
    );
    const shared: FitOptions = { target: 'y', penalty: 'none', inference: true };
    expect(codes(fitTable(base, { ...shared, weight: 'count', weightKind: 'count' }).warnings)).toEqual([]);
    expect(codes(fitTable(base, { ...shared, weight: 'count' }).warnings)).toEqual(['INFERENCE_WEIGHTS']);
    expect(codes(fitTable(halves, { ...shared, weight: 'count' }).warnings)).toEqual(['INFERENCE_WEIGHTS']);
    expect(codes(fitTable(base, { ...shared, exclude: ['count'], classWeight: 'balanced' }).warnings)).toEqual([
      'INFERENCE_WEIGHTS',
    ]);
  });

  it('the variance of a logit does not depend on the reference level', () => {
    const shared: FitOptions = { target: 'y', features: ['b', 'colour'], penalty: 'none', inference: true };
    const variance = (reference: string): number => {
      const { model } = fitTable(base, { ...shared, references: { colour: reference } });
      const row = new Float64Array(model.weights.length + 1);
      row[model.weights.length] = 1;
      slotNames(model.encoder).forEach((slot, id) => {
        if (slot.role === 'number') row[id] = 0.3;
        if (slot.role === 'level' && slot.level === 'green') row[id] = 1;
      });
      return row.reduce(
        (sum, x, i) => sum + x * row.reduce((t, v, k) => t + v * model.covariance![i * row.length + k], 0),
        0,
      );
    };
    expectClose([variance('white')], [variance('red')], 1e-10);
  });
});

describe('columns that say nothing new', () => {
  const base = mixed(250, 6);
  const shared: FitOptions = { target: 'y', penalty: 'none', inference: true };
  const b = values(base, 'b');
  const next = random(9);
  const c = Float64Array.from(b, () => next());

  it('a linear combination: the later column is held at 0 and named; the rest is the fit without it', () => {
    const few = takeRows(
      { rows: base.rows, columns: base.columns.filter((column) => ['b', 'colour', 'y'].includes(column.name)) },
      range(250),
    );
    const with2 = withColumns(
      few,
      numeric('c', c),
      numeric(
        'sum',
        b.map((value, i) => 3 * value - 2 * c[i] + 7),
      ),
    );
    const { model, warnings } = fitTable(with2, shared);
    expect(codes(warnings)).toEqual(['RANK_DEFICIENT']);
    expect(warnings[0].features).toEqual(['sum']);
    const lines = coefficients(model);
    expect(lines.find((line) => line.feature === 'sum')).toMatchObject({ value: null, stdError: null });
    const without = fitTable(withColumns(few, numeric('c', c)), shared).model;
    const expected = coefficients(without);
    for (const line of lines.filter((entry) => entry.feature !== 'sum')) {
      const same = expected.find((other) => other.feature === line.feature && other.level === line.level)!;
      expectClose([line.value!, line.stdError!], [same.value!, same.stdError!], 1e-8);
    }
    expect(model.manifest.fit.converged).toBe(true);
  });

  it.each(['newton', 'lbfgs'] as const)(
    'a full set of levels beside the intercept, by %s: the last level goes',
    (solver) => {
      const { model, warnings } = fitTable(base, {
        ...shared,
        features: ['colour'],
        coding: 'onehot',
        solver,
        tol: 1e-10,
      });
      expect(codes(warnings)).toEqual(['RANK_DEFICIENT']);
      expect(warnings[0].message).toContain('colour: (missing)');
      const other = fitTable(base, { ...shared, features: ['colour'] }).model;
      expectClose([model.manifest.fit.logLik], [other.manifest.fit.logLik], 1e-12);
    },
  );

  it('a penalty makes the same columns fit, without a warning', () => {
    const twice = withColumns(base, numeric('again', b));
    const { model, warnings } = fitTable(twice, { target: 'y', features: ['b', 'again'], C: 1 });
    expect(warnings).toEqual([]);
    expectClose([model.weights[0]], [model.weights[1]], 1e-9);
  });

  it.each([{ penalty: 'none' as const }, { C: 1 }])('a constant column is named: %o', (option) => {
    const constant = withColumns(
      base,
      numeric(
        'seven',
        b.map(() => 7.3),
      ),
      coded(
        'one',
        range(250).map(() => 'x'),
      ),
    );
    const { model, warnings } = fitTable(constant, { target: 'y', features: ['b', 'seven', 'one'], ...option });
    expect(codes(warnings)).toEqual(['CONSTANT_COLUMN']);
    expect(warnings[0].features).toEqual(['seven', 'one']);
    const without = fitTable(base, { target: 'y', features: ['b'], ...option }).model;
    expectClose(
      [coefficients(model)[0].value!, coefficients(model)[1].value!],
      coefficients(without).map((line) => line.value!),
      1e-10,
    );
    expect(coefficients(model).find((line) => line.feature === 'seven')!.value).toBeNull();
    expect(model.manifest.fit.converged).toBe(true);
  });

  it('a column that is constant where the weight is positive is constant', () => {
    const weight = range(250).map((i) => Number(i < 100));
    const trap = withColumns(
      base,
      numeric('s', weight),
      numeric(
        'k',
        weight.map((s, i) => (s ? 4 : i)),
      ),
    );
    const { warnings } = fitTable(trap, { target: 'y', features: ['b', 'k'], weight: 's' });
    expect(warnings.map((warning) => [warning.code, ...warning.features])).toEqual([['CONSTANT_COLUMN', 'k']]);
  });

  it('a column that varies only by being missing keeps the weight of the gap', () => {
    const gaps = range(250).filter((i) => i % 3 === 0);
    const hollow = withColumns(
      base,
      numeric(
        'k',
        range(250).map(() => 5),
        gaps,
      ),
    );
    for (const option of [{ penalty: 'none' as const }, { C: 1 }]) {
      const { model, warnings } = fitTable(hollow, { target: 'y', features: ['k'], ...option });
      expect(model.manifest.fit.converged).toBe(true);
      expect(codes(warnings)).toEqual('penalty' in option ? ['RANK_DEFICIENT'] : []);
      expect(model.score({ k: null }).logit).not.toBe(model.score({ k: 5 }).logit);
    }
  });

  it('columns that are nearly one, but not quite, converge', () => {
    const near = withColumns(
      base,
      numeric(
        'near',
        b.map((value, i) => value + 1e-5 * c[i]),
      ),
    );
    const { model, warnings } = fitTable(near, {
      target: 'y',
      features: ['b', 'near'],
      penalty: 'none',
      inference: true,
    });
    expect(warnings).toEqual([]);
    expect(model.manifest.fit.converged).toBe(true);
    const other = fitTable(withColumns(base, numeric('c', c)), {
      target: 'y',
      features: ['b', 'c'],
      penalty: 'none',
    }).model;
    expectClose([model.manifest.fit.logLik], [other.manifest.fit.logLik], 1e-12);
  });

  it('only constant columns leave the null model', () => {
    const constant = withColumns(
      base,
      numeric(
        'seven',
        b.map(() => 7),
      ),
    );
    const { model } = fitTable(constant, { target: 'y', features: ['seven'], penalty: 'none' });
    expect(model.manifest.fit).toMatchObject({ converged: true });
    expect(model.manifest.fit.logLik).toBeCloseTo(model.manifest.fit.nullLogLik, 12);
  });

  it('more parameters than rows are named', () => {
    const few = table(
      ...range(8).map((j) =>
        numeric(
          `x${j}`,
          range(6).map(() => next()),
        ),
      ),
      numeric('y', [0, 1, 0, 1, 1, 0]),
    );
    const { model, warnings } = fitTable(few, { target: 'y', penalty: 'none' });
    expect(codes(warnings)).toEqual(expect.arrayContaining(['UNDERDETERMINED', 'RANK_DEFICIENT', 'SEPARATION']));
    expect(params(model).every(Number.isFinite)).toBe(true);
  });

  it('a level that occurs in rows of weight 0 only has no slot, under either policy for unseen values', () => {
    const s = range(250).map((i) => Number(i > 0));
    const odd = withColumns(
      base,
      numeric('s', s),
      coded(
        'k',
        range(250).map((i) => (i === 0 ? 'rare' : ['p', 'q'][i % 2])),
      ),
    );
    for (const unseen of ['slot', 'error'] as const) {
      const { model, warnings } = fitTable(odd, { target: 'y', features: ['k'], weight: 's', penalty: 'none', unseen });
      expect(warnings).toEqual([]);
      const [feature] = model.manifest.schema.features;
      expect(feature).toMatchObject({ levels: ['p', 'q'], unseen });
    }
  });
});

describe('separation without a penalty', () => {
  const finite = (model: Model): void => {
    const { fit: report } = model.manifest;
    expect([...params(model), report.objective, report.gradNorm, report.logLik].every(Number.isFinite)).toBe(true);
    expect(report).toMatchObject({ converged: false, reason: 'diverged' });
  };

  it.each(['newton', 'lbfgs'] as const)('complete, in one column, by %s', (solver) => {
    const base = table(numeric('x', [1, 2, 3, 4, 5, 6]), numeric('y', [0, 0, 0, 1, 1, 1]));
    const { model, warnings } = fitTable(base, { target: 'y', penalty: 'none', solver, inference: true });
    finite(model);
    expect(codes(warnings)).toEqual(['SEPARATION', 'INFERENCE_UNAVAILABLE']);
    expect(warnings[0].features).toEqual(['x']);
    expect(model.covariance).toBeNull();
  });

  it.each(['newton', 'lbfgs'] as const)('complete, in a direction of two columns, by %s', (solver) => {
    const next = random(21);
    const [u, v] = [0, 1].map(() => range(80).map(() => next() - 0.5));
    const y = u.map((value, i) => Number(value + 0.7 * v[i] > 0.05));
    const noise = range(80).map(() => next());
    const { model, warnings } = fitTable(
      table(numeric('u', u), numeric('v', v), numeric('noise', noise), numeric('y', y)),
      {
        target: 'y',
        penalty: 'none',
        solver,
      },
    );
    finite(model);
    expect(codes(warnings)).toEqual(['SEPARATION']);
    expect(warnings[0].features).toEqual(expect.arrayContaining(['u', 'v']));
  });

  it.each([
    ['newton', 1e-8],
    ['newton', 1e-3],
    ['lbfgs', 1e-8],
    ['lbfgs', 1e-3],
  ] as const)(
    'quasi-complete, in a direction of two columns, by %s to %f: the runaway features are named and no other',
    (solver, tol) => {
      // Rows on the line u = v have both classes; off it the sign of u − v decides.
      const next = random(22);
      const rows = range(200).map((i) => {
        const u = Math.floor(next() * 5);
        const v = i % 2 === 0 ? u : Math.floor(next() * 5);
        return { u, v, w: next(), y: u === v ? Number(next() < 0.5) : Number(u > v) };
      });
      const { model, warnings } = fitTable(
        table(
          ...(['w', 'u', 'v', 'y'] as const).map((name) =>
            numeric(
              name,
              rows.map((row) => row[name]),
            ),
          ),
        ),
        { target: 'y', penalty: 'none', solver, tol },
      );
      finite(model);
      expect(codes(warnings)).toEqual(['SEPARATION']);
      expect(warnings[0].features).toEqual(['u', 'v']);
    },
  );

  it('a level with one class: the feature is named, whether the level is reference or not', () => {
    const next = random(23);
    const level = range(120).map((i) => ['a', 'b', 'c'][i % 3]);
    const y = level.map((name) => Number(name === 'b' || next() < 0.5));
    const x = range(120).map(() => next());
    const base = table(numeric('x', x), coded('k', level), numeric('y', y));
    for (const reference of ['a', 'b']) {
      const { model, warnings } = fitTable(base, { target: 'y', penalty: 'none', references: { k: reference } });
      finite(model);
      const [warning] = warnings.filter(({ code }) => code === 'SEPARATION');
      expect(warning.features).toEqual(['k']);
      expect(warning.message).toContain('k: b');
    }
    expect(fitTable(base, { target: 'y', C: 1 }).warnings).toEqual([]);
  });

  it('a rare outcome has a far but finite estimate, and it is found', () => {
    const level = range(24000).map((i) => (i < 20000 ? 'rare' : 'even'));
    const y = range(24000).map((i) => Number(i === 0 || (i >= 20000 && i % 2 === 0)));
    const { model, warnings } = fitTable(table(coded('k', level), numeric('y', y)), { target: 'y', penalty: 'none' });
    expect(warnings).toEqual([]);
    const value = coefficients(model).find((line) => line.level === 'rare')!.value!;
    expectClose([value], [Math.log(1 / 19999)], 1e-9);
  });

  it('the endometrial data: NV alone runs away', () => {
    const { model, warnings } = fitTable(readTable('endometrial.csv'), { target: 'HG', penalty: 'none' });
    finite(model);
    expect(warnings.map((warning) => [warning.code, ...warning.features])).toEqual([['SEPARATION', 'NV']]);
  });

  it('is never NaN, silent or thrown on small random data', () => {
    const engine = pickEngine();
    let separated = 0;
    for (let seed = 0; seed < 300; seed++) {
      const next = random(seed);
      const rows = 4 + Math.floor(next() * 12);
      const y = range(rows).map((i) => (i < 2 ? i : Number(next() < 0.4)));
      const base = table(
        numeric(
          'u',
          range(rows).map(() => Math.floor(next() * 4)),
        ),
        numeric(
          'v',
          range(rows).map(() => next()),
        ),
        coded(
          'k',
          range(rows).map(() => (next() < 0.1 ? null : ['p', 'q', 'r'][Math.floor(next() * 3)])),
        ),
        numeric('y', y),
      );
      for (const solver of ['newton', 'lbfgs'] as const) {
        const { model, warnings } = fitTable(base, { target: 'y', penalty: 'none', solver, inference: true, engine });
        const { converged, logLik, gradNorm } = model.manifest.fit;
        expect([...params(model), logLik, gradNorm].every(Number.isFinite)).toBe(true);
        expect(converged || codes(warnings).some((code) => code === 'SEPARATION' || code === 'NOT_CONVERGED')).toBe(
          true,
        );
        if (converged) expect(Math.max(...params(model).map(Math.abs))).toBeLessThan(1e4);
        if (codes(warnings).includes('SEPARATION')) separated++;
      }
    }
    expect(separated).toBeGreaterThan(100);
    expect(engine.bytesInUse).toBe(0);
  });
});

describe('target', () => {
  const x = numeric('x', [1, 2, 3, 4, 2, 3]);
  const fitY = (y: ReturnType<typeof coded> | ReturnType<typeof numeric>, option: Partial<FitOptions> = {}) =>
    fitTable(table(x, y), { target: 'y', ...option }).model.manifest;

  it.each([
    [['no', 'yes'], 'yes'],
    [['Yes', 'No'], 'Yes'],
    [['true', 'unknown'], 'true'],
    [['1', '2'], '1'],
    [['10', '9'], '10'],
    [['a', 'B'], 'a'],
    [['\u{1f600}', '\uffee'], '\u{1f600}'],
  ])('labels %j: positive %s', ([p, q], positive) => {
    const manifest = fitY(coded('y', [p, q, p, q, q, p]));
    expect(manifest.positive).toBe(positive);
    expect([...manifest.classes].sort()).toEqual([p, q].sort());
  });

  it('numbers sort by value, and become labels', () => {
    expect(fitY(numeric('y', [10, 9, 10, 9, 9, 10])).classes).toEqual(['9', '10']);
    expect(fitY(numeric('y', [1, 0, 1, 0, 0, 1]))).toMatchObject({ classes: ['0', '1'], positive: '1' });
    expect(fitY(coded('y', ['b', 'a', 'b', 'a', 'a', 'b']), { positive: 'a' }).positive).toBe('a');
  });

  it.each([
    ['one class', coded('y', ['a', 'a', 'a', 'a', 'a', 'a']), {}, /at least two classes, got 1 \("a"\)/],
    ['missing cells', coded('y', ['a', null, 'b', null, 'a', 'b']), {}, /got 2 missing, the first in row 1/],
    ['missing numbers', numeric('y', [0, 1, 0, 1, 0, 1], [4]), {}, /got 1 missing, the first in row 4/],
    ['NaN', numeric('y', [0, 1, 0, Number.NaN, 0, 1]), {}, /row 3: expected a label, got NaN/],
    ['an unknown positive', coded('y', ['a', 'b', 'a', 'b', 'a', 'b']), { positive: 'c' }, /"a", "b".*got "c"/],
  ])('%s: ERR_TARGET', (_, y, option, message) => {
    const error = failure(() => fitY(y, option));
    expect(error.code).toBe('ERR_TARGET');
    expect(error.message).toMatch(message);
  });

  it('a continuous target is refused without a list of all its values', () => {
    const next = random(1);
    const error = failure(() =>
      fitTable(
        table(
          numeric('x', range(1000)),
          numeric(
            'y',
            range(1000).map(() => next()),
          ),
        ),
        { target: 'y' },
      ),
    );
    expect(error.code).toBe('ERR_TARGET');
    expect(error.message).toMatch(/at most 100 classes, got more/);
    expect(error.message.length).toBeLessThan(500);
  });

  it('a class without weight is one class too few', () => {
    const base = table(x, numeric('s', [1, 0, 1, 0, 1, 0]), numeric('y', [0, 1, 0, 1, 0, 1]));
    const error = failure(() => fitTable(base, { target: 'y', weight: 's' }));
    expect([error.code, /got only "0"/.test(error.message)]).toEqual(['ERR_TARGET', true]);
  });
});

describe('options and columns', () => {
  const base = mixed(60, 8);
  const bad = (name: string, cells: number[], missing: number[] = []): Table =>
    withColumns(
      base,
      numeric(
        name,
        range(60).map((i) => cells[i] ?? 1),
        missing,
      ),
    );

  it.each<[string, object, Table, string, RegExp]>([
    ['C = 0', { C: 0 }, base, 'ERR_RANGE', /^C: /],
    ['C = NaN', { C: Number.NaN }, base, 'ERR_RANGE', /^C: /],
    ['lambda < 0', { lambda: -1 }, base, 'ERR_RANGE', /^lambda: .* got -1/],
    ['C and lambda', { C: 1, lambda: 1 }, base, 'ERR_RANGE', /both/],
    ['none and C', { penalty: 'none', C: 1 }, base, 'ERR_RANGE', /C 1/],
    ['an unknown penalty', { penalty: 'l1' as 'none' }, base, 'ERR_RANGE', /l1/],
    ['l1Ratio', { l1Ratio: 1.5 }, base, 'ERR_RANGE', /^l1Ratio/],
    ['l1Ratio without strength', { l1Ratio: 0.5, penalty: 'none' }, base, 'ERR_RANGE', /^penalty: .* got l1Ratio 0.5/],
    ['l1Ratio with newton', { l1Ratio: 0.5, solver: 'newton' }, base, 'ERR_RANGE', /^solver/],
    ['an unknown solver', { solver: 'saga' as 'auto' }, base, 'ERR_RANGE', /saga/],
    ['tol = 0', { tol: 0 }, base, 'ERR_RANGE', /^tol/],
    ['maxIter = 1.5', { maxIter: 1.5 }, base, 'ERR_RANGE', /^maxIter/],
    ['an absent target', { target: 'z' }, base, 'ERR_SCHEMA', /"z"/],
    ['absent features', { features: ['a', 'p', 'q'] }, base, 'ERR_SCHEMA', /"p", "q"/],
    ['an absent exclusion', { exclude: ['p'] }, base, 'ERR_SCHEMA', /"p"/],
    ['the target as a feature', { features: ['a', 'y'] }, base, 'ERR_SCHEMA', /"y"/],
    ['no feature', { features: [] }, base, 'ERR_SCHEMA', /at least one/],
    ['all excluded', { exclude: ['a', 'b', 'colour', 'count', 'shift'] }, base, 'ERR_SCHEMA', /at least one/],
    ['no row', {}, takeRows(base, []), 'ERR_DATA', /at least one row/],
    ['a negative weight', { weight: 's' }, bad('s', [1, 2, -1]), 'ERR_RANGE', /"s", row 2: .* got -1/],
    ['a NaN weight', { weight: 's' }, bad('s', [1, Number.NaN]), 'ERR_RANGE', /"s", row 1: .* got NaN/],
    ['a missing weight', { weight: 's' }, bad('s', [], [5, 7]), 'ERR_RECORD', /2 missing, the first in row 5/],
    [
      'no weight',
      { weight: 's' },
      bad(
        's',
        range(60).map(() => 0),
      ),
      'ERR_RANGE',
      /got 0/,
    ],
    ['weights as text', { weight: 'colour' }, base, 'ERR_SCHEMA', /"colour"/],
    ['a missing offset', { offset: 's' }, bad('s', [], [5]), 'ERR_RECORD', /1 missing, the first in row 5/],
    ['an infinite offset', { offset: 's' }, bad('s', [0, Number.POSITIVE_INFINITY]), 'ERR_RECORD', /row 1 .*"s"/],
    ['a weight of no class', { classWeight: { maybe: 2 } }, base, 'ERR_TARGET', /"maybe"/],
    [
      'a class weight of 0 that leaves one class',
      { classWeight: { yes: 0 } },
      base,
      'ERR_TARGET',
      /two classes with a weight above 0/,
    ],
    ['a class weight below 0', { classWeight: { yes: -1 } }, base, 'ERR_RANGE', /"yes"/],
  ])('%s', (_, option, input, code, message) => {
    const engine = pickEngine('js');
    const error = failure(() => fitTable(input, { target: 'y', engine, ...option }));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    expect(engine.bytesInUse).toBe(0);
  });

  it('roles are no features; exclude and features choose among the rest', () => {
    const names = (option: Partial<FitOptions>) =>
      fitTable(base, { target: 'y', ...option }).model.manifest.schema.features.map((feature) => feature.name);
    expect(names({})).toEqual(['a', 'b', 'colour', 'count', 'shift']);
    expect(names({ weight: 'count', offset: 'shift' })).toEqual(['a', 'b', 'colour']);
    expect(names({ exclude: ['a', 'count'] })).toEqual(['b', 'colour', 'shift']);
    expect(names({ features: ['colour', 'a'] })).toEqual(['a', 'colour']);
  });

  it('the model names the library and version that made it', () => {
    const { name, version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(fitTable(base, { target: 'y' }).model.manifest.producer).toBe(`${name} ${version}`);
  });

  it('a manifest is plain JSON', () => {
    const { manifest } = fitTable(base, { target: 'y', penalty: 'none', exclude: ['count'] }).model;
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
  });

  it('releases linear memory', () => {
    for (const engine of [pickEngine('wasm'), pickEngine('js')]) {
      fitTable(base, { target: 'y', engine, penalty: 'none', inference: true, exclude: ['count'] });
      expect(engine.bytesInUse).toBe(0);
    }
    const reference = denseEngine();
    fitTable(base, { target: 'y', engine: reference });
    expect(reference.live()).toBe(0);
    expect(() => fitTable(bad('a', [Number.NaN]), { target: 'y', engine: reference })).toThrow(LogoddsError);
    expect(reference.live()).toBe(0);
  });

  it('the folded model scores what was fitted', () => {
    const engine = denseEngine();
    const { model } = fitTable(base, { target: 'y', features: ['a', 'b'], C: 1, engine });
    const raw = fitTable(base, {
      target: 'y',
      features: ['a', 'b'],
      C: 1,
      standardize: true,
      solver: 'lbfgs',
      tol: 1e-12,
    }).model;
    const record = (i: number) => ({ a: i % 5 === 0 ? null : 90 + i, b: i / 60 - 0.5 });
    expectClose(logits(model, 60, record), logits(raw, 60, record), 1e-8);
  });
});
