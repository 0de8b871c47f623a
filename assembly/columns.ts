import { sumF64 } from './elementwise';
import { load2 } from './lanes';

/*
 * Layout `columns`: a batch is a table of columns, each a contiguous array of its own type, 16-byte aligned and padded.
 * One-hot is never expanded: a code is a gather from the weights, a scatter-add in the gradient, a cross-tabulation in
 * the Hessian. An entry of the table is four u32:
 *
 *   address   of row 0
 *   kind      0 f32, 1 f64 (one slot each); 2 u8, 3 u16, 4 u32 codes (one slot a code)
 *   slot      index of the column's first slot in the weights
 *   limit     the greatest code, for `exceeds` alone
 *
 * Codes are below the number of slots of their column: the encoder, or `exceeds`, has checked.
 */
export const ENTRY: usize = 16;
export const KIND_F32: u32 = 0;
export const KIND_F64: u32 = 1;
export const KIND_U8: u32 = 2;
export const KIND_U16: u32 = 3;
/** u16 places in a dictionary of f64: `decodeColumns` makes numbers of them, and no other kernel reads them */
const KIND_DICTIONARY: u32 = 5;

/** rows whose logits stay in the first-level cache while all columns are added; even, so that lanes keep their rows */
const BLOCK: u32 = 1024;

/**
 * Whether a code of the rows [first, first + n) is above the limit of its column, the fourth word of the entry. It reads whole vectors,
 * so a code after the last row may give 1, too; the caller checks again.
 */
export function exceeds(table: usize, columns: u32, first: u32, n: u32): bool {
  const end = table + (<usize>columns) * ENTRY;
  for (; table < end; table += ENTRY) {
    const kind = load<u32>(table, 4);
    if (kind < KIND_U8) continue;
    const shift = kind - KIND_U8;
    let codes = <usize>load<u32>(table) + ((<usize>first) << shift);
    const stop = codes + ((<usize>n) << shift);
    let most = i8x16.splat(0);
    while (codes < stop) {
      const some = v128.load(codes);
      most = kind == KIND_U8 ? v128.max<u8>(most, some) : kind == KIND_U16 ? v128.max<u16>(most, some) : v128.max<u32>(most, some);
      codes += 16;
    }
    // narrower codes have a limit that fits them
    const limit = load<u32>(table, 12);
    const above =
      kind == KIND_U8
        ? v128.gt<u8>(most, v128.splat<u8>(<u8>limit))
        : kind == KIND_U16
          ? v128.gt<u16>(most, v128.splat<u16>(<u16>limit))
          : v128.gt<u32>(most, v128.splat<u32>(limit));
    if (v128.any_true(above)) return true;
  }
  return false;
}

/**
 * The rows [first, first + n) of a table as a table of its own, whose row 0 is row `first`. Dictionary columns become numeric; the others stay
 * where they are.
 *
 * table  of a dictionary column the fourth word is the address of its f64 values; its cells are u16 places among them, read in pairs
 * out    columns × ENTRY, then n f64 for each dictionary column, each padded to 16 bytes: written
 */
export function decodeColumns(table: usize, columns: u32, first: u32, n: u32, out: usize): void {
  let cells = out + (<usize>columns) * ENTRY;
  for (const end = cells; out < end; out += ENTRY, table += ENTRY) {
    const kind = load<u32>(table, 4);
    v128.store(out, v128.load(table));
    if (kind != KIND_DICTIONARY) {
      // of f32, f64, u8, u16, u32
      const shift = (0x21032 >> (kind << 2)) & 3;
      store<u32>(out, load<u32>(table) + (first << shift));
      continue;
    }
    store<u32>(out, cells);
    store<u32>(out, KIND_F64, 4);
    const values = <usize>load<u32>(table, 12);
    let places = <usize>load<u32>(table) + ((<usize>first) << 1);
    for (const stop = cells + ((<usize>n) << 3); cells < stop; cells += 16) {
      const one = v128.load64_zero(values + ((<usize>load<u16>(places)) << 3));
      v128.store(cells, v128.load64_lane(values + ((<usize>load<u16>(places, 2)) << 3), one, 1));
      places += 4;
    }
  }
}

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
    // with two lanes, at most one value is left
    if (sizeof<T>() == 8) break;
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

/** whether eight columns from `entry` on are of one kind */
// @ts-ignore: decorator
@inline
function allOf(entry: usize, kind: u32): bool {
  let o: usize = 4;
  while (o < 128 && load<u32>(entry + o) == kind) o += 16;
  return o > 128;
}

/** z[i] = ((z[i] + x0·w0) + x1·w1) + … for eight columns that lie in the type of the sums, `entry` being the first */
// @ts-ignore: decorator
@inline
function axpy8<T>(entry: usize, skip: usize, n: u32, w: usize, z: usize): void {
  let x0 = <usize>load<u32>(entry, 0) + skip;
  const w0 = v128.splat<T>(load<T>(w + (<usize>load<u32>(entry, 8)) * sizeof<T>()));
  let x1 = <usize>load<u32>(entry, 16) + skip;
  const w1 = v128.splat<T>(load<T>(w + (<usize>load<u32>(entry, 24)) * sizeof<T>()));
  let x2 = <usize>load<u32>(entry, 32) + skip;
  const w2 = v128.splat<T>(load<T>(w + (<usize>load<u32>(entry, 40)) * sizeof<T>()));
  let x3 = <usize>load<u32>(entry, 48) + skip;
  const w3 = v128.splat<T>(load<T>(w + (<usize>load<u32>(entry, 56)) * sizeof<T>()));
  let x4 = <usize>load<u32>(entry, 64) + skip;
  const w4 = v128.splat<T>(load<T>(w + (<usize>load<u32>(entry, 72)) * sizeof<T>()));
  let x5 = <usize>load<u32>(entry, 80) + skip;
  const w5 = v128.splat<T>(load<T>(w + (<usize>load<u32>(entry, 88)) * sizeof<T>()));
  let x6 = <usize>load<u32>(entry, 96) + skip;
  const w6 = v128.splat<T>(load<T>(w + (<usize>load<u32>(entry, 104)) * sizeof<T>()));
  let x7 = <usize>load<u32>(entry, 112) + skip;
  const w7 = v128.splat<T>(load<T>(w + (<usize>load<u32>(entry, 120)) * sizeof<T>()));
  const end = z + (<usize>n) * sizeof<T>();
  while (z < end) {
    let v = v128.add<T>(v128.load(z), v128.mul<T>(v128.load(x0), w0));
    v = v128.add<T>(v, v128.mul<T>(v128.load(x1), w1));
    v = v128.add<T>(v, v128.mul<T>(v128.load(x2), w2));
    v = v128.add<T>(v, v128.mul<T>(v128.load(x3), w3));
    v = v128.add<T>(v, v128.mul<T>(v128.load(x4), w4));
    v = v128.add<T>(v, v128.mul<T>(v128.load(x5), w5));
    v = v128.add<T>(v, v128.mul<T>(v128.load(x6), w6));
    v = v128.add<T>(v, v128.mul<T>(v128.load(x7), w7));
    v128.store(z, v);
    x0 += 16;
    x1 += 16;
    x2 += 16;
    x3 += 16;
    x4 += 16;
    x5 += 16;
    x6 += 16;
    x7 += 16;
    z += 16;
  }
}

/**
 * z[i] = b + Σ over columns in table order of x·w[slot] (numeric) or w[slot + code] (coded), for m <= BLOCK rows
 * Order: one running sum a row, starting from b, columns in table order.
 */
// @ts-ignore: decorator
@inline
function logitsBlock<T>(table: usize, columns: u32, row: u32, m: u32, w: usize, b: T, z: usize, wide: bool): void {
  const zEnd = z + (<usize>m) * sizeof<T>();
  for (let p = z; p < zEnd; p += 16) v128.store(p, v128.splat<T>(b));
  const own: u32 = sizeof<T>() == 4 ? KIND_F32 : KIND_F64;
  const skip = (<usize>row) * sizeof<T>();
  for (let j: u32 = 0; j < columns; j++) {
    const entry = table + (<usize>j) * ENTRY;
    const address = <usize>load<u32>(entry);
    const kind = load<u32>(entry, 4);
    const at = w + (<usize>load<u32>(entry, 8)) * sizeof<T>();
    if (j + 8 <= columns && allOf(entry, own)) {
      axpy8<T>(entry, skip, m, w, z);
      j += 7;
      continue;
    }
    if (kind == KIND_F32 && (wide || sizeof<T>() == 4)) axpy<T, f32>(address + ((<usize>row) << 2), m, load<T>(at), z);
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
 *
 * @param wide  whether there are numeric columns of f32 beside those of T (a constant: the scoring module has none, to be small)
 */
// @ts-ignore: decorator
@inline
export function logits<T>(
  table: usize, columns: u32, first: u32, n: u32, w: usize, wStride: u32, b: usize, k: u32, z: usize, zStride: u32,
  wide: bool,
): void {
  for (let i: u32 = 0; i < n; i += BLOCK) {
    const m = min<u32>(BLOCK, n - i);
    for (let j: u32 = 0; j < k; j++) {
      logitsBlock<T>(
        table, columns, first + i, m, w + (<usize>j) * (<usize>wStride) * sizeof<T>(),
        load<T>(b + (<usize>j) * sizeof<T>()), z + ((<usize>j) * (<usize>zStride) + i) * sizeof<T>(), wide,
      );
    }
  }
}

/** f32 sums; numeric columns must be f32: see `logits` */
export function logitsColumnsF32(
  table: usize, columns: u32, first: u32, n: u32, w: usize, wStride: u32, b: usize, k: u32, z: usize, zStride: u32,
): void {
  logits<f32>(table, columns, first, n, w, wStride, b, k, z, zStride, false);
}

/** f64 sums; numeric columns f64, or f32 widened: see `logits` */
export function logitsColumnsF64(
  table: usize, columns: u32, first: u32, n: u32, w: usize, wStride: u32, b: usize, k: u32, z: usize, zStride: u32,
): void {
  logits<f64>(table, columns, first, n, w, wStride, b, k, z, zStride, true);
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

/**
 * `scatter` of the four columns from `entry` on, whose codes have one type. In sorted data neighbouring rows have equal codes, and an addition
 * waits for the one before it; those of the other columns do not. Codes of 32 bits are rare, and left to `scatter`.
 */
// @ts-ignore: decorator
@inline
function scatter4<C>(entry: usize, row: u32, n: u32, r: usize, line: usize): void {
  const skip = (<usize>row) * sizeof<C>();
  let c0 = <usize>load<u32>(entry, 0) + skip;
  const g0 = line + ((<usize>load<u32>(entry, 8)) << 3);
  let c1 = <usize>load<u32>(entry, 16) + skip;
  const g1 = line + ((<usize>load<u32>(entry, 24)) << 3);
  let c2 = <usize>load<u32>(entry, 32) + skip;
  const g2 = line + ((<usize>load<u32>(entry, 40)) << 3);
  let c3 = <usize>load<u32>(entry, 48) + skip;
  const g3 = line + ((<usize>load<u32>(entry, 56)) << 3);
  const end = r + ((<usize>n) << 3);
  while (r < end) {
    const value = load<f64>(r);
    const at0 = g0 + ((<usize>load<C>(c0)) << 3);
    store<f64>(at0, load<f64>(at0) + value);
    const at1 = g1 + ((<usize>load<C>(c1)) << 3);
    store<f64>(at1, load<f64>(at1) + value);
    const at2 = g2 + ((<usize>load<C>(c2)) << 3);
    store<f64>(at2, load<f64>(at2) + value);
    const at3 = g3 + ((<usize>load<C>(c3)) << 3);
    store<f64>(at3, load<f64>(at3) + value);
    c0 += sizeof<C>();
    c1 += sizeof<C>();
    c2 += sizeof<C>();
    c3 += sizeof<C>();
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

/** `dot4` or `scatter4` of the four columns from `entry` on */
function addFour(entry: usize, kind: u32, row: u32, n: u32, r: usize, line: usize): void {
  if (kind == KIND_F32) dot4<f32>(entry, row, n, r, line);
  else if (kind == KIND_F64) dot4<f64>(entry, row, n, r, line);
  else if (kind == KIND_U8) scatter4<u8>(entry, row, n, r, line);
  else scatter4<u16>(entry, row, n, r, line);
}

/**
 * Xᵀr over the rows [first, first + n): g[j·gStride + slot] += Σ r[j][i]·x, or += r[j][i] at slot + code;
 * g[j·gStride + slots] += Σ r[j][i]
 *
 * r  k planes of rStride f64, entry 0 belongs to row `first`   g  k × gStride f64
 *
 * Order: numeric columns sum even rows, odd rows, even + odd; codes row after row; the intercept's sum by `sumF64`.
 */
export function transposeColumns(
  table: usize, columns: u32, first: u32, n: u32, r: usize, rStride: u32, k: u32, g: usize, gStride: u32, slots: u32,
): void {
  for (let j: u32 = 0; j < columns; j++) {
    const entry = table + (<usize>j) * ENTRY;
    const kind = load<u32>(entry, 4);
    const four = kind <= KIND_U16 && j + 3 < columns && fourOf(entry, kind);
    for (let v: usize = 0; v < <usize>k; v++) {
      const rv = r + ((v * <usize>rStride) << 3);
      const line = g + ((v * <usize>gStride) << 3);
      if (four) addFour(entry, kind, first, n, rv, line);
      else accumulate(kind, <usize>load<u32>(entry), first, n, rv, line + ((<usize>load<u32>(entry, 8)) << 3));
    }
    if (four) j += 3;
  }
  for (let v: usize = 0; v < <usize>k; v++) {
    const at = g + ((v * <usize>gStride + <usize>slots) << 3);
    store<f64>(at, load<f64>(at) + sumF64(r + ((v * <usize>rStride) << 3), n));
  }
}

/** at[v] += Σ r[i]·x[v][i] for the numeric columns v = 0 to 3 from `entry` on, all of one kind: the sums of four `dot` */
// @ts-ignore: decorator
@inline
function dot4<S>(entry: usize, row: u32, n: u32, r: usize, line: usize): void {
  const skip = (<usize>row) * sizeof<S>();
  let x0 = <usize>load<u32>(entry) + skip;
  let x1 = <usize>load<u32>(entry, 16) + skip;
  let x2 = <usize>load<u32>(entry, 32) + skip;
  let x3 = <usize>load<u32>(entry, 48) + skip;
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  const end = r + ((<usize>(n & ~1)) << 3);
  while (r < end) {
    const c = v128.load(r);
    s0 = f64x2.add(s0, f64x2.mul(c, load2<S>(x0)));
    s1 = f64x2.add(s1, f64x2.mul(c, load2<S>(x1)));
    s2 = f64x2.add(s2, f64x2.mul(c, load2<S>(x2)));
    s3 = f64x2.add(s3, f64x2.mul(c, load2<S>(x3)));
    x0 += 2 * sizeof<S>();
    x1 += 2 * sizeof<S>();
    x2 += 2 * sizeof<S>();
    x3 += 2 * sizeof<S>();
    r += 16;
  }
  const t0 = n & 1 ? <f64>load<S>(x0) : 0;
  const t1 = n & 1 ? <f64>load<S>(x1) : 0;
  const t2 = n & 1 ? <f64>load<S>(x2) : 0;
  const t3 = n & 1 ? <f64>load<S>(x3) : 0;
  foldFour(line + ((<usize>load<u32>(entry, 8)) << 3), n, n & 1 ? load<f64>(r) : 0, t0, t1, t2, t3, s0, s1, s2, s3);
}

/**
 * at[v] += Σ r[i]·x[v][i] for the numeric columns v = 0 to 3 from `entry` on, all of one kind, and the same of q into `lineQ`: the sums of
 * eight `dot`
 */
// @ts-ignore: decorator
@inline
function dot8<S>(entry: usize, row: u32, n: u32, r: usize, q: usize, lineR: usize, lineQ: usize): void {
  const skip = (<usize>row) * sizeof<S>();
  let x0 = <usize>load<u32>(entry) + skip;
  let x1 = <usize>load<u32>(entry, 16) + skip;
  let x2 = <usize>load<u32>(entry, 32) + skip;
  let x3 = <usize>load<u32>(entry, 48) + skip;
  let r0 = f64x2.splat(0);
  let r1 = r0;
  let r2 = r0;
  let r3 = r0;
  let q0 = r0;
  let q1 = r0;
  let q2 = r0;
  let q3 = r0;
  const gap = q - r;
  const end = r + ((<usize>(n & ~1)) << 3);
  while (r < end) {
    const a = v128.load(r);
    const b = v128.load(r + gap);
    const v0 = load2<S>(x0);
    r0 = f64x2.add(r0, f64x2.mul(a, v0));
    q0 = f64x2.add(q0, f64x2.mul(b, v0));
    const v1 = load2<S>(x1);
    r1 = f64x2.add(r1, f64x2.mul(a, v1));
    q1 = f64x2.add(q1, f64x2.mul(b, v1));
    const v2 = load2<S>(x2);
    r2 = f64x2.add(r2, f64x2.mul(a, v2));
    q2 = f64x2.add(q2, f64x2.mul(b, v2));
    const v3 = load2<S>(x3);
    r3 = f64x2.add(r3, f64x2.mul(a, v3));
    q3 = f64x2.add(q3, f64x2.mul(b, v3));
    x0 += 2 * sizeof<S>();
    x1 += 2 * sizeof<S>();
    x2 += 2 * sizeof<S>();
    x3 += 2 * sizeof<S>();
    r += 16;
  }
  const slot = (<usize>load<u32>(entry, 8)) << 3;
  const a = n & 1 ? load<f64>(r) : 0;
  const b = n & 1 ? load<f64>(r + gap) : 0;
  const t0 = n & 1 ? <f64>load<S>(x0) : 0;
  const t1 = n & 1 ? <f64>load<S>(x1) : 0;
  const t2 = n & 1 ? <f64>load<S>(x2) : 0;
  const t3 = n & 1 ? <f64>load<S>(x3) : 0;
  foldFour(lineR + slot, n, a, t0, t1, t2, t3, r0, r1, r2, r3);
  foldFour(lineQ + slot, n, b, t0, t1, t2, t3, q0, q1, q2, q3);
}

/** at[v] += even + odd; a single last row counts as even */
function foldFour(
  at: usize, n: u32, c: f64, t0: f64, t1: f64, t2: f64, t3: f64, s0: v128, s1: v128, s2: v128, s3: v128,
): void {
  let e0 = f64x2.extract_lane(s0, 0);
  let e1 = f64x2.extract_lane(s1, 0);
  let e2 = f64x2.extract_lane(s2, 0);
  let e3 = f64x2.extract_lane(s3, 0);
  if (n & 1) {
    e0 += c * t0;
    e1 += c * t1;
    e2 += c * t2;
    e3 += c * t3;
  }
  store<f64>(at, load<f64>(at) + (e0 + f64x2.extract_lane(s0, 1)));
  store<f64>(at, load<f64>(at, 8) + (e1 + f64x2.extract_lane(s1, 1)), 8);
  store<f64>(at, load<f64>(at, 16) + (e2 + f64x2.extract_lane(s2, 1)), 16);
  store<f64>(at, load<f64>(at, 24) + (e3 + f64x2.extract_lane(s3, 1)), 24);
}

/** whether the four columns from `entry` on are all of one kind */
function fourOf(entry: usize, kind: u32): bool {
  return load<u32>(entry, 4) == kind && load<u32>(entry, 20) == kind && load<u32>(entry, 36) == kind && load<u32>(entry, 52) == kind;
}

/** rows of a Hessian block; its scratch has 16 bytes a row, and 4 for every coded column */
const HESSIAN_BLOCK: u32 = 1024;

/** to[i · width] = 8 · (slot + code[i]), up to `end` */
// @ts-ignore: decorator
@inline
function expand<C>(codes: usize, slot: u32, to: usize, end: usize, width: usize): void {
  while (to < end) {
    store<u32>(to, (slot + <u32>load<C>(codes)) << 3);
    codes += sizeof<C>();
    to += width;
  }
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

/** cx[i] = c[i]·x[i] of a numeric column, for n rows from `row` */
function weigh(entry: usize, kind: u32, row: u32, n: u32, c: usize, cx: usize): void {
  const address = <usize>load<u32>(entry);
  if (kind == KIND_F32) multiply<f32>(address + ((<usize>row) << 2), n, c, cx);
  else multiply<f64>(address + ((<usize>row) << 3), n, c, cx);
}

/** to[i · width + 4k] = 8 · (slot + code) of row `row` + i in the k-th coded column, i in [0, m) */
// @ts-ignore: decorator
@inline
function layCodes(table: usize, tableEnd: usize, row: u32, m: u32, to: usize, width: usize): void {
  for (let entry = table; entry < tableEnd; entry += ENTRY) {
    const kind = load<u32>(entry, 4);
    if (kind <= KIND_F64) continue;
    const codes = <usize>load<u32>(entry) + ((<usize>row) << (kind - KIND_U8));
    const slot = load<u32>(entry, 8);
    const end = to + (<usize>m) * width;
    if (kind == KIND_U8) expand<u8>(codes, slot, to, end, width);
    else if (kind == KIND_U16) expand<u16>(codes, slot, to, end, width);
    else expand<u32>(codes, slot, to, end, width);
    to += 4;
  }
}

/** Adds c[i], row after row: to the cells of the codes of row i with each other and with the intercept (`last`), and to `corner` */
// @ts-ignore: decorator
@inline
function addCodes(cells: usize, width: usize, m: u32, c: usize, h: usize, ld: u32, last: usize, corner: usize): void {
  let sum = load<f64>(corner);
  const end = c + ((<usize>m) << 3);
  for (; c < end; c += 8) {
    const value = load<f64>(c);
    for (let p = cells; p < cells + width; p += 4) {
      const offset = <usize>load<u32>(p);
      const line = h + offset * <usize>ld;
      for (let q = cells; q < p; q += 4) {
        const at = line + <usize>load<u32>(q);
        store<f64>(at, load<f64>(at) + value);
      }
      store<f64>(last + offset, load<f64>(last + offset) + value);
    }
    sum += value;
    cells += width;
  }
  store<f64>(corner, sum);
}

/**
 * Adds Σ cx[i]·x[i] for the numeric columns x from `start` to `entry`: four at a time where four neighbours have the same kind
 *
 * cx    c times the column of `entry`
 * line  its cells
 */
function addNumbers(start: usize, entry: usize, row: u32, m: u32, cx: usize, line: usize): void {
  for (let other = start; other <= entry; other += ENTRY) {
    if (other + 3 * ENTRY <= entry) {
      const first = load<u32>(other, 4);
      if (first <= KIND_F64 && fourOf(other, first)) {
        addFour(other, first, row, m, cx, line);
        other += 3 * ENTRY;
        continue;
      }
    }
    const kind = load<u32>(other, 4);
    if (kind > KIND_F64) continue;
    accumulate(kind, <usize>load<u32>(other), row, m, cx, line + ((<usize>load<u32>(other, 8)) << 3));
  }
}

/**
 * Adds cx[i], row after row: to the cells of a numeric column with the codes of row i, and to the one with the intercept, `sumAt`.
 * The codes of columns before it are the first `before` bytes of a row: their cells lie in its line, the others in its column.
 */
// @ts-ignore: decorator
@inline
function addMixed(
  cells: usize, width: usize, before: usize, m: u32, cx: usize, line: usize, column: usize, ld: u32, sumAt: usize,
): void {
  let sum = load<f64>(sumAt);
  const end = cx + ((<usize>m) << 3);
  for (; cx < end; cx += 8) {
    const value = load<f64>(cx);
    let q = cells;
    for (; q < cells + before; q += 4) {
      const at = line + <usize>load<u32>(q);
      store<f64>(at, load<f64>(at) + value);
    }
    cells += width;
    for (; q < cells; q += 4) {
      const at = column + (<usize>load<u32>(q)) * <usize>ld;
      store<f64>(at, load<f64>(at) + value);
    }
    sum += value;
  }
  store<f64>(sumAt, sum);
}

/**
 * `addMixed` of two neighbouring numeric columns, weighed as cx and `next`: in the column of a code their cells are neighbours, and are
 * added as one vector.
 */
// @ts-ignore: decorator
@inline
function addMixedPair(
  cells: usize, width: usize, before: usize, m: u32, cx: usize, next: usize, line: usize, column: usize, ld: u32, sumAt: usize,
): void {
  let sum = v128.load(sumAt);
  const nextLine = line + ((<usize>ld) << 3);
  const gap = next - cx;
  const end = cx + ((<usize>m) << 3);
  for (; cx < end; cx += 8) {
    const pair = v128.load64_lane(cx + gap, v128.load64_zero(cx), 1);
    let q = cells;
    for (; q < cells + before; q += 4) {
      const at = line + <usize>load<u32>(q);
      store<f64>(at, load<f64>(at) + f64x2.extract_lane(pair, 0));
      const below = nextLine + <usize>load<u32>(q);
      store<f64>(below, load<f64>(below) + f64x2.extract_lane(pair, 1));
    }
    cells += width;
    for (; q < cells; q += 4) {
      const at = column + (<usize>load<u32>(q)) * <usize>ld;
      v128.store(at, f64x2.add(v128.load(at), pair));
    }
    sum = f64x2.add(sum, pair);
  }
  v128.store(sumAt, sum);
}

/**
 * Adds the cells of the numeric columns of `entry` and of the one after it, both of this kind, with columns from the first one
 * on, four at a time while these are of their kind
 * @returns the first column that was not added
 */
// @ts-ignore: decorator
@inline
function addPairs(
  table: usize, entry: usize, kind: u32, row: u32, m: u32, cx: usize, cxNext: usize, h: usize, ld: u32,
): usize {
  const line = h + ((<usize>load<u32>(entry, 8)) << 3) * <usize>ld;
  const lineNext = h + ((<usize>load<u32>(entry, ENTRY + 8)) << 3) * <usize>ld;
  let start = table;
  while (start + 3 * ENTRY <= entry && fourOf(start, kind)) {
    if (kind == KIND_F32) dot8<f32>(start, row, m, cx, cxNext, line, lineNext);
    else dot8<f64>(start, row, m, cx, cxNext, line, lineNext);
    start += 4 * ENTRY;
  }
  return start;
}

/** Copies the diagonal: the cell of a code with itself equals the cell of the code with the intercept. */
// @ts-ignore: decorator
@inline
function copyDiagonal(table: usize, tableEnd: usize, h: usize, ld: u32, last: usize, slots: u32): void {
  for (let entry = table; entry < tableEnd; entry += ENTRY) {
    if (load<u32>(entry, 4) <= KIND_F64) continue;
    const next = entry + ENTRY < tableEnd ? load<u32>(entry, ENTRY + 8) : slots;
    for (let slot = load<u32>(entry, 8); slot < next; slot++) {
      const offset = (<usize>slot) << 3;
      store<f64>(h + offset * <usize>ld + offset, load<f64>(last + offset));
    }
  }
}

/**
 * H[p][q] += Σ c[i]·x_p·x_q over the rows [first, first + n), for p >= q (lower triangle)
 *
 * c        curvature, f64 by row number   slots  total number of slots
 * h        (slots + 1) × ld f64, row-major; row `slots` is the intercept's; zeros, or the sums of earlier calls
 * scratch  HESSIAN_BLOCK · (16 + 4 · coded columns) bytes
 *
 * A block's codes are stored row by row as offsets of slots. All pairs of a row are added before the next row, so that sums of
 * different cells overlap where neighbouring rows have equal codes. The cell of a code with itself has the same sum as its cell
 * with the intercept, and the latter are neighbours, so the diagonal is a copy.
 *
 * Order: an entry with a coded column or the intercept is a running sum, row after row; an entry of two numeric columns
 * adds per block of HESSIAN_BLOCK rows the sum of (c·x_p)·x_q over even rows, odd rows, then even + odd.
 */
export function hessianColumns(
  table: usize, columns: u32, first: u32, n: u32, c: usize, h: usize, slots: u32, ld: u32, scratch: usize,
): void {
  const second = scratch + ((<usize>HESSIAN_BLOCK) << 3);
  const cells = second + ((<usize>HESSIAN_BLOCK) << 3);
  const last = h + (<usize>slots) * ((<usize>ld) << 3);
  const tableEnd = table + (<usize>columns) * ENTRY;
  let width: usize = 0;
  for (let entry = table; entry < tableEnd; entry += ENTRY) if (load<u32>(entry, 4) > KIND_F64) width += 4;
  for (let i: u32 = 0; i < n; i += HESSIAN_BLOCK) {
    const m = min<u32>(HESSIAN_BLOCK, n - i);
    const row = first + i;
    const ci = c + ((<usize>row) << 3);
    layCodes(table, tableEnd, row, m, cells, width);
    addCodes(cells, width, m, ci, h, ld, last, last + ((<usize>slots) << 3));
    // bytes of the coded columns before this one, in a row of `cells`
    let before: usize = 0;
    let entry = table;
    while (entry < tableEnd) {
      const kind = load<u32>(entry, 4);
      if (kind > KIND_F64) {
        before += 4;
        entry += ENTRY;
        continue;
      }
      const offset = (<usize>load<u32>(entry, 8)) << 3;
      const line = h + offset * <usize>ld;
      const next = entry + ENTRY;
      weigh(entry, kind, row, m, ci, scratch);
      if (next < tableEnd && load<u32>(next, 4) == kind) {
        weigh(next, kind, row, m, ci, second);
        const start = addPairs(table, entry, kind, row, m, scratch, second, h, ld);
        addNumbers(start, entry, row, m, scratch, line);
        addNumbers(start, next, row, m, second, line + ((<usize>ld) << 3));
        addMixedPair(cells, width, before, m, scratch, second, line, h + offset, ld, last + offset);
        entry = next + ENTRY;
      } else {
        addNumbers(table, entry, row, m, scratch, line);
        addMixed(cells, width, before, m, scratch, line, h + offset, ld, last + offset);
        entry = next;
      }
    }
  }
  copyDiagonal(table, tableEnd, h, ld, last, slots);
}
