import { type Context, Hono } from 'hono';
import { type AccessOptions, addAccess } from './access/access.ts';
import { type AdmissionOptions, gatesOf } from './admission/admission.ts';
import { Core, type Extension, type Peers, type ServedRegistry } from './core.ts';
import type { Gate, Keeper, LogLine, Witness } from './hooks.ts';
import { type ModelSource, Shelf } from './models/shelf.ts';
import type { ModelTrust } from './models/trust.ts';
import { type AuditSink, audit } from './observation/audit.ts';
import type { LabelSink } from './observation/labels.ts';
import { Metrics } from './observation/metrics.ts';
import type { Gauges, Numbers } from './observation/numbers.ts';
import { type PredictionLogOptions, predictionLog } from './observation/predictionLog.ts';
import { requestLog } from './observation/requestLog.ts';
import { type OpenTelemetry, telemetry, tellWatch } from './observation/telemetry.ts';
import { addPages } from './pages/pages.ts';
import { addHealth } from './protocols/health.ts';
import { addInvocations } from './protocols/invocations.ts';
import { addLabels } from './protocols/labels.ts';
import { addOwn } from './protocols/own.ts';
import { addTorchServe } from './protocols/torchServe.ts';
import { addV1 } from './protocols/v1.ts';
import { addV2 } from './protocols/v2/rest.ts';
import { Refusal, refusalResponse } from './refusal.ts';
import { givenId } from './requests/id.ts';
import { LIMITS, type Limits } from './requests/limits.ts';
import { type Peer, setPeer } from './requests/peer.ts';
import { RouterByBegin } from './router.ts';
import type { Routing } from './routing/routing.ts';
import type { ScoreWatch } from './watch/watch.ts';

/** How a service answers. */
export interface ServiceOptions {
  readonly models?: Iterable<ModelSource>;
  /** says which models may be served, by their signatures; then each is put by `await service.models.load(…)`, and `models` is refused. Default: all may */
  readonly trust?: ModelTrust;
  /** what a request may hold, where it is not the default */
  readonly limits?: Partial<Limits>;
  /** how much is let in at a time; default: all that comes */
  readonly admission?: AdmissionOptions;
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
  /** let requests in or refuse them, in this order, after overload is told and before the rate of a caller is */
  readonly gates?: readonly Gate[];
  /** see what happens to requests */
  readonly witnesses?: readonly Witness[];
  /** makes spans and metrics: all of `@opentelemetry/api`, with what the program has set up; default none */
  readonly telemetry?: OpenTelemetry;
  /** takes what was scored, from what; default none */
  readonly predictions?: PredictionLogOptions;
  /** takes what became true of earlier scores; default none: such requests are refused */
  readonly labels?: LabelSink;
  /** watches scores for drift and, by labels, for how good they are: `watchScores()`; `watchApi` among the extensions tells of it. Default none */
  readonly watch?: ScoreWatch;
  /** takes who asked what and how it was decided; default none */
  readonly audit?: AuditSink;
  /** rollouts, fallbacks and shadows; default none: each model is answered as the shelf has it */
  readonly routing?: Routing;
  /** where models live: extensions tell of it and change it */
  readonly registry?: ServedRegistry;
  /** called when a client has changed the registry: a follower looks at once */
  readonly onRegistryChange?: () => void;
  /** routes that not every service has, such as `registryApi` and `mlflowRoutes(registry)` */
  readonly extensions?: readonly Extension[];
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
  /** the routes, to mount below another hono app: `app.route('/ml', service.app)` */
  readonly app: Hono;
  /** Tells by `ready` that no new requests should come; resolves when those that came are answered. */
  drain(): Promise<void>;
  /** the numbers of the service; those of several processes can be added */
  readonly metrics: Metrics;
  /** the numbers of this process, for another to add */
  numbers(): Numbers;
}

/** what answers requests: a file each */
const ROUTES = [addHealth, addOwn, addLabels, addV2, addV1, addInvocations, addTorchServe];

/**
 * Returns a service for models.
 * @throws ERR_FORMAT for bytes that are no model file, ERR_SIGNATURE for `models` beside `trust`
 * @example
 * const service = createService({ models: [{ name: 'flights', model: readFileSync('flights.safetensors') }] });
 * const request = new Request('http://localhost/models/flights/score', { method: 'POST', body: '{"distance":1200,"origin":"LAS"}' });
 * (await (await service.fetch(request)).json()).scores[0].probability; // 0.9114
 */
export function createService(options: ServiceOptions = {}): Service {
  const { models = [], limits, admission = {}, log = () => {}, source = null, peers = null, memory } = options;
  const { access = {}, gauges = () => ({}), labels = null, aliases = {} } = options;
  const { registry = null, onRegistryChange = () => {}, extensions = [] } = options;
  const { routing = null, trust = null, watch = null } = options;
  const taken = bothOf(watch?.labels ?? null, labels);
  const metrics = new Metrics();
  const shelf = new Shelf(
    memory,
    {
      onFailure: () => metrics.count('lr_model_load_failures_total'),
      onPut: (served) => metrics.begin(served),
      onGone: (served) => metrics.retire(served),
    },
    trust,
  );
  const { witnesses, keeper, changes } = observers(options, log);
  const app = new Hono({ router: new RouterByBegin() });
  const { before, after } = gatesOf(admission, metrics, log, access.tokens !== undefined);
  const gates = [...before, ...addAccess(app, { metrics, log }, access), ...(options.gates ?? []), ...after];
  const core = new Core({
    ...{ shelf, metrics, limits: { ...LIMITS, ...limits }, log, source, gates, witnesses },
    ...{ keeper, chooser: routing, peers, labels: routing ? routing.labels(taken) : taken },
    ...{ watch, registry, changes, onChange: onRegistryChange, routeOf: (model) => routing?.state(model) ?? null },
    segmentsOf: (model) => routing?.segments(model) ?? null,
    gauges: () => ({ ...routing?.gauges(), ...gauges() }),
  });
  routing?.attach({ shelf, log });
  if (watch && options.telemetry) tellWatch(options.telemetry, () => watch.figures());
  for (const source of models) shelf.put(source);
  addPages(app, core, extensions);
  for (const add of ROUTES) add(app, core);
  for (const extension of extensions) extension.add(app, core);
  app.notFound((c) => unknownPath(c, app, c.req.path));
  app.onError((error, { req }) => core.refused(error, givenId(req.raw) ?? crypto.randomUUID()));
  const rename = Object.keys(aliases).length > 0 ? renamer(aliases) : null;
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
    get app() {
      return mountable(app);
    },
    drain: () => core.drain(),
    metrics,
    numbers: () => core.numbers(),
  };
}

/** Labels go to both. */
function bothOf(a: LabelSink | null, b: LabelSink | null): LabelSink | null {
  if (!a || !b) return a ?? b;
  return {
    keeps: (model) => [a, b].some((sink) => sink.keeps?.(model) ?? true),
    async take(labels) {
      await Promise.all([a.take(labels), b.take(labels)]);
    },
  };
}

/** Methods that paths are asked by. */
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];

/** @param path  as the routes have it */
function unknownPath({ req: { method, raw } }: Context, { router }: Hono, path: string): Response {
  const id = givenId(raw) ?? crypto.randomUUID();
  // what stands before all routes is no answer of a path
  const answers = (other: string) => router.match(other, path)[0].some(([[, route]]) => route.method !== 'ALL');
  const others = METHODS.filter((other) => other !== method && answers(other));
  if (others.length === 0)
    return refusalResponse(
      new Refusal(
        404,
        'ERR_PATH',
        'path: expected one that the service has, got another; GET /openapi.json lists them',
      ),
      id,
    );
  const allow = others.join(', ');
  const message = `method: expected ${allow}, got another; GET /openapi.json lists them`;
  return refusalResponse(new Refusal(405, 'ERR_METHOD', message, { headers: { allow } }), id);
}

/**
 * Routes that answer below a path of another app as they do at the root. hono leaves unknown paths of a sub-app to the app above it, and the path of a
 * mount has no slash at its end, from which the links of the page lead on.
 */
function mountable(app: Hono): Hono {
  const outer = new Hono();
  outer.get('/', ({ req, redirect }, next) => (req.path.endsWith('/') ? next() : redirect(`${req.path}/`, 308)));
  // before the routes: behind them who asks would have been asked for a path that none of them has
  outer.all('/:rest{.*}', (c, next) => (c.req.param('rest') === '' ? app.request('/', c.req.raw) : next()));
  outer.route('/', app);
  outer.all('/:rest{.*}', (c) => unknownPath(c, app, `/${c.req.param('rest')}`));
  return outer;
}

/** Requests with the path that answers theirs. */
const renamer =
  (aliases: Readonly<Record<string, string>>) =>
  (request: Request): Request => {
    const url = new URL(request.url);
    return Object.hasOwn(aliases, url.pathname) ? new Request(new URL(aliases[url.pathname], url), request) : request;
  };

/** Who sees requests: telemetry first, since the others name its trace. */
function observers(options: ServiceOptions, log: (line: LogLine) => void) {
  const auditor = options.audit ? audit(options.audit) : null;
  const witnesses: Witness[] = [
    ...(options.telemetry ? [telemetry(options.telemetry)] : []),
    ...(options.routing ? [options.routing] : []),
    ...(options.predictions ? [predictionLog(options.predictions)] : []),
    ...(options.watch?.predictions ? [predictionLog(options.watch.predictions)] : []),
    ...(auditor ? [auditor] : []),
    ...(options.logRequests ? [requestLog(log)] : []),
    ...(options.witnesses ?? []),
  ];
  const keeper: Keeper | null = options.audit?.isStrict ? auditor : null;
  return { witnesses, keeper, changes: auditor };
}
