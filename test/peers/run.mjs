// Figures of drift against the newest SciPy, Evidently and NannyML on frames of another seed: `node test/peers/run.mjs [--seed S] [--frames N]`.
// It makes a virtual environment in the temporary folder when there is none.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = join(tmpdir(), 'logodds-peers');
const python = join(folder, 'venv/bin/python');
mkdirSync(folder, { recursive: true });
if (!existsSync(python)) {
  execFileSync('python3', ['-m', 'venv', join(folder, 'venv')], { stdio: 'inherit' });
  const packages = ['scipy', 'pandas<3', 'evidently', 'nannyml'];
  execFileSync(python, ['-m', 'pip', 'install', '-q', ...packages], { stdio: 'inherit' });
}
const given = process.argv.slice(2);
const options = given.length ? given : ['--seed', String(Date.now() % 1e6), '--frames', '24'];
console.log(options.join(' '));
const vectors = execFileSync(python, ['test/fixtures/make_drift.py', ...options], { maxBuffer: 2 ** 28 });
const file = join(folder, 'drift.json');
writeFileSync(file, vectors);
const run = ['vitest', 'run', 'test/monitor/drift.test.ts', '-t', 'SciPy, Evidently'];
const { status } = spawnSync('npx', run, { stdio: 'inherit', env: { ...process.env, LOGODDS_DRIFT: file } });
process.exit(status ?? 1);
