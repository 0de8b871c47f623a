/** What every scoring entry has; the entries (score.ts, slim.ts, js.ts) differ in where their engine comes from. */
export type { Batch } from '../bindings/batch.ts';
export type { ColumnSpec, ColumnsBatch } from '../bindings/columnsBatch.ts';
export {
  type ErrorCode,
  type ErrorParts,
  type FieldProblem,
  type FormatReason,
  LogoddsError,
} from '../bindings/errors.ts';
export type { NumbersOf, Precision } from '../bindings/layout.ts';
export type { RowsBatch } from '../bindings/rowsBatch.ts';
export { type EngineName, ScoringEngine as Engine } from '../bindings/scoring.ts';
export type { Vector } from '../bindings/vector.ts';
export type { Weights } from '../bindings/weights.ts';
export type * from './calibrate/calibration.ts';
export type * from './decide/decision.ts';
export type { EncodeOptions, Encoder, SlotName } from './encode/encoder.ts';
export type * from './encode/schema.ts';
export type { CodedColumn, Column, NumericColumn, Table } from './encode/table.ts';
export { loadModel, type ModelBytes } from './model/file.ts';
export type {
  BootstrapInterval,
  BootstrapReport,
  ChiSquareTest,
  FeatureTest,
  FitReason,
  FitReport,
  FitStatistics,
  InferenceReport,
  Manifest,
  Multiclass,
  ObjectiveReport,
  ProfileInterval,
  StackedBase,
  StackReport,
  Warning,
} from './model/manifest.ts';
export { Model, type ModelParts } from './model/model.ts';
export type { Scorer, ScorerOptions, TableOptions } from './model/scorer.ts';
export type { RecordError, RecordScore, Scores } from './model/scores.ts';
export type { NarrowStage, OutcomeStage, Stages } from './model/stages.ts';
