import type { Output } from '../transport.ts';
import type { Cluster } from './cluster.ts';
import { namesOf } from './errors.ts';
import type { Member } from './group.ts';
import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  endTxnV3,
  initProducerIdV4,
  produceV9,
  txnOffsetCommitV3,
  Writer,
} from './library.ts';
import { partitionOf } from './partition.ts';
import { BatchWriter } from './records.ts';

const TRANSACTION_MS = 60_000;
const PRODUCE_MS = 30_000;
/** Largest batch that is written: a broker takes 1,048,588 bytes where nobody has said otherwise. */
const MOST_BATCH = 900_000;
/** Bytes of a record that are expected of a batch. */
const FIRST_ROOM = 320;
/** Between two tries while the broker ends the transaction before. */
const AGAIN_MS = 5;
const PATIENCE_MS = 30_000;

/** What a transaction moves. */
interface Moved {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** of the next record to read */
  readonly offset: number;
  readonly member: Member;
}

interface Chunk {
  readonly topic: string;
  readonly partition: number;
  readonly records: BatchWriter;
}

/**
 * Writes in transactions: records, and the offset of what they were made of, both or neither. There is one for each partition that is read; its transactional id is
 * that of the partition. Whoever takes the partition over begins by `init`, which ends what was begun under that id and fences who began it.
 */
export class Producer {
  readonly id: string;
  readonly #cluster: Cluster;
  #producerId = -1n;
  #epoch = -1;
  readonly #sequences = new Map<string, number>();

  constructor(cluster: Cluster, id: string) {
    this.#cluster = cluster;
    this.id = id;
  }

  /** Fences others with this id, and ends their transaction: it is committed if that was decided, else aborted. */
  async init(): Promise<void> {
    const { producerId, producerEpoch } = await patiently(() =>
      this.#cluster.coordinator('transaction', this.id, initProducerIdV4.api, this.id, TRANSACTION_MS, -1n, -1),
    );
    this.#producerId = producerId;
    this.#epoch = producerEpoch;
    this.#sequences.clear();
  }

  /** One transaction. After an error nobody knows whether it was committed: `init`, and the offset that is committed then says so. */
  async commit(outputs: readonly Output[], moved: Moved): Promise<void> {
    const chunks = await this.#chunksOf(outputs, moved.partition);
    const targets = new Map<string, Set<number>>();
    for (const { topic, partition } of chunks) targets.set(topic, (targets.get(topic) ?? new Set()).add(partition));
    const who = [this.id, this.#producerId, this.#epoch] as const;
    if (targets.size > 0)
      await patiently(() =>
        this.#cluster.coordinator('transaction', this.id, addPartitionsToTxnV3.api, [
          {
            transactionalId: this.id,
            producerId: this.#producerId,
            producerEpoch: this.#epoch,
            verifyOnly: false,
            topics: [...targets].map(([name, partitions]) => ({ name, partitions: [...partitions] })),
          },
        ]),
      );
    const offsets = patiently(() =>
      this.#cluster.coordinator('transaction', this.id, addOffsetsToTxnV3.api, ...who, moved.group),
    ).then(() => this.#commitOffset(moved));
    const written = chunks.map((chunk) => this.#write(chunk));
    await all([offsets, ...written]);
    await this.#cluster.coordinator('transaction', this.id, endTxnV3.api, ...who, true);
  }

  #commitOffset({ group, topic, partition, offset, member }: Moved): Promise<unknown> {
    const partitions = [
      { partitionIndex: partition, committedOffset: BigInt(offset), committedLeaderEpoch: -1, committedMetadata: null },
    ];
    return patiently(() =>
      this.#cluster.coordinator(
        'group',
        group,
        txnOffsetCommitV3.api,
        this.id,
        group,
        this.#producerId,
        this.#epoch,
        member.generation,
        member.id,
        member.instance,
        [{ name: topic, partitions }],
      ),
    );
  }

  /** Records by the partitions that they go to, in pieces that a broker takes, in order. */
  async #chunksOf(outputs: readonly Output[], from: number): Promise<Chunk[]> {
    const chunks: Chunk[] = [];
    const topics = new Map<string, { count: number; open: Chunk[] }>();
    let topic = '';
    let found: { count: number; open: Chunk[] } | undefined;
    for (const output of outputs) {
      if (output.to !== topic || !found) {
        topic = output.to;
        found = topics.get(topic) ?? { count: (await this.#cluster.topic(topic)).partitions.length, open: [] };
        topics.set(topic, found);
      }
      const partition = from < found.count ? from : partitionOf(output.of.key, from, found.count);
      if (found.open[partition]?.records.add(output, MOST_BATCH)) continue;
      const records = new BatchWriter(Math.min(MOST_BATCH, FIRST_ROOM * outputs.length));
      records.add(output, MOST_BATCH);
      found.open[partition] = { topic, partition, records };
      chunks.push(found.open[partition]);
    }
    return chunks;
  }

  #write({ topic, partition, records }: Chunk): Promise<unknown> {
    const key = `${topic} ${partition}`;
    const sequence = this.#sequences.get(key) ?? 0;
    // numbers go round after 2³¹ − 1
    this.#sequences.set(key, (sequence + records.count) % 2 ** 31);
    const batch = records.end({ producerId: this.#producerId, epoch: this.#epoch, sequence });
    return this.#cluster.leader('write', topic, partition, PRODUCE, this.id, topic, partition, batch);
  }
}

/** A request to write one batch, whose bytes are ready. */
const PRODUCE = {
  async: (
    connection: Parameters<typeof produceV9.api>[0],
    id: string,
    topic: string,
    partition: number,
    batch: Buffer,
  ) =>
    new Promise<unknown>((resolve, reject) => {
      const payload = () =>
        Writer.create()
          .appendString(id)
          .appendInt16(-1)
          .appendInt32(PRODUCE_MS)
          .appendArray([0], (topics) => {
            topics.appendString(topic).appendArray([0], (partitions) => {
              partitions
                .appendInt32(partition)
                .appendUnsignedVarInt(batch.length + 1)
                .append(batch);
            });
          })
          .appendTaggedFields();
      connection.send(0, 9, payload, produceV9.parseResponse, true, true, (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
    }),
};

const PASSING = new Set(['CONCURRENT_TRANSACTIONS', 'COORDINATOR_LOAD_IN_PROGRESS']);

/** Asks again while the broker is at the end of the transaction before. */
async function patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let waited = 0, wait = AGAIN_MS; ; waited += wait, wait = Math.min(wait * 2, 200))
    try {
      return await ask();
    } catch (error) {
      if (waited > PATIENCE_MS || !namesOf(error).some((name) => PASSING.has(name))) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
}

/** As `Promise.all`, but waits for all of them: nothing is under way after an error. */
async function all(promises: readonly Promise<unknown>[]): Promise<void> {
  for (const { status, ...rest } of await Promise.allSettled(promises))
    if (status === 'rejected') throw (rest as { reason: unknown }).reason;
}
