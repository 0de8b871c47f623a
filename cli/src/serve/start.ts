import { createService, type Service } from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { printJson, say } from '../terminal/print.ts';
import { type AccessFlags, accessOf } from './access.ts';
import { listenGrpc } from './grpc.ts';
import { listen } from './host.ts';
import type { ObservationOptions } from './observation/flags.ts';
import { observe } from './observation/observe.ts';
import { placeOf, Sources } from './sources.ts';

/** Options of `logodds serve`. */
export interface ServeOptions extends AccessFlags, ObservationOptions {
  readonly host: string;
  readonly port: string;
  readonly grpcPort: string;
  readonly grpc: boolean;
  readonly open?: boolean;
  readonly cert?: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** How often files are looked at. */
const LOOK_MS = 1000;
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/**
 * Serves models until a signal stops it.
 * @param models  MODEL arguments of the command line
 * @throws ERR_DATA, ERR_RANGE
 */
export async function startService(models: readonly string[], options: ServeOptions): Promise<void> {
  const { host, open, cert, key, json } = options;
  const port = portOf('--port', options.port);
  const grpcPort = portOf('--grpc-port', options.grpcPort);
  const access = accessOf(options);
  if (!LOOPBACK.test(host) && !open && !access.isAsked)
    throw new LogoddsError(
      'ERR_RANGE',
      `--host ${host}: expected API keys where others can ask, got none; give --tokens FILE or --jwks, or --open for no keys`,
    );
  if (models.length === 0)
    throw new LogoddsError('ERR_DATA', 'serve: expected a model, got none; name a file or a folder');
  let sources: Sources;
  let service: Service;
  const observation = await observe(options, (counter, by) => service.metrics.count(counter, by));
  const { log } = observation;
  service = createService({
    log,
    source: (name) => sources.source(name),
    ...(access.options && { access: access.options }),
    ...observation.service,
  });
  sources = new Sources(models.map(placeOf), service.models, ({ event, ...line }) =>
    log({ level: event === 'failed' ? 'error' : 'info', event, ...line }),
  );
  sources.look();
  const listening = await listen(service, { host, port, ...(cert && key && { cert, key }) });
  const grpc = options.grpc ? await listenGrpc(service, host, grpcPort) : null;
  sources.watch(LOOK_MS);
  const looking = setInterval(() => access.look(log), LOOK_MS).unref();
  const ready = service.models.all().map(({ name, version, sha256 }) => ({ name, version, sha256 }));
  if (json) printJson({ event: 'ready', url: listening.url, grpc: grpc?.address ?? null, models: ready });
  else say(`${ready.map(({ name }) => name).join(', ') || 'no model'} at ${listening.url}`);
  await stopped();
  sources.stop();
  clearInterval(looking);
  await Promise.all([listening.close(), grpc?.close()]);
  await observation.close();
}

/** @throws ERR_RANGE */
function portOf(option: string, given: string): number {
  const port = Number(given);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new LogoddsError(
    'ERR_RANGE',
    `${option}: expected a whole number from 0 to 65535, got ${given}; 0 takes a free one`,
  );
}

/** Resolves at the first signal to stop. */
const stopped = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
