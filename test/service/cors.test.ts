import { expect, test } from 'vitest';
import { createService } from '../../service/src/index.ts';
import { bearer, guarded, score, tokens } from './access.ts';

const SCORE = '/models/codes/score';
const ORIGIN = 'https://app.example.com';
const allowed = (response: Response) => response.headers.get('access-control-allow-origin');
const preflight = (origin: string): RequestInit => ({
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type',
  },
});

test('a page of an origin that is allowed reads answers and their headers, refusals too; others do not', async () => {
  const { ask } = guarded({ tokens: tokens(), origins: [ORIGIN, 'http://localhost:3000'] });
  const response = await ask(SCORE, { ...bearer('scorer'), origin: ORIGIN, 'accept-encoding': 'gzip' }, score);
  expect([response.status, allowed(response)]).toEqual([200, ORIGIN]);
  expect(response.headers.get('vary')).toMatch(/\borigin\b/i);
  expect(response.headers.get('access-control-expose-headers')).toMatch(
    /x-request-id.*x-model-sha256,x-model-route,x-model-route-reason,x-model-segment.*retry-after/,
  );
  expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  const refused = await ask(SCORE, { origin: ORIGIN }, score);
  expect([refused.status, allowed(refused), (await refused.json()).code]).toEqual([401, ORIGIN, 'ERR_TOKEN']);
  for (const origin of ['https://evil.example', `${ORIGIN}.evil.example`, 'null', 'https://APP.example.com', '']) {
    const other = await ask(SCORE, { ...bearer('scorer'), origin }, score);
    expect([other.status, allowed(other)], origin).toEqual([200, null]);
    expect(other.headers.get('vary')).toMatch(/\borigin\b/i);
  }
});

test('a browser may ask beforehand about every route, without a token', async () => {
  const { service } = guarded({ tokens: tokens(), origins: [ORIGIN] });
  for (const { path } of service.app.routes) {
    const url = `http://localhost${path.replaceAll(/:\w+|\*/g, 'codes')}`;
    const response = await service.fetch(new Request(url, preflight(ORIGIN)));
    expect([response.status, allowed(response)], path).toEqual([204, ORIGIN]);
    expect(response.headers.get('access-control-allow-methods')).toMatch(/POST/);
    expect(response.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
    expect(response.headers.get('vary')).toMatch(/\borigin\b/i);
    expect(allowed(await service.fetch(new Request(url, preflight('https://evil.example'))))).toBeNull();
  }
});

test('every origin may be allowed, never with credentials', async () => {
  const { ask } = guarded({ tokens: tokens(), origins: ['*'] });
  const response = await ask(SCORE, { ...bearer('scorer'), origin: 'https://any.example' }, score);
  expect([allowed(response), response.headers.get('access-control-allow-credentials')]).toEqual(['*', null]);
});

test('without origins browsers are told nothing', async () => {
  const { ask, service } = guarded();
  const response = await ask(SCORE, { ...bearer('scorer'), origin: ORIGIN }, score);
  expect([response.status, allowed(response)]).toEqual([200, null]);
  expect((await service.fetch(new Request(`http://localhost${SCORE}`, preflight(ORIGIN)))).status).toBe(401);
});

test.each([
  'app.example.com',
  'https://app.example.com/',
  'https://app.example.com/path',
  'null',
  'https://*.example.com',
  '',
])('what is no origin is refused: %j', (origin) => {
  expect(() => createService({ access: { origins: [origin] } })).toThrow(/^cors: expected origins/);
});
