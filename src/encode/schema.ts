/**
 * The schema of a model: its features in order, with everything the encoder needs. It is plain JSON and part of the model file. People write a
 * `Declaration` instead; `fit` turns it into a schema.
 */
export interface Schema {
  readonly features: readonly Feature[];
}

/** A schema of numeric and categorical features only, which every scorer knows. */
export interface PlainSchema extends Schema {
  readonly features: readonly (NumericFeature | CategoricalFeature)[];
}

/** One feature of a schema; `kind` says which kind. */
export type Feature = NumericFeature | CategoricalFeature | RichFeature;

/** A feature that needs the `encoders` stage; every scorer knows the other kinds. */
export type RichFeature =
  | CurveFeature
  | BinnedFeature
  | DatePartFeature
  | TargetFeature
  | HashedFeature
  | CrossFeature
  | TokensFeature;

interface Named {
  readonly name: string;
  /** a reason code's words for this feature; `{value}` stands for the value of the record */
  readonly reason?: string;
  /** true: the values of its column are personal; a service writes them into no log */
  readonly private?: true;
}

/** A number. It has one slot, and two more (present, missing) when `indicator` is true. */
export interface NumericFeature extends Named {
  readonly kind: 'numeric';
  /** weighted mean of the training cells that are not missing; a missing cell takes this value */
  readonly mean: number;
  /** population standard deviation of the same cells; 1 for a constant column */
  readonly scale: number;
  /** least and greatest training value, for reports */
  readonly min: number;
  readonly max: number;
  /** true: a missing cell also switches on a slot of its own */
  readonly indicator: boolean;
}

/** What every feature of levels has: levels.length + 2 slots, the levels in order, then *missing*, then *unseen*. */
interface Coded extends Named {
  readonly levels: readonly string[];
  /** weight of the training rows per level, then of those missing; plain row counts when trained without weights */
  readonly counts: readonly number[];
  /** `treatment`: the reference level has weight 0; `onehot`: every level has a weight */
  readonly coding: 'onehot' | 'treatment';
  /** index into levels under treatment coding, else null */
  readonly reference: number | null;
  /** a missing cell takes the *missing* slot, the reference level (`baseline`), the most frequent level (`mode`), or is an error */
  readonly missing: CodedMissing;
  /** an unseen value takes the *unseen* slot, the reference level (`baseline`), or is an error. Without a reference `baseline` is `mode`. */
  readonly unseen: CodedUnseen;
}

/**
 * The effect of a missing category. `slot`: it has a slot of its own. `mode`: it takes the most frequent level. `baseline`: it takes the reference level, or
 * without one the most frequent level. `error`: it is refused.
 */
export type CodedMissing = 'slot' | 'baseline' | 'mode' | 'error';
/**
 * The effect of a category that training did not have. `slot`: it has a slot of its own. `baseline`: it takes the reference level, or without one the most
 * frequent level. `error`: it is refused.
 */
export type CodedUnseen = 'slot' | 'baseline' | 'error';

/** A category. Each level has a slot; missing and unseen values have one each after them. */
export interface CategoricalFeature extends Coded {
  readonly kind: 'categorical';
  /** the column it reads; absent: the column of its name */
  readonly column?: string;
  /** levels too rare for a weight of their own; they share that of the *unseen* slot */
  readonly rare?: readonly string[];
}

/** A part of a date in UTC, as a number. Weekdays are those of ISO 8601, Monday 1 to Sunday 7. */
export type DatePart = 'year' | 'quarter' | 'month' | 'day' | 'weekday' | 'dayOfYear' | 'hour' | 'minute' | 'epochDays';

/** The unit of a number that stands for a date: milliseconds or seconds since 1970-01-01 00:00 UTC. */
export type DateUnit = 'ms' | 's';

/** A feature that may read dates. */
export interface Dated {
  /** unit of numbers that stand for dates; absent: milliseconds */
  readonly unit?: DateUnit;
  /**
   * first and last date of training, in milliseconds since 1970; numbers far outside are refused, because they are probably in another unit
   */
  readonly dates?: readonly [first: number, last: number];
}

/** Features that read a number, or take one out of a date. */
interface FromNumber extends Dated {
  /** the column it is read from; absent: that of its name */
  readonly column?: string;
  /** read cells are dates, and this part of them is the number */
  readonly part?: DatePart;
}

/** A transform of numbers: log x, log(1 + x), √x, log(x/(1 − x)), or the power transforms of Box and Cox, and of Yeo and Johnson. */
export type Transform =
  | { readonly name: 'log' | 'log1p' | 'sqrt' | 'logit' }
  | { readonly name: 'box-cox' | 'yeo-johnson'; readonly lambda: number };

/**
 * A number that is clipped and transformed. It has one slot, or one for each function of a natural cubic spline, and two more (present, missing) when
 * missing is `slot`.
 */
export interface CurveFeature extends Named, FromNumber {
  readonly kind: 'curve';
  readonly transform: Transform | null;
  /**
   * rising knots of a natural cubic spline of the transformed number, at least 3, which has knots.length − 1 slots; null: the number itself
   */
  readonly knots: readonly number[] | null;
  /** least and greatest number that is taken as it is, before the transform; null: no such end */
  readonly low: number | null;
  readonly high: number | null;
  /**
   * what a number outside does: becomes the nearest end, takes the value of a missing cell (`baseline`) or its slot, or is refused
   */
  readonly range: 'clip' | 'baseline' | 'slot' | 'error';
  readonly missing: 'slot' | 'baseline' | 'error';
  /** the value that stands for a missing cell, before the transform */
  readonly fill: number;
  /** least and greatest training value, for reports */
  readonly min: number;
  readonly max: number;
  /** for each slot of the curve its weighted mean and population standard deviation in training (1 when constant) */
  readonly means: readonly number[];
  readonly scales: readonly number[];
  /** unit of the penalty, in units of `scales`: 1 for standard, IQR/scale for robust, 1/scale for none */
  readonly units: readonly number[];
}

/** A number by its bin. Bin i is [edges[i], edges[i + 1]); the last one includes its upper edge. */
export interface BinnedFeature extends Coded, FromNumber {
  readonly kind: 'binned';
  /** rising, levels.length + 1 numbers */
  readonly edges: readonly number[];
  /**
   * what a number outside the edges takes: the nearest bin, the *unseen* slot, the reference (`baseline`); or it is refused
   */
  readonly range: 'clip' | 'baseline' | 'slot' | 'error';
}

/** A part of a date as a category. The levels are numbers, written as text. */
export interface DatePartFeature extends Coded, Dated {
  readonly kind: 'date';
  readonly column?: string;
  readonly part: DatePart;
}

/**
 * A category by the mean outcome of its training rows (target encoding). It has one slot, or with more than two classes one for each class.
 *
 *   value = (n·mean + m·prior)/(n + m),   m the smoothing
 */
export interface TargetFeature extends Named {
  readonly kind: 'target';
  readonly column?: string;
  readonly levels: readonly string[];
  readonly counts: readonly number[];
  /** for each class (one for two classes) the value of each level, then of *missing*, then of *unseen* */
  readonly values: readonly (readonly number[])[];
  readonly missing: 'slot' | 'baseline' | 'error';
  readonly unseen: 'baseline' | 'error';
  /** as in `CurveFeature`, for the cross-fitted values */
  readonly means: readonly number[];
  readonly scales: readonly number[];
}

/**
 * A category, or a cross of several, hashed by MurmurHash3 modulo `buckets`. The sign of the hash separates two slots of a bucket.
 *
 * It has 2·buckets slots (those of positive hashes, then those of negative ones), then *missing*, then *unseen* (never taken).
 */
export interface HashedFeature extends Named {
  readonly kind: 'hashed';
  readonly column?: string;
  /** names of the features that are crossed; null: one column */
  readonly of: readonly string[] | null;
  readonly buckets: number;
  /** weight of the training rows of each slot but the last */
  readonly counts: readonly number[];
  readonly missing: CodedMissing;
}

/**
 * Combinations of levels of other features that occur in training. Each is a level, named by the levels of its parts joined by " × ".
 */
export interface CrossFeature extends Coded {
  readonly kind: 'cross';
  /** names of two or more features with levels; none of them is a cross */
  readonly of: readonly string[];
}

/** Words of a text, or tags of a list, counted. Each level or bucket has one slot. */
export interface TokensFeature extends Named {
  readonly kind: 'tokens';
  readonly column?: string;
  /**
   * `words`: runs of two or more letters, digits or _, in lower case. Else the text between separators, or the entries of a list.
   */
  readonly split: 'words' | { readonly separator: string };
  /**
   * tokens with a slot of their own, where all others are unseen; or a number of buckets, into which tokens are hashed with a sign (`FeatureHasher`)
   */
  readonly tokens: readonly string[] | { readonly buckets: number };
  /** a missing cell has no token (`baseline`), or is refused */
  readonly missing: 'baseline' | 'error';
  readonly unseen: 'baseline' | 'error';
  /** greatest number of characters of a cell, separators included; absent: 2^20 */
  readonly maxText?: number;
  /** the penalty measures weights in standard deviations; absent: in counts */
  readonly scaling?: 'standard';
  readonly means: readonly number[];
  readonly scales: readonly number[];
}
