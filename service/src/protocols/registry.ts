import type { Entry, State, Version } from '@logodds/registry';
import type { Context, Hono } from 'hono';
import type { Core, ServedRegistry } from '../core.ts';
import type { ClientChange } from '../hooks.ts';
import { badRequest, Refusal } from '../refusal.ts';
import { callerName, callerOf } from '../requests/caller.ts';
import { refuseForeign } from '../requests/foreign.ts';
import { givenId } from '../requests/id.ts';
import { queryOf } from '../requests/query.ts';
import { jsonResponse } from '../responses/json.ts';
import { fileOf, membersOf, planOf, saidOf, versionAt, versionIn, whyOf } from './registry/asked.ts';
import { inRegistry, readable, unknown } from './registry/refused.ts';
import { eventsOf, tell, tellShortly } from './registry/told.ts';

/*
 * The registry.
 *
 *   GET  /registry/models                          names, champions, rollouts, and what the caller may do
 *   GET  /registry/models/{m}                      versions, aliases, rollout, what its guards have seen in this process
 *   GET  /registry/models/{m}/events               [?after=SEQ&count=N] what happened
 *   GET  /registry/models/{m}/versions/{v}/file
 *   GET  /registry/models/{m}/versions/{v}/signature
 *   POST /registry/models/{m}/versions/{v}/signature  the bundle; ?why
 *   POST /registry/models/{m}/versions             the model file; ?alias, why, tag.K, metric.K, lineage.K
 *   POST /registry/models/{m}/aliases/{a}          {"version": 3, "why"?}; null: it names none
 *   POST /registry/models/{m}/rollback             {"to"?, "why"?}
 *   POST /registry/models/{m}/rollout              {"challenger": 3, "plan": {…}, "why"?}
 *   POST /registry/models/{m}/rollout/advance      {"from"?, "why"?}
 *   POST /registry/models/{m}/rollout/abort        {"why"?}
 *   POST /registry/models/{m}/versions/{v}/retire  {"retired": true, "why"?}
 *
 * A change answers {"model", "version", "changed"}. Its caller, its reason and what became of it go into the log of the registry and the audit log.
 */

const MODELS = '/registry/models';
const MODEL = `${MODELS}/:model`;
/** Models of a list, and events of an answer. */
const MOST_MODELS = 1000;
const MOST_EVENTS = 1000;
/** Pushes at a time: each holds its file, and loads it once. */
const MOST_PUSHES = 4;
/** What the log calls a caller that nobody knows. */
const ANYONE = 'anyone';

/** What a change came to. */
interface Done {
  readonly version: Pick<Version, 'version' | 'sha256'> | null;
  readonly changed: boolean;
}

/** A change that is asked for. */
interface Change {
  readonly c: Context;
  readonly model: string;
  /** notes the reason, as soon as it is known */
  act(why: unknown): { readonly by: string; readonly why?: string };
}

/** @throws Error where the service has no registry */
export function addRegistry(app: Hono, core: Core): void {
  if (!core.registry)
    throw new Error('registryApi: expected a service with a registry, got none; createService({ registry })');
  const routes = new Routes(core, core.registry);
  app.get(MODELS, (c) => routes.read(() => routes.list(c)));
  app.get(MODEL, (c) => routes.read(() => routes.show(c)));
  app.get(`${MODEL}/events`, (c) => routes.read(() => routes.events(c)));
  app.get(`${MODEL}/versions/:version/file`, (c) => routes.read(() => routes.file(c)));
  app.get(`${MODEL}/versions/:version/signature`, (c) => routes.read(() => routes.signature(c)));
  const post = (path: string, what: string, make: (change: Change) => Promise<Done>) =>
    app.post(`${MODEL}${path}`, (c) => routes.change(c, what, make));
  post('/versions', 'pushed', (change) => routes.push(change));
  post('/versions/:version/signature', 'signed', (change) => routes.sign(change));
  post('/aliases/:alias', 'aliased', (change) => routes.alias(change));
  post('/rollback', 'rolled-back', (change) => routes.rollback(change));
  post('/rollout', 'rollout-started', (change) => routes.startRollout(change));
  post('/rollout/advance', 'rollout-advanced', (change) => routes.advance(change));
  post('/rollout/abort', 'rollout-ended', (change) => routes.abort(change));
  post('/versions/:version/retire', 'retired', (change) => routes.retire(change));
}

class Routes {
  readonly #core: Core;
  readonly #registry: ServedRegistry;
  #pushes = 0;

  constructor(core: Core, registry: ServedRegistry) {
    this.#core = core;
    this.#registry = registry;
  }

  async read(make: () => Promise<Response>): Promise<Response> {
    try {
      return await make();
    } catch (error) {
      throw this.#told(error, null);
    }
  }

  async list({ req: { raw } }: Context): Promise<Response> {
    const caller = callerOf(raw);
    const { search = '' } = queryOf(raw);
    const [{ entries }, damage] = await readable(Promise.all([this.#registry.state(), this.#registry.damage()]));
    const found = [...entries.values()].filter(
      ({ name }) => (!caller || caller.may('read', name)) && name.toLowerCase().includes(search.toLowerCase()),
    );
    const models = found.slice(0, MOST_MODELS).map((entry) => tellShortly(entry, raw));
    return jsonResponse({ matches: found.length, damaged: damage.length, models });
  }

  async show(c: Context): Promise<Response> {
    const { state, entry } = await this.#find(c);
    return jsonResponse(await tell(this.#core, state, entry, c.req.raw));
  }

  async events(c: Context): Promise<Response> {
    const { after, count } = queryOf(c.req.raw);
    const { entry } = await this.#find(c);
    const most = Math.min(whole('count', count, MOST_EVENTS), MOST_EVENTS);
    const from = whole('after', after, 0);
    const found = eventsOf(await this.#registry.events(), entry).filter(({ seq }) => seq > from);
    // without a beginning the last ones are asked for
    const events = after === undefined ? found.slice(Math.max(0, found.length - most)) : found.slice(0, most);
    return jsonResponse({ matches: found.length, events });
  }

  async file(c: Context): Promise<Response> {
    const { entry } = await this.#find(c);
    const version = versionFound(entry, versionAt(c.req.param('version')!));
    const { name, version: number, sha256, modelSha256, isRetired } = version;
    let bytes: Uint8Array;
    try {
      bytes = await this.#registry.file(version);
    } catch (error) {
      if (!isRetired) throw error;
      const message = `version ${number} of ${name}: expected its file, got none: it is retired and was collected; push it again`;
      throw new Refusal(404, 'ERR_REGISTRY', message);
    }
    return new Response(bytes as BodyInit, {
      headers: {
        'content-type': 'application/octet-stream',
        'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(`${name}-${number}.safetensors`)}`,
        'x-content-type-options': 'nosniff',
        'x-model-name': encodeURIComponent(name),
        'x-model-version': String(number),
        // as answers have it
        ...(modelSha256 !== null && { 'x-model-sha256': modelSha256 }),
        'repr-digest': `sha-256=:${base64OfHex(sha256)}:`,
      },
    });
  }

  async signature(c: Context): Promise<Response> {
    const { entry } = await this.#find(c);
    const version = versionFound(entry, versionAt(c.req.param('version')!));
    const signature = await this.#registry.signature(version);
    if (!signature) throw unknown(`signature of version ${version.version} of ${entry.name}`);
    return new Response(signature as BodyInit, {
      headers: { 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff' },
    });
  }

  async sign({ c, model, act }: Change): Promise<Done> {
    const by = act(queryOf(c.req.raw)['why']);
    const file = await fileOf(c.req.raw, this.#core, 'signature');
    const { entry } = await this.#find(c);
    const version = versionFound(entry, versionAt(c.req.param('version')!));
    await this.#registry.sign(model, version.version, file, by);
    return { version, changed: true };
  }

  /** Does what a client asks, and tells the audit log before the answer leaves. */
  async change(c: Context, what: string, make: (change: Change) => Promise<Done>): Promise<Response> {
    const { raw } = c.req;
    const id = givenId(raw) ?? crypto.randomUUID();
    const model = c.req.param('model')!;
    const caller = callerName(raw);
    let why: string | undefined;
    const act = (given: unknown) => {
      why = whyOf(given);
      return { by: caller ?? ANYONE, ...(why !== undefined && { why }) };
    };
    const told = (status: number, version: Done['version']): ClientChange => ({
      ...{ caller, id, protocol: 'registry', what, model, status, why: why ?? null },
      version: version ? String(version.version) : null,
      sha256: version?.sha256 ?? null,
    });
    try {
      refuseForeign(raw);
      const { version, changed } = await make({ c, model, act });
      if (changed) this.#core.onChange();
      await this.#core.changed(told(200, version));
      return jsonResponse({ model, version: version?.version ?? null, changed });
    } catch (error) {
      const refusal = this.#told(error, id);
      // of what was made and could not be kept enough was said
      if (refusal.code !== 'ERR_AUDIT') await this.#core.changed(told(refusal.status, null));
      return this.#core.refused(refusal, id);
    }
  }

  async push({ c, model, act }: Change): Promise<Done> {
    const { alias, why, ...said } = saidOf(queryOf(c.req.raw));
    const by = act(why);
    if (this.#pushes >= MOST_PUSHES)
      throw new Refusal(503, 'ERR_BUSY', `push: expected at most ${MOST_PUSHES} at a time, got more; try again`, {
        headers: { 'retry-after': '1' },
      });
    this.#pushes++;
    try {
      const file = await fileOf(c.req.raw, this.#core);
      await readable(this.#registry.state());
      const { version, isNew } = await this.#pushed({ ...by, ...said, name: model, file });
      if (alias !== null) await this.#name(model, version.version, alias, by);
      return { version, changed: isNew || alias !== null };
    } finally {
      this.#pushes--;
    }
  }

  /** What is no model file is the client's. */
  async #pushed(push: Parameters<ServedRegistry['push']>[0]) {
    try {
      return await this.#registry.push(push);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      throw code === 'ERR_FORMAT' ? new Refusal(400, code, message) : error;
    }
  }

  /** The version is there already: who asked is told so. */
  async #name(model: string, version: number, alias: string, act: ReturnType<Change['act']>): Promise<void> {
    try {
      await this.#registry.alias(model, version, alias, act);
    } catch (error) {
      const { status, code, message, headers } = inRegistry(error);
      throw new Refusal(status, code, `${message} (the file is version ${version}, without that alias)`, { headers });
    }
  }

  async alias(change: Change): Promise<Done> {
    const { body, by, entry } = await this.#asked(change, ['version', 'why']);
    const alias = change.c.req.param('alias')!;
    if (!('version' in body))
      throw badRequest('body: expected a version, got none; send a number, or null to take it away');
    const version = body['version'] === null ? null : versionFound(entry, versionIn('version', body['version']));
    await this.#registry.alias(change.model, version?.version ?? null, alias, by);
    return { version, changed: (entry.aliases.get(alias) ?? null) !== (version?.version ?? null) };
  }

  async rollback(change: Change): Promise<Done> {
    const { body, by, entry } = await this.#asked(change, ['to', 'why']);
    const to = body['to'] ?? null;
    const wanted = to === null ? null : versionFound(entry, versionIn('to', to)).version;
    const number = await this.#registry.rollback(change.model, wanted, by);
    return { version: versionFound(entry, number), changed: entry.aliases.get('champion') !== number };
  }

  async startRollout(change: Change): Promise<Done> {
    const { body, by, entry } = await this.#asked(change, ['challenger', 'plan', 'why']);
    const { challenger } = body;
    const version =
      typeof challenger === 'string'
        ? versionFound(entry, entry.aliases.get(challenger) ?? null, `alias ${JSON.stringify(challenger.slice(0, 64))}`)
        : versionFound(entry, versionIn('challenger', challenger));
    await this.#registry.startRollout(change.model, version.version, planOf(body['plan']), by);
    return { version, changed: true };
  }

  async advance(change: Change): Promise<Done> {
    const { body, by, entry } = await this.#asked(change, ['from', 'why']);
    const { from } = body;
    if (from !== undefined && !(Number.isSafeInteger(from) && (from as number) >= 0))
      throw badRequest('from: expected the index of a step, got something else; leave it out for the one that goes on');
    const changed = await this.#registry.advanceRollout(change.model, by, from as number | undefined);
    return { version: challengerOf(entry), changed };
  }

  async abort(change: Change): Promise<Done> {
    const { by, entry } = await this.#asked(change, ['why']);
    const changed = await this.#registry.endRollout(change.model, 'aborted', by);
    return { version: challengerOf(entry), changed };
  }

  async retire(change: Change): Promise<Done> {
    const { body, by, entry } = await this.#asked(change, ['retired', 'why']);
    const { retired } = body;
    if (typeof retired !== 'boolean')
      throw badRequest('retired: expected true or false, got something else; true takes the version out of use');
    const version = versionFound(entry, versionAt(change.c.req.param('version')!));
    await this.#registry.retire(change.model, version.version, by, retired);
    return { version, changed: version.isRetired !== retired };
  }

  async #asked({ c, act }: Change, known: readonly string[]) {
    const body = await membersOf(c.req.raw, this.#core, known);
    const by = act(body['why']);
    return { body, by, ...(await this.#find(c)) };
  }

  /** @throws Refusal 404 */
  async #find(c: Context): Promise<{ readonly state: State; readonly entry: Entry }> {
    const name = c.req.param('model')!;
    const state = await readable(this.#registry.state());
    const entry = state.entries.get(name);
    if (!entry) throw unknown(`model ${JSON.stringify(name.slice(0, 128))}`);
    return { state, entry };
  }

  /** What a client is told of an error. Of a place that does not answer the log has more. */
  #told(error: unknown, id: string | null): Refusal {
    const refusal = inRegistry(error);
    if (refusal.status >= 500 && refusal !== error)
      this.#core.log({ level: 'error', event: 'registry', id, reason: (error as Error).message });
    return refusal;
  }
}

const base64OfHex = (hex: string): string =>
  btoa(hex.replace(/../g, (digits) => String.fromCharCode(Number.parseInt(digits, 16))));

/** @throws Refusal 404 */
function versionFound({ versions, name }: Entry, version: number | null, what = `version ${version}`): Version {
  const found = version === null ? undefined : versions.get(version);
  if (found) return found;
  throw unknown(`${what} of ${name}`);
}

const challengerOf = ({ rollout, versions }: Entry): Version | null =>
  rollout ? versions.get(rollout.challenger)! : null;

/** @throws Refusal 400 */
function whole(name: string, given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  if (/^\d{1,15}$/.test(given)) return Number(given);
  throw badRequest(`${name}: expected a whole number, got something else; correct it, or leave it out`);
}
