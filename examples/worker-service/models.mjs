/**
 * Where models are.
 * @typedef {object} Store
 * @property {() => Promise<Map<string, string>>} list  name of a model → what changes when its file does
 * @property {(name: string, etag: string) => Promise<ArrayBuffer | null>} read  null: it is another by now
 */

const ENDING = '.safetensors';

/** A bucket of R2: every object NAME.safetensors is a model. @returns {Store} */
export const r2Store = (bucket) => ({
  async list() {
    const found = new Map();
    let cursor;
    do {
      const page = await bucket.list({ cursor });
      for (const { key, etag } of page.objects) if (key.endsWith(ENDING)) found.set(key.slice(0, -ENDING.length), etag);
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor);
    return found;
  },
  async read(name, etag) {
    const object = await bucket.get(name + ENDING, { onlyIf: { etagMatches: etag } });
    // without a body the condition did not hold
    return object && 'body' in object ? object.arrayBuffer() : null;
  },
});

/**
 * A namespace of KV: the key "models" is JSON of { name: key of its file }. Files are never overwritten, so no reader sees half of a change, and going
 * back is writing the name of the last one.
 * @returns {Store}
 */
export const kvStore = (namespace) => ({
  list: async () => new Map(Object.entries((await namespace.get('models', 'json')) ?? {})),
  read: (_, key) => namespace.get(key, 'arrayBuffer'),
});

/** Keeps the models of an isolate as a store has them. What cannot be read or loaded leaves the model that is there, and is told in the log. */
export class ModelsOf {
  #shelf;
  #log;
  /** name → the etag that was loaded */
  #seen = new Map();
  #lookedAt = 0;

  /** @param {import('@logodds/service').Shelf} shelf */
  constructor(shelf, log) {
    this.#shelf = shelf;
    this.#log = log;
  }

  get isEmpty() {
    return this.#shelf.names().length === 0;
  }

  /** milliseconds since the last look began */
  get age() {
    return Date.now() - this.#lookedAt;
  }

  /**
   * Resolves when every change of the store is on the shelf, to whether the store answered. Requests never share this: a Worker may not wait for the
   * input of another request.
   */
  async look(store) {
    this.#lookedAt = Date.now();
    let listed;
    try {
      listed = await store.list();
    } catch (error) {
      this.#log({ level: 'error', event: 'failed', reason: String(error) });
      return false;
    }
    for (const name of [...this.#seen.keys()].filter((name) => !listed.has(name))) {
      this.#seen.delete(name);
      this.#shelf.remove(name);
      this.#log({ level: 'info', event: 'removed', model: name });
    }
    await Promise.all([...listed].map(([name, etag]) => this.#lookAt(store, name, etag)));
    return true;
  }

  async #lookAt(store, name, etag) {
    if (this.#seen.get(name) === etag) return;
    try {
      const bytes = await store.read(name, etag);
      if (!bytes) throw new Error(`${name}: expected its file, got none or one that has just changed`);
      // another request may have been first
      if (this.#seen.get(name) === etag) return;
      const before = this.#shelf.versions(name);
      const { version, sha256 } = this.#shelf.put({ name, model: bytes });
      for (const old of before) if (old !== version) this.#shelf.remove(name, old);
      this.#seen.set(name, etag);
      this.#log({ level: 'info', event: 'loaded', model: name, version, sha256 });
    } catch (error) {
      this.#shelf.fail(name, error.message);
      this.#log({ level: 'error', event: 'failed', model: name, reason: error.message });
    }
  }
}
