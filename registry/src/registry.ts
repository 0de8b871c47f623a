import { aliased, rolledBack } from './changes/aliases.ts';
import { entryOf, versionOf } from './changes/find.ts';
import { advanced, ended, started } from './changes/rollouts.ts';
import { gated, retirement, tagged, type Verdict } from './changes/versions.ts';
import { checkPlan } from './checkPlan.ts';
import { type Collected, Collector } from './collect.ts';
import type { Happening, Outcome, RegistryEvent } from './event.ts';
import { ModelFiles, modelPath, type Stored, signaturePath } from './files.ts';
import type { Fault } from './log.ts';
import { type Push, type Pushed, Pusher } from './push.ts';
import { checkAlias, checkName, type Reference } from './reference.ts';
import type { RolloutPlan } from './rollout.ts';
import { checkTogether, demandedKeys, Signatures } from './signatures.ts';
import type { TrustTexts } from './signing/trust.ts';
import { CHAMPION, type Entry, type State, type Version } from './state.ts';
import type { Store } from './store.ts';
import { type Verified, verification } from './verification.ts';
import { type Act, LogWriter, type RegistryOptions } from './writer.ts';

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
  readonly #signatures: Signatures;
  readonly #pusher: Pusher;

  constructor(store: Store, { now = Date.now, id = () => crypto.randomUUID() }: RegistryOptions = {}) {
    this.#store = store;
    this.#log = new LogWriter(store, { now, id });
    this.#files = new ModelFiles(store);
    this.#signatures = new Signatures(this.#files);
    this.#pusher = new Pusher(this.#log, this.#files, this.#signatures);
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
  file(version: Stored): Promise<Uint8Array> {
    return this.#files.read(version);
  }

  /** The signature beside a version; null: there is none. @throws ERR_STORE */
  signature({ sha256: digest }: Pick<Version, 'sha256'>): Promise<Uint8Array | null> {
    return this.#files.find(signaturePath(digest));
  }

  /**
   * Makes a model file a version of a name. A file that is a version of that name already stays that one.
   * @throws ERR_FORMAT for what is no model file; ERR_SIGNATURE for a signature that is none of it; ERR_DATA, ERR_REGISTRY, ERR_STORE
   */
  push(push: Push): Promise<Pushed> {
    return this.#pusher.push(push);
  }

  /**
   * Puts a signature beside the file of a version.
   * @param trust  as of `Push`
   * @returns ids of the keys that are known to have made it
   * @throws ERR_SIGNATURE for a signature that is none of this file, or not as good as the one that is there; ERR_DATA, ERR_REGISTRY, ERR_STORE
   */
  async sign(name: string, version: number, signature: Uint8Array, act: Act, trust?: TrustTexts): Promise<string[]> {
    return this.#pusher.sign(await this.resolve({ name, version }), signature, act, trust);
  }

  /** Writes an event, if the signatures of the versions that it brings to an alias are those that the alias demands. */
  #bring(act: Act, next: (state: State) => Happening | null): Promise<boolean> {
    const seen = new Set<string>();
    return this.#log.commit(act, async (state, at) => {
      const happening = next(state);
      if (happening) await this.#signatures.check(state, happening, at, seen);
      return happening;
    });
  }

  /**
   * Has an alias name a version, or none. To move `champion` is to promote.
   * @throws ERR_REGISTRY for a version that is not there or retired, or went through no gate that is demanded; ERR_SIGNATURE for one without a signature that is
   */
  async alias(name: string, version: number | null, alias: string, act: Act): Promise<void> {
    checkAlias(alias);
    await this.#bring(act, (state) => aliased(state, name, version, alias));
  }

  /**
   * Has `champion` name the version that it named before, or another one that it has named, and ends a rollout that goes on. Where one goes on and no version
   * is named, that alone happens: the champion answers everything.
   * @param to  null: the one before
   * @returns the version that `champion` names then
   * @throws ERR_REGISTRY where there is no such version; ERR_SIGNATURE as of `alias`
   */
  async rollback(name: string, to: number | null, act: Act): Promise<number> {
    await this.#bring(act, (state) => rolledBack(state, name, to));
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

  /**
   * Says what must be there before an alias is moved; no keys and no gate: nothing. The signature beside a model file is verified against the keys whenever an
   * alias is moved, or a rollout starts, goes on or ends in a promotion.
   * @param name  `*` stands for every model
   * @param keys  public keys or certificates in PEM, of which one must have signed
   * @param revoked  what is trusted no more, as of `revokedOf`
   * @throws ERR_REGISTRY; ERR_DATA for keys and lists that are none
   */
  async demand(
    name: string,
    alias: string,
    { keys: texts = [], revoked, gate = false }: Partial<TrustTexts> & { readonly gate?: boolean },
    act: Act,
  ): Promise<void> {
    if (name !== '*') checkName(name);
    checkAlias(alias);
    const keys = await demandedKeys(texts, revoked);
    await this.#log.commit(act, (state) => {
      checkTogether(state, name, alias, keys.keys);
      return { event: 'demanded', name, alias, ...keys, gate };
    });
  }

  /** Versions that stand under aliases without a signature that these demand now: a sentence for each. @param of  this model alone @throws ERR_STORE */
  async unmet(of?: string): Promise<string[]> {
    const { state, history } = await this.#log.read();
    return this.#signatures.standing(state, this.#log.times(history).at, of);
  }

  /**
   * Starts a rollout of a version beside the champion. Versions that answer in its place need the signatures that it needs.
   * @throws ERR_REGISTRY, ERR_RANGE; ERR_SIGNATURE as of `alias`
   */
  async startRollout(name: string, challenger: number, plan: RolloutPlan, act: Act): Promise<void> {
    checkPlan(plan);
    await this.#bring(act, (state) => started(state, name, challenger, plan));
  }

  /**
   * Goes on to the next step of a rollout. After the last one the challenger becomes champion.
   * @param from  the step that the caller has seen; where the rollout has left it, nothing happens
   * @returns whether it was this call that went on
   * @throws ERR_REGISTRY; ERR_SIGNATURE as of `alias`
   */
  advanceRollout(name: string, act: Act, from?: number): Promise<boolean> {
    return this.#bring(act, (state) => advanced(state, name, from));
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

  /** Checks the log, every file, and the signatures that aliases demand. @throws ERR_STORE, ERR_FORMAT */
  async verify(): Promise<Verified> {
    const read = await this.#log.read();
    const stored = await this.#store.list('models/');
    return verification(read, this.#log.times(read.history).at, stored, this.#files, this.#signatures);
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
