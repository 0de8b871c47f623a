import type { Likelihood } from '../../../bindings/likelihood.ts';
import type { SlotProfile } from './slotProfile.ts';
import type { Slots } from './slots.ts';
import type { Standardisation } from './standardise.ts';

/** One likelihood over an encoded data set, and what is known of both before a penalty is chosen. */
export interface Task {
  readonly likelihood: Likelihood;
  /** the parameters of a class are its slots, then its intercept */
  readonly slots: Slots;
  readonly profile: SlotProfile;
  readonly standard: Standardisation;
  /** one class weight vector: share of the positive class in each row; several: the class */
  readonly y: Float64Array;
  /** sample weight times class weight, as in the likelihood; null: ones */
  readonly weight: Float64Array | null;
  readonly offset: Float64Array | null;
  /** S, before class weights */
  readonly totalWeight: number;
  /** stored cells of a row: numbers, and codes of categories */
  readonly cells: number;
  /** weight of each of the observations that a row stands for; null: ones, so weights count observations */
  readonly unit: Float64Array | null;
  /** how many rows like it a row stands for, where weights count rows; null: ones */
  readonly copies: Float64Array | null;
  /** least 1 − R² on earlier columns that rounding lets be told; absent: that of sums of f64 */
  readonly rankTolerance?: number;
}
