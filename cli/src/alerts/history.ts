/** What was counted of events: those that are bad, and all. */
export interface Counts {
  readonly bad: number;
  readonly all: number;
}

/** A history as it is saved: times in milliseconds, and what was counted until then. */
export interface SavedHistory {
  readonly since: number | null;
  readonly at: readonly number[];
  readonly bad: readonly number[];
  readonly all: readonly number[];
}

/** Points that are kept of a time that is as long ago as it is long. */
const SHARE = 64;
/** Points between two sweeps. */
const SWEEP = 32;

/**
 * What two counters had at times of the past, in bounded memory: the older, the fewer points. Two points beside each other, the later one `t` ago, are at
 * most `t / 64` apart, or neighbours as they were added. In between it is a straight line. So the begin of a window is off by at most a 64th of its
 * length, and events that come evenly are counted exactly. 30 days in steps of 30 s are some 600 points.
 */
export class History {
  /** when it was measured for the second time: from then on there is an increase. Infinity: not yet */
  #since = Number.POSITIVE_INFINITY;
  #at: number[] = [];
  #bad: number[] = [];
  #all: number[] = [];
  #added = 0;
  readonly #share: number;

  /** @param share  Infinity: all points are kept */
  constructor(share = SHARE) {
    this.#share = share;
  }

  /** @throws Error for what is no history */
  static restore({ since, at, bad, all }: SavedHistory): History {
    const isWhole = [at, bad, all].every(
      (list) => Array.isArray(list) && list.length === at.length && list.every(Number.isFinite),
    );
    if (!isWhole || !at.every((time, i) => i === 0 || time >= at[i - 1]))
      throw new Error('expected counts in the order of time, got others');
    const history = new History();
    history.#since = since ?? Number.POSITIVE_INFINITY;
    [history.#at, history.#bad, history.#all] = [[...at], [...bad], [...all]];
    return history;
  }

  get since(): number {
    return this.#since;
  }

  get length(): number {
    return this.#at.length;
  }

  /** What has been counted in all. */
  get last(): Counts {
    return { bad: this.#bad.at(-1) ?? 0, all: this.#all.at(-1) ?? 0 };
  }

  /** Notes what has come since the last time. @param keep  milliseconds after which nobody asks */
  add(now: number, { bad, all }: Counts, keep: number): void {
    const count = this.#at.length;
    if (count > 0 && this.#since === Number.POSITIVE_INFINITY) this.#since = now;
    const last = this.last;
    // a line that is level needs its two ends alone
    const wasLevel = count > 1 && this.#all[count - 2] === last.all && this.#bad[count - 2] === last.bad;
    if (wasLevel && bad === 0 && all === 0) {
      this.#at[count - 1] = now;
      return;
    }
    this.#at.push(now);
    this.#bad.push(last.bad + bad);
    this.#all.push(last.all + all);
    if (++this.#added % SWEEP === 0) this.#sweep(now, keep);
  }

  /** What came between two times. */
  within(from: number, to: number): Counts {
    const [begin, end] = [this.#until(from), this.#until(to)];
    return { bad: end.bad - begin.bad, all: end.all - begin.all };
  }

  #until(time: number): Counts {
    const at = this.#at;
    let [low, high] = [0, at.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at[middle] <= time) low = middle + 1;
      else high = middle;
    }
    // low: the first point after this time
    if (low === 0) return { bad: this.#bad[0] ?? 0, all: this.#all[0] ?? 0 };
    if (low === at.length) return this.last;
    const part = (time - at[low - 1]) / (at[low] - at[low - 1]);
    const between = (values: readonly number[]) => values[low - 1] + part * (values[low] - values[low - 1]);
    return { bad: between(this.#bad), all: between(this.#all) };
  }

  #sweep(now: number, keep: number): void {
    const at = this.#at;
    const kept: number[] = [];
    for (let i = 0; i < at.length; i++) {
      const next = at[i + 1];
      if (next !== undefined && next < now - keep) continue;
      const before = kept.at(-1);
      const isEnd = before === undefined || next === undefined;
      if (isEnd || next - at[before] > (now - next) / this.#share) kept.push(i);
    }
    const of = (values: readonly number[]) => kept.map((i) => values[i]);
    [this.#at, this.#bad, this.#all] = [of(at), of(this.#bad), of(this.#all)];
  }

  save(): SavedHistory {
    const since = this.#since === Number.POSITIVE_INFINITY ? null : this.#since;
    return { since, at: this.#at, bad: this.#bad, all: this.#all };
  }
}
