import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { placeHere } from '../../write/temporary.ts';

/** When a file is complete, and what becomes of it then. */
export interface RotatingOptions {
  readonly folder: string;
  /** what names begin with */
  readonly stem: string;
  /** bytes after which the next file begins */
  readonly size: number;
  /** milliseconds after which it does */
  readonly ageMs: number;
  /** Called for a file that is complete, under a hidden name. Default: files have their name from the begin. */
  readonly complete?: (path: string) => void;
  readonly now?: () => number;
}

/** Lines in files of a folder. A line is in a file whole, or not at all; files are never written again. */
export class RotatingLines {
  readonly #options: RotatingOptions;
  readonly #now: () => number;
  #path = '';
  #fd: number | null = null;
  #length = 0;
  #since = 0;
  #files = 0;

  constructor(options: RotatingOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** @throws the error of the system; nothing of the text was written then */
  write(text: string): void {
    const fd = this.#open();
    const bytes = Buffer.from(text);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    } catch (error) {
      try {
        ftruncateSync(fd, this.#length);
      } catch {
        this.close();
      }
      throw error;
    }
    this.#length += bytes.length;
    if (this.#length >= this.#options.size) this.close();
  }

  /** The file that is written. A file that somebody has taken away is begun again. */
  #open(): number {
    this.rotate();
    if (this.#fd !== null && !this.#isThere()) this.close();
    if (this.#fd !== null) return this.#fd;
    const { folder, stem, complete } = this.#options;
    mkdirSync(folder, { recursive: true });
    const begin = this.#now();
    const stamp = new Date(begin).toISOString().replace(/[-:]|\.\d+/g, '');
    // services of several machines or containers may have one folder, where process ids come again
    const name = `${stem}-${stamp}-${placeHere()}-${process.pid}-${++this.#files}.jsonl`;
    this.#path = join(folder, complete ? `.${name}` : name);
    this.#fd = openSync(this.#path, 'wx', 0o640);
    this.#length = 0;
    this.#since = begin;
    return this.#fd;
  }

  #isThere(): boolean {
    try {
      return statSync(this.#path).ino === fstatSync(this.#fd!).ino;
    } catch {
      return false;
    }
  }

  /** Ends the file if it is old enough. */
  rotate(): void {
    if (this.#fd !== null && this.#now() - this.#since >= this.#options.ageMs) this.close();
  }

  /** Ends the file; the next line begins another. */
  close(): void {
    if (this.#fd === null) return;
    closeSync(this.#fd);
    this.#fd = null;
    this.#options.complete?.(this.#path);
  }
}
