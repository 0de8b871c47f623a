// A virtual environment of Python for the packages of a file of requirements, made when it is missing or the file has changed.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Installs; returns the path of its Python. @param name  of the folder below build */
export function venv(name, requirements) {
  const folder = fileURLToPath(new URL(`build/${name}`, import.meta.url));
  const python = `${folder}/bin/python`;
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(`${folder}/ready`) && readFileSync(`${folder}/ready`, 'utf8') === wanted) return python;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const run = (command, ...args) => execFileSync(command, args, { stdio: ['ignore', 2, 2] });
  const recent = ['python3.13', 'python3.12', 'python3.11', 'python3'].find(
    (name) => spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']).status === 0,
  );
  if (!recent) throw new Error('expected Python 3.10 or newer, got none; install it');
  console.error(`installing ${wanted.trim().split('\n').join(', ')} ...`);
  run(recent, '-m', 'venv', folder);
  run(python, '-m', 'pip', 'install', '--quiet', '--requirement', requirements);
  writeFileSync(`${folder}/ready`, wanted);
  return python;
}
