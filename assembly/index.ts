/* The full module: scoring and training. */
export {
  addF64,
  binomialLoss,
  expF32,
  expF64,
  multinomialCurvature,
  multinomialLoss,
  multiplyF64,
  sigmoidF32,
  sigmoidF64,
  softmaxF32,
  softmaxF64,
  softplusF32,
  softplusF64,
  sumF64,
  widenU8,
} from './elementwise';
export {
  hessianRowsF32,
  hessianRowsF64,
  logitsRowsF32,
  logitsRowsF64,
  logitsRowsWide,
  transposeRowsF32,
  transposeRowsF64,
} from './rows';
export { exceeds, hessianColumns, decodeColumns, logitsColumnsF32, logitsColumnsF64, transposeColumns } from './columns';
export { ftrlColumns, ftrlSparse } from './ftrl';
export { momentsRowsF32, momentsRowsF64, scaleRowsF32, scaleRowsF64 } from './scale';
export { hessianSparse, logitsSparseF32, logitsSparseF64, logitsSparseWide, transposeSparse } from './sparse';
export { abiVersion, heapBase } from './host';
