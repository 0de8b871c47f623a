import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PolicyOptions } from '../../service/src/index.ts';
import { bearer, guarded, score, tokens } from './access.ts';

// what the real agent decides is in test/service/access/run.mjs; here is what an agent may do wrong
const SCORE = '/models/codes/score';

type Input = Record<string, unknown>;
let asked: Input[] = [];
let traces: unknown[] = [];
let sockets = new Set<unknown>();
let answer: (response: ServerResponse, input: Input) => void;

const server = createServer((request: IncomingMessage, response) => {
  sockets.add(request.socket);
  let text = '';
  request.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  request.on('end', () => {
    const { input } = JSON.parse(text);
    asked.push(input);
    traces.push(request.headers.traceparent);
    if (request.url === '/elsewhere') response.end('{"result":true}');
    else answer(response, input);
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/data/logodds/allow`;
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(() => vi.restoreAllMocks());
beforeEach(() => {
  asked = [];
  traces = [];
  sockets = new Set();
  answer = (response) => response.end('{"result":true}');
});

const withPolicy = (more: Partial<PolicyOptions> = {}) => guarded({ tokens: tokens(), policy: { url, ...more } });

test('the policy is told who asks for what, once its scopes let it in', async () => {
  const { ask } = withPolicy();
  expect((await ask(SCORE, bearer('scorer'), score)).status).toBe(200);
  expect((await ask('/v2/models', bearer('scorer'))).status).toBe(200);
  expect((await ask('/v2/models/codes/versions/1', bearer('scorer'))).status).toBe(404);
  expect((await ask('/metrics', bearer('scorer'))).status).toBe(403);
  expect((await ask('/models/numeric/score', bearer('scorer'), score)).status).toBe(403);
  expect((await ask('/ping')).status).toBe(200);
  const who = { caller: { name: 'scorer', by: 'key' }, scopes: ['score:codes'] };
  expect(asked).toEqual([
    { ...who, verb: 'score', method: 'POST', path: SCORE, model: 'codes', version: null },
    { ...who, verb: 'read', method: 'GET', path: '/v2/models', model: null, version: null },
    { ...who, verb: 'read', method: 'GET', path: '/v2/models/codes/versions/1', model: 'codes', version: '1' },
  ]);
});

test.each([
  ['true', '{"result":true}', 200, null],
  ['allow', '{"result":{"allow":true}}', 200, null],
  ['false', '{"result":false}', 403, /policy: expected a request that it allows/],
  ['why not', '{"result":{"allow":false,"reason":"at night"}}', 403, /\(at night\)/],
  ['a rule that is not there', '{}', 403, /allows/],
  ['another value', '{"result":"true"}', 403, /allows/],
  ['another member', '{"result":{"allow":1}}', 403, /allows/],
  ['null', '{"result":null}', 403, /allows/],
  ['no JSON', 'true!', 503, /no answer/],
])('an agent that says %s', async (_, text, status, message) => {
  answer = (response) => response.end(text);
  const { ask } = withPolicy();
  const response = await ask(SCORE, bearer('scorer'), score);
  expect(response.status).toBe(status);
  if (message) expect((await response.json()).error).toMatch(message);
});

test.each<[string, (response: ServerResponse) => void]>([
  ['fails', (response) => response.writeHead(500).end('{"result":true}')],
  ['sends elsewhere', (response) => response.writeHead(307, { location: '/elsewhere' }).end()],
  ['breaks off', (response) => response.destroy()],
  ['never answers', () => {}],
])('an agent that %s lets nobody in, but where that is asked for', async (_, act) => {
  answer = act;
  const { ask, lines } = withPolicy({ timeoutMs: 50 });
  const response = await ask(SCORE, bearer('scorer'), score);
  expect([response.status, (await response.json()).code, response.headers.get('retry-after')]).toEqual([
    503,
    'ERR_ACCESS',
    '1',
  ]);
  expect(lines.find(({ event }) => event === 'policy_failed')).toMatchObject({ level: 'error', letIn: false });
  const open = withPolicy({ timeoutMs: 50, failOpen: true });
  expect((await open.ask(SCORE, bearer('scorer'), score)).status).toBe(200);
  expect(open.lines.find(({ event }) => event === 'policy_failed')).toMatchObject({ letIn: true });
});

test('a decision holds for a while, and is asked for once at a time', async () => {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1e6);
  const { ask } = withPolicy({ holdMs: 1000 });
  const status = async () => (await ask(SCORE, bearer('scorer'), score)).status;
  expect(await Promise.all(Array.from({ length: 20 }, status))).toEqual(new Array(20).fill(200));
  expect(asked).toHaveLength(1);
  clock.mockReturnValue(1e6 + 999);
  answer = (response) => response.end('{"result":false}');
  expect(await status()).toBe(200);
  clock.mockReturnValue(1e6 + 1000);
  expect(await status()).toBe(403);
  expect(await status()).toBe(403);
  expect(asked).toHaveLength(2);
});

test('a decision may be asked for each time, over connections that stay', async () => {
  const { ask } = withPolicy({ holdMs: 0 });
  for (let i = 0; i < 20; i++) await ask(SCORE, bearer('scorer'), score);
  expect(asked).toHaveLength(20);
  // one may be closing while the next request comes
  expect(sockets.size).toBeLessThanOrEqual(3);
});

test('a policy alone decides about everybody', async () => {
  answer = (response, { model, caller }) =>
    response.end(JSON.stringify({ result: model === 'codes' && caller !== null }));
  const { ask } = guarded({ policy: { url } });
  expect((await ask(SCORE, {}, score)).status).toBe(200);
  expect((await ask('/models/numeric/score', {}, score)).status).toBe(403);
  expect((await ask('/metrics')).status).toBe(403);
  expect(asked[0]).toMatchObject({ caller: { name: 'anyone', by: 'nothing' } });
});

test('the question belongs to the trace of the request that asks', async () => {
  const { ask } = withPolicy({ holdMs: 0 });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await ask(SCORE, { ...bearer('scorer'), traceparent }, score);
  await ask('/v2/models', { ...bearer('scorer'), traceparent });
  await ask(SCORE, bearer('scorer'), score);
  expect(traces).toEqual([traceparent, traceparent, undefined]);
});

test('what is let in or refused while the agent does not answer is counted', async () => {
  answer = (response) => response.writeHead(500).end();
  for (const [failOpen, status, undecided] of [
    [true, 200, 3],
    [false, 503, 0],
  ] as const) {
    const { ask, service } = withPolicy({ failOpen });
    for (let i = 0; i < 3; i++) expect((await ask(SCORE, bearer('scorer'), score)).status).toBe(status);
    expect(service.metrics.counted('lr_policy_failures_total')).toBe(3);
    expect(service.metrics.counted('lr_policy_undecided_total')).toBe(undecided);
  }
});

test('what is no URL of HTTP is refused at once', () => {
  for (const other of ['logodds/allow', 'localhost:8181/v1', 'ftp://x/', ''])
    expect(() => withPolicy({ url: other }), other).toThrow(/^policy: expected a URL of http or https, got "/);
});
