import { type NumberLayout, type NumberTally, numberCounter } from '../../../bindings/counting.ts';
import { refuse } from '../../../bindings/errors.ts';
import { whole } from '../check.ts';
import { type NumberBins, widthOf } from './bins.ts';
import { quotient, textOfUnits, unitsOf, unitsOfText } from './exactSum.ts';

/** What `NumberColumn.toJSON` returns. */
export interface NumberState {
  /** number of values */
  readonly count: number;
  /** least and greatest; null without values */
  readonly min: number | null;
  readonly max: number | null;
  /** Σ (x − centre) and Σ (x − centre)², exact sums as text */
  readonly sums: readonly [first: string, second: string];
  /** of each bin; runs of empty bins as their number, negative */
  readonly bins: readonly number[];
  /** how many values were infinite: they are in the bins, not in the sums; absent: none */
  readonly infinite?: number;
}

/** Moments, and what they are of. */
interface Moments {
  readonly finite: number;
  readonly first: bigint;
  readonly second: bigint;
  readonly mean: number | null;
  readonly std: number | null;
}

/** Rows after which sums in doubles would no longer be exact. */
const SETTLE = 2 ** 22;
/** Cells of that grid. */
const CELLS = 512;
/** Of bins that are used again, as each window has them. */
const LAYOUTS = new WeakMap<NumberBins, NumberLayout>();

function layoutOf(bins: NumberBins): NumberLayout {
  const known = LAYOUTS.get(bins);
  if (known) return known;
  const { edges, low, high, centre } = bins;
  const perCell = high > low && Number.isFinite(high - low) ? CELLS / (high - low) : 0;
  const starts = Uint8Array.from({ length: CELLS + 2 }, (_, cell) => {
    // the first edge that a number of the cell may be at or below; a little before it, as the product below is rounded
    const from = cell < 1 ? Number.NEGATIVE_INFINITY : low + (cell - 1 - 1e-6) / perCell;
    const k = edges.findIndex((edge) => edge >= from);
    return k < 0 ? edges.length : k;
  });
  // how far behind its start the bin of a number of a cell may be
  let steps = 0;
  for (let cell = 1; cell <= CELLS; cell++) {
    const to = low + (cell + 1e-6) / perCell;
    const end = edges.findIndex((edge) => edge >= to);
    steps = Math.max(steps, (end < 0 ? edges.length : end) - starts[cell]);
  }
  const power = Math.min(450, Math.max(-450, Math.ceil(Math.log2(widthOf(low, high))) + 6));
  const grid = [power, power - 31, 2 * power, 2 * power - 31].map((e) => 1.5 * 2 ** (e + 22));
  const constants = Float64Array.of(low, perCell, centre, 2 ** power, ...grid);
  const made = { edges: Float64Array.of(...edges, Number.POSITIVE_INFINITY), starts, constants, steps };
  LAYOUTS.set(bins, made);
  return made;
}

/** Values from which on the kernel counts. */
const MANY = 256;

/**
 * Counts, moments and a histogram of one number. Everything that is added up is exact, so the order of rows and of merges does not matter.
 *
 * A distance from the centre is rounded to 2^−55 of the training range before it is added, a square of one to 2^−49 of its square.
 */
export class NumberColumn {
  readonly bins: NumberBins;
  readonly counts: Float64Array;
  infinite = 0;
  /** least and greatest number */
  readonly #ends = Float64Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
  readonly #layout: NumberLayout;
  /** Σ of the coarse and the fine parts, exact; moved to `#total` in time */
  readonly #parts = new Float64Array(4);
  #pending = 0;
  /** for the kernel; null: not asked yet */
  #tally: NumberTally | null = null;
  readonly #total: [bigint, bigint] = [0n, 0n];
  /** the moments that were asked for last */
  #known: Moments | null = null;

  constructor(bins: NumberBins) {
    this.bins = bins;
    this.counts = new Float64Array(bins.edges.length + 1);
    this.#layout = layoutOf(bins);
  }

  /** the least number; Infinity without any */
  get min(): number {
    return this.#ends[0];
  }

  /** the greatest number; −Infinity without any */
  get max(): number {
    return this.#ends[1];
  }

  get count(): number {
    let sum = 0;
    for (const count of this.counts) sum += count;
    return sum;
  }

  /** @param x  no NaN */
  add(x: number): void {
    const { constants, edges, starts } = this.#layout;
    const cell = (x - constants[0]) * constants[1];
    let k = starts[cell >= 0 ? (cell < CELLS ? (cell | 0) + 1 : CELLS + 1) : 0];
    while (x > edges[k]) k++;
    this.counts[k]++;
    const d = x - constants[2];
    const limit = constants[3];
    if (!(d <= limit && d >= -limit)) {
      this.#addFar(d, x);
      return;
    }
    const ends = this.#ends;
    if (x < ends[0]) ends[0] = x;
    if (x > ends[1]) ends[1] = x;
    const parts = this.#parts;
    const coarse = d + constants[4] - constants[4];
    parts[0] += coarse;
    parts[1] += d - coarse + constants[5] - constants[5];
    const square = d * d;
    const coarser = square + constants[6] - constants[6];
    parts[2] += coarser;
    parts[3] += square - coarser + constants[7] - constants[7];
    if (++this.#pending === SETTLE) this.#settle();
  }

  /**
   * Adds values `from` to `to`, no NaN: as `add` of each, in a fraction of the time.
   * @param skip  of each value whether it is left out; null: none is
   * @returns least and greatest of them, which the next call overwrites; null: nobody looked
   */
  addAll(values: Float64Array | Float32Array, from: number, to: number, skip: Uint8Array | null): Float64Array | null {
    const counter = to - from < MANY ? null : numberCounter(this.counts.length - 1);
    if (!counter) {
      if (skip) {
        for (let i = from; i < to; i++) if (skip[i] === 0) this.add(values[i]);
      } else for (let i = from; i < to; i++) this.add(values[i]);
      return null;
    }
    if (to - from > SETTLE / 2) {
      this.addAll(values, from, from + SETTLE / 2, skip);
      this.addAll(values, from + SETTLE / 2, to, skip);
      return null;
    }
    this.#tally ??= {
      ...this.#layout,
      counts: this.counts,
      sums: this.#parts,
      ends: this.#ends,
      span: new Float64Array(2),
    };
    if (this.#pending + to - from > SETTLE) this.#settle();
    this.#pending += counter.count(this.#tally, values, from, to, skip, (x) => this.#addFar(x - this.bins.centre, x));
    return this.#tally.span;
  }

  /** As `addAll` of each run: beginning and end of each. Short ones, of a sample, are put together first. */
  addRuns(values: Float64Array | Float32Array, runs: Uint32Array, skip: Uint8Array | null): Float64Array | null {
    if (runs.length === 2) return this.addAll(values, runs[0], runs[1], skip);
    let taken = new Float64Array(MANY);
    let n = 0;
    for (let k = 0; k < runs.length; k += 2) {
      if (n + runs[k + 1] - runs[k] > taken.length) {
        const grown = new Float64Array(2 * (n + runs[k + 1] - runs[k]));
        grown.set(taken);
        taken = grown;
      }
      for (let i = runs[k]; i < runs[k + 1]; i++) {
        taken[n] = values[i];
        n += skip && skip[i] !== 0 ? 0 : 1;
      }
    }
    this.addAll(taken, 0, n, null);
    return null;
  }

  /** What doubles do not add exactly. */
  #addFar(d: number, x: number): void {
    const ends = this.#ends;
    ends[0] = Math.min(ends[0], x);
    ends[1] = Math.max(ends[1], x);
    if (!Number.isFinite(x)) {
      this.infinite++;
      return;
    }
    this.#total[0] += unitsOf(x) - unitsOf(this.bins.centre);
    this.#total[1] += unitsOf(Math.min(d * d, Number.MAX_VALUE));
  }

  #settle(): void {
    const parts = this.#parts;
    this.#total[0] += unitsOf(parts[0]) + unitsOf(parts[1]);
    this.#total[1] += unitsOf(parts[2]) + unitsOf(parts[3]);
    parts.fill(0);
    this.#pending = 0;
  }

  /** Σ (x − centre) and Σ (x − centre)² in units of 2^−1074. */
  get units(): readonly [bigint, bigint] {
    this.#settle();
    return this.#total;
  }

  /** values that are finite */
  get finite(): number {
    return this.count - this.infinite;
  }

  /** null without values */
  get mean(): number | null {
    return this.#moments.mean;
  }

  /** population standard deviation; null without values */
  get std(): number | null {
    return this.#moments.std;
  }

  /** Of the sums as they are: those of a reference are asked for again and again. */
  get #moments(): Moments {
    const [first, second] = this.units;
    const { finite } = this;
    const known = this.#known;
    if (known && known.finite === finite && known.first === first && known.second === second) return known;
    const n = BigInt(finite);
    const mean = n ? quotient(first + n * unitsOf(this.bins.centre), n) : null;
    // n·Σd² − (Σd)², exact: the second in units of the first squared
    const over = ((n * second) << 1074n) - first * first;
    const std = n ? (over > 0n ? Math.sqrt(quotient(over, n * n, -1074)) : 0) : null;
    this.#known = { finite, first, second, mean, std };
    return this.#known;
  }

  merge(other: NumberColumn): void {
    for (let k = 0; k < this.counts.length; k++) this.counts[k] += other.counts[k];
    this.#ends.set([Math.min(this.min, other.min), Math.max(this.max, other.max)]);
    this.infinite += other.infinite;
    const theirs = other.units;
    this.#settle();
    this.#total[0] += theirs[0];
    this.#total[1] += theirs[1];
  }

  toJSON(): NumberState {
    const { count, min, max, infinite } = this;
    const [first, second] = this.units;
    const ends = count ? { min: endOf(min), max: endOf(max) } : { min: null, max: null };
    const sums = [textOfUnits(first), textOfUnits(second)] as const;
    return { count, ...ends, sums, bins: packed(this.counts), ...(infinite && { infinite }) };
  }

  /** @throws ERR_FORMAT, ERR_RANGE */
  static from(bins: NumberBins, state: NumberState): NumberColumn {
    const column = new NumberColumn(bins);
    column.counts.set(unpacked(state?.bins, column.counts.length));
    const { count, min, max, sums, infinite = 0 } = state;
    if (whole('count', count) !== column.count || count > 0 !== Number.isFinite(min) || min! > max!)
      refuse('ERR_FORMAT', 'state', 'a count that is that of its bins', count, 'save it again');
    if (count) column.#ends.set([min!, max!]);
    column.infinite = whole('infinite', infinite);
    column.#total[0] = unitsOfText(sums?.[0]);
    column.#total[1] = unitsOfText(sums?.[1]);
    return column;
  }
}

/** JSON has no infinite numbers. */
const endOf = (x: number): number => Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, x + 0));

/** Counts, runs of zeros as their length, negative. */
export function packed(counts: ArrayLike<number>): number[] {
  const out: number[] = [];
  for (let k = 0; k < counts.length; k++) {
    if (counts[k] !== 0) out.push(counts[k]);
    else if (out.length && out[out.length - 1] < 0) out[out.length - 1]--;
    else out.push(-1);
  }
  return out;
}

/** @throws ERR_FORMAT another number of counts than `length` */
export function unpacked(list: unknown, length: number): Float64Array {
  const counts = new Float64Array(length);
  let at = 0;
  for (const one of Array.isArray(list) ? list : []) {
    if (!Number.isSafeInteger(one) || one === 0) at = length;
    else if (one > 0 && at < length) counts[at] = one;
    at += one < 0 ? -one : 1;
    if (!(at <= length)) break;
  }
  if (at !== length) refuse('ERR_FORMAT', 'state', `counts of ${length} bins`, 'others', 'save it again');
  return counts;
}
