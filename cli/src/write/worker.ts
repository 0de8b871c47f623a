/** The program of the thread that writes a Parquet file, while the main thread reads and scores the next rows. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { ScoreBlock, ScoreLayout } from './block.ts';
import { copyParquet, type ParquetPlace } from './parquet.ts';

/** What the thread gets at its start. */
export interface WriterStart {
  readonly place: ParquetPlace;
  readonly layout: ScoreLayout;
  /** counts the messages sent to the thread, which sleeps on it */
  readonly sent: Int32Array;
}

/** What the thread gets then. */
export type ToWriter = { readonly block: ScoreBlock } | 'end' | 'stop';

/** What the thread answers: it has taken a block; the file is complete. */
export type FromWriter = 'taken' | 'done';

const port = parentPort!;
const { place, layout, sent } = workerData as WriterStart;
const tell = (message: FromWriter) => port.postMessage(message);

/** Sleeps until there is a message. */
function nextMessage(): ToWriter {
  for (;;) {
    const seen = Atomics.load(sent, 0);
    const received = receiveMessageOnPort(port);
    if (received) return received.message as ToWriter;
    Atomics.wait(sent, 0, seen);
  }
}

await copyParquet(place, layout, () => {
  const message = nextMessage();
  if (message === 'stop') throw new Error('stopped');
  if (message === 'end') return null;
  tell('taken');
  return message.block;
});
tell('done');
