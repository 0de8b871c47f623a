import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import type { Service } from '../../../service/src/index.ts';
import type { Certificates } from './certificates.ts';
import type { Calls } from './grpc.ts';
import { listenAt, type Place } from './listening.ts';

/** Listens for gRPC. Its libraries, which take longer to load than all the rest, are loaded at the first connection. */
export class GrpcHost {
  readonly #service: Service;
  readonly #fail: (error: unknown) => void;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #calls: Promise<Calls> | null = null;
  #isDraining = false;

  /** @param fail  takes why the libraries cannot be loaded, or a call not be answered */
  constructor(service: Service, certificates: Certificates | null, fail: (error: unknown) => void) {
    this.#service = service;
    this.#fail = fail;
    const take = (socket: Socket) => void this.#take(socket);
    if (certificates) {
      const asks = certificates.asksClients;
      const options = { ...certificates.context, ALPNProtocols: ['h2'], requestCert: asks, rejectUnauthorized: asks };
      const server = createTls(options, take);
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
      this.#fail(error);
      socket.destroy();
    }
  }

  async #load(): Promise<Calls> {
    const { answerCalls } = await import('./grpc.ts');
    const calls = answerCalls(this.#service, this.#fail);
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
