import { finished, type Readable } from 'node:stream';

/** Bytes from which on no more are taken until these are read. */
const ENOUGH = 2 ** 18;

/**
 * The body of a request as it comes, all that one turn of the event loop brings as one chunk: a socket hands out 64 KiB at a time, and each chunk costs a
 * call of the scorer, a chunk of the answer and a write.
 */
export function bodyOf(incoming: Readable): ReadableStream<Uint8Array> {
  let chunks: Uint8Array[] = [];
  let length = 0;
  /** null: more may come */
  let end: { readonly error: Error | null } | null = null;
  let wake: (() => void) | null = null;
  const tell = () => {
    wake?.();
    wake = null;
  };
  const take = (chunk: Uint8Array) => {
    // what comes in the same turn goes with it
    if (length === 0) setImmediate(tell);
    chunks.push(chunk);
    length += chunk.length;
    if (length >= ENOUGH) incoming.pause();
  };
  const stop = finished(incoming, { writable: false }, (error) => {
    end = { error: error ?? null };
    setImmediate(tell);
  });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (incoming.listenerCount('data') === 0) incoming.on('data', take);
        while (length === 0 && !end)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        if (length > 0) {
          controller.enqueue(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length));
          chunks = [];
          length = 0;
          incoming.resume();
        } else if (end?.error) controller.error(end.error);
        else controller.close();
      },
      cancel() {
        stop();
        incoming.off('data', take);
      },
    },
    { highWaterMark: 0 },
  );
}
