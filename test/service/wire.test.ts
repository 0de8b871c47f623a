import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { afterAll, expect, test } from 'vitest';
import { guarded, RECORD } from './access.ts';

// what comes in bytes, through Node's parser and the adapter of hono
const { service, lines } = guarded();
const server = createServer(getRequestListener((request) => service.fetch(request), { overrideGlobalObjects: false }));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** The statuses of all answers to these bytes, until the server closes. */
const send = (bytes: string) =>
  new Promise<number[]>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (part) => {
      text += part;
    });
    // a server that does not read on may reset
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? undefined : reject(error)));
    socket.on('close', () => resolve([...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))));
    socket.write(bytes, 'latin1');
  });

const STAYS = 'Connection: keep-alive';
const head = (start: string, ...headers: string[]) =>
  [start, 'Host: x', ...(headers.includes(STAYS) ? [] : ['Connection: close']), ...headers, '', ''].join('\r\n');
const KEY = 'Authorization: Bearer key-of-scorer';
const post = (headers: readonly string[], body = RECORD) =>
  head('POST /models/codes/score HTTP/1.1', 'Content-Type: application/json', ...headers) + body;
const LENGTH = `Content-Length: ${RECORD.length}`;
const CHUNKED = `${RECORD.length.toString(16)}\r\n${RECORD}\r\n0\r\n\r\n`;

test.each([
  ['as it should be', post([KEY, LENGTH]), [200]],
  ['in chunks', post([KEY, 'Transfer-Encoding: chunked'], CHUNKED), [200]],
  ['names of headers in any case', post(['aUTHORIZATION: Bearer key-of-scorer', LENGTH]), [200]],
  ['X-API-KEY', post(['X-API-KEY: key-of-scorer', LENGTH]), [200]],
  ['none', post([LENGTH]), [401]],
  ['the same token twice', post([KEY, KEY, LENGTH]), [401]],
  ['a good one behind another', post(['Authorization: Bearer none', KEY, LENGTH]), [401]],
  ['another behind a good one', post([KEY, 'Authorization: Bearer none', LENGTH]), [401]],
  ['a key twice', post(['X-API-Key: key-of-scorer', 'X-API-Key: key-of-scorer', LENGTH]), [401]],
  ['a blank behind the name', post(['Authorization : Bearer key-of-scorer', LENGTH]), [400]],
  ['a line that goes on', post(['X-Other: a', ' Authorization: Bearer key-of-scorer', LENGTH]), [400]],
  ['LF alone', post(['X-Other: a\nAuthorization: Bearer key-of-scorer', LENGTH]), [400]],
  ['CR alone', post(['X-Other: a\rAuthorization: Bearer key-of-scorer', LENGTH]), [400]],
  ['NUL', post(['Authorization: Bearer key-of-scorer\0', LENGTH]), [400]],
  ['an underscore for a dash', post(['X_API_Key: key-of-scorer', LENGTH]), [401]],
  [
    'in a trailer',
    post(
      ['Transfer-Encoding: chunked', 'Trailer: X-API-Key'],
      CHUNKED.replace(/\r\n$/, 'X-API-Key: key-of-scorer\r\n\r\n'),
    ),
    [401],
  ],
  ['a huge token', post([`Authorization: Bearer ${'a'.repeat(12_000)}`, LENGTH]), [401]],
  ['more than the head may have', post([`Authorization: Bearer ${'a'.repeat(20_000)}`, LENGTH]), [431]],
  ['many headers', post([...Array.from({ length: 1500 }, (_, i) => `X-${i}: 1`), LENGTH]), [401]],
  [
    'headers beyond those that are kept',
    post([...Array.from({ length: 2500 }, (_, i) => `X${i}:1`), KEY, LENGTH]),
    [401],
  ],
])('a token: %s', async (_, bytes, expected) => {
  const statuses = await send(bytes);
  // a head that is too large may be cut before its answer is read
  if (expected[0] === 431 && statuses.length === 0) return;
  expect(statuses).toEqual(expected);
});

const INNER = head('GET /metrics HTTP/1.1', 'X-Smuggled: 1');

test.each([
  ['length and chunks', post([KEY, 'Content-Length: 5', 'Transfer-Encoding: chunked'], `0\r\n\r\n${INNER}`), [400]],
  ['chunks and length', post([KEY, 'Transfer-Encoding: chunked', 'Content-Length: 5'], `0\r\n\r\n${INNER}`), [400]],
  ['two lengths', post([KEY, LENGTH, 'Content-Length: 0'], RECORD), [400]],
  ['the same length twice', post([KEY, LENGTH, LENGTH]), [400]],
  ['a list of lengths', post([KEY, `${LENGTH}, 0`]), [400]],
  ['a length with a sign', post([KEY, `Content-Length: +${RECORD.length}`]), [400]],
  ['chunks that are not the last', post([KEY, 'Transfer-Encoding: chunked, identity'], CHUNKED), [400]],
  ['another encoding', post([KEY, 'Transfer-Encoding: xchunked'], CHUNKED), [400]],
  ['an encoding on a line that goes on', post([KEY, 'Transfer-Encoding:', ' chunked', LENGTH]), [400]],
  [
    'chunks with a longer size',
    post([KEY, 'Transfer-Encoding: chunked'], `${RECORD.length.toString(16)}x\r\n${RECORD}\r\n0\r\n\r\n`),
    [400],
  ],
  ['a request behind one that is over', post([KEY, LENGTH, STAYS]) + INNER, [200, 401]],
  [
    'a request in a body that is not read',
    head('GET /ping HTTP/1.1', `Content-Length: ${INNER.length}`) + INNER,
    [200],
  ],
])('smuggling: %s', async (_, bytes, expected) => {
  const statuses = await send(bytes);
  expect(statuses.filter((status) => status !== 400 || expected[0] === 400)).toEqual(expected);
  expect(
    lines.filter(({ model, status }) => model === 'codes' && status === 200).every(({ caller }) => caller === 'scorer'),
  ).toBe(true);
});

test.each([
  'GET /ping/../metrics HTTP/1.1',
  'GET /ping/%2e%2e/metrics HTTP/1.1',
  'GET //metrics HTTP/1.1',
  'GET //ping/../metrics HTTP/1.1',
  'GET /%6detrics HTTP/1.1',
  'GET /metrics#/ping HTTP/1.1',
  'GET /metrics?/ping HTTP/1.1',
  'GET http://x/metrics HTTP/1.1',
  'GET http://x/ping/../metrics HTTP/1.1',
  'GET http://user@x/metrics HTTP/1.1',
  'GET metrics HTTP/1.1',
  'GET \\metrics HTTP/1.1',
  'GET /ping\\..\\metrics HTTP/1.1',
  'GET /metrics\t/ping HTTP/1.1',
  'GET /metrics HTTP/1.1/ping HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'CONNECT x:80 HTTP/1.1',
  'TRACE /metrics HTTP/1.1',
  'QUERY /metrics HTTP/1.1',
])('no way round by the line of a request: %s', async (line) => {
  for (const status of await send(head(line))) expect(status).toBeGreaterThanOrEqual(400);
});

test.each(['x/ping?', 'x/../ping#', '/ping', 'x:99999', 'a b'])('no way round by the host: %s', async (host) => {
  for (const status of await send(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`))
    expect(status).toBeGreaterThanOrEqual(400);
});
