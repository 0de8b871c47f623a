import { LogoddsError, refuse } from '../../bindings/errors.ts';
import { exp, ln } from '../../bindings/js/math.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import { chiSquareTail } from '../math/chiSquare.ts';
import { lnBeta } from '../math/gamma.ts';
import { show } from '../messages.ts';
import { between, whole } from './check.ts';

/** Options of `sampleRatioMismatch`. */
export interface SampleRatioOptions {
  /** probability of a false alarm, ever; default 0.01 */
  readonly alpha?: number;
  /** how strongly the mixture keeps to the shares, in rows: greater sees small mismatches earlier and large ones later; default 100 */
  readonly concentration?: number;
}

/** The result of `sampleRatioMismatch`. */
export interface SampleRatio {
  /** Pearson's statistic, its degrees of freedom and p-value: for one look whose time was planned */
  readonly chi2: number;
  readonly df: number;
  readonly fixedP: number;
  /** log of the e-value, in nats */
  readonly logE: number;
  /** 1 over the e-value, at most 1: the probability that it is ever at most alpha is at most alpha, so look as often as you like */
  readonly p: number;
  /** whether p is at most alpha */
  readonly isMismatch: boolean;
}

/**
 * Tests whether arms have the numbers of rows that their shares say. Where they have not, assignment or logging is broken and no comparison of the arms can be
 * trusted.
 *
 *   χ² = Σ (nᵢ − n·θᵢ)²/(n·θᵢ)        e = B(k·θ + n)/(B(k·θ)·Π θᵢ^nᵢ),   B: constant of the Dirichlet distribution, k the concentration
 *
 * The second is exact for any number of rows and may be looked at after every row, from counts alone. Shares must not have changed: test each step of a rollout on
 * its own. Under sticky assignment count keys, not requests.
 * @param counts  rows of each arm
 * @param shares  θ, probability of each arm, above 0; they add up to 1
 * @throws ERR_SHAPE other lengths, or fewer than two arms; ERR_RANGE a count that is no whole number, shares that do not add up to 1
 * @see Lindon, Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022
 * @example
 * const found = sampleRatioMismatch([5300, 4700], [0.5, 0.5]);
 * found.chi2; // 36
 * found.fixedP; // 1.97e-9
 * found.p; // 0.00000018
 * found.isMismatch; // true
 */
export function sampleRatioMismatch(
  counts: readonly number[],
  shares: readonly number[],
  options: SampleRatioOptions = {},
): SampleRatio {
  refuseUnknown('sampleRatioMismatch', options, { alpha: true, concentration: true });
  const alpha = between('alpha', options.alpha ?? 0.01, 0, 1);
  const k = between('concentration', options.concentration ?? 100, 0, Number.POSITIVE_INFINITY);
  if (!(counts?.length >= 2 && counts.length === shares?.length)) {
    const got = `${show(counts?.length)} and ${show(shares?.length)}`;
    throw new LogoddsError('ERR_SHAPE', `counts, shares: expected one of each for two arms or more, got ${got}`);
  }
  for (const count of counts) whole('counts', count);
  const total = shares.reduce((sum, share) => sum + between('shares', share, 0, 1), 0);
  if (Math.abs(total - 1) > 1e-9) refuse('ERR_RANGE', 'shares', 'a sum of 1', total, 'divide each by their sum');
  const n = counts.reduce((sum, count) => sum + count, 0);
  let chi2 = 0;
  let logE = lnBeta(counts.map((count, i) => k * shares[i] + count)) - lnBeta(shares.map((share) => k * share));
  counts.forEach((count, i) => {
    if (n > 0) chi2 += (count - n * shares[i]) ** 2 / (n * shares[i]);
    logE -= count * ln(shares[i]);
  });
  const df = counts.length - 1;
  const p = Math.min(1, exp(-logE));
  return { chi2, df, fixedP: chiSquareTail(chi2, df), logE, p, isMismatch: p <= alpha };
}
