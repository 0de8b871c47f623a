/**
 * How probabilities become a label; plain JSON, it travels in the model file.
 *
 * Two classes: the positive one when probability > threshold. With `abstain` a probability within [low, high] is for a person to review.
 * Several classes: with `costs` the class of the least expected cost argminₖ Σⱼ pⱼ·costs[j][k], else of the greatest logit; with
 * `abstain` a greatest probability below `high` is for review (low is 0).
 */
export interface Decision {
  /** of two classes */
  readonly threshold: number;
  /** costs[j][k] of deciding class k where class j is true, in the order of the classes; absent: not by cost, or by the threshold that follows */
  readonly costs?: readonly (readonly number[])[];
  readonly abstain?: { readonly low: number; readonly high: number };
  /** why: how the threshold was chosen; absent: the default of 0.5 */
  readonly chosen?: ChosenThreshold;
}

/** By what a threshold was chosen, and how sure that is. */
export interface ChosenThreshold {
  /** cost: least mean cost; fbeta: greatest F; recall, precision: greatest one subject to the other; budget: a share or a number of rows */
  readonly by: 'cost' | 'fbeta' | 'recall' | 'precision' | 'budget';
  /** its parameter: β, the least precision or recall, the share or number of rows; null for costs */
  readonly parameter: number | null;
  /** by cost: what a mistake of each kind costs (and a hit, where that is not 0), so that later rows can be judged by them; absent: not known */
  readonly costs?: { readonly fp: number; readonly fn: number; readonly tp?: number; readonly tn?: number };
  /** value of the criterion at the threshold: mean over the folds, and its standard error */
  readonly value: number;
  readonly stdError: number | null;
  /** thresholds that the folds would have chosen: their least and greatest */
  readonly range: readonly [number, number] | null;
  /** criterion along thresholds: mean over the folds and its standard error, at most 200 points */
  readonly curve: readonly { readonly threshold: number; readonly value: number; readonly stdError: number | null }[];
}
