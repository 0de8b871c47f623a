// A runtime that is up and does orders ({ work, count }, see programs/work.js), one at a time, until it is told to stop.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { browse } from './browser.mjs';
import { app, binary } from './setup.mjs';
import { serve, worker } from './workerd.mjs';

/** @returns { obey(order) → result, pid() of the process that does the work, stop() } */
function command(path, ...args) {
  const child = spawn(path, args, { cwd: app, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async obey(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${path}: it ended`);
      return JSON.parse(value);
    },
    pid: () => child.pid,
    async stop() {
      child.stdin.end();
      await new Promise((done) => child.on('exit', done));
    },
  };
}

async function workers() {
  const source = `
    import { obey, worker } from './work.js';
    import sets from 'sets.json';
    let work;
    export default {
      async fetch(request) {
        work ??= worker(sets);
        return Response.json(obey(work, await request.json()));
      },
    };`;
  const files = { 'sets.json': { kind: 'json', path: join(app, 'sets.json') } };
  const { ports, pid, stop } = await serve([await worker('orders', source, '2026-01-01', files)]);
  return {
    async obey(order) {
      const response = await fetch(`http://127.0.0.1:${ports.orders}/`, {
        method: 'POST',
        body: JSON.stringify(order),
      });
      if (!response.ok) throw new Error(`workerd: status ${response.status}: ${await response.text()}`);
      return response.json();
    },
    pid: () => pid,
    stop,
  };
}

function inBrowser(name) {
  let give;
  let take = () => {};
  let browserPid;
  const exchange = (result, pid) => {
    browserPid = pid;
    take(result);
    return new Promise((done) => {
      give = done;
    });
  };
  const next = () =>
    new Promise((done) => {
      take = done;
    });
  const up = next();
  const ended = browse(name, [{ place: 'page', headers: 'plain', program: 'orders' }], {
    exchange,
    timeoutMs: 600_000,
  });
  ended.then(([result]) => take(result));
  return up.then((result) => {
    if (result.error) throw new Error(`${name}: ${result.error}`);
    return {
      async obey(order) {
        const result = next();
        give(order);
        const { error, ...rest } = await result;
        if (error) throw new Error(`${name}: ${error}`);
        return rest;
      },
      // the page has a process of its own: the one that did the most
      pid: () => descendants(browserPid).sort((a, b) => ticks(b) - ticks(a))[0],
      async stop() {
        give({});
        await ended;
      },
    };
  });
}

/** fields of /proc/PID/stat behind the name, which may hold anything */
function stat(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ');
  } catch {
    return [];
  }
}
const ticks = (pid) => Number(stat(pid)[11] ?? 0) + Number(stat(pid)[12] ?? 0);

function descendants(pid) {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const parents = new Map(all.map((id) => [id, Number(stat(id)[1])]));
  const found = [pid];
  for (const ancestor of found) found.push(...all.filter((id) => parents.get(id) === ancestor));
  return found;
}

/** resident bytes of a process */
export function resident(pid) {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

const node = (path) => () => command(path(), 'lines.js');

export const SESSIONS = {
  node: node(() => process.execPath),
  node22: node(() => binary('node22/bin/node')),
  node24: node(() => binary('node24/bin/node')),
  node26: node(() => binary('node26/bin/node')),
  deno: () => command(binary('@deno/linux-x64-glibc/deno'), 'run', '--quiet', '--allow-read', '--no-lock', 'lines.js'),
  bun: () => command(binary('@oven/bun-linux-x64/bin/bun'), 'run', 'lines.js'),
  workerd: workers,
  chromium: () => inBrowser('chromium'),
  firefox: () => inBrowser('firefox'),
};
