/** What scoring says. */
import type { NumbersOf, Precision } from '../../bindings/layout.ts';

/** What a model says about one record. */
export interface RecordScore {
  /** z = x·w + intercept + offset; with more than two classes that of the label */
  readonly logit: number;
  /** of the positive class, calibrated; with more than two classes that of the label */
  readonly probability: number;
  /** as the `decision` of the model has it */
  readonly label: string;
  /** share of the features that took a default: their value was missing, unseen or outside the range of the schema */
  readonly defaulted: number;
  /** share of the features whose number was taken as it is, but lies below the least or above the greatest of training; `rangesOf` has these */
  readonly outOfRange: number;
  /** whether the probability is in the band for review; absent without one */
  readonly review?: boolean;
  /** with more than two classes: of each, in the order of the classes */
  readonly logits?: Float64Array;
  /** with more than two classes: of each, in the order of the classes */
  readonly probabilities?: Float64Array;
}

/** A record that could not be scored, in the place of its score. */
export interface RecordError {
  /** a LogoddsError (ERR_SCHEMA, ERR_RECORD) that names the number of the record and the field; or what a getter of the record threw */
  readonly error: Error;
}

/** Scores of one table. */
export interface Scores<P extends Precision = Precision> {
  readonly rows: number;
  /** two classes: length rows, offset included; more: class after class, class k of row i at k · rows + i */
  readonly logits: NumbersOf<P>;
  /** as the logits; of two classes that of the positive one */
  readonly probabilities: NumbersOf<P>;
  /** length rows, indices into `manifest.classes`; the rule is that of `Model.score` */
  readonly labels: Uint32Array;
  /** length rows: share of the features that took a default, as of `Model.score` */
  readonly defaulted: Float64Array;
  /** length rows: share of the features whose number lies outside the range of training, as of `Model.score` */
  readonly outOfRange: Float64Array;
  /** length rows, 1: the probability is in the band for review; null without one */
  readonly review: Uint8Array | null;
}
