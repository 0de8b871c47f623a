import type { Hono } from 'hono';
import type { Core, Exchange } from '../core.ts';
import { badRequest } from '../refusal.ts';
import { sightOf } from '../requests/caller.ts';
import { jsonResponse } from '../responses/json.ts';
import { predictions, recordsOf, scoreBody } from './invocations.ts';

/*
 * TensorFlow Serving's REST, KServe V1 and Vertex AI.
 *
 *   GET  /v1/models, /v1/models/{m}[/versions/{v}]
 *   POST /v1/models/{m}[/versions/{v}]:predict    {"instances": […]} gives {"predictions": […]}, {"inputs": {…}} gives {"outputs": […]}
 */

/** The verb stands behind the name; clients encode its colon or not. */
const NAME = '{[^/:]+}';
const ASKED = '{[^/]+(?::|%3[Aa])predict}';

export function addV1(app: Hono, core: Core): void {
  app.get('/v1/models', (c) => jsonResponse({ models: core.shelf.names(sightOf(c.req.raw)) }));
  for (const path of ['/v1/models/:model', '/v1/models/:model/versions/:version']) {
    app.get(`${path}${NAME}`, (c) => {
      const model = c.req.param('model')!;
      const version = c.req.param('version') ?? null;
      const { name } = core.shelf.find(model, version, sightOf(c.req.raw));
      const versions = version === null ? core.shelf.versions(name) : [version];
      return jsonResponse({ name, ready: true, model_version_status: versions.map(statusOf) });
    });
    app.post(`${path}${ASKED}`, (c) => {
      const [model, version] = [c.req.param('model')!, c.req.param('version') ?? null];
      return version === null
        ? core.exchange(c.req.raw, 'v1', named(model), null, predict)
        : core.exchange(c.req.raw, 'v1', model, named(version), predict);
    });
  }
}

/** Without the verb behind it. */
const named = (text: string): string => text.slice(0, -':predict'.length);

const statusOf = (version: string) => ({
  version,
  state: 'AVAILABLE',
  status: { error_code: 'OK', error_message: '' },
});

async function predict(exchange: Exchange): Promise<Response> {
  const bytes = await exchange.jsonBytes();
  exchange.stage('decode');
  let name = 'predictions';
  const answer = scoreBody(exchange, bytes, {
    enclosed: ['instances'],
    rows: [
      { key: 'instances', in: ({ instances }) => ({ rows: instances }) },
      {
        key: 'inputs',
        in: ({ instances, inputs }) => {
          if (instances !== undefined) return null;
          name = 'outputs';
          return { rows: inputs };
        },
      },
    ],
    recordsIn: (body) => {
      const { instances, inputs } = (body ?? {}) as { instances?: unknown; inputs?: unknown };
      if (instances === undefined && inputs === undefined)
        throw badRequest('body: expected instances or inputs, got none; send {"instances": [{…}]}');
      if (instances !== undefined) return recordsOf({ instances }, exchange);
      name = 'outputs';
      return recordsOf({ inputs }, exchange);
    },
  });
  return predictions(exchange, name, [answer]);
}
