import { splitmix32 } from '../../math/random.ts';

/**
 * Random stratified folds: every fold has the same number of rows of each class, up to one.
 *
 * @param code  class of each row, 0 to classes − 1
 * @param weight  rows of weight 0 are in no fold and do not affect the folds of others; null: all count
 * @param seed  of `splitmix32`
 * @returns the fold of each row, 0 to folds − 1; −1 for rows of weight 0
 */
export function stratifiedFolds(
  code: ArrayLike<number>,
  classes: number,
  weight: ArrayLike<number> | null,
  folds: number,
  seed: number,
): Int16Array {
  const fold = new Int16Array(code.length).fill(-1);
  const own = new Uint32Array(code.length);
  const random = splitmix32(seed);
  let next = 0;
  for (let c = 0; c < classes; c++) {
    let count = 0;
    for (let i = 0; i < code.length; i++) if (code[i] === c && (!weight || weight[i] > 0)) own[count++] = i;
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [own[i], own[j]] = [own[j], own[i]];
    }
    for (let i = 0; i < count; i++) fold[own[i]] = next++ % folds;
  }
  return fold;
}
