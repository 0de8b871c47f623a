/** What a case is, and what its timings say. Nothing here needs the packages of bench/, so the tests can import it. @module */

/** One way to do the work of a case. */
export interface Rival {
  readonly name: string;
  /** Repeats the work for about `timeMs`, once at least. @returns milliseconds of one call, the median of its samples */
  sample(timeMs: number): Promise<number> | number;
  /** What the work gave, to be checked against the first rival of the case; absent where there is nothing to compare. */
  output?(): Promise<ArrayLike<number>> | ArrayLike<number>;
  /** Where there is a better test than comparing outputs; done once, before timing. */
  check?(): Promise<Verdict>;
  /** Only engines that promise the same bits: no tolerance. */
  readonly exact?: boolean;
}

/** What a check found. */
export interface Verdict {
  /** as part of the largest value, or what the notes of the suite call it */
  readonly difference?: number;
  /** why it is not timed */
  readonly wrong?: string;
  /** it was stopped after so many times the time of the first rival of the case, so it is not timed either */
  readonly moreThan?: number;
  /** how the rival was set where it had a choice */
  readonly setting?: string;
}

/** Milliseconds of one call of a rival; or megabytes, as the unit of the case says. */
export interface Timing extends Verdict {
  readonly name: string;
  /** median of `rounds` */
  readonly median: number;
  /** the median of each round; rounds of all rivals of a case were taken in turn */
  readonly rounds: readonly number[];
}

/** One line of the results. */
export interface Case {
  readonly name: string;
  /** what one call does: rows, bytes of the data read once (0: read many times), floating-point operations when they are the limit */
  readonly rows: number;
  readonly bytes: number;
  readonly flops?: number;
  /** outputs had to agree to this part of the largest value */
  readonly tolerance: number;
  /** of the timings; milliseconds when absent */
  readonly unit?: Unit;
  readonly timings: readonly Timing[];
}

export type Unit = 'ms' | 'MB';

export interface Results {
  readonly suite: string;
  readonly machine: Machine;
  readonly rivals: Readonly<Record<string, string>>;
  readonly settings: Settings & { readonly seed: number };
  /** what the figures leave out, and how they were taken */
  readonly notes: readonly string[];
  readonly cases: readonly Case[];
}

export interface Settings {
  readonly quick: boolean;
  readonly rounds: number;
  readonly timeMs: number;
}

/** Where and when results were taken. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** of the minute before */
  readonly load: number;
  readonly platform: string;
  readonly node: string;
  readonly v8: string;
  readonly logodds: string;
  readonly commit: string;
  /** files differ from that commit */
  readonly changed: boolean;
  readonly date: string;
}

/** a median, for the eye */
export function figure(value: number, unit: Unit = 'ms'): string {
  if (unit === 'MB') return `${value.toPrecision(3)} MB`;
  if (value >= 1e4) return `${(value / 1e3).toPrecision(3)} s`;
  if (value >= 1) return `${value.toPrecision(3)} ms`;
  if (value >= 1e-3) return `${(value * 1e3).toPrecision(3)} µs`;
  return `${(value * 1e6).toPrecision(3)} ns`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/**
 * How many times longer `other` takes than `first`: the median over rounds of the ratio within a round; of one that was stopped,
 * the least that it can be.
 */
export function ratio(first: Timing, other: Timing): number {
  if (other.moreThan) return other.moreThan;
  return median(other.rounds.map((ms, i) => ms / first.rounds[i]));
}

/** the fastest of those whose name starts with `prefix`, those that were stopped last; none when they are absent or wrong */
export function best(timings: readonly Timing[], prefix: string): Timing | undefined {
  const found = timings.filter(({ name, wrong }) => name.startsWith(prefix) && !wrong);
  return found.sort((a, b) => (a.moreThan ?? 0) - (b.moreThan ?? 0) || a.median - b.median)[0];
}
