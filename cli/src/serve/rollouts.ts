import { readFileSync } from 'node:fs';
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
import { Notifier } from './notify.ts';
import { type RouteFile, readRoutes, routeOfFile } from './routes.ts';

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
  /** whether somebody is told of rollouts */
  readonly #isTold: boolean;
  readonly #log: (line: LogLine) => void;
  readonly #path: string | undefined;
  #routes: RouteFile;
  #text = '';
  #follower: Follower | null = null;
  /** routes of the file that a guard has ended, by name */
  readonly #ended = new Map<string, Ended>();

  /** @throws ERR_DATA, ERR_RANGE for a file of routes or receivers that cannot be used */
  constructor({ routes, notify = [], workers }: RolloutOptions, log: (line: LogLine) => void) {
    this.#log = log;
    this.#path = routes;
    this.#routes = routes === undefined ? {} : readRoutes(routes);
    this.#notifier = new Notifier(notify, log);
    this.#isTold = notify.length > 0;
    this.routing = new Routing({
      processes: workers,
      onBreach: (ended) => {
        if (this.#follower && this.#followed.has(ended.name)) this.#follower.breach(ended);
        else {
          this.#ended.set(ended.name, ended);
          this.#tellOfFile('rolled back', ended, ended.why);
        }
      },
    });
  }

  readonly #followed = new Set<string>();

  /** Has a service follow a registry. Resolves when it has been read for the first time. */
  async follow(service: Service, registry: ModelRegistry, models: readonly Followed[]): Promise<void> {
    for (const { name } of models) this.#followed.add(name);
    this.#follower = new Follower({
      registry,
      models,
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

  /** Reads again what may have changed. */
  look(): void {
    if (this.#path !== undefined) this.#lookAtFile(this.#path);
    void this.#follower?.look();
  }

  /** Routes of models that no registry has. */
  #lookAtFile(path: string): void {
    let text: string;
    const before = Object.keys(this.#routes);
    try {
      text = readFileSync(path, 'utf8');
      if (text === this.#text) return;
      this.#routes = readRoutes(path);
    } catch (error) {
      this.#log({ level: 'error', event: 'routes', reason: (error as Error).message });
      return;
    }
    this.#text = text;
    for (const [name, entry] of Object.entries(this.#routes))
      if (!this.#followed.has(name)) this.routing.set(routeOfFile(name, entry));
    // what the file does not have any more is plain again
    for (const name of before) if (!this.#routes[name] && !this.#followed.has(name)) this.routing.clear(name);
    for (const [name, ended] of [...this.#ended]) {
      const entry = this.#routes[name];
      if (entry && routeOfFile(name, entry).id === ended.id) continue;
      this.#ended.delete(name);
      this.#tellOfFile('resolved', ended, `${ended.challenger.model} was rolled back, and its route was changed`);
    }
  }

  #tellOfFile(event: Change['event'], { name, challenger }: Ended, why: string): void {
    this.#tell({ event, name, version: challenger.model, why, at: new Date().toISOString() });
  }

  #tell(change: Change): void {
    void this.#notifier.tell(change);
  }

  gauges(): Gauges {
    if (!this.#isTold) return {};
    const counter = (help: string, value: number) => ({ help, value, type: 'counter', of: 'sum' }) as const;
    return {
      lr_notifications_total: counter('Messages about rollouts that were taken.', this.#notifier.sent),
      lr_notifications_lost_total: counter('Messages about rollouts that nobody took.', this.#notifier.lost),
    };
  }

  close(): void {
    this.routing.close();
  }
}
