// What a host must bear: 10,000 idle connections; and how long it takes to start.
//   npm run test:service -- host
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { serve } from '../clients/run.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const MODEL = 'codes=test/conformance/codes.safetensors';
const RECORD = '{"code":"2","x":0.5}';
const IDLE = 10_000;
/** Connections of a process: a system that allows 1024 files a process is enough for the service alone. */
const EACH = 2500;
const STARTS = 11;

const score = (url) =>
  fetch(`${url}/models/codes/score`, { method: 'POST', body: RECORD, headers: { 'content-type': 'application/json' } });

/** Runs as a process of its own: opens connections and keeps them. */
async function hold(url, count) {
  const { hostname, port } = new URL(url);
  for (let open = 0; open < count; open += 100) {
    const some = Array.from({ length: Math.min(100, count - open) }, async () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', (error) => {
        throw error;
      });
      await once(socket, 'connect');
      // one request, then nothing
      socket.write('GET /ping HTTP/1.1\r\nhost: a\r\n\r\n');
      await once(socket, 'data');
    });
    await Promise.all(some);
  }
  process.send('open');
}

async function idle() {
  const { child, url } = await serve(MODEL);
  const holders = Array.from({ length: IDLE / EACH }, () =>
    spawn(process.execPath, [fileURLToPath(import.meta.url), 'hold', url, String(EACH)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  const opened = await Promise.all(
    holders.map((holder) =>
      Promise.race([once(holder, 'message').then(() => true), once(holder, 'exit').then(() => false)]),
    ),
  );
  const text = await (await fetch(`${url}/metrics`)).text();
  const connections = Number(/^lr_connections (\d+)$/m.exec(text)?.[1]);
  const times = [];
  let failed = 0;
  for (let i = 0; i < 500; i++) {
    const begin = performance.now();
    if ((await score(url)).status !== 200) failed++;
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  for (const holder of holders) holder.kill('SIGKILL');
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  console.log(
    `idle: ${connections} connections open; 500 requests, ${failed} failed, median ${times[250].toFixed(2)} ms, p99 ${times[495].toFixed(2)} ms; exit ${code}`,
  );
  return opened.every(Boolean) && connections >= IDLE && failed === 0 && code === 0;
}

/** Milliseconds from start to end, or to the first answer. */
const bare = () =>
  new Promise((resolve) => {
    const begin = performance.now();
    spawn(process.execPath, ['-e', '0']).once('exit', () => resolve(performance.now() - begin));
  });

async function toFirstAnswer(port) {
  const begin = performance.now();
  const args = ['cli/bin/logodds.js', 'serve', MODEL, '--port', String(port), '--grpc-port', '0'];
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'ignore' });
  for (;;) {
    const answer = await score(`http://127.0.0.1:${port}`).catch(() => null);
    if (answer?.ok) break;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const time = performance.now() - begin;
  child.kill('SIGKILL');
  await once(child, 'exit');
  return time;
}

/** Pairs, so that what else the machine does is in both. */
async function start() {
  const { child, url } = await serve(MODEL);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const { port } = new URL(url);
  const more = [];
  for (let i = 0; i < STARTS; i++) {
    const alone = await bare();
    more.push((await toFirstAnswer(port)) - alone);
  }
  more.sort((a, b) => a - b);
  const median = more[STARTS >> 1];
  console.log(
    `start: ${median.toFixed(0)} ms from the start to the first answer more than node -e 0 (median of ${STARTS} pairs, least ${more[0].toFixed(0)}); at most 300`,
  );
  return median <= 300;
}

export async function host() {
  let isFine = true;
  for (const part of [idle, start]) if (!(await part())) isFine = false;
  return isFine;
}

if (process.argv[2] === 'hold') await hold(process.argv[3], Number(process.argv[4]));
