import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to a request: it passes, its answer is cut in the middle of the body, it is never answered, or something else answers. */
export type Fate = 'passes' | 'is cut' | 'hangs' | { readonly status: number; readonly code: string };

export interface Asked {
  /** from 1 on */
  readonly number: number;
  readonly method: string;
  readonly url: string;
  readonly range: string | undefined;
}

/** A way to a store on which requests have fates. */
export async function startWay(endpoint: string, fate: (asked: Asked) => Fate | Promise<Fate> = () => 'passes') {
  const { hostname, port } = new URL(endpoint);
  const asked: Asked[] = [];
  let bytes = 0;
  const handle = async (incoming: IncomingMessage, outgoing: import('node:http').ServerResponse) => {
    const { method = '', url = '', headers } = incoming;
    const own: Asked = { number: asked.length + 1, method, url, range: headers.range };
    asked.push(own);
    const now = await fate(own);
    if (now === 'hangs') return;
    if (typeof now === 'object') {
      incoming.resume();
      outgoing.writeHead(now.status, { 'content-type': 'application/xml' });
      outgoing.end(`<?xml version="1.0"?><Error><Code>${now.code}</Code><Message>of the test</Message></Error>`);
      return;
    }
    const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      const most = now === 'is cut' ? Number(answer.headers['content-length'] ?? 0) / 2 : Number.POSITIVE_INFINITY;
      let passed = 0;
      answer.on('data', (piece: Buffer) => {
        if (passed >= most) return;
        passed += piece.length;
        bytes += piece.length;
        if (passed < most) outgoing.write(piece);
        else
          outgoing.write(piece.subarray(0, Math.max(0, piece.length - (passed - most))), () =>
            incoming.socket.destroy(),
          );
      });
      answer.on('end', () => {
        if (passed < most) outgoing.end();
      });
    });
    onward.once('error', () => incoming.socket.destroy());
    incoming.pipe(onward);
  };
  const server: Server = createServer((incoming, outgoing) => void handle(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    /** bytes of answers that passed */
    bytes: () => bytes,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
