import type { Model } from 'logodds/score';
import type { Answer } from './question.ts';

/** Returns the probability of class k of a row; with two classes the scores have only that of the positive one. */
export function probabilityOf({ manifest: { classes, positive } }: Model) {
  const own = positive === null ? -1 : classes.indexOf(positive);
  return ({ rows, probabilities }: Answer['scores'], row: number, k: number): number => {
    if (own < 0) return probabilities[k * rows + row];
    return k === own ? probabilities[row] : 1 - probabilities[row];
  };
}

/** The probabilities of each class, by row. */
export function probabilityColumns(
  { manifest: { classes, positive } }: Model,
  scores: Answer['scores'],
): Float64Array[] {
  const { rows, probabilities } = scores;
  if (positive === null) return classes.map((_, k) => probabilities.subarray(k * rows, (k + 1) * rows));
  const own = probabilities.subarray(0, rows);
  const other = new Float64Array(rows);
  for (let row = 0; row < rows; row++) other[row] = 1 - own[row];
  return classes.map((name) => (name === positive ? own : other));
}
