/**
 * Stages around scoring, each for itself: `loadModel(bytes, { encoders, outcomes })` of `logodds/score` takes the ones its models
 * need, and what explains a score is a function of the model. `logodds` has them all.
 */
import { encoders } from './encode/kinds/index.ts';
import { f32 } from './model/narrow.ts';
import { outcomes } from './model/outcomes.ts';
import type { Stages } from './model/stages.ts';

export { slotNames } from './encode/slots.ts';
export {
  type Contribution,
  type Explainer,
  type Explanation,
  explain,
  explainClasses,
  explainer,
  type TopContributions,
} from './explain/contributions.ts';
export {
  classIntervals,
  interval,
  intervals,
  type ProbabilityInterval,
  type ProbabilityIntervals,
} from './explain/interval.ts';
export { type OddsRatio, oddsRatios } from './explain/odds.ts';
export { type ColumnRange, countOutOfRange, type OutOfRange, rangesOf } from './explain/ranges.ts';
export { type Reason, type ReasonOptions, reasons } from './explain/reasons.ts';
export { type WhatIf, whatIf } from './explain/whatIf.ts';
export { encoders, f32, outcomes };

/** All that a model may need. */
export const allStages: Stages = { encoders, outcomes, f32 };
