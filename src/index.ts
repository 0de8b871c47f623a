/**
 * Fit, understand, save and score models: what a program of logistic regression needs. Parts of these have entries of their own.
 *
 * The examples here and in the other entries run in a test. There `records` are 30 flights { distance, origin, late }, `table` is a table of them, `model`
 * a fit to them, `flight` is { distance: 1200, origin: 'LAS' }, `bytes` is the saved model, and `engine` an engine of `pickEngine`.
 * @module
 */
export { Engine, pickEngine } from '../bindings/engine.ts';
export { diagnose } from './diagnose/doctor.ts';
export type { Finding, FindingCode, Severity } from './diagnose/finding.ts';
export type { Data } from './encode/checkedTable.ts';
export type * from './encode/declare.ts';
export { checkDeclaration } from './encode/declare.ts';
export { type InferOptions, inferSchema } from './encode/infer.ts';
export { tableFromRecords } from './encode/records.ts';
export { sliceTable, splitTable } from './encode/split.ts';
export * from './explain.ts';
export { loadModel } from './load.ts';
export { type Coefficient, coefficients } from './model/coefficients.ts';
export { type Field, type FieldType, type InputSchema, inputSchema, inputType } from './model/fields.ts';
export { saveModel } from './model/file.ts';
export { FittedModel as Model } from './model/fittedModel.ts';
export { scoreBatch } from './model/scoreBatch.ts';
export { stackModels } from './model/stacked.ts';
export { type Learnt, OnlineLearner, type OnlineOptions, type StartOptions } from './online/learner.ts';
export * from './scoring.ts';
export { calibrate, type HoldoutOptions } from './train/calibrated.ts';
export {
  type CrossValidation,
  type CrossValidationOptions,
  crossValidate,
  type ScoreName,
  type ValidatedStep,
  type ValidationOptions,
} from './train/crossValidate.ts';
export { type DomainOptions, type DomainShift, domainShift } from './train/domain.ts';
export { type FitResult, fit } from './train/fit.ts';
export type {
  CalibrateOptions,
  DecideOption,
  FitExtras,
  FitOptions,
  FitPhase,
  Prior,
  ReviewOption,
  SolverOptions,
} from './train/fitOptions.ts';
export type { FoldingOptions } from './train/folding.ts';
export type { BootstrapOptions, InferenceOptions } from './train/inferenceOptions.ts';
export {
  fitMatrix,
  type MatrixDataOptions,
  type MatrixFit,
  type MatrixOptions,
  type MatrixPenaltyOptions,
  type PenaltyByColumn,
} from './train/matrix.ts';
export type { DenseMatrix, SparseMatrix } from './train/matrixData.ts';
export { type OutOfFold, outOfFold } from './train/outOfFold.ts';
export {
  fitPath,
  type PathOptions,
  type PathPenaltyOptions,
  type PathStep,
  type RegularizationPath,
  type StrengthsOptions,
} from './train/path.ts';
export type {
  PenaltyByFeature,
  PenaltyKind,
  PenaltyOption,
  PenaltyOptions,
  Strength,
} from './train/penaltyOptions.ts';
export type { DataOptions, WeightKind } from './train/problem/options.ts';
