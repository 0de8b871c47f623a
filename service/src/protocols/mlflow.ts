import type { Context, Hono } from 'hono';
import type { Core, Extension } from '../core.ts';
import type { RegistryReader, RegistryVersion } from '../hooks.ts';
import { Refusal } from '../refusal.ts';
import { bytesOf } from '../requests/body.ts';
import { callerName, callerOf } from '../requests/caller.ts';
import { jsonResponse } from '../responses/json.ts';

/*
 * The registry, as MLflow's own clients ask it (MLflow 3). Its errors are MLflow's: {"error_code", "message"}.
 *
 *   GET         /api/2.0/mlflow/registered-models/{get,search,alias}
 *   POST|DELETE /api/2.0/mlflow/registered-models/alias            {"name", "alias", "version"}
 *   GET         /api/2.0/mlflow/model-versions/{get,search,get-download-uri}
 *   GET         /api/2.0/mlflow-artifacts/artifacts?path=NAME/VERSION, and …/NAME/VERSION/FILE
 */

const API = '/api/2.0/mlflow';
const MODELS = `${API}/registered-models`;
const VERSIONS = `${API}/model-versions`;
const ARTIFACTS = `${API}-artifacts/artifacts`;
const FILE = 'model.safetensors';

type Entries = Awaited<ReturnType<RegistryReader['state']>>['entries'];
type Entry = Entries extends ReadonlyMap<string, infer E> ? E : never;
type Code =
  | 'RESOURCE_DOES_NOT_EXIST'
  | 'INVALID_PARAMETER_VALUE'
  | 'PERMISSION_DENIED'
  | 'NOT_IMPLEMENTED'
  | 'INTERNAL_ERROR';

const STATUS: Readonly<Record<Code, number>> = {
  RESOURCE_DOES_NOT_EXIST: 404,
  INVALID_PARAMETER_VALUE: 400,
  PERMISSION_DENIED: 403,
  NOT_IMPLEMENTED: 501,
  INTERNAL_ERROR: 500,
};

/** An error as MLflow tells it. */
class Said extends Error {
  readonly code: Code;

  constructor(code: Code, message: string) {
    super(message);
    this.code = code;
  }
}

const missing = (what: string) => new Said('RESOURCE_DOES_NOT_EXIST', what);
const invalid = (what: string) => new Said('INVALID_PARAMETER_VALUE', what);

/**
 * Returns the routes by which MLflow's own clients read a registry, and move its aliases. Reading needs the scope `read` for the model, an alias `admin` for
 * every model. A service without them does not carry their code.
 *
 * @example
 * const service = createService({ extensions: [mlflowRoutes(registry)] });
 * // in Python: MlflowClient(registry_uri='http://localhost:8080').get_model_version_by_alias('fraud', 'champion')
 */
export function mlflowRoutes(registry: RegistryReader): Extension {
  const routes: Readonly<Record<string, (c: Context, core: Core) => Promise<object | Response>>> = {
    [`GET ${MODELS}/get`]: async (c) => ({
      registered_model: modelJson(entryOf(await registry.state(), nameIn(c))),
    }),
    [`GET ${MODELS}/search`]: async (c) => {
      const found = [...(await entriesFor(c)).values()].map(modelJson);
      return page(c, 'registered_models', found, 100, 1000, { name: (one) => one.name, ...TIMES });
    },
    [`GET ${MODELS}/alias`]: async (c) => {
      const entry = entryOf(await registry.state(), nameIn(c));
      const alias = queried(c, 'alias');
      const version = entry.aliases.get(alias);
      if (version === undefined) throw invalid(`Registered model alias ${alias} not found.`);
      return { model_version: versionJson(entry, versionOf(entry, version)) };
    },
    [`POST ${MODELS}/alias`]: async (c, core) => {
      const { name, alias, version } = await bodyOf(c, core, ['name', 'alias', 'version']);
      await move(c, name, alias, numberIn(version));
      return {};
    },
    [`DELETE ${MODELS}/alias`]: async (c, core) => {
      const { name, alias } = await bodyOf(c, core, ['name', 'alias']);
      await move(c, name, alias, null);
      return {};
    },
    [`GET ${VERSIONS}/get`]: async (c) => {
      const entry = entryOf(await registry.state(), nameIn(c));
      return { model_version: versionJson(entry, versionOf(entry, numberIn(queried(c, 'version')))) };
    },
    [`GET ${VERSIONS}/search`]: async (c) => {
      const all = [...(await entriesFor(c)).values()].flatMap((entry) =>
        [...entry.versions.values()].reverse().map((version) => versionJson(entry, version)),
      );
      const keys = {
        name: (one: (typeof all)[number]) => one.name,
        version_number: (one: { version: string }) => Number(one.version),
        ...TIMES,
      };
      return page(c, 'model_versions', all, 10_000, 200_000, keys);
    },
    [`GET ${VERSIONS}/get-download-uri`]: async (c) => {
      const entry = entryOf(await registry.state(), nameIn(c));
      return { artifact_uri: sourceOf(versionOf(entry, numberIn(queried(c, 'version')))) };
    },
    [`GET ${ARTIFACTS}`]: async (c) => {
      const [name = '', version = '', file] = queried(c, 'path')
        .replace(/^\/+|\/+$/g, '')
        .split('/');
      const entry = entryOf(await registry.state(), name);
      const files = version === '' ? [] : await filesOf(versionOf(entry, numberIn(version)));
      if (version === '')
        return { files: [...entry.versions.keys()].map((path) => ({ path: String(path), is_dir: true })) };
      // of a file MLflow lists nothing
      return file === undefined
        ? { files: files.map(([path, bytes]) => ({ path, is_dir: false, file_size: bytes.length })) }
        : {};
    },
    [`GET ${ARTIFACTS}/:model/:version/:file`]: async (c) => {
      const { model = '', version = '', file = '' } = c.req.param() as Record<string, string>;
      const found = versionOf(entryOf(await registry.state(), model), numberIn(version));
      const [, bytes] = (await filesOf(found)).find(([path]) => path === file) ?? [];
      if (!bytes) throw missing(`No such artifact: '${file}'`);
      const type = file === FILE ? 'application/octet-stream' : 'text/plain; charset=utf-8';
      return new Response(bytes as Uint8Array<ArrayBuffer>, {
        headers: { 'content-type': type, 'x-content-type-options': 'nosniff' },
      });
    },
  };

  /** Models that the caller may read, of those that the filter names. */
  async function entriesFor(c: Context): Promise<Entry[]> {
    const caller = callerOf(c.req.raw);
    const fits = filterIn(c.req.query('filter') ?? '');
    const { entries } = await registry.state();
    return [...entries.values()]
      .filter(({ name }) => (caller?.may('read', name) ?? true) && fits(name))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async function move(c: Context, name: string, alias: string, version: number | null): Promise<void> {
    const entry = entryOf(await registry.state(), name);
    if (version !== null) versionOf(entry, version);
    if (!registry.alias) throw new Said('NOT_IMPLEMENTED', 'the registry of this service can be read only');
    const by = callerName(c.req.raw) ?? 'not known';
    try {
      await registry.alias(name, version, alias, { by, why: 'by a client of MLflow' });
    } catch (error) {
      // what the registry demands, and names it does not take
      if (/^ERR_(REGISTRY|SIGNATURE)$/.test(String((error as { code?: unknown }).code)))
        throw invalid((error as Error).message);
      throw error;
    }
  }

  /** Files of a version, by name. */
  async function filesOf(version: RegistryVersion): Promise<[path: string, bytes: Uint8Array][]> {
    const mlmodel = `flavors:\n  logodds:\n    data: ${FILE}\n    sha256: "${version.sha256}"\nmodel_uuid: "${version.sha256.slice(0, 32)}"\n`;
    return [
      ['MLmodel', new TextEncoder().encode(mlmodel)],
      [FILE, await registry.file(version)],
    ];
  }

  return {
    add(app: Hono, core: Core) {
      for (const [route, answer] of Object.entries(routes)) {
        const [method, path] = route.split(' ') as [string, string];
        app.on(method, path, async (c) => {
          try {
            const said = await answer(c, core);
            return said instanceof Response ? said : jsonResponse(said);
          } catch (error) {
            return refused(error, core);
          }
        });
      }
    },
    describe: async () => ({ tags: {}, paths: describe(), schemas: {} }),
  };
}

function refused(error: unknown, core: Core): Response {
  let said: Said;
  if (error instanceof Said) said = error;
  else if (error instanceof Refusal) said = invalid(error.message);
  else {
    core.log({ level: 'error', event: 'failed', reason: (error as Error).stack });
    said = new Said('INTERNAL_ERROR', 'the registry cannot be read now; the log of the service says why');
  }
  return jsonResponse({ error_code: said.code, message: said.message }, STATUS[said.code]);
}

function queried(c: Context, name: string): string {
  const value = c.req.query(name);
  if (value) return value;
  throw invalid(`Missing value for required parameter '${name}'.`);
}
const nameIn = (c: Context): string => queried(c, 'name');

function numberIn(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw invalid(`Model version must be an integer, got '${text.slice(0, 40)}'`);
}

function entryOf({ entries }: { readonly entries: Entries }, name: string): Entry {
  const entry = entries.get(name);
  if (entry) return entry;
  throw missing(`Registered Model with name=${name.slice(0, 140)} not found`);
}

function versionOf({ name, versions }: Entry, version: number): RegistryVersion {
  const found = versions.get(version);
  if (found) return found;
  throw missing(`Model Version (name=${name}, version=${version}) not found`);
}

async function bodyOf<K extends string>(c: Context, core: Core, names: readonly K[]): Promise<Record<K, string>> {
  const bytes = await bytesOf(c.req.raw, { limits: core.limits, deadline: Number.POSITIVE_INFINITY });
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalid('body: expected an object of JSON, got something else');
  }
  return Object.fromEntries(
    names.map((name) => {
      const value = body?.[name];
      if (typeof value === 'string' && value !== '') return [name, value];
      if (name === 'version' && typeof value === 'number') return [name, String(value)];
      throw invalid(`Missing value for required parameter '${name}'.`);
    }),
  ) as Record<K, string>;
}

/** What MLflow's client asks beside all else: prompts are none of the models. */
const NO_PROMPTS = /(?:^|\s+AND\s+)tags?\.`mlflow\.prompt\.is_prompt`\s*!=\s*'true'\s*$/i;

/** What `name = 'x'`, `name LIKE 'x%'` and `name ILIKE '%x'` let through. */
function filterIn(given: string): (name: string) => boolean {
  const text = given.replace(NO_PROMPTS, '');
  if (text.trim() === '') return () => true;
  const [, operator = '', , value = ''] = /^\s*name\s*(=|!=|I?LIKE)\s*(['"])(.*)\2\s*$/is.exec(text) ?? [];
  const kind = operator.toUpperCase();
  if (kind === '=') return (name) => name === value;
  if (kind === '!=') return (name) => name !== value;
  if (kind === '')
    throw invalid(
      `Invalid filter string: ${text.slice(0, 100)}. This registry takes name =, !=, LIKE and ILIKE, one of them`,
    );
  const fold = (name: string) => (kind === 'ILIKE' ? name.toLowerCase() : name);
  const parts = fold(value).split('%');
  return (name) => isLike(fold(name), parts);
}

/** Whether a name is made of parts with anything between them. */
function isLike(name: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at + last.length <= name.length;
}

const TIMES = {
  creation_timestamp: (one: { creation_timestamp: number }) => one.creation_timestamp,
  last_updated_timestamp: (one: { last_updated_timestamp: number }) => one.last_updated_timestamp,
};

/** One page of a list: `max_results`, `page_token`, `order_by`. */
function page<T extends object>(
  c: Context,
  member: string,
  all: readonly T[],
  usual: number,
  most: number,
  keys: Readonly<Record<string, (one: T) => string | number>>,
): object {
  const count = Number(c.req.query('max_results') ?? usual);
  if (!Number.isInteger(count) || count < 1 || count > most)
    throw invalid(`Invalid value for parameter 'max_results' supplied: expected 1 to ${most}`);
  const token = c.req.query('page_token') || '0';
  if (!/^\d{1,9}$/.test(token)) throw invalid('Invalid page token, could not decode');
  const orders = (c.req.queries('order_by') ?? [])
    .flatMap((text) => text.split(','))
    .map((text) => {
      const [, key = '', way = ''] = /^\s*[`"]?(\w+)[`"]?(?:\s+(ASC|DESC))?\s*$/i.exec(text) ?? [];
      const of = Object.hasOwn(keys, key) ? keys[key] : undefined;
      if (!of)
        throw invalid(`Invalid order by clause '${text.slice(0, 60)}': expected ${Object.keys(keys).join(', ')}`);
      return { of, sign: way.toUpperCase() === 'DESC' ? -1 : 1 };
    });
  const sorted = [...all].sort((a, b) => {
    for (const { of, sign } of orders) if (of(a) !== of(b)) return of(a) < of(b) ? -sign : sign;
    return 0;
  });
  const from = Number(token);
  const some = sorted.slice(from, from + count);
  // what is empty is absent in JSON of protobuf
  return {
    ...(some.length > 0 && { [member]: some }),
    ...(from + count < all.length && { next_page_token: String(from + count) }),
  };
}

const sourceOf = ({ name, version }: RegistryVersion) => `mlflow-artifacts:/${name}/${version}`;

function versionJson({ aliases }: Entry, version: RegistryVersion) {
  const at = Date.parse(version.at);
  const named = [...aliases].filter(([, of]) => of === version.version).map(([alias]) => alias);
  const tags = {
    'logodds.sha256': version.sha256,
    ...(version.modelSha256 && { 'logodds.modelSha256': version.modelSha256 }),
    ...(version.isRetired && { 'logodds.retired': 'true' }),
    ...version.tags,
  };
  return {
    name: version.name,
    version: String(version.version),
    creation_timestamp: at,
    last_updated_timestamp: at,
    user_id: version.by,
    current_stage: 'None',
    ...(version.why && { description: version.why }),
    source: sourceOf(version),
    status: 'READY',
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    ...(named.length > 0 && { aliases: named }),
    run_link: '',
  };
}

function modelJson(entry: Entry) {
  const versions = [...entry.versions.values()].map((version) => versionJson(entry, version));
  const times = versions.map(({ creation_timestamp }) => creation_timestamp);
  return {
    name: entry.name,
    creation_timestamp: Math.min(...times),
    last_updated_timestamp: Math.max(...times),
    latest_versions: versions.slice(-1),
    ...(entry.aliases.size > 0 && {
      aliases: [...entry.aliases].map(([alias, version]) => ({ alias, version: String(version) })),
    }),
  };
}

/** The routes, as OpenAPI has them. */
function describe(): Record<string, object> {
  const answer = (description: string, schema: object, type = 'application/json') => ({
    description,
    content: { [type]: { schema } },
  });
  const ERROR = answer('what is wrong, as MLflow says it', {
    type: 'object',
    required: ['error_code', 'message'],
    properties: { error_code: { type: 'string', enum: Object.keys(STATUS) }, message: { type: 'string' } },
  });
  const given = (name: string, where: string, example: string, required = true) => ({
    ...{ name, in: where, required, schema: { type: 'string' }, example },
  });
  const name = given('name', 'query', 'fraud');
  const version = given('version', 'query', '1');
  const search = [
    given('filter', 'query', "name='fraud'", false),
    given('max_results', 'query', '10', false),
    given('page_token', 'query', '0', false),
    given('order_by', 'query', 'name ASC', false),
  ];
  const object = { type: 'object' };
  const told = (
    operationId: string,
    summary: string,
    parameters: readonly object[],
    ok: object = answer('as MLflow has it', object),
  ) => ({
    ...{ operationId, summary, tags: ['service'], parameters },
    responses: { 200: ok, ...Object.fromEntries([400, 401, 403, 404, 500].map((status) => [status, ERROR])) },
  });
  const change = (id: string, summary: string, properties: readonly string[]) => ({
    ...told(id, summary, []),
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: properties,
            properties: Object.fromEntries(properties.map((one) => [one, { type: 'string' }])),
          },
          examples: {
            champion: {
              value: Object.fromEntries(
                properties.map((one) => [one, { name: 'fraud', alias: 'champion', version: '1' }[one]]),
              ),
            },
          },
        },
      },
    },
  });
  const file = answer('the file', { type: 'string' }, 'application/octet-stream');
  return {
    [`${MODELS}/get`]: { get: told('mlflowModel', 'A registered model, as MLflow has it', [name]) },
    [`${MODELS}/search`]: { get: told('mlflowModels', 'Registered models, as MLflow has them', search) },
    [`${MODELS}/alias`]: {
      get: told('mlflowByAlias', 'The version that an alias names', [name, given('alias', 'query', 'champion')]),
      post: change('mlflowSetAlias', 'Have an alias name a version', ['name', 'alias', 'version']),
      delete: change('mlflowDeleteAlias', 'Take an alias away', ['name', 'alias']),
    },
    [`${VERSIONS}/get`]: { get: told('mlflowVersion', 'A version of a registered model', [name, version]) },
    [`${VERSIONS}/search`]: { get: told('mlflowVersions', 'Versions of registered models', search) },
    [`${VERSIONS}/get-download-uri`]: {
      get: told('mlflowSource', 'Where the files of a version are', [name, version]),
    },
    [ARTIFACTS]: { get: told('mlflowFiles', 'Files of a version', [given('path', 'query', 'fraud/1')]) },
    [`${ARTIFACTS}/{model}/{version}/{file}`]: {
      get: told(
        'mlflowFile',
        'A file of a version',
        [given('model', 'path', 'fraud'), given('version', 'path', '1'), given('file', 'path', FILE)],
        file,
      ),
    },
  };
}
