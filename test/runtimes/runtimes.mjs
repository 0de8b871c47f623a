// Every runtime, and every circumstance it is run in.
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EdgeVM } from '@edge-runtime/vm';
import { build as bundle } from 'esbuild';
import { browse, browserCommand } from './browser.mjs';
import { app, binary, installed } from './setup.mjs';
import { serve, worker, workerdBinary } from './workerd.mjs';

/** programs, by the entry of the package they import */
export const ENTRIES = ['score', 'bytes', 'stages', 'full', 'slim', 'js', 'threads'];

const versionOf = (path, ...args) =>
  /\d+\.\d+(\.\d+)*/.exec(
    execFileSync(path, [...args, '--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  )[0];

const versionIn = (manifest) => JSON.parse(readFileSync(manifest, 'utf8')).version;

/** What to expect of `why`. A circumstance without `js` has WebAssembly. */
const NO_SIMD = /SIMD|can't get Function local's type/i;
const NO_WASM = /WebAssembly is not defined|undefined is not an object/;
const REFUSED = /Content Security Policy|CSP/i;

/** A runtime with a command line. */
const command = (path, before, circumstances) => ({
  version: () => versionOf(path()),
  circumstances: Object.entries(circumstances).map(
    ([name, { flags = [], env = {}, entries = ENTRIES, ...expected }]) => ({
      name,
      threads: true,
      entries,
      ...expected,
      async run() {
        const { stdout } = await promisify(execFile)(path(), [...before(flags), 'command.js', ...entries], {
          cwd: app,
          env: { ...process.env, ...env },
          maxBuffer: 2 ** 28,
        });
        return JSON.parse(stdout);
      },
    }),
  ),
});

/** where dates of local time are other dates: half an hour off all other zones, daylight saving time */
const FAR = { 'in Newfoundland': { env: { TZ: 'America/St_Johns' }, entries: ['stages'], minutes: 150 } };

const V8_NO_SIMD = ['--no-enable-sse4-1', '--no-enable-ssse3'];
const node = (path) =>
  command(path, (flags) => flags, {
    '': {},
    ...FAR,
    'no SIMD': { flags: V8_NO_SIMD, js: NO_SIMD },
    'no WebAssembly': { flags: ['--jitless'], js: NO_WASM },
  });

const deno = () =>
  command(
    () => binary('@deno/linux-x64-glibc/deno'),
    (flags) => ['run', '--quiet', '--allow-read', '--no-lock', ...flags],
    {
      '': {},
      ...FAR,
      'no SIMD': { flags: [`--v8-flags=${V8_NO_SIMD}`], js: NO_SIMD },
      'no WebAssembly': { flags: ['--v8-flags=--jitless'], js: NO_WASM },
    },
  );

const bun = () =>
  command(
    () => binary('@oven/bun-linux-x64/bin/bun'),
    () => ['run'],
    {
      '': {},
      ...FAR,
      'no SIMD': { env: { BUN_JSC_useWasmSIMD: '0' }, js: NO_SIMD },
      'no WebAssembly': { env: { BUN_JSC_useWasm: '0' }, js: NO_WASM },
    },
  );

/** Workers, one for each entry, served by workerd. */
const workers = () => ({
  version: () => versionIn(join(workerdBinary(), '../../package.json')),
  circumstances: [
    { name: 'compatibility 2024-09-23', date: '2024-09-23' },
    { name: 'compatibility 2026-01-01', date: '2026-01-01' },
    // a host that compiles what is imported refuses the import itself, whatever a program would do: there `logodds/js` serves
    { name: 'no SIMD', date: '2026-01-01', v8Flags: V8_NO_SIMD, js: NO_SIMD, entries: ['js'] },
  ].map(({ date, v8Flags, entries = ENTRIES, ...rest }) => ({
    threads: false,
    entries,
    ...rest,
    async run() {
      const source = (entry) => `
        import program from './${entry}.js';
        ${entry === 'slim' ? `import module from 'logodds/wasm';` : 'const module = null;'}
        import { run } from './run.js';
        export default {
          async fetch(request) {
            return Response.json(await run({ ${entry}: () => program }, await request.json(), module));
          },
        };`;
      const services = await Promise.all(entries.map((entry) => worker(entry, source(entry), date)));
      const { ports, stop } = await serve(services, { v8Flags });
      try {
        const body = readFileSync(join(app, 'sets.json'));
        const results = {};
        for (const entry of entries) {
          const response = await fetch(`http://127.0.0.1:${ports[entry]}/`, { method: 'POST', body });
          if (!response.ok) results[entry] = { error: `status ${response.status}: ${await response.text()}` };
          else Object.assign(results, await response.json());
        }
        return results;
      } finally {
        await stop();
      }
    },
  })),
});

/** Pages and Web Workers; what is started alike shares one browser. */
const browserRuntime = (name, lame) => {
  const launch = (options, list) => {
    let results;
    return list.map((circumstance, i) => ({
      ...circumstance,
      async run() {
        results ??= browse(
          name,
          list.map(({ place, headers }) => ({ place, headers, program: 'page', entries: ENTRIES })),
          options,
        );
        const { error, ...found } = (await results)[i];
        if (error) throw new Error(error);
        return found;
      },
    }));
  };
  const usual = ['page', 'worker'].flatMap((place) => [
    { name: place, place, headers: 'plain', threads: false },
    { name: `${place}, isolated`, place, headers: 'isolated', threads: place === 'worker' },
    { name: `${place}, policy with 'wasm-unsafe-eval'`, place, headers: 'allowed', threads: false },
    { name: `${place}, policy without`, place, headers: 'refused', threads: false, js: REFUSED },
  ]);
  return {
    version: () => versionOf(browserCommand(name)),
    circumstances: [
      ...launch({}, usual),
      ...lame.flatMap(({ options, ...expected }) =>
        launch(options, [{ place: 'page', headers: 'plain', threads: false, ...expected }]),
      ),
    ],
  };
};

/** Vercel's edge runtime: `?module` imports are compiled by who builds, and bytes may not be compiled in production. */
const edge = () => ({
  version: () => versionIn(createRequire(import.meta.url).resolve('@edge-runtime/vm/package.json')),
  circumstances: [
    { name: '' },
    { name: 'compiling bytes forbidden', codeGeneration: { strings: false, wasm: false } },
  ].map(({ codeGeneration, ...rest }) => ({
    threads: false,
    ...rest,
    async run() {
      const results = {};
      for (const entry of ENTRIES) Object.assign(results, await onEdge(entry, codeGeneration));
      return results;
    },
  })),
});

async function onEdge(entry, codeGeneration) {
  const compiled = {};
  const asModules = {
    name: 'modules',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\.wasm\?module$|^logodds\/wasm\?module$/ }, ({ path, resolveDir }) => {
        const file = path.startsWith('.') ? join(resolveDir, path) : join(installed, 'dist/kernels.wasm');
        return { path: file.replace('?module', ''), namespace: 'module' };
      });
      onLoad({ filter: /./, namespace: 'module' }, ({ path }) => {
        const name = `wasm_${Object.keys(compiled).length}`;
        compiled[name] = new WebAssembly.Module(readFileSync(path));
        return { contents: `export default globalThis.${name};` };
      });
    },
  };
  const { outputFiles } = await bundle({
    stdin: {
      contents: `
        import program from './${entry}.js';
        ${entry === 'slim' ? `import module from 'logodds/wasm?module';` : 'const module = null;'}
        import { run } from './run.js';
        globalThis.answer = run({ ${entry}: () => program }, JSON.parse(globalThis.sets), module).then(JSON.stringify);`,
      resolveDir: app,
      loader: 'js',
    },
    bundle: true,
    format: 'iife',
    platform: 'neutral',
    target: 'es2022',
    conditions: ['edge-light', 'worker'],
    plugins: [asModules],
    write: false,
    logLevel: 'warning',
  });
  const sets = readFileSync(join(app, 'sets.json'), 'utf8');
  const vm = new EdgeVM({ codeGeneration, extend: (context) => Object.assign(context, compiled, { sets }) });
  vm.evaluate(outputFiles[0].text);
  return JSON.parse(await vm.context.answer);
}

/**
 * name → { version(), circumstances: [{ name, run() → results by entry, and what they must be:
 *   js: what `why` says where JavaScript is to be taken, threads: whether two can be had, entries: if not all are run,
 *   minutes: that local time is behind UTC in July }] }
 */
export const RUNTIMES = {
  node: node(() => process.execPath),
  node22: node(() => binary('node22/bin/node')),
  node24: node(() => binary('node24/bin/node')),
  node26: node(() => binary('node26/bin/node')),
  deno: deno(),
  bun: bun(),
  workerd: workers(),
  edge: edge(),
  chromium: browserRuntime('chromium', [
    { name: 'page, no SIMD', options: { flags: [`--js-flags=${V8_NO_SIMD.join(' ')}`] }, js: NO_SIMD },
    { name: 'page, no WebAssembly', options: { flags: ['--js-flags=--jitless'] }, js: NO_WASM },
  ]),
  firefox: browserRuntime('firefox', [
    { name: 'page, no WebAssembly', options: { prefs: { 'javascript.options.wasm': false } }, js: NO_WASM },
  ]),
};
