import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { workspace } from './run.ts';

/** A model of the conformance sets, and a record of it. */
export const MODEL = fileURLToPath(new URL('../conformance/codes.safetensors', import.meta.url));
export const RECORD = '{"code":"2","x":0.5}';

/** A folder, and services of the command in it, which end with their test. */
export function services() {
  const space = workspace();
  const started: ReturnType<typeof space.start>[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  /** Starts a service at free ports and waits until it is ready. */
  async function serve(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const ports =
      ['--port', '--socket'].some((flag) => args.includes(flag)) || env['AIP_HTTP_PORT'] ? [] : ['--port', '0'];
    const grpc = args.includes('--grpc-port') || args.includes('--no-grpc') ? [] : ['--grpc-port', '0'];
    const child = space.start(['serve', ...args, ...ports, ...grpc, '--json'], env);
    started.push(child);
    let log = '';
    child.stderr.on('data', (text) => {
      log += text;
    });
    const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal, log }));
    const first = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
    if (!Array.isArray(first)) throw new Error(`the service ended: ${JSON.stringify(first)}`);
    const ready = JSON.parse(first[0]);
    return { child, ended, ready, url: ready.url as string, log: () => log };
  }

  return { ...space, serve };
}

/** An answer, and what came with it. */
export interface Told {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Asks by HTTP/1.1. Rejects when there is no whole answer. */
export function ask(
  url: string,
  { body, agent, type = 'application/json' }: { body?: string; agent?: Agent; type?: string } = {},
): Promise<Told> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request(url, {
      method,
      agent: agent ?? false,
      headers: body === undefined ? {} : { 'content-type': type },
    });
    sent.on('error', reject);
    sent.on('response', async (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('error', reject);
      response.on('data', (piece) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
    });
    sent.end(body);
  });
}

export const score = (url: string, agent?: Agent) => ask(`${url}/models/codes/score`, { body: RECORD, agent });

/** A promise and the word that resolves it. */
function signal() {
  let tell = () => {};
  const promise = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return { promise, tell };
}

/** Clients that ask one after another, each on a connection that it keeps, until they are told to stop. */
export function load(url: string, clients: number, isOver: (answer: Told) => boolean = () => false) {
  let isStopped = false;
  const each = Array.from({ length: clients }, () => ({ answers: 0, failures: [] as string[] }));
  // one connects after another has its first answer: processes that take connections in turn then get equally many
  const connected = each.map(() => signal());
  const all = each.map(async (client, i) => {
    if (i > 0) await connected[i - 1].promise;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isStopped) {
      try {
        const answer = await score(url, agent);
        if (answer.status !== 200) client.failures.push(String(answer.status));
        else client.answers++;
        if (isOver(answer)) break;
      } catch (error) {
        client.failures.push((error as NodeJS.ErrnoException).code ?? String(error));
      }
      connected[i].tell();
    }
    connected[i].tell();
    agent.destroy();
  });
  return {
    each,
    failures: () => each.flatMap(({ failures }) => failures),
    /** resolves when each client has so many answers more than now */
    async answered(more: number) {
      const begin = each.map(({ answers }) => answers);
      while (each.some(({ answers }, i) => answers < begin[i] + more))
        await new Promise((resolve) => setTimeout(resolve, 5));
    },
    over: () => Promise.all(all),
    stop() {
      isStopped = true;
      return Promise.all(all);
    },
  };
}

/** The value of a line of /metrics; null: it is not there. */
export async function metric(url: string, name: string): Promise<number | null> {
  const { body } = await ask(`${url}/metrics`);
  const lines = body.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.length === 0 ? null : lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
