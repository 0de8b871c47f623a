/** OpenTelemetry's own packages, set up by its variables. This file is loaded only where traces or metrics are exported. */
import { context, DiagLogLevel, diag, type Meter, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import type { OpenTelemetry } from '../../../../service/src/index.ts';
import { version } from '../../version.ts';

/** Where traces and metrics go. */
export interface TelemetryOptions {
  /** null: as OTEL_EXPORTER_OTLP_ENDPOINT and the like say */
  readonly endpoint: string | null;
  /** share of the traces that begin here; null: as OTEL_TRACES_SAMPLER says */
  readonly sample: number | null;
  /** whether it tells figures of the watch, which are those of all processes: one of them tells them */
  readonly tellsWatch: boolean;
  readonly onFailure: (reason: string) => void;
}

/** What a service needs of it, and how it ends. */
export interface Telemetry {
  readonly api: OpenTelemetry;
  /** Exports what is left. */
  close(): Promise<void>;
}

const METRICS_MS = 60_000;
/** How long the last export may take. */
const CLOSE_MS = 5000;

export function openTelemetry({ endpoint, sample, tellsWatch, onFailure }: TelemetryOptions): Telemetry {
  const failed = (reason: string) => onFailure(reason.split('\n')[0].slice(0, 300));
  diag.setLogger(
    { error: failed, warn: failed, info() {}, debug() {}, verbose() {} },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'logodds', 'service.version': version() }))
    .merge(detectResources({ detectors: [envDetector] }));
  const url = (signal: string) => (endpoint === null ? {} : { url: `${endpoint.replace(/\/+$/, '')}/v1/${signal}` });
  const tracers = isOff('OTEL_TRACES_EXPORTER')
    ? null
    : new BasicTracerProvider({
        resource,
        ...(sample !== null && {
          sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sample) }),
        }),
        spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(url('traces')))],
      });
  const meters = isOff('OTEL_METRICS_EXPORTER')
    ? null
    : new MeterProvider({
        resource,
        readers: [
          new PeriodicExportingMetricReader({
            exporter: new OTLPMetricExporter(url('metrics')),
            exportIntervalMillis: numberOf('OTEL_METRIC_EXPORT_INTERVAL') ?? METRICS_MS,
          }),
        ],
      });
  const propagator = new W3CTraceContextPropagator();
  const setter = {
    set(headers: Record<string, string>, name: string, value: string) {
      headers[name] = value;
    },
  };
  return {
    api: {
      trace: {
        getTracer: (name) => (tracers ?? trace).getTracer(name, version()),
        getSpan: trace.getSpan,
        setSpan: trace.setSpan,
      },
      propagation: {
        extract: (parent, headers, getter) => propagator.extract(parent, headers, getter),
        inject: (own, headers) => propagator.inject(own, headers, setter),
      },
      context,
      ...(meters && {
        metrics: {
          getMeter(name) {
            const meter = meters.getMeter(name, version());
            return tellsWatch ? meter : withoutFigures(meter);
          },
        },
      }),
    },
    async close() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([Promise.allSettled([tracers?.shutdown(), meters?.shutdown()]), late]);
    },
  };
}

/** What measures requests of this process alone. */
const withoutFigures = (meter: Meter): Pick<Meter, 'createHistogram' | 'createCounter' | 'createUpDownCounter'> => ({
  createHistogram: meter.createHistogram.bind(meter),
  createCounter: meter.createCounter.bind(meter),
  createUpDownCounter: meter.createUpDownCounter.bind(meter),
});

const isOff = (name: string): boolean => process.env[name]?.trim() === 'none';

function numberOf(name: string): number | null {
  const value = Number(process.env[name]);
  return value > 0 ? value : null;
}
