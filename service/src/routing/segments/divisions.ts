import { LogoddsError } from 'logodds/score';
import type { Asked, Attempt } from '../../hooks.ts';
import type { Shelf } from '../../models/shelf.ts';
import { labelText } from '../../observation/metrics.ts';
import type { Gauges } from '../../observation/numbers.ts';
import { Refusal } from '../../refusal.ts';
import { mediaTypeOf } from '../../requests/mediaType.ts';
import type { PartAnswer } from '../../scoring/question.ts';
import { armOf } from '../assign.ts';
import { type Followed, plainTo, watchedOf } from '../followed.ts';
import type { Seen } from '../guards.ts';
import { armNamed, headerKey, keyValue, ROUTE_HEADER } from '../key.ts';
import { type Arm, CHAMPION, type Route } from '../route.ts';
import { Divided } from './divided.ts';
import { noCsv } from './dividedStream.ts';
import { Division, type UnmatchedState } from './division.ts';
import { type Front, RowParts, SEGMENTS } from './parts.ts';
import { RoutedPart } from './routedPart.ts';
import type { Segments, Unmatched, Values, When } from './rules.ts';

/** Segments as they are told. */
export interface SegmentsState<State = unknown> {
  readonly segments: readonly SegmentState<State>[];
  /** values of fields that no segment names */
  readonly unmatched: readonly UnmatchedState[];
  /** what does not fit, of the models that are there; null: nothing */
  readonly problem: string | null;
}

/** A segment as it is told. */
export interface SegmentState<State = unknown> {
  readonly name: string;
  readonly when: When;
  readonly model: string;
  /** of its champion; null: it is not there */
  readonly version: string | null;
  /** rows by arm */
  readonly rows: Readonly<Record<string, number>>;
  /** its own route, or that of its model; null: all of it is the champion's */
  readonly route: State | null;
}

/** The routes among which segments lead. */
export interface Routes {
  readonly shelf: Shelf;
  readonly csv: Front['csv'];
  route(name: string): Followed | undefined;
  names(): Iterable<string>;
  set(route: Route): void;
  clear(name: string): void;
  /** The versions that are tried where an arm was chosen; null: the champion's. */
  attempts(to: Followed, arm: Arm | null): Attempt[];
  fellBack(asked: Asked, attempt: Attempt, error: unknown): void;
  count(what: 'unkeyed' | 'forced'): void;
  saw(to: Followed, seen: Seen): void;
}

/** A request whose records are divided. */
interface Open {
  readonly division: Division;
  readonly divided: Divided;
  /** parts whose rows were told; empty: the request was refused before */
  readonly scored: Set<RoutedPart>;
  /** answers whose unmatched values are counted */
  readonly noted: WeakSet<object>;
}

/** Divides requests into segments, each of which follows a route. */
export class Divisions {
  readonly #routes: Routes;
  readonly #all = new Map<string, Division>();
  /** routes of segments that are one model's */
  readonly #plain = new WeakMap<Division, Followed[]>();
  readonly #open = new WeakMap<Asked, Open>();

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Segments that can be followed. Nothing follows them yet. @throws ERR_RANGE for others */
  checked(segments: Segments): Division {
    const { shelf, csv } = this.#routes;
    const division = new Division(segments, shelf, csv, this.#all.get(segments.name) ?? null);
    division.front();
    if (division.problem !== null) throw new LogoddsError('ERR_RANGE', division.problem);
    return division;
  }

  /** @throws ERR_RANGE for segments that cannot be followed; what was there stays */
  set(segments: Segments): void {
    const { name } = segments;
    const { shelf } = this.#routes;
    const division = this.checked(segments);
    this.#all.set(name, division);
    const own = segments.segments.flatMap(({ name: segment, by }) =>
      'arms' in by ? [{ ...by, name: `${name}/${segment}` }] : [],
    );
    for (const route of own) this.#routes.set(route);
    this.#clear(name, new Set(own.map((route) => route.name)));
    let standing: Divided | null = null;
    let front: Front | null = null;
    shelf.stand(name, () => {
      const now = division.front();
      if (now !== front) standing = now && new Divided(now, (values, told) => this.#champion(division, values, told));
      front = now;
      return standing;
    });
  }

  clear(name: string): void {
    this.#all.delete(name);
    this.#routes.shelf.stand(name, null);
    this.#clear(name, new Set());
  }

  /** Clears routes of segments. */
  #clear(name: string, kept: ReadonlySet<string>): void {
    for (const route of [...this.#routes.names()])
      if (route.startsWith(`${name}/`) && !kept.has(route)) this.#routes.clear(route);
  }

  /** @param stateOf  tells of the route of a name */
  state<State>(name: string, stateOf: (route: string) => State | null): SegmentsState<State> | null {
    const division = this.#all.get(name);
    if (!division) return null;
    division.front();
    const champions = division.champions();
    const rows = [...division.rows.values()];
    return {
      segments: division.segments.segments.map(({ name: own, when, by }, k) => ({
        name: own,
        when,
        model: 'arms' in by ? by.champion.model : by.model,
        version: champions[k]?.version ?? null,
        rows: Object.fromEntries(rows.flatMap(({ part, rows }) => (part.segment === own ? [[part.route, rows]] : []))),
        route: 'arms' in by ? stateOf(`${name}/${own}`) : by.version === null ? stateOf(by.model) : null,
      })),
      unmatched: division.unmatched,
      problem: division.problem,
    };
  }

  /** Whether a segment of a model has this route. */
  leads(model: string, to: Followed): boolean {
    const division = this.#all.get(model);
    return division?.segments.segments.some((_, k) => this.#followed(division, k) === to) ?? false;
  }

  /** Whether the records of a request are divided. */
  has(asked: Asked): boolean {
    return this.#open.has(asked);
  }

  /**
   * A request that is answered by the segments of its records; null: the model has none.
   * @throws Refusal where none of their models is there, or an arm is named that none of them has
   */
  choose(asked: Asked): Attempt[] | null {
    const division = this.#all.get(asked.asked!.name);
    if (!division) return null;
    const front = division.front();
    if (!front) throw absent(division.segments.name);
    // the head of a stream would have left
    if (front.csv === null && mediaTypeOf(asked.request) === 'text/csv') throw noCsv();
    const named = asked.request.headers.get(ROUTE_HEADER);
    if (named !== null) {
      const arms = division.segments.segments.flatMap((_, k) => this.#followed(division, k).route.arms);
      if (named !== CHAMPION) armNamed(arms, named);
      this.#routes.count('forced');
    }
    const parts = new Map<string, RoutedPart>();
    /** by route, where no record has the key */
    const keys = new Map<Followed, string | null>();
    const divided: Divided = new Divided(front, (values, told) => {
      const k = division.rules.of(values, told);
      const to = this.#followed(division, k);
      const { route } = to;
      const key = named !== null || route.arms.length === 0 ? null : this.#keyOf(asked, to, values, keys);
      const arm = named === null ? key && armOf(route, key) : (route.arms.find(({ name }) => name === named) ?? null);
      const id = arm ? `${k} ${arm.name}` : `${k}`;
      let part = parts.get(id);
      if (!part) {
        part = this.#part(division, k, to, arm || null, asked);
        parts.set(id, part);
      }
      divided.use(part.served);
      part.taken(key, named !== null || (key === null && route.arms.length > 0));
      return part;
    });
    this.#open.set(asked, { division, divided, scored: new Set(), noted: new WeakSet() });
    return [{ route: SEGMENTS, rollout: null, target: divided }];
  }

  /** The part of an answer, as the route of its segment knows it. */
  scored(asked: Asked, { part, parts, index }: PartAnswer): RoutedPart | null {
    const open = this.#open.get(asked);
    if (!open || !(part instanceof RoutedPart)) return null;
    const { division, scored, noted } = open;
    scored.add(part);
    division.count(part, index.length);
    if (parts instanceof RowParts && !noted.has(parts)) division.note(parts.unmatched);
    noted.add(parts);
    return part;
  }

  /** To each of its segments a request is one of its route. */
  ended(asked: Asked, status: number): void {
    const { divided, scored } = this.#open.get(asked)!;
    const seconds = (performance.now() - asked.began) / 1000;
    // of a request that was refused the rows are known that were scored last
    const isRefused = scored.size === 0;
    const last = (divided.last?.of ?? []).filter((part) => part instanceof RoutedPart);
    const parts = isRefused ? last : [...scored];
    const byRoute = new Map<Followed, RoutedPart[]>();
    for (const part of parts) byRoute.set(part.to, [...(byRoute.get(part.to) ?? []), part]);
    for (const [to, own] of byRoute) {
      for (const { route } of own) to.requests[route] = (to.requests[route] ?? 0) + 1;
      const [part] = own;
      const isChallenger = part.route === watchedOf(to.route)?.name || part.hasFailed;
      // with several keys it is no longer chance alone whether one arm has all of them
      if (own.length > 1 || part.isForced || part.hasSeveralKeys) continue;
      if (!(isChallenger || part.route === CHAMPION)) continue;
      const hasRefusals = part.hasRefusals || (isRefused && parts.length === 1 && status >= 400);
      const isFailed = part.hasFailed || status >= 500;
      this.#routes.saw(to, { isChallenger, status: isFailed ? 500 : 200, hasRefusals, seconds });
    }
  }

  /** Numbers for `/metrics`. */
  gauges(): Gauges {
    const gauges: Record<string, Gauges[string]> = {};
    const put = (name: string, help: string, labels: Readonly<Record<string, string>>, value: number) => {
      const text = Object.entries(labels).map(([key, label]) => `${key}=${labelText(label)}`);
      gauges[`${name}{${text.join()}}`] = { help, value, type: 'counter', of: 'sum' };
    };
    for (const [model, { rows, unmatched }] of this.#all) {
      for (const { part, rows: value } of rows.values()) {
        const labels = { model, segment: part.segment, route: part.route };
        put('lr_segment_rows_total', 'Rows that a segment has had, by arm.', labels, value);
      }
      for (const { field, missing, values, others } of unmatched) {
        const unknown = Object.values(values).reduce((sum, n) => sum + n, others);
        for (const [reason, value] of Object.entries({ missing, unknown }))
          put('lr_segment_unmatched_total', UNMATCHED, { model, field, reason }, value);
      }
    }
    return gauges;
  }

  /** The route of a segment: its own, that of its model, or none but its model. */
  #followed(division: Division, k: number): Followed {
    const { name, segments } = division.segments;
    const { name: own, by } = segments[k];
    const found = 'arms' in by ? `${name}/${own}` : by.version === null ? by.model : null;
    const followed = found === null ? undefined : this.#routes.route(found);
    if (followed) return followed;
    let plain = this.#plain.get(division);
    if (!plain) {
      plain = segments.map(({ by }) => plainTo('arms' in by ? by.champion : by));
      this.#plain.set(division, plain);
    }
    return plain[k];
  }

  /** What answers a record where nobody asks: the champion of its segment. */
  #champion(division: Division, values: Values, told: (unmatched: Unmatched) => void): RoutedPart {
    const k = division.rules.of(values, told);
    return this.#part(division, k, this.#followed(division, k), null, null);
  }

  #part(division: Division, k: number, to: Followed, arm: Arm | null, asked: Asked | null): RoutedPart {
    const { shelf } = this.#routes;
    return new RoutedPart(division.segments.segments[k].name, to, this.#routes.attempts(to, arm), {
      find: ({ model, version }) => shelf.own(model, version),
      like: division.front()!.model,
      failed: (attempt, error) => {
        if (asked) this.#routes.fellBack(asked, attempt, error);
        return attempt.route === watchedOf(to.route)?.name;
      },
    });
  }

  /** The key of a record: its own, or that of its request. */
  #keyOf(asked: Asked, to: Followed, values: Values, keys: Map<Followed, string | null>): string | null {
    const { key: from } = to.route;
    const isOwn = from !== null && 'field' in from;
    let key = isOwn ? keyValue(values(from.field)) : keys.get(to);
    if (key === undefined) key = isOwn ? null : headerKey(asked, from);
    else if (!isOwn) return key;
    if (!isOwn) keys.set(to, key);
    if (key === null) {
      to.unkeyed++;
      this.#routes.count('unkeyed');
    }
    return key;
  }
}

const UNMATCHED = 'Rows that had no value in a field that a segment names, by reason.';

const absent = (name: string): Refusal =>
  new Refusal(
    503,
    'ERR_NOT_READY',
    `model ${JSON.stringify(name)}: expected a model of one of its segments, got none; see the log`,
    { headers: { 'retry-after': '1' } },
  );
