import { type Engine, LogoddsError, loadModel, type Model, type ModelBytes, pickEngine } from 'logodds/score';
import { allStages } from 'logodds/stages';
import { badRequest, Refusal } from '../refusal.ts';
import { Served } from './served.ts';
import type { ModelTrust, Signed } from './trust.ts';

const MEMORY = 2 ** 28;

/** What a model is put on the shelf with. */
export interface ModelSource {
  readonly name: string;
  /** default: the first twelve digits of its digest */
  readonly version?: string;
  /** the bytes of a model file, or a model */
  readonly model: ModelBytes | Model;
  /** the file of its signature, where the service asks for one */
  readonly signature?: Uint8Array | null;
}

/** Why a version is there or not, in the words of the repository index of Open Inference V2. */
export type State = 'READY' | 'UNAVAILABLE';

/** Whether a model is there for who asks, by its name. */
export type Sees = (name: string) => boolean;

const EVERY: Sees = () => true;

/** A version of a model, as it is told. */
export interface Listed {
  readonly name: string;
  readonly version: string;
  readonly state: State;
  readonly reason: string;
}

/** What a shelf tells. */
export interface ShelfHooks {
  /** a version takes requests */
  onPut?(served: Served): void;
  /** a model could not be loaded */
  onFailure?(name: string, reason: string): void;
  /** a version takes no more requests, and none has its place */
  onGone?(served: Served): void;
}

/** The models of a service, by name and version. The last version put is the one that is asked where none is named. */
export class Shelf {
  readonly #models = new Map<string, Map<string, Served>>();
  /** what could not be loaded, by name */
  readonly #failures = new Map<string, string>();
  /** why a version does not answer that should, while one before it does, by name */
  readonly #behind = new Map<string, string>();
  readonly #engine: Engine = pickEngine();
  readonly #bound: number;
  readonly #hooks: ShelfHooks;
  readonly #trust: ModelTrust | null;
  /** what was verified */
  readonly #verified = new WeakMap<ModelSource, Signed>();
  readonly #fronts = new Map<string, () => Served | null>();
  #asked = 0;
  #turn = 0;

  /**
   * @param bound  bytes of linear memory of scorers above which those of models that are not asked give theirs back
   * @param trust  says which models may be put; null: all
   */
  constructor(bound = MEMORY, hooks: ShelfHooks = {}, trust: ModelTrust | null = null) {
    this.#bound = bound;
    this.#hooks = hooks;
    this.#trust = trust;
  }

  /** Whether a model needs a signature to be put. */
  get asksSignatures(): boolean {
    return this.#trust !== null;
  }

  /**
   * Verifies the signature of a model where signatures are asked. What it gives can be put; nothing is put yet.
   * @throws ERR_SIGNATURE for one that is not trusted
   */
  async verified(source: ModelSource): Promise<ModelSource> {
    if (!this.#trust) return source;
    const { name, model, signature = null } = source;
    if (isModel(model))
      throw unverified(
        `model ${show(name)}: expected the bytes of a file, of which the signature is, got a model; give its file`,
      );
    // a copy: what is changed meanwhile was not verified
    const bytes = new Uint8Array(model instanceof Uint8Array ? model : new Uint8Array(model as ArrayBuffer));
    const taken = { ...source, model: bytes };
    this.#verified.set(taken, await this.#trust.check({ name, bytes, signature }));
    return taken;
  }

  /**
   * Verifies a model where signatures are asked, and puts it in the place of all versions that there are of its name.
   * @throws ERR_SIGNATURE, and as `put`; what was there stays
   * @example
   * await service.models.load({ name: 'flights', model: bytes, signature });
   */
  async load(source: ModelSource): Promise<Served> {
    let verified: ModelSource;
    try {
      verified = await this.verified(source);
    } catch (error) {
      this.fail(source.name, (error as Error).message);
      throw error;
    }
    return this.replace(verified);
  }

  /** Why a model that answers would not be put again: its signature is trusted no more. null: it would. */
  doubt({ name, signed }: Served): string | null {
    return signed && this.#trust ? this.#trust.doubt(name, signed) : null;
  }

  /**
   * Loads, checks and warms a model, then puts it in the place of what has its name and version: requests that have begun are answered by the old one.
   * @throws ERR_FORMAT for what is no model file, ERR_SIGNATURE where signatures are asked and this was not `verified`; what was there stays
   */
  put(source: ModelSource): Served {
    const { name } = source;
    if (!/^[^\s/:?#]{1,128}$/.test(name))
      throw badRequest(
        `model name: expected 1 to 128 characters without blanks and / : ? #, got ${JSON.stringify(name)}; rename it`,
      );
    let served: Served;
    const began = performance.now();
    try {
      const signed = this.#verified.get(source) ?? null;
      if (this.#trust && !signed)
        throw unverified(
          `model ${show(name)}: expected one whose signature was verified, got another; put it by await models.load(…)`,
        );
      const model = isModel(source.model) ? source.model : loadModel(source.model, allStages);
      served = new Served(name, source.version ?? (model.sha256 ?? '0').slice(0, 12), model, this.#engine, () =>
        this.#tidy(),
      );
      served.signed = signed;
      served.warm();
      served.loadSeconds = (performance.now() - began) / 1000;
    } catch (error) {
      this.fail(name, (error as Error).message);
      throw error;
    }
    this.#failures.delete(name);
    const versions = this.#models.get(name) ?? new Map<string, Served>();
    const old = versions.get(served.version);
    // the last one is the default
    versions.delete(served.version);
    versions.set(served.version, served);
    this.#models.set(name, versions);
    this.#turn++;
    this.#hooks.onPut?.(served);
    old?.retire();
    return served;
  }

  /** Puts a model in the place of all versions that there are of its name. @throws as `put` */
  replace(source: ModelSource): Served {
    const before = this.versions(source.name);
    const served = this.put(source);
    for (const version of before) if (version !== served.version) this.remove(source.name, version);
    return served;
  }

  /** Has a version answer where none is named. Returns whether it is there. */
  prefer(name: string, version: string): boolean {
    const versions = this.#models.get(name);
    const served = versions?.get(version);
    if (!served) return false;
    // the last one is the default
    versions!.delete(version);
    versions!.set(version, served);
    this.#turn++;
    return true;
  }

  /** Takes a model, or one version of it, off the shelf. Returns whether it was there. */
  remove(name: string, version?: string): boolean {
    const versions = this.#models.get(name);
    if (!versions) return this.#failures.delete(name);
    const gone =
      version === undefined ? [...versions.values()] : [versions.get(version)].filter((one) => one !== undefined);
    for (const served of gone) {
      versions.delete(served.version);
      served.retire();
      this.#hooks.onGone?.(served);
    }
    if (versions.size === 0) {
      this.#models.delete(name);
      this.#behind.delete(name);
    }
    this.#turn++;
    return gone.length > 0;
  }

  /** Notes that a model could not be loaded; what is there goes on. */
  fail(name: string, reason: string): void {
    this.#failures.set(name, reason);
    this.#hooks.onFailure?.(name, reason);
  }

  /**
   * Notes that a version which should answer cannot be loaded while one before it answers. It is among the failures, and the service stays ready.
   * @param reason  null: all that should answer does
   */
  lag(name: string, reason: string | null): void {
    if (reason === null) {
      this.#behind.delete(name);
      return;
    }
    this.#failures.delete(name);
    if (this.#behind.get(name) !== reason) this.#hooks.onFailure?.(name, reason);
    this.#behind.set(name, reason);
  }

  /** Has several models answer as one where that is asked by its name alone. @param front  what stands for them; null: nothing does any more */
  stand(name: string, front: (() => Served | null) | null): void {
    if (front) this.#fronts.set(name, front);
    else this.#fronts.delete(name);
  }

  /** Names behind which several models stand. */
  fronts(sees = EVERY): string[] {
    return [...this.#fronts.keys()].filter(sees);
  }

  /** changes with what is on the shelf */
  get turn(): number {
    return this.#turn;
  }

  /** The model that is asked by a name, or what stands for several. @param sees  which models a refusal may name @throws Refusal 404 */
  find(name: string, version: string | null = null, sees = EVERY): Served {
    return (version === null && this.#fronts.get(name)?.()) || this.own(name, version, sees);
  }

  /** The model that answers. @param sees  which models a refusal may name @throws Refusal 404 */
  own(name: string, version: string | null = null, sees = EVERY): Served {
    const versions = this.#models.get(name);
    const served = version === null ? last(versions?.values()) : versions?.get(version);
    if (!served) throw this.#unknown(name, version, sees);
    served.lastAsked = ++this.#asked;
    return served;
  }

  #unknown(name: string, version: string | null, sees: Sees): Refusal {
    const names = this.names(sees);
    const versions = [...(this.#models.get(name)?.keys() ?? [])];
    const said = (list: readonly string[]) =>
      list.slice(0, 10).join(', ') + (list.length > 10 ? `, and ${list.length - 10} more` : '');
    if (versions.length > 0)
      return new Refusal(
        404,
        'ERR_VERSION',
        `model ${show(name)}: expected one of its versions (${said(versions)}), got ${show(version!)}`,
      );
    const failed = this.#failures.get(name);
    if (failed !== undefined)
      return new Refusal(
        503,
        'ERR_NOT_READY',
        `model ${show(name)}: expected one that is loaded, got none; see the log`,
        {
          headers: { 'retry-after': '1' },
        },
      );
    return new Refusal(404, 'ERR_MODEL', `model: expected one of ${said(names) || 'none'}, got ${show(name)}`);
  }

  /** All versions, and models that could not be loaded. */
  list(sees = EVERY): Listed[] {
    const ready = this.all(sees).map(({ name, version }): Listed => ({ name, version, state: 'READY', reason: '' }));
    const failed = [...this.#failures]
      .filter(([name]) => sees(name))
      .map(([name, reason]): Listed => ({ name, version: '', state: 'UNAVAILABLE', reason }));
    return [...ready, ...failed];
  }

  /** All models that answer. */
  all(sees = EVERY): Served[] {
    const own = [...this.#models].flatMap(([name, versions]) => (sees(name) ? [...versions.values()] : []));
    // most have none
    return this.#fronts.size === 0
      ? own
      : [...own, ...this.fronts(sees).flatMap((name) => this.#fronts.get(name)!() ?? [])];
  }

  /** Names of the models that answer. */
  names(sees = EVERY): string[] {
    return [...new Set([...this.#models.keys(), ...this.#fronts.keys()])].filter(sees);
  }

  /** Names of the models that are here, or could not be loaded. */
  served(): string[] {
    return [...this.#models.keys(), ...this.#failures.keys()];
  }

  /** Versions of a model, the default one last. */
  versions(name: string): string[] {
    return [...(this.#models.get(name)?.keys() ?? [])];
  }

  /** Whether every model that was asked for is there. */
  get isWhole(): boolean {
    return this.#models.size > 0 && this.#failures.size === 0;
  }

  /** Why models, or versions that should answer, could not be loaded, by name. */
  get failures(): ReadonlyMap<string, string> {
    return this.#behind.size === 0 ? this.#failures : new Map([...this.#behind, ...this.#failures]);
  }

  /** bytes of linear memory that scorers have */
  get memory(): number {
    return this.#engine.bytesInUse;
  }

  /** Lets models rest that were not asked for longest, until the memory of scorers is within its bound. */
  #tidy(): void {
    if (this.memory <= this.#bound) return;
    const idle = this.all().filter(({ requests }) => requests === 0);
    for (const served of idle.sort((a, b) => a.lastAsked - b.lastAsked)) {
      served.rest();
      if (this.memory <= this.#bound / 2) return;
    }
  }
}

const show = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

const unverified = (message: string): LogoddsError => new LogoddsError('ERR_SIGNATURE' as never, message);

/** A program may have two copies of the library. */
const isModel = (value: ModelSource['model']): value is Model => typeof (value as Model).score === 'function';

function last<T>(values: Iterable<T> | undefined): T | undefined {
  let found: T | undefined;
  for (const value of values ?? []) found = value;
  return found;
}
