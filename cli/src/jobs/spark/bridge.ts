/**
 * Rows on Spark, behind two pipes to the Python process that has the session (python/src/logodds/spark/training/bridge.py). A message is two u32,
 * the bytes of its text and of its numbers, then a text of JSON, then f64. A question is written, and its answer waited for.
 */
import { readSync, writeSync } from 'node:fs';
import { LogoddsError } from '../../../../src/index.ts';
import type { Remote } from '../../../../src/internal.ts';

/** Variable of the environment with the numbers of the pipes: answers, questions. */
export const PIPES = 'LOGODDS_SPARK_PIPES';

export class Bridge implements Remote {
  readonly #answers: number;
  readonly #questions: number;

  /** @param pipes  numbers of the two, as `PIPES` has them */
  constructor(pipes: string) {
    [this.#answers, this.#questions] = pipes.split(',').map(Number);
  }

  ask(question: Parameters<Remote['ask']>[0], values: readonly Float64Array[] = []): ReturnType<Remote['ask']> {
    const lengths = values.map(({ length }) => length);
    const text = Buffer.from(JSON.stringify({ ...question, lengths }));
    const head = Buffer.alloc(8);
    head.writeUInt32LE(text.length, 0);
    head.writeUInt32LE(8 * lengths.reduce((sum, length) => sum + length, 0), 4);
    for (const part of [head, text, ...values.map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength))])
      this.#write(part);
    const [said, numbers] = new Uint32Array(this.#read(8).buffer, 0, 2);
    const answer: unknown = JSON.parse(Buffer.from(this.#read(said)).toString());
    const found = new Float64Array(this.#read(numbers).buffer);
    const { facts, error } = answer as { facts: unknown; error?: { code: string; message: string } };
    if (error) throw new LogoddsError(error.code as never, error.message);
    return { facts, values: found };
  }

  #write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#questions, bytes, at);
    } catch (cause) {
      throw ended(cause);
    }
  }

  #read(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      let count = 0;
      try {
        count = readSync(this.#answers, bytes, at, length - at, null);
      } catch (cause) {
        throw ended(cause);
      }
      if (count === 0) throw ended();
      at += count;
    }
    return bytes;
  }
}

const ended = (cause?: unknown): LogoddsError =>
  new LogoddsError(
    'ERR_ENGINE',
    'Spark: expected an answer, got the end of the Python process that has the session; see what it said, and run again (with --checkpoint it goes on)',
    { cause },
  );
