/*
 * The functions in integers: fixed-point numbers of 512 bits behind the point. From them come the constants of check.ts,
 * and the proof of how many of its bits are right.
 */

const BITS = 512n;
const ONE = 1n << BITS;

/** Σ term(k)·… with terms that shrink to nothing */
function series(first: bigint, next: (term: bigint, k: bigint) => bigint): bigint {
  let sum = 0n;
  let k = 1n;
  for (let term = first; term !== 0n; term = next(term, k++)) sum += term;
  return sum;
}

/** artanh(1/3) = Σ 1/((2k + 1)·3^(2k + 1)); ln 2 is twice that */
function ln2(): bigint {
  let sum = 0n;
  let odd = ONE / 3n;
  for (let k = 1n; odd !== 0n; k += 2n) {
    sum += odd / k;
    odd /= 9n;
  }
  return 2n * sum;
}

const LN2 = ln2();

const mul = (a: bigint, b: bigint) => (a * b) >> BITS;

/** exp of a fixed-point number in [0, 1) */
function expFraction(r: bigint): bigint {
  // halved sixteen times, then squared as often
  const small = r >> 16n;
  let e = series(ONE, (term, k) => mul(term, small) / k);
  for (let i = 0; i < 16; i++) e = mul(e, e);
  return e;
}

/** a fixed-point number as an unevaluated sum of f64, each the rest rounded */
function parts(x: bigint, count: number): number[] {
  const out: number[] = [];
  let rest = x;
  for (let i = 0; i < count; i++) {
    // Number rounds a bigint to nearest; the division by a power of two is exact
    const part = Number(rest) / Number(ONE);
    out.push(part);
    rest -= exact(part, BITS);
  }
  return out;
}

/** a f64 as a fixed-point number; what stands behind the last bit is cut */
function exact(x: number, bits: bigint): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const word = view.getBigUint64(0);
  const field = (word >> 52n) & 2047n;
  const mantissa = (word & 0xfffffffffffffn) | (field ? 1n << 52n : 0n);
  const shift = (field || 1n) - 1075n + bits;
  const size = shift >= 0n ? mantissa << shift : mantissa >> -shift;
  return x < 0 ? -size : size;
}

/** the table of check.ts */
export function constants(terms: number): Float64Array {
  const factorials: bigint[] = [ONE];
  for (let k = 1n; k < 12n; k++) factorials.push(factorials[factorials.length - 1] / k);
  const odd = Array.from({ length: terms }, (_, k) => (2n * ONE) / BigInt(2 * k + 1));
  const roots = Array.from({ length: 128 }, (_, j) => expFraction((LN2 * BigInt(j)) / 128n));
  const pairs = (list: bigint[]) => {
    const both = list.map((x) => parts(x, 2));
    return [...both.map(([high]) => high), ...both.map(([, low]) => low)];
  };
  return Float64Array.from([...parts(LN2 / 128n, 3), ...pairs(factorials), ...pairs(odd), ...pairs(roots)]);
}

/** f(x)·2^bits in integers, f  0 σ, 1 exp, 2 softplus; x a f64 with |x| <= 745 */
function integers(f: number, x: number, bits: bigint): bigint {
  const a = exact(f === 1 ? x : -Math.abs(x), BITS);
  let n = a / LN2;
  if (a < n * LN2) n -= 1n;
  // exp(a) = 2ⁿ·e, e in [1, 2)
  const e = expFraction(a - n * LN2);
  if (f === 1) return shifted(e, n + bits - BITS);
  // with t = 2ⁿ·e <= 1: σ is t/(1 + t) = e/(2⁻ⁿ + e) or 1/(1 + t) = 2⁻ⁿ/(2⁻ⁿ + e)
  const inverse = ONE << -n;
  if (f === 0) return ((x < 0 ? e : inverse) << bits) / (inverse + e);
  // log(1 + t) = 2·artanh(s), s = t/(2 + t) = e/(2·2⁻ⁿ + e), with `bits` behind the point from here on
  const s = (e << bits) / (2n * inverse + e);
  const square = (s * s) >> bits;
  let sum = 0n;
  let power = s;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += power / k;
    power = (power * square) >> bits;
  }
  return 2n * sum + (x > 0 ? exact(x, bits) : 0n);
}

function shifted(x: bigint, by: bigint): bigint {
  return by >= 0n ? x << by : x >> -by;
}

/** −log2 of the relative error of (high + low)/scale as f(x) */
export function bitsRight(f: number, x: number, high: number, low: number, scale: number): number {
  const bits = 1600n;
  const shift = BigInt(Math.log2(scale));
  const true_ = shifted(integers(f, x, bits), shift);
  const off = exact(high, bits) + exact(low, bits) - true_;
  const size = off < 0n ? -off : off;
  if (size === 0n) return Number.POSITIVE_INFINITY;
  return true_.toString(2).length - size.toString(2).length;
}
