/** Where messages come from and go to. */

/** A header of a message: its name may come again. */
export type Header = readonly [name: Buffer, value: Buffer | null];

/** A part of bytes. */
export interface Span {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** A message as it came: its value is a part of bytes, of which no object is made unless somebody asks. */
export interface Message extends Span {
  /** null: it has none */
  readonly key: Buffer | null;
  /** null: a tombstone, which says that the key is gone; `from` and `to` are the same then */
  readonly value: Buffer | null;
  readonly isTombstone: boolean;
  readonly headers: readonly Header[];
  /** milliseconds since 1970 */
  readonly timestamp: number;
  /** number in its source: of Kafka the offset in the partition, of JetStream the sequence in the stream */
  readonly position: number;
}

/** A message to be written. What it does not say is that of the message that it comes from. */
export interface Output {
  readonly of: Message;
  readonly to: string;
  /** null: a tombstone */
  readonly value: Span | null;
  /** behind those of the message, of which those of an earlier model are left out */
  readonly more: readonly Header[];
  /** value of the header logodds-id, behind all; null: there is none */
  readonly id: string | null;
}

/** What names of headers begin with that a message gets. */
export const OURS = 'logodds-';
export const ID: Buffer = Buffer.from(`${OURS}id`);

/** Headers of an output, as objects. */
export function headersOf({ of, more, id }: Output): Header[] {
  const kept = of.headers.filter(([name]) => !isOurs(name));
  return id === null ? [...kept, ...more] : [...kept, ...more, [ID, Buffer.from(id)]];
}

const isOurs = (name: Buffer): boolean => name.length > OURS.length && name.toString('latin1', 0, OURS.length) === OURS;

/** Messages of one source, in their order. */
export interface Batch {
  readonly topic: string;
  /** names the source in ids and sentences: of Kafka TOPIC-PARTITION */
  readonly source: string;
  readonly messages: readonly Message[];
  /** messages of the source that come behind these; null: not known */
  readonly lag: number | null;
}

/** What a transport tells: counted by its name, and said to a person if it has a text. */
export interface Happening {
  readonly kind: 'waiting' | 'rebalance' | 'lost' | 'again';
  readonly text: string;
}

/** Carries messages. A batch of a source comes when the one before it is published, so the order of a source is kept. */
export interface Transport {
  /** what it promises, in a sentence */
  readonly guarantee: string;
  /** Resolves with the next batch; null: `pause` was called, and what was begun is published. Rejects with what no waiting mends. */
  poll(): Promise<Batch | null>;
  /**
   * Writes the outputs of a batch and marks it as done, both or neither. Resolves with false where neither came to be: the messages come again, to this
   * process or another.
   */
  publish(batch: Batch, outputs: readonly Output[]): Promise<boolean>;
  /** Begins no batch any more. */
  pause(): void;
  /** Sources that this process reads now, and messages behind what is done in each; null: not known. */
  lags(): ReadonlyMap<string, number | null>;
  close(): Promise<void>;
}
