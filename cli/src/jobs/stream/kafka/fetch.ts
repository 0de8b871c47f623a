import { type Connection, fetchV15, type Reader, ResponseError } from './library.ts';

/** What an answer has of a partition. */
export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly lastStableOffset: number;
  readonly abortedTransactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[];
  /** batches of records, as they came */
  readonly records: Buffer;
}

/** Of a topic. */
export interface FetchedTopic {
  readonly topicId: string;
  readonly partitions: readonly FetchedPartition[];
}

const NONE = Buffer.alloc(0);

/**
 * A request for messages. Records are handed over as they came: the codec of the client makes a dozen objects of each, which took a third of the time of a stream.
 * Source: https://kafka.apache.org/protocol, Fetch, version 15
 */
export const FETCH = {
  async: (connection: Connection, ...given: Parameters<typeof fetchV15.createRequest>) =>
    new Promise<readonly FetchedTopic[]>((resolve, reject) => {
      connection.send(
        1,
        15,
        () => fetchV15.createRequest(...given),
        parse,
        true,
        true,
        (error, answer) => (error ? reject(error) : resolve(answer!)),
      );
    }),
};

/** An error of a partition is its own. @throws ResponseError for one of the whole answer */
function parse(_id: number, api: number, version: number, reader: Reader): readonly FetchedTopic[] {
  reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt32();
  if (errorCode !== 0) throw new ResponseError(api, version, { '': [errorCode, null] }, {});
  return reader.readArray((topic) => ({
    topicId: topic.readUUID(),
    partitions: topic.readArray((part): FetchedPartition => {
      const partition = part.readInt32();
      const errorCode = part.readInt16();
      part.readInt64();
      const lastStableOffset = Number(part.readInt64());
      part.readInt64();
      const abortedTransactions =
        part.readArray((one) => ({ producerId: one.readInt64(), firstOffset: one.readInt64() })) ?? [];
      part.readInt32();
      const size = part.readUnsignedVarInt() - 1;
      const at = part.position;
      // one piece of memory, which the messages share
      const records = size > 0 ? part.buffer.slice(at, at + size) : NONE;
      if (size > 0) part.skip(size);
      return { partition, errorCode, lastStableOffset, abortedTransactions, records };
    }),
  }));
}
