import type { LogText, Store, Stored } from '../store.ts';

/** A registry in memory, for tests and for programs that read one from elsewhere. */
export class MemoryStore implements Store {
  readonly place: string;
  readonly #files = new Map<string, { bytes: Uint8Array; at: number }>();
  readonly #now: () => number;
  #log = '';

  constructor(place = 'a registry in memory', now: () => number = Date.now) {
    this.place = place;
    this.#now = now;
  }

  async log(since?: string): Promise<LogText | null> {
    const mark = String(this.#log.length);
    return mark === since ? null : { text: this.#log, mark };
  }

  async append(text: string, mark: string): Promise<boolean> {
    if (mark !== String(this.#log.length)) return false;
    this.#log += text;
    return true;
  }

  async read(path: string): Promise<Uint8Array | null> {
    return this.#files.get(path)?.bytes ?? null;
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(path, { bytes: bytes.slice(), at: this.#now() });
  }

  async move(from: string, to: string): Promise<boolean> {
    const file = this.#files.get(from);
    if (!file) return false;
    this.#files.delete(from);
    this.#files.set(to, file);
    return true;
  }

  async remove(path: string): Promise<void> {
    this.#files.delete(path);
  }

  async list(folder: string): Promise<Stored[]> {
    return [...this.#files]
      .filter(([path]) => path.startsWith(folder))
      .map(([path, { bytes, at }]) => ({ path, bytes: bytes.length, at }));
  }
}
