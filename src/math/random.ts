/**
 * Uniform numbers in [0, 1) with 32 bits, the same for the same seed everywhere.
 * @see Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014, in 32 bits
 */
export function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
  };
}
