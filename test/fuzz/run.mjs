/*
 * Loads mutants of model files, and files made to hurt a loader, and sees that each is refused or scores.
 *
 *   node test/fuzz/run.mjs [--count 10000] [--seed 1] [--only INDEX]
 *   node test/fuzz/run.mjs json|csv [--count 10000] [--seed 1] [--only INDEX]     bytes that are scored: bytes.mjs
 *   node test/fuzz/run.mjs service|grpc [--count 10000] [--seed 1] [--only INDEX] requests to a service: service.mjs, grpc.mjs
 *
 * Of what loads, Node also has the command describe it: inspect, its JSON, the figures of eval, and of each hundredth the page of --report.
 *
 * Runs in Node, Deno (-A) and Bun. A failure is saved in test/fuzz/build/ with its index; `--only` loads that mutant again.
 * A run of a million mutants or more in Node is recorded in test/fuzz/result.json.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import * as library from 'logodds/score';
import { allStages } from 'logodds/stages';
import { describer } from './describe.mjs';
import { examiner } from './examine.mjs';
import { HOSTILE, LARGE, writeHostile } from './hostile.mjs';
import { mutant, seedsOf } from './mutate.mjs';

/** A mutant (its file is below 1 MB) takes less than this. */
const LIMIT_MS = 100;
/** What a worker that loads mutants may hold on its heap, and how much the process may grow between the first tenth and the end. */
const HEAP_MB = 128;
/** No mutant for this long is a hang. */
const HANG_MS = 10_000;
/** A file made by hand: time and memory grow with its size and with nothing else. JSON.parse alone takes 100 ms of this at worst. */
const LIMIT_MS_PER_MB = 500;
const LIMIT_MB_PER_MB = 64;

const self = fileURLToPath(import.meta.url);
const build = fileURLToPath(new URL('build/', import.meta.url));
const runtime = globalThis.Deno ? 'deno' : globalThis.Bun ? 'bun' : 'node';
const readSeeds = () =>
  seedsOf(
    [
      ...['numeric', 'categorical', 'offset', 'treatment', 'wide', 'policies'].map((name) => `../conformance/${name}`),
      ...['rich', 'costs', 'report', 'stack'],
    ].map((name) => readFileSync(new URL(`${name}.safetensors`, import.meta.url))),
  );
const rssMB = () => process.memoryUsage().rss / 1e6;

/** Processor time of one examination; a hang is what the main thread sees. A slow one is done again: it may have paid for the garbage of others. */
function timed(examine, bytes) {
  let best = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 5 && best > LIMIT_MS; tries++) {
    const begin = processorMs();
    examine(bytes);
    best = Math.min(best, processorMs() - begin);
  }
  return best;
}

/** Milliseconds of processor time of this process. */
function processorMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

/** Every so many mutants the page of a report is drawn as well. */
const PAGE_EVERY = 100;
/** What the command says of a model: in Node alone, since other runtimes do not run the command. */
const describers = async () =>
  runtime === 'node' ? describer(await import(new URL('../../cli/dist/main.js', import.meta.url).href)) : null;

/** The worker: mutants from `from` to `count`; `progress` tells the main thread which one it is at. */
async function loadMutants({ seed, from, count, progress }) {
  const described = await describers();
  const seeds = readSeeds();
  const examine = examiner(library, allStages);
  const at = new Int32Array(progress);
  const report = { kinds: {}, ends: {}, slowestMs: 0, sealed: 0, described: 0, failures: [], earlyMB: 0, lateMB: 0 };
  for (let index = from; index < count && report.failures.length < 20; index++) {
    Atomics.store(at, 0, index);
    const { kind, sealed, bytes } = mutant(seeds, seed, index);
    let end = 'failure';
    try {
      const ms = timed((file) => {
        end = examine(file);
      }, bytes);
      if (ms > LIMIT_MS && bytes.length < 1e6) throw new Error(`took ${ms.toFixed(0)} ms`);
      report.slowestMs = Math.max(report.slowestMs, ms);
      if (end === 'loaded' && described) {
        const told = index % PAGE_EVERY === 0 ? await described.page(bytes) : described.texts(bytes);
        report.described += told === 'described' ? 1 : 0;
      }
    } catch (error) {
      report.failures.push({ index, kind, why: String(error.message).slice(0, 300) });
    }
    report.sealed += sealed ? 1 : 0;
    report.ends[end] = (report.ends[end] ?? 0) + 1;
    report.kinds[kind] ??= { mutants: 0, loaded: 0 };
    report.kinds[kind].mutants++;
    report.kinds[kind].loaded += end === 'loaded' ? 1 : 0;
    if (index === Math.floor(count / 10)) report.earlyMB = rssMB();
  }
  report.lateMB = rssMB();
  return report;
}

/** Runs the workers: a crash or a hang ends one of them, and the next begins behind that mutant. */
async function runMutants(seed, count) {
  const total = { kinds: {}, ends: {}, slowestMs: 0, sealed: 0, described: 0, failures: [], growthMB: 0 };
  for (let from = 0; from < count && total.failures.length < 20; ) {
    const progress = new SharedArrayBuffer(4);
    const at = new Int32Array(progress);
    const end = await new Promise((resolve) => {
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { seed, from, count, progress },
        resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
      });
      let last = -1;
      let since = performance.now();
      const watch = setInterval(() => {
        const index = Atomics.load(at, 0);
        if (process.stderr.isTTY) process.stderr.write(`\r${index} of ${count}`);
        if (index !== last) since = performance.now();
        last = index;
        if (performance.now() - since > HANG_MS) done({ crash: `no answer in ${HANG_MS} ms` });
      }, 1000);
      const done = (result) => {
        // first: ending a worker is an exit, too
        resolve(result);
        clearInterval(watch);
        worker.terminate();
      };
      worker.on('message', (report) => done({ report }));
      worker.on('error', (error) => done({ crash: `${error.code ?? error.name}: ${error.message}` }));
      worker.on('exit', (code) => done({ crash: `the worker ended with ${code}` }));
    });
    if (end.report) {
      const { report } = end;
      for (const [key, n] of Object.entries(report.ends)) total.ends[key] = (total.ends[key] ?? 0) + n;
      for (const [key, { mutants, loaded }] of Object.entries(report.kinds)) {
        const sum = total.kinds[key] ?? { mutants: 0, loaded: 0 };
        total.kinds[key] = { mutants: sum.mutants + mutants, loaded: sum.loaded + loaded };
      }
      total.slowestMs = Math.max(total.slowestMs, report.slowestMs);
      total.sealed += report.sealed;
      total.described += report.described;
      total.failures.push(...report.failures);
      total.growthMB = report.earlyMB > 0 ? report.lateMB - report.earlyMB : 0;
      from = count;
    } else {
      from = Atomics.load(at, 0);
      total.failures.push({ index: from, kind: mutant(readSeeds(), seed, from).kind, why: end.crash });
      from++;
    }
  }
  if (total.growthMB > HEAP_MB)
    total.failures.push({ index: -1, kind: '', why: `memory grew by ${total.growthMB} MB` });
  return total;
}

/** The process that loads one large file: prints how it ended. */
function loadHostile(path) {
  const bytes = readFileSync(path);
  const examine = examiner(library, allStages);
  const before = process.resourceUsage().maxRSS / 1e3;
  let end = '';
  const ms = timed((file) => {
    end = examine(file);
  }, bytes);
  console.log(JSON.stringify({ end, ms, growthMB: process.resourceUsage().maxRSS / 1e3 - before }));
}

function runHostile(names) {
  const results = [];
  for (const name of names) {
    const path = `${build}hostile.safetensors`;
    writeHostile(name, path);
    const MB = statSync(path).size / 1e6;
    const args = [...(runtime === 'deno' ? ['run', '-A'] : []), self, '--hostile', path];
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      timeout: 300_000,
    });
    let result;
    if (status === 0) {
      const { end, ms, growthMB } = JSON.parse(stdout);
      const slow = ms > LIMIT_MS + LIMIT_MS_PER_MB * MB;
      const large = growthMB > HEAP_MB + LIMIT_MB_PER_MB * MB;
      result = { name, MB, end, ms, growthMB, failure: slow ? 'slow' : large ? 'memory' : null };
    } else {
      result = {
        name,
        MB,
        failure: `${signal ?? status}: ${stderr.trim().split('\n').slice(-6).join(' ').slice(0, 300)}`,
      };
    }
    rmSync(path);
    results.push(result);
    const figures = result.end
      ? `${result.ms.toFixed(1)} ms, ${result.growthMB.toFixed(0)} MB more: ${result.end}`
      : '';
    console.log(
      `${result.failure ? 'FAILED' : 'ok'}  ${name}, ${MB.toFixed(2)} MB  ${figures} ${result.failure ?? ''}`,
    );
  }
  return results;
}

/** What is fuzzed beside model files. */
const FUZZERS = {
  bytes: async (format, options) => (await import('./bytes.mjs')).fuzzBytes(format, options),
  async service(_, options) {
    // traces take most of the time of a refusal
    Error.stackTraceLimit = 0;
    const [library, { fuzzService }] = await Promise.all([import('@logodds/service'), import('./service.mjs')]);
    return fuzzService(library, options);
  },
  grpc: async (_, options) => (await import('./grpc.mjs')).fuzzGrpc(options),
};

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      hostile: { type: 'string' },
    },
  });
  if (values.hostile) return loadHostile(values.hostile);
  const [count, seed] = [Number(values.count), Number(values.seed)];
  if (positionals.length > 0) {
    const only = values.only === undefined ? null : Number(values.only);
    const [what] = positionals;
    process.exitCode = (await FUZZERS[what in FUZZERS ? what : 'bytes'](what, { count, seed, only })) ? 0 : 1;
    return;
  }
  mkdirSync(build, { recursive: true });
  const save = (index) => {
    const { kind, bytes } = mutant(readSeeds(), seed, index);
    const path = `${build}seed${seed}-${index}.safetensors`;
    writeFileSync(path, bytes);
    return { kind, bytes, path };
  };
  if (values.only !== undefined) {
    const { kind, bytes, path } = save(Number(values.only));
    console.log(`${path}: ${kind}, ${bytes.length} bytes`);
    console.log(examiner(library, allStages)(bytes));
    return;
  }
  const isLong = count >= 1e6;
  const names = [...Object.keys(HOSTILE), ...(isLong ? Object.keys(LARGE) : [])];
  console.log(`${count} mutants of seed ${seed}, then ${names.length} files made by hand`);
  const begin = performance.now();
  const { kinds, ends, slowestMs, sealed, described, failures, growthMB } = await runMutants(seed, count);
  const seconds = (performance.now() - begin) / 1000;
  const hostile = runHostile(names);
  for (const { index, kind, why } of failures) {
    console.log(`FAILED  mutant ${index} (${kind}): ${why}${index < 0 ? '' : `; saved as ${save(index).path}`}`);
  }
  const failed = failures.length + hostile.filter(({ failure }) => failure).length;
  const refused = count - (ends.loaded ?? 0) - failures.length;
  console.log(
    `${count} mutants in ${seconds.toFixed(0)} s: ${ends.loaded ?? 0} loaded and scored (${described} of them described by the command), ${refused} refused in ` +
      `${Object.keys(ends).length - 1} ways, slowest ${slowestMs.toFixed(1)} ms, memory ${growthMB.toFixed(0)} MB more at the end`,
  );
  console.log(`${count + hostile.length - failed} passed, ${failed} failed`);
  if (isLong && runtime === 'node') {
    const git = (...args) => execFileSync('git', args, { encoding: 'utf8', cwd: build }).trim();
    const byCount = (a, b) => b[1] - a[1];
    const result = {
      date: new Date().toISOString(),
      commit: `${git('rev-parse', 'HEAD')}${git('status', '--porcelain') ? ' and changes' : ''}`,
      command: `node test/fuzz/run.mjs --count ${count} --seed ${seed}`,
      runtime: `Node ${process.versions.node}`,
      mutants: { count, seed, sealed, described, seconds: Math.round(seconds), slowestMs, growthMB },
      peakRssMB: process.resourceUsage().maxRSS / 1e3,
      failed,
      failures,
      ends: Object.fromEntries(Object.entries(ends).sort(byCount)),
      kinds,
      hostile,
    };
    const round = (_, value) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value);
    writeFileSync(new URL('result.json', import.meta.url), `${JSON.stringify(result, round, 2)}\n`);
  }
  process.exitCode = failed > 0 ? 1 : 0;
}

if (isMainThread) await main();
else parentPort.postMessage(await loadMutants(workerData));
