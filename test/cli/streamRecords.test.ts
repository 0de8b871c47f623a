import { createRecordsBatch, Reader, type RecordsBatch, readRecordsBatches } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { BatchWriter, committed, type KafkaMessage } from '../../cli/src/jobs/stream/kafka/records.ts';
import type { Header, Output } from '../../cli/src/jobs/stream/transport.ts';

const text = (value: string) => Buffer.from(value);
const WRITER = { producerId: 7n, epoch: 1, sequence: 0 };
const MORE: Header[] = [[text('logodds-model'), text('loans')]];

interface Given {
  key?: string | null;
  value?: string | null;
  headers?: [string, string | null][];
  timestamp?: number;
}

/** Bytes as a broker answers with them, by the codec of the client. */
function answer(records: readonly Given[], options: object = {}): Buffer {
  const messages = records.map(({ key = 'k', value = '{}', headers = [], timestamp = 1e12 }) => ({
    topic: 't',
    partition: 0,
    timestamp: BigInt(timestamp),
    ...(key !== null && { key: text(key) }),
    ...(value !== null && { value: text(value) }),
    headers: new Map(headers.map(([name, of]) => [text(name), of === null ? undefined : text(of)])),
  }));
  return createRecordsBatch(messages as never, options as never).buffer;
}

/** The same with another offset and with the attributes of a batch. */
function placed(bytes: Buffer, offset: number, attributes = 0): Buffer {
  const out = Buffer.from(bytes);
  out.writeBigInt64BE(BigInt(offset), 0);
  out.writeInt16BE(out.readInt16BE(21) | attributes, 21);
  return out;
}

const plain = (message: KafkaMessage) => ({
  key: message.key?.toString() ?? null,
  value: message.value?.toString() ?? null,
  headers: message.headers.map(([name, value]) => [name.toString(), value?.toString() ?? null]),
  timestamp: message.timestamp,
  position: message.position,
});
const read = (bytes: Buffer, from = 0, aborted: { producerId: bigint; firstOffset: bigint }[] = []) => {
  const { messages, ...rest } = committed(bytes, aborted, from);
  return { messages: (messages as KafkaMessage[]).map(plain), ...rest };
};

const RECORDS: Given[] = [
  {
    key: 'a',
    value: '{"x":1}',
    headers: [
      ['trace', 't'],
      ['none', null],
    ],
    timestamp: 1_000_000,
  },
  { key: null, value: 'é'.repeat(5000), timestamp: 999_000 },
  {
    key: '',
    value: null,
    headers: [
      ['logodds-model', 'before'],
      ['logodds', 'kept'],
    ],
    timestamp: 1_086_400,
  },
];

describe('records of an answer', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4'])('are those that the client wrote, compressed by %s', (compression) => {
    const { messages, next } = read(placed(answer(RECORDS, { compression }), 40), 41);
    expect(next).toBe(43);
    expect(messages.map(({ position }) => position)).toEqual([41, 42]);
    expect(messages[0].value).toBe(RECORDS[1].value);
    expect(messages[1]).toEqual({
      key: '',
      value: null,
      headers: RECORDS[2].headers,
      timestamp: RECORDS[2].timestamp,
      position: 42,
    });
  });

  it('end before a batch that is cut', () => {
    const [first, second] = [placed(answer(RECORDS), 0), placed(answer(RECORDS), 3)];
    for (const cut of [1, 12, 60, 61, second.length - 1])
      expect(read(Buffer.concat([first, second.subarray(0, cut)])).next).toBe(3);
    expect(read(Buffer.concat([first, second])).next).toBe(6);
  });

  it('are without those of aborted transactions, until their marker', () => {
    const by = (records: Given[], offset: number, producerId: bigint) =>
      placed(answer(records, { producerId, transactionalId: 'x' }), offset);
    const marker = (offset: number, producerId: bigint, type: number) => {
      const bytes = by([{ key: '0000', value: '' }], offset, producerId);
      const key = bytes.indexOf('0000');
      bytes.writeInt16BE(0, key);
      bytes.writeInt16BE(type, key + 2);
      return placed(bytes, offset, 1 << 5);
    };
    const bytes = Buffer.concat([
      by([{ value: 'a' }], 0, 1n),
      by([{ value: 'b' }], 1, 2n),
      marker(2, 1n, 0),
      by([{ value: 'c' }], 3, 1n),
      marker(4, 2n, 1),
      marker(5, 1n, 1),
    ]);
    const { messages, next, aborted } = read(bytes, 0, [{ producerId: 1n, firstOffset: 0n }]);
    expect(messages.map(({ value }) => value)).toEqual(['b', 'c']);
    expect([next, aborted]).toEqual([6, 1]);
  });

  it('of a time that the broker sets have that time', () => {
    const bytes = placed(answer([{ timestamp: 5 }, { timestamp: 6 }]), 0, 1 << 3);
    expect(read(bytes).messages.map(({ timestamp }) => timestamp)).toEqual([6, 6]);
  });
});

describe('a batch that is written', () => {
  const outputs = (): Output[] =>
    (committed(placed(answer(RECORDS), 40), [], 0).messages as KafkaMessage[]).map((of, i) => ({
      of,
      to: 'out',
      value: of.isTombstone ? null : { bytes: text(`<score ${i}>`), from: 1, to: 8 },
      more: MORE,
      id: i === 1 ? null : `in-0/${of.position}`,
    }));
  const written = (all: readonly Output[], most = 1e6): RecordsBatch => {
    const writer = new BatchWriter(16);
    for (const output of all) writer.add(output, most);
    return readRecordsBatches(Reader.from(writer.end(WRITER)))[0];
  };

  it('is read by the client: key, time and headers of the message, the score, our headers behind', () => {
    const { records, firstTimestamp, maxTimestamp, producerId, ...batch } = written(outputs());
    const [first] = RECORDS;
    expect([producerId, batch.lastOffsetDelta, batch.attributes]).toEqual([7n, 2, 1 << 4]);
    expect([Number(firstTimestamp), Number(maxTimestamp)]).toEqual([first.timestamp, RECORDS[2].timestamp]);
    const shown = records.map(({ key, value, headers, timestampDelta }) => [
      key?.toString() ?? null,
      value?.toString() ?? null,
      Number(firstTimestamp + timestampDelta),
      (headers as unknown as Header[]).map(([name, of]) => `${name}=${of ?? 'null'}`),
    ]);
    expect(shown).toEqual([
      ['a', 'score 0', 1_000_000, ['trace=t', 'none=null', 'logodds-model=loans', 'logodds-id=in-0/40']],
      [null, 'score 1', 999_000, ['logodds-model=loans']],
      ['', null, RECORDS[2].timestamp, ['logodds=kept', 'logodds-model=loans', 'logodds-id=in-0/42']],
    ]);
  });

  // the codec of the client is wrong beyond 32 bits
  it('has times that are years apart, in both directions', () => {
    const times = [2 ** 41, 0, 2 ** 41 + 5, 12_345];
    const [{ of, ...rest }] = outputs();
    const writer = new BatchWriter(16);
    for (const timestamp of times)
      writer.add({ ...rest, of: Object.assign(Object.create(Object.getPrototypeOf(of)), of, { timestamp }) }, 1e6);
    expect(read(writer.end(WRITER)).messages.map(({ timestamp }) => timestamp)).toEqual(times);
  });

  it('takes no more than it may, but one record in any case', () => {
    const writer = new BatchWriter(16);
    const [first, second] = outputs();
    expect(writer.add(first, 10)).toBe(true);
    expect(writer.add(second, 150)).toBe(false);
    expect(writer.add(second, 1000)).toBe(true);
    expect(writer.count).toBe(2);
  });
});
