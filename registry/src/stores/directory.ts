import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { registryError } from '../errors.ts';
import type { LogText, Store, Stored } from '../store.ts';

/** The calls of `node:fs` that a directory makes. */
export type Calls = Pick<
  typeof fs,
  | 'closeSync'
  | 'fsyncSync'
  | 'fstatSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readdirSync'
  | 'readFileSync'
  | 'renameSync'
  | 'rmSync'
  | 'statSync'
  | 'writeSync'
>;

const LOG = 'log.jsonl';

/**
 * A registry in a directory.
 *
 *   log.jsonl                    a line for each event
 *   models/<sha256>.safetensors  model files, with their signatures (.sig) beside them
 *
 * An event is one `write` to a file that was opened for appending, which the system puts at its end as a whole, and `fsync`. Other files are written under a
 * private name, `fsync`ed and renamed. Appending from several machines needs a file system that does it as one step: NFS does not.
 */
export class DirectoryStore implements Store {
  readonly place: string;
  readonly #fs: Calls;
  #temporaries = 0;

  /** @param calls  default those of Node */
  constructor(path: string, calls: Calls = fs) {
    this.place = path;
    this.#fs = calls;
  }

  async log(since?: string): Promise<LogText | null> {
    const path = join(this.place, LOG);
    return this.#try('read', path, () => {
      let fd: number;
      try {
        fd = this.#fs.openSync(path, 'r');
      } catch (error) {
        if (!isMissing(error)) throw error;
        // whoever follows it must not take a disk that is not mounted for a registry without models
        if (since !== undefined && since !== NO_LOG) throw new Error('it was there and is gone');
        return since === NO_LOG ? null : { text: '', mark: NO_LOG };
      }
      try {
        const { size, ino, mtimeMs } = this.#fs.fstatSync(fd);
        if (`${size} ${ino} ${mtimeMs}` === since) return null;
        const text = this.#fs.readFileSync(fd, 'utf8');
        // a line that was written meanwhile has changed the time: it is read once more
        return { text, mark: `${size} ${ino} ${mtimeMs}` };
      } finally {
        this.#fs.closeSync(fd);
      }
    });
  }

  async append(text: string): Promise<boolean> {
    const path = join(this.place, LOG);
    return this.#try('written', path, () => {
      this.#fs.mkdirSync(this.place, { recursive: true });
      const fd = this.#fs.openSync(path, 'a', 0o666);
      try {
        const bytes = Buffer.from(text, 'utf8');
        // the rest of a line that the disk did not take whole must not be sent after it: another one may have come in between
        if (this.#fs.writeSync(fd, bytes, 0, bytes.length) < bytes.length) throw new Error('the disk is full');
        this.#fs.fsyncSync(fd);
      } finally {
        this.#fs.closeSync(fd);
      }
      this.#syncFolder(this.place);
      return true;
    });
  }

  async read(path: string): Promise<Uint8Array | null> {
    return this.#try('read', path, () => {
      try {
        const bytes = this.#fs.readFileSync(this.#at(path));
        return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    });
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.#try('written', path, () => {
      const target = this.#at(path);
      const folder = dirname(target);
      this.#fs.mkdirSync(folder, { recursive: true });
      const temporary = join(folder, `.${process.pid}-${++this.#temporaries}-${crypto.randomUUID()}.tmp`);
      const fd = this.#fs.openSync(temporary, 'wx', 0o666);
      try {
        try {
          for (let at = 0; at < bytes.length; ) at += this.#fs.writeSync(fd, bytes, at, bytes.length - at);
          this.#fs.fsyncSync(fd);
        } finally {
          this.#fs.closeSync(fd);
        }
        this.#fs.renameSync(temporary, target);
      } catch (error) {
        this.#fs.rmSync(temporary, { force: true });
        throw error;
      }
      this.#syncFolder(folder);
    });
  }

  async move(from: string, to: string): Promise<boolean> {
    return this.#try('written', to, () => {
      try {
        this.#fs.renameSync(this.#at(from), this.#at(to));
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
      this.#syncFolder(dirname(this.#at(to)));
      return true;
    });
  }

  async remove(path: string): Promise<void> {
    this.#try('removed', path, () => this.#fs.rmSync(this.#at(path), { force: true }));
  }

  async list(folder: string): Promise<Stored[]> {
    return this.#try('read', folder, () => {
      let names: string[];
      try {
        names = this.#fs.readdirSync(this.#at(folder));
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
      return names.sort().flatMap((name) => {
        const path = `${folder}${name}`;
        try {
          const { size, mtimeMs } = this.#fs.statSync(this.#at(path));
          return [{ path, bytes: size, at: mtimeMs }];
        } catch (error) {
          // another process was faster
          if (isMissing(error)) return [];
          throw error;
        }
      });
    });
  }

  #at(path: string): string {
    return join(this.place, ...path.split('/'));
  }

  /** A name that was given survives a loss of power from here on. */
  #syncFolder(folder: string): void {
    // Windows opens no folders
    if (process.platform === 'win32') return;
    const fd = this.#fs.openSync(folder, 'r');
    try {
      this.#fs.fsyncSync(fd);
    } finally {
      this.#fs.closeSync(fd);
    }
  }

  #try<T>(verb: 'read' | 'written' | 'removed', path: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const said = code === 'ENOSPC' ? 'the disk is full' : (/^E[A-Z0-9]+: ([^,]*),/.exec(message)?.[1] ?? message);
      throw registryError(
        'ERR_STORE',
        `registry ${this.place}: expected ${path.startsWith(this.place) ? LOG : path} to be ${verb}, got an error (${said}); ${NEXT[code ?? ''] ?? 'check the directory'}${verb === 'read' ? '' : '; what was there stays'}`,
        error,
      );
    }
  }
}

const NO_LOG = 'no log';
const NEXT: Readonly<Record<string, string>> = {
  ENOSPC: 'free some space',
  EDQUOT: 'free some space',
  EACCES: 'give this user the right',
  EPERM: 'give this user the right',
  EROFS: 'the file system is read-only: choose another place',
  ENOTDIR: 'name a directory',
};

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
