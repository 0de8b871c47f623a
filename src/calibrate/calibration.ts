/**
 * How a logit z becomes a calibrated probability; plain JSON, it travels in the model file.
 *
 *   platt        p = σ(a·z + b)
 *   beta         p = σ(a·log q − b·log(1 − q) + c),   q = σ(z)
 *   isotonic     p = linear interpolation of `probabilities` over `logits`, constant outside
 *   temperature  p = σ(z·inverse), of several classes softmax(z·inverse)
 *
 * and `shift` is added to the calibrated logit: the prior correction for resampled training data (0: none).
 */
export type Calibrator =
  | { readonly method: 'platt'; readonly a: number; readonly b: number }
  | { readonly method: 'beta'; readonly a: number; readonly b: number; readonly c: number }
  | { readonly method: 'isotonic'; readonly logits: readonly number[]; readonly probabilities: readonly number[] }
  | { readonly method: 'temperature'; readonly inverse: number };

/** What a model file says of calibration. */
export interface Calibration {
  readonly method: 'none' | Calibrator['method'];
  /** one; of several classes (temperature excepted) one a class, whose probabilities are divided by their sum; `none`: empty */
  readonly calibrators: readonly Calibrator[];
  /** log-odds that are added: of two classes one number, of several one a class; empty: none */
  readonly shift: readonly number[];
  /** true share of each class, in the order of the classes, that `shift` leads to; absent: not given */
  readonly prior?: readonly number[];
  /** how it was estimated: out-of-fold logits of so many folds, or held-out rows, and how many */
  readonly by: { readonly folds: number | null; readonly rows: number } | null;
}
