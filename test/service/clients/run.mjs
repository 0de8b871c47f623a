// Official clients ask a service, each as its registry has it: sets up a virtual environment, starts `logodds serve`, compares every answer with
// model.score.
//   npm run test:service -- clients
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { loadModel } from 'logodds';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));
const venv = fileURLToPath(new URL('../build/venv', import.meta.url));
const python = `${venv}/bin/python`;

function install() {
  const wanted = readFileSync(`${here}requirements.txt`, 'utf8');
  if (existsSync(`${venv}/ready`) && readFileSync(`${venv}/ready`, 'utf8') === wanted) return;
  rmSync(venv, { recursive: true, force: true });
  const run = (command, ...args) => execFileSync(command, args, { stdio: ['ignore', 2, 2] });
  const recent = ['python3.13', 'python3.12', 'python3.11', 'python3'].find(
    (name) => spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']).status === 0,
  );
  if (!recent) throw new Error('expected Python 3.10 or newer, got none; install it');
  console.error('installing the clients ...');
  run(recent, '-m', 'venv', venv);
  run(python, '-m', 'pip', 'install', '--quiet', '--requirement', `${here}requirements.txt`);
  writeFileSync(`${venv}/ready`, wanted);
}

/** A service of the command, and where it listens. */
export async function serve(...args) {
  const child = spawn(
    process.execPath,
    ['cli/bin/logodds.js', 'serve', ...args, '--port', '0', '--grpc-port', '0', '--json'],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [line] = await new Promise((resolve) => createInterface(child.stdout).once('line', (text) => resolve([text])));
  return { child, ...JSON.parse(line) };
}

export async function clients() {
  install();
  const file = 'test/conformance/codes.safetensors';
  const model = loadModel(readFileSync(`${root}${file}`));
  const rows = [
    { code: '2', x: 0.5 },
    { code: 'ü', x: 1 },
    { code: '0.1', x: -3 },
  ];
  const scores = rows.map((row) => model.score(row));
  const told = [rows, scores.map(({ logit }) => logit)].map((value) => JSON.stringify(value));
  const { child, url, grpc } = await serve(`codes=${file}`);
  let failed = 0;
  try {
    for (const [script, ...args] of [
      ['triton_http.py', url, 'codes', ...told],
      ['triton_grpc.py', grpc, 'codes', ...told],
      ['kserve_clients.py', url, grpc, 'codes', ...told, JSON.stringify(scores.map(({ probability }) => probability))],
    ]) {
      const { status } = spawnSync(python, [`${here}${script}`, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
      if (status !== 0) failed++;
    }
  } finally {
    child.kill('SIGTERM');
  }
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) {
    console.error(`the service ended with ${code}`);
    failed++;
  }
  return failed === 0;
}
