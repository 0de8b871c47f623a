// The service inside other programs: the programs of service/README.md as they stand there, on their frameworks and runtimes.
//   npm run test:service -- programs
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModel } from 'logodds';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));
const app = fileURLToPath(new URL('../build/.programs', import.meta.url));
const readme = readFileSync(join(root, 'service/README.md'), 'utf8');

/** name in the README → how it is started, and the path that the service is below */
const PROGRAMS = {
  Node: { below: '' },
  Express: { below: '/ml' },
  Fastify: { below: '/ml' },
  hono: { below: '/ml', known: '/ml' },
  Deno: {
    below: '',
    command: 'node_modules/@deno/linux-x64-glibc/deno',
    args: ['run', '--allow-net', '--allow-read', '--allow-env', '--no-remote', '--node-modules-dir=manual'],
  },
  Bun: { below: '', command: 'node_modules/@oven/bun-linux-x64/bin/bun', args: ['--no-install'] },
};

const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** A folder like a user's: the frameworks, the library and the service as npm packs them, a model. */
function prepare() {
  const lock = readFileSync(join(here, 'package-lock.json'), 'utf8');
  const stamp = join(app, 'lock');
  mkdirSync(app, { recursive: true });
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    console.error('installing the frameworks, Deno and Bun ...');
    for (const file of ['package.json', 'package-lock.json']) cpSync(join(here, file), join(app, file));
    run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], app);
    writeFileSync(stamp, lock);
  }
  for (const [folder, name] of [
    [root, 'logodds'],
    [join(root, 'service'), '@logodds/service'],
  ]) {
    const packed = run(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', app],
      folder,
    );
    const to = join(app, 'node_modules', name);
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to, { recursive: true });
    run('tar', ['-xzf', join(app, JSON.parse(packed)[0].filename), '--strip-components=1', '-C', to], app);
  }
  const { dependencies } = JSON.parse(readFileSync(join(root, 'service/package.json'), 'utf8'));
  for (const name of Object.keys(dependencies).filter((name) => name !== 'logodds'))
    cpSync(join(root, 'node_modules', name), join(app, 'node_modules', name), { recursive: true });
  cpSync(join(root, 'examples/page/flights.safetensors'), join(app, 'flights.safetensors'));
}

/** The program below a heading of the README. */
function programOf(heading) {
  const [, code] = new RegExp(`^##+ ${heading}\\n[^#]*?\`\`\`js\\n(.*?)\`\`\``, 'ms').exec(readme) ?? [];
  assert.ok(code, `service/README.md: expected a program below ${heading}`);
  return code;
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Resolves when something answers. @throws when the program ends before */
async function answers(url, child) {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    try {
      return await fetch(url);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const json = { 'content-type': 'application/json' };
const post = async (url, body, headers = json) => fetch(url, { method: 'POST', body, headers });

/** What must hold wherever the service is. */
async function check(origin, { below, known = '' }) {
  const model = loadModel(readFileSync(join(app, 'flights.safetensors')));
  const flight = { hour: 18, weekday: 'Fri', origin: 'ORD', destination: 'BOS', distance: 870 };
  const { logit, probability, label } = model.score(flight);
  const url = origin + below;
  const scored = await (await post(`${url}/models/flights/score`, JSON.stringify(flight))).json();
  assert.deepEqual(scored.sha256, model.sha256);
  assert.deepEqual(
    [scored.scores[0].logit, scored.scores[0].probability, scored.scores[0].label],
    [logit, probability, label],
  );
  const lines = await post(`${url}/models/flights/score`, `${JSON.stringify(flight)}\n`.repeat(20_000), {
    'content-type': 'application/x-ndjson',
  });
  const texts = (await lines.text()).trim().split('\n');
  assert.equal(texts.length, 20_000);
  assert.equal(JSON.parse(texts.at(-1)).logit, logit);
  const bad = await post(`${url}/models/flights/score`, JSON.stringify({ ...flight, distance: 'far' }));
  assert.deepEqual([bad.status, (await bad.json()).code], [400, 'ERR_RECORD']);
  const unknown = await fetch(`${url}/nowhere`);
  assert.deepEqual([unknown.status, (await unknown.json()).code], [404, 'ERR_PATH']);
  assert.deepEqual((await (await fetch(`${url}/openapi.json`)).json()).servers, [{ url: known || './' }]);
  assert.match(await (await fetch(`${url}/`)).text(), /<title>logodds<\/title>/);
  if (below === '') return;
  const outside = await fetch(`${origin}/models/flights`);
  assert.equal(outside.status, 404);
  assert.doesNotMatch(await outside.text(), /ERR_/);
}

export async function programs() {
  prepare();
  writeFileSync(join(app, 'service.mjs'), programOf('In a program'));
  let failed = 0;
  for (const [name, { command, args = [], ...where }] of Object.entries(PROGRAMS)) {
    const port = await freePort();
    const file = `${name.toLowerCase()}.mjs`;
    writeFileSync(join(app, file), programOf(name).replaceAll('8080', String(port)));
    const child = spawn(command ? join(app, command) : process.execPath, [...args, file], {
      cwd: app,
      env: { ...process.env, DENO_DIR: join(app, 'deno'), DENO_NO_UPDATE_CHECK: '1' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    try {
      await answers(`http://127.0.0.1:${port}/`, child);
      await check(`http://127.0.0.1:${port}`, where);
      console.log(`  ok    ${name}`);
    } catch (error) {
      failed++;
      console.log(`  FAIL  ${name}\n${error.stack ?? error}`);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  }
  return failed === 0;
}
