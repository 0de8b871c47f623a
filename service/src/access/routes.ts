import type { Verb } from '../requests/caller.ts';

/**
 * What a request is let in for.
 *
 *   open    nobody is asked: probes, and files of pages that have nothing of models in them
 *   anyone  a caller is enough: it is told of the models that are there for it
 *   see     the model must be there for the caller
 *   all     the verb for every model
 *   named   the verb for the model that the path names; where the query has a member, another verb too
 *   queried the verb for the model that the query names, as a part of it (`name`) or at the begin of a path
 *   model   the verb for the model that is asked, as the protocol reads its name
 */
export type Rule =
  | Open
  | { readonly kind: 'anyone' | 'see' }
  | { readonly kind: 'all' | 'named' | 'model'; readonly verb: Verb; readonly also?: Also }
  | { readonly kind: 'queried'; readonly verb: Verb; readonly by: 'name' | 'path' };

/** A verb that is needed too where the query has this member. */
export interface Also {
  readonly query: string;
  readonly verb: Verb;
}

export interface Open {
  readonly kind: 'open';
}

const OPEN: Open = { kind: 'open' };
const ANYONE: Rule = { kind: 'anyone' };
const SEE: Rule = { kind: 'see' };
const of = (kind: 'all' | 'named' | 'model', verb: Verb): Rule => ({ kind, verb });
const SCORE = of('model', 'score');

/** Of a path that has no rule: who writes a new one decides, and until then it is shut. */
export const SHUT = of('all', 'admin');

const MLFLOW = '/api/2.0/mlflow';
const ALIAS = `${MLFLOW}/registered-models/alias`;

const MODEL = ['/v2/models/:model', '/v2/models/:model/versions/:version'];

const REGISTERED = '/registry/models/:model';

/** By method and path, as the service adds them. */
export const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...['/', '/docs', '/v2/docs'].map((path) => [`GET ${path}`, OPEN] as const),
  ...['style.css', 'console.css', 'docs.css', 'dom.js', 'console.js', 'docs.js'].map(
    (file) => [`GET /${file}`, OPEN] as const,
  ),
  ...['/ping', '/health', '/v2/health/live', '/v2/health/ready'].map((path) => [`GET ${path}`, OPEN] as const),
  ...[
    '/version',
    '/v2',
    '/v2/models',
    '/v2/models/stats',
    '/v1/models',
    '/console.json',
    '/openapi.json',
    '/v2/docs/dataplane.json',
  ].map((path) => [`GET ${path}`, ANYONE] as const),
  ['POST /v2/repository/index', ANYONE],
  // paths that are not there
  ['ALL /:rest{.*}', ANYONE],
  ['GET /metrics', of('all', 'read')],
  // where the host evaluates alerts
  ['GET /alerts', of('all', 'read')],
  ['POST /alerts/silences', of('all', 'admin')],
  ['DELETE /alerts/silences/:id', of('all', 'admin')],
  ['GET /models/:model', SEE],
  ['GET /models/:model/watch', of('named', 'read')],
  ...['/watch', '/watch.css', '/watch.js'].map((path) => [`GET ${path}`, OPEN] as const),
  ['GET /v2/models/:model/docs/dataplane.json', SEE],
  ...MODEL.flatMap((path) => [path, `${path}/ready`, `${path}/stats`].map((each) => [`GET ${each}`, SEE] as const)),
  ...['/v1/models/:model', '/v1/models/:model/versions/:version'].flatMap((path) => [
    [`GET ${path}{[^/:]+}`, SEE] as const,
    [`POST ${path}{[^/]+(?::|%3[Aa])predict}`, SCORE] as const,
  ]),
  ['POST /models/:model/score', SCORE],
  ['POST /models/:model/labels', of('named', 'labels')],
  ...MODEL.map((path) => [`POST ${path}/infer`, SCORE] as const),
  ['POST /invocations', SCORE],
  ...['POST', 'PUT'].flatMap((method) =>
    ['/predictions/:model', '/predictions/:model/:version'].map((path) => [`${method} ${path}`, SCORE] as const),
  ),
  ...['registered-models', 'model-versions'].map((kind) => [`GET ${MLFLOW}/${kind}/search`, ANYONE] as const),
  ...['registered-models/get', 'registered-models/alias', 'model-versions/get', 'model-versions/get-download-uri'].map(
    (path) => [`GET ${MLFLOW}/${path}`, { kind: 'queried', verb: 'read', by: 'name' }] as const,
  ),
  [`GET ${MLFLOW}-artifacts/artifacts`, { kind: 'queried', verb: 'read', by: 'path' }],
  [`GET ${MLFLOW}-artifacts/artifacts/:model/:version/:file`, of('named', 'read')],
  // the body names the model
  [`POST ${ALIAS}`, of('all', 'admin')],
  [`DELETE ${ALIAS}`, of('all', 'admin')],
  ['POST /v2/repository/models/:model/load', of('named', 'admin')],
  ['POST /v2/repository/models/:model/unload', of('named', 'admin')],
  // where a program has added the registry
  ...['/registry', '/registry.css', '/registry.js'].map((path) => [`GET ${path}`, OPEN] as const),
  ['GET /registry/models', ANYONE],
  ...['', '/events', '/versions/:version/file', '/versions/:version/signature'].map(
    (path) => [`GET ${REGISTERED}${path}`, of('named', 'read')] as const,
  ),
  // to name a version is to decide what answers
  [`POST ${REGISTERED}/versions/:version/signature`, of('named', 'push')],
  [`POST ${REGISTERED}/versions`, { ...of('named', 'push'), also: { query: 'alias', verb: 'promote' } } as Rule],
  ...[
    '/aliases/:alias',
    '/rollback',
    '/rollout',
    '/rollout/advance',
    '/rollout/abort',
    '/versions/:version/retire',
  ].map((path) => [`POST ${REGISTERED}${path}`, of('named', 'promote')] as const),
]);
