import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { loadModel, type ModelBytes } from 'logodds/score';
import { allStages } from 'logodds/stages';
import { aliased, rolledBack } from './changes/aliases.ts';
import { entryOf, versionOf } from './changes/find.ts';
import { advanced, ended, started } from './changes/rollouts.ts';
import { gated, pushed, retirement, sameFile, signed, tagged, type Verdict } from './changes/versions.ts';
import { checkPlan } from './checkPlan.ts';
import { type Collected, Collector, isTemporary } from './collect.ts';
import type { Lineage, Metrics, Outcome, RegistryEvent, Tags } from './event.ts';
import { ModelFiles, modelPath, signaturePath } from './files.ts';
import type { Fault } from './log.ts';
import { checkAlias, checkName, type Reference } from './reference.ts';
import type { RolloutPlan } from './rollout.ts';
import { CHAMPION, type Entry, type State, type Version } from './state.ts';
import type { Store } from './store.ts';
import { type Act, LogWriter, type RegistryOptions } from './writer.ts';

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

const HOUR = 3_600_000;

/**
 * A registry of models in a store: files by their SHA-256, and a log of events, from which everything else is derived. Any number of processes may use one
 * at the same time, and each may be stopped at any moment.
 */
export class Registry {
  readonly #store: Store;
  readonly #log: LogWriter;
  readonly #files: ModelFiles;
  readonly #collector: Collector;

  constructor(store: Store, { now = Date.now, id = () => crypto.randomUUID() }: RegistryOptions = {}) {
    this.#store = store;
    this.#log = new LogWriter(store, { now, id });
    this.#files = new ModelFiles(store);
    this.#collector = new Collector(store, this.#log, now);
  }

  get place(): string {
    return this.#store.place;
  }

  /** What the registry says now. @throws ERR_STORE, ERR_FORMAT */
  async state(): Promise<State> {
    return (await this.#log.read()).state;
  }

  /** All events, the oldest first. @throws ERR_STORE, ERR_FORMAT */
  async events(): Promise<readonly RegistryEvent[]> {
    return (await this.#log.read()).history.events;
  }

  /** Lines of the log that are damaged. Torn and lost ones lose nothing. @throws ERR_STORE, ERR_FORMAT */
  async damage(): Promise<readonly Fault[]> {
    return (await this.#log.read()).history.faults.filter(({ kind }) => kind === 'damaged');
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
  file(version: Pick<Version, 'sha256' | 'name' | 'version'>): Promise<Uint8Array> {
    return this.#files.read(version);
  }

  /** The signature beside a version; null: there is none. @throws ERR_STORE */
  signature({ sha256: digest }: Pick<Version, 'sha256'>): Promise<Uint8Array | null> {
    return this.#files.find(signaturePath(digest));
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
    const next = (state: State) => {
      isNew = sameFile(state, name, digest) === undefined;
      return pushed(state, { name, sha256: digest, bytes: file.length, tags, metrics, lineage }, restore);
    };
    // what is refused leaves no file
    next(await this.state());
    await this.#files.put(modelPath(digest), file);
    if (signature) await this.#store.write(signaturePath(digest), signature);
    for (const keyId of keyIds) await this.#log.commit({ ...act }, (state) => signed(state, digest, keyId));
    await this.#log.commit(act, next);
    // a collection that began before may have taken it away
    await this.#files.put(modelPath(digest), file);
    if (signature && !(await this.#files.find(signaturePath(digest))))
      await this.#store.write(signaturePath(digest), signature);
    return { version: sameFile(await this.state(), name, digest)!, isNew };
  }

  /** Puts a signature beside a model file. The caller has verified it. @throws ERR_STORE */
  async sign(digest: string, signature: Uint8Array, keyId: string, act: Act): Promise<void> {
    await this.#store.write(signaturePath(digest), signature);
    await this.#log.commit(act, (state) => signed(state, digest, keyId));
  }

  /**
   * Has an alias name a version, or none. To move `champion` is to promote.
   * @throws ERR_REGISTRY for a version that is not there or retired, or that has not what the registry demands
   */
  async alias(name: string, version: number | null, alias: string, act: Act): Promise<void> {
    checkAlias(alias);
    await this.#log.commit(act, (state) => aliased(state, name, version, alias));
  }

  /**
   * Has `champion` name the version that it named before, or another one that it has named, and ends a rollout that goes on. Where one goes on and no version
   * is named, that alone happens: the champion answers everything.
   * @param to  null: the one before
   * @returns the version that `champion` names then
   * @throws ERR_REGISTRY where there is no such version
   */
  async rollback(name: string, to: number | null, act: Act): Promise<number> {
    await this.#log.commit(act, (state) => rolledBack(state, name, to));
    return (await this.entry(name)).aliases.get(CHAMPION)!;
  }

  /** Sets tags of a version; null takes one away. @throws ERR_REGISTRY */
  async tag(name: string, version: number, tags: Readonly<Record<string, string | null>>, act: Act): Promise<void> {
    await this.#log.commit(act, (state) => tagged(state, name, version, tags));
  }

  /**
   * Says that a version must not be used any more, or takes that back. Its file stays until `collect`.
   * @throws ERR_REGISTRY where an alias or a rollout has it
   */
  async retire(name: string, version: number, act: Act, retired = true): Promise<void> {
    const { sha256: digest } = await this.resolve({ name, version });
    const hasFile = retired || (await this.#files.find(modelPath(digest))) !== null;
    await this.#log.commit(act, (state) => retirement(state, name, version, retired, hasFile));
  }

  /** Notes what a gate said of a version. @throws ERR_REGISTRY */
  async gated(name: string, version: number, said: Verdict, act: Act): Promise<void> {
    await this.#log.commit(act, (state) => gated(state, name, version, said));
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
    await this.#log.commit(act, () => ({ event: 'demanded', name, alias, keys, gate }));
  }

  /** Starts a rollout of a version beside the champion. @throws ERR_REGISTRY, ERR_RANGE */
  async startRollout(name: string, challenger: number, plan: RolloutPlan, act: Act): Promise<void> {
    checkPlan(plan);
    await this.#log.commit(act, (state) => started(state, name, challenger, plan));
  }

  /**
   * Goes on to the next step of a rollout. After the last one the challenger becomes champion.
   * @param from  the step that the caller has seen; where the rollout has left it, nothing happens
   * @returns whether it was this call that went on
   * @throws ERR_REGISTRY
   */
  advanceRollout(name: string, act: Act, from?: number): Promise<boolean> {
    return this.#log.commit(act, (state) => advanced(state, name, from));
  }

  /**
   * Ends a rollout: the champion answers everything again.
   * @param of  the event that started it; where another one goes on, nothing happens
   * @returns whether it was this call that ended it
   * @throws ERR_REGISTRY
   */
  endRollout(name: string, outcome: Exclude<Outcome, 'promoted'>, act: Act, of?: number): Promise<boolean> {
    return this.#log.commit(act, (state) => ended(state, name, outcome, of));
  }

  /** Checks the log and every file. @throws ERR_STORE, ERR_FORMAT */
  async verify(): Promise<Verified> {
    const { history, state } = await this.#log.read();
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
  unused(graceMs = HOUR): Promise<Collected> {
    return this.#collector.unused(graceMs);
  }

  /**
   * Removes files that no version has, and those of versions that are retired.
   * @param graceMs  as of `unused`
   * @throws ERR_STORE
   */
  collect(act: Act, graceMs = HOUR): Promise<Collected> {
    return this.#collector.collect(act, graceMs);
  }
}

/** What every kind of registry has. */
export type ModelRegistry = Pick<Registry, keyof Registry>;
