export type { BinomialTarget, MultinomialTarget } from '../bindings/batchLikelihood.ts';
export { Engine, pickEngine } from '../bindings/engine.ts';
export { Ftrl, type FtrlOptions, type FtrlState } from '../bindings/ftrl.ts';
export { exp, log1p, sigmoid, sigmoidF32, softplus } from '../bindings/js/math.ts';
export type { Likelihood } from '../bindings/likelihood.ts';
export { SparseBatch, type SparseRows } from '../bindings/sparse.ts';
export type { Finding, FindingCode, Severity } from './diagnose/finding.ts';
export { type InferOptions, inferSchema, sortLabels } from './encode/infer.ts';
export { canonicalLabel } from './encode/label.ts';
export { tableFromRecords } from './encode/records.ts';
export { sliceTable, splitTable } from './encode/split.ts';
export * from './metrics/binary.ts';
export * from './metrics/multiclass.ts';
export { type Coefficient, coefficients } from './model/coefficients.ts';
export { saveModel } from './model/file.ts';
export { hashIndex } from './online/hash.ts';
export { type Learnt, OnlineLearner, type OnlineOptions, type StartOptions } from './online/learner.ts';
export * from './score.ts';
export { type BootstrapOptions, bootstrap } from './train/bootstrap.ts';
export {
  type CrossValidation,
  type CrossValidationOptions,
  crossValidate,
  type ScoreName,
  type ValidatedStep,
} from './train/crossValidate.ts';
export { diagnose } from './train/doctor.ts';
export { type FitOptions, fit, type PenaltyOptions, type SolverOptions } from './train/fit.ts';
export {
  type DenseMatrix,
  fitMatrix,
  type MatrixFit,
  type MatrixOptions,
  type SparseMatrix,
} from './train/matrix.ts';
export { fitPath, type PathOptions, type PathStep, type RegularizationPath } from './train/path.ts';
export type { DataOptions } from './train/prepare.ts';
