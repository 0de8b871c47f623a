import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { registryError } from '../errors.ts';
import type { LogText, Store, Stored } from '../store.ts';

const LOG = 'log.jsonl';
const NO_LOG = 'no log';

/**
 * A registry in a bucket of S3, or of a server that speaks its protocol: objects of the same names and content as the files of a directory.
 *
 * An event is a conditional write of the log (`If-Match` its ETag; `If-None-Match: *` the first time), so of two writers one is refused and tries again.
 * The server must hold these conditions; AWS, versitygw and Ceph do.
 *
 * Credentials, region and endpoint come from the environment and files of the official SDK (`AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT_URL_S3`, …).
 */
export class S3Store implements Store {
  readonly place: string;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  /** the log as it was last read: an append sends it whole */
  #last: LogText = { text: '', mark: NO_LOG };

  /**
   * @param url  s3://BUCKET/PREFIX
   * @throws ERR_STORE for another form
   */
  constructor(url: string, config: S3ClientConfig = {}) {
    const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*?))?\/*$/.exec(url) ?? [];
    if (!bucket)
      throw registryError(
        'ERR_STORE',
        `${url}: expected s3://BUCKET or s3://BUCKET/PREFIX, got another form; correct it`,
      );
    this.place = url;
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    const hasEndpoint = Boolean(process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']);
    // servers of one host name have their buckets in the path
    this.#client = new S3Client({
      region: process.env['AWS_REGION'] ?? 'us-east-1',
      forcePathStyle: hasEndpoint,
      ...config,
    });
  }

  async log(since?: string): Promise<LogText | null> {
    return this.#try('read', LOG, async () => {
      if (since !== undefined && since !== NO_LOG) {
        const { ETag } = await this.#client.send(new HeadObjectCommand(this.#object(LOG)));
        if (ETag === since) return null;
      }
      try {
        const { Body, ETag } = await this.#client.send(new GetObjectCommand(this.#object(LOG)));
        this.#last = { text: await Body!.transformToString(), mark: ETag! };
      } catch (error) {
        if (!isMissing(error)) throw error;
        this.#last = { text: '', mark: NO_LOG };
      }
      return this.#last.mark === since ? null : this.#last;
    });
  }

  async append(text: string, mark: string): Promise<boolean> {
    return this.#try('written', LOG, async () => {
      if (mark !== this.#last.mark) return false;
      if (mark === NO_LOG) await this.#checkConditions();
      const condition = mark === NO_LOG ? { IfNoneMatch: '*' } : { IfMatch: mark };
      const Body = this.#last.text + text;
      try {
        await this.#client.send(
          new PutObjectCommand({ ...this.#object(LOG), Body, ContentType: 'application/jsonl', ...condition }),
        );
        return true;
      } catch (error) {
        // 409: two at once, of which the server has not decided yet
        if ([409, 412].includes(statusOf(error) ?? 0)) return false;
        throw error;
      }
    });
  }

  async read(path: string): Promise<Uint8Array | null> {
    return this.#try('read', path, async () => {
      try {
        const { Body } = await this.#client.send(new GetObjectCommand(this.#object(path)));
        return await Body!.transformToByteArray();
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    });
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#try('written', path, () =>
      this.#client.send(
        new PutObjectCommand({ ...this.#object(path), Body: bytes, ContentType: 'application/octet-stream' }),
      ),
    );
  }

  async move(from: string, to: string): Promise<boolean> {
    return this.#try('written', to, async () => {
      const { Bucket, Key } = this.#object(from);
      try {
        await this.#client.send(
          new CopyObjectCommand({ ...this.#object(to), CopySource: encodeURI(`${Bucket}/${Key}`) }),
        );
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
      await this.#client.send(new DeleteObjectCommand(this.#object(from)));
      return true;
    });
  }

  async remove(path: string): Promise<void> {
    await this.#try('removed', path, () => this.#client.send(new DeleteObjectCommand(this.#object(path))));
  }

  async list(folder: string): Promise<Stored[]> {
    return this.#try('read', folder, async () => {
      const found: Stored[] = [];
      let from: string | undefined;
      do {
        const page = await this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: this.#prefix + folder,
            ...(from !== undefined && { ContinuationToken: from }),
          }),
        );
        for (const { Key, Size = 0, LastModified } of page.Contents ?? [])
          found.push({ path: Key!.slice(this.#prefix.length), bytes: Size, at: LastModified!.getTime() });
        from = page.NextContinuationToken;
      } while (from !== undefined);
      return found;
    });
  }

  /** Before the first event: a server that writes whatever the condition says would lose events of others. */
  async #checkConditions(): Promise<void> {
    const probe = this.#object(`.condition-${crypto.randomUUID()}`);
    try {
      // nothing has this ETag
      await this.#client.send(new PutObjectCommand({ ...probe, Body: 'x', IfMatch: `"${'0'.repeat(32)}"` }));
    } catch (error) {
      if ([404, 409, 412].includes(statusOf(error) ?? 0) && (error as Error).name !== 'NoSuchBucket') return;
      throw error;
    }
    await this.#client.send(new DeleteObjectCommand(probe));
    throw new Error('it wrote in spite of If-Match, which keeps writers from replacing events of others');
  }

  #object(path: string) {
    return { Bucket: this.#bucket, Key: this.#prefix + path };
  }

  async #try<T>(verb: 'read' | 'written' | 'removed', path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { name, message } = error as Error;
      const said =
        message
          .split('\n')[0]!
          .slice(0, 300)
          .replace(/[.\s]+$/, '')
          .replace(/\. /g, '; ') || 'no answer';
      const next = NEXT[name] ?? 'check the bucket, its endpoint (AWS_ENDPOINT_URL_S3) and the credentials';
      throw registryError(
        'ERR_STORE',
        `registry ${this.place}: expected ${path} to be ${verb}, got an error (${name === 'Error' ? said : `${name}: ${said}`}); ${next}${verb === 'read' ? '' : '; what was there stays'}`,
        error,
      );
    }
  }
}

const NEXT: Readonly<Record<string, string>> = {
  NoSuchBucket: 'make the bucket first',
  CredentialsProviderError: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile',
  SignatureDoesNotMatch: 'correct AWS_SECRET_ACCESS_KEY',
  InvalidAccessKeyId: 'correct AWS_ACCESS_KEY_ID',
  AccessDenied: 'give these credentials the right to read, write and list there',
};

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;

const isMissing = (error: unknown): boolean => ['NoSuchKey', 'NotFound'].includes((error as Error).name);
