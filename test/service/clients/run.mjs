// Official clients ask a service, each as its registry has it: sets up a virtual environment, starts `logodds serve`, compares every answer with
// model.score.
//   npm run test:service -- clients
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { loadModel } from 'logodds';
import { virtualEnvironment } from '../python.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));

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
  const python = virtualEnvironment('venv', `${here}requirements.txt`);
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
