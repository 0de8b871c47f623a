import { sigmoid } from '../../../bindings/js/math.ts';
import { surprise } from '../../metrics/forms.ts';
import type { WatchedFigure } from '../change/performanceWatch.ts';
import type { Interval } from '../check.ts';
import { meanSequence } from '../meanSequence.ts';
import type { PerformanceHistogram } from '../performance/histogram.ts';
import type { Measured } from './changes.ts';

/** What is known of the mean of a figure, however often it is looked at. */
export interface WatchSequence {
  readonly figure: WatchedFigure;
  /** labelled rows that it is of */
  readonly count: number;
  /** log losses of more than 4 nats, which count as 4 */
  readonly clipped: number;
  /** after the newest window; null: no row is of this figure */
  readonly mean: number | null;
  /** has the mean at all times together, of all figures, with probability 0.95 */
  readonly interval: Interval;
  /** the same after each window, the earliest first */
  readonly course: readonly ({ readonly from: number; readonly mean: number } & Interval)[];
}

/** Probability that any of the intervals ever misses its mean. */
const ALPHA = 0.05;
/** Log losses above it are clipped, in nats. */
const GREATEST_LOSS = 4;

type Values = readonly (readonly [value: number, count: number])[];
type Figures = Readonly<Record<WatchedFigure, readonly [low: number, of: (labelled: PerformanceHistogram) => Values]>>;

/** Values of the rows of a window by its bins of scores. */
const byBin =
  (value: (p: number, y: 0 | 1) => number) =>
  ({ cells }: PerformanceHistogram): Values =>
    cells.flatMap(({ logit, negative, positive }) => {
      const p = sigmoid(logit);
      // what cannot be is lost at any price
      const of = (y: 0 | 1): number => Math.min(Number.MAX_VALUE, value(p, y));
      return [[of(0), negative] as const, [of(1), positive] as const];
    });

const shareOf = (hits: number, misses: number): Values => [
  [1, hits],
  [0, misses],
];

/** Of each figure the least value, and those of the rows. A function, so that a bundler can drop it. */
const figures = (): Figures => ({
  logLoss: [0, byBin((p, y) => (y ? surprise(p, 1 - p) : surprise(1 - p, p)))],
  brier: [0, byBin((p, y) => (p - y) ** 2)],
  calibration: [-1, byBin((p, y) => y - p)],
  precision: [0, ({ decided: [, , fp, tp] }) => shareOf(tp, fp)],
  recall: [0, ({ decided: [, fn, , tp] }) => shareOf(tp, fn)],
  fpr: [0, ({ decided: [tn, , fp] }) => shareOf(fp, tn)],
});

/**
 * Confidence sequences over the labelled rows of ripe windows, which come one after the other, each as a block whose order does not matter. They begin with the first
 * window that is kept, and with bins of an eighth in log-odds for the rows, whose mean logit stands for theirs.
 * @param hasTwo  whether there are two classes: with more recall and false positive rate say nothing
 */
export function sequencesOf(measured: readonly Measured[], hasTwo: boolean): WatchSequence[] {
  const all = Object.entries(figures()) as [WatchedFigure, Figures[WatchedFigure]][];
  const wanted = all.filter(([figure]) => hasTwo || !['recall', 'fpr'].includes(figure));
  return wanted.map(([figure, [low, of]]): WatchSequence => {
    const high = figure === 'logLoss' ? GREATEST_LOSS : 1;
    const sequence = meanSequence({ alpha: ALPHA / wanted.length, low, high, clip: true });
    const course = measured.flatMap(({ from, labelled }) => {
      sequence.addBlock(of(labelled));
      return sequence.mean === null ? [] : [{ from, mean: sequence.mean, ...sequence.interval }];
    });
    const { count, clipped, mean, interval } = sequence;
    return { figure, count, clipped, mean, interval, course };
  });
}
