import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { conditioning, inflation } from '../../src/diagnose/collinear.ts';
import { influentialRows } from '../../src/diagnose/influence.ts';
import { BorderedFactor } from '../../src/math/bordered.ts';
import { factorCholesky, invertCholesky, logDeterminant, multiply } from '../../src/math/cholesky.ts';
import { largestEigenvalue } from '../../src/math/spectrum.ts';
import { fit as train } from '../../src/train/fit.ts';
import { prepare } from '../../src/train/problem/prepare.ts';
import { numeric, random, readTable, table, takeRows, values, withColumns } from '../train/oracles.ts';

const largestOf = (a: Float64Array, n: number) => largestEigenvalue((v) => multiply(a, v), n);

describe('spectrum', () => {
  it.each<[string, number[], number, number, number]>([
    ['1 × 1', [3], 3, 3, 3],
    ['2 × 2', [2, 1, 1, 2], 1, 3, 3],
    ['diagonal', [5, 0, 0, 0, 1, 0, 0, 0, 4], 1, 5, 20],
    // the second difference: 2 − 2·cos(kπ/4)
    ['second difference', [2, -1, 0, -1, 2, -1, 0, -1, 2], 2 - Math.SQRT2, 2 + Math.SQRT2, 4],
    ['full', [4, 1, 2, 1, 3, 0, 2, 0, 5], 1.85489730879958, 6.66907908828229, 43],
  ])('%s', (_, matrix, least, greatest, determinant) => {
    const n = Math.sqrt(matrix.length);
    const a = Float64Array.from(matrix);
    expect(largestOf(a, n)).toBeCloseTo(greatest, 9);
    expect(
      largestOf(
        a.map((value, at) => (at % (n + 1) === 0 ? 10 : 0) - value),
        n,
      ),
    ).toBeCloseTo(10 - least, 9);
    expect(Math.exp(logDeterminant(Float64Array.from(matrix), Math.sqrt(matrix.length)))).toBeCloseTo(determinant, 9);
  });

  it.each([5, 40, 150])('of X·Xᵀ, %i × %i: at the largest eigenvalue the matrix turns definite', (n) => {
    const draw = random(11);
    const x = Float64Array.from({ length: n * n }, () => draw() - 0.5);
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) a[i * n + j] += x[i * n + k] * x[j * n + k];
    const largest = largestOf(a, n);
    for (const [shift, definite] of [
      [1 - 1e-9, false],
      [1 + 1e-9, true],
    ] as const) {
      const moved = a.map((value, at) => (at % (n + 1) === 0 ? largest * shift : 0) - value);
      expect(factorCholesky(moved, n).length === 0, `${shift}`).toBe(definite);
    }
  });

  it('of a matrix whose largest eigenvalue is not alone, and of a multiple of the unit matrix', () => {
    const n = 30;
    const diagonal = (value: (i: number) => number) =>
      Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? value(at / (n + 1)) : 0));
    expect(
      largestOf(
        diagonal((i) => (i < 5 ? 7 : 7 - 1e-6 * i)),
        n,
      ),
    ).toBeCloseTo(7, 12);
    expect(
      largestOf(
        diagonal(() => 3),
        n,
      ),
    ).toBeCloseTo(3, 12);
  });

  it('no logarithm where the matrix is not positive definite', () => {
    expect(logDeterminant(Float64Array.of(1, 2, 2, 1), 2)).toBeNaN();
  });
});

interface Diagnostics {
  condition: number;
  terms: string[];
  gvif: number[];
  cook: number[];
  hat: number[];
}
const expected: Record<string, Diagnostics> = JSON.parse(
  readFileSync(new URL('../fixtures/diagnose.json', import.meta.url), 'utf8'),
);

/** The fit of a table, its information matrix and what these functions make of them. */
function diagnostics(data: ReturnType<typeof readTable>, target: string, exclude: string[] = []) {
  const options = { target, exclude, engine: pickEngine('js') };
  const { model } = train(data, { ...options, penalty: 'none', references: {} });
  const problem = prepare(data, options, 'treatment');
  const [{ likelihood }] = problem.view().tasks;
  const active = problem.slots.flatMap(({ role }, id) => (['number', 'level'].includes(role) ? [id] : []));
  const columns = [...active, problem.slots.length];
  const params = new Float64Array(likelihood.parameters);
  params[params.length - 1] = model.intercept[0];
  for (const id of active) {
    params[id] = model.weights[id] * problem.standard.scale[id];
    params[params.length - 1] += model.weights[id] * problem.standard.shift[id];
  }
  const width = likelihood.parameters;
  const full = new Float64Array(width * width);
  likelihood.at(params, new Float64Array(width)).hessian(full);
  const size = columns.length;
  const information = Float64Array.from(
    { length: size * size },
    (_, at) => full[columns[Math.floor(at / size)] * width + columns[at % size]],
  );
  const factor = information.slice();
  factorCholesky(factor, size);
  const inverse = invertCholesky(factor, size);
  const logits = new Float64Array(data.rows);
  likelihood.logits(params, logits);
  const influence = influentialRows(problem.batch, logits, problem.rows.y, null, null, inverse, columns, 0);
  const names = [...new Set(active.map((id) => problem.slots[id].name))];
  const found = {
    condition: conditioning(information, BorderedFactor.of(information, size, [])!),
    names,
    gvif: names.map((name) =>
      inflation(
        information,
        BorderedFactor.of(information, size, [])!,
        active.flatMap((id, j) => (problem.slots[id].name === name ? [j] : [])),
        [],
      ),
    ),
    cook: influence.slice().sort((a, b) => a.row - b.row),
    order: influence.map(({ distance }) => distance),
  };
  likelihood.free();
  problem.free();
  return found;
}

const iris = takeRows(
  readTable('iris.csv'),
  Array.from({ length: 100 }, (_, i) => i + 50),
);
const vaso = readTable('vaso.csv');
const log = (name: string) => numeric(`log${name}`, values(vaso, name).map(Math.log));
const cases: [string, ReturnType<typeof readTable>, string, string[]][] = [
  ['pima', readTable('pima_train.csv'), 'type', []],
  ['lbw', readTable('lbw.csv'), 'low', ['id', 'bwt', 'ftv']],
  ['iris', iris, 'Species', []],
  ['vaso', withColumns(vaso, log('Volume'), log('Rate')), 'Y', ['Volume', 'Rate']],
];

describe("condition number, variance inflation, leverage and Cook's distance are those of R", () => {
  it.each(cases)('%s', (name, data, target, exclude) => {
    const r = expected[name];
    const found = diagnostics(data, target, exclude);
    // both fits are good to rounding, times the condition of the data; R loses digits of 1 − p where p is near 1
    const near = (a: number, b: number) => expect(Math.abs(a - b)).toBeLessThan(1e-9 * Math.max(b, 1e-3));
    expect(found.names.length).toBe(r.terms.length);
    near(found.condition.number, r.condition);
    found.gvif.forEach((value, j) => {
      near(value, r.gvif[j]);
    });
    expect(found.cook.map(({ row }) => row)).toEqual(r.cook.map((_, i) => i));
    found.cook.forEach(({ distance, leverage }, i) => {
      near(distance, r.cook[i]);
      near(leverage, r.hat[i]);
    });
    expect(found.order).toEqual([...found.order].sort((a, b) => b - a));
  });

  it('a worst direction is that of the two columns which nearly agree', () => {
    const draw = random(5);
    const a = Array.from({ length: 200 }, () => draw());
    const data = table(
      numeric('a', a),
      numeric(
        'b',
        Array.from({ length: 200 }, () => draw()),
      ),
      numeric(
        'c',
        a.map((value) => value + 0.001 * draw()),
      ),
      numeric(
        'y',
        a.map((value) => Number(draw() < value)),
      ),
    );
    const { condition, gvif } = diagnostics(data, 'y');
    expect(condition.number).toBeGreaterThan(1000);
    expect(Array.from(condition.share, (share) => share > 0.99)).toEqual([true, false, true, false]);
    expect(gvif.map((value) => value > 1e4)).toEqual([true, false, true]);
  });
});

it('a row of weight two has the distance of each of two rows, one of weight 0 and one of counts have none', () => {
  const draw = random(9);
  const n = 30;
  const x = Array.from({ length: n }, () => draw());
  const y = x.map((value) => Number(draw() < value));
  const run = (index: number[], weight: Float64Array | null, shares = y) => {
    const batch = pickEngine('js').columns(index.length, [{ kind: 'numeric' }], 'f64');
    batch.numeric(0).set(index.map((i) => x[i]));
    const inverse = Float64Array.of(2, -1, -1, 0.7);
    const logits = Float64Array.from(index, (i) => 3 * x[i] - 1.5);
    const found = influentialRows(
      batch,
      logits,
      Float64Array.from(index, (i) => shares[i]),
      weight,
      null,
      inverse,
      [0, 1],
      0,
    );
    batch.free();
    return found;
  };
  const all = Array.from({ length: n }, (_, i) => i);
  const [base] = [run(all, null)];
  expect(run(all, new Float64Array(n).fill(2))).toEqual(base);
  const gone = Float64Array.from(all, (i) => Number(i !== 4));
  expect(run(all, gone)).toEqual(base.filter(({ row }) => row !== 4));
  expect(
    run(
      all,
      null,
      y.map((value, i) => (i === 4 ? 0.5 : value)),
    ),
  ).toEqual(base.filter(({ row }) => row !== 4));
});

it('rows are named from a distance on, and none is passed over by its bound', () => {
  const draw = random(13);
  const n = 200;
  const batch = pickEngine('js').columns(n, [{ kind: 'numeric' }, { kind: 'coded', slots: 2 }], 'f64');
  batch.numeric(0).set(Array.from({ length: n }, () => 6 * draw() - 3));
  batch.codes(1).set(Array.from({ length: n }, () => Math.floor(2 * draw())));
  const y = Float64Array.from({ length: n }, () => Math.floor(2 * draw()));
  const logits = Float64Array.from({ length: n }, () => 8 * draw() - 4);
  // leverages up to 0.99
  const inverse = Float64Array.of(0.4, -0.1, 0.05, -0.1, 0.5, -0.3, 0.05, -0.3, 0.6);
  const from = (least: number) => influentialRows(batch, logits, y, null, null, inverse, [0, 2, 3], least);
  const all = from(0);
  expect(all.length).toBe(n);
  expect(all.filter(({ leverage }) => leverage > 0.6).length).toBeGreaterThan(10);
  for (const least of [0.01, 0.1, 0.5, 1, 2, 5]) {
    const named = all.filter(({ distance }) => distance >= least);
    expect(named.length).toBeGreaterThan(0);
    expect(from(least)).toEqual(named);
  }
  batch.free();
});
