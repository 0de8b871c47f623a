// Starts the accuracy program: compiles its judge (AssemblyScript), bundles the TypeScript, runs it. @see main.ts
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const built = `${root}bench/build/`;
const node = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });

// what the library needs, built when it is missing or older than its sources
node('scripts/prepare.mjs');
mkdirSync(built, { recursive: true });
node(
  'node_modules/assemblyscript/bin/asc.js',
  'bench/accuracy/check.ts',
  ...['--outFile', 'bench/build/accuracy.wasm', '-O3', '--runtime', 'stub', '--enable', 'simd', '--importMemory'],
  ...['--noAssert', '--use', 'abort='],
);
const { build } = await import('esbuild');
await build({
  entryPoints: [`${here}main.ts`],
  outfile: `${built}accuracy.mjs`,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, [`${built}accuracy.mjs`, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
