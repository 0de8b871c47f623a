import { refuse } from '../../bindings/errors.ts';
import { exp, expm1, ln, ln1p, sigmoid } from '../../bindings/js/math.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import { type Concave, crossing, logIntegral, peakOf } from '../math/concave.ts';
import {
  type Alternative,
  alternativeOf,
  between,
  finite,
  flag,
  type Interval,
  type SequentialTest,
  stateOf,
  whole,
} from './check.ts';

/** Distinct shares that a test keeps counts of. */
const MOST_SHARES = 100;
/** exp(±40) stands for 0 and infinity among ratios: what is beyond changes no digit of the likelihood. */
const FAR = 40;

/** Options of `shareTest`. */
export interface ShareTestOptions {
  /** probability of a false alarm, ever; default 0.05 */
  readonly alpha?: number;
  /** probability by which a request is assigned to the challenger, above 0 and below 1 */
  readonly share: number;
  /** ρ: the challenger's rate of events may be this many times the champion's; default 1 */
  readonly ratio?: number;
  /** default greater: reject when the challenger's rate is more than ρ times the champion's */
  readonly alternative?: Alternative;
}

/** What `ShareTest.toJSON` returns; `shareTest` takes it. */
export interface ShareTestState extends Required<ShareTestOptions> {
  readonly kind: 'shareTest';
  /** [share, events of the champion, events of the challenger] */
  readonly counts: readonly (readonly [share: number, champion: number, challenger: number])[];
  /** the greatest log of the e-value so far */
  readonly peak: number;
}

/**
 * A sequential test of the rates of an event under two models among which requests are randomised; made by `shareTest`.
 *
 * Its size does not grow with the events. What it says depends on the counts at each share, not on the order of events, so counts of several processes can
 * be merged.
 * @example
 * const test = shareTest({ alpha: 0.05, share: 0.5 });
 * test.addCounts({ champion: 2, challenger: 14 });
 * test.isRejected; // true
 * test.estimate; // 7
 */
export class ShareTest implements SequentialTest {
  readonly alpha: number;
  /** ρ of the hypothesis */
  readonly ratio: number;
  readonly alternative: Alternative;
  readonly #share: number;
  /** share → events of the champion and of the challenger */
  readonly #counts = new Map<number, [number, number]>();
  #logE = 0;
  #peak = 0;

  /** @internal */
  constructor(options: ShareTestOptions | ShareTestState) {
    const state = stateOf<ShareTestState>('shareTest', options);
    const known = { alpha: true, share: true, ratio: true, alternative: true } as const;
    refuseUnknown('shareTest', options, state ? { ...known, kind: true, counts: true, peak: true } : known);
    this.alpha = between('alpha', options.alpha ?? 0.05, 0, 1);
    this.#share = between('share', options.share, 0, 1);
    this.ratio = between('ratio', options.ratio ?? 1, 0, Number.POSITIVE_INFINITY);
    this.alternative = alternativeOf(options.alternative, 'greater');
    if (!state) return;
    if (!Array.isArray(state.counts)) refuse('ERR_FORMAT', 'counts', 'a list', typeof state.counts, 'save it again');
    for (const [share, champion, challenger] of state.counts) this.#count(share, champion, challenger);
    this.#update();
    this.#peak = Math.max(this.#peak, finite('peak', state.peak));
  }

  /** log of the e-value, in nats */
  get logE(): number {
    return this.#logE;
  }

  /** the e-value, now; Infinity beyond exp(709) */
  get eValue(): number {
    return exp(this.#logE);
  }

  /** always-valid p-value: 1 over the greatest e-value after any event or stretch */
  get p(): number {
    return exp(-this.#peak);
  }

  /** whether the e-value has reached 1/alpha after any event or stretch */
  get isRejected(): boolean {
    return this.#peak >= -ln(this.alpha);
  }

  /** number of events of both models */
  get events(): { readonly champion: number; readonly challenger: number } {
    let [champion, challenger] = [0, 0];
    for (const [a, b] of this.#counts.values()) {
      champion += a;
      challenger += b;
    }
    return { champion, challenger };
  }

  /** most likely ratio of the rates, challenger over champion: 0 or Infinity when one has all events, null without events */
  get estimate(): number | null {
    const { champion, challenger } = this.events;
    if (champion + challenger === 0) return null;
    if (challenger === 0) return 0;
    if (champion === 0) return Number.POSITIVE_INFINITY;
    const none = Number.NEGATIVE_INFINITY;
    return this.ratio * exp(peakOf(this.#likelihood(), none, Number.POSITIVE_INFINITY));
  }

  /**
   * Two-sided confidence sequence of the ratio of the rates, challenger over champion, whatever the alternative of the test: with probability 1 − alpha the
   * ratio is within at all times. 0 to Infinity without events.
   */
  get interval(): Interval {
    const { champion, challenger } = this.events;
    if (champion + challenger === 0) return { low: 0, high: Number.POSITIVE_INFINITY };
    const likelihood = this.#likelihood();
    const none = Number.NEGATIVE_INFINITY;
    const least = logMixture(likelihood, 'two-sided') + ln(this.alpha);
    const height = (u: number): number => likelihood.value(u) - least;
    const peak = !challenger ? -FAR : !champion ? FAR : peakOf(likelihood, none, Number.POSITIVE_INFINITY);
    return {
      low: challenger ? this.ratio * exp(crossing(height, peak, -1, none)) : 0,
      high: champion ? this.ratio * exp(crossing(height, peak, 1, Number.POSITIVE_INFINITY)) : Number.POSITIVE_INFINITY,
    };
  }

  /**
   * Counts one event.
   * @param isChallenger  whether the challenger answered the request
   * @param share  probability of the challenger when the request came; default that of the options
   * @throws ERR_RANGE a share that is not between 0 and 1, or more than 100 distinct shares; nothing is counted then
   */
  add(isChallenger: boolean, share: number = this.#share): void {
    flag('isChallenger', isChallenger);
    this.#count(share, isChallenger ? 0 : 1, isChallenger ? 1 : 0);
    this.#update();
  }

  /**
   * Counts the events of both models in a stretch of time, and looks once, at its end. Events that came mixed must be given together: one model's first would be a
   * look at an order that never was. A look costs some 200 exponentials a share, so a caller with many events a second counts them first.
   * @throws ERR_RANGE as `add`, and for counts that are no whole numbers
   */
  addCounts(counts: { readonly champion: number; readonly challenger: number }, share: number = this.#share): void {
    this.#count(share, counts.champion, counts.challenger);
    if (counts.champion + counts.challenger > 0) this.#update();
  }

  /**
   * Adds the counts of another test of the same hypothesis, for example of another process. p and `isRejected` then start from the e-value of the sum: only
   * the looks at the sum count from then on.
   * @throws ERR_RANGE when alpha, ratio or alternative differ
   */
  merge(other: ShareTest | ShareTestState): void {
    const { alpha, ratio, alternative, counts } = shareTest('toJSON' in other ? other.toJSON() : other).toJSON();
    if (alpha !== this.alpha || ratio !== this.ratio || alternative !== this.alternative) {
      const rule = `alpha ${this.alpha}, ratio ${this.ratio} and alternative ${this.alternative}`;
      refuse('ERR_RANGE', 'merge', rule, `${alpha}, ${ratio} and ${alternative}`, 'merge tests of one hypothesis');
    }
    for (const [share, champion, challenger] of counts) this.#count(share, champion, challenger);
    this.#peak = 0;
    this.#update();
  }

  /** The state, for `JSON.stringify` and `shareTest`. */
  toJSON(): ShareTestState {
    return {
      kind: 'shareTest',
      alpha: this.alpha,
      share: this.#share,
      ratio: this.ratio,
      alternative: this.alternative,
      counts: [...this.#counts].sort(([a], [b]) => a - b).map(([share, [a, b]]) => [share, a, b]),
      peak: this.#peak,
    };
  }

  #count(share: number, champion: number, challenger: number): void {
    between('share', share, 0, 1);
    whole('events of the champion', champion);
    whole('events of the challenger', challenger);
    const row = this.#counts.get(share);
    if (!row && this.#counts.size === MOST_SHARES) {
      const next = 'begin a new test, or round the shares before requests are assigned by them';
      refuse('ERR_RANGE', 'share', `at most ${MOST_SHARES} distinct shares`, share, next);
    }
    this.#counts.set(share, [(row?.[0] ?? 0) + champion, (row?.[1] ?? 0) + challenger]);
  }

  #update(): void {
    const { champion, challenger } = this.events;
    this.#logE = champion + challenger === 0 ? 0 : logMixture(this.#likelihood(), this.alternative);
    this.#peak = Math.max(this.#peak, this.#logE);
  }

  /** ℓ(u) of the counts, u = log(ratio/ρ), relative to u = 0 */
  #likelihood(): Concave {
    let challenger = 0;
    const shares = [...this.#counts.keys()].filter((share) => sum(this.#counts.get(share)!) > 0).sort((a, b) => a - b);
    const events = shares.map((share) => {
      const row = this.#counts.get(share)!;
      challenger += row[1];
      return sum(row);
    });
    const odds = shares.map((share) => (this.ratio * share) / (1 - share));
    const logits = odds.map(ln);
    const p0 = odds.map((one) => one / (1 + one));
    return {
      value(u) {
        // log(1 − p₀ + p₀·exp(u)), without loss where exp(u) is near 1 or 0
        const near = u > -1;
        const growth = near ? expm1(u) : exp(u);
        let total = challenger * u;
        for (let j = 0; j < events.length; j++)
          total -= events[j] * (near ? ln1p(p0[j] * growth) : ln1p(odds[j] * growth) - ln1p(odds[j]));
        return total;
      },
      slope(u) {
        let total = challenger;
        for (let j = 0; j < events.length; j++) total -= events[j] * sigmoid(u + logits[j]);
        return total;
      },
    };
  }
}

const sum = ([a, b]: readonly [number, number]): number => a + b;

/** log ∫ exp(ℓ(u))·π(u) du, π the logistic density on the side of the alternative */
function logMixture(likelihood: Concave, alternative: Alternative): number {
  const mixture: Concave = {
    value: (u) => likelihood.value(u) - Math.abs(u) - 2 * ln1p(exp(-Math.abs(u))),
    slope: (u) => likelihood.slope(u) + 1 - 2 * sigmoid(u),
  };
  const from = alternative === 'greater' ? 0 : Number.NEGATIVE_INFINITY;
  const to = alternative === 'less' ? 0 : Number.POSITIVE_INFINITY;
  return logIntegral(mixture, from, to) + (alternative === 'two-sided' ? 0 : Math.LN2);
}

/**
 * Makes a test of whether an event (an error, a slow answer, a wrong label) is more frequent under the challenger than ρ times its rate under the champion.
 * It may be looked at after every event, for ever: the probability that it ever rejects a true hypothesis is at most alpha.
 *
 *   H₀: r₁ ≤ ρ·r₀.   An event comes from the challenger with probability p(θ) = sθ/(sθ + 1 − s),   θ = r₁/r₀,   s its share of the requests
 *   e = ∫ Π p(θ)^x·(1 − p(θ))^(1−x) / [p(ρ)^x·(1 − p(ρ))^(1−x)] dπ(θ),   x = 1 for an event of the challenger,   log(θ/ρ) logistic, cut at ρ
 *
 * Only events are counted, not requests, so rare events and unequal shares cost nothing: the test is exact for any number of events, and the rates may change
 * with the time of day as long as their ratio keeps to the hypothesis. The mixture is a martingale (a supermartingale below ρ), by Ville's inequality
 * P(e ever ≥ 1/alpha) ≤ alpha. With ρ = 1 and s = ½ it is the mixture over a uniform probability above ½. The integral has a relative error below 1e-11.
 *
 * It holds when requests are randomised one by one. Under sticky assignment the keys are randomised: events of one key belong together, so count one event a
 * key. The share must be the probability of assignment, not the share that was seen.
 * @param options  options of a new test, or the state that `toJSON` returned
 * @throws ERR_RANGE an option outside its range; ERR_FORMAT a state of another kind
 * @see Ville 1939; Robbins, Annals of Mathematical Statistics 41(5), 1970; Howard, Ramdas, McAuliffe, Sekhon, Annals of Statistics 49(2), 2021; Lindon, Malek,
 * NeurIPS 2022 (canary releases)
 * @example
 * const test = shareTest({ alpha: 0.05, share: 0.5 });
 * test.add(true);
 * test.eValue; // 1.5
 * test.add(false);
 * test.eValue; // 0.6667
 * test.p; // 0.6667
 * test.isRejected; // false
 */
export const shareTest = (options: ShareTestOptions | ShareTestState): ShareTest => new ShareTest(options);
