import type { Hono } from 'hono';
import type { Core } from '../core.ts';

/** The numbers of a service, for Prometheus. */
export function addHealth(app: Hono, core: Core): void {
  app.get('/metrics', () => {
    const text = core.metrics.text({
      lr_requests_in_flight: ['Requests that are being answered.', core.requests],
      lr_models: ['Versions of models that answer.', core.shelf.all().length],
      lr_models_failed: ['Models that could not be loaded.', core.shelf.failures.size],
      lr_scorer_memory_bytes: ['Linear memory that scorers have.', core.shelf.memory],
      lr_ready: ['1: new requests should come here.', Number(core.isReady)],
    });
    return new Response(text, { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } });
  });
}
