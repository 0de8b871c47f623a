import { exp2lanes, expForFloat2lanes, log1p2lanes } from './exp';

/*
 * Elementwise kernels. Every buffer is 16-byte aligned and padded to whole 16-byte vectors; the padding may be
 * overwritten with anything. `out` may be the input itself; any other overlap is forbidden.
 */

/** σ(z) = t/(1 + t) for z < 0, 1/(1 + t) otherwise, t = exp(−|z|): never overflows, relative accuracy in both tails. */
// @ts-ignore: decorator
@inline
function sigmoid2lanes(z: v128, t: v128): v128 {
  const one = f64x2.splat(1);
  return f64x2.div(v128.bitselect(t, one, f64x2.lt(z, f64x2.splat(0))), f64x2.add(one, t));
}

/**
 * out[i] = σ(z[i]),  i in [0, n), f64
 * z, out  n values each
 */
export function sigmoidF64(z: usize, n: u32, out: usize): void {
  const end = z + ((<usize>n) << 3);
  while (z < end) {
    const v = v128.load(z);
    v128.store(out, sigmoid2lanes(v, exp2lanes(f64x2.neg(f64x2.abs(v)))));
    z += 16;
    out += 16;
  }
}

/**
 * out[i] = σ(z[i]),  i in [0, n), f32: computed in f64 to 3e-10 and rounded once, so the result is within
 * 0.505 ulp of the true value, subnormal results included.
 * z, out  n values each
 */
export function sigmoidF32(z: usize, n: u32, out: usize): void {
  const end = z + ((<usize>n) << 2);
  while (z < end) {
    const v = v128.load(z);
    const lo = f64x2.promote_low_f32x4(v);
    const hi = f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3));
    const a = f32x4.demote_f64x2_zero(sigmoid2lanes(lo, expForFloat2lanes(f64x2.neg(f64x2.abs(lo)))));
    const b = f32x4.demote_f64x2_zero(sigmoid2lanes(hi, expForFloat2lanes(f64x2.neg(f64x2.abs(hi)))));
    v128.store(out, i32x4.shuffle(a, b, 0, 1, 4, 5));
    z += 16;
    out += 16;
  }
}

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
 * Order of the sum: even rows, odd rows, then even + odd. Source: scikit-learn `_loss.pyx.tp`, closs_grad_half_binomial.
 */
export function binomialLoss(z: usize, y: usize, s: usize, n: u32, residual: usize, curvature: usize): f64 {
  const one = f64x2.splat(1);
  let sum = f64x2.splat(0);
  const bytes = (<usize>n) << 3;
  for (let o: usize = 0; o < bytes; o += 16) {
    const zv = v128.load(z + o);
    const yv = v128.load(y + o);
    const sv = s ? v128.load(s + o) : one;
    const t = exp2lanes(f64x2.neg(f64x2.abs(zv)));
    const u = f64x2.add(one, t);
    const positive = f64x2.gt(zv, f64x2.splat(0));
    const rest = f64x2.sub(one, yv);
    const slope = v128.bitselect(rest, f64x2.neg(yv), positive);
    let loss = f64x2.mul(sv, f64x2.add(log1p2lanes(t), f64x2.mul(slope, zv)));
    if (o + 8 == bytes) loss = f64x2.replace_lane(loss, 1, 0);
    sum = f64x2.add(sum, loss);
    if (residual) {
      const a = v128.bitselect(one, t, positive);
      const b = v128.bitselect(t, one, positive);
      const d = f64x2.div(f64x2.sub(f64x2.mul(rest, a), f64x2.mul(yv, b)), u);
      v128.store(residual + o, f64x2.mul(sv, d));
    }
    if (curvature) v128.store(curvature + o, f64x2.mul(sv, f64x2.div(t, f64x2.mul(u, u))));
  }
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

/** y[i] += x[i], n f64 */
export function addF64(x: usize, n: u32, y: usize): void {
  const end = x + ((<usize>n) << 3);
  while (x < end) {
    v128.store(y, f64x2.add(v128.load(y), v128.load(x)));
    x += 16;
    y += 16;
  }
}
