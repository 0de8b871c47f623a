// A service of the command under load: overload, hot swaps, and a long time at half load.
//   npm run test:service -- load [--seconds 60] [--swaps 1000]     --seconds 0: swaps alone
//   npm run test:service -- soak [--seconds 600]
// Rates are shares of what the machine does at the time; the figures mean little where others use it.
import { once } from 'node:events';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fit, loadModel, saveModel, tableFromRecords } from 'logodds';
import { serve } from '../clients/run.mjs';
import { generate } from './generator.mjs';

const ROW = '{"code":"2","x":0.5}';
const ONE = { path: '/models/codes/score', type: 'application/json' };
const batch = (rows) => (rows === 1 ? ROW : `[${new Array(rows).fill(ROW).join()}]`);
const DEADLINE_MS = 1000;

const checks = [];
/** Notes whether something is as it should be. */
function check(isSo, what) {
  checks.push(isSo);
  console.log(`${isSo ? 'ok  ' : 'FAIL'} ${what}`);
}

const round = (value, digits = 2) => Number(value.toFixed(digits));
const sum = (values) => values.reduce((total, value) => total + value, 0);
const mean = (values) => sum(values) / values.length;

/** Seconds of the processor that a process has used. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const residentOf = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

async function ended(child) {
  const code = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  return code;
}

/** Three times what it can do. Goodput counts what was answered before the deadline. */
async function overload(rows, connections, seconds, least) {
  const { child, url } = await serve('codes=test/conformance/codes.safetensors', '--no-grpc');
  const base = { ...ONE, url, bodies: [batch(rows)] };
  const most = { ...base, rate: null, connections: 32 };
  const measured = async (load) => {
    const before = cpuOf(child.pid);
    const found = await generate(load);
    return { ...found, cpu: cpuOf(child.pid) - before };
  };
  await generate({ ...most, seconds: 2 });
  const before = await measured({ ...most, seconds: 3 });
  const rate = before.ok / 3;
  const headers = { timeout: `${DEADLINE_MS / 1000}` };
  const over = await measured({ ...base, headers, rate: 3 * rate, connections, seconds, patienceMs: DEADLINE_MS });
  const calm = await generate({
    ...base,
    headers,
    rate: rate / 2,
    connections: 32,
    seconds: 5,
    patienceMs: DEADLINE_MS,
  });
  const after = await measured({ ...most, seconds: 3 });
  const capacity = (before.ok + after.ok) / 6;
  const goodput = over.ok / seconds / capacity;
  const byCpu = over.ok / over.cpu / ((before.ok + after.ok) / (before.cpu + after.cpu));
  const refused = sum(Object.entries(over.statuses).map(([status, count]) => (status === '200' ? 0 : count)));
  console.log(
    `     ${rows} rows a request, ${connections} clients, ${seconds} s: capacity ${round(before.ok / 3, 0)} and ${round(after.ok / 3, 0)} requests/s, ` +
      `answered ${over.ok}, refused ${refused}, lost ${over.lost}, p50 ${round(over.p50 ?? 0, 0)} ms, p99 ${round(over.p99 ?? 0, 0)} ms`,
  );
  check(
    Math.max(goodput, byCpu) >= least,
    `goodput ${round(goodput)} of capacity, ${round(byCpu)} by time of the processor: at least ${least}`,
  );
  check(over.p99 < DEADLINE_MS, `p99 of what was answered, ${round(over.p99 ?? 0, 0)} ms: below ${DEADLINE_MS} ms`);
  const late = sum(calm.slices.slice(2).map(({ other }) => other));
  check(late === 0, `${late} requests of half load not answered from 2 s after the overload on: 0`);
  check((await ended(child)) === 0, 'it ends with 0');
}

/**
 * One row a request from more clients than the event loop reads at a time (1,024), at once, twice and four times what it can do. By time of the processor, so
 * that other work of the machine does not count.
 */
async function steps(connections) {
  const { child, url } = await serve('codes=test/conformance/codes.safetensors', '--no-grpc');
  const base = { ...ONE, url, bodies: [ROW] };
  const perSecond = async (load) => {
    const before = cpuOf(child.pid);
    const found = await generate(load);
    return { ...found, rate: found.ok / (cpuOf(child.pid) - before) };
  };
  await generate({ ...base, rate: null, connections: 32, seconds: 3 });
  const most = await perSecond({ ...base, rate: null, connections: 32, seconds: 3 });
  for (const times of [1, 2, 4]) {
    const rate = (times * most.ok) / 3;
    const found = await perSecond({ ...base, rate, connections, seconds: 5, rampSeconds: 1 });
    const refused = sum(Object.entries(found.statuses).map(([status, count]) => (status === '200' ? 0 : count)));
    // a figure: a machine that others use leaves less than it seemed to
    console.log(
      `     ${connections} clients, ${times} x: goodput ${round(found.rate / most.rate)} by time of the processor, p99 of what was answered ${round(found.p99 ?? 0, 0)} ms, ${refused} refused, ${found.lost} lost`,
    );
  }
  await ended(child);
}

/** Two models of the same fields, of which the answers differ. */
function twoModels() {
  return [0.5, 2].map((border) => {
    const records = Array.from({ length: 200 }, (_, i) => ({
      x: i / 50,
      y: i / 50 + (i % 7) / 7 > border ? 'yes' : 'no',
    }));
    const { model } = fit(tableFromRecords(records), { target: 'y', positive: 'yes' });
    return Buffer.from(saveModel(model));
  });
}

/** One model in the place of another, again and again, while requests are answered. */
async function swaps(times) {
  const folder = await mkdtemp(join(tmpdir(), 'logodds-swaps-'));
  const file = join(folder, 'm.safetensors');
  const files = twoModels();
  const body = '{"x":1.25}';
  const expected = new Map(
    files.map((bytes) => {
      const model = loadModel(bytes);
      return [model.sha256, model.score(JSON.parse(body)).probability];
    }),
  );
  const put = (i) => {
    writeFileSync(`${file}.next`, files[i % 2]);
    renameSync(`${file}.next`, file);
  };
  put(0);
  // V8 lets its heap grow with what is allocated, by more than a model kept at every swap would take
  process.env.NODE_OPTIONS = `--max-semi-space-size=1 --import ${new URL('collect.mjs', import.meta.url)}`;
  const { child, url } = await serve(`m=${file}`, '--no-grpc', '--max-delay', '0');
  delete process.env.NODE_OPTIONS;
  const seen = new Map([...expected.keys()].map((sha256) => [sha256, 0]));
  let wrong = 0;
  let isOver = false;
  const onAnswer = ({ status, text }) => {
    const answer = status === 200 ? JSON.parse(text) : null;
    if (answer && expected.get(answer.sha256) === answer.scores[0].probability)
      seen.set(answer.sha256, seen.get(answer.sha256) + 1);
    else if (++wrong < 5) console.log('     ', status, text);
  };
  const load = {
    url,
    path: '/models/m/score',
    type: 'application/json',
    bodies: [body],
    rate: 300,
    connections: 16,
    onAnswer,
  };
  const loads = (async () => {
    const all = [];
    while (!isOver) all.push(await generate({ ...load, seconds: 3 }));
    return all;
  })();
  const memory = [];
  let failed = 0;
  for (let i = 1; i <= times; i++) {
    put(i);
    const { ok } = await fetch(`${url}/v2/repository/models/m/load`, { method: 'POST', body: '{}' });
    if (!ok) failed++;
    if (i % Math.ceil(times / 50) > 0) continue;
    const collected = once(child.stdout, 'data');
    child.kill('SIGUSR2');
    await collected;
    memory.push(residentOf(child.pid));
  }
  isOver = true;
  const all = await loads;
  const lost = sum(all.map((one) => one.lost));
  const fifth = Math.floor(memory.length / 5);
  const [early, last] = [memory.slice(fifth, 2 * fifth), memory.slice(-fifth)].map(mean);
  check(failed === 0, `${times} swaps, ${failed} failed: 0`);
  check(wrong === 0 && lost === 0, `${sum([...seen.values()])} answers, ${wrong} of neither model, ${lost} lost: 0`);
  check(
    [...seen.values()].every((count) => count > 0),
    `answers of the two models: ${[...seen.values()].join(' and ')}`,
  );
  check(
    last < 1.1 * early,
    `memory ${round(early, 0)} MiB in the second fifth, ${round(last, 0)} MiB in the last: at most 10 % more`,
  );
  await ended(child);
  rmSync(folder, { recursive: true });
}

export async function load({ seconds = 60, swaps: times = 1000 }) {
  // where a request is short, to say no costs nearly as much as its answer: see decision 097
  if (seconds > 0) {
    await overload(8192, 200, seconds, 0.9);
    await overload(1, 1000, seconds, 0.9);
    await steps(4000);
  }
  await swaps(times);
  return checks.every(Boolean);
}

/** Half of what it can do, for long. */
export async function soak({ seconds = 600 }) {
  const { child, url } = await serve('codes=test/conformance/codes.safetensors', '--no-grpc');
  const base = { ...ONE, url, bodies: [batch(1), batch(16)], connections: 32 };
  const { ok } = await generate({ ...base, rate: null, seconds: 5 });
  const memory = [];
  const watch = setInterval(() => memory.push(residentOf(child.pid)), 1000);
  const found = await generate({ ...base, rate: ok / 10, seconds });
  clearInterval(watch);
  const part = Math.max(1, Math.floor(memory.length / 10));
  const [second, last] = [memory.slice(part, 2 * part), memory.slice(-part)].map(mean);
  console.log(`     ${found.ok} answered of ${found.asked}, p99 ${round(found.p99, 1)} ms`);
  check(
    last < 1.05 * second,
    `memory ${round(second, 1)} MiB in the second tenth, ${round(last, 1)} MiB in the last: at most 5 % more`,
  );
  check(found.lost === 0, `${found.lost} lost: 0`);
  await ended(child);
  return checks.every(Boolean);
}
