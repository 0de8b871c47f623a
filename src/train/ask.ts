import type { Warning } from '../model/manifest.ts';
import type { Estimated, EstimateSettings } from './inference/estimate.ts';
import type { Problem, View } from './problem/problem.ts';
import type { Penalty } from './solve/types.ts';

/** A fit while its data are at hand. */
export interface Fit {
  readonly problem: Problem;
  readonly view: View;
  readonly fitted: readonly Estimated[];
  readonly penalty: Penalty;
  readonly settings: EstimateSettings;
}

/** What is asked of a fit beside the model. */
export type Ask = (fit: Fit) => { readonly warnings: readonly Warning[] };
