import type { Heap } from '../heap.ts';
import { COLUMN_KIND, COLUMNS_BLOCK, HESSIAN_BLOCK, type Kernels, PANEL, ROWS_BLOCK } from '../kernels.ts';
import { exp, log1p } from './math.ts';
import { type Codes, jsScoringKernels, logitsBlock, type Numbers, readColumn } from './scoring.ts';

/** All kernels in JavaScript: those of training beside those of scoring. @see jsScoringKernels */
export function jsKernels(heap: Heap): Kernels {
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

  /** at[0] += Σ r·x of a numeric column, at[code] += r of a coded one, over m rows from row `first` */
  const accumulate = (table: number, j: number, first: number, m: number, r: number, at: number): void => {
    const f64 = heap.f64;
    const rAt = r >>> 3;
    const to = at >>> 3;
    const { kind, data } = readColumn(heap, table, j, first);
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
    ...jsScoringKernels(heap),
    binomialLoss,
    sumF64,

    addF64(x, n, y) {
      const f64 = heap.f64;
      for (let i = 0; i < n; i++) f64[(y >>> 3) + i] += f64[(x >>> 3) + i];
    },

    lossGradientRowsF32: lossGradientRows((h) => h.f32, 2),
    lossGradientRowsF64: lossGradientRows((h) => h.f64, 3),
    hessianRowsF32: hessianRows((h) => h.f32, 2),
    hessianRowsF64: hessianRows((h) => h.f64, 3),
    lossGradientColumns(table, columns, first, n, w, slots, offset, y, s, g, curvature, z) {
      const f64 = heap.f64;
      const wAt = w >>> 3;
      const zAt = z >>> 3;
      let loss = 0;
      for (let i = 0; i < n; i += COLUMNS_BLOCK) {
        const m = Math.min(COLUMNS_BLOCK, n - i);
        const row = first + i;
        const skip = row * 8;
        logitsBlock(heap, table, columns, row, m, f64, wAt, f64[wAt + slots], f64, zAt);
        if (offset) for (let r = 0; r < m; r++) f64[zAt + r] += f64[(offset >>> 3) + row + r];
        loss += binomialLoss(z, y + skip, s ? s + skip : 0, m, g ? z : 0, curvature ? curvature + skip : 0);
        if (!g) continue;
        for (let j = 0; j < columns; j++) {
          const { slot } = readColumn(heap, table, j, row);
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
          const { kind, slot, data } = readColumn(heap, table, j, row);
          const numeric = kind <= COLUMN_KIND.f64;
          if (numeric) multiply(data);
          for (let o = 0; o <= j; o++) {
            const other = readColumn(heap, table, o, row);
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
