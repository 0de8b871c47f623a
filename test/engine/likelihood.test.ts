import { describe, expect, test } from 'vitest';
import type { Batch } from '../../bindings/batch.ts';
import type { BinomialTarget } from '../../bindings/batchLikelihood.ts';
import type { Engine } from '../../bindings/engine.ts';
import { denseLikelihood } from '../train/denseLikelihood.ts';
import { expectNear, REORDERED } from './checks.ts';
import { engines, numbers } from './engines.ts';
import { bits } from './kernels.ts';

interface Sums {
  loss: number;
  gradient: Float64Array;
  hessian: Float64Array;
  logits: Float64Array;
}

/** loss, gradient, Hessian and logits at one point; the likelihood is freed again */
function at(engine: Engine, batch: Batch, target: BinomialTarget, params: Float64Array): Sums {
  const likelihood = engine.likelihood(batch, target);
  const p = likelihood.parameters;
  const gradient = new Float64Array(p);
  const hessian = new Float64Array(p * p);
  const logits = new Float64Array(likelihood.rows);
  const point = likelihood.at(params, gradient);
  point.hessian(hessian);
  likelihood.logits(params, logits);
  likelihood.free();
  return { loss: point.loss, gradient, hessian, logits };
}

function expectSame(actual: Sums, expected: Sums, tolerance: number): void {
  expectNear([actual.loss], [expected.loss], tolerance);
  expectNear(actual.gradient, expected.gradient, tolerance);
  expectNear(actual.hessian, expected.hessian, tolerance);
}

/**
 * Numbers 2, then codes of 3 and 4 levels: as a `columns` batch, and as `rows` with the codes spelled out as 0 and 1.
 * More rows than a block of any kernel (64, 1024, 4096), and not a multiple of any.
 */
function sample(engine: Engine, rows: number) {
  const next = numbers(rows);
  const columns = engine.columns(rows, [
    { kind: 'numeric' },
    { kind: 'coded', slots: 3 },
    { kind: 'numeric' },
    { kind: 'coded', slots: 4 },
  ]);
  const dense = new Float64Array(rows * 9);
  const y = new Float64Array(rows);
  const weight = new Float64Array(rows);
  const offset = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const [a, b] = [next(), 3 * next()];
    const [c, d] = [Math.floor((next() + 1) * 1.5), Math.floor((next() + 1) * 2)];
    columns.numeric(0)[i] = a;
    columns.codes(1)[i] = c;
    columns.numeric(2)[i] = b;
    columns.codes(3)[i] = d;
    dense[i * 9] = a;
    dense[i * 9 + 1 + c] = 1;
    dense[i * 9 + 4] = b;
    dense[i * 9 + 5 + d] = 1;
    y[i] = next() > 0 ? 1 : 0;
    weight[i] = Math.floor((next() + 1) * 2);
    offset[i] = next();
  }
  const rowsBatch = engine.rows(rows, 9);
  rowsBatch.set(dense);
  const params = Float64Array.from({ length: 10 }, next);
  return { columns, rows: rowsBatch, dense, y, weight, offset, params };
}

/**
 * The points of scikit-learn's `_loss/tests/test_loss.py`, test_loss_on_specific_values. That test takes anything below
 * an absolute 1e-15 for zero, so tiny figures here are mpmath's (60 digits) instead, e.g. exp(−232.8) = 7.87e-102.
 */
const EXTREME: [y: number, z: number, loss: number, residual: number, curvature: number][] = [
  [0.25, Math.log(4), Math.log(5) - 0.25 * Math.log(4), 0.55, 0.16],
  [0, -1e20, 0, 0, 0],
  [1, -1e20, 1e20, -1, 0],
  [0, -1e3, 0, 0, 0],
  [1, -1e3, 1e3, -1, 0],
  [1, -37.5, 37.5, -1, 5.175555005801869e-17],
  [1, -37, 37, 1e-16 - 1, 8.533047625744065e-17],
  [0, -37, 8.533047625744065e-17, 8.533047625744065e-17, 8.533047625744065e-17],
  [1, -36.9, 36.9, 1e-16 - 1, 9.430476078526806e-17],
  [0, -36.9, 9.430476078526806e-17, 9.430476078526806e-17, 9.430476078526806e-17],
  [0, 37, 37, 1 - 1e-16, 8.533047625744065e-17],
  [1, 37, 8.533047625744066e-17, -8.533047625744066e-17, 8.533047625744065e-17],
  [0, 37.5, 37.5, 1, 5.175555005801869e-17],
  [0, 232.8, 232.8, 1, 7.874892118601447e-102],
  [1, 1e20, 0, 0, 0],
  [0, 1e20, 1e20, 1, 0],
  [1, 232.8, 7.874892118601447e-102, -7.874892118601447e-102, 7.874892118601447e-102],
  [1, 232.9, 7.125497051907101e-102, -7.125497051907101e-102, 7.125497051907101e-102],
  [1, 1e3, 0, 0, 0],
  [0, 1e3, 1e3, 1, 0],
  // mpmath, 60 digits: softplus, sigmoid, p(1 − p)
  [0, -100, 3.720075976020836e-44, 3.720075976020836e-44, 3.720075976020836e-44],
  [0, -20, 2.0611536203143807e-9, 2.0611536181902036e-9, 2.0611536139418493e-9],
  [0, -1, 0.31326168751822283, 0.26894142136999512, 0.19661193324148185],
  [0, -1e-8, 0.69314717555994532, 0.4999999975, 0.25],
  [0, 1, 1.3132616875182228, 0.73105857863000488, 0.19661193324148185],
  [0, 18, 18.00000001522998, 0.99999998477002049, 1.5229979280808073e-8],
  [0, 33.3, 33.300000000000001, 0.99999999999999655, 3.4513877443741925e-15],
];

describe.each(engines)('%s', (_, make) => {
  const engine = make();

  describe.each(['rows', 'columns'] as const)('%s', (layout) => {
    test.each(EXTREME)('one row, y = %d at logit %d', (y, z, loss, residual, curvature) => {
      // no features: the intercept is the logit, its gradient the residual, its Hessian the curvature
      const batch = layout === 'rows' ? engine.rows(1, 0) : engine.columns(1, []);
      const sums = at(engine, batch, { y: [y] }, Float64Array.of(z));
      batch.free();
      // each figure is a few roundings away from the true one; zero means below every figure of the table
      const check = (actual: number, expected: number) =>
        expect(Math.abs(actual - expected)).toBeLessThanOrEqual(expected === 0 ? 1e-300 : 2e-15 * Math.abs(expected));
      check(sums.loss, loss);
      check(sums.gradient[0], residual);
      check(sums.hessian[0], curvature);
      expect(sums.logits[0]).toBe(z);
    });

    test('subnormal: at −745 loss, gradient and curvature are the least double', () => {
      const batch = layout === 'rows' ? engine.rows(1, 0) : engine.columns(1, []);
      const sums = at(engine, batch, { y: [0] }, Float64Array.of(-745));
      expect([sums.loss, sums.gradient[0], sums.hessian[0]]).toEqual([5e-324, 5e-324, 5e-324]);
      batch.free();
    });

    test('gradient is the slope of the loss, Hessian the slope of the gradient (fourth-order central differences)', () => {
      const data = sample(engine, 203);
      const batch = data[layout];
      const target = { y: data.y, weight: data.weight, offset: data.offset };
      const likelihood = engine.likelihood(batch, target);
      const p = likelihood.parameters;
      const { gradient, hessian } = at(engine, batch, target, data.params);
      const h = 1e-3;
      const moved = (j: number, by: number) => data.params.map((value, i) => (i === j ? value + by * h : value));
      const slope = new Float64Array(p);
      const curvature = new Float64Array(p * p);
      for (let j = 0; j < p; j++) {
        const gradients = [-2, -1, 1, 2].map((by) => {
          const g = new Float64Array(p);
          likelihood.at(moved(j, by), g);
          return g;
        });
        const losses = [-2, -1, 1, 2].map((by) => likelihood.loss(moved(j, by)));
        const difference = ([a, b, c, d]: number[]) => (a - 8 * b + 8 * c - d) / (12 * h);
        slope[j] = difference(losses);
        for (let i = 0; i < p; i++) curvature[j * p + i] = difference(gradients.map((g) => g[i]));
      }
      likelihood.free();
      // error of the rule h⁴·f⁽⁵⁾/30 ≈ 1e-12 · the sums; of the subtraction 1e-16 · the sums / h ≈ 1e-13 · the sums
      expectNear(slope, gradient, 1e-9);
      expectNear(curvature, hessian, 1e-9);
    });

    test('agrees with the formula computed plainly', () => {
      const data = sample(engine, 5003);
      const target = { y: data.y, weight: data.weight, offset: data.offset };
      const actual = at(engine, data[layout], target, data.params);
      const plain = denseLikelihood(data.dense, 9, data.y, data.weight, data.offset);
      const gradient = new Float64Array(10);
      const hessian = new Float64Array(100);
      const logits = new Float64Array(5003);
      const point = plain.at(data.params, gradient);
      point.hessian(hessian);
      plain.logits(data.params, logits);
      expectSame(actual, { loss: point.loss, gradient, hessian, logits }, REORDERED);
      expectNear(actual.logits, logits, 1e-14);
    });

    test('the loss alone is the loss beside the gradient, to the bit, whatever was computed before', () => {
      const data = sample(engine, 4099);
      const likelihood = engine.likelihood(data[layout], { y: data.y, weight: data.weight, offset: data.offset });
      const gradient = new Float64Array(10);
      const point = likelihood.at(data.params, gradient);
      const first = point.loss;
      const before = bits(gradient);
      expect(likelihood.loss(data.params)).toBe(first);
      expect(likelihood.loss(data.params.map((value) => -value))).not.toBe(first);
      point.hessian(new Float64Array(100));
      expect(likelihood.at(data.params, gradient).loss).toBe(first);
      expect(bits(gradient)).toEqual(before);
      likelihood.free();
    });

    test('a Hessian is symmetric and does not change when asked for twice', () => {
      const data = sample(engine, 999);
      const likelihood = engine.likelihood(data[layout], { y: data.y });
      const point = likelihood.at(data.params, new Float64Array(10));
      const once = new Float64Array(100);
      const twice = new Float64Array(100).fill(7);
      point.hessian(once);
      point.hessian(twice);
      expect(bits(once)).toEqual(bits(twice));
      for (let a = 0; a < 10; a++) for (let b = 0; b < a; b++) expect(once[a * 10 + b]).toBe(once[b * 10 + a]);
      likelihood.free();
    });

    test('a weight of k is the row k times, a weight of 0 is no row', () => {
      const data = sample(engine, 701);
      const weighted = at(engine, data[layout], { y: data.y, weight: data.weight, offset: data.offset }, data.params);
      const order = Array.from(data.weight).flatMap((times, i) => new Array<number>(times).fill(i));
      const pick = (values: Float64Array) => Float64Array.from(order, (i) => values[i]);
      const repeated =
        layout === 'rows' ? engine.rows(order.length, 9) : engine.columns(order.length, data.columns.specs);
      if (repeated.layout === 'rows') {
        repeated.set(order.flatMap((i) => [...data.dense.subarray(i * 9, i * 9 + 9)]));
      } else {
        for (const j of [0, 2]) repeated.numeric(j).set(order.map((i) => data.columns.numeric(j)[i]));
        for (const j of [1, 3]) repeated.codes(j).set(order.map((i) => data.columns.codes(j)[i]));
      }
      const plain = at(engine, repeated, { y: pick(data.y), offset: pick(data.offset) }, data.params);
      expectSame(weighted, plain, REORDERED);
      const likelihood = engine.likelihood(data[layout], { y: data.y, weight: data.weight });
      expect(likelihood.totalWeight).toBe(order.length);
      likelihood.free();
      repeated.free();
    });

    test('weights of one are no weights, to the bit', () => {
      const data = sample(engine, 333);
      const ones = new Float64Array(333).fill(1);
      const zeros = new Float64Array(333);
      const plain = at(engine, data[layout], { y: data.y }, data.params);
      const given = at(engine, data[layout], { y: data.y, weight: ones, offset: zeros }, data.params);
      expect(given.loss).toBe(plain.loss);
      expect(bits(given.gradient)).toEqual(bits(plain.gradient));
      expect(bits(given.hessian)).toEqual(bits(plain.hessian));
    });

    test('an offset common to all rows is an addition to the intercept', () => {
      const data = sample(engine, 333);
      const shifted = data.params.slice();
      shifted[9] += 0.75;
      const constant = at(engine, data[layout], { y: data.y, offset: new Float64Array(333).fill(0.75) }, data.params);
      expectSame(constant, at(engine, data[layout], { y: data.y }, shifted), REORDERED);
    });

    test('an offset is a feature whose weight is one', () => {
      const data = sample(engine, 333);
      const moved = data.params.slice();
      moved[0] = 0;
      const offset = Float64Array.from(data.columns.numeric(0), (value, i) => value * data.params[0] + data.offset[i]);
      const split = at(engine, data[layout], { y: data.y, offset }, moved);
      expectSame(split, at(engine, data[layout], { y: data.y, offset: data.offset }, data.params), REORDERED);
    });

    test('a label between 0 and 1 is a mixture of both', () => {
      const data = sample(engine, 200);
      const [none, all, part] = [0, 1, 0.3].map((y) =>
        at(engine, data[layout], { y: new Float64Array(200).fill(y) }, data.params),
      );
      expectNear([part.loss], [0.7 * none.loss + 0.3 * all.loss], REORDERED);
      expectNear(
        part.gradient,
        all.gradient.map((g, j) => 0.3 * g + 0.7 * none.gradient[j]),
        REORDERED,
      );
      expect(bits(part.hessian)).toEqual(bits(all.hessian));
    });

    test('the logits of training are the logits of scoring, to the bit', () => {
      const data = sample(engine, 2051);
      const { logits } = at(engine, data[layout], { y: data.y }, data.params);
      const weights = engine.weights(data[layout]);
      weights.set(0, data.params);
      const out = engine.vector(2051);
      engine.logits(data[layout], weights, out);
      expect(bits(logits)).toEqual(bits(out.view));
    });

    test('f32 storage gives the sums of the widened values to the bit, the Hessian of dense rows to 1e-6', () => {
      const data = sample(engine, 777);
      const make = (precision: 'f32' | 'f64') => {
        if (layout === 'rows') {
          const batch = engine.rows(777, 9, precision);
          batch.set(data.dense.map(Math.fround));
          return batch;
        }
        const batch = engine.columns(777, data.columns.specs, precision);
        for (const j of [0, 2]) batch.numeric(j).set(data.columns.numeric(j).map(Math.fround));
        for (const j of [1, 3]) batch.codes(j).set(data.columns.codes(j));
        return batch;
      };
      const [narrow, wide] = (['f32', 'f64'] as const).map((precision) =>
        at(engine, make(precision), { y: data.y, offset: data.offset }, data.params),
      );
      expect(narrow.loss).toBe(wide.loss);
      expect(bits(narrow.gradient)).toEqual(bits(wide.gradient));
      // products and panels of 64 rows are rounded to f32: 2⁻²⁴ each, less than 1e-6 of the largest entry together
      const scale = wide.hessian.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const error = wide.hessian.reduce((most, value, i) => Math.max(most, Math.abs(value - narrow.hessian[i])), 0);
      expect(error / scale).toBeLessThan(layout === 'rows' ? 1e-6 : Number.MIN_VALUE);
      expect(bits(narrow.logits)).toEqual(bits(wide.logits));
    });

    test('no rows: everything is zero', () => {
      const batch = layout === 'rows' ? engine.rows(0, 3) : engine.columns(0, [{ kind: 'coded', slots: 3 }]);
      const sums = at(engine, batch, { y: [] }, Float64Array.of(1, 2, 3, 4));
      expect(sums.loss).toBe(0);
      expect([...sums.gradient]).toEqual([0, 0, 0, 0]);
      expect([...sums.hessian]).toEqual(new Array(16).fill(0));
    });

    test('freed, it leaves nothing behind', () => {
      const data = sample(engine, 100);
      const before = engine.bytesInUse;
      for (let i = 0; i < 50; i++) {
        at(engine, data[layout], { y: data.y, weight: data.weight, offset: data.offset }, data.params);
      }
      expect(engine.bytesInUse).toBe(before);
    });

    test('a target or point of another length is refused', () => {
      const data = sample(engine, 10);
      const batch = data[layout];
      const before = engine.bytesInUse;
      const nine = new Float64Array(9);
      for (const name of ['y', 'weight', 'offset'] as const) {
        expect(() => engine.likelihood(batch, { y: data.y, [name]: nine })).toThrow(
          `${name}: expected 10 numbers, got 9`,
        );
      }
      expect(engine.bytesInUse).toBe(before);
      const likelihood = engine.likelihood(batch, { y: data.y });
      expect(() => likelihood.loss(nine)).toThrow('parameters: expected 10 numbers, got 9');
      likelihood.free();
    });

    test('memory of another engine is refused', () => {
      expect(() => make().likelihood(sample(engine, 10)[layout], { y: new Float64Array(10) })).toThrow(
        'batch: expected memory of this engine, got that of another',
      );
    });
  });

  test('rows and columns agree on the same data', () => {
    const data = sample(engine, 5003);
    const target = { y: data.y, weight: data.weight, offset: data.offset };
    const rows = at(engine, data.rows, target, data.params);
    const columns = at(engine, data.columns, target, data.params);
    expectSame(columns, rows, REORDERED);
    expectNear(columns.logits, rows.logits, 1e-14);
  });

  test('the order of rows does not matter', () => {
    const data = sample(engine, 1501);
    const reversed = engine.rows(1501, 9);
    for (let i = 0; i < 1501; i++) reversed.set(data.dense.subarray(i * 9, i * 9 + 9), 1500 - i);
    const forward = at(engine, data.rows, { y: data.y, offset: data.offset }, data.params);
    const target = { y: data.y.slice().reverse(), offset: data.offset.slice().reverse() };
    expectSame(at(engine, reversed, target, data.params), forward, REORDERED);
  });
});

test('the bits of both engines agree over more rows than a block of the reduction (65,536)', () => {
  const results = engines.map(([, make]) => {
    const engine = make();
    const data = sample(engine, 131_077);
    return (['rows', 'columns'] as const).flatMap((layout) => {
      const sums = at(engine, data[layout], { y: data.y, weight: data.weight, offset: data.offset }, data.params);
      return [bits(Float64Array.of(sums.loss)), bits(sums.gradient), bits(sums.hessian), String(bits(sums.logits))];
    });
  });
  for (const result of results) expect(result).toEqual(results[0]);
});

describe.each(['f32', 'f64'] as const)('Hessian of many numeric columns, %s', (precision) => {
  test.each([
    ['numbers only', 13, []],
    ['a category in the middle', 14, [7]],
    ['categories at both ends', 12, [0, 11]],
  ] as const)('%s: the engines agree to the bit, in any number of rows', (_, columns, coded) => {
    for (const rows of [1, 2, 1023, 1024, 1031]) {
      const hessians = engines.map(([, make]) => {
        const engine = make();
        const next = numbers(7);
        const isCoded = (j: number) => (coded as readonly number[]).includes(j);
        const x = engine.columns(
          rows,
          Array.from({ length: columns }, (_, j) => (isCoded(j) ? { kind: 'coded', slots: 3 } : { kind: 'numeric' })),
          precision,
        );
        for (let j = 0; j < columns; j++) {
          if (isCoded(j))
            x.codes(j).forEach((_, i, codes) => {
              codes[i] = i % 3;
            });
          else
            x.numeric(j).forEach((_, i, values) => {
              values[i] = next();
            });
        }
        const likelihood = engine.likelihood(x, { y: Float64Array.from({ length: rows }, (_, i) => i % 2) });
        const { parameters } = likelihood;
        const out = new Float64Array(parameters ** 2);
        const params = Float64Array.from({ length: parameters }, next);
        likelihood.at(params, new Float64Array(parameters)).hessian(out);
        return out;
      });
      for (const other of hessians) expect(other).toEqual(hessians[0]);
      expect(hessians[0].some((value) => value !== 0)).toBe(true);
    }
  });
});
