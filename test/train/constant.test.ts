import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { diagnose } from '../../src/diagnose/doctor.ts';
import type { Table } from '../../src/encode/table.ts';
import { OnlineLearner } from '../../src/online/learner.ts';
import { crossValidate } from '../../src/train/crossValidate.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import type { FitOptions } from '../../src/train/fitOptions.ts';
import { fitMatrix } from '../../src/train/matrix.ts';
import { fitPath } from '../../src/train/path.ts';
import { engines } from '../engine/engines.ts';
import { numeric, random, table, values, withColumns } from './oracles.ts';

const rows = 60;
const next = random(5);
const x = Array.from({ length: rows }, () => 4 * next() - 2);
const y = x.map((value) => Number(next() < 1 / (1 + Math.exp(-value))));
const base = table(numeric('x', x), numeric('y', y));
const withZ = (z: (i: number) => number): Table =>
  withColumns(
    base,
    numeric(
      'z',
      x.map((_, i) => z(i)),
    ),
  );

/** columns that scikit-learn's StandardScaler takes for constant */
const ROUNDING: [string, (i: number) => number][] = [
  ['1 ± 2e-16', (i) => [1 - 2 ** -53, 1, 1 + 2 ** -52][i % 3]],
  ['14.62 and its next double', (i) => (i % 2 ? 14.62 : 14.620000000000001)],
  ['epoch milliseconds that differ by one step', (i) => 1.7e12 + (i % 5) * 2 ** -12],
  ['a third of the rows off by one rounding', (i) => 0.1 + (i % 3 === 0 ? 2 ** -55 : 0)],
  ['negative', (i) => -3e5 - (i % 4) * 2 ** -34],
];

const FITS: [string, Partial<FitOptions>][] = [
  ['default', {}],
  ['no penalty', { penalty: 'none' }],
  ['raw-scale penalty', { standardize: false }],
  ['L1', { lambda: 0.01, l1Ratio: 1 }],
  ['L-BFGS', { solver: 'lbfgs' }],
  ['newton-cg', { solver: 'newton-cg' }],
  ['Firth', { penalty: 'firth' }],
];

describe('a column that is constant but for rounding has no weight, and the warning names it', () => {
  it.each(ROUNDING.flatMap(([what, z]) => FITS.map(([how, options]) => [what, how, z, options] as const)))(
    '%s, %s',
    (_, __, z, options) => {
      const source = withZ(z);
      const { model, warnings } = fitTable(source, { target: 'y', ...options });
      expect(warnings.map(({ code, features }) => [code, ...features])).toEqual([['CONSTANT_COLUMN', 'z']]);
      expect(warnings[0].message).toMatch(/differ by rounding only/);
      const without = fitTable(base, { target: 'y', ...options }).model;
      expect(model.weights[1]).toBe(0);
      expect(model.weights[0]).toBeCloseTo(without.weights[0], 9);
      let logLik = 0;
      const cells = values(source, 'z');
      for (let i = 0; i < rows; i++) {
        const p = model.score({ x: x[i], z: cells[i] }).probability;
        logLik += Math.log(y[i] ? p : 1 - p);
      }
      // the saved weights are the fit that is reported
      expect(logLik).toBeCloseTo(model.manifest.fit.logLik, 9);
    },
  );

  it.each(ROUNDING)('paths, folds, matrices and the doctor: %s', (_, z) => {
    const source = withZ(z);
    const path = fitPath(source, { target: 'y', count: 3 });
    expect(path.warnings.map(({ code }) => code)).toContain('CONSTANT_COLUMN');
    expect(path.model(2).weights[1]).toBe(0);
    expect(crossValidate(source, { target: 'y', lambdas: [0.1, 0.01] }).model.weights[1]).toBe(0);
    expect(diagnose(source, { target: 'y' }).map(({ code, features }) => `${code} ${features}`)).toContain(
      'CONSTANT_COLUMN z',
    );
    const cells = values(source, 'z');
    const dense = Float64Array.from({ length: 2 * rows }, (_, at) => (at % 2 ? cells[(at - 1) / 2] : x[at / 2]));
    const whole = fitMatrix({ layout: 'rows', rows, columns: 2, values: dense }, y, { penalty: 'none' });
    const sparse = fitMatrix(
      {
        layout: 'sparse',
        rows,
        columns: 2,
        rowPtr: Uint32Array.from({ length: rows + 1 }, (_, i) => 2 * i),
        colIdx: Uint32Array.from({ length: 2 * rows }, (_, at) => at % 2),
        values: dense,
      },
      y,
      { penalty: 'none' },
    );
    for (const found of [whole, sparse]) {
      expect(found.warnings.map(({ code, features }) => [code, ...features])).toEqual([['CONSTANT_COLUMN', 'x1']]);
      expect(found.weights[1]).toBe(0);
      expect(found.weights[0]).toBeCloseTo(fitTable(base, { target: 'y', penalty: 'none' }).model.weights[0], 6);
    }
  });

  it('within the rows of a fold: the same column has a weight where it varies', () => {
    // z varies in the first half alone; folds by time train on it, or on it and the rest
    const source = withColumns(
      withZ((i) => (i < 30 ? 14.62 + (i % 2) * 2 ** -49 : 14.62 + (i % 7))),
      numeric(
        't',
        Float64Array.from({ length: rows }, (_, i) => i),
      ),
    );
    const found = crossValidate(source, { target: 'y', time: 't', folds: 3, lambdas: [0.1] });
    expect(found.warnings.filter(({ code }) => code === 'CONSTANT_COLUMN').length).toBeGreaterThan(0);
    expect(Number.isFinite(found.steps[0].mean)).toBe(true);
    expect(found.model.weights[1]).not.toBe(0);
  });

  it('weights do not hide it: rows of weight 0 are none, and any scale says the same', () => {
    const source = withZ((i) => (i % 4 === 3 ? 99 : 14.62 + (i % 2) * 2 ** -49));
    for (const scale of [1, 1e-3, 1e6]) {
      const weighted = withColumns(
        source,
        numeric(
          'w',
          x.map((_, i) => (i % 4 === 3 ? 0 : scale * (1 + (i % 3)))),
        ),
      );
      const { warnings } = fitTable(weighted, { target: 'y', weight: 'w' });
      expect(warnings.map(({ code }) => code)).toEqual(['CONSTANT_COLUMN']);
    }
  });

  it('a stream learns nothing of it', () => {
    const source = withZ(ROUNDING[0][1]);
    const learner = OnlineLearner.start(source, { target: 'y' });
    learner.partialFit(source);
    expect(Math.abs(learner.model().weights[1])).toBeLessThan(1e-9);
  });

  it('every engine says the same', () => {
    const found = engines.map(([, make]) => {
      const { model, warnings } = fitTable(withZ(ROUNDING[1][1]), { target: 'y', engine: make() });
      return [...model.weights, ...warnings.map(({ message }) => message)];
    });
    for (const one of found) expect(one).toEqual(found[0]);
  });
});

describe('ids beyond 2^53', () => {
  it.each([
    ['one value is left', () => 2 ** 60],
    ['rounding is left', (i: number) => 2 ** 60 + 256 * (i % 3)],
  ])('the warning says what happened to them: %s', (what, z) => {
    const { warnings } = fitTable(withZ(z), { target: 'y' });
    expect(warnings.map(({ code }) => code)).toEqual(['CONSTANT_COLUMN']);
    expect(warnings[0].message).toMatch(/beyond 2\^53/);
    expect(warnings[0].message).toMatch(what === 'one value is left' ? /one value is left/ : /rounding only/);
    expect(warnings[0].message).toMatch(/categorical/);
  });
});

describe('a model is the fit that it reports', () => {
  // beside a mean of 1e6 differences of 1e-7 are 40 roundings: folded weights would round logits to 0.02
  const far = withZ((i) => 1e6 + (i % 7) * 1e-7);
  it.each(FITS.filter(([how]) => how !== 'raw-scale penalty'))(
    'weights that cancel are refused by name: %s',
    (_, options) => {
      expect(() => fitTable(far, { target: 'y', ...options })).toThrow(
        expect.objectContaining({ code: 'ERR_RANGE', message: expect.stringMatching(/column "z".*centre the column/) }),
      );
    },
  );
  it('in a path, by folds, in a matrix and in a stream', () => {
    const wanted = expect.objectContaining({ code: 'ERR_RANGE', message: expect.stringMatching(/centre the column/) });
    expect(() => fitPath(far, { target: 'y', count: 3 }).model(2)).toThrow(wanted);
    expect(() => crossValidate(far, { target: 'y', lambdas: [0.01] })).toThrow(wanted);
    const cells = values(far, 'z');
    expect(() => fitMatrix({ layout: 'rows', rows, columns: 1, values: cells }, y, { penalty: 'none' })).toThrow(
      wanted,
    );
    const learner = OnlineLearner.start(far, { target: 'y' });
    learner.partialFit(far);
    expect(() => learner.model()).toThrow(wanted);
  });
  it.each([
    ['epoch milliseconds over an hour', (i: number) => 1.7e12 + (i % 50) * 72_000],
    ['beside a mean a million times the spread', (i: number) => 1e6 + (i % 7)],
    ['of 1e-200', (i: number) => (i % 7) * 1e-200],
    ['of 1e300', (i: number) => (i % 7) * 1e300],
  ])('a column that is far from 0, small or large but sound is fitted right: %s', (_, z) => {
    const source = withZ(z);
    const cells = values(source, 'z');
    const [low, high] = [Math.min(...cells), Math.max(...cells)];
    const scaled = withColumns(
      source,
      numeric(
        'z',
        cells.map((value) => (value - low) / (high - low)),
      ),
    );
    const [a, b] = [source, scaled].map((one) => fitTable(one, { target: 'y', penalty: 'none' }).model);
    for (let i = 0; i < rows; i += 7) {
      expect(a.score({ x: x[i], z: cells[i] }).logit).toBeCloseTo(
        b.score({ x: x[i], z: (cells[i] - low) / (high - low) }).logit,
        6,
      );
    }
  });

  it.each([
    ['', {}],
    ['raw-scale penalty', { standardize: false }],
    ['L1', { lambda: 0.01, l1Ratio: 1 }],
    ['no penalty', { penalty: 'none' }],
  ] as [string, Partial<FitOptions>][])('a column of subnormal numbers is refused by name: %s', (_, options) => {
    expect(() =>
      fitTable(
        withZ((i) => (i % 7) * 1e-320),
        { target: 'y', ...options },
      ),
    ).toThrow(
      expect.objectContaining({ code: 'ERR_RANGE', message: expect.stringMatching(/column "z".*rescale the column/) }),
    );
  });
  it('a matrix with a column of subnormal numbers is refused, in every layout', () => {
    const tiny = Float64Array.from({ length: rows }, (_, i) => (i % 7) * 1e-320);
    const wanted = expect.objectContaining({ code: 'ERR_RANGE', message: expect.stringMatching(/rescale the column/) });
    expect(() => fitMatrix({ layout: 'rows', rows, columns: 1, values: tiny }, y)).toThrow(wanted);
    const rowPtr = Uint32Array.from({ length: rows + 1 }, (_, i) => i);
    const sparse = { layout: 'sparse', rows, columns: 1, rowPtr, colIdx: new Uint32Array(rows), values: tiny } as const;
    expect(() => fitMatrix(sparse, y)).toThrow(wanted);
    const engine = pickEngine('js');
    const batch = engine.rows(rows, 1, 'f64');
    batch.set(tiny);
    expect(() => fitMatrix(batch, y, { engine })).toThrow(wanted);
    batch.free();
    expect(engine.bytesInUse).toBe(0);
  });
  it('variances beyond the range of numbers are not given', () => {
    for (const unit of [1e-200, 1e200]) {
      const { model, warnings } = fitTable(
        withZ((i) => (i % 7) * unit),
        { target: 'y', penalty: 'none', inference: true },
      );
      expect(model.covariance).toBeNull();
      expect(warnings.map(({ code }) => code)).toEqual(['INFERENCE_UNAVAILABLE']);
      expect(warnings[0].message).toMatch(/"z" is beyond the range of numbers; rescale/);
    }
  });
});
