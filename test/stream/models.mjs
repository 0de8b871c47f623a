// Which model scores: who signed it, from which message on, and the prediction log of its scores.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GOOD, topics } from './casesParts.mjs';
import { MODEL, metricsAt, root, stream, until } from './parts.mjs';

const command = (...args) =>
  execFileSync(process.execPath, [`${root}cli/bin/logodds.js`, ...args], { encoding: 'utf8', stdio: 'pipe' });

/** Works in a folder, which is taken away then. */
async function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'logodds-stream-'));
  try {
    await work((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that is there whole at once. */
function put(from, to) {
  copyFileSync(from, `${to}.part`);
  renameSync(`${to}.part`, to);
}

const linesOf = (folder, stem) =>
  readdirSync(folder)
    .filter((name) => name.startsWith(stem))
    .flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );

export const CASES = {
  /** Another model of the same fields comes while messages do: it is said from which offset it scores, and what is in the output agrees. */
  async swapped(broker) {
    const { client, read, out, flags } = topics(broker, 'swapped');
    await inFolder(async (path) => {
      const file = path('m.safetensors');
      put(MODEL, file);
      command('prior', MODEL, '--from', '0.5', '--to', '0.9', '--out', path('other'));
      const one = stream([...flags, '--every', '1s', '--batch-bytes', '0.1MB'], { model: file });
      const { sha256: before } = await one.event('ready');
      client.fill(read, 0, 2000, 10);
      await until('some', () => client.count(out, 0, 2000, 10).total > 0);
      put(path('other'), file);
      const { sha256: after } = await one.event('model');
      client.fill(read, 2000, 4000, 10);
      await until('all', () => client.count(out, 0, 4000, 10).missing === 0);
      const { source, offset, sha256, text } = await one.event('model from');
      assert.equal((await one.stop()).code, 0);
      assert.deepEqual([source, sha256, before === after], [`${read}-0`, after, false]);
      assert.match(text, /^swapped-in-0: m \([0-9a-f]{12}\) has scored from offset \d+ on$/);
      for (const { header } of client.read(out)) {
        const position = Number(header['logodds-id'].split('/')[1]);
        assert.equal(header['logodds-sha256'], position < offset ? before : after, `offset ${position} of ${offset}`);
      }
    });
  },

  /** A model that no trusted key has signed does not score: at the begin, and when it comes. */
  async trust(broker) {
    const { client, read, out, flags } = topics(broker, 'trust');
    await inFolder(async (path) => {
      const file = path('m.safetensors');
      const [, key] = /key id: (\w+)/.exec(command('keygen', '--out', path('own.key')));
      writeFileSync(path('revoked.json'), '[]');
      command('keygen', '--out', path('other.key'));
      put(MODEL, file);
      const args = [...flags, '--every', '1s', '--trust', path('own.pem'), '--revoked', path('revoked.json')];
      const unsigned = await stream(args, { model: file }).ended;
      assert.equal(unsigned.code, 1, unsigned.log);
      assert.match(unsigned.log, /ERR_SIGNATURE signature of m: expected one of a trusted key, got none/);
      command('sign', file, '--key', path('own.key'), '--name', 'm');
      client.send(read, [{ key: 'a', value: GOOD }]);
      const one = stream(args, { model: file });
      await until('the first', () => client.read(out).length === 1);
      // signed by a key that is not trusted
      command('prior', MODEL, '--from', '0.5', '--to', '0.9', '--out', path('next'));
      command('sign', path('next'), '--key', path('other.key'), '--name', 'm');
      put(path('next.sig'), `${file}.sig`);
      put(path('next'), file);
      const { text } = await one.event('model failed');
      assert.match(text, /signature of m: expected .+; the model in use stays$/);
      client.send(read, [{ key: 'b', value: GOOD }]);
      await until('the second', () => client.read(out).length === 2);
      rmSync(`${file}.sig`);
      command('sign', file, '--key', path('own.key'), '--name', 'm');
      await one.event('model');
      // what is in use goes on, and somebody is told
      writeFileSync(path('revoked.json'), JSON.stringify([{ key, reason: 'lost' }]));
      await until('doubt', () => one.events().some(({ text }) => /revoked.+; the model in use stays$/.test(text)));
      assert.equal((await one.stop()).code, 0);
      writeFileSync(path('revoked.json'), '[]');
      const [first, second] = client.read(out);
      assert.equal(first.header['logodds-sha256'], second.header['logodds-sha256']);
      // of a registry, with the signature that was pushed beside it
      const registry = path('registry');
      command('push', MODEL, '--name', 'm', '--registry', registry);
      const reference = { model: 'models:/m/1' };
      const more = [...args, '--registry', registry];
      assert.match(
        (await stream(more, reference).ended).log,
        /ERR_SIGNATURE signature of .*m.*: expected one of a trusted key, got none/,
      );
      command('sign', 'models:/m/1', '--key', path('own.key'), '--registry', registry);
      const two = stream(more, reference);
      await two.event('ready');
      assert.equal((await two.stop()).code, 0);
    });
  },

  /** The prediction log has what was committed, under the id of the header; `logodds monitor` joins it with labels. */
  async log(broker) {
    const { client, read, out, dead, withDead } = topics(broker, 'log', 2);
    client.create('log-said:1');
    await inFolder(async (path) => {
      const folder = path('log');
      const args = [...withDead, '--log', folder, '--labels', 'log-said', '--metrics-port', 0];
      client.fill(read, 0, 500, 20);
      client.send(read, [
        { key: 'a', value: '{' },
        { key: 'a', value: '{\n "code": "2", "x": 0.5 }', partition: 1 },
        { key: 'a', value: null },
      ]);
      const one = stream(args);
      const { metrics } = await one.event('ready');
      await until('all', async () => (await metricsAt(metrics)).logodds_stream_logged_total === 501);
      const scored = client.read(out).filter(({ value }) => value !== null);
      const byId = new Map(linesOf(folder, 'predictions').map((line) => [line.id, line]));
      assert.equal(byId.size, 501);
      for (const { header, value } of scored) {
        const { probability, label, logit } = JSON.parse(value);
        const line = byId.get(header['logodds-id']);
        assert.deepEqual([line.probability, line.label, line.logit], [probability, label, logit]);
        assert.deepEqual(
          [line.model, line.sha256, line.version],
          ['codes', header['logodds-sha256'], header['logodds-sha256'].slice(0, 12)],
        );
        assert.deepEqual(Object.keys(line.inputs).sort(), ['code', 'x']);
      }
      client.send(
        'log-said',
        scored.slice(0, 100).map(({ header }) => ({
          key: 'a',
          value: JSON.stringify({ id: header['logodds-id'], label: 'yes' }),
        })),
      );
      await until('labels', async () => (await metricsAt(metrics)).logodds_stream_labels_total === 100);
      assert.equal((await one.stop()).code, 0);
      assert.equal(client.read(dead).length, 1);
      const [logs, labels] = ['predictions', 'labels'].map((stem) => `${folder}/${stem}-*.jsonl`);
      const told = JSON.parse(command('monitor', logs, '--model', MODEL, '--labels', labels, '--json'));
      assert.deepEqual([told.rows, told.windows[0].performance.labelled], [501, 100]);
    });
  },

  /** Without a log that can be written the stream goes on, and says so. */
  async unlogged(broker) {
    const { client, read, out, flags } = topics(broker, 'unlogged');
    client.send(read, [{ key: 'a', value: GOOD }]);
    const one = stream([...flags, '--log', '/dev/null/log']);
    const { text } = await one.event('log');
    assert.match(text, /^--log: 1 lines? could not be written \(ENOTDIR\); the stream goes on without/);
    const { code, result } = await one.stop();
    assert.deepEqual([code, result.notLogged, client.read(out).length], [0, 1, 1]);
  },
};
