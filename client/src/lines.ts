import { unsendable } from './error.ts';
import { parsedJson } from './json.ts';

/** Bytes of a chunk from which on it is sent. */
const CHUNK = 16_384;

/** A record as a line of JSON. @throws ERR_REQUEST for an infinite number, of which JSON would make a missing value */
export function lineOf(record: object): string {
  for (const [field, value] of Object.entries(record))
    if (value === Infinity || value === -Infinity)
      throw unsendable(`field ${JSON.stringify(field)}: expected a finite number, got ${value}; correct the record`);
  return JSON.stringify(record);
}

/**
 * Records as the bytes of lines, made no faster than they are taken. Those that are at hand go together.
 * @param count  called for each
 */
export async function* bytesOfRecords(
  records: AsyncIterable<object> | Iterable<object>,
  count: () => void,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const line = (record: object): string => {
    count();
    return `${lineOf(record)}\n`;
  };
  if (Symbol.asyncIterator in records) {
    for await (const record of records) yield encoder.encode(line(record));
    return;
  }
  let text = '';
  for (const record of records) {
    text += line(record);
    if (text.length < CHUNK) continue;
    yield encoder.encode(text);
    text = '';
  }
  if (text !== '') yield encoder.encode(text);
}

/** The values of lines of JSON, as they arrive. */
export async function* valuesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + decoder.decode(value, { stream: !done })).split('\n');
      rest = done ? '' : lines.pop()!;
      for (const line of lines) if (line !== '') yield parsedJson(line);
      if (done) return;
    }
  } finally {
    // what is not read is not waited for
    reader.cancel().catch(() => {});
  }
}

/** What is iterated as a stream of bytes. */
export function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
