import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from 'jose';
import type { LogLine } from '../hooks.ts';
import type { Metrics } from '../observation/metrics.ts';
import type { Refusal } from '../refusal.ts';
import type { Caller } from '../requests/caller.ts';
import { Recent } from './recent.ts';
import { invalid, unsure } from './refusals.ts';
import { callerWith } from './scopes.ts';
import { digestOf } from './tokens.ts';

/** JSON web tokens that are taken. */
export interface JwtOptions {
  /** where the issuer has its public keys (https, or http of this machine), or the keys: asked for anew at each token that is not remembered */
  readonly keys: string | (() => JSONWebKeySet);
  readonly issuer: string;
  /** who is meant by tokens for this service; one of several is enough */
  readonly audience: string | readonly string[];
  /** ways to sign, of those with a public key; default all of them */
  readonly algorithms?: readonly string[];
  /** claims that hold scopes, as text with blanks or as an array; default scope, scp and roles */
  readonly claims?: readonly string[];
  /** seconds that clocks may differ; default 30 */
  readonly leeway?: number;
}

/** A secret that signs and verifies is not among them, so a public key is never taken for one. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const CLAIMS = ['scope', 'scp', 'roles'];
const LEEWAY = 30;
/** How long a token that was verified is known by its digest, and how many. */
const KNOWN_MS = 60_000;
const MOST_KNOWN = 1000;
/** After a failure the issuer is left alone for so long. */
const PAUSE_MS = 1000;
const TIMEOUT_MS = 3000;
/** Of the keys of an issuer. */
const MOST_BYTES = 2 ** 20;
const LOOPBACK = /^(127(\.\d+){3}|\[::1\]|localhost)$/;

/** jose names what is wrong; a caller is told what to do. */
const RULES: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'expected one that holds, got one that has expired; get a new one',
  ERR_JOSE_ALG_NOT_ALLOWED: 'expected one that is signed with a key pair, got another algorithm; get one that is',
  ERR_JWKS_NO_MATCHING_KEY: 'expected one that is signed by a key of the issuer, got another key; get a new one',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'expected one as the issuer has signed it, got another; get a new one',
};
const OTHER = 'expected an API key or a JWT of the issuer, got neither; get a new one';

/** What failed is the way to the keys of the issuer, no token. */
class KeysFailed extends Error {}

/** The keys of an answer. @throws Error for what is none, or too long */
async function keysOf({ body }: Response): Promise<JSONWebKeySet> {
  const decoder = new TextDecoder();
  const reader = body!.getReader();
  let text = '';
  let length = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    length += piece.value.length;
    if (length > MOST_BYTES) {
      reader.cancel().catch(() => {});
      throw new Error(`expected at most ${MOST_BYTES} bytes, got more`);
    }
    text += decoder.decode(piece.value, { stream: true });
  }
  const set = JSON.parse(text);
  if (Array.isArray(set?.keys)) return set;
  throw new Error('expected a JSON Web Key Set, {"keys": […]}, got something else');
}

/** Says who asks by JSON web tokens. */
export class Jwt {
  readonly #options: JwtOptions;
  readonly #metrics: Metrics;
  readonly #log: (line: LogLine) => void;
  readonly #known = new Recent<Caller>(MOST_KNOWN);
  readonly #claims: readonly string[];
  /** jose, and where keys are looked up; what never sees a token need not load it */
  #verifier: Promise<[jose: typeof import('jose'), keys: JWTVerifyGetKey]> | null = null;
  #pausedUntil = 0;

  /** @throws Error for options that are not safe */
  constructor(options: JwtOptions, metrics: Metrics, log: (line: LogLine) => void) {
    const { keys, issuer, audience, algorithms = ALGORITHMS } = options;
    if (typeof keys === 'string') {
      if (!URL.canParse(keys))
        throw new Error(`jwks: expected a URL, got ${JSON.stringify(keys)}; name a file, or https`);
      const { protocol, hostname } = new URL(keys);
      if (protocol !== 'https:' && !(protocol === 'http:' && LOOPBACK.test(hostname)))
        throw new Error(
          `jwks: expected https, where nobody can put keys of his own, got ${protocol}; name a file, or https`,
        );
    }
    if (!issuer || audience.length === 0)
      throw new Error('jwks: expected an issuer and an audience, got none; tokens for other services would be taken');
    const other = algorithms.find((name) => !ALGORITHMS.includes(name));
    if (other !== undefined || algorithms.length === 0)
      throw new Error(
        `jwks: expected algorithms among ${ALGORITHMS.join(', ')}, got ${other ?? 'none'}; leave them out`,
      );
    this.#options = { ...options, algorithms };
    this.#claims = options.claims ?? CLAIMS;
    this.#metrics = metrics;
    this.#log = log;
  }

  /** Who asks. @throws Refusal 401, 503 */
  verify(token: string): Caller | Promise<Caller> {
    return this.#known.get(digestOf(token), Date.now()) ?? this.#verified(token);
  }

  async #verified(token: string): Promise<Caller> {
    const { issuer, audience, algorithms, leeway = LEEWAY } = this.#options;
    let payload: JWTPayload;
    try {
      this.#verifier ??= this.#prepare();
      const [jose, keys] = await this.#verifier;
      ({ payload } = await jose.jwtVerify(token, keys, {
        issuer,
        audience: [audience].flat(),
        algorithms: [...algorithms!],
        clockTolerance: leeway,
        requiredClaims: ['exp'],
      }));
    } catch (error) {
      throw this.#refusal(error);
    }
    const caller = this.#callerOf(payload);
    this.#known.set(digestOf(token), caller, Math.min(Date.now() + KNOWN_MS, payload.exp! * 1000));
    return caller;
  }

  async #prepare(): Promise<[typeof import('jose'), JWTVerifyGetKey]> {
    const jose = await import('jose');
    const { keys } = this.#options;
    if (typeof keys === 'string')
      return [
        jose,
        jose.createRemoteJWKSet(new URL(keys), {
          timeoutDuration: TIMEOUT_MS,
          [jose.customFetch]: (url, init) => this.#fetch(url, init),
        }),
      ];
    let last: JSONWebKeySet | null = null;
    let local: JWTVerifyGetKey;
    return [
      jose,
      (header, input) => {
        const now = keys();
        if (now !== last) local = jose.createLocalJWKSet(now);
        last = now;
        return local(header, input);
      },
    ];
  }

  /** Asks the issuer for its keys: tokens of strangers must not make the service ask it again and again while it does not answer. */
  async #fetch(url: string, init: RequestInit): Promise<Response> {
    if (performance.now() < this.#pausedUntil) throw new KeysFailed();
    try {
      const response = await fetch(url, init);
      if (response.status !== 200) throw new Error(`status ${response.status}`);
      return Response.json(await keysOf(response));
    } catch (error) {
      this.#pausedUntil = performance.now() + PAUSE_MS;
      this.#metrics.count('lr_keys_failures_total');
      this.#log({ level: 'error', event: 'keys_failed', url, reason: (error as Error).message });
      throw new KeysFailed();
    }
  }

  #refusal(error: unknown): Refusal {
    const { code = '', claim = '' } = error as { code?: string; claim?: string };
    if (
      error instanceof KeysFailed ||
      code === 'ERR_JWKS_TIMEOUT' ||
      code === 'ERR_JWKS_INVALID' ||
      code === 'ERR_JOSE_GENERIC'
    )
      return unsure('token: expected the keys of its issuer, got no answer for them; try again');
    if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED')
      return invalid(`expected another ${claim} than it has; get one that is for this service`);
    return invalid(RULES[code] ?? OTHER);
  }

  #callerOf(payload: JWTPayload): Caller {
    const name = [payload.sub, payload['client_id'], payload['azp']].find(
      (text) => typeof text === 'string' && text !== '',
    );
    if (name === undefined) throw invalid('expected a sub that says whose it is, got none; get one that has it');
    const scopes = this.#claims.flatMap((claim) => {
      const value = payload[claim];
      if (typeof value === 'string') return value.split(' ');
      return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
    });
    return callerWith((name as string).slice(0, 200), 'jwt', scopes);
  }
}
