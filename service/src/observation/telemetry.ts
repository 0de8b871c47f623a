import type { Asked, Witness } from '../hooks.ts';
import { setTrace } from '../requests/trace.ts';
import type { Figure } from './figures.ts';
import { REQUEST_SECONDS } from './metrics.ts';

/*
 * Traces and metrics by OpenTelemetry, with the conventions of HTTP servers. The service has no part of OpenTelemetry: a program gives its own
 * (all of `@opentelemetry/api`), with all that it has set up.
 */

type Context = unknown;
type Attributes = Record<string, string | number | boolean>;

interface Span {
  spanContext(): { readonly traceId: string; readonly spanId: string };
  isRecording(): boolean;
  setAttributes(attributes: Attributes): unknown;
  setStatus(status: { code: number }): unknown;
  end(time?: number): void;
}

/** What is used of `@opentelemetry/api`. */
export interface OpenTelemetry {
  readonly trace: {
    getTracer(name: string): {
      startSpan(
        name: string,
        options: { kind?: number; startTime?: number; attributes?: Attributes },
        context: Context,
      ): Span;
    };
    getSpan(context: never): unknown;
    setSpan(context: never, span: never): Context;
  };
  readonly propagation: {
    extract(context: never, carrier: Headers, getter: HeadersGetter): Context;
    inject(context: never, carrier: Record<string, string>): void;
  };
  readonly context: { active(): Context };
  /** absent: no metrics */
  readonly metrics?: {
    getMeter(name: string): {
      createHistogram(
        name: string,
        options: { unit: string; description: string; advice: { explicitBucketBoundaries: number[] } },
      ): { record(value: number, attributes: Attributes): void };
      createCounter(
        name: string,
        options: { unit: string; description: string },
      ): { add(value: number, attributes: Attributes): void };
      createUpDownCounter(
        name: string,
        options: { unit: string; description: string },
      ): { add(value: number, attributes: Attributes): void };
      /** absent: figures of a watch are not told */
      createObservableGauge?(name: string, options: { description: string }): Observed;
      createObservableCounter?(name: string, options: { description: string }): Observed;
    };
  };
}

interface Observed {
  addCallback(
    callback: (result: { observe(value: number, attributes: Attributes): void }) => void | Promise<void>,
  ): void;
}

interface HeadersGetter {
  get(headers: Headers, key: string): string | undefined;
  keys(headers: Headers): string[];
}

const GETTER: HeadersGetter = {
  get: (headers, key) => headers.get(key) ?? undefined,
  keys(headers) {
    const names: string[] = [];
    headers.forEach((_, name) => {
      names.push(name);
    });
    return names;
  },
};

/** numbers of SpanKind and SpanStatusCode */
const INTERNAL = 0;
const SERVER = 1;
const ERROR = 2;

const NAME = '@logodds/service';

interface Open {
  readonly span: Span;
  readonly context: Context;
  readonly method: string;
  readonly route: string;
  /** milliseconds by stage, of a stream */
  readonly stages: Record<string, number>;
}

/** Makes a span of each request, with one of each of its stages, and measures requests. */
export function telemetry({ trace, propagation, context, metrics }: OpenTelemetry): Witness {
  const tracer = trace.getTracer(NAME);
  const meter = metrics?.getMeter(NAME);
  const duration = meter?.createHistogram('http.server.request.duration', {
    unit: 's',
    description: 'Duration of HTTP server requests.',
    advice: { explicitBucketBoundaries: [...REQUEST_SECONDS] },
  });
  const active = meter?.createUpDownCounter('http.server.active_requests', {
    unit: '{request}',
    description: 'Number of active HTTP server requests.',
  });
  const rows = meter?.createCounter('logodds.rows', { unit: '{row}', description: 'Rows scored or refused.' });
  const open = new WeakMap<Asked, Open>();
  return {
    began(asked) {
      const { request, began } = asked;
      const outer = context.active();
      // a program that has a span of the request already is its parent
      const isInner = trace.getSpan(outer as never) !== undefined;
      const parent = isInner ? outer : propagation.extract(outer as never, request.headers, GETTER);
      const { method } = request;
      const route = routeOf(asked);
      const attributes: Attributes = {
        'http.request.method': method,
        'http.route': route,
        'url.scheme': request.url.slice(0, request.url.indexOf(':')),
        'logodds.protocol': asked.protocol,
        'logodds.request.id': asked.id,
      };
      const span = tracer.startSpan(
        `${method} ${route}`,
        { kind: isInner ? INTERNAL : SERVER, startTime: performance.timeOrigin + began, attributes },
        parent,
      );
      const own = trace.setSpan(parent as never, span as never);
      const headers: Record<string, string> = {};
      propagation.inject(own as never, headers);
      setTrace(request, { ...span.spanContext(), headers });
      open.set(asked, { span, context: own, method, route, stages: {} });
      active?.add(1, { 'http.request.method': method, 'url.scheme': attributes['url.scheme'] });
    },
    stage(asked, stage, from, to) {
      const { span, context, stages } = open.get(asked)!;
      if (!span.isRecording()) return;
      // of a stream there is one for each piece
      if (asked.isStreaming) stages[stage] = (stages[stage] ?? 0) + to - from;
      else
        tracer
          .startSpan(stage, { kind: INTERNAL, startTime: performance.timeOrigin + from }, context)
          .end(performance.timeOrigin + to);
    },
    ended(asked, status) {
      const { span, method, route, stages } = open.get(asked)!;
      const { found, refusal, began, request, route: arm, segment } = asked;
      const scheme = request.url.slice(0, request.url.indexOf(':'));
      const now = performance.now();
      if (span.isRecording()) {
        span.setAttributes({
          'http.response.status_code': status,
          'logodds.rows': asked.rows,
          ...(found && modelOf(found)),
          ...(found && { 'logodds.model.sha256': found.sha256 }),
          ...(arm !== null && { 'logodds.route': arm }),
          ...(segment !== null && { 'logodds.segment': segment }),
          ...(refusal && { 'error.type': refusal.code }),
          ...Object.fromEntries(Object.entries(stages).map(([stage, ms]) => [`logodds.stage.${stage}_ms`, ms])),
        });
        if (status >= 500) span.setStatus({ code: ERROR });
      }
      span.end(performance.timeOrigin + now);
      active?.add(-1, { 'http.request.method': method, 'url.scheme': scheme });
      duration?.record((now - began) / 1000, {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
        'url.scheme': scheme,
        ...(found && modelOf(found)),
      });
      if (found) rows?.add(asked.rows, modelOf(found));
    },
  };
}

/**
 * Tells the figures of a watch as metrics, by their names in Prometheus: `lr_drift_psi` is `logodds.drift_psi`. Which ones there are is known when a model is
 * watched: those that are new are told from the next export on.
 */
export function tellWatch({ metrics }: OpenTelemetry, figures: () => Promise<readonly Figure[]>): void {
  const meter = metrics?.getMeter(NAME);
  if (!meter?.createObservableGauge || !meter.createObservableCounter) return;
  let last: ReadonlyMap<string, Figure> = new Map();
  const told = new Set<string>();
  const models = meter.createObservableGauge('logodds.watch.models', { description: 'Versions and arms watched.' });
  models.addCallback(async (result) => {
    last = new Map((await figures()).map((figure) => [figure.name, figure]));
    result.observe(last.get('lr_watch_scored_rows_total')?.values.length ?? 0, {});
    for (const { name, help: description, type } of last.values()) {
      if (told.has(name)) continue;
      told.add(name);
      const shown = name.replace(/^lr_/, 'logodds.').replace(/_total$/, '');
      const make = type === 'counter' ? meter.createObservableCounter! : meter.createObservableGauge!;
      make.call(meter, shown, { description }).addCallback((seen) => {
        for (const { labels, value } of last.get(name)?.values ?? []) seen.observe(value, attributesOf(labels));
      });
    }
  });
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  model: 'logodds.model.name',
  version: 'logodds.model.version',
  route: 'logodds.route',
  feature: 'logodds.feature',
};
const attributesOf = (labels: Figure['values'][number]['labels']): Attributes =>
  Object.fromEntries(Object.entries(labels).map(([key, text]) => [ATTRIBUTES[key] ?? key, text]));

const modelOf = ({ name, version }: { readonly name: string; readonly version: string }): Attributes => ({
  'logodds.model.name': name,
  'logodds.model.version': version,
});

/** Paths of the protocols: a name that a client has made up is no route. */
const ROUTES: Readonly<Record<string, string>> = {
  own: '/models/{model}/score',
  labels: '/models/{model}/labels',
  v2: '/v2/models/{model}/infer',
  v1: '/v1/models/{model}:predict',
  invocations: '/invocations',
  torchserve: '/predictions/{model}',
};

const routeOf = ({ protocol }: Asked): string => ROUTES[protocol] ?? `{${protocol}}`;
