/**
 * Sequential tests, confidence sequences and the statistics of experiments: they may be looked at after every request. Pure: no clock, no randomness.
 * @module
 */

export { chiSquareTail } from './math/chiSquare.ts';
export type { Alternative, Interval, SequentialTest } from './monitor/check.ts';
export * from './monitor/cuped.ts';
export type { DriftFigure, DriftTests } from './monitor/drift/compare.ts';
export { hellinger, jensenShannon, klDivergence, wasserstein } from './monitor/drift/distances.ts';
export * from './monitor/drift/drift.ts';
export * from './monitor/drift/peers.ts';
export type { FeatureShift, LogitShift, SlotShift } from './monitor/drift/shift.ts';
export * from './monitor/drift/tests.ts';
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
export { type Baseline, baselineOf, withBaseline } from './monitor/summary/baseline.ts';
export type { NumberBins } from './monitor/summary/bins.ts';
export type { SummaryOptions } from './monitor/summary/cells.ts';
export type { LabelShare, SampledLabel } from './monitor/summary/labels.ts';
export type { SummaryBins } from './monitor/summary/layout.ts';
export type { NumberState } from './monitor/summary/numberColumn.ts';
export { binsOfData, summarise, summary } from './monitor/summary/summarise.ts';
export { type FeatureSummary, Summary, type SummaryState } from './monitor/summary/summary.ts';
export { WatchedModel, watch } from './monitor/summary/watch.ts';
export { type Window, type WindowOptions, Windows, type WindowsState, windows } from './monitor/summary/windows.ts';
