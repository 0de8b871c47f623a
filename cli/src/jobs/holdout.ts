import { splitmix32 } from '../../../src/internal.ts';

/**
 * Flags about `fraction` of the rows, at random by `seed`, the same fraction of every class (stratified).
 *
 * Selection sampling: takes exactly round(fraction · rows of the class) rows of each class; every subset is equally likely.
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
