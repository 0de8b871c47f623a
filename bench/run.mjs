// Starts the benchmarks: installs what bench/ needs and lacks, compiles the read loop, bundles the TypeScript, runs it.
//   npm run bench                      every suite; results go to bench/results/<suite>.json
//   npm run bench -- rows sparse       these suites
//   npm run bench -- --quick           small and short, installs no rivals: to see that it works, not for figures (bench/build/)
//   npm run bench -- --check           exits with 1 when a ratio is below its floor (bench/floors.ts)
//   npm run bench -- --readme          writes the table of bench/results/ into docs/BENCHMARKS.md as well
//   npm run bench -- --table           only the table of the results that are there
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bench = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
const options = process.argv.slice(2);
const suites = options.filter((option) => !option.startsWith('-'));
const node = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
const changed = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

if (changed(`${bench}node_modules/.package-lock.json`) < changed(`${bench}package-lock.json`)) {
  console.error('bench: installing the locked dependencies (npm ci) ...');
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('js')) execFileSync(process.execPath, [npm, 'ci'], { cwd: bench, stdio: ['ignore', 2, 2] });
  else execFileSync('npm', ['ci'], { cwd: bench, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
}
// what the library needs, built when it is missing or older than its sources
node('scripts/prepare.mjs');

mkdirSync(`${bench}build`, { recursive: true });
if (!options.includes('--quick') && !options.includes('--table')) {
  prepareVenv('venv', 'requirements.txt');
  if (suites.length === 0 || suites.includes('bytes')) prepareRust();
  if (suites.length === 0 || suites.includes('service')) prepareVenv('serving', 'serving/requirements.txt');
}
node(
  'node_modules/assemblyscript/bin/asc.js',
  'bench/read.ts',
  ...['--outFile', 'bench/build/read.wasm', '-O3', '--runtime', 'stub', '--enable', 'simd', '--importMemory'],
  ...['--noAssert', '--use', 'abort='],
);
const { build } = await import('esbuild');
await build({
  // plain.ts apart: it is imported once per precision, so that the compiler sees one kind of array in each;
  // memory.ts is a process of its own
  entryPoints: [`${bench}main.ts`, `${bench}plain.ts`, `${bench}memory.ts`],
  outdir: `${bench}build`,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: ['onnxruntime-*', '@tensorflow/*', 'ml-*', 'tinybench', '@duckdb/*'],
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, ['--expose-gc', `${bench}build/main.mjs`, ...options], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;

/** A virtual environment with requirements in it; without a Python that can have it, those rivals are left out. */
function prepareVenv(name, requirements) {
  const venv = `${bench}build/${name}`;
  const wanted = readFileSync(`${bench}${requirements}`, 'utf8');
  if (existsSync(`${venv}/ready`) && readFileSync(`${venv}/ready`, 'utf8') === wanted) return;
  const recent = 'import sys; sys.exit(sys.version_info < (3, 11))';
  const python = ['python3.13', 'python3.12', 'python3.11', 'python3', 'python'].find(
    (name) => spawnSync(name, ['-c', recent], { stdio: 'ignore' }).status === 0,
  );
  if (!python) {
    console.error('bench: no Python 3.11 or newer: its rivals are left out');
    return;
  }
  console.error('bench: installing the Python rivals ...');
  rmSync(venv, { recursive: true, force: true });
  const run = (command, ...args) => execFileSync(command, args, { stdio: ['ignore', 2, 2] });
  try {
    run(python, '-m', 'venv', venv);
    const bin = process.platform === 'win32' ? `${venv}/Scripts/python.exe` : `${venv}/bin/python`;
    // one by one: what has no wheel here and no compiler takes only its own part with it
    for (const line of wanted.split('\n').filter((text) => /^\w/.test(text))) {
      try {
        run(bin, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', line);
      } catch {
        console.error(`bench: ${line} cannot be installed here: its part is left out`);
      }
    }
    writeFileSync(`${venv}/ready`, wanted);
  } catch (error) {
    console.error(`bench: the Python rivals are left out: ${error.message}`);
  }
}

/** The rivals in Rust, built for this processor; without cargo they are left out. */
function prepareRust() {
  if (spawnSync('cargo', ['--version'], { stdio: 'ignore' }).status !== 0) {
    console.error('bench: no cargo: the Rust rivals (sonic-rs, simd-json) are left out');
    return;
  }
  try {
    execFileSync('cargo', ['build', '--quiet', '--release', '--locked'], {
      cwd: `${bench}rust`,
      stdio: ['ignore', 2, 2],
    });
  } catch (error) {
    console.error(`bench: the Rust rivals cannot be built: ${error.message}`);
  }
}
