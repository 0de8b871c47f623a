/** The statistics of an experiment, of rows in memory. */
import { LogoddsError, type Warning } from '../../../src/index.ts';
import { list, show } from '../../../src/internal.ts';
import {
  type AdjustedEstimate,
  type DifferenceEstimate,
  type FixedHorizon,
  type Interval,
  type MeanDifference,
  meanDifference,
  type RateDifference,
  rateDifference,
  type SampleRatio,
  sampleRatioMismatch,
} from '../../../src/monitor.ts';

/** Looks along the rows: so many points has a curve, and so often an exact test is computed. */
const LOOKS = 200;
const MOST_GROUPS = 200;

/** Rows in the order in which they are looked at. */
export interface ExperimentRows {
  readonly arms: readonly string[];
  readonly arm: ArrayLike<number>;
  readonly outcome: ArrayLike<number>;
  readonly kind: 'rate' | 'mean';
  readonly score: ArrayLike<number> | null;
  readonly groups: readonly string[];
  /** null: no groups */
  readonly group: ArrayLike<number> | null;
  /** rows of each arm that count for the sample ratio: keys where there are some */
  readonly assigned: readonly number[];
}

export interface ExperimentSettings {
  /** index of the arm the others are compared with */
  readonly control: number;
  /** probability of each arm */
  readonly shares: readonly number[];
  readonly alpha: number;
  readonly tightestAt: number;
}

/** A point of the curve of a confidence sequence. */
export interface Look extends Interval {
  readonly rows: number;
  readonly difference: number;
}

/** An arm beside the control. */
export interface Comparison {
  readonly arm: string;
  /** exact: by `rateDifference`; asymptotic: by `meanDifference`; adjusted: the same with the score */
  readonly method: 'exact' | 'asymptotic' | 'adjusted';
  /** level of this comparison: alpha over the number of arms that are compared */
  readonly alpha: number;
  readonly difference: number | null;
  /** confidence sequence by the method; null: too few rows */
  readonly interval: Interval | null;
  readonly fixed: FixedHorizon | null;
  readonly plain: DifferenceEstimate | null;
  readonly adjusted: AdjustedEstimate | null;
  /** always valid, by the method: the least of all looks */
  readonly p: number;
  /** of all rows together, which `interval` is of too: 1 over the e-value, at most 1 */
  readonly pNow: number;
  readonly isRejected: boolean;
  readonly curve: readonly Look[];
}

/** A comparison within a group. */
export interface GroupComparison extends Omit<Comparison, 'curve'> {
  readonly group: string;
  readonly rows: number;
  /** p adjusted by Benjamini and Hochberg over all groups and arms */
  readonly q: number;
  readonly isDiscovery: boolean;
}

export interface ArmFigures {
  readonly arm: string;
  readonly rows: number;
  readonly share: number;
  /** rate or mean; null without rows */
  readonly mean: number | null;
}

export interface Experiment {
  readonly kind: 'rate' | 'mean';
  readonly control: string;
  readonly alpha: number;
  readonly arms: readonly ArmFigures[];
  readonly sampleRatio: SampleRatio & { readonly counts: readonly number[] };
  readonly comparisons: readonly Comparison[];
  readonly groups: readonly GroupComparison[];
}

/** An experiment and how it was read. */
export interface ExperimentResult extends Experiment {
  readonly rows: number;
  readonly outcome: string;
  /** the outcome whose rate is compared; null for means */
  readonly positive: string | null;
  readonly score: string | null;
  readonly by: string | null;
  readonly time: string | null;
  /** keys in two arms or more, whose rows are left out; null without --key */
  readonly duplicates: { readonly keys: number; readonly rows: number; readonly examples: readonly string[] } | null;
  readonly conclusion: string;
  readonly warnings: readonly Warning[];
}

/** Two arms, filled row after row. */
class Pair {
  readonly #means: MeanDifference;
  readonly #rates: RateDifference | null;
  readonly #isAdjusted: boolean;
  #pending: [[number, number], [number, number]] = [
    [0, 0],
    [0, 0],
  ];
  rows = 0;
  readonly curve: Look[] = [];

  constructor(
    kind: ExperimentRows['kind'],
    isAdjusted: boolean,
    share: number,
    settings: ExperimentSettings,
    alpha: number,
  ) {
    this.#means = meanDifference({ alpha, tightestAt: settings.tightestAt });
    this.#rates = kind === 'rate' ? rateDifference({ alpha, share }) : null;
    this.#isAdjusted = isAdjusted;
  }

  add(isTreatment: boolean, outcome: number, score: number | undefined): void {
    this.#means.add(isTreatment, outcome, score);
    const arm = this.#pending[isTreatment ? 1 : 0];
    arm[0]++;
    if (outcome === 1) arm[1]++;
    this.rows++;
  }

  look(): void {
    const [control, treatment] = this.#pending;
    if (control[0] + treatment[0] === 0) return;
    this.#rates?.addCounts({ control, treatment });
    this.#pending = [
      [0, 0],
      [0, 0],
    ];
    const { difference, interval } = this.#now();
    if (difference !== null && interval) this.curve.push({ rows: this.rows, difference, ...interval });
  }

  found(arm: string): Comparison {
    const { estimate: plain, adjusted, alpha } = this.#means;
    const test = this.#exact ?? this.#means;
    return {
      arm,
      method: this.#exact ? 'exact' : this.#isAdjusted ? 'adjusted' : 'asymptotic',
      alpha,
      ...this.#now(),
      fixed: this.#isAdjusted ? (adjusted?.fixed ?? null) : (this.#rates?.fixed ?? plain?.fixed ?? null),
      plain,
      adjusted,
      p: test.p,
      pNow: Math.min(1, 1 / test.eValue),
      isRejected: test.isRejected,
      curve: this.curve,
    };
  }

  /** rates without a score are compared exactly */
  get #exact(): RateDifference | null {
    return this.#isAdjusted ? null : this.#rates;
  }

  #now(): Pick<Comparison, 'difference' | 'interval'> {
    const by = this.#exact ?? this.#means.adjusted ?? this.#means.estimate;
    return { difference: by?.difference ?? null, interval: by?.interval ?? null };
  }
}

/** Computes all figures. @throws ERR_DATA fewer than two arms, too many groups; ERR_RANGE shares */
export function experimentOf(rows: ExperimentRows, settings: ExperimentSettings): Experiment {
  const { arms, kind, score, group, groups } = rows;
  if (arms.length < 2)
    throw new LogoddsError(
      'ERR_DATA',
      `arms: expected two or more, got ${arms.length ? list(arms) : 'none'}; check --arm`,
    );
  if (groups.length > MOST_GROUPS) {
    const next = 'name a column with fewer values, or derive one with --query';
    throw new LogoddsError('ERR_DATA', `--by: expected at most ${MOST_GROUPS} groups, got ${groups.length}; ${next}`);
  }
  const others = arms.flatMap((_, k) => (k === settings.control ? [] : [k]));
  const alpha = settings.alpha / others.length;
  const pairOf = (k: number, level: number): Pair => {
    const share = settings.shares[k] / (settings.shares[k] + settings.shares[settings.control]);
    return new Pair(kind, score !== null, share, settings, level);
  };
  const whole = others.map((k) => pairOf(k, alpha));
  const within = groups.map(() => others.map((k) => pairOf(k, settings.alpha)));
  const all = [...whole, ...within.flat()];
  const counts = arms.map(() => 0);
  const sums = arms.map(() => 0);
  const n = rows.arm.length;
  const every = Math.max(1, Math.ceil(n / LOOKS));
  for (let i = 0; i < n; i++) {
    const arm = rows.arm[i];
    const outcome = rows.outcome[i];
    counts[arm]++;
    sums[arm] += outcome;
    for (const pairs of group ? [whole, within[group[i]]] : [whole]) {
      pairs.forEach((pair, j) => {
        if (arm === others[j] || arm === settings.control) pair.add(arm === others[j], outcome, score?.[i]);
      });
    }
    if ((i + 1) % every === 0 || i === n - 1) for (const pair of all) pair.look();
  }
  return {
    kind,
    control: arms[settings.control],
    alpha: settings.alpha,
    arms: arms.map((arm, k) => ({
      arm,
      rows: counts[k],
      share: settings.shares[k],
      mean: counts[k] ? sums[k] / counts[k] : null,
    })),
    sampleRatio: { ...sampleRatioMismatch(rows.assigned, settings.shares), counts: rows.assigned },
    comparisons: whole.map((pair, j) => pair.found(arms[others[j]])),
    groups: discoveries(
      within.flatMap((pairs, g) =>
        pairs.map((pair, j) => {
          const { curve: _, ...found } = pair.found(arms[others[j]]);
          return { ...found, group: groups[g], rows: pair.rows };
        }),
      ),
      settings.alpha,
    ),
  };
}

/**
 * Adds to each p what it is when false discoveries among all are to be at most alpha: q of rank r is the least p·m/rank of this and later ranks.
 * @see Benjamini, Hochberg, JRSS B 57(1), 1995
 */
export function discoveries<P extends { readonly p: number }>(
  list: readonly P[],
  alpha: number,
): (P & { readonly q: number; readonly isDiscovery: boolean })[] {
  const order = list.map((_, i) => i).sort((a, b) => list[b].p - list[a].p);
  const q = new Float64Array(list.length);
  let least = 1;
  order.forEach((i, k) => {
    least = Math.min(least, (list[i].p * list.length) / (list.length - k));
    q[i] = least;
  });
  return list.map((one, i) => ({ ...one, q: q[i], isDiscovery: q[i] <= alpha }));
}

/** The probability of each arm. @throws ERR_RANGE */
export function sharesOf(arms: readonly string[], given: Readonly<Record<string, number>> | undefined): number[] {
  if (!given) return arms.map(() => 1 / arms.length);
  const missing = arms.filter((arm) => !Object.hasOwn(given, arm));
  const unknown = Object.keys(given).filter((arm) => !arms.includes(arm));
  if (missing.length > 0)
    throw new LogoddsError(
      'ERR_RANGE',
      `--shares: expected a share of every arm, got none of ${list(missing)}; add it`,
    );
  if (unknown.length > 0) {
    const next = `arms are ${list(arms)}`;
    throw new LogoddsError('ERR_RANGE', `--shares: expected arms of the data, got ${list(unknown)}; ${next}`);
  }
  const sum = arms.reduce((total, arm) => total + given[arm], 0);
  if (Math.abs(sum - 1) > 1e-6)
    throw new LogoddsError('ERR_RANGE', `--shares: expected a sum of 1, got ${show(sum)}; divide each by their sum`);
  return arms.map((arm) => given[arm] / sum);
}
