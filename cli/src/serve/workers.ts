import cluster, { type Worker } from 'node:cluster';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Figure,
  type Gauges,
  gaugesOf,
  type LogLine,
  Metrics,
  type Numbers,
  totalOf,
} from '../../../service/src/index.ts';
import { LogoddsError } from '../../../src/index.ts';
import type { AlertsOfService } from '../alerts/alerting.ts';
import { placeOfRun } from '../write/temporary.ts';
import { type AlertsAsked, type Change, type Fault, Line, type WatchAsked } from './line.ts';
import type { ServeOptions } from './options.ts';
import { alertsOf, logLine, type Ready } from './server.ts';

const PROGRAM = fileURLToPath(new URL('./serveWorker.js', import.meta.url));
/** A worker that ends sooner died of its start: the next one waits, each time twice as long. */
const SOON_MS = 5000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
/** How long a worker is waited for that is asked for its numbers. */
const NUMBERS_MS = 1000;
/** What a worker has beyond the grace time before it is killed. */
const SPARE_MS = 5000;

/** A worker, and what is known of it. */
interface Member {
  readonly worker: Worker;
  /** a number that its successor has too: files of its own are named by it */
  readonly slot: number;
  readonly line: Line<Asked>;
  readonly begin: number;
  /** its numbers when they were last asked for */
  numbers: Numbers | null;
  isReady: boolean;
  /** requests that it cut at its end; null: it has not said that it ended */
  cut: number | null;
}

/** What workers ask. */
type Asked = { readonly kind: 'numbers' } | WatchAsked | Change | AlertsAsked;

/** Processes that answer on one port. This one has no models: it starts them, replaces those that die, and adds their numbers. */
export class Workers {
  /** those of the workers that live, which share the ports that these name */
  #options: ServeOptions;
  readonly #aliases: Readonly<Record<string, string>>;
  readonly #members = new Map<number, Member>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** what workers counted that are gone */
  #gone: Numbers = { counts: new Metrics().snapshot(), gauges: {} };
  /** where the first of them listens: a free port is chosen once */
  #ready: Ready | null = null;
  /** what clients had taken away; workers that start later have it from their files */
  readonly #unloaded = new Set<string>();
  /** evaluates the alerts of all; null: nobody asked for it */
  #alerting: AlertsOfService | null = null;
  /** where workers meet that watch; it is made by the first of them */
  readonly #watchFolder = placeOfRun();
  #restarts = 0;
  #diedSoon = 0;
  #isStopping = false;
  #whenEmpty: (() => void) | null = null;

  constructor(options: ServeOptions, aliases: Readonly<Record<string, string>>) {
    this.#options = options;
    this.#aliases = aliases;
    // workers take connections themselves: one that was handed to a worker which is killed would be open for ever, and never answered
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({ exec: PROGRAM, args: [] });
  }

  /** Starts all; resolves when the last one is ready. @throws what the first one fails of */
  async start(): Promise<Ready> {
    if (this.#options.slo !== undefined) this.#alerting = await alertsOf(this.#options, logLine);
    try {
      // the first one alone: what it fails of is said once, and it chooses free ports
      const ready = await this.#begin();
      await Promise.all(Array.from({ length: this.#options.workers - 1 }, () => this.#begin()));
      this.#alerting?.start(async () => {
        const { metrics, gauges } = totalOf(await this.#numbers());
        const figures = await this.#askWatch({ kind: 'watch', question: { kind: 'figures', now: Date.now() } });
        return metrics.text({ ...gauges, ...gaugesOf((figures as readonly Figure[] | null) ?? []) });
      });
      return ready;
    } catch (error) {
      this.kill();
      const { code, message } = error as Fault;
      if (code === null) throw new Error(message);
      throw new LogoddsError(code as LogoddsError['code'], message);
    }
  }

  /** Starts a worker; resolves when it is ready. */
  async #begin(): Promise<Ready> {
    // nobody holds the free ports that were chosen: they are asked for by their numbers
    if (this.#ready && this.#members.size === 0) this.#options = withPorts(this.#options, this.#ready);
    const worker = cluster.fork();
    const member: Member = {
      worker,
      slot: this.#freeSlot(),
      line: new Line(
        (message) => worker.isConnected() && worker.send(message),
        (asked) => this.#answer(asked, member),
        { isHeld: true },
      ),
      begin: performance.now(),
      numbers: null,
      isReady: false,
      cut: null,
    };
    this.#members.set(worker.id, member);
    worker.on('message', (message) => member.line.take(message));
    worker.on('error', () => {});
    worker.once('exit', (code, signal) => this.#ended(member, code, signal));
    const ready = await member.line.ask<Ready>({
      kind: 'start',
      worker: worker.process.pid,
      slot: member.slot,
      slots: this.#options.workers,
      watchFolder: this.#watchFolder,
      aliases: this.#aliases,
      options: this.#options,
    });
    for (const model of this.#unloaded)
      await member.line.ask({ kind: 'change', action: 'unload', model } satisfies Change);
    // all workers were gone for a moment, and their free port with them
    if (this.#ready && ready.url !== this.#ready.url)
      throw { code: null, message: 'it listens elsewhere' } satisfies Fault;
    member.isReady = true;
    this.#ready ??= ready;
    return ready;
  }

  #freeSlot(): number {
    const taken = new Set([...this.#members.values()].map(({ slot }) => slot));
    let slot = 1;
    while (taken.has(slot)) slot++;
    return slot;
  }

  #ended(member: Member, code: number | null, signal: string | null): void {
    const { worker, line, begin, numbers, isReady, cut } = member;
    this.#members.delete(worker.id);
    if (numbers) this.#keep(numbers);
    line.end(`a worker ended (${signal ?? code}) before it answered; its log says why`);
    if (this.#isStopping) {
      if (cut === null) this.#cut++;
      if (this.#members.size === 0) this.#whenEmpty?.();
      return;
    }
    // before the first is ready, there is nothing to replace
    if (!this.#ready) return;
    const hasDiedSoon = !isReady || performance.now() - begin < SOON_MS;
    const wait = hasDiedSoon ? Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#diedSoon++) : 0;
    if (!hasDiedSoon) this.#diedSoon = 0;
    this.#tell({
      level: 'error',
      event: 'worker ended',
      worker: worker.process.pid,
      reason: signal ?? `status ${code}`,
      again: wait / 1000,
    });
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#restarts++;
      this.#begin().then(
        () => this.#tell({ level: 'warn', event: 'worker replaced', worker: worker.process.pid }),
        ({ message }: Fault) => {
          this.#tell({ level: 'error', event: 'worker failed', reason: message });
          [...this.#members.values()].find((one) => !one.isReady)?.worker.process.kill('SIGKILL');
        },
      );
    }, wait);
    this.#timers.add(timer);
  }

  #tell(line: LogLine): void {
    logLine(line);
  }

  /** Counts go on when their worker is gone: those that were shown once never fall. */
  #keep(numbers: Numbers): void {
    const { metrics, gauges } = totalOf([this.#gone, numbers]);
    const live = [...this.#members.values()].flatMap((member) => member.numbers?.counts.tallies ?? []);
    for (const { model: name, version } of metrics.snapshot().tallies)
      if (!live.some((tally) => tally.model === name && tally.version === version)) metrics.retire({ name, version });
    const counters = Object.entries(gauges).filter(([, { type }]) => type === 'counter');
    this.#gone = { counts: metrics.snapshot(), gauges: Object.fromEntries(counters) };
  }

  async #answer(asked: Asked, by: Member): Promise<unknown> {
    if (asked.kind === 'numbers') return this.#numbers();
    if (asked.kind === 'alerts') return this.#askAlerting(asked);
    if (asked.kind === 'watch') return this.#askWatch(asked);
    const { action, model } = asked;
    if (action === 'load') this.#unloaded.delete(model);
    else this.#unloaded.add(model);
    const others = [...this.#members.values()].filter((member) => member !== by && member.isReady);
    // one that dies meanwhile is replaced by one that knows
    await Promise.allSettled(others.map(({ line }) => line.ask(asked)));
    return null;
  }

  #askAlerting({ method, given }: AlertsAsked): Promise<unknown> {
    const alerting = this.#alerting!;
    const ask = alerting[method] as (...given: readonly unknown[]) => Promise<unknown>;
    return ask.apply(alerting, given as unknown[]);
  }

  /** One answers for all, the first of those that live: what two of them know at a time differs by what they have not told each other yet. */
  async #askWatch(asked: WatchAsked): Promise<unknown> {
    const members = [...this.#members.values()].filter(({ isReady }) => isReady);
    members.sort((a, b) => a.slot - b.slot);
    for (const { line } of members) {
      try {
        return await line.ask(asked);
      } catch {
        // it has ended meanwhile
      }
    }
    return null;
  }

  /** The numbers of all workers, gone ones too, and of this process. */
  async #numbers(): Promise<Numbers[]> {
    const members = [...this.#members.values()].filter(({ isReady }) => isReady);
    await Promise.all(members.map((member) => refresh(member)));
    const known = members.flatMap(({ numbers }) => (numbers ? [numbers] : []));
    return [...known, this.#gone, { counts: new Metrics().snapshot(), gauges: this.#gauges(members.length) }];
  }

  #gauges(workers: number): Gauges {
    return {
      lr_workers: { help: 'Processes that answer.', value: workers, of: 'sum' },
      lr_worker_restarts_total: {
        help: 'Processes that took the place of one that ended.',
        type: 'counter',
        value: this.#restarts,
        of: 'sum',
      },
      ...this.#alerting?.gauges(),
    };
  }

  /** requests cut, and workers that ended without a word */
  #cut = 0;

  /** Has all workers answer what has come, and end. Resolves with the number of requests that were cut. */
  async stop(): Promise<number> {
    this.#isStopping = true;
    this.#alerting?.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#members.size === 0) return this.#cut;
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    const late = setTimeout(() => this.kill(), this.#options.grace * 1000 + SPARE_MS);
    for (const member of this.#members.values()) void this.#stop(member);
    await empty;
    clearTimeout(late);
    this.#clear();
    return this.#cut;
  }

  async #stop(member: Member): Promise<void> {
    if (!member.isReady) {
      member.cut = 0;
      member.worker.process.kill('SIGKILL');
      return;
    }
    try {
      member.cut = await member.line.ask<number>({ kind: 'stop' });
      this.#cut += member.cut;
      member.worker.process.disconnect();
    } catch {
      // it is gone, which is counted there
    }
  }

  /** Ends all at once. */
  kill(): void {
    this.#isStopping = true;
    for (const { worker } of this.#members.values()) worker.process.kill('SIGKILL');
    this.#clear();
  }

  #clear(): void {
    rmSync(this.#watchFolder, { recursive: true, force: true });
  }
}

/** Asks a worker for its numbers. One that is busy too long keeps those that it said before. */
async function refresh(member: Member): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), NUMBERS_MS);
  });
  const numbers = await Promise.race([member.line.ask<Numbers>({ kind: 'numbers' }).catch(() => null), late]);
  clearTimeout(timer);
  if (numbers) member.numbers = numbers;
}

/** Options with the ports that were free at the start. */
const withPorts = (options: ServeOptions, { url, grpc }: Ready): ServeOptions => ({
  ...options,
  port: portOf(url) ?? options.port,
  grpcPort: portOf(grpc ?? '') ?? options.grpcPort,
});

const portOf = (address: string): number | null => {
  const port = /:(\d+)$/.exec(address)?.[1];
  return port === undefined ? null : Number(port);
};
