// biome-ignore-all lint/suspicious/noDoubleEquals: AssemblyScript, where == compares numbers
// biome-ignore-all lint/suspicious/noSelfCompare: the test for NaN
/*
 * The judge of the elementwise kernels: the true value of σ(z), exp(z) and log(1 + exp(z)) as an unevaluated sum of two
 * f64 (106 bits, no fused multiply-add), and the error of a kernel's results against it. Compiled by asc when the program
 * starts; it works in the memory of the module under test, and shares no code and no constant with it: the constants are
 * computed by reference.ts from integers, which also measures how many bits of this reference are right.
 *
 * table  f64s: ln2/128 in three parts; 1/k! for k = 0 .. 11, then their low parts; 2/(2k + 1) for k = 0 .. TERMS − 1, then
 *        their low parts; 2^(j/128) for j = 0 .. 127, then their low parts
 * stats  f64s, see `reset`
 *
 * Sources of the arithmetic: Dekker 1971, Knuth (two-sum), Hida, Li and Bailey 2001 (division). AssemblyScript.
 */

export const TERMS: i32 = 36;

let table: usize = 0;
let hi: f64 = 0;
let lo: f64 = 0;
/** the value is (hi + lo) / scale: keeps 106 bits where results are subnormal, and finite ones where they overflow */
let scale: f64 = 1;

export function setTable(address: usize): void {
  table = address;
}

export function high(): f64 {
  return hi;
}

export function low(): f64 {
  return lo;
}

export function scaling(): f64 {
  return scale;
}

function constant(i: i32): f64 {
  return load<f64>(table + ((<usize>i) << 3));
}

function add(ah: f64, al: f64, bh: f64, bl: f64): void {
  let s = ah + bh;
  let v = s - ah;
  let e = ah - (s - v) + (bh - v);
  const t = al + bl;
  v = t - al;
  const f = al - (t - v) + (bl - v);
  e += t;
  const s2 = s + e;
  e = e - (s2 - s) + f;
  s = s2 + e;
  lo = e - (s - s2);
  hi = s;
}

/** a·b − p for p = a·b rounded */
function rest(a: f64, b: f64, p: f64): f64 {
  let c = 134217729.0 * a;
  const ah = c - (c - a);
  const al = a - ah;
  c = 134217729.0 * b;
  const bh = c - (c - b);
  const bl = b - bh;
  return ah * bh - p + ah * bl + al * bh + al * bl;
}

function multiply(ah: f64, al: f64, bh: f64, bl: f64): void {
  const p = ah * bh;
  const e = rest(ah, bh, p) + (ah * bl + al * bh);
  hi = p + e;
  lo = e - (hi - p);
}

function divide(ah: f64, al: f64, bh: f64, bl: f64): void {
  const q1 = ah / bh;
  multiply(q1, 0, bh, bl);
  add(ah, al, -hi, -lo);
  const rh = hi;
  const rl = lo;
  const q2 = rh / bh;
  multiply(q2, 0, bh, bl);
  add(rh, rl, -hi, -lo);
  const q3 = hi / bh;
  const s = q1 + q2;
  add(s, q2 - (s - q1), q3, 0);
}

function power(n: i32): f64 {
  return reinterpret<f64>((<u64>(<u32>(n + 1023))) << 52);
}

/** hi + lo = exp(x) / 2ⁿ in (0.7, 2); n is returned. |x| <= 1000 */
function exp(x: f64): i32 {
  const count = nearest(x * 184.66496523378731);
  const l1 = constant(0);
  const l2 = constant(1);
  const p1 = count * l1;
  const p2 = count * l2;
  add(x, 0, -p1, -rest(count, l1, p1));
  add(hi, lo, -p2, -(rest(count, l2, p2) + count * constant(2)));
  const rh = hi;
  const rl = lo;
  // |r| <= ln2/256: from the term of r⁷ on, f64 is enough; the first term left out is below 2⁻¹³⁰
  let q = constant(3 + 11);
  for (let k = 10; k >= 7; k--) q = q * rh + constant(3 + k);
  let ah = q;
  let al: f64 = 0;
  for (let k = 6; k >= 0; k--) {
    multiply(ah, al, rh, rl);
    add(hi, lo, constant(3 + k), constant(15 + k));
    ah = hi;
    al = lo;
  }
  const n = <i32>count;
  const j = n & 127;
  const at = 27 + 2 * TERMS + j;
  multiply(ah, al, constant(at), constant(at + 128));
  return n >> 7;
}

/** log(1 + t) = 2·artanh(s), s = t/(2 + t), for t in (0, 1] */
function log1p(th: f64, tl: f64): void {
  add(2, 0, th, tl);
  divide(th, tl, hi, lo);
  const sh = hi;
  const sl = lo;
  multiply(sh, sl, sh, sl);
  const qh = hi;
  const ql = lo;
  // s² <= 1/9 and 9⁻³⁶ < 2⁻¹¹³; s² below 2⁻¹⁰ needs twelve terms
  const terms = qh < 0.0009 ? 12 : TERMS;
  hi = constant(27 + terms - 1);
  lo = constant(27 + TERMS + terms - 1);
  for (let k = terms - 2; k >= 0; k--) {
    multiply(hi, lo, qh, ql);
    add(hi, lo, constant(27 + k), constant(27 + TERMS + k));
  }
  multiply(hi, lo, sh, sl);
}

/** (hi + lo) / scale = f(x); f  0 σ, 1 exp, 2 softplus */
export function value(f: i32, x: f64): void {
  scale = 1;
  if (f == 1 && x > 600) {
    const n = exp(min(x, 720));
    scale = power(-400);
    const p = power(n - 400);
    hi *= p;
    lo *= p;
    return;
  }
  if (x < -600) {
    // σ(x) and softplus(x) are exp(x)·(1 − about exp(x)): the same to 800 bits
    const n = exp(max(x, -760));
    scale = power(400);
    const p = power(n + 400);
    hi *= p;
    lo *= p;
    return;
  }
  const a = f == 1 ? x : max(-abs(x), -700);
  const p = power(exp(a));
  hi *= p;
  lo *= p;
  if (f == 1) return;
  const th = hi;
  const tl = lo;
  if (f == 2) {
    log1p(th, tl);
    if (x > 0) add(x, 0, hi, lo);
    return;
  }
  add(1, 0, th, tl);
  if (x < 0) divide(th, tl, hi, lo);
  else divide(1, 0, hi, lo);
}

/**
 * f(x) for two lanes in f64, within 2⁻⁴⁸: settles f32 results that are not near a tie. Beyond 700 the argument of exp is
 * cut; no f32 result is affected.
 */
function fast(f: i32, x: v128): v128 {
  const cut = f64x2.pmin(f64x2.pmax(x, f64x2.splat(-700)), f64x2.splat(700));
  const a = f == 1 ? cut : f64x2.neg(f64x2.abs(cut));
  const count = f64x2.nearest(f64x2.mul(a, f64x2.splat(184.66496523378731)));
  // the first part of ln2/128 cut to 32 bits: its product with count is exact
  const l1 = reinterpret<f64>(reinterpret<u64>(constant(0)) & 0xffffffffffe00000);
  const l2 = constant(0) - l1 + constant(1);
  const r = f64x2.sub(f64x2.sub(a, f64x2.mul(count, f64x2.splat(l1))), f64x2.mul(count, f64x2.splat(l2)));
  const n = i32x4.trunc_sat_f64x2_s_zero(count);
  const roots = table + ((27 + 2 * TERMS) << 3);
  let m = v128.load64_zero(roots + ((<usize>(i32x4.extract_lane(n, 0) & 127)) << 3));
  m = v128.load64_lane(roots + ((<usize>(i32x4.extract_lane(n, 1) & 127)) << 3), m, 1);
  let s = f64x2.splat(1.0 / 720);
  s = f64x2.add(f64x2.mul(s, r), f64x2.splat(1.0 / 120));
  s = f64x2.add(f64x2.mul(s, r), f64x2.splat(1.0 / 24));
  s = f64x2.add(f64x2.mul(s, r), f64x2.splat(1.0 / 6));
  s = f64x2.add(f64x2.mul(s, r), f64x2.splat(0.5));
  s = f64x2.add(f64x2.mul(s, f64x2.mul(r, r)), r);
  const powers = i64x2.shl(i64x2.add(i64x2.extend_low_i32x4_s(i32x4.shr_s(n, 7)), i64x2.splat(1023)), 52);
  const t = f64x2.mul(f64x2.add(m, f64x2.mul(m, s)), powers);
  if (f == 1) return t;
  if (f == 2) {
    // 2·artanh(q), q = t/(2 + t) <= 1/3
    const q = f64x2.div(t, f64x2.add(t, f64x2.splat(2)));
    const square = f64x2.mul(q, q);
    let sum = f64x2.splat(constant(27 + 16));
    for (let k = 15; k >= 0; k--) sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(constant(27 + k)));
    return f64x2.add(f64x2.mul(sum, q), f64x2.pmax(x, f64x2.splat(0)));
  }
  const one = f64x2.splat(1);
  return f64x2.div(v128.bitselect(t, one, f64x2.lt(x, f64x2.splat(0))), f64x2.add(one, t));
}

const MAX: usize = 0;
const POINTS: usize = 16;
const MISROUNDED: usize = 24;
const FALLS: usize = 32;
const FALL_AT: usize = 40;
const SYMMETRY: usize = 48;
const NOT_NAN: usize = 64;
const FAST: usize = 72;

/**
 * Clears the ten f64 of stats: 0 the largest error in units of the last place of the true value, 1 where; 2 points;
 * 3 results more than half a unit off; 4 neighbours in the wrong order, 5 where; 6 the largest |σ(−z) − (1 − σ(z))| in
 * units of the last place of σ(z), z >= 0, 7 where; 8 wrong results for NaN, or NaN for a number; 9 the largest relative
 * difference of `fast` and `value`.
 */
export function reset(stats: usize): void {
  memory.fill(stats, 0, 80);
}

function count(stats: usize, field: usize): void {
  store<f64>(stats + field, load<f64>(stats + field) + 1);
}

function largest(stats: usize, field: usize, found: f64, where: f64): void {
  // not <=, so that a NaN is kept
  if (!(found <= load<f64>(stats + field))) {
    store<f64>(stats + field, found);
    store<f64>(stats + field + 8, where);
  }
}

/** a unit of the last place of (hi + lo), `bits` the precision, at least `least` */
function unit(bits: i32, least: f64): f64 {
  const u = reinterpret<u64>(hi);
  const e = <i32>(u >> 52) - 1022 - bits - ((u & 0xfffffffffffff) == 0 && lo < 0 ? 1 : 0);
  return e < -1000 ? least : max(power(e), least);
}

/** the error of y in units of the last place; hi, lo and scale are the true value's */
function error<T>(y: T): f64 {
  const bits = sizeof<T>() == 4 ? 24 : 53;
  const least: f64 = (sizeof<T>() == 4 ? 1.401298464324817e-45 : 5e-324) * scale;
  if (<f64>y == Infinity) {
    // right if the true value rounds to it
    const limit = sizeof<T>() == 4 ? 3.4028235677973366e38 * scale : power(1023) * scale * (2 - power(-53));
    return hi >= limit ? 0 : Infinity;
  }
  return abs(<f64>y * scale - hi - lo) / unit(bits, least);
}

/** one result judged, its order aside */
function judge<T>(f: i32, x: f64, y: T, stats: usize): void {
  if (x != x || y != y) {
    if (x == x || y == y) count(stats, NOT_NAN);
    return;
  }
  if (f && x == Infinity) {
    if (<f64>y != Infinity) largest(stats, MAX, Infinity, x);
    return;
  }
  value(f, x);
  const e = error<T>(y);
  if (e > 0.5) count(stats, MISROUNDED);
  largest(stats, MAX, e, x);
}

/** neighbours that fall, or rise when `down`; NaN is neither */
function order<T>(z: usize, y: usize, n: u32, down: bool, stats: usize): void {
  for (let i: usize = 1; i < <usize>n; i++) {
    const at = y + i * sizeof<T>();
    const before = load<T>(at - sizeof<T>());
    const after = load<T>(at);
    if (down ? after <= before : after >= before) continue;
    if (after != after || before != before) continue;
    count(stats, FALLS);
    store<f64>(stats + FALL_AT, <f64>load<T>(z + i * sizeof<T>()));
  }
}

/**
 * n results y of function f at z, which rise (or fall, `down`) from one to the next; n is even. Most are settled by `fast`:
 * those less than 0.4999 units off, which cannot be the largest error (a result is half a unit off somewhere).
 */
export function checkF32(f: i32, z: usize, y: usize, n: u32, down: bool, stats: usize): void {
  const least = f64x2.splat(1.1754943508222875e-38);
  const exponent = i64x2.splat(0x7ff0000000000000);
  // 2⁻²³ of the power of two below, by its exponent
  const lower = i64x2.splat(23 << 52);
  for (let o: usize = 0; o < (<usize>n) << 2; o += 8) {
    const x = f64x2.promote_low_f32x4(v128.load64_zero(z + o));
    const off = fast(f, x);
    const unit = i64x2.sub(v128.and(f64x2.pmax(off, least), exponent), lower);
    const far = f64x2.abs(f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(y + o)), off));
    if (i64x2.all_true(f64x2.lt(far, f64x2.mul(unit, f64x2.splat(0.4999))))) continue;
    for (let at = o; at < o + 8; at += 4) {
      const single = <f64>load<f32>(z + at);
      // most of the line overflows
      if (f == 1 && single > 89 && load<f32>(y + at) == Infinity) continue;
      judge<f32>(f, single, load<f32>(y + at), stats);
    }
  }
  order<f32>(z, y, n, down, stats);
  store<f64>(stats + POINTS, load<f64>(stats + POINTS) + <f64>n);
  // one point of each call keeps `fast` honest
  const x = <f64>load<f32>(z + ((<usize>(n >> 1)) << 2));
  if (!(abs(x) < 600)) return;
  const quick = f64x2.extract_lane(fast(f, f64x2.splat(x)), 0);
  value(f, x);
  const difference = abs(quick - hi - lo) / hi;
  if (!(difference <= load<f64>(stats + FAST))) store<f64>(stats + FAST, difference);
}

export function checkF64(f: i32, z: usize, y: usize, n: u32, down: bool, stats: usize): void {
  for (let o: usize = 0; o < (<usize>n) << 3; o += 8) judge<f64>(f, load<f64>(z + o), load<f64>(y + o), stats);
  order<f64>(z, y, n, down, stats);
  store<f64>(stats + POINTS, load<f64>(stats + POINTS) + <f64>n);
}

/** |σ(−z) − (1 − σ(z))| at z >= 0: the subtraction from one is exact, and a unit of σ(z) is 2⁻²⁴ or 2⁻⁵³ */
function symmetry<T>(z: usize, positive: usize, negative: usize, n: u32, stats: usize): void {
  const perUnit: f64 = sizeof<T>() == 4 ? 16777216 : 9007199254740992;
  for (let i: usize = 0; i < <usize>n; i++) {
    const at = i * sizeof<T>();
    const x = <f64>load<T>(z + at);
    if (x != x) continue;
    largest(stats, SYMMETRY, abs(<f64>load<T>(negative + at) - (1 - <f64>load<T>(positive + at))) * perUnit, x);
  }
}

export function symmetryF32(z: usize, positive: usize, negative: usize, n: u32, stats: usize): void {
  symmetry<f32>(z, positive, negative, n, stats);
}

export function symmetryF64(z: usize, positive: usize, negative: usize, n: u32, stats: usize): void {
  symmetry<f64>(z, positive, negative, n, stats);
}

/** z[i] = the f32 of bits from + i, and its opposite */
export function fillF32(from: u32, n: u32, z: usize, opposite: usize): void {
  for (let i: u32 = 0; i < n; i++) {
    store<u32>(z + ((<usize>i) << 2), from + i);
    store<u32>(opposite + ((<usize>i) << 2), (from + i) ^ 0x80000000);
  }
}

let state: u64 = 0;

export function seed(value: f64): void {
  state = <u64>value * 0x9e3779b97f4a7c15 + 1;
}

/** in [0, 1): xorshift64* (Marsaglia 2003, Vigna 2016) */
function uniform(): f64 {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return <f64>((state * 0x2545f4914f6cdd1d) >> 11) * power(-53);
}

/**
 * n rising numbers from part `from` of `parts` equal ones of [a, b], one drawn from each, and their opposites.
 * steps  0 equal parts of the line, 1 equal parts of the numbers there are, 2 the doubles from a on, one by one
 */
export function fillF64(a: f64, b: f64, steps: i32, from: f64, parts: f64, n: u32, z: usize, opposite: usize): void {
  const first = <f64>reinterpret<u64>(a);
  for (let i: u32 = 0; i < n; i++) {
    const part = from + <f64>i;
    const at = steps == 2 ? 0 : (part + uniform()) / parts;
    let x: f64;
    if (steps == 0) x = a + (b - a) * at;
    else if (steps == 2) x = reinterpret<f64>(reinterpret<u64>(a) + <u64>part);
    else x = reinterpret<f64>(reinterpret<u64>(a) + <u64>((<f64>reinterpret<u64>(b) - first) * at));
    store<f64>(z + ((<usize>i) << 3), x);
    store<f64>(opposite + ((<usize>i) << 3), -x);
  }
}
