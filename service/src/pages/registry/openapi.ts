import type { Core, Description } from '../../core.ts';
import { callerOf } from '../../requests/caller.ts';
import { inPath, inQuery, json, operation, plain, refusals, type Told } from '../api/operations.ts';
import { object, ref } from '../api/schemas.ts';

const text = { type: 'string' };
const orNull = { type: ['string', 'null'] };
const count = { type: 'integer', minimum: 0 };
const version = { type: 'integer', minimum: 1 };
const number = { type: 'number' };
const share = { type: 'number', minimum: 0, maximum: 1 };
const digest = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const time = { type: 'string', format: 'date-time' };
const listOf = (items: object) => ({ type: 'array', items });
const orNone = (schema: object) => ({ anyOf: [schema, { type: 'null' }] });
const mapOf = (schema: object) => ({ type: 'object', additionalProperties: schema });
const why = { type: 'string', maxLength: 1000, description: 'the reason, which the log keeps' };

/** Made when it is asked for: a bundle cannot drop calls. */
function schemas(): Description['schemas'] {
  const ratio = { ...number, minimum: 1 };
  const GUARDS = {
    ...{ alpha: number, minRequests: version, errorRatio: ratio, latencyRatio: ratio, slowSeconds: number },
    ...{ maxDisagreement: share, maxPsi: number, maxLogLossIncrease: number },
  };
  const HISTOGRAM = object({ ends: listOf(number), counts: listOf(count) });
  const PLAN = object(
    {
      kind: { type: 'string', enum: ['canary', 'blue-green', 'shadow', 'ab'] },
      steps: {
        ...listOf(
          object({
            share,
            holdSeconds: {
              type: ['number', 'null'],
              description: 'before the next step; null: until somebody advances',
            },
          }),
        ),
        minItems: 1,
      },
      arms: listOf(object({ name: text, version, share })),
      key: { ...text, description: 'what assignment is sticky to: a field, or header:NAME' },
      salt: { ...text, minLength: 1 },
      guards: object(GUARDS, ...Object.keys(GUARDS)),
      isAutomatic: { type: 'boolean' },
      promotes: { type: 'boolean', description: 'whether the challenger becomes champion after the last step' },
    },
    ...['arms', 'key', 'guards', 'isAutomatic', 'promotes'],
  );
  const LINEAGE = { data: text, schema: text, command: text, parent: version, run: text };
  const MAY = listOf({ type: 'string', enum: ['read', 'push', 'promote'] });

  return {
    RegistryModels: object({
      matches: count,
      damaged: { ...count, description: 'lines of the log that are damaged' },
      models: listOf(
        object({
          name: text,
          versions: count,
          champion: orNone(version),
          at: time,
          rollout: orNone(object({ kind: text, challenger: version, share })),
          may: MAY,
        }),
      ),
    }),
    RegistryVersion: object({
      version,
      sha256: { ...digest, description: 'of its file' },
      modelSha256: { ...orNone(digest), description: 'of the model, as answers have it; null: it is not known' },
      at: time,
      by: text,
      aliases: listOf(text),
      tags: mapOf(text),
      metrics: mapOf({ type: ['number', 'null'] }),
      lineage: object(LINEAGE, ...Object.keys(LINEAGE)),
      signedBy: { ...listOf(text), description: 'ids of keys' },
      why: orNull,
      bytes: count,
      retired: { type: 'boolean' },
      gate: orNone(object({ passed: { type: 'boolean' }, against: orNone(version), failed: listOf(text), at: time })),
    }),
    RolloutPlan: PLAN,
    Rollout: object({
      ...{ seq: version, plan: ref('RolloutPlan'), champion: version, challenger: version, step: count, share },
      ...{ since: time, startedBy: text, outcome: orNull, why: orNull },
      holdLeft: { type: ['number', 'null'], description: 'seconds before the next step may follow' },
    }),
    Routing: object({
      id: text,
      breach: orNone(object({ guard: text, why: text, requests: count })),
      requests: mapOf(count),
      guards: listOf(
        object({ guard: text, limit: number, seen: { type: ['number', 'null'] }, count, p: share }, 'limit'),
      ),
      pairs: object({ scored: count, dropped: count, skipped: count, failed: count }),
      unkeyed: count,
    }),
    RegistryModel: object({
      name: text,
      versions: listOf(ref('RegistryVersion')),
      aliases: mapOf(version),
      champions: { ...listOf(version), description: 'versions that were champion, the last one last' },
      rollout: orNone(ref('Rollout')),
      routing: { ...orNone(ref('Routing')), description: 'what this process does and has seen' },
      traffic: {
        ...listOf(
          object({
            ...{ version: text, requests: count, refused: count, failed: count, rows: count, rowsRefused: count },
            ...{ seconds: HISTOGRAM, probabilities: HISTOGRAM },
          }),
        ),
        description: 'of the versions that answer, since they were loaded',
      },
      may: MAY,
    }),
    RegistryEvents: object({
      matches: count,
      events: listOf({ type: 'object', required: ['seq', 'event', 'at', 'by'] }),
    }),
    RegistryChange: object({
      model: text,
      version: orNone(version),
      changed: { type: 'boolean', description: 'false: it was so before, or somebody was first' },
    }),
  };
}

const BINARY = 'application/octet-stream';

/** A model and a version of it, with which examples work. */
interface Subject {
  readonly name?: string;
  readonly version?: number;
  readonly champion?: number;
}

/** The first model that the caller may read, and a version that no alias names. */
async function subjectOf({ registry }: Core, request: Request): Promise<Subject> {
  const caller = callerOf(request);
  try {
    const { entries } = await registry!.state();
    const entry = [...entries.values()].find(({ name }) => !caller || caller.may('read', name));
    if (!entry) return {};
    const { name, versions, aliases, rollout } = entry;
    const named = new Set([...aliases.values(), ...(rollout?.outcome === null ? [rollout.challenger] : [])]);
    const all = [...versions.values()].reverse();
    const found = all.find(({ version, isRetired }) => !named.has(version) && !isRetired) ?? all[0];
    return { name, version: found.version, champion: aliases.get('champion') ?? found.version };
  } catch {
    // a registry that is away is described without examples
    return {};
  }
}

export async function describeRegistry(core: Core, request: Request): Promise<Description> {
  const subject = await subjectOf(core, request);
  const [read, change] = [refusals(400, 404, 503), refusals(400, 404, 409, 413, 415, 503, 504)];
  const model = inPath('model', 'name of a model of the registry', subject.name);
  const one = inPath(
    'version',
    'number of a version',
    subject.version === undefined ? undefined : String(subject.version),
  );
  const alias = inPath('alias', 'champion, challenger, or another name', 'candidate');
  const get = (id: string, summary: string, answers: Told['answers'], parameters: readonly object[]) => ({
    get: operation({ id, summary, tag: 'registry', parameters, answer: 'it is so', answers, refused: read }),
  });
  const body = (properties: Readonly<Record<string, object>>, optional: readonly string[], example: object) =>
    json(object({ ...properties, why }, ...optional, 'why'), { 'with a reason': { ...example, why: 'an example' } });
  const post = (id: string, summary: string, contents: Told['body'], parameters: readonly object[] = [model]) => ({
    post: operation({
      ...{ id, summary, tag: 'registry', parameters, body: contents, refused: change },
      ...{ answer: 'it is done', answers: json(ref('RegistryChange')) },
    }),
  });
  const number_ = subject.version ?? 1;
  const plan = { kind: 'canary', salt: 'autumn', steps: [0.05, 0.5].map((share) => ({ share, holdSeconds: 3600 })) };
  const at = '/registry/models/{model}';
  return {
    tags: { registry: 'The registry: versions of models, and which of them answers' },
    schemas: schemas(),
    paths: {
      '/registry': {
        get: operation({
          id: 'registryPage',
          summary: 'A page of the registry',
          tag: 'registry',
          answer: 'the page',
          answers: plain('text/html'),
        }),
      },
      '/registry/models': get(
        'registryModels',
        'Models of the registry that the caller may read',
        json(ref('RegistryModels')),
        [inQuery('search', { ...text, description: 'a part of their names' })],
      ),
      [at]: get('registryModel', 'Versions, aliases and rollout of a model', json(ref('RegistryModel')), [model]),
      [`${at}/events`]: get(
        'registryEvents',
        'What happened to a model, the last events',
        json(ref('RegistryEvents')),
        [
          model,
          inQuery('after', { ...count, description: 'events behind this number, the first ones first' }),
          inQuery('count', { ...count, maximum: 1000, description: 'greatest number of events' }),
        ],
      ),
      [`${at}/versions/{version}/file`]: get(
        'registryFile',
        'The file of a version',
        { [BINARY]: { schema: { type: 'string', format: 'binary' } } },
        [model, one],
      ),
      [`${at}/versions/{version}/signature`]: {
        ...get(
          'registrySignature',
          'The signature beside a version',
          { [BINARY]: { schema: { type: 'string', format: 'binary' } } },
          [model, one],
        ),
        ...post(
          'registrySign',
          'Put a signature beside a version',
          { [BINARY]: { schema: { type: 'string', format: 'binary', description: 'a bundle of model signing' } } },
          [model, one, inQuery('why', why)],
        ),
      },
      [`${at}/versions`]: post(
        'registryPush',
        'Make a model file a version; query also: tag.NAME, metric.NAME, lineage.NAME',
        { [BINARY]: { schema: { type: 'string', format: 'binary', description: 'a model file of at most 16 MiB' } } },
        [
          model,
          inQuery('alias', { ...text, description: 'an alias that names it then; needs the scope promote' }),
          inQuery('why', why),
        ],
      ),
      [`${at}/aliases/{alias}`]: post(
        'registryAlias',
        'Have an alias name a version; champion: promote it',
        body({ version: { ...orNone(version), description: 'null: the alias names none' } }, [], {
          version: subject.champion ?? 1,
        }),
        [model, alias],
      ),
      [`${at}/rollback`]: post(
        'registryRollback',
        'Have the version before be champion again',
        body({ to: { ...version, description: 'default: the champion before' } }, ['to'], {}),
      ),
      [`${at}/rollout`]: post(
        'rolloutStart',
        'Start a rollout beside the champion',
        body(
          { challenger: { anyOf: [version, text], description: 'a version, or an alias' }, plan: ref('RolloutPlan') },
          [],
          { challenger: number_, plan },
        ),
      ),
      [`${at}/rollout/advance`]: post(
        'rolloutAdvance',
        'Go on to the next step; after the last one the challenger is champion',
        body(
          { from: { ...count, description: 'index of the step that was seen: another goes on, nothing happens' } },
          ['from'],
          { from: 0 },
        ),
      ),
      [`${at}/rollout/abort`]: post('rolloutAbort', 'End a rollout: the champion answers everything', body({}, [], {})),
      [`${at}/versions/{version}/retire`]: post(
        'registryRetire',
        'Take a version out of use, or back into it',
        body({ retired: { type: 'boolean' } }, [], { retired: true }),
        [model, one],
      ),
    },
  };
}
