import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { afterAll, expect, test } from 'vitest';
import { Host } from '../../cli/src/serve/host.ts';
import { createService } from '../../service/src/index.ts';
import { guarded } from './access.ts';
import { bytes, serviceOf } from './models.ts';

// bodies that nobody reads, and bodies that somebody has read
const closing: (() => unknown)[] = [];
afterAll(() => {
  for (const close of closing) close();
});

const record = '{"code":"2","x":0.5}';
const SCORE = 'POST /models/codes/score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

/** What comes back over a connection to the host of the command, until it ends. */
async function wire(head: string, body: string, limits = { bytes: 1000 }) {
  const service = createService({ limits, models: [{ name: 'codes', model: bytes.codes }] });
  const host = new Host(service, { headerTimeout: 20, bodyTimeout: 60, idleTimeout: 0 }, null);
  closing.push(() => host.cut());
  const url = await host.listen({ kind: 'port', host: '127.0.0.1', port: 0, flag: '--port' });
  return new Promise<string>((resolve, reject) => {
    let text = '';
    connect(Number(new URL(url).port), '127.0.0.1')
      .on('data', (part) => {
        text += part;
      })
      .on('error', reject)
      .on('close', () => resolve(text))
      .write(head + body);
  });
}

test.each([
  ['its length alone has come', 'Content-Length: 5000000\r\n\r\n', ''],
  ['a part of it has come', 'Content-Length: 5000000\r\n\r\n', 'x'.repeat(300_000)],
  ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n', `4000\r\n${'x'.repeat(0x4000)}\r\n`.repeat(4)],
])(
  'a request refused before its body was read ends its connection, and the answer says so: %s',
  async (_, head, body) => {
    const text = await wire(SCORE + head, body);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toMatch(/^connection: close\r$/im);
    expect(text).toContain('expected at most 1000 bytes');
  },
);

test('a body that has come leaves the connection open, refused or not', async () => {
  const last = `${SCORE}Connection: close\r\nContent-Length: ${record.length}\r\n\r\n${record}`;
  const refused = `${SCORE}Content-Length: 20000\r\n\r\n${'x'.repeat(20_000)}`;
  const text = await wire(refused + last, '', { bytes: 1e6 });
  expect([...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status)).toEqual(['400', '200']);
});

const READ =
  'body: expected it unread, got one that the program around the service has read; mount the service before express.json() and the like';

test.each(['application/json', 'application/x-ndjson', 'text/csv'])(
  'a body that the program around it has read is told as that: %s',
  async (type) => {
    const { service } = serviceOf('codes');
    const ask = () =>
      new Request('http://x/models/codes/score', { method: 'POST', body: record, headers: { 'content-type': type } });
    const read = ask();
    await read.text();
    const locked = ask();
    locked.body!.getReader();
    for (const request of [read, locked]) {
      const text = await (await service.fetch(request)).text();
      expect(text).toContain('ERR_BODY_READ');
    }
    // as express.json() does
    const listener = getRequestListener((request) => service.fetch(request), { overrideGlobalObjects: false });
    const server = createServer((request, response) => {
      request.resume().once('end', () => listener(request, response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/models/codes/score`;
    const response = await fetch(url, { method: 'POST', body: record, headers: { 'content-type': type } });
    expect(await response.text()).toContain(type === 'text/csv' ? 'express.json()' : READ);
    if (type === 'application/json') expect(response.status).toBe(500);
  },
);

test.each(['0', '0x10', '1e2', '-5', 'many', ''])(
  'a body of no bytes with the length %j is none that was read',
  async (length) => {
    const { ask } = guarded({});
    for (const path of ['/models/codes/score', '/v2/repository/index', '/v2/models/codes/infer', '/invocations'])
      for (const type of ['application/json', 'application/x-ndjson']) {
        const headers = { 'content-type': type, 'content-length': length };
        const response = await ask(path, headers, { method: 'POST', body: '' });
        expect([path, response.status < 500]).toEqual([path, true]);
        expect(await response.text()).not.toContain('ERR_BODY_READ');
      }
  },
);
