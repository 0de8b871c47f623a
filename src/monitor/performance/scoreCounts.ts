import { LogoddsError } from '../../../bindings/errors.ts';
import { ln, ln1p } from '../../../bindings/js/math.ts';
import { whole } from '../check.ts';
import { ExactSum, unitsOf } from './exactSum.ts';

/** Logits from −16 to 16 have bins; those beyond are in the outer two. */
export const LARGEST = 16;
/** Bins of a unit of log-odds. */
const PER_UNIT = 8;
/** 2 · LARGEST · PER_UNIT, and the outer two */
export const BINS = 258;

/** The bin of a logit. */
export const binOfLogit = (logit: number): number =>
  Math.min(BINS - 1, Math.max(0, Math.floor((logit + LARGEST) * PER_UNIT) + 1));

/** The bin of a probability. */
const binOfShare = (p: number): number => binOfLogit(ln(p) - ln1p(-p));

/** Cells of an octave of p or of 1 − p, as a power of two: few of them have an edge of a bin. */
const CELL_BITS = 8;
/** Octaves of them. */
const OCTAVES = 24;
const SIDE = OCTAVES << CELL_BITS;
/** What the logarithms may be wrong by, and far more. */
const WRONG = 1e-12;
/** Bins of many scores that are added at a time. */
const MANY = 2 ** 20;

/** bits above those of a cell, of the least p that has one */
const FIRST = (1022 - OCTAVES) << CELL_BITS;

/** Bins of cells of probabilities, as they are asked for: two logarithms a score take most of its time. */
class CellBins {
  /** bin + 2; 0: not asked yet; 1: it has an edge */
  readonly #bins = new Uint16Array(2 * SIDE);
  readonly #number = Float64Array.of(1);
  readonly #words = new Uint32Array(this.#number.buffer);
  /** where the exponent is */
  readonly #high = this.#words[1] ? 1 : 0;

  of(p: number): number {
    const isHigh = p >= 0.5;
    // exact from ½ on
    this.#number[0] = isHigh ? 1 - p : p;
    const cell = (this.#words[this.#high] >>> (20 - CELL_BITS)) - FIRST;
    if (!(cell >= 0 && cell < SIDE)) return binOfShare(p);
    const at = isHigh ? SIDE + cell : cell;
    const found = this.#bins[at] || this.#ask(at, cell, isHigh);
    return found > 1 ? found - 2 : binOfShare(p);
  }

  #ask(at: number, cell: number, isHigh: boolean): number {
    const [low, high] = [0, 1].map((next) => {
      this.#words[1 - this.#high] = 0;
      this.#words[this.#high] = (cell + next + FIRST) << (20 - CELL_BITS);
      return this.#number[0];
    });
    const [first, last] = [low * (1 - WRONG), high * (1 + WRONG)].map((q) => binOfShare(isHigh ? 1 - q : q));
    this.#bins[at] = first === last ? first + 2 : 1;
    return this.#bins[at];
  }
}

/** One for all counts: made when it is first asked. */
let cellBins: CellBins | null = null;

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
    cellBins ??= new CellBins();
    const cell = 2 * cellBins.of(p) + called;
    this.#counts[cell]++;
    this.#sumAt(cell).add(p);
  }

  /**
   * Adds many scores: as `add` of each, in a fraction of the time.
   * @param called  of each 1: positive, 0: not; −1: it is left out
   */
  addAll(p: ArrayLike<number>, called: Int8Array): void {
    cellBins ??= new CellBins();
    const cells = cellBins;
    const counts = this.#counts;
    const units = new Float64Array(2 * BINS);
    for (let from = 0; from < called.length; from += MANY) {
      const to = Math.min(called.length, from + MANY);
      for (let i = from; i < to; i++) {
        if (called[i] < 0) continue;
        const share = p[i];
        const cell = 2 * cells.of(share) + called[i];
        counts[cell]++;
        units[cell] += unitsOf(share);
      }
      for (let cell = 0; cell < units.length; cell++) if (counts[cell] > 0) this.#sumAt(cell).addUnits(units[cell]);
      units.fill(0);
    }
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
