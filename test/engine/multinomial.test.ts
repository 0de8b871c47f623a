import { describe, expect, test } from 'vitest';
import type { Batch } from '../../bindings/batch.ts';
import type { MultinomialTarget } from '../../bindings/batchLikelihood.ts';
import { REDUCTION_BLOCK } from '../../bindings/blocks.ts';
import type { Engine } from '../../bindings/engine.ts';
import type { Precision } from '../../bindings/layout.ts';
import type { Likelihood } from '../../bindings/likelihood.ts';
import { expectNear, expectWorking, REORDERED, thrown } from './checks.ts';
import { engines, numbers, onHeap } from './engines.ts';
import { bits } from './kernels.ts';
import { batch, FEATURES, LAYOUTS, type Layout, type Mixed, mixed } from './layouts.ts';

const P = FEATURES + 1;
const params3 = Float64Array.from({ length: 3 * P }, numbers(23));
const direction3 = Float64Array.from({ length: 3 * P }, numbers(29));

interface Sums {
  loss: number;
  gradient: Float64Array;
  product: Float64Array;
}

/** loss, gradient and Hessian times `v` at one point; the likelihood is freed */
function sums(likelihood: Likelihood, params: Float64Array, v: Float64Array): Sums {
  const gradient = new Float64Array(likelihood.parameters);
  const product = new Float64Array(likelihood.parameters);
  const point = likelihood.at(params, gradient);
  point.hessianVector(v, product);
  likelihood.free();
  return { loss: point.loss, gradient, product };
}

function at(engine: Engine, x: Batch, target: MultinomialTarget, params = params3, v = direction3): Sums {
  return sums(engine.multinomial(x, target), params, v);
}

function expectSame(actual: Sums, expected: Sums, tolerance: number): void {
  expectNear([actual.loss], [expected.loss], tolerance);
  expectNear(actual.gradient, expected.gradient, tolerance);
  expectNear(actual.product, expected.product, tolerance);
}

const allBits = ({ loss, gradient, product }: Sums) => [bits(Float64Array.of(loss)), bits(gradient), bits(product)];

/**
 * How far two ways to a Hessian may differ. That of f32 rows sums panels of 64 rows in f32: each of 64 additions is off by
 * 2⁻²⁴ of a panel's sum at most.
 */
const hessianTolerance = (layout: Layout, precision: Precision) =>
  layout === 'rows' && precision === 'f32' ? 64 * 2 ** -24 : REORDERED;

/** (−2, −1, 1, 2) steps of h: the slope by the fourth-order rule, off by h⁴·f⁽⁵⁾/30 */
const difference = ([a, b, c, d]: number[], h: number) => (a - 8 * b + 8 * c - d) / (12 * h);

/** the rows `order` of the data */
function pick(data: Mixed, order: number[]): Mixed {
  const take = (values: Float64Array) => Float64Array.from(order, (i) => values[i]);
  return {
    rows: order.length,
    dense: Float64Array.from(order.flatMap((i) => [...data.dense.subarray(i * FEATURES, (i + 1) * FEATURES)])),
    codes: data.codes.map((codes) => Uint8Array.from(order, (i) => codes[i])),
    y: take(data.y),
    weight: take(data.weight),
    classes: take(data.classes),
  };
}

describe.each(engines)('%s', (_, make) => {
  const engine = make();

  test('worked by hand: two rows, one feature, three classes', () => {
    /*
     * w = (0, ln 2, 0), b = (0, 0, ln 3). x = 1: logits (0, ln 2, ln 3), p = (1, 2, 3)/6; x = 0: (0, 0, ln 3), p = (1, 1, 3)/5.
     * Classes 1 and 2, weights 2 and 1: loss 2·ln 3 + ln(5/3).
     * residuals 2·(1, −4, 3)/6 and (1, 1, −2)/5; the weight's gradient is that of x = 1, the intercept's the sum.
     */
    const x = engine.rows(2, 1);
    x.set([1, 0]);
    const params = Float64Array.of(0, 0, Math.LN2, 0, 0, Math.log(3));
    // v moves the intercept of class 0 alone: rows give s·p_j·([j = 0] − p_0)
    const v = Float64Array.of(0, 1, 0, 0, 0, 0);
    const found = at(engine, x, { y: [1, 2], classes: 3, weight: [2, 1] }, params, v);
    expectNear([found.loss], [2 * Math.log(3) + Math.log(5 / 3)], 1e-15);
    expectNear(found.gradient, [1 / 3, 1 / 3 + 1 / 5, -4 / 3, -4 / 3 + 1 / 5, 1, 1 - 2 / 5], 1e-15);
    const [a, b] = [2, 1];
    const one = [(a * 5) / 36, (-a * 2) / 36, (-a * 3) / 36];
    const two = [(b * 4) / 25, -b / 25, (-b * 3) / 25];
    expectNear(
      found.product,
      one.flatMap((value, j) => [value, value + two[j]]),
      1e-15,
    );
    x.free();
  });

  test('names its size and its weight; the loss alone is the loss beside the gradient, to the bit', () => {
    const data = mixed(1030);
    const x = batch(engine, data, 'rows');
    const likelihood = engine.multinomial(x, { y: data.classes, classes: 3, weight: data.weight });
    expect(likelihood.rows).toBe(1030);
    expect(likelihood.parameters).toBe(30);
    expect(likelihood.totalWeight).toBe(data.weight.reduce((sum, value) => sum + value, 0));
    const gradient = new Float64Array(30);
    const point = likelihood.at(params3, gradient);
    const first = point.loss;
    const before = bits(gradient);
    expect(likelihood.loss(params3)).toBe(first);
    expect(likelihood.loss(direction3)).not.toBe(first);
    point.hessianVector(direction3, new Float64Array(30));
    expect(likelihood.at(params3, gradient).loss).toBe(first);
    expect(bits(gradient)).toEqual(before);
    likelihood.free();
    x.free();
  });

  describe.each(LAYOUTS)('%s', (layout) => {
    test('gradient is the slope of the loss, Hessian times v the slope of the gradient along v', () => {
      const data = mixed(203);
      const x = batch(engine, data, layout);
      const target = { y: data.classes, classes: 3, weight: data.weight };
      const found = at(engine, x, target);
      const likelihood = engine.multinomial(x, target);
      const h = 1e-3;
      const steps = [-2, -1, 1, 2];
      const slope = Float64Array.from(params3, (_v, p) =>
        difference(
          steps.map((by) => likelihood.loss(params3.map((value, i) => (i === p ? value + by * h : value)))),
          h,
        ),
      );
      const gradients = steps.map((by) => {
        const gradient = new Float64Array(3 * P);
        likelihood.at(
          params3.map((value, i) => value + by * h * direction3[i]),
          gradient,
        );
        return gradient;
      });
      const product = Float64Array.from(params3, (_v, p) =>
        difference(
          gradients.map((gradient) => gradient[p]),
          h,
        ),
      );
      // error of the rule ≈ 1e-12 · the sums; of the subtraction 1e-16 · the sums / h ≈ 1e-13 · the sums
      expectNear(slope, found.gradient, 1e-9);
      expectNear(product, found.product, 1e-9);
      likelihood.free();
      x.free();
    });

    test('two classes, the second pinned at zero, are the binomial likelihood', () => {
      const data = mixed(2051);
      const x = batch(engine, data, layout);
      const pinned = (values: Float64Array) => Float64Array.from({ length: 2 * P }, (_v, i) => (i < P ? values[i] : 0));
      // class 0 is the label 1
      const y = data.y.map((value) => 1 - value);
      const two = at(engine, x, { y, classes: 2, weight: data.weight }, pinned(params3), pinned(direction3));
      const one = sums(
        engine.likelihood(x, { y: data.y, weight: data.weight }),
        params3.slice(0, P),
        direction3.slice(0, P),
      );
      const first = (values: Float64Array) => values.slice(0, P);
      expectSame({ ...two, gradient: first(two.gradient), product: first(two.product) }, one, REORDERED);
      // what one class gains the other loses
      const other = (values: Float64Array) => values.slice(P).map((value) => -value);
      expectSame({ ...two, gradient: other(two.gradient), product: other(two.product) }, one, REORDERED);
      x.free();
    });

    test('a weight of k is the row k times, a weight of 0 is no row; weights of one are none, to the bit', () => {
      const data = mixed(701);
      const x = batch(engine, data, layout);
      const weighted = at(engine, x, { y: data.classes, classes: 3, weight: data.weight });
      const repeated = pick(
        data,
        Array.from(data.weight).flatMap((times, i) => new Array<number>(times).fill(i)),
      );
      const copies = batch(engine, repeated, layout);
      expectSame(weighted, at(engine, copies, { y: repeated.classes, classes: 3 }), REORDERED);
      const ones = at(engine, x, { y: data.classes, classes: 3, weight: new Float64Array(701).fill(1) });
      expect(allBits(ones)).toEqual(allBits(at(engine, x, { y: data.classes, classes: 3 })));
      copies.free();
      x.free();
    });

    test('moving every class alike changes nothing; gradients and products of the classes add up to zero', () => {
      const data = mixed(999);
      const x = batch(engine, data, layout);
      const target = { y: data.classes, classes: 3, weight: data.weight };
      const found = at(engine, x, target);
      const shift = Float64Array.from({ length: P }, numbers(31));
      const moved = (values: Float64Array) => values.map((value, i) => value + shift[i % P]);
      expectSame(at(engine, x, target, moved(params3), moved(direction3)), found, REORDERED);
      for (const values of [found.gradient, found.product]) {
        for (let i = 0; i < P; i++) {
          const total = values[i] + values[P + i] + values[2 * P + i];
          expect(Math.abs(total)).toBeLessThanOrEqual(REORDERED * Math.max(...values.map(Math.abs)));
        }
      }
      x.free();
    });

    test('f32 storage gives the sums of the widened values, to the bit', () => {
      const data = mixed(2777);
      const target = { y: data.classes, classes: 3, weight: data.weight };
      const [narrow, wide] = (['f32', 'f64'] as const).map((precision) => {
        const x = batch(engine, data, layout, precision);
        const found = allBits(at(engine, x, target));
        x.free();
        return found;
      });
      expect(narrow).toEqual(wide);
    });

    test('no rows: everything is zero', () => {
      const x = batch(engine, mixed(0), layout);
      const { loss, gradient, product } = at(engine, x, { y: [], classes: 3 });
      expect(loss).toBe(0);
      expect([...gradient, ...product]).toEqual(new Array(6 * P).fill(0));
      x.free();
    });
  });

  test('rows, columns and sparse agree on the same data', () => {
    const data = mixed(5003);
    const target = { y: data.classes, classes: 3, weight: data.weight };
    const [rows, columns, sparse] = LAYOUTS.map((layout) => at(engine, batch(engine, data, layout), target));
    expectSame(columns, rows, REORDERED);
    expectSame(sparse, rows, REORDERED);
  });

  test('a class that is never seen, and more classes than a register has lanes', () => {
    const data = mixed(300);
    const x = batch(engine, data, 'rows');
    const params = Float64Array.from({ length: 7 * P }, numbers(37));
    const found = at(engine, x, { y: data.classes, classes: 7 }, params, params);
    // of the classes 3 to 6 every row adds its probability: gradients of the intercepts are positive
    for (let j = 3; j < 7; j++) expect(found.gradient[j * P + FEATURES]).toBeGreaterThan(0);
    // v·Hv of a convex loss
    expect(found.product.reduce((sum, value, i) => sum + value * params[i], 0)).toBeGreaterThan(0);
    x.free();
  });

  test('freed, it leaves nothing behind', () => {
    const data = mixed(100);
    const x = batch(engine, data, 'sparse');
    const before = engine.bytesInUse;
    for (let i = 0; i < 20; i++) at(engine, x, { y: data.classes, classes: 3, weight: data.weight });
    expect(engine.bytesInUse).toBe(before);
    x.free();
  });

  test.each([
    [{ y: [0, 1, 3], classes: 3 }, 'ERR_RANGE', 'y: expected classes from 0 to 2, got 3 at row 2'],
    [{ y: [0, -1, 2], classes: 3 }, 'ERR_RANGE', 'y: expected classes from 0 to 2, got -1 at row 1'],
    [{ y: [0.5, 1, 2], classes: 3 }, 'ERR_RANGE', 'y: expected classes from 0 to 2, got 0.5 at row 0'],
    [{ y: [0, 1, Number.NaN], classes: 3 }, 'ERR_RANGE', 'y: expected classes from 0 to 2, got NaN at row 2'],
    [{ y: [0, 0, 0], classes: 1 }, 'ERR_RANGE', 'classes: expected a whole number of at least 2, got 1'],
    [{ y: [0, 0, 0], classes: 2.5 }, 'ERR_RANGE', 'classes: expected a whole number of at least 2, got 2.5'],
    [{ y: [0, 1], classes: 2 }, 'ERR_SHAPE', 'y: expected 3 numbers, got 2'],
    [{ y: [0, 1, 1], classes: 2, weight: [1, 1, 1, 1] }, 'ERR_SHAPE', 'weight: expected 3 numbers, got 4'],
  ])('a target that does not fit is refused: %j', (target, code, message) => {
    const x = engine.rows(3, 2);
    const before = engine.bytesInUse;
    expect(thrown(() => engine.multinomial(x, target))).toEqual({ code, message });
    expect(engine.bytesInUse).toBe(before);
    x.free();
    expectWorking(engine);
  });

  test('parameters of another length, and a batch of another engine, are refused', () => {
    const x = engine.rows(3, 2);
    const likelihood = engine.multinomial(x, { y: [0, 1, 2], classes: 3 });
    const message = 'parameters: expected 9 numbers, got 3';
    expect(thrown(() => likelihood.loss(new Float64Array(3))).message).toBe(message);
    expect(thrown(() => likelihood.at(new Float64Array(3), new Float64Array(9))).message).toBe(message);
    const point = likelihood.at(new Float64Array(9), new Float64Array(9));
    expect(thrown(() => point.hessianVector(new Float64Array(3), new Float64Array(9))).message).toBe(message);
    likelihood.free();
    expect(thrown(() => make().multinomial(x, { y: [0, 1, 2], classes: 3 })).message).toBe(
      'batch: expected memory of this engine, got that of another',
    );
    x.free();
  });

  describe.each(LAYOUTS)('binomial, %s', (layout) => {
    test('Hessian times v is the Hessian, times v', () => {
      for (const precision of ['f64', 'f32'] as const) {
        const data = mixed(5003);
        const x = batch(engine, data, layout, precision);
        const likelihood = engine.likelihood(x, { y: data.y, weight: data.weight, offset: data.classes });
        const point = likelihood.at(params3.slice(0, P), new Float64Array(P));
        const hessian = new Float64Array(P * P);
        point.hessian(hessian);
        for (let j = 0; j <= P; j++) {
          // every unit vector, then one with all entries
          const v = j < P ? Float64Array.from({ length: P }, (_v, i) => (i === j ? 1 : 0)) : direction3.slice(0, P);
          const product = new Float64Array(P);
          point.hessianVector(v, product);
          const expected = Float64Array.from({ length: P }, (_v, a) =>
            v.reduce((sum, value, b) => sum + hessian[a * P + b] * value, 0),
          );
          expectNear(product, expected, hessianTolerance(layout, precision));
        }
        likelihood.free();
        x.free();
      }
    });
  });

  test('binomial: sparse is dense, with and without values, for f32 storage too', () => {
    const data = mixed(5003);
    const target = { y: data.y, weight: data.weight, offset: data.classes };
    const all = (x: Batch) => {
      const likelihood = engine.likelihood(x, target);
      const hessian = new Float64Array(P * P);
      const logits = new Float64Array(5003);
      likelihood.at(params3.slice(0, P), new Float64Array(P)).hessian(hessian);
      likelihood.logits(params3.slice(0, P), logits);
      const found = sums(likelihood, params3.slice(0, P), direction3.slice(0, P));
      x.free();
      return { ...found, hessian, logits };
    };
    const compare = (precision: 'f32' | 'f64') => {
      const sparse = all(batch(engine, data, 'sparse', precision));
      const rows = all(batch(engine, data, 'rows', precision));
      expectSame(sparse, rows, REORDERED);
      expectNear(sparse.hessian, rows.hessian, hessianTolerance('rows', precision));
      // five terms in another order
      expectNear(sparse.logits, rows.logits, 1e-15);
      return sparse;
    };
    const [narrow, wide] = [compare('f32'), compare('f64')];
    expect(allBits(narrow)).toEqual(allBits(wide));
    expect(bits(narrow.hessian)).toEqual(bits(wide.hessian));
    // ones: the codes alone
    const codes = Float64Array.from(data.dense, (value, i) => (i % FEATURES === 0 || i % FEATURES === 4 ? 0 : value));
    const colIdx = Array.from({ length: 5003 }, (_v, i) => [1 + data.codes[0][i], 5 + data.codes[1][i]]).flat();
    const rowPtr = Array.from({ length: 5004 }, (_v, i) => 2 * i);
    const ones = all(engine.sparse({ rowPtr, colIdx }, FEATURES));
    const rows = engine.rows(5003, FEATURES);
    rows.set(codes);
    const dense = all(rows);
    expectSame(ones, dense, REORDERED);
    expectNear(ones.hessian, dense.hessian, REORDERED);
  });
});

describe('more rows than a block of the reduction', () => {
  const ROWS = REDUCTION_BLOCK + 5003;
  const data = mixed(ROWS);

  test.each(LAYOUTS)('%s: the bits of both engines agree, and the parts of a table add up to the whole', (layout) => {
    const results = engines.map(([, make]) => {
      const engine = make();
      const run = (part: Mixed) => {
        const x = batch(engine, part, layout, 'f32');
        const many = at(engine, x, { y: part.classes, classes: 3, weight: part.weight });
        const likelihood = engine.likelihood(x, { y: part.y, weight: part.weight });
        const one = sums(likelihood, params3.slice(0, P), direction3.slice(0, P));
        x.free();
        return { many, one };
      };
      const whole = run(data);
      // cut elsewhere than the blocks are
      const cut = 20_001;
      const [a, b] = [run(mixed(cut)), run(mixed(ROWS - cut, cut))];
      for (const name of ['many', 'one'] as const) {
        const sum = (x: Float64Array, y: Float64Array) => x.map((value, i) => value + y[i]);
        const parts = {
          loss: a[name].loss + b[name].loss,
          gradient: sum(a[name].gradient, b[name].gradient),
          product: sum(a[name].product, b[name].product),
        };
        expectSame(parts, whole[name], REORDERED);
      }
      return [allBits(whole.many), allBits(whole.one)];
    });
    for (const result of results) expect(result).toEqual(results[0]);
  });
});

describe.each(onHeap)('%s with a limit on its memory', (_, build) => {
  test('a multinomial likelihood that does not fit gives everything back', () => {
    const { engine, heap } = build();
    const x = engine.rows(20_000, 1, 'f32');
    const before = engine.bytesInUse;
    const y = new Float64Array(20_000);
    heap.limit = heap.memory.buffer.byteLength + 500_000;
    const { code, message } = thrown(() => engine.multinomial(x, { y, classes: 30 }));
    expect(code).toBe('ERR_MEMORY');
    expect(message).toContain('the curvature of every row: needs 4800000 more bytes');
    expect(engine.bytesInUse).toBe(before);
    expectWorking(engine);
  });

  test('a Hessian of more columns than memory holds is refused, and the likelihood still works', () => {
    const { engine } = build();
    const x = engine.sparse({ rowPtr: [0, 1], colIdx: [7] }, 2 ** 18);
    const likelihood = engine.likelihood(x, { y: [1] });
    const params = new Float64Array(2 ** 18 + 1);
    const gradient = new Float64Array(2 ** 18 + 1);
    const point = likelihood.at(params, gradient);
    const { code, message } = thrown(() => point.hessian(new Float64Array(0)));
    expect(code).toBe('ERR_MEMORY');
    expect(message).toContain('262145 × 262145');
    expect(likelihood.at(params, gradient).loss).toBe(Math.LN2);
    expect([gradient[7], gradient[8], gradient[2 ** 18]]).toEqual([-0.5, 0, -0.5]);
    likelihood.free();
    x.free();
    expect(engine.bytesInUse).toBe(0);
  });
});

describe.each(engines)('matrices of the likelihood, %s', (_, make) => {
  test.each(LAYOUTS)('%s: Hessian of three classes = Hessian times unit vectors', (layout) => {
    const engine = make();
    const data = mixed(700, 41);
    const x = batch(engine, data, layout);
    const weight = Float64Array.from({ length: 700 }, (_, i) => (i % 5 === 0 ? 0 : 1 + (i % 3)));
    const y = Float64Array.from({ length: 700 }, (_, i) => (i * 7) % 3);
    const likelihood = engine.multinomial(x, { y, classes: 3, weight });
    const size = likelihood.parameters;
    const hessian = new Float64Array(size * size);
    const gradient = new Float64Array(size);
    const point = likelihood.at(params3, gradient);
    point.hessian(hessian);
    const column = new Float64Array(size);
    for (let j = 0; j < size; j++) {
      point.hessianVector(
        Float64Array.from({ length: size }, (_, k) => Number(k === j)),
        column,
      );
      expectNear(hessian.subarray(j * size, (j + 1) * size), column, REORDERED);
      for (let k = 0; k < size; k++) expect(hessian[k * size + j]).toBe(hessian[j * size + k]);
    }
    for (const most of [undefined, 100]) {
      point.hessian(hessian, most);
      for (let j = 0; j < 3; j++) {
        const block = new Float64Array(P * P);
        point.classHessian(j, block, most);
        const own = Array.from(block, (_, at) => hessian[(j * P + Math.floor(at / P)) * size + j * P + (at % P)]);
        expect([...block]).toEqual(own);
      }
    }
    expect(() => point.classHessian(3, new Float64Array(P * P))).toThrow(/class: expected a whole number from 0 to 2/);
    likelihood.free();
  });

  test.each(LAYOUTS)('%s: gram of any factors, and logits of every class', (layout) => {
    const engine = make();
    const rows = 333;
    const data = mixed(rows, 43);
    const x = batch(engine, data, layout);
    const likelihood = engine.multinomial(x, { y: new Float64Array(rows), classes: 3 });
    const next = numbers(5);
    const c = Float64Array.from({ length: rows }, next);
    const gram = new Float64Array(P * P);
    likelihood.gram(c, gram);
    // by polarisation: column j of XᵀCX is Xᵀ(c ∘ X·eⱼ), and the logits of a unit vector are X·eⱼ
    const columns = Array.from({ length: P }, (_, j) => {
      const z = new Float64Array(3 * rows);
      const params = new Float64Array(3 * P);
      params[P + j] = 1;
      likelihood.logits(params, z);
      expect(z.subarray(0, rows).every((value) => value === 0)).toBe(true);
      expect(z.subarray(2 * rows).every((value) => value === 0)).toBe(true);
      return z.slice(rows, 2 * rows);
    });
    for (let j = 0; j < P; j++) {
      const expected = columns.map((column) => column.reduce((sum, v, i) => sum + v * c[i] * columns[j][i], 0));
      expectNear(gram.subarray(j * P, (j + 1) * P), Float64Array.from(expected), REORDERED);
    }
    const transposed = new Float64Array(P);
    likelihood.transpose(c, transposed);
    const products = columns.map((column) => column.reduce((sum, v, i) => sum + v * c[i], 0));
    expectNear(transposed, Float64Array.from(products), REORDERED);
    // more vectors than are treated together
    const vectors = Float64Array.from({ length: 37 * P }, next);
    const squares = new Float64Array(rows);
    likelihood.squares(vectors, squares);
    const sums = Array.from({ length: rows }, (_, i) => {
      let sum = 0;
      for (let v = 0; v < 37; v++) sum += columns.reduce((z, column, j) => z + vectors[v * P + j] * column[i], 0) ** 2;
      return sum;
    });
    expectNear(squares, Float64Array.from(sums), REORDERED);
    likelihood.free();
  });

  test('a sample of the rows of a Hessian: evenly spaced blocks, scaled to all', () => {
    const engine = make();
    const rows = 6400;
    const data = mixed(rows, 47);
    const x = batch(engine, data, 'columns');
    const y = Float64Array.from({ length: rows }, (_, i) => i % 2);
    const likelihood = engine.likelihood(x, { y });
    const point = likelihood.at(params3.slice(0, P), new Float64Array(P));
    const sampled = new Float64Array(P * P);
    point.hessian(sampled, 640);
    // 64 blocks of 10 rows, 100 rows apart
    const order = Array.from({ length: rows }, (_, i) => i).filter((i) => i % 100 < 10);
    const part = pick(data, order);
    const few = engine.likelihood(batch(engine, part, 'columns'), { y: order.map((i) => y[i]) });
    const expected = new Float64Array(P * P);
    few.at(params3.slice(0, P), new Float64Array(P)).hessian(expected);
    expectNear(
      sampled,
      expected.map((value) => 10 * value),
      REORDERED,
    );
    const c = Float64Array.from({ length: rows }, numbers(6));
    likelihood.gram(c, sampled, 640);
    few.gram(
      Float64Array.from(order, (i) => c[i]),
      expected,
    );
    expectNear(
      sampled,
      expected.map((value) => 10 * value),
      REORDERED,
    );
    const all = new Float64Array(P * P);
    point.hessian(all);
    const most = new Float64Array(P * P);
    point.hessian(most, rows);
    expect(most).toEqual(all);
    for (const one of [likelihood, few]) one.free();
  });
});
