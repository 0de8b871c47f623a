/* The full module: scoring and training. */
export { addF64, binomialLoss, sigmoidF32, sigmoidF64, sumF64 } from './elementwise';
export { hessianRowsF32, hessianRowsF64, logitsRowsF32, logitsRowsF64, lossGradientRowsF32, lossGradientRowsF64 } from './rows';
export { hessianColumns, logitsColumnsF32, logitsColumnsF64, lossGradientColumns } from './columns';
export { abiVersion, heapBase } from './host';
