import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { byteScorer } from '../../src/bytes.ts';
import { fit, loadModel, type Model, saveModel, tableFromRecords } from '../../src/index.ts';
import { compare, local, random, SEED } from '../harness.ts';
import type { Lab } from '../lab.ts';
import type { Rival } from '../timings.ts';

export const notes = [
  'A service on loopback, asked by wrk over 32 connections from the other core: time of one request. Each server is a process of its own.',
  'no-op: a server on the same stack (node:http, hono) that reads the body and answers as many bytes.',
  'engine: the same rows scored in the process of the benchmark, without a server.',
  'p99: the slowest hundredth, from when a request was sent, at a steady rate of half of what the service does, whether those before it were answered or not.',
  'Deno and Bun: the same service by their own servers (test/service/hosts/programs/web.js).',
  'MLServer 1.7.1 (sklearn runtime, no parallel workers) and `mlflow models serve`: one process each, a logistic regression of scikit-learn of as many features.',
];

const FOLDER = 'bench/build/service';
const CONNECTIONS = 32;
const FEATURES = 32;
const ROWS = 1024;
const LINES = 20_000;

/** A request, with what it is answered by the no-op. */
interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const JSON_TYPE = { 'content-type': 'application/json' };

export async function run(lab: Lab): Promise<void> {
  if (spawnSync('wrk', ['--version'], { stdio: 'ignore' }).error) {
    console.error('  no wrk on the path (a Debian package): the suite is left out');
    return;
  }
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const { records, csv } = dataOf(lab.quick ? 500 : 5000);
  const { model } = fit(tableFromRecords(records), { target: 'y' });
  writeFileSync(`${FOLDER}/m.safetensors`, saveModel(model));
  writeFileSync(`${FOLDER}/rows.csv`, csv);
  const asked = requestsOf(records);
  const servers: Server[] = [];
  try {
    const ours = await start([
      'cli/bin/logodds.js',
      'serve',
      `m=${FOLDER}/m.safetensors`,
      '--port',
      '0',
      '--no-grpc',
      '--json',
      // a busy machine is no overload
      '--max-delay',
      '10000',
    ]);
    servers.push(ours);
    const answers: string[] = [];
    for (const [name, one] of Object.entries(asked)) answers.push(await answerFile(ours, name, one));
    const noop = await start(['bench/serving/noop.mjs', ...answers]);
    servers.push(noop);
    const others = await otherHosts(lab);
    servers.push(...others.map(({ server }) => server));
    await cases(lab, ours, noop, asked, model, others);
    if (!lab.quick) await peers(lab, ours, asked, servers);
  } finally {
    for (const { process } of servers) process.kill();
  }
}

function dataOf(rows: number) {
  const next = random(SEED);
  const names = Array.from({ length: FEATURES }, (_, j) => `x${j}`);
  const records = Array.from({ length: rows }, () => {
    const values = names.map(() => Math.round(next() * 1e4) / 1e4);
    const logit = values.reduce((sum, value, j) => sum + value * ((j % 5) - 2), 0);
    return { ...Object.fromEntries(names.map((name, j) => [name, values[j]])), y: logit + next() > 0 ? 'yes' : 'no' };
  }) as Record<string, number | string>[];
  const csv = [[...names, 'y'], ...records.map((record) => Object.values(record))].map((row) => row.join()).join('\n');
  return { records, csv };
}

function requestsOf(records: readonly Record<string, number | string>[]) {
  const encoder = new TextEncoder();
  const features = records.map(({ y, ...values }) => values as Record<string, number>);
  const text = (value: unknown) => encoder.encode(JSON.stringify(value));
  const rows = Array.from({ length: ROWS }, (_, i) => Object.values(features[i % features.length]));
  const tensor = (some: readonly number[][]) => ({
    inputs: [{ name: 'predict', shape: [some.length, FEATURES], datatype: 'FP32', data: some.flat() }],
    outputs: [{ name: 'predict_proba' }],
  });
  const split = { columns: Object.keys(features[0]), data: rows.slice(0, 1) };
  return {
    record: { path: '/models/m/score', headers: JSON_TYPE, body: text(features[0]) },
    binary: binary(rows),
    lines: {
      path: '/models/m/score?lines',
      headers: { 'content-type': 'application/x-ndjson' },
      body: encoder.encode(
        Array.from({ length: LINES }, (_, i) => `${JSON.stringify(features[i % features.length])}\n`).join(''),
      ),
    },
    v2Row: { path: '/v2/models/m/infer', headers: JSON_TYPE, body: text(tensor(rows.slice(0, 1))) },
    v2Rows: { path: '/v2/models/m/infer', headers: JSON_TYPE, body: text(tensor(rows)) },
    frame: { path: '/invocations', headers: JSON_TYPE, body: text({ dataframe_split: split }) },
  } satisfies Record<string, Asked>;
}

function binary(rows: readonly number[][]): Asked {
  const values = Float32Array.from(rows.flat());
  const input = {
    name: 'x',
    shape: [rows.length, FEATURES],
    datatype: 'FP32',
    parameters: { binary_data_size: values.byteLength },
  };
  const head = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }));
  return {
    path: '/v2/models/m/versions/1/infer',
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) },
    body: Buffer.concat([head, Buffer.from(values.buffer)]),
  };
}

interface Server {
  readonly process: ChildProcess;
  readonly url: string;
}

/** Starts a program that prints where it listens. */
async function start(argv: readonly string[], command = process.execPath): Promise<Server> {
  const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((found, failed) => {
    let text = '';
    child.stdout!.on('data', (chunk) => {
      text += chunk;
      const url = /http:\/\/[\d.]+:\d+/.exec(text)?.[0];
      if (url) found(url);
    });
    child.once('exit', (code) => failed(new Error(`${argv[0]}: ended with ${code}`)));
  });
  return { process: child, url };
}

/** The path that a server of ours has. */
const ourPath = ({ path }: Asked): string => path.replace('/versions/1', '').replace('?lines', '');

/** Asks once; writes the answer into a file. @returns an argument for the no-op */
async function answerFile({ url }: Server, name: string, asked: Asked): Promise<string> {
  const response = await fetch(url + ourPath(asked), {
    method: 'POST',
    headers: asked.headers,
    body: asked.body as BodyInit,
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`${name}: ${response.status} ${bytes}`);
  writeFileSync(`${FOLDER}/${name}.answer`, bytes);
  writeFileSync(`${FOLDER}/${name}.body`, asked.body);
  return `/${name}=${response.headers.get('content-type')}=${FOLDER}/${name}.answer`;
}

/** A server as a rival: milliseconds of one request. */
function asking(
  rival: string,
  url: string,
  path: string,
  name: string,
  { headers }: Asked,
  connections = CONNECTIONS,
): Rival {
  const script = `${FOLDER}/${rival.replace(/\W/g, '')}-${name}.lua`;
  const lines = Object.entries(headers).map(([key, value]) => `wrk.headers["${key}"] = "${value}"`);
  writeFileSync(
    script,
    `wrk.method = "POST"\n${lines.join('\n')}\nlocal file = io.open("${FOLDER}/${name}.body", "rb")\nwrk.body = file:read("*a")\n`,
  );
  return {
    name: rival,
    sample(timeMs) {
      const seconds = Math.max(1, Math.round(timeMs / 1000));
      const argv = ['-t1', `-c${connections}`, `-d${seconds}`, '--timeout', '60', '-s', script, url + path];
      const text = execFileSync('wrk', argv, { encoding: 'utf8' });
      if (/Non-2xx|Socket errors/.test(text)) throw new Error(`${rival}, ${name}: ${text}`);
      return 1000 / Number(/Requests\/sec:\s+([\d.]+)/.exec(text)![1]);
    },
  };
}

/** A host of another runtime. */
interface Other {
  readonly name: string;
  readonly server: Server;
}

const RUNTIMES = 'test/runtimes/node_modules';
const OTHERS: readonly (readonly [name: string, path: string, ...flags: string[]])[] = [
  ['Deno', `${RUNTIMES}/@deno/linux-x64-glibc/deno`, '--quiet', '--allow-read', '--allow-net', '--no-lock'],
  ['Bun', `${RUNTIMES}/@oven/bun-linux-x64/bin/bun`],
];

/** The service on other runtimes, where they are installed. */
async function otherHosts(lab: Lab): Promise<Other[]> {
  if (lab.quick) return [];
  const found: Other[] = [];
  for (const [name, path, ...flags] of OTHERS) {
    if (!existsSync(path)) {
      console.error(`  no ${name} here (npm run test:runtimes installs it): it is left out`);
      continue;
    }
    const argv = ['run', ...flags, 'test/service/hosts/programs/web.js', `m=${FOLDER}/m.safetensors`];
    found.push({ name: `logodds on ${name}`, server: await start(argv, path) });
  }
  return found;
}

/** Milliseconds of the slowest hundredth of requests at a rate, as another process of the load suite sends them. */
async function slowest(url: string, path: string, { headers, body }: Asked, rate: number, seconds: number) {
  const generator = resolve('test/service/load/generator.mjs');
  const { generate } = (await import(generator)) as {
    generate: (load: object) => Promise<{ p99: number; lost: number; ok: number; asked: number }>;
  };
  const load = { url, path, type: headers['content-type'], bodies: [new TextDecoder().decode(body)] };
  const found = await generate({ ...load, rate, seconds, connections: CONNECTIONS });
  if (found.ok < found.asked) throw new Error(`${path}: ${found.asked - found.ok} of ${found.asked} were not answered`);
  return found.p99;
}

async function cases(
  lab: Lab,
  ours: Server,
  noop: Server,
  asked: ReturnType<typeof requestsOf>,
  model: Model,
  others: readonly Other[],
) {
  const settings = { ...lab.settings, timeMs: lab.quick ? 1000 : 3000 };
  const pair = (name: keyof typeof asked, connections?: number): [Rival, Rival] => [
    asking('logodds serve', ours.url, ourPath(asked[name]), name, asked[name], connections),
    asking('no-op', noop.url, `/${name}`, name, asked[name], connections),
  ];
  const work = (name: string, rows: number) => ({ name, rows, bytes: 0, tolerance: 0 });
  const hosts = others.map(({ name, server }) =>
    asking(name, server.url, ourPath(asked.record), 'record', asked.record),
  );
  const record = await compare(work('one JSON record a request', 1), [...pair('record'), ...hosts], settings);
  lab.cases.push(record);
  const rate = 1000 / record.timings[0].median / 2;
  const late = (name: string, { url }: Server, path: string): Rival => ({
    name,
    sample: (timeMs) => slowest(url, path, asked.record, rate, Math.max(1, timeMs / 1000)),
  });
  lab.cases.push(
    await compare(
      work('one JSON record a request, p99 at half of the rate', 1),
      [late('logodds serve', ours, ourPath(asked.record)), late('no-op', noop, '/record')],
      settings,
    ),
  );

  const loaded = loadModel(readFileSync(`${FOLDER}/m.safetensors`));
  const scorer = loaded.scorer(lab.wasm, { reuse: true });
  const next = random(SEED + 1);
  const columns = loaded.manifest.schema.features.map(({ name }) => {
    const values = Float64Array.from({ length: ROWS }, () => next());
    return { name, kind: 'numeric' as const, values, missing: null };
  });
  const engine = local('engine', () => scorer.score({ rows: ROWS, columns }).logits[0]);
  const [served, idle] = pair('binary', 4);
  lab.cases.push(
    await compare(
      work(`V2 binary, ${ROWS} × ${FEATURES} f32`, ROWS),
      [served, sum('engine + no-op', engine, idle), idle],
      settings,
    ),
  );
  scorer.free();

  const bytes = asked.lines.body;
  const reader = byteScorer(model);
  const text = local('engine', () => {
    const first = reader.lines(bytes).logits[0];
    reader.end();
    return first;
  });
  const [lines] = pair('lines', 1);
  lab.cases.push(await compare(work(`JSON lines, ${LINES / 1000}k in a body`, LINES), [lines, text], settings));
  reader.free();
}

/** Two works, one after the other. */
const sum = (name: string, ...rivals: readonly Rival[]): Rival => ({
  name,
  async sample(timeMs) {
    let total = 0;
    for (const rival of rivals) total += await rival.sample(timeMs);
    return total;
  },
});

/** Servers from PyPI, where their virtual environment is. */
async function peers(lab: Lab, ours: Server, asked: ReturnType<typeof requestsOf>, servers: Server[]): Promise<void> {
  const bin = resolve('bench/build/serving/bin');
  if (!existsSync(`${bin}/python`)) {
    console.error('  no servers from PyPI here: they are left out');
    return;
  }
  const [http, grpc, metrics, flow] = await Promise.all(Array.from({ length: 4 }, freePort));
  execFileSync(`${bin}/python`, [
    'bench/serving/model.py',
    `${FOLDER}/py`,
    `${FOLDER}/rows.csv`,
    ...[http, grpc, metrics].map(String),
  ]);
  const settings = { ...lab.settings, timeMs: 5000 };
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, MLFLOW_DISABLE_TELEMETRY: 'true' };
  const open = async (command: string, argv: readonly string[], port: number, ready: string): Promise<Server> => {
    const child = spawn(`${bin}/${command}`, argv, { env, stdio: 'ignore' });
    const server = { process: child, url: `http://127.0.0.1:${port}` };
    servers.push(server);
    await answers(server.url + ready);
    return server;
  };
  const mlserver = await open('mlserver', ['start', `${FOLDER}/py`], http, '/v2/health/ready');
  for (const [name, title, rows] of [
    ['v2Row', 'V2 JSON, a row', 1],
    ['v2Rows', `V2 JSON, ${ROWS} rows`, ROWS],
  ] as const) {
    const connections = rows === 1 ? CONNECTIONS : 4;
    const rivals = [
      asking('logodds serve', ours.url, asked[name].path, name, asked[name], connections),
      asking('MLServer', mlserver.url, asked[name].path, name, asked[name], connections),
    ];
    lab.cases.push(await compare({ name: title, rows, bytes: 0, tolerance: 0 }, rivals, settings));
  }
  const argv = [
    'models',
    'serve',
    '-m',
    `${FOLDER}/py/mlflow`,
    '--env-manager',
    'local',
    '-h',
    '127.0.0.1',
    '-p',
    String(flow),
    '--workers',
    '1',
  ];
  const mlflow = await open('mlflow', argv, flow, '/ping');
  const rivals = [ours, mlflow].map(({ url }, i) =>
    asking(['logodds serve', 'mlflow models serve'][i], url, '/invocations', 'frame', asked.frame),
  );
  lab.cases.push(await compare({ name: 'invocations, a row', rows: 1, bytes: 0, tolerance: 0 }, rivals, settings));
}

const freePort = (): Promise<number> =>
  new Promise((found) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => found(port));
    });
  });

/** Resolves when a server answers 200. @throws after three minutes */
async function answers(url: string): Promise<void> {
  for (let second = 0; second < 180; second++) {
    const status = await fetch(url).then(
      ({ status }) => status,
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error(`${url}: expected a server that answers within three minutes`);
}
