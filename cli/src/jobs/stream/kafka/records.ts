import { type Header, ID, type Message, OURS, type Output } from '../transport.ts';
import { compressionsAlgorithmsByBitmask, crc32c, UnsupportedCompressionError } from './library.ts';

/** Who writes. */
export interface Writing {
  readonly producerId: bigint;
  readonly epoch: number;
  /** number of the first record in what this producer has written to the partition */
  readonly sequence: number;
}

/** Bytes of a batch before its records. */
const HEADER = 61;
/** Of them, those that its length does not count. */
const BEFORE_LENGTH = 12;
const COMPRESSED = 7;
const APPEND_TIME = 1 << 3;
const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;
/** What is shorter is copied byte by byte: a call takes longer. */
const FEW = 64;
const OUR_NAMES = Buffer.from(OURS);

const sizeOf = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
const textSize = (length: number): number => sizeOf(length * 2) + length;

function longSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Reads numbers of variable length. */
class Cursor {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** of 32 bits, zigzag */
  int(): number {
    const { bytes } = this;
    let byte = bytes[this.at++];
    let value = byte & 0x7f;
    for (let shift = 7; byte & 0x80; shift += 7) {
      byte = bytes[this.at++];
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** of 64 bits, zigzag: exact below 2⁵² */
  long(): number {
    const { bytes } = this;
    let [value, unit, byte] = [0, 1, 0];
    do {
      byte = bytes[this.at++];
      value += (byte & 0x7f) * unit;
      unit *= 0x80;
    } while (byte & 0x80);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A text: null of length −1. */
  text(): Buffer | null {
    const length = this.int();
    if (length < 0) return null;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

/** A record of an answer, of which nothing is copied. */
export class KafkaMessage implements Message {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly isTombstone: boolean;
  /** −1: no key */
  readonly keyLength: number;
  readonly keyFrom: number;
  readonly headerCount: number;
  readonly headersFrom: number;
  readonly headersTo: number;
  readonly timestamp: number;
  readonly position: number;

  /** @param cursor  at the key of a record @param end  of the record */
  constructor(cursor: Cursor, end: number, timestamp: number, position: number) {
    this.bytes = cursor.bytes;
    this.timestamp = timestamp;
    this.position = position;
    this.keyLength = cursor.int();
    this.keyFrom = cursor.at;
    if (this.keyLength > 0) cursor.at += this.keyLength;
    const length = cursor.int();
    this.isTombstone = length < 0;
    this.from = cursor.at;
    if (length > 0) cursor.at += length;
    this.to = cursor.at;
    this.headerCount = cursor.int();
    this.headersFrom = cursor.at;
    this.headersTo = end;
    cursor.at = end;
  }

  get key(): Buffer | null {
    return this.keyLength < 0 ? null : this.bytes.subarray(this.keyFrom, this.keyFrom + this.keyLength);
  }

  get value(): Buffer | null {
    return this.isTombstone ? null : this.bytes.subarray(this.from, this.to);
  }

  get headers(): readonly Header[] {
    const cursor = new Cursor(this.bytes, this.headersFrom);
    return Array.from({ length: this.headerCount }, (): Header => [cursor.text()!, cursor.text()]);
  }

  /** Whether a header is of an earlier model. */
  get hasOurs(): boolean {
    const { bytes, headersFrom, headerCount } = this;
    if (headerCount === 0) return false;
    const cursor = new Cursor(bytes, headersFrom);
    for (let i = 0; i < headerCount; i++) {
      const length = cursor.int();
      const name = cursor.at;
      if (length > OUR_NAMES.length && bytes[name] === OUR_NAMES[0])
        if (bytes.compare(OUR_NAMES, 0, OUR_NAMES.length, name, name + OUR_NAMES.length) === 0) return true;
      cursor.at += length;
      const value = cursor.int();
      if (value > 0) cursor.at += value;
    }
    return false;
  }
}

/** Headers as they are written, behind their count. */
interface Headers {
  readonly count: number;
  readonly bytes: Buffer;
}

function headersOf(headers: readonly Header[]): Headers {
  const put = (out: number[], text: Buffer | null): void => {
    let rest = text === null ? 1 : text.length * 2;
    for (; rest >= 0x80; rest = rest >>> 7) out.push((rest & 0x7f) | 0x80);
    out.push(rest);
    for (const byte of text ?? []) out.push(byte);
  };
  const out: number[] = [];
  for (const [name, value] of headers) {
    put(out, name);
    put(out, value);
  }
  return { count: headers.length, bytes: Buffer.from(out) };
}

const ID_NAME = headersOf([[ID, Buffer.alloc(0)]]).bytes.subarray(0, -1);
const NO_BYTES = Buffer.alloc(0);

/**
 * Writes records into a batch of Kafka (magic 2), transactional and not compressed. By hand, since the time of a record here is the time of a stream, and what a
 * message has is copied as it is.
 * Source: https://kafka.apache.org/documentation/#recordbatch
 */
export class BatchWriter {
  #out: Buffer;
  #at = HEADER;
  #first = 0;
  #last = 0;
  #moreOf: readonly Header[] | null = null;
  #more: Headers = { count: 0, bytes: NO_BYTES };
  count = 0;

  /** @param room  bytes of records that are expected */
  constructor(room: number) {
    this.#out = Buffer.allocUnsafe(HEADER + room);
  }

  /**
   * Adds a record, if the batch is empty or does not get longer than that.
   * @returns whether it was added
   */
  add({ of, value, more, id }: Output, most: number): boolean {
    const message = of as KafkaMessage;
    if (more !== this.#moreOf) {
      this.#more = headersOf(more);
      this.#moreOf = more;
    }
    let own: Headers | null = null;
    let { headerCount, headersFrom, headersTo } = message;
    if (message.hasOurs) {
      own = headersOf(message.headers.filter(([name]) => !name.toString('latin1').startsWith(OURS)));
      [headerCount, headersFrom, headersTo] = [own.count, 0, own.bytes.length];
    }
    if (this.count === 0) {
      this.#first = message.timestamp;
      this.#last = message.timestamp;
    }
    const delta = message.timestamp - this.#first;
    // zigzag beyond 32 bits
    const time = delta >= 0 ? delta * 2 : -delta * 2 - 1;
    const number = this.count * 2;
    const { keyLength } = message;
    const valueLength = value === null ? -1 : value.to - value.from;
    const headers = headerCount + this.#more.count + (id === null ? 0 : 1);
    const size =
      1 +
      longSize(time) +
      sizeOf(number) +
      (keyLength < 0 ? 1 : textSize(keyLength)) +
      (valueLength < 0 ? 1 : textSize(valueLength)) +
      sizeOf(headers * 2) +
      (headersTo - headersFrom) +
      this.#more.bytes.length +
      (id === null ? 0 : ID_NAME.length + textSize(id.length));
    if (this.count > 0 && this.#at + size + 5 > most) return false;
    this.#reserve(size + 5);
    this.count++;
    if (message.timestamp > this.#last) this.#last = message.timestamp;
    this.#number(size * 2);
    this.#out[this.#at++] = 0;
    this.#number(time);
    this.#number(number);
    if (keyLength < 0) this.#out[this.#at++] = 1;
    else {
      this.#number(keyLength * 2);
      this.#copy(message.bytes, message.keyFrom, message.keyFrom + keyLength);
    }
    if (value === null) this.#out[this.#at++] = 1;
    else {
      this.#number(valueLength * 2);
      this.#copy(value.bytes, value.from, value.to);
    }
    this.#number(headers * 2);
    this.#copy(own === null ? message.bytes : own.bytes, headersFrom, headersTo);
    this.#copy(this.#more.bytes, 0, this.#more.bytes.length);
    if (id !== null) {
      this.#copy(ID_NAME, 0, ID_NAME.length);
      this.#number(id.length * 2);
      this.#at += this.#out.write(id, this.#at, 'latin1');
    }
    return true;
  }

  /** The batch. Nothing is added any more. */
  end({ producerId, epoch, sequence }: Writing): Buffer {
    const batch = this.#out.subarray(0, this.#at);
    batch.writeBigInt64BE(0n, 0);
    batch.writeInt32BE(batch.length - BEFORE_LENGTH, 8);
    batch.writeInt32BE(-1, 12);
    batch[16] = 2;
    batch.writeInt16BE(TRANSACTIONAL, 21);
    batch.writeInt32BE(this.count - 1, 23);
    batch.writeBigInt64BE(BigInt(this.#first), 27);
    batch.writeBigInt64BE(BigInt(this.#last), 35);
    batch.writeBigInt64BE(producerId, 43);
    batch.writeInt16BE(epoch, 51);
    batch.writeInt32BE(sequence, 53);
    batch.writeInt32BE(this.count, 57);
    batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
    return batch;
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#out.length) return;
    const out = Buffer.allocUnsafe(2 * this.#out.length + size);
    this.#out.copy(out, 0, 0, this.#at);
    this.#out = out;
  }

  #number(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#out[this.#at++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#out[this.#at++] = rest;
  }

  #copy(bytes: Buffer, from: number, to: number): void {
    const out = this.#out;
    let at = this.#at;
    if (to - from < FEW) for (let i = from; i < to; i++) out[at++] = bytes[i];
    else at += bytes.copy(out, at, from, to);
    this.#at = at;
  }
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
 * Reads the batches of an answer, without records of aborted transactions and markers, as a consumer that reads committed records does. An aborted transaction begins
 * where the broker says and ends at its marker, which may come with a later answer; a producer may have several. The last batch may be cut: it comes again.
 * @throws UnsupportedCompressionError
 */
export function committed(
  bytes: Buffer,
  transactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[],
  from: number,
): Committed {
  const begins = [...transactions].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const open = new Set<bigint>();
  const messages: Message[] = [];
  let [next, aborted, begun] = [from, 0, 0];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const end = at + BEFORE_LENGTH + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    const base = Number(bytes.readBigInt64BE(at));
    const attributes = bytes.readInt16BE(at + 21);
    const last = base + bytes.readInt32BE(at + 23);
    const first = Number(bytes.readBigInt64BE(at + 27));
    const appended = attributes & APPEND_TIME ? Number(bytes.readBigInt64BE(at + 35)) : null;
    const producerId = bytes.readBigInt64BE(at + 43);
    const count = bytes.readInt32BE(at + 57);
    for (; begun < begins.length && Number(begins[begun].firstOffset) <= last; begun++)
      open.add(begins[begun].producerId);
    if (last + 1 > next) next = last + 1;
    const isAborted = attributes & TRANSACTIONAL && open.has(producerId);
    if (attributes & CONTROL) {
      const marker = recordsOf(bytes.subarray(at + HEADER, end), 0, 1, 0, 0, null, null)[0]?.key;
      // its type: aborted
      if (marker?.readInt16BE(2) === 0) open.delete(producerId);
    } else if (isAborted) aborted += count;
    else {
      const records = bytes.subarray(at + HEADER, end);
      recordsOf(decompressed(records, attributes & COMPRESSED), from, count, base, first, appended, messages);
    }
    at = end;
  }
  return { messages, next, aborted };
}

function recordsOf(
  bytes: Buffer,
  from: number,
  count: number,
  base: number,
  first: number,
  appended: number | null,
  into: Message[] | null,
): Message[] {
  const messages = into ?? [];
  const cursor = new Cursor(bytes, 0);
  for (let i = 0; i < count; i++) {
    const length = cursor.int();
    const end = cursor.at + length;
    // attributes, of which there are none
    cursor.at++;
    const timestamp = first + cursor.long();
    const position = base + cursor.int();
    if (position < from) cursor.at = end;
    else messages.push(new KafkaMessage(cursor, end, appended ?? timestamp, position));
  }
  return messages;
}

function decompressed(bytes: Buffer, kind: number): Buffer {
  if (kind === 0) return bytes;
  const algorithm = compressionsAlgorithmsByBitmask[kind as 1];
  if (!algorithm) throw new UnsupportedCompressionError(`compression ${kind}`);
  return algorithm.decompressSync(bytes);
}
