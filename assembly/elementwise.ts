import {
  exp2lanes,
  expForFloat2lanes,
  expOfMinus2lanes,
  log1p2lanes,
  log1pOfProduct2lanes,
  log2lanes,
  SIGMOID_F32_RANGE,
  sigmoidForFloat2lanes,
} from './exp';

/*
 * Elementwise kernels. Every buffer is 16-byte aligned and padded to whole 16-byte vectors; the padding may be
 * overwritten with any values. `out` may be the input itself; any other overlap is forbidden.
 */

/**
 * out[i] = σ(z[i]),  i in [0, n), f64: at most 2.5 ulp, monotone, and σ(z) = 1 − σ(−z) rounded once for z >= 0
 * z, out  n values each
 *
 * Below |z| = 4, σ(−|z|) is 1/(1 + exp(|z|)), of which every step is monotone. Above, exp(−|z|)/(1 + exp(−|z|)) is as accurate
 * down to the smallest subnormal, and the values at neighbouring doubles differ by more than its error.
 */
export function sigmoidF64(z: usize, n: u32, out: usize): void {
  const one = f64x2.splat(1);
  const end = z + ((<usize>n) << 3);
  while (z < end) {
    const v = v128.load(z);
    const size = f64x2.abs(v);
    const near = f64x2.lt(size, f64x2.splat(4));
    const t = exp2lanes(v128.bitselect(size, f64x2.neg(size), near));
    const p = f64x2.div(v128.bitselect(one, t, near), f64x2.add(one, t));
    v128.store(out, v128.bitselect(p, f64x2.sub(one, p), f64x2.lt(v, f64x2.splat(0))));
    z += 16;
    out += 16;
  }
}

/**
 * out[i] = σ(z[i]),  i in [0, n), f32: computed in f64 to 1e-10 and rounded once, so the result is within
 * 0.502 ulp of the true value, subnormal results included.
 * z, out  n values each
 */
export function sigmoidF32(z: usize, n: u32, out: usize): void {
  const least = f32x4.splat(-SIGMOID_F32_RANGE);
  const most = f32x4.splat(SIGMOID_F32_RANGE);
  const end = z + ((<usize>n) << 2);
  while (z < end) {
    const v = f32x4.pmin(f32x4.pmax(v128.load(z), least), most);
    const lo = sigmoidForFloat2lanes(f64x2.promote_low_f32x4(v));
    v128.store(out, narrow(lo, sigmoidForFloat2lanes(f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3)))));
    z += 16;
    out += 16;
  }
}

/** lanes 0 and 1 of two f64 vectors, rounded, as four f32 lanes */
// @ts-ignore: decorator
@inline
function narrow(lo: v128, hi: v128): v128 {
  return i32x4.shuffle(f32x4.demote_f64x2_zero(lo), f32x4.demote_f64x2_zero(hi), 0, 1, 4, 5);
}

/** out[i] = exp(z[i]),  i in [0, n), f64; at most 0.99 ulp */
export function expF64(z: usize, n: u32, out: usize): void {
  const end = z + ((<usize>n) << 3);
  while (z < end) {
    v128.store(out, exp2lanes(v128.load(z)));
    z += 16;
    out += 16;
  }
}

/** out[i] = exp(z[i]),  i in [0, n), f32; rounded once from 1e-10 */
export function expF32(z: usize, n: u32, out: usize): void {
  const end = z + ((<usize>n) << 2);
  while (z < end) {
    const v = v128.load(z);
    const lo = expForFloat2lanes(f64x2.promote_low_f32x4(v));
    v128.store(out, narrow(lo, expForFloat2lanes(f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3)))));
    z += 16;
    out += 16;
  }
}

/** log(1 + exp(z)) = max(z, 0) + log1p(exp(−|z|)); max as z > 0 ? z : 0. Not inlined: it would be 2 kB */
function softplus2lanes(z: v128): v128 {
  const zero = f64x2.splat(0);
  const t = exp2lanes(f64x2.neg(f64x2.abs(z)));
  return f64x2.add(log1p2lanes(t), v128.and(z, f64x2.gt(z, zero)));
}

/** out[i] = log(1 + exp(z[i])),  i in [0, n), f64; relative accuracy in both tails */
export function softplusF64(z: usize, n: u32, out: usize): void {
  const end = z + ((<usize>n) << 3);
  while (z < end) {
    v128.store(out, softplus2lanes(v128.load(z)));
    z += 16;
    out += 16;
  }
}

/** out[i] = log(1 + exp(z[i])),  i in [0, n), f32; in f64, rounded once */
export function softplusF32(z: usize, n: u32, out: usize): void {
  const end = z + ((<usize>n) << 2);
  while (z < end) {
    const v = v128.load(z);
    const lo = softplus2lanes(f64x2.promote_low_f32x4(v));
    v128.store(out, narrow(lo, softplus2lanes(f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3)))));
    z += 16;
    out += 16;
  }
}

/** ((1 − y)·a − y·b)·v, where a = 1 and b = t for positive logits, else a = t and b = 1 */
// @ts-ignore: decorator
@inline
function residualOf(y: v128, t: v128, v: v128, positive: v128): v128 {
  const one = f64x2.splat(1);
  // 1 and t change places where it is set
  const swap = v128.and(v128.xor(one, t), positive);
  const a = v128.xor(t, swap);
  const b = v128.xor(one, swap);
  return f64x2.mul(f64x2.sub(f64x2.mul(f64x2.sub(one, y), a), f64x2.mul(y, b)), v);
}

/** rows whose log(1 + t) are added as the logarithm of one product; even and odd rows are separate, so a product is at most 2³² */
const PRODUCT: usize = 64;

/**
 * The binomial loss at n logits, with t = exp(−|z|):
 *
 *   loss       log1p(t) + (z > 0 ? 1 − y : −y) · z               Σ s·loss is returned
 *   residual   s · (z > 0 ? (1 − y) − y·t : (1 − y)·t − y) / (1 + t)   = s · (σ(z) − y), accurate as σ(z) nears y
 *   curvature  s · t / (1 + t)²                                   = s · σ(z) · (1 − σ(z))
 *
 * z, y       n f64 each; y in [0, 1]
 * s          n sample weights f64, or 0 for weights of one
 * residual   n f64, written, or 0 to skip
 * curvature  n f64, written, or 0 to skip
 *
 * Without weights, Σ log1p(t) over PRODUCT rows is one log1p(Π (1 + t) − 1), the product less one kept as p ← p + (t + p·t),
 * which is as accurate for small t.
 *
 * Order of the sums: even rows, odd rows, then even + odd. Without weights the sums of (z > 0 ? 1 − y : −y)·z and of
 * the logarithms are separate and are added last. Source: scikit-learn `_loss.pyx.tp`, closs_grad_half_binomial.
 */
export function binomialLoss(z: usize, y: usize, s: usize, n: u32, residual: usize, curvature: usize): f64 {
  const one = f64x2.splat(1);
  let sum = f64x2.splat(0);
  let logs = sum;
  const bytes = (<usize>n) << 3;
  for (let first: usize = 0; first < bytes; first += PRODUCT << 3) {
    const end = min<usize>(first + (PRODUCT << 3), bytes);
    let product = f64x2.splat(0);
    let o = first;
    if (!s && residual && curvature) {
      // what a fit asks for, four rows at a time: the chains of two vectors overlap. The bits are those of the loop below
      for (; o + 24 < end; o += 32) {
        const z0 = v128.load(z + o);
        const z1 = v128.load(z + o, 16);
        const y0 = v128.load(y + o);
        const y1 = v128.load(y + o, 16);
        const t0 = expOfMinus2lanes(f64x2.abs(z0));
        const t1 = expOfMinus2lanes(f64x2.abs(z1));
        const v0 = f64x2.div(one, f64x2.add(one, t0));
        const v1 = f64x2.div(one, f64x2.add(one, t1));
        const positive0 = f64x2.gt(z0, f64x2.splat(0));
        const positive1 = f64x2.gt(z1, f64x2.splat(0));
        product = f64x2.add(product, f64x2.add(t0, f64x2.mul(product, t0)));
        product = f64x2.add(product, f64x2.add(t1, f64x2.mul(product, t1)));
        sum = f64x2.add(sum, f64x2.mul(f64x2.sub(v128.and(one, positive0), y0), z0));
        sum = f64x2.add(sum, f64x2.mul(f64x2.sub(v128.and(one, positive1), y1), z1));
        v128.store(curvature + o, f64x2.mul(f64x2.mul(t0, v0), v0));
        v128.store(curvature + o, f64x2.mul(f64x2.mul(t1, v1), v1), 16);
        v128.store(residual + o, residualOf(y0, t0, v0, positive0));
        v128.store(residual + o, residualOf(y1, t1, v1, positive1), 16);
      }
    }
    for (; o < end; o += 16) {
      const zv = v128.load(z + o);
      const yv = v128.load(y + o);
      let t = expOfMinus2lanes(f64x2.abs(zv));
      // 1/(1 + t)
      const v = f64x2.div(one, f64x2.add(one, t));
      const positive = f64x2.gt(zv, f64x2.splat(0));
      let linear = f64x2.mul(f64x2.sub(v128.and(one, positive), yv), zv);
      let d = residual ? residualOf(yv, t, v, positive) : f64x2.splat(0);
      let c = f64x2.mul(f64x2.mul(t, v), v);
      if (s) {
        const sv = v128.load(s + o);
        linear = f64x2.mul(sv, f64x2.add(log1p2lanes(t), linear));
        d = f64x2.mul(sv, d);
        c = f64x2.mul(sv, c);
        t = f64x2.splat(0);
      }
      if (o + 8 == bytes) {
        t = f64x2.replace_lane(t, 1, 0);
        linear = f64x2.replace_lane(linear, 1, 0);
      }
      product = f64x2.add(product, f64x2.add(t, f64x2.mul(product, t)));
      sum = f64x2.add(sum, linear);
      if (residual) v128.store(residual + o, d);
      if (curvature) v128.store(curvature + o, c);
    }
    if (!s) logs = f64x2.add(logs, log1pOfProduct2lanes(product));
  }
  sum = f64x2.add(sum, logs);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** Σ x[i], n f64: even entries, odd entries, then even + odd. */
export function sumF64(x: usize, n: u32): f64 {
  let sum = f64x2.splat(0);
  const end = x + ((<usize>(n & ~1)) << 3);
  while (x < end) {
    sum = f64x2.add(sum, v128.load(x));
    x += 16;
  }
  let even = f64x2.extract_lane(sum, 0);
  if (n & 1) even += load<f64>(x);
  return even + f64x2.extract_lane(sum, 1);
}

/** out[i] = x[i],  i in [0, n), x u8, out f64; both are read and written to whole groups of four */
export function widenU8(x: usize, n: u32, out: usize): void {
  const end = x + <usize>n;
  while (x < end) {
    const v = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(x)));
    v128.store(out, f64x2.convert_low_i32x4_u(v));
    v128.store(out, f64x2.convert_low_i32x4_u(i32x4.shuffle(v, v, 2, 3, 2, 3)), 16);
    x += 4;
    out += 32;
  }
}

/** y[i] += x[i], n f64 */
export function addF64(x: usize, n: u32, y: usize): void {
  const end = x + ((<usize>n) << 3);
  while (x < end) {
    v128.store(y, f64x2.add(v128.load(y), v128.load(x)));
    x += 16;
    y += 16;
  }
}

/** z[i] *= c[i], n f64 */
export function multiplyF64(c: usize, n: u32, z: usize): void {
  const end = z + ((<usize>n) << 3);
  while (z < end) {
    v128.store(z, f64x2.mul(v128.load(z), v128.load(c)));
    z += 16;
    c += 16;
  }
}

/**
 * The multinomial loss at n rows of k logits, in planes (class j at z + j·plane values):
 *
 *   p_j = exp(z_j − m)/Σ exp(z_l − m),  m = max z_l        loss = log Σ exp(z_l − m) + (m − z_y),  Σ s·loss is returned
 *
 * z      k planes of `plane` f64 (a multiple of 2), replaced by the residuals s·(p_j − [y = j])
 * y      n classes as f64, 0 to k − 1     s  n sample weights f64, or 0 for weights of one
 * p      k planes of `pPlane` f64, written with the probabilities, or 0 to skip
 *
 * Order: classes in order, one running sum a row; the loss over even rows, odd rows, then even + odd.
 */
export function multinomialLoss(
  z: usize, plane: u32, k: u32, y: usize, s: usize, n: u32, p: usize, pPlane: u32,
): f64 {
  const step = (<usize>plane) << 3;
  const pStep = (<usize>pPlane) << 3;
  const bytes = (<usize>n) << 3;
  let total = f64x2.splat(0);
  for (let o: usize = 0; o < bytes; o += 16) {
    const end = z + o + (<usize>k) * step;
    let m = v128.load(z + o);
    for (let q = z + o + step; q < end; q += step) m = f64x2.pmax(m, v128.load(q));
    const yv = v128.load(y + o);
    const sv = s ? v128.load(s + o) : f64x2.splat(1);
    let sum = f64x2.splat(0);
    let own = f64x2.splat(0);
    let j: f64 = 0;
    for (let q = z + o; q < end; q += step) {
      const d = f64x2.sub(v128.load(q), m);
      own = v128.bitselect(d, own, f64x2.eq(yv, f64x2.splat(j)));
      const e = exp2lanes(d);
      sum = f64x2.add(sum, e);
      v128.store(q, e);
      j += 1;
    }
    let loss = f64x2.mul(sv, f64x2.sub(log2lanes(sum), own));
    if (o + 8 == bytes) loss = f64x2.replace_lane(loss, 1, 0);
    total = f64x2.add(total, loss);
    j = 0;
    let to = p + o;
    for (let q = z + o; q < end; q += step) {
      const probability = f64x2.div(v128.load(q), sum);
      if (p) v128.store(to, probability);
      to += pStep;
      const hit = v128.and(f64x2.eq(yv, f64x2.splat(j)), f64x2.splat(1));
      v128.store(q, f64x2.mul(sv, f64x2.sub(probability, hit)));
      j += 1;
    }
  }
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
}

/**
 * q_j ← s·p_j·(q_j − Σ_l p_l·q_l): the curvature of the multinomial loss times a direction, n rows of k classes in planes
 *
 * p  k planes of `pPlane` f64   q  k planes of `plane` f64 (both multiples of 2)   s  n f64, or 0 for ones
 */
export function multinomialCurvature(
  p: usize, pPlane: u32, k: u32, s: usize, n: u32, q: usize, plane: u32,
): void {
  const step = (<usize>plane) << 3;
  const pStep = (<usize>pPlane) << 3;
  const bytes = (<usize>n) << 3;
  for (let o: usize = 0; o < bytes; o += 16) {
    let mean = f64x2.splat(0);
    for (let j: usize = 0; j < <usize>k; j++) {
      mean = f64x2.add(mean, f64x2.mul(v128.load(p + j * pStep + o), v128.load(q + j * step + o)));
    }
    const sv = s ? v128.load(s + o) : f64x2.splat(1);
    for (let j: usize = 0; j < <usize>k; j++) {
      const at = q + j * step + o;
      v128.store(at, f64x2.mul(sv, f64x2.mul(v128.load(p + j * pStep + o), f64x2.sub(v128.load(at), mean))));
    }
  }
}

/**
 * Softmax of n rows of k logits in planes, in place: z_j ← exp(z_j − m)/Σ exp(z_l − m),  m = max z_l
 * z_j − m is 0 where z_j = m, infinite ones included.
 * Order: classes in order. f64 planes; `plane` is a multiple of 2.
 */
export function softmaxF64(z: usize, plane: u32, k: u32, n: u32): void {
  const step = (<usize>plane) << 3;
  for (let o: usize = 0; o < (<usize>n) << 3; o += 16) {
    const end = z + o + (<usize>k) * step;
    let m = v128.load(z + o);
    for (let q = z + o + step; q < end; q += step) m = f64x2.pmax(m, v128.load(q));
    let sum = f64x2.splat(0);
    for (let q = z + o; q < end; q += step) {
      const e = exp2lanes(below(v128.load(q), m));
      sum = f64x2.add(sum, e);
      v128.store(q, e);
    }
    for (let q = z + o; q < end; q += step) v128.store(q, f64x2.div(v128.load(q), sum));
  }
}

/** z − m, and 0 where they are equal, because ∞ − ∞ is NaN */
// @ts-ignore: decorator
@inline
function below(z: v128, m: v128): v128 {
  return v128.andnot(f64x2.sub(z, m), f64x2.eq(z, m));
}

/** The same in f32: differences and sums in f64, rounded once at the end. `plane` is a multiple of 4. */
export function softmaxF32(z: usize, plane: u32, k: u32, n: u32): void {
  const step = (<usize>plane) << 2;
  for (let o: usize = 0; o < (<usize>n) << 2; o += 8) {
    const end = z + o + (<usize>k) * step;
    let m = v128.load64_zero(z + o);
    for (let q = z + o + step; q < end; q += step) m = f32x4.pmax(m, v128.load64_zero(q));
    const wide = f64x2.promote_low_f32x4(m);
    let sum = f64x2.splat(0);
    for (let q = z + o; q < end; q += step) {
      sum = f64x2.add(sum, expForFloat2lanes(below(f64x2.promote_low_f32x4(v128.load64_zero(q)), wide)));
    }
    for (let q = z + o; q < end; q += step) {
      const e = expForFloat2lanes(below(f64x2.promote_low_f32x4(v128.load64_zero(q)), wide));
      v128.store64_lane(q, f32x4.demote_f64x2_zero(f64x2.div(e, sum)), 0);
    }
  }
}
