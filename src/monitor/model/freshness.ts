import { whole } from '../check.ts';
import { type DelayHistogram, type DelayHistogramState, delayHistogram } from '../labels/delay.ts';
import { timeOf } from '../log/prediction.ts';

/** How old the values of a feature were when they were scored. */
export interface FeatureFreshness {
  readonly feature: string;
  /** rows whose value has a time from before the score, and upper ends of the bins in which half and 95 % of the ages lie; null: none, or beyond all bins */
  readonly count: number;
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
  /** older than `maxAgeMs` */
  readonly stale: number;
  /** true after the score: clocks differ, or the value leaked */
  readonly fromFuture: number;
  /** rows without a time, or with one that is none */
  readonly untimed: number;
}

/** Ages of one feature, as a state has them. */
export interface FreshnessState {
  readonly ages: DelayHistogramState;
  readonly stale: number;
  readonly untimed: number;
}

class Ages {
  readonly ages: DelayHistogram;
  stale: number;
  untimed: number;

  constructor(state?: FreshnessState) {
    this.ages = delayHistogram(state?.ages);
    this.stale = whole('stale', state?.stale ?? 0);
    this.untimed = whole('untimed', state?.untimed ?? 0);
  }
}

/** Counts how old values are when they are scored, by feature. Merges in any order. */
export class Freshness {
  /** what has the time of the values of a feature, by its name */
  readonly sources: Readonly<Record<string, string>>;
  readonly #maxAgeMs: number;
  readonly #of: ReadonlyMap<string, Ages>;

  constructor(
    sources: Readonly<Record<string, string>>,
    maxAgeMs: number,
    state: Readonly<Record<string, FreshnessState>> = {},
  ) {
    this.sources = sources;
    this.#maxAgeMs = maxAgeMs;
    this.#of = new Map(Object.keys(sources).map((feature) => [feature, new Ages(state[feature])]));
  }

  /** @param time  of the value, milliseconds since 1970; NaN: not known */
  add(feature: string, at: number, time: number): void {
    const own = this.#of.get(feature);
    if (!own) return;
    if (Number.isNaN(time)) {
      own.untimed++;
      return;
    }
    own.ages.add(at - time);
    if (at - time > this.#maxAgeMs) own.stale++;
  }

  /** @param record  with the times, in ISO 8601 or milliseconds since 1970 */
  addRecord(at: number, record: Readonly<Record<string, unknown>>): void {
    for (const [feature, source] of Object.entries(this.sources))
      this.add(feature, at, (Object.hasOwn(record, source) ? timeOf(record[source]) : null) ?? Number.NaN);
  }

  merge(other: Freshness): void {
    for (const [feature, { ages, stale, untimed }] of other.#of) {
      const own = this.#of.get(feature)!;
      own.ages.merge(ages);
      own.stale += stale;
      own.untimed += untimed;
    }
  }

  get features(): FeatureFreshness[] {
    return [...this.#of].map(([feature, { ages, stale, untimed }]) => {
      const { count, negative: fromFuture } = ages;
      const upTo = (share: number): number | null => {
        const high = count > 0 ? ages.quantile(share)!.high : Number.POSITIVE_INFINITY;
        return Number.isFinite(high) ? high : null;
      };
      return { feature, count, medianMs: upTo(0.5), p95Ms: upTo(0.95), stale, fromFuture, untimed };
    });
  }

  toJSON(): Record<string, FreshnessState> {
    return Object.fromEntries(
      [...this.#of].map(([feature, { ages, stale, untimed }]) => [feature, { ages: ages.toJSON(), stale, untimed }]),
    );
  }
}
