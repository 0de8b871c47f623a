/** What explains a score: functions of a model. */
export {
  type Contribution,
  type Explainer,
  type Explanation,
  explain,
  explainer,
  type TopContributions,
} from './explain/contributions.ts';
export { interval, type ProbabilityInterval, type ProbabilityIntervals } from './explain/interval.ts';
export { type OddsRatio, oddsRatios } from './explain/odds.ts';
export { type ColumnRange, countOutOfRange, type OutOfRange, rangesOf } from './explain/ranges.ts';
export { type Reason, type ReasonOptions, reasons } from './explain/reasons.ts';
export { type WhatIf, whatIf } from './explain/whatIf.ts';
