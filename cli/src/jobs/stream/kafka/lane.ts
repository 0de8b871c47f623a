import type { Batch, Message, Output } from '../transport.ts';
import type { Cluster } from './cluster.ts';
import { namesOf, verdictOf, wordOf } from './errors.ts';
import type { Member } from './group.ts';
import { listOffsetsV7, offsetFetchV8 } from './library.ts';
import { Producer } from './producer.ts';

/** What a lane has of its transport. */
export interface LaneHost {
  readonly cluster: Cluster;
  readonly group: string;
  readonly from: 'earliest' | 'latest';
  /** Resolves if the membership holds. Rejects with an error of the verdict `rejoin` if not. */
  check(member: Member): Promise<void>;
  /** Called when a lane wants messages, has them, or has ended. */
  changed(): void;
  waiting(text: string): void;
  again(source: string, count: number): void;
  lost(source: string, count: number): void;
  fail(error: unknown, what: string): void;
}

const LONGEST_MS = 5000;

/**
 * A partition that this process reads: where it stands, the batch that comes next, and the producer of its transactions. After any error it begins again from the
 * offset that is committed, which alone says what was done.
 */
export class Lane {
  readonly topic: string;
  readonly partition: number;
  readonly #host: LaneHost;
  readonly #member: Member;
  readonly #producer: Producer;
  /** grows with each begin: a batch of an earlier one is not published */
  #era = 0;
  #state: 'opening' | 'open' | 'closed' = 'opening';
  /** of the next message to fetch */
  position = 0;
  /** as the broker said last */
  end: number | null = null;
  isFetching = false;
  #next: { messages: readonly Message[]; next: number } | null = null;
  /** of a batch that was handed out and is not published */
  #taken: { readonly over: Promise<void>; readonly end: () => void } | null = null;
  #isStopped = false;
  readonly #own = new WeakMap<Batch, { era: number; next: number }>();

  constructor(host: LaneHost, topic: string, partition: number, member: Member) {
    this.#host = host;
    this.topic = topic;
    this.partition = partition;
    this.#member = member;
    this.#producer = new Producer(host.cluster, `${host.group}.${topic}.${partition}`);
    void this.#open();
  }

  get source(): string {
    return `${this.topic}-${this.partition}`;
  }

  get era(): number {
    return this.#era;
  }

  /** Whether it has room for messages. One batch is at hand while another is published; more would fill memory while the broker writes slowly. */
  get wants(): boolean {
    return this.#state === 'open' && !this.#isStopped && this.#next === null && !this.isFetching;
  }

  /** Whether a batch can be taken. */
  get isReady(): boolean {
    return this.#state === 'open' && !this.#isStopped && this.#next !== null && this.#taken === null;
  }

  /** messages behind what is handed out */
  get lag(): number | null {
    return this.end === null ? null : Math.max(0, this.end - this.position + (this.#next?.messages.length ?? 0));
  }

  /** Takes what a fetch has brought. @param era  of the lane when it was asked */
  fetched(era: number, messages: readonly Message[], next: number): void {
    if (era !== this.#era) return;
    this.position = next;
    if (messages.length > 0) this.#next = { messages, next };
    this.#host.changed();
  }

  take(): Batch {
    const { messages, next } = this.#next!;
    this.#next = null;
    const { topic, source, lag } = this;
    const batch = { topic, source, messages, lag };
    this.#own.set(batch, { era: this.#era, next });
    let end = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#taken = { over, end };
    this.#host.changed();
    return batch;
  }

  owns(batch: Batch): boolean {
    return this.#own.has(batch);
  }

  /** @returns whether it was committed */
  async publish(batch: Batch, outputs: readonly Output[]): Promise<boolean> {
    const { era, next } = this.#own.get(batch)!;
    if (era !== this.#era || this.#state !== 'open') {
      this.#released();
      return false;
    }
    const { group } = this.#host;
    const { topic, partition } = this;
    try {
      await this.#producer.commit(outputs, { group, topic, partition, offset: next, member: this.#member });
      return true;
    } catch (error) {
      if (era === this.#era) this.restart(error, batch.messages.length);
      return false;
    } finally {
      this.#released();
    }
  }

  #released(): void {
    this.#taken?.end();
    this.#taken = null;
    this.#host.changed();
  }

  /** Begins again from what is committed. */
  restart(error: unknown, count = 0): void {
    if (this.#state === 'closed') return;
    if (verdictOf(error) === 'person') {
      this.#host.fail(error, `${this.topic}, partition ${this.partition}`);
      return;
    }
    this.#host.again(`${this.source}: ${wordOf(error)}`, count);
    void this.#open(true);
  }

  /** @param again  not for the first time: another may have the partition by now */
  async #open(again = false): Promise<void> {
    const era = ++this.#era;
    this.#state = 'opening';
    this.#next = null;
    for (let wait = 100; ; wait = Math.min(2 * wait, LONGEST_MS)) {
      if (this.#hasPassed(era)) return;
      try {
        if (again) await this.#host.check(this.#member);
        if (this.#hasPassed(era)) return;
        await this.#producer.init();
        const position = await this.#committed();
        if (this.#hasPassed(era)) return;
        this.position = position;
        this.#state = 'open';
        this.#host.changed();
        return;
      } catch (error) {
        if (this.#hasPassed(era)) return;
        const verdict = verdictOf(error);
        if (verdict === 'person') {
          this.#host.fail(error, `${this.topic}, partition ${this.partition}`);
          return;
        }
        // the heartbeat finds it out as well, and the partitions are divided anew
        if (verdict === 'rejoin') return;
        again = true;
        this.#host.cluster.forget();
        this.#host.waiting(`${this.topic}, partition ${this.partition}: ${wordOf(error)}`);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  #hasPassed(era: number): boolean {
    return era !== this.#era || this.#state === 'closed';
  }

  /** Where the group stands; where it has no offset, the begin or the end of the partition. */
  async #committed(): Promise<number> {
    const { cluster, group, from } = this.#host;
    const topics = [{ name: this.topic, partitionIndexes: [this.partition] }];
    for (;;)
      try {
        const { groups } = await cluster.coordinator(
          'group',
          group,
          offsetFetchV8.api,
          [{ groupId: group, memberEpoch: -1, topics }],
          true,
        );
        const offset = groups[0].topics[0].partitions[0].committedOffset;
        if (offset >= 0n) return Number(offset);
        return await this.#edge(from);
      } catch (error) {
        // of the transaction before the offset is not written yet
        if (!namesOf(error).includes('UNSTABLE_OFFSET_COMMIT')) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
  }

  async #edge(which: 'earliest' | 'latest'): Promise<number> {
    const partitions = [
      { partitionIndex: this.partition, currentLeaderEpoch: -1, timestamp: which === 'earliest' ? -2n : -1n },
    ];
    const { topics } = await this.#host.cluster.leader('write', this.topic, this.partition, listOffsetsV7.api, -1, 1, [
      { name: this.topic, partitions },
    ]);
    return Number(topics[0].partitions[0].offset);
  }

  /** Messages at its position were deleted: it goes on behind them, and says how many. */
  async skip(): Promise<void> {
    const era = this.#era;
    try {
      const first = await this.#edge('earliest');
      if (this.#hasPassed(era)) return;
      if (first > this.position) this.#host.lost(this.source, first - this.position);
      // a topic that was made anew begins again
      else this.#host.again(`${this.source}: the partition is shorter than what was read of it`, 0);
      this.position = first;
      this.#host.changed();
    } catch (error) {
      if (!this.#hasPassed(era)) this.restart(error);
    }
  }

  /** Hands out no batch any more. Resolves when the last one is published. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#next = null;
    await this.#taken?.over;
  }

  /** Ends it: what is not committed is another's. */
  close(): void {
    this.#state = 'closed';
    this.#next = null;
    this.#taken?.end();
    this.#host.changed();
  }
}
