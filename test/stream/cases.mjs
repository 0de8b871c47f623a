// What may come to a stream, each case with topics of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GOOD, OTHER, runUntil, SCORE, topics } from './casesParts.mjs';
import { CASES as MODELS } from './models.mjs';
import { nats } from './nats.mjs';
import { clientAt, inPython, inPythonBeside, MODEL, metricsAt, root, stream, until } from './parts.mjs';
import { registryOfSchemas } from './schemas.mjs';
import { CASES as SECURE } from './secure.mjs';

export const CASES = {
  /** Messages that are no records, by all ways to be none; good ones between them. */
  async poison(broker) {
    const { client, read, out, dead, withDead } = topics(broker, 'poison');
    const bad = [
      '',
      ' ',
      '{',
      '[1,2]',
      '[]',
      'null',
      '{"code":"2"',
      `${GOOD}\n${GOOD}`,
      '"text"',
      '{"x":"far","code":"2"}',
      '\u0000',
    ];
    const messages = bad.flatMap((value, i) => [
      { key: `b${i}`, value, headers: [['trace', `t${i}`]] },
      { key: `g${i}`, value: GOOD },
    ]);
    messages.push({ key: 'bytes', base64: '/////w==' }, { key: 'pretty', value: '{\n "code": "2",\r\n "x": 0.5 }' });
    client.send(read, messages);
    // an empty value is no tombstone
    const result = await runUntil(withDead, client, { [out]: bad.length + 1, [dead]: bad.length + 1 });
    assert.equal(result.deadLetters, bad.length + 1);
    const scored = client.read(out);
    assert.deepEqual(
      scored.map(({ key }) => key),
      [...bad.map((_, i) => `g${i}`), 'pretty'],
    );
    for (const { value, header } of scored) {
      assert.equal(JSON.parse(value).probability, SCORE.probability);
      assert.equal(header['logodds-model'], 'codes');
    }
    const letters = client.read(dead);
    for (const [i, { key, value, header }] of letters.slice(0, bad.length).entries()) {
      assert.equal(key, `b${i}`);
      assert.equal(value.toString(), bad[i]);
      assert.equal(header.trace, `t${i}`);
      assert.equal(header['logodds-source'], `${read}-0`);
      assert.equal(header['logodds-offset'], String(2 * i));
      assert.match(header['logodds-code'], /^ERR_(DATA|RECORD)$/);
      assert.match(header['logodds-error'], /expected .+, got /);
    }
  },

  /** Without a topic for them, the first ends the stream; what came before is done, nothing behind it. */
  async strict(broker) {
    const { client, read, out, flags } = topics(broker, 'strict');
    client.send(read, [{ key: 'a', value: '{' }]);
    const { code, log } = await stream(flags).ended;
    assert.equal(code, 1);
    assert.match(log, /ERR_DATA strict-in-0, offset 0: .+--dead-letter TOPIC/);
    assert.equal(client.read(out).length, 0);
  },

  /** Tombstones, messages without keys, the same key, headers of an earlier model. */
  async tombstones(broker) {
    const { client, read, out, flags } = topics(broker, 'tombstones');
    client.send(read, [
      {
        key: 'a',
        value: GOOD,
        headers: [
          ['logodds-model', 'before'],
          ['x', '1'],
          ['x', '2'],
          ['x', '1'],
        ],
      },
      { key: 'a', value: null },
      { key: 'a', value: GOOD },
      { value: GOOD },
      { key: '', value: GOOD },
    ]);
    const result = await runUntil(flags, client, { [out]: 5 });
    assert.equal(result.tombstones, 1);
    const found = client.read(out);
    assert.deepEqual(
      found.map(({ key }) => key),
      ['a', 'a', 'a', null, ''],
    );
    assert.deepEqual(
      found.map(({ value }) => value === null),
      [false, true, false, false, false],
    );
    assert.deepEqual(found[0].headers.slice(0, 4), [
      ['x', '1'],
      ['x', '2'],
      ['x', '1'],
      ['logodds-model', 'codes'],
    ]);
    assert.equal(found[1].header['logodds-id'], `${read}-0/1`);
    const [{ time }] = client.read(read);
    assert.equal(found[0].time, time);
  },

  /** Messages of a megabyte, good and bad, and more of them than an answer holds. */
  async large(broker) {
    const { client, read, out, dead, withDead } = topics(broker, 'large', 2, ':max.message.bytes=3000000');
    const pad = 'x'.repeat(2 ** 20);
    const messages = Array.from({ length: 12 }, (_, i) => ({
      key: `k${i}`,
      value: i % 3 === 2 ? `{"code":"2","x":"${pad}"}` : `{"code":"2","x":0.5,"pad":"${pad}"}`,
    }));
    client.send(read, messages);
    await runUntil(withDead, client, { [out]: 8, [dead]: 4 });
    for (const { value } of client.read(out)) assert.equal(JSON.parse(value).probability, SCORE.probability);
  },

  /** Partitions without messages, and one busy one. */
  async empty(broker) {
    const { client, read, out, flags } = topics(broker, 'empty', 8);
    client.send(
      read,
      Array.from({ length: 100 }, (_, i) => ({ key: `k${i}`, value: GOOD, partition: 3 })),
    );
    await runUntil(flags, client, { [out]: 100 });
    // the number of the partition is kept
    assert.deepEqual([...new Set(client.read(out).map(({ partition }) => partition))], [3]);
  },

  /** A topic with fewer partitions: the messages of a key stay together and in order. */
  async fewer(broker) {
    const client = clientAt(broker.brokers);
    client.create('fewer-in:6', 'fewer-out:4');
    client.fill('fewer-in', 0, 3000, 50, 100);
    const one = stream(['--brokers', broker.brokers, '--in', 'fewer-in', '--out', 'fewer-out', '--group', 'fewer']);
    await until('all', () => client.count('fewer-out', 0, 3000, 50).missing === 0);
    assert.equal((await one.stop()).code, 0);
    const { total, outOfOrder } = client.count('fewer-out', 0, 3000, 50);
    assert.deepEqual([total, outOfOrder], [3000, 0]);
  },

  /** A topic gets more partitions while two processes read it: their messages are scored as well. */
  async grown(broker) {
    const { client, read, out, flags } = topics(broker, 'grown');
    const both = [stream(flags), stream(flags)];
    for (const one of both) await one.event('rebalance');
    client.grow(read, 3);
    client.send(
      read,
      [0, 1, 2, 2].map((partition) => ({ key: 'a', value: GOOD, partition })),
    );
    await until('all', () => client.read(out).length === 4);
    for (const one of both) assert.equal((await one.stop()).code, 0);
  },

  /** What other programs do with the group, and a name that two processes have. */
  async crowd(broker) {
    const { client, read, flags } = topics(broker, 'crowd');
    client.send(read, [{ key: 'a', value: GOOD }]);
    const first = stream([...flags, '--instance', 'a']);
    await first.event('rebalance');
    const second = stream([...flags, '--instance', 'a']);
    const { code, log } = await first.ended;
    assert.equal(code, 1);
    assert.match(log, /expected one process of an instance, got FENCED_INSTANCE_ID; another process has begun/);
    await second.event('rebalance');
    assert.equal((await second.stop()).code, 0);
  },

  /** A second process joins midway and leaves again; the first takes all back. */
  async rebalance(broker) {
    const { client, read, out, flags } = topics(broker, 'rebalance', 4);
    const [count, keys] = [60_000, 500];
    client.fill(read, 0, 20_000, keys);
    const first = stream(flags);
    await first.event('rebalance');
    const second = stream(flags);
    client.fill(read, 20_000, 40_000, keys);
    await until('partitions of the second', () =>
      second.events().some(({ event, text }) => event === 'rebalance' && !/none/.test(text)),
    );
    client.fill(read, 40_000, 50_000, keys);
    const { code, log, result } = await second.stop();
    assert.equal(code, 0, log);
    client.fill(read, 50_000, count, keys);
    await until('all', () => client.count(out, 0, count, keys).missing === 0);
    const ended = await first.stop();
    assert.equal(ended.code, 0, ended.log);
    const { total, twice, outOfOrder } = client.count(out, 0, count, keys);
    assert.deepEqual([total, twice, outOfOrder], [count, 0, 0]);
    assert.equal(ended.result.messages + result.messages, count);
    assert.ok(result.messages > 0, 'the second scored none');
  },

  /** Killed without a name in the group: its partitions are others' when its session has ended. */
  async session(broker) {
    const { client, read, out, flags } = topics(broker, 'session', 2);
    client.fill(read, 0, 20_000, 100);
    const first = stream([...flags, '--session', '6s']);
    await first.event('rebalance');
    first.child.kill('SIGKILL');
    await first.ended;
    const second = stream([...flags, '--session', '6s']);
    await until('all', () => client.count(out, 0, 20_000, 100).missing === 0);
    await second.stop();
    const { total, outOfOrder } = client.count(out, 0, 20_000, 100);
    assert.deepEqual([total, outOfOrder], [20_000, 0]);
  },

  /** The file of the model changes midway, and a reference of a registry gets another version. */
  async swap(broker) {
    const { client, read, out, flags } = topics(broker, 'swap');
    const folder = mkdtempSync(join(tmpdir(), 'logodds-swap-'));
    const command = (...args) =>
      execFileSync(process.execPath, [`${root}cli/bin/logodds.js`, ...args], { stdio: 'pipe' });
    try {
      const registry = join(folder, 'registry');
      command('push', MODEL, '--name', 'm', '--alias', 'live', '--registry', registry);
      client.send(read, [{ key: 'a', value: GOOD }]);
      const one = stream([...flags, '--registry', registry, '--every', '1s'], { model: 'models:/m@live' });
      await until('the first', () => client.read(out).length === 1);
      command('push', OTHER, '--name', 'm', '--alias', 'live', '--registry', registry);
      await one.event('model');
      client.send(read, [
        { key: 'b', value: '{}' },
        { key: 'c', value: null },
      ]);
      const { code, log } = await one.stop();
      // the other model has other fields: without a dead-letter topic it may have ended there
      assert.ok(code === 0 || /ERR_/.test(log), log);
      const versions = client.read(out).map(({ header }) => header['logodds-version']);
      assert.equal(versions[0], '1');
      const file = join(folder, 'own.safetensors');
      copyFileSync(MODEL, file);
      const [inFile, outFile] = ['swap-file-in', 'swap-file-out'];
      client.create(`${inFile}:1`, `${outFile}:1`);
      const args = [
        '--brokers',
        broker.brokers,
        '--in',
        inFile,
        '--out',
        outFile,
        '--group',
        'swap-file',
        '--every',
        '1s',
      ];
      const two = stream(args, { model: file });
      await two.event('ready');
      // half a model is none: what is in use stays
      writeFileSync(file, readFileSync(OTHER).subarray(0, 500));
      await two.event('model failed');
      client.send(inFile, [{ key: 'a', value: GOOD }]);
      await until('a score', () => client.read(outFile).length === 1);
      copyFileSync(OTHER, file);
      await two.event('model');
      assert.equal((await two.stop()).code, 0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },

  /** The broker is away for some time. */
  async away(broker) {
    const { client, read, out, flags } = topics(broker, 'away', 4);
    client.fill(read, 0, 30_000, 100);
    const one = stream(flags);
    await one.event('rebalance');
    await broker.kill();
    await one.event('waiting');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    assert.equal(one.child.exitCode, null, one.log());
    await broker.start();
    client.fill(read, 30_000, 40_000, 100);
    await until('all', () => client.count(out, 0, 40_000, 100).missing === 0);
    const { code, log } = await one.stop();
    assert.equal(code, 0, log);
    const { total, twice, outOfOrder } = client.count(out, 0, 40_000, 100);
    assert.deepEqual([total, twice, outOfOrder], [40_000, 0, 0]);
  },

  /** What is missing or half configured is one sentence, at once. */
  async refused(broker) {
    const { client, flags, read, out } = topics(broker, 'refused');
    client.create('refused-x:1');
    const absent = ['--brokers', broker.brokers, '--in', 'no-such', '--out', out, '--group', 'g'];
    const cases = [
      [absent, 1, /ERR_DATA topic no-such: expected a topic that is there, got none; create it/],
      [[...flags, '--dead-letter', 'nowhere'], 1, /topic nowhere: expected/],
      [[...flags, '--dead-letter', 'no name'], 1, /topic no name: expected a name of letters, digits/],
      [[...flags, '--revoked', MODEL], 2, /--revoked: expected --trust beside it/],
      [[...flags, '--dead-letter', out], 2, /one twice/],
      [[...flags, '--format', 'avro'], 2, /--format avro: expected --schema-registry beside it/],
      [[...flags, '--ca', MODEL], 2, /--ca: expected --tls beside it/],
      [[...flags, '--sasl', 'plain'], 2, /--sasl: expected a name, got none; give --username/],
      [[...flags, '--sasl', 'plain', '--username', 'a'], 2, /--sasl: expected a password/],
      [[...flags, '--username', 'a'], 2, /--username: expected --sasl beside it/],
      [[...flags, '--labels', 'refused-x'], 2, /--labels: expected --log beside it/],
      [
        ['--brokers', '127.0.0.1:1', '--in', read, '--out', out, '--group', 'g'],
        1,
        /ERR_DATA 127\.0\.0\.1:1: expected an answer of the broker, got ECONNREFUSED/,
      ],
      [['--brokers', '127.0.0.1:1,127.0.0.1:2', '--in', read, '--out', out, '--group', 'g'], 1, /got ECONNREFUSED/],
      [['--brokers', 'here', '--in', read, '--out', out, '--group', 'g'], 2, /--brokers: expected HOST:PORT/],
      [['--in', read, '--out', out, '--group', 'g'], 2, /--brokers or --nats/],
    ];
    const ended = await Promise.all(cases.map(([args]) => stream(args).ended));
    for (const [i, { code, log }] of ended.entries()) {
      assert.match(log, cases[i][2]);
      assert.equal(code, cases[i][1], log);
    }
  },

  /** A name and a password, right and wrong. */
  async login(broker) {
    const { client, read, out } = topics(broker, 'login');
    client.send(read, [{ key: 'a', value: GOOD }]);
    const flags = [
      '--brokers',
      broker.closed,
      '--in',
      read,
      '--out',
      out,
      '--group',
      'login',
      '--sasl',
      'plain',
      '--username',
      'admin',
    ];
    const wrong = await stream(flags, { env: { LOGODDS_STREAM_PASSWORD: 'not-this-one' } }).ended;
    assert.equal(wrong.code, 1);
    assert.match(
      wrong.log,
      /expected a name and password that the broker knows|expected a login that the broker takes/,
    );
    assert.doesNotMatch(wrong.log, /not-this-one/);
    await runUntil(flags, client, { [out]: 1 }, { env: { LOGODDS_STREAM_PASSWORD: 'secret' } });
  },

  /** Labels of earlier scores, in the log that `logodds monitor` reads. */
  async labels(broker) {
    const { client, read, out, flags } = topics(broker, 'labels');
    client.create('labels-said:1');
    const log = mkdtempSync(join(tmpdir(), 'logodds-labels-'));
    try {
      client.send(read, [{ key: 'a', value: GOOD }]);
      client.send('labels-said', [
        { key: 'a', value: '{"id":"labels-in-0/0","label":"yes","at":"2026-01-01T00:00:00Z"}' },
        { key: 'a', value: '{"id":"labels-in-0/0","label":"maybe"}' },
        { key: 'a', value: 'no json' },
        { key: 'a', value: null },
      ]);
      const one = stream([...flags, '--labels', 'labels-said', '--log', log, '--metrics-port', 0]);
      const { metrics } = await one.event('ready');
      await until('the label', async () => (await metricsAt(metrics)).logodds_stream_labels_total === 1);
      const told = await metricsAt(metrics);
      assert.equal(told.logodds_stream_labels_refused_total, 3);
      await until('the score', () => client.read(out).length === 1);
      assert.equal((await one.stop()).code, 0);
      const [file] = readdirSync(log).filter((name) => name.startsWith('labels-'));
      assert.deepEqual(JSON.parse(readFileSync(join(log, file), 'utf8')), {
        id: 'labels-in-0/0',
        label: 'yes',
        at: '2026-01-01T00:00:00.000Z',
        model: 'codes',
      });
      assert.equal(client.read(out)[0].header['logodds-id'], 'labels-in-0/0');
    } finally {
      rmSync(log, { recursive: true, force: true });
    }
  },

  /** Avro of a registry: written and read by the official client. */
  async avro(broker) {
    const { client, read, out, dead, withDead } = topics(broker, 'avro');
    const registry = await registryOfSchemas();
    try {
      await inPythonBeside('avro.py', [broker.brokers, registry.url, 'send', read]);
      client.send(read, [
        { key: 'magic', value: GOOD },
        { key: 'unknown', base64: 'AAAAA+gA' },
        { key: 'cut', base64: 'AAAAAAE=' },
        { key: 'gone', value: null },
      ]);
      await runUntil([...withDead, '--format', 'avro', '--schema-registry', registry.url], client, {
        [out]: 4,
        [dead]: 3,
      });
      const scores = await inPythonBeside('avro.py', [broker.brokers, registry.url, 'read', out]);
      assert.equal(scores[0].probability, SCORE.probability);
      assert.equal(scores[0].label, SCORE.label);
      assert.deepEqual(
        client.read(dead).map(({ key }) => key),
        ['magic', 'unknown', 'cut'],
      );
    } finally {
      registry.close();
    }
  },

  /** Arrow: written and read by pyarrow. */
  async arrow(broker) {
    const { client, read, out, dead, withDead } = topics(broker, 'arrow');
    const { payload } = inPython('arrow.py', ['write']);
    client.send(read, [
      { key: 'a', base64: payload },
      { key: 'b', value: GOOD },
    ]);
    await runUntil([...withDead, '--format', 'arrow'], client, { [out]: 1, [dead]: 1 });
    const [{ value }] = client.read(out);
    const { columns } = inPython('arrow.py', ['read'], value.toString('base64'));
    assert.equal(columns.p_yes[0], SCORE.probability);
    assert.equal(columns.label.length, 3);
  },

  ...SECURE,
  ...MODELS,
  nats,
};
