import type { ModelRegistry } from '../../../registry/src/index.ts';
import {
  type Change,
  type Ended,
  type Followed,
  Follower,
  type Gauges,
  type LogLine,
  Routing,
  type Service,
} from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import { nearest } from '../read/names.ts';
import { Notifier } from '../tell/notifier.ts';
import type { Receiver } from '../tell/receivers.ts';
import { receiverOfTarget } from '../tell/targets.ts';
import { tellingOf } from '../tell/telling.ts';
import { CsvReader } from './observation/csvPieces.ts';
import {
  besidesIn,
  hasRoute,
  namesIn,
  type RouteFile,
  readRoutes,
  referencesIn,
  routeOfFile,
  segmentsOfFile,
  textOfRoutes,
} from './routes.ts';

/** What rollouts need of the options. */
export interface RolloutOptions {
  readonly routes?: string;
  readonly notify?: readonly string[];
  readonly workers: number;
}

/** Rollouts of a service: those of a registry, and those that a file tells. */
export class Rollouts {
  readonly routing: Routing;
  readonly #notifier: Notifier;
  /** who is told of rollouts */
  readonly #receivers: readonly Receiver[];
  readonly #log: (line: LogLine) => void;
  readonly #path: string | undefined;
  #routes: RouteFile;
  #text = '';
  /** what was said of a file last: it is not said twice */
  #said = '';
  #follower: Follower | null = null;
  /** routes of the file that a guard has ended, by name */
  readonly #ended = new Map<string, Ended>();
  #service: Service | null = null;
  #models: Followed[] = [];

  /** @throws ERR_DATA, ERR_RANGE for a file of routes or receivers that cannot be used */
  constructor({ routes, notify = [], workers }: RolloutOptions, log: (line: LogLine) => void) {
    this.#log = log;
    this.#path = routes;
    this.#routes = routes === undefined ? {} : readRoutes(routes);
    this.#receivers = notify.map(receiverOfTarget);
    this.#notifier = new Notifier(log);
    this.routing = new Routing({
      processes: workers,
      csv: (fields) => new CsvReader({ fields }),
      onBreach: (ended) => {
        if (this.#follower && this.#follows(ended.name)) this.#follower.breach(ended);
        else {
          this.#ended.set(ended.name, ended);
          this.#tellOfFile('rolled back', ended, ended.why);
        }
      },
    });
  }

  /** Models of a registry that the file of routes names, beside those that are served anyway. @throws ERR_REGISTRY, ERR_RANGE */
  references(served: readonly Followed[]): Followed[] {
    return newOnes(this.#routes, served);
  }

  /** Notes which models are of a registry. */
  knows(models: readonly Followed[]): void {
    this.#models = [...models];
  }

  /** Has a service follow a registry. Resolves when it has been read for the first time. */
  async follow(service: Service, registry: ModelRegistry): Promise<void> {
    this.#follower = new Follower({
      registry,
      models: this.#models,
      shelf: service.models,
      routing: this.routing,
      log: this.#log,
      more: (name) => {
        const entry = this.#routes[name];
        if (!entry) return {};
        const { fallback, answer } = routeOfFile(name, entry);
        return { fallback, answer };
      },
      onChange: (change) => this.#tell(change),
    });
    await this.#follower.look();
  }

  #follows(name: string): boolean {
    return this.#models.some((model) => model.name === name);
  }

  /** Reads routes for the first time. @throws ERR_DATA, ERR_RANGE, ERR_REGISTRY for those that cannot be followed */
  begin(service: Service): void {
    this.#service = service;
    if (this.#path !== undefined) this.#take(this.#path, true);
    void this.#follower?.look();
  }

  /** Reads again what may have changed. */
  look(): void {
    if (this.#path !== undefined) this.#lookAtFile(this.#path);
    void this.#follower?.look();
  }

  #lookAtFile(path: string): void {
    try {
      this.#take(path, false);
      this.#said = '';
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#said) this.#log({ level: 'error', event: 'routes', reason: message });
      this.#said = message;
    }
  }

  /** Has requests follow a file of routes, where it is another than before. What cannot be followed changes nothing; models that are to come are waited for. */
  #take(path: string, isFirst: boolean): void {
    const text = textOfRoutes(path);
    if (text === this.#text) return;
    const routes = readRoutes(path, text);
    const further = newOnes(routes, this.#models);
    if (further.length > 0 && !this.#follower)
      throw new LogoddsError(
        'ERR_DATA',
        `--routes ${path}: expected models that are served, got ${further[0].of} of a registry, which was none of them at the start; start the service anew`,
      );
    this.#checkNames(path, routes, further);
    this.#models.push(...further);
    const isThere = (name: string) => !this.#follows(name) || this.#service!.models.versions(name).length > 0;
    // the next look tries again: what answered before does so until then
    if (!isFirst && !Object.values(routes).flatMap(namesIn).every(isThere)) return;
    const all = Object.entries(routes).flatMap(([name, entry]) => segmentsOfFile(name, entry) ?? []);
    for (const segments of all) this.routing.checkSegments(segments);
    for (const segments of all) this.routing.divide(segments);
    for (const [name, entry] of Object.entries(routes))
      if (!this.#follows(name) && hasRoute(entry)) this.routing.set(routeOfFile(name, entry));
    for (const [name, entry] of Object.entries(this.#routes)) {
      const now = routes[name];
      if (entry.segments && !now?.segments) this.routing.join(name);
      if (hasRoute(entry) && !(now && hasRoute(now)) && !this.#follows(name)) this.routing.clear(name);
    }
    this.#routes = routes;
    this.#text = text;
    for (const [name, ended] of [...this.#ended]) {
      const entry = routes[name];
      if (entry && hasRoute(entry) && routeOfFile(name, entry).id === ended.id) continue;
      this.#ended.delete(name);
      this.#tellOfFile('resolved', ended, `${ended.challenger.model} was rolled back, and its route was changed`);
    }
  }

  #tellOfFile(event: Change['event'], { name, challenger }: Ended, why: string): void {
    this.#tell({ event, name, version: challenger.model, why, at: new Date().toISOString() });
  }

  /** @throws ERR_RANGE for models of segments, and beside a champion, that nobody serves */
  #checkNames(path: string, routes: RouteFile, further: readonly Followed[]): void {
    const { models } = this.#service!;
    const known = new Set([...models.served(), ...[...this.#models, ...further].map(({ name }) => name)]);
    for (const [name, entry] of Object.entries(routes))
      for (const model of [...namesIn(entry), ...besidesIn(entry)]) {
        if (known.has(model)) continue;
        const guess = nearest(model, [...known]);
        const next = guess ? `did you mean ${guess}?` : 'serve it too, or correct the name';
        throw new LogoddsError(
          'ERR_RANGE',
          `--routes ${path}, ${name}: expected models that are served (${[...known].slice(0, 10).join(', ')}), got ${JSON.stringify(model)}; ${next}`,
        );
      }
  }

  #tell(change: Change): void {
    const telling = tellingOf(change);
    for (const receiver of this.#receivers) void this.#notifier.tell(receiver, telling);
  }

  gauges(): Gauges {
    const counter = (help: string, value: number) => ({ help, value, type: 'counter', of: 'sum' }) as const;
    return {
      ...(this.#follower && {
        lr_candidates_refused: {
          help: 'Versions of the registry after the champion whose gate said no, and that nobody has retired.',
          value: this.#follower.refused,
          of: 'most',
        } as const,
      }),
      ...(this.#receivers.length > 0 && {
        lr_notifications_total: counter('Messages about rollouts that were taken.', this.#notifier.sent),
        lr_notifications_lost_total: counter('Messages about rollouts that nobody took.', this.#notifier.lost),
      }),
    };
  }

  close(): void {
    this.routing.close();
  }
}

/** Models of a registry that routes name and that nobody follows yet. @throws ERR_RANGE for a name that another model has */
function newOnes(routes: RouteFile, served: readonly Followed[]): Followed[] {
  return referencesIn(routes).filter((one) => {
    const other = served.find(({ name }) => name === one.name);
    if (!other) return true;
    if (other.of === one.of && other.alias === one.alias && other.version === one.version) return false;
    throw new LogoddsError(
      'ERR_RANGE',
      `--routes: expected the name ${one.name} for models:/${one.of}, got another model of that name; serve that one under another, NAME=models:/…`,
    );
  });
}
