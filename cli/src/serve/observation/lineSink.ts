import { createWriteStream, fstatSync } from 'node:fs';
import type { Writable } from 'node:stream';

/** Bytes that may wait for whoever reads the log. */
const MOST_WAITING = 2 ** 20;

/** How the log is written. */
export interface LineSinkOptions {
  readonly stream: Writable;
  /** called with the number of lines that were dropped */
  readonly onDrop: (lines: number) => void;
  /** the line that says how many were dropped, when there is room again */
  readonly dropped: (lines: number) => string;
}

/** Writes lines of a log. It never waits and never fails: what nobody reads in time is dropped, counted, and said later. */
export class LineSink {
  readonly #stream: Writable;
  readonly #onDrop: LineSinkOptions['onDrop'];
  readonly #dropped: LineSinkOptions['dropped'];
  #waiting = '';
  #lines = 0;
  #lost = 0;
  #isClosed = false;
  #isScheduled = false;

  constructor({ stream, onDrop, dropped }: LineSinkOptions) {
    this.#stream = stream;
    this.#onDrop = onDrop;
    this.#dropped = dropped;
    // a reader that has gone
    stream.on('error', () => {
      this.#isClosed = true;
    });
  }

  /** @param line  without its end */
  write(line: string): void {
    if (this.#isClosed || this.#stream.writableLength + this.#waiting.length > MOST_WAITING) {
      this.#lost++;
      this.#onDrop(1);
      return;
    }
    this.#waiting += `${line}\n`;
    this.#lines++;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // the lines of a turn go out together
    setImmediate(() => this.#send());
  }

  #send(): void {
    this.#isScheduled = false;
    const hasRoom = this.#stream.writableLength < MOST_WAITING / 2;
    const said = this.#lost > 0 && hasRoom ? `${this.#dropped(this.#lost)}\n` : '';
    if (said) this.#lost = 0;
    const text = said + this.#waiting;
    const lines = this.#lines;
    this.#waiting = '';
    this.#lines = 0;
    if (this.#isClosed) this.#onDrop(lines);
    else this.#stream.write(text);
  }

  /** Resolves when all lines are written, or after so many milliseconds: whether nothing waits. */
  async flush(ms: number): Promise<boolean> {
    if (this.#waiting !== '' || this.#lost > 0) this.#send();
    const end = performance.now() + ms;
    while (!this.#isClosed && this.#stream.writableLength > 0 && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 5));
    return this.#stream.writableLength === 0;
  }
}

/** Standard error as a stream that is written without waiting: Node waits for files, not for pipes. */
export const standardError = (): Writable =>
  fstatSync(2).isFile() ? createWriteStream('', { fd: 2, autoClose: false }) : process.stderr;
