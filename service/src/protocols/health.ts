import type { Hono } from 'hono';
import type { Core } from '../core.ts';

const OPEN_METRICS = /application\/openmetrics-text/;

/** The numbers of a service, for Prometheus. */
export function addHealth(app: Hono, core: Core): void {
  app.get('/metrics', (c) => {
    const isOpen = OPEN_METRICS.test(c.req.header('accept') ?? '');
    const gauges = {
      lr_requests_in_flight: ['Requests that are being answered.', core.requests],
      lr_models: ['Versions of models that answer.', core.shelf.all().length],
      lr_models_failed: ['Models that could not be loaded.', core.shelf.failures.size],
      lr_scorer_memory_bytes: ['Linear memory that scorers have.', core.shelf.memory],
      lr_ready: ['1: new requests should come here.', Number(core.isReady)],
      ...core.gauges(),
    } as const;
    const type = isOpen ? 'application/openmetrics-text; version=1.0.0' : 'text/plain; version=0.0.4';
    return new Response(core.metrics.text(gauges, isOpen), {
      headers: { 'content-type': `${type}; charset=utf-8`, vary: 'accept' },
    });
  });
}
