import { pickEngine } from 'logodds/score';
import type { Asked, Attempt, Chooser, LogLine, Witness } from '../hooks.ts';
import type { Served } from '../models/served.ts';
import type { Shelf } from '../models/shelf.ts';
import type { Label, LabelSink } from '../observation/labels.ts';
import type { Gauges } from '../observation/numbers.ts';
import type { Answer, PartAnswer, Rows } from '../scoring/question.ts';
import { armOf } from './assign.ts';
import { constant } from './constant.ts';
import { type Followed, watchedOf } from './followed.ts';
import { type Breach, type GuardState, Guards, type Seen } from './guards.ts';
import { armNamed, keyOf, ROUTE_HEADER } from './key.ts';
import { type PairCounts, type PairLimits, Pairs } from './pairs.ts';
import { type Arm, CHAMPION, checkRoute, type Route, type Target } from './route.ts';
import { CONSOLE_SCRIPT } from './segments/consoleScript.ts';
import { Divisions, type SegmentsState } from './segments/divisions.ts';
import type { Front } from './segments/parts.ts';
import type { Segments } from './segments/rules.ts';

/** A rollout that had to end. */
export interface Ended extends Breach {
  readonly name: string;
  /** id of the route */
  readonly id: string;
  /** the version that had to go */
  readonly challenger: Target;
}

/** How a service routes. */
export interface RoutingOptions {
  /** Called once when a guard has ended a rollout: this process has gone back to the champion already. It must not throw. */
  readonly onBreach?: (ended: Ended) => void;
  /** how much scoring requests by both versions may cost */
  readonly pairs?: PairLimits;
  /** processes that answer for the same models, each of which watches its own requests; default 1 */
  readonly processes?: number;
  /** takes CSV apart into rows, which segments need; default: CSV to a model with segments is refused */
  readonly csv?: Front['csv'];
}

/** A route as it is told. */
export interface RouteState {
  readonly route: Route;
  /** a guard ended it */
  readonly breach: Breach | null;
  readonly requests: Readonly<Record<string, number>>;
  readonly guards: readonly GuardState[];
  readonly pairs: PairCounts;
  /** requests without a key, which the champion answered */
  readonly unkeyed: number;
}

interface Parts {
  readonly shelf: Shelf;
  readonly log: (line: LogLine) => void;
}

/** A request that was assigned. */
interface Assigned {
  readonly to: Followed;
  /** the caller named the arm: it tells nothing of the others */
  readonly isForced: boolean;
  hasRefusals: boolean;
  /** the challenger has failed before another one answered */
  hasFailed: boolean;
}

/**
 * Routes requests that name no version among versions: rollouts, fallbacks, shadows.
 * @example
 * const routing = new Routing({ onBreach: ({ why }) => console.error(why) });
 * const service = createService({ models, routing });
 * routing.set({ name: 'fraud', id: '1', champion: { model: 'fraud', version: '1' }, salt: '1', key: null,
 *   arms: [{ name: 'challenger', model: 'fraud', version: '2', share: 0.05 }] });
 */
export class Routing implements Chooser, Witness {
  readonly #options: RoutingOptions;
  readonly #routes = new Map<string, Followed>();
  readonly #assigned = new WeakMap<Asked, Assigned>();
  readonly #counts = { fallbacks: 0, unkeyed: 0, forced: 0, breaches: 0 };
  #hasRouted = false;
  #pairs: Pairs;
  #divisions: Divisions | null = null;
  #shelf!: Shelf;
  #log: (line: LogLine) => void = () => {};

  constructor(options: RoutingOptions = {}) {
    this.#options = options;
    this.#pairs = new Pairs(options.pairs ?? {}, (line) => this.#log(line));
  }

  /** @internal */
  attach({ shelf, log }: Parts): void {
    this.#shelf = shelf;
    this.#log = log;
  }

  /**
   * Has requests to a model follow a route. What was seen of a rollout stays as long as its id; a greater share changes nothing of it but the share.
   * @throws ERR_RANGE for one that cannot be followed
   */
  set(route: Route): void {
    checkRoute(route);
    this.#hasRouted = true;
    const before = this.#routes.get(route.name);
    const isSame = before?.route.id === route.id;
    const watched = route.guards === undefined || route.guards === null ? null : watchedOf(route);
    const share = watched?.share ?? 0;
    const guards = isSame ? before.guards : watched ? new Guards(route.guards!, share, this.#options.processes) : null;
    if (guards) guards.share = share;
    this.#routes.set(route.name, {
      route,
      guards,
      breach: isSame ? before.breach : null,
      requests: isSame ? before.requests : {},
      unkeyed: isSame ? before.unkeyed : 0,
      last: before?.last ?? null,
    });
  }

  /** Lets a model be answered as the shelf has it. */
  clear(name: string): void {
    this.#routes.delete(name);
  }

  /**
   * Has the values of each record decide what answers it, where a model is asked by this name alone. A segment has a route of its own, or that of its model.
   * @throws ERR_RANGE for segments that cannot be followed; where their models are there, also for fields that none of them has, and for models whose classes
   *   differ. What was there stays
   * @example
   * routing.divide({ name: 'fraud', segments: [
   *   { name: 'de', when: { country: 'DE' }, by: { model: 'fraud-de', version: null } },
   *   { name: 'rest', when: 'otherwise', by: { model: 'fraud', version: null } },
   * ] });
   */
  divide(segments: Segments): void {
    this.#divided().set(segments);
    this.#hasRouted = true;
  }

  /** Checks segments as `divide` does, and changes nothing. @throws as `divide` */
  checkSegments(segments: Segments): void {
    this.#divided().checked(segments);
  }

  /** While no segments decide, nothing. @internal */
  get script(): string {
    return this.#divisions?.size ? CONSOLE_SCRIPT : '';
  }

  #divided(): Divisions {
    if (!this.#shelf)
      throw new Error('divide: expected a service with this routing, got none; call createService({ routing }) first');
    this.#divisions ??= new Divisions({
      shelf: this.#shelf,
      csv: this.#options.csv ?? null,
      route: (name) => this.#routes.get(name),
      names: () => this.#routes.keys(),
      set: (route) => this.set(route),
      clear: (name) => this.clear(name),
      attempts: (to, arm) => this.#attempts(to, arm),
      fellBack: (asked, attempt, error) => this.#fellBack(asked, attempt, error),
      count: (what) => {
        this.#counts[what]++;
      },
      saw: (to, seen) => this.#saw(to, seen),
    });
    return this.#divisions;
  }

  /** Lets a model be answered without segments. */
  join(name: string): void {
    this.#divisions?.clear(name);
  }

  /** The segments of a model, as they stand; null: it has none. */
  segments(name: string): SegmentsState<RouteState> | null {
    return this.#divisions?.state(name, (route) => this.state(route)) ?? null;
  }

  /** The route of a model, as it stands; null: it has none. */
  state(name: string): RouteState | null {
    const followed = this.#routes.get(name);
    if (!followed) return null;
    const { route, breach, requests, guards, unkeyed } = followed;
    return { route, breach, requests, guards: guards?.states ?? [], pairs: this.#pairs.counts, unkeyed };
  }

  /** Whether something waits to be compared. */
  get isComparing(): boolean {
    return this.#pairs.waiting > 0;
  }

  /** Drops what waits to be compared. */
  close(): void {
    this.#pairs.clear();
  }

  choose(asked: Asked, read: () => Promise<Uint8Array>): readonly Attempt[] | null | Promise<readonly Attempt[]> {
    // labels are of every version
    if (asked.protocol === 'labels') return null;
    const divided = this.#divisions?.choose(asked);
    if (divided) return divided;
    const followed = this.#routes.get(asked.asked!.name);
    if (!followed) return null;
    const { route } = followed;
    const named = asked.request.headers.get(ROUTE_HEADER);
    if (named !== null)
      return this.#assign(asked, followed, named === CHAMPION ? null : armNamed(route.arms, named), true);
    if (route.arms.length === 0) return this.#assign(asked, followed, null, false);
    const key = keyOf(asked, route.key, read);
    if (key instanceof Promise) return key.then((found) => this.#assignKey(asked, followed, found));
    return this.#assignKey(asked, followed, key);
  }

  #assignKey(asked: Asked, followed: Followed, key: string | null): readonly Attempt[] {
    if (key === null) {
      followed.unkeyed++;
      this.#counts.unkeyed++;
      // the champion would be compared with others than those that have a key
      return this.#assign(asked, followed, null, true).map((attempt) => ({ ...attempt, isUnkeyed: true }));
    }
    return this.#assign(asked, followed, armOf(followed.route, key), false);
  }

  #assign(asked: Asked, to: Followed, chosen: Arm | null, isForced: boolean): readonly Attempt[] {
    if (isForced) this.#counts.forced++;
    this.#assigned.set(asked, { to, isForced, hasRefusals: false, hasFailed: false });
    return this.#attempts(to, chosen);
  }

  #attempts(to: Followed, chosen: Arm | null): Attempt[] {
    const { route, breach } = to;
    const arm = breach && chosen?.name === watchedOf(route)?.name ? null : chosen;
    const rollout = watchedOf(route) || route.arms.length > 0 ? route.id : null;
    const attempts: Attempt[] = arm ? [{ route: arm.name, rollout, target: arm }] : [];
    attempts.push({ route: CHAMPION, rollout, target: route.champion });
    if (route.fallback) attempts.push({ route: 'fallback', rollout, target: route.fallback });
    const last = this.#lastOf(to);
    if (last) attempts.push({ route: 'default', rollout, target: last });
    return attempts;
  }

  /** What answers when no model can; it is made when the champion is there for the first time. */
  #lastOf(to: Followed): Served | null {
    const { answer, champion, name } = to.route;
    if (!answer) return null;
    if (to.last && to.last.fields.length > 0) return to.last;
    let like: Served | null = null;
    try {
      like = this.#shelf.own(champion.model, champion.version);
    } catch {
      // the one that takes any record has to do
    }
    if (to.last && !like) return to.last;
    to.last = constant(name, answer, like, pickEngine());
    return to.last;
  }

  failed(asked: Asked, attempt: Attempt, error: unknown): void {
    // each segment has told of its own
    if (this.#divisions?.has(asked)) return;
    const assigned = this.#assigned.get(asked);
    if (assigned && attempt.route === watchedOf(assigned.to.route)?.name) assigned.hasFailed = true;
    this.#fellBack(asked, attempt, error);
  }

  #fellBack(asked: Asked, { route }: Attempt, error: unknown): void {
    this.#counts.fallbacks++;
    this.#log({
      level: 'warn',
      event: 'fell back',
      id: asked.id,
      model: asked.asked!.name,
      route,
      reason: (error as Error).message,
    });
  }

  scored(asked: Asked, answer: Answer, rows: Rows, own?: PartAnswer): void {
    const assigned = own ? this.#divisions?.scored(asked, own) : this.#assigned.get(asked);
    if (!assigned) return;
    if (answer.faults.length > 0) assigned.hasRefusals = true;
    const { to } = assigned;
    const by = own ? own.part.route : asked.route;
    const other = this.#otherOf(to, by);
    if (!other) return;
    const judge = (pairs: Parameters<Guards['compare']>[0]) => {
      // the route may have been replaced meanwhile
      if (this.#routes.get(to.route.name)?.guards !== to.guards) return;
      this.#judge(to, to.guards?.compare(pairs) ?? null);
    };
    this.#pairs.add(asked, answer, rows, by !== CHAMPION, other, judge, own);
  }

  /** The version that scores a second time what one arm has answered; null: none does. */
  #otherOf({ route, breach }: Followed, by: string | null): Served | null {
    const watched = watchedOf(route);
    if (!watched || breach) return null;
    const target = by === CHAMPION ? watched : by === watched.name ? route.champion : null;
    if (!target) return null;
    try {
      return this.#shelf.own(target.model, target.version);
    } catch {
      return null;
    }
  }

  ended(asked: Asked, status: number): void {
    if (this.#divisions?.has(asked)) {
      this.#divisions.ended(asked, status);
      return;
    }
    const assigned = this.#assigned.get(asked);
    if (!assigned || asked.route === null) return;
    const { to, isForced, hasRefusals, hasFailed } = assigned;
    to.requests[asked.route] = (to.requests[asked.route] ?? 0) + 1;
    const watched = watchedOf(to.route)?.name;
    const isChallenger = asked.route === watched || hasFailed;
    if (isForced || !(isChallenger || asked.route === CHAMPION)) return;
    const seconds = (performance.now() - asked.began) / 1000;
    this.#saw(to, { isChallenger, status: hasFailed ? 500 : status, hasRefusals, seconds });
  }

  #saw(to: Followed, seen: Seen): void {
    if (to.guards) this.#judge(to, to.guards.add(seen));
  }

  /** Takes labels on their way to who keeps them. */
  labels(sink: LabelSink | null): LabelSink | null {
    const classOf = (name: string, label: string): number => {
      try {
        const { classes, positive } = this.#shelf.own(name).model.manifest;
        return positive === null ? classes.indexOf(label) : Number(label === positive);
      } catch {
        return -1;
      }
    };
    const take = async (labels: readonly Label[]): Promise<void> => {
      await sink?.take(labels);
      for (const { id, label, model } of labels)
        for (const to of this.#routesOf(model)) {
          const k = classOf(to.route.champion.model, label);
          if (k >= 0) this.#judge(to, to.guards?.label(id, k, this.isComparing) ?? null);
        }
    };
    // guards judge by labels, whoever keeps them
    const isGuarded = (model: string) => this.#routesOf(model).some(({ guards }) => guards !== null);
    return { take, keeps: (model) => (sink !== null && (sink.keeps?.(model) ?? true)) || isGuarded(model) };
  }

  /** The routes that answer for a model. */
  #routesOf(model: string): Followed[] {
    return [...this.#routes.values()].filter(
      (to) => to.route.name === model || to.route.champion.model === model || this.#divisions?.leads(model, to),
    );
  }

  /** A guard has spoken: the champion answers everything from here on. */
  #judge(to: Followed, breach: Breach | null): void {
    if (!breach || to.breach) return;
    to.breach = breach;
    this.#counts.breaches++;
    const { name, id } = to.route;
    const { model, version } = watchedOf(to.route)!;
    this.#log({
      level: 'error',
      event: 'rolled back',
      model: name,
      route: id,
      version,
      guard: breach.guard,
      reason: breach.why,
    });
    this.#options.onBreach?.({ ...breach, name, id, challenger: { model, version } });
  }

  /** Numbers for `/metrics`; none before there was a route. */
  gauges(): Gauges {
    if (!this.#hasRouted) return {};
    const { scored, dropped, skipped, failed } = this.#pairs.counts;
    const counter = (help: string, value: number) => ({ help, value, type: 'counter', of: 'sum' }) as const;
    return {
      lr_routes: { help: 'Models that have a route.', value: this.#routes.size, of: 'most' },
      lr_route_fallbacks_total: counter('Times a version failed and another one was asked.', this.#counts.fallbacks),
      lr_route_unkeyed_total: counter('Requests without a key, which the champion answered.', this.#counts.unkeyed),
      lr_route_forced_total: counter(
        'Requests whose arm the caller named, or that had no key: guards leave them out.',
        this.#counts.forced,
      ),
      lr_route_breaches_total: counter('Rollouts that a guard has ended.', this.#counts.breaches),
      lr_shadow_rows_total: counter('Rows that both versions have scored.', scored),
      lr_shadow_dropped_total: counter('Requests not scored a second time: too many waited.', dropped),
      lr_shadow_skipped_total: counter(
        'Requests not scored a second time: streams, and bodies with many rows.',
        skipped,
      ),
      lr_shadow_failed_total: counter('Requests of which the second scoring failed.', failed),
      ...this.#divisions?.gauges(),
    };
  }
}
