import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import type { FitOptions } from '../../src/train/fitOptions.ts';
import { fitMatrix, type MatrixOptions } from '../../src/train/matrix.ts';
import type { DenseMatrix, SparseMatrix } from '../../src/train/matrixData.ts';
import { numeric, random, table } from './oracles.ts';

const rows = 240;
const columns = 6;
const next = random(11);
/** about half zero, one column far from 0 */
const cells = Float64Array.from({ length: rows * columns }, (_, k) => {
  const value = Math.fround(next() - 0.5);
  return k % columns === 5 ? value * 0.5 + 20 : next() < 0.5 ? 0 : value;
});
const y = Float64Array.from({ length: rows }, (_, i) =>
  Number(next() < 1 / (1 + Math.exp(-(3 * cells[i * columns] - 2 * cells[i * columns + 1] + 0.3)))),
);
const classes3 = Float64Array.from(y, (label, i) => (cells[i * columns + 2] > 0.2 ? 2 : label));
const weight = Float64Array.from({ length: rows }, () => Math.floor(3 * next()));
const dense: DenseMatrix = { layout: 'rows', rows, columns, values: cells };
const sparse = ((): SparseMatrix => {
  const rowPtr = [0];
  const colIdx: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const value = cells[i * columns + j];
      if (value !== 0) {
        colIdx.push(j);
        values.push(value);
      }
    }
    rowPtr.push(colIdx.length);
  }
  return {
    layout: 'sparse',
    rows,
    columns,
    rowPtr: Uint32Array.from(rowPtr),
    colIdx: Uint32Array.from(colIdx),
    values: Float64Array.from(values),
  };
})();
const base = table(
  ...Array.from({ length: columns }, (_, j) =>
    numeric(
      `x${j}`,
      Array.from({ length: rows }, (_, i) => cells[i * columns + j]),
    ),
  ),
  numeric('s', weight),
  numeric('y', y),
  numeric('k', classes3),
);

const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) => {
  expect(actual.length).toBe(expected.length);
  for (let j = 0; j < expected.length; j++) {
    expect(Math.abs(actual[j] - expected[j]), `${j}: ${actual[j]} for ${expected[j]}`).toBeLessThan(
      tolerance * Math.max(1, Math.abs(expected[j])),
    );
  }
};

describe.each([
  ['L2 on raw weights', { C: 1, standardize: false }, 'y'],
  ['L2 on standardised features', { lambda: 0.02, standardize: true }, 'y'],
  ['L1', { lambda: 0.01, l1Ratio: 1, standardize: true }, 'y'],
  ['no penalty, with inference', { penalty: 'none', inference: true }, 'y'],
  ['weights', { C: 1, standardize: false, weight }, 'y'],
  ['three classes', { C: 1, standardize: false }, 'k'],
  ['three classes, elastic net', { lambda: 0.01, l1Ratio: 0.5, standardize: true }, 'k'],
] as [string, MatrixOptions, 'y' | 'k'][])('a matrix is its table: %s', (_, options, target) => {
  const { weight: weights, C, lambda, penalty, l1Ratio, standardize, inference } = options;
  const { model } = fitTable(base, {
    ...{ C, lambda, penalty, l1Ratio, standardize, inference },
    target,
    exclude: [target === 'y' ? 'k' : 'y', ...(weights ? [] : ['s'])],
    weight: weights ? 's' : undefined,
    tol: 1e-11,
  } as FitOptions);
  const labels = target === 'y' ? y : classes3;
  const all: MatrixOptions = { ...options, classes: target === 'y' ? 2 : 3, tol: 1e-11 };
  const engine = pickEngine();
  const batch = engine.rows(rows, columns);
  batch.set(cells);

  it.each([
    ['dense', dense, all],
    ['sparse', sparse, all],
    ['a batch of rows', batch, { ...all, engine }],
    ['a sparse batch', engine.sparse(sparse, columns), { ...all, engine }],
  ] as const)('%s', (_, x, chosen) => {
    const found = fitMatrix(x, labels, chosen);
    expect(found.report.converged).toBe(true);
    expect(found.warnings).toEqual([]);
    near(found.weights, model.weights, 1e-7);
    near(found.intercept, model.intercept, 1e-7);
    expect(Math.abs(found.report.logLik / model.manifest.fit.logLik - 1)).toBeLessThan(1e-10);
    if (options.inference) near(found.covariance!, model.covariance!, 1e-7);
    else expect(found.covariance).toBeNull();
  });

  it('numbers in f32, to their precision', () => {
    const narrow = { ...dense, values: Float32Array.from(cells) };
    near(fitMatrix(narrow, labels, { ...all, tol: 1e-8 }).weights, model.weights, 1e-4);
  });

  it('every solver that fits it ends there', () => {
    const solvers = options.l1Ratio ? (['cd'] as const) : (['newton', 'newton-cg', 'lbfgs'] as const);
    for (const solver of solvers) near(fitMatrix(dense, labels, { ...all, solver }).weights, model.weights, 1e-7);
  });

  it('from its own result there is nothing to do', () => {
    const start = fitMatrix(dense, labels, all);
    const solver = options.l1Ratio ? 'cd' : 'lbfgs';
    const again = fitMatrix(dense, labels, { ...all, solver, tol: 1e-9, start });
    expect(again.report.iterations).toBe(0);
  });
});

describe('matrices', () => {
  it('are not changed, and memory is given back', () => {
    const engine = pickEngine();
    const before = cells.slice();
    fitMatrix(dense, y, { engine, standardize: false });
    fitMatrix(sparse, y, { engine, standardize: false });
    fitMatrix(sparse, y, { engine, l1Ratio: 1, lambda: 0.01, standardize: false });
    expect(cells).toEqual(before);
    expect(engine.bytesInUse).toBe(0);
  });

  it('of sparse rows have the means and spreads of their table, whatever the order of entries, repeats and zeros', () => {
    const draw = random(17);
    // in few rows, in half, in all but one, in all and far from 0, zeros that are stored, in none
    const has = [
      (i: number) => i % 40 === 0,
      () => draw() < 0.5,
      (i: number) => i > 0,
      () => true,
      () => true,
      () => false,
    ];
    const value = [() => draw() - 5, () => draw() - 0.5, () => 3 + draw(), () => 1000 + draw(), () => 0];
    const table = new Float64Array(rows * columns);
    const rowPtr = [0];
    const colIdx: number[] = [];
    const values: number[] = [];
    for (let i = 0; i < rows; i++) {
      for (let j = columns - 1; j >= 0; j--) {
        if (!has[j](i)) continue;
        const x = value[j]();
        // twice the half is the whole, exactly
        for (const part of j % 2 ? [x / 2, x / 2] : [x]) {
          colIdx.push(j);
          values.push(part);
        }
        table[i * columns + j] = x;
      }
      rowPtr.push(colIdx.length);
    }
    const x: SparseMatrix = {
      ...{ layout: 'sparse', rows, columns, values: Float64Array.from(values) },
      ...{ rowPtr: Uint32Array.from(rowPtr), colIdx: Uint32Array.from(colIdx) },
    };
    for (const sampleWeight of [null, weight]) {
      const options: MatrixOptions = { lambda: 0.1, weight: sampleWeight };
      const all = [x, { ...dense, values: table }].map((one) => fitMatrix(one, y, options));
      const [own, other] = all.map(({ model }) =>
        model.manifest.schema.features.map((feature) =>
          feature.kind === 'numeric' ? [feature.mean, feature.scale] : [],
        ),
      );
      for (let j = 0; j < columns; j++) near(own[j], other[j], 1e-12);
      expect(all[0].warnings).toEqual(all[1].warnings);
      near(all[0].weights, all[1].weights, 1e-7);
    }
  });

  it('a value of sparse rows that is no number is refused, in a row of weight 0 too', () => {
    const row = weight.indexOf(0);
    const rowPtr = Uint32Array.from({ length: rows + 1 }, (_, i) => i);
    const colIdx = rowPtr.subarray(0, rows).map((i) => i % columns);
    const one = { layout: 'sparse', rows, columns, rowPtr, colIdx } as const;
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const values = Float64Array.from({ length: rows }, (_, i) => (i === row ? bad : 1 + i));
      for (const options of [{}, { weight }])
        expect(() => fitMatrix({ ...one, values }, y, options)).toThrow(
          `x, entry ${row}, column ${row % columns}: expected a finite number, got ${bad}`,
        );
    }
  });

  it('of 5,000 columns, 40 of which matter: L1 by parts, L2 without a matrix', () => {
    const draw = random(3);
    const n = 600;
    const p = 5000;
    const rowPtr = Uint32Array.from({ length: n + 1 }, (_, i) => i * 60);
    const colIdx = Uint32Array.from({ length: n * 60 }, () => Math.floor(draw() ** 2 * p));
    const labels = Float64Array.from({ length: n }, (_, i) =>
      Number(colIdx.subarray(i * 60, i * 60 + 60).filter((j) => j < 40).length + 2 * draw() > 6),
    );
    const x: SparseMatrix = { layout: 'sparse', rows: n, columns: p, rowPtr, colIdx, values: null };
    const lasso = fitMatrix(x, labels, { lambda: 0.01, l1Ratio: 1, standardize: false });
    expect(lasso.report).toMatchObject({ solver: 'cd', converged: true });
    expect(lasso.weights.filter((w) => w !== 0).length).toBeLessThan(300);
    const ridge = fitMatrix(x, labels, { lambda: 0.01, standardize: false });
    expect(ridge.report).toMatchObject({ solver: 'lbfgs', converged: true });
    const other = fitMatrix(x, labels, { lambda: 0.01, solver: 'newton-cg', standardize: false });
    near(other.weights, ridge.weights, 1e-5);
  });

  it.each([
    [dense, y.subarray(1), {}, /y: expected 240 values/],
    [dense, y.map((v, i) => (i === 7 ? 3 : v)), {}, /y: expected a number from 0 to 1, got 3 at row 7/],
    [dense, y, { classes: 3 }, /none in class 2/],
    [dense, y.map(() => 0), {}, /none in class 1/],
    [
      dense,
      y,
      { weight: weight.map((v, i) => (i === 3 ? -1 : v)) },
      /weight: expected a finite number >= 0, got -1 at 3/,
    ],
    [dense, y, { weight: weight.map(() => 0) }, /none in class 0/],
    [dense, y, { weight: [1, 2] }, /weight: expected 240 values, got 2/],
    [dense, y, { offset: y.map(() => Number.NaN) }, /offset: expected a finite number, got NaN at 0/],
    [dense, classes3, { classes: 3, offset: y }, /offset: expected none with 3 classes/],
    [{ ...dense, columns: 7 }, y, {}, /x: expected 240 × 7 values, got 1440/],
    [
      { ...dense, values: cells.map((v, k) => (k === 8 ? Number.NaN : v)) },
      y,
      {},
      /x, row 1, column 2: expected a finite number, got NaN/,
    ],
    [dense, y, { penalty: { lower: [0.5, 0, 0, 0, 0, 0] } }, /lower: expected a number <= 0, got 0.5 at 0/],
    [dense, y, { penalty: { upper: [-1, 0, 0, 0, 0, 0] } }, /upper: expected a number >= 0, got -1 at 0/],
    [dense, y, { penalty: { factors: [1] } }, /factors: expected 6 values, got 1/],
    [dense, y, { C: -1 }, /C: expected a number > 0, got -1/],
    [pickEngine().rows(240, 6), y, {}, /engine: expected the engine of the batch/],
  ] as [DenseMatrix, Float64Array, MatrixOptions, RegExp][])(
    'what cannot be is refused: %#',
    (x, labels, options, message) => {
      expect(() => fitMatrix(x, labels, options)).toThrow(message);
    },
  );
});

describe('numbers of any size', () => {
  const next = random(5);
  const cells = Float64Array.from({ length: 200 }, () => next() * 4 - 2);
  const label = Array.from({ length: 100 }, (_, i) =>
    Number(next() < 1 / (1 + Math.exp(cells[2 * i + 1] - cells[2 * i]))),
  );
  const dense = (values: Float64Array) => ({ layout: 'rows', rows: 100, columns: 2, values }) as const;
  const sparse = (values: Float64Array) =>
    ({
      layout: 'sparse',
      rows: 100,
      columns: 2,
      rowPtr: Uint32Array.from({ length: 101 }, (_, i) => 2 * i),
      colIdx: Uint32Array.from(values, (_, e) => e % 2),
      values,
    }) as const;

  it.each([1e155, 1e300, 2 ** 1021, 1e-155, 1e-290])(
    'a column × %s has its weight ÷ that, dense and sparse alike',
    (factor) => {
      const scaled = cells.map((value, e) => (e % 2 ? value : value * factor));
      for (const shape of [dense, sparse]) {
        for (const options of [{ standardize: true }, { penalty: 'none' }] as const) {
          const plain = fitMatrix(shape(cells), label, options);
          const { weights, intercept, report, warnings } = fitMatrix(shape(scaled), label, options);
          expect([report.converged, warnings]).toEqual([true, []]);
          expect(weights[0] * factor).toBeCloseTo(plain.weights[0], 7);
          expect(weights[1]).toBeCloseTo(plain.weights[1], 7);
          expect(intercept[0]).toBeCloseTo(plain.intercept[0], 7);
        }
      }
    },
  );

  it('a spread that is no number is refused, and so are extremes in a batch, which is not scaled', () => {
    const wide = cells.map((value, e) => (e % 2 ? value : Math.sign(value) * 1.7e308));
    for (const shape of [dense, sparse])
      expect(() => fitMatrix(shape(wide), label)).toThrow(/column (0|"x0"): expected a spread below 1.8e308, got/);
    const engine = pickEngine();
    const large = cells.map((value, e) => (e % 2 ? value : value * 1e300));
    const rows = engine.rows(100, 2);
    rows.set(large);
    const batch = engine.sparse(sparse(large), 2, 'f64');
    for (const one of [rows, batch])
      expect(() => fitMatrix(one, label, { engine })).toThrow(/x, column 0: expected a spread below 1e\+150, got more/);
  });
});
