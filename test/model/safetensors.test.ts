import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../../src/model/safetensors.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const tensor = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
  .chain((shape) =>
    fc
      .array(finite, { minLength: size(shape), maxLength: size(shape) })
      .map((values): Tensor => ({ shape, values: Float64Array.from(values) })),
  );
const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
const name = fc.string({ minLength: 1 }).filter((text) => !['__metadata__', '__proto__'].includes(text));

test('a round trip is the identity, whatever the names, shapes and values', () => {
  fc.assert(
    fc.property(fc.dictionary(name, fc.string()), fc.dictionary(name, tensor), (metadata, tensors) => {
      const file = encodeSafetensors(metadata, tensors);
      const back = decodeSafetensors(file);
      expect(back.metadata).toEqual({ ...metadata });
      const read = [...back.tensors()].map(([key, { shape, read }]) => [key, { shape, values: read() }]);
      expect(Object.fromEntries(read)).toEqual({ ...tensors });
    }),
  );
});

test('the layout of the format: length, padded header, data from a multiple of 8, little-endian', () => {
  const file = encodeSafetensors({ a: 'b' }, { t: { shape: [2], values: Float64Array.of(1, -2) } });
  const header = '{"__metadata__":{"a":"b"},"t":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}';
  const padded = Math.ceil(header.length / 8) * 8;
  expect([...file.subarray(0, 8)]).toEqual([padded, 0, 0, 0, 0, 0, 0, 0]);
  expect(new TextDecoder().decode(file.subarray(8, 8 + padded))).toBe(header.padEnd(padded, ' '));
  expect([...file.subarray(8 + padded)]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0]);
});

test('a file at an odd address of a larger buffer reads the same', () => {
  const file = encodeSafetensors({}, { t: { shape: [1], values: Float64Array.of(0.1) } });
  const inside = new Uint8Array(file.length + 16);
  inside.set(file, 3);
  const found = decodeSafetensors(inside.subarray(3, 3 + file.length)).tensors();
  expect(found.get('t')!.read()).toEqual(Float64Array.of(0.1));
});

describe('what is not a valid file is refused before anything is read', () => {
  const build = (header: unknown, data: number, length?: number): Uint8Array => {
    const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
    const file = new Uint8Array(8 + json.length + data);
    new DataView(file.buffer).setBigUint64(0, BigInt(length ?? json.length), true);
    file.set(json, 8);
    return file;
  };
  const entry = (changes: object) => ({
    __metadata__: {},
    t: { dtype: 'F64', shape: [2], data_offsets: [0, 16], ...changes },
  });

  test.each([
    ['no bytes', new Uint8Array(0), 'header'],
    ['seven bytes', new Uint8Array(7), 'header'],
    ['a header beyond the file', build({}, 0, 3), 'header'],
    ['a header length of 2^63', build({}, 0, 2 ** 63), 'header'],
    ['a header that is not JSON', build('{"a"', 0), 'header'],
    [
      'a header that is not UTF-8',
      build({ __metadata__: { a: '?' } }, 0).map((byte) => (byte === 0x3f ? 0xff : byte)),
      'header',
    ],
    ['a header that is no object', build('17', 0), 'header'],
    ['no metadata', build({}, 0), 'header'],
    ['an entry that is no object', build({ __metadata__: {}, t: 1 }, 0), 'header'],
    ['another type', build(entry({ dtype: 'F32' }), 16), 'tensor "t"'],
    ['a shape of another size', build(entry({ shape: [3] }), 16), 'tensor "t"'],
    ['a negative shape', build(entry({ shape: [-1, -2] }), 16), 'tensor "t"'],
    ['a shape that is no array', build(entry({ shape: 2 }), 16), 'tensor "t"'],
    ['a shape that is enormous', build(entry({ shape: [1e200, 1e200] }), 16), 'tensor "t"'],
    ['offsets that leave a hole', build(entry({ data_offsets: [8, 24] }), 24), 'tensor "t"'],
    ['no offsets', build(entry({ data_offsets: null }), 16), 'tensor "t"'],
    ['a byte too many', build(entry({}), 17), 'length'],
    ['a byte too few', build(entry({}), 15), 'length'],
  ])('%s', (_, file, what) => {
    expect(() => decodeSafetensors(file).tensors()).toThrow(
      expect.objectContaining({
        code: 'ERR_FORMAT',
        message: expect.stringContaining(`expected a valid ${what} of a safetensors file`),
      }),
    );
  });

  test('a number that is not finite', () => {
    const file = encodeSafetensors({}, { t: { shape: [2], values: Float64Array.of(1, Number.NaN) } });
    expect(() => decodeSafetensors(file).tensors().get('t')!.read()).toThrow(
      expect.objectContaining({ code: 'ERR_FORMAT', message: expect.stringContaining('tensor "t", number 1') }),
    );
  });
});
