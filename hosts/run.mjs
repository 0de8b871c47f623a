/*
 * Runs the hosts: sets each up from its ecosystem's registry, scores every conformance model, compares the bits.
 *
 *   node hosts/run.mjs [abi python go rust java]      all of them when none is named
 *
 * `abi` is docs/ABI.md itself: its worked example, and its list of exports, against the modules. What is built goes into
 * the folder `build` of a host, so that a second run takes seconds.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
const cases = `${root}test/conformance/`;
const kernels = `${root}dist/kernels.wasm`;
const windows = process.platform === 'win32';
const exe = windows ? '.exe' : '';
const python = windows ? 'python' : 'python3';
const venv = `build/venv/${windows ? 'Scripts' : 'bin'}/python${exe}`;
const text = (file) => readFileSync(file, 'utf8');

/** A host: the tools it needs, the commands that set it up, the command that scores, where its runtime is pinned. */
const HOSTS = {
  python: {
    needs: { [python]: 'Python 3.11 or newer with venv' },
    setup: [
      [python, '-m', 'venv', 'build/venv'],
      [venv, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', 'requirements.txt'],
    ],
    run: [venv, 'host.py'],
    runtime: ['requirements.txt', /(wasmtime)==(\S+)/],
  },
  go: {
    needs: { go: 'Go 1.25 or newer' },
    setup: [['go', 'build', '-p', '2', '-o', `build/logodds-host${exe}`, '.']],
    run: [`build/logodds-host${exe}`],
    runtime: ['go.mod', /(wazero) v(\S+)/],
  },
  rust: {
    needs: { cargo: 'Rust 1.95 or newer' },
    setup: [['cargo', 'build', '--locked', '--quiet']],
    run: [`build/debug/logodds-host${exe}`],
    runtime: ['Cargo.toml', /(wasmtime) = \{ version = "=([^"]+)/],
  },
  java: {
    needs: { javac: 'a JDK, 17 or newer', mvn: 'Maven 3.8 or newer' },
    setup: [['mvn', '--batch-mode', '--quiet', 'compile']],
    run: ['java', '-cp', `build/classes${delimiter}build/jars/*`, 'Host'],
    runtime: ['pom.xml', /run\.(endive).*?<version>([^<]+)/s],
  },
};
/** the only tool whose version is asked for without dashes */
const VERSION = { go: 'version' };

/** The output of a command; a program under build/ is the host's own. */
function execute([command, ...args], cwd) {
  const program = command.startsWith('build/') ? `${cwd}/${command}` : command;
  const done = spawnSync(program, args, { cwd, encoding: 'utf8', shell: windows && command === 'mvn' });
  if (done.status === 0) return done.stdout;
  throw new Error(
    done.error?.message ?? (`${done.stderr}${done.stdout}`.trim() || `${command} ended with ${done.status}`),
  );
}

function runHost(name) {
  const { needs, setup, run, runtime } = HOSTS[name];
  const cwd = here + name;
  for (const [tool, what] of Object.entries(needs)) {
    try {
      execute([tool, VERSION[tool] ?? '--version'], cwd);
    } catch {
      throw new Error(`${tool}: not found; install ${what}`);
    }
  }
  console.log(`${name}: setting up`);
  for (const command of setup) if (!(command.includes('venv') && existsSync(`${cwd}/${venv}`))) execute(command, cwd);
  const models = readdirSync(cases).flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -5)] : []));
  const rows = models.map((model) => JSON.parse(text(`${cases}${model}.json`)).rows.length);
  const start = performance.now();
  const lines = execute([...run, kernels, ...models.map((model) => cases + model)], cwd).split(/\r?\n/);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const equal = models.map((model, i) => (lines.includes(`${model}: ${rows[i]} rows, the same bits`) ? rows[i] : 0));
  const [, library, version] = runtime[1].exec(text(`${cwd}/${runtime[0]}`));
  return { runtime: `${library} ${version}`, rows: sum(rows), equal: sum(equal), seconds };
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** docs/ABI.md against the modules: every export with its parameters, the version, the bytes of the worked example. */
function checkAbi() {
  const page = text(`${root}docs/ABI.md`);
  const same = (what, expected, got) => {
    if (expected !== got) throw new Error(`docs/ABI.md, ${what}: expected ${expected} as in the module, got ${got}`);
  };
  const start = performance.now();
  let kernel;
  for (const file of ['training.wasm', 'kernels.wasm']) {
    const module = new WebAssembly.Module(readFileSync(`${root}dist/${file}`));
    same('imports', WebAssembly.Module.imports(module).length, 0);
    kernel = new WebAssembly.Instance(module).exports;
    for (const [name, value] of Object.entries(kernel)) {
      if (typeof value !== 'function' || name === '_start') continue;
      const parameters = new RegExp(`\\b${name}\\(([^)]*)\\)`).exec(page)?.[1];
      same(`parameters of ${name}`, value.length, parameters?.split(',').filter((parameter) => parameter).length);
    }
  }
  same('version', kernel.abiVersion(), Number(/\*\*(\d+)\*\*/.exec(page)[1]));
  const [, before, calls, after] = /## A worked example.*?```\n(.*?)```(.*?)```\n(.*?)```/s.exec(page);
  const bytes = (block) =>
    [...block.matchAll(/^(\d+) {2}((?:[\da-f.]{2} ){16})/gm)].flatMap(([, address, line]) =>
      line.split(' ', 16).map((byte, i) => [Number(address) + i, byte]),
    );
  const memory = new Uint8Array(kernel.memory.buffer);
  for (const [address, byte] of bytes(before)) memory[address] = Number.parseInt(byte, 16);
  for (const [, name, args] of calls.matchAll(/`(\w+)\(([^)]*)\)`/g)) kernel[name](...args.split(',').map(Number));
  const written = bytes(after).filter(([, byte]) => byte !== '..');
  for (const [address, byte] of written) {
    same(`byte at ${address} of the worked example`, memory[address].toString(16).padStart(2, '0'), byte);
  }
  same('bytes written in the worked example', 48, written.length);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  return { runtime: `node ${process.versions.node}`, rows: 3, equal: 3, seconds };
}

const PARTS = ['abi', ...Object.keys(HOSTS)];
const named = process.argv.slice(2);
const unknown = named.find((name) => !PARTS.includes(name));
if (unknown || !existsSync(kernels)) {
  console.error(
    unknown ? `${unknown}: expected one of ${PARTS.join(', ')}` : 'dist/kernels.wasm: not found; npm run build',
  );
  process.exit(2);
}
const table = {};
let failed = 0;
const parts = named.length > 0 ? named : PARTS;
for (const name of parts) {
  try {
    table[name] = name === 'abi' ? checkAbi() : runHost(name);
    if (table[name].equal !== table[name].rows)
      throw new Error(`${table[name].equal} of ${table[name].rows} rows compared`);
  } catch (error) {
    failed++;
    console.error(`${name}: ${error.message}`);
  }
}
if (Object.keys(table).length > 0) console.table(table);
console.log(`${parts.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
