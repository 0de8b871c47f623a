import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { bytes, JSON_TYPE, type Name, serviceOf, serviceWith } from './models.ts';

interface Content {
  readonly schema: object;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface Operation {
  readonly operationId?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly example?: string }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<
    Record<
      string,
      { readonly content?: Readonly<Record<string, Content>>; readonly headers?: Readonly<Record<string, object>> }
    >
  >;
}
interface Api {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: Readonly<Record<string, object>>;
  };
}

const ALL: readonly Name[] = ['numeric', 'categorical', 'classes', 'codes', 'rich'];
const apiOf = async (...names: Name[]): Promise<Api> => (await serviceOf(...names).ask('/openapi.json')).json();

/** Operations as a list. */
const operationsOf = ({ paths }: Api) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** Checks values by schemas of a description. Strict: a member that an object does not tell is wrong, since answers are told whole. */
function checkerOf({ components }: Api, isStrict = true) {
  const closed = (_: string, value: unknown) =>
    isStrict && value && typeof value === 'object' && 'properties' in value && 'required' in value
      ? { ...value, additionalProperties: false }
      : value;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  const whole = JSON.parse(JSON.stringify({ $id: 'api', components }, closed));
  ajv.addSchema(whole);
  const compiled = new Map<string, ValidateFunction>();
  return (schema: object, value: unknown): string[] => {
    const text = JSON.stringify(schema, closed).replaceAll('"#/', '"api#/');
    const check = compiled.get(text) ?? ajv.compile(JSON.parse(text));
    compiled.set(text, check);
    return check(value)
      ? []
      : check.errors!.map(
          ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
        );
  };
}

/** An order in which models are taken away in the end. */
const unloadLast = (a: { readonly path: string }, b: { readonly path: string }) =>
  Number(a.path.endsWith('/unload')) - Number(b.path.endsWith('/unload'));

const filled = (path: string, { parameters = [] }: Operation) =>
  parameters.reduce(
    (way, { name, in: place, example }) =>
      place === 'path' ? way.replace(`{${name}}`, encodeURIComponent(example!)) : way,
    path,
  );

test.each([[['codes']], [ALL]] as Name[][][])('the description of %s is valid OpenAPI 3.1', async (names) => {
  const api = await apiOf(...names);
  expect(api.openapi).toBe('3.1.0');
  const { valid, errors } = await new Validator().validate({ ...api });
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
  for (const schema of Object.values(api.components.schemas)) checkerOf(api)(schema, null);
  const ids = operationsOf(api).flatMap(({ operation: { operationId } }) => operationId ?? []);
  expect(new Set(ids).size).toBe(ids.length);
});

test('each route is told, and nothing else', async () => {
  const { service } = serviceOf('codes');
  const told = operationsOf(await apiOf('codes')).map(({ path, method }) => `${method.toUpperCase()} ${path}`);
  // files of the pages, and a redirect
  const own = /\.(css|js)$|^\/v2\/docs$/;
  const routes = service.app.routes
    .filter(({ path }) => !own.test(path) && !path.includes('*'))
    .map(({ path, method }) => {
      // a parameter may have a pattern, which a verb ends
      const verb = path.endsWith('predict}') ? ':predict' : '';
      return `${method} ${path.replace(/\{.*\}/, '').replace(/:(\w+)/g, '{$1}')}${verb}`;
    });
  expect(told.filter((one) => !one.includes('/codes')).sort()).toEqual([...new Set(routes)].sort());
});

test.each([[['codes']], [['numeric']], [['classes']], [['rich']], [ALL]] as Name[][][])(
  'the examples for %s are answered, as the description says',
  async (names) => {
    const api = await apiOf(...names);
    const check = checkerOf(api);
    const checkAsked = checkerOf(api, false);
    let asked = 0;
    const { ask } = serviceWith({ source: (name) => ({ name, model: bytes[name as Name] }) }, ...names);
    for (const { path, method, operation } of operationsOf(api).sort(unloadLast)) {
      const way = filled(path, operation);
      const bodies: (readonly [type: string | null, body: unknown])[] = Object.entries(
        operation.requestBody?.content ?? {},
      ).flatMap(([type, { schema, examples = {} }]) =>
        Object.values(examples).map(({ value }) => {
          expect(checkAsked(schema, value), `${path} ${type}`).toEqual([]);
          return [type, value] as const;
        }),
      );
      if (!operation.requestBody?.required) bodies.push([null, undefined]);
      for (const [type, body] of bodies) {
        const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
        const response = await ask(way, text, type ? { 'content-type': type } : {}, method.toUpperCase());
        const answered = await response.text();
        expect(response.status, `${method} ${way} ${text}: ${answered}`).toBe(200);
        const { content, headers = {} } = operation.responses[200];
        for (const name of Object.keys(headers))
          if (name !== 'inference-header-content-length')
            expect(
              response.headers.has(name) || (name === 'server-timing' && type !== 'application/json'),
              `${way} ${name}`,
            ).toBe(true);
        const got = response.headers.get('content-type')?.split(';')[0] ?? null;
        if (content === undefined) continue;
        expect(Object.keys(content), `${way} ${type}`).toContain(got);
        if (got === 'application/json')
          expect(check(content[got].schema, JSON.parse(answered)), `${way} ${answered}`).toEqual([]);
        asked++;
      }
    }
    expect(asked).toBeGreaterThan(30);
  },
);

test('answers with reasons, intervals, what-if, faults and data as bytes are as the description says', async () => {
  for (const name of ALL) {
    const api = await apiOf(name);
    const check = checkerOf(api);
    const { ask } = serviceOf(name);
    const { content } = api.paths[`/models/${name}/score`].post.requestBody!;
    const record = content['application/json'].examples!['a record'].value as object;
    const asked = { records: [record, {}], explain: 100, whatif: Object.keys(record) };
    const scores = await (await ask(`/models/${name}/score`, JSON.stringify(asked), JSON_TYPE)).json();
    expect(scores.error).toBeUndefined();
    expect(scores.scores[0].whatif).toHaveLength(Object.keys(record).length);
    expect(check({ $ref: '#/components/schemas/Scores' }, scores), name).toEqual([]);
    const refused = await (await ask(`/models/${name}/score`, '{"x":[]}', JSON_TYPE)).json();
    expect(check({ $ref: '#/components/schemas/Error' }, refused), name).toEqual([]);
    const { inputs } = api.paths[`/v2/models/${name}/infer`].post.requestBody!.content['application/json'].examples![
      'a row'
    ].value as { inputs: object[] };
    const response = await ask(
      `/v2/models/${name}/infer`,
      JSON.stringify({ inputs, parameters: { binary_data_output: true } }),
      JSON_TYPE,
    );
    const all = new Uint8Array(await response.arrayBuffer());
    const head = JSON.parse(
      new TextDecoder().decode(all.subarray(0, Number(response.headers.get('inference-header-content-length')))),
    );
    expect(check({ $ref: '#/components/schemas/InferResponse' }, head), name).toEqual([]);
  }
});

test('each refusal has a status that is told', async () => {
  const api = await apiOf('codes');
  const check = checkerOf(api);
  const all = operationsOf(api).sort(unloadLast);
  const { ask } = serviceOf('codes');
  for (const { path, method, operation } of all) {
    const bad = filled(path, operation).replace('codes', 'none');
    const body = operation.requestBody ? '{"x":' : undefined;
    const ways: [string, Record<string, string>][] = [
      [bad, {}],
      [filled(path, operation), { 'content-type': 'text/none' }],
      [filled(path, operation), { 'content-type': 'application/json', 'content-encoding': 'br' }],
      [filled(path, operation), { 'content-type': 'application/json' }],
    ];
    for (const [way, headers] of ways) {
      const response = await ask(way, body, headers, method.toUpperCase());
      expect(Object.keys(operation.responses), `${method} ${way}`).toContain(String(response.status));
      if (response.status >= 400)
        expect(check({ $ref: '#/components/schemas/Error' }, await response.json()), `${method} ${way}`).toEqual([]);
    }
  }
});

test('of MLServer the description is where it has it, and of a model alone; the way to the service goes with it', async () => {
  const { ask } = serviceOf('codes', 'rich');
  for (const [path, names] of [
    ['/openapi.json', ['codes', 'rich']],
    ['/v2/docs/dataplane.json', ['codes', 'rich']],
    ['/v2/models/rich/docs/dataplane.json', ['rich']],
  ] as const) {
    const { servers, paths }: Api = await (await ask(path)).json();
    expect(new URL(servers[0].url, `http://localhost/below${path}`).pathname).toBe('/below/');
    expect(['codes', 'rich'].filter((name) => `/models/${name}/score` in paths)).toEqual(names);
  }
  expect((await ask('/v2/models/none/docs/dataplane.json')).status).toBe(404);
  const docs = await ask('/v2/docs');
  expect([docs.status, docs.headers.get('location')]).toEqual([302, '../docs']);
});

test('a method that a path does not have is refused with those it has', async () => {
  const { ask } = serviceOf('codes');
  for (const [path, method, allow] of [
    ['/models/codes/score', 'GET', 'POST'],
    ['/predictions/codes', 'DELETE', 'POST, PUT'],
    ['/v2', 'POST', 'GET'],
  ] as const) {
    const response = await ask(path, undefined, {}, method);
    expect([response.status, response.headers.get('allow'), (await response.json()).code]).toEqual([
      405,
      allow,
      'ERR_METHOD',
    ]);
  }
  expect((await ask('/nowhere', undefined, {}, 'DELETE')).status).toBe(404);
});
