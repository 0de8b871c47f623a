import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { planeStride } from '../../bindings/layout.ts';
import { loadModel } from '../../src/load.ts';
import { coefficients } from '../../src/model/coefficients.ts';
import { inputSchema } from '../../src/model/fields.ts';
import { saveModel } from '../../src/model/file.ts';
import { FittedModel } from '../../src/model/fittedModel.ts';
import { scoreBatch } from '../../src/model/scoreBatch.ts';
import { fitMatrix, type MatrixOptions } from '../../src/train/matrix.ts';
import type { DenseMatrix, SparseMatrix } from '../../src/train/matrixData.ts';
import { random } from './oracles.ts';

const next = random(17);
const rows = 150;
const columns = 4;
const values = Float64Array.from({ length: rows * columns }, (_, at) => (at % 3 === 0 ? 0 : 4 * next() - 2));
const dense: DenseMatrix = { layout: 'rows', rows, columns, values };
const sparse: SparseMatrix = {
  layout: 'sparse',
  rows,
  columns,
  rowPtr: Uint32Array.from({ length: rows + 1 }, (_, i) => i * columns),
  colIdx: Uint32Array.from(values, (_, at) => at % columns),
  values,
};
const two = Float64Array.from({ length: rows }, (_, i) => Number(values[i * columns + 1] + 2 * next() - 1 > 0));
const three = Float64Array.from(two, (label, i) => (values[i * columns + 2] > 0.8 ? 2 : label));
const offset = Float64Array.from({ length: rows }, () => next() - 0.5);
const NAMES = ['age', 'Größe', '__proto__', ''];

const CASES: [string, ArrayLike<number>, MatrixOptions][] = [
  ['two classes', two, {}],
  ['no penalty, with inference', two, { penalty: 'none', inference: true }],
  ['raw-scale L1', two, { lambda: 0.02, l1Ratio: 1, standardize: false }],
  ['names', two, { names: NAMES }],
  ['an offset', two, { offset }],
  ['three classes', three, { classes: 3 }],
  ['three classes without a penalty', three, { classes: 3, penalty: 'none', names: NAMES }],
];

describe.each([
  ['dense', dense],
  ['sparse', sparse],
] as const)('the model of a matrix, %s', (_, x) => {
  it.each(CASES)('%s: saves, loads, and scores the bits of its weights', (__, y, options) => {
    const found = fitMatrix(x, y, options);
    const { model, weights, intercept, covariance, report, warnings } = found;
    expect(model).toBeInstanceOf(FittedModel);
    expect(found.model).toBe(model);
    expect([model.weights, model.intercept, model.covariance]).toEqual([weights, intercept, covariance]);
    expect([model.manifest.fit, model.manifest.warnings]).toEqual([report, warnings]);
    const names = options.names ?? ['x0', 'x1', 'x2', 'x3'];
    expect(model.manifest.schema.features.map(({ name }) => name)).toEqual(names);
    const classes = options.classes ?? 2;
    expect(model.manifest.classes).toEqual(['0', '1', '2'].slice(0, classes));
    expect(model.fields.map(({ name }) => name)).toEqual([...names, ...(options.offset ? ['offset'] : [])]);

    // by hand: a batch of columns, weight vectors and intercepts of the result
    const engine = pickEngine();
    const batch = engine.columns(
      rows,
      names.map(() => ({ kind: 'numeric' as const })),
    );
    for (let j = 0; j < columns; j++) {
      const cells = batch.numeric(j);
      for (let i = 0; i < rows; i++) cells[i] = values[i * columns + j];
    }
    const vectors = intercept.length;
    const own = engine.weights(batch, vectors);
    for (let k = 0; k < vectors; k++)
      own.set(k, Float64Array.of(...weights.subarray(k * columns, (k + 1) * columns), intercept[k]));
    const plane = planeStride(rows);
    const z = engine.vector(vectors * plane);
    engine.logits(batch, own, z);
    const logits = Float64Array.from({ length: vectors * rows }, (___, at) => {
      const i = at % rows;
      return z.view[Math.floor(at / rows) * plane + i] + (options.offset ? offset[i] : 0);
    });

    const records = Array.from({ length: rows }, (___, i) =>
      Object.fromEntries([
        ...names.map((name, j) => [name, values[i * columns + j]] as const),
        ...(options.offset ? [['offset', offset[i]] as const] : []),
      ]),
    );
    const loaded = loadModel(saveModel(model));
    expect(loaded.manifest).toEqual(model.manifest);
    for (const one of [model, loaded]) {
      const scores = one.scoreTable(records, { engine });
      expect(scores.logits).toEqual(logits);
      expect(scores.outOfRange.every((share) => share === 0)).toBe(true);
      expect(scoreBatch(one, engine, batch, options.offset ? offset : undefined).logits).toEqual(logits);
      records.slice(0, 20).forEach((record, i) => {
        const { logit, logits: all = [logit], label } = one.score(record);
        expect([...all]).toEqual(Array.from({ length: vectors }, (___, k) => logits[k * rows + i]));
        expect(label).toBe(one.manifest.classes[scores.labels[i]]);
      });
    }
    // a range that is not known is not told
    expect(model.fields[0]).not.toHaveProperty('min');
    expect(JSON.stringify(inputSchema(model))).not.toContain('e+308');
    const lines = coefficients(loaded);
    expect(new Set(lines.map(({ feature }) => feature))).toEqual(new Set([...names, '(intercept)']));
    expect(lines.every(({ stdError }) => (stdError !== null) === (options.inference === true))).toBe(true);
  });
});

describe('names of columns', () => {
  it.each([
    ['too few', ['a'], /names: expected 4 different names \(columns of x\), got 1 of 1/],
    ['twice the same', ['a', 'b', 'c', 'a'], /names: expected 4 different names \(columns of x\), got 3 of 4/],
  ])('%s', (_, names, message) => {
    expect(() => fitMatrix(dense, two, { names })).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE', message: expect.stringMatching(message) }),
    );
  });
  it('that are no text are refused', () => {
    for (const names of ['abcd', 4, [1, 2, 3, 4], [null, 'b', 'c', 'd']])
      expect(() => fitMatrix(dense, two, { names: names as never })).toThrow(
        expect.objectContaining({
          code: expect.stringMatching(/^ERR_(RANGE|SHAPE)$/),
          message: expect.stringMatching(/^names: /),
        }),
      );
  });
  it('are those of its warnings', () => {
    const flat = { ...dense, values: values.map((value, at) => (at % columns === 1 ? 3 : value)) };
    const { warnings } = fitMatrix(flat, two, { names: ['a', 'flat', 'c', 'd'] });
    expect(warnings.map(({ code, features }) => [code, ...features])).toEqual([['CONSTANT_COLUMN', 'flat']]);
  });
  it('an offset that is a name of a column has another', () => {
    const { model } = fitMatrix(dense, two, { names: ['offset', 'b', 'c', 'd'], offset });
    expect(model.fields.map(({ name }) => name)).toEqual(['offset', 'b', 'c', 'd', 'offset_']);
    expect(loadModel(saveModel(model)).manifest).toEqual(model.manifest);
  });
});

it('penalties are of standardised columns unless said', () => {
  const given = fitMatrix(dense, two, { lambda: 0.05, standardize: true });
  expect(fitMatrix(dense, two, { lambda: 0.05 }).weights).toEqual(given.weights);
  expect(fitMatrix(dense, two, { penalty: { lambda: 0.05 } }).weights).toEqual(given.weights);
  const raw = fitMatrix(dense, two, { lambda: 0.05, standardize: false });
  expect(raw.weights).not.toEqual(given.weights);
  expect(fitMatrix(dense, two, { penalty: { lambda: 0.05, standardize: false } }).weights).toEqual(raw.weights);
});
