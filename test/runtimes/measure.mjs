// Measures the packed library on every runtime, in one run:
//   node test/runtimes/measure.mjs                        throughput, memory, cold start
//   node test/runtimes/measure.mjs cold                   one of them
//   node test/runtimes/measure.mjs --without firefox      all but these runtimes
//   node test/runtimes/measure.mjs --check                exits with 1 when a floor does not hold
// Results go to build/measure.json and, as Markdown, to standard output.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { binary, build, prepare } from './setup.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean' }, without: { type: 'string', multiple: true } },
});
prepare();
const { RUNTIMES } = await import('./runtimes.mjs');
const { coldNode, coldOnnx, coldWorkerd } = await import('./cold.mjs');
const { resident, SESSIONS } = await import('./sessions.mjs');

const without = (values.without ?? []).flatMap((names) => names.split(','));
const names = Object.keys(SESSIONS).filter((name) => !without.includes(name));
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
const verdict = (holds) => (holds ? 'yes' : '**no**');

/** rounds of throughput, and calls in each: about a tenth of a second */
const ROUNDS = 9;
const CALLS = 10_000;
/** scores before memory is looked at, and then, in this many looks */
const MILLION = 1_000_000;
const LOOKS = 100;
/** fresh processes of each kind */
const STARTS = 21;

const FLOORS = { throughput: 0.8, memory: 0.05, coldMs: 4, onnx: 50 };

/** Rounds go around the runtimes, so that a slow moment of the machine meets all of them; the best round of each counts. */
async function throughput() {
  const sessions = new Map();
  for (const name of names) sessions.set(name, await SESSIONS[name]());
  const best = new Map(names.map((name) => [name, Number.POSITIVE_INFINITY]));
  const results = new Map();
  const timed = async (session, count) => {
    const begin = performance.now();
    const result = await session.obey({ work: 'throughput', count });
    return { ms: performance.now() - begin, result };
  };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, session] of sessions) {
      // from outside, less an order of nothing: one clock for all, and the only one that goes on while a Worker computes
      const { ms: nothing } = await timed(session, 0);
      const { ms, result } = await timed(session, CALLS);
      results.set(name, result);
      if (round > 0) best.set(name, Math.min(best.get(name), ms - nothing));
    }
  }
  for (const session of sessions.values()) await session.stop();
  const bits = results.get('node').value;
  return names.map((name) => {
    const { engine, value } = results.get(name);
    const ratio = best.get('node') / best.get(name);
    const holds = ratio >= FLOORS.throughput && value === bits;
    return {
      runtime: name,
      version: RUNTIMES[name].version(),
      engine,
      microseconds: (best.get(name) / CALLS) * 1000,
      ratio,
      holds,
    };
  });
}

/** A million scores after a million: resident memory of the process in the first and the last tenth, read from outside. */
async function memory() {
  const found = [];
  for (const name of names) {
    const session = await SESSIONS[name]();
    for (const work of ['records', 'batches']) {
      for (let i = 0; i < LOOKS; i++) await session.obey({ work, count: MILLION / LOOKS });
      const pid = session.pid();
      const looks = [];
      const linear = new Set();
      for (let i = 0; i < LOOKS; i++) {
        linear.add((await session.obey({ work, count: MILLION / LOOKS })).memory);
        looks.push(resident(pid));
      }
      const first = mean(looks.slice(0, LOOKS / 10));
      const last = mean(looks.slice(-LOOKS / 10));
      const change = last / first - 1;
      const [linearBytes] = linear;
      const holds = Math.abs(change) <= FLOORS.memory && linear.size === 1;
      found.push({ runtime: name, work, first, last, change, linearBytes, grew: linear.size > 1, holds });
    }
    await session.stop();
  }
  return found;
}

/** Medians over fresh processes, the kinds by turns. */
async function cold() {
  const kinds = {
    node: coldNode(process.execPath),
    node22: coldNode(binary('node22/bin/node')),
    node24: coldNode(binary('node24/bin/node')),
    node26: coldNode(binary('node26/bin/node')),
    workerd: await coldWorkerd(),
    onnx: await coldOnnx(),
  };
  const runs = Object.fromEntries(Object.keys(kinds).map((name) => [name, []]));
  for (let turn = 0; turn < STARTS; turn++) {
    for (const [name, start] of Object.entries(kinds)) runs[name].push(await start(turn));
  }
  const medians = Object.entries(runs).map(([name, list]) => {
    const keys = Object.keys(list[0]).filter((key) => key === 'whole' || key === 'idle' || /ms$/i.test(key));
    return [name, Object.fromEntries(keys.map((key) => [key, median(list.map((run) => run[key]))]))];
  });
  const { onnx, ...ours } = Object.fromEntries(medians);
  return Object.entries({ ...ours, onnx }).map(([name, parts]) => {
    const ratio = onnx.ms / parts.ms;
    const holds = name === 'onnx' || (parts.ms <= FLOORS.coldMs && ratio >= FLOORS.onnx);
    return { runtime: name === 'onnx' ? 'onnxruntime-web in node' : name, ...parts, ratio, holds };
  });
}

/** what is measured: how, and its table */
const MEASURES = {
  throughput: {
    measure: throughput,
    title: `Logits and sigmoid of 1024 × 32 f32; floor ${FLOORS.throughput} of Node's, and the same bits`,
    head: ['runtime', 'version', 'engine', 'µs a call', 'of Node', 'holds'],
    row: (r) => [r.runtime, r.version, r.engine, r.microseconds.toFixed(2), r.ratio.toFixed(2), verdict(r.holds)],
  },
  memory: {
    measure: memory,
    title: `A million scores after a million; resident memory, floor ${FLOORS.memory * 100} %, and linear memory, which may not grow`,
    head: ['runtime', 'scores', 'first tenth', 'last tenth', 'change', 'linear memory', 'holds'],
    row: (r) => [
      r.runtime,
      r.work,
      megabytes(r.first),
      megabytes(r.last),
      `${(r.change * 100).toFixed(1)} %`,
      megabytes(r.linearBytes) + (r.grew ? ', grew' : ''),
      verdict(r.holds),
    ],
  },
  cold: {
    measure: cold,
    title: `Cold start to the first score, 200 features, imports done: median of ${STARTS} processes; at most ${FLOORS.coldMs} ms and 1/${FLOORS.onnx} of onnxruntime-web`,
    head: ['runtime', 'ms', 'parts, ms', 'times as fast as onnxruntime-web', 'holds'],
    row: ({ runtime, ms, ratio, holds, ...parts }) => [
      runtime,
      ms.toFixed(2),
      Object.entries(parts)
        .map(([name, value]) => `${name.replace('Ms', '')} ${value.toFixed(2)}`)
        .join(', '),
      ratio.toFixed(1),
      verdict(holds),
    ],
  },
};

const wanted = positionals.length > 0 ? positionals : Object.keys(MEASURES);
const unknown = wanted.find((name) => !(name in MEASURES));
if (unknown) {
  console.error(`${unknown}: expected ${Object.keys(MEASURES).join(', ')}`);
  process.exit(2);
}
const file = join(build, 'measure.json');
const results = { machine: cpus()[0].model, date: new Date().toISOString().slice(0, 10), loadBefore: loadavg()[0] };
let short = 0;
for (const name of wanted) {
  const { measure, title, head, row } = MEASURES[name];
  console.error(`measuring ${name} ...`);
  results[name] = await measure();
  short += results[name].filter(({ holds }) => !holds).length;
  const table = [head, head.map(() => '---'), ...results[name].map(row)];
  console.log(`\n${title}\n\n${table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}`);
}
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
console.log(`\n${results.machine}, ${cpus().length} processors, load before ${results.loadBefore.toFixed(1)}; ${file}`);
if (values.check && short > 0) {
  console.log(`${short} below the floor`);
  process.exitCode = 1;
}
