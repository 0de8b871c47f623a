import { expect, test } from 'vitest';
import { murmur3 } from '../../src/encode/hash.ts';
import { hashIndex } from '../../src/online/hash.ts';

/** sklearn.utils.murmurhash3_32(text, seed, positive=True) of scikit-learn 1.9.1 */
const ORACLE: readonly (readonly [string, number, number])[] = [
  ['', 0, 0],
  ['', 1, 1364076727],
  ['a', 0, 1009084850],
  ['ab', 0, 2613040991],
  ['abc', 7, 940791465],
  ['abcd', 7, 1425861819],
  ['abcde', 4294967295, 2303486836],
  ['The quick brown fox jumps over the lazy dog', 2538058380, 799549133],
  ['Zürich – 東京 🚀', 42, 4290247600],
];

test.each(ORACLE)('murmur3(%j, %d)', (text, seed, expected) => {
  expect(murmur3(text, seed)).toBe(expected);
});

test('a category has one column: of its label, its feature and the number of bits', () => {
  expect(hashIndex('page', 2, 18)).toBe(hashIndex('page', '2', 18));
  expect(hashIndex('page', 'a', 18)).toBe(murmur3('a', murmur3('page', 0)) % 2 ** 18);
  expect(hashIndex('page', 'a', 31)).toBe(murmur3('a', murmur3('page', 0)) % 2 ** 31);
  expect(hashIndex('ab', 'c', 30)).not.toBe(hashIndex('a', 'bc', 30));
  expect(hashIndex('page', 'a', 1)).toBeLessThan(2);
});

test('100,000 categories fill 2^18 columns as evenly as chance would: expected distinct m·(1 − (1 − 1/m)^n)', () => {
  const m = 2 ** 18;
  const n = 100_000;
  const distinct = new Set(Array.from({ length: n }, (_, i) => hashIndex('user', i, 18))).size;
  const expected = m * (1 - (1 - 1 / m) ** n);
  // the standard deviation of the count is 109
  expect(Math.abs(distinct - expected)).toBeLessThan(4 * 109);
});

test('bits out of range and what is no category are refused', () => {
  for (const bits of [0, 32, 1.5]) expect(() => hashIndex('page', 'a', bits)).toThrow(/bits: expected/);
  expect(() => hashIndex('page', null, 18)).toThrow(/category: expected/);
});
