// node test/examples/run.mjs [names]
// Every example on its real runtime, with the library as npm packs it: worker, worker-service, deno,
// bun, node-pool, page.
// Installs what is missing: the locked packages beside this file and, as root on Debian, Chromium for the page.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { tally } from './harness.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..', '..');
const build = join(here, 'build');
const app = join(build, '.app'); // a dot: the copies are no part of the project to tools that look for sources

const SUITES = {
  worker: async () => (await import('./worker.mjs')).worker,
  'worker-service': async () => (await import('./workerService.mjs')).workerService,
  deno: async () => (await import('./servers.mjs')).deno,
  bun: async () => (await import('./servers.mjs')).bun,
  'node-pool': async () => (await import('./pool.mjs')).pool,
  page: async () => (await import('./page.mjs')).page,
};

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SUITES);
const unknown = names.filter((name) => !(name in SUITES));
if (unknown.length > 0)
  stop(`examples: expected names of ${Object.keys(SUITES).join(', ')}, got ${unknown.join(', ')}`);
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) stop(`node: expected 20.19 or newer, got ${process.versions.node}`);

const step = (sentence) => console.log(`examples: ${sentence} ...`);
const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
const npm = (args, cwd) =>
  run('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'], cwd);
const changed = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

if (!existsSync(join(root, 'dist/index.js'))) {
  step('building the library');
  run(process.execPath, [join(root, 'scripts/prepare.mjs')], root);
}
if (changed(join(here, 'node_modules/.package-lock.json')) < changed(join(here, 'package-lock.json'))) {
  step('installing workerd, Deno, Bun and the driver of the browser (npm ci)');
  npm(['ci'], here);
}

step('packing the library and installing it beside the examples');
rmSync(app, { recursive: true, force: true });
mkdirSync(app, { recursive: true });
npm(['pack', '--pack-destination', build], root);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const packed = { private: true, type: 'module', dependencies: { logodds: `file:../logodds-${version}.tgz` } };
writeFileSync(join(app, 'package.json'), JSON.stringify(packed));
npm(['install', '--no-package-lock', '--offline'], app);
// the service, and what it depends on beside the library
npm(['pack', '--ignore-scripts', '--pack-destination', build], join(root, 'service'));
const scope = join(app, 'node_modules/@logodds/service');
mkdirSync(scope, { recursive: true });
run('tar', ['-xzf', join(build, `logodds-service-${version}.tgz`), '--strip-components=1', '-C', scope], app);
const { dependencies } = JSON.parse(readFileSync(join(scope, 'package.json'), 'utf8'));
for (const name of Object.keys(dependencies).filter((name) => name !== 'logodds'))
  cpSync(join(root, 'node_modules', name), join(app, 'node_modules', name), { recursive: true });
const examples = join(app, 'examples');
cpSync(join(root, 'examples'), examples, {
  recursive: true,
  filter: (path) => !/[\\/](build|node_modules|\.wrangler)$/.test(path),
});

const entry = (name) => import(pathToFileURL(join(app, `node_modules/logodds/dist/${name}.js`)));
const library = { ...(await entry('index')), ...(await entry('kernels')) };
const model = library.loadModel(readFileSync(join(examples, 'page/flights.safetensors')));

const onPath = (...commands) =>
  commands
    .flatMap((command) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, command)))
    .find(existsSync);
const installed = (path) => [join(here, 'node_modules', path)].find(existsSync);
const tools = {
  wrangler: join(here, 'node_modules/wrangler/bin/wrangler.js'),
  get deno() {
    return (
      installed('@deno/linux-x64-glibc/deno') ?? onPath('deno') ?? stop('deno: not found; install Deno 2.9 or newer')
    );
  },
  get bun() {
    return (
      installed('@oven/bun-linux-x64/bin/bun') ?? onPath('bun') ?? stop('bun: not found; install Bun 1.4 or newer')
    );
  },
  get chromium() {
    return chromium();
  },
};

function chromium() {
  const search = () => onPath('chromium', 'chromium-browser', 'google-chrome');
  const found = search();
  if (found) return found;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    stop('chromium: not found; install Chromium (on Debian: apt-get install chromium)');
  }
  step('installing Chromium (apt-get)');
  const apt = ['-o', 'DPkg::Lock::Timeout=600', '-q', '-y'];
  run('apt-get', [...apt, 'update'], here);
  run('apt-get', [...apt, '--no-install-recommends', 'install', 'chromium'], here);
  return search() ?? stop('chromium: not found after apt-get install chromium; install Chromium');
}

for (const name of names) {
  console.log(name);
  try {
    const suite = await SUITES[name]();
    await suite({ examples, build, tools, library, model });
  } catch (error) {
    tally.failed++;
    console.log(`  FAIL  ${name} broke off\n${error?.stack ?? error}`);
  }
}
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exit(tally.failed > 0 ? 1 : 0);
