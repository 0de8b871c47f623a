// What the runs need: the locked runtimes, the package as `npm pack` makes it, installed; the rows; the browsers.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = fileURLToPath(new URL('.', import.meta.url));
export const root = fileURLToPath(new URL('../..', import.meta.url));
export const build = join(here, 'build');
/** a folder like a user's: programs, and the package in its node_modules */
export const app = join(build, 'app');
export const installed = join(app, 'node_modules/logodds');

const { resolve } = createRequire(import.meta.url);
const npm = (cwd, ...args) =>
  execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  });
const changed = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** Installs the locked packages of a folder when they are missing or older than its lock file. */
export function install(folder) {
  if (changed(join(folder, 'node_modules/.package-lock.json')) >= changed(join(folder, 'package-lock.json'))) return;
  console.error(`installing the locked packages of ${folder} (npm ci) ...`);
  npm(folder, 'ci', '--no-audit', '--no-fund', '--loglevel=error');
}

/** Builds and packs the library, installs the archive as a user would, and lays the programs and rows beside it. */
export function prepare() {
  execFileSync(process.execPath, [join(root, 'scripts/prepare.mjs')], { stdio: ['ignore', 2, 2] });
  install(here);
  mkdirSync(app, { recursive: true });
  const [{ filename, integrity }] = JSON.parse(
    npm(root, 'pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', build),
  );
  const stamp = join(app, 'node_modules/integrity');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== integrity) {
    console.error(`installing ${filename} ...`);
    const manifest = { private: true, type: 'module', dependencies: { logodds: `file:../${filename}` } };
    writeFileSync(join(app, 'package.json'), JSON.stringify(manifest));
    npm(app, 'install', '--no-package-lock', '--ignore-scripts', '--force', '--loglevel=error');
    writeFileSync(stamp, integrity);
  }
  cpSync(join(here, 'programs'), app, { recursive: true });
  writeFileSync(
    join(app, 'sets.json'),
    JSON.stringify(
      [...conformanceSets(), ...stageSets()].map(({ name, model, rows, refused, ask }) => ({
        name,
        model,
        rows,
        refused,
        ask,
      })),
    ),
  );
}

/** The committed sets: model in base64, rows, and the bits expected. */
export const conformanceSets = () => setsIn(join(root, 'test/conformance'));

/** Those of models that need `logodds/stages`: also what is asked of them, and `answers`. */
export const stageSets = () => setsIn(join(root, 'test/conformance/stages'));

function setsIn(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -5))
    .map((name) => ({
      name,
      model: readFileSync(join(folder, `${name}.safetensors`)).toString('base64'),
      ...JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')),
    }));
}

/** The program of a runtime that came with the locked packages. @throws when this platform has none */
export function binary(path) {
  try {
    return resolve(path);
  } catch {
    throw new Error(
      `${path}: expected it among the installed packages, which are for Linux on x86-64, got ${process.platform} on ${process.arch}; leave this runtime out with --without`,
    );
  }
}

/** A browser of the system; installs the Debian package where it may. @throws when there is none */
export function browser(name) {
  const find = () =>
    process.env.PATH.split(delimiter)
      .map((folder) => join(folder, name))
      .find((path) => existsSync(path));
  const canInstall = process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0;
  if (!find() && canInstall) {
    console.error(`installing ${name} (apt-get) ...`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 2, 2] });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], { stdio: ['ignore', 2, 2], env });
  }
  const path = find();
  if (!path)
    throw new Error(
      `${name}: not found; install the Debian package ${name}, or leave it out with --without ${name.replace('-esr', '')}`,
    );
  return path;
}
