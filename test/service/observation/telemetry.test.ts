import * as api from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, expect, test } from 'vitest';
import { createService, type Gate, type OpenTelemetry, traceHeaders } from '../../../service/src/index.ts';
import { Refusal } from '../../../service/src/refusal.ts';
import { JSON_TYPE, serviceWith } from '../models.ts';
import { privateModel, RECORD, SECRET, SECRET_NUMBER } from './private.ts';

afterEach(() => {
  api.trace.disable();
  api.metrics.disable();
  api.propagation.disable();
});

/** What a program that has set up OpenTelemetry gives. */
function setUp(share = 1): { spans: InMemorySpanExporter; given: OpenTelemetry } {
  const spans = new InMemorySpanExporter();
  const sampler = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) });
  api.trace.setGlobalTracerProvider(
    new BasicTracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor(spans)] }),
  );
  api.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return { spans, given: api };
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const RECORD_OF_CODES = '{"code":"2","x":0.5}';

test("a request is a span of its caller's trace, its stages are spans of it, and what is called for it belongs to it", async () => {
  const { spans, given } = setUp();
  let carried: Readonly<Record<string, string>> = {};
  const gate = {
    enter({ request }: { request: Request }) {
      carried = traceHeaders(request);
      return undefined;
    },
  };
  const { ask, lines } = serviceWith({ telemetry: given, gates: [gate] }, 'codes');
  await ask('/models/codes/score', RECORD_OF_CODES, {
    ...JSON_TYPE,
    traceparent: PARENT,
    tracestate: 'vendor=1',
    'x-request-id': 'r1',
  });
  const all = spans.getFinishedSpans();
  const server = all.find(({ kind }) => kind === api.SpanKind.SERVER)!;
  expect(server.name).toBe('POST /models/{model}/score');
  expect(server.spanContext().traceId).toBe(TRACE);
  expect(server.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  expect(server.attributes).toMatchObject({
    'http.request.method': 'POST',
    'http.route': '/models/{model}/score',
    'http.response.status_code': 200,
    'logodds.model.name': 'codes',
    'logodds.rows': 1,
    'logodds.request.id': 'r1',
  });
  expect(
    all.filter((span) => span !== server).map(({ name, parentSpanContext }) => [name, parentSpanContext?.spanId]),
  ).toEqual(['queue', 'decode', 'score', 'encode'].map((stage) => [stage, server.spanContext().spanId]));
  expect(carried).toEqual({ traceparent: `00-${TRACE}-${server.spanContext().spanId}-01`, tracestate: 'vendor=1' });
  expect(lines.at(-1)).toMatchObject({ event: 'request', trace: TRACE, span: server.spanContext().spanId });
});

test('a caller that does not sample is followed; a share of other traces is taken', async () => {
  const { spans, given } = setUp(0);
  const { ask } = serviceWith({ telemetry: given }, 'codes');
  await ask('/models/codes/score', RECORD_OF_CODES, JSON_TYPE);
  expect(spans.getFinishedSpans()).toEqual([]);
  await ask('/models/codes/score', RECORD_OF_CODES, { ...JSON_TYPE, traceparent: PARENT });
  expect(spans.getFinishedSpans().length).toBeGreaterThan(0);
  spans.reset();
  await ask('/models/codes/score', RECORD_OF_CODES, { ...JSON_TYPE, traceparent: PARENT.replace(/01$/, '00') });
  expect(spans.getFinishedSpans()).toEqual([]);
});

test('a stream is one span with the times of its stages; an error of the service is marked, and has no private value', async () => {
  const { spans, given } = setUp();
  const service = createService({ models: [{ name: 'm', model: privateModel }], telemetry: given });
  const ask = async (body: string, type: string) =>
    (
      await service.fetch(
        new Request('http://x/models/m/score', { method: 'POST', body, headers: { 'content-type': type } }),
      )
    ).text();
  await ask(`${JSON.stringify(RECORD)}\n`.repeat(3), 'application/x-ndjson');
  const [span, ...others] = spans.getFinishedSpans();
  expect(others).toEqual([]);
  expect(span.attributes).toMatchObject({ 'logodds.rows': 3, 'logodds.stage.score_ms': expect.any(Number) });
  await ask(JSON.stringify({ ...RECORD, income: -SECRET_NUMBER }), 'application/json');
  const text = JSON.stringify(
    spans.getFinishedSpans().map(({ name, attributes, status, events }) => [name, attributes, status, events]),
  );
  expect(text).toContain('ERR_RECORD');
  for (const secret of [SECRET, String(SECRET_NUMBER)]) expect(text).not.toContain(secret);
});

test.each([
  ['a model that is not there', '/models/none/score', {}, 404, 'ERR_MODEL'],
  ['a body that is too long', '/models/codes/score', { 'content-length': '99' }, 413, 'ERR_BODY'],
  ['a time that is over', '/models/codes/score', { timeout: '0' }, 504, 'ERR_DEADLINE'],
  ['a gate that is shut', '/models/codes/score', { 'x-shut': '1' }, 429, 'ERR_RATE'],
  ['a name of the query twice', '/models/codes/score?explain=1&explain=2', {}, 400, 'ERR_REQUEST'],
  ['what the service fails at', '/models/codes/score', { 'x-broken': '1' }, 500, 'ERR_INTERNAL'],
] as const)('a request that is refused has a span that says so: %s', async (_, path, headers, status, type) => {
  const { spans, given } = setUp();
  const gate: Gate = {
    enter({ request }) {
      if (request.headers.has('x-shut')) throw new Refusal(429, 'ERR_RATE', 'shut');
      if (request.headers.has('x-broken')) throw new TypeError('broken');
      return undefined;
    },
  };
  const { ask } = serviceWith({ telemetry: given, gates: [gate], limits: { bytes: 50 } }, 'codes');
  expect((await ask(path, RECORD_OF_CODES, { ...JSON_TYPE, ...headers })).status).toBe(status);
  const server = spans.getFinishedSpans().find(({ kind }) => kind === api.SpanKind.SERVER)!;
  expect(server.attributes).toMatchObject({
    'http.response.status_code': status,
    'error.type': type,
    'http.route': '/models/{model}/score',
  });
  // by the conventions what a client did wrong is no error of a server
  expect(server.status.code).toBe(status >= 500 ? api.SpanStatusCode.ERROR : api.SpanStatusCode.UNSET);
});

test('without telemetry the trace of a caller is carried on as it came, and the log names it', async () => {
  const { ask, lines } = serviceWith({}, 'codes');
  await ask('/models/codes/score', RECORD_OF_CODES, { ...JSON_TYPE, traceparent: PARENT });
  expect(lines.at(-1)).toMatchObject({ trace: TRACE, span: null });
  const request = new Request('http://x', { headers: { traceparent: PARENT, tracestate: 'a=b' } });
  expect(traceHeaders(request)).toEqual({ traceparent: PARENT, tracestate: 'a=b' });
  for (const wrong of ['00-0-1-01', PARENT.replace(TRACE, '0'.repeat(32)), 'x'])
    expect(traceHeaders(new Request('http://x', { headers: { traceparent: wrong } }))).toEqual({});
});

test('requests are measured by the conventions of HTTP servers', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e6 });
  const provider = new MeterProvider({ readers: [reader] });
  api.metrics.setGlobalMeterProvider(provider);
  const { given } = setUp();
  const { ask } = serviceWith({ telemetry: given }, 'codes');
  await ask('/models/codes/score', `[${RECORD_OF_CODES},${RECORD_OF_CODES}]`, JSON_TYPE);
  await ask('/models/made-up/score', RECORD_OF_CODES, JSON_TYPE);
  await provider.forceFlush();
  const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  const points = (name: string) =>
    metrics
      .find(({ descriptor }) => descriptor.name === name)!
      .dataPoints.map(({ attributes, value }) => [attributes, value] as const);
  expect(points('http.server.request.duration').map(([attributes]) => attributes['http.response.status_code'])).toEqual(
    [200, 404],
  );
  expect(points('logodds.rows').map(([, value]) => value)).toEqual([2]);
  expect(points('http.server.active_requests').map(([, value]) => value)).toEqual([0]);
  expect(JSON.stringify(metrics)).not.toContain('made-up');
  await provider.shutdown();
});
