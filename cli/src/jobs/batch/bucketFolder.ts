/** The objects below a prefix, as the output of a batch job. */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { counted } from '../../figures/wording.ts';
import { hasGone, type Owner, ownerOf, ownHere } from '../../serve/observation/fileLock.ts';
import { type Address, addressOf } from '../../stores/address.ts';
import { mirrorPath } from '../../stores/mirror.ts';
import { storeOf } from '../../stores/open.ts';
import { sendFile } from '../../stores/outputs.ts';
import { trying } from '../../stores/retry.ts';
import { type ObjectStore, storeError, type Verb } from '../../stores/store.ts';
import { note } from '../../terminal/print.ts';
import { type Lease, type OutputFolder, takenError } from './folder.ts';

/** The lock is an object, which its owner writes anew now and then: one that stands still is left. */
const LOCK = '_logodds.lock';
const BEAT_MS = 2000;
const WATCH_MS = 5 * BEAT_MS;

export async function openBucketFolder(place: string): Promise<OutputFolder> {
  const address = addressOf(place);
  return new BucketFolder(place, address, await storeOf(address));
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

class BucketFolder implements OutputFolder {
  readonly place: string;
  readonly #address: Address;
  readonly #store: ObjectStore;
  /** ETags of what was read or written here */
  readonly #marks = new Map<string, string>();

  constructor(place: string, address: Address, store: ObjectStore) {
    this.place = place;
    this.#address = address;
    this.#store = store;
  }

  async take(lost: (error: Error) => void): Promise<Lease> {
    const own = ownHere();
    let beat = 0;
    const text = () => JSON.stringify({ ...own, beat: beat++ });
    const put = (condition: string | null) =>
      this.#try('write', LOCK, () => this.#store.put(this.#key(LOCK), bytesOf(text()), condition));
    let left: Owner | null = null;
    const isOwn = (text: string | undefined) => {
      const owner = ownerOf(text ?? null);
      return owner?.at === own.at && owner.pid === own.pid && owner.place === own.place;
    };
    let mark = await put(null);
    // the answer to it may be lost
    const mine = mark === null ? await this.#get(LOCK) : null;
    if (mine && isOwn(mine.text)) mark = mine.etag;
    if (mark === null) {
      const found = await this.#watch();
      left = ownerOf(found?.text ?? null);
      mark = await put(found?.etag ?? null);
      if (mark === null) throw takenError(this.place, 'another job that began just now');
    }
    // a store that writes whatever the condition says
    const now = await this.#get(LOCK);
    if (!isOwn(now?.text)) throw takenError(this.place, 'another job that began just now');
    const swept = await this.#store.sweep(this.#key('')).catch(() => 0);
    if (swept > 0) note(`${this.place}: ${counted(swept, 'upload')} ended that a killed job had begun`);
    let [isHeld, beating] = [true, Promise.resolve()];
    const timer = setInterval(() => {
      beating = beating.then(async () => {
        if (!isHeld) return;
        try {
          const put = await this.#store.put(this.#key(LOCK), bytesOf(text()), mark!);
          const found = put === null ? await this.#get(LOCK) : null;
          const next = found && isOwn(found.text) ? found.etag : put;
          if (next === null) {
            isHeld = false;
            lost(takenError(this.place, 'another job, which took it over'));
          } else mark = next;
        } catch {
          // the next beat tries again
        }
      });
    }, BEAT_MS);
    timer.unref();
    return {
      left: left && `process ${left.pid}, since ${left.at}`,
      release: async () => {
        clearInterval(timer);
        await beating;
        if (isHeld) await this.#store.remove(this.#key(LOCK)).catch(() => {});
        isHeld = false;
      },
    };
  }

  /** Waits whether the owner of the lock lives. @returns what stands in a lock that is left; null: there is none @throws ERR_OUTPUT */
  async #watch(): Promise<{ text: string; etag: string } | null> {
    const found = await this.#get(LOCK);
    const owner = ownerOf(found?.text ?? null);
    if (found === null || (owner && hasGone(owner))) return found;
    const who = owner ? `process ${owner.pid}, since ${owner.at}` : 'another job';
    if (owner && hasGone(owner) === false) throw takenError(this.place, who);
    for (let waited = 0; waited < WATCH_MS; waited += BEAT_MS / 2) {
      await sleep(BEAT_MS / 2);
      const now = await this.#get(LOCK);
      if (now === null) return null;
      if (now.etag !== found.etag) throw takenError(this.place, `${who}, on another machine`);
    }
    return found;
  }

  async #get(name: string): Promise<{ text: string; etag: string } | null> {
    const found = await this.#try('read', name, () => this.#store.get(this.#key(name)));
    return found && { text: new TextDecoder().decode(found.bytes), etag: found.etag };
  }

  async list() {
    const prefix = this.#key('');
    return this.#try('list', '', async () => {
      const found = new Map<string, number>();
      for await (const { key, bytes } of this.#store.list(prefix)) found.set(key.slice(prefix.length), bytes);
      return found;
    });
  }

  async read(name: string) {
    const found = await this.#get(name);
    if (found) this.#marks.set(name, found.etag);
    return found?.text ?? null;
  }

  async write(name: string, text: string) {
    const mark = await this.#try('write', name, () =>
      this.#store.put(this.#key(name), bytesOf(text), this.#marks.get(name) ?? null),
    );
    if (mark === null) {
      // an answer that was lost is tried again, and finds what it wrote
      const now = await this.#get(name);
      if (now?.text !== text) throw takenError(this.place, `another job, which wrote ${name}`);
      this.#marks.set(name, now.etag);
      return;
    }
    this.#marks.set(name, mark);
  }

  placeOf(name: string) {
    return this.place + name;
  }

  pathOf(name: string) {
    const path = mirrorPath({ ...this.#address, key: this.#key(name) });
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return path;
  }

  async send(name: string) {
    const path = this.pathOf(name);
    const text = this.place + name;
    await sendFile({ store: this.#store, address: { ...this.#address, key: this.#key(name) }, text, path });
    const { size } = statSync(path);
    rmSync(path);
    const sent = await this.#try('read', name, () => this.#store.head(this.#key(name)));
    if (sent?.bytes !== size)
      throw storeError(
        this.#store,
        'write',
        text,
        new Error(`${sent?.bytes ?? 'no'} bytes are there of ${size} that were sent`),
      );
  }

  async #try<T>(verb: Verb, name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await trying(this.#store, work);
    } catch (error) {
      throw storeError(this.#store, verb, this.place + name, error);
    }
  }

  #key(name: string): string {
    return this.#address.key + name;
  }
}
