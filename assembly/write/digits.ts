/*
 * The characters that String(x) has of an f64 x: the shortest digits that read back as the same bits, and of several such the one nearest to x, of two
 * the even one. For 0, −0, and |x| from 2⁻¹⁰⁰ to 2⁵², both signs.
 *
 * |x| = m · 2^e with m < 2⁵³. With a power 10ˢ such that half of the distance to the next number, h = 10ˢ·2ᵉ/2, is from 0.555 to 5.55, |x|·10ˢ = m·5ˢ /
 * 2ᵏ with k = −e − s from 0 to 56, and s from 1 to 25, down to 2⁻²⁹. In units of 2^−(k+1) h is 5ˢ, without error. Every number within h reads back as x.
 * If these have multiples of 10, the shortest is the multiple of 100, of which there is at most one, or else the nearest multiple of 10. If not, it is
 * the nearest whole number. It has 16 or 17 digits, since m·2h is from 2⁵²·1.11 to 2⁵³·11.1.
 *
 * Below a power of two the next number is half as far. Those from 2⁻¹⁹ on are multiples of 10⁻ˢ themselves, so the rule finds them; the lesser ones are left
 * out. From 1 on the whole part of the digits is that of x: whole numbers below 2⁵³ are numbers of their own.
 *
 * Below 2⁻²⁹ 5ˢ is longer: it is ⌊5ˢ / 2ᵗ⌋, and k less by t, so that k is 59. The product is then too small by less than m, and 5ˢ by less than 1. A number
 * for which that might change a comparison is left out, one of twenty or so.
 *
 * Powers, 24 bytes for each exponent as it is stored, from that of 2⁻¹⁰⁰ (923) on: u64 5ˢ, u32 s, u32 k, u64 10¹⁶⁻ˢ where that is a whole number.
 */

const FIRST: u64 = 923;
const POWER: usize = 24;
/** the f64 2⁻¹⁰⁰, 2⁻²⁹, 10⁻⁶, 1 and 2⁵² as bits: numbers are ordered as their bits are */
const LEAST: u64 = 0x39b0000000000000;
const EXACT: u64 = 0x3e20000000000000;
const PLAIN: u64 = 0x3eb0c6f7a0b5ed8d;
const ONE: u64 = 0x3ff0000000000000;
const END: u64 = 0x4330000000000000;
const MANTISSA: u64 = 0x000fffffffffffff;
const ZEROS: u64 = 0x3030303030303030;

/** The eight digits of a whole number below 10⁸, a byte each, the first one in the lowest byte. */
// @ts-ignore: decorator
@inline
function eight(value: u32): u64 {
  const high = value / 10000;
  const fours = (<u64>(value - 10000 * high) << 32) | high;
  // ⌊x / 100⌋ = ⌊10486·x / 2²⁰⌋ below 10⁴, ⌊x / 10⌋ = ⌊103·x / 2¹⁰⌋ below 100
  const hundreds = ((fours * 10486) >> 20) & 0x0000007f0000007f;
  const twos = ((fours - 100 * hundreds) << 16) + hundreds;
  const tens = ((twos * 103) >> 10) & 0x000f000f000f000f;
  return ((twos - 10 * tens) << 8) + tens;
}

/** Writes a whole number below 10⁸ without zeros before it; returns the position behind it. */
// @ts-ignore: decorator
@inline
function short(out: usize, value: u32): usize {
  const digits = eight(value);
  // 0 has one digit
  const zeros = min<u64>(7, ctz(digits) >> 3);
  store<u64>(out, (digits | ZEROS) >> (zeros << 3));
  return out + 8 - <usize>zeros;
}

/** Writes a whole number below 10¹⁶; returns the position behind it. */
export function whole(out: usize, value: u64): usize {
  if (value < 100_000_000) return short(out, <u32>value);
  const high = value / 100_000_000;
  out = short(out, <u32>high);
  store<u64>(out, eight(<u32>(value - high * 100_000_000)) | ZEROS);
  return out + 8;
}

/** Writes the 16 digits of a number below 10¹⁶; returns the position behind the last one that is not 0. */
// @ts-ignore: decorator
@inline
function sixteen(out: usize, value: u64): usize {
  const front = value / 100_000_000;
  const high = eight(<u32>front);
  const low = eight(<u32>(value - front * 100_000_000));
  store<u64>(out, high | ZEROS);
  store<u64>(out, low | ZEROS, 8);
  return out + (low != 0 ? 16 - <usize>(clz(low) >> 3) : 8 - <usize>(clz(high) >> 3));
}

/** Whether two numbers may be equal, or in the other order, where they are not exact. */
// @ts-ignore: decorator
@inline
function isNear(a: u64, b: u64, margin: u64): bool {
  return (a > b ? a - b : b - a) <= margin;
}

/** Writes a number; returns the position behind it, or 0 for one that it leaves. At most 25 bytes. */
export function writeNumber(out: usize, value: f64, powers: usize): usize {
  const signed = reinterpret<u64>(value);
  const bits = signed & 0x7fffffffffffffff;
  if (bits == 0) {
    store<u8>(out, 0x30);
    return out + 1;
  }
  const fractional = bits & MANTISSA;
  if (bits - LEAST >= END - LEAST || (fractional == 0 && bits < PLAIN)) return 0;
  const power = powers + <usize>((bits >> 52) - FIRST) * POWER;
  const five = load<u64>(power);
  const s = <usize>load<u32>(power, 8);
  const k = <u64>load<u32>(power, 12);
  // m · 5ˢ, of 112 bits at most
  const m = fractional | 0x0010000000000000;
  const a = (m & 0xffffffff) * (five & 0xffffffff);
  const b = (m >> 32) * (five & 0xffffffff) + (a >> 32);
  const c = (m & 0xffffffff) * (five >> 32) + (b & 0xffffffff);
  const high = (m >> 32) * (five >> 32) + (b >> 32) + (c >> 32);
  const low = (c << 32) | (a & 0xffffffff);
  // the quotient has 57 bits: where k is 0, so is high
  let digits = (high << (64 - k)) | (low >> k);
  const half = (<u64>1) << k;
  const part = (low & (half - 1)) << 1;
  const last = digits % 10;
  const below = (last << (k + 1)) + part;
  const above = ((<u64>10) << (k + 1)) - below;
  if (bits < EXACT) {
    const margin = 2 * m + 1;
    if (
      isNear(below, five, margin) ||
      isNear(above, five, margin) ||
      isNear(below, above, 2 * margin) ||
      isNear(part, half, margin) ||
      part + margin >= 2 * half
    )
      return 0;
  }
  if (below < five || above < five) {
    const ten = (digits / 10) % 10;
    const down =
      below < five && (above >= five || ten == 0 || (ten != 9 && (below < above || (below == above && (ten & 1) == 0))));
    digits += down ? 0 - last : 10 - last;
  } else if (part > half || (part == half && (digits & 1) == 1)) digits++;
  if (signed != bits) store<u8>(out++, 0x2d);
  if (bits >= ONE) {
    const front = <u64>reinterpret<f64>(bits);
    digits -= front * (five << s);
    const point = whole(out, front);
    if (digits == 0) return point;
    store<u8>(point, 0x2e);
    return sixteen(point + 1, digits * load<u64>(power, 16));
  }
  const front = digits / 10_000_000_000_000_000;
  digits -= front * 10_000_000_000_000_000;
  if (bits >= PLAIN) {
    store<u16>(out, 0x2e30);
    // the first s − 16 digits, then 16
    store<u64>(out, (eight(<u32>front) | ZEROS) >> (<u64>(24 - s) << 3), 2);
    return sixteen(out + s - 14, digits);
  }
  // 1.5e-7
  const first = <usize>(front != 0);
  let end = sixteen(out + 1 + first, digits);
  store<u8>(out, first ? 0x30 + <u8>front : load<u8>(out, 1));
  store<u8>(out, 0x2e, 1);
  if (end <= out + 2) end = out + 1;
  store<u16>(end, 0x2d65);
  return short(end + 2, <u32>(s - 15 - first));
}
