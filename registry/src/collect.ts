import { trashPath } from './files.ts';
import type { State } from './state.ts';
import type { Store, Stored } from './store.ts';
import type { Act, LogWriter } from './writer.ts';

/** What the garbage collection did. */
export interface Collected {
  readonly removed: readonly string[];
  readonly bytes: number;
  /** files that no version has, but that are too new: a push may be about to name them */
  readonly tooNew: number;
}

/** Removes files that no version has. */
export class Collector {
  readonly #store: Store;
  readonly #log: LogWriter;
  readonly #now: () => number;

  constructor(store: Store, log: LogWriter, now: () => number) {
    this.#store = store;
    this.#log = log;
    this.#now = now;
  }

  /** Which files `collect` would remove. @throws ERR_STORE */
  async unused(graceMs: number): Promise<Collected> {
    return this.#unused(await this.#store.list('models/'), graceMs);
  }

  /** @throws ERR_STORE */
  async collect(act: Act, graceMs: number): Promise<Collected> {
    const stored = await this.#store.list('models/');
    // what a collection that was stopped has put aside
    for (const { path } of stored.filter(({ path }) => path.endsWith('.trash'))) await this.#finish(path);
    for (const { path, at } of stored)
      if (isTemporary(path) && this.#now() - at > graceMs) await this.#store.remove(path);
    const found = await this.#unused(stored, graceMs);
    if (found.removed.length === 0) return found;
    const sha256s = [...new Set(found.removed.map((path) => path.slice(7, 71)))];
    await this.#log.commit(act, () => ({ event: 'collected', sha256s }));
    for (const path of found.removed) {
      // aside first: a push that comes in between finds it gone and writes it again, or is found here
      if (await this.#store.move(path, trashPath(path))) await this.#finish(trashPath(path));
    }
    return found;
  }

  async #unused(stored: readonly Stored[], graceMs: number): Promise<Collected> {
    const { state } = await this.#log.read();
    const used = usedDigests(state);
    const known = new Set(
      [...state.entries.values()].flatMap(({ versions }) => [...versions.values()].map((v) => v.sha256)),
    );
    const removed: string[] = [];
    let bytes = 0;
    let tooNew = 0;
    for (const file of stored) {
      const digest = /^models\/([0-9a-f]{64})\.safetensors(?:\.sig)?$/.exec(file.path)?.[1];
      if (digest === undefined || used.has(digest)) continue;
      if (!known.has(digest) && this.#now() - file.at <= graceMs) {
        tooNew++;
        continue;
      }
      removed.push(file.path);
      bytes += file.bytes;
    }
    return { removed, bytes, tooNew };
  }

  /** Removes what was put aside, or puts it back where a version has it by now. */
  async #finish(trash: string): Promise<void> {
    const path = trash.slice(0, -'.trash'.length);
    const { state } = await this.#log.read();
    if (usedDigests(state).has(path.slice(7, 71)) && !(await this.#store.read(path)))
      await this.#store.move(trash, path);
    else await this.#store.remove(trash);
  }
}

/** Digests of versions that are not retired. */
const usedDigests = ({ entries }: State): Set<string> =>
  new Set(
    [...entries.values()].flatMap(({ versions }) =>
      [...versions.values()].filter(({ isRetired }) => !isRetired).map((version) => version.sha256),
    ),
  );

export const isTemporary = (path: string): boolean => /(^|\/)\.[^/]*\.tmp$/.test(path);
