import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The Python of a virtual environment in test/service/build with what a file of requirements asks for; made where it is missing or another. */
export function virtualEnvironment(name, requirements) {
  const venv = fileURLToPath(new URL(`build/${name}`, import.meta.url));
  const python = `${venv}/bin/python`;
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(`${venv}/ready`) && readFileSync(`${venv}/ready`, 'utf8') === wanted) return python;
  rmSync(venv, { recursive: true, force: true });
  const run = (command, ...args) => execFileSync(command, args, { stdio: ['ignore', 2, 2] });
  const recent = ['python3.13', 'python3.12', 'python3.11', 'python3'].find(
    (name) => spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']).status === 0,
  );
  if (!recent) throw new Error('expected Python 3.10 or newer, got none; install it');
  console.error(`installing ${wanted.trim().split('\n').join(', ')} ...`);
  run(recent, '-m', 'venv', venv);
  run(python, '-m', 'pip', 'install', '--quiet', '--requirement', requirements);
  writeFileSync(`${venv}/ready`, wanted);
  return python;
}
