import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterEach, expect, test } from 'vitest';
import { Certificates } from '../../cli/src/serve/certificates.ts';
import { Host } from '../../cli/src/serve/host.ts';
import { createService, type Service } from '../../service/src/index.ts';
import { MODEL, RECORD, services } from './serve.ts';

const at = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
const ca = readFileSync(at('ca.pem'));
const client = { cert: readFileSync(at('client.pem')), key: readFileSync(at('client.key')) };
const { serve } = services();

const open: { close(): Promise<void>; cut(): void }[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const host of open.splice(0)) {
    const closed = host.close();
    host.cut();
    await closed;
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A service with TLS, and a path that says who asks. */
async function secure({ asks = false, times = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'logodds-tls-'));
  folders.push(folder);
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  /** puts another certificate there */
  const put = (name: string) => {
    copyFileSync(at(`${name}.pem`), files.cert);
    copyFileSync(at(`${name}.key`), files.key);
  };
  put('server');
  const certificates = new Certificates({ ...files, ...(asks && { clientCa: at('ca.pem') }) });
  const service = createService({ models: [{ name: 'codes', model: readFileSync(MODEL) }] });
  const told: Service = {
    ...service,
    fetch: (request, peer) =>
      new URL(request.url).pathname === '/who' ? Response.json(peer ?? null) : service.fetch(request, peer),
  };
  const host = new Host(told, { headerTimeout: 60, bodyTimeout: 60, idleTimeout: 60, ...times }, certificates);
  open.push(host);
  const place = { kind: 'port', host: '127.0.0.1', port: 0, flag: '--port' } as const;
  return { files, put, certificates, service, host, url: await host.listen(place) };
}

/** Asks by HTTP/1.1 over TLS. */
const ask = (url: string, options: object = {}, body?: string) =>
  new Promise<{ status: number; text: string; subject: string }>((resolve, reject) => {
    const sent = request(url, { ca, agent: false, method: body ? 'POST' : 'GET', ...options }, async (response) => {
      const { fingerprint256 } = (
        response.socket as unknown as { getPeerCertificate(): PeerCertificate }
      ).getPeerCertificate();
      let text = '';
      for await (const piece of response) text += piece;
      resolve({ status: response.statusCode!, text, subject: fingerprint256 });
    });
    sent.on('error', reject);
    sent.end(body);
  });

/** Asks by HTTP/2. */
async function ask2(session: ClientHttp2Session, path: string, body?: string) {
  const stream = session.request({
    ':path': path,
    ':method': body ? 'POST' : 'GET',
    'content-type': 'application/json',
  });
  stream.end(body);
  const [headers] = await once(stream, 'response');
  let text = '';
  for await (const piece of stream) text += piece;
  return { status: headers[':status'] as number, text };
}

test('HTTP/2 and HTTP/1.1 answer at one port, by what the client can', async () => {
  const { url } = await secure();
  expect(url).toMatch(/^https:/);
  const one = await ask(`${url}/models/codes/score`, {}, RECORD);
  const session = connect(url, { ca });
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask2(session, '/models/codes/score', RECORD)));
  session.close();
  expect(one.status).toBe(200);
  for (const { status, text } of answers)
    expect([status, JSON.parse(text).scores]).toEqual([200, JSON.parse(one.text).scores]);
});

test('a client is known by its certificate, never by a header; without one it gets no connection', async () => {
  const { url, host } = await secure({ asks: true });
  const expected = { subject: 'CN=scoring,O=bank\\, north', address: '127.0.0.1' };
  expect(JSON.parse((await ask(`${url}/who`, client)).text)).toEqual(expected);
  const session = connect(url, { ca, ...client });
  for (let i = 0; i < 2; i++) expect(JSON.parse((await ask2(session, '/who')).text)).toEqual(expected);
  session.close();
  await expect(ask(`${url}/who`)).rejects.toThrow();
  // from another authority: its own
  const stranger = { cert: ca, key: client.key };
  await expect(ask(`${url}/who`, stranger)).rejects.toThrow();
  expect(host.gauges()['lr_tls_failures_total'].value).toBeGreaterThanOrEqual(1);
  const plain = await secure();
  expect(JSON.parse((await ask(`${plain.url}/who`, { headers: { 'x-client-subject': 'CN=root' } })).text)).toBe(null);
});

test('a certificate that changes is used by new connections; one that does not fit leaves the old', async () => {
  const { url, put, files, certificates } = await secure();
  const first = (await ask(`${url}/ping`)).subject;
  const session = connect(url, { ca });
  await ask2(session, '/ping');
  expect(certificates.look()).toBe(false);
  put('other');
  expect(certificates.look()).toBe(true);
  const second = (await ask(`${url}/ping`)).subject;
  expect(second).not.toBe(first);
  // connections that are there go on
  expect((await ask2(session, '/ping')).status).toBe(200);
  session.close();
  copyFileSync(at('server.pem'), files.cert);
  expect(() => certificates.look()).toThrow(/expected a certificate and its key in PEM/);
  expect((await ask(`${url}/ping`)).subject).toBe(second);
  writeFileSync(files.cert, 'none');
  expect(() => certificates.look()).toThrow();
  put('server');
  expect(certificates.look()).toBe(true);
  expect((await ask(`${url}/ping`)).subject).toBe(first);
});

test('a body over HTTP/2 has its time too, and a handshake', async () => {
  const { url, host } = await secure({ times: { bodyTimeout: 0.3, headerTimeout: 0.3 } });
  const session = connect(url, { ca });
  const stream = session.request({ ':path': '/models/codes/score', ':method': 'POST' });
  stream.on('error', () => {});
  stream.write('{');
  await once(stream, 'close');
  expect((await ask2(session, '/models/codes/score', RECORD)).status).toBe(200);
  session.close();
  expect(host.gauges()['lr_connections_timed_out_total'].value).toBe(1);
  // a connection that never says hello
  const silent = connectPlain({ port: Number(new URL(url).port), host: '127.0.0.1' });
  silent.resume();
  await once(silent, 'close');
  expect(host.gauges()['lr_tls_failures_total'].value).toBe(1);
});

test('sessions of HTTP/2 end when the host closes, with their answers', async () => {
  const { url, host } = await secure();
  const session = connect(url, { ca });
  const stream = session.request({ ':path': '/models/codes/score', ':method': 'POST' });
  stream.write(RECORD.slice(0, 3));
  await once(session, 'remoteSettings');
  await ask2(session, '/ping');
  const closed = host.close();
  stream.end(RECORD.slice(3));
  const [headers] = await once(stream, 'response');
  expect(headers[':status']).toBe(200);
  stream.resume();
  await closed;
});

/** Asks by gRPC whether a service is ready. */
function ready(grpc: string, given: ReturnType<typeof credentials.createSsl>): Promise<object> {
  const proto = loadSync('cli/proto/inference.proto', { keepCase: true });
  const { inference } = loadPackageDefinition(proto) as unknown as {
    inference: {
      GRPCInferenceService: new (
        ...given: unknown[]
      ) => { ServerReady(asked: object, done: (error: Error | null, answer: object) => void): void; close(): void };
    };
  };
  return new Promise<object>((resolve, reject) => {
    const asker = new inference.GRPCInferenceService(grpc, given);
    asker.ServerReady({}, (error, answer) => {
      asker.close();
      if (error) reject(error);
      else resolve(answer);
    });
  });
}

test.each([1, 2])(
  'the command serves with TLS and certificates of clients, beyond this machine without --open, %i processes',
  async (workers) => {
    const args = [MODEL, '--host', '0.0.0.0', '--cert', at('server.pem'), '--key', at('server.key')];
    const {
      url,
      child,
      ended,
      ready: told,
    } = await serve([...args, '--client-ca', at('ca.pem'), '--workers', String(workers)]);
    const own = url.replace('0.0.0.0', '127.0.0.1');
    expect((await ask(`${own}/models/codes/score`, client, RECORD)).status).toBe(200);
    await expect(ask(`${own}/ping`)).rejects.toThrow();
    expect((await ask(`${own}/metrics`, client)).text).toMatch(/^lr_certificate_expiry_timestamp_seconds 4\d{9}$/m);
    const grpc = told.grpc.replace('0.0.0.0', '127.0.0.1');
    expect(await ready(grpc, credentials.createSsl(ca, client.key, client.cert))).toEqual({ ready: true });
    await expect(ready(grpc, credentials.createSsl(ca))).rejects.toThrow();
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0 });
  },
);
