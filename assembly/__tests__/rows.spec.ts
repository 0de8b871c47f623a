import {
  hessianRowsF32, hessianRowsF64, logitsRowsF32, logitsRowsF64, logitsRowsWide, transposeRowsF32, transposeRowsF64,
} from '../rows';
import { at, f32s, f64s } from './memory';

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

describe('rows: f32 storage, f64 sums', () => {
  it('a stored f32 is widened, the weights keep their 53 bits', () => {
    const z = f64s([9]);
    // in f32 the weight would be 1 and the sum 2²⁵
    logitsRowsWide(at(f32s([33554432, 1, 0.1, 0])), 4, 1, at(f64s([1, 1.0000000001, 1, 0])), at(f64s([0.5])), 1, at(z), 4);
    expect(z[0]).toBe(33554432 + <f64>(<f32>0.1) + 1.0000000001 + 0.5);
  });

  it('sums lane by lane: l0 + l1', () => {
    const z = f64s([9]);
    const ones = f64s([1, 1, 1, 1]);
    // in f64 2⁵⁴ + 1 = 2⁵⁴
    logitsRowsWide(at(f32s([<f32>18014398509481984, 1, <f32>-18014398509481984, 1])), 4, 1, at(ones), at(f64s([0])), 1, at(z), 4);
    expect(z[0]).toBe(2);
    logitsRowsWide(at(f32s([<f32>18014398509481984, <f32>-18014398509481984, 1, 1])), 4, 1, at(ones), at(f64s([0])), 1, at(z), 4);
    expect(z[0]).toBe(0);
  });

  it('k weight vectors, a tile of four rows and one row left over, and fewer than four', () => {
    const x = new StaticArray<f32>(5 * 8);
    for (let i = 0; i < 5; i++) for (let j = 0; j < 8; j++) x[i * 8 + j] = <f32>((i + 1) * (j + 1));
    const w = f64s([1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    for (let n: u32 = 0; n <= 5; n++) {
      const z = new StaticArray<f64>(16);
      for (let i = 0; i < 16; i++) z[i] = 7;
      logitsRowsWide(at(x), 8, n, at(w), at(f64s([0, -1])), 2, at(z), 8);
      for (let i: u32 = 0; i < 8; i++) {
        expect(z[i]).toBe(i < n ? <f64>((i + 1) * 9) : 7);
        expect(z[8 + i]).toBe(i < n ? <f64>((i + 1) * 36 - 1) : 7);
      }
    }
  });
});

/*
 * Five rows, four taken together and one left over; two vectors r.
 *   (1, 2) (3, −1) (0, 4) (−2, 1) (5, ½)     r = (−½, ½, −½, ½, 1)     r' = (1, 2, 4, 8, 16)
 *   Xᵀr  = (−½ + 3/2 − 0 − 1 + 5, −1 − ½ − 2 + ½ + ½) = (5, −2½), Σ r = 1
 *   Xᵀr' = (1 + 6 + 0 − 16 + 80, 2 − 2 + 16 + 8 + 8) = (71, 32), Σ r' = 31
 */
const R: f64[] = [-0.5, 0.5, -0.5, 0.5, 1, 99, 1, 2, 4, 8, 16, 99];

function checkTransposed(g: StaticArray<f64>): void {
  const expected: f64[] = [15, 17.5, 0, 0, 101, 7, 71, 32, 0, 0, 31, 7];
  for (let p = 0; p < 12; p++) expect(g[p]).toBe(expected[p], `entry ${p}`);
}

describe('rows: transpose', () => {
  it('two vectors in one pass, added to what is there, f64', () => {
    const x = f64s([1, 2, 0, 0, 3, -1, 0, 0, 0, 4, 0, 0, -2, 1, 0, 0, 5, 0.5, 0, 0]);
    const g = f64s([10, 20, 0, 0, 100, 7, 0, 0, 0, 0, 0, 7]);
    transposeRowsF64(at(x), 4, 5, at(f64s(R)), 6, 2, at(g), 6);
    checkTransposed(g);
  });

  it('two vectors in one pass, added to what is there, f32', () => {
    const x = f32s([1, 2, 0, 0, 3, -1, 0, 0, 0, 4, 0, 0, -2, 1, 0, 0, 5, 0.5, 0, 0]);
    const g = f64s([10, 20, 0, 0, 100, 7, 0, 0, 0, 0, 0, 7]);
    transposeRowsF32(at(x), 4, 5, at(f64s(R)), 6, 2, at(g), 6);
    checkTransposed(g);
  });

  it('adds row after row', () => {
    const ones = f64s([1, 1, 1, 1]);
    const x = new StaticArray<f64>(16);
    const big: f64 = 18014398509481984;
    x[0] = big;
    x[4] = -big;
    x[8] = 1;
    x[12] = 1;
    const g = f64s([0, 0, 0, 0, 0]);
    transposeRowsF64(at(x), 4, 4, at(ones), 4, 1, at(g), 5);
    expect(g[0]).toBe(2);
    x[4] = 1;
    x[8] = -big;
    g[0] = 0;
    transposeRowsF64(at(x), 4, 4, at(ones), 4, 1, at(g), 5);
    expect(g[0]).toBe(1);
  });

  it('no rows add nothing', () => {
    const g = f64s([1, 2, 3, 4, 5]);
    transposeRowsF64(at(f64s([])), 4, 0, at(f64s([9])), 4, 1, at(g), 5);
    for (let p = 0; p < 5; p++) expect(g[p]).toBe(p + 1);
  });
});

/* Rows (1, 2), (3, −1), (0, 4) with curvature ¼: H = ¼·XᵀX with the intercept's column of ones. */
function checkHessian(h: StaticArray<f64>): void {
  expect(h[0]).toBe(2.5);
  expect(h[6]).toBe(-0.25);
  expect(h[7]).toBe(5.25);
  expect(h[24]).toBe(1, 'Σ c·x₀');
  expect(h[25]).toBe(1.25, 'Σ c·x₁');
  expect(h[28]).toBe(0.75, 'Σ c');
}

describe('rows: Hessian', () => {
  it('worked by hand, f64', () => {
    const h = new StaticArray<f64>(5 * 6);
    const x = f64s([1, 2, 0, 0, 3, -1, 0, 0, 0, 4, 0, 0]);
    hessianRowsF64(at(x), 4, 3, at(f64s([0.25, 0.25, 0.25])), at(h), 6, at(new StaticArray<f64>(2 * 64 * 4)));
    checkHessian(h);
  });

  it('worked by hand, f32', () => {
    const h = new StaticArray<f64>(5 * 6);
    const x = f32s([1, 2, 0, 0, 3, -1, 0, 0, 0, 4, 0, 0]);
    hessianRowsF32(at(x), 4, 3, at(f64s([0.25, 0.25, 0.25])), at(h), 6, at(new StaticArray<f64>(2 * 64 * 4)));
    checkHessian(h);
  });

  it('adds to what is there, over more rows than a panel', () => {
    // 130 rows (1, i): Σ 1 = 130, Σ i = 8385, Σ i² = 723905
    const x = new StaticArray<f64>(130 * 4);
    const c = new StaticArray<f64>(132);
    for (let i = 0; i < 130; i++) {
      x[4 * i] = 1;
      x[4 * i + 1] = <f64>i;
      c[i] = 1;
    }
    const h = new StaticArray<f64>(5 * 6);
    h[0] = 1000;
    h[28] = 2000;
    hessianRowsF64(at(x), 4, 130, at(c), at(h), 6, at(new StaticArray<f64>(2 * 64 * 4)));
    expect(h[0]).toBe(1130);
    expect(h[6]).toBe(8385);
    expect(h[7]).toBe(723905);
    expect(h[24]).toBe(130);
    expect(h[25]).toBe(8385);
    expect(h[28]).toBe(2130);
  });
});
