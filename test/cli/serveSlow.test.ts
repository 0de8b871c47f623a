import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { Host } from '../../cli/src/serve/host.ts';
import { createService } from '../../service/src/index.ts';
import { MODEL, RECORD, score } from './serve.ts';

const hosts: Host[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) {
    const closed = host.close();
    host.cut();
    await closed;
  }
});

/** A service at a free port, whose clients have little time. */
async function short(times: { headerTimeout?: number; bodyTimeout?: number; idleTimeout?: number } = {}) {
  const service = createService({ models: [{ name: 'codes', model: readFileSync(MODEL) }] });
  const host = new Host(service, { headerTimeout: 60, bodyTimeout: 60, idleTimeout: 60, ...times }, null);
  hosts.push(host);
  const url = await host.listen({ kind: 'port', host: '127.0.0.1', port: 0, flag: '--port' });
  const open = () => connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  const timedOut = () => host.gauges()['lr_connections_timed_out_total'].value;
  return { service, host, url, open, timedOut };
}

/** Resolves when a socket is closed, by an error too. */
const closing = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()));

/** All that comes, until the other end closes. */
async function everything(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (piece) => {
    text += piece;
  });
  // what is sent to a socket that was closed
  socket.on('error', () => {});
  socket.once('end', () => socket.end());
  await closing(socket);
  return text;
}

const head = (length: number, type = 'application/json') =>
  `POST /models/codes/score HTTP/1.1\r\nhost: a\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`;

/** Sends bytes one by one, until the socket is closed. */
function trickle(socket: Socket, text: string, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at >= text.length) clearInterval(timer);
    else socket.write(text[at++]);
  }, everyMs);
}

test('heads that never end are cut, and others are served meanwhile', async () => {
  const { open, url, timedOut } = await short({ headerTimeout: 0.4 });
  const slow = Array.from({ length: 50 }, () => {
    const socket = open();
    socket.write('POST /models/codes/score HTTP/1.1\r\n');
    trickle(socket, 'x-a: b\r\n'.repeat(1000), 50);
    return everything(socket).finally(() => socket.destroy());
  });
  const silent = everything(open());
  let answers = 0;
  const all = Promise.all([...slow, silent]);
  let isOver = false;
  void all.then(() => {
    isOver = true;
  });
  while (!isOver) {
    expect((await score(url)).status).toBe(200);
    answers++;
  }
  expect(answers).toBeGreaterThan(0);
  for (const text of await all) expect(text).toMatch(/^HTTP\/1\.1 408 .*"code":"ERR_TIME"/s);
  expect(timedOut()).toBe(51);
});

test('a body a byte at a time is cut, and is no error of the service', async () => {
  const { open, service, timedOut } = await short({ bodyTimeout: 0.4 });
  const socket = open();
  socket.write(head(1000));
  trickle(socket, ' '.repeat(1000), 50);
  expect(await everything(socket)).toMatch(/^HTTP\/1\.1 408 /);
  expect(timedOut()).toBe(1);
  await vi.waitFor(() => expect(service.numbers().gauges['lr_requests_in_flight'].value).toBe(0));
  expect(service.metrics.snapshot().tallies[0].requests).toEqual({ 'own 400': 1 });
});

test('a stream of lines may take longer than a body, as long as it goes on', async () => {
  const { open, timedOut } = await short({ bodyTimeout: 0.2, idleTimeout: 20 });
  const socket = open();
  const text = `${RECORD}\n${RECORD}\n`;
  socket.write(head(text.length, 'application/x-ndjson').replace('host: a', 'host: a\r\nconnection: close'));
  trickle(socket, text, 40);
  const answer = await everything(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer.match(/"probability"/g)).toHaveLength(2);
  expect(timedOut()).toBe(0);
});

test('a client that never reads what it asked for is cut, and its scorer given back', async () => {
  const { open, service, timedOut, url } = await short({ idleTimeout: 0.5 });
  const socket = open();
  socket.pause();
  socket.on('error', () => {});
  const closed = closing(socket);
  const lines = `${RECORD}\n`.repeat(1000);
  socket.write(head(1e12, 'application/x-ndjson'));
  const push = () => {
    while (!socket.destroyed && socket.write(lines));
  };
  socket.on('drain', push);
  push();
  await closed;
  await vi.waitFor(() => expect(service.numbers().gauges['lr_requests_in_flight'].value).toBe(0));
  expect(timedOut()).toBe(1);
  expect((await score(url)).status).toBe(200);
});

test('a client that closes its half after the request gets its answer', async () => {
  const { open } = await short();
  const socket = open();
  socket.end(head(RECORD.length) + RECORD);
  expect(await everything(socket)).toMatch(/^HTTP\/1\.1 200 .*"probability"/s);
});

test('a client that leaves in the middle of a body is counted, and no error', async () => {
  const { open, service } = await short();
  const socket = open();
  socket.write(`${head(1000)}{`);
  await vi.waitFor(() => expect(service.numbers().gauges['lr_requests_in_flight'].value).toBe(1));
  socket.destroy();
  await vi.waitFor(() => expect(service.metrics.snapshot().tallies[0].requests).toEqual({ 'own 400': 1 }));
});

test.each([
  ['no HTTP', 'GARBAGE\r\n\r\n', 400],
  ['two lengths', head(2).replace('content-length', 'content-length: 3\r\ncontent-length'), 400],
  ['a length and chunks', head(2).replace('\r\n\r\n', '\r\ntransfer-encoding: chunked\r\n\r\n'), 400],
  ['a line feed in a header', 'GET / HTTP/1.1\r\nhost: a\r\nx: a\nb: c\r\n\r\n', 400],
  ['a large head', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
])('%s is refused with JSON, and the connection closed', async (_, text, status) => {
  const { open, host, url } = await short();
  const socket = open();
  socket.write(text);
  const answer = await everything(socket);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
    error: expect.stringContaining('expected'),
  });
  expect(host.gauges()['lr_requests_malformed_total'].value).toBe(1);
  expect((await score(url)).status).toBe(200);
});
