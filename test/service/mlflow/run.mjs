// A real MLflow server, and MLflow's own client: log, register, alias, load by alias, serve, roll back; and the client reads our registry through our service.
//   npm run test:service -- mlflow
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MLFLOW_LIMITS, MlflowTracking, openMlflow, parseReference } from '@logodds/registry';
import { createService } from '@logodds/service';
import { loadModel } from 'logodds';
import { venv } from '../venv.mjs';
import { FIRST, KEYS, ourService, SECOND } from './service.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));
const exec = promisify(execFile);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const QUIET = {
  MLFLOW_DISABLE_TELEMETRY: 'true',
  MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
  GIT_PYTHON_REFRESH: 'quiet',
};

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** A server of MLflow with an empty store, and what ends it. */
async function mlflowServer(python, folder) {
  const port = await freePort();
  const bin = dirname(python);
  const child = spawn(
    join(bin, 'mlflow'),
    [
      ...[
        'server',
        '--backend-store-uri',
        `sqlite:///${folder}/mlflow.db`,
        '--artifacts-destination',
        `${folder}/artifacts`,
      ],
      ...['--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
    ],
    // a group of its own: it starts others
    {
      cwd: folder,
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, ...QUIET, PATH: `${bin}${delimiter}${process.env.PATH}` },
    },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await ended;
  };
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error(`mlflow server ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/health`).catch(() => null);
    if (answer?.ok) return { url, stop };
    await wait(500);
  }
  await stop();
  throw new Error('mlflow server: expected an answer within 300 s, got none');
}

/** Pushed, seen by its client, resolved by alias, served, rolled back. */
async function registered(url, python) {
  const registry = openMlflow(`mlflow+${url}`);
  const act = { by: 'ann', why: 'trained on October' };
  const first = sha256(FIRST);
  const push = {
    ...act,
    name: 'fraud',
    file: FIRST,
    tags: { team: 'risk ü' },
    metrics: { auc: 0.9, ece: null },
    lineage: { data: 'ab' },
  };
  const { version, isNew } = await registry.push(push);
  assert.deepEqual([isNew, version.version, version.sha256], [true, 1, first]);
  assert.equal((await registry.push(push)).isNew, false);
  await registry.alias('fraud', 1, 'champion', act);
  await exec(python, [`${here}theirs.py`, url, 'seen', first], { env: { ...process.env, ...QUIET } });
  const champion = parseReference('models:/fraud@champion');
  const one = await registry.resolve(champion);
  assert.deepEqual(
    [one.tags, one.metrics, one.lineage.data, one.by],
    [{ team: 'risk ü' }, { auc: 0.9, ece: null }, 'ab', 'ann'],
  );
  assert.equal((await registry.push({ ...act, name: 'fraud', file: SECOND })).version.version, 2);
  // served by what the alias names
  const service = createService({ models: [{ name: 'fraud', model: await registry.file(one) }] });
  const served = () => service.models.find('fraud', null).sha256;
  const [sealed, other] = [FIRST, SECOND].map((bytes) => loadModel(bytes).sha256);
  assert.equal(served(), sealed);
  await exec(python, [`${here}theirs.py`, url, 'alias', 'fraud', '2'], { env: { ...process.env, ...QUIET } });
  service.models.replace({ name: 'fraud', model: await registry.file(await registry.resolve(champion)) });
  assert.equal(served(), other);
  // and back
  const began = performance.now();
  assert.equal(await registry.rollback('fraud', 1, act), 1);
  service.models.replace({ name: 'fraud', model: await registry.file(await registry.resolve(champion)) });
  assert.equal(served(), sealed);
  console.log(`rolled back in ${Math.round(performance.now() - began)} ms: alias, resolve, download, load`);
  await assert.rejects(registry.resolve(parseReference('models:/fraud@none')), { code: 'ERR_REGISTRY' });
  await assert.rejects(registry.resolve(parseReference('models:/none@champion')), { code: 'ERR_REGISTRY' });
  await assert.rejects(registry.retire('fraud', 1, act), /expected a directory or a bucket/);
}

/** A file that somebody changed in the store of the server is refused. */
async function changed(url) {
  const registry = openMlflow(`mlflow+${url}`);
  const { run } = (await registry.resolve({ name: 'fraud', version: 2 })).lineage;
  const answer = await fetch(`${url}/api/2.0/mlflow/runs/get?run_id=${run}`);
  const path = (await answer.json()).run.info.artifact_uri.replace('mlflow-artifacts:/', '');
  const target = `${url}/api/2.0/mlflow-artifacts/artifacts/${path}/model/model.safetensors`;
  assert.equal((await fetch(target, { method: 'PUT', body: FIRST })).status, 200);
  await assert.rejects(registry.file(await registry.resolve({ name: 'fraud', version: 2 })), /it was changed/);
}

/** Tracked by the command, registered by their client, resolved without tags of ours. */
async function tracked(url, python, folder) {
  const logodds = (...args) =>
    exec(process.execPath, [`${root}cli/bin/logodds.js`, ...args], { cwd: folder, maxBuffer: 1 << 26 });
  const data = `${root}test/fixtures/oracles/lbw.csv`;
  const flags = ['--target', 'low', '--drop', 'id,bwt', '--track', url, '--experiment', 'lbw / ü'];
  await logodds('path', data, ...flags, '--count', '40');
  await logodds('train', data, ...flags, '--run-name', 'zweiter / 2', '--out', 'low.safetensors');
  const { stdout } = await exec(python, [`${here}theirs.py`, url, 'tracked', 'lbw / ü'], {
    env: { ...process.env, ...QUIET },
  });
  const told = JSON.parse(stdout.trim().split('\n').at(-1));
  const registry = openMlflow(`mlflow+${url}`);
  const version = await registry.resolve(parseReference('models:/tracked@champion'));
  assert.equal(version.sha256, told.sha256);
  assert.equal(sha256(await registry.file(version)), told.sha256);
  const { runs, best } = JSON.parse((await logodds('runs', url, '--experiment', 'lbw / ü', '--json')).stdout);
  assert.deepEqual(
    runs.map(({ command, status }) => [command, status]),
    [
      ['train', 'finished'],
      ['path', 'finished'],
    ],
  );
  assert.deepEqual(best, {});
  const shown = JSON.parse((await logodds('runs', 'show', runs[1].id, '--from', url, '--json')).stdout);
  assert.equal(shown.curves['path.lambda'].length, 40);
  // iterations of a fit, by MLflow's own answer too
  const tracking = new MlflowTracking(url);
  const fitted = JSON.parse((await logodds('runs', 'show', runs[0].id, '--from', url, '--json')).stdout);
  const gradient = fitted.curves['fit.gradNorm.byIteration'];
  assert.ok(gradient.length > 2 && gradient.at(-1) < gradient[0]);
  assert.deepEqual(
    (await tracking.history(runs[0].id, 'fit.gradNorm.byIteration')).map(({ step, value }) => [step, value]),
    gradient.map((value, k) => [k + 1, value]),
  );
  await logodds('runs', url, '--experiment', 'lbw / ü', '--report', 'runs.html');
  const page = readFileSync(join(folder, 'runs.html'), 'utf8');
  for (const name of ['path.devianceRatio', 'fit.objective.byIteration']) assert.ok(page.includes(name), name);
}

/** A stream that is learnt: its curve is on the server while it goes on, by rows; a run of others has its curves on the page. */
async function online(url, folder) {
  const rows = Array.from({ length: 3000 }, (_, i) => `${(i * 7919) % 13},${(i * 31) % 7 > 2 ? 1 : 0}\n`);
  const args = ['train', '-', '--online', '--target', 'y', '--warmup', '500', '--checkpoint-every', '1000'];
  const child = spawn(
    process.execPath,
    [
      ...[`${root}cli/bin/logodds.js`, ...args, '--out', 'stream.st', '--checkpoint', 'stream.ckpt'],
      ...['--track', url, '--experiment', 'stream', '--run-name', 'clicks'],
    ],
    { cwd: folder, stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', (part) => {
    stderr += part;
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.write(`x,y\n${rows.slice(0, 2500).join('')}`);
  const tracking = new MlflowTracking(url);
  let going = [];
  for (let tries = 0; tries < 600 && going.length === 0; tries++) {
    await wait(200);
    const [id] = [...(await tracking.experiments())].find(([, name]) => name === 'stream') ?? [];
    const [run] = id === undefined ? [] : await tracking.runs([id], 1);
    if (run) going = await tracking.history(run.id, 'online.logLoss');
    if (run && going.length > 0) assert.equal(run.status, 'RUNNING');
  }
  assert.ok(going.length >= 7 && going[0].step === 128, JSON.stringify(going));
  child.stdin.end(rows.slice(2500).join(''));
  assert.equal(await ended, 0, stderr);
  const [, id] = /tracked as (\w+)/.exec(stderr);
  const history = await tracking.history(id, 'online.logLoss');
  assert.deepEqual(
    history.map(({ step }) => step),
    [...Array.from({ length: 23 }, (_, k) => 128 * (k + 1)), 3000],
  );
  const { params, metrics, status } = await tracking.run(id);
  assert.deepEqual(
    [params.online, params.sample, params['rows.train'], status],
    ['true', 'progressive', '3000', 'FINISHED'],
  );
  assert.equal(history.at(-1).value, metrics.logLoss);
  const other = await tracking.start(await tracking.experiment('stream'), 'of others', {});
  await tracking.log(other.id, { metrics: [3, 2, 1].map((value, k) => ({ key: 'loss', value, step: 10 * k })) });
  await tracking.end(other.id, 'FINISHED');
  const report = ['runs', url, '--experiment', 'stream', '--report', 'stream.html'];
  execFileSync(process.execPath, [`${root}cli/bin/logodds.js`, ...report], { cwd: folder, stdio: 'ignore' });
  const page = readFileSync(join(folder, 'stream.html'), 'utf8');
  for (const name of ['>online.logLoss<', '>loss<']) assert.ok(page.includes(name), name);
}

/** Curves longer than a batch, values that JSON does not have, texts that are too long. */
async function limits(url, folder) {
  const tracking = new MlflowTracking(url);
  const run = await tracking.start(await tracking.experiment('limits'), 'long', {});
  const steps = 10_000;
  const began = performance.now();
  await tracking.log(run.id, {
    metrics: Array.from({ length: steps }, (_, step) => ({ key: 'loss', value: 1 / (1 + step), step })),
    params: {
      long: 'ü'.repeat(MLFLOW_LIMITS.param),
      ...Object.fromEntries(Array.from({ length: 250 }, (_, k) => [`p${k}`, ''])),
    },
  });
  console.log(`${steps} steps logged in ${Math.round(performance.now() - began)} ms`);
  await tracking.log(run.id, {
    metrics: [
      { key: 'nan', value: Number.NaN, step: 0 },
      { key: 'inf', value: Number.POSITIVE_INFINITY, step: 0 },
    ],
  });
  await tracking.end(run.id, 'FINISHED');
  assert.equal((await tracking.history(run.id, 'loss')).length, steps);
  const { metrics, params } = await tracking.run(run.id);
  assert.equal(Object.keys(params).length, 251);
  assert.ok(Number.isNaN(metrics.nan));
  // MLflow keeps it as its largest number
  assert.equal(metrics.inf, Number.MAX_VALUE);
  assert.equal(await tracking.run('nope'), null);
  // the command says what it cuts, and keeps all of it
  const features = Array.from({ length: 700 }, (_, k) => `feature_${k}`);
  const rows = Array.from({ length: 60 }, (_, k) =>
    [...features.map((_, j) => (k * (j + 3)) % 7), k % 3 > 1 ? 1 : 0].join(','),
  );
  writeFileSync(join(folder, 'wide.csv'), `${[...features, 'y'].join(',')}\n${rows.join('\n')}\n`);
  const args = [
    'train',
    'wide.csv',
    '--target',
    'y',
    '--features',
    features.join(','),
    '--track',
    url,
    '--experiment',
    'wide',
  ];
  const { status, stderr } = spawnSync(process.execPath, [`${root}cli/bin/logodds.js`, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const id = /tracked as (\w+)/.exec(stderr)[1];
  const wide = await tracking.run(id);
  assert.equal(wide.params.features.length > 0, true);
  assert.match(wide.tags['mlflow.note.content'] ?? '', /MLflow takes 6000 characters, and it has/);
}

export async function mlflow() {
  const python = venv('mlflow', `${here}requirements.txt`);
  const folder = mkdtempSync(join(tmpdir(), 'logodds-mlflow-'));
  let failed = 0;
  const step = async (name, work) => {
    try {
      await work();
      console.log(`ok: ${name}`);
    } catch (error) {
      failed++;
      console.error(`${name}: ${error.stack}${error.stderr ?? ''}`);
    }
  };
  const ours = await ourService();
  try {
    await step('their client reads and aliases our registry', async () => {
      const args = [`${here}ours.py`, ours.url, KEYS.key, KEYS.reader, ...ours.digests];
      const { stdout } = await exec(python, args, { env: { ...process.env, ...QUIET } });
      process.stdout.write(stdout);
      const last = (await ours.registry.events()).filter(({ event }) => event === 'promoted').at(-1);
      assert.deepEqual([last.version, last.by], [2, 'promoter']);
    });
  } finally {
    await ours.stop();
  }
  const server = await mlflowServer(python, folder);
  try {
    await step('pushed, aliased, resolved, served, rolled back', () => registered(server.url, python));
    await step('a file that was changed', () => changed(server.url));
    await step('tracked, registered by their client, resolved', () => tracked(server.url, python, folder));
    await step('a stream that is learnt, and a run of others', () => online(server.url, folder));
    await step('limits', () => limits(server.url, folder));
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return failed === 0;
}
