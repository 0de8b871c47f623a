/*
 * The shortest digits that read back as the same f64, for numbers from 10⁻⁶ to 1.
 *
 * value = m · 2^e with m < 2⁵³. With a power 10ˢ such that half of the distance to the next number, h = 10ˢ·2ᵉ/2, is from 0.555 to 5.55, value·10ˢ =
 * m·5ˢ / 2ᵏ with k = −e − s from 37 to 50. In units of 2^−(k+1) h is 5ˢ, without error. Every number within h reads back as the value. If these have
 * multiples of 10, the shortest is the multiple of 100, of which there is at most one, or else the nearest multiple of 10. If not, it is the nearest
 * whole number.
 *
 * Powers, 16 bytes for each exponent as it is stored, from that of 10⁻⁶ (1003) on: u64 5ˢ, u32 s, u32 k.
 */

const FIRST: u64 = 1003;
/** the f64 10⁻⁶ and 1 as bits: numbers are ordered as their bits are */
const LEAST: u64 = 0x3eb0c6f7a0b5ed8d;
const ONE: u64 = 0x3ff0000000000000;
const ZEROS: u64 = 0x3030303030303030;

/** The eight digits of a whole number below 10⁸, a byte each, the first one in the lowest byte. */
// @ts-ignore: decorator
@inline
export function eight(value: u32): u64 {
  const high = value / 10000;
  const fours = (<u64>(value - 10000 * high) << 32) | high;
  // ⌊x / 100⌋ = ⌊10486·x / 2²⁰⌋ below 10⁴, ⌊x / 10⌋ = ⌊103·x / 2¹⁰⌋ below 100
  const hundreds = ((fours * 10486) >> 20) & 0x0000007f0000007f;
  const twos = ((fours - 100 * hundreds) << 16) + hundreds;
  const tens = ((twos * 103) >> 10) & 0x000f000f000f000f;
  return ((twos - 10 * tens) << 8) + tens;
}

/** Writes a number (its bits); returns the position behind it, or 0 for a number that is out of range, or as near to one result as to another. */
// @ts-ignore: decorator
@inline
export function fraction(out: usize, bits: u64, powers: usize): usize {
  if (bits - LEAST >= ONE - LEAST) return 0;
  const exponent = bits >> 52;
  const power = powers + (<usize>(exponent - FIRST) << 4);
  const five = load<u64>(power);
  const s = load<u32>(power, 8);
  const k = <u64>load<u32>(power, 12);
  // m · 5ˢ, of 105 bits at most
  const m = (bits & 0x000fffffffffffff) | 0x0010000000000000;
  const a = (m & 0xffffffff) * (five & 0xffffffff);
  const b = (m >> 32) * (five & 0xffffffff) + (a >> 32);
  const c = (m & 0xffffffff) * (five >> 32) + (b & 0xffffffff);
  const high = (m >> 32) * (five >> 32) + (b >> 32) + (c >> 32);
  const low = (c << 32) | (a & 0xffffffff);
  let nearest = (high << (64 - k)) | (low >> k);
  const part = (low & (((<u64>1) << k) - 1)) << 1;
  const last = nearest % 10;
  const below = (last << (k + 1)) + part;
  const above = ((<u64>10) << (k + 1)) - below;
  if (below < five || above < five) {
    if (below == above) return 0;
    const ten = (nearest / 10) % 10;
    const down = below < five && (above >= five || ten == 0 || (ten != 9 && below < above));
    nearest += down ? 0 - last : 10 - last;
  } else {
    if (part == (<u64>1) << k) return 0;
    if (part > (<u64>1) << k) nearest++;
  }
  const front = nearest / 10_000_000_000_000_000;
  nearest -= front * 10_000_000_000_000_000;
  const middle = nearest / 100_000_000;
  store<u16>(out, 0x2e30);
  out += 2;
  // the first s − 16 digits, then 16
  store<u64>(out, (eight(<u32>front) | ZEROS) >> (<u64>(24 - s) << 3));
  out += <usize>s - 16;
  store<u64>(out, eight(<u32>middle) | ZEROS);
  store<u64>(out, eight(<u32>(nearest - middle * 100_000_000)) | ZEROS, 8);
  out += 15;
  while (load<u8>(out) == 0x30) out--;
  return out + 1;
}

/** Writes one number, as fraction(). */
export function writeNumber(out: usize, value: f64, powers: usize): usize {
  return fraction(out, reinterpret<u64>(value), powers);
}
