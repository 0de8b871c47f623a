import { describe, expect, test } from 'vitest';
import { sortLabels } from '../../src/encode/infer.ts';
import { canonicalLabel } from '../../src/encode/label.ts';
import { list, show } from '../../src/messages.ts';

describe('canonicalLabel', () => {
  test.each([
    [2, '2'],
    [-0, '0'],
    [2.5, '2.5'],
    [1e21, '1e+21'],
    [12345678901234567890n, '12345678901234567890'],
    [true, 'true'],
    ['', ''],
    [' A ', ' A '],
  ])('%s is the category "%s"', (value, label) => {
    expect(canonicalLabel(value)).toBe(label);
  });

  test.each([
    [Number.NaN, 'category: expected a string, finite number or boolean, got NaN'],
    [Number.POSITIVE_INFINITY, 'category: expected a string, finite number or boolean, got Infinity'],
    [null, 'category: expected a string, finite number or boolean, got nothing'],
    [{}, 'category: expected a string, finite number or boolean, got a value of type object'],
    [Symbol('s'), 'category: expected a string, finite number or boolean, got a value of type symbol'],
  ])('refuses %s', (value, message) => {
    expect(() => canonicalLabel(value)).toThrow(expect.objectContaining({ code: 'ERR_RECORD', message }));
  });
});

test('error messages quote and shorten what they got', () => {
  expect(show('x'.repeat(50))).toBe(`"${'x'.repeat(40)}…"`);
  expect(show(undefined)).toBe('nothing');
  expect(list(Array.from({ length: 12 }, (_, i) => `c${i}`))).toMatch(/^"c0", .*, "c9" and 2 more$/);
});

describe('sortLabels', () => {
  test('sorts by value when all labels are numbers', () => {
    expect(sortLabels(['10', '9', '-1', '2.5', '1e1'])).toEqual(['-1', '2.5', '9', '10', '1e1']);
  });

  test('sorts by code point otherwise, not by UTF-16 unit and not by language', () => {
    expect(sortLabels(['b', '10', 'a', 'B', '9', ''])).toEqual(['', '10', '9', 'B', 'a', 'b']);
    expect(sortLabels(['\u{1F600}', '\uFB01', 'é', 'z', 'zz'])).toEqual(['z', 'zz', 'é', '\uFB01', '\u{1F600}']);
  });
});
