import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { Host } from '../../cli/src/serve/host.ts';
import { createService } from '../../service/src/index.ts';
import { MODEL, RECORD } from './serve.ts';

const service = createService({ models: [{ name: 'codes', model: readFileSync(MODEL) }] });
const host = new Host(service, { headerTimeout: 60, bodyTimeout: 60, idleTimeout: 60 }, null);
const url = new URL(await host.listen({ kind: 'port', host: '127.0.0.1', port: 0, flag: '--port' }));
afterAll(async () => {
  const closed = host.close();
  host.cut();
  await closed;
});

/** The first answer to these bytes: its status and body. */
const send = (bytes: string) =>
  new Promise<[status: number, body: string]>((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname);
    let text = '';
    socket.setEncoding('latin1').on('data', (part) => {
      text += part;
      const [, status, head, body] = /^HTTP\/1\.1 (\d+) ([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(text) ?? [];
      const length = Number(/content-length: (\d+)/i.exec(head ?? '')?.[1] ?? Number.NaN);
      if (body?.length === length) {
        resolve([Number(status), body]);
        socket.destroy();
      }
    });
    socket.on('error', reject);
    socket.write(bytes, 'latin1');
  });
const malformed = () => host.gauges()['lr_requests_malformed_total'].value;

test.each([
  ['a host that is none', 'GET /v2 HTTP/1.1\r\nhost: a b<>\r\n\r\n'],
  ['a host with a path', 'GET /v2 HTTP/1.1\r\nhost: a/models?\r\n\r\n'],
  ['another scheme', 'GET ftp://a/v2 HTTP/1.1\r\nhost: a\r\n\r\n'],
  ['no path', 'OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n'],
  ['a backslash', 'GET /models\\codes HTTP/1.1\r\nhost: a\r\n\r\n'],
  ['two lengths', 'POST /v2 HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
])('%s is refused by JSON, and counted', async (_, bytes) => {
  const before = malformed();
  const [status, body] = await send(bytes);
  expect([status, JSON.parse(body).code, malformed()]).toEqual([400, 'ERR_HTTP', before + 1]);
});

test('an expectation that is not known is refused by JSON', async () => {
  const head = 'POST /models/codes/score HTTP/1.1\r\nhost: a\r\nexpect: 200-ok\r\n';
  const [status, body] = await send(`${head}content-length: ${RECORD.length}\r\n\r\n${RECORD}`);
  expect([status, JSON.parse(body).code]).toEqual([417, 'ERR_EXPECT']);
});

test('a health check of HTTP/1.0 needs no host', async () => {
  const [status, body] = await send('GET /v2/health/ready HTTP/1.0\r\n\r\n');
  expect([status, JSON.parse(body)]).toEqual([200, { ready: true, live: true }]);
});
