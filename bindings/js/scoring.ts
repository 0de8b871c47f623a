import type { Heap } from '../heap.ts';
import type { ScoringKernels } from '../kernels.ts';
import { BYTES, COLUMN_ENTRY_BYTES, KINDS } from '../layout.ts';
import { sigmoid } from './math.ts';

export type Numbers = Float32Array | Float64Array;
export type Codes = Uint8Array | Uint16Array | Uint32Array;

/** column j of a table, from row `first` on */
export function readColumn(heap: Heap, table: number, j: number, first: number) {
  const entry = (table + j * COLUMN_ENTRY_BYTES) >>> 2;
  const u32 = heap.u32;
  const kind = KINDS[u32[entry + 1]];
  return { coded: kind[0] === 'u', slot: u32[entry + 2], data: heap[kind].subarray(u32[entry] / BYTES[kind] + first) };
}

/** z[at + i] += x[i]·w for m rows */
export type Axpy = (x: Numbers | Codes, m: number, w: number, z: Numbers, at: number) => void;

const axpy: Axpy = (x, m, w, z, at) => {
  for (let i = 0; i < m; i++) z[at + i] += x[i] * w;
};

/** z[i] = b + Σ over columns, for n rows from row `first`: one running sum a row, columns in table order */
export const logitsColumns =
  (heap: Heap, kind: 'f32' | 'f64', add: Axpy): ScoringKernels['logitsColumnsF64'] =>
  (table, columns, first, n, w, wStride, b, k, z, zStride) => {
    const data = heap[kind];
    const shift = kind === 'f64' ? 3 : 2;
    for (let j = 0; j < k; j++) {
      const zAt = (z >>> shift) + j * zStride;
      data.fill(data[(b >>> shift) + j], zAt, zAt + n);
      for (let c = 0; c < columns; c++) {
        const { coded, slot, data: cells } = readColumn(heap, table, c, first);
        const at = (w >>> shift) + j * wStride + slot;
        if (coded) for (let i = 0; i < n; i++) data[zAt + i] += data[at + cells[i]];
        else add(cells, n, data[at], data, zAt);
      }
    }
  };

/**
 * The scoring kernels in JavaScript, over the same memory image as the WebAssembly module and with the same order of
 * operations: the fallback, and the reference that the differential tests judge by.
 */
export function jsScoringKernels(heap: Heap): ScoringKernels {
  return {
    sigmoidF64(z, n, out) {
      const { f64 } = heap;
      for (let i = 0; i < n; i++) f64[(out >>> 3) + i] = sigmoid(f64[(z >>> 3) + i]);
    },

    logitsRowsF64(x, stride, n, w, b, k, z, zStride) {
      const f64 = heap.f64;
      for (let i = 0; i < n; i++) {
        const p = (x >>> 3) + i * stride;
        for (let j = 0; j < k; j++) {
          const q = (w >>> 3) + j * stride;
          let even = 0;
          let odd = 0;
          for (let c = 0; c < stride; c += 2) {
            even += f64[p + c] * f64[q + c];
            odd += f64[p + c + 1] * f64[q + c + 1];
          }
          f64[(z >>> 3) + j * zStride + i] = even + odd + f64[(b >>> 3) + j];
        }
      }
    },

    logitsColumnsF64: logitsColumns(heap, 'f64', axpy),
  };
}
