import { sumF64 } from './elementwise';
import { load2 } from './lanes';

/*
 * Layout `sparse`: compressed sparse rows. Row i has the entries rowPtr[i] .. rowPtr[i + 1] - 1 (u32, n + 1 of them);
 * entry e is values[e] at column colIdx[e] (u32, below the number of slots: the encoder has checked). `values` = 0 means
 * that every value is one. Columns may repeat within a row; they add up.
 */

/** entries e .. e + 3 in f32, e and e + 1 in f64: the weights at their columns */
// @ts-ignore: decorator
@inline
function gather<T>(w: usize, c: usize): v128 {
  if (sizeof<T>() == 4) {
    let v = v128.load32_zero(w + ((<usize>load<u32>(c)) << 2));
    v = v128.load32_lane(w + ((<usize>load<u32>(c, 4)) << 2), v, 1);
    v = v128.load32_lane(w + ((<usize>load<u32>(c, 8)) << 2), v, 2);
    return v128.load32_lane(w + ((<usize>load<u32>(c, 12)) << 2), v, 3);
  }
  const v = v128.load64_zero(w + ((<usize>load<u32>(c)) << 3));
  return v128.load64_lane(w + ((<usize>load<u32>(c, 4)) << 3), v, 1);
}

/**
 * z[j·zStride + i] = Σ values[e]·w[j][colIdx[e]] + b[j] over the entries e of row i
 *
 * w  k × wStride of T   b  k of T   z  k planes of zStride of T, written   values  S
 *
 * One weight vector after another: side by side, k of them would not stay in the caches that their gathers need.
 *
 * Order: 16 / sizeof(T) lane sums over the entries, folded (l0 + l1) + (l2 + l3) or l0 + l1; then the entries left over
 * one by one; then + b.
 */
// @ts-ignore: decorator
@inline
function logits<T, S>(
  rowPtr: usize, colIdx: usize, values: usize, n: u32, w: usize, wStride: u32, b: usize, k: u32, z: usize, zStride: u32,
): void {
  const lanes: usize = 16 / sizeof<T>();
  for (let j: usize = 0; j < <usize>k; j++) {
    const wj = w + j * <usize>wStride * sizeof<T>();
    const intercept = load<T>(b + j * sizeof<T>());
    let out = z + j * <usize>zStride * sizeof<T>();
    let from = <usize>load<u32>(rowPtr);
    for (let i: usize = 0; i < <usize>n; i++) {
      const to = <usize>load<u32>(rowPtr + (i << 2), 4);
      const count = to - from;
      let c = colIdx + (from << 2);
      const wholeEnd = c + ((count / lanes) * lanes << 2);
      const end = c + (count << 2);
      let acc = v128.splat<T>(0);
      let sum: T;
      if (values) {
        let v = values + from * sizeof<S>();
        while (c < wholeEnd) {
          const x = sizeof<T>() > sizeof<S>() ? load2<S>(v) : v128.load(v);
          acc = v128.add<T>(acc, v128.mul<T>(x, gather<T>(wj, c)));
          c += lanes << 2;
          v += lanes * sizeof<S>();
        }
        sum = fold<T>(acc);
        while (c < end) {
          sum = <T>(sum + <T>(<T>load<S>(v) * load<T>(wj + (<usize>load<u32>(c)) * sizeof<T>())));
          c += 4;
          v += sizeof<S>();
        }
      } else {
        while (c < wholeEnd) {
          acc = v128.add<T>(acc, gather<T>(wj, c));
          c += lanes << 2;
        }
        sum = fold<T>(acc);
        while (c < end) {
          sum = <T>(sum + load<T>(wj + (<usize>load<u32>(c)) * sizeof<T>()));
          c += 4;
        }
      }
      store<T>(out, <T>(sum + intercept));
      out += sizeof<T>();
      from = to;
    }
  }
}

// @ts-ignore: decorator
@inline
function fold<T>(acc: v128): T {
  if (sizeof<T>() == 4) {
    return <T>(
      (f32x4.extract_lane(acc, 0) + f32x4.extract_lane(acc, 1) + (f32x4.extract_lane(acc, 2) + f32x4.extract_lane(acc, 3)))
    );
  } else {
    return <T>(f64x2.extract_lane(acc, 0) + f64x2.extract_lane(acc, 1));
  }
}

/** f32 values, f32 sums: see `logits` */
export function logitsSparseF32(
  rowPtr: usize, colIdx: usize, values: usize, n: u32, w: usize, wStride: u32, b: usize, k: u32, z: usize, zStride: u32,
): void {
  logits<f32, f32>(rowPtr, colIdx, values, n, w, wStride, b, k, z, zStride);
}

/** f64 values, f64 sums: see `logits` */
export function logitsSparseF64(
  rowPtr: usize, colIdx: usize, values: usize, n: u32, w: usize, wStride: u32, b: usize, k: u32, z: usize, zStride: u32,
): void {
  logits<f64, f64>(rowPtr, colIdx, values, n, w, wStride, b, k, z, zStride);
}

/** f32 values, f64 sums, for training: see `logits` */
export function logitsSparseWide(
  rowPtr: usize, colIdx: usize, values: usize, n: u32, w: usize, wStride: u32, b: usize, k: u32, z: usize, zStride: u32,
): void {
  logits<f64, f32>(rowPtr, colIdx, values, n, w, wStride, b, k, z, zStride);
}

/** value of an entry; `kind` 0 f32, 1 f64 */
// @ts-ignore: decorator
@inline
function valueAt(values: usize, kind: u32, e: usize): f64 {
  if (!values) return 1;
  return kind ? load<f64>(values + (e << 3)) : <f64>load<f32>(values + (e << 2));
}

/** g[colIdx[e]] += r[i]·values[e], row after row, entry after entry */
// @ts-ignore: decorator
@inline
function scatter<S>(rowPtr: usize, colIdx: usize, values: usize, n: u32, r: usize, g: usize, ones: bool): void {
  let from = <usize>load<u32>(rowPtr);
  let c = colIdx + (from << 2);
  let v = values + from * sizeof<S>();
  for (let i: usize = 0; i < <usize>n; i++) {
    const to = <usize>load<u32>(rowPtr + (i << 2), 4);
    const end = colIdx + (to << 2);
    const ri = load<f64>(r + (i << 3));
    while (c < end) {
      const at = g + ((<usize>load<u32>(c)) << 3);
      store<f64>(at, load<f64>(at) + (ones ? ri : ri * <f64>load<S>(v)));
      c += 4;
      v += sizeof<S>();
    }
  }
}

/**
 * Xᵀr: g[j·gStride + colIdx[e]] += r[j][i]·values[e],  g[j·gStride + slots] += Σ r[j][i]
 *
 * r  k planes of rStride f64   g  k × gStride f64   kind  of the values: 0 f32, 1 f64
 *
 * Order: vector after vector; row after row, entry after entry; the intercept's sum by `sumF64`.
 */
export function transposeSparse(
  rowPtr: usize, colIdx: usize, values: usize, kind: u32, n: u32, r: usize, rStride: u32, k: u32, g: usize, gStride: u32,
  slots: u32,
): void {
  for (let j: usize = 0; j < <usize>k; j++) {
    const rj = r + ((j * <usize>rStride) << 3);
    const gj = g + ((j * <usize>gStride) << 3);
    if (!values) scatter<f64>(rowPtr, colIdx, 0, n, rj, gj, true);
    else if (kind) scatter<f64>(rowPtr, colIdx, values, n, rj, gj, false);
    else scatter<f32>(rowPtr, colIdx, values, n, rj, gj, false);
  }
  for (let j: usize = 0; j < <usize>k; j++) {
    const at = g + ((j * <usize>gStride + <usize>slots) << 3);
    store<f64>(at, load<f64>(at) + sumF64(r + ((j * <usize>rStride) << 3), n));
  }
}

/**
 * H[p][q] += Σ (c[i]·x_p)·x_q for columns p >= q of the entries of row i; row `slots` is the intercept's
 *
 * c  n f64   h  (slots + 1) × ld f64   kind  of the values: 0 f32, 1 f64
 *
 * Order: row after row; for each entry, the entries of its row in order, those of larger columns left out.
 */
export function hessianSparse(
  rowPtr: usize, colIdx: usize, values: usize, kind: u32, n: u32, c: usize, h: usize, slots: u32, ld: u32,
): void {
  const ldBytes = (<usize>ld) << 3;
  const last = h + (<usize>slots) * ldBytes;
  for (let i: usize = 0; i < <usize>n; i++) {
    const from = <usize>load<u32>(rowPtr + (i << 2));
    const to = <usize>load<u32>(rowPtr + (i << 2), 4);
    const ci = load<f64>(c + (i << 3));
    for (let e = from; e < to; e++) {
      const p = <usize>load<u32>(colIdx + (e << 2));
      const cx = ci * valueAt(values, kind, e);
      store<f64>(last + (p << 3), load<f64>(last + (p << 3)) + cx);
      for (let f = from; f < to; f++) {
        const q = <usize>load<u32>(colIdx + (f << 2));
        if (q > p) continue;
        const at = h + p * ldBytes + (q << 3);
        store<f64>(at, load<f64>(at) + cx * valueAt(values, kind, f));
      }
    }
  }
  const corner = last + ((<usize>slots) << 3);
  store<f64>(corner, load<f64>(corner) + sumF64(c, n));
}
