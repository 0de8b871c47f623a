import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';

/*
 * An audit log: JSON lines, each with the number of the line and the SHA-256 of the one before it.
 *
 *   {"seq":1,"prev":"000…","at":"…","event":"opened"}
 *   {"seq":2,"prev":"<SHA-256 of the line above, without its LF>",…}
 *
 * A line that was torn by a crash stays. The next one, of the event "torn", has the SHA-256 of what was torn, and the chain goes on from the last whole line.
 */

/** When lines are forced to the disk: with every write, once a second, or when the system does it. */
export type AuditSync = 'always' | 'second' | 'never';

export interface AuditFileOptions {
  readonly path: string;
  readonly sync: AuditSync;
  /** bytes after which the file gets a name with a number, and another begins */
  readonly size: number;
}

export const FIRST = '0'.repeat(64);
export const digestOf = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A line of the chain, as far as the chain needs it. */
export interface ChainLine {
  readonly seq: number;
  readonly prev: string;
  readonly event?: string;
  /** of the event `torn`: what was torn */
  readonly torn?: { readonly bytes: number; readonly sha256: string };
}

/** A line of a chain; null: it is none. */
export function chainLine(text: string): ChainLine | null {
  try {
    const { seq, prev } = JSON.parse(text) as ChainLine;
    if (Number.isSafeInteger(seq) && /^[\da-f]{64}$/.test(prev)) return JSON.parse(text) as ChainLine;
  } catch {
    // torn
  }
  return null;
}

/** What became of entries. */
export interface AuditTaken {
  readonly written: number;
  readonly dropped: number;
  readonly failure: string | null;
}

/** An audit log that is written. @throws the error of the system where it cannot be opened */
export class AuditFile {
  /** bytes of a line that a crash had torn when it was opened; 0: none */
  readonly torn: number;
  readonly #options: AuditFileOptions;
  #fd: number;
  #length = 0;
  #seq = 0;
  #prev = FIRST;
  #lost = 0;
  #isDirty = false;

  constructor(options: AuditFileOptions) {
    this.#options = options;
    const { path } = options;
    this.#fd = openSync(path, 'a+', 0o640);
    const tail = tailOf(this.#fd);
    const before = tail.line === null ? lastBefore(path) : null;
    this.#length = fstatSync(this.#fd).size;
    this.torn = tail.torn.length;
    const last = tail.line ?? before;
    if (last !== null) {
      this.#seq = chainLine(last)!.seq;
      this.#prev = digestOf(last);
    }
    const mend = tail.hasEnd ? '' : '\n';
    const event = this.torn > 0 ? 'torn' : 'opened';
    const torn = this.torn > 0 ? { torn: { bytes: this.torn, sha256: digestOf(tail.torn) } } : {};
    this.#append([{ at: new Date().toISOString(), event, ...torn }], mend);
  }

  /** Writes entries. It never throws: what cannot be written is dropped, and the next line says how much. @param lost  entries that were dropped before they came here */
  take(entries: readonly object[], lost = 0): AuditTaken {
    this.#lost += lost;
    const said = this.#lost > 0 ? [{ at: new Date().toISOString(), event: 'dropped', count: this.#lost }] : [];
    try {
      this.#append([...said, ...entries]);
      this.#lost = 0;
    } catch (error) {
      this.#lost += entries.length;
      return { written: 0, dropped: entries.length, failure: (error as NodeJS.ErrnoException).code ?? 'ERROR' };
    }
    return { written: said.length + entries.length, dropped: 0, failure: null };
  }

  #append(entries: readonly object[], before = ''): void {
    const { sync, size } = this.#options;
    if (this.#length > 0 && fstatSync(this.#fd).size !== this.#length)
      throw Object.assign(new Error('another process writes there'), { code: 'EBUSY' });
    let [seq, prev, text] = [this.#seq, this.#prev, before];
    for (const entry of entries) {
      const line = JSON.stringify({ seq: ++seq, prev, ...entry });
      prev = digestOf(line);
      text += `${line}\n`;
    }
    const bytes = Buffer.from(text);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
      if (sync === 'always') fsyncSync(this.#fd);
    } catch (error) {
      // nobody was told of these lines
      ftruncateSync(this.#fd, this.#length);
      throw error;
    }
    this.#seq = seq;
    this.#prev = prev;
    this.#length += bytes.length;
    this.#isDirty = sync === 'second';
    if (this.#length >= size) this.#rotate();
  }

  /** The file gets the number of its last line; the chain goes on in the next one. */
  #rotate(): void {
    const { path } = this.#options;
    if (this.#options.sync !== 'never') fsyncSync(this.#fd);
    renameSync(path, join(dirname(path), numbered(path, this.#seq)));
    closeSync(this.#fd);
    this.#fd = openSync(path, 'a+', 0o640);
    this.#length = 0;
    this.#isDirty = false;
  }

  /** Forces lines to the disk where that is due. */
  tick(): void {
    if (!this.#isDirty) return;
    fsyncSync(this.#fd);
    this.#isDirty = false;
  }

  close(): void {
    if (this.#options.sync !== 'never') fsyncSync(this.#fd);
    closeSync(this.#fd);
  }
}

const numbered = (path: string, seq: number): string => {
  const end = extname(path);
  return `${basename(path, end)}.${String(seq).padStart(12, '0')}${end}`;
};

/** The last line of the file that was written before this one; null: there is none. */
function lastBefore(path: string): string | null {
  const end = extname(path);
  const stem = basename(path, end);
  const before = readdirSync(dirname(path))
    .filter(
      (name) =>
        name.startsWith(`${stem}.`) &&
        name.endsWith(end) &&
        /^\.\d{12}$/.test(name.slice(stem.length, name.length - end.length)),
    )
    .sort()
    .at(-1);
  if (before === undefined) return null;
  const fd = openSync(join(dirname(path), before), 'r');
  try {
    return tailOf(fd).line;
  } finally {
    closeSync(fd);
  }
}

interface Tail {
  /** the last whole line; null: there is none */
  readonly line: string | null;
  /** what stands behind it, without an LF at its end */
  readonly torn: Buffer;
  /** whether the file ends with an LF, or is empty */
  readonly hasEnd: boolean;
}

const LF = 10;

/** The end of a file, read from behind. */
function tailOf(fd: number): Tail {
  const { size } = fstatSync(fd);
  for (let window = 2 ** 16; ; window *= 8) {
    const from = Math.max(0, size - window);
    const bytes = Buffer.alloc(size - from);
    for (let at = 0; at < bytes.length; ) {
      const got = readSync(fd, bytes, at, bytes.length - at, from + at);
      if (got === 0) break;
      at += got;
    }
    const hasEnd = size === 0 || bytes[bytes.length - 1] === LF;
    const end = hasEnd ? bytes.length - 1 : bytes.length;
    for (let stop = end; stop > 0; ) {
      const start = bytes.lastIndexOf(LF, stop - 1) + 1;
      // the first line of a window may be the end of one
      if (start === 0 && from > 0) break;
      const text = bytes.toString('utf8', start, stop);
      if (chainLine(text)) return { line: text, torn: bytes.subarray(Math.min(stop + 1, end), end), hasEnd };
      stop = start - 1;
    }
    if (from === 0) return { line: null, torn: bytes.subarray(0, Math.max(0, end)), hasEnd };
  }
}

/** Where a process has its own chain, the name of its file. */
export function auditPathOf(path: string, worker: number | null): string {
  if (worker === null) return path;
  const end = extname(path);
  return join(dirname(path), `${basename(path, end)}-${worker}${end}`);
}
