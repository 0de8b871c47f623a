import { expect, test } from 'vitest';
import { countClasses, countCodes, countPairs, sumOf } from '../../src/encode/tally.ts';

/** n codes below 7, runs of equal ones among them */
const codesOf = (n: number) => Uint8Array.from({ length: n }, (_, i) => ((i >> 2) * 5 + (i % 3 === 0 ? i : 0)) % 7);

test.each([0, 1, 2, 3, 4, 5, 7, 8, 101])('%d codes are counted as one by one, alone and by class', (n) => {
  const codes = codesOf(n);
  const y = Uint8Array.from({ length: n }, (_, i) => Number(i % 5 < 2));
  const counts = new Float64Array(5);
  const pairs = new Float64Array(14);
  codes.forEach((code, i) => {
    if (code < 5) counts[code]++;
    pairs[2 * code + y[i]]++;
  });
  expect(countCodes(codes, 5)).toEqual(counts);
  expect(countCodes(Uint16Array.from(codes), 5)).toEqual(counts);
  expect(countPairs(codes, y, 7)).toEqual(pairs);
  const ones = y.reduce((sum, one) => sum + one, 0);
  expect(countClasses(y, 2)).toEqual(Float64Array.of(n - ones, ones));
  expect(countClasses(y, 3)).toEqual(Float64Array.of(n - ones, ones, 0));
});

test('a sum has all entries, in four sums', () => {
  expect(sumOf(Float64Array.from({ length: 11 }, (_, i) => 2 ** i))).toBe(2 ** 11 - 1);
  // one after the other, the last two would be lost
  expect(sumOf(Float64Array.of(1, 0, 2 ** -53, 2 ** -53))).toBe(1 + 2 ** -52);
  expect(sumOf(new Float64Array())).toBe(0);
});
