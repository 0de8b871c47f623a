import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Service } from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { reason } from '../write/temporary.ts';

/** Where a service listens. */
export interface Listening {
  readonly host: string;
  /** 0: a free one */
  readonly port: number;
  readonly cert?: string;
  readonly key?: string;
  /** whether the service is told the addresses of clients */
  readonly tellsPeers?: boolean;
}

/** Longer than load balancers keep connections that nobody uses (60 s), so that they close them first. */
const KEEP_ALIVE_MS = 66_000;
/** A client must have sent the head of a request, and all of it, in this time. */
const HEADERS_MS = 20_000;
const REQUEST_MS = 300_000;

/** A service that listens. */
export interface Host {
  readonly url: string;
  /** Takes no more connections, answers what has come, and ends. */
  close(): Promise<void>;
}

/** Listens for a service. @throws ERR_DATA where it cannot */
export async function listen(service: Service, { host, port, cert, key, tellsPeers }: Listening): Promise<Host> {
  const listener = getRequestListener(
    (request, { incoming }) =>
      service.fetch(request, tellsPeers ? { address: incoming.socket.remoteAddress } : undefined),
    { overrideGlobalObjects: false },
  );
  const options = { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS };
  const isTls = cert !== undefined && key !== undefined;
  const server: Server = isTls
    ? createTls({ ...options, cert: readFileSync(cert), key: readFileSync(key) }, listener)
    : createServer(options, listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new LogoddsError(
          'ERR_DATA',
          `--port ${port}: expected a free port of ${host}, got an error (${reason(error)}); choose another, or 0`,
          { cause: error },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  const { address, family, port: taken } = server.address() as AddressInfo;
  const shown = family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `${isTls ? 'https' : 'http'}://${shown}:${taken}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // connections that nobody uses
      server.closeIdleConnections();
      await service.drain();
      server.closeIdleConnections();
      await closed;
    },
  };
}
