/** Objects as files of this run: of the size of the object from the beginning, with holes until their bytes arrive. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, ftruncateSync, mkdirSync, openSync, rmSync, write } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { commandError } from '../errors.ts';
import { discard, outputError, runFolder } from '../write/temporary.ts';
import { type Address, rootOf } from './address.ts';
import { type Arriving, addArriving, addFolder, asGiven, removeArriving } from './arrivals.ts';
import { trying } from './retry.ts';
import { type Digest, type ObjectStore, PART, type StoredObject, storeError } from './store.ts';

/** Bytes arrive in blocks of this size. */
const BLOCK = 1 << 16;

/** Requests that are under way at once, for all files. */
const AT_ONCE = 6;

const ABSENT = 0;
const HERE = 2;

const writeAt = promisify(write);

/** Lets a number of requests through at once, in the order of asking. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free: number) {
    this.#free = free;
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

const gate = new Gate(AT_ONCE);

/** Bytes that came over the wire, for tests and benchmarks. */
export const traffic = { bytes: 0, requests: 0 };

let folder: string | null = null;
const roots = new Map<string, string>();

/** The path of the file that stands for an object, or for a pattern of objects. */
export function mirrorPath({ scheme, bucket, key }: Address): string {
  const address = rootOf({ scheme, bucket });
  let root = roots.get(address);
  if (root === undefined) {
    folder ??= runFolder();
    root = join(folder, String(roots.size));
    roots.set(address, root);
    addFolder(root, address);
  }
  return `${root}/${key}`;
}

const mirrors = new Set<Mirror>();

/** Removes all of them. */
export function forgetMirrors(): void {
  for (const mirror of mirrors) mirror.remove();
  if (folder !== null) discard(folder);
  folder = null;
  roots.clear();
}

export interface MirrorOptions {
  readonly store: ObjectStore;
  readonly object: StoredObject & { readonly digest?: Digest };
  readonly path: string;
}

export class Mirror implements Arriving {
  readonly path: string;
  readonly object: MirrorOptions['object'];
  readonly #store: ObjectStore;
  readonly #fd: number;
  readonly #blocks: Uint8Array;
  /** requests under way, by their first block */
  readonly #pending = new Map<number, { readonly end: number; readonly done: Promise<void> }>();
  #failed: unknown = null;
  #checked: Promise<void> | null = null;

  /** @throws ERR_OUTPUT where there is no room for its name */
  constructor({ store, object, path }: MirrorOptions) {
    this.path = path;
    this.object = object;
    this.#store = store;
    this.#blocks = new Uint8Array(Math.ceil(object.bytes / BLOCK));
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.#fd = openSync(path, 'wx+', 0o600);
      ftruncateSync(this.#fd, object.bytes);
    } catch (error) {
      throw outputError(asGiven(path), error);
    }
    addArriving(path, this);
    mirrors.add(this);
  }

  async need(start: number, end: number): Promise<void> {
    const [from, to] = this.#range(start, end);
    for (;;) {
      if (this.#failed !== null) throw this.#failed;
      const waits = this.#fetch(from, to);
      if (waits.length === 0) return;
      await Promise.all(waits);
    }
  }

  ahead(start: number, end: number): void {
    const [from, to] = this.#range(start, end);
    // who needs these bytes is told of the error
    for (const wait of this.#fetch(from, to)) wait.catch(() => {});
  }

  whole(): Promise<void> {
    this.#checked ??= this.#whole();
    return this.#checked;
  }

  /** The bytes in order, with some fetched ahead. */
  async *pieces(): AsyncGenerator<Buffer> {
    const { bytes } = this.object;
    for (let at = 0; at < bytes; at += PIECE) {
      const end = Math.min(bytes, at + PIECE);
      this.ahead(end, Math.min(bytes, at + AHEAD));
      await this.need(at, end);
      yield* createReadStream(this.path, { start: at, end: end - 1, highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>;
    }
    await this.whole();
  }

  /** Removes the file. */
  remove(): void {
    removeArriving(this.path);
    mirrors.delete(this);
    this.#failed ??= new Error('the file is removed');
    Promise.allSettled([...this.#pending.values()].map(({ done }) => done)).then(() => closeSync(this.#fd));
    rmSync(this.path, { force: true });
  }

  #range(start: number, end: number): [number, number] {
    return [Math.floor(Math.max(0, start) / BLOCK), Math.min(this.#blocks.length, Math.ceil(end / BLOCK))];
  }

  /** Begins to fetch what is absent of these blocks. @returns what is to wait for */
  #fetch(from: number, to: number): Promise<void>[] {
    const waits: Promise<void>[] = [];
    for (let at = from; at < to; ) {
      if (this.#blocks[at] === HERE) {
        at++;
        continue;
      }
      if (this.#blocks[at] !== ABSENT) {
        const under = [...this.#pending].find(([first, { end }]) => first <= at && at < end)![1];
        waits.push(under.done);
        at = under.end;
        continue;
      }
      let end = at + 1;
      while (end < to && this.#blocks[end] === ABSENT && end - at < PART / BLOCK) end++;
      this.#blocks.fill(1, at, end);
      const done = this.#request(at, end);
      this.#pending.set(at, { end, done });
      // told to whoever waits
      done.catch(() => {});
      waits.push(done);
      at = end;
    }
    return waits;
  }

  async #request(from: number, to: number): Promise<void> {
    const { key, etag, bytes } = this.object;
    const [start, end] = [from * BLOCK, Math.min(bytes, to * BLOCK)];
    try {
      const got = await gate.pass(() =>
        trying(this.#store, async (signal) => {
          if (this.#failed !== null) throw this.#failed;
          const part = await this.#store.read(key, start, end, etag, signal);
          if (part.length !== end - start)
            throw new Error(`socket hang up: ${part.length} of ${end - start} bytes arrived`);
          return part;
        }),
      );
      traffic.bytes += got.length;
      traffic.requests++;
      try {
        for (let at = 0; at < got.length; )
          at += (await writeAt(this.#fd, got, at, got.length - at, start + at)).bytesWritten;
      } catch (error) {
        throw outputError('TMPDIR', error);
      }
      this.#blocks.fill(HERE, from, to);
    } catch (error) {
      this.#blocks.fill(ABSENT, from, to);
      this.#failed ??= isOurs(error) ? error : storeError(this.#store, 'read', asGiven(this.path), error);
      throw this.#failed;
    } finally {
      this.#pending.delete(from);
    }
  }

  async #whole(): Promise<void> {
    const { bytes, key, etag } = this.object;
    await this.need(0, bytes);
    // lists do not say the digest
    const found = this.object.digest
      ? this.object
      : await trying(this.#store, () => this.#store.head(key)).catch(() => null);
    const digest = found?.etag === etag ? found.digest : undefined;
    if (digest === undefined) return;
    const got = await digestOf(this.path, digest.algorithm);
    if (got !== null && got !== digest.value)
      throw commandError(
        'ERR_STORE',
        `${asGiven(this.path)}: expected the bytes of ${digest.algorithm} ${digest.value} as the store says, got ${got}; run again, and write the object anew if it stays so`,
      );
  }
}

const isOurs = (error: unknown): boolean => (error as { name?: string }).name === 'LogoddsError';

/** Bytes that are read at once, and up to where they are fetched ahead. */
const PIECE = 1 << 20;
const AHEAD = 4 * PART;

/** In base64; null: this Node cannot compute it */
async function digestOf(path: string, algorithm: Digest['algorithm']): Promise<string | null> {
  const pieces = createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
  if (algorithm !== 'crc32') {
    const hash = createHash(algorithm);
    for await (const piece of pieces) hash.update(piece);
    return hash.digest('base64');
  }
  const crc32 = (zlib as { crc32?: typeof zlib.crc32 }).crc32;
  if (crc32 === undefined) return null;
  let sum = 0;
  for await (const piece of pieces) sum = crc32(piece, sum);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(sum);
  return bytes.toString('base64');
}
