import { describe, expect, test } from 'vitest';
import { readHybrid, readSnappy } from '../../bindings/pages.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { simd } from './kernels.ts';

const random = splitmix32(17);
const below = (n: number): number => Math.floor(n * random());

/** A varint. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left];
    bytes.push(128 + (left % 128));
  }
}

/** Runs of equal values and of packed ones. */
function hybrid(bits: number, runs: number): { bytes: number[]; values: number[] } {
  const bytes: number[] = [];
  const values: number[] = [];
  for (let run = 0; run < runs; run++) {
    if (random() < 0.5) {
      const [value, length] = [below(2 ** bits), 1 + below(300)];
      bytes.push(...varint(2 * length));
      for (let i = 0; i < bits; i += 8) bytes.push(Math.floor(value / 2 ** i) % 256);
      values.push(...Array<number>(length).fill(value));
      continue;
    }
    const groups = 1 + below(40);
    const own = Array.from({ length: 8 * groups }, () => below(2 ** bits));
    bytes.push(...varint(2 * groups + 1));
    const packed = new Uint8Array(groups * bits);
    own.forEach((value, i) => {
      for (let b = 0; b < bits; b++)
        if (Math.floor(value / 2 ** b) % 2) packed[(i * bits + b) >> 3] |= 1 << ((i * bits + b) & 7);
    });
    bytes.push(...packed);
    values.push(...own);
  }
  return { bytes, values };
}

// without SIMD the command leaves Parquet to DuckDB
describe.runIf(simd)('runs and packed bits', () => {
  test.each(Array.from({ length: 24 }, (_, k) => k + 1))('of %i bits', (bits) => {
    for (let round = 0; round < 12; round++) {
      const { bytes, values } = hybrid(bits, 1 + below(6));
      // what is behind the end is none of the values
      const all = Uint8Array.from([7, 7, ...bytes, ...Array<number>(9).fill(255)]);
      const out = new Uint32Array(values.length + 8).fill(99);
      const greatest = readHybrid(all, 2, 2 + bytes.length, bits, out, values.length);
      expect([...out.subarray(0, values.length)]).toEqual(values);
      expect([...out.subarray(values.length)]).toEqual(Array<number>(8).fill(99));
      expect(greatest).toBe(values.reduce((most, one) => Math.max(most, one), 0));
      expect(() => readHybrid(all, 2, 2 + below(bytes.length), bits, out, values.length)).toThrow(RangeError);
      expect(() => readHybrid(all, 2, 2 + bytes.length, bits, out, values.length + 1)).toThrow(RangeError);
    }
  });

  test('of no bits are zeros, and more than 24 are refused', () => {
    const out = new Uint32Array(3).fill(5);
    expect(readHybrid(new Uint8Array(0), 0, 0, 0, out, 3)).toBe(0);
    expect([...out]).toEqual([0, 0, 0]);
    expect(() => readHybrid(new Uint8Array(64), 0, 64, 25, out, 3)).toThrow(RangeError);
  });

  test.each([
    ['a run of none', [0, 1], 4],
    ['a run that is longer than the values', [20, 1], 4],
    ['a value of too many bits', [8, 9], 4],
    ['a length of too many bytes', [128, 128, 128, 128, 128, 1, 1], 4],
    ['a length of 34 bits', [255, 255, 255, 255, 127, 1], 4],
  ])('%s is refused', (_, bytes, count) => {
    expect(() => readHybrid(Uint8Array.from(bytes), 0, bytes.length, 3, new Uint32Array(8), count)).toThrow(RangeError);
  });
});

test.runIf(simd)('Snappy: literals and copies of any length and distance, and changed bytes', () => {
  let read = 0;
  for (let round = 0; round < 300; round++) {
    const expected: number[] = [];
    const ops: number[] = [];
    for (let k = 0; k < 1 + below(60); k++) {
      if (expected.length === 0 || random() < 0.4) {
        const own = Array.from({ length: 1 + below(random() < 0.1 ? 70_000 : 90) }, () => below(256));
        const n = own.length - 1;
        if (n < 60) ops.push(n << 2);
        else if (n < 256) ops.push(60 << 2, n);
        else if (n < 65_536) ops.push(61 << 2, n & 255, n >> 8);
        else ops.push(62 << 2, n & 255, (n >> 8) & 255, n >> 16);
        for (const byte of own) ops.push(byte);
        for (const byte of own) expected.push(byte);
        continue;
      }
      const offset = 1 + below(Math.min(expected.length, random() < 0.5 ? 20 : 60_000));
      const length = random() < 0.5 && offset < 2048 ? 4 + below(8) : 1 + below(64);
      if (length >= 4 && length < 12 && offset < 2048 && random() < 0.5)
        ops.push(1 | ((length - 4) << 2) | ((offset >> 8) << 5), offset & 255);
      else if (offset < 65_536 && random() < 0.7) ops.push(2 | ((length - 1) << 2), offset & 255, offset >> 8);
      else ops.push(3 | ((length - 1) << 2), offset & 255, (offset >> 8) & 255, offset >> 16, 0);
      for (let i = 0; i < length; i++) expected.push(expected[expected.length - offset]);
    }
    const bytes = Uint8Array.from([...varint(expected.length), ...ops]);
    const out = new Uint8Array(expected.length + 40).fill(3);
    readSnappy(bytes, out, expected.length);
    expect(Buffer.compare(out.subarray(0, expected.length), Uint8Array.from(expected))).toBe(0);
    expect(out.subarray(expected.length).every((byte) => byte === 3)).toBe(true);
    const other = bytes.slice();
    other[below(other.length)] ^= 1 << below(8);
    try {
      readSnappy(other, out, expected.length);
      read++;
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
    }
    expect(out.subarray(expected.length).every((byte) => byte === 3)).toBe(true);
  }
  expect(read).toBeGreaterThan(20);
});
