import { refuse } from '../../../bindings/errors.ts';
import { exp, ln, ln1p } from '../../../bindings/js/math.ts';
import { refuseUnknown } from '../../../bindings/names.ts';
import { type Alternative, alternativeOf, finite, type Interval, stateOf, whole } from '../check.ts';
import { type Bounds, numbers, Scale } from '../meanSequence.ts';

/** Options of `changeTest`. */
export interface ChangeTestOptions extends Bounds {
  /** the mean before a change, or an interval that has it: a reference whose mean is known so well */
  readonly mean: number | Interval;
  /** mean number of values from one false alarm to the next, at least; default 10,000 */
  readonly runLength?: number;
  /** direction of the change; default two-sided */
  readonly alternative?: Alternative;
}

/** What `ChangeTest.toJSON` returns; `changeTest` takes it. */
export interface ChangeTestState extends Bounds {
  readonly kind: 'changeTest';
  readonly mean: number | Interval;
  readonly runLength: number;
  readonly alternative: Alternative;
  readonly count: number;
  readonly clipped: number;
  /** of each bet: its log, the value after which it began, the sum of the values since, and the time of the first of them */
  readonly bets: readonly (readonly [log: number, start: number, sum: number, startAt: number | null])[];
  readonly sum: number;
  readonly alarm: Change | null;
}

/** A change that was found. */
export interface Change {
  /** the values that had been taken when it was found */
  readonly found: number;
  /** the estimated last value before the change, from 1; 0: the first value was after it */
  readonly since: number;
  /** times that were given with the value that found it, and with the first value after it; null: there were none */
  readonly foundAt: number | null;
  readonly sinceAt: number | null;
  readonly direction: 'greater' | 'less';
  /** means of the values before and after the change; null without such values */
  readonly before: number | null;
  readonly after: number;
}

/** Bets as parts of what could lose everything: from 1/2 down to 1/1024. */
const PARTS = /* @__PURE__ */ Array.from({ length: 10 }, (_, k) => 2 ** -(k + 1));

/** The capital of a player who bets the same part on each value, and begins anew whenever he would be better off so. */
interface Player {
  readonly bet: number;
  readonly mean: number;
  readonly direction: 'greater' | 'less';
  log: number;
  start: number;
  sum: number;
  startAt: number | null;
}

/**
 * Watches the mean of bounded values for a change; made by `changeTest`. Its size does not grow.
 * @example
 * const test = changeTest({ mean: 0.2, alternative: 'greater' });
 * for (let i = 0; i < 500; i++) test.add(i % 5 === 0 ? 1 : 0);
 * for (let i = 0; i < 100; i++) test.add(i % 5 < 3 ? 1 : 0);
 * test.change.since; // 500
 */
export class ChangeTest {
  readonly mean: number | Interval;
  readonly runLength: number;
  readonly alternative: Alternative;
  readonly #scale: Scale;
  readonly #players: Player[];
  #count = 0;
  #sum = 0;
  #change: Change | null = null;

  /** @internal */
  constructor(options: ChangeTestOptions | ChangeTestState) {
    const state = stateOf<ChangeTestState>('changeTest', options);
    const known = {
      mean: true,
      low: true,
      high: true,
      clip: 'true or false',
      runLength: true,
      alternative: true,
    } as const;
    const saved = { ...known, kind: true, count: true, clipped: true, bets: true, sum: true, alarm: true } as const;
    refuseUnknown('changeTest', options, state ? saved : known);
    this.runLength = finite('runLength', options.runLength ?? 10_000);
    if (!(this.runLength >= 2))
      refuse('ERR_RANGE', 'runLength', 'a number of values from 2', this.runLength, 'correct it');
    this.alternative = alternativeOf(options.alternative, 'two-sided');
    this.#scale = new Scale(options);
    this.mean = options.mean;
    const { low, high } =
      typeof options.mean === 'object' && options.mean !== null
        ? options.mean
        : { low: options.mean, high: options.mean };
    const range = this.#scale.high - this.#scale.low;
    const within = (what: string, value: unknown): number => {
      const share = (finite(what, value) - this.#scale.low) / range;
      if (!(share > 0 && share < 1)) {
        const rule = `a number above ${this.#scale.low} and below ${this.#scale.high}`;
        refuse('ERR_RANGE', what, rule, value as number, 'give the mean of a reference, and the range of the values');
      }
      return share;
    };
    const [least, most] = [within('mean', low), within('mean', high)];
    if (least > most)
      refuse('ERR_RANGE', 'mean', 'an interval whose low is at most its high', `${low} and ${high}`, 'turn them');
    const sides = (['greater', 'less'] as const).filter(
      (side) => this.alternative === side || this.alternative === 'two-sided',
    );
    this.#players = sides.flatMap((direction) =>
      PARTS.map((part) => ({
        bet: direction === 'greater' ? part / most : -part / (1 - least),
        mean: direction === 'greater' ? most : least,
        direction,
        log: 0,
        start: 0,
        sum: 0,
        startAt: null,
      })),
    );
    if (!state) return;
    this.#count = whole('count', state.count);
    this.#scale.clipped = whole('clipped', state.clipped);
    this.#sum = finite('sum', state.sum);
    this.#change = state.alarm;
    if (state.bets?.length !== this.#players.length)
      refuse('ERR_FORMAT', 'state', `${this.#players.length} bets`, state.bets?.length, 'save it again');
    this.#players.forEach((player, k) => {
      [player.log, player.start, player.sum] = numbers(state.bets[k].slice(0, 3), 3);
      player.startAt = state.bets[k][3];
    });
  }

  /** number of values */
  get count(): number {
    return this.#count;
  }

  /** how many values were outside and set to an end */
  get clipped(): number {
    return this.#scale.clipped;
  }

  /** log of the evidence of a change, in nats; an alarm at log(runLength) */
  get logE(): number {
    const most = Math.max(...this.#players.map(({ log }) => log));
    const sum = this.#players.reduce((total, { log }) => total + exp(log - most), 0);
    return most + ln(sum / this.#players.length);
  }

  /** the first change that was found; stays until `restart` */
  get change(): Change | null {
    return this.#change;
  }

  /** the value after which a change would have begun, from 0, if there was one: the best guess now, alarm or not */
  get suspect(): number {
    return this.#leader.start;
  }

  /**
   * @param at  its time, for `foundAt` and `sinceAt`; default none
   * @returns whether this value gave an alarm: the first since the start
   * @throws ERR_RANGE a value that is no finite number, or outside the range without `clip`; nothing is counted then
   */
  add(value: number, at: number | null = null): boolean {
    if (at !== null) finite('at', at);
    const x = this.#scale.of(value);
    for (const player of this.#players) {
      this.#begin(player, at);
      player.log += ln1p(player.bet * (x - player.mean));
      player.sum += x;
    }
    this.#count++;
    this.#sum += x;
    return this.#look(at);
  }

  /** A capital below what it began with is worth less than a new one. */
  #begin(player: Player, at: number | null): void {
    if (player.log > 0) return;
    player.log = 0;
    player.start = this.#count;
    player.sum = 0;
    player.startAt = at;
  }

  /** Whether the change is found now. */
  #look(at: number | null): boolean {
    const wanted = ln(this.runLength);
    // a mean is no greater than its greatest part, which takes no exponential
    if (this.#change || this.#leader.log < wanted || this.logE < wanted) return false;
    const { start, sum, direction, startAt } = this.#leader;
    this.#change = {
      found: this.#count,
      since: start,
      foundAt: at,
      sinceAt: startAt,
      direction,
      before: start > 0 ? this.#scale.back((this.#sum - sum) / start) : null,
      after: this.#scale.back(sum / (this.#count - start)),
    };
    return true;
  }

  /**
   * Adds many values at once, whose order is not known. A change is then placed before one of the blocks, and found at the end of one: as if the test were looked at
   * there only, so false alarms are no more than of `add`.
   * @param values  distinct values, and how often each occurs
   * @returns whether this block gave an alarm: the first since the start
   * @throws ERR_RANGE as `add`, a count that is no whole number; nothing is counted then
   * @example
   * const test = changeTest({ mean: 0.5, runLength: 1000 });
   * test.addBlock([[0, 100], [1, 100]]);
   * test.addBlock([[0, 60], [1, 140]]);
   * test.change.since; // 200
   */
  addBlock(values: readonly (readonly [value: number, count: number])[], at: number | null = null): boolean {
    if (at !== null) finite('at', at);
    const { clipped } = this.#scale;
    const scaled = values.map(([value, count]) => [finite('value', value), whole('count', count)] as const);
    let [count, total] = [0, 0];
    const xs = scaled.map(([value, times]) => {
      const before = this.#scale.clipped;
      let x: number;
      try {
        x = this.#scale.of(value);
      } catch (error) {
        this.#scale.clipped = clipped;
        throw error;
      }
      // each of them was clipped
      if (this.#scale.clipped > before) this.#scale.clipped = before + times;
      count += times;
      total += x * times;
      return x;
    });
    for (const player of this.#players) {
      this.#begin(player, at);
      for (let k = 0; k < xs.length; k++)
        if (scaled[k][1] > 0) player.log += scaled[k][1] * ln1p(player.bet * (xs[k] - player.mean));
      player.sum += total;
    }
    this.#count += count;
    this.#sum += total;
    return this.#look(at);
  }

  /** Forgets all values, and a change that was found: to go on after it was looked at. */
  restart(): void {
    this.#count = 0;
    this.#sum = 0;
    this.#change = null;
    this.#scale.clipped = 0;
    for (const player of this.#players) Object.assign(player, { log: 0, start: 0, sum: 0, startAt: null });
  }

  /** The state, for `JSON.stringify` and `changeTest`. */
  toJSON(): ChangeTestState {
    const { low, high, clip, clipped } = this.#scale;
    const { mean, runLength, alternative } = this;
    const bets = this.#players.map(({ log, start, sum, startAt }) => [log, start, sum, startAt] as const);
    return {
      kind: 'changeTest',
      mean,
      low,
      high,
      clip,
      runLength,
      alternative,
      count: this.#count,
      clipped,
      bets,
      sum: this.#sum,
      alarm: this.#change,
    };
  }

  get #leader(): Player {
    return this.#players.reduce((best, player) => (player.log > best.log ? player : best));
  }
}

/**
 * Makes a test of whether, and since when, the mean of bounded values has changed: a CUSUM whose false alarms are bounded for every distribution of the values.
 *
 *   Cₜ = max(Cₜ₋₁, 1)·(1 + λ(xₜ − m)),   alarm when the mean of C over the bets λ reaches the run length
 *
 * x and m are scaled to [0, 1]. There are ten bets λ for each direction, parts ½ to 1/1024 of what could lose everything, so large changes are seen at once and small
 * ones in time; no size of the change need be chosen. As long as each value has, given those before, a mean that is not beyond m, the mean number of values until an
 * alarm is at least `runLength`. Nothing else is needed: no independence, no distribution. The change is placed where the bet that has won most began.
 *
 * If the mean before is estimated, give an interval for it: the bound then holds if the interval has it. The order of the values matters: states cannot be merged.
 * @param options  options of a new test, or the state that `toJSON` returned
 * @throws ERR_RANGE an option outside its range; ERR_FORMAT a state of another kind
 * @see Shin, Ramdas, Rinaldo, E-detectors: a nonparametric framework for sequential change detection, NEJSDS 2, 2024; Page, Continuous inspection schemes, Biometrika 41, 1954
 * @example
 * const test = changeTest({ mean: 0.5, runLength: 1000 });
 * for (let i = 0; i < 200; i++) test.add(i % 2);
 * test.change; // null
 * for (let i = 0; i < 40; i++) test.add(i % 10 ? 1 : 0);
 * test.change.since >= 195 && test.change.since <= 202; // true
 * test.change.direction; // 'greater'
 */
export const changeTest = (options: ChangeTestOptions | ChangeTestState): ChangeTest => new ChangeTest(options);
