import { LogoddsError } from '../../bindings/errors.ts';
import { murmur3 } from '../encode/hash.ts';
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
  if (!(Number.isInteger(bits) && bits >= 1 && bits <= 31)) {
    throw new LogoddsError('ERR_RANGE', `bits: expected a whole number from 1 to 31, got ${bits}`);
  }
  return murmur3(canonicalLabel(value), murmur3(feature, 0)) & (2 ** bits - 1);
}
