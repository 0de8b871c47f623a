import { median, type Rival, type Verdict } from './timings.ts';

/** One fit, timed by whoever did it: from data in memory to parameters. */
export interface Run {
  readonly ms: number;
  /** what the goal judges, in the order it says */
  readonly params: Float64Array;
  readonly iterations?: number;
}

/** Someone who fits, at any of several settings. */
export interface Contestant {
  readonly name: string;
  /** the settings, from the loosest to the tightest, as they are shown */
  readonly rungs: readonly string[];
  /** @returns null when it was stopped, which who can be stopped is after `limitMs` */
  fit(rung: number, limitMs?: number): Promise<Run | null> | Run | null;
}

/** When a fit is good enough. */
export interface Goal {
  readonly limit: number;
  /** how far these parameters are from a perfect answer; at most `limit` is good enough. The same code for all contestants. */
  shortfall(params: Float64Array): number;
}

/** Suboptimality that a fit must reach, as part of the optimum. */
export const SUBOPTIMAL = 1e-8;

/**
 * (f − f*)/|f*| ≤ 1e-8.
 * @throws when a contestant is below f*: then the reference was no minimum, and no figure of the case means anything
 */
export function suboptimality(f: (params: Float64Array) => number, optimum: Float64Array): Goal {
  const least = f(optimum);
  return {
    limit: SUBOPTIMAL,
    shortfall: (params) => {
      const above = (f(params) - least) / Math.abs(least);
      if (above < -SUBOPTIMAL) throw new Error(`f* is not the minimum, ${(-above).toPrecision(2)} of it below`);
      return above;
    },
  };
}

/** max |aᵢ − bᵢ|/scaleᵢ: for answers that are numbers of their own, not the argument of an objective. */
export function closeness(expected: Float64Array, scale: Float64Array, limit: number): Goal {
  return {
    limit,
    shortfall: (params) => {
      if (params.length !== expected.length) return Number.POSITIVE_INFINITY;
      let worst = 0;
      params.forEach((value, i) => {
        const apart = Math.abs(value - expected[i]) / scale[i];
        // NaN counts as infinitely far
        worst = apart <= worst ? worst : Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
      });
      return worst;
    },
  };
}

/** Who takes more than so many times as long as the first contestant is stopped. */
export const MOST = 10;
/** fits of the first contestant, of which the slowest counts against the others */
const LOOKS = 3;

/**
 * Contestants as rivals of the harness: each is timed at the loosest of its rungs that reaches the goal, which is found by
 * bisection. Who takes more than `MOST` times as long as the first for a fit is stopped, and is not tried at tighter rungs.
 * One whose looser rungs all miss the goal is shown as slower than that; one that never reaches it, or fails, as wrong.
 */
export function race(goal: Goal, contestants: readonly Contestant[]): Rival[] {
  let limitMs = Number.POSITIVE_INFINITY;
  return contestants.map((contestant, i) => {
    const { name, fit } = contestant;
    let chosen = 0;
    return {
      name,
      async check(): Promise<Verdict> {
        const verdict = await climb(goal, contestant, limitMs, (rung) => {
          chosen = rung;
        });
        if (i === 0 && !verdict.wrong) {
          let slowest = 0;
          for (let look = 0; look < LOOKS; look++) slowest = Math.max(slowest, (await fit(chosen))!.ms);
          limitMs = MOST * slowest;
        }
        return verdict;
      },
      async sample(timeMs: number): Promise<number> {
        const times: number[] = [];
        let spent = 0;
        do {
          const { ms } = (await fit(chosen))!;
          times.push(ms);
          spent += ms;
        } while (spent < timeMs);
        return median(times);
      },
    };
  });
}

/** The loosest rung that reaches the goal, which `choose` is told, by fits that are stopped after a time. */
async function climb(
  goal: Goal,
  { rungs, fit }: Contestant,
  limitMs: number,
  choose: (rung: number) => void,
): Promise<Verdict> {
  let found: Verdict | undefined;
  let best = Number.POSITIVE_INFINITY;
  let low = 0;
  let high = rungs.length;
  let stopped = '';
  while (low < high) {
    const rung = (low + high) >> 1;
    let run: Run | null;
    let shortfall = Number.POSITIVE_INFINITY;
    try {
      run = await fit(rung, limitMs);
      if (run) shortfall = goal.shortfall(run.params);
    } catch (error) {
      return { wrong: `${rungs[rung]}: ${(error as Error).message}` };
    }
    if (!run || run.ms > limitMs) {
      stopped = rungs[rung];
      high = rung;
    } else if (shortfall <= goal.limit) {
      const count = run.iterations === undefined ? [] : [`${run.iterations} iterations`];
      found = { difference: shortfall, setting: [rungs[rung], ...count].join(', ') };
      choose(rung);
      high = rung;
    } else {
      best = Math.min(best, shortfall);
      low = rung + 1;
    }
  }
  if (found) return found;
  if (stopped) return { moreThan: MOST, setting: stopped };
  return { difference: best, wrong: `reached ${best.toPrecision(2)}, not ${goal.limit}, at ${rungs.at(-1)}` };
}

/** 10^-first … 10^-last */
export function tolerances(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => Number(`1e-${first + i}`));
}

/** What a fit of this process gives; to put its parameters in order is not part of its time. */
export interface Fit {
  params(): Float64Array;
  readonly iterations?: number;
}

/** A contestant of this process, at tolerances. */
export function contestant(name: string, tols: readonly number[], fit: (tol: number) => Fit): Contestant {
  return {
    name,
    rungs: tols.map((tol) => `tol ${tol.toExponential()}`),
    fit: (rung) => {
      const start = performance.now();
      const { params, iterations } = fit(tols[rung]);
      const ms = performance.now() - start;
      return { ms, params: params(), iterations };
    },
  };
}
