import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { loadModel, type ModelBytes } from 'logodds/score';
import { allStages } from 'logodds/stages';
import { checkPlan } from './checkPlan.ts';
import { registryError } from './errors.ts';
import {
  FIRST,
  FORMAT,
  type Happening,
  type Lineage,
  lineOf,
  type Metrics,
  type Outcome,
  type RegistryEvent,
  type Tags,
} from './event.ts';
import { type Fault, type History, readLog } from './log.ts';
import { checkAlias, checkName, type Reference } from './reference.ts';
import type { RolloutPlan } from './rollout.ts';
import { CHAMPION, type Entry, nextVersion, type State, stateOf, type Version } from './state.ts';
import type { LogText, Store, Stored } from './store.ts';

/** Who does something, and why. */
export interface Act {
  readonly by: string;
  readonly why?: string;
}

/** A model file that becomes a version. */
export interface Push extends Act {
  readonly name: string;
  readonly file: Uint8Array;
  /** whether a version of this file that is retired is to be used again; default false: it is refused */
  readonly restore?: boolean;
  /** put beside the model */
  readonly signature?: Uint8Array;
  /** ids of the keys that signed, which the caller has verified */
  readonly keyIds?: readonly string[];
  readonly tags?: Tags;
  readonly metrics?: Metrics;
  readonly lineage?: Lineage;
}

/** What a push did. */
export interface Pushed {
  readonly version: Version;
  /** false: the file was a version of this name before */
  readonly isNew: boolean;
}

/** What a verification found. */
export interface Verified {
  readonly events: number;
  readonly files: number;
  readonly faults: readonly Fault[];
  /** what is wrong with files and events: one sentence each */
  readonly problems: readonly string[];
}

/** What the garbage collection did. */
export interface Collected {
  readonly removed: readonly string[];
  readonly bytes: number;
  /** files that no version has, but that are too new: a push may be about to name them */
  readonly tooNew: number;
}

export interface RegistryOptions {
  /** milliseconds since 1970; default the clock of the host */
  readonly now?: () => number;
  /** a random id; default `crypto.randomUUID` */
  readonly id?: () => string;
}

/** Attempts of one event before its writer gives up: each means that another event was written. */
const MOST_ATTEMPTS = 1000;
const HOUR = 3_600_000;

export const modelPath = (digest: string): string => `models/${digest}.safetensors`;
export const signaturePath = (digest: string): string => `${modelPath(digest)}.sig`;
const trashPath = (path: string): string => `${path}.trash`;

/**
 * A registry of models in a store: files by their SHA-256, and a log of events, from which everything else is derived. Any number of processes may use one
 * at the same time, and each may be stopped at any moment.
 */
export class Registry {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #id: () => string;
  #read: { readonly log: LogText; readonly history: History; readonly state: State } | null = null;

  constructor(store: Store, { now = Date.now, id = () => crypto.randomUUID() }: RegistryOptions = {}) {
    this.#store = store;
    this.#now = now;
    this.#id = id;
  }

  get place(): string {
    return this.#store.place;
  }

  /** What the registry says now. @throws ERR_STORE, ERR_FORMAT */
  async state(): Promise<State> {
    return (await this.#refresh()).state;
  }

  /** All events, the oldest first. @throws ERR_STORE, ERR_FORMAT */
  async events(): Promise<readonly RegistryEvent[]> {
    return (await this.#refresh()).history.events;
  }

  /** Lines of the log that are damaged. Torn and lost ones lose nothing. @throws ERR_STORE, ERR_FORMAT */
  async damage(): Promise<readonly Fault[]> {
    return (await this.#refresh()).history.faults.filter(({ kind }) => kind === 'damaged');
  }

  /** @throws ERR_REGISTRY where there is none of the name */
  async entry(name: string): Promise<Entry> {
    return entryOf(await this.state(), name);
  }

  /** The version that a reference names. @throws ERR_REGISTRY */
  async resolve(reference: Reference): Promise<Version> {
    return versionOf(await this.state(), reference);
  }

  /** The file of a version, whose digest is checked. @throws ERR_REGISTRY, ERR_STORE, ERR_FORMAT */
  async file({
    sha256: digest,
    name,
    version,
    isRetired = false,
  }: Pick<Version, 'sha256' | 'name' | 'version'> & Partial<Pick<Version, 'isRetired'>>): Promise<Uint8Array> {
    const bytes = await this.#find(modelPath(digest));
    if (!bytes)
      throw registryError(
        'ERR_STORE',
        `${this.place}: expected the file of version ${version} of ${name} (${modelPath(digest)}), got none; ${isRetired ? 'it was collected: logodds push FILE --restore brings it back' : 'put it back from a copy'}`,
      );
    const found = bytesToHex(sha256(bytes));
    if (found !== digest)
      throw registryError(
        'ERR_STORE',
        `${this.place}: expected a file with the digest ${digest} for version ${version} of ${name}, got ${found}; it was changed: put it back from a copy`,
      );
    return bytes;
  }

  /** The signature beside a version; null: there is none. @throws ERR_STORE */
  signature({ sha256: digest }: Pick<Version, 'sha256'>): Promise<Uint8Array | null> {
    return this.#find(signaturePath(digest));
  }

  /**
   * Makes a model file a version of a name. A file that is a version of that name already stays that one.
   * @throws ERR_FORMAT for what is no model file; ERR_REGISTRY, ERR_STORE
   */
  async push(push: Push): Promise<Pushed> {
    const { file, restore = false, signature, keyIds = [], tags, metrics, lineage, ...act } = push;
    const name = checkName(push.name);
    loadModel(file as ModelBytes, allStages);
    const digest = bytesToHex(sha256(file));
    let isNew = true;
    const next = ({ entries }: State): Happening | null => {
      const entry = entries.get(name);
      const same = [...(entry?.versions.values() ?? [])].find((version) => version.sha256 === digest);
      isNew = same === undefined;
      if (same?.isRetired) {
        if (!restore) throw retired(same, 'logodds push --restore takes it back into use');
        return { event: 'retired', name, version: same.version, retired: false };
      }
      if (same) return null;
      const version = nextVersion(entry);
      return {
        event: 'pushed',
        ...{ name, version, sha256: digest, bytes: file.length },
        ...(tags && { tags }),
        ...(metrics && { metrics }),
        ...(lineage && { lineage }),
      };
    };
    // what is refused leaves no file
    next(await this.state());
    await this.#put(modelPath(digest), file);
    if (signature) await this.#store.write(signaturePath(digest), signature);
    for (const keyId of keyIds) await this.#commit({ ...act }, (state) => signed(state, digest, keyId));
    await this.#commit(act, next);
    // a collection that began before may have taken it away
    await this.#put(modelPath(digest), file);
    if (signature && !(await this.#find(signaturePath(digest))))
      await this.#store.write(signaturePath(digest), signature);
    const entry = entryOf(await this.state(), name);
    const version = [...entry.versions.values()].find((one) => one.sha256 === digest)!;
    return { version, isNew };
  }

  /** Puts a signature beside a model file. The caller has verified it. @throws ERR_STORE */
  async sign(digest: string, signature: Uint8Array, keyId: string, act: Act): Promise<void> {
    await this.#store.write(signaturePath(digest), signature);
    await this.#commit(act, (state) => signed(state, digest, keyId));
  }

  /**
   * Has an alias name a version, or none. To move `champion` is to promote.
   * @throws ERR_REGISTRY for a version that is not there or retired, or that has not what the registry demands
   */
  async alias(name: string, version: number | null, alias: string, act: Act): Promise<void> {
    checkAlias(alias);
    await this.#commit(act, (state) => {
      const entry = entryOf(state, name);
      const from = entry.aliases.get(alias) ?? null;
      if (version === from) return null;
      if (alias === CHAMPION && isRunning(entry)) throw running(entry, 'end it first: logodds rollout abort');
      if (version === null) return { event: 'aliased', name, alias, version, from };
      allow(state, versionOf(state, { name, version }), alias);
      if (alias !== CHAMPION) return { event: 'aliased', name, alias, version, from };
      return { event: 'promoted', name, version, from };
    });
  }

  /**
   * Has `champion` name the version that it named before, or another one that it has named, and ends a rollout that goes on. Where one goes on and no version
   * is named, that alone happens: the champion answers everything.
   * @param to  null: the one before
   * @returns the version that `champion` names then
   * @throws ERR_REGISTRY where there is no such version
   */
  async rollback(name: string, to: number | null, act: Act): Promise<number> {
    await this.#commit(act, (state) => {
      const entry = entryOf(state, name);
      const from = entry.aliases.get(CHAMPION);
      const isOn = isRunning(entry);
      const before =
        to ??
        (isOn
          ? from
          : entry.champions.filter((version) => version !== from && !entry.versions.get(version)!.isRetired).at(-1));
      if (from === undefined || before === undefined)
        throw registryError(
          'ERR_REGISTRY',
          `${name}: expected a version that was champion before, got none; logodds registry alias ${name} VERSION champion promotes one`,
        );
      if (from === before) {
        return isOn ? { event: 'rollout-ended', name, outcome: 'rolled-back', version: from } : null;
      }
      const version = versionOf(state, { name, version: before });
      // what was never champion has not gone through what is demanded of one
      if (!entry.champions.includes(before))
        throw registryError(
          'ERR_REGISTRY',
          `version ${before} of ${name}: expected one that was champion before (${entry.champions.join(', ')}), got another; logodds registry alias ${name} ${before} champion promotes it`,
        );
      allow(state, version, CHAMPION, true);
      return { event: 'rolled-back', name, version: before, from };
    });
    return (await this.entry(name)).aliases.get(CHAMPION)!;
  }

  /** Sets tags of a version; null takes one away. @throws ERR_REGISTRY */
  async tag(name: string, version: number, tags: Readonly<Record<string, string | null>>, act: Act): Promise<void> {
    await this.#commit(act, (state) => {
      const { tags: before } = versionOf(state, { name, version });
      const changed = Object.entries(tags).filter(([key, text]) => (before[key] ?? null) !== text);
      return changed.length === 0 ? null : { event: 'tagged', name, version, tags: Object.fromEntries(changed) };
    });
  }

  /**
   * Says that a version must not be used any more, or takes that back. Its file stays until `collect`.
   * @throws ERR_REGISTRY where an alias or a rollout has it
   */
  async retire(name: string, version: number, act: Act, retired = true): Promise<void> {
    const { sha256: digest } = await this.resolve({ name, version });
    const hasFile = retired || (await this.#find(modelPath(digest))) !== null;
    await this.#commit(act, (state) => {
      const entry = entryOf(state, name);
      const found = versionOf(state, { name, version });
      if (found.isRetired === retired) return null;
      if (!retired && !hasFile)
        throw registryError(
          'ERR_REGISTRY',
          `version ${version} of ${name}: expected its file, got none: it was collected; logodds push FILE --restore brings it back`,
        );
      const aliases = [...entry.aliases].filter(([, of]) => of === version).map(([alias]) => alias);
      if (retired && aliases.length > 0)
        throw registryError(
          'ERR_REGISTRY',
          `version ${version} of ${name}: expected one that no alias names, got ${aliases.join(', ')}; move the alias first`,
        );
      if (retired && isRunning(entry) && versionsOf(entry).includes(version))
        throw running(entry, 'end it first: logodds rollout abort');
      return { event: 'retired', name, version, retired };
    });
  }

  /** Notes what a gate said of a version. @throws ERR_REGISTRY */
  async gated(
    name: string,
    version: number,
    said: { against: number | null; passed: boolean; failed: readonly string[] },
    act: Act,
  ): Promise<void> {
    await this.#commit(act, (state) => {
      versionOf(state, { name, version });
      return { event: 'gated', name, version, ...said };
    });
  }

  /** Says what must be there before an alias is moved; no keys and no gate: nothing. `*` stands for every model. @throws ERR_REGISTRY */
  async demand(
    name: string,
    alias: string,
    { keys = [], gate = false }: { keys?: readonly string[]; gate?: boolean },
    act: Act,
  ): Promise<void> {
    if (name !== '*') checkName(name);
    checkAlias(alias);
    await this.#commit(act, () => ({ event: 'demanded', name, alias, keys, gate }));
  }

  /** Starts a rollout of a version beside the champion. @throws ERR_REGISTRY, ERR_RANGE */
  async startRollout(name: string, challenger: number, plan: RolloutPlan, act: Act): Promise<void> {
    checkPlan(plan);
    await this.#commit(act, (state) => {
      const entry = entryOf(state, name);
      if (isRunning(entry)) throw running(entry, 'abort it, or let it end');
      const champion = entry.aliases.get(CHAMPION);
      if (champion === undefined)
        throw registryError(
          'ERR_REGISTRY',
          `${name}: expected a champion, beside which the challenger answers, got none; logodds registry alias ${name} VERSION champion`,
        );
      for (const version of [challenger, ...(plan.arms ?? []).map(({ version }) => version)])
        notRetired(versionOf(state, { name, version }));
      if (challenger === champion)
        throw registryError(
          'ERR_REGISTRY',
          `${name}: expected a challenger that is not the champion, got version ${champion} as both; name another`,
        );
      // what it may become, it must be fit for
      if (plan.promotes) allow(state, versionOf(state, { name, version: challenger }), CHAMPION);
      return { event: 'rollout-started', name, champion, challenger, plan };
    });
  }

  /**
   * Goes on to the next step of a rollout. After the last one the challenger becomes champion.
   * @param from  the step that the caller has seen; where the rollout has left it, nothing happens
   * @returns whether it was this call that went on
   * @throws ERR_REGISTRY
   */
  advanceRollout(name: string, act: Act, from?: number): Promise<boolean> {
    return this.#commit(act, (state) => {
      const entry = entryOf(state, name);
      if (!isRunning(entry)) {
        if (from !== undefined) return null;
        throw notRunning(name);
      }
      const { plan, step, challenger } = entry.rollout!;
      if (from !== undefined && from !== step) return null;
      if (step + 1 < plan.steps.length) return { event: 'rollout-advanced', name, step: step + 1 };
      allow(state, versionOf(state, { name, version: challenger }), CHAMPION);
      return { event: 'rollout-ended', name, outcome: 'promoted', version: challenger };
    });
  }

  /**
   * Ends a rollout: the champion answers everything again.
   * @param of  the event that started it; where another one goes on, nothing happens
   * @returns whether it was this call that ended it
   * @throws ERR_REGISTRY
   */
  endRollout(name: string, outcome: Exclude<Outcome, 'promoted'>, act: Act, of?: number): Promise<boolean> {
    return this.#commit(act, (state) => {
      const entry = entryOf(state, name);
      if (!isRunning(entry)) {
        if (of !== undefined) return null;
        throw notRunning(name);
      }
      if (of !== undefined && of !== entry.rollout!.seq) return null;
      return { event: 'rollout-ended', name, outcome, version: entry.rollout!.champion };
    });
  }

  /** Checks the log and every file. @throws ERR_STORE, ERR_FORMAT */
  async verify(): Promise<Verified> {
    const { history, state } = await this.#refresh();
    const problems = state.misfits.map(({ seq, reason }) => `event ${seq} counts for nothing: ${reason}`);
    const digests = new Map<string, Version>();
    for (const { versions } of state.entries.values())
      for (const version of versions.values()) if (!version.isRetired) digests.set(version.sha256, version);
    for (const version of digests.values()) {
      try {
        await this.file(version);
      } catch (error) {
        problems.push((error as Error).message);
      }
    }
    for (const { path } of await this.#store.list('models/'))
      if (!/^models\/[0-9a-f]{64}\.safetensors(\.sig)?(\.trash)?$/.test(path) && !isTemporary(path))
        problems.push(`${path} is no file of a registry`);
    return { events: history.events.length, files: digests.size, faults: history.faults, problems };
  }

  /**
   * Says which files `collect` would remove.
   * @param graceMs  how old a file that no version has must be: a push writes the file first
   * @throws ERR_STORE
   */
  async unused(graceMs = HOUR): Promise<Collected> {
    return this.#unused(await this.#store.list('models/'), graceMs);
  }

  /**
   * Removes files that no version has, and those of versions that are retired.
   * @param graceMs  as of `unused`
   * @throws ERR_STORE
   */
  async collect(act: Act, graceMs = HOUR): Promise<Collected> {
    const stored = await this.#store.list('models/');
    // what a collection that was stopped has put aside
    for (const { path } of stored.filter(({ path }) => path.endsWith('.trash'))) await this.#finish(path);
    for (const { path, at } of stored)
      if (isTemporary(path) && this.#now() - at > graceMs) await this.#store.remove(path);
    const found = await this.#unused(stored, graceMs);
    if (found.removed.length === 0) return found;
    const sha256s = [...new Set(found.removed.map((path) => path.slice(7, 71)))];
    await this.#commit(act, () => ({ event: 'collected', sha256s }));
    for (const path of found.removed) {
      // aside first: a push that comes in between finds it gone and writes it again, or is found here
      if (await this.#store.move(path, trashPath(path))) await this.#finish(trashPath(path));
    }
    return found;
  }

  async #unused(stored: readonly Stored[], graceMs: number): Promise<Collected> {
    const { state } = await this.#refresh();
    const used = usedDigests(state);
    const known = new Set(
      [...state.entries.values()].flatMap(({ versions }) => [...versions.values()].map((v) => v.sha256)),
    );
    const removed: string[] = [];
    let bytes = 0;
    let tooNew = 0;
    for (const file of stored) {
      const digest = /^models\/([0-9a-f]{64})\.safetensors(?:\.sig)?$/.exec(file.path)?.[1];
      if (digest === undefined || used.has(digest)) continue;
      if (!known.has(digest) && this.#now() - file.at <= graceMs) {
        tooNew++;
        continue;
      }
      removed.push(file.path);
      bytes += file.bytes;
    }
    return { removed, bytes, tooNew };
  }

  /** Removes what was put aside, or puts it back where a version has it by now. */
  async #finish(trash: string): Promise<void> {
    const path = trash.slice(0, -'.trash'.length);
    const { state } = await this.#refresh();
    if (usedDigests(state).has(path.slice(7, 71)) && !(await this.#store.read(path)))
      await this.#store.move(trash, path);
    else await this.#store.remove(trash);
  }

  async #find(path: string): Promise<Uint8Array | null> {
    return (await this.#store.read(path)) ?? (await this.#store.read(trashPath(path))) ?? this.#store.read(path);
  }

  /** Writes a file by its digest, unless it is there whole. */
  async #put(path: string, bytes: Uint8Array): Promise<void> {
    const there = await this.#store.read(path);
    if (!there || !isSame(there, bytes)) await this.#store.write(path, bytes);
  }

  async #refresh() {
    const log = await this.#store.log(this.#read?.log.mark);
    if (log) {
      const history = readLog(log.text, this.place);
      this.#read = { log, history, state: stateOf(history) };
    }
    return this.#read!;
  }

  /**
   * Writes an event. Where another one came first, what happens is asked again of what the registry says then.
   * @param next  null: nothing has to happen
   * @returns whether something happened
   */
  async #commit(act: Act, next: (state: State) => Happening | null): Promise<boolean> {
    const id = this.#id();
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const { history, state, log } = await this.#refresh();
      // by its id: a store that was asked twice, since its first answer was lost, says that somebody was first
      if (attempt > 0 && history.events.some((event) => event.id === id)) return true;
      const happening = next(state);
      if (!happening) return false;
      const event = { ...this.#envelope(history, act, id), ...happening } as RegistryEvent;
      const line = `${history.isWhole ? '' : '\n'}${lineOf(event)}\n`;
      await this.#store.append(line, log.mark);
    }
    throw registryError(
      'ERR_STORE',
      `${this.place}: expected a turn to write, got ${MOST_ATTEMPTS} events of others before; try again`,
    );
  }

  #envelope({ seq, head, events }: History, { by, why }: Act, id: string) {
    const last = events.at(-1)?.at ?? '';
    const clock = new Date(this.#now()).toISOString();
    const at = clock < last ? last : clock;
    return {
      ...{ format: FORMAT, seq: seq + 1, before: seq === 0 ? FIRST : head, id, at, by },
      ...(at !== clock && { clock }),
      ...(why !== undefined && why !== '' && { why }),
    };
  }
}

/** What every kind of registry has. */
export type ModelRegistry = Pick<Registry, keyof Registry>;

const signed = ({ signatures }: State, digest: string, keyId: string): Happening | null =>
  signatures.get(digest)?.includes(keyId) ? null : { event: 'signed', sha256: digest, keyId };

/** Digests of versions that are not retired. */
const usedDigests = ({ entries }: State): Set<string> =>
  new Set(
    [...entries.values()].flatMap(({ versions }) =>
      [...versions.values()].filter(({ isRetired }) => !isRetired).map((version) => version.sha256),
    ),
  );

const isTemporary = (path: string): boolean => /(^|\/)\.[^/]*\.tmp$/.test(path);

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, k) => byte === b[k]);

/** @throws ERR_REGISTRY */
export function entryOf({ entries }: State, name: string): Entry {
  const entry = entries.get(name);
  if (entry) return entry;
  const names = [...entries.keys()];
  const said = names.slice(0, 10).join(', ') + (names.length > 10 ? `, and ${names.length - 10} more` : '');
  throw registryError(
    'ERR_REGISTRY',
    `${name}: expected a model of the registry (${said || 'it is empty'}), got another name; logodds push puts one there`,
  );
}

/** @throws ERR_REGISTRY */
export function versionOf(state: State, { name, version, alias }: Reference): Version {
  const entry = entryOf(state, name);
  const number = alias === undefined ? version : entry.aliases.get(alias);
  if (number === undefined) {
    const known = [...entry.aliases.keys()].join(', ') || 'none';
    throw registryError(
      'ERR_REGISTRY',
      `${name}: expected one of its aliases (${known}), got ${alias}; see logodds registry show ${name}`,
    );
  }
  const found = entry.versions.get(number);
  if (found) return found;
  throw registryError(
    'ERR_REGISTRY',
    `${name}: expected one of its versions (1 to ${nextVersion(entry) - 1}), got ${number}; see logodds registry show ${name}`,
  );
}

function notRetired(version: Version): void {
  if (version.isRetired) throw retired(version, 'logodds registry retire --undo takes that back');
}

const retired = ({ name, version }: Version, next: string) =>
  registryError(
    'ERR_REGISTRY',
    `version ${version} of ${name}: expected one that is in use, got one that is retired; ${next}`,
  );

/** @param isBack  the version had the alias before: it went through what was demanded then @throws ERR_REGISTRY */
function allow(state: State, version: Version, alias: string, isBack = false): void {
  notRetired(version);
  const { name, version: number, gate } = version;
  if (alias === CHAMPION && gate && !gate.passed && !isBack)
    throw registryError(
      'ERR_REGISTRY',
      `version ${number} of ${name}: expected one that has passed its gate, got one that failed it (${gate.failed.join(', ')}); train another, or have the gate pass first`,
    );
  for (const demand of state.demands.filter((one) => one.alias === alias && (one.name === '*' || one.name === name))) {
    const keys = state.signatures.get(version.sha256) ?? [];
    if (demand.keys.length > 0 && !demand.keys.some((key) => keys.includes(key)))
      throw registryError(
        'ERR_SIGNATURE',
        `version ${number} of ${name}: expected a signature of a key that ${alias} demands (${demand.keys.map((key) => key.slice(0, 12)).join(', ')}), got ${keys.length === 0 ? 'none' : keys.map((key) => key.slice(0, 12)).join(', ')}; sign it with such a key, then push the signature`,
      );
    if (demand.gate && !gate && !isBack)
      throw registryError(
        'ERR_REGISTRY',
        `version ${number} of ${name}: expected one that has passed its gate, got one that went through none; run logodds gate`,
      );
  }
}

export const isRunning = ({ rollout }: Entry): boolean => rollout !== null && rollout.outcome === null;

/** Versions that answer in a rollout. */
export const versionsOf = ({ rollout, aliases }: Entry): number[] => [
  ...(rollout && rollout.outcome === null
    ? [rollout.champion, rollout.challenger, ...(rollout.plan.arms ?? []).map(({ version }) => version)]
    : [aliases.get(CHAMPION)].filter((version) => version !== undefined)),
];

const running = ({ name, rollout }: Entry, next: string) =>
  registryError(
    'ERR_REGISTRY',
    `${name}: expected no rollout, got one of version ${rollout!.challenger} since ${rollout!.since}; ${next}`,
  );

const notRunning = (name: string) =>
  registryError('ERR_REGISTRY', `${name}: expected a rollout that goes on, got none; logodds rollout start begins one`);
