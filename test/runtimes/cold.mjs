// Cold starts: a fresh process for every figure.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as bundle } from 'esbuild';
import { app, build, conformanceSets, install, root } from './setup.mjs';
import { serve, worker } from './workerd.mjs';

const sets = () => conformanceSets().find(({ name }) => name === 'wide');

/** What a program of its own process prints. */
const inProcess = (path, ...args) =>
  JSON.parse(execFileSync(path, args, { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));

/** @returns { ms, engineMs, loadMs, scoreMs } of one fresh process */
export const coldNode = (path) => () => inProcess(path, 'cold.js');

/** onnxruntime-web of bench/, which has the rivals, with a model of as many features. */
export async function coldOnnx() {
  const bench = join(root, 'bench');
  install(bench);
  const writer = join(build, 'onnx.mjs');
  await bundle({ entryPoints: [join(bench, 'onnx.ts')], outfile: writer, format: 'esm', logLevel: 'warning' });
  const { sigmoidModel } = await import(pathToFileURL(writer));
  const file = join(build, 'wide.onnx');
  writeFileSync(file, sigmoidModel(new Float32Array(200).fill(0.01), new Float32Array(1)));
  const path = pathToFileURL(createRequire(join(bench, 'package.json')).resolve('onnxruntime-web')).href;
  return () => inProcess(process.execPath, 'cold-onnx.js', path, file);
}

/**
 * workerd, timed from outside, since its clock stands still: the first request of a Worker that loads and scores in it, less
 * the first request of one that does nothing, in one fresh process. `whole` also compiles and imports in that request.
 */
export async function coldWorkerd() {
  const { model, rows } = sets();
  const modelFile = join(build, 'workerd', 'wide.safetensors');
  const rowFile = join(build, 'workerd', 'row.json');
  const files = { 'wide.safetensors': { kind: 'data', path: modelFile }, 'row.json': { kind: 'json', path: rowFile } };
  const imports = `import bytes from 'wide.safetensors'; import row from 'row.json';`;
  const score = 'pickEngine(); return new Response(String(loadModel(bytes).score(row).probability));';
  const sources = {
    idle: `${imports} export default { fetch() { return new Response(String(bytes.byteLength + row.x0)); } };`,
    first: `${imports} import { loadModel, pickEngine } from 'logodds/score'; export default { fetch() { ${score} } };`,
    whole: `${imports} export default { async fetch() { const { loadModel, pickEngine } = await import('logodds/score'); ${score} } };`,
  };
  const workers = await Promise.all(
    Object.entries(sources).map(([name, source]) => worker(name, source, '2026-01-01', files)),
  );
  writeFileSync(modelFile, Buffer.from(model, 'base64'));
  writeFileSync(rowFile, JSON.stringify(rows[0]));
  const expected = inProcess(process.execPath, 'cold.js').probability;

  return async (turn) => {
    const { ports, stop } = await serve(workers);
    const agent = new Agent({ keepAlive: true });
    try {
      const ms = {};
      const names = Object.keys(sources);
      // each is the first as often as the others
      for (let i = 0; i < names.length; i++) {
        const name = names[(turn + i) % names.length];
        const { body, took } = await get(agent, ports[name]);
        if (name !== 'idle' && Number(body) !== expected) throw new Error(`workerd: expected ${expected}, got ${body}`);
        ms[name] = took;
      }
      return { ms: ms.first - ms.idle, whole: ms.whole - ms.idle, idle: ms.idle };
    } finally {
      agent.destroy();
      await stop();
    }
  };
}

/** The connection is there before the clock starts. */
function get(agent, port) {
  return new Promise((done, fail) => {
    const call = request({ agent, host: '127.0.0.1', port, method: 'POST' }, async (response) => {
      let body = '';
      for await (const part of response) body += part;
      if (response.statusCode !== 200) fail(new Error(`workerd: status ${response.statusCode}: ${body}`));
      done({ body, took: performance.now() - begin });
    });
    let begin = 0;
    call.on('error', fail);
    call.on('socket', (socket) => {
      const send = () => {
        begin = performance.now();
        call.end();
      };
      if (socket.connecting) socket.once('connect', send);
      else send();
    });
  });
}
