/*
 * The Python package: builds its wheel, installs it into an environment of its own, and runs its tests from there.
 *
 *   node python/run.mjs build                          the wheel alone, into python/dist
 *   node python/run.mjs test [--python python3.13] [--newest] [pytest options]
 *
 * `--python` takes another Python, with an environment of its own; `--newest` the newest release of every package instead of those that are
 * pinned, as an old Python needs.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const [task = 'test', ...rest] = process.argv.slice(2);
const take = (name) => {
  const at = rest.indexOf(name);
  return at < 0 ? null : rest.splice(at, 2)[1];
};
const windows = process.platform === 'win32';
const python = take('--python') ?? (windows ? 'python' : 'python3');
const newest = rest.includes('--newest');
const options = rest.filter((option) => option !== '--newest');

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: here, stdio: 'inherit' });
  if (error?.code === 'ENOENT') fail(`${command}: not found; install Python 3.10 or newer`);
  if (status !== 0) process.exit(status ?? 1);
}

function fail(sentence) {
  console.error(`python/run.mjs: ${sentence}`);
  process.exit(1);
}

if (!existsSync(`${here}../dist/kernels.wasm`)) fail('expected dist/kernels.wasm, found nothing; run npm run build');
const venv = `${here}.venv/${python.replace(/[^\w.]/g, '_')}${newest ? '-newest' : ''}`;
const own = `${venv}/${windows ? 'Scripts/python.exe' : 'bin/python'}`;
const wanted = readFileSync(`${here}requirements-test.txt`, 'utf8');
const requirements = newest ? wanted.replace(/==\S+/g, '') : wanted;
const done = `${venv}/requirements.txt`;
if (!existsSync(done) || readFileSync(done, 'utf8') !== requirements) {
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(venv, { recursive: true });
  run(python, '-m', 'venv', venv);
  writeFileSync(`${venv}/wanted.txt`, requirements);
  run(own, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', `${venv}/wanted.txt`);
  writeFileSync(done, requirements);
}
rmSync(`${here}dist`, { recursive: true, force: true });
// the environment has the build backend already: nothing is fetched
run(own, '-m', 'build', '--wheel', '--no-isolation', '--outdir', 'dist', '.');
const [wheel] = readdirSync(`${here}dist`);
if (task === 'build') console.log(`python/dist/${wheel}`);
else if (task === 'test') {
  run(
    own,
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--no-deps',
    '--force-reinstall',
    `dist/${wheel}`,
  );
  if (!newest) {
    run(own, '-m', 'ruff', 'check', 'src', 'tests');
    run(own, '-m', 'ruff', 'format', '--check', 'src', 'tests', 'hatch_build.py');
    run(own, '-m', 'mypy');
  }
  run(own, '-m', 'pytest', '--doctest-modules', '--pyargs', 'logodds', 'tests', ...options);
} else fail(`expected the task build or test, got ${task}`);
