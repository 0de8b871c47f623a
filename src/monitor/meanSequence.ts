import { refuse } from '../../bindings/errors.ts';
import { ln, ln1p } from '../../bindings/js/math.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import { type Alternative, alternativeOf, between, finite, type Interval, stateOf, whole } from './check.ts';

/** Bets are at most half of what could lose everything. */
export const TRUNCATION = 0.5;

/** The range of values and what becomes of values outside. */
export interface Bounds {
  /** least value; default 0 */
  readonly low?: number;
  /** greatest value; default 1 */
  readonly high?: number;
  /** whether a value outside is set to the nearest end and counted; else it is refused, the default */
  readonly clip?: boolean;
}

/** Options of `meanSequence`. */
export interface MeanSequenceOptions extends Bounds {
  /** probability that the mean is ever outside; default 0.05 */
  readonly alpha?: number;
  /** default two-sided; greater has a lower end only, less an upper end only, at alpha instead of alpha/2 */
  readonly alternative?: Alternative;
}

/** What `MeanSequence.toJSON` returns; `meanSequence` takes it. */
export interface MeanSequenceState extends Required<MeanSequenceOptions> {
  readonly kind: 'meanSequence';
  readonly count: number;
  readonly clipped: number;
  /** Σ x, Σ (x − μ̂)², Σ λ, Σ λx, Σ vψ, of values scaled to [0, 1] */
  readonly sums: readonly [sum: number, squares: number, bets: number, staked: number, variance: number];
}

/** Values scaled to [0, 1], and those outside. */
export class Scale {
  readonly low: number;
  readonly high: number;
  readonly clip: boolean;
  clipped = 0;

  constructor({ low = 0, high = 1, clip = false }: Bounds) {
    this.low = finite('low', low);
    this.high = finite('high', high);
    if (!(low < high))
      refuse('ERR_RANGE', 'low', `a number below high, ${high}`, low, 'correct the range of the values');
    this.clip = clip;
  }

  /** @throws ERR_RANGE a value that is no finite number, or that is outside and not to be clipped */
  of(value: number): number {
    finite('value', value);
    if (value >= this.low && value <= this.high) return (value - this.low) / (this.high - this.low);
    if (!this.clip) {
      const next = 'give the range that the values have, or clip: true';
      refuse('ERR_RANGE', 'value', `a number from ${this.low} to ${this.high}`, value, next);
    }
    this.clipped++;
    return value < this.low ? 0 : 1;
  }

  back(share: number): number {
    return this.low + share * (this.high - this.low);
  }
}

/** Mean and variance of the values before the next one, drawn to ½ and ¼ by one value that was made up. */
export class Regularised {
  count = 0;
  sum = 0;
  squares = 0;

  get mean(): number {
    return (0.5 + this.sum) / (this.count + 1);
  }

  get variance(): number {
    return (0.25 + this.squares) / (this.count + 1);
  }

  add(x: number): void {
    this.count++;
    this.sum += x;
    this.squares += (x - this.mean) ** 2;
  }

  /** Values whose order is not known. */
  addAll(values: readonly (readonly [x: number, count: number])[]): void {
    for (const [x, count] of values) {
      this.count += count;
      this.sum += count * x;
    }
    const { mean } = this;
    for (const [x, count] of values) this.squares += count * (x - mean) ** 2;
  }
}

/**
 * A confidence sequence of the mean of bounded values; made by `meanSequence`. Its size does not grow.
 * @example
 * const sequence = meanSequence({ low: -1, high: 1 });
 * for (let i = 0; i < 1000; i++) sequence.add(i % 2 ? 0.3 : 0.1);
 * sequence.interval.low; // 0.183
 */
export class MeanSequence {
  readonly alpha: number;
  readonly alternative: Alternative;
  readonly #scale: Scale;
  readonly #seen = new Regularised();
  #bets = 0;
  #staked = 0;
  #variance = 0;

  /** @internal */
  constructor(options: MeanSequenceOptions | MeanSequenceState) {
    const state = stateOf<MeanSequenceState>('meanSequence', options);
    const known = { alpha: true, low: true, high: true, clip: 'true or false', alternative: true } as const;
    const saved = { ...known, kind: true, count: true, clipped: true, sums: true } as const;
    refuseUnknown('meanSequence', options, state ? saved : known);
    this.alpha = between('alpha', options.alpha ?? 0.05, 0, 1);
    this.alternative = alternativeOf(options.alternative, 'two-sided');
    this.#scale = new Scale(options);
    if (!state) return;
    this.#seen.count = whole('count', state.count);
    this.#scale.clipped = whole('clipped', state.clipped);
    const sums = numbers(state.sums, 5);
    [this.#seen.sum, this.#seen.squares, this.#bets, this.#staked, this.#variance] = sums;
    if (!(sums[1] >= 0 && (sums[2] > 0 || !this.count)))
      refuse('ERR_FORMAT', 'state', 'sums of squares and bets that are not negative', 'others', 'save it again');
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

  /** within `low` and `high` of the options; the whole range without values */
  get interval(): Interval {
    const { low, high } = this.#scale;
    if (!this.count) return { low, high };
    const sides = this.alternative === 'two-sided' ? 2 : 1;
    const centre = this.#staked / this.#bets;
    const half = (ln(sides / this.alpha) + this.#variance) / this.#bets;
    return {
      low: this.alternative === 'less' ? low : this.#scale.back(Math.max(0, centre - half)),
      high: this.alternative === 'greater' ? high : this.#scale.back(Math.min(1, centre + half)),
    };
  }

  /** @throws ERR_RANGE a value that is no finite number, or outside the range without `clip`; nothing is counted then */
  add(value: number): void {
    const x = this.#scale.of(value);
    const before = this.#seen;
    const bet = this.#betOn(before.count + 1);
    this.#bets += bet;
    this.#staked += bet * x;
    // vψ with v = 4(x − μ̂)² and ψ = (−log(1 − λ) − λ)/4
    this.#variance += (x - before.mean) ** 2 * (-ln1p(-bet) - bet);
    before.add(x);
  }

  /**
   * Adds many values at once, whose order is not known: all of them are bet on alike, by what was known before them and by how many they are. The interval holds as
   * that of `add` where nobody sees the values before their number is fixed; it is a little wider.
   * @param values  distinct values, and how often each occurs
   * @throws ERR_RANGE as `add`, a count that is no whole number; nothing is counted then
   * @example
   * const sequence = meanSequence();
   * sequence.addBlock([[0, 450], [1, 50]]);
   * sequence.addBlock([[0, 455], [1, 45]]);
   * sequence.mean; // 0.095
   * sequence.interval.high < 0.2; // true
   */
  addBlock(values: readonly (readonly [value: number, count: number])[]): void {
    const { clipped } = this.#scale;
    let added = 0;
    const scaled = values.map(([value, count]) => {
      const before = this.#scale.clipped;
      try {
        const x = this.#scale.of(value);
        // each of them was clipped
        if (this.#scale.clipped > before) this.#scale.clipped = before + whole('count', count);
        added += whole('count', count);
        return [x, count] as const;
      } catch (error) {
        this.#scale.clipped = clipped;
        throw error;
      }
    });
    if (added === 0) return;
    const before = this.#seen;
    const { mean } = before;
    const bet = this.#betOn(before.count + added);
    this.#bets += added * bet;
    const loss = -ln1p(-bet) - bet;
    for (const [x, count] of scaled) {
      this.#staked += count * bet * x;
      this.#variance += count * (x - mean) ** 2 * loss;
    }
    before.addAll(scaled);
  }

  /** @param t  number of the last of the values that are bet on */
  #betOn(t: number): number {
    const sides = this.alternative === 'two-sided' ? 2 : 1;
    return Math.min(TRUNCATION, Math.sqrt((2 * ln(sides / this.alpha)) / (this.#seen.variance * t * ln1p(t))));
  }

  /** The state, for `JSON.stringify` and `meanSequence`. */
  toJSON(): MeanSequenceState {
    const { low, high, clip, clipped } = this.#scale;
    const { count, sum, squares } = this.#seen;
    const sums = [sum, squares, this.#bets, this.#staked, this.#variance] as const;
    const { alpha, alternative } = this;
    return { kind: 'meanSequence', alpha, low, high, clip, alternative, count, clipped, sums };
  }
}

/** A list of so many finite numbers of a state. @throws ERR_FORMAT, ERR_RANGE */
export function numbers(list: unknown, length: number): number[] {
  if (Array.isArray(list) && list.length === length) return list.map((one) => finite('state', one));
  return refuse('ERR_FORMAT', 'state', `a list of ${length} numbers`, typeof list, 'save it again');
}

/**
 * Makes a confidence sequence of the mean of bounded values: intervals that all contain the mean together, after every value, with probability 1 − alpha.
 *
 *   Σ λᵢxᵢ / Σ λᵢ  ±  (log(2/alpha) + Σ (xᵢ − μ̂ᵢ₋₁)²·(−log(1 − λᵢ) − λᵢ)) / Σ λᵢ,     λₜ = √(2·log(2/alpha) / (σ̂²ₜ₋₁·t·log(1 + t))), at most ½
 *
 * with x scaled to [0, 1], μ̂ and σ̂² of the values before, together with one value that was made up of mean ½ and variance ¼. Its width follows the variance
 * of the values, not their range. Values need the same mean given those before, nothing else: no independence, no distribution. Use it for paired differences
 * (log loss or Brier score of challenger and champion on the same row), for disagreement of probabilities, for labels.
 *
 * Log loss has no bound: clip its difference, for example to ±4 nats, and the sequence is one of the mean of clipped differences; `clipped` counts them.
 *
 * The bets depend on the order, so states cannot be merged. With R processes give each alpha/R: all their intervals hold together.
 * @param options  options of a new sequence, or the state that `toJSON` returned
 * @throws ERR_RANGE an option outside its range; ERR_FORMAT a state of another kind
 * @see Waudby-Smith, Ramdas, Estimating means of bounded random variables by betting, JRSS B 86(1), 2024, theorem 2 (predictable plug-in empirical Bernstein)
 * @example
 * const sequence = meanSequence({ alpha: 0.05, low: 0, high: 1 });
 * for (let i = 0; i < 500; i++) sequence.add(i % 10 === 0 ? 1 : 0);
 * sequence.mean; // 0.1
 * sequence.interval.low; // 0.05
 * sequence.interval.high; // 0.15
 */
export const meanSequence = (options: MeanSequenceOptions | MeanSequenceState = {}): MeanSequence =>
  new MeanSequence(options);
