import { Hono } from 'hono';
import { afterEach, expect, test, vi } from 'vitest';
import { addAccess } from '../../service/src/access/access.ts';
import { callerOf, Metrics, Tokens } from '../../service/src/index.ts';
import { bearer, digest, entries, guarded, RECORD, type SCOPES, score, tokens } from './access.ts';
import { JSON_TYPE, serviceWith } from './models.ts';

afterEach(() => vi.restoreAllMocks());

const SCORE = '/models/codes/score';
const of = async (response: Response) => [response.status, (await response.json()).code];

test('a key is taken as Bearer in any case, and as X-API-Key; the log has the name of its caller, not the key', async () => {
  const { ask, lines } = guarded();
  const ways: Record<string, string>[] = [
    bearer('scorer'),
    { AUTHORIZATION: 'bearer key-of-scorer' },
    { Authorization: 'BEARER  key-of-scorer' },
    { 'X-API-Key': 'key-of-scorer' },
    { 'x-api-key': 'key-of-scorer', authorization: 'Bearer key-of-scorer' },
  ];
  for (const headers of ways) {
    const response = await ask(SCORE, headers, score);
    expect(response.status, JSON.stringify(headers)).toBe(200);
    expect(lines.at(-1)).toMatchObject({ event: 'request', caller: 'scorer', status: 200 });
  }
  expect((await ask(SCORE, { authorization: 'Bearer key-of-nobody' }, score)).status).toBe(401);
  expect(JSON.stringify(lines)).not.toContain('key-of');
});

test.each([
  ['none', {}, 401, undefined],
  ['of nobody', { authorization: 'Bearer key-of-nobody' }, 401, 'invalid_token'],
  ['of another scheme', { authorization: 'Basic a2V5LW9mLXNjb3Jlcg==' }, 401, 'invalid_token'],
  ['empty', { authorization: 'Bearer ' }, 401, 'invalid_token'],
  ['empty as X-API-Key', { 'x-api-key': '' }, 401, 'invalid_token'],
  ['twice', { authorization: 'Bearer key-of-scorer, Bearer key-of-scorer' }, 401, 'invalid_token'],
  ['with a blank behind', { authorization: 'Bearer key-of-scorer x' }, 401, 'invalid_token'],
  ['huge', { authorization: `Bearer ${'a'.repeat(100_000)}` }, 401, 'invalid_token'],
  ['huge as X-API-Key', { 'x-api-key': 'a'.repeat(100_000) }, 401, 'invalid_token'],
  ['two that differ', { authorization: 'Bearer key-of-scorer', 'x-api-key': 'key-of-all' }, 400, 'invalid_request'],
  ['its digest', { authorization: `Bearer ${digest('key-of-scorer')}` }, 401, 'invalid_token'],
])('a token: %s', async (_, headers, status, error) => {
  const { ask } = guarded();
  const response = await ask(SCORE, headers, score);
  expect(await of(response.clone())).toEqual([status, 'ERR_TOKEN']);
  const challenge = response.headers.get('www-authenticate')!;
  expect(challenge).toMatch(/^Bearer realm="logodds"/);
  expect(/error="(\w+)"/.exec(challenge)?.[1]).toBe(error);
  expect((await response.json()).id).toMatch(/^[\da-f-]{36}$/);
});

test('a token in the URL is not read, and the answer says why', async () => {
  const { ask } = guarded();
  for (const name of ['access_token', 'api_key', 'apikey', 'token']) {
    const response = await ask(`${SCORE}?explain=1&${name}=key-of-scorer`, {}, score);
    expect(response.status).toBe(401);
    expect((await response.json()).error).toMatch(/got it in the URL, which stands in logs/);
    // beside a good one it is no better: nobody would be told
    for (const headers of [bearer('scorer'), { 'x-api-key': 'key-of-scorer' }]) {
      const both = await ask(`${SCORE}?${name}=key-of-scorer`, headers, score);
      expect(both.status).toBe(400);
      expect(both.headers.get('www-authenticate')).toContain('error="invalid_request"');
      expect((await both.json()).error).toMatch(/got one in the URL too, which stands in logs/);
    }
  }
});

/** A path of a route that it answers: a parameter may have a pattern, which a verb ends. */
const asked = (path: string): string =>
  path.replaceAll(
    /:\w+(?:\{([^/]*[^}]*)\})?/g,
    (_, pattern: string = '') => `codes${pattern.endsWith('predict') ? ':predict' : ''}`,
  );

test('nothing but probes and files of the page answers without a token', async () => {
  const { ask, service } = guarded();
  const routes = service.app.routes.filter(({ method, path }) => !(method === 'ALL' && path === '/*'));
  expect(routes.length).toBeGreaterThan(30);
  const open: string[] = [];
  for (const { method, path } of routes) {
    const response = await ask(asked(path), {}, { method, ...(method !== 'GET' && { body: RECORD }) });
    if (response.status !== 401) open.push(path);
    else expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  }
  expect([...new Set(open)].sort()).toEqual([
    '/',
    '/console.css',
    '/console.js',
    '/docs',
    '/docs.css',
    '/docs.js',
    '/dom.js',
    '/health',
    '/ping',
    '/style.css',
    '/v2/docs',
    '/v2/health/live',
    '/v2/health/ready',
  ]);
});

test('a key without scopes for it gets no route that tells or does something about models', async () => {
  const { ask, service } = guarded();
  const routes = service.app.routes.filter(({ method }) => method !== 'ALL');
  const passed: string[] = [];
  for (const { method, path } of routes) {
    const response = await ask(asked(path), bearer('fraud'), {
      method,
      ...(method !== 'GET' && { body: RECORD }),
    });
    if (response.status === 403) expect((await response.json()).code).toBe('ERR_SCOPE');
    else passed.push(`${response.status} ${path} ${/codes|"numeric"/.test(await response.text())}`);
  }
  expect([...new Set(passed)].sort()).toEqual([
    '200 / false',
    '200 /console.css false',
    '200 /console.js false',
    '200 /console.json false',
    '200 /docs false',
    '200 /docs.css false',
    '200 /docs.js false',
    '200 /dom.js false',
    '200 /health false',
    '200 /openapi.json false',
    '200 /ping false',
    '200 /style.css false',
    '200 /v1/models false',
    '200 /v2 false',
    '200 /v2/docs/dataplane.json false',
    '200 /v2/health/live false',
    '200 /v2/health/ready false',
    '200 /v2/models false',
    '200 /v2/models/stats false',
    '200 /v2/repository/index false',
    '200 /version false',
    '302 /v2/docs false',
    // of no model that is there for it
    '404 /invocations false',
  ]);
});

test('what has no rule is shut to all but admin', async () => {
  const app = new Hono();
  addAccess(app, { metrics: new Metrics(), log: () => {} }, { tokens: tokens() });
  app.get('/new', () => new Response('new'));
  const statusOf = async (headers: Record<string, string>) => (await app.request('/new', { headers })).status;
  expect(await statusOf({})).toBe(401);
  expect(await statusOf(bearer('scorer'))).toBe(403);
  expect(await statusOf(bearer('all'))).toBe(200);
  const { ask } = guarded();
  expect((await ask('/none', bearer('scorer'))).status).toBe(404);
});

test.each([
  ['scorer', 'POST', '/models/codes/score', 200],
  ['scorer', 'POST', '/models/numeric/score', 403],
  ['scorer', 'POST', '/v2/models/codes/infer', 400],
  ['scorer', 'POST', '/v2/models/numeric/infer', 403],
  ['scorer', 'POST', '/v1/models/codes:predict', 400],
  ['scorer', 'POST', '/v1/models/numeric:predict', 403],
  ['scorer', 'PUT', '/predictions/codes', 200],
  ['scorer', 'PUT', '/predictions/numeric', 403],
  // the one model that is there for it
  ['scorer', 'POST', '/invocations', 200],
  ['all', 'POST', '/invocations', 404],
  ['scorer', 'GET', '/models/codes', 200],
  ['scorer', 'GET', '/models/numeric', 403],
  ['scorer', 'GET', '/metrics', 403],
  ['scorer', 'POST', '/v2/repository/models/codes/unload', 403],
  ['reader', 'GET', '/models/numeric', 200],
  ['reader', 'GET', '/v2/models/numeric/stats', 200],
  ['reader', 'GET', '/v2/models/codes/ready', 403],
  ['reader', 'POST', '/models/numeric/score', 403],
  ['reader', 'GET', '/metrics', 403],
  ['metrics', 'GET', '/metrics', 200],
  ['metrics', 'HEAD', '/metrics', 200],
  ['scorer', 'HEAD', '/metrics', 403],
  ['admin', 'POST', '/v2/repository/models/numeric/unload', 403],
  ['admin', 'POST', '/v2/repository/models/codes/load', 400],
  ['admin', 'POST', '/models/codes/score', 403],
  ['admin', 'POST', '/v2/repository/models/codes/unload', 200],
] as const)('%s may %s %s: %i', async (name, method, path, status) => {
  const { ask } = guarded();
  const response = await ask(path, bearer(name), { method, ...(/^P/.test(method) && { body: RECORD }) });
  expect(response.status).toBe(status);
});

test('a refusal names the scope, and is the same for models that are and are not there', async () => {
  const { ask } = guarded();
  const told = async (path: string, init: RequestInit) => {
    const response = await ask(path, { ...bearer('scorer'), 'x-request-id': 'one' }, init);
    return [response.status, response.headers.get('www-authenticate'), await response.text()].join('\n');
  };
  for (const [path, init] of [
    ['/models/NAME/score', score],
    ['/v2/models/NAME/infer', score],
    ['/v1/models/NAME:predict', score],
    ['/models/NAME', {}],
    ['/v2/models/NAME/versions/1/ready', {}],
  ] as const) {
    const there = await told(path.replace('NAME', 'numeric'), init);
    expect(there).toMatch(/^403\n.*error="insufficient_scope", scope="(score|read):numeric"\n/);
    expect(await told(path.replace('NAME', 'nummber'), init)).toBe(there.replaceAll('numeric', 'nummber'));
  }
  // a version, and a model within its scopes, are missed by what it may know of
  const missed = await (await ask('/models/fraud-1/score', bearer('fraud'), score)).json();
  expect(missed).toMatchObject({ code: 'ERR_MODEL', error: expect.stringMatching(/expected one of none/) });
});

test('the name of a model that nobody could have goes into no header', async () => {
  const { ask } = guarded();
  const response = await ask(`/models/${encodeURIComponent('a"\r\nx: 1 ü')}/score`, bearer('scorer'), score);
  expect(response.status).toBe(403);
  expect(response.headers.get('www-authenticate')).toBe('Bearer realm="logodds", error="insufficient_scope"');
});

test('lists have the models that a caller may do anything with', async () => {
  const { ask } = guarded();
  const lists = {
    '/v2/models': (body: { models: unknown }) => body.models,
    '/v1/models': (body: { models: unknown }) => body.models,
    '/console.json': ({ models }: { models: { name: string }[] }) => models.map(({ name }) => name),
    '/openapi.json': ({ paths }: { paths: object }) =>
      Object.keys(paths).flatMap((path) => /^\/models\/(\w+)\/score/.exec(path)?.[1] ?? []),
  };
  for (const [path, namesOf] of Object.entries(lists)) {
    for (const [name, expected] of [
      ['scorer', ['codes']],
      ['reader', ['numeric']],
      ['all', ['codes', 'numeric']],
      ['fraud', []],
    ] as const)
      expect(namesOf((await (await ask(path, bearer(name))).json()) as never), `${path} ${name}`).toEqual(expected);
  }
  const index = await (await ask('/v2/repository/index', bearer('reader'), { method: 'POST', body: '{}' })).json();
  expect(index.map(({ name }: { name: string }) => name)).toEqual(['numeric']);
  const stats = async (name: keyof typeof SCOPES) =>
    (await (await ask('/v2/models/stats', bearer(name))).json()).model_stats.map(({ name }: { name: string }) => name);
  expect([await stats('reader'), await stats('scorer')]).toEqual([['numeric'], ['codes']]);
});

test.each([
  '/v2/%6dodels/codes',
  '/%76%32/models',
  '//v2/models',
  '/v2//models',
  '/v2/models/',
  '/v2/models/.',
  '/v2/health/live/../../models',
  '/v2/health/live/..%2f..%2fmodels',
  '/v2/health/live%2f..%2f..%2fmodels',
  '/ping/../metrics',
  '/ping/%2e%2e/metrics',
  '/ping;/../metrics',
  '/./metrics',
  '/metrics.',
  '/metrics/',
  '/metrics%00',
  '/metrics%20',
  '/METRICS',
  '/metrics?/ping',
  '/metrics%3f/ping',
  '/metrics#/ping',
  '/ping%23/../metrics',
  '/console.js/../console.json',
  '/models/codes%2Fscore',
  '/models%2Fcodes',
  '/%2e%2e/metrics',
  '/..;/metrics',
  '\\metrics',
  '/ping\\..\\metrics',
  '/%',
  '/%ff',
  '/none',
])('no way round by the path: %s', async (path) => {
  const { service } = guarded();
  const mounted = new Hono().route('/scoring', service.app);
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'PATCH', 'DELETE', 'PROPFIND']) {
    const init = { method };
    expect((await service.fetch(new Request(`http://localhost${path}`, init))).status, method).toBe(401);
    // a path that a URL shortens may leave the place where it is mounted
    const url = new URL(`http://localhost/scoring${path}`);
    const expected = /^\/scoring(\/|$)/.test(url.pathname) ? 401 : 404;
    expect((await mounted.fetch(new Request(url, init))).status, `${method} mounted`).toBe(expected);
  }
});

test('below another path the rules are the same', async () => {
  const { service } = guarded();
  const app = new Hono().route('/a/b', service.app);
  const ask = async (path: string, name?: keyof typeof SCOPES, init: RequestInit = {}) =>
    (
      await app.fetch(
        new Request(`http://localhost/a/b${path}`, { headers: { ...(name && bearer(name)), ...JSON_TYPE }, ...init }),
      )
    ).status;
  expect(await ask('/ping')).toBe(200);
  expect(await ask('/metrics')).toBe(401);
  expect(await ask('/metrics', 'scorer')).toBe(403);
  expect(await ask('/metrics', 'metrics')).toBe(200);
  expect(await ask('/models/codes/score', 'scorer', score)).toBe(200);
  expect(await ask('/models/numeric/score', 'scorer', score)).toBe(403);
  expect(await ask('/models/numeric', 'scorer')).toBe(403);
});

test('a caller has a name and a rate for those who see its requests', async () => {
  const seen: unknown[] = [];
  const { service } = serviceWith(
    {
      access: { tokens: tokens([{ name: 'slow', sha256: digest('k'), scopes: ['score'], rate: 5 }]) },
      gates: [
        {
          enter({ request }) {
            seen.push(callerOf(request)?.rate);
            return undefined;
          },
        },
      ],
      witnesses: [{ ended: ({ request }, status) => seen.push([callerOf(request)?.name, status]) }],
    },
    'codes',
  );
  const ask = (key: string) =>
    service.fetch(new Request(`http://localhost${SCORE}`, { ...score, headers: { ...JSON_TYPE, 'x-api-key': key } }));
  await ask('k');
  await ask('key-of-fraud');
  expect(seen).toEqual([5, ['slow', 200], ['fraud', 403]]);
});

test('a certificate that the host has verified is a caller; a header that says so is none', async () => {
  const access = { tokens: tokens([{ name: 'batch', subject: 'CN=batch,O=bank', scopes: ['score:codes'] }]) };
  const { ask, lines } = guarded(access);
  expect((await ask(SCORE, {}, score, { subject: 'CN=batch,O=bank' })).status).toBe(200);
  expect(lines.at(-1)).toMatchObject({ caller: 'batch' });
  expect((await ask(SCORE, {}, score, { subject: 'CN=batch' })).status).toBe(401);
  expect((await ask(SCORE, { 'x-forwarded-client-cert': 'Subject="CN=batch,O=bank"' }, score)).status).toBe(401);
  // who shows a token is asked for that
  expect((await ask(SCORE, { 'x-api-key': 'none' }, score, { subject: 'CN=batch,O=bank' })).status).toBe(401);
  expect((await ask('/metrics', bearer('metrics'), {}, { subject: 'CN=batch,O=bank' })).status).toBe(200);
});

test('a key that has expired is refused, one that will is not', async () => {
  const key = (name: string, expires: string) => ({ name, sha256: digest(name), scopes: ['score'], expires });
  const { ask } = guarded({ tokens: tokens([key('old', '2020-01-01T00:00:00Z'), key('new', '2999-01-01')]) });
  expect((await ask(SCORE, { 'x-api-key': 'new' }, score)).status).toBe(200);
  const response = await ask(SCORE, { 'x-api-key': 'old' }, score);
  expect([response.status, (await response.json()).error]).toEqual([401, expect.stringMatching(/has expired/)]);
});

test('keys are replaced while the service answers; a broken file leaves the old ones', async () => {
  const own = tokens();
  const { ask } = guarded({ tokens: own });
  const status = async (key: string) => (await ask(SCORE, { 'x-api-key': key }, score)).status;
  expect(await status('key-of-scorer')).toBe(200);
  expect(() => own.replace('[{"name":')).toThrow(/^tokens: expected JSON/);
  expect(await status('key-of-scorer')).toBe(200);
  own.replace(JSON.stringify([{ name: 'scorer', sha256: digest('next'), scopes: ['score'] }]));
  expect([await status('key-of-scorer'), await status('next')]).toEqual([401, 200]);
});

test.each([
  ['an object', '{}', /expected JSON, an array/],
  [
    'a key where its digest belongs',
    [{ name: 'a', sha256: 'key-of-a', scopes: ['score'] }],
    /entry 0: expected sha256 of 64/,
  ],
  [
    'a slip',
    [{ name: 'a', sha256: digest('a'), scopes: ['score'], expire: '2030-01-01' }],
    /entry 0: expected only name/,
  ],
  [
    'a time without a zone',
    [{ name: 'a', sha256: digest('a'), scopes: ['score'], expires: '2030-01-01T10:00' }],
    /its zone/,
  ],
  ['an unknown scope', [{ name: 'a', sha256: digest('a'), scopes: ['write:a'] }], /scopes such as/],
  ['two stars', [{ name: 'a', sha256: digest('a'), scopes: ['score:a*b*'] }], /scopes such as/],
  ['no name in a scope', [{ name: 'a', sha256: digest('a'), scopes: ['score:'] }], /scopes such as/],
  ['no scope', [{ name: 'a', sha256: digest('a'), scopes: [] }], /scopes such as/],
  ['neither key nor subject', [{ name: 'a', scopes: ['score'] }], /one of sha256 and subject/],
  ['a key twice', [...entries(), entries()[0]], /entry 6: expected a key or subject of its own/],
  ['a rate of 0', [{ name: 'a', sha256: digest('a'), scopes: ['score'], rate: 0 }], /a rate above 0/],
])('a file of tokens: %s', (_, content, message) => {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  expect(() => new Tokens(text)).toThrow(message);
  expect(() => new Tokens(text)).not.toThrow(/key-of/);
});

test('refusals are counted, and in the log with address and number, however many there are', async () => {
  const { ask, lines } = guarded();
  const guess = (key: number) => ask(SCORE, { 'x-api-key': `guess-${key}` }, score, { address: '192.0.2.1' });
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1e6);
  for (let i = 0; i < 499; i++) await guess(i);
  clock.mockReturnValue(1e6 + 100);
  await guess(499);
  expect(lines.filter(({ event }) => event === 'refused')).toMatchObject([
    { level: 'warn', status: 401, caller: null, address: '192.0.2.1', others: 0 },
    { level: 'warn', status: 401, caller: null, address: '192.0.2.1', others: 498 },
  ]);
  expect(JSON.stringify(lines)).not.toContain('guess-');
  const text = await (await ask('/metrics', bearer('metrics'))).text();
  expect(text).toContain('lr_requests_total{model="",version="",protocol="access",code="401"} 500');
});

test('without access nobody is asked', async () => {
  const { ask } = guarded({});
  expect((await ask(SCORE, {}, score)).status).toBe(200);
  expect((await ask('/metrics')).status).toBe(200);
});
