import { LogoddsError, refuse } from '../../../bindings/errors.ts';
import { tell } from '../../../bindings/names.ts';
import { finite, whole } from '../check.ts';
import type { Joinable, JoinedRow } from './join.ts';

/** Upper ends of the bins of a delay, in milliseconds: from a second to a year. */
export const DELAY_EDGES: readonly number[] = [
  // 1, 10 s; 1, 10 min
  1000, 10_000, 60_000, 600_000,
  // 1, 6 h; 1, 2, 4, 7 days
  3_600_000, 21_600_000, 86_400_000, 172_800_000, 345_600_000, 604_800_000,
  // 14, 30, 60, 90, 180, 365 days
  1_209_600_000, 2_592_000_000, 5_184_000_000, 7_776_000_000, 15_552_000_000, 31_536_000_000,
];

/** What `DelayHistogram.toJSON` returns; `delayHistogram` takes it. */
export interface DelayHistogramState {
  readonly kind: 'delayHistogram';
  readonly edges: readonly number[];
  /** one more than edges: the last is beyond all of them */
  readonly counts: readonly number[];
  /** labels known before their score was made */
  readonly negative: number;
  readonly sumMs: number;
}

/**
 * Counts label delays in bins; made by `delayHistogram`.
 * @example
 * const delays = delayHistogram();
 * for (const delay of [500, 90_000, 7_200_000]) delays.add(delay);
 * delays.count; // 3
 * delays.quantile(0.5); // { low: 60000, high: 600000 }
 */
export class DelayHistogram {
  readonly edges: readonly number[];
  readonly #counts: number[];
  #negative = 0;
  #sumMs = 0;

  /** @internal */
  constructor(edges: readonly number[], state?: DelayHistogramState) {
    const rises = edges.length > 0 && edges.every((edge, i) => finite('edges', edge) > (edges[i - 1] ?? 0));
    if (!rises) refuse('ERR_RANGE', 'edges', 'numbers above 0 that rise', tell(edges[0]), 'sort them');
    if (state && state.counts?.length !== edges.length + 1)
      throw new LogoddsError('ERR_FORMAT', `state: expected ${edges.length + 1} counts, got others; save it again`);
    this.edges = [...edges];
    this.#counts = edges.map((_, i) => whole('counts', state?.counts[i] ?? 0));
    this.#counts.push(whole('counts', state?.counts[edges.length] ?? 0));
    this.#negative = whole('negative', state?.negative ?? 0);
    this.#sumMs = finite('sumMs', state?.sumMs ?? 0);
  }

  /** @param delayMs  rounded to milliseconds; a negative one is counted apart @throws ERR_RANGE a delay that is no finite number */
  add(delayMs: number): void {
    const delay = Math.round(finite('delayMs', delayMs));
    if (delay < 0) {
      this.#negative++;
      return;
    }
    const at = this.edges.findIndex((edge) => delay <= edge);
    this.#counts[at < 0 ? this.edges.length : at]++;
    this.#sumMs += delay;
  }

  /** @throws ERR_SHAPE when edges differ */
  merge(other: DelayHistogram): void {
    if (other.edges.some((edge, i) => edge !== this.edges[i]) || other.edges.length !== this.edges.length)
      throw new LogoddsError('ERR_SHAPE', 'edges: expected those of this histogram, got others; use the same on both');
    other.#counts.forEach((count, i) => {
      this.#counts[i] += count;
    });
    this.#negative += other.#negative;
    this.#sumMs += other.#sumMs;
  }

  /** number of delays from 0 up */
  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** of each bin (edge before, edge], and at the end what is beyond */
  get counts(): readonly number[] {
    return [...this.#counts];
  }

  /** labels known before their score was made: clocks differ, or the outcome leaked */
  get negative(): number {
    return this.#negative;
  }

  /** sum of the delays from 0 up, in whole milliseconds: exact to 2⁵³ */
  get sumMs(): number {
    return this.#sumMs;
  }

  /** The bin in which a quantile lies; null without delays. @throws ERR_RANGE a share outside [0, 1] */
  quantile(share: number): { readonly low: number; readonly high: number } | null {
    if (!(share >= 0 && share <= 1)) refuse('ERR_RANGE', 'share', 'a number from 0 to 1', tell(share), 'correct it');
    const wanted = Math.max(1, Math.ceil(share * this.count));
    let sum = 0;
    for (const [i, count] of this.#counts.entries()) {
      sum += count;
      if (sum >= wanted) return { low: this.edges[i - 1] ?? 0, high: this.edges[i] ?? Number.POSITIVE_INFINITY };
    }
    return null;
  }

  /** The state, for `JSON.stringify` and `delayHistogram`. */
  toJSON(): DelayHistogramState {
    const { edges, counts, negative, sumMs } = this;
    return { kind: 'delayHistogram', edges, counts, negative, sumMs };
  }
}

/**
 * Makes a histogram of label delays: the time from a score to when its label was known. Counts are exact, and merge in any order.
 * @param from  upper ends of the bins in milliseconds, rising (default `DELAY_EDGES`, a second to a year), or the state that `toJSON` returned
 * @throws ERR_RANGE edges that do not rise; ERR_FORMAT a state that is none
 * @example
 * const delays = delayHistogram([1000, 60_000]);
 * delays.add(500);
 * delays.counts; // [1, 0, 0]
 */
export const delayHistogram = (from: readonly number[] | DelayHistogramState = DELAY_EDGES): DelayHistogram => {
  if ('kind' in from && from.kind === 'delayHistogram') return new DelayHistogram(from.edges, from);
  if (Array.isArray(from)) return new DelayHistogram(from);
  return refuse('ERR_FORMAT', 'state', 'an object of kind delayHistogram, or edges', 'another', 'save it again');
};

/** How many scores have their label by what age. */
export interface Maturity {
  /** ages at which labels came, in milliseconds, rising */
  readonly ages: Float64Array;
  /** of each age the share of scores labelled by then */
  readonly labelled: Float64Array;
  /** of the greatest age that was seen: the share that had no label by then */
  readonly missing: number;
  /** the least age by which this share of all scores has its label; null: it was not reached */
  ageOf(share: number): number | null;
}

/**
 * Returns how many scores have their label by which age. Scores that are younger than an age say nothing about it, so they are taken out there (Kaplan and Meier):
 * counting the delays of labels that are there would make labels look faster than they are.
 *
 *   labelled(t) = 1 − Π_{tᵢ ≤ t} (1 − dᵢ/nᵢ),   dᵢ: labels that came at age tᵢ, nᵢ: scores without a label before tᵢ that are at least that old
 *
 * Negative delays count as 0. `ageOf(0.95)` is what to give `performanceWindows` as `ripeAfterMs`.
 * @param rows  of `LabelJoin.joined`
 * @param now  milliseconds since 1970: the age of a score without a label is now − at
 * @returns null without rows
 * @throws ERR_RANGE a time that is no finite number
 * @see Kaplan, Meier, Nonparametric estimation from incomplete observations, JASA 53, 1958
 * @example
 * const rows = [100, 200, null, null].map((delayMs, i) => ({ prediction: { id: String(i), at: i === 3 ? 850 : 0 }, label: null, delayMs }));
 * maturity(rows, 1000).ageOf(0.5); // 200
 */
export function maturity(rows: readonly JoinedRow<Joinable>[], now: number): Maturity | null {
  finite('now', now);
  if (rows.length === 0) return null;
  const seen = rows.map(({ prediction, delayMs }) => ({
    age: Math.max(0, delayMs ?? now - prediction.at),
    came: delayMs !== null,
  }));
  // at one age labels come before scores leave
  seen.sort((a, b) => a.age - b.age || Number(b.came) - Number(a.came));
  const ages: number[] = [];
  const labelled: number[] = [];
  let without = 1;
  for (let i = 0; i < seen.length; ) {
    const { age } = seen[i];
    const atRisk = seen.length - i;
    let came = 0;
    for (; i < seen.length && seen[i].age === age; i++) if (seen[i].came) came++;
    if (came === 0) continue;
    without *= 1 - came / atRisk;
    ages.push(age);
    labelled.push(1 - without);
  }
  return {
    ages: Float64Array.from(ages),
    labelled: Float64Array.from(labelled),
    missing: without,
    ageOf(share) {
      if (!(share > 0 && share <= 1))
        refuse('ERR_RANGE', 'share', 'a number above 0 and at most 1', tell(share), 'correct it');
      const at = labelled.findIndex((value) => value >= share - 1e-12);
      return at < 0 ? null : ages[at];
    },
  };
}
