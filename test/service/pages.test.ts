import { expect, test } from 'vitest';
import { JSON_TYPE, models, serviceOf } from './models.ts';

test('the page and its files load nothing from elsewhere', async () => {
  const { ask } = serviceOf('codes');
  for (const [path, type] of [
    ['/', 'text/html; charset=utf-8'],
    ['/console.css', 'text/css; charset=utf-8'],
    ['/console.js', 'text/javascript; charset=utf-8'],
  ]) {
    const response = await ask(path);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/);
    const text = await response.text();
    expect(text).not.toMatch(/https?:\/\/|<script>|style="|\son\w+="/);
  }
});

test('the page knows the fields of the models and how they are asked', async () => {
  const { ask } = serviceOf('codes');
  await ask('/models/codes/score', '{"code":"2","x":1}', JSON_TYPE);
  await ask('/models/codes/score', '{"code":"2","x":"far"}', JSON_TYPE);
  const { ready, models: told, failures } = await (await ask('/console.json')).json();
  expect([ready, failures]).toEqual([true, []]);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ name: 'codes', sha256: models.codes.sha256, requests: 2, refused: 1, rows: 1 });
  expect(told[0].fields.map(({ name }: { name: string }) => name)).toEqual(['code', 'x']);
  expect(told[0].p99).toBeGreaterThan(0);
});

test('the description of the API names every path that answers, with the fields of each model', async () => {
  const { ask, service } = serviceOf('codes');
  const api = await (await ask('/openapi.json')).json();
  expect(api.openapi).toBe('3.1.0');
  const routes = service.app.routes
    .filter(({ path }) => !/^\/(console\.|openapi|ping$|health$|version$|$)|\*/.test(path))
    .map(({ path, method }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  const told = Object.entries(api.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const missing = routes.filter(
    (route) => !told.includes(route) && !/repository|stats|versions|^PUT|\/v1\/models(\/\{model\})?$/.test(route),
  );
  expect(missing).toEqual([]);
  const schema = api.paths['/models/codes/score'].post.requestBody.content['application/json'].schema;
  expect(schema.anyOf[0].required).toEqual(['code', 'x']);
});

test('a model is told by its name', async () => {
  const { ask } = serviceOf('codes');
  const told = await (await ask('/models/codes')).json();
  expect(told).toMatchObject({ name: 'codes', sha256: models.codes.sha256, classes: models.codes.manifest.classes });
  expect((await ask('/models/none')).status).toBe(404);
});
