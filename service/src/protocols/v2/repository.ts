import type { Context, Hono } from 'hono';
import type { Core } from '../../core.ts';
import { EARLIER, type Histogram, Metrics, type Tally } from '../../observation/metrics.ts';
import { badRequest } from '../../refusal.ts';
import { bytesOf } from '../../requests/body.ts';
import { sightOf } from '../../requests/caller.ts';
import { refuseForeign } from '../../requests/foreign.ts';
import { jsonResponse } from '../../responses/json.ts';
import { parsedJson } from '../../scoring/score.ts';

/*
 * The repository and the statistics of models.
 *
 *   POST /v2/repository/index                    what is there, and what could not be loaded
 *   POST /v2/repository/models/{m}/load|unload   where the host of the service can load
 *   GET  /v2/models[/{m}[/versions/{v}]]/stats
 */

export function addRepository(app: Hono, core: Core): void {
  app.post('/v2/repository/index', async (c) => {
    const ready = onlyReady(await bytesOf(c.req.raw, { limits: core.limits, deadline: Number.POSITIVE_INFINITY }));
    return jsonResponse(core.shelf.list(sightOf(c.req.raw)).filter(({ state }) => !ready || state === 'READY'));
  });
  const told = async (c: Context, make: (name: string) => unknown): Promise<Response> =>
    jsonResponse(await make(c.req.param('model')!));
  const change = (c: Context, make: (name: string) => unknown): Promise<Response> => {
    refuseForeign(c.req.raw);
    return told(c, make);
  };
  app.post('/v2/repository/models/:model/load', (c) =>
    change(c, async (name) => {
      await core.load(name);
      await core.peers?.change('load', name);
      return { name, load: true };
    }),
  );
  app.post('/v2/repository/models/:model/unload', (c) =>
    change(c, async (name) => {
      core.unload(name, sightOf(c.req.raw));
      await core.peers?.change('unload', name);
      return { name, unload: true };
    }),
  );
  app.get('/v2/models/stats', async (c) => {
    const sees = sightOf(c.req.raw);
    return jsonResponse(await statistics(core, ({ model }) => sees(model)));
  });
  app.get('/v2/models/:model/stats', (c) =>
    told(c, (name) => {
      core.shelf.find(name, null, sightOf(c.req.raw));
      return statistics(core, ({ model }) => model === name);
    }),
  );
  app.get('/v2/models/:model/versions/:version/stats', (c) =>
    told(c, (name) => {
      const { version } = core.shelf.find(name, c.req.param('version')!, sightOf(c.req.raw));
      return statistics(core, (tally) => tally.model === name && tally.version === version);
    }),
  );
}

/** Whether only what is ready is asked for. The body need not be there. @throws Refusal */
function onlyReady(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false;
  const { ready = false } = (parsedJson(bytes) ?? { ready: null }) as { ready?: unknown };
  if (typeof ready === 'boolean') return ready;
  throw badRequest('body: expected an object with ready, true or false, got something else; send {} for all models');
}

const nanoseconds = ({ counts, sum }: Histogram) => ({
  count: counts.reduce((total, count) => total + count, 0),
  ns: Math.round(sum * 1e9),
});

/** The counts of models, in the words of Triton. */
async function statistics(core: Core, wanted: (tally: Tally) => boolean) {
  const metrics = new Metrics().add((await core.total()).metrics.snapshot());
  // those that nobody has asked too
  for (const served of core.shelf.all()) metrics.of(served);
  // several together are no version
  const tallies = metrics.snapshot().tallies.filter(({ version }) => version !== EARLIER);
  return {
    model_stats: tallies.filter(wanted).map((tally) => {
      const byStatus = Object.entries(tally.requests).map(
        ([key, count]) => [Number(key.split(' ')[1]), count] as const,
      );
      const sum = (of: (status: number) => boolean) =>
        byStatus.reduce((total, [status, count]) => total + (of(status) ? count : 0), 0);
      const { decode, queue, score, encode } = tally.stages;
      return {
        name: tally.model,
        version: tally.version,
        inference_count: tally.rows,
        execution_count: nanoseconds(score).count,
        inference_stats: {
          success: {
            count: sum((status) => status < 400),
            ns: nanoseconds(score).ns + nanoseconds(decode).ns + nanoseconds(encode).ns,
          },
          fail: { count: sum((status) => status >= 400), ns: 0 },
          queue: nanoseconds(queue),
          compute_input: nanoseconds(decode),
          compute_infer: nanoseconds(score),
          compute_output: nanoseconds(encode),
        },
        batch_stats: [],
      };
    }),
  };
}
