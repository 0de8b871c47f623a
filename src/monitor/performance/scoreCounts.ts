import { LogoddsError } from '../../../bindings/errors.ts';
import { ln, ln1p } from '../../../bindings/js/math.ts';
import { whole } from '../check.ts';
import { ExactSum } from './exactSum.ts';

/** Logits from −16 to 16 have bins; those beyond are in the outer two. */
export const LARGEST = 16;
/** Bins of a unit of log-odds. */
const PER_UNIT = 8;
/** 2 · LARGEST · PER_UNIT, and the outer two */
export const BINS = 258;

/** The bin of a logit. */
export const binOfLogit = (logit: number): number =>
  Math.min(BINS - 1, Math.max(0, Math.floor((logit + LARGEST) * PER_UNIT) + 1));

/** Scores of one bin and decision. */
export interface ScoreCell {
  readonly bin: number;
  readonly called: 0 | 1;
  readonly rows: number;
  /** mean probability */
  readonly probability: number;
}

/** What `ScoreCounts.toJSON` returns. */
export type ScoreCountsState = readonly (readonly [cell: number, rows: number, sum: readonly [number, number]])[];

/** Counts scores whose labels are not known, in the bins of `PerformanceHistogram` and by what they were called. Sums are the same bits in any order. */
export class ScoreCounts {
  readonly #counts = new Float64Array(2 * BINS);
  readonly #sums: (ExactSum | undefined)[] = [];

  /** @throws ERR_FORMAT, ERR_RANGE */
  constructor(state: ScoreCountsState = []) {
    for (const [cell, rows, sum] of state) {
      if (!(whole('cell', cell) < 2 * BINS))
        throw new LogoddsError('ERR_FORMAT', `state: expected cells below ${2 * BINS}, got ${cell}; save it again`);
      this.#counts[cell] = whole('rows', rows);
      this.#sums[cell] = new ExactSum(sum);
    }
  }

  /** @param p  from 0 to 1 @param called  1: positive */
  add(p: number, called: number): void {
    const cell = 2 * binOfLogit(ln(p) - ln1p(-p)) + called;
    this.#counts[cell]++;
    this.#sumAt(cell).add(p);
  }

  merge(other: ScoreCounts): void {
    for (let cell = 0; cell < 2 * BINS; cell++) this.#counts[cell] += other.#counts[cell];
    other.#sums.forEach((sum, cell) => {
      if (sum) this.#sumAt(cell).merge(sum);
    });
  }

  get rows(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** What there is, by bin and decision. */
  get cells(): ScoreCell[] {
    const found: ScoreCell[] = [];
    this.#counts.forEach((rows, cell) => {
      if (rows === 0) return;
      const probability = Math.min(1, this.#sums[cell]!.value / rows);
      found.push({ bin: cell >> 1, called: (cell & 1) as 0 | 1, rows, probability });
    });
    return found;
  }

  toJSON(): ScoreCountsState {
    return [...this.#counts].flatMap((rows, cell) => (rows ? [[cell, rows, this.#sums[cell]!.toJSON()] as const] : []));
  }

  #sumAt(cell: number): ExactSum {
    let sum = this.#sums[cell];
    if (!sum) {
      sum = new ExactSum();
      this.#sums[cell] = sum;
    }
    return sum;
  }
}
