import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type ChannelCredentials, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { expect, test } from 'vitest';
import { ask, load, MODEL, RECORD, services } from './serve.ts';

const { serve } = services();

/** A stream of lines that stays open. */
async function openStream(url: string) {
  const sent: ClientRequest = request(`${url}/models/codes/score`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  sent.on('error', () => {});
  sent.write(`${RECORD}\n`);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  const lines = response[Symbol.asyncIterator]();
  await lines.next();
  return { sent, lines };
}

/** Resolves when a new connection is refused. */
async function refused(url: string): Promise<void> {
  for (;;) {
    const code = await ask(`${url}/ping`).then(
      () => null,
      (error) => error.code,
    );
    if (code === 'ECONNREFUSED') return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test.each([1, 2])('SIGTERM during load, %i processes: not ready, every request answered, exit 0', async (workers) => {
  const args = [MODEL, '--workers', String(workers), '--drain-delay', '3'];
  const { url, child, ended, ready } = await serve(args);
  const health = healthOf(ready.grpc);
  expect(await health()).toBe('SERVING');
  // as a client that keeps to HTTP: told that the connection ends, it asks elsewhere
  const clients = load(url, 8, ({ headers }) => headers.connection === 'close');
  await clients.answered(20);
  child.kill('SIGTERM');
  // still there for those who ask, and told to be asked no more
  await clients.over();
  for (const path of ['/v2/health/ready', '/ping']) {
    const { status, headers } = await ask(`${url}${path}`);
    expect([path, status, headers.connection]).toEqual([path, 503, 'close']);
  }
  expect((await ask(`${url}/v2/health/live`)).status).toBe(200);
  expect(await health()).toBe('NOT_SERVING');
  expect(clients.failures()).toEqual([]);
  expect(await ended).toMatchObject({ code: 0, signal: null });
});

test.each([1, 2])('a stream that is open at a signal goes on to its end, %i processes', async (workers) => {
  const args = [MODEL, '--no-grpc', '--workers', String(workers), '--drain-delay', '0'];
  const { url, child, ended } = await serve(args);
  const { sent, lines } = await openStream(url);
  child.kill('SIGINT');
  await refused(url);
  sent.write(`${RECORD}\n`);
  expect(JSON.parse((await lines.next()).value).probability).toBeGreaterThan(0);
  sent.end();
  expect((await lines.next()).done).toBe(true);
  expect(await ended).toMatchObject({ code: 0 });
});

test.each([1, 2])('what the grace time is too short for is cut, and said, %i processes', async (workers) => {
  const args = [MODEL, '--no-grpc', '--workers', String(workers), '--drain-delay', '0', '--grace', '0.5'];
  const { url, child, ended } = await serve(args);
  const { lines } = await openStream(url);
  child.kill('SIGTERM');
  await expect(lines.next()).rejects.toThrow();
  const { code, log } = await ended;
  expect(code).toBe(1);
  expect(log).toMatch(/"event":"cut","requests":1/);
  expect(log).toContain('ERR_DATA serve: expected all requests answered within 0.5 s, got 1 that were not');
});

test.each([1, 2])('a second signal ends it at once, %i processes', async (workers) => {
  const { url, child, ended } = await serve([MODEL, '--no-grpc', '--workers', String(workers), '--drain-delay', '0']);
  const { lines } = await openStream(url);
  child.kill('SIGTERM');
  await refused(url);
  child.kill('SIGINT');
  await expect(lines.next()).rejects.toThrow();
  expect(await ended).toMatchObject({ code: 130 });
});

interface Health {
  check(asked: object, done: (error: Error | null, answer: { status: string }) => void): void;
}

/** Asks the health of gRPC as its probes do. */
function healthOf(address: string) {
  const proto = loadSync('node_modules/grpc-health-check/proto/health/v1/health.proto', {
    enums: String,
    defaults: true,
  });
  const { grpc } = loadPackageDefinition(proto) as unknown as {
    grpc: { health: { v1: { Health: new (address: string, given: ChannelCredentials) => Health } } };
  };
  const client = new grpc.health.v1.Health(address, credentials.createInsecure());
  return () =>
    new Promise<string>((resolve, reject) =>
      client.check({ service: '' }, (error, answer) => (error ? reject(error) : resolve(answer.status))),
    );
}
