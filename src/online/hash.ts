import { LogoddsError } from '../../bindings/errors.ts';
import { murmur3 } from '../encode/hash.ts';
import { canonicalLabel } from '../encode/label.ts';

/**
 * Returns the column of a category among 2^bits columns, without a dictionary. Use it for open-ended sets of levels.
 *
 *   murmur3(value, seed = murmur3(feature, seed = 0)) mod 2^bits,   both as UTF-8
 *
 * Two categories may share a column. With m categories in use, a further one collides with probability m / 2^bits.
 * @param value  a label as `canonicalLabel` takes it: 2 and "2" are the same
 * @param bits  1 to 31
 * @throws ERR_RANGE for bits; ERR_RECORD for a value that can be no category
 * @see Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009
 * @example
 * hashIndex('origin', 'LAS', 10); // 659
 */
export function hashIndex(feature: string, value: unknown, bits: number): number {
  if (!(Number.isInteger(bits) && bits >= 1 && bits <= 31)) {
    throw new LogoddsError('ERR_RANGE', `bits: expected a whole number from 1 to 31, got ${bits}`);
  }
  return murmur3(canonicalLabel(value), murmur3(feature, 0)) & (2 ** bits - 1);
}
