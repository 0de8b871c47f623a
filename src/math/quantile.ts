/**
 * The quantile of a share of sorted numbers: linear between the two nearest, at share·(n − 1). R's type 7, numpy's default.
 * @param sorted  rising; NaN when empty
 * @param share  0 to 1
 */
export function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const whole = Math.floor(at);
  return sorted[whole] + (at - whole) * ((sorted[whole + 1] ?? sorted[whole]) - sorted[whole]);
}
