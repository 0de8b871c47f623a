/**
 * Flags about `fraction` of the rows, at random by `seed`, the same fraction of every class (stratified).
 *
 * Selection sampling: of each class exactly round(fraction · rows of the class) rows, each subset equally likely.
 * @param codes  class of each row
 * @see Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S
 */
export function randomHoldout(codes: ArrayLike<number>, classes: number, fraction: number, seed: number): Uint8Array {
  const left = new Uint32Array(classes);
  for (let i = 0; i < codes.length; i++) left[codes[i]]++;
  const wanted = Uint32Array.from(left, (rows) => Math.round(fraction * rows));
  const random = splitmix32(seed);
  const heldOut = new Uint8Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (random() * left[code]-- < wanted[code]) {
      heldOut[i] = 1;
      wanted[code]--;
    }
  }
  return heldOut;
}

/** Uniform numbers in [0, 1) with 32 bits. Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014, in 32 bits. */
function splitmix32(seed: number): () => number {
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
