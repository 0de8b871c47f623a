/**
 * The schema of a model: its features in order, with everything the encoder needs.
 * It is plain JSON and travels inside the model file. What people write is a `Declaration`; `inferSchema` turns it into this.
 */
export interface Schema {
  readonly features: readonly Feature[];
}

/** A schema that every scorer knows. */
export interface PlainSchema extends Schema {
  readonly features: readonly (NumericFeature | CategoricalFeature)[];
}

/** One feature of a schema; `kind` says which. */
export type Feature = NumericFeature | CategoricalFeature | RichFeature;

/** Features that need the `encoders` stage; the others every scorer knows. */
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
}

/** One slot (the number), and two more (present, missing) when `indicator` is true. */
export interface NumericFeature extends Named {
  readonly kind: 'numeric';
  /** weighted mean of the training cells that are not missing: the value a missing cell takes */
  readonly mean: number;
  /** population standard deviation of the same cells; 1 for a constant column */
  readonly scale: number;
  /** least and greatest training value, for reports */
  readonly min: number;
  readonly max: number;
  /** a missing cell also switches on a slot of its own */
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

export type CodedMissing = 'slot' | 'baseline' | 'mode' | 'error';
export type CodedUnseen = 'slot' | 'baseline' | 'error';

export interface CategoricalFeature extends Coded {
  readonly kind: 'categorical';
  /** the column it is read from; absent: that of its name */
  readonly column?: string;
  /** levels too rare for a weight of their own: they share that of the *unseen* slot */
  readonly rare?: readonly string[];
}

/** A part of a date in UTC, as a number. Weekdays are those of ISO 8601, Monday 1 to Sunday 7. */
export type DatePart = 'year' | 'quarter' | 'month' | 'day' | 'weekday' | 'dayOfYear' | 'hour' | 'minute' | 'epochDays';

/** What a number is that stands for a date: milliseconds or seconds since 1970-01-01 00:00 UTC. */
export type DateUnit = 'ms' | 's';

/** Features that may read dates. */
export interface Dated {
  /** what numbers are; absent: milliseconds */
  readonly unit?: DateUnit;
  /** first and last date of training in milliseconds since 1970: numbers far outside are refused, as of another unit */
  readonly dates?: readonly [first: number, last: number];
}

/** Features that read a number, or take one out of a date. */
interface FromNumber extends Dated {
  /** the column it is read from; absent: that of its name */
  readonly column?: string;
  /** read cells are dates, and this part of them is the number */
  readonly part?: DatePart;
}

/** x ↦ log x, log(1 + x), √x, or the power transforms of Box and Cox, and of Yeo and Johnson */
export type Transform =
  | { readonly name: 'log' | 'log1p' | 'sqrt' }
  | { readonly name: 'box-cox' | 'yeo-johnson'; readonly lambda: number };

/**
 * A number through a curve: clipped, transformed, then one slot, or one for each function of a natural cubic spline; two more
 * (present, missing) when missing is `slot`.
 */
export interface CurveFeature extends Named, FromNumber {
  readonly kind: 'curve';
  readonly transform: Transform | null;
  /** restricted cubic spline of the transformed number: at least 3 knots, rising, knots.length − 1 slots; null: the number itself */
  readonly knots: readonly number[] | null;
  /** least and greatest number that is taken as it is, before the transform; null: no end */
  readonly low: number | null;
  readonly high: number | null;
  /** a number outside: is set to the nearest end, takes the value of a missing cell (`baseline`) or its slot, or is an error */
  readonly range: 'clip' | 'baseline' | 'slot' | 'error';
  readonly missing: 'slot' | 'baseline' | 'error';
  /** what a missing cell is, before the transform */
  readonly fill: number;
  /** least and greatest training value, for reports */
  readonly min: number;
  readonly max: number;
  /** of each slot of the curve: weighted mean and population standard deviation in training (1 when constant) */
  readonly means: readonly number[];
  readonly scales: readonly number[];
  /** unit of the penalty in units of `scales`: 1 standard, IQR/scale robust, 1/scale none */
  readonly units: readonly number[];
}

/** A number by the interval it falls into: bin i is [edges[i], edges[i + 1]), the last one closed. */
export interface BinnedFeature extends Coded, FromNumber {
  readonly kind: 'binned';
  /** rising, levels.length + 1 */
  readonly edges: readonly number[];
  /** a number outside the edges: is of the nearest bin, of the *unseen* slot, of the reference (`baseline`), or an error */
  readonly range: 'clip' | 'baseline' | 'slot' | 'error';
}

/** A part of a date as a category; levels are the numbers as text. */
export interface DatePartFeature extends Coded, Dated {
  readonly kind: 'date';
  readonly column?: string;
  readonly part: DatePart;
}

/**
 * A category by what its training rows had as outcome (target encoding): one slot, with more than two classes one a class.
 *
 *   value = (n·mean + m·prior)/(n + m),   m the smoothing
 */
export interface TargetFeature extends Named {
  readonly kind: 'target';
  readonly column?: string;
  readonly levels: readonly string[];
  readonly counts: readonly number[];
  /** of each class (one for two classes) the value of each level, then of *missing*, then of *unseen* */
  readonly values: readonly (readonly number[])[];
  readonly missing: 'slot' | 'baseline' | 'error';
  readonly unseen: 'baseline' | 'error';
  /** as of a CurveFeature; moments of the cross-fitted values */
  readonly means: readonly number[];
  readonly scales: readonly number[];
}

/**
 * A category, or a cross of several, by MurmurHash3 modulo `buckets`; the sign of the hash tells two slots of a bucket apart.
 * 2·buckets slots (those of a positive hash, then those of a negative one), then *missing*, then *unseen* (never taken).
 */
export interface HashedFeature extends Named {
  readonly kind: 'hashed';
  readonly column?: string;
  /** names of the features that are crossed; null: the column alone */
  readonly of: readonly string[] | null;
  readonly buckets: number;
  /** weight of the training rows per slot but the last */
  readonly counts: readonly number[];
  readonly missing: CodedMissing;
}

/** Pairs (triples, …) of levels of other features that occur in training; a level is those of the parts joined by " × ". */
export interface CrossFeature extends Coded {
  readonly kind: 'cross';
  /** names of two or more features with levels, crosses excepted */
  readonly of: readonly string[];
}

/** Words of a text, or tags of a list, counted: one slot for each level or bucket. */
export interface TokensFeature extends Named {
  readonly kind: 'tokens';
  readonly column?: string;
  /** words: runs of two or more letters, digits or _, in lower case; else the text between separators, or the entries of a list */
  readonly split: 'words' | { readonly separator: string };
  /** tokens with a slot of their own, others count as unseen; or as many slots as buckets, each token signed by its hash (`FeatureHasher`) */
  readonly tokens: readonly string[] | { readonly buckets: number };
  /** a missing cell has no token, or is an error */
  readonly missing: 'baseline' | 'error';
  readonly unseen: 'baseline' | 'error';
  /** most characters of a cell, separators of a list counted; absent: 2^20 */
  readonly maxText?: number;
  /** the penalty measures weights in standard deviations; absent: in counts */
  readonly scaling?: 'standard';
  readonly means: readonly number[];
  readonly scales: readonly number[];
}
