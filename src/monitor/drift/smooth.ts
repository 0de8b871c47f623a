import { chiSquareTail } from '../../math/chiSquare.ts';

/** What a smooth test found. */
export interface Smooth {
  /** χ², of location and of spread */
  readonly chi2: number;
  /** components that these counts allow: 0 to 2 */
  readonly df: number;
  readonly p: number;
}

/**
 * Tests whether two samples on the same ordered bins differ in location or in spread: the first two components of Neyman's smooth test.
 *
 *   χ² = nm/(n + m)·Σⱼ (mean of hⱼ over the current rows − its mean over the reference rows)²,   j = 1, 2
 *
 * h₁ and h₂ are the first two polynomials of the mid-rank of a bin that are orthonormal over the rows of both sides, so that ties need no correction. h₁ alone is
 * the test of Wilcoxon. It has more power than Kolmogorov-Smirnov against shifts and changes of spread, and little against others.
 * @param reference  counts by bin, of one row or more
 * @param current    likewise
 * @see Neyman, "Smooth" test for goodness of fit, 1937; Rayner, Best, Thas, Smooth tests of goodness of fit, 2009
 */
export function smoothTest(reference: ArrayLike<number>, current: ArrayLike<number>): Smooth {
  let [n, m] = [0, 0];
  for (let k = 0; k < reference.length; k++) {
    n += reference[k];
    m += current[k];
  }
  const all = n + m;
  const rank = new Float64Array(reference.length);
  let before = 0;
  for (let k = 0; k < rank.length; k++) {
    const both = reference[k] + current[k];
    rank[k] = (before + both / 2) / all - 0.5;
    before += both;
  }
  const mean = (of: (k: number) => number, counts: (k: number) => number, total: number): number => {
    let sum = 0;
    for (let k = 0; k < rank.length; k++) sum += counts(k) * of(k);
    return sum / total;
  };
  const overBoth = (of: (k: number) => number): number => mean(of, (k) => reference[k] + current[k], all);
  let [chi2, df] = [0, 0];
  const add = (of: (k: number) => number, variance: number) => {
    // as many different bins as components are needed
    if (!(variance > 1e-12)) return;
    const apart = mean(of, (k) => current[k], m) - mean(of, (k) => reference[k], n);
    chi2 += ((n / all) * m * apart * apart) / variance;
    df++;
  };
  // the mean mid-rank is 0
  const variance = overBoth((k) => rank[k] * rank[k]);
  add((k) => rank[k], variance);
  const skew = variance > 0 ? overBoth((k) => rank[k] ** 3) / variance : 0;
  const square = (k: number): number => rank[k] * rank[k] - variance - skew * rank[k];
  add(
    square,
    overBoth((k) => square(k) ** 2),
  );
  return { chi2, df, p: df > 0 ? chiSquareTail(chi2, df) : 1 };
}
