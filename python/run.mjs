/*
 * The Python package: builds its wheel, installs it into an environment of its own, and runs its tests from there.
 *
 *   node python/run.mjs build                          the wheel alone, into python/dist
 *   node python/run.mjs test [--python 3.13] [--newest] [pytest options]
 *   node python/run.mjs spark [--python 3.13] [pytest options]              the tests of logodds.spark: local, a cluster, Connect
 *   node python/run.mjs exec PROGRAM [arguments]       a program of Python in the environment of Spark, as the benchmark is
 *
 * `--python` takes another Python, by version or path, with an environment of its own; `--newest` the newest release of every package instead of
 * those that are pinned, as Python 3.10 needs.
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
const given = take('--python');
// a version is the Python of that name
const python = /^\d+\.\d+$/.test(given ?? '') ? `python${given}` : (given ?? (windows ? 'python' : 'python3'));
const newest = rest.includes('--newest');
const options = rest.filter((option) => option !== '--newest');

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: here, stdio: 'inherit' });
  if (error?.code === 'ENOENT')
    fail(`${command}: expected a Python, found none of that name; install Python 3.10 or newer, or give its path`);
  if (status !== 0) process.exit(status ?? 1);
}

function fail(sentence) {
  console.error(`python/run.mjs: ${sentence}`);
  process.exit(1);
}

/** The Python of an environment that has these requirements and nothing else, made anew when they change. */
function environment(requirementsFile, ending) {
  const venv = `${here}.venv/${python.replace(/[^\w.]/g, '_')}${ending}`;
  const own = `${venv}/${windows ? 'Scripts/python.exe' : 'bin/python'}`;
  const pinned = readFileSync(`${here}${requirementsFile}`, 'utf8');
  const requirements = newest ? pinned.replace(/==\S+/g, '') : pinned;
  const done = `${venv}/requirements.txt`;
  if (!existsSync(done) || readFileSync(done, 'utf8') !== requirements) {
    rmSync(venv, { recursive: true, force: true });
    mkdirSync(venv, { recursive: true });
    run(python, '-m', 'venv', venv);
    writeFileSync(`${venv}/wanted.txt`, requirements);
    run(own, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', `${venv}/wanted.txt`);
    writeFileSync(done, requirements);
  }
  return own;
}

function needJava() {
  const java = process.env.JAVA_HOME ? `${process.env.JAVA_HOME}/bin/java` : 'java';
  const { stderr, error } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const found = error ? 'none' : (/version "(\d+)/.exec(stderr)?.[1] ?? 'an unknown one');
  if (!(Number(found) >= 17))
    fail(`${java}: expected a JDK of version 17 or newer, got ${found}; install one, or set JAVA_HOME`);
}

/** Builds the wheel. The environment has the build backend already: nothing is fetched. */
function wheelOf(own) {
  if (!existsSync(`${here}../dist/kernels.wasm`)) fail('expected dist/kernels.wasm, found nothing; run npm run build');
  rmSync(`${here}dist`, { recursive: true, force: true });
  run(own, '-m', 'build', '--wheel', '--no-isolation', '--outdir', 'dist', '.');
  return readdirSync(`${here}dist`)[0];
}

function install(own) {
  const wheel = `dist/${wheelOf(own)}`;
  run(own, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--force-reinstall', wheel);
}

const tasks = {
  build() {
    console.log(`python/dist/${wheelOf(environment('requirements-test.txt', newest ? '-newest' : ''))}`);
  },
  test() {
    const own = environment('requirements-test.txt', newest ? '-newest' : '');
    install(own);
    if (!newest) {
      run(own, '-m', 'ruff', 'check', 'src', 'tests');
      run(own, '-m', 'ruff', 'format', '--check', 'src', 'tests', 'hatch_build.py');
      run(own, '-m', 'mypy');
    }
    // what needs Spark has a task of its own
    const modules = ['--doctest-modules', '--ignore-glob=*/logodds/spark/*', '--ignore=tests/spark'];
    run(own, '-m', 'pytest', ...modules, '--pyargs', 'logodds', 'tests', ...options);
  },
  spark() {
    needJava();
    const own = environment('requirements-spark.txt', '-spark');
    install(own);
    run(
      own,
      '-m',
      'pytest',
      ...(options.some((option) => option.startsWith('tests/')) ? [] : ['tests/spark']),
      ...options,
    );
  },
  exec() {
    needJava();
    const own = environment('requirements-spark.txt', '-spark');
    install(own);
    run(own, ...options);
  },
};
if (!tasks[task]) fail(`expected one of the tasks ${Object.keys(tasks).join(', ')}, got ${task}`);
tasks[task]();
