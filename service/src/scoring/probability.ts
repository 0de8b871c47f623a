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
