import type { Context, Hono } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Asked, Gate, LogLine } from '../hooks.ts';
import type { Metrics } from '../observation/metrics.ts';
import { type Refusal, refusalOf, refusalResponse } from '../refusal.ts';
import { type Caller, callerName, callerOf, setCaller, VERBS, type Verb } from '../requests/caller.ts';
import { givenId } from '../requests/id.ts';
import { peerOf } from '../requests/peer.ts';
import { addCors } from './cors.ts';
import { tokenOf } from './credentials.ts';
import { Jwt, type JwtOptions } from './jwt.ts';
import { Policy, type PolicyOptions } from './policy.ts';
import { invalid, missing, nobody } from './refusals.ts';
import { type Open, RULES, type Rule, SHUT } from './routes.ts';
import { callerWith } from './scopes.ts';
import { Seldom } from './seldom.ts';
import type { Tokens } from './tokens.ts';

/** Who may ask. Without tokens and JSON web tokens nobody is asked for one. */
export interface AccessOptions {
  /** API keys, and subjects of certificates that the host has verified */
  readonly tokens?: Tokens;
  readonly jwt?: JwtOptions;
  /** a policy that is asked about each request that its scopes would let in */
  readonly policy?: PolicyOptions;
  /** origins of pages that may read answers in browsers, or "*"; default none */
  readonly origins?: readonly string[];
}

/** What the parts of a service share that this one needs. */
interface Around {
  readonly metrics: Metrics;
  readonly log: (line: LogLine) => void;
}

type Next = () => Promise<void>;

/**
 * Asks who asks, before any route that is added later.
 * @returns the gates of requests to models
 * @throws Error for options that are not safe
 */
export function addAccess(app: Hono, around: Around, options: AccessOptions): Gate[] {
  const { tokens, jwt, policy, origins = [] } = options;
  if (origins.length > 0) addCors(app, origins);
  if (!tokens && !jwt && !policy) return [];
  const access = new Access(around, options);
  app.use((c, next) => access.atRoute(c, next));
  return [{ enter: (asked) => access.atGate(asked) }];
}

/** Who asks where only a policy decides. */
const ANYONE = callerWith('anyone', 'nothing', VERBS);

class Access {
  readonly #around: Around;
  readonly #tokens: Tokens | null;
  readonly #jwt: Jwt | null;
  readonly #policy: Policy | null;
  readonly #refusals: Seldom;
  /** what requests come for of which the protocol knows the model */
  readonly #verbs = new WeakMap<Request, Verb>();

  constructor(around: Around, { tokens, jwt, policy }: AccessOptions) {
    this.#around = around;
    this.#tokens = tokens ?? null;
    this.#jwt = jwt ? new Jwt(jwt, around.metrics, around.log) : null;
    this.#policy = policy ? new Policy(policy, around.metrics, around.log) : null;
    this.#refusals = new Seldom(around.log);
  }

  /** Before every route. */
  async atRoute(c: Context, next: Next): Promise<Response | undefined> {
    const { rule, index } = answering(c);
    if (rule?.kind === 'open') {
      await next();
      return undefined;
    }
    const request = c.req.raw;
    try {
      let caller = this.#callerOf(request);
      if (caller instanceof Promise) caller = await caller;
      setCaller(request, caller);
      const turn = rule && this.#letIn(c, caller, rule, index);
      if (turn) await turn;
    } catch (error) {
      return this.#refuse(request, error);
    }
    await next();
    return undefined;
  }

  /** @throws Refusal 403, 503 */
  #letIn(c: Context, caller: Caller, rule: Exclude<Rule, Open>, index: number): Promise<void> | undefined {
    const { req } = c;
    if (rule.kind === 'model') {
      this.#verbs.set(req.raw, rule.verb);
      return undefined;
    }
    const isNamed = rule.kind === 'see' || rule.kind === 'named';
    const model = isNamed
      ? paramOf(c, index, 'model')
      : rule.kind === 'queried'
        ? (req.query(rule.by)?.split('/', 1)[0] ?? '') || null
        : null;
    const verb = 'verb' in rule ? rule.verb : 'read';
    if (rule.kind === 'see' ? !caller.sees(model!) : 'verb' in rule && !caller.may(verb, model))
      throw missing(verb, model);
    const also = 'also' in rule && rule.also && queryHas(req.url, rule.also.query) ? rule.also.verb : null;
    if (also !== null && !caller.may(also, model)) throw missing(also, model);
    const policy = this.#policy;
    if (!policy) return undefined;
    const version = paramOf(c, index, 'version');
    const decided = (verb: Verb) =>
      policy.decide({ ...told(caller), verb, method: req.method, path: req.path, model, version }, req.raw);
    if (also === null) return decided(verb);
    return Promise.all([decided(verb), decided(also)]).then(() => {});
  }

  /** Before a model is found. */
  atGate({ request, id, asked }: Asked): Promise<void> | undefined {
    const caller = callerOf(request);
    const { name, version } = asked!;
    // nobody comes here but by a route
    if (!caller) throw nobody();
    const verb = this.#verbs.get(request);
    // others were let in at their route
    if (!verb) return undefined;
    if (!caller.may(verb, name)) {
      const refusal = missing(verb, name);
      this.#say(request, id, refusal);
      throw refusal;
    }
    if (!this.#policy) return undefined;
    const { method, url } = request;
    const path = new URL(url).pathname;
    return this.#policy.decide({ ...told(caller), verb, method, path, model: name, version }, request);
  }

  /** @throws Refusal 400, 401, 503 */
  #callerOf(request: Request): Caller | Promise<Caller> {
    if (!this.#tokens && !this.#jwt) return ANYONE;
    const token = tokenOf(request);
    if (token !== null) {
      const caller = this.#tokens?.ofKey(token);
      if (caller) return caller;
      if (this.#jwt) return this.#jwt.verify(token);
      throw invalid('expected an API key that is known, got another; get a new one');
    }
    const subject = peerOf(request)?.subject;
    const caller = subject === undefined ? null : this.#tokens?.ofSubject(subject);
    if (caller) return caller;
    throw nobody();
  }

  #refuse(request: Request, error: unknown): Response {
    const refusal = refusalOf(error);
    const id = givenId(request) ?? crypto.randomUUID();
    const { metrics, log } = this.#around;
    metrics.request(null, 'access', refusal.status, 0);
    if (refusal === error) this.#say(request, id, refusal);
    else log({ level: 'error', event: 'failed', id, reason: (error as Error).stack });
    return refusalResponse(refusal, id);
  }

  #say(request: Request, id: string, { status, message }: Refusal): void {
    this.#refusals.say(() => {
      const [caller, address] = [callerName(request), peerOf(request)?.address ?? null];
      return { level: 'warn', event: 'refused', id, status, caller, address, reason: message };
    });
  }
}

/** The rule of the route that will answer, and where it stands; null where none will. */
function answering(c: Context): { readonly rule: Rule | null; readonly index: number } {
  const routes = matchedRoutes(c);
  for (let index = c.req.routeIndex + 1; index < routes.length; index++) {
    const { method, path, basePath } = routes[index];
    // what stands around routes answers none
    if (method === 'ALL' && path.endsWith('*')) continue;
    // the service may be mounted below another path
    const own = basePath === '/' ? path : path.slice(basePath.length) || '/';
    return { rule: RULES.get(`${method} ${own}`) ?? SHUT, index };
  }
  return { rule: null, index: -1 };
}

/** A parameter as the route reads it that stands there. */
function paramOf({ req }: Context, index: number, name: string): string | null {
  const here = req.routeIndex;
  req.routeIndex = index;
  const value = req.param(name) ?? null;
  req.routeIndex = here;
  return value;
}

const queryHas = (url: string, name: string): boolean => new URL(url).searchParams.has(name);

const told = ({ name, by, scopes }: Caller) => ({ caller: { name, by }, scopes });
