// Our own client: one program on Node, Deno, Bun, workerd and Chromium, of which the results must be the same; and the servers of others.
//   npm run test:service -- client
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { InferenceClient, ServiceError } from '@logodds/client';
import { build } from 'esbuild';
import { loadModel } from 'logodds';
import { chromium } from 'playwright-core';
import { binary, browser, install, here as runtimes } from '../../runtimes/setup.mjs';
import { serve as serveWorkers, worker } from '../../runtimes/workerd.mjs';
import { serve } from '../clients/run.mjs';
import { venv } from '../venv.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));
const FILE = 'test/conformance/codes.safetensors';

const command =
  (path, ...before) =>
  async (url, ways) => {
    const { stdout } = await promisify(execFile)(path(), [...before, `${here}command.js`, url, ways], {
      cwd: root,
      maxBuffer: 2 ** 26,
    });
    return JSON.parse(stdout);
  };

async function workerd(url, ways) {
  const source = `
    import { run } from './test/service/client/program.js';
    export default { fetch: async () => Response.json(await run(${JSON.stringify(url)}, ${ways === 'duplex'})) };`;
  const { ports, stop } = await serveWorkers([await worker('client', source, '2026-01-01', {}, root)], {
    network: true,
  });
  try {
    const response = await fetch(`http://127.0.0.1:${ports.client}/`);
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return await response.json();
  } finally {
    await stop();
  }
}

/** A page of the service itself: no other origin is asked. */
async function page(url) {
  const { outputFiles } = await build({
    stdin: { contents: `import { run } from './program.js'; globalThis.run = run;`, resolveDir: here },
    bundle: true,
    format: 'iife',
    write: false,
  });
  const one = await chromium.launch({ executablePath: browser('chromium'), args: ['--no-sandbox'] });
  try {
    const tab = await one.newPage();
    await tab.goto(`${url}/version`);
    return await tab.evaluate(`${outputFiles[0].text}; run(${JSON.stringify(url)}, false)`);
  } finally {
    await one.close();
  }
}

/** runtime → [how it runs the program, whether it sends and receives at once] */
const RUNTIMES = {
  node: [command(() => process.execPath), 'duplex'],
  deno: [
    command(() => binary('@deno/linux-x64-glibc/deno'), 'run', '--quiet', '--allow-read', '--allow-net', '--no-lock'),
    'duplex',
  ],
  bun: [command(() => binary('@oven/bun-linux-x64/bin/bun'), 'run'), 'duplex'],
  workerd: [workerd, 'duplex'],
  chromium: [page, ''],
};

/** The results of the program on every runtime. */
async function onRuntimes() {
  const { child, url } = await serve(`codes=${FILE}`);
  let failed = 0;
  let first = null;
  try {
    for (const [name, [run, ways]] of Object.entries(RUNTIMES)) {
      try {
        const { duplex, ...found } = await run(url, ways);
        first ??= found;
        assert.deepStrictEqual(found, first);
        if (ways) assert.deepStrictEqual(duplex, first.batches);
        console.log(`${name}: all answers are right`);
      } catch (error) {
        failed++;
        console.log(`${name}: ${error.message.slice(0, 1500)}`);
      }
    }
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  const model = loadModel(readFileSync(`${root}${FILE}`));
  const rows = Array.from({ length: 700 }, (_, i) => ({ code: ['2', 'ü', '0.1'][i % 3], x: i / 8 }));
  const logits = rows.map((row) => model.score(row).logit);
  assert.deepStrictEqual(first.many, logits);
  assert.deepStrictEqual(first.batches, logits);
  assert.deepStrictEqual(
    first.logits,
    [0, 1].flatMap(() => [logits, rows.map((row) => model.score(row).label)]),
  );
  const { refused, unknown, aborted, late, nobody, retried } = first;
  const name = 'ServiceError';
  assert.deepStrictEqual(
    { refused, unknown, aborted, late, nobody, retried },
    {
      refused: { name, code: 'ERR_RECORD', status: 400, attempts: 1 },
      unknown: { name, code: 'ERR_MODEL', status: 404, attempts: 1 },
      aborted: { name, code: 'ERR_ABORTED', status: null, attempts: 0 },
      late: { name, code: 'ERR_TIMEOUT', status: null, attempts: 1 },
      nobody: { name, code: 'ERR_CONNECTION', status: null, attempts: 3 },
      retried: [1, 2, 3].map((attempt) => [attempt, 'ERR_CONNECTION']),
    },
  );
  return failed;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A server of others, while it is asked. */
async function peer(program, args, port, model, ask) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data) => {
    said = (said + data).slice(-4000);
  });
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${code}: ${said}`)));
  ended.catch(() => {});
  const client = new InferenceClient({
    baseUrl: `http://127.0.0.1:${port}`,
    retry: { attempts: 600, baseMs: 200, maxMs: 400 },
  });
  try {
    // its metadata are asked for until it is up
    await Promise.race([client.metadata(null, { timeoutMs: 180_000 }), ended]);
    while (!(await client.isReady(model))) await new Promise((resolve) => setTimeout(resolve, 200));
    await ask(client);
  } finally {
    child.kill('SIGTERM');
    await ended.catch(() => {});
  }
}

/** Every datatype that KServe's server takes, there and back, as JSON and as bytes. */
async function kserve(client) {
  assert.equal((await client.metadata()).name, 'kserve');
  assert.equal(await client.isLive(), true);
  assert.equal(await client.isReady('none'), false);
  const tensors = [
    { name: 'FP64', data: Float64Array.of(0.1, -2) },
    { name: 'FP32', data: Float32Array.of(0.5, 3) },
    { name: 'INT8', data: Int8Array.of(-1, 2) },
    { name: 'UINT8', data: Uint8Array.of(1, 200) },
    { name: 'INT16', data: Int16Array.of(-300, 2) },
    { name: 'UINT16', data: Uint16Array.of(300, 2) },
    { name: 'INT32', data: Int32Array.of(-70_000, 2) },
    { name: 'UINT32', data: Uint32Array.of(70_000, 2) },
    { name: 'INT64', data: BigInt64Array.of(-5n, 2n) },
    { name: 'UINT64', data: BigUint64Array.of(5n, 2n) },
    { name: 'BOOL', data: [true, false], datatype: 'BOOL' },
    { name: 'BYTES', data: ['ü', 'text'] },
  ];
  for (const binary of [false, true]) {
    for (const tensor of tensors) {
      const result = await client.infer('echo', [tensor], { binary, id: 'i' });
      assert.equal(result.id, 'i');
      const { datatype, data } = result.output(tensor.name);
      assert.deepStrictEqual([datatype, data], [tensor.name, tensor.data], `${tensor.name}, binary: ${binary}`);
    }
  }
  const refused = await client.infer('none', tensors.slice(0, 1)).catch((error) => error);
  assert.ok(refused instanceof ServiceError && refused.status === 404 && /none/.test(refused.message), String(refused));
  // it has no index
  await assert.rejects(client.repository(), { code: 'ERR_STATUS', status: 404, message: 'Not Found' });
}

/** A model of scikit-learn behind MLServer: JSON, versions, the repository, its errors. */
const mlserver = (expected) => async (client) => {
  assert.equal((await client.metadata()).name, 'mlserver');
  const rows = [{ name: 'predict', data: [0.5, 1, 2.5, 0], shape: [2, 2] }];
  const { outputs, version } = await client.infer('lr', rows, { outputs: ['predict_proba', 'predict'] });
  assert.equal(version, 'v1');
  assert.deepStrictEqual(outputs[0], {
    name: 'predict_proba',
    datatype: 'FP64',
    shape: [2, 2],
    data: Float64Array.from(expected),
  });
  assert.deepStrictEqual(outputs[1].data, BigInt64Array.of(0n, 1n));
  const refused = await client.infer('none', rows).catch((error) => error);
  assert.ok(refused instanceof ServiceError && refused.status === 404 && /none/.test(refused.message), String(refused));
  const [{ name, state }] = await client.repository();
  assert.deepStrictEqual([name, state], ['lr', 'READY']);
  await client.unload('lr');
  assert.equal(await client.isReady('lr'), false);
  await client.load('lr');
  assert.equal(await client.isReady('lr'), true);
};

async function withPeers() {
  const port = await freePort();
  await peer(venv('kserve', `${here}kserve.txt`), [`${here}kserve_server.py`, `${port}`], port, 'echo', kserve);
  console.log("KServe's server: all answers are right");
  const python = venv('mlserver', `${here}mlserver.txt`);
  const folder = fileURLToPath(new URL('../build/lr', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const other = await freePort();
  const expected = JSON.parse(
    execFileSync(python, [`${here}mlserver_model.py`, folder, `${other}`], { encoding: 'utf8' }),
  );
  const program = python.replace(/python$/, 'mlserver');
  await peer(program, ['start', folder], other, 'lr', mlserver(expected));
  console.log('MLServer: all answers are right');
}

export async function client() {
  install(runtimes);
  const failed = await onRuntimes();
  await withPeers();
  return failed === 0;
}
