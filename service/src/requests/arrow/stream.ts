import { Flat } from './flat.ts';
import { type Kind, kindOf } from './kinds.ts';

/*
 * The messages of an Arrow IPC stream: a schema, then batches of dictionaries and of rows, of which each has a table of FlatBuffers and a body.
 *
 * @see https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
 */

/** A column of the schema. */
export interface ArrowField {
  readonly name: string;
  readonly kind: Kind;
  readonly children: readonly ArrowField[];
  /** the dictionary to which its values refer, which have another kind; null: it has its values itself */
  readonly dictionary: { readonly id: number; readonly values: Kind } | null;
}

/** The values of a field in a batch. */
export interface Vector {
  readonly length: number;
  readonly hasNulls: boolean;
  readonly buffers: readonly Uint8Array[];
}

/** A batch: of each field of the schema, or of the dictionary, its values. */
export type Batch =
  | { readonly dictionary: null; readonly rows: number; readonly vectors: readonly Vector[] }
  | { readonly dictionary: number; readonly isDelta: boolean; readonly vectors: readonly Vector[] };

const CONTINUES = 0xffffffff;
const [SCHEMA, DICTIONARY_BATCH, RECORD_BATCH] = [1, 2, 3];

/** Fields of the tables, in the order of Arrow's Message.fbs and Schema.fbs. */
const MESSAGE = { kind: 1, header: 2, bodyLength: 3 };
const FIELD = { name: 0, kind: 2, type: 3, dictionary: 4, children: 5 };
const ENCODING = { id: 0, index: 1 };
const RECORDS = { length: 0, nodes: 1, buffers: 2, compression: 3, views: 4 };
const DICTIONARY = { id: 0, data: 1, isDelta: 2 };
const MOST_DEPTH = 16;

/** What a stream is read as. */
export interface ArrowStream {
  readonly fields: readonly ArrowField[];
  readonly batches: Iterable<Batch>;
}

/** Reads the schema of a stream; its batches as they are taken. @throws RangeError and others for what is no stream, or only a part */
export function streamOf(bytes: Uint8Array): ArrowStream {
  const messages = messagesOf(bytes);
  const { value: first } = messages.next();
  if (!first || first.kind !== SCHEMA) throw new RangeError('schema');
  const fields = first.header.tables(1).map((field: Flat) => fieldOf(field, 0));
  return { fields, batches: batchesOf(messages, fields) };
}

interface Message {
  readonly kind: number;
  readonly header: Flat;
  readonly body: Uint8Array;
}

function* messagesOf(bytes: Uint8Array): Generator<Message> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at < bytes.length) {
    // older writers leave out the first word
    if (view.getUint32(at, true) === CONTINUES) at += 4;
    const length = view.getUint32(at, true);
    at += 4;
    if (length === 0) return;
    const table = Flat.root(part(bytes, at, length));
    at += length;
    const header = table.table(MESSAGE.header);
    const bodyLength = table.long(MESSAGE.bodyLength);
    if (!header) throw new RangeError('header');
    yield { kind: table.byte(MESSAGE.kind), header, body: part(bytes, at, bodyLength) };
    at += bodyLength;
  }
}

function part(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (at + length > bytes.length) throw new RangeError('length');
  return bytes.subarray(at, at + length);
}

function fieldOf(field: Flat, depth: number): ArrowField {
  if (depth > MOST_DEPTH) throw new RangeError('depth');
  const own = kindOf(field.byte(FIELD.kind), field.table(FIELD.type));
  const encoding = field.table(FIELD.dictionary);
  return {
    name: field.text(FIELD.name),
    kind: encoding ? kindOf(INT, encoding.table(ENCODING.index)) : own,
    children: encoding ? [] : field.tables(FIELD.children).map((child) => fieldOf(child, depth + 1)),
    dictionary: encoding && { id: encoding.long(ENCODING.id), values: own },
  };
}

const INT = 2;

function* batchesOf(messages: Iterable<Message>, fields: readonly ArrowField[]): Generator<Batch> {
  for (const { kind, header, body } of messages) {
    if (kind === RECORD_BATCH) {
      const vectors = vectorsOf(header, body, fields);
      const rows = header.long(RECORDS.length);
      if (vectors.some(({ length }) => length !== rows)) throw new RangeError('rows');
      yield { dictionary: null, rows, vectors };
    } else if (kind === DICTIONARY_BATCH) {
      const id = header.long(DICTIONARY.id);
      const data = header.table(DICTIONARY.data);
      const encoded = all(fields).find(({ dictionary }) => dictionary?.id === id)?.dictionary;
      if (!data || !encoded) throw new RangeError('dictionary');
      const field = { name: '', kind: encoded.values, children: [], dictionary: null };
      const vectors = vectorsOf(data, body, [field]);
      yield { dictionary: id, isDelta: header.byte(DICTIONARY.isDelta) === 1, vectors };
    } else throw new RangeError('message');
  }
}

const all = (fields: readonly ArrowField[]): ArrowField[] => fields.flatMap((field) => [field, ...all(field.children)]);

/** The values of fields; those of their children are left out. */
function vectorsOf(records: Flat, body: Uint8Array, fields: readonly ArrowField[]): Vector[] {
  if (records.table(RECORDS.compression)) throw new RangeError('compression');
  const nodes = records.pairs(RECORDS.nodes)[Symbol.iterator]();
  const buffers = records.pairs(RECORDS.buffers)[Symbol.iterator]();
  const views = records.longs(RECORDS.views)[Symbol.iterator]();
  const take = <T>(from: Iterator<T>): T => {
    const { done, value } = from.next();
    if (done) throw new RangeError('fields');
    return value;
  };
  const vectorOf = ({ kind, children }: ArrowField): Vector => {
    const [length, nulls] = take(nodes);
    const count = kind.buffers + (kind.isView ? take(views) : 0);
    const own: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const [at, size] = take(buffers);
      own.push(part(body, at, size));
    }
    for (const child of children) vectorOf(child);
    return { length, hasNulls: nulls > 0, buffers: own };
  };
  return fields.map(vectorOf);
}
