import type { Heap } from '../heap.ts';
import { COLUMN_ENTRY_BYTES, COLUMN_KIND, type ScoringKernels } from '../kernels.ts';
import { sigmoid, sigmoidF32 } from './math.ts';

export type Numbers = Float32Array | Float64Array;
export type Codes = Uint8Array | Uint16Array | Uint32Array;

/** by column kind: bytes a value, and the view of the whole memory it is read through */
const COLUMN_VIEWS: readonly ((heap: Heap) => [number, Numbers | Codes])[] = [
  (heap) => [4, heap.f32],
  (heap) => [8, heap.f64],
  (heap) => [1, heap.u8],
  (heap) => [2, heap.u16],
  (heap) => [4, heap.u32],
];

/** column j of a table, from row `first` on */
export function readColumn(heap: Heap, table: number, j: number, first: number) {
  const entry = (table + j * COLUMN_ENTRY_BYTES) >>> 2;
  const u32 = heap.u32;
  const kind = u32[entry + 1];
  const [bytes, data] = COLUMN_VIEWS[kind](heap);
  return { kind, bytes, slot: u32[entry + 2], limit: u32[entry + 3], data: data.subarray(u32[entry] / bytes + first) };
}

/** z[i] = b + Σ over columns, for m rows from row `first`: one running sum a row, columns in table order */
function logitsPlane(
  heap: Heap,
  table: number,
  columns: number,
  first: number,
  m: number,
  w: Numbers,
  wAt: number,
  b: number,
  z: Numbers,
  zAt: number,
): void {
  z.fill(b, zAt, zAt + m);
  for (let j = 0; j < columns; j++) {
    const { kind, slot, data } = readColumn(heap, table, j, first);
    const at = wAt + slot;
    if (kind > COLUMN_KIND.f64) for (let i = 0; i < m; i++) z[zAt + i] += w[at + data[i]];
    else if (z instanceof Float32Array) {
      for (let i = 0; i < m; i++) z[zAt + i] += Math.fround(data[i] * w[at]);
    } else for (let i = 0; i < m; i++) z[zAt + i] += data[i] * w[at];
  }
}

/**
 * The scoring kernels in JavaScript, over the same memory image as the WebAssembly module and with the same order of
 * operations: the fallback, and the reference that the differential tests judge by.
 */
export function jsScoringKernels(heap: Heap): ScoringKernels {
  const logitsColumns =
    (view: (heap: Heap) => Numbers, shift: number): ScoringKernels['logitsColumnsF64'] =>
    (table, columns, first, n, w, wStride, b, k, z, zStride) => {
      const data = view(heap);
      for (let j = 0; j < k; j++) {
        const wAt = (w >>> shift) + j * wStride;
        logitsPlane(
          heap,
          table,
          columns,
          first,
          n,
          data,
          wAt,
          data[(b >>> shift) + j],
          data,
          (z >>> shift) + j * zStride,
        );
      }
    };

  const each =
    (view: (heap: Heap) => Numbers, shift: number, f: (z: number) => number): ScoringKernels['sigmoidF64'] =>
    (z, n, out) => {
      const data = view(heap);
      for (let i = 0; i < n; i++) data[(out >>> shift) + i] = f(data[(z >>> shift) + i]);
    };

  return {
    heapBase: () => 16,

    sigmoidF32: each((h) => h.f32, 2, sigmoidF32),
    sigmoidF64: each((h) => h.f64, 3, sigmoid),

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

    exceeds(table, columns, first, n) {
      for (let j = 0; j < columns; j++) {
        const { kind, bytes, limit, data } = readColumn(heap, table, j, first);
        // whole vectors of 16 bytes, as the module
        if (kind > COLUMN_KIND.f64) for (let i = 0; i < n || (i * bytes) % 16; i++) if (data[i] > limit) return true;
      }
      return false;
    },

    logitsColumnsF32: logitsColumns((h) => h.f32, 2),
    logitsColumnsF64: logitsColumns((h) => h.f64, 3),
  };
}
