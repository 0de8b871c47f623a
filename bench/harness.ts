import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { Bench } from 'tinybench';
import { type Case, figure, type Machine, median, type Rival, ratio, type Settings, type Verdict } from './timings.ts';

export const SEED = 20010101;

export function settings(quick: boolean): Settings {
  return quick ? { quick, rounds: 1, timeMs: 10 } : { quick, rounds: 5, timeMs: 40 };
}

/** results are folded in here and printed, so that no work can be dropped as unused */
export let sink = 0;

const SAMPLE_MS = 0.2;
/** a case that has taken this long is over after so many rounds */
const LONG_MS = 4000;
const ENOUGH = 3;
/** and one that has taken this long, after the first */
const LONGEST_MS = 120_000;

/** A rival in this process. `run` returns a number from its result, for the sink. */
export function local(name: string, run: () => number, extra: Pick<Rival, 'output' | 'exact'> = {}): Rival {
  let repeat = 0;
  return {
    name,
    ...extra,
    sample(timeMs) {
      if (!repeat) {
        // until a sample is long enough for the clock, and for a while, so that the compiler is done with it
        const until = performance.now() + timeMs;
        do {
          for (let tries = 1; ; tries *= 2) {
            const start = performance.now();
            for (let i = 0; i < tries; i++) sink += run();
            const ms = performance.now() - start;
            if (ms < SAMPLE_MS) continue;
            repeat = Math.max(1, Math.ceil((tries * SAMPLE_MS) / ms));
            break;
          }
        } while (performance.now() < until);
      }
      const bench = newBench(timeMs);
      bench.add(name, () => {
        for (let i = 0; i < repeat; i++) sink += run();
      });
      bench.runSync();
      return middle(bench) / repeat;
    },
  };
}

/** A rival in this process whose interface is asynchronous: a call is over when its promise is. */
export function asynchronous(name: string, run: () => Promise<number>, extra: Pick<Rival, 'output'> = {}): Rival {
  let warm = false;
  return {
    name,
    ...extra,
    async sample(timeMs) {
      if (!warm) {
        warm = true;
        const until = performance.now() + timeMs;
        do sink += await run();
        while (performance.now() < until);
      }
      const bench = newBench(timeMs);
      bench.add(
        name,
        async () => {
          sink += await run();
        },
        { async: true },
      );
      await bench.run();
      return middle(bench);
    },
  };
}

function newBench(time: number): Bench {
  return new Bench({ time, iterations: 1, warmup: false, throws: true });
}

function middle(bench: Bench): number {
  const [{ name, result }] = bench.tasks;
  if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`);
  return result.latency.p50;
}

/**
 * Checks the outputs of rivals, then times them side by side: in each round all of them one after the other, in turning
 * order, so that a slow minute of the machine falls on all alike. The ratio within a round is the figure; a time alone says
 * little.
 */
export async function compare(
  work: Omit<Case, 'timings'>,
  rivals: readonly Rival[],
  { rounds, timeMs }: Settings,
): Promise<Case> {
  const expected = (await rivals[0].output?.())?.valueOf() as ArrayLike<number> | undefined;
  // a copy: the next rival may write to the same memory
  const reference = expected && Float64Array.from(expected);
  const checks: Verdict[] = [];
  const began = performance.now();
  const slow = new Set<Rival>();
  for (const rival of rivals) {
    const start = performance.now();
    const verdict = await rival.check?.();
    const actual = reference && rival !== rivals[0] ? await rival.output?.() : undefined;
    if (performance.now() - start > timeMs) slow.add(rival);
    checks.push(verdict ?? (actual ? check(actual, reference!, rival.exact ? 0 : work.tolerance) : {}));
  }
  const right = rivals.filter((_, i) => !checks[i].wrong && !checks[i].moreThan);
  const taken = new Map<Rival, number[]>(rivals.map((rival) => [rival, []]));
  // what was checked and takes long has been warmed up by that
  for (const rival of right) if (!slow.has(rival)) await rival.sample(timeMs / 4);
  for (let round = 0; round < rounds; round++) {
    const spent = performance.now() - began;
    if ((round >= ENOUGH && spent > LONG_MS) || (round > 0 && spent > LONGEST_MS)) break;
    for (let turn = 0; turn < right.length; turn++) {
      const rival = right[(turn + round) % right.length];
      taken.get(rival)!.push(await rival.sample(timeMs));
    }
  }
  const timings = rivals.map((rival, i) => {
    const times = taken.get(rival)!;
    return { name: rival.name, median: times.length ? median(times) : 0, rounds: times, ...checks[i] };
  });
  const result = { ...work, timings };
  report(result);
  globalThis.gc?.();
  return result;
}

function check(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): Verdict {
  if (actual.length !== expected.length) return { wrong: `${actual.length} values, not ${expected.length}` };
  let scale = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]));
    const difference = Math.abs(actual[i] - expected[i]);
    // NaN counts as infinitely wrong
    worst = difference <= worst ? worst : Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  const difference = scale ? worst / scale : worst;
  return difference <= tolerance ? { difference } : { difference, wrong: `differs by ${difference.toPrecision(2)}` };
}

function report({ name, timings, unit }: Case): void {
  const [first, ...rest] = timings;
  const others = rest.map((other) => {
    if (other.wrong) return `${other.name} WRONG (${other.wrong})`;
    if (other.moreThan) return `${other.name} more than ${other.moreThan}×`;
    return `${other.name} ${ratio(first, other).toPrecision(3)}×`;
  });
  const mine = first.wrong ? `WRONG (${first.wrong})` : figure(first.median, unit);
  console.error(`  ${name}: ${mine}; ${others.join(', ')}`);
}

export function machine(): Machine {
  const git = (...args: string[]) => {
    try {
      return execFileSync('git', args, { stdio: ['ignore', 'pipe', 'ignore'] })
        .toString()
        .trim();
    } catch {
      return '';
    }
  };
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0],
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    v8: process.versions.v8,
    logodds: version,
    commit: git('rev-parse', '--short=12', 'HEAD') || 'unknown',
    changed: git('status', '--porcelain') !== '',
    date: new Date().toISOString().slice(0, 10),
  };
}

/** versions of the rivals that npm installed */
export function packages(): Record<string, string> {
  const { devDependencies } = JSON.parse(readFileSync('bench/package.json', 'utf8'));
  return Object.fromEntries(
    Object.keys(devDependencies).map((name) => [
      name,
      JSON.parse(readFileSync(`bench/node_modules/${name}/package.json`, 'utf8')).version,
    ]),
  );
}

/** numbers in [-1, 1), the same on every machine */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}
