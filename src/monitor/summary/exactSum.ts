import { refuse } from '../../../bindings/errors.ts';

/** Units of exact sums: 2^−1074, the least double. Every finite double is a whole number of them. */
const LEAST = 1074;
const MANTISSA = 2 ** 52;
/** Less than the greatest double. */
const BEYOND = 1n << 1000n;

const bits = new DataView(new ArrayBuffer(8));

/** A finite number in units of 2^−1074, exactly. */
export function unitsOf(value: number): bigint {
  bits.setFloat64(0, value);
  const high = bits.getUint32(0);
  const exponent = (high >>> 20) & 0x7ff;
  const fraction = (high & 0xfffff) * 2 ** 32 + bits.getUint32(4);
  const size = exponent ? BigInt(fraction + MANTISSA) << BigInt(exponent - 1) : BigInt(fraction);
  return high >>> 31 ? -size : size;
}

/** 2^e, from the least to the greatest double. */
export function powerOfTwo(e: number): number {
  if (e < -1022) return 2 ** -1022 / 2 ** (-1022 - e);
  bits.setBigUint64(0, BigInt(e + 1023) << 52n);
  return bits.getFloat64(0);
}

/** Binary digits of a number above 0. */
function lengthOf(size: bigint): number {
  let length = 0;
  let rest = size;
  for (; rest >= BEYOND; rest >>= 960n) length += 960;
  bits.setFloat64(0, Number(rest));
  length += (bits.getUint32(0) >>> 20) - 1022;
  // it may have been rounded to the next power of two
  return size >> BigInt(length - 1) === 0n ? length - 1 : length;
}

/**
 * Returns over·2^−1074/under, rounded once to the nearest double.
 * @param scale  a further power of two of the quotient
 */
export function quotient(over: bigint, under: bigint, scale = 0): number {
  if (over === 0n) return 0;
  const size = over < 0n ? -over : over;
  // at least 66 bits of the quotient, then whether anything is left: rounding twice is rounding once
  const shift = Math.max(0, 66 + lengthOf(under) - lengthOf(size));
  const scaled = size << BigInt(shift);
  let whole = scaled / under;
  if (whole * under !== scaled) whole |= 1n;
  let exponent = scale - LEAST - shift;
  const excess = lengthOf(whole) - 66;
  if (excess > 0) {
    const kept = whole >> BigInt(excess);
    whole = kept << BigInt(excess) === whole ? kept : kept | 1n;
    exponent += excess;
  }
  const value = Number(over < 0n ? -whole : whole);
  // in two halves: one of them alone may overflow
  const half = Math.trunc(exponent / 2);
  return value * powerOfTwo(half) * powerOfTwo(exponent - half);
}

/** An exact sum as text: a hexadecimal whole number and a power of two, each sum in one way. */
export function textOfUnits(units: bigint): string {
  if (units === 0n) return '0p0';
  const text = units.toString(2);
  const zeros = text.length - 1 - text.lastIndexOf('1');
  return `${(units >> BigInt(zeros)).toString(16)}p${zeros - LEAST}`;
}

/** @throws ERR_FORMAT */
export function unitsOfText(text: unknown): bigint {
  const [, sign, digits, power] =
    (typeof text === 'string' && text.length < 800 && /^(-?)([0-9a-f]+)p(-?\d{1,4})$/.exec(text)) || [];
  const shift = Number(power) + LEAST;
  if (!(shift >= 0 && shift <= 4096) && digits !== '0')
    refuse('ERR_FORMAT', 'state', 'sums such as "1fp-3"', typeof text, 'save it again');
  const size = digits === '0' ? 0n : BigInt(`0x${digits}`) << BigInt(shift);
  return sign ? -size : size;
}
