/**
 * Sequential tests, confidence sequences and the statistics of experiments: they may be looked at after every request. Pure: no clock, no randomness.
 * @module
 */
export type { Alternative, Interval, SequentialTest } from './monitor/check.ts';
export * from './monitor/cuped.ts';
export {
  type AdjustedEstimate,
  type DifferenceEstimate,
  type FixedHorizon,
  MeanDifference,
  type MeanDifferenceOptions,
  type MeanDifferenceState,
  meanDifference,
} from './monitor/meanDifference.ts';
export {
  type Bounds,
  MeanSequence,
  type MeanSequenceOptions,
  type MeanSequenceState,
  meanSequence,
} from './monitor/meanSequence.ts';
export { MeanTest, type MeanTestOptions, type MeanTestState, meanTest } from './monitor/meanTest.ts';
export * from './monitor/rateDifference.ts';
export * from './monitor/sampleRatio.ts';
export * from './monitor/shareTest.ts';
export { chiSquareTail } from './math/chiSquare.ts';
