import { ftrlColumns, ftrlSparse } from '../ftrl';
import { at, codes, f32s, f64s } from './memory';

/*
 * Worked by hand with α = 1, β = 1: a first row has logit 0, so g = −x/2 for y = 1, √n = |g|, z = g.
 * State of 3 slots: z, √n of each, of the intercept, and of the coordinate that fills the last pair.
 */
const LN2: f64 = 0.6931471805599453;
const ROW_PTR = codes<u32>([0, 3]);
const COL_IDX = codes<u32>([2, 0, 2]);
const Y = f64s([1]);

function learn(values: usize, kind: u32, s: usize, offset: usize, state: StaticArray<f64>): f64 {
  const scratch = new StaticArray<f64>(64);
  return ftrlSparse(
    at(ROW_PTR), at(COL_IDX), values, kind, 1, at(Y), s, offset, at(state), 3, 1, 1, 0, 0, 10, at(scratch),
  );
}

function same(actual: StaticArray<f64>, expected: f64[]): void {
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBe(expected[i], `entry ${i}`);
}

describe('FTRL', () => {
  it('a row of which a column repeats: its values are one, 2 + 4', () => {
    const expected: f64[] = [-0.5, 0.5, 0, 0, -3, 3, -0.5, 0.5, 0, 0];
    const wide = new StaticArray<f64>(12);
    expect(learn(at(f64s([2, 1, 4])), 1, 0, 0, wide)).toBe(10 + LN2);
    same(wide, expected);
    const narrow = new StaticArray<f64>(12);
    learn(at(f32s([2, 1, 4])), 0, 0, 0, narrow);
    same(narrow, expected);
  });

  it('without values every entry is one; a weight scales gradient and loss', () => {
    const state = new StaticArray<f64>(12);
    expect(learn(0, 0, at(f64s([2])), 0, state)).toBe(10 + 2 * LN2);
    same(state, [-1, 1, 0, 0, -2, 2, -1, 1, 0, 0]);
  });

  it('the weight of a coordinate: 0 up to l1, then (|z| − l1)/((β + √n)/α + l2) against the sign of z; never the intercept', () => {
    const state = f64s([-3, 2, 0.5, 1, 5, 1, -6, 2, 0, 0]);
    const rowPtr = codes<u32>([0, 3]);
    const scratch = new StaticArray<f64>(64);
    // w = (−3 + 1)/−((1 + 2)/1 + 1) = 0.5, 0, −4/3 and 6/3: logit 2.5 − 4/3·0.75 = 1.5, offset −1.5
    const loss = ftrlSparse(
      at(rowPtr), at(codes<u32>([0, 1, 2])), at(f64s([1, 9, 0.75])), 1, 1, at(Y), 0, at(f64s([-1.5])), at(state), 3, 1, 1,
      1, 1, 0, at(scratch),
    );
    expect(abs(loss - LN2)).toBeLessThan(1e-15);
    expect(abs(state[3] * state[3] - (1 + 4.5 * 4.5))).toBeLessThan(1e-13);
  });

  it('columns: a number and codes of every width', () => {
    const table = new StaticArray<u32>(16);
    const number = f64s([3]);
    const narrow = codes<u8>([1]);
    const middle = codes<u16>([0]);
    const wide = codes<u32>([1]);
    const columns: usize[][] = [[at(number), 1, 0], [at(narrow), 2, 1], [at(middle), 3, 3], [at(wide), 4, 4]];
    for (let j = 0; j < 4; j++) for (let f = 0; f < 3; f++) table[j * 4 + f] = <u32>columns[j][f];
    const state = new StaticArray<f64>(16);
    const scratch = new StaticArray<f64>(64);
    ftrlColumns(at(table), 4, 1, at(f64s([0])), 0, 0, at(state), 6, 1, 1, 0, 0, 0, at(scratch));
    same(state, [1.5, 1.5, 0, 0, 0.5, 0.5, 0.5, 0.5, 0, 0, 0.5, 0.5, 0.5, 0.5, 0, 0]);
  });
});
