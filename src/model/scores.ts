/** What scoring says. */
import type { NumbersOf, Precision } from '../../bindings/layout.ts';

/** The score of one record. */
export interface RecordScore {
  /** a score has none; see `RecordError` */
  readonly error?: undefined;
  /** z = x·w + intercept + offset; with more than two classes the logit of the label */
  readonly logit: number;
  /** calibrated probability of the positive class; with more than two classes of the label */
  readonly probability: number;
  /** the class that the model's `decision` gives */
  readonly label: string;
  /**
   * share of the features that took a default because their value was missing, unseen or outside the range of the schema, 0 to 1
   */
  readonly defaulted: number;
  /** share of the features whose number is taken as it is but lies outside the training range (`rangesOf`), 0 to 1 */
  readonly outOfRange: number;
  /** true: the probability is in the band for review; absent when the model has no band */
  readonly review?: boolean;
  /** with more than two classes one logit for each, in the order of the classes; else absent */
  readonly logits?: Float64Array;
  /** with more than two classes one probability for each, in the order of the classes; else absent */
  readonly probabilities?: Float64Array;
}

/** The error of a record that could not be scored, in the place of its score. */
export interface RecordError {
  /**
   * a LogoddsError (ERR_SCHEMA, ERR_RECORD) that names the number of the record and the field; or the error that a getter of the record threw
   */
  readonly error: Error;
  /** no field of a score */
  readonly logit?: undefined;
  readonly probability?: undefined;
  readonly label?: undefined;
  readonly defaulted?: undefined;
  readonly outOfRange?: undefined;
  readonly review?: undefined;
}

/** The scores of one table. */
export interface Scores<P extends Precision = Precision> {
  readonly rows: number;
  /** with two classes length rows, offset included; with more class after class, class k of row i at k · rows + i */
  readonly logits: NumbersOf<P>;
  /** in the order of the logits; with two classes those of the positive one */
  readonly probabilities: NumbersOf<P>;
  /** length rows: index into `manifest.classes`, by the rule of `Model.score` */
  readonly labels: Uint32Array;
  /** length rows: share of the features that took a default; see `RecordScore` */
  readonly defaulted: Float64Array;
  /** length rows: share of the features whose number lies outside the training range; see `RecordScore` */
  readonly outOfRange: Float64Array;
  /** length rows, 1 = the probability is in the band for review; null when the model has no band */
  readonly review: Uint8Array | null;
}
