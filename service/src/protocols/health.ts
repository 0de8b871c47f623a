import type { Hono } from 'hono';
import type { Core } from '../core.ts';
import { gaugesOf } from '../observation/figures.ts';

const OPEN_METRICS = /application\/openmetrics-text/;

/** The numbers of a service, for Prometheus. */
export function addHealth(app: Hono, core: Core): void {
  app.get('/metrics', async (c) => {
    const isOpen = OPEN_METRICS.test(c.req.header('accept') ?? '');
    const { metrics, gauges } = await core.total();
    const watched = await core.watch?.figures();
    const type = isOpen ? 'application/openmetrics-text; version=1.0.0' : 'text/plain; version=0.0.4';
    return new Response(metrics.text(watched ? { ...gauges, ...gaugesOf(watched) } : gauges, isOpen), {
      headers: { 'content-type': `${type}; charset=utf-8`, vary: 'accept' },
    });
  });
}
