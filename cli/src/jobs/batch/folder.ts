/** Where a batch job writes: a folder, or the objects below a prefix. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { commandError } from '../../errors.ts';
import { FileLock, Taken } from '../../serve/observation/fileLock.ts';
import { isAddress } from '../../stores/address.ts';
import { makeFolder, OutputFile, outputError, withUserMask } from '../../write/temporary.ts';

/** A path without links, as far as there is something. */
export function placeOfPath(path: string): string {
  const whole = resolve(path);
  if (existsSync(whole)) return realpathSync(whole);
  const above = dirname(whole);
  return above === whole ? whole : join(placeOfPath(above), basename(whole));
}

/** A right to write that nobody else has. */
export interface Lease {
  /** who had it and ended without giving it back; null: nobody */
  readonly left: string | null;
  /** Gives it back. */
  release(): Promise<void>;
}

export interface OutputFolder {
  /** as it was given, with a slash at its end */
  readonly place: string;
  /** Checks that it can be written, and takes it. @param lost  told when somebody else has it @throws ERR_OUTPUT, ERR_STORE */
  take(lost: (error: Error) => void): Promise<Lease>;
  /** Names of what is in it, and their bytes. */
  list(): Promise<ReadonlyMap<string, number>>;
  read(name: string): Promise<string | null>;
  /** Writes a small file whole. @throws ERR_OUTPUT where somebody else has written it since it was read */
  write(name: string, text: string): Promise<void>;
  /** What a name is, whatever way leads there: as `Part.at`. */
  placeOf(name: string): string;
  /** The path to which a part is written. */
  pathOf(name: string): string;
  /** Brings a part that is complete to its place. */
  send(name: string): Promise<void>;
}

/** @param place  a folder or an address */
export async function openFolder(place: string): Promise<OutputFolder> {
  const own = place.endsWith('/') ? place : `${place}/`;
  if (isAddress(own)) return (await import('./bucketFolder.ts')).openBucketFolder(own);
  return new Directory(own);
}

export const takenError = (place: string, who: string) =>
  commandError(
    'ERR_OUTPUT',
    `${place}: expected an output that no other job writes, got one of ${who}; wait until it has ended, or choose another --out`,
  );

/** Of the lock and the manifest of a local folder. */
const LOCKED = '_logodds.json';

/** How often a lock is touched. */
const TOUCH_MS = 1000;

class Directory implements OutputFolder {
  readonly place: string;

  constructor(place: string) {
    this.place = place;
  }

  async take(): Promise<Lease> {
    const path = join(this.place, LOCKED);
    let lock: FileLock;
    try {
      withUserMask(() => makeFolder(join(this.place)));
      lock = await FileLock.take(path);
    } catch (error) {
      if (error instanceof Taken)
        throw takenError(this.place, /got one of (.*?);/.exec(error.message)?.[1] ?? 'another process');
      throw outputError(this.place, error);
    }
    const timer = setInterval(() => {
      try {
        lock.touch();
      } catch {
        // it is gone with its folder: the next write says so
      }
    }, TOUCH_MS);
    timer.unref();
    return {
      left: lock.left,
      async release() {
        clearInterval(timer);
        lock.release();
      },
    };
  }

  async list() {
    const found = new Map<string, number>();
    const walk = (below: string) => {
      for (const entry of readdirSync(join(this.place, below), { withFileTypes: true })) {
        const name = below + entry.name;
        if (entry.isDirectory()) walk(`${name}/`);
        else found.set(name, statSync(join(this.place, name)).size);
      }
    };
    if (existsSync(this.place)) walk('');
    return found;
  }

  async read(name: string) {
    const path = join(this.place, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  }

  async write(name: string, text: string) {
    const file = new OutputFile(join(this.place, name));
    file.write(new TextEncoder().encode(text));
    file.commit();
  }

  placeOf(name: string) {
    return placeOfPath(join(this.place, name));
  }

  pathOf(name: string) {
    const path = join(this.place, name);
    try {
      withUserMask(() => makeFolder(dirname(path)));
    } catch (error) {
      throw outputError(path, error);
    }
    return path;
  }

  // a part is renamed to its name when it is complete
  async send() {}
}
