import { sortTagged } from '../math/sort.ts';
import { checkRows, checkScores, type Labels, type RowScores, type Weight } from './check.ts';

/**
 * Visits the distinct scores from the greatest down, each with the weight of its positive and negative rows. Scores
 * whose rows all have weight 0 are skipped.
 * @throws as `auc`
 */
export function eachScore(
  scores: RowScores,
  y: Labels,
  weight: Weight,
  visit: (score: number, positive: number, negative: number) => void,
): void {
  checkScores(scores);
  checkRows(scores.length, y, 2, weight, 'scores');
  // the label is sorted along with the row, because a later look-up would miss the caches for every row
  const { values, tags } = sortTagged(scores, (row) => 2 * row + y[row]);
  const shares = weight && pick(weight, tags);
  let positive = 0;
  let negative = 0;
  for (let i = tags.length - 1; i >= 0; i--) {
    const share = shares ? shares[i] : 1;
    if (tags[i] & 1) positive += share;
    else negative += share;
    if (i > 0 && values[i - 1] === values[i]) continue;
    if (positive + negative > 0) visit(values[i], positive, negative);
    positive = 0;
    negative = 0;
  }
}

/** Weights in the order of the tags, in a separate loop, so that the cache misses of many rows overlap. */
function pick(weight: ArrayLike<number>, tags: Uint32Array): Float64Array {
  const picked = new Float64Array(tags.length);
  for (let i = 0; i < tags.length; i++) picked[i] = weight[tags[i] >>> 1];
  return picked;
}
