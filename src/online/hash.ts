import { index } from '../../bindings/batch.ts';
import { canonicalLabel } from '../encode/label.ts';

/**
 * The column of a category among 2^bits, without a dictionary: for level sets that never end.
 *
 *   murmur3(value, seed = murmur3(feature, seed = 0)) mod 2^bits,   both as UTF-8
 *
 * Two categories may share a column; with m of them in use, a further one meets another with probability m / 2^bits.
 * @param value  a label as `canonicalLabel` takes it: 2 and "2" are one
 * @param bits  1 to 31
 * @throws ERR_RANGE, ERR_RECORD for a value that can be no category
 * @see Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009
 */
export function hashIndex(feature: string, value: unknown, bits: number): number {
  index('bits', bits - 1, 30);
  return murmur3(canonicalLabel(value), murmur3(feature, 0)) & (2 ** bits - 1);
}

/**
 * MurmurHash3_x86_32 of the UTF-8 bytes of a text.
 * @returns a whole number from 0 to 2³² − 1
 * @see Appleby, SMHasher, MurmurHash3.cpp (public domain)
 */
export function murmur3(text: string, seed: number): number {
  const bytes = new TextEncoder().encode(text);
  const { length } = bytes;
  let h = seed | 0;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    h ^= mix(bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    h = (Math.imul(turn(h, 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let j = length - 1; j >= i; j--) tail = (tail << 8) | bytes[j];
  h ^= mix(tail) ^ length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function mix(k: number): number {
  return Math.imul(turn(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);
}

function turn(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}
