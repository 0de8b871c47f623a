import type { Likelihood } from '../../../bindings/likelihood.ts';
import type { SlotProfile } from './slotProfile.ts';
import type { Slots } from './slots.ts';
import type { Standardisation } from './standardise.ts';
import type { TargetNumbers } from './target.ts';

/** Rows and weights of the outcomes. */
export interface Outcomes {
  /** rows of positive weight */
  readonly rows: number;
  /** Σ s of each class, class weights included; only of the positive class if there is one weight vector */
  readonly share: Float64Array;
  /** Σ s, class weights included */
  readonly total: number;
}

/** One likelihood over an encoded data set, with the facts about both that do not depend on the penalty. */
export interface Task {
  readonly likelihood: Likelihood;
  /** the parameters of a class are its slots, then its intercept */
  readonly slots: Slots;
  readonly profile: SlotProfile;
  /** sums of the outcomes; absent: from y and weight */
  readonly outcomes?: Outcomes;
  readonly standard: Standardisation;
  /** of the rows, as `weight`, `offset`, `unit` and `copies`; empty where they are on other machines (`Likelihood.elsewhere`). One class weight vector: share of the positive class in each row; several: the class */
  readonly y: TargetNumbers;
  /** sample weight times class weight, as in the likelihood; null: ones */
  readonly weight: Float64Array | null;
  readonly offset: Float64Array | null;
  /** S, before class weights */
  readonly totalWeight: number;
  /** stored cells of a row: numbers, and codes of categories */
  readonly cells: number;
  /** weight of each observation that a row represents; null: ones, so weights count observations */
  readonly unit: Float64Array | null;
  /** number of identical rows that a row represents, if weights count rows; null: ones */
  readonly copies: Float64Array | null;
  /** smallest 1 − R² on earlier columns that rounding allows to detect; absent: that of sums in f64 */
  readonly rankTolerance?: number;
}
