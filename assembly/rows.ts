import { binomialLoss, sumF64 } from './elementwise';

/*
 * Layout `rows`: a batch is n × stride, row-major, 16-byte aligned; stride is a multiple of 4 and the entries from the
 * number of features up to stride are zero, so no kernel has a tail loop over features.
 */

/** batches above this many bytes are read at four places at once (DRAM delivers more to several streams than to one) */
const STREAMS_FROM: usize = 1 << 21;

/** one lane step of four running dot products */
// @ts-ignore: decorator
@inline
function mac<T>(acc: v128, x: usize, w: v128): v128 {
  return v128.add<T>(acc, v128.mul<T>(v128.load(x), w));
}

/** (l0 + l1) + (l2 + l3) of f32 lanes, l0 + l1 of f64 lanes */
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

/**
 * z[j·zStride + i] = dot(x[i], w[j]) + b[j],  i in [0, n), j in [0, k)
 *
 * x  n × stride   w  k × stride, padded with zeros   b  k   z  k planes of zStride >= n, written
 *
 * Order: lane sums over the row, folded (l0 + l1) + (l2 + l3) in f32, l0 + l1 in f64; then + b. The same for every
 * blocking, so a row's logit does not depend on its neighbours.
 */
// @ts-ignore: decorator
@inline
function logits<T>(x: usize, stride: u32, n: u32, w: usize, b: usize, k: u32, z: usize, zStride: u32): void {
  const rowBytes = (<usize>stride) * sizeof<T>();
  const quarter = <usize>(n >>> 2);
  // four rows at a time: neighbours, or one from each quarter of the batch; a row left over is taken four times
  const apart = quarter * rowBytes * 4 >= STREAMS_FROM;
  const tiles = quarter + <usize>(n & 3);
  for (let t: usize = 0; t < tiles; t++) {
    const single = t >= quarter;
    const row: usize = single ? quarter * 3 + t : apart ? t : t << 2;
    const gap: usize = single ? 0 : apart ? quarter : 1;
    const gapBytes = gap * rowBytes;
    const x0 = x + row * rowBytes;
    for (let j: u32 = 0; j < k; j++) {
      let p0 = x0;
      let p1 = p0 + gapBytes;
      let p2 = p1 + gapBytes;
      let p3 = p2 + gapBytes;
      let q = w + (<usize>j) * rowBytes;
      let a0 = v128.splat<T>(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let left = <i32>(rowBytes >> 4);
      while (left >= 4) {
        let v = v128.load(q);
        a0 = mac<T>(a0, p0, v);
        a1 = mac<T>(a1, p1, v);
        a2 = mac<T>(a2, p2, v);
        a3 = mac<T>(a3, p3, v);
        v = v128.load(q, 16);
        a0 = v128.add<T>(a0, v128.mul<T>(v128.load(p0, 16), v));
        a1 = v128.add<T>(a1, v128.mul<T>(v128.load(p1, 16), v));
        a2 = v128.add<T>(a2, v128.mul<T>(v128.load(p2, 16), v));
        a3 = v128.add<T>(a3, v128.mul<T>(v128.load(p3, 16), v));
        v = v128.load(q, 32);
        a0 = v128.add<T>(a0, v128.mul<T>(v128.load(p0, 32), v));
        a1 = v128.add<T>(a1, v128.mul<T>(v128.load(p1, 32), v));
        a2 = v128.add<T>(a2, v128.mul<T>(v128.load(p2, 32), v));
        a3 = v128.add<T>(a3, v128.mul<T>(v128.load(p3, 32), v));
        v = v128.load(q, 48);
        a0 = v128.add<T>(a0, v128.mul<T>(v128.load(p0, 48), v));
        a1 = v128.add<T>(a1, v128.mul<T>(v128.load(p1, 48), v));
        a2 = v128.add<T>(a2, v128.mul<T>(v128.load(p2, 48), v));
        a3 = v128.add<T>(a3, v128.mul<T>(v128.load(p3, 48), v));
        p0 += 64;
        p1 += 64;
        p2 += 64;
        p3 += 64;
        q += 64;
        left -= 4;
      }
      while (left > 0) {
        const v = v128.load(q);
        a0 = mac<T>(a0, p0, v);
        a1 = mac<T>(a1, p1, v);
        a2 = mac<T>(a2, p2, v);
        a3 = mac<T>(a3, p3, v);
        p0 += 16;
        p1 += 16;
        p2 += 16;
        p3 += 16;
        q += 16;
        left--;
      }
      const intercept = load<T>(b + (<usize>j) * sizeof<T>());
      const out = z + ((<usize>j) * zStride + row) * sizeof<T>();
      const gapOut = gap * sizeof<T>();
      store<T>(out, <T>(fold<T>(a0) + intercept));
      store<T>(out + gapOut, <T>(fold<T>(a1) + intercept));
      store<T>(out + 2 * gapOut, <T>(fold<T>(a2) + intercept));
      store<T>(out + 3 * gapOut, <T>(fold<T>(a3) + intercept));
    }
  }
}

/** f32 storage, f32 sums: see `logits` */
export function logitsRowsF32(x: usize, stride: u32, n: u32, w: usize, b: usize, k: u32, z: usize, zStride: u32): void {
  logits<f32>(x, stride, n, w, b, k, z, zStride);
}

/** f64 storage, f64 sums: see `logits` */
export function logitsRowsF64(x: usize, stride: u32, n: u32, w: usize, b: usize, k: u32, z: usize, zStride: u32): void {
  logits<f64>(x, stride, n, w, b, k, z, zStride);
}

/** two f64 from storage T */
// @ts-ignore: decorator
@inline
function load2<T>(p: usize): v128 {
  return sizeof<T>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(p)) : v128.load(p);
}

/** dot product in f64 of one stored row and f64 weights; the order of `logits<f64>` */
// @ts-ignore: decorator
@inline
function dot64<T>(p: usize, w: usize, stride: u32): f64 {
  const end = w + ((<usize>stride) << 3);
  let acc = f64x2.splat(0);
  while (w < end) {
    acc = f64x2.add(acc, f64x2.mul(load2<T>(p), v128.load(w)));
    p += 2 * sizeof<T>();
    w += 16;
  }
  return f64x2.extract_lane(acc, 0) + f64x2.extract_lane(acc, 1);
}

/**
 * g[j] += Σ r[i]·x[i][j]
 *
 * x  n × stride of T   r  n f64   g  stride f64
 *
 * Order: four rows at a time, (r0·x0 + r1·x1) + (r2·x2 + r3·x3), then the rows left over one by one.
 */
function gradient<T>(x: usize, stride: u32, n: u32, r: usize, g: usize): void {
  const rowBytes = (<usize>stride) * sizeof<T>();
  const gEnd = g + ((<usize>stride) << 3);
  let i: u32 = 0;
  for (; i + 4 <= n; i += 4) {
    const r0 = v128.load64_splat(r);
    const r1 = v128.load64_splat(r, 8);
    const r2 = v128.load64_splat(r, 16);
    const r3 = v128.load64_splat(r, 24);
    let p0 = x;
    let p1 = p0 + rowBytes;
    let p2 = p1 + rowBytes;
    let p3 = p2 + rowBytes;
    for (let q = g; q < gEnd; q += 16) {
      const a = f64x2.add(f64x2.mul(r0, load2<T>(p0)), f64x2.mul(r1, load2<T>(p1)));
      const b = f64x2.add(f64x2.mul(r2, load2<T>(p2)), f64x2.mul(r3, load2<T>(p3)));
      v128.store(q, f64x2.add(v128.load(q), f64x2.add(a, b)));
      p0 += 2 * sizeof<T>();
      p1 += 2 * sizeof<T>();
      p2 += 2 * sizeof<T>();
      p3 += 2 * sizeof<T>();
    }
    x += rowBytes << 2;
    r += 32;
  }
  for (; i < n; i++) {
    const r0 = v128.load64_splat(r);
    let p = x;
    for (let q = g; q < gEnd; q += 16) {
      v128.store(q, f64x2.add(v128.load(q), f64x2.mul(r0, load2<T>(p))));
      p += 2 * sizeof<T>();
    }
    x += rowBytes;
    r += 8;
  }
}

/**
 * Loss and gradient of n rows in one pass over the data; everything but x in f64.
 *
 *   z = x·w + b + offset;  returns Σ s·loss(y, z);  g[0..stride) += Σ residual·x,  g[stride] += Σ residual
 *
 * x          n × stride of T
 * w          stride + 1 f64, intercept last
 * offset     n f64, or 0 for none
 * y, s       n f64 each; s = 0 for weights of one
 * g          stride + 1 f64, added to; 0 for the loss alone
 * curvature  n f64, written (see `binomialLoss`), or 0 to skip
 * z          n f64, written with the residuals (with the logits when g is 0)
 *
 * Order: blocks of BLOCK rows; within one as `binomialLoss` and `gradient`; the intercept's sum over all n rows by `sumF64`.
 */
// @ts-ignore: decorator
@inline
function lossGradient<T>(
  x: usize, stride: u32, n: u32, w: usize, offset: usize, y: usize, s: usize, g: usize, curvature: usize, z: usize,
): f64 {
  const rowBytes = (<usize>stride) * sizeof<T>();
  const b = load<f64>(w + ((<usize>stride) << 3));
  let loss: f64 = 0;
  for (let first: u32 = 0; first < n; first += BLOCK) {
    const m = min<u32>(BLOCK, n - first);
    const skip = (<usize>first) << 3;
    let p = x + (<usize>first) * rowBytes;
    for (let i: u32 = 0; i < m; i++) {
      let zi = dot64<T>(p, w, stride) + b;
      const at = skip + ((<usize>i) << 3);
      if (offset) zi += load<f64>(offset + at);
      store<f64>(z + at, zi);
      p += rowBytes;
    }
    loss += binomialLoss(z + skip, y + skip, s ? s + skip : 0, m, g ? z + skip : 0, curvature ? curvature + skip : 0);
    if (g) gradient<T>(x + (<usize>first) * rowBytes, stride, m, z + skip, g);
  }
  if (g) {
    const last = g + ((<usize>stride) << 3);
    store<f64>(last, load<f64>(last) + sumF64(z, n));
  }
  return loss;
}

/** rows whose data stay in the first-level cache between the dot products and the gradient */
const BLOCK: u32 = 64;

/** see `lossGradient` */
export function lossGradientRowsF32(
  x: usize, stride: u32, n: u32, w: usize, offset: usize, y: usize, s: usize, g: usize, curvature: usize, z: usize,
): f64 {
  return lossGradient<f32>(x, stride, n, w, offset, y, s, g, curvature, z);
}

/** see `lossGradient` */
export function lossGradientRowsF64(
  x: usize, stride: u32, n: u32, w: usize, offset: usize, y: usize, s: usize, g: usize, curvature: usize, z: usize,
): f64 {
  return lossGradient<f64>(x, stride, n, w, offset, y, s, g, curvature, z);
}

/** H[a][b] += Σ scaled[i][a]·wide[i][b] over the m rows of a panel, for every 4 × 4 tile on or below the diagonal */
function panelProduct(scaled: usize, wide: usize, m: u32, stride: u32, h: usize, ldBytes: usize): void {
  const rowBytes = (<usize>stride) << 3;
  for (let a: u32 = 0; a < stride; a += 4) {
    for (let b: u32 = 0; b <= a; b += 4) {
      let pa = scaled + ((<usize>a) << 3);
      let pb = wide + ((<usize>b) << 3);
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
      addTo(q, t00, t01);
      q += ldBytes;
      addTo(q, t10, t11);
      q += ldBytes;
      addTo(q, t20, t21);
      q += ldBytes;
      addTo(q, t30, t31);
    }
  }
}

/** rows of a panel whose sums stay in registers */
const PANEL: u32 = 64;

/**
 * H[a][b] += Σ (c[i]·x[i][a])·x[i][b]  for every 4 × 4 tile on or below the diagonal (lower triangle and diagonal tiles)
 *
 * x        n × stride of T
 * c        n f64 (curvature)
 * H        (stride + 1) × ld f64, row-major; row `stride` is the intercept's: H[stride][b] += Σ c[i]·x[i][b],
 *          H[stride][stride] += Σ c[i]
 * scratch  2 · PANEL · stride f64
 *
 * Order: panels of PANEL rows, a running sum within each, added to H panel by panel; the intercept's row as `gradient`
 * and `sumF64` over all n rows.
 */
// @ts-ignore: decorator
@inline
function hessian<T>(x: usize, stride: u32, n: u32, c: usize, h: usize, ld: u32, scratch: usize): void {
  const rowBytes = (<usize>stride) << 3;
  const ldBytes = (<usize>ld) << 3;
  const scaled = scratch;
  const wide = scratch + <usize>PANEL * rowBytes;
  for (let first: u32 = 0; first < n; first += PANEL) {
    const m = min<u32>(PANEL, n - first);
    let p = x + (<usize>first) * (<usize>stride) * sizeof<T>();
    for (let i: u32 = 0; i < m; i++) {
      const ci = v128.load64_splat(c + ((<usize>(first + i)) << 3));
      const row = (<usize>i) * rowBytes;
      for (let o: usize = 0; o < rowBytes; o += 16) {
        const v = load2<T>(p);
        v128.store(wide + row + o, v);
        v128.store(scaled + row + o, f64x2.mul(ci, v));
        p += 2 * sizeof<T>();
      }
    }
    panelProduct(scaled, wide, m, stride, h, ldBytes);
  }
  const last = h + (<usize>stride) * ldBytes;
  gradient<T>(x, stride, n, c, last);
  store<f64>(last + rowBytes, load<f64>(last + rowBytes) + sumF64(c, n));
}

// @ts-ignore: decorator
@inline
function addTo(q: usize, lo: v128, hi: v128): void {
  v128.store(q, f64x2.add(v128.load(q), lo));
  v128.store(q, f64x2.add(v128.load(q, 16), hi), 16);
}

/** see `hessian` */
export function hessianRowsF32(x: usize, stride: u32, n: u32, c: usize, h: usize, ld: u32, scratch: usize): void {
  hessian<f32>(x, stride, n, c, h, ld, scratch);
}

/** see `hessian` */
export function hessianRowsF64(x: usize, stride: u32, n: u32, c: usize, h: usize, ld: u32, scratch: usize): void {
  hessian<f64>(x, stride, n, c, h, ld, scratch);
}
