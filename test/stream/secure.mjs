// How a stream gets in: certificates, passwords, rights, compressed topics, several brokers.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { USERS } from './broker.mjs';
import { GOOD, runUntil, topics } from './casesParts.mjs';
import { clientAt, MODEL, stream, until } from './parts.mjs';

/** Flags of another listener in the place of the open one. */
const at = (brokers, { read, out }, group, ...more) => [
  ...['--brokers', brokers, '--in', read, '--out', out, '--group', group],
  ...more,
];

/** Runs a stream that cannot begin; returns its sentence. */
async function refused(args, env = {}) {
  const one = stream(args, { env });
  const late = setTimeout(() => one.child.kill('SIGKILL'), 40_000);
  const { code, log } = await one.ended;
  clearTimeout(late);
  assert.equal(code, 1, `${args.join(' ')}: ${log}`);
  for (const secret of Object.values(env)) assert.ok(!log.includes(secret), 'a secret was said');
  return log;
}

export const CASES = {
  /** TLS with a certificate of our own, and what is wrong with it. */
  async tls(broker) {
    const all = topics(broker, 'tls');
    const { client, read, out } = all;
    client.send(read, [{ key: 'a', value: GOOD }]);
    const file = (name) => join(broker.folder, name);
    const own = ['--cert', file('client.pem'), '--key', file('client.key')];
    const tls = (...more) => at(broker.sealed, all, 'tls', '--tls', ...more);
    await runUntil(tls('--ca', file('ca.pem'), ...own), client, { [out]: 1 });
    const said = [
      [tls(...own), /expected a certificate that is trusted here, got .+; --ca FILE/],
      [tls('--ca', file('ca.pem')), /expected .+certificate.+--cert/],
      [at(broker.sealed, all, 'tls'), /--tls/],
      [at(broker.brokers, all, 'tls', '--tls', '--ca', file('ca.pem')), /--tls/],
      [tls('--ca', file('ca.pem'), '--cert', file('ca.pem'), '--key', file('client.key')), /--key/],
      [tls('--ca', MODEL), /--ca/],
    ];
    for (const [args, rule] of said) assert.match(await refused(args), rule);
  },

  /** SCRAM, alone and over TLS; the password of a file and of the environment. */
  async scram(broker) {
    const all = topics(broker, 'scram');
    const { client, read, out } = all;
    client.send(read, [{ key: 'a', value: GOOD }]);
    const folder = mkdtempSync(join(tmpdir(), 'logodds-scram-'));
    try {
      const password = join(folder, 'password');
      writeFileSync(password, `${USERS.admin}\n`);
      const login = (kind) => ['--sasl', kind, '--username', 'admin', '--password-file', password];
      for (const kind of ['scram-sha-256', 'scram-sha-512']) {
        const { messages } = await runUntil(at(broker.closed, all, kind, ...login(kind)), client, { [out]: 1 });
        assert.equal(messages, 1, kind);
      }
      const both = at(broker.both, all, 'both', '--tls', '--ca', join(broker.folder, 'ca.pem'), '--sasl');
      const secret = { LOGODDS_STREAM_USERNAME: 'admin', LOGODDS_STREAM_PASSWORD: USERS.admin };
      const { messages } = await runUntil([...both, 'scram-sha-512'], client, { [out]: 3 }, { env: secret });
      assert.equal(messages, 1);
      assert.match(
        await refused([...both, 'scram-sha-256'], secret),
        /expected a mechanism that the broker has, got .+; name another by --sasl/,
      );
      const wrong = { ...secret, LOGODDS_STREAM_PASSWORD: 'not-this-one' };
      assert.match(
        await refused([...both, 'scram-sha-512'], wrong),
        /expected a (name and password|login) that the broker/,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },

  /** What a user may not do is said by name; with each right one step more. */
  async rights(broker) {
    const all = topics(broker, 'rights');
    const { client, read, out } = all;
    client.send(read, [{ key: 'a', value: GOOD }]);
    const flags = at(broker.closed, all, 'rights', '--sasl', 'plain', '--username', 'guest');
    const env = { LOGODDS_STREAM_PASSWORD: USERS.guest };
    const steps = [
      [
        /topic rights-in: expected the right to read it, got TOPIC_AUTHORIZATION_FAILED; allow READ on topic rights-in/,
        `TOPIC:${read}:READ`,
      ],
      [
        /topic rights-out: expected the right to write it, got TOPIC_AUTHORIZATION_FAILED; allow WRITE on topic rights-out/,
        `TOPIC:${out}:WRITE`,
      ],
      [
        /expected the right to read as the group, got GROUP_AUTHORIZATION_FAILED; allow READ on the group/,
        'GROUP:rights:READ',
      ],
      [
        /expected the right to write in transactions, got TRANSACTIONAL_ID_AUTHORIZATION_FAILED; allow WRITE on transactional ids/,
        'TRANSACTIONAL_ID:rights.:WRITE',
      ],
    ];
    for (const [rule, right] of steps) {
      assert.match(await refused(flags, env), rule);
      client.allow('guest', right);
    }
    await runUntil(flags, client, { [out]: 1 }, { env });
    // seen, but not to be read
    const other = topics(broker, 'wrong');
    client.allow('guest', `TOPIC:${other.read}:DESCRIBE`, `TOPIC:${other.out}:DESCRIBE`);
    const seen = at(broker.closed, other, 'rights', '--sasl', 'plain', '--username', 'guest');
    assert.match(await refused(seen, env), /READ on/);
    client.allow('guest', `TOPIC:${other.read}:READ`);
    other.client.send(other.read, [{ key: 'a', value: GOOD }]);
    assert.match(await refused(seen, env), /WRITE on/);
  },

  /** Topics that other clients have compressed; the list of brokers begins with one that is away. */
  async compressed(broker) {
    const all = topics(broker, 'compressed', 2);
    const { client, read, out } = all;
    const kinds = ['gzip', 'snappy', 'lz4'];
    for (const [i, codec] of kinds.entries())
      client.fill(read, 1000 * i, 1000 * (i + 1), 50, 300, { 'compression.codec': codec });
    const one = stream(at(`127.0.0.1:1,${broker.brokers}`, all, 'compressed'));
    await until('all', () => client.count(out, 0, 3000, 50).missing === 0);
    assert.equal((await one.stop()).code, 0);
    const { total, outOfOrder } = clientAt(broker.brokers).count(out, 0, 3000, 50);
    assert.deepEqual([total, outOfOrder], [3000, 0]);
    client.fill(read, 3000, 3100, 50, 300, { 'compression.codec': 'zstd' });
    const hasZstd = 'zstdDecompressSync' in (await import('node:zlib'));
    if (hasZstd) {
      await runUntil(at(broker.brokers, all, 'compressed'), client, { [out]: 3100 });
      return;
    }
    assert.match(
      await refused(at(broker.brokers, all, 'compressed')),
      /compressed-in, partition \d: expected a compression that this Node reads \(gzip, snappy, lz4\), got zstd/,
    );
  },
};
