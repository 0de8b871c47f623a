/*
 * Decimal text to the nearest f64 (ties to even): the same value as JavaScript's Number for every text of JSON's grammar.
 * Up to 19 digits and small exponents take one or two integer divisions; the rest is exact long division.
 */

/** 10^0 … 10^22: all exact */
const POWERS_F64 = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]);

/** digits that the exact path reads; the halfway points between doubles have at most 767, so more only break ties */
const DIGITS = 800;
/*
 * A big number: the bytes of its limbs up to the highest that is not 0, then from LIMBS on the limbs, 32 bits each, the
 * lowest first, zeros after the highest. 10^1124 has 117 limbs, and two more for shifts.
 */
const LIMBS: usize = 16;
const NUMERATOR = memory.data(528, 16);
const DENOMINATOR = memory.data(528, 16);

/** Where the number that starts at p ends, by JSON's grammar; 0 when none starts there. */
export function scanNumber(p: usize, end: usize): usize {
  if (p < end && load<u8>(p) == 0x2d) p++;
  if (p >= end || !isDigit(load<u8>(p))) return 0;
  if (load<u8>(p) == 0x30) p++;
  else p = skipDigits(p, end);
  if (p < end && load<u8>(p) == 0x2e) {
    p++;
    if (p >= end || !isDigit(load<u8>(p))) return 0;
    p = skipDigits(p, end);
  }
  if (p < end && (load<u8>(p) | 0x20) == 0x65) {
    p++;
    if (p < end && (load<u8>(p) == 0x2b || load<u8>(p) == 0x2d)) p++;
    if (p >= end || !isDigit(load<u8>(p))) return 0;
    p = skipDigits(p, end);
  }
  return p;
}

/** The value of [p, end), which `scanNumber` has accepted as a whole. ±Infinity when it is beyond the range of f64. */
export function toDouble(p: usize, end: usize): f64 {
  const negative = load<u8>(p) == 0x2d;
  if (negative) p++;
  const value = magnitude(p, end);
  return negative ? -value : value;
}

function magnitude(start: usize, end: usize): f64 {
  // value = whole · 10^exponent, plus less than one unit of `whole` when digits were dropped
  let whole: u64 = 0;
  let digits = 0;
  let exponent = 0;
  let point = false;
  let dropped = false;
  let p = start;
  for (; p < end; p++) {
    const c = load<u8>(p);
    if (c == 0x2e) {
      point = true;
    } else if (!isDigit(c)) {
      break;
    } else if (digits < 19) {
      whole = whole * 10 + (c - 0x30);
      if (whole) digits++;
      if (point) exponent--;
    } else {
      dropped = dropped || c != 0x30;
      if (!point) exponent++;
    }
  }
  const mantissaEnd = p;
  const scale = p < end ? exponentOf(p + 1, end) : 0;
  exponent += scale;
  if (!whole) return 0;
  // the value lies in [10^(top − 1), 10^top)
  const top = digits + exponent;
  if (top > 309) return Infinity;
  if (top < -323) return 0;
  if (!dropped) {
    if (whole <= 1 << 53 && exponent >= -22 && exponent <= 22) {
      // both exact, so one rounding
      return exponent < 0
        ? <f64>whole / load<f64>(POWERS_F64 + ((<usize>-exponent) << 3))
        : <f64>whole * load<f64>(POWERS_F64 + ((<usize>exponent) << 3));
    }
    if (exponent < 0 && exponent >= -27) return quotient(whole, <u32>-exponent);
  }
  return exact(start, mantissaEnd, scale);
}

/** whole / 10^k = whole / 5^k / 2^k, k in 1 … 27: the 64 leading bits by one long division, and whether a remainder is left */
function quotient(whole: u64, k: u32): f64 {
  let power: u64 = 1;
  for (let i: u32 = 0; i < k; i++) power *= 5;
  const shift = <i32>clz(power) - <i32>clz(whole);
  const divisor = power << clz(power);
  let high = whole << clz(whole);
  let low: u64 = 0;
  let extra = 0;
  if (high >= divisor) {
    low = high << 63;
    high >>= 1;
    extra = 1;
  }
  // Knuth's algorithm D for two halves (Hacker's Delight, divlu)
  const v1 = divisor >> 32;
  const v0 = divisor & 0xffffffff;
  const q1 = digit(high, low >> 32, v1, v0);
  const rest = (high << 32) + (low >> 32) - q1 * divisor;
  const q0 = digit(rest, low & 0xffffffff, v1, v0);
  const left = (rest << 32) + (low & 0xffffffff) - q0 * divisor;
  return assemble((q1 << 32) + q0, left != 0, shift + extra - 64 - <i32>k);
}

/** the 32-bit digit of (u · 2³² + next) / (v1 · 2³² + v0) */
function digit(u: u64, next: u64, v1: u64, v0: u64): u64 {
  let q = u / v1;
  let r = u - q * v1;
  while (q >> 32 || q * v0 > ((r << 32) | next)) {
    q--;
    r += v1;
    if (r >> 32) break;
  }
  return q;
}

/** q · 2^b rounded to f64, q with its highest bit set; `more`: the true value lies above it, by less than one unit of q */
function assemble(q: u64, more: bool, b: i32): f64 {
  const e = b + 63;
  if (e > 1023) return Infinity;
  const drop = 11 + max(0, -1022 - e);
  if (drop > 64) return 0;
  let bits = drop == 64 ? 0 : q >> drop;
  const half = (q >> (drop - 1)) & 1;
  const rest = more || (q & ((<u64>1 << (drop - 1)) - 1)) != 0;
  if (half && (rest || (bits & 1))) bits++;
  // the hidden bit adds one to the exponent; a carry out of the mantissa does so too
  return reinterpret<f64>(e >= -1022 ? (<u64>(e + 1022) << 52) + bits : bits);
}

/** The number with digits [p, end), one point among them, times 10^scale, by division of big numbers. */
function exact(p: usize, end: usize, scale: i32): f64 {
  memory.fill(NUMERATOR, 0, 528);
  memory.fill(DENOMINATOR, 0, 528);
  let digits = 0;
  let exponent = scale;
  let point = false;
  let sticky = false;
  // nine digits at a time
  let part: u64 = 0;
  let power: u64 = 1;
  for (; p < end; p++) {
    const c = load<u8>(p);
    if (c == 0x2e) {
      point = true;
    } else if (digits < DIGITS) {
      part = part * 10 + (c - 0x30);
      power *= 10;
      if (power == NINE) {
        multiplyAdd(NUMERATOR, power, part);
        part = 0;
        power = 1;
      }
      if (digits || c != 0x30) digits++;
      if (point) exponent--;
    } else {
      sticky = sticky || c != 0x30;
      if (!point) exponent++;
    }
  }
  multiplyAdd(NUMERATOR, power, part);
  multiplyAdd(DENOMINATOR, 0, 1);
  scaleBy(exponent < 0 ? DENOMINATOR : NUMERATOR, abs(exponent));
  // make 1/2 <= numerator / denominator < 1
  let shift = bitsOf(NUMERATOR) - bitsOf(DENOMINATOR);
  if (shift > 0) shiftLeft(DENOMINATOR, shift);
  else shiftLeft(NUMERATOR, -shift);
  if (!isLess(NUMERATOR, DENOMINATOR, max(load<usize>(NUMERATOR), load<usize>(DENOMINATOR)))) {
    shiftLeft(DENOMINATOR, 1);
    shift++;
  }
  // the numerator stays below twice the denominator
  const used = load<usize>(DENOMINATOR) + 4;
  let q: u64 = 0;
  for (let i = 0; i < 64; i++) {
    double(NUMERATOR, used);
    q <<= 1;
    if (!isLess(NUMERATOR, DENOMINATOR, used)) {
      subtract(NUMERATOR, DENOMINATOR, used);
      q |= 1;
    }
  }
  return assemble(q, sticky || !isZero(NUMERATOR, used), shift - 64);
}

const NINE: u64 = 1_000_000_000;

/** a = a · 10^k */
function scaleBy(a: usize, k: i32): void {
  for (; k >= 9; k -= 9) multiplyAdd(a, NINE, 0);
  for (; k > 0; k--) multiplyAdd(a, 10, 0);
}

function isZero(a: usize, used: usize): bool {
  for (let i: usize = 0; i < used; i += 4) if (load<u32>(a + i, LIMBS)) return false;
  return true;
}

function bitsOf(a: usize): i32 {
  const n = load<usize>(a);
  return n ? <i32>(n << 3) - <i32>clz(load<u32>(a + n - 4, LIMBS)) : 0;
}

/** a = a · factor + carry */
function multiplyAdd(a: usize, factor: u64, carry: u64): void {
  const n = load<usize>(a);
  let i: usize = 0;
  for (; i < n; i += 4) {
    carry += load<u32>(a + i, LIMBS) * factor;
    store<u32>(a + i, <u32>carry, LIMBS);
    carry >>= 32;
  }
  if (!carry) return;
  store<u32>(a + i, <u32>carry, LIMBS);
  store<usize>(a, i + 4);
}

function shiftLeft(a: usize, bits: i32): void {
  const whole = (<usize>bits >> 5) << 2;
  if (whole) {
    const n = load<usize>(a);
    memory.copy(a + LIMBS + whole, a + LIMBS, n);
    memory.fill(a + LIMBS, 0, whole);
    store<usize>(a, n + whole);
  }
  multiplyAdd(a, <u64>1 << (bits & 31), 0);
}

/** a = 2a; the length is not kept from here on */
function double(a: usize, used: usize): void {
  let carry: u32 = 0;
  for (let i: usize = 0; i < used; i += 4) {
    const limb = load<u32>(a + i, LIMBS);
    store<u32>(a + i, (limb << 1) | carry, LIMBS);
    carry = limb >> 31;
  }
}

function isLess(a: usize, b: usize, used: usize): bool {
  for (let i = used; i; i -= 4) {
    const x = load<u32>(a + i - 4, LIMBS);
    const y = load<u32>(b + i - 4, LIMBS);
    if (x != y) return x < y;
  }
  return false;
}

/** a = a − b, a >= b */
function subtract(a: usize, b: usize, used: usize): void {
  let borrow: i64 = 0;
  for (let i: usize = 0; i < used; i += 4) {
    borrow += <i64>load<u32>(a + i, LIMBS) - <i64>load<u32>(b + i, LIMBS);
    store<u32>(a + i, <u32>borrow, LIMBS);
    borrow >>= 32;
  }
}

/** the exponent at p, after its e; beyond ±10⁸ it no longer matters, since no text is that long */
function exponentOf(p: usize, end: usize): i32 {
  const negative = load<u8>(p) == 0x2d;
  if (negative || load<u8>(p) == 0x2b) p++;
  let value = 0;
  for (; p < end; p++) value = min(value * 10 + (load<u8>(p) - 0x30), 100_000_000);
  return negative ? -value : value;
}

function skipDigits(p: usize, end: usize): usize {
  while (p < end && isDigit(load<u8>(p))) p++;
  return p;
}

// @ts-ignore: decorator
@inline
function isDigit(c: u8): bool {
  return <u8>(c - 0x30) < 10;
}
