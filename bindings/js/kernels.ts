import type { Heap } from '../heap.ts';
import {
  type Elementwise,
  HESSIAN_BLOCK,
  type HessianRows,
  type Kernels,
  type LogitsSparse,
  type MomentsRows,
  PANEL,
  PRODUCT,
  type ScaleRows,
  type TransposeRows,
} from '../kernels.ts';
import { BYTES, COLUMN_ENTRY_BYTES, DICTIONARY, KINDS } from '../layout.ts';
import { jsFtrl } from './ftrl.ts';
import { exp, expForFloat, expOfMinus, log, log1p, log1pOfProduct, softmax, softplus } from './math.ts';
import { jsNarrowKernels } from './narrow.ts';
import { jsScoringKernels, type Numbers, readColumn } from './scoring.ts';

/** All kernels in JavaScript: those of training beside those of scoring. @see jsScoringKernels */
export function jsKernels(heap: Heap): Kernels {
  const elementwise =
    (view: (heap: Heap) => Numbers, shift: number, f: (z: number) => number): Elementwise =>
    (z, n, out) => {
      const data = view(heap);
      for (let i = 0; i < n; i++) data[(out >>> shift) + i] = f(data[(z >>> shift) + i]);
    };

  const sumF64 = (x: number, n: number): number => {
    const f64 = heap.f64;
    const at = x >>> 3;
    let even = 0;
    let odd = 0;
    for (let i = 0; i < n; i++) {
      if (i & 1) odd += f64[at + i];
      else even += f64[at + i];
    }
    return even + odd;
  };

  const addSums = (r: number, rStride: number, n: number, k: number, g: number, gStride: number, last: number) => {
    for (let j = 0; j < k; j++) heap.f64[(g >>> 3) + j * gStride + last] += sumF64(r + j * rStride * 8, n);
  };

  const transposeRows =
    (storage: (heap: Heap) => Numbers, shift: number): TransposeRows =>
    (x, stride, n, r, rStride, k, g, gStride) => {
      const f64 = heap.f64;
      const data = storage(heap);
      const xAt = x >>> shift;
      for (let j = 0; j < k; j++) {
        const rAt = (r >>> 3) + j * rStride;
        const gAt = (g >>> 3) + j * gStride;
        for (let i = 0; i < n; i++) {
          const p = xAt + i * stride;
          for (let c = 0; c < stride; c++) f64[gAt + c] += f64[rAt + i] * data[p + c];
        }
      }
      addSums(r, rStride, n, k, g, gStride, stride);
    };

  /** `round` is the rounding of products and of the sums within a panel */
  const hessianRows =
    (
      storage: (heap: Heap) => Numbers,
      shift: number,
      transpose: TransposeRows,
      round: (x: number) => number,
    ): HessianRows =>
    (x, stride, n, c, h, ld) => {
      const f64 = heap.f64;
      const data = storage(heap);
      const xAt = x >>> shift;
      const cAt = c >>> 3;
      const hAt = h >>> 3;
      for (let first = 0; first < n; first += PANEL) {
        const end = Math.min(first + PANEL, n);
        for (let a = 0; a < stride; a++) {
          for (let b = 0; b <= a; b++) {
            let sum = 0;
            for (let i = first; i < end; i++) {
              const p = xAt + i * stride;
              sum = round(sum + round(round(round(f64[cAt + i]) * data[p + a]) * data[p + b]));
            }
            f64[hAt + a * ld + b] += sum;
          }
        }
      }
      transpose(x, stride, n, c, n, 1, h + stride * ld * 8, ld);
    };

  const momentsRows =
    (cells: (heap: Heap) => Float32Array | Float64Array, shift: number): MomentsRows =>
    (x, stride, n, s, origin, out) => {
      const data = cells(heap);
      const f64 = heap.f64;
      const at = out >>> 3;
      for (let i = 0; i < n; i++) {
        const weight = s ? f64[(s >>> 3) + i] : 1;
        for (let j = 0; j < stride; j++) {
          const d = data[(x >>> shift) + i * stride + j] - f64[(origin >>> 3) + j];
          f64[at + j] += weight * d;
          f64[at + stride + j] += weight * d * d;
        }
      }
    };

  const scaleRows =
    (cells: (heap: Heap) => Float32Array | Float64Array, shift: number): ScaleRows =>
    (x, stride, n, from, factor) => {
      const data = cells(heap);
      const f64 = heap.f64;
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < stride; j++) {
          const at = (x >>> shift) + i * stride + j;
          data[at] = (data[at] - f64[(from >>> 3) + j]) * f64[(factor >>> 3) + j];
        }
      }
    };

  const transposeRowsF32 = transposeRows((h) => h.f32, 2);
  const transposeRowsF64 = transposeRows((h) => h.f64, 3);

  /** at[0] += Σ r·x of a numeric column, at[code] += r of a coded one, over m rows from row `first` */
  const accumulate = (table: number, j: number, first: number, m: number, r: number, at: number): void => {
    const f64 = heap.f64;
    const rAt = r >>> 3;
    const to = at >>> 3;
    const { coded, data } = readColumn(heap, table, j, first);
    if (coded) {
      for (let i = 0; i < m; i++) f64[to + data[i]] += f64[rAt + i];
      return;
    }
    let even = 0;
    let odd = 0;
    for (let i = 0; i < m; i++) {
      if (i & 1) odd += f64[rAt + i] * data[i];
      else even += f64[rAt + i] * data[i];
    }
    f64[to] += even + odd;
  };

  /** value of a sparse entry */
  const valueAt = (values: number, kind: number, e: number): number =>
    values ? (kind ? heap.f64[(values >>> 3) + e] : heap.f32[(values >>> 2) + e]) : 1;

  return {
    ...jsScoringKernels(heap),
    ...jsNarrowKernels(heap),
    ...jsFtrl(heap),
    exceeds(table, columns, first, n) {
      for (let j = 0; j < columns; j++) {
        const { coded, data } = readColumn(heap, table, j, first);
        const limit = heap.u32[((table + j * COLUMN_ENTRY_BYTES) >>> 2) + 3];
        const bytes = data.BYTES_PER_ELEMENT;
        // whole vectors of 16 bytes, as the module
        if (coded) for (let i = 0; i < n || (i * bytes) % 16; i++) if (data[i] > limit) return true;
      }
      return false;
    },
    decodeColumns(table, columns, first, n, out) {
      const { u16, u32, f64 } = heap;
      let cells = out + columns * COLUMN_ENTRY_BYTES;
      for (let j = 0; j < columns; j++) {
        const entry = (table + j * COLUMN_ENTRY_BYTES) >>> 2;
        const to = (out + j * COLUMN_ENTRY_BYTES) >>> 2;
        u32.copyWithin(to, entry, entry + COLUMN_ENTRY_BYTES / 4);
        if (u32[entry + 1] !== DICTIONARY) {
          u32[to] += first * BYTES[KINDS[u32[entry + 1]]];
          continue;
        }
        u32[to] = cells;
        u32[to + 1] = KINDS.indexOf('f64');
        const places = (u32[entry] >>> 1) + first;
        const values = u32[entry + 3] >>> 3;
        // in pairs, as the module
        for (let i = 0; i < n + (n & 1); i++) f64[(cells >>> 3) + i] = f64[values + u16[places + i]];
        cells += Math.ceil(n / 2) * 16;
      }
    },
    expF32: elementwise((h) => h.f32, 2, expForFloat),
    expF64: elementwise((h) => h.f64, 3, exp),
    softplusF32: elementwise((h) => h.f32, 2, softplus),
    softplusF64: elementwise((h) => h.f64, 3, softplus),
    sumF64,

    widenU8(x, n, out) {
      const { u8, f64 } = heap;
      for (let i = 0; i < Math.ceil(n / 4) * 4; i++) f64[(out >>> 3) + i] = u8[x + i];
    },

    addF64(x, n, y) {
      const f64 = heap.f64;
      for (let i = 0; i < n; i++) f64[(y >>> 3) + i] += f64[(x >>> 3) + i];
    },

    multiplyF64(c, n, z) {
      const f64 = heap.f64;
      for (let i = 0; i < n; i++) f64[(z >>> 3) + i] *= f64[(c >>> 3) + i];
    },

    binomialLoss(z, y, s, n, residual, curvature) {
      const f64 = heap.f64;
      const sums = [0, 0];
      const logs = [0, 0];
      for (let first = 0; first < n; first += PRODUCT) {
        const end = Math.min(first + PRODUCT, n);
        const products = [0, 0];
        for (let i = first; i < end; i++) {
          const zi = f64[(z >>> 3) + i];
          const yi = f64[(y >>> 3) + i];
          const si = s ? f64[(s >>> 3) + i] : 1;
          const t = expOfMinus(Math.abs(zi));
          const v = 1 / (1 + t);
          const rest = 1 - yi;
          const positive = zi > 0;
          const linear = (positive ? rest : -yi) * zi;
          const lane = i & 1;
          if (s) sums[lane] += si * (log1p(t) + linear);
          else {
            sums[lane] += linear;
            products[lane] += t + products[lane] * t;
          }
          if (residual) f64[(residual >>> 3) + i] = si * ((positive ? rest - yi * t : rest * t - yi) * v);
          if (curvature) f64[(curvature >>> 3) + i] = si * (t * v * v);
        }
        if (!s) for (const lane of [0, 1]) logs[lane] += log1pOfProduct(products[lane]);
      }
      return sums[0] + logs[0] + (sums[1] + logs[1]);
    },

    multinomialLoss(z, plane, k, y, s, n, p, pPlane) {
      const f64 = heap.f64;
      const at = z >>> 3;
      let even = 0;
      let odd = 0;
      for (let i = 0; i < n; i++) {
        const yi = f64[(y >>> 3) + i];
        const si = s ? f64[(s >>> 3) + i] : 1;
        let m = f64[at + i];
        for (let j = 1; j < k; j++) if (m < f64[at + j * plane + i]) m = f64[at + j * plane + i];
        let sum = 0;
        let own = 0;
        for (let j = 0; j < k; j++) {
          const d = f64[at + j * plane + i] - m;
          if (yi === j) own = d;
          const e = exp(d);
          sum += e;
          f64[at + j * plane + i] = e;
        }
        const loss = si * (log(sum) - own);
        if (i & 1) odd += loss;
        else even += loss;
        for (let j = 0; j < k; j++) {
          const probability = f64[at + j * plane + i] / sum;
          if (p) f64[(p >>> 3) + j * pPlane + i] = probability;
          f64[at + j * plane + i] = si * (probability - (yi === j ? 1 : 0));
        }
      }
      return even + odd;
    },

    multinomialCurvature(p, pPlane, k, s, n, q, plane) {
      const f64 = heap.f64;
      const pAt = p >>> 3;
      const qAt = q >>> 3;
      for (let i = 0; i < n; i++) {
        let mean = 0;
        for (let j = 0; j < k; j++) mean += f64[pAt + j * pPlane + i] * f64[qAt + j * plane + i];
        const si = s ? f64[(s >>> 3) + i] : 1;
        for (let j = 0; j < k; j++) {
          const at = qAt + j * plane + i;
          f64[at] = si * (f64[pAt + j * pPlane + i] * (f64[at] - mean));
        }
      }
    },

    logitsRowsWide(x, stride, n, w, b, k, z, zStride) {
      const { f32, f64 } = heap;
      for (let i = 0; i < n; i++) {
        const p = (x >>> 2) + i * stride;
        for (let j = 0; j < k; j++) {
          const q = (w >>> 3) + j * stride;
          let even = 0;
          let odd = 0;
          for (let c = 0; c < stride; c += 2) {
            even += f32[p + c] * f64[q + c];
            odd += f32[p + c + 1] * f64[q + c + 1];
          }
          f64[(z >>> 3) + j * zStride + i] = even + odd + f64[(b >>> 3) + j];
        }
      }
    },

    momentsRowsF32: momentsRows((h) => h.f32, 2),
    momentsRowsF64: momentsRows((h) => h.f64, 3),
    scaleRowsF32: scaleRows((h) => h.f32, 2),
    scaleRowsF64: scaleRows((h) => h.f64, 3),
    transposeRowsF32,
    transposeRowsF64,
    hessianRowsF32: hessianRows((h) => h.f32, 2, transposeRowsF32, Math.fround),
    hessianRowsF64: hessianRows(
      (h) => h.f64,
      3,
      transposeRowsF64,
      (x) => x,
    ),

    transposeColumns(table, columns, first, n, r, rStride, k, g, gStride, slots) {
      for (let j = 0; j < columns; j++) {
        const { slot } = readColumn(heap, table, j, first);
        for (let v = 0; v < k; v++) accumulate(table, j, first, n, r + v * rStride * 8, g + (v * gStride + slot) * 8);
      }
      addSums(r, rStride, n, k, g, gStride, slots);
    },

    hessianColumns(table, columns, first, n, c, h, slots, ld, scratch) {
      const f64 = heap.f64;
      const hAt = h >>> 3;
      for (let i = 0; i < n; i += HESSIAN_BLOCK) {
        const m = Math.min(HESSIAN_BLOCK, n - i);
        const row = first + i;
        const cAt = (c >>> 3) + row;
        const all = Array.from({ length: columns }, (_, j) => ({ j, ...readColumn(heap, table, j, row) }));
        const coded = all.filter(({ coded }) => coded);
        const intercept = { j: columns, slot: slots, data: new Uint8Array(m) };
        const cells = [...coded, intercept];
        for (let r = 0; r < m; r++) {
          for (let p = 0; p < cells.length; p++) {
            const line = hAt + (cells[p].slot + cells[p].data[r]) * ld;
            for (let q = 0; q <= p; q++) f64[line + cells[q].slot + cells[q].data[r]] += f64[cAt + r];
          }
        }
        for (const { j, coded: isCoded, slot, data } of all) {
          if (isCoded) continue;
          for (let r = 0; r < m; r++) f64[(scratch >>> 3) + r] = f64[cAt + r] * data[r];
          for (const other of all) {
            if (other.coded || other.j > j) continue;
            accumulate(table, other.j, row, m, scratch, h + (slot * ld + other.slot) * 8);
          }
          for (const cell of cells) {
            for (let r = 0; r < m; r++) {
              const s = cell.slot + cell.data[r];
              f64[hAt + (cell.j < j ? slot * ld + s : s * ld + slot)] += f64[(scratch >>> 3) + r];
            }
          }
        }
      }
    },

    softmaxF32(z, plane, k, n) {
      softmax(heap.f32, z >>> 2, plane, k, n, expForFloat, false);
    },

    softmaxF64(z, plane, k, n) {
      softmax(heap.f64, z >>> 3, plane, k, n, exp, false);
    },

    logitsSparseF64: logitsSparse(heap, (h) => h.f64, 3),
    logitsSparseWide: logitsSparse(heap, (h) => h.f32, 2),

    logitsSparseF32(rowPtr, colIdx, values, n, w, wStride, b, k, z, zStride) {
      const { f32, u32 } = heap;
      const { fround } = Math;
      const c = colIdx >>> 2;
      for (let i = 0; i < n; i++) {
        const from = u32[(rowPtr >>> 2) + i];
        const to = u32[(rowPtr >>> 2) + i + 1];
        const whole = to - ((to - from) & 3);
        for (let j = 0; j < k; j++) {
          const at = (w >>> 2) + j * wStride;
          const term = (e: number) =>
            values ? fround(f32[(values >>> 2) + e] * f32[at + u32[c + e]]) : f32[at + u32[c + e]];
          let l0 = fround(0);
          let l1 = l0;
          let l2 = l0;
          let l3 = l0;
          for (let e = from; e < whole; e += 4) {
            l0 = fround(l0 + term(e));
            l1 = fround(l1 + term(e + 1));
            l2 = fround(l2 + term(e + 2));
            l3 = fround(l3 + term(e + 3));
          }
          let sum = fround(fround(l0 + l1) + fround(l2 + l3));
          for (let e = whole; e < to; e++) sum = fround(sum + term(e));
          f32[(z >>> 2) + j * zStride + i] = fround(sum + f32[(b >>> 2) + j]);
        }
      }
    },

    transposeSparse(rowPtr, colIdx, values, kind, n, r, rStride, k, g, gStride, slots) {
      const { f64, u32 } = heap;
      for (let i = 0; i < n; i++) {
        const to = u32[(rowPtr >>> 2) + i + 1];
        for (let j = 0; j < k; j++) {
          const rij = f64[(r >>> 3) + j * rStride + i];
          for (let e = u32[(rowPtr >>> 2) + i]; e < to; e++) {
            f64[(g >>> 3) + j * gStride + u32[(colIdx >>> 2) + e]] += rij * valueAt(values, kind, e);
          }
        }
      }
      addSums(r, rStride, n, k, g, gStride, slots);
    },

    hessianSparse(rowPtr, colIdx, values, kind, n, c, h, slots, ld) {
      const { f64, u32 } = heap;
      const hAt = h >>> 3;
      for (let i = 0; i < n; i++) {
        const from = u32[(rowPtr >>> 2) + i];
        const to = u32[(rowPtr >>> 2) + i + 1];
        for (let e = from; e < to; e++) {
          const p = u32[(colIdx >>> 2) + e];
          const cx = f64[(c >>> 3) + i] * valueAt(values, kind, e);
          f64[hAt + slots * ld + p] += cx;
          for (let f = from; f < to; f++) {
            const q = u32[(colIdx >>> 2) + f];
            if (q <= p) f64[hAt + p * ld + q] += cx * valueAt(values, kind, f);
          }
        }
      }
      f64[hAt + slots * ld + slots] += sumF64(c, n);
    },
  };
}

/** sparse logits with f64 sums over values of either storage */
function logitsSparse(heap: Heap, storage: (heap: Heap) => Numbers, shift: number): LogitsSparse {
  return (rowPtr, colIdx, values, n, w, wStride, b, k, z, zStride) => {
    const { f64, u32 } = heap;
    const data = storage(heap);
    const c = colIdx >>> 2;
    const v = values >>> shift;
    for (let i = 0; i < n; i++) {
      const from = u32[(rowPtr >>> 2) + i];
      const to = u32[(rowPtr >>> 2) + i + 1];
      const whole = to - ((to - from) & 1);
      for (let j = 0; j < k; j++) {
        const at = (w >>> 3) + j * wStride;
        const term = (e: number) => (values ? data[v + e] * f64[at + u32[c + e]] : f64[at + u32[c + e]]);
        let even = 0;
        let odd = 0;
        for (let e = from; e < whole; e += 2) {
          even += term(e);
          odd += term(e + 1);
        }
        let sum = even + odd;
        if (whole < to) sum += term(whole);
        f64[(z >>> 3) + j * zStride + i] = sum + f64[(b >>> 3) + j];
      }
    }
  };
}
