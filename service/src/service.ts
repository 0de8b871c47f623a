import { Hono } from 'hono';
import { type AccessOptions, addAccess } from './access/access.ts';
import { Core } from './core.ts';
import type { Gate, Keeper, LogLine, Witness } from './hooks.ts';
import { type ModelSource, Shelf } from './models/shelf.ts';
import { type AuditSink, audit } from './observation/audit.ts';
import type { LabelSink } from './observation/labels.ts';
import { type Gauges, Metrics } from './observation/metrics.ts';
import { type PredictionLogOptions, predictionLog } from './observation/predictionLog.ts';
import { requestLog } from './observation/requestLog.ts';
import { type OpenTelemetry, telemetry } from './observation/telemetry.ts';
import { addPages } from './pages/pages.ts';
import { addHealth } from './protocols/health.ts';
import { addInvocations } from './protocols/invocations.ts';
import { addLabels } from './protocols/labels.ts';
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
  /** makes spans and metrics: all of `@opentelemetry/api`, with what the program has set up; default none */
  readonly telemetry?: OpenTelemetry;
  /** takes what was scored, from what; default none */
  readonly predictions?: PredictionLogOptions;
  /** takes what became true of earlier scores; default none: such requests are refused */
  readonly labels?: LabelSink;
  /** takes who asked what and how it was decided; default none */
  readonly audit?: AuditSink;
  /** numbers of the host for `/metrics`, beside those of the service */
  readonly gauges?: () => Gauges;
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
}

const BODY_LIMIT = 2 ** 24;

/** what answers requests: a file each */
const ROUTES = [addPages, addHealth, addOwn, addLabels, addV2, addV1, addInvocations, addTorchServe];

/**
 * Returns a service for models.
 * @throws ERR_FORMAT for bytes that are no model file
 * @example
 * const service = createService({ models: [{ name: 'flights', model: readFileSync('flights.safetensors') }] });
 * const request = new Request('http://localhost/models/flights/score', { method: 'POST', body: '{"distance":1200,"origin":"LAS"}' });
 * (await (await service.fetch(request)).json()).scores[0].probability; // 0.9114
 */
export function createService(options: ServiceOptions = {}): Service {
  const { models = [], bodyLimit = BODY_LIMIT, log = () => {}, source = null, memory } = options;
  const { access = {}, gauges = () => ({}), labels = null } = options;
  const metrics = new Metrics();
  const shelf = new Shelf(memory, () => metrics.count('lr_model_load_failures_total'));
  const { witnesses, keeper } = observers(options, log);
  const app = new Hono();
  const gates = [...addAccess(app, { metrics, log }, access), ...(options.gates ?? [])];
  const limits = { bytes: bodyLimit };
  const core = new Core({ shelf, metrics, limits, log, source, gates, witnesses, keeper, gauges, labels });
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
  app.onError((error) => refusalResponse(refusalOf(error), null));
  return {
    fetch(request, peer) {
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
  };
}

/** Who sees requests: telemetry first, since the others name its trace. */
function observers(options: ServiceOptions, log: (line: LogLine) => void) {
  const auditor = options.audit ? audit(options.audit) : null;
  const witnesses: Witness[] = [
    ...(options.telemetry ? [telemetry(options.telemetry)] : []),
    ...(options.predictions ? [predictionLog(options.predictions)] : []),
    ...(auditor ? [auditor] : []),
    ...(options.logRequests ? [requestLog(log)] : []),
    ...(options.witnesses ?? []),
  ];
  const keeper: Keeper | null = options.audit?.isStrict ? auditor : null;
  return { witnesses, keeper };
}
