import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { createService } from '../../service/src/index.ts';
import { bearer, RECORD, tokens } from './access.ts';
import { bytes, JSON_TYPE, models } from './models.ts';

/** A service below a path of another app. */
function mounted(at = '/ml') {
  const service = createService({ models: [{ name: 'codes', model: bytes.codes }] });
  const app = new Hono();
  app.get('/other', (c) => c.text('other'));
  app.route(at, service.app);
  app.notFound((c) => c.text('nothing of the app', 404));
  const ask = async (path: string, body?: string, headers: Record<string, string> = JSON_TYPE) =>
    app.request(path, body === undefined ? {} : { method: 'POST', body, headers });
  return { service, ask };
}

const ROW = { code: '2', x: 0.5 };

test('below a path every protocol answers as at the root', async () => {
  const { ask } = mounted();
  const { logit, probability } = models.codes.score(ROW);
  const own = await (await ask('/ml/models/codes/score', JSON.stringify(ROW))).json();
  expect(own.scores[0]).toMatchObject({ logit, probability });
  const v2 = { name: 'x', shape: [1], datatype: 'FP64', data: [0.5] };
  const code = { name: 'code', shape: [1], datatype: 'BYTES', data: ['2'] };
  const infer = await (await ask('/ml/v2/models/codes/infer', JSON.stringify({ inputs: [code, v2] }))).json();
  expect(infer.outputs.find(({ name }: { name: string }) => name === 'logit').data).toEqual([logit]);
  const v1 = await (await ask('/ml/v1/models/codes:predict', JSON.stringify({ instances: [ROW] }))).json();
  expect(v1.predictions).toHaveLength(1);
  expect((await (await ask('/ml/invocations', JSON.stringify({ inputs: [ROW] }))).json()).predictions).toHaveLength(1);
  expect((await ask('/ml/v2/health/ready')).status).toBe(200);
  expect(await (await ask('/ml/metrics')).text()).toContain('lr_ready 1');
});

test('below a path errors stay those of the service, and those of the app around it its own', async () => {
  const { ask } = mounted();
  for (const [path, status, code] of [
    ['/ml/nowhere', 404, 'ERR_PATH'],
    ['/ml/models/none', 404, 'ERR_MODEL'],
  ] as const) {
    const response = await ask(path);
    expect([response.status, (await response.json()).code]).toEqual([status, code]);
  }
  const bad = await ask('/ml/models/codes/score', '{"code":"2","x":"far"}');
  expect([bad.status, (await bad.json()).code]).toEqual([400, 'ERR_RECORD']);
  expect(await (await ask('/nowhere')).text()).toBe('nothing of the app');
  expect(await (await ask('/other')).text()).toBe('other');
});

test('the page is behind a slash, and what it and the description of the API lead to is below the path', async () => {
  const { ask } = mounted();
  const moved = await ask('/ml');
  expect([moved.status, moved.headers.get('location')]).toEqual([308, '/ml/']);
  const html = await (await ask('/ml/')).text();
  const links = [...html.matchAll(/(?:href|src)="([^":#]+)"/g)].map(
    ([, link]) => new URL(link, 'http://a/ml/').pathname,
  );
  expect(links).toContain('/ml/console.js');
  for (const link of links) expect([link, (await ask(link)).status]).toEqual([link, 200]);
  const { servers, paths } = await (await ask('/ml/openapi.json')).json();
  expect(servers).toEqual([{ url: '/ml' }]);
  expect(Object.keys(paths)).toContain('/v2/models');
  // a program that cuts off the path tells the service nothing of it
  const cut = await (await createService().fetch(new Request('http://a/openapi.json'))).json();
  expect(new URL(`${cut.servers[0].url}v2/models`, 'http://a/ml/openapi.json').pathname).toBe('/ml/v2/models');
});

test('at the root of another app the page has no second slash', async () => {
  const { ask } = mounted('/');
  expect(await (await ask('/')).text()).toContain('<title>logodds</title>');
  expect((await (await ask('/nowhere')).json()).code).toBe('ERR_PATH');
});

test('below a path of any depth nothing but probes and files of the page answers without a key, and keys do what they do at the root', async () => {
  for (const at of ['/ml', '/a/b', '/t/:tenant/ml']) {
    const service = createService({
      models: [
        { name: 'codes', model: bytes.codes },
        { name: 'numeric', model: bytes.numeric },
      ],
      access: { tokens: tokens() },
    });
    const app = new Hono();
    app.use(async (_, next) => next());
    app.route(at, service.app);
    const base = at.replace(':tenant', 'one');
    const ask = async (method: string, path: string, headers: Record<string, string> = {}) =>
      (
        await app.request(base + path, {
          method,
          headers: { ...(method === 'POST' && JSON_TYPE), ...headers },
          ...(method === 'POST' && { body: RECORD }),
        })
      ).status;
    const root = async (method: string, path: string, headers: Record<string, string> = {}) =>
      (
        await service.fetch(
          new Request(`http://x${path}`, {
            method,
            headers: { ...(method === 'POST' && JSON_TYPE), ...headers },
            ...(method === 'POST' && { body: RECORD }),
          }),
        )
      ).status;
    const routes = createService().app.routes.filter(({ method, path }) => method !== 'ALL' && !path.includes('*'));
    expect(routes.length).toBeGreaterThan(30);
    for (const { method, path } of routes) {
      if (/unload|\/load$/.test(path)) continue;
      for (const headers of [{}, bearer('scorer'), bearer('metrics')]) {
        const own = path.replaceAll(/:\w+/g, 'codes').replace(/{.*}/, '');
        expect(await ask(method, own, headers), `${at} ${method} ${own} ${JSON.stringify(headers)}`).toBe(
          await root(method, own, headers),
        );
      }
    }
    expect(await ask('POST', '/models/codes/score')).toBe(401);
    expect(await ask('POST', '/models/codes/score', bearer('scorer'))).toBe(200);
    expect(await ask('POST', '/models/numeric/score', bearer('scorer'))).toBe(403);
    expect(await ask('GET', '/metrics')).toBe(401);
  }
});
