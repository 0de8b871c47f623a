import { refuse } from '../../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import { surprise } from '../../metrics/forms.ts';
import { between, finite, type Interval } from '../check.ts';
import { type MeanSequence, meanSequence } from '../meanSequence.ts';
import { type Change, type ChangeTest, changeTest } from './changeTest.ts';

/** Figures that are means of a bounded value of some rows. */
export type WatchedFigure = 'logLoss' | 'brier' | 'calibration' | 'precision' | 'recall' | 'fpr';

/** Options of `performanceWatch`. */
export interface PerformanceWatchOptions {
  /** probability that any of the intervals ever misses its mean; default 0.05 for all six together */
  readonly alpha?: number;
  /** mean number of rows until a false alarm of any test of change, at least; default 10,000 for all of them together */
  readonly runLength?: number;
  /** the mean of each figure before a change, or an interval that has it; default: calibration 0, the others are not tested */
  readonly reference?: { readonly [figure in WatchedFigure]?: number | Interval };
  /** log losses above it are clipped and counted, in nats; default 4 */
  readonly greatestLoss?: number;
}

/** What is known of a figure now. */
export interface WatchedState {
  readonly count: number;
  readonly mean: number | null;
  /** has the mean at all times together, with probability 1 − alpha/6 */
  readonly interval: Interval;
  /** values clipped */
  readonly clipped: number;
  /** null: none was found, or the figure has no reference */
  readonly change: Change | null;
  /** whether changes are looked for */
  readonly isTested: boolean;
}

type Value = (p: number, y: number, called: number, greatest: number) => number | null;

/** Of each figure the range of its values, and the value of a row; null: the row is none of its. */
const FIGURES: Readonly<Record<WatchedFigure, readonly [low: number, value: Value]>> = {
  logLoss: [0, (p, y) => (y ? surprise(p, 1 - p) : surprise(1 - p, p))],
  brier: [0, (p, y) => (p - y) ** 2],
  calibration: [-1, (p, y) => y - p],
  precision: [0, (_, y, called) => (called ? y : null)],
  recall: [0, (_, y, called) => (y ? called : null)],
  fpr: [0, (_, y, called) => (y ? null : called)],
};
const NAMES = /* @__PURE__ */ Object.keys(FIGURES) as WatchedFigure[];

type Parts = Readonly<Record<WatchedFigure, { readonly sequence: MeanSequence; readonly test: ChangeTest | null }>>;

/**
 * Watches figures of labelled rows one by one; made by `performanceWatch`. Its size does not grow.
 * @example
 * const watch = performanceWatch();
 * for (let i = 0; i < 400; i++) watch.add({ probability: 0.25, y: i % 4 === 0 ? 1 : 0, called: 0 });
 * watch.figures.calibration.change; // null
 * for (let i = 0; i < 200; i++) watch.add({ probability: 0.25, y: i % 2, called: 0 });
 * watch.figures.calibration.change.direction; // 'greater'
 */
export class PerformanceWatch {
  readonly #greatestLoss: number;
  readonly #parts: Parts;

  /** @internal */
  constructor(options: PerformanceWatchOptions) {
    refuseUnknown('performanceWatch', options, {
      alpha: true,
      runLength: true,
      reference: 'an object',
      greatestLoss: true,
    });
    const alpha = between('alpha', options.alpha ?? 0.05, 0, 1) / NAMES.length;
    const reference = { calibration: 0, ...options.reference };
    refuseUnknown('reference', reference, Object.fromEntries(NAMES.map((name) => [name, true as const])));
    this.#greatestLoss = between('greatestLoss', options.greatestLoss ?? 4, 0, 1000);
    const tested = NAMES.filter((name) => reference[name] !== undefined);
    const runLength = finite('runLength', options.runLength ?? 10_000) * tested.length;
    const part = (name: WatchedFigure) => {
      const bounds = { low: FIGURES[name][0], high: name === 'logLoss' ? this.#greatestLoss : 1, clip: true };
      const mean = reference[name];
      return {
        sequence: meanSequence({ alpha, ...bounds }),
        test: mean === undefined ? null : changeTest({ mean, runLength, ...bounds }),
      };
    };
    this.#parts = Object.fromEntries(NAMES.map((name) => [name, part(name)])) as Parts;
  }

  /**
   * @param row  probability of the positive class, its label y, 0 or 1, what it was called, 1 or 0, and its time, if changes are to have one
   * @returns the figures whose change this row showed
   * @throws ERR_RANGE a value outside its range; nothing is counted then
   */
  add(row: {
    readonly probability: number;
    readonly y: number;
    readonly called: number;
    readonly at?: number;
  }): WatchedFigure[] {
    const { probability, y, called, at } = row;
    if (!(typeof probability === 'number' && probability >= 0 && probability <= 1))
      refuse('ERR_RANGE', 'probability', 'a number from 0 to 1', tell(probability), 'correct it');
    for (const [what, value] of [
      ['y', y],
      ['called', called],
    ] as const)
      if (value !== 0 && value !== 1) refuse('ERR_RANGE', what, '0 or 1', tell(value), 'give 1 for positive');
    if (at !== undefined) finite('at', at);
    return NAMES.filter((name) => {
      const value = FIGURES[name][1](probability, y, called, this.#greatestLoss);
      if (value === null) return false;
      // what cannot be is lost at any price
      const bounded = value === Number.POSITIVE_INFINITY ? Number.MAX_VALUE : value;
      const { sequence, test } = this.#parts[name];
      sequence.add(bounded);
      return test?.add(bounded, at ?? null) ?? false;
    });
  }

  /** What is known of each figure now. */
  get figures(): Readonly<Record<WatchedFigure, WatchedState>> {
    const of = (name: WatchedFigure): WatchedState => {
      const { sequence, test } = this.#parts[name];
      const { count, mean, interval, clipped } = sequence;
      return { count, mean, interval, clipped, change: test?.change ?? null, isTested: test !== null };
    };
    return Object.fromEntries(NAMES.map((name) => [name, of(name)])) as Record<WatchedFigure, WatchedState>;
  }
}

/**
 * Makes a watch of figures that may be looked at after every labelled row: confidence sequences (`meanSequence`) of log loss, Brier score, calibration (y − p),
 * precision, recall and false positive rate, and tests of change (`changeTest`) of those whose mean before is known. Calibration is always tested against 0.
 *
 * All intervals hold at all times together with probability 1 − alpha, and all tests together have a mean of at least `runLength` rows until a false alarm.
 *
 * Give rows in the order of their scores, and only when their window is ripe: rows whose labels come first are not like the others.
 * @throws ERR_RANGE an option outside its range
 * @example
 * const watch = performanceWatch({ reference: { brier: { low: 0.1, high: 0.2 } } });
 * watch.add({ probability: 0.9, y: 1, called: 1 });
 * watch.figures.precision.mean; // 1
 * watch.figures.fpr.mean; // null
 */
export const performanceWatch = (options: PerformanceWatchOptions = {}): PerformanceWatch =>
  new PerformanceWatch(options);
