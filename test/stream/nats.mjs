// The second transport, at a real server.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';
import { freePort } from './broker.mjs';
import { stream, until } from './parts.mjs';

const NATS = 'v2.15.2';

/** The program: LOGODDS_NATS_SERVER, that of the system, or built by Go into a cache folder. */
function program() {
  if (process.env.LOGODDS_NATS_SERVER) return process.env.LOGODDS_NATS_SERVER;
  if (spawnSync('nats-server', ['--version']).status === 0) return 'nats-server';
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'logodds-test', `nats-${NATS.slice(1)}`);
  const file = join(folder, 'nats-server');
  if (!existsSync(file)) {
    console.error('building nats-server, which takes minutes ...');
    mkdirSync(folder, { recursive: true });
    const env = { ...process.env, GOBIN: folder };
    execFileSync('go', ['install', `github.com/nats-io/nats-server/v2@${NATS}`], { env, stdio: ['ignore', 2, 2] });
  }
  return file;
}

/** Killed midway, poison, tombstones, headers: nothing is missing, nothing twice within the duplicate window. */
export async function nats() {
  const folder = mkdtempSync(join(tmpdir(), 'logodds-nats-'));
  const port = await freePort();
  const server = spawn(program(), ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder], { stdio: 'ignore' });
  const url = `nats://127.0.0.1:${port}`;
  let connection;
  try {
    await until('a server of NATS', async () => {
      connection = await connect({ servers: url }).catch(() => null);
      return connection;
    });
    const manager = await jetstreamManager(connection);
    for (const name of ['in', 'out', 'dead'])
      await manager.streams.add({ name: name.toUpperCase(), subjects: [`${name}.>`] });
    const client = jetstream(connection);
    const args = ['--nats', url, '--in', 'in.a', '--out', 'out.a', '--dead-letter', 'dead.a', '--group', 'g'];
    const absent = await stream(['--nats', url, '--in', 'other', '--out', 'out.a', '--group', 'g']).ended;
    assert.equal(absent.code, 1);
    assert.match(absent.log, /subject other: expected a stream of JetStream that keeps it/);
    const count = 10_000;
    const own = headers();
    own.append('trace', '1');
    own.append('trace', '2');
    const send = async (from, to) => {
      for (let i = from; i < to; i++)
        await client.publish('in.a', i === 7 ? '{' : `{"code":"${1 + (i % 3)}","x":0.5}`, { headers: own });
    };
    await send(0, count / 2);
    const first = stream(args);
    await first.event('ready');
    const begin = (await manager.streams.info('OUT')).state.messages;
    assert.ok(begin < count);
    await new Promise((resolve) => setTimeout(resolve, 100));
    first.child.kill('SIGKILL');
    await first.ended;
    const second = stream(args);
    await second.event('ready');
    await send(count / 2, count);
    const stored = async (name) => (await manager.streams.info(name)).state.messages;
    await until('all scores', async () => (await stored('OUT')) >= count - 1);
    const { code, log } = await second.stop();
    assert.equal(code, 0, log);
    assert.equal(await stored('OUT'), count - 1);
    assert.equal(await stored('DEAD'), 1);
    const letter = await manager.streams.getMessage('DEAD', { seq: 1 });
    assert.equal(letter.header.get('logodds-code'), 'ERR_DATA');
    assert.deepEqual(letter.header.values('trace'), ['1', '2']);
    const score = await manager.streams.getMessage('OUT', { seq: 1 });
    assert.equal(score.header.get('logodds-model'), 'codes');
    assert.ok(score.json().probability > 0);
  } finally {
    await connection?.close();
    server.kill('SIGKILL');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}
