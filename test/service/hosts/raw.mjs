// Requests that no client makes: of which the head says two things at once. Hosts refuse them before a service sees them, each by an answer of its own.
import { connect } from 'node:net';

const BODY = '{"code":"2","x":0.5}';
const head = (...lines) =>
  `POST /models/codes/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;

/** name, bytes */
export const RAW = [
  ['a length and chunks', `${head(`Content-Length: ${BODY.length}`, 'Transfer-Encoding: chunked')}0\r\n\r\n`],
  ['two lengths', `${head('Content-Length: 5', `Content-Length: ${BODY.length}`)}${BODY}`],
  ['a length below zero', `${head('Content-Length: -5')}${BODY}`],
  ['a length that is none', `${head('Content-Length: five')}${BODY}`],
  ['an encoding of transfer that is none', `${head('Transfer-Encoding: xchunked')}0\r\n\r\n`],
  ['a chunk whose size is none', `${head('Transfer-Encoding: chunked')}zz\r\n${BODY}\r\n0\r\n\r\n`],
  ['a header with a blank before its colon', `${head('X-Request-Id : a', `Content-Length: ${BODY.length}`)}${BODY}`],
  ['a header without a name', `${head(': a', `Content-Length: ${BODY.length}`)}${BODY}`],
  ['no method', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'],
];

/** What a host says to bytes, until it ends the connection or has said something and then nothing more for a while. */
export function raw(url, bytes) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let said = '';
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.end(bytes, 'latin1'));
    socket.setEncoding('latin1');
    socket.on('data', (data) => {
      said += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(said));
    socket.setTimeout(5000, () => socket.destroy());
  });
}
