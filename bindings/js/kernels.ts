import type { Heap } from '../heap.ts';
import {
  COLUMN_ENTRY_BYTES,
  COLUMN_KIND,
  COLUMNS_BLOCK,
  HESSIAN_BLOCK,
  type Kernels,
  PANEL,
  ROWS_BLOCK,
} from '../kernels.ts';
import { exp, log1p, sigmoid, sigmoidF32 } from './math.ts';

type Numbers = Float32Array | Float64Array;
type Codes = Uint8Array | Uint16Array | Uint32Array;

/**
 * The kernels in JavaScript, over the same memory image as the WebAssembly module and with the same order of
 * operations: the fallback, and the reference that the differential tests judge by.
 */
export function jsKernels(heap: Heap): Kernels {
  /** a column as its table entry describes it, from row `first` on */
  const column = (table: number, j: number, first: number) => {
    const entry = (table + j * COLUMN_ENTRY_BYTES) >>> 2;
    const u32 = heap.u32;
    const kind = u32[entry + 1];
    const [bytes, data] = COLUMN_VIEWS[kind](heap);
    return { kind, slot: u32[entry + 2], data: data.subarray(u32[entry] / bytes + first) };
  };

  const binomialLoss = (z: number, y: number, s: number, n: number, residual: number, curvature: number): number => {
    const f64 = heap.f64;
    const zAt = z >>> 3;
    const yAt = y >>> 3;
    const sAt = s >>> 3;
    let even = 0;
    let odd = 0;
    for (let i = 0; i < n; i++) {
      const zi = f64[zAt + i];
      const yi = f64[yAt + i];
      const si = s ? f64[sAt + i] : 1;
      const t = exp(-Math.abs(zi));
      const u = 1 + t;
      const rest = 1 - yi;
      const positive = zi > 0;
      const loss = si * (log1p(t) + (positive ? rest : -yi) * zi);
      if (i & 1) odd += loss;
      else even += loss;
      if (residual) {
        f64[(residual >>> 3) + i] = si * ((positive ? rest - yi * t : rest * t - yi) / u);
      }
      if (curvature) f64[(curvature >>> 3) + i] = si * (t / (u * u));
    }
    return even + odd;
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

  /** g[j] += Σ r[i]·x[i][j], four rows at a time */
  const gradientRows = (x: Numbers, xAt: number, stride: number, n: number, r: number, g: number): void => {
    const f64 = heap.f64;
    const rAt = r >>> 3;
    const gAt = g >>> 3;
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      const r0 = f64[rAt + i];
      const r1 = f64[rAt + i + 1];
      const r2 = f64[rAt + i + 2];
      const r3 = f64[rAt + i + 3];
      const p = xAt + i * stride;
      for (let j = 0; j < stride; j++) {
        const a = r0 * x[p + j] + r1 * x[p + stride + j];
        const b = r2 * x[p + 2 * stride + j] + r3 * x[p + 3 * stride + j];
        f64[gAt + j] += a + b;
      }
    }
    for (; i < n; i++) {
      const ri = f64[rAt + i];
      const p = xAt + i * stride;
      for (let j = 0; j < stride; j++) f64[gAt + j] += ri * x[p + j];
    }
  };

  const lossGradientRows =
    (storage: (heap: Heap) => Numbers, shift: number): Kernels['lossGradientRowsF64'] =>
    (x, stride, n, w, offset, y, s, g, curvature, z) => {
      const f64 = heap.f64;
      const data = storage(heap);
      const xAt = x >>> shift;
      const wAt = w >>> 3;
      const zAt = z >>> 3;
      const b = f64[wAt + stride];
      let loss = 0;
      for (let first = 0; first < n; first += ROWS_BLOCK) {
        const m = Math.min(ROWS_BLOCK, n - first);
        for (let i = first; i < first + m; i++) {
          let even = 0;
          let odd = 0;
          const p = xAt + i * stride;
          for (let j = 0; j < stride; j += 2) {
            even += data[p + j] * f64[wAt + j];
            odd += data[p + j + 1] * f64[wAt + j + 1];
          }
          let zi = even + odd + b;
          if (offset) zi += f64[(offset >>> 3) + i];
          f64[zAt + i] = zi;
        }
        const skip = first * 8;
        loss += binomialLoss(
          z + skip,
          y + skip,
          s ? s + skip : 0,
          m,
          g ? z + skip : 0,
          curvature ? curvature + skip : 0,
        );
        if (g) gradientRows(data, xAt + first * stride, stride, m, z + skip, g);
      }
      if (g) f64[(g >>> 3) + stride] += sumF64(z, n);
      return loss;
    };

  const hessianRows =
    (storage: (heap: Heap) => Numbers, shift: number): Kernels['hessianRowsF64'] =>
    (x, stride, n, c, h, ld) => {
      const f64 = heap.f64;
      const data = storage(heap);
      const xAt = x >>> shift;
      const cAt = c >>> 3;
      const hAt = h >>> 3;
      for (let first = 0; first < n; first += PANEL) {
        const m = Math.min(PANEL, n - first);
        for (let a = 0; a < stride; a++) {
          for (let b = 0; b <= (a | 3); b++) {
            let sum = 0;
            for (let i = first; i < first + m; i++) {
              const p = xAt + i * stride;
              sum += f64[cAt + i] * data[p + a] * data[p + b];
            }
            f64[hAt + a * ld + b] += sum;
          }
        }
      }
      const last = h + stride * ld * 8;
      gradientRows(data, xAt, stride, n, c, last);
      f64[(last >>> 3) + stride] += sumF64(c, n);
    };

  /** z[i] = b + Σ over columns, for m rows from row `first`: one running sum a row, columns in table order */
  const logitsBlock = (
    table: number,
    columns: number,
    first: number,
    m: number,
    w: Numbers,
    wAt: number,
    b: number,
    z: Numbers,
    zAt: number,
  ): void => {
    z.fill(b, zAt, zAt + m);
    for (let j = 0; j < columns; j++) {
      const { kind, slot, data } = column(table, j, first);
      const at = wAt + slot;
      if (kind > COLUMN_KIND.f64) for (let i = 0; i < m; i++) z[zAt + i] += w[at + data[i]];
      else if (z instanceof Float32Array) {
        for (let i = 0; i < m; i++) z[zAt + i] += Math.fround(data[i] * w[at]);
      } else for (let i = 0; i < m; i++) z[zAt + i] += data[i] * w[at];
    }
  };

  const logitsColumns =
    (view: (heap: Heap) => Numbers, shift: number): Kernels['logitsColumnsF64'] =>
    (table, columns, first, n, w, wStride, b, k, z, zStride) => {
      const data = view(heap);
      for (let i = 0; i < n; i += COLUMNS_BLOCK) {
        const m = Math.min(COLUMNS_BLOCK, n - i);
        for (let j = 0; j < k; j++) {
          const wAt = (w >>> shift) + j * wStride;
          const zAt = (z >>> shift) + j * zStride + i;
          logitsBlock(table, columns, first + i, m, data, wAt, data[(b >>> shift) + j], data, zAt);
        }
      }
    };

  /** at[0] += Σ r·x of a numeric column, at[code] += r of a coded one, over m rows from row `first` */
  const accumulate = (table: number, j: number, first: number, m: number, r: number, at: number): void => {
    const f64 = heap.f64;
    const rAt = r >>> 3;
    const to = at >>> 3;
    const { kind, data } = column(table, j, first);
    if (kind > COLUMN_KIND.f64) {
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

  return {
    heapBase: () => 16,

    sigmoidF32(z, n, out) {
      const f32 = heap.f32;
      for (let i = 0; i < n; i++) f32[(out >>> 2) + i] = sigmoidF32(f32[(z >>> 2) + i]);
    },

    sigmoidF64(z, n, out) {
      const f64 = heap.f64;
      for (let i = 0; i < n; i++) f64[(out >>> 3) + i] = sigmoid(f64[(z >>> 3) + i]);
    },

    binomialLoss,
    sumF64,

    addF64(x, n, y) {
      const f64 = heap.f64;
      for (let i = 0; i < n; i++) f64[(y >>> 3) + i] += f64[(x >>> 3) + i];
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

    lossGradientRowsF32: lossGradientRows((h) => h.f32, 2),
    lossGradientRowsF64: lossGradientRows((h) => h.f64, 3),
    hessianRowsF32: hessianRows((h) => h.f32, 2),
    hessianRowsF64: hessianRows((h) => h.f64, 3),
    logitsColumnsF32: logitsColumns((h) => h.f32, 2),
    logitsColumnsF64: logitsColumns((h) => h.f64, 3),

    lossGradientColumns(table, columns, first, n, w, slots, offset, y, s, g, curvature, z) {
      const f64 = heap.f64;
      const wAt = w >>> 3;
      const zAt = z >>> 3;
      let loss = 0;
      for (let i = 0; i < n; i += COLUMNS_BLOCK) {
        const m = Math.min(COLUMNS_BLOCK, n - i);
        const row = first + i;
        const skip = row * 8;
        logitsBlock(table, columns, row, m, f64, wAt, f64[wAt + slots], f64, zAt);
        if (offset) for (let r = 0; r < m; r++) f64[zAt + r] += f64[(offset >>> 3) + row + r];
        loss += binomialLoss(z, y + skip, s ? s + skip : 0, m, g ? z : 0, curvature ? curvature + skip : 0);
        if (!g) continue;
        for (let j = 0; j < columns; j++) {
          const { slot } = column(table, j, row);
          accumulate(table, j, row, m, z, g + slot * 8);
        }
        f64[(g >>> 3) + slots] += sumF64(z, m);
      }
      return loss;
    },

    hessianColumns(table, columns, first, n, c, h, slots, ld, scratch) {
      const f64 = heap.f64;
      const sAt = scratch >>> 3;
      for (let i = 0; i < n; i += HESSIAN_BLOCK) {
        const m = Math.min(HESSIAN_BLOCK, n - i);
        const row = first + i;
        const cAt = (c >>> 3) + row;
        const multiply = (x: Numbers | Codes) => {
          for (let r = 0; r < m; r++) f64[sAt + r] = f64[cAt + r] * x[r];
        };
        for (let j = 0; j < columns; j++) {
          const { kind, slot, data } = column(table, j, row);
          const numeric = kind <= COLUMN_KIND.f64;
          if (numeric) multiply(data);
          for (let o = 0; o <= j; o++) {
            const other = column(table, o, row);
            const cell = h + (slot * ld + other.slot) * 8;
            const to = cell >>> 3;
            if (numeric) accumulate(table, o, row, m, scratch, cell);
            else if (other.kind <= COLUMN_KIND.f64) {
              multiply(other.data);
              for (let r = 0; r < m; r++) f64[to + data[r] * ld] += f64[sAt + r];
            } else for (let r = 0; r < m; r++) f64[to + data[r] * ld + other.data[r]] += f64[cAt + r];
          }
          accumulate(table, j, row, m, c + row * 8, h + (slots * ld + slot) * 8);
        }
        f64[(h >>> 3) + slots * ld + slots] += sumF64(c + row * 8, m);
      }
    },
  };
}

/** by column kind: bytes a value, and the view of the whole memory it is read through */
const COLUMN_VIEWS: readonly ((heap: Heap) => [number, Numbers | Codes])[] = [
  (heap) => [4, heap.f32],
  (heap) => [8, heap.f64],
  (heap) => [1, heap.u8],
  (heap) => [2, heap.u16],
  (heap) => [4, heap.u32],
];
