// Workers, bundled as wrangler does (conditions workerd, worker, browser; .wasm imports stay and are compiled modules), and
// workerd itself to serve them.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { build as bundle } from 'esbuild';
import { app, binary, build } from './setup.mjs';

export const workerdBinary = () => binary('@cloudflare/workerd-linux-64/bin/workerd');
const out = join(build, 'workerd');

const embed = (path) => `embed ${JSON.stringify(relative(out, path))}`;

/**
 * Bundles a Worker.
 * @param source  its module
 * @param files  further modules: name → { kind: 'data' | 'json', path }
 * @param folder  where imports are resolved; it has the library in its node_modules
 * @returns the lines of its configuration
 */
export async function worker(name, source, compatibilityDate, files = {}, folder = app) {
  mkdirSync(out, { recursive: true });
  const modules = new Map(Object.entries(files).map(([file, { kind, path }]) => [file, `${kind} = ${embed(path)}`]));
  const asModules = {
    name: 'modules',
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm$|^logodds\/wasm$/ }, async ({ path, resolveDir }) => {
        const file = path.startsWith('.')
          ? join(resolveDir, path)
          : join(folder, 'node_modules/logodds/dist/kernels.wasm');
        modules.set(basename(file), `wasm = ${embed(file)}`);
        return { path: `./${basename(file)}`, external: true };
      });
      onResolve({ filter: /\.(json|safetensors)$/ }, ({ path }) => ({ path, external: true }));
    },
  };
  const { outputFiles } = await bundle({
    stdin: { contents: source, resolveDir: folder, loader: 'js' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['browser', 'module', 'main'],
    plugins: [asModules],
    write: false,
    logLevel: 'warning',
    // chunks of the library that only others need
    logOverride: { 'ignored-bare-import': 'silent' },
  });
  const main = join(out, `${name}.js`);
  writeFileSync(main, outputFiles[0].contents);
  const lines = [...modules].map(([file, content]) => `    (name = "${file}", ${content}),`);
  return {
    name,
    capnp: `(
  modules = [
    (name = "${name}.js", esModule = ${embed(main)}),
${lines.join('\n')}
  ],
  compatibilityDate = "${compatibilityDate}",
)`,
  };
}

/**
 * Starts workerd with these Workers, each behind a port of its own.
 * @param options.network  whether they may ask addresses of this machine
 * @returns { ports: { name: port }, pid, stop() }
 */
export async function serve(workers, { v8Flags = [], network = false } = {}) {
  const config = join(out, 'config.capnp');
  const list = (items) => `[${items.join(', ')}]`;
  const text = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = ${list([
    ...workers.map(({ name }, i) => `(name = "${name}", worker = .worker${i})`),
    ...(network ? ['(name = "internet", network = (allow = ["private"]))'] : []),
  ])},
  sockets = ${list(workers.map(({ name }) => `(name = "${name}", address = "127.0.0.1:0", http = (), service = "${name}")`))},
  v8Flags = ${list(v8Flags.map((flag) => JSON.stringify(flag)))},
);
${workers.map(({ capnp }, i) => `const worker${i} :Workerd.Worker = ${capnp};`).join('\n')}
`;
  writeFileSync(config, text);
  const args = ['serve', '--experimental', '--control-fd=3', config];
  const process = spawn(workerdBinary(), args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  let said = '';
  process.stderr.on('data', (data) => {
    said += data;
  });
  const ports = {};
  await new Promise((done, fail) => {
    process.on('exit', (code) => fail(new Error(`workerd ended with ${code}: ${said.slice(0, 2000)}`)));
    createInterface({ input: process.stdio[3] }).on('line', (line) => {
      const { event, socket, port } = JSON.parse(line);
      if (event === 'listen') ports[socket] = port;
      if (Object.keys(ports).length === workers.length) done();
    });
  });
  const ended = new Promise((done) => {
    process.removeAllListeners('exit');
    process.on('exit', done);
  });
  return {
    ports,
    pid: process.pid,
    async stop() {
      process.kill('SIGKILL');
      await ended;
    },
  };
}
