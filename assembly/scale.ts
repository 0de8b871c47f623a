import { load2 } from './lanes';

/** Stores two f64 lanes as two neighbouring values of storage S. */
// @ts-ignore: decorator
@inline
function store2<S>(p: usize, v: v128): void {
  if (sizeof<S>() == 4) v128.store64_lane(p, f32x4.demote_f64x2_zero(v), 0);
  else v128.store(p, v);
}

// @ts-ignore: decorator
@inline
function moments<S>(x: usize, stride: u32, n: u32, s: usize, origin: usize, out: usize): void {
  const width = (<usize>stride) << 3;
  for (let i: u32 = 0; i < n; i++) {
    const weight = f64x2.splat(s ? load<f64>(s + ((<usize>i) << 3)) : 1);
    for (let j: usize = 0; j < width; j += 16) {
      const d = f64x2.sub(load2<S>(x), v128.load(origin + j));
      const sd = f64x2.mul(weight, d);
      const at = out + j;
      v128.store(at, f64x2.add(v128.load(at), sd));
      v128.store(at + width, f64x2.add(v128.load(at + width), f64x2.mul(sd, d)));
      x += 2 * sizeof<S>();
    }
  }
}

/**
 * out[j] += Σ s[i]·d and out[stride + j] += Σ (s[i]·d)·d, d = x[i][j] − origin[j], row after row
 *
 * x  n × stride row-major   s  f64 weights, 0 = ones   origin  stride f64   out  2 × stride f64
 */
export function momentsRowsF32(x: usize, stride: u32, n: u32, s: usize, origin: usize, out: usize): void {
  moments<f32>(x, stride, n, s, origin, out);
}

/** @see momentsRowsF32 */
export function momentsRowsF64(x: usize, stride: u32, n: u32, s: usize, origin: usize, out: usize): void {
  moments<f64>(x, stride, n, s, origin, out);
}

// @ts-ignore: decorator
@inline
function scale<S>(x: usize, stride: u32, n: u32, shift: usize, factor: usize): void {
  const width = (<usize>stride) << 3;
  for (let i: u32 = 0; i < n; i++) {
    for (let j: usize = 0; j < width; j += 16) {
      store2<S>(x, f64x2.mul(f64x2.sub(load2<S>(x), v128.load(shift + j)), v128.load(factor + j)));
      x += 2 * sizeof<S>();
    }
  }
}

/**
 * x[i][j] = (x[i][j] − shift[j])·factor[j] in f64, in place; where factor is 0 the column becomes 0, as the padding is
 *
 * x  n × stride row-major   shift, factor  stride f64
 */
export function scaleRowsF32(x: usize, stride: u32, n: u32, shift: usize, factor: usize): void {
  scale<f32>(x, stride, n, shift, factor);
}

/** @see scaleRowsF32 */
export function scaleRowsF64(x: usize, stride: u32, n: u32, shift: usize, factor: usize): void {
  scale<f64>(x, stride, n, shift, factor);
}
