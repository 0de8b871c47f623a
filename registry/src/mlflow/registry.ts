import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { type LogoddsError, loadModel, type ModelBytes } from 'logodds/score';
import { allStages } from 'logodds/stages';
import { allow } from '../changes/allow.ts';
import { entryOf, versionOf } from '../changes/find.ts';
import type { Verdict } from '../changes/versions.ts';
import { registryError } from '../errors.ts';
import type { Lineage, Metrics, Tags } from '../event.ts';
import type { Fault } from '../log.ts';
import type { Push, Pushed } from '../push.ts';
import { checkAlias, checkName, type Reference } from '../reference.ts';
import type { ModelRegistry } from '../registry.ts';
import { verified } from '../signatures.ts';
import { CHAMPION, type Entry, type Gated, type State, type Version } from '../state.ts';
import type { Act } from '../writer.ts';
import { digestIn, MLMODEL, MODEL_FILE, mlmodelOf, SIGNATURE_FILE, yamlOf } from './mlmodel.ts';
import { isMissing, type MlflowOptions, MlflowRest, saidOf } from './rest.ts';
import { keyOf, MlflowTracking } from './tracking.ts';

type Pair = { readonly key: string; readonly value?: string };
interface VersionJson {
  readonly name: string;
  readonly version: string;
  readonly creation_timestamp?: number | string;
  readonly user_id?: string;
  readonly description?: string;
  readonly source?: string;
  readonly run_id?: string;
  readonly tags?: readonly Pair[];
}
interface ModelJson {
  readonly name: string;
  readonly aliases?: readonly { readonly alias: string; readonly version: string }[];
}

/** Tags of a version that say what our own log would say. */
const TAG = {
  sha256: 'logodds.sha256',
  modelSha256: 'logodds.modelSha256',
  bytes: 'logodds.bytes',
  by: 'logodds.by',
  why: 'logodds.why',
  metrics: 'logodds.metrics',
  lineage: 'logodds.lineage',
  keys: 'logodds.signedBy',
  gate: 'logodds.gate',
} as const;
const OWN: ReadonlySet<string> = new Set(Object.values(TAG));

/** The experiment of runs that hold models which no run of an experiment holds. */
const EXPERIMENT = 'logodds';

/** What MLflow's registry has no place for. */
const REFUSED = {
  events: 'a log of events',
  sign: 'signatures apart from a push',
  retire: 'versions that are retired',
  demand: 'demands before an alias is moved',
  startRollout: 'rollouts',
  advanceRollout: 'rollouts',
  endRollout: 'rollouts',
  verify: 'a log of events',
  collect: 'files that no version has',
  unused: 'files that no version has',
} as const;
type RefusedName = keyof typeof REFUSED;

/**
 * The registry of an MLflow server, by the methods of `Registry` for which MLflow has a place: versions with their files, aliases and tags. The others are
 * refused by name.
 *
 * A model is logged in a run with an `MLmodel` file (flavor `logodds`, a signature of inputs and outputs), so MLflow's pages and clients list it. Its SHA-256
 * is the tag `logodds.sha256`, and is checked whenever a file comes back, which MLflow does not do. MLflow has no conditional writes: of two who move an alias
 * at once the last one wins, and of two who push one file at once both get a version.
 */
export class MlflowRegistry implements ModelRegistry {
  readonly #rest: MlflowRest;
  readonly #tracking: MlflowTracking;
  readonly events = refused('events');
  readonly sign = refused('sign');
  readonly retire = refused('retire');
  readonly demand = refused('demand');
  readonly startRollout = refused('startRollout');
  readonly advanceRollout = refused('advanceRollout');
  readonly endRollout = refused('endRollout');
  readonly verify = refused('verify');
  readonly collect = refused('collect');
  readonly unused = refused('unused');

  /** @param url  as of `MlflowRest` @throws ERR_STORE */
  constructor(url: string, options?: MlflowOptions) {
    this.#rest = new MlflowRest(url, options);
    this.#tracking = new MlflowTracking(this.#rest);
  }

  /** MLflow has no log that could be damaged. */
  async damage(): Promise<readonly Fault[]> {
    return [];
  }

  get place(): string {
    return `mlflow+${this.#rest.place}`;
  }

  /** MLflow has no demands, so none is unmet. */
  async unmet(): Promise<string[]> {
    return [];
  }

  /** All models with all versions. @throws ERR_STORE */
  async state(): Promise<State> {
    const versions = new Map<string, Version[]>();
    for await (const one of this.#pages<VersionJson>('model-versions/search', 'model_versions', {}))
      versions.set(one.name, [...(versions.get(one.name) ?? []), versionIn(one)]);
    const entries = new Map<string, Entry>();
    for await (const model of this.#pages<ModelJson>('registered-models/search', 'registered_models', {}))
      entries.set(model.name, entryIn(model, versions.get(model.name) ?? []));
    return stateWith(entries);
  }

  /** @throws ERR_REGISTRY where there is none of the name; ERR_STORE */
  async entry(name: string): Promise<Entry> {
    let model: ModelJson;
    try {
      ({ registered_model: model } = await this.#rest.ask<{ registered_model: ModelJson }>('registered-models/get', {
        query: { name },
      }));
    } catch (error) {
      // with the names that there are
      if (isMissing(error)) return entryOf(await this.state(), name);
      throw error;
    }
    const filter = filterOf(name);
    const versions: Version[] = [];
    for await (const one of this.#pages<VersionJson>('model-versions/search', 'model_versions', filter))
      if (one.name === name) versions.push(versionIn(one));
    return entryIn(model, versions);
  }

  /** The version that a reference names. @throws ERR_REGISTRY, ERR_STORE */
  async resolve(reference: Reference): Promise<Version> {
    const entry = await this.entry(reference.name);
    const version = versionOf(stateWith(new Map([[entry.name, entry]])), reference);
    if (version.sha256 !== '') return version;
    // registered from a run by a client of MLflow: the file beside the model tells its digest
    const text = await this.#rest.download(`${await this.#folder(version)}/${MLMODEL}`);
    const digest = text && digestIn(new TextDecoder().decode(text));
    if (digest) return { ...version, sha256: digest };
    throw registryError(
      'ERR_REGISTRY',
      `version ${version.version} of ${version.name}: expected a model of logodds (the tag ${TAG.sha256}, or a flavor in ${MLMODEL}), got another; logodds push puts one there`,
    );
  }

  /** The file of a version, whose digest is checked. @throws ERR_STORE */
  async file(version: Pick<Version, 'sha256' | 'name' | 'version'>): Promise<Uint8Array> {
    const bytes = await this.#rest.download(`${await this.#folder(version)}/${MODEL_FILE}`);
    const what = `version ${version.version} of ${version.name}`;
    if (!bytes)
      throw registryError(
        'ERR_STORE',
        `${this.place}: expected the file of ${what} (${MODEL_FILE}), got none; push the model again`,
      );
    const found = bytesToHex(sha256(bytes));
    if (found !== version.sha256)
      throw registryError(
        'ERR_STORE',
        `${this.place}: expected a file with the digest ${version.sha256} for ${what}, got ${found}; it was changed: push the model again`,
      );
    return bytes;
  }

  /** The signature beside a version; null: there is none. @param version  of a name too, since MLflow keeps files by versions @throws ERR_STORE */
  async signature(version: Pick<Version, 'sha256'> & Partial<Pick<Version, 'name' | 'version'>>) {
    const { name, version: number } = version;
    if (name === undefined || number === undefined) throw refusal('signatures by digest alone');
    return this.#rest.download(`${await this.#folder({ name, version: number })}/${SIGNATURE_FILE}`);
  }

  /**
   * Logs a model file and makes it a version of a name. A file that is a version of that name already stays that one.
   * @throws ERR_FORMAT for what is no model file; ERR_REGISTRY, ERR_STORE
   */
  async push(push: Push): Promise<Pushed> {
    const { file, signature, trust, tags = {}, metrics = {}, lineage = {}, by, why } = push;
    const name = checkName(push.name);
    const { sha256: modelSha256 } = loadModel(file as ModelBytes, allStages);
    const digest = bytesToHex(sha256(file));
    const signedBy = signature ? await verified({ sha256: digest, name, signature, trust }, this.#rest.now()) : [];
    await this.#make(name);
    const before = [...(await this.entry(name)).versions.values()].find((one) => one.sha256 === digest);
    // MLflow has no demands
    if (before) return { version: before, isNew: false, signedBy, unmet: [] };
    const experiment = await this.#tracking.experiment(EXPERIMENT);
    const run = await this.#tracking.start(experiment, `push ${name}`, { 'logodds.command': 'push', [TAG.by]: by });
    let isDone = false;
    try {
      const kept = { file, sha256: digest, runId: run.id, at: this.#rest.now() };
      const upload = (path: string, bytes: Uint8Array) => this.#tracking.upload(run, `model/${path}`, bytes);
      await upload(MODEL_FILE, file);
      if (signature) await upload(SIGNATURE_FILE, signature);
      // last: what it names is there
      await upload(MLMODEL, new TextEncoder().encode(yamlOf(mlmodelOf(kept))));
      const points = Object.entries(metrics).flatMap(([key, value]) =>
        value === null ? [] : [{ key, value, step: 0 }],
      );
      await this.#tracking.log(run.id, { metrics: points });
      const told = {
        [TAG.sha256]: digest,
        ...(modelSha256 !== null && { [TAG.modelSha256]: modelSha256 }),
        [TAG.bytes]: String(file.length),
        [TAG.by]: by,
        ...(why && { [TAG.why]: why }),
        ...(Object.keys(metrics).length > 0 && { [TAG.metrics]: JSON.stringify(metrics) }),
        ...(Object.keys(lineage).length > 0 && { [TAG.lineage]: JSON.stringify(lineage) }),
        ...(signedBy.length > 0 && { [TAG.keys]: signedBy.join(' ') }),
      };
      const { model_version } = await this.#rest.ask<{ model_version: VersionJson }>('model-versions/create', {
        json: {
          ...{ name, source: `${run.artifacts}/model`, run_id: run.id },
          tags: Object.entries({ ...checkedTags(tags), ...told }).map(([key, value]) => ({ key, value })),
          ...(why && { description: why }),
        },
        isRepeatable: false,
      });
      isDone = true;
      return { version: versionIn(model_version), isNew: true, signedBy, unmet: [] };
    } finally {
      // a run that nobody ends would look as if it went on; what stopped the push is said, not this
      await this.#tracking.end(run.id, isDone ? 'FINISHED' : 'FAILED').catch(() => {});
    }
  }

  /** Has an alias name a version, or none. @throws ERR_REGISTRY, ERR_STORE */
  async alias(name: string, version: number | null, alias: string, _act: Act): Promise<void> {
    if (/[^\w-]/.test(checkAlias(alias)))
      throw registryError(
        'ERR_REGISTRY',
        `alias: expected letters, digits, dashes and underscores, as MLflow has them, got ${alias}; choose another`,
      );
    const entry = await this.entry(name);
    if ((entry.aliases.get(alias) ?? null) === version) return;
    if (version === null) {
      await this.#rest.ask('registered-models/alias', { method: 'DELETE', json: { name, alias } });
      return;
    }
    const state = stateWith(new Map([[name, entry]]));
    allow(state, versionOf(state, { name, version }), alias);
    await this.#rest.ask('registered-models/alias', { json: { name, alias, version: String(version) } });
  }

  /** Has `champion` name another version. @param to  MLflow does not know what it named before @throws ERR_REGISTRY, ERR_STORE */
  async rollback(name: string, to: number | null, act: Act): Promise<number> {
    if (to === null)
      throw registryError(
        'ERR_REGISTRY',
        `${name}: expected a version, since MLflow does not keep what was champion before, got none; name one by --to`,
      );
    await this.alias(name, to, CHAMPION, act);
    return to;
  }

  /** Sets tags of a version; null takes one away. @throws ERR_REGISTRY, ERR_STORE */
  async tag(name: string, version: number, tags: Readonly<Record<string, string | null>>, _act: Act): Promise<void> {
    checkedTags(tags);
    const { tags: before } = versionOf(stateWith(new Map([[name, await this.entry(name)]])), { name, version });
    for (const [key, value] of Object.entries(tags)) {
      if ((before[key] ?? null) === value) continue;
      const json = { name, version: String(version), key };
      if (value === null) await this.#rest.ask('model-versions/delete-tag', { method: 'DELETE', json });
      else await this.#rest.ask('model-versions/set-tag', { json: { ...json, value } });
    }
  }

  /** Keeps what a gate said of a version, as the tag `logodds.gate`: one that failed is not promoted. @throws ERR_REGISTRY, ERR_STORE */
  async gated(name: string, version: number, { against, passed, failed }: Verdict, _act: Act): Promise<void> {
    versionOf(stateWith(new Map([[name, await this.entry(name)]])), { name, version });
    const at = new Date(this.#rest.now()).toISOString();
    const value = JSON.stringify({ passed, against, failed, at } satisfies Gated);
    await this.#rest.ask('model-versions/set-tag', { json: { name, version: String(version), key: TAG.gate, value } });
  }

  /** Makes a registered model, unless there is one of the name. */
  async #make(name: string): Promise<void> {
    try {
      await this.#rest.ask('registered-models/create', { json: { name } });
    } catch (error) {
      if (saidOf(error)?.code !== 'RESOURCE_ALREADY_EXISTS') throw error;
    }
  }

  /** Where the files of a version are, among the artifacts of the server. */
  async #folder({ name, version }: Pick<Version, 'name' | 'version'>): Promise<string> {
    const { artifact_uri: uri } = await this.#rest.ask<{ artifact_uri: string }>('model-versions/get-download-uri', {
      query: { name, version },
    });
    const [, runId, path] = /^runs:\/+([^/]+)\/(.+)$/.exec(uri) ?? [];
    if (runId === undefined) return this.#rest.artifactPath(uri).replace(/\/+$/, '');
    const run = await this.#tracking.run(runId);
    if (run) return `${this.#rest.artifactPath(run.artifacts)}/${path}`;
    throw registryError(
      'ERR_REGISTRY',
      `version ${version} of ${name}: expected the run ${runId} that has its file, got none; it was deleted: push the model again`,
    );
  }

  async *#pages<T>(path: string, member: string, query: Readonly<Record<string, string>>): AsyncGenerator<T> {
    let page_token: string | undefined;
    do {
      const page = await this.#rest.ask<Record<string, unknown>>(path, {
        query: { ...query, max_results: 1000, page_token },
      });
      yield* (page[member] ?? []) as T[];
      page_token = (page['next_page_token'] as string) || undefined;
    } while (page_token !== undefined);
  }
}

/**
 * Opens the registry of an MLflow server.
 * @param url  mlflow+http://HOST:PORT, or https
 * @throws ERR_STORE for another form, or one with a password in it
 */
export const openMlflow = (url: string, options?: MlflowOptions): MlflowRegistry => new MlflowRegistry(url, options);

/** A method that says why it does nothing. */
const refused =
  (name: RefusedName): ((...given: readonly unknown[]) => Promise<never>) =>
  () =>
    Promise.reject(refusal(REFUSED[name]));

const refusal = (what: string): LogoddsError =>
  registryError(
    'ERR_REGISTRY',
    `registry: expected a directory or a bucket, which have ${what}, got MLflow, which has none; name another by --registry`,
  );

function entryIn({ name, aliases = [] }: ModelJson, versions: readonly Version[]): Entry {
  const known = new Map(aliases.map(({ alias, version }) => [alias, Number(version)]));
  return {
    name,
    versions: new Map([...versions].sort((a, b) => a.version - b.version).map((one) => [one.version, one])),
    aliases: known,
    champions: [known.get(CHAMPION)].filter((version) => version !== undefined),
    rollout: null,
  };
}

function versionIn(json: VersionJson): Version {
  const all = Object.fromEntries((json.tags ?? []).map(({ key, value = '' }) => [key, value]));
  const bytes = Number(all[TAG.bytes]);
  return {
    name: json.name,
    version: Number(json.version),
    // of another maker, or registered by another client: see `resolve`
    sha256: /^[0-9a-f]{64}$/.test(all[TAG.sha256] ?? '') ? all[TAG.sha256]! : '',
    modelSha256: /^[0-9a-f]{64}$/.test(all[TAG.modelSha256] ?? '') ? all[TAG.modelSha256]! : null,
    bytes: Number.isSafeInteger(bytes) ? bytes : 0,
    at: new Date(Number(json.creation_timestamp ?? 0)).toISOString(),
    by: all[TAG.by] ?? json.user_id ?? '',
    why: all[TAG.why] ?? (json.description || null),
    metrics: objectIn<Metrics>(all[TAG.metrics]),
    lineage: { ...objectIn<Lineage>(all[TAG.lineage]), ...(json.run_id && { run: json.run_id }) },
    tags: Object.fromEntries(Object.entries(all).filter(([key]) => !OWN.has(key))) as Tags,
    isRetired: false,
    gate: gateIn(all[TAG.gate]),
  };
}

/** JSON of a tag; somebody may have written another text there. */
function objectIn<T extends object>(text = '{}'): T {
  try {
    const value = JSON.parse(text);
    return (value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {}) as T;
  } catch {
    return {} as T;
  }
}

/** What a tag says of a gate. One that cannot be read is no word of a gate: a version must not seem to have passed. */
function gateIn(text: string | undefined): Gated | null {
  const { passed, against, failed, at } = objectIn<Partial<Gated>>(text);
  if (typeof passed !== 'boolean' || typeof at !== 'string') return null;
  const rules = Array.isArray(failed) ? failed.filter((rule) => typeof rule === 'string') : [];
  return { passed, against: Number.isSafeInteger(against) ? against! : null, failed: rules, at };
}

const stateWith = (entries: ReadonlyMap<string, Entry>): State => ({
  entries,
  demands: [],
  signatures: new Map(),
  seq: 0,
  at: null,
  misfits: [],
});

/** MLflow's filters have no way to write a quotation mark of their own kind. */
const filterOf = (name: string): Record<string, string> =>
  !name.includes("'") ? { filter: `name='${name}'` } : !name.includes('"') ? { filter: `name="${name}"` } : {};

/** @throws ERR_REGISTRY for a name that MLflow does not take, or that is ours */
function checkedTags<T extends Readonly<Record<string, string | null>>>(tags: T): T {
  for (const key of Object.keys(tags))
    if (OWN.has(key) || keyOf(key) !== key)
      throw registryError(
        'ERR_REGISTRY',
        `tag: expected letters, digits and _ . - / : as MLflow has them, and none of ${[...OWN].join(', ')}, got ${JSON.stringify(key.slice(0, 100))}; choose another`,
      );
  return tags;
}
