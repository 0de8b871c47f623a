import { Hono } from 'hono';
import { type AccessOptions, addAccess } from './access/access.ts';
import { Core, type Peers } from './core.ts';
import type { Gate, LogLine, Witness } from './hooks.ts';
import { type ModelSource, Shelf } from './models/shelf.ts';
import { Metrics } from './observation/metrics.ts';
import type { Gauges, Numbers } from './observation/numbers.ts';
import { requestLog } from './observation/requestLog.ts';
import { addPages } from './pages/pages.ts';
import { addHealth } from './protocols/health.ts';
import { addInvocations } from './protocols/invocations.ts';
import { addOwn } from './protocols/own.ts';
import { addTorchServe } from './protocols/torchServe.ts';
import { addV1 } from './protocols/v1.ts';
import { addV2 } from './protocols/v2/rest.ts';
import { Refusal, refusalOf, refusalResponse } from './refusal.ts';
import { type Peer, setPeer } from './requests/peer.ts';

/** How a service answers. */
export interface ServiceOptions {
  readonly models?: Iterable<ModelSource>;
  /** greatest number of bytes of a body that is read whole, after it was inflated; default 16 MiB. Streams of lines have no end. */
  readonly bodyLimit?: number;
  /** bytes of linear memory above which models that are not asked give theirs back until they are; default 256 MiB */
  readonly memory?: number;
  /** loads a model that a client asks to load; default: none can be */
  readonly source?: (name: string) => Promise<ModelSource> | ModelSource;
  /** takes each line of the log; default none */
  readonly log?: (line: LogLine) => void;
  /** whether the log has a line for each request; default false */
  readonly logRequests?: boolean;
  /** who may ask; default everybody */
  readonly access?: AccessOptions;
  /** let requests in or refuse them, in this order */
  readonly gates?: readonly Gate[];
  /** see what happens to requests */
  readonly witnesses?: readonly Witness[];
  /** the other processes of a service that has several; default: there are none */
  readonly peers?: Peers;
  /** numbers of the host, which `/metrics` shows with those of the service */
  readonly gauges?: () => Gauges;
  /** paths that are answered as others of the service are: `{ '/health': '/v2/health/ready' }` */
  readonly aliases?: Readonly<Record<string, string>>;
}

/** A service on web standards: `fetch` answers, on Node, Deno, Bun and Workers. */
export interface Service {
  /** Answers a request. It rejects for nothing. @param peer  who is at the other end, where the host knows */
  fetch(request: Request, peer?: Peer): Response | Promise<Response>;
  /** the models; put more, or others in their place, while it answers */
  readonly models: Shelf;
  /** whether new requests should come here */
  readonly isReady: boolean;
  /** the routes, to mount below another hono app: `app.route('/models', service.app)` */
  readonly app: Hono;
  /** Tells by `ready` that no new requests should come; resolves when those that came are answered. */
  drain(): Promise<void>;
  /** the numbers of the service; those of several processes can be added */
  readonly metrics: Metrics;
  /** the numbers of this process, for another to add */
  numbers(): Numbers;
}

const BODY_LIMIT = 2 ** 24;

/** what answers requests: a file each */
const ROUTES = [addPages, addHealth, addOwn, addV2, addV1, addInvocations, addTorchServe];

/**
 * Returns a service for models.
 * @throws ERR_FORMAT for bytes that are no model file
 * @example
 * const service = createService({ models: [{ name: 'flights', model: readFileSync('flights.safetensors') }] });
 * const request = new Request('http://localhost/models/flights/score', { method: 'POST', body: '{"distance":1200,"origin":"LAS"}' });
 * (await (await service.fetch(request)).json()).scores[0].probability; // 0.9114
 */
export function createService(options: ServiceOptions = {}): Service {
  const { models = [], bodyLimit = BODY_LIMIT, log = () => {}, source = null, peers = null, memory } = options;
  const { access = {}, logRequests = false, gauges = () => ({}), aliases = {} } = options;
  const witnesses = [...(logRequests ? [requestLog(log)] : []), ...(options.witnesses ?? [])];
  const shelf = new Shelf(memory);
  const metrics = new Metrics();
  const app = new Hono();
  const gates = [...addAccess(app, { metrics, log }, access), ...(options.gates ?? [])];
  const limits = { bytes: bodyLimit };
  const core = new Core({ shelf, metrics, limits, log, source, gates, witnesses, peers, gauges });
  for (const source of models) shelf.put(source);
  for (const add of ROUTES) add(app, core);
  app.notFound(() =>
    refusalResponse(
      new Refusal(
        404,
        'ERR_PATH',
        'path: expected one that the service has, got another; GET /openapi.json lists them',
      ),
      null,
    ),
  );
  const rename = Object.keys(aliases).length > 0 ? renamer(aliases) : null;
  app.onError((error) => refusalResponse(refusalOf(error), null));
  return {
    fetch(given, peer) {
      const request = rename ? rename(given) : given;
      if (peer) setPeer(request, peer);
      return app.fetch(request);
    },
    models: shelf,
    get isReady() {
      return core.isReady;
    },
    app,
    drain: () => core.drain(),
    metrics,
    numbers: () => core.numbers(),
  };
}

/** Requests with the path that answers theirs. */
const renamer =
  (aliases: Readonly<Record<string, string>>) =>
  (request: Request): Request => {
    const url = new URL(request.url);
    return Object.hasOwn(aliases, url.pathname) ? new Request(new URL(aliases[url.pathname], url), request) : request;
  };
