// The system under test: the built command as processes, and a receiver of webhooks.
import { execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../cli/bin/logodds.js', import.meta.url));
const DEADLINE_MS = 30_000;

/** Looks until something is there. @returns null after the deadline */
export async function until(look, deadlineMs = DEADLINE_MS) {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) return null;
    await pause(25);
  }
}

/** `until` for what must come. @throws naming it */
export async function need(what, look, deadlineMs = DEADLINE_MS) {
  const found = await until(look, deadlineMs);
  if (found) return found;
  throw new Error(`${what}: expected it within ${deadlineMs / 1000} s, got nothing`);
}

/** A receiver of webhooks that keeps what it is sent. */
async function receiver() {
  const received = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    received.push(JSON.parse(Buffer.concat(parts).toString()));
    response.writeHead(200).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { received, url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

/** Processes whose parent is one of these, and theirs. */
function familyOf(pid) {
  const parents = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return [[Number(name), Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1).split(' ')[1])]];
    } catch {
      return [];
    }
  });
  const family = [pid];
  for (const one of family) family.push(...parents.flatMap(([child, parent]) => (parent === one ? [child] : [])));
  return family;
}

/** A process of `logodds serve`. */
class Service {
  url = null;
  said = '';
  #out = '';

  constructor(child) {
    this.child = child;
    child.stdout.on('data', (data) => {
      this.#out += data;
    });
    child.stderr.on('data', (data) => {
      this.said += data;
    });
    this.ended = new Promise((resolve) => child.once('exit', resolve));
  }

  async ready() {
    const line = await need('logodds serve', () => {
      if (this.hasEnded) throw new Error(`logodds serve ended with ${this.child.exitCode}: ${this.said}`);
      return this.#out.includes('\n') && this.#out.split('\n', 1)[0];
    });
    this.url = JSON.parse(line).url;
    return this;
  }

  /** Figures of `/metrics` by name and labels. */
  async metrics() {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    );
  }

  get hasEnded() {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Ends all of its processes at once, without a word. */
  async kill() {
    for (const pid of familyOf(this.child.pid)) process.kill(pid, 'SIGKILL');
    await this.ended;
  }

  async stop() {
    if (!this.hasEnded) this.child.kill('SIGTERM');
    return this.ended;
  }
}

/** A registry, services and a receiver of webhooks in a folder. */
export class System {
  #services = [];

  static async start(home) {
    const system = new System();
    system.home = home;
    system.hook = await receiver();
    return system;
  }

  path(...names) {
    return join(this.home, ...names);
  }

  write(name, what) {
    const isBytes = what instanceof Uint8Array;
    writeFileSync(this.path(name), isBytes || typeof what === 'string' ? what : JSON.stringify(what));
    return name;
  }

  /** Runs a command to its end. @returns its status, its JSON where it prints some, and what it said */
  command(...args) {
    return new Promise((resolve) => {
      const settings = { cwd: this.home, timeout: 120_000, maxBuffer: 2 ** 28 };
      execFile(process.execPath, [COMMAND, ...args.map(String)], settings, (error, out, said) => {
        const json = out.startsWith('{') ? JSON.parse(out) : null;
        resolve({ status: error ? (error.code ?? 1) : 0, json, out, said });
      });
    });
  }

  /** `command` that must succeed. @throws with what it said */
  async run(...args) {
    const ran = await this.command(...args);
    if (ran.status === 0) return ran;
    throw new Error(`logodds ${args.join(' ')}: status ${ran.status}: ${ran.said || ran.out}`);
  }

  /** Pushes a model file. @returns its version */
  async push(file, name, ...flags) {
    return (await this.run('push', file, '--name', name, '--json', ...flags)).json.version;
  }

  /** Starts a service with free ports. */
  serve(...args) {
    const flags = ['--port', '0', '--no-grpc', '--json', '--notify', this.hook.url, '--slo', 'slo.json'];
    const words = [COMMAND, 'serve', ...args, ...flags];
    const service = new Service(spawn(process.execPath, words, { cwd: this.home, stdio: ['ignore', 'pipe', 'pipe'] }));
    this.#services.push(service);
    return service.ready();
  }

  /** The rollout of a model, as the registry has it. */
  async rollout(name) {
    return (await this.run('rollout', 'status', name, '--json')).json.rollouts[0];
  }

  async close() {
    await Promise.all(this.#services.map((service) => service.stop()));
    this.hook.close();
  }
}
