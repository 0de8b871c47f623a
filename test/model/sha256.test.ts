import { createHash } from 'node:crypto';
import { sha256 as noble } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { sha256, sha256InJavaScript } from '../../src/model/sha256.ts';

test.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
])('FIPS 180-4 example "%s"', (text, digest) => {
  const message = new TextEncoder().encode(text);
  expect(sha256(message)).toBe(digest);
  expect(sha256InJavaScript(message)).toBe(digest);
});

test('every length up to three blocks, as Node and noble-hashes have it', () => {
  const bytes = Uint8Array.from({ length: 192 }, (_, i) => i * 37);
  for (let length = 0; length <= bytes.length; length++) {
    const message = bytes.subarray(0, length);
    const digest = sha256InJavaScript(message);
    expect(digest).toBe(createHash('sha256').update(message).digest('hex'));
    expect(digest).toBe(bytesToHex(noble(message)));
  }
});

test('any bytes, as Node has it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (message) => {
      expect(sha256InJavaScript(message)).toBe(createHash('sha256').update(message).digest('hex'));
    }),
  );
});

test('a host without a digest that answers at once gets the one in JavaScript', () => {
  const message = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);
  const byHost = sha256(message);
  for (const process of [undefined, {}, { getBuiltinModule: () => undefined }, { getBuiltinModule: () => ({}) }]) {
    vi.stubGlobal('process', process);
    const without = sha256(message);
    vi.unstubAllGlobals();
    expect(without).toBe(byHost);
  }
});

test('no constant lies so near an integer that the rounding of a root could change it', () => {
  /** ⌊ⁿ√x⌋ */
  const root = (x: bigint, n: bigint): bigint => {
    let low = 0n;
    for (let high = x; low < high; ) {
      const middle = (low + high + 1n) / 2n;
      if (middle ** n <= x) low = middle;
      else high = middle - 1n;
    }
    return low;
  };
  const isPrime = (x: bigint): boolean => {
    for (let divisor = 2n; divisor < x; divisor++) if (x % divisor === 0n) return false;
    return true;
  };
  const primes = Array.from({ length: 310 }, (_, i) => BigInt(i + 2)).filter(isPrime);
  expect(primes).toHaveLength(64);
  // with 20 bits more than the constants have
  const rests = [
    ...primes.slice(0, 8).map((prime) => root(prime << 104n, 2n)),
    ...primes.map((prime) => root(prime << 156n, 3n)),
  ].map((scaled) => Number(scaled % 2n ** 20n) / 2 ** 20);
  expect(Math.min(...rests.flatMap((rest) => [rest, 1 - rest]))).toBeGreaterThan(1 / 200);
});
