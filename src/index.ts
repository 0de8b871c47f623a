export type { BinomialTarget, MultinomialTarget } from '../bindings/batchLikelihood.ts';
export { Engine, pickEngine } from '../bindings/engine.ts';
export { Ftrl, type FtrlOptions, type FtrlState } from '../bindings/ftrl.ts';
export { exp, log1p, sigmoid, sigmoidF32, softplus } from '../bindings/js/math.ts';
export type { Likelihood } from '../bindings/likelihood.ts';
export { SparseBatch, type SparseRows } from '../bindings/sparseBatch.ts';
export { applyCalibration, calibratedProbability } from './calibrate/apply.ts';
export {
  CALIBRATION_METHODS,
  type CalibrationMethod,
  type CalibrationSource,
  fitCalibration,
  fitCalibrator,
  priorShift,
} from './calibrate/fit.ts';
export { abstainByCost, abstainByShare, type Band } from './decide/abstain.ts';
export { type Criterion, chooseThreshold, type JudgedRows } from './decide/choose.ts';
export {
  type Costs,
  costThreshold,
  decideByRowCosts,
  decisionByCosts,
  type RowCosts,
  type RowDecisions,
} from './decide/costs.ts';
export { diagnose } from './diagnose/doctor.ts';
export type { Finding, FindingCode, Severity } from './diagnose/finding.ts';
export type * from './encode/declare.ts';
export { checkDeclaration } from './encode/declare.ts';
export { type InferOptions, inferSchema, sortLabels } from './encode/infer.ts';
export { canonicalLabel } from './encode/label.ts';
export { tableFromRecords } from './encode/records.ts';
export { sliceTable, splitTable } from './encode/split.ts';
export { loadModel } from './load.ts';
export { normalQuantile } from './math/normal.ts';
export * from './metrics/binary.ts';
export * from './metrics/confusion.ts';
export * from './metrics/curves.ts';
export * from './metrics/groups.ts';
export * from './metrics/interval.ts';
export * from './metrics/multiclass.ts';
export * from './metrics/probabilities.ts';
export { type Coefficient, coefficients } from './model/coefficients.ts';
export { saveModel } from './model/file.ts';
export { hashIndex } from './online/hash.ts';
export { type Learnt, OnlineLearner, type OnlineOptions, type StartOptions } from './online/learner.ts';
export * from './scoring.ts';
export * from './stages.ts';
export { type BootstrapOptions, bootstrap } from './train/bootstrap.ts';
export {
  type CalibratedOptions,
  type CalibrateOptions,
  calibrateModel,
  fitCalibrated,
  type HoldoutOptions,
  type Prior,
  withCalibration,
} from './train/calibrated.ts';
export {
  type CrossValidation,
  type CrossValidationOptions,
  crossValidate,
  type ScoreName,
  type ValidatedStep,
} from './train/crossValidate.ts';
export { chooseDecision, chooseReview, withDecision } from './train/decided.ts';
export { fit } from './train/fit.ts';
export type { FitOptions, PenaltyOptions, SolverOptions } from './train/fitOptions.ts';
export {
  type DenseMatrix,
  fitMatrix,
  type MatrixFit,
  type MatrixOptions,
  type SparseMatrix,
} from './train/matrix.ts';
export { type FoldingOptions, type OutOfFold, outOfFold } from './train/outOfFold.ts';
export { fitPath, type PathOptions, type PathStep, type RegularizationPath } from './train/path.ts';
export type { DataOptions } from './train/problem/options.ts';
