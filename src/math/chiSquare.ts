import { twoSidedP } from './normal.ts';

/** The 95 % point of a chi-square distribution with one degree of freedom: Φ⁻¹(0.975)². */
export const CHI_SQUARE_95 = 3.841458820694124;

/** A likelihood-ratio test. Rounding may leave the statistic just below 0; p is null without degrees of freedom. */
export function chiSquareTest(chi2: number, df: number): { chi2: number; df: number; p: number | null } {
  const value = Math.max(0, chi2);
  return { chi2: value, df, p: df > 0 ? chiSquareTail(value, df) : null };
}

/** Sums are rescaled to stay below this. */
const LARGE = 1e250;

/**
 * P(χ² ≥ x) = Γ(df/2, x/2)/Γ(df/2), the upper tail of the chi-square distribution.
 *
 *   Q(a + 1, y) = Q(a, y) + yᵃ·exp(−y)/Γ(a + 1),   Q(1, y) = exp(−y),   Q(½, y) = 2·(1 − Φ(√(2y)))
 *
 * upward from a = 1 or ½: all terms are positive, so nothing cancels. Time grows with df. Relative error below 1e-12 down to 1e-290 (against
 * mpmath), 0 below 1e-300.
 *
 * @param x   ≥ 0
 * @param df  whole, ≥ 1
 * @see Abramowitz and Stegun 26.4.4, 26.4.5
 * @example
 * chiSquareTail(3.841458820694124, 1); // 0.05
 */
export function chiSquareTail(x: number, df: number): number {
  if (!(x > 0)) return Number.isNaN(x) ? x : 1;
  const y = x / 2;
  const odd = df % 2 === 1;
  // the factor of exp(−y): terms and their sum, in units of exp(shift)
  let a = odd ? 0.5 : 1;
  let term = odd ? 2 * Math.sqrt(y / Math.PI) : y;
  let sum = odd ? 0 : 1;
  let shift = -y;
  for (; a < df / 2; a++) {
    sum += term;
    term *= y / (a + 1);
    if (sum > LARGE) {
      sum /= LARGE;
      term /= LARGE;
      shift += Math.log(LARGE);
    }
  }
  // in two halves, because exp(shift) alone may underflow
  const half = Math.exp(shift / 2);
  const tail = half * sum * half + (odd ? twoSidedP(Math.sqrt(x)) : 0);
  return Math.min(1, tail);
}
