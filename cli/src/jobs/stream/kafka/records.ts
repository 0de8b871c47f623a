import type { Header, Message } from '../transport.ts';
import { crc32c, type RecordsBatch } from './library.ts';

/** What a record is made of. */
export interface NewRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
  readonly timestamp: number;
}

/** Who writes. */
export interface Writing {
  readonly producerId: bigint;
  readonly epoch: number;
  /** number of the first record in what this producer has written to the partition */
  readonly sequence: number;
}

const HEADER = 61;
const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;
const APPEND_TIME = 1 << 3;

const sizeOf = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
const textSize = (bytes: Buffer | null): number => (bytes === null ? 1 : sizeOf(bytes.length * 2) + bytes.length);

/** Bytes of a record, without its length, at most: a time takes five more than its least. */
export function recordSize({ key, value, headers }: NewRecord): number {
  let size = 1 + 10 + 5 + 5 + textSize(key) + textSize(value);
  for (const header of headers) size += textSize(header[0]) + textSize(header[1]);
  return size;
}

/**
 * Writes records as a batch of Kafka (magic 2), transactional and not compressed. By hand, since the time of a record here is the time of a stream.
 * Source: https://kafka.apache.org/documentation/#recordbatch
 */
export function recordBatch(records: readonly NewRecord[], { producerId, epoch, sequence }: Writing): Buffer {
  let most = HEADER;
  for (const record of records) most += recordSize(record) + 5;
  const out = Buffer.allocUnsafe(most);
  const first = records[0].timestamp;
  let last = first;
  let at = HEADER;

  const varint = (value: number): void => {
    let rest = value;
    while (rest >= 0x80) {
      out[at++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    out[at++] = rest;
  };
  const bytes = (text: Buffer | null): void => {
    if (text === null) {
      out[at++] = 1;
      return;
    }
    varint(text.length * 2);
    text.copy(out, at);
    at += text.length;
  };

  for (let i = 0; i < records.length; i++) {
    const { key, value, headers, timestamp } = records[i];
    if (timestamp > last) last = timestamp;
    const delta = timestamp - first;
    // zigzag beyond 32 bits
    const time = delta >= 0 ? delta * 2 : -delta * 2 - 1;
    let size = 1 + longSize(time) + sizeOf(i * 2) + textSize(key) + textSize(value) + sizeOf(headers.length * 2);
    for (const header of headers) size += textSize(header[0]) + textSize(header[1]);
    varint(size * 2);
    out[at++] = 0;
    varint(time);
    varint(i * 2);
    bytes(key);
    bytes(value);
    varint(headers.length * 2);
    for (const header of headers) {
      bytes(header[0]);
      bytes(header[1]);
    }
  }
  const batch = out.subarray(0, at);
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(at - 12, 8);
  batch.writeInt32BE(-1, 12);
  batch[16] = 2;
  batch.writeInt16BE(TRANSACTIONAL, 21);
  batch.writeInt32BE(records.length - 1, 23);
  batch.writeBigInt64BE(BigInt(first), 27);
  batch.writeBigInt64BE(BigInt(last), 35);
  batch.writeBigInt64BE(producerId, 43);
  batch.writeInt16BE(epoch, 51);
  batch.writeInt32BE(sequence, 53);
  batch.writeInt32BE(records.length, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

function longSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Of an answer to a fetch what is committed, from a position on. */
export interface Committed {
  readonly messages: Message[];
  /** position behind all that came, markers and aborted records included */
  readonly next: number;
  /** records of transactions that were aborted */
  readonly aborted: number;
}

/**
 * Leaves out records of aborted transactions and markers, as a consumer that reads committed records does. An aborted transaction begins where the broker says
 * and ends at its marker, which may come with a later answer; a producer may have several.
 */
export function committed(
  batches: readonly RecordsBatch[],
  transactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[],
  from: number,
): Committed {
  const begins = [...transactions].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const open = new Set<bigint>();
  const messages: Message[] = [];
  let [next, aborted, begun] = [from, 0, 0];
  for (const batch of batches) {
    const base = Number(batch.firstOffset);
    const last = base + batch.lastOffsetDelta;
    for (; begun < begins.length && Number(begins[begun].firstOffset) <= last; begun++)
      open.add(begins[begun].producerId);
    if (last + 1 > next) next = last + 1;
    if (batch.attributes & CONTROL) {
      if (batch.records[0]?.key?.readInt16BE(2) === 0) open.delete(batch.producerId);
      continue;
    }
    if (batch.attributes & TRANSACTIONAL && open.has(batch.producerId)) {
      aborted += batch.records.length;
      continue;
    }
    const first = Number(batch.firstTimestamp);
    const appended = batch.attributes & APPEND_TIME ? Number(batch.maxTimestamp) : null;
    for (const record of batch.records) {
      const position = base + record.offsetDelta;
      if (position < from) continue;
      messages.push({
        key: record.key ?? null,
        value: record.value ?? null,
        headers: record.headers as unknown as Header[],
        timestamp: appended ?? first + Number(record.timestampDelta),
        position,
      });
    }
  }
  return { messages, next, aborted };
}
