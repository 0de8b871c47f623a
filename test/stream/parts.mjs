// What the suites of streams share: the command, the client in Python, and waiting.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { venv } from '../service/venv.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const MODEL = `${root}test/conformance/codes.safetensors`;
const COMMAND = process.env.LOGODDS_TEST_COMMAND ?? `${root}cli/bin/logodds.js`;
const python =
  process.env.LOGODDS_TEST_PYTHON ?? venv('stream', fileURLToPath(new URL('requirements.txt', import.meta.url)));

/** Runs a program of Python; returns the JSON that it prints. */
export function inPython(file, args, input = '', env = {}) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [path, ...args.map(String)], {
    encoding: 'utf8',
    input,
    maxBuffer: 2 ** 30,
    timeout: 300_000,
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout);
}

/** As `inPython`, of a program that asks a server in this process. */
export async function inPythonBeside(file, args) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const { stdout } = await promisify(execFile)(python, [path, ...args.map(String)], { timeout: 60_000 });
  return JSON.parse(stdout);
}

/** librdkafka at a broker. */
export const clientAt = (brokers) => ({
  create: (...topics) => inPython('client.py', [brokers, 'create', ...topics]),
  /** @param config  of librdkafka, such as compression.codec */
  fill: (topic, from, to, keys, bytes = 300, config = {}) =>
    inPython('client.py', [brokers, 'fill', topic, from, to, keys, bytes], '', {
      CLIENT_CONFIG: JSON.stringify(config),
    }),
  grow: (topic, partitions) => inPython('client.py', [brokers, 'grow', topic, partitions]),
  allow: (user, ...rights) => inPython('client.py', [brokers, 'allow', user, ...rights]),
  send: (topic, messages) =>
    inPython('client.py', [brokers, 'send', topic], messages.map((one) => `${JSON.stringify(one)}\n`).join('')),
  count: (topic, from, to, keys) => inPython('client.py', [brokers, 'count', topic, from, to, keys]),
  read: (topic) =>
    inPython('client.py', [brokers, 'read', topic]).map(({ base64, ...rest }) => ({
      ...rest,
      value: base64 === null ? null : Buffer.from(base64, 'base64'),
      header: Object.fromEntries(rest.headers),
    })),
});

const running = new Set();

/** Starts `logodds stream`. */
export function stream(args, { model = MODEL, env = {} } = {}) {
  const child = spawn(process.execPath, [COMMAND, 'stream', model, ...args.map(String), '--json'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let [out, log] = ['', ''];
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    log += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child);
    return { code, signal, log, out };
  });
  const events = () =>
    log
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  return {
    child,
    ended,
    log: () => log,
    events,
    /** Resolves with the first event of a name. */
    async event(name) {
      let found;
      await until(`the event ${name}`, () => {
        found = events().find(({ event }) => event === name);
        if (!found && child.exitCode !== null) throw new Error(`the stream ended: ${log}`);
        return found;
      });
      return found;
    },
    async stop() {
      child.kill('SIGTERM');
      const over = await ended;
      return { ...over, result: over.out === '' ? null : JSON.parse(over.out) };
    },
  };
}

/** Ends what a failure has left. */
export function endAll() {
  for (const child of running) child.kill('SIGKILL');
}

/** Waits until something holds, two minutes at most; asks every tenth of a second. */
export async function until(what, holds, seconds = 120, everyMs = 100) {
  for (const end = Date.now() + seconds * 1000; ; ) {
    if (await holds()) return;
    if (Date.now() > end) throw new Error(`expected ${what} within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** The counters of /metrics, by their names. */
export async function metricsAt(port) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.matchAll(/^(\w+)(\{[^}]*\})? (\S+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name, labels = '', value]) => [name + labels, Number(value)]));
}

/** Numbers of a seed, from 0 to 1: mulberry32. */
export function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
