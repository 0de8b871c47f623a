import { refuse } from '../../bindings/errors.ts';
import { exp, ln, softplus } from '../../bindings/js/math.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import { crossing } from '../math/concave.ts';
import { lnBeta } from '../math/gamma.ts';
import { normalQuantile, twoSidedP } from '../math/normal.ts';
import { between, finite, flag, type Interval, type SequentialTest, stateOf, whole } from './check.ts';
import { type FixedHorizon, mixture } from './meanDifference.ts';
import { logMean } from './meanTest.ts';
import { type ShareTest, type ShareTestState, shareTest } from './shareTest.ts';

/**
 * How rates are compared. `exact`: false alarms are at most alpha for any number of rows, however rare the outcome; needs the `share` by which rows are assigned
 * to the treatment. `mixture`: the mixture sequential probability ratio test of normal means, asymptotic; `tau` is the standard deviation of the differences one
 * expects, `least` the rows an arm must have before it says anything, default 100.
 */
export type RateDifferenceOptions =
  | { readonly method?: 'exact'; readonly share: number; readonly alpha?: number }
  | { readonly method: 'mixture'; readonly tau: number; readonly least?: number; readonly alpha?: number };

/** Rows of an arm, and those with the outcome. */
export type ArmCounts = readonly [rows: number, outcomes: number];

/** What `RateDifference.toJSON` returns; `rateDifference` takes it. */
export interface RateDifferenceState {
  readonly kind: 'rateDifference';
  readonly alpha: number;
  readonly method: 'exact' | 'mixture';
  readonly tau?: number;
  readonly least?: number;
  /** tests of where outcomes and where their absence come from; exact alone */
  readonly tests?: readonly [outcome: ShareTestState, absence: ShareTestState];
  readonly control: ArmCounts;
  readonly treatment: ArmCounts;
  /** the greatest log of the e-value so far */
  readonly peak: number;
}

/** A rate with its confidence sequence. */
export interface Rate extends Interval {
  readonly rows: number;
  readonly outcomes: number;
  /** null without rows */
  readonly rate: number | null;
}

/**
 * A sequential comparison of the rates of an outcome in two arms; made by `rateDifference`. Its size does not grow, and it can be merged.
 * @example
 * const rates = rateDifference({ share: 0.5 });
 * rates.addCounts({ control: [1000, 10], treatment: [1000, 50] });
 * rates.difference; // 0.04
 * rates.isRejected; // true
 */
export class RateDifference implements SequentialTest {
  readonly alpha: number;
  readonly method: 'exact' | 'mixture';
  readonly #tau: number = 0;
  readonly #least: number = 0;
  readonly #tests: readonly [ShareTest, ShareTest] | null = null;
  readonly #control: [number, number];
  readonly #treatment: [number, number];
  #peak = 0;

  /** @internal */
  constructor(options: RateDifferenceOptions | RateDifferenceState) {
    const state = stateOf<RateDifferenceState>('rateDifference', options);
    const known = { alpha: true, method: true } as const;
    const saved = { kind: true, control: true, treatment: true, peak: true } as const;
    const own = (
      options?.method === 'mixture' ? { tau: true, least: true } : state ? { tests: true } : { share: true }
    ) as Record<string, true>;
    refuseUnknown('rateDifference', options, state ? { ...known, ...saved, ...own } : { ...known, ...own });
    this.alpha = between('alpha', options.alpha ?? 0.05, 0, 1);
    if (options.method === 'mixture') {
      this.#tau = between('tau', options.tau, 0, Number.POSITIVE_INFINITY);
      this.#least = whole('least', options.least ?? 100, 1);
    } else {
      if (options.method !== undefined && options.method !== 'exact')
        refuse('ERR_RANGE', 'method', 'exact or mixture', String(options.method), 'leave it out for exact');
      const { alpha } = this;
      if (state && state.tests?.length !== 2)
        refuse('ERR_FORMAT', 'tests', 'two states of share tests', typeof state.tests, 'save it again');
      this.#tests = state?.tests
        ? [shareTest(state.tests[0]), shareTest(state.tests[1])]
        : ([0, 1].map(() =>
            shareTest({ alpha, share: (options as { share: number }).share, alternative: 'two-sided' }),
          ) as unknown as [ShareTest, ShareTest]);
    }
    this.method = this.#tests ? 'exact' : 'mixture';
    this.#control = countsOf(state?.control ?? [0, 0]);
    this.#treatment = countsOf(state?.treatment ?? [0, 0]);
    if (state) this.#peak = Math.max(0, finite('peak', state.peak));
  }

  /** the control's rate; its interval holds at alpha/2 with `exact`, and is that of Wilson, for one look, with `mixture` */
  get control(): Rate {
    return this.#rate(this.#control);
  }

  /** the treatment's rate, as `control` */
  get treatment(): Rate {
    return this.#rate(this.#treatment);
  }

  /** treatment − control; null before both have rows */
  get difference(): number | null {
    const [n0, k0] = this.#control;
    const [n1, k1] = this.#treatment;
    return n0 && n1 ? k1 / n1 - k0 / n0 : null;
  }

  /**
   * Confidence sequence of the difference of the rates. `exact`: the treatment's interval less the control's, each at alpha/2, so it may contain 0 when the test
   * rejects already. −1 to 1 as long as nothing can be said.
   */
  get interval(): Interval {
    if (this.#tests) {
      const [control, treatment] = [this.control, this.treatment];
      return { low: treatment.low - control.high, high: treatment.high - control.low };
    }
    const variance = this.#variance();
    if (!variance) return { low: -1, high: 1 };
    const { width } = mixture(0, (this.#tau * this.#tau) / variance, this.alpha);
    const half = width * Math.sqrt(variance);
    return { low: Math.max(-1, this.difference! - half), high: Math.min(1, this.difference! + half) };
  }

  /** Newcombe's interval and the z-test of equal rates, for one look whose time was planned; null before both have rows */
  get fixed(): FixedHorizon | null {
    const [n0, k0] = this.#control;
    const [n1, k1] = this.#treatment;
    const difference = this.difference;
    if (difference === null) return null;
    const [a, b] = [wilson(n0, k0, this.alpha), wilson(n1, k1, this.alpha)];
    const pooled = (k0 + k1) / (n0 + n1);
    const stdError = Math.sqrt(pooled * (1 - pooled) * (1 / n0 + 1 / n1));
    return {
      low: difference - Math.hypot(k1 / n1 - b.low, a.high - k0 / n0),
      high: difference + Math.hypot(b.high - k1 / n1, k0 / n0 - a.low),
      p: stdError > 0 ? twoSidedP(difference / stdError) : 1,
    };
  }

  /** log of the e-value that the rates are equal, in nats */
  get logE(): number {
    if (this.#tests) return logMean(this.#tests[0].logE, this.#tests[1].logE);
    const variance = this.#variance();
    return variance
      ? mixture(this.difference! / Math.sqrt(variance), (this.#tau * this.#tau) / variance, this.alpha).logE
      : 0;
  }

  /** the e-value, now; Infinity beyond exp(709) */
  get eValue(): number {
    return exp(this.logE);
  }

  /** always-valid p-value: 1 over the greatest e-value so far */
  get p(): number {
    return exp(-this.#peak);
  }

  /** whether the e-value has ever reached 1/alpha */
  get isRejected(): boolean {
    return this.#peak >= -ln(this.alpha);
  }

  /**
   * Counts one row. Cost with `exact`: some 200 exponentials a share, for a stretch of rows too; so with many rows use `addCounts`.
   * @param share  probability of the treatment when the row came, for `exact`; default that of the options
   * @throws ERR_RANGE anything but true or false, a share for `mixture`; nothing is counted then
   */
  add(isTreatment: boolean, hasOutcome: boolean, share?: number): void {
    const row: ArmCounts = [1, flag('hasOutcome', hasOutcome) ? 1 : 0];
    const none: ArmCounts = [0, 0];
    const counts = flag('isTreatment', isTreatment)
      ? { control: none, treatment: row }
      : { control: row, treatment: none };
    this.addCounts(counts, share);
  }

  /**
   * Counts the rows of both arms in a stretch of time, and looks once, at its end. Rows that came mixed must be given together: one arm's first would be a look
   * at an order that never was.
   * @param counts  [rows, outcomes] of each arm
   * @throws ERR_RANGE as `add`, and for counts that are no whole numbers or more outcomes than rows
   */
  addCounts(counts: { readonly control: ArmCounts; readonly treatment: ArmCounts }, share?: number): void {
    const [n0, k0] = countsOf(counts.control);
    const [n1, k1] = countsOf(counts.treatment);
    if (share !== undefined && !this.#tests)
      refuse('ERR_RANGE', 'share', 'none for method mixture', share, 'leave it out, or use method exact');
    this.#tests?.[0].addCounts({ champion: k0, challenger: k1 }, share);
    this.#tests?.[1].addCounts({ champion: n0 - k0, challenger: n1 - k1 }, share);
    this.#control[0] += n0;
    this.#control[1] += k0;
    this.#treatment[0] += n1;
    this.#treatment[1] += k1;
    this.#peak = Math.max(this.#peak, this.logE);
  }

  /**
   * Adds the rows of another, for example of another process. p and `isRejected` then start from the sum.
   * @throws ERR_RANGE when alpha or the method differ
   */
  merge(other: RateDifference | RateDifferenceState): void {
    const state = rateDifference('toJSON' in other ? other.toJSON() : other).toJSON();
    const same = state.alpha === this.alpha && state.method === this.method && (state.tau ?? 0) === this.#tau;
    if (!same) refuse('ERR_RANGE', 'merge', 'one alpha and method', 'others', 'merge comparisons of one kind');
    for (const [i, test] of (state.tests ?? []).entries()) this.#tests?.[i].merge(test);
    for (const [arm, [n, k]] of [
      [this.#control, state.control],
      [this.#treatment, state.treatment],
    ] as const) {
      arm[0] += n;
      arm[1] += k;
    }
    this.#peak = Math.max(0, this.logE);
  }

  /** The state, for `JSON.stringify` and `rateDifference`. */
  toJSON(): RateDifferenceState {
    return {
      kind: 'rateDifference',
      alpha: this.alpha,
      method: this.method,
      ...(this.#tests
        ? { tests: [this.#tests[0].toJSON(), this.#tests[1].toJSON()] as const }
        : { tau: this.#tau, least: this.#least }),
      control: [...this.#control],
      treatment: [...this.#treatment],
      peak: this.#peak,
    };
  }

  #rate([n, k]: readonly [number, number]): Rate {
    const interval = this.#tests ? rateSequence(n, k, this.alpha / 2) : wilson(n, k, this.alpha);
    return { rows: n, outcomes: k, rate: n ? k / n : null, ...interval };
  }

  /** of the difference of the rates; 0 as long as nothing can be said */
  #variance(): number {
    const [n0, k0] = this.#control;
    const [n1, k1] = this.#treatment;
    if (Math.min(n0, n1) < this.#least) return 0;
    return ((k0 / n0) * (1 - k0 / n0)) / n0 + ((k1 / n1) * (1 - k1 / n1)) / n1;
  }
}

function countsOf(of: unknown): [number, number] {
  const [n, k] = Array.isArray(of) ? of : [];
  whole('rows', n);
  return whole('outcomes', k) <= n
    ? [n, k]
    : refuse('ERR_RANGE', 'outcomes', `at most the rows, ${n}`, k, 'correct the counts');
}

/**
 * Exact confidence sequence of one rate: with probability 1 − alpha the rate is within for all n together.
 *   { p : B(1 + k, 1 + n − k) < p^k·(1 − p)^(n − k) / alpha },   the uniform mixture of Robbins
 */
function rateSequence(n: number, k: number, alpha: number): Interval {
  if (!n) return { low: 0, high: 1 };
  const least = lnBeta([1 + k, 1 + n - k]) + ln(alpha);
  // in u = log(p/(1 − p)), where it is concave
  const height = (u: number): number => k * u - n * softplus(u) - least;
  const far = 60 + ln(n);
  const peak = !k ? -far : k === n ? far : ln(k / (n - k));
  const rate = (u: number): number => 1 / (1 + exp(-u));
  return {
    low: k ? rate(crossing(height, peak, -1, Number.NEGATIVE_INFINITY)) : 0,
    high: k < n ? rate(crossing(height, peak, 1, Number.POSITIVE_INFINITY)) : 1,
  };
}

/** Wilson's score interval of a rate. @see Wilson, JASA 22, 1927 */
function wilson(n: number, k: number, alpha: number): Interval {
  if (!n) return { low: 0, high: 1 };
  const z = normalQuantile(1 - alpha / 2);
  const centre = (k + (z * z) / 2) / (n + z * z);
  const half = (z * Math.sqrt((k * (n - k)) / n + (z * z) / 4)) / (n + z * z);
  return { low: k ? Math.max(0, centre - half) : 0, high: k < n ? Math.min(1, centre + half) : 1 };
}

/**
 * Makes a comparison of the rates of an outcome in two arms of an experiment that may be looked at after every row.
 *
 *   exact     e = ½·e₁ + ½·e₂: two-sided `shareTest` of where the outcomes come from, and of where their absence comes from, at ρ = 1. The interval is that of
 *             the rates {p : B(1 + k, 1 + n − k) < p^k·(1 − p)^(n − k)·2/alpha}, treatment less control. False alarms are at most alpha, whatever the rows.
 *   mixture   e = √(V/(V + τ²))·exp(d²τ²/(2V(V + τ²))),   interval d ± √((V(V + τ²)/τ²)·(2·log(1/alpha) + log((V + τ²)/V))),   d: difference of the rates,
 *             V = p₁(1 − p₁)/n₁ + p₀(1 − p₀)/n₀. Asymptotic: it takes d as normal, so rare outcomes need many rows; it needs no share.
 *
 * Neither depends on the order of the rows, so counts of several processes can be added.
 * @param options  options of a new comparison, or the state that `toJSON` returned
 * @throws ERR_RANGE an option outside its range; ERR_FORMAT a state of another kind
 * @see Johari, Koomen, Pekelis, Walsh, Always valid inference: continuous monitoring of A/B tests, Operations Research 70(3), 2022 (mixture); Robbins 1970
 * (exact); Newcombe, Statistics in Medicine 17, 1998, method 10 (`fixed`)
 * @example
 * const rates = rateDifference({ method: 'mixture', tau: 0.02 });
 * rates.addCounts({ control: [1000, 100], treatment: [1000, 150] });
 * rates.difference; // 0.05
 * rates.interval.low; // 0.0014
 * rates.p; // 0.041
 */
export const rateDifference = (options: RateDifferenceOptions | RateDifferenceState): RateDifference =>
  new RateDifference(options);
