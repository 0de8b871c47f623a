import type { Heap } from '../heap.ts';
import type { Kernels } from '../kernels.ts';
import { sigmoidF32 } from './math.ts';
import { type Axpy, logitsColumns } from './scoring.ts';

const axpy: Axpy = (x, m, w, z, at) => {
  for (let i = 0; i < m; i++) z[at + i] += Math.fround(x[i] * w);
};

/** The scoring kernels of f32 in JavaScript, beside those of f64. @see jsScoringKernels */
export function jsNarrowKernels(heap: Heap): Pick<Kernels, 'sigmoidF32' | 'logitsRowsF32' | 'logitsColumnsF32'> {
  return {
    sigmoidF32(z, n, out) {
      const { f32 } = heap;
      for (let i = 0; i < n; i++) f32[(out >>> 2) + i] = sigmoidF32(f32[(z >>> 2) + i]);
    },

    logitsRowsF32(x, stride, n, w, b, k, z, zStride) {
      const f32 = heap.f32;
      const { fround } = Math;
      for (let i = 0; i < n; i++) {
        const p = (x >>> 2) + i * stride;
        for (let j = 0; j < k; j++) {
          const q = (w >>> 2) + j * stride;
          let l0 = fround(0);
          let l1 = l0;
          let l2 = l0;
          let l3 = l0;
          for (let c = 0; c < stride; c += 4) {
            l0 = fround(l0 + fround(f32[p + c] * f32[q + c]));
            l1 = fround(l1 + fround(f32[p + c + 1] * f32[q + c + 1]));
            l2 = fround(l2 + fround(f32[p + c + 2] * f32[q + c + 2]));
            l3 = fround(l3 + fround(f32[p + c + 3] * f32[q + c + 3]));
          }
          f32[(z >>> 2) + j * zStride + i] = fround(fround(fround(l0 + l1) + fround(l2 + l3)) + f32[(b >>> 2) + j]);
        }
      }
    },

    logitsColumnsF32: logitsColumns(heap, 'f32', axpy),
  };
}
