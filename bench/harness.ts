import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { Bench } from 'tinybench';

/** One way to do the work of a case. `run` returns a number from its result, for the sink. */
export interface Rival {
  readonly name: string;
  run(): number;
}

/** Milliseconds of one call of a rival. */
export interface Timing {
  readonly name: string;
  /** median over rounds of the median of a round's samples */
  readonly median: number;
  /** the least and largest median of a round: how far to trust the figure */
  readonly low: number;
  readonly high: number;
  /** 99th percentile of a round, median over rounds */
  readonly p99: number;
  /** calls in one sample, samples in all */
  readonly repeat: number;
  readonly samples: number;
}

/** One line of the results. */
export interface Case {
  readonly name: string;
  /** what one call does: rows scored, bytes of the batch read, floating-point operations when they are the limit */
  readonly rows: number;
  readonly bytes: number;
  readonly flops?: number;
  readonly timings: readonly Timing[];
}

export interface Results {
  readonly suite: string;
  readonly machine: ReturnType<typeof machine>;
  readonly settings: { readonly rounds: number; readonly timeMs: number; readonly seed: number };
  /** what the figures leave out, and how they were taken */
  readonly notes: readonly string[];
  readonly cases: readonly Case[];
}

export interface Settings {
  readonly quick: boolean;
  readonly rounds: number;
  readonly timeMs: number;
}

export function settings(quick: boolean): Settings {
  return quick ? { quick, rounds: 1, timeMs: 40 } : { quick, rounds: 3, timeMs: 200 };
}

/** results are folded in here and printed, so that no work can be dropped as unused */
export let sink = 0;

const SAMPLE_MS = 0.2;

/** how many calls make a sample long enough for the clock; run until the compiler is done with it, too */
function calibrate({ run }: Rival): number {
  for (let repeat = 1; ; repeat *= 2) {
    const start = performance.now();
    for (let i = 0; i < repeat; i++) sink += run();
    const ms = performance.now() - start;
    if (ms >= SAMPLE_MS) return Math.max(1, Math.ceil((repeat * SAMPLE_MS) / ms));
  }
}

/**
 * Times rivals side by side: in each round all of them one after the other, in turning order, so that a slow minute of
 * the machine falls on all alike. The ratio of two medians is the figure; a time alone says little.
 */
export function compare(rivals: readonly Rival[], { rounds, timeMs }: Settings): Timing[] {
  const repeats = rivals.map((rival) => {
    const until = performance.now() + timeMs / 10;
    let repeat = calibrate(rival);
    while (performance.now() < until) repeat = calibrate(rival);
    return repeat;
  });
  const medians: number[][] = rivals.map(() => []);
  const p99s: number[][] = rivals.map(() => []);
  const samples = rivals.map(() => 0);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < rivals.length; turn++) {
      const i = (turn + round) % rivals.length;
      const { name, run } = rivals[i];
      const repeat = repeats[i];
      // calibrate() has warmed it up
      const bench = new Bench({ time: timeMs, iterations: 1, warmup: false, throws: true });
      bench.add(name, () => {
        for (let c = 0; c < repeat; c++) sink += run();
      });
      const [{ result }] = bench.runSync();
      if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`);
      medians[i].push(result.latency.p50 / repeat);
      p99s[i].push(result.latency.p99 / repeat);
      samples[i] += result.latency.samplesCount;
    }
  }
  return rivals.map(({ name }, i) => ({
    name,
    median: median(medians[i]),
    low: Math.min(...medians[i]),
    high: Math.max(...medians[i]),
    p99: median(p99s[i]),
    repeat: repeats[i],
    samples: samples[i],
  }));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** the fastest of those whose name starts with `prefix` */
export function best(timings: readonly Timing[], prefix: string): Timing {
  const [first, ...rest] = timings.filter(({ name }) => name.startsWith(prefix));
  return rest.reduce((a, b) => (b.median < a.median ? b : a), first);
}

export function machine() {
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
  const tinybench = JSON.parse(readFileSync('bench/node_modules/tinybench/package.json', 'utf8')).version;
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0],
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    v8: process.versions.v8,
    logodds: version as string,
    tinybench: tinybench as string,
    commit: git('rev-parse', '--short=12', 'HEAD') || 'unknown',
    changed: git('status', '--porcelain') !== '',
    date: new Date().toISOString().slice(0, 10),
  };
}

/** numbers in [-1, 1), the same on every machine */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}
