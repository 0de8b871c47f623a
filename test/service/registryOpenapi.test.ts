import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { signatureOf } from '../registry/keys.ts';
import { FILES, serving } from './registry.ts';

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly example?: string }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { schema: object; examples?: Record<string, { value: unknown }> }>>;
  };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema: object }>> }>>;
}

/** A rollout is started before it goes on and ends; what it needs is taken away last. */
const ORDER = [
  '/rollout',
  '/rollout/advance',
  '/rollout/abort',
  '/aliases/{alias}',
  '/rollback',
  '/versions',
  '/retire',
];
const rank = (path: string) => ORDER.findIndex((end) => path.endsWith(end));

test('each route of the registry is told, its examples are answered, and the answers are as the description says', async () => {
  const { ask, service, registry } = await serving();
  const signature = await signatureOf(FILES[2]);
  await registry.sign('fraud', 3, signature, { by: 'ann' });
  const api = await (await ask('admin', '/openapi.json')).json();
  const { errors = [] } = await new Validator().validate({ ...api });
  expect(errors).toEqual([]);
  const paths = Object.entries(api.paths as Record<string, Record<string, Operation>>)
    .filter(([path]) => path.startsWith('/registry'))
    .sort(([a], [b]) => rank(a) - rank(b));
  const routes = service.app.routes.filter(({ path }) => /^\/registry(?!\.)/.test(path));
  expect(
    paths.flatMap(([path, one]) => Object.keys(one).map((method) => `${method.toUpperCase()} ${path}`)).sort(),
  ).toEqual(routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`).sort());
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  const closed = (_: string, value: unknown) =>
    value && typeof value === 'object' && 'properties' in value && 'required' in value
      ? { ...value, additionalProperties: false }
      : value;
  ajv.addSchema(JSON.parse(JSON.stringify({ $id: 'api', components: api.components }, closed)));
  const check = (schema: object, value: unknown) => {
    const fits = ajv.compile(JSON.parse(JSON.stringify(schema, closed).replaceAll('"#/', '"api#/')));
    return fits(value) ? [] : fits.errors;
  };
  let asked = 0;
  for (const [path, methods] of paths)
    for (const [method, { parameters = [], requestBody, responses }] of Object.entries(methods)) {
      const way = parameters.reduce(
        (all, { name, in: place, example }) => (place === 'path' ? all.replace(`{${name}}`, example!) : all),
        path,
      );
      const bodies = Object.values(requestBody?.content ?? {}).flatMap(({ schema, examples }) => {
        const values = Object.values(examples ?? {}).map(({ value }) => value as object);
        for (const value of values) expect([path, check(schema, value)]).toEqual([path, []]);
        return values.length > 0 ? values : [path.endsWith('/signature') ? signature : FILES[3]];
      });
      for (const body of method === 'get' ? [undefined] : bodies) {
        const response = await ask('admin', way, body);
        const text = await response.text();
        expect([way, response.status, text.slice(0, 200)]).toEqual([way, 200, text.slice(0, 200)]);
        const type = response.headers.get('content-type')!.split(';')[0];
        const { schema } = responses[200].content![type];
        if (type === 'application/json') expect([way, check(schema, JSON.parse(text))]).toEqual([way, []]);
        asked++;
      }
    }
  expect(asked).toBe(14);
});

test('each refusal of the registry has a status that is told', async () => {
  const { ask } = await serving();
  const { paths } = await (await ask('admin', '/openapi.json')).json();
  for (const [path, methods] of Object.entries(paths as Record<string, Record<string, Operation>>)) {
    if (!path.startsWith('/registry/')) continue;
    for (const [method, { responses }] of Object.entries(methods))
      for (const model of ['fraud', 'none'])
        for (const body of ['{"x":', '{"challenger":9}', '{}'])
          for (const headers of [{}, { 'content-encoding': 'br' }] as Record<string, string>[]) {
            const way = path.replace('{model}', model).replace(/\{\w+\}/, '9');
            const { status } = await ask('admin', way, method === 'get' ? undefined : body, headers);
            expect([way, Object.keys(responses).includes(String(status)), status]).toEqual([way, true, status]);
          }
  }
});
