import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Notifier } from '../../cli/src/tell/notifier.ts';
import { receiverOf } from '../../cli/src/tell/receivers.ts';
import type { Telling } from '../../cli/src/tell/telling.ts';
import type { LogLine } from '../../service/src/index.ts';

/*
 * Receivers that misbehave: each is left after a bounded time, with one sentence, and nothing else waits for it.
 */

/** Of those that end by themselves, and of those that must be left. */
const [LONG, SHORT] = [10_000, 100];
const TELLING: Telling = {
  ...{
    key: 'k',
    source: 'a:8080',
    severity: 'page',
    status: 'firing',
    groupLabels: { alertname: 'A' },
    more: 0,
    change: null,
  },
  alerts: [{ labels: { alertname: 'A' }, annotations: { summary: 's' }, startsAt: 0, endsAt: null }],
};

const open: { server: Server; sockets: Set<Socket>; timers: NodeJS.Timeout[] }[] = [];
afterEach(() => {
  for (const { server, sockets, timers } of open.splice(0)) {
    for (const timer of timers) clearInterval(timer);
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

/** A server of TCP. @returns HOST:PORT */
async function serverOf(answer: (socket: Socket, every: (work: () => void) => void) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const timers: NodeJS.Timeout[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    answer(socket, (work) => timers.push(setInterval(work, 20)));
  });
  open.push({ server, sockets, timers });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers when it was asked. */
const once =
  (text: string) =>
  (socket: Socket): void =>
    void socket.once('data', () => socket.end(text));

const head = (status: string, ...more: string[]) => [`HTTP/1.1 ${status}`, ...more, '', ''].join('\r\n');

/** What became of a message, and what was said. */
async function told(kind: 'webhook' | 'email', options: object, timeoutMs = LONG) {
  const lines: LogLine[] = [];
  const notifier = new Notifier((line) => lines.push(line), [1], timeoutMs);
  const outcome = await notifier.tell(receiverOf('test', { kind, options: options as never }), TELLING);
  return { isTaken: outcome === 'taken', outcome, said: lines.map(({ reason }) => String(reason)) };
}

test.each<[string, Parameters<typeof serverOf>[0], RegExp, number?]>([
  ['never answers', () => {}, /timeout|aborted/i, SHORT],
  [
    'says its head letter by letter',
    (socket, every) => every(() => socket.write('H')),
    /timeout|aborted|parse|header|protocol|HTTP/i,
    SHORT,
  ],
  ['closes the connection', (socket) => socket.destroy(), /closed|reset|ECONNRESET/i],
  ['speaks another protocol', (socket) => socket.end('220 mail.example.com\r\n'), /HTTP|parse|header|protocol/i],
  [
    'sends elsewhere',
    once(head('302 Found', 'location: http://127.0.0.1:1/', 'content-length: 0', 'connection: close')),
    /^status 302$/,
  ],
  ['fails', once(head('500 Oops', 'content-length: 0', 'connection: close')), /^status 500$/],
  [
    'refuses with an answer without end',
    (socket, every) => {
      socket.write(head('400 Bad', 'transfer-encoding: chunked'));
      every(() => socket.write(`100000\r\n${'x'.repeat(0x100000)}\r\n`));
    },
    /^status 400$/,
  ],
])('a webhook that %s', async (_, answer, sentence, timeoutMs) => {
  const url = `http://${await serverOf(answer)}/hook`;
  const { isTaken, said } = await told('webhook', { url }, timeoutMs);
  expect([isTaken, said]).toEqual([false, [expect.stringMatching(sentence)]]);
  expect(said[0]).not.toMatch(/\n/);
});

test('a webhook that takes the message and answers 10 MB is one that took it', async () => {
  const at = await serverOf((socket) => {
    socket.write(head('200 OK', 'content-length: 10000000'));
    socket.write('x'.repeat(1e7));
  });
  expect(await told('webhook', { url: `http://${at}/` })).toMatchObject({ isTaken: true, said: [] });
});

test('a webhook of TLS that has none, and an address where nobody is', async () => {
  const at = await serverOf((socket) => socket.end(head('200 OK', 'content-length: 0')));
  expect((await told('webhook', { url: `https://${at}/` })).said).toEqual([expect.stringMatching(/SSL|TLS|version/i)]);
  expect((await told('webhook', { url: 'http://127.0.0.1:1/' })).said).toEqual([
    expect.stringMatching(/ECONNREFUSED|bad port/),
  ]);
});

test('a mail server that says a word now and then is left after a time', async () => {
  let count = 0;
  const at = await serverOf((socket, every) => {
    socket.write('220 mail\r\n');
    socket.once('data', () => every(() => socket.write(`250-word ${++count}\r\n`)));
  });
  const options = { to: 'a@example.com', from: 'b@example.com', server: at, tls: false };
  const { isTaken, said } = await told('email', options, SHORT);
  expect([isTaken, said]).toEqual([false, [expect.stringMatching(/no answer within|timeout/i)]]);
});

test('a webhook that answers too late is given more time, and sees by its key that the message is the same', async () => {
  const keys: string[] = [];
  const at = await serverOf((socket) => {
    socket.once('data', (bytes) => {
      keys.push(/idempotency-key: (\w+)/i.exec(String(bytes))![1]!);
      // the first one stays without an answer
      if (keys.length > 1) socket.end(head('200 OK', 'content-length: 0', 'connection: close'));
    });
  });
  expect(await told('webhook', { url: `http://${at}/` }, 500)).toMatchObject({ outcome: 'taken', said: [] });
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBe(keys[1]);
});

test('a webhook that never answers may have taken the message; one that refuses has not', async () => {
  const silent = await serverOf(() => {});
  expect(await told('webhook', { url: `http://${silent}/` }, SHORT)).toMatchObject({ outcome: 'open' });
  const failing = await serverOf(once(head('500 Oops', 'content-length: 0', 'connection: close')));
  expect(await told('webhook', { url: `http://${failing}/` })).toMatchObject({ outcome: 'lost' });
});

test('a mail whose answer stays away has the same Message-ID when it is sent again', async () => {
  const ids: string[] = [];
  const at = await serverOf((socket) => {
    let isText = false;
    socket.write('220 mail\r\n');
    let text = '';
    socket.on('data', (bytes) => {
      text += String(bytes);
      if (isText) {
        if (!text.endsWith('\r\n.\r\n')) return;
        ids.push(/^Message-ID: (.*)$/im.exec(text)![1]!.trim());
        if (ids.length > 1) socket.write('250 taken\r\n');
        isText = false;
        text = '';
        return;
      }
      for (const line of text.split('\r\n').filter(Boolean)) {
        isText = line === 'DATA';
        socket.write(isText ? '354 go on\r\n' : '250 fine\r\n');
      }
      text = '';
    });
  });
  const options = { to: 'a@example.com', from: 'b@example.com', server: at, tls: false };
  expect(await told('email', options, 1000)).toMatchObject({ outcome: 'taken', said: [] });
  expect(ids).toHaveLength(2);
  expect(ids[0]).toBe(ids[1]);
});
