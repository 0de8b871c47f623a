import { hessianSparse, logitsSparseF32, logitsSparseF64, logitsSparseWide, transposeSparse } from '../sparse';
import { at, codes, f32s, f64s } from './memory';

/*
 * Four rows of four columns: a row, an empty one, one with a column twice, and one of five entries (whole vectors and
 * one entry left over, a column twice and out of order).
 *
 *                         values      as a dense row    ones, as a dense row
 *   row 0   columns 0 2        2 3         2 0 3 0           1 0 1 0
 *   row 1   —                              0 0 0 0           0 0 0 0
 *   row 2   columns 1 1 3      1 4 −1      0 5 0 −1          0 2 0 1
 *   row 3   columns 3 0 1 2 3  1 2 3 4 5   2 3 4 6           1 1 1 2
 */
const ROW_PTR = codes<u32>([0, 2, 2, 5, 10]);
const COL_IDX = codes<u32>([0, 2, 1, 1, 3, 3, 0, 1, 2, 3]);
const NARROW = f32s([2, 3, 1, 4, -1, 1, 2, 3, 4, 5]);
const WIDE = f64s([2, 3, 1, 4, -1, 1, 2, 3, 4, 5]);

/** w = (1, 10, 100, 1000) and b = ½, then w = (1, 1, 1, 1) and b = −1, in planes of eight; 7 where nothing is written */
const WITH_VALUES: f64[] = [302.5, 0.5, -949.5, 6432.5, 7, 7, 7, 7, 4, -1, 3, 14, 7, 7, 7, 7];
const WITH_ONES: f64[] = [101.5, 0.5, 1020.5, 2111.5, 7, 7, 7, 7, 1, -1, 2, 4, 7, 7, 7, 7];
const W: f64[] = [1, 10, 100, 1000, 1, 1, 1, 1];

function same(actual: StaticArray<f64>, expected: f64[]): void {
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBe(expected[i], `entry ${i}`);
}

function sevens(): StaticArray<f64> {
  const out = new StaticArray<f64>(16);
  for (let i = 0; i < 16; i++) out[i] = 7;
  return out;
}

describe('sparse: logits', () => {
  it('two weight vectors, f64 values or ones', () => {
    const z = sevens();
    logitsSparseF64(at(ROW_PTR), at(COL_IDX), at(WIDE), 4, at(f64s(W)), 4, at(f64s([0.5, -1])), 2, at(z), 8);
    same(z, WITH_VALUES);
    const ones = sevens();
    logitsSparseF64(at(ROW_PTR), at(COL_IDX), 0, 4, at(f64s(W)), 4, at(f64s([0.5, -1])), 2, at(ones), 8);
    same(ones, WITH_ONES);
  });

  it('two weight vectors, f32 values, f64 sums', () => {
    const z = sevens();
    logitsSparseWide(at(ROW_PTR), at(COL_IDX), at(NARROW), 4, at(f64s(W)), 4, at(f64s([0.5, -1])), 2, at(z), 8);
    same(z, WITH_VALUES);
    const ones = sevens();
    logitsSparseWide(at(ROW_PTR), at(COL_IDX), 0, 4, at(f64s(W)), 4, at(f64s([0.5, -1])), 2, at(ones), 8);
    same(ones, WITH_ONES);
  });

  it('two weight vectors, f32', () => {
    const w = f32s([1, 10, 100, 1000, 1, 1, 1, 1]);
    const b = f32s([0.5, -1]);
    const z = f32s([7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]);
    logitsSparseF32(at(ROW_PTR), at(COL_IDX), at(NARROW), 4, at(w), 4, at(b), 2, at(z), 8);
    for (let i = 0; i < 16; i++) expect(z[i]).toBe(<f32>WITH_VALUES[i], `entry ${i}`);
    const ones = f32s([7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]);
    logitsSparseF32(at(ROW_PTR), at(COL_IDX), 0, 4, at(w), 4, at(b), 2, at(ones), 8);
    for (let i = 0; i < 16; i++) expect(ones[i]).toBe(<f32>WITH_ONES[i], `entry ${i}`);
  });

  it('starts at any row: rowPtr need not begin with 0', () => {
    const z = sevens();
    logitsSparseF64(at(ROW_PTR) + 8, at(COL_IDX), at(WIDE), 2, at(f64s(W)), 4, at(f64s([0.5])), 1, at(z), 8);
    same(z, [-949.5, 6432.5, 7]);
  });

  it('a stored f32 is widened, f64 sums keep their 53 bits', () => {
    const z = f64s([9]);
    const w = f64s([1.0000000001]);
    logitsSparseWide(at(codes<u32>([0, 1])), at(codes<u32>([0])), at(f32s([0.1])), 1, at(w), 1, at(f64s([0])), 1, at(z), 4);
    expect(z[0]).toBe(<f64>(<f32>0.1) * 1.0000000001);
  });

  it('sums lane by lane, folded, then the entries left over, then b', () => {
    const rowPtr = codes<u32>([0, 4]);
    const colIdx = codes<u32>([0, 1, 2, 3]);
    const big: f64 = 18014398509481984;
    const z = f64s([9]);
    logitsSparseF64(at(rowPtr), at(colIdx), 0, 1, at(f64s([big, 1, -big, 1])), 4, at(f64s([0])), 1, at(z), 4);
    expect(z[0]).toBe(2);
    logitsSparseF64(at(rowPtr), at(colIdx), 0, 1, at(f64s([big, -big, 1, 1])), 4, at(f64s([0])), 1, at(z), 4);
    expect(z[0]).toBe(0);
    // in f32 2²⁵ + 1 = 2²⁵; five entries: (l0 + l1) + (l2 + l3), then the fifth
    const five = codes<u32>([0, 5]);
    const columns = codes<u32>([0, 1, 2, 3, 4]);
    const f = f32s([9]);
    logitsSparseF32(at(five), at(columns), 0, 1, at(f32s([33554432, -33554432, 1, 1, 5])), 5, at(f32s([0])), 1, at(f), 4);
    expect(f[0]).toBe(7);
    logitsSparseF32(at(five), at(columns), 0, 1, at(f32s([33554432, 0, 0, 0, -33554432])), 5, at(f32s([1])), 1, at(f), 4);
    expect(f[0]).toBe(1);
  });
});

/*
 * r = (1, 2, 4, 8), r' = (−1, 0, ½, 0):
 *   values  (2 + 16, 20 + 24, 3 + 32, −4 + 48), Σ 15     (−2, 2½, −3, −½), Σ −½
 *   ones    (1 + 8, 8 + 8, 1 + 8, 4 + 16), Σ 15          (−1, 1, −1, ½), Σ −½
 */
const R = f64s([1, 2, 4, 8, 99, 99, -1, 0, 0.5, 0, 99, 99]);

describe('sparse: transpose', () => {
  it('two vectors in one pass, added to what is there', () => {
    const expected: f64[] = [118, 44, 35, 44, 15, 7, -2, 2.5, -3, -0.5, -0.5, 7];
    const g = f64s([100, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 7]);
    transposeSparse(at(ROW_PTR), at(COL_IDX), at(WIDE), 1, 4, at(R), 6, 2, at(g), 6, 4);
    same(g, expected);
    const narrow = f64s([100, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 7]);
    transposeSparse(at(ROW_PTR), at(COL_IDX), at(NARROW), 0, 4, at(R), 6, 2, at(narrow), 6, 4);
    same(narrow, expected);
  });

  it('without values every entry is one', () => {
    const g = f64s([100, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 7]);
    transposeSparse(at(ROW_PTR), at(COL_IDX), 0, 1, 4, at(R), 6, 2, at(g), 6, 4);
    same(g, [109, 16, 9, 20, 15, 7, -1, 1, -1, 0.5, -0.5, 7]);
  });

  it('starts at any row; entry 0 of r belongs to it', () => {
    const g = f64s([0, 0, 0, 0, 0]);
    transposeSparse(at(ROW_PTR) + 12, at(COL_IDX), at(WIDE), 1, 1, at(R), 6, 1, at(g), 6, 4);
    same(g, [2, 3, 4, 6, 1]);
  });
});

/* c = (1, 2, 4, 8): Σ c·x·xᵀ of the dense rows above, with a one for the intercept */
function checkHessian(values: usize, kind: u32, lower: f64[][]): void {
  const h = new StaticArray<f64>(5 * 6);
  h[0] = 100;
  h[1] = 7;
  hessianSparse(at(ROW_PTR), at(COL_IDX), values, kind, 4, at(f64s([1, 2, 4, 8])), at(h), 4, 6);
  for (let p = 0; p < 5; p++) {
    for (let q = 0; q <= p; q++) expect(h[p * 6 + q]).toBe(lower[p][q], `H[${p}][${q}]`);
  }
  expect(h[1]).toBe(7, 'nothing is written above the diagonal');
}

describe('sparse: Hessian', () => {
  it('with values', () => {
    const lower: f64[][] = [
      [136],
      [48, 172],
      [70, 96, 137],
      [96, 124, 192, 292],
      [18, 44, 35, 44, 15],
    ];
    checkHessian(at(WIDE), 1, lower);
    checkHessian(at(NARROW), 0, lower);
  });

  it('without values', () => {
    checkHessian(0, 0, [
      [109],
      [8, 24],
      [9, 8, 9],
      [16, 24, 16, 36],
      [9, 16, 9, 20, 15],
    ]);
  });
});
