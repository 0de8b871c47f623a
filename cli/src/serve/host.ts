import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
  type ServerHttp2Session,
} from 'node:http2';
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Gauges, Peer, Service } from '../../../service/src/index.ts';
import { bodyOf } from './body.ts';
import { type Certificates, peerOfCertificate } from './certificates.ts';
import { listenAt, type Place } from './listening.ts';

/** Bounds of what a client may take, in seconds. */
export interface Times {
  readonly headerTimeout: number;
  readonly bodyTimeout: number;
  readonly idleTimeout: number;
}

/** Longer than load balancers keep connections that nobody uses (60 s), so that they close them first. */
const KEEP_ALIVE_MS = 66_000;
/** How often connections are looked at for those that nobody uses, once no more come. */
const IDLE_MS = 50;
/** Bytes of a body that comes with its head. */
const LONG = 2 ** 14;
/** How long a client that was refused may go on sending. */
const LINGER_MS = 1000;
/** Streams of a connection of HTTP/2. */
const STREAMS = 128;

/** A body that is answered while it comes: it may take any time as long as it goes on. */
const STREAMED = /^\/models\/[^/]+\/score/;
const STREAMED_TYPE = /ndjson|jsonl|csv|arrow/;

const RESPONSE = Symbol('response');
/** A socket, and the last response on it. */
type Carrier = Socket & { [RESPONSE]?: ServerResponse };

const isOpen = (response: ServerResponse | undefined): boolean =>
  response !== undefined && !response.writableFinished && !response.destroyed;

/** An HTTP server of a service: HTTP/1.1, and HTTP/2 beside it with TLS. */
export class Host {
  readonly #server: Server;
  readonly #service: Service;
  readonly #times: Times;
  readonly #sockets = new Set<Carrier>();
  readonly #sessions = new Set<Http2Session>();
  /** who asks on a connection */
  readonly #peers = new WeakMap<object, Peer>();
  readonly #isTls: boolean;
  readonly #tellsAddresses: boolean;
  #isDraining = false;
  #timedOut = 0;
  #malformed = 0;
  #tlsFailures = 0;

  /** @param tellsAddresses  whether the service is told the addresses of clients */
  constructor(service: Service, times: Times, certificates: Certificates | null, tellsAddresses = false) {
    this.#service = service;
    this.#times = times;
    this.#isTls = certificates !== null;
    this.#tellsAddresses = tellsAddresses;
    this.#server = certificates
      ? this.#secure(certificates)
      : Object.assign(createServer(this.#bounds(), this.#listener(false)), this.#bounds());
    this.#server.on(certificates ? 'secureConnection' : 'connection', (socket: Carrier) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Carrier) => this.#failed(error, socket));
    this.#server.on('checkExpectation', (_: IncomingMessage, response: ServerResponse) =>
      response.writeHead(417, { ...JSON_TYPE, 'content-length': UNEXPECTED.length }).end(UNEXPECTED),
    );
    this.#server.on('timeout', (connection: Carrier | ServerHttp2Session) => {
      // others are connections that nobody uses
      if (RESPONSE in connection && isOpen(connection[RESPONSE])) this.#timedOut++;
      connection.destroy();
    });
  }

  #bounds() {
    const { headerTimeout, bodyTimeout, idleTimeout } = this.#times;
    const request = bodyTimeout * 1000;
    return {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: request === 0 ? headerTimeout * 1000 : Math.min(headerTimeout * 1000, request),
      requestTimeout: request,
      timeout: idleTimeout * 1000,
      // a bound is held to within a quarter of it
      connectionsCheckingInterval: Math.max(50, Math.min(5000, headerTimeout * 250, (bodyTimeout || 60) * 250)),
    } satisfies ServerOptions & { timeout: number };
  }

  #secure(certificates: Certificates): Http2SecureServer {
    const asks = certificates.asksClients;
    const server = createSecureServer(
      {
        ...certificates.context,
        allowHTTP1: true,
        requestCert: asks,
        rejectUnauthorized: asks,
        handshakeTimeout: this.#times.headerTimeout * 1000,
        settings: { maxConcurrentStreams: STREAMS },
      },
      this.#listener(asks),
    );
    // bounds of HTTP/1.1, which this server takes as properties alone
    Object.assign(server, this.#bounds());
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
    });
    server.on('tlsClientError', () => {
      this.#tlsFailures++;
    });
    certificates.use((context) => server.setSecureContext(context));
    return server;
  }

  /** @param asks  whether clients have certificates */
  #listener(asks: boolean) {
    const service = this.#service;
    // in this process Request and Response are the light ones of the listener
    const tells = asks || this.#tellsAddresses;
    const answer = getRequestListener(
      (request, { incoming }) => {
        if (isStreamed(incoming)) setBody(request, incoming);
        return tells ? service.fetch(request, this.#peerOf(incoming, asks)) : service.fetch(request);
      },
      // health checks of HTTP/1.0 name no host
      { hostname: 'localhost', errorHandler: (error) => this.#refused(error) },
    );
    return (incoming: Incoming, outgoing: ServerResponse | Http2ServerResponse): Promise<void> => {
      if ('stream' in incoming) this.#boundBody(incoming);
      else {
        (incoming.socket as Carrier)[RESPONSE] = outgoing as ServerResponse;
        if (this.#isDraining) outgoing.setHeader('connection', 'close');
        else if (isLong(incoming)) sayClosed(incoming, outgoing as ServerResponse);
      }
      return answer(incoming, outgoing);
    };
  }

  /** What was parsed, but has no URL. */
  #refused(error: unknown): Response {
    // the service itself rejects for nothing
    if (!(error instanceof RequestError)) throw error;
    this.#malformed++;
    return new Response(faultOf('ERR_HTTP', NO_HTTP), { status: 400, headers: JSON_TYPE });
  }

  #peerOf(incoming: Incoming, asks: boolean): Peer {
    const session = 'stream' in incoming ? incoming.stream.session : undefined;
    const socket = (session?.socket ?? incoming.socket) as TLSSocket;
    const connection = session ?? socket;
    let peer = this.#peers.get(connection);
    if (peer === undefined) {
      const { remoteAddress: address } = socket;
      peer = {
        ...(asks && peerOfCertificate(socket.getPeerCertificate())),
        ...(address !== undefined && { address }),
      };
      this.#peers.set(connection, peer);
    }
    return peer;
  }

  /** HTTP/2 has no bound of its own for the time of a body. */
  #boundBody(incoming: Http2ServerRequest): void {
    const { bodyTimeout } = this.#times;
    if (bodyTimeout === 0 || isStreamed(incoming)) return;
    const timer = setTimeout(() => {
      this.#timedOut++;
      incoming.stream.close();
    }, bodyTimeout * 1000);
    incoming.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
  }

  /** A request that took too long, or that is none. */
  #failed({ code }: NodeJS.ErrnoException, socket: Carrier): void {
    const response = socket[RESPONSE];
    const isLate = code === 'ERR_HTTP_REQUEST_TIMEOUT';
    if (isLate && response && isOpen(response) && isStreamed(response.req)) return;
    if (isLate) this.#timedOut++;
    else if (code !== 'ECONNRESET') this.#malformed++;
    if (socket.writable && code !== 'ECONNRESET' && !(isOpen(response) && response?.headersSent))
      socket.end(FAULTS[code ?? ''] ?? FAULTS['HPE']);
    // what was written goes out first
    setImmediate(() => socket.destroy());
  }

  /** Listens. Returns where. @throws ERR_DATA where it cannot */
  async listen(place: Place): Promise<string> {
    const address = await listenAt(this.#server, place);
    return place.kind === 'socket' ? address : `${this.#isTls ? 'https' : 'http'}://${address}`;
  }

  gauges(): Gauges {
    return {
      lr_connections: { help: 'Open connections.', value: this.#sockets.size, of: 'sum' },
      lr_connections_timed_out_total: {
        help: 'Connections closed since their client took too long.',
        type: 'counter',
        value: this.#timedOut,
        of: 'sum',
      },
      lr_requests_malformed_total: {
        help: 'Requests that are not HTTP.',
        type: 'counter',
        value: this.#malformed,
        of: 'sum',
      },
      lr_tls_failures_total: {
        help: 'Connections that failed before TLS was set up.',
        type: 'counter',
        value: this.#tlsFailures,
        of: 'sum',
      },
    };
  }

  /** Tells clients by each answer that their connection ends with it. */
  drain(): void {
    this.#isDraining = true;
    for (const { [RESPONSE]: response } of this.#sockets)
      if (response && isOpen(response) && !response.headersSent) response.setHeader('connection', 'close');
  }

  /** Takes no more connections; resolves when those that are there have their answers. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const closeIdle = () =>
        (this.#server as Http2SecureServer & { closeIdleConnections(): void }).closeIdleConnections();
      const timer = setInterval(closeIdle, IDLE_MS);
      this.#server.close(() => {
        clearInterval(timer);
        resolve();
      });
      for (const session of this.#sessions) session.close();
      closeIdle();
    });
  }

  /** Ends all connections. */
  cut(): void {
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }
}

type Incoming = IncomingMessage | Http2ServerRequest;

const isStreamed = ({ url = '', headers }: Incoming): boolean =>
  STREAMED.test(url) && STREAMED_TYPE.test(headers['content-type'] ?? '');

/** Whether its body may still be on the way when it is refused. */
const isLong = ({ headers }: IncomingMessage): boolean =>
  'transfer-encoding' in headers || Number(headers['content-length']) > LONG;

/** A request that is refused before its body has come ends its connection, which the answer says. */
function sayClosed(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { socket } = incoming;
  const { writeHead } = outgoing;
  outgoing.writeHead = ((status: number, ...more: []) => {
    if (status >= 400 && !incoming.complete) {
      outgoing.setHeader('connection', 'close');
      socket.destroySoon = () => linger(socket);
    }
    return writeHead.call(outgoing, status, ...more);
  }) as ServerResponse['writeHead'];
}

/** Closes a connection on which the client still sends. Closed at once, the system would take back the answer that was not read yet. */
function linger(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('end', () => socket.destroy()).once('close', () => clearTimeout(timer));
  socket.end();
}

/** Gives a request the body that comes, where it is read piece by piece. */
function setBody(request: Request, incoming: Incoming): void {
  let body: ReadableStream<Uint8Array> | null = null;
  Object.defineProperty(request, 'body', {
    get: () => {
      body ??= bodyOf(incoming);
      return body;
    },
  });
}

const JSON_TYPE = { 'content-type': 'application/json' };
const faultOf = (code: string, error: string): string => JSON.stringify({ error, code });
const NO_HTTP = 'request: expected HTTP/1.1, got something else; see RFC 9112';
const UNEXPECTED = faultOf('ERR_EXPECT', 'expect: expected 100-continue, got something else; leave it out');

/** What is answered to that which is no request, by the code of Node. */
const FAULTS: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: fault(
    '408 Request Timeout',
    'ERR_TIME',
    'request: expected all of it in time, got a part; send it again, or as a stream of JSON lines',
  ),
  HPE_HEADER_OVERFLOW: fault(
    '431 Request Header Fields Too Large',
    'ERR_HEADERS',
    'headers: expected at most 16 KiB, got more; send fewer',
  ),
  HPE: fault('400 Bad Request', 'ERR_HTTP', NO_HTTP),
};

function fault(status: string, code: string, error: string): string {
  const body = faultOf(code, error);
  return `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}
