import { describe, expect, it } from 'vitest';
import { valuesAt } from '../../src/math/quantile.ts';
import { random } from './oracles.ts';

const next = random(5);
const uniform = Float64Array.from({ length: 20_000 }, () => next() - 0.5);

describe('valuesAt', () => {
  it.each([
    ['uniform', uniform],
    ['skewed: most in one bucket', uniform.map((value) => value ** 31)],
    ['few values', uniform.map((value) => Math.round(3 * value))],
    ['all equal', new Float64Array(9).fill(0.25)],
    ['one', Float64Array.of(-3)],
  ])('%s: what sorting gives', (_, values) => {
    const sorted = values.slice().sort();
    const last = values.length - 1;
    const places = [last, 0, ...Array.from({ length: 11 }, (_, k) => Math.floor((k * last) / 10)), last, 0];
    expect(valuesAt(values, places)).toEqual(places.map((place) => sorted[place]));
  });
});
