import type { Hono } from 'hono';
import type { Core, Exchange } from '../core.ts';
import { beginOf } from '../requests/enclosed.ts';
import { probabilityOf } from '../scoring/probability.ts';
import { NOTHING, type Rows } from '../scoring/question.ts';
import { answer } from '../scoring/score.ts';

/*
 * TorchServe's inference.
 *
 *   POST, PUT /predictions/{m}[/{v}]    a record gives {class: probability}; an array a list of them
 */

export function addTorchServe(app: Hono, core: Core): void {
  for (const path of ['/predictions/:model', '/predictions/:model/:version'])
    app.on(['POST', 'PUT'], path, (c) =>
      core.exchange(c.req.raw, 'torchserve', c.req.param('model')!, c.req.param('version') ?? null, predict),
    );
}

async function predict(exchange: Exchange): Promise<Response> {
  const { served } = exchange;
  const bytes = await exchange.jsonBytes();
  exchange.stage('decode');
  const rows: Rows = { kind: 'bytes', bytes };
  const found = answer(served, rows, NOTHING);
  exchange.scored(found, rows);
  if (found.faults.length > 0) throw found.faults[0].error;
  const { classes } = served.model.manifest;
  const of = probabilityOf(served.model);
  const each = Array.from({ length: found.scores.rows }, (_, i) =>
    Object.fromEntries(classes.map((name, k) => [name, of(found.scores, i, k)])),
  );
  const isList = bytes[beginOf(bytes)] === 0x5b;
  return exchange.json(JSON.stringify(isList ? each : each[0]));
}
