import { logits as logitsColumns } from './columns';
import { logits as logitsRows } from './rows';

/* The module of `logodds/score`: what scoring a record or a table in f64 calls and nothing else, from the same source as the full one. */
export { sigmoidF64 } from './elementwise';
export { abiVersion, heapBase } from './host';

/** see `logits` in rows.ts */
export function logitsRowsF64(x: usize, stride: u32, n: u32, w: usize, b: usize, k: u32, z: usize, zStride: u32): void {
  logitsRows<f64>(x, stride, n, w, b, k, z, zStride, false);
}

/** see `logits` in columns.ts */
export function logitsColumnsF64(
  table: usize, columns: u32, first: u32, n: u32, w: usize, wStride: u32, b: usize, k: u32, z: usize, zStride: u32,
): void {
  logitsColumns<f64>(table, columns, first, n, w, wStride, b, k, z, zStride, false);
}
