import type { Hono } from 'hono';
import type { Core } from '../core.ts';

/** The numbers of a service, for Prometheus. */
export function addHealth(app: Hono, core: Core): void {
  app.get('/metrics', async () => {
    const { metrics, gauges } = await core.total();
    return new Response(metrics.text(gauges), {
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    });
  });
}
