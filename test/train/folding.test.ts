import { expect, test } from 'vitest';
import { loadModel, saveModel } from '../../src/index.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import { numeric, random, table } from './oracles.ts';

const next = random(3);
const rows = 120;
const noise = Array.from({ length: rows }, () => 2 * next() - 1);
const other = Array.from({ length: rows }, () => 2 * next() - 1);
const y = noise.map((value, i) => Number(next() < 1 / (1 + Math.exp(-3 * value + other[i]))));

/**
 * A column far from 0: multiples of 2^-20, so that the shift rounds nothing, and the fit is that of the column about 0.
 * What differs is rounding alone: of the fit's last step (tol 1e-12), and of folding, which a fit bounds by 1e-6 of the greatest parameter.
 */
const options = { target: 'y', lambda: 0.01, tol: 1e-12 } as const;
const near = noise.map((value) => Math.round(value * 2 ** 20) / 2 ** 20);
const train = (x: readonly number[]) =>
  fitTable(table(numeric('x', x), numeric('z', other), numeric('y', y)), options).model;

test.each([0, 1, 3, 6, 8, 9])('a saved model gives the logits of its fit: a column with a mean of 10^%i', (power) => {
  const far = near.map((value) => value + 10 ** power);
  expect(far.map((value) => value - 10 ** power)).toEqual(near);
  const wanted = train(near);
  const model = loadModel(saveModel(train(far)));
  near.forEach((x, i) => {
    const { logit } = model.score({ x: far[i], z: other[i] });
    const error = Math.abs(logit - wanted.score({ x, z: other[i] }).logit);
    expect(error).toBeLessThan(2e-6 * Math.abs(wanted.weights[0]));
  });
});

test.each([10, 11, 12, 13])(
  'where rounding would be more, the fit is refused by the name of the column: 10^%i',
  (power) => {
    expect(() => train(near.map((value) => value + 10 ** power))).toThrow(
      'column "x": expected values whose differences are not lost to rounding next to their mean',
    );
  },
);
