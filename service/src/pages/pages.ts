import type { Hono } from 'hono';
import type { Core } from '../core.ts';
import type { Histogram, Tally } from '../observation/metrics.ts';
import { sightOf } from '../requests/caller.ts';
import { consoleCss, consoleHtml, consoleJs } from './consoleHtml.ts';
import { openApi } from './openapi.ts';

/*
 * Pages for people.
 *
 *   GET /               models, traffic, a form to try a record
 *   GET /openapi.json   the API in OpenAPI 3.1
 */

/** Nothing but the page's own files is loaded or asked. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const text = (type: string, body: string): Response =>
  new Response(body, { headers: { ...HEADERS, 'content-type': `${type}; charset=utf-8` } });

export function addPages(app: Hono, core: Core): void {
  app.get('/', () => text('text/html', consoleHtml));
  app.get('/console.css', () => text('text/css', consoleCss));
  app.get('/console.js', () => text('text/javascript', consoleJs));
  app.get('/console.json', async (c) => Response.json(await overview(core, c.req.raw)));
  app.get('/openapi.json', (c) => Response.json(openApi(core.shelf.all(sightOf(c.req.raw)))));
}

/** What the page shows to who asks. */
async function overview(core: Core, request: Request) {
  const { shelf } = core;
  const { metrics, gauges } = await core.total();
  const sees = sightOf(request);
  return {
    ready: gauges['lr_ready'].value === 1,
    failures: [...shelf.failures].filter(([name]) => sees(name)).map(([name, reason]) => ({ name, reason })),
    models: shelf.all(sees).map((served) => {
      const tally = metrics.of(served);
      const { name, version, sha256, fields, model } = served;
      return {
        name,
        version,
        sha256,
        fields,
        positive: model.manifest.positive,
        intervals: model.covariance !== null,
        ...traffic(tally),
      };
    }),
  };
}

function traffic({ requests, rows, stages }: Tally) {
  const counts = Object.entries(requests).map(([key, count]) => [Number(key.split(' ')[1]), count] as const);
  const sum = (of: (status: number) => boolean) =>
    counts.reduce((total, [status, count]) => total + (of(status) ? count : 0), 0);
  return {
    requests: sum(() => true),
    refused: sum((status) => status >= 400),
    rows,
    median: below(stages.score, 0.5),
    p99: below(stages.score, 0.99),
  };
}

/** The end of a histogram below which this share of its values lies; null: it has none, or it is the last. */
function below({ ends, counts }: Histogram, share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let sum = 0;
  for (let i = 0; i < ends.length && total > 0; i++) {
    sum += counts[i];
    if (sum >= share * total) return ends[i];
  }
  return null;
}
