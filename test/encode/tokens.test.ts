import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entries, split, words } from '../../src/encode/tokens.ts';
import { isKnown, withoutYounger } from '../../src/encode/unicode.ts';
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
      const settled = [...text].map((letter) => (isKnown(letter.codePointAt(0)!) ? letter : ' ')).join('');
      expect(words(text)).toEqual(settled.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? []);
    }),
    { numRuns: 500, seed: 1 },
  );
});

test('letters that a runtime may not know are letters on none', () => {
  // U+11F04 is of Unicode 15.0, U+A7CB and its lower case U+0264, U+10D50 of 16.0, U+10940 and U+16EA0 of 17.0
  expect(words('aa\u{11f04} bb\ua7cbcc \u0264\u0264\ua7cb')).toEqual(['aa\u{11f04}', 'bb', 'cc', '\u0264\u0264']);
  expect(words('\u{10d50}\u{10d51} \u{10940}\u{10941} x\u{16ea0}yz')).toEqual(['yz']);
  expect(withoutYounger('\u{10d50}')).toBe('\ufffd');
  for (const text of ['', 'plain', '東京 \u{1f680}', '\ud800 \udc00']) expect(withoutYounger(text)).toBe(text);
});

test('Unicode 15.0 has 149,186 characters beside controls, surrogates and private ones', () => {
  const points = Array.from({ length: 0x110000 }, (_, point) => point).filter(isKnown);
  expect(points.filter((point) => !/[\p{Cc}\p{Cs}\p{Co}]/u.test(String.fromCodePoint(point)))).toHaveLength(149_186);
  // no release takes one away
  expect(points.filter((point) => /\p{Cn}/u.test(String.fromCodePoint(point)))).toEqual([]);
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
