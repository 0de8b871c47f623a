/**
 * Parts of the engine, for programs that build on them: functions of the kernels, batches, likelihoods, the encoder. They may change in a minor version.
 * @module
 */
export type { BinomialTarget, MultinomialTarget } from '../bindings/batchLikelihood.ts';
export { ColumnsBatch } from '../bindings/columnsBatch.ts';
export { Ftrl, type FtrlOptions, type FtrlState } from '../bindings/ftrl.ts';
export { exp, log1p, sigmoid, sigmoidF32, softplus } from '../bindings/js/math.ts';
export { planeStride } from '../bindings/layout.ts';
export type { Likelihood, LikelihoodPoint } from '../bindings/likelihood.ts';
export { RowsBatch } from '../bindings/rowsBatch.ts';
export { SparseBatch, type SparseRows } from '../bindings/sparseBatch.ts';
export { Vector } from '../bindings/vector.ts';
export { Weights } from '../bindings/weights.ts';
export { Encoder } from './encode/encoder.ts';
export { sortLabels } from './encode/infer.ts';
export { canonicalLabel } from './encode/label.ts';
export { slotNames } from './encode/slots.ts';
export { normalQuantile } from './math/normal.ts';
export { thinCurve } from './metrics/curves.ts';
export { hashIndex } from './online/hash.ts';
