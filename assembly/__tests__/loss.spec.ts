import { binomialLoss } from '../elementwise';
import { at, f64s, near } from './memory';

/*
 * One row of label y at logit z. The points are those of scikit-learn's `_loss/tests/test_loss.py`,
 * test_loss_on_specific_values; that test takes anything below an absolute 1e-15 for zero, so the tiny figures here are
 * mpmath's (60 digits) instead. Relative tolerance 2e-15: each figure is a few roundings away. A zero stands for below
 * 1e-300.
 */
function row(y: f64, z: f64, loss: f64, residual: f64, curvature: f64): void {
  const logits = f64s([z]);
  const r = f64s([9]);
  const c = f64s([9]);
  const sum = binomialLoss(at(logits), at(f64s([y])), 0, 1, at(r), at(c));
  expect(near(sum, loss, 2e-15)).toBeTruthy(`loss at y = ${y}, z = ${z}: ${sum}, expected ${loss}`);
  expect(near(r[0], residual, 2e-15)).toBeTruthy(`residual at y = ${y}, z = ${z}: ${r[0]}, expected ${residual}`);
  expect(near(c[0], curvature, 2e-15)).toBeTruthy(`curvature at y = ${y}, z = ${z}: ${c[0]}, expected ${curvature}`);
}

describe('binomialLoss', () => {
  it('holds the table of extreme values', () => {
    row(0.25, 1.3862943611198906, 1.2628643221541278, 0.55, 0.16);
    row(0, -1e20, 0, 0, 0);
    row(1, -1e20, 1e20, -1, 0);
    row(0, -1e3, 0, 0, 0);
    row(1, -1e3, 1e3, -1, 0);
    row(1, -37.5, 37.5, -1, 5.175555005801868e-17);
    row(1, -37, 37, 1e-16 - 1, 8.533047625744065e-17);
    row(0, -37, 8.533047625744065e-17, 8.533047625744065e-17, 8.533047625744065e-17);
    row(1, -36.9, 36.9, 1e-16 - 1, 9.430476078526806e-17);
    row(0, -36.9, 9.430476078526806e-17, 9.430476078526806e-17, 9.430476078526806e-17);
    row(0, 37, 37, 1 - 1e-16, 8.533047625744065e-17);
    row(1, 37, 8.533047625744066e-17, -8.533047625744066e-17, 8.533047625744065e-17);
    row(0, 37.5, 37.5, 1, 5.175555005801869e-17);
    row(0, 232.8, 232.8, 1, 7.874892118601447e-102);
    row(1, 1e20, 0, 0, 0);
    row(0, 1e20, 1e20, 1, 0);
    row(1, 232.8, 7.874892118601447e-102, -7.874892118601447e-102, 7.874892118601447e-102);
    row(1, 232.9, 7.125497051907101e-102, -7.125497051907101e-102, 7.125497051907101e-102);
    row(1, 1e3, 0, 0, 0);
    row(0, 1e3, 1e3, 1, 0);
  });

  it('keeps relative accuracy in the tails', () => {
    // mpmath, 60 digits: softplus, sigmoid, p(1 − p)
    row(0, -100, 3.720075976020836e-44, 3.720075976020836e-44, 3.720075976020836e-44);
    row(0, -20, 2.0611536203143807e-9, 2.0611536181902036e-9, 2.0611536139418493e-9);
    row(0, -1, 0.31326168751822283, 0.26894142136999512, 0.19661193324148185);
    row(0, 1, 1.3132616875182228, 0.73105857863000488, 0.19661193324148185);
    row(0, 18, 18.00000001522998, 0.99999998477002049, 1.5229979280808073e-8);
    row(0, 33.3, 33.300000000000001, 0.99999999999999655, 3.4513877443741925e-15);
  });

  it('is ln 2 with residual ½ − y and curvature ¼ at a logit of zero', () => {
    row(0, 0, 0.6931471805599453, 0.5, 0.25);
    row(1, 0, 0.6931471805599453, -0.5, 0.25);
    row(0.25, 0, 0.6931471805599453, 0.25, 0.25);
  });

  it('weighs rows, and a row of weight zero is none', () => {
    const z = f64s([0, 0, 0]);
    const r = f64s([9, 9, 9]);
    const c = f64s([9, 9, 9]);
    const sum = binomialLoss(at(z), at(f64s([1, 0, 1])), at(f64s([2, 0, 4])), 3, at(r), at(c));
    expect(near(sum, 6 * 0.6931471805599453, 2e-15)).toBeTruthy();
    expect(r[0]).toBe(-1);
    expect(r[1]).toBe(0);
    expect(r[2]).toBe(-2);
    expect(c[0]).toBe(0.5);
    expect(c[1]).toBe(0);
    expect(c[2]).toBe(1);
  });

  it('leaves out what stands behind the last row, and what is not asked for', () => {
    const z = f64s([0, 0, 0, 1e300]);
    expect(near(binomialLoss(at(z), at(f64s([1, 1, 1, 0])), 0, 3, 0, 0), 3 * 0.6931471805599453, 2e-15)).toBeTruthy();
    expect(binomialLoss(at(z), at(f64s([0])), 0, 0, 0, 0)).toBe(0);
    expect(z[0]).toBe(0);
  });

  it('is NaN for a logit that is NaN', () => {
    expect(binomialLoss(at(f64s([NaN])), at(f64s([1])), 0, 1, 0, 0)).toBeNaN();
  });
});
