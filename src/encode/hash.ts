const ENCODER = /* @__PURE__ */ new TextEncoder();

/**
 * MurmurHash3_x86_32 of the UTF-8 bytes of a text. A lone surrogate is U+FFFD, as in all UTF-8 of the web.
 * @returns a whole number from 0 to 2³² − 1
 * @see Appleby, SMHasher, MurmurHash3.cpp (public domain)
 */
export function murmur3(text: string, seed: number): number {
  return signedHash(text, seed) >>> 0;
}

/** `murmur3` as in scikit-learn's `murmurhash3_32`: a whole number from −2³¹ to 2³¹ − 1. */
export function signedHash(text: string, seed = 0): number {
  const { length } = text;
  let h = seed | 0;
  let seen = 0;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const [a, b] = [text.charCodeAt(i), text.charCodeAt(i + 1)];
    const [c, d] = [text.charCodeAt(i + 2), text.charCodeAt(i + 3)];
    seen |= a | b | c | d;
    h = round(h, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let j = length - 1; j >= i; j--) {
    const unit = text.charCodeAt(j);
    seen |= unit;
    tail = (tail << 8) | unit;
  }
  // in ASCII units are bytes
  return seen < 128 ? finish(h, tail, length) : hashBytes(ENCODER.encode(text), seed);
}

/**
 * The bucket of a text and its sign, the same as scikit-learn's FeatureHasher.
 *
 *   index = |h| mod buckets,   sign = +1 for h >= 0, else −1,   h = signedHash(text)
 *
 * @param buckets  a whole number from 1 to 2³¹ − 1
 * @see Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009
 */
export function bucketOf(text: string, buckets: number): { index: number; sign: 1 | -1 } {
  const h = signedHash(text);
  return { index: Math.abs(h) % buckets, sign: h >= 0 ? 1 : -1 };
}

function hashBytes(bytes: Uint8Array, seed: number): number {
  const { length } = bytes;
  let h = seed | 0;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    h = round(h, bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
  }
  let tail = 0;
  for (let j = length - 1; j >= i; j--) tail = (tail << 8) | bytes[j];
  return finish(h, tail, length);
}

function round(h: number, k: number): number {
  return (Math.imul(turn(h ^ mix(k), 13), 5) + 0xe6546b64) | 0;
}

function finish(h: number, tail: number, length: number): number {
  let last = h ^ mix(tail) ^ length;
  last = Math.imul(last ^ (last >>> 16), 0x85ebca6b);
  last = Math.imul(last ^ (last >>> 13), 0xc2b2ae35);
  return last ^ (last >>> 16);
}

function mix(k: number): number {
  return Math.imul(turn(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);
}

function turn(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}
