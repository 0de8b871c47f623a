import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Caller } from '../requests/caller.ts';
import { invalid } from './refusals.ts';
import { callerWith, scopesOf } from './scopes.ts';

/*
 * API keys, and subjects of certificates: [{"name", "sha256" | "subject", "scopes": […], "expires"?, "rate"?}]
 *
 * A key stands there as its SHA-256 alone. It is found by that digest, so how long it takes says nothing of a key: who does not know it cannot choose
 * the digest. A digest without salt is as good as the key is random: 32 bytes of chance, no password.
 */

interface Entry {
  readonly caller: Caller;
  /** by `Date.now`; Infinity: never */
  readonly expires: number;
}

const MEMBERS = ['name', 'sha256', 'subject', 'scopes', 'expires', 'rate'];
const DIGEST = /^[0-9a-f]{64}$/;
const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

export const digestOf = (token: string): string => bytesToHex(sha256(utf8ToBytes(token)));

/** The callers of a file of tokens. It may be replaced while a service answers. */
export class Tokens {
  #byDigest = new Map<string, Entry>();
  #bySubject = new Map<string, Entry>();

  /** @param text  of the file @throws Error that says which entry is wrong */
  constructor(text: string) {
    this.replace(text);
  }

  /** Puts another file in the place of the first. @throws Error that says which entry is wrong; then the old ones stay */
  replace(text: string): void {
    const byDigest = new Map<string, Entry>();
    const bySubject = new Map<string, Entry>();
    entriesOf(text).forEach((given, i) => {
      const [map, key, entry] =
        given.sha256 === undefined
          ? ([bySubject, given.subject!, entryOf(given, 'certificate')] as const)
          : ([byDigest, given.sha256, entryOf(given, 'key')] as const);
      if (map.has(key)) throw wrong(i, 'a key or subject of its own', 'one that stands there before');
      map.set(key, entry);
    });
    this.#byDigest = byDigest;
    this.#bySubject = bySubject;
  }

  get size(): number {
    return this.#byDigest.size + this.#bySubject.size;
  }

  /** Who has this key; null: nobody. @throws Refusal 401 for one that has expired */
  ofKey(key: string): Caller | null {
    return current(this.#byDigest.get(digestOf(key)));
  }

  /** Who has a certificate of this subject; null: nobody. @throws Refusal 401 */
  ofSubject(subject: string): Caller | null {
    return current(this.#bySubject.get(subject));
  }
}

function current(entry: Entry | undefined): Caller | null {
  if (!entry) return null;
  if (Date.now() >= entry.expires) throw invalid('expected one that holds, got one that has expired; get a new one');
  return entry.caller;
}

interface Given {
  readonly name: string;
  readonly sha256?: string;
  readonly subject?: string;
  readonly scopes: readonly string[];
  readonly expires?: string;
  readonly rate?: number;
}

function entriesOf(text: string): readonly Given[] {
  let all: unknown;
  try {
    all = JSON.parse(text);
  } catch {
    all = null;
  }
  if (Array.isArray(all)) return all.map(checked);
  throw new Error(
    'tokens: expected JSON, an array of {"name", "sha256", "scopes"}, got something else; correct the file',
  );
}

/** No value is repeated: somebody may have put a key where its digest belongs. */
const wrong = (i: number, expected: string, got: string): Error =>
  new Error(`tokens: entry ${i}: expected ${expected}, got ${got}; correct the file`);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= 1000;

function checked(value: unknown, i: number): Given {
  if (typeof value !== 'object' || value === null) throw wrong(i, 'an object', 'something else');
  const given = value as Readonly<Record<string, unknown>>;
  const { name, sha256, subject, scopes, expires, rate } = given;
  // a slip in the name of "expires" would make a key that never does
  if (Object.keys(given).some((key) => !MEMBERS.includes(key))) throw wrong(i, `only ${MEMBERS.join(', ')}`, 'others');
  if (!isText(name)) throw wrong(i, 'a name', 'none');
  if ((sha256 === undefined) === (subject === undefined)) throw wrong(i, 'one of sha256 and subject', 'both or none');
  if (sha256 !== undefined && !(isText(sha256) && DIGEST.test(sha256)))
    throw wrong(i, 'sha256 of 64 hexadecimal digits in small letters', 'something else');
  if (subject !== undefined && !isText(subject)) throw wrong(i, 'the subject of a certificate', 'something else');
  if (
    !Array.isArray(scopes) ||
    scopes.length === 0 ||
    !scopes.every((scope) => isText(scope) && scopesOf(scope).length > 0)
  )
    throw wrong(i, 'scopes such as "score:flights", "score:fraud-*", "read" or "role:promoter"', 'others or none');
  if (expires !== undefined && !(isText(expires) && TIME.test(expires) && !Number.isNaN(Date.parse(expires))))
    throw wrong(i, 'expires as a time with its zone, 2030-01-31T12:00:00Z', 'something else');
  if (rate !== undefined && !(typeof rate === 'number' && rate > 0 && Number.isFinite(rate)))
    throw wrong(i, 'a rate above 0, of requests a second', 'something else');
  return given as unknown as Given;
}

function entryOf({ name, scopes, expires, rate }: Given, by: 'key' | 'certificate'): Entry {
  return {
    caller: callerWith(name, by, scopes, rate ?? null),
    expires: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
  };
}
