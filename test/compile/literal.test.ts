import { expect, it } from 'vitest';
import { literal, member } from '../../src/compile/literal.ts';
import { findPlaces } from '../../src/compile/places.ts';
import { HOSTILE_NAMES } from './models.ts';

/** What a source is the value of. */
const meaning = async (source: string): Promise<unknown> =>
  (await import(/* @vite-ignore */ `data:text/javascript,export default ${encodeURIComponent(source)}`)).default;

it.each([
  [[0, -0, 1, 1e-323, 5e-324, 1 / 3, -1.7976931348623157e308, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]],
  [HOSTILE_NAMES],
  [{ a: null, b: [true, { c: -0 }], 'd e': 'f' }],
  [JSON.parse('{ "__proto__": { "constructor": 1 } }')],
])('a literal reads back to the same value: %j', async (value) => {
  expect(await meaning(`(${literal(value)})`)).toStrictEqual(value);
});

it('leaves no line separator, nothing that ends a script element, and no field that is undefined', () => {
  expect(literal('\u2028\u2029</script>')).toBe('"\\u2028\\u2029\\u003c/script>"');
  expect(literal({ a: undefined, b: 1 })).toBe('{"b":1}');
});

it('a field is read by its name', async () => {
  const record = Object.fromEntries(HOSTILE_NAMES.map((name, i) => [name, i]));
  for (const [i, name] of HOSTILE_NAMES.entries()) {
    const read = (await meaning(`(record) => ${member('record', name)}`)) as (record: object) => unknown;
    expect(read(record), name).toBe(i);
  }
});

it('labels of a column have places of their own: by a character and the length where that is enough', async () => {
  const digits = Array.from({ length: 12 }, (_, i) => `level ${i}`);
  expect(findPlaces(digits)).toEqual({
    least: 6,
    size: 32,
    source: '(v.charCodeAt(v.length - 1) + 11 * v.length) & 31',
  });
  for (const labels of [digits, ['F', 'M'], ['', 'a'], Array.from({ length: 50 }, (_, i) => `area ${i}`)]) {
    const { least, size, source } = findPlaces(labels)!;
    const place = (await meaning(`(v) => ${source}`)) as (label: string) => number;
    const places = labels.filter((label) => label.length >= least).map(place);
    expect(new Set(places).size).toBe(places.length);
    expect(places.every((one) => one >= 0 && one < size)).toBe(true);
  }
});

it('labels that are too many, and none, have no places', () => {
  expect(findPlaces([])).toBeNull();
  expect(findPlaces([''])).toBeNull();
  expect(findPlaces(Array.from({ length: 2049 }, (_, i) => `${i}`))).toBeNull();
});
