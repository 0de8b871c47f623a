/**
 * Buckets of Google Cloud Storage, by @google-cloud/storage, which finds credentials (GOOGLE_APPLICATION_CREDENTIALS, those of gcloud, those of the
 * machine) and STORAGE_EMULATOR_HOST. The ETag of an object is here its generation.
 */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { loadPeer } from './peer.ts';
import { timeoutMs } from './retry.ts';
import { Changed, type FailureKind, isUnreachable, type ObjectStore, type Upload } from './store.ts';

/** What is used of the SDK. */
interface Metadata {
  readonly size?: string | number;
  readonly generation?: string | number;
  readonly md5Hash?: string;
}
interface Precondition {
  readonly preconditionOpts?: { readonly ifGenerationMatch?: string | number };
}
interface GsFile {
  readonly name: string;
  metadata: Metadata;
  getMetadata(): Promise<[Metadata, unknown]>;
  createReadStream(options: {
    readonly start?: number;
    readonly end?: number;
    readonly validation?: boolean;
    readonly decompress?: boolean;
  }): Readable;
  createWriteStream(options: { readonly resumable: boolean }): Writable;
  save(bytes: Buffer, options: Precondition & { readonly resumable: boolean }): Promise<void>;
  delete(options: { readonly ignoreNotFound: boolean }): Promise<unknown>;
}
interface Bucket {
  file(key: string, options?: { readonly generation: string }): GsFile;
  getFiles(query: object): Promise<[GsFile[], object | null, unknown]>;
}
interface Sdk {
  readonly Storage: new (options: object) => { bucket(name: string): Bucket };
}

/** @throws ERR_STORE */
export async function openGs(bucket: string): Promise<ObjectStore> {
  const { Storage } = await loadPeer<Sdk>('@google-cloud/storage', `gs://${bucket}`);
  const apiEndpoint = process.env['STORAGE_EMULATOR_HOST'];
  const options = {
    timeout: timeoutMs(),
    // `trying` tries again
    retryOptions: { autoRetry: false, maxRetries: 0 },
    ...(apiEndpoint && { apiEndpoint, projectId: process.env['GOOGLE_CLOUD_PROJECT'] || 'test' }),
  };
  return new GsObjects(new Storage(options).bucket(bucket));
}

class NoBucket extends Error {
  override readonly name = 'NoBucket';

  constructor() {
    super('there is none of that name');
  }
}

const BY_CODE: Readonly<Record<number, FailureKind>> = {
  401: 'credentials',
  403: 'denied',
  404: 'absent',
  412: 'changed',
};

class GsObjects implements ObjectStore {
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  async *list(prefix: string) {
    for (let query: object | null = { prefix, autoPaginate: false }; query !== null; ) {
      const [files, next]: [GsFile[], object | null, unknown] = await this.#bucket.getFiles(query).catch((error) => {
        throw this.kindOf(error) === 'absent' ? new NoBucket() : error;
      });
      for (const { name, metadata } of files)
        yield { key: name, bytes: Number(metadata.size), etag: String(metadata.generation) };
      query = next;
    }
  }

  async head(key: string) {
    try {
      const [{ size, generation, md5Hash }] = await this.#bucket.file(key).getMetadata();
      return {
        key,
        bytes: Number(size),
        etag: String(generation),
        ...(md5Hash && { digest: { algorithm: 'md5' as const, value: md5Hash } }),
      };
    } catch (error) {
      if (this.kindOf(error) !== 'absent') throw error;
      await this.#checkBucket();
      return null;
    }
  }

  /** An object that is absent and a bucket that is absent have one answer. @throws where there is no bucket */
  async #checkBucket(): Promise<void> {
    try {
      await this.#bucket.getFiles({ maxResults: 1, autoPaginate: false });
    } catch (error) {
      if (this.kindOf(error) === 'absent') throw new NoBucket();
    }
  }

  async read(key: string, start: number, end: number, etag: string, signal: AbortSignal) {
    // a generation that was replaced is absent, or kept where versions are
    const stream = this.#bucket
      .file(key, { generation: etag })
      .createReadStream({ start, end: end - 1, validation: false, decompress: false });
    const stop = () => stream.destroy(new Error('timed out'));
    signal.addEventListener('abort', stop);
    try {
      return await gathered(stream);
    } catch (error) {
      if (this.kindOf(error) === 'absent') throw new Changed();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async get(key: string) {
    const found = await this.head(key);
    if (found === null) return null;
    const stream = this.#bucket.file(key, { generation: found.etag }).createReadStream({ decompress: false });
    return { bytes: await gathered(stream), etag: found.etag };
  }

  async put(key: string, bytes: Uint8Array, condition?: string | null) {
    const rule = condition === undefined ? {} : { preconditionOpts: { ifGenerationMatch: condition ?? 0 } };
    const file = this.#bucket.file(key);
    try {
      await file.save(Buffer.from(bytes), { resumable: false, ...rule });
      return String(file.metadata.generation);
    } catch (error) {
      if (condition !== undefined && this.kindOf(error) === 'changed') return null;
      throw error;
    }
  }

  /** A resumable upload takes its parts in order: each waits for the one before. */
  async upload(key: string): Promise<Upload> {
    const file = this.#bucket.file(key);
    await this.#checkBucket();
    const stream = file.createWriteStream({ resumable: true });
    let failed: unknown = null;
    stream.on('error', (error) => {
      failed = error;
    });
    const waiting = new Map<number, { part: Uint8Array; sent: () => void }>();
    let next = 1;
    let isSending = false;
    const send = async () => {
      if (isSending) return;
      isSending = true;
      for (let one = waiting.get(next); one; one = waiting.get(next)) {
        waiting.delete(next++);
        if (failed === null && !stream.write(one.part)) await once(stream, 'drain').catch(() => {});
        one.sent();
      }
      isSending = false;
    };
    return {
      put: async (part, number) => {
        if (failed !== null) throw failed;
        // it has been sent before
        if (number < next) return;
        await new Promise<void>((sent) => {
          waiting.set(number, { part, sent });
          send();
        });
        if (failed !== null) throw failed;
      },
      commit: async () => {
        const ended = once(stream, 'finish');
        stream.end();
        await ended;
        return String(file.metadata.generation ?? (await this.head(key))?.etag);
      },
      abort: async () => {
        stream.destroy();
      },
    };
  }

  async sweep() {
    return 0;
  }

  async remove(key: string) {
    await this.#bucket.file(key).delete({ ignoreNotFound: true });
  }

  kindOf(error: unknown): FailureKind {
    const { code, message = '', name } = error as { code?: number | string; message?: string; name?: string };
    if (name === 'Changed') return 'changed';
    if (name === 'NoBucket') return 'bucket';
    if (/default credentials|invalid_grant|invalid_rapt/i.test(message)) return 'credentials';
    return BY_CODE[Number(code)] ?? (isUnreachable(error) ? 'unreachable' : 'other');
  }
}

async function gathered(pieces: Readable): Promise<Uint8Array> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece as Buffer);
  return Buffer.concat(all);
}
