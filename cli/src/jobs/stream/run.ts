import type { Scored } from '../../../../service/src/index.ts';
import { LogoddsError } from '../../../../src/index.ts';
import type { Format, FormatOf, LoggedRows, ModelInUse } from './formats/format.ts';
import type { LabelLog } from './labels.ts';
import type { ScoreLog } from './log.ts';
import type { StreamMetrics } from './metrics.ts';
import type { FollowedModel } from './model.ts';
import { type Batch, type Header, type Message, OURS, type Output, type Transport } from './transport.ts';

export interface RunOptions {
  readonly transport: Transport;
  readonly model: FollowedModel;
  readonly formatOf: FormatOf;
  readonly out: string;
  /** null: the first message that cannot be scored ends the stream */
  readonly deadLetter: string | null;
  /** topic of labels, and where they go */
  readonly labels: { readonly topic: string; readonly log: LabelLog } | null;
  /** null: there is none */
  readonly log: ScoreLog | null;
  readonly metrics: StreamMetrics;
  readonly tell: Tell;
}

/** Tells a person, and with --json a program. */
export type Tell = (event: string, text: string, facts?: Readonly<Record<string, unknown>>) => void;

/** Scores what comes, publishes what becomes of it, batch after batch. */
export class Run {
  readonly #options: RunOptions;
  readonly #under = new Set<Promise<void>>();
  #format: { readonly used: ModelInUse; readonly format: Format; readonly headers: readonly Header[] } | null = null;
  /** by source, what scored last */
  readonly #last = new Map<string, ModelInUse>();
  /** why the log is not whole, as it was said last */
  #unlogged = '';
  #fail: (error: unknown) => void = () => {};
  readonly #failure: Promise<never>;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // it may come when nobody waits
    this.#failure.catch(() => {});
  }

  /** Resolves when the transport was paused and all that was begun is published. @throws what no waiting mends */
  async whole(): Promise<void> {
    const { transport } = this.#options;
    try {
      for (;;) {
        // a failure ends it at once: its batch is published by nobody
        const batch = await Promise.race([transport.poll(), this.#failure]);
        if (batch === null) break;
        const work = this.#take(batch).catch(this.#fail);
        this.#under.add(work);
        void work.finally(() => this.#under.delete(work));
      }
      await Promise.race([Promise.all(this.#under), this.#failure]);
    } finally {
      transport.pause();
      await Promise.all(this.#under);
      this.#format?.format.free();
    }
  }

  #inUse() {
    const { model, formatOf } = this.#options;
    if (this.#format?.used !== model.current) {
      const before = this.#format?.format;
      this.#format = { used: model.current, format: formatOf(model.current), headers: headersOfModel(model.current) };
      // a batch that is being scored has it still
      if (before) void Promise.all(this.#under).then(() => before.free());
    }
    return this.#format;
  }

  async #take(batch: Batch): Promise<void> {
    const { labels, metrics, transport } = this.#options;
    if (batch.topic === labels?.topic) {
      const { kept, refused } = labels.log.append(batch.messages, this.#options.model.current);
      if (!(await transport.publish(batch, []))) return;
      metrics.counts.labels += kept;
      metrics.counts.labelsRefused += refused;
      return;
    }
    const { counts } = metrics;
    const begin = performance.now();
    const { outputs, dead, tombstones, bytes, logged, used } = await this.#score(batch);
    const scored = performance.now();
    if (!(await transport.publish(batch, outputs))) return;
    this.#tellModel(batch, used);
    if (logged.length > 0) this.#log(logged);
    metrics.scoring.add((scored - begin) / 1000);
    metrics.publishing.add((performance.now() - scored) / 1000);
    metrics.sizes.add(batch.messages.length);
    counts.batches++;
    counts.messages += batch.messages.length - dead - tombstones;
    counts.tombstones += tombstones;
    counts.deadLetters += dead;
    counts.bytes += bytes;
  }

  async #score({ messages, source }: Batch) {
    const { used, format, headers } = this.#inUse()!;
    const { out, log } = this.#options;
    const payloads: Message[] = [];
    let bytes = 0;
    for (const message of messages)
      if (!message.isTombstone) {
        payloads.push(message);
        bytes += message.to - message.from;
      }
    const logged: Scored[] = [];
    const logging = log && ((rows: LoggedRows) => logged.push(log.item(rows, source, payloads, used)));
    const results = payloads.length > 0 ? await format.score(payloads, logging) : [];
    let [at, dead] = [0, 0];
    const outputs = messages.map((of): Output => {
      const value = of.isTombstone ? null : results[at++];
      if (value instanceof LogoddsError) {
        dead++;
        return this.#deadLetter(of, source, value, used);
      }
      return { of, to: out, value, more: headers, id: `${source}/${of.position}` };
    });
    return { outputs, dead, tombstones: messages.length - payloads.length, bytes, logged, used };
  }

  /** Says from which message on another model has scored: it is committed. */
  #tellModel({ source, messages }: Batch, used: ModelInUse): void {
    const before = this.#last.get(source);
    this.#last.set(source, used);
    if (!before || before === used) return;
    const { name, version, sha256 } = used;
    const [{ position }] = messages;
    this.#options.tell('model from', `${source}: ${said(used)} has scored from offset ${position} on`, {
      source,
      offset: position,
      model: name,
      version,
      sha256,
    });
  }

  /** What was committed goes to the log. A log that cannot be written does not end the stream. */
  #log(items: readonly Scored[]): void {
    const { log, metrics, tell } = this.#options;
    const { written, dropped, failure } = log!.take(items);
    metrics.counts.logged += written;
    metrics.counts.notLogged += dropped;
    const unlogged = failure ?? '';
    if (unlogged !== '' && unlogged !== this.#unlogged)
      tell(
        'log',
        `--log: ${dropped} lines could not be written (${unlogged}); the stream goes on without them, make room or correct the folder`,
      );
    this.#unlogged = unlogged;
  }

  /** The message as it came, and why it could not be scored. @throws ERR_DATA where nobody has said where such messages go */
  #deadLetter(message: Message, source: string, error: LogoddsError, { name, version, sha256 }: ModelInUse): Output {
    const { deadLetter } = this.#options;
    if (deadLetter === null)
      throw new LogoddsError(
        error.code,
        `${source}, offset ${message.position}: ${error.message} (the stream ends here, and nothing behind it is done; --dead-letter TOPIC sets such messages aside)`,
        { cause: error },
      );
    const said = {
      source,
      offset: String(message.position),
      code: error.code,
      error: error.message,
      model: name,
      ...(version !== null && { version }),
      sha256,
    };
    const more = Object.entries(said).map(([key, text]): Header => [Buffer.from(OURS + key), Buffer.from(text)]);
    return { of: message, to: deadLetter, value: message, more, id: null };
  }
}

const headersOfModel = ({ name, version, sha256 }: ModelInUse): Header[] =>
  Object.entries({ model: name, ...(version !== null && { version }), sha256 }).map(
    ([key, text]): Header => [Buffer.from(OURS + key), Buffer.from(text)],
  );

const said = ({ name, version, sha256 }: ModelInUse): string =>
  `${name}${version === null ? '' : ` version ${version}`} (${sha256.slice(0, 12)})`;

/** Looks for another model from time to time. @returns ends it */
export function follow(model: FollowedModel, every: number, metrics: StreamMetrics, tell: Tell): () => void {
  let timer: NodeJS.Timeout;
  const look = async () => {
    const seen = await model.look();
    if (seen && 'found' in seen) {
      model.current = seen.found;
      metrics.counts.swaps++;
      const { name, version, sha256 } = seen.found;
      tell('model', `${said(seen.found)} scores from now on`, { model: name, version, sha256 });
    } else if (seen) tell('model failed', `${seen.failed}; the model in use stays`);
    timer = setTimeout(look, every * 1000);
    timer.unref();
  };
  timer = setTimeout(look, every * 1000);
  timer.unref();
  return () => clearTimeout(timer);
}
