// A broker of Kafka on free ports of loopback, in a folder of its own: one process of Java. Its jars come from Maven, once into a cache folder.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const KAFKA = '4.4.0';

/** Folder of the jars. LOGODDS_KAFKA_JARS names one that is there. */
export function jars() {
  if (process.env.LOGODDS_KAFKA_JARS) return process.env.LOGODDS_KAFKA_JARS;
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'logodds-test');
  const folder = join(cache, `kafka-${KAFKA}`);
  if (existsSync(folder)) return folder;
  console.error('fetching Kafka from Maven ...');
  mkdirSync(cache, { recursive: true });
  // half a folder must not be taken for a whole one
  const part = mkdtempSync(`${folder}.part-`);
  const pom = fileURLToPath(new URL('pom.xml', import.meta.url));
  execFileSync(
    'mvn',
    ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${part}`, '-DincludeScope=runtime'],
    { stdio: ['ignore', 2, 2] },
  );
  renameSync(part, folder);
  return folder;
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const java = (...args) => ['-cp', `${jars()}/*`, ...args];

/** Users of the broker with a password, who may do everything, and one who may do what an ACL allows. */
export const USERS = { admin: 'secret', guest: 'guest secret' };

/** Certificates of an authority of our own for the broker and a client, in PEM. */
function certificates(folder) {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=logodds test');
  writeFileSync(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  for (const name of ['broker', 'client']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`);
  }
  const pair = ['broker.key', 'broker.pem'].map((name) => readFileSync(join(folder, name), 'utf8'));
  writeFileSync(join(folder, 'broker.both.pem'), pair.join(''));
}

/**
 * Starts a broker with a port for all, one that asks for a name and a password, and two with TLS, of which one asks for a certificate and the other for a password;
 * resolves when it answers. `kill` ends it as a power cut would, `start` begins it again with what it has. */
export async function startBroker() {
  const folder = mkdtempSync(join(tmpdir(), 'logodds-kafka-'));
  certificates(folder);
  const ports = [];
  while (ports.length < 5) ports.push(await freePort());
  const [port, closed, sealed, both, controller] = ports;
  const listeners = ['OPEN', 'CLOSED', 'SEALED', 'BOTH', 'CONTROLLER']
    .map((name, i) => `${name}://127.0.0.1:${ports[i]}`)
    .join();
  const users = Object.entries(USERS).map(([name, secret]) => `user_${name}="${secret}"`);
  const login = `org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="secret" ${users.join(' ')};`;
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
    listeners,
    'advertised.listeners': listeners,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'OPEN',
    'listener.security.protocol.map':
      'OPEN:PLAINTEXT,CLOSED:SASL_PLAINTEXT,SEALED:SSL,BOTH:SASL_SSL,CONTROLLER:PLAINTEXT',
    'log.dirs': `${folder}/data`,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS;User:admin;User:CN=client',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.both.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'listener.name.closed.plain.sasl.jaas.config': login,
    'listener.name.closed.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.closed.scram-sha-512.sasl.jaas.config': scram,
    'listener.name.both.scram-sha-512.sasl.jaas.config': scram,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': `${folder}/broker.both.pem`,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': `${folder}/ca.pem`,
    'listener.name.sealed.ssl.client.auth': 'required',
  };
  const file = join(folder, 'server.properties');
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const id = Buffer.from(Array.from({ length: 16 }, (_, i) => i + 65)).toString('base64url');
  const scrams = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((kind) => [
    '--add-scram',
    `${kind}=[name=admin,password=${USERS.admin}]`,
  ]);
  execFileSync('java', java('kafka.tools.StorageTool', 'format', '-t', id, '-c', file, '--standalone', ...scrams), {
    stdio: 'ignore',
  });
  let child;
  const broker = {
    port,
    brokers: `127.0.0.1:${port}`,
    closed: `127.0.0.1:${closed}`,
    sealed: `127.0.0.1:${sealed}`,
    both: `127.0.0.1:${both}`,
    /** of the certificates: ca.pem, client.pem, client.key */
    folder,
    async start() {
      child = spawn('java', ['-Xmx512m', '-XX:+UseSerialGC', ...java('kafka.Kafka', file)], { stdio: 'ignore' });
      for (const end = Date.now() + 120_000; ; ) {
        if (await connects(port)) return;
        if (child.exitCode !== null || Date.now() > end) throw new Error('the broker did not start');
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
    async close() {
      await broker.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await broker.start();
  return broker;
}

const connects = (port) =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
