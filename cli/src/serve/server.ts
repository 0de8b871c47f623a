import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelRegistry } from '../../../registry/src/index.ts';
import {
  type Alerting,
  alertsApi,
  createService,
  type Extension,
  type Gauges,
  gaugesOf,
  type LogLine,
  mlflowRoutes,
  type Numbers,
  type Peers,
  registryApi,
  type Service,
  totalOf,
} from '../../../service/src/index.ts';
import { logJson } from '../terminal/print.ts';
import { reason } from '../write/temporary.ts';
import { type Access, accessOf } from './access.ts';
import { admissionOf } from './admission.ts';
import { Certificates } from './certificates.ts';
import { GrpcHost } from './grpcHost.ts';
import { Host } from './host.ts';
import type { Place } from './listening.ts';
import type { Slot } from './observation/flags.ts';
import { observe } from './observation/observe.ts';
import type { ServeOptions } from './options.ts';
import { Rollouts } from './rollouts.ts';
import { placeOf, Sources } from './sources.ts';
import { TrustFiles } from './trust.ts';

/** What is told of a service that answers. */
export interface Ready {
  readonly url: string;
  readonly grpc: string | null;
  readonly models: readonly { readonly name: string; readonly version: string; readonly sha256: string }[];
}

/** A service that answers, in this process. */
export interface Running {
  readonly ready: Ready;
  numbers(): Numbers;
  /** What its watch is asked by another process. */
  askWatch(question: unknown): Promise<unknown>;
  /** Does what a client asked of another process. */
  change(action: 'load' | 'unload', model: string): Promise<void>;
  /** Answers what has come and ends. Resolves with the number of requests that were cut, since their time was over. */
  stop(): Promise<number>;
}

/** What a process of several knows of the others. */
export interface Among extends Slot {
  readonly peers: Peers;
  /** the alerts of all of them, which the process that supervises evaluates */
  readonly alerting: Alerting;
  /** names it in the log */
  readonly worker: number;
}

/** How often files are looked at. */
const LOOK_MS = 1000;

const MOST_OFTEN_MS = 50;
/** Seconds between two looks at a registry: to look at a folder costs nothing, a bucket counts its requests. */
const pollOf = ({ registry = process.env['LOGODDS_REGISTRY'] ?? '' }: ServeOptions): number =>
  /^[a-z0-9+]+:/i.test(registry) ? 1 : 0.25;

export const logLine = (line: LogLine): void => {
  if (line.level !== 'info') logJson({ time: new Date().toISOString(), ...line });
};

/** Serves. @param aliases  paths that are answered as others are @throws ERR_DATA, ERR_RANGE */
export async function run(
  options: ServeOptions,
  aliases: Readonly<Record<string, string>>,
  among: Among | null,
): Promise<Running> {
  let service: Service;
  const observation = await observe(options, (counter, by) => service.metrics.count(counter, by), among);
  const log = (line: LogLine) => observation.log(among ? { ...line, worker: among.worker } : line);
  const { gauges, extensions: seen = [], ...observed } = observation.service;
  const access = accessOf(options);
  const { cert, key, clientCa } = options;
  const certificates =
    cert !== undefined && key !== undefined
      ? new Certificates({ cert, key, ...(clientCa !== undefined && { clientCa }) })
      : null;
  const trusted = await TrustFiles.of(options);
  let sources: Sources;
  let host: Host;
  const rollouts = new Rollouts(options, log);
  const places = options.models.map(placeOf);
  const given = places.flatMap((place) => (place.kind === 'registry' ? [place.model] : []));
  const followed = [...given, ...rollouts.references(given)];
  rollouts.knows(followed);
  const registry = await registryOf(options, followed.length > 0);
  // anybody beyond this machine could push
  const isShut = access.options !== null || !options.open;
  if (registry && !isShut)
    log({ level: 'warn', event: 'registry not served', reason: 'nobody is asked for a key: give --tokens' });
  const own = options.slo !== undefined && !among ? await alertsOf(options, log) : null;
  const alerting = options.slo === undefined ? null : (own ?? among!.alerting);
  const extensions: Extension[] = [
    ...seen,
    ...(registry && isShut ? [registryApi, mlflowRoutes(registry)] : []),
    ...(alerting ? [alertsApi(alerting)] : []),
  ];
  service = createService({
    log,
    extensions,
    ...observed,
    source: (name) => sources.source(name),
    aliases,
    ...(trusted && { trust: trusted.trust }),
    routing: rollouts.routing,
    ...(registry && {
      registry,
      onRegistryChange: () => rollouts.look(),
    }),
    ...(access.options && { access: access.options }),
    ...admissionOf(options),
    gauges: () => ({
      ...host.gauges(),
      ...rollouts.gauges(),
      ...expiry(certificates),
      ...staleFiles(access, certificates, trusted),
      ...own?.gauges(),
      ...gauges?.(),
    }),
    ...(among && { peers: among.peers }),
  });
  sources = new Sources(places, service.models, ({ event, ...line }) =>
    log({ level: FAULTS.has(event) ? 'error' : 'info', event, ...line }),
  );
  await sources.look();
  if (registry) await rollouts.follow(service, registry);
  rollouts.begin(service);
  host = new Host(service, options, certificates, options.rateLimit !== undefined || access.options !== null);
  const url = await host.listen(httpPlace(options));
  const grpc = options.grpc ? new GrpcHost(service, options, certificates, log) : null;
  const grpcPlace: Place = { kind: 'port', host: options.host, port: options.grpcPort, flag: '--grpc-port' };
  const address = grpc
    ? await grpc.listen(grpcPlace).catch((error) => {
        void host.close();
        throw error;
      })
    : null;
  own?.start(async () => {
    const { metrics, gauges } = totalOf([service.numbers()]);
    // as /metrics has it: what the watch has seen is among what alerts are about
    return metrics.text({ ...gauges, ...gaugesOf((await observed.watch?.figures()) ?? []) });
  });
  let isLooking = false;
  const watch = setInterval(() => {
    if (!isLooking) {
      isLooking = true;
      void lookAtModels(sources, trusted, log).finally(() => {
        isLooking = false;
      });
    }
    access.look(log);
    if (certificates) lookAt(certificates, log);
  }, LOOK_MS);
  const poll = setInterval(
    () => rollouts.look(),
    Math.max(MOST_OFTEN_MS, (options.registryPoll ?? pollOf(options)) * 1000),
  );
  const hosts = grpc ? [host, grpc] : [host];
  return {
    ready: {
      url,
      grpc: address,
      models: service.models
        .all()
        // what stands for several is none of them
        .filter(({ divide }) => !divide)
        .map(({ name, version, sha256 }) => ({ name, version, sha256 })),
    },
    numbers: () => service.numbers(),
    askWatch: (question) => observation.askWatch(question),
    async change(action, model) {
      if (action === 'load') await service.models.load(sources.source(model));
      else service.models.remove(model);
    },
    async stop() {
      clearInterval(watch);
      clearInterval(poll);
      own?.stop();
      rollouts.close();
      const end = performance.now() + options.grace * 1000;
      // health says so from here on
      void service.drain();
      for (const one of hosts) one.drain();
      await sleep(options.drainDelay * 1000);
      const closed = Promise.all([...hosts.map((one) => one.close()), service.drain()]);
      const isWhole = await Promise.race([
        closed.then(() => true),
        sleep(Math.max(0, end - performance.now()), false, { ref: false }),
      ]);
      if (isWhole) {
        await observation.close();
        return 0;
      }
      const cut = service.numbers().gauges['lr_requests_in_flight'].value;
      log({ level: 'warn', event: 'cut', requests: cut, reason: `grace time of ${options.grace} s is over` });
      for (const one of hosts) one.cut();
      await observation.close();
      return Math.max(1, cut);
    },
  };
}

/** What evaluates alerts. @throws ERR_DATA, ERR_RANGE */
export async function alertsOf({ slo, sloState, port, socket }: ServeOptions, log: (line: LogLine) => void) {
  // what few services need is loaded with the first that does
  const { alertingOf } = await import('../alerts/alerting.ts');
  const instance = socket === undefined ? `${hostname()}:${port}` : hostname();
  return alertingOf(slo!, instance, sloState, log);
}

/** The registry that models are of, or that is asked for; null: none. */
async function registryOf({ registry }: ServeOptions, isFollowed: boolean): Promise<ModelRegistry | null> {
  if (!isFollowed && registry === undefined) return null;
  // what few services need is loaded with the first that does
  const { openRegistry } = await import('../jobs/registry/open.ts');
  return openRegistry(registry);
}

const httpPlace = ({ socket, socketMode, host, port }: ServeOptions): Place =>
  socket === undefined
    ? { kind: 'port', host, port, flag: '--port' }
    : { kind: 'socket', path: socket, mode: socketMode };

/** Events that somebody has to do something about. */
const FAULTS = new Set(['failed', 'untrusted']);

async function lookAtModels(sources: Sources, trusted: TrustFiles | null, log: (line: LogLine) => void): Promise<void> {
  if (await trusted?.look(log)) sources.again();
  await sources.look();
}

function lookAt(certificates: Certificates, log: (line: LogLine) => void): void {
  try {
    if (certificates.look()) log({ level: 'info', event: 'certificate', ends: certificates.ends });
  } catch (error) {
    log({ level: 'error', event: 'certificate', reason: reason(error) });
  }
}

const staleFiles = (access: Access, certificates: Certificates | null, trusted: TrustFiles | null): Gauges => ({
  lr_stale_files: {
    help: 'Files of keys and certificates that could not be read again: what was read before is in use.',
    value: access.stale + Number(certificates?.isStale ?? false) + Number(trusted?.isStale ?? false),
    of: 'most',
  },
});

const expiry = (certificates: Certificates | null): Gauges =>
  certificates
    ? {
        lr_certificate_expiry_timestamp_seconds: {
          help: 'End of the certificate, in seconds since 1970.',
          value: certificates.ends,
          of: 'least',
        },
      }
    : {};
