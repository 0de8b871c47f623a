/** Elementary functions on two f64 lanes. bindings/js/math.ts repeats every operation in the same order. */

/** 1.5 · 2⁵²: adding it to |x| < 2⁵¹ rounds x to the nearest integer (ties to even) into the low mantissa bits. */
const ROUND: f64 = 6755399441055744.0;
/** log2(e), nearest double */
const LOG2E: f64 = 1.4426950408889634;
/** ln 2 in two parts (Cody and Waite); n · LN2_HI is exact for |n| < 2¹¹ */
const LN2_HI: f64 = 0.69314718055966295651;
const LN2_LO: f64 = 2.8235290563031577e-13;
/** nearest double */
const LN2: f64 = 0.6931471805599453;
/** exp(x) underflows to 0 below; the clamp keeps n within what two multiplications can scale */
const EXP_MIN: f64 = -750.0;
const EXP_MAX: f64 = 710.0;

/**
 * exp(x) for two lanes; at most 0.99 ulp, correct down to the least subnormal, Infinity above 709.79, NaN for NaN.
 *
 * x = n·ln2 + r, |r| <= ln2/2;  exp(r) = 1 + (r + r²·s(r)), s by Estrin's scheme (shorter chains than Horner's rule: the
 * loss takes 0.75 of the time) with the coefficients of SLEEF's double-precision exp (Boost licence; degree 12); then two
 * scalings 2^h · 2^(n − h), so that neither leaves the exponent range.
 */
// @ts-ignore: decorator
@inline
export function exp2lanes(x: v128): v128 {
  x = f64x2.pmin(f64x2.pmax(x, f64x2.splat(EXP_MIN)), f64x2.splat(EXP_MAX));
  const round = f64x2.splat(ROUND);
  const n = f64x2.sub(f64x2.add(f64x2.mul(x, f64x2.splat(LOG2E)), round), round);
  let r = f64x2.sub(x, f64x2.mul(n, f64x2.splat(LN2_HI)));
  r = f64x2.sub(r, f64x2.mul(n, f64x2.splat(LN2_LO)));
  const y = expOfRest(r);
  const half = f64x2.add(f64x2.mul(n, f64x2.splat(0.5)), round);
  const rest = f64x2.add(f64x2.sub(n, f64x2.sub(half, round)), round);
  return f64x2.mul(f64x2.mul(y, powerOfTwo(half)), powerOfTwo(rest));
}

/** exp(r) for |r| <= ln2/2 */
// @ts-ignore: decorator
@inline
function expOfRest(r: v128): v128 {
  const r2 = f64x2.mul(r, r);
  const r4 = f64x2.mul(r2, r2);
  const a = linear(0.5, 0.166666666666666851703837, r);
  const b = linear(0.0416666666666665047591422, 0.00833333333331652721664984, r);
  const c = linear(0.00138888888889774492207962, 0.000198412698960509205564975, r);
  const d = linear(2.4801587159235472998791e-5, 2.75572362911928827629423e-6, r);
  const e = linear(2.75573911234900471893338e-7, 2.51112930892876518610661e-8, r);
  const low = f64x2.add(f64x2.add(a, f64x2.mul(b, r2)), f64x2.mul(f64x2.add(c, f64x2.mul(d, r2)), r4));
  const high = f64x2.add(e, f64x2.mul(f64x2.splat(2.08860621107283687536341e-9), r2));
  const s = f64x2.add(low, f64x2.mul(high, f64x2.mul(r4, r4)));
  return f64x2.add(f64x2.splat(1), f64x2.add(r, f64x2.mul(r2, s)));
}

/**
 * exp(−a) for two lanes, a >= 0: `exp2lanes` with a shorter scaling, by 2^(n + 64), which is normal, and then by 2⁻⁶⁴.
 */
// @ts-ignore: decorator
@inline
export function expOfMinus2lanes(a: v128): v128 {
  a = f64x2.pmin(a, f64x2.splat(-EXP_MIN));
  const round = f64x2.splat(ROUND);
  const rounded = f64x2.sub(round, f64x2.mul(a, f64x2.splat(LOG2E)));
  const n = f64x2.sub(rounded, round);
  const y = expOfRest(f64x2.sub(f64x2.neg(f64x2.add(a, f64x2.mul(n, f64x2.splat(LN2_HI)))), f64x2.mul(n, f64x2.splat(LN2_LO))));
  const power = i64x2.shl(i64x2.add(rounded, i64x2.splat(1023 + 64)), 52);
  return f64x2.mul(f64x2.mul(y, power), f64x2.splat(5.421010862427522e-20));
}

/** a + b·x */
// @ts-ignore: decorator
@inline
function linear(a: f64, b: f64, x: v128): v128 {
  return f64x2.add(f64x2.splat(a), f64x2.mul(f64x2.splat(b), x));
}

/** 2^h from h + ROUND: the low 12 bits of its mantissa are h, which moves into the exponent. */
// @ts-ignore: decorator
@inline
function powerOfTwo(rounded: v128): v128 {
  return i64x2.shl(i64x2.add(rounded, i64x2.splat(1023)), 52);
}

/**
 * log1p(t) for two lanes, t in [0, 1]; below 1 ulp, with full relative accuracy as t goes to 0.
 *
 * For t > √2 − 1, log1p(t) = ln2 + log1p((t − 1)/2); then the series of fdlibm's s_log1p.c (Sun Microsystems,
 * freely usable with its notice) in s = f/(2 + f) with its minimax coefficients Lp1..Lp7.
 */
// @ts-ignore: decorator
@inline
export function log1p2lanes(t: v128): v128 {
  const big = f64x2.gt(t, f64x2.splat(0.41421356237309503));
  const f = v128.bitselect(f64x2.mul(f64x2.sub(t, f64x2.splat(1)), f64x2.splat(0.5)), t, big);
  const s = f64x2.div(f, f64x2.add(f64x2.splat(2), f));
  const q = f64x2.mul(s, s);
  const q2 = f64x2.mul(q, q);
  const a = linear(6.66666666666673513e-1, 3.999999999940941908e-1, q);
  const b = linear(2.857142874366239149e-1, 2.222219843214978396e-1, q);
  const c = linear(1.818357216161805012e-1, 1.531383769920937332e-1, q);
  const d = f64x2.add(c, f64x2.mul(f64x2.splat(1.479819860511658591e-1), q2));
  const r = f64x2.mul(f64x2.add(f64x2.add(a, f64x2.mul(b, q2)), f64x2.mul(d, f64x2.mul(q2, q2))), q);
  const h = f64x2.mul(f64x2.splat(0.5), f64x2.mul(f, f));
  const low = f64x2.add(f64x2.mul(s, f64x2.add(h, r)), v128.and(f64x2.splat(1.90821492927058770002e-10), big));
  return f64x2.sub(v128.and(f64x2.splat(6.93147180369123816490e-1), big), f64x2.sub(f64x2.sub(h, low), f));
}

const FLOAT_MIN: f64 = -160.0;

/**
 * exp(x) for two f64 lanes to 3e-10 relative: enough for results that are rounded to f32.
 * Degree 8 on |r| <= ln2/2 (Taylor, remainder r⁹/9! < 2e-10, against exp(r) > 0.7), one scaling: x is clamped to [-160, 160].
 */
// @ts-ignore: decorator
@inline
export function expForFloat2lanes(x: v128): v128 {
  x = f64x2.pmin(f64x2.pmax(x, f64x2.splat(FLOAT_MIN)), f64x2.splat(-FLOAT_MIN));
  const round = f64x2.splat(ROUND);
  const rounded = f64x2.add(f64x2.mul(x, f64x2.splat(LOG2E)), round);
  const n = f64x2.sub(rounded, round);
  const r = f64x2.sub(f64x2.sub(x, f64x2.mul(n, f64x2.splat(LN2_HI))), f64x2.mul(n, f64x2.splat(LN2_LO)));
  const r2 = f64x2.mul(r, r);
  const r4 = f64x2.mul(r2, r2);
  const a = linear(1, 1, r);
  const b = linear(0.5, 0.166666666666666667, r);
  const c = linear(4.16666666666666667e-2, 8.33333333333333333e-3, r);
  const d = linear(1.38888888888888889e-3, 1.98412698412698413e-4, r);
  const low = f64x2.add(a, f64x2.mul(b, r2));
  const high = f64x2.add(f64x2.add(c, f64x2.mul(d, r2)), f64x2.mul(f64x2.splat(2.48015873015873e-5), r4));
  const y = f64x2.add(low, f64x2.mul(high, r4));
  return f64x2.mul(y, powerOfTwo(rounded));
}

/** beyond this range, σ is 0 or 1 in f32 */
export const SIGMOID_F32_RANGE: f32 = 160;

/**
 * σ(z) for two f64 lanes to 1e-10 relative, |z| <= SIGMOID_F32_RANGE: enough for results that are rounded to f32.
 *
 * z = n·ln2 + r, |r| <= ln2/2;  exp(r) = (e + r·o)/(e − r·o) with e, o polynomials in r² (as the Padé approximation [3/3],
 * coefficients by Remez exchange: log of the quotient within 9.4e-11 of r);  σ(z) = 2ⁿ(e + r·o)/((e − r·o) + 2ⁿ(e + r·o)):
 * one division, no case for the sign, σ(−z) the exact complement but for its one rounding.
 */
// @ts-ignore: decorator
@inline
export function sigmoidForFloat2lanes(z: v128): v128 {
  const round = f64x2.splat(ROUND);
  const rounded = f64x2.add(f64x2.mul(z, f64x2.splat(LOG2E)), round);
  const r = f64x2.sub(z, f64x2.mul(f64x2.sub(rounded, round), f64x2.splat(LN2)));
  const q = f64x2.mul(r, r);
  const e = linear(120.18041669556632, 12.015019665190419, q);
  const ro = f64x2.mul(r, f64x2.add(f64x2.splat(60.090208234802446), q));
  // times 2ⁿ; a NaN from f32 has zero low bits, so it stays NaN
  const top = i64x2.add(f64x2.add(e, ro), i64x2.shl(rounded, 52));
  return f64x2.div(top, f64x2.add(f64x2.sub(e, ro), top));
}

/** log1p(p) for two lanes, p in [0, 2¹⁰²²); 1 ulp: log(u) + (p − (u − 1))/u with u = 1 + p */
// @ts-ignore: decorator
@inline
export function log1pOfProduct2lanes(p: v128): v128 {
  const one = f64x2.splat(1);
  const u = f64x2.add(one, p);
  return f64x2.add(log2lanes(u), f64x2.div(f64x2.sub(p, f64x2.sub(u, one)), u));
}

/**
 * log(x) for two lanes, x in [1, 2¹⁰²³); below 1 ulp, NaN for NaN: x = 2^e·m, log(x) = e·ln2 + log1p(m − 1), and the bits
 * of a NaN would give a number, so x − x is added.
 */
// @ts-ignore: decorator
@inline
export function log2lanes(x: v128): v128 {
  const mantissa = v128.or(v128.and(x, i64x2.splat(0x000fffffffffffff)), f64x2.splat(1));
  // the exponent field, 1023 + e, in the low bits of 2⁵²
  const field = v128.or(i64x2.shr_u(x, 52), f64x2.splat(4503599627370496.0));
  const e = f64x2.sub(field, f64x2.splat(4503599627371519.0));
  const tail = f64x2.add(log1p2lanes(f64x2.sub(mantissa, f64x2.splat(1))), f64x2.mul(e, f64x2.splat(LN2_LO)));
  return f64x2.add(f64x2.add(f64x2.mul(e, f64x2.splat(LN2_HI)), tail), f64x2.sub(x, x));
}
