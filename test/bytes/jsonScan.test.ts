import { type JsonScan, jsonScan } from 'logodds/bytes';
import { describe, expect, test } from 'vitest';
import { sweep } from '../full.ts';

const scan = jsonScan() as JsonScan;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const split = (text: string, key = 'data') => scan.split(bytesOf(text), key);
const ANY = { depth: 1024, keys: Number.POSITIVE_INFINITY, elements: Number.POSITIVE_INFINITY };

describe('split', () => {
  test.each<[text: string, rest: string, arrays: [values: number[], shape: number[] | null][]]>([
    ['{"data":[1,2.5,-3e2]}', '{"data":[0]}', [[[1, 2.5, -300], [3]]]],
    [
      '{"data" :\n[ [1 ,2], [3,null] ] }',
      '{"data" :\n[0] }',
      [
        [
          [1, 2, 3, Number.NaN],
          [2, 2],
        ],
      ],
    ],
    ['{"data":[]}', '{"data":[0]}', [[[], [0]]]],
    ['{"data":[[],[]]}', '{"data":[0]}', [[[], [2, 0]]]],
    ['{"data":[[1],[2,3]]}', '{"data":[0]}', [[[1, 2, 3], null]]],
    ['{"data":[1,[2]]}', '{"data":[0]}', [[[1, 2], null]]],
    ['{"data":[NaN,-0]}', '{"data":[0]}', [[[Number.NaN, -0], [2]]]],
    ['{"data":["a"],"b":{"data":[7]}}', '{"data":["a"],"b":{"data":[0]}}', [[[7], [1]]]],
    ['{"data":[{"data":[7]}]}', '{"data":[{"data":[0]}]}', [[[7], [1]]]],
    [
      '{"data":[1],"data":[2]}',
      '{"data":[0],"data":[1]}',
      [
        [[1], [1]],
        [[2], [1]],
      ],
    ],
    ['{"x":"\\"data\\":[1]","data":[2]}', '{"x":"\\"data\\":[1]","data":[0]}', [[[2], [1]]]],
    // no JSON, and neither is what is left
    ['{"x":"data":[1]', '{"x":"data":[0]', [[[1], [1]]]],
  ])('%s', (text, rest, arrays) => {
    const found = split(text)!;
    expect(new TextDecoder().decode(found.rest)).toBe(rest);
    expect(found.arrays.map(({ values, shape }) => [[...values], shape])).toEqual(arrays);
    expect(found.arrays.map(({ gaps }) => gaps)).toEqual(arrays.map(([values]) => values.filter(Number.isNaN).length));
  });

  test.each([
    ...[
      '{}',
      '',
      '[1]',
      '{"date":[1]}',
      '{"data":1}',
      '{"data":[1',
      '{"data":[1,]}',
      '{"data":[,1]}',
      '{"data":[1 2]}',
    ],
    ...[
      '{"data":[1}}',
      '{"data":[true]}',
      '{"data":[01]}',
      '{"data":[1.]}',
      '{"data":[+1]}',
      '{"data":[-]}',
      '{"data":[nulL]}',
    ],
    ...['{"data":[1\0]}', '{"d\\u0061ta":[1]}', '{"data":[[[[[[[[[[1]]]]]]]]]]}'],
    // a number that the kernel does not round
    ...['{"data":[1e-400]}', '{"data":[123456789012345678901],"b":{"data":[1]}}'],
  ])('%s has none', (text) => {
    expect(split(text)).toBe(null);
  });

  test('every number has the bits of JSON.parse', () => {
    const bits = new BigUint64Array(1);
    const double = new Float64Array(bits.buffer);
    let state = 0x9e3779b97f4a7c15n;
    const next = () => {
      state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
      return state ^ (state >> 29n);
    };
    const texts = Array.from({ length: sweep(20_000, 1_000_000) }, () => {
      // of 2^-150 to 2^150
      bits[0] = (next() & 0x800fffffffffffffn) | ((873n + (BigInt.asUintN(32, next()) % 300n)) << 52n);
      const [x] = double;
      // String writes 21 digits of these
      if (Math.abs(x) >= 1e18 && Math.abs(x) < 1e21) return x.toExponential();
      return next() % 3n === 0n ? x.toPrecision(1 + Number(BigInt.asUintN(8, next()) % 18n)) : String(x);
    });
    const text = `[${texts}]`;
    const { values } = split(`{"data":${text}}`)!.arrays[0];
    const expected = Float64Array.from(JSON.parse(text) as number[]);
    expect(Buffer.from(values.slice().buffer).equals(Buffer.from(expected.buffer))).toBe(true);
  });

  test('bodies of any length, one behind the other', () => {
    for (const count of [3, 200_000, 1_000_000, 5]) {
      const numbers = Array.from({ length: count }, (_, i) => i / 4);
      const { values } = split(JSON.stringify({ data: numbers }))!.arrays[0];
      expect([values.length, values[count - 1]]).toEqual([count, (count - 1) / 4]);
      expect(values.every((value, i) => value === i / 4)).toBe(true);
    }
  });
});

describe('excess', () => {
  const LIMITS = { depth: 3, keys: 3, elements: 4 };
  test.each([
    ['{"a":1,"b":2,"c":3}', null],
    ['{"a":1,"b":2,"c":3,"d":4}', 'keys'],
    ['[1,2,3,4]', null],
    ['[1,2,3,4,5]', 'elements'],
    ['{"a":[1,2,3,4,5]}', 'elements'],
    ['{"a":{"b":[1,2,3,4,5]}}', null],
    ['[[[]]]', null],
    ['[[[[]]]]', 'depth'],
    ['[1,2,3,4,5,[[[[]]]]]', 'elements'],
    ['[[[[]]],1,2,3,4,5]', 'depth'],
    ['{"a":"{[,,,,,,,\\",,,,"}', null],
    [',,,,,,]]]{', null],
  ])('%s: %s', (text, expected) => {
    expect(scan.excess(bytesOf(text), LIMITS)).toBe(expected);
    // wherever a block begins
    for (let blanks = 1; blanks < 130; blanks++)
      expect(scan.excess(bytesOf(' '.repeat(blanks) + text), LIMITS)).toBe(expected);
  });

  test('of JSON in several parts, with texts and escapes across their ends', () => {
    for (const at of [65_530, 65_534, 65_535, 65_536, 131_071]) {
      const text = `["${'x'.repeat(at - 2)}\\",,,,","\\\\",3,4`;
      expect(scan.excess(bytesOf(`${text}]`), LIMITS)).toBe(null);
      expect(scan.excess(bytesOf(`${text},5]`), LIMITS)).toBe('elements');
    }
  });
});

test('what is no number of a depth, no bytes and no key is refused', () => {
  expect(() => scan.excess(bytesOf('[]'), { ...ANY, depth: 1025 })).toThrow(/depth from 0 to 1024/);
  expect(() => scan.excess('[]' as never, ANY)).toThrow(/expected a Uint8Array/);
  expect(() => split('{}', '')).toThrow(/1 to 100 letters/);
  expect(() => split('{}', 'a"')).toThrow(/1 to 100 letters/);
  expect(() => scan.excess(bytesOf('[]'), null as never)).toThrow(/limits: expected/);
});
