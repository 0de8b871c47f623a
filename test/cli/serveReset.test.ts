import { once } from 'node:events';
import { connect, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { ignoreGone } from '../../cli/src/serve/grpc.ts';

test.each([
  ['another content type', 'text/html'],
  ['an unknown method', 'application/grpc'],
])('a gRPC stream of %s that is gone before it is handed over is not answered', async (_, type) => {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  ignoreGone(server);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const [http2] = [...(server as unknown as { http2Servers: Map<Http2Server, unknown> }).http2Servers.keys()];
  const gone: boolean[] = [];
  const thrown: unknown[] = [];
  const listeners = http2.listeners('stream') as ((...given: unknown[]) => void)[];
  http2.removeAllListeners('stream');
  http2.on('stream', (stream: ServerHttp2Stream, ...others) => {
    stream.session!.destroy();
    gone.push(stream.destroyed);
    try {
      for (const listener of listeners) listener.call(http2, stream, ...others);
    } catch (error) {
      thrown.push(error);
    }
  });
  const listening = createServer((socket) => injector.injectConnection(socket)).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const session = connect(`http://127.0.0.1:${(listening.address() as AddressInfo).port}`).on('error', () => {});
  session
    .request({ ':method': 'POST', ':path': '/x/y', 'content-type': type })
    .on('error', () => {})
    .end();
  await once(session, 'close');
  expect([gone, thrown]).toEqual([[true], []]);
  server.forceShutdown();
  listening.close();
});
