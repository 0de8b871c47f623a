import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entries, split, words } from '../../src/encode/tokens.ts';
import { fixture } from './fixture.ts';

test.each(fixture.words.texts as [string, string[]][])('words of %j are those of CountVectorizer', (text, expected) => {
  expect(words(text)).toEqual(expected);
});

test('the same code points stand in words as in Python, below U+3000', () => {
  const flags: string = fixture.words.inWord;
  const differ: string[] = [];
  let compared = 0;
  for (let point = 0; point < flags.length; point++) {
    const letter = String.fromCodePoint(point);
    // Python's release of Unicode has not all points of ours; lower case may be several points
    if (flags[point] === '-' || letter.toLowerCase() !== letter) continue;
    compared++;
    if (words(`aa${letter}`)[0].length > 2 !== (flags[point] === '1')) differ.push(point.toString(16));
  }
  expect(compared).toBeGreaterThan(9000);
  expect(differ).toEqual([]);
});

test('words are runs of two or more letters, digits or _, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      expect(words(text)).toEqual(text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? []);
    }),
    { numRuns: 500, seed: 1 },
  );
});

test.each([
  ['letters', 'a'.repeat(1e7), 1],
  ['letters beyond ASCII', '東'.repeat(5e6), 1],
  ['letters of two units', '𝒳'.repeat(5e6), 1],
  ['surrogates without partner', '\ud800'.repeat(1e7), 0],
  ['gaps', ' '.repeat(1e7), 0],
])('ten million %s take one pass', (_, text, count) => {
  expect(words(text)).toHaveLength(count);
});

test('a list is split at its separator, trimmed, and without empty entries', () => {
  expect(split(' red, green ,,blue,', ',')).toEqual(['red', 'green', 'blue']);
  expect(split('', '|')).toEqual([]);
  expect(split('a||b', '||')).toEqual(['a', 'b']);
});

test('a cell that is a JSON array of scalars is that list', () => {
  expect(split('["a, b", 2, true, null, " c ", ""]', ',')).toEqual(['a, b', '2', 'true', 'c']);
  expect(split('[]', ',')).toEqual([]);
  // what is no such array is text
  expect(split('[a,b]', ',')).toEqual(['[a', 'b]']);
  expect(split('[["a"],"b"]', ',')).toEqual(['[["a"]', '"b"]']);
  expect(split('[1e999]', ',')).toEqual(['[1e999]']);
  expect(split('['.repeat(1e6), ',')).toEqual(['['.repeat(1e6)]);
});

test('a list with an entry that is no scalar is none', () => {
  expect(entries(['a', 1, ' '])).toEqual(['a', '1']);
  for (const bad of [{}, [], Number.NaN, undefined]) expect(entries(['a', bad])).toBe(null);
});
