/*
 * The accuracy of the elementwise kernels, by the module that ships: every f32 there is, and of f64 more than 10⁸ with the
 * hard regions, against true values of more than 100 bits (check.ts), which are themselves held against integers
 * (reference.ts). Writes bench/results/accuracy.json; exits with 1 when a bound is broken.
 *
 *   npm run accuracy                    everything: some minutes
 *   npm run accuracy -- --threads 2     on two threads
 *   npm run accuracy -- --quick         a sample, in seconds; written to bench/build/accuracy.json
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { kernelsText } from '../../bindings/kernels.generated.ts';
import type { Kernels } from '../../bindings/kernels.ts';
import { compile, inlinedBytes, instantiate } from '../../bindings/wasm.ts';
import { bitsRight, constants } from './reference.ts';

interface Checks {
  readonly TERMS: { readonly value: number };
  setTable(address: number): void;
  value(f: number, x: number): void;
  high(): number;
  low(): number;
  scaling(): number;
  reset(stats: number): void;
  seed(value: number): void;
  checkF32(f: number, z: number, y: number, n: number, down: number, stats: number): void;
  checkF64(f: number, z: number, y: number, n: number, down: number, stats: number): void;
  symmetryF32(z: number, positive: number, negative: number, n: number, stats: number): void;
  symmetryF64(z: number, positive: number, negative: number, n: number, stats: number): void;
  fillF32(from: number, n: number, z: number, opposite: number): void;
  fillF64(
    a: number,
    b: number,
    steps: number,
    from: number,
    parts: number,
    n: number,
    z: number,
    opposite: number,
  ): void;
}

const FUNCTIONS = ['sigmoid', 'exp', 'softplus'] as const;
type Name = `${(typeof FUNCTIONS)[number]}${'F32' | 'F64'}`;
/** most units of the last place each may be off; sigmoid's are those the library promises */
const BOUNDS: Record<Name, number> = {
  sigmoidF32: 1,
  expF32: 1,
  softplusF32: 1,
  sigmoidF64: 2.5,
  expF64: 1,
  softplusF64: 2,
};
const SEED = 20010101;
const CHUNK = 16384;

/** where f64 is looked at: magnitudes [from, to], both signs; see `fillF64` */
interface Region {
  readonly what: string;
  readonly from: number;
  readonly to: number;
  readonly steps: 0 | 1 | 2;
  /** magnitudes; every one is tried with both signs */
  readonly count: number;
}

/** a piece of work, small enough to share out */
type Job =
  | { readonly name: Name; readonly from: number; readonly count: number }
  | { readonly name: Name; readonly region: Region; readonly from: number; readonly count: number };

/** what was found, as check.ts keeps it */
type Found = number[];

const FIELDS = { max: 0, maxAt: 1, points: 2, misrounded: 3, falls: 4, fallAt: 5, symmetry: 6, symmetryAt: 7, nan: 8 };
const LENGTH = 10;

function regions(count: number): Region[] {
  const share = (part: number) => Math.max(CHUNK, Math.round(part * count));
  const list: Region[] = [
    { what: 'evenly over [0, 50]', from: 0, to: 50, steps: 0, count: share(0.3) },
    { what: 'evenly over [0, 750]', from: 0, to: 750, steps: 0, count: share(0.2) },
    { what: 'evenly over the doubles from 2⁻⁷⁰ to 1024', from: 2 ** -70, to: 1024, steps: 1, count: share(0.2) },
    { what: 'over all doubles', from: 0, to: Number.MAX_VALUE, steps: 1, count: share(0.02) },
    { what: 'results that are subnormal', from: 708, to: 745.2, steps: 0, count: share(0.1) },
    { what: 'where 1 + exp(−z) becomes 1', from: 34, to: 38, steps: 0, count: share(0.1) },
    { what: 'the overflow of exp', from: 709.7, to: 709.8, steps: 0, count: share(0.01) },
    { what: 'doubles one by one from 0', from: 0, to: 0, steps: 2, count: CHUNK },
  ];
  // runs of neighbouring doubles, where a fall would show
  const starts: [string, number][] = [];
  for (let n = 0; n <= 1075; n++)
    starts.push(['where the reduction of exp changes, (n + ½)·ln 2', (n + 0.5) * Math.LN2]);
  for (let e = -60; e <= 9; e++) starts.push(['where the unit of z changes', 2 ** e]);
  for (let i = 1; i <= 1000; i++) starts.push(['elsewhere in [0, 10]', i / 100]);
  const each = Math.max(64, Math.round((0.15 * count) / starts.length));
  const view = new DataView(new ArrayBuffer(8));
  for (const [where, start] of starts) {
    view.setFloat64(0, start);
    view.setBigUint64(0, view.getBigUint64(0) - BigInt(each >> 1));
    list.push({ what: `doubles one by one ${where}`, from: view.getFloat64(0), to: 0, steps: 2, count: each });
  }
  return list;
}

function jobs(quick: boolean): Job[] {
  const list: Job[] = [];
  for (const f of FUNCTIONS) {
    // all magnitudes of f32, NaN among them, in slices; quickly: the start of each slice
    const slice = 2 ** 31 / 256;
    for (let from = 0; from < 2 ** 31; from += slice) {
      list.push({ name: `${f}F32`, from, count: quick ? 2048 : slice });
    }
    const count = (quick ? 1e5 : 6e7) * (f === 'sigmoid' ? 1 : 0.2);
    for (const region of regions(count)) {
      const piece = 2 ** 21;
      for (let from = 0; from < region.count; from += piece) {
        list.push({ name: `${f}F64`, region, from, count: Math.min(piece, region.count - from) });
      }
    }
  }
  return list;
}

/** an instance of the kernels and of their judge in one memory */
function bench(judge: WebAssembly.Module) {
  const { kernels, heap } = instantiate<Kernels>(compile(kernelsText));
  const checks = new WebAssembly.Instance(judge, { env: { memory: heap.memory as unknown as WebAssembly.Memory } })
    .exports as unknown as Checks;
  const table = constants(checks.TERMS.value);
  const address = heap.allocate(table.byteLength, 'the table').address;
  heap.f64.set(table, address / 8);
  checks.setTable(address);
  const [z, opposite, y, yOpposite] = [0, 1, 2, 3].map(() => heap.allocate((CHUNK + 2) * 8, 'a buffer').address);
  const stats = heap.allocate(LENGTH * 8, 'the figures').address;

  function run(job: Job): Found {
    const f = FUNCTIONS.findIndex((name) => job.name.startsWith(name));
    const wide = job.name.endsWith('F64');
    const kernel = kernels[job.name];
    checks.reset(stats);
    checks.seed(SEED + job.from);
    for (let i = 0; i < job.count; i += CHUNK) {
      // two numbers of the chunk before go along, so that no neighbours go uncompared
      const lap = i > 0 || (!('region' in job) && job.from > 0) ? 2 : 0;
      const n = Math.min(CHUNK, job.count - i) + lap;
      const from = job.from + i - lap;
      if ('region' in job) {
        const { region } = job;
        checks.fillF64(region.from, region.to, region.steps, from, region.count, n, z, opposite);
      } else checks.fillF32(from, n, z, opposite);
      kernel(z, n, y);
      kernel(opposite, n, yOpposite);
      const check = wide ? checks.checkF64 : checks.checkF32;
      check(f, z, y, n, 0, stats);
      check(f, opposite, yOpposite, n, 1, stats);
      if (f === 0) (wide ? checks.symmetryF64 : checks.symmetryF32)(z, y, yOpposite, n, stats);
      heap.f64[stats / 8 + FIELDS.points] -= 2 * lap;
    }
    return [...heap.f64.subarray(stats / 8, stats / 8 + LENGTH)];
  }

  /** the least number of bits of the judge's values that are right, over random points and hard ones */
  function bitsOfReference(f: number, count: number): number {
    let state = SEED;
    const next = () => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return state / 2 ** 31;
    };
    const points = [1e-9, 0.1, 0.5, 1, 36.7368, 599.9, 600.1, 708.4, 709.78, 744.4];
    for (let i = 0; i < count; i++) points.push(50 * next(), 745 * next(), 2 ** (39.5 * next() - 30));
    let least = Number.POSITIVE_INFINITY;
    for (const point of points) {
      for (const x of [point, -point]) {
        if (f === 1 && x > 709.78) continue;
        checks.value(f, x);
        least = Math.min(least, bitsRight(f, x, checks.high(), checks.low(), checks.scaling()));
      }
    }
    return least;
  }

  return { run, bitsOfReference };
}

function merge(all: Found | undefined, found: Found): Found {
  if (!all) return found;
  const { max, points, misrounded, falls, symmetry, nan } = FIELDS;
  const out = all.slice();
  for (const field of [points, misrounded, falls, nan]) out[field] += found[field];
  for (const field of [max, symmetry]) {
    if (!(found[field] <= all[field])) [out[field], out[field + 1]] = [found[field], found[field + 1]];
  }
  if (found[falls]) out[FIELDS.fallAt] = found[FIELDS.fallAt];
  out[9] = Math.max(all[9], found[9]);
  return out;
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

async function main(judge: WebAssembly.Module): Promise<void> {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, threads: { type: 'string', default: '1' } },
  });
  const { quick } = values;
  const start = performance.now();
  // as they are now: the module under test is already loaded
  const commit = git('rev-parse', 'HEAD');
  const modified = git('status', '--porcelain', '--', 'assembly', 'bindings') !== '';
  const local = bench(judge);
  const trials = quick ? 100 : 3000;
  const reference = Object.fromEntries(FUNCTIONS.map((name, f) => [name, local.bitsOfReference(f, trials)]));
  console.log('bits of the reference that are right, at least:', JSON.stringify(reference));

  const queue = jobs(quick);
  const all: Partial<Record<Name, Found>> = {};
  const total = queue.reduce((sum, job) => sum + job.count, 0);
  let done = 0;
  let told = 0;
  const take = (job: Job, found: Found) => {
    all[job.name] = merge(all[job.name], found);
    done += job.count;
    if (done < told + total / 20) return;
    told = done;
    console.error(`${Math.round((100 * done) / total)} % after ${((performance.now() - start) / 1000).toFixed(0)} s`);
  };
  const threads = Number(values.threads);
  if (!(threads > 1)) for (const job of queue) take(job, local.run(job));
  else {
    await Promise.all(
      Array.from({ length: threads }, () => {
        const worker = new Worker(new URL(import.meta.url), { workerData: judge });
        return new Promise<void>((resolve, reject) => {
          let job: Job | undefined;
          const next = () => {
            job = queue.shift();
            if (job) worker.postMessage(job);
            else {
              void worker.terminate();
              resolve();
            }
          };
          worker.on('message', (found: Found) => {
            if (job) take(job, found);
            next();
          });
          worker.on('error', reject);
          next();
        });
      }),
    );
  }

  let broken = 0;
  const kernels = Object.fromEntries(
    Object.entries(all).map(([key, found]) => {
      const name = key as Name;
      const at = (field: keyof typeof FIELDS) => found[FIELDS[field]];
      const sigmoid = name.startsWith('sigmoid');
      const right =
        at('max') <= BOUNDS[name] &&
        at('nan') === 0 &&
        (name === 'softplusF64' || at('falls') === 0) &&
        (!sigmoid || at('symmetry') <= 1);
      if (!right) broken++;
      const figures = {
        points: at('points'),
        maxUlp: at('max'),
        at: String(at('maxAt')),
        bound: BOUNDS[name],
        notNearest: at('misrounded'),
        falls: at('falls'),
        ...(at('falls') ? { fallsAt: at('fallAt') } : {}),
        ...(sigmoid ? { symmetryUlp: at('symmetry'), symmetryAt: String(at('symmetryAt')) } : {}),
        wrongNaN: at('nan'),
      };
      console.log(
        `${name.padEnd(11)} ${at('points').toExponential(3)} points   max ${at('max').toFixed(7)} ulp at ${at('maxAt')}` +
          `   not nearest ${at('misrounded')}   falls ${at('falls')}   NaN wrong ${at('nan')}` +
          `${sigmoid ? `   |σ(−z) − (1 − σ(z))| ${at('symmetry')} ulp at ${at('symmetryAt')}` : ''}` +
          `${right ? '' : '   BROKEN'}`,
      );
      return [name, figures];
    }),
  );
  for (const [name, bits] of Object.entries(reference)) {
    if (bits >= 100) continue;
    console.log(`the reference of ${name} has ${bits} bits, fewer than 100`);
    broken++;
  }
  const fastest = Math.max(...Object.values(all).map((found) => found[9]));
  if (!(fastest < 2 ** -48)) {
    console.log(`the quick reference is off by ${fastest}, more than 2⁻⁴⁸`);
    broken++;
  }
  const bytes = Buffer.from(inlinedBytes(kernelsText));
  const results = {
    suite: 'accuracy',
    command: `npm run accuracy${quick ? ' -- --quick' : ''}`,
    date: new Date().toISOString().slice(0, 10),
    commit,
    modified,
    kernels: `sha256 ${createHash('sha256').update(bytes).digest('hex')}`,
    node: process.version,
    cpu: cpus()[0]?.model ?? '',
    seconds: Math.round((performance.now() - start) / 1000),
    notes: [
      'maxUlp: the largest error in units of the last place of the true value; notNearest: results that are not the nearest.',
      quick ? 'A sample of the f32 inputs.' : 'F32: all 2³² inputs, each NaN among them.',
      'F64: random points in sorted order, and runs of neighbouring doubles where the reduction of exp changes, at powers of two and elsewhere; falls counts neighbours in the wrong order.',
      'The reference: sums of two f64 (bench/accuracy/check.ts), constants and checks by 512-bit integers (bench/accuracy/reference.ts).',
      'symmetryUlp: the largest |σ(−z) − (1 − σ(z))| in units of the last place of σ(z), z >= 0.',
    ],
    referenceBits: reference,
    quickReferenceError: fastest,
    results: kernels,
  };
  const folder = quick ? 'bench/build' : 'bench/results';
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/accuracy.json`, `${JSON.stringify(results, null, 1)}\n`);
  console.log(`${results.seconds} s, raw results: ${folder}/accuracy.json`);
  process.exitCode = broken ? 1 : 0;
}

if (isMainThread) {
  const path = fileURLToPath(new URL('./accuracy.wasm', import.meta.url));
  await main(new WebAssembly.Module(new Uint8Array(readFileSync(path))));
} else {
  const { run } = bench(workerData as WebAssembly.Module);
  parentPort?.on('message', (job: Job) => parentPort?.postMessage(run(job)));
}
