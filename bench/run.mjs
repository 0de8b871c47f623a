// Starts the benchmarks: installs what bench/ needs and lacks, compiles the read loop, bundles the TypeScript, runs it.
//   npm run bench                      every suite; results go to bench/results/<suite>.json
//   npm run bench -- kernels           this suite
//   npm run bench -- --quick           short runs: to see that it works, not for figures (results go to bench/build/)
//   npm run bench -- --readme          writes the tables of bench/results/ into README.md as well
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bench = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
const node = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });

if (!existsSync(`${bench}node_modules/tinybench`)) {
  console.error('bench: installing the locked dependencies (npm ci) ...');
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('js')) execFileSync(process.execPath, [npm, 'ci'], { cwd: bench, stdio: ['ignore', 2, 2] });
  else execFileSync('npm', ['ci'], { cwd: bench, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
}
// what the library needs, built when it is missing or older than its sources
node('scripts/prepare.mjs');

mkdirSync(`${bench}build`, { recursive: true });
node(
  'node_modules/assemblyscript/bin/asc.js',
  'bench/read.ts',
  ...[
    '--outFile',
    'bench/build/read.wasm',
    '-O3',
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '--importMemory',
    '--noAssert',
  ],
  ...['--use', 'abort='],
);
const { build } = await import('esbuild');
await build({
  entryPoints: [`${bench}main.ts`],
  outfile: `${bench}build/main.mjs`,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, [`${bench}build/main.mjs`, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
