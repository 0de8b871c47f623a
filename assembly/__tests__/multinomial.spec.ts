import { multinomialCurvature, multinomialLoss, softmaxF32, softmaxF64 } from '../elementwise';
import { at, f32s, f64s, near } from './memory';

const LN2: f64 = 0.6931471805599453;
const LN3: f64 = 1.0986122886681098;
const LN6: f64 = 1.791759469228055;

function check(actual: StaticArray<f64>, from: i32, expected: f64[]): void {
  for (let i = 0; i < expected.length; i++) {
    expect(near(actual[from + i], expected[i], 2e-15)).toBeTruthy(`entry ${i}: ${actual[from + i]}, expected ${expected[i]}`);
  }
}

/*
 * Three rows of three classes, in planes of four: logits (0, ln 2, ln 3), the same plus 700 (where exp of the logits
 * would overflow when summed over powers), and (0, 0, 0), of classes 0, 2, 1.
 *   p = (1/6, 1/3, 1/2) twice and (1/3, 1/3, 1/3);  losses ln 6, ln 2, ln 3
 */
function logits(): StaticArray<f64> {
  return f64s([0, 700, 0, 1e300, LN2, 700 + LN2, 0, 0, LN3, 700 + LN3, 0, 0]);
}

describe('multinomialLoss', () => {
  it('is log Σ exp(z) − z_y, with p and p − [y = j]', () => {
    const z = logits();
    const p = new StaticArray<f64>(18);
    p[17] = 7;
    const loss = multinomialLoss(at(z), 4, 3, at(f64s([0, 2, 1])), 0, 3, at(p), 6);
    // 700 + ln 2 is rounded to 1.1e-13
    expect(near(loss, LN6 + LN2 + LN3, 2e-13)).toBeTruthy(`loss ${loss}`);
    const third: f64 = 1.0 / 3.0;
    check(z, 0, [-5.0 / 6.0]);
    check(z, 4, [third]);
    check(z, 8, [0.5]);
    check(z, 2, [third]);
    check(z, 6, [third - 1]);
    check(z, 10, [third]);
    expect(near(z[1], 1.0 / 6.0, 2e-13)).toBeTruthy(`${z[1]}`);
    expect(near(z[5], third, 2e-13)).toBeTruthy(`${z[5]}`);
    expect(near(z[9], -0.5, 2e-13)).toBeTruthy(`${z[9]}`);
    check(p, 0, [1.0 / 6.0]);
    check(p, 2, [third]);
    check(p, 6, [third]);
    check(p, 8, [third]);
    check(p, 12, [0.5]);
    check(p, 14, [third]);
    expect(p[17]).toBe(7, 'nothing is written behind a plane');
  });

  it('weighs rows, and leaves out what is not asked for', () => {
    const z = logits();
    const loss = multinomialLoss(at(z), 4, 3, at(f64s([0, 2, 1])), at(f64s([2, 0, 4])), 3, 0, 0);
    expect(near(loss, 2 * LN6 + 4 * LN3, 2e-15)).toBeTruthy(`loss ${loss}`);
    check(z, 0, [-5.0 / 3.0, 0]);
    check(z, 4, [2.0 / 3.0, 0]);
    check(z, 8, [1, 0]);
    check(z, 6, [-8.0 / 3.0]);
  });

  it('holds where exp would overflow or vanish', () => {
    const z = f64s([1e300, -1e300, 800, 0, -1e300, 1e300, -800, 0]);
    const loss = multinomialLoss(at(z), 4, 2, at(f64s([0, 1, 0])), 0, 3, 0, 0);
    expect(loss).toBe(0);
    check(z, 0, [0, 0, 0]);
    check(z, 4, [0, 0, 0]);
    const wrong = f64s([1000, 0, -1000, 0]);
    expect(multinomialLoss(at(wrong), 2, 2, at(f64s([1])), 0, 1, 0, 0)).toBe(2000);
    expect(wrong[0]).toBe(1);
    expect(wrong[2]).toBe(-1);
  });

  it('two classes, the second pinned at 0, are the binomial loss', () => {
    const z = f64s([2, 0, 0, 0]);
    const loss = multinomialLoss(at(z), 2, 2, at(f64s([0])), 0, 1, 0, 0);
    // mpmath, 60 digits: log(1 + exp(−2)) and −1/(1 + exp(2))
    expect(near(loss, 0.12692801104297252, 4e-15)).toBeTruthy(`loss ${loss}`);
    expect(near(z[0], -0.11920292202211756, 4e-15)).toBeTruthy(`residual ${z[0]}`);
  });

  it('a NaN among the logits makes the loss NaN; no rows are no loss', () => {
    expect(multinomialLoss(at(f64s([0, 0, NaN, 0])), 2, 2, at(f64s([0])), 0, 1, 0, 0)).toBeNaN();
    expect(multinomialLoss(at(f64s([0, 0, 0, 0])), 2, 2, at(f64s([0])), 0, 0, 0, 0)).toBe(0);
  });
});

describe('multinomialCurvature', () => {
  it('is s·p·(q − Σ p·q), worked by hand', () => {
    // rows: p = (½, ¼, ¼), q = (4, 8, 0), mean 4;  p = (1, 0, 0), q = (3, 5, 7), mean 3
    const p = f64s([0.5, 1, 99, 99, 0.25, 0, 99, 99, 0.25, 0, 99, 99]);
    const q = f64s([4, 3, 8, 5, 0, 7]);
    multinomialCurvature(at(p), 4, 3, 0, 2, at(q), 2);
    const expected: f64[] = [0, 0, 1, 0, -1, 0];
    for (let i = 0; i < 6; i++) expect(q[i]).toBe(expected[i]);
    const r = f64s([4, 3, 8, 5, 0, 7]);
    multinomialCurvature(at(p), 4, 3, at(f64s([8, 2])), 2, at(r), 2);
    for (let i = 0; i < 6; i++) expect(r[i]).toBe(8 * expected[i]);
  });
});

describe('softmax', () => {
  it('f64: worked by hand, over three rows of planes of four', () => {
    const z = f64s([0, 1e308, -Infinity, 9, LN2, -1e308, 0, 9, LN3, 0, 0, 9]);
    softmaxF64(at(z), 4, 3, 3);
    check(z, 0, [1.0 / 6.0, 1, 0]);
    check(z, 4, [1.0 / 3.0, 0, 0.5]);
    check(z, 8, [0.5, 0, 0.5]);
  });

  it('f32: the f64 result rounded', () => {
    const z = f32s([0, 3e38, -Infinity, 9, <f32>-1.5, -3e38, 0, 9, 2, 0, 0, 9]);
    softmaxF32(at(z), 4, 3, 3);
    // mpmath, 60 digits: exp of (0, −3/2, 2) over their sum
    expect(z[0]).toBe(<f32>0.11611453467414117);
    expect(z[4]).toBe(<f32>0.025908654717401528);
    expect(z[8]).toBe(<f32>0.8579768106084573);
    expect(z[1]).toBe(1);
    expect(z[5]).toBe(0);
    expect(z[2]).toBe(0);
    expect(z[6]).toBe(0.5);
    expect(z[10]).toBe(0.5);
  });

  it('equal logits are equal probabilities, one class is certain, a NaN spreads over its row alone', () => {
    const z = f64s([-5, 800, NaN, 3, -5, 800, 0, 3, -5, 800, 0, 3, -5, 800, 0, 3]);
    softmaxF64(at(z), 4, 4, 4);
    for (let j = 0; j < 4; j++) {
      expect(z[4 * j]).toBe(0.25);
      expect(z[4 * j + 1]).toBe(0.25);
      expect(z[4 * j + 2]).toBeNaN();
      expect(z[4 * j + 3]).toBe(0.25);
    }
    const infinite = f64s([Infinity, -Infinity, 3, -Infinity, Infinity, -Infinity]);
    softmaxF64(at(infinite), 2, 3, 2);
    // row by row: two of three are the greatest; all three are equal
    check(infinite, 0, [0.5, 1.0 / 3]);
    check(infinite, 2, [0, 1.0 / 3]);
    check(infinite, 4, [0.5, 1.0 / 3]);
    const alone = f32s([3, 0, 0, 0, Infinity, 0, 0, 0]);
    softmaxF32(at(alone), 4, 2, 1);
    expect(alone[0]).toBe(0);
    expect(alone[4]).toBe(1);
    const one = f32s([-7, 1e30, 0]);
    softmaxF32(at(one), 4, 1, 3);
    for (let i = 0; i < 3; i++) expect(one[i]).toBe(1);
  });
});
