import { LogoddsError, refuse } from '../../../bindings/errors.ts';
import { ln, ln1p, sigmoid, softplus } from '../../../bindings/js/math.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import { calibrationError } from '../../metrics/bins.ts';
import { calibrationLine } from '../../metrics/calibrated.ts';
import { surprise } from '../../metrics/forms.ts';
import { aucInterval } from '../../metrics/interval.ts';
import { between, stateOf, whole } from '../check.ts';
import { ExactSum } from './exactSum.ts';
import { calibrationFloor } from './floor.ts';
import {
  atTop,
  costOf,
  nothing,
  type PerformanceOptions,
  type RealisedPerformance,
  ratesOf,
  settingsOf,
} from './measure.ts';
import { BINS, binOfLogit } from './scoreCounts.ts';

const CALIBRATION = 10;

/** Options of `performanceHistogram`. */
export interface PerformanceHistogramOptions {
  /** a row is called positive when its probability is above it; default 0.5 */
  readonly threshold?: number;
}

/** What `PerformanceHistogram.toJSON` returns; `performanceHistogram` takes it. */
export interface PerformanceHistogramState {
  readonly kind: 'performanceHistogram';
  readonly threshold: number;
  /** negative and positive rows called negative, then those called positive */
  readonly cells: readonly number[];
  /** rows whose probability of what happened was 0: they are in no sum of log loss */
  readonly infinite: number;
  /** bin of log-odds, its negative rows, its positive ones, the sum of the logits: only those with rows */
  readonly bins: readonly (readonly [
    bin: number,
    negative: number,
    positive: number,
    logits: readonly [number, number],
  ])[];
  /** of ten bins of probability: rows, positive ones, Σ p, Σ p(1 − p) */
  readonly calibration: readonly (readonly [
    rows: number,
    positive: number,
    predicted: readonly [number, number],
    variance: readonly [number, number],
  ])[];
  readonly logLoss: readonly [number, number];
  readonly brier: readonly [number, number];
}

/** Figures of a histogram, and how far those of bins may be from the figures of the rows themselves. */
export interface HistogramPerformance extends RealisedPerformance {
  /** the area of the rows themselves is within `auc.auc` ± this; null without an area */
  readonly aucError: number | null;
}

class Calibration {
  rows = 0;
  positive = 0;
  readonly predicted: ExactSum;
  readonly variance: ExactSum;

  constructor(state?: PerformanceHistogramState['calibration'][number]) {
    this.rows = whole('rows', state?.[0] ?? 0);
    this.positive = whole('positive', state?.[1] ?? 0);
    this.predicted = new ExactSum(state?.[2]);
    this.variance = new ExactSum(state?.[3]);
  }
}

/**
 * Counts scores and labels in bins, so that figures of any number of rows take the memory of a few hundred; made by `performanceHistogram`.
 * @example
 * const histogram = performanceHistogram();
 * for (const [p, y] of [[0.9, 1], [0.6, 0], [0.4, 1], [0.2, 0]]) histogram.add(p, y);
 * histogram.performance().auc.auc; // 0.75
 */
export class PerformanceHistogram {
  readonly threshold: number;
  readonly #cells: number[];
  #infinite: number;
  readonly #counts = [new Float64Array(BINS), new Float64Array(BINS)];
  readonly #logits = new Map<number, ExactSum>();
  readonly #calibration: Calibration[];
  readonly #logLoss: ExactSum;
  readonly #brier: ExactSum;

  /** @internal */
  constructor(options: PerformanceHistogramOptions | PerformanceHistogramState) {
    const state = stateOf<PerformanceHistogramState>('performanceHistogram', options);
    if (!state) refuseUnknown('performanceHistogram', options, { threshold: true });
    this.threshold = between('threshold', options.threshold ?? 0.5, -Number.MIN_VALUE, 1);
    if (state && !(state.cells?.length === 4 && state.calibration?.length === CALIBRATION && Array.isArray(state.bins)))
      throw new LogoddsError('ERR_FORMAT', 'state: expected one of a performanceHistogram, got another; save it again');
    this.#cells = [0, 1, 2, 3].map((k) => whole('cells', state?.cells[k] ?? 0));
    this.#infinite = whole('infinite', state?.infinite ?? 0);
    this.#calibration = Array.from({ length: CALIBRATION }, (_, k) => new Calibration(state?.calibration[k]));
    this.#logLoss = new ExactSum(state?.logLoss);
    this.#brier = new ExactSum(state?.brier);
    for (const [bin, negative, positive, logits] of state?.bins ?? []) {
      if (!(whole('bin', bin) < BINS))
        throw new LogoddsError('ERR_FORMAT', `state: expected bins below ${BINS}, got ${bin}; save it again`);
      this.#counts[0][bin] = whole('rows', negative);
      this.#counts[1][bin] = whole('rows', positive);
      this.#logits.set(bin, new ExactSum(logits));
    }
  }

  /** number of rows */
  get count(): number {
    return this.#cells.reduce((sum, count) => sum + count, 0);
  }

  /**
   * @param of  the probability of the positive class, or `{ logit }`, which is more exact
   * @param y  0 or 1
   * @param called  what the row was called, 0 or 1; default by the threshold
   * @throws ERR_RANGE a value outside its range; nothing is counted then
   */
  add(of: number | { readonly logit: number }, y: number, called?: number): void {
    const isLogit = typeof of === 'object' && of !== null;
    const value: unknown = isLogit ? of.logit : of;
    if (!(typeof value === 'number' && (isLogit ? !Number.isNaN(value) : value >= 0 && value <= 1)))
      refuse(
        'ERR_RANGE',
        isLogit ? 'logit' : 'probability',
        isLogit ? 'a number' : 'a number from 0 to 1',
        tell(value),
        'correct it',
      );
    if (y !== 0 && y !== 1) refuse('ERR_RANGE', 'y', '0 or 1', tell(y), 'give 1 for the positive class');
    if (called !== undefined && called !== 0 && called !== 1)
      refuse('ERR_RANGE', 'called', '0 or 1', tell(called), 'correct it');
    const p = isLogit ? sigmoid(value) : value;
    const logit = isLogit ? value : ln(p) - ln1p(-p);
    const loss = isLogit ? softplus(y ? -logit : logit) : y ? surprise(p, 1 - p) : surprise(1 - p, p);
    const wrong = isLogit ? sigmoid(y ? -logit : logit) : p - y;
    this.#cells[2 * (called ?? (p > this.threshold ? 1 : 0)) + y]++;
    if (loss === Number.POSITIVE_INFINITY) this.#infinite++;
    else this.#logLoss.add(loss);
    this.#brier.add(wrong * wrong);
    const bin = binOfLogit(logit);
    this.#counts[y][bin]++;
    let sum = this.#logits.get(bin);
    if (!sum) {
      sum = new ExactSum();
      this.#logits.set(bin, sum);
    }
    sum.add(Math.min(800, Math.max(-800, logit)));
    const table = this.#calibration[bandOf(p)];
    table.rows++;
    table.positive += y;
    table.predicted.add(p);
    table.variance.add(p * (1 - p));
  }

  /** @throws ERR_SHAPE when thresholds differ */
  merge(other: PerformanceHistogram): void {
    if (other.threshold !== this.threshold)
      throw new LogoddsError(
        'ERR_SHAPE',
        `threshold: expected ${this.threshold}, got ${other.threshold}; use the same on both`,
      );
    other.#cells.forEach((count, k) => {
      this.#cells[k] += count;
    });
    this.#infinite += other.#infinite;
    for (const y of [0, 1]) for (let bin = 0; bin < BINS; bin++) this.#counts[y][bin] += other.#counts[y][bin];
    for (const [bin, sum] of other.#logits) {
      const mine = this.#logits.get(bin) ?? new ExactSum();
      mine.merge(sum);
      this.#logits.set(bin, mine);
    }
    this.#calibration.forEach((table, k) => {
      const theirs = other.#calibration[k];
      table.rows += theirs.rows;
      table.positive += theirs.positive;
      table.predicted.merge(theirs.predicted);
      table.variance.merge(theirs.variance);
    });
    this.#logLoss.merge(other.#logLoss);
    this.#brier.merge(other.#brier);
  }

  /**
   * The figures of the rows. Exact (to 2⁻³³ a row): log loss, Brier score, calibration error in ten bins, all that follows from the four counts, cost. Of bins of an
   * eighth in log-odds: the area, whose error is stated; its interval; precision and recall among top rows; and intercept and slope, from the mean logit of each bin,
   * with errors of some 0.1 %.
   * @param options  as of `performanceOf`, without `threshold`, `called`, `weightKind` and other than ten `bins`, which are those of the rows
   * @throws ERR_RANGE an option outside its range
   */
  performance(
    options: Omit<PerformanceOptions, 'threshold' | 'called' | 'weightKind' | 'bins'> = {},
  ): HistogramPerformance {
    const { top, costs, level, replicates, seed } = settingsOf(options);
    const rows = this.count;
    if (rows === 0) return { ...nothing(top), aucError: null };
    const absent: { figure: string; why: string }[] = [];
    const or = <T>(figure: string, value: T | null, why: string): T | null => {
      if (value === null) absent.push({ figure, why });
      return value;
    };
    const used = [...this.#logits.keys()].sort((a, b) => a - b);
    const twice = used.flatMap((bin) => [bin, bin]);
    const y = twice.map((_, i) => i % 2);
    const weight = twice.map((bin, i) => this.#counts[i % 2][bin]);
    const logits = twice.map((bin) => this.#logits.get(bin)!.value / (this.#counts[0][bin] + this.#counts[1][bin]));
    const [negatives, positives] = [this.#cells[0] + this.#cells[2], this.#cells[1] + this.#cells[3]];
    const counted = { level, weightKind: 'count' } as const;
    const auc = aucInterval(twice, y, weight, counted);
    const tied = used.reduce((sum, bin) => sum + this.#counts[0][bin] * this.#counts[1][bin], 0);
    const line = calibrationLine({ logits }, y, weight, counted);
    const oneClass = 'all rows have one class';
    const predicted = this.#calibration.map((table) => table.predicted.value);
    const bins = this.#calibration.map(({ rows: own, positive }, k) => ({
      low: k / CALIBRATION,
      high: (k + 1) / CALIBRATION,
      weight: own,
      predicted: own > 0 ? predicted[k] / own : null,
      observed: own > 0 ? positive / own : null,
    }));
    const floors = this.#calibration.map(({ rows: own, variance }) => ({ weight: own, variance: variance.value }));
    const [trueNegatives, falseNegatives, falsePositives, truePositives] = this.#cells;
    const counts = { truePositives, falsePositives, falseNegatives, trueNegatives };
    const infinite = `${this.#infinite} ${this.#infinite === 1 ? 'row has' : 'rows have'} probability 0 of what happened`;
    return {
      rows,
      weight: rows,
      baseRate: positives / rows,
      meanProbability: predicted.reduce((sum, value) => sum + value, 0) / rows,
      logLoss: or('logLoss', this.#infinite > 0 ? null : this.#logLoss.value / rows, infinite),
      brier: this.#brier.value / rows,
      auc: or('auc', auc, positives && negatives ? 'a class has fewer than two rows' : oneClass),
      aucError: positives > 0 && negatives > 0 ? tied / positives / negatives / 2 : null,
      ece: calibrationError(bins),
      eceFloor:
        replicates === false ? null : calibrationFloor({ bins: floors }, null, { replicates, seed, level: 0.95 }),
      intercept: or('intercept', line?.intercept ?? null, oneClass),
      slope: or(
        'slope',
        line?.slope ?? null,
        line ? 'all scores are in one bin, or the scores part the classes' : oneClass,
      ),
      ...ratesOf(counts, or),
      top: top.map((one) => atTop(twice, y, one, weight, rows)),
      cost: costs ? costOf(counts, costs, rows) : null,
      absent,
    };
  }

  /** Rows by bin of log-odds and label, with the mean logit of each bin. @internal */
  get cells(): {
    readonly bin: number;
    readonly negative: number;
    readonly positive: number;
    readonly logit: number;
  }[] {
    return [...this.#logits]
      .sort(([a], [b]) => a - b)
      .map(([bin, sum]) => {
        const [negative, positive] = [this.#counts[0][bin], this.#counts[1][bin]];
        return { bin, negative, positive, logit: sum.value / (negative + positive) };
      });
  }

  /** Negative and positive rows called negative, then those called positive. @internal */
  get decided(): readonly number[] {
    return [...this.#cells];
  }

  /** Rows called negative and positive. @internal */
  get called(): readonly [number, number] {
    return [this.#cells[0] + this.#cells[1], this.#cells[2] + this.#cells[3]];
  }

  /** The state, for `JSON.stringify` and `performanceHistogram`. Equal counts give equal text, in whatever order rows came or histograms were merged. */
  toJSON(): PerformanceHistogramState {
    return {
      kind: 'performanceHistogram',
      threshold: this.threshold,
      cells: [...this.#cells],
      infinite: this.#infinite,
      bins: [...this.#logits]
        .sort(([a], [b]) => a - b)
        .map(([bin, sum]) => [bin, this.#counts[0][bin], this.#counts[1][bin], sum.toJSON()] as const),
      calibration: this.#calibration.map(
        ({ rows, positive, predicted, variance }) => [rows, positive, predicted.toJSON(), variance.toJSON()] as const,
      ),
      logLoss: this.#logLoss.toJSON(),
      brier: this.#brier.toJSON(),
    };
  }
}

/** The bin of ten of equal width, (k/10, (k + 1)/10], with the edges of `reliability`. */
function bandOf(p: number): number {
  let band = 0;
  while (band < CALIBRATION - 1 && (band + 1) * 0.1 < p) band++;
  return band;
}

/**
 * Makes a histogram of scores and labels, whose figures need no rows: at most 258 bins of an eighth in log-odds from −16 to 16, ten bins of probability, and sums that
 * are the same bits in any order. Histograms of processes, windows and groups merge in any order.
 *
 *   |area of the rows − area of the bins| ≤ ½·Σ_k Pₖ·Nₖ/(P·N),   Pₖ, Nₖ: positive and negative rows of bin k
 *
 * since two rows of one bin are taken as equal, and count half.
 * @param options  options of a new one, or the state that `toJSON` returned
 * @throws ERR_RANGE an option outside its range; ERR_FORMAT a state of another kind
 * @example
 * const [monday, tuesday] = [performanceHistogram(), performanceHistogram()];
 * monday.add(0.9, 1);
 * tuesday.add({ logit: -2 }, 0);
 * monday.merge(tuesday);
 * monday.performance().accuracy; // 1
 */
export const performanceHistogram = (
  options: PerformanceHistogramOptions | PerformanceHistogramState = {},
): PerformanceHistogram => new PerformanceHistogram(options);
