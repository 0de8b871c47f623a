/** Buckets of S3, and of servers that speak its protocol. Endpoint, region, profile and credentials are found as the SDK finds them. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { timeoutMs } from './retry.ts';
import { Changed, type Digest, type FailureKind, isUnreachable, type ObjectStore, type Upload } from './store.ts';

/** What is wrong, by the code of an error. */
const KINDS: Readonly<Record<string, FailureKind>> = {
  NoSuchKey: 'absent',
  NotFound: 'absent',
  NoSuchBucket: 'bucket',
  InvalidBucketName: 'bucket',
  AccessDenied: 'denied',
  Forbidden: 'denied',
  AllAccessDisabled: 'denied',
  PreconditionFailed: 'changed',
  Changed: 'changed',
  CredentialsProviderError: 'credentials',
  TokenProviderError: 'credentials',
  ExpiredToken: 'credentials',
  ExpiredTokenException: 'credentials',
  InvalidToken: 'credentials',
  InvalidAccessKeyId: 'credentials',
  SignatureDoesNotMatch: 'credentials',
  RequestTimeTooSkewed: 'credentials',
  PermanentRedirect: 'region',
  AuthorizationHeaderMalformed: 'region',
};

const BY_STATUS: Readonly<Record<number, FailureKind>> = {
  301: 'region',
  401: 'credentials',
  403: 'denied',
  404: 'absent',
  412: 'changed',
};

export class S3Objects implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(bucket: string) {
    this.#bucket = bucket;
    // servers of one host name have their buckets in the path
    const hasEndpoint = Boolean(process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']);
    const timeout = timeoutMs();
    this.#client = new S3Client({
      ...(process.env['AWS_REGION'] || process.env['AWS_PROFILE']
        ? {}
        : { region: process.env['AWS_DEFAULT_REGION'] || 'us-east-1' }),
      forcePathStyle: hasEndpoint,
      // `trying` tries again
      maxAttempts: 1,
      requestHandler: { connectionTimeout: Math.min(timeout, 10_000), socketTimeout: timeout },
    });
  }

  async *list(prefix: string) {
    let from: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: prefix,
          ...(from !== undefined && { ContinuationToken: from }),
        }),
      );
      for (const { Key, Size = 0, ETag = '' } of page.Contents ?? []) yield { key: Key!, bytes: Size, etag: ETag };
      from = page.NextContinuationToken;
    } while (from !== undefined);
  }

  async head(key: string) {
    try {
      const found = await this.#client.send(new HeadObjectCommand({ ...this.#object(key), ChecksumMode: 'ENABLED' }));
      const { ContentLength = 0, ETag = '', ChecksumType, ChecksumCRC32, ChecksumSHA256 } = found;
      const isWhole = ChecksumType === 'FULL_OBJECT' || (ChecksumType === undefined && !ETag.includes('-'));
      const digest: Digest | undefined = !isWhole
        ? undefined
        : ChecksumSHA256
          ? { algorithm: 'sha256', value: ChecksumSHA256 }
          : ChecksumCRC32
            ? { algorithm: 'crc32', value: ChecksumCRC32 }
            : undefined;
      return { key, bytes: ContentLength, etag: ETag, ...(digest && { digest }) };
    } catch (error) {
      if (isUnreachable(error)) throw error;
      // an answer without a body does not say why: that to a first byte does
      return this.#reason(key);
    }
  }

  /** @returns null for an object that is absent @throws what is wrong with it or its bucket */
  async #reason(key: string): Promise<null> {
    try {
      await this.#client.send(new GetObjectCommand({ ...this.#object(key), Range: 'bytes=0-0' }));
    } catch (error) {
      if (this.kindOf(error) === 'absent') return null;
      throw error;
    }
    throw new Error('the store answers for its bytes, and not for its size');
  }

  async read(key: string, start: number, end: number, etag: string, signal: AbortSignal) {
    const range = { Range: `bytes=${start}-${end - 1}`, IfMatch: etag };
    const { Body, ETag } = await this.#client.send(new GetObjectCommand({ ...this.#object(key), ...range }), {
      abortSignal: signal,
    });
    // a server that does not know the condition
    if (ETag !== undefined && ETag !== etag) {
      (Body as unknown as { destroy?(): void }).destroy?.();
      throw new Changed();
    }
    return Body!.transformToByteArray();
  }

  async get(key: string) {
    try {
      const { Body, ETag = '' } = await this.#client.send(new GetObjectCommand(this.#object(key)));
      return { bytes: await Body!.transformToByteArray(), etag: ETag };
    } catch (error) {
      if (this.kindOf(error) === 'absent') return null;
      throw error;
    }
  }

  async put(key: string, bytes: Uint8Array, condition?: string | null) {
    const rule = condition === undefined ? {} : condition === null ? { IfNoneMatch: '*' } : { IfMatch: condition };
    try {
      const { ETag = '' } = await this.#client.send(
        new PutObjectCommand({ ...this.#object(key), Body: bytes, ...rule }),
      );
      return ETag;
    } catch (error) {
      // 409: two at once, of which the server has not decided yet; 404: what should have the ETag is gone
      const status = statusOf(error) ?? 0;
      const isGone = status === 404 && typeof condition === 'string' && this.kindOf(error) === 'absent';
      if (condition !== undefined && ([409, 412].includes(status) || isGone)) return null;
      throw error;
    }
  }

  async upload(key: string): Promise<Upload> {
    const object = this.#object(key);
    const { UploadId } = await this.#client.send(
      new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: 'CRC32' }),
    );
    const parts: { ETag?: string; PartNumber: number; ChecksumCRC32?: string }[] = [];
    return {
      put: async (part, number) => {
        const { ETag, ChecksumCRC32 } = await this.#client.send(
          new UploadPartCommand({ ...object, UploadId, PartNumber: number, Body: part }),
        );
        parts.push({ ETag, PartNumber: number, ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }) });
      },
      commit: async () => {
        parts.sort((a, b) => a.PartNumber - b.PartNumber);
        const done = await this.#client.send(
          new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts: parts } }),
        );
        return done.ETag ?? '';
      },
      abort: async () => {
        await this.#client.send(new AbortMultipartUploadCommand({ ...object, UploadId }));
      },
    };
  }

  async sweep(prefix: string) {
    const { Uploads = [] } = await this.#client.send(
      new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: prefix }),
    );
    for (const { Key, UploadId } of Uploads)
      await this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId }));
    return Uploads.length;
  }

  async remove(key: string) {
    await this.#client.send(new DeleteObjectCommand(this.#object(key)));
  }

  kindOf(error: unknown): FailureKind {
    const { name, Code } = error as { name: string; Code?: string };
    return (
      KINDS[name] ??
      KINDS[Code ?? ''] ??
      (isUnreachable(error) ? 'unreachable' : (BY_STATUS[statusOf(error) ?? 0] ?? 'other'))
    );
  }

  #object(key: string) {
    return { Bucket: this.#bucket, Key: key };
  }
}

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
