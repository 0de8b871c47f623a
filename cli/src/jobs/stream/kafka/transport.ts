import { LogoddsError } from '../../../../../src/index.ts';
import type { Batch, Happening, Output, Transport } from '../transport.ts';
import { type Broker, Cluster } from './cluster.ts';
import { namesOf, sentence, verdictOf, wordOf } from './errors.ts';
import { FETCH } from './fetch.ts';
import { Group, type Member } from './group.ts';
import { Lane, type LaneHost } from './lane.ts';
import { type ConnectionOptions, type fetchV15, ResponseError } from './library.ts';
import { committed } from './records.ts';

export interface KafkaOptions {
  readonly brokers: readonly Broker[];
  readonly connection: ConnectionOptions;
  readonly group: string;
  readonly instance: string | null;
  /** topics that are read */
  readonly reads: readonly string[];
  /** topics that are written */
  readonly writes: readonly string[];
  readonly from: 'earliest' | 'latest';
  readonly sessionMs: number;
  /** of one answer for one partition: about what a batch has */
  readonly batchBytes: number;
  readonly tell: (happening: Happening) => void;
}

const FETCH_BYTES = 32 * 2 ** 20;
/** How long a broker waits for messages: less while a partition that has none keeps others waiting. */
const FETCH_MS = { all: 500, some: 50 } as const;
const REQUEST_MS = 30_000;
const CONNECT_MS = 10_000;
const REBALANCE_MS = 60_000;
/** How long batches that were begun may take when partitions are divided anew. */
const SETTLE_MS = 20_000;
const LONGEST_MS = 5000;
/** How often to look whether a topic that is read has got more partitions. */
const LOOK_MS = 15_000;

/** Error of a partition, by its number. */
const OUT_OF_RANGE = 1;

/**
 * Kafka: exactly once. Each partition that is read has a transaction for each of its batches, of the outputs and the offset, under a transactional id of its own; the
 * offset is refused where the group has been divided anew.
 */
export class KafkaTransport implements Transport {
  readonly guarantee =
    'exactly once: outputs and offsets are committed in one transaction; readers must read committed records (isolation.level=read_committed)';
  readonly #options: KafkaOptions;
  readonly #cluster: Cluster;
  readonly #group: Group;
  readonly #host: LaneHost;
  #lanes: Lane[] = [];
  /** brokers that are asked for messages now */
  readonly #asked = new Set<number>();
  #turn = 0;
  #wake: (() => void) | null = null;
  #failure: Error | null = null;
  #isPaused = false;
  #isClosed = false;
  #membership: Promise<void> = Promise.resolve();
  #endStay: () => void = () => {};
  #said = '';

  /** Connects, and looks for the topics. @throws ERR_DATA */
  static async open(options: KafkaOptions): Promise<KafkaTransport> {
    const transport = new KafkaTransport(options);
    const names = [...options.reads, ...options.writes];
    try {
      for (const name of names) await transport.#topic(name);
    } catch (error) {
      await transport.#cluster.close();
      const where = options.brokers.map(({ host, port }) => `${host}:${port}`).join(',');
      throw sentence(namesOf(error).length > 0 ? 'Kafka' : where, error);
    }
    transport.#membership = transport.#live();
    return transport;
  }

  private constructor(options: KafkaOptions) {
    this.#options = options;
    const { brokers, connection, group, instance, reads, sessionMs, from, tell } = options;
    this.#cluster = new Cluster(brokers, 'logodds', {
      connectTimeout: CONNECT_MS,
      requestTimeout: REQUEST_MS,
      maxInflights: 100,
      ...connection,
    });
    this.#group = new Group(this.#cluster, { group, topics: reads, instance, sessionMs, rebalanceMs: REBALANCE_MS });
    this.#host = {
      cluster: this.#cluster,
      group,
      from,
      check: async (member) => {
        try {
          await this.#group.beat(member);
        } catch (error) {
          // while they are divided anew the membership holds
          if (!namesOf(error).includes('REBALANCE_IN_PROGRESS')) throw error;
        }
      },
      changed: () => this.#changed(),
      waiting: (text) => this.#waiting(text),
      again: (text, count) =>
        tell({ kind: 'again', text: count > 0 ? `${text}; ${count} messages are read again` : `${text}; read again` }),
      lost: (source, count) =>
        tell({
          kind: 'lost',
          text: `${source}: ${count} messages were deleted before they were read; keep messages longer (retention.ms)`,
        }),
      fail: (error, what) => this.#fail(sentence(what, error)),
    };
  }

  async #topic(name: string): Promise<void> {
    try {
      await this.#cluster.topic(name);
    } catch (error) {
      const names = namesOf(error);
      const [verb, right] = this.#options.reads.includes(name) ? ['read', 'READ'] : ['write', 'WRITE'];
      if (names.includes('TOPIC_AUTHORIZATION_FAILED'))
        throw new LogoddsError(
          'ERR_DATA',
          `topic ${name}: expected the right to ${verb} it, got TOPIC_AUTHORIZATION_FAILED; allow ${right} on topic ${name}, or log in as another (--sasl)`,
          { cause: error },
        );
      if (names.includes('INVALID_TOPIC_EXCEPTION'))
        throw new LogoddsError(
          'ERR_DATA',
          `topic ${name}: expected a name of letters, digits, points, - and _, 249 at most, got another; correct it`,
          { cause: error },
        );
      if (!names.includes('UNKNOWN_TOPIC_OR_PARTITION')) throw error;
      throw new LogoddsError(
        'ERR_DATA',
        `topic ${name}: expected a topic that is there, got none; create it (kafka-topics.sh --create --topic ${name}), or correct its name`,
        { cause: error },
      );
    }
  }

  #waiting(text: string): void {
    // once for as long as it lasts
    const { tell } = this.#options;
    tell({ kind: 'waiting', text: text === this.#said ? '' : `${text}; waiting, nothing is lost` });
    this.#said = text;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#endStay();
    this.#changed();
  }

  // --- the group

  /** Is a member, as long as nothing ends it. */
  async #live(): Promise<void> {
    for (let wait = 100; !this.#isOver; ) {
      try {
        const { member, assignment } = await this.#group.join();
        if (this.#isOver) return;
        wait = 100;
        this.#said = '';
        const own = [...assignment].flatMap(([topic, partitions]) =>
          partitions.map((partition) => ({ topic, partition })),
        );
        const names = own.map(({ topic, partition }) => `${topic}-${partition}`).join(', ');
        this.#options.tell({ kind: 'rebalance', text: `partitions of this process: ${names || 'none'}` });
        this.#lanes = own.map(({ topic, partition }) => new Lane(this.#host, topic, partition, member));
        const why = await this.#stay(member);
        await this.#yieldLanes(why);
      } catch (error) {
        const verdict = verdictOf(error);
        if (verdict === 'person') {
          this.#fail(sentence(`group ${this.#options.group}`, error));
          return;
        }
        if (verdict === 'wait') {
          this.#cluster.forget();
          this.#waiting(`group ${this.#options.group}: ${wordOf(error)}`);
          await new Promise((resolve) => setTimeout(resolve, wait));
          wait = Math.min(2 * wait, LONGEST_MS);
        }
      }
    }
  }

  /** Beats until the partitions are divided anew, or this process is no member any more, or it ends. */
  async #stay(member: Member): Promise<'rebalance' | 'lost' | 'over'> {
    const every = Math.min(3000, this.#options.sessionMs / 4);
    let isStaying = true;
    let looked = performance.now();
    for (;;) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, every);
        this.#endStay = () => {
          clearTimeout(timer);
          isStaying = false;
          resolve();
        };
      });
      if (!isStaying || this.#isOver) return 'over';
      try {
        await this.#group.beat(member);
        if (performance.now() - looked < LOOK_MS) continue;
        looked = performance.now();
        const changed = await Promise.all(this.#options.reads.map((name) => this.#cluster.hasChanged(name)));
        // who joins again has them divided anew
        if (changed.includes(true)) return 'rebalance';
      } catch (error) {
        const names = namesOf(error);
        if (names.includes('REBALANCE_IN_PROGRESS')) return 'rebalance';
        if (verdictOf(error) === 'person') throw error;
        if (verdictOf(error) === 'rejoin') {
          this.#group.forgotten();
          return 'lost';
        }
        // the session may outlast it
        this.#waiting(`group ${this.#options.group}: ${wordOf(error)}`);
      }
    }
  }

  /** Ends the lanes: what was begun is published first, if the partitions are this process's own still. */
  async #yieldLanes(why: 'rebalance' | 'lost' | 'over'): Promise<void> {
    const lanes = this.#lanes;
    if (why !== 'lost') {
      const late = new Promise((resolve) => setTimeout(resolve, SETTLE_MS).unref());
      await Promise.race([Promise.all(lanes.map((lane) => lane.stop())), late]);
    }
    for (const lane of lanes) lane.close();
    if (why !== 'over') this.#lanes = [];
  }

  // --- batches

  async poll(): Promise<Batch | null> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      if (this.#isPaused) {
        await Promise.all(this.#lanes.map((lane) => lane.stop()));
        return null;
      }
      const count = this.#lanes.length;
      for (let i = 0; i < count; i++) {
        // in turn: no partition waits for a busy one
        const lane = this.#lanes[(this.#turn + i) % count];
        if (!lane.isReady) continue;
        this.#turn = (this.#turn + i + 1) % count;
        return lane.take();
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async publish(batch: Batch, outputs: readonly Output[]): Promise<boolean> {
    const lane = this.#lanes.find((one) => one.owns(batch));
    // its partition is another's now
    return lane ? lane.publish(batch, outputs) : false;
  }

  pause(): void {
    this.#isPaused = true;
    this.#changed();
  }

  get #isOver(): boolean {
    return this.#isClosed || this.#failure !== null;
  }

  lags(): ReadonlyMap<string, number | null> {
    return new Map(this.#lanes.map((lane) => [lane.source, lane.lag]));
  }

  async close(): Promise<void> {
    this.#isPaused = true;
    this.#isClosed = true;
    this.#endStay();
    this.#changed();
    for (const lane of this.#lanes) lane.close();
    await Promise.race([
      this.#group.leave().catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, 3000).unref()),
    ]);
    await this.#cluster.close();
    await this.#membership;
  }

  // --- fetching

  #changed(): void {
    this.#wake?.();
    this.#wake = null;
    if (!this.#isPaused && !this.#isOver) void this.#fetchMore();
  }

  /** Asks the brokers that are not asked for the messages of lanes that want some. */
  async #fetchMore(): Promise<void> {
    const wanting = this.#lanes.filter((lane) => lane.wants);
    const byLeader = new Map<number, Lane[]>();
    for (const lane of wanting) {
      let leader: number;
      try {
        leader = (await this.#cluster.topic(lane.topic)).partitions[lane.partition]?.leader ?? -1;
      } catch (error) {
        lane.restart(error);
        continue;
      }
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), lane]);
    }
    for (const [leader, lanes] of byLeader) {
      const all = lanes.filter((lane) => lane.wants);
      if (all.length === 0 || this.#asked.has(leader)) continue;
      this.#asked.add(leader);
      void this.#fetch(leader, all).finally(() => {
        this.#asked.delete(leader);
        if (!this.#isPaused && !this.#isOver) void this.#fetchMore();
      });
    }
  }

  async #fetch(leader: number, lanes: readonly Lane[]): Promise<void> {
    const eras = lanes.map((lane) => lane.era);
    for (const lane of lanes) lane.isFetching = true;
    try {
      const topics = new Map<string, { topicId: string; partitions: object[] }>();
      const byPlace = new Map<string, number>();
      for (const [i, lane] of lanes.entries()) {
        const { id, partitions } = await this.#cluster.topic(lane.topic);
        const topic = topics.get(lane.topic) ?? { topicId: id, partitions: [] };
        topics.set(lane.topic, topic);
        byPlace.set(`${id} ${lane.partition}`, i);
        topic.partitions.push({
          partition: lane.partition,
          currentLeaderEpoch: partitions[lane.partition].epoch,
          fetchOffset: BigInt(lane.position),
          lastFetchedEpoch: -1,
          partitionMaxBytes: this.#options.batchBytes,
        });
      }
      const wait = lanes.length === this.#lanes.length ? FETCH_MS.all : FETCH_MS.some;
      const asked = [...topics.values()] as Parameters<typeof fetchV15.createRequest>[6];
      const answer = await this.#cluster.broker('fetch', leader, FETCH, wait, 1, FETCH_BYTES, 1, 0, -1, asked, [], '');
      for (const { topicId, partitions } of answer)
        for (const part of partitions) {
          const at = byPlace.get(`${topicId} ${part.partition}`)!;
          const lane = lanes[at];
          lane.isFetching = false;
          if (part.errorCode === OUT_OF_RANGE) await lane.skip();
          else if (part.errorCode !== 0) {
            const error = new ResponseError(1, 15, { '': [part.errorCode, null] }, {});
            // what was learnt of its leader is old, unless a person has to do something
            if (verdictOf(error) === 'person') lane.restart(error);
            else {
              this.#cluster.forget();
              await new Promise((resolve) => setTimeout(resolve, 100));
            }
          } else {
            const { messages, next } = committed(part.records, part.abortedTransactions, lane.position);
            lane.end = part.lastStableOffset;
            lane.fetched(eras[at], messages, next);
          }
        }
    } catch (error) {
      this.#cluster.forget();
      for (const [i, lane] of lanes.entries()) {
        lane.isFetching = false;
        if (eras[i] === lane.era) lane.restart(error);
      }
    } finally {
      for (const lane of lanes) lane.isFetching = false;
    }
  }
}
