import { countingModule } from './modules/counting.ts';

/** The functions of assembly/counting.ts. */
interface CountingKernels {
  readonly memory: { readonly buffer: ArrayBuffer };
  valuesAt(): number;
  numbersAt(): number;
  edgesAt(): number;
  startsAt(): number;
  countsAt(): number;
  codesAt(): number;
  countNumbers(rows: number, steps: number): number;
  countCodes(rows: number): void;
}

/** Bins of numbers, and how to find them. */
export interface NumberLayout {
  /** rising, the last infinite */
  readonly edges: Float64Array;
  /** at which edge the search for the bin of a number begins, by cells of a grid: below low, 512 from there on, above */
  readonly starts: Uint8Array;
  /**
   * low, cells per unit, centre, the greatest distance that is added in doubles; then numbers which, added and subtracted again, round to a multiple of a power of
   * two: coarse and fine of distances, coarse and fine of squares
   */
  readonly constants: Float64Array;
  /** how many edges behind its start the bin of a number of the grid may end */
  readonly steps: number;
}

/** What numbers are counted into. */
export interface NumberTally extends NumberLayout {
  /** of each bin; **added to** */
  readonly counts: Float64Array;
  /** four sums; **added to** */
  readonly sums: Float64Array;
  /** least and greatest; **moved** */
  readonly ends: Float64Array;
  /** least and greatest of this call; **written** */
  readonly span: Float64Array;
}

/** Values that are counted at a time. */
const MOST = 8192;
/** Bins of one of the two tables of counts. */
const BINS = 256;
/** Edges that the search reaches, with the infinite one. */
const MOST_EDGES = 128;
/** Steps behind a start that are taken; a search takes no more than seven. */
const MOST_STEPS = 4;
/** Where sums begin, behind eight constants. */
const SUMS = 8;

/** Counts numbers and codes by the kernels, over a memory of its own. It holds nothing between calls. */
class NumberCounter {
  readonly #kernels: CountingKernels;
  readonly #values: Float64Array;
  readonly #numbers: Float64Array;
  readonly #edges: Float64Array;
  readonly #starts: Uint8Array;
  readonly #counts: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #codes: Uint32Array;
  /** whose edges and constants are there */
  #last: Float64Array | null = null;
  #steps = 0;

  constructor() {
    this.#kernels = new WebAssembly.Instance(countingModule()).exports as unknown as CountingKernels;
    const { buffer } = this.#kernels.memory;
    this.#values = new Float64Array(buffer, this.#kernels.valuesAt(), MOST);
    this.#numbers = new Float64Array(buffer, this.#kernels.numbersAt(), SUMS + 6);
    this.#edges = new Float64Array(buffer, this.#kernels.edgesAt(), MOST_EDGES);
    this.#starts = new Uint8Array(buffer, this.#kernels.startsAt(), 520);
    this.#counts = new Uint32Array(buffer, this.#kernels.countsAt(), 2 * BINS);
    this.#bytes = new Uint8Array(buffer, this.#kernels.valuesAt(), 8 * MOST);
    this.#codes = new Uint32Array(buffer, this.#kernels.codesAt(), 4 * BINS);
  }

  /**
   * Counts values `from` to `to`, of which none is NaN but those left out.
   * @param skip  of each value whether it is left out; null: none is
   * @param far  takes each value whose distance from the centre is beyond the limit: it is in no sum
   * @returns how many were counted
   */
  count(
    { edges, starts, constants, steps, counts, sums, ends, span }: NumberTally,
    values: Float64Array | Float32Array,
    from: number,
    to: number,
    skip: Uint8Array | null,
    far: (x: number) => void,
  ): number {
    if (edges !== this.#last) {
      this.#edges.fill(Number.POSITIVE_INFINITY);
      this.#edges.set(edges);
      this.#numbers.set(constants);
      this.#starts.set(starts);
      this.#steps = constants[1] > 0 && steps <= MOST_STEPS ? steps : MOST_STEPS + 1;
      this.#last = edges;
    }
    const numbers = this.#numbers;
    const into = this.#values;
    numbers.fill(0, SUMS, SUMS + 4);
    numbers[SUMS + 4] = Number.POSITIVE_INFINITY;
    numbers[SUMS + 5] = Number.NEGATIVE_INFINITY;
    this.#counts.fill(0);
    let counted = 0;
    let left = 0;
    for (let at = from; at < to; at += MOST) {
      const end = Math.min(to, at + MOST);
      const n = end - at;
      into.set(values.subarray(at, end));
      const gaps = skip ? blank(into, skip, at, n) : 0;
      counted += n - gaps;
      left += gaps;
      const beyond = this.#kernels.countNumbers(n, this.#steps) - gaps;
      if (beyond === 0) continue;
      const [, , centre, limit] = constants;
      for (let i = 0; i < n; i++) if (Math.abs(into[i] - centre) > limit) far(into[i]);
    }
    for (let k = 0; k < counts.length; k++) counts[k] += this.#counts[k] + this.#counts[BINS + k];
    // the kernel takes what is left out for numbers of the first bin, beyond the limit
    counts[0] -= left;
    for (let k = 0; k < 4; k++) sums[k] += numbers[SUMS + k];
    span[0] = numbers[SUMS + 4];
    span[1] = numbers[SUMS + 5];
    if (span[0] < ends[0]) ends[0] = span[0];
    if (span[1] > ends[1]) ends[1] = span[1];
    return counted;
  }

  /**
   * Counts codes of a byte each.
   * @param counts  of each code, from `from` on; **added to**
   */
  countCodes(counts: Float64Array, from: number, slots: number, codes: Uint8Array): void {
    this.#codes.fill(0);
    for (let at = 0; at < codes.length; at += 8 * MOST) {
      const part = codes.subarray(at, at + 8 * MOST);
      this.#bytes.set(part);
      this.#kernels.countCodes(part.length);
    }
    const found = this.#codes;
    for (let k = 0; k < slots; k++)
      counts[from + k] += found[k] + found[BINS + k] + found[2 * BINS + k] + found[3 * BINS + k];
  }
}

/** Makes NaN of what is left out. @returns how many */
function blank(values: Float64Array, skip: Uint8Array, from: number, n: number): number {
  let gaps = 0;
  for (let i = 0; i < n; i++) {
    if (skip[from + i] === 0) continue;
    values[i] = Number.NaN;
    gaps++;
  }
  return gaps;
}

let counter: NumberCounter | null | undefined;

/** What counts numbers, and codes with no edges; null where the host has no WebAssembly SIMD, or does not let a program compile it. */
export function numberCounter(edges = 0): NumberCounter | null {
  if (edges >= MOST_EDGES) return null;
  if (counter === undefined) {
    try {
      counter = new NumberCounter();
    } catch {
      counter = null;
    }
  }
  return counter;
}
