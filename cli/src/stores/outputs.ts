/** Objects that a run writes: files of the run first, sent when they are complete. */
import { closeSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { commandError } from '../errors.ts';
import { onInterrupt } from '../write/temporary.ts';
import { type Address, addressOf } from './address.ts';
import { mirrorPath } from './mirror.ts';
import { storeOf } from './open.ts';
import { trying } from './retry.ts';
import { type ObjectStore, PART, storeError } from './store.ts';

/** Parts that are under way at once. */
const AT_ONCE = 4;

export interface Output {
  readonly store: ObjectStore;
  readonly address: Address;
  /** as it was given */
  readonly text: string;
  /** of the file of the run */
  readonly path: string;
}

/**
 * Prepares an object that will be written. The store is asked whether it would take it, before the work: an upload is begun and ended.
 * @throws ERR_DATA, ERR_STORE
 */
export async function prepareOutput(text: string): Promise<Output> {
  const address = addressOf(text);
  const store = await storeOf(address);
  const path = mirrorPath(address);
  if (address.key === '' || address.key.endsWith('/'))
    throw commandError('ERR_OUTPUT', `${text}: expected the address of an object, got a folder; add a name`);
  await checkWritable(store, address.key, text);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return { store, address, text, path };
}

/** @throws ERR_STORE where nothing can be written there */
export async function checkWritable(store: ObjectStore, key: string, text: string): Promise<void> {
  try {
    const upload = await trying(store, () => store.upload(key));
    await upload.abort();
  } catch (error) {
    throw storeError(store, 'write', text, error);
  }
}

/**
 * Sends a file. The object is there when all of it is; a failure or a signal before that leaves what was there.
 * @returns its ETag
 * @throws ERR_STORE
 */
export async function sendFile({ store, address: { key }, text, path }: Output): Promise<string> {
  const { size } = statSync(path);
  const fd = openSync(path, 'r');
  const bytesAt = (start: number): Uint8Array => {
    const bytes = new Uint8Array(Math.min(PART, size - start));
    for (let at = 0; at < bytes.length; ) at += readSync(fd, bytes, at, bytes.length - at, start + at);
    return bytes;
  };
  try {
    if (size <= PART) return (await trying(store, () => store.put(key, bytesAt(0))))!;
    return await sendParts(store, key, size, bytesAt);
  } catch (error) {
    throw storeError(store, 'write', text, error);
  } finally {
    closeSync(fd);
  }
}

async function sendParts(
  store: ObjectStore,
  key: string,
  size: number,
  bytesAt: (start: number) => Uint8Array,
): Promise<string> {
  const before = await trying(store, () => store.head(key));
  const upload = await trying(store, () => store.upload(key));
  const forget = onInterrupt(() => upload.abort());
  try {
    const count = Math.ceil(size / PART);
    let next = 0;
    const lane = async () => {
      for (let part = next++; part < count; part = next++) {
        const bytes = bytesAt(part * PART);
        await trying(store, () => upload.put(bytes, part + 1));
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, lane));
    return await upload.commit().catch(async (error) => {
      // the answer may be lost of an upload that is complete
      const now = await trying(store, () => store.head(key));
      if (now?.bytes === size && now.etag !== before?.etag) return now.etag;
      throw error;
    });
  } catch (error) {
    await upload.abort().catch(() => {});
    throw error;
  } finally {
    forget();
  }
}
