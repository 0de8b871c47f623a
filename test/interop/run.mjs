// Exports, run in their own languages and databases, each compared with `Model.score` bit for bit or within its bound:
//   npm run test:interop                       all, 400 records a model
//   npm run test:interop -- --small            40 records a model: a minute
//   npm run test:interop -- c sql              these files of test/export
// ONNX Runtime goes into an environment of Python of its own. Needed: a C compiler, Go, a JDK, Python 3, and PostgreSQL, whose server starts in a folder of its own on a socket of its own and ends with the run.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { small: { type: 'boolean' } } });

/** What must answer, and how it is asked. */
const PROGRAMS = [
  ['gcc', '--version'],
  ['go', 'version'],
  ['javac', '-version'],
  ['python3', '--version'],
  ['psql', '--version'],
];
const path = [process.env['PATH'], ...serverFolders()].join(delimiter);
const env = { ...process.env, PATH: path };
const absent = PROGRAMS.filter(([program, flag]) => spawnSync(program, [flag], { env }).status !== 0).map(
  ([program]) => program,
);
if (absent.length > 0) {
  console.error(`test:interop: expected ${absent.join(', ')} on the path, got none; install them first`);
  process.exit(2);
}

const python = environment();
const database = startPostgres();
try {
  const files = positionals.length > 0 ? positionals.map((name) => `test/export/${name}.test.ts`) : ['test/export'];
  const { status } = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...(values.small ? [] : ['--mode', 'full']), ...files],
    {
      stdio: 'inherit',
      env: { ...env, LOGODDS_INTEROP: '1', LOGODDS_POSTGRES: database.folder, LOGODDS_PYTHON: python },
    },
  );
  process.exitCode = status ?? 1;
} finally {
  database.stop();
}

/** The Python of an environment that has requirements.txt and nothing else, made anew when that changes. */
function environment() {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const venv = join(here, '.venv');
  const own = join(venv, 'bin/python');
  const wanted = join(here, 'requirements.txt');
  const done = join(venv, 'requirements.txt');
  if (existsSync(done) && readFileSync(done, 'utf8') === readFileSync(wanted, 'utf8')) return own;
  rmSync(venv, { recursive: true, force: true });
  for (const [file, ...args] of [
    ['python3', '-m', 'venv', venv],
    [own, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', wanted],
  ]) {
    const { status } = spawnSync(file, args, { stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
  copyFileSync(wanted, done);
  return own;
}

/** Where Debian has the servers. */
function serverFolders() {
  try {
    return readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`);
  } catch {
    return [];
  }
}

function startPostgres() {
  const folder = mkdtempSync(join(tmpdir(), 'logodds-pg-'));
  const data = join(folder, 'data');
  // it refuses to run as root
  const isRoot = userInfo().uid === 0;
  if (isRoot) {
    const id = (flag) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
    chownSync(folder, id('-u'), id('-g'));
    chmodSync(folder, 0o755);
  }
  const run = (...command) => {
    const [file, args] = isRoot
      ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--init-groups', ...command]]
      : [command[0], command.slice(1)];
    const { status, stderr, error } = spawnSync(file, args, {
      env,
      encoding: 'utf8',
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? stderr}`);
  };
  run('initdb', '-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync');
  run('pg_ctl', '-D', data, '-l', join(folder, 'log'), '-o', `-c listen_addresses= -k ${folder}`, '-w', 'start');
  return {
    folder,
    stop() {
      run('pg_ctl', '-D', data, '-m', 'immediate', 'stop');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
