import type { Registry } from '@logodds/registry';
import type { Hono } from 'hono';
import type { Asked, Attempt, ChangeKeeper, Chooser, ClientChange, Gate, Keeper, LogLine, Witness } from './hooks.ts';
import { Served } from './models/served.ts';
import type { ModelSource, Sees, Shelf } from './models/shelf.ts';
import { trustGauges } from './models/trustGauges.ts';
import { sayableFault } from './observation/fault.ts';
import type { LabelSink } from './observation/labels.ts';
import type { Metrics, Stage, Tally } from './observation/metrics.ts';
import { type Gauges, type Numbers, totalOf } from './observation/numbers.ts';
import { Refusal, refusalOf, refusalResponse } from './refusal.ts';
import { bytesOf, chunksOf } from './requests/body.ts';
import { callerName, sightOf } from './requests/caller.ts';
import { deadlineOf, tooLate } from './requests/deadline.ts';
import { givenId } from './requests/id.ts';
import { checkJson, checkRows, type Limits, withinLimits } from './requests/limits.ts';
import { compressed, encodingFor } from './responses/compress.ts';
import { encoded, type Text } from './responses/text.ts';
import type { RouteState } from './routing/routing.ts';
import type { SegmentsState } from './routing/segments/divisions.ts';
import type { Answer, Part, Parts as RowParts, Rows } from './scoring/question.ts';
import type { ScoreWatch } from './watch/watch.ts';

/** The other processes of a service that has several. */
export interface Peers {
  /** the numbers of all processes, of this one too */
  numbers(): Promise<readonly Numbers[]>;
  /** Has the others do what a client asked of this one; resolves when they have. */
  change(action: 'load' | 'unload', model: string): Promise<void>;
}

/** A registry, as a service asks it. */
export type ServedRegistry = Pick<Registry, keyof Registry>;

/** What the parts of a service share. */
export interface Parts {
  readonly shelf: Shelf;
  readonly metrics: Metrics;
  readonly limits: Limits;
  readonly log: (line: LogLine) => void;
  /** loads a model by its name, where the host of the service can */
  readonly source: ((name: string) => Promise<ModelSource> | ModelSource) | null;
  readonly gates: readonly Gate[];
  readonly witnesses: readonly Witness[];
  readonly keeper: Keeper | null;
  /** null: no rollouts */
  readonly chooser: Chooser | null;
  /** null: this process is the service */
  readonly peers: Peers | null;
  /** numbers that only the host of the service knows */
  readonly gauges: () => Gauges;
  /** takes what became true of earlier scores, where somebody keeps it */
  readonly labels: LabelSink | null;
  /** null: nothing is watched */
  readonly watch: ScoreWatch | null;
  /** where models live; null: the service knows none */
  readonly registry: ServedRegistry | null;
  /** the route of a model in this process; null: it has none */
  readonly routeOf: (model: string) => RouteState | null;
  /** the segments of a model in this process; null: it has none */
  readonly segmentsOf: (model: string) => SegmentsState<RouteState> | null;
  /** who keeps what clients change */
  readonly changes: ChangeKeeper | null;
  /** called when a client has changed the registry */
  readonly onChange: () => void;
}

/** Routes that a program adds to a service. They are imported by themselves: a service without them is no larger for them. */
export interface Extension {
  /** Adds its routes. @throws Error where the service lacks what they need */
  add(app: Hono, core: Core): void;
  /** What `/openapi.json` says of it for who asks. */
  describe(core: Core, request: Request): Promise<Description>;
  /** its page, which the console leads to: the way to it, and its name */
  readonly page?: { readonly path: string; readonly name: string };
  /** what it adds to the script of the console */
  readonly script?: string;
}

/** Parts of a description in OpenAPI 3.1. */
export interface Description {
  /** by tag what it is about */
  readonly tags: Readonly<Record<string, string>>;
  readonly paths: Readonly<Record<string, object>>;
  readonly schemas: Readonly<Record<string, object>>;
}

/** Answers requests that ask a model: finds it, counts, and tells of errors, whatever the protocol. */
export class Core implements Parts {
  readonly shelf: Shelf;
  readonly metrics: Metrics;
  readonly limits: Limits;
  readonly log: (line: LogLine) => void;
  readonly source: Parts['source'];
  readonly gates: readonly Gate[];
  readonly witnesses: readonly Witness[];
  readonly keeper: Keeper | null;
  readonly chooser: Chooser | null;
  readonly peers: Parts['peers'];
  readonly gauges: Parts['gauges'];
  readonly labels: LabelSink | null;
  readonly watch: ScoreWatch | null;
  readonly registry: ServedRegistry | null;
  readonly routeOf: Parts['routeOf'];
  readonly segmentsOf: Parts['segmentsOf'];
  readonly onChange: () => void;
  readonly changes: ChangeKeeper | null;
  #isOpen = true;
  #requests = 0;
  #whenIdle: (() => void)[] = [];

  constructor(parts: Parts) {
    const { shelf, metrics, limits, log, source, gates, witnesses, keeper, chooser, peers, gauges, labels } = parts;
    const { watch, registry, routeOf, segmentsOf, changes, onChange } = parts;
    this.shelf = shelf;
    this.metrics = metrics;
    this.limits = limits;
    this.log = log;
    this.source = source;
    this.gates = gates;
    this.witnesses = witnesses;
    this.keeper = keeper;
    this.chooser = chooser;
    this.peers = peers;
    this.gauges = gauges;
    this.labels = labels;
    this.watch = watch;
    this.registry = registry;
    this.routeOf = routeOf;
    this.segmentsOf = segmentsOf;
    this.changes = changes;
    this.onChange = onChange;
  }

  /** Loads a model again, or for the first time; versions from before are gone then. @throws ERR_SIGNATURE, Refusal where the host has none of that name */
  async load(name: string): Promise<void> {
    if (!this.source)
      throw new Refusal(
        400,
        'ERR_LOAD',
        'load: expected a service that can load models, got one whose models are given; put them by its host',
      );
    await this.shelf.load(await this.source(name));
  }

  /** The name of the one model that is there for who asks, where none is named. @throws Refusal 404 where there are several */
  only(request: Request): string {
    const names = this.shelf.names(sightOf(request));
    if (names.length === 1) return names[0];
    // behind one name the others stand
    const fronts = this.shelf.fronts(sightOf(request));
    if (fronts.length === 1) return fronts[0];
    throw new Refusal(
      404,
      'ERR_MODEL',
      `path: expected a service of one model, got ${names.length}; ask /models/{name}/score`,
    );
  }

  /** Takes a model off the shelf. @throws Refusal 404 */
  unload(name: string, sees?: Sees): void {
    this.shelf.own(name, null, sees);
    this.shelf.remove(name);
  }

  /** The numbers of this process. */
  numbers(): Numbers {
    return {
      counts: this.metrics.snapshot(),
      gauges: {
        lr_requests_in_flight: { help: 'Requests that are being answered.', value: this.#requests, of: 'sum' },
        lr_models: { help: 'Versions of models that answer.', value: this.shelf.all().length, of: 'most' },
        lr_models_failed: { help: 'Models that could not be loaded.', value: this.shelf.failures.size, of: 'most' },
        lr_scorer_memory_bytes: { help: 'Linear memory that scorers have.', value: this.shelf.memory, of: 'sum' },
        lr_ready: { help: '1: new requests should come here.', value: Number(this.isReady), of: 'least' },
        ...trustGauges(this.shelf),
        ...this.gauges(),
      },
    };
  }

  /** The numbers of all processes of the service. */
  async total(): Promise<ReturnType<typeof totalOf>> {
    if (this.peers) return totalOf(await this.peers.numbers());
    return { metrics: this.metrics, gauges: this.numbers().gauges };
  }

  /** Whether new requests should come here. */
  get isReady(): boolean {
    return this.#isOpen && this.shelf.isWhole;
  }

  /** Requests that are being answered. */
  get requests(): number {
    return this.#requests;
  }

  /** Tells that no new requests should come; resolves when those that came are answered. */
  drain(): Promise<void> {
    this.#isOpen = false;
    if (this.#requests === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** A request to a model. @param handle  answers it; what it throws becomes a refusal */
  async exchange(
    request: Request,
    protocol: string,
    name: string | null,
    version: string | null,
    handle: (exchange: Exchange) => Response | Promise<Response>,
  ): Promise<Response> {
    this.#requests++;
    const exchange = new Exchange(this, request, protocol);
    try {
      exchange.asked = { name: name ?? this.only(request), version };
      exchange.deadline = deadlineOf(request, exchange.began);
      if (exchange.deadline <= exchange.began) throw exchange.late();
      for (const gate of this.gates) {
        const turn = gate.enter(exchange);
        if (turn) await turn;
      }
      const finding = exchange.find();
      if (finding) await finding;
      const response = await (exchange.route === null ? handle(exchange) : exchange.tried(handle));
      if (exchange.isStreaming) return response;
      const kept = this.keeper?.keep(exchange, response.status);
      if (kept) await kept;
      exchange.end(response.status);
      return response;
    } catch (error) {
      return exchange.refuse(error);
    }
  }

  /** The answer to what went wrong with a request that asks no model for scores. */
  refused(error: unknown, id: string | null): Response {
    const refusal = refusalOf(error);
    if (refusal.status >= 500 && !(error instanceof Refusal))
      this.log({ level: 'error', event: 'failed', id, reason: reasonOf(error) });
    return refusalResponse(refusal, id);
  }

  /** A client has changed something, or tried to: it is logged and kept. @throws Refusal 503 where it must be kept and cannot be */
  async changed(change: ClientChange): Promise<void> {
    const { status, what, ...of } = change;
    this.log({ level: status < 400 ? 'info' : 'warn', event: 'change', change: what, status, ...of });
    try {
      await this.changes?.changed(change);
    } catch {
      throw new Refusal(
        503,
        'ERR_AUDIT',
        'audit log: expected room for a line, got none; the change was made, and the log of the registry has it',
      );
    }
  }

  /** @internal a request was answered */
  ended(): void {
    this.#requests--;
    if (this.#requests > 0 || this.#isOpen) return;
    for (const resolve of this.#whenIdle) resolve();
    this.#whenIdle = [];
  }
}

/** A request to a model, and what becomes of it. */
export class Exchange implements Asked {
  readonly request: Request;
  readonly protocol: string;
  id: string;
  isStreaming = false;
  refusal: Refusal | null = null;
  route: string | null = null;
  rollout: string | null = null;
  segment: string | null = null;
  /** the model that is asked for; null: it could not be told */
  asked: Asked['asked'] = null;
  /** when the request came, by `performance.now` */
  readonly began = performance.now();
  /** when the client no longer waits; Infinity: it does not say */
  deadline = Number.POSITIVE_INFINITY;
  readonly #core: Core;
  #served: Served | null = null;
  /** of several models behind one name the only one that has answered; null: there are none, or more have */
  #single: Served | null = null;
  readonly #parts = new Set<Part>();
  #tally: Tally | null = null;
  /** when the stage began that goes on */
  #since = this.began;
  #timing = '';
  #rows = 0;
  #isEnded = false;
  #leave: (() => void)[] = [];
  #more: Record<string, string> | null = null;
  #body: Promise<Uint8Array> | null = null;
  /** versions to try, the one that answers first */
  #attempts: readonly Attempt[] = [];

  constructor(core: Core, request: Request, protocol: string) {
    this.#core = core;
    this.request = request;
    this.protocol = protocol;
    this.id = givenId(request) ?? crypto.randomUUID();
    for (const witness of core.witnesses) witness.began?.(this);
  }

  get caller(): string | null {
    return callerName(this.request);
  }

  /** @internal Finds the version that answers. @throws Refusal 404 */
  find(): Promise<void> | undefined {
    const { chooser } = this.#core;
    const choice = this.asked!.version === null && chooser ? chooser.choose(this, () => this.bytes()) : null;
    if (choice instanceof Promise) return choice.then((attempts) => this.#found(attempts));
    this.#found(choice);
    return undefined;
  }

  #found(attempts: readonly Attempt[] | null): void {
    if (attempts) {
      this.#attempts = attempts;
      this.#take();
    } else {
      const { name, version } = this.asked!;
      this.#serve(this.#core.shelf.find(name, version, sightOf(this.request)));
    }
    if (this.#core.gates.length > 0) this.stage('queue');
  }

  /** Takes the next version that is there. @throws Refusal where the last one is not */
  #take(): void {
    for (;;) {
      const { target, route, rollout, isUnkeyed } = this.#attempts[0];
      try {
        const served =
          target instanceof Served ? target : this.#core.shelf.own(target.model, target.version, sightOf(this.request));
        this.route = route;
        this.rollout = rollout;
        this.header('x-model-route', route);
        if (isUnkeyed) this.header('x-model-route-reason', 'no-key');
        this.#serve(served);
        return;
      } catch (error) {
        this.#leaveOne(error);
      }
    }
  }

  #serve(served: Served): void {
    this.#served?.end();
    this.#served = served.begin();
    this.#tally = this.#core.metrics.of(served);
  }

  /** @throws the error where no other version is left */
  #leaveOne(error: unknown): void {
    const [attempt, ...others] = this.#attempts;
    this.#core.chooser!.failed(this, attempt, error);
    if (others.length === 0) throw error;
    this.#attempts = others;
  }

  /** @internal Answers by the version that was chosen, and by the next one where that fails of itself. */
  async tried(handle: (exchange: Exchange) => Response | Promise<Response>): Promise<Response> {
    for (;;) {
      try {
        return await handle(this);
      } catch (error) {
        if (refusalOf(error).status < 500 || error instanceof Refusal) throw error;
        this.#fail(error);
        this.refusal = null;
        this.#leaveOne(error);
        this.#take();
      }
    }
  }

  /** Calls this when the request was answered, or refused. */
  onEnd(leave: () => void): void {
    this.#leave.push(leave);
  }

  /** Puts a header into the answer, whatever it is. */
  header(name: string, value: string): void {
    this.#more ??= {};
    this.#more[name] = value;
  }

  /** The model that answers. */
  get served(): Served {
    return this.#single ?? this.#served!;
  }

  /** The model that answers, or null where none was found. */
  get found(): Served | null {
    return this.#single ?? this.#served;
  }

  /** Number of rows that were scored or refused so far. */
  get rows(): number {
    return this.#rows;
  }

  /** What the request may hold. */
  get limits(): Limits {
    return this.#core.limits;
  }

  /** The body, inflated. @throws Refusal */
  bytes(): Promise<Uint8Array> {
    this.#body ??= this.#bytes();
    return this.#body;
  }

  async #bytes(): Promise<Uint8Array> {
    const { limits } = this.#core;
    const deadline = Math.min(this.deadline, this.began + limits.timeMs);
    const bytes = await bytesOf(this.request, { limits, deadline });
    // before work is done
    if (deadline !== Number.POSITIVE_INFINITY && performance.now() >= deadline) throw this.late();
    return bytes;
  }

  /** The body, which is JSON, with no more in it than may be. @throws Refusal */
  async jsonBytes(): Promise<Uint8Array> {
    const bytes = await this.bytes();
    checkJson(bytes, this.#core.limits);
    return bytes;
  }

  /** @internal It is turned away since nobody waits for its answer. */
  late(): Refusal {
    this.#core.metrics.turnedAway('deadline');
    return tooLate();
  }

  /** Checks that rows are not too many. @throws Refusal 413 */
  checkRows(rows: number): void {
    checkRows(rows, this.#core.limits);
  }

  /** The body as it arrives, inflated, with no line that is too long. @param isCsv  whether its first line names columns @throws Refusal */
  chunks(isCsv: boolean): AsyncGenerator<Uint8Array> {
    const { limits } = this.#core;
    return withinLimits(chunksOf(this.request, { limits, deadline: this.deadline }), limits, isCsv);
  }

  /** Work on a stream goes on: the time since the last stage was the client's. */
  resume(): void {
    this.#since = performance.now();
  }

  /** A stage is over. */
  stage(stage: Stage): void {
    const now = performance.now();
    const ms = now - this.#since;
    this.#since = now;
    const { metrics, witnesses } = this.#core;
    metrics.stage(this.#tally!, stage, ms / 1000);
    for (const witness of witnesses) witness.stage?.(this, stage, now - ms, now);
    // the head of a stream has left
    if (this.isStreaming) return;
    this.#timing += `${this.#timing && ', '}${stage};dur=${Math.round(ms * 1000) / 1000}`;
  }

  /** Rows were scored. */
  scored(answer: Answer, rows: Rows): void {
    this.#rows += answer.scores.rows;
    const { parts } = answer.scores;
    if (parts) this.#scoredBySeveral(parts, answer, rows);
    else {
      const { metrics, witnesses } = this.#core;
      metrics.answer(this.#tally!, answer);
      for (const witness of witnesses) witness.scored?.(this, answer, rows);
    }
    this.stage('score');
  }

  #scoredBySeveral(parts: RowParts, answer: Answer, rows: Rows): void {
    const { metrics, witnesses } = this.#core;
    for (const own of parts.each(answer, rows)) {
      this.#parts.add(own.part);
      metrics.answer(metrics.of(own.part.served), own.answer);
      for (const witness of witnesses) witness.scored?.(this, own.answer, own.rows, own);
    }
    if (this.#parts.size === 0) return;
    const names = [...new Set([...this.#parts].map(({ segment }) => segment))];
    this.segment = names.length > MOST_NAMES ? `${names.slice(0, MOST_NAMES).join(', ')}, ...` : names.join(', ');
    // the head of a stream has left
    if (this.isStreaming) return;
    this.header('x-model-segment', this.segment);
    const [{ served, route }] = this.#parts;
    this.#single = this.#parts.size === 1 ? (served as Served) : null;
    this.#tally = metrics.of(this.found!);
    this.route = this.#single ? route : this.#attempts[0].route;
    this.header('x-model-route', this.route);
  }

  /** An answer of JSON. */
  json(text: Text): Response {
    return this.respond('application/json', text);
  }

  /** An answer that is whole, compressed where the client takes that. Workers compress what has an encoding once more unless they are told not to. */
  respond(type: string, body: Text, more?: Readonly<Record<string, string>>): Response {
    const encoding = encodingFor(this.request, body.length);
    this.stage('encode');
    const headers = more ? { ...this.#headers(type), ...more } : this.#headers(type);
    if (!encoding) return new Response(body as BodyInit, { headers });
    const init: ResponseInit & { encodeBody: 'manual' } = {
      headers: { ...headers, 'content-encoding': encoding, vary: 'accept-encoding' },
      // Workers would encode it once more
      encodeBody: 'manual',
    };
    return new Response(compressed(body, encoding), init);
  }

  #headers(type: string): Record<string, string> {
    const { headers } = this.served;
    const own: Record<string, string> = {
      'content-type': type,
      'x-request-id': this.id,
      // by name: a spread costs a microsecond
      'x-model-name': headers['x-model-name'],
      'x-model-version': headers['x-model-version'],
      'x-model-sha256': headers['x-model-sha256'],
    };
    if (this.#timing !== '') own['server-timing'] = this.#timing;
    return this.#more ? { ...own, ...this.#more } : own;
  }

  /**
   * An answer as it comes about. It is read no faster than it is taken.
   * @param last  the text of an error that ends it
   */
  stream(type: string, texts: AsyncGenerator<Text>, last: (error: Error) => string): Response {
    this.isStreaming = true;
    const end = (status: number) => this.end(status);
    const keep = (status: number | null) => this.#core.keeper?.keep(this, status);
    const fail = (error: unknown) => this.#fail(error);
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          try {
            for (;;) {
              const { done, value } = await texts.next();
              const kept = keep(done ? 200 : null);
              if (kept) await kept;
              if (done) {
                end(200);
                controller.close();
                return;
              }
              if (value.length === 0) continue;
              controller.enqueue(encoded(value));
              return;
            }
          } catch (error) {
            const refusal = fail(error);
            end(refusal.status);
            controller.enqueue(encoded(last(refusal)));
            controller.close();
          }
        },
        async cancel() {
          end(499);
          await texts.return(undefined);
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, { headers: this.#headers(type) });
  }

  /** The answer to what went wrong. */
  refuse(error: unknown): Response {
    const refusal = this.#fail(error);
    // the rows of a request that is refused for them, and has scored none
    const rows = new Set(refusal.problems.map(({ row }) => row)).size;
    if (rows > 0 && this.#tally && this.#rows === 0) this.#core.metrics.refused(this.#tally, rows);
    this.end(refusal.status);
    return refusalResponse(refusal, this.id, this.#more);
  }

  /** What is told of an error; the log has more of what is no refusal. */
  #fail(error: unknown): Refusal {
    const refusal = refusalOf(error);
    this.refusal = refusal;
    if (refusal.status < 500 || error instanceof Refusal) return refusal;
    const { name, version, fields } = this.#served ?? { name: null, version: null, fields: [] };
    const reason = sayableFault(error, fields);
    this.#core.log({ level: 'error', event: 'failed', id: this.id, model: name, version, reason });
    return refusal;
  }

  /** The request was answered; a second call does nothing: a stream may be left while it ends. */
  end(status: number): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { metrics, witnesses } = this.#core;
    metrics.request(this.#tally, this.protocol, status, (performance.now() - this.began) / 1000);
    for (const witness of witnesses) witness.ended?.(this, status);
    for (const leave of this.#leave) leave();
    this.#served?.end();
    this.#core.ended();
  }
}

/** Names of segments in a header. */
const MOST_NAMES = 10;

const reasonOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
