/** What the command asks of an object store. Each kind of store is a file of this folder. */
import type { LogoddsError } from '../../../src/index.ts';
import { commandError } from '../errors.ts';
import { withoutSecrets } from '../terminal/secrets.ts';
import { brief } from '../write/temporary.ts';

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** changes whenever the object is written */
  readonly etag: string;
}

/** A digest of the whole content, as the store keeps it. */
export interface Digest {
  readonly algorithm: 'md5' | 'sha256' | 'crc32';
  /** in base64 */
  readonly value: string;
}

/** An upload in parts: nothing is there under its key before `commit`. */
export interface Upload {
  /** Sends the next part. Parts have `PART` bytes, but for the last one. */
  put(part: Uint8Array, number: number): Promise<void>;
  /** @returns the ETag */
  commit(): Promise<string>;
  abort(): Promise<void>;
}

/** Bytes of a part of an upload, and most bytes of a request that reads. */
export const PART = 8 << 20;

/** A bucket. Its methods throw the errors of its SDK, which `StoreError` puts in a sentence. */
export interface ObjectStore {
  list(prefix: string): AsyncIterable<StoredObject>;
  /** null: there is none */
  head(key: string): Promise<(StoredObject & { readonly digest?: Digest }) | null>;
  /** Bytes from start up to end. @throws an error of kind `changed` where the object is not the one with this ETag */
  read(key: string, start: number, end: number, etag: string, signal: AbortSignal): Promise<Uint8Array>;
  /** The content of a small object, and its ETag; null: there is none. */
  get(key: string): Promise<{ readonly bytes: Uint8Array; readonly etag: string } | null>;
  /**
   * Writes a small object.
   * @param condition  the ETag that it must have now; null: there must be none; undefined: either
   * @returns its ETag; null where the condition does not hold
   */
  put(key: string, bytes: Uint8Array, condition?: string | null): Promise<string | null>;
  upload(key: string): Promise<Upload>;
  /** Ends uploads that killed runs have left below a prefix, where the store keeps such. @returns how many */
  sweep(prefix: string): Promise<number>;
  remove(key: string): Promise<void>;
  /** what is wrong, of an error of the SDK */
  kindOf(error: unknown): FailureKind;
}

/** What is wrong when a store refuses something. */
export type FailureKind =
  | 'absent'
  | 'bucket'
  | 'denied'
  | 'credentials'
  | 'changed'
  | 'unreachable'
  | 'region'
  | 'other';

interface Words {
  readonly got: string;
  readonly next: string;
}

/** What to do next, by what is wrong. */
const WORDS: Readonly<Record<Exclude<FailureKind, 'other'>, (verb: Verb) => Words>> = {
  absent: () => ({ got: 'none of that name', next: 'check the key' }),
  bucket: () => ({ got: 'no such bucket', next: 'check its name, or make it first' }),
  denied: (verb) => ({
    got: 'access denied',
    next: `give these credentials the right to ${RIGHTS[verb]} there${verb === 'read' ? '; without the right to list, a store also says this of a key that is absent' : ''}`,
  }),
  credentials: () => ({ got: 'credentials that are wrong, expired or missing', next: 'renew them and run again' }),
  changed: () => ({
    got: 'another one: it was written anew while it was read',
    next: 'run again when nobody writes it; nothing was written from the half of it',
  }),
  unreachable: () => ({
    got: 'no answer from its endpoint',
    next: 'check the endpoint and the network, then run again',
  }),
  region: () => ({ got: 'a bucket of another region', next: 'set AWS_REGION to the region of the bucket' }),
};

export type Verb = 'read' | 'list' | 'write';

const RIGHTS: Readonly<Record<Verb, string>> = { read: 'read', list: 'list', write: 'write' };

const EXPECTED: Readonly<Record<Verb, string>> = {
  read: 'an object that can be read',
  list: 'objects that can be listed',
  write: 'an object that can be written',
};

/** ERR_STORE in one sentence. @param address  of the object or prefix */
export function storeError(store: ObjectStore, verb: Verb, address: string, error: unknown): LogoddsError {
  const found = store.kindOf(error);
  // an object may be absent before it is written, its bucket may not
  const kind = found === 'absent' && verb === 'write' ? 'bucket' : found;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const words = withoutSecrets(brief(message.replace(/\. +/g, '; ')));
  const said = words === '' || words === name || words === 'UnknownError' ? answerOf(error) : words;
  const { got, next }: Words =
    kind === 'other' ? { got: 'an error', next: 'check the address, the endpoint and the rights' } : WORDS[kind](verb);
  const detail = ['changed', 'absent', 'bucket'].includes(kind)
    ? ''
    : ` (${/^(Error|Unknown)$/.test(name) ? said : `${name}: ${said}`})`;
  return commandError('ERR_STORE', `${address}: expected ${EXPECTED[verb]}, got ${got}${detail}; ${next}`, {
    cause: error,
  });
}

/** What the answer to a request says without a message, as those to HEAD have none. Each SDK has it elsewhere. */
function answerOf(error: unknown): string {
  const { code, statusCode, details, response, $metadata } = Object(error) as {
    code?: unknown;
    statusCode?: number;
    details?: { errorCode?: string };
    response?: { status?: number };
    $metadata?: { httpStatusCode?: number };
  };
  const status =
    statusCode ?? $metadata?.httpStatusCode ?? response?.status ?? (typeof code === 'number' ? code : undefined);
  const named = details?.errorCode ?? (typeof code === 'string' ? code : undefined);
  const said = [named && withoutSecrets(brief(named)), status !== undefined && `status ${status}`].filter(Boolean);
  return said.length > 0 ? said.join(', ') : 'an answer without a message, code and status';
}

/** An error of kind `changed`, for stores whose answer shows it. */
export class Changed extends Error {
  constructor() {
    super('the object has another ETag');
    this.name = 'Changed';
  }
}

/** Errors of connections, whatever the SDK. */
const UNREACHABLE =
  /ECONN|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|socket hang up|timed? ?out|TimeoutError|AbortError|aborted|network/i;

export const isUnreachable = (error: unknown): boolean => {
  const { name, message, code } = error as { name?: string; message?: string; code?: unknown };
  return UNREACHABLE.test(`${name} ${code} ${message}`);
};

/** Kinds that trying again does not change. */
export const isFinal = (kind: FailureKind): boolean => kind !== 'unreachable' && kind !== 'other';
