/** Callers that fall to the same place. */
const WAYS = 8;

/** What a bucket says of a caller who took from it. */
export interface Taken {
  readonly isAllowed: boolean;
  /** what is left, a whole number */
  readonly left: number;
  /** milliseconds until the bucket is full */
  readonly fullMs: number;
  /** milliseconds until what was asked is there; 0: it is */
  readonly waitMs: number;
}

/**
 * Token buckets of many callers in memory of a fixed size. Of each caller there is one number, the time at which its bucket is full again (GCRA):
 *
 *   tokens(now) = burst − max(0, full − now) · rate
 *
 * and 64 bits of a hash of its name. A bucket that is full need not be known. Where a place has no room for a caller, the one whose bucket is fullest is
 * forgotten; that is counted where it was not full.
 */
export class Buckets {
  readonly #rate: number;
  readonly #burst: number;
  readonly #places: number;
  readonly #hashes: Uint32Array;
  readonly #full: Float64Array;
  readonly #seeds = crypto.getRandomValues(new Uint32Array(2));
  forgotten = 0;

  /** @param perMs  tokens a millisecond @param callers  how many are known at a time; a power of two, at least 8 */
  constructor(perMs: number, burst: number, callers: number) {
    this.#rate = perMs;
    this.#burst = burst;
    this.#places = callers / WAYS;
    this.#hashes = new Uint32Array(2 * callers);
    this.#full = new Float64Array(callers);
  }

  /** Takes tokens if they are there. */
  take(caller: string, tokens: number, now: number): Taken {
    const at = this.#find(caller, now);
    const full = Math.max(this.#full[at], now) + tokens / this.#rate;
    const waitMs = full - now - this.#burst / this.#rate;
    // a rounding of the last digit is no token
    const isAllowed = waitMs <= 1e-6;
    if (isAllowed) this.#full[at] = full;
    const fullMs = Math.max(0, this.#full[at] - now);
    const left = Math.max(0, Math.floor(this.#burst - fullMs * this.#rate + 1e-6));
    return { isAllowed, left, fullMs, waitMs: isAllowed ? 0 : waitMs };
  }

  /** Takes tokens for what was done already: the bucket may owe them. */
  charge(caller: string, tokens: number, now: number): void {
    const at = this.#find(caller, now);
    this.#full[at] = Math.max(this.#full[at], now) + tokens / this.#rate;
  }

  /** The index of a caller, for whom room is made. */
  #find(caller: string, now: number): number {
    const [first, second] = this.#hash(caller);
    const begin = (first & (this.#places - 1)) * WAYS;
    let fullest = begin;
    for (let at = begin; at < begin + WAYS; at++) {
      if (this.#hashes[2 * at] === first && this.#hashes[2 * at + 1] === second) return at;
      if (this.#full[at] < this.#full[fullest]) fullest = at;
    }
    if (this.#full[fullest] > now) this.forgotten++;
    this.#hashes[2 * fullest] = first;
    this.#hashes[2 * fullest + 1] = second;
    this.#full[fullest] = 0;
    return fullest;
  }

  /** Two multiplicative hashes with seeds that a caller cannot know. */
  #hash(caller: string): readonly [number, number] {
    let [a, b] = this.#seeds;
    for (let i = 0; i < caller.length; i++) {
      const code = caller.charCodeAt(i);
      a = Math.imul(a ^ code, 0x9e3779b1);
      b = Math.imul(b ^ code, 0x85ebca77);
      a ^= a >>> 15;
      b ^= b >>> 13;
    }
    a = Math.imul(a ^ (b >>> 16), 0xc2b2ae3d);
    b = Math.imul(b ^ (a >>> 13), 0x27d4eb2f);
    return [(a ^ (a >>> 16)) >>> 0, (b ^ (b >>> 15)) >>> 0];
  }
}
