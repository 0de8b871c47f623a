import { expect, test } from 'vitest';
import { bucketOf, murmur3, signedHash } from '../../src/encode/hash.ts';
import { fixture } from './fixture.ts';

interface Hashed {
  readonly text: string;
  readonly hash: number;
  readonly hash42: number;
  readonly buckets: readonly (readonly [buckets: number, index: number, sign: number])[];
}

test('hashes, buckets and signs are those of scikit-learn, the hash −2³¹ included', () => {
  const cases: readonly Hashed[] = fixture.hashes;
  expect(cases.some(({ hash }) => hash === -(2 ** 31))).toBe(true);
  for (const { text, hash, hash42, buckets } of cases) {
    expect(signedHash(text)).toBe(hash);
    expect(signedHash(text, 42)).toBe(hash42);
    for (const [count, index, sign] of buckets) expect(bucketOf(text, count)).toEqual({ index, sign });
  }
});

test('"foo" hashes to the values of the literature', () => {
  expect(signedHash('foo')).toBe(-156908512);
  expect(murmur3('foo', 0)).toBe(4138058784);
  expect(signedHash('foo', 42)).toBe(-1322301282);
});

test('a surrogate without partner hashes as U+FFFD, in short texts and in long ones', () => {
  for (const around of ['', 'é', 'a'.repeat(300), 'é'.repeat(255)]) {
    expect(signedHash(`${around}\ud800`)).toBe(signedHash(`${around}\ufffd`));
    expect(signedHash(`${around}\udc00x`)).toBe(signedHash(`${around}\ufffdx`));
  }
});
