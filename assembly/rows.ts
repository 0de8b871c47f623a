import { sumF64 } from './elementwise';
import { load2 } from './lanes';

/*
 * Layout `rows`: a batch is n × stride, row-major, 16-byte aligned; stride is a multiple of 4 and the entries from the
 * number of features up to stride are zero, so no kernel has a tail loop over features.
 */

/** batches above this many bytes are read at eight places at once (DRAM delivers more to several streams than to one) */
const STREAMS_FROM: usize = 1 << 21;

/**
 * The same for blocks of training (see blockRows in bindings/blocks.ts), which come from DRAM however many rows they are. From the caches
 * eight places cost rows of fewer than SHORT values a sixth, and f32 sums a tenth.
 */
const BLOCK_STREAMS_FROM: usize = 1 << 15;
const SHORT: usize = 16;

/** bytes of rows that stay in the first-level cache while the weight vectors go by */
const CACHED: usize = 1 << 14;

/** the sums of four rows, each (l0 + l1) + (l2 + l3): one f32 vector */
// @ts-ignore: decorator
@inline
function fold4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab01 = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const ab23 = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cd01 = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const cd23 = i32x4.shuffle(c, d, 2, 6, 3, 7);
  return f32x4.add(
    f32x4.add(i64x2.shuffle(ab01, cd01, 0, 2), i64x2.shuffle(ab01, cd01, 1, 3)),
    f32x4.add(i64x2.shuffle(ab23, cd23, 0, 2), i64x2.shuffle(ab23, cd23, 1, 3)),
  );
}

/** the sums of two rows, each l0 + l1: one f64 vector */
// @ts-ignore: decorator
@inline
function fold2(a: v128, b: v128): v128 {
  return f64x2.add(i64x2.shuffle(a, b, 0, 2), i64x2.shuffle(a, b, 1, 3));
}

// @ts-ignore: decorator
@inline
function storePair(out: usize, step: usize, v: v128): void {
  v128.store64_lane(out, v, 0);
  v128.store64_lane(out + step, v, 1);
}

/** the sums of four rows that lie `gap` rows apart, to their places in z */
// @ts-ignore: decorator
@inline
function storeTile<T>(z: usize, gap: usize, a: v128, b: v128, c: v128, d: v128, intercept: T): void {
  const step = gap * sizeof<T>();
  const iv = v128.splat<T>(intercept);
  if (sizeof<T>() == 4) {
    const sums = f32x4.add(fold4(a, b, c, d), iv);
    if (gap == 1) v128.store(z, sums);
    else {
      v128.store32_lane(z, sums, 0);
      v128.store32_lane(z + step, sums, 1);
      v128.store32_lane(z + 2 * step, sums, 2);
      v128.store32_lane(z + 3 * step, sums, 3);
    }
  } else {
    storePair(z, step, f64x2.add(fold2(a, b), iv));
    storePair(z + 2 * step, step, f64x2.add(fold2(c, d), iv));
  }
}

/** four rows, `gap` rows apart, times one weight vector; the row length is at least one vector */
// @ts-ignore: decorator
@inline
function tile<T>(p0: usize, gap: usize, rowBytes: usize, w: usize, b: usize, z: usize): void {
  const gapBytes = gap * rowBytes;
  let p1 = p0 + gapBytes;
  let p2 = p1 + gapBytes;
  let p3 = p2 + gapBytes;
  const end = w + rowBytes;
  let a0 = v128.splat<T>(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  while (w + 16 < end) {
    let v = v128.load(w);
    a0 = v128.add<T>(a0, v128.mul<T>(v128.load(p0), v));
    a1 = v128.add<T>(a1, v128.mul<T>(v128.load(p1), v));
    a2 = v128.add<T>(a2, v128.mul<T>(v128.load(p2), v));
    a3 = v128.add<T>(a3, v128.mul<T>(v128.load(p3), v));
    v = v128.load(w, 16);
    a0 = v128.add<T>(a0, v128.mul<T>(v128.load(p0, 16), v));
    a1 = v128.add<T>(a1, v128.mul<T>(v128.load(p1, 16), v));
    a2 = v128.add<T>(a2, v128.mul<T>(v128.load(p2, 16), v));
    a3 = v128.add<T>(a3, v128.mul<T>(v128.load(p3, 16), v));
    p0 += 32;
    p1 += 32;
    p2 += 32;
    p3 += 32;
    w += 32;
  }
  // four f64 are two vectors
  if (sizeof<T>() == 4 && w < end) {
    const v = v128.load(w);
    a0 = v128.add<T>(a0, v128.mul<T>(v128.load(p0), v));
    a1 = v128.add<T>(a1, v128.mul<T>(v128.load(p1), v));
    a2 = v128.add<T>(a2, v128.mul<T>(v128.load(p2), v));
    a3 = v128.add<T>(a3, v128.mul<T>(v128.load(p3), v));
  }
  storeTile<T>(z, gap, a0, a1, a2, a3, load<T>(b));
}

/** one row of f64 times one weight vector, with the bits of `tile` */
// @ts-ignore: decorator
@inline
function one(p: usize, rowBytes: usize, w: usize, b: usize, z: usize): void {
  const end = w + rowBytes;
  let a = f64x2.splat(0);
  for (; w < end; w += 16, p += 16) a = f64x2.add(a, f64x2.mul(v128.load(p), v128.load(w)));
  store<f64>(z, f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1) + load<f64>(b));
}

/** four neighbours times two weight vectors, which share the loads of the rows */
// @ts-ignore: decorator
@inline
function tilePair<T>(p0: usize, rowBytes: usize, w: usize, b: usize, z: usize, plane: usize): void {
  let p1 = p0 + rowBytes;
  let p2 = p1 + rowBytes;
  let p3 = p2 + rowBytes;
  const end = w + rowBytes;
  let other = end;
  let a0 = v128.splat<T>(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let c0 = a0;
  let c1 = a0;
  let c2 = a0;
  let c3 = a0;
  while (w < end) {
    const v = v128.load(w);
    const u = v128.load(other);
    let x = v128.load(p0);
    a0 = v128.add<T>(a0, v128.mul<T>(x, v));
    c0 = v128.add<T>(c0, v128.mul<T>(x, u));
    x = v128.load(p1);
    a1 = v128.add<T>(a1, v128.mul<T>(x, v));
    c1 = v128.add<T>(c1, v128.mul<T>(x, u));
    x = v128.load(p2);
    a2 = v128.add<T>(a2, v128.mul<T>(x, v));
    c2 = v128.add<T>(c2, v128.mul<T>(x, u));
    x = v128.load(p3);
    a3 = v128.add<T>(a3, v128.mul<T>(x, v));
    c3 = v128.add<T>(c3, v128.mul<T>(x, u));
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
    w += 16;
    other += 16;
  }
  storeTile<T>(z, 1, a0, a1, a2, a3, load<T>(b));
  storeTile<T>(z + plane, 1, c0, c1, c2, c3, load<T>(b, sizeof<T>()));
}

/**
 * z[j·zStride + i] = dot(x[i], w[j]) + b[j],  i in [0, n), j in [0, k)
 *
 * x  n × stride   w  k × stride, padded with zeros   b  k   z  k planes of zStride >= n, written
 *
 * Order: lane sums over the row, folded (l0 + l1) + (l2 + l3) in f32, l0 + l1 in f64; then + b. The same for every
 * blocking, so a row's logit does not depend on its neighbours.
 *
 * Tiles of four rows. For one weight vector a large batch is read in eight streams: a tile is one row from each of eighths
 * 0 to 3, the next one from each of 4 to 7. Otherwise the four are neighbours; the last tile overlaps the one before it.
 * Of fewer than four rows f64 are taken one by one, f32 four times each.
 *
 * @param whole  with eight streams, and two weight vectors at a time (a constant: scoring alone does without, to be small)
 */
// @ts-ignore: decorator
@inline
export function logits<T>(
  x: usize, stride: u32, n: u32, w: usize, b: usize, k: u32, z: usize, zStride: u32, whole: bool,
): void {
  const rowBytes = (<usize>stride) * sizeof<T>();
  const plane = (<usize>zStride) * sizeof<T>();
  const rows = <usize>n;
  let row: usize = 0;
  if (sizeof<T>() == 8 && rows < 4) {
    for (; row < rows; row++) {
      for (let j: usize = 0; j < <usize>k; j++) one(x + row * rowBytes, rowBytes, w + j * rowBytes, b + (j << 3), z + j * plane + (row << 3));
    }
    return;
  }
  if (whole) {
    let gap: usize = 0;
    let tiles: usize = rows < 4 ? rows : 0;
    let step: usize = 1;
    let end: usize = 4;
    const from = sizeof<T>() == 8 && <usize>stride >= SHORT ? BLOCK_STREAMS_FROM : STREAMS_FROM;
    if (k == 1 && rows > 7 && rows * rowBytes >= from) {
      // an odd number of rows: a power of two would put all streams into the same sets of the caches
      gap = ((rows >>> 3) - 1) | 1;
      tiles = gap << 1;
      step = gap << 2;
      end = gap << 3;
    }
    for (let t: usize = 0; t < tiles; t++) {
      for (let j: usize = 0; j < <usize>k; j++) {
        const zj = z + j * plane + row * sizeof<T>();
        tile<T>(x + row * rowBytes, gap, rowBytes, w + j * rowBytes, b + j * sizeof<T>(), zj);
      }
      row += step;
      if (row >= end) row -= end - 1;
    }
    row = tiles << (gap ? 2 : 0);
    if (k > 1) {
      for (; row < rows; row += 4) {
        row = min<usize>(row, rows - 4);
        const p = x + row * rowBytes;
        let wj = w;
        let bj = b;
        let zj = z + row * sizeof<T>();
        let left = k;
        for (; left > 1; left -= 2) {
          tilePair<T>(p, rowBytes, wj, bj, zj, plane);
          wj += rowBytes << 1;
          bj += 2 * sizeof<T>();
          zj += plane << 1;
        }
        if (left) tile<T>(p, 1, rowBytes, wj, bj, zj);
      }
      return;
    }
  }
  const block = max<usize>((CACHED / (rowBytes | 1)) & ~3, 4);
  while (row < rows) {
    const last = min<usize>(row + block, rows);
    for (let j: usize = 0; j < <usize>k; j++) {
      const zj = z + j * plane;
      for (let i = row; i < last; i += 4) {
        i = min<usize>(i, rows - 4);
        tile<T>(x + i * rowBytes, 1, rowBytes, w + j * rowBytes, b + j * sizeof<T>(), zj + i * sizeof<T>());
      }
    }
    row = last;
  }
}

/** f32 storage, f32 sums: see `logits` */
export function logitsRowsF32(x: usize, stride: u32, n: u32, w: usize, b: usize, k: u32, z: usize, zStride: u32): void {
  logits<f32>(x, stride, n, w, b, k, z, zStride, true);
}

/** f64 storage, f64 sums: see `logits` */
export function logitsRowsF64(x: usize, stride: u32, n: u32, w: usize, b: usize, k: u32, z: usize, zStride: u32): void {
  logits<f64>(x, stride, n, w, b, k, z, zStride, true);
}

/**
 * z[j·zStride + i] = dot(x[i], w[j]) + b[j] in f64 from f32 storage, for training; see `logits`
 *
 * w, b, z  f64
 * Order: that of f64 rows, two lane sums.
 */
export function logitsRowsWide(x: usize, stride: u32, n: u32, w: usize, b: usize, k: u32, z: usize, zStride: u32): void {
  const rowBytes = (<usize>stride) << 2;
  const wBytes = (<usize>stride) << 3;
  const rows = <usize>n;
  // a tile is one row from each of eighths 0 to 3, or 4 to 7, as in `logits`; what is left goes by four neighbours, of which the last
  // overlap the ones before. Of fewer than four rows each is taken four times
  const far: usize = rows > 7 && <usize>stride >= SHORT && rows * rowBytes >= BLOCK_STREAMS_FROM ? ((rows >>> 3) - 1) | 1 : 0;
  const strided = far << 1;
  const tiles = strided + (rows < 4 ? rows : (rows - (strided << 2) + 3) >>> 2);
  let gap = far;
  let row: usize = 0;
  for (let t: usize = 0; t < tiles; t++) {
    if (t >= strided) {
      gap = rows < 4 ? 0 : 1;
      row = rows < 4 ? t : min<usize>((strided << 2) + ((t - strided) << 2), rows - 4);
    }
    const gapBytes = gap * rowBytes;
    for (let j: usize = 0; j < <usize>k; j++) {
      let p0 = x + row * rowBytes;
      let p1 = p0 + gapBytes;
      let p2 = p1 + gapBytes;
      let p3 = p2 + gapBytes;
      let q = w + j * wBytes;
      const end = q + wBytes;
      let a0 = f64x2.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      while (q < end) {
        let v = v128.load(q);
        a0 = f64x2.add(a0, f64x2.mul(load2<f32>(p0), v));
        a1 = f64x2.add(a1, f64x2.mul(load2<f32>(p1), v));
        a2 = f64x2.add(a2, f64x2.mul(load2<f32>(p2), v));
        a3 = f64x2.add(a3, f64x2.mul(load2<f32>(p3), v));
        v = v128.load(q, 16);
        a0 = f64x2.add(a0, f64x2.mul(load2<f32>(p0 + 8), v));
        a1 = f64x2.add(a1, f64x2.mul(load2<f32>(p1 + 8), v));
        a2 = f64x2.add(a2, f64x2.mul(load2<f32>(p2 + 8), v));
        a3 = f64x2.add(a3, f64x2.mul(load2<f32>(p3 + 8), v));
        p0 += 16;
        p1 += 16;
        p2 += 16;
        p3 += 16;
        q += 32;
      }
      storeTile<f64>(z + ((j * <usize>zStride + row) << 3), gap, a0, a1, a2, a3, load<f64>(b + (j << 3)));
    }
    row += far << 2;
    if (row >= far << 3) row -= (far << 3) - 1;
  }
}

/**
 * g[c] += Σ r[i]·x[i][c],  one running sum a column, row after row
 *
 * Sixteen columns at a time stay in registers while the rows go by; then four at a time. Not inlined: it would be 2 kB.
 */
function transposeOne<T>(x: usize, stride: u32, n: u32, r: usize, g: usize): void {
  const rowBytes = (<usize>stride) * sizeof<T>();
  const rEnd = r + ((<usize>n) << 3);
  const end = x + rowBytes;
  while (x + 15 * sizeof<T>() < end) {
    let g0 = v128.load(g);
    let g1 = v128.load(g, 16);
    let g2 = v128.load(g, 32);
    let g3 = v128.load(g, 48);
    let g4 = v128.load(g, 64);
    let g5 = v128.load(g, 80);
    let g6 = v128.load(g, 96);
    let g7 = v128.load(g, 112);
    let p = x;
    for (let q = r; q < rEnd; q += 8) {
      const rv = v128.load64_splat(q);
      g0 = f64x2.add(g0, f64x2.mul(rv, load2<T>(p)));
      g1 = f64x2.add(g1, f64x2.mul(rv, load2<T>(p + 2 * sizeof<T>())));
      g2 = f64x2.add(g2, f64x2.mul(rv, load2<T>(p + 4 * sizeof<T>())));
      g3 = f64x2.add(g3, f64x2.mul(rv, load2<T>(p + 6 * sizeof<T>())));
      g4 = f64x2.add(g4, f64x2.mul(rv, load2<T>(p + 8 * sizeof<T>())));
      g5 = f64x2.add(g5, f64x2.mul(rv, load2<T>(p + 10 * sizeof<T>())));
      g6 = f64x2.add(g6, f64x2.mul(rv, load2<T>(p + 12 * sizeof<T>())));
      g7 = f64x2.add(g7, f64x2.mul(rv, load2<T>(p + 14 * sizeof<T>())));
      p += rowBytes;
    }
    v128.store(g, g0);
    v128.store(g, g1, 16);
    v128.store(g, g2, 32);
    v128.store(g, g3, 48);
    v128.store(g, g4, 64);
    v128.store(g, g5, 80);
    v128.store(g, g6, 96);
    v128.store(g, g7, 112);
    x += 16 * sizeof<T>();
    g += 128;
  }
  while (x < end) {
    let g0 = v128.load(g);
    let g1 = v128.load(g, 16);
    let p = x;
    for (let q = r; q < rEnd; q += 8) {
      const rv = v128.load64_splat(q);
      g0 = f64x2.add(g0, f64x2.mul(rv, load2<T>(p)));
      g1 = f64x2.add(g1, f64x2.mul(rv, load2<T>(p + 2 * sizeof<T>())));
      p += rowBytes;
    }
    v128.store(g, g0);
    v128.store(g, g1, 16);
    x += 4 * sizeof<T>();
    g += 32;
  }
}

/**
 * Xᵀr: g[j·gStride + c] += Σ r[j][i]·x[i][c],  g[j·gStride + stride] += Σ r[j][i],  for k vectors r
 *
 * x  n × stride of T, in the caches   r  k planes of rStride f64   g  k × gStride f64, gStride > stride
 *
 * Order: one running sum a column, row after row; the intercept's sum by `sumF64`.
 */
// @ts-ignore: decorator
@inline
function transpose<T>(x: usize, stride: u32, n: u32, r: usize, rStride: u32, k: u32, g: usize, gStride: u32): void {
  for (let j: u32 = 0; j < k; j++) {
    transposeOne<T>(x, stride, n, r, g);
    const at = g + ((<usize>stride) << 3);
    store<f64>(at, load<f64>(at) + sumF64(r, n));
    r += (<usize>rStride) << 3;
    g += (<usize>gStride) << 3;
  }
}

/** see `transpose` */
export function transposeRowsF32(x: usize, stride: u32, n: u32, r: usize, rStride: u32, k: u32, g: usize, gStride: u32): void {
  transpose<f32>(x, stride, n, r, rStride, k, g, gStride);
}

/** see `transpose` */
export function transposeRowsF64(x: usize, stride: u32, n: u32, r: usize, rStride: u32, k: u32, g: usize, gStride: u32): void {
  transpose<f64>(x, stride, n, r, rStride, k, g, gStride);
}

/** rows of a panel whose sums stay in registers */
const PANEL: u32 = 64;

/*
 * The Hessian: H[a][b] += Σ (c[i]·x[i][a])·x[i][b] for a >= b; entries above the diagonal may be overwritten
 *
 * x        n × stride
 * c        n f64 (curvature)
 * H        (stride + 1) × ld f64, row-major; row `stride` is the intercept's: H[stride][b] += Σ c[i]·x[i][b],
 *          H[stride][stride] += Σ c[i]
 * scratch  PANEL · stride values of the storage type
 *
 * Order: panels of PANEL rows, a running sum within each, added to H panel by panel; the intercept's row as `transpose`.
 * From f64 storage everything is f64. From f32 storage c and c·x are rounded to f32 and a panel is summed in f32, the panels in
 * f64: about 1e-6 relative, which is the precision of such data; gradients, and so the optimum, stay in f64.
 */

/** see above */
export function hessianRowsF64(x: usize, stride: u32, n: u32, c: usize, h: usize, ld: u32, scratch: usize): void {
  const rowBytes = (<usize>stride) << 3;
  const ldBytes = (<usize>ld) << 3;
  const last = h + (<usize>stride) * ldBytes;
  for (let first: u32 = 0; first < n; first += PANEL) {
    const m = min<u32>(PANEL, n - first);
    const panel = x + (<usize>first) * rowBytes;
    transposeOne<f64>(panel, stride, m, c + ((<usize>first) << 3), last);
    for (let i: usize = 0; i < <usize>m; i++) {
      const ci = v128.load64_splat(c + ((<usize>first + i) << 3));
      const row = i * rowBytes;
      for (let o = row; o < row + rowBytes; o += 16) v128.store(scratch + o, f64x2.mul(ci, v128.load(panel + o)));
    }
    for (let a: u32 = 0; a < stride; a += 4) {
      for (let b: u32 = 0; b <= a; b += 4) {
        let pa = scratch + ((<usize>a) << 3);
        let pb = panel + ((<usize>b) << 3);
        let t00 = f64x2.splat(0);
        let t01 = t00;
        let t10 = t00;
        let t11 = t00;
        let t20 = t00;
        let t21 = t00;
        let t30 = t00;
        let t31 = t00;
        for (let i: u32 = 0; i < m; i++) {
          const b0 = v128.load(pb);
          const b1 = v128.load(pb, 16);
          let av = v128.load64_splat(pa);
          t00 = f64x2.add(t00, f64x2.mul(av, b0));
          t01 = f64x2.add(t01, f64x2.mul(av, b1));
          av = v128.load64_splat(pa, 8);
          t10 = f64x2.add(t10, f64x2.mul(av, b0));
          t11 = f64x2.add(t11, f64x2.mul(av, b1));
          av = v128.load64_splat(pa, 16);
          t20 = f64x2.add(t20, f64x2.mul(av, b0));
          t21 = f64x2.add(t21, f64x2.mul(av, b1));
          av = v128.load64_splat(pa, 24);
          t30 = f64x2.add(t30, f64x2.mul(av, b0));
          t31 = f64x2.add(t31, f64x2.mul(av, b1));
          pa += rowBytes;
          pb += rowBytes;
        }
        let q = h + (<usize>a) * ldBytes + ((<usize>b) << 3);
        addPair(q, t00, t01);
        q += ldBytes;
        addPair(q, t10, t11);
        q += ldBytes;
        addPair(q, t20, t21);
        q += ldBytes;
        addPair(q, t30, t31);
      }
    }
  }
  const corner = last + ((<usize>stride) << 3);
  store<f64>(corner, load<f64>(corner) + sumF64(c, n));
}

/** see above */
export function hessianRowsF32(x: usize, stride: u32, n: u32, c: usize, h: usize, ld: u32, scratch: usize): void {
  const rowBytes = (<usize>stride) << 2;
  const ldBytes = (<usize>ld) << 3;
  const last = h + (<usize>stride) * ldBytes;
  for (let first: u32 = 0; first < n; first += PANEL) {
    const m = min<u32>(PANEL, n - first);
    const panel = x + (<usize>first) * rowBytes;
    transposeOne<f32>(panel, stride, m, c + ((<usize>first) << 3), last);
    for (let i: usize = 0; i < <usize>m; i++) {
      const ci = f32x4.splat(<f32>load<f64>(c + ((<usize>first + i) << 3)));
      const row = i * rowBytes;
      for (let o = row; o < row + rowBytes; o += 16) v128.store(scratch + o, f32x4.mul(ci, v128.load(panel + o)));
    }
    for (let a: u32 = 0; a < stride; a += 4) {
      for (let b: u32 = 0; b <= a; b += 8) {
        let pa = scratch + ((<usize>a) << 2);
        let pb = panel + ((<usize>b) << 2);
        // the second vector of b; where a row ends within the eight columns, the first once more
        const next: usize = b + 4 < stride ? 16 : 0;
        let t00 = f32x4.splat(0);
        let t01 = t00;
        let t10 = t00;
        let t11 = t00;
        let t20 = t00;
        let t21 = t00;
        let t30 = t00;
        let t31 = t00;
        for (let i: u32 = 0; i < m; i++) {
          const b0 = v128.load(pb);
          const b1 = v128.load(pb + next);
          let av = v128.load32_splat(pa);
          t00 = f32x4.add(t00, f32x4.mul(av, b0));
          t01 = f32x4.add(t01, f32x4.mul(av, b1));
          av = v128.load32_splat(pa, 4);
          t10 = f32x4.add(t10, f32x4.mul(av, b0));
          t11 = f32x4.add(t11, f32x4.mul(av, b1));
          av = v128.load32_splat(pa, 8);
          t20 = f32x4.add(t20, f32x4.mul(av, b0));
          t21 = f32x4.add(t21, f32x4.mul(av, b1));
          av = v128.load32_splat(pa, 12);
          t30 = f32x4.add(t30, f32x4.mul(av, b0));
          t31 = f32x4.add(t31, f32x4.mul(av, b1));
          pa += rowBytes;
          pb += rowBytes;
        }
        let q = h + (<usize>a) * ldBytes + ((<usize>b) << 3);
        const both = next != 0;
        addFour(q, t00, t01, both);
        q += ldBytes;
        addFour(q, t10, t11, both);
        q += ldBytes;
        addFour(q, t20, t21, both);
        q += ldBytes;
        addFour(q, t30, t31, both);
      }
    }
  }
  const corner = last + ((<usize>stride) << 3);
  store<f64>(corner, load<f64>(corner) + sumF64(c, n));
}

/** four f64 at q += lo, hi */
// @ts-ignore: decorator
@inline
function addPair(q: usize, lo: v128, hi: v128): void {
  v128.store(q, f64x2.add(v128.load(q), lo));
  v128.store(q, f64x2.add(v128.load(q, 16), hi), 16);
}

/** four f64 at q += the lanes of t, and the next four += those of u */
function addFour(q: usize, t: v128, u: v128, both: bool): void {
  addPair(q, f64x2.promote_low_f32x4(t), f64x2.promote_low_f32x4(i32x4.shuffle(t, t, 2, 3, 2, 3)));
  if (both) addPair(q + 32, f64x2.promote_low_f32x4(u), f64x2.promote_low_f32x4(i32x4.shuffle(u, u, 2, 3, 2, 3)));
}
