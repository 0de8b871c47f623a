/**
 * How a logit z becomes a calibrated probability. It is plain JSON and part of the model file.
 *
 *   platt        p = σ(a·z + b)
 *   beta         p = σ(a·log q − b·log(1 − q) + c),   q = σ(z)
 *   isotonic     p = linear interpolation of `probabilities` over `logits`, constant outside
 *   temperature  p = σ(z·inverse), with several classes softmax(z·inverse)
 *
 * `Calibration.shift` is added to the calibrated logit: the prior correction for resampled training data.
 */
export type Calibrator =
  | { readonly method: 'platt'; readonly a: number; readonly b: number }
  | { readonly method: 'beta'; readonly a: number; readonly b: number; readonly c: number }
  | { readonly method: 'isotonic'; readonly logits: readonly number[]; readonly probabilities: readonly number[] }
  | { readonly method: 'temperature'; readonly inverse: number };

/** The calibration of a model. */
export interface Calibration {
  readonly method: 'none' | Calibrator['method'];
  /**
   * one; with several classes (except `temperature`) one for each class, whose probabilities are divided by their sum; empty for `none`
   */
  readonly calibrators: readonly Calibrator[];
  /** log-odds added to the calibrated logits: one number with two classes, with several one for each class; empty: none */
  readonly shift: readonly number[];
  /** true share of each class, in the order of the classes, from which `shift` follows; absent: not given */
  readonly prior?: readonly number[];
  /**
   * the rows it was estimated from: their number, and the number of folds (null: held-out rows); null: it was not estimated
   */
  readonly by: { readonly folds: number | null; readonly rows: number } | null;
}
