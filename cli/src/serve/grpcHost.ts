import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import type { LogLine, Service } from '../../../service/src/index.ts';
import { reason } from '../write/temporary.ts';
import type { Certificates } from './certificates.ts';
import type { Calls } from './grpc.ts';
import type { Times } from './host.ts';
import { listenAt, type Place } from './listening.ts';

/** Listens for gRPC. Its libraries, which take longer to load than all the rest, are loaded at the first connection. */
export class GrpcHost {
  readonly #service: Service;
  readonly #log: (line: LogLine) => void;
  readonly #times: Times;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #calls: Promise<Calls> | null = null;
  #isDraining = false;

  constructor(service: Service, times: Times, certificates: Certificates | null, log: (line: LogLine) => void) {
    this.#service = service;
    this.#times = times;
    this.#log = log;
    const take = (socket: Socket) => void this.#take(socket);
    if (certificates) {
      const asks = certificates.asksClients;
      const server = createTls(
        {
          ...certificates.context,
          ALPNProtocols: ['h2'],
          requestCert: asks,
          rejectUnauthorized: asks,
          handshakeTimeout: times.headerTimeout * 1000,
        },
        take,
      );
      certificates.use((context) => server.setSecureContext(context));
      this.#server = server;
    } else this.#server = createServer(take);
  }

  async #take(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // a client that is gone before the libraries are there
    socket.on('error', () => {});
    this.#calls ??= this.#load();
    try {
      const calls = await this.#calls;
      if (!socket.destroyed) calls.take(socket);
    } catch (error) {
      this.#calls = null;
      this.#log({ level: 'error', event: 'grpc', reason: reason(error) });
      socket.destroy();
    }
  }

  async #load(): Promise<Calls> {
    const { answerCalls } = await import('./grpc.ts');
    const calls = answerCalls(this.#service, { log: this.#log, idleMs: this.#times.idleTimeout * 1000 });
    if (this.#isDraining) calls.drain();
    return calls;
  }

  /** Listens. Returns where. @throws ERR_DATA where it cannot */
  listen(place: Place): Promise<string> {
    return listenAt(this.#server, place);
  }

  /** Health is "not serving" from now on. */
  drain(): void {
    this.#isDraining = true;
    void this.#calls?.then((calls) => calls.drain()).catch(() => {});
  }

  /** Takes no more connections; resolves when all calls are answered. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // one that could not be loaded was told
    await (await this.#calls?.catch(() => null))?.close();
    // connections on which no call ever came
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Ends all connections. */
  cut(): void {
    void this.#calls?.then((calls) => calls.cut()).catch(() => {});
    for (const socket of this.#sockets) socket.destroy();
  }
}
