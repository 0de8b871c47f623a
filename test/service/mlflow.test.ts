import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { MemoryStore, Registry } from '../../registry/src/index.ts';
import { RULES } from '../../service/src/access/routes.ts';
import { createService, mlflowRoutes, Tokens } from '../../service/src/index.ts';
import { digest } from './access.ts';
import { bytes } from './models.ts';

const API = '/api/2.0/mlflow';
const ARTIFACTS = `${API}-artifacts/artifacts`;
const act = { by: 'ann', why: 'a test' };

/** A service whose registry has fraud (1 champion, 2) and secret (1). */
async function withRegistry(change: (registry: Registry) => object = (registry) => registry) {
  const registry = new Registry(new MemoryStore(), { now: () => Date.UTC(2026, 10, 30) });
  for (const [name, file] of [
    ['fraud', bytes.numeric],
    ['fraud', bytes.codes],
    ['secret', bytes.numeric],
  ] as const)
    await registry.push({ ...act, name, file: new Uint8Array(file) });
  await registry.alias('fraud', 1, 'champion', act);
  const scopes = { all: ['read', 'admin'], one: ['read:fraud'], fraud: ['admin:fraud'], scorer: ['score:fraud'] };
  const entries = Object.entries(scopes).map(([name, own]) => ({
    name,
    sha256: digest(`key-of-${name}`),
    scopes: own,
  }));
  const lines: object[] = [];
  const service = createService({
    access: { tokens: new Tokens(JSON.stringify(entries)) },
    extensions: [mlflowRoutes(change(registry) as Registry)],
    log: (line) => lines.push(line),
  });
  const ask = async (path: string, key = 'all', init: RequestInit = {}) => {
    const headers = { authorization: `Bearer key-of-${key}`, 'content-type': 'application/json' };
    const response = await service.fetch(new Request(`http://localhost${path}`, { ...init, headers }));
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
  };
  return { registry, service, ask, lines };
}
const post = (body: unknown, method = 'POST') => ({
  method,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

test('a model, a version and an alias are told as MLflow tells them', async () => {
  const { ask } = await withRegistry();
  const { body } = await ask(`${API}/registered-models/get?name=fraud`);
  const at = Date.UTC(2026, 10, 30);
  expect(body.registered_model).toMatchObject({
    name: 'fraud',
    creation_timestamp: at,
    aliases: [{ alias: 'champion', version: '1' }],
    latest_versions: [{ version: '2', status: 'READY', current_stage: 'None', source: 'mlflow-artifacts:/fraud/2' }],
  });
  const found = await ask(`${API}/registered-models/alias?name=fraud&alias=champion`);
  expect(found.body).toEqual((await ask(`${API}/model-versions/get?name=fraud&version=1`)).body);
  expect(found.body.model_version).toMatchObject({
    version: '1',
    aliases: ['champion'],
    user_id: 'ann',
    description: 'a test',
  });
  expect((await ask(`${API}/model-versions/get-download-uri?name=fraud&version=1`)).body).toEqual({
    artifact_uri: 'mlflow-artifacts:/fraud/1',
  });
});

test('files of a version are listed and handed on', async () => {
  const { ask } = await withRegistry();
  const { body } = await ask(`${ARTIFACTS}?path=fraud/1`);
  expect(body.files).toEqual([
    { path: 'MLmodel', is_dir: false, file_size: expect.any(Number) },
    { path: 'model.safetensors', is_dir: false, file_size: bytes.numeric.length },
  ]);
  expect((await ask(`${ARTIFACTS}?path=fraud/1/MLmodel`)).body).toEqual({});
  expect((await ask(`${ARTIFACTS}/fraud/1/MLmodel`)).body).toContain('logodds:');
  for (const path of ['fraud/1/other', 'fraud/1/..%2f..%2flog.jsonl', 'fraud/9/MLmodel', 'nope/1/MLmodel'])
    expect((await ask(`${ARTIFACTS}/${path}`)).body.error_code).toBe('RESOURCE_DOES_NOT_EXIST');
});

test.each([
  ['registered-models/get?name=nope', 404, 'RESOURCE_DOES_NOT_EXIST'],
  ['registered-models/get', 403, undefined],
  ['registered-models/alias?name=fraud&alias=nope', 400, 'INVALID_PARAMETER_VALUE'],
  ['model-versions/get?name=fraud&version=9', 404, 'RESOURCE_DOES_NOT_EXIST'],
  ['model-versions/get?name=fraud&version=one', 400, 'INVALID_PARAMETER_VALUE'],
  ['model-versions/search?filter=run_id%3D1', 400, 'INVALID_PARAMETER_VALUE'],
  ['model-versions/search?order_by=__proto__', 400, 'INVALID_PARAMETER_VALUE'],
  ['registered-models/search?max_results=1001', 400, 'INVALID_PARAMETER_VALUE'],
  ['registered-models/search?page_token=x', 400, 'INVALID_PARAMETER_VALUE'],
])('%s: %i', async (path, status, code) => {
  const { ask } = await withRegistry();
  const found = await ask(`${API}/${path}`, path.endsWith('/get') ? 'one' : 'all');
  expect([found.status, found.body.error_code]).toEqual([status, code]);
});

test.each([
  ["name = 'fraud'", ['fraud']],
  ["name != 'fraud'", ['secret']],
  ["name LIKE 'fr%'", ['fraud']],
  ["name LIKE 'FR%'", []],
  ["name ILIKE '%RE%'", ['secret']],
  ["name LIKE '%a%a%'", []],
  ["name LIKE 'fraud%fraud'", []],
  ["tag.`mlflow.prompt.is_prompt` != 'true'", ['fraud', 'secret']],
  ["name = 'fraud' AND tag.`mlflow.prompt.is_prompt` != 'true'", ['fraud']],
])('models by the filter %s', async (filter, names) => {
  const { ask } = await withRegistry();
  const { body } = await ask(`${API}/registered-models/search?filter=${encodeURIComponent(filter)}`);
  expect((body.registered_models ?? []).map(({ name }: { name: string }) => name)).toEqual(names);
});

test('pages lead on, in the order that is asked', async () => {
  const { ask } = await withRegistry();
  const search = `${API}/model-versions/search?max_results=2&order_by=name%20DESC&order_by=version_number%20ASC`;
  const first = (await ask(search)).body;
  const told = ({ model_versions = [] }: { model_versions?: { name: string; version: string }[] }) =>
    model_versions.map(({ name, version }) => `${name} ${version}`);
  expect(told(first)).toEqual(['secret 1', 'fraud 1']);
  const second = (await ask(`${search}&page_token=${first.next_page_token}`)).body;
  expect([told(second), second.next_page_token]).toEqual([['fraud 2'], undefined]);
});

test('a key sees the models of its scopes alone, and moves no alias without admin', async () => {
  const { ask, registry } = await withRegistry();
  const { body } = await ask(`${API}/registered-models/search`, 'one');
  expect(body.registered_models.map(({ name }: { name: string }) => name)).toEqual(['fraud']);
  expect((await ask(`${API}/model-versions/search`, 'scorer')).body).toEqual({});
  for (const path of [
    `${API}/registered-models/get?name=secret`,
    `${API}/registered-models/alias?name=secret&alias=champion`,
    `${API}/model-versions/get?name=secret&version=1`,
    `${API}/model-versions/get-download-uri?name=secret&version=1`,
    `${ARTIFACTS}?path=secret/1`,
    `${ARTIFACTS}/secret/1/model.safetensors`,
    // of no name: as if every model were asked
    ARTIFACTS,
  ])
    expect((await ask(path, 'one')).status, path).toBe(403);
  const move = { name: 'fraud', alias: 'champion', version: '2' };
  for (const key of ['one', 'scorer', 'fraud'])
    for (const method of ['POST', 'DELETE'])
      expect((await ask(`${API}/registered-models/alias`, key, post(move, method))).status).toBe(403);
  expect((await registry.entry('fraud')).aliases.get('champion')).toBe(1);
  expect((await ask(`${API}/registered-models/alias`, 'all', post(move))).status).toBe(200);
  expect((await registry.entry('fraud')).aliases.get('champion')).toBe(2);
  expect((await registry.events()).at(-1)).toMatchObject({ event: 'promoted', by: 'all', version: 2 });
});

test.each([
  ['not JSON', '{', /an object of JSON/],
  ['null', 'null', /'name'/],
  ['no alias', { name: 'fraud' }, /'alias'/],
  ['an alias that is none', { name: 'fraud', alias: 'latest', version: '1' }, /alias: expected/],
  ['no version of it', { name: 'fraud', alias: 'a', version: '0' }, /must be an integer/],
  ['a retired version', { name: 'fraud', alias: 'a', version: '2' }, /retired/],
])('an alias is refused: %s', async (_, body, sentence) => {
  const { ask, registry } = await withRegistry();
  await registry.retire('fraud', 2, act);
  const found = await ask(`${API}/registered-models/alias`, 'all', post(body));
  expect(found.body.error_code).toBe('INVALID_PARAMETER_VALUE');
  expect(found.body.message).toMatch(sentence);
});

test('a registry that cannot be read is told without its inside, which the log has', async () => {
  const { ask, lines } = await withRegistry(() => ({
    state: () => Promise.reject(new Error('ENOENT /srv/models/log.jsonl')),
  }));
  const found = await ask(`${API}/registered-models/get?name=fraud`);
  expect([found.status, found.body.error_code]).toEqual([500, 'INTERNAL_ERROR']);
  expect(JSON.stringify(found.body)).not.toContain('/srv');
  expect(JSON.stringify(lines)).toContain('/srv');
});

test('each route has a rule and is told; without a registry there is none of them', async () => {
  const { service, ask } = await withRegistry();
  const routes = service.app.routes.filter(({ path }) => path.startsWith('/api/'));
  expect(routes).toHaveLength(10);
  for (const { method, path } of routes) expect(RULES.has(`${method} ${path}`), `${method} ${path}`).toBe(true);
  const { body: api } = await ask('/openapi.json');
  const told = Object.entries(api.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  expect(told.filter((one) => one.includes(' /api/')).sort()).toEqual(
    routes.map(({ method, path }) => `${method} ${path}`).sort(),
  );
  const { valid, errors } = await new Validator().validate(structuredClone(api));
  expect([valid, errors ?? []]).toEqual([true, []]);
  // its examples are answered
  for (const [path, methods] of Object.entries(api.paths as Record<string, Record<string, Operation>>))
    for (const [method, { parameters = [], requestBody }] of Object.entries(methods)) {
      if (!path.startsWith('/api/')) continue;
      const way = parameters.reduce(
        (text, { name, in: where, example }) => (where === 'path' ? text.replace(`{${name}}`, example) : text),
        path,
      );
      const query = parameters
        .filter((one) => one.in === 'query')
        .map(({ name, example }) => `${name}=${encodeURIComponent(example)}`);
      const body = requestBody && Object.values(requestBody.content['application/json']!.examples)[0]!.value;
      const found = await ask(`${way}?${query.join('&')}`, 'all', body ? post(body, method.toUpperCase()) : {});
      expect(found.status, `${method} ${path} ${JSON.stringify(found.body)}`).toBe(200);
      if (method === 'delete')
        await ask(`${API}/registered-models/alias`, 'all', post({ name: 'fraud', alias: 'champion', version: '1' }));
    }
  expect((await createService({}).fetch(new Request(`http://localhost${API}/registered-models/search`))).status).toBe(
    404,
  );
});

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly example: string }[];
  readonly requestBody?: {
    readonly content: Record<string, { readonly examples: Record<string, { readonly value: object }> }>;
  };
}
