import { isIP } from 'node:net';
import { namesOf } from './errors.ts';
import { Connection, type ConnectionOptions, findCoordinatorV4, metadataV12 } from './library.ts';

export interface Broker {
  readonly host: string;
  readonly port: number;
}

export interface Partition {
  /** number of the broker; -1: there is none now */
  readonly leader: number;
  readonly epoch: number;
}

export interface Topic {
  readonly id: string;
  /** by their numbers */
  readonly partitions: readonly Partition[];
}

/** A request of the protocol. */
interface Api<Given extends unknown[], Answer> {
  readonly async: (connection: Connection, ...given: Given) => Promise<Answer>;
}

const KINDS = { group: 0, transaction: 1 } as const;

/** The brokers, and what they say of topics and coordinators: asked once, and again after `forget`. */
export class Cluster {
  readonly #seeds: readonly Broker[];
  readonly #client: string;
  readonly #options: ConnectionOptions;
  readonly #connections = new Map<string, Promise<Connection>>();
  #brokers = new Map<number, Broker>();
  readonly #topics = new Map<string, Promise<Topic>>();
  readonly #coordinators = new Map<string, Promise<Broker>>();
  /** why a connection has ended, which a request that it had does not say */
  readonly #reasons = new Map<string, unknown>();
  #isClosed = false;

  constructor(seeds: readonly Broker[], client: string, options: ConnectionOptions) {
    this.#seeds = seeds;
    this.#client = client;
    this.#options = options;
  }

  /** What a topic is. Rejects where there is none. */
  topic(name: string): Promise<Topic> {
    return kept(this.#topics, name, () => this.#ask(name));
  }

  /** Asks anew what a topic is. @returns whether it has another number of partitions */
  async hasChanged(name: string): Promise<boolean> {
    const before = await this.topic(name);
    const now = await this.#ask(name);
    this.#topics.set(name, Promise.resolve(now));
    return now.partitions.length !== before.partitions.length;
  }

  /** Forgets what may have changed. */
  forget(): void {
    this.#topics.clear();
    this.#coordinators.clear();
  }

  async #ask(name: string): Promise<Topic> {
    const { topics, brokers } = await this.#any((connection) =>
      metadataV12.api.async(connection, [name], false, false),
    );
    this.#brokers = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    const [{ topicId, partitions }] = topics;
    const sorted = [...partitions].sort((a, b) => a.partitionIndex - b.partitionIndex);
    return {
      id: topicId,
      partitions: sorted.map(({ leaderId, leaderEpoch }) => ({ leader: leaderId, epoch: leaderEpoch })),
    };
  }

  /** Asks brokers one after the other, until one answers. */
  async #any<Answer>(ask: (connection: Connection) => Promise<Answer>): Promise<Answer> {
    let failure: unknown;
    for (const broker of [...this.#brokers.values(), ...this.#seeds])
      try {
        return await this.#tidy(ask(await this.#connection('ask', broker)), 'ask', broker);
      } catch (error) {
        if (namesOf(error).length > 0) throw error;
        failure = error;
      }
    throw failure;
  }

  /** Asks the leader of a partition. @param purpose  each has a connection of its own: some requests make others wait */
  async leader<Given extends unknown[], Answer>(
    purpose: 'fetch' | 'write',
    topic: string,
    partition: number,
    api: Api<Given, Answer>,
    ...given: Given
  ): Promise<Answer> {
    const { leader } = (await this.topic(topic)).partitions[partition] ?? { leader: -1 };
    return this.broker(purpose, leader, api, ...given);
  }

  /** Asks a broker by its number. */
  async broker<Given extends unknown[], Answer>(
    purpose: 'fetch' | 'write',
    number: number,
    api: Api<Given, Answer>,
    ...given: Given
  ): Promise<Answer> {
    const broker = this.#brokers.get(number);
    if (!broker) {
      this.forget();
      throw new Error('no leader');
    }
    const connection = await this.#connection(purpose, broker);
    return this.#tidy(api.async(connection, ...given), purpose, broker);
  }

  /** Asks the coordinator of a group or a transactional id. */
  async coordinator<Given extends unknown[], Answer>(
    kind: keyof typeof KINDS,
    key: string,
    api: Api<Given, Answer>,
    ...given: Given
  ): Promise<Answer> {
    const broker = await kept(this.#coordinators, `${kind} ${key}`, async () => {
      const { coordinators } = await this.#any((connection) =>
        findCoordinatorV4.api.async(connection, KINDS[kind], [key]),
      );
      return { host: coordinators[0].host, port: coordinators[0].port };
    });
    try {
      const connection = await this.#connection(kind, broker);
      return await this.#tidy(api.async(connection, ...given), kind, broker);
    } catch (error) {
      const names = namesOf(error);
      if (names.length === 0 || names.some((name) => /COORDINATOR/.test(name)))
        this.#coordinators.delete(`${kind} ${key}`);
      throw error;
    }
  }

  /** After an answer that did not come in time, or none, a connection is not used again. */
  async #tidy<Answer>(answer: Promise<Answer>, purpose: string, broker: Broker): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      if (namesOf(error).length > 0) throw error;
      this.#drop(purpose, broker);
      throw this.#reasons.get(`${purpose} ${broker.host}:${broker.port}`) ?? error;
    }
  }

  #drop(purpose: string, { host, port }: Broker): void {
    const key = `${purpose} ${host}:${port}`;
    const connection = this.#connections.get(key);
    this.#connections.delete(key);
    connection?.then(
      (one) => one.close().catch(() => {}),
      () => {},
    );
  }

  #connection(purpose: string, { host, port }: Broker): Promise<Connection> {
    if (this.#isClosed) return Promise.reject(new Error('closed'));
    const key = `${purpose} ${host}:${port}`;
    return kept(this.#connections, key, async () => {
      // a number is no name that TLS could ask for
      const tlsServerName = this.#options.tlsServerName && isIP(host) === 0;
      const connection = new Connection(this.#client, { ...this.#options, tlsServerName });
      const gone = () => this.#connections.delete(key);
      this.#reasons.delete(key);
      // without a listener an error would end the process
      connection.on('error', (error) => {
        this.#reasons.set(key, error);
        gone();
      });
      connection.on('close', gone);
      await connection.connect(host, port);
      return connection;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.all(all.map((one) => one.then((connection) => connection.close()).catch(() => {})));
  }
}

/** What was asked once is not asked again, as long as it does not fail. */
function kept<Value>(all: Map<string, Promise<Value>>, key: string, ask: () => Promise<Value>): Promise<Value> {
  const found = all.get(key);
  if (found) return found;
  const asked = ask();
  all.set(key, asked);
  asked.catch(() => {
    if (all.get(key) === asked) all.delete(key);
  });
  return asked;
}
