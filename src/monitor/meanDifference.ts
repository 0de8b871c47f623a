import { refuse } from '../../bindings/errors.ts';
import { exp, ln } from '../../bindings/js/math.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import { normalQuantile, twoSidedP } from '../math/normal.ts';
import { between, finite, flag, type Interval, type SequentialTest, stateOf, whole } from './check.ts';
import { Moments, slopeOf } from './moments.ts';

/** Options of `meanDifference`. */
export interface MeanDifferenceOptions {
  /** probability that the difference is ever outside, as rows grow; default 0.05 */
  readonly alpha?: number;
  /** number of rows, of both arms, for which the sequence is narrowest; default 10000 */
  readonly tightestAt?: number;
  /** rows that each arm must have before the interval is finite, at least 2; default 100 */
  readonly least?: number;
}

/** What `MeanDifference.toJSON` returns; `meanDifference` takes it. */
export interface MeanDifferenceState extends Required<MeanDifferenceOptions> {
  readonly kind: 'meanDifference';
  /** whether rows have a covariate; null before the first row */
  readonly covariate: boolean | null;
  /** rows, mean of y, mean of x, Σ(y − ȳ)², Σ(x − x̄)², Σ(x − x̄)(y − ȳ) */
  readonly control: readonly number[];
  readonly treatment: readonly number[];
  /** the greatest log of the e-value so far */
  readonly peak: number;
}

/** An interval and a p-value for a single look whose time was planned. */
export interface FixedHorizon extends Interval {
  readonly p: number;
}

/** The difference of two means. */
export interface DifferenceEstimate {
  readonly control: number;
  readonly treatment: number;
  /** treatment − control */
  readonly difference: number;
  readonly stdError: number;
  /** of the confidence sequence */
  readonly interval: Interval;
  /** normal interval and test for one look */
  readonly fixed: FixedHorizon;
  /** log of the asymptotic e-value that the means are equal */
  readonly logE: number;
}

/** The difference adjusted by a covariate. */
export interface AdjustedEstimate extends DifferenceEstimate {
  /** slope of the values on the covariate */
  readonly theta: number;
  /** share of the variance that the covariate removes */
  readonly removed: number;
}

/**
 * A confidence sequence of the difference of two means; made by `meanDifference`. Its size does not grow, and it can be merged.
 * @example
 * const difference = meanDifference();
 * for (let i = 0; i < 4000; i++) difference.add(i % 2 === 1, (i % 7) + (i % 2));
 * difference.estimate?.difference; // 1
 * difference.isRejected; // true
 */
export class MeanDifference implements SequentialTest {
  readonly alpha: number;
  readonly #tightestAt: number;
  readonly #least: number;
  #covariate: boolean | null = null;
  readonly #control: Moments;
  readonly #treatment: Moments;
  #peak = 0;

  /** @internal */
  constructor(options: MeanDifferenceOptions | MeanDifferenceState) {
    const state = stateOf<MeanDifferenceState>('meanDifference', options);
    const known = { alpha: true, tightestAt: true, least: true } as const;
    const saved = { ...known, kind: true, covariate: true, control: true, treatment: true, peak: true } as const;
    refuseUnknown('meanDifference', options, state ? saved : known);
    this.alpha = between('alpha', options.alpha ?? 0.05, 0, 1);
    this.#tightestAt = between('tightestAt', options.tightestAt ?? 10_000, 0, Number.POSITIVE_INFINITY);
    this.#least = whole('least', options.least ?? 100, 2);
    this.#control = state ? Moments.from(state.control) : new Moments();
    this.#treatment = state ? Moments.from(state.treatment) : new Moments();
    if (!state) return;
    this.#covariate = state.covariate === null ? null : flag('covariate', state.covariate);
    this.#peak = Math.max(0, finite('peak', state.peak));
  }

  /** number of rows of both arms */
  get rows(): { readonly control: number; readonly treatment: number } {
    return { control: this.#control.n, treatment: this.#treatment.n };
  }

  /** the difference without adjustment; null before both arms have `least` rows and the values vary */
  get estimate(): DifferenceEstimate | null {
    return this.#estimate(0);
  }

  /** the difference adjusted by the covariate; null as `estimate`, and without covariates */
  get adjusted(): AdjustedEstimate | null {
    const slope = slopeOf([this.#control, this.#treatment]);
    const found = this.#covariate ? this.#estimate(slope.theta) : null;
    return found && { ...found, ...slope };
  }

  /** of the adjusted difference with covariates, else of the plain one: log of the e-value that there is no difference */
  get logE(): number {
    return (this.adjusted ?? this.estimate)?.logE ?? 0;
  }

  /** the e-value, now; Infinity beyond exp(709) */
  get eValue(): number {
    return exp(this.logE);
  }

  /** 1 over the greatest e-value so far; asymptotically always valid */
  get p(): number {
    return exp(-this.#peak);
  }

  /** whether the e-value has ever reached 1/alpha */
  get isRejected(): boolean {
    return this.#peak >= -ln(this.alpha);
  }

  /**
   * @param covariate  known before the assignment; on every row or on none
   * @throws ERR_RANGE a number that is not finite, or a row with another idea of covariates than the first; nothing is counted then
   */
  add(isTreatment: boolean, value: number, covariate?: number): void {
    flag('isTreatment', isTreatment);
    finite('value', value);
    const has = covariate !== undefined;
    if (has) finite('covariate', covariate);
    if (this.#covariate !== null && this.#covariate !== has) {
      const rule = `${this.#covariate ? 'a covariate' : 'none'}, as on the first row`;
      refuse('ERR_RANGE', 'covariate', rule, has ? 'one' : 'none', 'give it for every row or for none');
    }
    this.#covariate = has;
    (isTreatment ? this.#treatment : this.#control).add(value, covariate ?? 0);
    this.#peak = Math.max(this.#peak, this.logE);
  }

  /**
   * Adds the rows of another, for example of another process. p and `isRejected` then start from the sum.
   * @throws ERR_RANGE when one has covariates and the other has none
   */
  merge(other: MeanDifference | MeanDifferenceState): void {
    const state = meanDifference('toJSON' in other ? other.toJSON() : other).toJSON();
    if (state.covariate !== null && this.#covariate !== null && state.covariate !== this.#covariate)
      refuse('ERR_RANGE', 'merge', 'covariates in both or in neither', 'one of them', 'give them for all rows or none');
    this.#covariate ??= state.covariate;
    this.#control.merge(Moments.from(state.control));
    this.#treatment.merge(Moments.from(state.treatment));
    this.#peak = Math.max(0, this.logE);
  }

  /** The state, for `JSON.stringify` and `meanDifference`. */
  toJSON(): MeanDifferenceState {
    return {
      kind: 'meanDifference',
      alpha: this.alpha,
      tightestAt: this.#tightestAt,
      least: this.#least,
      covariate: this.#covariate,
      control: this.#control.toJSON(),
      treatment: this.#treatment.toJSON(),
      peak: this.#peak,
    };
  }

  #estimate(theta: number): DifferenceEstimate | null {
    const arms = [this.#control, this.#treatment] as const;
    const [a, b] = arms;
    if (Math.min(a.n, b.n) < this.#least) return null;
    const [varianceA, varianceB] = arms.map(
      ({ n, yy, xy, xx }) => Math.max(0, yy - 2 * theta * xy + theta * theta * xx) / (n - 1) / n,
    );
    const stdError = Math.sqrt(varianceA + varianceB);
    if (!(stdError > 0)) return null;
    const n = a.n + b.n;
    const x = (a.x * a.n + b.x * b.n) / n;
    const [control, treatment] = arms.map((arm) => arm.y - theta * (arm.x - x));
    const difference = b.y - a.y - theta * (b.x - a.x);
    const half = normalQuantile(1 - this.alpha / 2) * stdError;
    const { logE, width } = asymptotic(difference / stdError, n, this.alpha, this.#tightestAt);
    return {
      control,
      treatment,
      difference,
      stdError,
      interval: { low: difference - width * stdError, high: difference + width * stdError },
      fixed: { low: difference - half, high: difference + half, p: twoSidedP(difference / stdError) },
      logE,
    };
  }
}

/**
 * The mixture of normal likelihood ratios: log of its e-value for z = difference / standard error, and half the width of its sequence in standard errors.
 *   e = exp(z²/2 · r/(1 + r))/√(1 + r),   width = √((1 + r)/r · (log(1 + r) + 2·log(1/alpha))),   r = n·ρ²
 */
function asymptotic(z: number, n: number, alpha: number, tightestAt: number): { logE: number; width: number } {
  const level = -2 * ln(alpha);
  return mixture(z, (n / tightestAt) * (level + ln(level + 1)), alpha);
}

/** As above, for a ratio r of the variance of the mixture to that of the estimate. */
export function mixture(z: number, r: number, alpha: number): { logE: number; width: number } {
  return {
    logE: ((z * z) / 2) * (r / (1 + r)) - ln(1 + r) / 2,
    width: Math.sqrt(((1 + r) / r) * (ln(1 + r) - 2 * ln(alpha))),
  };
}

/**
 * Makes a confidence sequence of the difference of the means of two arms, with or without a covariate that takes variance away (CUPED).
 *
 *   d ± s·√((1 + r)/r · (log(1 + r) + 2·log(1/alpha))),   r = n·ρ²,   ρ² = (2·log(1/alpha) + log(1 + 2·log(1/alpha)))/tightestAt
 *
 * d: difference of means, s: its standard error, n: rows of both arms. Asymptotic: the false alarms tend to at most alpha over all looks, as `least` grows; they are
 * not bounded for few rows. For 0 and 1, and for rare outcomes, `rateDifference` has an exact form. With a covariate d and s are those of y − θ·(x − x̄), θ pooled
 * over the arms at each look; p and `isRejected` then speak of the adjusted difference.
 * @param options  options of a new sequence, or the state that `toJSON` returned
 * @throws ERR_RANGE an option outside its range; ERR_FORMAT a state of another kind
 * @see Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, Annals of Statistics 52(6), 2024; Deng,
 * Xu, Kohavi, Walker, WSDM 2013
 * @example
 * const difference = meanDifference({ alpha: 0.05, tightestAt: 2000 });
 * for (let i = 0; i < 2000; i++) difference.add(i % 2 === 1, i % 5 === 0 ? 1 : 0, i % 3);
 * difference.estimate?.difference; // 0
 * difference.adjusted?.removed; // 0.0000
 * difference.isRejected; // false
 */
export const meanDifference = (options: MeanDifferenceOptions | MeanDifferenceState = {}): MeanDifference =>
  new MeanDifference(options);
