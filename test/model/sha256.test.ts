import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { sha256 as noble } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { digest } from '../../src/model/digest.ts';
import { digest as byKernel } from '../../src/model/kernelDigest.ts';
import { sha256, sha256InJavaScript } from '../../src/model/sha256.ts';
import { loadModel } from '../../src/scoreServer.ts';

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
  expect(byKernel(message)).toBe(digest);
});

test('every length up to three blocks, as Node and noble-hashes have it', () => {
  const bytes = Uint8Array.from({ length: 192 }, (_, i) => i * 37);
  for (let length = 0; length <= bytes.length; length++) {
    const message = bytes.subarray(0, length);
    const digest = sha256InJavaScript(message);
    expect(digest).toBe(createHash('sha256').update(message).digest('hex'));
    expect(digest).toBe(bytesToHex(noble(message)));
    expect(byKernel(message)).toBe(digest);
  }
});

test('any bytes, as Node has it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (message) => {
      const digest = createHash('sha256').update(message).digest('hex');
      expect(sha256InJavaScript(message)).toBe(digest);
      expect(byKernel(message)).toBe(digest);
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

test('the kernel takes a message in parts, and lengths around their ends are as Node has them', () => {
  const bytes = Uint8Array.from({ length: 3 * 2 ** 15 }, (_, i) => (i * i) >>> 3);
  for (const end of [2 ** 15, 2 ** 16, 3 * 2 ** 15]) {
    for (let length = end - 75; length <= end; length++) {
      const message = bytes.subarray(0, length);
      expect(byKernel(message)).toBe(createHash('sha256').update(message).digest('hex'));
    }
  }
});

test('what is long, and any message without WebAssembly, is left to the host', () => {
  const long = new Uint8Array(2 ** 19).fill(7);
  expect(digest(long)).toBe(createHash('sha256').update(long).digest('hex'));
  const short = new Uint8Array(100).fill(7);
  for (const WebAssembly of [undefined, {}]) {
    vi.stubGlobal('WebAssembly', WebAssembly);
    const without = digest(short);
    vi.unstubAllGlobals();
    expect(without).toBe(createHash('sha256').update(short).digest('hex'));
  }
});

test('on servers too a file with a byte changed is refused, wherever it is', () => {
  const file = new Uint8Array(readFileSync('test/conformance/numeric.safetensors'));
  expect(loadModel(file).sha256).toMatch(/^[0-9a-f]{64}$/);
  for (let at = 0; at < file.length; at += 5) {
    file[at] ^= 1;
    expect(() => loadModel(file), `byte ${at}`).toThrow(/^model file: /);
    file[at] ^= 1;
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
