// Installs and builds what is missing or out of date, so that `npm start` and `npm test` work on a fresh clone.
// Uses nothing but Node: it runs before anything is installed.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const changed = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);
const newest = (path) =>
  statSync(path).isDirectory()
    ? Math.max(
        0,
        ...readdirSync(path)
          .filter((name) => name !== 'node_modules' && name !== 'dist' && !name.includes('.generated.'))
          .map((name) => newest(join(path, name))),
      )
    : changed(path);

if (changed('node_modules/.package-lock.json') < changed('package-lock.json')) {
  console.error('logodds: installing the locked dependencies (npm ci) ...');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32', // npm is a .cmd file there
  });
}

const stamp = 'build/stamp';
const sources = [
  'assembly',
  'bindings',
  'src',
  'cli',
  'service',
  'registry',
  'client',
  'openfeature',
  'scripts/build.mjs',
  'asconfig.json',
  'tsconfig.build.json',
];
if (changed(stamp) < Math.max(...sources.map(newest))) {
  console.error('logodds: building the kernels, the library and the command ...');
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: ['ignore', 2, 2] });
}
