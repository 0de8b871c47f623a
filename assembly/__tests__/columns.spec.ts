import { hessianColumns, logitsColumnsF32, logitsColumnsF64, transposeColumns } from '../columns';
import { at, codes, f32s, f64s } from './memory';

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

describe('columns: transpose', () => {
  /*
   * r = (−½, ½, −½, ½, ½): the number gives −½·1 + ½·3 − ½·0 + ½·(−2) + ½·½ = ¼; a slot sums the entries of its rows.
   * r' = (1, 2, 4, 8, 16): 1 + 6 + 0 − 16 + 8 = −1; a slot names its rows in binary.
   */
  it('two vectors in one pass, added to what is there', () => {
    const r = f64s([-0.5, 0.5, -0.5, 0.5, 0.5, 99, 1, 2, 4, 8, 16, 99]);
    const g = new StaticArray<f64>(20);
    g[0] = 10;
    g[19] = 7;
    transposeColumns(at(five()), 4, 0, 5, at(r), 6, 2, at(g), 10, 8);
    const expected: f64[] = [10.25, -1, 0.5, 1, 0, 0.5, -0.5, 1, 0.5, 0, -1, 5, 8, 18, 12, 19, 7, 24, 31, 7];
    for (let p = 0; p < 20; p++) expect(g[p]).toBe(expected[p], `entry ${p}`);
  });

  it('starts at a row; entry 0 of r belongs to it', () => {
    const g = new StaticArray<f64>(10);
    transposeColumns(at(five()), 4, 3, 2, at(f64s([2, 4])), 2, 1, at(g), 10, 8);
    const expected: f64[] = [-2, 0, 2, 4, 2, 4, 0, 6, 6];
    for (let p = 0; p < 9; p++) expect(g[p]).toBe(expected[p], `slot ${p}`);
  });

  it('numbers sum even rows, odd rows, then both; a stored f32 is widened', () => {
    const big: f64 = 18014398509481984;
    const ones = f64s([1, 1, 1, 1]);
    const g = f64s([0, 0]);
    transposeColumns(at(table([[at(f64s([big, 1, -big, 1])), 1, 0]])), 1, 0, 4, at(ones), 4, 1, at(g), 2, 1);
    expect(g[0]).toBe(2);
    g[0] = 0;
    transposeColumns(at(table([[at(f64s([big, -big, 1, 1])), 1, 0]])), 1, 0, 4, at(ones), 4, 1, at(g), 2, 1);
    expect(g[0]).toBe(0);
    g[0] = 0;
    transposeColumns(at(table([[at(f32s([0.1])), 0, 0]])), 1, 0, 1, at(ones), 4, 1, at(g), 2, 1);
    expect(g[0]).toBe(<f64>(<f32>0.1));
  });

  it('no rows add nothing', () => {
    const g = f64s([1, 2]);
    transposeColumns(at(table([[at(NUMBER), 1, 0]])), 1, 0, 0, at(f64s([9])), 4, 1, at(g), 2, 1);
    expect(g[0]).toBe(1);
    expect(g[1]).toBe(2);
  });
});

describe('columns: Hessian', () => {
  it('squares and sums of the number, counts and cross-tabulations of the codes', () => {
    const h = new StaticArray<f64>(9 * 10);
    h[0] = 100;
    hessianColumns(at(five()), 4, 0, 5, at(f64s([1, 1, 1, 1, 1])), at(h), 8, 10, at(new StaticArray<f64>(6144)));
    const lower: f64[][] = [
      [114.25],
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
      for (let q = 0; q <= p; q++) expect(h[p * 10 + q]).toBe(lower[p][q], `H[${p}][${q}]`);
    }
  });

  it('weighs each row by its curvature, and starts at a row', () => {
    // rows 1 and 2 of a number (3, 0) and codes (2, 0); a code before the number
    const t = table([[at(NARROW), 2, 0], [at(NUMBER), 1, 3]]);
    const h = new StaticArray<f64>(5 * 6);
    hessianColumns(at(t), 2, 1, 2, at(f64s([9, 2, 4, 9, 9])), at(h), 4, 6, at(new StaticArray<f64>(6144)));
    expect(h[0]).toBe(4);
    expect(h[14]).toBe(2);
    expect(h[18]).toBe(0, 'number × code 0');
    expect(h[20]).toBe(6, 'number × code 2');
    expect(h[21]).toBe(18);
    expect(h[27]).toBe(6, 'Σ c·x');
    expect(h[28]).toBe(6, 'Σ c');
  });
});
