import { logits } from './rows';

/* The module of `logodds/score`: what scoring a record or a table calls and nothing else, from the same source as the full one. */
export { sigmoidF32, sigmoidF64 } from './elementwise';
export { exceeds, logitsColumnsF32, logitsColumnsF64 } from './columns';
export { abiVersion, heapBase } from './host';

/** see `logits` in rows.ts */
export function logitsRowsF32(x: usize, stride: u32, n: u32, w: usize, b: usize, k: u32, z: usize, zStride: u32): void {
  logits<f32>(x, stride, n, w, b, k, z, zStride, false);
}

/** see `logits` in rows.ts */
export function logitsRowsF64(x: usize, stride: u32, n: u32, w: usize, b: usize, k: u32, z: usize, zStride: u32): void {
  logits<f64>(x, stride, n, w, b, k, z, zStride, false);
}
