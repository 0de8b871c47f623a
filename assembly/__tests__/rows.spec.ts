import {
  hessianRowsF32, hessianRowsF64, logitsRowsF32, logitsRowsF64, lossGradientRowsF32, lossGradientRowsF64,
} from '../rows';
import { at, f32s, f64s, near } from './memory';

const LN2: f64 = 0.6931471805599453;

describe('rows: logits', () => {
  it('x·w + b of every row, f64', () => {
    const x = f64s([1, 2, 3, 4, -1, 0.5, 0, 2, 0, 0, 0, 0]);
    const z = f64s([9, 9, 9]);
    logitsRowsF64(at(x), 4, 3, at(f64s([1, 10, 100, 1000])), at(f64s([0.5])), 1, at(z), 4);
    expect(z[0]).toBe(4321.5);
    expect(z[1]).toBe(2004.5);
    expect(z[2]).toBe(0.5);
  });

  it('x·w + b of every row, f32', () => {
    const x = f32s([1, 2, 3, 4, -1, 0.5, 0, 2, 0, 0, 0, 0]);
    const z = f32s([9, 9, 9]);
    logitsRowsF32(at(x), 4, 3, at(f32s([1, 10, 100, 1000])), at(f32s([0.5])), 1, at(z), 4);
    expect(z[0]).toBe(4321.5);
    expect(z[1]).toBe(2004.5);
    expect(z[2]).toBe(0.5);
  });

  it('k weight vectors in planes of zStride', () => {
    // five rows of twenty features: the unrolled loop and its remainder, a tile of four rows and one row left over
    const stride: u32 = 20;
    const x = new StaticArray<f64>(5 * 20);
    for (let i = 0; i < 5; i++) for (let j = 0; j < 20; j++) x[i * 20 + j] = <f64>((i + 1) * (j + 1));
    const w = new StaticArray<f64>(40);
    w[0] = 1;
    w[19] = 1;
    for (let j = 0; j < 20; j++) w[20 + j] = 1;
    const z = new StaticArray<f64>(16);
    z[5] = 7;
    logitsRowsF64(at(x), stride, 5, at(w), at(f64s([0, -1])), 2, at(z), 8);
    for (let i = 0; i < 5; i++) {
      expect(z[i]).toBe(<f64>((i + 1) * 21));
      expect(z[8 + i]).toBe(<f64>((i + 1) * 210 - 1));
    }
    expect(z[5]).toBe(7, 'nothing is written behind a plane');
  });

  it('no rows write nothing, no features give the intercept', () => {
    const z = f64s([7, 7, 7, 7]);
    logitsRowsF64(at(f64s([])), 4, 0, at(f64s([1, 1, 1, 1])), at(f64s([2])), 1, at(z), 4);
    expect(z[0]).toBe(7);
    logitsRowsF64(at(f64s([])), 0, 3, at(f64s([])), at(f64s([2])), 1, at(z), 4);
    expect(z[0]).toBe(2);
    expect(z[2]).toBe(2);
    expect(z[3]).toBe(7);
  });

  it('sums lane by lane: (l0 + l1) + (l2 + l3)', () => {
    // in f32 2²⁵ + 1 = 2²⁵: only this order keeps the two ones
    const z = f32s([9]);
    logitsRowsF32(at(f32s([33554432, -33554432, 1, 1])), 4, 1, at(f32s([1, 1, 1, 1])), at(f32s([0])), 1, at(z), 4);
    expect(z[0]).toBe(2);
    logitsRowsF32(at(f32s([33554432, 1, -33554432, 1])), 4, 1, at(f32s([1, 1, 1, 1])), at(f32s([0])), 1, at(z), 4);
    expect(z[0]).toBe(0);
  });
});

/*
 * Three rows (1, 2), (3, −1), (0, 4) with labels 1, 0, 1 at w = 0, b = 0: every logit is 0, residuals are ½ − y, so
 * gradient = −½·(1, 2, 1) + ½·(3, −1, 1) − ½·(0, 4, 1) = (1, −3.5, −½), and H = ¼·XᵀX with the intercept's column of ones.
 */
function checkGradient(loss: f64, g: StaticArray<f64>, c: StaticArray<f64>): void {
  expect(near(loss, 3 * LN2, 1e-15)).toBeTruthy(`loss ${loss}`);
  expect(g[0]).toBe(1);
  expect(g[1]).toBe(-3.5);
  expect(g[2]).toBe(0);
  expect(g[3]).toBe(0);
  expect(g[4]).toBe(-0.5);
  for (let i = 0; i < 3; i++) expect(c[i]).toBe(0.25);
}

function checkHessian(h: StaticArray<f64>): void {
  expect(h[0]).toBe(2.5);
  expect(h[6]).toBe(-0.25);
  expect(h[7]).toBe(5.25);
  expect(h[24]).toBe(1, 'Σ c·x₀');
  expect(h[25]).toBe(1.25, 'Σ c·x₁');
  expect(h[28]).toBe(0.75, 'Σ c');
}

describe('rows: loss, gradient, Hessian', () => {
  it('worked by hand, f64', () => {
    const x = f64s([1, 2, 0, 0, 3, -1, 0, 0, 0, 4, 0, 0]);
    const y = f64s([1, 0, 1]);
    const w = f64s([0, 0, 0, 0, 0]);
    const g = f64s([0, 0, 0, 0, 0]);
    const c = f64s([9, 9, 9]);
    const scratch = new StaticArray<f64>(2 * 64 * 4);
    checkGradient(lossGradientRowsF64(at(x), 4, 3, at(w), 0, at(y), 0, at(g), at(c), at(scratch)), g, c);
    const h = new StaticArray<f64>(5 * 6);
    hessianRowsF64(at(x), 4, 3, at(c), at(h), 6, at(scratch));
    checkHessian(h);
  });

  it('worked by hand, f32', () => {
    const x = f32s([1, 2, 0, 0, 3, -1, 0, 0, 0, 4, 0, 0]);
    const y = f64s([1, 0, 1]);
    const w = f64s([0, 0, 0, 0, 0]);
    const g = f64s([0, 0, 0, 0, 0]);
    const c = f64s([9, 9, 9]);
    const scratch = new StaticArray<f64>(2 * 64 * 4);
    checkGradient(lossGradientRowsF32(at(x), 4, 3, at(w), 0, at(y), 0, at(g), at(c), at(scratch)), g, c);
    const h = new StaticArray<f64>(5 * 6);
    hessianRowsF32(at(x), 4, 3, at(c), at(h), 6, at(scratch));
    checkHessian(h);
  });

  it('adds to gradient and Hessian, adds the offset, weighs the rows', () => {
    const x = f64s([2, 0, 0, 0]);
    const g = f64s([10, 0, 0, 0, 100]);
    const c = f64s([9]);
    const scratch = new StaticArray<f64>(2 * 64 * 4);
    // z = 2·3 + 1 − 7 = 0
    const loss = lossGradientRowsF64(
      at(x), 4, 1, at(f64s([3, 0, 0, 0, 1])), at(f64s([-7])), at(f64s([1])), at(f64s([4])), at(g), at(c), at(scratch),
    );
    expect(near(loss, 4 * LN2, 1e-15)).toBeTruthy(`loss ${loss}`);
    expect(g[0]).toBe(6);
    expect(g[4]).toBe(98);
    expect(c[0]).toBe(1);
    const h = new StaticArray<f64>(5 * 6);
    h[0] = 1000;
    h[28] = 1000;
    hessianRowsF64(at(x), 4, 1, at(c), at(h), 6, at(scratch));
    expect(h[0]).toBe(1004);
    expect(h[24]).toBe(2);
    expect(h[28]).toBe(1001);
  });

  it('the loss alone leaves the logits in z', () => {
    const z = f64s([9, 9]);
    const x = f64s([2, 0, 0, 0, 5, 0, 0, 0]);
    lossGradientRowsF64(at(x), 4, 2, at(f64s([3, 0, 0, 0, 1])), 0, at(f64s([1, 0])), 0, 0, 0, at(z));
    expect(z[0]).toBe(7);
    expect(z[1]).toBe(16);
  });
});
