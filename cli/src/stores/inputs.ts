/** Objects that a run reads: found by address or pattern, and made files of the run. */
import { LogoddsError } from '../../../src/index.ts';
import { counted } from '../figures/wording.ts';
import { matcher } from '../read/paths.ts';
import { note } from '../terminal/print.ts';
import { type Address, addressOf, isKey, isPattern } from './address.ts';
import { Mirror, mirrorPath } from './mirror.ts';
import { storeOf } from './open.ts';
import { trying } from './retry.ts';
import { type ObjectStore, type StoredObject, storeError } from './store.ts';

/** Bytes at the end of a Parquet file that are fetched with its beginning: the footer of most. */
const FOOTER = 1 << 16;

export interface Found {
  readonly store: ObjectStore;
  readonly address: Address;
  /** sorted by key */
  readonly objects: readonly StoredObject[];
}

/**
 * The objects of an address: the one of its key, or those that a pattern means, as of files: * ? [...] within a part of the key, ** for any
 * parts, and none that begins with a dot.
 * @throws ERR_DATA when there is none; ERR_STORE
 */
export async function findObjects(text: string): Promise<Found> {
  const address = addressOf(text);
  const { key } = address;
  const store = await storeOf(address);
  const none = (got: string, next: string) => {
    throw new LogoddsError('ERR_DATA', `${text}: expected an object, got ${got}; ${next}`);
  };
  if (key === '' || key.endsWith('/'))
    none('a folder', `name its objects, e.g. "${text.replace(/\/$/, '')}/*.parquet"`);
  // a key may have the signs of patterns
  const own = await inStore(store, 'read', text, () => trying(store, () => store.head(key)), isPattern(key));
  if (own) return { store, address, objects: [own] };
  if (!isPattern(key)) none('none of that name', 'check the key');
  const objects = await inStore(store, 'list', text, () => listMatching(store, key));
  if (objects!.length === 0) none('none that the pattern matches', 'check the pattern and the bucket');
  return { store, address, objects: objects! };
}

/** @param isOptional  what is absent or not allowed is null */
async function inStore<T>(
  store: ObjectStore,
  verb: 'read' | 'list',
  text: string,
  work: () => Promise<T>,
  isOptional = false,
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (isOptional && ['absent', 'denied', 'other'].includes(store.kindOf(error))) return null;
    throw storeError(store, verb, text, error);
  }
}

async function listMatching(store: ObjectStore, pattern: string): Promise<StoredObject[]> {
  const prefix = pattern.slice(0, pattern.search(/[*?[]/)).replace(/[^/]*$/, '');
  const matches = keyMatcher(pattern);
  const all = await trying(store, async () => {
    const listed: StoredObject[] = [];
    for await (const object of store.list(prefix))
      if (!object.key.endsWith('/') && matches(object.key)) listed.push(object);
    return listed;
  });
  const found = all.filter(({ key }) => isKey(key));
  if (found.length < all.length)
    note(`${counted(all.length - found.length, 'object')} left out, whose keys have empty parts, . or ..`);
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** A pattern of keys as a function. */
function keyMatcher(pattern: string): (key: string) => boolean {
  const parts = pattern.split('/').map((part) => (part === '**' ? null : matcher(part)));
  const fits = (names: readonly string[], at: number, from: number): boolean => {
    if (from === parts.length) return at === names.length;
    const part = parts[from];
    if (part !== null) return at < names.length && part(names[at]) && fits(names, at + 1, from + 1);
    const isLast = from === parts.length - 1;
    for (let next = at; next < names.length; next++) {
      if (isLast ? next === names.length - 1 : fits(names, next, from + 1)) return !names[next].startsWith('.');
      if (names[next].startsWith('.')) return false;
    }
    return false;
  };
  return (key) => fits(key.split('/'), 0, 0);
}

/** A file of the run for an object. @param digest  asked of the store for one that is read whole */
export function mirrorOf({ store, address }: Omit<Found, 'objects'>, object: StoredObject): Mirror {
  return new Mirror({ store, object, path: mirrorPath({ ...address, key: object.key }) });
}

/** Fetches what is looked at before the rows: the beginning, and the end of Parquet. @throws ERR_STORE */
export async function begin(mirror: Mirror): Promise<void> {
  const { bytes, key } = mirror.object;
  const waits = [mirror.need(0, 4)];
  if (/\.parquet$/i.test(key)) waits.push(mirror.need(bytes - FOOTER, bytes));
  await Promise.all(waits);
}

/**
 * Makes files of the objects of an address.
 * @param isWhole  all bytes are here before this resolves; otherwise they arrive when they are waited for
 * @returns the path, or the pattern of paths, that stands for the address
 * @throws ERR_DATA, ERR_STORE, ERR_OUTPUT
 */
export async function fetchInput(text: string, isWhole: boolean): Promise<string> {
  const found = await findObjects(text);
  const mirrors = found.objects.map((object) => mirrorOf(found, object));
  await Promise.all(mirrors.map((mirror) => (isWhole ? mirror.whole() : begin(mirror))));
  return mirrorPath(found.address);
}
