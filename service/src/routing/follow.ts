import type { Act, Entry, Registry, Rollout, Version } from '@logodds/registry';
import type { LogLine } from '../hooks.ts';
import type { Shelf } from '../models/shelf.ts';
import { counted } from '../requests/counted.ts';
import { CHALLENGER, CHAMPION, type KeyFrom, type Route, type Target } from './route.ts';
import type { Ended, Routing } from './routing.ts';

/** A model of a registry, and by which name it is served. */
export interface Followed {
  /** in paths of the service */
  readonly name: string;
  /** in the registry */
  readonly of: string;
  /** the alias that is followed; rollouts are those of `champion` */
  readonly alias?: string;
  /** a version that stays */
  readonly version?: number;
}

/** What is asked of a registry. */
export type FollowedRegistry = Pick<
  Registry,
  'state' | 'damage' | 'file' | 'signature' | 'advanceRollout' | 'endRollout'
>;

/** How a registry is followed. */
export interface FollowOptions {
  readonly registry: FollowedRegistry;
  readonly models: readonly Followed[];
  readonly shelf: Shelf;
  readonly routing: Routing;
  /** default: nothing is said */
  readonly log?: (line: LogLine) => void;
  /** what routes of a model have beside what its rollout says */
  readonly more?: (name: string) => Pick<Route, 'fallback' | 'answer'>;
  /** Called when this process has changed the registry: a rollout went on, or ended. */
  readonly onChange?: (change: Change) => void;
  /** milliseconds since 1970; default the clock of the host */
  readonly now?: () => number;
}

/** What this process has written into the registry. `resolved` is what it has read there: a version that had to go is dealt with. */
export interface Change {
  readonly event: 'advanced' | 'promoted' | 'rolled back' | 'resolved';
  readonly name: string;
  /** of the challenger; of a route of a file the model that it is */
  readonly version: number | string;
  readonly why: string;
  readonly at: string;
}

/** Champions that stay on the shelf: the one before answers at once when it has to come back. */
const CHAMPIONS = 2;
const BY = 'logodds serve';

/**
 * Has a service do what a registry says: its shelf has the versions that answer, its routes are those of the rollouts. Steps go on when their time is over; a
 * guard that speaks is written into the registry, so every replica goes back. What cannot be read leaves everything as it is.
 */
export class Follower {
  readonly #options: FollowOptions;
  readonly #now: () => number;
  readonly #log: (line: LogLine) => void;
  /** breaches that are not in the registry yet, by name */
  readonly #breaches = new Map<string, Ended>();
  /** rollouts that ended with their challenger sent back, by name, as long as nobody has gone on from there */
  readonly #sentBack = new Map<string, Rollout>();
  /** by name, what was said last: it is not said twice */
  readonly #said = new Map<string, string>();
  #looking: Promise<void> | null = null;
  #refused = 0;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#log = options.log ?? (() => {});
  }

  /** Versions newer than a champion whose gate said no, and that nobody has retired. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes a breach that a guard has told of. */
  breach(ended: Ended): void {
    this.#breaches.set(ended.name, ended);
    void this.look();
  }

  /** Reads the registry and does what it says. It does not reject: what fails is said, and is tried again by the next look. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { registry, models } = this.#options;
    try {
      await this.#tellBreaches();
      const { entries } = await registry.state();
      for (const [name, reason] of (await registry.damage()).map(({ line, reason }) => [`line ${line}`, reason]))
        this.#once(`damage ${name}`, { level: 'error', event: 'registry damaged', line: name, reason });
      const own = new Set(models.map(({ of }) => of));
      this.#refused = [...own].reduce((sum, name) => sum + refusedOf(entries.get(name)), 0);
      for (const model of models) await this.#lookAt(model, entries.get(model.of));
      this.#said.delete('registry');
    } catch (error) {
      this.#once('registry', { level: 'error', event: 'registry', reason: (error as Error).message });
    }
  }

  async #lookAt(model: Followed, entry: Entry | undefined): Promise<void> {
    const { name, of, alias, version } = model;
    const { shelf } = this.#options;
    const wanted = version ?? entry?.aliases.get(alias!);
    if (!entry || wanted === undefined || !entry.versions.has(wanted)) {
      const what = entry ? `the alias or version ${alias ?? version}` : 'the model';
      const reason = `${of}: expected ${what} in the registry, got none; push it, or name another`;
      if (shelf.versions(name).length === 0 && shelf.failures.get(name) !== reason) shelf.fail(name, reason);
      this.#once(name, { level: 'error', event: 'failed', model: name, reason });
      return;
    }
    this.#resolve(entry);
    await this.#advance(entry, model);
    const route = routeOf(model, entry, wanted, this.#options.more?.(name) ?? {});
    const versions = [
      ...new Set(
        [route.champion, ...route.arms, route.shadow].flatMap((target) => (target ? [Number(target.version)] : [])),
      ),
    ];
    const missing = new Set<number>();
    for (const number of versions) {
      try {
        await this.#put(name, entry.versions.get(number)!);
        // what was put last would answer all until its share is known
        shelf.prefer(name, String(wanted));
      } catch (error) {
        missing.add(number);
        const { message } = error as Error;
        // a version that answers goes on; the new one is tried again by the next look
        if (shelf.versions(name).length === 0) shelf.fail(name, message);
        else shelf.lag(name, message);
        this.#once(`${name} ${number}`, {
          level: 'error',
          event: 'failed',
          model: name,
          version: String(number),
          reason: message,
        });
        // the version before answers until the new one can; without one no challenger may answer in its place
        if (number === wanted) return;
      }
    }
    if (missing.size === 0) shelf.lag(name, null);
    const isThere = (target: Target): boolean => !missing.has(Number(target.version));
    const arms = route.arms.filter(isThere);
    const shadow = route.shadow && isThere(route.shadow) ? route.shadow : null;
    // the shelf has the champion first: what needs no more costs nothing
    if (arms.length === 0 && !shadow && !route.fallback && !route.answer) this.#options.routing.clear(name);
    else this.#options.routing.set({ ...route, arms, shadow });
    this.#said.delete(name);
    const kept = new Set([...versions, ...(alias === CHAMPION ? entry.champions.slice(-CHAMPIONS) : [])].map(String));
    for (const old of shelf.versions(name)) if (!kept.has(old)) shelf.remove(name, old);
  }

  /** Tells that a version which was sent back is dealt with: another rollout began, another version is champion, or it was retired. Any replica may tell. */
  #resolve({ name, rollout, aliases, versions }: Entry): void {
    const isOpen =
      rollout?.outcome === 'rolled-back' &&
      aliases.get(CHAMPION) === rollout.champion &&
      versions.get(rollout.challenger)?.isRetired === false;
    const before = this.#sentBack.get(name);
    if (isOpen) this.#sentBack.set(name, rollout);
    else this.#sentBack.delete(name);
    if (!before || (isOpen && rollout.seq === before.seq)) return;
    const { challenger: version } = before;
    const at = new Date(this.#now()).toISOString();
    const why = `version ${version} was rolled back, and others went on from there`;
    this.#options.onChange?.({ event: 'resolved', name, version, why, at });
  }

  async #put(name: string, version: Version): Promise<void> {
    const { shelf, registry } = this.#options;
    const number = String(version.version);
    if (shelf.versions(name).includes(number)) return;
    const model = (await registry.file(version)) as Uint8Array<ArrayBuffer>;
    const signature = shelf.asksSignatures ? await registry.signature(version) : null;
    const source = await shelf.verified({ name, version: number, model, signature });
    const { sha256, loadSeconds } = shelf.put(source);
    this.#said.delete(`${name} ${number}`);
    this.#log({ level: 'info', event: 'loaded', model: name, version: number, sha256, seconds: loadSeconds });
  }

  /** Goes on to the next step when the time of this one is over, and enough was seen of it. */
  async #advance(entry: Entry, { name, alias }: Followed): Promise<void> {
    const { rollout } = entry;
    if (!rollout || rollout.outcome !== null || alias !== CHAMPION) return;
    const { plan, step, since, challenger } = rollout;
    const { holdSeconds } = plan.steps[step];
    const isLast = step === plan.steps.length - 1;
    if (plan.isAutomatic === false || holdSeconds === null || (isLast && !plan.promotes)) return;
    if (this.#now() - Date.parse(since) < holdSeconds * 1000) return;
    const state = this.#options.routing.state(name);
    if (!state || state.breach || state.route.id !== String(rollout.seq)) return;
    const seen = (state.requests[CHALLENGER] ?? 0) + (plan.kind === 'shadow' ? state.pairs.scored : 0);
    if (seen < (plan.guards?.minRequests ?? 100)) return;
    const why = `held for ${holdSeconds} s, ${counted(seen, 'request')} of the challenger in this process, no guard objects`;
    let hasChanged: boolean;
    try {
      hasChanged = await this.#options.registry.advanceRollout(entry.name, { by: BY, why }, step);
    } catch (error) {
      // what the registry refuses keeps neither this model nor others from being followed
      this.#once(`advance ${name}`, {
        level: 'error',
        event: 'registry',
        model: name,
        reason: (error as Error).message,
      });
      return;
    }
    if (hasChanged) this.#changed(isLast ? 'promoted' : 'advanced', entry.name, challenger, why);
  }

  async #tellBreaches(): Promise<void> {
    for (const [name, { id, why, challenger }] of [...this.#breaches]) {
      const model = this.#options.models.find((one) => one.name === name);
      if (!model) continue;
      const act: Act = { by: BY, why };
      const hasChanged = await this.#options.registry.endRollout(model.of, 'rolled-back', act, Number(id));
      this.#breaches.delete(name);
      if (hasChanged) this.#changed('rolled back', model.of, Number(challenger.version), why);
    }
  }

  #changed(event: Change['event'], name: string, version: number, why: string): void {
    const at = new Date(this.#now()).toISOString();
    this.#log({
      level: event === 'rolled back' ? 'error' : 'info',
      event: `rollout ${event}`,
      model: name,
      version,
      reason: why,
    });
    this.#options.onChange?.({ event, name, version, why, at });
  }

  #once(key: string, line: LogLine): void {
    const text = JSON.stringify(line);
    if (this.#said.get(key) === text) return;
    this.#said.set(key, text);
    this.#log(line);
  }
}

/** Versions that came after the champion, and have failed their gate. */
function refusedOf(entry: Entry | undefined): number {
  const champion = entry?.aliases.get(CHAMPION);
  if (!entry || champion === undefined) return 0;
  return [...entry.versions.values()].filter(
    ({ version, isRetired, gate }) => version > champion && !isRetired && gate !== null && !gate.passed,
  ).length;
}

/** The route that a rollout asks for; without one all requests are the champion's. */
export function routeOf(
  { name, alias }: Followed,
  { rollout }: Entry,
  wanted: number,
  more: Pick<Route, 'fallback' | 'answer'>,
): Route {
  const target = (version: number): Target => ({ model: name, version: String(version) });
  const plain: Route = {
    name,
    id: `version ${wanted}`,
    champion: target(wanted),
    arms: [],
    salt: name,
    key: null,
    ...more,
  };
  if (!rollout || rollout.outcome !== null || alias !== CHAMPION) return plain;
  const { plan, challenger, champion, step, seq } = rollout;
  const isShadow = plan.kind === 'shadow';
  const arm = { ...target(challenger), name: CHALLENGER, share: plan.steps[step].share };
  return {
    ...plain,
    id: String(seq),
    champion: target(champion),
    arms: isShadow
      ? []
      : [arm, ...(plan.arms ?? []).map(({ version, ...others }) => ({ ...others, ...target(version) }))],
    shadow: isShadow ? target(challenger) : null,
    salt: plan.salt,
    key: keyFrom(plan.key),
    guards: plan.guards ?? {},
  };
}

function keyFrom(key: string | undefined): KeyFrom {
  if (key === undefined) return null;
  return key.startsWith('header:') ? { header: key.slice('header:'.length) } : { field: key };
}
