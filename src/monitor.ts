/**
 * Sequential tests, confidence sequences and the statistics of experiments: they may be looked at after every request. Pure: no clock, no randomness.
 * @module
 */

export { chiSquareTail } from './math/chiSquare.ts';
// what becomes of scores: logs, labels, performanceOf, change, quality
export {
  type Change,
  ChangeTest,
  type ChangeTestOptions,
  type ChangeTestState,
  changeTest,
} from './monitor/change/changeTest.ts';
export {
  PerformanceWatch,
  type PerformanceWatchOptions,
  performanceWatch,
  type WatchedFigure,
  type WatchedState,
} from './monitor/change/performanceWatch.ts';
export type { Alternative, Interval, SequentialTest } from './monitor/check.ts';
export * from './monitor/cuped.ts';
export type { DriftFigure, DriftTests } from './monitor/drift/compare.ts';
export { hellinger, jensenShannon, klDivergence, wasserstein } from './monitor/drift/distances.ts';
export * from './monitor/drift/drift.ts';
export * from './monitor/drift/peers.ts';
export type { FeatureShift, LogitShift, SlotShift } from './monitor/drift/shift.ts';
export * from './monitor/drift/tests.ts';
export * from './monitor/labels/delay.ts';
export {
  type Joinable,
  type JoinCounts,
  type Joined,
  type JoinedRow,
  LabelJoin,
  type LabelJoinOptions,
  type LabelJoinState,
  labelJoin,
} from './monitor/labels/join.ts';
export {
  type LabelledPart,
  type LabelSelection,
  labelSelection,
  type SelectionOptions,
} from './monitor/labels/selection.ts';
export {
  type Line,
  type LineFault,
  labelOf,
  type OutcomeLabel,
  type Prediction,
  predictionOf,
} from './monitor/log/prediction.ts';
export {
  type CountedFault,
  type LineCounts,
  type LogOptions,
  LogReader,
  labelLog,
  predictionLog,
} from './monitor/log/reader.ts';
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
export type { WatchChange } from './monitor/model/changes.ts';
export type { WatchFigure } from './monitor/model/figures.ts';
export type { FeatureFreshness, FreshnessState } from './monitor/model/freshness.ts';
export { ModelWatch, type ModelWatchState, modelWatch } from './monitor/model/modelWatch.ts';
export type { WatchedRows } from './monitor/model/read.ts';
export type { WatchNote, WatchReport, WindowPerformance, WindowReport } from './monitor/model/reported.ts';
export type { LabelDelays } from './monitor/model/ripeness.ts';
export type { WatchSequence } from './monitor/model/sequences.ts';
export type { ModelWatchOptions } from './monitor/model/settings.ts';
export type { SkewState } from './monitor/model/skew.ts';
export type { HeldScore } from './monitor/model/watched.ts';
export type { OutcomesState, WatchWindowState } from './monitor/model/window.ts';
export {
  type Estimated,
  type EstimatedPerformance,
  type EstimateOptions,
  type Estimator,
  estimatePerformance,
  fitEstimator,
} from './monitor/performance/estimate.ts';
export {
  type HistogramPerformance,
  PerformanceHistogram,
  type PerformanceHistogramOptions,
  type PerformanceHistogramState,
  performanceHistogram,
} from './monitor/performance/histogram.ts';
export {
  type AtTop,
  type GroupPerformance,
  type OutcomeCosts,
  type PerformanceOptions,
  performanceByGroup,
  performanceOf,
  type RealisedPerformance,
} from './monitor/performance/measure.ts';
export {
  type PerformanceWindow,
  type PerformanceWindowOptions,
  type PerformanceWindows,
  performanceWindows,
  type Scored,
} from './monitor/performance/windows.ts';
export {
  type FieldQuality,
  type FieldRule,
  RecordQuality,
  type RecordQualityOptions,
  type RecordQualityState,
  recordQuality,
} from './monitor/quality/records.ts';
export {
  encoderSkew,
  type Rescored,
  type ScoreSkew,
  type SlotSkew,
  type SlotStatistics,
  scoreSkew,
} from './monitor/quality/skew.ts';
export { type Volume, volumeTest } from './monitor/quality/volume.ts';
export * from './monitor/rateDifference.ts';
export * from './monitor/sampleRatio.ts';
export * from './monitor/shareTest.ts';
export { type Baseline, type BaselineOptions, baselineOf, withBaseline } from './monitor/summary/baseline.ts';
export type { NumberBins } from './monitor/summary/bins.ts';
export type { SummaryOptions } from './monitor/summary/cells.ts';
export {
  type Distribution,
  distributionsOf,
  type LevelDistribution,
  type NumberDistribution,
  scoreDistribution,
} from './monitor/summary/distribution.ts';
export type { LabelShare, SampledLabel } from './monitor/summary/labels.ts';
export type { SummaryBins } from './monitor/summary/layout.ts';
export type { NumberState } from './monitor/summary/numberColumn.ts';
export { binsOfData, summarise, summary } from './monitor/summary/summarise.ts';
export { type FeatureSummary, Summary, type SummaryState } from './monitor/summary/summary.ts';
export { WatchedModel, watch } from './monitor/summary/watch.ts';
export { type Window, type WindowOptions, Windows, type WindowsState, windows } from './monitor/summary/windows.ts';
