/**
 * The schema of a model: its features in order, with everything the encoder needs.
 * It is plain JSON and travels inside the model file.
 */
export interface Schema {
  readonly features: readonly Feature[];
}

/** One feature of a schema; `kind` says which. */
export type Feature = NumericFeature | CategoricalFeature;

/** One slot (the number), and two more (present, missing) when `indicator` is true. */
export interface NumericFeature {
  readonly name: string;
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

/** levels.length + 2 slots: the levels in order, then *missing*, then *unseen*. */
export interface CategoricalFeature {
  readonly name: string;
  readonly kind: 'categorical';
  readonly levels: readonly string[];
  /** weight of the training rows per level, then of those missing; plain row counts when trained without weights */
  readonly counts: readonly number[];
  /** `treatment`: the reference level has weight 0; `onehot`: every level has a weight */
  readonly coding: 'onehot' | 'treatment';
  /** index into levels under treatment coding, else null */
  readonly reference: number | null;
  /** a missing cell takes the *missing* slot, or the most frequent level */
  readonly missing: 'slot' | 'mode';
  /** an unseen value takes the *unseen* slot (weight 0), or is an error */
  readonly unseen: 'slot' | 'error';
}
