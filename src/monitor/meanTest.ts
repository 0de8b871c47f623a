import { refuse } from '../../bindings/errors.ts';
import { exp, ln, ln1p } from '../../bindings/js/math.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import { type Alternative, alternativeOf, between, type SequentialTest, stateOf, whole } from './check.ts';
import { type Bounds, numbers, Regularised, Scale, TRUNCATION } from './meanSequence.ts';

/** Options of `meanTest`. */
export interface MeanTestOptions extends Bounds {
  /** probability of a false alarm, ever; default 0.05 */
  readonly alpha?: number;
  /** the mean of the hypothesis, between `low` and `high` */
  readonly mean: number;
  /** default greater: reject when the mean is greater */
  readonly alternative?: Alternative;
}

/** What `MeanTest.toJSON` returns; `meanTest` takes it. */
export interface MeanTestState extends Required<MeanTestOptions> {
  readonly kind: 'meanTest';
  readonly count: number;
  readonly clipped: number;
  /** Σ x, Σ (x − μ̂)², log capital of bets on more, of bets on less, the greatest log of the e-value */
  readonly sums: readonly [sum: number, squares: number, more: number, less: number, peak: number];
}

/**
 * A sequential test of the mean of bounded values; made by `meanTest`. Its size does not grow.
 * @example
 * const test = meanTest({ mean: 0.5 });
 * for (let i = 0; i < 20; i++) test.add(0.9);
 * test.isRejected; // true
 */
export class MeanTest implements SequentialTest {
  readonly alpha: number;
  /** the mean of the hypothesis */
  readonly nullMean: number;
  readonly alternative: Alternative;
  readonly #scale: Scale;
  readonly #m: number;
  readonly #seen = new Regularised();
  #more = 0;
  #less = 0;
  #peak = 0;

  /** @internal */
  constructor(options: MeanTestOptions | MeanTestState) {
    const state = stateOf<MeanTestState>('meanTest', options);
    const known = { alpha: true, low: true, high: true, clip: 'true or false', mean: true, alternative: true } as const;
    const saved = { ...known, kind: true, count: true, clipped: true, sums: true } as const;
    refuseUnknown('meanTest', options, state ? saved : known);
    this.alpha = between('alpha', options.alpha ?? 0.05, 0, 1);
    this.alternative = alternativeOf(options.alternative, 'greater');
    this.#scale = new Scale(options);
    this.nullMean = between('mean', options.mean, this.#scale.low, this.#scale.high);
    this.#m = (this.nullMean - this.#scale.low) / (this.#scale.high - this.#scale.low);
    if (!state) return;
    this.#seen.count = whole('count', state.count);
    this.#scale.clipped = whole('clipped', state.clipped);
    [this.#seen.sum, this.#seen.squares, this.#more, this.#less, this.#peak] = numbers(state.sums, 5);
    if (!(this.#seen.squares >= 0 && this.#peak >= 0))
      refuse('ERR_FORMAT', 'state', 'sums that are not negative', 'others', 'save it again');
  }

  /** number of values */
  get count(): number {
    return this.#seen.count;
  }

  /** how many values were outside and set to an end */
  get clipped(): number {
    return this.#scale.clipped;
  }

  /** mean of the values, clipped ones as they were counted; null without values */
  get mean(): number | null {
    return this.count ? this.#scale.back(this.#seen.sum / this.count) : null;
  }

  /** log of the e-value, in nats */
  get logE(): number {
    if (this.alternative === 'greater') return this.#more;
    if (this.alternative === 'less') return this.#less;
    return logMean(this.#more, this.#less);
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

  /** @throws ERR_RANGE a value that is no finite number, or outside the range without `clip`; nothing is counted then */
  add(value: number): void {
    const x = this.#scale.of(value);
    const away = this.#seen.mean - this.#m;
    const bet = away / (this.#seen.variance + away * away);
    if (bet > 0) this.#more += ln1p(Math.min(bet, TRUNCATION / this.#m) * (x - this.#m));
    else this.#less += ln1p(Math.max(bet, -TRUNCATION / (1 - this.#m)) * (x - this.#m));
    this.#seen.add(x);
    this.#peak = Math.max(this.#peak, this.logE);
  }

  /** The state, for `JSON.stringify` and `meanTest`. */
  toJSON(): MeanTestState {
    const { low, high, clip, clipped } = this.#scale;
    const { count, sum, squares } = this.#seen;
    const sums = [sum, squares, this.#more, this.#less, this.#peak] as const;
    const { alpha, alternative, nullMean: mean } = this;
    return { kind: 'meanTest', alpha, low, high, clip, mean, alternative, count, clipped, sums };
  }
}

/** log((exp(a) + exp(b))/2) */
export const logMean = (a: number, b: number): number => Math.max(a, b) + ln1p(exp(-Math.abs(a - b))) - Math.LN2;

/**
 * Makes a test of whether the mean of bounded values is more than m. It may be looked at after every value, for ever: the probability that it ever rejects a
 * true hypothesis is at most alpha.
 *
 *   H₀: mean ≤ m.   e = Π (1 + λᵢ(xᵢ − m)),   λₜ = (μ̂ₜ₋₁ − m)/(σ̂²ₜ₋₁ + (μ̂ₜ₋₁ − m)²), at least 0, at most ½/m
 *
 * with x and m scaled to [0, 1] and μ̂ and σ̂² as in `meanSequence`: the capital of a player who bets on a greater mean as the values before advise. Two-sided:
 * the mean of the capitals of two players. It sees a difference earlier than `meanSequence`, because it looks at one mean only.
 *
 * The bets depend on the order, so states cannot be merged; but capitals multiply: Σ `logE` of several processes is the log of an e-value of their common
 * hypothesis (one-sided alternatives), to be compared with log(1/alpha).
 * @param options  options of a new test, or the state that `toJSON` returned
 * @throws ERR_RANGE an option outside its range; ERR_FORMAT a state of another kind
 * @see Waudby-Smith, Ramdas, JRSS B 86(1), 2024 (hedged capital, approximate GRAPA bets)
 * @example
 * const test = meanTest({ mean: 0, low: -1, high: 1 });
 * for (let i = 0; i < 200; i++) test.add(i % 2 ? 0.4 : -0.2);
 * test.isRejected; // true
 * test.p < 0.001; // true
 */
export const meanTest = (options: MeanTestOptions | MeanTestState): MeanTest => new MeanTest(options);
