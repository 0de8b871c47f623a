import { binomialLoss, sumF64 } from './elementwise';

/*
 * Layout `columns`: a batch is a table of columns, each a contiguous array of its own type, 16-byte aligned and padded.
 * One-hot is never expanded: a code is a gather from the weights, a scatter-add in the gradient, a cross-tabulation in
 * the Hessian. An entry of the table is four u32:
 *
 *   address   of row 0
 *   kind      0 f32, 1 f64 (one slot each); 2 u8, 3 u16, 4 u32 codes (one slot a code)
 *   slot      index of the column's first slot in the weights
 *   reserved
 *
 * Codes are below the number of slots of their column: the encoder has checked.
 */
const ENTRY: usize = 16;
const KIND_F32: u32 = 0;
const KIND_F64: u32 = 1;
const KIND_U8: u32 = 2;
const KIND_U16: u32 = 3;

/** rows whose logits stay in the first-level cache while the columns go by; even, so that lanes keep their rows */
const BLOCK: u32 = 1024;

// @ts-ignore: decorator
@inline
function gather<T, C>(codes: usize, n: u32, w: usize, z: usize): void {
  const end = z + (<usize>n) * sizeof<T>();
  const perVector: usize = 16 / sizeof<T>();
  const whole = z + (<usize>n / perVector) * 16;
  while (z < whole) {
    let v: v128;
    if (sizeof<T>() == 4) {
      v = v128.load32_zero(w + ((<usize>load<C>(codes)) << 2));
      v = v128.load32_lane(w + ((<usize>load<C>(codes, sizeof<C>())) << 2), v, 1);
      v = v128.load32_lane(w + ((<usize>load<C>(codes, 2 * sizeof<C>())) << 2), v, 2);
      v = v128.load32_lane(w + ((<usize>load<C>(codes, 3 * sizeof<C>())) << 2), v, 3);
    } else {
      v = v128.load64_zero(w + ((<usize>load<C>(codes)) << 3));
      v = v128.load64_lane(w + ((<usize>load<C>(codes, sizeof<C>())) << 3), v, 1);
    }
    v128.store(z, v128.add<T>(v128.load(z), v));
    codes += perVector * sizeof<C>();
    z += 16;
  }
  while (z < end) {
    store<T>(z, <T>(load<T>(z) + load<T>(w + (<usize>load<C>(codes)) * sizeof<T>())));
    codes += sizeof<C>();
    z += sizeof<T>();
  }
}

/** z[i] += x[i]·w, x stored as S, sums in T */
// @ts-ignore: decorator
@inline
function axpy<T, S>(x: usize, n: u32, w: T, z: usize): void {
  const wv = v128.splat<T>(w);
  const end = z + (<usize>n) * sizeof<T>();
  while (z < end) {
    const v = sizeof<T>() > sizeof<S>() ? f64x2.promote_low_f32x4(v128.load64_zero(x)) : v128.load(x);
    v128.store(z, v128.add<T>(v128.load(z), v128.mul<T>(v, wv)));
    x += (16 / sizeof<T>()) * sizeof<S>();
    z += 16;
  }
}

/**
 * z[i] = b + Σ over columns in table order of x·w[slot] (numeric) or w[slot + code] (coded), for m <= BLOCK rows
 * Order: one running sum a row, starting from b, columns in table order.
 */
function logitsBlock<T>(table: usize, columns: u32, row: u32, m: u32, w: usize, b: T, z: usize): void {
  const zEnd = z + (<usize>m) * sizeof<T>();
  for (let p = z; p < zEnd; p += 16) v128.store(p, v128.splat<T>(b));
  for (let j: u32 = 0; j < columns; j++) {
    const entry = table + (<usize>j) * ENTRY;
    const address = <usize>load<u32>(entry);
    const kind = load<u32>(entry, 4);
    const at = w + (<usize>load<u32>(entry, 8)) * sizeof<T>();
    if (kind == KIND_F32) axpy<T, f32>(address + ((<usize>row) << 2), m, load<T>(at), z);
    else if (kind == KIND_F64) {
      if (sizeof<T>() == 8) axpy<T, f64>(address + ((<usize>row) << 3), m, load<T>(at), z);
    } else if (kind == KIND_U8) gather<T, u8>(address + <usize>row, m, at, z);
    else if (kind == KIND_U16) gather<T, u16>(address + ((<usize>row) << 1), m, at, z);
    else gather<T, u32>(address + ((<usize>row) << 2), m, at, z);
  }
}

/**
 * z[j·zStride + i] = logit of row `first + i` under weight vector j,  i in [0, n), j in [0, k)
 *
 * table  `columns` entries   w  k × wStride of T, the slots   b  k of T   z  k planes of zStride >= n, written
 */
// @ts-ignore: decorator
@inline
function logits<T>(
  table: usize, columns: u32, first: u32, n: u32, w: usize, wStride: u32, b: usize, k: u32, z: usize, zStride: u32,
): void {
  for (let i: u32 = 0; i < n; i += BLOCK) {
    const m = min<u32>(BLOCK, n - i);
    for (let j: u32 = 0; j < k; j++) {
      logitsBlock<T>(
        table, columns, first + i, m, w + (<usize>j) * (<usize>wStride) * sizeof<T>(),
        load<T>(b + (<usize>j) * sizeof<T>()), z + ((<usize>j) * (<usize>zStride) + i) * sizeof<T>(),
      );
    }
  }
}

/** f32 sums; numeric columns must be f32: see `logits` */
export function logitsColumnsF32(
  table: usize, columns: u32, first: u32, n: u32, w: usize, wStride: u32, b: usize, k: u32, z: usize, zStride: u32,
): void {
  logits<f32>(table, columns, first, n, w, wStride, b, k, z, zStride);
}

/** f64 sums; numeric columns f64, or f32 widened: see `logits` */
export function logitsColumnsF64(
  table: usize, columns: u32, first: u32, n: u32, w: usize, wStride: u32, b: usize, k: u32, z: usize, zStride: u32,
): void {
  logits<f64>(table, columns, first, n, w, wStride, b, k, z, zStride);
}

/** two f64 from storage S */
// @ts-ignore: decorator
@inline
function load2<S>(p: usize): v128 {
  return sizeof<S>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(p)) : v128.load(p);
}

/** Σ r[i]·x[i]: even rows, odd rows, then even + odd */
// @ts-ignore: decorator
@inline
function dot<S>(x: usize, n: u32, r: usize): f64 {
  let sum = f64x2.splat(0);
  const end = r + ((<usize>(n & ~1)) << 3);
  while (r < end) {
    sum = f64x2.add(sum, f64x2.mul(v128.load(r), load2<S>(x)));
    x += 2 * sizeof<S>();
    r += 16;
  }
  let even = f64x2.extract_lane(sum, 0);
  if (n & 1) even += load<f64>(r) * <f64>load<S>(x);
  return even + f64x2.extract_lane(sum, 1);
}

/** g[code[i]] += r[i], row after row */
// @ts-ignore: decorator
@inline
function scatter<C>(codes: usize, n: u32, r: usize, g: usize): void {
  const end = r + ((<usize>n) << 3);
  while (r < end) {
    const at = g + ((<usize>load<C>(codes)) << 3);
    store<f64>(at, load<f64>(at) + load<f64>(r));
    codes += sizeof<C>();
    r += 8;
  }
}

/** at[0] += Σ r·x of a numeric column, or at[code] += r of a coded one, for n rows from `row` */
function accumulate(kind: u32, address: usize, row: u32, n: u32, r: usize, at: usize): void {
  if (kind == KIND_F32) store<f64>(at, load<f64>(at) + dot<f32>(address + ((<usize>row) << 2), n, r));
  else if (kind == KIND_F64) store<f64>(at, load<f64>(at) + dot<f64>(address + ((<usize>row) << 3), n, r));
  else if (kind == KIND_U8) scatter<u8>(address + <usize>row, n, r, at);
  else if (kind == KIND_U16) scatter<u16>(address + ((<usize>row) << 1), n, r, at);
  else scatter<u32>(address + ((<usize>row) << 2), n, r, at);
}

function gradientBlock(table: usize, columns: u32, row: u32, m: u32, r: usize, g: usize): void {
  for (let j: u32 = 0; j < columns; j++) {
    const entry = table + (<usize>j) * ENTRY;
    accumulate(load<u32>(entry, 4), <usize>load<u32>(entry), row, m, r, g + ((<usize>load<u32>(entry, 8)) << 3));
  }
}

/**
 * Loss and gradient of the rows [first, first + n) in one pass over the data; all sums in f64.
 *
 *   z = logit + offset;  returns Σ s·loss(y, z);  g[slot] += Σ residual·x,  g[slots] += Σ residual
 *
 * w          slots + 1 f64, intercept last   slots  total number of slots
 * offset     f64 by row number, or 0 for none (row `first` is read at offset + 8·first; the same for y and s)
 * y, s       f64 by row number; s = 0 for weights of one
 * g          slots + 1 f64, added to; 0 for the loss alone
 * curvature  f64 by row number, written (see `binomialLoss`), or 0 to skip
 * z          BLOCK f64 of scratch
 *
 * Order: blocks of BLOCK rows; within one, numeric columns sum even rows, odd rows, even + odd; codes row after row.
 */
export function lossGradientColumns(
  table: usize, columns: u32, first: u32, n: u32, w: usize, slots: u32, offset: usize, y: usize, s: usize, g: usize,
  curvature: usize, z: usize,
): f64 {
  const b = load<f64>(w + ((<usize>slots) << 3));
  let loss: f64 = 0;
  for (let i: u32 = 0; i < n; i += BLOCK) {
    const m = min<u32>(BLOCK, n - i);
    const row = first + i;
    const skip = (<usize>row) << 3;
    logitsBlock<f64>(table, columns, row, m, w, b, z);
    if (offset) {
      for (let o: usize = 0; o < (<usize>m) << 3; o += 16) {
        v128.store(z + o, f64x2.add(v128.load(z + o), v128.load(offset + skip + o)));
      }
    }
    loss += binomialLoss(z, y + skip, s ? s + skip : 0, m, g ? z : 0, curvature ? curvature + skip : 0);
    if (g) {
      gradientBlock(table, columns, row, m, z, g);
      const last = g + ((<usize>slots) << 3);
      store<f64>(last, load<f64>(last) + sumF64(z, m));
    }
  }
  return loss;
}

/** rows of a Hessian block: scratch for them is 12 bytes a row */
const HESSIAN_BLOCK: u32 = 4096;

/** rowAt[i] = code[i] · ldBytes: where the rows of H begin that row i of the batch adds to */
// @ts-ignore: decorator
@inline
function rowOffsets<C>(codes: usize, n: u32, ldBytes: u32, rowAt: usize): void {
  const end = rowAt + ((<usize>n) << 2);
  while (rowAt < end) {
    store<u32>(rowAt, <u32>load<C>(codes) * ldBytes);
    codes += sizeof<C>();
    rowAt += 4;
  }
}

/** H[rowAt[i] + code[i]] += c[i], row after row */
// @ts-ignore: decorator
@inline
function tabulate<C>(rowAt: usize, codes: usize, n: u32, c: usize, h: usize): void {
  const end = c + ((<usize>n) << 3);
  while (c < end) {
    const at = h + <usize>load<u32>(rowAt) + ((<usize>load<C>(codes)) << 3);
    store<f64>(at, load<f64>(at) + load<f64>(c));
    rowAt += 4;
    codes += sizeof<C>();
    c += 8;
  }
}

function tabulateKind(kind: u32, rowAt: usize, address: usize, row: u32, n: u32, c: usize, h: usize): void {
  if (kind == KIND_U8) tabulate<u8>(rowAt, address + <usize>row, n, c, h);
  else if (kind == KIND_U16) tabulate<u16>(rowAt, address + ((<usize>row) << 1), n, c, h);
  else tabulate<u32>(rowAt, address + ((<usize>row) << 2), n, c, h);
}

/** cx[i] = c[i]·x[i] */
// @ts-ignore: decorator
@inline
function multiply<S>(x: usize, n: u32, c: usize, cx: usize): void {
  const end = cx + ((<usize>n) << 3);
  while (cx < end) {
    v128.store(cx, f64x2.mul(v128.load(c), load2<S>(x)));
    x += 2 * sizeof<S>();
    c += 16;
    cx += 16;
  }
}

function multiplyKind(kind: u32, address: usize, row: u32, n: u32, c: usize, cx: usize): void {
  if (kind == KIND_F32) multiply<f32>(address + ((<usize>row) << 2), n, c, cx);
  else multiply<f64>(address + ((<usize>row) << 3), n, c, cx);
}

/**
 * H[p][q] += Σ c[i]·x_p·x_q over the rows [first, first + n), for p >= q (lower triangle)
 *
 * c        curvature, f64 by row number   slots  total number of slots
 * h        (slots + 1) × ld f64, row-major; row `slots` is the intercept's
 * scratch  12 · HESSIAN_BLOCK bytes
 *
 * Order: blocks of HESSIAN_BLOCK rows. An entry with a coded column is a running sum, row after row; an entry of two
 * numeric columns (or a numeric one and the intercept) adds per block the sum of (c·x_p)·x_q over even rows, odd rows,
 * then even + odd.
 */
export function hessianColumns(
  table: usize, columns: u32, first: u32, n: u32, c: usize, h: usize, slots: u32, ld: u32, scratch: usize,
): void {
  const ldBytes = (<usize>ld) << 3;
  const last = h + (<usize>slots) * ldBytes;
  const rowAt = scratch + ((<usize>HESSIAN_BLOCK) << 3);
  for (let i: u32 = 0; i < n; i += HESSIAN_BLOCK) {
    const m = min<u32>(HESSIAN_BLOCK, n - i);
    const row = first + i;
    const ci = c + ((<usize>row) << 3);
    for (let j: u32 = 0; j < columns; j++) {
      const entry = table + (<usize>j) * ENTRY;
      const address = <usize>load<u32>(entry);
      const kind = load<u32>(entry, 4);
      const slot = <usize>load<u32>(entry, 8);
      const rows = h + slot * ldBytes;
      if (kind <= KIND_F64) multiplyKind(kind, address, row, m, ci, scratch);
      else if (kind == KIND_U8) rowOffsets<u8>(address + <usize>row, m, <u32>ldBytes, rowAt);
      else if (kind == KIND_U16) rowOffsets<u16>(address + ((<usize>row) << 1), m, <u32>ldBytes, rowAt);
      else rowOffsets<u32>(address + ((<usize>row) << 2), m, <u32>ldBytes, rowAt);
      for (let o: u32 = 0; o <= j; o++) {
        const other = table + (<usize>o) * ENTRY;
        const otherAddress = <usize>load<u32>(other);
        const otherKind = load<u32>(other, 4);
        const cell = rows + ((<usize>load<u32>(other, 8)) << 3);
        if (kind <= KIND_F64) accumulate(otherKind, otherAddress, row, m, scratch, cell);
        else if (otherKind > KIND_F64) tabulateKind(otherKind, rowAt, otherAddress, row, m, ci, cell);
        else {
          multiplyKind(otherKind, otherAddress, row, m, ci, scratch);
          for (let r: usize = 0; r < <usize>m; r++) {
            const at = cell + <usize>load<u32>(rowAt + (r << 2));
            store<f64>(at, load<f64>(at) + load<f64>(scratch + (r << 3)));
          }
        }
      }
      accumulate(kind, address, row, m, ci, last + (slot << 3));
    }
    const corner = last + ((<usize>slots) << 3);
    store<f64>(corner, load<f64>(corner) + sumF64(ci, m));
  }
}
