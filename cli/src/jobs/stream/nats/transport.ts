import { LogoddsError } from '../../../../../src/index.ts';
import { reason } from '../../../write/temporary.ts';
import type { Security } from '../security.ts';
import {
  type Batch,
  type Happening,
  type Header,
  headersOf,
  type Message,
  type Output,
  type Span,
  type Transport,
} from '../transport.ts';
import {
  AckPolicy,
  type Consumer,
  connect,
  DeliverPolicy,
  headers,
  type JetStreamClient,
  type JsMsg,
  jetstream,
  jetstreamManager,
  type NatsConnection,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from './library.ts';

export interface NatsOptions {
  readonly servers: string;
  readonly security: Security;
  /** name of the durable consumers */
  readonly group: string;
  /** subjects that are read, each of a stream */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly from: 'earliest' | 'latest';
  readonly tell: (happening: Happening) => void;
}

const MOST = 2000;
/** A batch that is not done by then comes again. */
const ACK_WAIT_MS = 30_000;
const LONGEST_MS = 5000;

/** A subject that is read: its consumer, the messages that wait to be taken, and the one that is published. */
interface Source {
  readonly subject: string;
  readonly stream: string;
  consumer: Consumer;
  ready: JsMsg[];
  stop: () => void;
  lag: number | null;
  /** of the batch that was handed out */
  taken: { readonly over: Promise<void>; readonly end: () => void } | null;
}

/**
 * NATS JetStream: at least once. A message is acknowledged when its output is stored; an output has an id made of the stream and the sequence of its input, so the
 * stream of outputs drops what comes twice within its `duplicate_window`.
 */
export class NatsTransport implements Transport {
  readonly guarantee =
    'at least once; the stream of outputs drops what comes twice within its duplicate window (two minutes unless set)';
  readonly #options: NatsOptions;
  readonly #connection: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #sources: readonly Source[];
  readonly #own = new WeakMap<Batch, { source: Source; messages: readonly JsMsg[] }>();
  #isPaused = false;
  #failure: Error | null = null;
  #wake: (() => void) | null = null;
  #turn = 0;
  readonly #loops: Promise<void>[];

  /** Connects, and makes the durable consumers that are not there. @throws ERR_DATA */
  static async open(options: NatsOptions): Promise<NatsTransport> {
    const connection = await connected(options);
    try {
      const manager = await jetstreamManager(connection);
      const client = jetstream(connection);
      for (const subject of options.writes) await streamOf(manager, subject);
      const sources: Source[] = [];
      for (const subject of options.reads) {
        const stream = await streamOf(manager, subject);
        const name = `${options.group}-${subject.replace(/[^\w-]/g, '_')}`;
        await manager.consumers.add(stream, {
          durable_name: name,
          filter_subject: subject,
          ack_policy: AckPolicy.Explicit,
          ack_wait: ACK_WAIT_MS * 1e6,
          max_ack_pending: 2 * MOST,
          deliver_policy: options.from === 'earliest' ? DeliverPolicy.All : DeliverPolicy.New,
        });
        sources.push({
          subject,
          stream,
          consumer: await client.consumers.get(stream, name),
          ready: [],
          stop() {},
          lag: null,
          taken: null,
        });
      }
      return new NatsTransport(options, connection, client, sources);
    } catch (error) {
      await connection.close();
      if (error instanceof LogoddsError) throw error;
      throw new LogoddsError(
        'ERR_DATA',
        `NATS: expected a server with JetStream and a durable consumer ${options.group} like ours, got ${reason(error)}; start nats-server with -js, or name another --group`,
        { cause: error },
      );
    }
  }

  private constructor(
    options: NatsOptions,
    connection: NatsConnection,
    client: JetStreamClient,
    sources: readonly Source[],
  ) {
    this.#options = options;
    this.#connection = connection;
    this.#client = client;
    this.#sources = sources;
    void this.#listen();
    this.#loops = sources.map((source) => this.#read(source));
  }

  async #listen(): Promise<void> {
    for await (const { type } of this.#connection.status())
      if (type === 'disconnect')
        this.#options.tell({ kind: 'waiting', text: 'NATS: the server is away; waiting, nothing is lost' });
  }

  /** Takes what comes, as much as a batch has at most: more waits at the server. */
  async #read(source: Source): Promise<void> {
    for (let wait = 100; !this.#isPaused; ) {
      try {
        const messages = await source.consumer.consume({ max_messages: MOST });
        source.stop = () => messages.stop();
        for await (const message of messages) {
          wait = 100;
          source.ready.push(message);
          source.lag = message.info.pending;
          this.#changed();
          while (source.ready.length >= MOST && !this.#isPaused) await this.#change();
        }
      } catch (error) {
        if (this.#isPaused) return;
        this.#options.tell({
          kind: 'waiting',
          text: wait === 100 ? `NATS: ${reason(error)}; waiting, nothing is lost` : '',
        });
        await new Promise((resolve) => setTimeout(resolve, wait));
        wait = Math.min(2 * wait, LONGEST_MS);
      }
    }
  }

  readonly #waiters: (() => void)[] = [];
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #changed(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
    this.#wake?.();
    this.#wake = null;
  }

  async poll(): Promise<Batch | null> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      if (this.#isPaused) {
        await Promise.all(this.#sources.map(({ taken }) => taken?.over));
        return null;
      }
      for (let i = 0; i < this.#sources.length; i++) {
        const source = this.#sources[(this.#turn + i) % this.#sources.length];
        if (source.ready.length === 0 || source.taken) continue;
        this.#turn++;
        return this.#take(source);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(source: Source): Batch {
    const messages = source.ready;
    source.ready = [];
    let end = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    source.taken = { over, end };
    const batch = {
      topic: source.subject,
      source: source.stream,
      messages: messages.map(messageOf),
      lag: source.lag,
    };
    this.#own.set(batch, { source, messages });
    this.#changed();
    return batch;
  }

  async publish(batch: Batch, outputs: readonly Output[]): Promise<boolean> {
    const { source, messages } = this.#own.get(batch)!;
    try {
      await Promise.all(
        outputs.map((output) =>
          this.#client.publish(output.to, output.value ? spanned(output.value) : undefined, {
            msgID: `${source.stream}/${output.of.position}`,
            headers: namedHeaders(headersOf(output)),
            timeout: ACK_WAIT_MS / 2,
          }),
        ),
      );
      // confirmed: an acknowledgement that gets lost would bring the message again
      await Promise.all(messages.map((message) => message.ackAck()));
      return true;
    } catch (error) {
      for (const message of messages) message.nak(1000);
      this.#options.tell({
        kind: 'again',
        text: `${source.stream}: ${reason(error)}; ${messages.length} messages are read again`,
      });
      return false;
    } finally {
      source.taken?.end();
      source.taken = null;
      this.#changed();
    }
  }

  pause(): void {
    this.#isPaused = true;
    for (const { stop } of this.#sources) stop();
    this.#changed();
  }

  lags(): ReadonlyMap<string, number | null> {
    return new Map(this.#sources.map(({ stream, lag }) => [stream, lag]));
  }

  async close(): Promise<void> {
    this.pause();
    // another process takes what was not begun
    for (const { ready } of this.#sources) for (const message of ready) message.nak();
    await Promise.all(this.#loops);
    await this.#connection.drain().catch(() => {});
  }
}

async function connected({ servers, security: { tls, login } }: NatsOptions): Promise<NatsConnection> {
  try {
    return await connect({
      servers: servers.split(','),
      name: 'logodds stream',
      // as long as it takes
      maxReconnectAttempts: -1,
      reconnectTimeWait: 500,
      ...(tls && { tls }),
      ...(login && {
        authenticator:
          login.username === ''
            ? tokenAuthenticator(login.secret)
            : usernamePasswordAuthenticator(login.username, login.secret),
      }),
    });
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `${servers}: expected a server of NATS that lets us in, got ${reason(error)}; check --nats, --tls and --username`,
      { cause: error },
    );
  }
}

/** The stream of a subject. @throws ERR_DATA where there is none */
async function streamOf(manager: Awaited<ReturnType<typeof jetstreamManager>>, subject: string): Promise<string> {
  try {
    return await manager.streams.find(subject);
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `subject ${subject}: expected a stream of JetStream that keeps it, got none (${reason(error)}); create one (nats stream add --subjects ${subject}), or correct the name`,
      { cause: error },
    );
  }
}

/** The id of JetStream is of the message that comes: the one that goes has its own. */
const NATS = /^nats-/i;

function messageOf({ data, headers: given, info, seq }: JsMsg): Message {
  const own = [...(given ?? [])].flatMap(([name, values]) =>
    NATS.test(name) ? [] : values.map((value): Header => [Buffer.from(name), Buffer.from(value)]),
  );
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  return {
    key: null,
    value: data.length === 0 ? null : bytes,
    isTombstone: data.length === 0,
    bytes,
    from: 0,
    to: data.length,
    headers: own,
    timestamp: Math.floor(info.timestampNanos / 1e6),
    position: seq,
  };
}

const spanned = ({ bytes, from, to }: Span): Buffer => bytes.subarray(from, to);

function namedHeaders(own: readonly Header[]) {
  const all = headers();
  for (const [name, value] of own) all.append(name.toString(), value?.toString() ?? '');
  return all;
}
