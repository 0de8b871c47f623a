import type { WeightKind } from './options.ts';
import type { Target } from './target.ts';

/** What is known of every row besides its features. */
export interface RowVectors {
  readonly target: Target;
  readonly kind: 'binomial' | 'multinomial' | 'ovr';
  /** binomial: share of the positive class, 0 to 1; else the class of each row */
  readonly y: Float64Array;
  /** sample weight times trials, before class weights; null: ones */
  readonly sampleWeight: Float64Array | null;
  /** the same times the class weight, as in the likelihood */
  readonly weight: Float64Array | null;
  readonly offset: Float64Array | null;
  readonly weightKind: WeightKind;
  /** how many observations a row stands for: its trials, times its weight where weights count rows; 0 without weight; null: ones */
  readonly counts: Float64Array | null;
  /** weight of each of these observations: class weights and sampling weights; null: ones, so weights count observations */
  readonly unit: Float64Array | null;
}
