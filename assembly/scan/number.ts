/*
 * Decimal numbers, correctly rounded to f64 (ties to even).
 *
 * Up to 2⁵³ and 10^±22 one multiplication or division of exact numbers is right (Clinger 1990). Beyond, 64 or 128 bits of a power of five
 * are enough (Lemire 2021, "Number parsing at a gigabyte per second"), for powers from −64 to 64. What is left the host decides.
 */

/** the greatest power of ten in the tables, and the least one negated */
export const MOST_POWER: i32 = 64;

/** 10^q for q in [0, 22], f64 */
const TENS_BYTES: usize = 23 << 3;

/** the number of eight digits, the first one in the lowest byte; bytes of 0 are digits 0 */
// @ts-ignore: decorator
@inline
export function eightDigits(v: u64): u64 {
  v = (v & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
  v = (v & 0x00ff00ff00ff00ff) * 6553601 >> 16;
  return (v & 0x0000ffff0000ffff) * 42949672960001 >> 32;
}

/** high 64 bits of a·b */
// @ts-ignore: decorator
@inline
function high(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const middle = a1 * b0 + ((a0 * b0) >> 32);
  return a1 * b1 + (middle >> 32) + ((a0 * b1 + (middle & 0xffffffff)) >> 32);
}

/**
 * Writes m·10^q, rounded once, to `out`. Returns whether it could.
 * tables  10^0 … 10^22 as f64, then for q from −64 to 64 the first 128 bits of 5^q, low half first (for negative q rounded up)
 */
export function decimal(tables: usize, m: u64, q: i32, negative: bool, out: usize): bool {
  if (m == 0) {
    store<f64>(out, negative ? -0.0 : 0.0);
    return true;
  }
  if (m <= 0x20000000000000 && q >= -22 && q <= 22) {
    const ten = load<f64>(tables + ((<usize>abs(q)) << 3));
    const size = q < 0 ? <f64>(<i64>m) / ten : <f64>(<i64>m) * ten;
    store<f64>(out, negative ? -size : size);
    return true;
  }
  if (q < -MOST_POWER || q > MOST_POWER) return false;
  const zeros = clz(m);
  const w = m << zeros;
  const power = tables + TENS_BYTES + ((<usize>(q + MOST_POWER)) << 4);
  const first = load<u64>(power, 8);
  let low = w * first;
  let top = high(w, first);
  if ((top & 0x1ff) == 0x1ff) {
    const more = high(w, load<u64>(power));
    low += more;
    if (low < more) top++;
    // the truncated product cannot tell
    if (low == u64.MAX_VALUE && (q < -27 || q > 55)) return false;
  }
  const upper = top >> 63;
  let mantissa = top >> (upper + 9);
  // between two doubles exactly: to the even one
  if (low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && mantissa << (upper + 9) == top) mantissa &= ~(<u64>1);
  mantissa += mantissa & 1;
  mantissa >>= 1;
  let exponent = (<i64>(((152170 + 65536) * q) >> 16)) + 63 + <i64>upper - <i64>zeros + 1023;
  if (mantissa >= 0x20000000000000) {
    mantissa = 0x10000000000000;
    exponent++;
  }
  mantissa &= 0xfffffffffffff;
  store<u64>(out, mantissa | ((<u64>exponent) << 52) | ((<u64>negative) << 63));
  return true;
}
