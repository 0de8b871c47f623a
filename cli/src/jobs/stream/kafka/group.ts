import type { Cluster } from './cluster.ts';
import { namesOf } from './errors.ts';
import { heartbeatV4, joinGroupV7, leaveGroupV4, Reader, syncGroupV5, Writer } from './library.ts';

/** What a process is in its group, until the partitions are divided anew. */
export interface Member {
  readonly id: string;
  readonly generation: number;
  readonly instance: string | null;
}

/** Partitions that are this process's own, by topic. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

export interface GroupOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** of a process that takes its partitions back when it begins again; null: each begin is a new member */
  readonly instance: string | null;
  readonly sessionMs: number;
  readonly rebalanceMs: number;
}

const PROTOCOL = 'roundrobin';

/**
 * Membership of a consumer group, by its classic protocol.
 * Source: https://kafka.apache.org/protocol, JoinGroup, SyncGroup, Heartbeat, LeaveGroup; ConsumerProtocolSubscription, ConsumerProtocolAssignment
 */
export class Group {
  readonly #cluster: Cluster;
  readonly #options: GroupOptions;
  #id = '';

  constructor(cluster: Cluster, options: GroupOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** Joins, and resolves when the partitions are divided. */
  async join(): Promise<{ member: Member; assignment: Assignment }> {
    const { group, topics, instance, sessionMs, rebalanceMs } = this.#options;
    const metadata = subscriptionOf(topics);
    let joined: Awaited<ReturnType<typeof joinGroupV7.api.async>>;
    for (;;)
      try {
        joined = await this.#cluster.coordinator(
          'group',
          group,
          joinGroupV7.api,
          group,
          sessionMs,
          rebalanceMs,
          this.#id,
          instance,
          'consumer',
          [{ name: PROTOCOL, metadata }],
          null,
        );
        break;
      } catch (error) {
        const names = namesOf(error);
        // the broker gives a name first
        if (names.includes('MEMBER_ID_REQUIRED'))
          this.#id = (error as { response?: { memberId?: string } }).response?.memberId ?? '';
        else {
          if (names.includes('UNKNOWN_MEMBER_ID')) this.#id = '';
          throw error;
        }
      }
    this.#id = joined.memberId!;
    const member = { id: this.#id, generation: joined.generationId, instance };
    const shares = joined.leader === this.#id ? await this.#divide(joined.members) : [];
    const { assignment } = await this.#cluster.coordinator(
      'group',
      group,
      syncGroupV5.api,
      group,
      member.generation,
      member.id,
      instance,
      'consumer',
      PROTOCOL,
      shares,
    );
    return { member, assignment: assignmentOf(assignment) };
  }

  /** Says that this process is there. @throws an error that verdictOf calls `rejoin` when the partitions are divided anew, or it is no member any more */
  async beat({ id, generation, instance }: Member): Promise<void> {
    await this.#cluster.coordinator(
      'group',
      this.#options.group,
      heartbeatV4.api,
      this.#options.group,
      generation,
      id,
      instance,
    );
  }

  /** Forgets the name that the broker has forgotten. */
  forgotten(): void {
    this.#id = '';
  }

  /** Leaves, so that others take over at once. An instance stays a member until its session is over: it may begin again. */
  async leave(): Promise<void> {
    const { group, instance } = this.#options;
    if (this.#id === '' || instance !== null) return;
    await this.#cluster.coordinator('group', group, leaveGroupV4.api, group, [
      { memberId: this.#id, groupInstanceId: null },
    ]);
  }

  /** Each topic's partitions in turn to the members that read it. */
  async #divide(
    members: readonly { memberId: string; groupInstanceId?: string | null; metadata: Buffer | null }[],
  ): Promise<{ memberId: string; assignment: Buffer }[]> {
    const sorted = [...members].sort((a, b) =>
      compare(a.groupInstanceId ?? a.memberId, b.groupInstanceId ?? b.memberId),
    );
    const shares = sorted.map(({ memberId, metadata }) => ({
      memberId,
      reads: topicsOf(metadata),
      own: new Map<string, number[]>(),
    }));
    const topics = [...new Set(shares.flatMap(({ reads }) => reads))].sort();
    // one after the other, so that the members of two topics with a partition each get one each
    let turn = 0;
    for (const topic of topics) {
      const readers = shares.filter(({ reads }) => reads.includes(topic));
      const { partitions } = await this.#cluster.topic(topic);
      for (let i = 0; i < partitions.length; i++) {
        const { own } = readers[turn++ % readers.length];
        own.set(topic, [...(own.get(topic) ?? []), i]);
      }
    }
    return shares.map(({ memberId, own }) => ({ memberId, assignment: assignmentBytes(own) }));
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const subscriptionOf = (topics: readonly string[]): Buffer =>
  Writer.create()
    .appendInt16(0)
    .appendArray([...topics], (w, topic) => w.appendString(topic, false), false, false)
    .appendInt32(-1).buffer;

function topicsOf(metadata: Buffer | null): string[] {
  if (!metadata) return [];
  const reader = Reader.from(metadata);
  reader.readInt16();
  return reader.readArray((r) => r.readString(false), false, false);
}

const assignmentBytes = (own: Assignment): Buffer =>
  Writer.create()
    .appendInt16(0)
    .appendArray(
      [...own],
      (w, [topic, partitions]) =>
        w.appendString(topic, false).appendArray([...partitions], (p, i) => p.appendInt32(i), false, false),
      false,
      false,
    )
    .appendInt32(-1).buffer;

function assignmentOf(bytes: Buffer): Assignment {
  if (bytes.length < 6) return new Map();
  const reader = Reader.from(bytes);
  reader.readInt16();
  const all = reader.readArray(
    (r) => [r.readString(false), r.readArray((p) => p.readInt32(), false, false)] as const,
    false,
    false,
  );
  return new Map(all);
}
