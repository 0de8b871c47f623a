/**
 * How probabilities become a label. It is plain JSON and part of the model file.
 *
 * Two classes: the positive one when probability > threshold. With `abstain` a person reviews probabilities in [low, high].
 * Several classes: with `costs` the class with the least expected cost, argminₖ Σⱼ pⱼ·costs[j][k]; else the one with the greatest logit. With `abstain`
 * a person reviews rows whose greatest probability is below `high` (`low` is 0).
 */
export interface Decision {
  /** threshold of the probability of the positive class; without effect with more than two classes */
  readonly threshold: number;
  /**
   * costs[j][k] of deciding class k where class j is true, in the order of the classes; absent: the decision does not rest on a matrix of costs
   */
  readonly costs?: readonly (readonly number[])[];
  /** the band for review; absent: none */
  readonly abstain?: { readonly low: number; readonly high: number };
  /** how the threshold was chosen; absent: it was given, or is the default of 0.5 */
  readonly chosen?: ChosenThreshold;
}

/** How a threshold was chosen, and how certain the choice is. */
export interface ChosenThreshold {
  /**
   * cost: least mean cost; fbeta: greatest F; recall, precision: the greatest one subject to the other; budget: a share or a number of rows
   */
  readonly by: 'cost' | 'fbeta' | 'recall' | 'precision' | 'budget';
  /** parameter of the criterion: β, the least precision or recall, the share or number of rows; null for costs */
  readonly parameter: number | null;
  /**
   * by cost: the cost of each kind of mistake (and of a hit, where that is not 0), by which later rows can be judged; absent: not known
   */
  readonly costs?: { readonly fp: number; readonly fn: number; readonly tp?: number; readonly tn?: number };
  /** criterion at the threshold: mean over the folds */
  readonly value: number;
  /** standard error of `value`; null with one fold */
  readonly stdError: number | null;
  /** least and greatest of the thresholds that single folds would have chosen; null with one fold */
  readonly range: readonly [number, number] | null;
  /** criterion along thresholds: mean over the folds and its standard error, at most 200 points */
  readonly curve: readonly { readonly threshold: number; readonly value: number; readonly stdError: number | null }[];
}
