import { exp, ln } from '../../bindings/js/math.ts';

/** Φ⁻¹(0.975): half the width of a 95 % interval in standard errors. */
export const Z95 = 1.959963984540054;

/**
 * Returns Φ⁻¹(p), the quantile of the standard normal distribution, with a relative error of about 1e-15 and the same bits on every runtime.
 *
 * It is ±Infinity at 0 and 1, and NaN outside. Near 1 use −Φ⁻¹(1 − p), since 1 − p keeps more digits there.
 * @see Wichura, Algorithm AS 241, Applied Statistics 37(3), 1988 (PPND16)
 * @example
 * normalQuantile(0.975); // 1.95996398454
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(CENTRE[0], r)) / polynomial(CENTRE[1], r);
  }
  if (!(p > 0 && p < 1)) return p === 0 ? Number.NEGATIVE_INFINITY : p === 1 ? Number.POSITIVE_INFINITY : Number.NaN;
  const r = Math.sqrt(-ln(q < 0 ? p : 1 - p));
  const [shift, [over, under]] = r <= 5 ? ([1.6, TAIL] as const) : ([5, FAR] as const);
  const size = polynomial(over, r - shift) / polynomial(under, r - shift);
  return q < 0 ? -size : size;
}

/**
 * p = 2·(1 − Φ(|z|)), the two-sided tail of the standard normal.
 *
 * |z| < 2: 1 − 2φ(z)·(z + z³/3 + z⁵/(3·5) + …); beyond: 2φ(z)/(z + 1/(z + 2/(z + 3/(z + …)))).
 * Relative error below 2e-14 down to 1e-300 (against mpmath), 0 from |z| = 38.6 on.
 * @see Abramowitz and Stegun 26.2.11 and 26.2.14
 */
export function twoSidedP(z: number): number {
  const x = Math.abs(z);
  if (!(x < 39)) return Number.isNaN(x) ? x : 0;
  // z² = head² + (z − head)(z + head), head² exact: the rounding of z² would grow with z² in exp
  const head = Math.trunc(x * 16) / 16;
  const density = exp((-head * head) / 2) * exp((-(x - head) * (x + head)) / 2) * Math.sqrt(2 / Math.PI);
  if (x < 2) {
    let term = x;
    let sum = x;
    for (let odd = 3; term > sum * 1e-17; odd += 2) {
      term *= (x * x) / odd;
      sum += term;
    }
    return 1 - density * sum;
  }
  let fraction = x;
  for (let k = 200; k > 0; k--) fraction = x + k / fraction;
  return density / fraction;
}

/** Φ(z), the cumulative distribution of the standard normal. */
export const normalCdf = (z: number): number => (z > 0 ? 1 - twoSidedP(z) / 2 : twoSidedP(z) / 2);

/** Σ cᵢ·xⁱ by Horner's scheme */
function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + coefficients[i];
  return sum;
}

type Quotient = readonly [over: readonly number[], under: readonly number[]];

const CENTRE: Quotient = [
  [
    3.387132872796366608, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
    4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
  ],
  [
    1, 4.2313330701600911252e1, 6.871870074920579083e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
    3.930789580009271061e4, 2.8729085735721942674e4, 5.226495278852854561e3,
  ],
];

const TAIL: Quotient = [
  [
    1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
    1.27045825245236838258, 2.4178072517745061177e-1, 2.27238449892691845833e-2, 7.7454501427834140764e-4,
  ],
  [
    1, 2.05319162663775882187, 1.6763848301838038494, 6.8976733498510000455e-1, 1.4810397642748007459e-1,
    1.51986665636164571966e-2, 5.475938084995344946e-4, 1.05075007164441684324e-9,
  ],
];

const FAR: Quotient = [
  [
    6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 2.9656057182850489123e-1,
    2.6532189526576123093e-2, 1.2426609473880784386e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
  ],
  [
    1, 5.9983220655588793769e-1, 1.3692988092273580531e-1, 1.48753612908506148525e-2, 7.868691311456132591e-4,
    1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
  ],
];
