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
/** and who takes longer than this, but not before it has taken so many times as long */
const PATIENCE_MS = 60_000;
const LEAST = 2;
/** fits of the first contestant, of which the slowest counts against the others */
const LOOKS = 3;

/**
 * Contestants as rivals of the harness: each climbs its rungs until it reaches the goal, and is then timed at that rung. Who
 * takes more than `MOST` times as long as the first for a fit (fewer times where that is more than a minute) is stopped and
 * shown as that: its looser rungs missed the goal, and tighter ones take longer. One that never reaches the goal, or fails, is shown as wrong.
 * @param say  is told of each fit
 */
export function race(goal: Goal, contestants: readonly Contestant[], say: (line: string) => void = () => {}): Rival[] {
  let limitMs = Number.POSITIVE_INFINITY;
  let times = MOST;
  return contestants.map(({ name, rungs, fit }, i) => {
    let chosen = 0;

    async function climb(): Promise<Verdict> {
      let best = Number.POSITIVE_INFINITY;
      for (chosen = 0; chosen < rungs.length; chosen++) {
        const setting = rungs[chosen];
        let run: Run | null;
        let shortfall = Number.POSITIVE_INFINITY;
        try {
          run = await fit(chosen, limitMs);
          if (run) shortfall = goal.shortfall(run.params);
        } catch (error) {
          return { wrong: `${setting}: ${(error as Error).message}` };
        }
        say(`${name}, ${setting}: ${run ? `${run.ms.toPrecision(3)} ms, ${shortfall.toPrecision(2)}` : 'stopped'}`);
        if (!run || run.ms > limitMs) return { moreThan: times, setting };
        if (shortfall <= goal.limit) {
          const count = run.iterations === undefined ? [] : [`${run.iterations} iterations`];
          if (i === 0) await setLimit(run.ms);
          return { difference: shortfall, setting: [setting, ...count].join(', ') };
        }
        best = Math.min(best, shortfall);
      }
      return { difference: best, wrong: `reached ${best.toPrecision(2)}, not ${goal.limit}, at ${rungs.at(-1)}` };
    }

    async function setLimit(ms: number): Promise<void> {
      let slowest = ms;
      for (let look = 1; look < LOOKS; look++) slowest = Math.max(slowest, (await fit(chosen))!.ms);
      times = Math.max(LEAST, Math.min(MOST, Math.floor(PATIENCE_MS / slowest)));
      limitMs = times * slowest;
    }

    return {
      name,
      check: climb,
      async sample(timeMs: number): Promise<number> {
        const taken: number[] = [];
        let spent = 0;
        do {
          const { ms } = (await fit(chosen))!;
          taken.push(ms);
          spent += ms;
        } while (spent < timeMs);
        return median(taken);
      },
    };
  });
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
