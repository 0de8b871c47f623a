import {
  closeSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, placeHere } from '../../write/temporary.ts';

/*
 * A file that one process alone writes. Beside it stands FILE.lock, which says whose it is. Node has no lock of the system that ends with its process,
 * so whether the owner lives is asked:
 *
 *   of this machine and container   by its process id and the time at which it started, at once: after `kill -9` the next one need not wait
 *   of another one                  a process id means nothing here. The owner touches the lock each second; one that stands still for WATCH_MS is left
 */

/** How often the owner touches its lock, at least. */
const TOUCH_MS = 1000;
/** How long a lock of another machine or container is watched. */
const WATCH_MS = 5 * TOUCH_MS;
const LOOK_MS = TOUCH_MS / 10;

/** What stands in a lock. */
export interface Owner {
  readonly place: string;
  readonly pid: number;
  /** null: the system does not say */
  readonly started: string | null;
  readonly at: string;
}

/** A file is written by somebody else. */
export class Taken extends Error {
  /** @param owner  null: it does not say who it is */
  constructor(owner: Owner | null) {
    const who = owner === null ? 'another process' : `process ${owner.pid}, since ${owner.at}`;
    super(`expected a file that nobody else writes, got one of ${who}; stop it, or choose another file`);
    this.name = 'Taken';
  }
}

/** A lock that this process holds. */
export class FileLock {
  /** who held it before and is gone without giving it back; null: nobody */
  readonly left: string | null;
  readonly #path: string;
  readonly #text: string;

  private constructor(path: string, text: string, left: string | null) {
    this.#path = path;
    this.#text = text;
    this.left = left;
  }

  /** Takes the lock of a file. @throws Taken, or the error of the system where nothing can be written beside it */
  static async take(file: string, watchMs = WATCH_MS): Promise<FileLock> {
    const path = `${resolved(file)}.lock`;
    const text = JSON.stringify(ownHere());
    if (created(path, text)) return new FileLock(path, text, null);
    const found = await leftAt(path, watchMs);
    const owner = ownerOf(found);
    // of several that see the same one left, one takes it away
    const aside = `${path}.${process.pid}`;
    const isAway = found === null || movedAside(path, aside, found);
    if (!isAway || !created(path, text)) throw new Taken(ownerOf(read(path)));
    return new FileLock(
      path,
      text,
      owner === null ? 'nobody that it names' : `process ${owner.pid}, since ${owner.at}`,
    );
  }

  /** Looks whether it could be taken. @throws Taken */
  static async look(file: string, watchMs = WATCH_MS): Promise<void> {
    await leftAt(`${resolved(file)}.lock`, watchMs);
  }

  /** Says that the owner lives. */
  touch(): void {
    const now = new Date();
    utimesSync(this.#path, now, now);
  }

  /** Gives it back. One that somebody else has taken stays. */
  release(): void {
    if (read(this.#path) === this.#text) rmSync(this.#path, { force: true });
  }
}

/** What stands in a lock whose owner is gone; null: there is none. @throws Taken */
async function leftAt(path: string, watchMs: number): Promise<string | null> {
  const found = read(path);
  const owner = ownerOf(found);
  if (found !== null && (await lives(path, owner, watchMs))) throw new Taken(owner);
  return found;
}

/** The path of a file that may be a link, or not be there yet. */
function resolved(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return join(realpathSync(dirname(file)), basename(file));
  }
}

/** Writes a lock. Returns whether there was none. */
function created(path: string, text: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'wx', 0o640);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(fd, text);
  } catch (error) {
    // a disk that is full
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  return true;
}

/** Takes a lock away that says this. Returns whether it did; another one is put back. */
function movedAside(path: string, aside: string, text: string): boolean {
  try {
    renameSync(path, aside);
  } catch {
    return false;
  }
  if (read(aside) === text) {
    rmSync(aside, { force: true });
    return true;
  }
  renameSync(aside, path);
  return false;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** This process as an owner. */
export const ownHere = (): Owner => ({
  place: placeHere(),
  pid: process.pid,
  started: startOf(process.pid),
  at: new Date().toISOString(),
});

/** Whether an owner of this machine and container has ended; null: it is of another one. */
export const hasGone = (owner: Owner): boolean | null =>
  owner.place === placeHere() ? hasEnded(owner.pid) || startOf(owner.pid) !== owner.started : null;

export function ownerOf(text: string | null): Owner | null {
  try {
    const owner = JSON.parse(text ?? '') as Owner;
    return typeof owner.place === 'string' && Number.isSafeInteger(owner.pid) ? owner : null;
  } catch {
    return null;
  }
}

async function lives(path: string, owner: Owner | null, watchMs: number): Promise<boolean> {
  const gone = owner && hasGone(owner);
  if (gone !== null) return !gone;
  // a time of its file system, compared with none of ours
  const before = stampOf(path);
  for (let waited = 0; waited < watchMs; waited += LOOK_MS) {
    await sleep(LOOK_MS);
    if (stampOf(path) !== before) return true;
  }
  return false;
}

const stampOf = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;

/** When a process started: ids come again. Ticks since the start of the system, and which start that was; null: the system does not say. */
function startOf(pid: number): string | null {
  const boot = read('/proc/sys/kernel/random/boot_id')?.trim();
  const [state, ...fields] = read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ') ?? [];
  if (boot === undefined || state === undefined) return null;
  // it has ended, and nobody has asked how
  return state === 'Z' ? 'ended' : `${boot} ${fields[18]}`;
}
