import type { Context, Hono } from 'hono';
import type { Core, Exchange } from '../../core.ts';
import type { Served } from '../../models/served.ts';
import { badRequest } from '../../refusal.ts';
import { sightOf } from '../../requests/caller.ts';
import { jsonResponse } from '../../responses/json.ts';
import { encoded, joined, type Text } from '../../responses/text.ts';
import { NOTHING, type Rows } from '../../scoring/question.ts';
import { answer } from '../../scoring/score.ts';
import { VERSION } from '../../version.ts';
import { inferenceOf, type Output } from './body.ts';
import { metadataOf } from './metadata.ts';
import { blobOf, jsonOf, type OutputTensor, outputsOf, tensorsOf } from './outputs.ts';
import { addRepository } from './repository.ts';
import { recordOf, tableOf } from './tensors.ts';

/*
 * Open Inference Protocol V2 over REST, with the extension of binary tensors.
 *
 *   GET  /v2, /v2/health/live, /v2/health/ready, /v2/models, /v2/models/{m}[/versions/{v}][/ready|/stats]
 *   POST /v2/models/{m}[/versions/{v}]/infer
 */

const HEADER_LENGTH = 'inference-header-content-length';
const NAME = 'logodds';
const EXTENSIONS = ['binary_tensor_data', 'binary_data', 'model_repository', 'statistics'];

export function addV2(app: Hono, core: Core): void {
  // its fixed paths stand before those with a name in their place
  addRepository(app, core);
  app.get('/v2', () => jsonResponse({ name: NAME, version: VERSION, extensions: EXTENSIONS }));
  app.get('/v2/health/live', () => jsonResponse({ live: true }));
  // clients read one of the two, or the status alone
  app.get('/v2/health/ready', () => jsonResponse({ ready: core.isReady, live: true }, core.isReady ? 200 : 503));
  app.get('/v2/models', (c) => jsonResponse({ models: core.shelf.names(sightOf(c.req.raw)) }));
  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    const find = (c: Context): Served =>
      core.shelf.find(c.req.param('model')!, c.req.param('version') ?? null, sightOf(c.req.raw));
    app.get(path, (c) => jsonResponse(metadataOf(find(c), core.shelf.versions(c.req.param('model')!))));
    app.get(`${path}/ready`, (c) => jsonResponse({ name: find(c).name, ready: true }));
    app.post(`${path}/infer`, (c) =>
      core.exchange(c.req.raw, 'v2', c.req.param('model')!, c.req.param('version') ?? null, infer),
    );
  }
}

async function infer(exchange: Exchange): Promise<Response> {
  const { served, request } = exchange;
  const said = request.headers.get(HEADER_LENGTH);
  const length = said === null ? null : Number(said);
  if (length !== null && !(Number.isSafeInteger(length) && length >= 0))
    throw badRequest(`${HEADER_LENGTH}: expected a number of bytes, got something else; correct it`);
  const { id, tensors, outputs, isBinary } = inferenceOf(await exchange.bytes(), length, exchange.limits);
  const record = recordOf(served, tensors);
  let rows: Rows = record ? { kind: 'records', records: [record] } : { kind: 'table', table: tableOf(served, tensors) };
  exchange.stage('decode');
  let found = answer(served, rows, NOTHING);
  // what is wrong with a tensor is told by its table
  if (found.faults.length > 0) {
    rows = { kind: 'table', table: tableOf(served, tensors) };
    found = answer(served, rows, NOTHING);
  }
  exchange.scored(found, rows);
  const asked: readonly Output[] = outputs ?? outputsOf(served).map((name) => ({ name, isBinary }));
  const made = tensorsOf(
    served,
    found,
    asked.map(({ name }) => name),
  );
  return respond(exchange, id, made, asked);
}

/** The answer: JSON, behind which stand the tensors that are asked for as bytes. */
function respond(
  exchange: Exchange,
  id: string | null,
  tensors: readonly OutputTensor[],
  asked: readonly Output[],
): Response {
  const { name, version, sha256 } = exchange.served;
  const blobs: Uint8Array[] = [];
  const outputs = tensors.map((tensor, i): Text[] => {
    const { name, datatype, shape } = tensor;
    if (!asked[i].isBinary) return [',', jsonOf(tensor)];
    const blob = blobOf(tensor);
    blobs.push(blob);
    return [',', JSON.stringify({ name, datatype, shape, parameters: { binary_data_size: blob.length } })];
  });
  const head = { model_name: name, model_version: version, id: id ?? exchange.id, parameters: { sha256 } };
  const text = joined([`${JSON.stringify(head).slice(0, -1)},"outputs":[`, ...outputs.flat().slice(1), ']}']);
  if (blobs.length === 0) return exchange.json(text);
  const json = encoded(text);
  const all = joined([json, ...blobs]);
  return exchange.respond('application/octet-stream', all, { [HEADER_LENGTH]: String(json.length) });
}
