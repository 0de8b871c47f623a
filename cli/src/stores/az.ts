/**
 * Containers of Azure Blob Storage, by @azure/storage-blob. az://CONTAINER/KEY is of the account of AZURE_STORAGE_CONNECTION_STRING or
 * AZURE_STORAGE_ACCOUNT; abfss:// names its account. Credentials: the connection string, AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, else those that
 * @azure/identity finds.
 */
import { commandError } from '../errors.ts';
import { loadPeer } from './peer.ts';
import { timeoutMs } from './retry.ts';
import { type Digest, type FailureKind, isUnreachable, type ObjectStore, type Upload } from './store.ts';

/** What is used of the SDK. */
interface Properties {
  readonly contentLength?: number;
  readonly etag?: string;
  readonly contentMD5?: Uint8Array;
}
interface Conditions {
  readonly conditions?: { readonly ifMatch?: string; readonly ifNoneMatch?: string };
}
interface Blob {
  getProperties(): Promise<Properties>;
  download(
    offset?: number,
    count?: number,
    options?: Conditions & { readonly abortSignal?: AbortSignal },
  ): Promise<Properties & { readonly readableStreamBody?: AsyncIterable<Buffer> }>;
  upload(body: Uint8Array, length: number, options?: Conditions): Promise<Properties>;
  stageBlock(id: string, body: Uint8Array, length: number): Promise<unknown>;
  commitBlockList(ids: string[]): Promise<Properties>;
  deleteIfExists(): Promise<unknown>;
}
interface Container {
  getBlockBlobClient(key: string): Blob;
  getProperties(): Promise<unknown>;
  listBlobsFlat(options: {
    readonly prefix: string;
  }): AsyncIterable<{ readonly name: string; readonly properties: Properties }>;
}
interface Service {
  getContainerClient(name: string): Container;
}
interface Sdk {
  readonly BlobServiceClient: {
    new (url: string, credential?: unknown, options?: object): Service;
    fromConnectionString(text: string, options?: object): Service;
  };
  readonly StorageSharedKeyCredential: new (account: string, key: string) => unknown;
}

/** Names of containers, and those that Azure has itself. */
const NAME = /^(\$(root|web|logs)|(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*)$/;

/** @param bucket  of an address: CONTAINER, or CONTAINER@HOST @throws ERR_STORE */
export async function openAz(bucket: string): Promise<ObjectStore> {
  const address = `az://${bucket}`;
  const [container, host] = bucket.split('@');
  // Azure answers without a word
  if (!NAME.test(container))
    throw commandError(
      'ERR_STORE',
      `${address}: expected a container whose name has 3 to 63 lower-case letters, digits and single hyphens, got ${JSON.stringify(container)}; check the address`,
    );
  const sdk = await loadPeer<Sdk>('@azure/storage-blob', address);
  const env = process.env;
  const options = {
    // `trying` tries again
    retryOptions: { maxTries: 1, tryTimeoutInMs: timeoutMs() },
  };
  const text = env['AZURE_STORAGE_CONNECTION_STRING'];
  if (text && host === undefined)
    return new AzObjects(sdk.BlobServiceClient.fromConnectionString(text, options).getContainerClient(container));
  const account = host?.split('.')[0] ?? env['AZURE_STORAGE_ACCOUNT'];
  if (!account)
    throw commandError(
      'ERR_STORE',
      `${address}: expected an account, got neither AZURE_STORAGE_CONNECTION_STRING nor AZURE_STORAGE_ACCOUNT; set one of them, or write abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY`,
    );
  const url = `https://${host?.replace('.dfs.', '.blob.') ?? `${account}.blob.core.windows.net`}`;
  const key = env['AZURE_STORAGE_KEY'];
  const sas = env['AZURE_STORAGE_SAS_TOKEN']?.replace(/^\?/, '');
  if (sas)
    return new AzObjects(new sdk.BlobServiceClient(`${url}?${sas}`, undefined, options).getContainerClient(container));
  const credential = key
    ? new sdk.StorageSharedKeyCredential(account, key)
    : new (
        await loadPeer<{ DefaultAzureCredential: new () => object }>('@azure/identity', address)
      ).DefaultAzureCredential();
  return new AzObjects(new sdk.BlobServiceClient(url, credential, options).getContainerClient(container));
}

const KINDS: Readonly<Record<string, FailureKind>> = {
  BlobNotFound: 'absent',
  ContainerNotFound: 'bucket',
  InvalidResourceName: 'bucket',
  OutOfRangeInput: 'bucket',
  ConditionNotMet: 'changed',
  AuthenticationFailed: 'credentials',
  InvalidAuthenticationInfo: 'credentials',
  NoAuthenticationInformation: 'credentials',
  AuthorizationFailure: 'denied',
  AuthorizationPermissionMismatch: 'denied',
  AuthorizationResourceTypeMismatch: 'denied',
};

const BY_STATUS: Readonly<Record<number, FailureKind>> = {
  401: 'credentials',
  403: 'denied',
  404: 'absent',
  412: 'changed',
};

class AzObjects implements ObjectStore {
  readonly #container: Container;

  constructor(container: Container) {
    this.#container = container;
  }

  async *list(prefix: string) {
    for await (const { name, properties } of this.#container.listBlobsFlat({ prefix }))
      yield { key: name, bytes: properties.contentLength ?? 0, etag: quoted(properties.etag) };
  }

  async head(key: string) {
    try {
      const { contentLength = 0, etag, contentMD5 } = await this.#blob(key).getProperties();
      const digest: Digest | undefined = contentMD5 && {
        algorithm: 'md5',
        value: Buffer.from(contentMD5).toString('base64'),
      };
      return { key, bytes: contentLength, etag: quoted(etag), ...(digest && { digest }) };
    } catch (error) {
      if (this.kindOf(error) !== 'absent') throw error;
      // the answer to such a request has no code: a container that is absent says so itself
      await this.#container.getProperties();
      return null;
    }
  }

  async read(key: string, start: number, end: number, etag: string, abortSignal: AbortSignal) {
    const conditions = { ifMatch: etag };
    const { readableStreamBody } = await this.#blob(key).download(start, end - start, { conditions, abortSignal });
    return gathered(readableStreamBody!);
  }

  async get(key: string) {
    try {
      const { readableStreamBody, etag } = await this.#blob(key).download();
      return { bytes: await gathered(readableStreamBody!), etag: quoted(etag) };
    } catch (error) {
      if (this.kindOf(error) === 'absent') return null;
      throw error;
    }
  }

  async put(key: string, bytes: Uint8Array, condition?: string | null) {
    const conditions =
      condition === undefined ? {} : condition === null ? { ifNoneMatch: '*' } : { ifMatch: condition };
    try {
      return quoted((await this.#blob(key).upload(bytes, bytes.length, { conditions })).etag);
    } catch (error) {
      if (condition !== undefined && [409, 412].includes(statusOf(error))) return null;
      throw error;
    }
  }

  async upload(key: string): Promise<Upload> {
    const blob = this.#blob(key);
    const ids: string[] = [];
    // who may not write learns it from the first block: there is no other beginning
    await blob.stageBlock(idOf(0), Buffer.from('.'), 1);
    return {
      put: async (part, number) => {
        ids[number - 1] = idOf(number);
        await blob.stageBlock(idOf(number), part, part.length);
      },
      commit: async () => quoted((await blob.commitBlockList(ids)).etag),
      // blocks that no list names are not seen, and Azure removes them after a week
      abort: async () => {},
    };
  }

  async sweep() {
    return 0;
  }

  async remove(key: string) {
    await this.#blob(key).deleteIfExists();
  }

  kindOf(error: unknown): FailureKind {
    const { code = '', name, details } = error as { code?: string; name: string; details?: { errorCode?: string } };
    if (/CredentialUnavailable|AuthenticationRequired|AggregateAuthentication/.test(name)) return 'credentials';
    return (
      KINDS[details?.errorCode ?? code] ??
      BY_STATUS[statusOf(error)] ??
      (isUnreachable(error) ? 'unreachable' : 'other')
    );
  }

  #blob(key: string): Blob {
    return this.#container.getBlockBlobClient(key);
  }
}

const idOf = (number: number): string => Buffer.from(String(number).padStart(6, '0')).toString('base64');

const statusOf = (error: unknown): number => (error as { statusCode?: number }).statusCode ?? 0;

/** Lists have ETags without quotes, conditions need them. */
const quoted = (etag = ''): string => (etag.startsWith('"') ? etag : `"${etag}"`);

async function gathered(pieces: AsyncIterable<Buffer>): Promise<Uint8Array> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
