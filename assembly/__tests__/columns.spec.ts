import { hessianColumns, logitsColumnsF32, logitsColumnsF64, lossGradientColumns } from '../columns';
import { at, codes, f32s, f64s, near } from './memory';

const LN2: f64 = 0.6931471805599453;

/** four u32 a column: address, kind (0 f32, 1 f64, 2 u8, 3 u16, 4 u32), first slot, reserved */
function table(columns: usize[][]): StaticArray<u32> {
  const out = new StaticArray<u32>(columns.length * 4);
  for (let j = 0; j < columns.length; j++) {
    for (let f = 0; f < 3; f++) out[j * 4 + f] = <u32>columns[j][f];
  }
  return out;
}

/*
 * Five rows: a number and three coded columns of 3, 2 and 2 slots, one of each width; slots 0 | 1 2 3 | 4 5 | 6 7.
 */
const NUMBER = f64s([1, 3, 0, -2, 0.5]);
const NARROW = codes<u8>([0, 2, 0, 1, 2]);
const MIDDLE = codes<u16>([1, 1, 0, 0, 1]);
const WIDE = codes<u32>([0, 0, 0, 1, 1]);

function five(): StaticArray<u32> {
  return table([[at(NUMBER), 1, 0], [at(NARROW), 2, 1], [at(MIDDLE), 3, 4], [at(WIDE), 4, 6]]);
}

describe('columns: logits', () => {
  it('numbers times weight, codes pick a weight, f64', () => {
    const w = f64s([2, 10, 20, 30, 100, 200, 1000, 2000]);
    const z = f64s([9, 9, 9, 9, 9]);
    logitsColumnsF64(at(five()), 4, 0, 5, at(w), 8, at(f64s([0.5])), 1, at(z), 8);
    expect(z[0]).toBe(0.5 + 2 + 10 + 200 + 1000);
    expect(z[1]).toBe(0.5 + 6 + 30 + 200 + 1000);
    expect(z[2]).toBe(0.5 + 0 + 10 + 100 + 1000);
    expect(z[3]).toBe(0.5 - 4 + 20 + 100 + 2000);
    expect(z[4]).toBe(0.5 + 1 + 30 + 200 + 2000);
  });

  it('the same in f32, two weight vectors, from row 2 on', () => {
    const number = f32s([1, 3, 0, -2, 0.5]);
    const t = table([[at(number), 0, 0], [at(NARROW), 2, 1], [at(MIDDLE), 3, 4], [at(WIDE), 4, 6]]);
    const w = f32s([2, 10, 20, 30, 100, 200, 1000, 2000, 1, 0, 0, 0, 0, 0, 0, 0]);
    const z = f32s([9, 9, 9, 9, 9, 9, 9, 9]);
    logitsColumnsF32(at(t), 4, 2, 3, at(w), 8, at(f32s([0.5, -1])), 2, at(z), 4);
    expect(z[0]).toBe(1110.5);
    expect(z[1]).toBe(2116.5);
    expect(z[2]).toBe(2231.5);
    expect(z[4]).toBe(-1);
    expect(z[5]).toBe(-3);
    expect(z[6]).toBe(-0.5);
  });

  it('a stored f32 is widened for f64 sums', () => {
    const number = f32s([0.1]);
    const z = f64s([9]);
    logitsColumnsF64(at(table([[at(number), 0, 0]])), 1, 0, 1, at(f64s([1])), 1, at(f64s([0])), 1, at(z), 4);
    expect(z[0]).toBe(<f64>(<f32>0.1));
  });

  it('no columns give the intercept', () => {
    const z = f64s([9, 9, 9]);
    logitsColumnsF64(at(f64s([])), 0, 0, 3, at(f64s([])), 0, at(f64s([2])), 1, at(z), 4);
    for (let i = 0; i < 3; i++) expect(z[i]).toBe(2);
  });
});

describe('columns: loss, gradient, Hessian', () => {
  /*
   * w = 0: residuals ½ − y = (−½, ½, −½, ½, ½) for labels 1 0 1 0 0.
   * g[0] = −½·1 + ½·3 − ½·0 + ½·(−2) + ½·½ = 0.25; each other slot sums the residuals of its rows.
   */
  it('worked by hand', () => {
    const t = five();
    const w = new StaticArray<f64>(10);
    const g = new StaticArray<f64>(10);
    const c = f64s([9, 9, 9, 9, 9]);
    const scratch = new StaticArray<f64>(6144);
    const y = f64s([1, 0, 1, 0, 0]);
    const loss = lossGradientColumns(at(t), 4, 0, 5, at(w), 8, 0, at(y), 0, at(g), at(c), at(scratch));
    expect(near(loss, 5 * LN2, 1e-15)).toBeTruthy(`loss ${loss}`);
    const gradient: f64[] = [0.25, -1, 0.5, 1, 0, 0.5, -0.5, 1, 0.5];
    for (let p = 0; p < 9; p++) expect(g[p]).toBe(gradient[p], `slot ${p}`);
    for (let i = 0; i < 5; i++) expect(c[i]).toBe(0.25);

    // 4·H is XᵀX: squares and sums of the number, counts and cross-tabulations of the codes
    const h = new StaticArray<f64>(9 * 10);
    hessianColumns(at(t), 4, 0, 5, at(c), at(h), 8, 10, at(scratch));
    const lower: f64[][] = [
      [14.25],
      [1, 2],
      [-2, 0, 1],
      [3.5, 0, 0, 2],
      [-2, 1, 1, 0, 2],
      [4.5, 1, 0, 2, 0, 3],
      [4, 2, 0, 1, 1, 2, 3],
      [-1.5, 0, 1, 1, 1, 1, 0, 2],
      [2.5, 2, 1, 2, 2, 3, 3, 2, 5],
    ];
    for (let p = 0; p < 9; p++) {
      for (let q = 0; q <= p; q++) expect(4 * h[p * 10 + q]).toBe(lower[p][q], `H[${p}][${q}]`);
    }
  });

  it('adds to what is there, adds the offset, weighs the rows, starts at a row', () => {
    // row 2 alone: z = 5·0 + 0 (slot 1) + … + 3 − 3 = 0, label 1, weight 8
    const t = table([[at(NUMBER), 1, 0], [at(NARROW), 2, 1]]);
    const g = f64s([10, 20, 30, 40, 50]);
    const c = f64s([9, 9, 9, 9]);
    const scratch = new StaticArray<f64>(6144);
    const loss = lossGradientColumns(
      at(t), 2, 2, 1, at(f64s([5, 0, 7, 7, 3])), 4, at(f64s([0, 0, -3])), at(f64s([0, 0, 1])), at(f64s([0, 0, 8])),
      at(g), at(c), at(scratch),
    );
    expect(near(loss, 8 * LN2, 1e-15)).toBeTruthy(`loss ${loss}`);
    expect(g[0]).toBe(10);
    expect(g[1]).toBe(16);
    expect(g[2]).toBe(30);
    expect(g[4]).toBe(46);
    expect(c[0]).toBe(9, 'rows before the first keep their curvature');
    expect(c[2]).toBe(2);
  });

  it('no rows are no loss', () => {
    const g = f64s([1, 2]);
    const scratch = new StaticArray<f64>(6144);
    const t = table([[at(NUMBER), 1, 0]]);
    expect(lossGradientColumns(at(t), 1, 0, 0, at(f64s([1, 1])), 1, 0, at(scratch), 0, at(g), 0, at(scratch))).toBe(0);
    expect(g[0]).toBe(1);
    expect(g[1]).toBe(2);
  });
});
