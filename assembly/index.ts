export { addF64, binomialLoss, sigmoidF32, sigmoidF64, sumF64 } from './elementwise';
export { hessianRowsF32, hessianRowsF64, logitsRowsF32, logitsRowsF64, lossGradientRowsF32, lossGradientRowsF64 } from './rows';
export { hessianColumns, logitsColumnsF32, logitsColumnsF64, lossGradientColumns } from './columns';

/** Version of these exports and of the memory layouts they read; docs and hosts name it. */
export function abiVersion(): u32 {
  return 1;
}

/** The first address a host may use: everything below belongs to the module. */
export function heapBase(): usize {
  return __heap_base;
}
