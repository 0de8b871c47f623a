import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JSONWebKeySet, type JWTHeaderParameters, SignJWT } from 'jose';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { createService, type JwtOptions } from '../../service/src/index.ts';
import { bearer, guarded, score, tokens } from './access.ts';

const ISSUER = 'https://issuer.example';
const AUDIENCE = 'scores';
const SCORE = '/models/codes/score';

const pair = async (kid: string, alg = 'RS256') => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, publicKey, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
};
const [first, second, curve, stranger] = await Promise.all([
  pair('one'),
  pair('two'),
  pair('curve', 'ES256'),
  pair('one'),
]);
const SET: JSONWebKeySet = { keys: [first.jwk, curve.jwk] };

interface Made {
  readonly by?: typeof first;
  readonly header?: Partial<JWTHeaderParameters>;
  readonly claims?: Record<string, unknown>;
  /** seconds from now */
  readonly expires?: number | null;
  readonly begins?: number;
}

function jwt({ by = first, header = {}, claims = {}, expires = 3600, begins }: Made = {}) {
  const now = Math.floor(Date.now() / 1000);
  const token = new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'shop', scope: 'openid score:codes', ...claims });
  if (expires !== null) token.setExpirationTime(now + expires);
  if (begins !== undefined) token.setNotBefore(now + begins);
  return token.setProtectedHeader({ alg: by.alg, kid: by.kid, ...header }).sign(by.privateKey);
}

const OPTIONS: JwtOptions = { keys: () => SET, issuer: ISSUER, audience: AUDIENCE };
const withJwt = (more: Partial<JwtOptions> = {}) => guarded({ tokens: tokens(), jwt: { ...OPTIONS, ...more } });
const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a token of the issuer is a caller with its scopes, beside API keys', async () => {
  const { ask, lines } = withJwt();
  for (const by of [first, curve]) {
    const authorization = `Bearer ${await jwt({ by })}`;
    expect((await ask(SCORE, { authorization }, score)).status).toBe(200);
    expect(lines.at(-1)).toMatchObject({ caller: 'shop' });
    // the second time it is known
    expect((await ask(SCORE, { authorization }, score)).status).toBe(200);
    const refused = await ask('/models/numeric/score', { authorization }, score);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      403,
      'Bearer realm="logodds", error="insufficient_scope", scope="score:numeric"',
    ]);
  }
  expect((await ask(SCORE, bearer('scorer'), score)).status).toBe(200);
});

test.each([
  ['a scope with blanks', { scope: 'a score:codes b' }, 200],
  ['scp as an array', { scope: undefined, scp: ['score:codes'] }, 200],
  ['roles', { scope: undefined, roles: ['score:cod*', 7] }, 200],
  ['none', { scope: undefined }, 403],
  ['for another model', { scope: 'score:numeric' }, 403],
  ['what is no text', { scope: { 'score:codes': true } }, 403],
])('scopes: %s', async (_, claims, status) => {
  const { ask } = withJwt();
  expect((await ask(SCORE, { authorization: `Bearer ${await jwt({ claims })}` }, score)).status).toBe(status);
});

test('scopes are read from the claims that are asked for alone', async () => {
  const { ask } = withJwt({ claims: ['permissions'] });
  const status = async (claims: Record<string, unknown>) =>
    (await ask(SCORE, { authorization: `Bearer ${await jwt({ claims })}` }, score)).status;
  expect([await status({}), await status({ permissions: ['score:codes'] })]).toEqual([403, 200]);
});

const unsigned = (header: object, claims: object = {}) =>
  `${b64(header)}.${b64({ iss: ISSUER, aud: AUDIENCE, sub: 'shop', scope: 'score', exp: 4e9, ...claims })}.`;

/** Signed with the text of the public key as a secret. */
async function confused(alg: string) {
  const text = unsigned({ alg: 'HS256', kid: 'one' }).slice(0, -1);
  const secret = alg === 'jwk' ? JSON.stringify(first.jwk) : await exportSPKI(first.publicKey);
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const tampered = async () => {
  const [head, , tail] = (await jwt()).split('.');
  return `${head}.${b64({ iss: ISSUER, aud: AUDIENCE, sub: 'shop', scope: 'score admin', exp: 4e9 })}.${tail}`;
};

test.each<[string, () => string | Promise<string>, RegExp]>([
  ['expired', () => jwt({ expires: -60 }), /has expired/],
  ['not yet valid', () => jwt({ begins: 600 }), /another nbf/],
  ['that never expires', () => jwt({ expires: null }), /another exp/],
  ['of another issuer', () => jwt({ claims: { iss: 'https://other.example' } }), /another iss/],
  ['for another service', () => jwt({ claims: { aud: 'other' } }), /another aud/],
  ['without sub', () => jwt({ claims: { sub: undefined } }), /a sub/],
  ['of another key with this kid', () => jwt({ by: stranger }), /as the issuer has signed it/],
  ['of an unknown kid', () => jwt({ by: second }), /a key of the issuer/],
  ['with another payload', tampered, /as the issuer has signed it/],
  ['alg none', () => unsigned({ alg: 'none' }), /signed with a key pair/],
  ['alg nOnE', () => unsigned({ alg: 'nOnE' }), /signed with a key pair/],
  ['alg none and a kid', () => unsigned({ alg: 'none', kid: 'one' }), /signed with a key pair/],
  ['no alg', () => unsigned({ kid: 'one' }), /neither/],
  ['HS256 of the public key (PEM)', () => confused('pem'), /signed with a key pair/],
  ['HS256 of the public key (JWK)', () => confused('jwk'), /signed with a key pair/],
  ['kid of a path', () => jwt({ by: stranger, header: { kid: '../../../dev/null' } }), /a key of the issuer/],
  ['kid of SQL', () => jwt({ by: stranger, header: { kid: "x' UNION SELECT 'key" } }), /a key of the issuer/],
  ['kid of a prototype', () => jwt({ by: stranger, header: { kid: '__proto__' } }), /a key of the issuer/],
  ['a key of its own', () => jwt({ by: stranger, header: { jwk: stranger.jwk } }), /as the issuer has signed it/],
  [
    'a set of its own',
    () => jwt({ by: stranger, header: { jku: 'http://127.0.0.1:1/jwks' } }),
    /as the issuer has signed it/,
  ],
  [
    'a header that must be known',
    () => jwt({ header: { crit: ['x'], x: 1 } as never }).catch(() => 'a.b.c'),
    /neither/,
  ],
  ['three dots of nothing', () => '..', /neither/],
  ['text between dots', () => 'a.b.c', /neither/],
  ['nested deep', () => `${Buffer.from('['.repeat(3000)).toString('base64url')}.e30.e30`, /neither/],
])('a JWT: %s', async (_, make, message) => {
  const { ask } = withJwt();
  const response = await ask(SCORE, { authorization: `Bearer ${await make()}` }, score);
  const body = await response.json();
  expect([response.status, body.code]).toEqual([401, 'ERR_TOKEN']);
  expect(body.error).toMatch(message);
  expect(response.headers.get('www-authenticate')).toMatch(/error="invalid_token"/);
});

test('clocks may differ by the leeway', async () => {
  const authorization = async (made: Made) => ({ authorization: `Bearer ${await jwt(made)}` });
  const { ask } = withJwt();
  expect((await ask(SCORE, await authorization({ expires: -10 }), score)).status).toBe(200);
  expect((await ask(SCORE, await authorization({ begins: 10 }), score)).status).toBe(200);
  const strict = withJwt({ leeway: 0 });
  expect((await strict.ask(SCORE, await authorization({ expires: -10 }), score)).status).toBe(401);
});

test('keys may be replaced', async () => {
  let set = SET;
  const { ask } = withJwt({ keys: () => set });
  const status = async (by: typeof first) =>
    (await ask(SCORE, { authorization: `Bearer ${await jwt({ by })}` }, score)).status;
  expect([await status(first), await status(second)]).toEqual([200, 401]);
  set = { keys: [second.jwk] };
  expect([
    await status(second),
    (await ask(SCORE, { authorization: `Bearer ${await jwt({ claims: { n: 1 } })}` }, score)).status,
  ]).toEqual([200, 401]);
});

test.each([
  ['http of another machine', { keys: 'http://issuer.example/jwks' }, /expected https/],
  ['no URL', { keys: 'jwks.json' }, /URL/],
  ['no issuer', { issuer: '' }, /an issuer and an audience/],
  ['no audience', { audience: [] }, /an issuer and an audience/],
  ['a shared secret', { algorithms: ['RS256', 'HS256'] }, /got HS256/],
  ['none', { algorithms: ['none'] }, /got none/],
  ['no algorithm', { algorithms: [] }, /got none/],
])('options that are not safe: %s', (_, more, message) => {
  expect(() => createService({ access: { jwt: { ...OPTIONS, ...more } } })).toThrow(message);
});

afterEach(() => vi.restoreAllMocks());

/** An issuer's keys at a URL. */
const issuer = { set: SET as unknown, status: 200, asked: 0 };
const server = createServer((_, response) => {
  issuer.asked++;
  response.writeHead(issuer.status, { 'content-type': 'application/json' });
  response.end(typeof issuer.set === 'string' ? issuer.set : JSON.stringify(issuer.set));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test('keys at a URL are asked once, and strangers do not make the service ask again', async () => {
  Object.assign(issuer, { status: 200, asked: 0 });
  const { ask } = withJwt({ keys: url });
  expect(issuer.asked).toBe(0);
  const status = async (made: Made) => (await ask(SCORE, { authorization: `Bearer ${await jwt(made)}` }, score)).status;
  expect(await status({})).toBe(200);
  for (let i = 0; i < 20; i++) expect(await status({ by: stranger, header: { kid: `guess-${i}` } })).toBe(401);
  expect(await status({ claims: { n: 2 } })).toBe(200);
  expect(issuer.asked).toBe(1);
});

test('while the issuer does not answer nobody new is let in; API keys and known tokens are', async () => {
  Object.assign(issuer, { status: 500, asked: 0 });
  const { ask, lines } = withJwt({ keys: url });
  const authorization = `Bearer ${await jwt()}`;
  const clock = vi.spyOn(performance, 'now').mockReturnValue(1e6);
  for (let i = 0; i < 5; i++) {
    const response = await ask(SCORE, { authorization }, score);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await response.json()).code).toBe('ERR_ACCESS');
  }
  // it is left alone for a second
  expect(issuer.asked).toBe(1);
  clock.mockReturnValue(1e6 + 1000);
  await ask(SCORE, { authorization }, score);
  expect(issuer.asked).toBe(2);
  expect(lines.find(({ event }) => event === 'keys_failed')).toMatchObject({ level: 'error', reason: 'status 500' });
  expect((await ask(SCORE, bearer('scorer'), score)).status).toBe(200);
  Object.assign(issuer, { status: 200 });
  const other = withJwt({ keys: url });
  expect((await other.ask(SCORE, { authorization }, score)).status).toBe(200);
  Object.assign(issuer, { status: 500 });
  expect((await other.ask(SCORE, { authorization }, score)).status).toBe(200);
});

test.each([
  ['keys of more than a MiB', JSON.stringify({ ...SET, more: 'x'.repeat(2 ** 20) }), 'expected at most 1048576 bytes'],
  ['what is no JSON', '<html>', 'JSON'],
  ['what is no set', '{"keys":1}', 'expected a JSON Web Key Set'],
])('%s are no keys, and the issuer is left alone for a while', async (_, set, reason) => {
  Object.assign(issuer, { status: 200, asked: 0, set });
  const { ask, lines } = withJwt({ keys: url });
  vi.spyOn(performance, 'now').mockReturnValue(1e6);
  const authorization = `Bearer ${await jwt()}`;
  for (let i = 0; i < 3; i++) expect((await ask(SCORE, { authorization }, score)).status).toBe(503);
  expect(issuer.asked).toBe(1);
  expect(lines.find(({ event }) => event === 'keys_failed')!.reason).toContain(reason);
  issuer.set = SET;
});
