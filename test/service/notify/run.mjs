// A real Alertmanager is told of a rollout that a guard has ended, routes the alert to a webhook, and resolves it when the next rollout begins.
//   npm run test:service -- notify
// Alertmanager is Debian's (LOGODDS_ALERTMANAGER names one that is there); it is unpacked beside the other builds of the suites and needs no root.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fit, saveModel } from 'logodds';
import { clients } from './clients.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const build = fileURLToPath(new URL('../build/notify', import.meta.url));
const PACKAGE = 'prometheus-alertmanager';

/** @returns the path of the program */
function install() {
  if (process.env.LOGODDS_ALERTMANAGER) return process.env.LOGODDS_ALERTMANAGER;
  const file = join(build, 'usr/bin/prometheus-alertmanager');
  if (existsSync(file)) return file;
  console.error('fetching Alertmanager (apt-get download) ...');
  mkdirSync(build, { recursive: true });
  const apt = (...args) => execFileSync('apt-get', ['-qq', ...args], { cwd: build, stdio: ['ignore', 2, 2] });
  try {
    apt('download', PACKAGE);
  } catch {
    // no lists of packages yet
    apt('update');
    apt('download', PACKAGE);
  }
  const found = readdirSync(build).find((name) => name.startsWith(PACKAGE) && name.endsWith('.deb'));
  execFileSync('dpkg-deb', ['-x', found, '.'], { cwd: build, stdio: ['ignore', 2, 2] });
  return file;
}

const children = [];
const exitOf = (child) =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once('exit', resolve));

/** Waits until something is there. @throws with its name after 60 s */
async function until(what, look) {
  for (let tries = 0; tries < 600; tries++) {
    const found = await look();
    if (found) return found;
    await wait(100);
  }
  throw new Error(`${what}: expected it within 60 s, got nothing`);
}

/** A webhook that keeps what it is sent, as Alertmanager sends it. */
async function webhook() {
  const received = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    received.push({ path: request.url, body: JSON.parse(Buffer.concat(parts).toString()) });
    response.writeHead(200).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { received, url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Alerts of rolled back versions go to one receiver, all others to another. */
const configOf = (url) => `
global:
  resolve_timeout: 5s
route:
  receiver: rest
  group_by: [alertname, model]
  group_wait: 100ms
  group_interval: 500ms
  repeat_interval: 1h
  routes:
    - receiver: models
      matchers: [alertname="LogoddsRolledBack", severity="critical"]
receivers:
  - name: rest
    webhook_configs: [{url: '${url}/rest', send_resolved: true}]
  - name: models
    webhook_configs: [{url: '${url}/models', send_resolved: true}]
`;

async function startAlertmanager(program, folder, url) {
  const port = await freePort();
  writeFileSync(join(folder, 'alertmanager.yml'), configOf(url));
  const child = spawn(
    program,
    [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  children.push(child);
  let said = '';
  child.stderr.on('data', (data) => {
    said += data;
  });
  const at = `http://127.0.0.1:${port}`;
  await until('Alertmanager', async () => {
    if (child.exitCode !== null) throw new Error(`Alertmanager ended with ${child.exitCode}: ${said}`);
    return (await fetch(`${at}/-/ready`).catch(() => null))?.ok;
  });
  const alerts = async () => (await fetch(`${at}/api/v2/alerts?active=true`)).json();
  return { at, alerts };
}

/** A champion, and a challenger that refuses every record which the champion takes. */
function models() {
  const rows = Array.from({ length: 200 }, (_, i) => ({
    x: (i * 37) % 11,
    extra: (i * 53) % 7,
    y: (i * 29) % 13 > 6 ? 'yes' : 'no',
  }));
  const of = (C, ...features) => saveModel(fit(rows, { target: 'y', features, C }).model);
  return [of(1, 'x'), of(1, 'x', 'extra'), of(0.5, 'x', 'extra')];
}

export async function notify() {
  await clients();
  const program = install();
  const folder = mkdtempSync(join(tmpdir(), 'logodds-notify-'));
  const hook = await webhook();
  const command = (...args) =>
    execFileSync(process.execPath, [join(root, 'cli/bin/logodds.js'), ...args, '--registry', 'registry'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  /** A replica of the command. */
  const serve = async (...targets) => {
    const child = spawn(
      process.execPath,
      [
        ...[join(root, 'cli/bin/logodds.js'), 'serve', 'models:/fraud@champion', '--registry', 'registry'],
        ...['--port', '0', '--no-grpc', '--json', '--notify', ...targets],
      ],
      { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    children.push(child);
    let [out, errors] = ['', ''];
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.stderr.on('data', (data) => {
      errors += data;
    });
    const line = await until('logodds serve', () => {
      if (child.exitCode !== null) throw new Error(`logodds serve ended with ${child.exitCode}: ${errors}`);
      return out.includes('\n') && out.split('\n', 1)[0];
    });
    return { child, url: JSON.parse(line).url };
  };
  /** Asks until the registry says that the rollout has ended. */
  const askUntilEnded = async (url, most = 5000) => {
    for (let count = 1; count <= most; count++) {
      const answer = await fetch(`${url}/models/fraud/score`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-logodds-key': `k${count}` },
        body: '{"x": 3}',
      });
      await answer.text();
      if (count % 25 === 0 && rollout().outcome === 'rolled-back') return count;
    }
    throw new Error(`the rollout: expected its end within ${most} requests, got none`);
  };
  const rollout = () => JSON.parse(command('rollout', 'status', 'fraud', '--json')).rollouts[0];
  const start = (challenger) =>
    command('rollout', 'start', 'fraud', '--challenger', challenger, '--share', '0.5', '--min-requests', '20');
  const sent = (status) =>
    hook.received.filter(({ path, body }) => path === '/models' && body.status === status).map(({ body }) => body);

  let failed = 0;
  const step = async (name, work) => {
    try {
      await work();
      console.log(`ok: ${name}`);
    } catch (error) {
      failed++;
      console.error(`${name}: ${error.stack}`);
    }
  };
  try {
    for (const [k, bytes] of models().entries()) {
      writeFileSync(join(folder, `${k}.safetensors`), bytes);
      command('push', `${k}.safetensors`, '--name', 'fraud', ...(k === 0 ? ['--alias', 'champion'] : []));
    }
    const manager = await startAlertmanager(program, folder, hook.url);
    // two replicas see the same rollout
    const [one, two] = [await serve(`alertmanager+${manager.at}`), await serve(`alertmanager+${manager.at}/`)];
    let requests = 0;
    await step('a guard ends a rollout: Alertmanager has the alert and routes it by its labels', async () => {
      start('2');
      requests = await askUntilEnded(one.url);
      const [body] = await until('the alert', () => sent('firing').length > 0 && sent('firing'));
      assert.deepEqual(body.groupLabels, { alertname: 'LogoddsRolledBack', model: 'fraud' });
      const [{ labels, annotations, startsAt }] = body.alerts;
      assert.deepEqual(labels, {
        ...{ alertname: 'LogoddsRolledBack', severity: 'critical', model: 'fraud', version: '2' },
      });
      assert.match(annotations.summary, /^version 2 of fraud was rolled back: refusals/);
      assert.ok(Math.abs(Date.parse(startsAt) - Date.now()) < 120_000, startsAt);
      console.log(`rolled back within ${requests} requests: ${annotations.description}`);
    });
    await step('the alert goes on past the time after which Alertmanager resolves what has no end', async () => {
      await wait(7000);
      const alerts = await manager.alerts();
      assert.deepEqual(
        alerts.map(({ labels, status }) => `${labels.version} ${status.state}`),
        ['2 active'],
      );
      assert.equal(sent('resolved').length, 0);
      // told by two replicas, sent once
      assert.equal(sent('firing').length, 1);
    });
    await step('the next rollout resolves it, though its replica was started anew', async () => {
      for (const { child } of [one, two]) {
        child.kill('SIGTERM');
        assert.equal(await exitOf(child), 0);
      }
      const again = await serve(`alertmanager+${manager.at}`);
      start('3');
      const [body] = await until('the resolve', () => sent('resolved').length > 0 && sent('resolved'));
      assert.deepEqual(
        body.alerts.map(({ labels, status }) => `${labels.version} ${status}`),
        ['2 resolved'],
      );
      assert.deepEqual(await manager.alerts(), []);
      // and the next one fires again, under its own version
      await askUntilEnded(again.url);
      await until('the second alert', () =>
        sent('firing').some(({ alerts }) => alerts.some(({ labels }) => labels.version === '3')),
      );
      again.child.kill('SIGTERM');
      await exitOf(again.child);
    });
    await step('nothing went to the other receiver', () =>
      assert.deepEqual(
        hook.received.filter(({ path }) => path !== '/models'),
        [],
      ),
    );
  } finally {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    for (const child of children) await exitOf(child);
    hook.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return failed === 0;
}
